"""The access graph: who may do what, why, and by whom."""

from __future__ import annotations

import threading
from datetime import datetime, timedelta, timezone
from pathlib import Path
from typing import Any

import pytest
from conftest import until
from test_identity import KEYS

import brant


@pytest.fixture(autouse=True)
def ring(db: brant.Database) -> None:
    db.keyring(keys=KEYS)


@pytest.fixture
def access(db: brant.Database) -> brant.Access:
    """ann has a role that grants reading on a folder; a bot acts for her."""
    access = db.access
    access.put("ann", "Principal", {"kind": "service"})
    access.put("readers", "Role")
    access.grant("readers", ["nodes:read"], "folder:a")
    access.assign("ann", role="readers")
    access.set_parent("graph:notes", "folder:a")
    access.delegate("ann", "bot", ["nodes:read"])
    return access


def test_checks(access: brant.Access) -> None:
    decision = access.check("ann", "nodes:read", "graph:notes")
    assert decision and decision.allowed is True and decision.revision > 0
    for no in (access.check("ann", "nodes:write", "graph:notes"), access.check("ann", "nodes:read"), access.check("eve", "nodes:read", "graph:notes")):
        assert not no and no.allowed is False
    assert access.check("bot", "nodes:read", "graph:notes")
    many = access.check_many([{"subject": "ann", "scope": "nodes:read", "resource": "folder:a"}, {"subject": "ann", "scope": "*:read"}, {"subject": "ann", "scope": "?"}])
    assert many[0] is True and many[1] is False and isinstance(many[2], brant.Invalid) and len(many) == 3 and many.revision == decision.revision
    with pytest.raises(brant.Invalid):
        access.check("ann", "everything")
    with pytest.raises(brant.Conflict):
        access.check("ann", "nodes:read", at_least=decision.revision + 1)


def test_why(access: brant.Access) -> None:
    why = access.explain("bot", "nodes:read", "graph:notes")
    assert why and why.path is not None and [step.kind for step in why.path][0] == "Delegates" and why.path[-1].scopes == ["nodes:read"]
    access.deny("ann", ["nodes:*"], "graph:notes")
    why = access.explain("ann", "nodes:read", "graph:notes")
    assert not why and why.denied_by is not None and why.denied_by.kind == "Denies"
    assert (why := access.explain("bot", "nodes:read", "graph:notes")) is not None and not why and why.tried and why.tried[0].chain[-1] in ("ann", "bot")
    tree = access.expand("nodes:read", "graph:notes")
    assert [held.from_.key for held in tree.grants] == ["readers"] and tree.grants[0].from_.members is not None
    assert [member.key for member in tree.grants[0].from_.members] == ["ann"] and len(tree.denies) == 1


def test_lists(access: brant.Access) -> None:
    assert set(access.objects("ann", "nodes:read")) == {"folder:a", "graph:notes"}
    assert list(access.objects("ann", "nodes:read", kind="graph")) == ["graph:notes"]
    page = access.list_subjects("nodes:read", "graph:notes", limit=2)
    rest = access.list_subjects("nodes:read", "graph:notes", cursor=page.cursor)
    assert [*page, *rest] == ["ann", "bot", "readers"] == list(access.subjects("nodes:read", "graph:notes"))
    assert page.revision == rest.revision


def test_changes(access: brant.Access) -> None:
    written = access.grant("ann", ["jobs:*"], expires_at=datetime.now(timezone.utc) + timedelta(hours=1))
    assert written.edge.type == "Grants" and access.check("ann", "jobs:read", at_least=written.revision)
    access.grant("ann", ["jobs:*"], expires_at=datetime.now(timezone.utc) + timedelta(seconds=3))
    until(lambda: not access.check("ann", "jobs:read"))
    with pytest.raises(brant.NotFound):
        access.grant("nobody", ["jobs:*"])
    with pytest.raises(brant.Denied):
        access.delegate("ann", "bot", ["jobs:read"])
    assert access.revoke("role", "ann", "readers") and not access.check("bot", "nodes:read", "graph:notes")
    assert not access.revoke("role", "ann", "readers")
    access.assign("ann", role="readers")
    assert access.revoke("delegation", "ann", "bot") and not access.check("bot", "nodes:read", "graph:notes")
    assert access.remove("readers").edges == 2
    assert not access.set_parent("graph:notes", None).changed or not access.check("ann", "nodes:read", "graph:notes")


def test_derived(db: brant.Database) -> None:
    seeded = db.access.seed()
    assert seeded.operations == len(brant.operations()) and seeded.roles == 4 and db.access.seed().changed == 0
    ann = db.accounts.create("ann@example.org")
    acme = db.organizations.create("acme", "Acme", owner_id=ann.id)
    db.access.sync()
    subject = f"account:{ann.id}"
    assert db.access.check(subject, "nodes:write") and db.access.sync(acme.id).added == 0
    bob = db.accounts.create("bob@example.org")
    db.members.add(acme.id, bob.id, "viewer")
    assert db.access.check(f"account:{bob.id}", "nodes:read") and not db.access.check(f"account:{bob.id}", "nodes:write")
    db.members.remove(acme.id, bob.id)
    assert not db.access.check(f"account:{bob.id}", "nodes:read")
    with pytest.raises(brant.Denied):
        db.access.revoke("group", subject, f"org:{acme.id}:owner")


def test_principals_of_sessions(db: brant.Database, access: brant.Access) -> None:
    db.graphs.create("notes")
    with db.session({"id": "1", "principal": "ann"}) as mine:
        assert mine.graph("notes").nodes.count() == 0
        with pytest.raises(brant.Denied):
            mine.graph("notes").nodes.put("a")
        access.grant("ann", ["nodes:write"], "graph:notes")
        mine.graph("notes").nodes.put("a")
        access.deny("ann", ["nodes:*"], "graph:notes")
        with pytest.raises(brant.Denied):
            mine.graph("notes").nodes.count()


def test_another_graph(db: brant.Database, access: brant.Access) -> None:
    other = db.access_graph("staging")
    with pytest.raises(brant.NotFound):
        other.check("ann", "nodes:read")
    other.put("ann", "Principal", {"kind": "service"})
    assert not other.check("ann", "nodes:read", "graph:notes") and "staging" in repr(other)


def test_threads(path: Path, access: brant.Access) -> None:
    """Checks beside a writer: each answer is of some state, and of one not older than was seen."""
    errors: list[Any] = []
    stop = threading.Event()

    def check() -> None:
        with brant.open(path) as db:
            seen = 0
            while not stop.is_set():
                decision = db.access.check("ann", "nodes:read", "graph:notes")
                if not decision or decision.revision < seen:
                    errors.append(decision)
                seen = decision.revision

    threads = [threading.Thread(target=check) for _ in range(2)]
    for thread in threads:
        thread.start()
    for number in range(50):
        access.grant("ann", ["jobs:read"], f"job:{number}")
    stop.set()
    for thread in threads:
        thread.join()
    assert not errors and access.check("ann", "jobs:read", "job:49")
