"""A LangGraph agent that asks before it acts, and goes on where it was: its state, its memory, its jobs and its notifications in one file. No network, no model: a few rules decide.

    python examples/langgraph_agent.py [FILE]
"""

from __future__ import annotations

import operator
import sys
import tempfile
from pathlib import Path
from typing import Annotated, Any, TypedDict

from langgraph.graph import END, START, StateGraph
from langgraph.store.base import BaseStore
from langgraph.types import Command, interrupt

import brant
from brant.langgraph import BrantSaver, BrantStore


class State(TypedDict):
    messages: Annotated[list[str], operator.add]
    approved: bool


def agent(db: brant.Database) -> Any:
    def think(state: State, *, store: BaseStore) -> dict[str, Any]:
        known = store.get(("people", "ann"), "address")
        return {"messages": [f"I would write to {known.value['mail'] if known else 'somebody'}"]}

    def ask(state: State) -> dict[str, Any]:
        return {"approved": interrupt("send it?")}

    def send(state: State) -> dict[str, Any]:
        if not state["approved"]:
            return {"messages": ["not sent"]}
        with db.transaction():  # the job and what tells of it: both or neither
            db.queue("mail").enqueue({"to": "ann", "text": state["messages"][0]}, unique="letter:ann")
            db.notify("agent:sent", {"to": "ann"})
        return {"messages": ["sent"]}

    builder = StateGraph(State)
    builder.add_sequence([think, ask, send])
    builder.add_edge(START, "think")
    builder.add_edge("send", END)
    return builder.compile(checkpointer=BrantSaver(db), store=BrantStore(db))


def main(path: Path) -> None:
    thread = {"configurable": {"thread_id": "letters"}}
    with brant.open(path) as db:
        BrantStore(db).put(("people", "ann"), "address", {"mail": "ann@example.org"})
        asked = agent(db).invoke({"messages": ["write to ann"], "approved": False}, thread)
        print("asked:", asked["__interrupt__"][0].value)
    with brant.open(path) as db:  # another process, another day
        graph = agent(db)
        print("waits in:", graph.get_state(thread).next)
        print(graph.invoke(Command(resume=True), thread)["messages"])
        print("jobs:", [job.payload["to"] for job in db.queue("mail").iter_jobs()], "checkpoints:", len(list(graph.get_state_history(thread))))


if __name__ == "__main__":
    if len(sys.argv) > 1:
        main(Path(sys.argv[1]))
    else:
        with tempfile.TemporaryDirectory() as folder:
            main(Path(folder, "agent.db"))
