"""Streams: publishing, reading, consumers that save where they are, groups."""

from __future__ import annotations

import asyncio
import datetime
import subprocess
import sys
import threading
import time
from pathlib import Path

import pytest
from conftest import until, until_async

import brant


@pytest.fixture
def stream(db: brant.Database) -> brant.Stream:
    return db.stream("s")


def fill(stream: brant.Stream, count: int) -> None:
    stream.publish_many({"payload": n} for n in range(1, count + 1))


def test_there_and_back(db: brant.Database, stream: brant.Stream) -> None:
    assert repr(stream) == "<brant.Stream 's'>"
    assert stream.publish({"a": 1}) == 1 and stream.publish(b"\0\xff", key="k") == 2
    made = stream.publish_many([{"payload": n, "key": f"k{n % 2}"} for n in range(5)] + [{"payload": b"x"}])
    assert made is not None and (made.first, made.last) == (3, 8) and stream.publish_many([]) is None
    part = stream.read(limit=2)
    assert [(event.offset, event.key, event.payload) for event in part] == [(1, None, {"a": 1}), (2, "k", b"\0\xff")]
    assert part.next == 2 and part.gap is None and len(part) == 2 and part[0].gap is None
    assert [event.offset for event in stream] == list(range(1, 9))
    assert [event.payload for event in stream.read(keys="k1")] == [1, 3]
    assert [event.offset for event in stream.read(reverse=True, limit=3)] == [8, 7, 6]
    assert len(stream.read(since=datetime.datetime.now() + datetime.timedelta(hours=1))) == 0
    assert stream.latest("k0").payload == 4
    with pytest.raises(brant.NotFound):
        stream.latest("nothing")
    with pytest.raises(brant.NotFound):
        db.stream("nothing").read()


def test_in_the_transaction(db: brant.Database, stream: brant.Stream) -> None:
    with pytest.raises(ValueError), db.transaction():
        stream.publish(1)
        raise ValueError
    assert stream.publish(2) == 1
    with db.transaction(), pytest.raises(brant.Misuse):
        stream.subscribe()


def test_publish_many_in_several_calls(path: Path) -> None:
    with brant.open(path, limits={"batch": 10}) as db:
        stream = db.stream("s")
        made = stream.publish_many({"payload": n} for n in range(35))
        assert made is not None and (made.first, made.last) == (1, 35)


def test_policy(db: brant.Database, stream: brant.Stream) -> None:
    made = stream.configure(max_age=60, max_count=100, compact=True, compact_after=5)
    assert (made.policy["max_age"], made.policy["max_count"], made.policy["compact_after"]) == (60_000, 100, 5000)
    assert stream.configure(max_age=None, compact=None).policy.get("max_age") is None
    fill(stream, 10)
    assert stream.trim(before=4) == 3
    info = stream.get()
    assert (info.first, info.last, info.count, info.trimmed_through) == (4, 10, 7, 3)
    part = stream.read()
    assert part.gap == brant.Gap(1, 3)
    stream.publish_many({"payload": n, "key": "k"} for n in range(3))
    assert stream.compact() == 2
    assert [info.stream for info in db.streams] == ["s"]
    stats = stream.stats()
    assert stats.last == 13 and stats.rates["published"] > 0 and db.streams.stats()[0].stream == "s"
    stream.consumers.commit("c", 5)
    assert stream.stats().consumers[0].lag > 0
    with pytest.raises(brant.Conflict):
        stream.delete()
    stream.delete(force=True)
    with pytest.raises(brant.NotFound):
        stream.get()


def test_a_subscription(db: brant.Database, stream: brant.Stream, path: Path) -> None:
    fill(stream, 3)
    with stream.subscribe() as live, stream.subscribe(from_="start") as replay, stream.subscribe(from_=2) as behind:
        assert [replay.next(0) for _ in range(3)] == list(stream)
        assert [event.offset for event in behind.take(0)] == [3]
        assert live.next(0) is None
        with brant.open(path) as other:
            other.stream("s").publish("new", key="k")
        for subscription in (live, replay, behind):
            event = subscription.next(5)
            assert event is not None and (event.offset, event.key, event.payload) == (4, "k", "new")
        with pytest.raises(brant.Misuse):
            live.commit()
    with pytest.raises(ValueError):
        stream.subscribe(save="often")  # type: ignore[arg-type]


