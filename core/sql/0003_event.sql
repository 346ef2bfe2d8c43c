-- Notifications. Ids grow in commit order, since writers are serialised, and are never used again.
CREATE TABLE notifications (
    id         INTEGER PRIMARY KEY AUTOINCREMENT,
    channel    TEXT NOT NULL,
    payload    TEXT NOT NULL,
    created_at INTEGER NOT NULL
) STRICT;
CREATE INDEX notifications_channel ON notifications (channel, id);

-- Per channel: how many are kept, and through which id retention removed them (what a slow listener may have missed).
CREATE TABLE notification_channels (
    channel        TEXT NOT NULL PRIMARY KEY,
    count          INTEGER NOT NULL,
    pruned_through INTEGER NOT NULL DEFAULT 0
) STRICT, WITHOUT ROWID;

-- Who wants to be woken: the random name of a socket in the wake folder, and the patterns of the topics. Never a path.
CREATE TABLE brant_wake (
    row_id     INTEGER PRIMARY KEY,
    socket     TEXT NOT NULL,
    patterns   TEXT NOT NULL,
    created_at INTEGER NOT NULL
) STRICT;
