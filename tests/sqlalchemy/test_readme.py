"""What the README shows of SQLAlchemy runs."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

import brant

README = Path(__file__).resolve().parents[2] / "bindings/python/README.md"


def test_readme(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    (block,) = re.findall(r"<!-- test: sqlalchemy -->\n```python\n(.*?)```", README.read_text(encoding="utf-8"), re.S)
    exec(block, {})
    with brant.open("shop.db") as db:
        assert db.execute("SELECT item FROM orders").rows == [("tea",)] and db.queue("post").stats().ready == 1
