/*
 * crypto/internal.h: what the files of this module share.
 *
 * - primitive.c: the primitives over libsodium's
 * - keyring.c: the ring of a handle, in guarded memory
 * - keyring_read.c: a ring out of its JSON text
 * - derive.c: keys out of passwords
 * - hash.c: hashes for the modules above
 * - envelope.c: envelopes of version 2
 * - legacy.c: the older ones, which are only read
 * - operation.c: keyring.* and envelopes.*
 */
#ifndef BRANT__CRYPTO_INTERNAL_H
#define BRANT__CRYPTO_INTERNAL_H

#include "crypto/crypto.h"

#define BRANT__KEY_SIZE      32
#define BRANT__SALT_SIZE     16
#define BRANT__PASSWORD_MOST 1024                      /* bytes */
#define BRANT__NUMBER_LIMIT  INT64_C(9007199254740991) /* 2^53 - 1 */

enum {
    BRANT__KEY_ACTIVE,
    BRANT__KEY_DECRYPT_ONLY,
    BRANT__KEY_DISABLED,
    BRANT__KEY_DESTROYED,
    BRANT__KEY_STATE_COUNT
};
extern const char *const brant__purpose_names[];
extern const char *const brant__purpose_algorithms[];
extern const char *const brant__key_state_names[];

/* ---- primitives (primitive.c) ------------------------------------------------------------------ */

#define BRANT__NONCE_SIZE     24
#define BRANT__TAG_SIZE       16
#define BRANT__GCM_NONCE_SIZE 12
#define BRANT__HMAC_SIZE      32

/* Before anything else of this part, brant__gcm_available but. INTERNAL when libsodium cannot start. */
brant_status brant__sodium_ready(void);

/* XChaCha20-Poly1305 (IETF), in place: `length` bytes of text, behind which the tag is put. */
void brant__xchacha_seal(uint8_t *text, size_t length, const uint8_t key[BRANT__KEY_SIZE],
                         const uint8_t nonce[BRANT__NONCE_SIZE], const void *data,
                         size_t data_length);
/* In place: `length` with the tag. false: not authentic, and what stands there is void. */
bool brant__xchacha_open(uint8_t *sealed, size_t length, const uint8_t key[BRANT__KEY_SIZE],
                         const uint8_t nonce[BRANT__NONCE_SIZE], const void *data,
                         size_t data_length);

/* AES-256-GCM: the processor can. */
bool brant__gcm_available(void);
bool brant__gcm_open(uint8_t *sealed, size_t length, const uint8_t key[BRANT__KEY_SIZE],
                     const uint8_t nonce[BRANT__GCM_NONCE_SIZE], const void *data,
                     size_t data_length);

void brant__hmac_sha256(uint8_t out[BRANT__HMAC_SIZE], brant__text key, brant__text message);
/* RFC 8018 with HMAC-SHA256. */
void brant__pbkdf2(uint8_t *out, size_t length, brant__text password, brant__text salt,
                   int64_t iterations);

/* ---- keys from passwords (derive.c) ------------------------------------------------------------- */

#define BRANT__KDF_ALGORITHM "argon2id13"
#define BRANT__KDF_PASSES    3
#define BRANT__KDF_MEMORY    ((int64_t)256 << 20)

typedef struct brant__kdf {
    uint8_t salt[BRANT__SALT_SIZE];
    int64_t passes;
    int64_t memory; /* bytes */
} brant__kdf;

typedef struct brant__kdf_bounds {
    int64_t least_passes, least_memory, most_passes, most_memory;
} brant__kdf_bounds;
extern const brant__kdf_bounds brant__kdf_bounds_default;

bool brant__kdf_equal(const brant__kdf *a, const brant__kdf *b);
/* LIMIT, before any work. `where` begins the message. */
brant_status brant__kdf_check(const brant__kdf *kdf, const brant__kdf_bounds *bounds,
                              const char *where);
/* Argon2id 1.3 with one lane. NO_MEMORY. */
brant_status brant__kdf_derive(uint8_t out[BRANT__KEY_SIZE], brant__text password,
                               const brant__kdf *kdf);
