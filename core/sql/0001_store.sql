-- What a file says of itself: role, id (UUIDv7), created_at, min_reader, min_writer.
CREATE TABLE brant_meta (
    name  TEXT NOT NULL PRIMARY KEY,
    value ANY NOT NULL
) STRICT, WITHOUT ROWID;
