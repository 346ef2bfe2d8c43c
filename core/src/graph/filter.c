/*
 * graph/filter.c: filters: read into a tree, written as SQL, bound.
 *
 * One walk writes the text and the same walk binds the values, so that both agree. Comparisons of a deep path are written
 * `value op ? AND kind = k`: an index has kind and value of each path, and both terms are found in it. Types are compared here, against those that
 * the graph type has, so that the text names row ids, as the condition of a partial index does. Lists of conditions are written as balanced trees, since SQLite bounds the depth of an
 * expression.
 */
#define _GNU_SOURCE
#include <stdio.h>
#include <stdlib.h>

#include "graph/filter.h"

#define FILTER_DEPTH  32
#define FILTER_TERMS  1000
#define FILTER_VALUES 10000
#define POLL_MASK     4095

enum { ALL, ANY, NOT, TERM };
enum { EQ, NE, GT, GTE, LT, LTE, IN, NIN, EXISTS, PREFIX, CONTAINS };

typedef struct node {
    int kind;
    struct node **children; /* of NOT: one */
    size_t count;
    /* a term */
    brant__path path;
    int relation;
    yyjson_val *value;
    brant__text
        text; /* $prefix: the first text after all that have it; JSON of a composite value */
    const brant__edge_ends *ends; /* an edge's key that is the text of its ends */
    brant__text pointer;          /* in the input, of a path that some type encrypts */
} node;

struct brant__filter {
    int kind;
    int64_t graph_row;
    const brant__type *type; /* not for binding */
    bool ends;               /* names keys or ends of edges */
    node *root;
};

/* ---- reading --------------------------------------------------------------------------------- */

typedef struct parser {
    brant__call *call;
    brant__filter *filter;
    const brant__graph *graph;
    brant__buffer pointer;
    size_t terms;
    size_t values;
    bool encrypts;  /* some type does */
    size_t path;    /* how much of the pointer is that of the path in hand */
    bool encrypted; /* a term has a pointer */
} parser;

static const struct {
    const char *name;
    int relation;
} operators[] = {
    {"$eq", EQ},
    {"$ne", NE},
    {"$gt", GT},
    {"$gte", GTE},
    {"$lt", LT},
    {"$lte", LTE},
    {"$in", IN},
    {"$nin", NIN},
    {"$exists", EXISTS},
    {"$prefix", PREFIX},
    {"$contains", CONTAINS},
};

static brant_status refuse(parser *p, const char *format, ...) BRANT__PRINTF(2, 3);
static brant_status refuse(parser *p, const char *format, ...) {
    brant__writer detail = {0};
    brant__text pointer = brant__text_of(p->pointer.data, p->pointer.length);
    char message[256];
    va_list arguments;
    brant_status status;

    va_start(arguments, format);
    if (vsnprintf(message, sizeof(message), format, arguments) < 0) message[0] = 0;
    va_end(arguments);
    brant__write_object(&detail);
    brant__write_text_member(&detail, "pointer", pointer);
    brant__write_end(&detail);
    if (p->pointer.failed || detail.buffer.failed)
        status = brant__fail_memory();
    else
        status = brant__fail_detail(BRANT_INVALID,
                                    brant__text_of(detail.buffer.data, detail.buffer.length),
                                    "%s: %s", brant__quoted(p->call, pointer), message);
    brant__buffer_free(&detail.buffer);
    return status;
}

/* The user's next question answered: which ones there are. */
#define NO_SUCH_OPERATOR                                                                           \
    "no such operator; there are $eq, $ne, $gt, $gte, $lt, $lte, $in, $nin, $exists, $prefix, "    \
    "$contains, $not, and $and, $or, $not of filters"

static size_t enter(parser *p, brant__text name) {
    size_t before = p->pointer.length;

    brant__buffer_append_byte(&p->pointer, '/');
    brant__pointer_append(&p->pointer, name);
    return before;
}

static void leave(parser *p, size_t before) {
    if (!p->pointer.failed) p->pointer.length = before;
}

static size_t type_count(const parser *p) {
    const brant__module *module = p->graph->type->module;

    if (!module->typed) return 0;
    return p->filter->kind == BRANT__NODES ? module->node_type_count : module->edge_type_count;
}

static bool type_encrypts(const parser *p, uint32_t index) {
    const brant__module *module = p->graph->type->module;

    return p->filter->kind == BRANT__NODES ? module->node_types[index].encrypted_count > 0
                                           : module->edge_types[index].encrypted_count > 0;
}

static brant_status new_node(node **out, parser *p, int kind, size_t children) {
    node *made = brant__arena_alloc(p->call->arena, sizeof(*made));

    *out = made;
    if (!made) return brant__fail_memory();
    *made = (node){.kind = kind};
    if (children == 0) return BRANT_OK;
    made->children = brant__arena_alloc(p->call->arena, children * sizeof(*made->children));
    return made->children ? BRANT_OK : brant__fail_memory();
}

static brant_status copy_text(brant__text *out, parser *p, const char *data, size_t length) {
    *out = brant__text_of(brant__arena_copy(p->call->arena, data, length), length);
    return out->data ? BRANT_OK : brant__fail_memory();
}

static bool is_composite(yyjson_val *value) {
    return yyjson_is_obj(value) || yyjson_is_arr(value);
}

/* A name of a type that is none of the graph type's. */
static brant_status check_type(parser *p, yyjson_val *value) {
    brant__text name = brant__json_text(value);
    uint32_t index = BRANT__NO_TYPE;

    if (!yyjson_is_str(value)) return BRANT_OK;
    if (p->graph->type->module->typed)
        index = p->filter->kind == BRANT__NODES ? brant__type_node(p->graph->type, name)
                                                : brant__type_edge(p->graph->type, name);
    if (index != BRANT__NO_TYPE) return BRANT_OK;
    return refuse(p, "graph type %s has no %s type %s",
                  brant__quoted(p->call, brant__text_string(p->graph->type->name)),
                  p->filter->kind == BRANT__NODES ? "node" : "edge", brant__quoted(p->call, name));
}

