"""Jobs: what a claim hands out, what is known of one, and what can be done to any by its id."""

from __future__ import annotations

import logging
import traceback
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from threading import Event, Lock
from types import TracebackType
from typing import TYPE_CHECKING, Any, Literal, cast

from . import _native
from ._clock import Moment, Seconds, milliseconds, moment
from ._common import LEFT, given
from ._json import encode
from ._payload import body, content
from .cursors import Cursor
from .errors import BrantError, NotFound, Stale, Timeout
from .records import Json, known, known_list

if TYPE_CHECKING:
    from ._claiming import Source
    from .database import Database

log = logging.getLogger("brant")

State = Literal["ready", "delayed", "blocked", "running", "done", "dead", "cancelled", "expired"]

TRACE = 16_000  # characters of a traceback that are kept, its end: the file keeps 16 KiB


class Retry(Exception):
    """Raised by a handler: the attempt failed and is to be repeated, in `delay` seconds if given, instead of after the queue's backoff."""

    def __init__(self, message: str = "to be retried", *, delay: Seconds | None = None) -> None:
        super().__init__(message)
        self.delay = delay


class Reject(Exception):
    """Raised by a handler: the job is hopeless. It is dead at once, however many attempts are left."""


class Snooze(Exception):
    """Raised by a handler: not now; again in `delay` seconds. The attempt does not count."""

    def __init__(self, delay: Seconds) -> None:
        super().__init__(f"snoozed for {delay} s")
        self.delay = delay


class Cancelled(Exception):
    """Raised by `Job.check` in a handler whose job is cancelled, lost, or asked to end by a shutdown."""


class JobFailed(Exception):
    """The job whose result was asked for ended without one: `info` is what is known of it, with its `errors`."""

    def __init__(self, info: JobInfo) -> None:
        last = f": {info.errors[-1].message}" if info.errors else ""
        super().__init__(f"job {info.id} is {info.state}{last}")
        self.info = info


@dataclass(slots=True)
class JobError:
    """What went wrong in an attempt."""

    attempt: int
    at: int
    message: str
    worker: str | None = None
    stack: str | None = None
    code: str | None = None


@dataclass(slots=True)
class JobInfo:
    """What is known of a job. Times are ms since the epoch; `after` are ids of jobs that it still waits for; `errors` the newest 20."""

    id: int
    queue: str
    state: State
    priority: int = 0
    payload: Any = None
    attempt: int = 0
    max_attempts: int | None = None
    created_at: int = 0
    key: str | None = None
    run_at: int | None = None
    expires_at: int | None = None
    lease_until: int | None = None
    worker: str | None = None
    claimed_at: int | None = None
    finished_at: int | None = None
    progress: Any = None
    result: Any = None
    errors: list[JobError] = field(default_factory=list)
    after: list[int] = field(default_factory=list)
    unique_key: str | None = None
    cancel_requested: bool = False
    schedule: str | None = None


@dataclass(slots=True)
class Outcome:
    """Where a job was left: "delayed", "ready" or "blocked" until its next attempt, at `run_at`, "dead", or "cancelled"."""

    state: State
    run_at: int | None = None


@dataclass(slots=True)
class Beat:
    """What a heartbeat answered. `stale`: the lease was lost, and somebody else may have the job."""

    lease_until: int = 0
    cancel_requested: bool = False
    id: int = 0
    stale: bool = False


Beats = list[Beat]


@dataclass(slots=True)
class Acked:
    """How many were acknowledged, and the ids of those whose claim was not the last any more."""

    acked: int
    stale: list[int]


def job_info(members: Json) -> JobInfo:
    answer = known(JobInfo, members)
    answer.payload = content(members)
    answer.errors = known_list(JobError, members.get("errors", []))
    return answer


def fault(error: BaseException | str | Mapping[str, Any]) -> Json:
    """An error as the registry has it: its text, its traceback, its class (or, of one of ours, its code)."""
    if isinstance(error, str):
        return {"message": error}
    if not isinstance(error, BaseException):
        return dict(error)
    text = str(error)
    name = type(error).__name__
    code = error.code if isinstance(error, BrantError) else name
    stack = "".join(traceback.format_exception(type(error), error, error.__traceback__))
    return {"message": _clean(f"{name}: {text}" if text else name), "stack": _clean(stack[-TRACE:]), "code": code}


