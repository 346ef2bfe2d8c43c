/*
 * Lists by filter and order, as against an evaluation in memory; indexes on attributes in their plans; searches.
 */
#include "test_graph.h"

#define NODES 300

static const char *const node_module = "{\"$id\":\"shop\",\"$defs\":{"
                                       "\"ItemNode\":{\"type\":\"object\",\"properties\":{}},"
                                       "\"OtherNode\":{\"type\":\"object\",\"properties\":{}},"
                                       "\"NextEdge\":{\"type\":\"object\",\"properties\":{}},"
                                       "\"LikesEdge\":{\"type\":\"object\",\"properties\":{}}}}";

/* ---- an evaluation in memory ----------------------------------------------------------------- */

static unsigned long long seed = 88172645463325252ULL;

static unsigned pick(unsigned below) {
    seed ^= seed << 13;
    seed ^= seed >> 7;
    seed ^= seed << 17;
    return (unsigned)(seed >> 20) % below;
}

static const char *const values[] = {"null",
                                     "false",
                                     "true",
                                     "0",
                                     "1",
                                     "-1",
                                     "0.5",
                                     "1.5",
                                     "2",
                                     "9007199254740992",
                                     "9007199254740993",
                                     "9223372036854775807",
                                     "-9223372036854775808",
                                     "1e300",
                                     "\"\"",
                                     "\"a\"",
                                     "\"ab\"",
                                     "\"b\"",
                                     "\"B\"",
                                     "\"[1]\"",
                                     "\"{}\"",
                                     "\"\\u00e9\"",
                                     "\"a\\u0000\"",
                                     "\"1\"",
                                     "[]",
                                     "[1]",
                                     "[1,\"a\",null]",
                                     "{}",
                                     "{\"x\":1}",
                                     "{\"x\":1.0,\"y\":[true]}"};

static int kind_of(yyjson_val *value) {
    if (!value || yyjson_is_null(value)) return 0;
    if (yyjson_is_bool(value)) return yyjson_get_bool(value) ? 2 : 1;
    if (yyjson_is_num(value)) return 3;
    return yyjson_is_str(value) ? 4 : 5;
}

static int compare_numbers(yyjson_val *a, yyjson_val *b) {
    long double left = yyjson_is_real(a)   ? (long double)yyjson_get_real(a)
                       : yyjson_is_sint(a) ? (long double)yyjson_get_sint(a)
                                           : (long double)yyjson_get_uint(a);
    long double right = yyjson_is_real(b)   ? (long double)yyjson_get_real(b)
                        : yyjson_is_sint(b) ? (long double)yyjson_get_sint(b)
                                            : (long double)yyjson_get_uint(b);

    return left < right ? -1 : left > right;
}

/* In the order of lists. */
static int compare(yyjson_val *a, yyjson_val *b) {
    int order = kind_of(a) - kind_of(b);

    if (order || kind_of(a) < 3) return order;
    if (kind_of(a) == 3) return compare_numbers(a, b);
    if (kind_of(a) == 4) return brant__text_compare(brant__json_text(a), brant__json_text(b));
    {
        brant__buffer left = {0}, right = {0};
        brant__json_append(&left, a);
        brant__json_append(&right, b);
        order = brant__text_compare(brant__text_of(left.data, left.length),
                                    brant__text_of(right.data, right.length));
        brant__buffer_free(&left);
        brant__buffer_free(&right);
    }
    return order;
}

static bool equal(yyjson_val *stored, yyjson_val *wanted) {
    if (!stored) return yyjson_is_null(wanted);
    return brant__json_equal(stored, wanted);
}

static bool in_order(yyjson_val *stored, yyjson_val *wanted) {
    int a = kind_of(stored), b = kind_of(wanted);

    return a == b || ((a == 1 || a == 2) && (b == 1 || b == 2));
}

static bool matches_operator(yyjson_val *stored, const char *name, yyjson_val *operand);

