/*
 * operation/session.c: sessions: who calls, and whether they may. brant/session.h has the rules.
 *
 * An operation is judged where it begins (admit, judge), and each graph that it reaches where the graph is found (the rules, which the modules beneath ask). What the identity alone
 * decides is decided once a session and operation, and kept; only what resources or the access graph may open is looked at in each call.
 * Of sessions in each other every one must allow; the outer ones are judged by the same functions.
 */
#include "operation/session.h"

#include "access/access.h"
#include "graph/internal.h"
#include "graph/type.h"
#include "identity/actor.h"
#include "identity/scope.h"

#define IDENTITY_BYTES ((size_t)1 << 20)
#define ID_BYTES       255u
#define REASON_BYTES   1000u

enum { UNKNOWN, NO, PERHAPS, YES };

/* Actions on one resource. */
typedef struct resource {
    brant__text name; /* "graph:notes" */
    yyjson_val *actions;
} resource;

typedef struct session {
    brant__session seen; /* first: what the modules beneath see is the session */
    brant__json json;    /* of the texts */
    brant__arena arena;
    brant__scopes scopes, within, denies;
    resource *resources;
    size_t resource_count;
    unsigned files; /* bits of BRANT__FILES_* */
    brant__text principal;
    size_t operations;
    uint8_t verdicts[]; /* by number of operation; inside the handle */
} session;

static const session *session_of(const brant__session *seen) {
    return (const session *)(const void *)seen;
}

static void session_free(session *self) {
    if (!self) return;
    brant__json_free(&self->json);
    brant__arena_free(&self->arena);
    brant__free(self);
}

static bool begins(brant__text text, const char *with) {
    const size_t length = strlen(with);
    return text.length >= length && memcmp(text.data, with, length) == 0;
}

/* ---- one scope ------------------------------------------------------------------------------------------------------- */

static brant__text namespace_of(brant__text name, char end) {
    const char *at = memchr(name.data, end, name.length);
    return brant__text_of(name.data, at ? (size_t)(at - name.data) : name.length);
}

static brant__text action_of(brant__text scope) {
    const size_t space = namespace_of(scope, ':').length + 1;
    return brant__text_of(scope.data + space, scope.length - space);
}

/* Scopes that somebody can hold on one graph. */
static bool of_graphs(brant__text scope) {
    const brant__text space = namespace_of(scope, ':');
    return brant__text_equal(space, BRANT__TEXT("nodes")) ||
           brant__text_equal(space, BRANT__TEXT("edges")) ||
           brant__text_equal(space, BRANT__TEXT("graphs")) ||
           brant__text_equal(space, BRANT__TEXT("secrets"));
}

/* What no resource and no right lifts. */
static bool barred(const session *self, brant__text scope) {
    return !brant__scopes_cover(&self->within, scope) ||
           brant__scopes_overlap(&self->denies, scope);
}

static bool has_action(const session *self, brant__text graph, brant__text action) {
    for (size_t i = 0; i < self->resource_count; i++) {
        const brant__text name = self->resources[i].name;
        size_t index, count;
        yyjson_val *value;
        if (name.length != graph.length + 6 || memcmp(name.data, "graph:", 6) != 0 ||
            memcmp(name.data + 6, graph.data, graph.length) != 0)
            continue;
        yyjson_arr_foreach(self->resources[i].actions, index, count, value) {
            const brant__text given = brant__json_text(value);
            if (brant__text_equal(given, BRANT__TEXT("*")) || brant__text_equal(given, action))
                return true;
        }
    }
    return false;
}

/* What the graph "access" says of the principal: `denied` of what it has otherwise, or whether it has it. The library itself reads that graph, not the session. */
static brant_status ask(bool *out_denied, bool *out_right, brant__call *call, const session *self,
                        brant__text scope, const char *kind, brant__text name, bool own) {
    const brant__text graph = BRANT__TEXT("access");
    const size_t length = strlen(kind);
    brant_status status;
    *out_denied = false;
    char *text = brant__arena_alloc(call->arena, length + name.length);
    if (!text) return brant__fail_memory();
    memcpy(text, kind, length);
    memcpy(text + length, name.data, name.length);
    const brant__text on = brant__text_of(text, length + name.length);
    const brant__session *former = brant__db_session_set(call->db, NULL);
    if (!out_right)
        status = brant__access_denied(out_denied, call, graph, self->principal, scope, on);
    else if (own)
        status = brant__access_right_on(out_right, call, graph, self->principal, scope, on);
    else
        status = brant__access_right(out_right, call, graph, self->principal, scope, on);
    brant__db_session_set(call->db, former);
    return status;
}

