import subprocess
import sys
import asyncio
import threading
import time
from pathlib import Path

import pytest

import brant


def keys(graph: brant.Graph) -> list[str]:
    return [node.key for node in graph.nodes]


def test_commit_and_roll_back(db: brant.Database, graph: brant.Graph) -> None:
    with db.transaction() as transaction:
        assert repr(transaction) == "<brant.Transaction write active>"
        graph.nodes.put("a")
    assert repr(transaction) == "<brant.Transaction write>"
    with pytest.raises(ValueError, match="mine"):
        with db.transaction():
            graph.nodes.put("b")
            raise ValueError("mine")
    assert keys(graph) == ["a"]


def test_nested(db: brant.Database, graph: brant.Graph) -> None:
    with db.transaction():
        graph.nodes.put("a")
        with pytest.raises(ValueError), db.transaction():
            graph.nodes.put("b")
            raise ValueError
        with db.transaction():
            graph.nodes.put("c")
        assert keys(graph) == ["a", "c"]
    assert keys(graph) == ["a", "c"]


def test_failed_call_takes_back_itself_only(db: brant.Database, graph: brant.Graph) -> None:
    with db.transaction():
        graph.nodes.put("a")
        with pytest.raises(brant.Invalid):
            graph.nodes.put_many([{"key": "b"}, {"key": ""}])
        graph.nodes.put("c")
    assert keys(graph) == ["a", "c"]


def test_read(db: brant.Database, graph: brant.Graph, path: Path) -> None:
    with brant.open(path) as other, db.transaction("read"):
        assert graph.nodes.count() == 0
        other.graph("g").nodes.put("a")
        assert graph.nodes.count() == 0
        with pytest.raises(brant.ReadOnly):
            graph.nodes.put("b")
        with pytest.raises(brant.ReadOnly), db.transaction("write"):
            pass
    assert graph.nodes.count() == 1


def test_without_with(db: brant.Database, graph: brant.Graph) -> None:
    outer = db.transaction().begin()
    graph.nodes.put("a")
    inner = db.transaction().begin()
    graph.nodes.put("b")
    inner.rollback()
    outer.commit()
    assert keys(graph) == ["a"]
    for end in (outer.commit, outer.rollback):
        with pytest.raises(brant.Misuse):
            end()


def test_early_end_inside_with(db: brant.Database, graph: brant.Graph) -> None:
    with db.transaction() as transaction:
        graph.nodes.put("a")
        transaction.rollback()
    assert keys(graph) == []
    graph.nodes.put("b")


def test_taken_back_by_sqlite(db: brant.Database, graph: brant.Graph) -> None:
    """A write that timed out takes the whole transaction with it: the block cannot commit as if nothing had happened."""
    db.execute("CREATE TABLE t(n)")
    endless = "INSERT INTO t WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n) SELECT i FROM n"
    with pytest.raises(brant.Misuse), db.transaction():
        graph.nodes.put("a")
        with pytest.raises(brant.Timeout):
            db.execute(endless, timeout=1)
    assert keys(graph) == []
    thread = threading.Thread(target=graph.nodes.put, args=("b",))
    thread.start()
    thread.join(60)
    graph.nodes.put("c")
    assert keys(graph) == ["b", "c"]


def test_by_name_keeps_account(db: brant.Database, graph: brant.Graph) -> None:
    assert db.call("transaction.begin", {"mode": "write"}) == {"depth": 1}
    seen: list[str] = []
    thread = threading.Thread(target=lambda: seen.extend(keys(graph)))
    thread.start()
    graph.nodes.put("a")
    time.sleep(0.05)
    assert seen == []
    assert db.call("transaction.commit") == {"depth": 0}
    thread.join()
    assert seen == ["a"]


def test_other_threads_wait(db: brant.Database, graph: brant.Graph) -> None:
    order: list[str] = []
    inside = threading.Event()

    def other() -> None:
        inside.wait()
        graph.nodes.put("other")
        order.append("other")

    thread = threading.Thread(target=other)
    thread.start()
    with db.transaction():
        inside.set()
        graph.nodes.put("mine")
        time.sleep(0.1)
        order.append("mine")
    thread.join()
    assert order == ["mine", "other"]


