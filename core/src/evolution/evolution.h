/*
 * evolution/evolution.h: what becomes of stored data when a module changes. Nothing here needs a database.
 *
 * - relation.c: what one compiled schema says of the values of another, by a rule for each keyword
 * - diff.c: two modules as a list of edits, each with its class and reason
 * - cast.c: attributes brought to a changed schema
 * - patch.c: RFC 6902
 * - import.c: a module closed under the entries that it takes from others
 * - widen.c: a module for those who know nothing of encrypted attributes
 * - warn.c: what works and is probably not meant
 * - modules.c: the operations
 */
#ifndef BRANT__EVOLUTION_H
#define BRANT__EVOLUTION_H

#include "schema/schema.h"

struct brant__call; /* store.h, whose names schema/program.h cannot stand beside */

/* ---- classes of change (relation.c) ------------------------------------------------------------------ */

/* What a change means for the values that were valid before, from harmless to harmful. */
typedef enum brant__class {
    BRANT__IDENTICAL, /* the same values are valid */
    BRANT__ADDITIVE,  /* all of them stay valid */
    BRANT__UPCAST,    /* casting makes them valid */
    BRANT__BREAKING
} brant__class;
extern const char *const brant__class_names[];

/* The JSON of the schema that a program was compiled from; NULL where it is true or false. */
yyjson_val *brant__schema_json(yyjson_val *document, const brant__schema *schema);

/* ---- diff (diff.c) --------------------------------------------------------------------------- */

/*
 * `edits` stands inside an array, or is NULL. Both modules are parsed from their documents, which are closed.
 */
brant_status brant__module_diff(brant__class *out_class, brant__writer *edits, yyjson_val *from,
                                const brant__module *from_module, yyjson_val *to,
                                const brant__module *to_module);

/* ---- cast (cast.c) --------------------------------------------------------------------------- */

/* `text`: the value as JSON; `edits`: RFC 6902 operations, a JSON array. Zero-initialise; casting again reuses the memory. */
typedef struct brant__cast {
    brant__buffer text;
    brant__buffer edits;
    brant__json json; /* the value, parsed */
    bool changed;
    bool valid;
} brant__cast;
/* LIMIT: the schema asks for more steps than are allowed. */
brant_status brant__cast_value(brant__cast *out, const brant__schema *schema, yyjson_val *document,
                               yyjson_val *value);
void brant__cast_free(brant__cast *cast);

/* ---- patch (patch.c) ------------------------------------------------------------------------- */

/* Whether the array's operations are well formed, whatever the document. INVALID, with {"index", "pointer"}. */
brant_status brant__patch_check(yyjson_val *patch);
/* The patched document as JSON text. CONFLICT: a test fails; INVALID, with {"index", "pointer"}; LIMIT. */
brant_status brant__patch_apply(brant__buffer *out, yyjson_val *document, yyjson_val *patch,
                                size_t limit);

/* ---- imports (import.c) ---------------------------------------------------------------------- */

/* Gives the closed module of a name, borrowed until the import ends; NULL where there is none. */
typedef struct brant__import_source {
    brant_status (*find)(yyjson_val **out_module, void *context, brant__text name);
    void *context;
} brant__import_source;
/* Nothing is appended where the module imports nothing. */
brant_status brant__module_close(brant__buffer *out, yyjson_val *module,
                                 const brant__import_source *source);
/* A source that knows the built-in modules alone. Zero-initialise the parsed ones, free. */
typedef struct brant__builtins {
    brant__json parsed[8];
} brant__builtins;
brant_status brant__builtins_find(yyjson_val **out_module, void *context, brant__text name);
void brant__builtins_free(brant__builtins *builtins);

/* ---- encrypted attributes (widen.c) ---------------------------------------------------------- */

/*
 * The document that the module was parsed from, with what stands for a value (an envelope, {"$redacted": true}) valid at each encrypted attribute also for
 * validators that do not know x-encrypted. `out` is empty where the module encrypts nothing.
 */
brant_status brant__module_widen(brant__buffer *out, yyjson_val *document,
                                 const brant__module *module);

/* ---- warnings (warn.c) ----------------------------------------------------------------------- */

/* Append {pointer, message} to `out`, which stands inside an array. */
brant_status brant__module_warnings(brant__writer *out, yyjson_val *document,
                                    const brant__module *module);

/* ---- operations (modules.c) ------------------------------------------------------------------ */

brant_status brant__module_cast(struct brant__call *call);
brant_status brant__modules_diff(struct brant__call *call);
brant_status brant__module_patch(struct brant__call *call);
brant_status brant__module_types(struct brant__call *call);
brant_status brant__module_validate_edge(struct brant__call *call);
brant_status brant__module_validate_node(struct brant__call *call);

/* {valid, violations} for attributes of a type of a module. `what` names the module in messages. */
typedef struct brant__validation_request {
    const brant__module *module;
    const char *what;
    bool edge;
    yyjson_val *type;
    yyjson_val *attributes;
    yyjson_val *source_type;
    yyjson_val *target_type;
} brant__validation_request;
brant_status brant__module_validate(struct brant__call *call,
                                    const brant__validation_request *request);

#endif