/*
 * Does one session hold a scope: `graph` {NULL, 0}: for an operation that names none. `own`: what is given for everything does not count, only what is given for this graph.
 */
static brant_status hold(bool *out, brant__call *call, const session *self, brant__text scope,
                         brant__text graph, brant__text operation, bool own) {
    const bool on = graph.data && of_graphs(scope);
    bool denied = false, right = false;
    *out = false;
    if (barred(self, scope)) return BRANT_OK;
    const bool given = (!own && brant__scopes_cover(&self->scopes, scope)) ||
                       (on && has_action(self, graph, action_of(scope)));
    if (self->principal.data) {
        const brant_status status = ask(&denied, given ? NULL : &right, call, self, scope,
                                        on ? "graph:" : "operation:", on ? graph : operation, own);
        if (status != BRANT_OK) return status;
    }
    *out = (given || right) && !denied;
    return BRANT_OK;
}

/* And all in which it was opened. */
static brant_status hold_all(bool *out, brant__call *call, const brant__session *seen,
                             brant__text scope, brant__text graph, brant__text operation) {
    brant_status status = BRANT_OK;
    *out = true;
    for (; seen && *out; seen = seen->outer)
        BRANT__TRY(hold(out, call, session_of(seen), scope, graph, operation, false));
cleanup:
    return status;
}

static brant_status lacks(const brant__operation *operation, brant__text scope) {
    brant__writer detail = {0};
    brant_status status;
    brant__write_object(&detail);
    brant__write_text_member(&detail, "scope", scope);
    brant__write_text_member(&detail, "operation", brant__text_string(operation->name));
    brant__write_end(&detail);
    status = detail.buffer.failed
                 ? brant__fail_memory()
                 : brant__fail_detail(
                       BRANT_DENIED, brant__text_of(detail.buffer.data, detail.buffer.length),
                       "the session lacks the scope \"%.*s\"", (int)scope.length, scope.data);
    brant__buffer_free(&detail.buffer);
    return status;
}

/* ---- operations ------------------------------------------------------------------------------------------------------ */

/* Of what decides without looking at data; *out_scope: the first that is missing. */
static int decide(const brant__text **out_scope, const session *self,
                  const brant__operation *operation) {
    int verdict = operation->scopes.count > 0 ? YES : NO; /* one that asks for nothing is a fault */
    *out_scope = operation->scopes.items;
    for (size_t i = 0; i < operation->scopes.count && verdict != NO; i++) {
        const brant__text scope = operation->scopes.items[i];
        if (!barred(self, scope) && brant__scopes_cover(&self->scopes, scope)) {
            if (self->principal.data) verdict = PERHAPS; /* an explicit deny */
            continue;
        }
        const bool may = self->resource_count > 0 || self->principal.data;
        verdict = barred(self, scope) || !may ? NO : PERHAPS;
        *out_scope = &operation->scopes.items[i];
    }
    return verdict;
}

static int verdict_of(session *self, const brant__operation *operation) {
    const brant__text *scope = NULL;
    uint8_t *kept =
        operation->number < self->operations ? &self->verdicts[operation->number] : NULL;
    if (kept && *kept != UNKNOWN) return *kept;
    const int verdict = decide(&scope, self, operation);
    if (kept) *kept = (uint8_t)verdict;
    return verdict;
}

/* A hub's system file is of all organisations: who acts for one has to do with accounts, organisations and its own tenant there, where each operation sees to it (tenants: brant__hub_may), and with nothing else. */
static bool in_system_file(const brant__operation *operation) {
    static const char *const beginnings[] = {
        "accounts.",   "api_keys.", "audit.",       "auth.",    "events.listen",
        "identity.",   "members.",  "invitations.", "modules.", "organizations.",
        "operations.", "tenants.",  "transaction."};
    for (size_t i = 0; i < BRANT__COUNT(beginnings); i++)
        if (begins(brant__text_string(operation->name), beginnings[i])) return true;
    return false;
}

brant_status brant__session_admit(bool *out_judge, brant_db *db,
                                  const brant__operation *operation) {
    *out_judge = false;
    if (brant__db_role(db) == BRANT__ROLE_SYSTEM && brant__actor_bound(db).data &&
        !in_system_file(operation))
        return brant__fail(BRANT_DENIED,
                           "the session is of one organization, and %s works on the "
                           "system file, which is of all",
                           operation->name);
    for (const brant__session *seen = brant__db_session(db); seen; seen = seen->outer) {
        session *self = (session *)(void *)seen; /* what is kept is the handle's, which we are in */
        const int verdict = verdict_of(self, operation);
        if (verdict == PERHAPS) *out_judge = true;
        if (verdict != NO) continue;
        const brant__text *scope = NULL;
        (void)decide(&scope, self, operation);
        return lacks(operation, scope ? *scope : BRANT__TEXT("*:*"));
    }
    return BRANT_OK;
}

