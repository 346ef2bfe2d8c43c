"""Modules made of classes, and classes through the file and back."""

import datetime
import enum
import uuid
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Annotated, Any, Literal, NewType, Optional, TypedDict, Union

import annotated_types
import pydantic
import pytest
from typing_extensions import NotRequired

import brant


class Level(enum.Enum):
    LOW = 1
    HIGH = 2


@dataclass
class Step:
    """One step of a task."""

    text: str
    after: Optional["Step"] = None


@dataclass
class Note:
    kind: Literal["note"]
    text: str


@dataclass
class Link:
    kind: Literal["link"]
    url: str


@dataclass
class Task:
    title: Annotated[str, {"minLength": 1}]
    status: Literal["open", "done"] = "open"
    level: Level = Level.LOW
    due: datetime.datetime | None = None
    day: datetime.date | None = None
    hour: datetime.time | None = None
    id: uuid.UUID | None = None
    effort: Annotated[float, annotated_types.Ge(0), annotated_types.Lt(100)] = 1.0
    tags: list[str] = field(default_factory=list)
    marks: set[str] = field(default_factory=set)
    span: tuple[int, int] | None = None
    rest: tuple[float, ...] = ()
    steps: dict[str, Step] = field(default_factory=dict)
    parts: list[Union[Note, Link]] = field(default_factory=list)
    extra: Any = None


@dataclass
class DependsOn:
    reason: str | None = None


class Person(pydantic.BaseModel):
    name: str = pydantic.Field(min_length=1)
    home: "Place | None" = None


class Place(pydantic.BaseModel):
    city: str
    within: "Place | None" = None


class Knows(TypedDict):
    since: int
    how: NotRequired[str]


def full_task() -> Task:
    zone = datetime.timezone(datetime.timedelta(hours=2))
    return Task(
        "Write",
        level=Level.HIGH,
        due=datetime.datetime(2026, 5, 1, 12, 30, 15, 250000, zone),
        day=datetime.date(2026, 5, 1),
        hour=datetime.time(12, 30, tzinfo=datetime.timezone.utc),
        id=uuid.UUID(int=7),
        tags=["a"],
        marks={"y", "x"},
        span=(1, 2),
        rest=(0.5, 1.5),
        steps={"first": Step("one", Step("two"))},
        parts=[Link("link", "http://x"), Note("note", "n")],
    )


def test_a_module_of_dataclasses(db: brant.Database) -> None:
    made = brant.module(
        "tasks", nodes=[Task], edges=[brant.edge(DependsOn, source=Task, target=Task, max_out=3)], directed=True, acyclic=True
    )
    defined = db.graph_types.define(made)
    assert defined.node_types == ["Task"] and defined.edge_types == [brant.EdgeType("DependsOn", ["Task"], ["Task"])]
    assert (defined.config["directed"], defined.config["acyclic"], defined.config["multi"]) == ("directed", True, False)
    db.graphs.create("g", "tasks")
    graph = db.graph("g")
    graph.nodes.put("a", full_task())
    graph.nodes.put("b", Task("Read"))
    read = graph.nodes.get("a", as_=Task).attributes
    assert read == full_task() and isinstance(read.parts[0], Link) and isinstance(read.steps["first"].after, Step)
    assert graph.nodes.get("a").attributes["due"] == "2026-05-01T12:30:15.250000+02:00"
    assert graph.nodes.get("b", as_=Task).attributes == Task("Read")
    graph.edges.put("a", "b", DependsOn("it must"))
    assert graph.edges.list(as_=DependsOn)[0].attributes.reason == "it must"
    for key, wrong in {
        "title": {"title": ""},
        "status": {"title": "x", "status": "gone"},
        "level": {"title": "x", "level": 3},
        "due": {"title": "x", "due": "soon"},
        "id": {"title": "x", "id": "x"},
        "effort": {"title": "x", "effort": 100},
        "marks": {"title": "x", "marks": ["a", "a"]},
        "span": {"title": "x", "span": [1]},
        "steps": {"title": "x", "steps": {"a": {}}},
        "parts": {"title": "x", "parts": [{"kind": "note", "url": "x"}]},
    }.items():
        with pytest.raises(brant.Validation) as caught:
            graph.nodes.put("w", wrong)
        assert caught.value.detail["violations"][0]["instance"].startswith(f"/{key}"), (key, caught.value.detail)
    with pytest.raises(brant.Validation):
        graph.nodes.put("w", {"title": "x", "unknown": 1})
    with pytest.raises(brant.Constraint):
        graph.edges.put("b", "a", DependsOn())


