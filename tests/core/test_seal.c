/*
 * tests/core/test_seal.c: attributes that their type encrypts: what the writers of nodes and edges make of plaintexts, envelopes and {"$redacted":true}, what reads answer, and opening.
 */
#include "test_seal.h"

/* ---- plaintexts ------------------------------------------------------------------------------ */

static void test_put_seals(void **state) {
    brant_db *db = open_vault(*state);

    holds(db, "nodes.put", "\"revision\":1", PUT("a", "\"value\":\"canary-1\",\"note\":\"n\""));
    must_be_sealed(db, "a", "/value");
    opens(db, "a", "attributes.value", "\"canary-1\"", 1);
    opens(db, "a", "attributes/value", "\"canary-1\"", 1);
    holds(db, "nodes.get", "\"note\":\"n\"", GET("a"));
    /* Each time anew, and the kinds of values survive. */
    for (size_t i = 0; i < 6; i++) {
        static const char *const values[] = {"null", "1.5", "[1,{\"a\":2}]", "true", "{}", "\"\""};
        holds(db, "nodes.put", "\"created\":false", PUT("a", "\"value\":%s"), values[i]);
        must_be_sealed(db, "a", "/value");
        opens(db, "a", "attributes.value", values[i], 1);
    }
    /* In depth, and what is beside it stays. */
    holds(db, "nodes.put", "\"created\":true",
          PUT("b", "\"db\":{\"host\":\"h\",\"a/b~\":{\"user\":\"canary-2\"},\"port\":1}"));
    must_be_sealed(db, "b", "/db/a~1b~0");
    holds(db, "nodes.get", "{\"db\":{\"host\":\"h\",\"a/b~\":{\"$enc\":2,", GET("b"));
    holds(db, "nodes.get", "},\"port\":1}}", GET("b"));
    opens(db, "b", "attributes/db/a~1b~0", "{\"user\":\"canary-2\"}", 1);
    no_trace(*state, "canary-1");
    no_trace(*state, "canary-2");
    brant_db_free(db);
}

static void test_batches(void **state) {
    brant_db *db = open_vault(*state);
    char key[16], value[32];

    holds(db, "nodes.put_many", "{\"created\":3,\"updated\":0}",
          "{\"graph\":\"g\",\"items\":[{\"key\":\"a\",\"type\":\"Secret\",\"attributes\":{"
          "\"value\":1}},"
          "{\"key\":\"p\",\"type\":\"Plain\",\"attributes\":{\"value\":\"seen\"}},"
          "{\"key\":\"b\",\"type\":\"Secret\",\"attributes\":{\"value\":2}}]}");
    opens(db, "a", "attributes.value", "1", 1);
    opens(db, "b", "attributes.value", "2", 1);
    holds(db, "nodes.get", "\"attributes\":{\"value\":\"seen\"}", GET("p"));
    /* A key that comes twice: the second keeps what the first made. */
    holds(db, "nodes.put_many", "{\"created\":1,\"updated\":3}",
          "{\"graph\":\"g\",\"items\":["
          "{\"key\":\"c\",\"type\":\"Secret\",\"attributes\":{\"value\":\"first\"}},"
          "{\"key\":\"c\",\"attributes\":{\"value\":" REDACTED ",\"note\":\"n\"}},"
          "{\"key\":\"a\",\"attributes\":{\"value\":3}},{\"key\":\"a\",\"attributes\":{\"value\":4}"
          "}]}");
    opens(db, "c", "attributes.value", "\"first\"", 1);
    holds(db, "nodes.get", "\"note\":\"n\"", GET("c"));
    opens(db, "a", "attributes.value", "4", 1);
    holds(db, "nodes.put_many", "{\"created\":0,\"updated\":2}",
          "{\"graph\":\"g\",\"items\":[{\"key\":\"a\",\"attributes\":{\"value\":5}},"
          "{\"key\":\"a\",\"attributes\":{\"value\":" REDACTED "}}]}");
    opens(db, "a", "attributes.value", "5", 1);
    /* Many rows of one statement, each its own. */
    {
        char items[8192] = "";
        for (int i = 0; i < 40; i++)
            snprintf(
                items + strlen(items), 128,
                "%s{\"key\":\"m%d\",\"type\":\"Secret\",\"attributes\":{\"value\":\"canary-%d\"}}",
                i ? "," : "", i, i);
        holds(db, "nodes.insert_many", "\"created\":40", "{\"graph\":\"g\",\"items\":[%s]}", items);
    }
    for (int i = 0; i < 40; i++) {
        snprintf(key, sizeof(key), "m%d", i);
        snprintf(value, sizeof(value), "\"canary-%d\"", i);
        must_be_sealed(db, key, "/value");
        opens(db, key, "attributes.value", value, 1);
    }
    /* Lines, and faults of single items. */
    holds(db, "nodes.put_many", "\"created\":1,\"updated\":0,\"failed\":2",
          "{\"graph\":\"g\",\"errors\":\"skip\",\"items\":\""
          "{\\\"key\\\":\\\"x\\\",\\\"type\\\":\\\"Secret\\\",\\\"attributes\\\":{\\\"value\\\":{"
          "\\\"$redacted\\\":true}}}\\n"
          "{\\\"key\\\":\\\"y\\\",\\\"type\\\":\\\"Secret\\\",\\\"attributes\\\":{\\\"value\\\":"
          "\\\"canary-y\\\"}}\\n"
          "{\\\"key\\\":\\\"z\\\",\\\"type\\\":\\\"Secret\\\",\\\"attributes\\\":{\\\"value\\\":{"
          "\\\"$enc\\\":2}}}\"}");
    opens(db, "y", "attributes.value", "\"canary-y\"", 1);
    is(db, "nodes.exists", "{\"exists\":false}", GET("x"));
    no_trace(*state, "canary-");
    healthy(db);
    brant_db_free(db);
}

