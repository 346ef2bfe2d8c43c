"""Queues of jobs."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Literal, TypedDict, TypeVar, Union, cast

from . import _native
from ._batch import CHUNK_BYTES, CHUNK_ITEMS
from ._clock import Moment, Seconds, milliseconds, moment
from ._common import LEFT, PAGE, given, paged
from ._json import decode, encode
from ._payload import body
from .cursors import Cursor
from .jobs import Job, JobInfo, JobPage, State
from .records import Json, Page, known, known_list
from .tasks import P, R, Task
from .worker import GRACE, Handler, Work, Worker

if TYPE_CHECKING:
    from typing_extensions import Unpack

    from .database import Database
    from .schedules import Misfire, ScheduleOptions

F = TypeVar("F", bound=Callable[..., Any])


class Unique(TypedDict, total=False):
    """No other job with this `key` while it waits or runs; or for `window` seconds, whether it does or not. `on_conflict`: "skip" (default)
    leaves the one that is there, "replace" puts the new one in its place, "reschedule" only moves it to the new one's time (a debounce)."""

    key: str
    window: Seconds
    on_conflict: Literal["skip", "replace", "reschedule"]


class EnqueueOptions(TypedDict, total=False):
    """The arguments of `Queue.enqueue` beside the payload."""

    priority: int | None
    delay: Seconds | None
    run_at: Moment | None
    expires_in: Seconds | None
    expires_at: Moment | None
    key: str | None
    max_attempts: int | None
    result_ttl: Seconds | None
    after: Iterable[int | Enqueued] | None
    on_failure: Literal["cancel", "run"] | None
    unique: str | Unique | None


class TaskOptions(EnqueueOptions, total=False):
    """The arguments of `Queue.task`: those of `Queue.enqueue`, and a policy about failures in the words of Celery.

    `max_retries` after the first attempt. `autoretry_for`: only these exceptions are retried, others are final (without it all are retried); `dont_autoretry_for`: these never.
    `retry_backoff`: seconds before the first retry, doubled for each (True: 1), up to `retry_backoff_max` (600), less up to the half by chance unless `retry_jitter` is False; without
    it the queue's backoff. `ignore_result`: `delay` keeps none.
    """

    max_retries: int
    autoretry_for: Iterable[type[BaseException]]
    dont_autoretry_for: Iterable[type[BaseException]]
    retry_backoff: Seconds | bool
    retry_backoff_max: Seconds
    retry_jitter: bool
    ignore_result: bool


class Backoff(TypedDict, total=False):
    """After attempt n: `base` seconds times `factor` to the n-1, at most `max` seconds, more or less by the part `jitter`."""

    base: Seconds
    factor: float
    max: Seconds
    jitter: float


class Rate(TypedDict):
    """`limit` claims in any `period` seconds."""

    limit: int
    period: Seconds


class Policy(TypedDict, total=False):
    """The arguments of `Queue.configure`; None puts one back to its default."""

    lease: Seconds | None
    max_attempts: int | None
    backoff: Backoff | None
    concurrency: int | None
    key_concurrency: int | None
    fifo: bool | None
    rate_limit: Rate | None
    result_ttl: Seconds | None
    dead_ttl: Seconds | None
    cancelled_ttl: Seconds | None
    max_size: int | None


@dataclass(slots=True)
class QueueInfo:
    """A queue. `policy` has all members that are in force, spans in ms."""

    queue: str
    state: Literal["active", "paused", "draining"]
    policy: Json
    revision: int
    created_at: int
    updated_at: int


@dataclass(slots=True)
class Bucket:
    """How many took at most `le` ms, and more than the bucket before."""

    le: float | None
    count: int


@dataclass(slots=True)
class Histogram:
    """How long something took in the last hour, in ms."""

    count: int
    sum: int
    p50: float | None = None
    p95: float | None = None
    p99: float | None = None
    buckets: list[Bucket] = field(default_factory=list)