def _clean(text: str) -> str:
    """Without what has no UTF-8."""
    return text.encode("utf-8", "replace").decode()


_events = Lock()


class Job:
    """A claimed job: do what its `payload` says, then `ack` it, or `fail` it. ``with job:`` does so at its end.

    `token` proves the claim: what is done with one that is not the last raises Stale. Calls join the running transaction, so an effect and its
    job's `ack` can be committed together: then it happens exactly once.
    """

    __slots__ = (
        "__weakref__", "_database", "_done", "_event", "_flagged", "_judge", "_riding", "_source", "_task", "_tentative", "attempt", "cancel_requested", "created_at", "id",
        "key", "lease_until", "lost", "max_attempts", "payload", "priority", "progress", "queue", "schedule", "token",
    )  # fmt: skip

    def __init__(self, database: Database, members: Json, source: Source | None = None) -> None:
        get = members.get
        self.id: int = members["id"]
        self.token: int = members["token"]
        self.queue: str = members["queue"]
        self.payload: Any = members["payload"] if "payload" in members else content(members)
        self.attempt: int = members["attempt"]
        self.max_attempts: int | None = get("max_attempts")
        self.priority: int = get("priority", 0)
        self.key: str | None = get("key")
        self.progress: Any = get("progress")
        """What the last `heartbeat` with a progress said, of an earlier attempt too."""
        self.schedule: str | None = get("schedule")
        self.created_at: int = members["created_at"]
        self.lease_until: int = members["lease_until"]
        self.cancel_requested = False
        self.lost = False
        """The lease ended, and somebody else may have the job."""
        self._database = database
        self._source = source
        self._done = False
        self._flagged = False
        self._riding = False  # its ack goes with the next claim
        self._tentative = False  # it was finished inside a transaction, which may yet be rolled back
        self._event: Event | None = None
        self._judge: Callable[[BaseException, int], Json] | None = None  # its task's policy about failures
        self._task: Any = None

    def __repr__(self) -> str:
        return f"<brant.Job {self.id} of {self.queue!r}, attempt {self.attempt}>"

    @property
    def finished(self) -> bool:
        """It was acked, failed, snoozed or released by this object."""
        return self._done

    @property
    def last_attempt(self) -> bool:
        """If this attempt fails, the job is dead."""
        return self.max_attempts is not None and self.attempt >= self.max_attempts

    # ---- its end -------------------------------------------------------------------------------------------------------

    def ack(self, result: Any = None) -> None:
        """It is done. `result` is kept for as long as the job's or the queue's `result_ttl` says. Stale."""
        self._database.jobs.ack(self.id, self.token, result)
        self._finish()

    def fail(self, error: BaseException | str | Mapping[str, Any], *, retry: bool = True, delay: Seconds | None = None) -> Outcome:
        """The attempt failed: it is repeated after the queue's backoff, or `delay` seconds; or it is dead, with no attempt left or without
        `retry`. An exception is kept with its traceback. Stale."""
        answer = self._database.jobs.fail(self.id, self.token, error, retry=retry, delay=delay)
        self._finish()
        return answer

    def snooze(self, delay: Seconds) -> Outcome:
        """Again in `delay` seconds, without counting the attempt. Stale."""
        answer = self._database.jobs.snooze(self.id, self.token, delay)
        self._finish()
        return answer

    def release(self) -> Outcome:
        """Let another worker have it, at once, without counting the attempt. Stale."""
        answer = self._database.jobs.release(self.id, self.token)
        self._finish()
        return answer

    def _finish(self) -> None:
        self._done = True
        self._tentative = self._database._owner is not None
        if self._source is not None:
            self._source.forget(self)

    # ---- on the way ----------------------------------------------------------------------------------------------------

    def heartbeat(self, *, lease: Seconds | None = None, progress: Any = LEFT) -> Beat:
        """Prolong the lease, and say how far it is: `progress` is seen by others and by the next attempt. Workers' jobs are prolonged anyway.
        Stale."""
        answer = self._database.jobs.heartbeat(self.id, self.token, lease=lease, progress=progress)
        self.lease_until = answer.lease_until
        if progress is not LEFT:
            self.progress = progress
        if answer.cancel_requested:
            self._cancel()
        return answer

    @property
    def cancelled(self) -> Event:
        """Set when the handler is to end early: somebody cancelled the job, its lease was lost, or its worker shuts down."""
        with _events:
            if self._event is None:
                self._event = Event()
                if self._flagged:
                    self._event.set()
            return self._event

    def check(self) -> None:
        """Raise Cancelled if the handler is to end early: for long work, between its steps."""
        if self._flagged:
            raise Cancelled(f"job {self.id} is {'cancelled' if self.cancel_requested else 'to end'}")

    def _cancel(self) -> None:
        self.cancel_requested = True
        self._flag()

    def _flag(self) -> None:
        with _events:
            self._flagged = True
            if self._event is not None:
                self._event.set()

    # ---- with ----------------------------------------------------------------------------------------------------------

    def __enter__(self) -> Job:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> bool:
        """Ack it, unless that was done. An exception becomes the attempt's error, is logged, and goes no further; one that ends the program
        (KeyboardInterrupt, SystemExit) releases the job and goes on."""
        if error is None:
            if not self._done:
                if self._source is None:
                    self.ack()
                else:
                    self._source.done(self, None)
            return False
        outcome = settle(self, error, release=True)
        try:
            if outcome is not None:
                (self._database if self._source is None else self._source.side)._call(*outcome)
                self._done = True
        except BrantError as failure:
            unrecorded(self, failure)
        finally:
            if self._source is not None:
                self._source.forget(self)
        return isinstance(error, Exception)

    async def __aenter__(self) -> Job:
        import asyncio

        self._task = asyncio.current_task()
        return self

    async def __aexit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> bool:
        """As ``with``; and while it is inside, a cancel of the job cancels the task."""
        import asyncio

        task, self._task = self._task, None
        if error is None:
            return self.__exit__(None, None, None)
        outcome = settle(self, error, release=True)
        try:
            if outcome is not None:
                side = self._database._beside("loop") if self._source is None else self._source.side
                await side._call_async(*outcome)
                self._done = True
        except BrantError as failure:
            unrecorded(self, failure)
        finally:
            if self._source is not None:
                self._source.forget(self)
        if isinstance(error, asyncio.CancelledError) and (self.cancel_requested or self.lost):
            if hasattr(task, "uncancel"):
                task.uncancel()  # it was this job that was cancelled, not the task's other work
            return True
        return isinstance(error, Exception)


