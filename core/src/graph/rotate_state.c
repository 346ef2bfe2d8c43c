/*
 * graph/rotate_state.c: how far the encrypted values of each graph have come on their way to a key; secrets.status.
 *
 * A graph's row is written by whoever has read it as it is, and by nobody else: `step` says so. What was done in the same transaction counts with it, or is taken
 * back with it.
 */
#include "graph/graph.h"
#include "graph/rotate.h"

enum { READ, WRITE, GRAPH, COUNTS, TYPE, GONE, GONE_DELETE, NEWEST, STATEMENT_COUNT };
static const char *const sql[STATEMENT_COUNT] = {
    [READ] = "SELECT key_version, step, stage, key, edge_type, edge_target, edge, event, looked, "
             "rewrapped, sealed, failed, traces, started_at, updated_at FROM secret_rotations "
             "WHERE graph = :graph",
    [WRITE] =
        ("INSERT INTO secret_rotations (graph, key_version, step, stage, key, edge_type, "
         "edge_target, edge, event, looked, rewrapped, sealed, failed, traces, started_at, "
         "updated_at) VALUES (:graph, :key_version, :step, :stage, :key, :edge_type, :edge_target, "
         ":edge, :event, :looked, :rewrapped, :sealed, :failed, :traces, :started_at, "
         ":updated_at) ON CONFLICT (graph) DO UPDATE SET key_version = excluded.key_version, "
         "step = excluded.step, stage = excluded.stage, key = excluded.key, edge_type = "
         "excluded.edge_type, edge_target = excluded.edge_target, edge = excluded.edge, event = "
         "excluded.event, looked = excluded.looked, rewrapped = excluded.rewrapped, sealed = "
         "excluded.sealed, failed = excluded.failed, traces = excluded.traces, started_at = "
         "excluded.started_at, updated_at = excluded.updated_at WHERE step = excluded.step - 1"),
    [GRAPH] = "SELECT row_id, name FROM graphs WHERE row_id > :after ORDER BY row_id LIMIT 1",
    [COUNTS] = "SELECT type, count FROM graph_counts WHERE graph = :graph AND kind = :kind",
    [TYPE] = "SELECT t.changes, t.updated_at, g.created_at FROM graphs g CROSS JOIN graph_types t "
             "ON t.row_id = g.graph_type WHERE g.row_id = :row_id",
    [GONE] =
        "SELECT count(*), total(step) FROM secret_rotations WHERE graph NOT IN (SELECT id FROM "
        "graphs)",
    [GONE_DELETE] = "DELETE FROM secret_rotations WHERE graph NOT IN (SELECT id FROM graphs)",
    [NEWEST] = "SELECT max(key_version) FROM secret_rotations", /* all of them: a graph each */
};
const brant__statements brant__rotate_state_statements = {BRANT__TABLE_ROTATE_STATE,
                                                          STATEMENT_COUNT, sql};

static brant_status get(brant__statement **out, brant__call *call, int which) {
    return brant__statement_get(out, call->db, &brant__rotate_state_statements, (size_t)which);
}

/* ---- the row of a graph ---------------------------------------------------------------------- */

brant_status brant__rotation_read(brant__rotation *out, brant__call *call, brant__text graph_id) {
    brant__statement *row = NULL;
    brant_status status;
    bool found;

    *out = (brant__rotation){.place = BRANT__ROTATE_FIRST};
    BRANT__TRY(get(&row, call, READ));
    brant__bind_text(row, 1, graph_id);
    BRANT__TRY(brant__step(&found, call->db, row));
    if (!found) goto cleanup;
    *out = (brant__rotation){
        .key_version = brant__column_integer(row, 0),
        .step = brant__column_integer(row, 1),
        .stage = brant__column_integer(row, 2),
        .place = {.edge_type = brant__column_integer(row, 4),
                  .edge_target = brant__column_integer(row, 5),
                  .edge = brant__column_integer(row, 6)},
        .event = brant__column_integer(row, 7),
        .looked = brant__column_integer(row, 8),
        .rewrapped = brant__column_integer(row, 9),
        .sealed = brant__column_integer(row, 10),
        .failed = brant__column_integer(row, 11),
        .traces = brant__column_integer(row, 12) != 0,
        .started_at = brant__column_integer(row, 13),
        .updated_at = brant__column_integer(row, 14),
    };
    status = brant__arena_text(&out->place.key, call->arena, brant__column_text(row, 3));
cleanup:
    brant__reset(row);
    return status;
}

