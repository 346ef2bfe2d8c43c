/*
 * access/follow.c: what a handle keeps of its access graphs, and how it is proven true.
 *
 * An index is true of the running transaction when the graph's row has the counter of changes, and the time of the last, that it was made true of. Else the change log is followed: its
 * events say which nodes and edges are to be read again, so that nothing is believed but the rows themselves. The event that was applied last must still stand where it
 * stood, and those behind it without a gap: a file that was restored, or a log that was cut or begun anew, is read as a whole.
 *
 * The counters cannot prove one thing: after a rollback another writer may bring them to values that our undone transaction had given them. So what is applied while the running
 * transaction has written to graphs is noted with the depth of those writes; when a rollback takes that depth back, the index stands where it stood before, and what was noted is read again.
 */
#include "access/follow.h"

#include "event/stream.h"
#include "graph/internal.h"

#define GRAPHS 4 /* that a handle keeps an index of */
/* A log that is longer than the graph is not worth following. */
#define WORTH_FOLLOWING(edges) (1000 + (int64_t)(edges) / 8)

/* How far the index is. */
typedef struct place {
    int64_t changes;
    int64_t changed_at;
    int64_t offset; /* of the event that was applied last, when, and a hash of its key */
    int64_t event_at;
    uint64_t event_key;
} place;

/* What was applied within a transaction that wrote: where the index stood before, and from where on the notes say what was read. */
typedef struct batch {
    place before;
    size_t noted;
    unsigned touched; /* the depth of those writes; grows from one to the next */
} batch;

typedef struct followed {
    char *id; /* of the graph; NULL: not in use */
    bool known;
    uint64_t used;
    unsigned
        touched; /* depth of the writes that the whole index may have of the running transaction; 0: none */
    char type_id[37];
    int64_t type_changes;
    int64_t stream; /* row id of the change log; 0: there is none */
    place at;
    brant__access_graph graph;
    brant__access_index index;
    batch *batches;
    size_t batch_room, batch_count;
    brant__buffer notes;
    brant__buffer stale; /* notes of what was rolled back, to be read again */
} followed;

typedef struct access {
    followed graphs[GRAPHS];
    uint64_t clock;
    brant__json event;
} access;

/* ---- notes ----------------------------------------------------------------------------------- */

/* A note: a kind of edge, or NODE; the lengths of two texts, and they. */
#define NODE BRANT__ACCESS_EDGE_KINDS
typedef struct note {
    int kind;
    brant__text first; /* a node's key, or an edge's source */
    brant__text second;
} note;

static void note_write(brant__buffer *notes, const note *written) {
    const size_t head[3] = {(size_t)written->kind, written->first.length, written->second.length};

    brant__buffer_append(notes, head, sizeof(head));
    brant__buffer_append(notes, written->first.data, written->first.length);
    brant__buffer_append(notes, written->second.data, written->second.length);
}

/* The note at `at`, and the place of the next. */
static size_t note_read(note *out, const brant__buffer *notes, size_t at) {
    size_t head[3];

    memcpy(head, notes->data + at, sizeof(head));
    at += sizeof(head);
    *out = (note){(int)head[0], brant__text_of(notes->data + at, head[1]),
                  brant__text_of(notes->data + at + head[1], head[2])};
    return at + head[1] + head[2];
}

/* ---- hooks ----------------------------------------------------------------------------------- */

static void drop(followed *self) {
    brant__access_index_free(&self->index);
    brant__buffer_free(&self->notes);
    brant__buffer_free(&self->stale);
    brant__free(self->batches);
    brant__free(self->id);
    *self = (followed){.id = NULL};
}

/* Keep the place, not what is in it. */
static void invalidate(followed *self) {
    brant__access_index_free(&self->index);
    brant__buffer_reset(&self->notes);
    brant__buffer_reset(&self->stale);
    self->notes.failed = self->stale.failed = false;
    self->batch_count = 0;
    self->touched = 0;
    self->known = false;
}

static void after_commit(brant_db *db, void *context) {
    access *state = context;

    (void)db;
    for (size_t i = 0; i < GRAPHS; i++) {
        followed *self = &state->graphs[i];
        self->touched = 0;
        self->batch_count = 0;
        brant__buffer_reset(&self->notes);
    }
}

static void roll_back(followed *self, unsigned depth) {
    size_t from;

    if (self->touched > depth) {
        invalidate(self);
        return;
    }
    while (self->batch_count > 0 && self->batches[self->batch_count - 1].touched > depth) {
        const batch *last = &self->batches[--self->batch_count];
        self->at = last->before;
        from = last->noted;
        brant__buffer_append(&self->stale, self->notes.data + from, self->notes.length - from);
        self->notes.length = from;
    }
    if (self->stale.failed) invalidate(self);
}

