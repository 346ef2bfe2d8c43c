/*
 * access/write.h: what the operations that write an access graph have in common: the graph, which the first one makes; who writes; rows, which go through the graph module's own
 * write path, so that validation, change log and notifications hold; what is answered.
 *
 * - write.c: this; hold.c: what the one who writes may give (hold.h)
 * - entity.c: access.put, .remove, .set_parent; grant.c: access.grant, .deny, .assign, .revoke; delegate.c: access.delegate
 * - seed.c: what the registry says; derive.c: what membership says, access.sync
 */
#ifndef BRANT__ACCESS_WRITE_H
#define BRANT__ACCESS_WRITE_H

#include "brant/access.h"
#include "graph/internal.h"
#include "identity/actor.h"
#include "identity/scope.h"

#define BRANT__ACCESS_GRAPH BRANT__TEXT("access")
#define BRANT__ANYWHERE     BRANT__TEXT("*") /* the resource that is everything */
#define BRANT__NEVER        INT64_MAX        /* of times that are not there */

/* An operation that writes. Texts of it, and of all that is read by it, are in the call's arena. */
typedef struct brant__access_edit {
    brant__call *call;
    brant__actor actor;
    brant__graph graph; /* as the last write left it */
    int64_t now;
} brant__access_edit;

/* The actor, and the graph of the input's member "graph", which is made where it is missing. INVALID: a graph of another type. */
brant_status brant__access_begin(brant__access_edit *out, brant__call *call);
/* The graph of a name for what the library does by itself; *out_found false: there is none of that name and type. */
brant_status brant__access_begin_at(bool *out_found, brant__access_edit *out, brant__call *call,
                                    brant__text name);

/* ---- rows -------------------------------------------------------------------------------------------- */

typedef struct brant__access_entity {
    brant__text key;
    int64_t row_id; /* 0: there is none */
    brant__text type;
    brant__text attributes; /* JSON */
} brant__access_entity;

/* What an edge says; a member that its type has not is as if it were not there. */
typedef struct brant__access_link {
    int64_t row_id; /* 0: there is none */
    brant__scopes scopes;
    brant__scopes seeded; /* those of them that access.seed gave */
    brant__text level;
    brant__text delegation_id;
    int64_t expires_at; /* BRANT__NEVER */
    int64_t revoked_at; /* BRANT__NEVER */
    int64_t max_depth;
    bool may_redelegate;
    bool pending;
    bool derived;    /* by attribute, or (HasRole) by metadata */
    bool was_seeded; /* its metadata says so, and is written again */
} brant__access_link;
#define BRANT__ACCESS_LINK_NONE                                                                    \
    ((brant__access_link){.expires_at = BRANT__NEVER, .revoked_at = BRANT__NEVER})

static inline bool brant__access_live(const brant__access_link *edge, int64_t now) {
    return edge->row_id && edge->expires_at > now && edge->revoked_at == BRANT__NEVER &&
           !edge->pending;
}

brant_status brant__access_entity_find(brant__access_entity *out, const brant__access_edit *edit,
                                       brant__text key);
/* The same; NOT_FOUND. */
brant_status brant__access_entity_need(brant__access_entity *out, const brant__access_edit *edit,
                                       brant__text key);
static inline bool brant__access_is(const brant__access_entity *node, const char *type) {
    return node->row_id && brant__text_equal(node->type, brant__text_string(type));
}
/* Of ends and type. */
brant_status brant__access_link_find(brant__access_link *out, const brant__access_edit *edit,
                                     const brant__access_entity *source, const char *type,
                                     const brant__access_entity *target);

/* The edges of a type at a node. Reset *out, also after a failure. */
enum { BRANT__ACCESS_OUT, BRANT__ACCESS_IN };
brant_status brant__access_links(brant__statement **out, const brant__access_edit *edit,
                                 int64_t node, const char *type, int direction);
/* The next one, and the node at its other end, without attributes. *out_found false: that was all. */
brant_status brant__access_link_next(bool *out_found, brant__access_link *edge,
                                     brant__access_entity *other, const brant__access_edit *edit,
                                     brant__statement *statement);
/* Those of a type at a node, all: for those who write meanwhile. */
typedef struct brant__access_arc {
    brant__access_link link;
    brant__access_entity other;
} brant__access_arc;
brant_status brant__access_arcs(brant__access_arc **out, size_t *out_count,
                                const brant__access_edit *edit, int64_t node, const char *type,
                                int direction);