def test_other_threads_wait_no_longer_than_the_busy_timeout(path: Path) -> None:
    with brant.open(path, busy_timeout=0.1) as db:
        db.graphs.create("g")
        errors: list[BaseException] = []

        def other() -> None:
            try:
                db.graph("g").nodes.put("a")
            except brant.BrantError as error:
                errors.append(error)

        with db.transaction():
            thread = threading.Thread(target=other)
            start = time.monotonic()
            thread.start()
            thread.join()
            assert 0.05 < time.monotonic() - start < 60
        assert [type(error) for error in errors] == [brant.Busy]


def test_close_ends_those_who_wait_for_a_transaction(path: Path) -> None:
    db = brant.open(path, busy_timeout=60)
    db.graphs.create("g")
    codes: list[str] = []

    def other() -> None:
        try:
            db.graph("g").nodes.put("a")
        except brant.BrantError as error:
            codes.append(error.code)

    db.transaction().begin()
    thread = threading.Thread(target=other)
    thread.start()
    time.sleep(0.05)
    db.close()
    thread.join(60)
    assert codes == ["CLOSED"]


def test_close_inside(path: Path) -> None:
    with brant.open(path) as db:
        db.graphs.create("g")
        with pytest.raises(brant.Closed), db.transaction():
            db.graph("g").nodes.put("a")
            db.close()
    with brant.open(path) as db:
        assert keys(db.graph("g")) == []


def test_tasks(db: brant.Database, graph: brant.Graph) -> None:
    """A transaction is its task's; another task of the thread is refused, another thread waits."""

    async def main() -> None:
        begun = asyncio.Event()

        async def owner() -> None:
            with db.transaction():
                graph.nodes.put("a")
                begun.set()
                await asyncio.sleep(0.1)
                graph.nodes.put("b")

        async def stranger() -> None:
            await begun.wait()
            with pytest.raises(brant.Misuse, match="another task"):
                graph.nodes.put("c")
            with pytest.raises(brant.Misuse), db.transaction():
                pass

        async def in_a_thread() -> None:
            await begun.wait()
            await asyncio.to_thread(graph.nodes.put, "d")

        await asyncio.gather(owner(), stranger(), in_a_thread())

    asyncio.run(main())
    assert keys(graph) == ["a", "b", "d"]


def test_cancelled_task_rolls_back(db: brant.Database, graph: brant.Graph) -> None:
    async def main() -> None:
        async def work() -> None:
            with db.transaction():
                graph.nodes.put("a")
                await asyncio.sleep(60)

        task = asyncio.create_task(work())
        await asyncio.sleep(0.02)
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task

    asyncio.run(main())
    assert keys(graph) == []
    graph.nodes.put("b")


def test_many_threads_on_one_handle(db: brant.Database, graph: brant.Graph) -> None:
    failures: list[BaseException] = []

    def work(number: int) -> None:
        try:
            for n in range(50):
                with db.transaction():
                    graph.nodes.put(f"{number}-{n}")
                    with db.transaction():
                        graph.nodes.put(f"{number}-{n}-inner")
                assert graph.nodes.exists(f"{number}-{n}")
                db.execute("SELECT 1")
        except BaseException as error:
            failures.append(error)

    threads = [threading.Thread(target=work, args=(number,)) for number in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert failures == []
    assert graph.nodes.count() == 800
    assert db.doctor()


def test_while_another_thread_imports_asyncio() -> None:
    code = """
import sys, types, brant
assert 'asyncio' not in sys.modules
sys.modules['asyncio'] = types.ModuleType('asyncio')  # as it is at the begin of its import
with brant.open(':memory:') as db, db.transaction():
    db.notify('c')
"""
    run = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True)
    assert run.returncode == 0, run.stderr
