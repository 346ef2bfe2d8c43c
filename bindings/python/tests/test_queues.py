"""Queues and jobs: enqueueing, claims, what can be done to a job, results."""

from __future__ import annotations

import asyncio
import datetime
import threading
import time
from pathlib import Path

import pytest

import brant


@pytest.fixture
def queue(db: brant.Database) -> brant.Queue:
    return db.queue("mail")


def claim(queue: brant.Queue) -> brant.Job:
    (job,) = queue.claim()
    return job


def test_there_and_back(db: brant.Database, queue: brant.Queue) -> None:
    assert repr(queue) == "<brant.Queue 'mail'>"
    first = queue.enqueue({"to": "a"})
    queue.enqueue(b"\0\xff", priority=5, key="k")
    assert (first.state, first.duplicate, first.action) == ("ready", False, "enqueued")
    jobs = queue.claim(5, worker="w", lease=60)
    assert [job.payload for job in jobs] == [b"\0\xff", {"to": "a"}]
    job = jobs[0]
    assert (job.queue, job.attempt, job.max_attempts, job.priority, job.key, job.last_attempt) == ("mail", 1, 20, 5, "k", False)
    assert 0 < job.lease_until - time.time() * 1000 < 61_000
    assert queue.claim() == []
    info = db.jobs.get(job.id)
    assert (info.state, info.worker, info.payload) == ("running", "w", b"\0\xff")
    job.ack()
    assert job.finished
    with pytest.raises(brant.Stale):
        job.ack()
    jobs[1].release()
    assert claim(queue).attempt == 1


def test_times(queue: brant.Queue, db: brant.Database) -> None:
    now = time.time()
    at = datetime.datetime.fromtimestamp(now + 60, datetime.timezone.utc)
    by = [
        queue.enqueue(1, delay=60),
        queue.enqueue(2, delay=datetime.timedelta(minutes=1)),
        queue.enqueue(3, run_at=at),
        queue.enqueue(4, run_at=round((now + 60) * 1000)),
    ]
    took = time.time() - now
    for job in by:
        assert job.state == "delayed" and abs(db.jobs.get(job.id).run_at or 0 - (now + 60) * 1000) > 1
        assert -0.01 <= (job.info().run_at or 0) / 1000 - now - 60 <= took + 0.01
    with pytest.raises(TypeError, match="a moment is"):
        queue.enqueue(5, run_at=now + 60)  # type: ignore[arg-type]
    with pytest.raises(TypeError, match="a span is a number of seconds or a timedelta, not 'soon'"):
        queue.enqueue(5, delay="soon")  # type: ignore[arg-type]


def test_in_the_transaction(db: brant.Database, graph: brant.Graph, queue: brant.Queue) -> None:
    with pytest.raises(ValueError), db.transaction():
        graph.nodes.put("a", {})
        queue.enqueue(1)
        raise ValueError
    assert queue.claim() == [] and not graph.nodes.exists("a")
    queue.enqueue(2)
    job = claim(queue)
    with db.transaction():  # the effect and the ack: exactly once
        graph.nodes.put("b", {})
        job.ack()
    assert graph.nodes.exists("b")


def test_with(db: brant.Database, queue: brant.Queue, caplog: pytest.LogCaptureFixture) -> None:
    queue.configure(backoff={"base": 0.001, "jitter": 0.0})
    id = queue.enqueue("x", result_ttl=60).id
    with claim(queue):
        raise ValueError("no such address")
    assert "failed" in caplog.text and "no such address" in caplog.text
    (error,) = db.jobs.get(id).errors
    assert (error.attempt, error.message, error.code) == (1, "ValueError: no such address", "ValueError")
    assert error.stack is not None and error.stack.startswith("Traceback") and "test_queues.py" in error.stack
    time.sleep(0.01)
    with pytest.raises(KeyboardInterrupt), claim(queue):
        raise KeyboardInterrupt
    with claim(queue) as job:
        assert job.attempt == 2  # the release did not count
    assert db.jobs.get(id).state == "done"


