/*
 * crypto/keyring_read.c: a key ring out of its JSON text. What is refused is named by its place, never by what stands there.
 */
#include <sodium.h>

#include "crypto/internal.h"

/* Several hundred keys. */
#define TEXT_BYTES ((size_t)64 << 10)

const char *const brant__purpose_names[] = {"attribute", "pepper", "audit"};
const char *const brant__purpose_algorithms[] = {"xc20p-b2", "b2", "b2"};
const char *const brant__key_state_names[] = {"active", "decrypt_only", "disabled", "destroyed"};

typedef struct reading {
    brant__keyring *ring;
    char *passwords; /* room for the next one */
    brant_db *db;
} reading;

#define WHERE_SIZE 64

/* `what` goes on with the pointer, or stands behind it. */
static brant_status refuse(const char *where, const char *what) {
    return brant__fail(BRANT_INVALID, "key ring: %s%s%s", where, what[0] == '/' ? "" : " ", what);
}

/* A member's name that can be no key or password that went astray. */
static bool may_be_named(brant__text name) {
    if (name.length > 16) return false;
    for (size_t i = 0; i < name.length; i++)
        if (!((name.data[i] >= 'a' && name.data[i] <= 'z') || name.data[i] == '_')) return false;
    return true;
}

/* An object with no other members than these. */
static brant_status check_members(yyjson_val *object, const char *where, const char *const *names,
                                  size_t count) {
    yyjson_val *name = NULL;
    yyjson_obj_iter members;
    if (!yyjson_is_obj(object)) return refuse(where, "must be an object");
    yyjson_obj_iter_init(object, &members);
    while ((name = yyjson_obj_iter_next(&members))) {
        size_t i = 0;
        while (i < count && !yyjson_equals_str(name, names[i]))
            i++;
        if (i < count) continue;
        const brant__text text = brant__json_text(name);
        if (!may_be_named(text)) return refuse(where, "has an unknown member");
        return brant__fail(BRANT_INVALID, "key ring: %s has an unknown member \"%.*s\"", where,
                           (int)text.length, text.data);
    }
    return BRANT_OK;
}

/* A member that may be missing: then *out stays. */
static brant_status read_integer(int64_t *out, yyjson_val *object, const char *where,
                                 const char *name, int64_t low, int64_t high) {
    yyjson_val *value = brant__json_get(object, name);
    if (!value) return BRANT_OK;
    const int64_t number = yyjson_is_int(value) ? brant__json_integer(value, -1) : -1;
    if (number < low || number > high)
        return brant__fail(BRANT_INVALID, "key ring: %s/%s must be an integer from %lld to %lld",
                           where, name, (long long)low, (long long)high);
    *out = number;
    return BRANT_OK;
}

static brant_status read_choice(int *out, yyjson_val *object, const char *where, const char *name,
                                const char *const *choices, int count) {
    yyjson_val *value = brant__json_get(object, name);
    if (!value) return BRANT_OK;
    for (int i = 0; i < count; i++)
        if (yyjson_equals_str(value, choices[i])) {
            *out = i;
            return BRANT_OK;
        }
    return brant__fail(BRANT_INVALID, "key ring: %s/%s is none of its choices", where, name);
}

static brant_status read_password(brant__text *out, reading *self, yyjson_val *value,
                                  const char *where) {
    const brant__text text = brant__json_text(value);
    if (text.length < 1 || text.length > BRANT__PASSWORD_MOST)
        return brant__fail(BRANT_INVALID, "key ring: %s/password must be a text of 1 to %d bytes",
                           where, BRANT__PASSWORD_MOST);
    memcpy(self->passwords, text.data, text.length);
    *out = brant__text_of(self->passwords, text.length);
    self->passwords += text.length;
    return BRANT_OK;
}

