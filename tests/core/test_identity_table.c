/*
 * tests/core/test_identity_table.c: the descriptions of the tables of identity agree with the file, with the specs of the operations and with what is answered; lists in pages.
 */
#include "support_plan.h"
#include "test_identity.h"

#include "identity/account.h"
#include "identity/member.h"
#include "identity/organization.h"

/* ---- descriptions and the file ----------------------------------------------------------------- */

static const char *type_of(const brant__column *column) {
    if (column->kind == BRANT__AS_INTEGER) return "INTEGER";
    return column->kind == BRANT__AS_BYTES ? "BLOB" : "TEXT";
}

static const brant__column *column_of(const brant__table *table, const char *name) {
    for (size_t i = 0; i < table->count; i++)
        if (strcmp(table->columns[i].name, name) == 0) return &table->columns[i];
    return NULL;
}

/* The columns of the file's table are those described, no more and no less. */
static void compare_columns(sqlite3 *db, const brant__table *table) {
    sqlite3_stmt *statement = NULL;
    size_t count = 0, described = 0;
    char *text = sqlite3_mprintf("PRAGMA table_xinfo(%s)", table->name);

    assert_int_equal(sqlite3_prepare_v2(db, text, -1, &statement, NULL), SQLITE_OK);
    while (sqlite3_step(statement) == SQLITE_ROW) {
        const char *name = (const char *)sqlite3_column_text(statement, 1);
        const brant__column *column = column_of(table, name);
        const bool key = sqlite3_column_int(statement, 5) > 0;
        count++;
        if (!column || column->virtual) fail_msg("%s.%s is not described", table->name, name);
        assert_string_equal(type_of(column), (const char *)sqlite3_column_text(statement, 2));
        if (!key && column->nullable == (sqlite3_column_int(statement, 3) != 0))
            fail_msg("%s.%s: NULL or not", table->name, name);
    }
    for (size_t i = 0; i < table->count; i++)
        described += !table->columns[i].virtual;
    assert_int_equal(count, described);
    sqlite3_finalize(statement);
    sqlite3_free(text);
}

/* `shown` is the columns that are, in their order. */
static void compare_shown(const brant__table *table) {
    char shown[1024] = "";
    for (size_t i = 0; i < table->count; i++) {
        const brant__column *column = &table->columns[i];
        if (column->secret || column->virtual) continue;
        if (*shown) strcat(shown, ", ");
        strcat(shown, column->name);
    }
    assert_string_equal(shown, table->shown);
}

static void descriptions_are_those_of_the_file(void **state) {
    const char *path = in_folder(*state, "a.db");
    sqlite3 *db = NULL;

    brant_db_free(must_open(path, ""));
    assert_int_equal(sqlite3_open(path, &db), SQLITE_OK);
    for (size_t i = 0; i < BRANT__IDENTITY_TABLES; i++) {
        compare_columns(db, brant__identity_tables[i]);
        compare_shown(brant__identity_tables[i]);
    }
    sqlite3_close(db);
}

/* ---- descriptions and the specs ---------------------------------------------------------------- */

static bool ignored(brant__text name) {
    return brant__text_equal(name, BRANT__TEXT("description")) ||
           brant__text_equal(name, BRANT__TEXT("$schema")) ||
           brant__text_equal(name, BRANT__TEXT("$defs")) ||
           brant__text_equal(name, BRANT__TEXT("actor"));
}

static bool same(yyjson_val *a, yyjson_val *b);

/* Every member of `a` is in `b`, and the same. */
static bool within(yyjson_val *a, yyjson_val *b) {
    size_t index, count;
    yyjson_val *key, *value;
    yyjson_obj_foreach(a, index, count, key, value) {
        if (ignored(brant__json_text(key))) continue;
        if (!same(value, yyjson_obj_getn(b, yyjson_get_str(key), yyjson_get_len(key))))
            return false;
    }
    return true;
}

static bool same(yyjson_val *a, yyjson_val *b) {
    if (yyjson_is_obj(a) && yyjson_is_obj(b)) return within(a, b) && within(b, a);
    return a && b && brant__json_equal(a, b);
}

static yyjson_val *schema_of(yyjson_val *schemas, const char *noun, const char *which) {
    return brant__json_get(brant__json_get(brant__json_get(schemas, "tables"), noun), which);
}