def test_the_schema_of_a_dataclass() -> None:
    schema = brant.schema(Step)
    assert schema["$ref"] == "#/$defs/Step"
    assert schema["$defs"]["Step"] == {
        "type": "object",
        "description": "One step of a task.",
        "properties": {
            "text": {"type": "string"},
            "after": {"anyOf": [{"$ref": "#/$defs/Step"}, {"type": "null"}], "default": None},
        },
        "required": ["text"],
        "additionalProperties": False,
    }
    task = brant.schema(Task)["$defs"]["Task"]
    assert task["required"] == ["title"] and "description" not in task
    assert task["properties"]["title"] == {"type": "string", "minLength": 1}
    assert task["properties"]["status"] == {"enum": ["open", "done"], "default": "open"}
    assert task["properties"]["level"] == {"enum": [1, 2], "default": 1}
    assert task["properties"]["effort"] == {"type": "number", "minimum": 0, "exclusiveMaximum": 100, "default": 1.0}
    assert task["properties"]["tags"] == {"type": "array", "items": {"type": "string"}, "default": []}
    assert task["properties"]["marks"]["uniqueItems"] is True
    assert task["properties"]["span"]["anyOf"][0]["prefixItems"] == [{"type": "integer"}] * 2
    assert task["properties"]["extra"] == {"default": None}


def test_a_module_of_pydantic_models(db: brant.Database) -> None:
    made = brant.module("people", [Person, Place], [brant.edge(Knows, source=Person, target=[Person, "Place"])], directed=False)
    assert brant.modules is not None
    defined = db.graph_types.define(made)
    assert sorted(defined.node_types) == ["Person", "Place"]
    assert defined.edge_types == [brant.EdgeType("Knows", ["Person"], ["Person", "Place"])]
    assert defined.config["directed"] == "undirected"
    db.graphs.create("g", "people")
    graph = db.graph("g")
    ann = Person(name="Ann", home=Place(city="Bonn", within=Place(city="NRW")))
    graph.nodes.put("ann", ann, type="Person")
    graph.nodes.put("bonn", Place(city="Bonn"), type="Place")
    assert graph.nodes.get("ann", as_=Person).attributes == ann
    graph.edges.put("ann", "bonn", Knows(since=3))
    knows = graph.edges.list(as_=Knows)[0].attributes
    assert knows == {"since": 3} and knows["since"] == 3
    for wrong in ({}, {"since": "x"}, {"since": 1, "x": 1}):
        with pytest.raises(brant.Validation):
            graph.edges.put("ann", "bonn", wrong, type="Knows")
    with pytest.raises(brant.Validation) as caught:
        graph.nodes.put("bob", {"name": "Bob", "home": {"city": "X", "within": {"city": 1}}}, type="Person")
    assert caught.value.detail["violations"]


