/*
 * tests/core/test_scope.c: scopes, and random sets of them against the concrete scopes that they stand for.
 *
 * The model is brute force: a set is the table of which of all concrete scopes over a small alphabet it covers. The alphabet has letters that no set is made of, which stand for all the
 * rest of the words: so the tables are equal exactly if the sets are. The seed is printed; BRANT_SEED chooses another.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

#include "brant.h"
#include "identity/scope.h"

static brant__text text(const char *string) {
    return brant__text_string(string);
}

/* ---- one scope ----------------------------------------------------------------------------------------------------- */

#define LONG_64 "aaaaaaaaaaaaaaaabbbbbbbbbbbbbbbbccccccccccccccccdddddddddddddddd"

static void test_valid(void **state) {
    static const char *const good[] = {
        "nodes:read", "*:read", "nodes:*", "*:*", "a:b", "a.b-c_9:0", LONG_64 ":" LONG_64,
    };
    static const char *const bad[] = {
        "",
        ":",
        "nodes",
        "nodes:",
        ":read",
        "nodes::read",
        "nodes:read:x",
        "n*:read",
        "nodes:r*",
        "**:read",
        "Nodes:read",
        "nodes:read ",
        " nodes:read",
        "nodes read",
        "nodes/read",
        "n\xC3\xB6"
        "des:read",
        LONG_64 "a:b",
        "b:" LONG_64 "a",
        "*",
        "nodes:\n",
    };
    (void)state;
    for (size_t i = 0; i < BRANT__COUNT(good); i++)
        if (!brant__scope_valid(text(good[i]))) fail_msg("%s", good[i]);
    assert_false(brant__scope_valid(text("types.crm.Person:read"))); /* no capitals */
    for (size_t i = 0; i < BRANT__COUNT(bad); i++) {
        if (brant__scope_valid(text(bad[i]))) fail_msg("%s", bad[i]);
        assert_false(brant__scope_covers(text(bad[i]), text("nodes:read")));
        assert_false(brant__scope_covers(text("*:*"), text(bad[i])));
        assert_false(brant__scope_overlaps(text("*:*"), text(bad[i])));
    }
    assert_false(brant__scope_valid((brant__text){NULL, 0}));
    assert_false(brant__scope_valid(brant__text_of("a\0:b", 4)));
}

static void test_covers(void **state) {
    static const struct {
        const char *have, *want;
        bool covers, overlaps;
    } cases[] = {
        {"nodes:read", "nodes:read", true, true},
        {"nodes:*", "nodes:read", true, true},
        {"*:read", "nodes:read", true, true},
        {"*:*", "nodes:read", true, true},
        {"*:*", "*:*", true, true},
        {"nodes:*", "nodes:*", true, true},
        {"*:*", "nodes:*", true, true},
        {"nodes:read", "nodes:*", false, true},
        {"*:read", "nodes:*", false, true},
        {"nodes:*", "*:read", false, true},
        {"nodes:*", "*:*", false, true},
        {"node:read", "nodes:read", false, false},
        {"nodes:rea", "nodes:read", false, false},
        {"nodes:*", "nodes.x:read", false, false},
        {"nodes:read", "edges:read", false, false},
        {"nodes:*", "edges:*", false, false},
    };
    (void)state;
    for (size_t i = 0; i < BRANT__COUNT(cases); i++) {
        const brant__text have = text(cases[i].have), want = text(cases[i].want);
        if (brant__scope_covers(have, want) != cases[i].covers) fail_msg("covers %zu", i);
        if (brant__scope_overlaps(have, want) != cases[i].overlaps) fail_msg("overlaps %zu", i);
        if (brant__scope_overlaps(want, have) != cases[i].overlaps) fail_msg("overlaps %zu", i);
    }
}

