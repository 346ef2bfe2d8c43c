"""The metagraph: graph types, graphs, nodes, edges. Thin: the rules are the library's."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator, Mapping
from itertools import islice
from typing import TYPE_CHECKING, Any, Literal, TypeVar, cast, overload

from . import _native
from ._clock import deadline
from ._json import build, decode, encode
from .errors import BrantError
from .records import (
    Closure,
    Edge,
    EdgeItem,
    GraphDeleted,
    GraphInfo,
    GraphType,
    Json,
    Neighbor,
    NeighborEdge,
    Node,
    NodeItem,
    Page,
    Put,
    PutMany,
    ValidationReport,
    graph_type,
    known,
    validation,
)

if TYPE_CHECKING:
    from .database import Database

M = TypeVar("M")
Direction = Literal["out", "in", "both"]
Status = Literal["draft", "active", "archived"]

PAGE = 1000  # items that an iteration reads at a time
CHUNK_ITEMS = 10_000  # of one call of put_many at most; more is no faster
CHUNK_BYTES = 8 << 20
ENCODED_AT_A_TIME = 500


class _Left:
    """The default of an argument for which None means null."""

    def __repr__(self) -> str:
        return "<left as it is>"


LEFT: Any = _Left()


def _given(**members: Any) -> Json:
    """The members that were given: None is left out; use `LEFT` where None is a value."""
    return {name: value for name, value in members.items() if value is not None}


def _texts(texts: Iterable[str]) -> list[str]:
    """A list of them; one str is one, not its characters."""
    return [texts] if isinstance(texts, str) else list(texts)


def _paged(page: Callable[[str | None], Page[M]]) -> Iterator[M]:
    cursor = None
    while True:
        answer = page(cursor)
        yield from answer.items
        cursor = answer.cursor
        if cursor is None:
            return


# ---- graph types and graphs -------------------------------------------------------------------------------------------


class GraphTypes:
    """The graph types of a file, as ``db.graph_types``; iterate it for all."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def __repr__(self) -> str:
        return f"<brant.GraphTypes of {self._database!r}>"

    def __iter__(self) -> Iterator[GraphType]:
        return _paged(lambda cursor: self.list(limit=PAGE, cursor=cursor))

    def define(
        self,
        module: Mapping[str, Any],
        *,
        name: str | None = None,
        scope: Literal["user", "tenant", "system"] | None = None,
        version: int | None = None,
        metadata: Json | None = None,
    ) -> GraphType:
        """Define a graph type by a module: ``{"$id": name, "$defs": {"Config": .., "PackageNode": schema, "DependsEdge": schema}}``.

        The same module under the same name and version is answered as it is stored. Validation: the module cannot work, the detail says
        where. Exists: another module has the name. Denied: scope "system" without the system flag.
        """
        members = _given(module=module, name=name, scope=scope, version=version, metadata=metadata)
        return graph_type(self._database._call(_native.brant_graph_type_define, members))

    def get(self, name: str) -> GraphType:
        """The graph type with its `module`. NotFound."""
        return graph_type(self._database._call(_native.brant_graph_type_get, {"name": name}))

    def list(self, *, limit: int | None = None, cursor: str | None = None) -> Page[GraphType]:
        """A page (100) of graph types, by name."""
        answer = self._database._call(_native.brant_graph_type_list, _given(limit=limit, cursor=cursor))
        return Page([graph_type(item) for item in answer["items"]], answer["cursor"])

    def delete(self, name: str) -> None:
        """NotFound. Constraint: graphs use it. Denied: built in, or scope "system"."""
        self._database._call(_native.brant_graph_type_delete, {"name": name})

    def validate_node(self, graph_type: str, type: str, attributes: Any) -> ValidationReport:
        """Would these attributes do? Writes nothing; true where they would."""
        members = {"graph_type": graph_type, "type": type, "attributes": attributes}
        return validation(self._database._call(_native.brant_graph_type_validate_node, members))

    def validate_edge(
        self, graph_type: str, type: str, attributes: Any, *, source_type: str | None = None, target_type: str | None = None
    ) -> ValidationReport:
        """Would these attributes do, and may the edge stand between nodes of these types?"""
        members = {"graph_type": graph_type, "type": type, "attributes": attributes}
        members |= _given(source_type=source_type, target_type=target_type)
        return validation(self._database._call(_native.brant_graph_type_validate_edge, members))


