"""What is opened is released: memory, descriptors, threads."""

import asyncio
import gc
import json
import os
import sys
import threading
import tracemalloc
from collections.abc import Callable
from pathlib import Path

import pytest
from conftest import until

import brant

linux = pytest.mark.skipif(sys.platform != "linux", reason="reads /proc")


def resident() -> int:
    with open("/proc/self/statm") as file:
        return int(file.read().split()[1]) * os.sysconf("SC_PAGE_SIZE")


def grows(work: Callable[[], None], rounds: int, warm_up: int) -> tuple[int, int, int]:
    """(bytes of Python, resident bytes, descriptors) by which the rounds after a warm-up grew."""
    for _ in range(warm_up):
        work()
    gc.collect()
    descriptors, memory = len(os.listdir("/proc/self/fd")), resident()
    tracemalloc.start()
    traced = tracemalloc.get_traced_memory()[0]
    for _ in range(rounds):
        work()
    gc.collect()
    traced = tracemalloc.get_traced_memory()[0] - traced
    tracemalloc.stop()
    return traced, resident() - memory, len(os.listdir("/proc/self/fd")) - descriptors


@linux
def test_handles(path: Path) -> None:
    def work() -> None:
        with brant.open(path) as db:
            db.graphs.list()
            listener = db.listen("*")
            db.notify("x")
            listener.next(1)

    traced, memory, descriptors = grows(work, 100, 30)
    assert traced < 100_000 and memory < 4_000_000 and descriptors == 0
    until(lambda: threading.active_count() == 1)


@linux
def test_calls_and_errors(db: brant.Database, graph: brant.Graph) -> None:
    document = {"text": "x" * 1000, "list": list(range(100))}

    def work() -> None:
        graph.nodes.put("a", document)
        graph.nodes.get("a")
        graph.nodes.list()
        for call in (
            lambda: graph.nodes.get("nothing"),
            lambda: graph.nodes.put("\ud800"),
            lambda: db.call_json("nodes.put", "{"),
            lambda: db.execute("SELECT"),
        ):
            with pytest.raises(brant.BrantError):
                call()
        with pytest.raises(ValueError), db.transaction():
            raise ValueError

    traced, memory, descriptors = grows(work, 1500, 300)
    assert traced < 100_000 and memory < 4_000_000 and descriptors == 0


@linux
def test_listeners(db: brant.Database) -> None:
    async def several() -> None:
        for _ in range(10):
            with db.listen("*") as listener:
                db.notify("x", "y" * 100)
                await anext(listener)

    def work() -> None:
        asyncio.run(several())
        db.listen("*")  # never closed: its finaliser does it

    traced, memory, descriptors = grows(work, 40, 20)
    assert traced < 200_000 and memory < 4_000_000 and descriptors <= 1


@linux
def test_walks(graph: brant.Graph) -> None:
    graph.nodes.put_many({"key": f"{n}"} for n in range(2000))
    graph.edges.put_many({"source": f"{n}", "target": f"{n + 1}"} for n in range(1999))

    def work() -> None:
        for batch in graph.nodes.walk("0"):
            assert len(batch) == 2000
        next(graph.nodes.walk("0"))  # never closed: its finaliser does it

    traced, memory, descriptors = grows(work, 60, 30)
    assert traced < 200_000 and memory < 4_000_000 and descriptors == 0


@linux
def test_secrets(db: brant.Database) -> None:
    db.graphs.create("secrets", "secret")
    vault = db.graph("secrets")
    key = brant.Key(key=bytes(range(32)))
    wrong = {"keys": [{"version": 1, "key": "x" * 5000}]}

    def work() -> None:
        with db.keyring(keys=[key]):
            vault.nodes.put("a", {"value": "x" * 1000}, type="Secret")
            vault.nodes.open_secret("a", "attributes.value").reveal()
            db.secrets.rotate()
            with pytest.raises(brant.NotFound):
                vault.nodes.open_secret("b", "attributes.value")
        for ring in (wrong, json.dumps(wrong), bytearray(json.dumps(wrong).encode())):
            with pytest.raises(brant.Invalid):
                db.keyring(ring)
        brant.generate_key()

    traced, memory, descriptors = grows(work, 60, 40)
    assert traced < 100_000 and memory < 4_000_000 and descriptors == 0


@linux
def test_workers(db: brant.Database) -> None:
    queue = db.queue("q")

    async def handle(job: brant.Job) -> None: ...

    async def loop() -> None:
        async with queue.work(wait=0) as work:
            async for _ in work:
                break
        async for _ in queue.work(wait=0):
            pass
        async with db.lock("x"):
            pass

    def work() -> None:
        queue.enqueue_many({"payload": n} for n in range(20))
        for _ in queue.work(wait=0):
            break
        for handler in (lambda job: None, handle):
            with queue.worker(handler, concurrency=2):
                queue.enqueue("x", result_ttl=60).result(60)
        asyncio.run(loop())
        with db.lock("y"), pytest.raises(brant.Timeout), db.lock("y", timeout=0.001):
            pass
        queue.prune(states=["done"])

    traced, memory, descriptors = grows(work, 20, 10)
    assert traced < 300_000 and memory < 6_000_000 and descriptors <= 2
    until(lambda: threading.active_count() <= 3)  # the keeper's stays


@linux
def test_streams(db: brant.Database) -> None:
    stream = db.stream("s")
    stream.configure(max_count=500)

    async def loop() -> None:
        with stream.subscribe("b", from_="start") as subscription:
            await anext(subscription)

    def work() -> None:
        stream.publish_many({"payload": n} for n in range(500))
        with stream.subscribe("a") as subscription:
            for number, _ in enumerate(subscription):
                if number == 400:
                    break
        stream.subscribe(from_="start").next(0)  # never closed: its finaliser does it
        with stream.group("g") as group:
            for _ in group:
                break
        asyncio.run(loop())
        db.maintain()

    traced, memory, descriptors = grows(work, 20, 10)
    assert traced < 300_000 and memory < 6_000_000 and descriptors <= 2
