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
from .cursors import Cursor
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
from .calls import Calls, Projected, ProjectionFault
from .events import Channel, Channels, Fan, FanReader, Listener
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
from .extension import extension_path
from .graph import Graph
from .graph_types import GraphTypes
from .graphs import Graphs
from .groups import Group, GroupAcked, GroupEvent, GroupWatch
from .indexes import Indexes
from .jobs import (
    Acked,
    Beat,
    Cancel,
    Cancelled,
    Cancels,
    Job,
    JobError,
    JobFailed,
    JobInfo,
    JobPage,
    Jobs,
    JobWatch,
    Outcome,
    Reject,
    Retry,
    Snooze,
)
from .keys import Kdf, Key, KeyFields, KeyInfo, KeyRing, KeyRingInfo, RingFields, derive_key, generate_key
from .locks import Acquired, Lock, LockInfo, Locks, LockWatch
from .nodes import Nodes
from .outbox import Outbox
from .queues import (
    Backoff,
    Bucket,
    Claimed,
    Enqueued,
    EnqueuedMany,
    EnqueueOptions,
    Histogram,
    Policy,
    Queue,
    QueueInfo,
    Queues,
    QueueStats,
    QueueWatch,
    Rate,
    Unique,
)
from .rate_limits import RateLimit, RateLimitInfo, RateLimits, Taken
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
    GraphDiff,
    Imported,
    Index,
    Keys,
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
    Replayed,
    Retained,
    ShortestPaths,
    StreamsMaintained,
    Subgraph,
    TopologicalOrder,
    WalkBatch,
    Worked,
)
from .models import EdgeSpec, edge, module, schema
from .schedules import Fired, Firing, ScheduleInfo, ScheduleOptions, Scheduler, Schedules, Ticked
from .secrets import (
    EnvelopeContext,
    Envelopes,
    KeyCount,
    Rewrapped,
    Rotated,
    Rotation,
    RotationFailure,
    Secret,
    Secrets,
    SecretsStatus,
)
from .services import Service, run
from .streams import (
    ConsumerInfo,
    ConsumerLag,
    Consumers,
    Event,
    Events,
    Published,
    Stream,
    StreamInfo,
    Streams,
    StreamStats,
    Subscription,
)
from .tasks import Task
from .typed import TypedEdges, TypedNodes, Types, TypesOf
from .validator import Validator
from .walk import Walk
from .worker import Work, Worker, current_job

__version__ = version()

__all__ = [
    "Acked", "Acquired", "Arrays", "Auth", "Backoff", "Beat", "BrantError", "Bucket", "Busy", "Calls", "Cancel", "Cancelled", "Cancels",
    "Cast", "Channel", "Channels", "Check", "Checked", "Claimed", "Closed", "Closure", "Components", "Conflict", "Constraint",
    "ConsumerInfo", "ConsumerLag", "Consumers", "Copied", "Corrupt", "Cursor", "Cycle", "Database", "Degrees", "DeleteMany", "Denied",
    "Edge", "EdgeHit", "EdgeItem", "EdgePatch", "EdgeSpec", "EdgeType", "Edges", "EnqueueOptions", "Enqueued", "EnqueuedMany",
    "EnvelopeContext", "Envelopes", "Erased", "ErasedCounts", "ErasedItem", "ErasureRefused", "Event", "Events", "Exists", "Explained",
    "ExportPage", "Failure", "Fan", "FanReader", "Fault", "Fired", "Firing", "ForeignSqlite", "Forked", "Full", "Gap", "Graph",
    "GraphDeleted", "GraphDiff", "GraphInfo", "GraphType", "GraphTypes", "Graphs", "Group", "GroupAcked", "GroupEvent", "GroupWatch",
    "Health", "Histogram", "Imported", "Index", "Indexes", "Info", "Internal", "Interrupted", "Invalid", "InvalidJson", "Io", "Job",
    "JobError", "JobFailed", "JobInfo", "JobPage", "JobWatch", "Jobs", "Kdf", "Key", "KeyCount", "KeyFields", "KeyInfo", "KeyRing",
    "KeyRingInfo", "Keys", "Limit", "Limits", "Listener", "Lock", "LockInfo", "LockWatch", "Locks", "Maintained", "Migrated", "Migration",
    "Misuse", "ModuleDiff", "ModuleEdgeType", "ModuleEdit", "ModuleNodeType", "ModuleTypes", "ModuleWarning", "Neighbor", "NeighborEdge",
    "NetworkFs", "NewerFormat", "NoMemory", "Node", "NodeHit", "NodeItem", "NodePatch", "Nodes", "NotBrant", "NotFound", "Notification",
    "Operation", "Outbox", "Outcome", "Page", "PageRank", "PatchMany", "Patched", "Path", "Paths", "PlanStep", "Policy", "Projected",
    "ProjectionFault", "Published", "Purged", "Put", "PutMany", "Queue", "QueueInfo", "QueueStats", "QueueWatch", "Queues", "Rate",
    "RateLimit", "RateLimitInfo", "RateLimits", "ReadOnly", "Reject", "Replayed", "Result", "Retained", "Retention", "Retry", "Rewrapped",
    "RingFields", "Rotated", "Rotation", "RotationFailure", "ScheduleInfo", "ScheduleOptions", "Scheduler", "Schedules", "Secret",
    "Secrets", "SecretsStatus", "Service", "ShortestPaths", "Snooze", "Sql", "Stale", "Stream", "StreamInfo", "StreamStats", "Streams",
    "StreamsMaintained", "Subgraph", "Subscription", "Taken", "Task", "Ticked", "Timeout", "TopologicalOrder", "Transaction", "TypeCheck",
    "TypedEdges", "TypedNodes", "Types", "TypesOf", "Unique", "Unsupported", "Validation", "ValidationReport", "Validator", "Violation",
    "Walk", "WalkBatch", "Work", "Worked", "Worker", "current_job", "derive_key", "edge", "extension_path", "generate_key", "module",
    "modules", "open", "operations", "run", "schema", "version",
]  # fmt: skip
