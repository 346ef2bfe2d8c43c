/*
 * crypto/operation.c: keyring.info, .generate, .derive and envelopes.seal, .open, .rewrap. What had a secret in its input or answer says so (brant__db_secret).
 */
#include <sodium.h>

#include "crypto/internal.h"

/* Of a pure call there may be no handle, and then nothing is kept. */
static void had_secret(brant__call *call) {
    if (call->db) brant__db_secret(call->db);
}

static brant_status random_bytes(brant__call *call, void *bytes, size_t length) {
    if (call->db) return brant__db_random(call->db, bytes, length);
    return brant__system_random(bytes, length)
               ? BRANT_OK
               : brant__fail(BRANT_IO, "the source of random bytes failed");
}

/* ---- the ring ----------------------------------------------------------------------------------- */

/* Those that hold on this handle, which may be NULL. */
static const brant__kdf_bounds *bounds_of(const brant_db *db) {
    const brant__keyring *ring = db ? brant__keyring_of(db) : NULL;
    return ring ? &ring->bounds : &brant__kdf_bounds_default;
}

/* An object that is left open. */
static void begin_key(brant__writer *out, int purpose, int64_t version, int state) {
    brant__write_object(out);
    brant__write_text_member(out, "purpose", brant__text_string(brant__purpose_names[purpose]));
    brant__write_integer_member(out, "version", version);
    brant__write_text_member(out, "state", brant__text_string(brant__key_state_names[state]));
    brant__write_text_member(out, "algorithm",
                             brant__text_string(brant__purpose_algorithms[purpose]));
}

brant_status brant__keyring_info(brant__call *call) {
    const brant__keyring *ring = brant__keyring_of(call->db);
    brant__write_object(call->out);
    brant__write_name(call->out, "keys");
    brant__write_array(call->out);
    for (size_t i = 0; ring && i < ring->key_count; i++) {
        const brant__key *key = &ring->keys[i];
        begin_key(call->out, key->purpose, key->version, key->state);
        brant__write_name(call->out, "kdf");
        if (key->from_kdf)
            brant__kdf_write(call->out, &key->kdf);
        else
            brant__write_null(call->out);
        brant__write_end(call->out);
    }
    brant__write_end(call->out);
    brant__write_integer_member(call->out, "padding", ring ? ring->padding : 0);
    brant__write_bool_member(call->out, "legacy", ring && ring->legacy);
    brant__write_end(call->out);
    return BRANT_OK;
}

static int purpose_of(yyjson_val *input) {
    const brant__text name = brant__json_get_text(input, "purpose");
    for (int i = 0; name.data && i < BRANT__PURPOSE_COUNT; i++)
        if (brant__text_equal(name, brant__text_string(brant__purpose_names[i]))) return i;
    return BRANT__PURPOSE_ATTRIBUTE;
}

static int64_t version_of(yyjson_val *input) {
    return brant__json_integer(brant__json_get(input, "version"), 1);
}

brant_status brant__keyring_generate(brant__call *call) {
    uint8_t bytes[BRANT__KEY_SIZE];
    had_secret(call);
    const brant_status status = random_bytes(call, bytes, sizeof bytes);
    if (status == BRANT_OK) {
        begin_key(call->out, purpose_of(call->input), version_of(call->input), BRANT__KEY_ACTIVE);
        brant__write_bytes_member(call->out, "key", bytes, sizeof bytes);
        brant__write_end(call->out);
    }
    sodium_memzero(bytes, sizeof bytes);
    return status;
}

static brant_status read_kdf(brant__kdf *out, brant__call *call) {
    yyjson_val *given = brant__json_get(call->input, "kdf"), *salt = brant__json_get(given, "s");
    out->passes = brant__json_integer(brant__json_get(given, "t"), BRANT__KDF_PASSES);
    out->memory = brant__json_integer(brant__json_get(given, "m"), BRANT__KDF_MEMORY);
    const brant_status status = brant__kdf_check(out, bounds_of(call->db), "keyring.derive");
    if (status != BRANT_OK) return status;
    if (!salt) return random_bytes(call, out->salt, sizeof out->salt);
    return brant__base64url_read(out->salt, sizeof out->salt, brant__json_text(salt))
               ? BRANT_OK
               : brant__fail(BRANT_INVALID, "/kdf/s must be 16 bytes in base64url without padding");
}

brant_status brant__keyring_derive(brant__call *call) {
    const brant__text password = brant__json_get_text(call->input, "password");
    brant__kdf kdf = {.passes = 0};
    uint8_t bytes[BRANT__KEY_SIZE];
    had_secret(call);
    if (password.length < 1 || password.length > BRANT__PASSWORD_MOST)
        return brant__fail(BRANT_INVALID, "/password must be a text of 1 to %d bytes",
                           BRANT__PASSWORD_MOST);
    brant_status status = read_kdf(&kdf, call);
    if (status == BRANT_OK) status = brant__kdf_derive(bytes, password, &kdf);
    if (status != BRANT_OK) return status;
    begin_key(call->out, purpose_of(call->input), version_of(call->input), BRANT__KEY_ACTIVE);
    brant__write_bytes_member(call->out, "key", bytes, sizeof bytes);
    brant__write_name(call->out, "kdf");
    brant__kdf_write(call->out, &kdf);
    brant__write_end(call->out);
    sodium_memzero(bytes, sizeof bytes);
    return BRANT_OK;
}

