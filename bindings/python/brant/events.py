"""Channels: listeners, what a file keeps of each, and the fan that hands one listener's notifications to many readers."""

from __future__ import annotations

import threading
import time
from collections import deque
from collections.abc import AsyncIterator, Iterator
from dataclasses import dataclass
from types import TracebackType
from typing import TYPE_CHECKING, Any, Literal

from . import _native
from ._clock import Seconds, milliseconds, seconds
from ._common import LEFT, PAGE, given, paged
from ._wakes import settle
from .cursors import Cursor
from .errors import BrantError, Closed, Limit
from .records import Notification, Page, known, known_list, notification

if TYPE_CHECKING:
    import asyncio

    from typing_extensions import Self

    from .database import Database

Slow = Literal["block", "drop_oldest", "error"]
"""What happens when a reader of a fan is slow and its buffer full: see `Fan.reader`."""


class Listener(Cursor[Notification]):
    """The notifications of some channels, in commit order, each once; made by `Database.listen`.

    ``for n in listener`` and ``async for n in listener`` wait for each, and end when the listener or its database is closed. A context
    manager that closes. One thread at a time may wait on a listener (Misuse); open one for each, or use a `Fan`.
    """

    def __init__(self, database: Database, cursor: _native.Cursor, patterns: tuple[str, ...]) -> None:
        super().__init__(database, cursor)
        self._what = ", ".join(map(repr, patterns))

    def _records(self, items: list[Any]) -> list[Notification]:
        return [notification(members) for members in items]


@dataclass(slots=True)
class Channel:
    """A channel, and what is kept of it: `kept_count` notifications for `kept_age` ms."""

    channel: str
    count: int
    kept_count: int
    kept_age: int
    newest_at: int | None = None


class Channels:
    """The channels of a file, as ``db.channels``; iterate it for all."""

    __slots__ = ("_database",)

    def __init__(self, database: Database) -> None:
        self._database = database

    def __repr__(self) -> str:
        return f"<brant.Channels of {self._database!r}>"

    def __iter__(self) -> Iterator[Channel]:
        return paged(lambda cursor: self.list(limit=PAGE, after=cursor))

    def list(self, *, prefix: str | None = None, limit: int | None = None, after: str | None = None) -> Page[Channel]:
        """A page (100) of channels, by name."""
        answer = self._database._call(_native.brant_event_channels, given(prefix=prefix, limit=limit, after=after))
        return Page(known_list(Channel, answer["items"]), answer.get("next"))

    def set_retention(self, channel: str, *, count: int | None = LEFT, age: Seconds | None = LEFT) -> Channel:
        """How many notifications of a channel are kept, and for how many seconds. None: as of all (10 000, a day)."""
        members: dict[str, Any] = {"channel": channel}
        if count is not LEFT:
            members["count"] = count
        if age is not LEFT:
            members["age"] = milliseconds(age)
        return known(Channel, self._database._call(_native.brant_event_set_retention, members))


class Fan:
    """One listener, and any number of readers of it in this process, threads and tasks; made by `Database.fan`. A context manager that closes.

    A thread of its own reads ahead for all, so that the file is read once however many readers there are.
    """

    def __init__(self, database: Database, patterns: tuple[str, ...]) -> None:
        self._listener = database.listen(*patterns)
        self._readers: list[FanReader] = []
        self._guard = threading.Lock()
        self._thread = threading.Thread(target=self._pump, name="brant-fan", daemon=True)
        self._thread.start()

    def __repr__(self) -> str:
        return f"<brant.Fan {self._listener._what} to {len(self._readers)}{' closed' if self._listener.closed else ''}>"

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        self.close()

    def reader(self, *, buffer: int = 1000, slow: Slow = "block") -> FanReader:
        """A reader of what comes from now on: iterate it, ``for`` or ``async for``, or ask `next`. Closed.

        When its `buffer` is full, "block" has all readers wait for this one (the file keeps what comes meanwhile, and a gap marker says what it
        no longer keeps), "drop_oldest" drops what this one has not read (`dropped` counts), "error" ends this one with Limit.
        """
        if slow not in ("block", "drop_oldest", "error"):
            raise ValueError(f'slow must be "block", "drop_oldest" or "error", not {slow!r}')
        if buffer < 1:
            raise ValueError("a buffer holds one at least")
        reader = FanReader(self, buffer, slow)
        with self._guard:
            if self._listener.closed:
                raise Closed("the fan is closed")
            self._readers.append(reader)
        return reader

    def close(self) -> None:
        """End it and its readers; these may still read what they have. Any thread, any number of times."""
        self._listener.close()
        for reader in self._taken():
            reader._end(None)

    def _taken(self) -> list[FanReader]:
        with self._guard:
            return list(self._readers)

    def _leave(self, reader: FanReader) -> None:
        with self._guard:
            if reader in self._readers:
                self._readers.remove(reader)

    def _pump(self) -> None:
        error: BrantError | None = None
        try:
            while True:
                items = self._listener.take()
                for reader in self._taken():
                    reader._put(items)
        except Closed:
            pass
        except BrantError as failure:
            error = failure
        self._listener.close()
        for reader in self._taken():
            reader._end(error)


