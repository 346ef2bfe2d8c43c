/*
 * tests/core/test_crypto_keyring.c: the ring of a handle: replaced as a whole, wiped with its keys, and what it costs to derive a key from a password. What it refuses is in
 * tests/conformance/scenarios/keyring.json.
 */
#include <signal.h>
#include <sodium.h>
#include <sys/resource.h>
#include <sys/wait.h>

#include "failing_allocator.h"
#include "test_crypto.h"

static const char one_key[] = "{\"keys\":[{\"version\":1,\"key\":\"" KEY_A "\"}]}";
static const char password[] =
    "{\"keys\":[{\"version\":1,\"password\":\"correct horse\"," KDF "}]," CHEAP "}";

static int64_t active(brant_db *db) {
    assert_int_equal(brant__enter(db), BRANT_OK);
    const int64_t version = brant__keyring_active(db);
    brant__leave(db);
    return version;
}

/* ---- life --------------------------------------------------------------------------------------- */

static void a_ring_is_replaced_as_a_whole(void **state) {
    brant_db *db = must_open(in_folder(*state, "a.db"), "");
    assert_int_equal(active(db), 0);
    assert_int_equal(brant_keyring_unload(db), BRANT_OK); /* there is none */
    must_load(db, one_key);
    assert_int_equal(active(db), 1);
    char *envelope = must_seal(db, &here, BRANT__TEXT("1"));
    assert_int_equal(brant_keyring_load(db, TEXT("{\"keys\":[{}]}")), BRANT_INVALID);
    assert_int_equal(brant_keyring_load(db, TEXT("{\"keys\":[")), BRANT_INVALID_JSON);
    assert_int_equal(brant_keyring_load(db, TEXT("{\"keys\":[],\"keys\":[]}")), BRANT_INVALID_JSON);
    assert_int_equal(brant_keyring_load(db, "", 0), BRANT_INVALID_JSON);
    assert_int_equal(brant_keyring_load(db, TEXT("ring.json")), BRANT_INVALID_JSON);
    assert_non_null(strstr(brant_last_error()->message, "the name of a file"));
    assert_int_equal(brant_keyring_load(db, NULL, 0), BRANT_INVALID);
    opens_to(db, &here, envelope, BRANT__TEXT("1"));
    must_load(db, "{\"keys\":[{\"version\":2,\"key\":\"" KEY_B "\"}]}");
    assert_int_equal(active(db), 2);
    opens_not(db, &here, envelope, BRANT_NOT_FOUND);
    must_load(db, "{\"keys\":[]}");
    assert_int_equal(active(db), 0);
    assert_int_equal(brant__enter(db), BRANT_OK);
    assert_int_equal(brant__keyring_ready(db), BRANT_NOT_FOUND);
    brant__leave(db);
    /* Inside a transaction, too, and its end changes nothing. */
    must(db, "transaction.begin", "{}", NULL);
    must_load(db, one_key);
    must(db, "transaction.rollback", "{}", NULL);
    opens_to(db, &here, envelope, BRANT__TEXT("1"));
    brant_close(db);
    assert_int_equal(brant_keyring_load(db, TEXT(one_key)), BRANT_CLOSED);
    assert_int_equal(brant_keyring_unload(db), BRANT_CLOSED);
    assert_int_equal(brant_keyring_load(NULL, TEXT(one_key)), BRANT_INVALID);
    assert_int_equal(brant_keyring_unload(NULL), BRANT_INVALID);
    brant_free(envelope);
    brant_db_free(db);
}

