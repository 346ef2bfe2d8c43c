#!/usr/bin/env python3
"""Secrets are rotated to one new key after the other by processes that are killed, while others change them and add new ones: none is lost.

    tests/torture/rotate.py [--secrets 100000] [--kills 10] [--seed N]

The processes are torture_rotate (rotate_worker.c). First a rotation alone is measured, beside what opening and sealing cost by themselves. Then two processes rotate at once and are
killed (SIGKILL) at random moments, before they are done, and others take their place; whenever they are done, the next key begins. A tenth as many values are plain
when that begins, in a graph with a change log. Two writers change and add secrets meanwhile, each
change noted in a ledger before and after; they are killed now and then too, and one of them gets each new ring late, so that it writes under the key before. At the end all is
rotated once more, and every secret must be there once, under the newest key, and open to the value that was acknowledged last, and nothing of what was plain in the file.
"""

from __future__ import annotations

import argparse
import base64
import hashlib
import json
import os
import random
import resource
import signal
import sqlite3
import subprocess
import sys
import tempfile
import time
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent.parent
BUILD = Path(os.environ.get("BRANT_BUILD", ROOT / "build" / "release"))
PROGRAM = BUILD / "bin" / "torture_rotate"
BATCH = 200
WRITERS = 2


class Torture:
    def __init__(self, folder: Path, secrets: int, kills: int, chance: random.Random) -> None:
        self.folder, self.file = folder, folder / "secrets.db"
        self.secrets, self.wanted, self.chance = secrets, kills, chance
        self.version = 1
        self.kills = self.writer_kills = self.changes = 0
        self.writers: dict[int, subprocess.Popen[bytes]] = {}
        self.rotators: list[subprocess.Popen[bytes]] = []
        self.late: tuple[float, int] | None = None  # a writer that gets its ring then

    # ---- processes

    def ring(self, version: int) -> Path:
        path = self.folder / f"ring-{version}.json"
        if not path.exists():
            keys = []
            for v in range(1, version + 1):
                key = base64.urlsafe_b64encode(hashlib.sha256(b"%d" % v).digest()).rstrip(b"=").decode()
                keys.append({"version": v, "key": key, "state": "active" if v == version else "decrypt_only"})
            path.write_text(json.dumps({"keys": keys}))
        return path

    def command(self, what: str, *arguments: object, version: int | None = None) -> list[str]:
        return [str(PROGRAM), what, str(self.file), str(self.ring(version or self.version)), *map(str, arguments)]

    def run(self, what: str, *arguments: object) -> str:
        done = subprocess.run(self.command(what, *arguments), capture_output=True, text=True, timeout=3600)
        if done.returncode:
            raise AssertionError(f"{what}: {done.stderr}")
        return done.stdout

    def start_writer(self, number: int) -> None:
        ledger = self.folder / f"ledger-{number}"
        arguments = (ledger, f"w{number}", number, WRITERS, self.secrets)
        self.writers[number] = subprocess.Popen(self.command("write", *arguments), stdin=subprocess.PIPE)

    def stop_writer(self, number: int) -> None:
        writer = self.writers.pop(number)
        if writer.stdin:
            writer.stdin.close()
        if writer.wait(1200) != 0:
            raise AssertionError(f"writer {number} ended with {writer.returncode}")

    def next_version(self) -> None:
        self.version += 1
        number = self.chance.randrange(WRITERS)
        for other in list(self.writers):
            if other != number:
                self.stop_writer(other)
                self.start_writer(other)
        self.late = (time.monotonic() + self.chance.uniform(0, 0.5), number)

    def serve_late(self, now: bool = False) -> None:
        if self.late and (now or time.monotonic() >= self.late[0]):
            number, self.late = self.late[1], None
            self.stop_writer(number)
            self.start_writer(number)

    def kill(self, process: subprocess.Popen[bytes]) -> bool:
        """False: it had ended by itself."""
        process.send_signal(signal.SIGKILL)
        return process.wait(1200) == -signal.SIGKILL

    # ---- the course

    def measure(self) -> tuple[float, float, float]:
        """Seconds of a rotation of all, those of its processor, and those of opening and sealing as many values."""
        self.version += 1
        began, before = time.monotonic(), resource.getrusage(resource.RUSAGE_CHILDREN)
        done = json.loads(self.run("rotate", 1000))
        took, after = time.monotonic() - began, resource.getrusage(resource.RUSAGE_CHILDREN)
        busy = after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime
        if done["keys"] != [{"version": self.version, "count": self.secrets}]:
            raise AssertionError(f"the first rotation: {done}")
        return took, busy, float(self.run("primitives", 50000)) * self.secrets / 1e9

    def harass(self, whole: float) -> None:
        self.run("plain", self.secrets // 10)
        self.next_version_alone()
        while self.kills < self.wanted:
            while len(self.rotators) < 2:
                self.rotators.append(subprocess.Popen(self.command("rotate", BATCH), stdout=subprocess.DEVNULL, stderr=subprocess.PIPE))
            time.sleep(self.chance.uniform(0.005, max(0.3 * whole, 0.03)))
            self.serve_late()
            ended = [rotator for rotator in self.rotators if rotator.poll() is not None]
            if ended:
                self.finish(ended)
                continue
            for victim in self.chance.sample(self.rotators, self.chance.choice((1, 1, 2))):
                if self.kill(victim):
                    self.kills += 1
                    self.rotators.remove(victim)
            if self.chance.random() < 0.3:
                number = self.chance.choice([n for n in self.writers if not (self.late and self.late[1] == n)] or [None])
                if number is not None:
                    writer = self.writers.pop(number)
                    if not self.kill(writer):
                        raise AssertionError(f"writer {number} ended with {writer.returncode}")
                    self.writer_kills += 1
                    self.start_writer(number)

    def next_version_alone(self) -> None:
        self.version += 1
        for number in range(WRITERS):
            self.start_writer(number)

    def finish(self, ended: list[subprocess.Popen[bytes]]) -> None:
        """One of them is done: the others stop, and the next key begins."""
        for rotator in ended:
            if rotator.returncode:
                raise AssertionError(f"a rotation ended with {rotator.returncode}: {rotator.stderr.read().decode() if rotator.stderr else ''}")
        for rotator in self.rotators:
            self.kill(rotator)
        self.rotators = []
        self.serve_late(now=True)
        self.next_version()

    def end(self) -> None:
        for rotator in self.rotators:
            self.kill(rotator)
        for number in list(self.writers):
            self.stop_writer(number)

    # ---- the end

    def allowed(self) -> tuple[dict[str, set[str]], set[str]]:
        """What each key may hold, and the keys that may be missing."""
        values = {f"s{n}": {f"fill-{n}-{n:048d}"} for n in range(self.secrets)}
        values |= {f"p{n}": {f"canary-{n}-{n:048d}"} for n in range(self.secrets // 10)}
        unsure: set[str] = set()
        for ledger in self.folder.glob("ledger-*"):
            for line in ledger.read_text().splitlines():
                mark, key, value = line.split(" ")
                if mark == "+":
                    values[key] = {value}
                    unsure.discard(key)
                elif key in values:
                    values[key].add(value)
                else:
                    values[key] = {value}
                    unsure.add(key)
        return values, unsure

    def check(self) -> int:
        final = json.loads(self.run("rotate", 1000).splitlines()[-1])
        seen: dict[str, str] = {}
        for line in (self.run("dump", "secrets") + self.run("dump", "late")).splitlines():
            key, version, value = line.split("\t")
            if key in seen:
                raise AssertionError(f"{key} is there twice")
            if int(version) != self.version:
                raise AssertionError(f"{key} is under key {version}, not {self.version}")
            seen[key] = value
        values, unsure = self.allowed()
        lost = values.keys() - seen.keys() - unsure
        if lost or seen.keys() - values.keys():
            raise AssertionError(f"lost: {sorted(lost)[:5]}; of nobody: {sorted(seen.keys() - values.keys())[:5]}")
        for key, value in seen.items():
            if value not in values[key]:
                raise AssertionError(f"{key} is {value}, not one of {values[key]}")
        if final["keys"] != [{"version": self.version, "count": len(seen)}] or final["failed"]:
            raise AssertionError(f"secrets.rotate says {final}")
        status = json.loads(self.run("call", "secrets.status", "{}"))
        if status["keys"] != [{"version": self.version, "state": "active", "count": len(seen)}] or not status["rotation"]["done"]:
            raise AssertionError(f"secrets.status says {status}")
        doctor = json.loads(self.run("call", "db.doctor", "{}"))
        if not doctor["ok"]:
            raise AssertionError(f"db.doctor says {doctor}")
        for ending in ("", "-wal"):
            file = Path(f"{self.file}{ending}")
            if not final["scrubbed"] or (file.exists() and b"canary" in file.read_bytes()):
                raise AssertionError("what was plain is still in the file")
        with sqlite3.connect(self.file) as raw:
            if raw.execute("PRAGMA integrity_check").fetchall() != [("ok",)]:
                raise AssertionError("the file is not well")
        self.changes = sum(ledger.read_text().count("+ ") for ledger in self.folder.glob("ledger-*"))
        return len(seen)


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--secrets", type=int, default=100_000)
    parser.add_argument("--kills", type=int, default=10)
    parser.add_argument("--seed", type=int, default=random.randrange(1 << 30))
    options = parser.parse_args()
    print(f"seed {options.seed}", flush=True)
    began = time.monotonic()
    with tempfile.TemporaryDirectory(prefix="brant-rotate-") as folder:
        torture = Torture(Path(folder), options.secrets, options.kills, random.Random(options.seed))
        try:
            torture.run("fill", options.secrets)
            whole, busy, bare = torture.measure()
            print(
                f"alone: {options.secrets} secrets in {whole:.2f} s, {options.secrets / whole:.0f}/s; of the processor {busy:.2f} s, {options.secrets / busy:.0f}/s, where opening and "
                f"sealing by themselves take {bare:.2f} s, {options.secrets / bare:.0f}/s: {100 * bare / busy:.0f} %",
                flush=True,
            )
            torture.harass(whole)
            torture.end()
            found = torture.check()
        except AssertionError as fault:
            for process in [*torture.rotators, *torture.writers.values()]:
                torture.kill(process)
            print(f"rotate: {fault}", file=sys.stderr)
            print("0 passed, 1 failed")
            return 1
    print(
        f"{found} secrets under key {torture.version}, each open to its last value, after {torture.changes} changes, {torture.kills} kills of rotations "
        f"and {torture.writer_kills} of writers, in {time.monotonic() - began:.0f} s"
    )
    print("1 passed, 0 failed")
    return 0


if __name__ == "__main__":
    sys.exit(main())
