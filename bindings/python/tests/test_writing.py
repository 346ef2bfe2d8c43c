"""Inserts, patches, many at once, deletion, retention, erasure."""

import json
from pathlib import Path

import pytest

import brant


def test_insert(packages: brant.Graph) -> None:
    assert packages.nodes.insert("a", {"name": "a"}, type="Package", metadata={"m": 1}) == brant.Put("a", True, 1)
    with pytest.raises(brant.Exists):
        packages.nodes.insert("a", {"name": "a"}, type="Package")
    packages.nodes.insert("b", {"name": "b"}, type="Package")
    made = packages.edges.insert("a", "b", {"minimum": "1"}, type="Depends", key="ab", metadata={"m": 1})
    assert made == brant.Put("ab", True, 1)
    with pytest.raises(brant.Exists):
        packages.edges.insert("a", "b", key="ab")
    with pytest.raises(brant.NotFound):
        packages.edges.insert("a", "c", type="Depends")


def test_patch(packages: brant.Graph) -> None:
    packages.nodes.insert("a", {"name": "a", "size": 1}, type="Package", metadata={"m": 1, "n": 2})
    patched = packages.nodes.patch("a", {"size": 2}, metadata={"m": None})
    assert patched == brant.Patched("a", 2, True)
    node = packages.nodes.get("a")
    assert (node.attributes, node.metadata) == ({"name": "a", "size": 2}, {"n": 2})
    assert packages.nodes.patch("a", {"size": 2}, revision=2) == brant.Patched("a", 2, False)
    assert packages.nodes.patch("a", {"size": None}).changed
    with pytest.raises(brant.Validation):
        packages.nodes.patch("a", {"name": None})
    with pytest.raises(brant.Conflict):
        packages.nodes.patch("a", {"size": 1}, revision=1)
    with pytest.raises(brant.NotFound):
        packages.nodes.patch("x", {})
    packages.nodes.insert("b", {"name": "b"}, type="Package")
    packages.edges.insert("a", "b", {"minimum": "1"}, type="Depends", key="ab")
    assert packages.edges.patch("ab", {"minimum": "2"}, revision=1) == brant.Patched("ab", 2, True)
    assert packages.edges.get("ab").attributes == {"minimum": "2"}
    with pytest.raises(brant.NotFound):
        packages.edges.patch("x", {})


def test_undirected_edges_of_a_mixed_graph(db: brant.Database) -> None:
    db.graph_types.define(brant.module("mixed", directed="mixed"))
    db.graphs.create("g", "mixed")
    graph = db.graph("g")
    graph.nodes.put_many([{"key": "a"}, {"key": "b"}])
    graph.edges.put("a", "b", key="one", undirected=True)
    graph.edges.insert("a", "b", key="two")
    assert [edge.undirected for edge in (graph.edges.get("one"), graph.edges.get("two"))] == [True, False]
    db.graphs.create("copy", "mixed")
    copy = db.graph("copy")
    copy.nodes.put_many(graph.nodes)
    copy.edges.put_many(graph.edges)
    assert [edge.undirected for edge in (copy.edges.get("one"), copy.edges.get("two"))] == [True, False]
    db.graphs.create("free")
    db.graph("free").nodes.put_many([{"key": "a"}, {"key": "b"}])
    db.graph("free").edges.put("a", "b", key="ab")
    assert db.graph("free").edges.get("ab").undirected is None


