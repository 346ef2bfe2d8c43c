/*
 * identity/scope.c: scopes and sets of them: matching part by part, never by prefix; the smallest form of a set; what the levels hold.
 */
#include "identity/scope.h"

#include <stdlib.h>

/* ---- one scope --------------------------------------------------------------------------------------------------------------- */

typedef struct parts {
    brant__text space, action;
} parts;

static bool is_any(brant__text part) {
    return part.length == 1 && part.data[0] == '*';
}

static bool is_part(brant__text part) {
    if (part.length < 1 || part.length > BRANT__SCOPE_PART) return false;
    if (is_any(part)) return true;
    for (size_t i = 0; i < part.length; i++) {
        const char c = part.data[i];
        if (!(c >= 'a' && c <= 'z') && !(c >= '0' && c <= '9') && c != '_' && c != '.' && c != '-')
            return false;
    }
    return true;
}

static bool split(parts *out, brant__text scope) {
    const char *colon = scope.length ? memchr(scope.data, ':', scope.length) : NULL;
    if (!colon) return false;
    out->space = brant__text_of(scope.data, (size_t)(colon - scope.data));
    out->action = brant__text_of(colon + 1, scope.length - out->space.length - 1);
    return is_part(out->space) && is_part(out->action);
}

bool brant__scope_valid(brant__text scope) {
    parts ignored;
    return split(&ignored, scope);
}

static bool part_covers(brant__text have, brant__text want) {
    return is_any(have) || brant__text_equal(have, want);
}

bool brant__scope_covers(brant__text have, brant__text want) {
    parts h, w;
    return split(&h, have) && split(&w, want) && part_covers(h.space, w.space) &&
           part_covers(h.action, w.action);
}

static bool part_overlaps(brant__text a, brant__text b) {
    return is_any(a) || is_any(b) || brant__text_equal(a, b);
}

bool brant__scope_overlaps(brant__text a, brant__text b) {
    parts x, y;
    return split(&x, a) && split(&y, b) && part_overlaps(x.space, y.space) &&
           part_overlaps(x.action, y.action);
}

/* ---- sets ------------------------------------------------------------------------------------------------------------------ */

static brant_status alloc(brant__scopes *out, brant__arena *arena, size_t most) {
    *out = (brant__scopes){.items = brant__arena_alloc(arena, most * sizeof *out->items)};
    return out->items ? BRANT_OK : brant__fail_memory();
}

brant_status brant__scopes_read(brant__scopes *out, brant__arena *arena, yyjson_val *array,
                                const char *pointer) {
    yyjson_val *item;
    size_t index, count;
    *out = (brant__scopes){NULL, 0};
    if (!array) return BRANT_OK;
    if (!yyjson_is_arr(array))
        return brant__fail(BRANT_INVALID, "%s must be an array of scopes", pointer);
    const brant_status status = alloc(out, arena, yyjson_arr_size(array));
    if (status != BRANT_OK) return status;
    yyjson_arr_foreach(array, index, count, item) {
        const brant__text scope = brant__json_text(item);
        if (!brant__scope_valid(scope)) {
            *out = (brant__scopes){NULL, 0};
            return brant__fail(BRANT_INVALID,
                               "%s/%zu is no scope: <namespace>:<action>, each * or 1 to %d of "
                               "a-z, 0-9, _, ., -",
                               pointer, index, BRANT__SCOPE_PART);
        }
        out->items[out->count++] = scope;
    }
    return BRANT_OK;
}

/* No scope has a character that JSON would escape: what stands between two quotes is one. */
brant_status brant__scopes_parse(brant__scopes *out, brant__arena *arena, brant__text json) {
    const char *at = json.data, *end = at + json.length;
    /* Each takes six bytes at least, with its comma or bracket. */
    const brant_status status = alloc(out, arena, json.length / 6 + 1);
    if (status != BRANT_OK) return status;
    if (brant__text_equal(json, BRANT__TEXT("[]"))) return BRANT_OK;
    for (char before = '['; end - at >= 2 && at[0] == before && at[1] == '"'; before = ',') {
        const char *begin = at + 2, *quote = memchr(begin, '"', (size_t)(end - begin));
        if (!quote) break;
        const brant__text scope = brant__text_of(begin, (size_t)(quote - begin));
        if (!brant__scope_valid(scope)) break;
        out->items[out->count++] = scope;
        at = quote + 1;
        if (end - at == 1 && *at == ']') return BRANT_OK;
    }
    *out = (brant__scopes){NULL, 0};
    return brant__fail(BRANT_CORRUPT, "a list of scopes in the file is none");
}

bool brant__scopes_cover(const brant__scopes *scopes, brant__text want) {
    for (size_t i = 0; i < scopes->count; i++)
        if (brant__scope_covers(scopes->items[i], want)) return true;
    return false;
}

bool brant__scopes_overlap(const brant__scopes *scopes, brant__text scope) {
    for (size_t i = 0; i < scopes->count; i++)
        if (brant__scope_overlaps(scopes->items[i], scope)) return true;
    return false;
}

const brant__text *brant__scopes_uncovered(const brant__scopes *have, const brant__scopes *wanted) {
    for (size_t i = 0; i < wanted->count; i++)
        if (!brant__scopes_cover(have, wanted->items[i])) return &wanted->items[i];
    return NULL;
}

static int by_bytes(const void *a, const void *b) {
    return brant__text_compare(*(const brant__text *)a, *(const brant__text *)b);
}

/* A scope of two parts, in `room`. */
static brant__text join(char room[BRANT__SCOPE_SIZE], brant__text space, brant__text action) {
    memcpy(room, space.data, space.length);
    room[space.length] = ':';
    memcpy(room + space.length + 1, action.data, action.length);
    return brant__text_of(room, space.length + 1 + action.length);
}

