/*
 * access/index.c: nodes, edges and terms of an access graph, found by hash and linked in lists.
 *
 * Places of what is gone are used again, so that an index that follows changes for long does not grow.
 */
#include "access/index.h"

#include "access/standing.h"

const brant__text brant__access_node_names[BRANT__ACCESS_NODE_KINDS] = {
    {"Principal", 9}, {"Agent", 5}, {"Group", 5}, {"Role", 4}, {"Resource", 8},
};
const brant__text brant__access_edge_names[BRANT__ACCESS_EDGE_KINDS] = {
    {"BelongsTo", 9}, {"HasRole", 7}, {"Parent", 6}, {"Grants", 6}, {"Denies", 6}, {"Delegates", 9},
};

static int find_name(const brant__text *names, int count, brant__text name) {
    int at = 0;

    while (at < count && !brant__text_equal(names[at], name))
        at++;
    return at;
}

int brant__access_node_kind(brant__text name) {
    return find_name(brant__access_node_names, BRANT__ACCESS_NODE_KINDS, name);
}

int brant__access_edge_kind(brant__text name) {
    return find_name(brant__access_edge_names, BRANT__ACCESS_EDGE_KINDS, name);
}

static int list_of(int kind) {
    return kind <= BRANT__PARENT ? BRANT__LIST_UP : BRANT__LIST_GRANTS + (kind - BRANT__GRANTS);
}

/* ---- tables ---------------------------------------------------------------------------------- */

static void place(brant__access_table *table, uint32_t hash, uint32_t number) {
    size_t mask = table->capacity - 1, at = hash & mask;

    while (table->cells[at].number)
        at = (at + 1) & mask;
    table->cells[at] = (brant__access_cell){hash, number + 1};
}

/* Room for so many in all, at most two thirds full. */
static bool table_reserve(brant__access_table *table, size_t count) {
    brant__access_table grown = {.capacity = table->capacity ? table->capacity : 16};

    if (table->capacity && count <= table->capacity / 3 * 2) return true;
    while (count > grown.capacity / 3 * 2)
        grown.capacity *= 2;
    grown.cells = brant__alloc_zero(grown.capacity * sizeof(*grown.cells));
    if (!grown.cells) return false;
    for (size_t i = 0; i < table->capacity; i++)
        if (table->cells[i].number) place(&grown, table->cells[i].hash, table->cells[i].number - 1);
    grown.count = table->count;
    brant__free(table->cells);
    *table = grown;
    return true;
}

/* There is room. */
static void table_add(brant__access_table *table, uint32_t hash, uint32_t number) {
    place(table, hash, number);
    table->count++;
}

/* It is in the table. What stands behind it moves up where it may. */
static void table_remove(brant__access_table *table, uint32_t hash, uint32_t number) {
    const size_t mask = table->capacity - 1;
    size_t hole = hash & mask;

    while (table->cells[hole].number != number + 1)
        hole = (hole + 1) & mask;
    for (size_t at = (hole + 1) & mask; table->cells[at].number; at = (at + 1) & mask) {
        const size_t home = table->cells[at].hash & mask;
        if (((at - home) & mask) < ((at - hole) & mask)) continue;
        table->cells[hole] = table->cells[at];
        hole = at;
    }
    table->cells[hole].number = 0;
    table->count--;
}

static uint32_t hash_text(brant__text text) {
    const uint64_t hash = brant__hash_seeded(text.data, text.length, brant__hash_seed());

    return (uint32_t)(hash ^ hash >> 32);
}

static uint32_t hash_ends(uint32_t source, uint32_t target, int kind) {
    uint64_t hash =
        ((uint64_t)source << 32 | target) + (uint64_t)kind * UINT64_C(0x9E3779B97F4A7C15);

    hash = (hash ^ hash >> 32) * UINT64_C(0xD1342543DE82EF95);
    hash = (hash ^ hash >> 29) * UINT64_C(0xA0761D6478BD642F);
    return (uint32_t)(hash >> 32);
}