static void test_without_a_ring(void **state) {
    brant_db *db = open_vault(*state);

    holds(db, "nodes.put", "\"revision\":1", PUT("a", "\"value\":\"v\""));
    assert_int_equal(brant_keyring_unload(db), BRANT_OK);
    for (int active = 0; active < 2; active++) {
        if (active)
            must_load(db, "{\"keys\":[{\"version\":1,\"state\":\"decrypt_only\",\"key\":\"" KEY_1
                          "\"}]}");
        fails(db, "nodes.put", BRANT_NOT_FOUND, "key", PUT("b", "\"value\":\"canary\""));
        fails(db, "nodes.insert", BRANT_NOT_FOUND, "key", PUT("b", "\"value\":\"canary\""));
        fails(db, "nodes.put", BRANT_NOT_FOUND, "key", PUT("a", "\"value\":\"canary\""));
        fails(db, "nodes.patch", BRANT_NOT_FOUND, "key",
              "{\"graph\":\"g\",\"key\":\"a\",\"attributes\":{\"value\":\"canary\"}}");
        fails(db, "nodes.put_many", BRANT_NOT_FOUND, "item 1",
              "{\"graph\":\"g\",\"items\":[{\"key\":\"p\",\"type\":\"Plain\"},{\"key\":\"b\","
              "\"type\":"
              "\"Secret\",\"attributes\":{\"value\":\"canary\"}}]}");
        detail_holds("\"code\":\"NOT_FOUND\"");
        is(db, "nodes.exists", "{\"exists\":false}", GET("b"));
        is(db, "nodes.exists", "{\"exists\":false}", GET("p"));
        /* What needs none: a type that encrypts, without a secret; the envelope as it is. */
        holds(db, "nodes.put", "\"created\":", PUT("c", "\"note\":\"n\""));
        holds(db, "nodes.patch", "\"changed\":true",
              "{\"graph\":\"g\",\"key\":\"a\",\"attributes\":{\"note\":\"m%d\"}}", active);
        put_back(db, "a");
    }
    opens(db, "a", "attributes.value", "\"v\"", 1);
    assert_int_equal(brant_keyring_unload(db), BRANT_OK);
    fails(db, "nodes.open_secret", BRANT_NOT_FOUND, "", OPEN("a", "attributes.value"));
    no_trace(*state, "canary");
    brant_db_free(db);
}

static void test_violations_hide_the_value(void **state) {
    brant_db *db = open_vault(*state);

    fails(db, "nodes.put", BRANT_VALIDATION, "", PUT("a", "\"pin\":\"canary-short\""));
    no_trace_in_error("canary");
    fails(db, "nodes.put_many", BRANT_VALIDATION, "",
          "{\"graph\":\"g\",\"items\":[{\"key\":\"a\",\"type\":\"Secret\",\"attributes\":{\"pin\":"
          "\"canary-x\"}}]}");
    no_trace_in_error("canary");
    holds(db, "nodes.put", "\"created\":true", PUT("a", "\"pin\":123456"));
    fails(db, "nodes.patch", BRANT_VALIDATION, "",
          "{\"graph\":\"g\",\"key\":\"a\",\"attributes\":{\"pin\":\"canary-y\"}}");
    no_trace_in_error("canary");
    opens(db, "a", "attributes.pin", "123456", 1);
    brant_db_free(db);
}

/* ---- envelopes ------------------------------------------------------------------------------- */

