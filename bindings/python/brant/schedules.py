"""Schedules: jobs that are enqueued by the clock, and the scheduler that does so."""

from __future__ import annotations

import logging
from collections.abc import AsyncIterator, Iterable, Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal, TypedDict, cast

from . import _native
from ._claiming import worker_name
from ._clock import Moment, Seconds, milliseconds, moment
from ._common import PAGE, given, paged
from ._json import encode
from ._payload import body, content
from .cursors import Cursor
from .errors import Closed
from .queues import Unique, _options
from .records import Json, Page, known, known_list
from .services import Service

if TYPE_CHECKING:
    from .database import Database

log = logging.getLogger("brant")

Misfire = Literal["skip", "one", "all"]


class ScheduleOptions(TypedDict, total=False):
    """Of the jobs of a schedule, as of `Queue.enqueue`."""

    priority: int | None
    key: str | None
    max_attempts: int | None
    expires_in: Seconds | None
    result_ttl: Seconds | None
    unique: str | Unique | None


@dataclass(slots=True)
class ScheduleInfo:
    """A schedule; `options` are its jobs', with spans in ms."""

    name: str
    spec: str
    timezone: str
    queue: str
    payload: Any
    options: Json
    misfire: Misfire
    catch_up: int
    paused: bool
    fired: int
    created_at: int
    updated_at: int
    next_at: int | None = None
    last_at: int | None = None


@dataclass(slots=True)
class Fired:
    """A schedule that was due `at`, and the job that was enqueued; None, and the `error` (code, message), where the queue took none."""

    name: str
    at: int
    id: int | None = None
    error: Json | None = None


@dataclass(slots=True)
class Ticked:
    """What a tick fired, and when there is more to fire."""

    fired: list[Fired]
    next_at: int | None = None


def schedule_info(members: Json) -> ScheduleInfo:
    return known(ScheduleInfo, {**members, "payload": content(members)})


def fired_log(fired: Fired) -> None:
    if fired.error is None:
        log.debug("schedule %r fired job %d", fired.name, fired.id)
    else:
        log.warning("schedule %r fired, but its queue took no job: %s", fired.name, fired.error["message"])


