"""What has to be done again and again beside the program's own threads: a lock refreshed, leases prolonged. One thread for a database, when needed."""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Callable

log = logging.getLogger("brant")

BEATS = 3  # how often within its span a lease is prolonged


def beat(lease: float) -> float:
    """After how many seconds a lease of so many is prolonged again."""
    return lease / BEATS


class Keeper:
    """Calls functions at intervals, each with a key, until it is told to forget them, or one returns False."""

    def __init__(self) -> None:
        self._changed = threading.Condition()
        self._due: dict[object, tuple[float, float, Callable[[], bool]]] = {}
        self._thread: threading.Thread | None = None
        self._stopped = False

    def keep(self, key: object, interval: float, function: Callable[[], bool]) -> None:
        with self._changed:
            self._due[key] = time.monotonic() + interval, interval, function
            if self._thread is None and not self._stopped:
                self._thread = threading.Thread(target=self._run, name="brant-keeper", daemon=True)
                self._thread.start()
            self._changed.notify()

    def forget(self, key: object) -> None:
        with self._changed:
            self._due.pop(key, None)

    def stop(self) -> None:
        with self._changed:
            self._stopped = True
            self._due.clear()
            self._changed.notify()

    def _run(self) -> None:
        while True:
            with self._changed:
                while True:
                    if self._stopped:
                        return
                    if not self._due:
                        self._changed.wait()
                        continue
                    key, (at, interval, function) = min(self._due.items(), key=lambda item: item[1][0])
                    rest = at - time.monotonic()
                    if rest <= 0:
                        entry = self._due[key] = time.monotonic() + interval, interval, function
                        break
                    self._changed.wait(rest)
            try:
                if not function():
                    with self._changed:
                        if self._due.get(key) is entry:  # else it was given anew meanwhile
                            del self._due[key]
            except Exception:
                log.exception("keeping %r up failed; it is tried again", key)
