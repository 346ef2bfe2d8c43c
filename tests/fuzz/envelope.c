/*
 * tests/fuzz/envelope.c: any JSON as an envelope. It never opens unless it says what one of ours says; what is sealed of any value opens to it again.
 */
#include <unistd.h>

#include "crypto/internal.h"
#include "fuzz.h"

static brant_db *db;
/* That of the scenario whose envelopes are the seeds. */
static const brant__context place = {{"tenant", 6},
                                     {"01890000-0000-7000-8000-000000000001", 36},
                                     {"node", 4},
                                     {"db/password", 11},
                                     {"/value", 6}};

/* Two keys, of which the second is derived at so small a cost that a hostile kdf is tried, too. */
static const char ring[] = "{\"keys\":[{\"version\":1,\"key\":"
                           "\"AQIDBAUGBwgJCgsMDQ4PEBESExQVFhcYGRobHB0eHyA\"},{\"version\":2,"
                           "\"state\":\"decrypt_only\",\"password\":\"correct "
                           "horse\",\"kdf\":{\"alg\":\"argon2id13\",\"s\":"
                           "\"AAECAwQFBgcICQoLDA0ODw\",\"t\":1,\"m\":8192}}],\"padding\":16,"
                           "\"kdf\":{\"least\":{\"t\":1,\"m\":"
                           "8192},\"most\":{\"t\":2,\"m\":65536}},\"legacy\":{\"iterations\":1000,"
                           "\"keys\":[{\"version\":3,"
                           "\"password\":\"older password\"}]}}";

static void leave(void) {
    brant_db_free(db);
}

int LLVMFuzzerInitialize(int *count, char ***arguments) {
    (void)count;
    (void)arguments;
    HOLDS(brant_open(&db, ":memory:", 8, "", 0) == BRANT_OK);
    HOLDS(brant_keyring_load(db, ring, sizeof ring - 1) == BRANT_OK);
    atexit(leave);
    return 0;
}

/* A value that was accepted as JSON, sealed and opened. */
static void go_round(yyjson_val *value) {
    brant__buffer json = {0}, sealed = {0}, opened = {0};
    brant__json parsed = {0};
    int64_t version = 0;
    brant__json_append(&json, value);
    const brant__text text = brant__text_of(json.data, json.length);
    HOLDS(brant__envelope_seal(&sealed, db, &place, text) == BRANT_OK);
    HOLDS(brant__json_parse(&parsed, sealed.data, sealed.length, 0) == BRANT_OK);
    HOLDS(brant__envelope_like(parsed.root) && brant__envelope_key_version(parsed.root) == 1);
    HOLDS(brant__envelope_open(&opened, &version, db, &place, parsed.root) == BRANT_OK);
    HOLDS(version == 1 && brant__text_equal(brant__text_of(opened.data, opened.length), text));
    brant__json_free(&parsed);
    brant__buffer_free(&opened);
    brant__buffer_free(&sealed);
    brant__buffer_free(&json);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    brant__json parsed = {0};
    brant__buffer opened = {0};
    int64_t version = 0;
    brant__error_clear();
    if (brant__json_parse(&parsed, (const char *)data, size, 0) == BRANT_OK) {
        HOLDS(brant__enter(db) == BRANT_OK);
        const int64_t shape = brant__envelope_key_version(parsed.root);
        brant_status status = brant__envelope_open(&opened, &version, db, &place, parsed.root);
        HOLDS(status == BRANT_OK || status == BRANT_AUTH || status == BRANT_UNSUPPORTED ||
              status == BRANT_NOT_FOUND || status == BRANT_LIMIT);
        HOLDS(shape > 0 || status == BRANT_AUTH);
        HOLDS(status == BRANT_OK || (opened.length == 0 && version == 0));
        brant__error_clear();
        brant__buffer_reset(&opened);
        status = brant__legacy_open(&opened, &version, db, parsed.root);
        HOLDS(expected(status) && (status == BRANT_OK || opened.length == 0));
        brant__error_clear();
        go_round(parsed.root);
        brant__leave(db);
    }
    brant__buffer_free(&opened);
    brant__json_free(&parsed);
    return 0;
}
