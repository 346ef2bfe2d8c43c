"""Graphs of LangGraph over brant: interrupts, resuming, time travel, subgraphs, parallel writes, streams, delta channels, death in the middle; in threads and in asyncio."""

from __future__ import annotations

import asyncio
import operator
import os
import signal
import subprocess
import sys
import threading
import time
from pathlib import Path
from typing import Annotated, Any, TypedDict

import pytest
from langgraph.channels.delta import DeltaChannel
from langgraph.graph import END, START, StateGraph
from langgraph.store.base import BaseStore
from langgraph.types import Command, Send, interrupt

import brant
from brant.langgraph import BrantSaver, BrantStore
from worker_graph import build

HERE = Path(__file__).parent


class State(TypedDict):
    log: Annotated[list[str], operator.add]
    answer: str


def config(thread: str = "t", **more: Any) -> Any:
    return {"configurable": {"thread_id": thread, **more}}


def asking(db: brant.Database, **options: Any) -> Any:
    def ask(state: State) -> Any:
        return {"log": ["asked"], "answer": interrupt("what?")}

    builder = StateGraph(State)
    builder.add_node("begin", lambda state: {"log": ["begun"]})
    builder.add_node("ask", ask)
    builder.add_node("end", lambda state: {"log": [f"got {state['answer']}"]})
    builder.add_edge(START, "begin")
    builder.add_edge("begin", "ask")
    builder.add_edge("ask", "end")
    builder.add_edge("end", END)
    return builder.compile(checkpointer=BrantSaver(db, **options))


@pytest.mark.parametrize("seal", [False, True])
def test_interrupt_and_resume_in_another_handle(keyed: brant.Database, path: Path, seal: bool) -> None:
    graph = asking(keyed, seal=seal)
    answer = graph.invoke({"log": [], "answer": ""}, config())
    assert answer["__interrupt__"][0].value == "what?"
    with brant.open(path) as other:
        other.keyring(keyed)
        again = asking(other, seal=seal)
        assert again.get_state(config()).next == ("ask",)
        assert again.invoke(Command(resume="that"), config())["log"] == ["begun", "asked", "got that"]
    assert graph.get_state(config()).values["answer"] == "that"
    kinds = {kind for (kind,) in keyed.execute("SELECT type FROM langgraph_checkpoints UNION SELECT type FROM langgraph_blobs UNION SELECT type FROM langgraph_writes").rows}
    assert all(kind.endswith("+brant") is seal for kind in kinds)


@pytest.mark.parametrize("seal", [False, True])
async def test_the_same_in_asyncio(keyed: brant.Database, seal: bool) -> None:
    graph = asking(keyed, seal=seal)
    await graph.ainvoke({"log": [], "answer": ""}, config())
    seen = [update async for update in graph.astream(Command(resume="this"), config(), stream_mode="updates")]
    assert list(seen[-1]) == ["end"]
    assert (await graph.aget_state(config())).values["log"] == ["begun", "asked", "got this"]
    assert len([state async for state in graph.aget_state_history(config())]) == 5


def test_time_travel(db: brant.Database) -> None:
    graph = asking(db)
    graph.invoke({"log": [], "answer": ""}, config())
    graph.invoke(Command(resume="one"), config())
    history = list(graph.get_state_history(config()))
    assert [state.next for state in history] == [(), ("end",), ("ask",), ("begin",), ("__start__",)]
    before = next(state for state in history if state.next == ("end",))
    fork = graph.update_state(before.config, {"answer": "two"})
    assert graph.invoke(None, fork)["log"][-1] == "got two"
    assert graph.get_state(history[0].config).values["log"][-1] == "got one"
    assert len(list(graph.get_state_history(config()))) == 7
    assert [s.config for s in graph.get_state_history(config(), before=before.config)] == [s.config for s in history[2:]]


def test_subgraphs_have_namespaces_of_their_own(db: brant.Database) -> None:
    inner = StateGraph(State)
    inner.add_node("inside", lambda state: {"log": [interrupt("inside?")]})
    inner.add_edge(START, "inside")
    outer = StateGraph(State)
    outer.add_node("sub", inner.compile())
    outer.add_edge(START, "sub")
    saver = BrantSaver(db)
    graph = outer.compile(checkpointer=saver)
    graph.invoke({"log": ["out"], "answer": ""}, config())
    state = graph.get_state(config(), subgraphs=True)
    assert state.tasks[0].state.config["configurable"]["checkpoint_ns"].startswith("sub:")
    assert graph.invoke(Command(resume="in"), config())["log"][-1] == "in"
    assert len({found.config["configurable"]["checkpoint_ns"] for found in saver.list(config())}) == 2
    saver.copy_thread("t", "copy")
    assert graph.get_state(config("copy")).values == graph.get_state(config()).values
    saver.prune(["t"])
    assert graph.get_state(config()).values == graph.get_state(config("copy")).values
    saver.delete_thread("t")
    assert graph.get_state(config()).values == {}
    assert {row for row in db.execute("SELECT DISTINCT thread_id FROM langgraph_blobs").rows} == {("copy",)}


