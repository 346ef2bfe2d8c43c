/*
 * identity/token.h: the text of API keys and invitations, and how it is stored.
 *
 *     brant_<type>_<kid>_<secret><crc>
 *
 * type: 1 to 12 of a-z; kid: 16 base62 digits (0-9, A-Z, a-z), of 95 random bits, by which it is found; secret: 43, of 256 random bits; crc: 6, the CRC-32 (IEEE 802.3) of all that stands before
 * it. Numbers are written with the most significant digit first and zeros in front. So who types one wrong, or looks for lost ones, needs no database. No part of the secret is stored, nor of the crc,
 * which tells 32 bits about it: what a file has is kid and brant__token_hash.
 */
#ifndef BRANT__IDENTITY_TOKEN_H
#define BRANT__IDENTITY_TOKEN_H

#include "crypto/crypto.h"
#include "store/store.h"

#define BRANT__TOKEN_TYPE   12
#define BRANT__TOKEN_KID    16
#define BRANT__TOKEN_SECRET 43
#define BRANT__TOKEN_CRC    6
#define BRANT__TOKEN_SIZE                                                                          \
    (6 + BRANT__TOKEN_TYPE + 1 + BRANT__TOKEN_KID + 1 + BRANT__TOKEN_SECRET + BRANT__TOKEN_CRC)

#define BRANT__TOKEN_INVITE BRANT__TEXT("invite") /* the type of invitations, and of no key */

/* A secret: brant__token_wipe. */
typedef struct brant__token {
    size_t length;
    size_t kid; /* where it begins */
    char text[BRANT__TOKEN_SIZE];
} brant__token;

static inline brant__text brant__token_text(const brant__token *token) {
    return brant__text_of(token->text, token->length);
}
static inline brant__text brant__token_kid(const brant__token *token) {
    return brant__text_of(token->text + token->kid, BRANT__TOKEN_KID);
}
static inline void brant__token_wipe(brant__token *token) {
    brant__wipe(token, sizeof *token);
}

/* 1 to 12 of a-z. */
bool brant__token_type_valid(brant__text type);
/* A new one. `type` is valid. Says brant__db_secret. The code of brant__db_random. */
brant_status brant__token_make(brant__token *out, brant_db *db, brant__text type);
/* Shape and checksum. *out_type and *out_kid are borrowed. False: it is none, and both are {NULL, 0}. */
bool brant__token_read(brant__text *out_type, brant__text *out_kid, brant__text token);
/*
 * What is stored: brant__keyed_hash of the label "brant token 1" and the token, with the ring's pepper of *version (0: the active one, and then it says which). NOT_FOUND: no ring, no such pepper.
 */
brant_status brant__token_hash(uint8_t out[BRANT__HASH_SIZE], brant_db *db, int64_t *version,
                               brant__text token);

/*
 * The row of a table, in which tokens are stored so, that a token of this kid is the token of; 0: none. `find` is a statement of :kid that yields one row, the row_id that has the kid
 * or NULL, and the greatest row_id or NULL; `stored` one of :row_id that yields hash and pepper_version. Where no row has the kid, that of the greatest row_id is read in its place, and the
 * token is hashed and compared all the same: so whoever measures does not learn which kids there are. NOT_FOUND: the ring has no pepper to compare with.
 */
brant_status brant__token_find(int64_t *out_row_id, brant_db *db,
                               const brant__statements *statements, size_t find, size_t stored,
                               brant__text kid, brant__text token);

/* For tests of known answers. */
uint32_t brant__crc32(brant__text bytes);

#endif
