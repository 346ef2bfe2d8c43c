/*
 * identity/audit_checkpoint.c: audit.checkpoint, .keep, .checkpoints, .prune: what is remembered of a log beside the log.
 */
#include <stdio.h>

#include "identity/audit.h"

#define KEPT        16     /* checkpoints of a file: the newest covers all rows before it */
#define PRUNED_MOST 100000 /* rows in one call */

enum { KEPT_NEWEST, KEPT_ALL, KEEP, KEPT_PRUNE, KEPT_FORGET, PRUNE };
static const char *const sql[] = {
    [KEPT_NEWEST] = "SELECT seq, hash FROM brant_audit_checkpoints WHERE file = :file "
                    "ORDER BY seq DESC LIMIT 1",
    [KEPT_ALL] = "SELECT seq, hash, created_at FROM brant_audit_checkpoints WHERE file = :file "
                 "ORDER BY seq",
    [KEEP] = "INSERT INTO brant_audit_checkpoints (file, seq, hash, created_at) "
             "VALUES (:file, :seq, :hash, :created)",
    [KEPT_PRUNE] = "DELETE FROM brant_audit_checkpoints WHERE file = :file AND seq < (SELECT seq "
                   "FROM brant_audit_checkpoints WHERE file = :file ORDER BY seq DESC LIMIT 1 "
                   "OFFSET :kept)",
    [KEPT_FORGET] = "DELETE FROM brant_audit_checkpoints WHERE file = :file",
    [PRUNE] = "DELETE FROM brant_audit_logs WHERE seq <= :through",
};
static const brant__statements statements = {BRANT__TABLE_AUDIT_CHECKPOINT, BRANT__COUNT(sql), sql};

static brant_status fail_spoilt(void) {
    return brant__fail(BRANT_CORRUPT,
                       "the audit log was changed by other means: audit.verify says where");
}

/* ---- audit.checkpoint ------------------------------------------------------------------------------- */

/* The row of this seq has this hash. */
static brant_status has_row(bool *out_has, brant_db *db, int64_t seq,
                            const uint8_t hash[BRANT__HASH_SIZE]) {
    brant__statement *statement = NULL;
    brant__audit_row row;
    bool found = false;
    brant_status status = brant__audit_find(&found, &row, &statement, db, seq);
    *out_has = status == BRANT_OK && found && row.sound &&
               brant__bytes_equal(row.hash.data, hash, BRANT__HASH_SIZE);
    brant__reset(statement);
    return status;
}

/* What nobody has seen to be spoilt yet is not vouched for when it is. */
brant_status brant__audit_checkpoint(brant__call *call) {
    brant__audit_anchor head, base;
    uint8_t mac[BRANT__HASH_SIZE];
    int64_t version = 0;
    const int64_t now = brant__db_now(call->db);
    brant__text file;
    bool has = false;
    brant_status status;
    BRANT__TRY(brant__audit_head(&head, call->db));
    BRANT__TRY(brant__audit_anchor_read(&base, call->db, "base"));
    if (head.seq > base.seq) {
        BRANT__TRY(has_row(&has, call->db, head.seq, head.hash));
        if (!has) {
            status = fail_spoilt();
            goto cleanup;
        }
    }
    BRANT__TRY(brant__audit_mac(mac, &version, call->db, "checkpoint", head.seq, head.hash, now));
    BRANT__TRY(brant__file_id(&file, call->db));
    brant__write_object(call->out);
    brant__write_text_member(call->out, "file", file);
    brant__write_integer_member(call->out, "seq", head.seq);
    brant__audit_write_hash(call->out, "hash", head.hash);
    brant__write_integer_member(call->out, "created_at", now);
    brant__write_integer_member(call->out, "key_version", version);
    brant__audit_write_hash(call->out, "mac", mac);
    brant__write_end(call->out);
cleanup:
    return status;
}

/* ---- audit.keep, .checkpoints ----------------------------------------------------------------------- */

/* *out_newer: than all that are kept. CONFLICT: one that is kept says otherwise. */
static brant_status compare_kept(bool *out_newer, brant_db *db,
                                 const brant__checkpoint *checkpoint) {
    brant__statement *statement = NULL;
    bool found = false, bytes;
    brant_status status;
    *out_newer = true;
    BRANT__TRY(brant__statement_get(&statement, db, &statements, KEPT_NEWEST));
    brant__bind_text(statement, 1, checkpoint->file);
    BRANT__TRY(brant__step(&found, db, statement));
    if (!found) goto cleanup;
    const int64_t seq = brant__column_integer(statement, 0);
    const brant__text hash = brant__column_payload(&bytes, statement, 1);
    *out_newer = checkpoint->seq > seq;
    if (checkpoint->seq < seq)
        status = brant__fail(BRANT_CONFLICT,
                             "the log went back: row %lld was seen, and now it ends at %lld",
                             (long long)seq, (long long)checkpoint->seq);
    if (checkpoint->seq == seq && !(bytes && hash.length == sizeof checkpoint->hash &&
                                    brant__bytes_equal(hash.data, checkpoint->hash, hash.length)))
        status = brant__fail(BRANT_CONFLICT, "row %lld is another than the one that was seen",
                             (long long)seq);
cleanup:
    brant__reset(statement);
    return status;
}