static void after_rollback(brant_db *db, void *context, unsigned depth) {
    access *state = context;

    (void)db;
    for (size_t i = 0; i < GRAPHS; i++)
        roll_back(&state->graphs[i], depth);
}

static void after_release(brant_db *db, void *context, unsigned depth) {
    access *state = context;

    (void)db;
    for (size_t i = 0; i < GRAPHS; i++) {
        followed *self = &state->graphs[i];
        if (self->touched > depth) self->touched = depth;
        if (self->batch_count == 0 || self->batches[self->batch_count - 1].touched <= depth)
            continue;
        /* At most one more below may be of the same depth now: then they are one. */
        self->batches[self->batch_count - 1].touched = depth;
        if (self->batch_count > 1 && self->batches[self->batch_count - 2].touched >= depth)
            self->batch_count--;
    }
}

static void after_restore(brant_db *db, void *context) {
    access *state = context;

    (void)db;
    for (size_t i = 0; i < GRAPHS; i++)
        drop(&state->graphs[i]);
}

static void destroy(brant_db *db, void *context) {
    access *state = context;

    after_restore(db, state);
    brant__json_free(&state->event);
    brant__free(state);
}

static const brant__hooks hooks = {
    .after_commit = after_commit,
    .after_rollback = after_rollback,
    .before_restore = after_restore,
    .after_restore = after_restore,
    .after_release = after_release,
    .destroy = destroy,
};

static brant_status state_of(access **out, brant_db *db) {
    *out = brant__state(db, BRANT__SLOT_ACCESS);
    if (BRANT__LIKELY(*out != NULL)) return BRANT_OK;
    *out = brant__alloc_zero(sizeof(**out));
    if (!*out) return brant__fail_memory();
    brant__attach(db, BRANT__SLOT_ACCESS, &hooks, *out);
    return BRANT_OK;
}

void brant__access_forget(brant_db *db) {
    access *state = brant__state(db, BRANT__SLOT_ACCESS);

    if (state) after_restore(db, state);
}

/* ---- the graph's row ------------------------------------------------------------------------- */

static const char *const sql[] = {
    ("SELECT g.row_id, g.id, g.changes, g.changed_at, g.change_stream, t.id, t.changes, t.name, "
     "g.status, t.row_id, g.nodes, g.edges FROM graphs g CROSS JOIN graph_types t ON t.row_id = "
     "g.graph_type WHERE g.name = :name"),
};
const brant__statements brant__access_follow_statements = {BRANT__TABLE_ACCESS_FOLLOW,
                                                           BRANT__COUNT(sql), sql};

static brant_status find_followed(followed **out, brant_db *db, brant__text id) {
    followed *oldest;
    access *state;
    brant_status status = state_of(&state, db);

    if (status != BRANT_OK) return status;
    oldest = &state->graphs[0];
    for (size_t i = 0; i < GRAPHS; i++) {
        followed *self = &state->graphs[i];
        if (self->id && brant__text_equal(brant__text_string(self->id), id)) {
            self->used = ++state->clock;
            *out = self;
            return BRANT_OK;
        }
        if (self->used < oldest->used) oldest = self;
    }
    drop(oldest);
    oldest->id = brant__strndup(id.data, id.length);
    if (!oldest->id) return brant__fail_memory();
    oldest->used = ++state->clock;
    *out = oldest;
    return BRANT_OK;
}

/* The rows of the graph type's own types. A type that it has not, in a file whose type of this name is another: no row is of it. */
static brant_status read_types(followed *self, brant__call *call, brant__statement *row) {
    const brant__text id = brant__column_text(row, 5);
    const brant__type *type;
    brant_status status =
        brant__type_load(&type, call->db, brant__column_integer(row, 9), id,
                         brant__column_integer(row, 6), brant__column_text(row, 7));

    if (status != BRANT_OK) return status;
    for (size_t i = 0; i < BRANT__ACCESS_NODE_KINDS; i++) {
        const uint32_t at = brant__type_node(type, brant__access_node_names[i]);
        self->graph.node_types[i] = at == BRANT__NO_TYPE ? -1 : brant__type_node_row(type, at);
    }
    for (size_t i = 0; i < BRANT__ACCESS_EDGE_KINDS; i++) {
        const uint32_t at = brant__type_edge(type, brant__access_edge_names[i]);
        self->graph.edge_types[i] = at == BRANT__NO_TYPE ? -1 : brant__type_edge_row(type, at);
    }
    if (id.length >= sizeof(self->type_id))
        return brant__fail(BRANT_CORRUPT, "a graph type's id is none; run db.doctor");
    memcpy(self->type_id, id.data, id.length);
    self->type_id[id.length] = 0;
    self->type_changes = brant__column_integer(row, 6);
    return BRANT_OK;
}