/* ---- terms ----------------------------------------------------------------------------------- */

/* An integer member into *out, which is left where there is none. False: it is something else. */
static bool read_integer(int64_t *out, yyjson_val *object, const char *name) {
    yyjson_val *value = brant__json_get(object, name);

    if (!value) return true;
    *out = brant__json_integer(value, -1);
    return *out != -1 || brant__json_integer(value, 0) == -1;
}

/* False: it is no boolean. */
static bool read_bool(bool *out, yyjson_val *object, const char *name) {
    yyjson_val *value = brant__json_get(object, name);

    *out = value && yyjson_is_true(value);
    return !value || yyjson_is_bool(value);
}

/* The scopes, copied into one block; `broken` where they are none. NO_MEMORY. */
static brant_status read_scopes(brant__access_terms *terms, yyjson_val *array) {
    const size_t count = yyjson_arr_size(array);
    size_t bytes = count * sizeof(brant__text), at = 0;
    yyjson_arr_iter iterator;
    yyjson_val *item;
    char *text;

    if (!array) return BRANT_OK;
    yyjson_arr_iter_init(array, &iterator);
    while ((item = yyjson_arr_iter_next(&iterator))) {
        if (!brant__scope_valid(brant__json_text(item))) terms->broken = true;
        bytes += yyjson_get_len(item);
    }
    if (!yyjson_is_arr(array) || count == 0) terms->broken = true;
    if (terms->broken) return BRANT_OK;
    terms->scopes.items = brant__alloc(bytes);
    if (!terms->scopes.items) return brant__fail_memory();
    text = (char *)(terms->scopes.items + count);
    yyjson_arr_iter_init(array, &iterator);
    while ((item = yyjson_arr_iter_next(&iterator))) {
        const brant__text scope = brant__json_text(item);
        memcpy(text, scope.data, scope.length);
        terms->scopes.items[at++] = brant__text_of(text, scope.length);
        text += scope.length;
    }
    terms->scopes.count = count;
    return BRANT_OK;
}

static brant_status parse_object(brant__access_index *index, brant__text attributes,
                                 bool *out_good) {
    brant_status status = brant__json_parse(&index->json, attributes.data, attributes.length, 0);

    *out_good = status == BRANT_OK && yyjson_is_obj(index->json.root);
    if (status == BRANT_OK || status == BRANT_NO_MEMORY) return status;
    (void)brant__error_code(); /* it is not JSON: broken */
    return BRANT_OK;
}

static brant_status read_terms(brant__access_terms *terms, brant__access_index *index,
                               brant__text attributes) {
    yyjson_val *object, *state, *revoked;
    bool good;
    brant_status status;

    terms->expires_at = INT64_MAX;
    BRANT__TRY(parse_object(index, attributes, &good));
    terms->broken = !good;
    if (!good) goto cleanup;
    object = index->json.root;
    state = brant__json_get(object, "state");
    revoked = brant__json_get(object, "revoked_at");
    terms->between = brant__json_get(object, "delegation_id") != NULL;
    terms->ended =
        revoked || (state && !brant__text_equal(brant__json_text(state), BRANT__TEXT("active")));
    terms->broken = !read_integer(&terms->expires_at, object, "expires_at") ||
                    !read_integer(&terms->max_depth, object, "max_depth") ||
                    !read_bool(&terms->derived, object, "derived") ||
                    !read_bool(&terms->may_redelegate, object, "may_redelegate");
    status = read_scopes(terms, brant__json_get(object, "scopes"));
cleanup:
    return status;
}

static void terms_release(brant__access_index *index, uint32_t number) {
    brant__access_terms *terms = &index->terms[number];

    if (--terms->references > 0) return;
    table_remove(&index->by_text, terms->hash, number);
    brant__free(terms->text);
    brant__free(terms->scopes.items);
    *terms = (brant__access_terms){.next_free = index->free_terms};
    index->free_terms = number + 1;
}

