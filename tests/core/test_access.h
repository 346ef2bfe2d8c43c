/*
 * tests/core/test_access.h: a naive judge of access graphs, and random graphs for it.
 *
 * The judge reads the rows by SQL in the transaction that runs, and follows the words of brant/access.h: distances between all nodes, all chains of delegations one by one. It shares nothing with
 * the library's index but the answers that it must come to.
 */
#ifndef BRANT_TESTS_ACCESS_H
#define BRANT_TESTS_ACCESS_H

#include <stdbool.h>

#include "test_graph.h"

enum { NO, YES, DEEP }; /* answers; DEEP: the call fails with LIMIT */

enum { PRINCIPAL, AGENT, GROUP, ROLE, RESOURCE };
static const char *const node_kinds[] = {"Principal", "Agent", "Group", "Role", "Resource"};
enum { BELONGS_TO, HAS_ROLE, PARENT, GRANTS, DENIES, DELEGATES };
static const char *const edge_kinds[] = {"BelongsTo", "HasRole", "Parent",
                                         "Grants",    "Denies",  "Delegates"};

#define JUDGED_NODES 160
#define JUDGED_EDGES 400
#define FAR          100000 /* there is no way */

typedef struct judged_node {
    char key[64];
    int kind;
    bool suspended;
} judged_node;

typedef struct judged_edge {
    int kind, source, target;
    bool counts;
    char scopes[8][40];
    size_t scope_count;
    bool may_redelegate;
    int64_t max_depth;
} judged_edge;

typedef struct judge {
    judged_node nodes[JUDGED_NODES];
    size_t node_count;
    judged_edge edges[JUDGED_EDGES];
    size_t edge_count;
    int up[JUDGED_NODES]
          [JUDGED_NODES]; /* how many edges of BelongsTo, HasRole, Parent lead there */
    const char *scope;
    int resource; /* -1: has no node */
} judge;

static inline int judge_find(const judge *self, const char *key) {
    for (size_t i = 0; i < self->node_count; i++)
        if (strcmp(self->nodes[i].key, key) == 0) return (int)i;
    return -1;
}

static inline int kind_in(const char *const *names, const char *name) {
    int kind = 0;

    while (strcmp(names[kind], name) != 0)
        kind++;
    return kind;
}

static inline const char *string_at(yyjson_val *array, size_t index) {
    const char *string = yyjson_get_str(yyjson_arr_get(array, index));

    return string ? string : "";
}

static inline void judge_distances(judge *self) {
    for (size_t i = 0; i < self->node_count; i++)
        for (size_t j = 0; j < self->node_count; j++)
            self->up[i][j] = i == j ? 0 : FAR;
    for (size_t i = 0; i < self->edge_count; i++)
        if (self->edges[i].kind <= PARENT && self->edges[i].counts)
            self->up[self->edges[i].source][self->edges[i].target] = 1;
    for (size_t k = 0; k < self->node_count; k++)
        for (size_t i = 0; i < self->node_count; i++)
            for (size_t j = 0; self->up[i][k] < FAR && j < self->node_count; j++)
                if (self->up[i][k] + self->up[k][j] < self->up[i][j])
                    self->up[i][j] = self->up[i][k] + self->up[k][j];
}

