/*
 * graph/seal.c: attributes that their type encrypts, sealed on their way in, shown or redacted on their way out (seal.h).
 *
 * All of it is one walk: an object is copied member by member, and what stands at an encrypted place is written by the one who walks. Places are reached
 * through objects alone, and none is inside another (schema/schema.h).
 */
#include "graph/seal.h"

enum { NODE, EDGE, STATEMENT_COUNT };
static const char *const sql[STATEMENT_COUNT] = {
    [NODE] = "SELECT attributes FROM nodes WHERE row_id = :row_id",
    [EDGE] = "SELECT attributes FROM edges WHERE row_id = :row_id",
};
static const brant__statements statements = {BRANT__TABLE_SEAL, STATEMENT_COUNT, sql};

/* ---- places ---------------------------------------------------------------------------------- */

typedef struct copying {
    const brant__encrypted *places;
    brant__encrypted_write *write;
    void *context;
} copying;

/* Of places[from..to), which agree in their first `depth` segments, those with this name next: they stand together. */
static void narrow(size_t *from, size_t *to, const copying *self, size_t depth, brant__text name) {
    size_t first = *from, last;

    while (first < *to && !brant__text_equal(self->places[first].segments[depth], name))
        first++;
    for (last = first; last < *to; last++)
        if (!brant__text_equal(self->places[last].segments[depth], name)) break;
    *from = first;
    *to = last;
}

static brant_status copy(brant__buffer *out, const copying *self, yyjson_val *object,
                         yyjson_val *beside, size_t from, size_t to, size_t depth) {
    size_t index, count;
    yyjson_val *name, *value;

    brant__buffer_append_byte(out, '{');
    yyjson_obj_foreach(object, index, count, name, value) {
        const brant__text text = brant__json_text(name);
        yyjson_val *other =
            yyjson_is_obj(beside) ? yyjson_obj_getn(beside, text.data, text.length) : NULL;
        size_t first = from, last = to;
        brant_status status = BRANT_OK;

        if (index > 0) brant__buffer_append_byte(out, ',');
        brant__json_append_text(out, text);
        brant__buffer_append_byte(out, ':');
        narrow(&first, &last, self, depth, text);
        if (first == last)
            brant__json_append(out, value);
        else if (self->places[first].segment_count == depth + 1)
            status = self->write(out, self->context, &self->places[first], value, other);
        else if (yyjson_is_obj(value))
            status = copy(out, self, value, other, first, last, depth + 1);
        else
            brant__json_append(out, value);
        if (status != BRANT_OK) return status;
    }
    brant__buffer_append_byte(out, '}');
    return out->failed ? brant__fail_memory() : BRANT_OK;
}

brant_status brant__encrypted_copy(brant__buffer *out, const brant__type *type, int kind,
                                   uint32_t index, yyjson_val *attributes, yyjson_val *beside,
                                   brant__encrypted_write *write, void *context) {
    copying self = {.write = write, .context = context};
    const size_t count = brant__type_encrypted(&self.places, type, kind, index);

    return copy(out, &self, attributes, beside, 0, count, 0);
}

yyjson_val *brant__encrypted_find(yyjson_val *attributes, const brant__encrypted *place) {
    for (size_t i = 0; i < place->segment_count; i++) {
        const brant__text name = place->segments[i];
        attributes =
            yyjson_is_obj(attributes) ? yyjson_obj_getn(attributes, name.data, name.length) : NULL;
    }
    return attributes;
}

brant_status brant__encrypted_context(brant__context *out, brant__call *call,
                                      const brant__graph *graph, int kind, brant__text key) {
    *out = (brant__context){
        .graph_id = graph->id,
        .kind = kind == BRANT__NODES ? BRANT__TEXT("node") : BRANT__TEXT("edge"),
        .key = key,
    };
    return brant__file_id(&out->tenant_id, call->db);
}

void brant__seal_watch(brant_db *db, const brant__type *type) {
    if (brant__module_encrypts(type->module)) brant__db_secret(db);
}

/* ---- sealing --------------------------------------------------------------------------------- */

enum { GIVEN, CHANGED, REPLAYED };

typedef struct sealing {
    brant__call *call;
    int use;
    brant__context context;
    brant__buffer plain;
    const brant__encrypted
        *opened; /* where an envelope was given that is not the stored one; NULL: nowhere */
} sealing;

static brant_status begin(sealing *self, brant__call *call, const brant__graph *graph, int kind,
                          brant__text key) {
    *self = (sealing){.call = call};
    brant__db_secret(call->db);
    return brant__encrypted_context(&self->context, call, graph, kind, key);
}

