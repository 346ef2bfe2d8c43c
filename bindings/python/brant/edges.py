"""The edges of a graph."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import TYPE_CHECKING, Any, TypedDict, cast, overload

from . import _native
from ._batch import many
from ._clock import deadline
from ._common import PAGE, Errors, Filter, M, given, paged, some_texts, texts
from ._json import build
from .nodes import NodeSearch, _put
from .records import Edge, EdgeItem, EdgePatch, Json, Page, Put, known
from .results import DeleteMany, EdgeHit, Explained, Patched, PatchMany, PutMany, explained, faulted
from .secrets import Secret, opened

if TYPE_CHECKING:
    from typing_extensions import Unpack

    from .database import Database


class EdgeSelection(TypedDict, total=False):
    """Which edges, and in what order: the arguments of `Edges.iter`."""

    type: str | None
    source: str | None
    target: str | None
    filter: Filter | None
    order_by: str | None
    descending: bool | None


class EdgeQuery(EdgeSelection, total=False):
    """The arguments of `Edges.list`."""

    limit: int | None
    cursor: str | None


def _edge(members: Json, as_: Callable[..., Any] | None = None) -> Edge[Any]:
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
        members.get("undirected"),
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

    # ---- writing ------------------------------------------------------------------------------------------------------

    def put(
        self,
        source: str,
        target: str,
        attributes: Any = None,
        *,
        type: str | None = None,
        key: str | None = None,
        undirected: bool | None = None,
        metadata: Json | None = None,
        revision: int | None = None,
    ) -> Put:
        """Insert an edge, or replace its attributes.

        Without a key, a graph that is not multi knows the edge by source, type and target, so that a retry is the same edge; a
        multi graph makes a new one. NotFound: an end does not exist. Constraint: ends of types that the edge type does not
        allow, ends of an existing key that differ, a self-loop, too many edges, the graph is archived. `undirected`: in a mixed graph, whether
        the edge goes both ways (a new one does not, a stored one stays as it is).
        """
        members = {"graph": self._graph, "source": source, "target": target}
        members |= given(attributes=attributes, type=type, key=key, undirected=undirected, metadata=metadata, revision=revision)
        return _put(self._database._call(_native.brant_edge_put, members))

    def insert(
        self,
        source: str,
        target: str,
        attributes: Any = None,
        *,
        type: str | None = None,
        key: str | None = None,
        undirected: bool | None = None,
        metadata: Json | None = None,
    ) -> Put:
        """As `put`, for an edge that is new. Exists: it is not."""
        members = {"graph": self._graph, "source": source, "target": target}
        members |= given(attributes=attributes, type=type, key=key, undirected=undirected, metadata=metadata)
        return _put(self._database._call(_native.brant_edge_insert, members))

    def patch(
        self, key: str, attributes: Any, *, metadata: Json | None = None, revision: int | None = None
    ) -> Patched:  # fmt: skip
        """As `Nodes.patch`."""
        members = {"graph": self._graph, "key": key, "attributes": attributes}
        members |= given(metadata=metadata, revision=revision)
        return known(Patched, self._database._call(_native.brant_edge_patch, members))

    def put_many(
        self,
        items: Iterable[EdgeItem | Edge[Any] | Mapping[str, Any]] | str | bytes,
        *,
        errors: Errors | None = None,
        progress: Callable[[int], object] | None = None,
        timeout: float | None = None,
    ) -> PutMany:
        """As `Nodes.put_many`."""
        return faulted(PutMany, self._many(_native.brant_edge_put_many, items, errors, progress, timeout))

    def insert_many(
        self,
        items: Iterable[EdgeItem | Edge[Any] | Mapping[str, Any]] | str | bytes,
        *,
        errors: Errors | None = None,
        progress: Callable[[int], object] | None = None,
        timeout: float | None = None,
    ) -> PutMany:
        """As `put_many`, for edges that are new. Exists: one is not."""
        return faulted(PutMany, self._many(_native.brant_edge_insert_many, items, errors, progress, timeout))

    def patch_many(
        self,
        items: Iterable[EdgePatch | Mapping[str, Any]] | str | bytes,
        *,
        errors: Errors | None = None,
        progress: Callable[[int], object] | None = None,
        timeout: float | None = None,
    ) -> PatchMany:
        """As `put_many`, for items of `patch`: key, attributes, metadata, revision. NotFound: an edge does not exist."""
        return faulted(PatchMany, self._many(_native.brant_edge_patch_many, items, errors, progress, timeout))

    def _many(
        self,
        function: _native.Operation,
        items: Iterable[Any] | str | bytes,
        errors: Errors | None,
        progress: Callable[[int], object] | None,
        timeout: float | None,
    ) -> Json:
        return many(self._database, function, {"graph": self._graph} | given(errors=errors), items, progress, timeout)

    def delete(self, key: str, *, revision: int | None = None) -> None:
        """NotFound. Conflict: `revision`."""
        self._database._call(_native.brant_edge_delete, {"graph": self._graph, "key": key} | given(revision=revision))

    def delete_many(
        self,
        keys: Iterable[str] | None = None,
        *,
        filter: Filter | None = None,
        errors: Errors | None = None,
        timeout: float | None = None,
    ) -> DeleteMany:
        """Delete the edges with these keys, or those that a filter matches (``{}``: all), all or nothing. NotFound: a key has no edge;
        `errors` "skip" leaves such out."""
        members = {"graph": self._graph} | given(filter=filter, errors=errors)
        function = _native.brant_edge_delete_many
        if keys is None or filter is not None:
            members |= given(keys=some_texts(keys))
            return faulted(DeleteMany, self._database._call(function, members, deadline(timeout)))
        return faulted(DeleteMany, many(self._database, function, members, texts(keys), None, timeout, "keys"))

    # ---- reading ------------------------------------------------------------------------------------------------------

    @overload
    def get(self, key: str) -> Edge[Json]: ...
    @overload
    def get(self, key: str, *, as_: type[M]) -> Edge[M]: ...
    @overload
    def get(self, key: str, *, as_: Callable[[Json], M]) -> Edge[M]: ...
    def get(self, key: str, *, as_: Callable[..., Any] | None = None) -> Edge[Any]:
        """The edge. NotFound."""
        return _edge(self._database._call(_native.brant_edge_get, {"graph": self._graph, "key": key}), as_)

    def open_secret(self, key: str, path: str) -> Secret:
        """Open an attribute that the edge's type encrypts, with the handle's key ring (`Database.keyring`): "attributes.value", or "attributes/db/password".

        NotFound: no such edge, or nothing there; no key ring, or not the key. Invalid: the type does not encrypt it. Auth: what stands there
        does not open, or is plain, which is not believed. Unsupported, Limit: as `Envelopes.open`. A password's key is derived first, which takes about a
        second; other threads go on, on other handles.
        """
        return opened(self._database, _native.brant_edge_open_secret, {"graph": self._graph, "key": key, "path": path})

    def exists(self, key: str) -> bool:
        """Is there an edge of this key? ``key in graph.edges`` is the same. NotFound: no graph."""
        return cast(bool, self._database._call(_native.brant_edge_exists, {"graph": self._graph, "key": key})["exists"])

    def count(self, *, type: str | None = None, filter: Filter | None = None) -> int:
        """How many there are (of a type): a stored number, no scan; with a filter, those that it matches."""
        members = given(graph=self._graph, type=type, filter=filter)
        return cast(int, self._database._call(_native.brant_edge_count, members)["count"])

    @overload
    def list(self, **query: Unpack[EdgeQuery]) -> Page[Edge[Json]]: ...
    @overload
    def list(self, *, as_: type[M], **query: Unpack[EdgeQuery]) -> Page[Edge[M]]: ...
    @overload
    def list(self, *, as_: Callable[[Json], M], **query: Unpack[EdgeQuery]) -> Page[Edge[M]]: ...
    def list(
        self,
        *,
        type: str | None = None,
        source: str | None = None,
        target: str | None = None,
        filter: Filter | None = None,
        order_by: str | None = None,
        descending: bool | None = None,
        limit: int | None = None,
        cursor: str | None = None,
        as_: Callable[..., Any] | None = None,
    ) -> Page[Any]:
        """A page (100; at most 10 000) of edges, by source's key, then type, then target. `filter` and `order_by` as for `Nodes.list`."""
        members = given(graph=self._graph, type=type, source=source, target=target, filter=filter, order_by=order_by)
        members |= given(descending=descending, limit=limit, cursor=cursor)
        answer = self._database._call(_native.brant_edge_list, members)
        return Page([_edge(item, as_) for item in answer["items"]], answer["cursor"])

    @overload
    def iter(self, **selection: Unpack[EdgeSelection]) -> Iterator[Edge[Json]]: ...
    @overload
    def iter(self, *, as_: type[M], **selection: Unpack[EdgeSelection]) -> Iterator[Edge[M]]: ...
    @overload
    def iter(self, *, as_: Callable[[Json], M], **selection: Unpack[EdgeSelection]) -> Iterator[Edge[M]]: ...
    def iter(
        self,
        *,
        type: str | None = None,
        source: str | None = None,
        target: str | None = None,
        filter: Filter | None = None,
        order_by: str | None = None,
        descending: bool | None = None,
        as_: Callable[..., Any] | None = None,
    ) -> Iterator[Any]:
        """All of `list`, page by page; each page sees the state of its moment."""
        query: EdgeQuery = {"type": type, "source": source, "target": target, "filter": filter, "order_by": order_by}
        query |= {"descending": descending, "limit": PAGE}

        def page(cursor: str | None) -> Page[Edge[Any]]:
            query["cursor"] = cursor
            return self.list(as_=cast(Any, as_), **query)

        return paged(page)

    def explain(
        self,
        *,
        type: str | None = None,
        source: str | None = None,
        target: str | None = None,
        filter: Filter | None = None,
        order_by: str | None = None,
        descending: bool | None = None,
        limit: int | None = None,
        cursor: str | None = None,
    ) -> Explained:
        """As `Nodes.explain`."""
        members = given(graph=self._graph, type=type, source=source, target=target, filter=filter, order_by=order_by)
        members |= given(descending=descending, limit=limit, cursor=cursor)
        return explained(self._database._call(_native.brant_edge_explain, members))

    @overload
    def search(self, query: str, **options: Unpack[NodeSearch]) -> Page[EdgeHit[Json]]: ...
    @overload
    def search(self, query: str, *, as_: type[M], **options: Unpack[NodeSearch]) -> Page[EdgeHit[M]]: ...
    @overload
    def search(
        self, query: str, *, as_: Callable[[Json], M], **options: Unpack[NodeSearch]
    ) -> Page[EdgeHit[M]]: ...  # fmt: skip
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
        """As `Nodes.search`."""
        members = given(graph=self._graph, query=query, type=type, filter=filter, limit=limit, cursor=cursor)
        answer = self._database._call(_native.brant_edge_search, members)
        hits = [EdgeHit(_edge(item["edge"], as_), item["score"], item["snippet"]) for item in answer["items"]]
        return Page(hits, answer["cursor"])
