/*
 * evolution/widen.c: a module's document as others read it, who know nothing of x-encrypted: at each encrypted attribute what stands for the value is
 * valid too. So a plain JSON Schema validator accepts what nodes.get answers and what nodes.put takes.
 *
 * A schema S of an encrypted attribute becomes {"x-encrypted": true, "anyOf": [S, an envelope, the mark of one that was taken out]}. What names S, or
 * stands in it to be named, stays outside: $id, anchors, $defs.
 */
#include "evolution/relation.h"

typedef struct widener {
    brant__writer *out;
    brant__map encrypted; /* addresses of schemas */
    bool failed;
} widener;

static const char stand_ins[] = "{\"type\":\"object\",\"required\":[\"$enc\"]},"
                                "{\"type\":\"object\",\"required\":[\"$redacted\"]}";

static void mark(widener *self, yyjson_val *document, const brant__schema *schema) {
    for (uint32_t block = 0; schema->encrypts && block < schema->block_count; block++) {
        if (!brant__block_encrypted(&schema->blocks[block])) continue;
        yyjson_val *json = brant__block_json(document, schema, block);
        if (yyjson_is_obj(json) && !brant__map_put(&self->encrypted, brant__value_key(&json), 1))
            self->failed = true;
    }
}

static bool names(yyjson_val *key) {
    static const char *const kept[] = {"$id",     "$schema",     "$anchor", "$dynamicAnchor",
                                       "$defs",   "definitions", "title",   "description",
                                       "default", "x-encrypted"};
    for (size_t i = 0; i < BRANT__COUNT(kept); i++)
        if (yyjson_equals_str(key, kept[i])) return true;
    return false;
}

static void copy(widener *self, yyjson_val *value);

/* The members that name the schema, or the others. */
static void copy_members(widener *self, yyjson_val *value, bool naming) {
    size_t index, count;
    yyjson_val *key, *member;
    yyjson_obj_foreach(value, index, count, key, member) {
        if (names(key) != naming) continue;
        brant__write_name_text(self->out, brant__json_text(key));
        copy(self, member);
    }
}

static void copy(widener *self, yyjson_val *value) {
    brant__writer *out = self->out;
    size_t index, count;
    yyjson_val *key, *item;
    int64_t known;
    if (yyjson_is_arr(value)) {
        brant__write_array(out);
        yyjson_arr_foreach(value, index, count, item) copy(self, item);
        brant__write_end(out);
    } else if (!yyjson_is_obj(value)) {
        brant__write_value(out, value);
    } else if (brant__map_get(&self->encrypted, brant__value_key(&value), &known)) {
        brant__write_object(out);
        copy_members(self, value, true);
        if (!yyjson_obj_get(value, "x-encrypted")) {
            brant__write_name(out, "x-encrypted");
            brant__write_bool(out, true);
        }
        brant__write_name(out, "anyOf");
        brant__write_array(out);
        brant__write_object(out);
        copy_members(self, value, false);
        brant__write_end(out);
        brant__write_raw(out, BRANT__TEXT(stand_ins));
        brant__write_end(out);
        brant__write_end(out);
    } else {
        brant__write_object(out);
        yyjson_obj_foreach(value, index, count, key, item) {
            brant__write_name_text(out, brant__json_text(key));
            copy(self, item);
        }
        brant__write_end(out);
    }
}

brant_status brant__module_widen(brant__buffer *out, yyjson_val *document,
                                 const brant__module *module) {
    brant__writer writer = {0};
    widener self = {.out = &writer};
    brant_status status = BRANT_OK;
    for (size_t i = 0; i < module->node_type_count; i++)
        mark(&self, document, module->node_types[i].schema);
    for (size_t i = 0; i < module->edge_type_count; i++)
        mark(&self, document, module->edge_types[i].schema);
    if (self.encrypted.count > 0 && !self.failed) copy(&self, document);
    if (self.failed || writer.buffer.failed) {
        status = brant__fail_memory();
        brant__buffer_free(&writer.buffer);
    }
    *out = writer.buffer;
    brant__map_free(&self.encrypted);
    return status;
}
