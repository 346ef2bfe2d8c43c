"""Groups: members that share a stream, each event to one of them, for the time of a lease."""

from __future__ import annotations

import logging
import time
from collections import deque
from collections.abc import AsyncIterator, Iterable, Iterator, Mapping
from dataclasses import dataclass
from types import TracebackType
from typing import TYPE_CHECKING, Any

from . import _native
from ._claiming import worker_name
from ._clock import Seconds, milliseconds, seconds
from ._common import given
from ._json import encode
from ._keeper import beat
from ._payload import content
from .cursors import Cursor
from .errors import BrantError, Busy, Closed
from .records import Gap, Json
from .streams import From, begin

if TYPE_CHECKING:
    import asyncio

    from typing_extensions import Self

    from .database import Database

log = logging.getLogger("brant")

LEASE = 30.0
SAVE_EVENTS = 1000
SAVE_SECONDS = 1.0


@dataclass(slots=True)
class GroupEvent:
    """An event that was handed to a member; `token` proves it, `delivery` says how often it was handed out. `gap` as of `Event`."""

    offset: int
    key: str | None
    payload: Any
    created_at: int
    token: int
    delivery: int
    gap: Gap | None = None


@dataclass(slots=True)
class GroupAcked:
    """How many there were, and the offsets of those that another member was handed meanwhile."""

    acked: int
    stale: list[int]


class GroupWatch(Cursor[bool]):
    """Yields True while there is an event for a member, and waits while there is none; made by `Group.watch`."""

    def _records(self, items: list[Any]) -> list[bool]:
        return [True for _ in items]


