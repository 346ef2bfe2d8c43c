/*
 * tests/core/test_rate_limit.c: sliding windows against all that was ever taken, buckets against one that is filled millisecond by millisecond, and a clock that jumps back.
 */
#include "fake_clock.h"

#include <stdbool.h>

#include "event/rate_limit.h"
#include "support_plan.h"

static uint64_t seed = 1;
static int64_t pick(int64_t least, int64_t most) { /* xorshift64* */
    seed ^= seed >> 12;
    seed ^= seed << 25;
    seed ^= seed >> 27;
    return least + (int64_t)((seed * UINT64_C(2685821657736338717)) >> 33) % (most - least + 1);
}

static brant__rate ask(brant_db *db, const char *operation, const char *kind, int64_t limit,
                       int64_t period, int64_t burst, int64_t cost) {
    brant__rate rate = {false, 0, 0, 0};
    char json[256], burst_text[48] = "", word[8] = "";
    long long remaining = 0, retry = 0, reset = 0;
    if (burst > 0) snprintf(burst_text, sizeof burst_text, ",\"burst\":%lld", (long long)burst);
    snprintf(json, sizeof json,
             "{\"name\":\"x\",\"kind\":\"%s\",\"limit\":%lld,\"period\":%lld%s,\"cost\":%lld}",
             kind, (long long)limit, (long long)period, burst_text, (long long)cost);
    char *answer = must_call(db, operation, json, NULL);
    if (sscanf(answer,
               "{\"allowed\":%7[a-z],\"remaining\":%lld,\"retry_after\":%lld,\"reset_at\":%lld}",
               word, &remaining, &retry, &reset) != 4)
        fail_msg("%s", answer);
    brant_free(answer);
    rate.allowed = strcmp(word, "true") == 0;
    rate.remaining = remaining;
    rate.retry_after = retry;
    rate.reset_at = reset;
    return rate;
}

static brant__rate take(brant_db *db, const char *kind, int64_t limit, int64_t period,
                        int64_t burst, int64_t cost) {
    const brant__rate asked = ask(db, "rate_limits.peek", kind, limit, period, burst, cost);
    const brant__rate taken = ask(db, "rate_limits.take", kind, limit, period, burst, cost);
    assert_int_equal(asked.allowed, taken.allowed);
    assert_int_equal(asked.retry_after, taken.retry_after);
    assert_int_equal(asked.remaining, taken.remaining + (taken.allowed ? cost : 0));
    return taken;
}

/* ---- sliding windows ------------------------------------------------------------------------------------------------------ */

#define TAKES 2000
static struct {
    int64_t at;
    int64_t cost;
} taken[TAKES];
static int taken_count;

/* What is in (t - period, t]. */
static int64_t in_window(int64_t t, int64_t period) {
    int64_t sum = 0;
    for (int i = 0; i < taken_count; i++)
        if (taken[i].at > t - period && taken[i].at <= t) sum += taken[i].cost;
    return sum;
}

static void test_sliding_window_is_exact(void **state) {
    brant_db *db = open_with_clock(in_folder(*state, "a.db"));
    for (int round = 0; round < 8; round++) {
        const int64_t limit = pick(1, 40), period = pick(1, 400);
        must(db, "rate_limits.reset", "{\"name\":\"x\"}", round ? "true" : "false");
        taken_count = 0;
        for (int i = 0; i < 250; i++) {
            const int64_t cost = pick(0, 3) ? 1 : pick(1, limit);
            if (pick(0, 2)) fake_now += pick(0, 3) ? pick(0, 3) : pick(0, period * 2);
            const int64_t used = in_window(fake_now, period);
            const brant__rate rate = take(db, "sliding_window", limit, period, 0, cost);
            assert_int_equal(rate.allowed, used + cost <= limit);
            if (rate.allowed) {
                taken[taken_count].at = fake_now;
                taken[taken_count++].cost = cost;
                assert_int_equal(rate.retry_after, 0);
            } else {
                /* At that moment, and not a millisecond before it. */
                assert_true(in_window(fake_now + rate.retry_after, period) + cost <= limit);
                assert_true(in_window(fake_now + rate.retry_after - 1, period) + cost > limit);
            }
            assert_int_equal(rate.remaining, limit - in_window(fake_now, period));
            assert_int_equal(in_window(rate.reset_at, period), 0);
            assert_true(rate.reset_at == fake_now || in_window(rate.reset_at - 1, period) > 0);
        }
        for (int i = 0; i < taken_count; i++)
            assert_true(in_window(taken[i].at + period - 1, period) <= limit);
    }
    brant_db_free(db);
}

