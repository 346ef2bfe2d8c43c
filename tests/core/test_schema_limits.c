/*
 * Hostile schemas and values: no stack overflow, no endless work; memory that runs out at any request; many threads on one schema.
 */
#include <pthread.h>
#include <time.h>

#include "schema/program.h"
#include "test_schema.h"

static char *repeated(const char *before, const char *unit, size_t count, const char *middle,
                      const char *after_unit, const char *after) {
    brant__buffer text = {0};
    char *result = NULL;
    size_t length;
    brant__buffer_append(&text, before, strlen(before));
    for (size_t i = 0; i < count; i++)
        brant__buffer_append(&text, unit, strlen(unit));
    brant__buffer_append(&text, middle, strlen(middle));
    for (size_t i = 0; i < count; i++)
        brant__buffer_append(&text, after_unit, strlen(after_unit));
    brant__buffer_append(&text, after, strlen(after));
    assert_int_equal(brant__buffer_take(&result, &length, &text), BRANT_OK);
    return result;
}

/* What the compiler says of a schema: a message, or "" when it is fine. */
static const char *complaint(const char *text) {
    brant__json json = parsed(text);
    brant__schema *schema = NULL;
    brant__error_clear();
    const brant_status status =
        brant__schema_compile(&schema, json.root, json.root, BRANT__TEXT(""));
    brant__schema_free(schema);
    brant__json_free(&json);
    return status == BRANT_OK ? "" : brant_last_error()->message;
}

static void deep_schemas(void **state) {
    (void)state;
    char *text = repeated("", "{\"properties\":{\"a\":", 255, "true", "}}", "");
    assert_string_equal(complaint(text), "");
    brant_free(text);
    text = repeated("", "{\"not\":", 240, "true", "}", "");
    assert_string_equal(complaint(text), "");
    brant_free(text);
    text = repeated("", "{\"not\":", 500, "true", "}", "");
    assert_non_null(strstr(complaint(text), "in a row apply to one value"));
    brant_free(text);
}

/* A chain of references is as long as the document, not as deep. */
static void long_chains(void **state) {
    (void)state;
    for (int length = 100; length <= 100000; length *= 10) {
        brant__buffer text = {0};
        brant__buffer_format(&text, "{\"$ref\":\"D0\",\"$defs\":{");
        for (int i = 0; i < length; i++)
            brant__buffer_format(&text, "\"D%d\":{\"allOf\":[{\"$ref\":\"#/$defs/D%d\"}]},", i,
                                 i + 1);
        brant__buffer_format(&text, "\"D%d\":true}}", length);
        brant__buffer_append_byte(&text, '\0');
        if (length <= 1000) { /* looking one up takes time in proportion */
            const char *said = complaint(text.data);
            if (length <= 100)
                assert_string_equal(said, "");
            else
                assert_non_null(strstr(said, "in a row apply to one value"));
        }
        brant__buffer_free(&text);
    }
}

/* Deep values under schemas that apply many to each level: the stack stays bounded, and the answer is no. */
static void deep_values(void **state) {
    (void)state;
    char *nested = repeated("", "{\"a\":", 500, "1", "}", "");
    brant__json value = parsed(nested);
    brant__schema *schema = compiled("{\"properties\":{\"a\":{\"$ref\":\"#\"}}}");
    assert_true(accepts(schema, value.root));
    brant__schema_free(schema);
    schema = compiled("{\"anyOf\":[{\"type\":\"integer\"},{\"type\":\"object\","
                      "\"additionalProperties\":{\"$ref\":\"#\"}}]}");
    assert_true(accepts(schema, value.root));
    brant__schema_free(schema);

    char *chain =
        repeated("", "{\"allOf\":[", 200, "{\"properties\":{\"a\":{\"$ref\":\"#\"}}}", "]}", "");
    schema = compiled(chain);
    size_t count;
    char *found = violations(schema, value.root, "", &count);
    assert_false(brant__schema_accepts(schema, value.root));
    assert_int_equal(count, 1);
    assert_non_null(strstr(found, "nested too deeply"));
    brant_free(found);
    brant__schema_free(schema);
    brant_free(chain);

    /* Not so below "not", where a plain false would accept. */
    chain = repeated("{\"not\":", "{\"allOf\":[", 200,
                     "{\"properties\":{\"a\":{\"$ref\":\"#/not\"}}}", "]}", "}");
    schema = compiled(chain);
    assert_false(accepts(schema, value.root));
    brant__schema_free(schema);
    brant_free(chain);
    brant__json_free(&value);
    brant_free(nested);
}

