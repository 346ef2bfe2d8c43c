/*
 * schema/uri.c: as much of RFC 3986 as $id and $ref need: resolving a reference against a base, and percent escapes.
 */
#include "schema/compile.h"

typedef struct parts {
    brant__text scheme, authority, path, query;
    bool has_scheme, has_authority, has_query;
} parts;

static bool scheme_character(char c, bool first) {
    const bool letter = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
    return letter || (!first && ((c >= '0' && c <= '9') || c == '+' || c == '-' || c == '.'));
}

/* Split a reference without fragment. */
static parts split(brant__text uri) {
    parts result = {0};
    size_t at = 0;
    if (uri.length == 0) return result;
    while (at < uri.length && scheme_character(uri.data[at], at == 0))
        at++;
    if (at > 0 && at < uri.length && uri.data[at] == ':') {
        result.has_scheme = true;
        result.scheme = brant__text_of(uri.data, at);
        at++;
    } else {
        at = 0;
    }
    if (uri.length - at >= 2 && uri.data[at] == '/' && uri.data[at + 1] == '/') {
        const size_t from = at + 2;
        at = from;
        while (at < uri.length && uri.data[at] != '/' && uri.data[at] != '?')
            at++;
        result.has_authority = true;
        result.authority = brant__text_of(uri.data + from, at - from);
    }
    const size_t from = at;
    while (at < uri.length && uri.data[at] != '?')
        at++;
    result.path = brant__text_of(uri.data + from, at - from);
    if (at < uri.length) {
        result.has_query = true;
        result.query = brant__text_of(uri.data + at + 1, uri.length - at - 1);
    }
    return result;
}

/* Section 5.2.4, on what stands in the buffer from `start` on. */
static void remove_dots(brant__buffer *out, size_t start) {
    if (out->failed || out->length == start) return;
    char *path = out->data + start;
    const size_t length = out->length - start;
    size_t to = 0, at = 0;
    const bool absolute = path[0] == '/';
    while (at < length) {
        size_t end = at;
        if (path[end] == '/') end++;
        const size_t name = end;
        while (end < length && path[end] != '/')
            end++;
        const size_t size = end - name;
        const bool last = end == length;
        if (size == 1 && path[name] == '.') {
            if (last && (to > 0 || absolute)) path[to++] = '/';
        } else if (size == 2 && path[name] == '.' && path[name + 1] == '.') {
            while (to > 0 && path[to - 1] != '/')
                to--;
            if (to > 0) to--;
            if (last && (to > 0 || absolute)) path[to++] = '/';
        } else {
            memmove(path + to, path + at, end - at);
            to += end - at;
        }
        at = end;
    }
    out->length = start + to;
}

static void append_part(brant__buffer *out, const char *before, brant__text part,
                        const char *after) {
    brant__buffer_append(out, before, strlen(before));
    brant__buffer_append(out, part.data, part.length);
    brant__buffer_append(out, after, strlen(after));
}

void brant__uri_resolve(brant__buffer *out, brant__text base_uri, brant__text reference_uri) {
    const parts base = split(base_uri);
    const parts reference = split(reference_uri);
    if (reference.has_scheme || !(base.has_scheme || base.has_authority || base.path.length > 0)) {
        brant__buffer_append(out, reference_uri.data, reference_uri.length);
        return;
    }
    if (base.has_scheme) append_part(out, "", base.scheme, ":");
    const bool own_authority = reference.has_authority;
    if (own_authority || base.has_authority)
        append_part(out, "//", own_authority ? reference.authority : base.authority, "");
    const size_t start = out->length;
    if (own_authority || (reference.path.length > 0 && reference.path.data[0] == '/')) {
        brant__buffer_append(out, reference.path.data, reference.path.length);
    } else if (reference.path.length == 0) {
        brant__buffer_append(out, base.path.data, base.path.length);
    } else {
        size_t folder = base.path.length;
        while (folder > 0 && base.path.data[folder - 1] != '/')
            folder--;
        if (folder > 0)
            brant__buffer_append(out, base.path.data, folder);
        else if (base.has_authority)
            brant__buffer_append_byte(out, '/');
        brant__buffer_append(out, reference.path.data, reference.path.length);
    }
    if (own_authority || reference.path.length > 0) remove_dots(out, start);
    if (reference.has_query)
        append_part(out, "?", reference.query, "");
    else if (!own_authority && reference.path.length == 0 && base.has_query)
        append_part(out, "?", base.query, "");
}

static int hexadecimal(char c) {
    if (c >= '0' && c <= '9') return c - '0';
    if (c >= 'a' && c <= 'f') return c - 'a' + 10;
    if (c >= 'A' && c <= 'F') return c - 'A' + 10;
    return -1;
}

bool brant__uri_decode(brant__buffer *out, brant__text text) {
    for (size_t i = 0; i < text.length; i++) {
        char c = text.data[i];
        if (c == '%') {
            const int high = i + 2 < text.length ? hexadecimal(text.data[i + 1]) : -1;
            const int low = i + 2 < text.length ? hexadecimal(text.data[i + 2]) : -1;
            if (high < 0 || low < 0) return false;
            c = (char)(high << 4 | low);
            i += 2;
        }
        brant__buffer_append_byte(out, c);
    }
    return true;
}