def fanning(saver: BrantSaver) -> Any:
    def work(state: Any) -> Any:
        return {"log": [f"part {state['n']}"]}

    builder = StateGraph(State)
    builder.add_node("split", lambda state: {})
    builder.add_node("work", work)
    builder.add_edge(START, "split")
    builder.add_conditional_edges("split", lambda state: [Send("work", {"n": n}) for n in range(40)])
    return builder.compile(checkpointer=saver)


def test_parallel_writes_keep_their_order(db: brant.Database) -> None:
    graph = fanning(BrantSaver(db))
    seen = list(graph.stream({"log": [], "answer": ""}, config(), stream_mode=["updates", "checkpoints"]))
    assert sum(mode == "checkpoints" for mode, _ in seen) == 4
    assert graph.get_state(config()).values["log"] == [f"part {n}" for n in range(40)]


async def test_parallel_writes_in_asyncio(db: brant.Database) -> None:
    graph = fanning(BrantSaver(db))
    await asyncio.gather(*(graph.ainvoke({"log": [], "answer": ""}, config(f"t{n}")) for n in range(8)))
    for n in range(8):
        assert (await graph.aget_state(config(f"t{n}"))).values["log"] == [f"part {n}" for n in range(40)]


def test_a_value_is_stored_once(db: brant.Database) -> None:
    saver = BrantSaver(db)
    builder = StateGraph(State)
    builder.add_node("a", lambda state: {"answer": "short"})
    builder.add_edge(START, "a")
    graph = builder.compile(checkpointer=saver)
    graph.invoke({"log": ["x" * 100_000], "answer": ""}, config())
    for _ in range(20):
        graph.update_state(config(), {"answer": "other"}, as_node="a")
    assert len(list(saver.list(config()))) == 23
    assert db.execute("SELECT count(*) FROM langgraph_blobs WHERE channel = 'log' AND length(value) > 100000").rows == [(1,)]


def test_delta_channels(db: brant.Database) -> None:
    class Deltas(TypedDict):
        log: Annotated[list[str], DeltaChannel(lambda held, new: held + [one for part in new for one in part], snapshot_frequency=3)]

    builder = StateGraph(Deltas)
    builder.add_node("a", lambda state: {"log": ["a"]})
    builder.add_edge(START, "a")
    saver = BrantSaver(db)
    graph = builder.compile(checkpointer=saver)
    for n in range(10):
        graph.invoke({"log": [str(n)]}, config())
    wanted = [one for n in range(10) for one in (str(n), "a")]
    assert graph.get_state(config()).values["log"] == wanted
    before = len(list(saver.list(config())))
    saver.prune(["t"])
    left = len(list(saver.list(config())))
    assert 1 <= left < before
    assert graph.get_state(config()).values["log"] == wanted
    assert graph.invoke({"log": ["more"]}, config())["log"] == [*wanted, "more", "a"]


def test_killed_in_the_middle_then_resumed(path: Path) -> None:
    command = [sys.executable, str(HERE / "worker_graph.py"), str(path), "t"]
    process = subprocess.Popen(command, env={**os.environ, "HANG": "1"}, stdout=subprocess.PIPE, text=True)
    assert process.stdout is not None and process.stdout.readline() == "in the second\n"
    process.send_signal(signal.SIGKILL)
    assert process.wait() == -signal.SIGKILL
    process.stdout.close()
    with brant.open(path) as db:
        assert build(db).get_state(config()).next == ("second",)
    done = subprocess.run(command, capture_output=True, text=True, timeout=300)
    assert done.stdout == "['first', 'second', 'third']\n", done.stderr
    with brant.open(path) as db:
        assert db.execute("SELECT step FROM effects").rows == [("first",), ("second",), ("third",)]
        assert db.doctor().ok


