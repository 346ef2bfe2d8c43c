"""Streams: events that stay, in one order without gaps, read by any number of consumers, each from where it was."""

from __future__ import annotations

import datetime
import logging
import time
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Literal, NamedTuple, Union, cast

from . import _native
from ._batch import CHUNK_BYTES, CHUNK_ITEMS, _chunks, _size
from ._clock import Moment, Seconds, milliseconds, moment
from ._common import LEFT, PAGE, given, paged, some_texts
from ._json import decode, encode
from ._payload import body, content
from .cursors import Cursor
from .errors import Busy, Misuse
from .records import Gap, Json, Page, known, known_list

if TYPE_CHECKING:
    from .database import Database
    from .groups import Group

log = logging.getLogger("brant")

From = Union[Literal["start", "end"], int, datetime.datetime, Mapping[str, Any]]
"""Where to begin: "start", "end", behind an offset, or a time (a datetime, or ``{"time": ms}``): at the first event of then or later."""
Save = Literal["each", "batch", "manual"]

SAVE_EVENTS = 1000
SAVE_SECONDS = 1.0


class Event(NamedTuple):
    """An event. With `gap`, it stands for those that retention removed before they were read: `offset` is the last one's, the payload None."""

    offset: int
    key: str | None
    payload: Any
    created_at: int
    gap: Gap | None = None


@dataclass(slots=True)
class Published:
    """The offsets of what was published together."""

    first: int
    last: int


@dataclass(slots=True)
class Events:
    """A part of a stream; iterates over its `events`. `next`: the offset to read on after, None at the end. `gap`: what retention removed."""

    events: list[Event]
    next: int | None = None
    gap: Gap | None = None

    def __iter__(self) -> Iterator[Event]:
        return iter(self.events)

    def __len__(self) -> int:
        return len(self.events)

    def __getitem__(self, index: int) -> Event:
        return self.events[index]


@dataclass(slots=True)
class StreamInfo:
    """A stream: its offsets `first` to `last`, its `policy` with spans in ms."""

    stream: str
    first: int
    last: int
    count: int
    policy: Json
    consumers: int
    trimmed_through: int
    created_at: int
    updated_at: int
    bytes: int | None = None


@dataclass(slots=True)
class ConsumerInfo:
    """A consumer or group: what is up to `offset` was processed, `lag` events are not, `pending` are with members."""

    stream: str
    consumer: str
    kind: Literal["consumer", "group"]
    offset: int
    lag: int
    updated_at: int
    pending: int | None = None


@dataclass(slots=True)
class ConsumerLag:
    """How far behind a consumer is: in events, and in ms since the oldest of them."""

    name: str
    kind: Literal["consumer", "group"]
    offset: int
    lag: int
    lag_ms: int | None = None


@dataclass(slots=True)
class StreamStats:
    """Figures of a stream; `rates` are per second over the last five minutes."""

    stream: str
    first: int
    last: int
    count: int
    oldest_at: int | None = None
    newest_at: int | None = None
    rates: dict[str, float] = field(default_factory=dict)
    consumers: list[ConsumerLag] = field(default_factory=list)


_new = tuple.__new__


def event(members: Json) -> Event:
    gap = members.get("gap")
    if gap is not None:
        return Event(gap["to"], None, None, 0, Gap(gap["from"], gap["to"]))
    return Event(members["offset"], members.get("key"), content(members), members["created_at"])


def events(items: list[Json]) -> list[Event]:
    """As `event` for each, and quicker for what most are."""
    try:
        return [
            _new(Event, (item["offset"], item.get("key"), item["payload"], item["created_at"], None)) for item in items
        ]  # fmt: skip
    except KeyError:
        return [event(item) for item in items]


def begin(from_: Any) -> Any:
    return {"time": moment(from_)} if isinstance(from_, datetime.datetime) else from_


def part(answer: Json) -> Events:
    gap = answer.get("gap")
    return Events(events(answer["items"]), answer.get("next"), None if gap is None else Gap(gap["from"], gap["to"]))


