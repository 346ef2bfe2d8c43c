/*
 * identity/token.c: making and reading tokens.
 */
#include "identity/token.h"

static const char digits[] = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz";
static const char prefix[] = "brant_";

#define PREFIX        (sizeof prefix - 1)
#define KID_BYTES     12 /* less one bit: 2^95 < 62^16 */
#define SECRET_BYTES  32 /* 2^256 < 62^43 */
#define SHORTEST_TYPE 1
#define BEHIND_TYPE   (1 + BRANT__TOKEN_KID + 1 + BRANT__TOKEN_SECRET + BRANT__TOKEN_CRC)

/* Without a table: nothing is looked up by what the secret is. */
uint32_t brant__crc32(brant__text bytes) {
    uint32_t crc = UINT32_MAX;
    for (size_t i = 0; i < bytes.length; i++) {
        crc ^= (uint8_t)bytes.data[i];
        for (int bit = 0; bit < 8; bit++)
            crc = (crc >> 1) ^ (UINT32_C(0xEDB88320) & (0 - (crc & 1)));
    }
    return ~crc;
}

/* `count` digits of a number, whose bytes, the most significant first, are zeros afterwards. */
static void write_number(char *out, size_t count, uint8_t *number, size_t size) {
    for (size_t at = count; at > 0; at--) {
        unsigned rest = 0;
        for (size_t i = 0; i < size; i++) {
            const unsigned part = rest << 8 | number[i];
            number[i] = (uint8_t)(part / 62);
            rest = part % 62;
        }
        out[at - 1] = digits[rest];
    }
}

static void write_crc(char out[BRANT__TOKEN_CRC], brant__text before) {
    const uint32_t crc = brant__crc32(before);
    uint8_t bytes[4] = {(uint8_t)(crc >> 24), (uint8_t)(crc >> 16), (uint8_t)(crc >> 8),
                        (uint8_t)crc};
    write_number(out, BRANT__TOKEN_CRC, bytes, sizeof bytes);
}

bool brant__token_type_valid(brant__text type) {
    if (type.length < SHORTEST_TYPE || type.length > BRANT__TOKEN_TYPE) return false;
    for (size_t i = 0; i < type.length; i++)
        if (type.data[i] < 'a' || type.data[i] > 'z') return false;
    return true;
}

brant_status brant__token_make(brant__token *out, brant_db *db, brant__text type) {
    uint8_t random[KID_BYTES + SECRET_BYTES];
    char *at = out->text;
    *out = (brant__token){0};
    brant__db_secret(db);
    const brant_status status = brant__db_random(db, random, sizeof random);
    if (status != BRANT_OK) return status;
    random[0] &= 0x7F;
    memcpy(at, prefix, PREFIX);
    at += PREFIX;
    memcpy(at, type.data, type.length);
    at += type.length;
    *at++ = '_';
    out->kid = (size_t)(at - out->text);
    write_number(at, BRANT__TOKEN_KID, random, KID_BYTES);
    at += BRANT__TOKEN_KID;
    *at++ = '_';
    write_number(at, BRANT__TOKEN_SECRET, random + KID_BYTES, SECRET_BYTES);
    at += BRANT__TOKEN_SECRET;
    write_crc(at, brant__text_of(out->text, (size_t)(at - out->text)));
    out->length = (size_t)(at - out->text) + BRANT__TOKEN_CRC;
    return BRANT_OK;
}

static bool is_base62(const char *text, size_t length) {
    for (size_t i = 0; i < length; i++)
        if (!(text[i] >= '0' && text[i] <= '9') && !(text[i] >= 'A' && text[i] <= 'Z') &&
            !(text[i] >= 'a' && text[i] <= 'z'))
            return false;
    return true;
}

