/*
 * identity/audit_verify.c: audit.verify: is the log what was written?
 *
 * Rows are read in order of seq. Each must follow the one before without a gap, and have the hash that its columns, this file and the hash before it give under the ring's key. After a
 * row that fails, the next is judged by the hash that stands there, so that a problem is told where it is. The base anchor says where the log begins, the head anchor where it
 * ends; a checkpoint that was kept elsewhere says what neither can: that the whole file is an older one.
 */
#include <stdio.h>

#include "identity/audit.h"

#define PROBLEMS 100 /* that one call tells */

enum { FIRST };
static const char *const sql[] = {[FIRST] = "SELECT min(seq) FROM brant_audit_logs"};
static const brant__statements statements = {BRANT__TABLE_AUDIT_VERIFY, BRANT__COUNT(sql), sql};

typedef struct verification {
    brant__call *call;
    brant__audit_anchor base, head;
    int64_t from, limit;
    int64_t rows, first, last; /* that were read; 0: none */
    int64_t expected;          /* the next seq */
    int64_t next;              /* 0: the log ends here */
    bool chained;              /* `previous` is the hash before `expected` */
    uint8_t previous[BRANT__HASH_SIZE];
    size_t problems, unknown; /* rows under keys that the ring has not are among the problems */
} verification;

/* ---- problems --------------------------------------------------------------------------------------- */

static void BRANT__PRINTF(3, 4) tell(verification *self, int64_t seq, const char *format, ...) {
    brant__writer *out = self->call->out;
    char text[256];
    va_list arguments;
    if (++self->problems > PROBLEMS) return;
    va_start(arguments, format);
    vsnprintf(text, sizeof text, format, arguments);
    va_end(arguments);
    brant__write_object(out);
    brant__write_integer_member(out, "seq", seq);
    brant__write_text_member(out, "problem", brant__text_string(text));
    brant__write_end(out);
}

const char *brant__audit_judge(bool *out_unknown, brant_db *db, brant__audit_row *row,
                               const uint8_t previous[BRANT__HASH_SIZE]) {
    uint8_t hash[BRANT__HASH_SIZE];
    *out_unknown = false;
    if (!row->sound || row->key_version < 1) return "a column holds what no row has there";
    const brant_status status = brant__audit_hash(hash, db, row, previous);
    *out_unknown = status != BRANT_OK;
    if (status != BRANT_OK) return "the key ring has not the key that it was written with";
    return brant__bytes_equal(hash, row->hash.data, sizeof hash)
               ? NULL
               : "the row, or what stands before it, is not what was written";
}

/* It may be text, too, where somebody changed the table. */
static bool is_hash(brant__text hash) {
    return hash.data && hash.length == BRANT__HASH_SIZE;
}

/* ---- rows ------------------------------------------------------------------------------------------- */

static void tell_gap(verification *self, int64_t seq) {
    if (seq == self->expected + 1)
        tell(self, self->expected, "the row is missing");
    else
        tell(self, self->expected, "the rows up to %lld are missing", (long long)(seq - 1));
    self->chained = false;
}

static brant_status read_row(verification *self, brant__audit_row *row) {
    const char *problem = NULL;
    bool unknown = false;
    if (row->seq != self->expected) tell_gap(self, row->seq);
    /* What stands behind a gap cannot be proven; the next row can. */
    if (self->chained || !row->sound || row->key_version < 1)
        problem = brant__audit_judge(&unknown, self->call->db, row, self->previous);
    if (unknown) {
        const brant_status status = brant__error_code();
        if (status != BRANT_NOT_FOUND) return brant__fail(status, "hashing a row of the audit log");
        self->unknown++;
    }
    if (problem) tell(self, row->seq, "%s", problem);
    self->chained = is_hash(row->hash);
    if (self->chained) memcpy(self->previous, row->hash.data, sizeof self->previous);
    if (self->rows++ == 0) self->first = row->seq;
    self->last = row->seq;
    self->expected = row->seq + 1;
    return BRANT_OK;
}

/* What the first row that is read goes on from. */
static brant_status find_start(verification *self) {
    brant__statement *statement = NULL;
    brant__audit_row row;
    bool found = false;
    brant_status status = BRANT_OK;
    self->expected = self->base.seq + 1;
    self->chained = true;
    memcpy(self->previous, self->base.hash, sizeof self->previous);
    if (self->from > self->head.seq && self->from > self->expected) self->from = self->head.seq + 1;
    if (self->from <= self->expected) return BRANT_OK;
    self->expected = self->from;
    BRANT__TRY(brant__audit_find(&found, &row, &statement, self->call->db, self->from - 1));
    self->chained = found && is_hash(row.hash);
    if (self->chained)
        memcpy(self->previous, row.hash.data, sizeof self->previous);
    else
        tell(self, self->from - 1, "the row is missing");
cleanup:
    brant__reset(statement);
    return status;
}