brant_status brant__rotation_write(bool *out_ours, brant__call *call, brant__text graph_id,
                                   const brant__rotation *now) {
    brant__statement *row;
    brant_status status = get(&row, call, WRITE);

    *out_ours = false;
    if (status != BRANT_OK) return status;
    brant__bind_text(row, 1, graph_id);
    brant__bind_integer(row, 2, now->key_version);
    brant__bind_integer(row, 3, now->step + 1);
    brant__bind_integer(row, 4, now->stage);
    brant__bind_text(row, 5, now->place.key);
    brant__bind_integer(row, 6, now->place.edge_type);
    brant__bind_integer(row, 7, now->place.edge_target);
    brant__bind_integer(row, 8, now->place.edge);
    brant__bind_integer(row, 9, now->event);
    brant__bind_integer(row, 10, now->looked);
    brant__bind_integer(row, 11, now->rewrapped);
    brant__bind_integer(row, 12, now->sealed);
    brant__bind_integer(row, 13, now->failed);
    brant__bind_integer(row, 14, now->traces);
    brant__bind_integer(row, 15, now->started_at);
    brant__bind_integer(row, 16, brant__db_now(call->db));
    status = brant__run(call->db, row);
    if (status == BRANT_OK) *out_ours = brant__changes(call->db) > 0;
    return status;
}

brant_status brant__secret_rotates(bool *out, brant_db *db) {
    const int64_t active = brant__keyring_active(db);
    brant__statement *row = NULL;
    bool found;
    brant_status status;

    *out = false;
    if (active == 0) return BRANT_OK;
    BRANT__TRY(brant__statement_get(&row, db, &brant__rotate_state_statements, NEWEST));
    BRANT__TRY(brant__step(&found, db, row));
    *out = brant__column_integer(row, 0) <= active;
cleanup:
    brant__reset(row);
    return status;
}

/* ---- graphs ---------------------------------------------------------------------------------- */

brant_status brant__rotate_graph_next(brant__graph *out, brant__call *call, int64_t after,
                                      brant__text name) {
    brant__statement *row = NULL;
    brant_status status = BRANT_OK;
    bool found;

    if (name.data && after > 0) {
        *out = (brant__graph){0};
        return BRANT_OK;
    }
    if (name.data) {
        status = brant__graph_find_name(out, call, name, BRANT__ANY_STATUS);
        if (status == BRANT_OK && !brant__module_encrypts(out->type->module))
            *out = (brant__graph){0};
        return status;
    }
    for (;;) {
        *out = (brant__graph){0};
        BRANT__TRY(get(&row, call, GRAPH));
        brant__bind_integer(row, 1, after);
        BRANT__TRY(brant__step(&found, call->db, row));
        if (!found) break;
        after = brant__column_integer(row, 0);
        BRANT__TRY(brant__arena_text(&name, call->arena, brant__column_text(row, 1)));
        brant__reset(row);
        row = NULL;
        BRANT__TRY(brant__graph_find_name(out, call, name, BRANT__ANY_STATUS));
        if (brant__module_encrypts(out->type->module)) break;
        BRANT__TRY(brant__db_poll(call->db));
    }
cleanup:
    brant__reset(row);
    return status;
}