def test_many(path: Path) -> None:
    with brant.open(path, limits={"batch": 100}) as db:
        db.graphs.create("g")
        graph = db.graph("g")
        seen: list[int] = []
        items = ({"key": f"{n:04}", "attributes": {"n": n}} for n in range(250))
        assert graph.nodes.insert_many(items, progress=seen.append) == brant.PutMany(250, 0)
        assert seen == [100, 200, 250]
        with pytest.raises(brant.Exists) as caught:
            graph.nodes.insert_many({"key": f"{n:04}"} for n in range(500, 200, -1))
        assert caught.value.detail["items"][0]["index"] == 251
        assert graph.nodes.count() == 250
        skipped = graph.nodes.insert_many(({"key": f"{n:04}"} for n in range(400, 200, -1)), errors="skip")
        assert (skipped.created, skipped.failed, len(skipped.items)) == (151, 49, 49)
        assert skipped.items[0] == brant.Fault(151, "0249", "EXISTS", skipped.items[0].message)
        patched = graph.nodes.patch_many({"key": f"{n:04}", "attributes": {"n": 200}} for n in range(250))
        assert patched == brant.PatchMany(249, 1)
        with pytest.raises(brant.NotFound):
            graph.nodes.patch_many([{"key": "x", "attributes": {}}])
        assert graph.nodes.patch_many([{"key": "x", "attributes": {}}], errors="skip").failed == 1
        wrong = graph.nodes.put_many([{"key": "y"}, {"key": "u", "revision": 5}, {"key": "z", "revision": 5}], errors="skip", timeout=10)
        assert (wrong.created, wrong.failed, [fault.index for fault in wrong.items]) == (1, 2, [1, 2])
        with pytest.raises(brant.Timeout):
            graph.nodes.insert_many(({"key": f"late{n}"} for n in range(1000)), timeout=-1)


def test_ndjson(graph: brant.Graph) -> None:
    lines = "\n".join(json.dumps({"key": key}) for key in "abc") + "\n\n"
    seen: list[int] = []
    assert graph.nodes.put_many(lines, progress=seen.append) == brant.PutMany(3, 0)
    assert seen == [3]
    assert graph.nodes.put_many(lines.encode()) == brant.PutMany(0, 3)
    assert graph.edges.insert_many('{"source":"a","target":"b"}').created == 1
    with pytest.raises(brant.BrantError) as caught:
        graph.nodes.insert_many('{"key":"d"}\n{"key":\n')
    assert caught.value.detail["items"][0]["index"] == 1
    assert graph.nodes.insert_many('{"key":"d"}\n{"key":\n', errors="skip").failed == 1
    assert graph.nodes.patch_many('{"key":"d","attributes":{"x":1}}').updated == 1


def test_many_edges(graph: brant.Graph) -> None:
    graph.nodes.put_many({"key": key} for key in "abcd")
    edges = graph.edges
    made = edges.insert_many([{"source": "a", "target": key, "key": f"a{key}"} for key in "bcd"])
    assert made == brant.PutMany(3)
    skipped = edges.insert_many([{"source": "a", "target": "b"}, {"source": "b", "target": "x"}, {"source": "b", "target": "c"}], errors="skip")
    assert (skipped.created, skipped.failed) == (1, 2)
    assert [fault.code for fault in skipped.items] == ["EXISTS", "NOT_FOUND"]
    assert edges.patch_many([{"key": "ab", "attributes": {"w": 1}}, {"key": "ac", "attributes": {}}]) == brant.PatchMany(1, 1)
    assert edges.put_many([{"source": "a", "target": "b", "key": "ab"}], errors="skip") == brant.PutMany(0, 1)
    assert edges.delete_many(["ab", "ac"]).deleted == 2
    with pytest.raises(brant.NotFound):
        edges.delete_many(["ad", "ab"])
    assert edges.count() == 2
    assert edges.delete_many(filter={"source": "a"}).deleted == 1
    assert edges.delete_many(filter={}).deleted == 1 and edges.delete_many(filter={}, timeout=5).deleted == 0
    with pytest.raises(brant.Invalid):
        edges.delete_many()
    with pytest.raises(brant.Invalid):
        edges.delete_many(["a"], filter={})


