/*
 * exchange/import.c: graphs.import: items gathered in batches, written as nodes.put_many and
 * edges.put_many write them, each batch of a file together with how far the file has been read.
 *
 * A format (brant__import_format) moves import->place through the document and writes each item as the operations take
 * it. The place is all that is kept between batches: it stands after the last item of the batch that is written.
 */
#include "exchange/import.h"
#include "graph/seal.h"

#define BATCH_ITEMS  10000
#define BATCH_BYTES  ((size_t)32 << 20) /* a batch goes when its text has passed them */
#define BATCH_DEPTH  5
#define FAULTS_SHOWN 100
#define POLL_MASK    1023

static const brant__import_format *const formats[] = {
    &brant__graphology_import, &brant__node_link_import, &brant__ndjson_import,
    &brant__csv_import,        &brant__otlp_import,      &brant__memory_import,
};

/* ---- other operations ------------------------------------------------------------------------ */

/* Run a handler on an input that is given as text, in the running transaction. Its answer is in `out`. */
static brant_status run(brant__import *import, brant__handler handler, brant__text input,
                        brant__writer *out) {
    brant__call call = brant__import_call(import);
    brant_status status = brant__json_parse(&import->batch_json, input.data, input.length, 0);

    if (status != BRANT_OK) return status;
    call.input = import->batch_json.root;
    call.out = out;
    status = handler(&call);
    if (status == BRANT_OK && out->buffer.failed) status = brant__fail_memory();
    return status;
}

/* ---- items ----------------------------------------------------------------------------------- */

static void begin_batch(brant__import *import, int kind) {
    brant__text graph = brant__json_get_text(import->call->input, "graph");
    brant__writer *out = &import->items;

    brant__buffer_reset(&out->buffer);
    *out = (brant__writer){.buffer = out->buffer};
    import->kind = kind;
    brant__write_object(out);
    brant__write_text_member(out, "graph", graph);
    if (import->skip || import->yielding || import->missing)
        brant__write_text_member(out, "errors", BRANT__TEXT("skip"));
    brant__write_name(out, "items");
    brant__write_array(out);
}

bool brant__import_begin_item(brant__import *import, int kind) {
    if (import->count > 0 && (import->kind != kind || import->count == import->batch ||
                              import->items.buffer.length >= BATCH_BYTES)) {
        import->full = true;
        return false;
    }
    if (import->count == 0) begin_batch(import, kind);
    brant__write_object(&import->items);
    return true;
}

void brant__import_end_item(brant__import *import, int64_t offset) {
    brant__write_end(&import->items);
    import->indexes[import->count++] = import->place.index;
    brant__import_pass(import, offset);
}

void brant__import_pass(brant__import *import, int64_t offset) {
    import->place.index++;
    import->place.offset = offset;
}

static void write_fault(brant__writer *out, int64_t index, brant__text key,
                        const brant_error *error, yyjson_val *violations) {
    brant__write_object(out);
    brant__write_integer_member(out, "index", index);
    brant__write_name(out, "key");
    brant__write_text_or_null(out, key);
    brant__write_text_member(out, "code", brant__text_string(error->name));
    brant__write_text_member(out, "message", brant__text_of(error->message, error->message_len));
    if (violations) {
        brant__write_name(out, "violations");
        brant__write_value(out, violations);
    }
    brant__write_end(out);
}

static bool of_item(brant_status code) {
    switch (code) {
    case BRANT_INVALID:
    case BRANT_INVALID_JSON:
    case BRANT_VALIDATION:
    case BRANT_NOT_FOUND:
    case BRANT_EXISTS:
    case BRANT_CONFLICT:
    case BRANT_CONSTRAINT:
    case BRANT_LIMIT:
        return true;
    default:
        return false;
    }
}

/* The failure of an item, with its number in the document. */
static brant_status fail_item(int64_t index, brant__text key, const brant_error *error,
                              yyjson_val *violations) {
    brant_error copy = *error;
    brant__writer detail = {0};
    brant_status status;

    brant__write_object(&detail);
    brant__write_name(&detail, "items");
    brant__write_array(&detail);
    write_fault(&detail, index, key, &copy, violations);
    brant__write_end(&detail);
    brant__write_end(&detail);
    brant__error_code();
    if (detail.buffer.failed)
        status = brant__fail_memory();
    else
        status = brant__fail_detail(
            copy.code, brant__text_of(detail.buffer.data, detail.buffer.length), "item %lld: %.*s",
            (long long)index, (int)copy.message_len, copy.message);
    brant__buffer_free(&detail.buffer);
    return status;
}

