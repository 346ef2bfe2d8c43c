"""A hub: a folder with a file of the system, which has accounts, organizations and keys, and one file for each organization."""

from __future__ import annotations

import os
import threading
import warnings
import weakref
from collections.abc import Iterable, Mapping
from types import TracebackType
from typing import TYPE_CHECKING, Any, Literal, NoReturn

from . import _native
from ._clock import milliseconds
from ._json import decode, encode
from ._wiped import faults, raise_first
from .audit import Audit
from .database import LOOP_PATIENCE, Database
from .errors import Closed, Invalid
from .identity import Account, Accounts, ApiKey, ApiKeys, Authenticated, Invitations, Level, Members, Organization, Organizations, Token
from .identity import token_text, verified
from .keys import Key, KeyFields, KeyRing, RingFields
from .records import Json, Limits
from .tenants import Tenants

if TYPE_CHECKING:
    from .session import Identity


def open_hub(
    path: str | bytes | os.PathLike[str] | os.PathLike[bytes],
    *,
    mode: Literal["create", "rw"] = "create",
    max_open: int | None = None,
    cache: int | None = None,
    durability: Literal["normal", "full"] | None = None,
    busy_timeout: float | None = None,
    permissions: Literal["private", "group"] | None = None,
    network: bool | None = None,
    limits: Limits | None = None,
    foreign_keys: bool | None = None,
) -> Hub:
    """Open a folder of files, and bring its system file to this version's format: ``with brant.open_hub("data") as hub:``.

    `mode`: "create" (default; the folder's own folder must exist) or "rw". `max_open`: files that are open at once, idle ones too (by the process's limit on descriptors, 1000 at
    most). `cache`: bytes of page cache a file (2 MiB). The others as of `brant.open`, for each file; `busy_timeout` is also how long `Hub.tenant` waits while `max_open` are in use.

    Any number of processes may have one folder open. Raises what `brant.open` does; NotBrant: the path is no folder.
    """
    options: dict[str, Any] = {
        "mode": mode,
        "max_open": max_open,
        "cache": cache,
        "durability": durability,
        "busy_timeout": milliseconds(busy_timeout),
        "permissions": permissions,
        "network": network,
        "limits": limits,
        "foreign_keys": foreign_keys,
    }
    return Hub(os.fspath(path), {name: value for name, value in options.items() if value is not None})


class _Folder:
    """The library's hub, which the `Hub` and every handle that it gave keep."""

    def __init__(self, path: str | bytes, options: dict[str, Any]) -> None:
        self.handle = _native.brant_hub_open(path, encode(options))
        self.path = os.path.abspath(os.fsdecode(path))
        self.options = options
        self.of_files = {name: options[name] for name in ("busy_timeout", "limits", "foreign_keys") if name in options} | {"mode": "rw"}
        self.closed = False
        self._loops: _Folder | None = None
        self._given: weakref.WeakSet[Database] = weakref.WeakSet()
        self.forget()
        _folders.add(self)

    def forget(self) -> None:
        self._guard = threading.Lock()

    def file(self, org_id: str) -> str:
        return os.path.join(self.path, f"tenant-{org_id}.db" if org_id else "system.db")

    def give(self, database: Database) -> None:
        """It is closed with the hub."""
        with self._guard:
            if not self.closed:
                self._given.add(database)
                return
        database.close()
        raise Closed("the hub is closed")

    def acquire(self, org_id: str) -> Database:
        """A handle on an organization's file; without one on the system's."""
        database = _File(self, org_id, _native.brant_hub_acquire(self.handle, org_id))
        self.give(database)
        return database

    def aside(self, kind: Literal["thread", "loop"]) -> _Folder:
        """Where the handles for what goes on beside the program's calls are from. Those of loops do not wait: they are another hub's."""
        if kind == "thread":
            return self
        with self._guard:
            if self.closed:
                raise Closed("the hub is closed")
            if self._loops is None:
                self._loops = _Folder(os.fsencode(self.path), {**self.options, "mode": "rw", "busy_timeout": LOOP_PATIENCE})
            return self._loops

    def close(self) -> None:
        self.closed = True
        with self._guard:
            given, loops = list(self._given), self._loops
        for database in given:
            database.close()
        if loops is not None:
            loops.close()
        _native.brant_hub_close(self.handle)


