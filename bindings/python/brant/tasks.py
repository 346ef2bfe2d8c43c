"""Tasks: functions that are called by enqueueing their arguments. A task's job has the payload ``{"task": name, "args": [...], "kwargs": {...}}``, so
that any language can enqueue one."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any, Generic, ParamSpec, TypeVar, cast

if TYPE_CHECKING:
    from .jobs import Job
    from .queues import EnqueueOptions, Enqueued, Queue

P = ParamSpec("P")
R = TypeVar("R")


class Task(Generic[P, R]):
    """A function that is registered with a queue; made by `Queue.task`. Calling it calls the function, here and now; `enqueue` has a worker do so."""

    __slots__ = ("__dict__", "_options", "function", "name", "queue")

    def __init__(self, queue: Queue, function: Callable[P, R], name: str, options: EnqueueOptions) -> None:
        self.queue = queue
        self.function = function
        self.name = name
        self._options = options
        self.__doc__ = function.__doc__
        self.__wrapped__ = function

    def __repr__(self) -> str:
        return f"<brant.Task {self.name!r} of {self.queue.name!r}>"

    def __call__(self, *args: P.args, **kwargs: P.kwargs) -> R:
        return self.function(*args, **kwargs)

    def enqueue(self, *args: P.args, **kwargs: P.kwargs) -> Enqueued:
        """Have a worker call the function with these arguments, which have a JSON form. In the running transaction."""
        return self.queue.enqueue(self.message(*args, **kwargs), **self._options)

    def options(self, **options: Any) -> Task[P, R]:
        """The same task with other options of `Queue.enqueue`: ``send.options(delay=60, priority=5).enqueue("x")``."""
        return Task(self.queue, self.function, self.name, cast("EnqueueOptions", {**self._options, **options}))

    def message(self, *args: P.args, **kwargs: P.kwargs) -> dict[str, Any]:
        """The payload of such a job: for `Queue.enqueue_many`, schedules, outboxes."""
        inspect.signature(self.function).bind(*args, **kwargs)  # TypeError here, not in a worker
        return {"task": self.name, "args": list(args), "kwargs": kwargs}


def perform(tasks: Mapping[str, Task[Any, Any]], job: Job) -> tuple[Callable[..., Any], tuple[Any, ...], dict[str, Any]]:
    """The function that a task's job asks for, and its arguments."""
    message = job.payload
    if not isinstance(message, dict) or not isinstance(message.get("task"), str):
        raise ValueError('the payload is no task\'s: it has no "task"')
    task = tasks.get(message["task"])
    if task is None:
        raise LookupError(f"no task {message['task']!r} is registered with queue {job.queue!r} here")
    return task.function, tuple(message.get("args", ())), message.get("kwargs", {})


def is_async(function: Any) -> bool:
    return inspect.iscoroutinefunction(function) or inspect.iscoroutinefunction(getattr(function, "__call__", None))
