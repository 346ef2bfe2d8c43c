"""Python's database interface (PEP 249) over a brant handle: ``connection = brant.dbapi.connect("app.db")``.

A connection stands on a :class:`brant.Database`, never on a second SQLite. What it does is in that handle's transaction: rows of your own
tables and the jobs, notifications, events and graphs written through ``connection.brant`` commit or roll back together.

Transactions. `Connection.isolation_level` says when one begins by itself; `commit` or `rollback` ends it:

- "DEFERRED" (default): before the first statement that writes. It has the write lock then, so that no statement in it meets Busy. A SELECT
  before that sees what is committed at that moment.
- "IMMEDIATE": before the first statement of any kind: what was read cannot change before it is written.
- "SNAPSHOT": the first statement fixes what is seen. The first that writes takes the write lock, and fails with OperationalError (code
  "CONFLICT") when others committed since: begin anew.

With `autocommit` none begins by itself. BEGIN, COMMIT, ROLLBACK, SAVEPOINT and RELEASE as statements do what the methods do. Inside
``with database.transaction():`` a connection on that database joins: its `commit` leaves all to the end of the block.

A transaction belongs to the thread or asyncio task that began it, as everywhere in brant. Give each thread a connection.
"""

from __future__ import annotations

import os
import time
import weakref
from collections.abc import Iterable, Iterator, Sequence
from functools import lru_cache, partial
from itertools import chain
from types import TracebackType
from typing import Any, Literal

from . import _native
from ._dbapi_errors import DatabaseError, DataError, Error, IntegrityError, InterfaceError, InternalError, NotSupportedError, OperationalError, ProgrammingError, Warning
from ._dbapi_errors import translated as translated
from ._dbapi_statements import _DML, Parameters, _Statement, _statement, _values
from ._dbapi_types import _STORED, BINARY, DATETIME, NUMBER, ROWID, STRING, Binary, Date, DateFromTicks, Time, TimeFromTicks, Timestamp, TimestampFromTicks, _adapt
from ._json import encode
from .database import Database
from .database import open as open_database
from .errors import BrantError, Conflict

__all__ = [
    "BINARY", "Binary", "Connection", "Cursor", "DATETIME", "DataError", "DatabaseError", "Date", "DateFromTicks", "Error", "IntegrityError",
    "InterfaceError", "InternalError", "NUMBER", "NotSupportedError", "OperationalError", "ProgrammingError", "ROWID", "STRING", "Time",
    "TimeFromTicks", "Timestamp", "TimestampFromTicks", "Warning", "apilevel", "connect", "paramstyle", "threadsafety",
]  # fmt: skip

apilevel = "2.0"
threadsafety = 1
"""Threads may share the module, and a `brant.Database`, but not connections."""
paramstyle = "qmark"
"""``?``; names (``:name``, ``@name``, ``$name``) with a mapping are understood, too."""

IsolationLevel = Literal["DEFERRED", "IMMEDIATE", "SNAPSHOT"]
Row = tuple[Any, ...]

# ---- connections ------------------------------------------------------------------------------------------------------------


def connect(
    database: str | bytes | os.PathLike[str] | os.PathLike[bytes] | Database,
    *,
    isolation_level: IsolationLevel = "DEFERRED",
    autocommit: bool = False,
    timeout: float | None = None,
    nested: bool = False,
    check_same_thread: bool = False,
    **options: Any,
) -> Connection:
    """A connection to a file, which it opens and closes with the `options` of :func:`brant.open`, or on an open :class:`brant.Database` (or session), which it leaves open.

    `nested`: inside a transaction of the handle's this connection's are savepoints, which its `commit` and `rollback` end, instead of joining.
    `timeout`: `busy_timeout` by the name that Python's sqlite3 has for it. `check_same_thread`: taken from programs that say it to sqlite3, and of no effect: any
    thread may call. OperationalError: no such file (with ``mode="rw"``), another process is migrating it.
    DatabaseError: not brant's; ``adopt=True`` adds its tables to an SQLite file.
    """
    if isolation_level not in ("DEFERRED", "IMMEDIATE", "SNAPSHOT"):
        raise ProgrammingError('isolation_level must be "DEFERRED", "IMMEDIATE" or "SNAPSHOT"')
    if isinstance(database, Database):
        if options or timeout is not None:
            raise ProgrammingError("options are for a file that is to be opened; this database is open")
        return Connection(database, False, isolation_level, autocommit, nested)
    if timeout is not None:
        options["busy_timeout"] = timeout
    try:
        opened = open_database(database, **options)
    except BrantError as error:
        raise translated(error) from error
    return Connection(opened, True, isolation_level, autocommit, nested)