static void test_levels(void **state) {
    const struct {
        int level;
        const char *has, *lacks;
    } cases[] = {{1, "nodes:read", "nodes:write"},
                 {2, "secrets:open", "access:grant"},
                 {3, "secrets:rotate", "sql:execute"},
                 {4, "sql:execute", NULL},
                 {0, NULL, "nodes:read"},
                 {5, NULL, "nodes:read"},
                 {-1, NULL, "nodes:read"}};
    (void)state;
    for (size_t i = 0; i < BRANT__COUNT(cases); i++) {
        const brant__scopes *scopes = brant__scopes_of_level(cases[i].level);
        if (cases[i].has) assert_true(brant__scopes_cover(scopes, text(cases[i].has)));
        if (cases[i].lacks) assert_false(brant__scopes_cover(scopes, text(cases[i].lacks)));
    }
    /* Who is above holds what those below hold, and each set is in its smallest form. */
    for (int level = 1; level <= 4; level++) {
        brant__arena arena = {0};
        brant__scopes same;
        const brant__scopes *scopes = brant__scopes_of_level(level);
        assert_null(brant__scopes_uncovered(scopes, brant__scopes_of_level(level - 1)));
        assert_int_equal(brant__scopes_union(&same, &arena, scopes, scopes), BRANT_OK);
        assert_int_equal(same.count, scopes->count);
        for (size_t i = 0; i < same.count; i++)
            assert_true(brant__text_equal(same.items[i], scopes->items[i]));
        brant__arena_free(&arena);
    }
    assert_true(brant__scopes_cover(brant__scopes_of_access(text("user")), text("accounts:self")));
    assert_false(brant__scopes_cover(brant__scopes_of_access(text("service")), text("nodes:read")));
    assert_true(brant__scopes_cover(brant__scopes_of_access(text("admin")), text("nodes:read")));
    assert_int_equal(brant__scopes_of_access(text("administrator"))->count, 0);
}

static void must_read(const char *json, size_t count, const char *message) {
    brant__json parsed = {0};
    brant__arena arena = {0};
    brant__scopes scopes;
    brant__error_clear();
    assert_int_equal(brant__json_parse(&parsed, json, strlen(json), 0), BRANT_OK);
    const brant_status status = brant__scopes_read(&scopes, &arena, parsed.root, "/scopes");
    assert_int_equal(status, message ? BRANT_INVALID : BRANT_OK);
    assert_int_equal(scopes.count, count);
    if (message && !strstr(brant_last_error()->message, message))
        fail_msg("%s: %s", json, brant_last_error()->message);
    brant__arena_free(&arena);
    brant__json_free(&parsed);
}

static void test_read(void **state) {
    brant__scopes scopes;
    (void)state;
    must_read("[]", 0, NULL);
    must_read("[\"b:*\",\"a:x\",\"a:x\"]", 3, NULL);
    must_read("[\"a:x\",\"a\"]", 0, "/scopes/1 is no scope");
    must_read("[\"a:x\",7]", 0, "/scopes/1 is no scope");
    must_read("{}", 0, "/scopes must be an array");
    must_read("\"a:x\"", 0, "/scopes must be an array");
    assert_int_equal(brant__scopes_read(&scopes, NULL, NULL, "/scopes"), BRANT_OK);
    assert_int_equal(scopes.count, 0);
}

static void must_parse(const char *json, size_t count) {
    brant__arena arena = {0};
    brant__scopes scopes;
    brant__writer writer = {0};
    brant__error_clear();
    const brant_status status = brant__scopes_parse(&scopes, &arena, text(json));
    if (status != (count == SIZE_MAX ? BRANT_CORRUPT : BRANT_OK)) fail_msg("%s", json);
    if (count != SIZE_MAX) {
        assert_int_equal(scopes.count, count);
        brant__scopes_write(&writer, &scopes);
        assert_int_equal(writer.buffer.length, strlen(json));
        assert_memory_equal(writer.buffer.data, json, strlen(json));
    }
    brant__buffer_free(&writer.buffer);
    brant__arena_free(&arena);
}

