"""What is computed over a graph, and walks."""

import asyncio
from typing import Any

import networkx
import pytest

import brant


@pytest.fixture
def ways(graph: brant.Graph) -> brant.Graph:
    """a-b-d, a-c-d, d-e, with costs; x alone."""
    graph.nodes.put_many({"key": key, "attributes": {"closed": key == "b"}} for key in "abcdex")
    costs = {"ab": 1, "ac": 5, "bd": 1, "cd": 1, "de": 2}
    graph.edges.put_many({"source": k[0], "target": k[1], "key": k, "attributes": {"cost": cost}} for k, cost in costs.items())
    return graph


def test_shortest_path(ways: brant.Graph) -> None:
    path = ways.shortest_path("a", "e")
    assert path == brant.Path(True, ["a", "b", "d", "e"], ["ab", "bd", "de"], 3, 3) and path
    assert ways.shortest_path("a", "e", weight="attributes.cost").cost == 4
    around = ways.shortest_path("a", "e", weight="attributes.cost", node_filter={"attributes.closed": False}, timeout=10)
    assert around.edges == ["ac", "cd", "de"] and around.cost == 8
    assert ways.shortest_path("a", "d", edge_filter={"attributes.cost": {"$ne": 5}}).keys == ["a", "b", "d"]
    assert ways.shortest_path("e", "a", direction="in").length == 3
    assert ways.shortest_path("a", "x") == brant.Path(False, [], [], None, None)
    assert not ways.shortest_path("a", "x") and not ways.shortest_path("a", "e", max_depth=2)
    assert not ways.shortest_path("a", "e", edge_types=[])
    assert ways.shortest_path("a", "d", weight="attributes.none", default_weight=2).cost == 4
    with pytest.raises(brant.Constraint):
        ways.shortest_path("a", "d", weight="attributes.none")
    with pytest.raises(brant.NotFound):
        ways.shortest_path("a", "nothing")
    with pytest.raises(brant.Invalid):
        ways.shortest_path("a", "d", unknown=1)  # type: ignore[call-arg]


def test_shortest_paths(ways: brant.Graph) -> None:
    reached = ways.shortest_paths("a", weight="attributes.cost")
    assert dict(reached.items()) == {"a": 0, "b": 1, "d": 2, "e": 4, "c": 5} and len(reached) == 5
    assert reached.path_to("e") == ["a", "b", "d", "e"]
    with pytest.raises(ValueError):
        reached.path_to("x")
    assert ways.shortest_paths("a", max_depth=1).keys == ["a", "b", "c"]
    assert ways.shortest_paths("a", weight="attributes.cost", max_cost=2).keys == ["a", "b", "d"]
    assert ways.shortest_paths("a", limit=2).truncated


def test_paths_and_walks(ways: brant.Graph) -> None:
    paths = ways.paths("a", "e", max_depth=5)
    assert list(paths) == [["a", "b", "d", "e"], ["a", "c", "d", "e"]] and len(paths) == 2 and not paths.truncated
    assert paths.edges[0] == ["ab", "bd", "de"]
    assert ways.paths("a", "e", max_depth=5, limit=1).truncated
    assert ways.count_walks(3, sources=["a"], targets=["e"]) == 2
    assert ways.count_walks(2) == 4 and ways.count_walks(2, up_to=True) == 9
    assert ways.count_walks(1, sources="a", direction="out") == 2


def test_order_and_cycles(ways: brant.Graph) -> None:
    order = ways.topological_order()
    assert order.layers() == [["a", "x"], ["b", "c"], ["d"], ["e"]] and len(order) == 6 and list(order)[0] == "a"
    assert not ways.find_cycle()
    ways.edges.put("e", "a", key="ea")
    cycle = ways.find_cycle(timeout=10)
    assert cycle and sorted(cycle.keys)[0] == "a" and len(cycle.edges) == 4
    with pytest.raises(brant.Constraint) as caught:
        ways.topological_order()
    assert len(caught.value.detail["cycle"]) >= 3
    assert len(ways.topological_order(edge_filter={"key": {"$ne": "ea"}})) == 6
    strong = ways.components("strong")
    assert strong.groups() == [["a", "b", "c", "d", "e"], ["x"]] and len(strong) == strong.count == 2
    assert ways.components().sizes == [5, 1]