/* Of an edge's attributes: the caller's, once. */
static brant_status terms_take(uint32_t *out, brant__access_index *index, brant__text attributes) {
    const uint32_t hash = hash_text(attributes);
    const size_t mask = index->by_text.capacity - 1;
    brant__access_terms made = {.hash = hash, .length = attributes.length, .references = 1};
    brant__access_terms *grown;
    uint32_t number;
    brant_status status = BRANT_OK;

    for (size_t at = hash & mask; index->by_text.capacity && index->by_text.cells[at].number;
         at = (at + 1) & mask) {
        number = index->by_text.cells[at].number - 1;
        if (index->by_text.cells[at].hash != hash ||
            !brant__text_equal(
                brant__text_of(index->terms[number].text, index->terms[number].length), attributes))
            continue;
        index->terms[number].references++;
        *out = number;
        return BRANT_OK;
    }
    BRANT__TRY(read_terms(&made, index, attributes));
    made.text = brant__strndup(attributes.data, attributes.length);
    grown = index->free_terms
                ? index->terms
                : brant__grow(index->terms, &index->terms_room, index->terms_end, sizeof(*grown));
    if (grown) index->terms = grown;
    if (!made.text || !grown || !table_reserve(&index->by_text, index->by_text.count + 1)) {
        status = brant__fail_memory();
        goto cleanup;
    }
    if (index->free_terms) {
        number = index->free_terms - 1;
        index->free_terms = index->terms[number].next_free;
    } else {
        number = index->terms_end++;
    }
    index->terms[number] = made;
    made = (brant__access_terms){.text = NULL};
    table_add(&index->by_text, hash, number);
    *out = number;
cleanup:
    brant__free(made.text);
    brant__free(made.scopes.items);
    return status;
}

/* ---- nodes ----------------------------------------------------------------------------------- */

uint32_t brant__access_node_find(const brant__access_index *index, brant__text key) {
    const brant__access_table *table = &index->by_key;
    const size_t mask = table->capacity - 1;
    uint32_t hash;

    if (!table->capacity) return BRANT__NOTHING;
    hash = hash_text(key);
    for (size_t at = hash & mask; table->cells[at].number; at = (at + 1) & mask)
        if (table->cells[at].hash == hash &&
            brant__text_equal(brant__access_key(index, table->cells[at].number - 1), key))
            return table->cells[at].number - 1;
    return BRANT__NOTHING;
}

/* What the attributes of a node say that counts: a status other than active suspends. */
static brant_status read_node(bool *out_suspended, brant__text *out_account,
                              brant__access_index *index, int kind, brant__text attributes) {
    yyjson_val *value;
    bool good;
    brant_status status = BRANT_OK;

    *out_suspended = false;
    *out_account = (brant__text){NULL, 0};
    if (kind > BRANT__AGENT || brant__text_equal(attributes, BRANT__TEXT("{}"))) return BRANT_OK;
    BRANT__TRY(parse_object(index, attributes, &good));
    *out_suspended = !good;
    if (!good) goto cleanup;
    value = brant__json_get(index->json.root, "status");
    *out_suspended = value && !brant__text_equal(brant__json_text(value), BRANT__TEXT("active"));
    if (kind == BRANT__AGENT) goto cleanup;
    value = brant__json_get(index->json.root, "account_id");
    *out_account = brant__json_text(value);
    if (value && out_account->length == 0) *out_suspended = true;
cleanup:
    return status;
}

static void node_free(brant__access_node *node) {
    brant__free(node->key);
    node->key = NULL;
}

/* Its key and account in one block. */
static char *copy_names(brant__text key, brant__text account) {
    char *text = brant__alloc(key.length + account.length + 2);

    if (!text) return NULL;
    memcpy(text, key.data, key.length);
    text[key.length] = 0;
    if (account.length) memcpy(text + key.length + 1, account.data, account.length);
    text[key.length + 1 + account.length] = 0;
    return text;
}