/* The graph that the input names. */
static brant__text named_graph(const brant__operation *operation, yyjson_val *input) {
    const brant__text space = namespace_of(brant__text_string(operation->name), '.');
    const brant__text graph = brant__json_get_text(input, "graph");
    if (brant__text_equal(space, BRANT__TEXT("graphs")))
        return graph.data ? graph : brant__json_get_text(input, "name");
    if (brant__text_equal(space, BRANT__TEXT("nodes")) ||
        brant__text_equal(space, BRANT__TEXT("edges")) ||
        brant__text_equal(space, BRANT__TEXT("secrets")) ||
        brant__text_equal(space, BRANT__TEXT("calls")))
        return graph;
    return (brant__text){NULL, 0};
}

static brant_status judge_graph(const brant__text **out_missing, brant__call *call,
                                const brant__session *seen, const brant__operation *operation,
                                brant__text graph) {
    brant_status status = BRANT_OK;
    *out_missing = NULL;
    for (size_t i = 0; i < operation->scopes.count && !*out_missing; i++) {
        bool held = false;
        BRANT__TRY(hold_all(&held, call, seen, operation->scopes.items[i], graph,
                            brant__text_string(operation->name)));
        if (!held) *out_missing = &operation->scopes.items[i];
    }
cleanup:
    return status;
}

brant_status brant__session_judge(brant__call *call, const brant__operation *operation) {
    const brant__text *missing = NULL;
    const brant_status status = judge_graph(&missing, call, brant__db_session(call->db), operation,
                                            named_graph(operation, call->input));
    return status == BRANT_OK && missing ? lacks(operation, *missing) : status;
}

brant_status brant__session_input(brant_db *db, const brant__operation *operation,
                                  yyjson_val *input) {
    const brant__session *seen = brant__db_session(db);
    if (!operation->files || !brant__json_get(input, "path")) return BRANT_OK;
    for (; seen; seen = seen->outer)
        if (!(session_of(seen)->files & operation->files))
            return brant__fail(BRANT_DENIED, "the session may not %s files of the machine",
                               operation->files == BRANT__FILES_READ ? "read" : "write");
    return BRANT_OK;
}

/* ---- graphs ----------------------------------------------------------------------------------------------------------- */

/* Is it opened to one who is not its owner? */
static brant_status opened(bool *out, brant__call *call, const session *self,
                           const brant__operation *operation, brant__text graph) {
    const brant__text admin = BRANT__TEXT("graphs:admin"), reading = BRANT__TEXT("nodes:read");
    const brant__text name = brant__text_string(operation->name);
    brant_status status = BRANT_OK;
    bool any = false;
    BRANT__TRY(hold(out, call, self, admin, graph, name, false));
    if (*out) return BRANT_OK;
    *out = true;
    for (size_t i = 0; i < operation->scopes.count && *out; i++) {
        if (!of_graphs(operation->scopes.items[i])) continue;
        any = true;
        BRANT__TRY(hold(out, call, self, operation->scopes.items[i], graph, name, true));
    }
    if (!any) BRANT__TRY(hold(out, call, self, reading, graph, name, true));
cleanup:
    if (status != BRANT_OK) *out = false;
    return status;
}

/* To each of the sessions in each other. */
static brant_status visible(bool *out, brant__call *call, const brant__session *seen,
                            const brant__operation *operation, const brant__session_graph *graph) {
    brant_status status = BRANT_OK;
    *out = true;
    if (!graph->owner_id.data || !brant__text_equal(graph->scope, BRANT__TEXT("user")))
        return BRANT_OK;
    for (; seen && *out; seen = seen->outer)
        if (!brant__text_equal(seen->id, graph->owner_id))
            BRANT__TRY(opened(out, call, session_of(seen), operation, graph->name));
cleanup:
    return status;
}

/* Operations that work on the whole file, and those that have rules of their own. */
static bool reaches_graphs(const brant__operation *operation, brant__call *call) {
    static const char *const spaces[] = {"graphs", "nodes",   "edges",
                                         "calls",  "streams", "consumers"};
    const brant__text space = namespace_of(brant__text_string(operation->name), '.');
    for (size_t i = 0; i < BRANT__COUNT(spaces); i++)
        if (brant__text_equal(space, brant__text_string(spaces[i]))) return true;
    return brant__text_equal(space, BRANT__TEXT("secrets")) && call->input &&
           brant__json_get_text(call->input, "graph").data;
}