static bool matches_field(yyjson_val *stored, yyjson_val *condition) {
    size_t index, count;
    yyjson_val *name, *operand;
    bool all = true;

    if (!yyjson_is_obj(condition) || yyjson_obj_size(condition) == 0 ||
        yyjson_get_str(unsafe_yyjson_get_first(condition))[0] != '$')
        return equal(stored, condition);
    yyjson_obj_foreach(condition, index, count, name, operand) {
        all = all && matches_operator(stored, yyjson_get_str(name), operand);
    }
    return all;
}

static bool matches_operator(yyjson_val *stored, const char *name, yyjson_val *operand) {
    size_t index, count;
    yyjson_val *item;

    if (strcmp(name, "$eq") == 0) return equal(stored, operand);
    if (strcmp(name, "$ne") == 0) return !equal(stored, operand);
    if (strcmp(name, "$not") == 0) return !matches_field(stored, operand);
    if (strcmp(name, "$exists") == 0) return (stored != NULL) == yyjson_get_bool(operand);
    if (strcmp(name, "$in") == 0 || strcmp(name, "$nin") == 0) {
        yyjson_arr_foreach(operand, index, count, item) {
            if (equal(stored, item)) return name[1] == 'i';
        }
        return name[1] != 'i';
    }
    if (strcmp(name, "$prefix") == 0)
        return yyjson_is_str(stored) && yyjson_get_len(stored) >= yyjson_get_len(operand) &&
               memcmp(yyjson_get_str(stored), yyjson_get_str(operand), yyjson_get_len(operand)) ==
                   0;
    if (strcmp(name, "$contains") == 0) {
        if (yyjson_is_str(stored) && yyjson_is_str(operand))
            return memmem(yyjson_get_str(stored), yyjson_get_len(stored), yyjson_get_str(operand),
                          yyjson_get_len(operand)) != NULL;
        yyjson_arr_foreach(stored, index, count, item) {
            if (equal(item, operand)) return true;
        }
        return false;
    }
    if (!stored || !in_order(stored, operand)) return false;
    if (strcmp(name, "$gt") == 0) return compare(stored, operand) > 0;
    if (strcmp(name, "$gte") == 0) return compare(stored, operand) >= 0;
    if (strcmp(name, "$lt") == 0) return compare(stored, operand) < 0;
    assert_string_equal(name, "$lte");
    return compare(stored, operand) <= 0;
}

/* Attributes are {"a": .., "b": ..}; paths are attributes.a and attributes.b. */
static bool matches(yyjson_val *attributes, yyjson_val *filter) {
    size_t index, count, at, items;
    yyjson_val *name, *value, *item;
    bool all = true;

    yyjson_obj_foreach(filter, index, count, name, value) {
        const char *text = yyjson_get_str(name);
        bool holds_here;
        if (strcmp(text, "$and") == 0) {
            holds_here = true;
            yyjson_arr_foreach(value, at, items, item) {
                holds_here = holds_here && matches(attributes, item);
            }
        } else if (strcmp(text, "$or") == 0) {
            holds_here = false;
            yyjson_arr_foreach(value, at, items, item) {
                holds_here = holds_here || matches(attributes, item);
            }
        } else if (strcmp(text, "$not") == 0) {
            holds_here = !matches(attributes, value);
        } else {
            holds_here =
                matches_field(yyjson_obj_get(attributes, text + strlen("attributes.")), value);
        }
        all = all && holds_here;
    }
    return all;
}

/* ---- filters made at random ------------------------------------------------------------------ */

static const char *any_value(void) {
    return values[pick(sizeof(values) / sizeof(*values))];
}

static void write_operator(brant__buffer *out) {
    static const char *const ordered[] = {"$gt", "$gte", "$lt", "$lte"};
    static const char *const texts[] = {"\"\"", "\"a\"", "\"[\"", "\"ab\"", "\"\\u0000\""};

    switch (pick(9)) {
    case 0:
        brant__buffer_format(out, "\"$eq\":%s", any_value());
        break;
    case 1:
        brant__buffer_format(out, "\"$ne\":%s", any_value());
        break;
    case 2:
    case 3:
        brant__buffer_format(out, "\"%s\":%s", ordered[pick(4)], values[1 + pick(23)]);
        break;
    case 4:
    case 5:
        brant__buffer_format(out, "\"$%sin\":[", pick(2) ? "" : "n");
        for (unsigned i = pick(6), first = 1; i > 0; i--, first = 0)
            brant__buffer_format(out, "%s%s", first ? "" : ",", any_value());
        brant__buffer_format(out, "]");
        break;
    case 6:
        brant__buffer_format(out, "\"$exists\":%s", pick(2) ? "true" : "false");
        break;
    case 7:
        brant__buffer_format(out, "\"$prefix\":%s", texts[pick(5)]);
        break;
    default:
        brant__buffer_format(out, "\"$contains\":%s", pick(2) ? texts[pick(5)] : any_value());
        break;
    }
}

