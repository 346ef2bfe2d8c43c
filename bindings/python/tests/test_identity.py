"""Accounts, organizations, members, invitations and keys; tokens that are shown once."""

from __future__ import annotations

import copy
import dataclasses
import hashlib
import json
import pickle
import time
from datetime import datetime, timedelta, timezone
from pathlib import Path
from typing import Any

import pytest
from test_keys import OTHER, RAW, raised, shows_nothing

import brant

KEYS: list[Any] = [{"version": 1, "key": RAW, "purpose": "audit"}, {"version": 1, "key": OTHER, "purpose": "pepper"}]


@pytest.fixture(autouse=True)
def ring(db: brant.Database) -> None:
    db.keyring(keys=KEYS)


@pytest.fixture
def ann(db: brant.Database) -> brant.Account:
    return db.accounts.create("Ann@Example.org", name="Ann", metadata={"team": "a"})


@pytest.fixture
def acme(db: brant.Database, ann: brant.Account) -> brant.Organization:
    return db.organizations.create("acme", "Acme", owner_id=ann.id)


def test_accounts(db: brant.Database, ann: brant.Account) -> None:
    assert (ann.email, ann.name, ann.access_level, ann.status, ann.metadata) == ("ann@example.org", "Ann", "user", "active", {"team": "a"})
    assert db.accounts.get(ann.id) == ann == db.accounts.find("ANN@example.ORG")
    with pytest.raises(brant.Exists):
        db.accounts.create("ann@EXAMPLE.org")
    for wrong in ("", "ann", "ann@@example.org"):
        with pytest.raises(brant.Invalid, match="/email"):
            db.accounts.create(wrong)
    with pytest.raises(brant.NotFound):
        db.accounts.find("bob@example.org")
    assert db.accounts.update(ann.id, name=None).name is None
    assert db.accounts.update(ann.id, metadata={}).name is None
    bob = db.accounts.create("bob@example.org", access_level="service")
    with pytest.raises(brant.Denied):
        db.accounts.update(ann.id, name="x", actor=bob.id)
    assert db.accounts.update(ann.id, name="Ann B.", actor={"id": ann.id, "reason": "asked"}).name == "Ann B."
    assert [one.id for one in db.accounts] == [ann.id, bob.id]
    assert [one.id for one in db.accounts.list(access_level="service")] == [bob.id]
    first = db.accounts.list(limit=1)
    assert len(first) == 1 and [one.id for one in db.accounts.list(limit=1, cursor=first.cursor)] == [bob.id]
    assert db.accounts.deactivate(bob.id).status == "inactive" and db.accounts.reactivate(bob.id).status == "active"
    assert db.accounts.delete(bob.id) == brant.AccountDeleted(0, 0)
    with pytest.raises(brant.NotFound):
        db.accounts.get(bob.id)


def test_organizations_and_members(db: brant.Database, ann: brant.Account, acme: brant.Organization) -> None:
    bob = db.accounts.create("bob@example.org")
    assert db.organizations.get(slug="acme") == acme == db.organizations.get(acme.id)
    with pytest.raises(brant.Exists):
        db.organizations.create("ACME", "Another", owner_id=ann.id)
    member = db.members.add(acme.id, bob.id, actor=ann.id)
    assert (member.level, member.status) == ("member", "active") and db.members.get(acme.id, bob.id) == member
    with pytest.raises(brant.Denied):
        db.members.set_level(acme.id, bob.id, "owner", actor=bob.id)
    assert db.members.set_level(acme.id, bob.id, "admin", actor=ann.id).level == "admin"
    with pytest.raises(brant.Constraint):
        db.members.remove(acme.id, ann.id)
    assert {one.level for one in db.members.list(org_id=acme.id)} == {"owner", "admin"} and len(list(db.members)) == 2
    assert db.members.suspend(acme.id, bob.id).status == "suspended" and db.members.resume(acme.id, bob.id).status == "active"
    assert db.organizations.transfer(acme.id, bob.id, actor=ann.id).owner_id == bob.id
    db.members.leave(acme.id, actor=ann.id)
    with pytest.raises(brant.NotFound):
        db.members.get(acme.id, ann.id)
    assert db.organizations.update(acme.id, name="Acme Ltd").name == "Acme Ltd"
    assert db.organizations.suspend(acme.id).status == "suspended" and db.organizations.resume(acme.id).status == "active"
    assert [one.slug for one in db.organizations] == ["acme"]
    assert db.organizations.delete(acme.id, actor=bob.id).status == "deleted" and not list(db.organizations)


def test_invitations(db: brant.Database, ann: brant.Account, acme: brant.Organization) -> None:
    made = db.invitations.create(acme.id, "Bob@example.org", "viewer", ttl=60, actor=ann.id)
    left = made.invitation.expires_at - time.time() * 1000
    assert 0 < left < 61_000 and made.invitation.email == "bob@example.org" and made.token.reveal().startswith("brant_invite_")
    bob, eve = db.accounts.create("bob@example.org"), db.accounts.create("eve@example.org")
    with pytest.raises(brant.Denied):
        db.invitations.accept(made.token, eve.id)
    with pytest.raises(brant.Auth):
        db.invitations.accept(made.token.reveal() + "x", bob.id)
    accepted = db.invitations.accept(made.token, bob.id)
    assert accepted.member.level == "viewer" and accepted.invitation.status == "accepted"
    with pytest.raises(brant.Conflict):
        db.invitations.accept(made.token.reveal(), bob.id)
    over = db.invitations.create(acme.id, "eve@example.org", ttl=0.005)
    time.sleep(0.02)
    with pytest.raises(brant.Stale):
        db.invitations.accept(over.token, eve.id)
    again = db.invitations.create(acme.id, "eve@example.org")
    assert db.invitations.cancel(again.invitation.id).status == "cancelled"
    third = db.invitations.create(acme.id, "eve@example.org", expires_at=datetime.now(timezone.utc) + timedelta(hours=1))
    assert db.invitations.reject(third.token).status == "rejected" and len(list(db.invitations)) >= 3
    assert [one.id for one in db.invitations.list(status="rejected")] == [third.invitation.id]


