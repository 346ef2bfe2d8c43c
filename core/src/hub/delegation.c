/*
 * hub/delegation.c: tenants.delegate, .revoke_delegation, .delegations, and finishing what they began (delegation.h).
 */
#include "hub/delegation.h"

#include "access/delegate.h"
#include "access/standing.h"
#include "access/write.h"
#include "crypto/crypto.h"
#include "hub/operations.h"
#include "identity/audit.h"
#include "store/position.h"

enum { INSERT, GET, LIST, OPEN, MOVE, STATEMENT_COUNT };
#define COLUMNS                                                                                    \
    "SELECT row_id, id, from_org, from_key, to_org, to_key, terms, state, created_at, updated_at " \
    "FROM brant_delegations "
static const char *const sql[STATEMENT_COUNT] = {
    [INSERT] = "INSERT INTO brant_delegations (id, from_org, from_key, to_org, to_key, terms, "
               "state, created_at, updated_at) VALUES (:id, :from_org, :from_key, :to_org, "
               ":to_key, :terms, 'pending', :now, :now)",
    [GET] = COLUMNS "WHERE id = :id",
    [LIST] = COLUMNS "WHERE row_id > :after AND (:from_org IS NULL OR from_org = :from_org) AND "
                     "(:to_org IS NULL OR to_org = :to_org) AND (:state IS NULL OR state = "
                     ":state) ORDER BY row_id LIMIT :limit",
    [OPEN] = COLUMNS "INDEXED BY brant_delegations_open WHERE state IN ('pending', 'revoking') "
                     "AND row_id > :after ORDER BY row_id LIMIT 1",
    [MOVE] = "UPDATE brant_delegations SET state = :state, updated_at = :now WHERE id = :id AND "
             "state IN (:state_1, :state_2)",
};
const brant__statements brant__delegation_statements = {BRANT__TABLE_DELEGATION, STATEMENT_COUNT,
                                                        sql};

#define PENDING  BRANT__TEXT("pending")
#define ACTIVE   BRANT__TEXT("active")
#define REVOKING BRANT__TEXT("revoking")
#define REVOKED  BRANT__TEXT("revoked")

/* A row. Texts are in the arena. */
typedef struct delegation {
    int64_t row_id; /* 0: there is none */
    brant__text id;
    brant__text from_org;
    brant__text from_key;
    brant__text to_org;
    brant__text to_key;
    brant__text terms; /* JSON */
    brant__text state;
    int64_t created_at;
    int64_t updated_at;
} delegation;

typedef struct work {
    brant_hub *hub;
    brant_db *system; /* entered */
    brant__arena *arena;
    brant__actor actor;
    delegation row;
} work;

/* ---- the system file -------------------------------------------------------------------------------------- */

static brant_status get(brant__statement **out, const work *self, int which) {
    return brant__statement_get(out, self->system, &brant__delegation_statements, (size_t)which);
}

static brant_status read_row(delegation *out, brant__arena *arena, brant__statement *row) {
    brant__text *const texts[] = {&out->id,     &out->from_org, &out->from_key, &out->to_org,
                                  &out->to_key, &out->terms,    &out->state};
    brant_status status = BRANT_OK;

    for (size_t i = 0; i < BRANT__COUNT(texts) && status == BRANT_OK; i++)
        status = brant__arena_text(texts[i], arena, brant__column_text(row, (int)i + 1));
    out->row_id = brant__column_integer(row, 0);
    out->created_at = brant__column_integer(row, 8);
    out->updated_at = brant__column_integer(row, 9);
    return status;
}

static brant_status find_row(work *self, brant__text id) {
    brant__statement *statement = NULL;
    bool row;
    brant_status status;

    self->row = (delegation){.row_id = 0};
    BRANT__TRY(get(&statement, self, GET));
    brant__bind_text(statement, 1, id);
    BRANT__TRY(brant__step(&row, self->system, statement));
    if (row) status = read_row(&self->row, self->arena, statement);
cleanup:
    brant__reset(statement);
    return status;
}

