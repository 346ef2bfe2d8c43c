import asyncio
import gc
import os
import resource
import signal
import sys
import threading
import time
from pathlib import Path

import pytest
from conftest import python, until, until_async

import brant

NOTIFY = """
import sys, brant
with brant.open(sys.argv[1], busy_timeout=60) as db:
    for n in range(int(sys.argv[3])):
        db.notify(sys.argv[2], n)
"""


def test_notify_and_next(db: brant.Database) -> None:
    with db.listen("a:*", "b") as listener:
        assert repr(listener) == "<brant.Listener 'a:*', 'b'>"
        assert listener.next(0) is None
        first = db.notify("a:x", {"n": 1})
        db.notify("c")
        second = db.notify("b")
        got = listener.next(60)
        assert got is not None
        assert (got.id, got.channel, got.payload, got.gap) == (first, "a:x", {"n": 1}, None)
        assert got.created_at > 1_600_000_000_000
        assert [n.id for n in listener.take(60)] == [second]
        assert listener.take(0) == []
    assert listener.closed and repr(listener).endswith("closed>")
    with pytest.raises(brant.Closed):
        listener.next(0)


def test_no_pattern(db: brant.Database) -> None:
    with pytest.raises(brant.Invalid):
        db.listen()


def test_only_what_commits(db: brant.Database) -> None:
    with db.listen("*") as listener:
        with db.transaction():
            db.notify("x", 1)
            assert listener.next(0) is None
            with pytest.raises(brant.Misuse):
                db.listen("y")
        with pytest.raises(ValueError), db.transaction():
            db.notify("x", 2)
            raise ValueError
        db.notify("x", 3)
        assert [n.payload for n in listener.take(60)] == [1, 3]


def test_graph_events(db: brant.Database, graph: brant.Graph) -> None:
    with db.listen("nodes:*") as listener:
        graph.nodes.put_many({"key": key} for key in "ab")
        got = listener.next(60)
        assert got is not None and got.channel == "nodes:created"
        assert (got.payload["graph"], got.payload["count"], got.payload["keys"]) == ("g", 2, ["a", "b"])


def test_gap(db: brant.Database) -> None:
    with db.listen("x") as listener:
        with db.transaction():
            ids = [db.notify("x", n) for n in range(10_600)]
        db.maintain()
        got = listener.next(60)
        assert got is not None and got.gap is not None
        assert (got.channel, got.gap.first, got.id, got.payload) == ("x", ids[0], got.gap.last, None)
        following = listener.next(60)
        assert following is not None and following.gap is None and following.id > got.gap.last


def test_iterate_in_a_thread(db: brant.Database, path: Path) -> None:
    got: list[int] = []
    listener = db.listen("x")

    def work() -> None:
        got.extend(n.payload for n in listener)

    thread = threading.Thread(target=work)
    thread.start()
    with brant.open(path) as other:
        for n in range(300):
            other.notify("x", n)
            db.notify("y", n)  # while the other thread looks
    until(lambda: len(got) >= 300)
    listener.close()
    thread.join(60)
    assert not thread.is_alive() and got == list(range(300))


def test_from_another_process(db: brant.Database, path: Path) -> None:
    with db.listen("x") as listener:
        python(NOTIFY, path, "x", 3)
        assert [n.payload for n in (listener.next(60), listener.next(60), listener.next(60)) if n] == [0, 1, 2]


def test_close_during_wait(path: Path) -> None:
    for end in ("database", "listener"):
        db = brant.open(path)
        listener = db.listen("*")
        ended: list[object] = []

        def work() -> None:
            try:
                ended.append(listener.next())
            except brant.Closed as error:
                ended.append(error.code)

        thread = threading.Thread(target=work)
        thread.start()
        time.sleep(0.05)
        (db if end == "database" else listener).close()
        thread.join(60)
        assert ended == ["CLOSED"]
        db.close()


def test_interrupt(db: brant.Database) -> None:
    codes: list[str] = []
    listener = db.listen("*")

    def wait() -> None:
        try:
            listener.next()
        except brant.Interrupted as error:
            codes.append(error.code)

    def run() -> None:
        try:
            db.execute("WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n) SELECT max(i) FROM n")
        except brant.Interrupted as error:
            codes.append(error.code)

    for work in (wait, run):
        thread = threading.Thread(target=work)
        thread.start()
        end = time.monotonic() + 60
        while thread.is_alive() and time.monotonic() < end:
            thread.join(0.1)
            db.interrupt()  # which is nothing as long as it has not begun
        assert not thread.is_alive()
    assert codes == ["INTERRUPTED", "INTERRUPTED"]
    assert db.execute("SELECT 1").scalar() == 1
    assert listener.next(0) is None


