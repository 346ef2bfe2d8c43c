/*
 * store/options.c: the options of brant_open: known names, right types, bounds, defaults.
 */
#include "store/handle.h"

static const brant__options defaults = {
    .mode = BRANT__MODE_CREATE,
    .role = BRANT__ROLE_SINGLE,
    .busy_timeout = 5000,
    .limits = {.document = (size_t)64 << 20, .depth = 512, .key = 1024, .batch = 100000},
    .cache = (int64_t)64 << 20,
};

static brant_status read_choice(int *out, const char *name, yyjson_val *value,
                                const char *const *choices, size_t count) {
    const brant__text text = brant__json_text(value);
    for (size_t i = 0; i < count; i++)
        if (text.data && brant__text_equal(text, brant__text_string(choices[i]))) {
            *out = (int)i;
            return BRANT_OK;
        }
    brant__buffer list = {0};
    for (size_t i = 0; i < count; i++)
        brant__buffer_format(&list, "%s\"%s\"", i ? ", " : "", choices[i]);
    const brant_status status = brant__fail(BRANT_INVALID, "option \"%s\" must be one of %.*s",
                                            name, (int)list.length, list.data ? list.data : "");
    brant__buffer_free(&list);
    return status;
}

static brant_status read_bool(bool *out, const char *name, yyjson_val *value) {
    if (!yyjson_is_bool(value))
        return brant__fail(BRANT_INVALID, "option \"%s\" must be true or false", name);
    *out = yyjson_get_bool(value);
    return BRANT_OK;
}

static brant_status read_integer(int64_t *out, const char *name, yyjson_val *value, int64_t low,
                                 int64_t high) {
    const int64_t number = brant__json_integer(value, INT64_MIN);
    if (number < low || number > high)
        return brant__fail(BRANT_INVALID, "option \"%s\" must be an integer from %lld to %lld",
                           name, (long long)low, (long long)high);
    *out = number;
    return BRANT_OK;
}

static brant_status read_limits(brant__limits *limits, yyjson_val *object) {
    brant_status status = BRANT_OK;
    yyjson_val *name = NULL;
    yyjson_obj_iter members;
    if (!yyjson_is_obj(object))
        return brant__fail(BRANT_INVALID, "option \"limits\" must be an object");
    yyjson_obj_iter_init(object, &members);
    while ((name = yyjson_obj_iter_next(&members))) {
        yyjson_val *value = yyjson_obj_iter_get_val(name);
        int64_t number = 0;
        if (yyjson_equals_str(name, "document")) {
            BRANT__TRY(read_integer(&number, "limits.document", value, 1024, 1000000000));
            limits->document = (size_t)number;
        } else if (yyjson_equals_str(name, "depth")) {
            BRANT__TRY(read_integer(&number, "limits.depth", value, 1, BRANT__JSON_DEPTH));
            limits->depth = (unsigned)number;
        } else if (yyjson_equals_str(name, "key")) {
            BRANT__TRY(read_integer(&number, "limits.key", value, 1, 65536));
            limits->key = (size_t)number;
        } else if (yyjson_equals_str(name, "batch")) {
            BRANT__TRY(read_integer(&number, "limits.batch", value, 1, 1000000));
            limits->batch = (size_t)number;
        } else {
            return brant__fail(BRANT_INVALID,
                               "unknown limit \"%.64s\"; known: document, depth, key, batch",
                               yyjson_get_str(name));
        }
    }
cleanup:
    return status;
}

static brant_status read_option(brant__options *options, yyjson_val *name, yyjson_val *value) {
    static const char *const durabilities[] = {"normal", "full"};
    static const char *const permissions[] = {"private", "group"};
    int choice = 0;
    brant_status status = BRANT_OK;
    if (yyjson_equals_str(name, "mode")) {
        status = read_choice(&options->mode, "mode", value, brant__mode_names, 3);
    } else if (yyjson_equals_str(name, "durability")) {
        status = read_choice(&choice, "durability", value, durabilities, 2);
        options->full = choice == 1;
    } else if (yyjson_equals_str(name, "role")) {
        status = read_choice(&options->role, "role", value, brant__role_names, BRANT__ROLE_COUNT);
        options->role_given = true;
    } else if (yyjson_equals_str(name, "busy_timeout")) {
        status = read_integer(&options->busy_timeout, "busy_timeout", value, 0, 3600000);
    } else if (yyjson_equals_str(name, "permissions")) {
        status = read_choice(&choice, "permissions", value, permissions, 2);
        options->group = choice == 1;
    } else if (yyjson_equals_str(name, "adopt")) {
        status = read_bool(&options->adopt, "adopt", value);
    } else if (yyjson_equals_str(name, "network")) {
        status = read_bool(&options->network, "network", value);
    } else if (yyjson_equals_str(name, "system")) {
        status = read_bool(&options->system, "system", value);
    } else if (yyjson_equals_str(name, "foreign_keys")) {
        status = read_bool(&options->foreign_keys, "foreign_keys", value);
    } else if (yyjson_equals_str(name, "limits")) {
        status = read_limits(&options->limits, value);
    } else if (yyjson_equals_str(name, "cache")) {
        status = read_integer(&options->cache, "cache", value, 65536, (int64_t)1 << 40);
    } else {
        status = brant__fail(BRANT_INVALID,
                             "unknown option \"%.64s\"; known: mode, durability, role, "
                             "busy_timeout, permissions, adopt, "
                             "network, system, foreign_keys, limits, cache",
                             yyjson_get_str(name));
    }
    return status;
}

brant_status brant__options_parse(brant__options *options, const char *json, size_t json_len) {
    brant_status status = BRANT_OK;
    brant__json document = {0};
    *options = defaults;
    if (json_len == 0) return BRANT_OK;
    BRANT__TRY(brant__json_parse(&document, json, json_len, 0));
    if (!yyjson_is_obj(document.root)) {
        status = brant__fail(BRANT_INVALID, "the options must be a JSON object");
        goto cleanup;
    }
    yyjson_val *name = NULL;
    yyjson_obj_iter members;
    yyjson_obj_iter_init(document.root, &members);
    while ((name = yyjson_obj_iter_next(&members)))
        BRANT__TRY(read_option(options, name, yyjson_obj_iter_get_val(name)));
cleanup:
    brant__json_free(&document);
    return status;
}
