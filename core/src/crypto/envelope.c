/*
 * crypto/envelope.c: envelopes of version 2, as brant/crypto.h defines them.
 *
 * Whoever writes an envelope may be hostile: it opens only as it was made, for the place that it was made for, and under one key: the commitment, a keyed hash of
 * everything that is known before decrypting, is compared first. All that fails to authenticate gives one answer.
 */
#include <sodium.h>

#include "crypto/internal.h"

#define ALGORITHM   "xc20p-b2"
#define LABEL       "brant envelope 2"
#define COMMIT_SIZE 32

/* An envelope's members; `sealed` is the text of ct. */
typedef struct members {
    brant__text algorithm;
    int64_t version;
    uint8_t nonce[BRANT__NONCE_SIZE];
    uint8_t commit[COMMIT_SIZE];
    brant__text sealed;
    bool has_kdf;
    brant__kdf kdf;
} members;

brant_status brant__envelope_fail(void) {
    return brant__fail(BRANT_AUTH, "the envelope does not open");
}

bool brant__envelope_refused(brant_status status) {
    return status == BRANT_AUTH || status == BRANT_NOT_FOUND || status == BRANT_UNSUPPORTED ||
           status == BRANT_LIMIT;
}

/* ---- its shape ---------------------------------------------------------------------------------- */

/* All but the digits of ct. Names stand once in parsed JSON, so that the right count and all names found leave no other. */
static bool read_shape(members *out, yyjson_val *value) {
    yyjson_val *kdf = brant__json_get(value, "kdf"), *format = brant__json_get(value, "$enc");
    *out = (members){.has_kdf = kdf != NULL};
    if (!yyjson_is_obj(value) || yyjson_obj_size(value) != (kdf ? 7U : 6U)) return false;
    if (!yyjson_is_uint(format) || yyjson_get_uint(format) != 2) return false;
    if (!brant__number_read(&out->version, brant__json_get(value, "kv"))) return false;
    out->algorithm = brant__json_get_text(value, "alg");
    out->sealed = brant__json_get_text(value, "ct");
    return out->algorithm.data && out->sealed.data &&
           out->sealed.length >= (BRANT__TAG_SIZE + 1) * 4 / 3 + 1 && out->sealed.length % 4 != 1 &&
           brant__base64url_read(out->nonce, sizeof out->nonce, brant__json_get_text(value, "n")) &&
           brant__base64url_read(out->commit, sizeof out->commit,
                                 brant__json_get_text(value, "c")) &&
           (!kdf || brant__kdf_read(&out->kdf, kdf));
}

int64_t brant__envelope_key_version(yyjson_val *value) {
    members shape;
    return read_shape(&shape, value) ? shape.version : 0;
}

static void write_text(brant__buffer *out, const char *name, const void *bytes, size_t length) {
    brant__buffer_append(out, ",\"", 2);
    brant__buffer_append(out, name, strlen(name));
    brant__buffer_append(out, "\":\"", 3);
    brant__base64url_encode(out, bytes, length);
    brant__buffer_append_byte(out, '"');
}

static void write_envelope(brant__buffer *out, const members *self, const uint8_t *sealed,
                           size_t length) {
    brant__buffer_reserve(out, length / 3 * 4 + 320);
    brant__buffer_format(out, "{\"$enc\":2,\"alg\":\"" ALGORITHM "\",\"kv\":%lld",
                         (long long)self->version);
    write_text(out, "n", self->nonce, BRANT__NONCE_SIZE);
    write_text(out, "c", self->commit, COMMIT_SIZE);
    write_text(out, "ct", sealed, length);
    if (self->has_kdf) {
        brant__writer writer = {.buffer = *out};
        brant__buffer_append(&writer.buffer, ",\"kdf\":", 7);
        brant__kdf_write(&writer, &self->kdf);
        *out = writer.buffer;
    }
    brant__buffer_append_byte(out, '}');
}

/* ---- the message -------------------------------------------------------------------------------- */

#define SMALL_MESSAGE 1024

/* What the keys of an envelope are made from; the context's bytes are the associated data, too. */
typedef struct bound {
    uint8_t *bytes;
    size_t length;
    size_t context_at, context_length;
    uint8_t small[SMALL_MESSAGE];
} bound;

static void put_number(bound *self, uint64_t number) {
    for (int i = 0; i < 8; i++)
        self->bytes[self->length++] = (uint8_t)(number >> 8 * i);
}

