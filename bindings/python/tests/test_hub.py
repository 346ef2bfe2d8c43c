"""Hubs: a file for each organization, callers by their keys, and the end of handles."""

from __future__ import annotations

import asyncio
import gc
import json
import os
import threading
import time
import warnings
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from conftest import until
from test_keys import OTHER, RAW
from test_leaks import grows, linux

import brant

KEYS: list[Any] = [{"version": 1, "key": RAW, "purpose": "audit"}, {"version": 1, "key": OTHER, "purpose": "pepper"}]


@pytest.fixture
def hub(tmp_path: Path) -> Iterator[brant.Hub]:
    with brant.open_hub(tmp_path / "hub", max_open=4, busy_timeout=60) as hub:
        hub.keyring(keys=KEYS)
        yield hub


def organization(hub: brant.Hub, slug: str) -> brant.Organization:
    owner = hub.accounts.create(f"{slug}@example.org")
    return hub.organizations.create(slug, slug.title(), owner_id=owner.id)


def key(hub: brant.Hub, org: brant.Organization, *scopes: str) -> brant.Token:
    return hub.api_keys.create("k", scopes or ["*:*"], owner_id=org.owner_id, org_id=org.id).token


def test_tenants(hub: brant.Hub) -> None:
    acme, bolt = organization(hub, "acme"), organization(hub, "bolt")
    with hub.tenant(acme.id) as db:
        assert isinstance(db, brant.Database) and db.path.endswith(f"tenant-{acme.id}.db") and "hub" in repr(db)
        db.graphs.create("g")
        db.graph("g").nodes.put("a")
        with hub.tenant(acme.id) as other:
            assert other.graph("g").nodes.exists("a")
    with hub.tenant(bolt.id) as db:
        assert not list(db.graphs)
    for call in (db.graphs.list, lambda: db.graph("g").nodes.get("a"), lambda: db.listen("*")):
        with pytest.raises(brant.Closed):
            call()
    assert db.closed and {tenant.org_id: tenant.state for tenant in hub.tenants} == {acme.id: "made", bolt.id: "made"}
    assert hub.tenants.get(acme.id).slug == "acme" and hub.tenants.stats().pinned == 0
    for wrong in ("", "../system", acme.id.upper(), "x" * 1000):
        with pytest.raises(brant.Invalid):
            hub.tenant(wrong)
    with pytest.raises(brant.NotFound):
        hub.tenant("00000000-0000-7000-8000-000000000000")
    with hub.tenant(acme.id) as db, pytest.raises(brant.Misuse):
        brant.Tenants(db).list()


def test_suspended_and_deleted(hub: brant.Hub) -> None:
    acme = organization(hub, "acme")
    with hub.tenant(acme.id) as db:
        db.graphs.create("g")
        hub.organizations.suspend(acme.id)
        with pytest.raises(brant.Denied):
            db.graphs.list()
        with pytest.raises(brant.Denied):
            hub.tenant(acme.id)
        hub.organizations.resume(acme.id)
        assert len(db.graphs.list()) == 1
        path = Path(db.path)
        assert path.exists() and hub.organizations.delete(acme.id).status == "deleting"
        with pytest.raises(brant.Closed):
            db.graphs.list()
    hub.tenants.maintain()
    assert not path.exists() and not list(hub.organizations)