static bool holds(const brant__scopes *sorted, brant__text space, brant__text action) {
    char room[BRANT__SCOPE_SIZE];
    const brant__text scope = join(room, space, action);
    return bsearch(&scope, sorted->items, sorted->count, sizeof scope, by_bytes) != NULL;
}

/* Does a set in its smallest form cover a scope? Only four can: so the time of what follows is n log n. */
static bool is_covered(const brant__scopes *sorted, brant__text scope) {
    const brant__text any = BRANT__TEXT("*");
    parts p;
    return !split(&p, scope) || holds(sorted, p.space, p.action) || holds(sorted, any, p.action) ||
           holds(sorted, p.space, any) || holds(sorted, any, any);
}

void brant__scopes_reduce(brant__scopes *scopes) {
    brant__scopes kept = {scopes->items, 0};
    if (scopes->count == 0) return;
    /* `*` is less than all that parts are made of: what covers a scope stands before it. */
    qsort(scopes->items, scopes->count, sizeof *scopes->items, by_bytes);
    for (size_t i = 0; i < scopes->count; i++)
        if (!is_covered(&kept, scopes->items[i])) kept.items[kept.count++] = scopes->items[i];
    *scopes = kept;
}

/* What two scopes cover both, {NULL, 0}: nothing. The text of one of them, or put together in the arena. */
static brant_status meet(brant__text *out, brant__arena *arena, brant__text a, brant__text b) {
    parts x, y;
    *out = (brant__text){NULL, 0};
    if (!brant__scope_overlaps(a, b)) return BRANT_OK;
    if (brant__scope_covers(a, b))
        *out = b;
    else if (brant__scope_covers(b, a))
        *out = a;
    if (out->data) return BRANT_OK;
    split(&x, a);
    split(&y, b);
    const brant__text space = is_any(x.space) ? y.space : x.space,
                      action = is_any(x.action) ? y.action : x.action;
    char text[BRANT__SCOPE_SIZE];
    return brant__arena_text(out, arena, join(text, space, action));
}

brant_status brant__scopes_intersect(brant__scopes *out, brant__arena *arena,
                                     const brant__scopes *a, const brant__scopes *b) {
    /* The result is no larger than both sets together, but what it is made from may be. */
    brant__scopes met;
    brant_status status = alloc(&met, arena, a->count * b->count);
    for (size_t i = 0; status == BRANT_OK && i < a->count; i++) {
        for (size_t j = 0; status == BRANT_OK && j < b->count; j++) {
            status = meet(&met.items[met.count], arena, a->items[i], b->items[j]);
            if (status == BRANT_OK && met.items[met.count].data) met.count++;
        }
    }
    if (status != BRANT_OK) met = (brant__scopes){NULL, 0};
    brant__scopes_reduce(&met);
    *out = met;
    return status;
}

brant_status brant__scopes_union(brant__scopes *out, brant__arena *arena, const brant__scopes *a,
                                 const brant__scopes *b) {
    brant__scopes all;
    const brant_status status = alloc(&all, arena, a->count + b->count);
    if (status == BRANT_OK) {
        for (size_t i = 0; i < a->count; i++)
            all.items[all.count++] = a->items[i];
        for (size_t i = 0; i < b->count; i++)
            all.items[all.count++] = b->items[i];
        brant__scopes_reduce(&all);
    }
    *out = all;
    return status;
}

void brant__scopes_write(brant__writer *writer, const brant__scopes *scopes) {
    brant__write_array(writer);
    for (size_t i = 0; i < scopes->count; i++)
        brant__write_text(writer, scopes->items[i]);
    brant__write_end(writer);
}

/* ---- what levels hold ------------------------------------------------------------------------------------------------------ */

#define SCOPE(literal) {(literal), sizeof(literal) - 1}
#define SET(array)     {(array), BRANT__COUNT(array)}

/* In their smallest form. Never written to: a set that is borrowed from is const. */
static brant__text viewer[] = {SCOPE("*:read")};
static brant__text member[] = {SCOPE("*:read"), SCOPE("*:use"), SCOPE("*:write"),
                               SCOPE("secrets:open"), SCOPE("secrets:seal")};
static brant__text admin[] = {
    SCOPE("*:admin"),         SCOPE("*:read"),         SCOPE("*:use"),        SCOPE("*:write"),
    SCOPE("access:delegate"), SCOPE("access:grant"),   SCOPE("db:backup"),    SCOPE("db:maintain"),
    SCOPE("secrets:open"),    SCOPE("secrets:rotate"), SCOPE("secrets:seal"),
};
static brant__text everything[] = {SCOPE("*:*")};
static brant__text self[] = {SCOPE("accounts:self")};

static const brant__scopes nothing = {NULL, 0};
static const brant__scopes of_levels[] = {
    {NULL, 0}, SET(viewer), SET(member), SET(admin), SET(everything)};
static const brant__scopes of_self = SET(self), of_admin = SET(everything);

const brant__scopes *brant__scopes_of_level(int level) {
    return level > 0 && (size_t)level < BRANT__COUNT(of_levels) ? &of_levels[level] : &nothing;
}

const brant__scopes *brant__scopes_of_access(brant__text access_level) {
    if (brant__text_equal(access_level, BRANT__TEXT("admin"))) return &of_admin;
    if (brant__text_equal(access_level, BRANT__TEXT("user")) ||
        brant__text_equal(access_level, BRANT__TEXT("service")))
        return &of_self;
    return &nothing;
}
