/*
 * exchange/write_json.c: graphology's serialised form, NetworkX's node-link form, and NDJSON.
 *
 * Each item is written by export->item, whose buffer is then appended to the page. What a format
 * has no place for travels in members that begin with @; where an attribute of that name stands in
 * the way, the export is refused.
 */
#include "exchange/internal.h"

#define TYPE_NAME     "@type"
#define METADATA_NAME "@metadata"
#define KEY_NAME      "@key"

/* The item's writer, empty. */
static brant__writer *open_item(brant__export *export) {
    brant__buffer_reset(&export->item.buffer);
    export->item = (brant__writer){.buffer = export->item.buffer};
    return &export->item;
}

static void close_item(brant__export *export, bool first) {
    if (!first) brant__buffer_append_byte(&export->text, ',');
    brant__buffer_append(&export->text, export->item.buffer.data, export->item.buffer.length);
}

static bool has(const brant__export_item *item, const char *name) {
    return yyjson_obj_get(item->attributes, name) != NULL;
}

/* Is there an attribute that an import would take for something else? */
static brant_status check_names(brant__export *export, const brant__export_item *item) {
    yyjson_val *metadata = yyjson_obj_get(item->attributes, METADATA_NAME);

    if (item->type.data && has(item, TYPE_NAME))
        return brant__export_refuse(export, item, "it has an attribute " TYPE_NAME);
    if (metadata &&
        (item->metadata.data || (yyjson_is_obj(metadata) && yyjson_obj_size(metadata) > 0)))
        return brant__export_refuse(export, item, "it has an attribute " METADATA_NAME);
    return BRANT_OK;
}

/* The attributes, and type and metadata, as members of the open object. */
static void write_members(brant__writer *out, const brant__export_item *item) {
    size_t index, count;
    yyjson_val *name, *value;

    if (item->type.data) brant__write_text_member(out, TYPE_NAME, item->type);
    yyjson_obj_foreach(item->attributes, index, count, name, value) {
        brant__write_name_text(out, brant__json_text(name));
        brant__write_value(out, value);
    }
    if (item->metadata.data) {
        brant__write_name(out, METADATA_NAME);
        brant__write_raw(out, item->metadata);
    }
}

/* ---- graphology ------------------------------------------------------------------------------ */

static brant_status graphology_begin(brant__export *export) {
    static const char *const types[] = {"directed", "undirected", "mixed"};
    const brant__module_config *config = &export->graph.type->module->config;
    brant__writer *out = open_item(export);
    const char *type = types[config->direction];

    brant__write_object(out);
    brant__write_name(out, "options");
    brant__write_object(out);
    brant__write_text_member(out, "type", brant__text_string(type));
    brant__write_bool_member(out, "multi", config->multi);
    brant__write_bool_member(out, "allowSelfLoops", config->allow_self_loops);
    brant__write_end(out);
    brant__write_name(out, "attributes");
    brant__write_raw(out, export->metadata);
    close_item(export, true);
    brant__export_append(export, ",\"nodes\":[");
    return BRANT_OK;
}

static void write_graphology_attributes(brant__writer *out, const brant__export_item *item) {
    if (!item->type.data && !item->metadata.data && yyjson_obj_size(item->attributes) == 0) return;
    brant__write_name(out, "attributes");
    brant__write_object(out);
    write_members(out, item);
    brant__write_end(out);
}

static brant_status graphology_node(brant__export *export, const brant__export_item *item) {
    brant__writer *out = open_item(export);
    brant_status status = check_names(export, item);

    if (status != BRANT_OK) return status;
    brant__write_object(out);
    brant__write_text_member(out, "key", brant__text_of_key(&export->scratch[0], item->key));
    write_graphology_attributes(out, item);
    brant__write_end(out);
    close_item(export, item->first);
    return BRANT_OK;
}

static brant_status graphology_middle(brant__export *export) {
    brant__export_append(export, "],\"edges\":[");
    return BRANT_OK;
}

static brant_status graphology_edge(brant__export *export, const brant__export_item *item) {
    brant__writer *out = open_item(export);
    brant_status status = check_names(export, item);

    if (status != BRANT_OK) return status;
    brant__write_object(out);
    if (item->key.data)
        brant__write_text_member(out, "key", brant__text_of_key(&export->scratch[0], item->key));
    brant__write_text_member(out, "source", brant__text_of_key(&export->scratch[0], item->source));
    brant__write_text_member(out, "target", brant__text_of_key(&export->scratch[0], item->target));
    write_graphology_attributes(out, item);
    if (item->undirected && brant__graph_mixed(&export->graph)) {
        brant__write_bool_member(out, "undirected", true);
    }
    brant__write_end(out);
    close_item(export, item->first);
    return BRANT_OK;
}

