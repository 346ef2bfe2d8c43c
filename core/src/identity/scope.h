/*
 * identity/scope.h: scopes and sets of them. brant/identity.h says what a scope is.
 *
 * A set of scopes stands for the concrete scopes (those without `*`) that one of them covers. Parts have no end of values, so that a scope is covered by a set exactly if one
 * scope of the set covers it, and each set has one smallest form: sorted by bytes, none covered by another. brant__scopes_reduce makes it; _intersect and _union give it.
 */
#ifndef BRANT__IDENTITY_SCOPE_H
#define BRANT__IDENTITY_SCOPE_H

#include "base/base.h"
#include "base/json.h"

#define BRANT__SCOPE_PART 64                          /* bytes of a part */
#define BRANT__SCOPE_SIZE (2 * BRANT__SCOPE_PART + 1) /* bytes of a scope */

/* Two parts of 1 to 64 of [a-z0-9_.-], or `*`, and a colon between. What is not valid covers nothing, is covered by nothing and overlaps nothing. */
bool brant__scope_valid(brant__text scope);
/* Each part of `have` is `*` or that of `want`, which may have `*` itself: "nodes:*" is covered by "nodes:*" and "*:*" alone. */
bool brant__scope_covers(brant__text have, brant__text want);
/* Is there a concrete scope that both cover? What a deny is judged by. */
bool brant__scope_overlaps(brant__text a, brant__text b);

/* Borrowed texts. {NULL, 0}: none. */
typedef struct brant__scopes {
    brant__text *items;
    size_t count;
} brant__scopes;

/*
 * The strings of a JSON array in their order, borrowed from it; NULL: none. INVALID, naming `pointer` and the index: something else than an array (`pointer` alone), than a string, than a scope.
 */
brant_status brant__scopes_read(brant__scopes *out, brant__arena *arena, yyjson_val *array,
                                const char *pointer);
/* The same of the text that brant__scopes_write wrote, borrowed from it. CORRUPT: it did not. */
brant_status brant__scopes_parse(brant__scopes *out, brant__arena *arena, brant__text json);
bool brant__scopes_cover(const brant__scopes *scopes, brant__text want);
bool brant__scopes_overlap(const brant__scopes *scopes, brant__text scope); /* one of them does */
/* The first of `wanted` that `have` does not cover; NULL: all are. */
const brant__text *brant__scopes_uncovered(const brant__scopes *have, const brant__scopes *wanted);

/* In place, to the smallest form. */
void brant__scopes_reduce(brant__scopes *scopes);
/* What both cover, exactly; NO_MEMORY. The texts are borrowed from the sets' or in the arena; *out may be one of
 * the sets. */
brant_status brant__scopes_intersect(brant__scopes *out, brant__arena *arena,
                                     const brant__scopes *a, const brant__scopes *b);
/* What one of them covers. */
brant_status brant__scopes_union(brant__scopes *out, brant__arena *arena, const brant__scopes *a,
                                 const brant__scopes *b);

void brant__scopes_write(brant__writer *writer, const brant__scopes *scopes); /* an array */
/* As a member of the open object. */
static inline void brant__scopes_write_member(brant__writer *writer, const char *name,
                                              const brant__scopes *scopes) {
    brant__write_name(writer, name);
    brant__scopes_write(writer, scopes);
}

/* ---- what levels hold ------------------------------------------------------------------------------------------------------ */

/* Of a member of an organisation: 0 none, 1 viewer, 2 member, 3 admin, 4 owner. Static. */
const brant__scopes *brant__scopes_of_level(int level);
/* Of an account by itself: "user", "service", "admin"; anything else: none. Static. */
const brant__scopes *brant__scopes_of_access(brant__text access_level);

#endif