def test_subgraphs_and_degrees(ways: brant.Graph) -> None:
    part = ways.subgraph(["a", "b", "d"])
    assert [node.key for node in part.nodes] == ["a", "b", "d"] and [edge.key for edge in part.edges] == ["ab", "bd"]
    assert ways.subgraph(filter={"key": {"$in": ["d", "e"]}}, timeout=9).edges[0].attributes == {"cost": 2}
    assert ways.subgraph(["a", "b"], edge_filter={"attributes.cost": 9}).edges == []
    assert ways.subgraph(filter={}, limit=2).truncated
    assert dict(ways.degrees(direction="both").items()) == {"a": 2, "b": 2, "c": 2, "d": 3, "e": 1, "x": 0}
    assert ways.degrees(direction="both", descending=True, limit=1) == brant.Degrees(["d"], [3])
    assert ways.degrees(["a", "e"], direction="out").degrees == [2, 0]


def reference(graph: Any, **options: Any) -> dict[str, float]:
    """NetworkX's own in plain Python: the other one needs SciPy."""
    ranks = getattr(networkx.algorithms.link_analysis.pagerank_alg, "_pagerank_python")(graph, max_iter=1000, **options)
    return dict(ranks)


def test_pagerank(ways: brant.Graph) -> None:
    ranks = ways.pagerank(tolerance=1e-10, max_iterations=1000)
    assert ranks.converged and len(ranks) == 6 and ranks.scores == sorted(ranks.scores, reverse=True)
    made = networkx.DiGraph([(edge.source, edge.target, edge.attributes) for edge in ways.edges])
    made.add_node("x")
    expected = reference(made, tol=1e-10)
    assert dict(ranks.items()) == pytest.approx(expected, abs=1e-8)
    weighted = dict(ways.pagerank(weight="attributes.cost", personalization={"a": 1, "x": 2}, damping=0.5, tolerance=1e-10).items())
    expected = reference(made, alpha=0.5, weight="cost", personalization={"a": 1, "x": 2}, tol=1e-10)
    assert weighted == pytest.approx(expected, abs=1e-8)
    assert len(ways.pagerank(limit=2)) == 2


def test_orders_of_closures(ways: brant.Graph) -> None:
    assert ways.nodes.closure("a", order="depth").keys == ["a", "b", "d", "e", "c"]
    assert ways.nodes.closure("a", node_filter={"attributes.closed": False}).keys == ["a", "c", "d", "e"]
    assert ways.nodes.closure("a", edge_filter={"attributes.cost": {"$lt": 5}}).keys == ["a", "b", "d", "e"]


# ---- walks ------------------------------------------------------------------------------------------------------------------


@pytest.fixture
def long(graph: brant.Graph) -> brant.Graph:
    """A chain of 25 000 nodes."""
    graph.nodes.put_many({"key": f"{n:05}"} for n in range(25_000))
    graph.edges.put_many({"source": f"{n:05}", "target": f"{n + 1:05}"} for n in range(24_999))
    return graph


def check(batches: list[brant.WalkBatch], count: int) -> None:
    keys = [key for batch in batches for key in batch.keys]
    assert keys == [f"{n:05}" for n in range(count)]
    assert [depth for batch in batches for depth in batch.depths] == list(range(count))
    assert [parent for batch in batches for parent in batch.parents] == list(range(-1, count - 1))
    assert all(0 < len(batch) <= 10_000 for batch in batches)


def test_a_walk(db: brant.Database, long: brant.Graph) -> None:
    batches = []
    for batch in long.nodes.walk("00000"):
        batches.append(batch)
        long.nodes.put("another")  # no transaction is open, and what is written does not matter
    check(batches, 25_000)
    assert len(batches) == 3
    with long.nodes.walk(["00000"], max_depth=10, order="depth", timeout=30) as walk:
        check(list(walk), 11)
        assert list(walk) == []
    assert repr(walk).endswith("closed>")
    walk = long.nodes.walk(["00000"])
    next(walk)
    walk.close()
    walk.close()
    assert list(walk) == []
    with pytest.raises(brant.Closed):
        walk.take()
    with db.transaction():
        check(list(long.nodes.walk("00000", edge_filter={"attributes.none": None})), 25_000)
    with pytest.raises(brant.NotFound):
        long.nodes.walk("nothing")
    walk = long.nodes.walk("00000")
    db.close()
    with pytest.raises(brant.Closed):
        list(walk)


def test_a_walk_in_asyncio(db: brant.Database, long: brant.Graph) -> None:
    async def walk(**options: Any) -> list[brant.WalkBatch]:
        return [batch async for batch in long.nodes.walk("00000", **options)]

    async def both() -> None:
        whole, part = await asyncio.gather(walk(), walk(max_depth=99))
        check(whole, 25_000)
        check(part, 100)
        with db.transaction():
            check(await walk(max_depth=9), 10)

    asyncio.run(both())
