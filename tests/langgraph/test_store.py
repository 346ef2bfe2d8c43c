"""The store: items, filters, namespaces, times to live, search by meaning, batches; plain and sealed, sync and async."""

from __future__ import annotations

import asyncio
import math
import os
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from langgraph.store.base import GetOp, InvalidNamespaceError, ListNamespacesOp, MatchCondition, PutOp, SearchOp
from langgraph.store.memory import InMemoryStore

import brant
from brant.langgraph import BrantStore
from brant.langgraph.store import _comparison, comparison


def embed(texts: list[str]) -> list[list[float]]:
    """Of each letter how many, which makes alike what has the same letters."""
    return [[float(text.lower().count(chr(97 + n))) for n in range(26)] for text in texts]


INDEX: Any = {"dims": 26, "embed": embed, "fields": ["text", "notes[*]"]}


@pytest.fixture(params=["plain", "sealed"])
def seal(request: pytest.FixtureRequest) -> bool:
    return bool(request.param == "sealed")


@pytest.fixture
def store(keyed: brant.Database, seal: bool) -> BrantStore:
    return BrantStore(keyed, seal=seal)


@pytest.fixture
def indexed(keyed: brant.Database, seal: bool) -> BrantStore:
    return BrantStore(keyed, index=INDEX, seal=seal)


def keys(found: Any) -> list[str]:
    return [item.key for item in found]


def test_items(store: BrantStore) -> None:
    store.put(("a", "b"), "k", {"n": 1, "deep": {"list": [1, None, "ü"]}})
    item = store.get(("a", "b"), "k")
    assert item is not None and item.namespace == ("a", "b") and item.value == {"n": 1, "deep": {"list": [1, None, "ü"]}}
    store.put(("a", "b"), "k", {"n": 2})
    again = store.get(("a", "b"), "k")
    assert again is not None and again.value == {"n": 2} and again.created_at == item.created_at and again.updated_at >= item.updated_at
    assert store.get(("a",), "k") is None and store.get(("a", "b", "c"), "k") is None
    store.delete(("a", "b"), "k")
    store.delete(("a", "b"), "k")
    assert store.get(("a", "b"), "k") is None
    for wrong in ((), ("a.b",), ("",), ("langgraph",), (1,)):
        with pytest.raises(InvalidNamespaceError):
            store.put(wrong, "k", {})  # type: ignore[arg-type]
    with pytest.raises(TypeError):
        store.put(("a",), "k", {"what": object()})
    with pytest.raises(brant.InvalidJson):
        store.put(("a",), "k", {"what": math.nan})


FILTERS: list[tuple[dict[str, Any], list[str]]] = [
    ({"kind": "x"}, ["0", "2"]),
    ({"kind": {"$ne": "x"}}, ["1", "3", "4"]),
    ({"n": {"$gt": 1}}, ["2", "3"]),
    ({"n": {"$gte": 1, "$lt": 3}}, ["1", "2"]),
    ({"n": {"$lte": 1}}, ["0", "1"]),
    ({"n": {"$eq": 2}, "kind": "x"}, ["2"]),
    ({"kind": {"$gt": "x"}}, ["1", "3"]),
    ({"flag": True}, ["0"]),
    ({"flag": 1}, ["1"]),
    ({"none": None}, ["0", "1", "2", "3", "4"]),
    ({"deep": {"a": 1}}, ["3"]),
    ({"deep.b": "it's"}, ["3"]),
    ({"a.b": "dotted"}, ["4"]),
    ({"tags": ["p", "q"]}, ["4"]),
    ({"kind": "' OR 1=1 --"}, []),
    ({"' OR 1=1 --": "x"}, []),
    ({"n": {"$gt": "text"}}, []),
]


@pytest.mark.parametrize(("filter", "wanted"), FILTERS)
def test_filters(store: BrantStore, filter: dict[str, Any], wanted: list[str]) -> None:
    values: list[dict[str, Any]] = [
        {"kind": "x", "n": 0, "flag": True},
        {"kind": "y", "n": 1, "flag": 1},
        {"kind": "x", "n": 2},
        {"kind": "y", "n": 3, "deep": {"a": 1, "b": "it's"}},
        {"a.b": "dotted", "tags": ["p", "q"]},
    ]
    store.batch([PutOp(("f",), str(n), value) for n, value in enumerate(values)])
    assert sorted(keys(store.search(("f",), filter=filter))) == wanted
    with pytest.raises(ValueError, match="Unsupported operator"):
        store.search(("f",), filter={"n": {"$near": 1}})


