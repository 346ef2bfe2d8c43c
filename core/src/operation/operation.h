/*
 * operation/operation.h: the registry: specs with their compiled input schemas, made once a process and never changed.
 */
#ifndef BRANT__OPERATION_H
#define BRANT__OPERATION_H

#include "brant/operation.h"
#include "identity/scope.h"
#include "operation/table.h"
#include "schema/schema.h"
#include "store/store.h"

typedef brant_status (*brant__opener)(brant_cursor **out_cursor, brant_db *db, const char *json,
                                      size_t json_len);

typedef brant_status (*brant__cursor_opener)(brant_cursor **out_cursor, brant__call *call);

typedef struct brant__operation {
    const char *name;
    int kind;
    bool
        own_transaction; /* the call wraps it in one of its kind; of a subscription: a read transaction */
    bool pure;           /* needs no handle */
    brant__handler handler;            /* NULL for a subscription */
    brant__opener opener;              /* of a subscription */
    brant__cursor_opener begin_cursor; /* NULL where `opener` does all */
    brant__schema *input;
    char *spec; /* compact JSON, self-contained */
    size_t spec_len;
    size_t number;        /* its place in the registry */
    brant__scopes scopes; /* required_scopes; at least one */
    unsigned files; /* the input's member `path` names a file of the machine: BRANT__FILES_* */
} brant__operation;

enum { BRANT__FILES_READ = 1, BRANT__FILES_WRITE = 2 };

/* The table in order of name; borrowed, immutable. Fails for want of memory only, and may be tried again. */
brant_status brant__registry(const brant__operation **out_operations, size_t *out_count);

/* NULL where there is none. */
const brant__operation *brant__operation_find(const brant__operation *operations, size_t count,
                                              brant__text name);

/* INVALID with the violations of an input that the schema does not accept (call.c). `operation`, if not NULL, is the
 * one of the registry: where a member is unknown the message says which there are. */
brant_status brant__input_refuse(brant__text name, const brant__operation *operation,
                                 const brant__schema *schema, yyjson_val *input);

/* ---- operations of the types of a graph type (typed.c) ---------------------------------------------------------------- */

/* What runs types.<graph_type>.<Type>.<verb>, whether there is such a type or not; NULL for any other name. It looks at call->name. */
const brant__operation *brant__typed_operation(brant__text name);
/* operations.list with graph_type. */
brant_status brant__typed_list(brant__call *call);

brant_status brant__access_seed(brant__call *call); /* seed.c */
brant_status brant__db_maintain(brant__call *call); /* maintain.c */
brant_status brant__db_metrics(brant__call *call);  /* prometheus.c */

#endif