static void write_filter(brant__buffer *out, unsigned depth) {
    static const char *const fields[] = {"a", "b"};
    unsigned what = pick(depth > 2 ? 4 : 7);

    brant__buffer_format(out, "{");
    if (what < 4) {
        for (unsigned field = pick(2), last = field + (pick(4) == 0 && field == 0); field <= last;
             field++) {
            brant__buffer_format(out, "\"attributes.%s\":", fields[field]);
            if (what == 0) {
                brant__buffer_format(out, "%s", any_value());
            } else if (what == 1) {
                brant__buffer_format(out, "{\"$not\":{");
                write_operator(out);
                brant__buffer_format(out, "}}");
            } else {
                brant__buffer_format(out, "{");
                write_operator(out);
                brant__buffer_format(out, "}");
            }
            if (field < last) brant__buffer_format(out, ",");
        }
    } else if (what == 4) {
        brant__buffer_format(out, "\"$not\":");
        write_filter(out, depth + 1);
    } else {
        brant__buffer_format(out, what == 5 ? "\"$and\":[" : "\"$or\":[");
        for (unsigned i = 1 + pick(3), first = 1; i > 0; i--, first = 0) {
            if (!first) brant__buffer_format(out, ",");
            write_filter(out, depth + 1);
        }
        brant__buffer_format(out, "]");
    }
    brant__buffer_format(out, "}");
}

/* ---- what is stored -------------------------------------------------------------------------- */

typedef struct stored {
    char key[16];
    brant__json attributes;
} stored;

static stored nodes[NODES];

static void add_nodes(brant_db *db, const char *graph, const char *type) {
    brant__buffer items = {0};
    char *text;

    brant__buffer_format(&items, "{\"graph\":\"%s\",\"items\":[", graph);
    for (int i = 0; i < NODES; i++) {
        brant__buffer attributes = {0};
        snprintf(nodes[i].key, sizeof(nodes[i].key), "n%03d", (i * 7) % NODES);
        brant__buffer_format(&attributes, "{");
        if (pick(5)) brant__buffer_format(&attributes, "\"a\":%s,", any_value());
        if (pick(5)) brant__buffer_format(&attributes, "\"b\":%s,", any_value());
        brant__buffer_format(&attributes, "\"c\":%d}", i);
        assert_int_equal(
            brant__json_parse(&nodes[i].attributes, attributes.data, attributes.length, 0),
            BRANT_OK);
        brant__buffer_format(&items, "%s{\"key\":\"%s\",", i ? "," : "", nodes[i].key);
        if (type) brant__buffer_format(&items, "\"type\":\"%s\",", type);
        brant__buffer_format(&items, "\"attributes\":%.*s}", (int)attributes.length,
                             attributes.data);
        brant__buffer_free(&attributes);
    }
    brant__buffer_format(&items, "]}");
    brant__buffer_append_byte(&items, 0);
    text = items.data;
    holds(db, "nodes.put_many", "\"created\":300", "%s", text);
    brant__buffer_free(&items);
}

static void forget_nodes(void) {
    for (int i = 0; i < NODES; i++)
        brant__json_free(&nodes[i].attributes);
}

static const char *order_field;
static bool order_down;

static int by_order(const void *a, const void *b) {
    const stored *left = *(const stored *const *)a, *right = *(const stored *const *)b;
    int order = order_field ? compare(yyjson_obj_get(left->attributes.root, order_field),
                                      yyjson_obj_get(right->attributes.root, order_field))
                            : 0;

    if (order == 0) order = strcmp(left->key, right->key);
    return order_down ? -order : order;
}