/* The rows of the graph as the running transaction of the handle sees them. */
static inline void judge_read(judge *self, brant_db *db, const char *graph, int64_t now) {
    size_t index, count;
    yyjson_val *row;
    brant__json json;

    *self = (judge){.node_count = 0};
    json = parsed(answer(db, "sql.execute",
                         "{\"sql\":\"SELECT n.key, t.name, n.attributes FROM nodes n JOIN "
                         "node_types t ON t.row_id = n.type "
                         "WHERE n.graph = (SELECT row_id FROM graphs WHERE name = '%s')\"}",
                         graph));
    yyjson_arr_foreach(brant__json_get(json.root, "rows"), index, count, row) {
        judged_node *node = &self->nodes[self->node_count++];
        brant__json attributes = parsed(string_at(row, 2));
        const brant__text status = brant__json_get_text(attributes.root, "status");
        assert_true(self->node_count < JUDGED_NODES);
        snprintf(node->key, sizeof node->key, "%s", string_at(row, 0));
        node->kind = kind_in(node_kinds, string_at(row, 1));
        node->suspended = brant__text_equal(status, BRANT__TEXT("suspended"));
        brant__json_free(&attributes);
    }
    brant__json_free(&json);
    json =
        parsed(answer(db, "sql.execute",
                      "{\"sql\":\"SELECT s.key, t.key, y.name, e.attributes FROM edges e JOIN "
                      "nodes s ON s.row_id = e.source "
                      "JOIN nodes t ON t.row_id = e.target JOIN edge_types y ON y.row_id = e.type "
                      "WHERE s.graph = (SELECT row_id FROM graphs WHERE name = '%s')\"}",
                      graph));
    yyjson_arr_foreach(brant__json_get(json.root, "rows"), index, count, row) {
        judged_edge *edge = &self->edges[self->edge_count++];
        brant__json attributes = parsed(string_at(row, 3));
        yyjson_val *object = attributes.root, *scope;
        size_t at, scopes;
        assert_true(self->edge_count < JUDGED_EDGES);
        edge->source = judge_find(self, string_at(row, 0));
        edge->target = judge_find(self, string_at(row, 1));
        edge->kind = kind_in(edge_kinds, string_at(row, 2));
        edge->counts =
            brant__json_integer(brant__json_get(object, "expires_at"), INT64_MAX) > now &&
            !brant__json_get(object, "revoked_at") &&
            !brant__text_equal(brant__json_get_text(object, "state"), BRANT__TEXT("pending"));
        /* Nobody here has an account, to say of what level it is. */
        if (edge->kind == BELONGS_TO && self->nodes[edge->source].kind == PRINCIPAL &&
            brant__json_bool(brant__json_get(object, "derived"), false))
            edge->counts = false;
        edge->may_redelegate = brant__json_bool(brant__json_get(object, "may_redelegate"), false);
        edge->max_depth = brant__json_integer(brant__json_get(object, "max_depth"), 0);
        yyjson_arr_foreach(brant__json_get(object, "scopes"), at, scopes, scope) snprintf(
            edge->scopes[edge->scope_count++], sizeof edge->scopes[0], "%s", yyjson_get_str(scope));
        brant__json_free(&attributes);
    }
    brant__json_free(&json);
    judge_distances(self);
}

/* One part of two scopes: equal, or a star on the left; `either`: or on the right. */
static inline bool part_fits(const char *a, size_t a_length, const char *b, size_t b_length,
                             bool either) {
    return (a_length == 1 && *a == '*') || (either && b_length == 1 && *b == '*') ||
           (a_length == b_length && strncmp(a, b, a_length) == 0);
}

static inline bool scope_fits(const char *have, const char *want, bool either) {
    const size_t a = strcspn(have, ":"), b = strcspn(want, ":");

    return part_fits(have, a, want, b, either) &&
           part_fits(have + a + 1, strlen(have + a + 1), want + b + 1, strlen(want + b + 1),
                     either);
}

static inline bool edge_fits(const judge *self, const judged_edge *edge) {
    for (size_t i = 0; i < edge->scope_count; i++)
        if (scope_fits(edge->scopes[i], self->scope, edge->kind == DENIES)) return true;
    return false;
}

static inline bool is_too_deep(const judge *self, int node) {
    for (size_t i = 0; node >= 0 && i < self->node_count; i++)
        if (self->up[node][i] > 32 && self->up[node][i] < FAR) return true;
    return false;
}

/* Does an edge of the kind that counts and fits lead from the subject's self to the resource's on? */
static inline bool leads(const judge *self, int subject, int kind) {
    for (size_t i = 0; i < self->edge_count; i++) {
        const judged_edge *edge = &self->edges[i];
        const bool on = strcmp(self->nodes[edge->target].key, "*") == 0 ||
                        (self->resource >= 0 && self->up[self->resource][edge->target] < FAR);
        if (edge->kind == kind && edge->counts && on && self->up[subject][edge->source] < FAR &&
            edge_fits(self, edge))
            return true;
    }
    return false;
}

