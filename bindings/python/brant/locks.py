"""Locks among all processes that have the file: leases that refresh themselves, with a fencing token."""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from types import TracebackType
from typing import TYPE_CHECKING, Any

from . import _native
from ._claiming import worker_name
from ._clock import Seconds, milliseconds, seconds
from ._common import PAGE, given, paged
from ._json import encode
from ._keeper import beat
from .cursors import Cursor
from .errors import BrantError, Closed, Misuse, Stale, Timeout
from .records import Json, Page, known, known_list

if TYPE_CHECKING:
    import asyncio

    from typing_extensions import Self

    from .database import Database

log = logging.getLogger("brant")


@dataclass(slots=True)
class Acquired:
    """True where it was acquired; else `owner` has it until `expires_at`."""

    acquired: bool
    owner: str
    expires_at: int
    token: int | None = None

    def __bool__(self) -> bool:
        return self.acquired


@dataclass(slots=True)
class LockInfo:
    """Who has a lock, and until when."""

    name: str
    owner: str
    token: int
    acquired_at: int
    expires_at: int


class LockWatch(Cursor[bool]):
    """Yields True while the lock is free, and waits while it is not; made by `Locks.watch`."""

    def _records(self, items: list[Any]) -> list[bool]:
        return [True for _ in items]


class Lock:
    """A named lock, made by `Database.lock`: ``with db.lock("backup") as lock``, or ``async with``, or `acquire` and `release`.

    It is a lease of `ttl` seconds that is refreshed by itself until it is released, so that a process that dies loses it. `token` grows with
    each that acquires it: give it to what the lock protects, which then can refuse an older one. Should the lease be lost all the same (the
    process was stopped for long), `lost` is set. Not reentrant; one object for each use.
    """

    def __init__(self, database: Database, name: str, ttl: Seconds, timeout: Seconds | None, owner: str | None) -> None:
        self._database = database
        self.name = name
        self.owner = owner or worker_name()
        self.lost = threading.Event()
        """Set when the lock was found to be another's, or nobody's."""
        self.on_lost: Callable[[], object] | None = None
        """Called then, by the thread or the loop that refreshes."""
        self._ttl: int = milliseconds(ttl)
        self._timeout = None if timeout is None else seconds(timeout)
        self._token: int | None = None
        self._keeper: asyncio.Task[None] | None = None

    def __repr__(self) -> str:
        return f"<brant.Lock {self.name!r}{'' if self._token is None else f' held, token {self._token}'}>"

    @property
    def token(self) -> int:
        """The fencing token. Misuse: it is not held."""
        if self._token is None:
            raise Misuse(f"lock {self.name!r} is not held")
        return self._token

    @property
    def held(self) -> bool:
        """Was it acquired, and neither released nor lost?"""
        return self._token is not None and not self.lost.is_set()

    def check(self) -> None:
        """Stale: it was lost. Misuse: it is not held."""
        token = self.token
        if self.lost.is_set():
            raise Stale(f"lock {self.name!r} with token {token} was lost")

    # ---- threads -----------------------------------------------------------------------------------------------------------

    def acquire(self, timeout: Seconds | None = None) -> bool:
        """Wait for it `timeout` seconds (None: without end; 0: not at all); False: another has it still. Misuse: it is held, or it would be waited
        for inside a transaction."""
        self._free()
        if self._acquired(self._database._call(_native.brant_lock_acquire, self._members())):
            self._keep()
            return True
        if timeout == 0:
            return False
        if self._database._owns():
            raise Misuse("a lock cannot be waited for inside a transaction, which would hold up all writers")
        end = None if timeout is None else time.monotonic() + seconds(timeout)
        with self._database.locks.watch(self.name) as watch:
            while True:
                rest = None if end is None else max(0.0, end - time.monotonic())
                if watch.next(rest) is None:
                    return False
                if self._acquired(self._database._call(_native.brant_lock_acquire, self._members())):
                    self._keep()
                    return True

    def release(self) -> None:
        """Let it go. Stale: it was lost."""
        token = self.token
        self._database._keeper.forget(self)
        if self._keeper is not None:
            self._keeper.cancel()
        self._token = None
        self._database.locks.release(self.name, token)

    def refresh(self, ttl: Seconds | None = None) -> int:
        """Prolong it now; returns until when. It is done anyway. Stale: it was lost."""
        return self._database.locks.refresh(self.name, self.token, ttl=ttl)

    def __enter__(self) -> Self:
        """Timeout: another had it for the `timeout` that `Database.lock` was given."""
        if not self.acquire(self._timeout):
            raise Timeout(f"lock {self.name!r} was not free within {self._timeout} s")
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        """Stale, where nothing else was raised: the lock was lost on the way."""
        if self._token is not None:
            try:
                self.release()
            except BrantError:
                if error is None:
                    raise

    # ---- asyncio -----------------------------------------------------------------------------------------------------------

    async def acquire_async(self, timeout: Seconds | None = None) -> bool:
        """As `acquire`, for a task: others run meanwhile, and their transactions do not matter."""
        import asyncio

        self._free()
        side = self._database._beside("loop")
        loop = asyncio.get_running_loop()
        end = None if timeout is None else loop.time() + seconds(timeout)
        watch: LockWatch | None = None
        try:
            while not self._acquired(await side._call_async(_native.brant_lock_acquire, self._members())):
                if timeout == 0:
                    return False
                if watch is None:
                    watch = side.locks.watch(self.name)
                rest = None if end is None else max(0.0, end - loop.time())
                if await watch.next_async(rest) is None:
                    return False
        finally:
            if watch is not None:
                watch.close()
        self._keeper = loop.create_task(self._refreshing(side))
        return True

    async def release_async(self) -> None:
        """As `release`, for a task."""
        token = self.token
        if self._keeper is not None:
            self._keeper.cancel()
        self._token = None
        members = {"name": self.name, "token": token}
        await self._database._beside("loop")._call_async(_native.brant_lock_release, members)

    async def __aenter__(self) -> Self:
        if not await self.acquire_async(self._timeout):
            raise Timeout(f"lock {self.name!r} was not free within {self._timeout} s")
        return self

    async def __aexit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        if self._token is not None:
            try:
                await self.release_async()
            except BrantError:
                if error is None:
                    raise

    # ---- upkeep --------------------------------------------------------------------------------------------------------------

    def _free(self) -> None:
        if self._token is not None:
            raise Misuse(f"lock {self.name!r} is held already; it is not reentrant")
        self.lost.clear()

    def _members(self) -> Json:
        return {"name": self.name, "owner": self.owner, "ttl": self._ttl}

    def _acquired(self, answer: Json) -> bool:
        if answer["acquired"]:
            self._token = answer["token"]
        return bool(answer["acquired"])

    def _keep(self) -> None:
        self._database._keeper.keep(self, beat(self._ttl / 1000), self._refreshed)

    def _refreshed(self) -> bool:
        """The keeper's thread, on a handle beside the program's."""
        token = self._token
        if token is None:
            return False
        try:
            self._database._beside("thread").locks.refresh(self.name, token, ttl=self._ttl / 1000)
        except Stale:
            self._lose(token)
            return False
        except Closed:
            return False
        return True

    async def _refreshing(self, side: Database) -> None:
        import asyncio

        wait = beat(self._ttl / 1000)
        while (token := self._token) is not None:
            await asyncio.sleep(wait)
            wait = beat(self._ttl / 1000)
            try:
                members = {"name": self.name, "token": token, "ttl": self._ttl}
                await side._call_async(_native.brant_lock_refresh, members, patience=self._ttl / 1000)
            except Stale:
                return self._lose(token)
            except Closed:
                return
            except BrantError as error:
                log.warning("%r: refreshing failed, it is tried again: %s", self, error)
                wait = min(1.0, wait)

    def _lose(self, token: int) -> None:
        if self._token != token:
            return
        log.error("%r was lost: its lease ended before it was refreshed", self)
        self.lost.set()
        if self.on_lost is not None:
            self.on_lost()


