/*
 * graph/search.c: searching the indexes of text.
 *
 * What the user writes is parsed here and written anew for FTS5 with every word in quotes: its own syntax and its errors are never met. Hits of all
 * indexes asked are ranked together by bm25, and only a page of them is read and marked.
 */
#include <stdio.h>

#include "graph/query.h"

#define QUERY_BYTES   10000
#define QUERY_DEPTH   32
#define QUERY_WORDS   200
#define INDEXES_ASKED 100
#define OFFSET_LIMIT  1000000

/* ---- the language ---------------------------------------------------------------------------- */

typedef struct words {
    brant__call *call;
    brant__text text;
    size_t at;
    size_t count;
} words;

static brant_status refuse(words *w, size_t at, const char *message) {
    char detail[64];

    snprintf(detail, sizeof(detail), "{\"pointer\":\"/query\",\"offset\":%zu}", at);
    return brant__fail_detail(BRANT_INVALID, brant__text_string(detail), "query %s, byte %zu: %s",
                              brant__quoted(w->call, w->text), at, message);
}

static bool is_space(char c) {
    return c == ' ' || c == '\t' || c == '\n' || c == '\r';
}

static void skip_space(words *w) {
    while (w->at < w->text.length && is_space(w->text.data[w->at]))
        w->at++;
}

static bool at_byte(const words *w, char c) {
    return w->at < w->text.length && w->text.data[w->at] == c;
}

static brant__text peek_word(const words *w) {
    size_t end = w->at;

    while (end < w->text.length && !is_space(w->text.data[end]) && w->text.data[end] != '"' &&
           w->text.data[end] != '(' && w->text.data[end] != ')')
        end++;
    return brant__text_of(w->text.data + w->at, end - w->at);
}

static bool at_keyword(const words *w, const char *keyword) {
    return brant__text_equal(peek_word(w), brant__text_string(keyword));
}

