/*
 * event/notify.c: writing notifications, and how long they are kept.
 *
 * Retention is per channel, so that a busy channel never evicts a quiet one: the newest 10 000, for a day, or what
 * events.set_retention says. Each channel's row counts its
 * notifications and remembers through which id they were removed; a listener that stands before that id is told of a gap. The oldest are
 * removed in the writer's own transaction, SLACK at a time, and by age in db.maintain.
 */
#include "event/event.h"
#include "event/input.h"
#include "event/listing.h"
#include "event/statements.h"
#include "event/wake.h"

#define CHANNEL_SIZE 255
/* More than are kept there may be: each removal takes as many, about a millisecond's work. */
#define SLACK      500
#define SLACK_PART 20
#define CHUNK      1000  /* rows looked at in one transaction of maintenance */
#define CHUNKS     50    /* transactions in one call of it */
#define EMPTY_KEPT 10000 /* rows of channels without notifications */

/* Channels of which nothing is left, and of which nothing was said. */
#define EMPTY                                                                                      \
    "pruned_through > 0 AND count = 0 AND channel <> '' AND kept_count IS NULL AND kept_age IS "   \
    "NULL"

static const char *const sql[] = {
    [BRANT__EVENT_INSERT] = "INSERT INTO notifications (channel, payload, created_at, bytes) "
                            "VALUES (:channel, :payload, :now, :bytes)",
    [BRANT__EVENT_COUNT_UP] =
        "INSERT INTO notification_channels (channel, count) VALUES (:channel, 1) "
        "ON CONFLICT (channel) DO UPDATE SET count = count + 1 RETURNING count, kept_count",
    [BRANT__EVENT_CUT] =
        "SELECT id FROM notifications WHERE channel = :channel ORDER BY id LIMIT 1 OFFSET :excess",
    [BRANT__EVENT_PRUNE] = "DELETE FROM notifications WHERE channel = :channel AND id <= :cut",
    [BRANT__EVENT_COUNT_DOWN] =
        "UPDATE notification_channels SET count = max(count - :count, 0), "
        "pruned_through = max(pruned_through, :cut) WHERE channel = :channel",
    [BRANT__EVENT_RECOUNT] =
        "UPDATE notification_channels SET count = (SELECT count(*) FROM notifications AS n "
        "WHERE n.channel = notification_channels.channel) WHERE channel = :channel",
    [BRANT__EVENT_OLDEST] = "SELECT id, channel, created_at FROM notifications WHERE id > :after "
                            "AND channel NOT IN (SELECT channel FROM notification_channels WHERE "
                            "kept_age IS NOT NULL) ORDER BY id LIMIT :limit",
    /* The next channel with an age of its own, and its rows. */
    [BRANT__EVENT_AGED] = "SELECT channel, kept_age FROM notification_channels WHERE kept_age IS "
                          "NOT NULL AND channel > :after ORDER BY channel LIMIT 1",
    [BRANT__EVENT_AGED_ROWS] = "SELECT id, created_at FROM notifications WHERE channel = :channel "
                               "ORDER BY id LIMIT :limit",
    [BRANT__EVENT_KEEP] =
        "INSERT INTO notification_channels (channel, count, kept_count, kept_age) VALUES "
        "(:channel, 0, :count, :age) ON CONFLICT (channel) DO UPDATE SET "
        "kept_count = CASE WHEN :count_given THEN :count ELSE kept_count END, "
        "kept_age = CASE WHEN :age_given THEN :age ELSE kept_age END RETURNING count, kept_count",
    [BRANT__EVENT_LIST] =
        "SELECT channel, count, kept_count, kept_age, (SELECT created_at FROM notifications AS n "
        "WHERE n.channel = c.channel ORDER BY id DESC LIMIT 1) FROM notification_channels AS c "
        "WHERE " BRANT__LISTING_FROM("channel") " ORDER BY channel",
    [BRANT__EVENT_ALL] = "SELECT id, channel, payload, bytes FROM notifications ORDER BY id",
    [BRANT__EVENT_DELETE] = "DELETE FROM notifications WHERE id = :id",
    [BRANT__EVENT_EMPTY_COUNT] = "SELECT count(*) FROM notification_channels WHERE " EMPTY,
    [BRANT__EVENT_EMPTY_CUT] = "SELECT pruned_through FROM notification_channels WHERE " EMPTY
                               " ORDER BY pruned_through LIMIT 1 OFFSET :excess",
    [BRANT__EVENT_EMPTY_DELETE] =
        "DELETE FROM notification_channels WHERE pruned_through <= :cut AND " EMPTY,
    [BRANT__EVENT_EMPTY_NOTE] =
        "INSERT INTO notification_channels (channel, count, pruned_through) VALUES ('', 0, :cut) "
        "ON CONFLICT (channel) DO UPDATE SET pruned_through = max(pruned_through, :cut)",
    [BRANT__EVENT_CHANNELS] =
        "SELECT channel, pruned_through FROM notification_channels WHERE channel <> ''",
    [BRANT__EVENT_CHANNEL_DELETE] = "DELETE FROM notification_channels WHERE channel = :channel",
    [BRANT__EVENT_HEAD] =
        "SELECT (SELECT seq FROM main.sqlite_sequence WHERE name = 'notifications'), "
        "(SELECT socket FROM brant_wake WHERE row_id = 0)",
    [BRANT__EVENT_GAPS] =
        "SELECT channel, pruned_through FROM notification_channels "
        "WHERE pruned_through > 0 AND pruned_through > :last ORDER BY pruned_through",
    [BRANT__EVENT_GAPS_CHANNEL] = "SELECT channel, pruned_through FROM notification_channels "
                                  "WHERE channel IN ('', :channel) AND pruned_through > :last",
    [BRANT__EVENT_SCAN] = "SELECT id, channel, payload, created_at, bytes FROM notifications "
                          "WHERE id > :last AND id <= :upper ORDER BY id LIMIT :limit",
    [BRANT__EVENT_SCAN_CHANNEL] =
        "SELECT id, channel, payload, created_at, bytes FROM notifications "
        "WHERE channel = :channel AND id > :last AND id <= :upper ORDER BY id LIMIT :limit",
};
const brant__statements brant__event_statements = {BRANT__TABLE_EVENT, BRANT__EVENT_STATEMENTS,
                                                   sql};

