import enum
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pydantic
import pytest
from conftest import PACKAGES

import brant


def test_graph_types(db: brant.Database) -> None:
    defined = db.graph_types.define(PACKAGES, metadata={"by": "test"})
    assert (defined.name, defined.scope, defined.version, defined.module) == ("packages", "user", 1, None)
    assert sorted(defined.node_types) == ["File", "Package"]
    assert defined.edge_types == [brant.EdgeType("Depends", ["Package"], ["Package"])]
    assert defined.config["directed"] == "directed" and defined.metadata == {"by": "test"}
    assert db.graph_types.define(PACKAGES).id == defined.id
    got = db.graph_types.get("packages")
    assert got.id == defined.id and got.module is not None and got.module["$id"] == "packages"
    db.graph_types.define(PACKAGES, name="others", scope="tenant")
    assert {graph_type.name for graph_type in db.graph_types} >= {"open", "packages", "others"}
    page = db.graph_types.list(limit=1)
    assert len(page) == 1 and page.cursor is not None
    assert page[0].name != db.graph_types.list(limit=1, cursor=page.cursor)[0].name
    db.graph_types.delete("others")
    with pytest.raises(brant.NotFound):
        db.graph_types.get("others")


def test_validate(db: brant.Database) -> None:
    db.graph_types.define(PACKAGES)
    assert db.graph_types.validate_node("packages", "Package", {"name": "a"})
    report = db.graph_types.validate_node("packages", "Package", {"name": 1})
    assert not report and report.violations[0].instance == "/name" and report.violations[0].keyword == "type"
    types = {"source_type": "Package", "target_type": "Package"}
    assert db.graph_types.validate_edge("packages", "Depends", {}, **types)
    assert not db.graph_types.validate_edge("packages", "Depends", {"x": 1}, **types)
    assert not db.graph_types.validate_edge("packages", "Depends", {}, source_type="File", target_type="Package")


def test_graphs(db: brant.Database) -> None:
    made = db.graphs.create("g", "open", owner_id="o", project_id="p", status="draft", metadata={"a": 1})
    assert (made.name, made.graph_type, made.owner_id, made.project_id, made.status) == ("g", "open", "o", "p", "draft")
    assert db.graphs.get("g") == made == db.graph("g").info()
    changed = db.graphs.update("g", status="active", owner_id=None, metadata={})
    assert (changed.owner_id, changed.project_id, changed.status, changed.metadata) == (None, "p", "active", {})
    for name in ("a", "b"):
        db.graphs.create(name)
    assert [graph.name for graph in db.graphs] == ["a", "b", "g"]
    assert [graph.name for graph in db.graphs.list(graph_type="open", status="active", limit=2)] == ["a", "b"]
    db.graph("g").nodes.put("x")
    deleted = db.graphs.delete("g")
    assert (deleted.nodes, deleted.edges) == (1, 0)
    with pytest.raises(brant.NotFound):
        db.graph("g").nodes.count()
    db.graphs.update("a", status="archived")
    with pytest.raises(brant.Constraint):
        db.graph("a").nodes.put("x")


def test_nodes(graph: brant.Graph) -> None:
    nodes = graph.nodes
    assert nodes.put("a", {"n": 1}, metadata={"m": True}) == brant.Put("a", True, 1)
    assert nodes.put("a", {"n": 2}) == brant.Put("a", False, 2)
    node = nodes.get("a")
    assert (node.key, node.type, node.attributes, node.metadata, node.revision) == ("a", None, {"n": 2}, {"m": True}, 2)
    assert node.created_at <= node.updated_at
    assert nodes.put("a", {"n": 3}, revision=2).revision == 3
    assert nodes.exists("a") and "a" in nodes
    assert not nodes.exists("b") and "b" not in nodes and 5 not in nodes
    nodes.put("b")
    assert nodes.count() == 2
    assert [item and item.key for item in nodes.get_many(["b", "x", "a"])] == ["b", None, "a"]
    assert nodes.delete("b") == 0
    with pytest.raises(brant.NotFound):
        nodes.delete("b")
    graph.nodes.put("b")
    graph.edges.put("a", "b")
    with pytest.raises(brant.Constraint):
        nodes.delete("a")
    assert nodes.delete("a", edges="delete", revision=3) == 1