static inline int right_of(const judge *self, int subject) {
    if (self->nodes[subject].suspended) return NO;
    if (is_too_deep(self, subject)) return DEEP;
    return leads(self, subject, GRANTS) && !leads(self, subject, DENIES) ? YES : NO;
}

/* All chains that come to `node` with `behind` delegations between it and the agent. */
static inline int chains_to(const judge *self, int node, int behind, bool *seen) {
    int found = NO;

    seen[node] = true;
    for (size_t i = 0; i < self->edge_count && found != YES; i++) {
        const judged_edge *edge = &self->edges[i];
        int right = NO;
        if (edge->kind != DELEGATES || edge->target != node || seen[edge->source] ||
            !edge->counts || !edge_fits(self, edge) ||
            (behind > 0 && (!edge->may_redelegate || edge->max_depth < behind)))
            continue;
        if (behind == 16)
            right = DEEP;
        else if (self->nodes[edge->source].kind == PRINCIPAL)
            right = right_of(self, edge->source);
        else if (!self->nodes[edge->source].suspended && !leads(self, edge->source, DENIES))
            right = chains_to(self, edge->source, behind + 1, seen);
        if (right != NO) found = right;
    }
    seen[node] = false;
    return found;
}

static inline int judge_check(judge *self, const char *subject, const char *scope,
                              const char *resource) {
    const int node = judge_find(self, subject);
    bool seen[JUDGED_NODES] = {false};

    self->scope = scope;
    self->resource = judge_find(self, resource);
    if (self->resource >= 0 && self->nodes[self->resource].kind != RESOURCE) self->resource = -1;
    if (node < 0 || self->nodes[node].kind == RESOURCE) return NO;
    if (is_too_deep(self, self->resource)) return DEEP;
    if (self->nodes[node].kind != AGENT) return right_of(self, node);
    if (self->nodes[node].suspended || leads(self, node, DENIES)) return NO;
    return chains_to(self, node, 0, seen);
}

/* ---- asking the library ---------------------------------------------------------------------- */

/* Text that grows. */
typedef struct built {
    char *data;
    size_t length;
    FILE *stream;
} built;
static inline void built_begin(built *self) {
    *self = (built){NULL, 0, NULL};
    self->stream = open_memstream(&self->data, &self->length);
}
static inline const char *built_end(built *self) {
    fclose(self->stream);
    return self->data;
}

typedef struct question {
    char subject[64], scope[40], resource[64];
} question;

/* The answers of check_many. */
static inline void ask(int *answers, brant_db *db, const char *graph, const question *questions,
                       size_t count) {
    size_t index, items;
    yyjson_val *item;
    brant__json json;
    built input;
    char *got;

    built_begin(&input);
    fprintf(input.stream, "{\"graph\":\"%s\",\"items\":[", graph);
    for (size_t i = 0; i < count; i++)
        fprintf(input.stream, "%s{\"subject\":\"%s\",\"scope\":\"%s\",\"resource\":\"%s\"}",
                i ? "," : "", questions[i].subject, questions[i].scope, questions[i].resource);
    fputs("]}", input.stream);
    got = must_call(db, "access.check_many", built_end(&input), NULL);
    json = parsed(got);
    yyjson_arr_foreach(brant__json_get(json.root, "items"), index, items, item) {
        yyjson_val *error = brant__json_get(item, "error");
        if (error && !brant__text_equal(brant__json_get_text(error, "code"), BRANT__TEXT("LIMIT")))
            fail_msg("%s", got);
        answers[index] = error                                                       ? DEEP
                         : brant__json_bool(brant__json_get(item, "allowed"), false) ? YES
                                                                                     : NO;
    }
    assert_int_equal(items, count);
    brant__json_free(&json);
    brant_free(got);
    free(input.data);
}

/* ---- random graphs --------------------------------------------------------------------------- */

typedef struct dice {
    uint64_t state;
} dice;
static inline uint64_t roll(dice *self) {
    self->state ^= self->state << 13;
    self->state ^= self->state >> 7;
    self->state ^= self->state << 17;
    return self->state >> 11;
}
static inline size_t below(dice *self, size_t n) {
    return roll(self) % n;
}
static inline bool chance(dice *self, unsigned percent) {
    return roll(self) % 100 < percent;
}

