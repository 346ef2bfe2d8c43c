"""What calls answer. Every record is a snapshot: changing one changes nothing in the file. Times are ms since the Unix epoch."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any, Generic, TypedDict, TypeVar, overload

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
    """An edge from `source` to `target`, which are nodes' keys."""

    key: str
    type: str | None
    source: str
    target: str
    attributes: A
    metadata: Json
    revision: int
    created_at: int
    updated_at: int


@dataclass(slots=True)
class NeighborEdge(Generic[A]):
    """The edge that leads to a neighbor."""

    key: str
    type: str | None
    source: str
    target: str
    attributes: A


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
class Patched:
    """What a patch did: where nothing `changed`, the revision is as it was."""

    key: str
    revision: int
    changed: bool


@dataclass(slots=True)
class Violation:
    """`instance` and `schema` are JSON pointers: to the value at fault and to the keyword that refused it."""

    instance: str
    schema: str
    keyword: str
    message: str


@dataclass(slots=True)
class Fault:
    """An item of many that was left out: its `index` among the caller's, and why."""

    index: int
    key: str | None
    code: str
    message: str
    violations: list[Violation] = field(default_factory=list)


@dataclass(slots=True)
class PutMany:
    """What a put or an insert of many did. With errors "skip": how many `failed`, and the first 100 of them as `items`."""

    created: int
    updated: int = 0
    failed: int = 0
    items: list[Fault] = field(default_factory=list)


@dataclass(slots=True)
class PatchMany:
    """What a patch of many did; `failed` and `items` as in `PutMany`."""

    updated: int
    unchanged: int = 0
    failed: int = 0
    items: list[Fault] = field(default_factory=list)


@dataclass(slots=True)
class DeleteMany:
    """What a deletion of many did: `edges` is how many went with their nodes; `failed` and `items` as in `PutMany`."""

    deleted: int
    edges: int = 0
    failed: int = 0
    items: list[Fault] = field(default_factory=list)


@dataclass(slots=True)
class GraphDeleted:
    """How much a graph has that is marked deleted."""

    nodes: int
    edges: int


@dataclass(slots=True)
class Purged:
    """What a purge removed; `purged` is False while some is left."""

    purged: bool
    nodes: int
    edges: int

    def __bool__(self) -> bool:
        return self.purged


# ---- reading ------------------------------------------------------------------------------------------------------------


@dataclass(slots=True)
class PlanStep:
    """A line of SQLite's query plan."""

    id: int
    parent: int
    detail: str


@dataclass(slots=True)
class Explained:
    """How a list would be read: `indexes` are those of attributes that are used; with `scan` all nodes or edges of the graph are read."""

    sql: str
    plan: list[PlanStep]
    indexes: list[str]
    scan: bool


@dataclass(slots=True)
class NodeHit(Generic[A]):
    """A node that a search found: the higher the score the better; `snippet` is the text around the match."""

    node: Node[A]
    score: float
    snippet: str


@dataclass(slots=True)
class EdgeHit(Generic[A]):
    """An edge that a search found, as `NodeHit`."""

    edge: Edge[A]
    score: float
    snippet: str


@dataclass(slots=True)
class Index:
    """An index over attributes of a type: of values, for filters and orders, or of text, for searches."""

    id: str
    name: str
    graph_type: str
    node_type: str | None
    edge_type: str | None
    kind: str
    paths: list[str]
    created_at: int
    of: str | None = None


# ---- walking ------------------------------------------------------------------------------------------------------------


@dataclass(slots=True)
class Closure:
    """What is reachable, breadth first unless asked otherwise: `keys[i]` at `depths[i]`, first reached from `keys[parents[i]]`; -1 for a
    start."""

    keys: list[str]
    depths: list[int]
    parents: list[int]
    truncated: bool


