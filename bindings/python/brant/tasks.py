"""Tasks: functions that are called by enqueueing their arguments. A task's job has the payload ``{"task": name, "args": [...], "kwargs": {...}}``, so
that any language can enqueue one; ``"results": [ids]`` besides has the results of these jobs put before the arguments (chains), and ``"gathered": true`` as one list (chords)."""

from __future__ import annotations

import datetime
import inspect
import random
from collections.abc import Callable, Coroutine, Generator, Iterable, Mapping, Sequence
from contextlib import suppress
from typing import TYPE_CHECKING, Any, Generic, ParamSpec, TypeVar, cast, overload

from ._clock import Moment, Seconds, seconds
from .errors import Conflict, NotFound

if TYPE_CHECKING:
    from .database import Database
    from .jobs import Job, JobInfo, State
    from .queues import EnqueueOptions, Enqueued, Queue, Unique

P = ParamSpec("P")
R = TypeVar("R")
T = TypeVar("T")

RESULT_TTL = 86_400  # seconds that what a task returned is kept for who asked for an AsyncResult
POLICY = "max_retries", "autoretry_for", "dont_autoretry_for", "retry_backoff", "retry_backoff_max", "retry_jitter", "ignore_result"


class AsyncResult(Generic[R]):
    """What becomes of a task that was enqueued: `get` waits for what it returns. ``await`` does so in asyncio."""

    __slots__ = ("_database", "id")

    def __init__(self, database: Database, id: int) -> None:
        self._database = database
        self.id = id

    def __repr__(self) -> str:
        return f"<brant.AsyncResult {self.id}>"

    def get(self, timeout: Seconds | None = None) -> R:
        """What the task returned; waits `timeout` seconds (None: without end). JobFailed: it ended otherwise; Timeout. None where the result is not kept any more."""
        return cast(R, self._database.jobs.result(self.id, timeout))

    async def aget(self, timeout: Seconds | None = None) -> R:
        """As `get`, for a task of asyncio."""
        return cast(R, await self._database.jobs.result_async(self.id, timeout))

    def __await__(self) -> Generator[Any, None, R]:
        return self.aget().__await__()

    @property
    def status(self) -> State:
        """The state of its job: "ready", "delayed" (a retry too), "blocked" (others come first), "running", "done", "dead", "cancelled" or "expired"."""
        try:
            return self._database.jobs.get(self.id).state
        except NotFound:
            return "done"

    def info(self) -> JobInfo:
        """All that is known of the job, its errors too. NotFound: it was done, and is not kept any more."""
        return self._database.jobs.get(self.id)

    def ready(self) -> bool:
        """Has it ended, however?"""
        return self.status in ("done", "dead", "cancelled", "expired")

    def successful(self) -> bool:
        """Has it ended, and well?"""
        return self.status == "done"

    def failed(self) -> bool:
        """Has it ended without a result?"""
        return self.ready() and not self.successful()

    def cancel(self) -> State:
        """Cancel it if it waits; ask it to end if it runs: see `Job.cancelled`. Conflict: it has ended."""
        return self._database.jobs.cancel(self.id)


class GroupResult(Generic[R]):
    """The results of a group, in its order."""

    __slots__ = ("results",)

    def __init__(self, results: Sequence[AsyncResult[R]]) -> None:
        self.results = list(results)

    def __len__(self) -> int:
        return len(self.results)

    def get(self, timeout: Seconds | None = None) -> list[R]:
        """What all returned; waits `timeout` seconds for all of them. As `AsyncResult.get`."""
        import time

        end = None if timeout is None else time.monotonic() + seconds(timeout)
        return [result.get(None if end is None else max(0.0, end - time.monotonic())) for result in self.results]

    async def aget(self, timeout: Seconds | None = None) -> list[R]:
        """As `get`, for a task of asyncio."""
        import time

        end = None if timeout is None else time.monotonic() + seconds(timeout)
        return [await result.aget(None if end is None else max(0.0, end - time.monotonic())) for result in self.results]

    def __await__(self) -> Generator[Any, None, list[R]]:
        return self.aget().__await__()

    def ready(self) -> bool:
        """Have all of them ended, well or not?"""
        return all(result.ready() for result in self.results)

    def successful(self) -> bool:
        """Have all of them ended, and well?"""
        return all(result.successful() for result in self.results)

    def cancel(self) -> None:
        """Cancel what has not ended."""
        for result in self.results:
            with suppress(Conflict, NotFound):  # it has ended
                result.cancel()


