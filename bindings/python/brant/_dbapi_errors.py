"""The exceptions of `brant.dbapi`, and which of them each of brant's is."""

from __future__ import annotations

from .errors import BrantError


class Warning(Exception):
    """Part of the interface; nothing here raises it."""


class Error(Exception):
    """Of all that follow. Where brant refused, `code` is its code ("CONSTRAINT") and ``__cause__`` the `brant.BrantError`; else `code` is ""."""

    code: str = ""


class InterfaceError(Error):
    """A closed connection or cursor."""


class DatabaseError(Error):
    """Also what the file is: damaged, not brant's."""


class DataError(DatabaseError):
    """A value that cannot be stored, or more than a limit allows."""


class OperationalError(DatabaseError):
    """Busy, out of time, interrupted, refused by the system: not the program's fault; trying again may help."""


class IntegrityError(DatabaseError):
    """A rule of your tables."""


class InternalError(DatabaseError):
    """A fault in brant."""


class ProgrammingError(DatabaseError):
    """Wrong SQL, wrong parameters, or what is not allowed: brant's own tables."""


class NotSupportedError(DatabaseError):
    """This version cannot do that."""


for _class in (Warning, Error, InterfaceError, DatabaseError, DataError, OperationalError, IntegrityError, InternalError, ProgrammingError, NotSupportedError):
    _class.__module__ = "brant.dbapi"

_CLASSES: dict[str, type[DatabaseError]] = {
    "INVALID": ProgrammingError,
    "INVALID_JSON": DataError,
    "VALIDATION": DataError,
    "EXISTS": ProgrammingError,
    "CONSTRAINT": IntegrityError,
    "CLOSED": ProgrammingError,
    "MISUSE": ProgrammingError,
    "DENIED": ProgrammingError,
    "LIMIT": DataError,
    "SQL": ProgrammingError,
    "NOT_BRANT": DatabaseError,
    "CORRUPT": DatabaseError,
    "NEWER_FORMAT": NotSupportedError,
    "UNSUPPORTED": NotSupportedError,
    "INTERNAL": InternalError,
}  # the others are OperationalError


def translated(error: BrantError) -> DatabaseError:
    """The exception of this interface for one of brant's: ``raise translated(error) from error``."""
    made = _CLASSES.get(error.code, OperationalError)(error.message)
    made.code = error.code
    return made