static const char *const scope_pool[] = {"a:x", "a:y", "b:x", "b:y", "a:*", "*:x", "*:*"};
#define SCOPES (sizeof scope_pool / sizeof *scope_pool)

typedef struct random_node {
    char key[64];
    int kind;
    bool suspended;
} random_node;
typedef struct random_edge {
    int kind;
    size_t source, target;
    char attributes[400];
} random_edge;
typedef struct random_graph {
    random_node nodes[JUDGED_NODES];
    size_t node_count;
    size_t first[6]; /* of each kind; [5] the end */
    random_edge edges[JUDGED_EDGES];
    size_t edge_count;
} random_graph;

static inline void random_scopes(FILE *out, dice *self) {
    const size_t count = 1 + below(self, 3);

    fputs("\"scopes\":[", out);
    for (size_t i = 0; i < count; i++)
        fprintf(out, "%s\"%s\"", i ? "," : "", scope_pool[below(self, SCOPES)]);
    fputs("]", out);
}

static inline void random_attributes(char *out, size_t size, dice *self, int kind) {
    FILE *stream = fmemopen(out, size, "w");

    fputs("{", stream);
    if (kind >= GRANTS) random_scopes(stream, self);
    if (kind == BELONGS_TO && chance(self, 15)) fputs("\"derived\":true", stream);
    if (kind == HAS_ROLE || kind >= GRANTS) {
        const char *comma = kind >= GRANTS ? "," : "";
        if (chance(self, 12))
            fprintf(stream, "%s\"expires_at\":1000", comma);
        else if (chance(self, 12))
            fprintf(stream, "%s\"expires_at\":9000000000000", comma);
    }
    if (kind == DELEGATES) {
        if (chance(self, 75)) fputs(",\"may_redelegate\":true", stream);
        if (chance(self, 80)) fprintf(stream, ",\"max_depth\":%d", (int)below(self, 5));
        if (chance(self, 6)) fputs(",\"revoked_at\":5", stream);
        if (chance(self, 12))
            fprintf(stream, ",\"state\":\"%s\"", chance(self, 50) ? "pending" : "active");
    }
    fputs("}", stream);
    fclose(stream);
}

static inline size_t pick(const random_graph *graph, dice *self, int kind) {
    const size_t count = graph->first[kind + 1] - graph->first[kind];

    return count ? graph->first[kind] + below(self, count) : SIZE_MAX;
}

/* An edge that the graph type allows; false: there are no such nodes, or there is one already. */
static inline bool random_edge_make(random_edge *out, const random_graph *graph, dice *self) {
    static const int kinds[] = {BELONGS_TO, BELONGS_TO, HAS_ROLE, HAS_ROLE,  PARENT,   GRANTS,
                                GRANTS,     GRANTS,     DENIES,   DELEGATES, DELEGATES};
    static const int sources[6][4] = {
        {PRINCIPAL, GROUP, GROUP, PRINCIPAL},     {PRINCIPAL, GROUP, PRINCIPAL, GROUP},
        {RESOURCE, RESOURCE, RESOURCE, RESOURCE}, {PRINCIPAL, GROUP, ROLE, ROLE},
        {PRINCIPAL, AGENT, GROUP, ROLE},          {PRINCIPAL, AGENT, AGENT, AGENT}};
    static const int targets[6] = {GROUP, ROLE, RESOURCE, RESOURCE, RESOURCE, AGENT};

    out->kind = kinds[below(self, sizeof kinds / sizeof *kinds)];
    out->source = pick(graph, self, sources[out->kind][below(self, 4)]);
    out->target = pick(graph, self, targets[out->kind]);
    if (out->source == SIZE_MAX || out->target == SIZE_MAX || out->source == out->target)
        return false;
    random_attributes(out->attributes, sizeof out->attributes, self, out->kind);
    return true;
}

static inline random_edge *random_edge_find(random_graph *graph, const random_edge *like) {
    for (size_t i = 0; i < graph->edge_count; i++)
        if (graph->edges[i].kind == like->kind && graph->edges[i].source == like->source &&
            graph->edges[i].target == like->target)
            return &graph->edges[i];
    return NULL;
}