static brant_status forget_kept(brant_db *db, brant__text file) {
    brant__statement *statement = NULL;
    const brant_status status = brant__statement_get(&statement, db, &statements, KEPT_FORGET);
    if (status != BRANT_OK) return status;
    brant__bind_text(statement, 1, file);
    return brant__run(db, statement);
}

static brant_status keep(brant_db *db, const brant__checkpoint *checkpoint) {
    brant__statement *statement = NULL;
    brant_status status = brant__statement_get(&statement, db, &statements, KEEP);
    if (status != BRANT_OK) return status;
    brant__bind_text(statement, 1, checkpoint->file);
    brant__bind_integer(statement, 2, checkpoint->seq);
    brant__bind_blob(statement, 3, checkpoint->hash, sizeof checkpoint->hash);
    brant__bind_integer(statement, 4, checkpoint->created_at);
    status = brant__run(db, statement);
    if (status == BRANT_OK) status = brant__statement_get(&statement, db, &statements, KEPT_PRUNE);
    if (status != BRANT_OK) return status;
    brant__bind_text(statement, 1, checkpoint->file);
    brant__bind_integer(statement, 2, KEPT - 1);
    return brant__run(db, statement);
}

/* In our own log too, so that whoever changes what is kept would have to change that as well. */
static brant_status record_kept(brant__call *call, const brant__checkpoint *checkpoint,
                                bool replaced) {
    const brant__text none = {NULL, 0};
    brant__writer detail = {0};
    brant__actor actor;
    brant_status status;
    BRANT__TRY(brant__actor_read(&actor, call));
    brant__write_object(&detail);
    brant__write_integer_member(&detail, "seq", checkpoint->seq);
    brant__audit_write_hash(&detail, "hash", checkpoint->hash);
    if (replaced) brant__write_bool_member(&detail, "replaced", true);
    brant__write_end(&detail);
    brant__buffer resource = {0};
    brant__buffer_append(&resource, "file:", 5);
    brant__buffer_append(&resource, checkpoint->file.data, checkpoint->file.length);
    if (detail.buffer.failed || resource.failed)
        status = brant__fail_memory();
    else
        status = brant__audit_append(call, &actor, "audit.keep", none,
                                     brant__text_of(resource.data, resource.length),
                                     brant__text_of(detail.buffer.data, detail.buffer.length));
    brant__buffer_free(&resource);
cleanup:
    brant__buffer_free(&detail.buffer);
    return status;
}

brant_status brant__audit_keep(brant__call *call) {
    const bool replace = brant__json_bool(brant__json_get(call->input, "replace"), false);
    brant__checkpoint checkpoint;
    bool newer = false;
    brant_status status;
    if (brant__db_role(call->db) == BRANT__ROLE_TENANT)
        return brant__fail(BRANT_MISUSE, "this file is a tenant's: checkpoints are kept in the "
                                         "hub's system.db");
    BRANT__TRY(brant__audit_whole(call->db));
    BRANT__TRY(brant__checkpoint_read(&checkpoint, call->input, ""));
    if (replace) BRANT__TRY(forget_kept(call->db, checkpoint.file));
    BRANT__TRY(compare_kept(&newer, call->db, &checkpoint));
    if (newer) {
        BRANT__TRY(keep(call->db, &checkpoint));
        BRANT__TRY(record_kept(call, &checkpoint, replace));
    }
    brant__write_object(call->out);
    brant__write_bool_member(call->out, "kept", newer);
    brant__write_end(call->out);
cleanup:
    return status;
}

brant_status brant__audit_checkpoints(brant__call *call) {
    const brant__text file = brant__json_get_text(call->input, "file");
    brant__statement *statement = NULL;
    bool more = false, bytes;
    brant_status status;
    BRANT__TRY(brant__statement_get(&statement, call->db, &statements, KEPT_ALL));
    brant__bind_text(statement, 1, file);
    brant__write_object(call->out);
    brant__write_name(call->out, "items");
    brant__write_array(call->out);
    for (;;) {
        BRANT__TRY(brant__step(&more, call->db, statement));
        if (!more) break;
        const brant__text hash = brant__column_payload(&bytes, statement, 1);
        if (!bytes || hash.length != BRANT__HASH_SIZE) {
            status = brant__fail(BRANT_CORRUPT, "a checkpoint that is kept is damaged");
            goto cleanup;
        }
        brant__write_object(call->out);
        brant__write_text_member(call->out, "file", file);
        brant__write_integer_member(call->out, "seq", brant__column_integer(statement, 0));
        brant__audit_write_hash(call->out, "hash", (const uint8_t *)hash.data);
        brant__write_integer_member(call->out, "created_at", brant__column_integer(statement, 2));
        brant__write_end(call->out);
    }
    brant__write_end(call->out);
    brant__write_end(call->out);
cleanup:
    brant__reset(statement);
    return status;
}