/* The clock jumps back at any time: time that really passed is what counts, no window has too much, and no wait is longer than a period. */
static void test_clock_jumps_back(void **state) {
    static const char *const kinds[] = {"sliding_window", "token_bucket"};
    brant_db *db = open_with_clock(in_folder(*state, "a.db"));
    for (int kind = 0; kind < 2; kind++) {
        const int64_t limit = 10, period = 1000;
        int64_t real = 0, refused_since = -1;
        must(db, "rate_limits.reset", "{\"name\":\"x\"}", NULL);
        taken_count = 0;
        for (int i = 0; i < 1500; i++) {
            const int64_t step = pick(0, 60);
            real += step;
            fake_now += step;
            if (pick(0, 30) == 0) fake_now -= pick(1, INT64_C(3000000000));
            const brant__rate rate = ask(db, "rate_limits.take", kinds[kind], limit, period, 0, 1);
            assert_true(rate.retry_after <= period);
            if (rate.allowed) {
                taken[taken_count].at = real;
                taken[taken_count++].cost = 1;
                refused_since = -1;
            } else if (refused_since < 0) {
                refused_since = real;
            }
            assert_true(refused_since < 0 || real - refused_since <= 2 * period);
        }
        assert_true(taken_count > 100);
        if (kind == 0)
            for (int i = 0; i < taken_count; i++)
                assert_true(in_window(taken[i].at + period - 1, period) <= limit);
        /* A bucket never gives more than it held and what came back. */
        for (int i = 0; kind == 1 && i < taken_count; i++)
            assert_true(in_window(taken[i].at, taken[i].at + 1) <=
                        limit + taken[i].at * limit / period);
    }
    brant_db_free(db);
}

/* Rows that left the window are removed by those who take. */
static void test_window_leaves_no_rows(void **state) {
    brant_db *db = open_with_clock(in_folder(*state, "a.db"));
    must(db, "transaction.begin", "{}", NULL);
    for (int i = 0; i < 5000; i++) {
        fake_now++;
        ask(db, "rate_limits.take", "sliding_window", 1000000, 100, 0, 1);
    }
    must(db, "transaction.commit", "{}", NULL);
    must(db, "sql.execute", "{\"sql\":\"SELECT count(*) FROM rate_limit_hits\"}", "[[100]]");
    fake_now += 1000000;
    for (int i = 0; i < 8; i++)
        ask(db, "rate_limits.take", "sliding_window", 1000000, 100, 0, 1);
    must(db, "sql.execute", "{\"sql\":\"SELECT count(*) FROM rate_limit_hits\"}", "[[1]]");
    brant_db_free(db);
}

/* ---- token buckets -------------------------------------------------------------------------------------------------------- */

