"""From a real PostgreSQL and a real Redis into a file and into a hub: everything is there, keys authenticate, rights hold, the log verifies, envelopes open."""

from __future__ import annotations

import json
import os
import time
from pathlib import Path
from typing import Any

import brant
import brant.migration as migration
import former
import psycopg
import pytest
from brant.migration.cli import main
from conftest import ring
from servers import Servers


@pytest.fixture(scope="session")
def exported(servers: Servers, made: former.Former, tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("export") / "folder"
    began = time.monotonic()
    found = migration.export(str(folder), migration.load(None), servers.postgres, servers.redis)
    took = time.monotonic() - began
    rows = sum(part["rows"] for part in found.parts.values())
    print(f"\nexport: {rows} rows in {took:.2f} s, {rows / took:.0f} a second")
    assert rows == made.rows + 6  # and a line for each group
    return folder


@pytest.fixture(scope="session", params=["file", "hub"])
def target(request: pytest.FixtureRequest, exported: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("target") / ("hub" if request.param == "hub" else "app.db")
    began = time.monotonic()
    migration.import_(str(exported), str(path), hub=request.param == "hub", ring=json.dumps(ring()))
    took = time.monotonic() - began
    rows = sum(part["rows"] for part in migration.Folder(exported).parts.values())
    print(f"\nimport into a {request.param}: {rows} rows in {took:.2f} s, {rows / took:.0f} a second")
    return path


class Opened:
    """The main file, a file for what an organization has, and who has a key."""

    def __init__(self, path: Path) -> None:
        self.hub = brant.open_hub(path) if path.is_dir() else None
        self.main = self.hub.system if self.hub else brant.open(path)
        (self.hub or self.main).keyring(ring())

    def org(self, id: str) -> brant.Database:
        return self.hub.tenant(id) if self.hub else self.main

    def scopes(self, token: str) -> list[str]:
        if self.hub:
            with self.hub.authenticate(token) as caller:
                return caller.scopes
        return self.main.authenticate(token).scopes

    def close(self) -> None:
        (self.hub or self.main).close()


@pytest.fixture
def opened(target: Path) -> Any:
    both = Opened(target)
    yield both
    both.close()


def test_verifies(servers: Servers, exported: Path, target: Path) -> None:
    began = time.monotonic()
    reports = migration.verify(str(exported), str(target), ring=json.dumps(ring()), postgres=servers.postgres, redis=servers.redis)
    print(f"\nverify: {time.monotonic() - began:.2f} s")
    assert [(report.part, report.problems) for report in reports if not report.ok] == []
    by_name = {report.part: report for report in reports}
    for report in reports:
        assert report.source == report.folder, report
    assert by_name["nodes"].rejected >= 120 and by_name["nodes"].target > 2000
    assert by_name["audit"].target == by_name["audit"].source


def test_finds_what_is_not_so(exported: Path, target: Path, tmp_path: Path) -> None:
    """A row that somebody changed or removed after the import, and a folder that is not what was exported."""
    if target.is_dir():
        pytest.skip("of one file")
    copy = tmp_path / "copy.db"
    with brant.open(target) as db:
        db.backup(copy)
    with brant.open(copy) as db:
        db.keyring(ring())
        db.graph("social").nodes.put("p5", {"name": "other"})
        db.graph("social").nodes.delete("p6", edges="delete")
        db.stream("call-protocol").trim(before=10)
    reports = {report.part: report for report in migration.verify(str(exported), str(copy), ring=json.dumps(ring()))}
    assert any("p5: differs in attributes" in problem for problem in reports["nodes"].problems)
    assert any("p6: is not there" in problem for problem in reports["nodes"].problems)
    assert not reports["edges"].ok and not reports["stream:call-protocol"].ok and reports["accounts"].ok


def test_keys_authenticate(opened: Opened, made: former.Former) -> None:
    tokens = made.tokens
    assert opened.scopes(tokens["good"]) == ["graphs:read", "nodes:*"]
    assert opened.scopes(tokens["words"]) == ["*:read", "nodes:write"]
    assert opened.scopes(tokens["admin"]) == ["*:*"]
    for name in ("k0", "k1", "k2", "k3", "later", "forever", "number"):
        assert opened.scopes(tokens[name])
    refused = ("expired", "revoked", "suspended_org", "inactive", "orphan", "gone", "no_scopes", "no_member", "bcrypt", "hmac", "pbkdf2", "ours")
    for name in refused:
        with pytest.raises(brant.Auth):
            opened.scopes(tokens[name])
    with pytest.raises(brant.Auth):
        opened.scopes(tokens["good"] + "x")
    # They can be rotated into keys of brant's own.
    key = next(key for key in opened.main.api_keys if key.name == "later")
    assert key.metadata["migrated"]["created_at"] == 1614834367891
    assert opened.scopes(opened.main.api_keys.rotate(key.id).token.reveal()) == ["*:read"]


def test_identity(opened: Opened, made: former.Former) -> None:
    ids, db = made.ids, opened.main
    assert db.accounts.get(ids["account0"]).email == "user0@example.com"
    assert db.accounts.get(ids["account0"]).metadata["migrated"] == {"created_at": 1614834367891, "updated_at": 1709247599000}
    assert db.accounts.find("USER1@EXAMPLE.com").id == ids["account1"]
    assert db.accounts.get(ids["upper"]).email == f"{ids['upper']}@migrated.invalid"
    assert db.accounts.get(ids["upper"]).metadata["migrated"]["email"] == "USER1@example.com"
    assert db.accounts.get(ids["idn"]).email == "leser@xn--bcher-kva.example"
    assert db.accounts.get(ids["root"]).access_level == "admin"
    assert db.accounts.get(ids["odd"]).status == "inactive"  # a status that nobody knows gives nothing
    assert db.accounts.get(ids["account16"]).status == "inactive"
    assert db.accounts.get(ids["sole"]).status == "inactive" and db.organizations.get(ids["soled"]).status == "suspended"
    with pytest.raises(brant.NotFound):
        db.accounts.get(ids["deleted"])
    number = migration.load(None).uuid("accounts", "4711")
    assert db.accounts.get(number).metadata["migrated"]["id"] == "4711"
    assert db.members.get(ids["org1"], number).level == "admin"
    assert db.organizations.get(ids["orphaned"]).owner_id == ids["account3"]
    assert db.organizations.get(ids["suspended"]).status == "suspended"
    assert db.organizations.get(slug="org-1-strasse").id == ids["org1"]
    # It is a deployment like any other: it goes on.
    account = db.accounts.create(f"new{time.time_ns()}@example.com")
    db.members.add(ids["org1"], account.id, "member")
    token = db.api_keys.create("new", ["nodes:read"], owner_id=account.id, org_id=ids["org1"]).token
    assert opened.scopes(token.reveal()) == ["nodes:read"]


def test_audit(opened: Opened, made: former.Former) -> None:
    assert opened.main.audit.verify().ok
    first = opened.main.call("audit.get", {"seq": 1})
    assert first["action"].startswith("former.account.") and first["detail"]["former"]["at"] in (1614834367891, 1709247599000)
    if opened.hub:
        with opened.org(made.ids["org1"]) as tenant:
            assert tenant.audit.verify().ok


def test_graphs(opened: Opened, made: former.Former) -> None:
    ids = made.ids
    db = opened.org(ids["org1"])
    social = db.graph("social")
    assert social.nodes.get("p7").attributes["large"] == 2**53 + 7 and social.nodes.get("p7").attributes["float"] == 1.0
    assert social.nodes.get("p7").metadata == {"n": 7, "migrated": {"created_at": 1614834367891, "updated_at": 1709247599000}}
    assert social.nodes.get("Zürich/ä?\"").type == "City"
    assert db.call("graphs.get", {"name": "social"})["metadata"]["migrated"]["id"] == ids["graph:social"]
    assert not social.nodes.exists("nameless")
    with pytest.raises(brant.Validation):
        social.nodes.put("bad", {"name": ""}, type="Person")
    # An acyclic graph whose rows went round: all edges but the one that closes the circle.
    assert db.graph("circle").edges.count() == 4
    for name, key in (("trace", "r49"), ("access", "editors"), ("vault", "s0")):
        assert db.graph(name).nodes.exists(key)
    call = db.graph("trace").nodes.get("r3").attributes
    assert call == {"request_id": "r3", "operation_id": "nodes.put", "status": "completed", "requested_at": 1704067200123}
    assert db.call("nodes.count", {"graph": "access", "type": "Group"})["count"] >= 5  # made of the members
    ann = f"account:{ids['account1']}"
    assert db.call("access.check", {"subject": ann, "scope": "nodes:write", "resource": "graph:social"})["allowed"]
    assert not db.call("access.check", {"subject": ann, "scope": "nodes:delete", "resource": "graph:social"})["allowed"]
    number = f"account:{migration.load(None).uuid('accounts', '4711')}"
    assert not db.call("access.check", {"subject": number, "scope": "nodes:write", "resource": "graph:social"})["allowed"]  # the role's term is over
    if opened.hub:  # an organization that is suspended has its graphs, for when it is resumed
        with pytest.raises(brant.Denied):
            opened.org(ids["suspended"])
        opened.hub.organizations.resume(ids["suspended"])
        with opened.org(ids["suspended"]) as paused:
            assert paused.graph("paused").nodes.get("n").attributes == {"kept": True}
        opened.hub.organizations.suspend(ids["suspended"])
    other = opened.org(ids["org3"])
    assert other.call("graphs.get", {"name": "archive"})["status"] == "archived"
    assert other.call("graphs.get", {"name": "removed"})["status"] == "deleted"


def test_sessions_are_bounded(opened: Opened, made: former.Former) -> None:
    """What a key may is what it may: in a hub its organization's file alone, and in it its scopes."""
    if not opened.hub:
        db = opened.main
        with db.session(db.authenticate(made.tokens["good"]).identity) as mine:
            assert mine.graph("social").nodes.get("p1").key == "p1"
            with pytest.raises(brant.Denied):
                mine.call("accounts.list", {})
        return
    with opened.hub.authenticate(made.tokens["good"]) as caller:
        assert caller.organization and caller.organization.id == made.ids["org1"]
        assert caller.db.graph("social").nodes.get("p1").key == "p1"
        with pytest.raises(brant.BrantError):
            caller.db.graph("archive").nodes.get("old")
        with pytest.raises(brant.Denied):
            caller.db.call("streams.list", {})


def test_secrets_open(opened: Opened, made: former.Former) -> None:
    db = opened.org(made.ids["org1"])
    for key, value in made.secrets.items():
        assert db.graph("vault").nodes.open_secret(key, "attributes.value").reveal() == value
        assert db.graph("vault").nodes.get(key).attributes["value"]["$enc"] == 2
    assert not db.graph("vault").nodes.exists("spoiled")
    # What stands elsewhere opens by hand.
    context = {"graph_id": "g", "kind": "node", "key": "k", "path": "/p"}
    assert db.call("envelopes.open", {"envelope": former.envelope({"a": 1}, 2), "context": context})["value"] == {"a": 1}


def test_streams(opened: Opened, made: former.Former) -> None:
    db = opened.main
    events = list(db.stream("call-protocol").read(limit=100000))
    assert [event.offset for event in events] == list(range(1, len(events) + 1))
    assert [event.payload["n"] for event in events] == [str(number) for number in range(1, len(events) + 1)]
    assert events[4].key == "1001-3" and events[4].payload["payload"] == {"n": 5, "ü": "🦊"}
    odd = db.stream("session-events").read()[0]
    assert odd.key == "5-1" and odd.payload["twice"] == ["a", "b"] and {"$bytes": "AP8="} in odd.payload.values()

    def offset(group: str) -> int:
        found: int = db.call("consumers.get", {"stream": "call-protocol", "consumer": group})["offset"]
        return found

    count = len(events)
    assert offset("fresh") == offset("done") == count and offset("start") == 0


def test_groups_are_given_what_was_pending(exported: Path, target: Path, tmp_path: Path) -> None:
    if target.is_dir():
        pytest.skip("of one file")
    copy = tmp_path / "copy.db"
    with brant.open(target) as db:
        db.backup(copy)
    with brant.open(copy) as db:
        folder = migration.Folder(exported)
        ids = [row["id"] for row in folder.rows("stream:call-protocol")]
        groups = {row["name"]: row for row in folder.rows("groups:call-protocol")}
        for name, row in groups.items():
            pending = [id for id, _, _ in row["pending"] if id in ids]
            last = [id for id in ids if migration.source.entry_order(id) <= migration.source.entry_order(row["last"])]
            expected = pending + ids[len(last) :]
            given: list[str] = []
            while True:
                page = db.call("consumers.claim", {"stream": "call-protocol", "group": name, "member": "m", "limit": 1000})["items"]
                if not page:
                    break
                given += [one["key"] for one in page]
                db.call("consumers.ack", {"stream": "call-protocol", "group": name, "items": [{"offset": one["offset"], "token": one["token"]} for one in page]})
            assert given == expected, name


def test_doctor(opened: Opened, made: former.Former) -> None:
    assert opened.main.doctor().ok
    if opened.hub:
        for name in ("org1", "org2", "org3"):
            with opened.org(made.ids[name]) as tenant:
                assert tenant.doctor().ok


def test_again_changes_nothing(exported: Path, target: Path) -> None:
    def state() -> Any:
        opened = Opened(target)
        try:
            return opened.main.execute("SELECT * FROM migration_progress ORDER BY part").rows
        finally:
            opened.close()

    before = state()
    migration.import_(str(exported), str(target), ring=json.dumps(ring()))
    assert state() == before


def test_command_line(servers: Servers, made: former.Former, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    arguments = [str(tmp_path / "out"), str(tmp_path / "new.db"), "--ring", str(tmp_path / "ring.json"), "--postgres", servers.postgres, "--quiet", "--json"]
    assert main(["run", *arguments]) == 0  # without the old passwords: envelopes are rejected, all else is there
    assert json.loads(capsys.readouterr().out)["ok"]
    assert os.stat(tmp_path / "ring.json").st_mode & 0o777 == 0o600
    assert main(["run", *arguments]) == 0
    capsys.readouterr()
    assert main(["import", str(tmp_path / "out"), str(tmp_path / "without.db")]) == 1
    assert "key ring" in capsys.readouterr().err
    assert main(["export", str(tmp_path / "nothing")]) == 1
    assert main(["verify", str(tmp_path / "missing")]) == 1
    assert main(["export", str(tmp_path / "x"), "--postgres", "host=127.0.0.1 port=1 dbname=no"]) == 1
    assert "Connection refused" in capsys.readouterr().err
    assert main(["map"]) == 0
    assert capsys.readouterr().out == migration.default_text()


def test_source_that_changed(servers: Servers, made: former.Former, exported: Path, tmp_path: Path) -> None:
    with psycopg.connect(servers.postgres) as connection:
        connection.execute("UPDATE graphs SET project_id = 'other' WHERE name = 'loose'")
    try:
        reports = {report.part: report for report in migration.verify(str(exported), postgres=servers.postgres)}
        assert "has changed" in reports["graphs"].problems[0] and reports["nodes"].ok
    finally:
        with psycopg.connect(servers.postgres) as connection:
            connection.execute("UPDATE graphs SET project_id = 'project' WHERE name = 'loose'")