brant_status brant__import_fault(brant__import *import, brant__text key, int64_t offset) {
    const brant_error *error = brant_last_error();

    if (!of_item(error->code)) return error->code;
    if (!import->skip) return fail_item(import->place.index, key, error, NULL);
    if (import->fault_count++ < FAULTS_SHOWN)
        write_fault(&import->faults, import->place.index, key, error, NULL);
    import->place.failed++;
    brant__error_code();
    brant__import_pass(import, offset);
    return BRANT_OK;
}

static bool is_one_of(const char *const *names, yyjson_val *name) {
    for (; names && *names; names++)
        if (yyjson_equals_str(name, *names)) return true;
    return false;
}

void brant__import_attributes(brant__import *import, int kind, yyjson_val *attributes,
                              const char *const *without) {
    brant__writer *out = &import->items;
    bool typed = import->graph.type->module->typed;
    yyjson_val *type = typed ? yyjson_obj_get(attributes, "@type") : NULL;
    yyjson_val *metadata = yyjson_obj_get(attributes, "@metadata");
    size_t index, count, members = 0;
    yyjson_val *name, *value;

    if (!yyjson_is_str(type)) type = NULL;
    if (!yyjson_is_obj(metadata) || yyjson_obj_size(metadata) == 0) metadata = NULL;
    value = type ? type : kind == BRANT__NODES ? import->node_type : import->edge_type;
    if (value && typed) {
        brant__write_name(out, "type");
        brant__write_value(out, value);
    }
    if (metadata) {
        brant__write_name(out, "metadata");
        brant__write_value(out, metadata);
    }
    yyjson_obj_foreach(attributes, index, count, name, value) {
        if (value == type || value == metadata || is_one_of(without, name)) continue;
        if (members++ == 0) {
            brant__write_name(out, "attributes");
            brant__write_object(out);
        }
        brant__write_name_text(out, brant__json_text(name));
        brant__write_value(out, value);
    }
    if (members) brant__write_end(out);
}

brant_status brant__import_parse(brant__import *import, brant__range range) {
    const brant__limits *limits = brant__db_limits(import->call->db);
    brant__text text;
    size_t length = (size_t)(range.end - range.begin);
    brant_status status = brant__source_get(&text, &import->source, range.begin, length);

    if (status != BRANT_OK) return status;
    /* As deep as it can be inside a batch. */
    status = brant__json_parse(&import->json, text.data, length,
                               limits->depth > BATCH_DEPTH ? limits->depth - BATCH_DEPTH : 1);
    if (status == BRANT_INVALID_JSON && range.begin > 0) {
        const brant_error *error = brant_last_error();
        const char *cut = strstr(error->message, " at byte ");
        int64_t offset = 0;
        char message[160];
        brant__json detail = {0};
        size_t have = cut ? (size_t)(cut - error->message) : error->message_len;
        if (have >= sizeof(message)) have = sizeof(message) - 1;
        memcpy(message, error->message, have);
        message[have] = '\0';
        if (brant__json_parse(&detail, error->detail, error->detail_len, 0) == BRANT_OK)
            offset = brant__json_integer(brant__json_get(detail.root, "offset"), 0);
        brant__json_free(&detail);
        brant__error_code();
        status = brant__source_fail(range.begin + offset, message);
    }
    return status;
}

/* ---- progress -------------------------------------------------------------------------------- */

static void bind_name(brant__statement *statement, int *parameter, brant__import *import) {
    brant__text part =
        import->part_edges ? BRANT__TEXT("csv edges") : brant__text_string(import->format->name);

    brant__bind_text(statement, (*parameter)++, import->graph.id);
    brant__bind_text(statement, (*parameter)++, brant__json_get_text(import->call->input, "path"));
    brant__bind_text(statement, (*parameter)++, part);
}

