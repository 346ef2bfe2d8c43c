#!/usr/bin/env python3
"""Jobs, streams, locks, schedules and notifications under processes of four languages that are killed: nothing is lost, nothing happens twice.

    tests/torture/events.py [--seconds 30] [--kills N] [--languages c,python,node,go] [--processes 8] [--seed N]

Workers (worker.c, worker.py, worker.mjs, go/worker.go: the same program, which worker.py states) draw what they do from a seed: they enqueue, claim, acknowledge, fail, come too late, publish,
consume, take locks, fire schedules, notify and listen, on one file. A worker notes in a ledger of its own what it is about to do (`> uid`) and what was acknowledged
(`+ uid id`); effects are rows of user tables, written in the transaction that acknowledges. Workers are killed (SIGKILL) at random and others take their place. At the end
what is left is worked off and a model is held against the file:

jobs       each acknowledged one ran to its end exactly once, each other at most once; tokens of a job grow; who is late is told STALE; of a key one at a time (while leases
           last), in order where the queue is FIFO; nothing runs before what it waits for
streams    offsets without gap, each event where its publisher was told; a consumer's effects once each and in order, a group's once each
locks      what is done under a lock is done in order of its tokens, by the holder alone
schedules  each fire once, none left out
notify     listeners (in the workers) see each of a sender's once, in order, and nothing that was rolled back
changes    the log of a graph replayed is the graph
file       well, by doctor and SQLite

Seeds are printed; the same seed gives each worker the same program, not the same interleaving.
"""

from __future__ import annotations

import argparse
import itertools
import os
import random
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from collections import Counter, defaultdict
from collections.abc import Iterable
from pathlib import Path
from typing import Any, NoReturn

HERE = Path(__file__).resolve().parent
ROOT = HERE.parent.parent
sys.path.insert(0, str(ROOT / "bindings" / "python"))

import brant  # noqa: E402
import worker  # noqa: E402

PERIOD = 200  # ms between the fires of the schedule
BUILD = Path(os.environ.get("BRANT_BUILD", ROOT / "build" / "release"))


def programs(names: Iterable[str]) -> dict[str, list[str]]:
    every = {
        "c": [str(BUILD / "bin" / "torture_worker")],
        "python": [sys.executable, str(HERE / "worker.py")],
        "node": ["node", str(HERE / "worker.mjs")],
        "go": [str(ROOT / "build" / "torture_go")],
    }
    return {name: every[name] for name in names}


# ---- the file -----------------------------------------------------------------------------------------------------------


def prepare(path: Path) -> None:
    with brant.open(path) as db:
        for text in worker.TABLES:
            db.execute(text)
        policy = {"lease": worker.LEASE, "max_attempts": 100_000, "backoff": {"base": 20, "factor": 1, "max": 100, "jitter": 0.5}}
        db.call("queues.configure", {"queue": "plain", **policy})
        db.call("queues.configure", {"queue": "keyed", **policy, "key_concurrency": 1})
        db.call("queues.configure", {"queue": "ordered", **policy, "fifo": True})
        db.call("queues.configure", {"queue": "ticks", **policy})
        db.call("streams.configure", {"stream": "events"})
        db.call("schedules.set", {"name": "tick", "spec": f"@every {PERIOD}ms", "queue": "ticks", "payload": {"uid": "tick"}, "misfire": "all", "catch_up": 1000})
        db.call("graphs.create", {"name": "g", "graph_type": "open", "changes": True})


def finish(path: Path, seed: int, ledger: Path) -> None:
    """Work off what is left, as a worker that does nothing else."""
    with worker.Worker(str(path), str(ledger), "last", seed) as last:
        least, progress = None, time.monotonic()
        while time.monotonic() - progress < 300:
            for queue in worker.QUEUES:
                last.work(queue, always=True)
            last.consume(always=True)
            last.share(always=True)
            queues = last.db.call("queues.stats", {})["items"]
            jobs = sum(q["ready"] + q["delayed"] + q["blocked"] + q["running"] for q in queues)
            behind = sum(c["lag"] + c.get("pending", 0) for c in last.db.call("consumers.list", {"stream": "events"})["items"])
            if jobs == 0 and behind == 0:
                return
            if least is None or jobs + behind < least:
                least, progress = jobs + behind, time.monotonic()
        raise AssertionError(f"{jobs} jobs and {behind} events are not worked off: no progress for 300 s")