class Task(Generic[P, R]):
    """A function that is registered with a queue; made by `Queue.task`. Calling it calls the function, here and now; `delay`, `apply_async` and `enqueue` have a worker do so."""

    __slots__ = ("__dict__", "_options", "_policy", "function", "name", "queue")

    def __init__(self, queue: Queue, function: Callable[P, R], name: str, options: Mapping[str, Any]) -> None:
        self.queue = queue
        self.function = function
        self.name = name
        self._policy = {name: value for name, value in options.items() if name in POLICY}
        self._options = cast("EnqueueOptions", {name: value for name, value in options.items() if name not in POLICY})
        retries = self._policy.get("max_retries")
        if retries is not None:
            self._options["max_attempts"] = retries + 1
        self.__doc__ = function.__doc__
        self.__wrapped__ = function

    def __repr__(self) -> str:
        return f"<brant.Task {self.name!r} of {self.queue.name!r}>"

    def __call__(self, *args: P.args, **kwargs: P.kwargs) -> R:
        return self.function(*args, **kwargs)

    # ---- enqueueing -------------------------------------------------------------------------------------------------------

    def enqueue(self, *args: P.args, **kwargs: P.kwargs) -> Enqueued:
        """Have a worker call the function with these arguments, which have a JSON form. In the running transaction."""
        return self.queue.enqueue(self.message(*args, **kwargs), **self._options)

    @overload
    def delay(self: Task[P, Coroutine[Any, Any, T]], *args: P.args, **kwargs: P.kwargs) -> AsyncResult[T]: ...
    @overload
    def delay(self, *args: P.args, **kwargs: P.kwargs) -> AsyncResult[R]: ...
    def delay(self, *args: P.args, **kwargs: P.kwargs) -> AsyncResult[Any]:
        """As `enqueue`, and what it returns is kept for a day (or the `result_ttl` of the task), so that the answer's `get` has it."""
        return self._start(self.message(*args, **kwargs), {})

    def apply_async(
        self,
        args: Sequence[Any] = (),
        kwargs: Mapping[str, Any] | None = None,
        *,
        countdown: Seconds | None = None,
        eta: Moment | None = None,
        expires: Seconds | datetime.datetime | None = None,
        priority: int | None = None,
        key: str | None = None,
        unique: str | Unique | None = None,
        max_retries: int | None = None,
        result_ttl: Seconds | None = None,
    ) -> AsyncResult[Any]:
        """As `delay`, with options: `countdown` seconds, or `eta`: not before; `expires` in so many seconds, or at a time: then never; a higher `priority` first; `key` and
        `unique` as of `Queue.enqueue`; `max_retries` after the first attempt; `result_ttl` seconds that the result is kept."""
        options: dict[str, Any] = {"delay": countdown, "run_at": eta, "priority": priority, "key": key, "unique": unique, "result_ttl": result_ttl}
        options["expires_at" if isinstance(expires, datetime.datetime) else "expires_in"] = expires
        options["max_attempts"] = None if max_retries is None else max_retries + 1
        message = self.message(*args, **(kwargs or {}))
        return self._start(message, {name: value for name, value in options.items() if value is not None})

    def _start(self, message: dict[str, Any], options: dict[str, Any]) -> AsyncResult[Any]:
        kept: dict[str, Any] = {} if self._policy.get("ignore_result") else {"result_ttl": RESULT_TTL}
        enqueued = self.queue.enqueue(message, **cast("EnqueueOptions", {**kept, **self._options, **options}))
        return AsyncResult(self.queue._database, enqueued.id)

    def options(self, **options: Any) -> Task[P, R]:
        """The same task with other options of `Queue.enqueue`: ``send.options(delay=60, priority=5).enqueue("x")``."""
        mine = {**self._policy, **self._options}
        if options.keys() & {"max_attempts", "max_retries"}:  # each says the other
            mine = {name: value for name, value in mine.items() if name not in ("max_attempts", "max_retries")}
        return Task(self.queue, self.function, self.name, {**mine, **options})

    def message(self, *args: P.args, **kwargs: P.kwargs) -> dict[str, Any]:
        """The payload of such a job: for `Queue.enqueue_many`, schedules, outboxes."""
        inspect.signature(self.function).bind(*args, **kwargs)  # TypeError here, not in a worker
        return {"task": self.name, "args": list(args), "kwargs": kwargs}

    # ---- parts of a workflow ------------------------------------------------------------------------------------------------

    def s(self, *args: Any, **kwargs: Any) -> Signature:
        """A call that is yet to be made: a part of a `chain`, `group` or `chord`. In a chain the result of what comes before is put before the arguments."""
        inspect.signature(self.function).bind_partial(*args, **kwargs)
        return Signature(self, args, kwargs)

    def si(self, *args: Any, **kwargs: Any) -> Signature:
        """As `s`, without the result of what comes before."""
        inspect.signature(self.function).bind(*args, **kwargs)
        return Signature(self, args, kwargs, immutable=True)

    # ---- failing ------------------------------------------------------------------------------------------------------------

    def judge(self, error: BaseException, attempt: int) -> dict[str, Any]:
        """What the task's policy makes of an attempt that failed: members of "jobs.fail"."""
        get = self._policy.get
        kinds = get("autoretry_for")
        if kinds is not None and not isinstance(error, tuple(kinds)) or isinstance(error, tuple(get("dont_autoretry_for") or ())):
            return {"retry": False}
        backoff = get("retry_backoff")
        if not backoff:
            return {}
        most = seconds(get("retry_backoff_max", 600))
        wait = min(most, (1.0 if backoff is True else seconds(backoff)) * 2 ** min(attempt - 1, 40))
        return {"delay": round(1000 * (wait * random.uniform(0.5, 1.0) if get("retry_jitter", True) else wait))}