static brant_status write_progress(brant__import *import) {
    brant__statement *statement = NULL;
    const brant__place *place = &import->place;
    brant__buffer facts = {0};
    uint64_t digest;
    int parameter = 1;
    brant_status status;

    if (import->source.file < 0) return BRANT_OK;
    BRANT__TRY(brant__source_digest(&digest, &import->source));
    BRANT__TRY(brant__query_prepare(
        &statement, import->call,
        BRANT__TEXT(
            "INSERT OR REPLACE INTO imports (graph, path, format, size, modified, digest, "
            "section, position, item, nodes, edges, failed, done, updated_at, document) VALUES "
            "(?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)")));
    bind_name(statement, &parameter, import);
    brant__bind_integer(statement, parameter++, import->source.size);
    brant__bind_integer(statement, parameter++, import->source.modified);
    brant__bind_integer(statement, parameter++, (int64_t)digest);
    brant__bind_integer(statement, parameter++, place->section);
    brant__bind_integer(statement, parameter++, place->offset);
    brant__bind_integer(statement, parameter++, place->index);
    brant__bind_integer(statement, parameter++, place->nodes);
    brant__bind_integer(statement, parameter++, place->edges);
    brant__bind_integer(statement, parameter++, place->failed);
    brant__bind_integer(statement, parameter++, place->done);
    brant__bind_integer(statement, parameter++, brant__db_now(import->call->db));
    brant__buffer_format(&facts, "[%d,%d,%d,%d,%lld,%lld,%lld,%lld]", import->document.direction,
                         import->document.multi, import->document.loops, import->document.is_graph,
                         (long long)import->nodes_range.begin, (long long)import->nodes_range.end,
                         (long long)import->edges_range.begin, (long long)import->edges_range.end);
    if (facts.failed) {
        status = brant__fail_memory();
        goto cleanup;
    }
    brant__bind_text(statement, parameter++, brant__text_of(facts.data, facts.length));
    status = brant__run(import->call->db, statement);
cleanup:
    brant__reset(statement);
    brant__buffer_free(&facts);
    return status;
}

/* What progress keeps of the document: see write_progress. */
static brant_status read_facts(brant__import *import, brant__text text) {
    int64_t numbers[8] = {0};
    brant__json json = {0};
    size_t index, count;
    yyjson_val *value;
    brant_status status = brant__json_parse(&json, text.data, text.length, 0);

    if (status == BRANT_OK) {
        yyjson_arr_foreach(json.root, index, count, value) {
            if (index < BRANT__COUNT(numbers)) numbers[index] = brant__json_integer(value, 0);
        }
        import->document.direction = (int)numbers[0];
        import->document.multi = numbers[1] != 0;
        import->document.loops = numbers[2] != 0;
        import->document.is_graph = numbers[3] != 0;
        import->nodes_range = (brant__range){numbers[4], numbers[5]};
        import->edges_range = (brant__range){numbers[6], numbers[7]};
        import->resumed = import->numbers_differ = true;
    }
    brant__json_free(&json);
    return status;
}

/* Where the import stood. Nothing where it never began. */
static brant_status read_progress(brant__import *import) {
    brant__statement *statement = NULL;
    uint64_t digest;
    int parameter = 1;
    brant_status status;
    bool row;

    BRANT__TRY(brant__source_digest(&digest, &import->source));
    BRANT__TRY(brant__query_prepare(
        &statement, import->call,
        BRANT__TEXT("SELECT size, modified, digest, section, position, item, nodes, edges, failed, "
                    "done, document FROM imports WHERE graph = ? AND path = ? AND format = ?")));
    bind_name(statement, &parameter, import);
    BRANT__TRY(brant__step(&row, import->call->db, statement));
    if (!row) goto cleanup;
    if (brant__column_integer(statement, 0) != import->source.size ||
        brant__column_integer(statement, 1) != import->source.modified ||
        (uint64_t)brant__column_integer(statement, 2) != digest) {
        status = brant__fail(BRANT_CONFLICT,
                             "the file changed since its import began; begin again without resume");
        goto cleanup;
    }
    import->place = (brant__place){
        .section = brant__column_integer(statement, 3),
        .offset = brant__column_integer(statement, 4),
        .index = brant__column_integer(statement, 5),
        .nodes = brant__column_integer(statement, 6),
        .edges = brant__column_integer(statement, 7),
        .failed = brant__column_integer(statement, 8),
        .done = brant__column_integer(statement, 9) != 0,
    };
    status = read_facts(import, brant__column_text(statement, 10));
cleanup:
    brant__reset(statement);
    return status;
}