class Connection:
    """Made by :func:`connect`. As a context manager it commits at the end, or rolls back on an exception; it stays open, as in Python's sqlite3."""

    Warning = Warning
    Error = Error
    InterfaceError = InterfaceError
    DatabaseError = DatabaseError
    DataError = DataError
    OperationalError = OperationalError
    IntegrityError = IntegrityError
    InternalError = InternalError
    ProgrammingError = ProgrammingError
    NotSupportedError = NotSupportedError

    def __init__(self, database: Database, owned: bool, isolation_level: IsolationLevel, autocommit: bool, nested: bool) -> None:
        self._database = database
        self._owned = owned
        self._isolation_level: IsolationLevel = isolation_level
        self._autocommit = autocommit
        self._nested = nested
        self._closed = False
        # The levels of the handle's transaction that are ours, outermost first: "" one without a name, else a savepoint's.
        self._levels: list[str] = []
        self._below = 0  # levels under ours, of who began the transaction that we joined
        self._begun: list[Database] = []  # the handle's account of the transaction that ours are in
        self._snapshot = False  # it only reads as yet
        self._streaming: weakref.WeakSet[Cursor] = weakref.WeakSet()  # those that have rows to come, which end with the transaction
        self._abandoned: list[int] = []  # the library's cursors of those that nobody has any more

    def __repr__(self) -> str:
        return f"<brant.dbapi.Connection {self._database.path!r}{' closed' if self._closed else ''}>"

    @property
    def brant(self) -> Database:
        """The handle, in this connection's transaction, which begins (with the write lock) unless it has: what is done through it is committed or
        rolled back with the connection's rows. With `autocommit`, and inside ``with database.transaction():``, just the handle."""
        self._check()
        self._before(True)
        return self._database

    @property
    def database(self) -> Database:
        """The handle; nothing begins."""
        return self._database

    @property
    def closed(self) -> bool:
        """Is it closed, or its database?"""
        return self._closed or self._database.closed

    @property
    def in_transaction(self) -> bool:
        """Has this connection begun a transaction, or does it take part in the handle's?"""
        return bool(self._own()) or self._database._owns()

    @property
    def autocommit(self) -> bool:
        """Does each statement commit by itself? Can be changed outside of transactions."""
        return self._autocommit

    @autocommit.setter
    def autocommit(self, autocommit: bool) -> None:
        self._outside()
        self._autocommit = autocommit

    @property
    def isolation_level(self) -> IsolationLevel:
        """When a transaction begins: see the module. Can be changed outside of transactions."""
        return self._isolation_level

    @isolation_level.setter
    def isolation_level(self, level: IsolationLevel) -> None:
        if level not in ("DEFERRED", "IMMEDIATE", "SNAPSHOT"):
            raise ProgrammingError('isolation_level must be "DEFERRED", "IMMEDIATE" or "SNAPSHOT"')
        self._outside()
        self._isolation_level = level

    def _outside(self) -> None:
        self._check()
        if self._own():
            raise ProgrammingError("a transaction is open; commit it or roll it back first")

    def _check(self) -> None:
        if self._closed:
            raise InterfaceError("the connection is closed")

    # ---- statements ---------------------------------------------------------------------------------------------------------

    def cursor(self) -> Cursor:
        self._check()
        return Cursor(self)

    def execute(self, sql: str, parameters: Parameters = ()) -> Cursor:
        """A new cursor that has executed this."""
        return Cursor(self).execute(sql, parameters)

    def executemany(self, sql: str, parameters: Iterable[Parameters]) -> Cursor:
        """A new cursor that has executed this with each."""
        return self.cursor().executemany(sql, parameters)

    def _run(self, request: _native.Request) -> _native.Answer:
        try:
            return self._database._run(_native.brant_sql_run, request)
        except BrantError as error:
            raise translated(error) from error

    def _close_pages(self, pages: int) -> None:
        """No more rows of one of the library's cursors are wanted."""
        try:
            self._run((pages, _CLOSE, 0))
        except Error:
            pass  # its transaction has ended

    # ---- transactions -------------------------------------------------------------------------------------------------------

    def begin(self) -> None:
        """Begin a transaction now, with the write lock; inside one of the handle's, a level of it. ProgrammingError: one is open."""
        self._outside()
        self._begin("")

    def commit(self) -> None:
        """Commit. OperationalError with code "BUSY": it is still open; commit again, or roll back. Nothing to do where the handle's transaction was
        joined: who began it ends it."""
        self._check()
        self._release(0)

    def rollback(self) -> None:
        """Take back what was done since the last commit. ProgrammingError: the handle's transaction was joined; raise out of its block, or use a savepoint."""
        self._check()
        if not self._own() and self._joins() and not self._autocommit:
            raise ProgrammingError("the transaction was begun outside of this connection, which cannot roll it back")
        self._back(0)

    def savepoint(self, name: str) -> None:
        """A point to go back to; begins a transaction if there is none."""
        self._check()
        self._before(True)
        self._begin(name.casefold())

    def release(self, name: str) -> None:
        """Keep what was done since the savepoint. ProgrammingError: there is none of that name."""
        self._release(self._find(name))

    def rollback_to(self, name: str) -> None:
        """Take back what was done since the savepoint, which stays."""
        self._back(self._find(name))
        self._begin(name.casefold())

    def _own(self) -> list[str]:
        """Our levels; none any more where the transaction ended otherwise: by who began it, or with the handle."""
        if self._levels and self._database._turn.begun is not self._begun:
            self._levels.clear()
        if not self._levels:
            self._snapshot = False
        return self._levels

    def _joins(self) -> bool:
        """Is the transaction, if there is one, of who began it, and what we do a part?"""
        return not self._nested and self._database._owns()

    def _find(self, name: str) -> int:
        self._check()
        name = name.casefold()
        levels = self._own()
        for index in range(len(levels) - 1, -1, -1):
            if levels[index] == name:
                return index
        raise ProgrammingError(f"no such savepoint: {name}")

    def _before(self, writes: bool) -> None:
        """Before a statement, or what `brant` is used for: begin what should be open."""
        if self._levels and self._own():
            if writes and self._snapshot:
                self._upgrade()
            return
        self._snapshot = False
        if self._autocommit or self._joins():
            return
        if self._isolation_level == "SNAPSHOT" and not writes:
            self._begin("", "read")
            self._snapshot = True
        elif writes or self._isolation_level == "IMMEDIATE":
            self._begin("")

    def _begin(self, name: str, mode: str = "write") -> None:
        turn = self._database._turn
        self._transact("begin", encode({"mode": mode}))
        if not self._levels:
            self._begun = turn.begun
            self._below = len(turn.begun) - 1
        self._levels.append(name)

    def _upgrade(self) -> None:
        """From reading to writing, if nobody wrote meanwhile."""
        if len(self._levels) > 1:
            raise ProgrammingError("a transaction that only reads as yet cannot write inside a savepoint")
        version = ("PRAGMA data_version", (), 0, 0, _adapt)
        with self._database._turn.lock:
            seen = self._run(version)[2]
            self._back(0)
            self._begin("")
            if self._run(version)[2] != seen:
                self._back(0)
                error = Conflict("what this transaction has read was changed by another; begin anew")
                raise translated(error) from error

    def _release(self, level: int) -> None:
        levels = self._own()
        if levels:
            self._innermost()
            for cursor in list(self._streaming):
                cursor._drain()
        while len(levels) > level:
            self._transact("commit")
            levels.pop()

    def _back(self, level: int) -> None:
        levels = self._own()
        if levels:
            self._innermost()
            for cursor in list(self._streaming):
                cursor._lose()
        while len(levels) > level:
            try:
                self._transact("rollback")
            finally:
                levels.pop()

    def _innermost(self) -> None:
        """The handle ends its innermost level: is that ours?"""
        if len(self._begun) != self._below + len(self._levels):
            raise ProgrammingError("a transaction that was begun inside of this connection's is still open")

    def _transact(self, verb: str, text: str = "{}") -> None:
        try:
            self._database._transact(f"transaction.{verb}", text)
        except BrantError as error:
            raise translated(error) from error

    # ---- the end ------------------------------------------------------------------------------------------------------------

    def close(self) -> None:
        """Roll back what is open and close, with the handle where `connect` opened it. Any number of times."""
        if self._closed:
            return
        self._streaming.clear()
        try:
            if self._owned:
                self._database.close()
            elif not self._database.closed:
                self._back(0)
        finally:
            self._levels.clear()
            self._closed = True

    def __enter__(self) -> Connection:
        self._check()
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        if error is None:
            try:
                self.commit()
                return
            except BaseException:
                self._back(0)
                raise
        self._back(0)