static void test_envelopes(void **state) {
    brant_db *db = open_vault(*state);
    char *a, *stale, *old;

    holds(db, "nodes.put", "\"created\":true", PUT("a", "\"value\":\"one\""));
    holds(db, "nodes.put", "\"created\":true", PUT("b", "\"value\":\"two\""));
    a = envelope(db, "a", "/value");
    /* As it is stored: kept to the byte. */
    holds(db, "nodes.put", "\"revision\":2", PUT("a", "\"value\":%s"), a);
    must_be(db, "a", "/value", a);
    /* An older one of this place: it opens, so it may come back. */
    holds(db, "nodes.put", "\"revision\":3", PUT("a", "\"value\":\"three\""));
    holds(db, "nodes.put", "\"revision\":4", PUT("a", "\"value\":%s"), a);
    opens(db, "a", "attributes.value", "\"one\"", 1);
    /* Of another node, another attribute, another graph. */
    fails(db, "nodes.put", BRANT_INVALID,
          "/value: looks like an envelope and is none of this place", PUT("b", "\"value\":%s"), a);
    fails(db, "nodes.put", BRANT_INVALID, "/pin: looks like an envelope", PUT("a", "\"pin\":%s"),
          a);
    fails(db, "nodes.put", BRANT_INVALID, "/value: looks like", PUT("new", "\"value\":%s"), a);
    holds(db, "graphs.create", "\"id\":", "{\"name\":\"h\",\"graph_type\":\"vault\"}");
    fails(db, "nodes.put", BRANT_INVALID, "/value: looks like",
          "{\"graph\":\"h\",\"key\":\"a\",\"type\":\"Secret\",\"attributes\":{\"value\":%s}}", a);
    /* Whatever only looks like one. */
    for (size_t i = 0; i < 6; i++) {
        static const char *const values[] = {
            "{\"$enc\":2}",         "{\"$enc\":1,\"canary\":1}",       "{\"$enc\":null}",
            "{\"a\":1,\"$enc\":0}", "{\"$enc\":2,\"$redacted\":true}", "{\"$enc\":\"canary\"}"};
        fails(db, "nodes.put", BRANT_INVALID, "/value: looks like", PUT("a", "\"value\":%s"),
              values[i]);
        no_trace_in_error("canary");
    }
    opens(db, "b", "attributes.value", "\"two\"", 1);
    /* A key that is not the active one: what comes in is sealed anew, what stays stays. */
    must_load(db, RING_2);
    holds(db, "nodes.put", "\"revision\":5", PUT("a", "\"value\":%s"), a);
    must_be(db, "a", "/value", a);
    holds(db, "nodes.put", "\"revision\":6", PUT("a", "\"value\":\"four\""));
    stale = envelope(db, "a", "/value");
    opens(db, "a", "attributes.value", "\"four\"", 2);
    holds(db, "nodes.put", "\"revision\":7", PUT("a", "\"value\":%s"), a);
    opens(db, "a", "attributes.value", "\"one\"", 2);
    /* A key that the ring does not have. */
    old = envelope(db, "a", "/value");
    holds(db, "nodes.put", "\"revision\":8", PUT("a", "\"value\":\"five\""));
    must_load(db, "{\"keys\":[{\"version\":1,\"key\":\"" KEY_1 "\"}]}");
    fails(db, "nodes.put", BRANT_INVALID, "/value: looks like", PUT("a", "\"value\":%s"), old);
    fails(db, "nodes.open_secret", BRANT_NOT_FOUND, "", OPEN("a", "attributes.value"));
    /* No ring: nothing can say what it is. */
    assert_int_equal(brant_keyring_unload(db), BRANT_OK);
    fails(db, "nodes.put", BRANT_NOT_FOUND, "key", PUT("a", "\"value\":%s"), stale);
    free(a);
    free(stale);
    free(old);
    brant_db_free(db);
}

/* Whoever seals by himself is held to the type's rules, too. */
static void test_given_plaintexts(void **state) {
    static const struct {
        const char *pin;
        const char *why; /* NULL: it is good */
    } cases[] = {
        {"123456", NULL},
        {"\"canary\"", "/pin: what the envelope holds does not satisfy the type"},
        {"{\"$enc\":2,\"a\":\"canary\"}", "/pin: the envelope holds what only looks like"},
        {"{\"$redacted\":true}", "/pin: the envelope holds what only looks like"},
    };
    brant_db *db = open_vault(*state);
    char graph_id[64];

    snprintf(graph_id, sizeof graph_id, "%s",
             strstr(answer(db, "graphs.get", "{\"name\":\"g\"}"), "\"id\":\"") + 6);
    *strchr(graph_id, '"') = '\0';
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        char sealed[512];
        snprintf(sealed, sizeof sealed, "%s",
                 answer(db, "envelopes.seal",
                        "{\"value\":%s,\"context\":{\"graph_id\":\"%s\",\"kind\":\"node\",\"key\":"
                        "\"a\",\"path\":\"/pin\"}}",
                        cases[i].pin, graph_id));
        if (!cases[i].why)
            holds(db, "nodes.put", "\"revision\":1", PUT("a", "\"pin\":%s"), sealed);
        else
            fails(db, "nodes.put", BRANT_INVALID, cases[i].why, PUT("a", "\"pin\":%s"), sealed);
        no_trace_in_error("canary");
    }
    opens(db, "a", "attributes.pin", "123456", 1);
    no_trace(*state, "canary");
    brant_db_free(db);
}

