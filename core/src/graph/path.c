/*
 * graph/path.c: names of fields in filters, orders and indexes, and the SQL that reads them.
 *
 * `attributes.a.b` and `attributes/a/b` become literal JSON paths in the SQL text, since an expression index is found by its text alone. So
 * every byte of them is validated and quoted here, and the text of one path is always the same. The kind of a value stands beside it:
 * json_extract gives 1 for true and text for an array, and a kind that is part of the index keeps them apart.
 */
#include "graph/filter.h"

#define PATH_BYTES    512
#define PATH_SEGMENTS 32
#define INDEX_DIGITS  9

static const struct {
    const char *name;
    const char *column;
    int kinds; /* bit of BRANT__NODES, BRANT__EDGES */
} fields[] = {
    [BRANT__FIELD_KEY] = {"key", "key", 3},
    [BRANT__FIELD_TYPE] = {"type", "type", 3},
    [BRANT__FIELD_REVISION] = {"revision", "revision", 3},
    [BRANT__FIELD_CREATED_AT] = {"created_at", "created_at", 3},
    [BRANT__FIELD_UPDATED_AT] = {"updated_at", "updated_at", 3},
    [BRANT__FIELD_TYPE_VERSION] = {"type_version", "type_version", 3},
    [BRANT__FIELD_SOURCE] = {"source", "source", 1 << BRANT__EDGES},
    [BRANT__FIELD_TARGET] = {"target", "target", 1 << BRANT__EDGES},
    [BRANT__FIELD_ATTRIBUTES] = {"attributes", "attributes", 3},
    [BRANT__FIELD_METADATA] = {"metadata", "metadata", 3},
};

/* ---- reading names --------------------------------------------------------------------------- */

/* Digits that can be an array's index: as JSON Pointer has them, and not too many. */
static bool is_index(brant__text segment) {
    if (segment.length == 0 || segment.length > INDEX_DIGITS) return false;
    for (size_t i = 0; i < segment.length; i++)
        if (segment.data[i] < '0' || segment.data[i] > '9') return false;
    return segment.length == 1 || segment.data[0] != '0';
}

static bool is_plain(brant__text segment) {
    for (size_t i = 0; i < segment.length; i++) {
        char c = segment.data[i];
        bool letter = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_';
        if (!letter && (i == 0 || c < '0' || c > '9')) return false;
    }
    return segment.length > 0;
}

/* One step of a JSON path inside an SQL literal. */
static void append_step(brant__buffer *out, brant__text segment, bool index) {
    if (index) {
        brant__buffer_append_byte(out, '[');
        brant__buffer_append(out, segment.data, segment.length);
        brant__buffer_append_byte(out, ']');
        return;
    }
    brant__buffer_append_byte(out, '.');
    if (is_plain(segment)) {
        brant__buffer_append(out, segment.data, segment.length);
        return;
    }
    brant__buffer_append_byte(out, '"');
    for (size_t i = 0; i < segment.length; i++) {
        char c = segment.data[i];
        if (c == '"' || c == '\\') brant__buffer_append_byte(out, '\\');
        if (c == '\'') brant__buffer_append_byte(out, '\'');
        brant__buffer_append_byte(out, c);
    }
    brant__buffer_append_byte(out, '"');
}

/* One literal for each way to read the segments of digits. */
static brant_status make_literals(brant__path *path, brant__call *call) {
    brant__buffer text = {0};
    size_t digits = 0;
    brant_status status = BRANT_OK;

    for (size_t i = 0; i < path->segment_count; i++)
        digits += is_index(path->segments[i]);
    path->literal_count = (size_t)1 << digits;
    for (size_t way = 0; way < path->literal_count; way++) {
        size_t digit = 0;
        brant__buffer_reset(&text);
        brant__buffer_append(&text, "'$", 2);
        for (size_t i = 0; i < path->segment_count; i++) {
            bool number = is_index(path->segments[i]);
            append_step(&text, path->segments[i], number && !(way >> digit & 1));
            digit += number;
        }
        brant__buffer_append_byte(&text, '\'');
        path->literals[way].length = text.length;
        path->literals[way].data =
            text.failed ? NULL : brant__arena_copy(call->arena, text.data, text.length);
        if (path->literals[way].data) continue;
        status = brant__fail_memory();
        break;
    }
    brant__buffer_free(&text);
    return status;
}