static brant_status read_kdf(brant__key *key, reading *self, yyjson_val *value, const char *where) {
    char there[WHERE_SIZE];
    if (value && !brant__kdf_read(&key->kdf, value))
        return refuse(where, "/kdf must be {\"alg\": \"" BRANT__KDF_ALGORITHM
                             "\", \"s\": 16 bytes in base64url, \"t\", \"m\"}");
    if (!value) {
        const brant_status status = brant__db_random(self->db, key->kdf.salt, sizeof key->kdf.salt);
        if (status != BRANT_OK) return status;
        key->kdf.passes = BRANT__KDF_PASSES;
        key->kdf.memory = BRANT__KDF_MEMORY;
    }
    key->from_kdf = true;
    snprintf(there, sizeof there, "key ring: %s/kdf", where);
    return brant__kdf_check(&key->kdf, &self->ring->bounds, there);
}

/* What the key is made of: bytes, a password, or nothing. */
static brant_status read_material(brant__key *key, reading *self, yyjson_val *entry,
                                  const char *where) {
    yyjson_val *bytes = brant__json_get(entry, "key"),
               *password = brant__json_get(entry, "password"), *kdf = brant__json_get(entry, "kdf");
    if (key->state == BRANT__KEY_DESTROYED)
        return bytes || password || kdf ? refuse(where, "is destroyed and must hold no key")
                                        : BRANT_OK;
    if (!bytes == !password) return refuse(where, "must have either \"key\" or \"password\"");
    if (password) {
        if (!kdf && key->purpose != BRANT__PURPOSE_ATTRIBUTE)
            return refuse(where, "must have \"kdf\": nothing else keeps the salt of its password");
        const brant_status status = read_password(&key->password, self, password, where);
        return status == BRANT_OK ? read_kdf(key, self, kdf, where) : status;
    }
    if (!brant__base64url_read(key->bytes, sizeof key->bytes, brant__json_text(bytes)))
        return refuse(where, "/key must be 32 bytes in base64url without padding");
    if (sodium_is_zero(key->bytes, sizeof key->bytes))
        return refuse(where, "/key must not be zeros");
    key->known = true;
    return kdf ? read_kdf(key, self, kdf, where) : BRANT_OK;
}

/* Against those that stand before it. */
static brant_status check_unique(const brant__keyring *ring, const brant__key *key,
                                 const char *where) {
    for (const brant__key *other = ring->keys; other < key; other++) {
        if (other->purpose == key->purpose && other->version == key->version)
            return refuse(where, "/version stands twice among the keys of its purpose");
        if (other->purpose == key->purpose && other->state == BRANT__KEY_ACTIVE &&
            key->state == BRANT__KEY_ACTIVE)
            return refuse(where, "/state makes a second active key of its purpose");
        if (other->known && key->known &&
            sodium_memcmp(other->bytes, key->bytes, sizeof key->bytes) == 0)
            return refuse(where, "/key stands twice in the ring");
    }
    return BRANT_OK;
}

static brant_status read_key(brant__key *key, reading *self, yyjson_val *entry, const char *where) {
    static const char *const members[] = {"purpose", "version",  "state", "algorithm",
                                          "key",     "password", "kdf"};
    brant_status status = check_members(entry, where, members, BRANT__COUNT(members));
    if (status != BRANT_OK) return status;
    BRANT__TRY(read_choice(&key->purpose, entry, where, "purpose", brant__purpose_names,
                           BRANT__PURPOSE_COUNT));
    BRANT__TRY(read_choice(&key->state, entry, where, "state", brant__key_state_names,
                           BRANT__KEY_STATE_COUNT));
    BRANT__TRY(read_integer(&key->version, entry, where, "version", 1, BRANT__NUMBER_LIMIT));
    if (key->version == 0) return refuse(where, "must have \"version\"");
    yyjson_val *algorithm = brant__json_get(entry, "algorithm");
    if (algorithm && !yyjson_equals_str(algorithm, brant__purpose_algorithms[key->purpose]))
        return brant__fail(
            BRANT_UNSUPPORTED, "key ring: %s/algorithm must be \"%s\" with keys for %s", where,
            brant__purpose_algorithms[key->purpose], brant__purpose_names[key->purpose]);
    BRANT__TRY(read_material(key, self, entry, where));
    BRANT__TRY(check_unique(self->ring, key, where));
    if (key->purpose == BRANT__PURPOSE_ATTRIBUTE && key->state == BRANT__KEY_ACTIVE)
        self->ring->active = key;
cleanup:
    return status;
}

