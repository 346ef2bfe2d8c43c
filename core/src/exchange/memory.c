/*
 * exchange/memory.c: the reference MCP memory server's file: a JSON object a line, entities and relations.
 *
 *   {"type": "entity", "name", "entityType", "observations": [text..]}
 *   {"type": "relation", "from", "to", "relationType"}
 *
 * A graph of the type `memory`. The document is read three times: entities become nodes; names that only relations tell become nodes without an entityType, unless
 * they are there, whoever made them; relations become edges whose key is the JSON text [from, to, relationType]. place.section is the phase and, in the
 * second, the end of the relation. A batch is of one phase.
 */
#include "exchange/import.h"

enum { PHASE_ENTITIES, PHASE_NAMES, PHASE_TARGETS, PHASE_RELATIONS, PHASE_END };

static brant_status begin(brant__import *import) {
    import->document.graph_type = BRANT__TEXT("memory");
    return BRANT_OK;
}

/* In the order of the document, after what was told before. */
static int64_t position(brant__import *import) {
    return brant__db_now(import->call->db) * 1000 + import->place.index;
}

static brant_status check_text(yyjson_val *item, const char *name) {
    if (yyjson_is_str(yyjson_obj_get(item, name))) return BRANT_OK;
    return brant__fail(BRANT_INVALID, "%s is missing, or no text", name);
}

/* A text that can be a key. */
static brant_status check_name(const brant__import *import, yyjson_val *item, const char *name) {
    const brant_status status = check_text(item, name);

    if (status != BRANT_OK) return status;
    return brant__name_check(import->call->db, name, brant__json_get_text(item, name));
}

static brant_status check_relation(const brant__import *import, yyjson_val *item) {
    brant_status status = check_name(import, item, "from");

    if (status == BRANT_OK) status = check_name(import, item, "to");
    if (status == BRANT_OK) status = check_text(item, "relationType");
    return status;
}

static brant_status write_entity(brant__import *import, yyjson_val *item, int64_t end) {
    yyjson_val *observations = yyjson_obj_get(item, "observations"), *text;
    brant__writer *out = &import->items;
    size_t index, count;
    brant_status status;

    BRANT__TRY(check_name(import, item, "name"));
    BRANT__TRY(check_text(item, "entityType"));
    if (!yyjson_is_arr(observations))
        return brant__fail(BRANT_INVALID, "observations is missing, or no array");
    yyjson_arr_foreach(observations, index, count, text) {
        if (!yyjson_is_str(text)) return brant__fail(BRANT_INVALID, "an observation is no text");
    }
    if (!brant__import_begin_item(import, BRANT__NODES)) return BRANT_OK;
    brant__write_text_member(out, "key", brant__json_get_text(item, "name"));
    brant__write_name(out, "attributes");
    brant__write_object(out);
    brant__write_text_member(out, "entityType", brant__json_get_text(item, "entityType"));
    brant__write_name(out, "observations");
    brant__write_value(out, observations);
    brant__write_integer_member(out, "position", position(import));
    brant__write_end(out);
    brant__import_end_item(import, end);
cleanup:
    return status;
}

/* A node for an end that has none. It is no item of the document, which are counted. */
static brant_status write_name(brant__import *import, brant__text name, int64_t end) {
    brant__call call = brant__import_call(import);
    brant__node_ref ref;
    brant_status status = brant__node_find(&ref, NULL, &call, &import->graph, name);

    if (status != BRANT_OK || ref.row_id) return status;
    if (!brant__import_begin_item(import, BRANT__NODES)) return BRANT_OK;
    brant__write_text_member(&import->items, "key", name);
    brant__import_end_item(import, end);
    import->place.index--;
    return BRANT_OK;
}

static brant_status write_relation(brant__import *import, yyjson_val *item, int64_t end) {
    static const char *const members[] = {"from", "to", "relationType"};
    brant__writer *out = &import->items, key = {0};

    brant__write_array(&key);
    for (size_t i = 0; i < BRANT__COUNT(members); i++)
        brant__write_text(&key, brant__json_get_text(item, members[i]));
    brant__write_end(&key);
    if (key.buffer.failed) {
        brant__buffer_free(&key.buffer);
        return brant__fail_memory();
    }
    if (brant__import_begin_item(import, BRANT__EDGES)) {
        brant__write_text_member(out, "key", brant__text_of(key.buffer.data, key.buffer.length));
        brant__write_text_member(out, "source", brant__json_get_text(item, "from"));
        brant__write_text_member(out, "target", brant__json_get_text(item, "to"));
        brant__write_name(out, "attributes");
        brant__write_object(out);
        brant__write_text_member(out, "relationType", brant__json_get_text(item, "relationType"));
        brant__write_integer_member(out, "position", position(import));
        brant__write_end(out);
        brant__import_end_item(import, end);
    }
    brant__buffer_free(&key.buffer);
    return BRANT_OK;
}

/* Over a line of which this phase writes nothing. */
static void pass(brant__import *import, int64_t end) {
    import->place.offset = end;
    if (import->place.section == PHASE_TARGETS) import->place.section = PHASE_NAMES;
}

