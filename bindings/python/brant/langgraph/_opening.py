"""A checkpointer or store on a file of its own, as LangGraph's others have it by `from_conn_string`; and what is no handle is refused."""

from __future__ import annotations

import asyncio
import os
from collections.abc import Callable
from contextlib import AsyncExitStack, ExitStack
from types import TracebackType
from typing import Any, Generic, TypeVar, cast

from ..database import Database
from ..database import open as open_database

T = TypeVar("T")
Path = str | bytes | os.PathLike[str] | os.PathLike[bytes]


def handle(database: Any, what: type) -> Database:
    """TypeError: it is none."""
    if not isinstance(database, Database):
        raise TypeError(
            f"{what.__name__} takes an open brant.Database, as brant.open(path) gives one, not {type(database).__name__}; {what.__name__}.from_conn_string(path) opens one for itself"
        )
    return database


class Opened(Generic[T]):
    """``with`` or ``async with``: opens the file, gives what is made of its handle (which is entered too, where it can be), and closes it at the end."""

    def __init__(self, make: Callable[[Database], T], path: Path, options: dict[str, Any]) -> None:
        self._make = make
        self._path = path
        self._options = options
        self._inside: list[ExitStack | AsyncExitStack] = []

    def _open(self) -> tuple[Database, T]:
        database = open_database(self._path, **self._options)
        try:
            return database, self._make(database)
        except BaseException:
            database.close()
            raise

    def __enter__(self) -> T:
        database, made = self._open()
        with ExitStack() as stack:
            stack.callback(database.close)
            if hasattr(made, "__enter__"):
                stack.enter_context(cast(Any, made))
            self._inside.append(stack.pop_all())
        return made

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        stack = self._inside.pop()
        assert isinstance(stack, ExitStack)
        stack.__exit__(kind, error, trace)

    async def __aenter__(self) -> T:
        database, made = await asyncio.to_thread(self._open)
        async with AsyncExitStack() as stack:
            stack.callback(database.close)
            if hasattr(made, "__aenter__"):
                await stack.enter_async_context(cast(Any, made))
            self._inside.append(stack.pop_all())
        return made

    async def __aexit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        stack = self._inside.pop()
        assert isinstance(stack, AsyncExitStack)
        await stack.__aexit__(kind, error, trace)
