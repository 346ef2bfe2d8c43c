"""Graphs through NetworkX and back; igraph, rustworkx."""

import json
import sys
from typing import Any

import igraph
import networkx
import pytest
import rustworkx
from conftest import python

import brant


def same(a: Any, b: Any) -> bool:
    def multiset(edges: Any) -> list[Any]:
        return sorted((repr(edge) for edge in edges))

    if type(a) is not type(b) or a.graph != b.graph or dict(a.nodes(data=True)) != dict(b.nodes(data=True)):
        return False
    if a.is_directed():
        return multiset(a.edges(data=True, **keys(a))) == multiset(b.edges(data=True, **keys(b)))
    return all(a.adj[node] == b.adj[node] for node in a)


def keys(graph: Any) -> dict[str, bool]:
    return {"keys": True} if graph.is_multigraph() else {}


@pytest.mark.parametrize("cls", [networkx.Graph, networkx.DiGraph, networkx.MultiGraph, networkx.MultiDiGraph])
def test_there_and_back(db: brant.Database, cls: Any) -> None:
    made = cls(name="odd", size=3)
    nodes = ["text", "json:x", "", 1, -7, 2.5, (1, "a"), (1, (2, 3)), True and 10**15, "日本", "[1]", "x\0y"]
    made.add_nodes_from((node, {"n": n, "deep": {"a": [1, None]}}) for n, node in enumerate(nodes))
    for n, node in enumerate(nodes):
        made.add_edge(node, nodes[(n * 5 + 1) % len(nodes)], weight=n)
    made.add_edge(1, 1)
    if made.is_multigraph():
        made.add_edge("text", 1, weight=1)
        made.add_edge("text", 1, weight=2)
        made.add_edge(1, "text", key="named")
        made.add_edge("text", 1, key=("tuple", 1))
    graph = db.graphs.from_networkx("g", made)
    assert graph.nodes.count() == len(nodes) and graph.edges.count() == made.number_of_edges()
    assert same(graph.to_networkx(), made)
    with pytest.raises(brant.Exists):
        brant.Graph.from_networkx(db, "g", made)
    again = brant.Graph.from_networkx(db, "h", graph.to_networkx())
    assert [node.key for node in again.nodes] == [node.key for node in graph.nodes]
    # What the library itself writes and reads is the same graph.
    theirs = json.loads(json.dumps(networkx.node_link_data(made, edges="edges")))
    ours = json.loads(graph.export("node_link"))
    for member in ("directed", "multigraph", "graph"):
        assert ours[member] == theirs[member]
    for member in ("nodes", "edges"):
        assert sorted(json.dumps(item, sort_keys=True) for item in ours[member]) == sorted(
            json.dumps(item, sort_keys=True) for item in theirs[member]
        )
    third = db.graph("i")
    third.import_("node_link", json.dumps(theirs), create=True)
    assert third.info().graph_type == graph.info().graph_type and third.info().metadata == {"name": "odd", "size": 3}
    assert same(third.to_networkx(), made)


def test_types_are_attributes(db: brant.Database, packages: brant.Graph) -> None:
    packages.nodes.insert_many({"key": key, "type": "Package", "attributes": {"name": key}} for key in "ab")
    packages.edges.insert("a", "b", {"minimum": "1"}, type="Depends")
    made = packages.to_networkx()
    assert made.nodes["a"] == {"@type": "Package", "name": "a"} and made.edges["a", "b"] == {"@type": "Depends", "minimum": "1"}
    copy = db.graphs.from_networkx("copy", made, graph_type="packages")
    assert copy.nodes.get("a").type == "Package" and copy.edges.list()[0].attributes == {"minimum": "1"}
    assert networkx.utils.graphs_equal(copy.to_networkx(), made)