static brant_status write_line(brant__import *import, yyjson_val *item, int64_t end) {
    const bool entity = yyjson_equals_str(yyjson_obj_get(item, "type"), "entity");
    const int64_t phase = import->place.section;
    brant_status status = BRANT_OK;

    /* Lines of other types are passed over, as the reference does. */
    if (!entity && !yyjson_equals_str(yyjson_obj_get(item, "type"), "relation")) {
        if (!yyjson_is_obj(item) && phase == PHASE_ENTITIES)
            return brant__fail(BRANT_INVALID, "the line is no object");
        pass(import, end);
        return BRANT_OK;
    }
    if (entity != (phase == PHASE_ENTITIES)) {
        pass(import, end);
        return BRANT_OK;
    }
    if (entity) return write_entity(import, item, end);
    status = check_relation(import, item);
    if (phase == PHASE_RELATIONS && status == BRANT_OK) status = write_relation(import, item, end);
    if (phase == PHASE_RELATIONS) return status;
    if (status != BRANT_OK) { /* it is told in the relations' own phase */
        brant__error_clear();
        pass(import, end);
        return BRANT_OK;
    }
    brant__text name = brant__json_get_text(item, phase == PHASE_NAMES ? "from" : "to");
    BRANT__TRY(write_name(import, name, phase == PHASE_NAMES ? import->place.offset : end));
    if (import->full) goto cleanup;
    if (phase == PHASE_NAMES)
        import->place.section = PHASE_TARGETS;
    else
        pass(import, end);
cleanup:
    return status;
}

static brant_status next(bool *out_found, brant__import *import) {
    int64_t end = import->place.offset;
    brant__range range;
    yyjson_val *item = NULL;
    brant__text key = {NULL, 0};
    brant_status status;

    *out_found = import->place.section < PHASE_END;
    if (!*out_found) return BRANT_OK;
    import->missing =
        import->place.section == PHASE_NAMES || import->place.section == PHASE_TARGETS;
    status = brant__next_line(out_found, &range, import, &end);
    if (status != BRANT_OK) return status;
    if (!*out_found && import->count > 0) {
        *out_found = import->full = true;
        return BRANT_OK;
    }
    if (!*out_found) {
        import->place.section +=
            import->place.section == PHASE_NAMES ? PHASE_RELATIONS - PHASE_NAMES : 1;
        import->place.offset = 0;
        *out_found = import->place.section < PHASE_END;
        return BRANT_OK;
    }
    status = brant__import_parse(import, range);
    if (status == BRANT_OK) {
        item = import->json.root;
        key = brant__json_get_text(item, "name");
        status = write_line(import, item, end);
    } else if (import->place.section != PHASE_ENTITIES) {
        brant__error_code(); /* told already */
        pass(import, end);
        return BRANT_OK;
    }
    return status == BRANT_OK ? BRANT_OK : brant__import_fault(import, key, end);
}

const brant__import_format brant__memory_import = {.name = "memory", .begin = begin, .next = next};

/* ---- out ------------------------------------------------------------------------------------- */

static brant__writer *begin_line(brant__export *export, const char *type) {
    brant__buffer_reset(&export->item.buffer);
    export->item = (brant__writer){.buffer = export->item.buffer};
    brant__write_object(&export->item);
    brant__write_text_member(&export->item, "type", brant__text_string(type));
    return &export->item;
}

static brant_status end_line(brant__export *export) {
    brant__write_end(&export->item);
    brant__buffer_append_byte(&export->item.buffer, '\n');
    brant__buffer_append(&export->text, export->item.buffer.data, export->item.buffer.length);
    return BRANT_OK;
}

static brant_status memory_begin(brant__export *export) {
    (void)export;
    return BRANT_OK;
}

static brant_status memory_node(brant__export *export, const brant__export_item *item) {
    yyjson_val *type = yyjson_obj_get(item->attributes, "entityType");
    yyjson_val *observations = yyjson_obj_get(item->attributes, "observations");
    brant__writer *out;

    if (!type) return BRANT_OK; /* a name that relations tell */
    out = begin_line(export, "entity");
    brant__write_text_member(out, "name", item->key);
    brant__write_name(out, "entityType");
    brant__write_value(out, type);
    brant__write_name(out, "observations");
    if (observations) {
        brant__write_value(out, observations);
    } else {
        brant__write_array(out);
        brant__write_end(out);
    }
    return end_line(export);
}

static brant_status memory_edge(brant__export *export, const brant__export_item *item) {
    brant__writer *out = begin_line(export, "relation");

    brant__write_text_member(out, "from", item->source);
    brant__write_text_member(out, "to", item->target);
    brant__write_name(out, "relationType");
    brant__write_value(out, yyjson_obj_get(item->attributes, "relationType"));
    return end_line(export);
}

const brant__export_format brant__memory_format = {
    .name = "memory",
    .begin = memory_begin,
    .node = memory_node,
    .edge = memory_edge,
};
