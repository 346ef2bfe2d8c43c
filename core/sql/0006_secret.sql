-- How far a rotation of encrypted values to a key has come, written with each batch. graph: the id of the graph that it is of; '': all of them. step: grows with
-- each write, so that who read the row knows whether another went on meanwhile. stage: 0 nodes, 1 edges, 2 change logs, 3 done. node, edge, event: the last
-- rows looked at. total: how many values were to be rotated when it began, with those that were already. traces: values were plain, and what is left of them
-- is still in the file.
CREATE TABLE secret_rotations (
    graph       TEXT NOT NULL PRIMARY KEY,
    key_version INTEGER NOT NULL,
    step        INTEGER NOT NULL,
    stage       INTEGER NOT NULL,
    node        INTEGER NOT NULL,
    edge        INTEGER NOT NULL,
    event       INTEGER NOT NULL,
    total       INTEGER NOT NULL,
    rewrapped   INTEGER NOT NULL,
    sealed      INTEGER NOT NULL,
    failed      INTEGER NOT NULL,
    traces      INTEGER NOT NULL,
    started_at  INTEGER NOT NULL,
    updated_at  INTEGER NOT NULL
) STRICT, WITHOUT ROWID;
