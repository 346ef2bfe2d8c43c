"""A program of SQLAlchemy's over brant: its rows and all else in the file are one transaction."""

from __future__ import annotations

import datetime
import decimal
import subprocess
import sys
import threading
import uuid
from pathlib import Path

import pytest
import sqlalchemy
from conftest import Base, Customer, Order, Size, seen
from sqlalchemy import Column, Engine, Integer, MetaData, Table, create_engine, delete, event, exc, func, insert, inspect, pool, select, text, update
from sqlalchemy.dialects.sqlite import insert as upsert
from sqlalchemy.orm import Session, selectinload

import brant
import brant.sqlalchemy
from brant import dbapi
from brant.sqlalchemy import handle

print("SQLAlchemy", sqlalchemy.__version__, "SQLite", dbapi.sqlite_version)


def test_types(engine: Engine) -> None:
    given = {
        "at": datetime.datetime(2026, 11, 21, 22, 7, 1, 123456), "day": datetime.date(2026, 11, 21), "number": uuid.uuid4(), "amount": decimal.Decimal("12.30"),
        "size": Size.LARGE, "data": {"é": [1, None, 1.5]}, "scan": bytes(range(256)), "paid": True,
    }  # fmt: skip
    with Session(engine) as session, session.begin():
        session.add(Customer(name="ann", orders=[Order(**given), Order()]))
    with Session(engine) as session:
        ann = session.scalars(select(Customer).options(selectinload(Customer.orders))).one()
        assert {name: getattr(ann.orders[0], name) for name in given} == given
        assert all(getattr(ann.orders[1], name) is None for name in given)
        assert session.scalar(select(Order.data["é"][2].as_float()).where(Order.paid)) == 1.5
        session.delete(ann)
        session.commit()
        assert session.scalar(select(func.count()).select_from(Order)) == 0


@pytest.mark.parametrize("commits", [True, False])
def test_one_transaction(engine: Engine, db: brant.Database, commits: bool) -> None:
    with Session(engine) as session:
        inside = handle(session)  # before any row: it begins the transaction
        inside.queue("mail").enqueue({"to": "ann"})
        session.add(Customer(name="ann"))
        session.flush()
        inside.notify("customers", 1)
        assert seen(db) == (0, 0, 0)
        if commits:
            session.commit()
    assert seen(db) == ((1, 1, 1) if commits else (0, 0, 0))


def test_savepoints(engine: Engine, db: brant.Database) -> None:
    with Session(engine) as session, session.begin():
        session.add(Customer(name="ann"))
        with pytest.raises(exc.IntegrityError) as caught, session.begin_nested():
            handle(session).queue("mail").enqueue(1)
            session.add(Customer(name="ann"))
        assert isinstance(caught.value.orig, dbapi.IntegrityError) and isinstance(caught.value.orig.__cause__, brant.Constraint)
        with session.begin_nested():
            handle(session).notify("customers", 1)
            session.add(Customer(name="bob"))
    assert seen(db) == (2, 0, 1)


def test_core(engine: Engine, db: brant.Database) -> None:
    customers = Customer.__table__
    with engine.begin() as connection:
        assert connection.execute(insert(customers), [{"name": f"c{n}"} for n in range(12_000)]).rowcount == 12_000
        ids = connection.execute(insert(customers).returning(customers.c.id), [{"name": "x"}, {"name": "y"}]).scalars().all()
        assert len(ids) == 2 and connection.execute(update(customers).where(customers.c.id < 11).values(name=customers.c.name + "!")).rowcount == 10
        merge = upsert(customers).values(name="x").on_conflict_do_update(index_elements=["name"], set_={"name": "z"})
        connection.execute(merge)
        assert connection.connection.brant is handle(connection)  # the pool's proxy has it, too
        handle(connection).queue("mail").enqueue(1)
    assert seen(db) == (12_002, 1, 0)
    with engine.connect() as connection:
        assert connection.execute(text("SELECT name FROM customers WHERE id = :id"), {"id": ids[0]}).scalar() == "z"