static void write_row(brant__writer *out, const delegation *row) {
    brant__write_object(out);
    brant__write_text_member(out, "id", row->id);
    brant__write_text_member(out, "from_org", row->from_org);
    brant__write_text_member(out, "from", row->from_key);
    brant__write_text_member(out, "to_org", row->to_org);
    brant__write_text_member(out, "to", row->to_key);
    brant__write_name(out, "terms");
    brant__write_raw(out, row->terms);
    brant__write_text_member(out, "state", row->state);
    brant__write_integer_member(out, "created_at", row->created_at);
    brant__write_integer_member(out, "updated_at", row->updated_at);
    brant__write_end(out);
}

/* From one of two states to another; *out_moved false: it was in neither. In a transaction. */
static brant_status move(bool *out_moved, work *self, brant__text from, brant__text or_from,
                         brant__text to) {
    brant__statement *statement;
    brant_status status = get(&statement, self, MOVE);

    *out_moved = false;
    if (status != BRANT_OK) return status;
    brant__bind_text(statement, 1, to);
    brant__bind_integer(statement, 2, brant__db_now(self->system));
    brant__bind_text(statement, 3, self->row.id);
    brant__bind_text(statement, 4, from);
    brant__bind_text(statement, 5, or_from);
    status = brant__run(self->system, statement);
    if (status != BRANT_OK) return status;
    *out_moved = brant__changes(self->system) > 0;
    if (*out_moved) self->row.state = to;
    return BRANT_OK;
}

static brant_status record(work *self, const char *action) {
    brant__call call = {.db = self->system, .arena = self->arena};
    brant__writer detail = {0};
    brant_status status;

    brant__write_object(&detail);
    brant__write_text_member(&detail, "id", self->row.id);
    brant__write_text_member(&detail, "to_org", self->row.to_org);
    brant__write_text_member(&detail, "to", self->row.to_key);
    brant__write_name(&detail, "terms");
    brant__write_raw(&detail, self->row.terms);
    brant__write_end(&detail);
    status = detail.buffer.failed
                 ? brant__fail_memory()
                 : brant__audit_append(&call, &self->actor, action, self->row.from_org,
                                       self->row.from_key,
                                       brant__text_of(detail.buffer.data, detail.buffer.length));
    brant__buffer_free(&detail.buffer);
    return status;
}

/* One move in a transaction of its own, with what is audited of it; `action` NULL: nothing. */
static brant_status move_alone(bool *out_moved, work *self, brant__text from, brant__text or_from,
                               brant__text to, const char *action) {
    brant_status status = brant__begin(self->system, BRANT__WRITE);

    if (status != BRANT_OK) return status;
    BRANT__TRY(move(out_moved, self, from, or_from, to));
    if (action && *out_moved) BRANT__TRY(record(self, action));
    BRANT__TRY(brant__commit(self->system));
    return BRANT_OK;
cleanup:
    brant__rollback(self->system);
    return status;
}

/* ---- the tenants' files ------------------------------------------------------------------------------------- */

typedef brant_status step(work *self, brant__access_edit *edit);

/* Do a step in a transaction of a tenant's file. */
static brant_status in_tenant(work *self, brant__text org, step *what) {
    brant__arena arena = {0};
    brant__writer out = {0};
    brant__json terms = {0};
    brant__call call = {.out = &out, .arena = &arena};
    brant__access_edit edit;
    brant_db *db = NULL, *inside = NULL;
    bool found;
    brant_status status;

    BRANT__TRY(brant__pool_acquire(&db, self->hub, org));
    inside = db;
    status = brant__handle_enter(&inside);
    if (status != BRANT_OK) {
        inside = NULL;
        goto cleanup;
    }
    call.db = inside;
    BRANT__TRY(brant__json_parse(&terms, self->row.terms.data, self->row.terms.length, 0));
    call.input = terms.root;
    BRANT__TRY(brant__begin(inside, BRANT__WRITE));
    status = brant__access_begin_at(&found, &edit, &call, BRANT__ACCESS_GRAPH);
    if (status == BRANT_OK && !found) status = brant__access_begin(&edit, &call);
    edit.actor = self->actor;
    if (status == BRANT_OK) status = what(self, &edit);
    if (status == BRANT_OK) status = brant__commit(inside);
    if (status != BRANT_OK) brant__rollback(inside);
cleanup:
    if (inside) brant__leave(inside);
    brant_db_free(db);
    brant__json_free(&terms);
    brant__buffer_free(&out.buffer);
    brant__arena_free(&arena);
    return status;
}

