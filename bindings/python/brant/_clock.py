"""Seconds, as Python gives them, as the library's milliseconds."""

from __future__ import annotations

import time
from typing import Any


def milliseconds(seconds: Any) -> Any:
    """What is no number goes on as it is, for the library to refuse."""
    if isinstance(seconds, (int, float)) and not isinstance(seconds, bool):
        return round(seconds * 1000)
    return seconds


def deadline(timeout: float | None) -> int | None:
    """The moment, in ms since the epoch, that a call with this timeout must end at."""
    return None if timeout is None else max(1, int((time.time() + timeout) * 1000))