# ---- the model ----------------------------------------------------------------------------------------------------------


class Model:
    """What must be true of a file and the ledgers of those who wrote it."""

    def __init__(self, db: brant.Database, ledgers: list[Path]) -> None:
        self.db = db
        self.failures: list[str] = []
        self.figures: dict[str, int] = {}
        self.begun: set[str] = set()
        self.given: dict[str, int] = {}  # uid -> id of the job, or offset
        for ledger in ledgers:
            lines = ledger.read_text().split("\n")[:-1]
            for line in lines:
                kind, _, rest = line.partition(" ")
                if kind == ">":
                    self.begun.add(rest)
                elif kind == "+":
                    uid, number = rest.split(" ")
                    self.given[uid] = int(number)
                elif kind == "!":
                    self.failures.append(f"{ledger.name}: {rest}")
                elif kind == "s":
                    self.count("stale")
        self.jobs()
        self.stream()
        self.lock()
        self.schedule()
        self.changes()
        self.file()

    def count(self, name: str, number: int = 1) -> None:
        self.figures[name] = self.figures.get(name, 0) + number

    def fail(self, text: str) -> None:
        if len(self.failures) < 50:
            self.failures.append(text)

    def rows(self, sql: str) -> list[tuple[Any, ...]]:
        rows: list[tuple[Any, ...]] = []
        while True:  # a statement yields 100 000 at most
            page = self.db.execute(f"{sql} LIMIT 50000 OFFSET {len(rows)}").rows
            rows += page
            if len(page) < 50_000:
                return rows

    def jobs(self) -> None:
        rows = self.rows("SELECT what, queue, key, uid, job, token, lease_until FROM runs ORDER BY row")
        done: Counter[str] = Counter()
        last: dict[int, int] = {}  # job -> token of its last claim
        finished: set[int] = set()
        holders: dict[tuple[str, str], tuple[int, int, int]] = {}  # (queue, key) -> job, token, lease
        of_key: dict[str, list[int]] = defaultdict(list)  # FIFO: jobs as they were done
        done_uids: set[str] = set()
        for what, queue, key, uid, job, token, lease in rows:
            if what == "begin":
                self.count("claims")
                if job in finished:
                    self.fail(f"job {job} ({uid}) was claimed after it was done")
                if token <= last.get(job, 0):
                    self.fail(f"job {job}: token {token} after {last[job]}")
                last[job] = token
                if uid.endswith(("-b", "-c")) and uid[:-1] + chr(ord(uid[-1]) - 1) not in done_uids:
                    self.fail(f"{uid} began before what it waits for")
                if key is not None:
                    held = holders.get((queue, key))
                    if held and held[0] != job and lease - worker.LEASE < held[2]:
                        self.fail(f"{queue}/{key}: job {job} began while {held[0]} held the key")
                    holders[queue, key] = (job, token, lease)
                continue
            if token != last.get(job):
                self.fail(f"job {job}: {what} with token {token}, the last claim is {last.get(job)}")
            if what == "beat":
                if key is not None:
                    holders[queue, key] = (job, token, lease)
                continue
            if key is not None:
                holders.pop((queue, key), None)
            if what == "done":
                done[uid if uid != "tick" else f"tick-{job}"] += 1
                done_uids.add(uid)
                finished.add(job)
                if queue == "ordered":
                    of_key[key].append(job)
            else:
                self.count(what)
        for uid, times in done.items():
            if times != 1:
                self.fail(f"{uid} was done {times} times")
            if not uid.startswith("tick-") and uid not in self.begun:
                self.fail(f"{uid} was done, and nobody began to enqueue it")
        for uid in self.given:
            if not uid.startswith("e") and uid not in done_uids:
                self.fail(f"{uid} was acknowledged and never done: lost")
        for key, jobs in of_key.items():
            if jobs != sorted(jobs):
                self.fail(f"ordered/{key}: done out of order")
        self.count("jobs", len(done))
        left = self.rows("SELECT count(*) FROM jobs WHERE state < 4")[0][0]
        if left:
            self.fail(f"{left} jobs are left")

    def stream(self) -> None:
        uids: list[str] = []
        after = 0
        while True:
            page = self.db.call("streams.read", {"stream": "events", "after": after, "limit": 10_000})
            for event in page["items"]:
                after += 1
                if event["offset"] != after:
                    self.fail(f"offset {event['offset']} stands where {after} should")
                    after = event["offset"]
                uids.append(event["payload"]["uid"])
            if not page["items"]:
                break
        for uid, offset in self.given.items():
            if uid.startswith("e") and (offset > len(uids) or uids[offset - 1] != uid):
                self.fail(f"{uid} was acknowledged at offset {offset}, where something else is")
        if len(set(uids)) != len(uids):
            self.fail("an event was published twice")
        self.count("events", len(uids))
        one = [(offset, uid) for offset, uid in self.rows("SELECT offset, uid FROM seen WHERE consumer = 'one' ORDER BY row")]
        if one != list(enumerate(uids, 1)):
            wrong = next((i for i, (a, b) in enumerate(zip(one, enumerate(uids, 1))) if a != b), min(len(one), len(uids)))
            self.fail(f"the consumer's effects are not the stream: {len(one)} of {len(uids)}, first difference behind {wrong}")
        share = Counter(offset for (offset,) in self.rows("SELECT offset FROM seen WHERE consumer = 'share'"))
        if sorted(share.elements()) != list(range(1, len(uids) + 1)):
            twice = [offset for offset, times in share.items() if times > 1][:3]
            self.fail(f"the group's effects are not the stream: {sum(share.values())} of {len(uids)}, twice: {twice}")

    def lock(self) -> None:
        inside, newest = None, 0
        for what, token in self.rows("SELECT what, token FROM guarded ORDER BY row"):
            if token < newest:
                self.fail(f"token {token} was used after {newest}")
            newest = max(newest, token)
            if what == "in":
                inside = token
                self.count("locks")
            elif token != inside:
                self.fail(f"token {token} left while {inside} was in")

    def schedule(self) -> None:
        fires = self.rows("SELECT at, job FROM fires ORDER BY at")
        times = [at for at, _ in fires]
        wrong = [(a, b) for a, b in itertools.pairwise(times) if b - a != PERIOD]
        if wrong:
            self.fail(f"the schedule fired at {wrong[0][0]} and then at {wrong[0][1]}")
        done = {job for (job,) in self.rows("SELECT job FROM runs WHERE what = 'done' AND queue = 'ticks'")}
        if done != {job for _, job in fires}:
            self.fail("the schedule's jobs are not those of its fires")
        self.count("fires", len(fires))

    def changes(self) -> None:
        id = self.db.call("graphs.get", {"name": "g"})["id"]
        newest = self.db.call("streams.get", {"stream": f"changes:{id}"})["last"]
        self.db.call("graphs.replay", {"graph": "g", "to": newest, "into": "g2"})
        contents = []
        for graph in ("g", "g2"):
            nodes: dict[str, Any] = {}
            page: dict[str, Any] = {"next": None}
            while "next" in page:
                cursor = {} if page["next"] is None else {"cursor": page["next"]}
                page = self.db.call("nodes.list", {"graph": graph, "limit": 1000, **cursor})
                nodes |= {node["key"]: node["attributes"] for node in page["items"]}
                if page.get("next") is None:
                    break
            contents.append(nodes)
        if contents[0] != contents[1]:
            self.fail(f"the replayed graph has {len(contents[1])} nodes, the graph {len(contents[0])}, or others")
        self.count("nodes", len(contents[0]))

    def file(self) -> None:
        health = self.db.doctor()
        if not health.ok:
            self.fail(f"the file is not well: {[check for check in health.checks if not check.ok]}")