def test_keys(db: brant.Database, ann: brant.Account, acme: brant.Organization) -> None:
    made = db.api_keys.create("ci", ["nodes:read", "nodes:write"], org_id=acme.id, actor=ann.id)
    assert made.key.owner_id == ann.id and made.previous is None and made.token.reveal().startswith("brant_key_")
    found = db.api_keys.verify(made.token)
    assert (found.key.id, found.account.id, found.level) == (made.key.id, ann.id, "owner")
    assert found.scopes == ["nodes:read", "nodes:write"] and found.organization is not None and found.organization.id == acme.id
    who = db.authenticate(made.token.reveal())
    db.graphs.create("g")
    with db.session(who.identity) as mine:
        mine.graph("g").nodes.put("a")
        with pytest.raises(brant.Denied):
            mine.graphs.create("h")
    rotated = db.api_keys.rotate(made.key.id, overlap=60)
    assert rotated.previous is not None and rotated.previous.id == made.key.id and rotated.key.rotated_from == made.key.id
    assert db.api_keys.verify(made.token) and db.api_keys.verify(rotated.token)
    with pytest.raises(brant.Conflict):
        db.api_keys.rotate(made.key.id)
    assert db.api_keys.revoke(rotated.key.id).revoked_at is not None
    with pytest.raises(brant.Auth) as refused:
        db.api_keys.verify(rotated.token)
    assert refused.value.detail == {} and rotated.token.reveal() not in str(refused.value)
    assert [one.id for one in db.api_keys.list(active=True)] == [made.key.id] and len(db.api_keys.list(org_id=None)) == 0
    own = db.api_keys.create("mine", ["accounts:self"], owner_id=ann.id, expires_at=int(time.time() * 1000) + 60_000)
    assert own.key.org_id is None and [one.id for one in db.api_keys.list(org_id=None)] == [own.key.id]
    bob = db.accounts.create("bob@example.org")
    with pytest.raises(brant.Denied):
        db.api_keys.create("theirs", ["accounts:self"], owner_id=ann.id, actor=bob.id)
    old = db.api_keys.import_("old", ["nodes:read"], hashlib.sha256(b"old-token").hexdigest(), owner_id=ann.id, org_id=acme.id)
    assert old.scheme == "legacy-sha256" and db.api_keys.verify("old-token").key.id == old.id and len(list(db.api_keys)) == 4


def test_tokens_are_not_shown(db: brant.Database, path: Path, ann: brant.Account, acme: brant.Organization) -> None:
    key = db.api_keys.create("ci", ["nodes:read"], org_id=acme.id, owner_id=ann.id)
    invited = db.invitations.create(acme.id, "bob@example.org")
    for made in (key, invited):
        text = made.token.reveal()
        shown = f"{made!r} {made} {made.token!r} {made.token} {made.token:>12}"
        assert "[token]" in shown and text not in shown
        for leak in (copy.copy, copy.deepcopy, pickle.dumps, json.dumps):
            with pytest.raises(TypeError):
                leak(made.token)
        with pytest.raises(TypeError):
            dataclasses.asdict(made)
        assert all(text.encode() not in file.read_bytes() for file in path.parent.iterdir() if file.is_file())
    wrong = "brant_key_" + "CANARY" * 12
    for call in (db.api_keys.verify, db.authenticate, lambda token: db.invitations.accept(token, ann.id), db.invitations.reject):
        error = raised(lambda: call(brant.Token(wrong)))  # noqa: B023
        assert isinstance(error, brant.Auth)
        shows_nothing(error, "CANARY")


def test_without_keys(path: Path) -> None:
    with brant.open(path.parent / "bare.db") as db:
        with pytest.raises(brant.NotFound):
            db.accounts.create("ann@example.org")
        with pytest.raises(brant.Auth), db.keyring(keys=KEYS):
            db.authenticate("nobody's")
    with brant.open(path.parent / "tenant.db", role="tenant") as db, pytest.raises(brant.Misuse):
        db.accounts.list()


def test_events(db: brant.Database) -> None:
    listener = db.listen("account:*", "org:*")
    ann = db.accounts.create("ann@example.org")
    db.organizations.create("acme", "Acme", owner_id=ann.id)
    assert [one.channel for one in listener.take(5)][:1] == ["account:created"]


def test_schemas() -> None:
    schemas = brant.identity_schemas()
    assert set(schemas) == {"accounts", "organizations", "members", "invitations", "api_keys", "audit_logs"}
    columns = set(schemas["accounts"]["select"]["properties"])
    assert columns == {field.name for field in dataclasses.fields(brant.Account)}
    for table, record in (("organizations", brant.Organization), ("members", brant.Member), ("invitations", brant.Invitation), ("api_keys", brant.ApiKey)):
        assert set(schemas[table]["select"]["properties"]) == {field.name for field in dataclasses.fields(record)}