bool brant__token_read(brant__text *out_type, brant__text *out_kid, brant__text token) {
    char crc[BRANT__TOKEN_CRC];
    *out_type = *out_kid = (brant__text){NULL, 0};
    if (token.length < PREFIX + SHORTEST_TYPE + BEHIND_TYPE || token.length > BRANT__TOKEN_SIZE ||
        memcmp(token.data, prefix, PREFIX) != 0)
        return false;
    const brant__text type =
        brant__text_of(token.data + PREFIX, token.length - PREFIX - BEHIND_TYPE);
    const char *kid = type.data + type.length + 1, *secret = kid + BRANT__TOKEN_KID + 1;
    if (!brant__token_type_valid(type) || kid[-1] != '_' || secret[-1] != '_' ||
        !is_base62(kid, BRANT__TOKEN_KID) ||
        !is_base62(secret, BRANT__TOKEN_SECRET + BRANT__TOKEN_CRC))
        return false;
    const size_t before = token.length - BRANT__TOKEN_CRC;
    write_crc(crc, brant__text_of(token.data, before));
    /* No secret: whoever has a token can compute it. */
    if (memcmp(crc, token.data + before, BRANT__TOKEN_CRC) != 0) return false;
    *out_type = type;
    *out_kid = brant__text_of(kid, BRANT__TOKEN_KID);
    return true;
}

brant_status brant__token_hash(uint8_t out[BRANT__HASH_SIZE], brant_db *db, int64_t *version,
                               brant__text token) {
    const brant__text parts[] = {BRANT__TEXT("brant token 1"), token};
    return brant__keyed_hash(out, db, BRANT__PURPOSE_PEPPER, version, parts, BRANT__COUNT(parts));
}

/* ---- whose token it is ------------------------------------------------------------------------------------------------------ */

typedef struct stored_hash {
    uint8_t hash[BRANT__HASH_SIZE];
    int64_t version; /* 0: whichever is active */
} stored_hash;

static brant_status read_candidate(int64_t *out_found, int64_t *out_candidate, brant_db *db,
                                   const brant__statements *statements, size_t find,
                                   brant__text kid) {
    brant__statement *statement = NULL;
    bool row = false;
    brant_status status;
    *out_found = *out_candidate = 0;
    BRANT__TRY(brant__statement_get(&statement, db, statements, find));
    brant__bind_text(statement, 1, kid);
    BRANT__TRY(brant__step(&row, db, statement));
    if (row) {
        *out_found = brant__column_integer(statement, 0); /* NULL is 0 */
        *out_candidate = brant__column_integer(statement, 1);
        if (*out_found) *out_candidate = *out_found;
    }
cleanup:
    brant__reset(statement);
    return status;
}

static brant_status read_stored(stored_hash *out, brant_db *db, const brant__statements *statements,
                                size_t stored, int64_t row_id) {
    brant__statement *statement = NULL;
    bool row = false, bytes = false;
    brant_status status;
    *out = (stored_hash){.version = 0};
    BRANT__TRY(brant__statement_get(&statement, db, statements, stored));
    brant__bind_integer(statement, 1, row_id);
    BRANT__TRY(brant__step(&row, db, statement));
    if (!row) goto cleanup;
    const brant__text hash = brant__column_payload(&bytes, statement, 0);
    if (hash.length == BRANT__HASH_SIZE) memcpy(out->hash, hash.data, hash.length);
    out->version = brant__column_integer(statement, 1);
cleanup:
    brant__reset(statement);
    return status;
}

brant_status brant__token_find(int64_t *out_row_id, brant_db *db,
                               const brant__statements *statements, size_t find, size_t stored,
                               brant__text kid, brant__text token) {
    uint8_t computed[BRANT__HASH_SIZE];
    int64_t found = 0, candidate = 0;
    stored_hash of;
    bool usable = true;
    brant_status status;
    *out_row_id = 0;
    BRANT__TRY(read_candidate(&found, &candidate, db, statements, find, kid));
    BRANT__TRY(read_stored(&of, db, statements, stored, candidate));
    status = brant__token_hash(computed, db, &of.version, token);
    if (status == BRANT_NOT_FOUND && of.version != 0) {
        /* A pepper that is gone takes its tokens with it, and says no more about them than that they are not valid. */
        (void)brant__error_code();
        usable = false;
        of.version = 0;
        status = brant__token_hash(computed, db, &of.version, token);
    }
    if (status != BRANT_OK) goto cleanup;
    const bool equal = brant__bytes_equal(computed, of.hash, sizeof computed);
    if (equal && usable && found != 0) *out_row_id = found;
cleanup:
    return status;
}
