"""One graph: its nodes and edges, what is computed over all of it, and its ways in and out."""

from __future__ import annotations

import datetime
import os
from collections.abc import Callable, Iterable, Mapping
from typing import IO, TYPE_CHECKING, Any, Literal, TypedDict, Union, cast, overload

from . import _libraries, _native
from ._clock import deadline
from ._common import Direction, Errors, Filter, given, some_texts, texts
from ._exchange import ExportFormat, ImportFormat, export_text, export_to, import_path, import_text
from ._json import encode
from ._late import L
from .edges import Edges, _edge
from .nodes import Nodes, _node
from .records import GraphInfo, Json, known
from .results import (
    Arrays,
    Components,
    Cycle,
    Degrees,
    ExportPage,
    GraphDiff,
    Imported,
    PageRank,
    Path,
    Paths,
    Replayed,
    ShortestPaths,
    Subgraph,
    TopologicalOrder,
    graph_diff,
)
from .streams import Events, Stream, begin, part

if TYPE_CHECKING:
    import igraph
    import networkx
    import rustworkx
    from typing_extensions import Unpack

    from .database import Database


Then = Union[int, datetime.datetime, Mapping[str, int]]
"""An offset of a change log, or a time: a datetime, or ``{"time": ms}``."""


class EdgeSelector(TypedDict, total=False):
    """Which edges count: arguments of all that is computed over a graph."""

    edge_types: Iterable[str] | None
    edge_filter: Filter | None


class Selector(EdgeSelector, total=False):
    """Which edges, and which nodes; a `timeout` in seconds."""

    node_filter: Filter | None
    timeout: float | None


class WalkOptions(Selector, total=False):
    """Which way a walk may go: "out" (default), "in" or "both"; edges that it may follow, nodes that it may enter (starts need not match)."""

    direction: Direction | None


def _options(options: Mapping[str, Any]) -> tuple[Json, int | None]:
    """An operation's members, and its deadline. An unknown one is refused by the library, as any."""
    members = given(**options)
    timeout = members.pop("timeout", None)
    if "edge_types" in members:
        members["edge_types"] = texts(members["edge_types"])
    return members, deadline(timeout)


