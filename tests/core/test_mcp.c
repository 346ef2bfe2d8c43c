/*
 * The server of the Model Context Protocol without its transport: scopes, tokens, schemas, messages, cancellation before a call, want of memory. tests/mcp has the clients.
 */
#include "failing_allocator.h"
#include "mcp/mcp.h"

typedef struct heard {
    yyjson_doc *last; /* the answer that came last */
    size_t count;
} heard;

static void hear(void *context, const char *json, size_t length) {
    heard *self = context;

    assert_null(memchr(json, '\n', length));
    yyjson_doc_free(self->last);
    self->last = yyjson_read(json, length, 0);
    assert_non_null(self->last);
    self->count++;
}

static yyjson_val *at(const heard *self, const char *pointer) {
    return yyjson_ptr_get(yyjson_doc_get_root(self->last), pointer);
}

static void say(mcp_server *server, const char *message) {
    mcp_server_handle(server, message, strlen(message));
}

static const char hello[] =
    "{\"jsonrpc\":\"2.0\",\"id\":0,\"method\":\"initialize\",\"params\":{\"protocolVersion\":"
    "\"2025-"
    "11-25\",\"capabilities\":{},\"clientInfo\":{\"name\":\"test\",\"version\":\"1\"}}}";

static mcp_server *begin(brant_db *db, heard *ears, const mcp_options *options) {
    mcp_server *server = NULL;

    assert_int_equal(mcp_server_new(&server, db, NULL, NULL, 0, options, hear, ears), BRANT_OK);
    say(server, hello);
    say(server, "{\"jsonrpc\":\"2.0\",\"method\":\"notifications/initialized\"}");
    return server;
}

static brant_db *open_memory(void) {
    brant_db *db = NULL;

    assert_int_equal(brant_open(&db, TEXT(":memory:"), "", 0), BRANT_OK);
    return db;
}

static void test_scopes(void **state) {
    (void)state;
    assert_true(mcp_scope_covers("*:*", "nodes:read"));
    assert_true(mcp_scope_covers("*:read", "nodes:read"));
    assert_true(mcp_scope_covers("nodes:*", "nodes:read"));
    assert_true(mcp_scope_covers("nodes:read", "nodes:read"));
    assert_false(mcp_scope_covers("nodes:read", "nodes:write"));
    assert_false(mcp_scope_covers("node:read", "nodes:read"));
    assert_false(mcp_scope_covers("nodes:rea", "nodes:read"));
    assert_false(mcp_scope_covers("nodes", "nodes:read"));
    assert_false(mcp_scope_covers("*", "nodes:read"));
}

static void test_tokens(void **state) {
    (void)state;
    assert_int_equal(mcp_tokens("", 0), 0);
    assert_int_equal(mcp_tokens(TEXT("abcd")), 1);
    assert_int_equal(mcp_tokens(TEXT("abcde")), 2);
    assert_int_equal(mcp_tokens(TEXT("\xe6\x97\xa5\xe6\x9c\xac")), 2);
}

static void test_shorten(void **state) {
    mcp_answer answer = {0};
    mcp_buffer json = {0};
    yyjson_doc *doc, *schema;

    (void)state;
    mcp_append_text(&json, "{\"key\":\"k\",\"state\":\"ready\",\"attributes\":{\"text\":\"");
    for (int i = 0; i < 20000; i++)
        mcp_append_text(&json, "\xc3\xa9");
    mcp_append_text(&json, "\"},\"list\":[0");
    for (int i = 0; i < 5000; i++)
        mcp_append_text(&json, ",1");
    mcp_append_text(&json, "]}");
    doc = yyjson_read(json.data, json.length, 0);
    assert_non_null(doc);
    schema = yyjson_read(TEXT("{\"type\":\"object\",\"required\":[\"key\",\"state\",\"list\"],"
                              "\"properties\":{\"state\":{\"enum\":[\"ready\"]}}}"),
                         0);
    answer.doc = yyjson_doc_mut_copy(doc, NULL);
    assert_true(mcp_shorten(&answer, 300, yyjson_doc_get_root(schema)));
    assert_true(mcp_document_tokens(yyjson_mut_doc_get_root(answer.doc)) <= 300);
    yyjson_mut_val *root = yyjson_mut_doc_get_root(answer.doc);
    assert_true(yyjson_mut_equals_str(yyjson_mut_obj_get(root, "state"), "ready"));
    assert_int_equal(yyjson_mut_obj_size(root), 4);
    const char *text = yyjson_mut_get_str(yyjson_mut_doc_ptr_get(answer.doc, "/attributes/text"));
    assert_non_null(strstr(text, "(40000 bytes in all)"));
    assert_non_null(strstr(answer.notice, "/attributes/text"));
    assert_non_null(strstr(answer.notice, "5001"));
    mcp_answer_free(&answer);
    yyjson_doc_free(doc);
    yyjson_doc_free(schema);
    mcp_buffer_free(&json);
}

