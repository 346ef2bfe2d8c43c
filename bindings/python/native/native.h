/*
 * native.h: what the typemaps of swig/python.i call. Included once, by the generated wrapper; limited API of Python 3.10.
 *
 * There is no state: the exception classes are looked up in brant.errors when a call fails, so that every interpreter of the process
 * raises its own.
 */
#ifndef BRANT_PYTHON_NATIVE_H
#define BRANT_PYTHON_NATIVE_H

#include <Python.h>

#include "brant.h"
#include "frame.h"

#define BRANT_PYTHON_DB "brant_db"
#define BRANT_PYTHON_HUB "brant_hub"
#define BRANT_PYTHON_CURSOR "brant_cursor"
#define BRANT_PYTHON_VALIDATOR "brant_validator"

/* brant.errors.raised(status, name, message, detail) makes the exception. */
static void brant_python_raise_as(int status, const char *name, const char *message, size_t message_len, const char *detail,
                                  size_t detail_len) {
    /* First of all the texts: what follows may run code, and any call of brant replaces the record. */
    PyObject *number = PyLong_FromLong(status), *code = PyUnicode_FromString(name), *module = NULL, *make = NULL, *error = NULL;
    PyObject *text = PyUnicode_DecodeUTF8(message, (Py_ssize_t)message_len, "replace");
    PyObject *more = PyUnicode_DecodeUTF8(detail, (Py_ssize_t)detail_len, "replace");
    if (!number || !code || !text || !more) goto cleanup;
    module = PyImport_ImportModule("brant.errors");
    if (!module) goto cleanup;
    make = PyObject_GetAttrString(module, "raised");
    if (!make) goto cleanup;
    error = PyObject_CallFunctionObjArgs(make, number, code, text, more, NULL);
    if (error) PyErr_SetObject((PyObject *)Py_TYPE(error), error);
cleanup:
    Py_XDECREF(error);
    Py_XDECREF(make);
    Py_XDECREF(module);
    Py_XDECREF(more);
    Py_XDECREF(text);
    Py_XDECREF(code);
    Py_XDECREF(number);
}

/* Raise what the call that just failed on this thread recorded. */
static void brant_python_raise(void) {
    const brant_error *error = brant_last_error();
    brant_python_raise_as(error->code, error->name, error->message, error->message_len, error->detail, error->detail_len);
}

/*
 * The UTF-8 of a str (kept by the object, which the caller's arguments keep) or the content of bytes or of a bytearray, which the package has
 * for keys, since it can be wiped; read only, though SWIG's locals are not const. `held` is what keeps a bytearray from being resized, and is to be
 * released after the call; nobody may write into it meanwhile. `refusal` is the code for a str that has no UTF-8.
 */
static int brant_python_text(char **out, size_t *out_len, PyObject **held, PyObject *object, const char *parameter,
                             brant_status refusal) {
    Py_ssize_t length = 0;
    if (PyUnicode_Check(object)) {
        *out = (char *)PyUnicode_AsUTF8AndSize(object, &length);
        if (!*out && PyErr_ExceptionMatches(PyExc_UnicodeEncodeError)) {
            static const char message[] = "the text holds a lone surrogate, which UTF-8 cannot";
            PyErr_Clear();
            brant_python_raise_as(refusal, brant_status_name(refusal), message, sizeof message - 1, "{}", 2);
        }
        if (!*out) return 0;
    } else if (PyBytes_Check(object)) {
        if (PyBytes_AsStringAndSize(object, out, &length) != 0) return 0;
    } else if (PyByteArray_Check(object)) {
        *held = PyMemoryView_FromObject(object);
        if (!*held) return 0;
        *out = PyByteArray_AsString(object);
        length = PyByteArray_Size(object);
    } else {
        PyErr_Format(PyExc_TypeError, "%s must be str or bytes", parameter);
        return 0;
    }
    *out_len = (size_t)length;
    return 1;
}

/* None is NULL, which the library answers. */
static int brant_python_handle(void **out, PyObject *object, const char *kind) {
    if (object == Py_None) {
        *out = NULL;
        return 1;
    }
    *out = PyCapsule_GetPointer(object, kind);
    return *out != NULL;
}

static int brant_python_integer(int64_t *out, PyObject *object) {
    const long long value = PyLong_AsLongLong(object);
    if (value == -1 && PyErr_Occurred()) return 0;
    *out = value;
    return 1;
}

/* ---- handles out: the capsule owns them; freeing may write, so others may run meanwhile ------------------------------- */

static void brant_python_db_free(PyObject *capsule) {
    brant_db *db = PyCapsule_GetPointer(capsule, BRANT_PYTHON_DB);
    Py_BEGIN_ALLOW_THREADS
    brant_db_free(db);
    Py_END_ALLOW_THREADS
}

static PyObject *brant_python_db(brant_db *db) {
    PyObject *capsule = PyCapsule_New(db, BRANT_PYTHON_DB, brant_python_db_free);
    if (!capsule) brant_db_free(db);
    return capsule;
}

static void brant_python_hub_free(PyObject *capsule) {
    brant_hub *hub = PyCapsule_GetPointer(capsule, BRANT_PYTHON_HUB);
    Py_BEGIN_ALLOW_THREADS
    brant_hub_free(hub);
    Py_END_ALLOW_THREADS
}

static PyObject *brant_python_hub(brant_hub *hub) {
    PyObject *capsule = PyCapsule_New(hub, BRANT_PYTHON_HUB, brant_python_hub_free);
    if (!capsule) brant_hub_free(hub);
    return capsule;
}

static void brant_python_system_free(PyObject *capsule) {
    Py_DECREF((PyObject *)PyCapsule_GetContext(capsule));
}

/* A handle that is the hub's: it is not freed, and keeps the hub's capsule. */
static PyObject *brant_python_system(brant_db *db, PyObject *hub) {
    PyObject *capsule = PyCapsule_New(db, BRANT_PYTHON_DB, NULL);
    if (!capsule) return NULL;
    Py_INCREF(hub);
    PyCapsule_SetContext(capsule, hub);
    PyCapsule_SetDestructor(capsule, brant_python_system_free);
    return capsule;
}

/* (handle, text) */
static PyObject *brant_python_session(brant_db *session, const char *text, size_t length) {
    PyObject *handle = brant_python_db(session), *answer = PyUnicode_DecodeUTF8(text, (Py_ssize_t)length, NULL);
    PyObject *both = handle && answer ? PyTuple_Pack(2, handle, answer) : NULL;
    Py_XDECREF(handle);
    Py_XDECREF(answer);
    return both;
}

static void brant_python_cursor_free(PyObject *capsule) {
    brant_cursor *cursor = PyCapsule_GetPointer(capsule, BRANT_PYTHON_CURSOR);
    Py_BEGIN_ALLOW_THREADS
    brant_cursor_free(cursor);
    Py_END_ALLOW_THREADS
}

static PyObject *brant_python_cursor(brant_cursor *cursor) {
    PyObject *capsule = PyCapsule_New(cursor, BRANT_PYTHON_CURSOR, brant_python_cursor_free);
    if (!capsule) brant_cursor_free(cursor);
    return capsule;
}

static void brant_python_validator_free(PyObject *capsule) {
    brant_validator_free(PyCapsule_GetPointer(capsule, BRANT_PYTHON_VALIDATOR));
}

static PyObject *brant_python_validator(brant_validator *validator) {
    PyObject *capsule = PyCapsule_New(validator, BRANT_PYTHON_VALIDATOR, brant_python_validator_free);
    if (!capsule) brant_validator_free(validator);
    return capsule;
}

#endif