/* A ring from elsewhere that has another key under the same number would seal what nobody can tell from the rest. */
static void test_one_version_one_key(void **state) {
    static const char other[] = "{\"keys\":[{\"version\":1,\"key\":\"" KEY_2 "\"}]}";
    static const char why[] = "version 1 in the key ring is another key";
    brant_db *db = open_vault(*state);

    /* Nothing is remembered of what was rolled back. */
    must_load(db, other);
    holds(db, "transaction.begin", "depth", "{}");
    holds(db, "nodes.put", "\"revision\":1", PUT("a", "\"value\":\"one\""));
    holds(db, "transaction.rollback", "depth", "{}");
    must_load(db, "{\"keys\":[{\"version\":1,\"key\":\"" KEY_1 "\"}]}");
    holds(db, "transaction.begin", "depth", "{}");
    holds(db, "transaction.begin", "depth", "{}");
    holds(db, "nodes.put", "\"revision\":1", PUT("a", "\"value\":\"none\""));
    holds(db, "transaction.rollback", "depth", "{}");
    holds(db, "nodes.put", "\"revision\":1", PUT("a", "\"value\":\"one\""));
    holds(db, "transaction.commit", "depth", "{}");
    must_load(db, other);
    fails(db, "nodes.put", BRANT_CONFLICT, why, PUT("a", "\"value\":\"two\""));
    fails(db, "nodes.put", BRANT_CONFLICT, why, PUT("b", "\"value\":\"two\""));
    fails(db, "nodes.patch", BRANT_CONFLICT, why,
          "{\"graph\":\"g\",\"key\":\"a\",\"attributes\":{\"value\":\"two\"}}");
    fails(db, "secrets.rotate", BRANT_CONFLICT, why, "{}");
    fails(db, "nodes.open_secret", BRANT_AUTH, "", OPEN("a", "attributes.value"));
    holds(db, "nodes.put", "\"revision\":2", PUT("a", "\"note\":\"n\",\"value\":" REDACTED));
    /* As a version of its own it is welcome. */
    must_load(db, "{\"keys\":[{\"version\":1,\"state\":\"decrypt_only\",\"key\":\"" KEY_1
                  "\"},{\"version\":2,\"key\":\"" KEY_2 "\"}]}");
    holds(db, "secrets.rotate", "\"rewrapped\":1", "{}");
    opens(db, "a", "attributes.value", "\"one\"", 2);
    brant_db_free(db);
}

static void test_redacted(void **state) {
    brant_db *db = open_vault(*state);
    char *a;

    holds(db, "nodes.put", "\"created\":true", PUT("a", "\"value\":\"one\",\"note\":\"n\""));
    a = envelope(db, "a", "/value");
    assert_int_equal(brant_keyring_unload(db), BRANT_OK);
    holds(db, "nodes.put", "\"revision\":2", PUT("a", "\"value\":" REDACTED));
    must_be(db, "a", "/value", a);
    fails(db, "nodes.put", BRANT_INVALID, "/value: is redacted, and nothing is stored there",
          PUT("b", "\"value\":" REDACTED));
    fails(db, "nodes.put", BRANT_INVALID, "/pin: is redacted", PUT("a", "\"pin\":" REDACTED));
    for (size_t i = 0; i < 3; i++) {
        static const char *const values[] = {"{\"$redacted\":false}", "{\"$redacted\":1}",
                                             "{\"$redacted\":true,\"canary\":1}"};
        fails(db, "nodes.put", BRANT_INVALID, "/value: an object with $redacted is",
              PUT("a", "\"value\":%s"), values[i]);
        no_trace_in_error("canary");
    }
    /* A fault of its own leaves the others as they would be without it. */
    must_load(db, RING_1);
    holds(db, "nodes.put_many", "\"created\":1,\"updated\":0,\"failed\":1",
          "{\"graph\":\"g\",\"errors\":\"skip\",\"items\":["
          "{\"key\":\"x\",\"type\":\"Secret\",\"attributes\":{\"value\":" REDACTED "}},"
          "{\"key\":\"x\",\"type\":\"Secret\",\"attributes\":{\"value\":1}}]}");
    opens(db, "x", "attributes.value", "1", 1);
    free(a);
    brant_db_free(db);
}

/* ---- patches --------------------------------------------------------------------------------- */

#define PATCH(key, members) "{\"graph\":\"g\",\"key\":\"" key "\",\"attributes\":{" members "}}"