def test_two_processes_on_one_thread(path: Path) -> None:
    code = """
import sys, brant
from brant.langgraph import BrantSaver
from langgraph.checkpoint.base import empty_checkpoint
with brant.open(sys.argv[1], busy_timeout=60) as db:
    saver = BrantSaver(db)
    for n in range(100):
        found = saver.get_tuple({"configurable": {"thread_id": "t"}})
        checkpoint = empty_checkpoint()
        version = saver.get_next_version(found.checkpoint["channel_versions"]["n"] if found else None, None)
        checkpoint["channel_values"] = {"n": [sys.argv[2], n]}
        checkpoint["channel_versions"] = {"n": version}
        place = {"thread_id": "t", "checkpoint_ns": "", **({"checkpoint_id": found.checkpoint["id"]} if found else {})}
        put = saver.put({"configurable": place}, checkpoint, {"source": "loop", "step": n, "by": sys.argv[2]}, {"n": version})
        saver.put_writes(put, [("n", n)], sys.argv[2])
"""
    processes = [subprocess.Popen([sys.executable, "-c", code, str(path), name]) for name in ("a", "b")]
    assert [process.wait(300) for process in processes] == [0, 0]
    with brant.open(path) as db:
        found = list(BrantSaver(db).list(config()))
        assert len(found) == 200
        for one in found:  # each has the value that it was put with
            assert one.checkpoint["channel_values"]["n"] == [one.metadata["by"], one.metadata["step"]]
            assert one.pending_writes == [(one.metadata["by"], "n", one.metadata["step"])]


async def test_on_a_file_of_its_own(path: Path) -> None:
    graph = StateGraph(State)
    graph.add_node("begin", lambda state: {"log": ["begun"]})
    graph.add_edge(START, "begin")
    with BrantSaver.from_conn_string(str(path), durability="full") as saver:
        assert graph.compile(checkpointer=saver).invoke({"log": [], "answer": ""}, config())["log"] == ["begun"]
    with pytest.raises(brant.Closed):
        saver.get_tuple(config())
    async with BrantSaver.from_conn_string(path) as saver, BrantStore.from_conn_string(path, ttl={"sweep_interval_minutes": 1}) as store:
        assert len([found async for found in saver.alist(config())]) == 3
        await store.aput(("a",), "k", {})
        assert store._sweeper is not None
    assert store._sweeper is None and store._database.closed
    with pytest.raises(ZeroDivisionError), BrantStore.from_conn_string(path) as store:
        assert store.get(("a",), "k") is not None
        _ = 1 / 0
    assert store._database.closed
    for cls in (BrantSaver, BrantStore):
        with pytest.raises(TypeError, match=f"takes an open brant.Database.*not str.*{cls.__name__}.from_conn_string"):
            cls(str(path))  # type: ignore[arg-type]


def test_part_of_the_programs_transaction(db: brant.Database) -> None:
    graph = asking(db, channel="checkpoints")
    graph.invoke({"log": [], "answer": ""}, config())
    listener = db.listen("checkpoints")
    with pytest.raises(ZeroDivisionError), db.transaction():
        graph.update_state(config(), {"answer": "no"})
        db.queue("mail").enqueue({"to": "ann"})
        raise ZeroDivisionError
    assert graph.get_state(config()).values["answer"] == ""
    assert [queue.queue for queue in db.queues] == [] and listener.next(timeout=0) is None
    with db.transaction():
        graph.update_state(config(), {"answer": "yes"})
        db.queue("mail").enqueue({"to": "ann"})
    assert graph.get_state(config()).values["answer"] == "yes" and db.queue("mail").stats().ready == 1
    told = listener.next(timeout=60)
    assert told is not None and told.payload["thread_id"] == "t" and told.payload["source"] == "update"
    listener.close()


async def test_part_of_a_tasks_transaction(db: brant.Database) -> None:
    graph = asking(db)
    await graph.ainvoke({"log": [], "answer": ""}, config())
    with pytest.raises(ZeroDivisionError), db.transaction():
        await graph.aupdate_state(config(), {"answer": "no"})
        raise ZeroDivisionError
    with db.transaction():
        await graph.aupdate_state(config(), {"answer": "yes"})
    assert (await graph.aget_state(config())).values["answer"] == "yes"


async def test_the_loop_goes_on_while_the_file_is_busy(path: Path) -> None:
    with brant.open(path, busy_timeout=120) as db:
        await the_loop_goes_on(db, path)