def test_delete_many(path: Path) -> None:
    with brant.open(path, limits={"batch": 100}) as db:
        db.graphs.create("g")
        nodes = db.graph("g").nodes
        nodes.insert_many({"key": f"{n}", "attributes": {"n": n}} for n in range(500))
        db.graph("g").edges.insert_many({"source": f"{n}", "target": f"{n + 1}"} for n in range(10))
        assert nodes.delete_many(f"{n}" for n in range(100, 350)) == brant.DeleteMany(250)
        with pytest.raises(brant.NotFound) as caught:
            nodes.delete_many(f"{n}" for n in range(350, 600))
        assert caught.value.detail["items"][0]["index"] == 150
        assert nodes.count() == 250
        with pytest.raises(brant.Constraint):
            nodes.delete_many(["1", "400"])
        skipped = nodes.delete_many(["1", "400", "x"], errors="skip")
        assert (skipped.deleted, skipped.failed, [fault.index for fault in skipped.items]) == (1, 2, [0, 2])
        assert nodes.delete_many(["1"], edges="delete") == brant.DeleteMany(1, 2)
        assert nodes.delete_many(filter={"attributes.n": {"$gt": 450}}).deleted == 49
        assert nodes.delete_many(filter={}, edges="delete").deleted == 199
        assert nodes.delete_many([]) == brant.DeleteMany(0)


def test_a_graph_goes_in_steps(db: brant.Database, graph: brant.Graph) -> None:
    graph.nodes.put_many({"key": f"{n}"} for n in range(30))
    deleted = db.graphs.delete("g")
    assert (deleted.nodes, deleted.edges) == (30, 0)
    with pytest.raises(brant.NotFound):
        graph.nodes.count()
    assert "g" not in [info.name for info in db.graphs]
    assert [info.name for info in db.graphs.list(status="deleted")] == ["g"] and db.graphs.get("g").status == "deleted"
    with pytest.raises(brant.Exists):
        db.graphs.create("g")
    assert db.graphs.update("g", status="active").status == "active"
    assert graph.nodes.count() == 30
    calls = 1
    purged = db.graphs.purge("g", limit=10, timeout=10)
    total = purged.nodes
    while not purged:
        purged = db.graphs.purge("g", limit=10)
        total += purged.nodes
        calls += 1
    assert total == 30 and calls >= 3
    with pytest.raises(brant.NotFound):
        db.graphs.purge("g")
    db.graphs.create("g")
    assert db.graphs.purge("g") == brant.Purged(True, 0, 0)


def test_retention(db: brant.Database, packages: brant.Graph) -> None:
    packages.nodes.put("old", {"name": "old", "size": 1}, type="Package")
    packages.nodes.put("new", {"name": "new", "size": 2_000_000_000_000_000}, type="Package")
    rules = {"nodes": [{"type": "Package", "older_than": 1000, "by": "attributes.size"}]}
    retention = db.graph_types.set_retention("packages", rules)
    assert retention.name == "packages" and retention.rules is not None
    assert db.graph_types.get("packages").retention == retention.rules
    maintained = db.maintain()
    assert maintained.retention is not None and maintained.retention.nodes == 1
    assert [node.key for node in packages.nodes] == ["new"]
    assert db.graph_types.set_retention("packages", None).rules is None
    assert db.graph_types.get("packages").retention is None
    with pytest.raises(brant.NotFound):
        db.graph_types.set_retention("nothing", None)


def test_erase(db: brant.Database, graph: brant.Graph) -> None:
    db.graphs.update("g", owner_id="ann@example.org")
    graph.nodes.put("ann@example.org")
    graph.nodes.put("b", {"deep": [{"mail": "ann@example.org"}], "other": 1})
    graph.nodes.put("c", {"text": "not ann@example.org whole"})
    graph.edges.put("b", "c", metadata={"by": "ann@example.org"})
    dry = db.erase(["ann@example.org"], dry_run=True)
    assert dry.counts.nodes == 2 and graph.nodes.count() == 3
    erased = db.erase("ann@example.org", action="redact", replacement="[gone]", timeout=10)
    assert {(item.key, item.action) for item in erased.nodes} == {("ann@example.org", "delete"), ("b", "redact")}
    assert erased.counts.edges == 1 and erased.counts.graphs == 1 and not erased.truncated and erased.refused == []
    assert graph.nodes.get("b").attributes == {"deep": [{"mail": "[gone]"}], "other": 1}
    assert graph.nodes.get("c").attributes["text"].startswith("not ann")
    assert db.erase(["[gone]"]).counts.nodes == 1
    assert [node.key for node in graph.nodes] == ["c"]
    with pytest.raises(brant.Invalid):
        db.erase([])