static void test_patch(void **state) {
    brant_db *db = open_vault(*state);
    char *before;

    holds(db, "nodes.put", "\"created\":true",
          PUT("a", "\"value\":{\"user\":\"u\",\"password\":\"canary-1\"},\"pin\":123456,\"db\":{"
                   "\"host\":\"h\"}"));
    before = envelope(db, "a", "/value");
    /* What it does not touch stays to the byte; what changes nothing changes nothing. */
    holds(db, "nodes.patch", "\"changed\":true", PATCH("a", "\"note\":\"n\""));
    must_be(db, "a", "/value", before);
    holds(db, "nodes.patch", "\"revision\":2,\"changed\":false", PATCH("a", "\"note\":\"n\""));
    holds(db, "nodes.patch", "\"revision\":2,\"changed\":false", PATCH("a", "\"value\":" REDACTED));
    holds(db, "nodes.patch", "\"revision\":2,\"changed\":false", PATCH("a", "\"value\":%s"),
          before);
    must_be(db, "a", "/value", before);
    /* Into the secret: opened, merged, sealed. */
    holds(db, "nodes.patch", "\"changed\":true",
          PATCH("a", "\"value\":{\"password\":\"canary-2\",\"user\":null,\"n\":1}"));
    must_be_sealed(db, "a", "/value");
    opens(db, "a", "attributes.value", "{\"password\":\"canary-2\",\"n\":1}", 1);
    /* Replaced, removed, new, in an object that is there or not. */
    holds(db, "nodes.patch", "\"changed\":true", PATCH("a", "\"value\":[\"canary-3\"]"));
    opens(db, "a", "attributes.value", "[\"canary-3\"]", 1);
    holds(db, "nodes.patch", "\"changed\":true",
          PATCH("a", "\"db\":{\"a/b~\":{\"x\":\"canary-4\"}}"));
    must_be_sealed(db, "a", "/db/a~1b~0");
    holds(db, "nodes.patch", "\"changed\":true", PATCH("a", "\"db\":{\"a/b~\":{\"y\":2}}"));
    opens(db, "a", "attributes/db/a~1b~0", "{\"x\":\"canary-4\",\"y\":2}", 1);
    holds(db, "nodes.patch", "\"changed\":true", PATCH("a", "\"value\":null"));
    fails(db, "nodes.open_secret", BRANT_NOT_FOUND, "has no \"attributes.value\"",
          OPEN("a", "attributes.value"));
    holds(db, "nodes.patch", "\"changed\":true", PATCH("a", "\"db\":null"));
    fails(db, "nodes.open_secret", BRANT_NOT_FOUND, "has no", OPEN("a", "attributes/db/a~1b~0"));
    holds(db, "nodes.patch", "\"changed\":true",
          PATCH("a", "\"db\":{\"a/b~\":{\"z\":\"canary-5\",\"n\":null}}"));
    opens(db, "a", "attributes/db/a~1b~0", "{\"z\":\"canary-5\"}", 1);
    /* An envelope of elsewhere; one that does not open. */
    holds(db, "nodes.put", "\"created\":true", PUT("b", "\"value\":{\"x\":1}"));
    /* Merging must not make something else of an envelope. */
    for (size_t i = 0; i < 4; i++) {
        static const char *const apart[] = {"{\"$enc\":null}", "{\"$redacted\":null}",
                                            "{\"$enc\":null,\"alg\":null,\"user\":\"x\"}",
                                            "{\"$enc\":2,\"$redacted\":null}"};
        fails(db, "nodes.patch", BRANT_INVALID, "/value: a patch cannot take $enc",
              PATCH("b", "\"value\":%s"), apart[i]);
    }
    opens(db, "b", "attributes.value", "{\"x\":1}", 1);
    fails(db, "nodes.patch", BRANT_INVALID, "/value: looks like", PATCH("b", "\"value\":%s"),
          before);
    fails(db, "nodes.patch", BRANT_INVALID, "/pin: is redacted", PATCH("b", "\"pin\":" REDACTED));
    must_load(db, "{\"keys\":[{\"version\":1,\"key\":\"" KEY_2 "\"}]}");
    fails(db, "nodes.patch", BRANT_AUTH, "does not open", PATCH("b", "\"value\":{\"y\":1}"));
    assert_int_equal(brant_keyring_unload(db), BRANT_OK);
    fails(db, "nodes.patch", BRANT_NOT_FOUND, "", PATCH("b", "\"value\":{\"y\":1}"));
    holds(db, "nodes.patch_many", "{\"updated\":1,\"unchanged\":0,\"failed\":1",
          "{\"graph\":\"g\",\"errors\":\"skip\",\"items\":[{\"key\":\"b\",\"attributes\":{"
          "\"value\":1}},"
          "{\"key\":\"a\",\"attributes\":{\"note\":\"last\"}}]}");
    must_load(db, RING_1);
    opens(db, "a", "attributes.pin", "123456", 1);
    holds(db, "nodes.patch_many", "{\"updated\":2,\"unchanged\":0}",
          "{\"graph\":\"g\",\"items\":[{\"key\":\"b\",\"attributes\":{\"value\":{\"y\":2}}},"
          "{\"key\":\"b\",\"attributes\":{\"value\":{\"z\":3}}}]}");
    opens(db, "b", "attributes.value", "{\"x\":1,\"y\":2,\"z\":3}", 1);
    no_trace(*state, "canary");
    free(before);
    brant_db_free(db);
}

/* ---- edges ----------------------------------------------------------------------------------- */

#define EDGE(members)                                                                              \
    "{\"graph\":\"g\",\"source\":\"s\",\"target\":\"t\",\"type\":\"Uses\"" members "}"
#define TOKEN(value) ",\"attributes\":{\"token\":" value "}"

static void ends(brant_db *db) {
    holds(db, "nodes.put_many", "\"created\":2",
          "{\"graph\":\"g\",\"items\":[{\"key\":\"s\",\"type\":\"Plain\"},{\"key\":\"t\",\"type\":"
          "\"Plain\"}]}");
}

