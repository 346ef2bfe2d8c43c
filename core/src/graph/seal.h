/*
 * graph/seal.h: attributes that their type encrypts (x-encrypted), where they pass into the file and out of it.
 *
 * Every writer of attributes sends them through brant__seal_append or brant__seal_item, so that SQLite never sees a plaintext. Every reader sends them through one of two: answers to
 * those who ask for rows (brant__shown_append) have envelopes as they are stored, what leaves for somewhere else (the change log, exports: brant__redact_append) has no more than
 * that there is something. No failure and no message has a value of such an attribute.
 *
 * An envelope belongs to one place: file, graph, "node" or "edge", the key as users see it, the attribute's JSON pointer (crypto/crypto.h).
 */
#ifndef BRANT__GRAPH_SEAL_H
#define BRANT__GRAPH_SEAL_H

#include "crypto/crypto.h"
#include "graph/internal.h"

/* The encrypted attributes of a type by index, in the order of their pointers; 0 for most types. */
static inline size_t brant__module_encrypted(const brant__encrypted **out,
                                             const brant__module *module, int kind,
                                             uint32_t index) {
    *out = NULL;
    if (!module->typed || index == BRANT__NO_TYPE) return 0;
    if (kind == BRANT__NODES) {
        *out = module->node_types[index].encrypted;
        return module->node_types[index].encrypted_count;
    }
    *out = module->edge_types[index].encrypted;
    return module->edge_types[index].encrypted_count;
}

static inline size_t brant__type_encrypted(const brant__encrypted **out, const brant__type *type,
                                           int kind, uint32_t index) {
    return brant__module_encrypted(out, type->module, kind, index);
}

static inline bool brant__type_encrypts(const brant__type *type, int kind, uint32_t index) {
    const brant__encrypted *list;

    return brant__type_encrypted(&list, type, kind, index) > 0;
}

/*
 * What the operation is given, or has read, may be a secret of this type's: where it encrypts anything, what the handle keeps is wiped when the call ends (brant__db_secret). For every operation
 * that takes or reads attributes, before it can fail because of them.
 */
void brant__seal_watch(brant_db *db, const brant__type *type);

/* What stands at a place of parsed attributes; NULL: nothing. */
yyjson_val *brant__encrypted_find(yyjson_val *attributes, const brant__encrypted *place);

/* The context of the envelopes of a node or an edge, but for `path`, which is that of the attribute. */
brant_status brant__encrypted_context(brant__context *out, brant__call *call,
                                      const brant__graph *graph, int kind, brant__text key);

/* Append what is to stand in place of the value at an encrypted place. `beside`: what stands at this place of another object; NULL: nothing. */
typedef brant_status brant__encrypted_write(brant__buffer *out, void *context,
                                            const brant__encrypted *place, yyjson_val *value,
                                            yyjson_val *beside);
/* Append `attributes` as JSON, with what `write` appends at encrypted places. */
brant_status brant__encrypted_copy(brant__buffer *out, const brant__type *type, int kind,
                                   uint32_t index, yyjson_val *attributes, yyjson_val *beside,
                                   brant__encrypted_write *write, void *context);

/*
 * What is to be stored, appended as JSON: `attributes`, which the type's schema accepts, with an envelope at each encrypted place. `stored`: what the row has now; NULL: nothing.
 * - a plaintext is sealed with the active key. NOT_FOUND: there is no ring, or none of its keys is active
 * - an object with "$enc" stays where it equals what is stored there, which needs no ring; else it must open at this very place and hold what the type accepts, and is sealed anew
 *   where its key is not the active one; INVALID
 * - {"$redacted": true} stands for what is stored there; INVALID where nothing is, and of any other object with "$redacted"
 * LIMIT: longer than limits.document. These three are faults of the item (brant__seal_fault). What stays and is still plain, as its type began to encrypt later, is sealed where the
 * ring has an active key, else it stays as it is until secrets.rotate.
 */
brant_status brant__seal_append(brant__buffer *out, brant__call *call, const brant__graph *graph,
                                int kind, uint32_t type, brant__text key, yyjson_val *attributes,
                                yyjson_val *stored);
/* The same of what a patch or a migration made of `stored`: a plain value that is stored there already counts as one that stays. */
brant_status brant__seal_changed(brant__buffer *out, brant__call *call, const brant__graph *graph,
                                 int kind, uint32_t type, brant__text key, yyjson_val *attributes,
                                 yyjson_val *stored);

/*
 * The same for an item of a batch, as text in the call's arena. `row_id`: of the stored row, 0: there is none; it is read only if the item refers to it. `before`: what an
 * earlier item of the batch made of it, {NULL, 0}: nothing. `replayed`: {"$redacted": true} is stored as it is, since the log that is replayed has no more.
 */
brant_status brant__seal_item(brant__text *out, brant__call *call, const brant__graph *graph,
                              int kind, uint32_t type, brant__text key, yyjson_val *attributes,
                              int64_t row_id, brant__text before, bool replayed);

/* Is a failure of these the item's? */
bool brant__seal_refused(brant_status status);
/* One that is: noted as the item's fault, BRANT_OK. Any other: itself. */
brant_status brant__seal_fault(brant__faults *faults, size_t index, brant__text key,
                               brant_status status);

/*
 * What a merge patch is merged into, appended as JSON: `stored`, but that a secret which `patch` has an object for is opened, and is left out where that object stands for all of it.
 * NOT_FOUND, AUTH and the others of opening are faults of the item.
 */
brant_status brant__seal_open_for(brant__buffer *out, brant__call *call, const brant__graph *graph,
                                  int kind, uint32_t type, brant__text key, yyjson_val *stored,
                                  yyjson_val *patch);

/* A row's attributes as those get them who ask for the row: what is encrypted as it is stored; still plain: {"$redacted": true}. CORRUPT and others: they are not JSON. */
brant_status brant__shown_append(brant__buffer *out, const brant__type *type, int kind,
                                 uint32_t index, brant__text attributes);
/* And as they leave: whatever stands at an encrypted place is {"$redacted": true}. */
brant_status brant__redact_append(brant__buffer *out, const brant__type *type, int kind,
                                  uint32_t index, brant__text attributes);

/* The member `attributes` of an open object, shown or redacted. */
brant_status brant__write_shown(brant__writer *out, const brant__type *type, int kind,
                                uint32_t index, brant__text attributes);
brant_status brant__write_redacted(brant__writer *out, const brant__type *type, int kind,
                                   uint32_t index, brant__text attributes);

#endif
