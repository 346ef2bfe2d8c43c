/*
 * schema/schema.h: JSON Schema (2020-12, draft-07 accepted) compiled to a flat program, and the modules of the metagraph.
 *
 * A compiled schema is immutable and may be shared between threads; a brant__validation is one thread's scratch.
 */
#ifndef BRANT__SCHEMA_H
#define BRANT__SCHEMA_H

#include "base/base.h"
#include "base/json.h"

typedef struct brant__schema brant__schema;

/* At most this many violations are collected; the rest are counted. */
#define BRANT__VIOLATIONS 100

/*
 * Compile the schema that stands at `entry` of `bundle` (`bundle` is the whole document: $ref "#/$defs/.." is resolved in it, and a bare $ref
 * names an entry of the enclosing $defs). The bundle need not outlive the call. On failure VALIDATION, with {"violations": [{instance, schema, keyword, message}]} where
 * `instance` is the JSON pointer of the fault within the bundle. An assertion keyword that is not supported is a fault, never ignored;
 * annotations and unknown x-* names are ignored. "x-encrypted": true is none of these: see brant__encrypted.
 */
brant_status brant__schema_compile(brant__schema **out_schema, yyjson_val *bundle,
                                   yyjson_val *entry, brant__text entry_pointer);
void brant__schema_free(brant__schema *schema);

/* The same, with flags. BRANT__FORMAT_ANNOTATES: `format` asserts nothing. BRANT__FORMAT_ASSERTS: it does, whatever a module says. */
enum { BRANT__FORMAT_ANNOTATES = 1, BRANT__FORMAT_ASSERTS = 2 };
brant_status brant__schema_compile_as(brant__schema **out_schema, yyjson_val *bundle,
                                      yyjson_val *entry, brant__text entry_pointer, unsigned flags);

/* True when the schema accepts the value. The fast path: stops at the first violation and allocates nothing. */
bool brant__schema_accepts(const brant__schema *schema, yyjson_val *value);

/*
 * Append the violations to `out`, a writer that stands inside an array: {instance, schema, keyword, message} each. Returns how many there are (0: valid);
 * at most BRANT__VIOLATIONS are written. `prefix` is put before every instance pointer.
 */
size_t brant__schema_violations(const brant__schema *schema, yyjson_val *value, brant__text prefix,
                                brant__writer *out);

/*
 * The first of the violations of such an array, for those who read only the message: "/a/b: text", or "text" at the root; cut at
 * BRANT__VIOLATION_TEXT. `array` is the whole JSON array.
 */
#define BRANT__VIOLATION_TEXT 200
void brant__violation_first(char out[BRANT__VIOLATION_TEXT], brant__text array);

/* A token of a JSON pointer, "~" and "/" escaped, without the slash before it. */
void brant__pointer_append(brant__buffer *out, brant__text token);

/* ---- modules (module.c) ---------------------------------------------------------------------------------------------- */

enum { BRANT__DIRECTED, BRANT__UNDIRECTED, BRANT__MIXED };

typedef struct brant__module_config {
    int direction;
    bool multi;
    bool allow_self_loops;
    bool acyclic;
    int64_t max_nodes; /* -1: no limit */
    int64_t max_edges;
} brant__module_config;

/* An attribute whose values are encrypted ("x-encrypted": true). */
typedef struct brant__encrypted {
    brant__text pointer;   /* from the attributes on: "/db/password" */
    brant__text *segments; /* the same, not escaped */
    size_t segment_count;  /* at least 1 */
    uint32_t block;        /* of the type's schema: the one that says so */
} brant__encrypted;

typedef struct brant__node_type {
    brant__text name; /* "Package" of PackageNode */
    brant__schema *schema;
    brant__encrypted *encrypted; /* sorted by pointer; none is within another */
    size_t encrypted_count;
} brant__node_type;

typedef struct brant__edge_type {
    brant__text name;
    brant__schema *schema;
    /* Allowed ends as indexes of node types; count SIZE_MAX: any. */
    size_t *sources;
    size_t source_count;
    size_t *targets;
    size_t target_count;
    int64_t max_out; /* -1: no limit */
    int64_t max_in;
    brant__encrypted *encrypted; /* as a node type's */
    size_t encrypted_count;
} brant__edge_type;

/* Owned as a whole; the arrays are in the module's order of entries. */
typedef struct brant__module {
    brant__text id; /* $id, or empty */
    brant__module_config config;
    brant__node_type *node_types;
    size_t node_type_count;
    brant__edge_type *edge_types;
    size_t edge_type_count;
    bool typed; /* false: any attributes, no types */
    brant__arena arena;
} brant__module;

/*
 * Read a module. Faults are VALIDATION with violations as above. Config entries: an object schema whose properties are `const`
 * (directed: "directed" | "undirected" | "mixed"; multi, allow_self_loops, acyclic: bool; max_nodes, max_edges: integer) or have a `default`; a plain object
 * of the same members with literal values is accepted too. Defaults: directed, multi false, allow_self_loops true, acyclic false, no limits. Unknown members are faults.
 * Member "x-formats" of the module: "assert" (default) | "annotate", whether `format` asserts; a flag of brant__module_parse_as wins.
 * <Name>EdgeConstraints: object schema (or plain object) with `source`, `target`: const, enum, or anyOf of consts, of node type names; `max_out`, `max_in`.
 */
brant_status brant__module_parse(brant__module **out_module, yyjson_val *module);
brant_status brant__module_parse_as(brant__module **out_module, yyjson_val *module, unsigned flags);
void brant__module_free(brant__module *module);

/* Does any of its types encrypt an attribute? (encrypted.c) */
bool brant__module_encrypts(const brant__module *module);

/* What an entry is by its name, and the name of the type that it is of. BaseNode and BaseEdge are helpers. */
enum {
    BRANT__ENTRY_HELPER,
    BRANT__ENTRY_CONFIG,
    BRANT__ENTRY_NODE,
    BRANT__ENTRY_EDGE,
    BRANT__ENTRY_CONSTRAINTS
};
int brant__entry_kind(brant__text entry, brant__text *out_name);

/* ---- what a module says (module_read.c) ------------------------------------------------------ */

#define BRANT__NO_TYPE UINT32_MAX

/* Indexes of types by name; BRANT__NO_TYPE where there is none. */
uint32_t brant__module_node(const brant__module *module, brant__text name);
uint32_t brant__module_edge(const brant__module *module, brant__text name);

/* The config as JSON. */
void brant__write_config(brant__writer *out, const brant__module_config *config);
/* Names of node types by index as JSON; any: null. */
void brant__write_ends(brant__writer *out, const brant__module *module, const size_t *ends,
                       size_t count);
/* A member that is an integer, or null where there is no limit. */
void brant__write_limit(brant__writer *out, const char *name, int64_t value);

#endif