/* All pages of a list are what the evaluation in memory finds, in its order. */
static void check_list(brant_db *db, const char *graph, const char *type, const char *filter,
                       const char *field, bool down) {
    const stored *wanted[NODES];
    size_t count = 0, at = 0;
    brant__json parsed_filter = parsed(filter);
    char cursor[4096] = "", members[300] = "";

    for (int i = 0; i < NODES; i++)
        if (matches(nodes[i].attributes.root, parsed_filter.root)) wanted[count++] = &nodes[i];
    order_field = field;
    order_down = down;
    qsort(wanted, count, sizeof(*wanted), by_order);
    if (field) snprintf(members, sizeof(members), ",\"order_by\":\"attributes.%s\"", field);
    if (down) strcat(members, ",\"descending\":true");
    if (type) sprintf(members + strlen(members), ",\"type\":\"%s\"", type);
    for (;;) {
        const char *text =
            answer(db, "nodes.list", "{\"graph\":\"%s\",\"limit\":%u,\"filter\":%s%s%s}", graph,
                   1 + pick(40), filter, members, cursor);
        brant__json page = parsed(text);
        size_t index, items;
        yyjson_val *item, *next;
        yyjson_arr_foreach(brant__json_get(page.root, "items"), index, items, item) {
            const char *key = yyjson_get_str(brant__json_get(item, "key"));
            if (at >= count || strcmp(key, wanted[at]->key) != 0)
                fail_msg("%s by %s%s: item %zu is %s, not %s", filter, field ? field : "key",
                         down ? " down" : "", at, key, at < count ? wanted[at]->key : "none");
            at++;
        }
        next = brant__json_get(page.root, "cursor");
        if (yyjson_is_null(next)) {
            brant__json_free(&page);
            break;
        }
        snprintf(cursor, sizeof(cursor), ",\"cursor\":\"%s\"", yyjson_get_str(next));
        brant__json_free(&page);
    }
    if (at != count) fail_msg("%s: %zu of %zu items", filter, at, count);
    {
        char answered[40];
        snprintf(answered, sizeof(answered), "{\"count\":%zu}", count);
        is(db, "nodes.count", answered, "{\"graph\":\"%s\",\"filter\":%s}", graph, filter);
    }
    brant__json_free(&parsed_filter);
}

static void check_random(brant_db *db, const char *graph, const char *type, int times) {
    static const char *const orders[] = {NULL, "a", "b", "c"};
    brant__buffer filter = {0};

    for (int i = 0; i < times; i++) {
        brant__buffer_reset(&filter);
        write_filter(&filter, 0);
        brant__buffer_append_byte(&filter, 0);
        check_list(db, graph, type, filter.data, orders[pick(4)], pick(2));
    }
    brant__buffer_free(&filter);
}

static void test_oracle(void **state) {
    brant_db *db = must_open(in_folder(*state, "a.db"), "");

    define(db, node_module);
    holds(db, "graphs.create", "\"id\"", "{\"name\":\"g\",\"graph_type\":\"open\"}");
    holds(db, "graphs.create", "\"id\"", "{\"name\":\"s\",\"graph_type\":\"shop\"}");
    add_nodes(db, "g", NULL);
    check_random(db, "g", NULL, 400);
    holds(db, "indexes.create", "\"node_type\":null",
          "{\"graph_type\":\"open\",\"of\":\"nodes\",\"paths\":[\"attributes.a\"]}");
    holds(db, "indexes.create", "\"id\"",
          "{\"graph_type\":\"open\",\"of\":\"nodes\",\"paths\":[\"attributes.b\","
          "\"attributes.a\"]}");
    check_random(db, "g", NULL, 400);
    holds(db, "db.maintain", "{", "{}"); /* with statistics */
    check_random(db, "g", NULL, 200);
    forget_nodes();
    holds(db, "indexes.create", "\"node_type\":\"Item\"",
          "{\"graph_type\":\"shop\",\"node_type\":\"Item\",\"paths\":[\"attributes.a\"]}");
    add_nodes(db, "s", "Item"); /* kept in step */
    check_random(db, "s", "Item", 400);
    healthy(db);
    forget_nodes();
    brant_db_free(db);
}

