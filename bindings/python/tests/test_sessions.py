"""Sessions: what an identity may by each part of the package, and that there is no way round."""

from __future__ import annotations

import asyncio
import gc
import threading
import weakref
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from conftest import until, until_async
from test_keys import PLACE, RAW
from test_leaks import grows, linux

import brant

RING = [brant.Key(version=1, key=RAW)]


def run_async(make: Callable[[brant.Database], Any]) -> Callable[[brant.Database], Any]:
    return lambda mine: asyncio.run(make(mine))


async def first(iterator: Any) -> Any:
    async for item in iterator:
        return item


def work(mine: brant.Database) -> None:
    worker = mine.queue("q").worker(lambda job: None)
    worker.run()


# Each by a session without scopes: the synchronous part, iterators, and what goes by a handle of the package's own.
WAYS: dict[str, Callable[[brant.Database], Any]] = {
    "accounts": lambda mine: mine.accounts.list(),
    "accounts, all": lambda mine: next(iter(mine.accounts)),
    "organizations": lambda mine: mine.organizations.create("acme", "Acme"),
    "members": lambda mine: mine.members.list(),
    "invitations": lambda mine: mine.invitations.list(),
    "api keys": lambda mine: mine.api_keys.list(),
    "authenticate": lambda mine: mine.authenticate("brant_key_x"),
    "audit": lambda mine: mine.audit.append("app.did"),
    "audit, all": lambda mine: next(iter(mine.audit)),
    "access": lambda mine: mine.access.check("account:1", "nodes:read"),
    "another access graph": lambda mine: mine.access_graph("g").grant("a", ["nodes:read"]),
    "nodes": lambda mine: mine.graph("g").nodes.get("a"),
    "nodes, all": lambda mine: next(iter(mine.graph("g").nodes)),
    "nodes, many": lambda mine: mine.graph("g").nodes.put_many([{"key": "b"}]),
    "edges": lambda mine: mine.graph("g").edges.list(),
    "typed nodes": lambda mine: mine.types.task.Task.insert("g", "t", {"title": "t"}),
    "graphs": lambda mine: mine.graphs.create("mine"),
    "graphs, all": lambda mine: next(iter(mine.graphs)),
    "export": lambda mine: mine.graph("g").export("ndjson"),
    "import": lambda mine: mine.graph("g").import_("ndjson", "{}"),
    "algorithms": lambda mine: mine.graph("g").components(),
    "graph types": lambda mine: mine.graph_types.list(),
    "indexes": lambda mine: mine.indexes.list(),
    "operations": lambda mine: mine.operations(),
    "call": lambda mine: mine.call("nodes.get", {"graph": "g", "key": "a"}),
    "call of a text": lambda mine: mine.call_json("graphs.list", "{}"),
    "transactions": lambda mine: mine.transaction().begin(),
    "sql": lambda mine: mine.execute("SELECT 1"),
    "notify": lambda mine: mine.notify("x"),
    "listen": lambda mine: mine.listen("*"),
    "fan": lambda mine: mine.fan("*").reader().next(0),
    "channels": lambda mine: mine.channels.list(),
    "queue": lambda mine: mine.queue("q").enqueue({}),
    "claims": lambda mine: mine.queue("q").claim(),
    "worker": work,
    "worker, async": run_async(lambda mine: mine.queue("q").run_async(lambda job: None)),
    "jobs": lambda mine: mine.jobs.get(1),
    "job, awaited": run_async(lambda mine: mine.jobs.result_async(1, timeout=1)),
    "schedules": lambda mine: mine.schedules.list(),
    "scheduler": lambda mine: next(iter(mine.scheduler())),
    "scheduler, async": run_async(lambda mine: first(mine.scheduler())),
    "stream": lambda mine: mine.stream("s").publish({}),
    "subscription": lambda mine: next(iter(mine.stream("s").subscribe())),
    "group": lambda mine: mine.stream("s").group("g").claim(),
    "group, async": run_async(lambda mine: first(mine.stream("s").group("g"))),
    "locks": lambda mine: mine.locks.acquire("l", "me"),
    "lock": lambda mine: mine.lock("l").acquire(),
    "lock, async": run_async(lambda mine: mine.lock("l").acquire_async()),
    "rate limit": lambda mine: mine.rate_limit("r", limit=1, period=1).take(),
    "rate limit, async": run_async(lambda mine: mine.rate_limit("r", limit=1, period=1).wait_async()),
    "key ring": lambda mine: mine.keyring(keys=RING),
    "key ring's parts": lambda mine: mine.keyring_info(),
    "envelopes": lambda mine: mine.envelopes.seal("x", PLACE),
    "secrets": lambda mine: mine.secrets.status(),
    "info": lambda mine: mine.info(),
    "doctor": lambda mine: mine.doctor(),
    "metrics": lambda mine: mine.metrics(),
    "backup": lambda mine: mine.backup(mine.path + ".copy"),
    "restore": lambda mine: mine.restore(mine.path),
    "maintain": lambda mine: mine.maintain(),
    "erase": lambda mine: mine.erase(["x"]),
}