class Graphs:
    """The graphs of a file, as ``db.graphs``; iterate it for all. ``db.graph(name)`` has what is in one."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def __repr__(self) -> str:
        return f"<brant.Graphs of {self._database!r}>"

    def __iter__(self) -> Iterator[GraphInfo]:
        return _paged(lambda cursor: self.list(limit=PAGE, cursor=cursor))

    def create(
        self,
        name: str,
        graph_type: str = "open",
        *,
        owner_id: str | None = None,
        project_id: str | None = None,
        status: Status | None = None,
        metadata: Json | None = None,
    ) -> GraphInfo:
        """Create a graph. Exists: the name is taken. NotFound: no such graph type."""
        members = _given(
            name=name, graph_type=graph_type, owner_id=owner_id, project_id=project_id, status=status, metadata=metadata
        )  # fmt: skip
        return known(GraphInfo, self._database._call(_native.brant_graph_create, members))

    def get(self, name: str) -> GraphInfo:
        """NotFound."""
        return known(GraphInfo, self._database._call(_native.brant_graph_get, {"name": name}))

    def list(
        self,
        *,
        limit: int | None = None,
        cursor: str | None = None,
        graph_type: str | None = None,
        status: Status | None = None,
    ) -> Page[GraphInfo]:
        """A page (100) of graphs, by name."""
        members = _given(limit=limit, cursor=cursor, graph_type=graph_type, status=status)
        answer = self._database._call(_native.brant_graph_list, members)
        return Page([known(GraphInfo, item) for item in answer["items"]], answer["cursor"])

    def update(
        self,
        name: str,
        *,
        owner_id: str | None = LEFT,
        project_id: str | None = LEFT,
        status: Status | None = None,
        metadata: Json | None = None,
    ) -> GraphInfo:
        """Replace what is given. What is in an "archived" graph cannot be written (Constraint)."""
        members = _given(name=name, status=status, metadata=metadata)
        if owner_id is not LEFT:
            members["owner_id"] = owner_id
        if project_id is not LEFT:
            members["project_id"] = project_id
        return known(GraphInfo, self._database._call(_native.brant_graph_update, members))

    def delete(self, name: str) -> GraphDeleted:
        """Purge a graph and all that is in it."""
        return known(GraphDeleted, self._database._call(_native.brant_graph_delete, {"name": name}))


class Graph:
    """One graph's `nodes` and `edges`."""

    __slots__ = ("database", "edges", "name", "nodes")

    def __init__(self, database: Database, name: str) -> None:
        self.database = database
        self.name = name
        self.nodes = Nodes(database, name)
        self.edges = Edges(database, name)

    def __repr__(self) -> str:
        return f"<brant.Graph {self.name!r} of {self.database!r}>"

    def info(self) -> GraphInfo:
        """As ``db.graphs.get``. NotFound."""
        return self.database.graphs.get(self.name)


def _put(members: Json) -> Put:
    return Put(members["key"], members["created"], members["revision"])


# ---- nodes --------------------------------------------------------------------------------------------------------------


def _node(members: Json, as_: Callable[..., Any] | None) -> Node[Any]:
    attributes = members["attributes"]
    return Node(
        members["key"],
        members["type"],
        attributes if as_ is None else build(as_, attributes),
        members["metadata"],
        members["revision"],
        members["created_at"],
        members["updated_at"],
    )