/* ---- plans ----------------------------------------------------------------------------------- */

static void test_plans(void **state) {
    static const char *const used[] = {
        "\"filter\":{\"attributes.a\":\"x\"}",
        "\"filter\":{\"attributes.a\":{\"$in\":[\"x\",\"y\"]}}",
        "\"filter\":{\"attributes.a\":{\"$gte\":1,\"$lt\":5}}",
        "\"filter\":{\"attributes.a\":{\"$prefix\":\"x\"}}",
        "\"filter\":{\"attributes.a\":null}",
        "\"filter\":{\"attributes.a\":true}",
        "\"filter\":{\"attributes.a\":\"x\",\"attributes.b\":{\"$gt\":3}}",
        "\"order_by\":\"attributes.a\"",
        "\"order_by\":\"attributes.a\",\"descending\":true",
        "\"order_by\":\"attributes.a\",\"filter\":{\"attributes.a\":{\"$gte\":1,\"$lt\":5}}",
        "\"order_by\":\"attributes.a\",\"filter\":{\"attributes.a\":{\"$prefix\":\"x\"}}",
        "\"order_by\":\"attributes.b\",\"filter\":{\"attributes.a\":\"x\"}",
    };
    brant_db *db = must_open(in_folder(*state, "a.db"), "");

    define(db, node_module);
    holds(db, "graphs.create", "\"id\"", "{\"name\":\"s\",\"graph_type\":\"shop\"}");
    holds(db, "nodes.explain", "\"indexes\":[],\"scan\":true",
          "{\"graph\":\"s\",\"type\":\"Item\",%s}", used[0]);
    is(db, "nodes.list", "{\"items\":[],\"cursor\":null}", "{\"graph\":\"s\",\"type\":\"Item\",%s}",
       used[0]);
    add_nodes(db, "s", "Item");
    holds(db, "indexes.create", "\"name\":\"shop.Item.attributes.a,attributes.b\"",
          "{\"graph_type\":\"shop\",\"node_type\":\"Item\",\"paths\":[\"attributes.a\","
          "\"attributes.b\"]}");
    holds(db, "indexes.create", "\"name\":\"a\"",
          "{\"graph_type\":\"shop\",\"node_type\":\"Item\",\"paths\":[\"attributes.a\"],"
          "\"name\":\"a\"}");
    for (int statistics = 0; statistics < 2; statistics++) {
        for (size_t i = 0; i < sizeof(used) / sizeof(*used); i++) {
            const char *text =
                answer(db, "nodes.explain", "{\"graph\":\"s\",\"type\":\"Item\",%s}", used[i]);
            if (strstr(text, "\"indexes\":[]")) fail_msg("%s: %s", used[i], text);
            if (strstr(used[i], "order_by") && strstr(text, "TEMP B-TREE"))
                fail_msg("%s sorts: %s", used[i], text);
            if (!strstr(text, "\"scan\":false")) fail_msg("%s: %s", used[i], text);
        }
        /* The type inside the filter is as good. */
        holds(db, "nodes.explain", "attribute_index_",
              "{\"graph\":\"s\",\"filter\":{\"type\":\"Item\",\"attributes.a\":\"x\"}}");
        holds(db, "nodes.explain", "\"scan\":true",
              "{\"graph\":\"s\",\"type\":\"Other\",\"filter\":{\"attributes.a\":\"x\"}}");
        holds(db, "db.maintain", "{", "{}");
    }
    forget_nodes();
    brant_db_free(db);
}

/* ---- edges ----------------------------------------------------------------------------------- */

