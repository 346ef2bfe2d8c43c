/*
 * exchange/read_json.c: graphology's serialised form, node-link, and NDJSON in.
 *
 * A document is looked at once as a whole, to know where its arrays are and what its small members say; then its nodes come
 * and after them its edges, one at a time. NDJSON comes line by line.
 */
#include "exchange/import.h"

enum { NODES, EDGES, END };

/* ---- the document ---------------------------------------------------------------------------- */

/* Members of a document: those of large arrays, and small ones. */
enum { NODES_MEMBER, EDGES_MEMBER, LINKS_MEMBER, SMALL_MEMBERS };

typedef struct document_reader {
    brant__import *import;
    const char *const *names; /* from NODES_MEMBER on; ends with NULL */
    brant_status (*small)(brant__import *import, const char *name, yyjson_val *value);
    uint32_t seen;
} document_reader;

static brant_status read_name(document_reader *reader, int64_t *io_offset, int *out_member) {
    brant__import *import = reader->import;
    brant__range range = {*io_offset, 0};
    brant__text name;
    brant_status status;

    BRANT__TRY(brant__skip_value(&range.end, &import->source, import->call, range.begin));
    BRANT__TRY(brant__import_parse(import, range));
    name = brant__json_text(import->json.root);
    if (!yyjson_is_str(import->json.root)) {
        status = brant__source_fail(range.begin, "a member's name is missing");
        goto cleanup;
    }
    *io_offset = range.end;
    for (int i = 0; reader->names[i]; i++) {
        if (!brant__text_equal(name, brant__text_string(reader->names[i]))) continue;
        *out_member = i;
        if (reader->seen & (UINT32_C(1) << i))
            status = brant__source_fail(range.begin, "a member is there twice");
        reader->seen |= UINT32_C(1) << i;
        goto cleanup;
    }
    status = brant__fail(BRANT_INVALID, "%s has no member %s", import->format->name,
                         brant__quoted(import->call, name));
cleanup:
    return status;
}

static brant_status read_member(document_reader *reader, int member, int64_t *io_offset) {
    brant__import *import = reader->import;
    brant__range range = {*io_offset, 0};
    brant__text text;
    brant_status status;

    BRANT__TRY(brant__source_get(&text, &import->source, range.begin, 1));
    if (member < SMALL_MEMBERS) {
        if (text.length == 0 || text.data[0] != '[') {
            status = brant__fail(BRANT_INVALID, "%s is no array", reader->names[member]);
            goto cleanup;
        }
        BRANT__TRY(brant__skip_value(&range.end, &import->source, import->call, range.begin));
        *io_offset = range.end;
        range.begin++;
        if (member == NODES_MEMBER) {
            import->nodes_range = range;
            goto cleanup;
        }
        if (import->edges_range.end) {
            status = brant__fail(BRANT_INVALID, "the document has edges and links");
            goto cleanup;
        }
        import->edges_range = range;
        goto cleanup;
    }
    BRANT__TRY(brant__skip_value(&range.end, &import->source, import->call, range.begin));
    BRANT__TRY(brant__import_parse(import, range));
    *io_offset = range.end;
    status = reader->small(import, reader->names[member], import->json.root);
cleanup:
    return status;
}

