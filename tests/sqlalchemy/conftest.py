from __future__ import annotations

import datetime
import decimal
import enum
import uuid
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import JSON, Engine, ForeignKey, LargeBinary, Numeric, create_engine
from sqlalchemy.orm import DeclarativeBase, Mapped, mapped_column, relationship

import brant


class Base(DeclarativeBase):
    pass


class Size(enum.Enum):
    SMALL = "s"
    LARGE = "l"


class Customer(Base):
    __tablename__ = "customers"

    id: Mapped[int] = mapped_column(primary_key=True)
    name: Mapped[str] = mapped_column(unique=True)
    orders: Mapped[list[Order]] = relationship(back_populates="customer", cascade="all, delete-orphan")


class Order(Base):
    __tablename__ = "orders"

    id: Mapped[int] = mapped_column(primary_key=True)
    customer_id: Mapped[int] = mapped_column(ForeignKey("customers.id", ondelete="CASCADE"), index=True)
    customer: Mapped[Customer] = relationship(back_populates="orders")
    at: Mapped[datetime.datetime | None]
    day: Mapped[datetime.date | None]
    number: Mapped[uuid.UUID | None]
    amount: Mapped[decimal.Decimal | None] = mapped_column(Numeric(12, 2))
    size: Mapped[Size | None]
    data: Mapped[Any | None] = mapped_column(JSON)
    scan: Mapped[bytes | None] = mapped_column(LargeBinary)
    paid: Mapped[bool | None]


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "app.db"


@pytest.fixture
def engine(path: Path) -> Iterator[Engine]:
    made = create_engine(f"brant:///{path}?timeout=60")  # whose turn to write comes late on a busy machine waits
    Base.metadata.create_all(made)
    yield made
    made.dispose()


@pytest.fixture
def db(path: Path, engine: Engine) -> Iterator[brant.Database]:
    """A second handle on the same file, which sees what is committed."""
    with brant.open(path) as database:
        yield database


def seen(db: brant.Database) -> tuple[int, int, int]:
    """How many customers, jobs and notifications are committed."""
    return (
        db.execute("SELECT count(*) FROM customers").scalar(),
        db.execute("SELECT count(*) FROM jobs").scalar(),
        db.execute("SELECT count(*) FROM notifications WHERE channel = 'customers'").scalar(),
    )
