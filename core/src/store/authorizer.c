/*
 * store/authorizer.c: what the user's own SQL may do.
 *
 * Everything on the user's own tables; reading ours; never changing ours, the file's settings, or the transaction behind our back. A
 * user's trigger runs inside our statements too, and is held to the same rule there.
 */
#include "store/handle.h"

static const char *const own_tables[] = {
    "brant_meta",
    "brant_wake",
    "graph_types",
    "node_types",
    "edge_types",
    "graph_type_migrations",
    "graphs",
    "graph_counts",
    "nodes",
    "edges",
    "notifications",
    "notification_channels",
    "imports",
    "attribute_indexes",
    "brant_waiters",
    "event_sequences",
    "queues",
    "jobs",
    "job_dependencies",
    "job_releases",
    "job_uniques",
    "queue_claims",
    "queue_metrics",
    "streams",
    "stream_events",
    "stream_consumers",
    "stream_pending",
    "locks",
    "rate_limits",
    "rate_limit_hits",
    "schedules",
    "secret_rotations",
    "brant_accounts",
    "brant_organizations",
    "brant_deleted_ids",
    "brant_members",
    "brant_invitations",
    "brant_api_keys",
    "brant_audit_logs",
    "brant_audit_anchors",
    "brant_audit_subjects",
    "brant_audit_checkpoints",
    "brant_tenants",
    "brant_delegations",
};

/* Indexes on attributes, the tables, views and triggers of those of text, and the triggers of the audit log, which run in sessions, too. */
static bool is_made_name(const char *name) {
    return name && (sqlite3_strnicmp(name, "attribute_index_", 16) == 0 ||
                    sqlite3_strnicmp(name, "attribute_text_", 15) == 0 ||
                    sqlite3_strnicmp(name, "brant_audit_logs_", 17) == 0);
}

bool brant__is_own_table(const char *table) {
    if (!table) return false;
    if (is_made_name(table)) return true;
    for (size_t i = 0; i < BRANT__COUNT(own_tables); i++)
        if (sqlite3_stricmp(table, own_tables[i]) == 0) return true;
    return false;
}

/* What only tells; some take the name of a table or index, or how many faults to tell. */
static const struct {
    const char *name;
    bool takes_argument;
} harmless_pragmas[] = {
    {"table_info", true},       {"table_xinfo", true},       {"table_list", true},
    {"index_list", true},       {"index_info", true},        {"index_xinfo", true},
    {"foreign_key_list", true}, {"foreign_key_check", true}, {"integrity_check", true},
    {"quick_check", true},      {"function_list", false},    {"collation_list", false},
    {"compile_options", false}, {"database_list", false},    {"module_list", false},
    {"pragma_list", false},     {"page_count", false},       {"page_size", false},
    {"freelist_count", false},  {"data_version", false},     {"user_version", false},
    {"application_id", false},  {"encoding", false},         {"journal_mode", false},
    {"synchronous", false},     {"foreign_keys", false},     {"defer_foreign_keys", false},
};

static bool is_harmless(const char *pragma, const char *argument) {
    for (size_t i = 0; pragma && i < BRANT__COUNT(harmless_pragmas); i++)
        if (sqlite3_stricmp(pragma, harmless_pragmas[i].name) == 0)
            return !argument || harmless_pragmas[i].takes_argument;
    return false;
}

/* What is said when the file is opened. */
static const char *option_of(const char *pragma) {
    static const char *const options[][2] = {
        {"synchronous", "the option \"durability\" of opening says it in place of the pragma"},
        {"busy_timeout", "the option \"busy_timeout\" of opening says it in place of the pragma"},
        {"cache_size", "the option \"cache\" of opening says it in place of the pragma"},
        {"journal_mode", "the journal is a write-ahead log always; the pragma is not wanted"},
    };
    for (size_t i = 0; pragma && i < BRANT__COUNT(options); i++)
        if (sqlite3_stricmp(pragma, options[i][0]) == 0) return options[i][1];
    return NULL;
}

/* What is the connection's alone, and of the user's tables alone. */
static bool is_own_matter(const char *pragma) {
    return pragma && (sqlite3_stricmp(pragma, "foreign_keys") == 0 ||
                      sqlite3_stricmp(pragma, "defer_foreign_keys") == 0);
}

static int deny(brant_db *db, const char *reason, const char *object) {
    db->denied = reason;
    sqlite3_snprintf((int)sizeof db->denied_object, db->denied_object, "%s", object ? object : "");
    return SQLITE_DENY;
}