static void keys(brant_db *db, const char *members, const char *wanted) {
    brant__buffer got = {0};
    char cursor[2048] = "";

    for (;;) {
        brant__json page = parsed(answer(db, "edges.list", "{\"graph\":\"s\",\"limit\":2%s%s%s}",
                                         *members ? "," : "", members, cursor));
        size_t index, count;
        yyjson_val *item, *next;
        yyjson_arr_foreach(brant__json_get(page.root, "items"), index, count, item) {
            brant__text key = brant__json_get_text(item, "key");
            if (got.length) brant__buffer_append_byte(&got, ' ');
            brant__buffer_append(&got, key.data, key.length);
        }
        next = brant__json_get(page.root, "cursor");
        cursor[0] = 0;
        if (yyjson_is_str(next))
            snprintf(cursor, sizeof(cursor), ",\"cursor\":\"%s\"", yyjson_get_str(next));
        brant__json_free(&page);
        if (!cursor[0]) break;
    }
    brant__buffer_append_byte(&got, 0);
    if (strcmp(got.data, wanted) != 0) fail_msg("%s: %s is not %s", members, got.data, wanted);
    brant__buffer_free(&got);
}

static void check_edges(brant_db *db) {
    keys(db, "", "e1 [\"a\",\"Next\",\"c\"] e3 e4 e5");
    keys(db, "\"filter\":{\"attributes.w\":{\"$gte\":2}}", "[\"a\",\"Next\",\"c\"] e3 e4");
    keys(db, "\"filter\":{\"attributes.w\":{\"$gte\":2}},\"descending\":true",
         "e4 e3 [\"a\",\"Next\",\"c\"]");
    keys(db, "\"order_by\":\"attributes.w\"", "e5 e1 e4 [\"a\",\"Next\",\"c\"] e3");
    keys(db, "\"order_by\":\"attributes.w\",\"descending\":true",
         "e3 [\"a\",\"Next\",\"c\"] e4 e1 e5");
    keys(db, "\"order_by\":\"attributes.w\",\"filter\":{\"attributes.w\":2}",
         "e4 [\"a\",\"Next\",\"c\"]");
    keys(db, "\"order_by\":\"key\"", "[\"a\",\"Next\",\"c\"] e1 e3 e4 e5");
    keys(db, "\"order_by\":\"source\"", "e1 [\"a\",\"Next\",\"c\"] e4 e3 e5");
    keys(db, "\"order_by\":\"target\",\"descending\":true", "e3 [\"a\",\"Next\",\"c\"] e5 e1 e4");
    keys(db, "\"order_by\":\"type\"", "e4 e5 e1 [\"a\",\"Next\",\"c\"] e3");
    keys(db, "\"filter\":{\"source\":\"a\"}", "e1 [\"a\",\"Next\",\"c\"]");
    keys(db, "\"filter\":{\"source\":{\"$in\":[\"a\",\"c\",7]},\"type\":\"Next\"}",
         "e1 [\"a\",\"Next\",\"c\"]");
    keys(db, "\"filter\":{\"target\":{\"$gt\":\"b\"}}", "[\"a\",\"Next\",\"c\"] e3");
    keys(db, "\"filter\":{\"target\":{\"$ne\":\"c\"}}", "e1 e4 e5");
    keys(db, "\"filter\":{\"source\":\"nobody\"}", "");
    keys(db, "\"filter\":{\"key\":\"e3\"}", "e3");
    keys(db, "\"filter\":{\"key\":\"[\\\"a\\\",\\\"Next\\\",\\\"c\\\"]\"}",
         "[\"a\",\"Next\",\"c\"]");
    keys(db, "\"filter\":{\"key\":\"[\\\"a\\\", \\\"Next\\\",\\\"c\\\"]\"}", "");
    keys(db, "\"filter\":{\"key\":{\"$in\":[\"e4\",\"[\\\"a\\\",\\\"Next\\\",\\\"c\\\"]\",1]}}",
         "[\"a\",\"Next\",\"c\"] e4");
    keys(db, "\"filter\":{\"key\":{\"$nin\":[\"e4\",\"[\\\"a\\\",\\\"Next\\\",\\\"c\\\"]\"]}}",
         "e1 e3 e5");
    keys(db, "\"filter\":{\"key\":{\"$in\":[]}}", "");
    keys(db, "\"filter\":{\"key\":{\"$prefix\":\"[\\\"a\"}}", "[\"a\",\"Next\",\"c\"]");
    keys(db, "\"filter\":{\"key\":{\"$gte\":\"e4\"}}", "e4 e5");
    keys(db, "\"filter\":{\"key\":{\"$contains\":\"Next\"}}", "[\"a\",\"Next\",\"c\"]");
    keys(db, "\"type\":\"Next\",\"filter\":{\"attributes.w\":{\"$gte\":0}}",
         "e1 [\"a\",\"Next\",\"c\"] e3");
    keys(db, "\"source\":\"a\",\"filter\":{\"attributes.w\":2}", "[\"a\",\"Next\",\"c\"]");
    keys(db, "\"target\":\"c\",\"filter\":{\"attributes.w\":3}", "e3");
    keys(db,
         "\"source\":\"a\",\"target\":\"c\",\"filter\":{\"attributes.w\":2},"
         "\"order_by\":\"attributes.w\"",
         "[\"a\",\"Next\",\"c\"]");
    is(db, "edges.count", "{\"count\":3}",
       "{\"graph\":\"s\",\"filter\":{\"attributes.w\":{\"$gte\":2}}}");
    is(db, "edges.count", "{\"count\":2}",
       "{\"graph\":\"s\",\"type\":\"Next\",\"filter\":{\"attributes.w\":{\"$gte\":2}}}");
}