static brant_status read_document(document_reader *reader) {
    brant__source *source = &reader->import->source;
    int64_t offset = 0;
    int byte, member = 0;
    brant_status status;

    BRANT__TRY(brant__skip_space(&byte, source, &offset));
    if (byte != '{') {
        status = brant__source_fail(offset, "the document is no object");
        goto cleanup;
    }
    offset++;
    BRANT__TRY(brant__skip_space(&byte, source, &offset));
    while (byte != '}') {
        if (byte != '"') {
            status = brant__source_fail(offset, "a member's name is missing");
            goto cleanup;
        }
        BRANT__TRY(read_name(reader, &offset, &member));
        BRANT__TRY(brant__skip_space(&byte, source, &offset));
        if (byte != ':') {
            status = brant__source_fail(offset, "a colon is missing");
            goto cleanup;
        }
        offset++;
        BRANT__TRY(brant__skip_space(&byte, source, &offset));
        if (byte < 0) {
            status = brant__source_fail(offset, "a value is missing");
            goto cleanup;
        }
        BRANT__TRY(read_member(reader, member, &offset));
        BRANT__TRY(brant__skip_space(&byte, source, &offset));
        if (byte == '}') break;
        if (byte != ',') {
            status = brant__source_fail(offset, byte < 0 ? "the document ends too early"
                                                         : "a comma is missing");
            goto cleanup;
        }
        offset++;
        BRANT__TRY(brant__skip_space(&byte, source, &offset));
        if (byte == '}') {
            status = brant__source_fail(offset, "a member is missing");
            goto cleanup;
        }
    }
    offset++;
    BRANT__TRY(brant__skip_space(&byte, source, &offset));
    if (byte >= 0) status = brant__source_fail(offset, "text after the document");
cleanup:
    return status;
}

static brant_status keep_metadata(brant__import *import, const char *name, yyjson_val *value) {
    brant__buffer text = {0};
    brant_status status = BRANT_OK;

    if (!yyjson_is_obj(value)) return brant__fail(BRANT_INVALID, "%s is no object", name);
    brant__json_append(&text, value);
    import->document.metadata.data =
        text.failed ? NULL : brant__arena_copy(import->call->arena, text.data, text.length);
    import->document.metadata.length = text.length;
    if (!import->document.metadata.data) status = brant__fail_memory();
    brant__buffer_free(&text);
    return status;
}

/*
 * The next element of nodes or edges, parsed; the place is at its begin still, and *out_end after it. *out_found false: there is none any more. What is wrong
 * between elements fails the import.
 */
static brant_status next_item(bool *out_found, int64_t *out_end, brant__import *import) {
    brant__place *place = &import->place;
    brant__range range;
    brant_status status = BRANT_OK;

    *out_found = false;
    while (place->section != END) {
        const brant__range *array =
            place->section == NODES ? &import->nodes_range : &import->edges_range;
        int64_t offset = place->offset;
        if (array->end) {
            if (offset < array->begin || offset > array->end) offset = array->begin;
            BRANT__TRY(
                brant__next_element(out_found, &range, &import->source, import->call, &offset));
            *out_end = offset;
            if (*out_found) break;
        }
        place->section++;
        place->offset = 0;
    }
cleanup:
    if (status == BRANT_OK && *out_found) status = brant__import_parse(import, range);
    return status;
}

/* The common frame: find the element, let `read` write it. */
static brant_status next_of_document(bool *out_found, brant__import *import,
                                     brant_status (*read)(brant__import *import, int kind,
                                                          yyjson_val *item, int64_t end)) {
    int64_t end = 0;
    brant_status status = next_item(out_found, &end, import);

    if (status != BRANT_OK) {
        if (*out_found) status = brant__import_fault(import, (brant__text){NULL, 0}, end);
        return status;
    }
    if (!*out_found) return BRANT_OK;
    if (!yyjson_is_obj(import->json.root)) {
        brant__fail(BRANT_INVALID, "the item is no object");
        return brant__import_fault(import, (brant__text){NULL, 0}, end);
    }
    return read(import, import->place.section == NODES ? BRANT__NODES : BRANT__EDGES,
                import->json.root, end);
}

/* INVALID: a member that is none of the names. */
static brant_status check_members(brant__import *import, yyjson_val *object,
                                  const char *const *names) {
    size_t index, count;
    yyjson_val *name, *value;

    yyjson_obj_foreach(object, index, count, name, value) {
        bool known = false;
        for (size_t i = 0; names[i] && !known; i++)
            known = yyjson_equals_str(name, names[i]);
        if (!known)
            return brant__fail(BRANT_INVALID, "the item has a member %s",
                               brant__quoted(import->call, brant__json_text(name)));
    }
    return BRANT_OK;
}

