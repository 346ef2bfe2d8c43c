/*
 * crypto/derive.c: keys out of passwords, by Argon2id (RFC 9106, version 1.3, one lane), and the bounds of its cost.
 *
 * An envelope says what it costs to derive its key, and whoever wrote the envelope may be hostile: so both bounds are judged before any work.
 */
#include <sodium.h>

#include "crypto/internal.h"

/* Least: the first of OWASP's settings for Argon2id, 19 MiB and 2 passes. */
const brant__kdf_bounds brant__kdf_bounds_default = {.least_passes = 2,
                                                     .least_memory = (int64_t)19 << 20,
                                                     .most_passes = 16,
                                                     .most_memory = (int64_t)1 << 30};

_Static_assert(crypto_pwhash_SALTBYTES == BRANT__SALT_SIZE, "the salt of Argon2id");

bool brant__kdf_equal(const brant__kdf *a, const brant__kdf *b) {
    return a->passes == b->passes && a->memory == b->memory &&
           memcmp(a->salt, b->salt, sizeof a->salt) == 0;
}

brant_status brant__kdf_check(const brant__kdf *kdf, const brant__kdf_bounds *bounds,
                              const char *where) {
    if (kdf->passes < bounds->least_passes || kdf->memory < bounds->least_memory)
        return brant__fail(BRANT_LIMIT,
                           "%s: %lld passes over %lld bytes derive a key too weakly; the least is "
                           "%lld over %lld",
                           where, (long long)kdf->passes, (long long)kdf->memory,
                           (long long)bounds->least_passes, (long long)bounds->least_memory);
    if (kdf->passes > bounds->most_passes || kdf->memory > bounds->most_memory)
        return brant__fail(BRANT_LIMIT,
                           "%s: %lld passes over %lld bytes are more work than is allowed; the "
                           "most is %lld over %lld",
                           where, (long long)kdf->passes, (long long)kdf->memory,
                           (long long)bounds->most_passes, (long long)bounds->most_memory);
    return BRANT_OK;
}

brant_status brant__kdf_derive(uint8_t out[BRANT__KEY_SIZE], brant__text password,
                               const brant__kdf *kdf) {
    const brant_status status = brant__sodium_ready();
    if (status != BRANT_OK) return status;
    if (crypto_pwhash(out, BRANT__KEY_SIZE, password.data, password.length, kdf->salt,
                      (unsigned long long)kdf->passes, (size_t)kdf->memory,
                      crypto_pwhash_ALG_ARGON2ID13) == 0)
        return BRANT_OK;
    sodium_memzero(out, BRANT__KEY_SIZE);
    return brant__fail(BRANT_NO_MEMORY, "deriving a key needs %lld bytes, which are not to be had",
                       (long long)kdf->memory);
}

void brant__kdf_write(brant__writer *out, const brant__kdf *kdf) {
    brant__write_object(out);
    brant__write_text_member(out, "alg", BRANT__TEXT(BRANT__KDF_ALGORITHM));
    brant__write_bytes_member(out, "s", kdf->salt, sizeof kdf->salt);
    brant__write_integer_member(out, "t", kdf->passes);
    brant__write_integer_member(out, "m", kdf->memory);
    brant__write_end(out);
}

bool brant__number_read(int64_t *out, yyjson_val *value) {
    *out = 0;
    if (!yyjson_is_uint(value) || yyjson_get_uint(value) > (uint64_t)BRANT__NUMBER_LIMIT)
        return false;
    *out = (int64_t)yyjson_get_uint(value);
    return *out > 0;
}

bool brant__kdf_read(brant__kdf *out, yyjson_val *object) {
    *out = (brant__kdf){.passes = 0};
    return yyjson_is_obj(object) && yyjson_obj_size(object) == 4 &&
           brant__text_equal(brant__json_get_text(object, "alg"),
                             BRANT__TEXT(BRANT__KDF_ALGORITHM)) &&
           brant__base64url_read(out->salt, sizeof out->salt, brant__json_get_text(object, "s")) &&
           brant__number_read(&out->passes, brant__json_get(object, "t")) &&
           brant__number_read(&out->memory, brant__json_get(object, "m"));
}
