/*
 * The public JSON Schema test suite, where it is at hand: the folder that BRANT_VECTORS names, or ../shared/vectors beside the source. The project
 * holds no copy. What is out of scope is listed with the reason; anything else that fails, fails the test, and so does a listed group that passes.
 */
#include <dirent.h>
#include <sys/stat.h>

#include "test_schema.h"

#define SUITE "json-schema/draft2020-12"

typedef struct exception {
    const char *file;
    const char *group; /* NULL: every group of the file */
    const char *reason;
} exception;

#define NETWORK      "refers to a document outside the bundle, and none is ever fetched"
#define OTHER_FORMAT "a format that is not asserted, so only an annotation"

static const exception exceptions[] = {
    {"refRemote.json", NULL, NETWORK},
    {"optional/cross-draft.json", NULL, NETWORK},
    {"dynamicRef.json", "strict-tree schema, guards against misspelled properties", NETWORK},
    {"dynamicRef.json", "$ref and $dynamicAnchor are independent of order - $defs first", NETWORK},
    {"dynamicRef.json", "$ref and $dynamicAnchor are independent of order - $ref first", NETWORK},
    {"vocabulary.json", "schema that uses custom metaschema with with no validation vocabulary",
     "vocabularies of one's own are not read"},
    {"optional/bignum.json", NULL,
     "a number that neither int64 nor double holds is no JSON of ours"},
    {"optional/format-assertion.json", NULL, "vocabularies of one's own are not read"},
    {"optional/format/idn-email.json", NULL, OTHER_FORMAT},
    {"optional/format/idn-hostname.json", NULL, OTHER_FORMAT},
    {"optional/format/iri.json", NULL, OTHER_FORMAT},
    {"optional/format/iri-reference.json", NULL, OTHER_FORMAT},
    {"optional/format/relative-json-pointer.json", NULL, OTHER_FORMAT},
    {"optional/format/uri-template.json", NULL, OTHER_FORMAT},
};

static bool used[BRANT__COUNT(exceptions)];

static bool excepted(const char *file, const char *group) {
    for (size_t i = 0; i < BRANT__COUNT(exceptions); i++) {
        if (strcmp(exceptions[i].file, file) != 0 ||
            (exceptions[i].group && strcmp(exceptions[i].group, group) != 0))
            continue;
        used[i] = true;
        return true;
    }
    return false;
}

/* Listed by its own name, not with its file. */
static bool listed_alone(const char *file, const char *group) {
    for (size_t i = 0; i < BRANT__COUNT(exceptions); i++) {
        if (exceptions[i].group && strcmp(exceptions[i].file, file) == 0 &&
            strcmp(exceptions[i].group, group) == 0)
            return true;
    }
    return false;
}

typedef struct tally {
    size_t files, groups, tests, excepted, wrong;
} tally;

static const char *string_of(yyjson_val *object, const char *name) {
    return yyjson_get_str(yyjson_obj_get(object, name));
}

/* How many tests of a group go wrong; all of them when its schema is refused. */
static size_t run_group(const char *file, yyjson_val *group, bool quiet) {
    yyjson_val *document = yyjson_obj_get(group, "schema"), *tests = yyjson_obj_get(group, "tests"),
               *test;
    /* The suite's own format.json expects annotations; optional/format expects assertions. */
    const unsigned flags = strcmp(file, "format.json") == 0 ? BRANT__FORMAT_ANNOTATES : 0;
    brant__schema *schema = NULL;
    brant__error_clear();
    if (brant__schema_compile_as(&schema, document, document, BRANT__TEXT(""), flags) != BRANT_OK) {
        if (!quiet)
            print_error("%s: %s: %s\n", file, string_of(group, "description"),
                        brant_last_error()->message);
        return yyjson_arr_size(tests);
    }
    size_t wrong = 0, index, count;
    yyjson_arr_foreach(tests, index, count, test) {
        if (accepts(schema, yyjson_obj_get(test, "data")) ==
            yyjson_get_bool(yyjson_obj_get(test, "valid")))
            continue;
        if (!quiet)
            print_error("%s: %s: %s\n", file, string_of(group, "description"),
                        string_of(test, "description"));
        wrong++;
    }
    brant__schema_free(schema);
    return wrong;
}

