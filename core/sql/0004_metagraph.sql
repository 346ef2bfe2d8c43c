-- The version of its graph type that a row was last validated against. 1 costs no space.
ALTER TABLE nodes ADD COLUMN type_version INTEGER NOT NULL DEFAULT 1;
ALTER TABLE edges ADD COLUMN type_version INTEGER NOT NULL DEFAULT 1;

-- Of undirected edges, whose ends are stored in byte order: 1: the edge is undirected in a graph that is mixed (in an undirected graph all
-- are, and none is marked); 2: its ends were given in the other order. 3: both.
ALTER TABLE edges ADD COLUMN orientation INTEGER NOT NULL DEFAULT 0;
-- In mixed graphs: what an undirected edge is found by at its target. At its source it is found by edges_out.
CREATE INDEX edges_undirected ON edges (target, type, source) WHERE orientation & 1;

-- Indexes that users made on attributes. of: 0 nodes, 1 edges; type: row id, 0 in untyped graph types; paths: JSON array. The SQLite index of one is
-- attribute_index_<row_id>; those of text have a table attribute_text_<row_id> with a view and triggers that keep it in step.
CREATE TABLE attribute_indexes (
    row_id     INTEGER PRIMARY KEY AUTOINCREMENT,
    id         TEXT NOT NULL UNIQUE,
    name       TEXT NOT NULL UNIQUE,
    graph_type INTEGER NOT NULL,
    of         INTEGER NOT NULL,
    type       INTEGER NOT NULL,
    kind       TEXT NOT NULL,
    paths      TEXT NOT NULL,
    created_at INTEGER NOT NULL
) STRICT;
CREATE INDEX attribute_indexes_type ON attribute_indexes (graph_type, of, type);

-- When a graph, or a node or edge in it, was last changed: what retention counts from. Retention's own changes leave it.
ALTER TABLE graphs ADD COLUMN changed_at INTEGER NOT NULL DEFAULT 0;
UPDATE graphs SET changed_at = updated_at;
-- Retention rules as JSON; NULL: none.
ALTER TABLE graph_types ADD COLUMN retention TEXT;

-- How far imports of files have come, written with each batch. graph: its id. The file is known by path, size, time and a hash of its
-- beginning. section, position: where the format stands; item: number of the next item.
CREATE TABLE imports (
    graph      TEXT NOT NULL,
    path       TEXT NOT NULL,
    format     TEXT NOT NULL, -- with the part of csv
    size       INTEGER NOT NULL,
    modified   INTEGER NOT NULL, -- ns
    digest     INTEGER NOT NULL,
    section    INTEGER NOT NULL,
    position   INTEGER NOT NULL,
    item       INTEGER NOT NULL,
    nodes      INTEGER NOT NULL,
    edges      INTEGER NOT NULL,
    failed     INTEGER NOT NULL,
    done       INTEGER NOT NULL,
    updated_at INTEGER NOT NULL,
    document   TEXT NOT NULL, -- JSON: what was found out about the whole document
    PRIMARY KEY (graph, path, format)
) STRICT, WITHOUT ROWID;

-- The module as it was given, where it imports entries of others: `module` is closed. NULL: they are the same.
ALTER TABLE graph_types ADD COLUMN source TEXT;

-- How far the nodes and edges of a graph type are on their way to its version. node, edge: the last rows looked at; total: how many there
-- were when it began.
CREATE TABLE graph_type_migrations (
    graph_type   INTEGER PRIMARY KEY,
    from_version INTEGER NOT NULL,
    to_version   INTEGER NOT NULL,
    node         INTEGER NOT NULL DEFAULT 0,
    edge         INTEGER NOT NULL DEFAULT 0,
    total        INTEGER NOT NULL,
    migrated     INTEGER NOT NULL DEFAULT 0,
    unchanged    INTEGER NOT NULL DEFAULT 0,
    failed       INTEGER NOT NULL DEFAULT 0,
    done         INTEGER NOT NULL DEFAULT 0,
    started_at   INTEGER NOT NULL,
    updated_at   INTEGER NOT NULL
) STRICT;
