"""SQLAlchemy's asyncio over brant: each connection has its thread, and the loop goes on."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from pathlib import Path

import pytest
from conftest import Base, Customer, seen
from sqlalchemy import func, select
from sqlalchemy.ext.asyncio import AsyncEngine, AsyncSession, create_async_engine

import brant
from brant.sqlalchemy import run

def within(path: Path, work: Callable[[AsyncEngine], Awaitable[None]]) -> None:
    async def main() -> None:
        engine = create_async_engine(f"brant+aio:///{path}?timeout=60")
        async with engine.begin() as connection:
            await connection.run_sync(Base.metadata.create_all)
        try:
            await work(engine)
        finally:
            await engine.dispose()

    asyncio.run(main())


def test_one_transaction(path: Path) -> None:
    async def work(engine: AsyncEngine) -> None:
        for commits in (False, True):
            async with AsyncSession(engine) as session:
                await run(session, lambda db: db.queue("mail").enqueue(1))
                session.add(Customer(name="ann"))
                await session.flush()
                await run(session, lambda db: db.notify("customers", 1))
                async with session.begin_nested() as inner:
                    session.add(Customer(name="bob"))
                    await session.flush()
                    await inner.rollback()
                await (session.commit() if commits else session.rollback())
            with brant.open(path) as db:
                assert seen(db) == (int(commits),) * 3
        async with AsyncSession(engine) as session:
            assert [row async for row in await session.stream_scalars(select(Customer.name))] == ["ann"]

    within(path, work)


def test_the_loop_goes_on(path: Path) -> None:
    """While one of its statements waits for a writer, which this same loop ends: a loop that waited, too, would do so until the timeout."""

    async def work(engine: AsyncEngine) -> None:
        async def write() -> None:
            async with AsyncSession(engine) as session, session.begin():
                session.add(Customer(name="ann"))

        with brant.open(path) as other:
            writer = other.transaction()
            writer.begin()
            writing = asyncio.create_task(write())
            for _ in range(40):
                await asyncio.sleep(0.005)
            assert not writing.done()
            writer.commit()
            await writing
            assert seen(other) == (1, 0, 0)

    within(path, work)


def test_many_tasks(path: Path) -> None:
    async def work(engine: AsyncEngine) -> None:
        async def one(n: int) -> None:
            async with AsyncSession(engine) as session, session.begin():
                session.add(Customer(name=str(n)))
                await run(session, lambda db: db.queue("mail").enqueue(n))

        await asyncio.gather(*(one(n) for n in range(40)))
        async with engine.connect() as connection:
            assert await connection.scalar(select(func.count(Customer.id))) == 40
            assert await run(connection, lambda db: db.queue("mail").stats().ready) == 40

    within(path, work)


def test_cancelled(path: Path) -> None:
    """A cancelled task's transaction is rolled back, and its connection is of use again."""

    async def work(engine: AsyncEngine) -> None:
        async def one() -> None:
            async with AsyncSession(engine) as session:
                session.add(Customer(name="ann"))
                await session.flush()
                await session.commit()

        with brant.open(path) as other:
            writer = other.transaction()
            writer.begin()
            task = asyncio.create_task(one())
            await asyncio.sleep(0.2)
            task.cancel()  # while its statement waits for the writer
            await asyncio.sleep(0.05)
            writer.commit()
            with pytest.raises(asyncio.CancelledError):
                await task
        async with AsyncSession(engine) as session, session.begin():
            session.add(Customer(name="bob"))
        with brant.open(path) as db:
            assert seen(db) == (1, 0, 0)

    within(path, work)
