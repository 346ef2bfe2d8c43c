"""Typed operations: the types of a graph type as attributes, each with its verbs, whose schemas are the type's own."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any, Generic, Literal, cast, overload

from ._common import Filter, M, given
from .edges import _edge
from .errors import NotFound
from .nodes import _node, _put
from .records import Edge, Json, Node, Operation, Page, Put, known
from .results import Patched

if TYPE_CHECKING:
    from .database import Database


class Types:
    """The typed operations of a file: ``db.types.task.Task.insert(graph, key, {...})``.

    ``db.types[graph_type]`` where the name is no Python name. The names are looked up when they are used.
    """

    __slots__ = ("_database",)

    def __init__(self, database: Database) -> None:
        self._database = database

    def __repr__(self) -> str:
        return f"<brant.Types of {self._database!r}>"

    def __getitem__(self, graph_type: str) -> TypesOf:
        return TypesOf(self._database, graph_type)

    def __getattr__(self, graph_type: str) -> TypesOf:
        if graph_type.startswith("__"):
            raise AttributeError(graph_type)
        return TypesOf(self._database, graph_type)


class TypesOf:
    """The types of one graph type: as attributes, or by `node` and `edge`, which type checkers understand."""

    __slots__ = ("_database", "_name")

    def __init__(self, database: Database, name: str) -> None:
        self._database = database
        self._name = name

    def __repr__(self) -> str:
        return f"<brant.TypesOf {self._name!r}>"

    def operations(self) -> list[Operation]:
        """The operations of all its types, as data. NotFound: no such graph type."""
        return cast("list[Operation]", self._database.call("operations.list", {"graph_type": self._name})["items"])

    @overload
    def node(self, type: str) -> TypedNodes[Json]: ...
    @overload
    def node(self, type: str, as_: type[M]) -> TypedNodes[M]: ...
    @overload
    def node(self, type: str, as_: Callable[[Json], M]) -> TypedNodes[M]: ...
    def node(self, type: str, as_: Callable[..., Any] | None = None) -> TypedNodes[Any]:
        """A node type by its name; `as_` is what attributes are read as."""
        return TypedNodes(self._database, f"types.{self._name}.{type}", as_)

    @overload
    def edge(self, type: str) -> TypedEdges[Json]: ...
    @overload
    def edge(self, type: str, as_: type[M]) -> TypedEdges[M]: ...
    @overload
    def edge(self, type: str, as_: Callable[[Json], M]) -> TypedEdges[M]: ...
    def edge(self, type: str, as_: Callable[..., Any] | None = None) -> TypedEdges[Any]:
        """An edge type by its name (``<name>Edge`` where a node type has it too); `as_` is what attributes are read as."""
        return TypedEdges(self._database, f"types.{self._name}.{type}", as_)

    def __getitem__(self, type: str) -> Any:
        """The node type or edge type of this name. NotFound: no such graph type, or it has no such type."""
        known = self._database.graph_types.get(self._name)
        if type in known.node_types:
            return self.node(type)
        if any(type in (edge_type.name, f"{edge_type.name}Edge") for edge_type in known.edge_types):
            return self.edge(type)
        raise NotFound(f"the graph type {self._name!r} has no type {type!r}")

    def __getattr__(self, type: str) -> Any:
        if type.startswith("__"):
            raise AttributeError(type)
        try:
            return self[type]
        except NotFound as error:
            raise AttributeError(error.message) from None


class _Typed(Generic[M]):
    __slots__ = ("_as", "_database", "_name")

    def __init__(self, database: Database, name: str, as_: Callable[..., M] | None) -> None:
        self._database = database
        self._name = name
        self._as = as_

    def __repr__(self) -> str:
        return f"<brant.{type(self).__name__} {self._name}>"

    def _call(self, verb: str, graph: str, **members: Any) -> Any:
        return self._database.call(f"{self._name}.{verb}", {"graph": graph} | given(**members))

    def patch(
        self, graph: str, key: str, attributes: Any, *, metadata: Json | None = None, revision: int | None = None
    ) -> Patched:
        """As `Nodes.patch`. NotFound: there is none of this type."""
        members = {"attributes": attributes, "metadata": metadata, "revision": revision}
        return known(Patched, self._call("patch", graph, key=key, **members))

    def count(self, graph: str, *, filter: Filter | None = None) -> int:
        """How many there are of this type; with a filter, those that it matches."""
        return cast(int, self._call("count", graph, filter=filter)["count"])


class TypedNodes(_Typed[M]):
    """The operations of a node type, whose attributes the type's own schema describes; as those of `Nodes`, with the graph's name first.

    Attributes are part of the operation's input: those that `insert` or `put` refuse are Invalid with violations, not Validation; `patch`,
    which judges the result, has Validation."""

    __slots__ = ()

    def insert(self, graph: str, key: str, attributes: Any = None, *, metadata: Json | None = None) -> Put:
        """As `Nodes.insert`."""
        return _put(self._call("insert", graph, key=key, attributes=attributes, metadata=metadata))

    def put(
        self, graph: str, key: str, attributes: Any = None, *, metadata: Json | None = None, revision: int | None = None
    ) -> Put:
        """As `Nodes.put`."""
        return _put(self._call("put", graph, key=key, attributes=attributes, metadata=metadata, revision=revision))

    def get(self, graph: str, key: str) -> Node[M]:
        """NotFound: there is no node of this key and type."""
        return _node(self._call("get", graph, key=key), self._as)

    def find(
        self,
        graph: str,
        filter: Filter | None = None,
        *,
        prefix: str | None = None,
        order_by: str | None = None,
        descending: bool | None = None,
        limit: int | None = None,
        cursor: str | None = None,
    ) -> Page[Node[M]]:
        """As `Nodes.list`."""
        members = {"filter": filter, "order_by": order_by, "descending": descending, "limit": limit, "cursor": cursor}
        answer = self._call("find", graph, prefix=prefix, **members)
        return Page([_node(item, self._as) for item in answer["items"]], answer["cursor"])

    def delete(
        self, graph: str, key: str, *, edges: Literal["refuse", "delete"] | None = None, revision: int | None = None
    ) -> int:
        """As `Nodes.delete`."""
        return cast(int, self._call("delete", graph, key=key, edges=edges, revision=revision)["edges"])


class TypedEdges(_Typed[M]):
    """The operations of an edge type, as `TypedNodes`."""

    __slots__ = ()

    def insert(
        self,
        graph: str,
        source: str,
        target: str,
        attributes: Any = None,
        *,
        key: str | None = None,
        undirected: bool | None = None,
        metadata: Json | None = None,
    ) -> Put:
        """As `Edges.insert`."""
        members = {"source": source, "target": target, "attributes": attributes, "key": key, "undirected": undirected}
        return _put(self._call("insert", graph, **members, metadata=metadata))

    def put(
        self,
        graph: str,
        source: str,
        target: str,
        attributes: Any = None,
        *,
        key: str | None = None,
        undirected: bool | None = None,
        metadata: Json | None = None,
        revision: int | None = None,
    ) -> Put:
        """As `Edges.put`."""
        members = {"source": source, "target": target, "attributes": attributes, "key": key, "undirected": undirected}
        return _put(self._call("put", graph, **members, metadata=metadata, revision=revision))

    def get(self, graph: str, key: str) -> Edge[M]:
        """NotFound: there is no edge of this key and type."""
        return _edge(self._call("get", graph, key=key), self._as)

    def find(
        self,
        graph: str,
        filter: Filter | None = None,
        *,
        source: str | None = None,
        target: str | None = None,
        order_by: str | None = None,
        descending: bool | None = None,
        limit: int | None = None,
        cursor: str | None = None,
    ) -> Page[Edge[M]]:
        """As `Edges.list`."""
        members = {"filter": filter, "order_by": order_by, "descending": descending, "limit": limit, "cursor": cursor}
        answer = self._call("find", graph, source=source, target=target, **members)
        return Page([_edge(item, self._as) for item in answer["items"]], answer["cursor"])

    def delete(self, graph: str, key: str, *, revision: int | None = None) -> None:
        """As `Edges.delete`."""
        self._call("delete", graph, key=key, revision=revision)
