"""Statements as `brant.dbapi` tells them apart before they run, and the values of one run."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from functools import lru_cache
from typing import Any, NamedTuple

from ._dbapi_errors import ProgrammingError

Parameters = Sequence[Any] | Mapping[str, Any]


_TOKEN = re.compile(
    r"""--[^\n]* | /\*.*?(?:\*/|\Z) | '[^']*'? | "[^"]*"? | `[^`]*`? | \[[^\]]*\]? | (?P<word>[^\W\d]\w*) | [:@$](?P<name>[\w$:]+) | \?\d* | \d[\w.]*
    | (?P<other>\S)""",
    re.S | re.X,
)
_DML = frozenset({"INSERT", "REPLACE", "UPDATE", "DELETE"})
_QUERIES = frozenset({"SELECT", "VALUES"})
_READS = frozenset({"SELECT", "VALUES", "EXPLAIN", "PRAGMA"})
_COMMENT = r"--[^\n]*(?:\n|\Z)|/\*(?:[^*]|\*(?!/))*(?:\*/|\Z)"  # in one way only: a regular expression that can take it in many tries them all
_NAME = r"""\w+|"(?:[^"]|"")+"|'(?:[^']|'')+'|`(?:[^`]|``)+`|\[[^\]]+\]"""
_CONTROL = re.compile(
    rf"""(?:\s|{_COMMENT})*(?:(?P<begin>BEGIN)(?:\s+(?:DEFERRED|IMMEDIATE|EXCLUSIVE))?(?:\s+TRANSACTION)?
    | (?P<commit>COMMIT|END)(?:\s+TRANSACTION)?
    | ROLLBACK(?:\s+TRANSACTION)?\s+TO(?:\s+SAVEPOINT)?\s+(?P<rollback_to>{_NAME})
    | (?P<rollback>ROLLBACK)(?:\s+TRANSACTION)?
    | SAVEPOINT\s+(?P<savepoint>{_NAME})
    | RELEASE(?:\s+SAVEPOINT)?\s+(?P<release>{_NAME}))(?:\s|;|{_COMMENT})*\Z""",
    re.I | re.X | re.S,
)


class _Statement(NamedTuple):
    verb: str
    control: tuple[str, str] | None  # the method of the connection that it stands for, and its argument
    names: frozenset[str]  # of its parameters
    writes: bool = False
    queries: bool = False


def _read(sql: str) -> _Statement:
    """What kind of statement this is. SQLite says so itself, but only once it may run."""
    control = _CONTROL.match(sql)
    if control is not None:
        method = str(control.lastgroup)
        return _Statement("", (method, _unquoted(control[method]).casefold()), frozenset())
    verb, depth, names = "", 0, set()
    for token in _TOKEN.finditer(sql):
        word, other = token["word"], token["other"]
        if other == "(":
            depth += 1
        elif other == ")":
            depth -= 1
        elif token["name"] is not None:
            names.add(token["name"])
        elif word is not None and (not verb or verb == "WITH" and depth == 0):
            word = word.upper()
            if not verb or word in _DML or word in _READS:
                verb = word
    return _Statement(verb, None, frozenset(names), verb not in _READS, verb in _QUERIES)


def _unquoted(name: str) -> str:
    mark = name[0]
    if mark == "[":
        return name[1:-1]
    return name[1:-1].replace(mark * 2, mark) if mark in "\"'`" else name


_read_once = lru_cache(maxsize=512)(_read)


def _statement(sql: str) -> _Statement:
    return _read_once(sql) if len(sql) < 20_000 else _read(sql)


def _values(statement: _Statement, parameters: Parameters) -> Sequence[Any] | dict[str, Any]:
    """The values of one run: of a mapping those that the statement names."""
    if type(parameters) is list:
        return parameters
    if isinstance(parameters, Mapping):
        try:
            return {name: parameters[name] for name in statement.names}
        except KeyError as error:
            raise ProgrammingError(f"no value for parameter {error}") from None
    if isinstance(parameters, (str, bytes)):
        raise ProgrammingError("parameters are a sequence or a mapping; for one text give a tuple of it")
    if not hasattr(parameters, "__getitem__") or not hasattr(parameters, "__len__"):
        raise ProgrammingError(f"parameters are a sequence or a mapping, not {type(parameters).__name__}")
    return parameters