/* ---- batches --------------------------------------------------------------------------------- */

/* A failure of put_many: its items by their numbers in the document. */
static brant_status renumber_failure(brant__import *import, brant_status code) {
    const brant_error *error = brant_last_error();
    brant__json detail = {0};
    brant_error first;
    yyjson_val *item;
    brant__text message, key;
    brant_status status = code;
    int64_t index;

    if (!of_item(code) ||
        brant__json_parse(&detail, error->detail, error->detail_len, 0) != BRANT_OK)
        goto cleanup;
    item = yyjson_arr_get_first(brant__json_get(detail.root, "items"));
    index = brant__json_integer(brant__json_get(item, "index"), -1);
    if (!item || index < 0 || index >= (int64_t)import->count) goto cleanup;
    message = brant__json_get_text(item, "message");
    key = brant__json_get_text(item, "key");
    first = *error;
    first.message = message.data;
    first.message_len = message.length;
    status = fail_item(import->indexes[index], key, &first, brant__json_get(item, "violations"));
cleanup:
    brant__json_free(&detail);
    return status;
}

/* A fault by which a batch yields: the edge is not made, and nothing is said of it. */
static bool yields(yyjson_val *item) {
    return yyjson_equals_str(brant__json_get(item, "code"), brant_status_name(BRANT_CONSTRAINT)) ||
           yyjson_equals_str(brant__json_get(item, "code"), brant_status_name(BRANT_EXISTS));
}

/* A fault that was left out of a batch that yields, as the failure that it is. */
static brant_status fail_left_out(brant__import *import, yyjson_val *item, int64_t number) {
    const brant__text message = brant__json_get_text(item, "message");
    brant_error error = {.code = BRANT_INVALID};

    for (brant_status code = BRANT_OK; code < 256; code++)
        if (yyjson_equals_str(brant__json_get(item, "code"), brant_status_name(code)))
            error.code = code;
    error.name = brant_status_name(error.code);
    error.message = message.data;
    error.message_len = message.length;
    return fail_item(import->indexes[number], brant__json_get_text(item, "key"), &error,
                     brant__json_get(item, "violations"));
}

/* What put_many says of a batch. */
static brant_status count_answer(brant__import *import, brant__text text) {
    brant__json json = {0};
    size_t index, count;
    yyjson_val *item;
    int64_t written;
    brant_status status = brant__json_parse(&json, text.data, text.length, 0);

    if (status != BRANT_OK) goto cleanup;
    written = brant__json_integer(brant__json_get(json.root, "created"), 0) +
              brant__json_integer(brant__json_get(json.root, "updated"), 0);
    if (import->kind == BRANT__NODES)
        import->place.nodes += written;
    else
        import->place.edges += written;
    if (import->missing) goto cleanup;
    if (!import->yielding)
        import->place.failed += brant__json_integer(brant__json_get(json.root, "failed"), 0);
    yyjson_arr_foreach(brant__json_get(json.root, "items"), index, count, item) {
        int64_t number = brant__json_integer(brant__json_get(item, "index"), -1);
        size_t member, members;
        yyjson_val *name, *value;
        if (number < 0 || number >= (int64_t)import->count) continue;
        if (import->yielding) {
            if (yields(item)) continue;
            if (!import->skip) {
                status = fail_left_out(import, item, number);
                goto cleanup;
            }
            import->place.failed++;
        }
        if (import->fault_count++ >= FAULTS_SHOWN) continue;
        brant__write_object(&import->faults);
        yyjson_obj_foreach(item, member, members, name, value) {
            brant__write_name_text(&import->faults, brant__json_text(name));
            if (yyjson_equals_str(name, "index"))
                brant__write_integer(&import->faults, import->indexes[number]);
            else
                brant__write_value(&import->faults, value);
        }
        brant__write_end(&import->faults);
    }
cleanup:
    brant__json_free(&json);
    return status;
}