static brant_status check_operand(parser *p, node *term) {
    yyjson_val *value = term->value, *item;
    size_t index, count;
    brant_status status = BRANT_OK;

    p->values += term->relation == IN || term->relation == NIN ? yyjson_arr_size(value) : 1;
    if (p->values > FILTER_VALUES)
        return refuse(p, "a filter has at most %d values", FILTER_VALUES);
    switch (term->relation) {
    case EQ:
    case NE:
        if (term->path.field == BRANT__FIELD_TYPE) return check_type(p, value);
        return BRANT_OK;
    case GT:
    case GTE:
    case LT:
    case LTE:
        if (yyjson_is_num(value) || yyjson_is_str(value) || yyjson_is_bool(value)) return BRANT_OK;
        return refuse(p, "compares with a number, text or boolean");
    case IN:
    case NIN:
        if (!yyjson_is_arr(value)) return refuse(p, "takes an array of values");
        if (term->path.field != BRANT__FIELD_TYPE) return BRANT_OK;
        yyjson_arr_foreach(value, index, count, item) {
            char number[24];
            size_t before;
            snprintf(number, sizeof(number), "%zu", index);
            before = enter(p, brant__text_string(number));
            status = check_type(p, item);
            if (status != BRANT_OK) return status;
            leave(p, before);
        }
        return BRANT_OK;
    case EXISTS:
        return yyjson_is_bool(value) ? BRANT_OK : refuse(p, "takes true or false");
    case PREFIX:
        return yyjson_is_str(value) ? BRANT_OK : refuse(p, "takes text");
    default:
        return BRANT_OK;
    }
}

static bool is_edge_key(const parser *p, const brant__path *path) {
    return p->filter->kind == BRANT__EDGES && path->field == BRANT__FIELD_KEY;
}

/* Only the one spelling of the text of an edge's ends is a key. */
static brant_status read_ends(node *term, parser *p) {
    brant__text key = brant__json_text(term->value), type, again;
    brant__edge_ends *ends;
    bool derived;
    brant_status status;

    if (brant__graph_multi(p->graph) || !key.data) return BRANT_OK;
    ends = brant__arena_alloc(p->call->arena, sizeof(*ends));
    if (!ends) return brant__fail_memory();
    *ends = (brant__edge_ends){.type = 0};
    BRANT__TRY(brant__edge_key_parse(&derived, &ends->source, &type, &ends->target, p->call, key));
    if (!derived || (type.data != NULL) != p->graph->type->module->typed) goto cleanup;
    if (type.data) ends->type = brant__type_edge(p->graph->type, type);
    if (ends->type == BRANT__NO_TYPE) goto cleanup;
    BRANT__TRY(brant__edge_key(&again, p->call, p->graph, ends));
    if (brant__text_equal(again, key)) term->ends = ends;
cleanup:
    return status;
}

/* What a term binds that is not in the input. */
static brant_status prepare_operand(parser *p, node *term) {
    brant__text text = brant__json_text(term->value);
    brant_status status;

    if (term->relation == PREFIX && text.length > 0) {
        /* UTF-8 has no byte 0xFF that could overflow. */
        char *after;
        status = copy_text(&term->text, p, text.data, text.length);
        if (status != BRANT_OK) return status;
        after = (char *)term->text.data;
        after[text.length - 1] = (char)((unsigned char)after[text.length - 1] + 1);
    } else if (is_composite(term->value) && term->relation != IN && term->relation != NIN) {
        brant__buffer json = {0};
        brant__json_append(&json, term->value);
        status =
            json.failed ? brant__fail_memory() : copy_text(&term->text, p, json.data, json.length);
        brant__buffer_free(&json);
        return status;
    }
    return is_edge_key(p, &term->path) && (term->relation == EQ || term->relation == NE)
               ? read_ends(term, p)
               : BRANT_OK;
}

/* Whether the filter leaves rows of such a type is known when all of it is read. */
static brant_status note_encrypted(parser *p, node *term) {
    const brant__module *module = p->graph->type->module;

    for (uint32_t i = 0; p->encrypts && i < type_count(p); i++) {
        if (!brant__path_encrypted(module, p->filter->kind, i, &term->path)) continue;
        p->encrypted = true;
        return copy_text(&term->pointer, p, p->pointer.data, p->path);
    }
    return BRANT_OK;
}

static brant_status make_term(node **out, parser *p, const brant__path *path, int relation,
                              yyjson_val *value) {
    brant_status status;

    BRANT__TRY(new_node(out, p, TERM, 0));
    if (++p->terms > FILTER_TERMS)
        return refuse(p, "a filter has at most %d conditions", FILTER_TERMS);
    if (path->field == BRANT__FIELD_KEY || path->field == BRANT__FIELD_SOURCE ||
        path->field == BRANT__FIELD_TARGET)
        p->filter->ends = true;
    (*out)->path = *path;
    (*out)->relation = relation;
    (*out)->value = value;
    BRANT__TRY(check_operand(p, *out));
    BRANT__TRY(note_encrypted(p, *out));
    status = prepare_operand(p, *out);
cleanup:
    return status;
}

/* Composite values and keys of edges have one term each in a list, since they bind more than
 * themselves. */
