/*
 * store/token.c: FTS5's own judgement of what is a word.
 */
#include "store/handle.h"

static int note_token(void *context, int flags, const char *token, int length, int from, int to) {
    (void)flags;
    (void)token;
    (void)length;
    (void)from;
    (void)to;
    *(bool *)context = true;
    return SQLITE_DONE; /* one is enough */
}

/* NULL, without an error, where there is none: this SQLite has it always. */
static brant_status find_api(fts5_api **out, brant_db *db) {
    sqlite3_stmt *statement = NULL;
    int code = sqlite3_prepare_v2(db->sqlite, "SELECT fts5(?)", -1, &statement, NULL);

    *out = NULL;
    if (code == SQLITE_OK)
        code = sqlite3_bind_pointer(statement, 1, (void *)out, "fts5_api_ptr", NULL);
    if (code == SQLITE_OK) {
        code = sqlite3_step(statement);
        if (code == SQLITE_ROW) code = SQLITE_OK;
    }
    sqlite3_finalize(statement);
    return code == SQLITE_OK && *out ? BRANT_OK : brant__sqlite_fail(db, code, "finding FTS5");
}

brant_status brant__has_word(bool *out_has, brant_db *db, brant__text text) {
    const char *arguments[] = {"remove_diacritics", "2"};
    fts5_tokenizer calls = {NULL, NULL, NULL};
    Fts5Tokenizer *tokenizer = NULL;
    void *context = NULL;
    fts5_api *api;
    int code;
    brant_status status;

    *out_has = false;
    BRANT__TRY(find_api(&api, db));
    code = api->xFindTokenizer(api, "unicode61", &context, &calls);
    if (code == SQLITE_OK)
        code = calls.xCreate(context, arguments, (int)BRANT__COUNT(arguments), &tokenizer);
    if (code == SQLITE_OK)
        code = calls.xTokenize(tokenizer, out_has, FTS5_TOKENIZE_QUERY, text.data, (int)text.length,
                               note_token);
    if (tokenizer) calls.xDelete(tokenizer);
    if (code != SQLITE_OK && code != SQLITE_DONE)
        status = brant__sqlite_fail(db, code, "looking for words");
cleanup:
    return status;
}
