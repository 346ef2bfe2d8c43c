"""Keys and key rings: how they are given, what they show, how long they stay."""

from __future__ import annotations

import asyncio
import base64
import copy
import gc
import json
import os
import pickle
import threading
import time
import traceback
import weakref
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

import brant
from brant import _native
from brant._wiped import Text, base64url, write

RAW = bytes(range(1, 33))
TEXT = base64.urlsafe_b64encode(RAW).decode().rstrip("=")
OTHER = bytes(range(101, 133))
CHEAP: brant.Kdf = {"alg": "argon2id13", "s": "AAECAwQFBgcICQoLDA0ODw", "t": 2, "m": 19922944}
PASSWORD = 'canary "pass\\word" \x01 é€🗝'
PLACE: brant.EnvelopeContext = {"graph_id": "g", "kind": "node", "key": "k", "path": "/value"}
RING = {"keys": [{"version": 1, "key": TEXT}]}


def works(db: brant.Database, version: int = 1) -> bool:
    return db.envelopes.open(db.envelopes.seal("x", PLACE), PLACE).key_version == version


# ---- what is taken --------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "ring",
    [
        RING,
        {"keys": [{"version": 1, "key": RAW}]},
        {"keys": (brant.Key(version=1, key=RAW),), "padding": 64},
        json.dumps(RING),
        json.dumps(RING).encode(),
        bytearray(json.dumps(RING).encode()),
        memoryview(json.dumps(RING).encode()),
    ],
    ids=lambda ring: type(ring).__name__,
)
def test_forms_of_a_ring(db: brant.Database, ring: Any) -> None:
    with db.keyring(ring) as attached:
        assert works(db) and attached.attached
        assert db.keyring_info().keys == [brant.KeyInfo("attribute", 1, "active", "xc20p-b2")]
    assert not attached.attached and db.keyring_info().keys == []
    with pytest.raises(brant.NotFound):
        db.envelopes.seal("x", PLACE)


@pytest.mark.parametrize("key", [RAW, bytearray(RAW), memoryview(RAW), memoryview(RAW + RAW)[:32], TEXT], ids=lambda key: type(key).__name__)
def test_forms_of_a_key(db: brant.Database, key: Any) -> None:
    with db.keyring(keys=[brant.Key(version=1, key=key)], padding=16):
        envelope = db.envelopes.seal({"a": [1, None]}, PLACE)
        assert db.keyring_info().padding == 16
    with db.keyring(RING):
        assert db.envelopes.open(envelope, PLACE).reveal() == {"a": [1, None]}
    if isinstance(key, bytearray):
        assert key == RAW  # the caller's


@pytest.mark.parametrize("password", [PASSWORD, PASSWORD.encode(), bytearray(PASSWORD.encode()), "x" * 1024])
def test_passwords(db: brant.Database, password: Any) -> None:
    with db.keyring(keys=[brant.Key(version=3, password=password, kdf=CHEAP)]):
        envelope = db.envelopes.seal("x", PLACE)
        assert db.keyring_info().keys[0].kdf == CHEAP
    derived = brant.derive_key(password, version=3, kdf=CHEAP)
    assert derived.kdf == CHEAP and derived.version == 3
    with db.keyring(keys=[derived]):  # the same key
        assert db.envelopes.open(envelope, PLACE).reveal() == "x"
    text = password if isinstance(password, str) else bytes(password).decode()
    with db.keyring({"keys": [{"version": 3, "password": text, "kdf": CHEAP}]}):  # as JSON has it
        assert db.envelopes.open(envelope, PLACE).reveal() == "x"


def test_generated_keys(db: brant.Database) -> None:
    first, second = brant.generate_key(), brant.generate_key(version=2)
    pepper = brant.generate_key("pepper")
    assert (pepper.purpose, pepper.version, pepper.state, pepper.algorithm) == ("pepper", 1, "active", "b2")
    entry = second.reveal()
    assert len(base64.urlsafe_b64decode(entry["key"] + "=")) == 32 and entry != first.reveal()
    assert brant.Key(**entry).reveal() == entry
    first.state = "decrypt_only"
    ring = json.dumps({"keys": [key.reveal() for key in (first, second, pepper)]})
    with db.keyring(ring):
        assert [(key.version, key.state) for key in db.keyring_info().keys] == [(1, "decrypt_only"), (2, "active"), (1, "active")]
        assert works(db, 2)
    for wrong in ({"purpose": "x"}, {"version": 0}):
        with pytest.raises(brant.Invalid):
            brant.generate_key(**wrong)