def test_a_consumer_goes_on(db: brant.Database, stream: brant.Stream) -> None:
    fill(stream, 10)
    with stream.subscribe("c", save="each") as subscription:
        for event in subscription:
            if event.payload == 4:
                break
        assert stream.consumers.get("c").offset == 3  # the fourth is not known to be processed
    with stream.subscribe("c") as subscription:
        for event in subscription:
            if event.payload == 7:
                subscription.commit()
                break
    assert stream.consumers.get("c").offset == 7
    assert stream.consumers.commit("c", 2) == 7 and stream.consumers.seek("c", 2) == 2
    assert [info.consumer for info in stream.consumers] == ["c"]
    with stream.subscribe("c", save="manual") as subscription:
        assert [event.offset for event in subscription.take(0)] == list(range(3, 11))
        subscription.take(0)
    assert stream.consumers.get("c").offset == 2 and stream.consumers.get("c").lag == 8
    stream.consumers.delete("c")
    with pytest.raises(brant.NotFound):
        stream.consumers.get("c")


def test_saved_by_number_and_by_time(db: brant.Database, path: Path, stream: brant.Stream, monkeypatch: pytest.MonkeyPatch) -> None:
    def after(seconds: float) -> None:
        monkeypatch.setattr("brant.streams.SAVE_SECONDS", seconds)

    fill(stream, 1500)
    after(600)
    subscription = stream.subscribe("c")
    for _ in range(1100):
        next(subscription)
    assert stream.consumers.get("c").offset == 1000
    for _ in range(399):
        next(subscription)
    assert subscription.next(0) is not None and subscription.next(0) is None
    assert stream.consumers.get("c").offset == 1000

    def saved_within_a_wait() -> bool:
        subscription._due = time.monotonic() + 0.5  # as if most of the time were over
        assert subscription.next(1) is None  # none comes; it is saved all the same
        return stream.consumers.get("c").offset == 1500

    until(saved_within_a_wait)  # by the first, unless the machine stood still until its end

    async def main() -> None:
        after(600)
        other = stream.subscribe("d")
        for _ in range(1499):
            await other.next_async()
        assert stream.consumers.get("d").offset == 1000
        await other.next_async()
        other._due = time.monotonic() + 0.5
        waiting = asyncio.ensure_future(anext(other))
        await until_async(lambda: stream.consumers.get("d").offset == 1500)
        waiting.cancel()
        with pytest.raises(asyncio.CancelledError):
            await waiting
        other.close()

    asyncio.run(main())
    fill(stream, 1)
    assert next(subscription).offset == 1501
    assert subscription.next(0) is None
    subscription.close()
    assert stream.consumers.get("c").offset == 1501


def test_exactly_once(db: brant.Database, stream: brant.Stream) -> None:
    db.execute("CREATE TABLE sums (n INTEGER)")
    fill(stream, 20)
    failed: set[int] = set()

    def process() -> None:
        with stream.subscribe("c", save="manual") as subscription:
            while (event := subscription.next(0)) is not None:
                with db.transaction():
                    db.execute("INSERT INTO sums VALUES (?)", [event.payload])
                    subscription.commit()
                    if event.payload % 5 == 0 and event.payload not in failed:
                        failed.add(event.payload)
                        raise ValueError

    for _ in range(4):
        with pytest.raises(ValueError):
            process()
    process()
    assert [n for (n,) in db.execute("SELECT n FROM sums ORDER BY rowid")] == list(range(1, 21))


def test_a_gap(stream: brant.Stream) -> None:
    fill(stream, 10)
    with stream.subscribe("c") as subscription:
        stream.trim(before=6)
        event = subscription.next(5)
        assert event is not None and event.gap == brant.Gap(1, 5) and event.offset == 5 and event.payload is None
        assert next(subscription).offset == 6


def test_async_iteration(stream: brant.Stream, path: Path) -> None:
    def publish() -> None:
        with brant.open(path) as other:
            for n in range(100):
                other.stream("s").publish(n)

    async def main() -> None:
        fill(stream, 5)
        thread = threading.Thread(target=publish)
        seen = []
        with stream.subscribe("c") as subscription:
            thread.start()
            async for event in subscription:
                seen.append(event.payload)
                if event.payload == 99:
                    break
        thread.join()
        assert seen == [1, 2, 3, 4, 5, *range(100)]

    asyncio.run(main())


EXACTLY = """
import sys, time, brant
with brant.open(sys.argv[1], busy_timeout=60) as db:
    subscription = db.stream("s").subscribe("c", save="manual")
    for n, event in enumerate(subscription):
        if n == 200:
            time.sleep(600)  # whoever comes after it has something to do, however late this one is killed
        with db.transaction():
            db.execute("INSERT INTO sums VALUES (?)", [event.payload])
            subscription.commit()
        if event.payload % 50 == 0:
            print(event.payload, flush=True)
"""


