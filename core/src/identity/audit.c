/*
 * identity/audit.c: the chain: rows, hashes, anchors, and adding a row.
 *
 * A row is added behind what the head anchor says, never behind what is found in the table: so rows that somebody cut off stay a gap for ever. The head is proven before it is built on.
 */
#include "identity/audit.h"

#include "event/stream.h"

#define STREAM     "audit-events"
#define ROW_LABEL  "brant audit 1"
#define HEAD_LABEL "brant audit anchor 1"

enum { HEAD, ANCHOR, ANCHOR_PUT, INSERT, FIND, SCAN };
static const char *const sql[] = {
    [HEAD] = "SELECT (SELECT max(seq) FROM brant_audit_logs), "
             "(SELECT seq FROM brant_audit_anchors WHERE name = 'base')",
    [ANCHOR] = "SELECT seq, hash, key_version, mac, updated_at FROM brant_audit_anchors "
               "WHERE name = :name",
    [ANCHOR_PUT] =
        "INSERT INTO brant_audit_anchors (name, seq, hash, key_version, mac, updated_at) "
        "VALUES (:name, :seq, :hash, :version, :mac, :now) ON CONFLICT (name) DO UPDATE SET "
        "seq = excluded.seq, hash = excluded.hash, key_version = excluded.key_version, "
        "mac = excluded.mac, updated_at = excluded.updated_at",
    [INSERT] = "INSERT INTO brant_audit_logs (seq, id, org_id, actor_type, actor_id, action, "
               "resource, detail, metadata, created_at, key_version, hash) VALUES (:seq, :id, "
               ":org, :type, :actor, :action, :resource, :detail, :metadata, :now, :version, "
               ":hash)",
    [FIND] = "SELECT " BRANT__AUDIT_ROW " FROM brant_audit_logs WHERE seq = :seq",
    [SCAN] = "SELECT " BRANT__AUDIT_ROW " FROM brant_audit_logs WHERE seq >= :from ORDER BY seq",
};
static const brant__statements statements = {BRANT__TABLE_AUDIT, BRANT__COUNT(sql), sql};

/* ---- what is hashed ------------------------------------------------------------------------------- */

brant__text brant__audit_number_of(brant__audit_number *out, int64_t value) {
    for (size_t i = 0; i < sizeof out->bytes; i++)
        out->bytes[i] = (char)((uint64_t)value >> (8 * i));
    return brant__text_of(out->bytes, sizeof out->bytes);
}

static brant__text hash_text(const uint8_t hash[BRANT__HASH_SIZE]) {
    return brant__text_of((const char *)hash, BRANT__HASH_SIZE);
}

brant_status brant__audit_hash(uint8_t out[BRANT__HASH_SIZE], brant_db *db, brant__audit_row *row,
                               const uint8_t previous[BRANT__HASH_SIZE]) {
    brant__audit_number seq, time, version;
    brant__text file;
    brant_status status = brant__file_id(&file, db);
    if (status == BRANT_OK && row->key_version == 0)
        status = brant__key_active(&row->key_version, db, BRANT__PURPOSE_AUDIT);
    if (status != BRANT_OK) return status;
    const brant__text parts[] = {
        BRANT__TEXT(ROW_LABEL),
        file,
        hash_text(previous),
        brant__audit_number_of(&seq, row->seq),
        row->id,
        row->org_id,
        row->actor_type,
        row->actor_id,
        row->action,
        row->resource,
        row->detail,
        row->metadata,
        brant__audit_number_of(&time, row->created_at),
        brant__audit_number_of(&version, row->key_version),
    };
    return brant__keyed_hash(out, db, BRANT__PURPOSE_AUDIT, &row->key_version, parts,
                             BRANT__COUNT(parts));
}

brant_status brant__audit_mac(uint8_t out[BRANT__HASH_SIZE], int64_t *version, brant_db *db,
                              const char *name, int64_t seq, const uint8_t hash[BRANT__HASH_SIZE],
                              int64_t time) {
    brant__audit_number number, at;
    brant__text file;
    const brant_status status = brant__file_id(&file, db);
    if (status != BRANT_OK) return status;
    const brant__text parts[] = {
        BRANT__TEXT(HEAD_LABEL),  file,
        brant__text_string(name), brant__audit_number_of(&number, seq),
        hash_text(hash),          brant__audit_number_of(&at, time),
    };
    return brant__keyed_hash(out, db, BRANT__PURPOSE_AUDIT, version, parts, BRANT__COUNT(parts));
}

/* ---- rows ----------------------------------------------------------------------------------------- */