class Signature:
    """A task with arguments, to be enqueued: by itself (`delay`), or as a part of a `chain`, `group` or `chord`. ``a | b`` is a chain."""

    __slots__ = ("args", "immutable", "kwargs", "options", "task")

    def __init__(self, task: Task[..., Any], args: Sequence[Any], kwargs: Mapping[str, Any], *, immutable: bool = False, options: Any = None) -> None:
        self.task = task
        self.args = tuple(args)
        self.kwargs = dict(kwargs)
        self.immutable = immutable
        self.options: dict[str, Any] = dict(options or {})

    def __repr__(self) -> str:
        given = [*map(repr, self.args), *(f"{name}={value!r}" for name, value in self.kwargs.items())]
        return f"{self.task.name}({', '.join(given)})"

    def set(self, **options: Any) -> Signature:
        """With options of `Queue.enqueue`: ``send.s("x").set(priority=5)``."""
        return Signature(self.task, self.args, self.kwargs, immutable=self.immutable, options={**self.options, **options})

    def __or__(self, other: Signature | Chain) -> Chain:
        return Chain([self, *(other.parts if isinstance(other, Chain) else [other])])

    def delay(self) -> AsyncResult[Any]:
        """Enqueue the call; at the commit, in a transaction."""
        return self._enqueue((), False)

    def _enqueue(self, before: Sequence[int], gathered: bool) -> AsyncResult[Any]:
        message: dict[str, Any] = {"task": self.task.name, "args": list(self.args), "kwargs": self.kwargs}
        options = dict(self.options)
        if before:
            options["after"] = list(before)
            if not self.immutable:
                message["results"] = list(before)
                if gathered:
                    message["gathered"] = True
        else:
            inspect.signature(self.task.function).bind(*self.args, **self.kwargs)
        if options.get("result_ttl", self.task._options.get("result_ttl")) is None:
            options["result_ttl"] = RESULT_TTL  # what comes after needs it
        return self.task._start(message, options)