static void put_field(bound *self, const void *bytes, size_t length) {
    put_number(self, length);
    if (length) memcpy(self->bytes + self->length, bytes, length);
    self->length += length;
}

static void put_text(bound *self, brant__text text) {
    put_field(self, text.data, text.length);
}

static void put_number_field(bound *self, int64_t number) {
    put_number(self, 8);
    put_number(self, (uint64_t)number);
}

static void put_kdf(bound *self, const members *envelope) {
    const brant__text algorithm = BRANT__TEXT(BRANT__KDF_ALGORITHM);
    if (!envelope->has_kdf) {
        put_number(self, 0);
        return;
    }
    put_number(self, algorithm.length + (size_t)4 * 8 + BRANT__SALT_SIZE + 8 + 8);
    put_text(self, algorithm);
    put_field(self, envelope->kdf.salt, BRANT__SALT_SIZE);
    put_number_field(self, envelope->kdf.passes);
    put_number_field(self, envelope->kdf.memory);
}

static bool make_message(bound *self, const members *envelope, const brant__context *context) {
    self->context_length = (size_t)5 * 8 + context->tenant_id.length + context->graph_id.length +
                           context->kind.length + context->key.length + context->path.length;
    self->length = 0;
    self->bytes = self->small;
    if (self->context_length > SMALL_MESSAGE - 320)
        self->bytes = brant__alloc(self->context_length + 320);
    if (!self->bytes) return false;
    put_text(self, BRANT__TEXT(LABEL));
    put_text(self, BRANT__TEXT(ALGORITHM));
    put_number_field(self, envelope->version);
    put_kdf(self, envelope);
    put_number(self, self->context_length);
    self->context_at = self->length;
    put_text(self, context->tenant_id);
    put_text(self, context->graph_id);
    put_text(self, context->kind);
    put_text(self, context->key);
    put_text(self, context->path);
    put_field(self, envelope->nonce, BRANT__NONCE_SIZE);
    return true;
}

static void drop_message(bound *self) {
    if (self->bytes != self->small) brant__free(self->bytes);
}

/* The key of this one envelope, and the commitment to it. */
typedef struct derived_keys {
    uint8_t encryption[BRANT__KEY_SIZE];
    uint8_t commit[COMMIT_SIZE];
} derived_keys;

static void derive(derived_keys *out, const bound *message, const uint8_t key[BRANT__KEY_SIZE]) {
    crypto_generichash((unsigned char *)out, sizeof *out, message->bytes, message->length, key,
                       BRANT__KEY_SIZE);
}

/* ---- sealing ------------------------------------------------------------------------------------ */

/* Rounded up to what hides the length. */
static size_t padded(size_t length, int64_t padding) {
    const size_t to = (size_t)padding;
    return to ? (length + to - 1) / to * to : length;
}

brant_status brant__envelope_seal(brant__buffer *out, brant_db *db, const brant__context *context,
                                  brant__text json) {
    const size_t before = out->length;
    uint8_t small[512 + BRANT__TAG_SIZE], *sealed = small, room[BRANT__KEY_SIZE];
    const uint8_t *key_bytes = NULL;
    bound message = {.bytes = NULL};
    derived_keys keys;
    brant_status status = brant__keyring_ready(db);
    if (status != BRANT_OK) return status;
    const brant__keyring *ring = brant__keyring_of(db);
    const brant__key *key = ring->active;
    members self = {.version = key->version, .has_kdf = key->from_kdf, .kdf = key->kdf};
    const size_t length = padded(json.length, ring->padding);
    BRANT__TRY(brant__keyring_bytes(&key_bytes, room, db, key, NULL));
    BRANT__TRY(brant__db_random(db, self.nonce, sizeof self.nonce));
    if (length + BRANT__TAG_SIZE > sizeof small) sealed = brant__alloc(length + BRANT__TAG_SIZE);
    if (!sealed || !make_message(&message, &self, context)) {
        status = brant__fail_memory();
        goto cleanup;
    }
    derive(&keys, &message, key_bytes);
    memcpy(self.commit, keys.commit, COMMIT_SIZE);
    memcpy(sealed, json.data, json.length);
    memset(sealed + json.length, ' ', length - json.length);
    brant__xchacha_seal(sealed, length, keys.encryption, self.nonce,
                        message.bytes + message.context_at, message.context_length);
    write_envelope(out, &self, sealed, length + BRANT__TAG_SIZE);
    if (out->failed) status = brant__fail_memory();
cleanup:
    if (status != BRANT_OK) out->length = before;
    sodium_memzero(&keys, sizeof keys);
    sodium_memzero(room, sizeof room);
    if (sealed != small) brant__free(sealed);
    drop_message(&message);
    return status;
}

