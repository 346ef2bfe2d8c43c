"""Walks: what is reachable, in batches, for threads and for asyncio."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterator
from types import TracebackType
from typing import TYPE_CHECKING

from . import _native
from ._json import decode, encode
from .records import Json, known_list
from .results import WalkBatch

if TYPE_CHECKING:
    from .database import Database


class Walk(Iterator[WalkBatch], AsyncIterator[WalkBatch]):
    """The nodes that a walk meets, batch by batch; made by `Nodes.walk`. Iterate it, ``for`` or ``async for``; a context manager that closes.

    `parents` count from the beginning of the walk. One thread or task at a time may ask for a batch (Misuse).
    """

    def __init__(self, database: Database, members: Json, until: int | None) -> None:
        self._database = database
        self._closed = False
        self._ended = False
        self._cursor = database._run(_native.brant_node_walk, encode(members), until)

    def __repr__(self) -> str:
        return f"<brant.Walk of {self._database!r}{' closed' if self._closed else ''}>"

    def __enter__(self) -> Walk:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        self.close()

    def close(self) -> None:
        """End the walk and let go of its snapshot. Any thread, any number of times."""
        self._closed = True
        _native.brant_cursor_close(self._cursor)

    def take(self) -> WalkBatch | None:
        """The next batch, None at the end. Closed: the walk or its database is; Timeout, Interrupted."""
        if self._ended and not self._closed:
            return None
        items = known_list(WalkBatch, decode(_native.brant_cursor_next(self._cursor, 0)))
        if not items:
            self._ended = True
            _native.brant_cursor_close(self._cursor)
            return None
        return items[0]

    def __iter__(self) -> Walk:
        return self

    def __next__(self) -> WalkBatch:
        batch = None if self._closed else self.take()
        if batch is None:
            raise StopIteration
        return batch

    def __aiter__(self) -> Walk:
        return self

    async def __anext__(self) -> WalkBatch:
        import asyncio

        # Another thread computes, so that the loop goes on meanwhile; the cursor needs neither the handle's lock nor its transaction.
        batch = None if self._closed else await asyncio.to_thread(self.take)
        if batch is None:
            raise StopAsyncIteration
        return batch