def test_callers(hub: brant.Hub) -> None:
    acme, bolt = organization(hub, "acme"), organization(hub, "bolt")
    token = key(hub, acme, "nodes:*", "graphs:read")
    with hub.tenant(acme.id) as db:
        db.graphs.create("g")
    with hub.authenticate(token) as caller:
        assert caller.organization is not None and caller.organization.id == acme.id
        assert (caller.account.id, caller.level, caller.scopes) == (acme.owner_id, "owner", ["graphs:read", "nodes:*"])
        caller.db.graph("g").nodes.put("a")
        with pytest.raises(brant.Denied):
            caller.db.graphs.create("h")
        with pytest.raises(brant.Denied):
            caller.db.keyring(keys=KEYS)
        inner = caller.db.session({"id": acme.owner_id, "scopes": ["nodes:read"]})
        assert inner.graph("g").nodes.exists("a")
    for closed in (caller.db, inner):
        with pytest.raises(brant.Closed):
            closed.graph("g").nodes.get("a")
    with hub.authenticate(key(hub, bolt)) as caller, pytest.raises(brant.NotFound):
        caller.db.graph("g").nodes.get("a")
    for wrong in ("", "x", token.reveal()[:-1] + "!", "brant_key_" + "0" * 65):
        with pytest.raises(brant.Auth, match="the key is not valid") as refused:
            hub.authenticate(wrong)
        assert refused.value.detail == {}
    assert "brant_" not in f"{token!r} {token}" and hub.tenants.stats().pinned == 0
    hub.api_keys.revoke(next(iter(hub.api_keys)).id)
    with pytest.raises(brant.Auth):
        hub.authenticate(token)
    # A key without an organization: a session on the system file.
    mine = hub.api_keys.create("mine", ["accounts:self"], owner_id=acme.owner_id).token
    with hub.authenticate(mine) as caller:
        assert caller.organization is None and caller.db.path.endswith("system.db")
        with pytest.raises(brant.Denied):
            list(caller.db.accounts)


def test_what_goes_beside_is_a_session(hub: brant.Hub) -> None:
    acme = organization(hub, "acme")
    with hub.authenticate(key(hub, acme, "queues:*", "jobs:*", "locks:*", "events:*")) as caller:
        db = caller.db
        done: list[Any] = []
        db.queue("q").enqueue({"n": 1})
        with db.queue("q").worker(lambda job: done.append(job.payload)):
            until(lambda: bool(done))

        async def lock() -> None:
            async with db.lock("l"):
                listener = db.listen("x")
                db.notify("x", 1)
                async for notification in listener:
                    assert notification.payload == 1
                    break

        asyncio.run(lock())
        for kind in ("thread", "loop"):
            with pytest.raises(brant.Denied):
                db._beside(kind).graphs.list()
    assert hub.tenants.stats().pinned == 0


def test_room(tmp_path: Path) -> None:
    with brant.open_hub(tmp_path / "hub", max_open=4, busy_timeout=1) as hub:
        hub.keyring(keys=KEYS)
        room(hub)


def room(hub: brant.Hub) -> None:
    ids = [organization(hub, f"o{number}").id for number in range(8)]
    for _ in range(2):
        for id in ids:
            with hub.tenant(id) as db:
                db.graphs.list()
    stats = hub.tenants.stats()
    assert stats.made == 8 and stats.evicted >= 4 and stats.open <= stats.max_open == 4
    held = [hub.tenant(id) for id in ids[:4]]
    with pytest.raises(brant.Busy):
        hub.tenant(ids[5])
    held.pop().close()
    hub.tenant(ids[5]).close()
    for db in held:
        db.close()


def test_upkeep(hub: brant.Hub, tmp_path: Path) -> None:
    acme, bolt = organization(hub, "acme"), organization(hub, "bolt")
    for org in (acme, bolt):
        hub.tenant(org.id).close()
    applied = hub.tenants.apply("graph_types.define", {"name": "notes", "module": {"$id": "notes", "$defs": {"NoteNode": {"type": "object"}}}})
    assert all(applied) and len(applied) == 2
    refused = hub.tenants.apply("graph_types.define", {"name": "notes", "module": {"$id": "x", "$defs": {}}})
    assert [type(one.error) for one in refused] == [brant.Exists] * 2 or all(one.error for one in refused)
    done = hub.tenants.maintain(limit=1)
    assert done and done.cursor and done.items[0].result is not None and done.items[0].checkpoint is not None
    assert [one.ok for one in hub.tenants.migrate()] == [True, True]
    copy = tmp_path / "acme.db"
    hub.tenants.backup(acme.id, copy)
    with pytest.raises(brant.Conflict):
        hub.tenants.restore(bolt.id, copy)
    hub.tenants.restore(acme.id, copy)