static brant_status write_items(brant__import *import) {
    brant__handler handler;
    brant__writer answer = {0};
    brant_status status;

    if (import->count == 0) return BRANT_OK;
    if (import->insert || import->missing)
        handler = import->kind == BRANT__NODES ? brant__node_insert_many : brant__edge_insert_many;
    else
        handler = import->kind == BRANT__NODES ? brant__node_put_many : brant__edge_put_many;
    brant__write_end(&import->items);
    brant__write_end(&import->items);
    if (import->items.buffer.failed) {
        status = brant__fail_memory();
        goto cleanup;
    }
    status = run(import, handler,
                 brant__text_of(import->items.buffer.data, import->items.buffer.length), &answer);
    if (status != BRANT_OK) {
        status = renumber_failure(import, status);
        goto cleanup;
    }
    status = count_answer(import, brant__text_of(answer.buffer.data, answer.buffer.length));
cleanup:
    brant__buffer_free(&answer.buffer);
    return status;
}

/* The batch, in a transaction of its own where it is a file's. */
static brant_status flush(brant__import *import) {
    bool own = import->source.file >= 0;
    brant_status status;

    if (own) {
        status = brant__begin(import->call->db, BRANT__WRITE);
        if (status != BRANT_OK) return status;
    }
    status = write_items(import);
    brant__arena_reset(&import->arena);
    /* Looked up anew: between transactions its type may have been another. */
    if (status == BRANT_OK) {
        brant__call call = brant__import_call(import);
        status = brant__graph_find(&import->graph, &call, true);
    }
    if (status == BRANT_OK) status = write_progress(import);
    if (own) {
        if (status == BRANT_OK) status = brant__commit(import->call->db);
        if (status != BRANT_OK) brant__rollback(import->call->db);
    }
    import->count = 0;
    import->full = false;
    return status;
}

static brant_status read_items(brant__import *import, int64_t batches) {
    size_t steps = 0;
    brant_status status = BRANT_OK;
    bool found;

    while (!import->place.done) {
        if ((++steps & POLL_MASK) == 0) BRANT__TRY(brant__db_poll(import->call->db));
        BRANT__TRY(import->format->next(&found, import));
        if (!found) {
            import->place.done = true;
            BRANT__TRY(flush(import));
        } else if (import->full) {
            BRANT__TRY(flush(import));
            if (--batches == 0) break;
        }
    }
cleanup:
    return status;
}

/* ---- the graph ------------------------------------------------------------------------------- */

static const char *const directions[] = {"directed", "undirected", "mixed"};

/* The untyped graph type of a document: its name, and its module as the input of graph_types.define. */
static void write_open_type(brant__buffer *out_name, brant__writer *module,
                            const brant__document *document) {
    int direction = document->direction < 0 ? BRANT__DIRECTED : document->direction;
    const char *text = directions[direction];

    brant__buffer_format(out_name, "open%s%s%s%s", direction == BRANT__DIRECTED ? "" : "_",
                         direction == BRANT__DIRECTED ? "" : text, document->multi ? "_multi" : "",
                         document->loops ? "" : "_loopless");
    if (out_name->failed) return;
    brant__write_object(module);
    brant__write_name(module, "module");
    brant__write_object(module);
    brant__write_text_member(module, "$id", brant__text_of(out_name->data, out_name->length));
    brant__write_name(module, "$defs");
    brant__buffer_format(&module->buffer,
                         "{\"Config\":{\"type\":\"object\",\"properties\":{\"directed\":{\"const\":"
                         "\"%s\"},\"multi\":{\"const\":%s},\"allow_self_loops\":{\"const\":%s}}}}",
                         text, document->multi ? "true" : "false",
                         document->loops ? "true" : "false");
    brant__write_raw(module, BRANT__TEXT(""));
    brant__write_end(module);
    brant__write_end(module);
}

