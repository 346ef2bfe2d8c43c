/*
 * exchange/write_drawing.c: DOT (Graphviz) and Mermaid.
 */
#include "exchange/internal.h"

static bool mixed(const brant__export *export) {
    return brant__graph_mixed(&export->graph);
}

/* ---- DOT ------------------------------------------------------------------------------------- */

/*
 * A quoted string. In one, \" is the only escape of the language, and labels have more: \\ is what shows a backslash in them. So backslashes are
 * doubled, which keeps different texts different.
 */
static void write_quoted(brant__buffer *out, brant__text text) {
    brant__buffer_append_byte(out, '"');
    for (size_t i = 0; i < text.length; i++) {
        if (text.data[i] == '"' || text.data[i] == '\\') brant__buffer_append_byte(out, '\\');
        brant__buffer_append_byte(out, text.data[i]);
    }
    brant__buffer_append_byte(out, '"');
}

static brant_status dot_begin(brant__export *export) {
    brant__export_append(export, brant__graph_undirected(&export->graph) ? "graph " : "digraph ");
    write_quoted(&export->text, export->graph.name);
    brant__export_append(export, " {\n");
    return BRANT_OK;
}

static void write_assignment(brant__export *export, bool *first, brant__text name,
                             brant__text value) {
    brant__export_append(export, *first ? " [" : ", ");
    *first = false;
    write_quoted(&export->text, name);
    brant__buffer_append_byte(&export->text, '=');
    write_quoted(&export->text, value);
}

static brant_status dot_attributes(brant__export *export, const brant__export_item *item) {
    brant__buffer *scratch = &export->scratch[0];
    size_t index, count;
    yyjson_val *name, *value;
    bool first = true;

    if (item->source.data && item->undirected && mixed(export))
        write_assignment(export, &first, BRANT__TEXT("dir"), BRANT__TEXT("none"));
    if (item->source.data && item->key.data)
        write_assignment(export, &first, BRANT__TEXT("key"), item->key);
    if (item->type.data) write_assignment(export, &first, BRANT__TEXT("@type"), item->type);
    yyjson_obj_foreach(item->attributes, index, count, name, value) {
        brant__text text = brant__json_text(name);
        /* In DOT the last of two of one name holds; ours hold. */
        if (item->source.data &&
            ((item->undirected && mixed(export) && brant__text_equal(text, BRANT__TEXT("dir"))) ||
             (item->key.data && brant__text_equal(text, BRANT__TEXT("key")))))
            return brant__export_refuse(export, item, "it has an attribute dir or key");
        if (item->type.data && brant__text_equal(text, BRANT__TEXT("@type")))
            return brant__export_refuse(export, item, "it has an attribute @type");
        if (item->metadata.data && brant__text_equal(text, BRANT__TEXT("@metadata")))
            return brant__export_refuse(export, item, "it has an attribute @metadata");
        if (text.length == 0 || memchr(text.data, 0, text.length) ||
            (yyjson_is_str(value) && memchr(yyjson_get_str(value), 0, yyjson_get_len(value))))
            return brant__export_refuse(export, item, "an attribute has no name, or a NUL");
        brant__buffer_reset(scratch);
        if (!yyjson_is_str(value)) brant__json_append(scratch, value);
        if (scratch->failed) return brant__fail_memory();
        write_assignment(export, &first, text,
                         yyjson_is_str(value) ? brant__json_text(value)
                                              : brant__text_of(scratch->data, scratch->length));
    }
    if (item->metadata.data)
        write_assignment(export, &first, BRANT__TEXT("@metadata"), item->metadata);
    brant__export_append(export, first ? ";\n" : "];\n");
    return BRANT_OK;
}

static brant_status dot_node(brant__export *export, const brant__export_item *item) {
    brant__export_append(export, "  ");
    write_quoted(&export->text, item->key);
    return dot_attributes(export, item);
}

static brant_status dot_edge(brant__export *export, const brant__export_item *item) {
    brant__export_append(export, "  ");
    write_quoted(&export->text, item->source);
    brant__export_append(export, brant__graph_undirected(&export->graph) ? " -- " : " -> ");
    write_quoted(&export->text, item->target);
    return dot_attributes(export, item);
}

static brant_status drawing_end(brant__export *export) {
    brant__export_append(export, "}\n");
    return BRANT_OK;
}

const brant__export_format brant__dot_format = {
    .name = "dot",
    .begin = dot_begin,
    .node = dot_node,
    .edge = dot_edge,
    .end = drawing_end,
};

/* ---- Mermaid --------------------------------------------------------------------------------- */

/* A quoted label: all of ASCII that is no letter, digit, space, point, comma, hyphen or underscore as a character code. */
static void write_label(brant__buffer *out, brant__text text) {
    brant__buffer_append_byte(out, '"');
    for (size_t i = 0; i < text.length; i++) {
        unsigned char byte = (unsigned char)text.data[i];
        bool plain = (byte >= 'a' && byte <= 'z') || (byte >= 'A' && byte <= 'Z') ||
                     (byte >= '0' && byte <= '9') || byte >= 0x80 || byte == ' ' || byte == '.' ||
                     byte == ',' || byte == '-' || byte == '_';
        if (plain)
            brant__buffer_append_byte(out, (char)byte);
        else if (byte == '\n')
            brant__buffer_append(out, "<br>", 4);
        else
            brant__buffer_format(out, "#%u;", (unsigned)byte);
    }
    brant__buffer_append_byte(out, '"');
}

/* Nodes are known by their numbers in the order of keys. */
static brant_status write_number(brant__export *export, int64_t row_id) {
    const brant__snapshot *snapshot;
    brant_status status = brant__snapshot_get(&snapshot, export->call, &export->graph);

    if (status != BRANT_OK) return status;
    brant__buffer_format(&export->text, "n%lu",
                         (unsigned long)brant__snapshot_number(snapshot, row_id));
    return BRANT_OK;
}

static brant_status mermaid_begin(brant__export *export) {
    brant__export_append(export, "flowchart LR\n");
    return BRANT_OK;
}

static brant_status mermaid_node(brant__export *export, const brant__export_item *item) {
    brant_status status;

    brant__export_append(export, "  ");
    status = write_number(export, item->row_id);
    if (status != BRANT_OK) return status;
    brant__export_append(export, "[");
    write_label(&export->text, item->key);
    brant__export_append(export, "]\n");
    return BRANT_OK;
}

static brant_status mermaid_edge(brant__export *export, const brant__export_item *item) {
    brant_status status;

    brant__export_append(export, "  ");
    BRANT__TRY(write_number(export, item->source_row));
    brant__export_append(export, item->undirected ? " ---" : " -->");
    if (item->type.data) {
        brant__export_append(export, "|");
        write_label(&export->text, item->type);
        brant__export_append(export, "|");
    }
    brant__export_append(export, " ");
    BRANT__TRY(write_number(export, item->target_row));
    brant__export_append(export, "\n");
cleanup:
    return status;
}

const brant__export_format brant__mermaid_format = {
    .name = "mermaid",
    .begin = mermaid_begin,
    .node = mermaid_node,
    .edge = mermaid_edge,
};