/* The text of a plaintext, in self->plain. */
static brant_status seal_text(brant__buffer *out, sealing *self, brant__text pointer) {
    brant_status status;

    if (self->plain.failed) return brant__fail_memory();
    status = brant__keyring_claim(self->call->db);
    if (status != BRANT_OK) return status;
    self->context.path = pointer;
    return brant__envelope_seal(out, self->call->db, &self->context,
                                brant__text_of(self->plain.data, self->plain.length));
}

static brant_status seal_plain(brant__buffer *out, sealing *self, const brant__encrypted *place,
                               yyjson_val *value) {
    const brant_status status = brant__keyring_ready(self->call->db);

    if (status != BRANT_OK) return status;
    brant__buffer_reset(&self->plain);
    brant__json_append(&self->plain, value);
    return seal_text(out, self, place->pointer);
}

/* What stays, and is plain: its type began to encrypt later. */
static brant_status keep_plain(brant__buffer *out, sealing *self, const brant__encrypted *place,
                               yyjson_val *value) {
    if (brant__keyring_active(self->call->db) > 0) return seal_plain(out, self, place, value);
    brant__json_append(out, value);
    return BRANT_OK;
}

static brant_status refuse(sealing *self, const brant__encrypted *place, const char *why) {
    const char *pointer = brant__quoted(self->call, place->pointer); /* "" without memory */
    const size_t length = strlen(pointer);

    (void)brant__error_code();
    return brant__fail(BRANT_INVALID, "%.*s: %s", length < 2 ? 0 : (int)length - 2,
                       length < 2 ? "" : pointer + 1, why);
}

/* The plaintext of an envelope, in self->plain. */
static brant_status open_at(int64_t *out_version, sealing *self, brant__text pointer,
                            yyjson_val *envelope) {
    brant__buffer_reset(&self->plain);
    self->context.path = pointer;
    return brant__envelope_open(&self->plain, out_version, self->call->db, &self->context,
                                envelope);
}

static brant_status take_envelope(brant__buffer *out, sealing *self, const brant__encrypted *place,
                                  yyjson_val *envelope, yyjson_val *stored) {
    const int64_t active = brant__keyring_active(self->call->db);
    int64_t version = 0;
    brant_status status;

    if (stored && brant__json_equal(envelope, stored)) {
        brant__json_append(out, stored);
        return BRANT_OK;
    }
    /* Under the write lock, and whoever gives it may be hostile. */
    status = brant__envelope_affordable(self->call->db, envelope);
    if (status != BRANT_OK) return status;
    status = open_at(&version, self, place->pointer, envelope);
    if (status == BRANT_OK) {
        self->opened = place;
        if (active > 0 && version != active) return seal_text(out, self, place->pointer);
        brant__json_append(out, envelope);
        return BRANT_OK;
    }
    if (!brant__envelope_refused(status)) return status;
    (void)brant__error_code();
    if (status == BRANT_NOT_FOUND && active == 0) return brant__keyring_ready(self->call->db);
    return refuse(self, place, "looks like an envelope and is none of this place");
}

static brant_status take_redacted(brant__buffer *out, sealing *self, const brant__encrypted *place,
                                  yyjson_val *value, yyjson_val *stored) {
    if (!brant__is_redacted(value))
        return refuse(self, place, "an object with $redacted is {\"$redacted\":true}");
    if (self->use == REPLAYED) {
        brant__json_append(out, value);
        return BRANT_OK;
    }
    if (!stored)
        return refuse(self, place,
                      "is redacted, and nothing is stored there whose value it could keep");
    if (!brant__envelope_like(stored)) return keep_plain(out, self, place, stored);
    brant__json_append(out, stored);
    return BRANT_OK;
}

static brant_status write_sealed(brant__buffer *out, void *context, const brant__encrypted *place,
                                 yyjson_val *value, yyjson_val *stored) {
    sealing *self = context;

    if (brant__envelope_like(value))
        return brant__json_get(value, "$enc") ? take_envelope(out, self, place, value, stored)
                                              : take_redacted(out, self, place, value, stored);
    if (self->use == CHANGED && stored && brant__json_equal(value, stored))
        return keep_plain(out, self, place, value);
    return seal_plain(out, self, place, value);
}

/* A given envelope as its plaintext, all else as it is. */
static brant_status write_given(brant__buffer *out, void *context, const brant__encrypted *place,
                                yyjson_val *value, yyjson_val *stored) {
    sealing *self = context;
    brant__json plain = {0};
    brant_status status;

    if (!brant__json_get(value, "$enc") || (stored && brant__json_equal(value, stored))) {
        brant__json_append(out, value);
        return BRANT_OK;
    }
    BRANT__TRY(open_at(NULL, self, place->pointer, value));
    BRANT__TRY(brant__json_parse(&plain, self->plain.data, self->plain.length, 0));
    if (brant__envelope_like(plain.root))
        status = refuse(self, place, "the envelope holds what only looks like an envelope");
    brant__json_append(out, plain.root);
cleanup:
    brant__json_free(&plain);
    return status;
}

