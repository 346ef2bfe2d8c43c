"""A side of pairs.py in Python. Arguments: --thread|--asyncio, send|echo, the file, rounds."""

from __future__ import annotations

import asyncio
import sys
import time
from collections.abc import Awaitable, Callable
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent.parent.parent.parent / "bindings" / "python"))

import brant  # noqa: E402


def run(role: str, db: brant.Database, listener: brant.Listener, rounds: int) -> None:
    for n in range(rounds):
        if role == "echo":
            listener.next()
            db.notify("pong", time.monotonic_ns())
            continue
        time.sleep(0.001)
        db.notify("ping", n)
        committed = time.monotonic_ns()
        answer = listener.next()
        assert answer
        print(answer.payload - committed)


async def run_async(role: str, db: brant.Database, listener: brant.Listener, rounds: int) -> None:
    following: Callable[[], Awaitable[brant.Notification]] = listener.__anext__
    for n in range(rounds):
        if role == "echo":
            await following()
            db.notify("pong", time.monotonic_ns())
            continue
        await asyncio.sleep(0.001)
        db.notify("ping", n)
        committed = time.monotonic_ns()
        print((await following()).payload - committed)


def main() -> None:
    how, role, path, rounds = sys.argv[1:]
    with brant.open(path) as db, db.listen("ping" if role == "echo" else "pong") as listener:
        if role == "echo":
            print("ready", flush=True)
        if how == "--thread":
            run(role, db, listener, int(rounds))
        else:
            asyncio.run(run_async(role, db, listener, int(rounds)))


if __name__ == "__main__":
    main()
