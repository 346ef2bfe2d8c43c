/*
 * tests/core/test_validator.c: validators for hosts: what they compile, what they say, on many threads, and when memory runs out.
 */
#include "support.h"

#include <pthread.h>
#include <stdatomic.h>
#include <stdbool.h>

#define PERSON                                                                                     \
    "{\"type\":\"object\",\"properties\":{\"name\":{\"type\":\"string\",\"minLength\":1},"         \
    "\"age\":{\"type\":\"integer\",\"minimum\":0},\"mail\":{\"format\":\"email\"}},"               \
    "\"required\":[\"name\"],\"additionalProperties\":false}"

static brant_validator *opened(const char *input) {
    brant_validator *validator = NULL;

    assert_int_equal(brant_validator_open(&validator, input, strlen(input)), BRANT_OK);
    assert_non_null(validator);
    return validator;
}

static int accepted(brant_validator *validator, const char *text) {
    int answer = -1;

    assert_int_equal(brant_validator_accepts(&answer, validator, text, strlen(text)), BRANT_OK);
    return answer;
}

static void refused(const char *input, brant_status expected, const char *part) {
    brant_validator *validator = (brant_validator *)1;

    assert_int_equal(brant_validator_open(&validator, input, strlen(input)), expected);
    assert_null(validator);
    if (!strstr(brant_last_error()->message, part) && !strstr(brant_last_error()->detail, part))
        fail_msg("%s | %s lacks %s", brant_last_error()->message, brant_last_error()->detail, part);
}

static void judges(void **state) {
    brant_validator *validator = opened("{\"schema\":" PERSON "}");
    char *report;
    size_t length;
    int answer;

    (void)state;
    assert_int_equal(accepted(validator, "{\"name\":\"Ann\",\"age\":7}"), 1);
    assert_int_equal(accepted(validator, " {\"name\":\"Ann\",\"mail\":\"no address\"}"), 0);
    assert_int_equal(accepted(validator, "{\"age\":7}"), 0);
    assert_int_equal(accepted(validator, "[]"), 0);
    assert_int_equal(brant_validator_accepts(&answer, validator, "{\"name\":", 8),
                     BRANT_INVALID_JSON);
    assert_int_equal(answer, 0);
    assert_int_equal(brant_validator_accepts(&answer, validator, "", 0), BRANT_INVALID_JSON);
    assert_int_equal(brant_validator_report(&report, &length, validator,
                                            "{\"name\":\"\",\"age\":-1,\"x\":0}", 26),
                     BRANT_OK);
    assert_int_equal(strlen(report), length);
    assert_non_null(strstr(report, "{\"valid\":false,\"violations\":[{\"instance\":\"/name\""));
    assert_non_null(strstr(report, "\"instance\":\"/age\""));
    assert_non_null(strstr(report, "\"instance\":\"/x\""));
    brant_free(report);
    assert_int_equal(brant_validator_report(&report, &length, validator, "{\"name\":\"A\"}", 12),
                     BRANT_OK);
    assert_string_equal(report, "{\"valid\":true,\"violations\":[]}");
    brant_free(report);
    assert_int_equal(brant_validator_report(&report, &length, validator, "{", 1),
                     BRANT_INVALID_JSON);
    assert_null(report);
    brant_validator_free(validator);
    brant_validator_free(NULL);
    assert_int_equal(brant_validator_accepts(&answer, NULL, "1", 1), BRANT_MISUSE);
    assert_int_equal(brant_validator_report(&report, &length, NULL, "1", 1), BRANT_MISUSE);
}

static void formats(void **state) {
    brant_validator *validator =
        opened("{\"schema\":{\"format\":\"email\"},\"formats\":\"annotate\"}");

    (void)state;
    assert_int_equal(accepted(validator, "\"no address\""), 1);
    brant_validator_free(validator);
    validator = opened("{\"schema\":{\"format\":\"email\"},\"formats\":\"assert\"}");
    assert_int_equal(accepted(validator, "\"no address\""), 0);
    brant_validator_free(validator);
    validator = opened("{\"schema\":false}");
    assert_int_equal(accepted(validator, "1"), 0);
    brant_validator_free(validator);
}

#define MODULE                                                                                     \
    "{\"$id\":\"people\",\"$defs\":{\"PersonNode\":" PERSON                                        \
    ",\"KnowsEdge\":{\"properties\":{\"since\":{\"type\":\"integer\"}}}}}"

static void types_of_modules(void **state) {
    brant_validator *validator = opened("{\"module\":" MODULE ",\"node_type\":\"Person\"}");

    (void)state;
    assert_int_equal(accepted(validator, "{\"name\":\"Ann\"}"), 1);
    assert_int_equal(accepted(validator, "{}"), 0);
    brant_validator_free(validator);
    validator = opened("{\"module\":" MODULE ",\"edge_type\":\"Knows\"}");
    assert_int_equal(accepted(validator, "{\"since\":1999}"), 1);
    assert_int_equal(accepted(validator, "{\"since\":\"then\"}"), 0);
    brant_validator_free(validator);
}