/* The schema has seen an envelope: what is in it obeys the same rules as a plaintext does. */
static brant_status judge_opened(sealing *self, const brant__graph *graph, int kind, uint32_t type,
                                 yyjson_val *attributes, yyjson_val *stored) {
    const brant__module *module = graph->type->module;
    const brant__schema *schema =
        kind == BRANT__NODES ? module->node_types[type].schema : module->edge_types[type].schema;
    brant__buffer text = {0};
    brant__json json = {0};
    brant_status status;

    BRANT__TRY(brant__encrypted_copy(&text, graph->type, kind, type, attributes, stored,
                                     write_given, self));
    BRANT__TRY(brant__json_parse(&json, text.data, text.length, 0));
    if (!brant__schema_accepts(schema, json.root))
        status = refuse(self, self->opened, "what the envelope holds does not satisfy the type");
cleanup:
    brant__json_free(&json);
    brant__buffer_free(&text);
    return status;
}

static brant_status seal(brant__buffer *out, int use, brant__call *call, const brant__graph *graph,
                         int kind, uint32_t type, brant__text key, yyjson_val *attributes,
                         yyjson_val *stored) {
    const size_t begun = out->length;
    sealing self;
    brant_status status = begin(&self, call, graph, kind, key);

    if (status != BRANT_OK) goto cleanup;
    self.use = use;
    status = brant__encrypted_copy(out, graph->type, kind, type, attributes, stored, write_sealed,
                                   &self);
    if (status == BRANT_OK && out->length - begun > brant__db_limits(call->db)->document)
        status =
            brant__fail(BRANT_LIMIT, "the sealed attributes would be longer than limits.document");
    if (status == BRANT_OK && self.opened)
        status = judge_opened(&self, graph, kind, type, attributes, stored);
cleanup:
    if (status != BRANT_OK) out->length = begun;
    brant__buffer_free(&self.plain);
    return status;
}

brant_status brant__seal_append(brant__buffer *out, brant__call *call, const brant__graph *graph,
                                int kind, uint32_t type, brant__text key, yyjson_val *attributes,
                                yyjson_val *stored) {
    return seal(out, GIVEN, call, graph, kind, type, key, attributes, stored);
}

brant_status brant__seal_changed(brant__buffer *out, brant__call *call, const brant__graph *graph,
                                 int kind, uint32_t type, brant__text key, yyjson_val *attributes,
                                 yyjson_val *stored) {
    return seal(out, CHANGED, call, graph, kind, type, key, attributes, stored);
}

/* ---- items of a batch ------------------------------------------------------------------------ */

/* Does it give anything that only what is stored explains? */
static bool refers(const brant__encrypted *places, size_t count, yyjson_val *attributes) {
    for (size_t i = 0; i < count; i++)
        if (brant__envelope_like(brant__encrypted_find(attributes, &places[i]))) return true;
    return false;
}

static brant_status read_stored(brant__json *out, brant__call *call, int kind, int64_t row_id) {
    brant__statement *statement = NULL;
    brant_status status;
    bool row;

    BRANT__TRY(brant__statement_get(&statement, call->db, &statements,
                                    kind == BRANT__NODES ? NODE : EDGE));
    brant__bind_integer(statement, 1, row_id);
    BRANT__TRY(brant__step(&row, call->db, statement));
    if (row) {
        const brant__text text = brant__column_text(statement, 0);
        status = brant__json_parse(out, text.data, text.length, 0);
    }
cleanup:
    brant__reset(statement);
    return status;
}

brant_status brant__seal_item(brant__text *out, brant__call *call, const brant__graph *graph,
                              int kind, uint32_t type, brant__text key, yyjson_val *attributes,
                              int64_t row_id, brant__text before, bool replayed) {
    const brant__encrypted *places;
    const size_t count = brant__type_encrypted(&places, graph->type, kind, type);
    brant__buffer text = {0};
    brant__json stored = {0};
    brant_status status = BRANT_OK;

    *out = (brant__text){NULL, 0};
    if ((before.data || row_id) && refers(places, count, attributes))
        BRANT__TRY(before.data ? brant__json_parse(&stored, before.data, before.length, 0)
                               : read_stored(&stored, call, kind, row_id));
    BRANT__TRY(seal(&text, replayed ? REPLAYED : GIVEN, call, graph, kind, type, key, attributes,
                    stored.root));
    status = brant__arena_text(out, call->arena, brant__text_of(text.data, text.length));
cleanup:
    brant__json_free(&stored);
    brant__buffer_free(&text);
    return status;
}

bool brant__seal_refused(brant_status status) {
    return status == BRANT_INVALID || brant__envelope_refused(status);
}