static void test_schema(void **state) {
    static const char given[] =
        "{\"$ref\":\"#/$defs/a\",\"$defs\":{\"a\":{\"type\":\"object\",\"properties\":{\"next\":{"
        "\"$ref\":\"#/$defs/a\"},\"t\":{\"$ref\":\"m#/$defs/TNode\"},\"x\":{\"$ref\":\"z#/q\"}}},"
        "\"unused\":{},\"m\":{\"$id\":\"m\",\"$defs\":{\"TNode\":{\"$ref\":\"#/$defs/U\"},\"U\":{"
        "\"type\":\"string\"}}}}}";
    static const char wanted[] =
        "{\"type\":\"object\",\"properties\":{\"next\":{\"$ref\":\"#/$defs/a\"},\"t\":{\"$ref\":"
        "\"#/$defs/m.TNode\"},\"x\":{}},\"$defs\":{\"a\":{\"type\":\"object\","
        "\"properties\":{\"next\":{\"$ref\":\"#/$defs/a\"},\"t\":{\"$ref\":\"#/$defs/m.TNode\"},"
        "\"x\":{}}},\"m.TNode\":{\"$ref\":\"#/$defs/m.U\"},\"m.U\":{\"type\":\"string\"}}}";
    yyjson_doc *schema = yyjson_read(given, sizeof given - 1, 0);
    yyjson_doc *other = yyjson_read(wanted, sizeof wanted - 1, 0);
    yyjson_mut_doc *doc = yyjson_mut_doc_new(NULL);

    (void)state;
    yyjson_mut_doc_set_root(doc, mcp_schema(doc, yyjson_doc_get_root(schema)));
    yyjson_mut_doc *copy = yyjson_doc_mut_copy(other, NULL);
    assert_true(yyjson_mut_equals(yyjson_mut_doc_get_root(doc), yyjson_mut_doc_get_root(copy)));
    yyjson_mut_doc_free(copy);
    yyjson_mut_doc_free(doc);
    yyjson_doc_free(other);
    yyjson_doc_free(schema);
}

