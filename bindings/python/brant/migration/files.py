"""Graphs from files of other libraries: which kind a file is, and how it is read."""

from __future__ import annotations

import json
import os
import re
from pathlib import Path
from typing import Any

from ..database import Database
from ..errors import Exists
from . import kuzu_export
from . import pickles
from .errors import MigrationError
from .source import Progress

KINDS = ("networkx", "node_link", "graphology", "memory", "kuzu", "ndjson")


def kind_of(path: str | Path) -> str:
    """What a file or folder is, by what is in it. MigrationError: nothing that is known."""
    place = Path(path)
    if place.is_dir():
        if (place / "schema.cypher").exists():
            return "kuzu"
        raise MigrationError(f"{path}: has no schema.cypher: it is no folder that EXPORT DATABASE wrote")
    try:
        with open(place, "rb") as stream:
            head = stream.read(65536)
    except OSError as error:
        raise MigrationError(f"{path}: {error.strerror}") from None
    if head.startswith(pickles.MAGIC):
        return "networkx"
    text = head.decode("utf-8", "replace").lstrip()
    if text.startswith("{"):
        first = text.partition("\n")[0]
        try:
            line: Any = json.loads(first)
        except ValueError:
            line = {}
        if line.get("type") in ("entity", "relation"):
            return "memory"
        if line.keys() & {"graph", "node", "edge"} and not line.keys() & {"nodes", "links", "edges"}:
            return "ndjson"
        size = place.stat().st_size
        # Members of the document itself; what stands within it may have the same names, so a short file is looked at whole.
        try:
            names = set(json.loads(place.read_bytes())) if size < 16 << 20 else set(re.findall(r'"(\w+)"\s*:', text))
        except ValueError as error:
            raise MigrationError(f"{path}: is no whole JSON document: {error}") from None
        if names & {"multigraph", "links", "directed"}:
            return "node_link"
        if names & {"options", "attributes"} and "nodes" in names or names <= {"nodes", "edges"}:
            return "graphology"
    raise MigrationError(f"{path}: is none of {', '.join(KINDS)}; --kind says which where it is one after all")


def networkx(db: Database, path: str | Path, *, graph: str) -> dict[str, int]:
    """A NetworkX pickle into a new graph, of which nothing is run. Exists: there is such a graph."""
    source = pickles.load(path)
    db.graphs.from_networkx(graph, source)
    return {"nodes": source.number_of_nodes(), "edges": source.number_of_edges()}


def document(db: Database, path: str | Path, *, graph: str, format: str, progress: Progress = lambda *_: None) -> dict[str, int]:
    """A file of a format that graphs.import knows, into a new graph; an import that was ended before its end goes on."""
    resume = True
    answer: dict[str, Any] = {"done": False}
    while not answer["done"]:
        answer = db.call(
            "graphs.import",
            {"graph": graph, "format": format, "path": os.path.abspath(path), "create": True, "max_batches": 10, "resume": resume},
        )
        progress(str(path), int(answer["nodes"]) + int(answer["edges"]), None)
    return {"nodes": int(answer["nodes"]), "edges": int(answer["edges"])}


def kuzu(db: Database, path: str | Path, *, graph: str, graph_type: str | None = None, progress: Progress = lambda *_: None) -> dict[str, int]:
    """A folder that Kuzu's or LadybugDB's EXPORT DATABASE wrote: see `brant.migration.kuzu_export`."""
    return kuzu_export.load(db, path, graph, graph_type=graph_type, progress=progress)


def read(db: Database, path: str | Path, *, graph: str, kind: str | None = None, progress: Progress = lambda *_: None) -> dict[str, int]:
    """Whatever of these a file or folder is, into the graph. {"nodes", "edges"}: how many were read."""
    kind = kind or kind_of(path)
    if kind == "kuzu":
        return kuzu(db, path, graph=graph, progress=progress)
    if kind == "networkx":
        try:
            return networkx(db, path, graph=graph)
        except Exists:
            raise MigrationError(f'there is a graph "{graph}" already') from None
    if kind not in KINDS:
        raise MigrationError(f"{kind} is none of {', '.join(KINDS)}")
    return document(db, path, graph=graph, format=kind, progress=progress)