def test_exactly_once_under_kill(db: brant.Database, stream: brant.Stream, path: Path) -> None:
    db.execute("CREATE TABLE sums (n INTEGER)")
    fill(stream, 1000)
    folder = Path(brant.__file__).parent.parent
    for _ in range(4):
        process = subprocess.Popen([sys.executable, "-c", EXACTLY, str(path)], stdout=subprocess.PIPE, cwd=folder)
        assert process.stdout is not None
        process.stdout.readline()
        process.kill()
        process.communicate()
    with stream.subscribe("c", save="manual") as subscription:
        while (event := subscription.next(0)) is not None:
            with db.transaction():
                db.execute("INSERT INTO sums VALUES (?)", [event.payload])
                subscription.commit()
    assert [n for (n,) in db.execute("SELECT n FROM sums ORDER BY rowid")] == list(range(1, 1001))


# ---- groups -----------------------------------------------------------------------------------------------------------------


def test_a_group_by_hand(db: brant.Database, stream: brant.Stream) -> None:
    fill(stream, 6)
    first, second = stream.group("g", "a"), stream.group("g", "b")
    mine = first.claim(2)
    assert [(event.offset, event.payload, event.delivery, event.gap) for event in mine] == [(1, 1, 1, None), (2, 2, 1, None)]
    yours = second.claim(2, lease=60)
    assert [event.offset for event in yours] == [3, 4]
    assert first.ack(mine).acked == 2 and stream.consumers.get("g").offset == 2 and stream.consumers.get("g").pending == 2
    assert first.ack(mine).stale == [1, 2]
    assert second.extend(yours, 60).acked == 2 and second.release(yours).acked == 2
    again = first.claim(10)
    assert [(event.offset, event.delivery) for event in again] == [(3, 2), (4, 2), (5, 1), (6, 1)]
    assert second.ack(yours).stale == [3, 4]


def test_members_share(db: brant.Database, stream: brant.Stream, path: Path) -> None:
    seen: list[int] = []

    async def main() -> None:
        async with stream.group("g", "async", batch=5) as group:
            async for event in group:
                if event.payload < 0:
                    break
                seen.append(event.payload)

    with brant.open(path) as other:
        group = other.stream("s").group("g", "thread", batch=5)

        def work() -> None:
            for event in group:
                seen.append(event.payload)

        threads = [threading.Thread(target=work), threading.Thread(target=asyncio.run, args=(main(),))]
        for thread in threads:
            thread.start()
        for n in range(60):
            stream.publish_many({"payload": n * 5 + m} for m in range(5))
            time.sleep(0.001)
        until(lambda: len(set(seen)) >= 300 and stream.consumers.get("g").offset == 300)  # and both have said so
        group.close()
        threads[0].join(60)
        stream.publish(-1)
        threads[1].join(60)
        assert not any(thread.is_alive() for thread in threads)
    assert sorted(seen) == list(range(300))


def test_leases_of_a_group(db: brant.Database, stream: brant.Stream, path: Path, quick_beats: None) -> None:
    fill(stream, 2)

    def lease() -> int:
        return int(db.execute("SELECT max(lease_until) FROM stream_pending").scalar())

    with brant.open(path) as other, stream.group("g", lease=60, batch=1) as group:
        for event in group:
            before = lease()
            until(lambda: lease() > before)  # noqa: B023
            assert [one.offset for one in other.stream("s").group("g").claim(1, lease=0.001)] == ([2] if event.offset == 1 else [])
            break
    time.sleep(0.05)  # the other's millisecond is over
    assert [event.offset for event in stream.group("g").claim(10)] == [1, 2]  # it was left while it processed the first


def test_a_task_begins_beside_a_writer(stream: brant.Stream, path: Path) -> None:
    fill(stream, 1)

    async def main() -> None:
        group = stream.group("g")  # it is not there yet: its beginning is written
        with brant.open(path) as other:
            with other.transaction():
                event = asyncio.ensure_future(anext(group))
                await asyncio.sleep(0.1)  # of which the loop is not held up, and which is far more than a task's handle waits by itself
                assert not event.done()
            assert (await event).offset == 1
        group.close()

    asyncio.run(main())


@pytest.mark.parametrize("asynchronous", [False, True])
def test_closed_while_it_goes_on(stream: brant.Stream, monkeypatch: pytest.MonkeyPatch, asynchronous: bool) -> None:
    def rest(group: brant.Group) -> list[int]:
        async def main() -> list[int]:
            return [event.offset async for event in group]

        return asyncio.run(main()) if asynchronous else [event.offset for event in group]

    fill(stream, 6)
    group = stream.group("g", batch=3, lease=600)
    for event in group:
        assert event.offset == 1
        group.close()
    assert rest(group) == []
    assert [event.offset for event in stream.group("g").claim(2, lease=600)] == [1, 2]  # nobody else has to wait for a lease

    late = stream.group("g", batch=3, lease=600)
    claiming = late._claiming

    def closed_meanwhile() -> dict[str, object]:
        late.close()
        return claiming()

    monkeypatch.setattr(late, "_claiming", closed_meanwhile)
    assert rest(late) == []
    assert [event.offset for event in stream.group("g").claim(10)] == [3, 4, 5, 6]