@pytest.mark.parametrize("way", WAYS)
def test_nothing_without_scopes(db: brant.Database, graph: brant.Graph, way: str) -> None:
    graph.nodes.put("a")
    with db.session({"id": "ann"}) as mine, pytest.raises(brant.Denied):
        WAYS[way](mine)


def test_its_ring_is_not_to_be_had(db: brant.Database, path: Path) -> None:
    db.keyring(keys=RING)
    with db.session({"id": "ann", "scopes": ["*:*"]}) as mine, brant.open(path) as other:
        with pytest.raises((brant.Denied, brant.NotFound)):
            other.keyring(mine)
        with pytest.raises(brant.Denied):
            mine.keyring(db)
    assert db.keyring_info().keys


def test_what_it_may(db: brant.Database, graph: brant.Graph) -> None:
    mine = db.session({"id": "ann", "scopes": ["nodes:read", "graphs:read"], "resources": {"graph:g": ["write"]}})
    assert isinstance(mine, brant.Database) and mine.path == db.path
    mine.graph("g").nodes.put("a")
    assert graph.nodes.exists("a") and next(iter(mine.graph("g").nodes)).key == "a"
    with pytest.raises(brant.Denied) as refused:
        mine.graphs.create("h")
    assert refused.value.detail["scope"] == "graphs:write"
    with pytest.raises(brant.Invalid, match="/scopes"):
        db.session({"id": "ann", "scopes": ["everything"]})
    with pytest.raises(brant.Denied):
        mine.session({"id": "ann", "scopes": ["graphs:write"]})
    inner = mine.session({"id": "ann", "scopes": ["nodes:read"]})
    with pytest.raises(brant.Denied):
        inner.graph("g").nodes.put("b")
    mine.close()
    with pytest.raises(brant.Closed):
        inner.graph("g").nodes.get("a")
    assert mine.closed and inner.closed and not db.closed


def test_transactions_are_common(db: brant.Database, graph: brant.Graph) -> None:
    mine = db.session({"id": "ann", "scopes": ["*:*"]})
    with pytest.raises(ZeroDivisionError), mine.transaction():
        mine.graph("g").nodes.put("a")
        graph.nodes.put("b")
        raise ZeroDivisionError
    assert graph.nodes.count() == 0
    with db.transaction():
        mine.graph("g").nodes.put("a")
        with pytest.raises(brant.Denied):
            mine.transaction().commit()
    assert graph.nodes.count() == 1
    # A thread that has no part in it waits for its end.
    mine.transaction().begin()
    done: list[int] = []
    thread = threading.Thread(target=lambda: done.append(graph.nodes.count()))
    thread.start()
    graph.nodes.put("b")
    thread.join(0.05)
    assert not done
    mine.close()  # rolls back what it began
    thread.join(60)
    assert done == [1]
    with db.transaction():
        graph.nodes.put("c")
    assert graph.nodes.count() == 2


def test_closing(path: Path) -> None:
    db = brant.open(path)
    mine = db.session({"id": "ann", "scopes": ["*:*"]})
    listener = mine.listen("*")
    failed: list[BaseException] = []

    def wait() -> None:
        try:
            listener.next(30)
        except brant.BrantError as error:
            failed.append(error)

    thread = threading.Thread(target=wait)
    thread.start()
    db.close()
    thread.join(60)
    assert mine.closed and isinstance(failed[0], brant.Closed)
    with pytest.raises(brant.Closed):
        mine.graphs.list()
    with pytest.raises(brant.Closed):
        db.session({"id": "ann"})


def test_many_are_nothing_to_collect(db: brant.Database, graph: brant.Graph) -> None:
    last = [weakref.ref(db.session({"id": "ann", "scopes": ["nodes:read"]})) for _ in range(100)]
    gc.collect()
    assert not any(one() for one in last) and not db._sessions
    graph.nodes.put("a")


