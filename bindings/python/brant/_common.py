"""What the methods of graphs, nodes and edges share: members as they were given, pages, the names of choices."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import Any, Literal, TypeVar

from .records import Json, Page

M = TypeVar("M")

Direction = Literal["out", "in", "both"]
Status = Literal["draft", "active", "archived"]
Errors = Literal["refuse", "skip"]
Filter = Mapping[str, Any]
"""``{"type": "Task", "attributes.status": {"$in": ["open", "blocked"]}}``: see `Nodes.list`."""

PAGE = 1000  # items that an iteration reads at a time


class _Left:
    """The default of an argument for which None means null."""

    def __repr__(self) -> str:
        return "<left as it is>"


LEFT: Any = _Left()


def given(**members: Any) -> Json:
    """The members that were given: None is left out; use `LEFT` where None is a value."""
    return {name: value for name, value in members.items() if value is not None}


def texts(texts: Iterable[str]) -> list[str]:
    """A list of them; one str is one, not its characters."""
    return [texts] if isinstance(texts, str) else list(texts)


def some_texts(some: Iterable[str] | None) -> list[str] | None:
    return None if some is None else texts(some)


def paged(page: Callable[[str | None], Page[M]]) -> Iterator[M]:
    cursor = None
    while True:
        answer = page(cursor)
        yield from answer.items
        cursor = answer.cursor
        if cursor is None:
            return
