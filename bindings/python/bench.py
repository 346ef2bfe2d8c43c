#!/usr/bin/env python3
"""What a call costs, in ns: the median of several rounds. `python bench.py` in an environment that has brant, or after bindings/python/build.

Calls that only compute are measured in time of the processor, so that a busy machine does not count; those that write, by the clock.
"""

import statistics
import sys
import tempfile
import time
import timeit
from collections.abc import Callable
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent))

import brant  # noqa: E402
from brant import _native  # noqa: E402

ROUNDS = 15
TARGETS = {"brant_check": 40, "brant_json_compact": 400, "replay by a consumer, each": 3333}


def median(function: Callable[..., object], argument: object, *, clock: Callable[[], float] = time.process_time) -> float:
    seconds = 0.1
    timer = timeit.Timer("function(argument)", timer=clock, globals={"function": function, "argument": argument})
    number = max(1, round(seconds / (min(timer.repeat(3, 100)) / 100 + 1e-9)))
    return statistics.median(timer.repeat(ROUNDS, number)) / number * 1e9


def each(seconds: float, count: int) -> float:
    return seconds / count * 1e9


def queues(db: brant.Database) -> dict[str, float]:
    """One job at a time, each call a transaction of its own, but where it says otherwise."""
    queue, count, payload = db.queue("bench"), 10_000, "x" * 100
    results = {"enqueue": each(timeit.timeit(lambda: queue.enqueue(payload), number=count), count)}
    jobs: list[brant.Job] = []
    results["claim"] = each(timeit.timeit(lambda: jobs.extend(queue.claim()), number=count), count)
    results["ack"] = each(timeit.timeit(lambda: jobs.pop().ack(), number=count), count)
    results["enqueue_many, each"] = each(timeit.timeit(lambda: queue.enqueue_many({"payload": payload} for _ in range(count)), number=1), count)
    seconds = timeit.timeit(lambda: sum(1 for _ in queue.work(wait=0)), number=1)
    results["for job in queue.work(): claim with ack"] = each(seconds, count)
    queue.enqueue_many({"payload": payload} for _ in range(count))
    seconds = timeit.timeit(lambda: sum(1 for _ in queue.work(wait=0, batch=100)), number=1)
    results["for job in queue.work(batch=100)"] = each(seconds, count)

    left = 0

    async def handle(job: brant.Job) -> None:
        nonlocal left
        left -= 1
        if not left:
            worker.stop()

    def work(job: brant.Job) -> None:
        nonlocal left
        left -= 1
        if not left:
            worker.stop()

    for name, handler, concurrency in (("1 thread", work, 1), ("4 threads", work, 4), ("100 tasks", handle, 100)):
        queue.enqueue_many({"payload": payload} for _ in range(count))
        left = count
        worker = queue.worker(handler, concurrency=concurrency)
        results[f"queue.run with {name}"] = each(timeit.timeit(worker.run, number=1), count)
    return results


def streams(db: brant.Database) -> dict[str, float]:
    """Events of 100 bytes."""
    stream, count = db.stream("bench"), 300_000
    results = {"publish": each(timeit.timeit(lambda: stream.publish("x" * 98), number=10_000), 10_000)}
    seconds = timeit.timeit(lambda: stream.publish_many({"payload": "x" * 98} for _ in range(count)), number=1)
    results["publish_many, each"] = each(seconds, count)

    def replay() -> None:
        with stream.subscribe("bench", from_="start") as subscription:
            for number, _ in enumerate(subscription, 1):
                if number == count:
                    break
        stream.consumers.delete("bench")

    results["replay by a consumer, each"] = each(statistics.median(timeit.repeat(replay, number=1, repeat=3)), count)
    return results


def secrets(db: brant.Database) -> dict[str, float]:
    """Values of 64 bytes, in one transaction."""
    db.graphs.create("secrets", "secret")
    nodes, count, value = db.graph("secrets").nodes, 20_000, "x" * 62
    key = brant.generate_key()
    with db.keyring(keys=[key]):
        with db.transaction():
            results = {"nodes.put of a secret": median(lambda key: nodes.put(key, {"value": value}, type="Secret"), "a")}
        results["nodes.open_secret"] = median(lambda key: nodes.open_secret(key, "attributes.value").reveal(), "a")
        nodes.put_many({"key": f"{n:06}", "type": "Secret", "attributes": {"value": value}} for n in range(count))
    key.state = "decrypt_only"
    with db.keyring(keys=[key, brant.generate_key(version=2)]):
        results["secrets.rotate, each"] = each(timeit.timeit(db.secrets.rotate, number=1), count + 1)
    return results


def main() -> int:
    item = '{"name":"libc6","version":"2.36-9","depends":["libgcc-s1","libcrypt1"],"installed":true,"size":12834,"notes":"'
    document = item + "x" * (300 - len(item) - 2) + '"}'
    failed = 0
    with tempfile.TemporaryDirectory() as folder, brant.open(f"{folder}/bench.db") as db:
        db.graphs.create("g")
        nodes = db.graph("g").nodes
        nodes.put("a", {"name": "libc6"})
        results = {
            "brant_check": median(_native.brant_check, db._handle),
            "brant_json_compact": median(_native.brant_json_compact, document),
            "nodes.exists": median(nodes.exists, "a"),
            "nodes.get": median(nodes.get, "a"),
            "execute SELECT 1": median(db.execute, "SELECT 1"),
            "nodes.put (own transaction)": median(lambda key: nodes.put(key, {"name": "libc6"}), "b", clock=time.perf_counter),
        }
        with db.transaction():
            results["nodes.put (in a transaction)"] = median(lambda key: nodes.put(key, {"name": "libc6"}), "b")
        items = [{"key": f"k{n:06}", "attributes": {"name": "package", "n": n, "text": "x" * 100}} for n in range(100_000)]
        seconds = timeit.timeit(lambda: nodes.put_many(items), number=1)
        results["put_many, each of 100 000 nodes"] = seconds / len(items) * 1e9
        seconds = timeit.timeit(lambda: sum(1 for _ in nodes), number=1)
        results["iteration, each of 100 000 nodes"] = seconds / len(items) * 1e9
        results |= queues(db) | streams(db) | secrets(db)
    for name, value in results.items():
        target = TARGETS.get(name)
        note = "" if target is None else f"  (at most {target})"
        failed += target is not None and value > target
        print(f"{value:10.0f} ns  {name}{note}")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