def test_keys_are_any_text(graph: brant.Graph) -> None:
    keys = ["ß", "日本", "a b", '"', "\U0001f600", "\x01"]
    for key in keys:
        graph.nodes.put(key, {"key": key})
    assert sorted(node.attributes["key"] for node in graph.nodes) == sorted(keys)
    assert [node.key for node in graph.nodes] == sorted(keys, key=str.encode)
    with pytest.raises(brant.Invalid):
        graph.nodes.put("a\0b")
    with pytest.raises(brant.Invalid):
        graph.nodes.put("")


def test_lists(packages: brant.Graph) -> None:
    nodes = packages.nodes
    many = nodes.put_many({"key": f"p{n:04}", "type": "Package", "attributes": {"name": str(n)}} for n in range(2500))
    assert many == brant.PutMany(2500, 0)
    nodes.put("f", type="File")
    page = nodes.list(type="Package", prefix="p00", limit=60)
    assert len(page) == 60 and page[0].key == "p0000"
    rest = nodes.list(type="Package", prefix="p00", limit=60, cursor=page.cursor)
    assert len(rest) == 40 and rest.cursor is None
    assert len(list(nodes)) == 2501
    assert [node.key for node in nodes.iter(type="File")] == ["f"]
    assert len(list(nodes.iter(prefix="p1"))) == 1000
    assert (nodes.count(), nodes.count(type="Package")) == (2501, 2500)


def test_edges(packages: brant.Graph) -> None:
    for key in ("a", "b", "c"):
        packages.nodes.put(key, {"name": key}, type="Package")
    edges = packages.edges
    put = edges.put("a", "b", {"minimum": "1"}, type="Depends", metadata={"m": 1})
    assert put.created and put.revision == 1
    assert edges.put("a", "b", {"minimum": "2"}).key == put.key
    edge = edges.get(put.key)
    assert (edge.source, edge.target, edge.type, edge.attributes, edge.metadata) == ("a", "b", "Depends", {"minimum": "2"}, {"m": 1})
    assert edges.exists(put.key) and put.key in edges and "x" not in edges
    named = edges.put("b", "c", key="bc", type="Depends")
    assert named.key == "bc"
    assert edges.put_many([{"source": "a", "target": "c", "type": "Depends"}]) == brant.PutMany(1, 0)
    assert (edges.count(), edges.count(type="Depends")) == (3, 3)
    assert {edge.target for edge in edges.iter(source="a")} == {"b", "c"}
    assert [edge.key for edge in edges.list(source="b", target="c", type="Depends", limit=5)] == ["bc"]
    assert len(list(edges)) == 3
    edges.delete("bc", revision=1)
    with pytest.raises(brant.NotFound):
        edges.get("bc")
    with pytest.raises(brant.Constraint):
        edges.put("a", "a", type="Depends")


def test_walks(graph: brant.Graph) -> None:
    graph.nodes.put_many({"key": key} for key in "abcde")
    graph.edges.put_many({"source": pair[0], "target": pair[1]} for pair in ("ab", "ac", "bd", "cd", "de"))
    assert [neighbor.key for neighbor in graph.nodes.neighbors("a")] == ["b", "c"]
    neighbor = graph.nodes.neighbors("d", direction="in", limit=1)
    assert neighbor[0].edge.target == "d" and neighbor.cursor is not None
    assert [n.key for n in graph.nodes.neighbors("d", direction="both", timeout=10)] == ["e", "b", "c"]
    assert len(graph.nodes.neighbors("a", edge_types=[])) == 0
    closure = graph.nodes.closure(["a"])
    assert closure == brant.Closure(["a", "b", "c", "d", "e"], [0, 1, 1, 2, 3], [-1, 0, 0, 1, 3], False)
    assert graph.nodes.closure("a", edge_types=None) == closure
    assert graph.nodes.closure(["a"], max_depth=1).keys == ["a", "b", "c"]
    assert graph.nodes.closure(["e"], direction="in", limit=2, timeout=10).truncated


