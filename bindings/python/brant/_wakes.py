"""What wakes the tasks that wait: one :class:`Dispatcher` for each handle and loop watches a duplicate of the handle's wake descriptor. No thread."""

from __future__ import annotations

import os
import threading
import weakref
from collections.abc import Callable
from contextlib import suppress
from typing import TYPE_CHECKING

from . import _native
from .errors import BrantError, Interrupted, Unsupported

if TYPE_CHECKING:
    import asyncio  # imported where a task first waits: most programs never do

LINGER = 1.0  # seconds that a dispatcher stays when nobody waits


class Family:
    """The wakes of a handle and of its sessions, which have one descriptor: whoever empties it tells the others."""

    def __init__(self) -> None:
        self._all: tuple[weakref.ref[Wakes], ...] = ()
        self.forget()

    def forget(self) -> None:
        """After a fork."""
        self._guard = threading.Lock()

    def add(self, wakes: Wakes) -> None:
        with self._guard:
            self._all = (*(one for one in self._all if one() is not None), weakref.ref(wakes))

    def poke(self, but: Dispatcher | None = None) -> None:
        for one in self._all:
            wakes = one()
            if wakes is not None:
                wakes.poke(but=but)


class Wakes:
    """The dispatchers of a handle, by loop."""

    def __init__(self, handle: _native.Handle, family: Family) -> None:
        self._handle = handle
        self.family = family
        self.forget()
        family.add(self)

    def forget(self) -> None:
        """After a fork: what is here belongs to the parent's loops."""
        self.family.forget()
        self._guard = threading.Lock()  # for the dict, and so that the descriptor is not closed while it is duplicated
        self._dispatchers: dict[asyncio.AbstractEventLoop, Dispatcher] = {}

    def dispatcher(self, loop: asyncio.AbstractEventLoop) -> Dispatcher:
        found = self._dispatchers.get(loop)
        if found is not None:
            return found
        with self._guard:
            for old in [old for old in self._dispatchers if old.is_closed()]:
                self._dispatchers.pop(old).stop()
            found = self._dispatchers[loop] = Dispatcher(self, loop, self._duplicate())
            return found

    def _duplicate(self) -> int:
        try:
            return os.dup(_native.brant_wake_fd(self._handle))
        except Unsupported:
            return -1

    def acknowledge(self) -> None:
        _native.brant_wake_acknowledge(self._handle)

    def drop(self, dispatcher: Dispatcher) -> None:
        with self._guard:
            if self._dispatchers.get(dispatcher.loop) is dispatcher:
                del self._dispatchers[dispatcher.loop]

    def poke(self, *, but: Dispatcher | None = None, error: BaseException | None = None) -> None:
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

    def close(self, close: Callable[[], None]) -> None:
        """Close the handle by this function."""
        with self._guard:
            close()
        self.poke()


class Dispatcher:
    """Wakes the tasks of one loop that wait on one handle. Stops by itself when nobody waited for a second. Its loop's thread only."""

    def __init__(self, wakes: Wakes, loop: asyncio.AbstractEventLoop, descriptor: int) -> None:
        self.loop = loop
        self._wakes = wakes
        self._waiting: set[asyncio.Future[None]] = set()
        self._errors: dict[asyncio.Future[None], BaseException] = {}  # of those that were settled before, and whose tasks did not go on yet
        self._descriptor = descriptor
        if descriptor >= 0:
            loop.add_reader(descriptor, self._readable)
        self._timer: asyncio.TimerHandle | None = loop.call_later(LINGER, self._linger)

    async def wait(self, seconds: float, also: asyncio.Future[None] | None = None) -> None:
        """Until something may be there, `seconds` at most. `also`: a future that is done when somebody else wants the task to go on."""
        future: asyncio.Future[None] = self.loop.create_future() if also is None else also
        timer = self.loop.call_later(seconds, settle, future)
        self._waiting.add(future)
        try:
            await future
        finally:
            timer.cancel()
            self._waiting.discard(future)
            error = self._errors.pop(future, None)
            if not self._waiting and self._timer is None:
                self._timer = self.loop.call_later(LINGER, self._linger)
        if error is not None:
            raise error

    def wake(self, error: BaseException | None = None) -> None:
        for future in self._waiting:
            if not future.done():
                if error is None:
                    future.set_result(None)
                else:
                    future.set_exception(error)
            elif error is not None:
                self._errors[future] = error

    def _readable(self) -> None:
        try:
            self._wakes.acknowledge()
        except BrantError:
            self._end()  # closed: the descriptor stays readable
        self.wake()
        self._wakes.family.poke(but=self)

    def _linger(self) -> None:
        self._timer = None
        if not self._waiting:
            self._end()

    def _end(self) -> None:
        self._wakes.drop(self)
        self.stop()

    def stop(self) -> None:
        if self._timer is not None:
            self._timer.cancel()
        if self._descriptor >= 0:
            if not self.loop.is_closed():
                self.loop.remove_reader(self._descriptor)
            os.close(self._descriptor)
            self._descriptor = -1


def settle(future: asyncio.Future[None]) -> None:
    if not future.done():
        future.set_result(None)