static inline void random_graph_make(random_graph *out, dice *self) {
    static const size_t most[] = {4, 6, 6, 4, 7};

    *out = (random_graph){.node_count = 0};
    for (int kind = 0; kind < 5; kind++) {
        const size_t count = below(self, most[kind]) + 1;
        out->first[kind] = out->node_count;
        for (size_t i = 0; i < count; i++) {
            random_node *node = &out->nodes[out->node_count++];
            node->kind = kind;
            node->suspended = kind <= AGENT && chance(self, 12);
            if (kind == RESOURCE && i == 0 && chance(self, 60))
                strcpy(node->key, "*");
            else
                snprintf(node->key, sizeof node->key, "%s:%c%zu",
                         kind == RESOURCE && i % 2 ? "graph" : node_kinds[kind],
                         (char)('a' + (int)below(self, 26)), i);
        }
        out->first[kind + 1] = out->node_count;
    }
    for (size_t wanted = below(self, 70); wanted > 0; wanted--) {
        random_edge edge;
        if (random_edge_make(&edge, out, self) && !random_edge_find(out, &edge))
            out->edges[out->edge_count++] = edge;
    }
}

static inline void node_input(FILE *out, const random_node *node) {
    fprintf(out, "{\"key\":\"%s\",\"type\":\"%s\",\"attributes\":{%s%s%s}}", node->key,
            node_kinds[node->kind], node->kind == PRINCIPAL ? "\"kind\":\"service\"" : "",
            node->kind == PRINCIPAL && node->suspended ? "," : "",
            node->suspended ? "\"status\":\"suspended\"" : "");
}

static inline void edge_input(FILE *out, const random_graph *graph, const random_edge *edge) {
    fprintf(out, "{\"source\":\"%s\",\"type\":\"%s\",\"target\":\"%s\",\"attributes\":%s}",
            graph->nodes[edge->source].key, edge_kinds[edge->kind], graph->nodes[edge->target].key,
            edge->attributes);
}

/* Into a new graph of this name, in an order of chance. */
static inline void random_graph_write(brant_db *db, const char *name, const random_graph *graph,
                                      dice *self, bool log) {
    size_t order[JUDGED_EDGES];
    built input;

    holds(db, "graphs.create", "\"id\"",
          "{\"name\":\"%s\",\"graph_type\":\"access\",\"changes\":%s}", name,
          log ? "true" : "false");
    for (int edges = 0; edges < 2; edges++) {
        const size_t count = edges ? graph->edge_count : graph->node_count;
        for (size_t i = 0; i < count; i++) {
            const size_t at = below(self, i + 1);
            order[i] = order[at];
            order[at] = i;
        }
        built_begin(&input);
        fprintf(input.stream, "{\"graph\":\"%s\",\"items\":[", name);
        for (size_t i = 0; i < count; i++) {
            if (i) fputs(",", input.stream);
            if (edges)
                edge_input(input.stream, graph, &graph->edges[order[i]]);
            else
                node_input(input.stream, &graph->nodes[order[i]]);
        }
        fputs("]}", input.stream);
        must(db, edges ? "edges.put_many" : "nodes.put_many", built_end(&input), NULL);
        free(input.data);
    }
}

/* Every node and a stranger, with every scope, on every resource, one that has no node, and "*". */
static inline size_t all_questions(question *out, size_t room, const random_graph *graph) {
    size_t count = 0;

    for (size_t subject = 0; subject <= graph->node_count; subject++)
        for (size_t scope = 0; scope < SCOPES; scope++)
            for (size_t resource = graph->first[RESOURCE]; resource <= graph->node_count + 1;
                 resource++) {
                assert_true(count < room);
                snprintf(out[count].subject, sizeof out->subject, "%s",
                         subject < graph->node_count ? graph->nodes[subject].key : "nobody");
                snprintf(out[count].scope, sizeof out->scope, "%s", scope_pool[scope]);
                snprintf(out[count].resource, sizeof out->resource, "%s",
                         resource < graph->node_count    ? graph->nodes[resource].key
                         : resource == graph->node_count ? "*"
                                                         : "graph:unknown");
                count++;
            }
    return count;
}

