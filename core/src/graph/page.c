/*
 * graph/page.c: pages of nodes and edges in an order of the caller's, and pages that a filter picks.
 *
 * The order is kind, value, tie: the columns of an index on attributes. A page that goes on after a position is up to three statements, each of which finds its rows
 * by the index in order: the same value and later ties, the same kind and later values, later kinds. One row-value comparison would be shorter, and
 * SQLite does not find an index on expressions by it.
 */
#include "graph/query.h"

#define POSITION_BYTES 700000 /* of the value that a page ends at: the cursor has it */

enum { SAME_VALUE, SAME_KIND, REST, SECTIONS };

/* The parts of the order that are not constant. */
typedef struct order {
    bool kind;
    bool value;
    bool sort; /* hide it from SQLite, so that it looks for the rows by the filter */
} order;

static order order_of(const brant__query_input *input) {
    brant__pin pin;
    order made = {false, false, false};
    bool untyped = !input->graph.type->module->typed;

    if (!input->order_given) return made;
    if (input->order.field == BRANT__FIELD_KEY && input->kind == BRANT__NODES) return made;
    if (input->order.field == BRANT__FIELD_TYPE && untyped) return made;
    pin = brant__filter_pin(input->filter, &input->order);
    made.kind = brant__path_deep(&input->order) && !pin.kind;
    made.value = !pin.value;
    return made;
}

static const char *alias_of(const brant__query_input *input) {
    return input->kind == BRANT__NODES ? "n" : "e";
}

static void put(brant__buffer *sql, const char *text) {
    brant__buffer_append(sql, text, strlen(text));
}

static void put_kind(brant__buffer *sql, const brant__query_input *input) {
    brant__path_kind(sql, &input->order, alias_of(input));
}

static void put_value(brant__buffer *sql, const brant__query_input *input) {
    bool edges = input->kind == BRANT__EDGES;

    switch (input->order.field) {
    case BRANT__FIELD_TYPE:
        brant__buffer_format(sql, "(SELECT name FROM %s_types WHERE row_id=%s.type)",
                             edges ? "edge" : "node", alias_of(input));
        break;
    case BRANT__FIELD_SOURCE:
        put(sql, "s.key");
        break;
    case BRANT__FIELD_TARGET:
        put(sql, "t.key");
        break;
    case BRANT__FIELD_KEY:
        brant__edge_key_sql(sql, "e");
        break;
    default:
        brant__path_value(sql, &input->order, alias_of(input));
        break;
    }
}

/* Edges without an order of the caller's: as edges.list has them. */
static bool by_ends(const brant__query_input *input) {
    return input->kind == BRANT__EDGES && !input->order_given;
}

/* ---- SQL ------------------------------------------------------------------------------------- */

brant_status brant__query_from(brant__buffer *sql, const brant__query_input *input) {
    bool itself = true;
    brant_status status;

    if (input->kind == BRANT__NODES) {
        put(sql, " FROM nodes n WHERE n.graph=?");
    } else {
        if (!input->by_source && !input->by_target) {
            status = brant__filter_table(&itself, input->call, &input->graph, input->filter);
            if (status != BRANT_OK) return status;
        }
        put(sql, itself ? " FROM " BRANT__EDGE_TABLES " WHERE e.graph=?"
                        : " FROM nodes s CROSS JOIN edges e ON e.source=s.row_id"
                          " CROSS JOIN nodes t ON t.row_id=e.target WHERE s.graph=?");
    }
    if (input->any_type)
        brant__filter_type_sql(sql, &input->graph, input->kind, alias_of(input));
    else
        brant__buffer_format(sql, " AND %s.type=%lld", alias_of(input), (long long)input->type_row);
    if (input->prefix.length > 0) put(sql, " AND n.key>=? AND n.key<?");
    if (input->by_source) put(sql, " AND e.source=?");
    if (input->by_target) put(sql, " AND e.target=?");
    if (input->filter) {
        put(sql, " AND ");
        brant__filter_sql(sql, input->filter, alias_of(input));
    }
    return BRANT_OK;
}