def test_names_of_definitions_never_look_like_types(db: brant.Database) -> None:
    class TreeNode(pydantic.BaseModel):
        left: "TreeNode | None" = None

    class Config(pydantic.BaseModel):
        fast: bool = False

    class Plant(pydantic.BaseModel):
        root: TreeNode
        config: Config

    TreeNode.model_rebuild(_types_namespace={"TreeNode": TreeNode})
    Plant.model_rebuild(_types_namespace={"TreeNode": TreeNode, "Config": Config})
    made = brant.module("plants", [Plant])
    assert db.graph_types.define(made).node_types == ["Plant"]
    assert sorted(made["$defs"]) == ["Config", "ConfigType", "PlantNode", "TreeNodeType"]
    db.graphs.create("g", "plants")
    db.graph("g").nodes.put("p", Plant(root=TreeNode(left=TreeNode()), config=Config(fast=True)))
    with pytest.raises(brant.Validation):
        db.graph("g").nodes.put("q", {"root": {"left": {"left": 1}}, "config": {}})


def test_definitions_of_one_name_and_of_one_meaning() -> None:
    def about(inner: str) -> dict[str, Any]:
        return {
            "type": "object",
            "properties": {"a": {"$ref": "#/$defs/Outer"}},
            "$defs": {
                "Outer": {"type": "object", "properties": {"i": {"$ref": "#/$defs/Inner"}}},
                "Inner": {"type": inner},
            },
        }

    made = brant.module("m", {"One": about("string"), "Two": about("integer"), "Three": about("string")})
    entries = made["$defs"]
    assert sorted(entries) == ["Config", "Inner", "Inner2", "OneNode", "Outer", "Outer2", "ThreeNode", "TwoNode"]

    def inner_of(type: str) -> Any:
        outer = entries[type]["properties"]["a"]["$ref"].rsplit("/", 1)[1]
        return entries[entries[outer]["properties"]["i"]["$ref"].rsplit("/", 1)[1]]

    assert [inner_of(f"{type}Node") for type in ("One", "Two", "Three")] == [
        {"type": "string"},
        {"type": "integer"},
        {"type": "string"},
    ]
    assert about("string") == about("string")  # what was given is not changed


def test_plain_schemas_and_names(db: brant.Database) -> None:
    list_schema = {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "$id": "https://example.org/list",
        "title": "LinkedList",
        "type": "object",
        "properties": {"next": {"$ref": "#"}, "place": {"$ref": "#/$defs/Shared"}, "const": {"$ref": "#"}},
        "additionalProperties": False,
    }
    shared = {"type": "string"}
    made = brant.module(
        "lists",
        nodes=[list_schema, "Thing"],
        edges={"refersTo": brant.edge("any"), "Holds": {"type": "object", "maxProperties": 0}},
        definitions={"Shared": shared},
        description="lists",
        multi=True,
        allow_self_loops=False,
        max_nodes=10,
        max_edges=20,
    )
    assert made["$id"] == "lists" and made["description"] == "lists"
    defined = db.graph_types.define(made)
    assert sorted(defined.node_types) == ["LinkedList", "Thing"]
    assert sorted(edge_type.name for edge_type in defined.edge_types) == ["Holds", "RefersTo"]
    assert (defined.config["multi"], defined.config["max_nodes"], defined.config["max_edges"]) == (True, 10, 20)
    assert db.graph_types.validate_node("lists", "LinkedList", {"next": {"next": {"place": "x"}}})
    assert not db.graph_types.validate_node("lists", "LinkedList", {"next": {"next": {"place": 1}}})
    assert not db.graph_types.validate_node("lists", "LinkedList", {"const": 1})
    assert db.graph_types.validate_node("lists", "Thing", {"any": ["thing"]})
    untyped = db.graph_types.define(brant.module("loose", directed="mixed"))
    assert untyped.node_types == [] and untyped.config["directed"] == "mixed"


def test_classes_named_as_entries() -> None:
    @dataclass
    class TaskNode:
        n: int

    @dataclass
    class my_link:
        n: int

    made = brant.module("m", [TaskNode], [brant.edge(my_link, source=TaskNode)])
    assert sorted(made["$defs"]) == ["Config", "MyLinkEdge", "MyLinkEdgeConstraints", "TaskNode"]
    assert made["$defs"]["MyLinkEdgeConstraints"]["properties"] == {"source": {"const": "Task"}}


