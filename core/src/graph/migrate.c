/*
 * graph/migrate.c: bringing stored nodes and edges to their graph type's version.
 *
 * Rows are taken in the order of their row ids, nodes before edges; each batch is one transaction together with its row of
 * graph_type_migrations, so what a crash leaves is a number of whole batches, and the next call goes on after them. Rows that were
 * written meanwhile have the new version already and are passed over. Rows that failed keep their version: when the migration is
 * done, another call tries them again.
 */
#include "graph/background.h"
#include "graph/change.h"
#include "graph/evolve.h"
#include "graph/seal.h"

#define POLL_MASK 255

typedef struct progress {
    int64_t from_version, to_version;
    int64_t rows[2]; /* the last row that was looked at, of nodes and of edges */
    int64_t total;   /* rows when it began */
    int64_t migrated, unchanged, failed;
    bool done;
    int64_t started_at, updated_at;
} progress;

typedef struct migration {
    brant__call *call;
    brant__judge judge;
    progress progress;
    int64_t migrated, unchanged, failed; /* of this call */
    bool stop;                           /* on failure */
    bool stopped;
    brant__graph graph; /* of the row in hand; row_id 0: none */
    brant__announcement changed;
    int kind;
    brant__json stored; /* of a row whose type encrypts, and what it becomes */
    brant__buffer sealed;
} migration;

/* ---- progress -------------------------------------------------------------------------------- */

static brant_status read_progress(bool *out_found, progress *out, brant__call *call, int64_t type) {
    brant__statement *statement = NULL;
    brant_status status;

    *out = (progress){0};
    BRANT__TRY(brant__evolve_statement(&statement, call->db, BRANT__EVOLVE_MIGRATION));
    brant__bind_integer(statement, 1, type);
    BRANT__TRY(brant__step(out_found, call->db, statement));
    if (*out_found)
        *out = (progress){
            .from_version = brant__column_integer(statement, 0),
            .to_version = brant__column_integer(statement, 1),
            .rows = {brant__column_integer(statement, 2), brant__column_integer(statement, 3)},
            .total = brant__column_integer(statement, 4),
            .migrated = brant__column_integer(statement, 5),
            .unchanged = brant__column_integer(statement, 6),
            .failed = brant__column_integer(statement, 7),
            .done = brant__column_integer(statement, 8) != 0,
            .started_at = brant__column_integer(statement, 9),
            .updated_at = brant__column_integer(statement, 10),
        };
cleanup:
    brant__reset(statement);
    return status;
}

static brant_status write_progress(migration *self) {
    const progress *now = &self->progress;
    brant__statement *statement;
    brant_status status =
        brant__evolve_statement(&statement, self->call->db, BRANT__EVOLVE_MIGRATION_STEP);

    if (status != BRANT_OK) return status;
    brant__bind_integer(statement, 1, now->rows[BRANT__NODES]);
    brant__bind_integer(statement, 2, now->rows[BRANT__EDGES]);
    brant__bind_integer(statement, 3, now->migrated);
    brant__bind_integer(statement, 4, now->unchanged);
    brant__bind_integer(statement, 5, now->failed);
    brant__bind_integer(statement, 6, now->done);
    brant__bind_integer(statement, 7, brant__db_now(self->call->db));
    brant__bind_integer(statement, 8, self->judge.type->row_id);
    return brant__run(self->call->db, statement);
}

/* Counted when the migration began, so it is near where others write meanwhile, and exact when it is done. */
static int64_t remaining(const progress *now) {
    const int64_t left = now->total - now->migrated - now->unchanged - now->failed;

    return now->done || left < 0 ? 0 : left;
}

