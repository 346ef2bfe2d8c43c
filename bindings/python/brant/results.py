"""What calls answer about many things at once: writes, searches, walks, exchange, upkeep. As in `records`, every record is a snapshot."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Generic, TypeVar

from ._late import Late
from .records import Edge, Json, Node, Violation, known, known_list

T = TypeVar("T")
A = TypeVar("A")


# ---- writing ---------------------------------------------------------------------------------------------------------


@dataclass(slots=True)
class Patched:
    """What a patch did: where nothing `changed`, the revision is as it was."""

    key: str
    revision: int
    changed: bool


@dataclass(slots=True)
class Fault:
    """An item of many that was left out: its `index` among the caller's, and why; `offset` in bytes of a line that is no JSON object."""

    index: int
    key: str | None
    code: str
    message: str
    violations: list[Violation] = field(default_factory=list)
    offset: int | None = None


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
class Purged:
    """What a purge removed; `purged` is False while some is left."""

    purged: bool
    nodes: int
    edges: int

    def __bool__(self) -> bool:
        return self.purged


# ---- reading ---------------------------------------------------------------------------------------------------------


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


# ---- walking ---------------------------------------------------------------------------------------------------------


@dataclass(slots=True)
class Closure(Late):
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
    """A way between two nodes; true where there is one. `edges` are keys, `length` is their number, `cost` the sum of their weights (the
    length where there are none); both are None where there is no way."""

    found: bool
    keys: list[str]
    edges: list[str]
    length: int | None
    cost: float | None

    def __bool__(self) -> bool:
        return self.found


@dataclass(slots=True)
class ShortestPaths(Late):
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
class TopologicalOrder(Late):
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
class Components(Late):
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
class Degrees(Late):
    """`keys[i]` has `degrees[i]` edges."""

    keys: list[str]
    degrees: list[int]

    def __len__(self) -> int:
        return len(self.keys)

    def items(self) -> Iterator[tuple[str, int]]:
        """Each key with its degree: ``dict(degrees.items())``."""
        return zip(self.keys, self.degrees)


@dataclass(slots=True)
class PageRank(Late):
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


# ---- exchange --------------------------------------------------------------------------------------------------------


@dataclass(slots=True)
class Arrays:
    """A graph as arrays of numbers, which is what other graph libraries are filled from.

    `keys` of the nodes; `sources[i]` and `targets[i]` are the ends of edge i as places in it. `edge_keys[i]` is None where source, type and
    target say the key, and the list is None where that is so for all. In a typed graph `types[i]` is the place of node i's type in
    `node_types`, and `edge_type_of[i]` that of edge i's in `edge_types`; else the four are None. `directed` is None where the graph
    is mixed, and only then `undirected` says which edges go both ways.
    """

    directed: bool | None
    multi: bool
    keys: list[str]
    sources: list[int]
    targets: list[int]
    edge_keys: list[str | None] | None = None
    types: list[int] | None = None
    node_types: list[str] | None = None
    edge_type_of: list[int] | None = None
    edge_types: list[str] | None = None
    undirected: list[bool] | None = None
    weights: list[float] | None = None
    node_attributes: list[Json] | None = None
    edge_attributes: list[Json] | None = None


@dataclass(slots=True)
class ExportPage:
    """A part of a document, and the `cursor` that the next part goes on from; None at the end."""

    text: str
    cursor: str | None


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


# ---- change logs -----------------------------------------------------------------------------------------------------


@dataclass(slots=True)
class Keys:
    """The keys of what came, changed and went."""

    created: list[str]
    updated: list[str]
    deleted: list[str]

    def __bool__(self) -> bool:
        return bool(self.created or self.updated or self.deleted)


@dataclass(slots=True)
class GraphDiff:
    """What is different in a graph between two offsets of its change log; true where something is. `truncated`: more keys than the limit."""

    from_: int
    to: int
    nodes: Keys
    edges: Keys
    truncated: bool

    def __bool__(self) -> bool:
        return bool(self.nodes or self.edges)