static brant_status json_end(brant__export *export) {
    brant__export_append(export, "]}");
    return BRANT_OK;
}

const brant__export_format brant__graphology_format = {
    .name = "graphology",
    .begin = graphology_begin,
    .node = graphology_node,
    .middle = graphology_middle,
    .edge = graphology_edge,
    .end = json_end,
};

/* ---- node-link ------------------------------------------------------------------------------- */

static brant_status node_link_begin(brant__export *export) {
    const brant__module_config *config = &export->graph.type->module->config;
    brant__writer *out = open_item(export);

    if (config->direction == BRANT__MIXED)
        return brant__fail(BRANT_CONSTRAINT, "node_link has no mixed graphs, as %s is",
                           brant__quoted(export->call, export->graph.name));
    brant__write_object(out);
    brant__write_bool_member(out, "directed", config->direction == BRANT__DIRECTED);
    brant__write_bool_member(out, "multigraph", config->multi);
    brant__write_name(out, "graph");
    brant__write_raw(out, export->metadata);
    close_item(export, true);
    brant__export_append(export, ",\"nodes\":[");
    return BRANT_OK;
}

static brant_status write_value_of_key(brant__writer *out, brant__buffer *scratch, const char *name,
                                       brant__text key) {
    brant__buffer_reset(scratch);
    brant__value_of_key(scratch, key);
    if (scratch->failed) return brant__fail_memory();
    brant__write_name(out, name);
    brant__write_raw(out, brant__text_of(scratch->data, scratch->length));
    return BRANT_OK;
}

static brant_status node_link_node(brant__export *export, const brant__export_item *item) {
    brant__writer *out = open_item(export);
    brant_status status = check_names(export, item);

    if (status != BRANT_OK) return status;
    if (has(item, "id")) return brant__export_refuse(export, item, "it has an attribute id");
    brant__write_object(out);
    write_members(out, item);
    status = write_value_of_key(out, &export->scratch[0], "id", item->key);
    brant__write_end(out);
    close_item(export, item->first);
    return status;
}

static brant_status node_link_middle(brant__export *export) {
    brant__export_append(export, "],\"");
    brant__export_append(export, export->edges_name);
    brant__export_append(export, "\":[");
    return BRANT_OK;
}

/*
 * The key of an edge of a multigraph is one among those of its ends: where ours is the JSON text [source, target, key] it was made of that by an
 * import, and the last member goes back. *out_key {NULL, 0}: it is a key of our own.
 */
static brant_status library_key(brant__text *out_key, brant__export *export,
                                const brant__export_item *item, brant__json *json) {
    brant__buffer *text = &export->scratch[1];
    bool turned = item->undirected && brant__text_compare(item->source, item->target) > 0;
    yyjson_val *key;

    *out_key = (brant__text){NULL, 0};
    if (item->key.length < 2 || item->key.data[0] != '[') return BRANT_OK;
    if (brant__json_parse(json, item->key.data, item->key.length, 0) != BRANT_OK) {
        brant__error_code();
        return BRANT_OK;
    }
    key = yyjson_arr_get(json->root, 2);
    if (!key || yyjson_arr_size(json->root) != 3) return BRANT_OK;
    brant__buffer_reset(text);
    brant__edge_key_of_value(text, turned ? item->target : item->source,
                             turned ? item->source : item->target, key);
    if (!text->failed && !brant__text_equal(brant__text_of(text->data, text->length), item->key))
        return BRANT_OK;
    brant__buffer_reset(text);
    brant__json_append(text, key);
    if (text->failed) return brant__fail_memory();
    *out_key = brant__text_of(text->data, text->length);
    return BRANT_OK;
}