@dataclass(slots=True)
class QueueStats:
    """How many jobs are in each state; how many ever were `enqueued`, `claimed`, ...; how many a second in the last five minutes (`rates`);
    how long they waited for a worker, and ran."""

    queue: str
    state: Literal["active", "paused", "draining"]
    ready: int = 0
    delayed: int = 0
    blocked: int = 0
    running: int = 0
    done: int = 0
    dead: int = 0
    cancelled: int = 0
    expired: int = 0
    oldest_ready_at: int | None = None
    oldest_age: int = 0
    next_run_at: int | None = None
    enqueued: int = 0
    claimed: int = 0
    completed: int = 0
    failed: int = 0
    retried: int = 0
    died: int = 0
    rates: dict[str, float] = field(default_factory=dict)
    wait: Histogram | None = None
    run: Histogram | None = None


class Enqueued:
    """What an enqueue did. `duplicate`: another unique job is there, `id` is its, and `action` says what became of it."""

    __slots__ = ("_database", "action", "duplicate", "id", "state")

    def __init__(self, database: Database, id: int, state: State, duplicate: bool, action: str) -> None:
        self._database = database
        self.id = id
        self.state = state
        self.duplicate = duplicate
        self.action = action

    def __repr__(self) -> str:
        return f"<brant.Enqueued {self.id} {self.state}{', ' + self.action if self.duplicate else ''}>"

    def info(self) -> JobInfo:
        """What is known of it now. NotFound: it was done and its result's time is over."""
        return self._database.jobs.get(self.id)

    def result(self, timeout: Seconds | None = None) -> Any:
        """What its handler returned, once it is done: see `Jobs.result`. It is kept where a `result_ttl` says so."""
        return self._database.jobs.result(self.id, timeout)

    async def result_async(self, timeout: Seconds | None = None) -> Any:
        """As `result`, for a task."""
        return await self._database.jobs.result_async(self.id, timeout)

    def cancel(self) -> State:
        """As `Jobs.cancel`."""
        return self._database.jobs.cancel(self.id)


@dataclass(slots=True)
class EnqueuedMany:
    """The ids of what was enqueued, in the items' order (a duplicate's is the other one's), and how many were `duplicates`."""

    ids: list[int]
    duplicates: int

    def __iter__(self) -> Iterator[int]:
        return iter(self.ids)

    def __len__(self) -> int:
        return len(self.ids)


class Claimed(list[Job]):
    """The jobs of a claim; how many others it `acked`, and the ids of those that were `stale`."""

    acked: int = 0
    stale: list[int] = []


class QueueWatch(Cursor[bool]):
    """Yields True while something can be claimed, and waits while nothing can; made by `Queue.watch`."""

    queue: str

    def _records(self, items: list[Any]) -> list[bool]:
        return [True for _ in items]


Item = Union[Mapping[str, Any]]


def _options(
    priority: int | None = None,
    delay: Seconds | None = None,
    run_at: Moment | None = None,
    expires_in: Seconds | None = None,
    expires_at: Moment | None = None,
    key: str | None = None,
    max_attempts: int | None = None,
    result_ttl: Seconds | None = None,
    after: Iterable[Any] | None = None,
    on_failure: str | None = None,
    unique: str | Unique | None = None,
) -> Json:
    """The options of a job as the registry's members."""
    members: Json = {}
    if priority is not None:
        members["priority"] = priority
    if delay is not None:
        members["delay"] = milliseconds(delay)
    if run_at is not None:
        members["run_at"] = moment(run_at)
    if expires_in is not None:
        members["expires_in"] = milliseconds(expires_in)
    if expires_at is not None:
        members["expires_at"] = moment(expires_at)
    if key is not None:
        members["key"] = key
    if max_attempts is not None:
        members["max_attempts"] = max_attempts
    if result_ttl is not None:
        members["result_ttl"] = milliseconds(result_ttl)
    if after is not None:
        if isinstance(after, (int, Enqueued)):
            raise TypeError("after is a list of jobs: after=[job]")
        members["after"] = [job.id if isinstance(job, Enqueued) else job for job in after]
    if on_failure is not None:
        members["on_failure"] = on_failure
    if unique is not None:
        members["unique"] = _unique(unique)
    return members


def _unique(unique: str | Unique) -> Any:
    if isinstance(unique, str):
        return {"key": unique}
    if isinstance(unique, Mapping) and "window" in unique:
        return {**unique, "window": milliseconds(unique["window"])}
    return unique


def _item(item: Mapping[str, Any]) -> Json:
    """An item of `enqueue_many` as the registry's members."""
    options = dict(item)
    payload = options.pop("payload", None)
    if unknown := options.keys() - EnqueueOptions.__annotations__.keys():
        raise TypeError(f"an item has no option {min(map(str, unknown))!r}: its payload is in \"payload\", its options are those of enqueue")
    return {**body(payload), **_options(**options)} if options else body(payload)