/* Envelopes are accepted; of other values nothing is shown. */
static void encrypted(void **state) {
    static const char *const inputs[] = {
        "{\"schema\":{\"properties\":{\"pin\":{\"type\":\"string\",\"x-encrypted\":true}}}}",
        "{\"module\":{\"$defs\":{\"PersonNode\":{\"properties\":{\"pin\":{\"type\":\"string\","
        "\"x-encrypted\":true}}}}},\"node_type\":\"Person\"}",
    };
    static const char faulty[] = "{\"pin\":{\"Canary\":1}}";
    char *report = NULL;
    size_t length;

    (void)state;
    for (size_t i = 0; i < 2; i++) {
        brant_validator *validator = opened(inputs[i]);
        assert_int_equal(accepted(validator, "{\"pin\":\"1234\"}"), 1);
        assert_int_equal(accepted(validator, "{\"pin\":{\"$enc\":2}}"), 1);
        assert_int_equal(accepted(validator, "{\"pin\":{\"$redacted\":true}}"), 1);
        assert_int_equal(accepted(validator, faulty), 0);
        assert_int_equal(
            brant_validator_report(&report, &length, validator, faulty, strlen(faulty)), BRANT_OK);
        assert_non_null(strstr(report, "{\"valid\":false,\"violations\":[{\"instance\":\"/pin\","));
        assert_non_null(strstr(report, "an encrypted attribute is not acceptable: type\"}]}"));
        assert_null(strstr(report, "Canary"));
        brant_free(report);
        brant_validator_free(validator);
    }
    /* By itself a schema may have it anywhere; a type may not. */
    brant_validator_free(opened("{\"schema\":{\"items\":{\"x-encrypted\":true}}}"));
    refused("{\"module\":{\"$defs\":{\"PersonNode\":{\"properties\":{\"pins\":{\"items\":{"
            "\"x-encrypted\":true}}}}}},\"node_type\":\"Person\"}",
            BRANT_VALIDATION, "/$defs/PersonNode/properties/pins/items/x-encrypted");
}

static void bad_inputs(void **state) {
    (void)state;
    refused("[]", BRANT_INVALID, "object");
    refused("{", BRANT_INVALID_JSON, "offset");
    refused("{}", BRANT_INVALID, "schema");
    refused("{\"schema\":true,\"module\":{}}", BRANT_INVALID, "one of");
    refused("{\"schema\":true,\"extra\":1}", BRANT_INVALID, "nothing else");
    refused("{\"schema\":true,\"formats\":\"maybe\"}", BRANT_INVALID, "assert");
    refused("{\"schema\":{\"type\":\"strin\"}}", BRANT_VALIDATION, "/type");
    refused("{\"module\":" MODULE "}", BRANT_INVALID, "node_type");
    refused("{\"module\":" MODULE ",\"node_type\":\"Person\",\"edge_type\":\"Knows\"}",
            BRANT_INVALID, "node_type");
    refused("{\"module\":" MODULE ",\"node_type\":\"Knows\"}", BRANT_INVALID, "node type");
    refused("{\"module\":" MODULE ",\"node_type\":7}", BRANT_INVALID, "text");
    refused("{\"module\":7,\"node_type\":\"A\"}", BRANT_VALIDATION, "");
    brant_validator_free(
        opened("{\"module\":" MODULE ",\"node_type\":\"Person\",\"formats\":\"annotate\"}"));
}

/* Threads on one validator, each with documents of both kinds. */
static atomic_int wrong;
static void *work(void *context) {
    brant_validator *validator = context;
    char text[64];

    for (int i = 0; i < 20000; i++) {
        int answer = -1;
        int length = snprintf(text, sizeof text, "{\"name\":\"%d\",\"age\":%d}", i, i % 3 - 1);
        if (brant_validator_accepts(&answer, validator, text, (size_t)length) != BRANT_OK ||
            answer != (i % 3 != 0))
            atomic_fetch_add(&wrong, 1);
    }
    return NULL;
}

static void many_threads(void **state) {
    brant_validator *validator = opened("{\"schema\":" PERSON "}");
    pthread_t threads[4];

    (void)state;
    atomic_store(&wrong, 0);
    for (size_t i = 0; i < 4; i++)
        assert_int_equal(pthread_create(&threads[i], NULL, work, validator), 0);
    for (size_t i = 0; i < 4; i++)
        pthread_join(threads[i], NULL);
    assert_int_equal(atomic_load(&wrong), 0);
    brant_validator_free(validator);
}

/* Every allocation fails once. */
static long countdown;
static void *allocate(void *context, size_t size) {
    (void)context;
    return countdown-- == 0 ? NULL : malloc(size);
}
static void release(void *context, void *memory) {
    (void)context;
    free(memory);
}

static void want_of_memory(void **state) {
    static const char input[] = "{\"module\":" MODULE ",\"node_type\":\"Person\"}";
    static const brant_allocator failing = {allocate, release, NULL};
    long failures = 0;
    bool done = false;

    (void)state;
    brant_allocator_set(&failing);
    for (long step = 0; !done; step++) {
        brant_validator *validator;
        char *report = NULL;
        size_t length;
        int answer = 0;
        brant_status status;
        countdown = step;
        status = brant_validator_open(&validator, input, sizeof input - 1);
        if (status == BRANT_OK)
            status = brant_validator_accepts(&answer, validator, "{\"name\":\"Ann\"}", 14);
        if (status == BRANT_OK) {
            assert_int_equal(answer, 1);
            status = brant_validator_report(&report, &length, validator, "{\"age\":-1}", 10);
        }
        if (status != BRANT_OK) {
            assert_int_equal(status, BRANT_NO_MEMORY);
            failures++;
        }
        done = countdown >= 0;
        brant_free(report);
        brant_validator_free(validator);
        assert_true(step < 100000);
    }
    brant_allocator_set(NULL);
    assert_true(failures > 10);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(judges),           cmocka_unit_test(formats),
        cmocka_unit_test(types_of_modules), cmocka_unit_test(encrypted),
        cmocka_unit_test(bad_inputs),       cmocka_unit_test(many_threads),
        cmocka_unit_test(want_of_memory),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