def test_a_calls_deadline_is_not_the_waits(db: brant.Database, path: Path) -> None:
    """One thread's calls run into their deadlines while another one listens on the same handle."""
    listener = db.listen("x")
    got: list[int] = []
    errors: list[BaseException] = []

    def listen() -> None:
        try:
            while len(got) < 300:
                got.extend(n.payload for n in listener.take(60))
        except BaseException as error:
            errors.append(error)

    thread = threading.Thread(target=listen)
    thread.start()
    with brant.open(path) as other:
        for n in range(300):
            other.notify("x", n)
            with pytest.raises(brant.Timeout):
                db.execute("WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n) SELECT max(i) FROM n", timeout=n % 3 / 1000)
    thread.join(120)
    assert errors == [] and got == list(range(300))


def test_signals_in_the_main_thread(db: brant.Database) -> None:
    # Python leaves a SIGINT alone that is ignored when it starts, as in the background of a shell script.
    previous = signal.signal(signal.SIGINT, signal.default_int_handler)
    with db.listen("*") as listener:
        timer = threading.Timer(0.2, os.kill, (os.getpid(), signal.SIGINT))
        start = time.monotonic()
        with pytest.raises(KeyboardInterrupt):
            timer.start()
            listener.next(100)
        assert time.monotonic() - start < 60
    signal.signal(signal.SIGINT, previous)


def test_waiting_uses_no_processor(db: brant.Database) -> None:
    listener = db.listen("*")
    thread = threading.Thread(target=lambda: listener.next(1.5))

    async def idle() -> None:
        with pytest.raises(asyncio.TimeoutError):
            await asyncio.wait_for(anext(db.listen("*")), 1.5)

    before = resource.getrusage(resource.RUSAGE_SELF)
    thread.start()
    asyncio.run(idle())
    thread.join()
    after = resource.getrusage(resource.RUSAGE_SELF)
    assert after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime < 0.5


# ---- asyncio ----------------------------------------------------------------------------------------------------------------


def test_async_iteration(db: brant.Database, path: Path) -> None:
    async def main() -> list[int]:
        got = []
        with db.listen("x") as listener:
            process = asyncio.create_task(asyncio.to_thread(python, NOTIFY, path, "x", 50))
            async for n in listener:
                got.append(n.payload)
                if n.payload == 49:
                    break
            await process
        return got

    assert asyncio.run(main()) == list(range(50))


def test_async_latency(db: brant.Database, path: Path) -> None:
    """A task is woken by the commit, not by its look once a second."""

    async def main() -> None:
        took = []
        with brant.open(path) as other, db.listen("x") as listener:
            for _ in range(120):
                waiting = asyncio.create_task(anext(listener))
                await asyncio.sleep(0.005)
                start = time.monotonic()
                await asyncio.to_thread(other.notify, "x")
                await waiting
                took.append(time.monotonic() - start)
        assert sorted(took)[60] < 0.5

    asyncio.run(main())


def test_async_cancellation_loses_nothing(db: brant.Database) -> None:
    async def main() -> None:
        listener = db.listen("x")
        for _ in range(3):
            with pytest.raises(asyncio.TimeoutError):
                await asyncio.wait_for(anext(listener), 0.02)
        db.notify("x", 1)
        db.notify("x", 2)
        assert [(await asyncio.wait_for(anext(listener), 60)).payload for _ in range(2)] == [1, 2]
        listener.close()

    asyncio.run(main())


