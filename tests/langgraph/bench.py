"""The checkpointer beside LangGraph's own for SQLite, in one run: medians, in microseconds, of a thread whose messages grow; and the store's search by meaning.

    PYTHONPATH=bindings/python build/python-venv-langgraph/bin/python tests/langgraph/bench.py [STEPS]
"""

from __future__ import annotations

import os
import random
import statistics
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

from langgraph.checkpoint.base import empty_checkpoint
from langgraph.checkpoint.sqlite import SqliteSaver

import brant
from brant.langgraph import BrantSaver, BrantStore

STEPS = int(sys.argv[1]) if len(sys.argv) > 1 else 300


def timed(into: list[float], work: Callable[[], Any]) -> Any:
    begun = time.perf_counter_ns()
    answer = work()
    into.append((time.perf_counter_ns() - begun) / 1000)
    return answer


def measure(saver: Any, size: int) -> dict[str, float]:
    """Steps of a conversation: each adds a message of some 200 bytes, and has documents of `size` bytes that do not change."""
    times: dict[str, list[float]] = {name: [] for name in ("put", "put_writes", "get_tuple", "list 20")}
    place: Any = {"configurable": {"thread_id": "t", "checkpoint_ns": ""}}
    messages: list[str] = []
    versions: dict[str, Any] = {"documents": saver.get_next_version(None, None)}
    fresh = dict(versions)
    documents = os.urandom(size)
    for n in range(STEPS):
        messages = [*messages, f"message {n} " + "x" * 190]
        for channel in ("messages", "step"):
            versions[channel] = fresh[channel] = saver.get_next_version(versions.get(channel), None)
        checkpoint = empty_checkpoint()
        checkpoint["channel_values"] = {"documents": documents, "messages": messages, "step": n}
        checkpoint["channel_versions"] = dict(versions)
        place = timed(times["put"], lambda: saver.put(place, checkpoint, {"source": "loop", "step": n}, fresh))
        fresh = {}
        timed(times["put_writes"], lambda: saver.put_writes(place, [("messages", ["a" * 200]), ("branch:to:b", None)], f"task-{n}"))
        timed(times["get_tuple"], lambda: saver.get_tuple({"configurable": {"thread_id": "t", "checkpoint_ns": ""}}))
    for _ in range(20):
        timed(times["list 20"], lambda: list(saver.list({"configurable": {"thread_id": "t", "checkpoint_ns": ""}}, limit=20)))
    return {name: statistics.median(values) for name, values in times.items()}


def main() -> None:
    for size in (0, 100_000):
        figures: dict[str, dict[str, float]] = {}
        sizes: dict[str, int] = {}
        with tempfile.TemporaryDirectory() as folder:
            for turn in range(3):
                for kind in ("sqlite", "brant", "brant, sealed"):
                    path = Path(folder, f"{kind}-{turn}.db")
                    if kind == "sqlite":
                        with SqliteSaver.from_conn_string(str(path)) as saver:
                            saver.setup()
                            saver.conn.execute("PRAGMA synchronous = NORMAL")  # as brant's durability "normal"
                            found = measure(saver, size)
                    else:
                        with brant.open(path) as db:
                            db.keyring(keys=[brant.Key(version=1, key=os.urandom(32))])
                            found = measure(BrantSaver(db, seal="sealed" in kind), size)
                    sizes[kind] = path.stat().st_size
                    best = figures.setdefault(kind, found)
                    figures[kind] = {name: min(best[name], found[name]) for name in found}
        print(f"{STEPS} steps, documents of {size} bytes (medians, us, the best of 3 runs)")
        for kind, found in figures.items():
            print(f"  {kind:14}", *(f"{name} {value:8.0f}" for name, value in found.items()), f"file {sizes[kind] / 1e6:6.1f} MB", sep="  ")
    dice = random.Random(1)
    embed = lambda texts: [[dice.random() - 0.5 for _ in range(384)] for _ in texts]  # noqa: E731
    with tempfile.TemporaryDirectory() as folder, brant.open(Path(folder, "store.db")) as db:
        store = BrantStore(db, index={"dims": 384, "embed": embed})
        from langgraph.store.base import PutOp

        for at in range(0, 10_000, 1000):
            store.batch([PutOp(("v", str(n % 10)), str(n), {"text": str(n)}) for n in range(at, at + 1000)])
        for prefix in (("v",), ("v", "3")):
            times: list[float] = []
            for _ in range(5):
                timed(times, lambda: store.search(prefix, query="q"))
            print(f"search by meaning below {prefix} of 10000 vectors of 384: {statistics.median(times) / 1000:.0f} ms")


if __name__ == "__main__":
    main()
