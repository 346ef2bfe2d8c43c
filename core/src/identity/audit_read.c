/*
 * identity/audit_read.c: audit.get, .list, .export: what stands in the log, as it stands there. Whether that is what was written is audit.verify's to say.
 */
#include "identity/audit.h"

#define EXAMINED 100000             /* rows that one call looks at: times are compared row by row */
#define ANSWER   ((size_t)16 << 20) /* bytes after which no further row is added */

brant_status brant__audit_get(brant__call *call) {
    const int64_t seq = brant__json_integer(brant__json_get(call->input, "seq"), 0);
    brant__statement *statement = NULL;
    brant__audit_row row;
    bool found = false;
    brant_status status;
    BRANT__TRY(brant__audit_find(&found, &row, &statement, call->db, seq));
    status =
        found && brant__audit_shown(call->db, &row)
            ? brant__audit_write_row(call, &row)
            : brant__fail(BRANT_NOT_FOUND, "there is no row %lld in the audit log", (long long)seq);
cleanup:
    brant__reset(statement);
    return status;
}

/* ---- audit.list ----------------------------------------------------------------------------------------- */

/* By each there is an index, in which rows of one value stand in order of seq. */
static const char *const filters[] = {"action", "actor_id", "resource", "org_id"};
enum { ORG_ID = 3 };

typedef struct list {
    brant__text values[BRANT__COUNT(filters)];
    bool given[BRANT__COUNT(filters)];
    bool down;
    int64_t after, before, since, until, limit;
} list;

static brant_status read_list(list *out, brant__call *call) {
    yyjson_val *input = call->input, *filter = brant__json_get(input, "filter");
    const brant__text bound = brant__actor_bound(call->db);
    *out = (list){
        .down = brant__text_equal(brant__json_get_text(input, "order"), BRANT__TEXT("desc")),
        .after = brant__json_integer(brant__json_get(input, "after"), 0),
        .before = brant__json_integer(brant__json_get(input, "before"), INT64_MAX),
        .since = brant__json_integer(brant__json_get(input, "since"), INT64_MIN),
        .until = brant__json_integer(brant__json_get(input, "until"), INT64_MAX),
        .limit = brant__json_integer(brant__json_get(input, "limit"), 100),
    };
    for (size_t i = 0; i < BRANT__COUNT(filters); i++) {
        yyjson_val *value = brant__json_get(filter, filters[i]);
        out->given[i] = value != NULL;
        out->values[i] = brant__json_text(value);
    }
    if (bound.data && out->given[ORG_ID] && !brant__text_equal(out->values[ORG_ID], bound))
        return brant__fail(BRANT_DENIED, "/filter/org_id: the session is of another organization");
    if (bound.data) {
        out->given[ORG_ID] = true;
        out->values[ORG_ID] = bound;
    }
    return BRANT_OK;
}

static brant_status prepare(brant__statement **out, brant_db *db, const list *self) {
    brant__buffer sql = {0};
    int parameter = 3;
    brant_status status;
    brant__buffer_format(&sql, "SELECT " BRANT__AUDIT_ROW
                               " FROM brant_audit_logs WHERE seq > ? AND seq < ?");
    for (size_t i = 0; i < BRANT__COUNT(filters); i++)
        if (self->given[i])
            brant__buffer_format(&sql, " AND %s %s", filters[i],
                                 self->values[i].data ? "= ?" : "IS NULL");
    brant__buffer_format(&sql, " ORDER BY seq%s", self->down ? " DESC" : "");
    status = sql.failed ? brant__fail_memory()
                        : brant__statement_prepare(out, db, brant__text_of(sql.data, sql.length));
    brant__buffer_free(&sql);
    if (status != BRANT_OK) return status;
    brant__bind_integer(*out, 1, self->after);
    brant__bind_integer(*out, 2, self->before);
    for (size_t i = 0; i < BRANT__COUNT(filters); i++)
        if (self->values[i].data) brant__bind_text(*out, parameter++, self->values[i]);
    return BRANT_OK;
}

brant_status brant__audit_list(brant__call *call) {
    list self = {.down = false};
    brant__statement *statement = NULL;
    brant__audit_row row;
    int64_t count = 0, examined = 0, last = 0;
    bool more = false;
    brant_status status;
    BRANT__TRY(read_list(&self, call));
    BRANT__TRY(prepare(&statement, call->db, &self));
    brant__write_object(call->out);
    brant__write_name(call->out, "items");
    brant__write_array(call->out);
    for (;;) {
        BRANT__TRY(brant__step(&more, call->db, statement));
        if (!more || count == self.limit || examined == EXAMINED ||
            call->out->buffer.length > ANSWER)
            break;
        BRANT__TRY(brant__audit_read_row(&row, statement));
        last = row.seq;
        if (++examined % 1024 == 0) BRANT__TRY(brant__db_poll(call->db));
        if (row.created_at < self.since || row.created_at >= self.until) continue;
        BRANT__TRY(brant__audit_write_row(call, &row));
        count++;
    }
    brant__write_end(call->out);
    if (more) brant__write_integer_member(call->out, "next", last);
    brant__write_end(call->out);
cleanup:
    brant__reset(statement);
    return status;
}

/* ---- audit.export --------------------------------------------------------------------------------------- */

static brant_status write_lines(brant__writer *lines, int64_t *out_count, int64_t *out_next,
                                brant__call *call) {
    const int64_t after = brant__json_integer(brant__json_get(call->input, "after"), 0),
                  limit = brant__json_integer(brant__json_get(call->input, "limit"), 1000);
    brant__call line = *call;
    brant__statement *statement = NULL;
    brant__audit_row row;
    bool more = false;
    brant_status status;
    line.out = lines;
    BRANT__TRY(brant__audit_scan(&statement, call->db, after + 1));
    for (;;) {
        BRANT__TRY(brant__step(&more, call->db, statement));
        if (!more || *out_count == limit || lines->buffer.length > ANSWER) break;
        BRANT__TRY(brant__audit_read_row(&row, statement));
        *lines = (brant__writer){.buffer = lines->buffer};
        BRANT__TRY(brant__audit_write_row(&line, &row));
        brant__buffer_append_byte(&lines->buffer, '\n');
        *out_count += 1;
        *out_next = row.seq;
    }
    if (!more) *out_next = 0;
cleanup:
    brant__reset(statement);
    return status;
}

brant_status brant__audit_export(brant__call *call) {
    brant__writer lines = {0};
    int64_t count = 0, next = 0;
    brant__text file;
    brant_status status;
    BRANT__TRY(brant__audit_whole(call->db));
    BRANT__TRY(write_lines(&lines, &count, &next, call));
    BRANT__TRY(brant__file_id(&file, call->db));
    if (lines.buffer.failed) {
        status = brant__fail_memory();
        goto cleanup;
    }
    brant__write_object(call->out);
    brant__write_text_member(call->out, "file", file);
    brant__write_text_member(call->out, "text",
                             count ? brant__text_of(lines.buffer.data, lines.buffer.length)
                                   : BRANT__TEXT(""));
    brant__write_integer_member(call->out, "rows", count);
    if (next) brant__write_integer_member(call->out, "next", next);
    brant__write_end(call->out);
cleanup:
    brant__buffer_free(&lines.buffer);
    return status;
}