/* The next segment of a pointer or of a path with dots, unescaped into `to`. */
static const char *read_segment(brant__text *out, char *to, brant__text *rest, char separator) {
    size_t i = 0, length = 0;

    for (; i < rest->length && rest->data[i] != separator; i++) {
        char c = rest->data[i];
        if (c == 0) return "a path has no NUL";
        if (c == '~' && separator == '/') {
            char next = i + 1 < rest->length ? rest->data[i + 1] : 0;
            if (next != '0' && next != '1') return "in a JSON pointer ~ is written ~0 and / is ~1";
            c = next == '0' ? '~' : '/';
            i++;
        }
        to[length++] = c;
    }
    if (length == 0 && separator == '.')
        return "a path with dots has no empty segment; write it as a JSON pointer";
    *out = brant__text_of(to, length);
    *rest = brant__text_of(rest->data + i, rest->length - i);
    return NULL;
}

static brant_status read_segments(brant__path *path, const char **out_reason, brant__call *call,
                                  brant__text rest) {
    char separator = rest.data[0];
    size_t digits = 0;
    char *text = brant__arena_alloc(call->arena, rest.length + 1);

    path->segments = brant__arena_alloc(call->arena, PATH_SEGMENTS * sizeof(*path->segments));
    if (!text || !path->segments) return brant__fail_memory();
    while (rest.length > 0) {
        brant__text *segment = &path->segments[path->segment_count];
        if (path->segment_count == PATH_SEGMENTS) {
            *out_reason = "a path has at most 32 segments";
            return BRANT_INVALID;
        }
        rest = brant__text_of(rest.data + 1, rest.length - 1);
        *out_reason = read_segment(segment, text, &rest, separator);
        if (*out_reason) return BRANT_INVALID;
        text += segment->length;
        path->segment_count++;
        digits += is_index(*segment);
    }
    if ((size_t)1 << digits > BRANT__PATH_LITERALS) {
        *out_reason = "a path has at most 3 segments of digits";
        return BRANT_INVALID;
    }
    return make_literals(path, call);
}

brant_status brant__path_parse(brant__path *out, const char **out_reason, brant__call *call,
                               int kind, brant__text name) {
    *out = (brant__path){.name = name};
    *out_reason = NULL;
    if (name.length > PATH_BYTES) {
        *out_reason = "a path has at most 512 bytes";
        return BRANT_INVALID;
    }
    for (size_t i = 0; i < BRANT__COUNT(fields); i++) {
        size_t length = strlen(fields[i].name);
        bool deep = i == BRANT__FIELD_ATTRIBUTES || i == BRANT__FIELD_METADATA;
        if (!(fields[i].kinds >> kind & 1) || name.length < length ||
            memcmp(name.data, fields[i].name, length) != 0)
            continue;
        if (name.length == length ? deep : !deep) continue;
        if (deep && name.data[length] != '.' && name.data[length] != '/') continue;
        out->field = (int)i;
        if (!deep) return BRANT_OK;
        return read_segments(out, out_reason, call,
                             brant__text_of(name.data + length, name.length - length));
    }
    *out_reason = kind == BRANT__NODES
                      ? "is none of key, type, revision, created_at, updated_at, type_version, "
                        "attributes.<path>, metadata.<path>"
                      : "is none of key, type, source, target, revision, created_at, updated_at, "
                        "type_version, attributes.<path>, metadata.<path>";
    return BRANT_INVALID;
}

/* ---- SQL ------------------------------------------------------------------------------------- */