static brant_status make_in(node **out, parser *p, const brant__path *path, int relation,
                            yyjson_val *list) {
    size_t index, count, alone = 0;
    bool keys = is_edge_key(p, path);
    node *all, *not;
    yyjson_val *item;
    brant_status status;

    yyjson_arr_foreach(list, index, count, item) alone += keys || is_composite(item);
    if (alone == 0 && !keys) return make_term(out, p, path, relation, list);
    if (alone > FILTER_VALUES) return refuse(p, "a filter has at most %d values", FILTER_VALUES);
    BRANT__TRY(new_node(&all, p, ANY, alone + 1));
    if (alone < yyjson_arr_size(list))
        BRANT__TRY(make_term(&all->children[all->count++], p, path, IN, list));
    yyjson_arr_foreach(list, index, count, item) {
        if (!keys && !is_composite(item)) continue;
        BRANT__TRY(make_term(&all->children[all->count++], p, path, EQ, item));
        if (keys) p->terms--; /* values, not conditions */
    }
    *out = all;
    if (relation == NIN) {
        BRANT__TRY(new_node(&not, p, NOT, 1));
        not->children[not->count++] = all;
        *out = not;
    }
cleanup:
    return status;
}

static brant_status parse_object(node **out, parser *p, yyjson_val *object, unsigned depth);

static bool has_operators(yyjson_val *value) {
    size_t index, count;
    yyjson_val *name, *item;

    if (!yyjson_is_obj(value)) return false;
    yyjson_obj_foreach(value, index, count, name, item) {
        if (yyjson_get_len(name) > 0 && yyjson_get_str(name)[0] == '$') return true;
    }
    return false;
}

static int find_operator(brant__text name) {
    for (size_t i = 0; i < BRANT__COUNT(operators); i++)
        if (brant__text_equal(name, brant__text_string(operators[i].name)))
            return operators[i].relation;
    return -1;
}

/* {"$gte": 1, "$lt": 5}: all hold. */
static brant_status parse_operators(node **out, parser *p, const brant__path *path,
                                    yyjson_val *object, unsigned depth) {
    size_t index, count;
    yyjson_val *name, *value;
    node *all;
    brant_status status;

    if (depth > FILTER_DEPTH) return refuse(p, "nested deeper than %d", FILTER_DEPTH);
    BRANT__TRY(new_node(&all, p, ALL, yyjson_obj_size(object)));
    yyjson_obj_foreach(object, index, count, name, value) {
        brant__text text = brant__json_text(name);
        int relation = find_operator(text);
        size_t before = enter(p, text);
        node **place = &all->children[all->count++];
        if (brant__text_equal(text, BRANT__TEXT("$not"))) {
            if (!has_operators(value)) return refuse(p, "takes an object of operators");
            BRANT__TRY(new_node(place, p, NOT, 1));
            (*place)->count = 1;
            BRANT__TRY(parse_operators(&(*place)->children[0], p, path, value, depth + 1));
        } else if (relation < 0) {
            return refuse(p, text.length > 0 && text.data[0] == '$'
                                 ? NO_SUCH_OPERATOR
                                 : "operators and members do not mix; compare objects with $eq");
        } else if ((relation == IN || relation == NIN) && yyjson_is_arr(value)) {
            BRANT__TRY(make_in(place, p, path, relation, value));
        } else {
            BRANT__TRY(make_term(place, p, path, relation, value));
        }
        leave(p, before);
    }
    *out = all->count == 1 ? all->children[0] : all;
cleanup:
    return status;
}

static brant_status parse_field(node **out, parser *p, brant__text name, yyjson_val *value,
                                unsigned depth) {
    const char *reason;
    brant__path path;
    brant_status status = brant__path_parse(&path, &reason, p->call, p->filter->kind, name);

    if (status == BRANT_INVALID) return refuse(p, "%s", reason);
    if (status != BRANT_OK) return status;
    p->path = p->pointer.length;
    return has_operators(value) ? parse_operators(out, p, &path, value, depth)
                                : make_term(out, p, &path, EQ, value);
}

static brant_status parse_list(node **out, parser *p, int kind, yyjson_val *list, unsigned depth) {
    size_t index, count;
    yyjson_val *item;
    brant_status status;

    if (!yyjson_is_arr(list) || yyjson_arr_size(list) == 0)
        return refuse(p, "takes an array of at least one filter");
    if (yyjson_arr_size(list) > FILTER_TERMS)
        return refuse(p, "a filter has at most %d conditions", FILTER_TERMS);
    BRANT__TRY(new_node(out, p, kind, yyjson_arr_size(list)));
    yyjson_arr_foreach(list, index, count, item) {
        char number[24];
        size_t before;
        snprintf(number, sizeof(number), "%zu", index);
        before = enter(p, brant__text_string(number));
        BRANT__TRY(parse_object(&(*out)->children[(*out)->count++], p, item, depth));
        leave(p, before);
    }
cleanup:
    return status;
}

static brant_status parse_object(node **out, parser *p, yyjson_val *object, unsigned depth) {
    size_t index, count;
    yyjson_val *name, *value;
    node *all;
    brant_status status;

    if (depth > FILTER_DEPTH) return refuse(p, "nested deeper than %d", FILTER_DEPTH);
    if (!yyjson_is_obj(object)) return refuse(p, "a filter is an object");
    if (++p->terms > FILTER_TERMS || yyjson_obj_size(object) > FILTER_TERMS)
        return refuse(p, "a filter has at most %d conditions", FILTER_TERMS);
    if (yyjson_obj_size(object) > 0) p->terms--; /* its members are counted */
    BRANT__TRY(new_node(&all, p, ALL, yyjson_obj_size(object)));
    yyjson_obj_foreach(object, index, count, name, value) {
        brant__text text = brant__json_text(name);
        size_t before = enter(p, text);
        node **place = &all->children[all->count++];
        if (brant__text_equal(text, BRANT__TEXT("$and"))) {
            BRANT__TRY(parse_list(place, p, ALL, value, depth + 1));
        } else if (brant__text_equal(text, BRANT__TEXT("$or"))) {
            BRANT__TRY(parse_list(place, p, ANY, value, depth + 1));
        } else if (brant__text_equal(text, BRANT__TEXT("$not"))) {
            BRANT__TRY(new_node(place, p, NOT, 1));
            (*place)->count = 1;
            BRANT__TRY(parse_object(&(*place)->children[0], p, value, depth + 1));
        } else if (text.length > 0 && text.data[0] == '$') {
            return refuse(p, find_operator(text) < 0 ? NO_SUCH_OPERATOR
                                                     : "the operator stands below a field");
        } else {
            BRANT__TRY(parse_field(place, p, text, value, depth));
        }
        leave(p, before);
    }
    *out = all->count == 1 ? all->children[0] : all;
cleanup:
    return status;
}