class Locks:
    """The locks of a file, as ``db.locks``; iterate it for those that are held. ``db.lock(name)`` is one to use."""

    __slots__ = ("_database",)

    def __init__(self, database: Database) -> None:
        self._database = database

    def __repr__(self) -> str:
        return f"<brant.Locks of {self._database!r}>"

    def __iter__(self) -> Iterator[LockInfo]:
        return paged(lambda cursor: self.list(limit=PAGE, after=cursor))

    def acquire(self, name: str, owner: str, *, ttl: Seconds | None = None) -> Acquired:
        """Take it if it is free, for `ttl` seconds (30); by its owner, refresh it. It does not wait."""
        members = given(name=name, owner=owner, ttl=milliseconds(ttl))
        return known(Acquired, self._database._call(_native.brant_lock_acquire, members))

    def refresh(self, name: str, token: int, *, ttl: Seconds | None = None) -> int:
        """Prolong it; returns until when. Stale: the token is not that of the lock."""
        members = given(name=name, token=token, ttl=milliseconds(ttl))
        answer: int = self._database._call(_native.brant_lock_refresh, members)["expires_at"]
        return answer

    def release(self, name: str, token: int) -> None:
        """Let it go. Stale: the token is not that of the lock."""
        self._database._call(_native.brant_lock_release, {"name": name, "token": token})

    def get(self, name: str) -> LockInfo:
        """Who has it. NotFound: nobody."""
        return known(LockInfo, self._database._call(_native.brant_lock_get, {"name": name}))

    def list(self, *, prefix: str | None = None, limit: int | None = None, after: str | None = None) -> Page[LockInfo]:
        """A page (100) of those that are held, by name."""
        answer = self._database._call(_native.brant_lock_list, given(prefix=prefix, limit=limit, after=after))
        return Page(known_list(LockInfo, answer["items"]), answer.get("next"))

    def break_(self, name: str) -> int:
        """Take it from whoever has it, whose token is stale from now on; returns that token. NotFound."""
        token: int = self._database._call(_native.brant_lock_break, {"name": name})["token"]
        return token

    def watch(self, name: str) -> LockWatch:
        """Wait until it is free; one of those that wait is woken. Take it then: another may be quicker."""
        cursor = self._database._run(_native.brant_lock_watch, encode({"name": name}))
        watch = LockWatch(self._database, cursor)
        watch._what = repr(name)
        return watch
