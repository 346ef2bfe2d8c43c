/*
 * identity/input.h: what the operations on accounts, organisations and members have in common.
 */
#ifndef BRANT__IDENTITY_INPUT_H
#define BRANT__IDENTITY_INPUT_H

#include "identity/actor.h"
#include "identity/table.h"

#define BRANT__METADATA_MOST 65536 /* bytes of compact JSON */

/* MISUSE in the file of a tenant, which has no accounts. */
brant_status brant__identity_here(const brant_db *db);

/* The member `id`, a lower-case UUID, or a new UUIDv7; in the arena. INVALID: another text. */
brant_status brant__input_id(brant__text *out, brant__call *call);
/* The member `name` as it is; {NULL, 0}: none, or null. INVALID: not 1 to 255 bytes, or with a NUL. */
brant_status brant__input_label(brant__text *out, brant__call *call);
/* The member `metadata` as compact JSON in the arena; {NULL, 0}: none. LIMIT. */
brant_status brant__input_metadata(brant__text *out, brant__call *call);

/* Names of what an update changed, and a compact JSON object of texts for audit and events. Zero-initialise; free. */
typedef struct brant__facts {
    brant__writer writer;
} brant__facts;
void brant__facts_begin(brant__facts *facts); /* {} from now on */
void brant__facts_text(brant__facts *facts, const char *name, brant__text value);
/* Member "changes": the names, ended by NULL. */
void brant__facts_changes(brant__facts *facts, const char *const *names);
/* The object; borrowed. NO_MEMORY. */
brant_status brant__facts_end(brant__text *out, brant__facts *facts);
void brant__facts_free(brant__facts *facts);

/* "<kind>:<id>" in the arena. */
brant_status brant__resource_of(brant__text *out, brant__arena *arena, const char *kind,
                                brant__text id);

/* Answer the one row that the statement yields, and reset it. *out_found false: there was none that the caller may see, and nothing was written. */
brant_status brant__answer_row(bool *out_found, brant__call *call, const brant__table *table,
                               brant__statement *statement);
/* The same of a statement with one parameter, the row's id. NOT_FOUND. */
brant_status brant__answer_row_of(brant__call *call, const brant__table *table,
                                  const brant__statements *statements, size_t index,
                                  brant__text id);
/* NOT_FOUND, saying that the table has no row of this id. */
brant_status brant__row_missing(const brant__table *table, brant__text id);

#endif