/* ---- values in memory ------------------------------------------------------------------------ */

static int compare_text(yyjson_val *a, brant__text b) {
    return brant__text_compare(b, brant__json_text(a));
}

/* Does a type's name ({NULL, 0} in an untyped graph) satisfy a term? */
static bool type_matches(const node *term, brant__text name) {
    yyjson_val *value = term->value, *item;
    size_t index, count;
    bool text = name.data && yyjson_is_str(value);
    int order = text ? compare_text(value, name) : 0;

    switch (term->relation) {
    case EQ:
    case NE:
        return (name.data ? text && order == 0 : yyjson_is_null(value)) == (term->relation == EQ);
    case GT:
        return text && order > 0;
    case GTE:
        return text && order >= 0;
    case LT:
        return text && order < 0;
    case LTE:
        return text && order <= 0;
    case IN:
    case NIN:
        yyjson_arr_foreach(value, index, count, item) {
            if (name.data ? yyjson_is_str(item) && compare_text(item, name) == 0
                          : yyjson_is_null(item))
                return term->relation == IN;
        }
        return term->relation == NIN;
    case EXISTS:
        return yyjson_get_bool(value);
    case PREFIX:
        return name.data && name.length >= yyjson_get_len(value) &&
               memcmp(name.data, yyjson_get_str(value), yyjson_get_len(value)) == 0;
    default:
        return text &&
               memmem(name.data, name.length, yyjson_get_str(value), yyjson_get_len(value)) != NULL;
    }
}

/* ---- parsing a whole ------------------------------------------------------------------------- */

/* Can it hold of rows of a type? Only conditions on the type itself are looked at. */
static bool leaves_type(const node *of, brant__text name) {
    switch (of->kind) {
    case TERM:
        return of->path.field != BRANT__FIELD_TYPE || type_matches(of, name);
    case ALL:
        for (size_t i = 0; i < of->count; i++)
            if (!leaves_type(of->children[i], name)) return false;
        return true;
    case ANY:
        for (size_t i = 0; i < of->count; i++)
            if (leaves_type(of->children[i], name)) return true;
        return false;
    default:
        return true;
    }
}

/* What it asks of rows of a type is nothing that the type encrypts. */
static brant_status check_plain(parser *p, const node *of, uint32_t index, brant__text name) {
    const brant__module *module = p->graph->type->module;
    const brant__encrypted *encrypted;
    brant_status status = BRANT_OK;

    if (of->kind == TERM) {
        encrypted = of->pointer.data
                        ? brant__path_encrypted(module, p->filter->kind, index, &of->path)
                        : NULL;
        return encrypted ? brant__path_refused(p->call, module, p->filter->kind, index, encrypted,
                                               of->pointer)
                         : BRANT_OK;
    }
    if (!leaves_type(of, name)) return BRANT_OK;
    for (size_t i = 0; i < of->count; i++)
        BRANT__TRY(check_plain(p, of->children[i], index, name));
cleanup:
    return status;
}

brant_status brant__filter_parse_of(brant__filter **out, brant__call *call,
                                    const brant__graph *graph, int kind, uint32_t index,
                                    yyjson_val *value, const char *member) {
    parser p = {.call = call, .graph = graph};
    brant_status status = BRANT_OK;

    *out = NULL;
    if (!value) return BRANT_OK;
    p.filter = brant__arena_alloc(call->arena, sizeof(*p.filter));
    if (!p.filter) return brant__fail_memory();
    *p.filter = (brant__filter){
        .kind = kind,
        .graph_row = graph->row_id,
        .type = graph->type,
    };
    brant__buffer_format(&p.pointer, "/%s", member);
    p.encrypts = brant__module_encrypts(graph->type->module);
    BRANT__TRY(parse_object(&p.filter->root, &p, value, 1));
    for (uint32_t i = 0; p.encrypted && i < type_count(&p); i++) {
        if (!type_encrypts(&p, i) || (index != BRANT__NO_TYPE && index != i)) continue;
        BRANT__TRY(check_plain(&p, p.filter->root, i,
                               kind == BRANT__NODES ? brant__type_node_name(graph->type, i)
                                                    : brant__type_edge_name(graph->type, i)));
    }
    *out = p.filter;
cleanup:
    brant__buffer_free(&p.pointer);
    return status;
}

brant_status brant__filter_parse(brant__filter **out, brant__call *call, const brant__graph *graph,
                                 int kind, yyjson_val *value, const char *member) {
    return brant__filter_parse_of(out, call, graph, kind, BRANT__NO_TYPE, value, member);
}

/* ---- writing and binding --------------------------------------------------------------------- */

/* One of `sql` and `statement` is given. */
typedef struct emitter {
    const brant__filter *filter;
    brant__buffer *sql;
    const char *alias;
    bool end; /* inside a condition on the node at an edge's end */
    brant__statement *statement;
    int parameter;
} emitter;

static void put(emitter *e, const char *text) {
    if (e->sql) brant__buffer_append(e->sql, text, strlen(text));
}

static void put_integer(emitter *e, int64_t value) {
    if (e->sql) brant__buffer_format(e->sql, "%lld", (long long)value);
}