/* foreign:<org>:<key>, in the call's arena. */
static brant_status foreign_key(brant__text *out, const brant__access_edit *edit, brant__text org,
                                brant__text key) {
    brant__buffer text = {0};
    brant_status status;

    brant__buffer_append(&text, "foreign:", 8);
    brant__buffer_append(&text, org.data, org.length);
    brant__buffer_append_byte(&text, ':');
    brant__buffer_append(&text, key.data, key.length);
    status = text.failed ? brant__fail_memory()
                         : brant__arena_text(out, edit->call->arena,
                                             brant__text_of(text.data, text.length));
    brant__buffer_free(&text);
    return status;
}

/* The agent that stands for somebody of another organisation; `make`: it is made where it is missing. */
static brant_status find_foreign(brant__access_entity *out, brant__access_edit *edit,
                                 brant__text org, brant__text key, bool make) {
    brant__writer attributes = {0};
    brant__text name;
    brant_status status;

    BRANT__TRY(foreign_key(&name, edit, org, key));
    BRANT__TRY(brant__access_entity_find(out, edit, name));
    if (out->row_id || !make) goto cleanup;
    brant__write_object(&attributes);
    brant__write_name(&attributes, "foreign");
    brant__write_object(&attributes);
    brant__write_text_member(&attributes, "org_id", org);
    brant__write_text_member(&attributes, "key", key);
    brant__write_end(&attributes);
    brant__write_end(&attributes);
    status = attributes.buffer.failed
                 ? brant__fail_memory()
                 : brant__access_entity_put(
                       out, edit, name, "Agent",
                       brant__text_of(attributes.buffer.data, attributes.buffer.length));
cleanup:
    brant__buffer_free(&attributes.buffer);
    return status;
}

static bool is_ours(const work *self, const brant__access_link *edge) {
    return edge->row_id && edge->delegation_id.data &&
           brant__text_equal(edge->delegation_id, self->row.id);
}

static brant_status audit_edge(work *self, brant__access_edit *edit, const char *action,
                               brant__text from, brant__text to, const brant__access_link *edge) {
    brant__writer detail = {0};
    brant_status status;

    brant__write_object(&detail);
    brant__access_detail(&detail, edit, &edge->scopes, edge->expires_at);
    brant__write_text_member(&detail, "to", to);
    brant__write_text_member(&detail, "delegation_id", self->row.id);
    status = brant__access_audit(edit, action, (brant__text){NULL, 0}, from, &detail);
    brant__buffer_free(&detail.buffer);
    return status;
}

/* Both ends of the edge in the file of from_org. */
static brant_status find_ends(brant__access_entity *from, brant__access_entity *agent,
                              brant__access_link *edge, work *self, brant__access_edit *edit,
                              bool make) {
    brant_status status;

    BRANT__TRY(make ? brant__access_entity_need(from, edit, self->row.from_key)
                    : brant__access_entity_find(from, edit, self->row.from_key));
    BRANT__TRY(find_foreign(agent, edit, self->row.to_org, self->row.to_key, make));
    status = brant__access_link_find(edge, edit, from, "Delegates", agent);
cleanup:
    return status;
}

/* The edge, pending, when `from` holds what it gives. Nothing where it is there. */
static brant_status put_pending(work *self, brant__access_edit *edit) {
    brant__access_entity from, agent;
    brant__access_link edge, terms;
    brant_status status;

    BRANT__TRY(brant__access_delegation_read(&terms, edit));
    BRANT__TRY(find_ends(&from, &agent, &edge, self, edit, true));
    if (is_ours(self, &edge)) {
        if (edge.revoked_at != BRANT__NEVER)
            status = brant__fail(BRANT_CONFLICT, "the delegation was revoked meanwhile");
        goto cleanup;
    }
    if (brant__access_live(&edge, edit->now) ||
        (edge.row_id && edge.pending && edge.revoked_at == BRANT__NEVER)) {
        status = brant__fail(BRANT_CONFLICT, "there is a delegation from %s to that agent already",
                             brant__quoted(edit->call, from.key));
        goto cleanup;
    }
    BRANT__TRY(brant__access_delegation_judge(edit, &from, &terms));
    BRANT__TRY(brant__access_delegation_check(edit, &from, &terms));
    terms.pending = true;
    terms.delegation_id = self->row.id;
    status = brant__access_link_put(&terms, edit, &from, "Delegates", &agent);
cleanup:
    return status;
}

