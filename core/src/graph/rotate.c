/*
 * graph/rotate.c: secrets.rotate: every encrypted value under the active key, and what is plain sealed.
 *
 * A batch is read in one transaction, opened and sealed in none, and written in another together with how far the graph is (rotate_state.c): so the write lock is
 * held for the writes alone, a crash leaves whole batches, and of two that rotate at once one goes on and the other looks where it is. A row is written only while it is what
 * was read; one that changed meanwhile is looked at again, under the lock. What does not open is told, and left as it is.
 *
 * When all graphs are through, the values are counted by key version. What is still under another key, as somebody wrote it whose ring was older, is
 * rotated again.
 */
#include "graph/rotate.h"
#include "graph/background.h"
#include "graph/graph.h"

#define FAILURES   100
#define BYTES_MOST ((size_t)16 << 20) /* of the rows of one batch */
#define POLL_MASK  63

/* A value that did not open. Texts are in the call's arena, or static. */
typedef struct failure {
    brant__text graph;
    int kind;
    brant__text key;
    brant__text path;
    const char *code;
    brant__text message;
    int64_t row_id;
} failure;

/* What is to be done about a row. */
typedef struct batch_row {
    int64_t row_id;
    uint32_t type;
    brant__text key;
    brant__text attributes;
    brant__text sealed; /* {NULL, 0}: nothing */
    int64_t values[3];  /* rewrapped, sealed, failed */
} batch_row;
enum { REWRAPPED, SEALED, FAILED, OUTCOMES };

/* A graph to come back to, if nobody has gone on with it. */
typedef struct mark {
    int64_t graph;
    int64_t step;
} mark;

typedef struct rotate {
    brant__call *call; /* as it came; its arena holds the failures */
    brant__call inner; /* with the next, which is emptied from graph to graph and batch to batch */
    brant__arena arena;
    brant__text only; /* {NULL, 0}: all graphs */
    int64_t key_version;
    int64_t batch;
    int64_t left; /* rows that this call may still look at */
    bool moved;   /* this call has done a batch */
    bool renewed; /* it has begun again with graphs whose type was changed */
    brant__rotate_traces gone;
    char tenant[65]; /* the id of the file that the batch in hand was read from */
    int64_t totals[OUTCOMES];
    failure failures[FAILURES];
    size_t failure_count;
    brant__version_counts counts;
    mark *marks;
    size_t mark_count, mark_room;
    int64_t rest;                     /* rows that are to be looked at yet */
    int64_t after;                    /* row id of the graph before the next one */
    brant__graph graph;               /* in hand; row_id 0: none */
    int64_t graph_type, type_changes; /* its type, as the batch was read */
    brant__rotation now;              /* how far it is */
    int kind;                         /* of the batch in hand */
    batch_row *rows;
    size_t row_count, row_room;
    size_t bytes;
    brant__rotate_place place;
    int64_t looked;
    bool end;
    brant__json json;
    brant__buffer plain; /* an opened value: wiped at once */
    brant__buffer text;  /* a row's attributes */
} rotate;

/* ---- one row --------------------------------------------------------------------------------- */

static brant_status note_failure(rotate *self, const batch_row *row,
                                 const brant__encrypted *where) {
    const brant_error *error = brant_last_error();
    brant__arena *arena = self->call->arena;
    failure *out = &self->failures[self->failure_count];
    brant_status status;

    (void)brant__error_code();
    if (self->failure_count == FAILURES) return BRANT_OK;
    *out = (failure){.kind = self->kind, .code = error->name, .row_id = row->row_id};
    status =
        brant__arena_text(&out->message, arena, brant__text_of(error->message, error->message_len));
    if (status == BRANT_OK) status = brant__arena_text(&out->graph, arena, self->graph.name);
    if (status == BRANT_OK) status = brant__arena_text(&out->key, arena, row->key);
    if (status == BRANT_OK) status = brant__arena_text(&out->path, arena, where->pointer);
    if (status == BRANT_OK) self->failure_count++;
    return status;
}