void brant__query_bind(brant__statement *statement, const brant__query_input *input,
                       int *parameter) {
    brant__bind_integer(statement, (*parameter)++, input->graph.row_id);
    if (input->prefix.length > 0) {
        brant__bind_text(statement, (*parameter)++, input->prefix);
        brant__bind_text(statement, (*parameter)++, input->before);
    }
    if (input->by_source) brant__bind_integer(statement, (*parameter)++, input->source);
    if (input->by_target) brant__bind_integer(statement, (*parameter)++, input->target);
    brant__filter_bind(statement, input->filter, parameter);
}

/* Columns, then kind and value as far as they are in the order. */
static void put_columns(brant__buffer *sql, const brant__query_input *input, order by) {
    put(sql, input->kind == BRANT__NODES ? "SELECT " BRANT__NODE_COLUMNS
                                         : "SELECT " BRANT__EDGE_COLUMNS);
    if (by.kind) {
        put(sql, ",");
        put_kind(sql, input);
    }
    if (by.value) {
        put(sql, ",");
        put_value(sql, input);
    }
}

static void put_order(brant__buffer *sql, const brant__query_input *input, order by, int section) {
    const char *down = input->descending ? " DESC" : "";
    const char *hide = by.sort ? "+" : "";

    put(sql, " ORDER BY ");
    if (by_ends(input)) {
        brant__buffer_format(sql, "s.key%s,e.type%s,e.target%s,e.row_id%s", down, down, down, down);
        return;
    }
    if (by.kind && section == REST) {
        put(sql, hide);
        put_kind(sql, input);
        brant__buffer_format(sql, "%s,", down);
    }
    if (by.value && section != SAME_VALUE) {
        put(sql, hide);
        put_value(sql, input);
        brant__buffer_format(sql, "%s,", down);
    }
    brant__buffer_format(sql, "%s%s%s", hide, input->kind == BRANT__NODES ? "n.key" : "e.row_id",
                         down);
}

/* The rows of a section that come after the position. */
static void put_after(brant__buffer *sql, const brant__query_input *input, order by, int section) {
    const brant__position *from = &input->position;
    const char *beyond = input->descending ? "<" : ">";

    if (!from->given) return;
    if (by_ends(input)) {
        brant__buffer_format(sql, " AND (s.key,e.type,e.target,e.row_id)%s(?,?,?,?)", beyond);
        return;
    }
    if (by.kind) {
        put(sql, " AND ");
        put_kind(sql, input);
        brant__buffer_format(sql, "%s?", section == REST ? beyond : "=");
    }
    if (by.value && section != REST) {
        put(sql, " AND ");
        put_value(sql, input);
        if (from->section == BRANT__COLUMN_NULL)
            put(sql, " IS NULL");
        else
            brant__buffer_format(sql, "%s?", section == SAME_KIND ? beyond : "=");
    }
    if (section == SAME_VALUE)
        brant__buffer_format(sql, " AND %s%s?", input->kind == BRANT__NODES ? "n.key" : "e.row_id",
                             beyond);
}