static void a_ring_is_copied(void **state) {
    brant_db *db = must_open(in_folder(*state, "a.db"), "");
    brant_db *other = must_open(in_folder(*state, "a.db"), "");
    assert_int_equal(brant_keyring_copy(other, db), BRANT_OK); /* there is none */
    must_load(db,
              "{\"keys\":[{\"version\":1,\"password\":\"correct horse\"," KDF "},{\"version\":2,"
              "\"state\":\"decrypt_only\",\"key\":\"" KEY_A "\"}]," CHEAP
              ",\"legacy\":{\"iterations\":1000,\"keys\":[{\"version\":3,"
              "\"password\":\"older password\"}]}}");
    /* Derived before and after: the salt is the same. */
    assert_int_equal(brant_keyring_copy(other, db), BRANT_OK);
    char *envelope = must_seal(db, &here, BRANT__TEXT("1"));
    opens_to(other, &here, envelope, BRANT__TEXT("1"));
    assert_int_equal(brant_keyring_copy(other, db), BRANT_OK);
    char *info = must_call(db, "keyring.info", "{}", NULL);
    /* A copy of a copy, when the originals are gone. */
    assert_int_equal(brant_keyring_copy(db, other), BRANT_OK);
    assert_int_equal(brant_keyring_unload(other), BRANT_OK);
    char *copied = must_call(db, "keyring.info", "{}", NULL);
    assert_string_equal(copied, info);
    opens_to(db, &here, envelope, BRANT__TEXT("1"));
    must(db, "envelopes.open",
         "{\"envelope\":{\"keyVersion\":3,\"salt\":\"BwgJCgsMDQ4PEBESExQVFg==\",\"iv\":"
         "\"WltcXV5fYGFiY2Rl\",\"data\":\"orcDP39mN/5p+LBfl/"
         "TsquGxZdDgPOEz3j9Wm4ldbxlKjxsPKdQ=\"},\"context\":" HERE "}",
         "{\"value\":{\"user\":\"brant\",\"n\":1},\"key_version\":3}");
    /* Itself, and none. */
    assert_int_equal(brant_keyring_copy(db, db), BRANT_OK);
    opens_to(db, &here, envelope, BRANT__TEXT("1"));
    assert_int_equal(brant_keyring_copy(db, other), BRANT_OK);
    assert_int_equal(active(db), 0);
    must_load(db, one_key);
    brant_close(other);
    assert_int_equal(brant_keyring_copy(db, other), BRANT_CLOSED);
    assert_int_equal(brant_keyring_copy(other, db), BRANT_CLOSED);
    assert_int_equal(brant_keyring_copy(NULL, db), BRANT_INVALID);
    assert_int_equal(brant_keyring_copy(db, NULL), BRANT_INVALID);
    assert_int_equal(active(db), 1);
    brant_free(info);
    brant_free(copied);
    brant_free(envelope);
    brant_db_free(other);
    brant_db_free(db);
}

static void a_large_ring(void **state) {
    brant_db *db = must_open(in_folder(*state, "a.db"), "");
    brant__buffer json = {0};
    brant__buffer_append(&json, "{\"keys\":[", 9);
    for (int i = 1; i <= 500; i++) {
        uint8_t bytes[32] = {1};
        bytes[1] = (uint8_t)i;
        bytes[2] = (uint8_t)(i >> 8);
        brant__buffer_format(&json, "%s{\"state\":\"%s\",\"version\":%d,\"key\":\"",
                             i == 1 ? "" : ",", i == 300 ? "active" : "decrypt_only", i);
        brant__base64url_encode(&json, bytes, sizeof bytes);
        brant__buffer_append(&json, "\"}", 2);
    }
    brant__buffer_append(&json, "]}", 2);
    assert_int_equal(brant_keyring_load(db, json.data, json.length), BRANT_OK);
    assert_int_equal(active(db), 300);
    char *envelope = must_seal(db, &here, BRANT__TEXT("1"));
    opens_to(db, &here, envelope, BRANT__TEXT("1"));
    brant_free(envelope);
    while (json.length <= (64 << 10))
        brant__buffer_append_byte(&json, ' ');
    assert_int_equal(brant_keyring_load(db, json.data, json.length), BRANT_LIMIT);
    assert_int_equal(active(db), 300);
    brant__buffer_free(&json);
    brant_db_free(db);
}

static void file_id(char out[37], brant_db *db) {
    brant__text id;
    assert_int_equal(brant__enter(db), BRANT_OK);
    assert_int_equal(brant__file_id(&id, db), BRANT_OK);
    assert_int_equal(id.length, 36);
    snprintf(out, 37, "%.*s", (int)id.length, id.data);
    brant__leave(db);
}