/* A member that was made in the scratch buffer. */
static void write_scratch(brant__import *import, const char *name) {
    brant__write_name(&import->items, name);
    if (import->scratch.failed)
        import->items.buffer.failed = true;
    else
        brant__write_text(&import->items,
                          brant__text_of(import->scratch.data, import->scratch.length));
}

/* ---- graphology ------------------------------------------------------------------------------ */

static brant_status graphology_small(brant__import *import, const char *name, yyjson_val *value) {
    brant__document *document = &import->document;
    size_t index, count;
    yyjson_val *option, *setting;

    if (strcmp(name, "attributes") == 0) return keep_metadata(import, name, value);
    if (!yyjson_is_obj(value)) return brant__fail(BRANT_INVALID, "options is no object");
    yyjson_obj_foreach(value, index, count, option, setting) {
        if (yyjson_equals_str(option, "type") && yyjson_equals_str(setting, "directed")) {
            document->direction = BRANT__DIRECTED;
        } else if (yyjson_equals_str(option, "type") && yyjson_equals_str(setting, "undirected")) {
            document->direction = BRANT__UNDIRECTED;
        } else if (yyjson_equals_str(option, "type") && yyjson_equals_str(setting, "mixed")) {
            document->direction = BRANT__MIXED;
        } else if (yyjson_equals_str(option, "multi") && yyjson_is_bool(setting)) {
            document->multi = yyjson_is_true(setting);
        } else if (yyjson_equals_str(option, "allowSelfLoops") && yyjson_is_bool(setting)) {
            document->loops = yyjson_is_true(setting);
        } else {
            return brant__fail(BRANT_INVALID, "options: %s is none of graphology's, or not so",
                               brant__quoted(import->call, brant__json_text(option)));
        }
    }
    return BRANT_OK;
}

static brant_status graphology_begin(brant__import *import) {
    static const char *const names[] = {"nodes", "edges", "edges", "options", "attributes", NULL};
    document_reader reader = {import, names, graphology_small, 0};

    /* What graphology takes where options are missing. */
    import->document.direction = BRANT__MIXED;
    import->document.is_graph = true;
    return read_document(&reader);
}

/* A key as JavaScript makes text of it, in scratch as a key of ours. INVALID: of something else than text, a number, a boolean or null. */
static brant_status graphology_key(brant__import *import, yyjson_val *value, const char *what) {
    char number[BRANT__NUMBER_SIZE];
    size_t length;

    brant__buffer_reset(&import->scratch);
    if (yyjson_is_str(value)) {
        brant__key_of_text(&import->scratch, brant__json_text(value));
        return BRANT_OK;
    }
    if (yyjson_is_real(value)) {
        double real = yyjson_get_real(value);
        if (real >= -1e15 && real <= 1e15 && real == (double)(int64_t)real) {
            brant__buffer_format(&import->scratch, "%lld", (long long)real);
            return BRANT_OK;
        }
    }
    if (yyjson_is_num(value) && (length = brant__json_number(number, value)) > 0 &&
        !memchr(number, 'e', length)) {
        brant__buffer_append(&import->scratch, number, length);
        return BRANT_OK;
    }
    if (yyjson_is_bool(value) || yyjson_is_null(value)) {
        brant__json_append(&import->scratch, value);
        return BRANT_OK;
    }
    return brant__fail(BRANT_INVALID, value ? "%s is no text" : "%s is missing", what);
}

