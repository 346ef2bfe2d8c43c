/*
 * tests/core/test_crypto.h: what the tests of crypto share: keys, a place, rings, and envelopes by the functions that the modules above use.
 */
#ifndef BRANT_TESTS_CRYPTO_H
#define BRANT_TESTS_CRYPTO_H

#include <stdbool.h>

#include "support_ring.h"

#include "crypto/internal.h"

#define KEY_A "QUFBQUFBQUFBQUFBQUFBQUFBQUFBQUFBQUFBQUFBQUE" /* 32 times A */
#define KEY_B "QkJCQkJCQkJCQkJCQkJCQkJCQkJCQkJCQkJCQkJCQkI" /* 32 times B */
#define KDF   "\"kdf\":{\"alg\":\"argon2id13\",\"s\":\"AAECAwQFBgcICQoLDA0ODw\",\"t\":2,\"m\":9216}"
/* So that deriving takes microseconds. */
#define CHEAP "\"kdf\":{\"least\":{\"t\":1,\"m\":8192},\"most\":{\"t\":4,\"m\":131072}}"

static const brant__context here = {{"t", 1}, {"g", 1}, {"node", 4}, {"k", 1}, {"/value", 6}};
#define HERE                                                                                       \
    "{\"tenant_id\":\"t\",\"graph_id\":\"g\",\"kind\":\"node\",\"key\":\"k\",\"path\":\"/value\"}"

/* The envelope's text, which the caller frees. */
static inline char *must_seal(brant_db *db, const brant__context *context, brant__text json) {
    brant__buffer out = {0};
    char *text = NULL;
    size_t length = 0;
    assert_int_equal(brant__enter(db), BRANT_OK);
    if (brant__envelope_seal(&out, db, context, json) != BRANT_OK)
        fail_msg("seal: %s", brant_last_error()->message);
    brant__leave(db);
    assert_int_equal(brant__buffer_take(&text, &length, &out), BRANT_OK);
    return text;
}

/* Its status, with the opened text in `out`, which may be NULL. A failing one leaves `out` as it was. */
static inline brant_status open_text(brant__buffer *out, brant_db *db,
                                     const brant__context *context, brant__text envelope) {
    brant__buffer opened = {0};
    brant__json parsed = {0};
    int64_t version = -1;
    brant__error_clear();
    brant_status status = brant__json_parse(&parsed, envelope.data, envelope.length, 0);
    if (status == BRANT_OK) {
        brant__buffer_append(&opened, "before", 6);
        assert_int_equal(brant__enter(db), BRANT_OK);
        status = brant__envelope_open(&opened, &version, db, context, parsed.root);
        brant__leave(db);
        assert_true(status == BRANT_OK ? version > 0 : version == 0 && opened.length == 6);
        assert_memory_equal(opened.data, "before", 6);
        if (status == BRANT_OK && out)
            brant__buffer_append(out, opened.data + 6, opened.length - 6);
    }
    if (status == BRANT_AUTH)
        assert_string_equal(brant_last_error()->message, "the envelope does not open");
    brant__json_free(&parsed);
    brant__buffer_free(&opened);
    return status;
}

static inline void opens_to(brant_db *db, const brant__context *context, const char *envelope,
                            brant__text wanted) {
    brant__buffer out = {0};
    if (open_text(&out, db, context, brant__text_string(envelope)) != BRANT_OK)
        fail_msg("%s: %s", envelope, brant_last_error()->message);
    assert_int_equal(out.length, wanted.length);
    if (wanted.length) assert_memory_equal(out.data, wanted.data, wanted.length);
    brant__buffer_free(&out);
}

static inline void opens_not(brant_db *db, const brant__context *context, const char *envelope,
                             brant_status wanted) {
    const brant_status status = open_text(NULL, db, context, brant__text_string(envelope));
    if (status != wanted)
        fail_msg("%s: wanted %s, got %s: %s", envelope, brant_status_name(wanted),
                 brant_status_name(status), brant_last_error()->message);
}

#endif