def test_destroyed_keys(db: brant.Database) -> None:
    gone = brant.Key(version=1, state="destroyed")
    assert gone.reveal() == {"purpose": "attribute", "version": 1, "state": "destroyed"}
    with db.keyring(keys=[gone, {"version": 2, "key": RAW}]):
        assert works(db, 2)


def test_legacy_and_bounds(db: brant.Database) -> None:
    legacy = {"iterations": 1000, "keys": [{"version": 3, "password": "older password"}]}
    with db.keyring(keys=[brant.Key(key=RAW)], legacy=legacy, kdf={"most": {"t": 3}}) as ring:
        assert db.keyring_info().legacy
        envelope = {
            "keyVersion": 3,
            "salt": "BwgJCgsMDQ4PEBESExQVFg==",
            "iv": "WltcXV5fYGFiY2Rl",
            "data": "orcDP39mN/5p+LBfl/TsquGxZdDgPOEz3j9Wm4ldbxlKjxsPKdQ=",
        }
        assert db.envelopes.open(envelope, PLACE).reveal() == {"user": "brant", "n": 1}
        rewrapped = db.envelopes.rewrap(envelope, PLACE, to={**PLACE, "key": "l"})
        assert rewrapped.changed and rewrapped.envelope["$enc"] == 2
        assert ring.attached


@pytest.mark.parametrize(
    "value", [{}, [], (), {"a": [None, True, False, 0, -1, 2**60, 0.5, 1e300]}, {'q"\\\x00\x1f\x7f': "é€🗝" * 200}, "x" * 5000], ids=lambda value: type(value).__name__
)
def test_text_of_a_ring(value: Any) -> None:
    text = Text()
    write(text, value)
    expected = list(value) if isinstance(value, tuple) else value
    assert json.loads(bytes(text)) == expected == json.loads(text.data)
    text.wipe()
    assert not text.data.strip() and not len(text)


def test_base64url() -> None:
    for length in range(70):
        data = os.urandom(length)
        assert bytes(base64url(data)) == base64.urlsafe_b64encode(data).rstrip(b"=")


def test_what_text_outgrows_is_wiped() -> None:
    text = Text()
    outgrown = text.data
    text.add(b"x" * 257)
    assert not outgrown.strip() and bytes(text) == b"x" * 257


def test_a_bytearray_is_held_for_the_call_alone(db: brant.Database) -> None:
    for text in (b"{}", b"{", b'{"purpose":"x"}', b"", b"\xff"):
        data = bytearray(text)
        try:
            _native.brant_keyring_generate(None, data)
        except brant.BrantError:
            pass
        data.append(1)  # BufferError where it is held
    with pytest.raises(TypeError):
        _native.brant_keyring_generate(None, memoryview(b"{}"))  # type: ignore[arg-type]


# ---- what is refused ------------------------------------------------------------------------------------------------------

CANARY = base64.urlsafe_b64encode(b"canary in the coal mine, 32 byte").decode().rstrip("=")

WRONG: list[tuple[Any, type[Exception], str]] = [
    ({"keys": [{"version": 1, "key": CANARY + "A"}]}, brant.Invalid, "/keys/0/key"),
    ({"keys": [{"version": 1, "key": CANARY, "password": CANARY}]}, brant.Invalid, "/keys/0"),
    ({"keys": [{"version": 1, "key": CANARY}, {"version": 1, "key": TEXT}]}, brant.Invalid, "/keys/1"),
    ({"keys": [{"version": 1, "key": CANARY, "extra": 1}]}, brant.Invalid, "/keys/0"),
    ({"keys": [{"version": 1, "key": CANARY, "algorithm": "rot13"}]}, brant.Unsupported, ""),
    ({"keys": [{"version": 1, "password": CANARY, "kdf": {**CHEAP, "t": 1}}]}, brant.Limit, ""),
    ({"keys": [{"version": 1, "key": CANARY, "kdf": float("nan")}]}, brant.InvalidJson, ""),
    ({"keys": [{"version": 1, "key": CANARY + "\ud800"}]}, brant.InvalidJson, ""),
    ({"keys": [{"version": 1, "key": CANARY, "extra": object()}]}, TypeError, "object"),
    ({"keys": [{"version": 1, "key": CANARY, 1: 2}]}, TypeError, "int"),
    (json.dumps({"keys": [{"version": 1, "key": CANARY}]})[:-1], brant.InvalidJson, ""),
    (('{"keys":[{"version":1,"key":"' + CANARY + "\ud800"), brant.InvalidJson, ""),
    ((CANARY + "é").encode("latin-1"), brant.InvalidJson, ""),
    (bytearray(b'{"' + CANARY.encode()), brant.InvalidJson, ""),
    (CANARY + "x" * (64 << 10), brant.Limit, ""),
    ({"keys": [{"version": 1, "key": CANARY + "x" * (64 << 10)}]}, brant.Limit, ""),
    ([CANARY], brant.Invalid, ""),
    (CANARY, brant.InvalidJson, ""),
]


