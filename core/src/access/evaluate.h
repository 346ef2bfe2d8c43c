/*
 * access/evaluate.h: may a subject do what a scope names on a resource, by an index that is true now.
 *
 * brant/access.h says what the answer is. An evaluation is of one scope at one time; its resource is set before subjects are judged.
 *
 *     self(x)     x and what it reaches by BelongsTo and HasRole
 *     on(r)       r and what it reaches by Parent, and the resource "*"
 *     denied(x)   a Denies from self(x) to on(r) overlaps the scope
 *     right(x)    x counts, a Grants from self(x) to on(r) covers the scope, and x is not denied
 *
 * An agent has what a chain of delegations brings from a principal that has the right. Searches go level by level, so that no order of rows matters.
 */
#ifndef BRANT__ACCESS_EVALUATE_H
#define BRANT__ACCESS_EVALUATE_H

#include "access/follow.h"

#define BRANT__ACCESS_DEPTH       32 /* edges of self and on */
#define BRANT__ACCESS_DELEGATIONS 16 /* of a chain */

/* What is known: too deep to be told is neither. */
enum { BRANT__NO, BRANT__YES, BRANT__TOO_DEEP };

/* A list of numbers; zero-initialised by brant__numbers_begin. */
#define BRANT__NUMBERS_INSIDE 32
typedef struct brant__numbers {
    uint32_t *items;
    size_t count;
    size_t room;
    uint32_t inside[BRANT__NUMBERS_INSIDE];
} brant__numbers;
void brant__numbers_begin(brant__numbers *list);
void brant__numbers_free(brant__numbers *list);
bool brant__numbers_grow(brant__numbers *list);
/* False without memory. */
static inline bool brant__numbers_add(brant__numbers *list, uint32_t number) {
    if (BRANT__UNLIKELY(list->count == list->room) && !brant__numbers_grow(list)) return false;
    list->items[list->count++] = number;
    return true;
}

/* The level of an account in an organisation, asked once an evaluation; or, with BRANT__NOTHING for the group, 1: the agent is active in its own organisation, 0: it is not. */
#define BRANT__STANDINGS 8
typedef struct brant__known_level {
    uint32_t principal;
    uint32_t group;
    int level; /* -1: not in use */
} brant__known_level;

typedef struct brant__evaluation {
    brant__call *call;
    brant__access_index *index;
    int64_t now;
    brant__text scope;
    uint32_t everything; /* the node "*", or BRANT__NOTHING */
    uint32_t resource;   /* BRANT__NOTHING: it has no node */
    bool on_too_deep;
    brant__numbers on;         /* all of on(r) */
    brant__numbers on_granted; /* those that grants end at */
    brant__numbers on_denied;
    brant__numbers self; /* of the subject that was judged last */
    bool self_too_deep;
    brant__known_level known[BRANT__STANDINGS];
    size_t next_known;
} brant__evaluation;

/* INVALID: the scope is none. brant__evaluation_end also after a failure. */
brant_status brant__evaluation_begin(brant__evaluation *out, brant__call *call,
                                     const brant__access_graph *graph, brant__text scope);
void brant__evaluation_end(brant__evaluation *evaluation);
/* From now on this resource, which need not have a node. */
brant_status brant__evaluation_set(brant__evaluation *evaluation, brant__text resource);

/* ... without what is granted on "*". */
void brant__evaluation_particular(brant__evaluation *evaluation);

/* What a subject may; BRANT__NOTHING: no subject, which may nothing. */
brant_status brant__evaluate(int *out_answer, brant__evaluation *evaluation, uint32_t subject);

/* ---- its parts ------------------------------------------------------------------------------- */

/* Does an edge count now? A broken deny does. */
bool brant__edge_lives(const brant__evaluation *evaluation, const brant__access_edge *edge);
/* ... and BelongsTo or HasRole, from a member: a derived one only while the membership is. */
brant_status brant__edge_belongs(bool *out, brant__evaluation *evaluation,
                                 const brant__access_edge *edge);
/* Does the edge cover, or of a deny overlap, the scope? */
bool brant__edge_concerns(const brant__evaluation *evaluation, const brant__access_edge *edge);

/* evaluation->self of a node, and whether it went on too deep. */
brant_status brant__evaluate_self(brant__evaluation *evaluation, uint32_t node);
/* An edge of this kind that counts and concerns the scope, from self to the resource; BRANT__NOTHING: none. */
uint32_t brant__evaluate_edge(const brant__evaluation *evaluation, int kind);
/* Not suspended, and its account active; an agent of another organisation: active there. */
brant_status brant__evaluate_active(bool *out, brant__evaluation *evaluation, uint32_t node);
/* right(p) of a node that is no agent. */
brant_status brant__evaluate_right(int *out_answer, brant__evaluation *evaluation, uint32_t node);
/* An agent's own: the deny that an agent has; BRANT__NOTHING: none. */
uint32_t brant__evaluate_agent_denied(const brant__evaluation *evaluation, uint32_t agent);
/* May a delegation stand in a chain with `behind` delegations between it and the agent? What another organisation's agent is seen by never does (hub/delegation.h). */
bool brant__delegation_holds(const brant__evaluation *evaluation, const brant__access_edge *edge,
                             int64_t behind);

/* {"kind", "source", "target", "key", "scopes"?} (expand.c) */
brant_status brant__access_write_edge(brant__call *call, const brant__access_index *index,
                                      uint32_t edge);

/* The failure of an answer that is BRANT__TOO_DEEP. */
brant_status brant__access_too_deep(void);

#endif
