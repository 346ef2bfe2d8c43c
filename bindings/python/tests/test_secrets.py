"""Secrets in graphs: sealed when written, opened on demand, shown by nothing else; envelopes; rotation."""

from __future__ import annotations

import copy
import dataclasses
import json
import logging
import pickle
import traceback
from collections.abc import Iterator
from pathlib import Path
from typing import Annotated, Any

import pytest
from conftest import until
from test_keys import CHEAP, OTHER, PLACE, RAW, deep, lets_others_run, longest_silence, raised, shows_nothing

import brant

CANARY = 'canary "in\\the" cöal mine'
ONE = brant.Key(version=1, key=RAW)


def both() -> list[brant.Key]:
    return [brant.Key(version=1, key=RAW, state="decrypt_only"), brant.Key(version=2, key=OTHER)]


@pytest.fixture
def vault(db: brant.Database) -> brant.Graph:
    db.graphs.create("secrets", "secret")
    return db.graph("secrets")


@pytest.fixture
def ring(db: brant.Database) -> Iterator[brant.KeyRing]:
    with db.keyring(keys=[ONE]) as ring:
        yield ring


@dataclasses.dataclass
class Account:
    user: str
    password: Annotated[str, {"x-encrypted": True}]


@dataclasses.dataclass
class Trusts:
    pin: Annotated[int, {"x-encrypted": True}]


# ---- opening --------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("value", [CANARY, 7, 2.5, True, {"user": "u", "deep": [1, {"x": None}]}, [CANARY]])
def test_nodes(vault: brant.Graph, ring: brant.KeyRing, value: Any) -> None:
    vault.nodes.put("db", {"value": value, "kind": "password"}, type="Secret")
    stored = vault.nodes.get("db").attributes
    assert stored["value"]["$enc"] == 2 and "canary" not in json.dumps(stored)
    for path in ("attributes.value", "attributes/value"):
        secret = vault.nodes.open_secret("db", path)
        assert secret.reveal() == value and secret.key_version == 1
    vault.nodes.put("db", {**stored, "kind": "token"})  # what is read can be written
    vault.nodes.patch("db", {"description": "d"})
    assert vault.nodes.open_secret("db", "attributes.value").reveal() == value


def test_classes_and_edges(db: brant.Database, ring: brant.KeyRing) -> None:
    db.graph_types.define(brant.module("accounts", nodes=[Account], edges=[brant.edge(Trusts, source=Account, target=Account)]))
    db.graphs.create("a", "accounts")
    graph = db.graph("a")
    graph.nodes.put_many({"key": name, "attributes": Account(name, CANARY)} for name in ("ann", "bob"))
    graph.edges.put("ann", "bob", Trusts(1234), key="t")
    assert graph.edges.open_secret("t", "attributes.pin").reveal() == 1234
    read = graph.nodes.get("ann", as_=Account).attributes
    assert read.user == "ann" and isinstance(read.password, dict)
    graph.nodes.put("ann", dataclasses.replace(read, user="anna"))
    assert graph.nodes.open_secret("ann", "attributes.password").reveal() == CANARY
    with pytest.raises(brant.Invalid):
        graph.nodes.open_secret("ann", "attributes.user")
    with pytest.raises(brant.Auth):  # another place
        envelope: Any = graph.nodes.get("bob").attributes["password"]
        info = db.graphs.get("a")
        db.envelopes.open(envelope, {"graph_id": info.id, "kind": "node", "key": "ann", "path": "/password"})
    assert db.envelopes.open(envelope, {"graph_id": info.id, "kind": "node", "key": "bob", "path": "/password"}).reveal() == CANARY