/* Is it to come under the active key? */
static bool is_due(const rotate *self, yyjson_val *value) {
    return value && !brant__is_redacted(value) &&
           brant__envelope_key_version(value) != self->key_version;
}

/* A row whose values are looked at one by one. */
typedef struct judgement {
    rotate *self;
    batch_row *row;
    brant__context context;
} judgement;

static brant_status write_value(brant__buffer *out, void *context, const brant__encrypted *where,
                                yyjson_val *value, yyjson_val *beside) {
    judgement *judged = context;
    rotate *self = judged->self;
    brant_db *db = self->call->db;
    int outcome = SEALED;
    brant_status status = BRANT_OK;

    (void)beside;
    if (!is_due(self, value)) {
        brant__json_append(out, value);
        return BRANT_OK;
    }
    judged->context.path = where->pointer;
    if (brant__envelope_like(value)) {
        outcome = REWRAPPED;
        status = brant__envelope_open(&self->plain, NULL, db, &judged->context, value);
    } else {
        brant__json_append(&self->plain, value);
        if (self->plain.failed) status = brant__fail_memory();
    }
    if (brant__envelope_refused(status)) {
        outcome = FAILED;
        brant__json_append(out, value);
        status = note_failure(self, judged->row, where);
    } else if (status == BRANT_OK) {
        status = brant__envelope_seal(out, db, &judged->context,
                                      brant__text_of(self->plain.data, self->plain.length));
    }
    judged->row->values[outcome]++;
    brant__buffer_wipe(&self->plain);
    return status;
}

/* What is to be done about a row, as row->attributes has it: row->sealed, in the batch's arena, and what becomes of its values. */
static brant_status judge_row(rotate *self, batch_row *row) {
    judgement judged = {.self = self, .row = row};
    brant_status status;

    row->sealed = (brant__text){NULL, 0};
    memset(row->values, 0, sizeof(row->values));
    judged.context = (brant__context){
        .tenant_id = brant__text_string(self->tenant),
        .graph_id = self->graph.id,
        .kind = self->kind == BRANT__NODES ? BRANT__TEXT("node") : BRANT__TEXT("edge"),
        .key = row->key,
    };
    BRANT__TRY(brant__json_parse(&self->json, row->attributes.data, row->attributes.length, 0));
    brant__buffer_reset(&self->text);
    BRANT__TRY(brant__encrypted_copy(&self->text, self->graph.type, self->kind, row->type,
                                     self->json.root, NULL, write_value, &judged));
    if (row->values[REWRAPPED] + row->values[SEALED] > 0)
        status = brant__arena_text(&row->sealed, &self->arena,
                                   brant__text_of(self->text.data, self->text.length));
cleanup:
    return status;
}

/* Does a row have anything to do at all? Most do while a key is new, and hardly any later. */
static brant_status at_stake(bool *out, rotate *self, const brant__rotate_row *row) {
    const brant__encrypted *places;
    const size_t count = brant__type_encrypted(&places, self->graph.type, self->kind, row->type);
    brant_status status;

    *out = false;
    BRANT__TRY(brant__json_parse(&self->json, row->attributes.data, row->attributes.length, 0));
    for (size_t i = 0; i < count && !*out; i++)
        *out = is_due(self, brant__encrypted_find(self->json.root, &places[i]));
cleanup:
    return status;
}

/* ---- a batch of rows ------------------------------------------------------------------------- */

static brant_status add_row(rotate *self, const brant__rotate_row *row) {
    batch_row *rows, *out;
    brant_status status;

    rows = brant__grow(self->rows, &self->row_room, self->row_count, sizeof(*rows));
    if (!rows) return brant__fail_memory();
    self->rows = rows;
    out = &self->rows[self->row_count];
    *out = (batch_row){.row_id = row->row_id, .type = row->type};
    BRANT__TRY(brant__arena_text(&out->key, &self->arena, row->key));
    BRANT__TRY(brant__arena_text(&out->attributes, &self->arena, row->attributes));
    self->row_count++;
    self->bytes += row->attributes.length;
cleanup:
    return status;
}