static void opens_edge(brant_db *db, const char *key, const char *value) {
    char quoted[256], wanted[256];
    brant__buffer text = {0};

    brant__json_append_text(&text, brant__text_of(key, strlen(key)));
    snprintf(quoted, sizeof(quoted), "%.*s", (int)text.length, text.data);
    brant__buffer_free(&text);
    snprintf(wanted, sizeof(wanted), "{\"value\":%s,\"key_version\":1}", value);
    is(db, "edges.open_secret", wanted,
       "{\"graph\":\"g\",\"key\":%s,\"path\":\"attributes.token\"}", quoted);
}

static void test_edges(void **state) {
    brant_db *db = open_vault(*state);

    ends(db);
    /* A derived key. */
    holds(db, "edges.put", "\"created\":true", EDGE(TOKEN("\"canary-1\"")));
    opens_edge(db, "[\"s\",\"Uses\",\"t\"]", "\"canary-1\"");
    holds(db, "edges.put", "\"revision\":2", EDGE(TOKEN(REDACTED)));
    opens_edge(db, "[\"s\",\"Uses\",\"t\"]", "\"canary-1\"");
    holds(db, "edges.patch", "\"changed\":true",
          "{\"graph\":\"g\",\"key\":\"[\\\"s\\\",\\\"Uses\\\",\\\"t\\\"]\",\"attributes\":{"
          "\"since\":1}}");
    opens_edge(db, "[\"s\",\"Uses\",\"t\"]", "\"canary-1\"");
    holds(db, "edges.patch", "\"changed\":true",
          "{\"graph\":\"g\",\"key\":\"[\\\"s\\\",\\\"Uses\\\",\\\"t\\\"]\",\"attributes\":{"
          "\"token\":\"canary-2\"}}");
    opens_edge(db, "[\"s\",\"Uses\",\"t\"]", "\"canary-2\"");
    /* A key of its own; many; twice in a batch. */
    holds(db, "edges.put_many", "{\"created\":2,\"updated\":1}",
          "{\"graph\":\"g\",\"items\":["
          "{\"source\":\"t\",\"target\":\"s\",\"type\":\"Uses\",\"key\":\"own\"" TOKEN(
              "\"canary-3\"") "},"
                              "{\"source\":\"t\",\"target\":\"t\",\"type\":\"Uses\"" TOKEN(
                                  "\"canary-4\"") "},"
                                                  "{\"source\":\"t\",\"target\":\"t\",\"type\":"
                                                  "\"Uses\",\"attributes\":{\"token\":" REDACTED
                                                  ",\"since\":2}}]}");
    opens_edge(db, "own", "\"canary-3\"");
    opens_edge(db, "[\"t\",\"Uses\",\"t\"]", "\"canary-4\"");
    holds(db, "edges.get", "\"since\":2",
          "{\"graph\":\"g\",\"key\":\"[\\\"t\\\",\\\"Uses\\\",\\\"t\\\"]\"}");
    holds(db, "nodes.neighbors", "\"token\":{\"$enc\":2", "{\"graph\":\"g\",\"key\":\"s\"}");
    /* An envelope does not move to another edge, and a fault leaves nothing. */
    fails(
        db, "edges.insert", BRANT_INVALID, "/token: is redacted",
        "{\"graph\":\"g\",\"source\":\"s\",\"target\":\"s\",\"type\":\"Uses\"" TOKEN(REDACTED) "}");
    holds(db, "edges.put_many", "{\"created\":1,\"updated\":0,\"failed\":1",
          "{\"graph\":\"g\",\"errors\":\"skip\",\"items\":["
          "{\"source\":\"s\",\"target\":\"s\",\"type\":\"Uses\"" TOKEN(
              REDACTED) "},"
                        "{\"source\":\"s\",\"target\":\"s\",\"type\":\"Uses\"" TOKEN("5") "}]}");
    opens_edge(db, "[\"s\",\"Uses\",\"s\"]", "5");
    assert_int_equal(brant_keyring_unload(db), BRANT_OK);
    fails(db, "edges.put", BRANT_NOT_FOUND, "key", EDGE(TOKEN("\"canary-5\"")));
    no_trace(*state, "canary");
    healthy(db);
    brant_db_free(db);
}