class Queue:
    """A queue of jobs, as ``db.queue(name)``; the first `enqueue` or `configure` makes it.

    Jobs are claimed by priority, then in the order of their ids, each by one worker for the time of a lease; one that is not acked by then is
    claimed again: at least once. Everything is in the running transaction, if there is one.
    """

    __slots__ = ("_database", "name")

    def __init__(self, database: Database, name: str) -> None:
        self._database = database
        self.name = name

    def __repr__(self) -> str:
        return f"<brant.Queue {self.name!r}>"

    # ---- enqueueing ------------------------------------------------------------------------------------------------------

    def enqueue(
        self,
        payload: Any = None,
        *,
        priority: int | None = None,
        delay: Seconds | None = None,
        run_at: Moment | None = None,
        expires_in: Seconds | None = None,
        expires_at: Moment | None = None,
        key: str | None = None,
        max_attempts: int | None = None,
        result_ttl: Seconds | None = None,
        after: Iterable[int | Enqueued] | None = None,
        on_failure: Literal["cancel", "run"] | None = None,
        unique: str | Unique | None = None,
    ) -> Enqueued:
        """Enqueue a job: `payload` is anything with a JSON form, or bytes.

        A higher `priority` (0) is claimed first. `delay` seconds, or `run_at`: not before. `expires_in` seconds, or `expires_at`: if it has
        not begun by then, never. `key`: what `key_concurrency` and `fifo` count by. `max_attempts`, `result_ttl` (seconds that what the
        handler returned is kept): instead of the queue's. `after`: jobs that must be done first; `on_failure`: what happens when one of
        them fails, "cancel" (default) or "run" all the same. `unique`: see `Unique`; a text is the key.

        Conflict: the queue is draining. Limit: it is full. NotFound: a job of `after` never was.
        """
        members = {"queue": self.name, **body(payload)}
        members |= _options(
            priority, delay, run_at, expires_in, expires_at, key, max_attempts, result_ttl, after, on_failure, unique
        )  # fmt: skip
        answer = self._database._call(_native.brant_queue_enqueue, members)
        return Enqueued(
            self._database, answer["id"], answer["state"], answer.get("duplicate", False), answer.get("action", "enqueued")
        )  # fmt: skip

    def enqueue_many(self, items: Iterable[Mapping[str, Any]]) -> EnqueuedMany:
        """Enqueue many, all or nothing: items are ``{"payload": ..., "delay": 5, ...}`` with the arguments of `enqueue`.

        In `after`, ``{"item": n}`` is the job of the n-th item (from 0) of this call: chains and graphs of jobs at once.
        """
        ids: list[int] = []
        duplicates = 0
        room = max(1, min(CHUNK_BYTES, self._database._document_limit))
        most = min(CHUNK_ITEMS, self._database._batch_limit)

        def text(batch: list[Json]) -> str:
            return encode({"queue": self.name, "items": [_renumbered(item, ids) for item in batch]})

        def fits(text: str) -> bool:
            return len(text) <= room // 4 or len(text.encode("utf-8", "surrogatepass")) <= room

        def run(batch: list[Json], whole: str) -> None:
            nonlocal duplicates
            if len(batch) > 1 and not fits(whole):
                for half in batch[: len(batch) // 2], batch[len(batch) // 2 :]:
                    run(half, text(half))
                return
            answer = decode(self._database._run(_native.brant_queue_enqueue_many, whole))
            ids.extend(answer["ids"])
            duplicates += answer.get("duplicates", 0)

        everything = [_item(item) for item in items]
        first = everything[:most]
        whole = text(first)
        if len(everything) <= most and fits(whole):
            run(first, whole)
        else:
            with self._database.transaction():
                run(first, whole)
                for at in range(most, len(everything), most):
                    batch = everything[at : at + most]
                    run(batch, text(batch))
        return EnqueuedMany(ids, duplicates)

    # ---- working -----------------------------------------------------------------------------------------------------------

    def work(
        self,
        *,
        concurrency: int = 1,
        batch: int = 1,
        lease: Seconds | None = None,
        wait: Seconds | None = None,
        name: str | None = None,
        on_stale: Callable[[Job], object] | None = None,
    ) -> Work:
        """The jobs as they come: ``for job in queue.work()``, ``async for job in queue.work()``.

        What the loop has finished is acked with the next claim, leases are prolonged meanwhile, cancels heard of (`Job.cancelled`). `wait`: end
        when none came within so many seconds (0: when none is ready). `batch`: claim so many at a time, for short jobs. `concurrency`, with
        ``async for``: have at most so many unfinished, each of which is to be finished by ``async with job``. `on_stale` is called for jobs
        that were finished too late: they are done twice.
        """
        return Work(self, concurrency, batch, lease, wait, name, on_stale)

    def worker(
        self,
        handler: Handler | None = None,
        *,
        concurrency: int = 1,
        lease: Seconds | None = None,
        grace: Seconds = GRACE,
        name: str | None = None,
        on_stale: Callable[[Job], object] | None = None,
    ) -> Worker:
        """What calls `handler(job)` for each job, `concurrency` at once, in threads, or in asyncio if it is a coroutine function; without one, the
        registered tasks. What it returns is the job's result, what it raises the attempt's error (see also `Retry`, `Snooze`, `Reject`)."""
        return Worker(self, handler, concurrency, lease, grace, name, on_stale)

    def run(
        self,
        handler: Handler | None = None,
        *,
        concurrency: int = 1,
        lease: Seconds | None = None,
        grace: Seconds = GRACE,
        name: str | None = None,
        on_stale: Callable[[Job], object] | None = None,
        signals: bool = True,
    ) -> None:
        """As `worker`, and run it until SIGTERM or SIGINT."""
        self.worker(handler, concurrency=concurrency, lease=lease, grace=grace, name=name, on_stale=on_stale).run(signals=signals)

    async def run_async(
        self,
        handler: Handler | None = None,
        *,
        concurrency: int = 1,
        lease: Seconds | None = None,
        grace: Seconds = GRACE,
        name: str | None = None,
        on_stale: Callable[[Job], object] | None = None,
    ) -> None:
        """As `worker`, and run it in the running loop, until the task is cancelled."""
        await self.worker(handler, concurrency=concurrency, lease=lease, grace=grace, name=name, on_stale=on_stale).run_async()

    @property
    def _tasks(self) -> dict[str, Task[Any, Any]]:
        return self._database._tasks.setdefault(self.name, {})

    def task(self, *, name: str | None = None, **options: Unpack[TaskOptions]) -> Callable[[Callable[P, R]], Task[P, R]]:
        """``@queue.task()``: register a function, so that ``function.delay(...)`` has a worker of this queue call it (`run()` without a
        handler). `name`: by which workers know it (the function's own). `options`: of its jobs, as of `enqueue`, and what becomes of failures: see `TaskOptions`."""

        def register(function: Callable[P, R]) -> Task[P, R]:
            task = Task(self, function, name or str(getattr(function, "__name__", type(function).__name__)), options)
            if self._tasks.setdefault(task.name, task) is not task:
                raise ValueError(f"queue {self.name!r} has a task {task.name!r} already; give this one another name")
            return task

        return register

    def periodic(
        self,
        spec: str,
        *,
        name: str | None = None,
        timezone: str | None = None,
        misfire: Misfire | None = None,
        catch_up: int | None = None,
        **options: Unpack[ScheduleOptions],
    ) -> Callable[[Callable[[], R]], Task[[], R]]:
        """``@queue.periodic("*/5 * * * *", timezone="Europe/Berlin")``: register a function without arguments as a task, and store a schedule of its
        name that enqueues it; see `Database.periodic`."""

        def register(function: Callable[[], R]) -> Task[[], R]:
            task: Task[[], R] = self.task(name=name)(function)
            self._database.schedules.set(
                task.name, spec, self.name, timezone=timezone, payload=task.message(), misfire=misfire, catch_up=catch_up, **options
            )
            return task

        return register

    def claim(
        self,
        limit: int | None = None,
        *,
        worker: str | None = None,
        lease: Seconds | None = None,
        ack: Iterable[Job | Mapping[str, Any]] | None = None,
    ) -> Claimed:
        """Claim up to `limit` (1) jobs now, for `lease` seconds: the low-level way, without heartbeats. Nothing is ready, or the queue is paused:
        []. `ack`: jobs, or items ``{"id", "token", "result"}``, that are done, acked in the same transaction; those whose claim was not the
        last are `lost`, and named by the answer's `stale`."""
        members: Json = {"queue": self.name} | given(worker=worker, limit=limit, lease=milliseconds(lease))
        done = None if ack is None else list(ack)
        if done is not None:
            members["ack"] = [{"id": job.id, "token": job.token} if isinstance(job, Job) else job for job in done]
        answer = self._database._call(_native.brant_queue_claim, members)
        claimed = Claimed(Job(self._database, item) for item in answer["items"])
        claimed.acked = answer.get("acked", 0)
        claimed.stale = answer.get("stale", [])
        for job in done or ():
            if isinstance(job, Job):
                job.lost = job.id in claimed.stale
                job._done = not job.lost
        return claimed

    def watch(self) -> QueueWatch:
        """Wait for something to claim: ``for _ in queue.watch(): jobs = queue.claim(10)``. One of those that wait is woken for each job."""
        cursor = self._database._run(_native.brant_queue_watch, encode({"queue": self.name}))
        watch = QueueWatch(self._database, cursor)
        watch.queue = self.name
        watch._what = repr(self.name)
        return watch

    def result(self, id: int | Enqueued, timeout: Seconds | None = None) -> Any:
        """As `Jobs.result`."""
        return self._database.jobs.result(id.id if isinstance(id, Enqueued) else id, timeout)

    async def result_async(self, id: int | Enqueued, timeout: Seconds | None = None) -> Any:
        """As `Jobs.result_async`."""
        return await self._database.jobs.result_async(id.id if isinstance(id, Enqueued) else id, timeout)

    # ---- the queue -----------------------------------------------------------------------------------------------------------

    def configure(
        self,
        *,
        lease: Seconds | None = LEFT,
        max_attempts: int | None = LEFT,
        backoff: Backoff | None = LEFT,
        concurrency: int | None = LEFT,
        key_concurrency: int | None = LEFT,
        fifo: bool | None = LEFT,
        rate_limit: Rate | None = LEFT,
        result_ttl: Seconds | None = LEFT,
        dead_ttl: Seconds | None = LEFT,
        cancelled_ttl: Seconds | None = LEFT,
        max_size: int | None = LEFT,
    ) -> QueueInfo:
        """Change the queue's policy, and make it if it is new. What is not given stays; None is the default.

        `lease` seconds (30) that a claim holds; `max_attempts` (20); `backoff` between them (1 s, doubled up to an hour); `concurrency`:
        most that run at once, `key_concurrency`: of one key; `fifo`: the jobs of a key one at a time in strict order; `rate_limit`: most
        claims in a period; `result_ttl` (0), `dead_ttl` (for ever), `cancelled_ttl` (a day): seconds that finished ones are kept;
        `max_size`: most that wait and run (Limit).
        """
        spans = {"lease": lease, "result_ttl": result_ttl, "dead_ttl": dead_ttl, "cancelled_ttl": cancelled_ttl}
        members: Json = {name: milliseconds(span) for name, span in spans.items() if span is not LEFT}
        numbers = {"max_attempts": max_attempts, "concurrency": concurrency, "key_concurrency": key_concurrency, "fifo": fifo}
        members |= {name: number for name, number in {**numbers, "max_size": max_size}.items() if number is not LEFT}
        if backoff is not LEFT:
            members["backoff"] = _spans(backoff, "base", "max")
        if rate_limit is not LEFT:
            members["rate_limit"] = _spans(rate_limit, "period")
        return known(QueueInfo, self._database._call(_native.brant_queue_configure, {"queue": self.name, **members}))

    def get(self) -> QueueInfo:
        """What the queue is. NotFound: nothing made it yet."""
        return known(QueueInfo, self._database._call(_native.brant_queue_get, {"queue": self.name}))

    def stats(self) -> QueueStats:
        """NotFound."""
        return queue_stats(self._database._call(_native.brant_queue_stats, {"queue": self.name}))

    def pause(self) -> QueueInfo:
        """Nothing is claimed until `resume`. NotFound."""
        return known(QueueInfo, self._database._call(_native.brant_queue_pause, {"queue": self.name}))

    def resume(self) -> QueueInfo:
        """After `pause` or `drain`. NotFound."""
        return known(QueueInfo, self._database._call(_native.brant_queue_resume, {"queue": self.name}))

    def drain(self) -> QueueInfo:
        """Nothing new is taken (Conflict) until `resume`; what is there is worked off. NotFound."""
        return known(QueueInfo, self._database._call(_native.brant_queue_drain, {"queue": self.name}))

    def delete(self, *, force: bool | None = None) -> int:
        """Delete the queue with its jobs; returns how many. Conflict: some run, unless `force`. NotFound."""
        return cast(int, self._database._call(_native.brant_queue_delete, given(queue=self.name, force=force))["deleted"])

    def jobs(
        self, *, state: State | None = None, key: str | None = None, limit: int | None = None, after: int | None = None
    ) -> JobPage:  # fmt: skip
        """A page (100) of its jobs, by id; dead letters with ``state="dead"``. As `Jobs.list`; for all of them see `iter_jobs`."""
        return self._database.jobs.list(self.name, state=state, key=key, limit=limit, after=after)

    def iter_jobs(self, *, state: State | None = None, key: str | None = None) -> Iterator[JobInfo]:
        """All jobs that `jobs` would find, read page by page."""
        page = self.jobs(state=state, key=key, limit=PAGE)
        yield from page
        while page.next is not None:
            page = self.jobs(state=state, key=key, limit=PAGE, after=page.next)
            yield from page

    def requeue(self, *, state: Literal["dead", "cancelled", "expired"] | None = None, limit: int | None = None) -> int:
        """Have up to `limit` (1000) "dead" (default) jobs run again, with all their attempts; returns how many."""
        members = given(queue=self.name, state=state, limit=limit)
        return cast(int, self._database._call(_native.brant_job_requeue_many, members)["requeued"])

    def prune(
        self,
        *,
        states: Iterable[Literal["dead", "done", "cancelled", "expired"]] | None = None,
        older_than: Seconds | None = None,
        limit: int | None = None,
    ) -> int:
        """Remove up to `limit` (1000) finished jobs, of these `states`, that finished `older_than` seconds ago; returns how many."""
        members = given(queue=self.name, older_than=milliseconds(older_than), limit=limit)
        if states is not None:
            members["states"] = [states] if isinstance(states, str) else list(states)
        return cast(int, self._database._call(_native.brant_queue_prune, members)["pruned"])


class Queues:
    """The queues of a file, as ``db.queues``; iterate it for all. ``db.queue(name)`` works with one."""

    __slots__ = ("_database",)

    def __init__(self, database: Database) -> None:
        self._database = database

    def __repr__(self) -> str:
        return f"<brant.Queues of {self._database!r}>"

    def __iter__(self) -> Iterator[QueueInfo]:
        return paged(lambda cursor: self.list(limit=PAGE, after=cursor))

    def list(self, *, prefix: str | None = None, limit: int | None = None, after: str | None = None) -> Page[QueueInfo]:
        """A page (100) of queues, by name."""
        answer = self._database._call(_native.brant_queue_list, given(prefix=prefix, limit=limit, after=after))
        return Page(known_list(QueueInfo, answer["items"]), answer.get("next"))

    def stats(self) -> Stats:
        """Of all."""
        return [queue_stats(item) for item in self._database._call(_native.brant_queue_stats, {})["items"]]


Stats = list[QueueStats]


def queue_stats(members: Json) -> QueueStats:
    answer = known(QueueStats, members)
    for name in ("wait", "run"):
        if name in members:
            histogram = known(Histogram, members[name])
            histogram.buckets = known_list(Bucket, members[name].get("buckets", []))
            setattr(answer, name, histogram)
    return answer


def _spans(members: Any, *names: str) -> Any:
    """With these members as ms."""
    if not isinstance(members, Mapping):
        return members
    return {name: milliseconds(value) if name in names else value for name, value in members.items()}


def _renumbered(item: Json, ids: list[int]) -> Json:
    """An item whose `after` speaks of items of the whole call, in a batch that begins where `ids` end."""
    after = item.get("after")
    if not ids or not after:
        return item
    begin = len(ids)

    def job(one: Any) -> Any:
        number = one.get("item") if isinstance(one, dict) else None
        if not isinstance(number, int):
            return one
        return {"item": number - begin} if number >= begin or number < 0 else ids[number]

    return {**item, "after": [job(one) for one in after]}