def test_pages(store: BrantStore) -> None:
    for at in range(0, 1200, 400):
        store.batch([PutOp(("p", str(n % 7)), f"{n:04}", {"n": n, "odd": n % 2}) for n in range(at, at + 400)])
    every = [key for offset in range(0, 1300, 100) for key in keys(store.search(("p",), limit=100, offset=offset))]
    assert len(every) == 1200 and len(set(every)) == 1200
    odd = [key for offset in range(0, 700, 50) for key in keys(store.search(("p",), filter={"odd": 1}, limit=50, offset=offset))]
    assert len(odd) == 600 and all(int(key) % 2 for key in odd)
    assert len(store.search(("p", "3"), limit=1000)) == len(range(3, 1200, 7))
    assert store.search(("p", "3"), limit=0) == []
    assert len(store.search((), limit=2000)) == 1200


def test_what_is_newest_comes_first(store: BrantStore, monkeypatch: pytest.MonkeyPatch) -> None:
    now = 1_000_000
    monkeypatch.setattr("brant.langgraph.store.time.time_ns", lambda: now * 1_000_000)
    for key in "cab":
        now += 1
        store.put(("t",), key, {"n": 1})
    assert keys(store.search(("t",))) == ["b", "a", "c"] == keys(store.search(("t",), filter={"n": 1}))
    now += 1
    store.put(("t",), "c", {"n": 1})
    assert keys(store.search(("t",), limit=2)) == ["c", "b"]


def test_segments_are_whole(store: BrantStore) -> None:
    for names in (("a",), ("a", "b"), ("ab",), ("a-b",), ("a b",), ("A",), ("a%",), ("a*",), ("a/", "b")):
        store.put(names, "k", {})
    assert sorted(item.namespace for item in store.search(("a",))) == [("a",), ("a", "b")]
    assert [item.namespace for item in store.search(("a%",))] == [("a%",)]
    assert store.list_namespaces(prefix=("a",)) == [("a",), ("a", "b")]


def test_namespaces(store: BrantStore) -> None:
    memory = InMemoryStore()
    for names in [("a", "b", "c"), ("a", "b", "d", "e"), ("a", "b", "d", "i"), ("a", "b", "f"), ("a", "c", "f"), ("b", "c", "f"), ("x",)]:
        for one in (store, memory):
            one.put(names, "1", {})
            one.put(names, "2", {})
    for conditions in (
        (), (("prefix", ("a", "b")),), (("suffix", ("f",)),), (("prefix", ("a", "*", "f")),), (("prefix", ("*", "c")),),
        (("suffix", ("c", "*")),), (("prefix", ("a",)), ("suffix", ("f",))), (("prefix", ("q",)),), (("prefix", ("a", "b", "c", "d", "e")),),
    ):  # fmt: skip
        for depth in (None, 1, 2, 3):
            for limit, offset in ((100, 0), (2, 0), (2, 1), (100, 3), (0, 0)):
                op = ListNamespacesOp(tuple(MatchCondition(kind, path) for kind, path in conditions), depth, limit, offset)  # type: ignore[arg-type]
                assert store.batch([op]) == memory.batch([op]), op
    store.batch([PutOp(("many", f"{n:05}"), "k", {}) for n in range(2500)])
    assert len(store.list_namespaces(prefix=("many",), limit=3000)) == 2500
    assert store.list_namespaces(prefix=("many",), limit=1, offset=2499) == [("many", "02499")]


async def test_a_batch_reads_what_was_before_it(store: BrantStore) -> None:
    store.put(("b",), "k", {"n": 1})
    ops = [PutOp(("b",), "k", {"n": 2}), GetOp(("b",), "k"), PutOp(("b",), "k", {"n": 3}), SearchOp(("b",)), GetOp(("b",), "none"), PutOp(("b",), "l", {})]
    results: Any = store.batch(ops)
    assert results[0] is None and results[1].value == {"n": 1} and keys(results[3]) == ["k"] and results[4] is None
    results = await store.abatch(ops)
    assert results[0] is None and results[1].value == {"n": 3} and sorted(keys(results[3])) == ["k", "l"] and results[4] is None
    item = store.get(("b",), "k")
    assert item is not None and item.value == {"n": 3}
    with pytest.raises(InvalidNamespaceError):
        store.batch([PutOp(("b",), "k", {"n": 4}), PutOp(("b.c",), "k", {})])
    item = await store.aget(("b",), "k")
    assert item is not None and item.value == {"n": 3}


async def test_transactions(store: BrantStore, keyed: brant.Database) -> None:
    with pytest.raises(ZeroDivisionError), keyed.transaction():
        store.put(("t",), "k", {})
        await store.aput(("t",), "l", {})
        keyed.queue("q").enqueue()
        raise ZeroDivisionError
    assert store.search(("t",)) == [] and list(keyed.queues) == []