def held(database: brant.Database, seconds: float) -> threading.Thread:
    """From now on, for so long, nobody else can write: a thread that has begun to."""
    begun = threading.Event()

    def hold() -> None:
        with database.transaction():
            begun.set()
            time.sleep(seconds)

    thread = threading.Thread(target=hold)
    thread.start()
    begun.wait()
    return thread


def test_a_group_is_patient(stream: brant.Stream, path: Path) -> None:
    fill(stream, 3)
    with brant.open(path, busy_timeout=0.01) as db, brant.open(path) as other:
        for n, event in enumerate(db.stream("s").group("g", batch=1, lease=600), 1):
            assert (event.offset, event.delivery) == (n, 1)
            if n == 3:
                break
            thread = held(other, 0.2)  # what acks and claims comes while it is, and for longer than the busy timeout
        thread.join()
        assert stream.consumers.get("g").offset == 2


def test_closed_beside_a_writer(db: brant.Database, stream: brant.Stream, path: Path) -> None:
    fill(stream, 4)

    async def main() -> None:
        with brant.open(path, busy_timeout=0.01) as own:
            group = own.stream("s").group("g", batch=3, lease=600)
            for _ in range(3):
                await anext(group)
            with db.transaction():
                acking = asyncio.ensure_future(anext(group, None))
                await asyncio.sleep(0.1)
                assert not acking.done()
                group.close()
                assert await acking is None  # although it could not be said any more

    asyncio.run(main())
    assert [event.offset for event in stream.group("g").claim(9)] == [4]


def test_nobody_waits_for_himself(db: brant.Database, stream: brant.Stream) -> None:
    fill(stream, 1)
    db.queue("q").enqueue(1)
    with brant.open(db.path, busy_timeout=0.01) as own:
        with own.transaction(), pytest.raises(brant.Misuse, match="the caller's own transaction"):
            next(own.stream("s").group("g"))
        with own.transaction(), pytest.raises(brant.Misuse, match="the caller's own transaction"), own.queue("q").work() as work:
            next(work)

        with own.transaction(), pytest.raises(brant.Misuse, match="the caller's own transaction"):
            next(iter(own.scheduler()))

        async def main() -> None:
            async with own.queue("q").work() as work:
                for waits in (anext(own.stream("s").group("g")), anext(work), own.lock("l").acquire_async()):
                    with own.transaction(), pytest.raises(brant.Misuse, match="the caller's own transaction"):
                        await waits

        asyncio.run(main())
        with brant.open(db.path) as other, own.transaction("read"):  # which is in nobody's way
            thread = held(other, 0.1)
            assert next(own.stream("s").group("g")).offset == 1
            thread.join()


# ---- graphs' changes, calls ---------------------------------------------------------------------------------------------------


def test_changes_of_a_graph(db: brant.Database) -> None:
    assert db.graphs.create("g", changes=True).changes
    graph = db.graph("g")
    graph.nodes.put("a", {"n": 1})
    with graph.change_log().subscribe("mirror") as mirror:
        assert next(mirror).payload["op"] == "begin"
        assert next(mirror).payload["key"] == "a"
    at = graph.changes()[-1].offset
    graph.nodes.put("a", {"n": 2})
    graph.nodes.put("b")
    graph.edges.put("a", "b")
    changes = graph.changes(after=at)
    assert [(event.payload["op"], event.payload["kind"]) for event in changes] == [("put", "node"), ("put", "node"), ("put", "edge")]
    assert changes[0].payload["before"]["attributes"] == {"n": 1}
    diff = graph.diff(at)
    assert diff and diff.nodes.created == ["b"] and diff.nodes.updated == ["a"] and len(diff.edges.created) == 1
    replayed = graph.replay(at, "then")
    assert replayed.nodes == 1 and db.graph("then").nodes.get("a").attributes == {"n": 1}
    assert not db.graphs.update("g", changes=False).changes


def test_calls(db: brant.Database) -> None:
    db.graphs.create("calls", "call")
    request = {"operation_id": "op", "namespace": "n", "type": "query", "input": {"x": 1}}
    specs = {spec["name"]: spec for spec in brant.operations("calls")}
    needed = specs["calls.publish"]["input_schema"]["properties"]
    offset = db.calls.publish("call.requested", "r1", **{name: value for name, value in request.items() if name in needed})
    assert offset == 1
    projected = db.calls.project("calls")
    assert projected.offset == 1 and not projected.more and db.graph("calls").nodes.count() >= 1
    with pytest.raises(brant.BrantError):
        db.calls.publish("call.unknown", "r1")