class Nodes:
    """The nodes of a graph, as ``graph.nodes``: iterate it for all, by key; ``key in graph.nodes`` asks for one.

    Attributes go in as a dict, a dataclass or a model (anything with `model_dump`), and come out as a dict, or as what `as_` names: a
    dataclass, a class with `model_validate`, or anything that takes the dict.
    """

    __slots__ = ("_database", "_graph")

    def __init__(self, database: Database, graph: str) -> None:
        self._database = database
        self._graph = graph

    def __repr__(self) -> str:
        return f"<brant.Nodes of {self._graph!r}>"

    def __iter__(self) -> Iterator[Node[Json]]:
        return self.iter()

    def __contains__(self, key: object) -> bool:
        return isinstance(key, str) and self.exists(key)

    def put(
        self,
        key: str,
        attributes: Any = None,
        *,
        type: str | None = None,
        metadata: Json | None = None,
        revision: int | None = None,
    ) -> Put:
        """Insert a node, or replace its attributes; edges stay, and so does metadata that is not given.

        `type` may be left out when the node exists or the graph type has only one. `revision`: the one that must be stored, 0 for "must
        not exist" (Conflict). Validation: the detail has the violations. Constraint: another type than the stored one, too
        many nodes, the graph is archived.
        """
        members = {"graph": self._graph, "key": key}
        members |= _given(attributes=attributes, type=type, metadata=metadata, revision=revision)
        return _put(self._database._call(_native.brant_node_put, members))

    def put_many(
        self,
        items: Iterable[NodeItem | Node[Any] | Mapping[str, Any]],
        *,
        progress: Callable[[int], object] | None = None,
        timeout: float | None = None,
    ) -> PutMany:
        """Put the items of any iterable, all or nothing; large ones go in several calls of one transaction.

        Items are dicts as `put` has arguments, or nodes. `progress` is called with the number put so far. An item at fault: its error, whose
        detail has ``items`` with index, key, code and message. Later items of one key win.
        """
        return _put_many(self._database, _native.brant_node_put_many, self._graph, items, progress, timeout)

    @overload
    def get(self, key: str) -> Node[Json]: ...
    @overload
    def get(self, key: str, *, as_: type[M]) -> Node[M]: ...
    @overload
    def get(self, key: str, *, as_: Callable[[Json], M]) -> Node[M]: ...
    def get(self, key: str, *, as_: Callable[..., Any] | None = None) -> Node[Any]:
        """The node. NotFound."""
        return _node(self._database._call(_native.brant_node_get, {"graph": self._graph, "key": key}), as_)

    @overload
    def get_many(self, keys: Iterable[str]) -> list[Node[Json] | None]: ...
    @overload
    def get_many(self, keys: Iterable[str], *, as_: type[M]) -> list[Node[M] | None]: ...
    @overload
    def get_many(self, keys: Iterable[str], *, as_: Callable[[Json], M]) -> list[Node[M] | None]: ...
    def get_many(self, keys: Iterable[str], *, as_: Callable[..., Any] | None = None) -> list[Any]:
        """The nodes in the order of the keys; None for one that does not exist."""
        answer = self._database._call(_native.brant_node_get_many, {"graph": self._graph, "keys": _texts(keys)})
        return [None if item is None else _node(item, as_) for item in answer["items"]]

    def exists(self, key: str) -> bool:
        return cast(bool, self._database._call(_native.brant_node_exists, {"graph": self._graph, "key": key})["exists"])

    def count(self, *, type: str | None = None) -> int:
        """How many there are (of a type): a stored number, no scan."""
        return cast(int, self._database._call(_native.brant_node_count, _given(graph=self._graph, type=type))["count"])

    @overload
    def list(
        self, *, type: str | None = ..., prefix: str | None = ..., limit: int | None = ..., cursor: str | None = ...
    ) -> Page[Node[Json]]: ...
    @overload
    def list(
        self,
        *,
        type: str | None = ...,
        prefix: str | None = ...,
        limit: int | None = ...,
        cursor: str | None = ...,
        as_: type[M],
    ) -> Page[Node[M]]: ...
    @overload
    def list(
        self,
        *,
        type: str | None = ...,
        prefix: str | None = ...,
        limit: int | None = ...,
        cursor: str | None = ...,
        as_: Callable[[Json], M],
    ) -> Page[Node[M]]: ...
    def list(
        self,
        *,
        type: str | None = None,
        prefix: str | None = None,
        limit: int | None = None,
        cursor: str | None = None,
        as_: Callable[..., Any] | None = None,
    ) -> Page[Any]:
        """A page (100; at most 10 000) of nodes, by key: of a type, with keys that begin with `prefix`."""
        members = _given(graph=self._graph, type=type, prefix=prefix, limit=limit, cursor=cursor)
        answer = self._database._call(_native.brant_node_list, members)
        return Page([_node(item, as_) for item in answer["items"]], answer["cursor"])

    @overload
    def iter(self, *, type: str | None = ..., prefix: str | None = ...) -> Iterator[Node[Json]]: ...
    @overload
    def iter(self, *, type: str | None = ..., prefix: str | None = ..., as_: type[M]) -> Iterator[Node[M]]: ...
    @overload
    def iter(self, *, type: str | None = ..., prefix: str | None = ..., as_: Callable[[Json], M]) -> Iterator[Node[M]]: ...
    def iter(
        self, *, type: str | None = None, prefix: str | None = None, as_: Callable[..., Any] | None = None
    ) -> Iterator[Any]:
        """All of `list`, page by page; each page sees the state of its moment."""
        fit = cast(Any, as_)
        return _paged(lambda cursor: self.list(type=type, prefix=prefix, limit=PAGE, cursor=cursor, as_=fit))

    def delete(self, key: str, *, edges: Literal["refuse", "delete"] = "refuse", revision: int | None = None) -> int:
        """Delete a node, and with `edges` "delete" its edges, whose number is the answer. Constraint: it has edges. Conflict: `revision`."""
        members = {"graph": self._graph, "key": key, "edges": edges} | _given(revision=revision)
        return cast(int, self._database._call(_native.brant_node_delete, members)["edges"])

    def neighbors(
        self,
        key: str,
        *,
        direction: Direction | None = None,
        edge_types: Iterable[str] | None = None,
        limit: int | None = None,
        cursor: str | None = None,
        timeout: float | None = None,
    ) -> Page[Neighbor[Json]]:
        """A page (1000) of the nodes next to one, an item for each edge; "out" (default) before "in"."""
        members = _given(graph=self._graph, key=key, direction=direction, limit=limit, cursor=cursor)
        if edge_types is not None:
            members["edge_types"] = _texts(edge_types)
        answer = self._database._call(_native.brant_node_neighbors, members, deadline(timeout))
        return Page([_neighbor(item) for item in answer["items"]], answer["cursor"])

    def closure(
        self,
        keys: Iterable[str],
        *,
        direction: Direction | None = None,
        edge_types: Iterable[str] | None = None,
        max_depth: int | None = None,
        limit: int | None = None,
        timeout: float | None = None,
    ) -> Closure:
        """What can be reached from the given nodes, which come first, breadth first; `limit` cuts it (`truncated`)."""
        members = _given(graph=self._graph, keys=_texts(keys), direction=direction, max_depth=max_depth, limit=limit)
        if edge_types is not None:
            members["edge_types"] = _texts(edge_types)
        return known(Closure, self._database._call(_native.brant_node_closure, members, deadline(timeout)))


