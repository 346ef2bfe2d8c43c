/*
 * graph/plain.c: paths that nothing may look into: encrypted attributes, what is in them, and the objects that hold them.
 *
 * What is stored there is an envelope, or, until secrets.rotate has been there, a value that is to become one. A filter, an order or an index
 * would find the one by chance and show the other, so they refuse such a path before they look at any row.
 */
#include "graph/filter.h"
#include "graph/seal.h"

static bool meets(const brant__encrypted *encrypted, const brant__text *segments, size_t count) {
    const size_t shared = encrypted->segment_count < count ? encrypted->segment_count : count;

    for (size_t i = 0; i < shared; i++)
        if (!brant__text_equal(encrypted->segments[i], segments[i])) return false;
    return true;
}

const brant__encrypted *brant__path_encrypted(const brant__module *module, int kind, uint32_t index,
                                              const brant__path *path) {
    const brant__encrypted *encrypted;
    const size_t count = brant__module_encrypted(&encrypted, module, kind, index);

    if (path->field != BRANT__FIELD_ATTRIBUTES) return NULL;
    for (size_t i = 0; i < count; i++)
        if (meets(&encrypted[i], path->segments, path->segment_count)) return &encrypted[i];
    return NULL;
}

static bool above(brant__text pointer, brant__text other) {
    return pointer.length <= other.length &&
           (pointer.length == 0 || memcmp(pointer.data, other.data, pointer.length) == 0) &&
           (pointer.length == other.length || other.data[pointer.length] == '/');
}

/* A place has one pointer only, since just ~ and / are escaped, and always. */
const brant__encrypted *brant__pointer_encrypted(const brant__module *module, int kind,
                                                 uint32_t index, brant__text pointer) {
    const brant__encrypted *encrypted;
    const size_t count = brant__module_encrypted(&encrypted, module, kind, index);

    for (size_t i = 0; i < count; i++)
        if (above(pointer, encrypted[i].pointer) || above(encrypted[i].pointer, pointer))
            return &encrypted[i];
    return NULL;
}

/* As one writes it in a filter: with dots where it can. "" without memory. */
const char *brant__encrypted_name(brant__call *call, const brant__encrypted *encrypted) {
    brant__buffer name = {0};
    bool dots = true;
    const char *copy = NULL;

    for (size_t i = 0; i < encrypted->segment_count; i++) {
        const brant__text segment = encrypted->segments[i];
        dots = dots && segment.length > 0 && !memchr(segment.data, '.', segment.length) &&
               !memchr(segment.data, '/', segment.length);
    }
    brant__buffer_append(&name, "attributes", 10);
    for (size_t i = 0; dots && i < encrypted->segment_count; i++) {
        brant__buffer_append_byte(&name, '.');
        brant__buffer_append(&name, encrypted->segments[i].data, encrypted->segments[i].length);
    }
    if (!dots) brant__buffer_append(&name, encrypted->pointer.data, encrypted->pointer.length);
    if (!name.failed) copy = brant__arena_copy(call->arena, name.data, name.length);
    brant__buffer_free(&name);
    return copy ? copy : "";
}

static size_t type_count(const brant__module *module, int kind) {
    if (!module->typed) return 0;
    return kind == BRANT__NODES ? module->node_type_count : module->edge_type_count;
}

brant_status brant__path_refused(brant__call *call, const brant__module *module, int kind,
                                 uint32_t index, const brant__encrypted *encrypted,
                                 brant__text pointer) {
    const bool nodes = kind == BRANT__NODES;
    const brant__text type =
        nodes ? module->node_types[index].name : module->edge_types[index].name;
    brant__writer detail = {0};
    brant_status status;

    brant__db_secret(call->db); /* what was looked for may be one */
    brant__write_object(&detail);
    brant__write_text_member(&detail, "pointer", pointer);
    brant__write_end(&detail);
    if (detail.buffer.failed)
        status = brant__fail_memory();
    else
        status = brant__fail_detail(
            BRANT_INVALID, brant__text_of(detail.buffer.data, detail.buffer.length),
            "%s: %s is encrypted by %s type %s: it cannot be filtered, ordered or indexed",
            brant__quoted(call, pointer), brant__encrypted_name(call, encrypted),
            nodes ? "node" : "edge", brant__quoted(call, type));
    brant__buffer_free(&detail.buffer);
    return status;
}

brant_status brant__path_plain(brant__call *call, const brant__type *type, int kind, uint32_t index,
                               const brant__path *path, brant__text pointer) {
    const size_t count = type_count(type->module, kind);

    for (uint32_t i = 0; i < count; i++) {
        const brant__encrypted *encrypted;
        if (index != BRANT__NO_TYPE && index != i) continue;
        encrypted = brant__path_encrypted(type->module, kind, i, path);
        if (encrypted) return brant__path_refused(call, type->module, kind, i, encrypted, pointer);
    }
    return BRANT_OK;
}