static void test_parse(void **state) {
    static const char *const bad[] = {
        "",           "[",
        "]",          "[,]",
        "{}",         "[\"a:b\"",
        "[\"a:b\",]", "[\"a:b\" ]",
        "[\"a\"]",    "[\"a:b\"\"c:d\"]",
        "[\"a:b",     "[\"a:b\"]x",
        "\"a:b\"",    "[[\"a:b\"]]",
        "[\"a:B\"]",  "[\"a:b\\u0041\"]",
        "x\"a:b\"]",
    };
    (void)state;
    must_parse("[]", 0);
    must_parse("[\"a:b\"]", 1);
    must_parse("[\"a:b\",\"*:*\",\"a:b\"]", 3);
    for (size_t i = 0; i < BRANT__COUNT(bad); i++)
        must_parse(bad[i], SIZE_MAX);
}

/* ---- sets against the model ------------------------------------------------------------------------------------------ */

#define WORDS 4 /* of which sets are made; the model has one more for all others */
#define MOST  7
static const char *const words[WORDS + 1] = {"a", "a-", "a.b", "b", "zz"};

typedef struct model {
    bool covers[WORDS + 1][WORDS + 1];
} model;

static uint64_t random_state;
static unsigned draw(unsigned below) {
    random_state = random_state * UINT64_C(6364136223846793005) + UINT64_C(1442695040888963407);
    return (unsigned)((random_state >> 33) % below);
}

static char texts[2 * MOST][16];

/* A set of random scopes, and the concrete ones that it covers, found without the code that is tested. */
static void draw_set(brant__scopes *out, model *m, brant__text *items, char (*room)[16]) {
    *m = (model){{{false}}};
    *out = (brant__scopes){items, draw(MOST + 1)};
    for (size_t i = 0; i < out->count; i++) {
        const unsigned space = draw(WORDS + 1), action = draw(WORDS + 1); /* WORDS: any */
        snprintf(room[i], sizeof *room, "%s:%s", space == WORDS ? "*" : words[space],
                 action == WORDS ? "*" : words[action]);
        items[i] = text(room[i]);
        for (unsigned s = 0; s <= WORDS; s++)
            for (unsigned a = 0; a <= WORDS; a++)
                if ((space == WORDS || space == s) && (action == WORDS || action == a))
                    m->covers[s][a] = true;
    }
}

static void must_be(const brant__scopes *set, const model *m, const char *what, long round) {
    char scope[32];
    for (unsigned s = 0; s <= WORDS; s++)
        for (unsigned a = 0; a <= WORDS; a++) {
            snprintf(scope, sizeof scope, "%s:%s", words[s], words[a]);
            if (brant__scopes_cover(set, text(scope)) != m->covers[s][a])
                fail_msg("%s, round %ld: %s", what, round, scope);
        }
}

/* Sorted, and none covered by another. */
static void must_be_smallest(const brant__scopes *set, const char *what, long round) {
    for (size_t i = 0; i < set->count; i++)
        for (size_t j = 0; j < set->count; j++) {
            if (i < j && brant__text_compare(set->items[i], set->items[j]) >= 0)
                fail_msg("%s, round %ld: order", what, round);
            if (i != j && brant__scope_covers(set->items[i], set->items[j]))
                fail_msg("%s, round %ld: covered", what, round);
        }
}

/* What a scope with stars asks for is covered exactly if all that it stands for is. */
static void must_cover_stars(const brant__scopes *set, const model *m, long round) {
    char scope[32];
    for (unsigned space = 0; space <= WORDS; space++)
        for (unsigned action = 0; action <= WORDS; action++) {
            bool all = true, some = false;
            for (unsigned s = 0; s <= WORDS; s++)
                for (unsigned a = 0; a <= WORDS; a++) {
                    if ((space != WORDS && space != s) || (action != WORDS && action != a))
                        continue;
                    all = all && m->covers[s][a];
                    some = some || m->covers[s][a];
                }
            snprintf(scope, sizeof scope, "%s:%s", space == WORDS ? "*" : words[space],
                     action == WORDS ? "*" : words[action]);
            if (brant__scopes_cover(set, text(scope)) != all)
                fail_msg("round %ld: covering %s", round, scope);
            if (brant__scopes_overlap(set, text(scope)) != some)
                fail_msg("round %ld: overlapping %s", round, scope);
        }
}

