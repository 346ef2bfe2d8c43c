"""Loops over jobs, workers in threads and asyncio, tasks: leases, cancels, the end."""

from __future__ import annotations

import asyncio
import logging
import os
import resource
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from conftest import until, until_async

import brant


@pytest.fixture
def queue(db: brant.Database) -> brant.Queue:
    return db.queue("q")


def fill(queue: brant.Queue, count: int) -> None:
    queue.enqueue_many({"payload": n} for n in range(count))


# ---- loops ------------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("batch", [1, 7])
def test_a_loop(queue: brant.Queue, batch: int) -> None:
    fill(queue, 50)
    seen = [job.payload for job in queue.work(wait=0, batch=batch)]
    assert seen == list(range(50))
    assert len(queue.jobs()) == 0


def test_a_loop_waits(queue: brant.Queue, path: Path) -> None:
    def produce() -> None:
        with brant.open(path) as other:
            for n in range(20):
                other.queue("q").enqueue(n)
                time.sleep(0.002)

    thread = threading.Thread(target=produce)
    thread.start()
    seen = []
    with queue.work() as work:
        for job in work:
            with job:
                seen.append(job.payload)
            if len(seen) == 20:
                break
    thread.join()
    assert seen == list(range(20)) and len(queue.jobs()) == 0
    start = time.monotonic()
    assert list(queue.work(wait=0.1)) == [] and time.monotonic() - start < 60


def test_leaving_a_loop(queue: brant.Queue, db: brant.Database) -> None:
    queue.configure(backoff={"base": 60})
    fill(queue, 5)
    with pytest.raises(ValueError), queue.work(batch=3) as work:
        for job in work:
            if job.payload == 1:
                raise ValueError("bad")
    states = {info.payload: info.state for info in queue.jobs()}
    assert states == {1: "delayed", 2: "ready", 3: "ready", 4: "ready"}  # 0 was done, 2 was claimed and given back
    assert db.jobs.get(2).errors[0].message == "ValueError: bad"


def test_a_loop_goes_on_after_a_failure(queue: brant.Queue) -> None:
    queue.configure(backoff={"base": 60})
    fill(queue, 3)
    for job in queue.work(wait=0):
        with job:
            if job.payload == 1:
                raise ValueError("bad")
    assert [(info.payload, info.state) for info in queue.jobs()] == [(1, "delayed")]


def prolonged(db: brant.Database, job: brant.Job) -> None:
    """Wait until the file says that its lease was prolonged, twice."""
    for _ in range(2):
        before = db.jobs.get(job.id).lease_until
        assert before is not None
        until(lambda: (db.jobs.get(job.id).lease_until or 0) > before)  # noqa: B023


def test_leases_are_prolonged(db: brant.Database, queue: brant.Queue, quick_beats: None) -> None:
    queue.configure(lease=60)
    fill(queue, 1)
    for job in queue.work(wait=0):
        prolonged(db, job)
        assert queue.claim() == []
    assert len(queue.jobs()) == 0


def test_a_lease_is_prolonged_in_time(db: brant.Database, queue: brant.Queue) -> None:
    fill(queue, 1)
    for job in queue.work(wait=0):
        source = job._source
        assert source is not None and 0 < source._interval <= (job.lease_until - time.time() * 1000) / 1000 / 2 + 1


def test_a_transaction_of_the_program_does_not_matter(queue: brant.Queue, db: brant.Database, path: Path, quick_beats: None) -> None:
    queue.configure(lease=60)
    fill(queue, 2)
    with brant.open(path, busy_timeout=60) as other:
        for job in queue.work(wait=0):
            with db.transaction("read"):
                db.graphs.list()
                prolonged(other, job)
            with db.transaction():
                db.graphs.create(f"g{job.payload}")
                job.ack()
                time.sleep(0.5)  # a beat or two are due, and put off
    assert len(queue.jobs()) == 0 and len(list(db.graphs)) == 2


def test_stale_acks_are_told(queue: brant.Queue, path: Path, caplog: pytest.LogCaptureFixture) -> None:
    fill(queue, 1)
    told: list[int] = []
    for job in queue.work(wait=0, on_stale=lambda job: told.append(job.id)):
        if not told and job.attempt == 1:
            queue._database.jobs.release(job.id, job.token)
            queue.claim()
    assert told == [1] and "its lease had ended" in caplog.text


