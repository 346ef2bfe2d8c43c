"""Outboxes: side effects of what was committed, delivered at least once."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from ._clock import Seconds
from .jobs import Job
from .queues import Enqueued, EnqueueOptions, Queue
from .tasks import is_async
from .worker import GRACE, Worker

if TYPE_CHECKING:
    from typing_extensions import Unpack

    from .database import Database


class Outbox:
    """A queue of messages that are to be delivered elsewhere, made by `Database.outbox`.

    `put` one in the transaction of what it is about: it is delivered if that commits, and never if it does not. A worker (`run`, `worker`)
    calls `deliver(message)`, again after a backoff when that raises; a message that was delivered when its worker died is delivered
    again, so have the receiver know it by `brant.current_job().id`. `queue` is the queue behind it: its policy, its dead letters.
    """

    __slots__ = ("_deliver", "queue")

    def __init__(self, database: Database, name: str, deliver: Callable[[Any], Any] | None) -> None:
        self.queue: Queue = database.queue(f"outbox:{name}")
        self._deliver = deliver

    def __repr__(self) -> str:
        return f"<brant.Outbox {self.queue.name.removeprefix('outbox:')!r}>"

    def put(self, message: Any = None, **options: Unpack[EnqueueOptions]) -> Enqueued:
        """Have a message delivered; `options` as of `Queue.enqueue` (with a `key` and the queue's `fifo`: in order)."""
        return self.queue.enqueue(message, **options)

    def worker(self, *, concurrency: int = 1, lease: Seconds | None = None, grace: Seconds = GRACE, name: str | None = None) -> Worker:
        """As `Queue.worker`."""
        deliver = self._deliver
        if deliver is None:
            raise ValueError("this outbox has no function that delivers")
        if is_async(deliver):

            async def handle(job: Job) -> None:
                await deliver(job.payload)

            return self.queue.worker(handle, concurrency=concurrency, lease=lease, grace=grace, name=name)

        def work(job: Job) -> None:
            deliver(job.payload)

        return self.queue.worker(work, concurrency=concurrency, lease=lease, grace=grace, name=name)

    def run(self, *, concurrency: int = 1, signals: bool = True) -> None:
        """Deliver until SIGTERM or SIGINT."""
        self.worker(concurrency=concurrency).run(signals=signals)
