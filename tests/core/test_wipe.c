/*
 * tests/core/test_wipe.c: nothing of what a call was given or answered is left in memory that is given back, and after brant__db_secret nothing in what the handle
 * keeps either. By an allocator that looks at every block when it is released, and knows those that are not.
 */
#include <fcntl.h>
#include <pthread.h>

#include "store/store.h"
#include "support_key.h"
#include "test_seal.h"

/* In attribute values, names, keys, texts and payloads: wherever a call takes what a user writes. */
#define CANARY "cAnArY-7f3a90"

/* ---- the allocator ------------------------------------------------------------------------------- */

typedef struct block {
    _Alignas(max_align_t) struct block *next;
    struct block *previous;
    size_t size;
} block;

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static block blocks = {&blocks, &blocks, 0}; /* that are not released */
static size_t released, not_zero;
static char found[200]; /* what the first that was not wiped held */

static const char *find(const void *bytes, size_t size, const char *text) {
    return memmem(bytes, size, text, strlen(text));
}

static void *allocate(void *context, size_t size) {
    (void)context;
    block *self = malloc(sizeof *self + size);
    if (!self) return NULL;
    memset(self + 1, 0, size); /* so that what is not zero was written */
    pthread_mutex_lock(&lock);
    *self = (block){blocks.next, &blocks, size};
    blocks.next->previous = self;
    blocks.next = self;
    pthread_mutex_unlock(&lock);
    return self + 1;
}

static void release(void *context, void *memory) {
    (void)context;
    block *self = (block *)memory - 1;
    const unsigned char *bytes = memory;
    size_t at = 0;
    while (at < self->size && bytes[at] == 0)
        at++;
    pthread_mutex_lock(&lock);
    released++;
    if (at < self->size && not_zero++ == 0) {
        const char *canary = find(bytes, self->size, CANARY);
        snprintf(found, sizeof found, "%zu bytes, %s, byte %zu is %02x", self->size,
                 canary ? canary : "no canary", at, bytes[at]);
    }
    self->next->previous = self->previous;
    self->previous->next = self->next;
    pthread_mutex_unlock(&lock);
    free(self);
}

/* Blocks in use that hold the text. */
static size_t holding_text(const char *text) {
    size_t count = 0;
    pthread_mutex_lock(&lock);
    for (const block *at = blocks.next; at != &blocks; at = at->next)
        count += find(at + 1, at->size, text) != NULL;
    pthread_mutex_unlock(&lock);
    return count;
}
static size_t holding(void) {
    return holding_text(CANARY);
}

static void all_wiped(void) {
    if (not_zero > 0)
        fail_msg("%zu of %zu released blocks were not wiped; the first: %s", not_zero, released,
                 found);
    assert_true(released > 0);
}

/* ---- the seam ------------------------------------------------------------------------------------ */

static void test_seam(void **state) {
    (void)state;
    for (size_t size = 0; size < 300; size++) {
        unsigned char *memory = brant__alloc(size);
        assert_non_null(memory);
        assert_int_equal((uintptr_t)memory % _Alignof(max_align_t), 0);
        memset(memory, 0xFF, size);
        for (size_t grown = size + 1; grown < 2 * size; grown += 7) {
            memory = brant__realloc(memory, grown);
            for (size_t i = 0; i < size; i++)
                assert_int_equal(memory[i], 0xFF);
        }
        memory = brant__realloc(memory, size / 2);
        for (size_t i = 0; i < size / 2; i++)
            assert_int_equal(memory[i], 0xFF);
        brant__free(memory);
    }
    assert_null(brant__alloc(SIZE_MAX));
    assert_null(brant__alloc(SIZE_MAX - 8));
    brant__free(NULL);
    brant__wipe(NULL, 0);

    brant__buffer buffer = {0};
    brant__buffer_append(&buffer, TEXT(CANARY));
    assert_int_equal(holding(), 1);
    brant__buffer_wipe(&buffer);
    assert_int_equal(buffer.length, 0);
    assert_int_equal(holding(), 0);
    brant__buffer_wipe(&buffer);
    all_wiped();
}

/* ---- calls --------------------------------------------------------------------------------------- */

#define ITEM                                                                                       \
    "{\"key\":\"" CANARY "%d\",\"attributes\":{\"title\":\"" CANARY "\",\"x\":[%d,2.5,null]}}"