def test_delegations(hub: brant.Hub) -> None:
    acme, bolt = organization(hub, "acme"), organization(hub, "bolt")
    with hub.tenant(acme.id) as mine, hub.tenant(bolt.id) as other:
        mine.access.put("p", "Principal", {"kind": "service"})
        mine.access.grant("p", ["nodes:read"])
        other.access.put("bot", "Agent")
        made = hub.tenants.delegate(acme.id, "p", bolt.id, "bot", ["nodes:read"])
        assert made.state == "active" and mine.access.check(f"foreign:{bolt.id}:bot", "nodes:read")
        assert [one.id for one in hub.tenants.delegations(from_org=acme.id)] == [made.id]
        assert hub.tenants.revoke_delegation(made.id).state == "revoked"
        assert not mine.access.check(f"foreign:{bolt.id}:bot", "nodes:read")


def test_ring(tmp_path: Path) -> None:
    with brant.open_hub(tmp_path / "hub") as hub:
        with pytest.raises(brant.NotFound):
            organization(hub, "acme")
        with hub.keyring(keys=KEYS) as ring:
            assert ring.attached
            acme = organization(hub, "acme")
            with hub.tenant(acme.id) as db:
                db.audit.append("app.did")
                assert db.audit.verify()
            assert hub.audit.verify()
        with pytest.raises(brant.NotFound):
            hub.accounts.create("x@example.org")
        with pytest.raises(brant.Invalid):
            hub.keyring(keys=[{"version": 0, "key": RAW}])
        with brant.open(tmp_path / "other.db") as other, pytest.raises((TypeError, brant.NotFound)):
            hub.system.keyring(other)


def test_closing(tmp_path: Path) -> None:
    hub = brant.open_hub(tmp_path / "hub", max_open=4)
    hub.keyring(keys=KEYS)
    acme = organization(hub, "acme")
    hub.system.close()  # nothing
    db, caller = hub.tenant(acme.id), hub.authenticate(key(hub, acme))
    listener = db.listen("*")
    ended: list[BaseException] = []

    def wait() -> None:
        try:
            listener.next(30)
        except brant.BrantError as error:
            ended.append(error)

    thread = threading.Thread(target=wait)
    thread.start()
    time.sleep(0.05)
    hub.close()
    thread.join(60)
    hub.close()
    assert isinstance(ended[0], brant.Closed) and hub.closed and db.closed and caller.db.closed and hub.system.closed
    for call in (lambda: hub.tenant(acme.id), lambda: hub.authenticate("x"), lambda: hub.accounts.list(), lambda: db.graphs.list()):
        with pytest.raises(brant.Closed):
            call()
    with pytest.raises(brant.NotFound):
        brant.open_hub(tmp_path / "none", mode="rw")
    (tmp_path / "file").write_text("x")
    with pytest.raises(brant.NotBrant):
        brant.open_hub(tmp_path / "file")


def test_what_is_not_closed(tmp_path: Path) -> None:
    hub = brant.open_hub(tmp_path / "hub", max_open=4)
    hub.keyring(keys=KEYS)
    acme = organization(hub, "acme")
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        hub.tenant(acme.id)
        hub.authenticate(key(hub, acme))
        gc.collect()
        messages = [str(one.message) for one in caught]
        caught.clear()  # which has what they are about
        assert hub.tenants.stats().pinned == 0
        system, db = hub.system, hub.tenant(acme.id)
        del hub
        gc.collect()
        messages += [str(one.message) for one in caught]
        assert [message.partition(" ")[0] for message in messages] == ["unclosed"] * 3
    # What is held goes on.
    assert len(system.accounts.list()) == 1 and not list(db.graphs)
    db.close()