static brant_status graphology_read(brant__import *import, int kind, yyjson_val *item,
                                    int64_t end) {
    static const char *const node_names[] = {"key", "attributes", NULL};
    static const char *const edge_names[] = {"key",        "source",     "target",
                                             "attributes", "undirected", NULL};
    static const char *const keys[] = {"key", "source", "target"};
    yyjson_val *attributes = yyjson_obj_get(item, "attributes");
    yyjson_val *undirected = yyjson_obj_get(item, "undirected");
    brant_status status;

    BRANT__TRY(check_members(import, item, kind == BRANT__NODES ? node_names : edge_names));
    if (attributes && !yyjson_is_obj(attributes)) {
        status = brant__fail(BRANT_INVALID, "attributes is no object");
        goto cleanup;
    }
    if (undirected && !yyjson_is_bool(undirected)) {
        status = brant__fail(BRANT_INVALID, "undirected is no boolean");
        goto cleanup;
    }
    /* Judged first: an item that was begun must end. */
    for (int i = 0; i < (kind == BRANT__NODES ? 1 : 3); i++) {
        yyjson_val *key = yyjson_obj_get(item, keys[i]);
        if (kind == BRANT__EDGES && i == 0 && !key) continue;
        BRANT__TRY(graphology_key(import, key, keys[i]));
    }
    if (!brant__import_begin_item(import, kind)) return BRANT_OK;
    for (int i = 0; i < (kind == BRANT__NODES ? 1 : 3); i++) {
        yyjson_val *key = yyjson_obj_get(item, keys[i]);
        if (!key) continue;
        graphology_key(import, key, keys[i]);
        write_scratch(import, keys[i]);
    }
    if (kind == BRANT__EDGES) {
        brant__write_bool_member(&import->items, "undirected",
                                 undirected ? yyjson_is_true(undirected)
                                            : import->document.direction == BRANT__UNDIRECTED);
    }
    brant__import_attributes(import, kind, attributes, NULL);
    brant__import_end_item(import, end);
cleanup:
    if (status != BRANT_OK)
        status = brant__import_fault(import, brant__json_get_text(item, "key"), end);
    return status;
}

static brant_status graphology_next(bool *out_found, brant__import *import) {
    return next_of_document(out_found, import, graphology_read);
}

const brant__import_format brant__graphology_import = {
    .name = "graphology", .kept = true, .begin = graphology_begin, .next = graphology_next};

/* ---- node-link ------------------------------------------------------------------------------- */

static brant_status node_link_small(brant__import *import, const char *name, yyjson_val *value) {
    if (strcmp(name, "graph") == 0) {
        /* Older NetworkX wrote pairs. */
        if (yyjson_is_arr(value) && yyjson_arr_size(value) == 0) return BRANT_OK;
        return keep_metadata(import, name, value);
    }
    if (!yyjson_is_bool(value)) return brant__fail(BRANT_INVALID, "%s is no boolean", name);
    if (strcmp(name, "directed") == 0)
        import->document.direction = yyjson_is_true(value) ? BRANT__DIRECTED : BRANT__UNDIRECTED;
    else
        import->document.multi = yyjson_is_true(value);
    return BRANT_OK;
}

static brant_status node_link_begin(brant__import *import) {
    static const char *const names[] = {"nodes",    "edges",      "links", "graph",
                                        "directed", "multigraph", NULL};
    document_reader reader = {import, names, node_link_small, 0};

    /* What NetworkX takes where they are missing. */
    import->document.direction = BRANT__UNDIRECTED;
    import->document.multi = true;
    import->document.is_graph = true;
    return read_document(&reader);
}

/* In Python 1, 1.0 and True are one value, and one node: which form it was first given is its key. */
static bool may_differ(yyjson_val *value) {
    return yyjson_is_bool(value) || (yyjson_is_real(value) && brant__json_integer(value, 0) ==
                                                                  brant__json_integer(value, 1));
}

static brant_status node_link_node(brant__import *import, yyjson_val *item, int64_t end) {
    static const char *const without[] = {"id", NULL};
    yyjson_val *id = yyjson_obj_get(item, "id");

    if (!brant__import_begin_item(import, BRANT__NODES)) return BRANT_OK;
    brant__buffer_reset(&import->scratch);
    /* Without an id NetworkX takes the number of the node. */
    if (may_differ(id)) import->numbers_differ = true;
    if (id)
        brant__key_of_value(&import->scratch, id);
    else
        brant__buffer_format(&import->scratch, "json:%lld", (long long)import->place.index);
    write_scratch(import, "key");
    brant__import_attributes(import, BRANT__NODES, item, without);
    brant__import_end_item(import, end);
    return BRANT_OK;
}