brant_status brant__access_node_set(uint32_t *out_node, brant__access_index *index, brant__text key,
                                    int kind, brant__text attributes) {
    uint32_t number = brant__access_node_find(index, key);
    brant__access_node *grown, *node;
    brant__text account, organization, there;
    char *names = NULL;
    bool suspended;
    brant_status status;

    BRANT__TRY(read_node(&suspended, &account, index, kind, attributes));
    names = copy_names(key, account);
    if (!names) {
        status = brant__fail_memory();
        goto cleanup;
    }
    if (number == BRANT__NOTHING) {
        grown = index->free_node
                    ? index->nodes
                    : brant__grow(index->nodes, &index->node_room, index->node_end, sizeof(*grown));
        if (grown) index->nodes = grown;
        if (!grown || !table_reserve(&index->by_key, index->by_key.count + 1)) {
            status = brant__fail_memory();
            goto cleanup;
        }
        if (index->free_node) {
            number = index->free_node - 1;
            index->free_node = index->nodes[number].first[0][0];
        } else {
            number = index->node_end++;
        }
        node = &index->nodes[number];
        *node = (brant__access_node){.hash = hash_text(key), .length = (uint32_t)key.length};
        memset(node->first, 0xFF, sizeof(node->first));
        table_add(&index->by_key, node->hash, number);
        index->node_count++;
    }
    node = &index->nodes[number];
    brant__free(node->key);
    node->key = names;
    names = NULL;
    node->account_length = (uint32_t)account.length;
    node->kind = (uint8_t)kind;
    node->suspended = suspended;
    node->foreign = kind == BRANT__AGENT && brant__access_foreign(&organization, &there, key);
    if (out_node) *out_node = number;
cleanup:
    brant__free(names);
    return status;
}

void brant__access_node_remove(brant__access_index *index, uint32_t number) {
    brant__access_node *node = &index->nodes[number];

    for (int way = 0; way < 2; way++)
        for (int list = 0; list < BRANT__ACCESS_LISTS; list++)
            while (node->first[way][list] != BRANT__NOTHING)
                brant__access_edge_remove(index, node->first[way][list]);
    table_remove(&index->by_key, node->hash, number);
    node_free(node);
    *node = (brant__access_node){.first = {{index->free_node}}};
    index->free_node = number + 1;
    index->node_count--;
}

/* ---- edges ----------------------------------------------------------------------------------- */

uint32_t brant__access_edge_find(const brant__access_index *index, uint32_t source, uint32_t target,
                                 int kind) {
    const brant__access_table *table = &index->by_ends;
    const uint32_t hash = hash_ends(source, target, kind);
    const size_t mask = table->capacity - 1;

    if (!table->capacity) return BRANT__NOTHING;
    for (size_t at = hash & mask; table->cells[at].number; at = (at + 1) & mask) {
        const brant__access_edge *edge;
        if (table->cells[at].hash != hash) continue;
        edge = &index->edges[table->cells[at].number - 1];
        if (edge->end[BRANT__OUT] == source && edge->end[BRANT__IN] == target && edge->kind == kind)
            return table->cells[at].number - 1;
    }
    return BRANT__NOTHING;
}

static void link_edge(brant__access_index *index, uint32_t number, int way) {
    brant__access_edge *edge = &index->edges[number];
    uint32_t *first = &index->nodes[edge->end[way]].first[way][list_of(edge->kind)];

    edge->previous[way] = BRANT__NOTHING;
    edge->next[way] = *first;
    if (*first != BRANT__NOTHING) index->edges[*first].previous[way] = number;
    *first = number;
}

static void unlink_edge(brant__access_index *index, uint32_t number, int way) {
    const brant__access_edge *edge = &index->edges[number];
    const uint32_t next = edge->next[way], previous = edge->previous[way];

    if (previous == BRANT__NOTHING)
        index->nodes[edge->end[way]].first[way][list_of(edge->kind)] = next;
    else
        index->edges[previous].next[way] = next;
    if (next != BRANT__NOTHING) index->edges[next].previous[way] = previous;
}