def test_what_does_not_open(db: brant.Database, vault: brant.Graph) -> None:
    with pytest.raises(brant.NotFound):  # no ring: nothing is written
        vault.nodes.put("db", {"value": CANARY}, type="Secret")
    assert not vault.nodes.exists("db")
    with db.keyring(keys=[ONE]):
        vault.nodes.put("db", {"value": CANARY}, type="Secret")
        for key, path, cls in (("no", "attributes.value", brant.NotFound), ("db", "attributes.kind", brant.Invalid)):
            with pytest.raises(cls):
                vault.nodes.open_secret(key, path)
        with pytest.raises(brant.NotFound):
            vault.edges.open_secret("no", "attributes.value")
    wrong: list[tuple[list[brant.Key], type[brant.BrantError]]] = [
        ([brant.Key(version=1, key=OTHER)], brant.Auth),
        ([brant.Key(version=2, key=RAW)], brant.NotFound),
    ]
    for keys, expected in wrong:
        with db.keyring(keys=keys):
            error = raised(lambda: vault.nodes.open_secret("db", "attributes.value"))
            assert type(error) is expected
            shows_nothing(error, CANARY)
    with pytest.raises(brant.NotFound):
        vault.nodes.open_secret("db", "attributes.value")


# ---- what is shown --------------------------------------------------------------------------------------------------------


@dataclasses.dataclass
class Settings:
    name: str
    password: brant.Secret


def test_a_secret_shows_nothing(vault: brant.Graph, ring: brant.KeyRing, caplog: pytest.LogCaptureFixture) -> None:
    vault.nodes.put("db", {"value": {"canary": CANARY}}, type="Secret")
    secret = vault.nodes.open_secret("db", "attributes.value")
    settings = Settings("s", secret)
    for text in (repr(secret), str(secret), f"{secret}", f"{secret!r}", "%s" % secret, "{}".format(secret)):
        assert text == "[secret]"
    assert f"{secret:>10}" == "  [secret]" and "canary" not in repr(settings) + repr([secret]) + str({"a": secret})
    with caplog.at_level(logging.DEBUG):
        logging.getLogger("brant").warning("%s %r", secret, settings)
    assert "canary" not in caplog.text
    refused = [pickle.dumps, copy.copy, copy.deepcopy, json.dumps]
    for call in (*(lambda f=f: f(secret) for f in refused), lambda: dataclasses.asdict(settings), lambda: vault.nodes.put("db", {"value": secret})):
        error = raised(call)
        assert isinstance(error, TypeError) and "canary" not in str(error)
    assert not hasattr(secret, "__dict__") and secret.reveal() == {"canary": CANARY}
    assert json.dumps({"s": secret}, default=str) == '{"s": "[secret]"}'
    with pytest.raises(AttributeError):
        secret.key_version = 2  # type: ignore[misc]


def test_the_handle_keeps_no_secret(db: brant.Database, vault: brant.Graph, ring: brant.KeyRing) -> None:
    vault.nodes.put("db", {"value": CANARY}, type="Secret")
    assert vault.nodes.open_secret("db", "attributes.value").reveal() == CANARY
    assert CANARY not in deep(db) and CANARY not in deep(vault)


def test_errors_of_envelopes_keep_nothing(db: brant.Database) -> None:
    for value in (CANARY, {"x": CANARY, "y": float("nan")}, {"x": CANARY, "y": object()}):
        error = raised(lambda: db.envelopes.seal(value, PLACE))
        assert isinstance(error, (brant.NotFound, brant.InvalidJson, TypeError))
        shows_nothing(error, CANARY)
    with db.keyring(keys=[ONE]):
        error = raised(lambda: db.envelopes.seal(CANARY, {**PLACE, "kind": "x"}))  # type: ignore[typeddict-item]
        assert isinstance(error, brant.Invalid)
        shows_nothing(error, CANARY)
        error = raised(lambda: db.envelopes.open({"$enc": 2, "ct": CANARY}, PLACE))
        assert isinstance(error, brant.Auth) and "canary" not in str(error)


