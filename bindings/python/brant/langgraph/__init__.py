"""LangGraph on brant: a checkpointer and a store over an open `brant.Database`.

    import brant
    from brant.langgraph import BrantSaver, BrantStore

    with brant.open("agent.db") as db:
        graph = builder.compile(checkpointer=BrantSaver(db), store=BrantStore(db))
        graph.invoke({"messages": []}, {"configurable": {"thread_id": "ann"}})

Needs `langgraph-checkpoint`: ``pip install brant[langgraph]``.
"""

try:
    import langgraph.checkpoint.base as _base  # noqa: F401
except ModuleNotFoundError as error:
    if error.name is None or error.name.split(".")[0] not in ("langgraph", "langchain_core"):
        raise
    raise ModuleNotFoundError("brant.langgraph needs langgraph-checkpoint: pip install 'brant[langgraph]'", name=error.name) from error

from .saver import BrantSaver
from .store import BrantStore

__all__ = ["BrantSaver", "BrantStore"]