def test_many_tasks_and_loops(db: brant.Database, path: Path) -> None:
    """Two loops in two threads, several listeners in each, and a thread that waits: each sees each, long before a tick."""
    everyone: list[list[int]] = []
    start = threading.Barrier(4)

    async def reader(listener: brant.Listener) -> None:
        got: list[int] = []
        everyone.append(got)
        async for n in listener:
            got.append(n.payload)
            if len(got) == 100:
                return

    async def readers() -> None:
        listeners = [db.listen("x") for _ in range(3)]
        await asyncio.to_thread(start.wait)
        await asyncio.gather(*map(reader, listeners))

    def waits() -> None:
        got: list[int] = []
        everyone.append(got)
        listener = db.listen("x")
        start.wait()
        while len(got) < 100:
            got.extend(n.payload for n in listener.take(60))

    threads = [threading.Thread(target=asyncio.run, args=(readers(),)) for _ in range(2)]
    threads.append(threading.Thread(target=waits))
    for thread in threads:
        thread.start()
    start.wait()
    with brant.open(path) as other:
        took = []
        for n in range(100):
            began = time.monotonic()
            other.notify("x", n)
            until(lambda: all(len(got) > n for got in everyone))  # noqa: B023
            took.append(time.monotonic() - began)
        assert sorted(took)[50] < 0.5
    for thread in threads:
        thread.join(60)
    assert everyone == [list(range(100))] * 7


def test_async_close(path: Path) -> None:
    async def main() -> None:
        for end in ("database", "listener", "thread"):
            db = brant.open(path)
            listener = db.listen("*")

            async def collect(listener: brant.Listener = listener) -> list[brant.Notification]:
                return [n async for n in listener]

            task = asyncio.create_task(collect())
            await asyncio.sleep(0.02)
            if end == "thread":
                await asyncio.to_thread(db.close)
            else:
                (db if end == "database" else listener).close()
            assert await asyncio.wait_for(task, 60) == []
            db.close()

    asyncio.run(main())


@pytest.mark.parametrize("woken", [False, True])
def test_async_interrupt(db: brant.Database, woken: bool) -> None:
    """Also where the task was woken in the same turn of the loop, and has not gone on yet."""

    async def main() -> None:
        listener = db.listen("*")
        task = asyncio.create_task(anext(listener))
        await asyncio.sleep(0.02)
        db.interrupt()
        if woken:
            (dispatcher,) = db._wakes._dispatchers.values()
            dispatcher.wake()
        with pytest.raises(brant.Interrupted):
            await asyncio.wait_for(task, 60)
        db.notify("x")
        assert (await asyncio.wait_for(anext(listener), 60)).channel == "x"

    asyncio.run(main())


def test_async_wait_does_not_stop_the_loop(db: brant.Database) -> None:
    """Another thread's long call occupies the handle; the loop goes on."""

    async def main() -> None:
        listener = db.listen("x")
        endless = "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n) SELECT max(i) FROM n"
        mine = db.session({"id": "ann", "scopes": ["*:*"]})

        def occupy() -> None:
            with pytest.raises(brant.Interrupted):  # not Timeout: it is this loop that ends it
                mine.execute(endless, timeout=60)
            db.notify("x")

        occupied = asyncio.create_task(asyncio.to_thread(occupy))
        await asyncio.sleep(0.2)
        task = asyncio.create_task(anext(listener))
        for _ in range(20):
            await asyncio.sleep(0.005)
        assert not task.done()
        while not occupied.done():
            mine.interrupt()
            await asyncio.sleep(0.05)
        await occupied
        assert (await asyncio.wait_for(task, 60)).channel == "x"

    asyncio.run(main())


def test_async_in_memory() -> None:
    async def main() -> None:
        with brant.open(":memory:") as db, db.listen("x") as listener:
            task = asyncio.create_task(anext(listener))
            await asyncio.sleep(0.02)
            db.notify("x", 5)
            assert (await asyncio.wait_for(task, 60)).payload == 5

    asyncio.run(main())


def test_loops_leave_nothing(db: brant.Database) -> None:
    async def main() -> None:
        with db.listen("x") as listener:
            db.notify("x")
            await anext(listener)
            with pytest.raises(asyncio.TimeoutError):
                await asyncio.wait_for(anext(listener), 0.01)

    asyncio.run(main())
    before = len(os.listdir("/proc/self/fd")) if sys.platform == "linux" else 0
    for _ in range(20):
        asyncio.run(main())
    gc.collect()
    after = len(os.listdir("/proc/self/fd")) if sys.platform == "linux" else 0
    assert after <= before + 1
    assert len(db._wakes._dispatchers) <= 1


def test_dispatcher_ends_when_nobody_waits(db: brant.Database) -> None:
    async def main() -> None:
        with db.listen("x") as listener:
            db.notify("x")
            await anext(listener)
            assert len(db._wakes._dispatchers) == 1
            await until_async(lambda: len(db._wakes._dispatchers) == 0)
            db.notify("x")
            await asyncio.wait_for(anext(listener), 60)

    asyncio.run(main())
