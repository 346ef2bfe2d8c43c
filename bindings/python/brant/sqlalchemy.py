"""SQLAlchemy over brant: ``create_engine("brant:///app.db")``, or :func:`create_engine` over a database that is open.

It is SQLAlchemy's SQLite dialect (``engine.dialect.name`` is "sqlite", so types' variants, upserts and Alembic know it) on `brant.dbapi`: your
tables and all else in the file are one transaction. :func:`handle` gives a session's handle::

    with Session(engine) as session, session.begin():
        session.add(order)
        handle(session).queue("mail").enqueue({"order": order.number})

Isolation levels: "READ COMMITTED" (default) takes the write lock before the first statement that writes; "SERIALIZABLE" before the first of any
kind; "REPEATABLE READ" sees one snapshot and refuses to write when others did since; "AUTOCOMMIT". Savepoints (``begin_nested``) are real.

The URL's query has options of :func:`brant.open`: mode, durability, role, permissions, timeout, adopt, network, system, foreign_keys, cache; and `brant+aio` is for
``create_async_engine``: each connection has a thread, which its transaction belongs to; :func:`run` calls the handle there.

Reflection and Alembic's autogenerate do not see brant's own tables; ``create_engine(..., own_tables=True)`` shows them. They can be read.
"""

from __future__ import annotations

import os
from collections.abc import Callable
from functools import lru_cache
from typing import TYPE_CHECKING, Any, TypeVar

try:
    import sqlalchemy
except ModuleNotFoundError as error:
    raise ModuleNotFoundError("brant.sqlalchemy needs SQLAlchemy: pip install 'brant[sqlalchemy]'", name="sqlalchemy") from error
from sqlalchemy import exc, pool, util
from sqlalchemy.dialects import registry
from sqlalchemy.dialects.sqlite.base import SQLiteDialect
from sqlalchemy.engine import URL, Connection, Engine, reflection

from . import dbapi
from .database import Database
from .database import open as open_database

if TYPE_CHECKING:
    from sqlalchemy.ext.asyncio import AsyncConnection, AsyncSession
    from sqlalchemy.orm import Session

R = TypeVar("R")

__all__ = ["BrantDialect", "create_engine", "handle", "run"]

_LEVELS: dict[str, dbapi.IsolationLevel] = {"READ COMMITTED": "DEFERRED", "REPEATABLE READ": "SNAPSHOT", "SERIALIZABLE": "IMMEDIATE"}
_OPTIONS: dict[str, type] = {
    "mode": str, "durability": str, "role": str, "permissions": str, "timeout": float, "adopt": bool, "network": bool, "system": bool, "foreign_keys": bool, "cache": int
}  # fmt: skip


@lru_cache(maxsize=1)
def _own_tables() -> frozenset[str]:
    """What a new file has."""
    with open_database(":memory:") as database:
        return frozenset(name for (name,) in database.execute("SELECT name FROM sqlite_schema WHERE type IN ('table', 'view')"))


def _is_own(name: str) -> bool:
    """Is this table or view brant's?"""
    return name.lower() in _own_tables() or name.lower().startswith("attribute_text_")