# ---- the run ------------------------------------------------------------------------------------------------------------


class Crew:
    """The workers that run, and how they are replaced."""

    def __init__(self, folder: Path, kinds: dict[str, list[str]], draw: random.Random, until: float, environment: dict[str, str]) -> None:
        self.folder, self.kinds, self.draw, self.until, self.environment = folder, kinds, draw, until, environment
        self.running: dict[str, tuple[str, subprocess.Popen[bytes]]] = {}
        self.started: Counter[str] = Counter()

    def start(self, kind: str) -> None:
        self.started[kind] += 1
        name = f"{kind}{self.started[kind]}"
        seed = str(self.draw.randrange(1, 1 << 31))
        command = [*self.kinds[kind], str(self.folder / "torture.db"), str(self.folder / f"ledger-{name}"), name, seed, str(self.until)]
        with open(self.folder / f"errors-{name}", "wb") as errors:
            self.running[name] = kind, subprocess.Popen(command, stderr=errors, env=self.environment)

    def kill(self) -> None:
        name = self.draw.choice(sorted(self.running))
        kind, process = self.running.pop(name)
        process.send_signal(signal.SIGKILL)
        process.wait()
        self.start(kind)

    def ended(self) -> list[str]:
        return [f"{name} ended with {p.returncode}: {self.errors(name)}" for name, (_, p) in self.running.items() if p.poll() not in (None, 0)]

    def errors(self, name: str) -> str:
        return (self.folder / f"errors-{name}").read_text(errors="replace").strip()[-600:]

    def stop(self) -> list[str]:
        failures = []
        for name, (_, process) in self.running.items():
            try:
                process.wait(timeout=1200)
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait()
                failures.append(f"{name} did not end")
        return failures + self.ended()