def settle(job: Job, error: BaseException, *, release: bool) -> tuple[_native.Operation, Json] | None:
    """What an exception that a handler left by makes of its job: an operation and its input. None: it is finished, or lost.

    `release`: an exception that ends the program or the task gives the job back, instead of failing its attempt.
    """
    members: Json = {"id": job.id, "token": job.token}
    if job._done and not job._tentative:
        if isinstance(error, Exception):
            log.warning("%r was finished, then its handler failed", job, exc_info=error)
        return None
    if job.lost:
        return None
    if job.cancel_requested:
        log.info("%r was cancelled", job)
        return _native.brant_job_fail, {**members, "error": fault(error), "retry": False}
    if isinstance(error, Snooze):
        return _native.brant_job_snooze, {**members, "delay": milliseconds(error.delay)}
    if job._flagged if isinstance(error, Cancelled) else release and not isinstance(error, Exception):
        return _native.brant_job_release, members
    members["error"] = fault(error)
    if isinstance(error, Retry) and error.delay is not None:
        members["delay"] = milliseconds(error.delay)
    if isinstance(error, Reject):
        members["retry"] = False
    if job._judge is not None and not isinstance(error, (Retry, Reject)):
        members |= job._judge(error, job.attempt)
    log.warning("%r failed%s", job, " for the last time" if job.last_attempt else "", exc_info=error)
    return _native.brant_job_fail, members


