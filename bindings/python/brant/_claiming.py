"""Where a worker's jobs come from: claims, with the acks of what was finished; waiting; heartbeats; cancels. For threads, and for a loop.

A source works on a handle of its own beside the program's (`Database._beside`), so that the program's transactions and a worker's upkeep never wait
for each other's owner. Finished jobs are acknowledged with the next claim, in one transaction. What is held is prolonged by one heartbeat for
all, each third of the lease, by one thread or task, which also hears of cancels.
"""

from __future__ import annotations

import logging
import os
import secrets
import threading
import time
from collections import deque
from collections.abc import Callable
from contextlib import suppress
from typing import TYPE_CHECKING, Any, Literal

from . import _native
from ._clock import Seconds, milliseconds
from ._common import given
from ._json import decode, encode
from ._keeper import beat
from .errors import BrantError, Busy, Closed, Misuse, Timeout
from .jobs import Job
from .records import Json

if TYPE_CHECKING:
    import asyncio

    from .database import Database

log = logging.getLogger("brant")

LEASE = 30.0  # seconds, where no answer has said another yet
SLICE = 500  # ms that the main thread waits at a time, so that it can handle signals
HELD_BACK = 0.1  # seconds that acks wait for a claim, where jobs are claimed several at a time
AT_ONCE = 1000  # jobs of one call at most
JOIN = 10.0  # seconds that the heartbeat's thread has at the end


def worker_name() -> str:
    """Who claims, for people and for cancels: unlike any other's."""
    host = os.uname().nodename if hasattr(os, "uname") else os.environ.get("COMPUTERNAME", "host")
    return f"{host}:{os.getpid()}:{secrets.token_hex(4)}"


class Source:
    """What both kinds share. `database` is the program's, which jobs work on; `side` the worker's own."""

    _beside: Literal["thread", "loop"]  # which of the database's handles is `side`

    def __init__(
        self,
        database: Database,
        queue: str,
        name: str | None = None,
        lease: Seconds | None = None,
        on_stale: Callable[[Job], object] | None = None,
        batch: int = 1,
    ) -> None:
        self.database = database
        self.side = database._beside(self._beside)
        self.queue = queue
        self.name = name or worker_name()
        self.lease: int | None = milliseconds(lease)
        self.stopping = False
        self.held: dict[int, Job] = {}
        self._on_stale = on_stale
        self._batch = batch
        self._interval = beat(LEASE if self.lease is None else self.lease / 1000)
        self._acks: list[tuple[Job, Json]] = []
        self._acks_since = 0.0
        self._ready: deque[Job] = deque()
        self._watch = self.side._run(_native.brant_queue_watch, encode({"queue": queue}))
        self._set_up()

    def _set_up(self) -> None:
        """What is of one kind."""
        raise NotImplementedError

    # ---- claims -----------------------------------------------------------------------------------------------------------

    def _claim(self, limit: int, acks: list[tuple[Job, Json]]) -> Json:
        members: Json = {"queue": self.queue, "worker": self.name, "limit": limit}
        if self.lease is not None:
            members["lease"] = self.lease
        if acks:
            members["ack"] = [ack for _, ack in acks]
        return members

    def _claimed(self, answer: Json, acks: list[tuple[Job, Json]]) -> list[Job]:
        if acks:
            self._acknowledged(answer, acks)
        database = self.database
        jobs = [Job(database, item, self) for item in answer["items"]]
        if jobs:
            for job in jobs:
                self.held[job.id] = job
            if self.lease is None:
                self._interval = max(0.01, beat(jobs[0].lease_until / 1000 - time.time()))
            self._hold()
        return jobs

    def _acknowledged(self, answer: Json, acks: list[tuple[Job, Json]]) -> None:
        stale = answer.get("stale")
        for job, _ in acks:
            if self.held.get(job.id) is job:
                del self.held[job.id]
        if stale:
            for job, _ in acks:
                if job.id in stale and not job.lost:
                    log.warning("%r was done, but its lease had ended: it runs, or ran, again", job)
                    self._tell(job)

    def _tell(self, job: Job) -> None:
        job.lost = True
        if self._on_stale is not None:
            try:
                self._on_stale(job)
            except Exception:
                log.exception("on_stale failed for %r", job)

    # ---- upkeep -----------------------------------------------------------------------------------------------------------

    def _hold(self) -> None:
        """There are jobs to be kept."""
        raise NotImplementedError

    def _beating(self) -> list[list[Json]]:
        """What is held, as items of heartbeats."""
        items = [{"id": job.id, "token": job.token} for job in list(self.held.values()) if not job.lost]
        return [items[at : at + AT_ONCE] for at in range(0, len(items), AT_ONCE)]

    def _beat(self, answer: Json) -> None:
        for item in answer["items"]:
            job = self.held.get(item["id"])
            if job is None:
                continue
            if item.get("stale"):
                # Acked by the program itself it is stale too, and well.
                if not job._done:
                    log.warning("%r: its lease ended while it ran; somebody else may have it", job)
                    self._tell(job)
                    job._flag()
                    self._end(job)
            else:
                job.lease_until = item["lease_until"]
                if item.get("cancel_requested"):
                    self._cancel(job)

    def _cancels(self, items: list[Json]) -> None:
        for item in items:
            job = self.held.get(item["id"])
            if job is not None and job.token == item["token"]:
                self._cancel(job)

    def _cancel(self, job: Job) -> None:
        if not job.cancel_requested:
            job._cancel()
            self._end(job)

    def _end(self, job: Job) -> None:
        """The handler of this job is to end: the threads' look at `Job.cancelled`."""

    # ---- the end of a job --------------------------------------------------------------------------------------------------

    def done(self, job: Job, result: Any) -> None:
        """It was worked off: to be acked with the next claim."""
        ack: Json = {"id": job.id, "token": job.token}
        if result is not None:
            ack["result"] = result
            encode(result)  # what has no JSON form is this job's fault, not the claim's
        job._done = job._riding = True
        if not self._acks:
            self._acks_since = time.monotonic()
        self._acks.append((job, ack))

    def forget(self, job: Job) -> None:
        """It was finished otherwise."""
        if self.held.get(job.id) is job:
            del self.held[job.id]