static char *many(int count, const char *item, const char *between) {
    const size_t room = strlen(item) + strlen(between) + 24;
    char *text = malloc((size_t)count * room + 1);
    size_t length = 0;
    assert_non_null(text);
    text[0] = '\0';
    for (int i = 0; i < count; i++) {
        if (i) length += (size_t)sprintf(text + length, "%s", between);
#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wformat-nonliteral"
        length += (size_t)snprintf(text + length, room, item, i, i);
#pragma GCC diagnostic pop
    }
    return text;
}

static void write_nodes(brant_db *db) {
    holds(db, "nodes.put", "key",
          "{\"graph\":\"g\",\"key\":\"a\",\"attributes\":{\"secret\":\"" CANARY "\"}}");
    holds(db, "nodes.put", "key",
          "{\"graph\":\"g\",\"key\":\"a\",\"attributes\":{\"secret\":\"second " CANARY
          "\",\"\\u0041\":\"\\n" CANARY "\"}}");
    holds(db, "nodes.patch", "key",
          "{\"graph\":\"g\",\"key\":\"a\",\"attributes\":{\"more\":{\"" CANARY "\":1}}}");
    holds(db, "nodes.get", CANARY, "{\"graph\":\"g\",\"key\":\"a\"}");
    holds(db, "nodes.list", CANARY,
          "{\"graph\":\"g\",\"filter\":{\"attributes.secret\":{\"$ne\":\"" CANARY "\"}}}");
    /* An array, lines with a bad one, and more than the handle keeps memory for. */
    char *array = many(50, ITEM, ","), *large = many(20000, ITEM, ",");
    char *lines =
        many(50, "{\\\"key\\\":\\\"" CANARY "%d\\\",\\\"attributes\\\":{\\\"n\\\":%d}}", "\\n");
    holds(db, "nodes.put_many", "", "{\"graph\":\"g\",\"items\":[%s]}", array);
    holds(db, "nodes.put_many", "",
          "{\"graph\":\"g\",\"errors\":\"skip\",\"items\":\"%s\\n{\\\"key\\\": " CANARY "\"}",
          lines);
    holds(db, "nodes.put_many", "", "{\"graph\":\"g\",\"items\":[%s]}", large);
    holds(db, "nodes.list", CANARY, "{\"graph\":\"g\",\"limit\":10000}");
    holds(db, "edges.put", CANARY,
          "{\"graph\":\"g\",\"source\":\"a\",\"target\":\"" CANARY
          "1\",\"attributes\":{\"s\":\"" CANARY "\"}}");
    holds(db, "nodes.closure", CANARY, "{\"graph\":\"g\",\"keys\":[\"a\"]}");
    free(array);
    free(large);
    free(lines);
}

static void exchange(brant_db *db, const char *folder) {
    char *lines =
        many(3000, "{\"node\":{\"key\":\"" CANARY "i%d\",\"attributes\":{\"n\":%d}}}", "\n");
    const char *path = in_folder(folder, "nodes.ndjson");
    FILE *file = fopen(path, "w");
    assert_non_null(file);
    fputs(lines, file);
    fclose(file);
    holds(db, "graphs.import", "\"nodes\":3000",
          "{\"graph\":\"imported\",\"create\":true,\"format\":\"ndjson\",\"path\":\"%s\",\"batch\":"
          "500}",
          path);
    holds(db, "graphs.import", "\"nodes\":2",
          "{\"graph\":\"g\",\"format\":\"csv\",\"part\":\"nodes\",\"text\":\"key,secret\\n" CANARY
          "c,\\\"" CANARY "\\\"\\n" CANARY "d,2\\n\"}");
    static const char *const formats[] = {"graphology", "node_link", "ndjson",
                                          "graphml",    "dot",       "mermaid"};
    for (size_t i = 0; i < sizeof formats / sizeof *formats; i++)
        holds(db, "graphs.export", CANARY, "{\"graph\":\"g\",\"format\":\"%s\"}", formats[i]);
    holds(db, "graphs.arrays", CANARY, "{\"graph\":\"g\",\"attributes\":true}");
    holds(db, "graphs.changes", CANARY, "{\"graph\":\"g\"}");
    free(lines);
}