static void test_messages(void **state) {
    const mcp_options options = {.write = true};
    brant_db *db = open_memory();
    heard ears = {0};
    mcp_server *server = begin(db, &ears, &options);

    (void)state;
    assert_string_equal(yyjson_get_str(at(&ears, "/result/protocolVersion")), "2025-11-25");
    say(server,
        "{\"jsonrpc\":\"2.0\",\"id\":1,\"method\":\"tools/call\",\"params\":{\"name\":\"graphs_"
        "create\",\"arguments\":{\"name\":\"g\",\"graph_type\":\"open\"}}}");
    assert_string_equal(yyjson_get_str(at(&ears, "/result/structuredContent/name")), "g");
    say(server, "nonsense");
    assert_int_equal(yyjson_get_int(at(&ears, "/error/code")), MCP_PARSE_ERROR);
    mcp_server_overlong(server);
    assert_int_equal(yyjson_get_int(at(&ears, "/error/code")), MCP_INVALID_REQUEST);
    /* Cancelled before it began: no answer, and nothing is done. */
    const size_t before = ears.count;
    static const char cancel[] = "{\"jsonrpc\":\"2.0\",\"method\":\"notifications/cancelled\","
                                 "\"params\":{\"requestId\":\"7\"}}";
    static const char put[] =
        "{\"jsonrpc\":\"2.0\",\"id\":\"7\",\"method\":\"tools/call\",\"params\":{\"name\":"
        "\"nodes_put\",\"arguments\":{\"graph\":\"g\",\"key\":\"a\"}}}";
    mcp_server_peek(server, cancel, sizeof cancel - 1);
    say(server, put);
    say(server, cancel);
    assert_int_equal(ears.count, before);
    say(server, "{\"jsonrpc\":\"2.0\",\"id\":7,\"method\":\"tools/call\",\"params\":{\"name\":"
                "\"nodes_count\",\"arguments\":{\"graph\":\"g\"}}}");
    assert_int_equal(yyjson_get_int(at(&ears, "/result/structuredContent/count")), 0);
    /* A cancellation of nothing is passed over. */
    mcp_server_peek(server, cancel, sizeof cancel - 1);
    say(server, cancel);
    say(server, put);
    assert_true(yyjson_get_bool(at(&ears, "/result/structuredContent/created")));
    yyjson_doc_free(ears.last);
    mcp_server_free(server);
    brant_db_free(db);
}

#define META                                                                                       \
    "\"_meta\":{\"io.modelcontextprotocol/protocolVersion\":\"2026-07-28\","                       \
    "\"io.modelcontextprotocol/clientCapabilities\":{}}"

/* Without a handshake: each request says its version, and what it is told of has its id. */
static void test_stateless(void **state) {
    static const char put[] =
        "{\"jsonrpc\":\"2.0\",\"id\":3,\"method\":\"tools/call\",\"params\":{" META
        ",\"name\":\"nodes_put\",\"arguments\":{\"graph\":\"g\",\"key\":\"a\"}}}";
    static const char graph[] = "{\"name\":\"g\",\"graph_type\":\"open\"}";
    const mcp_options options = {.write = true};
    brant_db *db = open_memory();
    heard ears = {0};
    mcp_server *server = NULL;
    char *json = NULL;
    size_t length;

    (void)state;
    assert_int_equal(brant_graph_create(&json, &length, db, graph, sizeof graph - 1), BRANT_OK);
    brant_free(json);
    assert_int_equal(mcp_server_new(&server, db, NULL, NULL, 0, &options, hear, &ears), BRANT_OK);
    say(server, "{\"jsonrpc\":\"2.0\",\"id\":1,\"method\":\"tools/list\"}");
    assert_int_equal(yyjson_get_int(at(&ears, "/error/code")), MCP_INVALID_PARAMS);
    say(server,
        "{\"jsonrpc\":\"2.0\",\"id\":1,\"method\":\"server/discover\",\"params\":{" META "}}");
    assert_string_equal(yyjson_get_str(at(&ears, "/result/supportedVersions/0")), MCP_STATELESS);
    assert_string_equal(yyjson_get_str(at(&ears, "/result/resultType")), "complete");
    say(server,
        "{\"jsonrpc\":\"2.0\",\"id\":2,\"method\":\"subscriptions/listen\",\"params\":{" META
        ",\"notifications\":{\"resourceSubscriptions\":[\"brant://graphs/g/nodes/a\"]}}}");
    assert_string_equal(yyjson_get_str(at(&ears, "/method")),
                        "notifications/subscriptions/acknowledged");
    say(server, put);
    assert_string_equal(yyjson_get_str(at(&ears, "/result/resultType")), "complete");
    mcp_server_tick(server);
    assert_string_equal(yyjson_get_str(at(&ears, "/method")), "notifications/resources/updated");
    assert_int_equal(
        yyjson_get_int(at(&ears, "/params/_meta/io.modelcontextprotocol~1subscriptionId")), 2);
    say(server, "{\"jsonrpc\":\"2.0\",\"method\":\"notifications/cancelled\",\"params\":{"
                "\"requestId\":2}}");
    say(server, put);
    const size_t before = ears.count;
    mcp_server_tick(server);
    assert_int_equal(ears.count, before);
    yyjson_doc_free(ears.last);
    mcp_server_free(server);
    brant_db_free(db);
}

