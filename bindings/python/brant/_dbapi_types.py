"""Types and values of `brant.dbapi`: constructors, type objects, and what is stored of a parameter."""

from __future__ import annotations

import datetime
import math
import numbers
import re
import time
from functools import lru_cache
from typing import Any

from ._dbapi_errors import DataError, ProgrammingError

Date = datetime.date
Time = datetime.time
Timestamp = datetime.datetime
Binary = bytes


def DateFromTicks(ticks: float) -> datetime.date:
    return datetime.date(*time.localtime(ticks)[:3])


def TimeFromTicks(ticks: float) -> datetime.time:
    return datetime.time(*time.localtime(ticks)[3:6])


def TimestampFromTicks(ticks: float) -> datetime.datetime:
    return datetime.datetime(*time.localtime(ticks)[:6])


class TypeObject:
    """Equal to the type codes of a description that are of its kind: declared types, by words in them, as SQLite tells affinity."""

    def __init__(self, name: str, words: str) -> None:
        self._name = name
        self._words = re.compile(words, re.I)

    def __repr__(self) -> str:
        return f"brant.dbapi.{self._name}"

    def __eq__(self, other: object) -> bool:
        return self is other or isinstance(other, str) and _type_of(other) is self

    def __hash__(self) -> int:
        return hash(self._name)


ROWID = TypeObject("ROWID", "^rowid$")
BINARY = TypeObject("BINARY", "blob|binary|bytea")
DATETIME = TypeObject("DATETIME", "date|time")
STRING = TypeObject("STRING", "char|clob|text|string|json|uuid|enum")
NUMBER = TypeObject("NUMBER", "int|real|floa|doub|num|dec|bool")

_STORED: dict[type, str] = {int: "INTEGER", float: "REAL", str: "TEXT", bytes: "BLOB"}


@lru_cache(maxsize=1024)
def _type_of(declared: str) -> TypeObject | None:
    return next((kind for kind in (ROWID, BINARY, DATETIME, STRING, NUMBER) if kind._words.search(declared)), None)


_LEAST, _MOST = -(1 << 63), (1 << 63) - 1


def _adapt(value: Any) -> Any:
    """What is stored of a parameter that SQLite has no type for."""
    if isinstance(value, int):
        raise DataError("an integer parameter does not fit into 64 bits")
    if isinstance(value, float):
        return None  # NaN
    if isinstance(value, datetime.datetime):
        return value.isoformat(" ")
    if isinstance(value, (datetime.date, datetime.time)):
        return value.isoformat()
    if hasattr(value, "__index__"):
        number = value.__index__()
        return number if _LEAST <= number <= _MOST else _adapt(number)
    if isinstance(value, numbers.Real):
        number = float(value)
        return None if math.isnan(number) else number
    raise ProgrammingError(f"a parameter of type {type(value).__name__} cannot be stored; give None, int, float, str, bytes or a date")
