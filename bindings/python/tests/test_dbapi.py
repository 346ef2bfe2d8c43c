"""brant.dbapi is Python's database interface (PEP 249), and its rows commit or roll back with all else in the file."""

import asyncio
import datetime
import math
import threading
import time
import unittest
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import dbapi20
import pytest
from conftest import PACKAGES, python

import brant
from brant import dbapi


@pytest.fixture
def connection(db: brant.Database) -> Iterator[dbapi.Connection]:
    made = dbapi.connect(db)
    made.execute("CREATE TABLE t(id INTEGER PRIMARY KEY, x TEXT UNIQUE)")
    made.commit()
    yield made
    made.close()


def rows(database: brant.Database) -> list[Any]:
    return [x for (x,) in database.execute("SELECT x FROM t ORDER BY id")]


@pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning", "ignore::ResourceWarning")  # it leaves connections open
class Compliance(dbapi20.DatabaseAPI20Test):  # type: ignore[misc]
    """The interface's well-known suite. What it leaves to drivers is below."""

    driver = dbapi

    @pytest.fixture(autouse=True)
    def _file(self, path: Path) -> None:
        self.connect_args = (path,)

    def tearDown(self) -> None:
        pass  # each test has a file of its own

    def test_nextset(self) -> None:
        assert not hasattr(dbapi.Cursor, "nextset")  # one statement, one set of rows

    def test_setoutputsize(self) -> None:
        self.test_setoutputsize_basic()

    def test_non_idempotent_close(self) -> None:
        connection = self._connect()
        connection.close()
        connection.close()  # the suite itself says that reasonable persons differ: here as in Python's sqlite3


def test_the_suite_is_whole() -> None:
    assert unittest.defaultTestLoader.loadTestsFromTestCase(Compliance).countTestCases() >= 36


# ---- values -----------------------------------------------------------------------------------------------------------------


def test_values(connection: dbapi.Connection) -> None:
    given = (None, True, -(1 << 63), (1 << 63) - 1, 0.1, math.inf, -math.inf, "é\0\U0001f600", b"\x00\xff", memoryview(b"m"))
    got = connection.execute("SELECT " + ", ".join("?" * len(given)), given).fetchone()
    assert got == (None, 1, -(1 << 63), (1 << 63) - 1, 0.1, math.inf, -math.inf, "é\0\U0001f600", b"\x00\xff", b"m")
    assert connection.execute("SELECT ?", (math.nan,)).fetchone() == (None,)  # SQLite has none
    moment = dbapi.Timestamp(2026, 11, 21, 22, 5, 1)
    dates = (moment, dbapi.Date(2026, 11, 21), dbapi.Time(1, 2, 3), dbapi.Binary(b"x"))
    assert connection.execute("SELECT ?, ?, ?, ?", dates).fetchone() == ("2026-11-21 22:05:01", "2026-11-21", "01:02:03", b"x")
    assert dbapi.DateFromTicks(0).year in (1969, 1970) and isinstance(dbapi.TimeFromTicks(0), datetime.time)
    for wrong, kind in ((1 << 63, dbapi.DataError), (object(), dbapi.ProgrammingError), ({}, dbapi.ProgrammingError)):
        with pytest.raises(kind):
            connection.execute("SELECT ?", (wrong,))


def test_parameters(connection: dbapi.Connection) -> None:
    assert connection.execute("SELECT :a || @b || $c || :a", {"a": "1", "b": "2", "c": "3", "unused": 0}).fetchone() == ("1231",)
    assert connection.execute("SELECT ?2, ?1", (1, 2)).fetchone() == (2, 1)
    assert connection.execute("SELECT ':no', \"id\", [x] /* :no */ FROM t -- :no", {}).fetchone() is None
    for sql, values in (("SELECT ?", ()), ("SELECT ?", (1, 2)), ("SELECT :a", {"b": 1}), ("SELECT ?", "a")):
        with pytest.raises(dbapi.ProgrammingError):
            connection.execute(sql, values)


