-- How far the encrypted values of a graph have come on their way to a key, written with each batch. graph: its id. step: grows with each write, so that who read
-- the row knows whether another went on meanwhile. stage: 0 nodes, 1 edges, 2 change log, 3 done. key: of the last node looked at, or of the source of the last edge,
-- which is edge_type, edge_target, edge (row ids). event: the last offset looked at. looked: how many rows were. traces: values were plain, and what is left
-- of them is still in the file.
CREATE TABLE secret_rotations (
    graph       TEXT NOT NULL PRIMARY KEY,
    key_version INTEGER NOT NULL,
    step        INTEGER NOT NULL,
    stage       INTEGER NOT NULL,
    key         TEXT NOT NULL,
    edge_type   INTEGER NOT NULL,
    edge_target INTEGER NOT NULL,
    edge        INTEGER NOT NULL,
    event       INTEGER NOT NULL,
    looked      INTEGER NOT NULL,
    rewrapped   INTEGER NOT NULL,
    sealed      INTEGER NOT NULL,
    failed      INTEGER NOT NULL,
    traces      INTEGER NOT NULL,
    started_at  INTEGER NOT NULL,
    updated_at  INTEGER NOT NULL
) STRICT, WITHOUT ROWID;