/* {"t", "m"}, both of which may be missing. */
static brant_status read_bound(int64_t *passes, int64_t *memory, yyjson_val *object,
                               const char *where) {
    static const char *const members[] = {"t", "m"};
    if (!object) return BRANT_OK;
    brant_status status = check_members(object, where, members, BRANT__COUNT(members));
    if (status == BRANT_OK)
        status = read_integer(passes, object, where, "t", 1, crypto_pwhash_argon2id_OPSLIMIT_MAX);
    if (status == BRANT_OK)
        status =
            read_integer(memory, object, where, "m", (int64_t)crypto_pwhash_argon2id_MEMLIMIT_MIN,
                         (int64_t)crypto_pwhash_argon2id_MEMLIMIT_MAX);
    return status;
}

static brant_status read_bounds(brant__kdf_bounds *bounds, yyjson_val *object) {
    static const char *const members[] = {"least", "most"};
    *bounds = brant__kdf_bounds_default;
    if (!object) return BRANT_OK;
    brant_status status = check_members(object, "/kdf", members, BRANT__COUNT(members));
    if (status == BRANT_OK)
        status = read_bound(&bounds->least_passes, &bounds->least_memory,
                            brant__json_get(object, "least"), "/kdf/least");
    if (status == BRANT_OK)
        status = read_bound(&bounds->most_passes, &bounds->most_memory,
                            brant__json_get(object, "most"), "/kdf/most");
    if (status == BRANT_OK &&
        (bounds->least_passes > bounds->most_passes || bounds->least_memory > bounds->most_memory))
        status = refuse("/kdf", "asks for more at least than it allows at most");
    return status;
}

static brant_status read_legacy(reading *self, yyjson_val *object) {
    static const char *const members[] = {"iterations", "plaintext", "keys"};
    static const char *const plaintexts[] = {"json", "text"};
    static const char *const key_members[] = {"version", "password"};
    brant__keyring *ring = self->ring;
    if (!object) return BRANT_OK;
    brant_status status = check_members(object, "/legacy", members, BRANT__COUNT(members));
    if (status != BRANT_OK) return status;
    BRANT__TRY(read_integer(&ring->iterations, object, "/legacy", "iterations", 1000, 10000000));
    if (ring->iterations == 0) return refuse("/legacy", "must have \"iterations\"");
    int plaintext = 0;
    BRANT__TRY(read_choice(&plaintext, object, "/legacy", "plaintext", plaintexts,
                           BRANT__COUNT(plaintexts)));
    ring->legacy_text = plaintext == 1;
    yyjson_val *keys = brant__json_get(object, "keys");
    if (yyjson_arr_size(keys) == 0) return refuse("/legacy/keys", "must be an array of keys");
    for (size_t i = 0; i < ring->legacy_count; i++) {
        brant__legacy_key *key = &ring->legacy_keys[i];
        yyjson_val *entry = yyjson_arr_get(keys, i);
        char where[WHERE_SIZE];
        snprintf(where, sizeof where, "/legacy/keys/%zu", i);
        BRANT__TRY(check_members(entry, where, key_members, BRANT__COUNT(key_members)));
        BRANT__TRY(read_integer(&key->version, entry, where, "version", 1, BRANT__NUMBER_LIMIT));
        if (key->version == 0) return refuse(where, "must have \"version\"");
        for (size_t other = 0; other < i; other++)
            if (ring->legacy_keys[other].version == key->version)
                return refuse(where, "/version stands twice");
        BRANT__TRY(read_password(&key->password, self, brant__json_get(entry, "password"), where));
    }
    ring->legacy = true;
cleanup:
    return status;
}