brant_status brant__graph_type_migration(brant__call *call) {
    brant__text name = brant__json_get_text(call->input, "name");
    brant__writer *out = call->out;
    brant__type_row row;
    progress now;
    bool found;
    brant_status status;

    BRANT__TRY(brant__type_row_need(&row, call, name));
    BRANT__TRY(read_progress(&found, &now, call, row.row_id));
    if (!found) {
        status = brant__fail(BRANT_NOT_FOUND, "graph type %s has had no migration",
                             brant__quoted(call, name));
        goto cleanup;
    }
    brant__write_object(out);
    brant__write_integer_member(out, "from_version", now.from_version);
    brant__write_integer_member(out, "to_version", now.to_version);
    brant__write_integer_member(out, "migrated", now.migrated);
    brant__write_integer_member(out, "failed", now.failed);
    brant__write_integer_member(out, "remaining", remaining(&now));
    brant__write_bool_member(out, "done", now.done);
    brant__write_integer_member(out, "started_at", now.started_at);
    brant__write_integer_member(out, "updated_at", now.updated_at);
    brant__write_end(out);
cleanup:
    return status;
}

/* ---- a batch --------------------------------------------------------------------------------- */

/* What happened to the graph in hand. */
static brant_status leave_graph(migration *self) {
    brant_status status = BRANT_OK;

    if (!self->graph.row_id || self->changed.count == 0) return BRANT_OK;
    BRANT__TRY(brant__graph_changed(self->call, &self->graph, 0, 0, false));
    status = brant__announce(self->call, &self->graph,
                             self->kind == BRANT__NODES ? "nodes:updated" : "edges:updated",
                             &self->changed);
cleanup:
    return status;
}

/* The graph of a row that changes is in hand. */
static brant_status enter_graph(migration *self, int kind, const brant__evolve_row *row) {
    brant_status status = BRANT_OK;

    if (self->graph.row_id == row->graph && self->kind == kind) return BRANT_OK;
    BRANT__TRY(leave_graph(self));
    self->kind = kind;
    status = brant__evolve_graph(&self->graph, self->call, self->judge.type, row->graph);
cleanup:
    return status;
}

/* What a row of a type that encrypts becomes, sealed; or the row fails. */
static brant_status seal_row(migration *self, int kind, const brant__evolve_row *row) {
    brant__judge *judge = &self->judge;
    const brant__type *type = judge->type;
    const uint32_t index = kind == BRANT__NODES ? brant__type_node_of_row(type, row->type)
                                                : brant__type_edge_of_row(type, row->type);
    brant__json changed = {0};
    brant__text key;
    brant_status status;

    if (!brant__type_encrypts(type, kind, index)) return BRANT_OK;
    BRANT__TRY(enter_graph(self, kind, row));
    BRANT__TRY(brant__evolve_key(&key, self->call, type, kind, row));
    BRANT__TRY(brant__json_parse(&self->stored, row->attributes.data, row->attributes.length, 0));
    BRANT__TRY(brant__json_parse(&changed, judge->text.data, judge->text.length, 0));
    brant__buffer_reset(&self->sealed);
    status = brant__seal_changed(&self->sealed, self->call, &self->graph, kind, index, key,
                                 changed.root, self->stored.root);
    if (brant__seal_refused(status)) {
        const brant_error *error = brant_last_error();
        (void)brant__error_code();
        status = brant__judge_fail(judge, kind, row, "x-encrypted", error->message);
    }
    judge->text = brant__text_of(self->sealed.data, self->sealed.length);
cleanup:
    brant__json_free(&changed);
    return status;
}

static brant_status write_row(migration *self, int kind, const brant__evolve_row *row) {
    brant_db *db = self->call->db;
    const bool changed = self->judge.changed;
    brant__statement *statement;
    brant__text key;
    brant_status status;
    int at = 0;

    if (changed) {
        BRANT__TRY(enter_graph(self, kind, row));
        BRANT__TRY(brant__evolve_key(&key, self->call, self->judge.type, kind, row));
        brant__announcement_add(&self->changed, key);
        BRANT__TRY(brant__change_before(self->call, &self->graph, kind, row->row_id));
    }
    BRANT__TRY(brant__evolve_statement(
        &statement, db,
        kind == BRANT__NODES ? (changed ? BRANT__EVOLVE_NODE_UPDATE : BRANT__EVOLVE_NODE_TOUCH)
                             : (changed ? BRANT__EVOLVE_EDGE_UPDATE : BRANT__EVOLVE_EDGE_TOUCH)));
    if (changed) {
        brant__bind_text(statement, ++at, self->judge.text);
        brant__bind_integer(statement, ++at, brant__db_now(db));
    }
    brant__bind_integer(statement, ++at, self->progress.to_version);
    brant__bind_integer(statement, ++at, row->row_id);
    BRANT__TRY(brant__run(db, statement));
    if (changed) status = brant__change_after(self->call, &self->graph, kind, row->row_id);
cleanup:
    return status;
}

