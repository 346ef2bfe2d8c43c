"""Typed operations."""

from dataclasses import dataclass
from typing import Literal

import pytest

import brant


@dataclass
class Task:
    title: str
    status: Literal["open", "done"] = "open"
    n: int = 0


@dataclass
class DependsOn:
    reason: str


@pytest.fixture
def graph(db: brant.Database) -> brant.Graph:
    db.graph_types.define(brant.module("work", [Task], [brant.edge(DependsOn, source=Task, target=Task)]))
    db.graphs.create("g", "work")
    return db.graph("g")


def test_nodes(db: brant.Database, graph: brant.Graph) -> None:
    tasks = db.types.work.Task
    assert tasks.insert("g", "a", {"title": "A"}) == brant.Put("a", True, 1)
    with pytest.raises(brant.Exists):
        tasks.insert("g", "a", {"title": "A"})
    assert tasks.put("g", "b", Task("B", n=2), metadata={"m": 1}, revision=0).created
    assert tasks.patch("g", "a", {"n": 1}) == brant.Patched("a", 2, True)
    assert tasks.get("g", "a").attributes["n"] == 1 and tasks.get("g", "a").type == "Task"
    assert [task.key for task in tasks.find("g", {"attributes.n": {"$gt": 0}}, order_by="attributes.n", descending=True)] == ["b", "a"]
    assert tasks.count("g") == 2 and tasks.count("g", filter={"key": "a"}) == 1
    with pytest.raises(brant.BrantError):
        tasks.insert("g", "c", {"title": 5})
    assert tasks.delete("g", "b") == 0
    with pytest.raises(brant.NotFound):
        tasks.get("g", "b")


def test_edges_and_models(db: brant.Database, graph: brant.Graph) -> None:
    tasks = db.types["work"].node("Task", Task)
    for key in "abc":
        tasks.insert("g", key, Task(key.upper()))
    assert tasks.get("g", "a").attributes == Task("A")
    page = tasks.find("g", limit=2)
    assert [task.attributes.title for task in page] == ["A", "B"] and page.cursor is not None
    depends = db.types.work.edge("DependsOn", DependsOn)
    made = depends.insert("g", "a", "b", DependsOn("it must"))
    assert depends.get("g", made.key).attributes.reason == "it must"
    assert depends.put("g", "b", "c", {"reason": "so"}, key="bc").key == "bc"
    assert depends.patch("g", "bc", {"reason": "thus"}, revision=1).revision == 2
    assert [edge.attributes.reason for edge in depends.find("g", {"source": "b"})] == ["thus"]
    assert [edge.key for edge in depends.find("g", source="b", target="c")] == ["bc"]
    assert [task.key for task in tasks.find("g", prefix="b")] == ["b"]
    assert depends.count("g") == 2
    depends.delete("g", "bc")
    assert db.types.work.DependsOn.count("g") == 1
    assert tasks.delete("g", "a", edges="delete") == 1


def test_what_is_described(db: brant.Database, graph: brant.Graph) -> None:
    operations = {operation["name"]: operation for operation in db.types.work.operations()}
    assert "types.work.Task.insert" in operations and "types.work.DependsOn.find" in operations
    schema = str(operations["types.work.Task.insert"]["input_schema"])
    assert "status" in schema and "done" in schema
    assert db.call("types.work.Task.count", {"graph": "g"}) == {"count": 0}
    with pytest.raises(brant.NotFound):
        db.call("types.nothing.Task.count", {"graph": "g"})
    with pytest.raises(AttributeError):
        db.types.work.Nothing
    with pytest.raises(brant.NotFound):
        db.types["work"]["Nothing"]
    assert not hasattr(db.types.nothing, "Task") and not hasattr(db.types, "__wrapped__")
    assert repr(db.types.work) == "<brant.TypesOf 'work'>" and "types.work.Task" in repr(db.types.work.Task)
    assert repr(db.types).startswith("<brant.Types of")


def test_built_in_types(db: brant.Database) -> None:
    db.graphs.create("plan", "task")
    db.types.task.Task.insert("plan", "a", {"title": "Write", "status": "ready"})
    assert db.graph("plan").nodes.get("a").attributes["title"] == "Write"
    db.graphs.create("calls", "call")
    db.types.call.Call.insert("calls", "c", {"operation_id": "x", "status": "requested"})