static void bind_after(brant__statement *statement, const brant__query_input *input, order by,
                       int section, int *parameter) {
    const brant__position *from = &input->position;
    size_t length = input->kind == BRANT__NODES ? (size_t)from->numbers[2] : from->text.length;
    double number;

    if (!from->given) return;
    if (by_ends(input)) {
        brant__bind_text(statement, (*parameter)++, from->text);
        for (int i = 0; i < 3; i++)
            brant__bind_integer(statement, (*parameter)++, from->numbers[i]);
        return;
    }
    if (by.kind) brant__bind_integer(statement, (*parameter)++, from->numbers[0]);
    if (by.value && section != REST) {
        switch (from->section) {
        case BRANT__COLUMN_INTEGER:
            brant__bind_integer(statement, (*parameter)++, from->numbers[1]);
            break;
        case BRANT__COLUMN_DOUBLE:
            memcpy(&number, &from->numbers[1], sizeof(number));
            brant__bind_double(statement, (*parameter)++, number);
            break;
        case BRANT__COLUMN_TEXT:
            brant__bind_text(statement, (*parameter)++, brant__text_of(from->text.data, length));
            break;
        default:
            break;
        }
    }
    if (section != SAME_VALUE) return;
    if (input->kind == BRANT__NODES)
        brant__bind_text(statement, (*parameter)++,
                         brant__text_of(from->text.data + length, from->text.length - length));
    else
        brant__bind_integer(statement, (*parameter)++, from->numbers[2]);
}

/* Is there such a section? A first page is one statement; a kind without values has no later ones. */
static bool has_section(const brant__query_input *input, order by, int section) {
    const brant__position *from = &input->position;

    if (!from->given || by_ends(input)) return section == REST;
    switch (section) {
    case SAME_VALUE:
        return true;
    case SAME_KIND:
        return by.value && from->section != BRANT__COLUMN_NULL &&
               (!by.kind || from->numbers[0] >= BRANT__KIND_NUMBER);
    default:
        return by.kind;
    }
}

static brant_status write_sql(brant__buffer *sql, const brant__query_input *input, order by,
                              int section) {
    brant_status status;

    put_columns(sql, input, by);
    status = brant__query_from(sql, input);
    if (status != BRANT_OK) return status;
    put_after(sql, input, by, section);
    put_order(sql, input, by, section);
    put(sql, " LIMIT ?");
    return sql->failed ? brant__fail_memory() : BRANT_OK;
}

/*
 * SQLite holds a graph for a few rows, and an order that it gets for nothing for better than an index that the filter has. So where there are indexes and
 * it took none for the filter, it is asked again without being told of the order.
 */
static brant_status choose(order *by, const brant__query_input *input) {
    brant__buffer sql = {0};
    bool any, indexed = true;
    brant_status status = BRANT_OK;

    if (!input->filter || by_ends(input)) return BRANT_OK;
    BRANT__TRY(brant__plan_worthwhile(&any, input));
    if (!any) goto cleanup;
    for (int sort = 0; sort < 2; sort++) {
        by->sort = sort != 0;
        brant__buffer_reset(&sql);
        BRANT__TRY(write_sql(&sql, input, *by, REST));
        BRANT__TRY(brant__plan_indexed(&indexed, input, brant__text_of(sql.data, sql.length)));
        if (indexed) break;
    }
    if (!indexed) by->sort = false;
cleanup:
    brant__buffer_free(&sql);
    return status;
}

brant_status brant__page_sql(brant__buffer *sql, const brant__query_input *input) {
    order by = order_of(input);
    brant_status status = choose(&by, input);

    return status == BRANT_OK ? write_sql(sql, input, by, REST) : status;
}

void brant__page_bind(brant__statement *statement, const brant__query_input *input) {
    int parameter = 1;

    brant__query_bind(statement, input, &parameter);
    brant__bind_integer(statement, parameter, input->limit + 1);
}

/* ---- positions ------------------------------------------------------------------------------- */

/* A position that this order can have; others come from a cursor that was made up. */
static bool is_position(const brant__query_input *input) {
    const brant__position *from = &input->position;

    if (!from->given || by_ends(input)) return true;
    return from->section <= BRANT__COLUMN_TEXT && from->numbers[0] >= BRANT__KIND_NULL &&
           from->numbers[0] <= BRANT__KIND_OTHER &&
           (input->kind == BRANT__EDGES ||
            (from->numbers[2] >= 0 && (uint64_t)from->numbers[2] <= from->text.length));
}