brant_status brant__access_edge_set(brant__access_index *index, uint32_t source, uint32_t target,
                                    int kind, int64_t row_id, brant__text attributes) {
    uint32_t number = brant__access_edge_find(index, source, target, kind), terms = 0;
    brant__access_edge *grown;
    brant_status status = terms_take(&terms, index, attributes);

    if (status != BRANT_OK) return status;
    if (number != BRANT__NOTHING) {
        terms_release(index, index->edges[number].terms);
        index->edges[number].terms = terms;
        index->edges[number].row_id = row_id;
        return BRANT_OK;
    }
    grown = index->free_edge
                ? index->edges
                : brant__grow(index->edges, &index->edge_room, index->edge_end, sizeof(*grown));
    if (grown) index->edges = grown;
    if (!grown || !table_reserve(&index->by_ends, index->by_ends.count + 1)) {
        terms_release(index, terms);
        return brant__fail_memory();
    }
    if (index->free_edge) {
        number = index->free_edge - 1;
        index->free_edge = index->edges[number].end[0];
    } else {
        number = index->edge_end++;
    }
    index->edges[number] = (brant__access_edge){
        .end = {source, target}, .terms = terms, .kind = (uint8_t)kind, .row_id = row_id};
    link_edge(index, number, BRANT__OUT);
    link_edge(index, number, BRANT__IN);
    table_add(&index->by_ends, hash_ends(source, target, kind), number);
    index->edge_count++;
    return BRANT_OK;
}

void brant__access_edge_remove(brant__access_index *index, uint32_t number) {
    brant__access_edge *edge = &index->edges[number];

    unlink_edge(index, number, BRANT__OUT);
    unlink_edge(index, number, BRANT__IN);
    table_remove(&index->by_ends, hash_ends(edge->end[0], edge->end[1], edge->kind), number);
    terms_release(index, edge->terms);
    *edge = (brant__access_edge){.end = {index->free_edge}, .kind = BRANT__ACCESS_EDGE_KINDS};
    index->free_edge = number + 1;
    index->edge_count--;
}

/* ---- as a whole ------------------------------------------------------------------------------ */

brant_status brant__access_index_reserve(brant__access_index *index, size_t nodes, size_t edges) {
    brant__access_node *more_nodes;
    brant__access_edge *more_edges;

    if (nodes > index->node_room) {
        more_nodes = brant__realloc(index->nodes, nodes * sizeof(*more_nodes));
        if (!more_nodes) return brant__fail_memory();
        index->nodes = more_nodes;
        index->node_room = nodes;
    }
    if (edges > index->edge_room) {
        more_edges = brant__realloc(index->edges, edges * sizeof(*more_edges));
        if (!more_edges) return brant__fail_memory();
        index->edges = more_edges;
        index->edge_room = edges;
    }
    return table_reserve(&index->by_key, nodes) && table_reserve(&index->by_ends, edges)
               ? BRANT_OK
               : brant__fail_memory();
}

void brant__access_index_free(brant__access_index *index) {
    for (uint32_t i = 0; i < index->node_end; i++)
        node_free(&index->nodes[i]);
    for (uint32_t i = 0; i < index->terms_end; i++) {
        brant__free(index->terms[i].text);
        brant__free(index->terms[i].scopes.items);
    }
    brant__free(index->nodes);
    brant__free(index->edges);
    brant__free(index->terms);
    brant__free(index->by_key.cells);
    brant__free(index->by_ends.cells);
    brant__free(index->by_text.cells);
    brant__json_free(&index->json);
    *index = (brant__access_index){.nodes = NULL};
}

uint32_t brant__access_search(brant__access_index *index, int which) {
    if (index->marks[which] == UINT32_MAX) {
        for (uint32_t i = 0; i < index->node_end; i++)
            index->nodes[i].marks[which] = 0;
        index->marks[which] = 0;
    }
    return ++index->marks[which];
}