static void test_sets(void **state) {
    const char *seed = getenv("BRANT_SEED");
    random_state = seed ? strtoull(seed, NULL, 10) : (uint64_t)time(NULL);
    print_message("seed %llu\n", (unsigned long long)random_state);
    (void)state;
    brant__arena arena = {0};
    for (long round = 0; round < 20000; round++) {
        brant__text left[MOST + 1], right[MOST + 1];
        brant__scopes a, b, both, either, back;
        model of_a, of_b, of_both = {{{false}}}, of_either = {{{false}}};
        brant__arena_reset(&arena);
        draw_set(&a, &of_a, left, texts);
        draw_set(&b, &of_b, right, texts + MOST);
        for (unsigned s = 0; s <= WORDS; s++)
            for (unsigned t = 0; t <= WORDS; t++) {
                of_both.covers[s][t] = of_a.covers[s][t] && of_b.covers[s][t];
                of_either.covers[s][t] = of_a.covers[s][t] || of_b.covers[s][t];
            }
        must_be(&a, &of_a, "as drawn", round);
        must_cover_stars(&a, &of_a, round);
        assert_int_equal(brant__scopes_intersect(&both, &arena, &a, &b), BRANT_OK);
        must_be(&both, &of_both, "intersection", round);
        must_be_smallest(&both, "intersection", round);
        must_cover_stars(&both, &of_both, round);
        assert_int_equal(brant__scopes_union(&either, &arena, &a, &b), BRANT_OK);
        must_be(&either, &of_either, "union", round);
        must_be_smallest(&either, "union", round);
        /* Sets are equal exactly if their smallest forms are: also the other way round. */
        assert_int_equal(brant__scopes_intersect(&back, &arena, &b, &a), BRANT_OK);
        assert_int_equal(back.count, both.count);
        for (size_t i = 0; i < back.count; i++)
            assert_true(brant__text_equal(back.items[i], both.items[i]));
        const brant__text *left_out = brant__scopes_uncovered(&a, &b);
        assert_true((left_out == NULL) == !brant__scopes_uncovered(&a, &either));
        back = a; /* into one of the two */
        assert_int_equal(brant__scopes_union(&back, &arena, &back, &b), BRANT_OK);
        must_be(&back, &of_either, "union into one", round);
        back = b;
        assert_int_equal(brant__scopes_intersect(&back, &arena, &a, &back), BRANT_OK);
        must_be(&back, &of_both, "intersection into one", round);
        brant__scopes_reduce(&a);
        must_be(&a, &of_a, "smallest form", round);
        must_be_smallest(&a, "smallest form", round);
    }
    brant__arena_free(&arena);
}

/* A set that somebody made as large as it can be takes no quadratic time. */
static void test_large(void **state) {
    enum { COUNT = 20000 };
    static char room[COUNT][24];
    static brant__text items[COUNT];
    brant__arena arena = {0};
    brant__scopes all = {items, COUNT}, met;
    (void)state;
    for (int i = 0; i < COUNT; i++) {
        snprintf(room[i], sizeof room[i], "n%d:a%d", (i * 7919) % COUNT, i % 3);
        items[i] = text(room[i]);
    }
    assert_int_equal(brant__scopes_intersect(&met, &arena, &all, brant__scopes_of_level(3)),
                     BRANT_OK);
    assert_int_equal(met.count, 0);
    assert_int_equal(brant__scopes_intersect(&met, &arena, &all, brant__scopes_of_level(4)),
                     BRANT_OK);
    assert_int_equal(met.count, COUNT);
    must_be_smallest(&(brant__scopes){met.items, 100}, "large", 0);
    brant__arena_free(&arena);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_valid), cmocka_unit_test(test_covers), cmocka_unit_test(test_levels),
        cmocka_unit_test(test_read),  cmocka_unit_test(test_parse),  cmocka_unit_test(test_sets),
        cmocka_unit_test(test_large),
    };
    return cmocka_run_group_tests_name("scope", tests, NULL, NULL);
}
