/*
 * go.i: Go's typemaps. Text comes in without a copy, handles are addresses, an answer goes into a Result, and a status that is not
 * BRANT_OK becomes an error. What the typemaps call is in bindings/go/internal/cbrant: crossing.h in C, crossing.go in Go.
 */

%{
#include "crossing.h"
%}

/* Constants are written by hand in the layer above: SWIG's would each be a native call when the program starts. */
%rename("$ignore", %$isenumitem) "";

/* ---- statuses --------------------------------------------------------------------------------------------------- */

/* The record is copied inside the failing call: a goroutine's next call may be on another thread. */
%typemap(gotype) brant_status "error"
%typemap(imtype) brant_status "uint64"
%typemap(out) brant_status "$result = brant_go_failure($1);"
%typemap(goout) brant_status "$result = failure($1)"

/* Where a status is an input it is a number. */
%apply int { brant_status status };

/* Static text: Go's string is on C's bytes. */
%typemap(out) const char * {
    $result.p = (char *)$1;
    $result.n = (intgo)strlen($1);
}
%typemap(goout) const char * "$result = $1"

/* ---- text and numbers in ------------------------------------------------------------------------------------------ */

/* Go's own bytes, for as long as the call runs. An empty string may have none. */
%typemap(gotype) (const char *json, size_t json_len) "string"
%typemap(in) (const char *json, size_t json_len) {
    $1 = $input.n > 0 ? $input.p : (char *)"";
    $2 = (size_t)$input.n;
}
%typemap(freearg) (const char *json, size_t json_len) ""
%apply (const char *json, size_t json_len) {
    (const char *path, size_t path_len), (const char *name, size_t name_len),
    (const char *org_id, size_t org_id_len), (const char *token, size_t token_len),
    (const char *request, size_t request_len)
};

%apply long long { int64_t };

/* ---- handles in ----------------------------------------------------------------------------------------------------- */

/* The types of crossing.go keep them alive and free them. */
%typemap(gotype) brant_db *, brant_hub *, brant_cursor *, brant_validator * "uintptr"
%typemap(in) brant_db *, brant_hub *, brant_cursor *, brant_validator * {
    $1 = ($1_ltype)$input;
}

/* ---- outputs ---------------------------------------------------------------------------------------------------------- */

/* A small answer is copied into the Result in this call, a large one is lent until the Result is reset. */
%typemap(gotype) (char **out_json, size_t *out_json_len) "*Result"
%typemap(in) (char **out_json, size_t *out_json_len) (char *text = NULL, size_t length = 0) {
    $1 = &text;
    $2 = &length;
}
%typemap(argout) (char **out_json, size_t *out_json_len) {
    brant_go_answer_set((brant_go_answer *)$input, text$argnum, length$argnum);
}

%apply (char **out_json, size_t *out_json_len) { (char **out_answer, size_t *out_answer_len) };

%typemap(gotype) brant_db **out_db, brant_db **out_session, brant_hub **out_hub, brant_cursor **out_cursor, brant_validator **out_validator "*uintptr"
%typemap(gotype) int *out_fd, int *out_accepted "*int32"
%typemap(gotype) int64_t *out_ms "*int64"
%typemap(in) brant_db **out_db, brant_db **out_session, brant_hub **out_hub, brant_cursor **out_cursor, brant_validator **out_validator, int *out_fd, int *out_accepted, int64_t *out_ms {
    $1 = ($1_ltype)$input;
}
