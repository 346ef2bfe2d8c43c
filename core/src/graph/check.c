/*
 * graph/check.c: what a module would make of what is stored: counted, not written.
 */
#include "graph/evolve.h"

#define POLL_MASK 255

typedef struct tally {
    int64_t checked, valid, castable, failing;
} tally;

static void write_tally(brant__writer *out, const char *name, const tally *counts) {
    brant__write_name(out, name);
    brant__write_object(out);
    brant__write_integer_member(out, "checked", counts->checked);
    brant__write_integer_member(out, "valid", counts->valid);
    brant__write_integer_member(out, "castable", counts->castable);
    brant__write_integer_member(out, "failing", counts->failing);
    brant__write_end(out);
}

/* Rows of one kind after position->numbers[0], at most `limit`; *out_end false where there are more. */
static brant_status check_rows(brant__judge *judge, int kind, brant__position *position,
                               int64_t limit, tally *counts, bool *out_end) {
    brant__call *call = judge->call;
    brant__statement *statement = NULL;
    brant__evolve_row row;
    brant_status status;
    bool found;

    *out_end = false;
    BRANT__TRY(brant__evolve_statement(
        &statement, call->db, kind == BRANT__NODES ? BRANT__EVOLVE_NODES : BRANT__EVOLVE_EDGES));
    brant__bind_integer(statement, 1, position->numbers[0]);
    brant__bind_integer(statement, 2, INT64_MAX);
    brant__bind_integer(statement, 3, judge->type->row_id);
    brant__bind_integer(statement, 4, limit);
    for (;;) {
        BRANT__TRY(brant__step(&found, call->db, statement));
        if (!found) break;
        if ((counts->checked & POLL_MASK) == POLL_MASK) BRANT__TRY(brant__db_poll(call->db));
        brant__evolve_row_read(&row, kind, statement);
        BRANT__TRY(brant__judge_row(judge, kind, &row));
        position->numbers[0] = row.row_id;
        counts->checked++;
        counts->valid += judge->valid;
        counts->failing += judge->failing;
        counts->castable += !judge->valid && !judge->failing;
        if (--limit == 0) break;
    }
    *out_end = !found;
cleanup:
    brant__reset(statement);
    return status;
}

brant_status brant__graph_type_check(brant__call *call) {
    brant__text name = brant__json_get_text(call->input, "name");
    yyjson_val *given = brant__json_get(call->input, "module");
    brant__list list = brant__list_of("graph_types.check");
    brant__judge judge = {.call = call};
    brant__given_module other = {0};
    brant__json stored = {0};
    brant__buffer text = {0};
    brant__type_row row;
    brant__position position;
    brant__class class = BRANT__IDENTICAL;
    tally counts[2] = {{0}, {0}};
    int64_t limit;
    bool end = false;
    brant_status status;

    BRANT__TRY(brant__limit_read(&limit, call, 10000, 1000000));
    BRANT__TRY(brant__type_row_need(&row, call, name));
    BRANT__TRY(brant__type_row_load(&judge.type, call, &row));
    BRANT__TRY(brant__stored_document(&stored, call, &row));
    judge.module = judge.type->module;
    judge.document = stored.root;
    brant__list_filter(&list, name);
    if (given) {
        BRANT__TRY(brant__given_module_read(&other, call, given));
        BRANT__TRY(brant__module_diff(&class, NULL, stored.root, judge.type->module, other.document,
                                      other.module));
        judge.module = other.module;
        judge.document = other.document;
        brant__json_append(&text, given);
        if (text.failed) {
            status = brant__fail_memory();
            goto cleanup;
        }
        brant__list_filter(&list, brant__text_of(text.data, text.length));
    }
    BRANT__TRY(brant__position_read(&position, call, list));
    brant__write_array(&judge.failures);
    if (!position.given || position.section == BRANT__NODES) {
        BRANT__TRY(check_rows(&judge, BRANT__NODES, &position, limit, &counts[0], &end));
        if (end) {
            position.section = BRANT__EDGES;
            position.numbers[0] = 0;
        }
    } else {
        end = true;
    }
    limit -= counts[0].checked;
    if (end && limit > 0) {
        BRANT__TRY(check_rows(&judge, BRANT__EDGES, &position, limit, &counts[1], &end));
    } else {
        end = false;
    }
    brant__write_end(&judge.failures);
    if (judge.failures.buffer.failed) {
        status = brant__fail_memory();
        goto cleanup;
    }
    const char *class_name = brant__class_names[class];
    brant__write_object(call->out);
    brant__write_text_member(call->out, "class", brant__text_string(class_name));
    write_tally(call->out, "nodes", &counts[0]);
    write_tally(call->out, "edges", &counts[1]);
    brant__write_name(call->out, "failures");
    brant__write_raw(call->out,
                     brant__text_of(judge.failures.buffer.data, judge.failures.buffer.length));
    brant__position_write(call->out, end ? NULL : &position, list);
    brant__write_end(call->out);
cleanup:
    brant__buffer_free(&text);
    brant__judge_free(&judge);
    brant__given_module_free(&other);
    brant__json_free(&stored);
    return status;
}