static size_t password_bytes(yyjson_val *entries) {
    size_t i, count, sum = 0;
    yyjson_val *entry;
    yyjson_arr_foreach(entries, i, count, entry) sum +=
        brant__json_get_text(entry, "password").length;
    return sum;
}

/* Guarded memory for all that the ring will hold, behind each other: itself, keys, older keys, passwords. */
static brant_status make_room(reading *self, yyjson_val *root) {
    yyjson_val *keys = brant__json_get(root, "keys"),
               *legacy = brant__json_get(brant__json_get(root, "legacy"), "keys");
    const size_t key_count = yyjson_arr_size(keys), legacy_count = yyjson_arr_size(legacy);
    const size_t keys_at = sizeof(brant__keyring);
    const size_t legacy_at = keys_at + key_count * sizeof(brant__key);
    const size_t passwords_at = legacy_at + legacy_count * sizeof(brant__legacy_key);
    const size_t size = passwords_at + password_bytes(keys) + password_bytes(legacy);
    self->ring = brant__keyring_alloc(size);
    if (!self->ring) return brant__fail_memory();
    char *memory = (char *)self->ring;
    self->ring->keys = (void *)(memory + keys_at);
    self->ring->key_count = key_count;
    self->ring->legacy_keys = (void *)(memory + legacy_at);
    self->ring->legacy_count = legacy_count;
    self->passwords = memory + passwords_at;
    return BRANT_OK;
}

static brant_status read_ring(reading *self, yyjson_val *root) {
    static const char *const members[] = {"keys", "padding", "kdf", "legacy"};
    brant_status status = check_members(root, "the text", members, BRANT__COUNT(members));
    if (status != BRANT_OK) return status;
    yyjson_val *keys = brant__json_get(root, "keys"), *padding = brant__json_get(root, "padding");
    if (!yyjson_is_arr(keys)) return refuse("/keys", "must be an array");
    BRANT__TRY(make_room(self, root));
    BRANT__TRY(read_integer(&self->ring->padding, root, "", "padding", 0, 4096));
    if (padding && self->ring->padding == 1)
        return refuse("/padding", "must be 0 or an integer from 2 to 4096");
    BRANT__TRY(read_bounds(&self->ring->bounds, brant__json_get(root, "kdf")));
    for (size_t i = 0; i < self->ring->key_count; i++) {
        char where[WHERE_SIZE];
        snprintf(where, sizeof where, "/keys/%zu", i);
        BRANT__TRY(read_key(&self->ring->keys[i], self, yyjson_arr_get(keys, i), where));
    }
    BRANT__TRY(read_legacy(self, brant__json_get(root, "legacy")));
cleanup:
    return status;
}

brant_status brant__keyring_read(brant__keyring **out, brant_db *db, brant__text json) {
    brant__json parsed = {0};
    reading self = {.db = db};
    *out = NULL;
    if (!json.data) return brant__fail(BRANT_INVALID, "key ring: the text is NULL");
    if (json.length > TEXT_BYTES)
        return brant__fail(BRANT_LIMIT, "key ring: the text has %zu bytes, the limit is %zu",
                           json.length, TEXT_BYTES);
    brant_status status = brant__sodium_ready();
    if (status != BRANT_OK) return status;
    status = brant__json_parse(&parsed, json.data, json.length, 8);
    if (status == BRANT_INVALID_JSON && !memchr(json.data, '{', json.length)) {
        (void)brant__error_code();
        status = brant__fail(BRANT_INVALID_JSON, "key ring: the text is no JSON; where it is the "
                                                 "name of a file, give what the file has");
    }
    if (status != BRANT_OK) goto cleanup;
    BRANT__TRY(read_ring(&self, parsed.root));
    BRANT__TRY(brant__keyring_fix(self.ring));
    *out = self.ring;
    self.ring = NULL;
cleanup:
    brant__keyring_free(self.ring);
    brant__json_free(&parsed); /* which wipes */
    return status;
}