# ---- times to live ----------------------------------------------------------------------------------------------------------


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> Iterator[list[float]]:
    now = [1_700_000_000.0]
    monkeypatch.setattr("brant.langgraph.store.time.time_ns", lambda: int(now[0] * 1000) * 1_000_000)
    yield now


def test_times_to_live(keyed: brant.Database, seal: bool, clock: list[float]) -> None:
    store = BrantStore(keyed, ttl={"default_ttl": 10, "omit_expired": True}, index=INDEX, seal=seal)
    store.put(("t",), "default", {"text": "abc"})
    store.put(("t",), "short", {}, ttl=1)
    store.put(("t",), "for ever", {}, ttl=None)
    clock[0] += 61
    assert store.get(("t",), "short") is None  # omitted before it is swept
    assert sorted(keys(store.search(("t",), refresh_ttl=False))) == ["default", "for ever"]
    assert store.sweep_ttl() == 1 and store.sweep_ttl() == 0
    clock[0] += 500
    assert store.get(("t",), "default") is not None  # refreshes
    clock[0] += 500
    assert sorted(keys(store.search(("t",)))) == ["default", "for ever"]  # and so does this
    clock[0] += 500
    assert store.get(("t",), "default", refresh_ttl=False) is not None
    clock[0] += 200
    assert store.get(("t",), "default") is None
    assert store.list_namespaces() == [("t",)]
    assert store.search(("t",), query="abc")[0].key == "for ever"
    assert store.sweep_ttl() == 1
    assert keyed.execute("SELECT count(*) FROM langgraph_vectors").rows == [(0,)]
    kept = BrantStore(keyed, ttl={"refresh_on_read": False}, seal=seal)
    kept.put(("t",), "k", {}, ttl=1)
    clock[0] += 61
    assert kept.get(("t",), "k") is not None  # until it is swept
    assert kept.sweep_ttl() == 1 and kept.get(("t",), "k") is None


def test_what_expires_is_swept_by_an_index(db: brant.Database) -> None:
    BrantStore(db)
    plan = db.execute("EXPLAIN QUERY PLAN SELECT namespace, key FROM langgraph_items WHERE expires_at <= 1 ORDER BY expires_at LIMIT 1000").rows
    assert [row[3] for row in plan] == ["SEARCH langgraph_items USING INDEX langgraph_items_by_expiry (expires_at<?)"]


def test_a_sweeper(db: brant.Database) -> None:
    with BrantStore(db, ttl={"sweep_interval_minutes": 0.1 / 60}) as store:  # type: ignore[typeddict-item]
        store.put(("t",), "k", {}, ttl=0.05 / 60)
        for _ in range(2400):
            if not db.execute("SELECT 1 FROM langgraph_items").rows:
                break
            time.sleep(0.05)
        assert not db.execute("SELECT 1 FROM langgraph_items").rows
    assert store.stop_ttl_sweeper()


# ---- by meaning -----------------------------------------------------------------------------------------------------------------


async def test_search_by_meaning(indexed: BrantStore) -> None:
    await indexed.aput(("d", "1"), "cats", {"text": "cats cats", "kind": "pet"})
    indexed.put(("d", "1"), "many", {"text": "zzz", "notes": ["qqq", "a cat acts"], "kind": "pet"})
    indexed.put(("d", "2"), "dogs", {"text": "dogs", "kind": "pet"})
    indexed.put(("d", "2"), "none", {"text": "cats"}, index=False)
    indexed.put(("d", "2"), "other", {"text": "dogs", "title": "cats"}, index=["title"])
    found = indexed.search(("d",), query="cat s")
    assert keys(found)[:2] == ["cats", "other"] and found[0].score == pytest.approx(1.0) and found[-1].key == "none" and found[-1].score is None
    assert keys(await indexed.asearch(("d",), query="qqq", limit=1)) == ["many"]
    assert keys(indexed.search(("d",), query="cats", filter={"kind": "pet"}))[0] == "cats"
    assert keys(indexed.search(("d", "2"), query="cats", limit=1)) == ["other"]
    assert keys(indexed.search(("d",), query="cats", limit=2, offset=1)) == ["other", "many"]
    indexed.put(("d", "1"), "cats", {"text": "birds"})
    assert keys(indexed.search(("d",), query="cats"))[0] == "other"
    indexed.delete(("d", "2"), "other")
    assert keys(indexed.search(("d",), query="cats"))[0] == "many"
    plain = indexed.search(("d",))
    assert len(plain) == 4 and all(item.score is None for item in plain)


def test_pages_of_a_search_by_meaning(indexed: BrantStore) -> None:
    """Those without vectors follow those that have some, each once."""
    for n in range(7):
        indexed.put(("p",), str(n), {"text": "cats"}, index=None if n < 3 else False)
    found = [keys(indexed.search(("p",), query="cats", limit=2, offset=offset)) for offset in (0, 2, 4, 6, 8)]
    assert [len(page) for page in found] == [2, 2, 2, 1, 0]
    assert sorted(sum(found, [])) == list("0123456") and set(sum(found, [])[:3]) == set("012")


