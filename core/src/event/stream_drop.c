/*
 * event/stream_drop.c: a stream that goes, with all that is of it. Its events are nobody's from then on, and go with maintenance.
 */
#include "event/stream.h"

static const char *const steps[] = {
    /* Tokens of groups are never given twice. */
    "INSERT INTO event_sequences (name, value) SELECT 'group', max(token) FROM stream_consumers "
    "WHERE stream = :stream AND kind = 1 HAVING max(token) IS NOT NULL "
    "ON CONFLICT (name) DO UPDATE SET value = max(value, excluded.value)",
    "DELETE FROM stream_pending WHERE consumer IN "
    "(SELECT row_id FROM stream_consumers WHERE stream = :stream)",
    "DELETE FROM stream_consumers WHERE stream = :stream",
    "DELETE FROM streams WHERE row_id = :stream",
};

brant_status brant__stream_drop(brant_db *db, brant__text name) {
    brant__statement *statement = NULL;
    brant__topic topic;
    brant__stream stream;
    bool found;
    brant_status status = brant__stream_find(&found, &stream, db, name);

    if (status != BRANT_OK || !found) return status;
    BRANT__TRY(brant__stream_changes(db));
    for (size_t i = 0; i < BRANT__COUNT(steps); i++) {
        BRANT__TRY(
            brant__statement_prepare(&statement, db, brant__text_of(steps[i], strlen(steps[i]))));
        brant__bind_integer(statement, 1, stream.row_id);
        BRANT__TRY(brant__run(db, statement));
    }
    status = brant__wake_touch(db, brant__topic_of(&topic, "stream", name, (brant__text){NULL, 0}));
cleanup:
    return status;
}
