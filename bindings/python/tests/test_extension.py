"""Where the loadable extension is. What it does: tests/extension; that the package has it: packaging/pip/test."""

import sqlite3
from pathlib import Path

import pytest

import brant
from brant import extension


def test_where_it_is(tmp_path: Path) -> None:
    path = brant.extension_path()
    assert Path(path).is_absolute() and Path(path).suffix == ""
    assert Path(f"{path}.so").is_file()
    if not hasattr(sqlite3.Connection, "enable_load_extension"):
        pytest.skip("this Python's sqlite3 does not load extensions")
    connection = sqlite3.connect(tmp_path / "a.db")
    connection.enable_load_extension(True)
    connection.load_extension(path)
    assert brant.version() in connection.execute("SELECT brant_version()").fetchone()[0]
    connection.close()


def test_where_there_is_none(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(extension, "_FILE", tmp_path / "brant.so")
    with pytest.raises(brant.Unsupported, match=r"no loadable extension"):
        brant.extension_path()
