"""What a call raises: one class for each status code, all of them a :class:`BrantError`.

Catch by class (``except brant.NotFound``) or look at ``error.code``, which has the same text in every language. Where Python has an
exception of that meaning the class is one of those too: ``NotFound`` is a ``KeyError``, ``Validation`` a ``ValueError``, ``Timeout`` a
``TimeoutError``.
"""

from __future__ import annotations

import json
from typing import Any


class BrantError(Exception):
    """A call of brant failed.

    ``code`` is the name of the status ("NOT_FOUND"), ``status`` its number, ``message`` one line for people, ``detail`` a dict with
    what a program can use: ``{"offset": 17}``, ``{"violations": [...]}``; ``{}`` when there is nothing to add.
    """

    code: str = "INTERNAL"
    status: int = 29

    def __init__(self, message: str = "", detail: str | dict[str, Any] = "{}") -> None:
        super().__init__(message)
        self.message = message
        self._detail = detail

    def __str__(self) -> str:
        return self.message

    def __reduce__(self) -> tuple[Any, ...]:
        return raised, (self.status, self.code, self.message, self._detail)

    @property
    def detail(self) -> dict[str, Any]:
        """The detail, parsed when it is first read."""
        if isinstance(self._detail, str):
            self._detail = json.loads(self._detail)
        assert isinstance(self._detail, dict)
        return self._detail


class Invalid(BrantError, ValueError):
    """An argument is not acceptable; change the call."""

    code = "INVALID"
    status = 1


class InvalidJson(BrantError, ValueError):
    """The text is not acceptable JSON; the detail has the byte offset."""

    code = "INVALID_JSON"
    status = 2


class Validation(BrantError, ValueError):
    """The data does not satisfy its schema; the detail lists the violations."""

    code = "VALIDATION"
    status = 3


class NotFound(BrantError, KeyError):
    """The thing named does not exist."""

    code = "NOT_FOUND"
    status = 4


class Exists(BrantError):
    """A thing of that name exists already."""

    code = "EXISTS"
    status = 5


class Conflict(BrantError):
    """The stored state is not the one that the call requires; read again, then decide."""

    code = "CONFLICT"
    status = 6


class Constraint(BrantError):
    """The write would break a rule of the graph type or of the database."""

    code = "CONSTRAINT"
    status = 7


class Busy(BrantError):
    """Another writer held the file, or another thread's transaction the handle, for longer than the busy timeout; try again."""

    code = "BUSY"
    status = 8


class Timeout(BrantError, TimeoutError):
    """The deadline passed before the call was done."""

    code = "TIMEOUT"
    status = 9


class Interrupted(BrantError):
    """``Database.interrupt`` was called."""

    code = "INTERRUPTED"
    status = 10


class Closed(BrantError):
    """The handle, or the listener, is closed."""

    code = "CLOSED"
    status = 11


class Misuse(BrantError, RuntimeError):
    """The call is not allowed in the handle's present state."""

    code = "MISUSE"
    status = 12


class ReadOnly(BrantError, PermissionError):
    """The file, its folder or the transaction can only be read."""

    code = "READ_ONLY"
    status = 13


class Denied(BrantError, PermissionError):
    """The caller may not do that."""

    code = "DENIED"
    status = 14


class Limit(BrantError):
    """A documented limit is exceeded."""

    code = "LIMIT"
    status = 15


class NotBrant(BrantError):
    """The file exists and is not one of brant's."""

    code = "NOT_BRANT"
    status = 16


class NewerFormat(BrantError):
    """The file was written by a newer brant; upgrade this one."""

    code = "NEWER_FORMAT"
    status = 17


class ForeignSqlite(BrantError):
    """Another SQLite in this process has the file open."""

    code = "FOREIGN_SQLITE"
    status = 18


class NetworkFs(BrantError):
    """The file is on a network file system, where locks cannot be trusted."""

    code = "NETWORK_FS"
    status = 19


class Corrupt(BrantError):
    """The file is damaged; restore a backup."""

    code = "CORRUPT"
    status = 20


class Full(BrantError, OSError):
    """The disk is full; nothing was written."""

    code = "FULL"
    status = 21


class Io(BrantError, OSError):
    """The operating system refused; the message says what."""

    code = "IO"
    status = 22


class NoMemory(BrantError, MemoryError):
    """Out of memory; nothing was written."""

    code = "NO_MEMORY"
    status = 23


class Sql(BrantError):
    """The SQL text is not acceptable."""

    code = "SQL"
    status = 24


class Stale(BrantError):
    """The token is not the newest; somebody else holds it now."""

    code = "STALE"
    status = 25


class Auth(BrantError):
    """Authentication failed."""

    code = "AUTH"
    status = 26


class Unsupported(BrantError, NotImplementedError):
    """This build, platform or version cannot do that."""

    code = "UNSUPPORTED"
    status = 27


class Forked(BrantError):
    """The handle was opened before fork; open one in this process."""

    code = "FORKED"
    status = 28


class Internal(BrantError):
    """A fault in brant; please report it."""

    code = "INTERNAL"
    status = 29


CLASSES: dict[str, type[BrantError]] = {
    cls.code: cls
    for cls in (
        Invalid, InvalidJson, Validation, NotFound, Exists, Conflict, Constraint, Busy, Timeout, Interrupted, Closed, Misuse, ReadOnly,
        Denied, Limit, NotBrant, NewerFormat, ForeignSqlite, NetworkFs, Corrupt, Full, Io, NoMemory, Sql, Stale, Auth, Unsupported,
        Forked, Internal,
    )
}  # fmt: skip
"""The class of each code."""


def raised(status: int, code: str, message: str, detail: str | dict[str, Any]) -> BrantError:
    """Make the exception of a failed call; the native module calls this. A code newer than this package is a plain BrantError."""
    error = CLASSES.get(code, BrantError)(message, detail)
    if error.code != code or error.status != status:
        error.code = code
        error.status = status
    return error


def failure(members: dict[str, Any]) -> BrantError:
    """The error of one item, which an answer tells beside those of others."""
    code = members["code"]
    error = CLASSES.get(code, BrantError)(members["message"])
    error.code = code
    return error