brant_status brant__seal_fault(brant__faults *faults, size_t index, brant__text key,
                               brant_status status) {
    const brant_error *error;

    if (!brant__seal_refused(status)) return status;
    error = brant_last_error();
    (void)brant__error_code();
    return brant__fault_add(faults, index, key, (brant__text){NULL, 0}, status, "%s",
                            error->message);
}

/* ---- patches --------------------------------------------------------------------------------- */

/* Would merging it take out what tells an envelope? A secret would be lost, and nobody asked for that. */
static bool takes_apart(yyjson_val *patch) {
    return yyjson_is_null(brant__json_get(patch, "$enc")) ||
           yyjson_is_null(brant__json_get(patch, "$redacted"));
}

static brant_status write_opened(brant__buffer *out, void *context, const brant__encrypted *place,
                                 yyjson_val *stored, yyjson_val *patch) {
    sealing *self = context;
    brant_status status;

    if (takes_apart(patch))
        return refuse(self, place, "a patch cannot take $enc or $redacted out of what is stored");
    if (brant__envelope_like(patch)) {
        brant__buffer_append(out, "null", 4);
        return BRANT_OK;
    }
    if (!yyjson_is_obj(patch) || !brant__envelope_like(stored)) {
        brant__json_append(out, stored);
        return BRANT_OK;
    }
    status = open_at(NULL, self, place->pointer, stored);
    if (status == BRANT_OK) brant__buffer_append(out, self->plain.data, self->plain.length);
    return status;
}

brant_status brant__seal_open_for(brant__buffer *out, brant__call *call, const brant__graph *graph,
                                  int kind, uint32_t type, brant__text key, yyjson_val *stored,
                                  yyjson_val *patch) {
    sealing self;
    brant_status status = begin(&self, call, graph, kind, key);

    if (status == BRANT_OK)
        status =
            brant__encrypted_copy(out, graph->type, kind, type, stored, patch, write_opened, &self);
    brant__buffer_free(&self.plain);
    return status;
}

/* ---- on the way out -------------------------------------------------------------------------- */

static void append_redacted(brant__buffer *out) {
    brant__buffer_append(out, BRANT__REDACTED, sizeof(BRANT__REDACTED) - 1);
}

static brant_status write_redacted(brant__buffer *out, void *context, const brant__encrypted *place,
                                   yyjson_val *value, yyjson_val *beside) {
    (void)context;
    (void)place;
    (void)value;
    (void)beside;
    append_redacted(out);
    return BRANT_OK;
}

static brant_status write_shown(brant__buffer *out, void *context, const brant__encrypted *place,
                                yyjson_val *value, yyjson_val *beside) {
    if (!brant__envelope_like(value)) return write_redacted(out, context, place, value, beside);
    brant__json_append(out, value);
    return BRANT_OK;
}

static brant_status append(brant__buffer *out, const brant__type *type, int kind, uint32_t index,
                           brant__text attributes, brant__encrypted_write *write) {
    brant__json json = {0};
    brant_status status;

    if (!brant__type_encrypts(type, kind, index)) {
        brant__buffer_append(out, attributes.data, attributes.length);
        return out->failed ? brant__fail_memory() : BRANT_OK;
    }
    status = brant__json_parse(&json, attributes.data, attributes.length, 0);
    if (status == BRANT_OK)
        status = brant__encrypted_copy(out, type, kind, index, json.root, NULL, write, NULL);
    brant__json_free(&json);
    return status;
}

brant_status brant__shown_append(brant__buffer *out, const brant__type *type, int kind,
                                 uint32_t index, brant__text attributes) {
    return append(out, type, kind, index, attributes, write_shown);
}

brant_status brant__redact_append(brant__buffer *out, const brant__type *type, int kind,
                                  uint32_t index, brant__text attributes) {
    return append(out, type, kind, index, attributes, write_redacted);
}

static brant_status write_member(brant__writer *out, const brant__type *type, int kind,
                                 uint32_t index, brant__text attributes,
                                 brant__encrypted_write *write) {
    brant__buffer text = {0};
    brant_status status = BRANT_OK;

    brant__write_name(out, "attributes");
    if (BRANT__LIKELY(!brant__type_encrypts(type, kind, index))) {
        brant__write_raw(out, attributes);
        return BRANT_OK;
    }
    status = append(&text, type, kind, index, attributes, write);
    if (status == BRANT_OK) brant__write_raw(out, brant__text_of(text.data, text.length));
    brant__buffer_free(&text);
    return status;
}

brant_status brant__write_shown(brant__writer *out, const brant__type *type, int kind,
                                uint32_t index, brant__text attributes) {
    return write_member(out, type, kind, index, attributes, write_shown);
}

brant_status brant__write_redacted(brant__writer *out, const brant__type *type, int kind,
                                   uint32_t index, brant__text attributes) {
    return write_member(out, type, kind, index, attributes, write_redacted);
}