static void the_id_is_the_files(void **state) {
    brant_db *db = must_open(in_folder(*state, "a.db"), "");
    brant_db *beside = must_open(in_folder(*state, "a.db"), "");
    char first[37], second[37], json[512];
    file_id(first, db);
    file_id(second, beside);
    assert_string_equal(first, second);
    must(db, "sql.execute", "{\"sql\":\"SELECT value FROM brant_meta WHERE name = 'id'\"}", first);
    brant_db *other = must_open(in_folder(*state, "b.db"), "");
    snprintf(json, sizeof json, "{\"path\":\"%s\"}", in_folder(*state, "copy"));
    must(other, "db.backup", json, NULL);
    must(db, "db.restore", json, NULL); /* another's file, and another's id */
    file_id(second, db);
    assert_string_not_equal(second, first);
    file_id(first, beside); /* whoever restored it */
    assert_string_equal(second, first);
    brant_db_free(other);
    brant_db_free(beside);
    brant_db_free(db);
}

static void a_key_serves_its_purpose_and_state(void **state) {
    static const struct {
        const char *entry;
        brant_status open, seal;
    } cases[] = {
        {"\"key\":\"" KEY_A "\"", BRANT_OK, BRANT_OK},
        {"\"state\":\"active\",\"key\":\"" KEY_A "\"", BRANT_OK, BRANT_OK},
        {"\"state\":\"decrypt_only\",\"key\":\"" KEY_A "\"", BRANT_OK, BRANT_NOT_FOUND},
        {"\"state\":\"disabled\",\"key\":\"" KEY_A "\"", BRANT_NOT_FOUND, BRANT_NOT_FOUND},
        {"\"state\":\"destroyed\"", BRANT_NOT_FOUND, BRANT_NOT_FOUND},
        {"\"purpose\":\"pepper\",\"key\":\"" KEY_A "\"", BRANT_NOT_FOUND, BRANT_NOT_FOUND},
        {"\"purpose\":\"audit\",\"key\":\"" KEY_A "\"", BRANT_NOT_FOUND, BRANT_NOT_FOUND},
        {"\"key\":\"" KEY_B "\"", BRANT_AUTH, BRANT_OK},
    };
    brant_db *db = must_open(in_folder(*state, "a.db"), "");
    char json[512];
    must_load(db, one_key);
    char *envelope = must_seal(db, &here, BRANT__TEXT("1"));
    for (size_t i = 0; i < BRANT__COUNT(cases); i++) {
        brant__buffer out = {0};
        /* Another purpose's active key of the same version changes nothing. */
        snprintf(
            json, sizeof json, "{\"keys\":[{\"version\":1,%s}%s]}", cases[i].entry,
            strstr(cases[i].entry, "purpose")
                ? ""
                : ",{\"purpose\":\"audit\",\"version\":1,\"key\":\"Q0NDQ0NDQ0NDQ0NDQ0NDQ0NDQ0NDQ0N"
                  "DQ0NDQ0NDQ0M\"}");
        must_load(db, json);
        opens_not(db, &here, envelope, cases[i].open);
        brant__error_clear();
        assert_int_equal(brant__enter(db), BRANT_OK);
        assert_int_equal(brant__envelope_seal(&out, db, &here, BRANT__TEXT("1")), cases[i].seal);
        assert_int_equal(brant__keyring_active(db), cases[i].seal == BRANT_OK);
        brant__leave(db);
        brant__buffer_free(&out);
    }
    brant_free(envelope);
    brant_db_free(db);
}

/* ---- nothing is left ---------------------------------------------------------------------------- */

#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
#define CAN_SEARCH 0
#else
#define CAN_SEARCH 1
#endif

#define MASK 0x5A

/* How often the bytes stand in this process's memory. The needle is masked, so that it is not found itself. */
static int count_in_memory(const uint8_t *masked, size_t length) {
    FILE *maps = fopen("/proc/self/maps", "r");
    char line[512];
    int found = 0;
    assert_non_null(maps);
    while (fgets(line, sizeof line, maps)) {
        unsigned long long from = 0, to = 0;
        char mode[8] = "", name[256] = "";
        sscanf(line, "%llx-%llx %7s %*s %*s %*s %255s", &from, &to, mode, name);
        if (mode[0] != 'r' || mode[1] != 'w' || strncmp(name, "[v", 2) == 0) continue;
        const volatile uint8_t *at = (const volatile uint8_t *)(uintptr_t)from,
                               *end = (const volatile uint8_t *)(uintptr_t)to - length;
        for (; at <= end; at++) {
            size_t i = 0;
            while (i < length && (at[i] ^ MASK) == masked[i])
                i++;
            found += i == length;
        }
    }
    fclose(maps);
    return found;
}