@dataclass(slots=True)
class WalkBatch:
    """A part of a walk: as `Closure`; `parents` are places in the whole sequence, not in the batch."""

    keys: list[str]
    depths: list[int]
    parents: list[int]

    def __len__(self) -> int:
        return len(self.keys)


@dataclass(slots=True)
class Path:
    """A way between two nodes; true where there is one. `edges` are keys, `length` is their number, `cost` the sum of their weights."""

    found: bool
    keys: list[str]
    edges: list[str]
    length: int
    cost: float

    def __bool__(self) -> bool:
        return self.found


@dataclass(slots=True)
class ShortestPaths:
    """The nodes that one source reaches, nearest first: `keys[i]` at `costs[i]`, by way of `keys[parents[i]]`; -1 for the source."""

    keys: list[str]
    costs: list[float]
    parents: list[int]
    truncated: bool

    def __len__(self) -> int:
        return len(self.keys)

    def items(self) -> Iterator[tuple[str, float]]:
        """Each key with its cost."""
        return zip(self.keys, self.costs)

    def path_to(self, key: str) -> list[str]:
        """The keys from the source to this one. ValueError: it was not reached."""
        at = self.keys.index(key)
        path = []
        while at >= 0:
            path.append(self.keys[at])
            at = self.parents[at]
        return path[::-1]


@dataclass(slots=True)
class Paths:
    """Simple paths, shortest first: the keys of each one's nodes, and of its edges. Iterates over the former."""

    paths: list[list[str]]
    edges: list[list[str]]
    truncated: bool

    def __iter__(self) -> Iterator[list[str]]:
        return iter(self.paths)

    def __len__(self) -> int:
        return len(self.paths)


@dataclass(slots=True)
class TopologicalOrder:
    """Nodes in an order in which each edge leads onward; `generations` are the places where each generation begins."""

    keys: list[str]
    generations: list[int]

    def __iter__(self) -> Iterator[str]:
        return iter(self.keys)

    def __len__(self) -> int:
        return len(self.keys)

    def layers(self) -> list[list[str]]:
        """The keys of each generation: all that a node needs is in earlier ones."""
        return [self.keys[begin:end] for begin, end in zip(self.generations, [*self.generations[1:], len(self.keys)])]


@dataclass(slots=True)
class Cycle:
    """A cycle; true where there is one."""

    found: bool
    keys: list[str]
    edges: list[str]

    def __bool__(self) -> bool:
        return self.found


@dataclass(slots=True)
class Components:
    """`keys[i]` belongs to the component with the number `components[i]`, which has `sizes[components[i]]` nodes."""

    count: int
    keys: list[str]
    components: list[int]
    sizes: list[int]

    def __len__(self) -> int:
        return self.count

    def groups(self) -> list[list[str]]:
        """The keys of each component."""
        groups: list[list[str]] = [[] for _ in range(self.count)]
        for key, number in zip(self.keys, self.components):
            groups[number].append(key)
        return groups


@dataclass(slots=True)
class Subgraph:
    """Some nodes, and the edges between them."""

    nodes: list[Node[Json]]
    edges: list[Edge[Json]]
    truncated: bool


@dataclass(slots=True)
class Degrees:
    """`keys[i]` has `degrees[i]` edges."""

    keys: list[str]
    degrees: list[int]

    def __len__(self) -> int:
        return len(self.keys)

    def items(self) -> Iterator[tuple[str, int]]:
        """Each key with its degree: ``dict(degrees.items())``."""
        return zip(self.keys, self.degrees)


@dataclass(slots=True)
class PageRank:
    """`keys[i]` has the score `scores[i]`, highest first; `converged` within `iterations`."""

    keys: list[str]
    scores: list[float]
    iterations: int
    converged: bool

    def __len__(self) -> int:
        return len(self.keys)

    def items(self) -> Iterator[tuple[str, float]]:
        """Each key with its score: ``dict(ranks.items())``."""
        return zip(self.keys, self.scores)


# ---- exchange -----------------------------------------------------------------------------------------------------------