/* A text that is there and that there is no memory for must not pass for none. */
static brant__text column_text(bool *failed, brant__statement *statement, int column) {
    const brant__text text = brant__column_text(statement, column);
    if (!text.data && !brant__column_null(statement, column)) *failed = true;
    return text;
}

brant_status brant__audit_read_row(brant__audit_row *out, brant__statement *statement) {
    bool bytes, failed = false;
    *out = (brant__audit_row){
        .seq = brant__column_integer(statement, 0),
        .id = column_text(&failed, statement, 1),
        .org_id = column_text(&failed, statement, 2),
        .actor_type = column_text(&failed, statement, 3),
        .actor_id = column_text(&failed, statement, 4),
        .action = column_text(&failed, statement, 5),
        .resource = column_text(&failed, statement, 6),
        .detail = column_text(&failed, statement, 7),
        .metadata = column_text(&failed, statement, 8),
        .created_at = brant__column_integer(statement, 9),
        .key_version = brant__column_integer(statement, 10),
        .hash = brant__column_payload(&bytes, statement, 11),
        .sound = brant__column_integer(statement, 12) != 0,
    };
    return failed ? brant__fail_memory() : BRANT_OK;
}

brant_status brant__audit_find(bool *out_found, brant__audit_row *out, brant__statement **out_row,
                               brant_db *db, int64_t seq) {
    *out_found = false;
    brant_status status = brant__statement_get(out_row, db, &statements, FIND);
    if (status != BRANT_OK) return status;
    brant__bind_integer(*out_row, 1, seq);
    status = brant__step(out_found, db, *out_row);
    return status == BRANT_OK && *out_found ? brant__audit_read_row(out, *out_row) : status;
}

brant_status brant__audit_scan(brant__statement **out, brant_db *db, int64_t from) {
    const brant_status status = brant__statement_get(out, db, &statements, SCAN);
    if (status == BRANT_OK) brant__bind_integer(*out, 1, from);
    return status;
}

static bool is_text(brant__text text) {
    return brant__utf8_check(text.data, text.length) == SIZE_MAX;
}

static brant_status check_object(brant__json *json, brant__text text) {
    const brant_status status = brant__json_parse(json, text.data, text.length, 0);
    if (status == BRANT_NO_MEMORY) return status;
    if (status == BRANT_OK && yyjson_is_obj(json->root)) return BRANT_OK;
    (void)brant__error_code();
    return BRANT_CORRUPT;
}

/* Whoever changed the file may have left anything there, which would spoil the answer. */
static brant_status check_texts(const brant__audit_row *row) {
    brant__json json = {0};
    brant_status status = BRANT_CORRUPT;
    if (row->sound && is_text(row->id) && is_text(row->org_id) && is_text(row->actor_type) &&
        is_text(row->actor_id) && is_text(row->action) && is_text(row->resource)) {
        status = check_object(&json, row->detail);
        if (status == BRANT_OK) status = check_object(&json, row->metadata);
        brant__json_free(&json);
    }
    return status == BRANT_CORRUPT
               ? brant__fail(BRANT_CORRUPT, "row %lld of the audit log is damaged",
                             (long long)row->seq)
               : status;
}

brant_status brant__audit_write_row(brant__call *call, const brant__audit_row *row) {
    brant__writer *out = call->out;
    const brant_status status = check_texts(row);
    if (status != BRANT_OK) return status;
    const struct {
        const char *name;
        brant__text value;
    } texts[] = {
        {"id", row->id},
        {"org_id", row->org_id},
        {"actor_type", row->actor_type},
        {"actor_id", row->actor_id},
        {"action", row->action},
        {"resource", row->resource},
    };
    brant__write_object(out);
    brant__write_integer_member(out, "seq", row->seq);
    for (size_t i = 0; i < BRANT__COUNT(texts); i++) {
        brant__write_name(out, texts[i].name);
        brant__write_text_or_null(out, texts[i].value);
    }
    brant__write_name(out, "detail");
    brant__write_raw(out, row->detail);
    brant__write_name(out, "metadata");
    brant__write_raw(out, row->metadata);
    brant__write_integer_member(out, "created_at", row->created_at);
    brant__write_integer_member(out, "key_version", row->key_version);
    brant__audit_write_hash(out, "hash", (const uint8_t *)row->hash.data);
    brant__write_end(out);
    return BRANT_OK;
}

void brant__audit_write_hash(brant__writer *out, const char *name,
                             const uint8_t hash[BRANT__HASH_SIZE]) {
    brant__write_name(out, name);
    brant__write_raw(out, BRANT__TEXT("\""));
    brant__base64url_encode(&out->buffer, hash, BRANT__HASH_SIZE);
    brant__buffer_append_byte(&out->buffer, '"');
}