def _neighbor(members: Json) -> Neighbor[Json]:
    edge = members["edge"]
    through = NeighborEdge(edge["key"], edge["type"], edge["source"], edge["target"], edge["attributes"])
    return Neighbor(members["key"], members["type"], through)


# ---- edges ----------------------------------------------------------------------------------------------------------------


def _edge(members: Json, as_: Callable[..., Any] | None) -> Edge[Any]:
    attributes = members["attributes"]
    return Edge(
        members["key"],
        members["type"],
        members["source"],
        members["target"],
        attributes if as_ is None else build(as_, attributes),
        members["metadata"],
        members["revision"],
        members["created_at"],
        members["updated_at"],
    )


class Edges:
    """The edges of a graph, as ``graph.edges``: iterate it for all; ``key in graph.edges`` asks for one. Attributes as for nodes."""

    __slots__ = ("_database", "_graph")

    def __init__(self, database: Database, graph: str) -> None:
        self._database = database
        self._graph = graph

    def __repr__(self) -> str:
        return f"<brant.Edges of {self._graph!r}>"

    def __iter__(self) -> Iterator[Edge[Json]]:
        return self.iter()

    def __contains__(self, key: object) -> bool:
        return isinstance(key, str) and self.exists(key)

    def put(
        self,
        source: str,
        target: str,
        attributes: Any = None,
        *,
        type: str | None = None,
        key: str | None = None,
        metadata: Json | None = None,
        revision: int | None = None,
    ) -> Put:
        """Insert an edge, or replace its attributes.

        Without a key, a graph that is not multi knows the edge by source, type and target, so that a retry is the same edge; a
        multi graph makes a new one. NotFound: an end does not exist. Constraint: ends of types that the edge type does not
        allow, ends of an existing key that differ, a self-loop, too many edges, the graph is archived.
        """
        members = {"graph": self._graph, "source": source, "target": target}
        members |= _given(attributes=attributes, type=type, key=key, metadata=metadata, revision=revision)
        return _put(self._database._call(_native.brant_edge_put, members))

    def put_many(
        self,
        items: Iterable[EdgeItem | Edge[Any] | Mapping[str, Any]],
        *,
        progress: Callable[[int], object] | None = None,
        timeout: float | None = None,
    ) -> PutMany:
        """As `Nodes.put_many`."""
        return _put_many(self._database, _native.brant_edge_put_many, self._graph, items, progress, timeout)

    @overload
    def get(self, key: str) -> Edge[Json]: ...
    @overload
    def get(self, key: str, *, as_: type[M]) -> Edge[M]: ...
    @overload
    def get(self, key: str, *, as_: Callable[[Json], M]) -> Edge[M]: ...
    def get(self, key: str, *, as_: Callable[..., Any] | None = None) -> Edge[Any]:
        """The edge. NotFound."""
        return _edge(self._database._call(_native.brant_edge_get, {"graph": self._graph, "key": key}), as_)

    def exists(self, key: str) -> bool:
        return cast(bool, self._database._call(_native.brant_edge_exists, {"graph": self._graph, "key": key})["exists"])

    def count(self, *, type: str | None = None) -> int:
        """How many there are (of a type): a stored number, no scan."""
        return cast(int, self._database._call(_native.brant_edge_count, _given(graph=self._graph, type=type))["count"])

    @overload
    def list(
        self,
        *,
        type: str | None = ...,
        source: str | None = ...,
        target: str | None = ...,
        limit: int | None = ...,
        cursor: str | None = ...,
    ) -> Page[Edge[Json]]: ...
    @overload
    def list(
        self,
        *,
        type: str | None = ...,
        source: str | None = ...,
        target: str | None = ...,
        limit: int | None = ...,
        cursor: str | None = ...,
        as_: type[M],
    ) -> Page[Edge[M]]: ...
    @overload
    def list(
        self,
        *,
        type: str | None = ...,
        source: str | None = ...,
        target: str | None = ...,
        limit: int | None = ...,
        cursor: str | None = ...,
        as_: Callable[[Json], M],
    ) -> Page[Edge[M]]: ...
    def list(
        self,
        *,
        type: str | None = None,
        source: str | None = None,
        target: str | None = None,
        limit: int | None = None,
        cursor: str | None = None,
        as_: Callable[..., Any] | None = None,
    ) -> Page[Any]:
        """A page (100; at most 10 000) of edges, by source's key, then type, then target."""
        members = _given(graph=self._graph, type=type, source=source, target=target, limit=limit, cursor=cursor)
        answer = self._database._call(_native.brant_edge_list, members)
        return Page([_edge(item, as_) for item in answer["items"]], answer["cursor"])

    @overload
    def iter(
        self, *, type: str | None = ..., source: str | None = ..., target: str | None = ...
    ) -> Iterator[Edge[Json]]: ...
    @overload
    def iter(
        self, *, type: str | None = ..., source: str | None = ..., target: str | None = ..., as_: type[M]
    ) -> Iterator[Edge[M]]: ...
    @overload
    def iter(
        self, *, type: str | None = ..., source: str | None = ..., target: str | None = ..., as_: Callable[[Json], M]
    ) -> Iterator[Edge[M]]: ...
    def iter(
        self,
        *,
        type: str | None = None,
        source: str | None = None,
        target: str | None = None,
        as_: Callable[..., Any] | None = None,
    ) -> Iterator[Any]:
        """All of `list`, page by page; each page sees the state of its moment."""
        fit = cast(Any, as_)
        return _paged(
            lambda cursor: self.list(type=type, source=source, target=target, limit=PAGE, cursor=cursor, as_=fit)
        )  # fmt: skip

    def delete(self, key: str, *, revision: int | None = None) -> None:
        """NotFound. Conflict: `revision`."""
        self._database._call(_native.brant_edge_delete, {"graph": self._graph, "key": key} | _given(revision=revision))