static void test_edges(void **state) {
    static const char *const edges[] = {
        "\"key\":\"e4\",\"source\":\"b\",\"target\":\"a\",\"type\":\"Likes\","
        "\"attributes\":{\"w\":2}",
        "\"key\":\"e1\",\"source\":\"a\",\"target\":\"b\",\"type\":\"Next\","
        "\"attributes\":{\"w\":1}",
        "\"source\":\"a\",\"target\":\"c\",\"type\":\"Next\",\"attributes\":{\"w\":2}",
        "\"key\":\"e3\",\"source\":\"b\",\"target\":\"c\",\"type\":\"Next\","
        "\"attributes\":{\"w\":3}",
        "\"key\":\"e5\",\"source\":\"c\",\"target\":\"b\",\"type\":\"Likes\"",
    };
    brant_db *db = must_open(in_folder(*state, "a.db"), "");

    define(db, node_module);
    for (int i = 0; i < 2; i++) {
        const char *graph = i ? "s" : "large";
        holds(db, "graphs.create", "\"id\"", "{\"name\":\"%s\",\"graph_type\":\"shop\"}", graph);
        for (const char *key = "abc"; *key; key++)
            holds(db, "nodes.put", "true", "{\"graph\":\"%s\",\"key\":\"%c\",\"type\":\"Item\"}",
                  graph, *key);
    }
    for (int i = 0; i < 40; i++) /* so that the other is a small part of the file */
        holds(db, "edges.put", "revision",
              "{\"graph\":\"large\",\"source\":\"a\",\"target\":\"b\",\"type\":\"%s\","
              "\"attributes\":{\"w\":2}}",
              i % 2 ? "Next" : "Likes");
    for (size_t i = 0; i < sizeof(edges) / sizeof(*edges); i++)
        holds(db, "edges.put", "true", "{\"graph\":\"s\",%s}", edges[i]);
    check_edges(db);
    holds(db, "edges.explain", "\"indexes\":[],\"scan\":true",
          "{\"graph\":\"s\",\"filter\":{\"attributes.w\":2}}");
    holds(db, "indexes.create", "\"edge_type\":\"Next\"",
          "{\"graph_type\":\"shop\",\"edge_type\":\"Next\",\"paths\":[\"attributes.w\"],"
          "\"name\":\"w\"}");
    check_edges(db);
    holds(db, "edges.explain", "\"indexes\":[\"w\"],\"scan\":false",
          "{\"graph\":\"s\",\"type\":\"Next\",\"filter\":{\"attributes.w\":2}}");
    {
        const char *text = answer(db, "edges.explain",
                                  "{\"graph\":\"s\",\"type\":\"Next\",\"order_by\":"
                                  "\"attributes.w\"}");
        assert_non_null(strstr(text, "\"indexes\":[\"w\"]"));
        assert_null(strstr(text, "TEMP B-TREE"));
    }
    fails(db, "edges.list", BRANT_INVALID, "none of key",
          "{\"graph\":\"s\",\"order_by\":\"weight\"}");
    fails(db, "edges.list", BRANT_INVALID, "not one of this list",
          "{\"graph\":\"s\",\"filter\":{},\"cursor\":\"AAAA\"}");
    healthy(db);
    brant_db_free(db);
}