/* The spec of an operation. */
static yyjson_val *spec_of(yyjson_val *operations, const char *name) {
    size_t index, count;
    yyjson_val *spec;
    yyjson_arr_foreach(brant__json_get(operations, "items"), index, count, spec) {
        if (yyjson_equals_str(brant__json_get(spec, "name"), name)) return spec;
    }
    fail_msg("no operation %s", name);
    return NULL;
}

static yyjson_val *defined(yyjson_val *schema) {
    const brant__text reference = brant__json_get_text(schema, "$ref");
    char name[64];
    if (!reference.data) return schema;
    snprintf(name, sizeof(name), "%s", reference.data + strlen("#/$defs/"));
    return brant__json_get(brant__json_get(schema, "$defs"), name);
}

/* Of texts, without order. */
static bool same_words(yyjson_val *a, yyjson_val *b) {
    size_t index, other_index, count, other_count;
    yyjson_val *word, *other;
    if (yyjson_arr_size(a) != yyjson_arr_size(b)) return false;
    yyjson_arr_foreach(a, index, count, word) {
        bool found = false;
        yyjson_arr_foreach(b, other_index, other_count, other) {
            found = found || brant__json_equal(word, other);
        }
        if (!found) return false;
    }
    return true;
}

/* The type of a value that is no null. */
static brant__text type_in(yyjson_val *schema) {
    yyjson_val *type = brant__json_get(schema, "type");
    return brant__json_text(yyjson_is_arr(type) ? yyjson_arr_get(type, 0) : type);
}

/* The same members, of the same types and words; what else is said of them may be more in one. */
static bool alike(yyjson_val *a, yyjson_val *b) {
    yyjson_val *mine = brant__json_get(a, "properties"), *theirs = brant__json_get(b, "properties");
    const size_t actors = brant__json_get(theirs, "actor") != NULL;
    size_t index, count;
    yyjson_val *key, *value;
    if (yyjson_obj_size(mine) + actors != yyjson_obj_size(theirs)) return false;
    yyjson_obj_foreach(mine, index, count, key, value) {
        yyjson_val *other = yyjson_obj_getn(theirs, yyjson_get_str(key), yyjson_get_len(key));
        yyjson_val *words = brant__json_get(value, "enum"),
                   *other_words = brant__json_get(other, "enum");
        if (!other || !brant__text_equal(type_in(value), type_in(other))) return false;
        if (words && other_words && !brant__json_equal(words, other_words)) return false;
    }
    return same_words(brant__json_get(a, "required"), brant__json_get(b, "required"));
}

static void schemas_are_those_of_the_operations(void **state) {
    static const struct {
        const char *noun, *schema, *operation;
        bool loosely;
    } pairs[] = {
        {"accounts", "insert", "accounts.create", false},
        {"accounts", "update", "accounts.update", false},
        {"accounts", "select", "accounts.get", false},
        {"organizations", "insert", "organizations.create", false},
        {"organizations", "update", "organizations.update", false},
        {"organizations", "select", "organizations.get", false},
        {"members", "insert", "members.add", false},
        {"members", "update", "members.set_level", false},
        {"members", "select", "members.get", false},
        {"invitations", "insert", "invitations.create", true},
        {"invitations", "select", "invitations.get", true},
        {"api_keys", "insert", "api_keys.create", true},
        {"api_keys", "select", "api_keys.get", true},
        {"audit_logs", "insert", "audit.append", true},
        {"audit_logs", "select", "audit.get", true},
    };
    brant__json schemas = {0}, operations = {0};
    char *schemas_text = must_call(NULL, "identity.schemas", "{}", NULL);
    char *operations_text = must_call(NULL, "operations.list", "{}", NULL);

    (void)state;
    assert_int_equal(brant__json_parse(&schemas, TEXT(schemas_text), 0), BRANT_OK);
    assert_int_equal(brant__json_parse(&operations, TEXT(operations_text), 0), BRANT_OK);
    for (size_t i = 0; i < sizeof(pairs) / sizeof(*pairs); i++) {
        const bool selects = strcmp(pairs[i].schema, "select") == 0;
        yyjson_val *spec = spec_of(operations.root, pairs[i].operation);
        yyjson_val *wanted =
            defined(brant__json_get(spec, selects ? "output_schema" : "input_schema"));
        yyjson_val *schema = schema_of(schemas.root, pairs[i].noun, pairs[i].schema);
        if (pairs[i].loosely ? !alike(schema, wanted) : !same(schema, wanted))
            fail_msg("%s of %s is not as %s has it", pairs[i].schema, pairs[i].noun,
                     pairs[i].operation);
    }
    brant__json_free(&operations);
    brant__json_free(&schemas);
    brant_free(operations_text);
    brant_free(schemas_text);
}

