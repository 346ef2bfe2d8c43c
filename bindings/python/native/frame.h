/*
 * frame.h: requests of brant_sql_run made of Python's values, and its answers as Python's values. Included by native.h; limited API of Python 3.10.
 *
 * A value is None, an int of 64 bits, a float that is not NaN, a str, or bytes of any kind; for any other `adapt` is called, and what it returns is packed instead. It may run whatever it
 * likes: what is packed is held by tuples of our own meanwhile.
 */
#ifndef BRANT_PYTHON_FRAME_H
#define BRANT_PYTHON_FRAME_H

#include <Python.h>
#include <math.h>
#include <stdint.h>
#include <string.h>

#include "brant.h"

enum { BRANT_PYTHON_INTEGER = 1, BRANT_PYTHON_FLOAT, BRANT_PYTHON_TEXT, BRANT_PYTHON_BLOB, BRANT_PYTHON_NULL };

static int brant_python_text(char **out, size_t *out_len, PyObject **held, PyObject *object, const char *parameter, brant_status refusal);

/* ---- requests ------------------------------------------------------------------------------------------------------ */

typedef struct brant_python_frame {
    char *data;
    size_t length, capacity;
} brant_python_frame;

/* Room for so many bytes more, which count at once; NULL: MemoryError is raised. */
static char *brant_python_room(brant_python_frame *frame, size_t extra) {
    if (frame->capacity - frame->length < extra) {
        size_t capacity = frame->capacity ? frame->capacity * 2 : 512;
        if (capacity - frame->length < extra) capacity = frame->length + extra;
        char *data = capacity < frame->length || extra > PY_SSIZE_T_MAX / 2 ? NULL : PyMem_Realloc(frame->data, capacity);
        if (!data) {
            PyErr_NoMemory();
            return NULL;
        }
        frame->data = data;
        frame->capacity = capacity;
    }
    char *at = frame->data + frame->length;
    frame->length += extra;
    return at;
}

static void brant_python_store(char *to, uint64_t number, unsigned bytes) {
    for (unsigned i = 0; i < bytes; i++)
        to[i] = (char)(number >> 8 * i & 255u);
}

static int brant_python_pack_number(brant_python_frame *frame, uint64_t number, unsigned bytes) {
    char *at = brant_python_room(frame, bytes);
    if (!at) return 0;
    brant_python_store(at, number, bytes);
    return 1;
}

static int brant_python_pack_typed(brant_python_frame *frame, int type, uint64_t bits) {
    char *at = brant_python_room(frame, 9);
    if (!at) return 0;
    *at = (char)type;
    brant_python_store(at + 1, bits, 8);
    return 1;
}

/* Length and bytes, with the type of a value before them unless it is 0. */
static int brant_python_pack_bytes(brant_python_frame *frame, int type, const char *bytes, size_t length) {
    if (length > UINT32_MAX) {
        PyErr_SetString(PyExc_OverflowError, "a value has 4 GiB or more");
        return 0;
    }
    char *at = brant_python_room(frame, length + 4 + (type != 0));
    if (!at) return 0;
    if (type != 0) *at++ = (char)type;
    brant_python_store(at, length, 4);
    if (length > 0) memcpy(at + 4, bytes, length);
    return 1;
}

static int brant_python_pack_text(brant_python_frame *frame, int type, PyObject *text) {
    char *bytes = NULL;
    size_t length = 0;
    PyObject *held = NULL; /* a str holds its UTF-8 itself */
    return brant_python_text(&bytes, &length, &held, text, "text", BRANT_INVALID_JSON) && brant_python_pack_bytes(frame, type, bytes, length);
}

