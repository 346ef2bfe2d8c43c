/*
 * brant/validator.h: a compiled JSON Schema that judges documents without a database.
 *
 * JSON Schema draft 2020-12; draft-07 where the schema's $schema says so. What is not in the document is never fetched. A validator is immutable: any number of
 * threads may use one at the same time.
 */
#ifndef BRANT_VALIDATOR_H
#define BRANT_VALIDATOR_H

#include "base.h"

#ifdef __cplusplus
extern "C" {
#endif

typedef struct brant_validator brant_validator;

/*
 * Compile {"schema": schema (object or boolean)}, or {"module": {..}, "node_type": name} or {"module": {..}, "edge_type": name} for the attributes of a type of a module
 * (graph.h says what a module is). "formats"?: "assert" (default; a module may say otherwise) | "annotate": `format`
 * asserts, or asserts nothing.
 * "x-encrypted": true (graph.h) is known in both; by itself a schema may have it anywhere. At such a place an object with a member "$enc" or "$redacted" is accepted, whatever
 * else the schema says there. Any other value is judged, and of one that is not accepted the report has one violation, whose pointer ends at the encrypted value: neither
 * the value nor a name in it is shown, whichever schema of the document refuses it.
 * VALIDATION: the schema or module cannot work; the detail's violations have the JSON pointer. INVALID: the members are not these, or the module has no such type.
 */
BRANT_API brant_status brant_validator_open(brant_validator **out_validator, const char *json,
                                            size_t json_len);

/*
 * Is this JSON text a document that the schema accepts? *out_accepted is 1 or 0. The fast way: stops at the first violation.
 * INVALID_JSON and LIMIT (deeper than 512) as in brant_json_compact: the text is no document.
 */
BRANT_API brant_status brant_validator_accepts(int *out_accepted, brant_validator *validator,
                                               const char *json, size_t json_len);

/*
 * All that is wrong with it: {"valid": bool, "violations": [{instance, schema, keyword, message}..]}, at most 100, as graph_types.validate_node.
 * Messages never show values; pointers show the names of members.
 * INVALID_JSON and LIMIT as above.
 */
BRANT_API brant_status brant_validator_report(char **out_json, size_t *out_json_len,
                                              brant_validator *validator, const char *json,
                                              size_t json_len);

/* Free it, when no thread uses it any more. NULL is fine. */
BRANT_API void brant_validator_free(brant_validator *validator);

#ifdef __cplusplus
}
#endif
#endif