/* Also the read-only pages: the ring's own. */
static bool ring_holds(brant_db *db, const uint8_t *masked, size_t length) {
    const uint8_t *at = (const uint8_t *)brant__keyring_of(db);
    const size_t size = sizeof(brant__keyring) + sizeof(brant__key);
    for (size_t i = 0; i + length <= size; i++) {
        size_t j = 0;
        while (j < length && (at[i + j] ^ MASK) == masked[j])
            j++;
        if (j == length) return true;
    }
    return false;
}

/* A random key, masked, and a ring of it whose text is in memory that is wiped. */
static void load_random(brant_db *db, uint8_t masked[32], uint8_t masked_digits[43]) {
    static const char before[] = "{\"keys\":[{\"version\":1,\"key\":\"", after[] = "\"}]}";
    char text[128];
    uint8_t bytes[32];
    randombytes_buf(bytes, sizeof bytes);
    memcpy(text, before, sizeof before);
    sodium_bin2base64(text + sizeof before - 1, 44, bytes, sizeof bytes,
                      sodium_base64_VARIANT_URLSAFE_NO_PADDING);
    for (int i = 0; i < 32; i++)
        masked[i] = bytes[i] ^ MASK;
    for (int i = 0; i < 43; i++)
        masked_digits[i] = (uint8_t)text[sizeof before - 1 + (size_t)i] ^ MASK;
    memcpy(text + strlen(text), after, sizeof after);
    must_load(db, text);
    sodium_memzero(text, sizeof text);
    sodium_memzero(bytes, sizeof bytes);
}

/* Calls leave their frames on the stack below: not what this is about, and overwritten by whatever comes next. */
static void overwrite_stack(void) {
    uint8_t frames[32768];
    sodium_memzero(frames, sizeof frames);
}

static void keys_lie_in_the_ring_alone(void **state) {
    if (!CAN_SEARCH) skip();
    brant_db *db = must_open(in_folder(*state, "a.db"), "");
    uint8_t first[32], first_digits[43], second[32], second_digits[43];
    load_random(db, first, first_digits);
    overwrite_stack();
    assert_true(ring_holds(db, first, sizeof first));
    char *envelope = must_seal(db, &here, BRANT__TEXT("1"));
    opens_to(db, &here, envelope, BRANT__TEXT("1"));
    overwrite_stack();
    assert_int_equal(count_in_memory(first, sizeof first),
                     0); /* the ring's pages are not writable */
    assert_int_equal(count_in_memory(first_digits, sizeof first_digits), 0);
    load_random(db, second, second_digits);
    overwrite_stack();
    assert_false(ring_holds(db, first, sizeof first));
    assert_true(ring_holds(db, second, sizeof second));
    assert_int_equal(count_in_memory(first, sizeof first), 0);
    assert_int_equal(brant_keyring_unload(db), BRANT_OK);
    overwrite_stack();
    assert_int_equal(count_in_memory(second, sizeof second), 0);
    assert_int_equal(count_in_memory(second_digits, sizeof second_digits), 0);
    /* What is found would be found. */
    uint8_t *planted = malloc(32);
    for (int i = 0; i < 32; i++)
        planted[i] = second[i] ^ MASK;
    assert_int_equal(count_in_memory(second, sizeof second), 1);
    sodium_memzero(planted, 32);
    free(planted);
    /* Closing wipes, too; a generated key leaves nothing but the answer, which brant_free wipes. */
    load_random(db, first, first_digits);
    char *answer = must_call(db, "keyring.generate", "{}", NULL);
    for (int i = 0; i < 43; i++)
        second_digits[i] = (uint8_t)strstr(answer, "\"key\":\"")[7 + i] ^ MASK;
    assert_int_equal(count_in_memory(second_digits, sizeof second_digits), 1);
    brant_free(answer);
    assert_int_equal(count_in_memory(second_digits, sizeof second_digits), 0);
    brant_close(db);
    overwrite_stack();
    assert_int_equal(count_in_memory(first, sizeof first), 0);
    brant_db_free(db);
    brant_free(envelope);
}