/* -1: it is not of the types that are stored. */
static int brant_python_pack_stored(brant_python_frame *frame, PyObject *value) {
    if (value == Py_None) {
        char *at = brant_python_room(frame, 1);
        if (!at) return 0;
        *at = BRANT_PYTHON_NULL;
        return 1;
    }
    if (PyUnicode_Check(value)) return brant_python_pack_text(frame, BRANT_PYTHON_TEXT, value);
    if (PyLong_Check(value)) {
        int overflow = 0;
        const long long number = PyLong_AsLongLongAndOverflow(value, &overflow);
        if (overflow) return -1;
        if (number == -1 && PyErr_Occurred()) return 0;
        return brant_python_pack_typed(frame, BRANT_PYTHON_INTEGER, (uint64_t)number);
    }
    if (PyFloat_Check(value)) {
        const double number = PyFloat_AsDouble(value);
        uint64_t bits;
        if (isnan(number)) return -1;
        memcpy(&bits, &number, sizeof bits);
        return brant_python_pack_typed(frame, BRANT_PYTHON_FLOAT, bits);
    }
    if (PyBytes_Check(value)) {
        char *bytes = NULL;
        Py_ssize_t length = 0;
        return PyBytes_AsStringAndSize(value, &bytes, &length) == 0 && brant_python_pack_bytes(frame, BRANT_PYTHON_BLOB, bytes, (size_t)length);
    }
    if (PyByteArray_Check(value)) return brant_python_pack_bytes(frame, BRANT_PYTHON_BLOB, PyByteArray_AsString(value), (size_t)PyByteArray_Size(value));
    if (PyMemoryView_Check(value)) {
        PyObject *bytes = PyBytes_FromObject(value);
        const int packed = bytes ? brant_python_pack_stored(frame, bytes) : 0;
        Py_XDECREF(bytes);
        return packed;
    }
    return -1;
}

static int brant_python_pack_value(brant_python_frame *frame, PyObject *value, PyObject *adapt) {
    int packed = brant_python_pack_stored(frame, value);
    if (packed >= 0) return packed;
    PyObject *other = PyObject_CallFunctionObjArgs(adapt, value, NULL);
    if (!other) return 0;
    packed = brant_python_pack_stored(frame, other);
    Py_DECREF(other);
    if (packed < 0) PyErr_SetString(PyExc_TypeError, "a parameter was made a value that cannot be stored");
    return packed > 0;
}

/* The values of one run: a dict's by name, any other iterable's by position. */
static int brant_python_pack_run(brant_python_frame *frame, PyObject *values, PyObject *adapt) {
    const int named = PyDict_Check(values);
    PyObject *items = named ? PyDict_Items(values) : NULL, *row = NULL;
    int done = 0;
    if (named && !items) return 0;
    row = PySequence_Tuple(named ? items : values);
    if (!row) goto cleanup;
    const Py_ssize_t count = PyTuple_Size(row);
    if (!brant_python_pack_number(frame, (uint64_t)count, 4) || !brant_python_pack_number(frame, (uint64_t)named, 4)) goto cleanup;
    for (Py_ssize_t i = 0; i < count; i++) {
        PyObject *value = PyTuple_GetItem(row, i);
        if (named) {
            PyObject *name = PyTuple_GetItem(value, 0);
            if (!PyUnicode_Check(name)) {
                PyErr_SetString(PyExc_TypeError, "names of parameters are str");
                goto cleanup;
            }
            if (!brant_python_pack_text(frame, 0, name)) goto cleanup;
            value = PyTuple_GetItem(value, 1);
        }
        if (!brant_python_pack_value(frame, value, adapt)) goto cleanup;
    }
    done = 1;
cleanup:
    Py_XDECREF(row);
    Py_XDECREF(items);
    return done;
}

static int brant_python_pack_head(brant_python_frame *frame, PyObject *sql, uint64_t flags, uint64_t limit) {
    if (!PyUnicode_Check(sql)) {
        PyErr_SetString(PyExc_TypeError, "the SQL text must be str");
        return 0;
    }
    return brant_python_pack_number(frame, flags, 4) && brant_python_pack_number(frame, limit, 4) && brant_python_pack_text(frame, 0, sql);
}

/*
 * What Python gives as a request: (sql, values, flags, limit, adapt), or (cursor, flags, limit), or the bytes of one that brant_python_pack made, which
 * its arguments keep.
 */