class ThreadSource(Source):
    """For threads. Whoever finds nothing to claim waits for another's; one of those waits in the library and claims for all (the leader)."""

    _beside = "thread"

    def _set_up(self) -> None:
        self._changed = threading.Condition()
        self.over = threading.Event()
        self._idle = 0
        self._leading = False
        self._keeping = False
        self._holding = threading.Event()
        self._keeper: threading.Thread | None = None
        self._cancels_cursor: _native.Cursor | None = None

    def take(self, wait: float | None = None) -> Job | None:
        """The next job; None when none came within `wait` seconds (None: without end), or the source was stopped."""
        if self.stopping:
            return None
        if self._ready:
            if self._acks and time.monotonic() - self._acks_since > HELD_BACK:
                try:
                    self.flush()
                except Busy:  # a little later then, or with the next claim
                    self._acks_since = time.monotonic()
            with self._changed:
                if self._ready:
                    return self._ready.popleft()
        job = self._exchange(self._batch)
        if job is not None or wait == 0:
            return job
        end = None if wait is None else time.monotonic() + wait
        if not self._wait_to_lead(end):
            with self._changed:
                return self._ready.popleft() if self._ready and not self.stopping else None
        try:
            return self._lead(end)
        finally:
            with self._changed:
                self._leading = False
                self._changed.notify()

    def _wait_to_lead(self, end: float | None) -> bool:
        """False: a job is there, or it is over."""
        with self._changed:
            while True:
                if self._ready or self.stopping:
                    return False
                if not self._leading:
                    self._leading = True
                    return True
                rest = None if end is None else end - time.monotonic()
                if rest is not None and rest <= 0:
                    return False
                self._idle += 1
                try:
                    self._changed.wait(rest)
                finally:
                    self._idle -= 1

    def _lead(self, end: float | None) -> Job | None:
        sliced = threading.current_thread() is threading.main_thread()
        while not self.stopping:
            rest = -1 if end is None else max(0, round((end - time.monotonic()) * 1000))
            span = SLICE if sliced and not 0 <= rest < SLICE else rest
            try:
                text = _native.brant_cursor_next(self._watch, span)
            except Closed:
                if self.stopping:
                    return None
                raise
            except Timeout:
                time.sleep(0.002)
                continue
            if text != "[]":
                job = self._exchange(max(self._batch, 1 + self._idle))
                if job is not None:
                    return job
            elif end is not None and time.monotonic() >= end:
                return None
        return None

    def _exchange(self, limit: int) -> Job | None:
        """Claim, and ack what was finished. The others' jobs go to them."""
        with self._changed:
            acks, self._acks = self._acks, []
        members = self._claim(min(limit, AT_ONCE), acks)
        try:
            answer = self.side._insist(lambda: self.side._call(_native.brant_queue_claim, members), f"queue {self.queue!r}", lambda: self.stopping)
        except BaseException as error:
            with self._changed:
                self._acks = acks + self._acks
            if not (isinstance(error, Busy) and self.stopping):
                raise
            with suppress(BrantError):  # whoever closes may have been here before
                self.flush()
            return None
        jobs = self._claimed(answer, acks)
        if not jobs:
            return None
        if len(jobs) > 1:
            with self._changed:
                self._ready.extend(jobs[1:])
                self._changed.notify(len(jobs) - 1)
        return jobs[0]

    def flush(self) -> None:
        """Ack what was finished."""
        with self._changed:
            acks, self._acks = self._acks, []
        if not acks:
            return
        try:
            answer = self.side._call(_native.brant_job_ack_many, {"items": [ack for _, ack in acks]})
        except BaseException:
            with self._changed:
                self._acks = acks + self._acks
            raise
        self._acknowledged(answer, acks)

    def done(self, job: Job, result: Any) -> None:
        with self._changed:
            super().done(job, result)

    # ---- the end ------------------------------------------------------------------------------------------------------------

    def stop(self) -> None:
        """Claim no more, and end waits. Any thread, a signal handler too."""
        self.stopping = True
        _native.brant_cursor_close(self._watch)
        with self._changed:
            self._changed.notify_all()
        self.over.set()

    def close(self) -> None:
        """After the last handler: ack what was finished, release what is held, end the upkeep."""
        self.stop()
        try:
            if not self.side.closed:
                with suppress(Closed):
                    self.flush()
                    self.release(list(self.held.values()))
        finally:
            self._keeping = False
            self._holding.set()
            if self._cancels_cursor is not None:
                _native.brant_cursor_close(self._cancels_cursor)

    def join(self) -> None:
        """After `close`: until the heartbeat's thread has left the file. Not for ever: `on_stale` runs in it, and may wait for the worker."""
        if self._keeper is not None and self._keeper is not threading.current_thread():
            self._keeper.join(JOIN)

    def release(self, jobs: list[Job]) -> None:
        """Let others have them at once."""
        for job in jobs:
            if not job._done and not job.lost:
                job._flag()
                try:
                    self.side._call(_native.brant_job_release, {"id": job.id, "token": job.token})
                    job._done = True
                except BrantError as error:
                    log.warning("%r could not be released: %s", job, error)
            self.forget(job)

    # ---- upkeep -------------------------------------------------------------------------------------------------------------

    def _hold(self) -> None:
        if self._keeper is None:
            with self._changed:
                if self._keeper is None:
                    self._keeping = True
                    self._keeper = threading.Thread(target=self._keep, name=f"brant-heartbeat-{self.queue}", daemon=True)
                    self._keeper.start()
        if not self._holding.is_set():
            self._holding.set()

    def _keep(self) -> None:
        """The heartbeat's thread: it waits for cancels until the next beat is due; without jobs it is parked."""
        due = time.monotonic() + self._interval
        while self._keeping:
            try:
                if self._cancels_cursor is None:
                    worker = encode({"queue": self.queue, "worker": self.name})
                    self._cancels_cursor = self.side._run(_native.brant_job_cancels, worker)
                    continue  # `close` may have come before it was there
                rest = min(due - time.monotonic(), self._interval)
                if rest > 0:
                    text = _native.brant_cursor_next(self._cancels_cursor, max(1, round(rest * 1000)))
                    if text != "[]":
                        self._cancels(decode(text))
                    continue
                due = time.monotonic() + self._interval
                for items in self._beating():
                    members = {"items": items} | given(lease=self.lease)
                    self._beat(self.side._call(_native.brant_job_heartbeat_many, members))
                if not self.held:
                    self._holding.clear()
                    if not self.held and self._keeping:
                        self._holding.wait()
                    due = time.monotonic() + self._interval
            except Closed:
                return
            except BrantError as error:
                log.warning("queue %r: a heartbeat failed, it is tried again: %s: %s", self.queue, error.code, error)
                due = time.monotonic() + min(1.0, self._interval)
                time.sleep(0.05)