static brant_status look_before_base(verification *self) {
    brant__statement *statement = NULL;
    bool row = false;
    brant_status status;
    BRANT__TRY(brant__statement_get(&statement, self->call->db, &statements, FIRST));
    BRANT__TRY(brant__step(&row, self->call->db, statement));
    if (!brant__column_null(statement, 0) && brant__column_integer(statement, 0) <= self->base.seq)
        tell(self, brant__column_integer(statement, 0),
             "a row stands before the log's beginning, which is %lld",
             (long long)self->base.seq + 1);
cleanup:
    brant__reset(statement);
    return status;
}

static brant_status read_rows(verification *self) {
    brant__statement *statement = NULL;
    brant__audit_row row;
    bool more = false;
    brant_status status;
    BRANT__TRY(find_start(self));
    BRANT__TRY(brant__audit_scan(&statement, self->call->db, self->expected));
    for (;;) {
        BRANT__TRY(brant__step(&more, self->call->db, statement));
        if (!more) break;
        if (self->rows == self->limit) {
            self->next = self->expected;
            break;
        }
        BRANT__TRY(brant__audit_read_row(&row, statement));
        BRANT__TRY(read_row(self, &row));
        if (self->rows % 256 == 0) BRANT__TRY(brant__db_poll(self->call->db));
    }
cleanup:
    brant__reset(statement);
    return status;
}

/* ---- where it begins and ends ----------------------------------------------------------------------- */

static brant_status read_anchor(brant__audit_anchor *out, verification *self, const char *name) {
    const brant_status status = brant__audit_anchor_read(out, self->call->db, name);
    if (status == BRANT_OK && !out->authentic)
        tell(self, out->seq, "the log's %s anchor is not authentic", name);
    return status;
}

static void judge_end(verification *self) {
    const int64_t last = self->expected - 1;
    if (!self->head.found) {
        if (last > 0) tell(self, last, "the log's head anchor is missing");
    } else if (last < self->head.seq) {
        if (last + 1 == self->head.seq)
            tell(self, last + 1, "the row is missing: the log was cut off");
        else
            tell(self, last + 1, "the rows up to %lld are missing: the log was cut off",
                 (long long)self->head.seq);
    } else if (last > self->head.seq) {
        tell(self, self->head.seq + 1, "a row stands behind the log's end");
    } else if (!self->chained ||
               !brant__bytes_equal(self->previous, self->head.hash, sizeof self->previous)) {
        tell(self, last, "the last row is not the one that the log's head anchor names");
    }
}

/* ---- checkpoints ------------------------------------------------------------------------------------ */

brant_status brant__checkpoint_read(brant__checkpoint *out, yyjson_val *object,
                                    const char *pointer) {
    yyjson_val *mac = brant__json_get(object, "mac");
    *out = (brant__checkpoint){
        .file = brant__json_get_text(object, "file"),
        .seq = brant__json_integer(brant__json_get(object, "seq"), 0),
        .created_at = brant__json_integer(brant__json_get(object, "created_at"), 0),
        .key_version = brant__json_integer(brant__json_get(object, "key_version"), 0),
    };
    if (!brant__audit_read_hash(out->hash, object, "hash"))
        return brant__fail(BRANT_INVALID, "%s/hash must be 32 bytes in base64url", pointer);
    if (mac && !brant__audit_read_hash(out->mac, object, "mac"))
        return brant__fail(BRANT_INVALID, "%s/mac must be 32 bytes in base64url", pointer);
    if (!mac != (out->key_version == 0))
        return brant__fail(BRANT_INVALID, "%s must have both \"mac\" and \"key_version\", or none",
                           pointer);
    return BRANT_OK;
}

static brant_status judge_mac(verification *self, const brant__checkpoint *checkpoint) {
    uint8_t mac[BRANT__HASH_SIZE];
    int64_t version = checkpoint->key_version;
    if (version == 0) return BRANT_OK;
    const brant_status status =
        brant__audit_mac(mac, &version, self->call->db, "checkpoint", checkpoint->seq,
                         checkpoint->hash, checkpoint->created_at);
    if (status == BRANT_OK && !brant__bytes_equal(mac, checkpoint->mac, sizeof mac))
        tell(self, checkpoint->seq, "the checkpoint is not authentic");
    return status;
}

