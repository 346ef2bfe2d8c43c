from pathlib import Path

import pytest

import brant


def test_values(db: brant.Database) -> None:
    row = (None, True, 7, -(1 << 63), 1.5, "é\U0001f600", b"\x00\xff", bytearray(b"x"))
    result = db.execute("SELECT ?, ?, ?, ?, ?, ?, ?, ? AS last", row)
    assert result.rows == [(None, 1, 7, -(1 << 63), 1.5, "é\U0001f600", b"\x00\xff", b"x")]
    assert result.columns[-1] == "last"
    assert db.execute("SELECT :a + $b", {"a": 1, "b": 2}).scalar() == 3


def test_results(db: brant.Database) -> None:
    assert db.execute("CREATE TABLE t(id INTEGER PRIMARY KEY, x)").rows == []
    inserted = db.execute("INSERT INTO t(x) VALUES (1), (2), (?)", [b"3"])
    assert (inserted.changes, inserted.lastrowid, len(inserted), bool(inserted)) == (3, 3, 0, True)
    result = db.execute("SELECT id, x FROM t ORDER BY id", timeout=10)
    assert list(result) == [(1, 1), (2, 2), (3, b"3")] == result.rows
    assert result[1] == (2, 2) and result.first() == (1, 1) and len(result) == 3
    assert result.dicts()[2] == {"id": 3, "x": b"3"}
    assert "changes" in repr(result) and "rows" not in repr(result)
    nothing = db.execute("SELECT 1 WHERE 0")
    assert nothing.first() is None and nothing.scalar() is None


def test_own_tables_can_be_read_only(db: brant.Database, graph: brant.Graph) -> None:
    graph.nodes.put("a")
    tables = [name for (name,) in db.execute("SELECT name FROM sqlite_schema WHERE type = 'table'")]
    nodes = next(name for name in tables if name.endswith("nodes") or name.endswith("node"))
    assert db.execute(f"SELECT count(*) FROM {nodes}").scalar() == 1
    with pytest.raises(brant.Denied):
        db.execute(f"DELETE FROM {nodes}")
    with pytest.raises(brant.Denied):
        db.execute("COMMIT")


def test_in_one_transaction_with_the_graph(db: brant.Database, graph: brant.Graph) -> None:
    db.execute("CREATE TABLE mine(x)")
    with pytest.raises(ZeroDivisionError), db.transaction():
        db.execute("INSERT INTO mine VALUES (1)")
        graph.nodes.put("a")
        _ = 1 / 0
    assert db.execute("SELECT count(*) FROM mine").scalar() == 0 and graph.nodes.count() == 0


def test_limit(path: Path) -> None:
    with brant.open(path, limits={"batch": 10}) as db:
        with pytest.raises(brant.Limit):
            db.execute("WITH RECURSIVE n(i) AS (VALUES (1) UNION ALL SELECT i + 1 FROM n WHERE i < 11) SELECT i FROM n")
