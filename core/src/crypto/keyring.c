/*
 * crypto/keyring.c: the key ring of a handle: loading, finding keys, wiping; and the file's id, which envelopes are bound to.
 *
 * The ring is one allocation of libsodium's: guard pages around it, kept out of core dumps and swap as far as the system allows, read-only but for the moment in which a
 * derived key is put into it, and zeros before it is given back.
 */
#include <sodium.h>
#include <stdio.h>
#include <sys/mman.h>
#include <unistd.h>

#include "crypto/internal.h"

typedef struct state {
    brant__keyring *ring;
    size_t afforded;       /* keys by salts of others in this call (brant__keyring_afford) */
    size_t file_id_length; /* 0: not read yet in this transaction */
    char file_id[64];
    uint64_t changes; /* how often it was given another ring, or none */
    bool claimed; /* in this transaction the file was seen to know the active key by its version */
} state;

enum { FILE_ID, CHECK, CHECK_INSERT };
static const char *const sql[] = {
    [FILE_ID] = "SELECT value FROM brant_meta WHERE name = 'id'",
    [CHECK] = "SELECT value FROM brant_meta WHERE name = :name",
    [CHECK_INSERT] = "INSERT INTO brant_meta (name, value) VALUES (:name, :value)",
};
static const brant__statements statements = {BRANT__TABLE_CRYPTO, BRANT__COUNT(sql), sql};

/* ---- life --------------------------------------------------------------------------------------- */

static void destroy(brant_db *db, void *context) {
    state *self = context;
    (void)db;
    brant__keyring_free(self->ring);
    brant__free(self);
}

/* It holds for one transaction: between two any other handle, of any process, may restore the file, which then has another id. */
static void forget_file(brant_db *db, void *context) {
    (void)db;
    ((state *)context)->file_id_length = 0;
    ((state *)context)->claimed = false;
}

static void after_rollback(brant_db *db, void *context, unsigned depth) {
    (void)db;
    (void)depth;
    ((state *)context)->claimed = false;
}

/* After a call that had a secret in hand. */
static void forget(brant_db *db, void *context) {
    (void)db;
    ((state *)context)->afforded = 0;
}

static const brant__hooks hooks = {.after_restore = forget_file,
                                   .after_end = forget_file,
                                   .after_rollback = after_rollback,
                                   .forget = forget,
                                   .destroy = destroy};

static state *state_of(const brant_db *db) {
    return brant__state(db, BRANT__SLOT_KEYRING);
}

static brant_status ensure(state **out, brant_db *db) {
    *out = state_of(db);
    if (*out) return BRANT_OK;
    *out = brant__alloc_zero(sizeof **out);
    if (!*out) return brant__fail_memory();
    brant__attach(db, BRANT__SLOT_KEYRING, &hooks, *out);
    return BRANT_OK;
}

static void replace(state *self, brant__keyring *ring) {
    brant__keyring_free(self->ring);
    self->ring = ring;
    self->claimed = false;
    self->changes++;
}

/* A child that is forked off gets zeros in place of the keys, with which its copy of the handle could not do anything. Whole pages, which belong to nobody else. */
static void keep_from_children(char *memory, size_t size) {
#if defined(MADV_WIPEONFORK)
    const uintptr_t page = (uintptr_t)sysconf(_SC_PAGESIZE), before = (uintptr_t)memory % page;
    (void)madvise(memory - before, size + before, MADV_WIPEONFORK);
#else
    (void)memory;
    (void)size;
#endif
}

brant__keyring *brant__keyring_alloc(size_t size) {
    /* Its end stands at a guard page, so that the beginning is aligned only if the size is. */
    size = (size + 15) & ~(size_t)15;
    brant__keyring *ring = sodium_malloc(size);
    if (!ring) return NULL;
    memset(ring, 0, size);
    keep_from_children((char *)ring, size);
    ring->size = size;
    return ring;
}

brant_status brant__keyring_fix(brant__keyring *ring) {
    if (sodium_mprotect_readonly(ring) == 0) return BRANT_OK;
    return brant__fail(BRANT_IO, "the memory of the key ring cannot be made read-only");
}

void brant__keyring_free(brant__keyring *ring) {
    sodium_free(ring);
}

/* The place in a copy's memory that a pointer into the original stands for. */
static void *moved(const brant__keyring *copy, const brant__keyring *original,
                   const void *pointer) {
    return pointer ? (char *)copy + ((const char *)pointer - (const char *)original) : NULL;
}

