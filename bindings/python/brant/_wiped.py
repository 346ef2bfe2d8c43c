"""JSON text with keys in it, made in memory that can be overwritten, and errors that keep nothing of it.

A str or bytes of Python cannot be wiped, and an exception keeps the frames that it went through, with all their locals: so text is written byte by
byte into a bytearray, and what went wrong is returned as a value and raised where no key is in reach.
"""

from __future__ import annotations

import codecs
import math
from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import Any, Protocol, TypeVar, runtime_checkable

from .errors import InvalidJson, Limit

E = TypeVar("E", bound=BaseException)

_BASE64URL = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_"
_DEPTH = 32  # a ring has four


class Text:
    """UTF-8 in memory that is overwritten when it is wiped, outgrown or given up. What is not used yet are spaces, which JSON allows behind a value."""

    __slots__ = ("_length", "data", "wiped")

    def __init__(self) -> None:
        self.data = bytearray(b" ") * 256
        self._length = 0
        self.wiped = False

    def __del__(self) -> None:
        self.wipe()

    def __len__(self) -> int:
        return self._length

    def __iter__(self) -> Iterator[int]:
        return iter(memoryview(self.data)[: self._length])

    def add(self, piece: Iterable[int]) -> None:
        """Bytes, one by one: what is added leaves no copy on its way."""
        for byte in piece:
            if self._length == len(self.data):
                outgrown = self.data
                self.data = bytearray(b" ") * (2 * self._length)
                self.data[: self._length] = outgrown
                outgrown[:] = b" " * len(outgrown)
            self.data[self._length] = byte
            self._length += 1

    def wipe(self) -> None:
        self.data[:] = b" " * len(self.data)
        self._length = 0
        self.wiped = True


@runtime_checkable
class Written(Protocol):
    """What writes itself as JSON."""

    def _write(self, out: Text) -> None: ...


def bare(error: E) -> E:
    """The exception without what it keeps alive: the frames it went through, and what was being handled."""
    error.__traceback__ = error.__context__ = error.__cause__ = None
    return error


def faults(function: Callable[[], object]) -> list[BaseException]:
    """What a function raises, bare; nothing when it does not."""
    try:
        function()
    except BaseException as error:
        return [bare(error)]
    return []


def raise_first(faults: list[BaseException]) -> None:
    """Raise what `faults` found. No frame keeps it, which would be a cycle."""
    if faults:
        raise faults.pop()


def base64url(data: Iterable[int]) -> Iterator[int]:
    """Without padding."""
    bits = held = 0
    for byte in data:
        bits = (bits & 0x3F) << 8 | byte
        held += 8
        while held >= 6:
            held -= 6
            yield _BASE64URL[bits >> held & 0x3F]
    if held:
        yield _BASE64URL[bits << 6 - held & 0x3F]


def utf8(text: str) -> Iterator[int]:
    """InvalidJson: a lone surrogate."""
    for character in text:
        if 0xD800 <= ord(character) < 0xE000:
            raise InvalidJson("the text holds a lone surrogate, which UTF-8 cannot")
        yield from character.encode()


def is_utf8(data: Iterable[int]) -> bool:
    """An error of decode() has all of it."""
    decoder = codecs.getincrementaldecoder("utf-8")()
    try:
        for byte in data:
            decoder.decode(bytes((byte,)))
        decoder.decode(b"", True)
    except UnicodeDecodeError:
        return False
    return True


def escaped(text: Iterable[int]) -> Iterator[int]:
    """UTF-8 as it stands between the quotes of a JSON string."""
    for byte in text:
        if byte < 0x20 or byte in b'"\\':
            yield from b"\\u00"
            yield b"0123456789abcdef"[byte >> 4]
            yield b"0123456789abcdef"[byte & 15]
        else:
            yield byte


def write(out: Text, value: Any, depth: int = _DEPTH) -> None:
    """JSON of mappings, lists and plain values; bytes as base64url. TypeError: something else, of which only the type is told. InvalidJson: NaN or an
    infinity. Limit: too deep."""
    if depth == 0:
        raise Limit("the value is nested too deep, or inside itself")
    if isinstance(value, str):
        out.add(b'"')
        out.add(escaped(utf8(value)))
        out.add(b'"')
    elif isinstance(value, (bytes, bytearray, memoryview)):
        out.add(b'"')
        out.add(base64url(memoryview(value).cast("B")))
        out.add(b'"')
    elif value is None or isinstance(value, bool):
        out.add({None: b"null", False: b"false", True: b"true"}[value])
    elif isinstance(value, (int, float)):
        if not math.isfinite(value):
            raise InvalidJson("a number is not finite")
        out.add(repr(value).encode())
    elif isinstance(value, Written):
        value._write(out)
    elif isinstance(value, Mapping):
        mark = b"{"
        for name, member in value.items():
            if not isinstance(name, str):
                raise TypeError(f"the name of a member must be str, not {type(name).__name__}")
            out.add(mark)
            write(out, name, depth - 1)
            out.add(b":")
            write(out, member, depth - 1)
            mark = b","
        out.add(b"{}" if mark == b"{" else b"}")
    elif isinstance(value, (list, tuple)):
        mark = b"["
        for item in value:
            out.add(mark)
            write(out, item, depth - 1)
            mark = b","
        out.add(b"[]" if mark == b"[" else b"]")
    else:
        raise TypeError(f"{type(value).__name__} has no JSON form in a key ring")