bool brant__audit_read_hash(uint8_t out[BRANT__HASH_SIZE], yyjson_val *object, const char *name) {
    return brant__base64url_read(out, BRANT__HASH_SIZE, brant__json_get_text(object, name));
}

/* ---- anchors -------------------------------------------------------------------------------------- */

brant_status brant__audit_anchor_read(brant__audit_anchor *out, brant_db *db, const char *name) {
    brant__statement *statement = NULL;
    uint8_t mac[BRANT__HASH_SIZE], stored[BRANT__HASH_SIZE];
    bool bytes, sound;
    brant_status status;
    *out = (brant__audit_anchor){.authentic = true};
    BRANT__TRY(brant__statement_get(&statement, db, &statements, ANCHOR));
    brant__bind_text(statement, 1, brant__text_string(name));
    BRANT__TRY(brant__step(&out->found, db, statement));
    if (!out->found) goto cleanup;
    out->seq = brant__column_integer(statement, 0);
    out->key_version = brant__column_integer(statement, 2);
    out->updated_at = brant__column_integer(statement, 4);
    const brant__text hash = brant__column_payload(&bytes, statement, 1);
    sound = bytes && hash.length == sizeof out->hash;
    if (sound) memcpy(out->hash, hash.data, hash.length);
    const brant__text sealed = brant__column_payload(&bytes, statement, 3);
    sound =
        sound && bytes && sealed.length == sizeof stored && out->key_version > 0 && out->seq > 0;
    if (sound) memcpy(stored, sealed.data, sealed.length);
    brant__reset(statement);
    statement = NULL;
    out->authentic = false;
    if (!sound) goto cleanup;
    BRANT__TRY(
        brant__audit_mac(mac, &out->key_version, db, name, out->seq, out->hash, out->updated_at));
    out->authentic = brant__bytes_equal(mac, stored, sizeof mac);
cleanup:
    brant__reset(statement);
    return status;
}

brant_status brant__audit_anchor_write(brant_db *db, const char *name, int64_t seq,
                                       const uint8_t hash[BRANT__HASH_SIZE]) {
    brant__statement *statement = NULL;
    uint8_t mac[BRANT__HASH_SIZE];
    int64_t version = 0;
    const int64_t now = brant__db_now(db);
    brant_status status;
    BRANT__TRY(brant__audit_mac(mac, &version, db, name, seq, hash, now));
    BRANT__TRY(brant__statement_get(&statement, db, &statements, ANCHOR_PUT));
    brant__bind_text(statement, 1, brant__text_string(name));
    brant__bind_integer(statement, 2, seq);
    brant__bind_blob(statement, 3, hash, BRANT__HASH_SIZE);
    brant__bind_integer(statement, 4, version);
    brant__bind_blob(statement, 5, mac, sizeof mac);
    brant__bind_integer(statement, 6, now);
    status = brant__run(db, statement);
cleanup:
    brant__reset(statement);
    return status;
}

static brant_status fail_spoilt(void) {
    return brant__fail(BRANT_CORRUPT,
                       "the audit log was changed by other means: audit.verify says where");
}

brant_status brant__audit_head(brant__audit_anchor *out, brant_db *db) {
    brant__statement *statement = NULL;
    bool row = false;
    brant_status status = brant__audit_anchor_read(out, db, "head");
    if (status != BRANT_OK) return status;
    if (!out->authentic)
        return brant__fail(BRANT_CONFLICT,
                           "the head of the audit log is not authentic: version %lld of the keys "
                           "for audit is another key, or the file was changed by other means",
                           (long long)out->key_version);
    BRANT__TRY(brant__statement_get(&statement, db, &statements, HEAD));
    BRANT__TRY(brant__step(&row, db, statement));
    const int64_t last = brant__column_integer(statement, 0),
                  base = brant__column_integer(statement, 1);
    if (last > out->seq || base > out->seq) status = fail_spoilt();
cleanup:
    brant__reset(statement);
    return status;
}

/* ---- adding a row ----------------------------------------------------------------------------------- */

/* The detail with the actor's reason. */
static brant_status write_detail(brant__text *out, brant__call *call, brant__text detail,
                                 brant__text reason) {
    brant__buffer text = {0};
    brant_status status = BRANT_OK;
    *out = detail.data ? detail : BRANT__TEXT("{}");
    if (reason.data) {
        brant__buffer_append(&text, out->data, out->length - 1);
        if (out->length > 2) brant__buffer_append_byte(&text, ',');
        brant__buffer_append(&text, "\"reason\":", 9);
        brant__json_append_text(&text, reason);
        brant__buffer_append_byte(&text, '}');
        status = text.failed
                     ? brant__fail_memory()
                     : brant__arena_text(out, call->arena, brant__text_of(text.data, text.length));
    }
    if (status == BRANT_OK && out->length > BRANT__AUDIT_DETAIL)
        status =
            brant__fail(BRANT_LIMIT, "the detail of an audit row has %zu bytes, the limit is %zu",
                        out->length, BRANT__AUDIT_DETAIL);
    brant__buffer_free(&text);
    return status;
}