def test_isolation(engine: Engine, path: Path) -> None:
    writer = create_engine(f"brant:///{path}?timeout=0.1")
    with engine.connect() as reading, writer.connect() as writing:
        assert reading.get_isolation_level() == reading.default_isolation_level == "READ COMMITTED"
        reading.execute(select(Customer))  # holds nothing
        writing.execute(insert(Customer).values(name="ann"))
        writing.commit()
        assert reading.scalar(select(func.count(Customer.id))) == 1
        reading.rollback()
        reading.execution_options(isolation_level="SERIALIZABLE").scalar(select(func.count(Customer.id)))
        with pytest.raises(exc.OperationalError) as busy:
            writing.execute(insert(Customer).values(name="bob"))
        assert busy.value.orig is not None and getattr(busy.value.orig, "code", "") == "BUSY"
        writing.rollback()
        reading.rollback()
        reading.execution_options(isolation_level="REPEATABLE READ").scalar(select(func.count(Customer.id)))
        writing.execute(insert(Customer).values(name="bob"))
        writing.commit()
        assert reading.scalar(select(func.count(Customer.id))) == 1
        with pytest.raises(exc.OperationalError, match="begin anew"):
            reading.execute(insert(Customer).values(name="cid"))
        reading.rollback()
        reading.execution_options(isolation_level="AUTOCOMMIT").execute(insert(Customer).values(name="cid"))
        assert writing.scalar(select(func.count(Customer.id))) == 3
    writer.dispose()


def test_an_open_database(path: Path) -> None:
    with brant.open(path) as db:
        engine = brant.sqlalchemy.create_engine(db)
        Base.metadata.create_all(engine)
        with Session(engine) as session, session.begin():
            session.add(Customer(name="ann"))
            assert handle(session) is db
        with pytest.raises(ZeroDivisionError), db.transaction():
            with Session(engine) as session, session.begin():
                session.add(Customer(name="bob"))
            assert seen(db) == (2, 0, 0)
            _ = 1 / 0
        assert seen(db) == (1, 0, 0)
        with db.transaction():
            with pytest.raises(ZeroDivisionError), Session(engine) as session, session.begin():
                session.add(Customer(name="bob"))
                session.flush()
                _ = 1 / 0
            db.queue("mail").enqueue(1)
        assert seen(db) == (1, 1, 0)
        with pytest.raises(brant.Misuse, match="still open"), Session(engine) as session:
            with db.transaction():
                session.add(Customer(name="cid"))
                session.flush()  # and the block ends before the session does
        assert seen(db) == (1, 1, 0)
        engine.dispose()