static brant_status create_graph(brant__import *import) {
    brant__document *document = &import->document;
    brant__buffer name = {0};
    brant__writer input = {0}, answer = {0};
    brant_status status = BRANT_OK;

    if (document->graph_type.data) {
        brant__buffer_append(&name, document->graph_type.data, document->graph_type.length);
    } else {
        write_open_type(&name, &input, document);
        if (name.failed || input.buffer.failed) {
            status = brant__fail_memory();
            goto cleanup;
        }
        if (!brant__text_equal(brant__text_of(name.data, name.length), BRANT__TEXT("open")))
            BRANT__TRY(run(import, brant__graph_type_define,
                           brant__text_of(input.buffer.data, input.buffer.length), &answer));
    }
    brant__buffer_reset(&input.buffer);
    input = (brant__writer){.buffer = input.buffer};
    brant__buffer_reset(&answer.buffer);
    answer = (brant__writer){.buffer = answer.buffer};
    brant__write_object(&input);
    brant__write_text_member(&input, "name", brant__json_get_text(import->call->input, "graph"));
    brant__write_text_member(&input, "graph_type", brant__text_of(name.data, name.length));
    if (document->metadata.data) {
        brant__write_name(&input, "metadata");
        brant__write_raw(&input, document->metadata);
    }
    brant__write_end(&input);
    if (input.buffer.failed) {
        status = brant__fail_memory();
        goto cleanup;
    }
    status = run(import, brant__graph_create,
                 brant__text_of(input.buffer.data, input.buffer.length), &answer);
cleanup:
    brant__buffer_free(&name);
    brant__buffer_free(&input.buffer);
    brant__buffer_free(&answer.buffer);
    return status;
}

/* Can the graph hold what the document is? Single edges are seen when they are written. */
static brant_status check_kind(brant__import *import) {
    const brant__module_config *config = &import->graph.type->module->config;
    const brant__document *document = &import->document;
    const char *type = import->graph.type->name;

    if (!document->is_graph) return BRANT_OK;
    if (document->multi && !config->multi)
        return brant__fail(BRANT_CONSTRAINT,
                           "the document is a multigraph, and graph type %s is not multi",
                           brant__quoted(import->call, brant__text_string(type)));
    if ((document->direction == BRANT__DIRECTED && config->direction == BRANT__UNDIRECTED) ||
        (document->direction == BRANT__UNDIRECTED && config->direction == BRANT__DIRECTED))
        return brant__fail(
            BRANT_CONSTRAINT, "the document's edges are %s, those of graph type %s %s",
            directions[document->direction], brant__quoted(import->call, brant__text_string(type)),
            directions[config->direction]);
    return BRANT_OK;
}

static brant_status find_graph(brant__import *import) {
    bool create = brant__json_bool(brant__json_get(import->call->input, "create"), false);
    brant_status status = brant__graph_find(&import->graph, import->call, true);

    if (status == BRANT_NOT_FOUND && create) {
        brant__error_code();
        status = create_graph(import);
        if (status == BRANT_OK) status = brant__graph_find(&import->graph, import->call, true);
    }
    if (status != BRANT_OK) return status;
    brant__seal_watch(import->call->db, import->graph.type);
    return check_kind(import);
}

/* Where the import of a file stood, if its graph is there. */
static brant_status resume(brant__import *import) {
    brant_status status = brant__begin(import->call->db, BRANT__READ);

    if (status != BRANT_OK) return status;
    status = brant__graph_find(&import->graph, import->call, true);
    if (status == BRANT_OK) {
        status = read_progress(import);
    } else if (status == BRANT_NOT_FOUND) {
        brant__error_code();
        status = BRANT_OK;
    }
    if (status == BRANT_OK) return brant__commit(import->call->db);
    brant__rollback(import->call->db);
    return status;
}

/* ---- the operation --------------------------------------------------------------------------- */