def test_description(connection: dbapi.Connection) -> None:
    cursor = connection.execute("INSERT INTO t(x) VALUES ('a') RETURNING *, id, 1.5 AS half, x'00' AS b")
    assert cursor.description is not None and [column[0] for column in cursor.description] == ["id", "x", "id", "half", "b"]
    kinds = [dbapi.NUMBER, dbapi.STRING, dbapi.NUMBER, dbapi.NUMBER, dbapi.BINARY]
    assert [column[1] for column in cursor.description] == kinds and all(column[2:] == (None,) * 5 for column in cursor.description)
    assert "DATETIME" == dbapi.DATETIME and "VARCHAR(7)" == dbapi.STRING != dbapi.NUMBER and "ROWID" == dbapi.ROWID
    assert connection.execute("DELETE FROM t").description is None
    assert connection.execute("SELECT 1 WHERE 0").description == (("1", None, None, None, None, None, None),)


def test_counts(connection: dbapi.Connection) -> None:
    connection.execute("CREATE TABLE log(x)")
    connection.execute("CREATE TRIGGER l AFTER INSERT ON t BEGIN INSERT INTO log VALUES (1); INSERT INTO log VALUES (2); END")
    cursor = connection.cursor()
    assert cursor.lastrowid is None and cursor.rowcount == -1
    assert cursor.execute("INSERT INTO t(id, x) VALUES (7, 'a')").rowcount == 1 and cursor.lastrowid == 7
    assert cursor.execute("UPDATE t SET x = 'b' WHERE id = 7 OR id = 8").rowcount == 1 and cursor.lastrowid == 7
    assert cursor.execute("SELECT * FROM t").rowcount == -1
    assert cursor.execute("WITH n(i) AS (VALUES (8), (9)) INSERT INTO t(id) SELECT i FROM n").rowcount == 2
    assert cursor.execute("DELETE FROM t WHERE 0").rowcount == 0


def test_many(db: brant.Database, connection: dbapi.Connection) -> None:
    cursor = connection.cursor()
    assert cursor.executemany("INSERT INTO t(x) VALUES (?)", ([str(i)] for i in range(12_001))).rowcount == 12_001
    assert cursor.executemany("INSERT INTO t(x) VALUES (:x) RETURNING x", [{"x": "a"}, {"x": "b"}]).fetchall() == [("a",), ("b",)]
    with pytest.raises(dbapi.IntegrityError):
        cursor.executemany("INSERT INTO t(x) VALUES (?)", ([f"n{i % 11_000}"] for i in range(12_000)))
    connection.commit()
    assert len(rows(db)) == 12_003  # nothing of what failed in its third part
    assert cursor.executemany("DELETE FROM t WHERE x = ?", []).rowcount == 0
    blobs = [[f"big{i}", bytes(1 << 20)] for i in range(100)]  # more than one call may carry
    connection.execute("CREATE TABLE big(name, bytes)")
    assert cursor.executemany("INSERT INTO big VALUES (?, ?)", blobs).rowcount == 100
    with pytest.raises(dbapi.ProgrammingError):
        cursor.executemany("SELECT ?", [[1]])
    alone = dbapi.connect(db, autocommit=True)
    connection.commit()
    alone.executemany("INSERT INTO t(x) VALUES (?)", ([f"z{i}"] for i in range(6_000)))
    assert not alone.in_transaction and len(rows(db)) == 18_003


def test_fetching(connection: dbapi.Connection) -> None:
    cursor = connection.execute("WITH RECURSIVE n(i) AS (VALUES (1) UNION ALL SELECT i + 1 FROM n WHERE i < 10) SELECT i FROM n")
    assert (cursor.fetchone(), cursor.fetchmany(), cursor.fetchmany(2), cursor.rownumber) == ((1,), [(2,)], [(3,), (4,)], 4)
    cursor.arraysize = 3
    assert cursor.fetchmany() == [(5,), (6,), (7,)] and next(cursor) == (8,) and list(cursor) == [(9,), (10,)]
    assert cursor.fetchone() is None and cursor.fetchall() == [] and cursor.connection is connection
    with connection.cursor() as other:
        with pytest.raises(dbapi.ProgrammingError, match="no statement with rows"):
            other.fetchone()
    with pytest.raises(dbapi.InterfaceError):
        other.execute("SELECT 1")