static void events(brant_db *db) {
    brant_cursor *cursor = must_listen_to(db, CANARY);
    char *text = NULL;
    size_t length;
    holds(db, "events.notify", "",
          "{\"channel\":\"" CANARY "\",\"payload\":{\"s\":\"" CANARY "\"}}");
    assert_int_equal(brant_cursor_next(&text, &length, cursor, 1000), BRANT_OK);
    assert_non_null(strstr(text, CANARY));
    brant_free(text);
    brant_cursor_free(cursor);
    holds(db, "queues.enqueue", "id", "{\"queue\":\"q\",\"payload\":{\"s\":\"" CANARY "\"}}");
    holds(db, "queues.claim", CANARY, "{\"queue\":\"q\"}");
    holds(db, "streams.publish", "offset",
          "{\"stream\":\"s\",\"key\":\"" CANARY "\",\"payload\":\"" CANARY "\"}");
    holds(db, "streams.read", CANARY, "{\"stream\":\"s\"}");
    holds(db, "modules.patch", CANARY,
          "{\"document\":{\"a\":\"" CANARY
          "\"},\"patch\":[{\"op\":\"copy\",\"from\":\"/a\",\"path\":\"/b\"},"
          "{\"op\":\"add\",\"path\":\"/" CANARY "\",\"value\":[\"" CANARY "\"]}]}");
    holds(db, "sql.execute", CANARY, "{\"sql\":\"SELECT ? AS s\",\"params\":[\"" CANARY "\"]}");
}

static void failures(brant_db *db) {
    char *lines =
        many(200, "{\\\"key\\\":\\\"" CANARY "%d\\\",\\\"type\\\":\\\"" CANARY "%d\\\"}", "\\n");
    fails(db, "nodes.put", BRANT_INVALID_JSON, "",
          "{\"graph\":\"g\",\"attributes\":{\"secret\":\"" CANARY "\"},\"" CANARY);
    fails(db, "nodes.put", BRANT_INVALID_JSON, "",
          "{\"graph\":\"g\",\"attributes\":{\"secret\":\"" CANARY "\",\"secret\":1}}");
    fails(db, "nodes.put", BRANT_INVALID, "",
          "{\"graph\":\"g\",\"key\":[\"" CANARY "\"],\"attributes\":{\"secret\":\"" CANARY "\"}}");
    fails(db, "nodes.get", BRANT_NOT_FOUND, "", "{\"graph\":\"g\",\"key\":\"" CANARY "?\"}");
    fails(db, "nodes.insert", BRANT_EXISTS, "",
          "{\"graph\":\"g\",\"key\":\"a\",\"attributes\":{\"secret\":\"" CANARY "\"}}");
    fails(
        db, "nodes.put", BRANT_VALIDATION, "",
        "{\"graph\":\"typed\",\"key\":\"a\",\"type\":\"Task\",\"attributes\":{\"title\":1,\"" CANARY
        "\":\"" CANARY "\"}}");
    fails(db, "nodes.put_many", BRANT_INVALID, "", "{\"graph\":\"typed\",\"items\":\"%s\"}", lines);
    fails(db, "edges.put", BRANT_CONSTRAINT, "",
          "{\"graph\":\"typed\",\"source\":\"p\",\"target\":\"p\",\"type\":\"DependsOn\","
          "\"attributes\":{\"kind\":\"blocks\"},\"metadata\":{\"s\":\"" CANARY "\"}}");
    fails(db, "nodes.put", BRANT_LIMIT, "", "{\"graph\":\"g\",\"key\":\"" CANARY "%*d\"}", 5000, 1);
    fails(db, "edges.put", BRANT_NOT_FOUND, "",
          "{\"graph\":\"g\",\"source\":\"a\",\"target\":\"no " CANARY "\"}");
    fails(db, "modules.patch", BRANT_CONFLICT, "",
          "{\"document\":{\"a\":\"" CANARY
          "\"},\"patch\":[{\"op\":\"test\",\"path\":\"/a\",\"value\":1}]}");
    fails(db, CANARY, BRANT_NOT_FOUND, "", "{}");
    free(lines);
}