/* The end of an edge as a key, appended: in the form that a node has. */
static brant_status append_end(brant__import *import, yyjson_val *value) {
    static const char *const forms[] = {"json:%lld", "json:%lld.0", "json:%s"};
    brant__call call = brant__import_call(import);
    brant__buffer *out = &import->scratch, text = {0};
    size_t begin = out->length;
    int64_t number = yyjson_is_bool(value) ? yyjson_is_true(value) : brant__json_integer(value, 0);
    brant__node_ref ref;
    brant_status status = BRANT_OK;

    brant__key_of_value(out, value);
    if (!may_differ(value) && !(yyjson_is_int(value) && import->numbers_differ)) return BRANT_OK;
    if (out->failed) return brant__fail_memory();
    BRANT__TRY(brant__node_find(&ref, NULL, &call, &import->graph,
                                brant__text_of(out->data + begin, out->length - begin)));
    for (int i = 0; i < 3 && !ref.row_id; i++) {
        if (i == 2 && number != 0 && number != 1) break;
        brant__buffer_reset(&text);
        if (i == 2)
            brant__buffer_format(&text, forms[2], number ? "true" : "false");
        else
            brant__buffer_format(&text, forms[i], (long long)number);
        if (text.failed) {
            status = brant__fail_memory();
            goto cleanup;
        }
        BRANT__TRY(brant__node_find(&ref, NULL, &call, &import->graph,
                                    brant__text_of(text.data, text.length)));
        if (!ref.row_id) continue;
        out->length = begin;
        brant__buffer_append(out, text.data, text.length);
    }
cleanup:
    brant__buffer_free(&text);
    return status;
}

static brant_status node_link_edge(brant__import *import, yyjson_val *item, int64_t end) {
    static const char *const plain[] = {"source", "target", NULL};
    static const char *const plain_key[] = {"source", "target", "@key", NULL};
    static const char *const multi[] = {"source", "target", "key", NULL};
    static const char *const multi_key[] = {"source", "target", "key", "@key", NULL};
    yyjson_val *source = yyjson_obj_get(item, "source"), *target = yyjson_obj_get(item, "target");
    yyjson_val *key = yyjson_obj_get(item, "key"), *own = yyjson_obj_get(item, "@key");
    bool is_multi = import->document.multi;
    bool undirected = import->document.direction == BRANT__UNDIRECTED;
    size_t middle;
    brant_status status;

    if (!source || !target) {
        brant__fail(BRANT_INVALID, "%s is missing", source ? "target" : "source");
        return brant__import_fault(import, (brant__text){NULL, 0}, end);
    }
    if (!yyjson_is_str(own) || yyjson_get_len(own) == 0 ||
        (is_multi && !(key && brant__json_equal(key, own))))
        own = NULL;
    /* Ends are looked for among the nodes that are written. */
    if (import->count > 0 && import->kind == BRANT__NODES) {
        import->full = true;
        return BRANT_OK;
    }
    brant__buffer_reset(&import->scratch);
    status = append_end(import, source);
    middle = import->scratch.length;
    if (status == BRANT_OK) status = append_end(import, target);
    if (status != BRANT_OK) return status;
    if (!brant__import_begin_item(import, BRANT__EDGES)) return BRANT_OK;
    if (!import->scratch.failed) {
        brant__text first = brant__text_of(import->scratch.data, middle);
        brant__text second =
            brant__text_of(import->scratch.data + middle, import->scratch.length - middle);
        brant__buffer text = {0};
        brant__write_text_member(&import->items, "source", first);
        brant__write_text_member(&import->items, "target", second);
        if (is_multi && !own && key && !yyjson_is_null(key)) {
            bool turned = undirected && brant__text_compare(first, second) > 0;
            brant__edge_key_of_value(&text, turned ? second : first, turned ? first : second, key);
            brant__write_text_member(&import->items, "key", brant__text_of(text.data, text.length));
            if (text.failed) import->items.buffer.failed = true;
            brant__buffer_free(&text);
        }
    }
    if (own) {
        brant__write_name(&import->items, "key");
        brant__write_value(&import->items, own);
    }
    if (import->scratch.failed) import->items.buffer.failed = true;
    brant__write_bool_member(&import->items, "undirected", undirected);
    brant__import_attributes(import, BRANT__EDGES, item,
                             is_multi ? (own ? multi_key : multi) : (own ? plain_key : plain));
    brant__import_end_item(import, end);
    return BRANT_OK;
}