/* ---- following ------------------------------------------------------------------------------- */

static brant_status dirty_depth(unsigned *out, brant_db *db) {
    brant__graphs *state;
    const brant_status status = brant__graphs_state(&state, db);

    if (status == BRANT_OK) *out = state->dirty;
    return status;
}

/* What is applied from now on belongs to writes of this depth. */
static brant_status begin_batch(followed *self, unsigned dirty) {
    batch *grown;

    if (dirty == 0 ||
        (self->batch_count > 0 && self->batches[self->batch_count - 1].touched >= dirty))
        return BRANT_OK;
    grown = brant__grow(self->batches, &self->batch_room, self->batch_count, sizeof(*grown));
    if (!grown) return brant__fail_memory();
    self->batches = grown;
    self->batches[self->batch_count++] =
        (batch){.before = self->at, .noted = self->notes.length, .touched = dirty};
    return BRANT_OK;
}

static brant_status apply(followed *self, brant__call *call, const note *what, bool noted) {
    if (noted) {
        note_write(&self->notes, what);
        if (self->notes.failed) return brant__fail_memory();
    }
    return what->kind == NODE
               ? brant__access_load_node(call, &self->graph, what->first)
               : brant__access_load_edge(call, &self->graph, what->kind, what->first, what->second);
}

/* What an event is about. *out_known false: the log itself, begun or ended. */
static brant_status read_event(bool *out_known, bool *out_ours, note *out, brant__json *json,
                               const brant__stream_event *event) {
    brant__text what;
    brant_status status =
        brant__json_parse(json, event->payload.data.data, event->payload.data.length, 0);

    *out_known = *out_ours = false;
    if (status != BRANT_OK) return status;
    what = brant__json_get_text(json->root, "kind");
    if (brant__text_equal(what, BRANT__TEXT("node"))) {
        *out_known = *out_ours = true;
        *out = (note){NODE, brant__json_get_text(json->root, "key"), {"", 0}};
    } else if (brant__text_equal(what, BRANT__TEXT("edge"))) {
        *out_known = true;
        *out = (note){brant__access_edge_kind(brant__json_get_text(json->root, "type")),
                      brant__json_get_text(json->root, "source"),
                      brant__json_get_text(json->root, "target")};
        *out_ours = out->kind < BRANT__ACCESS_EDGE_KINDS;
    }
    return BRANT_OK;
}

static uint64_t hash_key(brant__text key) {
    return brant__hash(key.data, key.length);
}

/* Read again what was rolled back. */
static brant_status refresh(followed *self, brant__call *call, bool noted) {
    size_t at = 0;
    note what;
    brant_status status = BRANT_OK;

    while (at < self->stale.length) {
        at = note_read(&what, &self->stale, at);
        BRANT__TRY(apply(self, call, &what, noted));
    }
    brant__buffer_reset(&self->stale);
cleanup:
    return status;
}

/* *out_done false: the log does not lead from the index to the graph as it is. */
static brant_status follow_log(bool *out_done, followed *self, brant__call *call, brant__text log,
                               bool noted) {
    access *state = brant__state(call->db, BRANT__SLOT_ACCESS);
    brant__statement *scan = NULL;
    brant__stream_event event;
    int64_t expected = self->at.offset;
    brant__stream stream;
    bool found, known, ours;
    note what;
    brant_status status;

    *out_done = false;
    BRANT__TRY(brant__stream_find(&found, &stream, call->db, log));
    if (!found || stream.row_id != self->stream || stream.last < expected ||
        stream.last - expected > WORTH_FOLLOWING(self->index.edge_count))
        goto cleanup;
    BRANT__TRY(
        brant__stream_scan(&scan, call->db, stream.row_id, expected - 1, stream.last, false));
    for (; expected <= stream.last; expected++) {
        BRANT__TRY(brant__stream_next(&found, &event, call->db, scan));
        if (!found || event.offset != expected) goto cleanup;
        if (expected == self->at.offset) {
            if (event.created_at != self->at.event_at || hash_key(event.key) != self->at.event_key)
                goto cleanup;
            continue;
        }
        BRANT__TRY(read_event(&known, &ours, &what, &state->event, &event));
        if (!known) goto cleanup;
        if (ours) BRANT__TRY(apply(self, call, &what, noted));
        self->at.offset = expected;
        self->at.event_at = event.created_at;
        self->at.event_key = hash_key(event.key);
    }
    *out_done = true;
cleanup:
    brant__reset(scan);
    return status;
}