static void passwords_and_values_leave_nothing(void **state) {
    if (!CAN_SEARCH) skip();
    brant_db *db = must_open(in_folder(*state, "a.db"), "");
    uint8_t masked_password[16], masked_value[16];
    char json[512], word[17];
    for (int turn = 0; turn < 2; turn++) {
        for (int i = 0; i < 16; i++) {
            masked_password[i] = (uint8_t)('a' + randombytes_uniform(26)) ^ MASK;
            masked_value[i] = (uint8_t)('a' + randombytes_uniform(26)) ^ MASK;
        }
        for (int i = 0; i < 16; i++)
            word[i] = (char)(masked_password[i] ^ MASK);
        word[16] = '\0';
        snprintf(json, sizeof json,
                 "{\"keys\":[{\"version\":1,\"password\":\"%s\"," KDF "}]," CHEAP "}", word);
        must_load(db, json);
        for (int i = 0; i < 16; i++)
            word[i] = (char)(masked_value[i] ^ MASK);
        snprintf(json, sizeof json, "{\"value\":\"%s\",\"context\":" HERE "}", word);
        char *envelope = must_call(db, "envelopes.seal", json, NULL);
        /* An input that is refused leaves nothing either. */
        snprintf(json, sizeof json, "{\"value\":\"%s\",\"context\":{}}", word);
        must_fail(db, "envelopes.seal", json, BRANT_INVALID, NULL);
        sodium_memzero(json, sizeof json);
        overwrite_stack();
        sodium_memzero(word, sizeof word);
        assert_int_equal(count_in_memory(masked_value, 16), 0);
        snprintf(json, sizeof json, "{\"envelope\":%s,\"context\":" HERE "}", envelope);
        brant_free(must_call(db, "envelopes.open", json, NULL));
        brant_free(must_call(db, "envelopes.rewrap", json, NULL));
        brant_free(envelope);
        overwrite_stack();
        assert_int_equal(count_in_memory(masked_value, 16), 0);
        assert_int_equal(count_in_memory(masked_password, 16), 0);
        if (turn == 0)
            brant_keyring_unload(db);
        else
            brant_close(db);
        assert_int_equal(count_in_memory(masked_password, 16), 0);
    }
    brant_db_free(db);
}

static void the_ring_is_read_only(void **state) {
    brant_db *db = must_open(in_folder(*state, "a.db"), "");
    must_load(db, password);
    brant_free(must_seal(db, &here, BRANT__TEXT("1"))); /* derives, which writes into it */
    fflush(NULL);
    const pid_t child = fork();
    if (child == 0) {
        const struct rlimit none = {0, 0};
        setrlimit(RLIMIT_CORE, &none);
        signal(SIGSEGV, SIG_DFL);
        ((volatile brant__keyring *)(uintptr_t)brant__keyring_of(db))->padding = 1;
        _exit(0);
    }
    int status = 0;
    assert_int_equal(waitpid(child, &status, 0), child);
    assert_false(WIFEXITED(status) && WEXITSTATUS(status) == 0);
    brant_db_free(db);
}

static void a_forked_process_has_no_keys(void **state) {
#if defined(__linux__)
    brant_db *db = must_open(in_folder(*state, "a.db"), "");
    must_load(db, one_key);
    fflush(NULL);
    const pid_t child = fork();
    if (child == 0)
        _exit(sodium_is_zero((const uint8_t *)brant__keyring_of(db),
                             sizeof(brant__keyring) + sizeof(brant__key))
                  ? 0
                  : 1);
    int status = 0;
    assert_int_equal(waitpid(child, &status, 0), child);
    assert_true(WIFEXITED(status) && WEXITSTATUS(status) == 0);
    brant_free(must_seal(db, &here, BRANT__TEXT("1"))); /* this one has them still */
    brant_db_free(db);
#else
    (void)state;
    skip();
#endif
}

/* ---- deriving ----------------------------------------------------------------------------------- */

static size_t derived_count(brant_db *db) {
    size_t count = 0;
    for (size_t i = 0; i < BRANT__DERIVED_KEPT; i++)
        count += brant__keyring_of(db)->derived[i].version != 0;
    return count;
}