class _File(Database):
    """A handle that a hub gave."""

    def __init__(self, folder: _Folder, org_id: str, handle: _native.Handle) -> None:
        super().__init__(handle, folder.file(org_id), folder.of_files)
        self._folder = folder
        self._org_id = org_id

    def __repr__(self) -> str:
        return f"<brant.Database {self._path!r} of a hub{' closed' if self._closed else ''}>"

    def _open_beside(self, kind: Literal["thread", "loop"]) -> Database:
        return self._folder.aside(kind).acquire(self._org_id)


class _System(_File):
    """The handle of the system file that the hub itself has: it is closed with it, and its key ring is that of all files."""

    def __init__(self, folder: _Folder) -> None:
        super().__init__(folder, "", _native.brant_hub_system(folder.handle))

    def __del__(self) -> None:
        """It is the hub that was to be closed."""

    def close(self) -> None:
        """Nothing: it lives as long as the hub."""

    def _close_handle(self) -> None:
        self._folder.close()

    def _load_ring(self, ring: str | bytes | bytearray) -> None:
        _native.brant_hub_keyring_load(self._folder.handle, ring)

    def _copy_ring(self, other: Database) -> NoReturn:
        raise TypeError("a hub's key ring is given by its text, by a dict, or by its members")

    def _unload_ring(self) -> None:
        _native.brant_hub_keyring_unload(self._folder.handle)


class _Caller(_File):
    """The session of whoever has a key, on a file of its own."""

    def __init__(self, folder: _Folder, org_id: str, handle: _native.Handle, identity: Identity) -> None:
        super().__init__(folder, org_id, handle)
        self._identity = encode(identity)

    def __repr__(self) -> str:
        return f"<brant.Session {self._path!r} of a hub{' closed' if self._closed else ''}>"

    def _open_beside(self, kind: Literal["thread", "loop"]) -> Database:
        file = super()._open_beside(kind)
        file._above = self._turn
        self._besides[f"{kind}, trusted"] = file  # closed with this
        return file.session(decode(self._identity))


class Caller:
    """Who has an API key, by `Hub.authenticate`: its account, and in which organization it acts, at which level, with which scopes; and `db`, a session for it on the organization's file.

    A context manager: `close` gives the file back, after which `db` raises Closed.
    """

    __slots__ = ("account", "db", "denies", "identity", "key", "level", "organization", "scopes")

    def __init__(self, found: Authenticated, db: Database) -> None:
        self.identity: Json = found.identity
        self.key: ApiKey = found.key
        self.account: Account = found.account
        self.organization: Organization | None = found.organization
        self.level: Level | None = found.level
        self.scopes: list[str] = found.scopes
        self.denies: list[str] = found.denies
        self.db: Database = db

    def __repr__(self) -> str:
        place = "" if self.organization is None else f" in {self.organization.slug}"
        return f"<brant.Caller {self.account.email}{place}{' closed' if self.db.closed else ''}>"

    def __enter__(self) -> Caller:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        self.close()

    def close(self) -> None:
        """Any thread, any number of times."""
        self.db.close()


