/*
 * python.i: Python's typemaps. Text comes in without a copy, handles are capsules, an answer replaces the status, and a status that
 * is not BRANT_OK is raised inside the call that returned it. What the typemaps call is in bindings/python/native/native.h.
 */

%{
#include "native.h"
%}

/* ---- text in ---------------------------------------------------------------------------------------------------- */

%typemap(in) (const char *json, size_t json_len) (PyObject *held = NULL) {
    if (!brant_python_text(&$1, &$2, &held, $input, "json", BRANT_INVALID_JSON)) SWIG_fail;
}
%typemap(freearg) (const char *json, size_t json_len) {
    Py_XDECREF(held$argnum);
}
%typemap(in) (const char *path, size_t path_len) (PyObject *held = NULL) {
    if (!brant_python_text(&$1, &$2, &held, $input, "path", BRANT_INVALID)) SWIG_fail;
}
%typemap(freearg) (const char *path, size_t path_len) {
    Py_XDECREF(held$argnum);
}
%typemap(in) (const char *name, size_t name_len) (PyObject *held = NULL) {
    if (!brant_python_text(&$1, &$2, &held, $input, "name", BRANT_INVALID)) SWIG_fail;
}
%typemap(freearg) (const char *name, size_t name_len) {
    Py_XDECREF(held$argnum);
}

%typemap(in) (const char *org_id, size_t org_id_len) (PyObject *held = NULL) {
    if (!brant_python_text(&$1, &$2, &held, $input, "org_id", BRANT_INVALID)) SWIG_fail;
}
%typemap(freearg) (const char *org_id, size_t org_id_len) {
    Py_XDECREF(held$argnum);
}
%typemap(in) (const char *token, size_t token_len) (PyObject *held = NULL) {
    if (!brant_python_text(&$1, &$2, &held, $input, "token", BRANT_INVALID)) SWIG_fail;
}
%typemap(freearg) (const char *token, size_t token_len) {
    Py_XDECREF(held$argnum);
}

/* Made in the call that sends it: frame.h. */
%typemap(in) (const char *request, size_t request_len) (brant_python_frame frame = {0}) {
    if (!brant_python_request(&$1, &$2, &frame, $input)) SWIG_fail;
}
%typemap(freearg) (const char *request, size_t request_len) {
    PyMem_Free(frame$argnum.data);
}
%native(pack) PyObject *brant_python_pack(PyObject *self, PyObject *arguments);

/* ---- handles in --------------------------------------------------------------------------------------------------- */

%typemap(in) brant_db * {
    if (!brant_python_handle((void **)&$1, $input, BRANT_PYTHON_DB)) SWIG_fail;
}
%typemap(in) brant_cursor * {
    if (!brant_python_handle((void **)&$1, $input, BRANT_PYTHON_CURSOR)) SWIG_fail;
}

%typemap(in) brant_hub * {
    if (!brant_python_handle((void **)&$1, $input, BRANT_PYTHON_HUB)) SWIG_fail;
}

%typemap(in) brant_validator * {
    if (!brant_python_handle((void **)&$1, $input, BRANT_PYTHON_VALIDATOR)) SWIG_fail;
}

/* ---- numbers in --------------------------------------------------------------------------------------------------- */

%typemap(in) int64_t {
    if (!brant_python_integer(&$1, $input)) SWIG_fail;
}

/* ---- outputs ------------------------------------------------------------------------------------------------------ */

%typemap(in, numinputs=0) (char **out_json, size_t *out_json_len) (char *text = NULL, size_t length = 0) {
    $1 = &text;
    $2 = &length;
}
%typemap(argout) (char **out_json, size_t *out_json_len) {
    Py_DECREF($result);
    $result = PyUnicode_DecodeUTF8(*$1, (Py_ssize_t)*$2, NULL);
}
%typemap(freearg) (char **out_json, size_t *out_json_len) {
    brant_free(text$argnum);
}

/* Python's values. What they are is in the request, the function's fourth parameter. */
%typemap(in, numinputs=0) (char **out_answer, size_t *out_answer_len) (char *answer = NULL, size_t length = 0) {
    $1 = &answer;
    $2 = &length;
}
%typemap(argout) (char **out_answer, size_t *out_answer_len) {
    Py_DECREF($result);
    $result = brant_python_answer(*$1, arg4);
}
%typemap(freearg) (char **out_answer, size_t *out_answer_len) {
    brant_free(answer$argnum);
}

%typemap(in, numinputs=0) brant_db **out_db (brant_db *opened = NULL) {
    $1 = &opened;
}
%typemap(argout) brant_db **out_db {
    Py_DECREF($result);
    $result = brant_python_db(*$1);
}

%apply brant_db **out_db { brant_db **out_session };

/* Both outputs of brant_hub_authenticate: a tuple. */
%typemap(in, numinputs=0) (brant_db **out_session, char **out_json, size_t *out_json_len) (brant_db *opened = NULL, char *text = NULL, size_t length = 0) {
    $1 = &opened;
    $2 = &text;
    $3 = &length;
}
%typemap(argout) (brant_db **out_session, char **out_json, size_t *out_json_len) {
    Py_DECREF($result);
    $result = brant_python_session(*$1, *$2, *$3);
}
%typemap(freearg) (brant_db **out_session, char **out_json, size_t *out_json_len) {
    brant_free(text$argnum);
}

%typemap(in, numinputs=0) brant_hub **out_hub (brant_hub *opened = NULL) {
    $1 = &opened;
}
%typemap(argout) brant_hub **out_hub {
    Py_DECREF($result);
    $result = brant_python_hub(*$1);
}
/* The hub's own handle, which keeps the hub. */
%typemap(out) brant_db *brant_hub_system {
    $result = brant_python_system($1, swig_obj[0]);
}

%typemap(in, numinputs=0) brant_cursor **out_cursor (brant_cursor *opened = NULL) {
    $1 = &opened;
}
%typemap(argout) brant_cursor **out_cursor {
    Py_DECREF($result);
    $result = brant_python_cursor(*$1);
}

%typemap(in, numinputs=0) brant_validator **out_validator (brant_validator *opened = NULL) {
    $1 = &opened;
}
%typemap(argout) brant_validator **out_validator {
    Py_DECREF($result);
    $result = brant_python_validator(*$1);
}

%typemap(in, numinputs=0) int *out_accepted (int accepted = 0) {
    $1 = &accepted;
}
%typemap(argout) int *out_accepted {
    Py_DECREF($result);
    $result = PyBool_FromLong(*$1);
}

%typemap(in, numinputs=0) int *out_fd (int descriptor = -1) {
    $1 = &descriptor;
}
%typemap(argout) int *out_fd {
    Py_DECREF($result);
    $result = PyLong_FromLong(*$1);
}

%typemap(in, numinputs=0) int64_t *out_ms (int64_t span = 0) {
    $1 = &span;
}
%typemap(argout) int64_t *out_ms {
    Py_DECREF($result);
    $result = PyLong_FromLongLong(*$1);
}

/* ---- status ------------------------------------------------------------------------------------------------------- */

%typemap(out) brant_status {
    if ($1 != BRANT_OK) {
        brant_python_raise();
        SWIG_fail;
    }
    $result = SWIG_Py_Void();
}
