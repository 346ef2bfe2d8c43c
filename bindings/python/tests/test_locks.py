"""Locks and rate limits, among threads, tasks and processes."""

from __future__ import annotations

import asyncio
import subprocess
import sys
import threading
import time
from collections.abc import Callable
from pathlib import Path

import pytest
from conftest import until, until_async

import brant
from brant._keeper import Keeper

HOLD = """
import sys, time, brant
with brant.open(sys.argv[1], busy_timeout=60) as db, db.lock("x", ttl=1) as lock:
    print(lock.token, flush=True)
    time.sleep(60)
"""


def test_there_and_back(db: brant.Database) -> None:
    with db.lock("x") as lock:
        first = lock.token
        assert lock.held and db.locks.get("x").token == first and db.locks.get("x").owner == lock.owner
        assert [info.name for info in db.locks] == ["x"]
        assert not db.lock("x").acquire(timeout=0)
        with pytest.raises(brant.Timeout), db.lock("x", timeout=0.05):
            pass
        with pytest.raises(brant.Misuse):
            lock.acquire()
        assert lock.refresh() > time.time() * 1000
        lock.check()
    assert not lock.held
    with pytest.raises(brant.Misuse):
        _ = lock.token
    with pytest.raises(brant.NotFound):
        db.locks.get("x")
    with db.lock("x") as lock:
        assert lock.token > first


def test_it_refreshes_itself(db: brant.Database, path: Path, quick_beats: None) -> None:
    with brant.open(path) as other:

        def refreshed() -> Callable[[], bool]:
            before = other.locks.get("x").expires_at
            return lambda: other.locks.get("x").expires_at > before

        with db.lock("x", ttl=60), db.transaction("read"):
            db.graphs.list()
            for _ in range(2):
                until(refreshed())
            assert not other.lock("x").acquire(timeout=0)

        async def main() -> None:
            async with db.lock("x", ttl=60):
                for _ in range(2):
                    await until_async(refreshed())
                assert not other.lock("x").acquire(timeout=0)

        asyncio.run(main())


def test_taken_again_while_its_refresh_runs() -> None:
    """A refresh that finds the lock released does not take down the upkeep of the next who has it."""
    keeper = Keeper()
    began, go, again = threading.Event(), threading.Event(), threading.Event()

    def released() -> bool:
        began.set()
        assert go.wait(60)
        return False

    def refreshed() -> bool:
        again.set()
        return True

    keeper.keep("lock", 0.001, released)
    assert began.wait(60)
    keeper.forget("lock")
    keeper.keep("lock", 0.2, refreshed)
    go.set()
    assert again.wait(60)
    keeper.stop()


def test_waiting(db: brant.Database, path: Path) -> None:
    order: list[int] = []

    def work(n: int) -> None:
        with brant.open(path) as other:
            for _ in range(20):
                with other.lock("x"):
                    order.append(n)
                    order.append(n)

    async def tasks() -> None:
        async def task(n: int) -> None:
            for _ in range(20):
                async with db.lock("x"):
                    order.append(n)
                    await asyncio.sleep(0)
                    order.append(n)

        await asyncio.gather(task(3), task(4))

    threads = [threading.Thread(target=work, args=(n,)) for n in range(2)]
    threads.append(threading.Thread(target=asyncio.run, args=(tasks(),)))
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(120)
    assert len(order) == 160 and order[::2] == order[1::2]


def test_the_holder_dies(db: brant.Database, path: Path) -> None:
    folder = Path(brant.__file__).parent.parent
    process = subprocess.Popen([sys.executable, "-c", HOLD, str(path)], stdout=subprocess.PIPE, cwd=folder)
    assert process.stdout is not None
    token = int(process.stdout.readline())
    process.kill()
    process.communicate()
    expires_at = db.execute("SELECT expires_at FROM locks WHERE name = 'x'").scalar()  # also if that is over already
    with db.lock("x", timeout=60) as lock:
        assert lock.token > token and time.time() * 1000 >= expires_at


def test_it_is_lost(db: brant.Database, quick_beats: None) -> None:
    told: list[int] = []
    lock = db.lock("x", ttl=60)
    lock.on_lost = lambda: told.append(1)
    with pytest.raises(brant.Stale), lock:
        db.locks.break_("x")
        assert lock.lost.wait(30)
        assert not lock.held
        with pytest.raises(brant.Stale):
            lock.check()
    until(lambda: told)
    assert told == [1]

    async def main() -> None:
        lock = db.lock("x", ttl=60)
        with pytest.raises(brant.Stale):
            async with lock:
                db.locks.break_("x")
                await until_async(lock.lost.is_set)

    asyncio.run(main())


def test_not_waited_for_in_a_transaction(db: brant.Database) -> None:
    held = db.locks.acquire("x", "me", ttl=60)
    assert held and held.token is not None
    again = db.locks.acquire("x", "me")
    assert again and again.token == held.token
    assert not db.locks.acquire("x", "you")
    with db.transaction():
        assert not db.lock("x").acquire(timeout=0)
        with pytest.raises(brant.Misuse):
            db.lock("x").acquire()
    db.locks.release("x", held.token)
    with pytest.raises(brant.Stale):
        db.locks.refresh("x", held.token)


def test_waits_may_be_cancelled(db: brant.Database) -> None:
    async def main() -> None:
        async with db.lock("x"):
            for _ in range(3):
                with pytest.raises(asyncio.TimeoutError):
                    await asyncio.wait_for(db.lock("x").acquire_async(), 0.02)
            with pytest.raises(brant.Timeout):
                async with db.lock("x", timeout=0.02):
                    pass
        async with db.lock("x"):
            pass

    asyncio.run(main())


# ---- rate limits ------------------------------------------------------------------------------------------------------------


def test_a_window(db: brant.Database, path: Path) -> None:
    limit = db.rate_limit("mail", limit=3, period=600)
    with brant.open(path) as other:
        same = other.rate_limit("mail", limit=3, period=600)
        assert limit.take() and same.take(2)
        refused = limit.take()
        assert not refused and 0 < refused.retry_after <= 600_000 and refused.remaining == 0
        assert not limit.peek() and not limit.wait(timeout=0.01)
        soon = other.rate_limit("soon", limit=3, period=0.5)
        assert soon.take(3) and soon.wait(timeout=60)
    assert [info.name for info in db.rate_limits] == ["mail", "soon"]
    limit.reset()
    assert limit.take(3)
    with pytest.raises(brant.Invalid):
        limit.take(4)


def test_a_bucket(db: brant.Database) -> None:
    limit = db.rate_limit("api", limit=1, period=600, kind="token_bucket", burst=2)
    assert limit.take(2) and not limit.take()

    async def main() -> None:
        assert not await limit.wait_async(timeout=0)
        quick = db.rate_limit("quick", limit=10, period=1, kind="token_bucket", burst=2)
        assert quick.take(2) and await quick.wait_async(timeout=60)

    asyncio.run(main())