/* In a read transaction: the rows that have something to do among the next ones. */
static brant_status read_rows(rotate *self) {
    brant__rotate_scan scan = {0};
    brant__rotate_row row;
    bool found, stake;
    brant_status status;

    self->row_count = 0;
    self->bytes = 0;
    self->looked = 0;
    self->end = false;
    self->place = self->now.place;
    BRANT__TRY(
        brant__rotate_scan_begin(&scan, &self->inner, &self->graph, self->kind, self->now.place));
    while (self->looked < self->batch && self->looked < self->left && self->bytes < BYTES_MOST) {
        BRANT__TRY(brant__rotate_scan_next(&found, &row, &scan));
        if (!found) {
            self->end = true;
            break;
        }
        BRANT__TRY(at_stake(&stake, self, &row));
        if (stake) BRANT__TRY(add_row(self, &row));
        self->looked++;
    }
    if (!self->end) {
        self->place = scan.place;
        status = brant__arena_text(&self->place.key, &self->arena, scan.place.key);
    }
cleanup:
    brant__rotate_scan_end(&scan);
    return status;
}

/* A failure of a row that is looked at again is not of it any more. */
static void forget_failures(rotate *self, size_t from, int64_t row_id) {
    size_t kept = from;

    for (size_t i = from; i < self->failure_count; i++)
        if (self->failures[i].row_id != row_id) self->failures[kept++] = self->failures[i];
    self->failure_count = kept;
}

/* In the write transaction. *out_written: the row has changed. */
static brant_status write_row(rotate *self, batch_row *row, size_t failures, bool *out_written) {
    brant__rotate_scan scan = {0};
    brant__rotate_row is;
    bool found;
    brant_status status;

    *out_written = false;
    BRANT__TRY(brant__rotate_row_read(&found, &is, &scan, &self->inner, &self->graph, self->kind,
                                      row->row_id));
    if (!found || is.type != row->type || !brant__text_equal(is.key, row->key) ||
        !brant__text_equal(is.attributes, row->attributes)) {
        forget_failures(self, failures, row->row_id);
        *row = (batch_row){.row_id = row->row_id};
        if (!found) goto cleanup;
        row->type = is.type;
        BRANT__TRY(brant__arena_text(&row->key, &self->arena, is.key));
        BRANT__TRY(brant__arena_text(&row->attributes, &self->arena, is.attributes));
        BRANT__TRY(judge_row(self, row));
    }
    brant__rotate_scan_end(&scan);
    if (!row->sealed.data) goto cleanup;
    *out_written = true;
    status = brant__rotate_row_write(&self->inner, self->kind, row->row_id, row->sealed);
cleanup:
    brant__rotate_scan_end(&scan);
    return status;
}

/* Where a graph goes on after the last row of a stage. */
static brant_status next_stage(rotate *self, brant__rotation *next) {
    const brant__module *module = self->graph.type->module;
    bool logged = false, edges = false;
    brant_status status = BRANT_OK;

    for (size_t i = 0; i < module->edge_type_count; i++)
        edges = edges || module->edge_types[i].encrypted_count > 0;
    next->place = BRANT__ROTATE_FIRST;
    if (next->stage == BRANT__ROTATE_NODES && edges) {
        next->stage = BRANT__ROTATE_EDGES;
        return BRANT_OK;
    }
    next->event = 0;
    status = brant__rotate_log_find(&logged, &self->inner, &self->graph);
    next->stage = logged ? BRANT__ROTATE_LOG : BRANT__ROTATE_DONE;
    return status;
}