def nested() -> dict[str, Any]:
    inside: dict[str, Any] = {"password": CANARY}
    inside["again"] = inside
    return inside


@pytest.mark.parametrize("ring, cls, hint", [*WRONG, (nested(), brant.Limit, "")])
def test_what_is_refused_shows_nothing(db: brant.Database, ring: Any, cls: type[Exception], hint: str) -> None:
    with db.keyring(RING) as former:
        former._attached.entered = False  # so that it could be replaced
        error = raised(lambda: db.keyring(ring))
        assert type(error) is cls and hint in str(error)
        shows_nothing(error, CANARY)
        assert former.attached and works(db)


def raised(call: Callable[[], object]) -> BaseException:
    try:
        call()
    except BaseException as error:
        return error
    raise AssertionError("nothing was raised")


def shows_nothing(error: BaseException, canary: str) -> None:
    """Neither in its texts, nor in the locals of the package's frames, nor in what it is chained to."""
    texts = [repr(error), str(error), repr(error.args), repr(getattr(error, "detail", None)), repr(vars(error))]
    texts += traceback.format_exception(error)
    for frame, _ in traceback.walk_tb(error.__traceback__):
        if "brant" in Path(frame.f_code.co_filename).parts[-2]:
            assert canary not in deep(frame.f_locals), frame
    assert error.__cause__ is None and error.__context__ is None
    assert canary not in "".join(texts)
    if not isinstance(error, TypeError):
        assert canary.encode() not in pickle.dumps(error)


def deep(thing: Any) -> str:
    """The text of everything that can be reached from a thing, but through modules, classes, functions' globals and the tests."""
    seen: set[int] = set()
    found = []
    stack = [thing]
    while stack:
        each = stack.pop()
        if id(each) in seen or isinstance(each, (type, type(os))) or type(each).__name__ in ("frame", "function", "builtin_function_or_method"):
            continue
        seen.add(id(each))
        if isinstance(each, str):
            found.append(each)
        elif isinstance(each, (bytes, bytearray)):
            found.append(bytes(each).decode("latin-1"))
        else:
            stack += gc.get_referents(each)
    return "\n".join(found)


def test_arguments(db: brant.Database) -> None:
    for call in (
        lambda: db.keyring(),
        lambda: db.keyring(RING, padding=16),
        lambda: db.keyring(17),  # type: ignore[arg-type]
        lambda: brant.Key(key=RAW, password=CANARY),
        lambda: brant.Key(CANARY),  # type: ignore[call-arg, arg-type]
        lambda: brant.Key(key=17),  # type: ignore[arg-type]
        lambda: brant.Key(password=["x"]),  # type: ignore[arg-type]
        lambda: brant.derive_key(17),  # type: ignore[arg-type]
    ):
        error = raised(call)
        assert isinstance(error, (TypeError, brant.Invalid)), error
        shows_nothing(error, CANARY)
    for password, kdf, cls in (
        (CANARY, {"t": 1}, brant.Limit),
        (CANARY, {"s": "A"}, brant.Invalid),
        (CANARY * 30, CHEAP, brant.Invalid),
        ("", CHEAP, brant.Invalid),
        (CANARY + "\ud800", CHEAP, brant.InvalidJson),
        (CANARY.encode() + b"\xff", CHEAP, brant.InvalidJson),
        (CANARY.encode() + b"\xf0\x9f", CHEAP, brant.InvalidJson),
    ):
        error = raised(lambda: brant.derive_key(password, kdf=kdf))  # type: ignore[arg-type]
        assert isinstance(error, cls), error
        shows_nothing(error, CANARY)
        if cls is brant.InvalidJson:
            error = raised(lambda: brant.Key(password=password))
            assert isinstance(error, cls), error
            shows_nothing(error, CANARY)


# ---- what is shown --------------------------------------------------------------------------------------------------------