static void without_handle(void) {
    char *text = NULL, *large;
    size_t length;
    int accepted;
    brant_validator *validator;
    assert_int_equal(brant_json_compact(&text, &length, TEXT("[ \"" CANARY "\" ]")), BRANT_OK);
    brant_free(text);
    char *items = many(40000, ITEM, ",");
    assert_true(asprintf(&large, "[%s]", items) > 2 << 20);
    assert_int_equal(brant_json_compact(&text, &length, large, strlen(large)), BRANT_OK);
    brant_free(text);
    large[strlen(large) - 1] = '!';
    assert_int_equal(brant_json_compact(&text, &length, large, strlen(large)), BRANT_INVALID_JSON);
    free(items);
    free(large);
    assert_int_equal(brant_validator_open(
                         &validator, TEXT("{\"schema\":{\"type\":\"object\",\"required\":[\"" CANARY
                                          "\"],\"uniqueItems\":true}}")),
                     BRANT_OK);
    assert_int_equal(
        brant_validator_accepts(&accepted, validator, TEXT("{\"" CANARY "\":\"" CANARY "\"}")),
        BRANT_OK);
    assert_true(accepted);
    assert_int_equal(
        brant_validator_report(&text, &length, validator, TEXT("{\"b\":\"" CANARY "\"}")),
        BRANT_OK);
    brant_free(text);
    brant_validator_free(validator);
}

static brant_db *open_graphs(const char *folder) {
    brant_db *db = must_open(in_folder(folder, "a.db"), "");
    define(db, TASK_MODULE("tasks", ""));
    holds(db, "graphs.create", "\"id\"",
          "{\"name\":\"g\",\"graph_type\":\"open\",\"changes\":true}");
    holds(db, "graphs.create", "\"id\"", "{\"name\":\"typed\",\"graph_type\":\"tasks\"}");
    holds(db, "nodes.put", "key", "{\"graph\":\"typed\",\"key\":\"p\",\"type\":\"Person\"}");
    return db;
}

static void *run_calls(void *folder) {
    brant_db *db = open_graphs(folder);
    write_nodes(db);
    exchange(db, folder);
    events(db);
    without_handle();
    failures(db); /* last: the record of this thread, with a long detail, goes with the thread */
    brant_db_free(db);
    return NULL;
}

static void test_calls(void **state) {
    pthread_t thread;
    assert_int_equal(pthread_create(&thread, NULL, run_calls, *state), 0);
    assert_int_equal(pthread_join(thread, NULL), 0);
    all_wiped();
    assert_int_equal(holding(), 0);
}

/* ---- what a handle keeps ------------------------------------------------------------------------- */

/* What an operation does that has a secret in its hands. */
static void have_secret(brant_db *db) {
    assert_int_equal(brant__enter(db), BRANT_OK);
    brant__db_secret(db);
    brant__leave(db);
}

static void test_secret(void **state) {
    brant_db *db = open_graphs(*state);
    for (int round = 0; round < 2; round++) {
        holds(db, "nodes.put", "key",
              "{\"graph\":\"g\",\"key\":\"a\",\"attributes\":{\"secret\":\"" CANARY " %d\"}}",
              round);
        holds(db, "nodes.get", CANARY, "{\"graph\":\"g\",\"key\":\"a\"}");
        assert_true(holding() > 0); /* scratch and change log: this is seen */
        have_secret(db);
        assert_int_equal(holding(), 0);
        fails(db, "nodes.put", BRANT_INVALID, "",
              "{\"graph\":\"g\",\"key\":[\"" CANARY "\"],\"attributes\":{\"secret\":\"" CANARY
              "\"}}");
        assert_int_equal(holding(), 0); /* no operation sees what is refused */
    }
    /* In a transaction of the caller's, too, which goes on. */
    holds(db, "transaction.begin", "", "{}");
    holds(db, "nodes.put", "key",
          "{\"graph\":\"g\",\"key\":\"b\",\"attributes\":{\"secret\":\"" CANARY "\"}}");
    have_secret(db);
    assert_int_equal(holding(), 0);
    holds(db, "transaction.commit", "", "{}");
    holds(db, "nodes.get", CANARY, "{\"graph\":\"g\",\"key\":\"b\"}");
    brant_db_free(db);
    all_wiped();
}

/* Calls that are given the canary, and how they end: none leaves it anywhere. */
typedef struct secret_call {
    const char *name, *json;
    brant_status status;
} secret_call;

static void make_calls(brant_db *db, const secret_call *calls, size_t count) {
    for (size_t i = 0; i < count; i++) {
        char *text = NULL;
        size_t length = 0;
        const brant_status status =
            brant_call(&text, &length, db, TEXT(calls[i].name), TEXT(calls[i].json));
        brant_free(text);
        if (status != calls[i].status)
            fail_msg("%s: %s: %s", calls[i].json, brant_status_name(status),
                     brant_last_error()->message);
        if (holding() > 0) fail_msg("%s: %zu blocks hold it", calls[i].json, holding());
        if (status != BRANT_OK) no_trace_in_error(CANARY);
    }
}