brant_status brant__rotate_rows(int64_t *out, brant__call *call, const brant__graph *graph) {
    brant__statement *row = NULL;
    brant_status status = BRANT_OK;
    bool found;

    *out = 0;
    for (int kind = BRANT__NODES; kind <= BRANT__EDGES; kind++) {
        BRANT__TRY(get(&row, call, COUNTS));
        brant__bind_integer(row, 1, graph->row_id);
        brant__bind_integer(row, 2, kind);
        for (;;) {
            int64_t type;
            BRANT__TRY(brant__step(&found, call->db, row));
            if (!found) break;
            type = brant__column_integer(row, 0);
            if (brant__type_encrypts(graph->type, kind,
                                     kind == BRANT__NODES
                                         ? brant__type_node_of_row(graph->type, type)
                                         : brant__type_edge_of_row(graph->type, type)))
                *out += brant__column_integer(row, 1);
        }
        brant__reset(row);
        row = NULL;
    }
cleanup:
    brant__reset(row);
    return status;
}

brant_status brant__rotate_gone(brant__rotate_traces *out, brant__call *call) {
    brant__statement *row = NULL;
    brant_status status;
    bool found;

    *out = (brant__rotate_traces){0};
    BRANT__TRY(get(&row, call, GONE));
    BRANT__TRY(brant__step(&found, call->db, row));
    *out = (brant__rotate_traces){brant__column_integer(row, 0), brant__column_integer(row, 1)};
cleanup:
    brant__reset(row);
    return status;
}

brant_status brant__rotate_gone_clear(brant__call *call) {
    brant__statement *statement;
    const brant_status status = get(&statement, call, GONE_DELETE);

    return status == BRANT_OK ? brant__run(call->db, statement) : status;
}

brant_status brant__rotate_type_newer(bool *out, brant__call *call, const brant__graph *graph,
                                      const brant__rotation *rotation, bool later) {
    brant__statement *row = NULL;
    brant_status status;
    bool found;

    *out = false;
    BRANT__TRY(get(&row, call, TYPE));
    brant__bind_integer(row, 1, graph->row_id);
    BRANT__TRY(brant__step(&found, call->db, row));
    if (found && brant__column_integer(row, 0) > 0) {
        const int64_t since =
            rotation->step > 0 ? rotation->started_at : brant__column_integer(row, 2);
        *out = brant__column_integer(row, 1) >= (later ? since + 1 : since);
    }
cleanup:
    brant__reset(row);
    return status;
}

/* ---- values by key version ------------------------------------------------------------------- */

static brant_status add(brant__version_counts *counts, int64_t version) {
    brant__version_count *list;
    size_t at = 0;

    while (at < counts->count && counts->list[at].version < version)
        at++;
    if (at < counts->count && counts->list[at].version == version) {
        counts->list[at].count++;
        return BRANT_OK;
    }
    list = brant__grow(counts->list, &counts->room, counts->count, sizeof(*list));
    if (!list) return brant__fail_memory();
    counts->list = list;
    memmove(list + at + 1, list + at, (counts->count - at) * sizeof(*list));
    list[at] = (brant__version_count){version, 1};
    counts->count++;
    return BRANT_OK;
}

brant_status brant__versions_count(brant__version_counts *counts, brant__call *call,
                                   const brant__graph *graph) {
    brant__rotate_scan scan = {0};
    brant__json json = {0};
    brant_status status = BRANT_OK;

    for (int kind = BRANT__NODES; kind <= BRANT__EDGES; kind++) {
        BRANT__TRY(brant__rotate_scan_begin(&scan, call, graph, kind, BRANT__ROTATE_FIRST));
        for (;;) {
            const brant__encrypted *list;
            brant__rotate_row row;
            size_t count;
            bool found;
            BRANT__TRY(brant__rotate_scan_next(&found, &row, &scan));
            if (!found) break;
            BRANT__TRY(brant__json_parse(&json, row.attributes.data, row.attributes.length, 0));
            count = brant__type_encrypted(&list, graph->type, kind, row.type);
            for (size_t i = 0; i < count; i++) {
                yyjson_val *value = brant__encrypted_find(json.root, &list[i]);
                if (!value || brant__is_redacted(value)) continue;
                BRANT__TRY(add(counts, brant__envelope_key_version(value)));
            }
        }
        brant__rotate_scan_end(&scan);
    }
cleanup:
    brant__rotate_scan_end(&scan);
    brant__json_free(&json);
    return status;
}