class Hub:
    """A folder of files, made by :func:`brant.open_hub`; a context manager that closes.

    Any thread may call, and any number at once: each `tenant` and `authenticate` gives a handle of its own. They may wait, for a file or a place among `max_open`, and so a loop
    calls them by ``await asyncio.to_thread(hub.authenticate, token)``.
    """

    def __init__(self, path: str | bytes, options: dict[str, Any]) -> None:
        self._folder = _Folder(path, options)
        self._system = _System(self._folder)

    def __repr__(self) -> str:
        return f"<brant.Hub {self._folder.path!r}{' closed' if self.closed else ''}>"

    def __enter__(self) -> Hub:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        self.close()

    def __del__(self) -> None:
        if hasattr(self, "_system") and not self.closed:
            warnings.warn(f"unclosed {self!r}", ResourceWarning, stacklevel=2, source=self)

    @property
    def system(self) -> Database:
        """The handle of the system file, for what is not here by itself: it lives as long as the hub."""
        return self._system

    @property
    def accounts(self) -> Accounts:
        """The accounts of all organizations."""
        return Accounts(self._system)

    @property
    def organizations(self) -> Organizations:
        """The organizations. `delete` marks one, and its file is gone when it returns, unless somebody holds it for longer than the busy timeout: then soon after."""
        return Organizations(self._system)

    @property
    def members(self) -> Members:
        """Who belongs to them."""
        return Members(self._system)

    @property
    def invitations(self) -> Invitations:
        """Invitations to them."""
        return Invitations(self._system)

    @property
    def api_keys(self) -> ApiKeys:
        """API keys."""
        return ApiKeys(self._system)

    @property
    def audit(self) -> Audit:
        """The audit log of the system file; each organization's file has one of its own."""
        return Audit(self._system)

    @property
    def tenants(self) -> Tenants:
        """The organizations' files: list, get, migrate, maintain, apply, backup, restore, delegate, stats."""
        return Tenants(self._system)

    def keyring(
        self,
        ring: str | bytes | bytearray | memoryview | RingFields | Mapping[str, Any] | None = None,
        /,
        *,
        keys: Iterable[Key | KeyFields | Mapping[str, Any]] | None = None,
        padding: int | None = None,
        kdf: Mapping[str, Any] | None = None,
        legacy: Mapping[str, Any] | None = None,
    ) -> KeyRing:
        """Give all files a key ring: as `Database.keyring`. Handles that are in use keep theirs until they are closed."""
        given = [ring]
        del ring
        return self._system.keyring(given.pop(), keys=keys, padding=padding, kdf=kdf, legacy=legacy)

    def tenant(self, org_id: str) -> Database:
        """A handle on an organization's file, for this caller alone: ``with hub.tenant(org_id) as db:``. It is trusted; ``db.session(identity)`` makes one of it for others. Closing it gives the file back, which stays open for the
        next one; the first use makes the file.

        Invalid: no UUID in lower case; NotFound: no such organization, or it is being deleted; Denied: it is suspended; Busy: `max_open` files were in use for the busy timeout; Corrupt: the file is missing, or another's.
        A handle raises Denied and Closed, too, when that becomes so later.
        """
        if not org_id:
            raise Invalid("an organization's id is a UUID in lower case")
        return self._folder.acquire(org_id)

    def authenticate(self, token: str | Token) -> Caller:
        """Who has this API key, and a session for them on the file of their organization, of which no other can be asked for: ``with hub.authenticate(token) as caller: caller.db.graph(..)``. A key
        without an organization gets one on the system file. Auth, with one message, for whatever is wrong with it. As `tenant`."""
        asked = [token]
        del token
        answers: list[tuple[_native.Handle, str]] = []
        found = faults(lambda: answers.append(_native.brant_hub_authenticate(self._folder.handle, token_text(asked[0]))))
        asked.clear()
        raise_first(found)
        handle, text = answers.pop()
        who = verified(Authenticated, decode(text))
        db = _Caller(self._folder, "" if who.organization is None else who.organization.id, handle, who.identity)
        self._folder.give(db)
        return Caller(who, db)

    @property
    def closed(self) -> bool:
        """Has `close` been called?"""
        return self._folder.closed

    @property
    def path(self) -> str:
        """The folder, from the root."""
        return self._folder.path

    def close(self) -> None:
        """Close all files, and every handle that was given: what runs ends with Closed. Any thread, any number of times."""
        self._system._end()


_folders: weakref.WeakSet[_Folder] = weakref.WeakSet()


def _after_fork() -> None:
    for folder in list(_folders):
        folder.forget()


if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_after_fork)