class Chain:
    """Tasks one after the other, each with the result of the one before; made by `chain` or ``a.s(1) | b.s()``. If one fails for good, those after it are cancelled."""

    __slots__ = ("parts",)

    def __init__(self, parts: Iterable[Signature]) -> None:
        self.parts = list(parts)
        if not self.parts:
            raise ValueError("a chain has one task at least")

    def __or__(self, other: Signature | Chain) -> Chain:
        return Chain([*self.parts, *(other.parts if isinstance(other, Chain) else [other])])

    def delay(self) -> AsyncResult[Any]:
        """Enqueue all, in one transaction; the answer is that of the last."""
        return self._enqueue((), False)

    def _enqueue(self, before: Sequence[int], gathered: bool) -> AsyncResult[Any]:
        with self.parts[0].task.queue._database.transaction():
            for part in self.parts:
                result = part._enqueue(before, gathered)
                before, gathered = [result.id], False
        return result


class Group:
    """Tasks side by side; made by `group`."""

    __slots__ = ("parts",)

    def __init__(self, parts: Iterable[Signature | Chain]) -> None:
        self.parts = list(parts)
        if not self.parts:
            raise ValueError("a group has one task at least")

    def delay(self) -> GroupResult[Any]:
        """Enqueue all, in one transaction."""
        with _database(self.parts[0]).transaction():
            return GroupResult([part._enqueue((), False) for part in self.parts])


def _database(part: Signature | Chain) -> Database:
    return (part.parts[0] if isinstance(part, Chain) else part).task.queue._database


def _parts(parts: Iterable[Any], kinds: tuple[type, ...]) -> list[Any]:
    """Of a call with all of them, or with one iterable that has them."""
    given = list(parts)
    if len(given) == 1 and not isinstance(given[0], (Signature, Chain)) and isinstance(given[0], Iterable):
        given = list(given[0])
    for part in given:
        if not isinstance(part, kinds):
            raise TypeError(f"{part!r} is no task with arguments; task.s(..) makes one")
    return given


def chain(*parts: Signature | Iterable[Signature]) -> Chain:
    """``chain(fetch.s(url), parse.s(), store.s()).delay().get()``: one after the other, each with the result of the one before as its first argument. Or ``chain([..])``."""
    return Chain(_parts(parts, (Signature,)))


def group(*parts: Signature | Chain | Iterable[Signature | Chain]) -> Group:
    """``group(add.s(1, 2), add.s(3, 4)).delay().get()``: side by side; the results are in the order of the parts. Or ``group(add.s(n, n) for n in numbers)``."""
    return Group(_parts(parts, (Signature, Chain)))


def chord(parts: Group | Iterable[Signature | Chain], callback: Signature | Chain) -> AsyncResult[Any]:
    """Enqueue `parts` side by side, 1000 at most, and `callback` after all of them, with the list of their results as its first argument; in one transaction. The answer is
    that of the callback, which is cancelled if one of them fails for good."""
    header = parts if isinstance(parts, Group) else group(parts)
    with _database(header.parts[0]).transaction():
        return callback._enqueue([result.id for result in header.delay().results], True)


def perform(tasks: Mapping[str, Task[Any, Any]], job: Job) -> tuple[Callable[..., Any], tuple[Any, ...], dict[str, Any]]:
    """The function that a task's job asks for, and its arguments."""
    message = job.payload
    if not isinstance(message, dict) or not isinstance(message.get("task"), str):
        raise ValueError('the payload is no task\'s: it has no "task"')
    task = tasks.get(message["task"])
    if task is None:
        raise LookupError(f"no task {message['task']!r} is registered with queue {job.queue!r} here")
    if task._policy:
        job._judge = task.judge
    args = tuple(message.get("args", ()))
    if ids := message.get("results"):
        database = job._database if job._source is None else job._source.side
        try:
            results = [database.jobs.get(id).result for id in ids]
        except NotFound:
            raise LookupError("the results of the tasks before are not kept any more: give those a longer result_ttl") from None
        args = (results, *args) if message.get("gathered") else (*results, *args)
    return task.function, args, message.get("kwargs", {})


def is_async(function: Any) -> bool:
    return inspect.iscoroutinefunction(function) or inspect.iscoroutinefunction(getattr(function, "__call__", None))