static bool is_access(const brant__session_graph *graph) {
    return brant__text_equal(graph->type, BRANT__TEXT("access"));
}

static brant_status rule_graph(bool *out_visible, brant__call *call, const brant__session *seen,
                               const brant__session_graph *graph) {
    const brant__operation *operation = brant__db_running(call->db);
    const brant__text *missing = NULL;
    brant_status status = BRANT_OK;
    bool judge = false;
    *out_visible = false;
    if (!operation) return brant__fail(BRANT_DENIED, "a session reads graphs by operations only");
    *out_visible = true;
    /* What somebody is denied stands there, too, and goes with the node that it is of. */
    if (is_access(graph) && begins(brant__text_string(operation->name), "db.erase")) {
        *out_visible = false;
        return brant__fail(BRANT_DENIED, "a value stands in an access graph, which db.erase "
                                         "changes by a trusted handle only");
    }
    if (!reaches_graphs(operation, call)) return BRANT_OK;
    BRANT__TRY(visible(out_visible, call, seen, operation, graph));
    if (!*out_visible) return BRANT_OK;
    BRANT__TRY(brant__session_admit(&judge, call->db, operation));
    if (judge) {
        BRANT__TRY(judge_graph(&missing, call, seen, operation, graph->name));
        if (missing) {
            status = lacks(operation, *missing);
            goto cleanup;
        }
    }
    /* Another graph under its name would leave nobody with a right. */
    if (operation->kind == BRANT__MUTATION && !is_access(graph) &&
        brant__text_equal(graph->name, BRANT__TEXT("access"))) {
        status = brant__fail(BRANT_DENIED, "graph \"access\" is the access graph's name");
        goto cleanup;
    }
    if (!brant__text_equal(graph->scope, BRANT__TEXT("system"))) return BRANT_OK;
    if (is_access(graph)) {
        bool may = false;
        BRANT__TRY(hold_all(&may, call, seen, BRANT__TEXT("access:read"), (brant__text){NULL, 0},
                            brant__text_string(operation->name)));
        if (!may) {
            status = lacks(operation, BRANT__TEXT("access:read"));
            goto cleanup;
        }
    }
    if (operation->kind == BRANT__MUTATION &&
        (is_access(graph) || !brant__builtin_find(graph->type)))
        status = brant__fail(
            BRANT_DENIED, "graph \"%.*s\" is of a graph type of scope system: a session reads it",
            (int)(graph->name.length < 255 ? graph->name.length : 255), graph->name.data);
cleanup:
    if (status != BRANT_OK) *out_visible = false;
    return status;
}

static brant_status rule_owner(brant__call *call, const brant__session *seen, brant__text graph,
                               brant__text before, brant__text owner) {
    const brant__operation *operation = brant__db_running(call->db);
    brant_status status = BRANT_OK;
    bool may = true;
    for (; seen && may; seen = seen->outer) {
        const bool of_mine = !before.data || brant__text_equal(before, seen->id);
        const bool to_me = !owner.data || brant__text_equal(owner, seen->id);
        if (of_mine && to_me) continue;
        BRANT__TRY(hold(&may, call, session_of(seen), BRANT__TEXT("graphs:admin"), graph,
                        brant__text_string(operation ? operation->name : ""), false));
    }
    if (!may)
        status = brant__fail(BRANT_DENIED, "owner_id of another takes the scope \"graphs:admin\"");
cleanup:
    return status;
}

/* ---- streams and notifications --------------------------------------------------------------------------------------- */

enum { GRAPH_BY_ID, SCOPE_BY_ID };
static const char *const sql[] = {
    [GRAPH_BY_ID] = "SELECT g.name, g.owner_id, t.name, t.scope FROM graphs g JOIN graph_types t "
                    "ON t.row_id = g.graph_type WHERE g.id = :id",
    [SCOPE_BY_ID] = "SELECT name, scope FROM graph_types WHERE id = :id",
};
static const brant__statements statements = {BRANT__TABLE_SESSION, BRANT__COUNT(sql), sql};

static brant_status need(brant__call *call, const brant__session *seen,
                         const brant__operation *operation, brant__text scope, brant__text graph) {
    bool held = false;
    const brant_status status =
        hold_all(&held, call, seen, scope, graph, brant__text_string(operation->name));
    return status == BRANT_OK && !held ? lacks(operation, scope) : status;
}