/* In the write transaction: the rows and how far the graph is. *out_ours false: it is to be taken back. */
static brant_status write_batch(rotate *self, size_t failures, bool *out_ours) {
    brant__rotation next = self->now;
    brant__text tenant;
    brant__graph now;
    bool any = false, written;
    int64_t values[OUTCOMES] = {0};
    brant_status status;

    *out_ours = false;
    /* Another file may have been restored over the one that the values were sealed for. */
    BRANT__TRY(brant__file_id(&tenant, self->call->db));
    if (!brant__text_equal(tenant, brant__text_string(self->tenant))) return BRANT_OK;
    /* The graph and what its type encrypts, as they are by now. */
    status = brant__graph_find_name(&now, &self->inner, self->graph.name, BRANT__ANY_STATUS);
    if (status == BRANT_NOT_FOUND) {
        (void)brant__error_code();
        return BRANT_OK;
    }
    if (status != BRANT_OK || !brant__text_equal(now.id, self->graph.id) ||
        now.type->row_id != self->graph_type || now.type->changes != self->type_changes)
        return status;
    self->graph = now;
    if (self->row_count > 0) BRANT__TRY(brant__kept_dirty(self->call->db));
    for (size_t i = 0; i < self->row_count; i++) {
        BRANT__TRY(write_row(self, &self->rows[i], failures, &written));
        any = any || written;
        for (int outcome = 0; outcome < OUTCOMES; outcome++)
            values[outcome] += self->rows[i].values[outcome];
    }
    if (any) {
        self->graph.kept_time = true;
        BRANT__TRY(brant__graph_changed(&self->inner, &self->graph, 0, 0, false));
    }
    next.looked += self->looked;
    next.rewrapped += values[REWRAPPED];
    next.sealed += values[SEALED];
    next.failed += values[FAILED];
    next.traces = next.traces || values[SEALED] > 0;
    next.place = self->place;
    if (self->end) BRANT__TRY(next_stage(self, &next));
    BRANT__TRY(brant__rotation_write(out_ours, &self->inner, self->graph.id, &next));
    if (!*out_ours) goto cleanup;
    next.step++;
    self->now = next;
    for (int outcome = 0; outcome < OUTCOMES; outcome++)
        self->totals[outcome] += values[outcome];
cleanup:
    return status;
}

/* The rows that were read, of the graph in hand. *out_ours false: another has gone on with it, and nothing was done. */
static brant_status finish_rows(rotate *self, bool *out_ours) {
    const size_t failures = self->failure_count;
    int64_t totals[OUTCOMES];
    bool begun = false;
    brant_status status = BRANT_OK;

    memcpy(totals, self->totals, sizeof(totals));
    *out_ours = false;
    for (size_t i = 0; i < self->row_count; i++) {
        if ((i & POLL_MASK) == POLL_MASK) BRANT__TRY(brant__db_poll(self->call->db));
        BRANT__TRY(judge_row(self, &self->rows[i]));
    }
    BRANT__TRY(brant__begin(self->call->db, BRANT__WRITE));
    begun = true;
    BRANT__TRY(write_batch(self, failures, out_ours));
    if (!*out_ours) goto cleanup;
    BRANT__TRY(brant__commit(self->call->db));
    begun = false;
cleanup:
    if (begun) brant__rollback(self->call->db);
    if (status == BRANT_OK && *out_ours) return BRANT_OK;
    *out_ours = false;
    self->failure_count = failures;
    memcpy(self->totals, totals, sizeof(totals));
    return status;
}

/* ---- from graph to graph --------------------------------------------------------------------- */

static brant_status in_transaction(rotate *self, int mode, brant_status (*what)(rotate *self)) {
    brant_status status = brant__begin(self->call->db, mode);

    if (status != BRANT_OK) return status;
    status = what(self);
    if (status == BRANT_OK) status = brant__commit(self->call->db);
    if (status != BRANT_OK) brant__rollback(self->call->db);
    return status;
}