class Graph:
    """One graph: its `nodes` and `edges`, and what is computed over all of it.

    The algorithms run in the library on a snapshot of the graph that the handle keeps while no node or edge comes or goes. They share their
    options: `edge_types` and `edge_filter` say which edges count, `node_filter` which nodes may be entered, `direction` which way edges are
    followed ("out", "in", "both"; undirected edges go both ways), `timeout` the seconds after which to give up (Timeout).
    """

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

    def _call(self, function: _native.Operation, options: Mapping[str, Any], **members: Any) -> Json:
        others, until = _options(options)
        return cast(Json, self.database._call(function, {"graph": self.name} | given(**members) | others, until))

    def _late(self, cls: type[L], function: _native.Operation, options: Mapping[str, Any], **members: Any) -> L:
        others, until = _options(options)
        return cls.of(self.database._run(function, encode({"graph": self.name} | given(**members) | others), until))

    # ---- paths --------------------------------------------------------------------------------------------------------

    def shortest_path(
        self,
        source: str,
        target: str,
        *,
        weight: str | None = None,
        default_weight: float | None = None,
        max_depth: int | None = None,
        **options: Unpack[WalkOptions],
    ) -> Path:
        """The shortest way from one node to another; false if there is none.

        `weight`: the path of an edge attribute ("attributes.cost"), a number that is not negative; `default_weight` for edges without.
        Among the cheapest the one of fewest edges, among those the first by its keys. NotFound: an end. Constraint: an edge whose weight
        cannot be.
        """
        members = {"source": source, "target": target, "weight": weight, "default_weight": default_weight}
        return known(Path, self._call(_native.brant_graph_shortest_path, options, **members, max_depth=max_depth))

    def shortest_paths(
        self,
        source: str,
        *,
        weight: str | None = None,
        default_weight: float | None = None,
        max_depth: int | None = None,
        max_cost: float | None = None,
        limit: int | None = None,
        **options: Unpack[WalkOptions],
    ) -> ShortestPaths:
        """The nodes that can be reached from one, nearest first, each with its cost and by way of which; weights as for `shortest_path`."""
        members = {"source": source, "weight": weight, "default_weight": default_weight, "max_depth": max_depth}
        function = _native.brant_graph_shortest_paths
        return self._late(ShortestPaths, function, options, **members, max_cost=max_cost, limit=limit)

    def paths(
        self, source: str, target: str, *, max_depth: int, limit: int | None = None, **options: Unpack[WalkOptions]
    ) -> Paths:
        """The simple paths from one node to another of at most `max_depth` edges (1 to 1000), shortest first, then by keys; `limit` (100,
        at most 100 000) cuts them."""
        members = {"source": source, "target": target, "max_depth": max_depth, "limit": limit}
        return known(Paths, self._call(_native.brant_graph_paths, options, **members))

    def count_walks(
        self,
        length: int,
        *,
        sources: Iterable[str] | None = None,
        targets: Iterable[str] | None = None,
        up_to: bool | None = None,
        **options: Unpack[WalkOptions],
    ) -> int:
        """How many walks have exactly `length` edges (`up_to`: 1 to that), parallel edges counted each, between these nodes if given.
        Limit: more than 64 bits hold."""
        members = {"length": length, "sources": some_texts(sources), "targets": some_texts(targets), "up_to": up_to}
        return cast(int, self._call(_native.brant_graph_count_walks, options, **members)["count"])

    # ---- structure ----------------------------------------------------------------------------------------------------

    def topological_order(self, **options: Unpack[Selector]) -> TopologicalOrder:
        """The nodes such that each edge leads onward: by generation, then by key. Constraint: there is a cycle (the detail has the keys of
        one), or the graph is undirected."""
        return self._late(TopologicalOrder, _native.brant_graph_topological_order, options)

    def find_cycle(self, **options: Unpack[Selector]) -> Cycle:
        """A cycle; false if there is none."""
        return known(Cycle, self._call(_native.brant_graph_find_cycle, options))

    def components(
        self, connection: Literal["weak", "strong"] | None = None, **options: Unpack[Selector]
    ) -> Components:  # fmt: skip
        """The connected components, numbered by their smallest keys: "weak" (default; the edges' directions do not matter) or "strong"."""
        return self._late(Components, _native.brant_graph_components, options, connection=connection)

    def subgraph(
        self,
        keys: Iterable[str] | None = None,
        *,
        filter: Filter | None = None,
        limit: int | None = None,
        timeout: float | None = None,
        **options: Unpack[EdgeSelector],
    ) -> Subgraph:
        """The nodes with these keys, or that a filter matches, and the edges between them; `limit` (10 000) cuts it."""
        members = {"keys": some_texts(keys), "filter": filter, "limit": limit, "timeout": timeout}
        answer = self._call(_native.brant_graph_subgraph, {**members, **options})
        nodes, edges = [_node(item) for item in answer["nodes"]], [_edge(item) for item in answer["edges"]]
        return Subgraph(nodes, edges, answer["truncated"])

    def degrees(
        self,
        keys: Iterable[str] | None = None,
        *,
        direction: Direction | None = None,
        descending: bool | None = None,
        limit: int | None = None,
        timeout: float | None = None,
        **options: Unpack[EdgeSelector],
    ) -> Degrees:
        """How many edges nodes have, all nodes by key or those with these keys in that order; with `descending` the highest first, with
        False the lowest."""
        members = {"keys": some_texts(keys), "direction": direction, "descending": descending, "limit": limit}
        return self._late(Degrees, _native.brant_graph_degrees, {**members, "timeout": timeout, **options})

    def pagerank(
        self,
        *,
        damping: float | None = None,
        tolerance: float | None = None,
        max_iterations: int | None = None,
        weight: str | None = None,
        default_weight: float | None = None,
        personalization: Mapping[str, float] | None = None,
        limit: int | None = None,
        timeout: float | None = None,
        **options: Unpack[EdgeSelector],
    ) -> PageRank:
        """The nodes' PageRank, highest first, as NetworkX computes it: damping 0.85, tolerance 1e-6, 100 iterations at most."""
        members: dict[str, Any] = {"damping": damping, "tolerance": tolerance, "max_iterations": max_iterations}
        members |= {"weight": weight, "default_weight": default_weight, "personalization": personalization}
        members |= {"limit": limit, "timeout": timeout}
        return self._late(PageRank, _native.brant_graph_pagerank, {**members, **options})

    # ---- exchange -----------------------------------------------------------------------------------------------------

    @overload
    def export(
        self,
        format: ExportFormat,
        file: None = ...,
        *,
        part: Literal["nodes", "edges"] | None = ...,
        edges: Literal["edges", "links"] | None = ...,
        filter: Filter | None = ...,
        edge_filter: Filter | None = ...,
        timeout: float | None = ...,
    ) -> str: ...
    @overload
    def export(
        self,
        format: ExportFormat,
        file: str | os.PathLike[str] | IO[str] | IO[bytes],
        *,
        part: Literal["nodes", "edges"] | None = ...,
        edges: Literal["edges", "links"] | None = ...,
        filter: Filter | None = ...,
        edge_filter: Filter | None = ...,
        timeout: float | None = ...,
    ) -> None: ...
    def export(
        self,
        format: ExportFormat,
        file: str | os.PathLike[str] | IO[str] | IO[bytes] | None = None,
        *,
        part: Literal["nodes", "edges"] | None = None,
        edges: Literal["edges", "links"] | None = None,
        filter: Filter | None = None,
        edge_filter: Filter | None = None,
        timeout: float | None = None,
    ) -> str | None:
        """The graph as a document: the text, or to a path or an open file (UTF-8), page by page, as of one moment.

        `format`: "graphology", "node_link" (NetworkX and d3; `edges` names its array of edges), "ndjson", "csv" (`part` says of what),
        "graphml", "dot", "mermaid", "otlp" (a graph of type "call" as OpenTelemetry traces),
        "memory" (a graph of type "memory" as the reference MCP memory server's JSON lines). `filter`: only such nodes, and the edges between them; `edge_filter`: only such edges. A file by its
        path is there when it is whole, else it is as it was.
        """
        members = {"graph": self.name, "format": format}
        members |= given(part=part, edges=edges, filter=filter, edge_filter=edge_filter)
        if file is None:
            return export_text(self.database, members, deadline(timeout))
        export_to(self.database, members, deadline(timeout), file)
        return None

    def export_page(
        self,
        format: ExportFormat,
        *,
        part: Literal["nodes", "edges"] | None = None,
        edges: Literal["edges", "links"] | None = None,
        filter: Filter | None = None,
        edge_filter: Filter | None = None,
        limit: int | None = None,
        cursor: str | None = None,
        timeout: float | None = None,
    ) -> ExportPage:
        """A part of what `export` makes, of some `limit` items (10 000), for one who passes it on; all parts' texts joined are the document.
        Conflict: the graph changed since the last part; inside a read transaction it does not."""
        members = given(graph=self.name, format=format, part=part, edges=edges, filter=filter, edge_filter=edge_filter)
        members |= given(limit=limit, cursor=cursor)
        return known(ExportPage, self.database._call(_native.brant_graph_export, members, deadline(timeout)))

    def import_(
        self,
        format: ImportFormat,
        text: str | None = None,
        *,
        create: bool | None = None,
        path: str | os.PathLike[str] | None = None,
        part: Literal["nodes", "edges"] | None = None,
        node_type: str | None = None,
        edge_type: str | None = None,
        mode: Literal["put", "insert"] | None = None,
        errors: Errors | None = None,
        batch: int | None = None,
        max_batches: int | None = None,
        resume: bool | None = None,
        progress: Callable[[Imported], object] | None = None,
        timeout: float | None = None,
    ) -> Imported:
        """Read a document into the graph: a text in one transaction, all or nothing; or a file of any size by its `path`, each `batch`
        (10 000 items) one transaction.

        `format`: "graphology", "node_link", "ndjson", "csv" (`part` says of what), "otlp" (OpenTelemetry traces, into a graph of type
        "call"), "memory" (the reference MCP memory server's JSON lines, into one of type "memory"). A line of "ndjson" is ``{"node": {"key": .., "type": .., "attributes": {..}}}`` or ``{"edge": {"source": .., "target": ..}}``.
        `node_type`, `edge_type`: for items that have none. `mode` "insert": Exists, where one is there. `errors`
        "skip": leave out items at fault. `create`: make the graph, untyped and of the document's kind ("ndjson": of the type that it names;
        "otlp": "call"; "memory": "memory"). A file is read to its end, or for `max_batches`; `progress` is told after each batch what is done
        so far. `resume`: go on after the last batch of an import that was broken off, by a crash too.
        """
        members = {"graph": self.name, "format": format}
        members |= given(part=part, node_type=node_type, edge_type=edge_type, mode=mode, errors=errors, create=create)
        if path is None or text is not None:
            members |= given(text=text, batch=batch, max_batches=max_batches, resume=resume)
            members |= given(path=None if path is None else os.fspath(path))
            return import_text(self.database, members, progress, deadline(timeout))
        members |= given(path=os.fspath(path), batch=batch)
        return import_path(self.database, members, max_batches, resume, progress, deadline(timeout))

    def arrays(
        self,
        *,
        edge_types: Iterable[str] | None = None,
        edge_filter: Filter | None = None,
        attributes: bool | None = None,
        weight: str | None = None,
        timeout: float | None = None,
    ) -> Arrays:
        """The graph as arrays of numbers, nodes by key, for other libraries; `weight` is the path of an edge attribute, `attributes` adds all
        attributes."""
        members = given(graph=self.name, edge_types=some_texts(edge_types), edge_filter=edge_filter)
        members |= given(attributes=attributes, weight=weight)
        return known(Arrays, self.database._call(_native.brant_graph_arrays, members, deadline(timeout)))

    # ---- other libraries ----------------------------------------------------------------------------------------------

    def changes(self, *, after: int | None = None, limit: int | None = None) -> Events:
        """Up to `limit` (1000) changes behind an offset: what was written to a graph with `changes`, in the order of commits. Each event's payload
        says what was put or deleted, and what was there before. Conflict: the graph never had a log."""
        return part(self.database._call(_native.brant_graph_changes, given(graph=self.name, after=after, limit=limit)))

    def change_log(self) -> Stream:
        """The stream of the changes: to subscribe to, with consumers and groups, and to say how long they are kept."""
        return self.database.stream(f"changes:{self.info().id}")

    def diff(self, from_: Then, to: Then | None = None, *, limit: int | None = None) -> GraphDiff:
        """What is different at `to` (now) from what was at `from_`: offsets of the change log, or times; up to `limit` (10 000) keys.
        Conflict: the log does not say."""
        members = {"graph": self.name, "from": begin(from_)} | given(to=begin(to), limit=limit)
        return graph_diff(self.database._call(_native.brant_graph_diff, members))

    def replay(self, to: Then, into: str, *, graph_type: str | None = None) -> Replayed:
        """Make a new graph as this one was at an offset of its change log, or a time. Exists; Conflict: the log does not say."""
        members = {"graph": self.name, "to": begin(to), "into": into} | given(graph_type=graph_type)
        return known(Replayed, self.database._call(_native.brant_graph_replay, members))

    def to_networkx(self, *, edge_types: Iterable[str] | None = None, edge_filter: Filter | None = None) -> networkx.Graph[Any]:
        """The graph as NetworkX has it: a Graph, DiGraph, MultiGraph or MultiDiGraph with all attributes.

        What `from_networkx` made comes back as it was: keys that were numbers or tuples, keys of parallel edges, the graph's
        attributes. Types are attributes named "@type", keys that brant's edges have of
        their own "@key". Constraint: a mixed graph, which NetworkX has not. ImportError: no NetworkX.
        """
        return _libraries.to_networkx(self, self.arrays(edge_types=edge_types, edge_filter=edge_filter, attributes=True))

    def to_igraph(
        self, *, edge_types: Iterable[str] | None = None, edge_filter: Filter | None = None, attributes: bool = True
    ) -> igraph.Graph:
        """The graph as igraph has it: vertices have the attribute "name" (the key) and those of the nodes, edges those of the edges.
        Constraint: a mixed graph."""
        return _libraries.to_igraph(self.arrays(edge_types=edge_types, edge_filter=edge_filter, attributes=attributes))

    def to_rustworkx(
        self, *, edge_types: Iterable[str] | None = None, edge_filter: Filter | None = None, attributes: bool = True
    ) -> rustworkx.PyGraph[Any, Any] | rustworkx.PyDiGraph[Any, Any]:
        """The graph as rustworkx has it: nodes are dicts with "key", "type" and "attributes", edges too. Constraint: a mixed graph."""
        return _libraries.to_rustworkx(self.arrays(edge_types=edge_types, edge_filter=edge_filter, attributes=attributes))

    @staticmethod
    def from_networkx(
        database: Database, name: str, source: networkx.Graph[Any], *, graph_type: str | None = None
    ) -> Graph:  # fmt: skip
        """A new graph with all of a NetworkX graph, in one transaction.

        Attributes must have a JSON form. Nodes that are no text get keys "json:<their JSON>", from which `to_networkx` makes them again.
        `graph_type` is "open" for a DiGraph; for the other classes one is defined (open_undirected, open_multi, open_undirected_multi).
        Attributes named "@type" are types where the graph type has types, "@key" of edges are their keys. Exists: the name is taken.
        """
        return _libraries.from_networkx(database, name, source, graph_type)