static void derived_keys_are_kept(void **state) {
    brant_db *db = must_open(in_folder(*state, "a.db"), "");
    char *envelopes[40];
    for (int i = 0; i < 40; i++) {
        char json[512], salt[32];
        uint8_t bytes[16] = {(uint8_t)i};
        sodium_bin2base64(salt, sizeof salt, bytes, 16, sodium_base64_VARIANT_URLSAFE_NO_PADDING);
        snprintf(json, sizeof json,
                 "{\"keys\":[{\"version\":1,\"password\":\"correct horse\",\"kdf\":{\"alg\":"
                 "\"argon2id13\",\"s\":\"%s\",\"t\":1,\"m\":8192}}]," CHEAP "}",
                 salt);
        must_load(db, json);
        envelopes[i] = must_seal(db, &here, BRANT__TEXT("1"));
    }
    must_load(db, password);
    assert_false(brant__keyring_of(db)->keys[0].known); /* loading derives nothing */
    char *own = must_seal(db, &here, BRANT__TEXT("2"));
    assert_true(brant__keyring_of(db)->keys[0].known);
    for (int round = 0; round < 2; round++)
        for (size_t i = 0; i < 40; i++) {
            opens_to(db, &here, envelopes[i], BRANT__TEXT("1"));
            assert_int_equal(derived_count(db),
                             round || i >= BRANT__DERIVED_KEPT ? BRANT__DERIVED_KEPT : i + 1);
            /* Once more, from what is kept. */
            const size_t next = brant__keyring_of(db)->next_derived;
            opens_to(db, &here, envelopes[i], BRANT__TEXT("1"));
            assert_int_equal(brant__keyring_of(db)->next_derived, next);
        }
    assert_true(brant__keyring_of(db)->keys[0].known); /* the ring's own is not displaced */
    opens_to(db, &here, own, BRANT__TEXT("2"));
    for (size_t i = 0; i < 40; i++)
        brant_free(envelopes[i]);
    brant_free(own);
    brant_db_free(db);
}

/* With other parameters than the text has. */
static brant_status open_with(brant_db *db, const char *envelope, const char *parameters) {
    char text[1024];
    snprintf(text, sizeof text, "%.*s%s}}", (int)(strstr(envelope, "\"t\":") - envelope), envelope,
             parameters);
    return open_text(NULL, db, &here, brant__text_string(text));
}

static void the_cost_is_judged_before_any_work(void **state) {
    brant_db *db = must_open(in_folder(*state, "a.db"), "");
    must_load(db, password);
    char *envelope = must_seal(db, &here, BRANT__TEXT("1"));
    static const char *const weak[] = {"\"t\":1,\"m\":19922944", "\"t\":2,\"m\":19922943",
                                       "\"t\":1,\"m\":1", "\"t\":16,\"m\":8192"};
    static const char *const costly[] = {
        "\"t\":17,\"m\":19922944", "\"t\":2,\"m\":1073741825", "\"t\":2,\"m\":4398046510080",
        "\"t\":4294967295,\"m\":1073741824", "\"t\":9007199254740991,\"m\":9007199254740991"};
    must_load(db,
              "{\"keys\":[{\"version\":1,\"password\":\"correct horse\"}]}"); /* default bounds */
    struct rusage before, after;
    getrusage(RUSAGE_SELF, &before);
    const int64_t start = monotonic_ms();
    for (int i = 0; i < 1000; i++) {
        for (size_t j = 0; j < BRANT__COUNT(weak); j++)
            assert_int_equal(open_with(db, envelope, weak[j]), BRANT_LIMIT);
        for (size_t j = 0; j < BRANT__COUNT(costly); j++)
            assert_int_equal(open_with(db, envelope, costly[j]), BRANT_LIMIT);
    }
    const int64_t took = monotonic_ms() - start;
    getrusage(RUSAGE_SELF, &after);
    print_message("9000 refused in %lld ms, %ld KiB of memory\n", (long long)took,
                  after.ru_maxrss - before.ru_maxrss);
    assert_true(took < 60000); /* one derivation of 19 MiB takes some 20 ms: these were none */
    if (CAN_SEARCH) assert_true(after.ru_maxrss - before.ru_maxrss < 8 << 10);
    assert_false(brant__keyring_of(db)->keys[0].known);
    brant_free(envelope);
    brant_db_free(db);
}