/* Each schema applies the next one twice: 2^60 steps, were they not counted. */
static void schemas_that_multiply(void **state) {
    (void)state;
    static const char *const shapes[] = {"allOf", "anyOf", "oneOf"};
    for (size_t shape = 0; shape < BRANT__COUNT(shapes); shape++) {
        brant__buffer text = {0};
        brant__buffer_format(&text, "{\"$ref\":\"D0\",\"$defs\":{");
        for (int i = 0; i < 60; i++) {
            brant__buffer_format(&text, "\"D%d\":{\"%s\":[{\"$ref\":\"D%d\"},{\"$ref\":\"D%d\"}]},",
                                 i, shapes[shape], i + 1, i + 1);
        }
        brant__buffer_format(&text, "\"D60\":{\"const\":%s}}}", shape == 0 ? "1" : "2");
        brant__buffer_append_byte(&text, '\0');
        brant__schema *schema = compiled(text.data);
        brant__json value = parsed("1");
        const clock_t before = clock();
        assert_false(brant__schema_accepts(schema, value.root));
        const double seconds = (double)(clock() - before) / CLOCKS_PER_SEC;
        if (seconds > 60) fail_msg("%.1f s", seconds);
        brant__json_free(&value);
        brant__schema_free(schema);
        brant__buffer_free(&text);
    }
}

static void large_arrays_are_compared_by_hash(void **state) {
    (void)state;
    brant__schema *schema = compiled("{\"uniqueItems\":true}");
    brant__buffer text = {0};
    for (int i = 0; i < 200000; i++)
        brant__buffer_format(&text, "%s%d", i ? "," : "[", i);
    brant__buffer_append(&text, "]", 2);
    brant__json value = parsed(text.data);
    assert_true(brant__schema_accepts(schema, value.root));
    brant__json_free(&value);
    text.length -= 2;
    brant__buffer_append(&text, ",199999.0]", 11);
    value = parsed(text.data);
    assert_false(brant__schema_accepts(schema, value.root));
    brant__json_free(&value);
    brant__buffer_free(&text);
    brant__schema_free(schema);
}

/* ---- memory --------------------------------------------------------------------------------------------------------------- */

static const char everything[] =
    "{\"$id\":\"https://example.com/"
    "root\",\"$ref\":\"Base\",\"type\":\"object\",\"required\":[\"a\",\"z\"],"
    "\"properties\":{\"a\":{\"type\":\"integer\",\"minimum\":1,\"multipleOf\":0.5},\"b\":{\"enum\":"
    "[\"x\",\"y\",3,{\"k\":[1]}]},\"c\":{\"const\":\"text\"},"
    "\"d\":{\"pattern\":\"^\\\\d+[a-z]$\",\"format\":\"uuid\",\"minLength\":2},\"e\":{"
    "\"prefixItems\":[true],\"items\":{\"$ref\":\"#anchor\"},\"contains\":{\"const\":null}}},"
    "\"patternProperties\":{\"^p\":{\"anyOf\":[{\"type\":\"null\"},{\"type\":\"string\"}]},\"(?<=q)"
    "r\":{}},\"additionalProperties\":false,"
    "\"propertyNames\":{\"maxLength\":9},\"dependentRequired\":{\"a\":[\"b\"]},"
    "\"dependentSchemas\":{\"b\":{\"minProperties\":1}},"
    "\"oneOf\":[{\"not\":{\"required\":[\"n\"]}}],\"if\":{\"required\":[\"a\"]},\"then\":{\"$ref\":"
    "\"child\"},\"unevaluatedProperties\":false,"
    "\"$defs\":{\"Base\":{\"$anchor\":\"anchor\",\"$dynamicAnchor\":\"dynamic\"},\"C\":{\"$id\":"
    "\"child\",\"x-y\":1}}}";

static void compiling_without_memory(void **state) {
    (void)state;
    brant__json json = parsed(everything);
    size_t refusals = 0;
    for (size_t successes = 0;; successes++) {
        brant__schema *schema = NULL;
        failing_allocator_start(successes);
        brant__error_clear();
        const brant_status status =
            brant__schema_compile(&schema, json.root, json.root, BRANT__TEXT(""));
        failing.left = SIZE_MAX;
        const bool refused = failing.failed;
        if (status == BRANT_OK) {
            /* Without memory for just-in-time code a pattern is interpreted, so a refusal need not be a failure. */
            assert_non_null(schema);
            brant__schema_free(schema);
        } else {
            assert_int_equal(status, BRANT_NO_MEMORY);
            assert_null(schema);
            refusals++;
        }
        assert_int_equal(failing.alive, 0);
        failing_allocator_stop();
        if (!refused) break;
    }
    assert_true(refusals > 50);
    brant__json_free(&json);
}

