"""The folder between export and import: a file of NDJSON for each table and stream, and `manifest.json` with counts and SHA-256 checksums.

A part is written to `<name>.ndjson.part`, and gets its name and its place in the manifest when it is whole and on the disk. So whatever is killed when, a part is whole or is gone on with behind its last
whole line. Lines are compact JSON in ASCII; a line is a row, with the members of the mapping and no others.
"""

from __future__ import annotations

import fcntl
import hashlib
import json
import os
from collections.abc import Iterator
from pathlib import Path
from typing import IO, Any

from .errors import MigrationError

FORMAT = "brant migration"
VERSION = 1
SYNC = 4 << 20
"""Bytes that are written between two fsyncs."""

Row = dict[str, Any]


def line_of(row: Row) -> bytes:
    return json.dumps(row, separators=(",", ":"), allow_nan=False).encode("ascii") + b"\n"


class Writer:
    """One part that is being written, from where it was."""

    def __init__(self, folder: Folder, name: str, file: str) -> None:
        self._folder = folder
        self.name = name
        self.file = file
        self._path = folder.path / (file + ".part")
        self._hash = hashlib.sha256()
        self.rows = 0
        self.last: bytes = b""
        whole = 0
        self._stream: IO[bytes] = open(self._path, "a+b")
        self._stream.seek(0)
        for line in self._stream:
            if line.endswith(b"\n"):
                self._hash.update(line)
                self.rows += 1
                self.last = line
                whole += len(line)
        self._stream.truncate(whole)
        self._stream.seek(0, os.SEEK_END)
        self._unsynced = 0

    def write(self, row: Row) -> None:
        line = line_of(row)
        self._stream.write(line)
        self._hash.update(line)
        self.rows += 1
        self._unsynced += len(line)
        if self._unsynced >= SYNC:
            self.flush()

    def flush(self) -> None:
        self._stream.flush()
        os.fsync(self._stream.fileno())
        self._unsynced = 0

    def restart(self) -> None:
        """From nothing: the source is not what it was."""
        self._stream.seek(0)
        self._stream.truncate(0)
        self._hash = hashlib.sha256()
        self.rows = 0
        self.last = b""

    def finish(self, **members: Any) -> None:
        """It is whole: give it its name, and enter it."""
        self.flush()
        self._stream.close()
        os.replace(self._path, self._folder.path / self.file)
        part = {"file": self.file, "rows": self.rows, "bytes": (self._folder.path / self.file).stat().st_size, "sha256": self._hash.hexdigest()}
        self._folder.parts[self.name] = {**self._folder.parts.get(self.name, {}), **part, **members, "done": True}
        self._folder.save()

    def close(self) -> None:
        self._stream.close()


class Folder:
    """An export's folder. `create`: to export into; else to read."""

    def __init__(self, path: str | Path, create: bool = False) -> None:
        self.path = Path(path)
        self._lock: int | None = None
        if create:
            self.path.mkdir(parents=True, exist_ok=True, mode=0o700)
            self._take_lock()
        manifest = self.path / "manifest.json"
        if manifest.exists():
            try:
                self.manifest: dict[str, Any] = json.loads(manifest.read_text("utf-8"))
            except ValueError as error:
                raise MigrationError(f"{manifest}: {error}") from None
            if self.manifest.get("format") != FORMAT:
                raise MigrationError(f"{manifest}: is no manifest of an export")
            if self.manifest.get("version") != VERSION:
                raise MigrationError(f"{manifest}: is of version {self.manifest.get('version')}, this program reads {VERSION}")
        elif not create:
            raise MigrationError(f"{self.path}: has no manifest.json: it is no export")
        elif any(child.name != ".lock" for child in self.path.iterdir()):
            raise MigrationError(f"{self.path}: is not empty and no export")
        else:
            self.manifest = {"format": FORMAT, "version": VERSION, "parts": {}, "done": False}

    def _take_lock(self) -> None:
        self._lock = os.open(self.path / ".lock", os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
        try:
            fcntl.flock(self._lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError:
            raise MigrationError(f"{self.path}: another export writes it") from None

    @property
    def parts(self) -> dict[str, dict[str, Any]]:
        found: dict[str, dict[str, Any]] = self.manifest["parts"]
        return found

    @property
    def id(self) -> str:
        """Tells one export from another: a checksum of its checksums."""
        lines = [f"{name} {part['sha256']}" for name, part in sorted(self.parts.items())]
        return hashlib.sha256("\n".join(lines).encode()).hexdigest()

    def save(self) -> None:
        target = self.path / "manifest.json"
        work = self.path / "manifest.json.new"
        with open(work, "w", encoding="utf-8") as stream:
            json.dump(self.manifest, stream, indent=1, ensure_ascii=False)
            stream.write("\n")
            stream.flush()
            os.fsync(stream.fileno())
        os.replace(work, target)
        folder = os.open(self.path, os.O_RDONLY)
        try:
            os.fsync(folder)
        finally:
            os.close(folder)

    def writer(self, name: str, file: str | None = None) -> Writer:
        return Writer(self, name, file or f"{name}.ndjson")

    def lines(self, name: str, offset: int = 0, end: int | None = None) -> Iterator[tuple[int, bytes]]:
        """The lines of a part from a byte on: where each ends, and it."""
        if name not in self.parts:
            return
        path = self.path / self.parts[name]["file"]
        try:
            stream = open(path, "rb")
        except OSError as error:
            raise MigrationError(f"{path}: {error.strerror}") from None
        with stream:
            stream.seek(offset)
            for line in stream:
                offset += len(line)
                yield offset, line
                if end is not None and offset >= end:
                    return

    def rows(self, name: str) -> Iterator[Row]:
        for _, line in self.lines(name):
            yield json.loads(line)

    def check(self, name: str) -> tuple[int, str]:
        """Count and checksum of a part as it is on the disk."""
        digest = hashlib.sha256()
        count = 0
        for _, line in self.lines(name):
            digest.update(line)
            count += 1
        return count, digest.hexdigest()

    def close(self) -> None:
        if self._lock is not None:
            os.close(self._lock)
            self._lock = None