class BrantDialect(SQLiteDialect):
    """SQLite's dialect on `brant.dbapi`. Besides its arguments: `own_tables`, reflect brant's own tables too."""

    driver = "brant"
    supports_statement_cache = True
    supports_schemas = False  # another file cannot be attached
    supports_sane_rowcount_returning = True
    returns_native_bytes = True

    def __init__(self, own_tables: bool = False, **arguments: Any) -> None:
        super().__init__(**arguments)
        self._shows_own = own_tables

    @classmethod
    def import_dbapi(cls) -> Any:
        return dbapi

    # ---- connecting ---------------------------------------------------------------------------------------------------------

    @classmethod
    def get_pool_class(cls, url: URL) -> type[pool.Pool]:
        return pool.SingletonThreadPool if cls._is_private(url) else pool.QueuePool

    @staticmethod
    def _is_private(url: URL) -> bool:
        return url.database in (None, "", ":memory:")

    def create_connect_args(self, url: URL) -> Any:
        if url.username or url.password or url.host or url.port:
            raise exc.ArgumentError(f"{url} is not of the form brant:///relative.db, brant:////absolute/path.db or brant:// (in memory)")
        options: dict[str, Any] = dict(url.query)
        for name, kind in _OPTIONS.items():
            util.coerce_kw_type(options, name, kind)
        unknown = sorted(set(options) - set(_OPTIONS))
        if unknown:
            raise exc.ArgumentError(f"{url} has an unknown option {unknown[0]!r}; there are {', '.join(_OPTIONS)}")
        return [":memory:" if self._is_private(url) else os.path.abspath(url.database or "")], options

    def _get_server_version_info(self, connection: Any) -> Any:
        return dbapi.sqlite_version_info

    def is_disconnect(self, e: Any, connection: Any, cursor: Any) -> bool:
        return isinstance(e, dbapi.InterfaceError) or getattr(e, "code", "") in ("CLOSED", "FORKED")

    # ---- transactions ---------------------------------------------------------------------------------------------------------

    def get_isolation_level_values(self, dbapi_connection: Any) -> Any:
        return [*_LEVELS, "AUTOCOMMIT"]

    def set_isolation_level(self, dbapi_connection: Any, level: Any) -> None:
        dbapi_connection.autocommit = level == "AUTOCOMMIT"
        if level != "AUTOCOMMIT":
            dbapi_connection.isolation_level = _LEVELS[level]

    def get_isolation_level(self, dbapi_connection: Any) -> Any:
        if dbapi_connection.autocommit:
            return "AUTOCOMMIT"
        return next(name for name, level in _LEVELS.items() if level == dbapi_connection.isolation_level)

    def detect_autocommit_setting(self, dbapi_conn: Any) -> bool:
        return bool(dbapi_conn.autocommit)

    # ---- reflection -----------------------------------------------------------------------------------------------------------

    @reflection.cache
    def get_table_names(self, connection: Connection, schema: str | None = None, sqlite_include_internal: bool = False, **kw: Any) -> Any:
        names = super().get_table_names(connection, schema, sqlite_include_internal, **kw)  # type: ignore[no-untyped-call]
        return self._visible(names)

    @reflection.cache
    def get_view_names(self, connection: Connection, schema: str | None = None, sqlite_include_internal: bool = False, **kw: Any) -> Any:
        names = super().get_view_names(connection, schema, sqlite_include_internal, **kw)  # type: ignore[no-untyped-call]
        return self._visible(names)

    def _visible(self, names: list[str]) -> list[str]:
        return names if self._shows_own else [name for name in names if not _is_own(name)]


def create_engine(database: Database, **arguments: Any) -> Engine:
    """An engine on an open database (or a session of one), whose one transaction at a time is what all its connections take part in: one that is begun inside of another of the same
    thread, or inside ``with database.transaction():``, is a savepoint in it and has to end first. `arguments` as SQLAlchemy's create_engine takes them.

    For many threads at work an engine of the file's URL is better: each connection has a handle of its own.
    """
    arguments.setdefault("poolclass", pool.NullPool)
    return sqlalchemy.create_engine("brant://", creator=lambda: dbapi.connect(database, nested=True), **arguments)


def handle(connection: Session | Connection) -> Database:
    """The handle of a session's (or Core's) connection, in its transaction, which has the write lock then: what is done through it commits or rolls back with the rows.

    Keep it no longer than the transaction. TypeError: the engine is not brant's, or an asyncio one (see :func:`run`).
    """
    return _brant(connection).brant


def _brant(connection: Session | Connection) -> dbapi.Connection:
    if not isinstance(connection, Connection):
        connection = connection.connection()
    found = connection.connection.dbapi_connection
    if not isinstance(found, dbapi.Connection):
        raise TypeError(f"a connection of brant's was expected, not {type(found).__name__}; for an asyncio session use brant.sqlalchemy.run")
    return found


async def run(session: AsyncSession | AsyncConnection, function: Callable[[Database], R]) -> R:
    """Call `function` with the handle of an asyncio session's connection, in its transaction and in its thread, and await what it returns::

        await run(session, lambda db: db.queue("mail").enqueue({"order": 7}))
    """
    from ._sqlalchemy_aio import run_in

    return await run_in(session, function)


registry.register("brant", __name__, "BrantDialect")
registry.register("sqlite.brant", __name__, "BrantDialect")
registry.register("brant.aio", "brant._sqlalchemy_aio", "AsyncBrantDialect")
registry.register("brant.brant", __name__, "BrantDialect")