/* Is there anything in it that a word can be made of? FTS5 takes a phrase without words for one that is nowhere. */
static brant_status is_searchable(bool *out, const words *w, brant__text text) {
    bool ascii = true;

    for (size_t i = 0; i < text.length; i++) {
        unsigned char c = (unsigned char)text.data[i];
        *out = (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
        if (*out) return BRANT_OK;
        ascii = ascii && c < 0x80;
    }
    *out = false;
    return ascii ? BRANT_OK : brant__has_word(out, w->call->db, text);
}

static void append_quoted(brant__buffer *out, brant__text text, bool prefix) {
    brant__buffer_append_byte(out, '"');
    for (size_t i = 0; i < text.length; i++) {
        if (text.data[i] == '"') brant__buffer_append_byte(out, '"');
        brant__buffer_append_byte(out, text.data[i]);
    }
    brant__buffer_append(out, "\"*", prefix ? 2 : 1);
}

static brant_status parse_any(brant__buffer *out, words *w, unsigned depth);

/* A word, phrase or group; nothing is written where it has no letter or digit. */
static brant_status parse_item(brant__buffer *out, words *w, unsigned depth) {
    size_t from = w->at;
    brant__text text;
    bool prefix, searchable;
    brant_status status;

    if (at_byte(w, '(')) {
        if (depth == QUERY_DEPTH) return refuse(w, from, "groups are nested deeper than 32");
        w->at++;
        status = parse_any(out, w, depth + 1);
        if (status != BRANT_OK) return status;
        if (!at_byte(w, ')')) return refuse(w, from, "the group is not closed");
        w->at++;
        return BRANT_OK;
    }
    if (at_byte(w, '"')) {
        const char *end = memchr(w->text.data + from + 1, '"', w->text.length - from - 1);
        if (!end) return refuse(w, from, "the phrase is not closed");
        text = brant__text_of(w->text.data + from + 1, (size_t)(end - w->text.data) - from - 1);
        w->at = from + text.length + 2;
        prefix = at_byte(w, '*');
        w->at += prefix;
    } else {
        text = peek_word(w);
        if (text.length == 0)
            return refuse(w, from,
                          from == w->text.length ? "a word is missing at the end"
                                                 : "a word is missing");
        if (at_keyword(w, "AND") || at_keyword(w, "OR"))
            return refuse(w, from, "AND and OR stand between two words");
        w->at += text.length;
        prefix = text.data[text.length - 1] == '*';
        text.length -= prefix;
        if (memchr(text.data, '*', text.length))
            return refuse(w, from, "* stands at the end of a word");
    }
    status = is_searchable(&searchable, w, text);
    if (status != BRANT_OK) return status;
    if (!searchable)
        return prefix ? refuse(w, from, "* needs letters or digits before it") : BRANT_OK;
    if (++w->count > QUERY_WORDS) return refuse(w, from, "more than 200 words");
    append_quoted(out, text, prefix);
    return BRANT_OK;
}

/* Words that all must be there, and those that must not. */
static brant_status parse_all(brant__buffer *out, words *w, unsigned depth) {
    brant__buffer wanted = {0}, unwanted = {0}, item = {0};
    size_t from = w->at;
    brant_status status = BRANT_OK;
    bool joined = false;

    for (;;) {
        bool not = false;
        skip_space(w);
        if (!joined && (w->at == w->text.length || at_byte(w, ')') || at_keyword(w, "OR"))) break;
        if (!joined && (wanted.length > 0 || unwanted.length > 0) && at_keyword(w, "AND")) {
            w->at += 3;
            joined = true;
            continue;
        }
        joined = false;
        if (at_keyword(w, "NOT")) {
            not = true;
            w->at += 3;
            skip_space(w);
        } else if (at_byte(w, '-') && w->at + 1 < w->text.length &&
                   !is_space(w->text.data[w->at + 1])) {
            not = true;
            w->at++;
        }
        brant__buffer_reset(&item);
        BRANT__TRY(parse_item(&item, w, depth));
        if (item.length > 0) {
            brant__buffer *to = not ? &unwanted : &wanted;
            if (to->length > 0) brant__buffer_append(to, not? " OR " : " AND ", not? 4 : 5);
            brant__buffer_append(to, item.data, item.length);
        }
    }
    if (wanted.length == 0 && unwanted.length > 0) {
        status = refuse(w, from, "only words to leave out: give one to find");
        goto cleanup;
    }
    if (wanted.length == 0) {
        status = refuse(w, from, "no word to find");
        goto cleanup;
    }
    brant__buffer_append(out, "((", 2);
    brant__buffer_append(out, wanted.data, wanted.length);
    brant__buffer_append_byte(out, ')');
    if (unwanted.length > 0) {
        brant__buffer_append(out, " NOT (", 6);
        brant__buffer_append(out, unwanted.data, unwanted.length);
        brant__buffer_append_byte(out, ')');
    }
    brant__buffer_append_byte(out, ')');
    if (wanted.failed || unwanted.failed || item.failed) out->failed = true;
cleanup:
    brant__buffer_free(&item);
    brant__buffer_free(&unwanted);
    brant__buffer_free(&wanted);
    return status;
}

static brant_status parse_any(brant__buffer *out, words *w, unsigned depth) {
    brant_status status;

    brant__buffer_append_byte(out, '(');
    for (;;) {
        status = parse_all(out, w, depth);
        if (status != BRANT_OK) return status;
        if (!at_keyword(w, "OR")) break;
        w->at += 2;
        brant__buffer_append(out, " OR ", 4);
    }
    brant__buffer_append_byte(out, ')');
    return BRANT_OK;
}

brant_status brant__search_parse(brant__text *out, brant__call *call, brant__text query) {
    words w = {.call = call, .text = query};
    brant__buffer text = {0};
    brant_status status;

    *out = (brant__text){NULL, 0};
    if (query.length > QUERY_BYTES) return refuse(&w, QUERY_BYTES, "longer than 10000 bytes");
    if (memchr(query.data, 0, query.length)) return refuse(&w, 0, "has a NUL");
    BRANT__TRY(parse_any(&text, &w, 0));
    if (w.at < query.length) {
        status = refuse(&w, w.at, "a group is closed that was not opened");
        goto cleanup;
    }
    if (!text.failed)
        *out = brant__text_of(brant__arena_copy(call->arena, text.data, text.length), text.length);
    if (!out->data) status = brant__fail_memory();
cleanup:
    brant__buffer_free(&text);
    return status;
}

/* ---- hits ------------------------------------------------------------------------------------ */

/* The indexes of text that cover what is asked. */
static brant_status find_indexes(int64_t rows[INDEXES_ASKED + 1], size_t *out_count,
                                 const brant__query_input *input) {
    static const char text[] = "SELECT row_id FROM attribute_indexes WHERE graph_type=? AND of=?"
                               " AND kind='text' AND (? OR type=?) ORDER BY row_id LIMIT ?";
    brant__call *call = input->call;
    const brant__type *type = input->graph.type;
    brant__statement *statement = NULL;
    bool row;
    brant_status status;

    *out_count = 0;
    BRANT__TRY(brant__query_prepare(&statement, call, BRANT__TEXT(text)));
    brant__bind_integer(statement, 1, type->row_id);
    brant__bind_integer(statement, 2, input->kind);
    brant__bind_integer(statement, 3, input->any_type);
    brant__bind_integer(statement, 4, input->type_row);
    brant__bind_integer(statement, 5, INDEXES_ASKED + 1);
    for (;;) {
        BRANT__TRY(brant__step(&row, call->db, statement));
        if (!row) break;
        rows[(*out_count)++] = brant__column_integer(statement, 0);
    }
    if (*out_count > INDEXES_ASKED)
        status = brant__fail(BRANT_LIMIT, "more than %d indexes of text cover what is asked",
                             INDEXES_ASKED);
    else if (*out_count == 0)
        status = brant__fail(
            BRANT_CONSTRAINT,
            "no text index covers %s of graph type %s; make one with indexes.create",
            input->any_type ? input->kind == BRANT__NODES ? "the nodes" : "the edges"
                            : brant__quoted(call, brant__json_get_text(call->input, "type")),
            brant__quoted(call, brant__text_string(type->name)));
cleanup:
    brant__reset(statement);
    return status;
}

static void hits_sql(brant__buffer *sql, const brant__query_input *input, const int64_t *indexes,
                     size_t count) {
    bool nodes = input->kind == BRANT__NODES;
    const char *alias = nodes ? "n" : "e";

    /* bm25 works in the query of its own table alone. */
    brant__buffer_format(sql, "WITH h(row_id,score,text_index) AS MATERIALIZED (");
    for (size_t i = 0; i < count; i++) {
        long long index = (long long)indexes[i];
        brant__buffer_format(sql,
                             "%sSELECT rowid,-bm25(attribute_text_%lld),%lld FROM "
                             "attribute_text_%lld WHERE attribute_text_%lld MATCH ?1",
                             i ? " UNION ALL " : "", index, index, index, index);
    }
    brant__buffer_format(sql,
                         ") SELECT %s.row_id,max(h.score) AS score,h.text_index FROM h CROSS JOIN "
                         "%s %s ON %s.row_id=h.row_id WHERE %s.graph=?",
                         alias, nodes ? "nodes" : "edges", alias, alias, alias);
    if (!input->any_type)
        brant__buffer_format(sql, " AND %s.type=%lld", alias, (long long)input->type_row);
    brant__buffer_format(sql, " AND ");
    brant__filter_sql(sql, input->filter, alias);
    brant__buffer_format(sql, " GROUP BY h.row_id ORDER BY score DESC,%s LIMIT ? OFFSET ?",
                         nodes ? "n.key" : "e.row_id");
}

static brant_status write_row(const brant__query_input *input, int64_t row_id) {
    brant__call *call = input->call;
    brant__statement *statement = NULL;
    bool nodes = input->kind == BRANT__NODES, row;
    brant_status status;

    if (nodes)
        BRANT__TRY(brant__query_prepare(
            &statement, call,
            BRANT__TEXT("SELECT " BRANT__NODE_COLUMNS " FROM nodes WHERE row_id=?")));
    else
        BRANT__TRY(brant__edge_statement(&statement, call, BRANT__EDGE_GET));
    brant__bind_integer(statement, 1, row_id);
    BRANT__TRY(brant__step(&row, call->db, statement));
    if (!row) {
        status = brant__fail(BRANT_CORRUPT, "an index of text has a row that is not there; run "
                                            "db.doctor");
        goto cleanup;
    }
    brant__write_name(call->out, nodes ? "node" : "edge");
    status = nodes ? brant__write_node(call->out, call, &input->graph, statement)
                   : brant__write_edge(call, &input->graph, statement);
cleanup:
    brant__reset(statement);
    return status;
}

static brant_status write_snippet(brant__call *call, int64_t index, int64_t row_id,
                                  brant__text match) {
    brant__statement *statement = NULL;
    brant__buffer sql = {0};
    brant__text text;
    bool row;
    brant_status status;

    brant__buffer_format(&sql,
                         "SELECT snippet(attribute_text_%lld,-1,'[',']','...',16) FROM "
                         "attribute_text_%lld WHERE rowid=? AND attribute_text_%lld MATCH ?",
                         (long long)index, (long long)index, (long long)index);
    status = sql.failed
                 ? brant__fail_memory()
                 : brant__query_prepare(&statement, call, brant__text_of(sql.data, sql.length));
    brant__buffer_free(&sql);
    if (status != BRANT_OK) return status;
    brant__bind_integer(statement, 1, row_id);
    brant__bind_text(statement, 2, match);
    BRANT__TRY(brant__step(&row, call->db, statement));
    text = row ? brant__column_text(statement, 0) : BRANT__TEXT("");
    brant__write_text_member(call->out, "snippet", text.data ? text : BRANT__TEXT(""));
cleanup:
    brant__reset(statement);
    return status;
}

static brant_status write_hits(bool *out_more, const brant__query_input *input, brant__text match,
                               int64_t offset) {
    brant__call *call = input->call;
    brant__statement *statement = NULL;
    brant__buffer sql = {0};
    int64_t indexes[INDEXES_ASKED + 1], count = 0;
    size_t index_count;
    int parameter = 1;
    bool row;
    brant_status status;

    *out_more = false;
    BRANT__TRY(find_indexes(indexes, &index_count, input));
    hits_sql(&sql, input, indexes, index_count);
    if (sql.failed) {
        status = brant__fail_memory();
        goto cleanup;
    }
    BRANT__TRY(brant__query_prepare(&statement, call, brant__text_of(sql.data, sql.length)));
    brant__bind_text(statement, parameter++, match);
    brant__bind_integer(statement, parameter++, input->graph.row_id);
    brant__filter_bind(statement, input->filter, &parameter);
    brant__bind_integer(statement, parameter++, input->limit + 1);
    brant__bind_integer(statement, parameter, offset);
    for (;;) {
        BRANT__TRY(brant__step(&row, call->db, statement));
        if (!row) break;
        if (count++ == input->limit) {
            *out_more = true;
            break;
        }
        brant__write_object(call->out);
        BRANT__TRY(write_row(input, brant__column_integer(statement, 0)));
        brant__write_name(call->out, "score");
        brant__write_double(call->out, brant__column_double(statement, 1));
        BRANT__TRY(write_snippet(call, brant__column_integer(statement, 2),
                                 brant__column_integer(statement, 0), match));
        brant__write_end(call->out);
    }
cleanup:
    brant__reset(statement);
    brant__buffer_free(&sql);
    return status;
}

static brant_status search(brant__call *call, int kind, const char *operation) {
    brant__text query = brant__json_get_text(call->input, "query"), match;
    yyjson_val *filter = brant__json_get(call->input, "filter");
    brant__query_input input;
    brant__position position;
    brant__buffer text = {0};
    int64_t limit;
    bool more;
    brant_status status;

    BRANT__TRY(brant__query_read(&input, call, kind, NULL));
    BRANT__TRY(brant__limit_read(&limit, call, 20, 1000));
    input.limit = limit;
    BRANT__TRY(brant__search_parse(&match, call, query));
    input.list = brant__list_of(operation);
    brant__list_filter(&input.list, input.graph.id);
    brant__list_filter(&input.list, query);
    brant__list_filter(&input.list, brant__json_get_text(call->input, "type"));
    if (filter) brant__json_append(&text, filter);
    if (text.failed) {
        status = brant__fail_memory();
        goto cleanup;
    }
    brant__list_filter(&input.list, brant__text_of(text.data, text.length));
    BRANT__TRY(brant__position_read(&position, call, input.list));
    if (position.numbers[0] < 0 || position.numbers[0] > OFFSET_LIMIT) {
        status = brant__fail(BRANT_LIMIT, "a search shows at most %d items", OFFSET_LIMIT);
        goto cleanup;
    }
    brant__write_object(call->out);
    brant__write_name(call->out, "items");
    brant__write_array(call->out);
    BRANT__TRY(write_hits(&more, &input, match, position.numbers[0]));
    brant__write_end(call->out);
    position = (brant__position){.given = true, .numbers = {position.numbers[0] + limit}};
    brant__position_write(call->out, more ? &position : NULL, input.list);
    brant__write_end(call->out);
cleanup:
    brant__buffer_free(&text);
    return status;
}

brant_status brant__node_search(brant__call *call) {
    return search(call, BRANT__NODES, "nodes.search");
}

brant_status brant__edge_search(brant__call *call) {
    return search(call, BRANT__EDGES, "edges.search");
}