static brant_status write_node_link_key(brant__export *export, const brant__export_item *item,
                                        brant__writer *out) {
    yyjson_val *at_key = yyjson_obj_get(item->attributes, KEY_NAME);
    brant__json json = {0};
    brant__text key = {NULL, 0};
    brant_status status = BRANT_OK;

    if (brant__graph_multi(&export->graph)) {
        BRANT__TRY(library_key(&key, export, item, &json));
        if (key.data) {
            /* An import would take it for the key of an edge of ours. */
            if (yyjson_is_str(at_key) && brant__json_equal(at_key, yyjson_arr_get(json.root, 2))) {
                status =
                    brant__export_refuse(export, item, "its attribute " KEY_NAME " is its key too");
                goto cleanup;
            }
            brant__write_name(out, "key");
            brant__write_raw(out, key);
            goto cleanup;
        }
    } else if (!item->key.data) {
        /* A text attribute of that name would be taken for a key. */
        if (yyjson_is_str(at_key) && yyjson_get_len(at_key) > 0)
            status = brant__export_refuse(export, item, "it has an attribute " KEY_NAME);
        goto cleanup;
    }
    if (at_key) {
        status = brant__export_refuse(export, item, "it has an attribute " KEY_NAME);
        goto cleanup;
    }
    if (brant__graph_multi(&export->graph)) brant__write_text_member(out, "key", item->key);
    brant__write_text_member(out, KEY_NAME, item->key);
cleanup:
    brant__json_free(&json);
    return status;
}

static brant_status node_link_edge(brant__export *export, const brant__export_item *item) {
    static const char *const reserved[] = {"source", "target", "key"};
    brant__writer *out = open_item(export);
    brant_status status;

    BRANT__TRY(check_names(export, item));
    for (size_t i = 0; i < (brant__graph_multi(&export->graph) ? 3u : 2u); i++) {
        if (!has(item, reserved[i])) continue;
        status = brant__export_refuse(export, item,
                                      i == 0   ? "it has an attribute source"
                                      : i == 1 ? "it has an attribute target"
                                               : "it has an attribute key");
        goto cleanup;
    }
    brant__write_object(out);
    write_members(out, item);
    BRANT__TRY(write_value_of_key(out, &export->scratch[0], "source", item->source));
    BRANT__TRY(write_value_of_key(out, &export->scratch[0], "target", item->target));
    BRANT__TRY(write_node_link_key(export, item, out));
    brant__write_end(out);
    close_item(export, item->first);
cleanup:
    return status;
}

const brant__export_format brant__node_link_format = {
    .name = "node_link",
    .begin = node_link_begin,
    .node = node_link_node,
    .middle = node_link_middle,
    .edge = node_link_edge,
    .end = json_end,
};

/* ---- NDJSON ---------------------------------------------------------------------------------- */

static void end_line(brant__export *export) {
    brant__write_end(&export->item);
    brant__write_end(&export->item);
    brant__buffer_append_byte(&export->item.buffer, '\n');
    close_item(export, true);
}

static brant__writer *begin_line(brant__export *export, const char *what) {
    brant__writer *out = open_item(export);

    brant__write_object(out);
    brant__write_name(out, what);
    brant__write_object(out);
    return out;
}

static brant_status ndjson_begin(brant__export *export) {
    brant__writer *out = begin_line(export, "graph");
    const char *type = export->graph.type->name;

    brant__write_text_member(out, "graph_type", brant__text_string(type));
    brant__write_name(out, "metadata");
    brant__write_raw(out, export->metadata);
    end_line(export);
    return BRANT_OK;
}

static void write_content(brant__writer *out, const brant__export_item *item) {
    if (!brant__text_equal(item->attributes_text, BRANT__TEXT("{}"))) {
        brant__write_name(out, "attributes");
        brant__write_raw(out, item->attributes_text);
    }
    if (item->metadata.data) {
        brant__write_name(out, "metadata");
        brant__write_raw(out, item->metadata);
    }
}

static brant_status ndjson_node(brant__export *export, const brant__export_item *item) {
    brant__writer *out = begin_line(export, "node");

    brant__write_text_member(out, "key", item->key);
    if (item->type.data) brant__write_text_member(out, "type", item->type);
    write_content(out, item);
    end_line(export);
    return BRANT_OK;
}

static brant_status ndjson_edge(brant__export *export, const brant__export_item *item) {
    brant__writer *out = begin_line(export, "edge");

    if (item->key.data) brant__write_text_member(out, "key", item->key);
    brant__write_text_member(out, "source", item->source);
    brant__write_text_member(out, "target", item->target);
    if (item->type.data) brant__write_text_member(out, "type", item->type);
    if (item->undirected && brant__graph_mixed(&export->graph)) {
        brant__write_bool_member(out, "undirected", true);
    }
    write_content(out, item);
    end_line(export);
    return BRANT_OK;
}

const brant__export_format brant__ndjson_format = {
    .name = "ndjson",
    .begin = ndjson_begin,
    .node = ndjson_node,
    .edge = ndjson_edge,
};
