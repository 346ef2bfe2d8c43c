-- Notifications. Ids grow in commit order, since writers are serialised, and are never used again.
CREATE TABLE notifications (
    id         INTEGER PRIMARY KEY AUTOINCREMENT,
    channel    TEXT NOT NULL,
    payload    TEXT NOT NULL,
    created_at INTEGER NOT NULL
) STRICT;
CREATE INDEX notifications_channel ON notifications (channel, id);

-- Per channel: how many are kept, and through which id retention removed them (what a slow listener may have missed). The channel ''
-- stands for all those that were empty for so long that their own row went too.
CREATE TABLE notification_channels (
    channel        TEXT NOT NULL PRIMARY KEY,
    count          INTEGER NOT NULL,
    pruned_through INTEGER NOT NULL DEFAULT 0
) STRICT, WITHOUT ROWID;
CREATE INDEX notification_channels_pruned ON notification_channels (pruned_through) WHERE pruned_through > 0;

-- Who wants to be woken: the random name of a socket in the wake folder, and the patterns of the topics. Never a path. Row 0 is nobody: its
-- name says which history of the file this is. Backup and restore empty the table, so that a listener sees that time went back.
CREATE TABLE brant_wake (
    row_id     INTEGER PRIMARY KEY,
    socket     TEXT NOT NULL,
    patterns   TEXT NOT NULL,
    created_at INTEGER NOT NULL
) STRICT;
