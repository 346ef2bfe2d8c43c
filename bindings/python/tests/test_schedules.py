"""Schedules, the scheduler, periodic functions, outboxes, fans."""

from __future__ import annotations

import asyncio
import datetime
import signal
import subprocess
import sys
import threading
import time
from pathlib import Path

import pytest
from conftest import until

import brant

SCHEDULE = """
import sys, brant
db = brant.open(sys.argv[1], busy_timeout=60)
queue = db.queue("q")

@queue.periodic("@every 50ms", result_ttl=60)
def tick():
    print("tick", flush=True)

brant.run(queue.worker(), db.scheduler())
db.close()
print("closed", flush=True)
"""


def test_there_and_back(db: brant.Database) -> None:
    schedules = db.schedules
    before = time.time() * 1000
    made = schedules.set("s", "*/5 * * * *", "q", timezone="Europe/Berlin", payload=b"x", expires_in=60, unique={"key": "k", "window": 5})
    assert (made.name, made.timezone, made.payload, made.paused, made.fired) == ("s", "Europe/Berlin", b"x", False, 0)
    assert made.options["expires_in"] == 60_000 and made.options["unique"]["window"] == 5000
    assert made.next_at is not None and made.next_at > before
    assert schedules.set("s", "*/5 * * * *", "q", timezone="Europe/Berlin").next_at == made.next_at
    assert [info.name for info in schedules] == ["s"] and schedules.pause("s").paused and not schedules.resume("s").paused
    id = schedules.trigger("s")
    assert db.jobs.get(id).schedule == "s"
    at = datetime.datetime(2026, 1, 1, tzinfo=datetime.timezone.utc)
    assert schedules.next("@daily", after=at, count=2) == [round(at.timestamp() * 1000) + 86_400_000 * n for n in (1, 2)]
    with pytest.raises(brant.Invalid):
        schedules.set("t", "61 * * * *", "q")
    with pytest.raises(brant.Invalid):
        schedules.set("t", "@daily", "q", timezone="Atlantis/Capital")
    schedules.delete("s")
    with pytest.raises(brant.NotFound):
        schedules.get("s")


def test_tick(db: brant.Database) -> None:
    db.schedules.set("s", "@every 20ms", "q")
    time.sleep(0.05)
    ticked = db.schedules.tick()
    assert [fired.name for fired in ticked.fired] == ["s"] and ticked.next_at is not None
    assert db.queue("q").claim()[0].id == ticked.fired[0].id


def test_a_scheduler(db: brant.Database, path: Path) -> None:
    db.schedules.set("s", "@every 30ms", "q")
    with brant.open(path) as other, db.scheduler(), other.scheduler():
        until(lambda: db.schedules.get("s").fired >= 5)
    jobs = list(db.queue("q").iter_jobs())
    assert db.schedules.get("s").fired == len(jobs)

    seen = []
    for fired in db.scheduler():
        seen.append(fired.name)
        if len(seen) == 2:
            break

    async def main() -> None:
        async for fired in db.scheduler():
            seen.append(fired.name)
            if len(seen) == 4:
                break
        scheduler = db.scheduler()
        task = asyncio.create_task(scheduler.run_async())
        await asyncio.sleep(0.1)
        scheduler.stop()
        await asyncio.wait_for(task, 60)
        task = asyncio.create_task(db.scheduler().run_async())
        await asyncio.sleep(0.05)
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task

    asyncio.run(main())
    assert seen == ["s"] * 4


def test_periodic(db: brant.Database) -> None:
    ran = threading.Semaphore(0)

    @db.periodic("@every 30ms", timezone="Europe/Berlin")
    def tidy() -> None:
        assert brant.current_job().schedule == "tidy"
        ran.release()

    assert db.schedules.get("tidy").queue == "periodic"
    with db.queue("periodic").worker(), db.scheduler():
        for _ in range(3):
            assert ran.acquire(timeout=60)