/* What the other side sees. */
static brant_status put_mirror(work *self, brant__access_edit *edit) {
    brant__access_entity principal, agent;
    brant__access_link edge, terms;
    brant_status status;

    BRANT__TRY(brant__access_delegation_read(&terms, edit));
    BRANT__TRY(find_foreign(&principal, edit, self->row.from_org, self->row.from_key, true));
    BRANT__TRY(brant__access_entity_find(&agent, edit, self->row.to_key));
    if (!agent.row_id)
        BRANT__TRY(
            brant__access_entity_put(&agent, edit, self->row.to_key, "Agent", BRANT__TEXT("{}")));
    BRANT__TRY(brant__access_link_find(&edge, edit, &principal, "Delegates", &agent));
    if (is_ours(self, &edge)) goto cleanup;
    terms.delegation_id = self->row.id;
    BRANT__TRY(brant__access_link_put(&terms, edit, &principal, "Delegates", &agent));
    status = audit_edge(self, edit, "tenants.delegate", principal.key, agent.key, &terms);
cleanup:
    return status;
}

/* From here on it gives rights. */
static brant_status put_active(work *self, brant__access_edit *edit) {
    brant__access_entity from, agent;
    brant__access_link edge;
    brant_status status;

    BRANT__TRY(find_ends(&from, &agent, &edge, self, edit, false));
    if (!is_ours(self, &edge) || edge.revoked_at != BRANT__NEVER) {
        status = brant__fail(BRANT_CONFLICT, "the delegation was revoked meanwhile");
        goto cleanup;
    }
    if (!edge.pending) goto cleanup;
    edge.pending = false;
    BRANT__TRY(brant__access_link_put(&edge, edit, &from, "Delegates", &agent));
    BRANT__TRY(brant__access_delegation_changed(edit, from.key, agent.key));
    status = audit_edge(self, edit, "tenants.delegate", from.key, agent.key, &edge);
cleanup:
    return status;
}

static brant_status revoke_edge(work *self, brant__access_edit *edit,
                                const brant__access_entity *from, const brant__access_entity *to,
                                brant__access_link *edge) {
    brant_status status;

    if (!is_ours(self, edge) || edge->revoked_at != BRANT__NEVER) return BRANT_OK;
    edge->revoked_at = edit->now;
    BRANT__TRY(brant__access_link_put(edge, edit, from, "Delegates", to));
    BRANT__TRY(brant__access_delegation_changed(edit, from->key, to->key));
    status = audit_edge(self, edit, "tenants.revoke_delegation", from->key, to->key, edge);
cleanup:
    return status;
}

static brant_status end_edge(work *self, brant__access_edit *edit) {
    brant__access_entity from, agent;
    brant__access_link edge;
    const brant_status status = find_ends(&from, &agent, &edge, self, edit, false);

    return status == BRANT_OK ? revoke_edge(self, edit, &from, &agent, &edge) : status;
}

/* Who may not delegate in its name does not revoke in its name either. */
static brant_status end_edge_judged(work *self, brant__access_edit *edit) {
    brant__access_entity from, agent;
    brant__access_link edge;
    brant_status status;

    BRANT__TRY(find_ends(&from, &agent, &edge, self, edit, false));
    BRANT__TRY(brant__access_delegation_may_end(edit, &from));
    status = revoke_edge(self, edit, &from, &agent, &edge);
cleanup:
    return status;
}

static brant_status end_mirror(work *self, brant__access_edit *edit) {
    brant__access_entity principal, agent;
    brant__access_link edge;
    brant_status status;

    BRANT__TRY(find_foreign(&principal, edit, self->row.from_org, self->row.from_key, false));
    BRANT__TRY(brant__access_entity_find(&agent, edit, self->row.to_key));
    BRANT__TRY(brant__access_link_find(&edge, edit, &principal, "Delegates", &agent));
    status = revoke_edge(self, edit, &principal, &agent, &edge);
cleanup:
    return status;
}

