/// <reference lib="esnext.disposable" preserve="true" />
/**
 * brant: typed graphs and events in one SQLite file. See {@link open}.
 *
 * @packageDocumentation
 */
export { Database, open, operations, version } from './database.js';
export { defineModule } from './define_module.js';
export { BrantError } from './error.js';
export { composite } from './event_target.js';
export { extensionPath } from './extension.js';
export { Key, deriveKey, deriveKeyAsync, generateKey } from './keys.js';
export { Caller, Hub } from './hub.js';
export { Token, identitySchemas } from './identity.js';
export { modules } from './modules.js';
export { JobFailed } from './queue.js';
export { rowSchemas } from './rows.js';
export type { RowName, Rows } from './rows.js';
export { Validator } from './validator.js';
export { view } from './view.js';
export type {
  DefinedModule,
  DefineModuleOptions,
  EdgeDefinition,
  Infer,
  ModuleConfig,
  ModuleParts,
  SchemaFrom,
  SchemaLike,
  SchemaOf,
} from './define_module.js';
export type {
  Access,
  AccessDecision,
  AccessExpansion,
  AccessExplanation,
  AccessHolder,
  AccessMember,
  AccessNodeType,
  AccessQuestion,
  AccessSeeded,
  AccessStep,
  AccessSynced,
  AccessWritten,
  AtLeast,
  DelegateOptions,
  GrantOptions,
  SubjectType,
  SyncOptions,
} from './access.js';
export type * from './accounts.js';
export type * from './api_keys.js';
export type * from './audit.js';
export type { CallEvent, Calls, Projection } from './calls.js';
export type { ClaimOptions } from './claims.js';
export type { CallMessage } from './diagnostics.js';
export type { DeleteEdgesResult, EdgeListOptions, Edges } from './edges.js';
export type {
  BrantEventTarget,
  CompositeEventTarget,
  DetailOf,
  EventTargetOptions,
  GapEvent,
  ListenerSettings,
  TargetErrorEvent,
  Topic,
  TopicEvent,
  TopicListener,
  TopicTarget,
} from './event_target.js';
export type { ErrorCode, ErrorDetail, Violation } from './error.js';
export type * from './evolution.js';
export type {
  ArraysOptions,
  ExportFormat,
  ExportOptions,
  GraphArrays,
  GraphologyConstructor,
  GraphologyGraph,
  ImportFile,
  ImportFormat,
  ImportOptions,
  ImportResult,
  ImportText,
  ProgressOptions,
  SerializedGraphology,
} from './exchange.js';
export type * from './filter.js';
export type { Graph, GraphChange, GraphDiff, Graphs, LogPosition, Purged, Replay } from './graph.js';
export type { CheckOptions, GraphTypes, UpdateOptions } from './graph_types.js';
export type { FromGraphologyOptions } from './graphology.js';
export type { Delivered, Group, GroupEvent, GroupOptions, GroupWorkOptions } from './group.js';
export type {
  Actor,
  ActorOptions,
  ActorType,
  Authenticated,
  Identity,
  IdentityTable,
  RowSchemas,
  Verified,
} from './identity.js';
export type { HubOptions } from './hub.js';
export type { Indexes, IndexOptions } from './indexes.js';
export type * from './invitations.js';
export type { AttemptError, ClaimedJob, FailOptions, Failure, Job, JobInfo, JobState, Snoozed } from './job.js';
export type { Claim, Jobs } from './jobs.js';
export type { DeriveOptions, Kdf, KeyEntry, KeyFields, KeyInfo, KeyPurpose, KeyRing, KeyRingFields, KeyRingInfo, KeyState } from './keys.js';
export type { Listener, ListenOptions } from './listener.js';
export type { Acquisition, AcquireOptions, Lease, Lock, LockInfo, LockOptions, Locks } from './lock.js';
export type * from './members.js';
export type { FormatOptions, Modules, TypeOf } from './modules.js';
export type { DeleteNodesOptions, DeleteNodesResult, NodeListOptions, Nodes } from './nodes.js';
export type * from './operations.js';
export type * from './organizations.js';
export type { Deliver, Outbox } from './outbox.js';
export type { Moment } from './payload.js';
export type {
  Enqueued,
  EnqueueOptions,
  Histogram,
  JobListOptions,
  NewJob,
  PruneOptions,
  Queue,
  QueueInfo,
  QueuePolicy,
  Queues,
  QueueStats,
  ResultOptions,
} from './queue.js';
export type { RateLimit, RateLimitInfo, RateLimitOptions, RateLimits, RateLimitState } from './rate_limit.js';
export type { Fired, Schedule, ScheduleOptions, Scheduler, SchedulerOptions, Schedules } from './schedules.js';
export type {
  Envelope,
  EnvelopeContext,
  Envelopes,
  LegacyEnvelope,
  Rewrapped,
  RotateOptions,
  Rotated,
  RotationFailure,
  Secret,
  Secrets,
  SecretsStatus,
} from './secrets.js';
export type {
  Consumer,
  ConsumerInfo,
  OffsetRange,
  ReadOptions,
  Stream,
  StreamEvent,
  StreamInfo,
  StreamPage,
  StreamPolicy,
  Streams,
  StreamStats,
} from './stream.js';
export type { From, StreamGap, StreamItem, SubscribeOptions, Subscription } from './subscription.js';
export type * from './tenants.js';
export type * from './traversal.js';
export type { TypedEdges, TypedNodes, Types } from './typed.js';
export type * from './types.js';
export type { ValidatorSource } from './validator.js';
export type { Walk, WalkNodesOptions } from './walk.js';
export type { WorkOptions } from './work.js';
export type { Handler, JobEvent, ProcessOptions, Worker, WorkerEvents, WorkerListener } from './worker.js';
export type { Viewer, ViewOptions } from './view.js';