static brant_status read_input(brant__import *import, int64_t *out_batches) {
    brant__call *call = import->call;
    const brant__limits *limits = brant__db_limits(call->db);
    brant__text format = brant__json_get_text(call->input, "format");
    brant__text part = brant__json_get_text(call->input, "part");
    yyjson_val *text = brant__json_get(call->input, "text");
    yyjson_val *path = brant__json_get(call->input, "path");
    int64_t batch = brant__json_integer(brant__json_get(call->input, "batch"), 0);

    *out_batches = brant__json_integer(brant__json_get(call->input, "max_batches"), 0);
    for (size_t i = 0; i < BRANT__COUNT(formats); i++)
        if (brant__text_equal(format, brant__text_string(formats[i]->name)))
            import->format = formats[i];
    if (!import->format) return brant__fail(BRANT_INVALID, "no such format");
    if (!text == !path) return brant__fail(BRANT_INVALID, "give either text or path");
    if (text && (*out_batches || brant__json_get(call->input, "resume")))
        return brant__fail(BRANT_INVALID,
                           "a text is imported at once: max_batches and resume are for path");
    if ((import->format == &brant__csv_import) != (part.data != NULL))
        return brant__fail(BRANT_INVALID,
                           part.data ? "part is for csv" : "csv needs part: nodes or edges");
    import->part_edges = brant__text_equal(part, BRANT__TEXT("edges"));
    import->node_type = brant__json_get(call->input, "node_type");
    import->edge_type = brant__json_get(call->input, "edge_type");
    import->insert =
        brant__text_equal(brant__json_get_text(call->input, "mode"), BRANT__TEXT("insert"));
    import->skip =
        brant__text_equal(brant__json_get_text(call->input, "errors"), BRANT__TEXT("skip"));
    if (batch > 0 && (uint64_t)batch > limits->batch)
        return brant__fail(BRANT_LIMIT, "a batch has at most %zu items (limits.batch)",
                           limits->batch);
    import->batch = batch > 0 ? (size_t)batch : BATCH_ITEMS;
    if (import->batch > limits->batch) import->batch = limits->batch;
    import->indexes = brant__alloc(import->batch * sizeof(*import->indexes));
    if (!import->indexes) return brant__fail_memory();
    if (path)
        return brant__source_open(&import->source, call, brant__json_text(path), limits->document);
    brant__source_text(&import->source, brant__json_text(text));
    return BRANT_OK;
}

static void answer(brant__import *import) {
    brant__writer *out = import->call->out;
    int64_t bytes = import->place.done ? import->source.size : import->place.offset;

    brant__write_end(&import->faults);
    if (import->faults.buffer.failed) out->buffer.failed = true;
    brant__write_object(out);
    brant__write_bool_member(out, "done", import->place.done);
    brant__write_integer_member(out, "nodes", import->place.nodes);
    brant__write_integer_member(out, "edges", import->place.edges);
    brant__write_integer_member(out, "failed", import->place.failed);
    brant__write_name(out, "items");
    brant__write_raw(out, brant__text_of(import->faults.buffer.data, import->faults.buffer.length));
    brant__write_integer_member(out, "bytes", bytes);
    brant__write_integer_member(out, "total_bytes", import->source.size);
    brant__write_end(out);
}

brant_status brant__graph_import(brant__call *call) {
    brant__import import = {.call = call, .source = {.file = -1}};
    int64_t batches;
    bool open = false;
    brant_status status;

    import.document = (brant__document){.direction = -1, .loops = true};
    brant__write_array(&import.faults);
    BRANT__TRY(read_input(&import, &batches));
    if (brant__json_bool(brant__json_get(call->input, "resume"), false))
        BRANT__TRY(resume(&import));
    /* Looking at the whole document may take a while: not while others wait for us. */
    if (!import.resumed || !import.format->kept) BRANT__TRY(import.format->begin(&import));
    /* The first transaction finds or makes the graph; a text's goes on to the end. */
    BRANT__TRY(brant__begin(call->db, BRANT__WRITE));
    open = true;
    BRANT__TRY(find_graph(&import));
    if (import.source.file >= 0) {
        BRANT__TRY(brant__commit(call->db));
        open = false;
    }
    BRANT__TRY(read_items(&import, batches));
    if (open) {
        BRANT__TRY(brant__commit(call->db));
        open = false;
    }
    answer(&import);
cleanup:
    if (open) brant__rollback(call->db);
    brant__free(import.indexes);
    brant__buffer_free(&import.faults.buffer);
    brant__buffer_free(&import.items.buffer);
    brant__buffer_free(&import.scratch);
    brant__json_free(&import.header);
    brant__json_free(&import.json);
    brant__json_free(&import.batch_json);
    brant__arena_free(&import.arena);
    brant__source_close(&import.source);
    return status;
}