def test_large_results(db: brant.Database, connection: dbapi.Connection) -> None:
    """More rows than one call answers: in a transaction as they are fetched, outside all at once, of one state."""
    count = "WITH RECURSIVE n(i) AS (VALUES (1) UNION ALL SELECT i + 1 FROM n WHERE i < ?) SELECT i, 'row ' || i FROM n"
    outside = connection.execute(count, (150_000,))
    assert not connection.in_transaction and len(outside.fetchall()) == 150_000
    connection.begin()
    cursor = connection.execute(count, (1 << 40,))  # which has no end that anybody waits for
    assert [cursor.fetchone() for _ in range(2)] == [(1, "row 1"), (2, "row 2")] and len(cursor.fetchmany(25_000)) == 25_000
    assert cursor.rownumber == 25_002
    cursor.close()
    for _ in range(300):  # nobody closes them, and there may be 100 at a time
        connection.execute(count, (1 << 40,)).fetchone()
    one, two = connection.execute(count, (30_000,)), connection.execute(count, (30_000,))
    assert next(one) == next(two) == (1, "row 1")
    assert len(one.fetchall()) == 29_999 and one.fetchone() is None
    connection.execute("INSERT INTO t(x) VALUES ('a')")
    connection.commit()  # what was to be fetched is there still
    assert len(list(two)) == 29_999 and rows(db) == ["a"]
    connection.begin()
    three = connection.execute(count, (30_000,))
    connection.rollback()
    assert len(three.fetchmany(10_000)) == 10_000  # after a rollback what had come, and then no silence
    for fetch in (three.fetchone, three.fetchmany, three.fetchall):
        with pytest.raises(dbapi.ProgrammingError, match="has ended before"):
            fetch()
    with db.transaction():
        four = connection.execute(count, (30_000,))
    with pytest.raises(dbapi.ProgrammingError):
        four.fetchall()
    with pytest.raises(dbapi.ProgrammingError):
        four.fetchall()


# ---- errors -----------------------------------------------------------------------------------------------------------------


def test_errors(connection: dbapi.Connection, path: Path, tmp_path: Path) -> None:
    connection.execute("INSERT INTO t(x) VALUES ('a')")
    for sql, kind, code in (
        ("SELEC 1", dbapi.ProgrammingError, "SQL"),
        ("SELECT * FROM nothing", dbapi.ProgrammingError, "SQL"),
        ("SELECT 1; SELECT 2", dbapi.ProgrammingError, "SQL"),
        ("INSERT INTO t(x) VALUES ('a')", dbapi.IntegrityError, "CONSTRAINT"),
        ("INSERT INTO nodes DEFAULT VALUES", dbapi.ProgrammingError, "DENIED"),
        ("DROP TABLE jobs", dbapi.ProgrammingError, "DENIED"),
        ("ATTACH 'other.db' AS other", dbapi.ProgrammingError, "DENIED"),
        ("PRAGMA journal_mode = DELETE", dbapi.ProgrammingError, "DENIED"),
    ):
        with pytest.raises(kind) as caught:
            connection.execute(sql)
        assert caught.value.code == code and isinstance(caught.value.__cause__, brant.BrantError) and caught.value.__cause__.code == code
    assert connection.execute("SELECT count(*) FROM t").fetchone() == (1,)  # the transaction goes on
    with pytest.raises(dbapi.OperationalError) as caught_too:
        dbapi.connect(tmp_path / "none.db", mode="rw")
    assert caught_too.value.code == "NOT_FOUND"
    connection.rollback()
    with dbapi.connect(path, timeout=0.05) as other, pytest.raises(dbapi.OperationalError) as busy:
        connection.begin()
        other.execute("DELETE FROM t")
    assert busy.value.code == "BUSY"
    connection.rollback()
    other.close()
    (tmp_path / "text").write_text("not a database" * 100)
    with pytest.raises(dbapi.DatabaseError) as foreign:
        dbapi.connect(tmp_path / "text")
    assert foreign.value.code == "NOT_BRANT"
    assert {dbapi.translated(error("")).__class__ for error in brant.errors.CLASSES.values()} >= {
        dbapi.InternalError, dbapi.NotSupportedError, dbapi.DataError, dbapi.OperationalError
    }  # fmt: skip


