/*
 * crypto/primitive.c: the primitives as the formats use them, over libsodium's; what the test vectors of others are run against.
 */
#include <sodium.h>

#include "crypto/internal.h"

_Static_assert(crypto_aead_xchacha20poly1305_ietf_NPUBBYTES == BRANT__NONCE_SIZE, "XChaCha20");
_Static_assert(crypto_aead_xchacha20poly1305_ietf_ABYTES == BRANT__TAG_SIZE, "Poly1305");
_Static_assert(crypto_aead_xchacha20poly1305_ietf_KEYBYTES == BRANT__KEY_SIZE, "XChaCha20");
_Static_assert(crypto_aead_aes256gcm_NPUBBYTES == BRANT__GCM_NONCE_SIZE, "AES-GCM");
_Static_assert(crypto_aead_aes256gcm_ABYTES == BRANT__TAG_SIZE, "AES-GCM");
_Static_assert(crypto_auth_hmacsha256_BYTES == BRANT__HMAC_SIZE, "HMAC-SHA256");

brant_status brant__sodium_ready(void) {
    /* It locks and counts by itself. */
    return sodium_init() >= 0 ? BRANT_OK : brant__fail(BRANT_INTERNAL, "libsodium does not start");
}

void brant__xchacha_seal(uint8_t *text, size_t length, const uint8_t key[BRANT__KEY_SIZE],
                         const uint8_t nonce[BRANT__NONCE_SIZE], const void *data,
                         size_t data_length) {
    crypto_aead_xchacha20poly1305_ietf_encrypt(text, NULL, text, length, data, data_length, NULL,
                                               nonce, key);
}

bool brant__xchacha_open(uint8_t *sealed, size_t length, const uint8_t key[BRANT__KEY_SIZE],
                         const uint8_t nonce[BRANT__NONCE_SIZE], const void *data,
                         size_t data_length) {
    return crypto_aead_xchacha20poly1305_ietf_decrypt(sealed, NULL, NULL, sealed, length, data,
                                                      data_length, nonce, key) == 0;
}

bool brant__gcm_available(void) {
    return sodium_init() >= 0 && crypto_aead_aes256gcm_is_available() != 0;
}

bool brant__gcm_open(uint8_t *sealed, size_t length, const uint8_t key[BRANT__KEY_SIZE],
                     const uint8_t nonce[BRANT__GCM_NONCE_SIZE], const void *data,
                     size_t data_length) {
    return crypto_aead_aes256gcm_decrypt(sealed, NULL, NULL, sealed, length, data, data_length,
                                         nonce, key) == 0;
}

void brant__hmac_sha256(uint8_t out[BRANT__HMAC_SIZE], brant__text key, brant__text message) {
    crypto_auth_hmacsha256_state state;
    crypto_auth_hmacsha256_init(&state, (const unsigned char *)key.data, key.length);
    crypto_auth_hmacsha256_update(&state, (const unsigned char *)message.data, message.length);
    crypto_auth_hmacsha256_final(&state, out);
    sodium_memzero(&state, sizeof state);
}

/* One block of PBKDF2: the keyed state is copied for each of its rounds, so that the key is worked in once. */
static void derive_block(uint8_t block[BRANT__HMAC_SIZE], const crypto_auth_hmacsha256_state *keyed,
                         brant__text salt, uint32_t number, int64_t iterations) {
    const uint8_t counter[4] = {(uint8_t)(number >> 24), (uint8_t)(number >> 16),
                                (uint8_t)(number >> 8), (uint8_t)number};
    uint8_t round[BRANT__HMAC_SIZE];
    crypto_auth_hmacsha256_state state = *keyed;
    crypto_auth_hmacsha256_update(&state, (const unsigned char *)salt.data, salt.length);
    crypto_auth_hmacsha256_update(&state, counter, sizeof counter);
    crypto_auth_hmacsha256_final(&state, round);
    memcpy(block, round, sizeof round);
    for (int64_t i = 1; i < iterations; i++) {
        state = *keyed;
        crypto_auth_hmacsha256_update(&state, round, sizeof round);
        crypto_auth_hmacsha256_final(&state, round);
        for (size_t at = 0; at < sizeof round; at++)
            block[at] ^= round[at];
    }
    sodium_memzero(&state, sizeof state);
    sodium_memzero(round, sizeof round);
}

void brant__pbkdf2(uint8_t *out, size_t length, brant__text password, brant__text salt,
                   int64_t iterations) {
    crypto_auth_hmacsha256_state keyed;
    uint8_t block[BRANT__HMAC_SIZE];
    crypto_auth_hmacsha256_init(&keyed, (const unsigned char *)password.data, password.length);
    for (uint32_t number = 1; length > 0; number++) {
        const size_t part = length < sizeof block ? length : sizeof block;
        derive_block(block, &keyed, salt, number, iterations);
        memcpy(out, block, part);
        out += part;
        length -= part;
    }
    sodium_memzero(&keyed, sizeof keyed);
    sodium_memzero(block, sizeof block);
}