def test_put_many_in_chunks(path: Path) -> None:
    with brant.open(path, limits={"batch": 100}) as db:
        db.graphs.create("g")
        nodes = db.graph("g").nodes
        seen: list[int] = []
        assert nodes.put_many(({"key": f"{n}"} for n in range(1050)), progress=seen.append) == brant.PutMany(1050, 0)
        assert seen[-1] == 1050 and len(seen) == 11 and seen == sorted(seen)
        assert nodes.put_many({"key": f"{n}"} for n in range(500, 1500)) == brant.PutMany(450, 550)
        assert nodes.put_many([]) == brant.PutMany(0, 0)
        with pytest.raises(brant.NotFound):
            db.graph("nothing").nodes.put_many([])
        before = nodes.count()

        def items(bad: int) -> Any:
            for n in range(1000):
                yield {"key": "" if n == bad else f"new{n}"}

        for bad in (5, 450):
            with pytest.raises(brant.Invalid) as caught:
                nodes.put_many(items(bad))
            assert [fault["instance"] for fault in caught.value.detail["violations"]] == [f"/items/{bad}/key"]
            assert f"/items/{bad}/key" in str(caught.value)
            with pytest.raises(brant.Conflict) as conflict:
                nodes.put_many({"key": f"{n}", "revision": 0 if n < before + bad else 1} for n in range(before, before + 999))
            assert [fault["index"] for fault in conflict.value.detail["items"]][:2] == [bad, bad + 1]
            assert str(conflict.value).startswith(f"item {bad}: ")
            assert nodes.count() == before

        def breaks() -> Any:
            yield from ({"key": f"more{n}"} for n in range(700))
            raise OSError("the source broke")

        with pytest.raises(OSError, match="the source broke"):
            nodes.put_many(breaks())
        assert nodes.count() == before
        with pytest.raises(brant.Timeout):
            nodes.put_many(items(-1), timeout=-1)
        assert nodes.count() == before


def test_put_many_by_size(path: Path) -> None:
    """A narrow document limit: chunks are split by their size too, down to single items."""
    with brant.open(path, limits={"document": 4096}) as db:
        db.graphs.create("g")
        nodes = db.graph("g").nodes
        texts = ["x" * 3000, "é" * 1500, "", "y" * 1000] * 20
        assert nodes.put_many({"key": f"{n:03}", "attributes": {"t": text}} for n, text in enumerate(texts)).created == 80
        assert [node.attributes["t"] for node in nodes] == texts
        with pytest.raises(brant.Limit):
            nodes.put_many([{"key": "a", "attributes": {"t": "x" * 5000}}])


def test_copy_between_graphs(db: brant.Database, packages: brant.Graph) -> None:
    for key in "ab":
        packages.nodes.put(key, {"name": key}, type="Package", metadata={"m": 1})
    packages.edges.put("a", "b", {"minimum": "1"}, type="Depends")
    db.graphs.create("copy", "packages")
    copy = db.graph("copy")
    assert copy.nodes.put_many(packages.nodes).created == 2
    assert copy.edges.put_many(packages.edges).created == 1
    assert copy.nodes.get("a").metadata == {"m": 1}
    assert [(edge.source, edge.target, edge.attributes) for edge in copy.edges] == [("a", "b", {"minimum": "1"})]
    db.graphs.create("free")
    db.graph("free").nodes.put("x", {"n": 1})
    db.graphs.create("free2")
    assert db.graph("free2").nodes.put_many(db.graph("free").nodes).created == 1


# ---- models -----------------------------------------------------------------------------------------------------------------


class Colour(str, enum.Enum):
    RED = "red"


@dataclass
class Place:
    city: str
    street: str | None = None