# ---- many at once -----------------------------------------------------------------------------------------------------------


def _size(text: str) -> int:
    return len(text) if text.isascii() else len(text.encode("utf-8", "surrogatepass"))


def _parts(items: list[Any], room: int) -> Iterator[tuple[int, int, str]]:
    """(count, bytes, JSON members of an array), split where they would not fit into `room`; one item that does not goes alone."""
    text = encode(items)[1:-1]
    size = _size(text)
    if size <= room or len(items) == 1:
        yield len(items), size, text
    else:
        half = len(items) // 2
        yield from _parts(items[:half], room)
        yield from _parts(items[half:], room)


def _chunks(items: Iterable[Any], most: int, room: int) -> Iterator[tuple[int, str]]:
    """(count, JSON members of an array) of what one call takes; at least one chunk."""
    source = iter(items)
    step = min(ENCODED_AT_A_TIME, most)
    texts: list[str] = []
    count = length = chunks = 0
    while batch := list(islice(source, step)):
        for number, size, text in _parts(batch, room):
            if texts and (count + number > most or length + size + 1 > room):
                yield count, ",".join(texts)
                chunks += 1
                texts, count, length = [], 0, 0
            texts.append(text)
            count += number
            length += size + 1
    if texts or not chunks:
        yield count, ",".join(texts)