/* Operations of a graph whose type encrypts say it themselves, whatever becomes of them. */
static void test_encrypted(void **state) {
    static const secret_call calls[] = {
        {"nodes.put", PUT("a", "\"value\":{\"x\":\"" CANARY "\"}"), BRANT_OK},
        {"nodes.get", GET("a"), BRANT_OK},
        {"nodes.open_secret", OPEN("a", "attributes.value"), BRANT_OK},
        {"nodes.patch",
         "{\"graph\":\"g\",\"key\":\"a\",\"attributes\":{\"value\":{\"y\":\"" CANARY "\"}}}",
         BRANT_OK},
        {"nodes.patch", "{\"graph\":\"g\",\"key\":\"a\",\"attributes\":{\"value\":{\"y\":null}}}",
         BRANT_OK},
        {"nodes.put", PUT("b", "\"pin\":\"" CANARY "\""), BRANT_VALIDATION},
        {"nodes.put", PUT("b", "\"value\":{\"$enc\":\"" CANARY "\"}"), BRANT_INVALID},
        {"nodes.put_many",
         "{\"graph\":\"g\",\"items\":\"{\\\"key\\\":\\\"b\\\",\\\"attributes\\\":{\\\"value\\\":"
         "\\\"" CANARY "\\\"}}\\n\"}",
         BRANT_INVALID},
        {"types.vault.Secret.put",
         "{\"graph\":\"g\",\"key\":\"b\",\"attributes\":{\"pin\":\"" CANARY "\"}}", BRANT_INVALID},
        {"graph_types.validate_node",
         "{\"graph_type\":\"vault\",\"type\":\"Secret\",\"attributes\":{\"value\":\"" CANARY "\"}}",
         BRANT_OK},
        {"graphs.import",
         "{\"graph\":\"g\",\"format\":\"graphology\",\"text\":\"{\\\"nodes\\\":[{\\\"key\\\":"
         "\\\"c\\\","
         "\\\"attributes\\\":{\\\"@type\\\":\\\"Secret\\\",\\\"value\\\":\\\"" CANARY "\\\"}}],"
         "\\\"edges\\\":[]}\"}",
         BRANT_OK},
        {"edges.put",
         "{\"graph\":\"g\",\"source\":\"a\",\"target\":\"c\",\"type\":\"Uses\",\"attributes\":{"
         "\"token\":"
         "\"" CANARY "\"}}",
         BRANT_OK},
        {"graphs.export", "{\"graph\":\"g\",\"format\":\"ndjson\"}", BRANT_OK},
    };
    brant_db *db = open_vault(*state);

    holds(db, "graphs.update", "\"changes\":true", "{\"name\":\"g\",\"changes\":true}");
    make_calls(db, calls, BRANT__COUNT(calls));
    no_trace(*state, CANARY);
    brant_db_free(db);
    all_wiped();
}

/* Keys and passwords leave nothing either, and what is refused before anybody knows that it is about a secret. */
static void load_ring(brant_db *db, brant_status wanted, const char *state, const char *more) {
    char json[512];
    snprintf(json, sizeof json,
             "{\"keys\":[{\"version\":1,\"key\":\"" KEY_1
             "\"},{\"version\":2,\"state\":\"%s\",\"password\":\"" CANARY
             "\",\"kdf\":{\"alg\":\"argon2id13\",\"s\":\"AAECAwQFBgcICQoLDA0ODw\",\"t\":2,"
             "\"m\":19922944}}]%s}",
             state, more);
    if (brant_keyring_load(db, TEXT(json)) != wanted)
        fail_msg("the ring: %s", brant_last_error()->message);
    if (wanted != BRANT_OK) no_trace_in_error(CANARY);
    assert_int_equal(holding(), 0);
}

#define CONTEXT(kind)                                                                              \
    "\"context\":{\"graph_id\":\"g\",\"kind\":\"" kind "\",\"key\":\"k\",\"path\":\"/v\"}"