/* ---- envelopes ---------------------------------------------------------------------------------- */

static brant_status read_context(brant__context *out, brant__call *call, yyjson_val *object) {
    *out = (brant__context){.tenant_id = brant__json_get_text(object, "tenant_id"),
                            .graph_id = brant__json_get_text(object, "graph_id"),
                            .kind = brant__json_get_text(object, "kind"),
                            .key = brant__json_get_text(object, "key"),
                            .path = brant__json_get_text(object, "path")};
    return out->tenant_id.data ? BRANT_OK : brant__file_id(&out->tenant_id, call->db);
}

static bool same_context(const brant__context *a, const brant__context *b) {
    return brant__text_equal(a->tenant_id, b->tenant_id) &&
           brant__text_equal(a->graph_id, b->graph_id) && brant__text_equal(a->kind, b->kind) &&
           brant__text_equal(a->key, b->key) && brant__text_equal(a->path, b->path);
}

/* The answer's writer stands before a value. */
static brant_status seal(brant__call *call, const brant__context *context, brant__text json) {
    brant__buffer sealed = {0};
    const brant_status status = brant__envelope_seal(&sealed, call->db, context, json);
    if (status == BRANT_OK) brant__write_raw(call->out, brant__text_of(sealed.data, sealed.length));
    brant__buffer_free(&sealed);
    return status;
}

brant_status brant__envelopes_seal(brant__call *call) {
    brant__buffer json = {0};
    brant__context context;
    had_secret(call);
    brant_status status = read_context(&context, call, brant__json_get(call->input, "context"));
    if (status != BRANT_OK) return status;
    BRANT__TRY(brant__keyring_ready(call->db));
    brant__json_append(&json, brant__json_get(call->input, "value"));
    if (json.failed) {
        status = brant__fail_memory();
        goto cleanup;
    }
    status = seal(call, &context, brant__text_of(json.data, json.length));
cleanup:
    brant__buffer_free(&json);
    return status;
}

static brant_status open_any(brant__buffer *out, int64_t *out_version, bool *out_legacy,
                             brant__call *call, const brant__context *context) {
    yyjson_val *envelope = brant__json_get(call->input, "envelope");
    *out_legacy = brant__legacy_like(envelope);
    return *out_legacy ? brant__legacy_open(out, out_version, call->db, envelope)
                       : brant__envelope_open(out, out_version, call->db, context, envelope);
}

brant_status brant__envelopes_open(brant__call *call) {
    brant__buffer json = {0};
    brant__context context;
    int64_t version = 0;
    bool legacy = false;
    had_secret(call);
    brant_status status = read_context(&context, call, brant__json_get(call->input, "context"));
    if (status != BRANT_OK) return status;
    BRANT__TRY(open_any(&json, &version, &legacy, call, &context));
    brant__write_object(call->out);
    brant__write_name(call->out, "value");
    brant__write_raw(call->out, brant__text_of(json.data, json.length));
    brant__write_integer_member(call->out, "key_version", version);
    brant__write_end(call->out);
cleanup:
    brant__buffer_free(&json);
    return status;
}

/* The active key made it, and with the work that the ring asks for now. */
static bool is_current(const brant_db *db, yyjson_val *envelope, int64_t version) {
    const brant__key *active = brant__keyring_of(db)->active;
    brant__kdf kdf;
    if (active->version != version) return false;
    return !active->from_kdf ||
           (brant__kdf_read(&kdf, brant__json_get(envelope, "kdf")) &&
            kdf.passes == active->kdf.passes && kdf.memory == active->kdf.memory);
}

brant_status brant__envelopes_rewrap(brant__call *call) {
    yyjson_val *envelope = brant__json_get(call->input, "envelope"),
               *to_value = brant__json_get(call->input, "to");
    brant__buffer json = {0};
    brant__context from, to;
    int64_t version = 0;
    bool legacy = false;
    had_secret(call);
    brant_status status = read_context(&from, call, brant__json_get(call->input, "context"));
    if (status != BRANT_OK) return status;
    to = from;
    if (to_value) BRANT__TRY(read_context(&to, call, to_value));
    BRANT__TRY(brant__keyring_ready(call->db));
    BRANT__TRY(open_any(&json, &version, &legacy, call, &from));
    const bool changed =
        legacy || !same_context(&from, &to) || !is_current(call->db, envelope, version);
    brant__write_object(call->out);
    brant__write_name(call->out, "envelope");
    if (changed)
        BRANT__TRY(seal(call, &to, brant__text_of(json.data, json.length)));
    else
        brant__write_value(call->out, envelope);
    brant__write_bool_member(call->out, "changed", changed);
    brant__write_end(call->out);
cleanup:
    brant__buffer_free(&json);
    return status;
}
