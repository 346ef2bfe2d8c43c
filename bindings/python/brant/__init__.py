"""brant: typed graphs and events, committed together in one SQLite file.

    import brant

    with brant.open("team.db") as db:
        db.graphs.create("debian")
        nodes = db.graph("debian").nodes
        with db.transaction():
            nodes.put("libc6", {"version": "2.36"})
            db.notify("packages", {"changed": "libc6"})

What fails raises a :class:`BrantError` of the class that its code names. Times are ms in data and seconds in arguments.
"""

from .database import Database, Transaction, open, operations, version
from .errors import (
    Auth,
    BrantError,
    Busy,
    Closed,
    Conflict,
    Constraint,
    Corrupt,
    Denied,
    Exists,
    ForeignSqlite,
    Forked,
    Full,
    Internal,
    Interrupted,
    Invalid,
    InvalidJson,
    Io,
    Limit,
    Misuse,
    NetworkFs,
    NewerFormat,
    NoMemory,
    NotBrant,
    NotFound,
    ReadOnly,
    Sql,
    Stale,
    Timeout,
    Unsupported,
    Validation,
)
from .events import Listener
from .graph import Edges, Graph, Graphs, GraphTypes, Nodes
from .records import (
    Check,
    Closure,
    Copied,
    Edge,
    EdgeItem,
    EdgeType,
    Gap,
    GraphDeleted,
    GraphInfo,
    GraphType,
    Health,
    Info,
    Limits,
    Maintained,
    Neighbor,
    NeighborEdge,
    Node,
    NodeItem,
    Notification,
    Operation,
    Page,
    Put,
    PutMany,
    Result,
    ValidationReport,
    Violation,
)

__version__ = version()
from .validator import Validator

__all__ = [
    "Auth", "BrantError", "Busy", "Check", "Closed", "Closure", "Conflict", "Constraint", "Copied", "Corrupt", "Database", "Denied",
    "Edge", "EdgeItem", "EdgeType", "Edges", "Exists", "ForeignSqlite", "Forked", "Full", "Gap", "Graph", "GraphDeleted", "GraphInfo",
    "GraphType", "GraphTypes", "Graphs", "Health", "Info", "Internal", "Interrupted", "Invalid", "InvalidJson", "Io", "Limit", "Limits",
    "Listener", "Maintained", "Misuse", "Neighbor", "NeighborEdge", "NetworkFs", "NewerFormat", "NoMemory", "Node", "NodeItem", "Nodes",
    "NotBrant", "NotFound", "Notification", "Operation", "Page", "Put", "PutMany", "ReadOnly", "Result", "Sql", "Stale", "Timeout",
    "Transaction", "Unsupported", "Validation", "ValidationReport", "Validator", "Violation", "open", "operations", "version",
]  # fmt: skip