def test_a_signal_ends_a_loop(queue: brant.Queue) -> None:
    with pytest.raises(ValueError):
        next(queue.work(concurrency=2))
    fill(queue, 2)
    work = queue.work()
    before = signal.signal(signal.SIGTERM, lambda number, frame: work.stop())
    try:
        seen = []
        for job in work:
            seen.append(job.payload)
            if len(seen) == 2:
                threading.Timer(0.2, os.kill, (os.getpid(), signal.SIGTERM)).start()
        assert seen == [0, 1] and len(queue.jobs()) == 0
    finally:
        signal.signal(signal.SIGTERM, before)


def test_an_async_loop(queue: brant.Queue, path: Path) -> None:
    async def main() -> list[int]:
        seen = []
        fill(queue, 30)
        async for job in queue.work(wait=0):
            seen.append(job.payload)
        return seen

    assert asyncio.run(main()) == list(range(30)) and len(queue.jobs()) == 0


def test_an_async_loop_of_many_at_once(queue: brant.Queue) -> None:
    fill(queue, 40)
    most = running = 0

    async def handle(job: brant.Job) -> None:
        nonlocal most, running
        async with job:
            running += 1
            most = max(most, running)
            await until_async(lambda: most >= 8)
            await asyncio.sleep(0.005)
            running -= 1
            if job.payload == 3:
                raise brant.Reject("no")

    async def main() -> None:
        tasks = []
        async for job in queue.work(concurrency=8, wait=0.05):
            tasks.append(asyncio.create_task(handle(job)))
        await asyncio.gather(*tasks)

    asyncio.run(main())
    assert most == 8 and [(info.payload, info.state) for info in queue.jobs()] == [(3, "dead")]


@pytest.mark.parametrize("wait", [0, 0.05])
def test_an_async_loop_that_is_busy_does_not_end(queue: brant.Queue, wait: float) -> None:
    """It waits for jobs while it has room for one, and not while its handlers take their time."""
    fill(queue, 9)

    async def handle(job: brant.Job) -> None:
        async with job:
            await asyncio.sleep(0.1)

    async def main() -> None:
        tasks = [asyncio.create_task(handle(job)) async for job in queue.work(concurrency=2, wait=wait)]
        await asyncio.gather(*tasks)

    asyncio.run(main())
    assert len(queue.jobs()) == 0


def test_an_async_wait_may_be_cancelled(queue: brant.Queue) -> None:
    async def main() -> None:
        async with queue.work() as work:
            for _ in range(3):
                with pytest.raises(asyncio.TimeoutError):
                    await asyncio.wait_for(anext(work), 0.02)
            queue.enqueue("x")
            job = await asyncio.wait_for(anext(work), 60)
            assert job.payload == "x"
            job.ack()

    asyncio.run(main())


def test_another_tasks_transaction(path: Path) -> None:
    """A task keeps a transaction open over an await; the worker's loop neither stops nor fails."""
    with brant.open(path, busy_timeout=120) as db:
        another_tasks_transaction(db, db.queue("q"))


def another_tasks_transaction(db: brant.Database, queue: brant.Queue) -> None:

    async def main() -> None:
        seen: list[int] = []

        async def handle(job: brant.Job) -> None:
            seen.append(job.payload)

        worker = queue.worker(handle)
        task = asyncio.create_task(worker.run_async())
        await asyncio.sleep(0.05)
        longest, last = 0.0, time.monotonic()
        with db.transaction():
            queue.enqueue(1)
            for _ in range(50):
                await asyncio.sleep(0.01)
                longest, last = max(longest, time.monotonic() - last), time.monotonic()
        await until_async(lambda: seen)
        worker.stop()
        await asyncio.wait_for(task, 60)
        assert longest < 60  # a loop that waited for the file would do so for the busy timeout

    asyncio.run(main())


# ---- workers ----------------------------------------------------------------------------------------------------------------


def test_threads(queue: brant.Queue) -> None:
    together = threading.Barrier(8)

    def handle(job: brant.Job) -> int:
        assert brant.current_job() is job
        if job.payload < 8:
            together.wait(60)
        return int(job.payload) * 2

    queue.configure(result_ttl=60)
    jobs = queue.enqueue_many({"payload": n} for n in range(200))
    with queue.worker(handle, concurrency=8):
        assert [queue.result(id, 60) for id in jobs] == [n * 2 for n in range(200)]