/* The graph behind self->after, in self->graph, with how far it is in self->now. All texts of the one before it are void. */
static brant_status next_graph(rotate *self) {
    brant_status status;

    brant__arena_reset(&self->arena);
    self->row_count = 0;
    BRANT__TRY(brant__rotate_graph_next(&self->graph, &self->inner, self->after, self->only));
    if (!self->graph.row_id) goto cleanup;
    self->after = self->graph.row_id;
    BRANT__TRY(brant__rotation_read(&self->now, &self->inner, self->graph.id));
    if (self->now.key_version > self->key_version)
        status = brant__fail(BRANT_CONFLICT,
                             "graph %s is rotated to key version %lld, which a ring with the "
                             "active key version %lld does not take back",
                             brant__quoted(self->call, self->graph.name),
                             (long long)self->now.key_version, (long long)self->key_version);
cleanup:
    return status;
}

/* The next is this one. */
static void look_before(rotate *self, int64_t graph) {
    self->after = self->only.data ? 0 : graph - 1;
}

/* From the beginning, to the active key. */
static brant_status begin_graph(rotate *self) {
    const bool again = self->now.key_version == self->key_version;
    brant__rotation next = {
        .key_version = self->key_version,
        .step = self->now.step,
        .place = BRANT__ROTATE_FIRST,
        .rewrapped = again ? self->now.rewrapped : 0,
        .sealed = again ? self->now.sealed : 0,
        .traces = self->now.traces,
        .started_at = brant__db_now(self->call->db),
    };
    bool ours, newer;
    brant_status status =
        brant__rotate_type_newer(&newer, &self->inner, &self->graph, &self->now, false);

    if (status != BRANT_OK) return status;
    next.traces = next.traces || newer;
    return brant__rotation_write(&ours, &self->inner, self->graph.id, &next);
}

/* Is there a graph without a rotation to the active key? Left in self->graph. */
static brant_status find_new(rotate *self) {
    brant_status status;

    self->after = 0;
    do
        BRANT__TRY(next_graph(self));
    while (self->graph.row_id && self->now.key_version == self->key_version);
cleanup:
    return status;
}

/* All at once, so that from the beginning it can be told what is left. */
static brant_status begin_new(rotate *self) {
    brant_status status;

    self->after = 0;
    for (;;) {
        BRANT__TRY(next_graph(self));
        if (!self->graph.row_id) break;
        if (self->now.key_version != self->key_version) BRANT__TRY(begin_graph(self));
    }
cleanup:
    return status;
}

static brant_status read_tenant(rotate *self) {
    brant__text tenant;
    const brant_status status = brant__file_id(&tenant, self->call->db);

    if (status == BRANT_OK)
        snprintf(self->tenant, sizeof(self->tenant), "%.*s", (int)tenant.length, tenant.data);
    return status;
}

/* The next graph that is not through, with the rows of a batch. */
static brant_status read_batch(rotate *self) {
    brant_status status;

    do
        BRANT__TRY(next_graph(self));
    while (self->graph.row_id &&
           (self->now.key_version != self->key_version || self->now.stage == BRANT__ROTATE_DONE));
    if (!self->graph.row_id) goto cleanup;
    look_before(self, self->graph.row_id); /* it may have more */
    self->graph_type = self->graph.type->row_id;
    self->type_changes = self->graph.type->changes;
    self->kind = self->now.stage == BRANT__ROTATE_NODES ? BRANT__NODES : BRANT__EDGES;
    self->looked = 0;
    if (self->now.stage == BRANT__ROTATE_LOG || self->left <= 0) goto cleanup;
    BRANT__TRY(read_tenant(self));
    status = read_rows(self);
cleanup:
    return status;
}

