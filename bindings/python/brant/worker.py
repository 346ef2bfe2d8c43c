"""Working off a queue: a loop over its jobs, and workers that call a handler for each, in threads or in asyncio."""

from __future__ import annotations

import contextvars
import logging
import math
import threading
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from types import TracebackType
from typing import TYPE_CHECKING, Any, Union

from ._claiming import AT_ONCE, LoopSource, ThreadSource, worker_name
from ._clock import Seconds, seconds
from .errors import BrantError, Closed
from .jobs import Job, settle, unrecorded
from .services import Service
from .tasks import is_async, perform

if TYPE_CHECKING:
    import asyncio
    from concurrent.futures import ThreadPoolExecutor

    from typing_extensions import Self

    from .queues import Queue

log = logging.getLogger("brant")

Handler = Union[Callable[[Job], Any], Callable[[Job], Awaitable[Any]]]
"""What works a job off: what it returns is the job's result, what it raises the attempt's error."""

GRACE = 30.0

_current: contextvars.ContextVar[Job] = contextvars.ContextVar("brant.job")


def current_job() -> Job:
    """The job that the running handler or task works off. LookupError: none runs here."""
    return _current.get()


class Work(Iterator[Job], AsyncIterator[Job]):
    """The jobs of a queue, as they come; made by `Queue.work`. ``for`` and ``async for``; a context manager that closes.

    A job that the body neither acked nor failed is done when the next is asked for: its ack goes with that claim. Where several are worked
    off at once (`concurrency`), each says itself when it is done, best by ``async with job``. Leaving the ``with`` by an exception fails the
    job that was worked off; the others go back to the queue.
    """

    def __init__(
        self, queue: Queue, concurrency: int, batch: int, lease: Seconds | None, wait: Seconds | None, name: str | None,
        on_stale: Callable[[Job], object] | None,
    ) -> None:  # fmt: skip
        if concurrency < 1 or batch < 1:
            raise ValueError("concurrency and batch are 1 at least")
        self._queue = queue
        self._concurrency = concurrency
        self._batch = batch
        self._arguments = queue.name, name, lease, on_stale, batch
        self._wait = None if wait is None else seconds(wait)
        self._source: ThreadSource | LoopSource | None = None
        self._current: Job | None = None
        self._closed = False

    def __repr__(self) -> str:
        return f"<brant.Work on {self._queue.name!r}{' closed' if self._closed else ''}>"

    def stop(self) -> None:
        """End the loop before its next job. Any thread, a signal handler too."""
        self._closed = True
        source = self._source
        if source is not None:
            source.stop()

    # ---- threads ---------------------------------------------------------------------------------------------------------

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        if error is not None and self._current is not None and not self._current._done:
            self._current.__exit__(kind, error, trace)
        self.close()

    def close(self) -> None:
        """End it: what was done is acked, what is held goes back to the queue. Any number of times."""
        self._closed = True
        source, self._source = self._source, None
        if isinstance(source, ThreadSource):
            source.close()
        elif source is not None:
            source.abandon()

    def __del__(self) -> None:
        if getattr(self, "_source", None) is not None:
            try:
                self.close()
            except BrantError as error:
                log.warning("%r was not closed, and its jobs run again when their leases end: %s", self, error)

    def __iter__(self) -> Self:
        return self

    def __next__(self) -> Job:
        source = self._source
        if source is None:
            if self._closed:
                raise StopIteration
            if self._concurrency > 1:
                raise ValueError("a for loop works one job off at a time: use async for, or Queue.worker")
            source = self._source = ThreadSource(self._queue._database, *self._arguments)
        assert isinstance(source, ThreadSource), "one loop, for or async for"
        self._finish()
        try:
            job = source.take(self._wait)
        except Closed:
            job = None
        if job is None:
            self.close()
            raise StopIteration
        self._current = job
        return job

    def _finish(self) -> None:
        """The body went on: its job is done."""
        job, self._current = self._current, None
        if job is not None and self._source is not None:
            if not job._done:
                if self._concurrency == 1:
                    self._source.done(job, None)
            elif not job._riding:
                self._source.forget(job)

    # ---- asyncio -----------------------------------------------------------------------------------------------------------

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        if error is not None and self._current is not None and not self._current._done and self._concurrency == 1:
            await self._current.__aexit__(kind, error, trace)
        self._closed = True
        source, self._source = self._source, None
        if isinstance(source, LoopSource):
            await source.close()

    def __aiter__(self) -> Self:
        return self

    async def __anext__(self) -> Job:
        source = self._source
        if source is None:
            if self._closed:
                raise StopAsyncIteration
            source = self._source = LoopSource(self._queue._database, *self._arguments)
        assert isinstance(source, LoopSource), "one loop, for or async for"
        self._finish()
        try:
            job = await source.take(self._wait, lambda: self._concurrency - self._running(source))
        except Closed:
            job = None
        if job is None:
            while self._concurrency > 1 and source.held and not source.stopping:
                await source.flush()  # what still runs ends first
                if source.held:
                    await source.sleep(math.inf)
            self._closed = True
            self._source = None
            await source.close()
            raise StopAsyncIteration
        self._current = job
        return job

    def _running(self, source: LoopSource) -> int:
        return len(source.held) - len(source._ready) - len(source._acks)


