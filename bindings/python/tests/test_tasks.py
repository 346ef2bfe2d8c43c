"""Tasks as a user of Celery has them: results, options, policies about failures, chains, groups, chords, the command of a worker."""

from __future__ import annotations

import asyncio
import os
import signal
import subprocess
import sys
import time
from datetime import datetime, timedelta, timezone
from pathlib import Path
from typing import Any

import pytest
from conftest import until

import brant
from brant import chain, chord, group

HERE = Path(__file__).resolve().parent


@pytest.fixture
def queue(db: brant.Database) -> brant.Queue:
    return db.queue("q")


def test_results(db: brant.Database, queue: brant.Queue) -> None:
    @queue.task()
    def add(a: int, b: int = 1) -> int:
        return a + b

    @queue.task(ignore_result=True)
    def quiet() -> str:
        return "nothing"

    result = add.delay(2, b=5)
    assert result.status == "ready" and not result.ready() and result.info().payload == {"task": "add", "args": [2], "kwargs": {"b": 5}}
    with pytest.raises(brant.Timeout, match="job 1 has not finished: it is ready$"):
        result.get(timeout=0.01)
    with pytest.raises(TypeError):
        add.delay("a", "b", "c")  # type: ignore[arg-type, call-arg]
    with queue.worker():
        assert result.get(timeout=60) == 7 and result.successful() and result.ready() and not result.failed()
        assert result.get(timeout=0) == 7  # it is kept
        ignored = quiet.delay()
        assert ignored.get(timeout=60) is None and ignored.status == "done"
    with pytest.raises(brant.Conflict):
        result.cancel()
    cancelled = add.delay(1)
    assert cancelled.cancel() == "cancelled" == cancelled.status and cancelled.failed()
    with pytest.raises(brant.JobFailed):
        cancelled.get(timeout=60)


async def _asynchronous(queue: brant.Queue) -> None:
    @queue.task()
    async def double(n: int) -> int:
        await asyncio.sleep(0.001)
        return 2 * n

    work = asyncio.create_task(queue.run_async(concurrency=4))
    first: brant.AsyncResult[int] = double.delay(2)
    assert await first == 4 and await first.aget(60) == 4
    assert await group(*(double.s(n) for n in range(5))).delay() == [0, 2, 4, 6, 8]
    assert await chord([double.s(1), double.s(2)], double.si(21)) == 42
    work.cancel()
    await asyncio.gather(work, return_exceptions=True)


def test_asyncio(queue: brant.Queue) -> None:
    asyncio.run(_asynchronous(queue))


def test_options(db: brant.Database, queue: brant.Queue) -> None:
    @queue.task(max_retries=4, priority=3)
    def send(to: str) -> None: ...

    now = datetime.now(timezone.utc)
    one = send.apply_async(["ann"], countdown=60, key="k", unique="u").info()
    assert one.state == "delayed" and one.max_attempts == 5 and one.priority == 3 and one.key == "k" and one.unique_key == "u"
    assert send.apply_async(["bob"], unique="u").id == one.id
    two = send.apply_async(kwargs={"to": "ann"}, eta=now + timedelta(hours=1), expires=now + timedelta(hours=2), priority=9, max_retries=0).info()
    assert two.priority == 9 and two.max_attempts == 1 and two.run_at == round((now + timedelta(hours=1)).timestamp() * 1000)
    assert two.expires_at == round((now + timedelta(hours=2)).timestamp() * 1000)
    three = send.apply_async(["ann"], expires=30).info()
    assert three.expires_at is not None and three.expires_at <= time.time() * 1000 + 30_001
    assert db.task(queue="q", name="other")(print).queue.name == "q"
    for given, attempts in (({"max_attempts": 2}, 2), ({"max_retries": 0}, 1), ({"priority": 1}, 5)):
        assert send.options(**given).enqueue("ann").info().max_attempts == attempts
    both = group(send.s("ann"), send.s("bob")).delay()
    both.results[0].cancel()
    both.cancel()  # what has ended is passed over
    assert [result.status for result in both.results] == ["cancelled", "cancelled"]


def test_transactions(db: brant.Database, queue: brant.Queue) -> None:
    @queue.task()
    def add(a: int, b: int) -> int:
        return a + b

    with pytest.raises(ZeroDivisionError), db.transaction():
        add.delay(1, 2)
        chain(add.s(1, 2), add.s(3)).delay()
        raise ZeroDivisionError
    assert list(db.queues) == []
    with pytest.raises(TypeError), db.transaction():
        chain(add.s(1), add.s(3)).delay()
    assert list(db.queues) == []


def test_failures(db: brant.Database, queue: brant.Queue) -> None:
    attempts: list[tuple[str, int]] = []

    def failing(name: str, **options: Any) -> Any:
        def run(kind: str) -> int:
            attempts.append((name, brant.current_job().attempt))
            raise {"os": ConnectionError, "value": ValueError, "retry": brant.Retry, "reject": brant.Reject}[kind](kind)

        return queue.task(name=name, **options)(run)

    some = failing("some", max_retries=2, autoretry_for=(OSError,), retry_backoff=0.001)
    never = failing("never", max_retries=5, dont_autoretry_for=[ValueError], retry_backoff=0.001)
    queue.configure(backoff={"base": 0.001})
    ended = [some.delay("os"), some.delay("value"), never.delay("value"), never.delay("reject"), some.apply_async(["os"], max_retries=0)]
    with queue.worker(concurrency=2):
        for result in ended:
            with pytest.raises(brant.JobFailed):
                result.get(timeout=60)
    assert [len(result.info().errors) for result in ended] == [3, 1, 1, 1, 1]
    error = ended[1].info().errors[0]
    assert error.code == "ValueError" and error.stack is not None and "raise {" in error.stack  # the task's own, with its traceback


