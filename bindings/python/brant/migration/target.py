"""Where an import goes: a brant file, or a hub's folder with a file for each organization; with the import's tables of progress and notes, and the key ring."""

from __future__ import annotations

import json
import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from .. import _native
from ..database import Database, open
from ..errors import BrantError, Denied, NotFound
from ..hub import Hub, open_hub
from .errors import MigrationError

TABLES_SQL = (
    "CREATE TABLE IF NOT EXISTS migration_progress (part TEXT PRIMARY KEY, source TEXT NOT NULL, position INTEGER NOT NULL, rows INTEGER NOT NULL, imported INTEGER NOT NULL, changed INTEGER NOT NULL, "
    "left_out INTEGER NOT NULL, rejected INTEGER NOT NULL, base INTEGER NOT NULL DEFAULT 0, done INTEGER NOT NULL) STRICT",
    "CREATE TABLE IF NOT EXISTS migration_notes (part TEXT NOT NULL, row INTEGER NOT NULL, outcome TEXT NOT NULL, id TEXT NOT NULL, code TEXT NOT NULL, message TEXT NOT NULL, detail TEXT NOT NULL, "
    "PRIMARY KEY (part, row)) STRICT, WITHOUT ROWID",
)


class Target:
    """The file or hub that is imported into. `hub`: its folder's, else None."""

    def __init__(self, path: str, hub: bool | None, ring: str | None, mode: str = "create") -> None:
        self.path = path
        self._hub: Hub | None = None
        is_hub = os.path.isdir(path) if hub is None else hub
        if is_hub:
            self._hub = open_hub(path, mode="create" if mode == "create" else "rw")
            self.main = self._hub.system
        else:
            self.main = open(path, mode="create" if mode == "create" else "rw")
        self._tenants: dict[str, Database] = {}
        self._ring = ring
        if ring is not None:
            (self._hub or self.main).keyring(ring)

    @property
    def hub(self) -> Hub | None:
        return self._hub

    def file(self, org: str | None) -> Database:
        """The file of an organization; none: the main one."""
        if self._hub is None or org is None:
            return self.main
        found = self._tenants.get(org)
        if found is None:
            if len(self._tenants) >= 8:
                self._tenants.pop(next(iter(self._tenants))).close()
            try:
                found = self._hub.tenant(org)
            except Denied:  # suspended, as it was: of it a hub gives no handle, and there is still what to verify
                found = open(os.path.join(self.path, f"tenant-{org}.db"), mode="rw")
                if self._ring is not None:
                    found.keyring(self._ring)
            self._tenants[org] = found
            self.prepare(found)
        return found

    def release(self) -> None:
        for tenant in self._tenants.values():
            tenant.close()
        self._tenants.clear()

    def files(self) -> Iterator[Database]:
        """All files that an import has written to."""
        yield self.main
        if self._hub is not None:
            for tenant in pages(self.main, "tenants.list", {}):
                if tenant["state"] == "made" and tenant["status"] != "deleting":
                    yield self.file(tenant["org_id"])

    @staticmethod
    def prepare(db: Database) -> None:
        for sql in TABLES_SQL:
            db.execute(sql)

    def close(self) -> None:
        self.release()
        if self._hub is not None:
            self._hub.close()
        else:
            self.main.close()


def find(db: Database, name: str, members: dict[str, Any]) -> dict[str, Any] | None:
    """What an operation finds, or None."""
    try:
        found: dict[str, Any] = db.call(name, members)
    except NotFound:
        return None
    except BrantError as error:
        if error.code == "INVALID":
            return None
        raise
    return found


def pages(db: Database, name: str, members: dict[str, Any]) -> Iterator[dict[str, Any]]:
    """All items of a list."""
    cursor: str | None = None
    while True:
        page = db.call(name, {**members, "limit": 1000} | ({} if cursor is None else {"cursor": cursor}))
        yield from page["items"]
        cursor = page["cursor"]
        if cursor is None:
            return


def ring_text(path: str) -> str:
    """The key ring of a file; where there is none, a new one of random keys is made there, for its owner alone."""
    if not os.path.exists(path):
        keys = [json.loads(_native.brant_keyring_generate(None, json.dumps({"purpose": purpose}))) for purpose in ("attribute", "pepper", "audit")]
        handle = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o600)
        with os.fdopen(handle, "w") as stream:
            json.dump({"keys": keys}, stream)
            stream.write("\n")
            stream.flush()
            os.fsync(stream.fileno())
    try:
        return Path(path).read_text("utf-8")
    except OSError as error:
        raise MigrationError(f"{path}: {error.strerror}") from None
