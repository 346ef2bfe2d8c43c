/*
 * schema/compile.h: the state of one compilation, shared by bundle.c (where schemas stand, what a $ref means) and compile.c (rules).
 *
 * Vectors are brant__buffers: their failure is sticky and is looked at once per block. Everything ends up in the packed program.
 */
#ifndef BRANT__SCHEMA_COMPILE_H
#define BRANT__SCHEMA_COMPILE_H

#include "schema/program.h"

/* A schema of the bundle while it is compiled. */
typedef struct brant__site {
    yyjson_val *schema;
    uint32_t parent;   /* BRANT__NONE: the bundle itself */
    uint32_t resource; /* the site with the $id (or the bundle) that this one belongs to */
    uint32_t block;    /* in environment 0; BRANT__NONE: not needed so far */
    uint32_t packed;   /* its place in the program, or BRANT__NONE */
    uint8_t kind;
    uint8_t keyword;
    bool legacy; /* of draft-07 or older: nothing counts beside a $ref */
    uint32_t index;
    brant__text text; /* borrowed from the bundle or the arena */
    brant__text base; /* of a resource: its absolute URI without fragment, or empty */
} brant__site;

/* A block that is still to be filled. */
typedef struct brant__pending {
    uint32_t site;
    uint32_t environment;
    uint32_t block;
} brant__pending;

enum {
    BRANT__DYNAMIC_NAMES = 16,
    BRANT__DYNAMIC_ENVIRONMENTS = 256,
    BRANT__DYNAMIC_BLOCKS = 50000
};

typedef struct brant__compiler {
    yyjson_val *bundle;
    unsigned flags;
    brant__arena arena;
    brant__buffer sites;
    brant__map by_schema;       /* address of a schema: its site */
    brant__map by_anchor;       /* number of the resource, name: site */
    brant__map by_dynamic;      /* name: how many schemas have it as $dynamicAnchor */
    brant__map by_id;           /* absolute URI: site */
    brant__json metaschemas[2]; /* those that a $ref named, by brant__metaschemas */
    /* $dynamicRef (dynamic.c) */
    brant__buffer dynamic_names; /* of anchors that several schemas have */
    brant__buffer environments;  /* runs of BRANT__DYNAMIC_NAMES sites */
    brant__map by_environment;
    brant__map by_block;  /* site, environment: block */
    uint32_t environment; /* of the block in hand */
    bool dynamic_refused;
    bool encrypts;        /* a schema has "x-encrypted": true */
    brant__writer faults; /* stands inside an array */
    size_t fault_count;
    brant__buffer message; /* of the first fault */
    brant__buffer scratch;
    bool no_memory;
    /* the program so far */
    brant__buffer queue; /* brant__pending */
    brant__buffer blocks;
    brant__buffer rules;
    brant__buffer groups[BRANT__GROUP_COUNT]; /* rules of the block in hand */
    brant__buffer words;
    brant__buffer numbers;
    brant__buffer names;
    brant__buffer slots;
    brant__buffer objects;
    brant__buffer choices;
    brant__buffer places;
    brant__buffer text;
    brant__buffer patterns;
    brant__writer constants; /* stands inside an array */
    uint32_t constant_count;
} brant__compiler;

static inline void *brant__vector_data(const brant__buffer *buffer) {
    return buffer->data;
}
#define BRANT__VECTOR(buffer, type)       ((type *)brant__vector_data(&(buffer)))
#define BRANT__VECTOR_COUNT(buffer, type) ((uint32_t)((buffer).length / sizeof(type)))

/* ---- bundle.c -------------------------------------------------------------------------------------------------------- */

/* Find every schema of the bundle. Faults are recorded. */
void brant__bundle_scan(brant__compiler *compiler);
/* The site of a schema that the scan found, or BRANT__NONE. */
uint32_t brant__bundle_site(brant__compiler *compiler, yyjson_val *schema);
/* The site of a schema that stands somewhere else: `pointer` is where, from the bundle on. */
uint32_t brant__bundle_add(brant__compiler *compiler, yyjson_val *schema, brant__text pointer);
/* What a $ref at a site refers to, or BRANT__NONE with a message in compiler->scratch. */
uint32_t brant__bundle_resolve(brant__compiler *compiler, uint32_t site, brant__text reference,
                               bool dynamic);

/* The site of a resource's own $dynamicAnchor of that name, or BRANT__NONE. */
uint32_t brant__bundle_dynamic(brant__compiler *compiler, uint32_t resource, brant__text name);
/* The JSON pointer of a site, appended. */
void brant__site_append(brant__compiler *compiler, brant__buffer *out, uint32_t site);

/* Record a fault at a site, within the keyword (BRANT__KEYWORD_COUNT: the schema itself) and `tail`, a pointer from there on. */
void brant__fault(brant__compiler *compiler, uint32_t site, brant__text keyword, brant__text tail,
                  const char *format, ...) BRANT__PRINTF(5, 6);
/* Record that memory ran out; the compilation ends at the next look. */
void brant__compiler_no_memory(brant__compiler *compiler);

/* ---- dynamic.c ------------------------------------------------------------------------------------------------------- */

/* A second schema has the name as its $dynamicAnchor. */
void brant__dynamic_note(brant__compiler *compiler, uint32_t site, brant__text name);
/* The environment within a resource that is reached in `environment`. */
uint32_t brant__dynamic_enter(brant__compiler *compiler, uint32_t environment, uint32_t resource);
/* What the name means there, or BRANT__NONE. */
uint32_t brant__dynamic_find(const brant__compiler *compiler, uint32_t environment,
                             brant__text name);
/* Blocks of sites in environments other than 0: looked up (BRANT__NONE), kept. */
uint32_t brant__dynamic_block(const brant__compiler *compiler, uint32_t site, uint32_t environment);
void brant__dynamic_keep(brant__compiler *compiler, uint32_t site, uint32_t environment,
                         uint32_t block);

/* ---- compile.c ------------------------------------------------------------------------------------------------------- */

/* The block of a site in the environment in hand, queued when it is new. A site that is true or NONE has the block of `true`. */
uint32_t brant__compile_site(brant__compiler *compiler, uint32_t site);
/* Fill all blocks that are queued, and those that this queues. */
void brant__compile_blocks(brant__compiler *compiler);

/* ---- termination.c --------------------------------------------------------------------------------------------------- */

/*
 * Faults: schemas that apply to the same value in a circle or in too long a chain, and recursion that no finite value satisfies.
 */
void brant__program_check(brant__compiler *compiler);

/* ---- program.c ------------------------------------------------------------------------------------------------------- */

/* A zero-initialised compiler finds the schemas of a bundle. */
void brant__compiler_begin(brant__compiler *compiler, yyjson_val *bundle);
void brant__compiler_discard(brant__compiler *compiler);

/* True when any memory was missing. */
bool brant__compiler_failed(brant__compiler *compiler);

/* ---- uri.c ------------------------------------------------------------------------------------------------------------ */

/* RFC 3986 section 5: a reference resolved against a base, dots removed, appended. An empty base leaves the reference as it is. */
void brant__uri_resolve(brant__buffer *out, brant__text base, brant__text reference);
/* Percent-decoded, appended; false when an escape is bad. */
bool brant__uri_decode(brant__buffer *out, brant__text text);

#endif