def test_how_long_a_retry_waits(queue: brant.Queue) -> None:
    exact = queue.task(name="exact", retry_backoff=True, retry_jitter=False, retry_backoff_max=5)(print)
    assert [exact.judge(OSError(), n)["delay"] for n in (1, 2, 3, 4, 100)] == [1000, 2000, 4000, 5000, 5000]
    loose = queue.task(name="loose", retry_backoff=4)(print)
    assert all(4000 <= loose.judge(OSError(), 2)["delay"] <= 8000 for _ in range(50))
    assert queue.task(name="plain", max_retries=1)(print).judge(OSError(), 1) == {}


def test_workflows(db: brant.Database, queue: brant.Queue) -> None:
    other = db.queue("other")

    @queue.task()
    def add(a: int, b: int) -> int:
        return a + b

    @other.task()
    async def total(numbers: list[int], title: str = "") -> str:
        return f"{title}{sum(numbers)}"

    @queue.task(max_retries=0)
    def fail(*numbers: int) -> int:
        raise ValueError(numbers)

    with queue.worker(concurrency=2), other.worker():
        assert chain(add.s(1, 2), add.s(3), add.s(b=4)).delay().get(60) == 10
        assert (add.s(1, 2) | add.si(5, 5) | add.s(1)).delay().get(60) == 11
        assert group(add.s(1, 1), add.s(1, 2) | add.s(3)).delay().get(60) == [2, 6]
        assert group(add.s(n, n) for n in range(3)).delay().get(60) == [0, 2, 4]
        assert chain([add.s(1, 2), add.s(3)]).delay().get(60) == 6
        assert chord(group([add.s(1, 1), add.s(2, 2)]), total.s()).get(60) == "6"
        assert chord([add.s(n, n) for n in range(20)], total.s(title="sum ")).get(60) == "sum 380"
        assert add.s(1, 2).set(priority=5, delay=0.01).delay().get(60) == 3
        broken = (fail.s(1) | add.s(1) | add.s(1)).delay()
        with pytest.raises(brant.JobFailed, match="cancelled"):
            broken.get(60)
        halves = group(add.s(1, 1), fail.s()).delay()
        with pytest.raises(brant.JobFailed, match="dead"):
            halves.get(60)
        assert halves.ready() and not halves.successful() and len(halves) == 2
        first = add.s(1, 2).set(result_ttl=0.001).delay()
        first.get(60)
    for empty in (lambda: chain(), lambda: group(), lambda: chord([], add.si(1, 1))):
        with pytest.raises(ValueError, match="one task at least"):
            empty()
    for wrong in (lambda: group(add), lambda: group([add.s(1, 1), 2]), lambda: chain(add.s(1, 1), group(add.s(1, 1)))):  # type: ignore[arg-type, list-item]
        with pytest.raises(TypeError, match=r"task\.s\(\.\.\) makes one"):
            wrong()
    assert repr(add.s(1, b="x")) == "add(1, b='x')"


MODULE = """
import os, time, brant
db = brant.open("app.db", busy_timeout=60)

@db.task()
def greet(name: str) -> str:
    time.sleep(float(os.environ.get("SLOW", 0)))
    return f"hello {name}"

@db.task(queue="extra")
async def other() -> int:
    return os.getpid()

@db.periodic("@every 1s", queue="extra")
def tick() -> None:
    db.notify("ticks")

def factory() -> brant.Database:
    return db
"""


def test_the_command(tmp_path: Path) -> None:
    (tmp_path / "app.py").write_text(MODULE)
    environment = {**os.environ, "PYTHONPATH": str(HERE.parent), "SLOW": "0.3"}
    command = [sys.executable, "-m", "brant", "worker", "app:factory", "--concurrency", "2", "--scheduler"]
    with brant.open(tmp_path / "app.db") as db, db.listen("ticks") as ticks:
        default, extra = db.queue("default"), db.queue("extra")
        greet = default.task(name="greet")(lambda name: "")
        other = extra.task(name="other")(lambda: 0)
        process = subprocess.Popen(command, cwd=tmp_path, env=environment, stderr=subprocess.PIPE, text=True)
        try:
            assert greet.delay("ann").get(60) == "hello ann" and other.delay().get(60) == process.pid
            assert ticks.next(timeout=60) is not None
            slow = greet.delay("bob")
            until(lambda: slow.status != "ready")  # it may be done before this looks: seldom
            process.send_signal(signal.SIGTERM)  # what runs ends first
            _, err = process.communicate(timeout=60)
        finally:
            process.kill()
        assert process.returncode == 0 and slow.get(0) == "hello bob", err
        assert "queue default: greet" in err and "stopping, by signal 15" in err
    for given, message in (
        (["nowhere:db"], "No module named 'nowhere'"), (["app:none"], "no attribute 'none'"), (["app:brant"], "no brant.Database"),
        (["app", "-q", "default,what"], "no task is registered with queue 'what'"),
    ):  # fmt: skip
        run = subprocess.run([sys.executable, "-m", "brant", "worker", *given], cwd=tmp_path, env=environment, capture_output=True, text=True)
        assert run.returncode == 2 and message in run.stderr, run.stderr
    assert "--concurrency" in subprocess.run([*command[:4], "--help"], env=environment, capture_output=True, text=True).stdout