@dataclass(slots=True)
class Arrays:
    """A graph as arrays of numbers, which is what other graph libraries are filled from.

    `keys` of the nodes; `sources[i]` and `targets[i]` are the ends of edge i as places in it. `types[i]` is the place of node i's type in
    `node_types` (or None); `edge_type_of[i]` that of edge i's in `edge_types`. `directed` is None where the graph is mixed.
    """

    directed: bool | None
    multi: bool
    keys: list[str]
    sources: list[int]
    targets: list[int]
    edge_keys: list[str]
    types: list[int | None] = field(default_factory=list)
    node_types: list[str] = field(default_factory=list)
    edge_type_of: list[int | None] = field(default_factory=list)
    edge_types: list[str] = field(default_factory=list)
    weights: list[float] | None = None
    node_attributes: list[Json] | None = None
    edge_attributes: list[Json] | None = None


@dataclass(slots=True)
class Imported:
    """What an import did: so far, when it is given to `progress`. `bytes` of `total_bytes` are read; `failed` and `items` as in `PutMany`."""

    done: bool
    nodes: int
    edges: int
    failed: int = 0
    items: list[Fault] = field(default_factory=list)
    bytes: int = 0
    total_bytes: int = 0


# ---- graphs and their types ---------------------------------------------------------------------------------------------


@dataclass(slots=True)
class GraphInfo:
    """What is known of a graph; `nodes` and `edges` are counts."""

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
class ModuleNodeType:
    """A node type as a module says it."""

    name: str
    schema: Any


@dataclass(slots=True)
class ModuleEdgeType:
    """An edge type as a module says it; `source` and `target` None: any; `max_out`, `max_in` None: no limit."""

    name: str
    schema: Any
    source: list[str] | None = None
    target: list[str] | None = None
    max_out: int | None = None
    max_in: int | None = None


@dataclass(slots=True)
class ModuleTypes:
    """What a module defines."""

    id: str | None
    config: Json
    node_types: list[ModuleNodeType]
    edge_types: list[ModuleEdgeType]
    warnings: list[ModuleWarning]


@dataclass(slots=True)
class ModuleEdit:
    """One difference between two modules: `op` is "add", "remove" or "replace", at the JSON `pointer` in the module."""

    op: str
    pointer: str
    entry: str | None
    class_: str
    reason: str


@dataclass(slots=True)
class ModuleDiff:
    """What a changed module does to stored data: `class_` is "identical", "additive", "upcast" or "breaking", the worst of its edits'."""

    class_: str
    edits: list[ModuleEdit]


@dataclass(slots=True)
class Cast:
    """Attributes brought to a module's schema as far as that goes; `edits` are the RFC 6902 operations that did it."""

    attributes: Json
    changed: bool
    edits: list[Json]
    valid: bool
    violations: list[Violation]

    def __bool__(self) -> bool:
        return self.valid


@dataclass(slots=True)
class Failure:
    """A stored node or edge that does not satisfy its type."""

    graph: str
    key: str
    violations: list[Violation]


@dataclass(slots=True)
class Checked:
    """How many rows a check looked at, and how they are."""

    checked: int
    valid: int
    castable: int
    failing: int


@dataclass(slots=True)
class TypeCheck:
    """What a change would do to the stored rows, of which this looked at some; `cursor` goes on, None at the end."""

    class_: str
    nodes: Checked
    edges: Checked
    failures: list[Failure]
    cursor: str | None


@dataclass(slots=True)
class Migrated:
    """What the batches of a migration did: so far, when it is given to `progress`. The first 100 rows that failed are `failures`."""

    done: bool
    migrated: int
    unchanged: int
    failed: int
    remaining: int
    failures: list[Failure]


@dataclass(slots=True)
class Migration:
    """Where a graph type's newest migration is."""

    from_version: int
    to_version: int
    migrated: int
    failed: int
    remaining: int
    done: bool
    started_at: int
    updated_at: int