/* ---- opening ------------------------------------------------------------------------------------ */

/* The key that the envelope says, judged before any work is done for it. */
static brant_status find_key(const brant__key **out, brant_db *db, const members *self) {
    const brant__keyring *ring = brant__keyring_of(db);
    if (!brant__text_equal(self->algorithm, BRANT__TEXT(ALGORITHM)))
        return brant__fail(BRANT_UNSUPPORTED, "the algorithm of the envelope is not known");
    const brant_status status =
        brant__keyring_find(out, db, BRANT__PURPOSE_ATTRIBUTE, self->version);
    if (status != BRANT_OK) return status;
    if ((*out)->from_kdf != self->has_kdf) return brant__envelope_fail();
    if (!self->has_kdf) return BRANT_OK;
    const brant_status bounds = brant__kdf_check(&self->kdf, &ring->bounds, "the envelope");
    if (bounds != BRANT_OK) return bounds;
    /* A key that was derived before it came into the ring is of its own parameters alone. */
    return (*out)->password.data || brant__kdf_equal(&self->kdf, &(*out)->kdf)
               ? BRANT_OK
               : brant__envelope_fail();
}

brant_status brant__envelope_affordable(brant_db *db, yyjson_val *envelope) {
    const brant__key *key = NULL;
    members self;
    if (!read_shape(&self, envelope) || !self.has_kdf) return BRANT_OK;
    if (find_key(&key, db, &self) == BRANT_OK) return brant__keyring_afford(db, key, &self.kdf);
    (void)brant__error_code();
    return BRANT_OK;
}

/* Decrypt the bytes at `sealed` in place and cut off the padding. */
static bool decrypt(size_t *out_length, uint8_t *sealed, size_t length, const members *self,
                    const bound *message, const uint8_t key[BRANT__KEY_SIZE]) {
    derived_keys keys;
    derive(&keys, message, key);
    const bool authentic =
        sodium_memcmp(keys.commit, self->commit, COMMIT_SIZE) == 0 &&
        brant__xchacha_open(sealed, length, keys.encryption, self->nonce,
                            message->bytes + message->context_at, message->context_length);
    sodium_memzero(&keys, sizeof keys);
    length -= BRANT__TAG_SIZE;
    while (authentic && length > 0 && sealed[length - 1] == ' ')
        length--;
    *out_length = length;
    return authentic;
}

brant_status brant__prove_json(brant__text text) {
    brant__json parsed = {0};
    brant_status status = brant__json_parse(&parsed, text.data, text.length, 0);
    brant__json_free(&parsed); /* which wipes */
    if (status == BRANT_OK || status == BRANT_NO_MEMORY) return status;
    (void)brant__error_code();
    return brant__envelope_fail();
}

brant_status brant__envelope_open(brant__buffer *out, int64_t *out_version, brant_db *db,
                                  const brant__context *context, yyjson_val *envelope) {
    const size_t before = out->length;
    uint8_t room[BRANT__KEY_SIZE];
    const uint8_t *key_bytes = NULL;
    const brant__key *key = NULL;
    bound message = {.bytes = NULL};
    members self;
    size_t length = 0;
    brant_status status = BRANT_OK;
    if (out_version) *out_version = 0;
    /* The digits of ct are its shape, too. */
    if (!read_shape(&self, envelope) || !brant__base64url_decode(out, self.sealed)) {
        status = out->failed ? brant__fail_memory() : brant__envelope_fail();
        goto cleanup;
    }
    BRANT__TRY(find_key(&key, db, &self));
    BRANT__TRY(brant__keyring_bytes(&key_bytes, room, db, key, self.has_kdf ? &self.kdf : NULL));
    if (!make_message(&message, &self, context)) {
        status = brant__fail_memory();
        goto cleanup;
    }
    uint8_t *sealed = (uint8_t *)out->data + before;
    if (!decrypt(&length, sealed, out->length - before, &self, &message, key_bytes)) {
        status = brant__envelope_fail();
        goto cleanup;
    }
    status = brant__prove_json(brant__text_of(out->data + before, length));
    if (status != BRANT_OK) sodium_memzero(sealed, out->length - before);
    out->length = before + length;
    if (out_version && status == BRANT_OK) *out_version = self.version;
cleanup:
    if (status != BRANT_OK) out->length = before;
    sodium_memzero(room, sizeof room);
    drop_message(&message);
    return status;
}