static void no_room_to_derive(void **state) {
    if (!CAN_SEARCH) skip(); /* a sanitizer takes all address space */
    brant_db *db = must_open(in_folder(*state, "a.db"), "");
    must_load(db, "{\"keys\":[{\"version\":1,\"password\":\"correct horse\"}]}");
    struct rlimit kept, little;
    brant__buffer out = {0};
    assert_int_equal(getrlimit(RLIMIT_AS, &kept), 0);
    little = kept;
    little.rlim_cur = (rlim_t)200 << 20;
    assert_int_equal(setrlimit(RLIMIT_AS, &little), 0);
    assert_int_equal(brant__enter(db), BRANT_OK);
    brant__error_clear();
    brant__buffer_append(&out, "x", 1);
    assert_int_equal(brant__envelope_seal(&out, db, &here, BRANT__TEXT("1")), BRANT_NO_MEMORY);
    assert_int_equal(out.length, 1);
    brant__leave(db);
    assert_int_equal(setrlimit(RLIMIT_AS, &kept), 0);
    brant__buffer_free(&out);
    brant_db_free(db);
}

/* ---- what fails --------------------------------------------------------------------------------- */

static int random_left;
static int random_or_fail(void *context, void *bytes, size_t length) {
    (void)context;
    if (random_left-- <= 0) return -1;
    memset(bytes, 7, length);
    return 0;
}

static void without_random_bytes_nothing_is_sealed(void **state) {
    static const brant_sources sources = {NULL, random_or_fail, NULL};
    brant_db *db = NULL;
    random_left = 1000;
    assert_int_equal(brant_open_with(&db, TEXT(in_folder(*state, "a.db")), TEXT(""), &sources),
                     BRANT_OK);
    must_load(db, one_key);
    char *envelope = must_seal(db, &here, BRANT__TEXT("1"));
    random_left = 0;
    must_fail(db, "envelopes.seal", "{\"value\":1,\"context\":" HERE "}", BRANT_IO, "random");
    must_fail(db, "keyring.generate", "{}", BRANT_IO, "random");
    must_fail(db, "keyring.derive", "{\"password\":\"x\",\"kdf\":{\"t\":2,\"m\":19922944}}",
              BRANT_IO, "random");
    brant__buffer out = {0};
    brant__error_clear();
    assert_int_equal(brant__enter(db), BRANT_OK);
    assert_int_equal(brant__envelope_seal(&out, db, &here, BRANT__TEXT("1")), BRANT_IO);
    brant__leave(db);
    assert_int_equal(out.length, 0);
    /* A salt, too; and the old ring stays. */
    assert_int_equal(
        brant_keyring_load(db, TEXT("{\"keys\":[{\"version\":2,\"password\":\"x\"}]}")), BRANT_IO);
    opens_to(db, &here, envelope, BRANT__TEXT("1"));
    brant__buffer_free(&out);
    brant_free(envelope);
    brant_db_free(db);
}

static const char *const steps[][2] = {
    {"keyring.info", "{}"},
    {"keyring.generate", "{}"},
    {"keyring.derive", "{\"password\":\"x\",\"kdf\":{\"t\":1,\"m\":8192}}"},
    {"envelopes.seal",
     "{\"value\":{\"a\":\"some text\"},\"context\":{\"graph_id\":\"g\",\"kind\":\"node\","
     "\"key\":\"k\",\"path\":\"/value\"}}"},
    {"envelopes.open", "{\"envelope\":{\"keyVersion\":3,\"salt\":\"BwgJCgsMDQ4PEBESExQVFg==\","
                       "\"iv\":\"WltcXV5fYGFiY2Rl\",\"data\":\"orcDP39mN/5p+LBfl/"
                       "TsquGxZdDgPOEz3j9Wm4ldbxlKjxsPKdQ=\"},\"context\":" HERE "}"},
};