/* ---- limits ---------------------------------------------------------------------------------- */

static void test_limits(void **state) {
    brant_db *db = must_open(in_folder(*state, "a.db"), "");
    char *text = malloc(800001), *filter = malloc(1200000), *end = filter, path[480];

    memset(text, 'x', 800000);
    text[800000] = 0;
    holds(db, "graphs.create", "\"id\"", "{\"name\":\"g\",\"graph_type\":\"open\"}");
    holds(db, "nodes.put", "true", "{\"graph\":\"g\",\"key\":\"a\",\"attributes\":{\"v\":\"%s\"}}",
          text);
    /* The cursor would hold the value; without one there is no need. */
    holds(db, "nodes.list", "\"cursor\":null",
          "{\"graph\":\"g\",\"order_by\":\"attributes.v\",\"limit\":1}");
    holds(db, "nodes.put", "true", "{\"graph\":\"g\",\"key\":\"b\",\"attributes\":{\"v\":\"y\"}}");
    fails(db, "nodes.list", BRANT_LIMIT, "more than 700000 bytes",
          "{\"graph\":\"g\",\"order_by\":\"attributes.v\",\"limit\":1}");
    holds(db, "nodes.list", "\"key\":\"b\"",
          "{\"graph\":\"g\",\"order_by\":\"attributes.v\",\"limit\":2}");
    /* Long paths, many times. */
    memset(path, 'p', sizeof(path) - 1);
    path[sizeof(path) - 1] = 0;
    end += sprintf(end, "{\"$or\":[");
    for (int i = 0; i < 1000; i++)
        end += sprintf(end, "%s{\"attributes.%s%d\":{\"$gt\":1}}", i ? "," : "", path, i);
    strcpy(end, "]}");
    fails(db, "nodes.count", BRANT_LIMIT, "an SQL text of more than",
          "{\"graph\":\"g\",\"filter\":%s}", filter);
    fails(db, "nodes.list", BRANT_LIMIT, "an SQL text of more than",
          "{\"graph\":\"g\",\"filter\":%s}", filter);
    fails(db, "nodes.list", BRANT_INVALID, "at most 512 bytes",
          "{\"graph\":\"g\",\"order_by\":\"attributes.%s%s\"}", path, path);
    /* Cursors that were made up. */
    for (int i = 0; i < 200; i++) {
        brant__json page = parsed(answer(db, "nodes.list",
                                         "{\"graph\":\"g\",\"descending\":true,"
                                         "\"order_by\":\"attributes.v\",\"limit\":1}"));
        char cursor[200], *made = NULL;
        size_t made_len = 0;
        assert_true(yyjson_get_len(brant__json_get(page.root, "cursor")) < sizeof(cursor));
        strcpy(cursor, yyjson_get_str(brant__json_get(page.root, "cursor")));
        brant__json_free(&page);
        for (unsigned times = 1 + pick(3); times > 0; times--)
            cursor[pick((unsigned)strlen(cursor))] = "ABCDEFGHabcdefgh0189+/"[pick(22)];
        snprintf(filter, 1000,
                 "{\"graph\":\"g\",\"descending\":true,\"order_by\":\"attributes.v\",\"limit\":1,"
                 "\"cursor\":\"%s\"}",
                 cursor);
        if (brant_call(&made, &made_len, db, "nodes.list", 10, filter, strlen(filter)) != BRANT_OK)
            assert_int_equal(brant_last_error()->code, BRANT_INVALID);
        brant_free(made);
    }
    free(text);
    free(filter);
    brant_db_free(db);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        GRAPH_TEST(test_oracle),
        GRAPH_TEST(test_plans),
        GRAPH_TEST(test_edges),
        GRAPH_TEST(test_limits),
    };
    return cmocka_run_group_tests_name("query", tests, NULL, NULL);
}