static void put_text(emitter *e, brant__text value) {
    if (e->sql)
        brant__buffer_append_byte(e->sql, '?');
    else
        brant__bind_text(e->statement, e->parameter++, value);
}

static void put_graph(emitter *e) {
    if (e->sql)
        brant__buffer_append_byte(e->sql, '?');
    else
        brant__bind_integer(e->statement, e->parameter++, e->filter->graph_row);
}

static void put_scalar(emitter *e, yyjson_val *value) {
    if (e->sql)
        brant__buffer_append_byte(e->sql, '?');
    else if (yyjson_is_str(value))
        brant__bind_text(e->statement, e->parameter++, brant__json_text(value));
    else if (yyjson_is_sint(value) ||
             (yyjson_is_uint(value) && yyjson_get_uint(value) <= INT64_MAX))
        brant__bind_integer(e->statement, e->parameter++, yyjson_get_sint(value));
    else
        brant__bind_double(e->statement, e->parameter++, yyjson_get_num(value));
}

static void put_value(emitter *e, const brant__path *path) {
    if (e->sql) brant__path_value(e->sql, path, e->alias);
}

static void put_column(emitter *e, const char *column) {
    if (e->sql) brant__buffer_format(e->sql, "%s.%s", e->alias, column);
}

static void put_kind(emitter *e, const brant__path *path, int kind) {
    if (!e->sql) return;
    brant__path_kind(e->sql, path, e->alias);
    brant__buffer_format(e->sql, "=%d", kind);
}

/* " AND kind = k" of a comparison that has been written. */
static void put_and_kind(emitter *e, const brant__path *path, int kind) {
    if (!brant__path_deep(path)) return;
    put(e, " AND ");
    put_kind(e, path, kind);
}

static int kind_of(yyjson_val *value) {
    if (yyjson_is_str(value)) return BRANT__KIND_TEXT;
    if (yyjson_is_num(value)) return BRANT__KIND_NUMBER;
    if (yyjson_is_bool(value)) return yyjson_get_bool(value) ? BRANT__KIND_TRUE : BRANT__KIND_FALSE;
    return yyjson_is_null(value) ? BRANT__KIND_NULL : BRANT__KIND_OTHER;
}

/* The only kind that a column holds. */
static int column_kind(const brant__path *path) {
    return path->field == BRANT__FIELD_KEY || path->field == BRANT__FIELD_SOURCE ||
                   path->field == BRANT__FIELD_TARGET
               ? BRANT__KIND_TEXT
               : BRANT__KIND_NUMBER;
}

static void emit_type(emitter *e, const node *term) {
    const brant__type *type = e->filter->type;
    bool nodes = e->filter->kind == BRANT__NODES;
    size_t types, matching = 0, first = 0;

    if (!e->sql) return;
    types = nodes ? type->module->node_type_count : type->module->edge_type_count;
    if (!type->module->typed) {
        put(e, type_matches(term, (brant__text){NULL, 0}) ? "1" : "0");
        return;
    }
    for (size_t i = 0; i < types; i++) {
        if (!type_matches(term, nodes ? brant__type_node_name(type, (uint32_t)i)
                                      : brant__type_edge_name(type, (uint32_t)i)))
            continue;
        if (matching++ == 0) first = i;
    }
    if (matching == 0 || (matching == types && types > 1)) {
        put(e, matching ? "1" : "0");
        return;
    }
    put_column(e, "type");
    put(e, matching == 1 ? "=" : " IN (");
    for (size_t i = first; i < types; i++) {
        if (!type_matches(term, nodes ? brant__type_node_name(type, (uint32_t)i)
                                      : brant__type_edge_name(type, (uint32_t)i)))
            continue;
        if (i > first) put(e, ",");
        put_integer(e, nodes ? brant__type_node_row(type, (uint32_t)i)
                             : brant__type_edge_row(type, (uint32_t)i));
    }
    if (matching > 1) put(e, ")");
}

/* The key of an edge as users see it. */
static void put_edge_key(emitter *e) {
    if (!e->sql) return;
    brant__edge_key_sql(e->sql, e->alias);
}

static void put_node_row(emitter *e, const char *column, brant__text key) {
    put(e, " AND ");
    put_column(e, column);
    put(e, "=(SELECT row_id FROM nodes WHERE graph=");
    put_graph(e);
    put(e, " AND key=");
    put_text(e, key);
    put(e, ")");
}

/* One edge by a key that may be the text of its ends. Both ways go through an index. */
static void emit_edge_key_is(emitter *e, const node *term) {
    put(e, "(");
    put_column(e, "key");
    put(e, "=");
    put_text(e, brant__json_text(term->value));
    if (term->ends) {
        put(e, " OR ");
        put_column(e, "key");
        put(e, " IS NULL");
        put_node_row(e, "source", term->ends->source);
        put(e, " AND ");
        put_column(e, "type");
        put(e, "=");
        if (e->sql) put_integer(e, brant__type_edge_row(e->filter->type, term->ends->type));
        put_node_row(e, "target", term->ends->target);
    }
    put(e, ")");
}

static void emit_term(emitter *e, const node *term);

/* A condition on the key of an edge's end: which nodes have it? */
static void emit_end(emitter *e, const node *term) {
    node inner = *term;
    emitter nested = *e;

    put_column(e, term->path.field == BRANT__FIELD_SOURCE ? "source" : "target");
    put(e, term->relation == EQ ? "=" : " IN ");
    put(e, "(SELECT row_id FROM nodes brant_end WHERE graph=");
    put_graph(e);
    put(e, " AND ");
    inner.path.field = BRANT__FIELD_KEY;
    nested.parameter = e->parameter;
    nested.alias = "brant_end";
    nested.end = true;
    emit_term(&nested, &inner);
    e->parameter = nested.parameter;
    put(e, ")");
}

