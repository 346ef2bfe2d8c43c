"""One worker of events.py, in Python: what it does is the same in worker.c, worker.mjs and go/worker.go.

    worker.py FILE LEDGER NAME SEED UNTIL

Until UNTIL (s since the epoch) it draws what to do next: the functions of `Worker` named in STEPS, with their weights. A uid is NAME-<n>; those of events begin with "e". Lines of the ledger: `> uid`
before it asks, `+ uid id` once it was acknowledged, `s id` when it was told STALE, `! text` when it saw what must not be.
"""

from __future__ import annotations

import os
import random
import sys
import time
from pathlib import Path
from types import TracebackType
from typing import Any

ROOT = Path(__file__).resolve().parent.parent.parent
sys.path.insert(0, str(ROOT / "bindings" / "python"))

import brant  # noqa: E402

LEASE = 400  # ms, of jobs, group members and the consumer's lock
QUEUES = ["plain", "keyed", "ordered", "ticks"]
STEPS = {"produce": 20, "work": 30, "publish": 10, "consume": 10, "share": 10, "guard": 6, "tick": 6, "notify": 10, "change": 6}
TABLES = [
    "CREATE TABLE runs (row INTEGER PRIMARY KEY, what TEXT, queue TEXT, key TEXT, uid TEXT, job INTEGER, token INTEGER, lease_until INTEGER)",
    "CREATE TABLE seen (row INTEGER PRIMARY KEY, consumer TEXT, offset INTEGER, uid TEXT, token INTEGER)",
    "CREATE TABLE guarded (row INTEGER PRIMARY KEY, what TEXT, token INTEGER)",
    "CREATE TABLE fires (row INTEGER PRIMARY KEY, at INTEGER, job INTEGER)",
]


class Lost(Exception):
    """What the transaction stands on is not so any more: it is rolled back."""