static int brant_python_request(char **out, size_t *out_len, brant_python_frame *frame, PyObject *request) {
    if (PyBytes_Check(request)) {
        Py_ssize_t length = 0;
        if (PyBytes_AsStringAndSize(request, out, &length) != 0) return 0;
        *out_len = (size_t)length;
        return 1;
    }
    const Py_ssize_t members = PyTuple_Check(request) ? PyTuple_Size(request) : 0;
    if (members != 5 && members != 3) {
        PyErr_SetString(PyExc_TypeError, "a request is a tuple of 5 or 3, or bytes");
        return 0;
    }
    const unsigned long flags = PyLong_AsUnsignedLong(PyTuple_GetItem(request, members == 5 ? 2 : 1));
    if (flags == (unsigned long)-1 && PyErr_Occurred()) return 0;
    const unsigned long limit = PyLong_AsUnsignedLong(PyTuple_GetItem(request, members == 5 ? 3 : 2));
    if (limit == (unsigned long)-1 && PyErr_Occurred()) return 0;
    if (members == 5) {
        if (!brant_python_pack_head(frame, PyTuple_GetItem(request, 0), flags, limit) || !brant_python_pack_number(frame, 1, 4) ||
            !brant_python_pack_run(frame, PyTuple_GetItem(request, 1), PyTuple_GetItem(request, 4)))
            return 0;
    } else {
        const long long cursor = PyLong_AsLongLong(PyTuple_GetItem(request, 0));
        if (cursor == -1 && PyErr_Occurred()) return 0;
        if (!brant_python_pack_number(frame, flags | BRANT_SQL_CURSOR, 4) || !brant_python_pack_number(frame, limit, 4) ||
            !brant_python_pack_number(frame, (uint64_t)cursor, 8))
            return 0;
    }
    *out = frame->data;
    *out_len = frame->length;
    return 1;
}

/*
 * pack(sql, flags, runs, row, adapt, most, bytes): the request of a batch, as bytes, of the runs that the iterator `runs` gives next: `most` of them, or fewer when they have `bytes`
 * bytes; None: it gives no more. What it gives that is neither a tuple nor a list becomes one, or a dict, by `row`.
 */
static PyObject *brant_python_pack(PyObject *self, PyObject *arguments) {
    PyObject *sql = NULL, *runs = NULL, *row = NULL, *adapt = NULL, *answer = NULL;
    unsigned long flags = 0, most = 0, bytes = 0, count = 0;
    brant_python_frame frame = {0};
    (void)self;
    if (!PyArg_ParseTuple(arguments, "OkOOOkk", &sql, &flags, &runs, &row, &adapt, &most, &bytes)) return NULL;
    if (!brant_python_pack_head(&frame, sql, flags | BRANT_SQL_BATCH, 0) || !brant_python_pack_number(&frame, 0, 4)) goto cleanup;
    const size_t head = frame.length;
    while (count < most && frame.length - head < bytes) {
        PyObject *values = PyIter_Next(runs);
        if (!values) break;
        if (!PyTuple_CheckExact(values) && !PyList_CheckExact(values)) {
            PyObject *made = PyObject_CallFunctionObjArgs(row, values, NULL);
            Py_DECREF(values);
            values = made;
            if (!values) goto cleanup;
        }
        const int packed = brant_python_pack_run(&frame, values, adapt);
        Py_DECREF(values);
        if (!packed) goto cleanup;
        count++;
    }
    if (PyErr_Occurred()) goto cleanup;
    brant_python_store(frame.data + head - 4, count, 4);
    if (count == 0) {
        Py_INCREF(Py_None);
        answer = Py_None;
    } else {
        answer = PyBytes_FromStringAndSize(frame.data, (Py_ssize_t)frame.length);
    }
cleanup:
    PyMem_Free(frame.data);
    return answer;
}

/* ---- answers -------------------------------------------------------------------------------------------------------- */

static uint64_t brant_python_take(const char **at, unsigned bytes) {
    const unsigned char *from = (const unsigned char *)*at;
    uint64_t number = 0;
    for (unsigned i = 0; i < bytes; i++)
        number |= (uint64_t)from[i] << 8 * i;
    *at += bytes;
    return number;
}