# ---- cursors ----------------------------------------------------------------------------------------------------------------

Description = tuple[tuple[str, str | None, None, None, None, None, None], ...]

_DESCRIBE, _CLOSE = _native.BRANT_SQL_DESCRIBE, _native.BRANT_SQL_CLOSE
_PAGE = 10_000  # rows of a statement in a transaction that cross at a time
_BATCH = 5000  # runs of executemany that cross at a time, or fewer when they have so many bytes
_BATCH_BYTES = 4 << 20


class _Pages:
    """The library's cursor of rows that are to come. Not closed, it is the connection's to close. (A finaliser of each `Cursor` would cost what a row does.)"""

    __slots__ = ("_abandoned", "number")

    def __init__(self, number: int, abandoned: list[int]) -> None:
        self.number = number
        self._abandoned = abandoned

    def __del__(self) -> None:
        if self.number:
            self._abandoned.append(self.number)  # in whose thread nobody knows


class Cursor:
    """Made by `Connection.cursor`: executes statements and has the rows of the last one. Iterate it, or fetch; a context manager that closes.

    `description`: for each column its name and declared type (of an expression that of its first value), which compares equal to STRING, NUMBER,
    BINARY, DATETIME or ROWID; None where there are no rows to fetch. `rowcount`: rows that the statement itself inserted, updated or deleted,
    -1 after any other. `lastrowid`: of the last INSERT. `arraysize`: what `fetchmany` fetches by default.
    """

    _closed = False
    _ran = False
    _columns: tuple[tuple[str, ...], tuple[str | None, ...] | None, Row | None] | None = None  # names, declared types, the first row
    _rowcount = -1
    _lastrowid: int | None = None
    _at = 0
    _past = 0  # rows before these
    _pages: _Pages | None = None  # where there are more
    _lost = False  # there were more, which have gone

    arraysize = 1

    def __init__(self, connection: Connection) -> None:
        self._connection = connection
        self._rows: list[Row] = []

    def __repr__(self) -> str:
        return f"<brant.dbapi.Cursor of {self._connection!r}{' closed' if self._closed else ''}>"

    @property
    def connection(self) -> Connection:
        return self._connection

    @property
    def description(self) -> Description | None:
        if self._columns is None:
            return None
        names, types, first = self._columns
        values = first or (None,) * len(names)
        return tuple(
            (name, declared or _STORED.get(type(value)), None, None, None, None, None) for name, declared, value in zip(names, types or (), values)
        )

    @property
    def rowcount(self) -> int:
        return self._rowcount

    @property
    def lastrowid(self) -> int | None:
        return self._lastrowid

    @property
    def rownumber(self) -> int | None:
        """The index of the row that is fetched next; None where there are no rows to fetch."""
        return None if self._columns is None else self._past + self._at

    def _check(self) -> None:
        if self._closed:
            raise InterfaceError("the cursor is closed")
        self._connection._check()

    def _forget(self) -> None:
        if self._pages is not None:
            self._stop()
        self._columns, self._rows, self._at, self._past, self._rowcount, self._lost = None, [], 0, 0, -1, False

    # ---- executing ----------------------------------------------------------------------------------------------------------

    def execute(self, sql: str, parameters: Parameters = (), /) -> Cursor:
        """Run one statement. `parameters` by position, or a mapping by name."""
        connection = self._connection
        if self._closed or connection._closed:
            self._check()
        if self._ran:
            self._forget()
        self._ran = True
        statement = _statement(sql)
        if statement.control is not None:
            self._control(*statement.control)
            return self
        values = parameters if type(parameters) is tuple else _values(statement, parameters)
        connection._before(statement.writes)
        if statement.queries:
            self._read(sql, values)
        else:
            self._take(statement, connection._run((sql, values, _DESCRIBE, 0, _adapt)))
        return self

    def _read(self, sql: str, values: Sequence[Any] | dict[str, Any]) -> None:
        """In a transaction the rows come as they are fetched. Outside there is none that they could be of later: then they are all read now, in one of their own if they are too many for a call."""
        connection = self._connection
        database = connection._database
        part = (sql, values, _DESCRIBE, _PAGE, _adapt)
        if connection._levels or database._owns():
            while connection._abandoned:
                connection._close_pages(connection._abandoned.pop())
            try:  # and not by `_run` and `_begin_rows`: of a row by its key they would be a tenth of the time
                names, types, rows, _, _, pages = database._run(_native.brant_sql_run, part)
            except BrantError as error:
                raise translated(error) from error
            self._rows = rows
            if names:
                self._columns = names, types, rows[0] if rows else None
            if pages:
                self._pages = _Pages(pages, connection._abandoned)
                connection._streaming.add(self)
            return
        try:
            self._begin_rows(connection._run((sql, values, _DESCRIBE, 0, _adapt)))
        except DataError as error:
            if error.code != "LIMIT":
                raise
            with database.transaction("read"):
                self._begin_rows(connection._run(part))
                self._drain()

    def executemany(self, sql: str, parameters: Iterable[Parameters], /) -> Cursor:
        """Run an INSERT, UPDATE, DELETE or REPLACE with each of these: all or none of it."""
        self._check()
        self._forget()
        self._ran = True
        statement = _statement(sql)
        if statement.verb not in _DML:
            raise ProgrammingError("executemany runs INSERT, UPDATE, DELETE and REPLACE only")
        connection = self._connection
        connection._before(True)
        alone = not connection._own() and not connection._database._owns()
        some = self._batches(statement, sql, iter(parameters))
        first = next(some, None)
        second = next(some, None)
        if first is None:
            self._rowcount = 0
        elif second is None:
            self._take(statement, connection._run(first), many=True)
        else:
            self._many(statement, [first, second], some, alone)
        return self

    def _many(self, statement: _Statement, ready: list[bytes], rest: Iterator[bytes], alone: bool) -> None:
        """More than crosses at once: a level of the transaction takes back what was done if one fails."""
        connection = self._connection
        connection._begin("")
        rows: list[Row] = []
        count = 0
        try:
            for batch in chain(ready, rest):
                self._take(statement, connection._run(batch), many=True)
                rows.extend(self._rows)
                count += self._rowcount
        except BaseException:
            connection._back(len(connection._levels) - 1)
            raise
        connection._release(0 if alone else len(connection._levels) - 1)
        self._rows, self._rowcount = rows, count

    @staticmethod
    def _batches(statement: _Statement, sql: str, parameters: Iterator[Parameters]) -> Iterator[bytes]:
        row = partial(_values, statement)
        while True:
            try:
                batch = _native.pack(sql, _DESCRIBE, parameters, row, _adapt, _BATCH, _BATCH_BYTES)
            except BrantError as error:
                raise translated(error) from error
            if batch is None:
                return
            yield batch

    def _control(self, method: str, argument: str) -> None:
        connection = self._connection
        if method == "begin":
            connection.begin()
        elif method == "commit":
            connection.commit()
        elif method == "rollback":
            connection.rollback()
        else:
            getattr(connection, method)(argument)

    def _turn_page(self) -> None:
        """The next rows of the statement in place of those that were fetched."""
        pages = self._pages
        assert pages is not None
        try:
            answer = self._connection._run((pages.number, 0, _PAGE))
        except BaseException:
            self._lose()
            raise
        del self._rows[: self._at]
        self._rows += answer[2]
        self._past += self._at
        self._at = 0
        pages.number = answer[5]
        if not pages.number:
            self._pages = None
            self._connection._streaming.discard(self)

    def _drain(self) -> None:
        """Have all rows here, before the transaction that they are read in ends."""
        while self._pages is not None:
            self._turn_page()

    def _lose(self) -> None:
        """The transaction that the rows are read in was taken back: what has not come cannot be had."""
        self._stop()
        self._lost = True

    def _end(self) -> None:
        """Behind the last row that is here."""
        if self._lost:
            raise ProgrammingError("the transaction that these rows were read in has ended before they were fetched")

    def _stop(self) -> None:
        """No more of them are wanted."""
        if self._pages is not None:
            pages, self._pages = self._pages, None
            self._connection._streaming.discard(self)
            number, pages.number = pages.number, 0
            self._connection._close_pages(number)

    def _begin_rows(self, answer: _native.Answer) -> None:
        names, types, self._rows, _, _, cursor = answer
        self._pages = _Pages(cursor, self._connection._abandoned) if cursor else None
        if names:
            self._columns = names, types, self._rows[0] if self._rows else None

    def _take(self, statement: _Statement, answer: _native.Answer, many: bool = False) -> None:
        self._begin_rows(answer)
        if statement.verb in _DML:
            self._rowcount = answer[3]
            if statement.verb in ("INSERT", "REPLACE") and not many:
                self._lastrowid = answer[4]

    # ---- rows ---------------------------------------------------------------------------------------------------------------

    def _ready(self) -> list[Row]:
        self._check()
        if self._columns is None:
            raise ProgrammingError("no statement with rows was executed")
        return self._rows

    def fetchone(self) -> Row | None:
        """The next row, or None."""
        at, rows = self._at, self._rows
        if at >= len(rows) or self._connection._closed:
            self._ready()
            if self._pages is None:
                self._end()
                return None
            self._turn_page()
            return self.fetchone()
        self._at = at + 1
        return rows[at]

    def fetchmany(self, size: int | None = None) -> list[Row]:
        """The next rows, `arraysize` or `size` at most."""
        size = max(0, self.arraysize if size is None else size)
        rows = self._ready()
        while self._pages is not None and len(rows) - self._at < size:
            self._turn_page()
            rows = self._rows
        if len(rows) - self._at < size:
            self._end()
        some = rows[self._at : self._at + size]
        self._at += len(some)
        return some

    def fetchall(self) -> list[Row]:
        """All further rows."""
        self._ready()
        rest: list[Row] = []
        while True:
            rest += self._rows[self._at :]
            self._at = len(self._rows)
            if self._pages is None:
                self._end()
                return rest
            self._turn_page()

    def __iter__(self) -> Iterator[Row]:
        return self

    def __next__(self) -> Row:
        row = self.fetchone()
        if row is None:
            raise StopIteration
        return row

    # ---- the rest of the interface --------------------------------------------------------------------------------------------

    def setinputsizes(self, sizes: Sequence[Any], /) -> None:
        """Does nothing, as the interface allows."""

    def setoutputsize(self, size: int, column: int | None = None, /) -> None:
        """Does nothing, as the interface allows."""

    def close(self) -> None:
        """Drop the rows; the counts stay. Any number of times."""
        if not self._connection.closed:
            self._stop()
        self._columns, self._rows, self._at = None, [], 0
        self._closed = True

    def __enter__(self) -> Cursor:
        self._check()
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        self.close()


@lru_cache(maxsize=1)
def _sqlite() -> str:
    with open_database(":memory:") as database:
        return database.info().sqlite_version


def __getattr__(name: str) -> Any:
    if name == "sqlite_version":
        return _sqlite()
    if name == "sqlite_version_info":
        return tuple(map(int, _sqlite().split(".")))
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