class FanReader(Iterator[Notification], AsyncIterator[Notification]):
    """A reader of a `Fan`; a context manager that closes."""

    def __init__(self, fan: Fan, buffer: int, slow: Slow) -> None:
        self.dropped = 0
        self._fan = fan
        self._buffer = buffer
        self._slow = slow
        self._ready: deque[Notification] = deque()
        self._ended = False
        self._error: BaseException | None = None
        self._changed = threading.Condition()
        self._tasks: list[tuple[asyncio.AbstractEventLoop, asyncio.Future[None]]] = []

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        self.close()

    def close(self) -> None:
        """Read no more. Any thread, any number of times."""
        self._fan._leave(self)
        with self._changed:
            self._ready.clear()
        self._end(None)

    def next(self, timeout: Seconds | None = None) -> Notification | None:
        """The next one, or None when none came within `timeout` seconds (None: wait without end). Closed; Limit: it was too slow."""
        end = None if timeout is None else time.monotonic() + seconds(timeout)
        with self._changed:
            while not self._ready:
                self._refuse()
                rest = None if end is None else end - time.monotonic()
                if rest is not None and rest <= 0 or not self._changed.wait(rest) and not self._ready:
                    return None
            return self._pop()

    def __iter__(self) -> Self:
        return self

    def __next__(self) -> Notification:
        try:
            item = self.next()
        except Closed:
            raise StopIteration from None
        assert item is not None
        return item

    def __aiter__(self) -> Self:
        return self

    async def __anext__(self) -> Notification:
        import asyncio

        loop = asyncio.get_running_loop()
        while True:
            with self._changed:
                if self._ready:
                    return self._pop()
                try:
                    self._refuse()
                except Closed:
                    raise StopAsyncIteration from None
                waiting = loop, loop.create_future()
                self._tasks.append(waiting)
            try:
                await waiting[1]
            finally:
                with self._changed:
                    if waiting in self._tasks:
                        self._tasks.remove(waiting)

    # ---- inside its condition ---------------------------------------------------------------------------------------------

    def _pop(self) -> Notification:
        self._changed.notify_all()  # there is room
        return self._ready.popleft()

    def _refuse(self) -> None:
        if self._error is not None:
            raise self._error
        if self._ended:
            raise Closed("the reader is closed")

    def _wake(self) -> None:
        self._changed.notify_all()
        tasks, self._tasks = self._tasks, []
        for loop, future in tasks:
            if not loop.is_closed():
                loop.call_soon_threadsafe(settle, future)

    # ---- the fan's thread ---------------------------------------------------------------------------------------------------

    def _put(self, items: list[Notification]) -> None:
        with self._changed:
            for item in items:
                while self._slow == "block" and len(self._ready) >= self._buffer and not self._ended:
                    self._wake()
                    self._changed.wait()
                if self._ended:
                    return
                if len(self._ready) >= self._buffer:
                    if self._slow == "error":
                        self._error = Limit(f"the reader was too slow: its buffer of {self._buffer} is full")
                        self._ended = True
                        self._fan._leave(self)
                        break
                    self._ready.popleft()
                    self.dropped += 1
                self._ready.append(item)
            self._wake()

    def _end(self, error: BaseException | None) -> None:
        with self._changed:
            if not self._ended:
                self._ended = True
                self._error = error
            self._wake()