class Subscription(Cursor[Event]):
    """The events of a stream as they come, made by `Stream.subscribe`: iterate it, ``for`` or ``async for``, or ask `next` or `take`.

    With a consumer, an event counts as processed when the next is asked for, and `save` says when that is written: "batch" after 1000 events
    or a second, also when none comes; "each" after each; "manual" only by `commit`. `commit` in the transaction of what the event
    caused makes it exactly once; else it is at least once.
    """

    def __init__(self, database: Database, cursor: _native.Cursor, stream: str, consumer: str | None, save: Save) -> None:
        super().__init__(database, cursor)
        if save not in ("each", "batch", "manual"):
            raise ValueError(f'save must be "each", "batch" or "manual", not {save!r}')
        self._stream = stream
        self._consumer = consumer
        self._what = repr(stream) if consumer is None else f"{stream!r} as {consumer!r}"
        self._most = 0 if consumer is None or save == "manual" else 1 if save == "each" else SAVE_EVENTS
        self._handed = 0  # the offset of the last that was handed out
        self._unsaved = 0  # how many were processed since the last save
        self._processed = 0  # the offset of the last of them
        self._due = 0.0

    @property
    def offset(self) -> int:
        """Of the last event that was handed out; 0: none was."""
        return self._handed

    def commit(self, offset: int | None = None) -> int:
        """Save that the events up to `offset` (the last that was handed out) are processed, in the running transaction. Returns what is saved,
        which never goes back. Misuse: without a consumer."""
        if self._consumer is None:
            raise Misuse("the subscription has no consumer, whose offset could be saved")
        to = self._handed if offset is None else offset
        members = {"stream": self._stream, "consumer": self._consumer, "offset": to}
        answer = self._database._call(_native.brant_consumer_commit, members)
        if to >= self._processed:
            self._unsaved = 0
        return cast(int, answer["offset"])

    def close(self) -> None:
        """End it; what was processed is saved. Any thread, any number of times."""
        if not self._closed and self._unsaved and not self._database.closed:
            self._save()
        super().close()

    def take(self, timeout: float | None = None) -> list[Event]:
        """As of all cursors; what was taken before counts as processed."""
        self._on()
        items = super().take(timeout)
        if items:
            self._handed = items[-1].offset
        return items

    def next(self, timeout: float | None = None) -> Event | None:
        ready = self._ready
        self._on()
        if not ready:
            ready.extend(super().take(timeout))
            if not ready:
                return None
        item = ready.popleft()
        self._handed = item[0]
        return item

    def __next__(self) -> Event:
        ready = self._ready
        if ready and (not self._most or self._unsaved + 1 < self._most):
            # The short way, for replays: a batch is here, and no save is due by number.
            if self._most:
                self._on()
            item = ready.popleft()
            self._handed = item[0]
            return item
        return super().__next__()

    async def __anext__(self) -> Event:
        ready = self._ready
        if ready and (not self._most or self._unsaved + 1 < self._most):
            if self._most:
                self._on()
            item = ready.popleft()
            self._handed = item[0]
            return item
        return await super().__anext__()

    async def next_async(self, timeout: float | None = None) -> Event | None:
        self._on()
        item = await super().next_async(timeout)
        if item is not None:
            self._handed = item.offset
        return item

    def _on(self) -> None:
        """What was handed out is processed."""
        if not self._most or self._handed == self._processed:
            return
        self._processed = self._handed
        if not self._unsaved:
            self._due = time.monotonic() + SAVE_SECONDS
        self._unsaved += 1
        if self._unsaved >= self._most or not self._unsaved & 63 and time.monotonic() >= self._due:
            self._save()

    def _idle(self) -> float | None:
        if not self._unsaved:
            return None
        rest = self._due - time.monotonic()
        if rest <= 0:
            return None if self._save() else 0.05
        return rest

    def _save(self) -> bool:
        """Save what was processed; False where it cannot be now: another task has a transaction open, or the file is busy."""
        members = {"stream": self._stream, "consumer": self._consumer, "offset": self._processed}
        try:
            self._database._call(_native.brant_consumer_commit, members)
        except (Busy, Misuse) as error:
            log.info("%r: saving the offset is put off: %s", self, error)
            return False
        self._unsaved = 0
        return True

    def _records(self, items: list[Json]) -> list[Event]:
        return events(items)


