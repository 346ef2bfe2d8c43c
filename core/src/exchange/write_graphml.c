/*
 * exchange/write_graphml.c: GraphML 1.0.
 *
 * Every attribute is declared once for each kind of value that it has, so that no value changes its
 * type: the id of a <key> is made of what it is for, the kind, and the name in hexadecimal, which every page
 * can tell by itself.
 */
#include "exchange/internal.h"

/* Text as XML 1.0 has it; false: a character that XML 1.0 has no way to write. */
static bool write_xml(brant__buffer *out, brant__text text) {
    size_t begin = 0;

    for (size_t i = 0; i < text.length; i++) {
        unsigned char byte = (unsigned char)text.data[i];
        const char *entity = NULL;
        switch (byte) {
        case '&':
            entity = "&amp;";
            break;
        case '<':
            entity = "&lt;";
            break;
        case '>':
            entity = "&gt;";
            break;
        case '"':
            entity = "&quot;";
            break;
        case '\t':
            entity = "&#9;";
            break;
        case '\n':
            entity = "&#10;";
            break;
        case '\r':
            entity = "&#13;";
            break;
        default:
            if (byte < 0x20) return false;
            /* U+FFFE and U+FFFF */
            if (byte == 0xEF && i + 2 < text.length && (unsigned char)text.data[i + 1] == 0xBF &&
                (unsigned char)text.data[i + 2] >= 0xBE)
                return false;
            continue;
        }
        brant__buffer_append(out, text.data + begin, i - begin);
        brant__buffer_append(out, entity, strlen(entity));
        begin = i + 1;
    }
    brant__buffer_append(out, text.data + begin, text.length - begin);
    return true;
}

static const char *const kind_names[] = {"bool", "long", "double", "text", "json"};
static const char *const kind_types[] = {"boolean", "long", "double", "string", "string"};

static int kind_index(int kind) {
    int index = 0;

    while (kind > 1) {
        kind >>= 1;
        index++;
    }
    return index;
}

static void write_id(brant__export *export, bool edge, int kind, brant__text name) {
    brant__buffer_format(&export->text, "%s_%s_", edge ? "e" : "n", kind_names[kind_index(kind)]);
    for (size_t i = 0; i < name.length; i++)
        brant__buffer_format(&export->text, "%02x", (unsigned char)name.data[i]);
}

static brant_status refuse_name(brant__export *export, brant__text name) {
    return brant__fail(BRANT_CONSTRAINT,
                       "graphml cannot carry the attribute %s: XML has no way to write its name",
                       brant__quoted(export->call, name));
}

static brant_status declare(brant__export *export, bool edge) {
    brant__survey survey;
    const char *domain = edge ? "edge" : "node";
    brant_status status = brant__survey_take(&survey, export, edge ? BRANT__EDGES : BRANT__NODES);

    if (status != BRANT_OK) return status;
    if (export->graph.type->module->typed)
        brant__buffer_format(&export->text,
                             "  <key id=\"%s_type\" for=\"%s\" attr.name=\"@type\" "
                             "attr.type=\"string\"/>\n",
                             edge ? "e" : "n", domain);
    if (survey.metadata)
        brant__buffer_format(&export->text,
                             "  <key id=\"%s_metadata\" for=\"%s\" attr.name=\"@metadata\" "
                             "attr.type=\"string\"/>\n",
                             edge ? "e" : "n", domain);
    for (size_t i = 0; i < survey.count; i++)
        for (int kind = BRANT__IS_BOOL; kind <= BRANT__IS_OTHER; kind <<= 1) {
            if (!(survey.names[i].kinds & kind)) continue;
            brant__export_append(export, "  <key id=\"");
            write_id(export, edge, kind, survey.names[i].name);
            brant__buffer_format(&export->text, "\" for=\"%s\" attr.name=\"", domain);
            if (!write_xml(&export->text, survey.names[i].name))
                return refuse_name(export, survey.names[i].name);
            brant__buffer_format(&export->text, "\" attr.type=\"%s\"/>\n",
                                 kind_types[kind_index(kind)]);
        }
    return BRANT_OK;
}

