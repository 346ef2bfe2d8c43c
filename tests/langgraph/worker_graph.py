"""A graph of three steps for tests that kill it: ``python worker_graph.py FILE THREAD`` runs or resumes it, and says when it is in its second step, in which it then stays if HANG is set."""

from __future__ import annotations

import operator
import os
import sys
import time
from typing import Annotated, Any, TypedDict

from langgraph.graph import END, START, StateGraph

import brant
from brant.langgraph import BrantSaver


class State(TypedDict):
    steps: Annotated[list[str], operator.add]


def build(db: brant.Database) -> Any:
    db.execute("CREATE TABLE IF NOT EXISTS effects (step TEXT)")

    def step(name: str) -> Any:
        def run(state: State) -> State:
            if name == "second" and os.environ.get("HANG"):
                print("in the second", flush=True)
                time.sleep(60)
            with db.transaction():
                db.execute("INSERT INTO effects VALUES (?)", [name])
                db.notify("steps", {"step": name})
            return {"steps": [name]}

        return run

    builder = StateGraph(State)
    for name in ("first", "second", "third"):
        builder.add_node(name, step(name))
    builder.add_edge(START, "first")
    builder.add_edge("first", "second")
    builder.add_edge("second", "third")
    builder.add_edge("third", END)
    return builder.compile(checkpointer=BrantSaver(db))


if __name__ == "__main__":
    with brant.open(sys.argv[1]) as db:
        graph = build(db)
        config = {"configurable": {"thread_id": sys.argv[2]}}
        begun = graph.get_state(config).next
        print(graph.invoke(None if begun else {"steps": []}, config, durability="sync")["steps"], flush=True)