static void *say_endless(void *server) {
    say(server,
        "{\"jsonrpc\":\"2.0\",\"id\":7,\"method\":\"tools/call\",\"params\":{\"name\":\"sql_"
        "execute\",\"arguments\":{\"sql\":\"WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + "
        "1 FROM n) SELECT max(i) FROM n\"}}}");
    return NULL;
}

/* A cancellation whose interrupt came before the operation had begun: another is sent, as long as the call runs. */
static void test_cancelled_too_early(void **state) {
    const mcp_options options = {.tools = "sql.execute", .scopes = "*:*"};
    brant_db *db = open_memory();
    heard ears = {0};
    mcp_server *server = begin(db, &ears, &options);
    const size_t before = ears.count;
    pthread_t thread;
    int reminded = 0;

    (void)state;
    assert_false(mcp_server_remind(server)); /* nothing runs */
    assert_int_equal(pthread_create(&thread, NULL, say_endless, server), 0);
    for (bool runs = false; !runs; pause_ms(1)) {
        pthread_mutex_lock(&server->guard);
        runs = server->running != NULL;
        if (runs) assert_string_equal(server->running, "7");
        pthread_mutex_unlock(&server->guard);
    }
    assert_false(mcp_server_remind(server)); /* nobody cancelled it */
    atomic_store(&server->cancelled, true);
    while (mcp_server_remind(server)) {
        reminded++;
        pause_ms(1);
    }
    pthread_join(thread, NULL);
    assert_true(reminded > 0);
    assert_int_equal(ears.count, before); /* it is not answered */
    yyjson_doc_free(ears.last);
    mcp_server_free(server);
    brant_db_free(db);
}

/* The library's memory runs out at each place in turn: an answer all the same, and the next call goes well. */
static void test_want_of_memory(void **state) {
    static const char *const messages[] = {
        "{\"jsonrpc\":\"2.0\",\"id\":1,\"method\":\"tools/call\",\"params\":{\"name\":\"create_"
        "relations\",\"arguments\":{\"relations\":[{\"from\":\"a\",\"to\":\"b\",\"relationType\":"
        "\"r\"}]}}}",
        "{\"jsonrpc\":\"2.0\",\"id\":2,\"method\":\"tools/call\",\"params\":{\"name\":\"create_"
        "entities\",\"arguments\":{\"entities\":[{\"name\":\"a\",\"entityType\":\"t\","
        "\"observations\":[\"x\"]}]}}}",
        "{\"jsonrpc\":\"2.0\",\"id\":3,\"method\":\"tools/call\",\"params\":{\"name\":\"search_"
        "nodes\",\"arguments\":{\"query\":\"x\"}}}",
    };
    const mcp_options options = {.memory = true, .write = true};
    brant_db *db = open_memory();
    heard ears = {0};
    mcp_server *server = begin(db, &ears, &options);

    (void)state;
    for (size_t i = 0; i < sizeof messages / sizeof *messages; i++) {
        for (long fail = 0; fail < 400; fail += 7) {
            const size_t before = ears.count;
            countdown = fail;
            say(server, messages[i]);
            countdown = -1;
            assert_true(ears.count > before);
        }
        say(server, messages[i]);
        assert_null(at(&ears, "/result/isError"));
    }
    assert_string_equal(yyjson_get_str(at(&ears, "/result/structuredContent/entities/0/name")),
                        "a");
    yyjson_doc_free(ears.last);
    mcp_server_free(server);
    brant_db_free(db);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_scopes),
        cmocka_unit_test(test_tokens),
        cmocka_unit_test(test_shorten),
        cmocka_unit_test(test_schema),
        cmocka_unit_test(test_messages),
        cmocka_unit_test(test_stateless),
        cmocka_unit_test(test_cancelled_too_early),
        cmocka_unit_test(test_want_of_memory),
    };

    if (!failing_allocator_install()) return 1;
    return cmocka_run_group_tests(tests, NULL, NULL);
}