def test_threads(engine: Engine, db: brant.Database) -> None:
    def work(number: int) -> None:
        for n in range(20):
            with Session(engine) as session, session.begin():
                session.add(Customer(name=f"{number}.{n}"))
                handle(session).queue("mail").enqueue(n)

    threads = [threading.Thread(target=work, args=(number,)) for number in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert seen(db) == (80, 80, 0)


def test_killed_between(path: Path) -> None:
    code = """
import os, signal, sys
sys.path.insert(0, sys.argv[3])
from conftest import Base, Customer
from sqlalchemy import create_engine
from sqlalchemy.orm import Session
from brant.sqlalchemy import handle
engine = create_engine("brant:///" + sys.argv[1])
Base.metadata.create_all(engine)
session = Session(engine)
session.add(Customer(name=sys.argv[2]))
session.flush()
handle(session).queue("mail").enqueue(1)
handle(session).notify("customers", 1)
if sys.argv[2] == "after":
    session.commit()
os.kill(os.getpid(), signal.SIGKILL)
"""
    for number, when in enumerate(("before", "after")):
        ended = subprocess.run([sys.executable, "-c", code, path, when, Path(__file__).parent], capture_output=True, text=True, timeout=60)
        assert ended.returncode == -9, ended.stderr
        with brant.open(path) as db:
            assert seen(db) == (number,) * 3


def test_reflection(engine: Engine, path: Path) -> None:
    with engine.begin() as connection:
        connection.execute(text("CREATE VIEW rich AS SELECT * FROM customers"))
        handle(connection).graphs.create("g")
    looks = inspect(engine)
    assert looks.get_table_names() == ["customers", "orders"] and looks.get_view_names() == ["rich"]
    found = MetaData()
    found.reflect(engine, views=True)
    assert set(found.tables) == {"customers", "orders", "rich"}
    (key,) = looks.get_foreign_keys("orders")
    assert key["referred_table"] == "customers" and key["options"] == {"ondelete": "CASCADE"}
    whole = create_engine(f"brant:///{path}", own_tables=True)
    assert {"nodes", "jobs", "customers"} <= set(inspect(whole).get_table_names())
    with whole.connect() as connection:  # they can be read
        nodes = Table("nodes", MetaData(), autoload_with=connection)
        assert connection.scalar(select(func.count()).select_from(nodes)) == 0
        with pytest.raises(exc.ProgrammingError, match="brant's own tables are changed by its operations only"):
            connection.execute(insert(nodes).values(key="a"))
    whole.dispose()
    with pytest.raises(exc.ProgrammingError, match="the name is brant's"):
        Table("queues", MetaData(), Column("id", Integer, primary_key=True)).create(engine)


@pytest.mark.parametrize("by", ["url", "pragma"])
def test_foreign_keys(path: Path, by: str) -> None:
    engine = create_engine(f"brant:///{path}" + ("?foreign_keys=1" if by == "url" else ""))
    if by == "pragma":  # as SQLAlchemy's documentation of SQLite has it

        @event.listens_for(engine, "connect")
        def enforce(connection: dbapi.Connection, _record: object) -> None:
            connection.execute("PRAGMA foreign_keys=ON").close()

    Base.metadata.create_all(engine)
    with Session(engine) as session:
        session.add(Order(customer_id=7))
        with pytest.raises(exc.IntegrityError, match="FOREIGN KEY constraint failed"):
            session.flush()
        session.rollback()
        session.add(Customer(name="ann", orders=[Order()]))
        session.commit()
        session.execute(delete(Customer))
        assert session.scalar(select(func.count(Order.id))) == 0
    engine.dispose()


def test_what_fails_says_why(engine: Engine) -> None:
    """Also of an INSERT that returns its key, as the ORM's do."""
    twice = insert(Customer).returning(Customer.id)
    with engine.connect() as connection:
        connection.execute(twice, {"name": "ann"})
        with pytest.raises(exc.IntegrityError, match="UNIQUE constraint failed: customers.name"):
            connection.execute(twice, {"name": "ann"})


def test_urls(path: Path) -> None:
    with pytest.raises(exc.ArgumentError, match="brant:///relative.db"):
        create_engine("brant://host/x.db").connect()
    with pytest.raises(exc.ArgumentError, match="unknown option 'cash'"):
        create_engine("brant:///x.db?cash=1").connect()
    with pytest.raises(exc.OperationalError, match="no such file|does not exist|not found|No such file"):
        create_engine(f"brant:///{path}?mode=rw").connect()
    full = create_engine(f"sqlite+brant:///{path}?durability=full&timeout=2&cache=1000000")
    with full.connect() as connection:
        assert handle(connection).info().durability == "full" and connection.dialect.driver == "brant"
        connection.rollback()
    usual = create_engine(f"brant:///{path}", connect_args={"check_same_thread": False, "foreign_keys": True})  # as recipes for SQLite have it
    with usual.connect() as connection:
        assert connection.scalar(text("PRAGMA foreign_keys")) == 1
    usual.dispose()
    assert isinstance(full.pool, pool.QueuePool) and full.dialect.name == "sqlite"
    full.dispose()
    memory = create_engine("brant://")
    Base.metadata.create_all(memory)
    with Session(memory) as session:
        session.add(Customer(name="ann"))
        session.commit()
        assert session.scalar(select(Customer.name)) == "ann"
    memory.dispose()
    plain = create_engine("sqlite://")
    with plain.connect() as connection, pytest.raises(TypeError, match="a connection of brant's"):
        handle(connection)
    plain.dispose()


def test_events_and_disconnects(engine: Engine) -> None:
    told: list[str] = []
    event.listen(engine, "commit", lambda connection: told.append("commit"))
    with Session(engine) as session, session.begin():
        session.add(Customer(name="ann"))
    assert told == ["commit"]
    with engine.connect() as connection:
        handle(connection).close()  # as when it is gone: the pool opens another
        with pytest.raises(exc.DBAPIError) as gone:
            connection.execute(select(1))
        assert gone.value.connection_invalidated
    with engine.connect() as connection:
        assert connection.scalar(select(func.count(Customer.id))) == 1