static char *read_file(const char *path, size_t *out_length) {
    FILE *file = fopen(path, "rb");
    if (!file) fail_msg("cannot open %s", path);
    assert_int_equal(fseek(file, 0, SEEK_END), 0);
    const long length = ftell(file);
    rewind(file);
    char *text = malloc((size_t)length + 1);
    assert_non_null(text);
    assert_int_equal(fread(text, 1, (size_t)length, file), length);
    fclose(file);
    *out_length = (size_t)length;
    return text;
}

static void run_file(const char *suite, const char *name, tally *totals) {
    char path[2048];
    snprintf(path, sizeof(path), "%s/%s", suite, name);
    size_t length, index, count;
    char *text = read_file(path, &length);
    brant__json json = {0};
    brant__error_clear();
    totals->files++;
    if (brant__json_parse(&json, text, length, 0) != BRANT_OK) {
        if (!excepted(name, "")) {
            print_error("%s: %s\n", name, brant_last_error()->message);
            totals->wrong++;
        }
        brant__json_free(&json);
        free(text);
        return;
    }
    yyjson_val *group;
    yyjson_arr_foreach(json.root, index, count, group) {
        const bool except = excepted(name, string_of(group, "description"));
        const size_t wrong = run_group(name, group, except);
        totals->groups++;
        totals->tests += yyjson_arr_size(yyjson_obj_get(group, "tests"));
        totals->excepted += except;
        if (!except) totals->wrong += wrong;
        if (except && wrong == 0 && listed_alone(name, string_of(group, "description"))) {
            print_error("%s: %s: is listed as out of scope, but passes\n", name,
                        string_of(group, "description"));
            totals->wrong++;
        }
    }
    brant__json_free(&json);
    free(text);
}

static int by_name(const void *a, const void *b) {
    return strcmp(*(char *const *)a, *(char *const *)b);
}

/* The *.json of a folder within the suite, in order. */
static void run_folder(const char *suite, const char *folder, tally *totals) {
    char path[2048];
    snprintf(path, sizeof(path), "%s/%s", suite, folder);
    DIR *listing = opendir(path);
    if (!listing) return;
    char *names[256];
    size_t count = 0;
    for (struct dirent *entry = readdir(listing); entry; entry = readdir(listing)) {
        const char *end = strrchr(entry->d_name, '.');
        if (!end || strcmp(end, ".json") != 0) continue;
        assert_true(count < BRANT__COUNT(names));
        snprintf(path, sizeof(path), "%s%s%s", folder, folder[0] ? "/" : "", entry->d_name);
        names[count++] = strdup(path);
    }
    closedir(listing);
    qsort(names, count, sizeof(*names), by_name);
    for (size_t i = 0; i < count; i++) {
        run_file(suite, names[i], totals);
        free(names[i]);
    }
}

static void suite_holds(void **state) {
    (void)state;
    const char *vectors = getenv("BRANT_VECTORS");
    char suite[1024];
    struct stat status;
    snprintf(suite, sizeof(suite), "%s/" SUITE,
             vectors ? vectors : BRANT_SOURCE_DIR "/../shared/vectors");
    if (stat(suite, &status) != 0) {
        print_message("skipped: there is no %s\n", suite);
        skip();
    }
    tally totals = {0};
    run_folder(suite, "", &totals);
    run_folder(suite, "optional", &totals);
    run_folder(suite, "optional/format", &totals);
    for (size_t i = 0; i < BRANT__COUNT(exceptions); i++) {
        if (!used[i])
            print_message("not in this copy of the suite: %s %s\n", exceptions[i].file,
                          exceptions[i].group ? exceptions[i].group : "");
    }
    print_message("%zu files, %zu groups, %zu tests; %zu groups out of scope; %zu tests wrong\n",
                  totals.files, totals.groups, totals.tests, totals.excepted, totals.wrong);
    assert_true(totals.groups > 0);
    assert_int_equal(totals.wrong, 0);
}

int main(void) {
    const struct CMUnitTest tests[] = {cmocka_unit_test(suite_holds)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
