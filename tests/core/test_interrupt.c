/*
 * tests/core/test_interrupt.c: an interrupt at any moment takes back all of an operation or nothing, and the handle works on: also where it comes again while the first one's effects are taken back, as a
 * deadline that repeats itself does.
 */
#include <pthread.h>
#include <stdatomic.h>

#include "store/handle.h"
#include "support.h"

static brant_status call(brant_db *db, const char *name, const char *json) {
    char *answer = NULL;
    size_t length = 0;
    const brant_status status = brant_call(&answer, &length, db, TEXT(name), TEXT(json));
    brant_free(answer);
    return status;
}

static brant_db *with_graph(const char *path) {
    brant_db *db = must_open(path, "");
    must(db, "graphs.create", "{\"name\":\"g\",\"graph_type\":\"open\"}", NULL);
    return db;
}

/* Two nodes by one operation, which makes a savepoint, or a transaction, of its own. */
static brant_status put_pair(brant_db *db, int round) {
    char json[160];
    snprintf(json, sizeof json,
             "{\"graph\":\"g\",\"items\":[{\"key\":\"%d/a\"},{\"key\":\"%d/b\"}]}", round, round);
    return call(db, "nodes.put_many", json);
}

static int count_of(brant_db *db, int round) {
    char json[120];
    snprintf(json, sizeof json, "{\"graph\":\"g\",\"keys\":[\"%d/a\",\"%d/b\"]}", round, round);
    char *answer = must_call(db, "nodes.get_many", json, NULL);
    int count = 0;
    for (const char *at = answer; (at = strstr(at, "\"key\"")); at++)
        count++;
    brant_free(answer);
    return count;
}

/* ---- at each statement ---------------------------------------------------------------------------------------------- */

typedef struct storm {
    brant_db *db;
    int left; /* statements until it comes */
} storm;

static int on_statement(unsigned kind, void *context, void *statement, void *text) {
    storm *self = context;
    (void)kind, (void)statement, (void)text;
    if (self->left > 0 && --self->left == 0) brant_interrupt(self->db);
    return 0;
}

/* While it is compiled: so what is run by its text meets an interrupt that no earlier moment explains. */
static int on_compile(void *context, int action, const char *a, const char *b, const char *c,
                      const char *d) {
    storm *self = context;
    (void)a, (void)b, (void)c, (void)d;
    if (self->left == 0 && (action == SQLITE_TRANSACTION || action == SQLITE_SAVEPOINT)) {
        brant__kept_error kept; /* on this thread, in the middle of a call */
        brant__error_keep(&kept);
        brant_interrupt(self->db);
        brant__error_restore(&kept);
    }
    return SQLITE_OK;
}

/* `inside`: a transaction. `busy`: a statement runs meanwhile, and so an interrupt holds until it ends. `again`: it comes again while the first is answered. */
static void put_in_storm(const char *path, bool inside, bool busy, bool again) {
    enum { MOST = 60 };
    brant_db *db = with_graph(path);
    storm self = {.db = db};
    assert_int_equal(put_pair(db, 0), BRANT_OK);
    int interrupted = 0;
    sqlite3_trace_v2(db->sqlite, SQLITE_TRACE_STMT, on_statement, &self);
    if (again) sqlite3_set_authorizer(db->sqlite, on_compile, &self); /* all is compiled anew */
    for (int at = 1; at <= MOST; at++) {
        sqlite3_stmt *other = NULL;
        if (inside) {
            must(db, "transaction.begin", "{}", NULL);
            must(db, "nodes.put", "{\"graph\":\"g\",\"key\":\"before\"}", NULL);
        }
        if (busy) {
            if (sqlite3_prepare_v2(db->sqlite, "SELECT 1 UNION ALL SELECT 2", -1, &other, NULL) !=
                SQLITE_OK)
                fail_msg("at %d: %s", at, sqlite3_errmsg(db->sqlite));
            assert_int_equal(sqlite3_step(other), SQLITE_ROW);
        }
        self.left = at;
        const brant_status put = put_pair(db, at);
        self.left = -1;
        sqlite3_finalize(other);
        assert_true(put == BRANT_OK || put == BRANT_INTERRUPTED);
        assert_int_equal(brant_last_error()->code, put);
        if (!inside) assert_true(sqlite3_get_autocommit(db->sqlite)); /* nobody waits for it */
        interrupted += put == BRANT_INTERRUPTED;
        if (inside) {
            const brant_status committed = call(db, "transaction.commit", "{}");
            assert_true(committed == BRANT_OK || committed == BRANT_MISUSE);
            if (put == BRANT_OK) assert_int_equal(committed, BRANT_OK);
            else if (busy) assert_int_equal(committed, at > 1 ? BRANT_MISUSE : BRANT_OK); /* 1: its own level is not begun */
            if (committed != BRANT_OK) must(db, "transaction.rollback", "{}", NULL);
            assert_int_equal(count_of(db, at), put == BRANT_OK && committed == BRANT_OK ? 2 : 0);
        } else {
            assert_int_equal(count_of(db, at), put == BRANT_OK ? 2 : 0);
        }
        if (!sqlite3_get_autocommit(db->sqlite))
            fail_msg("%d, inside %d, busy %d, again %d: the transaction is open", at, inside, busy,
                     again);
        must(db, "nodes.put", "{\"graph\":\"g\",\"key\":\"after\"}", NULL);
    }
    assert_true(interrupted > 0 || !busy);
    brant_db_free(db);
}