static brant_status run_batch(rotate *self) {
    bool ours;
    brant_status status;

    if (self->now.stage == BRANT__ROTATE_LOG) {
        status = brant__rotate_log(&ours, &self->looked, &self->inner, &self->graph, &self->now,
                                   self->batch < self->left ? self->batch : self->left);
    } else {
        status = finish_rows(self, &ours);
    }
    self->left -= self->looked > 0 ? self->looked : 1;
    self->moved = true;
    return status;
}

/* ---- when all are through -------------------------------------------------------------------- */

static brant_status add_mark(rotate *self) {
    mark *grown = brant__grow(self->marks, &self->mark_room, self->mark_count, sizeof(*grown));
    if (!grown) return brant__fail_memory();
    self->marks = grown;
    self->marks[self->mark_count++] = (mark){self->graph.row_id, self->now.step};
    return BRANT_OK;
}

/* For each graph that is marked and as it was. */
static brant_status each_marked(rotate *self, brant_status (*what)(rotate *self)) {
    brant_status status = BRANT_OK;

    for (size_t i = 0; i < self->mark_count; i++) {
        look_before(self, self->marks[i].graph);
        BRANT__TRY(next_graph(self));
        if (self->graph.row_id == self->marks[i].graph && self->now.step == self->marks[i].step)
            BRANT__TRY(what(self));
    }
cleanup:
    return status;
}

/* Is there a value under another key in the graph in hand that this ring brings under its own? Those that failed tell nothing: others may have come in their stead. */
static brant_status find_due(bool *out, rotate *self) {
    const size_t failures = self->failure_count;
    brant__rotate_scan scan = {0};
    brant_status status;

    *out = false;
    self->failure_count = FAILURES; /* they are told already */
    BRANT__TRY(read_tenant(self));
    for (self->kind = BRANT__NODES; self->kind <= BRANT__EDGES && !*out; self->kind++) {
        BRANT__TRY(brant__rotate_scan_begin(&scan, &self->inner, &self->graph, self->kind,
                                            BRANT__ROTATE_FIRST));
        while (!*out) {
            brant__rotate_row row;
            batch_row judged;
            bool found;
            BRANT__TRY(brant__rotate_scan_next(&found, &row, &scan));
            if (!found) break;
            BRANT__TRY(at_stake(&found, self, &row));
            if (!found) continue;
            judged = (batch_row){.type = row.type, .key = row.key, .attributes = row.attributes};
            BRANT__TRY(judge_row(self, &judged));
            *out = judged.sealed.data != NULL;
        }
        brant__rotate_scan_end(&scan);
    }
cleanup:
    brant__rotate_scan_end(&scan);
    self->failure_count = failures;
    return status;
}

/* Count the values of all graphs, and mark those that are to be gone through again. */
static brant_status count_values(rotate *self) {
    brant_status status;

    const bool renewed = self->renewed;

    self->counts.count = 0;
    self->mark_count = 0;
    self->after = 0;
    for (;;) {
        int64_t others = -brant__versions_but(&self->counts, self->key_version);
        bool newer = false, due;
        BRANT__TRY(next_graph(self));
        if (!self->graph.row_id) break;
        BRANT__TRY(brant__versions_count(&self->counts, &self->inner, &self->graph));
        others += brant__versions_but(&self->counts, self->key_version);
        if (!renewed)
            BRANT__TRY(brant__rotate_type_newer(&newer, &self->inner, &self->graph, &self->now,
                                                self->moved));
        self->renewed = self->renewed || newer;
        /* Those that failed are tried again, but not by the call that found them. */
        due = others > 0;
        if (due && self->moved) BRANT__TRY(find_due(&due, self));
        if (newer || self->now.key_version != self->key_version || due) BRANT__TRY(add_mark(self));
    }
cleanup:
    return status;
}

static brant_status begin_again(rotate *self) {
    return each_marked(self, begin_graph);
}