/* Nodes whose keys begin with a prefix, in their order. Reset *out. */
brant_status brant__access_entities_from(brant__statement **out, const brant__access_edit *edit,
                                         brant__text prefix);
brant_status brant__access_entity_next(bool *out_found, brant__access_entity *node,
                                       const brant__access_edit *edit, brant__statement *statement);

/* ---- writing them ------------------------------------------------------------------------------------- */

/* Run a handler of the graph module on an input of ours, and look at the graph again. Its answer is dropped. */
brant_status brant__access_run(brant__access_edit *edit, brant__handler handler,
                               const brant__buffer *input);

/* Nodes or edges, written many at a time: begin an item, write its members, end it; then brant__access_batch_end. Zero-initialise but for the first two. */
typedef struct brant__access_batch {
    brant__access_edit *edit;
    brant__handler handler; /* brant__node_put_many, brant__edge_put_many */
    brant__writer items;
    size_t count;
    int64_t written;
} brant__access_batch;
brant__writer *brant__access_item(brant__access_batch *batch);
brant_status brant__access_item_end(brant__access_batch *batch);
brant_status brant__access_batch_end(brant__access_batch *batch);
void brant__access_batch_free(brant__access_batch *batch);
/* The members of an edge's item. */
void brant__access_link_write(brant__writer *out, brant__text source, const char *type,
                              brant__text target, const brant__access_link *edge);

/* One node, with attributes as JSON; read again into *out. */
brant_status brant__access_entity_put(brant__access_entity *out, brant__access_edit *edit,
                                      brant__text key, const char *type, brant__text attributes);
/* A resource, which is made where it is missing, of the kind before the first colon of its key. */
brant_status brant__access_resource(brant__access_entity *out, brant__access_edit *edit,
                                    brant__text key);
/* One edge; edge->row_id is that of its row afterwards. */
brant_status brant__access_link_put(brant__access_link *edge, brant__access_edit *edit,
                                    const brant__access_entity *source, const char *type,
                                    const brant__access_entity *target);
/* Edges by their rows. */
brant_status brant__access_links_remove(brant__access_edit *edit, const int64_t *rows,
                                        size_t count);
/* A node with its edges; *out_edges: how many. */
brant_status brant__access_entity_remove(int64_t *out_edges, brant__access_edit *edit,
                                         const brant__access_entity *node);

/* ---- what is told -------------------------------------------------------------------------------------- */

/* The members "graph" and, where they are there, "scopes" and "expires_at" of what is audited. */
void brant__access_detail(brant__writer *out, const brant__access_edit *edit,
                          const brant__scopes *scopes, int64_t expires_at);
/* Ends the open object of `detail` and adds the row of the audit log; `resource` is the key of what was written. */
brant_status brant__access_audit(brant__access_edit *edit, const char *action, brant__text org_id,
                                 brant__text resource, brant__writer *detail);
/* acl:delegation_changed */
brant_status brant__access_delegation_changed(brant__access_edit *edit, brant__text principal,
                                              brant__text agent);
/* {"edge", "revision"} */
brant_status brant__access_answer_edge(brant__access_edit *edit, int64_t row_id);
/* The member "revision" of the open answer. */
void brant__access_revision(brant__access_edit *edit);

/* ---- reading the input ----------------------------------------------------------------------------------- */

/* The member "scopes" in its smallest form; INVALID. */
brant_status brant__access_scopes(brant__scopes *out, brant__call *call);
/* The member "expires_at"; INVALID: it has passed. */
brant_status brant__access_expiry(int64_t *out, const brant__access_edit *edit);

extern const brant__statements brant__access_write_statements;

/* ---- operations ------------------------------------------------------------------------------------------- */

brant_status brant__access_put(brant__call *call);
brant_status brant__access_remove(brant__call *call);
brant_status brant__access_set_parent(brant__call *call);
brant_status brant__access_grant(brant__call *call);
brant_status brant__access_deny(brant__call *call);
brant_status brant__access_assign(brant__call *call);
brant_status brant__access_revoke(brant__call *call);
brant_status brant__access_delegate(brant__call *call);
brant_status brant__access_sync(brant__call *call);

#endif