/* ---- the steps, in their order ---------------------------------------------------------------------------------- */

/* Do a step in the file of an organisation, which is nothing where that is no more: its part went along. */
static brant_status unless_gone(work *self, brant__text org, step *what) {
    int state;
    brant_status status = brant__registry_look(&state, self->hub, org.data);

    if (status == BRANT_NOT_FOUND) {
        (void)brant__error_code();
        return BRANT_OK;
    }
    return status == BRANT_OK ? in_tenant(self, org, what) : status;
}

/* End it on both sides: rights first. */
static brant_status finish_end(work *self, step *first, const char *action) {
    bool moved;
    brant_status status;

    BRANT__TRY(unless_gone(self, self->row.from_org, first));
    if (!brant__text_equal(self->row.state, REVOKING))
        BRANT__TRY(move_alone(&moved, self, PENDING, ACTIVE, REVOKING, action));
    BRANT__TRY(unless_gone(self, self->row.to_org, end_mirror));
    status = move_alone(&moved, self, REVOKING, REVOKING, REVOKED, NULL);
cleanup:
    return status;
}

/* Make it active: from whatever step it got to. */
static brant_status finish_begin(work *self) {
    bool moved;
    brant_status status;

    BRANT__TRY(in_tenant(self, self->row.from_org, put_pending));
    BRANT__TRY(in_tenant(self, self->row.to_org, put_mirror));
    BRANT__TRY(in_tenant(self, self->row.from_org, put_active));
    BRANT__TRY(move_alone(&moved, self, PENDING, ACTIVE, ACTIVE, NULL));
    if (!moved) { /* somebody ended it meanwhile */
        BRANT__TRY(finish_end(self, end_edge, NULL));
        status = brant__fail(BRANT_CONFLICT, "the delegation was revoked meanwhile");
    }
cleanup:
    return status;
}

/* Why it did not begin: for good, or may it later? */
static bool is_final(brant_status status) {
    switch (status) {
    case BRANT_INVALID:
    case BRANT_NOT_FOUND:
    case BRANT_CONFLICT:
    case BRANT_CONSTRAINT:
    case BRANT_VALIDATION:
    case BRANT_DENIED:
        return true;
    default:
        return false;
    }
}

/* Can what is written be audited? Without it nothing is. */
static bool can_audit(brant_db *db) {
    int64_t version;

    if (brant__key_active(&version, db, BRANT__PURPOSE_AUDIT) == BRANT_OK) return true;
    (void)brant__error_code();
    return false;
}

static brant_status next_open(bool *out_found, work *self, int64_t after) {
    brant__statement *statement = NULL;
    brant_status status;

    BRANT__TRY(get(&statement, self, OPEN));
    brant__bind_integer(statement, 1, after);
    BRANT__TRY(brant__step(out_found, self->system, statement));
    if (*out_found) status = read_row(&self->row, self->arena, statement);
cleanup:
    brant__reset(statement);
    return status;
}

brant_status brant__delegations_reconcile(int64_t *out_finished, brant_hub *hub, brant_db *system) {
    brant__arena arena = {0};
    work self = {.hub = hub, .system = system, .arena = &arena};
    int64_t after = 0;
    bool found;
    brant_status status = BRANT_OK;

    *out_finished = 0;
    if (!can_audit(system)) return BRANT_OK;
    for (;;) {
        brant_status done;
        brant__arena_reset(&arena);
        self.actor = (brant__actor){.type = BRANT__TEXT("system"), .trusted = true};
        BRANT__TRY(next_open(&found, &self, after));
        if (!found) break;
        after = self.row.row_id;
        if (brant__text_equal(self.row.state, PENDING)) {
            done = finish_begin(&self);
            if (is_final(done)) {
                (void)brant__error_code();
                done = finish_end(&self, end_edge, NULL);
            }
        } else {
            done = finish_end(&self, end_edge, NULL);
        }
        if (done == BRANT_OK)
            ++*out_finished;
        else
            (void)brant__error_code(); /* the next who looks does it */
        BRANT__TRY(brant__db_poll(system));
    }
cleanup:
    brant__arena_free(&arena);
    return status;
}

