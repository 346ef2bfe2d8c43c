/*
 * tests/core/support_plan.h: how SQLite would run the statements of a table.
 */
#ifndef BRANT_TESTS_SUPPORT_PLAN_H
#define BRANT_TESTS_SUPPORT_PLAN_H

#include <sqlite3.h>

#include "support.h"

/* None of them looks at all rows of a table, or sorts, on a file that no handle has open. */
static inline void must_plan_well(const char *path, const char *const *sql, size_t count) {
    sqlite3 *db = NULL;
    assert_int_equal(sqlite3_open(path, &db), SQLITE_OK);
    for (size_t i = 0; i < count; i++) {
        char *text = sqlite3_mprintf("EXPLAIN QUERY PLAN %s", sql[i]);
        sqlite3_stmt *statement = NULL;
        if (sqlite3_prepare_v2(db, text, -1, &statement, NULL) != SQLITE_OK)
            fail_msg("%s: %s", sql[i], sqlite3_errmsg(db));
        while (sqlite3_step(statement) == SQLITE_ROW) {
            const char *detail = (const char *)sqlite3_column_text(statement, 3);
            if ((strncmp(detail, "SCAN", 4) == 0 && strcmp(detail, "SCAN CONSTANT ROW") != 0 &&
                 strncmp(detail, "SCAN (", 6) != 0) ||
                strstr(detail, "TEMP B-TREE"))
                fail_msg("%s: %s", sql[i], detail);
        }
        sqlite3_finalize(statement);
        sqlite3_free(text);
    }
    sqlite3_close(db);
}

#endif