/* The rows of a graph, as its change log has them. */
static brant_status need_log(brant__call *call, const brant__session *seen,
                             const brant__operation *operation, brant__text id) {
    brant_status status = BRANT_OK;
    brant__statement *row = NULL;
    bool found = false, shown = true;
    BRANT__TRY(brant__statement_get(&row, call->db, &statements, GRAPH_BY_ID));
    brant__bind_text(row, 1, id);
    BRANT__TRY(brant__step(&found, call->db, row));
    if (!found) { /* of a graph that was purged: whose it was is not known */
        status = need(call, seen, operation, BRANT__TEXT("graphs:admin"), (brant__text){NULL, 0});
        goto cleanup;
    }
    const brant__session_graph graph = {brant__column_text(row, 0), brant__column_text(row, 1),
                                        brant__column_text(row, 2), brant__column_text(row, 3)};
    BRANT__TRY(rule_graph(&shown, call, seen, &graph));
    if (!shown) {
        status = brant__fail(BRANT_DENIED, "the stream is the change log of a graph that the "
                                           "session may not read");
        goto cleanup;
    }
    BRANT__TRY(need(call, seen, operation, BRANT__TEXT("nodes:read"), graph.name));
    BRANT__TRY(need(call, seen, operation, BRANT__TEXT("edges:read"), graph.name));
cleanup:
    brant__reset(row);
    return status;
}

static bool publishes(const brant__operation *operation) {
    const brant__text name = brant__text_string(operation->name);
    return begins(name, "streams.publish") || begins(name, "calls.publish");
}

static brant_status rule_stream(brant_db *db, const brant__session *seen, brant__text name) {
    const brant__operation *operation = brant__db_running(db);
    brant__arena arena = {0};
    brant__call call = {.db = db, .arena = &arena};
    brant_status status = BRANT_OK;
    if (!begins(name, "changes:") && !brant__text_equal(name, BRANT__TEXT("audit-events")))
        return BRANT_OK;
    if (!operation) return brant__fail(BRANT_DENIED, "a session reads streams by operations only");
    const brant__text space = namespace_of(brant__text_string(operation->name), '.');
    if (!brant__text_equal(space, BRANT__TEXT("streams")) &&
        !brant__text_equal(space, BRANT__TEXT("consumers")) &&
        !brant__text_equal(space, BRANT__TEXT("calls")))
        return BRANT_OK; /* the operation writes or reads it for a graph that was judged, or itself */
    if (begins(name, "audit-events") && brant__actor_bound(db).data)
        return brant__fail(BRANT_DENIED, "the session is of one organization, and the stream "
                                         "\"audit-events\" of the whole file");
    if (begins(name, "changes:"))
        status = need_log(&call, seen, operation, brant__text_of(name.data + 8, name.length - 8));
    else if (publishes(operation))
        status = brant__fail(BRANT_DENIED, "stream \"audit-events\" tells rows of the audit log, "
                                           "and nothing else");
    else
        status = need(&call, seen, operation,
                      brant__text_equal(space, BRANT__TEXT("streams")) &&
                              operation->kind == BRANT__MUTATION
                          ? BRANT__TEXT("audit:write")
                          : BRANT__TEXT("audit:read"),
                      (brant__text){NULL, 0});
    brant__arena_free(&arena);
    return status;
}

/* What is told on the library's own channels, by their beginnings; NULL: it is about a graph. */
static const struct {
    const char *channel;
    const char *scope;
} own_channels[] = {
    {"account:", "accounts:read"},
    {"org:", "organizations:read"},
    {"auth:", "api_keys:read"},
    {"acl:", "access:read"},
    {"graph:", NULL},
    {"nodes:", NULL},
    {"edges:", NULL},
};

/* By what the notification itself says: the graph may have another name by now, or be gone. */
static brant_status hear_graph(bool *out, brant__call *call, const brant__session *seen,
                               const brant__operation *operation, brant__text payload) {
    brant_status status = BRANT_OK;
    brant__statement *row = NULL;
    brant__json json = {0};
    bool found = false;
    *out = false;
    status = brant__json_parse(&json, payload.data, payload.length, 0);
    if (status != BRANT_OK) return status;
    brant__session_graph graph = {.name = brant__json_get_text(json.root, "graph"),
                                  .owner_id = brant__json_get_text(json.root, "owner_id"),
                                  .scope = BRANT__TEXT("user")};
    if (!graph.name.data || !graph.owner_id.data) {
        *out = true; /* nobody's, or not one of the library's */
        goto cleanup;
    }
    BRANT__TRY(brant__statement_get(&row, call->db, &statements, SCOPE_BY_ID));
    brant__bind_text(row, 1, brant__json_get_text(json.root, "graph_type_id"));
    BRANT__TRY(brant__step(&found, call->db, row));
    if (found) {
        graph.type = brant__column_text(row, 0);
        graph.scope = brant__column_text(row, 1);
    }
    BRANT__TRY(visible(out, call, seen, operation, &graph));
cleanup:
    brant__reset(row);
    brant__json_free(&json);
    return status;
}