/* ---- operations ----------------------------------------------------------------------------------------------------- */

/* The members of the input that are the terms. */
static brant_status read_terms(brant__text *out, brant__call *call) {
    static const char *const names[] = {"scopes", "expires_at", "max_depth", "may_redelegate"};
    brant__writer terms = {0};
    brant_status status;

    brant__write_object(&terms);
    for (size_t i = 0; i < BRANT__COUNT(names); i++) {
        yyjson_val *value = brant__json_get(call->input, names[i]);
        if (!value) continue;
        brant__write_name(&terms, names[i]);
        brant__write_value(&terms, value);
    }
    brant__write_end(&terms);
    status = terms.buffer.failed
                 ? brant__fail_memory()
                 : brant__arena_text(out, call->arena,
                                     brant__text_of(terms.buffer.data, terms.buffer.length));
    brant__buffer_free(&terms.buffer);
    return status;
}

static brant_status insert_row(work *self, brant__call *call) {
    brant__statement *statement;
    const delegation *row = &self->row;
    char id[37];
    brant_status status = brant__begin(self->system, BRANT__WRITE);

    if (status != BRANT_OK) return status;
    BRANT__TRY(brant__db_uuid(self->system, id));
    BRANT__TRY(brant__arena_text(&self->row.id, call->arena, brant__text_of(id, 36)));
    BRANT__TRY(get(&statement, self, INSERT));
    brant__bind_text(statement, 1, row->id);
    brant__bind_text(statement, 2, row->from_org);
    brant__bind_text(statement, 3, row->from_key);
    brant__bind_text(statement, 4, row->to_org);
    brant__bind_text(statement, 5, row->to_key);
    brant__bind_text(statement, 6, row->terms);
    brant__bind_integer(statement, 7, brant__db_now(self->system));
    BRANT__TRY(brant__run(self->system, statement));
    BRANT__TRY(record(self, "tenants.delegate"));
    BRANT__TRY(brant__commit(self->system));
    self->row.state = PENDING;
    return BRANT_OK;
cleanup:
    brant__rollback(self->system);
    return status;
}

static brant_status answer(work *self, brant__call *call) {
    const brant_status status = find_row(self, self->row.id);

    if (status == BRANT_OK) write_row(call->out, &self->row);
    return status;
}

/* What fails ends it: nobody is told of a failure and finds it active later. */
static void give_up(work *self) {
    brant__kept_error kept;
    bool moved;

    brant__error_keep(&kept);
    if (move_alone(&moved, self, PENDING, PENDING, REVOKING, NULL) == BRANT_OK)
        (void)finish_end(self, end_edge, NULL);
    brant__error_restore(&kept);
}

/* Both organisations are there, and active. */
static brant_status check_organizations(const work *self) {
    const brant__text orgs[] = {self->row.from_org, self->row.to_org};
    brant_status status = BRANT_OK;

    if (brant__text_equal(orgs[0], orgs[1]))
        return brant__fail(BRANT_INVALID,
                           "/to_org: within an organisation access.delegate delegates");
    for (size_t i = 0; i < BRANT__COUNT(orgs) && status == BRANT_OK; i++) {
        int state;
        status = brant__org_id_check(orgs[i]);
        if (status == BRANT_OK) status = brant__registry_look(&state, self->hub, orgs[i].data);
    }
    return status;
}

/* It is of that organisation, not seen there only. */
static brant_status check_agent(const work *self, brant__call *call) {
    brant__text org_id, key;

    if (!brant__access_foreign(&org_id, &key, self->row.to_key)) return BRANT_OK;
    return brant__fail(BRANT_INVALID,
                       "/to: %s is an agent of another organisation: delegate to it there",
                       brant__quoted(call, self->row.to_key));
}

/* The tenant's file sees the actor, not the session: what that may not itself it does not give. */
static brant_status check_session(brant__call *call) {
    brant__scopes scopes;
    const brant_status status =
        brant__scopes_read(&scopes, call->arena, brant__json_get(call->input, "scopes"), "/scopes");

    return status == BRANT_OK ? brant__session_require(call->db, &scopes) : status;
}