class Consumers:
    """The consumers and groups of a stream, as ``stream.consumers``; iterate it for all."""

    __slots__ = ("_database", "_stream")

    def __init__(self, database: Database, stream: str) -> None:
        self._database = database
        self._stream = stream

    def __repr__(self) -> str:
        return f"<brant.Consumers of {self._stream!r}>"

    def __iter__(self) -> Iterator[ConsumerInfo]:
        return iter(self.list())

    def list(self) -> ConsumerInfos:
        """NotFound: there is no such stream."""
        answer = self._database._call(_native.brant_consumer_list, {"stream": self._stream})
        return known_list(ConsumerInfo, answer["items"])

    def get(self, consumer: str) -> ConsumerInfo:
        """NotFound."""
        return known(ConsumerInfo, self._database._call(_native.brant_consumer_get, self._members(consumer)))

    def commit(self, consumer: str, offset: int) -> int:
        """Save that what is up to `offset` was processed; returns what is saved, which never goes back."""
        answer = self._database._call(_native.brant_consumer_commit, {**self._members(consumer), "offset": offset})
        return cast(int, answer["offset"])

    def seek(self, consumer: str, to: From) -> int:
        """Move a consumer, also back; returns the offset behind which it goes on. An open subscription does not see it: subscribe anew."""
        answer = self._database._call(_native.brant_consumer_seek, {**self._members(consumer), "to": begin(to)})
        return cast(int, answer["offset"])

    def delete(self, consumer: str) -> None:
        """NotFound."""
        self._database._call(_native.brant_consumer_delete, self._members(consumer))

    def _members(self, consumer: str) -> Json:
        return {"stream": self._stream, "consumer": consumer}


ConsumerInfos = list[ConsumerInfo]


class Stream:
    """A stream of events, as ``db.stream(name)``; the first `publish` or `configure` makes it. Everything is in the running transaction, if
    there is one."""

    __slots__ = ("_database", "name")

    def __init__(self, database: Database, name: str) -> None:
        self._database = database
        self.name = name

    def __repr__(self) -> str:
        return f"<brant.Stream {self.name!r}>"

    # ---- writing -----------------------------------------------------------------------------------------------------------

    def publish(self, payload: Any = None, *, key: str | None = None) -> int:
        """Append an event: `payload` is anything with a JSON form, or bytes. Returns its offset: from 1, without gaps, in the order of commits."""
        members: Json = {"stream": self.name, **body(payload)}
        if key is not None:
            members["key"] = key
        return cast(int, self._database._call(_native.brant_stream_publish, members)["offset"])

    def publish_many(self, items: Iterable[Mapping[str, Any]]) -> Published | None:
        """Append many, all or nothing: items are ``{"payload": ..., "key": ...}``. None: there were none."""
        head = encode({"stream": self.name})[:-1] + ',"items":['
        room = max(1, min(CHUNK_BYTES, self._database._document_limit - _size(head) - 2))
        chunks = _chunks(map(_item, items), min(CHUNK_ITEMS, self._database._batch_limit), room)
        answers: list[Json] = []

        def run(text: str) -> None:
            answers.append(decode(self._database._run(_native.brant_stream_publish_many, head + text + "]}")))

        count, text = next(chunks)
        if not count:
            return None
        following = next(chunks, None)
        if following is None:
            run(text)
        else:
            with self._database.transaction():
                run(text)
                run(following[1])
                for _, text in chunks:
                    run(text)
        return Published(answers[0]["first"], answers[-1]["last"])

    # ---- reading -----------------------------------------------------------------------------------------------------------

    def read(
        self,
        *,
        after: int | None = None,
        since: Moment | None = None,
        limit: int | None = None,
        keys: Iterable[str] | None = None,
        reverse: bool | None = None,
    ) -> Events:
        """Up to `limit` (1000) events behind an offset, or from a time on, or the newest first (`reverse`). NotFound."""
        members = given(stream=self.name, after=after, since=moment(since), limit=limit, keys=some_texts(keys), reverse=reverse)
        answer = self._database._call(_native.brant_stream_read, members)
        return part(answer)

    def __iter__(self) -> Iterator[Event]:
        """All that is there now, from the start."""
        after: int | None = 0
        while after is not None:
            read = self.read(after=after)
            yield from read.events
            after = read.next

    def latest(self, key: str) -> Event:
        """The newest event of a key. NotFound."""
        return event(self._database._call(_native.brant_stream_latest, {"stream": self.name, "key": key}))

    def subscribe(
        self,
        consumer: str | None = None,
        *,
        from_: From | None = None,
        keys: Iterable[str] | None = None,
        save: Save = "batch",
        batch: int | None = None,
    ) -> Subscription:
        """The events as they come, and before them those that are there: see `Subscription`.

        A `consumer` goes on where it was; the first time it begins at `from_` ("start"). Without one nothing is saved, and `from_` is "end".
        `keys`: only of these. `batch`: events that are fetched at a time (256). Misuse: inside a transaction.
        """
        members = given(stream=self.name, consumer=consumer, keys=some_texts(keys), batch=batch)
        if from_ is not None:
            members["from"] = begin(from_)
        cursor = self._database._run(_native.brant_stream_subscribe, encode(members))
        return Subscription(self._database, cursor, self.name, consumer, save)

    def group(
        self,
        name: str,
        member: str | None = None,
        *,
        lease: Seconds | None = None,
        from_: From | None = None,
        batch: int = 100,
    ) -> Group:
        """A member of a group that shares the stream, each event to one of them, for `lease` seconds (30): see `Group`. A new group begins at
        `from_` ("start"). `batch`: events that an iteration claims at a time."""
        from .groups import Group

        return Group(self._database, self.name, name, member, lease, from_, batch)

    # ---- the stream ----------------------------------------------------------------------------------------------------------

    def configure(
        self,
        *,
        max_age: Seconds | None = LEFT,
        max_count: int | None = LEFT,
        keep_unread: bool | None = LEFT,
        compact: bool | None = LEFT,
        compact_after: Seconds | None = LEFT,
    ) -> StreamInfo:
        """Change how long events are kept, and make the stream if it is new. What is not given stays; None is the default.

        `max_age` seconds, `max_count` events (for ever); `keep_unread`: none is removed that a consumer has not processed; `compact`: only
        the newest of each key is kept, and a null payload removes its key, after `compact_after` seconds.
        """
        members: Json = {"stream": self.name}
        for name, span in (("max_age", max_age), ("compact_after", compact_after)):
            if span is not LEFT:
                members[name] = milliseconds(span)
        for name, value in (("max_count", max_count), ("keep_unread", keep_unread), ("compact", compact)):
            if value is not LEFT:
                members[name] = value
        return known(StreamInfo, self._database._call(_native.brant_stream_configure, members))

    def get(self) -> StreamInfo:
        """What the stream is. NotFound: nothing made it yet."""
        return known(StreamInfo, self._database._call(_native.brant_stream_get, {"stream": self.name}))

    def stats(self) -> StreamStats:
        """NotFound."""
        return stream_stats(self._database._call(_native.brant_stream_stats, {"stream": self.name}))

    @property
    def consumers(self) -> Consumers:
        """Its consumers and groups: list, get, commit, seek, delete."""
        return Consumers(self._database, self.name)

    def trim(self, *, before: int | None = None, max_count: int | None = None, max_age: Seconds | None = None) -> int:
        """Remove events now, whatever the policy: those before an offset, all but the newest, the old ones. Returns how many."""
        members = given(stream=self.name, before=before, max_count=max_count, max_age=milliseconds(max_age))
        return cast(int, self._database._call(_native.brant_stream_trim, members)["trimmed"])

    def compact(self) -> int:
        """Remove all but the newest event of each key now. Returns how many."""
        return cast(int, self._database._call(_native.brant_stream_compact, {"stream": self.name})["removed"])

    def delete(self, *, force: bool | None = None) -> int:
        """Delete the stream with its events; returns how many. Conflict: it has consumers, unless `force`. NotFound."""
        return cast(int, self._database._call(_native.brant_stream_delete, given(stream=self.name, force=force))["deleted"])


