/*
 * event/channel.c: what there is of each channel of notifications, and how long it is kept.
 */
#include "event/event.h"
#include "event/listing.h"
#include "event/statements.h"

static brant_status get(brant__statement **out, brant_db *db, size_t index) {
    return brant__statement_get(out, db, &brant__event_statements, index);
}

static int64_t column_or(brant__statement *row, int column, int64_t otherwise) {
    return brant__column_null(row, column) ? otherwise : brant__column_integer(row, column);
}

/* A row of BRANT__EVENT_LIST. */
static void write_channel(brant__writer *out, brant__statement *row) {
    brant__write_object(out);
    brant__write_text_member(out, "channel", brant__column_text(row, 0));
    brant__write_integer_member(out, "count", brant__column_integer(row, 1));
    if (!brant__column_null(row, 4))
        brant__write_integer_member(out, "newest_at", brant__column_integer(row, 4));
    brant__write_integer_member(out, "kept_count", column_or(row, 2, BRANT__EVENT_KEPT));
    brant__write_integer_member(out, "kept_age", column_or(row, 3, BRANT__EVENT_AGE));
    brant__write_end(out);
}

static void bind_number(brant__statement *statement, int index, yyjson_val *value) {
    if (!value || yyjson_is_null(value))
        brant__bind_null(statement, index);
    else
        brant__bind_integer(statement, index, brant__json_integer(value, 0));
}

brant_status brant__event_set_retention(brant__call *call) {
    const brant__text channel = brant__json_get_text(call->input, "channel");
    yyjson_val *count = brant__json_get(call->input, "count");
    yyjson_val *age = brant__json_get(call->input, "age");
    brant__statement *statement = NULL;
    int64_t there = 0, kept = 0;
    bool row = false;
    brant_status status = BRANT_OK;
    BRANT__TRY(brant__input_name(channel, "/channel"));
    BRANT__TRY(get(&statement, call->db, BRANT__EVENT_KEEP));
    brant__bind_text(statement, 1, channel);
    bind_number(statement, 2, count);
    bind_number(statement, 3, age);
    brant__bind_integer(statement, 4, count != NULL);
    brant__bind_integer(statement, 5, age != NULL);
    BRANT__TRY(brant__step(&row, call->db, statement));
    there = brant__column_integer(statement, 0);
    kept = column_or(statement, 1, BRANT__EVENT_KEPT);
    brant__reset(statement);
    statement = NULL;
    if (there > kept) BRANT__TRY(brant__event_prune(call->db, channel, there - kept));
    BRANT__TRY(get(&statement, call->db, BRANT__EVENT_LIST));
    brant__bind_text(statement, 1, channel);
    brant__bind_text(statement, 2, BRANT__TEXT(""));
    brant__bind_integer(statement, 3, 1);
    BRANT__TRY(brant__step(&row, call->db, statement));
    write_channel(call->out, statement);
cleanup:
    brant__reset(statement);
    return status;
}

brant_status brant__event_channels(brant__call *call) {
    brant_status status = BRANT_OK;
    brant__statement *statement = NULL;
    brant__listing list = brant__listing_read(call);
    bool row = false, wanted = false;
    BRANT__TRY(get(&statement, call->db, BRANT__EVENT_LIST));
    brant__listing_bind(statement, &list, (brant__text){NULL, 0});
    brant__listing_begin(call);
    for (;;) {
        BRANT__TRY(brant__step(&row, call->db, statement));
        if (!row) break;
        BRANT__TRY(brant__listing_take(&wanted, &list, call, brant__column_text(statement, 0)));
        if (!wanted) break;
        write_channel(call->out, statement);
    }
    brant__listing_end(&list, call);
cleanup:
    brant__reset(statement);
    return status;
}