def test_an_answer_that_cannot_be_read_is_not_kept(db: brant.Database, monkeypatch: pytest.MonkeyPatch) -> None:
    with db.keyring(keys=[ONE]):
        envelope = db.envelopes.seal(CANARY, PLACE)

        def decode(text: str) -> None:
            assert json.loads(text)["value"] == CANARY
            raise RecursionError("too deep")

        monkeypatch.setattr("brant.database.decode", decode)
        error = raised(lambda: db.envelopes.open(envelope, PLACE))
        monkeypatch.undo()
        assert isinstance(error, RecursionError)
        shows_nothing(error, CANARY)
        assert "decode" not in {frame.f_code.co_name for frame, _ in traceback.walk_tb(error.__traceback__)}


# ---- envelopes ------------------------------------------------------------------------------------------------------------


def test_envelopes(db: brant.Database) -> None:
    there: brant.EnvelopeContext = {**PLACE, "key": "l"}
    with db.keyring(keys=[ONE]):
        envelope = db.envelopes.seal({"a": CANARY}, PLACE)
        assert set(envelope) == {"$enc", "alg", "kv", "n", "c", "ct"} and envelope["kv"] == 1
        assert db.envelopes.rewrap(envelope, PLACE) == brant.Rewrapped(envelope, False)
        with pytest.raises(brant.Auth):
            db.envelopes.open(envelope, there)
        tenant: brant.EnvelopeContext = {**PLACE, "tenant_id": "t"}
        assert db.envelopes.open(db.envelopes.seal(1, tenant), tenant).reveal() == 1
    with db.keyring(keys=both()):
        moved = db.envelopes.rewrap(envelope, PLACE, there)
        assert moved.changed and moved.envelope["kv"] == 2
        opened = db.envelopes.open(moved.envelope, there)
        assert opened.reveal() == {"a": CANARY} and opened.key_version == 2


# ---- rotation -------------------------------------------------------------------------------------------------------------


def test_rotation(db: brant.Database, vault: brant.Graph) -> None:
    assert db.secrets.status() == brant.SecretsStatus([], 0, None)
    with pytest.raises(brant.NotFound):
        db.secrets.rotate()
    with db.keyring(keys=[ONE]):
        vault.nodes.put_many({"key": f"{n:03}", "type": "Secret", "attributes": {"value": f"{CANARY} {n}"}} for n in range(250))
    before = vault.nodes.get("007")
    with db.keyring(keys=both()):
        status = db.secrets.status("secrets")
        assert status.keys == [brant.KeyCount(1, 250, "decrypt_only")] and status.total == 250
        told: list[brant.Rotated] = []
        some = db.secrets.rotate(batch=50, limit=2, progress=told.append)
        assert not some.done and some.rewrapped == 100 == told[-1].rewrapped and len(told) == 2
        assert db.secrets.rotate("secrets", batch=10, limit=1).rewrapped == 10
        rest = db.secrets.rotate(batch=50, progress=told.append)
        assert rest.done and rest.failed == 0 and rest.failures == [] and rest.key_version == 2
        assert rest.keys == [brant.KeyCount(2, 250)] and rest.remaining == 0 and rest.scrubbed is not None
        assert 110 + rest.rewrapped == 250
        status = db.secrets.status()
        assert status.keys == [brant.KeyCount(2, 250, "active")]
        assert status.rotation is not None and status.rotation.done and status.rotation.rewrapped == 250 and status.rotation.key_version == 2
        assert vault.nodes.open_secret("007", "attributes.value").reveal() == f"{CANARY} 7"
    after = vault.nodes.get("007")
    assert (after.revision, after.updated_at) == (before.revision, before.updated_at) and after.attributes != before.attributes
    with db.keyring(keys=[ONE]), pytest.raises(brant.Conflict):
        db.secrets.rotate()
    with pytest.raises(brant.NotFound):
        db.secrets.status("nothing")


