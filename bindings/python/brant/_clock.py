"""Seconds, as Python gives them, as the library's milliseconds."""

from __future__ import annotations

import datetime
import time
from typing import Any, Union

Seconds = Union[float, datetime.timedelta]
"""A span: a number of seconds, or a timedelta."""

Moment = Union[int, datetime.datetime]
"""A point in time: a datetime (a naive one is local time), or ms since the epoch, as records have it."""


def milliseconds(seconds: Any) -> Any:
    """What is no number goes on as it is, for the library to refuse. TypeError: a text, of which it would say that it is no integer of ms."""
    if isinstance(seconds, (int, float)) and not isinstance(seconds, bool):
        return round(seconds * 1000)
    if isinstance(seconds, datetime.timedelta):
        return seconds // datetime.timedelta(milliseconds=1)
    if isinstance(seconds, str):
        raise TypeError(f"a span is a number of seconds or a timedelta, not {seconds!r}")
    return seconds


def moment(at: Any) -> Any:
    """ms since the epoch. TypeError: a float, which could be seconds."""
    if isinstance(at, datetime.datetime):
        return round(at.timestamp() * 1000)
    if isinstance(at, float):
        raise TypeError("a moment is a datetime, or an integer: ms since the epoch")
    return at


def seconds(span: Any) -> float:
    """A span as a number of seconds."""
    return span.total_seconds() if isinstance(span, datetime.timedelta) else float(span)


def deadline(timeout: float | None) -> int | None:
    """The moment, in ms since the epoch, that a call with this timeout must end at."""
    return None if timeout is None else max(1, int((time.time() + timeout) * 1000))