def test_what_cannot_be_a_module() -> None:
    @dataclass
    class Odd:
        number: complex

    @dataclass
    class ByNumber:
        names: dict[int, str]

    with pytest.raises(TypeError, match="Odd.number"):
        brant.module("m", [Odd])
    with pytest.raises(TypeError, match="names in JSON are text"):
        brant.module("m", [ByNumber])
    with pytest.raises(ValueError, match="TaskNode"):
        brant.module("m", [Task, Task])
    with pytest.raises(ValueError, match="title"):
        brant.module("m", [{"type": "object"}])
    with pytest.raises(TypeError):
        brant.module("m", [5])  # type: ignore[list-item]
    with pytest.raises(TypeError):
        brant.module("m", "Task")
    with pytest.raises(TypeError):
        brant.module("m", [int])


UserId = NewType("UserId", str)


@dataclass
class Kinds:
    user: UserId
    both: Union[int, str]
    maybe: Union[int, Step, None]
    seen: Sequence[int]
    steps: Union[list[Step], Level, datetime.date]
    bare: list  # type: ignore[type-arg]
    table: dict  # type: ignore[type-arg]
    frozen: frozenset[int]
    hidden: Annotated[list[int], annotated_types.MinLen(1), pydantic.Field(max_length=3)]
    made: int = field(init=False, default=5)


def test_kinds_of_fields(graph: brant.Graph) -> None:
    properties = brant.schema(Kinds)["$defs"]["Kinds"]["properties"]
    assert properties["user"] == {"type": "string"}
    assert properties["both"] == {"type": ["integer", "string"]}
    assert len(properties["maybe"]["anyOf"]) == 3
    assert properties["seen"] == {"type": "array", "items": {"type": "integer"}}
    assert (properties["bare"], properties["table"]) == ({"type": "array"}, {"type": "object"})
    assert properties["frozen"] == {"type": "array", "items": {"type": "integer"}, "uniqueItems": True}
    assert properties["hidden"] == {"type": "array", "items": {"type": "integer"}, "minItems": 1, "maxItems": 3}
    assert properties["made"] == {"type": "integer", "default": 5}
    kinds = Kinds(UserId("u"), "text", Step("s"), [1, 2], [Step("t")], [1], {"a": 1}, frozenset({3, 1}), [1])
    graph.nodes.put("k", kinds)
    assert graph.nodes.get("k", as_=Kinds).attributes == kinds
    assert graph.nodes.get("k").attributes["frozen"] == [1, 3]
    for value in (Level.HIGH, datetime.date(2026, 5, 1)):
        kinds.steps = value
        graph.nodes.put("k", kinds)
        assert graph.nodes.get("k", as_=Kinds).attributes.steps == value


@pytest.mark.parametrize(
    "text",
    ["2026-05-01T12:30:15Z", "2026-05-01t12:30:15.5z", "2026-05-01 12:30:15.123456789+02:00", "2026-05-01T12:30:15-00:30"],
)
def test_times_as_others_write_them(graph: brant.Graph, text: str) -> None:
    graph.nodes.put("t", {"title": "x", "due": text})
    due = graph.nodes.get("t", as_=Task).attributes.due
    assert due is not None and due.tzinfo is not None and (due.hour, due.minute, due.second) == (12, 30, 15)


def test_pydantic_dataclasses(db: brant.Database) -> None:
    @pydantic.dataclasses.dataclass
    class Sized:
        size: Annotated[int, pydantic.Field(gt=0)]

    db.graph_types.define(brant.module("sized", [Sized]))
    assert db.graph_types.validate_node("sized", "Sized", {"size": 1})
    assert not db.graph_types.validate_node("sized", "Sized", {"size": 0})
    db.graphs.create("g", "sized")
    db.graph("g").nodes.put("a", Sized(size=4))
    assert db.graph("g").nodes.get("a", as_=Sized).attributes.size == 4
