import subprocess
import sys
from collections.abc import Iterator
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


@pytest.fixture
def db(path: Path) -> Iterator[brant.Database]:
    with brant.open(path) as database:
        yield database


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


def python(code: str, *arguments: object, timeout: float = 60) -> str:
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
