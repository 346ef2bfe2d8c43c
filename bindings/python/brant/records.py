"""What calls answer. Every record is a snapshot: changing one changes nothing in the file. Times are ms since the Unix epoch."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any, Generic, TypedDict, TypeVar, overload

from ._payload import content

T = TypeVar("T")
A = TypeVar("A")

Json = dict[str, Any]


@dataclass(slots=True)
class Node(Generic[A]):
    """A node. `attributes` is a dict, or an instance of what `as_` named; `type` is None in an untyped graph."""

    key: str
    type: str | None
    attributes: A
    metadata: Json
    revision: int
    created_at: int
    updated_at: int


@dataclass(slots=True)
class Edge(Generic[A]):
    """An edge from `source` to `target`, which are nodes' keys; `undirected` is None but in mixed graphs."""

    key: str
    type: str | None
    source: str
    target: str
    attributes: A
    metadata: Json
    revision: int
    created_at: int
    updated_at: int
    undirected: bool | None = None


@dataclass(slots=True)
class NeighborEdge(Generic[A]):
    """The edge that leads to a neighbor; `undirected` is None but in mixed graphs."""

    key: str
    type: str | None
    source: str
    target: str
    attributes: A
    undirected: bool | None = None


@dataclass(slots=True)
class Neighbor(Generic[A]):
    """A node next to another, by one edge."""

    key: str
    type: str | None
    edge: NeighborEdge[A]


@dataclass(slots=True)
class Page(Generic[T]):
    """Some items, and the `cursor` that the next call goes on from; None at the end."""

    items: list[T]
    cursor: str | None

    def __iter__(self) -> Iterator[T]:
        return iter(self.items)

    def __len__(self) -> int:
        return len(self.items)

    @overload
    def __getitem__(self, index: int) -> T: ...
    @overload
    def __getitem__(self, index: slice) -> list[T]: ...
    def __getitem__(self, index: int | slice) -> T | list[T]:
        return self.items[index]


@dataclass(slots=True)
class Put:
    """What a put did: `created` is False when the thing existed and was replaced."""

    key: str
    created: bool
    revision: int


@dataclass(slots=True)
class Violation:
    """`instance` and `schema` are JSON pointers: to the value at fault and to the keyword that refused it."""

    instance: str
    schema: str
    keyword: str
    message: str


@dataclass(slots=True)
class GraphDeleted:
    """How much a graph has that is marked deleted."""

    nodes: int
    edges: int


@dataclass(slots=True)
class GraphInfo:
    """What is known of a graph; `nodes` and `edges` are counts; `changes`: a log of what is written is kept."""

    id: str
    name: str
    graph_type: str
    owner_id: str | None
    project_id: str | None
    status: str
    metadata: Json
    nodes: int
    edges: int
    created_at: int
    updated_at: int
    changes: bool = False


@dataclass(slots=True)
class EdgeType:
    """An edge type: the node types its ends may have; None: any."""

    name: str
    source: list[str] | None
    target: list[str] | None


@dataclass(slots=True)
class GraphType:
    """A graph type; `module` is there when it was asked for by name."""

    id: str
    name: str
    scope: str
    version: int
    config: Json
    node_types: list[str]
    edge_types: list[EdgeType]
    metadata: Json
    created_at: int
    updated_at: int
    module: Json | None = None
    retention: Json | None = None
    warnings: list[ModuleWarning] = field(default_factory=list)


@dataclass(slots=True)
class ModuleWarning:
    """Something in a module that is allowed and may not be what was meant."""

    pointer: str
    message: str


@dataclass(slots=True)
class ValidationReport:
    """True where there are no violations."""

    valid: bool
    violations: list[Violation]

    def __bool__(self) -> bool:
        return self.valid


@dataclass(slots=True)
class Info:
    """What a file is."""

    path: str
    role: str
    mode: str
    durability: str
    format: int
    version: str
    sqlite_version: str
    page_size: int
    pages: int
    size: int
    wal_size: int
    graphs: int
    nodes: int
    edges: int
    created_at: int
    queues: int = 0
    jobs: int = 0
    streams: int = 0
    events: int = 0
    locks: int = 0
    schedules: int = 0