static brant_status node_link_read(brant__import *import, int kind, yyjson_val *item, int64_t end) {
    return kind == BRANT__NODES ? node_link_node(import, item, end)
                                : node_link_edge(import, item, end);
}

static brant_status node_link_next(bool *out_found, brant__import *import) {
    return next_of_document(out_found, import, node_link_read);
}

const brant__import_format brant__node_link_import = {
    .name = "node_link", .kept = true, .begin = node_link_begin, .next = node_link_next};

/* ---- NDJSON ---------------------------------------------------------------------------------- */

/* The line at *io_offset without its end; *out_found false: no bytes are left. Blank lines are skipped. */
brant_status brant__next_line(bool *out_found, brant__range *out, brant__import *import,
                              int64_t *io_offset) {
    brant__source *source = &import->source;
    int64_t at = *io_offset;
    brant__text text;
    brant_status status = BRANT_OK;

    *out_found = false;
    while (at < source->size && !*out_found) {
        size_t have = 0, length = 0;
        bool blank = true;
        out->begin = at;
        for (;;) {
            const char *stop;
            BRANT__TRY(brant__source_get(&text, source, at, have + 1));
            stop = memchr(text.data + have, '\n', text.length - have);
            length = stop ? (size_t)(stop - text.data) : text.length;
            if (stop || at + (int64_t)text.length >= source->size) break;
            have = text.length;
        }
        out->end = at + (int64_t)length;
        for (size_t i = 0; i < length && blank; i++)
            blank = text.data[i] == ' ' || text.data[i] == '\t' || text.data[i] == '\r';
        at = out->end + 1;
        *out_found = !blank;
    }
    *io_offset = at < source->size ? at : source->size;
cleanup:
    return status;
}

static brant_status line_graph(brant__import *import, yyjson_val *value) {
    static const char *const names[] = {"graph_type", "metadata", NULL};
    yyjson_val *type = yyjson_obj_get(value, "graph_type");
    yyjson_val *metadata = yyjson_obj_get(value, "metadata");
    brant__text name = brant__json_text(type);
    brant_status status;

    if (!yyjson_is_obj(value)) return brant__fail(BRANT_INVALID, "graph is no object");
    status = check_members(import, value, names);
    if (status == BRANT_OK && metadata) status = keep_metadata(import, "metadata", metadata);
    if (status != BRANT_OK || !type) return status;
    if (!yyjson_is_str(type)) return brant__fail(BRANT_INVALID, "graph_type is no text");
    import->document.graph_type =
        brant__text_of(brant__arena_copy(import->call->arena, name.data, name.length), name.length);
    return import->document.graph_type.data ? BRANT_OK : brant__fail_memory();
}