static brant_status get(brant__statement **out, brant_db *db, size_t index) {
    return brant__statement_get(out, db, &brant__event_statements, index);
}

/* ---- retention by count ------------------------------------------------------------------------------------------------------ */

static brant_status count_down(brant_db *db, brant__text channel, int64_t count, int64_t cut) {
    brant__statement *statement = NULL;
    const brant_status status = get(&statement, db, BRANT__EVENT_COUNT_DOWN);
    if (status != BRANT_OK) return status;
    brant__bind_integer(statement, 1, count);
    brant__bind_integer(statement, 2, cut);
    brant__bind_text(statement, 3, channel);
    return brant__run(db, statement);
}

brant_status brant__event_prune(brant_db *db, brant__text channel, int64_t excess) {
    brant_status status = BRANT_OK;
    brant__statement *statement = NULL;
    bool row = false;
    int64_t cut = 0;
    BRANT__TRY(get(&statement, db, BRANT__EVENT_CUT));
    brant__bind_text(statement, 1, channel);
    brant__bind_integer(statement, 2, excess - 1);
    BRANT__TRY(brant__step(&row, db, statement));
    if (row) cut = brant__column_integer(statement, 0);
    brant__reset(statement);
    if (!row) { /* the count was wrong */
        BRANT__TRY(get(&statement, db, BRANT__EVENT_RECOUNT));
        brant__bind_text(statement, 1, channel);
        return brant__run(db, statement);
    }
    BRANT__TRY(get(&statement, db, BRANT__EVENT_PRUNE));
    brant__bind_text(statement, 1, channel);
    brant__bind_integer(statement, 2, cut);
    BRANT__TRY(brant__run(db, statement));
    return count_down(db, channel, brant__changes(db), cut);
cleanup:
    brant__reset(statement);
    return status;
}

/* ---- notifying --------------------------------------------------------------------------------------------------------------- */

