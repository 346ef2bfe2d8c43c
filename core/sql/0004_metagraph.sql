-- The version of its graph type that a row was last validated against. 1 costs no space.
ALTER TABLE nodes ADD COLUMN type_version INTEGER NOT NULL DEFAULT 1;
ALTER TABLE edges ADD COLUMN type_version INTEGER NOT NULL DEFAULT 1;

-- Of undirected edges, whose ends are stored in byte order: 1: the edge is undirected in a graph that is mixed (in an undirected graph all
-- are, and none is marked); 2: its ends were given in the other order. 3: both.
ALTER TABLE edges ADD COLUMN orientation INTEGER NOT NULL DEFAULT 0;
-- In mixed graphs: what an undirected edge is found by at its target. At its source it is found by edges_out.
CREATE INDEX edges_undirected ON edges (target, type, source) WHERE orientation & 1;
