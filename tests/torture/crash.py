#!/usr/bin/env python3
"""Die, tear a write, run out of disk or fail at every change of a file that some commits make: what was acknowledged is there, nothing is there by half.

    tests/torture/crash.py [--steps 3] [--every 1]

crash_scenario commits transactions that each put a node, a row of the user's, a job, an event and a notification, and acknowledge the job before; crash_point.so, preloaded, ends or
fails it at its Nth write, sync, truncation, renaming or unlinking, for every N. Then the file is opened without it: each transaction is there whole or not at all, those that were acknowledged are,
the file is well and takes another commit. Where the disk was full or failed, the program went on, and said so with the right code.
Then: a file that cannot be written, a file whose pages were overwritten, a file cut short, a folder that is gone.
"""

from __future__ import annotations

import argparse
import os
import random
import shutil
import signal
import subprocess
import sys
import tempfile
from collections import Counter
from pathlib import Path

HERE = Path(__file__).resolve().parent
ROOT = HERE.parent.parent
sys.path.insert(0, str(ROOT / "bindings" / "python"))

import brant  # noqa: E402

BUILD = Path(os.environ.get("BRANT_BUILD", ROOT / "build" / "release"))
PROGRAM = BUILD / "bin" / "crash_scenario"
POINT = BUILD / "lib" / "crash_point.so"
CODES = {"ENOSPC": {"FULL", "IO"}, "EIO": {"IO", "FULL"}}
failures: list[str] = []


def fail(text: str) -> None:
    if len(failures) < 20:
        failures.append(text)


def prepare(path: Path) -> None:
    with brant.open(path) as db:
        db.graphs.create("g", "open")
        db.execute("CREATE TABLE own (n INTEGER PRIMARY KEY)")
        db.execute("CREATE TABLE acked (job INTEGER PRIMARY KEY)")
        db.call("queues.configure", {"queue": "q"})
        db.call("streams.publish", {"stream": "s", "payload": {"n": 0}})


def run(path: Path, steps: int, how: str, point: int | None) -> subprocess.CompletedProcess[str]:
    environment = {**os.environ, "LD_PRELOAD": str(POINT), "BRANT_CRASH_HOW": how, "BRANT_CRASH_COUNT": str(path) + ".count"}
    if point is not None:
        environment["BRANT_CRASH_AT"] = str(point)
    return subprocess.run([PROGRAM, path, str(steps)], env=environment, capture_output=True, text=True, timeout=1200)


def there(db: brant.Database, n: int) -> set[str]:
    """Which parts of transaction n are in the file."""
    parts = set()
    if db.graph("g").nodes.exists(f"n{n}"):
        parts.add("node")
    if db.execute("SELECT 1 FROM own WHERE n = ?", [n]).rows:
        parts.add("row")
    if db.execute("SELECT 1 FROM jobs WHERE payload ->> 'n' = ?", [n]).rows or db.execute("SELECT 1 FROM acked WHERE job = ?", [n]).rows:
        parts.add("job")
    if any(event["payload"]["n"] == n for event in db.call("streams.read", {"stream": "s"})["items"]):
        parts.add("event")
    if db.execute("SELECT 1 FROM notifications WHERE channel = 'c' AND payload ->> 'n' = ?", [n]).rows:
        parts.add("notification")
    return parts


def check(path: Path, what: str, steps: int, said: list[str]) -> None:
    try:
        with brant.open(path) as db:
            for n in range(1, steps + 1):
                parts = there(db, n)
                if parts and len(parts) != 5:
                    fail(f"{what}: of transaction {n} there is only {sorted(parts)}")
                if f"done {n}" in said and not parts:
                    fail(f"{what}: transaction {n} was acknowledged and is lost")
                if parts and f"begin {n}" not in said:
                    fail(f"{what}: transaction {n} was not begun and is there")
            twice = db.execute("SELECT count(*) FROM acked AS a JOIN jobs AS j ON j.id = a.job").rows[0][0]
            if twice:
                fail(f"{what}: {twice} acknowledged jobs are still there")
            health = db.doctor()
            if not health.ok:
                fail(f"{what}: the file is not well: {[c for c in health.checks if not c.ok]}")
            db.graph("g").nodes.put("after", {})
    except brant.BrantError as error:
        fail(f"{what}: {error!r}")


def changes(path: Path) -> int:
    """How many changes a run that came to its end has made: what wakes and maintains does so by the clock, too."""
    return int(Path(f"{path}.count").read_text())