class LoopSource(Source):
    """For a loop: every method in its thread."""

    _beside = "loop"

    def _set_up(self) -> None:
        import asyncio

        self._loop = asyncio.get_running_loop()
        self._thread = threading.get_ident()
        self._sleeper: asyncio.Future[None] | None = None
        self._holding = asyncio.Event()
        self._keeper: asyncio.Task[None] | None = None
        self._canceller: asyncio.Task[None] | None = None

    async def take(self, wait: float | None, room: Callable[[], int]) -> Job | None:
        """The next job, as soon as there is `room()` for one more; None when there was room for `wait` seconds and none came, or the source was stopped."""
        import asyncio

        end = None if wait is None else self._loop.time() + wait
        nap = 0.002
        while not self.stopping:
            space = room()
            if space <= 0:
                # Who is busy does not wait for a job. After acks room is looked for anew: while they were written no wake was heard.
                if self._acks:
                    await self.flush()
                else:
                    await self.sleep(float("inf"))
                end = None if wait is None else self._loop.time() + wait
                continue
            if self._ready:
                return self._ready.popleft()
            await self.exchange(min(space, self._batch))
            if self._ready or self.stopping:
                continue
            rest = float("inf") if end is None else end - self._loop.time()
            if rest <= 0:
                return None
            # Before the look, so that what comes after it is not missed.
            dispatcher = self.side._wakes.dispatcher(self._loop)
            looked = self._look()
            if looked is None:
                await asyncio.sleep(min(nap, rest))
                nap = min(nap * 2, 0.05)
            elif not looked:
                nap = 0.002
                if self._acks:
                    continue
                self._sleeper = self._loop.create_future()
                try:
                    span = _native.brant_cursor_wait(self._watch) / 1000
                    await dispatcher.wait(max(0.0, min(span, rest)), self._sleeper)
                except Closed:
                    if not self.stopping:
                        raise
                finally:
                    self._sleeper = None
        return None

    async def sleep(self, seconds: float) -> None:
        """Until `wake`."""
        self._sleeper = self._loop.create_future()
        timer = None
        if seconds != float("inf"):
            timer = self._loop.call_later(seconds, self.wake)
        try:
            await self._sleeper
        finally:
            self._sleeper = None
            if timer is not None:
                timer.cancel()

    def wake(self) -> None:
        """Something changed: room, acks, the end."""
        if self._sleeper is not None and not self._sleeper.done():
            self._sleeper.set_result(None)

    def _look(self) -> bool | None:
        """Is there something to claim? None: it could not be looked now."""
        lock = self.side._lock
        if not lock.acquire(blocking=False):
            return None
        try:
            return _native.brant_cursor_next(self._watch, 0) != "[]"
        except Timeout:
            return None
        except Closed:
            if self.stopping:
                return False
            raise
        finally:
            lock.release()

    async def exchange(self, limit: int) -> None:
        """Claim, and ack what was finished."""
        acks, self._acks = self._acks, []
        try:
            answer = await self.side._call_async(_native.brant_queue_claim, self._claim(min(limit, AT_ONCE), acks))
        except BaseException:
            self._acks = acks + self._acks
            raise
        self._ready.extend(self._claimed(answer, acks))

    async def flush(self) -> None:
        """Ack what was finished."""
        acks, self._acks = self._acks, []
        if not acks:
            return
        try:
            answer = await self.side._call_async(_native.brant_job_ack_many, {"items": [ack for _, ack in acks]})
        except BaseException:
            self._acks = acks + self._acks
            raise
        self._acknowledged(answer, acks)

    def done(self, job: Job, result: Any) -> None:
        super().done(job, result)
        self._call(self.wake)

    def forget(self, job: Job) -> None:
        super().forget(job)
        self._call(self.wake)

    def _call(self, function: Callable[[], None]) -> None:
        """In the loop's thread: a job may be finished in any."""
        if threading.get_ident() == self._thread:
            function()
        elif not self._loop.is_closed():
            self._loop.call_soon_threadsafe(function)

    # ---- the end ------------------------------------------------------------------------------------------------------------

    def stop(self) -> None:
        self.stopping = True
        _native.brant_cursor_close(self._watch)
        self._call(self.wake)

    async def close(self) -> None:
        """As of `ThreadSource`."""
        self.stop()
        try:
            if not self.side.closed:
                with suppress(Closed):
                    await self.flush()
                    await self.release(list(self.held.values()))
        finally:
            for task in (self._keeper, self._canceller):
                if task is not None:
                    task.cancel()

    def abandon(self) -> None:
        """As `close`, where nothing can be awaited: what cannot be written at once runs again when its lease ends."""
        self.stop()
        for task in (self._keeper, self._canceller):
            if task is not None and not self._loop.is_closed():
                with suppress(RuntimeError):
                    self._loop.call_soon_threadsafe(task.cancel)
        acks, self._acks = self._acks, []
        with suppress(BrantError):
            if acks:
                self.side._call(_native.brant_job_ack_many, {"items": [ack for _, ack in acks]})
            for job in list(self.held.values()):
                if not job._done and not job.lost:
                    self.side._call(_native.brant_job_release, {"id": job.id, "token": job.token})

    async def release(self, jobs: list[Job]) -> None:
        for job in jobs:
            if not job._done and not job.lost:
                job._flag()
                try:
                    members = {"id": job.id, "token": job.token}
                    await self.side._call_async(_native.brant_job_release, members, patience=5)
                    job._done = True
                except BrantError as error:
                    log.warning("%r could not be released: %s", job, error)
            self.forget(job)

    # ---- upkeep -------------------------------------------------------------------------------------------------------------

    def _end(self, job: Job) -> None:
        if job._task is not None and not job._task.done():
            job._task.cancel()

    def _hold(self) -> None:
        if self._keeper is None:
            self._keeper = self._loop.create_task(self._keep())
            self._canceller = self._loop.create_task(self._hear())
        self._holding.set()

    async def _keep(self) -> None:
        import asyncio

        wait = self._interval
        while True:
            if not self.held:
                self._holding.clear()
                await self._holding.wait()
            await asyncio.sleep(min(wait, self._interval))
            wait = self._interval
            try:
                for items in self._beating():
                    members = {"items": items} | given(lease=self.lease)
                    self._beat(await self.side._call_async(_native.brant_job_heartbeat_many, members))
            except Closed:
                return
            except BrantError as error:
                log.warning("queue %r: a heartbeat failed, it is tried again: %s: %s", self.queue, error.code, error)
                wait = min(1.0, self._interval)

    async def _hear(self) -> None:
        """Cancels, as they are asked for."""
        import asyncio

        while True:
            try:
                cancels = self.side.jobs.cancels(self.queue, self.name)
                break
            except (Busy, Misuse):
                await asyncio.sleep(0.05)
        with cancels:
            async for item in cancels:
                self._cancels([{"id": item.id, "token": item.token}])
