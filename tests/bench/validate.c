/*
 * tests/bench/validate.c: how long it takes to judge a document of 11 properties by its schema.
 *
 * usage: validate [rounds]
 *
 * Three times, each the best of several runs: the verdict on a parsed document, from JSON text to the verdict as a host asks for it, and the report of a document with
 * three faults. The document has every common kind of property: patterns, formats, enums, numbers with bounds, an array, an object.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "brant.h"
#include "schema/schema.h"

static const char schema_text[] =
    "{\"type\":\"object\",\"properties\":{"
    "\"id\":{\"type\":\"string\",\"format\":\"uuid\"},"
    "\"name\":{\"type\":\"string\",\"minLength\":1,\"maxLength\":80},"
    "\"slug\":{\"type\":\"string\",\"pattern\":\"^[a-z0-9_-]+$\"},"
    "\"status\":{\"enum\":[\"open\",\"blocked\",\"done\"]},"
    "\"priority\":{\"type\":\"integer\",\"minimum\":0,\"maximum\":9},"
    "\"score\":{\"type\":\"number\",\"minimum\":0},"
    "\"active\":{\"type\":\"boolean\"},"
    "\"labels\":{\"type\":\"array\",\"items\":{\"type\":\"string\"},\"maxItems\":10},"
    "\"due\":{\"type\":\"string\",\"format\":\"date-time\"},"
    "\"owner\":{\"type\":\"object\",\"properties\":{\"id\":{\"type\":\"integer\"}},\"required\":["
    "\"id\"],"
    "\"additionalProperties\":false},"
    "\"note\":{\"type\":[\"string\",\"null\"]}},"
    "\"required\":[\"id\",\"name\",\"slug\",\"status\"],\"additionalProperties\":false}";

static const char document[] =
    "{\"id\":\"0190b7a4-5c1e-7b3a-9f00-3c2d1e0f9a8b\",\"name\":\"Write the release notes and more "
    "for "
    "1.0\",\"slug\":\"write-the-notes-for-10\",\"status\":\"open\",\"priority\":3,\"score\":12.5,"
    "\"active\":true,\"labels\":[\"docs\",\"release\"],\"due\":\"2026-01-31T12:00:00Z\",\"owner\":{"
    "\"id\":17},\"note\":null}";

static const char faulty[] =
    "{\"id\":\"none\",\"name\":\"Write the release notes for 1.0\",\"slug\":\"Write!\",\"status\":"
    "\"open\",\"priority\":30,\"score\":12.5,\"active\":true,\"labels\":[\"docs\"],\"note\":null}";

static void check(brant_status status, const char *what) {
    if (status == BRANT_OK) return;
    fprintf(stderr, "%s: %s: %s\n", what, brant_last_error()->name, brant_last_error()->message);
    exit(1);
}

static double now_ns(void) {
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (double)now.tv_sec * 1e9 + (double)now.tv_nsec;
}

enum { RUNS = 7 };

static double verdict(const brant__schema *schema, long rounds) {
    brant__json json = {0};
    double best = 1e18;
    check(brant__json_parse(&json, document, strlen(document), 0), "parse");
    for (int run = 0; run < RUNS; run++) {
        const double before = now_ns();
        long accepted = 0;
        for (long i = 0; i < rounds; i++)
            accepted += brant__schema_accepts(schema, json.root);
        const double each = (now_ns() - before) / (double)rounds;
        if (accepted != rounds) check(BRANT_INTERNAL, "the document is not accepted");
        if (each < best) best = each;
    }
    brant__json_free(&json);
    return best;
}

static double from_text(brant_validator *validator, long rounds) {
    double best = 1e18;
    for (int run = 0; run < RUNS; run++) {
        const double before = now_ns();
        for (long i = 0; i < rounds; i++) {
            int accepted = 0;
            check(brant_validator_accepts(&accepted, validator, document, strlen(document)),
                  "accepts");
            if (!accepted) check(BRANT_INTERNAL, "the document is not accepted");
        }
        const double each = (now_ns() - before) / (double)rounds;
        if (each < best) best = each;
    }
    return best;
}

static double report(brant_validator *validator, long rounds) {
    double best = 1e18;
    for (int run = 0; run < RUNS; run++) {
        const double before = now_ns();
        for (long i = 0; i < rounds; i++) {
            char *text = NULL;
            size_t length = 0;
            check(brant_validator_report(&text, &length, validator, faulty, strlen(faulty)),
                  "report");
            brant_free(text);
        }
        const double each = (now_ns() - before) / (double)rounds;
        if (each < best) best = each;
    }
    return best;
}

int main(int count, char **arguments) {
    const long rounds = count > 1 ? strtol(arguments[1], NULL, 10) : 200000;
    char input[2000];
    brant__json json = {0};
    brant__schema *schema = NULL;
    brant_validator *validator = NULL;
    if (rounds < 1) {
        fprintf(stderr, "usage: validate [rounds]\n");
        return 2;
    }
    snprintf(input, sizeof(input), "{\"schema\":%s}", schema_text);
    check(brant__json_parse(&json, schema_text, strlen(schema_text), 0), "schema");
    check(brant__schema_compile(&schema, json.root, json.root, BRANT__TEXT("")), "compile");
    check(brant_validator_open(&validator, input, strlen(input)), "open");
    printf("a document of %zu bytes, 11 properties; best of %d runs of %ld\n", strlen(document),
           RUNS, rounds);
    printf("verdict on a parsed document   %7.0f ns\n", verdict(schema, rounds));
    printf("JSON text to verdict           %7.0f ns\n", from_text(validator, rounds));
    printf("JSON text to report, 3 faults  %7.0f ns\n", report(validator, rounds / 10 + 1));
    brant_validator_free(validator);
    brant__schema_free(schema);
    brant__json_free(&json);
    return 0;
}