/* ---- answers and the schemas ------------------------------------------------------------------- */

static void must_satisfy(brant_validator *validator, char *answer) {
    int accepted = 0;
    assert_int_equal(brant_validator_accepts(&accepted, validator, TEXT(answer)), BRANT_OK);
    if (!accepted) fail_msg("%s", answer);
    brant_free(answer);
}

static void rows_satisfy_their_schemas(void **state) {
    static const char *const calls[][3] = {
        {"accounts", "accounts.get", "{\"id\":\"" ANN "\"}"},
        {"organizations", "organizations.get", "{\"slug\":\"x\"}"},
        {"members", "members.get", "{" MEMBERSHIP(ORG, BOB) "}"},
    };
    brant_db *db = must_open_identity(state);
    brant__json schemas = {0};
    char *text = must_call(NULL, "identity.schemas", "{}", NULL);

    assert_int_equal(brant__json_parse(&schemas, TEXT(text), 0), BRANT_OK);
    for (size_t i = 0; i < sizeof(calls) / sizeof(*calls); i++) {
        brant_validator *validator = NULL;
        brant__buffer schema = {0};
        brant__buffer_append(&schema, TEXT("{\"schema\":"));
        brant__json_append(&schema, schema_of(schemas.root, calls[i][0], "select"));
        brant__buffer_append_byte(&schema, '}');
        assert_int_equal(brant_validator_open(&validator, schema.data, schema.length), BRANT_OK);
        must_satisfy(validator, must_call(db, calls[i][1], calls[i][2], NULL));
        brant_validator_free(validator);
        brant__buffer_free(&schema);
    }
    brant__json_free(&schemas);
    brant_free(text);
    brant_db_free(db);
}

/* ---- lists ------------------------------------------------------------------------------------- */

#define NONE ID("ff")

static void lists_come_in_pages(void **state) {
    brant_db *db = must_open_identity(state);
    char next[512];

    /* In order of id. */
    char *page = must_call(db, "accounts.list", "{\"limit\":2}", "{\"items\":[{\"id\":\"" ANN "\"");
    assert_non_null(strstr(page, "{\"id\":\"" ADMIN "\""));
    assert_null(strstr(page, BOB));
    const char *cursor = strstr(page, "\"cursor\":\"");
    assert_non_null(cursor);
    snprintf(next, sizeof(next), "{\"limit\":2,%.*s}", (int)(strlen(cursor) - 1), cursor);
    brant_free(page);
    must(db, "accounts.list", next, "{\"items\":[{\"id\":\"" BOB "\"");
    must_fail(db, "members.list", next, BRANT_INVALID, "the cursor is not one of this list");
    next[strlen(next) - 1] = 0;
    strcat(next, ",\"filter\":{\"status\":\"active\"}}");
    must_fail(db, "accounts.list", next, BRANT_INVALID, "the cursor is not one of this list");
    must(db, "accounts.list", "{}", "\"cursor\":null}");
    must(db, "accounts.list", "{\"limit\":6}", "\"cursor\":null}");
    must_fail(db, "accounts.list", "{\"limit\":0}", BRANT_INVALID, "limit");
    must_fail(db, "accounts.list", "{\"limit\":10001}", BRANT_INVALID, "limit");
    must_fail(db, "accounts.list", "{\"cursor\":\"x\"}", BRANT_INVALID, "cursor");
    brant_db_free(db);
}