static brant_status migrate_row(migration *self, int kind, const brant__evolve_row *row) {
    brant_status status = brant__judge_row(&self->judge, kind, row);

    if (status == BRANT_OK && self->judge.changed && !self->judge.failing)
        status = seal_row(self, kind, row);
    if (status != BRANT_OK) return status;
    if (self->judge.failing) {
        self->failed++;
        if (self->stop) {
            self->stopped = true;
            return BRANT_OK;
        }
        self->progress.failed++;
    } else {
        status = write_row(self, kind, row);
        if (status != BRANT_OK) return status;
        if (self->judge.changed) {
            self->migrated++;
            self->progress.migrated++;
        } else {
            self->unchanged++;
            self->progress.unchanged++;
        }
    }
    self->progress.rows[kind] = row->row_id;
    return BRANT_OK;
}

/* Up to *left rows of one kind; *out_end: there are no more. */
static brant_status migrate_rows(migration *self, int kind, int64_t *left, bool *out_end) {
    brant_db *db = self->call->db;
    brant__statement *statement = NULL;
    brant__evolve_row row;
    brant_status status;
    bool found;

    *out_end = false;
    BRANT__TRY(brant__evolve_statement(
        &statement, db, kind == BRANT__NODES ? BRANT__EVOLVE_NODES : BRANT__EVOLVE_EDGES));
    brant__bind_integer(statement, 1, self->progress.rows[kind]);
    brant__bind_integer(statement, 2, self->progress.to_version);
    brant__bind_integer(statement, 3, self->judge.type->row_id);
    brant__bind_integer(statement, 4, *left);
    for (;;) {
        BRANT__TRY(brant__step(&found, db, statement));
        if (!found) break;
        if ((*left & POLL_MASK) == POLL_MASK) BRANT__TRY(brant__db_poll(db));
        brant__evolve_row_read(&row, kind, statement);
        BRANT__TRY(migrate_row(self, kind, &row));
        if (self->stopped || --*left == 0) break;
    }
    *out_end = !found;
cleanup:
    brant__reset(statement);
    return status;
}

static brant_status run_batch(migration *self, int64_t batch) {
    bool end = false;
    brant_status status;

    BRANT__TRY(brant__kept_dirty(self->call->db));
    BRANT__TRY(migrate_rows(self, BRANT__NODES, &batch, &end));
    if (end && batch > 0) {
        BRANT__TRY(migrate_rows(self, BRANT__EDGES, &batch, &end));
        self->progress.done = end;
    }
    BRANT__TRY(leave_graph(self));
    self->graph = (brant__graph){0};
    status = write_progress(self);
cleanup:
    return status;
}

/* ---- the operation --------------------------------------------------------------------------- */

static brant_status check_patches(brant__call *call, const brant__type *type, yyjson_val *patches) {
    size_t index, count;
    yyjson_val *name, *patch;

    yyjson_obj_foreach(patches, index, count, name, patch) {
        const brant__text text = brant__json_text(name);
        brant_status status;
        if (!brant__patch_names_type(type->module, text))
            return brant__fail(BRANT_INVALID, "patches: the graph type has no type %s",
                               brant__quoted(call, text));
        status = brant__patch_check(patch);
        if (status != BRANT_OK) return status;
    }
    return brant__patches_plain(call, type->module, patches);
}

