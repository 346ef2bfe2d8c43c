"""SQLAlchemy's ORM over brant beside Python's sqlite3, in the same run: rows a second, the best of three. Both in write-ahead logging with synchronous=NORMAL.

    PYTHONPATH=bindings/python build/python-venv-sqlalchemy-2.1/bin/python tests/sqlalchemy/bench.py [ROWS]
"""

from __future__ import annotations

import sys
import tempfile
import time
from collections.abc import Callable
from typing import Any

import sqlalchemy
from sqlalchemy import Engine, create_engine, event, insert, select, text
from sqlalchemy.orm import DeclarativeBase, Mapped, Session, mapped_column

import brant.sqlalchemy  # noqa: F401

ROWS = int(sys.argv[1]) if len(sys.argv) > 1 else 20_000


class Base(DeclarativeBase):
    pass


class Item(Base):
    __tablename__ = "items"

    id: Mapped[int] = mapped_column(primary_key=True)
    name: Mapped[str]
    price: Mapped[float]
    note: Mapped[str | None]


def fields(n: int) -> dict[str, Any]:
    return {"name": f"item {n}", "price": n / 3, "note": "x" * 40}


def flush(engine: Engine) -> None:
    with Session(engine) as session, session.begin():
        session.add_all(Item(**fields(n)) for n in range(ROWS))


def core(engine: Engine) -> None:
    with engine.begin() as connection:
        connection.execute(insert(Item), [fields(n) for n in range(ROWS)])


def load(engine: Engine) -> None:
    with Session(engine) as session:
        assert len(session.scalars(select(Item)).all()) == ROWS


def rows(engine: Engine) -> None:
    with engine.connect() as connection:
        assert len(connection.execute(select(Item.__table__)).all()) == ROWS


def each(engine: Engine) -> None:
    with Session(engine) as session:
        for n in range(1, ROWS // 20):
            assert session.get(Item, n) is not None


def commits(engine: Engine) -> None:
    for n in range(ROWS // 20):
        with Session(engine) as session, session.begin():
            session.add(Item(**fields(n)))


def best(engine: Engine, work: Callable[[Engine], None], empty: bool, count: int) -> float:
    times = []
    for _ in range(3):
        if empty:
            with engine.begin() as connection:
                connection.execute(text("DELETE FROM items"))
        began = time.perf_counter()
        work(engine)
        times.append(time.perf_counter() - began)
    return count / min(times)


def main() -> None:
    folder = tempfile.mkdtemp()
    ours = create_engine(f"brant:///{folder}/brant.db")
    theirs = create_engine(f"sqlite:///{folder}/plain.db")

    @event.listens_for(theirs, "connect")
    def settings(connection: Any, record: Any) -> None:
        connection.execute("PRAGMA journal_mode = WAL")
        connection.execute("PRAGMA synchronous = NORMAL")

    for engine in (ours, theirs):
        Base.metadata.create_all(engine)
    print(f"SQLAlchemy {sqlalchemy.__version__}, {ROWS} rows", "brant", "pysqlite", "ratio", sep="\t")
    for name, work, empty, count in (
        ("ORM flush, RETURNING", flush, True, ROWS),
        ("Core executemany", core, True, ROWS),
        ("ORM load", load, False, ROWS),
        ("Core select", rows, False, ROWS),
        ("ORM get by key", each, False, ROWS // 20),
        ("ORM one row a commit", commits, False, ROWS // 20),
    ):
        a, b = (best(engine, work, empty, count) for engine in (ours, theirs))
        print(f"{name:24}\t{a:9.0f}\t{b:9.0f}\t{a / b:.2f}")
    ours.dispose()
    theirs.dispose()


if __name__ == "__main__":
    main()
