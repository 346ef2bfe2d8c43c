"""Walks: what is reachable, in batches, for threads and for asyncio."""

from __future__ import annotations

from collections import deque
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

    `parents` count from the beginning of the walk. One thread or task at a time may ask for a batch.
    """

    def __init__(self, database: Database, members: Json, until: int | None) -> None:
        self._database = database
        self._until = until
        self._ready: deque[WalkBatch] = deque()
        self._ended = False
        self._cursor = database._run(_native.brant_node_walk, encode(members), until)

    def __repr__(self) -> str:
        return f"<brant.Walk of {self._database!r}{' ended' if self._ended else ''}>"

    def __enter__(self) -> Walk:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        self.close()

    def close(self) -> None:
        """End the walk and let go of its snapshot. Any thread, any number of times."""
        self._ended = True
        self._ready.clear()
        _native.brant_cursor_close(self._cursor)

    def __iter__(self) -> Walk:
        return self

    def __next__(self) -> WalkBatch:
        batch = self._next()
        if batch is None:
            raise StopIteration
        return batch

    def __aiter__(self) -> Walk:
        return self

    async def __anext__(self) -> WalkBatch:
        import asyncio

        # Another thread computes, so that the loop goes on meanwhile; the cursor needs neither the handle's lock nor its transaction.
        batch = await asyncio.to_thread(self._next)
        if batch is None:
            raise StopAsyncIteration
        return batch

    def _next(self) -> WalkBatch | None:
        if not self._ready and not self._ended:
            items = known_list(WalkBatch, decode(_native.brant_cursor_next(self._cursor, 0)))
            self._ready.extend(items)
            self._ended = not items
            if self._ended:
                _native.brant_cursor_close(self._cursor)
        return self._ready.popleft() if self._ready else None