static brant_status mark_traces(rotate *self) {
    bool newer;
    brant_status status;

    self->mark_count = 0;
    self->after = 0;
    for (;;) {
        BRANT__TRY(next_graph(self));
        if (!self->graph.row_id) break;
        BRANT__TRY(brant__rotate_type_newer(&newer, &self->inner, &self->graph, &self->now, false));
        if (self->now.traces || newer) BRANT__TRY(add_mark(self));
    }
    status = brant__rotate_gone(&self->gone, &self->inner);
cleanup:
    return status;
}

static brant_status clear_trace(rotate *self) {
    bool ours;

    if (self->now.stage < BRANT__ROTATE_DONE) return BRANT_OK; /* begun again */
    self->now.traces = false;
    return brant__rotation_write(&ours, &self->inner, self->graph.id, &self->now);
}

static brant_status clear_traces(rotate *self) {
    const brant__rotate_traces before = self->gone;
    brant_status status;

    BRANT__TRY(each_marked(self, clear_trace));
    BRANT__TRY(brant__rotate_gone(&self->gone, &self->inner));
    if (self->gone.count == before.count && self->gone.steps == before.steps)
        status = brant__rotate_gone_clear(&self->inner);
cleanup:
    return status;
}

/* *out_scrubbed: nothing is left in the file of values that were plain. */
static brant_status scrub(rotate *self, bool *out_scrubbed) {
    brant_db *db = self->call->db;
    brant_status status = in_transaction(self, BRANT__READ, mark_traces);

    *out_scrubbed = false;
    if (status != BRANT_OK) return status;
    *out_scrubbed = self->mark_count == 0 && self->gone.count == 0;
    if (*out_scrubbed || brant__depth(db) > 0) return BRANT_OK;
    brant__db_scrub(out_scrubbed, db);
    return *out_scrubbed ? in_transaction(self, BRANT__WRITE, clear_traces) : BRANT_OK;
}

/* ---- the operation --------------------------------------------------------------------------- */

static brant_status add_rest(rotate *self) {
    int64_t rows;
    brant_status status;

    self->after = 0;
    self->rest = 0;
    for (;;) {
        BRANT__TRY(next_graph(self));
        if (!self->graph.row_id) break;
        if (self->now.stage == BRANT__ROTATE_DONE) continue;
        BRANT__TRY(brant__rotate_rows(&rows, &self->inner, &self->graph));
        if (rows > self->now.looked) self->rest += rows - self->now.looked;
    }
cleanup:
    return status;
}

static brant_status run(rotate *self, bool *out_done) {
    brant_status status;

    *out_done = false;
    BRANT__TRY(in_transaction(self, BRANT__READ, find_new));
    if (self->graph.row_id) BRANT__TRY(in_transaction(self, BRANT__WRITE, begin_new));
    self->after = 0;
    for (;;) {
        BRANT__TRY(brant__db_poll(self->call->db));
        BRANT__TRY(in_transaction(self, BRANT__READ, read_batch));
        if (!self->graph.row_id) {
            BRANT__TRY(in_transaction(self, BRANT__READ, count_values));
            *out_done = self->mark_count == 0;
            if (*out_done) break;
            BRANT__TRY(in_transaction(self, BRANT__WRITE, begin_again));
            self->after = 0;
        }
        if (self->left <= 0) break;
        if (self->graph.row_id && self->mark_count == 0) BRANT__TRY(run_batch(self));
        self->mark_count = 0;
    }
cleanup:
    return status;
}

static void write_failures(const rotate *self) {
    brant__writer *out = self->call->out;

    brant__write_name(out, "failures");
    brant__write_array(out);
    for (size_t i = 0; i < self->failure_count; i++) {
        const failure *it = &self->failures[i];
        brant__write_object(out);
        brant__write_text_member(out, "graph", it->graph);
        brant__write_text_member(
            out, "kind", it->kind == BRANT__NODES ? BRANT__TEXT("node") : BRANT__TEXT("edge"));
        brant__write_text_member(out, "key", it->key);
        brant__write_text_member(out, "path", it->path);
        brant__write_text_member(out, "code", brant__text_string(it->code));
        brant__write_text_member(out, "message", it->message);
        brant__write_end(out);
    }
    brant__write_end(out);
}