def test_tasks_of_a_loop(queue: brant.Queue) -> None:
    queue.configure(result_ttl=60)
    jobs = queue.enqueue_many({"payload": n} for n in range(200))
    most = running = 0

    async def handle(job: brant.Job) -> int:
        nonlocal most, running
        assert brant.current_job() is job
        running += 1
        most = max(most, running)
        await until_async(lambda: most >= 8)
        await asyncio.sleep(0.002)
        running -= 1
        return int(job.payload) * 2

    async def main() -> None:
        worker = queue.worker(handle, concurrency=8)
        task = asyncio.create_task(worker.run_async())
        assert [await queue.result_async(id, 60) for id in jobs] == [n * 2 for n in range(200)]
        worker.stop()
        await asyncio.wait_for(task, 60)

    asyncio.run(main())
    assert most == 8


@pytest.mark.parametrize("kind", ["threads", "loop"])
def test_failures(db: brant.Database, queue: brant.Queue, kind: str, caplog: pytest.LogCaptureFixture) -> None:
    queue.configure(max_attempts=2, backoff={"base": 0.01}, result_ttl=60)

    def work(job: brant.Job) -> str:
        if job.attempt == 1:
            raise ValueError("\ud800 first")
        return "second"

    async def work_async(job: brant.Job) -> str:
        return work(job)

    made = queue.enqueue("x")
    with queue.worker(work if kind == "threads" else work_async):
        assert made.result(60) == "second"
        assert made.info().errors[0].code == "ValueError"
        assert isinstance(db.queue("q").stats().completed, int)
    assert "failed" in caplog.text


@pytest.mark.parametrize("kind", ["threads", "loop"])
def test_a_result_without_json(queue: brant.Queue, kind: str) -> None:
    async def work_async(job: brant.Job) -> object:
        return object()

    made = queue.enqueue("x", max_attempts=1)
    with queue.worker((lambda job: object()) if kind == "threads" else work_async), pytest.raises(brant.JobFailed, match="no JSON form"):
        made.result(60)


@pytest.mark.parametrize("kind", ["threads", "loop"])
def test_cancels(db: brant.Database, queue: brant.Queue, kind: str) -> None:
    began = threading.Event()

    def work(job: brant.Job) -> None:
        began.set()
        assert job.cancelled.wait(100)
        job.check()

    async def work_async(job: brant.Job) -> None:
        began.set()
        await asyncio.sleep(100)

    made = queue.enqueue("x")
    handler: Any = work if kind == "threads" else work_async
    with queue.worker(handler, lease=1000):  # whose heartbeat, which hears of cancels too, is due in minutes
        assert began.wait(60)
        assert made.cancel() == "running"
        with pytest.raises(brant.JobFailed, match="cancelled"):
            made.result(60)


@pytest.mark.parametrize("kind", ["threads", "loop"])
def test_a_lost_lease(db: brant.Database, queue: brant.Queue, kind: str, quick_beats: None) -> None:
    began, ended = threading.Event(), threading.Event()
    lost: list[int] = []

    def work(job: brant.Job) -> None:
        if began.is_set():
            return
        began.set()
        job.cancelled.wait(100)
        ended.set()

    async def work_async(job: brant.Job) -> None:
        if began.is_set():
            return
        began.set()
        try:
            await asyncio.sleep(100)
        finally:
            ended.set()

    made = queue.enqueue("x")
    handler: Any = work if kind == "threads" else work_async
    with queue.worker(handler, lease=60, on_stale=lambda job: lost.append(job.id)):
        assert began.wait(60)
        (running,) = queue.jobs(state="running")
        db.jobs.fail(made.id, 1, "from elsewhere", delay=60)  # the token of the first claim
        assert ended.wait(60)
        until(lambda: lost == [made.id])
    assert running.worker is not None


@pytest.mark.parametrize("kind", ["threads", "loop"])
def test_the_grace(queue: brant.Queue, kind: str) -> None:
    """What ends within it is done; what does not goes back to the queue."""
    began, go, flagged = threading.Semaphore(0), threading.Event(), threading.Event()

    def work(job: brant.Job) -> None:
        began.release()
        if job.payload == "short":
            assert go.wait(60)
        elif job.cancelled.wait(100):
            flagged.set()

    async def work_async(job: brant.Job) -> None:
        began.release()
        if job.payload == "short":
            await until_async(go.is_set)
            return
        try:
            await asyncio.sleep(100)
        finally:
            flagged.set()

    queue.enqueue("short")
    long = queue.enqueue("long")
    worker = queue.worker(work if kind == "threads" else work_async, concurrency=2, grace=100)
    worker.start()
    for _ in range(2):
        assert began.acquire(timeout=60)
    queue.enqueue("late")
    worker.stop()
    go.set()
    assert worker._source is not None
    held = worker._source.held
    until(lambda: any(job._done for job in held.values()))
    assert not worker.join(0.1) and not flagged.is_set()
    worker.stop()  # the second time without grace
    assert worker.join(60) and flagged.wait(60)
    left = {info.payload: info.state for info in queue.jobs()}
    assert left == {"long": "ready", "late": "ready"}
    assert long.info().attempt == 0  # the release did not count it