def test_a_key_shows_nothing() -> None:
    for key in (brant.Key(key=CANARY), brant.Key(password=CANARY), brant.Key(key=base64.urlsafe_b64decode(CANARY + "="))):
        for text in (repr(key), str(key), f"{key}", f"{key!r:>60}", "%s" % key, repr([key]), repr(vars(brant)), str(dir(key))):
            assert CANARY not in text and "canary" not in text
        assert repr(key) == "<brant.Key attribute 1 active>"
        for refused in (pickle.dumps, copy.copy, copy.deepcopy, json.dumps):
            error = raised(lambda: refused(key))
            assert isinstance(error, TypeError) and CANARY not in str(error)
        assert not hasattr(key, "__dict__")
        assert CANARY in key.reveal().values()


def test_wiped_keys(db: brant.Database) -> None:
    key = brant.Key(password=CANARY)
    memory = key._text.data
    key.wipe()
    assert not memory.strip()
    for call in (key.reveal, lambda: db.keyring(keys=[key])):
        with pytest.raises(brant.Misuse):
            call()
    key = brant.Key(password=CANARY * 20)
    memory = key._text.data
    del key
    assert not memory.strip()


def test_a_ring_keeps_no_key(db: brant.Database) -> None:
    text = {"keys": [{"version": 1, "key": CANARY}, {"version": 2, "password": CANARY + "password", "state": "decrypt_only"}]}
    for ring in (db.keyring(text), db.keyring(json.dumps(text)), db.keyring(bytearray(json.dumps(text).encode()))):
        assert ring.attached or ring is not None
        assert CANARY not in deep(ring) and CANARY not in deep(db) and CANARY not in deep(db.keyring_info())
        assert CANARY not in repr(ring) + str(vars(db)) and repr(ring).startswith("<brant.KeyRing of <brant.Database ")
        for refused in (pickle.dumps, copy.copy, copy.deepcopy):
            with pytest.raises(TypeError):
                refused(ring)


def test_no_object_of_ours_keeps_a_key(db: brant.Database) -> None:
    """Whatever the collector knows, but for what this test holds itself."""
    secret = os.urandom(32)
    canary = base64.urlsafe_b64encode(secret).decode().rstrip("=")
    key = bytearray(secret)
    db.keyring(keys=[brant.Key(key=key)])
    assert works(db)
    key[:] = bytes(32)
    gc.collect()
    for thing in gc.get_objects():
        if type(thing).__module__.startswith("brant"):
            assert canary not in deep(thing), thing


# ---- how long it stays ----------------------------------------------------------------------------------------------------


def test_a_plain_call_stays_until_close(path: Path) -> None:
    with brant.open(path) as db:
        first = db.keyring(RING)
        gc.collect()
        assert works(db)
        second = db.keyring(keys=[brant.Key(version=2, key=OTHER)])
        assert works(db, 2) and second.attached and not first.attached
        first.close()  # nothing: it is not the handle's any more
        assert works(db, 2)
        second.close()
        second.close()
        with pytest.raises(brant.NotFound):
            works(db)
        with pytest.raises(brant.Misuse), second:
            pass
        last = db.keyring(RING)
    assert not last.attached
    last.close()
    with pytest.raises(brant.Closed):
        db.keyring(RING)
    with pytest.raises(brant.Closed):
        db.keyring_info()


def test_with_blocks_do_not_nest(db: brant.Database) -> None:
    with db.keyring(RING) as ring:
        with pytest.raises(brant.Misuse):
            db.keyring(keys=[brant.Key(version=2, key=OTHER)])
        with pytest.raises(brant.Misuse), ring:
            pass
        assert works(db)
    with db.keyring(keys=[brant.Key(version=2, key=OTHER)]):
        assert works(db, 2)
    db.keyring(RING)
    with pytest.raises(ValueError), db.keyring(keys=[brant.Key(version=2, key=OTHER)]):  # the one of a plain call does not come back
        raise ValueError
    assert db.keyring_info().keys == []


def test_closing_inside(path: Path) -> None:
    with brant.open(path) as db, db.keyring(RING) as ring:
        db.close()
        assert not ring.attached
        db._ring = ring._attached  # as when the one is closed while the other is
    assert not ring.attached
    with brant.open(path) as db, db.keyring(RING) as ring:
        ring.close()
        assert db.keyring_info().keys == []


def test_a_handle_with_a_ring_goes_when_nobody_has_it(path: Path) -> None:
    """By its count of references, as one without: the keys do not wait for a collection."""
    gc.disable()
    try:
        db = brant.open(path)
        db.keyring(RING)
        gone = weakref.ref(db)
        with pytest.warns(ResourceWarning):
            del db
        assert gone() is None
    finally:
        gc.enable()