static void lists_are_filtered(void **state) {
    brant_db *db = must_open_identity(state);

    must(db, "accounts.list", "{\"filter\":{\"access_level\":\"service\"}}",
         "{\"items\":[{\"id\":\"" EVE "\"");
    must(db, "accounts.list", "{\"filter\":{\"access_level\":\"service\",\"status\":\"inactive\"}}",
         "{\"items\":[],\"cursor\":null}");
    must_fail(db, "accounts.list", "{\"filter\":{\"email\":\"a@example.org\"}}", BRANT_INVALID,
              "email");
    must_fail(db, "accounts.list", "{\"filter\":{\"status\":null}}", BRANT_INVALID, "status");
    must(db, "organizations.list", "{\"filter\":{\"owner_id\":\"" ANN "\",\"status\":\"active\"}}",
         "{\"items\":[{\"id\":\"" ORG "\"");
    must(db, "organizations.list", "{\"filter\":{\"owner_id\":\"" BOB "\"}}", "{\"items\":[]");
    must(db, "members.list", "{\"filter\":{\"org_id\":\"" ORG "\",\"level\":\"viewer\"}}", DAN);
    must(db, "members.list", "{\"filter\":{\"account_id\":\"" CARA "\"}}", ORG);
    must(db, "members.list", "{\"filter\":{\"account_id\":\"" EVE "\"}}", "{\"items\":[]");
    /* The cursor of one filter's list goes on there alone. */
    char *page = must_call(db, "members.list", "{\"limit\":1,\"filter\":{\"org_id\":\"" ORG "\"}}",
                           "\"cursor\":\"");
    char next[1024];
    const char *cursor = strstr(page, "\"cursor\":\"");
    snprintf(next, sizeof(next), "{\"filter\":{\"org_id\":\"" ORG "\"},%.*s}",
             (int)(strlen(cursor) - 1), cursor);
    must(db, "members.list", next, "\"cursor\":null}");
    snprintf(next, sizeof(next), "{\"filter\":{\"org_id\":\"" OTHER "\"},%.*s}",
             (int)(strlen(cursor) - 1), cursor);
    must_fail(db, "members.list", next, BRANT_INVALID, "cursor");
    brant_free(page);
    brant_db_free(db);
}

/* ---- a list's own condition, null and integers ------------------------------------------------- */

static const brant__condition live = {"active",
                                      "revoked_at IS NULL AND ifnull(expires_at, 9e18) > ?1",
                                      "revoked_at IS NOT NULL OR expires_at <= ?1"};

/* The list of keys, or what it fails with. */
static brant_status list_keys(brant__buffer *out, brant_db *db, const char *input) {
    brant__json json = {0};
    brant__writer writer = {0};
    brant__arena arena = {0};
    brant_status status;

    brant__error_clear();
    assert_int_equal(brant__json_parse(&json, TEXT(input), 0), BRANT_OK);
    assert_int_equal(brant__enter(db), BRANT_OK);
    brant__call call = {.db = db, .input = json.root, .out = &writer, .arena = &arena};
    status = brant__table_list_by(&call, &brant__api_keys_table, "api_keys.list", &live);
    brant__buffer_append_byte(&writer.buffer, 0);
    brant__leave(db);
    brant__arena_free(&arena);
    brant__json_free(&json);
    *out = writer.buffer;
    return status;
}

static void must_list(brant_db *db, const char *input, const char *wanted, const char *unwanted) {
    brant__buffer answer = {0};
    if (list_keys(&answer, db, input) != BRANT_OK)
        fail_msg("%s: %s", input, brant_last_error()->message);
    if ((wanted && !strstr(answer.data, wanted)) || (unwanted && strstr(answer.data, unwanted)))
        fail_msg("%s: %s", input, answer.data);
    brant__buffer_free(&answer);
}