async def the_loop_goes_on(db: brant.Database, path: Path) -> None:
    graph = asking(db)
    held, release = threading.Event(), threading.Event()

    def hold() -> None:
        with brant.open(path) as other, other.transaction():
            held.set()
            release.wait(300)

    thread = threading.Thread(target=hold)
    thread.start()
    held.wait(60)
    try:
        work = asyncio.create_task(graph.ainvoke({"log": [], "answer": ""}, config()))
        longest, last = 0.0, time.monotonic()
        for _ in range(50):
            await asyncio.sleep(0.01)
            longest, last = max(longest, time.monotonic() - last), time.monotonic()
        assert not work.done() and longest < 60  # a loop that waited for the file would do so for the busy timeout
    finally:
        release.set()
        thread.join()
    assert "__interrupt__" in await work


def test_a_store_in_a_graph(db: brant.Database) -> None:
    store = BrantStore(db)

    def remember(state: State, *, store: BaseStore) -> Any:
        store.put(("people", "ann"), "food", {"likes": state["answer"]})
        return {"log": [item.key for item in store.search(("people",))]}

    builder = StateGraph(State)
    builder.add_node("remember", remember)
    builder.add_edge(START, "remember")
    graph = builder.compile(checkpointer=BrantSaver(db), store=store)
    assert graph.invoke({"log": [], "answer": "figs"}, config())["log"] == ["food"]
    found = store.get(("people", "ann"), "food")
    assert found is not None and found.value == {"likes": "figs"}


def test_no_statement_reads_a_whole_table(db: brant.Database) -> None:
    """On a hot path rows are found by an index, and nothing is sorted."""
    from brant.langgraph import saver as module

    BrantSaver(db)
    place = "WHERE thread_id = ?1 AND checkpoint_ns = ?2"
    wanted = [
        (module._READ.format(where=place, limit=1), 2),
        (module._READ.format(where=place + " AND checkpoint_id = ?3", limit=1), 3),
        (module._READ.format(where=place + " AND checkpoint_id < ?3", limit=50), 3),
        (module._READ.format(where="", limit=50), 0),
        (module._MISSING, 3),
        (module._ANCESTORS, 5),
        (module._WRITES_OF, 4),
        (module._UNUSED_BLOBS, 1),
        (module._UNUSED_WRITES, 1),
    ]
    for statement, parameters in wanted:
        plan = [row[3] for row in db.execute("EXPLAIN QUERY PLAN " + statement, ["{}"] * parameters).rows]
        scanned = [step for step in plan if step.startswith("SCAN ") and step.split()[1] in ("b", "w", "p", "langgraph_blobs", "langgraph_writes", "langgraph_checkpoints")]
        assert [step for step in scanned if "USING" not in step] == [], statement
        assert not any("AUTOMATIC" in step for step in plan), plan
        sorts = [step for step in plan if "ORDER BY" in step]
        assert sorts == (["USE TEMP B-TREE FOR ORDER BY"] if statement is module._ANCESTORS else []), plan


def test_more_than_an_answer_may_be_long(path: Path) -> None:
    with brant.open(path, limits={"document": 2_000_000}) as db:
        saver = BrantSaver(db)
        graph = asking(db)
        for n in range(20):
            graph.update_state(config(), {"answer": str(n) * 500_000}, as_node="begin")
        found = list(saver.list(config()))
        assert [one.checkpoint["channel_values"]["answer"][0] for one in found] == [str(n)[0] for n in reversed(range(20))]
        with pytest.raises(brant.Limit):
            graph.update_state(config(), {"answer": "x" * 3_000_000}, as_node="begin")


def test_sealing_what_was_plain_and_a_new_key(keyed: brant.Database, path: Path) -> None:
    graph = asking(keyed)
    graph.invoke({"log": ["grandmother"], "answer": ""}, config())
    sealing = BrantSaver(keyed, seal=True)
    with pytest.raises(brant.Auth):
        sealing.get_tuple(config())
    told: list[int] = []
    changed = sealing.reseal(progress=told.append)
    assert changed > 8 and told[-1] == changed and sealing.reseal() == 0
    keys = [brant.Key(version=2, key=os.urandom(32))]
    assert asking(keyed, seal=True).invoke(Command(resume="yes"), config())["log"][-1] == "got yes"
    sealing.copy_thread("t", "copy")
    assert asking(keyed, seal=True).get_state(config("copy")).values["log"][0] == "grandmother"
    keyed.execute("UPDATE langgraph_blobs SET value = (SELECT value FROM langgraph_blobs WHERE thread_id = 'copy' AND channel = 'log' LIMIT 1) WHERE thread_id = 't'")
    with pytest.raises(brant.Auth):
        sealing.get_tuple(config())
    with keyed.keyring(keys=keys), pytest.raises(brant.NotFound):
        sealing.get_tuple(config("copy"))