@dataclass(slots=True)
class Check:
    name: str
    ok: bool
    problems: list[str]


@dataclass(slots=True)
class Health:
    """What `Database.doctor` found; true where all is well."""

    ok: bool
    checks: list[Check]

    def __bool__(self) -> bool:
        return self.ok


@dataclass(slots=True)
class Copied:
    """What a backup or restore wrote."""

    path: str
    pages: int
    size: int


@dataclass(slots=True)
class Gap:
    """Notifications that were removed before they were read: their ids from `first` to `last`. From 0: the file was restored, everything
    may have changed."""

    first: int
    last: int


@dataclass(slots=True)
class Notification:
    """What was published on a channel. With `gap`, it stands for those that were lost: `id` is the last one's, the payload None."""

    id: int
    channel: str
    payload: Any
    created_at: int
    gap: Gap | None = None


@dataclass(slots=True)
class Result:
    """What a statement answered: rows as tuples; blobs are bytes."""

    columns: tuple[str, ...]
    rows: list[tuple[Any, ...]] = field(repr=False)
    changes: int
    lastrowid: int

    def __iter__(self) -> Iterator[tuple[Any, ...]]:
        return iter(self.rows)

    def __len__(self) -> int:
        return len(self.rows)

    def __bool__(self) -> bool:
        return True

    def __getitem__(self, index: int) -> tuple[Any, ...]:
        return self.rows[index]

    def first(self) -> tuple[Any, ...] | None:
        """The first row, or None."""
        return self.rows[0] if self.rows else None

    def scalar(self) -> Any:
        """The first row's first column, or None."""
        return self.rows[0][0] if self.rows else None

    def dicts(self) -> list[Json]:
        """The rows as dicts by column name."""
        return [dict(zip(self.columns, row)) for row in self.rows]


class Limits(TypedDict, total=False):
    """`document` bytes, `depth` levels, `key` bytes, `batch` items."""

    document: int
    depth: int
    key: int
    batch: int


class Operation(TypedDict):
    """An operation as data; the schemas are JSON Schema 2020-12."""

    name: str
    namespace: str
    type: str
    title: str
    description: str
    input_schema: Json
    output_schema: Json
    required_scopes: list[str]
    errors: list[str]


class NodeItem(TypedDict, total=False):
    """One item of `nodes.put_many`; only `key` must be there."""

    key: str
    type: str
    attributes: Any
    metadata: Json
    revision: int


class EdgeItem(TypedDict, total=False):
    """One item of `edges.put_many`; `source` and `target` must be there."""

    source: str
    target: str
    key: str
    type: str
    undirected: bool
    attributes: Any
    metadata: Json
    revision: int


class NodePatch(TypedDict, total=False):
    """One item of `nodes.patch_many`; `key` and `attributes` must be there."""

    key: str
    attributes: Any
    metadata: Json
    revision: int


class EdgePatch(TypedDict, total=False):
    """One item of `edges.patch_many`; `key` and `attributes` must be there."""

    key: str
    attributes: Any
    metadata: Json
    revision: int


# ---- from the answers' members ---------------------------------------------------------------------------------------


def known(cls: type[T], members: Json) -> T:
    """A record of the members that this version knows; a newer core may answer more. A record's `class_` is the member "class"."""
    names = cls.__slots__  # type: ignore[attr-defined]
    return cls(**{name: members[member] for name in names if (member := name.rstrip("_")) in members})


def known_list(cls: type[T], items: list[Json]) -> list[T]:
    return [known(cls, item) for item in items]


def graph_type(members: Json) -> GraphType:
    answer = known(GraphType, members)
    answer.edge_types = known_list(EdgeType, members["edge_types"])
    answer.warnings = known_list(ModuleWarning, members.get("warnings", []))
    return answer


def validation(members: Json) -> ValidationReport:
    return ValidationReport(members["valid"], known_list(Violation, members["violations"]))


def health(members: Json) -> Health:
    return Health(members["ok"], known_list(Check, members["checks"]))


def notification(members: Json) -> Notification:
    gap = members.get("gap")
    if gap is not None:
        return Notification(gap["to"], members["channel"], None, 0, Gap(gap["from"], gap["to"]))
    return Notification(members["id"], members["channel"], content(members), members["created_at"])