def points(base: Path, folder: Path, steps: int, every: int) -> None:
    path = copy(base, folder)
    prepared = run(path, steps, "kill", None)
    if "end" not in prepared.stdout:
        fail(f"the scenario does not run: {prepared.stdout}{prepared.stderr}")
        return
    total = changes(path)
    for how in ("kill", "torn", "ENOSPC", "EIO"):
        codes: Counter[str] = Counter()
        acknowledged = 0
        for point in range(1, total + 1, every):
            path = copy(base, folder)
            what = f"{how} at change {point} of {total}"
            try:
                done = run(path, steps, how, point)
            except subprocess.TimeoutExpired:
                fail(f"{what}: it hangs")
                continue
            said = done.stdout.split("\n")
            acknowledged += sum(line.startswith("done") for line in said)
            faults = [line.split(" ", 2)[1] for line in said if line.startswith("failed")]
            codes.update(faults)
            if how in CODES:
                if done.returncode != 0 or "end" not in said and not faults:
                    fail(f"{what}: ended with {done.returncode}: {done.stdout}{done.stderr}")
                if strange := set(faults) - CODES[how] - {"MISUSE", "CORRUPT"}:
                    fail(f"{what}: {strange}: {[line for line in said if 'failed' in line][:2]}")
            elif done.returncode != -signal.SIGKILL and (done.returncode != 0 or changes(path) >= point):  # else it made fewer this time
                fail(f"{what}: ended with {done.returncode}: {done.stdout}{done.stderr}")
            check(path, what, steps, said)
        print(f"{how:<7} {len(range(1, total + 1, every))} points of {total}, {acknowledged} transactions acknowledged" + (f", {dict(codes)}" if codes else ""), flush=True)


def copy(base: Path, folder: Path) -> Path:
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir()
    return Path(shutil.copy(base, folder / "f.db"))


def refused(what: str, codes: set[str], work: object) -> None:
    try:
        work()  # type: ignore[operator]
    except brant.BrantError as error:
        if error.code not in codes or not str(error):
            fail(f"{what}: {error!r}")
        else:
            print(f"{what:<28} {error.code}: {str(error)[:110]}")
        return
    fail(f"{what}: nothing was refused")


def damaged(base: Path, folder: Path) -> None:
    path = copy(base, folder)
    with brant.open(path, mode="ro") as db:
        refused("read-only handle", {"READ_ONLY"}, lambda: db.call("queues.enqueue", {"queue": "q"}))
    if os.getuid() != 0:
        path.chmod(0o400)
        with brant.open(path, mode="ro") as db:
            refused("read-only file", {"READ_ONLY"}, lambda: db.call("queues.enqueue", {"queue": "q"}))
    draw = random.Random(4)
    noticed = 0
    for _ in range(60):
        path = copy(base, folder)
        with open(path, "r+b") as file:
            for _ in range(8):
                file.seek(4096 * draw.randrange(1, path.stat().st_size // 4096))
                file.write(draw.randbytes(64))
        try:
            with brant.open(path) as db:
                for operation, input in (("queues.enqueue", {"queue": "q"}), ("queues.claim", {"queue": "q"}), ("streams.publish", {"stream": "s"}), ("queues.stats", {}), ("db.maintain", {})):
                    db.call(operation, input)
                noticed += not db.doctor().ok
        except brant.BrantError as error:
            noticed += 1
            if error.code not in {"CORRUPT", "IO", "NOT_BRANT", "CONSTRAINT", "INTERNAL"}:
                fail(f"overwritten pages: {error!r}")
    print(f"overwritten pages            noticed in {noticed} of 60 files, no crash")
    if noticed < 55:
        fail(f"overwritten pages: noticed in {noticed} of 60 files")
    path = copy(base, folder)
    os.truncate(path, path.stat().st_size // 2)

    def use() -> None:
        with brant.open(path) as db:
            db.call("queues.enqueue", {"queue": "q"})
            health = db.doctor()
            if not health.ok:
                raise brant.Corrupt("the doctor says so")

    refused("cut in half", {"CORRUPT", "IO"}, use)
    refused("no such folder", {"IO", "NOT_FOUND"}, lambda: brant.open(folder / "none" / "f.db"))


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--steps", type=int, default=3)
    parser.add_argument("--every", type=int, default=1, help="try each Nth point only")
    arguments = parser.parse_args()
    with tempfile.TemporaryDirectory() as name:
        base = Path(name) / "base.db"
        prepare(base)
        points(base, Path(name) / "f", arguments.steps, arguments.every)
        damaged(base, Path(name) / "f")
    for text in failures:
        print(f"FAIL {text}")
    print(f"{0 if failures else 1} passed, {len(failures)} failed")
    sys.exit(1 if failures else 0)


if __name__ == "__main__":
    main()