static void test_edges_of_other_graphs(void **state) {
    static const char *const configs[] = {
        "\"multi\":{\"const\":true}", "\"directed\":{\"const\":\"undirected\"}",
        "\"directed\":{\"const\":\"mixed\"}",
        "\"directed\":{\"const\":\"mixed\"},\"multi\":{\"const\":true}"};

    for (size_t i = 0; i < BRANT__COUNT(configs); i++) {
        char name[16];
        brant_db *db;
        brant__json json;
        char *key;

        snprintf(name, sizeof(name), "%zu.db", i);
        db = open_vault_of(in_folder(*state, name), configs[i]);
        ends(db);
        /* "t" before "s": undirected ends are turned. */
        json = parsed(
            answer(db, "edges.put",
                   "{\"graph\":\"g\",\"source\":\"t\",\"target\":\"s\",\"type\":\"Uses\"%s" TOKEN(
                       "\"v\"") "}",
                   i >= 2 ? ",\"undirected\":true" : ""));
        key = strdup(yyjson_get_str(brant__json_get(json.root, "key")));
        opens_edge(db, key, "\"v\"");
        brant__json_free(&json);
        if (i == 0 || i == 3) {
            /* Each of several between the same ends. */
            json = parsed(
                answer(db, "edges.put",
                       "{\"graph\":\"g\",\"source\":\"t\",\"target\":\"s\",\"type\":\"Uses\"" TOKEN(
                           "\"w\"") "}"));
            opens_edge(db, yyjson_get_str(brant__json_get(json.root, "key")), "\"w\"");
            brant__json_free(&json);
        } else {
            holds(db, "edges.put", "\"revision\":2",
                  "{\"graph\":\"g\",\"source\":\"s\",\"target\":\"t\",\"type\":\"Uses\"%s,"
                  "\"attributes\":{\"token\":" REDACTED ",\"since\":3}}",
                  i >= 2 ? ",\"undirected\":true" : "");
        }
        opens_edge(db, key, "\"v\"");
        free(key);
        healthy(db);
        brant_db_free(db);
    }
}

/* ---- opening --------------------------------------------------------------------------------- */

static void test_open(void **state) {
    brant_db *db = open_vault(*state);

    holds(db, "nodes.put", "\"created\":true",
          PUT("a", "\"value\":\"v\",\"note\":\"n\",\"db\":{\"host\":\"h\"}"));
    holds(db, "nodes.put", "\"created\":true",
          "{\"graph\":\"g\",\"key\":\"p\",\"type\":\"Plain\",\"attributes\":{\"value\":1}}");
    fails(db, "nodes.open_secret", BRANT_NOT_FOUND, "no node", OPEN("none", "attributes.value"));
    fails(db, "nodes.open_secret", BRANT_NOT_FOUND, "graph",
          "{\"graph\":\"none\",\"key\":\"a\",\"path\":\"attributes.value\"}");
    fails(db, "nodes.open_secret", BRANT_NOT_FOUND, "has no", OPEN("a", "attributes.pin"));
    fails(db, "nodes.open_secret", BRANT_INVALID, "does not encrypt", OPEN("a", "attributes.note"));
    fails(db, "nodes.open_secret", BRANT_INVALID, "does not encrypt",
          OPEN("a", "attributes.value.x"));
    fails(db, "nodes.open_secret", BRANT_INVALID, "does not encrypt", OPEN("a", "attributes.db"));
    fails(db, "nodes.open_secret", BRANT_INVALID, "does not encrypt", OPEN("a", "metadata.value"));
    fails(db, "nodes.open_secret", BRANT_INVALID, "does not encrypt", OPEN("a", "key"));
    fails(db, "nodes.open_secret", BRANT_INVALID, "does not encrypt",
          OPEN("p", "attributes.value"));
    fails(db, "nodes.open_secret", BRANT_INVALID, "/path", OPEN("a", "attributes..value"));
    fails(db, "nodes.open_secret", BRANT_INVALID,
          "does not encrypt \"value\", but \"attributes/db/a~1b~0\" and", OPEN("a", "value"));
    fails(db, "nodes.open_secret", BRANT_INVALID, "\" and others", OPEN("a", "/value"));
    fails(db, "edges.open_secret", BRANT_NOT_FOUND, "no edge", OPEN("a", "attributes.token"));
    holds(db, "graphs.create", "\"id\":", "{\"name\":\"o\",\"graph_type\":\"open\"}");
    holds(db, "nodes.put", "\"created\":true",
          "{\"graph\":\"o\",\"key\":\"a\",\"attributes\":{\"value\":1}}");
    fails(db, "nodes.open_secret", BRANT_INVALID, "without types",
          "{\"graph\":\"o\",\"key\":\"a\",\"path\":\"attributes.value\"}");
    brant_db_free(db);
}

/* A row that is not what it was written as: by hand, and moved from another node. */
static void test_tampered(void **state) {
    brant_db *db = open_vault(*state);
    char *other;

    holds(db, "nodes.put_many", "\"created\":2",
          "{\"graph\":\"g\",\"items\":[{\"key\":\"a\",\"type\":\"Secret\",\"attributes\":{"
          "\"value\":\"v\"}},"
          "{\"key\":\"b\",\"type\":\"Secret\",\"attributes\":{\"value\":\"w\"}}]}");
    other = envelope(db, "b", "/value");
    overwrite(db, in_folder(*state, "a.db"), "a", "{\"value\":\"canary\",\"note\":\"n\"}");
    fails(db, "nodes.open_secret", BRANT_AUTH, "does not open: it is stored in plain",
          OPEN("a", "attributes.value"));
    no_trace_in_error("canary");
    holds(db, "nodes.get", "\"attributes\":{\"value\":" REDACTED ",\"note\":\"n\"}", GET("a"));
    {
        char text[1024];
        snprintf(text, sizeof(text), "{\"value\":%s}", other);
        overwrite(db, in_folder(*state, "a.db"), "a", text);
    }
    fails(db, "nodes.open_secret", BRANT_AUTH, "does not open", OPEN("a", "attributes.value"));
    overwrite(db, in_folder(*state, "a.db"), "a", "{\"value\":" REDACTED "}");
    fails(db, "nodes.open_secret", BRANT_AUTH, "does not open: it is redacted",
          OPEN("a", "attributes.value"));
    opens(db, "b", "attributes.value", "\"w\"", 1);
    free(other);
    brant_db_free(db);
}