static void reporting_without_memory(void **state) {
    (void)state;
    brant__schema *schema = compiled(everything);
    brant__json value = parsed("{\"a\":0.2,\"b\":\"w\",\"c\":1,\"d\":\"1\",\"e\":[1,\"\"],\"p\":3,"
                               "\"unknown\":1,\"longer than nine\":{}}");
    for (size_t successes = 0;; successes++) {
        brant__writer writer = {0};
        failing_allocator_start(successes);
        brant__write_array(&writer);
        const size_t count = brant__schema_violations(schema, value.root, BRANT__TEXT(""), &writer);
        brant__write_end(&writer);
        const bool refused = failing.failed;
        if (refused && !writer.buffer.failed) print_message("%zu\n", successes);
        if (!refused) assert_false(writer.buffer.failed);
        assert_true(count > 0);
        failing.left = SIZE_MAX;
        brant__buffer_free(&writer.buffer);
        assert_int_equal(failing.alive, 0);
        failing_allocator_stop();
        if (!refused) break;
    }
    brant__json_free(&value);
    brant__schema_free(schema);
}

static void faults_without_memory(void **state) {
    (void)state;
    brant__json json = parsed("{\"type\":3,\"pattern\":\"(\",\"properties\":{\"a/b\":{\"$ref\":\"#/"
                              "no\"}},\"patternProperties\":{\"[\":1},\"minLenght\":1}");
    for (size_t successes = 0;; successes++) {
        brant__schema *schema = NULL;
        failing_allocator_start(successes);
        brant__error_clear();
        const brant_status status =
            brant__schema_compile(&schema, json.root, json.root, BRANT__TEXT(""));
        const bool refused = failing.failed;
        assert_true(status == BRANT_VALIDATION || (refused && status == BRANT_NO_MEMORY));
        assert_null(schema);
        failing_allocator_stop();
        if (!refused) break;
    }
    brant__json_free(&json);
}

/* accepts() asks for no memory at all, but for long arrays that must be unique, where it can do without. */
static void accepting_without_memory(void **state) {
    (void)state;
    brant__schema *schema =
        compiled("{\"properties\":{\"a\":{\"pattern\":\"^[a-z]+(?:-[a-z]+)*$\"},\"b\":{\"format\":"
                 "\"date-time\"},\"c\":{\"multipleOf\":0.1},"
                 "\"u\":{\"uniqueItems\":true}},\"unevaluatedProperties\":false}");
    brant__json value = parsed("{\"a\":\"some-name\",\"b\":\"2024-01-31T12:00:00Z\",\"c\":0.3}");
    failing_allocator_start(0);
    assert_true(brant__schema_accepts(schema, value.root));
    assert_int_equal(failing.asked, 0);
    failing_allocator_stop();
    brant__json_free(&value);
    brant__buffer text = {0};
    for (int i = 0; i < 100; i++)
        brant__buffer_format(&text, "%s%d", i ? "," : "{\"u\":[", i);
    brant__buffer_append(&text, "]}", 3);
    value = parsed(text.data);
    failing_allocator_start(0);
    assert_true(brant__schema_accepts(schema, value.root));
    assert_true(failing.failed);
    failing_allocator_stop();
    brant__json_free(&value);
    brant__buffer_free(&text);
    brant__schema_free(schema);
}

/* ---- threads -------------------------------------------------------------------------------------------------------------- */

typedef struct worker {
    const brant__schema *schema;
    size_t wrong;
} worker;

static void *validate_often(void *context) {
    worker *self = context;
    brant__json good = {0}, bad = {0};
    static const char yes[] = "{\"name\":\"some-name\",\"kind\":\"b\"}",
                      no[] = "{\"name\":\"Some Name\",\"kind\":\"b\"}";
    brant__json_parse(&good, yes, sizeof(yes) - 1, 0);
    brant__json_parse(&bad, no, sizeof(no) - 1, 0);
    for (int i = 0; i < 5000; i++) {
        self->wrong += !brant__schema_accepts(self->schema, good.root);
        self->wrong += brant__schema_accepts(self->schema, bad.root);
    }
    brant__json_free(&bad);
    brant__json_free(&good);
    return NULL;
}

static void threads_share_a_schema(void **state) {
    (void)state;
    brant__schema *schema = compiled("{\"properties\":{\"name\":{\"pattern\":\"^[a-z]+(?:-[a-z]+)*$"
                                     "\"},\"kind\":{\"enum\":[\"a\",\"b\"]}}}");
    worker workers[4];
    pthread_t threads[4];
    for (int i = 0; i < 4; i++) {
        workers[i] = (worker){schema, 0};
        assert_int_equal(pthread_create(&threads[i], NULL, validate_often, &workers[i]), 0);
    }
    for (int i = 0; i < 4; i++) {
        pthread_join(threads[i], NULL);
        assert_int_equal(workers[i].wrong, 0);
    }
    brant__schema_free(schema);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(deep_schemas),
        cmocka_unit_test(long_chains),
        cmocka_unit_test(deep_values),
        cmocka_unit_test(schemas_that_multiply),
        cmocka_unit_test(large_arrays_are_compared_by_hash),
        cmocka_unit_test(compiling_without_memory),
        cmocka_unit_test(reporting_without_memory),
        cmocka_unit_test(faults_without_memory),
        cmocka_unit_test(accepting_without_memory),
        cmocka_unit_test(threads_share_a_schema),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
