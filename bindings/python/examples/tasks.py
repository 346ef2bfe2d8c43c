"""Functions as jobs: tasks with retries, results, chains and chords, and one that a clock calls. Try it, or have workers of your own:

    python examples/tasks.py
    python -m brant worker tasks:db --concurrency 4 --scheduler        # in the folder of this file; BRANT_FILE is the database
"""

from __future__ import annotations

import os

import brant

db = brant.open(os.environ.get("BRANT_FILE", ":memory:"))


@db.task()
def fetch(name: str) -> str:
    return f"text of {name}"


@db.task(max_retries=3, autoretry_for=[ConnectionError], retry_backoff=0.01)
def count(text: str) -> int:
    if brant.current_job().attempt == 1:
        raise ConnectionError("try again")  # anything else would be final
    return len(text)


@db.task(queue="reports")
async def report(counts: list[int], title: str) -> str:
    return f"{title}: {sum(counts)}"


@db.periodic("@every 1h", queue="reports")
def tidy() -> None:
    db.maintain()


def main() -> None:
    with db.queue("default").worker(concurrency=2), db.queue("reports").worker():
        print("one:", fetch.delay("a").get(timeout=60))
        print("chain:", (fetch.s("bb") | count.s()).delay().get(timeout=60))
        parts = [brant.chain(fetch.s(name), count.s()) for name in ("a", "bb", "ccc")]
        print("chord:", brant.chord(parts, report.s(title="letters")).get(timeout=60))
        with db.transaction():  # enqueued at the commit, with whatever else is committed
            later = fetch.apply_async(["d"], countdown=60, unique="fetch:d")
        print("later:", later.status, later.cancel(), later.status)


if __name__ == "__main__":
    with db:
        main()
