"""Rate limits, counted for all processes that have the file."""

from __future__ import annotations

import time
from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

from . import _native
from ._clock import Seconds, milliseconds, seconds
from ._common import PAGE, given, paged
from .errors import Misuse
from .records import Json, Page, known, known_list

if TYPE_CHECKING:
    from .database import Database

Kind = Literal["sliding_window", "token_bucket"]


@dataclass(slots=True)
class Taken:
    """True where it was allowed; else it is again in `retry_after` ms. `remaining` are left until `reset_at`."""

    allowed: bool
    remaining: int
    retry_after: int
    reset_at: int

    def __bool__(self) -> bool:
        return self.allowed


@dataclass(slots=True)
class RateLimitInfo:
    """A rate limit as it was last taken from; `period` in ms."""

    name: str
    kind: Kind
    limit: int
    period: int
    remaining: int
    reset_at: int
    burst: int | None = None


class RateLimit:
    """A rate limit, made by `Database.rate_limit`."""

    __slots__ = ("_database", "_members", "name")

    def __init__(self, database: Database, name: str, limit: int, period: Seconds, kind: Kind, burst: int | None) -> None:
        self._database = database
        self.name = name
        self._members: Json = {"name": name, "kind": kind, "limit": limit, "period": milliseconds(period)} | given(burst=burst)

    def __repr__(self) -> str:
        return f"<brant.RateLimit {self.name!r}, {self._members['limit']} in {self._members['period']} ms>"

    def take(self, cost: int | None = None) -> Taken:
        """Take `cost` (1) if that is allowed now: ``if limit.take(): ...``. In the running transaction."""
        return known(Taken, self._database._call(_native.brant_rate_limit_take, self._members | given(cost=cost)))

    def peek(self, cost: int | None = None) -> Taken:
        """What `take` would answer."""
        return known(Taken, self._database._call(_native.brant_rate_limit_peek, self._members | given(cost=cost)))

    def wait(self, cost: int | None = None, *, timeout: Seconds | None = None) -> bool:
        """Take, as soon as that is allowed; False: it is not within `timeout` seconds (None: wait without end). Misuse: inside a transaction."""
        end = None if timeout is None else time.monotonic() + seconds(timeout)
        while not (taken := self.take(cost)):
            if self._database._owns():
                raise Misuse("a rate limit cannot be waited for inside a transaction, which would hold up all writers")
            rest = taken.retry_after / 1000
            if end is not None and time.monotonic() + rest > end:
                return False
            time.sleep(rest)
        return True

    async def wait_async(self, cost: int | None = None, *, timeout: Seconds | None = None) -> bool:
        """As `wait`, for a task: others run meanwhile."""
        import asyncio

        loop = asyncio.get_running_loop()
        end = None if timeout is None else loop.time() + seconds(timeout)
        side = self._database._beside("loop")
        while True:
            taken = known(Taken, await side._call_async(_native.brant_rate_limit_take, self._members | given(cost=cost)))
            if taken:
                return True
            rest = taken.retry_after / 1000
            if end is not None and loop.time() + rest > end:
                return False
            await asyncio.sleep(rest)

    def reset(self) -> bool:
        """Forget what was taken; False: nothing was."""
        return self._database.rate_limits.reset(self.name)


class RateLimits:
    """The rate limits of a file, as ``db.rate_limits``; iterate it for all. ``db.rate_limit(name, ...)`` is one to use."""

    __slots__ = ("_database",)

    def __init__(self, database: Database) -> None:
        self._database = database

    def __repr__(self) -> str:
        return f"<brant.RateLimits of {self._database!r}>"

    def __iter__(self) -> Iterator[RateLimitInfo]:
        return paged(lambda cursor: self.list(limit=PAGE, after=cursor))

    def list(self, *, prefix: str | None = None, limit: int | None = None, after: str | None = None) -> Page[RateLimitInfo]:
        """A page (100) of those that were used, by name."""
        answer = self._database._call(_native.brant_rate_limit_list, given(prefix=prefix, limit=limit, after=after))
        return Page(known_list(RateLimitInfo, answer["items"]), answer.get("next"))

    def reset(self, name: str) -> bool:
        """Forget what was taken of one; False: nothing was."""
        answer: bool = self._database._call(_native.brant_rate_limit_reset, {"name": name})["reset"]
        return answer