/* In a transaction: the type and how far it is, as others may have left them. *out_go false: nothing is to be done. */
static brant_status load(migration *self, brant__json *document, brant__text name, bool first,
                         bool *out_go) {
    brant__call *call = self->call;
    progress *now = &self->progress;
    brant__type_row row;
    bool found;
    brant_status status;

    *out_go = false;
    BRANT__TRY(brant__type_row_need(&row, call, name));
    BRANT__TRY(brant__type_row_load(&self->judge.type, call, &row));
    brant__seal_watch(call->db, self->judge.type);
    BRANT__TRY(check_patches(call, self->judge.type, self->judge.patches));
    BRANT__TRY(read_progress(&found, now, call, row.row_id));
    if (!found) {
        now->done = true;
        goto cleanup;
    }
    if (now->done && first && now->failed > 0) {
        /* Those that failed, again. */
        now->rows[BRANT__NODES] = now->rows[BRANT__EDGES] = 0;
        now->failed = 0;
        now->done = false;
    }
    if (now->done) goto cleanup;
    BRANT__TRY(brant__stored_document(document, call, &row));
    self->judge.module = self->judge.type->module;
    self->judge.document = document->root;
    *out_go = true;
cleanup:
    return status;
}

static void answer(migration *self) {
    brant__writer *out = self->call->out;

    brant__write_object(out);
    brant__write_bool_member(out, "done", self->progress.done);
    brant__write_integer_member(out, "migrated", self->migrated);
    brant__write_integer_member(out, "unchanged", self->unchanged);
    brant__write_integer_member(out, "failed", self->failed);
    brant__write_integer_member(out, "remaining", remaining(&self->progress));
    brant__write_name(out, "failures");
    brant__write_raw(
        out, brant__text_of(self->judge.failures.buffer.data, self->judge.failures.buffer.length));
    brant__write_end(out);
}

static int64_t member(brant__call *call, const char *name, int64_t otherwise) {
    return brant__json_integer(brant__json_get(call->input, name), otherwise);
}

/* Leave it to db.maintain: a job of the queue "schema-migration" (operation/worker.c), one for each type that waits. */
static brant_status enqueue(brant__call *call, brant__text name) {
    static const char *const members[] = {"name", "batch", "patches", "on_failure"};
    brant__type_row row;
    const brant__type *type;
    brant_status status;

    BRANT__TRY(brant__type_row_need(&row, call, name));
    BRANT__TRY(brant__type_row_load(&type, call, &row));
    BRANT__TRY(check_patches(call, type, brant__json_get(call->input, "patches")));
    status = brant__background(call, "schema-migration", "graph_types.migrate", name, members,
                               BRANT__COUNT(members));
cleanup:
    return status;
}

static brant_status migrate_later(brant__call *call, brant__text name) {
    brant_status status = brant__begin(call->db, BRANT__WRITE);

    if (status != BRANT_OK) return status;
    status = enqueue(call, name);
    if (status == BRANT_OK) status = brant__commit(call->db);
    if (status != BRANT_OK) brant__rollback(call->db);
    return status;
}

brant_status brant__graph_type_migrate(brant__call *call) {
    const brant__text name = brant__json_get_text(call->input, "name");
    const brant__text on_failure = brant__json_get_text(call->input, "on_failure");
    const int64_t batch = member(call, "batch", 1000), limit = member(call, "limit", 1);
    brant__json document = {0};
    migration self = {
        .call = call,
        .judge = {.call = call, .patches = brant__json_get(call->input, "patches")},
        .stop = !brant__text_equal(on_failure, BRANT__TEXT("skip")),
    };
    bool begun = false, go = true;
    brant_status status = BRANT_OK;

    if (brant__json_bool(brant__json_get(call->input, "background"), false))
        return migrate_later(call, name);
    brant__write_array(&self.judge.failures);
    for (int64_t i = 0; i < limit && go && !self.stopped; i++) {
        BRANT__TRY(brant__begin(call->db, BRANT__WRITE));
        begun = true;
        BRANT__TRY(load(&self, &document, name, i == 0, &go));
        if (go) BRANT__TRY(run_batch(&self, batch));
        BRANT__TRY(brant__commit(call->db));
        begun = false;
        go = go && !self.progress.done;
        if (go) BRANT__TRY(brant__db_poll(call->db));
    }
    brant__write_end(&self.judge.failures);
    if (self.judge.failures.buffer.failed) {
        status = brant__fail_memory();
        goto cleanup;
    }
    answer(&self);
cleanup:
    if (begun) brant__rollback(call->db);
    brant__announcement_free(&self.changed);
    brant__json_free(&self.stored);
    brant__buffer_free(&self.sealed);
    brant__judge_free(&self.judge);
    brant__json_free(&document);
    return status;
}