static brant_status copy_ring(brant__keyring **out, const brant__keyring *original) {
    *out = NULL;
    brant__keyring *copy = brant__keyring_alloc(original->size);
    if (!copy) return brant__fail_memory();
    memcpy(copy, original, original->size);
    copy->keys = moved(copy, original, original->keys);
    copy->active = moved(copy, original, original->active);
    copy->legacy_keys = moved(copy, original, original->legacy_keys);
    for (size_t i = 0; i < copy->key_count; i++)
        copy->keys[i].password.data = moved(copy, original, original->keys[i].password.data);
    for (size_t i = 0; i < copy->legacy_count; i++)
        copy->legacy_keys[i].password.data =
            moved(copy, original, original->legacy_keys[i].password.data);
    const brant_status status = brant__keyring_fix(copy);
    if (status == BRANT_OK)
        *out = copy;
    else
        brant__keyring_free(copy);
    return status;
}

brant_status brant_keyring_load(brant_db *db, const char *json, size_t json_len) {
    brant__keyring *ring = NULL;
    state *self = NULL;
    brant__error_clear();
    brant_status status = brant__handle_enter(&db);
    if (status != BRANT_OK) return status;
    BRANT__TRY(brant__db_trusted(db, "load keys"));
    BRANT__TRY(ensure(&self, db));
    BRANT__TRY(brant__keyring_read(&ring, db, brant__text_of(json, json_len)));
    replace(self, ring);
cleanup:
    brant__leave(db);
    return brant__answer(status);
}

brant_status brant_keyring_copy(brant_db *db, brant_db *from) {
    brant__keyring *ring = NULL;
    state *self = NULL;
    brant__error_clear();
    brant_status status = brant__handle_enter(&from);
    if (status != BRANT_OK) return status;
    status = brant__db_trusted(from, "copy keys");
    const brant__keyring *original = brant__keyring_of(from);
    if (status == BRANT_OK && original) status = copy_ring(&ring, original);
    brant__leave(from);
    /* Never inside both, so that two handles that copy from each other do not meet. */
    if (status == BRANT_OK) status = brant__handle_enter(&db);
    if (status != BRANT_OK) goto discard;
    status = brant__db_trusted(db, "copy keys");
    if (status == BRANT_OK) status = ensure(&self, db);
    if (status == BRANT_OK) {
        replace(self, ring);
        ring = NULL;
    }
    brant__leave(db);
discard:
    brant__keyring_free(ring);
    return brant__answer(status);
}

brant_status brant__keyring_share(brant_db *db, const brant_db *from) {
    brant__keyring *ring = NULL;
    state *self = NULL;
    const brant__keyring *original = brant__keyring_of(from);
    brant_status status = ensure(&self, db);
    if (status == BRANT_OK && original) status = copy_ring(&ring, original);
    if (status != BRANT_OK) return status;
    replace(self, ring);
    return BRANT_OK;
}

brant_status brant__keyring_derive_all(brant_db *db) {
    uint8_t room[BRANT__KEY_SIZE];
    const uint8_t *bytes = NULL;
    const brant__keyring *ring = brant__keyring_of(db);
    brant_status status = BRANT_OK;
    for (size_t i = 0; status == BRANT_OK && ring && i < ring->key_count; i++) {
        const brant__key *key = &ring->keys[i];
        if (key->password.data && !key->known && key->state != BRANT__KEY_DISABLED)
            status = brant__keyring_bytes(&bytes, room, db, key, NULL);
    }
    brant__wipe(room, sizeof room);
    return status;
}

uint64_t brant__keyring_changes(const brant_db *db) {
    const state *self = state_of(db);
    return self ? self->changes : 0;
}

brant_status brant_keyring_unload(brant_db *db) {
    brant__error_clear();
    brant_status status = brant__handle_enter(&db);
    if (status != BRANT_OK) return status;
    status = brant__db_trusted(db, "unload keys");
    state *self = state_of(db);
    if (status == BRANT_OK && self) replace(self, NULL);
    brant__leave(db);
    return brant__answer(status);
}

/* ---- keys --------------------------------------------------------------------------------------- */

const brant__keyring *brant__keyring_of(const brant_db *db) {
    const state *self = state_of(db);
    return self ? self->ring : NULL;
}

/* Whoever forgot it looks for how it is given, which each language calls the same but C and the command. */
static brant_status fail_without_ring(void) {
    return brant__fail(
        BRANT_NOT_FOUND,
        "the handle has no key ring: db.keyring, brant_keyring_load or brant --keys gives it one");
}

brant_status brant__keyring_ready(brant_db *db) {
    const brant__keyring *ring = brant__keyring_of(db);
    if (!ring) return fail_without_ring();
    return ring->active
               ? BRANT_OK
               : brant__fail(BRANT_NOT_FOUND, "the key ring has no active key for attributes");
}

int64_t brant__keyring_active(const brant_db *db) {
    const brant__keyring *ring = brant__keyring_of(db);
    return ring && ring->active ? ring->active->version : 0;
}

