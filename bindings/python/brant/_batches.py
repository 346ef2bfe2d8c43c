"""What goes on batch by batch: migrations and rotations."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Protocol, TypeVar

FAILURES = 100  # that an answer for many batches keeps


class Batches(Protocol):
    """What one batch, or several, did."""

    done: bool
    failures: list[Any]


Answer = TypeVar("Answer", bound=Batches)


def run_batches(
    run: Callable[[dict[str, int]], Answer],
    counts: tuple[str, ...],
    limit: int | None,
    progress: Callable[[Answer], object] | None,
    stops: Callable[[Answer], bool] = lambda total: False,
) -> Answer:
    """Call `run` with the member `limit` that it adds to its input, until all is done, for `limit` batches, or until `stops`; the answer is the last one, with
    the sums of `counts` and the first failures of all. `progress` is told after each batch; without it the core counts the batches of a limit."""
    if limit is not None and (progress is None or limit < 1):
        return run({"limit": limit})
    total: Answer | None = None
    batches = 0
    while True:
        answer = run({})
        if total is not None:
            for count in counts:
                setattr(answer, count, getattr(total, count) + getattr(answer, count))
            answer.failures = (total.failures + answer.failures)[:FAILURES]
        total = answer
        batches += 1
        if progress is not None:
            progress(total)
        if total.done or batches == limit or stops(total):
            return total