# ---- one transaction ----------------------------------------------------------------------------------------------------------


def test_all_of_the_file_in_one_transaction(db: brant.Database, connection: dbapi.Connection) -> None:
    db.graphs.create("g")
    with db.listen("*") as listener:
        for end in (connection.rollback, connection.commit):
            connection.brant.queue("mail").enqueue({"to": "ann"})  # begins it
            connection.execute("INSERT INTO t(x) VALUES ('order')")
            connection.brant.stream("orders").publish({"id": 1})
            connection.brant.notify("orders", 1)
            connection.brant.graph("g").nodes.put("a")
            end()
            committed = end == connection.commit
            assert rows(db) == ["order"] * committed and len(db.queues.list().items) == committed
            assert db.graph("g").nodes.count() == committed and len(db.streams.list().items) == committed
            told = [item.channel for item in iter(lambda: listener.next(0.05), None)]
            assert told.count("orders") == committed


def test_joins(db: brant.Database, connection: dbapi.Connection) -> None:
    with db.transaction():
        connection.execute("INSERT INTO t(x) VALUES ('a')")
        connection.commit()  # of no effect: the block ends it
        assert connection.in_transaction
        with pytest.raises(dbapi.ProgrammingError, match="outside of this connection"):
            connection.rollback()
        connection.savepoint("s")
        connection.execute("INSERT INTO t(x) VALUES ('b')")
        connection.rollback_to("s")
        connection.release("s")
    assert rows(db) == ["a"] and not connection.in_transaction
    with pytest.raises(ZeroDivisionError), db.transaction(), connection:
        connection.execute("INSERT INTO t(x) VALUES ('c')")
        _ = 1 / 0
    assert rows(db) == ["a"]
    with connection:
        connection.execute("INSERT INTO t(x) VALUES ('d')")
        with pytest.raises(ZeroDivisionError), db.transaction():
            connection.execute("INSERT INTO t(x) VALUES ('e')")
            _ = 1 / 0
        with pytest.raises(dbapi.ProgrammingError, match="still open"), db.transaction():
            connection.commit()
    assert rows(db) == ["a", "d"]


def test_statements_of_transactions(db: brant.Database, connection: dbapi.Connection) -> None:
    connection.autocommit = True
    for sql in (
        "BEGIN IMMEDIATE", "INSERT INTO t(x) VALUES ('a')", 'SAVEPOINT "One"', "INSERT INTO t(x) VALUES ('b')", "savepoint two",
        "INSERT INTO t(x) VALUES ('c')", "ROLLBACK TRANSACTION TO SAVEPOINT one", "INSERT INTO t(x) VALUES ('d')", "RELEASE one;", "COMMIT"
    ):  # fmt: skip
        connection.execute(sql)
    assert rows(db) == ["a", "d"] and not connection.in_transaction
    connection.execute("SAVEPOINT alone").execute("DELETE FROM t")
    connection.execute("END TRANSACTION")
    assert rows(db) == []
    with pytest.raises(dbapi.ProgrammingError, match="no such savepoint"):
        connection.execute("RELEASE nothing")
    connection.execute("BEGIN")
    with pytest.raises(dbapi.ProgrammingError, match="a transaction is open"):
        connection.execute("BEGIN")
    with pytest.raises(dbapi.ProgrammingError, match="a transaction is open"):
        connection.autocommit = False
    connection.execute("ROLLBACK")


