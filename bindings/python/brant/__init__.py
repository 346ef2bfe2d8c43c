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

from . import modules
from .database import Database, Transaction, open, operations, version
from .edges import Edges
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
from .evolution import (
    Cast,
    Checked,
    Failure,
    Migrated,
    Migration,
    ModuleDiff,
    ModuleEdgeType,
    ModuleEdit,
    ModuleNodeType,
    ModuleTypes,
    Retention,
    TypeCheck,
)
from .graph import Graph
from .graph_types import GraphTypes
from .graphs import Graphs
from .indexes import Indexes
from .nodes import Nodes
from .records import (
    Check,
    Copied,
    Edge,
    EdgeItem,
    EdgePatch,
    EdgeType,
    Gap,
    GraphDeleted,
    GraphInfo,
    GraphType,
    Health,
    Info,
    Limits,
    ModuleWarning,
    Neighbor,
    NeighborEdge,
    Node,
    NodeItem,
    NodePatch,
    Notification,
    Operation,
    Page,
    Put,
    Result,
    ValidationReport,
    Violation,
)
from .results import (
    Arrays,
    Closure,
    Components,
    Cycle,
    Degrees,
    DeleteMany,
    EdgeHit,
    Erased,
    ErasedCounts,
    ErasedItem,
    ErasureRefused,
    Explained,
    ExportPage,
    Fault,
    Imported,
    Index,
    Maintained,
    NodeHit,
    PageRank,
    Patched,
    PatchMany,
    Path,
    Paths,
    PlanStep,
    Purged,
    PutMany,
    Retained,
    ShortestPaths,
    Subgraph,
    TopologicalOrder,
    WalkBatch,
)
from .models import EdgeSpec, edge, module, schema
from .typed import TypedEdges, TypedNodes, Types, TypesOf
from .validator import Validator
from .walk import Walk

__version__ = version()

__all__ = [
    "Arrays", "Auth", "BrantError", "Busy", "Cast", "Check", "Checked", "Closed", "Closure", "Components", "Conflict", "Constraint",
    "Copied", "Corrupt", "Cycle", "Database", "Degrees", "DeleteMany", "Denied", "Edge", "EdgeHit", "EdgeItem", "EdgePatch", "EdgeSpec",
    "EdgeType", "Edges", "Erased", "ErasedCounts", "ErasedItem", "ErasureRefused", "Exists", "Explained", "ExportPage", "Failure", "Fault",
    "ForeignSqlite", "Forked", "Full", "Gap", "Graph", "GraphDeleted", "GraphInfo", "GraphType", "GraphTypes", "Graphs", "Health",
    "Imported", "Index", "Indexes", "Info", "Internal", "Interrupted", "Invalid", "InvalidJson", "Io", "Limit", "Limits", "Listener",
    "Maintained", "Migrated", "Migration", "Misuse", "ModuleDiff", "ModuleEdgeType", "ModuleEdit", "ModuleNodeType", "ModuleTypes",
    "ModuleWarning", "Neighbor", "NeighborEdge", "NetworkFs", "NewerFormat", "NoMemory", "Node", "NodeHit", "NodeItem", "NodePatch",
    "Nodes", "NotBrant", "NotFound", "Notification", "Operation", "Page", "PageRank", "PatchMany", "Patched", "Path", "Paths", "PlanStep",
    "Purged", "Put", "PutMany", "ReadOnly", "Result", "Retained", "Retention", "ShortestPaths", "Sql", "Stale", "Subgraph", "Timeout",
    "TopologicalOrder", "Transaction", "TypeCheck", "TypedEdges", "TypedNodes", "Types", "TypesOf", "Unsupported", "Validation",
    "ValidationReport", "Validator", "Violation", "Walk", "WalkBatch", "edge", "module", "modules", "open", "operations", "schema",
    "version",
]  # fmt: skip