/* The first line, where it is the graph's. */
static brant_status ndjson_begin(brant__import *import) {
    int64_t offset = 0;
    brant__range range;
    yyjson_val *graph;
    bool found;
    brant_status status;

    BRANT__TRY(brant__next_line(&found, &range, import, &offset));
    if (!found) goto cleanup;
    status = brant__import_parse(import, range);
    if (status == BRANT_INVALID_JSON) {
        /* Not of the graph; judged when its turn comes. */
        brant__error_code();
        status = BRANT_OK;
        goto cleanup;
    }
    if (status != BRANT_OK) goto cleanup;
    graph = yyjson_obj_get(import->json.root, "graph");
    if (graph && yyjson_obj_size(import->json.root) == 1) status = line_graph(import, graph);
cleanup:
    return status;
}

static brant_status line_item(brant__import *import, int kind, yyjson_val *item, int64_t end) {
    static const char *const node_names[] = {"key", "type", "attributes", "metadata", NULL};
    static const char *const edge_names[] = {"key",        "source",     "target",   "type",
                                             "undirected", "attributes", "metadata", NULL};
    yyjson_val *otherwise = kind == BRANT__NODES ? import->node_type : import->edge_type;
    yyjson_val *type = yyjson_obj_get(item, "type");
    size_t index, count;
    yyjson_val *name, *value;
    brant_status status = BRANT_OK;

    if (!yyjson_is_obj(item)) return brant__fail(BRANT_INVALID, "the item is no object");
    status = check_members(import, item, kind == BRANT__NODES ? node_names : edge_names);
    if (status != BRANT_OK) return status;
    if (type && !yyjson_is_str(type) && !yyjson_is_null(type))
        return brant__fail(BRANT_INVALID, "type is no text");
    yyjson_obj_foreach(item, index, count, name, value) {
        if (!yyjson_equals_str(name, "key") && !yyjson_equals_str(name, "source") &&
            !yyjson_equals_str(name, "target"))
            continue;
        if (!yyjson_is_str(value))
            return brant__fail(BRANT_INVALID, "%s is no text", yyjson_get_str(name));
    }
    if (!brant__import_begin_item(import, kind)) return BRANT_OK;
    yyjson_obj_foreach(item, index, count, name, value) {
        brant__write_name_text(&import->items, brant__json_text(name));
        brant__write_value(&import->items, value);
    }
    if (!type && otherwise && import->graph.type->module->typed) {
        brant__write_name(&import->items, "type");
        brant__write_value(&import->items, otherwise);
    }
    brant__import_end_item(import, end);
    return BRANT_OK;
}

static brant_status ndjson_next(bool *out_found, brant__import *import) {
    int64_t end = import->place.offset;
    brant__text key = {NULL, 0};
    brant__range range;
    yyjson_val *root, *item;
    brant_status status = brant__next_line(out_found, &range, import, &end);

    if (status != BRANT_OK || !*out_found) return status;
    status = brant__import_parse(import, range);
    if (status == BRANT_OK) {
        root = import->json.root;
        if (!yyjson_is_obj(root) || yyjson_obj_size(root) != 1) {
            status = brant__fail(BRANT_INVALID,
                                 "the line is no object with one member, graph, node or edge: "
                                 "{\"node\": {\"key\": ..}}");
        } else if (yyjson_obj_get(root, "graph")) {
            if (import->place.index == 0 && import->count == 0) {
                /* It was read when the import began, and counts as no item. */
                import->place.offset = end;
                return BRANT_OK;
            }
            status = brant__fail(BRANT_INVALID, "the graph is not the first line");
        } else if ((item = yyjson_obj_get(root, "node"))) {
            key = brant__json_get_text(item, "key");
            status = line_item(import, BRANT__NODES, item, end);
        } else if ((item = yyjson_obj_get(root, "edge"))) {
            key = brant__json_get_text(item, "key");
            status = line_item(import, BRANT__EDGES, item, end);
        } else {
            status = brant__fail(BRANT_INVALID, "the line is none of graph, node, edge");
        }
    }
    return status == BRANT_OK ? BRANT_OK : brant__import_fault(import, key, end);
}

const brant__import_format brant__ndjson_import = {
    .name = "ndjson", .begin = ndjson_begin, .next = ndjson_next};
