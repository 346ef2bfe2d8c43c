/*
 * tests/fuzz/arguments.c: any text as an argument of the command line: --where, a value of a schema, NAME=VALUE pairs. What is taken is JSON, and a filter of it is one that nodes.list understands or refuses as such.
 *
 * The first byte chooses.
 */
#include "cli/cli.h"
#include "fuzz.h"

static brant_db *db;
static yyjson_doc *schemas;

/* ---- what the command line's own files would print ------------------------------------------------ */

int cli_wrong_usage(const cli_style *style, const char *what, const char *argument) {
    (void)style;
    HOLDS(what != NULL && argument != NULL);
    return 2;
}

int cli_fail(const cli_style *style, brant_status code, const char *format, ...) {
    (void)style;
    (void)format;
    return (int)code;
}

int64_t cli_now(void) {
    return INT64_C(1767225600000);
}

/* ------------------------------------------------------------------------------------------------- */

static char *call(brant_status *out_status, const char *name, const char *json, size_t json_len) {
    char *out = NULL;
    size_t length = 0;

    *out_status = brant_call(&out, &length, db, name, strlen(name), json, json_len);
    HOLDS(expected(*out_status) && (*out_status == BRANT_OK) == (out != NULL));
    return out;
}

int LLVMFuzzerInitialize(int *count, char ***arguments) {
    static const char kinds[] =
        "[{\"type\":\"string\"},{\"type\":\"integer\"},{\"type\":\"number\"},{\"type\":\"boolean\"}"
        ","
        "{\"type\":\"integer\",\"description\":\"ms since the Unix epoch\"},"
        "{\"type\":\"integer\",\"description\":\"in ms\"},{\"type\":[\"string\",\"null\"]},"
        "{\"anyOf\":[{\"type\":\"integer\"},{\"type\":\"string\"}]},{\"enum\":[\"a\",\"b\"]},"
        "{\"type\":\"object\"},{\"type\":\"array\"},{}]";
    static const char graph[] = "{\"name\":\"g\",\"graph_type\":\"open\"}";
    static const char node[] =
        "{\"graph\":\"g\",\"key\":\"a\",\"attributes\":{\"n\":1,\"t\":\"x\"}}";
    brant_status status;

    (void)count;
    (void)arguments;
    schemas = yyjson_read(kinds, sizeof kinds - 1, 0);
    HOLDS(schemas && brant_open(&db, ":memory:", 8, "", 0) == BRANT_OK);
    brant_free(call(&status, "graphs.create", graph, sizeof graph - 1));
    HOLDS(status == BRANT_OK);
    brant_free(call(&status, "nodes.put", node, sizeof node - 1));
    HOLDS(status == BRANT_OK);
    return 0;
}

static void ask(yyjson_mut_doc *doc, yyjson_mut_val *filter) {
    yyjson_mut_val *input = yyjson_mut_obj(doc);
    brant_status status;
    size_t length;

    yyjson_mut_obj_add_str(doc, input, "graph", "g");
    yyjson_mut_obj_add_val(doc, input, "filter", filter);
    char *json = yyjson_mut_val_write(input, 0, &length);
    HOLDS(json != NULL);
    brant_free(call(&status, "nodes.list", json, length));
    free(json);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    const cli_style style = {0};
    yyjson_mut_doc *doc = yyjson_mut_doc_new(NULL);
    yyjson_mut_val *out = NULL;
    char *text;
    int exit_code;

    if (size == 0) {
        yyjson_mut_doc_free(doc);
        return 0;
    }
    text = strndup((const char *)data + 1, size - 1);
    HOLDS(doc && text);
    if (data[0] < 128) {
        exit_code = cli_where(&out, doc, &style, text);
        HOLDS(exit_code != 0 || out != NULL);
        /* Bytes that are no UTF-8 are an argument all the same; the call refuses them. */
        if (out && brant__utf8_check(text, strlen(text)) == SIZE_MAX) ask(doc, out);
    } else if (data[0] < 240) {
        yyjson_val *schemas_root = yyjson_doc_get_root(schemas);
        yyjson_val *schema = yyjson_arr_get(schemas_root, data[0] % yyjson_arr_size(schemas_root));
        exit_code = cli_value(&out, doc, &style, schema, data[0] & 1 ? "--run-at" : "--ttl", text);
        HOLDS(exit_code != 0 || out != NULL);
    } else if (strcmp(text, "-") != 0) {
        char *words[2] = {text, NULL};
        char *second = strchr(text, '\n');
        if (second) {
            *second = '\0';
            words[1] = second + 1;
        }
        exit_code = cli_pairs(&out, doc, &style, second ? 2 : 1, words, "attributes");
        HOLDS(exit_code != 0 || out != NULL);
    }
    free(text);
    yyjson_mut_doc_free(doc);
    return 0;
}
