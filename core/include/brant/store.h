/*
 * brant/store.h: one connection to one file: opening, closing, transactions, the user's own SQL, backup, health.
 *
 * Operations. Every function of the shape
 *
 *     brant_status f(char **out_json, size_t *out_json_len, brant_db *db, const char *json, size_t json_len)
 *
 * is an operation: `json` is its input, a JSON object (json_len 0 means {}), `*out_json` its answer, a JSON value
 * that the caller frees. The same operation is reached as brant_call(..., "<registry name>", ...); its input and
 * output schemas are data (operations.list). Unknown members of an input are refused (INVALID). Every operation can
 * return CLOSED, MISUSE, FORKED, INVALID, INVALID_JSON, LIMIT, NO_MEMORY, INTERRUPTED, TIMEOUT, BUSY, READ_ONLY (writes),
 * CORRUPT, FULL and IO; the comments below name only what is particular.
 *
 * Transactions. A write outside a transaction is one of its own; inside, it joins, and a failing operation takes
 * back its own changes only (savepoint), the transaction goes on. SQLite itself can take a whole transaction back: when a write in it is
 * interrupted or timed out, for FULL, IO and NO_MEMORY, for the user's ON CONFLICT ROLLBACK. Then every call in it is MISUSE until it
 * was rolled back. A read outside a transaction sees one snapshot.
 *
 * Threads. A handle is used by one thread at a time, whichever: a second that enters while a call runs gets MISUSE.
 * brant_close, brant_interrupt and brant_wake_fd may be called from any thread at any time; waiting in
 * brant_cursor_next does not occupy the handle.
 */
#ifndef BRANT_STORE_H
#define BRANT_STORE_H

#include "base.h"

