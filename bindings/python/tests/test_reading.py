"""Filters, orders, plans, indexes, searches."""

from dataclasses import dataclass
from typing import Any

import pytest

import brant


@pytest.fixture
def tasks(db: brant.Database) -> brant.Graph:
    """Tasks t0 to t9: n 0 to 9, status by thirds, a text; each depends on the next, with a cost."""
    db.graph_types.define(brant.module("tasks", {"Task": {}, "Person": {}}, {"DependsOn": brant.edge("x"), "Owns": brant.edge("x")}))
    db.graphs.create("g", "tasks")
    graph = db.graph("g")
    words = ["red apple", "green apple tree", "blue sky"]
    graph.nodes.put_many(
        {"key": f"t{n}", "type": "Task", "attributes": {"n": n, "status": "abc"[n % 3], "text": words[n % 3]}} for n in range(10)
    )
    graph.nodes.put("ann", {"n": None}, type="Person")
    graph.edges.put_many(
        {"source": f"t{n}", "target": f"t{n + 1}", "type": "DependsOn", "attributes": {"cost": n, "note": words[n % 3]}} for n in range(9)
    )
    return graph


@dataclass
class Task:
    n: int
    status: str
    text: str


def keys(page: Any) -> list[str]:
    return [item.key for item in page]


def test_filters(tasks: brant.Graph) -> None:
    nodes = tasks.nodes
    assert keys(nodes.list(filter={"attributes.status": "a"})) == ["t0", "t3", "t6", "t9"]
    wanted = {"type": "Task", "attributes.n": {"$gte": 4, "$lt": 8}, "$not": {"attributes.status": {"$in": ["a"]}}}
    assert keys(nodes.list(filter=wanted)) == ["t4", "t5", "t7"]
    assert keys(nodes.iter(filter={"$or": [{"key": "ann"}, {"attributes.n": 9}]})) == ["ann", "t9"]
    assert [task.attributes.n for task in nodes.list(filter={"attributes.n": {"$gt": 7}}, as_=Task)] == [8, 9]
    assert [task.attributes.n for task in nodes.iter(filter={"attributes.n": {"$gt": 7}}, as_=Task)] == [8, 9]
    assert nodes.count(filter={"attributes.status": {"$ne": "a"}}, type="Task") == 6
    assert nodes.count(filter={"attributes.n": None}) == 1
    edges = tasks.edges
    assert [edge.source for edge in edges.list(filter={"attributes.cost": {"$lte": 1}})] == ["t0", "t1"]
    assert [edge.source for edge in edges.iter(filter={"target": "t3"})] == ["t2"]
    assert edges.count(filter={"source": "t1"}) == 1 and edges.count(type="Owns", filter={}) == 0
    with pytest.raises(brant.Invalid) as caught:
        nodes.list(filter={"attributes.n": {"$around": 1}})
    assert "/filter/attributes.n/$around" in str(caught.value)


def test_orders(tasks: brant.Graph) -> None:
    nodes = tasks.nodes
    assert keys(nodes.list(type="Task", order_by="attributes.n", descending=True, limit=3)) == ["t9", "t8", "t7"]
    assert keys(nodes.iter(order_by="attributes.n"))[:2] == ["ann", "t0"]
    first = nodes.list(order_by="attributes.status", limit=4, type="Task")
    second = nodes.list(order_by="attributes.status", limit=9, type="Task", cursor=first.cursor)
    assert keys(first) + keys(second) == ["t0", "t3", "t6", "t9", "t1", "t4", "t7", "t2", "t5", "t8"]
    assert [edge.source for edge in tasks.edges.list(order_by="attributes.cost", descending=True, limit=2)] == ["t8", "t7"]
    assert [edge.source for edge in tasks.edges.iter(order_by="attributes.cost")] == [f"t{n}" for n in range(9)]
    with pytest.raises(brant.Invalid):
        nodes.list(order_by="attributes.n", cursor=first.cursor)


def test_indexes(db: brant.Database, tasks: brant.Graph) -> None:
    wanted = {"attributes.status": "a"}
    before = tasks.nodes.explain(type="Task", filter=wanted)
    assert before.indexes == [] and before.plan and isinstance(before.plan[0], brant.PlanStep)
    made = db.indexes.create("tasks", ["attributes.status"], node_type="Task")
    assert (made.name, made.kind, made.node_type, made.paths) == ("tasks.Task.attributes.status", "value", "Task", ["attributes.status"])
    assert db.indexes.create("tasks", "attributes.status", node_type="Task") == made
    with pytest.raises(brant.Exists):
        db.indexes.create("tasks", ["attributes.n"], node_type="Task", name=made.name)
    after = tasks.nodes.explain(type="Task", filter=wanted)
    assert after.indexes == [made.name] and not after.scan and "SELECT" in after.sql
    cost = db.indexes.create("tasks", ["attributes.cost"], edge_type="DependsOn", name="cost", timeout=10)
    assert tasks.edges.explain(type="DependsOn", filter={"attributes.cost": 3}).indexes == ["cost"]
    assert sorted(index.name for index in db.indexes) == sorted([made.name, cost.name])
    assert len(db.indexes.list(graph_type="tasks")) == 2 and db.indexes.list(graph_type="open") == []
    db.indexes.create("open", ["attributes.x"], of="nodes")
    for index in db.indexes:
        db.indexes.delete(index.name)
    assert list(db.indexes) == [] and "Indexes" in repr(db.indexes)
    with pytest.raises(brant.NotFound):
        db.indexes.delete(made.name)
    with pytest.raises(brant.NotFound):
        db.indexes.create("nothing", ["attributes.x"], node_type="X")


def test_searches(db: brant.Database, tasks: brant.Graph) -> None:
    with pytest.raises(brant.Constraint):
        tasks.nodes.search("apple")
    db.indexes.create("tasks", ["attributes.text"], node_type="Task", kind="text")
    page = tasks.nodes.search("apple", limit=3)
    assert len(page) == 3 and page.cursor is not None
    rest = tasks.nodes.search("apple", limit=100, cursor=page.cursor)
    found = {hit.node.key for hit in [*page, *rest]}
    assert found == {"t0", "t1", "t3", "t4", "t6", "t7", "t9"}
    assert page[0].score >= page[1].score and "apple" in page[0].snippet
    hits = tasks.nodes.search("apple -tree", type="Task", filter={"attributes.n": {"$gt": 5}}, as_=Task)
    assert sorted(hit.node.attributes.n for hit in hits) == [6, 9]
    with pytest.raises(brant.Invalid):
        tasks.nodes.search('"apple')
    db.indexes.create("tasks", ["attributes.note"], edge_type="DependsOn", kind="text")
    assert {hit.edge.source for hit in tasks.edges.search("sky")} == {"t2", "t5", "t8"}
    tasks.edges.put("t2", "t3", {"note": "nothing"}, type="DependsOn")
    assert {hit.edge.source for hit in tasks.edges.search("sky", as_=lambda attributes: attributes["note"])} == {"t5", "t8"}