def test_a_part(graph: brant.Graph) -> None:
    graph.nodes.put_many({"key": key} for key in "abc")
    graph.edges.put_many([{"source": "a", "target": "b", "attributes": {"w": 1}}, {"source": "b", "target": "c", "attributes": {"w": 2}}])
    assert list(graph.to_networkx(edge_filter={"attributes.w": 2}).edges) == [("b", "c")]


def test_what_networkx_has_not(db: brant.Database) -> None:
    db.graph_types.define(brant.module("mixed", directed="mixed"))
    db.graphs.create("g", "mixed")
    for convert in (db.graph("g").to_networkx, db.graph("g").to_igraph, db.graph("g").to_rustworkx):
        with pytest.raises(brant.Constraint):
            convert()
    with pytest.raises(brant.InvalidJson):
        db.graphs.from_networkx("h", networkx.DiGraph([(1, 2, {"weight": float("nan")})]))
    assert "h" not in [info.name for info in db.graphs]
    with pytest.raises(TypeError):
        db.graphs.from_networkx("h", networkx.DiGraph([(1, object())]))


def test_arrays(graph: brant.Graph) -> None:
    graph.nodes.put_many({"key": key, "attributes": {"k": key}} for key in "cab")
    graph.edges.put_many([{"source": "a", "target": "b", "attributes": {"w": 2}}, {"source": "c", "target": "a", "attributes": {"w": 3}}])
    arrays = graph.arrays(weight="attributes.w", attributes=True, timeout=10)
    assert (arrays.keys, arrays.sources, arrays.targets) == (["a", "b", "c"], [0, 2], [1, 0])
    assert (arrays.directed, arrays.multi, arrays.weights) == (True, False, [2, 3])
    assert arrays.node_attributes == [{"k": "a"}, {"k": "b"}, {"k": "c"}] and arrays.edge_attributes == [{"w": 2}, {"w": 3}]
    plain = graph.arrays(edge_filter={"attributes.w": 3})
    assert plain.sources == [2] and plain.weights is None and plain.node_attributes is None
    assert graph.arrays(edge_types=[]).sources == []


def test_igraph(db: brant.Database, packages: brant.Graph) -> None:
    packages.nodes.insert_many({"key": key, "type": "Package", "attributes": {"name": f"n{key}", "size": 1}} for key in "ab")
    packages.nodes.insert("f", {"path": "/"}, type="File")
    packages.edges.insert("a", "b", {"minimum": "1"}, type="Depends")
    made = packages.to_igraph()
    assert isinstance(made, igraph.Graph) and made.is_directed() and (made.vcount(), made.ecount()) == (3, 1)
    assert made.vs["name"] == ["a", "b", "f"] and made.vs["type"] == ["Package", "Package", "File"]
    assert made.vs["attributes.name"] == ["na", "nb", None] and made.vs["path"] == [None, None, "/"]
    assert made.es[0].attributes()["minimum"] == "1" and made.es[0].tuple == (0, 1)
    assert "size" not in packages.to_igraph(attributes=False).vs.attributes()


def test_rustworkx(graph: brant.Graph) -> None:
    graph.nodes.put_many({"key": key, "attributes": {"k": key}} for key in "abc")
    graph.edges.put_many([{"source": "a", "target": "b"}, {"source": "b", "target": "c"}])
    made = graph.to_rustworkx()
    assert isinstance(made, rustworkx.PyDiGraph)
    assert [node["key"] for node in made.nodes()] == ["a", "b", "c"] and made.nodes()[0]["attributes"] == {"k": "a"}
    assert list(made.edge_list()) == [(0, 1), (1, 2)]
    assert list(rustworkx.topological_sort(made)) == [0, 1, 2]
    assert "attributes" not in graph.to_rustworkx(attributes=False).nodes()[0]


def test_no_library_is_needed() -> None:
    code = "import sys, brant; print(any(name in sys.modules for name in ('networkx', 'igraph', 'rustworkx', 'numpy', 'pydantic')))"
    assert python(code) == "False"
    assert sys.version_info >= (3, 10)