static void answer(const rotate *self, bool done, bool scrubbed) {
    brant__writer *out = self->call->out;

    brant__write_object(out);
    brant__write_bool_member(out, "done", done);
    brant__write_integer_member(out, "key_version", self->key_version);
    brant__write_integer_member(out, "rewrapped", self->totals[REWRAPPED]);
    brant__write_integer_member(out, "sealed", self->totals[SEALED]);
    brant__write_integer_member(out, "failed", self->totals[FAILED]);
    write_failures(self);
    brant__write_integer_member(out, "remaining", self->rest);
    if (done) {
        brant__write_bool_member(out, "scrubbed", scrubbed);
        brant__write_name(out, "keys");
        brant__write_array(out);
        for (size_t i = 0; i < self->counts.count; i++) {
            brant__write_object(out);
            brant__write_integer_member(out, "version", self->counts.list[i].version);
            brant__write_integer_member(out, "count", self->counts.list[i].count);
            brant__write_end(out);
        }
        brant__write_end(out);
    }
    brant__write_end(out);
}

/* Leave it to db.maintain: a job of the queue "secret-rotation" (operation/worker.c), one for each graph and one for all that waits. The rotation begins, so that
 * nobody works it who has an older key. */
static brant_status enqueue(rotate *self) {
    static const char *const members[] = {"graph", "batch"};
    brant__text unique = BRANT__TEXT("*");
    brant__graph graph;
    brant_status status = BRANT_OK;

    if (self->only.data) {
        BRANT__TRY(brant__graph_find_name(&graph, self->call, self->only, BRANT__ANY_STATUS));
        unique = graph.id;
    }
    if (self->key_version > 0) BRANT__TRY(begin_new(self));
    status = brant__background(self->call, "secret-rotation", "secrets.rotate", unique, members,
                               BRANT__COUNT(members));
cleanup:
    return status;
}

static brant_status claim(rotate *self) {
    return brant__keyring_claim(self->call->db);
}

static brant_status rotate_now(rotate *self) {
    bool done, scrubbed = false;
    brant_status status;

    brant__db_secret(self->call->db);
    BRANT__TRY(brant__keyring_ready(self->call->db));
    BRANT__TRY(in_transaction(self, BRANT__WRITE, claim));
    BRANT__TRY(run(self, &done));
    if (done)
        BRANT__TRY(scrub(self, &scrubbed));
    else
        BRANT__TRY(in_transaction(self, BRANT__READ, add_rest));
    answer(self, done, scrubbed);
cleanup:
    return status;
}

brant_status brant__secret_rotate(brant__call *call) {
    yyjson_val *input = call->input;
    rotate *self = brant__alloc_zero(sizeof(*self));
    brant_status status;

    if (!self) return brant__fail_memory();
    self->call = call;
    self->inner = *call;
    self->inner.arena = &self->arena;
    self->only = brant__json_get_text(input, "graph");
    self->batch = brant__json_integer(brant__json_get(input, "batch"), 1000);
    self->left = self->batch * brant__json_integer(brant__json_get(input, "limit"), 1);
    self->key_version = brant__keyring_active(call->db);
    if (brant__json_bool(brant__json_get(input, "background"), false))
        status = in_transaction(self, BRANT__WRITE, enqueue);
    else
        status = rotate_now(self);
    brant__arena_free(&self->arena);
    brant__json_free(&self->json);
    brant__buffer_free(&self->plain);
    brant__buffer_free(&self->text);
    brant__free(self->counts.list);
    brant__free(self->marks);
    brant__free(self->rows);
    brant__free(self);
    return status;
}