int64_t brant__versions_but(const brant__version_counts *counts, int64_t version) {
    int64_t total = 0;

    for (size_t i = 0; i < counts->count; i++)
        if (counts->list[i].version != version) total += counts->list[i].count;
    return total;
}

/* ---- secrets.status -------------------------------------------------------------------------- */

/* The rotation to the newest key that any of the graphs has had: all of its rows together. */
static brant_status add_rotation(brant__rotation *sum, int64_t *remaining, brant__call *call,
                                 const brant__graph *graph) {
    brant__rotation now;
    int64_t rows;
    brant_status status;

    BRANT__TRY(brant__rotation_read(&now, call, graph->id));
    if (now.step == 0 || now.key_version < sum->key_version) goto cleanup;
    if (now.key_version > sum->key_version) {
        *sum = (brant__rotation){.key_version = now.key_version,
                                 .stage = BRANT__ROTATE_DONE,
                                 .started_at = now.started_at};
        *remaining = 0;
    }
    if (now.stage < BRANT__ROTATE_DONE) {
        BRANT__TRY(brant__rotate_rows(&rows, call, graph));
        *remaining += rows > now.looked ? rows - now.looked : 0;
        sum->stage = BRANT__ROTATE_NODES;
    }
    sum->rewrapped += now.rewrapped;
    sum->sealed += now.sealed;
    sum->failed += now.failed;
    if (now.started_at < sum->started_at) sum->started_at = now.started_at;
    if (now.updated_at > sum->updated_at) sum->updated_at = now.updated_at;
cleanup:
    return status;
}

static void write_rotation(brant__writer *out, const brant__rotation *sum, int64_t remaining) {
    brant__write_name(out, "rotation");
    if (sum->key_version == 0) {
        brant__write_null(out);
        return;
    }
    brant__write_object(out);
    brant__write_integer_member(out, "key_version", sum->key_version);
    brant__write_bool_member(out, "done", sum->stage == BRANT__ROTATE_DONE);
    brant__write_integer_member(out, "rewrapped", sum->rewrapped);
    brant__write_integer_member(out, "sealed", sum->sealed);
    brant__write_integer_member(out, "failed", sum->failed);
    brant__write_integer_member(out, "remaining", remaining);
    brant__write_integer_member(out, "started_at", sum->started_at);
    brant__write_integer_member(out, "updated_at", sum->updated_at);
    brant__write_end(out);
}

brant_status brant__secret_status(brant__call *call) {
    const brant__text name = brant__json_get_text(call->input, "graph");
    brant__writer *out = call->out;
    brant__version_counts counts = {0};
    brant__rotation sum = {0};
    int64_t remaining = 0, total = 0;
    brant__graph graph = {0};
    brant_status status;

    brant__db_secret(call->db); /* what is still plain passes through here */
    for (;;) {
        BRANT__TRY(brant__rotate_graph_next(&graph, call, graph.row_id, name));
        if (!graph.row_id) break;
        BRANT__TRY(brant__versions_count(&counts, call, &graph));
        BRANT__TRY(add_rotation(&sum, &remaining, call, &graph));
    }
    brant__write_object(out);
    brant__write_name(out, "keys");
    brant__write_array(out);
    for (size_t i = 0; i < counts.count; i++) {
        const int64_t version = counts.list[i].version;
        const char *state = version == 0 ? "plain" : brant__keyring_state(call->db, version);
        brant__write_object(out);
        brant__write_integer_member(out, "version", version);
        if (!state) state = "unknown";
        brant__write_text_member(out, "state", brant__text_string(state));
        brant__write_integer_member(out, "count", counts.list[i].count);
        brant__write_end(out);
        total += counts.list[i].count;
    }
    brant__write_end(out);
    brant__write_integer_member(out, "total", total);
    write_rotation(out, &sum, remaining);
    brant__write_end(out);
cleanup:
    brant__free(counts.list);
    return status;
}