/* The member as envelopes and rings have it. */
void brant__kdf_write(brant__writer *out, const brant__kdf *kdf);
/* Exactly {alg, s, t, m} with values that make sense; no bounds. */
bool brant__kdf_read(brant__kdf *out, yyjson_val *object);
/* An integer from 1 to BRANT__NUMBER_LIMIT. */
bool brant__number_read(int64_t *out, yyjson_val *value);
/* A member with bytes in base64url. */
static inline void brant__write_bytes_member(brant__writer *out, const char *name,
                                             const void *bytes, size_t length) {
    brant__write_name(out, name);
    brant__write_raw(out, BRANT__TEXT("\""));
    brant__base64url_encode(&out->buffer, bytes, length);
    brant__buffer_append_byte(&out->buffer, '"');
}

/* ---- the ring (keyring.c, keyring_read.c) ------------------------------------------------------- */

typedef struct brant__key {
    int purpose, state;
    int64_t version;
    bool known;    /* `bytes` are the key; else it is derived from `password` at first use */
    bool from_kdf; /* made from a password, now or by whoever wrote the ring: `kdf` says how */
    uint8_t bytes[BRANT__KEY_SIZE];
    brant__kdf kdf;
    brant__text password; /* {NULL, 0}: none */
} brant__key;

/* What a password gave with another salt or other parameters than the ring's own. */
typedef struct brant__derived {
    int64_t version; /* 0: nothing is here */
    int purpose;
    brant__kdf kdf;
    uint8_t bytes[BRANT__KEY_SIZE];
} brant__derived;
#define BRANT__DERIVED_KEPT 16

typedef struct brant__legacy_key {
    int64_t version;
    brant__text password;
} brant__legacy_key;

/* One guarded allocation with all that it points to; read-only but for moments. */
typedef struct brant__keyring {
    size_t size;     /* of the allocation */
    int64_t padding; /* 0: none */
    brant__kdf_bounds bounds;
    size_t key_count;
    brant__key *keys;
    const brant__key *active; /* of purpose attribute */
    bool legacy;
    bool legacy_text; /* the older plaintexts are no JSON, but text */
    int64_t iterations;
    size_t legacy_count;
    brant__legacy_key *legacy_keys;
    size_t next_derived; /* the place that is filled next */
    brant__derived derived[BRANT__DERIVED_KEPT];
} brant__keyring;

/* NULL: none is loaded. */
const brant__keyring *brant__keyring_of(const brant_db *db);
/* INVALID, LIMIT, UNSUPPORTED, INVALID_JSON, NO_MEMORY. */
brant_status brant__keyring_read(brant__keyring **out, brant_db *db, brant__text json);
/* A ring of zeros that can be written, with room behind it: `size` bytes in all. NULL: no memory. */
brant__keyring *brant__keyring_alloc(size_t size);
/* Make it read-only. IO. */
brant_status brant__keyring_fix(brant__keyring *ring);
void brant__keyring_free(brant__keyring *ring);

/* NOT_FOUND: no ring, or no key of this version that may open. */
brant_status brant__keyring_find(const brant__key **out, const brant_db *db, int purpose,
                                 int64_t version);
/* NOT_FOUND: no ring, or no active key of this purpose. */
brant_status brant__keyring_find_active(const brant__key **out, const brant_db *db, int purpose);
/*
 * The key's bytes, borrowed from the ring or put into `room`, which the caller wipes. `kdf` NULL: those of its own; else those that its password gives with it.
 */
brant_status brant__keyring_bytes(const uint8_t **out, uint8_t room[BRANT__KEY_SIZE], brant_db *db,
                                  const brant__key *key, const brant__kdf *kdf);
/* brant__envelope_affordable, of an envelope with this kdf. */
brant_status brant__keyring_afford(brant_db *db, const brant__key *key, const brant__kdf *kdf);

/* ---- envelopes ---------------------------------------------------------------------------------- */

/* AUTH with the one message that there is. */
brant_status brant__envelope_fail(void);
/* The same unless this is JSON; NO_MEMORY. */
brant_status brant__prove_json(brant__text text);

/* Looks like an older envelope, and opening one (legacy.c). */
bool brant__legacy_like(yyjson_val *value);
brant_status brant__legacy_open(brant__buffer *out, int64_t *out_version, brant_db *db,
                                yyjson_val *value);

#endif