static void a_list_has_a_condition_of_its_own(void **state) {
    const char *path = in_folder(*state, "a.db");
    brant__buffer answer = {0};
    sqlite3 *other = NULL;

    brant_db_free(must_open(path, ""));
    assert_int_equal(sqlite3_open(path, &other), SQLITE_OK);
    assert_int_equal(
        sqlite3_exec(
            other,
            "INSERT INTO brant_api_keys (id, kid, type, scheme, hash, pepper_version, owner_id, "
            "org_id, name, scopes, expires_at, revoked_at, created_at, updated_at) VALUES "
            "('1', 'k1', 'key', 'brant1', x'00ff', 1, 'o', NULL, 'n', '[\"a:b\"]', NULL, NULL, 1, "
            "1), ('2', 'k2', 'key', 'brant1', x'00ff', 1, 'o', 'p', 'n', '[]', 5, NULL, 1, 1), "
            "('3', 'k3', 'key', 'brant1', x'00ff', 1, 'o', 'p', 'n', '[]', NULL, 7, 1, 1)",
            NULL, NULL, NULL),
        SQLITE_OK);
    sqlite3_close(other);
    brant_db *db = must_open(path, "");
    must_list(db, "{}",
              "{\"items\":[{\"id\":\"1\",\"kid\":\"k1\",\"type\":\"key\",\"scheme\":\"brant1\","
              "\"pepper_version\":1,\"owner_id\":\"o\",\"org_id\":null,\"name\":\"n\",\"scopes\":"
              "[\"a:b\"],\"expires_at\":null,\"revoked_at\":null,\"last_used_at\":null,"
              "\"rotated_from\":null,\"metadata\":{},\"created_at\":1,\"updated_at\":1},",
              "hash");
    must_list(db, "{\"filter\":{\"active\":true}}", "\"k1\"", "\"k2\"");
    must_list(db, "{\"filter\":{\"active\":false,\"org_id\":\"p\"},\"limit\":1}", "\"k2\"",
              "\"cursor\":null");
    must_list(db, "{\"filter\":{\"org_id\":null}}", "\"k1\"", "\"k3\"");
    assert_int_equal(list_keys(&answer, db, "{\"filter\":{\"active\":1}}"), BRANT_INVALID);
    brant__buffer_free(&answer);
    assert_int_equal(list_keys(&answer, db, "{\"filter\":{\"owner_id\":null}}"), BRANT_INVALID);
    brant__buffer_free(&answer);
    assert_int_equal(list_keys(&answer, db, "{\"filter\":{\"owner_id\":1}}"), BRANT_INVALID);
    brant__buffer_free(&answer);
    assert_int_equal(list_keys(&answer, db, "{\"filter\":{\"hash\":\"x\"}}"), BRANT_INVALID);
    brant__buffer_free(&answer);
    assert_int_equal(list_keys(&answer, db, "{\"filter\":[]}"), BRANT_INVALID);
    brant__buffer_free(&answer);
    brant_db_free(db);
}

/* ---- plans ------------------------------------------------------------------------------------- */

static void statements_find_their_rows_by_an_index(void **state) {
    static const brant__statements *const tables[] = {
        &brant__account_statements, &brant__organization_statements, &brant__member_statements,
        &brant__level_statements};
    const char *path = in_folder(*state, "a.db");

    brant_db_free(must_open(path, ""));
    for (size_t i = 0; i < sizeof(tables) / sizeof(*tables); i++)
        must_plan_well(path, tables[i]->sql, tables[i]->count);
}

/* A list by any one column that it may be filtered by neither sorts nor walks over all rows. */
static void lists_find_their_rows_by_an_index(void **state) {
    const char *path = in_folder(*state, "a.db");
    brant_db_free(must_open(path, ""));
    for (size_t i = 0; i + 1 < BRANT__IDENTITY_TABLES; i++) {
        const brant__table *table = brant__identity_tables[i];
        for (size_t c = 0; c < table->count; c++) {
            char sql[1024];
            const char *text = sql;
            if (!table->columns[c].filter) continue;
            snprintf(sql, sizeof(sql),
                     "SELECT %s FROM %s WHERE true AND %s = ? AND id > ? ORDER BY "
                     "id LIMIT ?",
                     table->shown, table->name, table->columns[c].name);
            must_plan_well(path, &text, 1);
        }
    }
}

#define TEST(test) cmocka_unit_test_setup_teardown(test, set_up_folder, tear_down_folder)

int main(void) {
    const struct CMUnitTest tests[] = {
        TEST(descriptions_are_those_of_the_file),
        TEST(schemas_are_those_of_the_operations),
        TEST(rows_satisfy_their_schemas),
        TEST(lists_come_in_pages),
        TEST(lists_are_filtered),
        TEST(a_list_has_a_condition_of_its_own),
        TEST(statements_find_their_rows_by_an_index),
        TEST(lists_find_their_rows_by_an_index),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