def test_ends(db: brant.Database, queue: brant.Queue) -> None:
    queue.configure(max_attempts=2, backoff={"base": 0.001, "jitter": 0.0})
    id = queue.enqueue("x").id
    job = claim(queue)
    assert job.fail("first", delay=0).state in ("ready", "delayed")
    time.sleep(0.01)
    job = claim(queue)
    assert job.last_attempt
    assert job.snooze(0.001).run_at is not None
    time.sleep(0.01)
    job = claim(queue)
    assert job.attempt == 2
    assert job.fail({"message": "second", "code": "E2"}).state == "dead"
    info = db.jobs.get(id)
    assert [(error.message, error.code) for error in info.errors] == [("first", None), ("second", "E2")]
    assert [dead.id for dead in queue.jobs(state="dead")] == [id]
    assert queue.requeue() == 1
    with claim(queue):
        raise brant.Reject("hopeless")
    assert db.jobs.get(id).state == "dead"
    assert db.jobs.requeue(id, payload="y") == "ready"
    job = claim(queue)
    assert job.payload == "y"
    with job:
        raise brant.Retry(delay=60)
    assert db.jobs.get(id).state == "delayed"
    assert db.jobs.update(id, run_at=datetime.datetime.now(), priority=7).priority == 7
    time.sleep(0.01)
    with claim(queue):
        raise brant.Snooze(60)
    assert db.jobs.get(id).state == "delayed" and db.jobs.cancel(id) == "cancelled"
    with pytest.raises(brant.Conflict):
        db.jobs.cancel(id)
    assert queue.prune(states=["cancelled"]) == 1
    with pytest.raises(brant.NotFound):
        db.jobs.get(id)


def test_unique(queue: brant.Queue) -> None:
    first = queue.enqueue(1, unique="k")
    again = queue.enqueue(2, unique="k")
    assert again.id == first.id and again.duplicate and again.action == "skipped"
    replaced = queue.enqueue(3, unique={"key": "k", "on_conflict": "replace"})
    assert (replaced.id, replaced.action) == (first.id, "replaced")
    assert claim(queue).payload == 3
    for key, window in (("w", 600), ("v", 0.05)):
        queue.enqueue(4, unique={"key": key, "window": window})
        claim(queue).ack()
    assert queue.enqueue(5, unique={"key": "w", "window": 600}).duplicate
    time.sleep(0.1)
    assert not queue.enqueue(6, unique={"key": "v", "window": 0.05}).duplicate


def test_many_and_dependencies(db: brant.Database, queue: brant.Queue) -> None:
    made = queue.enqueue_many(
        [{"payload": "extract"}, {"payload": "left", "after": [{"item": 0}]}, {"payload": "right", "after": [{"item": 0}]},
         {"payload": "load", "after": [{"item": 1}, {"item": 2}]}]
    )  # fmt: skip
    assert len(made) == 4 and made.duplicates == 0
    assert db.jobs.get(made.ids[3]).after == made.ids[1:3]
    seen = []
    for job in queue.work(wait=0):
        seen.append(job.payload)
    assert seen == ["extract", "left", "right", "load"]
    assert list(queue.enqueue_many([])) == []
    later = queue.enqueue("y", after=[queue.enqueue("x")])
    assert later.state == "blocked"


def test_many_in_several_batches(path: Path) -> None:
    with brant.open(path, limits={"batch": 10}) as db:
        queue = db.queue("q")
        made = queue.enqueue_many({"payload": n, "after": [{"item": n - 7}] if n >= 7 else None} for n in range(35))
        assert made.ids == list(range(made.ids[0], made.ids[0] + 35))
        assert db.jobs.get(made.ids[34]).after == [made.ids[27]]
        with pytest.raises(brant.BrantError):
            queue.enqueue_many({"payload": n, "priority": "x" if n == 34 else 1} for n in range(35))
        assert len(queue.jobs()) == 35


def test_policy(db: brant.Database, queue: brant.Queue) -> None:
    made = queue.configure(lease=5, max_attempts=3, backoff={"base": 0.5, "max": 10}, rate_limit={"limit": 2, "period": 60}, max_size=10)
    assert (made.policy["lease"], made.policy["max_attempts"], made.policy["rate_limit"]) == (5000, 3, {"limit": 2, "period": 60_000})
    assert made.policy["backoff"]["base"] == 500 and made.policy["backoff"]["max"] == 10_000
    assert queue.configure(rate_limit=None).policy["rate_limit"] is None
    assert queue.get().policy["lease"] == 5000
    assert [info.queue for info in db.queues] == ["mail"]
    queue.pause()
    queue.enqueue(1)
    assert queue.claim() == [] and queue.get().state == "paused"
    queue.drain()
    with pytest.raises(brant.Conflict):
        queue.enqueue(2)
    assert queue.resume().state == "active"
    with pytest.raises(brant.Limit):
        queue.enqueue_many({"payload": n} for n in range(20))
    claim(queue)
    with pytest.raises(brant.Conflict):
        queue.delete()
    assert queue.delete(force=True) == 1
    with pytest.raises(brant.NotFound):
        queue.get()