@pytest.mark.parametrize("kind", ["threads", "loop"])
def test_the_grace_ends(queue: brant.Queue, kind: str) -> None:
    began, flagged = threading.Event(), threading.Event()

    def work(job: brant.Job) -> None:
        began.set()
        if job.cancelled.wait(100):
            flagged.set()

    async def work_async(job: brant.Job) -> None:
        began.set()
        try:
            await asyncio.sleep(100)
        finally:
            flagged.set()

    long = queue.enqueue("long")
    worker = queue.worker(work if kind == "threads" else work_async, grace=0.2).start()
    assert began.wait(60)
    worker.stop()
    assert worker.join(60) and flagged.wait(60)
    assert (long.info().state, long.info().attempt) == ("ready", 0)


@pytest.mark.parametrize("kind", ["threads", "loop"])
def test_the_database_is_closed(path: Path, kind: str) -> None:
    db = brant.open(path)
    queue = db.queue("q")
    worker = queue.worker(print if kind == "threads" else _async(print), concurrency=2).start()
    until(lambda: worker._source is not None)
    time.sleep(0.1)  # until it waits for jobs
    db.close()
    assert worker.join(60)


@pytest.mark.parametrize("kind", ["threads", "loop", "schedules"])
def test_the_database_is_closed_at_the_start(path: Path, monkeypatch: pytest.MonkeyPatch, kind: str) -> None:
    """Closed before the service's own thread got so far as to open its handle, it ends as if it had worked already."""
    begun, closed = threading.Event(), threading.Event()

    def late(self: brant.Database, kind: Any) -> Any:
        begun.set()
        assert closed.wait(60)
        return beside(self, kind)

    beside = brant.Database._beside
    monkeypatch.setattr(brant.Database, "_beside", late)
    db = brant.open(path)
    queue = db.queue("q")
    service = db.scheduler() if kind == "schedules" else queue.worker(print if kind == "threads" else _async(print))
    service.start()
    assert begun.wait(60)
    db.close()
    closed.set()
    assert service.join(60)
    for late_one in (queue.worker(print), db.scheduler()):
        with pytest.raises(brant.Closed):
            late_one.start()
        with pytest.raises(brant.Closed):
            asyncio.run(late_one.run_async())


def test_join_leaves_no_thread(queue: brant.Queue) -> None:
    """The thread that prolongs leases has ended, too."""
    for _ in range(20):
        done: list[int] = []
        queue.enqueue(1)
        with queue.worker(lambda job: done.append(job.payload), lease=1000):  # noqa: B023
            until(lambda: done)  # noqa: B023
        assert not [thread for thread in threading.enumerate() if thread.name.startswith("brant-heartbeat")]


def test_a_worker_runs_once(queue: brant.Queue) -> None:
    worker = queue.worker(print)
    with worker:
        with pytest.raises(RuntimeError, match="another"):
            worker.start()
    assert worker.join(0)
    with pytest.raises(ValueError):
        queue.worker()
    with pytest.raises(ValueError):
        queue.worker(print, concurrency=0)


def test_waiting_uses_no_processor(queue: brant.Queue) -> None:
    async def handle(job: brant.Job) -> None: ...

    with queue.worker(print, concurrency=4), queue.worker(handle, concurrency=4):
        time.sleep(1)
        before = resource.getrusage(resource.RUSAGE_SELF)
        time.sleep(2)
        after = resource.getrusage(resource.RUSAGE_SELF)
    assert after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime < 0.6


def test_latency(queue: brant.Queue, path: Path) -> None:
    """A worker is woken by the enqueue of another handle, not by its look once a second."""
    came: list[int] = []
    with brant.open(path, busy_timeout=60) as other:
        for handler in (lambda job: came.append(job.payload), _async(lambda job: came.append(job.payload))):
            with queue.worker(handler, concurrency=2):
                took = []
                for n in range(120):
                    came.clear()
                    start = time.monotonic()
                    other.queue("q").enqueue(n)
                    until(lambda: came)
                    took.append(time.monotonic() - start)
                    time.sleep(0.002)
                assert sorted(took)[60] < 0.5


