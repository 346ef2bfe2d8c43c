#!/usr/bin/env python3
"""Queues and streams from Python beside Honker (https://honker.dev), its published package, in the same run.

    tests/bench/beside_honker.py [--jobs 20000] [--events 100000] [--rounds 5] [--waiting 100000]

Both have a file of their own, WAL and synchronous=NORMAL; the rounds of one and of the other alternate, and medians are shown. A single operation is one transaction.
Batches of Honker are as its guide has them: for enqueue and publish one transaction around single calls, claim_batch and ack_batch for the rest. Payloads are JSON of 100 bytes.
"""

from __future__ import annotations

import argparse
import asyncio
import platform
import statistics
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parent.parent.parent
sys.path.insert(0, str(ROOT / "bindings" / "python"))

import brant  # noqa: E402
import honker  # noqa: E402

PAYLOAD = {"text": "x" * 88}  # 100 bytes of JSON
BATCH, EVENTS = 100, 1000


def batches(count: int, size: int) -> Iterator[int]:
    return iter([size] * (count // size))


class Brant:
    name = "brant"

    def __init__(self, path: Path) -> None:
        self.db = brant.open(path)
        self.queue = self.db.queue("bench")
        self.stream = self.db.stream("bench")

    def enqueue(self, count: int) -> None:
        enqueue = self.queue.enqueue
        for _ in range(count):
            enqueue(PAYLOAD)

    def claim(self, count: int) -> list[Any]:
        return [self.queue.claim(1)[0] for _ in range(count)]

    def ack(self, jobs: list[Any]) -> None:
        for job in jobs:
            job.ack()

    def enqueue_many(self, count: int) -> None:
        for size in batches(count, BATCH):
            self.queue.enqueue_many([{"payload": PAYLOAD}] * size)

    def claim_many(self, count: int) -> list[list[Any]]:
        return [self.queue.claim(size) for size in batches(count, BATCH)]

    def ack_many(self, jobs: list[list[Any]]) -> None:
        for some in jobs:
            self.db.jobs.ack_many(some)

    def publish(self, count: int) -> None:
        publish = self.stream.publish
        for _ in range(count):
            publish(PAYLOAD)

    def publish_many(self, count: int) -> None:
        for size in batches(count, EVENTS):
            self.stream.publish_many([{"payload": PAYLOAD}] * size)

    def replay(self, count: int) -> None:
        seen = 0
        for event in self.stream.subscribe(from_="start"):
            event.payload
            seen += 1
            if seen == count:
                break

    def delay(self, count: int) -> None:
        for size in batches(count, 1000):
            self.queue.enqueue_many([{"payload": PAYLOAD, "delay": 3600}] * size)


class Honker:
    name = "honker"

    def __init__(self, path: Path) -> None:
        self.db = honker.open(str(path))
        self.queue = self.db.queue("bench")
        self.stream = self.db.stream("bench")

    def enqueue(self, count: int) -> None:
        for _ in range(count):
            self.queue.enqueue(PAYLOAD)

    def claim(self, count: int) -> list[Any]:
        return [self.queue.claim_one("w") for _ in range(count)]

    def ack(self, jobs: list[Any]) -> None:
        for job in jobs:
            job.ack()

    def enqueue_many(self, count: int) -> None:
        for size in batches(count, BATCH):
            with self.db.transaction() as tx:
                for _ in range(size):
                    self.queue.enqueue(PAYLOAD, tx=tx)

    def claim_many(self, count: int) -> list[list[Any]]:
        return [self.queue.claim_batch("w", size) for size in batches(count, BATCH)]

    def ack_many(self, jobs: list[list[Any]]) -> None:
        for some in jobs:
            self.queue.ack_batch([job.id for job in some], "w")

    def publish(self, count: int) -> None:
        for _ in range(count):
            self.stream.publish(PAYLOAD)

    def publish_many(self, count: int) -> None:
        for size in batches(count, EVENTS):
            with self.db.transaction() as tx:
                for _ in range(size):
                    self.stream.publish(PAYLOAD, tx=tx)

    def replay(self, count: int) -> None:
        async def read() -> None:
            seen = 0
            async for event in self.stream.subscribe(from_offset=0):
                event.payload
                seen += 1
                if seen == count:
                    break

        asyncio.run(read())

    def delay(self, count: int) -> None:
        for size in batches(count, 1000):
            with self.db.transaction() as tx:
                for _ in range(size):
                    self.queue.enqueue(PAYLOAD, tx=tx, delay=3600)


def timed(rates: dict[str, list[float]], name: str, count: int, work: Callable[..., Any], *arguments: Any) -> Any:
    begin = time.perf_counter()
    answer = work(*arguments)
    rates.setdefault(name, []).append(count / (time.perf_counter() - begin))
    return answer


def run(side: Brant | Honker, rates: dict[str, list[float]], jobs: int, events: int) -> None:
    timed(rates, "enqueue", jobs, side.enqueue, jobs)
    claimed = timed(rates, "claim", jobs, side.claim, jobs)
    timed(rates, "ack", jobs, side.ack, claimed)
    many = 5 * jobs
    timed(rates, f"enqueue, batches of {BATCH}", many, side.enqueue_many, many)
    claimed = timed(rates, f"claim, batches of {BATCH}", many, side.claim_many, many)
    timed(rates, f"ack, batches of {BATCH}", many, side.ack_many, claimed)
    timed(rates, "publish", jobs, side.publish, jobs)
    timed(rates, f"publish, batches of {EVENTS}", events, side.publish_many, events)
    timed(rates, "replay", events, side.replay, events)


def show(title: str, rates: dict[str, dict[str, list[float]]]) -> None:
    print(f"\n{title:<28}{'brant/s':>12}{'honker/s':>12}{'times':>8}")
    for name in rates["brant"]:
        ours, theirs = (statistics.median(rates[side][name]) for side in ("brant", "honker"))
        print(f"{name:<28}{ours:>12,.0f}{theirs:>12,.0f}{ours / theirs:>8.1f}")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--jobs", type=int, default=4000, help="single operations a round")
    parser.add_argument("--events", type=int, default=50_000, help="events a round in batches and replays")
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--waiting", type=int, default=50_000, help="delayed jobs behind which claims are measured again")
    arguments = parser.parse_args()
    from importlib.metadata import version

    print(f"{platform.machine()}, Python {platform.python_version()}, brant {brant.version()}, rival: honker {version('honker')}")
    rates: dict[str, dict[str, list[float]]] = {"brant": {}, "honker": {}}
    with tempfile.TemporaryDirectory() as folder:
        for i in range(arguments.rounds):
            for kind in (Brant, Honker) if i % 2 == 0 else (Honker, Brant):
                run(kind(Path(folder) / f"{kind.name}-{i}.db"), rates[kind.name], arguments.jobs, arguments.events)
        show("one transaction each, or as said", rates)
        if arguments.waiting:
            rates = {"brant": {}, "honker": {}}
            count = max(100, arguments.jobs // 20)
            for kind in (Brant, Honker):
                side = kind(Path(folder) / f"{kind.name}-waiting.db")
                side.delay(arguments.waiting)
                side.enqueue(count)
                timed(rates[kind.name], "claim", count, side.claim, count)
            show(f"behind {arguments.waiting:,} delayed", rates)


if __name__ == "__main__":
    main()