static void emit_text_or_other(emitter *e, const node *term, int relation) {
    static const char *const signs[] = {[GT] = ">", [GTE] = ">=", [LT] = "<", [LTE] = "<="};

    put_value(e, &term->path);
    put(e, signs[relation]);
    put_scalar(e, term->value);
    put_and_kind(e, &term->path, kind_of(term->value));
}

static void emit_order(emitter *e, const node *term) {
    bool low, high, value;

    if (!yyjson_is_bool(term->value)) {
        emit_text_or_other(e, term, term->relation);
        return;
    }
    value = yyjson_get_bool(term->value);
    /* Which of false and true are in order with it? */
    low = term->relation == LT    ? value
          : term->relation == LTE ? true
          : term->relation == GTE ? !value
                                  : false;
    high = term->relation == GT    ? !value
           : term->relation == GTE ? true
           : term->relation == LTE ? value
                                   : false;
    if (low && high && e->sql) {
        brant__path_kind(e->sql, &term->path, e->alias);
        brant__buffer_format(e->sql, " IN (%d,%d)", BRANT__KIND_FALSE, BRANT__KIND_TRUE);
    } else if (low || high) {
        put_kind(e, &term->path, low ? BRANT__KIND_FALSE : BRANT__KIND_TRUE);
    } else {
        put(e, "0");
    }
}

static void emit_equal(emitter *e, const node *term) {
    int kind = kind_of(term->value);

    if (kind == BRANT__KIND_TEXT || kind == BRANT__KIND_NUMBER) {
        put_value(e, &term->path);
        put(e, "=");
        put_scalar(e, term->value);
        put_and_kind(e, &term->path, kind);
        return;
    }
    if (!brant__path_deep(&term->path)) {
        put(e, "0");
        return;
    }
    put_kind(e, &term->path, kind);
    if (kind != BRANT__KIND_OTHER) return;
    put(e, " AND brant_json_equal(");
    put_value(e, &term->path);
    put(e, ",");
    put_text(e, term->text);
    put(e, ")");
}

/* The values of one kind of a list, as one term. */
static bool emit_in_kind(emitter *e, const node *term, int kind, bool any) {
    size_t index, count, found = 0;
    yyjson_val *item;

    yyjson_arr_foreach(term->value, index, count, item) {
        if (kind_of(item) != kind) continue;
        if (found++ > 0) {
            put(e, ",");
        } else {
            if (any) put(e, " OR ");
            put_value(e, &term->path);
            put(e, " IN (");
        }
        put_scalar(e, item);
    }
    if (found == 0) return any;
    put(e, ")");
    put_and_kind(e, &term->path, kind);
    return true;
}

static void emit_in(emitter *e, const node *term) {
    bool any = false, kinds[BRANT__KIND_OTHER + 1] = {false};
    size_t index, count;
    yyjson_val *item;

    yyjson_arr_foreach(term->value, index, count, item) kinds[kind_of(item)] = true;
    put(e, "(");
    if (brant__path_deep(&term->path)) {
        any = emit_in_kind(e, term, BRANT__KIND_TEXT, any);
        any = emit_in_kind(e, term, BRANT__KIND_NUMBER, any);
        for (int kind = BRANT__KIND_NULL; kind <= BRANT__KIND_TRUE; kind++) {
            if (!kinds[kind]) continue;
            if (any) put(e, " OR ");
            put_kind(e, &term->path, kind);
            any = true;
        }
    } else {
        any = emit_in_kind(e, term, column_kind(&term->path), false);
    }
    put(e, any ? ")" : "0)");
}

static void emit_prefix(emitter *e, const node *term) {
    brant__text prefix = brant__json_text(term->value);

    if (prefix.length > 0) {
        put_value(e, &term->path);
        put(e, ">=");
        put_text(e, prefix);
        put(e, " AND ");
        put_value(e, &term->path);
        put(e, "<");
        put_text(e, term->text);
        put_and_kind(e, &term->path, BRANT__KIND_TEXT);
    } else if (brant__path_deep(&term->path)) {
        put_kind(e, &term->path, BRANT__KIND_TEXT);
    } else {
        put(e, "1");
    }
}

static void put_type_is(emitter *e, const brant__path *path, const char *type) {
    if (e->sql) brant__path_type(e->sql, path, e->alias);
    put(e, "='");
    put(e, type);
    put(e, "'");
}

static void emit_contains(emitter *e, const node *term) {
    int kind = kind_of(term->value);
    bool deep = brant__path_deep(&term->path);

    put(e, "(");
    if (kind == BRANT__KIND_TEXT) {
        put(e, "instr(");
        put_value(e, &term->path);
        put(e, ",");
        put_scalar(e, term->value);
        put(e, ")>0");
        put_and_kind(e, &term->path, kind);
        if (deep) put(e, " OR ");
    } else if (!deep) {
        put(e, "0");
    }
    if (deep) {
        static const char *const names[] = {[BRANT__KIND_NULL] = "null",
                                            [BRANT__KIND_FALSE] = "false",
                                            [BRANT__KIND_TRUE] = "true"};
        put_type_is(e, &term->path, "array");
        put(e, " AND EXISTS (SELECT 1 FROM ");
        if (e->sql) brant__path_each(e->sql, &term->path, e->alias);
        put(e, " brant_item WHERE ");
        if (kind == BRANT__KIND_TEXT || kind == BRANT__KIND_NUMBER) {
            put(e, "brant_item.value=");
            put_scalar(e, term->value);
            put(e, kind == BRANT__KIND_TEXT ? " AND brant_item.type='text'"
                                            : " AND brant_item.type IN ('integer','real')");
        } else if (kind == BRANT__KIND_OTHER) {
            put(e, yyjson_is_arr(term->value) ? "brant_item.type='array'"
                                              : "brant_item.type='object'");
            put(e, " AND brant_json_equal(brant_item.value,");
            put_text(e, term->text);
            put(e, ")");
        } else {
            put(e, "brant_item.type='");
            put(e, names[kind]);
            put(e, "'");
        }
        put(e, ")");
    }
    put(e, ")");
}