/* The row of this seq is not there. */
static void judge_absent(verification *self, const brant__checkpoint *checkpoint) {
    static const uint8_t zeros[BRANT__HASH_SIZE];
    const brant__audit_anchor *base = &self->base;
    if (checkpoint->seq < base->seq) return; /* pruned since, with all that could say */
    if (checkpoint->seq == 0 || checkpoint->seq == base->seq) {
        if (!brant__bytes_equal(checkpoint->hash, base->seq ? base->hash : zeros,
                                sizeof base->hash))
            tell(self, checkpoint->seq, "the log does not begin with what the checkpoint says");
        return;
    }
    tell(self, checkpoint->seq,
         "the checkpoint's row is not there: the log was cut off, or is an older one");
}

static brant_status judge_checkpoint(verification *self, yyjson_val *object, const char *pointer) {
    brant__statement *statement = NULL;
    brant__checkpoint checkpoint;
    brant__audit_row row;
    brant__text file;
    bool found = false;
    brant_status status;
    BRANT__TRY(brant__checkpoint_read(&checkpoint, object, pointer));
    BRANT__TRY(brant__file_id(&file, self->call->db));
    if (checkpoint.file.data && !brant__text_equal(checkpoint.file, file)) {
        tell(self, checkpoint.seq, "the checkpoint is of another file: this one took its place");
        goto cleanup;
    }
    BRANT__TRY(judge_mac(self, &checkpoint));
    BRANT__TRY(brant__audit_find(&found, &row, &statement, self->call->db, checkpoint.seq));
    if (!found)
        judge_absent(self, &checkpoint);
    else if (!is_hash(row.hash) ||
             !brant__bytes_equal(row.hash.data, checkpoint.hash, sizeof checkpoint.hash))
        tell(self, checkpoint.seq, "the row is another than the checkpoint says");
cleanup:
    brant__reset(statement);
    return status;
}

static brant_status judge_checkpoints(verification *self) {
    yyjson_val *one = brant__json_get(self->call->input, "checkpoint"),
               *many = brant__json_get(self->call->input, "checkpoints"), *item;
    size_t i, count;
    brant_status status = BRANT_OK;
    if (one) BRANT__TRY(judge_checkpoint(self, one, "/checkpoint"));
    yyjson_arr_foreach(many, i, count, item) {
        char pointer[48];
        snprintf(pointer, sizeof pointer, "/checkpoints/%zu", i);
        BRANT__TRY(judge_checkpoint(self, item, pointer));
    }
cleanup:
    return status;
}

/* ---- audit.verify ----------------------------------------------------------------------------------- */

static void write_seq(brant__writer *out, const char *name, int64_t seq) {
    brant__write_name(out, name);
    if (seq)
        brant__write_integer(out, seq);
    else
        brant__write_null(out);
}

brant_status brant__audit_verify(brant__call *call) {
    brant__writer *out = call->out;
    verification self = {
        .call = call,
        .from = brant__json_integer(brant__json_get(call->input, "from"), 0),
        .limit = brant__json_integer(brant__json_get(call->input, "limit"), INT64_MAX),
    };
    brant_status status;
    brant__write_object(out);
    brant__write_name(out, "problems");
    brant__write_array(out);
    BRANT__TRY(read_anchor(&self.base, &self, "base"));
    BRANT__TRY(read_anchor(&self.head, &self, "head"));
    BRANT__TRY(look_before_base(&self));
    BRANT__TRY(read_rows(&self));
    if (!self.next) judge_end(&self);
    BRANT__TRY(judge_checkpoints(&self));
    if (self.unknown && self.unknown == self.problems) {
        status = brant__fail(BRANT_NOT_FOUND,
                             "the key ring has not all versions of the keys for audit that the log "
                             "was written with: %zu rows cannot be judged",
                             self.unknown);
        goto cleanup;
    }
    brant__write_end(out);
    brant__write_bool_member(out, "ok", self.problems == 0);
    brant__write_bool_member(out, "truncated", self.problems > PROBLEMS);
    brant__write_integer_member(out, "rows", self.rows);
    write_seq(out, "first", self.first);
    write_seq(out, "last", self.last);
    if (self.rows && self.chained) {
        brant__audit_write_hash(out, "hash", self.previous);
    } else {
        brant__write_name(out, "hash");
        brant__write_null(out);
    }
    if (self.next) brant__write_integer_member(out, "next", self.next);
    brant__write_end(out);
cleanup:
    return status;
}