def unrecorded(job: Job, failure: BrantError) -> None:
    """The call that was to record how a job ended failed."""
    if not (job._tentative and isinstance(failure, (NotFound, Stale))):
        log.warning("%r: how it ended could not be recorded, so it runs again when its lease ends: %s: %s", job, failure.code, failure)


class JobWatch(Cursor[JobInfo]):
    """Yields a job once it has finished, and ends; made by `Jobs.watch`."""

    def _records(self, items: list[Any]) -> list[JobInfo]:
        self._ended = True
        return [job_info({"queue": "", **members}) for members in items]

    def take(self, timeout: float | None = None) -> list[JobInfo]:
        if self._ended and not self._ready:
            return []
        return super().take(timeout)


class Jobs:
    """The jobs of a file by id, as ``db.jobs``. What works with a claim (`ack`, `fail`, ...) takes its token; `Job` does so by itself."""

    __slots__ = ("_database",)

    def __init__(self, database: Database) -> None:
        self._database = database

    def __repr__(self) -> str:
        return f"<brant.Jobs of {self._database!r}>"

    # ---- by anybody ----------------------------------------------------------------------------------------------------

    def get(self, id: int) -> JobInfo:
        """NotFound: there is none, or it was done and its result's time is over."""
        return job_info(self._database._call(_native.brant_job_get, {"id": id}))

    def list(
        self, queue: str, *, state: State | None = None, key: str | None = None, limit: int | None = None, after: int | None = None
    ) -> JobPage:  # fmt: skip
        """A page (100) of a queue's jobs, by id."""
        members = given(queue=queue, state=state, key=key, limit=limit, after=after)
        answer = self._database._call(_native.brant_job_list, members)
        return JobPage([job_info(item) for item in answer["items"]], answer.get("next"))

    def cancel(self, id: int) -> State:
        """Cancel one that waits; ask one that runs to end ("running"): see `Job.cancelled`. NotFound; Conflict: it is finished."""
        return cast("State", self._database._call(_native.brant_job_cancel, {"id": id})["state"])

    def requeue(self, id: int, *, payload: Any = LEFT) -> State:
        """A dead, cancelled or expired one again, with all its attempts, and another payload if given. Conflict: it is in another state."""
        members = {"id": id} if payload is LEFT else {"id": id, **body(payload)}
        return cast("State", self._database._call(_native.brant_job_requeue, members)["state"])

    def update(self, id: int, *, priority: int | None = None, run_at: Moment | None = None, payload: Any = LEFT) -> JobInfo:
        """Change one that waits. Conflict: it does not."""
        members = given(id=id, priority=priority, run_at=moment(run_at))
        if payload is not LEFT:
            members |= body(payload)
        return job_info(self._database._call(_native.brant_job_update, members))

    def delete(self, id: int) -> None:
        """Conflict: it runs."""
        self._database._call(_native.brant_job_delete, {"id": id})

    def watch(self, id: int) -> JobWatch:
        """Yields the job once it has finished: iterate it, or ask `next`. NotFound: the id was never given."""
        cursor = self._database._run(_native.brant_job_watch, encode({"id": id}))
        watch = JobWatch(self._database, cursor)
        watch._what = str(id)
        return watch

    def result(self, id: int, timeout: Seconds | None = None) -> Any:
        """What the job's handler returned, once it is done; waits `timeout` seconds (None: without end).

        It is None where no `result_ttl` keeps it. JobOutcome: it is dead, cancelled or expired. Timeout. NotFound.
        """
        with self.watch(id) as watch:
            return self._result(id, watch.next(None if timeout is None else milliseconds(timeout) / 1000))

    async def result_async(self, id: int, timeout: Seconds | None = None) -> Any:
        """As `result`, for a task: others run meanwhile."""
        with self.watch(id) as watch:
            return self._result(id, await watch.next_async(None if timeout is None else milliseconds(timeout) / 1000))

    def _result(self, id: int, info: JobInfo | None) -> Any:
        if info is None:
            raise Timeout(f"job {id} has not finished{self._why(id)}")
        if info.state != "done":
            raise JobFailed(info)
        return info.result

    def _why(self, id: int) -> str:
        """What a job waits for, as far as one may look."""
        try:
            info = self.get(id)
        except BrantError:
            return ""
        failed = f", and attempt {info.errors[-1].attempt} failed: {info.errors[-1].message}" if info.errors else ""
        return f": it is {info.state}{failed}"

    # ---- by who claimed it ---------------------------------------------------------------------------------------------

    def ack(self, id: int, token: int, result: Any = None) -> None:
        """As `Job.ack`."""
        self._database._run(_native.brant_job_ack, encode({"id": id, "token": token} | given(result=result)))

    def ack_many(self, jobs: Iterable[Job | Mapping[str, Any]]) -> Acked:
        """Ack jobs, or items ``{"id", "token", "result"}``, in one transaction; those of stale claims are told."""
        jobs = list(jobs)
        items = [{"id": job.id, "token": job.token} if isinstance(job, Job) else job for job in jobs]
        answer = known(Acked, self._database._call(_native.brant_job_ack_many, {"items": items}))
        for job in jobs:
            if isinstance(job, Job) and job.id not in answer.stale:
                job._done = True
        return answer

    def fail(
        self,
        id: int,
        token: int,
        error: BaseException | str | Mapping[str, Any],
        *,
        retry: bool | None = None,
        delay: Seconds | None = None,
    ) -> Outcome:
        """As `Job.fail`."""
        members = {"id": id, "token": token, "error": fault(error)} | given(retry=retry, delay=milliseconds(delay))
        return known(Outcome, self._database._call(_native.brant_job_fail, members))

    def snooze(self, id: int, token: int, delay: Seconds) -> Outcome:
        """As `Job.snooze`."""
        members = {"id": id, "token": token, "delay": milliseconds(delay)}
        return known(Outcome, self._database._call(_native.brant_job_snooze, members))

    def release(self, id: int, token: int) -> Outcome:
        """As `Job.release`."""
        return known(Outcome, self._database._call(_native.brant_job_release, {"id": id, "token": token}))

    def heartbeat(self, id: int, token: int, *, lease: Seconds | None = None, progress: Any = LEFT) -> Beat:
        """As `Job.heartbeat`."""
        members = {"id": id, "token": token} | given(lease=milliseconds(lease))
        if progress is not LEFT:
            members["progress"] = progress
        return known(Beat, self._database._call(_native.brant_job_heartbeat, members))

    def heartbeat_many(self, jobs: Iterable[Job | Mapping[str, Any]], *, lease: Seconds | None = None) -> Beats:
        """Prolong many in one transaction: a `Beat` for each, `stale` where the lease was lost."""
        items = [{"id": job.id, "token": job.token} if isinstance(job, Job) else job for job in jobs]
        answer = self._database._call(_native.brant_job_heartbeat_many, {"items": items} | given(lease=milliseconds(lease)))
        return known_list(Beat, answer["items"])

    def cancels(self, queue: str, worker: str) -> Cancels:
        """The jobs of a worker whose cancel is asked for, as that happens; workers listen to it by themselves."""
        cursor = self._database._run(_native.brant_job_cancels, encode({"queue": queue, "worker": worker}))
        return Cancels(self._database, cursor)


@dataclass(slots=True)
class Cancel:
    """A running job that is to end, by the token of its claim."""

    id: int
    token: int


class Cancels(Cursor[Cancel]):
    """Yields each running job of a worker once its cancel is asked for; made by `Jobs.cancels`."""

    def _records(self, items: list[Any]) -> list[Cancel]:
        return known_list(Cancel, items)


@dataclass(slots=True)
class JobPage:
    """Some jobs, and the id that the next page goes on `after`; None at the end."""

    items: list[JobInfo]
    next: int | None

    def __iter__(self) -> Iterator[JobInfo]:
        return iter(self.items)

    def __len__(self) -> int:
        return len(self.items)

    def __getitem__(self, index: int) -> JobInfo:
        return self.items[index]