/* An envelope is longer than what is in it. */
static void test_limit(void **state) {
    brant_db *db = open_vault(*state);
    char text[3001];

    memset(text, 'x', sizeof(text) - 1);
    text[sizeof(text) - 1] = 0;
    brant_db_free(db);
    db = must_open(in_folder(*state, "a.db"), "{\"limits\":{\"document\":4096}}");
    must_load(db, RING_1);
    fails(db, "nodes.put", BRANT_LIMIT, "the sealed attributes would be longer",
          PUT("a", "\"value\":\"%s\""), text);
    holds(db, "nodes.put", "\"created\":true", PUT("a", "\"value\":\"%.2000s\""), text);
    fails(db, "nodes.patch", BRANT_LIMIT, "the sealed attributes would be longer",
          PATCH("a", "\"value\":\"%s\""), text);
    holds(
        db, "nodes.put_many", "\"created\":0,\"updated\":0,\"failed\":1",
        "{\"graph\":\"g\",\"errors\":\"skip\",\"items\":[{\"key\":\"a\",\"attributes\":{\"value\":"
        "\"%s\"}}]}",
        text);
    brant_db_free(db);
}

/* What a given envelope asks for is work under the write lock: a few of what the ring's own costs. */
static void test_work_of_given_envelopes(void **state) {
    brant_db *db = open_vault(*state);
    char *before, *forged, *digit;
    char items[16384] = "";
    size_t length = 0;

    must_load(db,
              "{\"keys\":[{\"version\":1,\"password\":\"p\",\"kdf\":{\"alg\":\"argon2id13\",\"s\":"
              "\"AAAAAAAAAAAAAAAAAAAAAA\",\"t\":1,\"m\":8192}}],\"kdf\":{\"least\":{\"t\":1,"
              "\"m\":8192}}}");
    holds(db, "nodes.put", "\"created\":true", PUT("a", "\"value\":1"));
    before = envelope(db, "a", "/value");
    forged = strdup(before);
    assert_non_null(forged);
    digit = strstr(forged, "\"t\":1");
    assert_non_null(digit);
    digit[4] = '2';
    fails(db, "nodes.put", BRANT_LIMIT, "more than one of the key ring's own: 1 over 8192",
          PUT("a", "\"value\":%s"), forged);
    fails(db, "nodes.patch", BRANT_LIMIT, "2 passes over 8192 bytes", PATCH("a", "\"value\":%s"),
          forged);
    digit[4] = '1';
    digit = strstr(forged, "\"s\":\"");
    assert_non_null(digit);
    for (int call = 0; call < 2; call++) {
        length = 0;
        for (int i = 0; i < 18; i++) {
            digit[5] = (char)(call ? 'a' + i : 'B' + i);
            length += (size_t)snprintf(items + length, sizeof(items) - length,
                                       "%s{\"key\":\"a\",\"attributes\":{\"value\":%s}}",
                                       i ? "," : "", forged);
        }
        assert_true(length < sizeof(items));
        holds(
            db, "nodes.put_many",
            "{\"index\":15,\"key\":\"a\",\"code\":\"INVALID\",\"message\":\"/value: looks like an "
            "envelope and is none of this place\"},{\"index\":16,\"key\":\"a\",\"code\":\"LIMIT\"",
            "{\"graph\":\"g\",\"errors\":\"skip\",\"items\":[%s]}", items);
    }
    put_back(db, "a");
    must_be(db, "a", "/value", before);
    free(forged);
    free(before);
    brant_db_free(db);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        GRAPH_TEST(test_put_seals),
        GRAPH_TEST(test_batches),
        GRAPH_TEST(test_without_a_ring),
        GRAPH_TEST(test_violations_hide_the_value),
        GRAPH_TEST(test_envelopes),
        GRAPH_TEST(test_given_plaintexts),
        GRAPH_TEST(test_one_version_one_key),
        GRAPH_TEST(test_redacted),
        GRAPH_TEST(test_patch),
        GRAPH_TEST(test_edges),
        GRAPH_TEST(test_edges_of_other_graphs),
        GRAPH_TEST(test_open),
        GRAPH_TEST(test_tampered),
        GRAPH_TEST(test_limit),
        GRAPH_TEST(test_work_of_given_envelopes),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