def test_handles_have_their_own(path: Path) -> None:
    with brant.open(path) as one, brant.open(path) as two, one.keyring(RING):
        assert works(one)
        with pytest.raises(brant.NotFound):
            works(two)


def test_copies(path: Path) -> None:
    with brant.open(path) as one, brant.open(path) as two:
        with pytest.raises(brant.NotFound):
            two.keyring(one)
        with one.keyring(RING), two.keyring(one) as copied:
            assert works(two) and two.keyring_info() == one.keyring_info()
            with pytest.raises(brant.Misuse):
                two.keyring(one)
            one._ring = None  # the copy is its own
            _native.brant_keyring_unload(one._handle)
            assert works(two) and copied.attached
        one.keyring(RING)
        one.keyring(one)
        assert works(one)
        one.close()
        with pytest.raises(brant.Closed):
            two.keyring(one)


def test_crosswise_copies(path: Path) -> None:
    with brant.open(path) as one, brant.open(path) as two:
        one.keyring(RING)
        two.keyring(one)

        def copy_many(to: brant.Database, of: brant.Database) -> None:
            for _ in range(200):
                to.keyring(of)

        threads = [threading.Thread(target=copy_many, args=pair, daemon=True) for pair in ((one, two), (two, one))]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join(120)
            assert not thread.is_alive()
        assert works(one) and works(two)


def test_transactions(db: brant.Database) -> None:
    """A ring is the handle's: it comes and goes also while another thread has a transaction."""
    with db.transaction():
        with db.keyring(RING):
            assert works(db)
        ring = db.keyring(RING)
        other = threading.Thread(target=ring.close)
        other.start()
        other.join(60)
        assert not other.is_alive() and not ring.attached
        db.notify("x")
    with pytest.raises(ValueError), db.transaction():
        db.keyring(RING)
        raise ValueError
    assert works(db)  # a rollback does not concern it


def test_threads(db: brant.Database) -> None:
    db.keyring(RING)
    failed: list[BaseException] = []

    def seal() -> None:
        try:
            for _ in range(200):
                assert works(db, db.keyring_info().keys[0].version)
        except BaseException as error:
            failed.append(error)

    def replace() -> None:
        for _ in range(100):
            db.keyring(keys=[brant.Key(version=1, key=RAW)], padding=32)
            db.keyring(RING)

    threads = [threading.Thread(target=target) for target in (seal, seal, replace)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert not failed and works(db)


def longest_silence(call: Callable[[], object]) -> float:
    """The longest time in which another thread could not run, as a part of the time that the call took."""
    longest = 0.0
    begun, done = threading.Event(), threading.Event()

    def watch() -> None:
        nonlocal longest
        last = time.perf_counter()
        begun.set()
        while not done.is_set():
            time.sleep(0.001)
            now = time.perf_counter()
            longest, last = max(longest, now - last), now

    thread = threading.Thread(target=watch)
    thread.start()
    begun.wait()
    began = time.perf_counter()
    try:
        call()
    finally:
        took = time.perf_counter() - began
        done.set()
        thread.join()
    return longest / took


def lets_others_run(call: Callable[[], object]) -> bool:
    """On a busy machine another thread may be silent for long by chance: then it is tried again. Held the call the interpreter, no try would pass."""
    return any(longest_silence(call) < 0.5 for _ in range(20))


def test_deriving_lets_others_run(db: brant.Database) -> None:
    kdf: brant.Kdf = {**CHEAP, "t": 4, "m": 64 << 20}

    def first_use() -> None:
        with db.keyring(keys=[brant.Key(password="x", kdf=kdf)]):
            works(db)

    assert lets_others_run(lambda: brant.derive_key("x", kdf=kdf))
    assert lets_others_run(first_use)


def test_in_asyncio(db: brant.Database) -> None:
    async def main() -> None:
        key = await asyncio.to_thread(brant.derive_key, "x", kdf=CHEAP)
        with db.keyring(keys=[key]):
            await asyncio.gather(*(asyncio.to_thread(works, db) for _ in range(8)))

    asyncio.run(main())


@pytest.mark.skipif(not hasattr(os, "fork"), reason="no fork")
def test_fork(db: brant.Database) -> None:
    code = 1
    with db.keyring(RING) as ring:
        child = os.fork()
        if child == 0:
            try:
                with pytest.raises(brant.Forked):
                    works(db)
                with pytest.raises(brant.Forked):
                    db.keyring(RING)
                ring.close()  # as the end of the block does
                code = 0
            finally:
                os._exit(code)
        assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 0
        assert works(db)
