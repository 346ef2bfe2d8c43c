"""What Python's adapters cost beside their rivals, in one run: the DB-API and SQLAlchemy beside Python's sqlite3, LangGraph's checkpointer beside its own for SQLite.

Both sides have a file of their own with the same journal mode and the same synchronous, which are printed as SQLite says them. Medians of samples in which the two sides take turns, in
microseconds of CPU time (what else the machine does counts for neither), of all threads of the process; commits write to the disk, which CPU time does not show.

    PYTHONPATH=bindings/python build/bench/adapters/bin/python tests/bench/adapters.py [SAMPLES]
"""

from __future__ import annotations

import importlib.metadata
import os
import sqlite3
import statistics
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import sqlalchemy
from langgraph.checkpoint.base import empty_checkpoint
from langgraph.checkpoint.sqlite import SqliteSaver

import brant
import brant.dbapi
import brant.sqlalchemy  # noqa: F401
from brant.langgraph import BrantSaver

SAMPLES = int(sys.argv[1]) if len(sys.argv) > 1 else 9
ROWS = 10_000
PRAGMAS = ("PRAGMA journal_mode = WAL", "PRAGMA synchronous = NORMAL")

Work = Callable[[], Any]


def compare(name: str, ours: Work, theirs: Work, calls: int = 1, unit: int = 1) -> None:
    """`unit`: what one call does so many of."""
    times: tuple[list[float], list[float]] = ([], [])
    for side in (ours, theirs):
        side()  # what is done once is done
    for _ in range(SAMPLES):
        for taken, work in zip(times, (ours, theirs)):
            began = time.process_time_ns()
            for _ in range(calls):
                work()
            taken.append((time.process_time_ns() - began) / 1000 / calls / unit)
    a, b = map(statistics.median, times)
    print(f"{name:44} {a:10.2f} {b:10.2f} {a / b:8.2f}", flush=True)


# ---- DB-API ----------------------------------------------------------------------------------------------------------------

TABLE = "CREATE TABLE goods (id INTEGER PRIMARY KEY, name TEXT NOT NULL, price REAL, data BLOB)"
INSERT = "INSERT INTO goods (name, price, data) VALUES (?, ?, ?)"


def database_interface(folder: Path) -> None:
    ours = brant.dbapi.connect(folder / "ours.db")
    theirs = sqlite3.connect(folder / "theirs.db")
    for statement in PRAGMAS:
        theirs.execute(statement)
    say_settings("DB-API", lambda sql: ours.execute(sql).fetchone()[0], lambda sql: theirs.execute(sql).fetchone()[0])
    rows = [(f"thing {n}", n / 3, None) for n in range(ROWS)]
    blob = os.urandom(4096)
    for side in (ours, theirs):
        side.execute(TABLE)
        side.executemany(INSERT, rows)
        side.commit()

    def point(connection: Any) -> Work:
        return lambda: connection.execute("SELECT id, name, price FROM goods WHERE id = ?", (777,)).fetchone()

    def get_blob(connection: Any) -> Work:
        return lambda: connection.execute("SELECT data FROM blobs WHERE id = ?", (1,)).fetchone()

    def every(connection: Any) -> Work:
        def work() -> None:
            assert len(connection.execute("SELECT id, name, price, data FROM goods LIMIT 10000").fetchall()) == ROWS

        return work

    def insert(connection: Any) -> Work:
        return lambda: connection.execute(INSERT, ("blob", 1.5, blob))

    def commit(connection: Any) -> Work:
        def work() -> None:
            connection.execute(INSERT, ("blob", 1.5, blob))
            connection.commit()

        return work

    def many(connection: Any) -> Work:
        def work() -> None:
            connection.executemany(INSERT, rows)
            connection.rollback()

        return work

    for side in (ours, theirs):
        side.execute("CREATE TABLE blobs (id INTEGER PRIMARY KEY, data BLOB)")
        side.execute("INSERT INTO blobs VALUES (1, ?)", (os.urandom(4096),))
        side.commit()
    compare("SELECT by key, no transaction", point(ours), point(theirs), 1000)
    compare("SELECT 4 kB by key, no transaction", get_blob(ours), get_blob(theirs), 1000)
    compare("SELECT of 10 000 rows", every(ours), every(theirs))
    for side in (ours, theirs):
        side.execute("UPDATE goods SET price = 0 WHERE id = 1")  # a transaction begins
    compare("SELECT by key, in a transaction", point(ours), point(theirs), 1000)
    compare("INSERT of 4 kB, in a transaction", insert(ours), insert(theirs), 1000)
    for side in (ours, theirs):
        side.rollback()
    compare("INSERT of 4 kB and commit", commit(ours), commit(theirs), 200)
    compare("executemany of 10 000 rows", many(ours), many(theirs))
    ours.close()
    theirs.close()


# ---- SQLAlchemy ------------------------------------------------------------------------------------------------------------