/* NULL: there is none. */
static const brant__key *find(const brant__keyring *ring, int purpose, int64_t version) {
    for (size_t i = 0; i < ring->key_count; i++) {
        const brant__key *key = &ring->keys[i];
        if (key->version != version || key->purpose != purpose) continue;
        return key;
    }
    return NULL;
}

const char *brant__keyring_state(const brant_db *db, int64_t version) {
    const brant__keyring *ring = brant__keyring_of(db);
    const brant__key *key = ring ? find(ring, BRANT__PURPOSE_ATTRIBUTE, version) : NULL;
    return key ? brant__key_state_names[key->state] : NULL;
}

brant_status brant__keyring_find(const brant__key **out, const brant_db *db, int purpose,
                                 int64_t version) {
    const brant__keyring *ring = brant__keyring_of(db);
    const brant__key *key = ring ? find(ring, purpose, version) : NULL;
    *out = NULL;
    if (!ring) return fail_without_ring();
    if (!key)
        return brant__fail(BRANT_NOT_FOUND, "the key ring has no version %lld of the keys for %s",
                           (long long)version, brant__purpose_names[purpose]);
    if (key->state == BRANT__KEY_DISABLED || key->state == BRANT__KEY_DESTROYED)
        return brant__fail(BRANT_NOT_FOUND, "version %lld of the keys for %s is %s",
                           (long long)version, brant__purpose_names[purpose],
                           brant__key_state_names[key->state]);
    *out = key;
    return BRANT_OK;
}

brant_status brant__keyring_find_active(const brant__key **out, const brant_db *db, int purpose) {
    const brant__keyring *ring = brant__keyring_of(db);
    *out = NULL;
    if (!ring) return fail_without_ring();
    for (size_t i = 0; i < ring->key_count; i++)
        if (ring->keys[i].purpose == purpose && ring->keys[i].state == BRANT__KEY_ACTIVE) {
            *out = &ring->keys[i];
            return BRANT_OK;
        }
    return brant__fail(BRANT_NOT_FOUND, "the key ring has no active key for %s",
                       brant__purpose_names[purpose]);
}

static const brant__derived *find_derived(const brant__keyring *ring, const brant__key *key,
                                          const brant__kdf *kdf) {
    for (size_t i = 0; i < BRANT__DERIVED_KEPT; i++)
        if (ring->derived[i].version == key->version && ring->derived[i].purpose == key->purpose &&
            brant__kdf_equal(&ring->derived[i].kdf, kdf))
            return &ring->derived[i];
    return NULL;
}

brant_status brant__keyring_afford(brant_db *db, const brant__key *key, const brant__kdf *kdf) {
    state *self = state_of(db);
    if (!key->password.data || brant__kdf_equal(kdf, &key->kdf) ||
        find_derived(self->ring, key, kdf))
        return BRANT_OK;
    if (kdf->passes > key->kdf.passes || kdf->memory > key->kdf.memory)
        return brant__fail(
            BRANT_LIMIT,
            "opening the given envelope takes %lld passes over %lld bytes, more than "
            "one of the key ring's own: %lld over %lld",
            (long long)kdf->passes, (long long)kdf->memory, (long long)key->kdf.passes,
            (long long)key->kdf.memory);
    if (self->afforded == BRANT__DERIVED_KEPT)
        return brant__fail(BRANT_LIMIT, "one call takes envelopes with at most %d other salts",
                           BRANT__DERIVED_KEPT);
    self->afforded++;
    return BRANT_OK;
}

/* Keys by other salts displace each other, never the ring's own. */
static void keep(brant__keyring *ring, const brant__key *key, const brant__kdf *kdf,
                 const uint8_t bytes[BRANT__KEY_SIZE]) {
    if (sodium_mprotect_readwrite(ring) != 0) return; /* derived again next time */
    if (brant__kdf_equal(kdf, &key->kdf)) {
        brant__key *own = &ring->keys[key - ring->keys];
        memcpy(own->bytes, bytes, BRANT__KEY_SIZE);
        own->known = true;
    } else {
        brant__derived *place = &ring->derived[ring->next_derived];
        ring->next_derived = (ring->next_derived + 1) % BRANT__DERIVED_KEPT;
        place->version = key->version;
        place->purpose = key->purpose;
        place->kdf = *kdf;
        memcpy(place->bytes, bytes, BRANT__KEY_SIZE);
    }
    sodium_mprotect_readonly(ring);
}

