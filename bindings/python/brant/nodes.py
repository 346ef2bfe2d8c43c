"""The nodes of a graph."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import TYPE_CHECKING, Any, Literal, TypedDict, cast, overload

from . import _native
from ._batch import many
from ._clock import deadline
from ._common import PAGE, Direction, Errors, Filter, M, given, paged, some_texts, texts
from ._json import build, encode
from .records import Json, Neighbor, NeighborEdge, Node, NodeItem, NodePatch, Page, Put, known
from .results import Closure, DeleteMany, Explained, NodeHit, Patched, PatchMany, PutMany, explained, faulted
from .secrets import Secret, opened
from .walk import Walk

if TYPE_CHECKING:
    from typing_extensions import Unpack

    from .database import Database


class NodeSelection(TypedDict, total=False):
    """Which nodes, and in what order: the arguments of `Nodes.iter`."""

    type: str | None
    prefix: str | None
    filter: Filter | None
    order_by: str | None
    descending: bool | None


class NodeQuery(NodeSelection, total=False):
    """The arguments of `Nodes.list`."""

    limit: int | None
    cursor: str | None


class NodeSearch(TypedDict, total=False):
    """The arguments of `Nodes.search` beside the query."""

    type: str | None
    filter: Filter | None
    limit: int | None
    cursor: str | None


def _node(members: Json, as_: Callable[..., Any] | None = None) -> Node[Any]:
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


def _put(members: Json) -> Put:
    return Put(members["key"], members["created"], members["revision"])


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

    # ---- writing ------------------------------------------------------------------------------------------------------

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
        members |= given(attributes=attributes, type=type, metadata=metadata, revision=revision)
        return _put(self._database._call(_native.brant_node_put, members))

    def insert(
        self, key: str, attributes: Any = None, *, type: str | None = None, metadata: Json | None = None
    ) -> Put:  # fmt: skip
        """As `put`, for a node that is new. Exists: it is not."""
        members = {"graph": self._graph, "key": key} | given(attributes=attributes, type=type, metadata=metadata)
        return _put(self._database._call(_native.brant_node_insert, members))

    def patch(
        self, key: str, attributes: Any, *, metadata: Json | None = None, revision: int | None = None
    ) -> Patched:  # fmt: skip
        """Change some attributes, and metadata if given, by a merge patch (RFC 7386): members replace, None removes, the others stay.

        What it comes to is validated as a whole. A patch that changes nothing keeps the revision. NotFound. Conflict: `revision` is not
        the stored one. Validation, Constraint as for `put`.
        """
        members = {"graph": self._graph, "key": key, "attributes": attributes}
        members |= given(metadata=metadata, revision=revision)
        return known(Patched, self._database._call(_native.brant_node_patch, members))

    def put_many(
        self,
        items: Iterable[NodeItem | Node[Any] | Mapping[str, Any]] | str | bytes,
        *,
        errors: Errors | None = None,
        progress: Callable[[int], object] | None = None,
        timeout: float | None = None,
    ) -> PutMany:
        """Put the items of any iterable, all or nothing; large ones go in several calls of one transaction.

        Items are dicts as `put` has arguments, or nodes; text is NDJSON, one dict a line, and goes in one call. `progress` is called with
        the number done so far. An item at fault: its error, whose detail has ``items`` with index, key, code and message; with `errors`
        "skip" the others are written and the answer tells of the faults. Later items of one key win.
        """
        return faulted(PutMany, self._many(_native.brant_node_put_many, items, errors, progress, timeout))

    def insert_many(
        self,
        items: Iterable[NodeItem | Node[Any] | Mapping[str, Any]] | str | bytes,
        *,
        errors: Errors | None = None,
        progress: Callable[[int], object] | None = None,
        timeout: float | None = None,
    ) -> PutMany:
        """As `put_many`, for nodes that are new. Exists: one is not."""
        return faulted(PutMany, self._many(_native.brant_node_insert_many, items, errors, progress, timeout))

    def patch_many(
        self,
        items: Iterable[NodePatch | Mapping[str, Any]] | str | bytes,
        *,
        errors: Errors | None = None,
        progress: Callable[[int], object] | None = None,
        timeout: float | None = None,
    ) -> PatchMany:
        """As `put_many`, for items of `patch`: key, attributes, metadata, revision. NotFound: a node does not exist."""
        return faulted(PatchMany, self._many(_native.brant_node_patch_many, items, errors, progress, timeout))

    def _many(
        self,
        function: _native.Operation,
        items: Iterable[Any] | str | bytes,
        errors: Errors | None,
        progress: Callable[[int], object] | None,
        timeout: float | None,
    ) -> Json:
        return many(self._database, function, {"graph": self._graph} | given(errors=errors), items, progress, timeout)

    def delete(self, key: str, *, edges: Literal["refuse", "delete"] = "refuse", revision: int | None = None) -> int:
        """Delete a node, and with `edges` "delete" its edges, whose number is the answer. Constraint: it has edges. Conflict: `revision`."""
        members = {"graph": self._graph, "key": key, "edges": edges} | given(revision=revision)
        return cast(int, self._database._call(_native.brant_node_delete, members)["edges"])

    def delete_many(
        self,
        keys: Iterable[str] | None = None,
        *,
        filter: Filter | None = None,
        edges: Literal["refuse", "delete"] | None = None,
        errors: Errors | None = None,
        timeout: float | None = None,
    ) -> DeleteMany:
        """Delete the nodes with these keys, or those that a filter matches (``{}``: all), all or nothing; edges as for `delete`.

        NotFound: a key has no node, Constraint: a node has edges; `errors` "skip" leaves such out. A filter that matches nothing is well.
        """
        members = {"graph": self._graph} | given(filter=filter, edges=edges, errors=errors)
        function = _native.brant_node_delete_many
        if keys is None or filter is not None:
            members |= given(keys=some_texts(keys))
            return faulted(DeleteMany, self._database._call(function, members, deadline(timeout)))
        return faulted(DeleteMany, many(self._database, function, members, texts(keys), None, timeout, "keys"))

    # ---- reading ------------------------------------------------------------------------------------------------------

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
        answer = self._database._call(_native.brant_node_get_many, {"graph": self._graph, "keys": texts(keys)})
        return [None if item is None else _node(item, as_) for item in answer["items"]]

    def open_secret(self, key: str, path: str) -> Secret:
        """Open an attribute that the node's type encrypts, with the handle's key ring (`Database.keyring`): "attributes.value", or "attributes/db/password".

        NotFound: no such node, or nothing there; no key ring, or not the key. Invalid: the type does not encrypt it. Auth: what stands there
        does not open, or is plain, which is not believed. Unsupported, Limit: as `Envelopes.open`. A password's key is derived first, which takes about a
        second; other threads go on, on other handles.
        """
        return opened(self._database, _native.brant_node_open_secret, {"graph": self._graph, "key": key, "path": path})

    def exists(self, key: str) -> bool:
        """Is there a node of this key? ``key in graph.nodes`` is the same. NotFound: no graph."""
        return cast(bool, self._database._call(_native.brant_node_exists, {"graph": self._graph, "key": key})["exists"])

    def count(self, *, type: str | None = None, filter: Filter | None = None) -> int:
        """How many there are (of a type): a stored number, no scan; with a filter, those that it matches."""
        members = given(graph=self._graph, type=type, filter=filter)
        return cast(int, self._database._call(_native.brant_node_count, members)["count"])

    @overload
    def list(self, **query: Unpack[NodeQuery]) -> Page[Node[Json]]: ...
    @overload
    def list(self, *, as_: type[M], **query: Unpack[NodeQuery]) -> Page[Node[M]]: ...
    @overload
    def list(self, *, as_: Callable[[Json], M], **query: Unpack[NodeQuery]) -> Page[Node[M]]: ...
    def list(
        self,
        *,
        type: str | None = None,
        prefix: str | None = None,
        filter: Filter | None = None,
        order_by: str | None = None,
        descending: bool | None = None,
        limit: int | None = None,
        cursor: str | None = None,
        as_: Callable[..., Any] | None = None,
    ) -> Page[Any]:
        """A page (100; at most 10 000) of nodes, by key: of a type, with keys that begin with `prefix`, that `filter` matches.

        A filter is a dict of fields and conditions that must all hold::

            {"type": "Task", "attributes.status": {"$in": ["open", "blocked"]}, "attributes.due": {"$lt": 175}, "$or": [{..}, {..}]}

        Fields: key, type, revision, created_at, updated_at, type_version, attributes.<path>, metadata.<path>; edges also have source and
        target. Steps of a path are names or places in arrays; a path of unusual names is a JSON pointer: "attributes/a.b/c". A bare
        value means $eq. Operators: $eq $ne $gt $gte $lt $lte $in $nin $exists $prefix $contains $and $or $not. Only like is compared with
        like (numbers, text by bytes, booleans); None equals what is missing.

        `order_by`: a field; what is missing or null comes first, then booleans, numbers, text. Invalid: a filter or field that cannot be,
        with its JSON pointer; a cursor of another query.
        """
        members = given(graph=self._graph, type=type, prefix=prefix, filter=filter, order_by=order_by)
        members |= given(descending=descending, limit=limit, cursor=cursor)
        answer = self._database._call(_native.brant_node_list, members)
        return Page([_node(item, as_) for item in answer["items"]], answer["cursor"])

    @overload
    def iter(self, **selection: Unpack[NodeSelection]) -> Iterator[Node[Json]]: ...
    @overload
    def iter(self, *, as_: type[M], **selection: Unpack[NodeSelection]) -> Iterator[Node[M]]: ...
    @overload
    def iter(self, *, as_: Callable[[Json], M], **selection: Unpack[NodeSelection]) -> Iterator[Node[M]]: ...
    def iter(
        self,
        *,
        type: str | None = None,
        prefix: str | None = None,
        filter: Filter | None = None,
        order_by: str | None = None,
        descending: bool | None = None,
        as_: Callable[..., Any] | None = None,
    ) -> Iterator[Any]:
        """All of `list`, page by page; each page sees the state of its moment."""
        query: NodeQuery = {"type": type, "prefix": prefix, "filter": filter, "order_by": order_by, "descending": descending}
        query["limit"] = PAGE

        def page(cursor: str | None) -> Page[Node[Any]]:
            query["cursor"] = cursor
            return self.list(as_=cast(Any, as_), **query)

        return paged(page)

    def explain(
        self,
        *,
        type: str | None = None,
        prefix: str | None = None,
        filter: Filter | None = None,
        order_by: str | None = None,
        descending: bool | None = None,
        limit: int | None = None,
        cursor: str | None = None,
    ) -> Explained:
        """How `list` with these arguments would read: its SQL, the plan, the attribute indexes it uses, whether it reads all nodes."""
        members = given(graph=self._graph, type=type, prefix=prefix, filter=filter, order_by=order_by)
        members |= given(descending=descending, limit=limit, cursor=cursor)
        return explained(self._database._call(_native.brant_node_explain, members))

    @overload
    def search(self, query: str, **options: Unpack[NodeSearch]) -> Page[NodeHit[Json]]: ...
    @overload
    def search(self, query: str, *, as_: type[M], **options: Unpack[NodeSearch]) -> Page[NodeHit[M]]: ...
    @overload
    def search(
        self, query: str, *, as_: Callable[[Json], M], **options: Unpack[NodeSearch]
    ) -> Page[NodeHit[M]]: ...  # fmt: skip
    def search(
        self,
        query: str,
        *,
        type: str | None = None,
        filter: Filter | None = None,
        limit: int | None = None,
        cursor: str | None = None,
        as_: Callable[..., Any] | None = None,
    ) -> Page[Any]:
        """A page (20; at most 1000) of the nodes whose text matches, best first, by the text indexes (`Database.indexes`).

        `query`: words that must all occur, "a phrase", begin*, -without, AND, OR, NOT, brackets. Invalid: the query's syntax. Constraint:
        no text index has the types asked.
        """
        members = given(graph=self._graph, query=query, type=type, filter=filter, limit=limit, cursor=cursor)
        answer = self._database._call(_native.brant_node_search, members)
        hits = [NodeHit(_node(item["node"], as_), item["score"], item["snippet"]) for item in answer["items"]]
        return Page(hits, answer["cursor"])

    # ---- walking ------------------------------------------------------------------------------------------------------

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
        members = given(graph=self._graph, key=key, direction=direction, limit=limit, cursor=cursor)
        members |= given(edge_types=some_texts(edge_types))
        answer = self._database._call(_native.brant_node_neighbors, members, deadline(timeout))
        return Page([_neighbor(item) for item in answer["items"]], answer["cursor"])

    def closure(
        self,
        keys: Iterable[str],
        *,
        direction: Direction | None = None,
        edge_types: Iterable[str] | None = None,
        edge_filter: Filter | None = None,
        node_filter: Filter | None = None,
        order: Literal["breadth", "depth"] | None = None,
        max_depth: int | None = None,
        limit: int | None = None,
        timeout: float | None = None,
    ) -> Closure:
        """What can be reached from the given nodes, which come first; `limit` cuts it (`truncated`).

        `order`: "breadth" first (default), or "depth" first. Only edges that `edge_types` and `edge_filter` allow are followed, only nodes
        that `node_filter` matches are entered; the given ones need not match.
        """
        members = given(graph=self._graph, keys=texts(keys), direction=direction, edge_types=some_texts(edge_types))
        members |= given(edge_filter=edge_filter, node_filter=node_filter, order=order, max_depth=max_depth, limit=limit)
        return Closure.of(self._database._run(_native.brant_node_closure, encode(members), deadline(timeout)))

    def walk(
        self,
        keys: Iterable[str],
        *,
        direction: Direction | None = None,
        edge_types: Iterable[str] | None = None,
        edge_filter: Filter | None = None,
        node_filter: Filter | None = None,
        order: Literal["breadth", "depth"] | None = None,
        max_depth: int | None = None,
        limit: int | None = None,
        timeout: float | None = None,
    ) -> Walk:
        """As `closure`, in batches of up to 10 000: ``for batch in graph.nodes.walk("a"):``, or ``async for``.

        It walks the graph as it is now, whatever is written meanwhile, and keeps no transaction open.
        """
        members = given(graph=self._graph, keys=texts(keys), direction=direction, edge_types=some_texts(edge_types))
        members |= given(edge_filter=edge_filter, node_filter=node_filter, order=order, max_depth=max_depth, limit=limit)
        return Walk(self._database, members, deadline(timeout))


def _neighbor(members: Json) -> Neighbor[Json]:
    edge = members["edge"]
    ends = edge["source"], edge["target"]
    through = NeighborEdge(edge["key"], edge["type"], *ends, edge["attributes"], edge.get("undirected"))
    return Neighbor(members["key"], members["type"], through)