/* One that is bound to an organisation hears what names it, and of the library's own nothing else. */
static brant_status hear_bound(bool *out, brant_db *db, brant__text payload) {
    const brant__text bound = brant__actor_bound(db);
    brant__json json = {0};
    brant_status status = BRANT_OK;
    if (!*out || !bound.data) return BRANT_OK;
    *out = false;
    if (!payload.data) return BRANT_OK;
    status = brant__json_parse(&json, payload.data, payload.length, 0);
    if (status == BRANT_OK)
        *out = brant__text_equal(brant__json_get_text(json.root, "org_id"), bound);
    brant__json_free(&json);
    return status;
}

static brant_status rule_hear(bool *out, brant_db *db, const brant__session *seen,
                              brant__text channel, brant__text payload) {
    const brant__operation *operation = brant__db_running(db);
    brant__arena arena = {0};
    brant__call call = {.db = db, .arena = &arena};
    brant_status status = BRANT_OK;
    *out = operation != NULL;
    for (size_t i = 0; operation && i < BRANT__COUNT(own_channels); i++) {
        if (!begins(channel, own_channels[i].channel)) continue;
        if (own_channels[i].scope) {
            status = hold_all(out, &call, seen, brant__text_string(own_channels[i].scope),
                              (brant__text){NULL, 0}, brant__text_string(operation->name));
            if (status == BRANT_OK) status = hear_bound(out, db, payload);
        } else
            status = payload.data ? hear_graph(out, &call, seen, operation, payload) : BRANT_OK;
        break;
    }
    brant__arena_free(&arena);
    return status;
}

/* A walk goes on with the graph that it was opened on. */
static brant_status rule_look(brant_db *db, const brant__session *seen) {
    const brant__operation *operation = brant__db_running(db);
    brant__arena arena = {0};
    brant__call call = {.db = db, .arena = &arena};
    const brant__text *missing = NULL;
    bool judge = false;
    brant_status status;
    if (!operation) return brant__fail(BRANT_DENIED, "a session has cursors of operations only");
    BRANT__TRY(brant__session_admit(&judge, db, operation));
    if (!judge || of_graphs(operation->scopes.items[0])) return BRANT_OK;
    BRANT__TRY(brant__begin(db, BRANT__READ));
    status = judge_graph(&missing, &call, seen, operation, (brant__text){NULL, 0});
    if (status == BRANT_OK && missing) status = lacks(operation, *missing);
    if (status == BRANT_OK) status = brant__commit(db);
    if (status != BRANT_OK) brant__rollback(db);
cleanup:
    brant__arena_free(&arena);
    return status;
}

static brant_status rule_notify(const brant__session *seen, brant__text channel) {
    (void)seen;
    for (size_t i = 0; i < BRANT__COUNT(own_channels); i++)
        if (begins(channel, own_channels[i].channel))
            return brant__fail(BRANT_DENIED, "channels that begin with %s are the library's",
                               own_channels[i].channel);
    return BRANT_OK;
}

static const brant__session_rules rules = {rule_graph, rule_owner, rule_stream,
                                           rule_hear,  rule_look,  rule_notify};

/* ---- opening --------------------------------------------------------------------------------------------------------- */

static brant_status read_text(brant__text *out, yyjson_val *identity, const char *name,
                              size_t most) {
    yyjson_val *value = brant__json_get(identity, name);
    *out = (brant__text){NULL, 0};
    if (!value) return BRANT_OK;
    const brant__text text = brant__json_text(value);
    if (!text.data || text.length == 0 || text.length > most ||
        memchr(text.data, '\0', text.length))
        return brant__fail(BRANT_INVALID, "/%s must be a text of 1 to %zu bytes without NUL", name,
                           most);
    *out = text;
    return BRANT_OK;
}

