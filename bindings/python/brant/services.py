"""What runs beside a program until it is stopped: workers, schedulers; and `run`, which runs some of them until a signal comes."""

from __future__ import annotations

import logging
import signal
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from types import TracebackType
from typing import TYPE_CHECKING, Any

from .errors import Closed

if TYPE_CHECKING:
    from typing_extensions import Self

    from .database import Database

log = logging.getLogger("brant")

SIGNALS = signal.SIGTERM, signal.SIGINT


class Service:
    """`run` works until `stop` is called or a signal comes; `start`, `stop` and `join` do so beside the program, and so does ``with service:``.
    Each can run once. Closing the database ends it, too; on one that is closed it does not begin (Closed)."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self._ended = threading.Event()
        self._over: threading.Event | None = None
        self._thread: threading.Thread | None = None
        self._begun = threading.Lock()
        self._stopping = False
        self._hasty = False
        self._failure: BaseException | None = None

    def _main(self) -> None:
        """Work until stopped, in a thread of the service's own."""
        raise NotImplementedError

    def _wake(self) -> None:
        """`_stopping` or `_hasty` is set: have `_main` see it. Any thread, a signal handler too."""
        raise NotImplementedError

    def _begin(self) -> None:
        if self._database.closed:
            raise Closed("the database is closed")
        if not self._begun.acquire(blocking=False):
            raise RuntimeError(f"{self!r} runs already, or ran: make another")

    @contextmanager
    def _until_closed(self) -> Iterator[None]:
        """Whatever it was about when the database was closed."""
        try:
            yield
        except Closed:
            if not self._database.closed:
                raise

    def _guarded(self) -> None:
        try:
            with self._until_closed():
                self._main()
        except BaseException as error:
            self._failure = error
            log.error("%r ended: %s: %s", self, type(error).__name__, error)
        finally:
            self._ended.set()
            if self._over is not None:
                self._over.set()

    def run(self, *, signals: bool = True) -> None:
        """Work until `stop`. In the main thread SIGTERM and SIGINT stop it, the second time without grace, unless `signals` is False."""
        run(self, signals=signals)

    def start(self) -> Self:
        """Work in a thread beside the program."""
        self._begin()
        self._thread = threading.Thread(target=self._guarded, name=f"brant-{type(self).__name__.lower()}", daemon=True)
        self._thread.start()
        return self

    def stop(self) -> None:
        """Begin nothing more, and end; the second time without grace. Any thread, a signal handler too; returns at once."""
        self._hasty = self._stopping
        self._stopping = True
        self._wake()

    def join(self, timeout: float | None = None) -> bool:
        """Wait for its end, `timeout` seconds at most; False: it still works. Raises what ended it otherwise than `stop`."""
        if not self._ended.wait(timeout):
            return False
        failure, self._failure = self._failure, None
        if failure is not None:
            raise failure
        return True

    def __enter__(self) -> Self:
        return self.start()

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        if not self._stopping:
            self.stop()
        self.join()

    async def _alongside(self) -> None:
        """`start`, and wait for its end without stopping the loop. Cancelling ends it without grace."""
        import asyncio

        self.start()
        waiting = asyncio.ensure_future(asyncio.to_thread(self.join))
        try:
            await asyncio.shield(waiting)
        except asyncio.CancelledError:
            self.stop()
            self.stop()
            await waiting
            raise


def run(*services: Service, signals: bool = True) -> None:
    """Run workers and schedulers until SIGTERM or SIGINT comes (the second time without grace), or one of them ends: then all are stopped. Raises
    what ended one. Signals are only heard in the main thread, and not with `signals` False."""
    over = threading.Event()
    before: dict[int, Any] = {}

    def stop(number: int, frame: object) -> None:
        log.info("stopping, by signal %d", number)
        for service in services:
            service.stop()

    if signals and threading.current_thread() is threading.main_thread():
        for heard in SIGNALS:
            before[heard] = signal.signal(heard, stop)
    try:
        for service in services:
            service._over = over
            service.start()
        try:
            over.wait()
        finally:
            for service in services:
                if not service._stopping:
                    service.stop()
            for service in services:
                service._ended.wait()
        for service in services:
            service.join()
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
