"""The graphs of a file."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, Any, Literal

from . import _native
from ._clock import deadline
from ._common import LEFT, PAGE, Status, given, paged
from .graph import Graph
from .records import GraphDeleted, GraphInfo, Json, Page, known
from .results import Purged

if TYPE_CHECKING:
    import networkx

    from .database import Database


class Graphs:
    """The graphs of a file, as ``db.graphs``; iterate it for all. ``db.graph(name)`` has what is in one."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def __repr__(self) -> str:
        return f"<brant.Graphs of {self._database!r}>"

    def __iter__(self) -> Iterator[GraphInfo]:
        return paged(lambda cursor: self.list(limit=PAGE, cursor=cursor))

    def create(
        self,
        name: str,
        graph_type: str = "open",
        *,
        owner_id: str | None = None,
        project_id: str | None = None,
        status: Status | None = None,
        metadata: Json | None = None,
        changes: bool | None = None,
    ) -> GraphInfo:
        """Create a graph. `changes`: keep a log of what is written (`Graph.changes`). Exists: the name is taken. NotFound: no such graph type."""
        members = given(name=name, graph_type=graph_type, owner_id=owner_id, project_id=project_id, status=status)
        members |= given(metadata=metadata, changes=changes)
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
        status: Status | Literal["deleted"] | None = None,
    ) -> Page[GraphInfo]:
        """A page (100) of graphs, by name; those that are deleted only with that status."""
        members = given(limit=limit, cursor=cursor, graph_type=graph_type, status=status)
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
        changes: bool | None = None,
    ) -> GraphInfo:
        """Replace what is given; `changes` begins or ends the log of what is written. What is in an "archived" graph cannot be written (Constraint). A status restores a deleted graph."""
        members = given(name=name, status=status, metadata=metadata, changes=changes)
        if owner_id is not LEFT:
            members["owner_id"] = owner_id
        if project_id is not LEFT:
            members["project_id"] = project_id
        return known(GraphInfo, self._database._call(_native.brant_graph_update, members))

    def delete(self, name: str) -> GraphDeleted:
        """Mark a graph as deleted: it and what is in it are NotFound, but for `get`, ``list(status="deleted")``, `update`, which restores
        it, and `purge`. Its name stays taken."""
        return known(GraphDeleted, self._database._call(_native.brant_graph_delete, {"name": name}))

    def purge(self, name: str, *, limit: int | None = None, timeout: float | None = None) -> Purged:
        """Remove a graph and all that is in it for good; with `limit`, at most that many rows a call: ``while not purge(..): ...``"""
        members = {"name": name} | given(limit=limit)
        return known(Purged, self._database._call(_native.brant_graph_purge, members, deadline(timeout)))

    def from_networkx(self, name: str, source: networkx.Graph[Any], *, graph_type: str | None = None) -> Graph:
        """A new graph with all of a NetworkX graph: as `Graph.from_networkx`."""
        return Graph.from_networkx(self._database, name, source, graph_type=graph_type)