brant_status brant__keyring_bytes(const uint8_t **out, uint8_t room[BRANT__KEY_SIZE], brant_db *db,
                                  const brant__key *key, const brant__kdf *kdf) {
    brant__keyring *ring = state_of(db)->ring;
    *out = NULL;
    if (!kdf) kdf = &key->kdf;
    if (key->known && (!key->from_kdf || brant__kdf_equal(kdf, &key->kdf))) {
        *out = key->bytes;
        return BRANT_OK;
    }
    const brant__derived *derived = find_derived(ring, key, kdf);
    if (derived) {
        *out = derived->bytes;
        return BRANT_OK;
    }
    brant_status status = brant__db_poll(db); /* what follows cannot be interrupted */
    if (status == BRANT_OK) status = brant__kdf_derive(room, key->password, kdf);
    if (status != BRANT_OK) return status;
    keep(ring, key, kdf, room);
    *out = room;
    return BRANT_OK;
}

/* ---- the file's id ------------------------------------------------------------------------------ */

static brant_status read_file_id(size_t *out_length, state *self, brant_db *db) {
    brant__statement *select = NULL;
    bool row = false;
    brant_status status = brant__begin(db, BRANT__READ);
    if (status != BRANT_OK) return status;
    BRANT__TRY(brant__statement_get(&select, db, &statements, FILE_ID));
    BRANT__TRY(brant__step(&row, db, select));
    const brant__text id = row ? brant__column_text(select, 0) : (brant__text){NULL, 0};
    if (id.length == 0 || id.length > sizeof self->file_id) {
        status = brant__fail(BRANT_CORRUPT, "the file has no id");
        goto cleanup;
    }
    memcpy(self->file_id, id.data, id.length);
    *out_length = id.length;
    self->file_id_length = id.length; /* until the transaction ends, which may be right below */
cleanup:
    brant__reset(select);
    if (status == BRANT_OK) status = brant__commit(db);
    if (status != BRANT_OK) brant__rollback(db);
    return status;
}

brant_status brant__file_id(brant__text *out, brant_db *db) {
    state *self = NULL;
    *out = (brant__text){NULL, 0};
    brant_status status = ensure(&self, db);
    if (status != BRANT_OK) return status;
    size_t length = self->file_id_length;
    if (length == 0) status = read_file_id(&length, self, db);
    if (status == BRANT_OK) *out = brant__text_of(self->file_id, length);
    return status;
}

/* ---- which key a version stands for --------------------------------------------------------------- */

#define CHECK_SIZE 16

/* Says which key it is, and nothing about it: BLAKE2b-128 of the file's id, keyed. */
static brant_status write_check(brant__buffer *out, brant_db *db, const brant__key *key) {
    static const char label[] = "brant key check";
    brant__buffer message = {0};
    uint8_t check[CHECK_SIZE];
    brant__text id;
    brant_status status;
    BRANT__TRY(brant__file_id(&id, db));
    brant__buffer_append(&message, label, sizeof label); /* with its NUL */
    brant__buffer_append(&message, id.data, id.length);
    if (message.failed) {
        status = brant__fail_memory();
        goto cleanup;
    }
    crypto_generichash(check, sizeof check, (const unsigned char *)message.data, message.length,
                       key->bytes, BRANT__KEY_SIZE);
    brant__base64url_encode(out, check, sizeof check);
    if (out->failed) status = brant__fail_memory();
cleanup:
    brant__buffer_free(&message);
    return status;
}

brant_status brant__keyring_claim(brant_db *db) {
    brant_status status = brant__keyring_ready(db);
    if (status != BRANT_OK) return status;
    state *self = state_of(db);
    const brant__key *key = self->ring->active;
    brant__statement *statement = NULL;
    brant__buffer check = {0};
    char name[64];
    bool known = false;
    /* A password gives another key with each salt, and its envelopes say which. */
    if (self->claimed || key->password.data) return BRANT_OK;
    snprintf(name, sizeof name, "key:attribute:%lld", (long long)key->version);
    BRANT__TRY(write_check(&check, db, key));
    const brant__text mine = brant__text_of(check.data, check.length);
    BRANT__TRY(brant__statement_get(&statement, db, &statements, CHECK));
    brant__bind_text(statement, 1, brant__text_string(name));
    BRANT__TRY(brant__step(&known, db, statement));
    if (known && !brant__text_equal(brant__column_text(statement, 0), mine)) {
        status = brant__fail(BRANT_CONFLICT,
                             "version %lld in the key ring is another key than the one that this "
                             "file knows by it; a new key needs a version of its own",
                             (long long)key->version);
        goto cleanup;
    }
    if (!known) {
        brant__reset(statement);
        BRANT__TRY(brant__statement_get(&statement, db, &statements, CHECK_INSERT));
        brant__bind_text(statement, 1, brant__text_string(name));
        brant__bind_text(statement, 2, mine);
        BRANT__TRY(brant__run(db, statement));
    }
    self->claimed = true;
cleanup:
    brant__reset(statement);
    brant__buffer_free(&check);
    return status;
}
