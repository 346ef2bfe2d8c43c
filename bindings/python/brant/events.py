"""Listening: a listener for threads and for asyncio, and what wakes its waits.

A thread waits inside the library. A task waits for its loop, which watches a duplicate of the handle's wake descriptor: one
:class:`_Dispatcher` for each handle and loop, no thread, and a look each second for what cannot signal (a writer without our code).
"""

from __future__ import annotations

import os
import threading
import time
from collections import deque
from collections.abc import AsyncIterator, Iterator
from contextlib import suppress
from types import TracebackType
from typing import TYPE_CHECKING

from . import _native
from ._json import decode
from .errors import BrantError, Closed, Interrupted, Timeout, Unsupported
from .records import Notification, notification

if TYPE_CHECKING:
    import asyncio  # imported where a task first waits: most programs never do

    from .database import Database

TICK = 1.0  # seconds
SLICE = 500  # ms that the main thread waits at a time, so that it can handle signals
NAP = 0.002, 0.05  # seconds that a task sleeps while another thread's call occupies the handle: at first, at most


class Listener(Iterator[Notification], AsyncIterator[Notification]):
    """The notifications of some channels, in commit order, each once; made by `Database.listen`.

    ``for n in listener`` and ``async for n in listener`` wait for each, and end when the listener or its database is closed. A context
    manager that closes. One thread at a time may wait on a listener (Misuse); open one for each.
    """

    def __init__(self, database: Database, cursor: _native.Cursor, patterns: tuple[str, ...]) -> None:
        self._database = database
        self._cursor = cursor
        self._patterns = patterns
        self._ready: deque[Notification] = deque()
        self._closed = False

    def __repr__(self) -> str:
        return f"<brant.Listener {', '.join(map(repr, self._patterns))}{' closed' if self._closed else ''}>"

    def __enter__(self) -> Listener:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        self.close()

    @property
    def closed(self) -> bool:
        return self._closed or self._database.closed

    def close(self) -> None:
        """End the listener and its wait. Any thread, any number of times."""
        self._closed = True
        _native.brant_cursor_close(self._cursor)
        self._database._wakes.poke()

    # ---- threads ------------------------------------------------------------------------------------------------------

    def take(self, timeout: float | None = None) -> list[Notification]:
        """What has come, some 256 at most; waits `timeout` seconds (None: without end, 0: not at all) for the first, else [].

        Raises Closed, and Interrupted when `Database.interrupt` was called.
        """
        if self._ready:
            items = list(self._ready)
            self._ready.clear()
            return items
        end = None if timeout is None else time.monotonic() + timeout
        sliced = threading.current_thread() is threading.main_thread()
        while True:
            rest = -1 if end is None else max(0, round((end - time.monotonic()) * 1000))
            span = SLICE if sliced and not 0 <= rest < SLICE else rest
            try:
                items = self._fetch(span)
            except Timeout:
                # The deadline of another thread's call on this handle, which this wait met as that call ended: it is not ours.
                items = []
                time.sleep(0.001)
            if items or end is not None and time.monotonic() >= end:
                return items

    def next(self, timeout: float | None = None) -> Notification | None:
        """The next one, or None when none came within `timeout` seconds (None: wait without end). Raises as `take`."""
        if not self._ready:
            self._ready.extend(self.take(timeout))
        return self._ready.popleft() if self._ready else None

    def __iter__(self) -> Listener:
        return self

    def __next__(self) -> Notification:
        try:
            item = self.next()
        except Closed:
            raise StopIteration from None
        assert item is not None
        return item

    def _fetch(self, span: int) -> list[Notification]:
        text = _native.brant_cursor_next(self._cursor, span)
        return [] if text == "[]" else [notification(members) for members in decode(text)]

    # ---- asyncio --------------------------------------------------------------------------------------------------------

    def __aiter__(self) -> Listener:
        return self

    async def __anext__(self) -> Notification:
        import asyncio

        nap = NAP[0]
        wakes = self._database._wakes
        while not self._ready:
            try:
                # Before the look, so that what comes after it is not missed.
                dispatcher = wakes.dispatcher(asyncio.get_running_loop())
                looked = self._look()
            except Closed:
                raise StopAsyncIteration from None
            if not looked:
                await asyncio.sleep(nap)
                nap = min(nap * 2, NAP[1])
            elif not self._ready:
                await dispatcher.wait()
        return self._ready.popleft()

    def _look(self) -> bool:
        """Fetch what is there, unless another thread's call occupies the handle: a loop must not wait for that."""
        lock = self._database._lock
        if not lock.acquire(blocking=False):
            return False
        try:
            self._ready.extend(self._fetch(0))
        finally:
            lock.release()
        return True