def test_statements_of_transactions_with_comments_and_quotes(db: brant.Database, connection: dbapi.Connection) -> None:
    for sql in (
        "/* by: app */ -- and\n BEGIN", "INSERT INTO t(x) VALUES ('a')", "SAVEPOINT 'a b' /* here */", "INSERT INTO t(x) VALUES ('b')", "ROLLBACK TO 'a b'; -- back",
        'SAVEPOINT "q""q"', "INSERT INTO t(x) VALUES ('c')", 'RELEASE `q"q`', "SAVEPOINT [it's]", 'RELEASE "IT\'S"', "-- done\nCOMMIT -- now",
    ):  # fmt: skip
        connection.execute(sql)
    assert rows(db) == ["a", "c"] and not connection.in_transaction
    assert connection.execute("/* a */ -- b\n" * 2000 + "SELECT 1").fetchone() == (1,)  # in no time that matters


@pytest.mark.parametrize("parameters", [None, 7, {1}, iter([1]), "a", b"a"])
def test_parameters_without_an_order(connection: dbapi.Connection, parameters: Any) -> None:
    with pytest.raises(dbapi.ProgrammingError, match="a sequence or a mapping"):
        connection.execute("SELECT ?", parameters)


def test_isolation(db: brant.Database, connection: dbapi.Connection, path: Path) -> None:
    other = dbapi.connect(path, timeout=0.05)
    # DEFERRED: reads hold nothing and see the newest.
    connection.execute("SELECT * FROM t")
    assert not connection.in_transaction
    other.execute("INSERT INTO t(x) VALUES ('a')")
    other.commit()
    # IMMEDIATE: nobody else writes from the first statement on.
    connection.isolation_level = "IMMEDIATE"
    assert connection.execute("SELECT x FROM t").fetchall() == [("a",)] and connection.in_transaction
    with pytest.raises(dbapi.OperationalError):
        other.execute("INSERT INTO t(x) VALUES ('b')")
    connection.commit()
    # SNAPSHOT: what is seen stays, and a write that others came before is refused.
    connection.isolation_level = "SNAPSHOT"
    assert connection.execute("SELECT count(*) FROM t").fetchone() == (1,)
    connection.execute("UPDATE t SET x = 'aa'")
    connection.commit()
    assert connection.execute("SELECT x FROM t").fetchone() == ("aa",)
    other.execute("UPDATE t SET x = 'theirs'")
    other.commit()
    assert connection.execute("SELECT x FROM t").fetchone() == ("aa",)
    with pytest.raises(dbapi.OperationalError) as stale:
        connection.execute("UPDATE t SET x = 'ours'")
    assert stale.value.code == "CONFLICT" and rows(db) == ["theirs"] and not connection.in_transaction
    with pytest.raises(dbapi.ProgrammingError):
        connection.isolation_level = "SOME"
    other.close()


def test_a_transaction_that_was_taken_back(db: brant.Database, connection: dbapi.Connection) -> None:
    connection.execute("INSERT INTO t(x) VALUES ('a')")
    with pytest.raises(dbapi.IntegrityError):
        connection.execute("INSERT OR ROLLBACK INTO t(x) VALUES ('a')")
    with pytest.raises(dbapi.ProgrammingError, match="rolled back"):
        connection.execute("INSERT INTO t(x) VALUES ('b')")
    connection.rollback()
    connection.execute("INSERT INTO t(x) VALUES ('c')")
    connection.commit()
    assert rows(db) == ["c"]


def test_closing(db: brant.Database, connection: dbapi.Connection, path: Path) -> None:
    connection.execute("INSERT INTO t(x) VALUES ('a')")
    connection.close()
    connection.close()
    assert connection.closed and rows(db) == []
    for call in (connection.cursor, connection.commit, connection.rollback, lambda: connection.brant):
        with pytest.raises(dbapi.InterfaceError):
            call()
    own = dbapi.connect(path)
    own.execute("INSERT INTO t(x) VALUES ('a')")
    own.close()
    assert own.database.closed and rows(db) == []