def test_stats(db: brant.Database, queue: brant.Queue) -> None:
    queue.enqueue_many({"payload": n, "delay": 60 if n > 2 else None} for n in range(5))
    claim(queue).ack()
    claim(queue).fail("x", retry=False)
    stats = queue.stats()
    assert (stats.ready, stats.delayed, stats.dead, stats.enqueued, stats.completed, stats.died) == (1, 3 - 1, 1, 5, 1, 1)
    assert stats.run is not None and stats.run.count == 1 and stats.run.buckets
    assert [one.queue for one in db.queues.stats()] == ["mail"]


def test_ack_with_the_claim(db: brant.Database, queue: brant.Queue) -> None:
    queue.enqueue_many({"payload": n} for n in range(4))
    first = queue.claim(2)
    second = queue.claim(1, ack=first)
    assert all(job.finished and not job.lost for job in first) and len(second) == 1
    queue.claim(1, ack=first)
    assert all(job.lost for job in first)
    acked = db.jobs.ack_many([*second, {"id": first[0].id, "token": first[0].token}])
    assert (acked.acked, acked.stale) == (1, [first[0].id])


def test_heartbeat_and_progress(db: brant.Database, queue: brant.Queue) -> None:
    queue.enqueue(1)
    (job,) = queue.claim(lease=1)
    before = job.lease_until
    beat = job.heartbeat(lease=60, progress={"done": 5})
    assert job.lease_until == beat.lease_until > before and job.progress == {"done": 5}
    assert db.jobs.get(job.id).progress == {"done": 5}
    job.release()
    again = claim(queue)
    assert again.progress == {"done": 5}
    beats = db.jobs.heartbeat_many([job, again])
    assert [beat.stale for beat in beats] == [True, False]
    assert db.jobs.cancel(again.id) == "running"
    assert not again.cancelled.is_set()
    again.check()
    assert again.heartbeat().cancel_requested and again.cancelled.is_set() and again.cancel_requested
    with pytest.raises(brant.Cancelled):
        again.check()
    assert again.fail("cancelled").state == "cancelled"


def test_results(db: brant.Database, path: Path, queue: brant.Queue) -> None:
    made = queue.enqueue(1, result_ttl=60)
    queue.claim()[0].fail("no route", delay=0)
    with pytest.raises(brant.Timeout, match="it is ready, and attempt 1 failed: no route"):
        made.result(0.05)

    def work() -> None:
        with brant.open(path) as other:
            time.sleep(0.05)
            (job,) = other.queue("mail").claim()
            job.ack({"answer": 42})

    thread = threading.Thread(target=work)
    thread.start()
    assert made.result(60) == {"answer": 42}
    thread.join()
    assert queue.result(made) == queue.result(made.id, 1) == {"answer": 42}

    dead = queue.enqueue(2)

    async def wait() -> None:
        task = asyncio.create_task(queue.result_async(dead, 60))
        await asyncio.sleep(0.05)
        claim(queue).fail(ValueError("bad"), retry=False)
        with pytest.raises(brant.JobFailed, match=f"job {dead.id} is dead: ValueError: bad") as raised:
            await task
        assert raised.value.info.errors[0].code == "ValueError"

    asyncio.run(wait())
    with pytest.raises(brant.NotFound):
        db.jobs.result(10_000)
    gone = queue.enqueue(3)
    claim(queue).ack("not kept")
    assert gone.result() is None


def test_all_jobs_page_by_page(queue: brant.Queue) -> None:
    queue.enqueue_many({"payload": n, "key": "odd" if n % 2 else "even"} for n in range(2500))
    assert len(queue.jobs()) == 100
    assert [job.payload for job in queue.iter_jobs()] == list(range(2500))
    assert sum(1 for _ in queue.iter_jobs(state="ready", key="odd")) == 1250
    assert list(queue.iter_jobs(state="dead")) == []


def test_what_is_easily_got_wrong_is_named(queue: brant.Queue) -> None:
    with pytest.raises(TypeError, match="an item has no option 'to': its payload is in \"payload\""):
        queue.enqueue_many([{"to": "ann"}])
    with pytest.raises(TypeError, match=r"after=\[job\]"):
        queue.enqueue(2, after=queue.enqueue(1))  # type: ignore[arg-type]
    assert len(queue.jobs()) == 1


def test_watch(db: brant.Database, path: Path, queue: brant.Queue) -> None:
    with queue.watch() as watch:
        assert watch.next(0) is None
        threading.Timer(0.05, queue.enqueue, (1,)).start()
        assert watch.next(60) is True
        assert len(queue.claim()) == 1
        assert watch.next(0) is None
    with pytest.raises(brant.Closed):
        watch.next(0)


def test_a_closed_database(path: Path) -> None:
    db = brant.open(path)
    queue = db.queue("q")
    work = queue.work()
    db.queue("q").enqueue(1)
    next(work)
    db.close()
    assert list(work) == []
    with pytest.raises(brant.Closed):
        queue.enqueue(1)