/* A session's SQL works on rows of the user's tables. Whoever may define what runs later, for others, may more than read and write. */
static int authorize_session(brant_db *db, int action, const char *a, const char *b) {
    switch (action) {
    case SQLITE_SELECT:
    case SQLITE_RECURSIVE:
        return SQLITE_OK;
    case SQLITE_FUNCTION:
        return b && sqlite3_strnicmp(b, "brant_", 6) == 0
                   ? deny(db, "a session cannot call brant's own functions", b)
                   : SQLITE_OK;
    case SQLITE_READ:
    case SQLITE_INSERT:
    case SQLITE_UPDATE:
    case SQLITE_DELETE:
        if (brant__is_own_table(a))
            return deny(db, "a session cannot read or write brant's own tables", a);
        return a && (sqlite3_strnicmp(a, "sqlite_", 7) == 0 || sqlite3_stricmp(a, "dbstat") == 0 ||
                     sqlite3_strnicmp(a, "pragma_", 7) == 0)
                   ? deny(db, "a session cannot read how the file is kept", a)
                   : SQLITE_OK;
    case SQLITE_PRAGMA: /* tables of full text ask */
        if (a && !b && sqlite3_stricmp(a, "data_version") == 0) return SQLITE_OK;
        return deny(db, "a session cannot read how the file is kept", a);
    default:
        return deny(db, "in a session SQL can only SELECT, INSERT, UPDATE and DELETE", a);
    }
}

/* What is prepared once and runs many times. */
static bool is_of_rows(int action) {
    return action == SQLITE_SELECT || action == SQLITE_READ || action == SQLITE_INSERT ||
           action == SQLITE_UPDATE || action == SQLITE_DELETE || action == SQLITE_FUNCTION ||
           action == SQLITE_RECURSIVE;
}

int brant__authorize(void *context, int action, const char *a, const char *b, const char *database,
                     const char *trigger) {
    brant_db *db = context;
    const bool temporary = database && sqlite3_stricmp(database, "temp") == 0;
    /* A trigger of ours has a name that users cannot give. */
    if (!db->user_sql && (!trigger || is_made_name(trigger))) return SQLITE_OK;
    /* What our statements read under another name is a WITH of theirs. */
    if (!db->user_sql && (action == SQLITE_READ || action == SQLITE_SELECT)) return SQLITE_OK;
    if (!is_of_rows(action)) db->passing = true;
    if (db->session) return authorize_session(db, action, a, b);
    switch (action) {
    case SQLITE_INSERT:
    case SQLITE_UPDATE:
    case SQLITE_DELETE:
        /* The ids of notifications come from there. SQLite writes it by itself, also for DROP and RENAME. */
        if (!db->alters && !temporary && a && sqlite3_stricmp(a, "sqlite_sequence") == 0)
            return deny(db, "the table of sequences also counts for brant's own tables", a);
        return brant__is_own_table(a)
                   ? deny(db, "brant's own tables are changed by its operations only", a)
                   : SQLITE_OK;
    case SQLITE_DROP_TABLE:
    case SQLITE_DROP_VIEW:
    case SQLITE_DROP_VTABLE:
    case SQLITE_ALTER_TABLE: {
        const char *table = action == SQLITE_ALTER_TABLE ? b : a;
        if (brant__is_own_table(table))
            return deny(db, "brant's own tables cannot be changed", table);
        /* The new name is not told here, and a temporary table of our name would shadow ours. */
        if (action == SQLITE_ALTER_TABLE && a && sqlite3_stricmp(a, "temp") == 0)
            return deny(db, "a temporary table cannot be altered; make it anew", table);
        db->alters = true;
        return SQLITE_OK;
    }
    case SQLITE_CREATE_INDEX:
    case SQLITE_DROP_INDEX:
    case SQLITE_CREATE_TRIGGER:
    case SQLITE_CREATE_TEMP_TRIGGER:
    case SQLITE_CREATE_TEMP_INDEX:
        /* A dropped index or a trigger on our tables changes what our statements mean. */
        if (is_made_name(a)) return deny(db, "the name is brant's", a);
        return brant__is_own_table(b)
                   ? deny(db, "brant's own tables take no indexes or triggers of others", b)
                   : SQLITE_OK;
    case SQLITE_DROP_TRIGGER:
    case SQLITE_DROP_TEMP_TRIGGER:
        return is_made_name(a) || brant__is_own_table(b)
                   ? deny(db, "brant's own triggers cannot be dropped", a)
                   : SQLITE_OK;
    case SQLITE_CREATE_TEMP_TABLE:
    case SQLITE_CREATE_TEMP_VIEW:
    case SQLITE_CREATE_TABLE:
    case SQLITE_CREATE_VIEW:
    case SQLITE_CREATE_VTABLE:
        /* A temporary table of our name would shadow ours. */
        return brant__is_own_table(a) ? deny(db, "the name is brant's", a) : SQLITE_OK;
    case SQLITE_TRANSACTION:
    case SQLITE_SAVEPOINT:
        return deny(
            db, "transactions are begun and ended by transaction.begin, .commit and .rollback", a);
    case SQLITE_ATTACH:
    case SQLITE_DETACH:
        return deny(db, "another file cannot be attached", a);
    case SQLITE_PRAGMA:
        if (is_harmless(a, b)) return SQLITE_OK;
        if (option_of(a)) return deny(db, option_of(a), a);
        if (!is_own_matter(a)) return deny(db, "the pragma could change how the file is kept", a);
        return db->shell ? deny(db, "a hub's files have the option of the hub", a) : SQLITE_OK;
    default:
        return SQLITE_OK;
    }
}
