"""SQLAlchemy's asyncio over brant: each connection has its thread, and the loop goes on."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Awaitable, Callable
from pathlib import Path

import pytest
from conftest import Base, Customer, seen
from sqlalchemy import func, select, text
from sqlalchemy.ext.asyncio import AsyncEngine, AsyncSession, create_async_engine

import brant
from brant.sqlalchemy import run

SLOW = text("WITH RECURSIVE n(i) AS (VALUES (1) UNION ALL SELECT i + 1 FROM n WHERE i < 2000000) SELECT count(*) FROM n")


def within(path: Path, work: Callable[[AsyncEngine], Awaitable[None]]) -> None:
    async def main() -> None:
        engine = create_async_engine(f"brant+aio:///{path}")
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
    async def work(engine: AsyncEngine) -> None:
        gaps: list[float] = []

        async def tick() -> None:
            last = time.perf_counter()
            while True:
                await asyncio.sleep(0.005)
                now = time.perf_counter()
                gaps.append(now - last)
                last = now

        ticking = asyncio.create_task(tick())
        async with AsyncSession(engine) as session:
            started = time.perf_counter()
            assert await session.scalar(SLOW) == 2_000_000
            took = time.perf_counter() - started
        ticking.cancel()
        assert max(gaps) < took / 2 and len(gaps) > 5

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
                await session.execute(SLOW)
                await session.commit()

        task = asyncio.create_task(one())
        await asyncio.sleep(0.1)
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task
        async with AsyncSession(engine) as session, session.begin():
            session.add(Customer(name="bob"))
        with brant.open(path) as db:
            assert seen(db) == (1, 0, 0)

    within(path, work)