@dataclass(slots=True)
class Replayed:
    """A graph that was made as another one was at an offset of its change log."""

    graph: str
    offset: int
    nodes: int
    edges: int


# ---- upkeep ----------------------------------------------------------------------------------------------------------


@dataclass(slots=True)
class Retained:
    """What retention rules did: graphs that were archived, deleted and purged, nodes and edges that were deleted."""

    archived: int
    deleted: int
    purged: int
    nodes: int
    edges: int


@dataclass(slots=True)
class Worked:
    """What was done of the library's own queues: `jobs` that are done or `failed`, in bounded `steps`."""

    jobs: int
    failed: int
    steps: int


@dataclass(slots=True)
class StreamsMaintained:
    """How many events retention `trimmed`, and compaction removed."""

    trimmed: int
    compacted: int


@dataclass(slots=True)
class Maintained:
    """What upkeep did: how many notifications were `pruned`; how many finished `jobs`, ended `locks` and `rate_limits` were removed."""

    pruned: int
    wal_pages: int
    retention: Retained | None = None
    worked: Worked | None = None
    jobs: int = 0
    streams: StreamsMaintained | None = None
    locks: int = 0
    rate_limits: int = 0


@dataclass(slots=True)
class ErasedItem:
    """A node or edge that was found; `action` is "delete" or "redact"."""

    graph: str
    key: str
    action: str


@dataclass(slots=True)
class ErasureRefused:
    """What was found and left, and why: a graph where the key is None."""

    graph: str
    key: str | None
    reason: str


@dataclass(slots=True)
class ErasedCounts:
    nodes: int
    edges: int
    notifications: int
    graphs: int
    jobs: int = 0
    events: int = 0
    schedules: int = 0
    rate_limits: int = 0
    pending: int = 0
    """Events that members of groups have, whose names were replaced."""
    locks: int = 0
    """Whose owners' names were replaced."""


@dataclass(slots=True)
class Erased:
    """What was found, and removed unless it was a dry run; the lists have at most 1000 items each (`truncated`), the counts are whole.
    `scrubbed`: no byte of what was removed is left in the file."""

    nodes: list[ErasedItem]
    edges: list[ErasedItem]
    counts: ErasedCounts
    truncated: bool
    refused: list[ErasureRefused]
    scrubbed: bool


# ---- from the answers' members ---------------------------------------------------------------------------------------


def fault(members: Json) -> Fault:
    violations = known_list(Violation, members.get("violations", []))
    return Fault(members["index"], members.get("key"), members["code"], members["message"], violations, members.get("offset"))


def faulted(cls: type[T], members: Json) -> T:
    """What a call for many answered, as its record."""
    return known(cls, {**members, "items": [fault(item) for item in members.get("items", [])]})


def explained(members: Json) -> Explained:
    answer = known(Explained, members)
    answer.plan = known_list(PlanStep, members["plan"])
    return answer


def imported(members: Json) -> Imported:
    return faulted(Imported, members)


def maintained(members: Json) -> Maintained:
    answer = known(Maintained, members)
    if answer.retention is not None:
        answer.retention = known(Retained, members["retention"])
    if answer.worked is not None:
        answer.worked = known(Worked, members["worked"])
    if answer.streams is not None:
        answer.streams = known(StreamsMaintained, members["streams"])
    return answer


def graph_diff(members: Json) -> GraphDiff:
    ends = members["from"], members["to"]
    return GraphDiff(*ends, known(Keys, members["nodes"]), known(Keys, members["edges"]), members["truncated"])


def erased(members: Json) -> Erased:
    return Erased(
        known_list(ErasedItem, members["nodes"]),
        known_list(ErasedItem, members["edges"]),
        known(ErasedCounts, members["counts"]),
        members["truncated"],
        known_list(ErasureRefused, members["refused"]),
        members["scrubbed"],
    )