/* `payload` is compact JSON, or base64 of bytes. */
static brant_status notify(int64_t *out_id, brant_db *db, brant__text channel, brant__text payload,
                           bool bytes) {
    brant_status status = BRANT_OK;
    brant__statement *statement = NULL;
    bool row = false;
    int64_t id = 0, count = 0, kept = BRANT__EVENT_KEPT, slack = SLACK;
    if (out_id) *out_id = 0;
    if (channel.length == 0 || channel.length > CHANNEL_SIZE ||
        memchr(channel.data, 0, channel.length))
        return brant__fail(BRANT_INVALID, "a channel is a name of 1 to %d bytes without NUL",
                           CHANNEL_SIZE);
    BRANT__TRY(brant__wake_touch(db, channel));
    if (channel.data[0] == BRANT__TOPIC_MARK)
        brant__wake_touch_all(db); /* looks like a topic of ours, which no pattern would match */
    BRANT__TRY(get(&statement, db, BRANT__EVENT_INSERT));
    brant__bind_text(statement, 1, channel);
    brant__bind_text(statement, 2, payload);
    brant__bind_integer(statement, 3, brant__db_now(db));
    brant__bind_integer(statement, 4, bytes);
    BRANT__TRY(brant__run(db, statement));
    id = brant__last_row_id(db);
    brant__wake_uncommitted(db, id);
    BRANT__TRY(get(&statement, db, BRANT__EVENT_COUNT_UP));
    brant__bind_text(statement, 1, channel);
    BRANT__TRY(brant__step(&row, db, statement));
    if (row) {
        count = brant__column_integer(statement, 0);
        if (!brant__column_null(statement, 1)) kept = brant__column_integer(statement, 1);
    }
    brant__reset(statement);
    statement = NULL;
    if (kept / SLACK_PART < slack) slack = kept / SLACK_PART;
    if (count > kept + slack) BRANT__TRY(brant__event_prune(db, channel, count - kept));
    if (out_id) *out_id = id;
cleanup:
    brant__reset(statement);
    return status;
}

brant_status brant__notify(int64_t *out_id, brant_db *db, brant__text channel,
                           brant__text payload) {
    return notify(out_id, db, channel, payload, false);
}

brant_status brant__event_notify(brant__call *call) {
    brant_status status = BRANT_OK;
    brant__buffer buffer = {0}, base64 = {0};
    brant__payload payload;
    brant__text text;
    int64_t id = 0;
    const brant__session *session = brant__db_session(call->db);
    if (session)
        BRANT__TRY(session->rules->notify(session, brant__json_get_text(call->input, "channel")));
    BRANT__TRY(brant__payload_read(&payload, &buffer, call->db, call->input, ""));
    text = payload.data.data ? payload.data : BRANT__TEXT("null");
    if (payload.bytes) {
        brant__base64_encode(&base64, text.data, text.length);
        if (base64.failed) {
            status = brant__fail_memory();
            goto cleanup;
        }
        text = brant__text_of(base64.data ? base64.data : "", base64.length);
    }
    BRANT__TRY(
        notify(&id, call->db, brant__json_get_text(call->input, "channel"), text, payload.bytes));
    brant__write_integer_object(call->out, "id", id);
cleanup:
    brant__buffer_free(&base64);
    brant__buffer_free(&buffer);
    return status;
}

/* ---- removing ------------------------------------------------------------------------------------------------------------------ */

/* Channels whose name itself goes, and which are empty by now: what they had is told of as of those that were empty for long. */
static brant_status forget_channels(brant_db *db, brant__event_holds holds, void *context) {
    brant_status status = BRANT_OK;
    brant__statement *all = NULL, *statement = NULL;
    int64_t cut = 0;
    bool row = false, found = false;
    BRANT__TRY(get(&all, db, BRANT__EVENT_CHANNELS));
    for (;;) {
        BRANT__TRY(brant__step(&row, db, all));
        if (!row) break;
        const brant__text channel = brant__column_text(all, 0);
        BRANT__TRY(holds(&found, context, channel, (brant__payload){{NULL, 0}, false}));
        if (!found) continue;
        if (brant__column_integer(all, 1) > cut) cut = brant__column_integer(all, 1);
        BRANT__TRY(get(&statement, db, BRANT__EVENT_CHANNEL_DELETE));
        brant__bind_text(statement, 1, channel);
        BRANT__TRY(brant__run(db, statement));
    }
    if (cut == 0) goto cleanup;
    BRANT__TRY(get(&statement, db, BRANT__EVENT_EMPTY_NOTE));
    brant__bind_integer(statement, 1, cut);
    BRANT__TRY(brant__run(db, statement));
cleanup:
    brant__reset(all);
    return status;
}