@linux
def test_leaks(tmp_path: Path) -> None:
    def work() -> None:
        with brant.open_hub(tmp_path / "hub", max_open=4) as hub:
            hub.keyring(keys=KEYS)
            tokens = [hub.api_keys.create("k", ["*:*"], owner_id=org.owner_id, org_id=org.id).token for org in hub.organizations]
            for token in tokens:
                with hub.authenticate(token) as caller:
                    caller.db.graphs.list()
                with pytest.raises(brant.Auth):
                    hub.authenticate(token.reveal() + "x")

    with brant.open_hub(tmp_path / "hub") as hub:
        hub.keyring(keys=KEYS)
        for number in range(8):
            organization(hub, f"o{number}")
    traced, memory, descriptors = grows(work, 8, 4)
    assert traced < 200_000 and memory < 6_000_000 and descriptors == 0


def test_threads(hub: brant.Hub) -> None:
    orgs = [organization(hub, f"o{number}") for number in range(3)]
    tokens = [key(hub, org) for org in orgs]
    for org in orgs:
        with hub.tenant(org.id) as db:
            db.graphs.create("g")
    errors: list[BaseException] = []

    def go(number: int) -> None:
        try:
            for round in range(20):
                with hub.authenticate(tokens[number % 3]) as caller:
                    caller.db.graph("g").nodes.put(f"{number}-{round}")
                if round % 5 == 0:
                    hub.accounts.list()
        except BaseException as error:
            errors.append(error)

    threads = [threading.Thread(target=go, args=(number,)) for number in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert not errors
    counts = []
    for org in orgs:
        with hub.tenant(org.id) as db:
            counts.append(db.graph("g").nodes.count())
    assert counts == [40, 20, 20]


def test_tasks(hub: brant.Hub) -> None:
    """A loop authenticates on threads, and goes on meanwhile."""
    token = key(hub, organization(hub, "acme"))

    async def one(number: int) -> str:
        with await asyncio.to_thread(hub.authenticate, token) as caller:
            await asyncio.to_thread(caller.db.graphs.create, f"g{number}")
            return json.dumps(len(caller.db.graphs.list()))

    async def main() -> None:
        answers: list[str] = []
        for _ in range(3):
            answers += await asyncio.gather(*(one(len(answers) + number) for number in range(3)))
        assert len(answers) == 9

    asyncio.run(main())


@pytest.mark.skipif(not hasattr(os, "fork"), reason="forks")
def test_fork(hub: brant.Hub) -> None:
    acme = organization(hub, "acme")
    child = os.fork()
    if child == 0:
        code = 1
        try:
            hub.tenant(acme.id)
        except brant.Forked:
            code = 0
        finally:
            os._exit(code)
    assert os.waitpid(child, 0)[1] == 0
    hub.tenant(acme.id).close()


def test_closing_meanwhile(tmp_path: Path) -> None:
    """Whoever is in it is told, and nothing hangs."""
    for _ in range(3):
        hub = brant.open_hub(tmp_path / "hub", max_open=4)
        hub.keyring(keys=KEYS)
        org = next(iter(hub.organizations), None) or organization(hub, "acme")
        token = key(hub, org)
        unexpected: list[BaseException] = []

        def go() -> None:
            try:
                while True:
                    with hub.authenticate(token) as caller, caller.db.transaction():  # noqa: B023
                        caller.db.graphs.list()
            except brant.Closed:
                pass
            except BaseException as error:
                unexpected.append(error)  # noqa: B023

        threads = [threading.Thread(target=go) for _ in range(3)]
        for thread in threads:
            thread.start()
        time.sleep(0.05)
        hub.close()
        for thread in threads:
            thread.join(60)
        assert not unexpected and not any(thread.is_alive() for thread in threads)