def _shift(error: BrantError, done: int) -> None:
    """The error of a chunk speaks of its items; have it speak of the caller's."""

    def renumber(found: re.Match[str]) -> str:
        text: str = found[0]
        index: str = found[1] or found[2]
        return text.replace(index, str(int(index) + done))

    def shifted(text: str) -> str:
        return re.sub(r"^item (\d+)|/items/(\d+)", renumber, text)

    if done:
        error.message = shifted(error.message)
        for fault in error.detail.get("items", ()):
            fault["index"] += done
        for violation in error.detail.get("violations", ()):
            violation["instance"] = shifted(violation["instance"])


def _put_many(
    database: Database,
    function: _native.Operation,
    graph: str,
    items: Iterable[Any],
    progress: Callable[[int], object] | None,
    timeout: float | None,
) -> PutMany:
    until = deadline(timeout)
    head = '{"graph":' + encode(graph) + ',"items":['
    room = max(1, min(CHUNK_BYTES, database._document_limit - _size(head) - 2))
    chunks = _chunks(items, min(CHUNK_ITEMS, database._batch_limit), room)
    total = PutMany(0, 0)
    done = 0

    def put(chunk: tuple[int, str]) -> None:
        nonlocal done
        count, text = chunk
        try:
            answer = decode(database._run(function, head + text + "]}", until))
        except BrantError as error:
            _shift(error, done)
            raise
        done += count
        total.created += answer["created"]
        total.updated += answer["updated"]
        if progress is not None:
            progress(done)

    first = next(chunks)
    second = next(chunks, None)
    if second is None:
        put(first)
    else:
        with database.transaction():
            put(first)
            put(second)
            for chunk in chunks:
                put(chunk)
    return total
