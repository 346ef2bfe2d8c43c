/*
 * crypto/crypto.h: the key ring of a handle and envelopes, as the modules above use them. brant/crypto.h says what they are.
 *
 * Everything here runs inside the handle. No type of libsodium's is seen.
 */
#ifndef BRANT__CRYPTO_H
#define BRANT__CRYPTO_H

#include "brant/crypto.h"
#include "store/store.h"

/* What stands in exports, logs and events instead of an encrypted value. */
#define BRANT__REDACTED "{\"$redacted\":true}"

/* Where an envelope belongs: it opens nowhere else. */
typedef struct brant__context {
    brant__text tenant_id; /* brant__file_id in a file of role "single" */
    brant__text graph_id;
    brant__text kind; /* "node" or "edge" */
    brant__text key;  /* as users see it */
    brant__text path; /* JSON pointer within the attributes: "/value" */
} brant__context;

/* NOT_FOUND unless there is a ring with an active key of purpose attribute. */
brant_status brant__keyring_ready(brant_db *db);
/*
 * The same in a write transaction in which something is sealed with it: the file remembers by a check value which key each version stands for (brant_meta, "key:attribute:7"), from the
 * first value that is sealed on. CONFLICT: this is another one, whose values nobody could tell from those of the other. Keys of passwords are not checked: their envelopes say how they were made.
 */
brant_status brant__keyring_claim(brant_db *db);
/* As brant_keyring_copy, inside both handles. NO_MEMORY: `db` keeps what it has. */
brant_status brant__keyring_share(brant_db *db, const brant_db *from);
/* Derive the keys of all passwords of the ring now. */
brant_status brant__keyring_derive_all(brant_db *db);
/* Another number whenever the handle was given another ring, or none. */
uint64_t brant__keyring_changes(const brant_db *db);
/* The version of that key; 0: none. */
int64_t brant__keyring_active(const brant_db *db);
/* "active".. of a key of purpose attribute; NULL: the ring has none of this version, or there is no ring. */
const char *brant__keyring_state(const brant_db *db, int64_t version);

/* The file's own id, borrowed until it is asked for in another transaction: a restore by any handle changes it. */
brant_status brant__file_id(brant__text *out, brant_db *db);

/*
 * Seal a JSON text with the active key: appends the envelope's compact JSON. NOT_FOUND: no ring, no active key; the code of brant__db_random; NO_MEMORY, also when a
 * password has to be derived and there is no room for it. On failure `out` is as it was.
 */
brant_status brant__envelope_seal(brant__buffer *out, brant_db *db, const brant__context *context,
                                  brant__text json);

/*
 * Open one: appends the JSON text of the value, proven to be JSON and without padding, which the caller frees or wipes (brant__buffer_wipe). Statuses as brant/crypto.h has them for
 * envelopes.open, without its older envelopes. *out_version may be NULL. On failure nothing of the value is left in `out`.
 */
brant_status brant__envelope_open(brant__buffer *out, int64_t *out_version, brant_db *db,
                                  const brant__context *context, yyjson_val *envelope);

/*
 * May somebody who only gives it cause the work of opening it? LIMIT: its key would have to be derived with more passes or memory than the ring's own of that version, or this
 * call has seen as many keys by other salts as are kept. OK also for what does not open: brant__envelope_open tells why.
 */
brant_status brant__envelope_affordable(brant_db *db, yyjson_val *envelope);

/* Sealing or opening failed because of the envelope or the ring, and not because something broke: AUTH, NOT_FOUND, UNSUPPORTED, LIMIT. */
bool brant__envelope_refused(brant_status status);

/* The key version of what has the shape of an envelope, else 0. Opens nothing. */
int64_t brant__envelope_key_version(yyjson_val *value);

/* ---- hashes (hash.c) ---------------------------------------------------------------------------- */

/* What a key of the ring is for. It is used for nothing else. */
enum {
    BRANT__PURPOSE_ATTRIBUTE,
    BRANT__PURPOSE_PEPPER,
    BRANT__PURPOSE_AUDIT,
    BRANT__PURPOSE_COUNT
};

#define BRANT__HASH_SIZE 32

/*
 * BLAKE2b-256 of the parts, keyed with the ring's key of this purpose and version; *version 0: the active one, and then it says which that is. Each part counts with its length in 8
 * bytes, least significant first, before it, and {NULL, 0} with 8 bytes of 255 alone: so no two lists of parts give the same message, and NULL is not "". The first part is a label that
 * says what is hashed ("brant audit 1"). NOT_FOUND: no ring, no active key, none of this version or one that is disabled or destroyed; what deriving a key from a password fails
 * with (brant__keyring_bytes: INTERRUPTED, NO_MEMORY ..). On failure `out` holds zeros and *version what it was.
 */
brant_status brant__keyed_hash(uint8_t out[BRANT__HASH_SIZE], brant_db *db, int purpose,
                               int64_t *version, const brant__text *parts, size_t count);
/* The version of the active key. NOT_FOUND: there is none, or no ring. */
brant_status brant__key_active(int64_t *out_version, const brant_db *db, int purpose);
/* The same without a key: for salted hashes that others are to prove. */
void brant__plain_hash(uint8_t out[BRANT__HASH_SIZE], const brant__text *parts, size_t count);
void brant__sha256(uint8_t out[BRANT__HASH_SIZE], brant__text message);
/* In time that depends on the length alone. */
bool brant__bytes_equal(const void *a, const void *b, size_t length);

/* ---- operations (operation.c) --------------------------------------------------------------------- */

brant_status brant__keyring_info(brant__call *call);
brant_status brant__keyring_generate(brant__call *call);
brant_status brant__keyring_derive(brant__call *call);
brant_status brant__envelopes_seal(brant__call *call);
brant_status brant__envelopes_open(brant__call *call);
brant_status brant__envelopes_rewrap(brant__call *call);

#endif
