"""SQLAlchemy's asyncio over `brant.dbapi`: each connection has a thread of its own, which makes its calls and owns its transaction, so that no call stops the loop."""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING, Any, TypeVar

from sqlalchemy import pool
from sqlalchemy.engine import URL, AdaptedConnection
from sqlalchemy.util.concurrency import await_only

from . import dbapi
from .database import Database
from .sqlalchemy import BrantDialect

if TYPE_CHECKING:
    from sqlalchemy.ext.asyncio import AsyncConnection, AsyncSession

R = TypeVar("R")


class AsyncCursor:
    """A cursor whose statement runs in the connection's thread, and which has all its rows then."""

    server_side = False

    def __init__(self, connection: AsyncConnectionAdapter) -> None:
        self._adapter = connection
        self.arraysize = 1
        self.description: dbapi.Description | None = None
        self.rowcount = -1
        self.lastrowid: int | None = None
        self._rows: deque[Any] = deque()

    def _run(self, method: str, sql: str, parameters: Any) -> None:
        def work() -> tuple[dbapi.Cursor, list[Any]]:
            cursor = self._adapter.driver_connection.cursor()
            getattr(cursor, method)(sql, parameters)
            return cursor, cursor.fetchall() if cursor.description is not None else []

        cursor, rows = self._adapter.await_in_thread(work)
        self.description, self.rowcount, self.lastrowid = cursor.description, cursor.rowcount, cursor.lastrowid
        self._rows = deque(rows)

    def execute(self, sql: str, parameters: Any = ()) -> None:
        self._run("execute", sql, parameters)

    def executemany(self, sql: str, parameters: Any) -> None:
        self._run("executemany", sql, parameters)

    def fetchone(self) -> Any:
        return self._rows.popleft() if self._rows else None

    def fetchmany(self, size: int | None = None) -> list[Any]:
        return [self._rows.popleft() for _ in range(min(len(self._rows), self.arraysize if size is None else size))]

    def fetchall(self) -> list[Any]:
        rows = list(self._rows)
        self._rows.clear()
        return rows

    def __iter__(self) -> Iterator[Any]:
        while self._rows:
            yield self._rows.popleft()

    def setinputsizes(self, *sizes: Any) -> None:
        pass

    def close(self) -> None:
        self._rows.clear()

    async def _async_soft_close(self) -> None:
        """Nothing is left open."""


class AsyncConnectionAdapter(AdaptedConnection):
    """What the pool keeps: a connection and its thread. Its methods are called inside of SQLAlchemy's greenlets, and await there."""

    __slots__ = ("_connection", "_thread")

    def __init__(self, connect: Callable[[], dbapi.Connection]) -> None:
        self._thread = ThreadPoolExecutor(1, "brant.sqlalchemy")
        try:
            self._connection: Any = self.await_in_thread(connect)
        except BaseException:
            self._thread.shutdown(wait=False)
            raise

    @property
    def driver_connection(self) -> dbapi.Connection:
        found = self._connection
        assert isinstance(found, dbapi.Connection)
        return found

    async def in_thread(self, function: Callable[[], R]) -> R:
        """Await a call in the connection's thread. When the task is cancelled, the call goes on, and whatever follows waits for its end."""
        return await asyncio.get_running_loop().run_in_executor(self._thread, function)

    def await_in_thread(self, function: Callable[[], R]) -> R:
        return await_only(self.in_thread(function))

    def cursor(self, server_side: bool = False) -> AsyncCursor:
        return AsyncCursor(self)

    def commit(self) -> None:
        self.await_in_thread(self.driver_connection.commit)

    def rollback(self) -> None:
        self.await_in_thread(self.driver_connection.rollback)

    def close(self) -> None:
        try:
            self.await_in_thread(self.driver_connection.close)
        finally:
            self._thread.shutdown(wait=False)

    def terminate(self) -> None:
        """Close it without a loop: its calls end, and its transaction is rolled back."""
        self.driver_connection.database.close()
        self._thread.shutdown(wait=False)

    @property
    def autocommit(self) -> bool:
        return self.driver_connection.autocommit

    @autocommit.setter
    def autocommit(self, autocommit: bool) -> None:
        self.await_in_thread(lambda: setattr(self.driver_connection, "autocommit", autocommit))

    @property
    def isolation_level(self) -> dbapi.IsolationLevel:
        return self.driver_connection.isolation_level

    @isolation_level.setter
    def isolation_level(self, level: dbapi.IsolationLevel) -> None:
        self.await_in_thread(lambda: setattr(self.driver_connection, "isolation_level", level))


class _Module:
    """`brant.dbapi` with connections as SQLAlchemy's asyncio wants them."""

    def __getattr__(self, name: str) -> Any:
        return getattr(dbapi, name)

    def connect(self, *arguments: Any, **options: Any) -> AsyncConnectionAdapter:
        return AsyncConnectionAdapter(lambda: dbapi.connect(*arguments, **options))


class AsyncBrantDialect(BrantDialect):
    driver = "aio"
    is_async = True
    has_terminate = True
    supports_statement_cache = True

    @classmethod
    def import_dbapi(cls) -> Any:
        return _Module()

    @classmethod
    def get_pool_class(cls, url: URL) -> type[pool.Pool]:
        return pool.StaticPool if cls._is_private(url) else pool.AsyncAdaptedQueuePool

    def get_driver_connection(self, connection: Any) -> Any:
        return connection.driver_connection

    def do_terminate(self, dbapi_connection: Any) -> None:
        dbapi_connection.terminate()


async def run_in(session: AsyncSession | AsyncConnection, function: Callable[[Database], R]) -> R:
    from sqlalchemy.ext.asyncio import AsyncConnection

    connection = session if isinstance(session, AsyncConnection) else await session.connection()
    adapter = (await connection.get_raw_connection()).dbapi_connection
    if not isinstance(adapter, AsyncConnectionAdapter):
        raise TypeError("the engine is not brant's")
    return await adapter.in_thread(lambda: function(adapter.driver_connection.brant))
