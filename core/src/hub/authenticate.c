/*
 * hub/authenticate.c: from the token of a request to a session on its organisation's file.
 */
#include "brant/identity.h"
#include "hub/hub.h"
#include "identity/level.h"

#define TOKEN_MOST 512 /* bytes: longer than any token */

/* Nothing but what the token is good for is told of it. */
static brant_status ask(char **out, size_t *out_length, brant_db *system, brant__text token) {
    brant__writer input = {0};
    if (!token.data || token.length == 0 || token.length > TOKEN_MOST ||
        brant__utf8_check(token.data, token.length) != SIZE_MAX)
        return brant__fail(BRANT_AUTH, "the key is not valid");
    brant__write_object(&input);
    brant__write_text_member(&input, "token", token);
    brant__write_end(&input);
    const brant_status status =
        input.buffer.failed ? brant__fail_memory()
                            : brant_auth_authenticate(out, out_length, system, input.buffer.data,
                                                      input.buffer.length);
    brant__buffer_wipe(&input.buffer);
    return status;
}

static void keep_id(char out[BRANT__ORG_ID + 1], brant__text id) {
    if (id.length == BRANT__ORG_ID) memcpy(out, id.data, BRANT__ORG_ID);
}

/* The session's identity, as text, who has it, and the organisation that it is of; borrowed from `json` and `identity`. */
static brant_status read_answer(brant__json *json, brant__buffer *identity, brant__caller *caller,
                                brant__text *out_org_id, const char *answer, size_t length) {
    const brant_status status = brant__json_parse(json, answer, length, 0);
    if (status != BRANT_OK) return status;
    yyjson_val *object = brant__json_get(json->root, "identity");
    *out_org_id = brant__json_get_text(object, "organization");
    keep_id(caller->key, brant__json_get_text(object, "key"));
    keep_id(caller->account, brant__json_get_text(object, "id"));
    caller->level = brant__level_of(brant__json_get_text(object, "level"));
    brant__json_append(identity, object);
    return identity->failed ? brant__fail_memory() : BRANT_OK;
}

brant_status brant_hub_authenticate(brant_db **out_session, char **out_json, size_t *out_json_len,
                                    brant_hub *hub, const char *token, size_t token_len) {
    const brant__text nobody = {NULL, 0};
    brant__file *system = NULL, *file = NULL;
    brant__json json = {0};
    brant__buffer identity = {0};
    brant__caller caller = {.level = BRANT__LEVEL_NONE};
    brant__text org_id = nobody;
    char *answer = NULL;
    size_t length = 0;
    brant__error_clear();
    *out_session = NULL;
    *out_json = NULL;
    *out_json_len = 0;
    brant_status status = brant__hub_check(hub);
    if (status != BRANT_OK) return status;
    BRANT__TRY(brant__pool_take(&system, hub, nobody));
    BRANT__TRY(ask(&answer, &length, system->db, brant__text_of(token, token_len)));
    BRANT__TRY(read_answer(&json, &identity, &caller, &org_id, answer, length));
    file = system;
    system = NULL;
    if (org_id.data) {
        /* Given back first: where one file may be open, two are never needed at once. */
        brant__pool_put_back(file);
        file = NULL;
        BRANT__TRY(brant__pool_take(&file, hub, org_id));
    }
    BRANT__TRY(brant__pool_lend(out_session, file, brant__text_of(identity.data, identity.length),
                                &caller));
    *out_json = answer;
    *out_json_len = length;
    answer = NULL;
cleanup:
    if (system) brant__pool_put_back(system);
    brant_free(answer);
    brant__buffer_free(&identity);
    brant__json_free(&json);
    return brant__answer(status);
}
