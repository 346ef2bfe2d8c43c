#!/usr/bin/env python3
"""How soon a waiting process has what another committed, between each pair of languages: commit to delivery.

    tests/bench/pairs/pairs.py [--rounds 500] [--languages c,python,asyncio,node,go]

One process notifies, notes when its commit has returned, and waits for the answer; the other waits as its language does (a thread, asyncio, an event loop, a goroutine), reads the clock when it
has the notification, and answers with the time. Both clocks are the machine's monotonic one. Between rounds both are asleep.
"""

from __future__ import annotations

import argparse
import os
import statistics
import subprocess
import sys
import tempfile
from pathlib import Path

HERE = Path(__file__).resolve().parent
ROOT = HERE.parent.parent.parent
sys.path.insert(0, str(ROOT / "bindings" / "python"))

import brant  # noqa: E402

BUILD = Path(os.environ.get("BRANT_BUILD", ROOT / "build" / "release"))
PEERS = {
    "c": [str(BUILD / "bin" / "bench_peer")],
    "python": [sys.executable, str(HERE / "peer.py"), "--thread"],
    "asyncio": [sys.executable, str(HERE / "peer.py"), "--asyncio"],
    "node": ["node", str(HERE / "peer.mjs")],
    "go": [str(ROOT / "build" / "peer_go")],
}


def measure(sender: str, receiver: str, rounds: int, path: str) -> list[float]:
    """Microseconds from the commit's return to delivery."""
    with brant.open(path):
        pass
    echo = subprocess.Popen([*PEERS[receiver], "echo", path, str(rounds)], stdout=subprocess.PIPE)
    assert echo.stdout and echo.stdout.readline() == b"ready\n", f"{receiver} does not listen"
    send = subprocess.run([*PEERS[sender], "send", path, str(rounds)], stdout=subprocess.PIPE, check=True, timeout=120)
    echo.wait(timeout=30)
    return [max(0, int(line)) / 1000 for line in send.stdout.split()]


def main() -> None:
    parser = argparse.ArgumentParser(description=(__doc__ or "").split("\n")[0])
    parser.add_argument("--rounds", type=int, default=500)
    parser.add_argument("--languages", default="c,python,asyncio,node,go")
    arguments = parser.parse_args()
    names = arguments.languages.split(",")
    worst = 0.0
    print(f"{arguments.rounds} rounds each; us from the commit's return to delivery: p50 / p99; rows: who commits, columns: who waits")
    print(f"{'':<10}" + "".join(f"{name:>16}" for name in names))
    with tempfile.TemporaryDirectory() as folder:
        for sender in names:
            cells = []
            for receiver in names:
                times = sorted(measure(sender, receiver, arguments.rounds, f"{folder}/{sender}-{receiver}.db"))
                worst = max(worst, statistics.median(times))
                cells.append(f"{statistics.median(times):.0f} / {times[len(times) * 99 // 100]:.0f}")
            print(f"{sender:<10}" + "".join(f"{cell:>16}" for cell in cells), flush=True)
    print(f"the slowest pair's p50: {worst:.0f} us")


if __name__ == "__main__":
    main()
