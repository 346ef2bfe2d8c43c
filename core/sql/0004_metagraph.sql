-- The version of its graph type that a row was last validated against. 1 costs no space.
ALTER TABLE nodes ADD COLUMN type_version INTEGER NOT NULL DEFAULT 1;
ALTER TABLE edges ADD COLUMN type_version INTEGER NOT NULL DEFAULT 1;