static brant_status note_position(brant__page *page, brant__statement *row, order by) {
    const brant__query_input *input = page->input;
    int column = input->kind == BRANT__NODES ? 7 : 12;
    brant__position *at = &page->position;
    brant__text value = {NULL, 0}, tie = {NULL, 0};
    double number;
    char *text;

    *at = (brant__position){.given = true};
    if (by_ends(input)) {
        value = brant__column_text(row, 2);
        at->numbers[0] = brant__column_integer(row, 1);
        at->numbers[1] = brant__column_integer(row, 9);
        at->numbers[2] = brant__column_integer(row, 10);
    } else {
        if (by.kind) at->numbers[0] = brant__column_integer(row, column++);
        at->section = (uint8_t)(by.value ? brant__column_type(row, column) : BRANT__COLUMN_NULL);
        if (at->section == BRANT__COLUMN_DOUBLE) {
            number = brant__column_double(row, column);
            memcpy(&at->numbers[1], &number, sizeof(number));
        } else if (at->section == BRANT__COLUMN_INTEGER) {
            at->numbers[1] = brant__column_integer(row, column);
        } else if (at->section == BRANT__COLUMN_TEXT) {
            value = brant__column_text(row, column);
        }
        if (input->kind == BRANT__NODES) {
            tie = brant__column_text(row, 0);
            at->numbers[2] = (int64_t)value.length;
        } else {
            at->numbers[2] = brant__column_integer(row, 10);
        }
    }
    if (value.length + tie.length > POSITION_BYTES) {
        at->given = false; /* which matters only where there are more */
        return BRANT_OK;
    }
    text = brant__arena_alloc(input->call->arena, value.length + tie.length + 1);
    if (!text) return brant__fail_memory();
    if (value.length > 0) memcpy(text, value.data, value.length);
    if (tie.length > 0) memcpy(text + value.length, tie.data, tie.length);
    at->text = brant__text_of(text, value.length + tie.length);
    return BRANT_OK;
}

/* ---- items ----------------------------------------------------------------------------------- */

static brant_status write_section(brant__page *page, order by, int section) {
    const brant__query_input *input = page->input;
    brant__call *call = input->call;
    brant__statement *statement = NULL;
    brant__buffer sql = {0};
    int parameter = 1;
    bool row;
    brant_status status;

    BRANT__TRY(write_sql(&sql, input, by, section));
    BRANT__TRY(brant__query_prepare(&statement, call, brant__text_of(sql.data, sql.length)));
    brant__query_bind(statement, input, &parameter);
    bind_after(statement, input, by, section, &parameter);
    brant__bind_integer(statement, parameter, input->limit - page->count + 1);
    for (;;) {
        BRANT__TRY(brant__step(&row, call->db, statement));
        if (!row) break;
        if (page->count == input->limit) {
            page->more = true;
            if (!page->position.given)
                status =
                    brant__fail(BRANT_LIMIT, "the page would end at a value of more than %d bytes",
                                POSITION_BYTES);
            break;
        }
        if (input->kind == BRANT__NODES)
            BRANT__TRY(brant__write_node(call->out, call, &input->graph, statement));
        else
            BRANT__TRY(brant__write_edge(call, &input->graph, statement));
        if (++page->count == input->limit) BRANT__TRY(note_position(page, statement, by));
    }
cleanup:
    brant__reset(statement);
    brant__buffer_free(&sql);
    return status;
}

brant_status brant__page_write(brant__page *page) {
    const brant__query_input *input = page->input;
    order by = order_of(input);
    brant_status status = BRANT_OK;

    brant__query_input first = *input;

    if (!is_position(input))
        return brant__fail(BRANT_INVALID, "the cursor is not one of this list");
    first.position.given = false;
    status = choose(&by, &first);
    if (status != BRANT_OK) return status;
    for (int section = 0; section < SECTIONS && !page->more; section++) {
        if (!has_section(input, by, section)) continue;
        status = write_section(page, by, section);
        if (status != BRANT_OK) break;
    }
    return status;
}