static void test_rings(void **state) {
    static const secret_call calls[] = {
        {"nodes.put", PUT("a", "\"value\":\"" CANARY "\""), BRANT_OK},
        {"nodes.insert", PUT("a", "\"value\":\"" CANARY "\""), BRANT_EXISTS},
        {"nodes.put", "{\"graph\":\"no\",\"key\":\"a\",\"attributes\":{\"value\":\"" CANARY "\"}}",
         BRANT_NOT_FOUND},
        {"nodes.put", "{\"graph\":\"g\",\"key\":1,\"attributes\":{\"value\":\"" CANARY "\"}}",
         BRANT_INVALID},
        {"nodes.list", "{\"graph\":\"g\",\"filter\":{\"attributes.value\":\"" CANARY "\"}}",
         BRANT_INVALID},
        {"envelopes.seal", "{\"value\":\"" CANARY "\"," CONTEXT("node") "}", BRANT_OK},
        {"envelopes.seal", "{\"value\":\"" CANARY "\"," CONTEXT("nod") "}", BRANT_INVALID},
        {"keyring.derive", "{\"password\":\"" CANARY "\",\"kdf\":{\"t\":2,\"m\":19922944}}",
         BRANT_OK},
        {"keyring.derive", "{\"password\":\"" CANARY "\",\"kdf\":{\"t\":1,\"m\":19922944}}",
         BRANT_LIMIT},
        {"keyring.derive", "{\"password\":\"" CANARY "\",\"salt\":1}", BRANT_INVALID},
    };
    brant_db *db = open_vault(*state);

    load_ring(db, BRANT_INVALID, "active", "");
    load_ring(db, BRANT_INVALID, "decrypt_only", ",\"" CANARY "\":1");
    load_ring(db, BRANT_OK, "decrypt_only", "");
    make_calls(db, calls, BRANT__COUNT(calls));
    assert_int_equal(brant_keyring_unload(db), BRANT_OK);
    fails(db, "nodes.put", BRANT_NOT_FOUND, "", PUT("z", "\"value\":\"" CANARY "\""));
    assert_int_equal(holding(), 0);
    brant_db_free(db);
    all_wiped();
}

/* The tokens of keys and invitations, which the library makes: the handle keeps nothing of one that it made, or was given. */
static void test_tokens(void **state) {
    brant_db *db = open_identity(in_folder(*state, "identity.db"));
    const word account = new_account(db, "ann@example.com", "user");
    const word owner = new_account(db, "owner@example.com", "user");
    const word org = new_organization(db, "acme", owner.text);
    char *answer =
        ask(db, "api_keys.create", "{'owner_id':'%s','name':'k','scopes':['*:*']}", account.text);
    const word first = member_of(answer, "token"), id = take(answer, "id");
    assert_int_equal(holding_text(strrchr(first.text, '_')), 0);
    static const char *const names[] = {"api_keys.verify", "auth.authenticate"};
    for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
        tell(db, names[i], "{'token':'%s'}", first.text);
        assert_int_equal(holding_text(first.text), 0);
        refused(db, names[i], BRANT_AUTH, NULL, "{'token':'%s!'}", first.text);
        assert_int_equal(holding_text(first.text), 0);
        refused(db, names[i], BRANT_INVALID, NULL, "{'token':'%s','%s':1}", first.text, first.text);
        assert_int_equal(holding_text(first.text), 0);
    }
    const word second = take(ask(db, "api_keys.rotate", "{'id':'%s'}", id.text), "token");
    assert_int_equal(holding_text(strrchr(second.text, '_')), 0);
    const word invited =
        take(ask(db, "invitations.create", "{'org_id':'%s','email':'ann@example.com'}", org.text),
             "token");
    assert_int_equal(holding_text(strrchr(invited.text, '_')), 0);
    refused(db, "invitations.accept", BRANT_DENIED, NULL, "{'token':'%s','account_id':'%s'}",
            invited.text, owner.text);
    assert_int_equal(holding_text(invited.text), 0);
    tell(db, "invitations.reject", "{'token':'%s'}", invited.text);
    assert_int_equal(holding_text(invited.text), 0);
    brant_db_free(db);
    all_wiped();
}

int main(void) {
    static const brant_allocator allocator = {allocate, release, NULL};
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_seam),
        GRAPH_TEST(test_calls),
        GRAPH_TEST(test_secret),
        GRAPH_TEST(test_encrypted),
        GRAPH_TEST(test_rings),
        cmocka_unit_test_setup_teardown(test_tokens, set_up_folder, tear_down_folder),
    };
    brant_allocator_set(&allocator);
    return cmocka_run_group_tests_name("wipe", tests, NULL, NULL);
}