class Streams:
    """The streams of a file, as ``db.streams``; iterate it for all. ``db.stream(name)`` works with one."""

    __slots__ = ("_database",)

    def __init__(self, database: Database) -> None:
        self._database = database

    def __repr__(self) -> str:
        return f"<brant.Streams of {self._database!r}>"

    def __iter__(self) -> Iterator[StreamInfo]:
        return paged(lambda cursor: self.list(limit=PAGE, after=cursor))

    def list(self, *, prefix: str | None = None, limit: int | None = None, after: str | None = None) -> Page[StreamInfo]:
        """A page (100) of streams, by name."""
        answer = self._database._call(_native.brant_stream_list, given(prefix=prefix, limit=limit, after=after))
        return Page(known_list(StreamInfo, answer["items"]), answer.get("next"))

    def stats(self) -> AllStats:
        """Of all."""
        return [stream_stats(item) for item in self._database._call(_native.brant_stream_stats, {})["items"]]


AllStats = list[StreamStats]


def stream_stats(members: Json) -> StreamStats:
    answer = known(StreamStats, members)
    answer.consumers = known_list(ConsumerLag, members.get("consumers", []))
    return answer


def _item(item: Mapping[str, Any]) -> Mapping[str, Any]:
    """An item of `publish_many` as the registry's members."""
    payload = item.get("payload")
    if isinstance(payload, (bytes, bytearray, memoryview)):
        return {**{name: value for name, value in item.items() if name != "payload"}, **body(payload)}
    return item