static void emit_exists(emitter *e, const node *term) {
    bool wanted = yyjson_get_bool(term->value);

    if (!brant__path_deep(&term->path)) {
        put(e, wanted ? "1" : "0");
        return;
    }
    if (e->sql) brant__path_type(e->sql, &term->path, e->alias);
    put(e, wanted ? " IS NOT NULL" : " IS NULL");
    if (wanted) return;
    put(e, " AND "); /* true of what is missing, and what an index has */
    put_kind(e, &term->path, BRANT__KIND_NULL);
}

/* A comparison of a column with a value of a kind that it never has. */
static bool is_hopeless(const node *term) {
    int kind = kind_of(term->value);

    switch (term->relation) {
    case EQ:
    case GT:
    case GTE:
    case LT:
    case LTE:
        return kind != column_kind(&term->path);
    case PREFIX:
    case CONTAINS:
        return kind != BRANT__KIND_TEXT || column_kind(&term->path) != BRANT__KIND_TEXT;
    default:
        return false;
    }
}

/* Keys of edges that are made from their ends are compared as such. */
static void emit_edge_key(emitter *e, const node *term) {
    static const char *const signs[] = {[GT] = ">", [GTE] = ">=", [LT] = "<", [LTE] = "<="};

    switch (term->relation) {
    case EQ:
        emit_edge_key_is(e, term);
        break;
    case PREFIX:
        if (yyjson_get_len(term->value) == 0) {
            put(e, "1");
            break;
        }
        put_edge_key(e);
        put(e, ">=");
        put_scalar(e, term->value);
        put(e, " AND ");
        put_edge_key(e);
        put(e, "<");
        put_text(e, term->text);
        break;
    case CONTAINS:
        put(e, "instr(");
        put_edge_key(e);
        put(e, ",");
        put_scalar(e, term->value);
        put(e, ")>0");
        break;
    default:
        put_edge_key(e);
        put(e, signs[term->relation]);
        put_scalar(e, term->value);
        break;
    }
}

static void emit_plain(emitter *e, const node *term) {
    switch (term->relation) {
    case EQ:
        emit_equal(e, term);
        break;
    case IN:
        emit_in(e, term);
        break;
    case PREFIX:
        emit_prefix(e, term);
        break;
    case CONTAINS:
        emit_contains(e, term);
        break;
    case EXISTS:
        emit_exists(e, term);
        break;
    default:
        emit_order(e, term);
        break;
    }
}

static void emit_term(emitter *e, const node *term) {
    node complement = *term;
    bool deep = brant__path_deep(&term->path);

    if (term->path.field == BRANT__FIELD_TYPE) {
        emit_type(e, term);
        return;
    }
    if (term->relation == NE || term->relation == NIN) {
        complement.relation = term->relation == NE ? EQ : IN;
        put(e, "(");
        emit_term(e, &complement);
        put(e, ") IS NOT TRUE");
        return;
    }
    if (!deep && is_hopeless(term))
        put(e, "0");
    else if (!deep && term->relation == EXISTS)
        emit_exists(e, term);
    else if (term->path.field == BRANT__FIELD_SOURCE || term->path.field == BRANT__FIELD_TARGET)
        emit_end(e, term);
    else if (term->path.field == BRANT__FIELD_KEY && e->filter->kind == BRANT__EDGES && !e->end)
        emit_edge_key(e, term);
    else
        emit_plain(e, term);
}

static void emit_node(emitter *e, const node *of);

static void emit_list(emitter *e, const node *of, size_t from, size_t to) {
    size_t middle = from + (to - from) / 2;

    if (to - from == 1) {
        emit_node(e, of->children[from]);
        return;
    }
    put(e, "(");
    emit_list(e, of, from, middle);
    put(e, of->kind == ALL ? ") AND (" : ") OR (");
    emit_list(e, of, middle, to);
    put(e, ")");
}

static void emit_node(emitter *e, const node *of) {
    switch (of->kind) {
    case TERM:
        emit_term(e, of);
        break;
    case NOT:
        put(e, "(");
        emit_node(e, of->children[0]);
        put(e, ") IS NOT TRUE");
        break;
    default:
        if (of->count == 0)
            put(e, of->kind == ALL ? "1" : "0");
        else
            emit_list(e, of, 0, of->count);
        break;
    }
}

/* A term that holds of every match and compares with values of one kind on this path. */
static void find_pin(brant__pin *out, const node *of, const brant__path *path) {
    if (of->kind == ALL) {
        for (size_t i = 0; i < of->count; i++)
            find_pin(out, of->children[i], path);
        return;
    }
    if (of->kind != TERM || of->path.field != path->field ||
        of->path.segment_count != path->segment_count)
        return;
    for (size_t i = 0; i < path->segment_count; i++)
        if (!brant__text_equal(of->path.segments[i], path->segments[i])) return;
    switch (of->relation) {
    case EQ:
        if (kind_of(of->value) != BRANT__KIND_TEXT && kind_of(of->value) != BRANT__KIND_NUMBER)
            return;
        *out = (brant__pin){.kind = true, .value = true};
        break;
    case GT:
    case GTE:
    case LT:
    case LTE:
        out->kind = out->kind || !yyjson_is_bool(of->value);
        break;
    case PREFIX:
        out->kind = true;
        break;
    default:
        break;
    }
}

