-- Graph types: classes of graphs. `module` is the module as it was given, closed under its references; it stands last, since it is
-- long and rarely read. `changes` grows with each change of the row: with the id it says whether a parsed module that a
-- handle keeps is still true.
CREATE TABLE graph_types (
    row_id     INTEGER PRIMARY KEY,
    id         TEXT NOT NULL UNIQUE,
    name       TEXT NOT NULL UNIQUE,
    scope      TEXT NOT NULL,
    version    INTEGER NOT NULL,
    changes    INTEGER NOT NULL DEFAULT 0,
    created_at INTEGER NOT NULL,
    updated_at INTEGER NOT NULL,
    config     TEXT NOT NULL,
    metadata   TEXT NOT NULL DEFAULT '{}',
    module     TEXT NOT NULL
) STRICT;

CREATE TABLE node_types (
    row_id     INTEGER PRIMARY KEY,
    id         TEXT NOT NULL UNIQUE,
    graph_type INTEGER NOT NULL,
    name       TEXT NOT NULL,
    metadata   TEXT NOT NULL DEFAULT '{}',
    created_at INTEGER NOT NULL,
    updated_at INTEGER NOT NULL,
    UNIQUE (graph_type, name)
) STRICT;

-- source, target: JSON arrays of node type names; NULL: any.
CREATE TABLE edge_types (
    row_id     INTEGER PRIMARY KEY,
    id         TEXT NOT NULL UNIQUE,
    graph_type INTEGER NOT NULL,
    name       TEXT NOT NULL,
    source     TEXT,
    target     TEXT,
    metadata   TEXT NOT NULL DEFAULT '{}',
    created_at INTEGER NOT NULL,
    updated_at INTEGER NOT NULL,
    UNIQUE (graph_type, name)
) STRICT;

-- `changes` grows with every operation that writes nodes or edges, `shape` with those that add or remove some: with the id, shape says whether the
-- adjacency snapshot and the keys that a handle keeps are still true.
CREATE TABLE graphs (
    row_id     INTEGER PRIMARY KEY,
    id         TEXT NOT NULL UNIQUE,
    name       TEXT NOT NULL UNIQUE,
    graph_type INTEGER NOT NULL,
    owner_id   TEXT,
    project_id TEXT,
    status     TEXT NOT NULL,
    nodes      INTEGER NOT NULL DEFAULT 0,
    edges      INTEGER NOT NULL DEFAULT 0,
    changes    INTEGER NOT NULL DEFAULT 0,
    shape      INTEGER NOT NULL DEFAULT 0,
    metadata   TEXT NOT NULL DEFAULT '{}',
    created_at INTEGER NOT NULL,
    updated_at INTEGER NOT NULL
) STRICT;
CREATE INDEX graphs_type ON graphs (graph_type);

-- How many nodes and edges of each type a graph has, counted by the write path. type 0: untyped.
CREATE TABLE graph_counts (
    graph INTEGER NOT NULL,
    kind  INTEGER NOT NULL, -- 0 nodes, 1 edges
    type  INTEGER NOT NULL,
    count INTEGER NOT NULL,
    PRIMARY KEY (graph, kind, type)
) STRICT, WITHOUT ROWID;

-- Row ids inside, keys at the border. type: row id in node_types, 0 in untyped graphs.
-- Integrity is kept by the write path and checked by db.doctor; foreign keys would cost 13-47 % of the load.
CREATE TABLE nodes (
    row_id     INTEGER PRIMARY KEY,
    graph      INTEGER NOT NULL,
    key        TEXT NOT NULL,
    type       INTEGER NOT NULL,
    revision   INTEGER NOT NULL DEFAULT 1,
    attributes TEXT NOT NULL DEFAULT '{}',
    metadata   TEXT NOT NULL DEFAULT '{}',
    created_at INTEGER NOT NULL,
    updated_at INTEGER NOT NULL
) STRICT;
CREATE UNIQUE INDEX nodes_key ON nodes (graph, key);

-- key NULL: derived from source, type and target (graphs that are not multi), found by edges_out. In undirected graphs the end whose
-- key is smaller in byte order is the source.
CREATE TABLE edges (
    row_id     INTEGER PRIMARY KEY,
    graph      INTEGER NOT NULL,
    key        TEXT,
    type       INTEGER NOT NULL,
    source     INTEGER NOT NULL,
    target     INTEGER NOT NULL,
    revision   INTEGER NOT NULL DEFAULT 1,
    attributes TEXT NOT NULL DEFAULT '{}',
    metadata   TEXT NOT NULL DEFAULT '{}',
    created_at INTEGER NOT NULL,
    updated_at INTEGER NOT NULL
) STRICT;
CREATE INDEX edges_out ON edges (source, type, target);
CREATE INDEX edges_in ON edges (target, type, source);
CREATE UNIQUE INDEX edges_key ON edges (graph, key) WHERE key IS NOT NULL;
