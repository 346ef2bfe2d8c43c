"""Indexes over attributes."""

from __future__ import annotations

import builtins
from collections.abc import Iterable, Iterator
from typing import TYPE_CHECKING, Literal

from . import _native
from ._clock import deadline
from ._common import given, texts
from .records import known, known_list
from .results import Index

if TYPE_CHECKING:
    from .database import Database


class Indexes:
    """The indexes over attributes, as ``db.indexes``; iterate it for all."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def __repr__(self) -> str:
        return f"<brant.Indexes of {self._database!r}>"

    def __iter__(self) -> Iterator[Index]:
        return iter(self.list())

    def create(
        self,
        graph_type: str,
        paths: Iterable[str],
        *,
        node_type: str | None = None,
        edge_type: str | None = None,
        of: Literal["nodes", "edges"] | None = None,
        kind: Literal["value", "text"] | None = None,
        name: str | None = None,
        timeout: float | None = None,
    ) -> Index:
        """Index 1 to 8 attribute paths ("attributes.status") of a type's nodes or edges, in all graphs of the graph type.

        `kind`: "value" (default) for filters and orders, whose plan `Nodes.explain` shows; "text" for `Nodes.search`. `node_type` or
        `edge_type`; in an untyped graph type `of` says which. `name` is made of the others if it is not given. The same again is answered as
        it is stored. Exists: another index has the name. NotFound: the graph type. Invalid: a type or path that cannot be.
        """
        members = given(graph_type=graph_type, node_type=node_type, edge_type=edge_type, of=of, kind=kind, name=name)
        members["paths"] = texts(paths)
        return known(Index, self._database._call(_native.brant_index_create, members, deadline(timeout)))

    def list(self, *, graph_type: str | None = None) -> builtins.list[Index]:
        """All, or those of a graph type, by name."""
        answer = self._database._call(_native.brant_index_list, given(graph_type=graph_type))
        return known_list(Index, answer["items"])

    def delete(self, name: str) -> None:
        """NotFound."""
        self._database._call(_native.brant_index_delete, {"name": name})
