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
from .access import (
    Access,
    Decision,
    Decisions,
    Expansion,
    Explanation,
    Held,
    Holder,
    KeyPage,
    MemberFields,
    Moved,
    Question,
    Removed,
    Revoked,
    Seeded,
    Step,
    Synced,
    Tried,
    Written,
)
from .audit import (
    Appended,
    Audit,
    AuditProblem,
    AuditReport,
    AuditRow,
    AuditRows,
    Checkpoint,
    CheckpointFields,
    Exported,
    Pruned,
    SubjectErased,
)
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
from .hub import Caller, Hub, open_hub
from .identity import (
    Accepted,
    Account,
    AccountDeleted,
    Accounts,
    ActorFields,
    ApiKey,
    ApiKeys,
    Authenticated,
    Invitation,
    Invitations,
    Invited,
    Member,
    Members,
    NewKey,
    Organization,
    Organizations,
    Token,
    Verified,
    identity_schemas,
)
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
    TaskOptions,
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
from .session import IdentityFields, Session
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
from .tasks import AsyncResult, Chain, GroupResult, Signature, Task, chain, chord, group
from .tasks import Group as TaskGroup
from .tenants import Delegation, HubStats, Tenant, TenantApplied, TenantMaintained, TenantMigrated, TenantSynced, Tenants, TenantsMaintained
from .typed import TypedEdges, TypedNodes, Types, TypesOf
from .validator import Validator
from .walk import Walk
from .worker import Work, Worker, current_job

__version__ = version()

__all__ = [
    "Accepted", "Access", "Account", "AccountDeleted", "Accounts", "Acked", "Acquired", "ActorFields", "ApiKey", "ApiKeys", "Appended",
    "Arrays", "AsyncResult", "Audit", "AuditProblem", "AuditReport", "AuditRow", "AuditRows", "Auth", "Authenticated", "Backoff",
    "Beat", "BrantError", "Bucket", "Busy", "Caller", "Calls", "Cancel", "Cancelled", "Cancels", "Cast", "Chain", "Channel", "Channels",
    "Check", "Checked", "Checkpoint", "CheckpointFields", "Claimed", "Closed", "Closure", "Components", "Conflict", "Constraint",
    "ConsumerInfo", "ConsumerLag", "Consumers", "Copied", "Corrupt", "Cursor", "Cycle", "Database", "Decision", "Decisions", "Degrees",
    "Delegation", "DeleteMany", "Denied", "Edge", "EdgeHit", "EdgeItem", "EdgePatch", "EdgeSpec", "EdgeType", "Edges", "EnqueueOptions",
    "Enqueued", "EnqueuedMany", "EnvelopeContext", "Envelopes", "Erased", "ErasedCounts", "ErasedItem", "ErasureRefused", "Event",
    "Events", "Exists", "Expansion", "Explained", "Explanation", "ExportPage", "Exported", "Failure", "Fan", "FanReader", "Fault",
    "Fired", "Firing", "ForeignSqlite", "Forked", "Full", "Gap", "Graph", "GraphDeleted", "GraphDiff", "GraphInfo", "GraphType",
    "GraphTypes", "Graphs", "Group", "GroupAcked", "GroupEvent", "GroupResult", "GroupWatch", "Health", "Held", "Histogram", "Holder",
    "Hub", "HubStats", "IdentityFields", "Imported", "Index", "Indexes", "Info", "Internal", "Interrupted", "Invalid", "InvalidJson",
    "Invitation", "Invitations", "Invited", "Io", "Job", "JobError", "JobFailed", "JobInfo", "JobPage", "JobWatch", "Jobs", "Kdf",
    "Key", "KeyCount", "KeyFields", "KeyInfo", "KeyPage", "KeyRing", "KeyRingInfo", "Keys", "Limit", "Limits", "Listener", "Lock",
    "LockInfo", "LockWatch", "Locks", "Maintained", "Member", "MemberFields", "Members", "Migrated", "Migration", "Misuse",
    "ModuleDiff", "ModuleEdgeType", "ModuleEdit", "ModuleNodeType", "ModuleTypes", "ModuleWarning", "Moved", "Neighbor", "NeighborEdge",
    "NetworkFs", "NewKey", "NewerFormat", "NoMemory", "Node", "NodeHit", "NodeItem", "NodePatch", "Nodes", "NotBrant", "NotFound",
    "Notification", "Operation", "Organization", "Organizations", "Outbox", "Outcome", "Page", "PageRank", "PatchMany", "Patched",
    "Path", "Paths", "PlanStep", "Policy", "Projected", "ProjectionFault", "Pruned", "Published", "Purged", "Put", "PutMany",
    "Question", "Queue", "QueueInfo", "QueueStats", "QueueWatch", "Queues", "Rate", "RateLimit", "RateLimitInfo", "RateLimits",
    "ReadOnly", "Reject", "Removed", "Replayed", "Result", "Retained", "Retention", "Retry", "Revoked", "Rewrapped", "RingFields",
    "Rotated", "Rotation", "RotationFailure", "ScheduleInfo", "ScheduleOptions", "Scheduler", "Schedules", "Secret", "Secrets",
    "SecretsStatus", "Seeded", "Service", "Session", "ShortestPaths", "Signature", "Snooze", "Sql", "Stale", "Step", "Stream",
    "StreamInfo", "StreamStats", "Streams", "StreamsMaintained", "Subgraph", "SubjectErased", "Subscription", "Synced", "Taken", "Task",
    "TaskGroup", "TaskOptions", "Tenant", "TenantApplied", "TenantMaintained", "TenantMigrated", "TenantSynced", "Tenants",
    "TenantsMaintained", "Ticked", "Timeout", "Token", "TopologicalOrder", "Transaction", "Tried", "TypeCheck", "TypedEdges",
    "TypedNodes", "Types", "TypesOf", "Unique", "Unsupported", "Validation", "ValidationReport", "Validator", "Verified", "Violation",
    "Walk", "WalkBatch", "Work", "Worked", "Worker", "Written", "chain", "chord", "current_job", "derive_key", "edge", "extension_path",
    "generate_key", "group", "identity_schemas", "module", "modules", "open", "open_hub", "operations", "run", "schema", "version",
]  # fmt: skip
