/*
 * schema/dynamic.c: which $dynamicAnchor a $dynamicRef means.
 *
 * The standard asks for the outermost resource on the way to the $dynamicRef that has the anchor. That depends only on which anchors the way has met
 * first, so each such set (an environment) gets blocks of its own while the schema is compiled, and a validation pays nothing for it. Anchors that
 * only one schema of the bundle has need none of this.
 */
#include "schema/compile.h"

static const uint32_t *bound(const brant__compiler *compiler, uint32_t environment) {
    return &BRANT__VECTOR(compiler->environments,
                          uint32_t)[(size_t)environment * BRANT__DYNAMIC_NAMES];
}

static brant__text name_at(const brant__compiler *compiler, uint32_t name) {
    return BRANT__VECTOR(compiler->dynamic_names, brant__text)[name];
}

static uint32_t name_count(const brant__compiler *compiler) {
    return BRANT__VECTOR_COUNT(compiler->dynamic_names, brant__text);
}

static void refuse(brant__compiler *compiler, uint32_t site) {
    if (compiler->dynamic_refused) return;
    compiler->dynamic_refused = true;
    brant__fault(compiler, site, BRANT__TEXT("$dynamicAnchor"), BRANT__TEXT(""),
                 "too many schemas and names of $dynamicAnchor to choose from");
}

void brant__dynamic_note(brant__compiler *compiler, uint32_t site, brant__text name) {
    if (name_count(compiler) == BRANT__DYNAMIC_NAMES)
        refuse(compiler, site);
    else
        brant__buffer_append(&compiler->dynamic_names, &name, sizeof(name));
}

uint32_t brant__dynamic_enter(brant__compiler *compiler, uint32_t environment, uint32_t resource) {
    const uint32_t names = name_count(compiler);
    uint32_t sites[BRANT__DYNAMIC_NAMES];
    bool changed = false;
    if (names == 0) return environment;
    if (compiler->environments.length == 0) {
        memset(sites, 0xFF, sizeof(sites)); /* BRANT__NONE: nothing is bound */
        brant__buffer_append(&compiler->environments, sites, sizeof(sites));
    }
    if (compiler->environments.failed) return environment;
    memcpy(sites, bound(compiler, environment), sizeof(sites));
    for (uint32_t i = 0; i < names; i++) {
        if (sites[i] != BRANT__NONE) continue;
        sites[i] = brant__bundle_dynamic(compiler, resource, name_at(compiler, i));
        changed = changed || sites[i] != BRANT__NONE;
    }
    if (!changed) return environment;
    const brant__text key = brant__text_of((const char *)sites, sizeof(sites));
    int64_t known;
    if (brant__map_get(&compiler->by_environment, key, &known)) return (uint32_t)known;
    const uint32_t made = (uint32_t)(compiler->environments.length / sizeof(sites));
    if (made == BRANT__DYNAMIC_ENVIRONMENTS) {
        refuse(compiler, resource);
        return environment;
    }
    brant__buffer_append(&compiler->environments, sites, sizeof(sites));
    if (!brant__map_put(&compiler->by_environment, key, made)) brant__compiler_no_memory(compiler);
    return compiler->environments.failed ? environment : made;
}

uint32_t brant__dynamic_find(const brant__compiler *compiler, uint32_t environment,
                             brant__text name) {
    if (compiler->environments.length == 0) return BRANT__NONE;
    for (uint32_t i = 0; i < name_count(compiler); i++) {
        if (brant__text_equal(name_at(compiler, i), name)) return bound(compiler, environment)[i];
    }
    return BRANT__NONE;
}

uint32_t brant__dynamic_block(const brant__compiler *compiler, uint32_t site,
                              uint32_t environment) {
    const uint32_t pair[2] = {site, environment};
    int64_t block;
    return brant__map_get(&compiler->by_block, brant__text_of((const char *)pair, sizeof(pair)),
                          &block)
               ? (uint32_t)block
               : BRANT__NONE;
}

void brant__dynamic_keep(brant__compiler *compiler, uint32_t site, uint32_t environment,
                         uint32_t block) {
    const uint32_t pair[2] = {site, environment};
    if (compiler->by_block.count >= BRANT__DYNAMIC_BLOCKS)
        refuse(compiler, site);
    else if (!brant__map_put(&compiler->by_block, brant__text_of((const char *)pair, sizeof(pair)),
                             block))
        brant__compiler_no_memory(compiler);
}