static brant_status begin(brant__export *export) {
    brant_status status;

    brant__export_append(export, "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n"
                                 "<graphml xmlns=\"http://graphml.graphdrawing.org/xmlns\"\n"
                                 "    xmlns:xsi=\"http://www.w3.org/2001/XMLSchema-instance\"\n"
                                 "    xsi:schemaLocation=\"http://graphml.graphdrawing.org/xmlns "
                                 "http://graphml.graphdrawing.org/xmlns/1.0/graphml.xsd\">\n");
    BRANT__TRY(declare(export, false));
    BRANT__TRY(declare(export, true));
    if (!brant__text_equal(export->metadata, BRANT__TEXT("{}")))
        brant__export_append(export,
                             "  <key id=\"g_metadata\" for=\"graph\" attr.name=\"@metadata\" "
                             "attr.type=\"string\"/>\n");
    brant__buffer_format(&export->text, "  <graph edgedefault=\"%s\">\n",
                         brant__graph_undirected(&export->graph) ? "undirected" : "directed");
    if (!brant__text_equal(export->metadata, BRANT__TEXT("{}"))) {
        brant__export_append(export, "    <data key=\"g_metadata\">");
        write_xml(&export->text, export->metadata);
        brant__export_append(export, "</data>\n");
    }
cleanup:
    return status;
}

static brant_status write_xml_of(brant__export *export, const brant__export_item *item,
                                 brant__text text) {
    if (write_xml(&export->text, text)) return BRANT_OK;
    return brant__export_refuse(export, item, "XML has no way to write a character of it");
}

static brant_status write_data(brant__export *export, const brant__export_item *item, bool edge) {
    brant__buffer *scratch = &export->scratch[0];
    size_t index, count;
    yyjson_val *name, *value;
    brant_status status = BRANT_OK;

    if (item->type.data) {
        brant__buffer_format(&export->text, "      <data key=\"%s_type\">", edge ? "e" : "n");
        BRANT__TRY(write_xml_of(export, item, item->type));
        brant__export_append(export, "</data>\n");
    }
    yyjson_obj_foreach(item->attributes, index, count, name, value) {
        brant__export_append(export, "      <data key=\"");
        write_id(export, edge, brant__kind_of(value), brant__json_text(name));
        brant__export_append(export, "\">");
        if (yyjson_is_str(value)) {
            BRANT__TRY(write_xml_of(export, item, brant__json_text(value)));
        } else {
            brant__buffer_reset(scratch);
            brant__json_append(scratch, value);
            if (scratch->failed) {
                status = brant__fail_memory();
                goto cleanup;
            }
            BRANT__TRY(write_xml_of(export, item, brant__text_of(scratch->data, scratch->length)));
        }
        brant__export_append(export, "</data>\n");
    }
    if (item->metadata.data) {
        brant__buffer_format(&export->text, "      <data key=\"%s_metadata\">", edge ? "e" : "n");
        BRANT__TRY(write_xml_of(export, item, item->metadata));
        brant__export_append(export, "</data>\n");
    }
cleanup:
    return status;
}

static bool has_data(const brant__export_item *item) {
    return item->type.data || item->metadata.data || yyjson_obj_size(item->attributes) > 0;
}

static brant_status node(brant__export *export, const brant__export_item *item) {
    brant_status status;

    brant__export_append(export, "    <node id=\"");
    BRANT__TRY(write_xml_of(export, item, item->key));
    if (!has_data(item)) {
        brant__export_append(export, "\"/>\n");
        goto cleanup;
    }
    brant__export_append(export, "\">\n");
    BRANT__TRY(write_data(export, item, false));
    brant__export_append(export, "    </node>\n");
cleanup:
    return status;
}

static brant_status edge(brant__export *export, const brant__export_item *item) {
    brant_status status;

    brant__export_append(export, "    <edge");
    if (item->key.data) {
        brant__export_append(export, " id=\"");
        BRANT__TRY(write_xml_of(export, item, item->key));
        brant__export_append(export, "\"");
    }
    brant__export_append(export, " source=\"");
    BRANT__TRY(write_xml_of(export, item, item->source));
    brant__export_append(export, "\" target=\"");
    BRANT__TRY(write_xml_of(export, item, item->target));
    brant__export_append(export, "\"");
    if (item->undirected && brant__graph_mixed(&export->graph))
        brant__export_append(export, " directed=\"false\"");
    if (!has_data(item)) {
        brant__export_append(export, "/>\n");
        goto cleanup;
    }
    brant__export_append(export, ">\n");
    BRANT__TRY(write_data(export, item, true));
    brant__export_append(export, "    </edge>\n");
cleanup:
    return status;
}

static brant_status end(brant__export *export) {
    brant__export_append(export, "  </graph>\n</graphml>\n");
    return BRANT_OK;
}

const brant__export_format brant__graphml_format = {
    .name = "graphml",
    .begin = begin,
    .node = node,
    .edge = edge,
    .end = end,
};
