/*
 * crypto/hash.c: hashes for the modules above: BLAKE2b with the ring's keys or none, SHA-256, and comparing.
 */
#include <sodium.h>

#include "crypto/internal.h"

_Static_assert(crypto_generichash_BYTES == BRANT__HASH_SIZE, "BLAKE2b-256");
_Static_assert(crypto_hash_sha256_BYTES == BRANT__HASH_SIZE, "SHA-256");

/* `key` NULL: none. */
static void hash_parts(uint8_t out[BRANT__HASH_SIZE], const uint8_t *key, const brant__text *parts,
                       size_t count) {
    crypto_generichash_state state;
    crypto_generichash_init(&state, key, key ? BRANT__KEY_SIZE : 0, BRANT__HASH_SIZE);
    for (size_t i = 0; i < count; i++) {
        const uint64_t length = parts[i].data ? parts[i].length : UINT64_MAX;
        uint8_t prefix[8];
        for (size_t at = 0; at < sizeof prefix; at++)
            prefix[at] = (uint8_t)(length >> (8 * at));
        crypto_generichash_update(&state, prefix, sizeof prefix);
        if (parts[i].data)
            crypto_generichash_update(&state, (const unsigned char *)parts[i].data,
                                      parts[i].length);
    }
    crypto_generichash_final(&state, out, BRANT__HASH_SIZE);
    sodium_memzero(&state, sizeof state);
}

brant_status brant__keyed_hash(uint8_t out[BRANT__HASH_SIZE], brant_db *db, int purpose,
                               int64_t *version, const brant__text *parts, size_t count) {
    const brant__key *key = NULL;
    const uint8_t *bytes = NULL;
    uint8_t room[BRANT__KEY_SIZE];
    memset(out, 0, BRANT__HASH_SIZE);
    brant_status status = *version == 0 ? brant__keyring_find_active(&key, db, purpose)
                                        : brant__keyring_find(&key, db, purpose, *version);
    if (status == BRANT_OK) status = brant__keyring_bytes(&bytes, room, db, key, NULL);
    if (status != BRANT_OK) return status;
    hash_parts(out, bytes, parts, count);
    *version = key->version;
    if (bytes == room) sodium_memzero(room, sizeof room);
    return BRANT_OK;
}

brant_status brant__key_active(int64_t *out_version, const brant_db *db, int purpose) {
    const brant__key *key = NULL;
    const brant_status status = brant__keyring_find_active(&key, db, purpose);
    *out_version = status == BRANT_OK ? key->version : 0;
    return status;
}

void brant__plain_hash(uint8_t out[BRANT__HASH_SIZE], const brant__text *parts, size_t count) {
    hash_parts(out, NULL, parts, count);
}

void brant__sha256(uint8_t out[BRANT__HASH_SIZE], brant__text message) {
    crypto_hash_sha256(out, (const unsigned char *)message.data, message.length);
}

bool brant__bytes_equal(const void *a, const void *b, size_t length) {
    return sodium_memcmp(a, b, length) == 0;
}