def _async(function: Callable[[brant.Job], Any]) -> Any:
    async def handle(job: brant.Job) -> Any:
        return function(job)

    return handle


def test_workers_share(queue: brant.Queue, path: Path) -> None:
    fill(queue, 300)
    seen: list[int] = []
    with brant.open(path) as other:
        workers = [queue.worker(lambda job: seen.append(job.payload), concurrency=2), other.queue("q").worker(_async(lambda job: seen.append(job.payload)))]
        for worker in workers:
            worker.start()
        until(lambda: len(queue.jobs()) == 0)
        for worker in workers:
            worker.stop()
            worker.join()
    assert sorted(seen) == list(range(300))


def test_a_memory_database() -> None:
    with brant.open(":memory:") as db:
        queue = db.queue("q")
        seen: list[int] = []
        with queue.worker(lambda job: seen.append(job.payload), concurrency=2):
            fill(queue, 10)
            until(lambda: len(seen) == 10)


# ---- tasks ------------------------------------------------------------------------------------------------------------------


def test_tasks(db: brant.Database, queue: brant.Queue) -> None:
    @queue.task(result_ttl=60)
    def add(a: int, b: int = 1) -> int:
        "Adds."
        return a + b

    @queue.task(name="slow.add", result_ttl=60)
    async def slowly(a: int) -> int:
        await asyncio.sleep(0.01)
        return a + brant.current_job().id

    assert add(1) == 2 and add.__doc__ == "Adds." and repr(add) == "<brant.Task 'add' of 'q'>"
    with pytest.raises(TypeError):
        add.enqueue(1, 2, 3)  # type: ignore[call-arg]
    with pytest.raises(ValueError, match="already"):
        queue.task(name="add")(print)
    first = add.enqueue(2, b=5)
    second = slowly.enqueue(7)
    third = add.options(priority=9, delay=0.01).enqueue(1)
    unknown = queue.enqueue({"task": "nothing"}, max_attempts=1)
    with db.queue("q").worker(concurrency=3):
        assert first.result(60) == 7 and second.result(60) == 7 + second.id and third.result(60) == 2
        with pytest.raises(brant.JobFailed, match="no task 'nothing'"):
            unknown.result(60)


# ---- processes --------------------------------------------------------------------------------------------------------------

WORKER = """
import asyncio, sys, time, brant
path, until, kind, grace, lease = sys.argv[1:]
db = brant.open(path, busy_timeout=60)
queue = db.queue("q")
worker = None
def say(*words):
    sys.stdout.write(" ".join(map(str, words)) + "\\n")
    sys.stdout.flush()
def over():  # "stopping", or a number of seconds
    return worker._source.stopping if until == "stopping" else time.monotonic() >= began + float(until)
def handle(job):
    say("begin", job.payload, job.attempt)
    while not over():
        time.sleep(0.01)
    say("end", job.payload)
async def handle_async(job):
    say("begin", job.payload, job.attempt)
    while not over():
        await asyncio.sleep(0.01)
    say("end", job.payload)
began = time.monotonic()
worker = queue.worker(handle_async if kind == "loop" else handle, concurrency=2, lease=float(lease), grace=float(grace))
say("ready")
worker.run()
db.close()
print("closed", flush=True)
"""


def spawn(path: Path, until: str, kind: str, grace: float, lease: float = 60) -> subprocess.Popen[str]:
    """A worker whose handler ends when so many seconds are over, or it is stopped."""
    folder = Path(brant.__file__).parent.parent
    command = [sys.executable, "-c", WORKER, str(path), until, kind, str(grace), str(lease)]
    process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, cwd=folder)
    assert process.stdout is not None
    assert process.stdout.readline() == "ready\n"  # a signal before may meet a destructor, which ignores it
    return process


@pytest.mark.parametrize("kind", ["threads", "loop"])
def test_sigkill(db: brant.Database, queue: brant.Queue, path: Path, kind: str) -> None:
    made = queue.enqueue("x")
    process = spawn(path, "600", kind, 1, lease=1)
    assert process.stdout is not None
    assert process.stdout.readline() == "begin x 1\n"
    process.kill()
    process.communicate()
    left = made.info()  # of the first attempt, unless the process stood still for longer than its lease
    assert left.state == "running" and left.lease_until is not None
    for job in queue.work(wait=60):  # the lease ends without anybody's look
        assert (job.payload, job.attempt) == ("x", left.attempt + 1) and time.time() * 1000 >= left.lease_until
        break
    else:
        pytest.fail("nobody got it")