#ifdef __cplusplus
extern "C" {
#endif

typedef struct brant_db brant_db;

/* Sources that a host may replace for one handle. A NULL member keeps the default. */
typedef struct brant_sources {
    int64_t (*now)(void *context); /* milliseconds since the Unix epoch */
    int (*random)(void *context, void *bytes, size_t length); /* 0 on success */
    void *context;
} brant_sources;

/*
 * Open a file and bring it to this version's format. `json` is an object of options, or empty:
 *
 *   mode           "create" (default), "rw" (the file must exist), "ro"
 *   durability     "normal" (default): what was acknowledged survives any crash of any process; a power cut may lose the last
 *                  commits, never consistency. "full": survives power cuts too
 *   role           "single" (default), "system", "tenant": given to a new file; for an existing one it must match
 *   busy_timeout   ms to wait for another writer, 0..3600000, default 5000
 *   permissions    "private" (default: 0600, wake folder 0700) or "group" (0660, 0770), for what this call creates
 *   adopt          true: add brant's tables to an SQLite database that is not brant's yet; default false
 *   network        true: open on a network file system all the same; default false
 *   system         true: this handle may change graph types of scope "system"; default false
 *   foreign_keys   true: the foreign keys of your own tables are enforced, and their actions run, in what is written by this handle; default false, as
 *                  SQLite has it. A trusted handle that a hub did not lend may also change it for itself, outside a transaction, by PRAGMA foreign_keys;
 *                  defer_foreign_keys is there for a transaction. A violation is CONSTRAINT: of the statement, or of the commit where a key is deferred
 *   limits         {document: bytes 1024..1000000000 (64 MiB), depth: 1..512 (512), key: bytes 1..65536 (1024),
 *                   batch: items 1..1000000 (100000)}, defaults in parentheses; they may be narrowed or widened
 *   cache          bytes of page cache, default 67108864
 *
 * `path` is UTF-8 without NUL; ":memory:" is a private database without wake across processes. A relative path is made absolute
 * at once. The caller owns *out_db: brant_close, then brant_db_free.
 * INVALID: an unknown option or bad value; NOT_FOUND: mode rw or ro and no file, or no folder; NOT_BRANT: not brant's file (a folder, another
 * program's database, not a database); NEWER_FORMAT; FOREIGN_SQLITE; NETWORK_FS; READ_ONLY: no permission to write (mode ro may help);
 * CONFLICT: the file has another role; BUSY: another process is migrating.
 */
BRANT_API brant_status brant_open(brant_db **out_db, const char *path, size_t path_len,
                                  const char *json, size_t json_len);

/* brant_open with other sources of time and randomness; they must outlive the handle. */
BRANT_API brant_status brant_open_with(brant_db **out_db, const char *path, size_t path_len,
                                       const char *json, size_t json_len,
                                       const brant_sources *sources);

/*
 * Mark the handle closed, end its waits, and release file, locks and WAL: at once when no call is running, else
 * as soon as the last one leaves. An open transaction is rolled back. Any thread, any time, any number of times.
 * Every later call on the handle is CLOSED. NULL is fine.
 */
BRANT_API brant_status brant_close(brant_db *db);

/* Free the shell of a handle: closes it first; nothing may use the pointer afterwards. brant_last_error stays as it was. For finalisers. NULL is fine. */
BRANT_API void brant_db_free(brant_db *db);

/* End the running call, or the waits, of this handle with INTERRUPTED. Any thread; nothing when none runs. */
BRANT_API brant_status brant_interrupt(brant_db *db);

/* BRANT_OK while the handle is usable, CLOSED after. The cheapest call there is. */
BRANT_API brant_status brant_check(brant_db *db);

/*
 * Calls that start after this end with TIMEOUT at the given moment (ms since the epoch by the system's clock); 0 takes
 * it back. For a language layer, which sets it before and clears it after the call that has a deadline.
 */
BRANT_API brant_status brant_deadline_set(brant_db *db, int64_t deadline);

/*
 * transaction.begin {"mode": "write" (default) | "read"} -> {"depth": n}
 * Outermost: write takes the write lock now (BUSY after the busy timeout), read fixes a snapshot (which holds the WAL: keep it
 * short; writes inside are READ_ONLY). Nested: a savepoint, of the outer mode; "write" inside "read" is READ_ONLY.
 */
BRANT_API brant_status brant_transaction_begin(char **out_json, size_t *out_json_len, brant_db *db,
                                               const char *json, size_t json_len);

/*
 * transaction.commit {} -> {"depth": n}. Ends the innermost; the outermost one makes everything durable and wakes
 * listeners. MISUSE: no transaction, or SQLite took it back already. BUSY: still open, nothing is lost, commit again or roll back.
 * After any other failure roll back.
 */
BRANT_API brant_status brant_transaction_commit(char **out_json, size_t *out_json_len, brant_db *db,
                                                const char *json, size_t json_len);

/* transaction.rollback {} -> {"depth": n}. Takes back the innermost. MISUSE: no transaction. */
BRANT_API brant_status brant_transaction_rollback(char **out_json, size_t *out_json_len,
                                                  brant_db *db, const char *json, size_t json_len);

/*
 * sql.execute {"sql": text, "params"?: [..] | {..}, "batch"?: [params..], "describe"?: bool, "script"?: bool, "limit"?: n, "close"?: bool}
 *   | {"cursor": id, "limit"?: n (1000), "close"?: bool}
 *   -> {"columns": [..], "rows": [[..]], "types"?: [{"type", "not_null"} | null..], "changes": n, "last_insert_rowid": n, "parameters"?: n, "tail"?: n, "cursor"?: id | null}
 * The user's own SQL: one statement, on this connection, in the running transaction, or in one of its own. brant's own tables can be read; what would change them, the file's
 * settings or the transaction is DENIED, and so are ALTER TABLE on a temporary table (which could take one of our names) and writing sqlite_sequence. The statements used last stay prepared.
 * Values are null, bool (0/1), integer, double, text, {"$base64": text} for a blob, {"$number": "Infinity" | "-Infinity"}; in rows they are told in the same way, and text that is not UTF-8 as a blob.
 * `params` by position, as many as there are parameters, or by name, each name once and without its prefix: ":a" and "$a" get the same value. `batch` instead: the statement is run with each member,
 * all or none of it (at most limits.batch); `rows` and `changes` are of all runs.
 * `changes`: the rows that the statement itself inserted, updated or deleted; not those of triggers, of foreign keys' actions or of REPLACE. 0 for what is none of these.
 * `describe`: `types`, of each column that is one of a table's what its definition says: the type ("" for none) and whether it is NOT NULL; null for an expression.
 * `script`: the text may hold several statements, of which the first runs, with as many of the values by position as it has parameters: `parameters` of them. `tail` is the byte at which the rest
 * begins, 0: there is none.
 * `limit`, of a statement that only reads: at most that many rows (1..limits.batch), fewer when they are large, and `cursor`, by which a further call gets the rows that follow; null:
 * those were all. With `close` there is no cursor, and the rows are the first so many of any statement: a query ends there, what writes (RETURNING) is done to its end; without it that one answers all its rows.
 * A cursor ends with its last row, with `close` (which answers no rows, or those of a last part if `limit` is given), an error, an interrupt, and with the transaction (or savepoint) in which it was
 * opened; MISUSE after that, and outside a transaction when there are more rows. It is of the handle, or session, that opened it, and shows or does not show what is written meanwhile, as SQLite has it.
 * At most 100 at a time: LIMIT.
 * Without `limit` at most limits.batch rows, and about limits.document bytes of them: LIMIT. SQL: the text is wrong; CONSTRAINT: a rule of the user's tables. INVALID: values that do not fit the
 * parameters, and members that do not go together: `batch` with `params`, `script` or `limit`; `cursor` with what belongs to `sql`; `close` with neither `cursor` nor `limit`.
 */
BRANT_API brant_status brant_sql_execute(char **out_json, size_t *out_json_len, brant_db *db,
                                         const char *json, size_t json_len);

/*
 * sql.execute in frames: the same operation, asked and answered in binary, for programs that have rows and bytes to carry and no use for JSON. What the members mean, when they are refused,
 * who may call, limits, cursors and transactions: as above. In the registry there is sql.execute alone.
 *
 * Integers are little-endian and stand where they fall, unaligned; u32 and u64 are unsigned, i64 is two's complement, f64 IEEE 754. "text" is u32 length and so many bytes of UTF-8, without NUL at its end.
 *
 *   value     u8 type, which is SQLite's: 1 integer: i64. 2 float: f64 (NaN becomes NULL; infinities are kept). 3 text: text. 4 blob: u32 length, bytes. 5 null: nothing.
 *   values    u32 count, u32 named (0 or 1), and so many values; of named ones text, the name without its prefix, stands before each
 *
 *   request   u32 flags: BRANT_SQL_*; u32 limit (0: none); then, with BRANT_SQL_CURSOR, i64 cursor, else text sql; u32 runs; values of each run.
 *             Runs are "batch" with BRANT_SQL_BATCH, else there is one, "params". No value at all is values of count 0.
 *   answer    i64 changes; i64 last_insert_rowid; i64 cursor (0: null, or not asked for); u64 tail; u32 parameters (of the statement); u32 columns; u64 rows;
 *             text name of each column; with BRANT_SQL_DESCRIBE for each column u8 (0: null; 1: may be NULL; 2: NOT NULL) and, unless that is 0, text type;
 *             then the values of the rows, row by row.
 *
 * `request` is the caller's; the caller owns *out_answer: brant_free. Text in rows is UTF-8: what a text column has that is not crosses as a blob, as in JSON.
 * Errors of sql.execute; INVALID: the frame is not one (it ends too early or has more, an unknown flag or type, text that is not UTF-8).
 */
#define BRANT_SQL_DESCRIBE 1
#define BRANT_SQL_SCRIPT   2
#define BRANT_SQL_CLOSE    4
#define BRANT_SQL_BATCH    8
#define BRANT_SQL_CURSOR   16
BRANT_API brant_status brant_sql_run(char **out_answer, size_t *out_answer_len, brant_db *db,
                                     const char *request, size_t request_len);

/* db.info {} -> {path, role, mode, durability, format, version, sqlite_version, page_size, pages, size, wal_size, graphs, nodes, edges} */
BRANT_API brant_status brant_db_info(char **out_json, size_t *out_json_len, brant_db *db,
                                     const char *json, size_t json_len);

/*
 * db.doctor {} -> {"ok": bool, "checks": [{"name", "ok", "problems": [text..]}]}
 * Checks SQLite's own integrity, that every edge has its ends, that types and graphs fit, that stored counts are
 * true, that every attribute is JSON. Reads only. Long: reports through the deadline and interrupt.
 */
BRANT_API brant_status brant_db_doctor(char **out_json, size_t *out_json_len, brant_db *db,
                                       const char *json, size_t json_len);

/*
 * db.backup {"path": text, "overwrite": false} -> {"path", "pages", "size"}
 * Copy the file, while it is in use, as of one moment, to a new file that holds nothing of the old place (wake registrations).
 * Written beside and renamed: the destination is whole or not there. EXISTS: the destination exists. CONFLICT: it is to be overwritten and somebody has it
 * open. MISUSE: inside a transaction.
 */
BRANT_API brant_status brant_db_backup(char **out_json, size_t *out_json_len, brant_db *db,
                                       const char *json, size_t json_len);

/*
 * db.restore {"path": text} -> {"path", "pages", "size"}
 * Replace the whole content of this file by that of a backup, in one transaction; other processes see the old or the new.
 * NOT_FOUND, NOT_BRANT, NEWER_FORMAT, CONFLICT (other role): nothing changed. MISUSE: inside a transaction.
 */
BRANT_API brant_status brant_db_restore(char **out_json, size_t *out_json_len, brant_db *db,
                                        const char *json, size_t json_len);

/*
 * db.maintain {} -> {"pruned": n, "jobs": n, "locks": n, "rate_limits": n, "wal_pages": n, "streams": {"trimmed", "compacted"},
 *   "retention": {"archived", "deleted", "purged", "nodes", "edges"},
 *   "worked": {"jobs", "failed", "steps"}}
 * What is to be done now and then; whoever likes calls it, every minute or so.
 * Retention of notifications, of finished jobs (`jobs` went; what is due in queues that nobody claims from is done, too), of streams (with compaction, and what deleted ones left), and of graphs, nodes and edges (graph_types.set_retention; `nodes` and `edges` count purged ones too); checkpoint, planner statistics. Bounded work in bounded transactions:
 * at most 100 000 rows are removed a call, the next goes on. MISUSE: inside a transaction.
 * It also works the library's own queues: "schema-migration" (graph_types.migrate with background) and "graph-maintenance": jobs {"operation": "graphs.purge" | "calls.project", "input": {its members}}
 * that anybody may enqueue. Each is called again and again with a bound of its own, at most 50 times a call of db.maintain, until its answer says that it is done; its progress is
 * {"steps", "answer"}. A failure of its own makes a job dead; what stops db.maintain leaves it to the next.
 */
BRANT_API brant_status brant_db_maintain(char **out_json, size_t *out_json_len, brant_db *db,
                                         const char *json, size_t json_len);

/*
 * db.metrics {} -> {"text"}
 * What there is and what happened, in Prometheus' text format 0.0.4 (served as text/plain; version=0.0.4): brant_info, brant_file_bytes, brant_wal_bytes, brant_graphs, brant_nodes, brant_edges,
 * brant_channel_notifications, brant_queue_state, brant_queue_jobs, brant_queue_oldest_ready_seconds, brant_queue_events_total, brant_queue_wait_seconds and brant_queue_run_seconds (histograms, since the
 * file began), brant_stream_events, brant_stream_last_offset, brant_consumer_offset, brant_consumer_lag, brant_group_pending, brant_locks_held, brant_schedule_fired_total, brant_schedule_paused,
 * brant_schedule_next_timestamp_seconds, brant_waiters. Of channels, queues, streams, consumers and schedules the first 1000 by name. It counts jobs, so it takes some
 * milliseconds where there are many.
 */
BRANT_API brant_status brant_db_metrics(char **out_json, size_t *out_json_len, brant_db *db,
                                        const char *json, size_t json_len);

/*
 * db.erase {"values": [text..] 1..100, "action"?: "delete" (default) | "redact", "dry_run"?: bool, "replacement"? ("[erased]")}
 *   -> {"nodes": [{graph, key, action}..], "edges": [{graph, key, action}..], "counts": {"nodes", "edges", "notifications", "graphs",
 *       "jobs", "events", "schedules", "rate_limits", "pending", "locks"}, "truncated": bool,
 *       "refused": [{graph, key|null, reason}..], "scrubbed": bool}
 * One person's data: every node and edge of every graph, archived and deleted ones too, whose key is one of the values or whose attributes or metadata hold one anywhere as a whole
 * text or as a member's name. "delete": they are deleted, nodes with all their edges. "redact": the text is replaced in place (a name that is taken then gets a number); what has the value as its key is
 * deleted all the same, and so is what would not satisfy its schema any more. Graphs are never deleted: an owner_id that is a value becomes the replacement, so that nobody has it and it opens to nobody, a project_id null, and their
 * metadata is redacted; a graph whose name is a value is among `refused`. Notifications whose channel or payload holds a value are removed; those of this operation hold no keys.
 * Jobs (payload, result, progress, errors, worker, key, unique key) and events of streams (payload, key; change logs of graphs among them), and schedules (payload, options): "delete": they go, a job also
 * while it runs (its worker is STALE then); "redact": the text is replaced, and they go only where a key is the value or bytes hold it. A rate limit whose name is a value goes. Who has events of a group pending (member) or holds a lock (owner) and whose name is a value gets the replacement's, whatever
 * the action: by their tokens they go on, and nobody else has what they hold before its lease ends, but by name they are known no more. An event that goes leaves a hole: a
 * change log that lacks one cannot be replayed across it any more.
 * Lists have the first 1000, in order of graph name and creation; `truncated`: there were more. Edges that go with a node are counted, and listed where they hold a value themselves.
 * One transaction. Then, outside a running transaction, the file is rewritten (as VACUUM does: it takes time and temporary disk space by the file's size, and tables of yours that have no
 * INTEGER PRIMARY KEY get new rowids) and its log emptied: `scrubbed` says that no byte of what was removed is left in them. A reader or writer that does not end within the busy timeout prevents it, as
 * does a full disk; inside a transaction it is false. Then call again with the same values. Backups and copies are yours to look after.
 * Envelopes (crypto.h) are not looked into and stay whole, since nothing in them can be read: delete the nodes of secrets that are about a person by their keys, or the key that they are sealed with.
 * The audit log (audit.h) is not looked into: personal data stands there hashed, and audit.erase_subject forgets whose.
 * Not looked at: what describes data (graph types with their metadata and retention rules, names of indexes, queues, streams, consumers, locks and schedules), paths of imported files, accounts with what belongs to them (identity.h: accounts.delete), and your own tables.
 * INVALID: a value among them is empty; the replacement holds a value.
 */
BRANT_API brant_status brant_db_erase(char **out_json, size_t *out_json_len, brant_db *db,
                                      const char *json, size_t json_len);

#ifdef __cplusplus
}
#endif
#endif