/* Without detail: whoever reads a stream need not be one who may read the log. */
static brant_status tell(brant_db *db, const brant__audit_row *row) {
    brant__writer writer = {0};
    brant__write_object(&writer);
    brant__write_integer_member(&writer, "seq", row->seq);
    brant__write_text_member(&writer, "action", row->action);
    brant__write_text_member(&writer, "actor_type", row->actor_type);
    brant__write_name(&writer, "actor_id");
    brant__write_text_or_null(&writer, row->actor_id);
    brant__write_name(&writer, "org_id");
    brant__write_text_or_null(&writer, row->org_id);
    brant__write_name(&writer, "resource");
    brant__write_text_or_null(&writer, row->resource);
    brant__write_integer_member(&writer, "created_at", row->created_at);
    brant__write_end(&writer);
    const brant_status status =
        writer.buffer.failed
            ? brant__fail_memory()
            : brant__stream_publish(NULL, db, BRANT__TEXT(STREAM), (brant__text){NULL, 0},
                                    brant__text_of(writer.buffer.data, writer.buffer.length));
    brant__buffer_free(&writer.buffer);
    return status;
}

static brant_status insert(brant_db *db, const brant__audit_row *row) {
    brant__statement *statement = NULL;
    brant_status status = brant__statement_get(&statement, db, &statements, INSERT);
    if (status != BRANT_OK) return status;
    brant__bind_integer(statement, 1, row->seq);
    brant__bind_text(statement, 2, row->id);
    brant__bind_text(statement, 3, row->org_id);
    brant__bind_text(statement, 4, row->actor_type);
    brant__bind_text(statement, 5, row->actor_id);
    brant__bind_text(statement, 6, row->action);
    brant__bind_text(statement, 7, row->resource);
    brant__bind_text(statement, 8, row->detail);
    brant__bind_text(statement, 9, row->metadata);
    brant__bind_integer(statement, 10, row->created_at);
    brant__bind_integer(statement, 11, row->key_version);
    brant__bind_blob(statement, 12, row->hash.data, row->hash.length);
    return brant__run(db, statement);
}

brant_status brant__audit_add(int64_t *out_seq, uint8_t out_hash[BRANT__HASH_SIZE],
                              brant__call *call, const brant__actor *actor, brant__text action,
                              brant__text org_id, brant__text resource, brant__text detail) {
    brant_db *db = call->db;
    brant__audit_anchor head;
    char id[37];
    brant__audit_row row = {.org_id = org_id,
                            .actor_type = actor->type,
                            .actor_id = actor->id,
                            .action = action,
                            .resource = resource,
                            .metadata = BRANT__TEXT("{}"),
                            .created_at = brant__db_now(db),
                            .hash = hash_text(out_hash)};
    brant_status status;
    *out_seq = 0;
    BRANT__TRY(brant__audit_head(&head, db));
    row.seq = head.seq + 1;
    BRANT__TRY(write_detail(&row.detail, call, detail, actor->reason));
    BRANT__TRY(brant__db_uuid(db, id));
    row.id = brant__text_string(id);
    BRANT__TRY(brant__audit_hash(out_hash, db, &row, head.hash));
    BRANT__TRY(insert(db, &row));
    BRANT__TRY(brant__audit_anchor_write(db, "head", row.seq, out_hash));
    if (brant__db_role(db) != BRANT__ROLE_TENANT) BRANT__TRY(tell(db, &row));
    *out_seq = row.seq;
cleanup:
    return status;
}

brant_status brant__audit_append(brant__call *call, const brant__actor *actor, const char *action,
                                 brant__text org_id, brant__text resource, brant__text detail) {
    uint8_t hash[BRANT__HASH_SIZE];
    int64_t seq;
    return brant__audit_add(&seq, hash, call, actor, brant__text_string(action), org_id, resource,
                            detail);
}

/* ---- sessions ----------------------------------------------------------------------------------------- */

bool brant__audit_shown(const brant_db *db, const brant__audit_row *row) {
    const brant__text bound = brant__actor_bound(db);
    return !bound.data || brant__text_equal(row->org_id, bound);
}

brant_status brant__audit_whole(const brant_db *db) {
    return brant__actor_bound(db).data
               ? brant__fail(BRANT_DENIED, "the session is of one organization, and the audit log "
                                           "of the whole file")
               : BRANT_OK;
}