class Worker:
    def __init__(self, path: str, ledger: str, name: str, seed: int) -> None:
        self.db = brant.open(path, busy_timeout=600)
        self.ledger = os.open(ledger, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)
        self.name = name
        self.draw = random.Random(seed)
        self.made = self.said = 0
        self.heard: dict[str, int] = {}
        self.listener = self.db.listen("n")

    def __enter__(self) -> Worker:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        self.db.close()
        os.close(self.ledger)

    def note(self, line: str) -> None:
        os.write(self.ledger, f"{line}\n".encode())

    def chance(self, percent: int) -> bool:
        return self.draw.randrange(100) < percent

    def uid(self, prefix: str = "") -> str:
        self.made += 1
        return f"{prefix}{self.name}-{self.made}"

    def nap(self, most: int) -> None:
        time.sleep(self.draw.randrange(most + 1) / 1000)

    # ---- jobs -----------------------------------------------------------------------------------------------------------

    def produce(self) -> None:
        uid = self.uid()
        kind = self.draw.randrange(4)
        if kind == 3:
            uids = [uid + end for end in ("-a", "-b", "-c")]
            for each in uids:
                self.note(f"> {each}")
            items = [{"payload": {"uid": each}, **({"after": [{"item": i - 1}]} if i else {})} for i, each in enumerate(uids)]
            ids = self.db.call("queues.enqueue_many", {"queue": "plain", "items": items})["ids"]
            for each, id in zip(uids, ids):
                self.note(f"+ {each} {id}")
            return
        job: dict[str, Any] = {"queue": QUEUES[kind], "payload": {"uid": uid}, "priority": self.draw.randrange(3)}
        if kind == 0 and self.chance(30):
            job["delay"] = self.draw.randrange(200)
        if kind > 0:
            job["key"] = f"k{self.draw.randrange(4)}"
        if kind == 2:
            job["priority"] = 0
        self.note(f"> {uid}")
        id = self.db.call("queues.enqueue", job)["id"]
        self.note(f"+ {uid} {id}")

    def run(self, what: str, job: dict[str, Any]) -> None:
        values = [what, job["queue"], job.get("key"), job["payload"]["uid"], job["id"], job["token"], job["lease_until"]]
        self.db.execute("INSERT INTO runs (what, queue, key, uid, job, token, lease_until) VALUES (?, ?, ?, ?, ?, ?, ?)", values)

    def end(self, what: str, name: str, job: dict[str, Any], **members: Any) -> None:
        """The row and the operation, or neither."""
        try:
            with self.db.transaction():
                self.run(what, job)
                answer = self.db.call(name, {"id": job["id"], "token": job["token"], **members})
                if what == "beat":
                    job["lease_until"] = answer["lease_until"]
                    self.db.execute("UPDATE runs SET lease_until = ? WHERE row = last_insert_rowid()", [job["lease_until"]])
        except brant.Stale:
            self.note(f"s {job['id']}")

    def work(self, queue: str | None = None, always: bool = False) -> None:
        queue = queue or QUEUES[max(0, self.draw.randrange(6) - 2)]  # what most of the jobs are in
        with self.db.transaction():
            jobs = self.db.call("queues.claim", {"queue": queue, "worker": self.name, "limit": 50 if always else self.draw.randrange(1, 4), "lease": LEASE})["items"]
            for job in jobs:
                self.run("begin", job)
        for job in jobs:
            fate = 99 if always else self.draw.randrange(100)
            if fate < 6:
                self.end("fail", "jobs.fail", job, error="drawn", delay=self.draw.randrange(100))
                continue
            if fate < 10:
                self.end("release", "jobs.release", job)
                continue
            if fate < 14:
                time.sleep((LEASE + 100) / 1000)
            elif fate < 20:
                self.end("beat", "jobs.heartbeat", job, lease=LEASE)
            self.end("done", "jobs.ack", job)

    # ---- streams --------------------------------------------------------------------------------------------------------

    def publish(self) -> None:
        if self.chance(50):
            uid = self.uid("e")
            self.note(f"> {uid}")
            self.note(f"+ {uid} {self.db.call('streams.publish', {'stream': 'events', 'payload': {'uid': uid}})['offset']}")
            return
        uids = [self.uid("e") for _ in range(3)]
        for uid in uids:
            self.note(f"> {uid}")
        first = self.db.call("streams.publish_many", {"stream": "events", "items": [{"payload": {"uid": uid}} for uid in uids]})["first"]
        for i, uid in enumerate(uids):
            self.note(f"+ {uid} {first + i}")

    def see(self, consumer: str, events: list[dict[str, Any]], token: int) -> None:
        for event in events:
            values = [consumer, event["offset"], event["payload"]["uid"], event.get("token", token)]
            self.db.execute("INSERT INTO seen (consumer, offset, uid, token) VALUES (?, ?, ?, ?)", values)

    def holds(self, name: str, token: int) -> bool:
        try:
            return bool(self.db.call("locks.get", {"name": name})["token"] == token)
        except brant.NotFound:
            return False

    def consume(self, always: bool = False) -> None:
        """A named consumer whose effects and offset commit together, one process at a time by a lock, which the transaction checks."""
        lock = self.db.call("locks.acquire", {"name": "consumer", "owner": self.name, "ttl": LEASE})
        if not lock["acquired"]:
            return
        try:
            offset = self.db.call("consumers.get", {"stream": "events", "consumer": "one"})["offset"]
        except brant.NotFound:
            offset = 0
        events = self.db.call("streams.read", {"stream": "events", "after": offset, "limit": 20})["items"]
        if not always and self.chance(3):
            time.sleep((LEASE + 100) / 1000)
        try:
            with self.db.transaction():
                if not self.holds("consumer", lock["token"]):
                    raise Lost
                self.see("one", events, lock["token"])
                if events:
                    self.db.call("consumers.commit", {"stream": "events", "consumer": "one", "offset": events[-1]["offset"]})
            self.db.call("locks.release", {"name": "consumer", "token": lock["token"]})
        except (Lost, brant.Stale):
            self.note("s consumer")

    def share(self, always: bool = False) -> None:
        events = self.db.call("consumers.claim", {"stream": "events", "group": "share", "member": self.name, "limit": 5, "lease": LEASE})["items"]
        if not events or (not always and self.chance(10)):
            return
        if not always and self.chance(3):
            time.sleep((LEASE + 100) / 1000)
        try:
            with self.db.transaction():
                self.see("share", events, 0)
                items = [{"offset": event["offset"], "token": event["token"]} for event in events]
                if self.db.call("consumers.ack", {"stream": "events", "group": "share", "items": items})["stale"]:
                    raise Lost
        except Lost:
            self.note("s share")

    # ---- locks, schedules, notifications, changes ---------------------------------------------------------------------------

    def guard(self) -> None:
        lock = self.db.call("locks.acquire", {"name": "guard", "owner": self.name, "ttl": 300})
        if not lock["acquired"]:
            return
        for what in ("in", "out"):
            with self.db.transaction():
                if self.holds("guard", lock["token"]):
                    self.db.execute("INSERT INTO guarded (what, token) VALUES (?, ?)", [what, lock["token"]])
            if what == "in":
                self.nap(400 if self.chance(3) else 5)
        try:
            self.db.call("locks.release", {"name": "guard", "token": lock["token"]})
        except brant.Stale:
            self.note("s guard")

    def tick(self) -> None:
        with self.db.transaction():
            for fire in self.db.call("schedules.tick", {})["fired"]:
                self.db.execute("INSERT INTO fires (at, job) VALUES (?, ?)", [fire["at"], fire["id"]])

    def notify(self) -> None:
        try:
            with self.db.transaction():
                if self.chance(10):
                    self.db.call("events.notify", {"channel": "n", "payload": {"from": self.name, "n": -1}})
                    raise Lost
                self.db.call("events.notify", {"channel": "n", "payload": {"from": self.name, "n": self.said + 1}})
            self.said += 1
        except Lost:
            pass

    def change(self) -> None:
        key = f"k{self.draw.randrange(50)}"
        if self.chance(20):
            try:
                self.db.call("nodes.delete", {"graph": "g", "key": key})
            except brant.NotFound:
                pass
        else:
            self.db.call("nodes.put", {"graph": "g", "key": key, "attributes": {"by": self.name, "n": self.draw.randrange(1000)}})

    def listen(self) -> None:
        for item in self.listener.take(0):
            if item.gap:
                self.heard.clear()
                continue
            sender, n = item.payload["from"], item.payload["n"]
            if n < 0:
                self.note(f"! heard what {sender} rolled back")
            elif sender in self.heard and n != self.heard[sender] + 1:
                self.note(f"! heard {n} of {sender} after {self.heard[sender]}")
            self.heard[sender] = n

    def step(self) -> None:
        getattr(self, self.draw.choices(list(STEPS), list(STEPS.values()))[0])()
        self.listen()


def main() -> None:
    path, ledger, name, seed, until = sys.argv[1:]
    with Worker(path, ledger, name, int(seed)) as self:
        while time.time() < float(until):
            self.step()


if __name__ == "__main__":
    main()
