/*
 * tests/fuzz/keyring.c: any bytes as a key ring. One that is refused leaves none of its own; one that is taken says of itself what it is, and what it seals it opens.
 */
#include "crypto/internal.h"
#include "fuzz.h"

static brant_db *db;
static const brant__context place = {{"t", 1}, {"g", 1}, {"node", 4}, {"k", 1}, {"/value", 6}};

static void leave(void) {
    brant_db_free(db);
}

int LLVMFuzzerInitialize(int *count, char ***arguments) {
    (void)count;
    (void)arguments;
    HOLDS(brant_open(&db, ":memory:", 8, "", 0) == BRANT_OK);
    atexit(leave);
    return 0;
}

static void use(void) {
    const brant__keyring *ring = brant__keyring_of(db);
    brant__buffer sealed = {0}, opened = {0};
    brant__json parsed = {0};
    /* Deriving takes as long as the ring says: only what is there at once. */
    if (!ring->active || !ring->active->known) return;
    HOLDS(brant__keyring_ready(db) == BRANT_OK);
    HOLDS(brant__envelope_seal(&sealed, db, &place, BRANT__TEXT("[1]")) == BRANT_OK);
    HOLDS(brant__json_parse(&parsed, sealed.data, sealed.length, 0) == BRANT_OK);
    HOLDS(brant__envelope_open(&opened, NULL, db, &place, parsed.root) == BRANT_OK);
    HOLDS(brant__text_equal(brant__text_of(opened.data, opened.length), BRANT__TEXT("[1]")));
    brant__json_free(&parsed);
    brant__buffer_free(&opened);
    brant__buffer_free(&sealed);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    char *answer = NULL;
    size_t length = 0;
    const brant_status status = brant_keyring_load(db, (const char *)data, size);
    HOLDS(expected(status));
    HOLDS(brant_keyring_info(&answer, &length, db, "{}", 2) == BRANT_OK);
    HOLDS((status == BRANT_OK) ==
          (strcmp(answer, "{\"keys\":[],\"padding\":0,\"legacy\":false}") != 0 ||
           brant__keyring_of(db) != NULL));
    brant_free(answer);
    if (status == BRANT_OK) {
        HOLDS(brant__enter(db) == BRANT_OK);
        use();
        brant__leave(db);
    }
    HOLDS(brant_keyring_unload(db) == BRANT_OK);
    return 0;
}