brant__pin brant__filter_pin(const brant__filter *filter, const brant__path *path) {
    brant__pin pin = {false, false};

    if (filter && brant__path_deep(path)) find_pin(&pin, filter->root, path);
    return pin;
}

void brant__filter_sql(brant__buffer *sql, const brant__filter *filter, const char *alias) {
    emitter e = {.filter = filter, .sql = sql, .alias = alias};

    if (filter) {
        put(&e, "(");
        emit_node(&e, filter->root);
        put(&e, ")");
    } else {
        brant__buffer_append_byte(sql, '1');
    }
}

void brant__filter_bind(brant__statement *statement, const brant__filter *filter, int *parameter) {
    emitter e = {.filter = filter, .alias = "", .statement = statement, .parameter = *parameter};

    if (!filter) return;
    emit_node(&e, filter->root);
    *parameter = e.parameter;
}

void brant__filter_type_sql(brant__buffer *sql, const brant__graph *graph, int kind,
                            const char *alias) {
    const brant__module *module = graph->type->module;
    size_t types = kind == BRANT__NODES ? module->node_type_count : module->edge_type_count;

    if (module->typed && types != 1) return;
    brant__buffer_format(sql, " AND %s.type=%lld", alias,
                         (long long)(kind == BRANT__NODES ? brant__type_node_row(graph->type, 0)
                                                          : brant__type_edge_row(graph->type, 0)));
}

void brant__edge_key_sql(brant__buffer *sql, const char *alias) {
    brant__buffer_format(
        sql,
        "coalesce(%s.key,brant_edge_key((SELECT key FROM nodes WHERE row_id=%s.source),"
        "(SELECT name FROM edge_types WHERE row_id=%s.type),"
        "(SELECT key FROM nodes WHERE row_id=%s.target)))",
        alias, alias, alias, alias);
}

/* ---- rows ------------------------------------------------------------------------------------ */

/*
 * Edges have no index by graph. Those of a small part of the file are found from its nodes; else the table itself is asked, where an
 * index on attributes, ends or keys may help.
 */
brant_status brant__filter_table(bool *out_itself, brant__call *call, const brant__graph *graph,
                                 const brant__filter *filter) {
    brant__statement *statement = NULL;
    bool row;
    brant_status status = BRANT_OK;

    *out_itself = true;
    if (filter && filter->ends) return BRANT_OK;
    BRANT__TRY(brant__query_prepare(
        &statement, call,
        BRANT__TEXT("SELECT ?*4>=(SELECT coalesce(sum(edges),0) FROM graphs) OR EXISTS "
                    "(SELECT 1 FROM attribute_indexes WHERE graph_type=? AND of=1)")));
    brant__bind_integer(statement, 1, graph->edges);
    brant__bind_integer(statement, 2, graph->type->row_id);
    BRANT__TRY(brant__step(&row, call->db, statement));
    *out_itself = row && brant__column_integer(statement, 0) != 0;
cleanup:
    brant__reset(statement);
    return status;
}

/* The first parameter is the graph. */
static brant_status write_from(brant__buffer *sql, brant__call *call, const brant__graph *graph,
                               const brant__filter *filter) {
    bool nodes = filter->kind == BRANT__NODES, itself = true;
    brant_status status = nodes ? BRANT_OK : brant__filter_table(&itself, call, graph, filter);

    if (status != BRANT_OK) return status;
    if (nodes)
        brant__buffer_format(sql, "SELECT x.row_id FROM nodes x WHERE x.graph=?");
    else if (itself)
        brant__buffer_format(sql, "SELECT x.row_id FROM edges x WHERE x.graph=?");
    else
        brant__buffer_format(sql, "SELECT x.row_id FROM nodes s CROSS JOIN edges x ON "
                                  "x.source=s.row_id WHERE s.graph=?");
    brant__filter_type_sql(sql, graph, filter->kind, "x");
    brant__buffer_format(sql, " AND ");
    brant__filter_sql(sql, filter, "x");
    return sql->failed ? brant__fail_memory() : BRANT_OK;
}

static int by_number(const void *a, const void *b) {
    int64_t left = *(const int64_t *)a, right = *(const int64_t *)b;

    return left < right ? -1 : left > right;
}

brant_status brant__filter_rows(int64_t **out_rows, size_t *out_count, brant__call *call,
                                const brant__graph *graph, const brant__filter *filter) {
    brant__statement *statement = NULL;
    brant__buffer sql = {0}, rows = {0};
    int parameter = 1;
    bool row, sorted = true;
    int64_t last = INT64_MIN;
    brant_status status;

    *out_rows = NULL;
    *out_count = 0;
    BRANT__TRY(write_from(&sql, call, graph, filter));
    BRANT__TRY(brant__query_prepare(&statement, call, brant__text_of(sql.data, sql.length)));
    brant__bind_integer(statement, parameter++, graph->row_id);
    brant__filter_bind(statement, filter, &parameter);
    for (;;) {
        int64_t row_id;
        BRANT__TRY(brant__step(&row, call->db, statement));
        if (!row) break;
        row_id = brant__column_integer(statement, 0);
        sorted = sorted && row_id > last;
        last = row_id;
        brant__buffer_append(&rows, &row_id, sizeof(row_id));
        if ((rows.length / sizeof(row_id) & POLL_MASK) == 0) BRANT__TRY(brant__db_poll(call->db));
    }
    if (!brant__buffer_reserve(&rows, 1)) {
        status = brant__fail_memory();
        goto cleanup;
    }
    *out_rows = (int64_t *)(void *)rows.data;
    *out_count = rows.length / sizeof(int64_t);
    rows = (brant__buffer){0};
    if (!sorted) qsort(*out_rows, *out_count, sizeof(int64_t), by_number);
cleanup:
    brant__reset(statement);
    brant__buffer_free(&sql);
    brant__buffer_free(&rows);
    return status;
}