@pytest.mark.parametrize("memory", [False, True])
def test_tasks_wait_on_it(path: Path, memory: bool) -> None:
    async def main() -> None:
        with brant.open(":memory:" if memory else path) as db:
            mine = db.session({"id": "ann", "scopes": ["events:read", "events:write"]})
            got: list[tuple[str, Any]] = []

            async def listen(name: str, listener: brant.Listener) -> None:
                async for notification in listener:
                    got.append((name, notification.payload))

            tasks = [asyncio.create_task(listen("mine", mine.listen("x"))), asyncio.create_task(listen("all", db.listen("*")))]
            await asyncio.sleep(0.01)
            for number in range(20):
                (mine if number % 2 else db).notify("x", number)
                await asyncio.sleep(0.001)
            await until_async(lambda: len(got) == 40)
            for task in tasks:
                task.cancel()
            assert sorted(n for name, n in got if name == "mine") == list(range(20))

    asyncio.run(main())


def test_works_beside(db: brant.Database) -> None:
    """Workers, locks and leases go by other handles: sessions of the same identity."""
    mine = db.session({"id": "ann", "scopes": ["queues:*", "jobs:*", "locks:*"]})
    mine.queue("q").enqueue({"n": 1})
    done: list[Any] = []
    with mine.queue("q").worker(lambda job: done.append(job.payload)):
        until(lambda: bool(done))
    side = mine._beside("thread")
    assert isinstance(side, brant.Session)
    with pytest.raises(brant.Denied):
        side.graphs.list()

    async def lock() -> None:
        async with mine.lock("l"):
            assert db.locks.get("l").owner

    asyncio.run(lock())
    mine.close()
    assert side.closed


def test_threads(path: Path) -> None:
    with brant.open(path) as db:
        db.graphs.create("g")
        errors: list[BaseException] = []

        def go(number: int) -> None:
            try:
                for round in range(30):
                    with db.session({"id": f"u{number}", "scopes": ["nodes:*", "transaction:use"]}) as mine:
                        with mine.transaction():
                            mine.graph("g").nodes.put(f"{number}-{round}")
            except BaseException as error:
                errors.append(error)

        threads = [threading.Thread(target=go, args=(number,)) for number in range(4)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        assert not errors and db.graph("g").nodes.count() == 120


@linux
def test_leaks(db: brant.Database, graph: brant.Graph) -> None:
    def work() -> None:
        for _ in range(20):
            with db.session({"id": "ann", "scopes": ["nodes:*", "transaction:use", "events:*"]}) as mine:
                mine.graph("g").nodes.put("a")
                mine.transaction().begin()
                with pytest.raises(brant.Denied):
                    mine.graphs.list()
            db.session({"id": "ann", "scopes": ["events:*"]}).listen("*")  # left to the collector

    traced, memory, descriptors = grows(work, 10, 5)
    assert traced < 100_000 and memory < 4_000_000 and descriptors == 0 and graph.nodes.count() == 1


def test_closed_while_another_calls(db: brant.Database) -> None:
    """Its transaction is taken back when the other's call, however long it is, has ended."""
    db.graphs.create("g")
    mine = db.session({"id": "ann", "scopes": ["nodes:*", "transaction:*"]})
    mine.transaction().__enter__()
    mine.graph("g").nodes.put("a")
    inside, leave = threading.Event(), threading.Event()

    def call() -> None:
        with db._turn.lock:
            inside.set()
            assert leave.wait(60)

    other = threading.Thread(target=call)
    other.start()
    assert inside.wait(60)
    mine.close()  # returns all the same
    leave.set()
    other.join(60)
    until(lambda: db._owner is None)
    assert not db.graph("g").nodes.exists("a")


def test_interrupts(db: brant.Database) -> None:
    """Those of a session are its own; those of its parent are for it, too."""
    mine, other = (db.session({"id": "ann", "scopes": ["events:*"]}) for _ in range(2))

    async def main() -> None:
        async def wait(database: brant.Database) -> str:
            try:
                async for _ in database.listen("*"):
                    return "told"
            except brant.Interrupted:
                return "interrupted"
            return "ended"

        tasks = [asyncio.create_task(wait(one)) for one in (mine, other, db)]
        await asyncio.sleep(0.05)
        mine.interrupt()
        assert await asyncio.wait_for(tasks[0], 60) == "interrupted"
        await asyncio.sleep(0.05)
        assert not tasks[1].done() and not tasks[2].done()
        db.interrupt()
        assert await asyncio.wait_for(asyncio.gather(*tasks), 60) == ["interrupted"] * 3

    asyncio.run(main())