def test_what_does_not_rotate(db: brant.Database, vault: brant.Graph) -> None:
    with db.keyring(keys=[ONE]):
        vault.nodes.put_many({"key": f"{n}", "type": "Secret", "attributes": {"value": n}} for n in range(3))
    with db.keyring(keys=[brant.Key(version=1, key=OTHER, state="decrypt_only"), brant.Key(version=2, key=brant.generate_key().reveal()["key"])]):
        rotated = db.secrets.rotate(batch=1)
        assert rotated.failed == 3 == len(rotated.failures)
        assert {(each.graph, each.kind, each.path, each.code) for each in rotated.failures} == {("secrets", "node", "/value", "AUTH")}
        assert {each.key for each in rotated.failures} == {"0", "1", "2"}
    with db.keyring(keys=[ONE]):
        assert vault.nodes.open_secret("1", "attributes.value").reveal() == 1


def test_plain_values_are_sealed(db: brant.Database, path: Path) -> None:
    plain = {"$id": "later", "$defs": {"ThingNode": {"type": "object", "properties": {"token": {"type": "string"}}}}}
    db.graph_types.define(plain)
    db.graphs.create("g", "later")
    nodes = db.graph("g").nodes
    nodes.put_many({"key": key, "attributes": {"token": CANARY}} for key in "abc")
    sealed = copy.deepcopy(plain)
    sealed["$defs"]["ThingNode"]["properties"]["token"]["x-encrypted"] = True  # type: ignore[index]
    db.graph_types.update("later", sealed)
    assert nodes.get("a").attributes == {"token": {"$redacted": True}}
    assert db.secrets.status().keys == [brant.KeyCount(0, 3, "plain")]
    with db.keyring(keys=[ONE]):
        with pytest.raises(brant.Auth):
            nodes.open_secret("a", "attributes.token")
        rotated = db.secrets.rotate(batch=1)
        assert rotated.sealed == 3 and rotated.scrubbed
        assert nodes.open_secret("a", "attributes.token").reveal() == CANARY


def test_rotating_later(db: brant.Database, vault: brant.Graph) -> None:
    with db.keyring(keys=[ONE]):
        vault.nodes.put_many({"key": f"{n}", "type": "Secret", "attributes": {"value": n}} for n in range(30))
    with db.keyring(keys=both()):
        job = db.secrets.rotate_later(batch=10)
        assert db.jobs.get(job).queue == "secret-rotation"
        until(lambda: db.maintain() is not None and db.jobs.get(job).state == "done")
        assert db.secrets.status().keys == [brant.KeyCount(2, 30, "active")]


def test_others_run_meanwhile(db: brant.Database, vault: brant.Graph) -> None:
    for n in range(20):  # as `lets_others_run`, each time with other secrets
        with db.keyring(keys=[ONE]):
            vault.nodes.put_many({"key": f"{n}.{m}", "type": "Secret", "attributes": {"value": m}} for m in range(20_000))
        with db.keyring(keys=both()):
            silence = longest_silence(lambda: db.secrets.rotate(batch=20_000))
            assert db.secrets.status().keys == [brant.KeyCount(2, 20_000 * (n + 1), "active")]
        if silence < 0.5:
            return
    pytest.fail("the interpreter was held")


def test_a_slow_open_lets_others_run(db: brant.Database, vault: brant.Graph) -> None:
    keys = [brant.Key(password="p", kdf={**CHEAP, "t": 4, "m": 64 << 20})]
    with db.keyring(keys=keys):
        vault.nodes.put("s", {"value": 1}, type="Secret")
        vault.nodes.put("t", {"value": 1}, type="Secret")
        vault.edges.put("t", "s", type="DerivedFrom", key="e")

    def first_use() -> None:
        with db.keyring(keys=keys):  # what was derived before is forgotten
            vault.nodes.open_secret("s", "attributes.value")

    assert lets_others_run(first_use)


def test_rings_of_transactions(db: brant.Database, vault: brant.Graph, ring: brant.KeyRing) -> None:
    with pytest.raises(ValueError), db.transaction():
        vault.nodes.put("s", {"value": 1}, type="Secret")
        assert vault.nodes.open_secret("s", "attributes.value").reveal() == 1
        raise ValueError
    with pytest.raises(brant.NotFound):
        vault.nodes.open_secret("s", "attributes.value")
