import asyncio
import functools
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

import brant

PACKAGES = {
    "$id": "packages",
    "$defs": {
        "Config": {
            "type": "object",
            "properties": {"directed": {"const": "directed"}, "multi": {"const": False}, "allow_self_loops": {"const": False}},
        },
        "PackageNode": {
            "type": "object",
            "properties": {"name": {"type": "string"}, "size": {"type": "integer", "minimum": 0}},
            "required": ["name"],
            "additionalProperties": False,
        },
        "FileNode": {"type": "object"},
        "DependsEdge": {"type": "object", "properties": {"minimum": {"type": "string"}}, "additionalProperties": False},
        "DependsEdgeConstraints": {
            "type": "object",
            "properties": {"source": {"const": "Package"}, "target": {"const": "Package"}},
        },
    },
}


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "test.db"


@pytest.fixture(autouse=True)
def patience(monkeypatch: pytest.MonkeyPatch) -> None:
    """Whose turn to write comes late on a busy machine waits a minute, where a test says nothing else."""
    for name in ("open", "open_hub"):
        monkeypatch.setattr(brant, name, functools.partial(getattr(brant, name), busy_timeout=60))


@pytest.fixture
def db(path: Path) -> Iterator[brant.Database]:
    with brant.open(path) as database:
        yield database


@pytest.fixture
def quick_beats(monkeypatch: pytest.MonkeyPatch) -> None:
    """Leases of a minute, which no busy machine oversteps, are prolonged several times a second."""
    monkeypatch.setattr("brant._keeper.BEATS", 200)


def until(condition: Callable[[], object], seconds: float = 120) -> None:
    end = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < end, "it did not come about"
        time.sleep(0.005)


async def until_async(condition: Callable[[], object], seconds: float = 120) -> None:
    """As `until`, while other tasks run."""
    end = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < end, "it did not come about"
        await asyncio.sleep(0.005)


@pytest.fixture
def graph(db: brant.Database) -> brant.Graph:
    """An untyped graph."""
    db.graphs.create("g")
    return db.graph("g")


@pytest.fixture
def packages(db: brant.Database) -> brant.Graph:
    """A graph whose type has Package and File nodes and Depends edges."""
    db.graph_types.define(PACKAGES)
    db.graphs.create("debian", "packages")
    return db.graph("debian")


def python(code: str, *arguments: object, timeout: float = 300) -> str:
    """Run code in a process of its own, with brant on its path; what it printed."""
    command = [sys.executable, "-c", code, *map(str, arguments)]
    folder = Path(brant.__file__).parent.parent
    done = subprocess.run(command, capture_output=True, text=True, timeout=timeout, cwd=folder)
    assert done.returncode == 0, done.stderr
    return done.stdout.strip()


def sqlite(path: Path, sql: str) -> str:
    """Patch a file by Python's own SQLite, which must not meet ours in one process."""
    code = """
import sqlite3, sys
connection = sqlite3.connect(sys.argv[1], isolation_level=None)
print(connection.executescript(sys.argv[2]).fetchall())
connection.close()
"""
    return python(code, path, sql)