@dataclass
class Person:
    name: str
    home: Place | None = None
    places: list[Place] = field(default_factory=list)
    by_name: dict[str, Place] = field(default_factory=dict)
    colour: Colour = Colour.RED


class Animal(pydantic.BaseModel):
    name: str
    legs: int = 4
    kind: str = pydantic.Field("cat", alias="class")
    home: Place | None = None


def test_dataclasses(graph: brant.Graph) -> None:
    person = Person("Ada", Place("London", "Square"), [Place("Paris")], {"x": Place("Rome")})
    graph.nodes.put("ada", person)
    node = graph.nodes.get("ada", as_=Person)
    assert node.attributes == person and isinstance(node.attributes.places[0], Place)
    assert graph.nodes.get("ada").attributes["home"] == {"city": "London", "street": "Square"}
    assert [got.attributes.name for got in graph.nodes.iter(as_=Person)] == ["Ada"]
    assert [got and got.attributes for got in graph.nodes.get_many(["ada", "x"], as_=Person)] == [person, None]
    graph.nodes.put("sub", {"person": person})
    graph.edges.put("ada", "sub", Place("Bonn"))
    assert [edge.attributes for edge in graph.edges.list(as_=Place)] == [Place("Bonn")]
    assert graph.edges.get(graph.edges.list()[0].key, as_=Place).attributes.city == "Bonn"
    assert [edge.attributes.city for edge in graph.edges.iter(as_=Place)] == ["Bonn"]


def test_models(graph: brant.Graph) -> None:
    cat = Animal(name="Tom", home=Place("Bonn"), **{"class": "tomcat"})
    graph.nodes.put_many([{"key": "tom", "attributes": cat}])
    assert graph.nodes.get("tom").attributes["class"] == "tomcat"
    assert graph.nodes.get("tom", as_=Animal).attributes == cat
    assert graph.nodes.list(as_=Animal)[0].attributes.legs == 4
    graph.nodes.put("bad", {"legs": "many"})
    with pytest.raises(pydantic.ValidationError):
        graph.nodes.get("bad", as_=Animal)


def test_any_callable(graph: brant.Graph) -> None:
    graph.nodes.put("a", {"n": 1})
    assert graph.nodes.get("a", as_=lambda attributes: attributes["n"]).attributes == 1


def test_representations(db: brant.Database, graph: brant.Graph) -> None:
    assert repr(graph).startswith("<brant.Graph 'g' of <brant.Database")
    assert repr(graph.nodes) == "<brant.Nodes of 'g'>" and repr(graph.edges) == "<brant.Edges of 'g'>"
    assert "GraphTypes" in repr(db.graph_types) and "Graphs" in repr(db.graphs)
    graph.nodes.put("a")
    assert repr(graph.nodes.get("a")).startswith("Node(key='a', type=None, attributes={}")


def test_by_name(db: brant.Database, graph: brant.Graph) -> None:
    assert db.call("nodes.put", {"graph": "g", "key": "a"}) == {"key": "a", "created": True, "revision": 1}
    assert db.call_json("nodes.exists", b'{"graph":"g","key":"a"}') == '{"exists":true}'
    assert db.call("db.info")["nodes"] == 1
    names = [operation["name"] for operation in brant.operations()]
    assert names == sorted(names) and "nodes.put" in names
    spaces = {operation["namespace"] for operation in brant.operations("nodes")}
    assert spaces == {"nodes"}
    owners: dict[str, list[Any]] = {
        "nodes": [graph.nodes],
        "edges": [graph.edges],
        "graphs": [db.graphs, graph],
        "graph_types": [db.graph_types],
        "indexes": [db.indexes],
        "modules": [brant.modules],
        "db": [db],
    }
    for operation in brant.operations():
        space, verb = operation["name"].split(".")
        if space in owners:
            methods = [getattr(owner, name, None) for owner in owners[space] for name in (verb, f"{verb}_")]
            assert any(map(callable, methods)), operation["name"]