brant_status brant__event_remove(int64_t *out_count, brant_db *db, brant__event_holds holds,
                                 void *context) {
    brant_status status = BRANT_OK;
    brant__statement *all = NULL, *statement = NULL;
    brant__buffer bytes = {0};
    size_t seen = 0;
    bool row = false, found = false;
    *out_count = 0;
    BRANT__TRY(get(&all, db, BRANT__EVENT_ALL));
    for (;;) {
        BRANT__TRY(brant__step(&row, db, all));
        if (!row) break;
        if ((++seen & 4095) == 0) BRANT__TRY(brant__db_poll(db));
        const int64_t id = brant__column_integer(all, 0);
        const brant__text channel = brant__column_text(all, 1);
        brant__payload payload = {brant__column_text(all, 2), brant__column_integer(all, 3) != 0};
        if (payload.bytes) {
            brant__buffer_reset(&bytes);
            if (!brant__base64_decode(&bytes, payload.data) && bytes.failed) {
                status = brant__fail_memory();
                goto cleanup;
            }
            payload.data = brant__text_of(bytes.data ? bytes.data : "", bytes.length);
        }
        BRANT__TRY(holds(&found, context, channel, payload));
        if (!found) continue;
        BRANT__TRY(count_down(db, channel, 1, id));
        /* SQLite allows deleting the row that a statement stands on, and goes on behind it. */
        BRANT__TRY(get(&statement, db, BRANT__EVENT_DELETE));
        brant__bind_integer(statement, 1, id);
        BRANT__TRY(brant__run(db, statement));
        ++*out_count;
    }
    BRANT__TRY(forget_channels(db, holds, context));
cleanup:
    brant__buffer_free(&bytes);
    brant__reset(all);
    return status;
}

/* ---- maintenance --------------------------------------------------------------------------------------------------------------- */

typedef struct old_row {
    int64_t id;
    brant__text channel;
} old_row;

/* In a write transaction: look at the next CHUNK rows after *after, remove those of them that are too old. */
static brant_status remove_old(int64_t *out_seen, int64_t *out_removed, int64_t *after,
                               brant_db *db, old_row *rows) {
    brant_status status = BRANT_OK;
    brant__statement *statement = NULL;
    brant__arena arena = {0};
    size_t count = 0;
    bool row = false;
    const int64_t oldest = brant__db_now(db) - BRANT__EVENT_AGE;
    *out_seen = *out_removed = 0;
    BRANT__TRY(get(&statement, db, BRANT__EVENT_OLDEST));
    brant__bind_integer(statement, 1, *after);
    brant__bind_integer(statement, 2, CHUNK);
    for (;;) {
        BRANT__TRY(brant__step(&row, db, statement));
        if (!row) break;
        ++*out_seen;
        *after = brant__column_integer(statement, 0);
        if (brant__column_integer(statement, 2) >= oldest) continue;
        const brant__text channel = brant__column_text(statement, 1);
        rows[count].id = *after;
        rows[count].channel =
            brant__text_of(brant__arena_copy(&arena, channel.data, channel.length), channel.length);
        if (!rows[count].channel.data) {
            status = brant__fail_memory();
            goto cleanup;
        }
        count++;
    }
    brant__reset(statement);
    for (size_t i = 0; i < count; i++) {
        BRANT__TRY(get(&statement, db, BRANT__EVENT_DELETE));
        brant__bind_integer(statement, 1, rows[i].id);
        BRANT__TRY(brant__run(db, statement));
    }
    /* One update for each run of the same channel. */
    for (size_t i = 0, run = 1; i < count; i += run) {
        for (run = 1; i + run < count && brant__text_equal(rows[i].channel, rows[i + run].channel);)
            run++;
        BRANT__TRY(count_down(db, rows[i].channel, (int64_t)run, rows[i + run - 1].id));
    }
    *out_removed = (int64_t)count;
cleanup:
    brant__reset(statement);
    brant__arena_free(&arena);
    return status;
}

/* In a write transaction: the rows of channels that have long been empty become one, so that channels may come and go for ever. */
static brant_status fold_empty(brant_db *db) {
    brant_status status = BRANT_OK;
    brant__statement *statement = NULL;
    bool row = false;
    int64_t count = 0, cut = 0;
    BRANT__TRY(get(&statement, db, BRANT__EVENT_EMPTY_COUNT));
    BRANT__TRY(brant__step(&row, db, statement));
    if (row) count = brant__column_integer(statement, 0);
    brant__reset(statement);
    if (count <= EMPTY_KEPT) return BRANT_OK;
    BRANT__TRY(get(&statement, db, BRANT__EVENT_EMPTY_CUT));
    brant__bind_integer(statement, 1, count - EMPTY_KEPT - 1);
    BRANT__TRY(brant__step(&row, db, statement));
    if (row) cut = brant__column_integer(statement, 0);
    brant__reset(statement);
    for (int step = 0; step < 2; step++) {
        BRANT__TRY(
            get(&statement, db, step == 0 ? BRANT__EVENT_EMPTY_DELETE : BRANT__EVENT_EMPTY_NOTE));
        brant__bind_integer(statement, 1, cut);
        BRANT__TRY(brant__run(db, statement));
    }
cleanup:
    brant__reset(statement);
    return status;
}