static void test_bucket_is_exact(void **state) {
    brant_db *db = open_with_clock(in_folder(*state, "a.db"));
    for (int round = 0; round < 8; round++) {
        const int64_t limit = pick(1, 50), period = pick(1, 1000), burst = pick(1, 80);
        int64_t level = burst * period; /* in parts of a token */
        must(db, "rate_limits.reset", "{\"name\":\"x\"}", NULL);
        for (int i = 0; i < 250; i++) {
            for (int64_t passed = pick(0, 3) ? pick(0, 5) : pick(0, 300); passed > 0; passed--) {
                fake_now++;
                level = level + limit < burst * period ? level + limit : burst * period;
            }
            const int64_t cost = pick(1, pick(0, 4) ? 1 : burst);
            const bool enough = level >= cost * period;
            const brant__rate rate = take(db, "token_bucket", limit, period, burst, cost);
            assert_int_equal(rate.allowed, enough);
            if (enough) {
                level -= cost * period;
            } else {
                assert_true(level + rate.retry_after * limit >= cost * period);
                assert_true(level + (rate.retry_after - 1) * limit < cost * period);
            }
            assert_int_equal(rate.remaining, level / period);
            assert_true(level + (rate.reset_at - fake_now) * limit >= burst * period);
        }
    }
    brant_db_free(db);
}

static void test_bucket_at_its_bounds(void **state) {
    brant_db *db = open_with_clock(in_folder(*state, "a.db"));
    brant__rate rate =
        take(db, "token_bucket", 100000000, INT64_C(31622400000), 100000000, 100000000);
    assert_true(rate.allowed);
    fake_now += INT64_C(31622400000) - 1;
    rate = take(db, "token_bucket", 100000000, INT64_C(31622400000), 100000000, 100000000);
    assert_false(rate.allowed);
    assert_int_equal(rate.retry_after, 1);
    fake_now += INT64_C(100000000000000);
    rate = take(db, "token_bucket", 100000000, INT64_C(31622400000), 100000000, 1);
    assert_int_equal(rate.remaining, 99999999);
    /* Another period, another burst: whole tokens stay, as many as fit. */
    rate = take(db, "token_bucket", 1, 1, 5, 1);
    assert_int_equal(rate.remaining, 4);
    rate = take(db, "token_bucket", 1, 1000, 10, 1);
    assert_int_equal(rate.remaining, 3);
    /* Another kind begins anew, both ways. */
    rate = take(db, "sliding_window", 3, 1000, 0, 1);
    assert_int_equal(rate.remaining, 2);
    rate = take(db, "token_bucket", 1, 1000, 10, 1);
    assert_int_equal(rate.remaining, 9);
    rate = take(db, "sliding_window", 3, 1000, 0, 1);
    assert_int_equal(rate.remaining, 2);
    brant_db_free(db);
}

/* ---- the rest ------------------------------------------------------------------------------------------------------------- */

static void test_refusals(void **state) {
    brant_db *db = open_with_clock(in_folder(*state, "a.db"));
#define WINDOW "\"kind\":\"sliding_window\",\"limit\":3,\"period\":1000"
    must_fail(db, "rate_limits.take", "{\"name\":\"x\"," WINDOW ",\"cost\":4}", BRANT_INVALID,
              "/cost: 4 is more than the limit of 3");
    must_fail(db, "rate_limits.peek", "{\"name\":\"x\"," WINDOW ",\"cost\":4}", BRANT_INVALID,
              "/cost");
    must_fail(db, "rate_limits.take", "{\"name\":\"x\"," WINDOW ",\"burst\":4}", BRANT_INVALID,
              "/burst");
    must_fail(db, "rate_limits.take",
              "{\"name\":\"x\",\"kind\":\"token_bucket\",\"limit\":9,\"period\":1,\"burst\":2,"
              "\"cost\":3}",
              BRANT_INVALID, "the burst of 2");
    must_fail(db, "rate_limits.take", "{\"name\":\"a\\u0000\"," WINDOW "}", BRANT_INVALID, "/name");
    must_fail(db, "rate_limits.take", "{\"name\":\"\\u0001a\"," WINDOW "}", BRANT_INVALID, "/name");
    must_fail(db, "rate_limits.take", "{\"name\":\"x\",\"kind\":\"x\",\"limit\":1,\"period\":1}",
              BRANT_INVALID, "kind");
    must_fail(db, "rate_limits.take",
              "{\"name\":\"x\",\"kind\":\"token_bucket\",\"limit\":0,\"period\":1}", BRANT_INVALID,
              "limit");
    must(db, "transaction.begin", "{\"mode\":\"read\"}", NULL);
    must_fail(db, "rate_limits.take", "{\"name\":\"x\"," WINDOW "}", BRANT_READ_ONLY, NULL);
    must(db, "rate_limits.peek", "{\"name\":\"x\"," WINDOW "}", "\"remaining\":3");
    must(db, "transaction.rollback", "{}", NULL);
    brant_db_free(db);
}