def test_as_the_store_in_memory(keyed: brant.Database, seal: bool) -> None:
    import random

    dice = random.Random(7)
    store, memory = BrantStore(keyed, index=INDEX, seal=seal), InMemoryStore(index=INDEX)
    for n in range(300):
        value = {"text": "".join(dice.choices("abcdefgh", k=9)) + chr(97 + n % 26) * (n // 26), "n": n % 5}
        for one in (store, memory):
            one.put(("m", str(n % 3)), str(n), value)
    for _ in range(20):
        query = "".join(dice.choices("abcdefghxyz", k=6))
        for prefix in (("m",), ("m", "1"), ()):
            for filter in (None, {"n": 2}, {"n": {"$gte": 3}}):
                got = store.search(prefix, query=query, filter=filter, limit=7, offset=3)
                wanted = memory.search(prefix, query=query, filter=filter, limit=7, offset=3)
                assert [item.score for item in got] == pytest.approx([item.score for item in wanted])


def test_distances() -> None:
    import struct

    query, rows = [1.0, 2.0, -1.0], [[1.0, 2.0, -1.0], [0.0, 0.0, 0.0], [-1.0, 0.5, 2.0]]
    packed = [struct.pack("<3f", *row) for row in rows]
    for distance in ("cosine", "inner_product", "l2"):
        for make in (comparison, _comparison):
            scores = make(query, distance)(packed)  # type: ignore[arg-type]
            assert scores[0] == max(scores)
        assert comparison(query, distance)(packed) == pytest.approx(_comparison(query, distance)(packed))  # type: ignore[arg-type]
        assert comparison(query, distance)([]) == []  # type: ignore[arg-type]


def test_an_index_that_cannot_be(keyed: brant.Database) -> None:
    with pytest.raises(ValueError, match="dimensions"):
        BrantStore(keyed, index={"embed": embed})
    with pytest.raises(ValueError, match="distance_type"):
        BrantStore(keyed, index={**INDEX, "distance_type": "far"})
    with pytest.raises(ValueError, match="26 dimensions, the index 3"):
        BrantStore(keyed, index={"dims": 3, "embed": embed}).put(("a",), "k", {"text": "b"})


# ---- sealed ------------------------------------------------------------------------------------------------------------------


def test_what_is_sealed_is_bound_to_its_place(keyed: brant.Database, path: Path) -> None:
    store = BrantStore(keyed, seal=True, index=INDEX)
    store.put(("s",), "a", {"text": "grandmother"})
    store.put(("s",), "b", {"text": "other"})
    keyed.execute("UPDATE langgraph_items SET value = (SELECT value FROM langgraph_items WHERE key = 'a') WHERE key = 'b'")
    with pytest.raises(brant.Auth):
        store.get(("s",), "b")
    keyed.execute("UPDATE langgraph_items SET type = 'json', value = '{}' WHERE key = 'b'")
    with pytest.raises(brant.Auth):
        store.get(("s",), "b")
    with brant.open(path) as other, pytest.raises(brant.NotFound):
        BrantStore(other).get(("s",), "a")
    keyed.maintain()
    assert not any(b"grandmother" in part.read_bytes() for part in path.parent.iterdir() if part.is_file())


async def test_from_many_threads_and_processes(db: brant.Database, path: Path) -> None:
    store = BrantStore(db)
    code = """
import sys, brant
from brant.langgraph import BrantStore
with brant.open(sys.argv[1], busy_timeout=60) as db:
    store = BrantStore(db)
    for n in range(100):
        store.put(("c", sys.argv[2]), str(n), {"n": n})
"""
    processes = [subprocess.Popen([sys.executable, "-c", code, str(path), name], env=os.environ) for name in ("x", "y")]
    await asyncio.gather(*(store.aput(("c", "z"), str(n), {"n": n}) for n in range(100)))
    assert [await asyncio.to_thread(process.wait, 300) for process in processes] == [0, 0]
    assert len(store.search(("c",), limit=1000)) == 300


def test_more_than_an_answer_may_be_long(path: Path) -> None:
    with brant.open(path, limits={"document": 1_000_000}) as db:
        store = BrantStore(db)
        for n in range(12):
            store.put(("l",), str(n), {"text": "x" * 300_000, "n": n})
        assert len(store.search(("l",), limit=12)) == 12 and len(store.search(("l",), filter={"n": {"$gte": 6}}, limit=12)) == 6
        with pytest.raises(brant.Limit):
            store.put(("l",), "more", {"text": "x" * 1_100_000})