static PyObject *brant_python_take_text(const char **at) {
    const size_t length = (size_t)brant_python_take(at, 4);
    PyObject *text = PyUnicode_DecodeUTF8(*at, (Py_ssize_t)length, NULL);
    *at += length;
    return text;
}

static PyObject *brant_python_take_value(const char **at) {
    const int type = *(*at)++;
    uint64_t bits;
    double number;
    size_t length;
    PyObject *value;
    switch (type) {
    case BRANT_PYTHON_INTEGER:
        return PyLong_FromLongLong((long long)brant_python_take(at, 8));
    case BRANT_PYTHON_FLOAT:
        bits = brant_python_take(at, 8);
        memcpy(&number, &bits, sizeof number);
        return PyFloat_FromDouble(number);
    case BRANT_PYTHON_TEXT:
        return brant_python_take_text(at);
    case BRANT_PYTHON_BLOB:
        length = (size_t)brant_python_take(at, 4);
        value = PyBytes_FromStringAndSize(*at, (Py_ssize_t)length);
        *at += length;
        return value;
    default:
        Py_INCREF(Py_None);
        return Py_None;
    }
}

/* A tuple of texts; of types those of expressions are None. */
static PyObject *brant_python_take_texts(const char **at, Py_ssize_t count, int types) {
    PyObject *texts = PyTuple_New(count);
    for (Py_ssize_t i = 0; texts && i < count; i++) {
        const int none = types && *(*at)++ == 0;
        PyObject *text = none ? Py_None : brant_python_take_text(at);
        if (none) Py_INCREF(text);
        if (!text || PyTuple_SetItem(texts, i, text) != 0) Py_CLEAR(texts);
    }
    return texts;
}

static PyObject *brant_python_take_row(const char **at, Py_ssize_t columns) {
    PyObject *row = PyTuple_New(columns);
    for (Py_ssize_t i = 0; row && i < columns; i++) {
        PyObject *value = brant_python_take_value(at);
        if (!value || PyTuple_SetItem(row, i, value) != 0) Py_CLEAR(row);
    }
    return row;
}

/* (columns, types or None, rows, changes, last_insert_rowid, cursor or 0): the frame is the library's own, and whole. */
static PyObject *brant_python_answer(const char *frame, const char *request) {
    const char *at = frame, *flags = request;
    const int describes = (brant_python_take(&flags, 4) & BRANT_SQL_DESCRIBE) != 0;
    const long long changes = (long long)brant_python_take(&at, 8), rowid = (long long)brant_python_take(&at, 8);
    const long long cursor = (long long)brant_python_take(&at, 8);
    at += 12; /* of scripts */
    const Py_ssize_t columns = (Py_ssize_t)brant_python_take(&at, 4), count = (Py_ssize_t)brant_python_take(&at, 8);
    PyObject *answer = NULL, *rows = NULL, *types = NULL, *names = brant_python_take_texts(&at, columns, 0);
    PyObject *const counts[] = {PyLong_FromLongLong(changes), PyLong_FromLongLong(rowid), PyLong_FromLongLong(cursor)};
    if (!names || !counts[0] || !counts[1] || !counts[2]) goto cleanup;
    if (describes) {
        types = brant_python_take_texts(&at, columns, 1);
        if (!types) goto cleanup;
    } else {
        Py_INCREF(Py_None);
        types = Py_None;
    }
    rows = PyList_New(count);
    for (Py_ssize_t i = 0; rows && i < count; i++) {
        PyObject *row = brant_python_take_row(&at, columns);
        if (!row || PyList_SetItem(rows, i, row) != 0) Py_CLEAR(rows);
    }
    if (rows) answer = PyTuple_Pack(6, names, types, rows, counts[0], counts[1], counts[2]);
cleanup:
    for (int i = 0; i < 3; i++)
        Py_XDECREF(counts[i]);
    Py_XDECREF(names);
    Py_XDECREF(types);
    Py_XDECREF(rows);
    return answer;
}

#endif