/* ---- comparing ------------------------------------------------------------------------------- */

#define QUESTIONS 6000

static const int64_t judged_at = INT64_C(1700000000000);
static question questions[QUESTIONS];
static int expected[QUESTIONS], got[QUESTIONS];
static judge the_judge;

static inline uint64_t seed_of_run(void) {
    const char *given = getenv("BRANT_SEED");
    const uint64_t seed =
        given ? strtoull(given, NULL, 10) : (uint64_t)getpid() * 7919 + (uint64_t)time(NULL);

    print_message("BRANT_SEED=%llu\n", (unsigned long long)seed);
    return seed ? seed : 1;
}

static inline size_t graphs_of_run(size_t otherwise) {
    const char *given = getenv("BRANT_ACCESS_GRAPHS");

    return given ? strtoul(given, NULL, 10) : otherwise;
}

/* Each question's answer is the judge's. */
static inline void compare(brant_db *db, const char *graph, size_t count, const char *when) {
    judge_read(&the_judge, db, graph, judged_at);
    ask(got, db, graph, questions, count);
    for (size_t i = 0; i < count; i++) {
        expected[i] = judge_check(&the_judge, questions[i].subject, questions[i].scope,
                                  questions[i].resource);
        if (expected[i] != got[i])
            fail_msg("%s, %s: %s %s %s: %d, the judge says %d", graph, when, questions[i].subject,
                     questions[i].scope, questions[i].resource, got[i], expected[i]);
    }
}

/* One change of chance, to the rows and to what is known of them. */
static inline void change(brant_db *db, const char *name, random_graph *graph, dice *die) {
    built input;

    built_begin(&input);
    if (chance(die, 25)) {
        random_node *node = &graph->nodes[below(die, graph->first[GROUP])];
        node->suspended = !node->suspended;
        fprintf(input.stream, "{\"graph\":\"%s\",\"items\":[", name);
        node_input(input.stream, node);
        fputs("]}", input.stream);
        must(db, "nodes.put_many", built_end(&input), NULL);
    } else if (chance(die, 40) && graph->edge_count > 0) {
        const size_t at = below(die, graph->edge_count);
        const random_edge *edge = &graph->edges[at];
        fprintf(input.stream, "{\"graph\":\"%s\",\"key\":\"[\\\"%s\\\",\\\"%s\\\",\\\"%s\\\"]\"}",
                name, graph->nodes[edge->source].key, edge_kinds[edge->kind],
                graph->nodes[edge->target].key);
        must(db, "edges.delete", built_end(&input), "true");
        graph->edges[at] = graph->edges[--graph->edge_count];
    } else if (chance(die, 12) && graph->edge_count > 0) {
        /* A node goes with its edges, and comes again without. */
        const size_t node = below(die, graph->node_count);
        holds(db, "nodes.delete", "true", "{\"graph\":\"%s\",\"key\":\"%s\",\"edges\":\"delete\"}",
              name, graph->nodes[node].key);
        fprintf(input.stream, "{\"graph\":\"%s\",\"items\":[", name);
        node_input(input.stream, &graph->nodes[node]);
        fputs("]}", input.stream);
        must(db, "nodes.put_many", built_end(&input), NULL);
        for (size_t i = graph->edge_count; i-- > 0;)
            if (graph->edges[i].source == node || graph->edges[i].target == node)
                graph->edges[i] = graph->edges[--graph->edge_count];
    } else {
        random_edge edge, *there;
        if (!random_edge_make(&edge, graph, die)) {
            built_end(&input);
            free(input.data);
            return;
        }
        fprintf(input.stream, "{\"graph\":\"%s\",\"items\":[", name);
        edge_input(input.stream, graph, &edge);
        fputs("]}", input.stream);
        must(db, "edges.put_many", built_end(&input), NULL);
        there = random_edge_find(graph, &edge);
        if (there)
            *there = edge;
        else if (graph->edge_count < JUDGED_EDGES - 1)
            graph->edges[graph->edge_count++] = edge;
    }
    free(input.data);
}

#endif