def core(folder: Path) -> None:
    engines = [sqlalchemy.create_engine(f"brant:///{folder}/core.db"), sqlalchemy.create_engine(f"sqlite:///{folder}/pysqlite.db")]

    @sqlalchemy.event.listens_for(engines[1], "connect")
    def settings(connection: Any, record: Any) -> None:
        for statement in PRAGMAS:
            connection.execute(statement)

    metadata = sqlalchemy.MetaData()
    goods = sqlalchemy.Table(
        "goods",
        metadata,
        sqlalchemy.Column("id", sqlalchemy.Integer, primary_key=True),
        sqlalchemy.Column("name", sqlalchemy.String, nullable=False),
        sqlalchemy.Column("price", sqlalchemy.Float),
        sqlalchemy.Column("data", sqlalchemy.LargeBinary),
    )
    rows = [{"name": f"thing {n}", "price": n / 3, "data": None} for n in range(ROWS)]
    ours, theirs = [engine.connect() for engine in engines]
    say_settings("SQLAlchemy", *(lambda sql, own=own: own.exec_driver_sql(sql).scalar() for own in (ours, theirs)))
    for side in (ours, theirs):
        side.rollback()
        metadata.create_all(side)
        side.execute(sqlalchemy.insert(goods), rows)
        side.commit()
    blob = os.urandom(4096)
    by_key = sqlalchemy.select(goods).where(goods.c.id == sqlalchemy.bindparam("key"))

    def point(connection: Any) -> Work:
        return lambda: connection.execute(by_key, {"key": 777}).one()

    def every(connection: Any) -> Work:
        return lambda: connection.execute(sqlalchemy.select(goods).limit(ROWS)).all()

    def insert(connection: Any) -> Work:
        return lambda: connection.execute(sqlalchemy.insert(goods), {"name": "blob", "price": 1.5, "data": blob})

    def many(connection: Any) -> Work:
        def work() -> None:
            connection.execute(sqlalchemy.insert(goods), rows)
            connection.rollback()

        return work

    compare("select by key", point(ours), point(theirs), 300)
    compare("select of 10 000 rows", every(ours), every(theirs))
    compare("insert of 4 kB", insert(ours), insert(theirs), 300)
    for side in (ours, theirs):
        side.rollback()
    compare("insert of 10 000 rows", many(ours), many(theirs))
    for side in (ours, theirs):
        side.close()
    for engine in engines:
        engine.dispose()


# ---- LangGraph -------------------------------------------------------------------------------------------------------------


class Conversation:
    """A thread of a graph that has gone on for a while: 20 messages of some 200 bytes, a document of 4 kB that does not change, a few small channels."""

    def __init__(self, saver: Any) -> None:
        self.saver = saver
        self.place: Any = {"configurable": {"thread_id": "t", "checkpoint_ns": ""}}
        self.values: dict[str, Any] = {"messages": [f"message {n} " + "x" * 190 for n in range(20)], "step": 0, "document": os.urandom(4096)}
        self.versions = {name: saver.get_next_version(None, None) for name in self.values}
        self.fresh = dict(self.versions)
        self.put()

    def put(self) -> None:
        for channel in ("messages", "step"):
            self.versions[channel] = self.fresh[channel] = self.saver.get_next_version(self.versions[channel], None)
        checkpoint = empty_checkpoint()
        checkpoint["channel_values"] = dict(self.values)
        checkpoint["channel_versions"] = dict(self.versions)
        self.place = self.saver.put(self.place, checkpoint, {"source": "loop", "step": 1}, self.fresh)
        self.fresh = {}

    def put_writes(self) -> None:
        self.saver.put_writes(self.place, [("messages", ["a" * 200]), ("branch:to:b", None)], "task")

    def get(self) -> None:
        assert self.saver.get_tuple({"configurable": {"thread_id": "t", "checkpoint_ns": ""}}) is not None


def checkpoints(folder: Path) -> None:
    with SqliteSaver.from_conn_string(str(folder / "saver.db")) as saver, brant.open(folder / "brant.db") as db:
        saver.setup()
        for statement in PRAGMAS:
            saver.conn.execute(statement)
        say_settings("LangGraph", lambda sql: db.execute(sql).scalar(), lambda sql: saver.conn.execute(sql).fetchone()[0])
        ours, theirs = Conversation(BrantSaver(db)), Conversation(saver)
        compare("put", ours.put, theirs.put, 50)
        compare("put_writes", ours.put_writes, theirs.put_writes, 50)
        compare("get_tuple", ours.get, theirs.get, 50)


# ---- all -------------------------------------------------------------------------------------------------------------------


def say_settings(name: str, *ask: Callable[[str], Any]) -> None:
    """As each says it; figures of files that are written differently are no comparison."""
    found = [(own("PRAGMA journal_mode"), own("PRAGMA synchronous"), own("PRAGMA page_size")) for own in ask]
    if found[0] != found[1]:
        raise SystemExit(f"{name}: the two sides are set differently: {found}")
    said = f"{name} (journal_mode {found[0][0]}, synchronous {found[0][1]}, page_size {found[0][2]})"
    print(f"\n{said}\n" + " " * 44, f"{'brant':>10} {'rival':>10} {'ratio':>8}")


def main() -> None:
    versions = {name: importlib.metadata.version(name) for name in ("sqlalchemy", "langgraph-checkpoint", "langgraph-checkpoint-sqlite")}
    print(f"Python {sys.version.split()[0]}, sqlite3 with SQLite {sqlite3.sqlite_version}, brant {brant.version()} with SQLite {brant.dbapi.sqlite_version},")
    print(", ".join(f"{name} {version}" for name, version in versions.items()) + f"; CPU time in us, medians of {SAMPLES}")
    with tempfile.TemporaryDirectory() as folder:
        database_interface(Path(folder))
        core(Path(folder))
        checkpoints(Path(folder))


if __name__ == "__main__":
    main()
