"""A shop: an order, its mail and the notification are committed together, by SQLAlchemy's session. Wants SQLAlchemy 2."""

import sys

from sqlalchemy import create_engine, func, select
from sqlalchemy.orm import DeclarativeBase, Mapped, Session, mapped_column

from brant.sqlalchemy import handle


class Base(DeclarativeBase):
    pass


class Order(Base):
    __tablename__ = "orders"

    id: Mapped[int] = mapped_column(primary_key=True)
    customer: Mapped[str]
    cents: Mapped[int]


def place(session: Session, customer: str, cents: int) -> None:
    order = Order(customer=customer, cents=cents)
    session.add(order)
    session.flush()
    db = handle(session)  # in the session's transaction
    db.queue("mail").enqueue({"order": order.id, "to": customer})
    db.notify("orders", {"id": order.id})
    if cents < 0:
        raise ValueError("a negative amount")


engine = create_engine("brant:///" + (sys.argv[1] if len(sys.argv) > 1 else "orders.db"))
Base.metadata.create_all(engine)

with Session(engine) as session, session.begin():
    place(session, "ann@example.org", 1200)
try:
    with Session(engine) as session, session.begin():
        place(session, "bob@example.org", -5)
except ValueError as error:
    print("refused:", error)

with Session(engine) as session:
    orders = session.scalar(select(func.count()).select_from(Order))
    jobs = handle(session).queue("mail").stats().ready
    print(f"{orders} order, {jobs} mail")
engine.dispose()
