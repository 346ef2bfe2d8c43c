"""Waiting for what comes: a cursor for threads and for asyncio.

A thread waits inside the library. A task waits for its loop, which `_wakes` has woken by the handle's descriptor; `brant_cursor_wait` says when to
look all the same (a deadline of the cursor's own, a writer that cannot signal).
"""

from __future__ import annotations

import threading
import time
from collections import deque
from collections.abc import AsyncIterator, Iterator
from types import TracebackType
from typing import TYPE_CHECKING, Any, TypeVar

from . import _native
from ._json import decode
from .errors import Closed, Timeout

if TYPE_CHECKING:
    from typing_extensions import Self

    from .database import Database

T = TypeVar("T")

SLICE = 500  # ms that the main thread waits at a time, so that it can handle signals
NAP = 0.002, 0.05  # seconds that a task sleeps while another thread's call occupies the handle: at first, at most


class Cursor(Iterator[T], AsyncIterator[T]):
    """What comes, in order, each once. ``for`` and ``async for`` wait for each, and end when the cursor or its database is closed.

    A context manager that closes. One thread or task at a time may wait on one (Misuse); open one for each.
    """

    _what = ""

    def __init__(self, database: Database, cursor: _native.Cursor) -> None:
        self._database = database
        self._cursor = cursor
        self._ready: deque[T] = deque()
        self._closed = False
        self._ended = False

    def __repr__(self) -> str:
        return f"<brant.{type(self).__name__} {self._what}{' closed' if self._closed else ''}>"

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        self.close()

    @property
    def closed(self) -> bool:
        """Is it closed, or its database?"""
        return self._closed or self._database.closed

    def close(self) -> None:
        """End it and its wait. Any thread, any number of times."""
        self._closed = True
        _native.brant_cursor_close(self._cursor)
        self._database._wakes.poke()

    # ---- what a kind of cursor says ------------------------------------------------------------------------------------

    def _records(self, items: list[Any]) -> list[T]:
        """The items as records."""
        raise NotImplementedError

    def _idle(self) -> float | None:
        """Called before a wait; in how many seconds to call again, None: never."""
        return None

    # ---- threads ------------------------------------------------------------------------------------------------------

    def take(self, timeout: float | None = None) -> list[T]:
        """What has come, some hundreds at most; waits `timeout` seconds (None: without end, 0: not at all) for the first, else [].

        Raises Closed, and Interrupted when `Database.interrupt` was called.
        """
        if self._ready:
            items = list(self._ready)
            self._ready.clear()
            return items
        end = None if timeout is None else time.monotonic() + timeout
        while True:
            rest = -1 if end is None else max(0, round((end - time.monotonic()) * 1000))
            span = rest
            if rest != 0:
                idle = self._idle()
                if idle is not None:
                    span = _least(rest, max(1, round(idle * 1000)))
                if threading.current_thread() is threading.main_thread():
                    span = _least(span, SLICE)
            try:
                items = self._fetch(span)
            except Timeout:
                # The deadline of another thread's call on this handle, which this wait met as that call ended: it is not ours.
                items = []
                time.sleep(0.001)
            if items or self._ended or end is not None and time.monotonic() >= end:
                return items

    def next(self, timeout: float | None = None) -> T | None:
        """The next one, or None when none came within `timeout` seconds (None: wait without end). Raises as `take`."""
        if not self._ready:
            self._ready.extend(self.take(timeout))
        return self._ready.popleft() if self._ready else None

    def __iter__(self) -> Self:
        return self

    def __next__(self) -> T:
        try:
            item = self.next()
        except Closed:
            raise StopIteration from None
        if item is None:
            raise StopIteration
        return item

    def _fetch(self, span: int) -> list[T]:
        text = _native.brant_cursor_next(self._cursor, span)
        return [] if text == "[]" else self._records(decode(text))

    # ---- asyncio --------------------------------------------------------------------------------------------------------

    def __aiter__(self) -> Self:
        return self

    async def __anext__(self) -> T:
        try:
            item = await self.next_async()
        except Closed:
            raise StopAsyncIteration from None
        if item is None:
            raise StopAsyncIteration
        return item

    async def next_async(self, timeout: float | None = None) -> T | None:
        """As `next`, for a task: others run meanwhile."""
        if self._ready:
            return self._ready.popleft()
        import asyncio

        loop = asyncio.get_running_loop()
        end = None if timeout is None else loop.time() + timeout
        nap = NAP[0]
        while not self._ready:
            idle = self._idle()
            # Before the look, so that what comes after it is not missed.
            dispatcher = self._database._wakes.dispatcher(loop)
            looked = self._look()
            if self._ready or self._ended:
                break
            rest = float("inf") if end is None else end - loop.time()
            if rest <= 0:
                return None
            if not looked:
                await asyncio.sleep(min(nap, rest))
                nap = min(nap * 2, NAP[1])
            else:
                wait = _native.brant_cursor_wait(self._cursor) / 1000
                if wait < 0:
                    break  # at its end
                await dispatcher.wait(max(0.0, min(wait, rest, wait if idle is None else idle)))
        return self._ready.popleft() if self._ready else None

    def _look(self) -> bool:
        """Fetch what is there, unless another's call occupies the handle: a loop must not wait for that."""
        lock = self._database._lock
        if not lock.acquire(blocking=False):
            return False
        try:
            self._ready.extend(self._fetch(0))
        finally:
            lock.release()
        return True


def _least(span: int, other: int) -> int:
    """The lesser of two spans in ms; a negative one has no end."""
    return other if span < 0 else min(span, other)