static void test_list_and_maintain(void **state) {
    brant_db *db = open_with_clock(in_folder(*state, "a.db"));
    char json[200];
    for (int i = 0; i < 5; i++) {
        snprintf(json, sizeof json, "{\"name\":\"%s%d\"," WINDOW ",\"cost\":2}",
                 i < 3 ? "api:" : "b", i);
        must(db, "rate_limits.take", json, "\"remaining\":1");
    }
    must(db, "rate_limits.take",
         "{\"name\":\"c\",\"kind\":\"token_bucket\",\"limit\":1,\"period\":5000}", NULL);
    must(db, "rate_limits.list", "{\"prefix\":\"api:\",\"limit\":2}",
         "{\"items\":[{\"name\":\"api:0\",\"kind\":\"sliding_window\",\"limit\":3,\"period\":1000,"
         "\"remaining\":1,\"reset_at\":1700000001000},{\"name\":\"api:1\"");
    must(db, "rate_limits.list", "{\"prefix\":\"api:\",\"limit\":2}", "\"next\":\"api:1\"}");
    must(db, "rate_limits.list", "{\"prefix\":\"api:\",\"limit\":2,\"after\":\"api:1\"}",
         "\"reset_at\":1700000001000}]}");
    must(db, "rate_limits.list", "{\"after\":\"b4\"}",
         "{\"items\":[{\"name\":\"c\",\"kind\":\"token_bucket\",\"limit\":1,\"period\":5000,"
         "\"burst\":1,\"remaining\":0,\"reset_at\":1700000005000}]}");
    must(db, "rate_limits.list", "{\"prefix\":\"zz\"}", "{\"items\":[]}");
    int64_t removed = 0;
    fake_now += 1000;
    assert_int_equal(brant__enter(db), BRANT_OK);
    assert_int_equal(brant__rate_limit_maintain(&removed, db), BRANT_OK);
    brant__leave(db);
    assert_int_equal(removed, 5);
    must(db, "sql.execute",
         "{\"sql\":\"SELECT (SELECT count(*) FROM rate_limits), count(*) FROM "
         "rate_limit_hits\"}",
         "[[1,0]]");
    must(db, "rate_limits.reset", "{\"name\":\"c\"}", "{\"reset\":true}");
    must(db, "rate_limits.reset", "{\"name\":\"c\"}", "{\"reset\":false}");
    brant_db_free(db);
}

static void test_plans(void **state) {
    brant_db_free(open_with_clock(in_folder(*state, "a.db")));
    must_plan_well(in_folder(*state, "a.db"), brant__rate_limit_statements.sql,
                   brant__rate_limit_statements.count);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(test_sliding_window_is_exact, set_up_clock,
                                        tear_down_folder),
        cmocka_unit_test_setup_teardown(test_clock_jumps_back, set_up_clock, tear_down_folder),
        cmocka_unit_test_setup_teardown(test_window_leaves_no_rows, set_up_clock, tear_down_folder),
        cmocka_unit_test_setup_teardown(test_bucket_is_exact, set_up_clock, tear_down_folder),
        cmocka_unit_test_setup_teardown(test_bucket_at_its_bounds, set_up_clock, tear_down_folder),
        cmocka_unit_test_setup_teardown(test_refusals, set_up_clock, tear_down_folder),
        cmocka_unit_test_setup_teardown(test_list_and_maintain, set_up_clock, tear_down_folder),
        cmocka_unit_test_setup_teardown(test_plans, set_up_clock, tear_down_folder),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
