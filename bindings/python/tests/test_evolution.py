"""Modules without a database, and graph types that change."""

import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

import brant
from brant import modules


def tasks(**properties: Any) -> dict[str, Any]:
    task = {"type": "object", "properties": properties, "required": list(properties)[:1], "additionalProperties": False}
    return brant.module("tasks", {"Task": task}, {"DependsOn": brant.edge({"type": "object"}, source="Task", target="Task", max_out=2)})


ONE = tasks(title={"type": "string"}, old={"type": "integer"})
ADDED = tasks(title={"type": "string"}, old={"type": "integer"}, new={"type": "integer"})
UPCAST = tasks(title={"type": "string"})
BREAKING = tasks(title={"type": "string", "minLength": 3}, old={"type": "integer"})


def test_types() -> None:
    types = modules.types(ONE)
    assert types.id == "tasks" and types.config["directed"] == "directed" and types.warnings == []
    assert [type.name for type in types.node_types] == ["Task"]
    assert types.node_types[0].schema["required"] == ["title"]
    edge = types.edge_types[0]
    assert (edge.name, edge.source, edge.target, edge.max_out, edge.max_in) == ("DependsOn", ["Task"], ["Task"], 2, None)
    with pytest.raises(brant.Validation):
        modules.types({"$defs": {"TaskNode": {"type": "what"}}})


def test_validate() -> None:
    assert modules.validate_node(ONE, "Task", {"title": "x"})
    report = modules.validate_node(ONE, "Task", {"title": 1})
    assert not report and report.violations[0].instance == "/title"
    assert modules.validate_edge(ONE, "DependsOn", {}, source_type="Task", target_type="Task")
    with pytest.raises(brant.Invalid):
        modules.validate_edge(ONE, "DependsOn", {}, source_type="File")
    dated = tasks(at={"type": "string", "format": "date"})
    assert not modules.validate_node(dated, "Task", {"at": "soon"})
    assert modules.validate_node(dated, "Task", {"at": "soon"}, formats="annotate")
    with pytest.raises(brant.Invalid):
        modules.validate_node(ONE, "Nothing", {})

    @dataclass
    class Task:
        title: str

    assert modules.validate_node(brant.module("m", [Task]), "Task", Task("x"))


def test_diff() -> None:
    assert modules.diff(ONE, ONE) == brant.ModuleDiff("identical", [])
    added = modules.diff(ONE, ADDED)
    assert added.class_ == "additive" and added.edits[0].op == "add" and added.edits[0].entry == "TaskNode"
    assert added.edits[0].pointer == "/$defs/TaskNode/properties/new" and added.edits[0].reason
    assert modules.diff(ONE, UPCAST).class_ == "upcast"
    breaking = modules.diff(ONE, BREAKING)
    assert breaking.class_ == "breaking" and breaking.edits[0].class_ == "breaking"


def test_cast_and_patch() -> None:
    module = tasks(title={"type": "string"}, n={"type": "integer", "default": 3})
    cast = modules.cast(module, {"title": "x", "gone": 1}, node_type="Task")
    assert cast and cast.changed and cast.attributes == {"title": "x", "n": 3}
    assert {edit["op"] for edit in cast.edits} == {"add", "remove"}
    assert modules.patch({"title": "x", "gone": 1}, cast.edits) == {"title": "x", "n": 3}
    bad = modules.cast(module, {"title": 5}, node_type="Task")
    assert not bad and bad.violations[0].instance == "/title" and bad.attributes["title"] == 5
    assert modules.cast(module, {}, edge_type="DependsOn").changed is False
    assert modules.patch({"a/b": [1]}, [{"op": "replace", "path": "/a~1b/0", "value": 2}]) == {"a/b": [2]}
    with pytest.raises(brant.Conflict):
        modules.patch({}, [{"op": "test", "path": "", "value": 1}])
    with pytest.raises(brant.Invalid):
        modules.patch({}, [{"op": "what", "path": ""}])


def test_no_database_is_opened(tmp_path: Path) -> None:
    code = "import brant; print(brant.modules.validate_node({'$defs': {'TaskNode': {'type': 'object'}}}, 'Task', {}).valid)"
    folder = Path(brant.__file__).parent.parent
    done = subprocess.run([sys.executable, "-c", code], cwd=tmp_path, env={"PYTHONPATH": str(folder)}, capture_output=True, text=True)
    assert done.stdout.strip() == "True", done.stderr
    assert list(tmp_path.iterdir()) == []


