/*
 * identity/input.c: see input.h.
 */
#include "identity/input.h"

#define LABEL_MOST 255

brant_status brant__identity_here(const brant_db *db) {
    if (brant__db_role(db) != BRANT__ROLE_TENANT) return BRANT_OK;
    return brant__fail(BRANT_MISUSE,
                       "this file is a tenant's: accounts are in the hub's system.db");
}

/* ---- members of the input ---------------------------------------------------------------------------------------------- */

static bool is_uuid(brant__text text) {
    if (text.length != 36) return false;
    for (size_t i = 0; i < text.length; i++) {
        const char c = text.data[i];
        if (i == 8 || i == 13 || i == 18 || i == 23) {
            if (c != '-') return false;
        } else if (!((c >= '0' && c <= '9') || (c >= 'a' && c <= 'f'))) {
            return false;
        }
    }
    return true;
}

brant_status brant__input_id(brant__text *out, brant__call *call) {
    const brant__text given = brant__json_get_text(call->input, "id");
    char made[37];
    brant_status status;

    *out = (brant__text){NULL, 0};
    if (given.data) {
        if (!is_uuid(given)) return brant__fail(BRANT_INVALID, "/id must be a UUID in lower case");
        *out = given;
        return BRANT_OK;
    }
    status = brant__db_uuid(call->db, made);
    if (status != BRANT_OK) return status;
    return brant__arena_text(out, call->arena, brant__text_of(made, 36));
}

brant_status brant__input_label(brant__text *out, brant__call *call) {
    *out = brant__json_get_text(call->input, "name");
    if (!out->data) return BRANT_OK;
    if (out->length >= 1 && out->length <= LABEL_MOST && !memchr(out->data, 0, out->length))
        return BRANT_OK;
    return brant__fail(BRANT_INVALID, "/name must be a text of 1 to %d bytes without NUL",
                       LABEL_MOST);
}

brant_status brant__input_metadata(brant__text *out, brant__call *call) {
    yyjson_val *value = brant__json_get(call->input, "metadata");
    brant__buffer text = {0};
    brant_status status;

    *out = (brant__text){NULL, 0};
    if (!value) return BRANT_OK;
    brant__json_append(&text, value);
    if (text.failed)
        status = brant__fail_memory();
    else if (text.length > BRANT__METADATA_MOST)
        status = brant__fail(BRANT_LIMIT, "/metadata takes %zu bytes; at most %d are allowed",
                             text.length, BRANT__METADATA_MOST);
    else
        status = brant__arena_text(out, call->arena, brant__text_of(text.data, text.length));
    brant__buffer_free(&text);
    return status;
}

/* ---- what is told of it ------------------------------------------------------------------------------------------------- */

void brant__facts_begin(brant__facts *facts) {
    brant__buffer_reset(&facts->writer.buffer);
    facts->writer = (brant__writer){.buffer = facts->writer.buffer};
    brant__write_object(&facts->writer);
}

void brant__facts_text(brant__facts *facts, const char *name, brant__text value) {
    brant__write_name(&facts->writer, name);
    brant__write_text_or_null(&facts->writer, value);
}

void brant__facts_changes(brant__facts *facts, const char *const *names) {
    brant__write_name(&facts->writer, "changes");
    brant__write_array(&facts->writer);
    for (; *names; names++)
        brant__write_text(&facts->writer, brant__text_string(*names));
    brant__write_end(&facts->writer);
}

brant_status brant__facts_end(brant__text *out, brant__facts *facts) {
    const brant__buffer *buffer = &facts->writer.buffer;

    brant__write_end(&facts->writer);
    if (buffer->failed) return brant__fail_memory();
    *out = brant__text_of(buffer->data, buffer->length);
    return BRANT_OK;
}

void brant__facts_free(brant__facts *facts) {
    brant__buffer_free(&facts->writer.buffer);
}

brant_status brant__resource_of(brant__text *out, brant__arena *arena, const char *kind,
                                brant__text id) {
    const size_t length = strlen(kind);
    char *text = brant__arena_alloc(arena, length + 1 + id.length);

    if (!text) return brant__fail_memory();
    memcpy(text, kind, length);
    text[length] = ':';
    memcpy(text + length + 1, id.data, id.length);
    *out = brant__text_of(text, length + 1 + id.length);
    return BRANT_OK;
}

brant_status brant__answer_row(bool *out_found, brant__call *call, const brant__table *table,
                               brant__statement *statement) {
    brant_status status = brant__step(out_found, call->db, statement);

    if (status == BRANT_OK && *out_found) /* the id stands first in all of them */
        status = brant__row_shown(out_found, call->db, table, brant__column_text(statement, 0));
    if (status == BRANT_OK && *out_found) brant__row_write(call->out, table, statement, 0);
    brant__reset(statement);
    return status;
}

brant_status brant__answer_row_of(brant__call *call, const brant__table *table,
                                  const brant__statements *statements, size_t index,
                                  brant__text id) {
    brant__statement *statement = NULL;
    bool found = false;
    brant_status status = brant__statement_get(&statement, call->db, statements, index);

    if (status != BRANT_OK) return status;
    brant__bind_text(statement, 1, id);
    status = brant__answer_row(&found, call, table, statement);
    return status == BRANT_OK && !found ? brant__row_missing(table, id) : status;
}

brant_status brant__row_missing(const brant__table *table, brant__text id) {
    return brant__fail(BRANT_NOT_FOUND, "no %s %.*s", table->row, (int)id.length, id.data);
}