def conclude(failures: list[str], folder: Path, figures: dict[str, int] | None = None) -> NoReturn:
    if figures:
        print(", ".join(f"{number:,} {name}" for name, number in figures.items()))
    for failure in failures:
        print(f"FAIL {failure}")
    if failures:
        print(f"file and ledgers: {folder}")
    print(f"{0 if failures else 1} passed, {len(failures)} failed")
    sys.exit(1 if failures else 0)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--seconds", type=float, default=30)
    parser.add_argument("--kills", type=int, help="how many workers are killed (default: one each second)")
    parser.add_argument("--languages", default="c,python,node,go")
    parser.add_argument("--processes", type=int, default=8)
    parser.add_argument("--seed", type=int, default=int(time.time()))
    parser.add_argument("--keep", type=Path, help="keep the file and the ledgers in this folder")
    parser.add_argument("--check", type=Path, help="only work off and check what a run left in this folder")
    arguments = parser.parse_args()
    if arguments.check:
        finish(arguments.check / "torture.db", arguments.seed, arguments.check / "ledger-last")
        with brant.open(arguments.check / "torture.db") as db:
            model = Model(db, sorted(arguments.check.glob("ledger-*")))
        conclude(model.failures, arguments.check, model.figures)
    kills = int(arguments.seconds) if arguments.kills is None else arguments.kills
    draw = random.Random(arguments.seed)
    kinds = programs(arguments.languages.split(","))
    print(f"seed {arguments.seed}: {arguments.processes} processes ({', '.join(kinds)}), {arguments.seconds:.0f} s, {kills} kills", flush=True)
    folder = Path(arguments.keep or tempfile.mkdtemp(prefix="brant-torture-"))
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / "torture.db"
    failures: list[str] = []
    killed = 0
    try:
        prepare(path)
        begin = time.time()
        crew = Crew(folder, kinds, draw, begin + arguments.seconds, dict(os.environ))
        for kind, _ in zip(itertools.cycle(kinds), range(arguments.processes)):
            crew.start(kind)
        try:
            while time.time() < crew.until - 1 and not failures:
                time.sleep(min(0.05 + draw.random() * 2 * arguments.seconds / max(kills, 1) * 0.9, max(0.0, crew.until - 1 - time.time())))
                failures += crew.ended()
                if killed < kills and not failures:
                    crew.kill()
                    killed += 1
        finally:
            failures += crew.stop()
        if not failures:
            finish(path, arguments.seed, folder / "ledger-last")
        with brant.open(path) as db:
            model = Model(db, sorted(folder.glob("ledger-*")))
        failures += model.failures
        print(f"{killed} killed in {time.time() - begin:.0f} s; " + ", ".join(f"{number:,} {name}" for name, number in model.figures.items()))
    finally:
        if not arguments.keep and not failures:
            shutil.rmtree(folder)
    conclude(failures, folder)


if __name__ == "__main__":
    main()