brant_status brant__tenants_delegate(brant__call *call) {
    yyjson_val *input = call->input;
    work self = {.system = call->db, .arena = call->arena};
    brant_status status;

    BRANT__TRY(brant__hub_here_alone(&self.hub, call));
    BRANT__TRY(brant__actor_read(&self.actor, call));
    self.row = (delegation){.from_org = brant__json_get_text(input, "from_org"),
                            .from_key = brant__json_get_text(input, "from"),
                            .to_org = brant__json_get_text(input, "to_org"),
                            .to_key = brant__json_get_text(input, "to")};
    BRANT__TRY(brant__hub_may(call, self.row.from_org));
    BRANT__TRY(check_organizations(&self));
    BRANT__TRY(check_agent(&self, call));
    BRANT__TRY(read_terms(&self.row.terms, call));
    BRANT__TRY(check_session(call));
    BRANT__TRY(insert_row(&self, call));
    status = finish_begin(&self);
    if (status != BRANT_OK)
        give_up(&self);
    else
        status = answer(&self, call);
cleanup:
    return status;
}

brant_status brant__tenants_revoke_delegation(brant__call *call) {
    const brant__text id = brant__json_get_text(call->input, "id");
    work self = {.system = call->db, .arena = call->arena};
    brant_status status;

    BRANT__TRY(brant__hub_here_alone(&self.hub, call));
    BRANT__TRY(brant__actor_read(&self.actor, call));
    BRANT__TRY(find_row(&self, id));
    if (!self.row.row_id) {
        status = brant__fail(BRANT_NOT_FOUND, "no delegation %s", brant__quoted(call, id));
        goto cleanup;
    }
    BRANT__TRY(brant__hub_may(call, self.row.from_org));
    if (!brant__text_equal(self.row.state, REVOKED))
        BRANT__TRY(finish_end(&self, end_edge_judged, "tenants.revoke_delegation"));
    status = answer(&self, call);
cleanup:
    return status;
}

brant_status brant__tenants_delegations(brant__call *call) {
    yyjson_val *filter = brant__json_get(call->input, "filter");
    const brant__text wanted[] = {brant__json_get_text(filter, "from_org"),
                                  brant__json_get_text(filter, "to_org"),
                                  brant__json_get_text(filter, "state")};
    brant__list list = brant__list_of("tenants.delegations");
    work self = {.system = call->db, .arena = call->arena};
    brant__statement *statement = NULL;
    brant__position position, last = {0};
    int64_t limit, count = 0;
    bool row = false;
    brant_status status;

    BRANT__TRY(brant__hub_here(&self.hub, call));
    /* Of either side may ask for what is its. */
    if (brant__hub_may(call, wanted[0]) != BRANT_OK) BRANT__TRY(brant__hub_may(call, wanted[1]));
    brant__error_clear();
    for (size_t i = 0; i < BRANT__COUNT(wanted); i++)
        brant__list_filter(&list, wanted[i]);
    BRANT__TRY(brant__limit_read(&limit, call, 100, 10000));
    BRANT__TRY(brant__position_read(&position, call, list));
    BRANT__TRY(get(&statement, &self, LIST));
    brant__bind_integer(statement, 1, position.given ? position.numbers[0] : 0);
    for (size_t i = 0; i < BRANT__COUNT(wanted); i++)
        brant__bind_text(statement, (int)i + 2, wanted[i]);
    brant__bind_integer(statement, 5, limit + 1);
    brant__write_object(call->out);
    brant__write_name(call->out, "items");
    brant__write_array(call->out);
    for (;;) {
        BRANT__TRY(brant__step(&row, call->db, statement));
        if (!row || ++count > limit) break;
        BRANT__TRY(read_row(&self.row, call->arena, statement));
        write_row(call->out, &self.row);
        last.numbers[0] = self.row.row_id;
    }
    brant__write_end(call->out);
    brant__position_write(call->out, row ? &last : NULL, list);
    brant__write_end(call->out);
cleanup:
    brant__reset(statement);
    return status;
}