class Schedules:
    """The schedules of a file, as ``db.schedules``; iterate it for all. A scheduler fires them: see `Database.scheduler`."""

    __slots__ = ("_database",)

    def __init__(self, database: Database) -> None:
        self._database = database

    def __repr__(self) -> str:
        return f"<brant.Schedules of {self._database!r}>"

    def __iter__(self) -> Iterator[ScheduleInfo]:
        return paged(lambda cursor: self.list(limit=PAGE, after=cursor))

    def set(
        self,
        name: str,
        spec: str,
        queue: str,
        *,
        timezone: str | None = None,
        payload: Any = None,
        misfire: Misfire | None = None,
        catch_up: int | None = None,
        priority: int | None = None,
        key: str | None = None,
        max_attempts: int | None = None,
        expires_in: Seconds | None = None,
        result_ttl: Seconds | None = None,
        unique: str | Unique | None = None,
    ) -> ScheduleInfo:
        """Make a schedule, or change it; the same again keeps its next time.

        `spec`: cron with 5 fields, or 6 with seconds first, "@hourly", "@daily", ..., or "@every 90s". `timezone`: IANA's name ("UTC").
        What was missed while no scheduler ran is made up for by `misfire`: "one" job (default), "all" of them up to `catch_up` (100), or
        "skip". The others are of its jobs, as of `Queue.enqueue`. Invalid: the spec, or an unknown time zone.
        """
        members: Json = {"name": name, "spec": spec, "queue": queue, **body(payload)}
        members |= given(timezone=timezone, misfire=misfire, catch_up=catch_up)
        options = _options(
            priority=priority, key=key, max_attempts=max_attempts, expires_in=expires_in, result_ttl=result_ttl, unique=unique
        )  # fmt: skip
        if options:
            members["options"] = options
        return schedule_info(self._database._call(_native.brant_schedule_set, members))

    def get(self, name: str) -> ScheduleInfo:
        """NotFound."""
        return schedule_info(self._database._call(_native.brant_schedule_get, {"name": name}))

    def list(self, *, prefix: str | None = None, limit: int | None = None, after: str | None = None) -> Page[ScheduleInfo]:
        """A page (100) of schedules, by name."""
        answer = self._database._call(_native.brant_schedule_list, given(prefix=prefix, limit=limit, after=after))
        return Page([schedule_info(item) for item in answer["items"]], answer.get("next"))

    def delete(self, name: str) -> None:
        """NotFound."""
        self._database._call(_native.brant_schedule_delete, {"name": name})

    def pause(self, name: str) -> ScheduleInfo:
        """It does not fire until `resume`. NotFound."""
        return schedule_info(self._database._call(_native.brant_schedule_pause, {"name": name}))

    def resume(self, name: str) -> ScheduleInfo:
        """NotFound."""
        return schedule_info(self._database._call(_native.brant_schedule_resume, {"name": name}))

    def trigger(self, name: str) -> int:
        """Enqueue its job now, besides; returns the job's id. NotFound."""
        return cast(int, self._database._call(_native.brant_schedule_trigger, {"name": name})["id"])

    def next(self, spec: str, *, timezone: str | None = None, after: Moment | None = None, count: int | None = None) -> Moments:
        """The next `count` (1) times, in ms, that a spec fires behind a moment (now). Invalid."""
        members = given(spec=spec, timezone=timezone, after=moment(after), count=count)
        return cast("Moments", self._database._call(_native.brant_schedule_next, members)["items"])

    def tick(self, *, limit: int | None = None) -> Ticked:
        """Fire up to `limit` (100) that are due, in one transaction: what a scheduler does, for programs that have a clock of their own."""
        answer = self._database._call(_native.brant_schedule_tick, given(limit=limit))
        return Ticked(known_list(Fired, answer["fired"]), answer.get("next_at"))

    def run(self, *, owner: str | None = None, ttl: Seconds | None = None) -> Firing:
        """Fires what is due as it is iterated, and yields it; `Scheduler` does so beside a program."""
        members = given(owner=owner, ttl=milliseconds(ttl))
        return Firing(self._database, self._database._run(_native.brant_schedule_run, encode(members)))


Moments = list[int]


class Firing(Cursor[Fired]):
    """Fires what is due, and yields it; made by `Schedules.run`."""

    def _records(self, items: list[Any]) -> list[Fired]:
        return known_list(Fired, items)


class Scheduler(Service):
    """Fires schedules, made by `Database.scheduler`: `run` it, `start` it beside a program, ``await run_async()``, or iterate it, ``for`` or
    ``async for``, to see what fires. Of several only one fires: the leader, by a lease."""

    def __init__(self, database: Database, owner: str | None, ttl: Seconds | None) -> None:
        super().__init__(database)
        self.owner = owner or worker_name()
        self._ttl = ttl
        self._firing: Firing | None = None

    def __repr__(self) -> str:
        return f"<brant.Scheduler {self.owner}>"

    def _open(self, kind: Literal["thread", "loop"]) -> Firing:
        # On a handle beside the program's, whose transactions would hold it up.
        side = self._database._beside(kind)
        side._not_by_ourselves()
        firing = self._firing = side.schedules.run(owner=self.owner, ttl=self._ttl)
        if self._stopping:
            firing.close()
        return firing

    def _main(self) -> None:
        for fired in self:
            fired_log(fired)

    def _wake(self) -> None:
        if self._firing is not None:
            self._firing.close()

    def __iter__(self) -> Iterator[Fired]:
        with self._open("thread") as firing:
            while (fired := self._one(firing)) is not None:
                yield fired

    def _one(self, firing: Firing) -> Fired | None:
        try:
            return firing.next()
        except Closed:
            if self._stopping or self._database.closed:
                return None
            raise

    async def __aiter__(self) -> AsyncIterator[Fired]:
        with self._open("loop") as firing:
            async for fired in firing:
                yield fired

    async def run_async(self) -> None:
        """Fire in the running loop until `stop`, or until the task is cancelled."""
        self._begin()
        try:
            with self._until_closed():
                async for fired in self:
                    fired_log(fired)
        finally:
            self._ended.set()