@pytest.mark.parametrize("kind", ["threads", "loop"])
def test_sigterm(queue: brant.Queue, path: Path, kind: str) -> None:
    """The running ones end within the grace; nothing more begins."""
    fill(queue, 3)
    process = spawn(path, "stopping", kind, 100)
    assert process.stdout is not None
    assert {process.stdout.readline() for _ in range(2)} == {"begin 0 1\n", "begin 1 1\n"}
    process.send_signal(signal.SIGTERM)
    out, err = process.communicate(timeout=60)
    assert sorted(out.split()) == ["0", "1", "closed", "end", "end"], err
    assert process.returncode == 0
    assert [(info.payload, info.state) for info in queue.jobs()] == [(2, "ready")]


@pytest.mark.parametrize("kind", ["threads", "loop"])
def test_sigterm_without_time(queue: brant.Queue, path: Path, kind: str) -> None:
    fill(queue, 2)
    process = spawn(path, "600", kind, 0.2)
    assert process.stdout is not None
    for _ in range(2):
        process.stdout.readline()
    process.send_signal(signal.SIGTERM)
    out, err = process.communicate(timeout=60)
    assert process.returncode == 0 and out == "closed\n", err
    assert [(info.state, info.attempt) for info in queue.jobs()] == [("ready", 0)] * 2


def test_two_processes(queue: brant.Queue, path: Path) -> None:
    processes = [spawn(path, "0", kind, 100) for kind in ("threads", "loop")]
    fill(queue, 200)
    until(lambda: len(queue.jobs()) == 0)
    for process in processes:
        process.send_signal(signal.SIGINT)
    outs = [process.communicate(timeout=60)[0].splitlines() for process in processes]
    begun = sorted(int(line.split()[1]) for out in outs for line in out if line.startswith("begin"))
    assert begun == list(range(200))


LEDGER = """
import asyncio, random, sys, brant
db = brant.open(sys.argv[1], busy_timeout=60)
def work(job):
    if random.random() < 0.05:
        raise ValueError
    with db.transaction():
        db.execute("INSERT INTO done VALUES (?)", [job.payload])
        job.ack()
async def work_async(job):
    await asyncio.sleep(random.random() * 0.003)
    work(job)
db.queue("q").run(work_async if sys.argv[2] == "loop" else work, concurrency=4, lease=1, grace=2)
db.close()
"""


def test_exactly_once_under_kill(db: brant.Database, queue: brant.Queue, path: Path) -> None:
    """Workers are killed and ended at any moment; each job's effect, which is committed with its ack, is there once."""

    def spawn(kind: str) -> subprocess.Popen[bytes]:
        command = [sys.executable, "-c", LEDGER, str(path), kind]
        return subprocess.Popen(command, stderr=subprocess.DEVNULL, cwd=Path(brant.__file__).parent.parent)

    queue.configure(backoff={"base": 0.02, "max": 0.1}, max_attempts=1000)
    db.execute("CREATE TABLE done (n INTEGER)")
    fill(queue, 1500)
    processes = {kind: spawn(kind) for kind in ("threads", "loop")}
    try:
        for sent in (signal.SIGKILL, signal.SIGTERM, signal.SIGKILL, signal.SIGKILL):
            for kind in processes:
                time.sleep(0.4)
                processes[kind].send_signal(sent)
                processes[kind].wait(120)
                processes[kind] = spawn(kind)
        until(lambda: len(queue.jobs()) == 0, 300)
    finally:
        for process in processes.values():
            process.kill()
            process.wait()
    assert sorted(n for (n,) in db.execute("SELECT n FROM done")) == list(range(1500))


@pytest.mark.skipif(not hasattr(os, "fork"), reason="needs fork")
def test_fork(queue: brant.Queue) -> None:
    fill(queue, 2)
    work = queue.work()
    next(work)
    child = os.fork()
    if child == 0:
        code = 1
        try:
            queue.enqueue(1)
        except brant.Forked:
            try:
                next(work)
            except brant.Forked:
                code = 0
        finally:
            os._exit(code)
    assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 0
    assert next(work).payload == 1
    work.close()


def test_logging(queue: brant.Queue, caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level(logging.INFO, "brant"), queue.worker(print, name="w1"):
        until(lambda: "works as w1" in caplog.text)