static void test_each_statement(void **state) {
    for (int how = 0; how < 8; how++) {
        char name[16];
        snprintf(name, sizeof name, "%d.db", how);
        put_in_storm(in_folder(*state, name), how & 1, how & 2, how & 4);
    }
}

/* ---- at a commit ----------------------------------------------------------------------------------------------------- */

static int on_commit(unsigned kind, void *context, void *statement, void *text) {
    (void)kind, (void)text;
    if (strcmp(sqlite3_sql(statement), "COMMIT") == 0) brant_deadline_set(context, 1);
    return 0;
}

/* A deadline passes while it commits. SQLite asks after so many steps of a statement, all that it ever ran counted, whether to go on: at some time when a commit is made. */
static void test_commits(void **state) {
    (void)state;
    brant_db *db = with_graph(":memory:");
    sqlite3_trace_v2(db->sqlite, SQLITE_TRACE_STMT, on_commit, db);
    for (int i = 0; i < 12000; i++) {
        brant_deadline_set(db, 0);
        assert_int_equal(put_pair(db, i), BRANT_OK);
    }
    brant_deadline_set(db, 0);
    must(db, "nodes.count", "{\"graph\":\"g\"}", "{\"count\":24000}");
    brant_db_free(db);
}

/* ---- by other threads ------------------------------------------------------------------------------------------------ */

typedef struct interrupter {
    brant_db *db;
    atomic_bool stop;
} interrupter;

static void *interrupt_often(void *context) {
    interrupter *self = context;
    for (unsigned i = 0; !atomic_load(&self->stop); i++) {
        brant_interrupt(self->db);
        for (volatile unsigned spin = i * 2654435761u >> 20; spin > 0; spin--) {
        }
    }
    return NULL;
}

static void test_other_threads(void **state) {
    enum { ROUNDS = 4000 };
    static brant_status put[ROUNDS];
    brant_db *db = with_graph(in_folder(*state, "a.db"));
    interrupter self = {.db = db};
    pthread_t threads[2];
    for (int i = 0; i < 2; i++)
        assert_int_equal(pthread_create(&threads[i], NULL, interrupt_often, &self), 0);
    for (int i = 0; i < ROUNDS; i++) {
        if (i % 2) {
            put[i] = put_pair(db, i);
            assert_true(put[i] == BRANT_OK || put[i] == BRANT_INTERRUPTED);
            continue;
        }
        brant_status status = call(db, "transaction.begin", "{}");
        if (status == BRANT_OK) {
            status = put_pair(db, i);
            if (call(db, "transaction.commit", "{}") != BRANT_OK) {
                status = BRANT_INTERRUPTED;
                must(db, "transaction.rollback", "{}", NULL);
            }
        }
        assert_true(status == BRANT_OK || status == BRANT_INTERRUPTED);
        put[i] = status;
    }
    atomic_store(&self.stop, true);
    for (int i = 0; i < 2; i++)
        pthread_join(threads[i], NULL);
    assert_int_equal(sqlite3_get_autocommit(db->sqlite), 1);
    for (int i = 0; i < ROUNDS; i++)
        assert_int_equal(count_of(db, i), put[i] == BRANT_OK ? 2 : 0);
    must(db, "nodes.put", "{\"graph\":\"g\",\"key\":\"after\"}", NULL);
    brant_db_free(db);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up_folder, tear_down_folder)

int main(int count, char **arguments) {
    const struct CMUnitTest tests[] = {
        TEST(test_each_statement),
        cmocka_unit_test(test_commits),
        TEST(test_other_threads),
    };
    if (count > 1) cmocka_set_test_filter(arguments[1]);
    return cmocka_run_group_tests(tests, NULL, NULL);
}