def test_a_process_of_both(db: brant.Database, path: Path) -> None:
    folder = Path(brant.__file__).parent.parent
    process = subprocess.Popen([sys.executable, "-c", SCHEDULE, str(path)], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, cwd=folder)
    assert process.stdout is not None
    for _ in range(3):
        assert process.stdout.readline() == "tick\n"
    process.send_signal(signal.SIGTERM)
    out, err = process.communicate(timeout=60)
    assert out.endswith("closed\n") and process.returncode == 0, err


def test_an_outbox(db: brant.Database) -> None:
    delivered: list[object] = []

    def deliver(message: object) -> None:
        if not delivered:
            delivered.append("failed")
            raise ConnectionError
        delivered.append(message)

    outbox = db.outbox("mail", deliver)
    outbox.queue.configure(backoff={"base": 0.01})
    with pytest.raises(ValueError), db.transaction():
        outbox.put("never")
        raise ValueError
    with db.transaction():
        db.graphs.create("g")
        outbox.put({"to": "a"}, key="a")
    with outbox.worker():
        until(lambda: delivered == ["failed", {"to": "a"}])

    async def deliver_async(message: object) -> None:
        delivered.append(message)

    asynchronous = db.outbox("mail", deliver_async)
    asynchronous.put(2)
    with asynchronous.worker():
        until(lambda: delivered[-1] == 2)
    with pytest.raises(ValueError):
        db.outbox("mail").worker()


# ---- channels -----------------------------------------------------------------------------------------------------------------


def test_a_fan(db: brant.Database, path: Path) -> None:
    with brant.open(path) as other, db.fan("x") as fan:
        quick, slow, strict = fan.reader(), fan.reader(buffer=2, slow="drop_oldest"), fan.reader(buffer=2, slow="error")
        got: list[int] = []

        async def read() -> None:
            async for n in fan.reader():
                got.append(n.payload)
                if len(got) == 10:
                    return

        thread = threading.Thread(target=asyncio.run, args=(read(),))
        thread.start()
        until(lambda: len(fan._readers) == 4)
        for n in range(10):
            other.notify("x", n)
        thread.join(60)
        assert got == list(range(10))
        assert [quick.next(60).payload for _ in range(10)] == list(range(10))  # type: ignore[union-attr]
        assert slow.dropped == 8 and [slow.next(0).payload for _ in range(2)] == [8, 9]  # type: ignore[union-attr]
        assert [strict.next(0).payload for _ in range(2)] == [0, 1]  # type: ignore[union-attr]
        with pytest.raises(brant.Limit):
            strict.next()
        blocking = fan.reader(buffer=1)
        other.notify("x", 10)
        other.notify("x", 11)
        until(lambda: len(blocking._ready) == 1 and len(quick._ready) == 2)
        other.notify("x", 12)
        assert [quick.next(60).payload for _ in range(2)] == [10, 11]  # type: ignore[union-attr]
        assert quick.next(0.05) is None  # it waits for the one that blocks
        assert [blocking.next(60).payload for _ in range(3)] == [10, 11, 12]  # type: ignore[union-attr]
        assert quick.next(60).payload == 12  # type: ignore[union-attr]
        with pytest.raises(ValueError):
            fan.reader(slow="never")  # type: ignore[arg-type]
    with pytest.raises(brant.Closed):
        quick.next()
    assert list(quick) == []


def test_channels(db: brant.Database) -> None:
    assert db.channels.set_retention("x", count=2, age=60).kept_count == 2
    with db.listen("x") as listener:
        for n in range(5):
            db.notify("x", bytes([n]))
        db.maintain()
        assert listener.take(0)[-1].payload == b"\4"
    (channel,) = db.channels
    assert (channel.channel, channel.count, channel.kept_age) == ("x", 2, 60_000)
    assert db.channels.set_retention("x", count=None).kept_count == 10_000


def test_metrics(db: brant.Database) -> None:
    db.queue("mail").enqueue(1)
    assert 'queue="mail"' in db.metrics() and "# TYPE" in db.metrics()
    assert db.maintain().streams is not None and db.info().queues == 1
