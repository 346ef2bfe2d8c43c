"""Many at once: an iterable of any length as calls that the library takes, in one transaction, with the faults numbered as the caller's items."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator
from itertools import islice
from typing import TYPE_CHECKING, Any

from . import _native
from ._clock import deadline
from ._json import decode, encode
from .errors import BrantError
from .records import Json

if TYPE_CHECKING:
    from .database import Database

CHUNK_ITEMS = 10_000  # of one call at most; more is no faster
CHUNK_BYTES = 8 << 20
ENCODED_AT_A_TIME = 500
FAULTS = 100  # that an answer tells of at most


def _size(text: str) -> int:
    return len(text) if text.isascii() else len(text.encode("utf-8", "surrogatepass"))


def _parts(items: list[Any], room: int) -> Iterator[tuple[int, int, str]]:
    """(count, bytes, JSON members of an array), split where they would not fit into `room`; one item that does not goes alone."""
    text = encode(items)[1:-1]
    size = _size(text)
    if size <= room or len(items) == 1:
        yield len(items), size, text
    else:
        half = len(items) // 2
        yield from _parts(items[:half], room)
        yield from _parts(items[half:], room)


def _chunks(items: Iterable[Any], most: int, room: int) -> Iterator[tuple[int, str]]:
    """(count, JSON members of an array) of what one call takes; at least one chunk."""
    source = iter(items)
    step = min(ENCODED_AT_A_TIME, most)
    texts: list[str] = []
    count = length = chunks = 0
    while batch := list(islice(source, step)):
        for number, size, text in _parts(batch, room):
            if texts and (count + number > most or length + size + 1 > room):
                yield count, ",".join(texts)
                chunks += 1
                texts, count, length = [], 0, 0
            texts.append(text)
            count += number
            length += size + 1
    if texts or not chunks:
        yield count, ",".join(texts)


def _shift(error: BrantError, done: int) -> None:
    """The error of a chunk speaks of its items; have it speak of the caller's."""

    def renumber(found: re.Match[str]) -> str:
        text: str = found[0]
        index: str = found[1] or found[2]
        return text.replace(index, str(int(index) + done))

    def shifted(text: str) -> str:
        return re.sub(r"^item (\d+)|/items/(\d+)", renumber, text)

    if done:
        error.message = shifted(error.message)
        for fault in error.detail.get("items", ()):
            fault["index"] += done
        for violation in error.detail.get("violations", ()):
            violation["instance"] = shifted(violation["instance"])


def many(
    database: Database,
    function: _native.Operation,
    members: Json,
    items: Iterable[Any] | str | bytes,
    progress: Callable[[int], object] | None = None,
    timeout: float | None = None,
    name: str = "items",
) -> Json:
    """Run a batch operation over all of `items`, as its member `name`: the numbers of the calls' answers added, all or nothing.

    Text is NDJSON and goes as it is, in one call.
    """
    until = deadline(timeout)
    total: Json = {}
    if isinstance(items, (str, bytes)) and name == "items":
        text = items if isinstance(items, str) else items.decode("utf-8", "surrogateescape")
        _add(total, decode(database._run(function, encode({**members, name: text}), until)), 0)
        if progress is not None:
            progress(sum(total[number] for number in ("created", "updated", "unchanged", "failed") if number in total))
        return total

    head = encode(members)[:-1] + f',"{name}":['
    room = max(1, min(CHUNK_BYTES, database._document_limit - _size(head) - 2))
    chunks = _chunks(items, min(CHUNK_ITEMS, database._batch_limit), room)
    done = 0

    def run(chunk: tuple[int, str]) -> None:
        nonlocal done
        count, text = chunk
        try:
            answer = decode(database._run(function, head + text + "]}", until))
        except BrantError as error:
            _shift(error, done)
            raise
        _add(total, answer, done)
        done += count
        if progress is not None:
            progress(done)

    first = next(chunks)
    second = next(chunks, None)
    if second is None:
        run(first)
    else:
        with database.transaction():
            run(first)
            run(second)
            for chunk in chunks:
                run(chunk)
    return total


def _add(total: Json, answer: Json, done: int) -> None:
    """Add what a call answered to what those before it did; `done` items were theirs."""
    for name, value in answer.items():
        if name == "items":
            faults = total.setdefault("items", [])
            for fault in value[: FAULTS - len(faults)]:
                faults.append({**fault, "index": fault["index"] + done})
        else:
            total[name] = total.get(name, 0) + value