class Group:
    """A member of a group, made by `Stream.group`: iterate it, ``for`` or ``async for``, or `claim` and `ack`.

    Iterating, an event counts as processed when the next is asked for; that is acked after 1000 events or a second, also when none comes, and
    leases are prolonged meanwhile. Other writers are waited for, however long they take; Misuse: one is the caller's own transaction. A context
    manager that gives back what was not processed. One loop at a time.
    """

    def __init__(
        self, database: Database, stream: str, name: str, member: str | None, lease: Seconds | None, from_: From | None,
        batch: int,
    ) -> None:  # fmt: skip
        self._database = database
        self._stream = stream
        self.name = name
        self.member = member or worker_name()
        """Its name within the group, by default one of its own."""
        self._lease = lease
        self._from = from_
        self._batch = batch
        self._ready: deque[GroupEvent] = deque()
        self._held: dict[int, GroupEvent] = {}
        self._done: list[GroupEvent] = []
        self._done_since = 0.0
        self._flying: set[int] = set()  # offsets of those that are being acked
        self._current: GroupEvent | None = None
        self._waiting: GroupWatch | None = None
        self._keeper: asyncio.Task[None] | None = None
        self._closed = False

    def __repr__(self) -> str:
        return f"<brant.Group {self.name!r} of {self._stream!r}, member {self.member!r}>"

    # ---- by hand -----------------------------------------------------------------------------------------------------------

    def claim(self, limit: int | None = None, *, lease: Seconds | None = None) -> list[GroupEvent]:
        """Up to `limit` (1) events for this member, for `lease` seconds (30). A gap is among them as an event with `gap`."""
        members = self._beginning() | given(member=self.member, limit=limit, lease=milliseconds(self._lease if lease is None else lease))
        return self._events(self._database._call(_native.brant_consumer_claim, members))

    def ack(self, events: Iterable[GroupEvent | Mapping[str, Any]]) -> GroupAcked:
        """They are processed. In the running transaction: exactly once."""
        return self._answer(_native.brant_consumer_ack, events)

    def extend(self, events: Iterable[GroupEvent | Mapping[str, Any]], lease: Seconds | None = None) -> GroupAcked:
        """Keep them for `lease` seconds (30) from now."""
        return self._answer(_native.brant_consumer_extend, events, **given(lease=milliseconds(lease)))

    def release(self, events: Iterable[GroupEvent | Mapping[str, Any]]) -> GroupAcked:
        """Let other members have them, at once."""
        return self._answer(_native.brant_consumer_release, events)

    def watch(self) -> GroupWatch:
        """Wait for something to claim; one member is woken for each event."""
        watch = self._watch(self._database)
        watch._what = f"{self._stream!r} / {self.name!r}"
        return watch

    def _members(self) -> Json:
        return {"stream": self._stream, "group": self.name}

    def _beginning(self) -> Json:
        return self._members() if self._from is None else {**self._members(), "from": begin(self._from)}

    def _items(self, events: Iterable[GroupEvent | Mapping[str, Any]]) -> list[Any]:
        return [
            {"offset": event.offset, "token": event.token} if isinstance(event, GroupEvent) else event for event in events
        ]  # fmt: skip

    def _answer(self, function: _native.Operation, events: Iterable[GroupEvent | Mapping[str, Any]], **more: Any) -> GroupAcked:
        events = list(events)
        answer = self._database._call(function, {**self._members(), "items": self._items(events), **more})
        if function is not _native.brant_consumer_extend:
            for event in events:
                if isinstance(event, GroupEvent):
                    self._held.pop(event.offset, None)
        return GroupAcked(answer["acked"], answer["stale"])

    def _events(self, answer: Json) -> list[GroupEvent]:
        made = [
            GroupEvent(item["offset"], item.get("key"), content(item), item["created_at"], item["token"], item["delivery"])
            for item in answer["items"]
        ]
        gap = answer.get("gap")
        if gap is not None:
            made.insert(0, GroupEvent(gap["to"], None, None, 0, 0, 0, Gap(gap["from"], gap["to"])))
        return made

    # ---- iterating ---------------------------------------------------------------------------------------------------------

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        self.close()

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        self.close()

    def close(self) -> None:
        """Ack what was processed, give back what was not; a loop over it ends. Any number of times."""
        if self._closed:
            return
        self._closed = True
        self._database._keeper.forget(self)
        if self._keeper is not None:
            self._keeper.cancel()
        if self._waiting is not None:
            self._waiting.close()
        self._give_back()

    def _give_back(self) -> None:
        if self._database.closed:
            return
        try:
            self._flush()
            left = [event for event in list(self._held.values()) if event.offset not in self._flying]
            if left:
                # Beside the program's handle: what it has open there may be rolled back.
                self._insist(_native.brant_consumer_release, {**self._members(), "items": self._items(left)})
                for event in left:
                    self._held.pop(event.offset, None)
        except BrantError as error:
            log.warning("%r: what was not processed is handed out again when its lease ends: %s", self, error)

    def _processed(self) -> None:
        """The body went on."""
        event, self._current = self._current, None
        if event is None or event.offset not in self._held:
            return
        if not self._done:
            self._done_since = time.monotonic()
        self._done.append(event)

    def _put_off(self) -> tuple[list[GroupEvent], Json]:
        done, self._done = self._done, []
        self._flying.update(event.offset for event in done)
        return done, {**self._members(), "items": self._items(done)}

    def _acknowledged(self, done: list[GroupEvent], answer: Json) -> None:
        for event in done:
            self._held.pop(event.offset, None)
            self._flying.discard(event.offset)
        if answer["stale"]:
            log.warning("%r: %d events were processed after their leases had ended: they are handed out again", self, len(answer["stale"]))

    def _take_back(self, done: list[GroupEvent]) -> None:
        self._flying.difference_update(event.offset for event in done)
        self._done = done + self._done

    def _flush(self) -> None:
        """Ack what was processed."""
        done, members = self._put_off()
        if done:
            try:
                self._acknowledged(done, self._insist(_native.brant_consumer_ack, members))
            except BaseException:
                self._take_back(done)
                raise

    async def _flush_async(self) -> None:
        done, members = self._put_off()
        if done:
            try:
                self._acknowledged(done, await self._insist_async(_native.brant_consumer_ack, members))
            except BaseException:
                self._take_back(done)
                raise

    def _due(self) -> bool:
        return len(self._done) >= SAVE_EVENTS or bool(self._done) and time.monotonic() - self._done_since >= SAVE_SECONDS

    def _call(self, side: Database, function: _native.Operation, members: Json) -> Json:
        """On a handle beside the program's, on which is what waits, too."""
        if self._waiting is None:
            self._waiting = self._watch(side)
        answer: Json = side._call(function, members)
        return answer

    def _insist(self, function: _native.Operation, members: Json) -> Json:
        side = self._database._beside("thread")
        return side._insist(lambda: self._call(side, function, members), self, lambda: self._closed)

    async def _insist_async(self, function: _native.Operation, members: Json) -> Json:
        side = self._database._beside("loop")
        return await side._patiently(lambda: self._call(side, function, members), over=lambda: self._closed)

    def _watch(self, database: Database) -> GroupWatch:
        return GroupWatch(database, database._run(_native.brant_consumer_watch, encode(self._beginning())))

    def _claiming(self) -> Json:
        return self._beginning() | given(member=self.member, limit=self._batch, lease=milliseconds(self._lease))

    def _claimed(self, answer: Json) -> None:
        for event in self._events(answer):
            self._ready.append(event)
            if event.gap is None:
                self._held[event.offset] = event

    def __iter__(self) -> Self:
        return self

    def __next__(self) -> GroupEvent:
        self._processed()
        try:
            while self._closed or not self._ready or self._due():
                if self._closed:
                    raise Closed("the group is closed")
                self._flush()
                if self._ready or self._closed:
                    continue
                self._claimed(self._insist(_native.brant_consumer_claim, self._claiming()))
                if self._closed:
                    continue
                if self._held:
                    self._database._keeper.keep(self, beat(self._span()), self._prolong)
                if not self._ready and self._waiting is not None and self._waiting.next() is None:
                    raise StopIteration
        except (Busy, Closed) as error:
            if isinstance(error, Busy) and not self._closed:
                raise
            self._give_back()  # what was claimed, or not acked, while it was closed
            raise StopIteration from None
        self._current = self._ready.popleft()
        return self._current

    def __aiter__(self) -> Self:
        return self

    async def __anext__(self) -> GroupEvent:
        import asyncio

        self._processed()
        try:
            while self._closed or not self._ready or self._due():
                if self._closed:
                    raise Closed("the group is closed")
                await self._flush_async()
                if self._ready or self._closed:
                    continue
                self._claimed(await self._insist_async(_native.brant_consumer_claim, self._claiming()))
                if self._closed:
                    continue
                if self._held and (self._keeper is None or self._keeper.done()):
                    self._keeper = asyncio.get_running_loop().create_task(self._keep())
                if not self._ready and self._waiting is not None and await self._waiting.next_async() is None:
                    raise StopAsyncIteration
        except (Busy, Closed) as error:
            if isinstance(error, Busy) and not self._closed:
                raise
            self._give_back()  # what was claimed, or not acked, while it was closed
            raise StopAsyncIteration from None
        self._current = self._ready.popleft()
        return self._current

    # ---- upkeep --------------------------------------------------------------------------------------------------------------

    def _span(self) -> float:
        return LEASE if self._lease is None else seconds(self._lease)

    def _extension(self) -> Json:
        items = self._items(list(self._held.values()))
        return {**self._members(), "items": items, "lease": milliseconds(self._span())}

    def _prolong(self) -> bool:
        """The keeper's thread, on a handle beside the program's."""
        if self._held and not self._closed:
            self._database._beside("thread")._call(_native.brant_consumer_extend, self._extension())
        return bool(self._held) and not self._closed

    async def _keep(self) -> None:
        import asyncio

        while self._held:
            await asyncio.sleep(beat(self._span()))
            try:
                await self._database._beside("loop")._call_async(_native.brant_consumer_extend, self._extension(), patience=5)
            except Closed:
                return
            except BrantError as error:
                log.warning("%r: prolonging failed, it is tried again: %s", self, error)
