/*
 * crypto/legacy.c: the older envelopes {keyVersion, salt, iv, data}, which are read and never written: PBKDF2-HMAC-SHA256 and AES-256-GCM as WebCrypto makes them.
 *
 * They know no place and commit to no key; the ring says how many iterations they took.
 */
#include <sodium.h>

#include "crypto/internal.h"

#define SALT_MOST 64

typedef struct older {
    int64_t version;
    brant__text salt, nonce, sealed; /* base64 */
} older;

static bool read_members(older *out, yyjson_val *value) {
    *out = (older){.version = 0};
    if (!yyjson_is_obj(value) || yyjson_obj_size(value) != 4 ||
        !brant__number_read(&out->version, brant__json_get(value, "keyVersion")))
        return false;
    out->salt = brant__json_get_text(value, "salt");
    out->nonce = brant__json_get_text(value, "iv");
    out->sealed = brant__json_get_text(value, "data");
    return out->salt.data && out->nonce.data && out->sealed.data;
}

bool brant__legacy_like(yyjson_val *value) {
    older members;
    return read_members(&members, value);
}

static const brant__legacy_key *find(const brant__keyring *ring, int64_t version) {
    for (size_t i = 0; i < ring->legacy_count; i++)
        if (ring->legacy_keys[i].version == version) return &ring->legacy_keys[i];
    return NULL;
}

/* The opened bytes, where the ring says that they are plain text, as JSON. */
static brant_status quote(brant__buffer *out, size_t from) {
    brant__buffer text = {0};
    brant__buffer_append(&text, out->data + from, out->length - from);
    const bool good = brant__utf8_check(out->data + from, out->length - from) == SIZE_MAX;
    sodium_memzero(out->data + from, out->length - from);
    out->length = from;
    if (good && !text.failed) brant__json_append_text(out, brant__text_of(text.data, text.length));
    const bool failed = text.failed || out->failed;
    brant__buffer_free(&text);
    if (failed) return brant__fail_memory();
    return good ? BRANT_OK : brant__envelope_fail();
}

/* salt and nonce, behind each other. */
static brant_status read_salt(brant__buffer *out, size_t *out_salt, const older *members) {
    if (!brant__base64_decode(out, members->salt))
        return out->failed ? brant__fail_memory() : brant__envelope_fail();
    *out_salt = out->length;
    if (!brant__base64_decode(out, members->nonce))
        return out->failed ? brant__fail_memory() : brant__envelope_fail();
    return *out_salt >= 1 && *out_salt <= SALT_MOST &&
                   out->length - *out_salt == BRANT__GCM_NONCE_SIZE
               ? BRANT_OK
               : brant__envelope_fail();
}

brant_status brant__legacy_open(brant__buffer *out, int64_t *out_version, brant_db *db,
                                yyjson_val *value) {
    const brant__keyring *ring = brant__keyring_of(db);
    const size_t before = out->length;
    brant__buffer salt = {0};
    uint8_t key_bytes[BRANT__KEY_SIZE];
    older members;
    size_t salt_length = 0;
    brant_status status = BRANT_OK;
    *out_version = 0;
    if (!read_members(&members, value) || !ring || !ring->legacy) return brant__envelope_fail();
    BRANT__TRY(read_salt(&salt, &salt_length, &members));
    if (!brant__base64_decode(out, members.sealed)) {
        status = out->failed ? brant__fail_memory() : brant__envelope_fail();
        goto cleanup;
    }
    if (out->length - before <= BRANT__TAG_SIZE) {
        status = brant__envelope_fail();
        goto cleanup;
    }
    const brant__legacy_key *key = find(ring, members.version);
    if (!key) {
        status = brant__fail(BRANT_NOT_FOUND, "the key ring has no legacy key of version %lld",
                             (long long)members.version);
        goto cleanup;
    }
    if (!brant__gcm_available()) {
        status = brant__fail(BRANT_UNSUPPORTED,
                             "older envelopes need AES in hardware, which this machine has not");
        goto cleanup;
    }
    BRANT__TRY(brant__db_poll(db));
    brant__pbkdf2(key_bytes, sizeof key_bytes, key->password,
                  brant__text_of(salt.data, salt_length), ring->iterations);
    if (!brant__gcm_open((uint8_t *)out->data + before, out->length - before, key_bytes,
                         (const uint8_t *)salt.data + salt_length, NULL, 0)) {
        status = brant__envelope_fail();
        goto cleanup;
    }
    out->length -= BRANT__TAG_SIZE;
    status = ring->legacy_text
                 ? quote(out, before)
                 : brant__prove_json(brant__text_of(out->data + before, out->length - before));
    if (status == BRANT_OK) *out_version = members.version;
cleanup:
    if (status != BRANT_OK) {
        if (out->data) sodium_memzero(out->data + before, out->length - before);
        out->length = before;
    }
    sodium_memzero(key_bytes, sizeof key_bytes);
    brant__buffer_free(&salt);
    return status;
}