void brant__path_column(brant__buffer *sql, const brant__path *path, const char *alias) {
    if (alias) brant__buffer_format(sql, "%s.", alias);
    brant__buffer_format(sql, "%s", fields[path->field].column);
}

static void append_calls(brant__buffer *sql, const brant__path *path, const char *alias,
                         const char *function) {
    if (path->literal_count > 1) brant__buffer_append(sql, "coalesce(", 9);
    for (size_t i = 0; i < path->literal_count; i++) {
        brant__buffer_format(sql, "%s%s(", i ? "," : "", function);
        brant__path_column(sql, path, alias);
        brant__buffer_append_byte(sql, ',');
        brant__buffer_append(sql, path->literals[i].data, path->literals[i].length);
        brant__buffer_append_byte(sql, ')');
    }
    if (path->literal_count > 1) brant__buffer_append_byte(sql, ')');
}

void brant__path_value(brant__buffer *sql, const brant__path *path, const char *alias) {
    if (brant__path_deep(path))
        append_calls(sql, path, alias, "json_extract");
    else
        brant__path_column(sql, path, alias);
}

void brant__path_type(brant__buffer *sql, const brant__path *path, const char *alias) {
    append_calls(sql, path, alias, "json_type");
}

void brant__path_kind(brant__buffer *sql, const brant__path *path, const char *alias) {
    brant__buffer_append(sql, "CASE ", 5);
    brant__path_type(sql, path, alias);
    brant__buffer_format(sql, " WHEN 'text' THEN %d WHEN 'integer' THEN %d WHEN 'real' THEN %d",
                         BRANT__KIND_TEXT, BRANT__KIND_NUMBER, BRANT__KIND_NUMBER);
    brant__buffer_format(sql, " WHEN 'true' THEN %d WHEN 'false' THEN %d WHEN 'array' THEN %d",
                         BRANT__KIND_TRUE, BRANT__KIND_FALSE, BRANT__KIND_OTHER);
    brant__buffer_format(sql, " WHEN 'object' THEN %d ELSE %d END", BRANT__KIND_OTHER,
                         BRANT__KIND_NULL);
}

void brant__path_each(brant__buffer *sql, const brant__path *path, const char *alias) {
    /* json_each of an array that stands in another place than the first literal has the others. */
    brant__buffer_append(sql, "json_each(", 10);
    brant__path_column(sql, path, alias);
    brant__buffer_append_byte(sql, ',');
    if (path->literal_count == 1) {
        brant__buffer_append(sql, path->literals[0].data, path->literals[0].length);
    } else {
        brant__buffer_append(sql, "CASE", 4);
        for (size_t i = 0; i < path->literal_count; i++) {
            brant__buffer_append(sql, " WHEN json_type(", 16);
            brant__path_column(sql, path, alias);
            brant__buffer_append_byte(sql, ',');
            brant__buffer_append(sql, path->literals[i].data, path->literals[i].length);
            brant__buffer_append(sql, ") IS NOT NULL THEN ", 19);
            brant__buffer_append(sql, path->literals[i].data, path->literals[i].length);
        }
        brant__buffer_append(sql, " END", 4);
    }
    brant__buffer_append_byte(sql, ')');
}

/* ---- in memory ------------------------------------------------------------------------------- */

yyjson_val *brant__path_find(yyjson_val *root, const brant__path *path) {
    for (size_t i = 0; root && i < path->segment_count; i++) {
        brant__text segment = path->segments[i];
        if (yyjson_is_obj(root)) {
            root = yyjson_obj_getn(root, segment.data, segment.length);
        } else if (yyjson_is_arr(root) && is_index(segment)) {
            size_t index = 0;
            for (size_t digit = 0; digit < segment.length; digit++)
                index = index * 10 + (size_t)(segment.data[digit] - '0');
            root = yyjson_arr_get(root, index);
        } else {
            root = NULL;
        }
    }
    return root;
}