static brant_status read_actor_type(session *self) {
    static const char *const types[] = {"account", "api_key", "agent", "service"};
    brant__text *type = &self->seen.actor_type;
    const brant_status status = read_text(type, self->json.root, "actor_type", ID_BYTES);
    if (status != BRANT_OK) return status;
    if (!type->data) {
        *type = self->seen.outer ? self->seen.outer->actor_type : brant__text_string(types[0]);
        return BRANT_OK;
    }
    for (size_t i = 0; i < BRANT__COUNT(types); i++)
        if (brant__text_equal(*type, brant__text_string(types[i]))) return BRANT_OK;
    return brant__fail(
        BRANT_INVALID,
        "/actor_type must be one of \"account\", \"api_key\", \"agent\", \"service\"");
}

static bool is_action(brant__text action) {
    char scope[BRANT__SCOPE_SIZE + 8] = "x:";
    if (!action.data || action.length > BRANT__SCOPE_PART) return false;
    memcpy(scope + 2, action.data, action.length);
    return brant__scope_valid(brant__text_of(scope, action.length + 2));
}

static brant_status read_resources(session *self) {
    yyjson_val *resources = brant__json_get(self->json.root, "resources");
    size_t index, count, at, actions;
    yyjson_val *key, *value, *action;
    if (!resources) return BRANT_OK;
    if (!yyjson_is_obj(resources))
        return brant__fail(BRANT_INVALID, "/resources must be an object");
    if (yyjson_obj_size(resources) == 0) return BRANT_OK;
    self->resources =
        brant__arena_alloc(&self->arena, yyjson_obj_size(resources) * sizeof *self->resources);
    if (!self->resources) return brant__fail_memory();
    yyjson_obj_foreach(resources, index, count, key, value) {
        const brant__text name = brant__json_text(key);
        const char *colon = memchr(name.data, ':', name.length);
        if (!colon || colon == name.data || colon == name.data + name.length - 1)
            return brant__fail(BRANT_INVALID,
                               "/resources: member %zu must be named \"<type>:<id>\"", index);
        if (!yyjson_is_arr(value))
            return brant__fail(BRANT_INVALID, "/resources: member %zu must be an array of actions",
                               index);
        yyjson_arr_foreach(value, at, actions, action) {
            if (!is_action(brant__json_text(action)))
                return brant__fail(BRANT_INVALID,
                                   "/resources: action %zu of member %zu is none: 1 to %u of "
                                   "a-z 0-9 _ . -, or \"*\"",
                                   at, index, BRANT__SCOPE_PART);
        }
        self->resources[self->resource_count++] = (resource){name, value};
    }
    return BRANT_OK;
}

static brant_status read_files(session *self) {
    yyjson_val *files = brant__json_get(self->json.root, "files");
    size_t index, count;
    yyjson_val *value;
    if (!files) return BRANT_OK;
    if (!yyjson_is_arr(files)) return brant__fail(BRANT_INVALID, "/files must be an array");
    yyjson_arr_foreach(files, index, count, value) {
        if (yyjson_equals_str(value, "read"))
            self->files |= BRANT__FILES_READ;
        else if (yyjson_equals_str(value, "write"))
            self->files |= BRANT__FILES_WRITE;
        else
            return brant__fail(BRANT_INVALID, "/files/%zu must be \"read\" or \"write\"", index);
    }
    return BRANT_OK;
}

static brant_status check_members(yyjson_val *identity) {
    static const char *const known[] = {"id",     "actor_type",   "scopes", "within",
                                        "denies", "resources",    "files",  "principal",
                                        "reason", "organization", "level",  "key"};
    size_t index, count;
    yyjson_val *key, *value;
    yyjson_obj_foreach(identity, index, count, key, value) {
        bool found = false;
        (void)value;
        for (size_t i = 0; i < BRANT__COUNT(known) && !found; i++)
            found = yyjson_equals_str(key, known[i]);
        if (!found)
            return brant__fail(BRANT_INVALID, "/%.*s: unknown member",
                               (int)(yyjson_get_len(key) < 64 ? yyjson_get_len(key) : 64),
                               yyjson_get_str(key));
    }
    return BRANT_OK;
}

/* Of a session in another: who calls is the outer one's, and may only be said again. */
static brant_status inherit(brant__text *own, brant__text outer, const char *name) {
    if (own->data && (!outer.data || !brant__text_equal(*own, outer)))
        return brant__fail(BRANT_DENIED, "/%s: a session in a session has the same", name);
    *own = outer;
    return BRANT_OK;
}

