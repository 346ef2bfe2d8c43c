/*
 * access/index.h: an access graph in memory: nodes and edges as numbers, linked both ways.
 *
 * It is a copy of rows and judges nothing: follow.c keeps it true, evaluate.c reads it. Numbers mean nothing outside; they are used again when a node or an edge is gone. An edge
 * is known by its ends and kind.
 */
#ifndef BRANT__ACCESS_INDEX_H
#define BRANT__ACCESS_INDEX_H

#include "base/base.h"
#include "base/json.h"
#include "identity/scope.h"

/* In the order of brant__access_node_names and brant__access_edge_names. */
enum {
    BRANT__PRINCIPAL,
    BRANT__AGENT,
    BRANT__GROUP,
    BRANT__ROLE,
    BRANT__RESOURCE,
    BRANT__ACCESS_NODE_KINDS
};
enum {
    BRANT__BELONGS_TO,
    BRANT__HAS_ROLE,
    BRANT__PARENT,
    BRANT__GRANTS,
    BRANT__DENIES,
    BRANT__DELEGATES,
    BRANT__ACCESS_EDGE_KINDS
};
extern const brant__text brant__access_node_names[BRANT__ACCESS_NODE_KINDS];
extern const brant__text brant__access_edge_names[BRANT__ACCESS_EDGE_KINDS];
/* The kind of a type's name; the number of kinds: none. */
int brant__access_node_kind(brant__text name);
int brant__access_edge_kind(brant__text name);

/* Lists of a node's edges. Those that lead up (to groups and roles, from a resource to its parent) share one. */
enum {
    BRANT__LIST_UP,
    BRANT__LIST_GRANTS,
    BRANT__LIST_DENIES,
    BRANT__LIST_DELEGATES,
    BRANT__ACCESS_LISTS
};
enum { BRANT__OUT, BRANT__IN };

#define BRANT__NOTHING UINT32_MAX

/* What an edge's attributes say: one for all edges that say the same. What is not as the graph type has it never gives anything: `broken`. */
typedef struct brant__access_terms {
    char *text; /* owned; NULL: a free place */
    size_t length;
    uint32_t references;
    uint32_t hash;
    uint32_t next_free;
    bool broken;
    bool derived;
    bool may_redelegate;
    bool between;       /* of a delegation between organisations */
    bool ended;         /* revoked, or not yet in force: counts at no time */
    int64_t expires_at; /* INT64_MAX: never */
    int64_t max_depth;
    brant__scopes scopes; /* owned, in one block */
} brant__access_terms;

typedef struct brant__access_node {
    char *key; /* owned, with the account behind it; NULL: a free place */
    uint32_t length;
    uint32_t hash;
    uint32_t first
        [2]
        [BRANT__ACCESS_LISTS]; /* edges; BRANT__NOTHING: none. Of a free place [0][0] is the next one */
    uint32_t account_length; /* 0: has no account */
    uint32_t marks[2];       /* of searches: brant__access_search */
    uint8_t kind;
    bool suspended;
    bool foreign; /* an agent of another organisation, by its key: standing.h */
} brant__access_node;

typedef struct brant__access_edge {
    uint32_t end
        [2]; /* [BRANT__OUT]: the source, [BRANT__IN]: the target; of a free place the next one */
    uint32_t next[2]; /* in the source's list, in the target's */
    uint32_t previous[2];
    uint32_t terms;
    uint8_t kind; /* BRANT__ACCESS_EDGE_KINDS: a free place */
    int64_t row_id;
} brant__access_edge;

/* A table of numbers by hash. */
typedef struct brant__access_cell {
    uint32_t hash;
    uint32_t number; /* + 1; 0: free */
} brant__access_cell;
typedef struct brant__access_table {
    brant__access_cell *cells;
    size_t capacity; /* a power of two, or 0 */
    size_t count;
} brant__access_table;

typedef struct brant__access_index {
    brant__access_node *nodes;
    size_t node_room;
    uint32_t node_end; /* places that were ever used */
    uint32_t node_count;
    uint32_t free_node;
    brant__access_table by_key;

    brant__access_edge *edges;
    size_t edge_room;
    uint32_t edge_end;
    uint32_t edge_count;
    uint32_t free_edge;
    brant__access_table by_ends;

    brant__access_terms *terms;
    size_t terms_room;
    uint32_t terms_end;
    uint32_t free_terms;
    brant__access_table by_text;

    brant__json json;  /* what is being read */
    uint32_t marks[2]; /* of the newest searches */
} brant__access_index;

/* Zero-initialised: empty. */
void brant__access_index_free(brant__access_index *index); /* empty again */
/* Room for so many, to save growing. NO_MEMORY. */
brant_status brant__access_index_reserve(brant__access_index *index, size_t nodes, size_t edges);

/* BRANT__NOTHING: there is none. */
uint32_t brant__access_node_find(const brant__access_index *index, brant__text key);
uint32_t brant__access_edge_find(const brant__access_index *index, uint32_t source, uint32_t target,
                                 int kind);

/* Make a node what its row says. *out_node may be NULL. */
brant_status brant__access_node_set(uint32_t *out_node, brant__access_index *index, brant__text key,
                                    int kind, brant__text attributes);
/* With all its edges. */
void brant__access_node_remove(brant__access_index *index, uint32_t node);
/* Make an edge what its row says. */
brant_status brant__access_edge_set(brant__access_index *index, uint32_t source, uint32_t target,
                                    int kind, int64_t row_id, brant__text attributes);
void brant__access_edge_remove(brant__access_index *index, uint32_t edge);

/* A new search: no node has its mark in marks[which] yet. Two may be under way. */
uint32_t brant__access_search(brant__access_index *index, int which);

static inline brant__text brant__access_key(const brant__access_index *index, uint32_t node) {
    return brant__text_of(index->nodes[node].key, index->nodes[node].length);
}
/* {NULL, 0}: it has none. */
static inline brant__text brant__access_account(const brant__access_node *node) {
    return node->account_length ? brant__text_of(node->key + node->length + 1, node->account_length)
                                : (brant__text){NULL, 0};
}
static inline const brant__access_terms *brant__access_terms_of(const brant__access_index *index,
                                                                const brant__access_edge *edge) {
    return &index->terms[edge->terms];
}

#endif