/* ---- audit.prune ------------------------------------------------------------------------------------ */

/* Nothing that somebody changed is thrown away: the rows that go are judged first. `hash` is that of the last. */
static brant_status judge_rows(uint8_t hash[BRANT__HASH_SIZE], brant_db *db,
                               const brant__audit_anchor *base, int64_t through) {
    brant__statement *statement = NULL;
    brant__audit_row row;
    int64_t seq = base->seq;
    bool more = false, unknown = false;
    brant_status status;
    memcpy(hash, base->hash, BRANT__HASH_SIZE);
    BRANT__TRY(brant__audit_scan(&statement, db, base->seq + 1));
    while (seq < through) {
        BRANT__TRY(brant__step(&more, db, statement));
        if (more) BRANT__TRY(brant__audit_read_row(&row, statement));
        const char *problem =
            !more || row.seq != seq + 1 ? "missing" : brant__audit_judge(&unknown, db, &row, hash);
        if (problem) {
            status = unknown ? brant__error_code() : BRANT_CORRUPT;
            status = unknown ? brant__fail(status, "row %lld of the audit log cannot be judged: %s",
                                           (long long)seq + 1, problem)
                             : fail_spoilt();
            goto cleanup;
        }
        memcpy(hash, row.hash.data, BRANT__HASH_SIZE);
        seq = row.seq;
        if (seq % 256 == 0) BRANT__TRY(brant__db_poll(db));
    }
cleanup:
    brant__reset(statement);
    return status;
}

static brant_status check_prune(brant__call *call, const brant__audit_anchor *base,
                                int64_t through) {
    brant__checkpoint checkpoint;
    brant__text file;
    bool has = false;
    brant_status status;
    BRANT__TRY(brant__checkpoint_read(&checkpoint, brant__json_get(call->input, "checkpoint"),
                                      "/checkpoint"));
    BRANT__TRY(brant__file_id(&file, call->db));
    if (through > checkpoint.seq) {
        status = brant__fail(BRANT_INVALID, "/through is behind the checkpoint, which is row %lld",
                             (long long)checkpoint.seq);
        goto cleanup;
    }
    if (!base->authentic) {
        status = fail_spoilt();
        goto cleanup;
    }
    if (through <= base->seq) goto cleanup;
    BRANT__TRY(has_row(&has, call->db, checkpoint.seq, checkpoint.hash));
    if (!has || (checkpoint.file.data && !brant__text_equal(checkpoint.file, file)))
        status = brant__fail(BRANT_CONFLICT, "the log is not the one of the checkpoint");
cleanup:
    return status;
}

static brant_status delete_rows(int64_t *out_pruned, brant_db *db, int64_t through) {
    brant__statement *statement = NULL;
    brant_status status = brant__statement_get(&statement, db, &statements, PRUNE);
    if (status != BRANT_OK) return status;
    brant__bind_integer(statement, 1, through);
    status = brant__run(db, statement);
    *out_pruned = brant__changes(db);
    return status;
}

brant_status brant__audit_prune(brant__call *call) {
    const brant__text none = {NULL, 0};
    const int64_t wanted = brant__json_integer(brant__json_get(call->input, "through"), 0);
    int64_t through = wanted, pruned = 0;
    uint8_t hash[BRANT__HASH_SIZE];
    char detail[96];
    brant__audit_anchor head, base;
    brant__actor actor;
    brant_status status;
    BRANT__TRY(brant__audit_whole(call->db));
    BRANT__TRY(brant__actor_read(&actor, call));
    BRANT__TRY(brant__audit_head(&head, call->db));
    BRANT__TRY(brant__audit_anchor_read(&base, call->db, "base"));
    BRANT__TRY(check_prune(call, &base, wanted));
    if (through > base.seq + PRUNED_MOST) through = base.seq + PRUNED_MOST;
    if (through > base.seq) {
        BRANT__TRY(judge_rows(hash, call->db, &base, through));
        BRANT__TRY(brant__audit_anchor_write(call->db, "base", through, hash));
        BRANT__TRY(delete_rows(&pruned, call->db, through));
        snprintf(detail, sizeof detail, "{\"through\":%lld,\"pruned\":%lld}", (long long)through,
                 (long long)pruned);
        BRANT__TRY(brant__audit_append(call, &actor, "audit.prune", none, none,
                                       brant__text_string(detail)));
    } else {
        through = base.seq;
    }
    brant__write_object(call->out);
    brant__write_integer_member(call->out, "pruned", pruned);
    brant__write_integer_member(call->out, "through", through);
    brant__write_bool_member(call->out, "done", through >= wanted);
    brant__write_end(call->out);
cleanup:
    return status;
}
