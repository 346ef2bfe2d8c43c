#!/usr/bin/env python3
"""Four processes write one file and one reads it, in Python and Node.js: no commit is lost, nobody sees half of one, nobody gets an error.

    tests/torture/contention.py [--seconds 60] [--kill]

Each writer commits transactions that put two nodes, an edge between them and a counter, and notes each one in its ledger after the commit has returned. The reader takes
read transactions and checks in each that pairs are whole and that counters never go back. At the end every noted commit must be in the file, each counter must say at least
as much as its ledger, and the file must be well. With --kill a writer is killed (SIGKILL) every second and another takes its place: what a killed one was about to note may be there or not.
"""

from __future__ import annotations

import argparse
import random
import signal
import subprocess
import sys
import tempfile
import time
from pathlib import Path

HERE = Path(__file__).resolve().parent
ROOT = HERE.parent.parent
sys.path.insert(0, str(ROOT / "bindings" / "python"))

import brant  # noqa: E402


def write(path: str, ledger: str, name: str, until: float) -> None:
    """A writer: also contention.mjs, in the same way."""
    with brant.open(path, busy_timeout=600) as db, open(ledger, "a", buffering=1) as noted:
        graph = db.graph("shared")
        counter = f"counter-{name}"
        stored = graph.nodes.get(counter).attributes["count"] if graph.nodes.exists(counter) else 0
        while time.time() < until:
            stored += 1
            with db.transaction():
                graph.nodes.put(f"{name}-{stored}-a", {"by": name})
                graph.nodes.put(f"{name}-{stored}-b", {"by": name})
                graph.edges.put(f"{name}-{stored}-a", f"{name}-{stored}-b")
                graph.nodes.put(counter, {"count": stored})
            noted.write(f"{stored}\n")


def read(path: str, until: float) -> int:
    """Read until then; the number of looks. Raises for what must not be seen."""
    looks, seen = 0, {}
    with brant.open(path, busy_timeout=600) as db:
        graph = db.graph("shared")
        while time.time() < until:
            with db.transaction("read"):
                nodes, edges = graph.nodes.count(), graph.edges.count()
                counters = {node.key: node.attributes["count"] for node in graph.nodes.list(prefix="counter-", limit=1000).items}
                if nodes != 2 * edges + len(counters) or edges != sum(counters.values()):
                    raise AssertionError(f"{nodes} nodes, {edges} edges, counters {counters}")
                for key, count in counters.items():
                    if count < seen.get(key, 0):
                        raise AssertionError(f"{key} went back from {seen[key]} to {count}")
                    name = key.removeprefix("counter-")
                    newest = graph.edges.list(source=f"{name}-{count}-a").items
                    if count and (len(newest) != 1 or not graph.nodes.exists(f"{name}-{count}-b")):
                        raise AssertionError(f"commit {count} of {name} is not whole")
                seen = counters
            looks += 1
    return looks


def start(path: Path, folder: Path, name: str, until: float) -> subprocess.Popen[bytes]:
    program = ["node", str(HERE / "contention.mjs")] if int(name) % 2 else [sys.executable, __file__, "--write"]
    return subprocess.Popen([*program, str(path), str(folder / f"ledger-{name}"), name, str(until)])


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--seconds", type=float, default=60)
    parser.add_argument("--kill", action="store_true")
    parser.add_argument("--seed", type=int, default=int(time.time()))
    arguments = parser.parse_args()
    draw = random.Random(arguments.seed)
    print(f"seed {arguments.seed}, {arguments.seconds:.0f} s, {'writers are killed' if arguments.kill else 'nobody is killed'}", flush=True)
    with tempfile.TemporaryDirectory() as folder_name:
        folder = Path(folder_name)
        path = folder / "shared.db"
        with brant.open(path) as db:
            db.graphs.create("shared", "open")
        until = time.time() + arguments.seconds
        writers = {str(i): start(path, folder, str(i), until) for i in range(4)}
        reader = subprocess.Popen([sys.executable, __file__, "--read", str(path), str(until)], stdout=subprocess.PIPE)
        killed, failures = 0, []
        try:
            while time.time() < until - 1:
                time.sleep(min(1.0, max(0.0, until - 1 - time.time())))
                for name, process in writers.items():
                    if process.poll() not in (None, 0):
                        failures.append(f"writer {name} ended with {process.returncode}")
                if failures or not arguments.kill:
                    continue
                name = draw.choice(list(writers))
                writers[name].send_signal(signal.SIGKILL)
                writers[name].wait()
                killed += 1
                writers[name] = start(path, folder, name, until)
            for name, process in writers.items():
                if process.wait(timeout=1200) != 0:
                    failures.append(f"writer {name} ended with {process.returncode}")
            looks = reader.communicate(timeout=1200)[0].decode().strip()
            if reader.returncode != 0:
                failures.append("the reader failed")
        finally:
            for process in [*writers.values(), reader]:
                if process.poll() is None:
                    process.kill()

        commits = 0
        with brant.open(path) as db:
            graph = db.graph("shared")
            for name in writers:
                ledger = folder / f"ledger-{name}"
                text = ledger.read_text() if ledger.exists() else ""
                noted = [int(line) for line in text.split("\n")[:-1] if line]
                commits += len(noted)
                counter = f"counter-{name}"
                stored = graph.nodes.get(counter).attributes["count"] if graph.nodes.exists(counter) else 0  # it may have begun too late to commit
                if noted and stored < noted[-1]:
                    failures.append(f"writer {name} noted {noted[-1]}, the file has {stored}")
                if noted != sorted(set(noted)):
                    failures.append(f"writer {name} noted a commit twice")
                for start_at in range(0, len(noted), 1000):
                    part = noted[start_at : start_at + 1000]
                    for end in "ab":
                        missing = [n for n, node in zip(part, graph.nodes.get_many([f"{name}-{n}-{end}" for n in part])) if node is None]
                        if missing:
                            failures.append(f"writer {name}: {len(missing)} commits are lost, first {missing[0]}")
                if not arguments.kill and stored != len(noted):
                    failures.append(f"writer {name} noted {len(noted)} commits, the file has {stored}")
            health = db.doctor()
            if not health.ok:
                failures.append(f"the file is not well: {[check for check in health.checks if not check.ok]}")
        print(f"{commits:,} commits of 4 writers ({commits / arguments.seconds:,.0f}/s), {looks} looks of a reader, {killed} writers killed")
    for failure in failures:
        print(f"FAIL {failure}")
    print(f"{0 if failures else 1} passed, {len(failures)} failed")
    sys.exit(1 if failures else 0)


if __name__ == "__main__":
    if sys.argv[1:2] == ["--write"]:
        write(sys.argv[2], sys.argv[3], sys.argv[4], float(sys.argv[5]))
    elif sys.argv[1:2] == ["--read"]:
        print(f"{read(sys.argv[2], float(sys.argv[3])):,}")
    else:
        main()
