/*
 * tests/fuzz/operation.c: any text as the input of one operation (FUZZ_OPERATION), on a file that has a few graphs. Nothing of it stays: each call is rolled back.
 *
 * FUZZ_IMPORT: the input is the text that is imported, its first byte chooses the format.
 */
#include "file.h"

int LLVMFuzzerInitialize(int *count, char ***arguments) {
    (void)count;
    (void)arguments;
    open_file();
    call("graphs.create", "{\"name\":\"g\",\"graph_type\":\"open\"}");
    call("graphs.create", "{\"name\":\"calls\",\"graph_type\":\"call\"}");
    call("graphs.create", "{\"name\":\"memory\",\"graph_type\":\"memory\"}");
    call("graphs.create", "{\"name\":\"plan\",\"graph_type\":\"task\"}");
    call("nodes.put_many",
         "{\"graph\":\"g\",\"items\":[{\"key\":\"a\",\"attributes\":{\"status\":\"open\","
         "\"n\":1,\"list\":[1,\"x\",null],\"o\":{\"p\":-0.5,\"~/\":true}}},{\"key\":"
         "\"b\",\"attributes\":{\"status\":null,\"n\":1e300}},{\"key\":\"\xc3\xa9\"}]}");
    call("edges.put_many",
         "{\"graph\":\"g\",\"items\":[{\"source\":\"a\",\"target\":\"b\"},{\"source\":"
         "\"b\",\"target\":\"\xc3\xa9\",\"attributes\":{\"cost\":2}}]}");
    call("nodes.put_many",
         "{\"graph\":\"plan\",\"items\":[{\"key\":\"t\",\"attributes\":{\"title\":\"t\","
         "\"status\":\"ready\",\"effort\":3}}]}");
    call("indexes.create", "{\"graph_type\":\"open\",\"of\":\"nodes\",\"kind\":\"text\",\"paths\":["
                           "\"attributes.status\"]}");
    call("indexes.create",
         "{\"graph_type\":\"task\",\"node_type\":\"Task\",\"paths\":[\"attributes.effort\"]}");
    call("queues.enqueue_many", "{\"queue\":\"q\",\"items\":[{},{\"key\":\"k\",\"unique\":{\"key\":"
                                "\"u\"}},{\"key\":\"k\",\"after\":[{\"item\":1}]}]}");
    call("queues.claim", "{\"queue\":\"q\",\"lease\":3155760000000}");
    return 0;
}

#ifdef FUZZ_IMPORT
static bool input_of(brant__buffer *input, const uint8_t *data, size_t size) {
    static const char *const formats[] = {"graphology", "node_link", "ndjson",
                                          "csv",        "otlp",      "memory"};
    if (size == 0 || brant__utf8_check((const char *)data + 1, size - 1) != SIZE_MAX) return false;
    const size_t format = data[0] % BRANT__COUNT(formats);
    brant__buffer_format(input, "{\"graph\":\"%s\",\"format\":\"%s\",%s\"text\":",
                         format == 4   ? "calls"
                         : format == 5 ? "memory"
                                       : "g",
                         formats[format],
                         format != 3     ? ""
                         : data[0] < 128 ? "\"part\":\"nodes\","
                                         : "\"part\":\"edges\",");
    brant__json_append_text(input, brant__text_of((const char *)data + 1, size - 1));
    brant__buffer_append_byte(input, '}');
    return true;
}
#else
static bool input_of(brant__buffer *input, const uint8_t *data, size_t size) {
    brant__buffer_append(input, data, size);
    brant__buffer_append_byte(input, ' ');
    return true;
}
#endif

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    brant__buffer input = {0};
    char *out = NULL;
    size_t length = 0;
    if (!input_of(&input, data, size)) return 0;
    call("transaction.begin", "{}");
    const brant_status status = brant_call(&out, &length, db, FUZZ_OPERATION,
                                           strlen(FUZZ_OPERATION), input.data, input.length);
    HOLDS(expected(status) && (status == BRANT_OK) == (out != NULL));
    brant_free(out);
    call("transaction.rollback", "{}");
    brant__buffer_free(&input);
    return 0;
}