/* Every allocation of a handle's life with a ring fails once. */
static bool live(const char *folder, long n) {
    static const char ring[] =
        "{\"keys\":[{\"version\":1,\"password\":\"correct horse\"," KDF
        "},{\"version\":2,\"state\":\"decrypt_only\",\"key\":\"" KEY_A "\"}]," CHEAP
        ",\"legacy\":{\"iterations\":1000,\"plaintext\":\"text\",\"keys\":[{\"version\":3,"
        "\"password\":\"older password\"}]}}";
    char path[4096], input[2048];
    snprintf(path, sizeof path, "%s/%ld.db", folder, n);
    brant_db *db = NULL;
    char *answer = NULL, *envelope = NULL;
    size_t length = 0;
    if (brant_open(&db, TEXT(path), TEXT("")) != BRANT_OK) fail_msg("open");
    failures = 0;
    countdown = n;
    const brant_status loaded = brant_keyring_load(db, TEXT(ring));
    assert_true(loaded == BRANT_OK || (loaded == BRANT_NO_MEMORY && failures > 0));
    for (size_t i = 0; loaded == BRANT_OK && i < BRANT__COUNT(steps); i++) {
        const long before = failures;
        const brant_status status =
            brant_call(&answer, &length, db, TEXT(steps[i][0]), TEXT(steps[i][1]));
        if (status != BRANT_OK && (status != BRANT_NO_MEMORY || failures == before))
            fail_msg("%s: %s: %s", steps[i][0], brant_status_name(status),
                     brant_last_error()->message);
        if (i == 3 && status == BRANT_OK)
            envelope = answer;
        else
            brant_free(answer);
        answer = NULL;
    }
    for (int rewrap = 0; envelope && rewrap < 3; rewrap++) {
        const long before = failures;
        snprintf(input, sizeof input,
                 "{\"envelope\":%s,\"context\":{\"graph_id\":\"g\",\"kind\":\"node\",\"key\":"
                 "\"k\",\"path\":\"/value\"}%s}",
                 envelope, rewrap == 2 ? ",\"to\":" HERE : "");
        const brant_status status =
            brant_call(&answer, &length, db, TEXT(rewrap ? "envelopes.rewrap" : "envelopes.open"),
                       TEXT(input));
        if (status != BRANT_OK && (status != BRANT_NO_MEMORY || failures == before))
            fail_msg("%s: %s", brant_status_name(status), brant_last_error()->message);
        brant_free(answer);
        answer = NULL;
    }
    brant_free(envelope);
    const brant_status copied = brant_keyring_copy(db, db);
    if (copied != BRANT_OK && copied != BRANT_NO_MEMORY) fail_msg("copy");
    const bool failed = failures > 0;
    countdown = -1;
    brant_db_free(db);
    return failed;
}

static void every_allocation_may_fail(void **state) {
    long n = 0;
    while (live(*state, n))
        n++;
    print_message("%ld allocations failed\n", n);
    assert_true(n > 20);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(a_ring_is_replaced_as_a_whole, set_up_folder,
                                        tear_down_folder),
        cmocka_unit_test_setup_teardown(a_ring_is_copied, set_up_folder, tear_down_folder),
        cmocka_unit_test_setup_teardown(a_large_ring, set_up_folder, tear_down_folder),
        cmocka_unit_test_setup_teardown(a_key_serves_its_purpose_and_state, set_up_folder,
                                        tear_down_folder),
        cmocka_unit_test_setup_teardown(the_id_is_the_files, set_up_folder, tear_down_folder),
        cmocka_unit_test_setup_teardown(keys_lie_in_the_ring_alone, set_up_folder,
                                        tear_down_folder),
        cmocka_unit_test_setup_teardown(passwords_and_values_leave_nothing, set_up_folder,
                                        tear_down_folder),
        cmocka_unit_test_setup_teardown(the_ring_is_read_only, set_up_folder, tear_down_folder),
        cmocka_unit_test_setup_teardown(a_forked_process_has_no_keys, set_up_folder,
                                        tear_down_folder),
        cmocka_unit_test_setup_teardown(derived_keys_are_kept, set_up_folder, tear_down_folder),
        cmocka_unit_test_setup_teardown(the_cost_is_judged_before_any_work, set_up_folder,
                                        tear_down_folder),
        cmocka_unit_test_setup_teardown(no_room_to_derive, set_up_folder, tear_down_folder),
        cmocka_unit_test_setup_teardown(without_random_bytes_nothing_is_sealed, set_up_folder,
                                        tear_down_folder),
        cmocka_unit_test_setup_teardown(every_allocation_may_fail, set_up_folder, tear_down_folder),
    };
    if (!failing_allocator_install()) return 1;
    return cmocka_run_group_tests(tests, NULL, NULL);
}
