"""What the tests share: a file, a handle on it, one that has a key ring."""

from __future__ import annotations

import functools
import os
from collections.abc import Iterator
from pathlib import Path

import pytest

import brant


@pytest.fixture(autouse=True)
def patience(monkeypatch: pytest.MonkeyPatch) -> None:
    """Whose turn to write comes late on a busy machine waits a minute, where a test says nothing else."""
    monkeypatch.setattr(brant, "open", functools.partial(brant.open, busy_timeout=60))


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "agent.db"


@pytest.fixture
def db(path: Path) -> Iterator[brant.Database]:
    with brant.open(path) as database:
        yield database


@pytest.fixture
def keyed(db: brant.Database) -> brant.Database:
    db.keyring(keys=[brant.Key(version=1, key=os.urandom(32))])
    return db