class Wakes:
    """The dispatchers of a handle, by loop."""

    def __init__(self, handle: _native.Handle) -> None:
        self._handle = handle
        self.forget()

    def forget(self) -> None:
        """After a fork: what is here belongs to the parent's loops."""
        self._guard = threading.Lock()  # for the dict, and so that the descriptor is not closed while it is duplicated
        self._dispatchers: dict[asyncio.AbstractEventLoop, _Dispatcher] = {}

    def dispatcher(self, loop: asyncio.AbstractEventLoop) -> _Dispatcher:
        with self._guard:
            found = self._dispatchers.get(loop)
            if found is None:
                for old in [old for old in self._dispatchers if old.is_closed()]:
                    self._dispatchers.pop(old).stop()
                found = self._dispatchers[loop] = _Dispatcher(self, loop, self._duplicate())
            return found

    def _duplicate(self) -> int:
        try:
            return os.dup(_native.brant_wake_fd(self._handle))
        except Unsupported:
            return -1

    def acknowledge(self) -> None:
        _native.brant_wake_acknowledge(self._handle)

    def drop(self, dispatcher: _Dispatcher) -> None:
        with self._guard:
            if self._dispatchers.get(dispatcher.loop) is dispatcher:
                del self._dispatchers[dispatcher.loop]

    def poke(self, *, but: _Dispatcher | None = None, error: BaseException | None = None) -> None:
        """Have all tasks that wait look again, or raise. Any thread."""
        if not self._dispatchers:
            return
        with self._guard:
            dispatchers = list(self._dispatchers.values())
        for dispatcher in dispatchers:
            if dispatcher is not but:
                with suppress(RuntimeError):  # its loop is closed
                    dispatcher.loop.call_soon_threadsafe(dispatcher.wake, error)

    def interrupt(self) -> None:
        self.poke(error=Interrupted("the wait was interrupted"))

    def close(self) -> None:
        with self._guard:
            _native.brant_close(self._handle)
        self.poke()


class _Dispatcher:
    """Wakes the tasks of one loop that wait on one handle. Stops by itself when nobody waited for a tick. Its loop's thread only."""

    def __init__(self, wakes: Wakes, loop: asyncio.AbstractEventLoop, descriptor: int) -> None:
        self.loop = loop
        self._wakes = wakes
        self._waiting: set[asyncio.Future[None]] = set()
        self._descriptor = descriptor
        if descriptor >= 0:
            loop.add_reader(descriptor, self._readable)
        self._timer = loop.call_later(TICK, self._tick)

    async def wait(self) -> None:
        future: asyncio.Future[None] = self.loop.create_future()
        self._waiting.add(future)
        try:
            await future
        finally:
            self._waiting.discard(future)

    def wake(self, error: BaseException | None = None) -> None:
        for future in self._waiting:
            if not future.done():
                if error is None:
                    future.set_result(None)
                else:
                    future.set_exception(error)

    def _readable(self) -> None:
        try:
            self._wakes.acknowledge()
        except BrantError:
            self._end()  # closed: the descriptor stays readable
        self.wake()
        self._wakes.poke(but=self)

    def _tick(self) -> None:
        if self._waiting:
            self.wake()
            self._timer = self.loop.call_later(TICK, self._tick)
        else:
            self._end()

    def _end(self) -> None:
        self._wakes.drop(self)
        self.stop()

    def stop(self) -> None:
        self._timer.cancel()
        if self._descriptor >= 0:
            if not self.loop.is_closed():
                self.loop.remove_reader(self._descriptor)
            os.close(self._descriptor)
            self._descriptor = -1
