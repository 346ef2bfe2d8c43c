"""The audit log: what is recorded, and what shows that somebody changed it."""

from __future__ import annotations

import json
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from conftest import sqlite
from test_identity import KEYS

import brant


@pytest.fixture(autouse=True)
def ring(db: brant.Database) -> None:
    db.keyring(keys=KEYS)


@pytest.fixture
def rows(db: brant.Database) -> Iterator[int]:
    for number in range(5):
        db.audit.append("app.did", resource=f"thing:{number}", detail={"n": number}, actor={"type": "service", "id": "job"})
    yield 5


def test_rows(db: brant.Database, rows: int) -> None:
    ann = db.accounts.create("ann@example.org", actor={"type": "system", "reason": "hired"})
    last = db.audit.get(rows + 1)
    assert (last.action, last.resource, last.actor_type) == ("accounts.create", f"account:{ann.id}", "system") and last.detail["reason"] == "hired"
    assert abs(last.created_at - time.time() * 1000) < 60_000
    page = db.audit.list(limit=2)
    assert [one.seq for one in page] == [1, 2] and [one.seq for one in db.audit.list(after=page.next, limit=2)] == [3, 4]
    assert [one.seq for one in db.audit.list(order="desc", limit=2)] == [6, 5] and len(list(db.audit)) == 6
    assert [one.seq for one in db.audit.list(actor_id="job", resource="thing:3")] == [4]
    assert [one.seq for one in db.audit.list(actor_id=None)] == [6]
    with pytest.raises(brant.Invalid):
        db.audit.append("accounts.create")
    with pytest.raises(brant.NotFound):
        db.audit.get(100)


def test_it_is_of_the_transaction(db: brant.Database) -> None:
    with pytest.raises(ZeroDivisionError), db.transaction():
        assert db.audit.append("app.did").seq == 1
        raise ZeroDivisionError
    assert not list(db.audit) and db.audit.append("app.did").seq == 1
    with brant.open(db.path) as other, pytest.raises(brant.NotFound):
        other.audit.append("app.did")


def test_tampering(db: brant.Database, path: Path, rows: int) -> None:
    assert (report := db.audit.verify()) and report.rows == rows and report.last == rows
    checkpoint = db.audit.checkpoint()
    assert db.audit.verify(checkpoint) and db.audit.verify(checkpoints=[checkpoint, {"seq": checkpoint.seq, "hash": checkpoint.hash}])
    assert (part := db.audit.verify(limit=2)).next == 3 and db.audit.verify(from_=3)
    assert part.rows == 2
    db.close()
    sqlite(path, "DROP TRIGGER brant_audit_logs_update")
    sqlite(path, "UPDATE brant_audit_logs SET action = 'app.did_not' WHERE seq = 3")
    with brant.open(path) as again, again.keyring(keys=KEYS):
        report = again.audit.verify()
        assert not report and [problem.seq for problem in report.problems] == [3]


def test_checkpoints_and_pruning(db: brant.Database, path: Path, rows: int) -> None:
    checkpoint = db.audit.checkpoint()
    exported = db.audit.export()
    assert exported.rows == rows and json.loads(exported.text.splitlines()[0])["seq"] == 1
    with brant.open(path.parent / "other.db") as other, other.keyring(keys=KEYS):
        assert other.audit.keep(checkpoint) and not other.audit.keep(checkpoint)
        assert [one.seq for one in other.audit.checkpoints(checkpoint.file)] == [rows]
        with pytest.raises(brant.Conflict):
            other.audit.keep({"file": checkpoint.file, "seq": 2, "hash": checkpoint.hash, "created_at": checkpoint.created_at})
    pruned = db.audit.prune(3, checkpoint)
    assert (pruned.pruned, pruned.through, pruned.done) == (3, 3, True) and db.audit.verify() and next(iter(db.audit)).seq == 4
    with pytest.raises((brant.Invalid, brant.Conflict)):
        db.audit.prune(5, {"seq": 5, "hash": "A" * 43})


def test_personal(db: brant.Database, path: Path) -> None:
    row = db.audit.append("app.saw", personal={"ip": "192.0.2.7"}, subject="ann")
    assert "192.0.2.7" not in json.dumps(db.audit.get(row.seq).detail)
    assert db.audit.prove(row.seq, "ann", "ip", "192.0.2.7") and not db.audit.prove(row.seq, "ann", "ip", "192.0.2.8")
    assert db.audit.erase_subject("ann").erased
    with pytest.raises(brant.NotFound):
        db.audit.prove(row.seq, "ann", "ip", "192.0.2.7")
    assert db.audit.verify() and not db.audit.erase_subject("ann").erased