class Worker(Service):
    """Calls a handler for each job of a queue, `concurrency` at once; made by `Queue.worker`.

    A handler that is a coroutine function runs in asyncio, others in threads. `run` (or `run_async`) works until `stop` is called or a
    signal comes; `start`, `stop` and `join` do so beside the program, and so does ``with worker:``.

    When it is stopped it claims no more, lets what runs end for `grace` seconds, then cancels the handlers (asyncio) or sets
    `Job.cancelled` (threads) and gives their jobs back to the queue.
    """

    def __init__(
        self, queue: Queue, handler: Handler | None, concurrency: int, lease: Seconds | None, grace: Seconds, name: str | None,
        on_stale: Callable[[Job], object] | None,
    ) -> None:  # fmt: skip
        super().__init__(queue._database)
        if concurrency < 1:
            raise ValueError("concurrency is 1 at least")
        tasks = queue._tasks
        if handler is None and not tasks:
            raise ValueError("neither a handler is given nor a task registered")
        self._queue = queue
        self._handler = handler
        functions = [handler] if handler is not None else [task.function for task in tasks.values()]
        self._asynchronous = any(is_async(function) for function in functions)
        self._concurrency = concurrency
        self._grace = seconds(grace)
        self.name = name or worker_name()
        """By which its jobs say who works on them."""
        self._arguments = queue.name, self.name, lease, on_stale
        self._source: ThreadSource | LoopSource | None = None
        self._threads: list[threading.Thread] = []
        self._fatal: BaseException | None = None

    def __repr__(self) -> str:
        return f"<brant.Worker of {self._queue.name!r}, {self._concurrency} {'tasks' if self._asynchronous else 'threads'}>"

    async def run_async(self) -> None:
        """Work in the running loop until `stop`. Cancelling the task ends it without grace. Handlers that are no coroutine functions run in
        threads all the same."""
        if not self._asynchronous:
            return await self._alongside()
        self._begin()
        try:
            with self._until_closed():
                await self._work_async()
        finally:
            self._ended.set()

    def _main(self) -> None:
        if self._asynchronous:
            import asyncio

            asyncio.run(self._work_async())
        else:
            self._work()

    def _wake(self) -> None:
        source = self._source
        if source is not None:
            source.stop()

    def _perform(self, job: Job) -> tuple[Callable[..., Any], tuple[Any, ...], dict[str, Any]]:
        """The function that works this job off, and its arguments."""
        return (self._handler, (job,), {}) if self._handler is not None else perform(self._queue._tasks, job)

    # ---- threads ---------------------------------------------------------------------------------------------------------

    def _work(self) -> None:
        source = self._source = ThreadSource(self._queue._database, *self._arguments)
        log.info("%r works as %s", self, self.name)
        for n in range(self._concurrency):
            thread = threading.Thread(target=self._serve, args=(source,), name=f"brant-{self._queue.name}-{n}", daemon=True)
            self._threads.append(thread)
            thread.start()
        if self._stopping:
            source.stop()
        # They end by themselves when the source is stopped; then what still runs has its grace.
        source.over.wait()
        end = time.monotonic() + self._grace
        while (running := [thread for thread in self._threads if thread.is_alive()]) and not self._hasty:
            rest = end - time.monotonic()
            if rest <= 0:
                break
            running[0].join(min(0.05, rest))
        left = [job for job in list(source.held.values()) if not job._done]  # some may end meanwhile
        if left:
            log.warning("%r: %d jobs did not end within the grace, and go back to the queue", self, len(left))
        source.close()
        source.join()
        log.info("%r ended", self)
        if self._fatal is not None:
            raise self._fatal

    def _serve(self, source: ThreadSource) -> None:
        try:
            while (job := source.take()) is not None:
                self._handle(source, job)
        except BaseException as error:
            if not (isinstance(error, Closed) and (source.stopping or source.database.closed)):
                self._fatal = error
            source.stop()

    def _handle(self, source: ThreadSource, job: Job) -> None:
        context = _current.set(job)
        try:
            function, args, kwargs = self._perform(job)
            result = function(*args, **kwargs)
            if not job._done:
                source.done(job, result)
        except BaseException as error:
            outcome = settle(job, error, release=True)
            try:
                if outcome is not None:
                    source.side._call(*outcome)
                    job._done = True
            except BrantError as failure:
                unrecorded(job, failure)
            source.forget(job)
            if not isinstance(error, Exception):
                raise
        finally:
            _current.reset(context)

    # ---- asyncio -----------------------------------------------------------------------------------------------------------

    async def _work_async(self) -> None:
        import asyncio

        loop = asyncio.get_running_loop()
        source = self._source = LoopSource(self._queue._database, *self._arguments, batch=AT_ONCE)
        log.info("%r works as %s", self, self.name)
        running: set[asyncio.Task[None]] = set()
        pool = None
        if self._handler is None:
            from concurrent.futures import ThreadPoolExecutor

            pool = ThreadPoolExecutor(self._concurrency, "brant-task")

        def ended(task: asyncio.Task[None]) -> None:
            running.discard(task)
            source.wake()
            if not task.cancelled() and (error := task.exception()) is not None:
                self._fatal = error
                source.stop()

        if self._stopping:
            source.stop()
        try:
            with self._until_closed():
                while (job := await source.take(None, lambda: self._concurrency - len(running))) is not None:
                    task = job._task = loop.create_task(self._handle_async(source, job, pool))
                    running.add(task)
                    task.add_done_callback(ended)
        except asyncio.CancelledError:
            self._hasty = True
            raise
        finally:
            try:
                end = loop.time() + self._grace
                while running and not self._hasty and (rest := end - loop.time()) > 0:
                    await source.sleep(rest)
                for job in source.held.values():
                    job._flag()
                if running:
                    log.warning("%r: %d jobs did not end within the grace, and go back to the queue", self, len(running))
                    for task in running:
                        task.cancel()
                    await asyncio.wait(running, timeout=5)
            finally:
                await source.close()
                if pool is not None:
                    pool.shutdown(wait=False)
                log.info("%r ended", self)
        if self._fatal is not None:
            raise self._fatal

    async def _handle_async(self, source: LoopSource, job: Job, pool: ThreadPoolExecutor | None) -> None:
        import asyncio

        _current.set(job)  # in this task's own context
        try:
            function, args, kwargs = self._perform(job)
            if pool is None or is_async(function):
                result = await function(*args, **kwargs)
            else:
                context = contextvars.copy_context()
                result = await asyncio.get_running_loop().run_in_executor(pool, lambda: context.run(function, *args, **kwargs))
            if not job._done:
                source.done(job, result)
        except BaseException as error:
            outcome = settle(job, error, release=job._flagged or not isinstance(error, asyncio.CancelledError))
            try:
                if outcome is not None:
                    await source.side._call_async(*outcome, patience=60)
                    job._done = True
            except BrantError as failure:
                unrecorded(job, failure)
            source.forget(job)
            if not isinstance(error, (Exception, asyncio.CancelledError)):
                raise