@dataclass(slots=True)
class Retention:
    """The retention rules of a graph type."""

    name: str
    rules: Json | None


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
class Retained:
    """What retention rules did: graphs that were archived, deleted and purged, nodes and edges that were deleted."""

    archived: int
    deleted: int
    purged: int
    nodes: int
    edges: int


@dataclass(slots=True)
class Maintained:
    """What upkeep did."""

    pruned: int
    wal_pages: int
    retention: Retained | None = None


@dataclass(slots=True)
class ErasedItem:
    """A node or edge that was found; `action` is "delete" or "redact"."""

    graph: str
    key: str
    action: str


@dataclass(slots=True)
class ErasureRefused:
    """A node or edge that was found and left, and why."""

    graph: str
    key: str
    reason: str


@dataclass(slots=True)
class ErasedCounts:
    nodes: int
    edges: int
    notifications: int
    graphs: int


@dataclass(slots=True)
class Erased:
    """What was found, and removed unless it was a dry run; the lists have at most 1000 items each (`truncated`), the counts are whole."""

    nodes: list[ErasedItem]
    edges: list[ErasedItem]
    counts: ErasedCounts
    truncated: bool
    refused: list[ErasureRefused]


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


# ---- from the answers' members ------------------------------------------------------------------------------------------


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


def fault(members: Json) -> Fault:
    violations = known_list(Violation, members.get("violations", []))
    return Fault(members["index"], members.get("key"), members["code"], members["message"], violations)


def faulted(cls: type[T], members: Json) -> T:
    """What a call for many answered, as its record."""
    return known(cls, {**members, "items": [fault(item) for item in members.get("items", [])]})


def failures(items: list[Json]) -> list[Failure]:
    return [Failure(item["graph"], item["key"], known_list(Violation, item["violations"])) for item in items]


def explained(members: Json) -> Explained:
    answer = known(Explained, members)
    answer.plan = known_list(PlanStep, members["plan"])
    return answer


def imported(members: Json) -> Imported:
    return faulted(Imported, members)


def module_types(members: Json) -> ModuleTypes:
    return ModuleTypes(
        members.get("id"),
        members["config"],
        known_list(ModuleNodeType, members["node_types"]),
        known_list(ModuleEdgeType, members["edge_types"]),
        known_list(ModuleWarning, members.get("warnings", [])),
    )


def module_diff(members: Json) -> ModuleDiff:
    return ModuleDiff(members["class"], known_list(ModuleEdit, members["edits"]))


def cast_attributes(members: Json) -> Cast:
    answer = known(Cast, members)
    answer.violations = known_list(Violation, members["violations"])
    return answer


def type_check(members: Json) -> TypeCheck:
    nodes, edges = known(Checked, members["nodes"]), known(Checked, members["edges"])
    return TypeCheck(members["class"], nodes, edges, failures(members["failures"]), members["cursor"])


def migrated(members: Json) -> Migrated:
    answer = known(Migrated, members)
    answer.failures = failures(members["failures"])
    return answer


def maintained(members: Json) -> Maintained:
    answer = known(Maintained, members)
    if answer.retention is not None:
        answer.retention = known(Retained, members["retention"])
    return answer


def erased(members: Json) -> Erased:
    return Erased(
        known_list(ErasedItem, members["nodes"]),
        known_list(ErasedItem, members["edges"]),
        known(ErasedCounts, members["counts"]),
        members["truncated"],
        known_list(ErasureRefused, members["refused"]),
    )


def health(members: Json) -> Health:
    return Health(members["ok"], known_list(Check, members["checks"]))


def notification(members: Json) -> Notification:
    gap = members.get("gap")
    if gap is not None:
        return Notification(gap["to"], members["channel"], None, 0, Gap(gap["from"], gap["to"]))
    return Notification(members["id"], members["channel"], members["payload"], members["created_at"])