static brant_status narrow(session *self) {
    const session *outer = self->seen.outer ? session_of(self->seen.outer) : NULL;
    brant_status status = BRANT_OK;
    if (!outer) return BRANT_OK;
    BRANT__TRY(inherit(&self->seen.id, outer->seen.id, "id"));
    BRANT__TRY(inherit(&self->seen.actor_type, outer->seen.actor_type, "actor_type"));
    BRANT__TRY(inherit(&self->seen.organization, outer->seen.organization, "organization"));
    BRANT__TRY(inherit(&self->seen.level, outer->seen.level, "level"));
    BRANT__TRY(inherit(&self->seen.key, outer->seen.key, "key"));
    if (self->seen.principal.data)
        BRANT__TRY(inherit(&self->seen.principal, outer->seen.principal, "principal"));
    if (!self->seen.reason.data) self->seen.reason = outer->seen.reason;
    const brant__text *more = brant__scopes_uncovered(&outer->scopes, &self->scopes);
    if (more)
        status =
            brant__fail(BRANT_DENIED, "/scopes: the session in which it is opened lacks \"%.*s\"",
                        (int)more->length, more->data);
    else if (self->files & ~outer->files)
        status = brant__fail(BRANT_DENIED, "/files: the session in which it is opened has less");
cleanup:
    return status;
}

static brant_status read_identity(session *self) {
    static brant__text everything[] = {{"*:*", 3}};
    yyjson_val *identity = self->json.root;
    brant_status status = BRANT_OK;
    if (!yyjson_is_obj(identity))
        return brant__fail(BRANT_INVALID, "the identity must be a JSON object");
    BRANT__TRY(check_members(identity));
    BRANT__TRY(read_text(&self->seen.id, identity, "id", ID_BYTES));
    if (!self->seen.id.data) return brant__fail(BRANT_INVALID, "/id is missing");
    BRANT__TRY(read_actor_type(self));
    BRANT__TRY(read_text(&self->seen.principal, identity, "principal", 1024));
    BRANT__TRY(read_text(&self->seen.organization, identity, "organization", ID_BYTES));
    BRANT__TRY(read_text(&self->seen.level, identity, "level", ID_BYTES));
    BRANT__TRY(read_text(&self->seen.key, identity, "key", ID_BYTES));
    BRANT__TRY(read_text(&self->seen.reason, identity, "reason", REASON_BYTES));
    BRANT__TRY(brant__scopes_read(&self->scopes, &self->arena, brant__json_get(identity, "scopes"),
                                  "/scopes"));
    BRANT__TRY(brant__scopes_read(&self->within, &self->arena, brant__json_get(identity, "within"),
                                  "/within"));
    if (!brant__json_get(identity, "within"))
        self->within = (brant__scopes){everything, BRANT__COUNT(everything)};
    BRANT__TRY(brant__scopes_read(&self->denies, &self->arena, brant__json_get(identity, "denies"),
                                  "/denies"));
    BRANT__TRY(read_resources(self));
    BRANT__TRY(read_files(self));
    BRANT__TRY(narrow(self));
    self->principal = self->seen.principal;
    self->seen.scopes = &self->scopes;
    self->seen.within = &self->within;
    self->seen.denies = &self->denies;
cleanup:
    return status;
}

static void destroy(brant_db *handle, void *state) {
    (void)handle;
    session_free(state);
}

static const brant__shell_kind kind = {NULL, destroy};

brant_status brant_session_open(brant_db **out_session, brant_db *db, const char *json,
                                size_t json_len) {
    const brant__operation *operations = NULL;
    size_t count = 0;
    session *self = NULL;
    brant_status status;
    brant__error_clear();
    *out_session = NULL;
    if (!db) return brant__fail(BRANT_INVALID, "the handle is NULL");
    if (json_len > IDENTITY_BYTES)
        return brant__fail(BRANT_LIMIT, "the identity has %zu bytes, the limit is %zu", json_len,
                           IDENTITY_BYTES);
    BRANT__TRY(brant__registry(&operations, &count));
    self = brant__alloc_zero(sizeof *self + count);
    if (!self) return brant__fail_memory();
    self->operations = count;
    self->seen.rules = &rules;
    status = brant__wait_begin(db); /* keeps the session in which it is opened */
    if (status != BRANT_OK) goto cleanup;
    self->seen.outer = brant__shell_session(db);
    status = brant__json_parse(&self->json, json, json_len, 0);
    if (status == BRANT_OK) status = read_identity(self);
    if (status == BRANT_OK) status = brant__shell_open(out_session, db, &kind, self, &self->seen);
    brant__wait_end(db);
cleanup:
    if (status != BRANT_OK) session_free(self);
    return brant__answer(status);
}