/* In a write transaction: of a channel with an age of its own, up to CHUNK that are too old. */
static brant_status remove_aged(int64_t *out_removed, brant_db *db, brant__text channel,
                                int64_t age) {
    brant_status status = BRANT_OK;
    brant__statement *statement = NULL;
    const int64_t oldest = brant__db_now(db) - age;
    int64_t count = 0;
    bool row = false;
    *out_removed = 0;
    BRANT__TRY(get(&statement, db, BRANT__EVENT_AGED_ROWS));
    brant__bind_text(statement, 1, channel);
    brant__bind_integer(statement, 2, CHUNK);
    for (;;) {
        BRANT__TRY(brant__step(&row, db, statement));
        if (!row || brant__column_integer(statement, 1) >= oldest) break;
        count++;
    }
    brant__reset(statement);
    statement = NULL;
    if (count > 0) BRANT__TRY(brant__event_prune(db, channel, count));
    *out_removed = count;
cleanup:
    brant__reset(statement);
    return status;
}

/* Channels with ages of their own, each in transactions of its own. */
static brant_status maintain_aged(int64_t *out_pruned, brant_db *db) {
    brant_status status = BRANT_OK;
    brant__statement *statement = NULL;
    brant__buffer name = {0};
    bool row = false, begun = false;
    for (int chunk = 0; chunk < CHUNKS;) {
        brant__text channel;
        int64_t age = 0, removed = 0;
        BRANT__TRY(brant__begin(db, BRANT__WRITE));
        begun = true;
        BRANT__TRY(get(&statement, db, BRANT__EVENT_AGED));
        brant__bind_text(statement, 1, brant__text_of(name.data ? name.data : "", name.length));
        BRANT__TRY(brant__step(&row, db, statement));
        if (row) {
            channel = brant__column_text(statement, 0);
            age = brant__column_integer(statement, 1);
            brant__buffer_reset(&name);
            brant__buffer_append(&name, channel.data, channel.length);
            if (name.failed) {
                status = brant__fail_memory();
                goto cleanup;
            }
        }
        brant__reset(statement);
        statement = NULL;
        do {
            if (!row) break;
            BRANT__TRY(brant__db_poll(db));
            BRANT__TRY(remove_aged(&removed, db, brant__text_of(name.data, name.length), age));
            *out_pruned += removed;
            chunk++;
        } while (removed == CHUNK && chunk < CHUNKS);
        BRANT__TRY(brant__commit(db));
        begun = false;
        if (!row) break;
    }
cleanup:
    brant__reset(statement);
    if (begun) brant__rollback(db);
    brant__buffer_free(&name);
    return status;
}

brant_status brant__event_maintain(int64_t *out_pruned, brant_db *db) {
    brant_status status = BRANT_OK;
    old_row *rows = NULL;
    bool begun = false;
    int64_t after = 0;
    *out_pruned = 0;
    rows = brant__alloc(CHUNK * sizeof *rows);
    if (!rows) return brant__fail_memory();
    for (int chunk = 0; chunk < CHUNKS; chunk++) {
        int64_t seen = 0, removed = 0;
        BRANT__TRY(brant__db_poll(db));
        BRANT__TRY(brant__begin(db, BRANT__WRITE));
        begun = true;
        BRANT__TRY(remove_old(&seen, &removed, &after, db, rows));
        if (removed > 0) BRANT__TRY(fold_empty(db));
        BRANT__TRY(brant__commit(db));
        begun = false;
        *out_pruned += removed;
        /* The clock may have been set back: some younger rows may stand before old ones, but not a whole chunk. */
        if (seen < CHUNK || removed == 0) break;
    }
    BRANT__TRY(maintain_aged(out_pruned, db));
    brant__wake_maintain(db);
cleanup:
    if (begun) brant__rollback(db);
    brant__free(rows);
    return status;
}