@pytest.fixture
def graph(db: brant.Database) -> brant.Graph:
    db.graph_types.define(ONE)
    db.graphs.create("g", "tasks")
    graph = db.graph("g")
    graph.nodes.insert_many({"key": f"t{n:03}", "attributes": {"title": "x" * (n % 5 + 1), "old": n}} for n in range(100))
    return graph


def test_an_additive_update(db: brant.Database, graph: brant.Graph) -> None:
    assert db.graph_types.diff("tasks", ADDED).class_ == "additive"
    assert db.graph_types.update("tasks", ADDED, metadata={"by": "me"}).metadata == {"by": "me"}
    graph.nodes.put("t000", {"title": "x", "new": 1})
    with pytest.raises(brant.NotFound):
        db.graph_types.update("nothing", ADDED)


def test_a_migration(db: brant.Database, graph: brant.Graph) -> None:
    with pytest.raises(brant.Constraint):
        db.graph_types.update("tasks", UPCAST)
    check = db.graph_types.check("tasks", UPCAST)
    assert (check.class_, check.nodes, check.cursor) == ("upcast", brant.Checked(100, 0, 100, 0), None)
    assert db.graph_types.check("tasks").nodes.valid == 100
    with pytest.raises(brant.NotFound):
        db.graph_types.migration("tasks")
    assert db.graph_types.update("tasks", UPCAST, version=2).version == 2
    first = db.graph_types.migrate("tasks", batch=30, limit=1)
    assert not first.done and first.migrated == 30 and first.remaining == 70
    migration = db.graph_types.migration("tasks")
    assert (migration.from_version, migration.to_version, migration.migrated, migration.done) == (1, 2, 30, False)
    seen: list[tuple[int, int]] = []
    rest = db.graph_types.migrate("tasks", batch=30, progress=lambda so_far: seen.append((so_far.migrated, so_far.remaining)))
    assert rest.done and rest.migrated == 70 and rest.failures == []
    assert seen[:2] == [(30, 40), (60, 10)] and seen[-1] == (70, 0)
    assert all(node.attributes.keys() == {"title"} for node in graph.nodes)
    assert db.graph_types.migration("tasks").done
    assert graph.nodes.count(filter={"type_version": 2}) == 100


def test_a_migration_that_fails(db: brant.Database, graph: brant.Graph) -> None:
    check = db.graph_types.check("tasks", BREAKING, limit=60)
    assert check.class_ == "breaking" and check.nodes.failing == 24 and check.cursor is not None
    assert check.failures[0].key == "t000" and check.failures[0].violations[0].instance == "/title"
    rest = db.graph_types.check("tasks", BREAKING, limit=60, cursor=check.cursor, timeout=20)
    assert check.nodes.checked + rest.nodes.checked == 100
    db.graph_types.update("tasks", BREAKING, version=2)
    stopped = db.graph_types.migrate("tasks", batch=10)
    assert not stopped.done and stopped.failures[0].key == "t000"
    skipped = db.graph_types.migrate("tasks", batch=10, on_failure="skip")
    assert skipped.done and skipped.failed == 40
    assert len(skipped.failures) == 40
    graph.nodes.patch("t000", {"title": "long enough"})


def test_a_migration_with_patches(db: brant.Database, graph: brant.Graph) -> None:
    module = tasks(name={"type": "string"})
    db.graph_types.update("tasks", module, version=2)
    moves = [{"op": "move", "from": "/title", "path": "/name"}]
    assert db.graph_types.migrate("tasks", patches={"Task": moves}).migrated == 100
    assert graph.nodes.get("t001").attributes == {"name": "xx"}


def test_a_module_that_imports(db: brant.Database) -> None:
    db.graph_types.define(brant.module("shared", definitions={"Money": {"type": "integer", "minimum": 0}}))
    db.graph_types.define(brant.module("shop", {"Item": {"properties": {"price": {"$ref": "shared#/$defs/Money"}}}}))
    assert not db.graph_types.validate_node("shop", "Item", {"price": -1})
