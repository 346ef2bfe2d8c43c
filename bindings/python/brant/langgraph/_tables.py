"""The tables of checkpoints and of the store: rows of ordinary tables in brant's file, written over brant's handle.

They are tables and not a graph, because what LangGraph keeps is opaque bytes that are looked up by a thread's and a namespace's name: a node would have it
as base64 inside of JSON, with a revision, a type and a change of counts beside it, and cost several times as much (bindings/python/README.md has figures).
Each statement is written out here and in the two modules that use them; values are always parameters.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from .. import _native
from .._json import decode, stored
from ..errors import NewerFormat

if TYPE_CHECKING:
    from ..database import Database

VERSION = 1

CHECKPOINTS = (
    """CREATE TABLE IF NOT EXISTS langgraph_checkpoints (
        thread_id TEXT NOT NULL,
        checkpoint_ns TEXT NOT NULL,
        checkpoint_id TEXT NOT NULL,
        parent_id TEXT,
        run_id TEXT,
        versions TEXT NOT NULL,
        metadata TEXT NOT NULL,
        type TEXT NOT NULL,
        checkpoint BLOB NOT NULL,
        PRIMARY KEY (thread_id, checkpoint_ns, checkpoint_id)
    ) STRICT""",
    "CREATE INDEX IF NOT EXISTS langgraph_checkpoints_by_id ON langgraph_checkpoints (checkpoint_id, thread_id, checkpoint_ns)",
    "CREATE INDEX IF NOT EXISTS langgraph_checkpoints_by_run ON langgraph_checkpoints (run_id) WHERE run_id IS NOT NULL",
    # A channel's value at one version, once for however many checkpoints have it. What one step writes lies together in the index: versions grow with steps.
    """CREATE TABLE IF NOT EXISTS langgraph_blobs (
        thread_id TEXT NOT NULL,
        checkpoint_ns TEXT NOT NULL,
        channel TEXT NOT NULL,
        version TEXT NOT NULL,
        type TEXT NOT NULL,
        value BLOB NOT NULL,
        PRIMARY KEY (thread_id, checkpoint_ns, version, channel)
    ) STRICT""",
    """CREATE TABLE IF NOT EXISTS langgraph_writes (
        thread_id TEXT NOT NULL,
        checkpoint_ns TEXT NOT NULL,
        checkpoint_id TEXT NOT NULL,
        task_id TEXT NOT NULL,
        idx INTEGER NOT NULL,
        task_path TEXT NOT NULL,
        channel TEXT NOT NULL,
        type TEXT NOT NULL,
        value BLOB NOT NULL,
        PRIMARY KEY (thread_id, checkpoint_ns, checkpoint_id, task_id, idx)
    ) STRICT""",
)

STORE = (
    """CREATE TABLE IF NOT EXISTS langgraph_items (
        namespace TEXT NOT NULL,
        key TEXT NOT NULL,
        type TEXT NOT NULL,
        value TEXT NOT NULL,
        created_at INTEGER NOT NULL,
        updated_at INTEGER NOT NULL,
        ttl REAL,
        expires_at INTEGER,
        PRIMARY KEY (namespace, key)
    ) STRICT""",
    "CREATE INDEX IF NOT EXISTS langgraph_items_by_time ON langgraph_items (updated_at DESC, namespace, key)",
    "CREATE INDEX IF NOT EXISTS langgraph_items_by_expiry ON langgraph_items (expires_at) WHERE expires_at IS NOT NULL",
    # Vectors are dims float32 in little-endian order, one row for each text of an item.
    """CREATE TABLE IF NOT EXISTS langgraph_vectors (
        namespace TEXT NOT NULL,
        key TEXT NOT NULL,
        path TEXT NOT NULL,
        type TEXT NOT NULL,
        vector BLOB NOT NULL,
        PRIMARY KEY (namespace, key, path)
    ) STRICT""",
)


def set_up(database: Database, part: str, statements: tuple[str, ...]) -> None:
    """Make the tables of "checkpoints" or "store" unless they are there. NewerFormat: a newer brant made them."""
    with_versions = "SELECT 1 FROM sqlite_master WHERE type = 'table' AND name = 'langgraph_versions'"
    mine = "SELECT version FROM langgraph_versions WHERE part = ?"
    found = database.execute(mine, [part]).rows if database.execute(with_versions).rows else []
    if not found:
        with database.transaction():
            database.execute(
                "CREATE TABLE IF NOT EXISTS langgraph_versions (part TEXT NOT NULL PRIMARY KEY, version INTEGER NOT NULL) STRICT"
            )
            for statement in statements:
                database.execute(statement)
            database.execute("INSERT OR IGNORE INTO langgraph_versions VALUES (?, ?)", [part, VERSION])
            found = database.execute(mine, [part]).rows
    if found[0][0] > VERSION:
        raise NewerFormat(f"the tables of LangGraph's {part} are of version {found[0][0]}, this package knows {VERSION}")


def many(statement: str, rows: list[tuple[Any, ...]]) -> list[bytes]:
    """A statement that is run with each of these rows, as requests of the library's (`Database._run`): one, or as many as their bytes ask for."""
    runs = iter(rows)
    return list(iter(lambda: _native.pack(statement, 0, runs, tuple, stored, 5000, 8 << 20), None))


def parsed(text: str) -> Any:
    return decode(text)