/* Where the log ends that the index begins with. */
static brant_status find_log(followed *self, brant__call *call, brant__text log) {
    brant__statement *row = NULL;
    brant__stream_event event;
    brant__stream stream;
    bool found;
    brant_status status = BRANT_OK;

    self->stream = 0;
    if (!log.data) return BRANT_OK;
    BRANT__TRY(brant__stream_find(&found, &stream, call->db, log));
    if (!found) goto cleanup;
    BRANT__TRY(brant__stream_at(&found, &event, &row, call->db, stream.row_id, stream.last));
    if (!found) goto cleanup;
    self->stream = stream.row_id;
    self->at.offset = stream.last;
    self->at.event_at = event.created_at;
    self->at.event_key = hash_key(event.key);
cleanup:
    brant__reset(row);
    return status;
}

/* ---- opening --------------------------------------------------------------------------------- */

/* Bring a known index up to the row; *out_done false: it cannot be. */
static brant_status follow(bool *out_done, followed *self, brant__call *call, brant__text log) {
    unsigned dirty;
    brant_status status = dirty_depth(&dirty, call->db);

    *out_done = false;
    if (status != BRANT_OK || !self->stream || !log.data) return status;
    BRANT__TRY(begin_batch(self, dirty));
    BRANT__TRY(refresh(self, call, dirty != 0));
    status = follow_log(out_done, self, call, log, dirty != 0);
cleanup:
    return status;
}

static brant_status build(followed *self, brant__call *call, brant__statement *row,
                          brant__text log) {
    brant_status status;

    invalidate(self);
    BRANT__TRY(dirty_depth(&self->touched, call->db));
    BRANT__TRY(read_types(self, call, row));
    BRANT__TRY(find_log(self, call, log));
    status = brant__access_load(call, &self->graph, brant__column_integer(row, 10),
                                brant__column_integer(row, 11));
cleanup:
    return status;
}

/* Make the index what the row says that the graph is. */
static brant_status bring(followed *self, brant__call *call, brant__statement *row) {
    const int64_t changes = brant__column_integer(row, 2);
    const int64_t changed_at = brant__column_integer(row, 3);
    const brant__text log = brant__column_text(row, 4);
    bool done = false;
    brant_status status = BRANT_OK;

    self->graph.row_id = brant__column_integer(row, 0);
    self->graph.revision = changes;
    self->graph.index = &self->index;
    if (self->known &&
        (brant__column_integer(row, 6) != self->type_changes ||
         !brant__text_equal(brant__column_text(row, 5), brant__text_string(self->type_id))))
        self->known = false;
    if (BRANT__LIKELY(self->known && self->at.changes == changes &&
                      self->at.changed_at == changed_at && self->stale.length == 0))
        return BRANT_OK;
    if (self->known) BRANT__TRY(follow(&done, self, call, log));
    if (!done) BRANT__TRY(build(self, call, row, log));
    self->known = true;
    self->at.changes = changes;
    self->at.changed_at = changed_at;
cleanup:
    if (status != BRANT_OK) invalidate(self);
    return status;
}

brant_status brant__access_open(bool *out_found, brant__access_graph *out, brant__call *call,
                                brant__text name) {
    brant__statement *row = NULL;
    followed *self = NULL;
    brant_status status;

    *out_found = false;
    BRANT__TRY(brant__statement_get(&row, call->db, &brant__access_follow_statements, 0));
    brant__bind_text(row, 1, name);
    BRANT__TRY(brant__step(out_found, call->db, row));
    if (*out_found && (brant__text_equal(brant__column_text(row, 8), BRANT__TEXT("deleted")) ||
                       !brant__text_equal(brant__column_text(row, 7), BRANT__TEXT("access"))))
        *out_found = false;
    if (!*out_found) goto cleanup;
    BRANT__TRY(find_followed(&self, call->db, brant__column_text(row, 1)));
    BRANT__TRY(bring(self, call, row));
    *out = self->graph;
cleanup:
    if (status != BRANT_OK) *out_found = false;
    brant__reset(row);
    return status;
}

brant_status brant__access_need(brant__access_graph *out, brant__call *call) {
    const brant__text given = brant__json_get_text(call->input, "graph");
    const brant__text name = given.data ? given : BRANT__TEXT("access");
    const int64_t least = brant__json_integer(brant__json_get(call->input, "at_least"), 0);
    bool found;
    brant_status status = brant__access_open(&found, out, call, name);

    if (status != BRANT_OK) return status;
    if (!found)
        return brant__fail(BRANT_NOT_FOUND, "no access graph %s", brant__quoted(call, name));
    if (out->revision < least)
        return brant__fail(BRANT_CONFLICT, "the graph is at revision %lld, not yet at %lld",
                           (long long)out->revision, (long long)least);
    return BRANT_OK;
}