def test_killed_between(path: Path) -> None:
    """SIGKILL before the commit leaves neither row nor job; after it, both."""
    code = """
import os, signal, sys
from brant import dbapi
connection = dbapi.connect(sys.argv[1])
connection.execute("CREATE TABLE IF NOT EXISTS t(id INTEGER PRIMARY KEY, x)")
connection.commit()
connection.execute("INSERT INTO t(x) VALUES ('a')")
connection.brant.queue("mail").enqueue(1)
connection.brant.notify("orders", 1)
if sys.argv[2] == "after":
    connection.commit()
if os.fork() == 0:
    os.kill(os.getppid(), signal.SIGKILL)
    os._exit(0)
signal.pause()
"""
    for when in ("before", "after"):
        with pytest.raises(AssertionError):
            python(code, path, when)
        with brant.open(path) as db:
            kept = when == "after"
            assert len(rows(db)) == kept and len(db.queues.list().items) == kept
            assert db.execute("SELECT count(*) FROM notifications WHERE channel = 'orders'").scalar() == kept


# ---- threads, tasks -------------------------------------------------------------------------------------------------------------


def test_threads(path: Path) -> None:
    with dbapi.connect(path) as first:
        first.execute("CREATE TABLE t(id INTEGER PRIMARY KEY, x)")
    first.close()

    def work(number: int) -> None:
        connection = dbapi.connect(path, timeout=60)
        for i in range(25):
            with connection:
                (count,) = connection.execute("INSERT INTO t(x) VALUES (?) RETURNING (SELECT count(*) FROM t)", (f"{number}.{i}",)).fetchone() or (0,)
                connection.brant.queue("seen").enqueue(count)
        connection.close()

    threads = [threading.Thread(target=work, args=(number,)) for number in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    with brant.open(path) as db:
        assert len(rows(db)) == 100 == db.queue("seen").stats().ready


def test_a_transaction_belongs_to_its_thread(path: Path) -> None:
    with brant.open(path, busy_timeout=0.1) as db:
        one, two = dbapi.connect(db), dbapi.connect(db)
        one.execute("CREATE TABLE t(id INTEGER PRIMARY KEY, x)")
        caught: list[BaseException] = []

        def other() -> None:
            try:
                two.execute("SELECT * FROM t")
            except dbapi.Error as error:
                caught.append(error)

        thread = threading.Thread(target=other)
        thread.start()
        thread.join()
        assert isinstance(caught[0], dbapi.OperationalError) and caught[0].code == "BUSY"
        one.commit()
        started = time.monotonic()
        thread = threading.Thread(target=other)
        thread.start()
        thread.join()
        assert len(caught) == 1 and time.monotonic() - started < 30


def test_a_transaction_belongs_to_its_task(connection: dbapi.Connection) -> None:
    async def main() -> None:
        connection.execute("INSERT INTO t(x) VALUES ('a')")

        async def other() -> None:
            connection.execute("SELECT 1")

        with pytest.raises(dbapi.ProgrammingError, match="another task"):
            await asyncio.create_task(other())
        connection.rollback()

    asyncio.run(main())


# ---- what else is in the file -----------------------------------------------------------------------------------------------------


def test_secrets_stay_envelopes(db: brant.Database, connection: dbapi.Connection) -> None:
    """SQL reads of an encrypted attribute what is stored: the envelope."""
    module = {
        "$id": "vault",
        "$defs": {
            "Config": PACKAGES["$defs"]["Config"],  # type: ignore[index]
            "ServiceNode": {"type": "object", "properties": {"token": {"type": "string", "x-encrypted": True}}},
        },
    }
    db.graph_types.define(module)
    db.graphs.create("v", "vault")
    with db.keyring(keys=[brant.Key(version=1, key=bytes(range(32)))]):
        db.graph("v").nodes.put("forge", {"token": "hunter2"}, type="Service")
        (stored,) = connection.execute("SELECT attributes FROM nodes WHERE key = 'forge'").fetchone() or ("",)
    assert "hunter2" not in stored and '"token":{' in stored


def test_a_session(db: brant.Database, connection: dbapi.Connection) -> None:
    with db.session({"id": "ann", "scopes": ["sql:execute", "transaction:use"]}) as session:
        mine = dbapi.connect(session)
        mine.execute("INSERT INTO t(x) VALUES ('a')")
        mine.commit()
        with pytest.raises(dbapi.ProgrammingError, match="own tables"):
            mine.execute("SELECT * FROM jobs")
        mine.close()
    assert rows(db) == ["a"]
