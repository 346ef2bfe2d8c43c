/* Inputs and outputs of the operations by their registry name, for calls by name. Inputs have the snake_case of the file. */
import type {
  Cast,
  Check,
  JsonPatchOperation,
  MigrateOptions,
  Migration,
  MigrationResult,
  ModuleDiff,
  ModuleTypes,
} from './evolution.js';
import type {
  AccessExpansion,
  AccessExplanation,
  AccessMember,
  AccessNodeType,
  AccessQuestion,
  AccessSeeded,
  AccessSynced,
  AccessWritten,
  AtLeast,
  SubjectType,
} from './access.js';
import type { Account, AccountListOptions, AccessLevel } from './accounts.js';
import type { ApiKey, ApiKeyListOptions } from './api_keys.js';
import type { AuditExport, AuditListOptions, AuditPage, AuditPruned, AuditReport, AuditRow, Checkpoint, CheckpointFields, SubjectErased } from './audit.js';
import type { CallEvent, Projection } from './calls.js';
import type { DeleteEdgesResult, EdgeListOptions } from './edges.js';
import type { ArraysOptions, ExportFormat, ExportOptions, GraphArrays, ImportOptions, ImportResult } from './exchange.js';
import type { EdgeFilter, NodeFilter } from './filter.js';
import type { CheckOptions, UpdateOptions } from './graph_types.js';
import type { GraphChange, GraphDiff, Replay } from './graph.js';
import type { ActorType, Authenticated, IdentityTable, RowSchemas, Verified } from './identity.js';
import type { IndexOptions } from './indexes.js';
import type { Invitation, InvitationListOptions } from './invitations.js';
import type { AttemptError, ClaimedJob, Failure, JobInfo, JobState, Snoozed } from './job.js';
import type { Claim } from './jobs.js';
import type { Acquisition, LockInfo } from './lock.js';
import type { Level, Member, MemberListOptions } from './members.js';
import type { FormatOptions, TypeOf } from './modules.js';
import type { DeleteNodesOptions, DeleteNodesResult, NodeListOptions } from './nodes.js';
import type { Enqueued, EnqueueOptions, JobListOptions, NewJob, PruneOptions, QueueInfo, QueuePolicy, QueueStats } from './queue.js';
import type { Organization, OrganizationListOptions, OrganizationStatus } from './organizations.js';
import type { RateLimitInfo, RateLimitOptions, RateLimitState } from './rate_limit.js';
import type { Kdf, KeyEntry, KeyPurpose, KeyRingInfo } from './keys.js';
import type { Fired, Schedule } from './schedules.js';
import type { Envelope, EnvelopeContext, LegacyEnvelope, Opened, Rewrapped, RotateOptions, Rotated, SecretsStatus } from './secrets.js';
import type { ConsumerInfo, OffsetRange, StreamEvent, StreamInfo, StreamPage, StreamPolicy, StreamStats } from './stream.js';
import type {
  Delegation,
  DelegationState,
  HubStats,
  Tenant,
  TenantApplied,
  TenantMaintained,
  TenantMigrated,
  TenantOperation,
} from './tenants.js';
import type {
  Closure,
  ClosureOptions,
  Components,
  ComponentsOptions,
  CountWalksOptions,
  Cycle,
  Degrees,
  DegreesOptions,
  PageRank,
  PageRankOptions,
  PartOptions,
  Paths,
  PathsOptions,
  ShortestPath,
  ShortestPathOptions,
  ShortestPaths,
  ShortestPathsOptions,
  SubgraphOptions,
  TopologicalOrder,
} from './traversal.js';
import type {
  AttributeIndex,
  ChannelInfo,
  Copy,
  Diagnosis,
  EdgeHit,
  EdgeInput,
  EdgePatch,
  Erasure,
  EraseOptions,
  Explanation,
  GraphEdge,
  GraphInfo,
  GraphNode,
  GraphStatus,
  GraphType,
  GraphTypeDetail,
  Info,
  InsertManyResult,
  InsertResult,
  JsonObject,
  Maintenance,
  ManyOptions,
  Module,
  ModuleWarning,
  Neighbor,
  NewEdge,
  NewNode,
  NodeHit,
  NodeInput,
  NodePatch,
  OperationSpec,
  Page,
  Patch,
  PatchManyResult,
  PatchResult,
  PutManyResult,
  PutResult,
  Retention,
  Scope,
  SqlResult,
  Subgraph,
  Validation,
} from './types.js';

type Snake<Name extends string> = Name extends `${infer Letter}${infer Rest}`
  ? `${Letter extends Lowercase<Letter> ? Letter : `_${Lowercase<Letter>}`}${Snake<Rest>}`
  : Name;

/** A method's options with the names of the operation's members. */
type Members<Options> = { [Name in keyof Options as Name extends string ? Snake<Name> : never]: Options[Name] };

interface PageInput {
  limit?: number;
  cursor?: string | null;
}
interface InGraph {
  graph: string;
}
interface Found {
  graph: string;
  key: string;
}
interface Named {
  name: string;
}
interface OfId {
  id: string;
}
/** Who acts. */
interface ByActor {
  actor?: { type?: ActorType; id?: string; reason?: string };
}
type Filtered<Options> = PageInput & { filter?: Members<Omit<Options, 'limit' | 'cursor'>> };
type Empty = Record<string, never>;

/** Pages by name, or by what `next` is. */
interface NamesInput {
  prefix?: string;
  limit?: number;
  after?: string;
}
interface NamesOutput<T> {
  items: T[];
  next?: string;
}

/** A payload: any JSON, or bytes as base64. */
interface PayloadInput {
  payload?: unknown;
  payload_base64?: string;
}
interface UniqueInput {
  key: string;
  window?: number;
  on_conflict?: 'skip' | 'replace' | 'reschedule';
}
interface InQueue {
  queue: string;
}
interface InStream {
  stream: string;
}
interface InConsumer extends InStream {
  consumer: string;
}
interface InGroup extends InStream {
  group: string;
}
interface DeliveredInput {
  items: readonly { offset: number; token: number }[];
}
interface DeliveredOutput {
  acked: number;
  stale: number[];
}
type FromInput = 'start' | 'end' | number | { time: number };
type LogInput = number | { time: number };
type EnqueueInput = Members<Omit<EnqueueOptions, 'unique' | 'runAt' | 'expiresAt'>> &
  PayloadInput & { run_at?: number; expires_at?: number; unique?: UniqueInput };
type ManyInput = Omit<EnqueueInput, 'after'> & { after?: NewJob['after'] };
interface ScheduleInput extends PayloadInput {
  name: string;
  spec: string;
  queue: string;
  timezone?: string;
  options?: {
    priority?: number;
    key?: string;
    max_attempts?: number;
    expires_in?: number;
    result_ttl?: number;
    unique?: UniqueInput;
  };
  misfire?: 'skip' | 'one' | 'all';
  catch_up?: number;
}
interface InAccess {
  graph?: string;
}
type AccessInput = InAccess & Members<AtLeast>;
interface GrantInput extends InAccess, ByActor {
  subject: string;
  scopes: readonly string[];
  resource?: string;
  expires_at?: number;
}
interface OfMember {
  org_id: string;
  account_id: string;
}
interface KeyInput extends ByActor {
  owner_id?: string;
  org_id?: string;
  name: string;
  scopes: readonly string[];
  type?: string;
  expires_at?: number;
  metadata?: JsonObject;
}
type RateInput = Named & RateLimitOptions & { kind: 'sliding_window' | 'token_bucket'; cost?: number };

/** Inputs and outputs of the operations by their registry name, for {@link Database.call}. */
export interface Operations {
  'transaction.begin': { input: { mode?: 'write' | 'read' }; output: { depth: number } };
  'transaction.commit': { input: Empty; output: { depth: number } };
  'transaction.rollback': { input: Empty; output: { depth: number } };
  'sql.execute': {
    input:
      | { sql: string; params?: unknown; describe?: boolean; script?: boolean; limit?: number; close?: boolean }
      | { sql: string; batch: readonly unknown[]; describe?: boolean }
      | { cursor: number; limit?: number; close?: boolean };
    output: SqlResult<unknown[]> & { parameters?: number; tail?: number; cursor?: number | null };
  };
  'db.info': { input: Empty; output: Info };
  'db.doctor': { input: Empty; output: Diagnosis };
  'db.backup': { input: { path: string; overwrite?: boolean }; output: Copy };
  'db.restore': { input: { path: string }; output: Copy };
  'db.maintain': { input: Empty; output: Maintenance };
  'db.erase': { input: { values: readonly string[] } & Members<EraseOptions>; output: Erasure };
  'operations.list': { input: { namespace?: string; graph_type?: string }; output: { items: OperationSpec[] } };
  'db.metrics': { input: Empty; output: { text: string } };
  'events.notify': { input: { channel: string } & PayloadInput; output: { id: number } };
  'events.channels': { input: NamesInput; output: NamesOutput<ChannelInfo> };
  'events.set_retention': { input: { channel: string; count?: number | null; age?: number | null }; output: ChannelInfo };
  'queues.configure': { input: InQueue & Members<QueuePolicy>; output: QueueInfo };
  'queues.get': { input: InQueue; output: QueueInfo };
  'queues.list': { input: NamesInput; output: NamesOutput<QueueInfo> };
  'queues.pause': { input: InQueue; output: QueueInfo };
  'queues.resume': { input: InQueue; output: QueueInfo };
  'queues.drain': { input: InQueue; output: QueueInfo };
  'queues.delete': { input: InQueue & { force?: boolean }; output: { deleted: number } };
  'queues.enqueue': { input: InQueue & EnqueueInput; output: Enqueued };
  'queues.enqueue_many': { input: InQueue & { items: readonly ManyInput[] }; output: { ids: number[]; duplicates: number } };
  'queues.claim': {
    input: InQueue & { worker?: string; limit?: number; lease?: number; ack?: readonly (Claim & { result?: unknown })[] };
    output: { items: (ClaimedJob<unknown> & { payload_base64?: string })[]; acked?: number; stale?: number[] };
  };
  'queues.stats': { input: { queue?: string }; output: QueueStats | { items: QueueStats[] } };
  'queues.prune': { input: InQueue & Members<PruneOptions>; output: { pruned: number } };
  'jobs.get': { input: { id: number }; output: JobInfo };
  'jobs.list': { input: InQueue & JobListOptions; output: { items: JobInfo[]; next?: number } };
  'jobs.ack': { input: Claim & { result?: unknown }; output: Empty };
  'jobs.ack_many': { input: { items: readonly (Claim & { result?: unknown })[] }; output: { acked: number; stale: number[] } };
  'jobs.fail': {
    input: Claim & { error: string | Partial<Pick<AttemptError, 'stack' | 'code'>> & { message: string }; retry?: boolean; delay?: number };
    output: Failure;
  };
  'jobs.snooze': { input: Claim & { delay: number }; output: Snoozed };
  'jobs.release': { input: Claim; output: Snoozed };
  'jobs.heartbeat': { input: Claim & { lease?: number; progress?: unknown }; output: { lease_until: number; cancel_requested: boolean } };
  'jobs.heartbeat_many': {
    input: { items: readonly Claim[]; lease?: number };
    output: { items: { id: number; lease_until?: number; stale?: true; cancel_requested?: true }[] };
  };
  'jobs.cancel': { input: { id: number }; output: { state: 'cancelled' | 'running' } };
  'jobs.requeue': { input: { id: number } & PayloadInput; output: { state: JobState } };
  'jobs.requeue_many': {
    input: InQueue & { state?: 'dead' | 'cancelled' | 'expired'; limit?: number };
    output: { requeued: number };
  };
  'jobs.delete': { input: { id: number }; output: unknown };
  'jobs.update': { input: { id: number; priority?: number; run_at?: number } & PayloadInput; output: JobInfo };
  'streams.configure': { input: InStream & Members<StreamPolicy>; output: StreamInfo };
  'streams.get': { input: InStream; output: StreamInfo };
  'streams.list': { input: NamesInput; output: NamesOutput<StreamInfo> };
  'streams.delete': { input: InStream & { force?: boolean }; output: { deleted: number } };
  'streams.publish': { input: InStream & PayloadInput & { key?: string }; output: { offset: number } };
  'streams.publish_many': {
    input: InStream & { items: readonly (PayloadInput & { key?: string })[] };
    output: { first: number; last: number };
  };
  'streams.read': {
    input: InStream & { after?: number; since?: number; limit?: number; keys?: readonly string[]; reverse?: boolean };
    output: StreamPage;
  };
  'streams.latest': { input: InStream & { key: string }; output: StreamEvent };
  'streams.trim': { input: InStream & { before?: number; max_count?: number; max_age?: number }; output: { trimmed: number } };
  'streams.compact': { input: InStream; output: { removed: number } };
  'streams.stats': { input: { stream?: string }; output: StreamStats | { items: StreamStats[] } };
  'consumers.commit': { input: InConsumer & { offset: number }; output: { offset: number } };
  'consumers.seek': { input: InConsumer & { to: FromInput }; output: { offset: number } };
  'consumers.get': { input: InConsumer; output: ConsumerInfo };
  'consumers.list': { input: InStream; output: { items: ConsumerInfo[] } };
  'consumers.delete': { input: InConsumer; output: unknown };
  'consumers.claim': {
    input: InGroup & { member: string; limit?: number; lease?: number; from?: FromInput };
    output: { items: (StreamEvent & { token: number; delivery: number })[]; gap?: OffsetRange };
  };
  'consumers.ack': { input: InGroup & DeliveredInput; output: DeliveredOutput };
  'consumers.extend': { input: InGroup & DeliveredInput & { lease: number }; output: DeliveredOutput };
  'consumers.release': { input: InGroup & DeliveredInput; output: DeliveredOutput };
  'locks.acquire': { input: Named & { owner: string; ttl?: number }; output: Acquisition };
  'locks.refresh': { input: Named & { token: number; ttl?: number }; output: { expires_at: number } };
  'locks.release': { input: Named & { token: number }; output: Empty };
  'locks.get': { input: Named; output: LockInfo };
  'locks.list': { input: NamesInput; output: NamesOutput<LockInfo> };
  'locks.break': { input: Named; output: { token: number } };
  'rate_limits.take': { input: RateInput; output: RateLimitState };
  'rate_limits.peek': { input: RateInput; output: RateLimitState };
  'rate_limits.reset': { input: Named; output: { reset: boolean } };
  'rate_limits.list': { input: NamesInput; output: NamesOutput<RateLimitInfo> };
  'schedules.set': { input: ScheduleInput; output: Schedule };
  'schedules.get': { input: Named; output: Schedule };
  'schedules.list': { input: NamesInput; output: NamesOutput<Schedule> };
  'schedules.delete': { input: Named; output: unknown };
  'schedules.pause': { input: Named; output: Schedule };
  'schedules.resume': { input: Named; output: Schedule };
  'schedules.trigger': { input: Named; output: { id: number } };
  'schedules.next': { input: { spec: string; timezone?: string; after?: number; count?: number }; output: { items: number[] } };
  'schedules.tick': { input: { limit?: number }; output: { fired: Fired[]; next_at?: number } };
  'calls.publish': { input: CallEvent; output: { offset: number } };
  'calls.project': { input: InGraph & { stream?: string; consumer?: string; limit?: number }; output: Projection };
  'graphs.changes': { input: InGraph & { after?: number; limit?: number }; output: StreamPage<GraphChange> };
  'graphs.diff': { input: InGraph & { from: LogInput; to?: LogInput }; output: GraphDiff };
  'graphs.replay': { input: InGraph & { to: LogInput; into: string }; output: Replay };
  'graph_types.define': {
    input: { module: Module; name?: string; scope?: Scope; version?: number; metadata?: JsonObject };
    output: GraphType & { warnings: ModuleWarning[] };
  };
  'graph_types.get': { input: Named; output: GraphTypeDetail };
  'graph_types.list': { input: PageInput; output: Page<GraphType> };
  'graph_types.delete': { input: Named; output: { deleted: true } };
  'graph_types.validate_node': {
    input: { graph_type: string; type: string | null; attributes: unknown };
    output: Validation;
  };
  'graph_types.validate_edge': {
    input: { graph_type: string; type: string | null; attributes: unknown; source_type?: string; target_type?: string };
    output: Validation;
  };
  'graph_types.diff': { input: Named & { module: Module }; output: ModuleDiff };
  'graph_types.update': {
    input: Named & { module: Module } & Members<UpdateOptions>;
    output: GraphType & { warnings: ModuleWarning[] };
  };
  'graph_types.check': { input: Named & Members<CheckOptions>; output: Check };
  'graph_types.migrate': { input: Named & Members<MigrateOptions>; output: MigrationResult };
  'graph_types.migration': { input: Named; output: Migration };
  'graph_types.set_retention': { input: Named & { rules: Retention | null }; output: Named & { rules: Retention | null } };
  'keyring.info': { input: Record<string, never>; output: KeyRingInfo };
  'keyring.generate': { input: { purpose?: KeyPurpose; version?: number }; output: KeyEntry };
  'keyring.derive': { input: { password: string; purpose?: KeyPurpose; version?: number; kdf?: Partial<Kdf> }; output: KeyEntry };
  'envelopes.seal': { input: { value: unknown; context: EnvelopeContext }; output: Envelope };
  'envelopes.open': { input: { envelope: Envelope | LegacyEnvelope; context: EnvelopeContext }; output: Opened };
  'envelopes.rewrap': {
    input: { envelope: Envelope | LegacyEnvelope; context: EnvelopeContext; to?: EnvelopeContext };
    output: Rewrapped;
  };
  'secrets.rotate': { input: RotateOptions; output: Rotated };
  'secrets.status': { input: { graph?: string }; output: SecretsStatus };
  'modules.types': { input: { module: Module }; output: ModuleTypes };
  'modules.validate_node': {
    input: { module: Module; type: string | null; attributes: unknown } & FormatOptions;
    output: Validation;
  };
  'modules.validate_edge': {
    input: { module: Module; type: string | null; attributes: unknown; source_type?: string; target_type?: string } & FormatOptions;
    output: Validation;
  };
  'modules.diff': { input: { from: Module; to: Module }; output: ModuleDiff };
  'modules.cast': { input: { module: Module; attributes: unknown } & Members<TypeOf>; output: Cast };
  'modules.patch': { input: { document: unknown; patch: readonly JsonPatchOperation[] }; output: { document: unknown } };
  'indexes.create': { input: Members<IndexOptions>; output: AttributeIndex };
  'indexes.list': { input: { graph_type?: string }; output: { items: AttributeIndex[] } };
  'indexes.delete': { input: Named; output: { deleted: true } };
  'graphs.create': {
    input: Named & {
      graph_type: string;
      owner_id?: string | null;
      project_id?: string | null;
      status?: GraphStatus;
      metadata?: JsonObject;
    };
    output: GraphInfo;
  };
  'graphs.get': { input: Named; output: GraphInfo };
  'graphs.list': { input: PageInput & { graph_type?: string; status?: GraphStatus }; output: Page<GraphInfo> };
  'graphs.update': {
    input: Named & { owner_id?: string | null; project_id?: string | null; status?: GraphStatus; metadata?: JsonObject };
    output: GraphInfo;
  };
  'graphs.delete': { input: Named; output: { deleted: true; nodes: number; edges: number } };
  'graphs.purge': { input: Named & { limit?: number }; output: { purged: boolean; nodes: number; edges: number } };
  'graphs.shortest_path': {
    input: InGraph & { source: string; target: string } & Members<ShortestPathOptions>;
    output: ShortestPath;
  };
  'graphs.shortest_paths': { input: InGraph & { source: string } & Members<ShortestPathsOptions>; output: ShortestPaths };
  'graphs.paths': { input: InGraph & { source: string; target: string } & Members<PathsOptions>; output: Paths };
  'graphs.count_walks': { input: InGraph & { length: number } & Members<CountWalksOptions>; output: { count: number } };
  'graphs.topological_order': { input: InGraph & Members<PartOptions>; output: TopologicalOrder };
  'graphs.find_cycle': { input: InGraph & Members<PartOptions>; output: Cycle };
  'graphs.components': { input: InGraph & Members<ComponentsOptions>; output: Components };
  'graphs.subgraph': {
    input: InGraph & { keys?: readonly string[]; filter?: NodeFilter } & Members<SubgraphOptions>;
    output: Subgraph;
  };
  'graphs.degrees': { input: InGraph & Members<DegreesOptions>; output: Degrees };
  'graphs.pagerank': { input: InGraph & Members<PageRankOptions>; output: PageRank };
  'graphs.export': {
    input: InGraph & PageInput & { format: ExportFormat } & Members<ExportOptions>;
    output: { text: string; cursor: string | null };
  };
  'graphs.arrays': { input: InGraph & Members<ArraysOptions>; output: GraphArrays };
  'graphs.import': { input: InGraph & Members<ImportOptions>; output: ImportResult };
  'nodes.put': { input: InGraph & NodeInput; output: PutResult };
  'nodes.insert': { input: InGraph & NewNode; output: InsertResult };
  'nodes.patch': { input: Found & Patch; output: PatchResult };
  'nodes.put_many': { input: InGraph & { items: readonly NodeInput[] | string } & ManyOptions; output: PutManyResult };
  'nodes.insert_many': { input: InGraph & { items: readonly NewNode[] | string } & ManyOptions; output: InsertManyResult };
  'nodes.patch_many': { input: InGraph & { items: readonly NodePatch[] | string } & ManyOptions; output: PatchManyResult };
  'nodes.get': { input: Found; output: GraphNode };
  'nodes.get_many': { input: InGraph & { keys: readonly string[] }; output: { items: (GraphNode | null)[] } };
  'nodes.open_secret': { input: Found & { path: string }; output: Opened };
  'nodes.exists': { input: Found; output: { exists: boolean } };
  'nodes.count': { input: InGraph & { type?: string; filter?: NodeFilter }; output: { count: number } };
  'nodes.list': { input: InGraph & Members<NodeListOptions>; output: Page<GraphNode> };
  'nodes.explain': { input: InGraph & Members<NodeListOptions>; output: Explanation };
  'nodes.search': {
    input: InGraph & PageInput & { query: string; type?: string; filter?: NodeFilter };
    output: Page<NodeHit>;
  };
  'nodes.delete': {
    input: Found & { edges?: 'refuse' | 'delete'; revision?: number };
    output: { deleted: true; edges: number };
  };
  'nodes.delete_many': {
    input: InGraph & { keys?: readonly string[]; filter?: NodeFilter } & DeleteNodesOptions;
    output: DeleteNodesResult;
  };
  'nodes.neighbors': {
    input: Found & PageInput & { direction?: 'out' | 'in' | 'both'; edge_types?: readonly string[] };
    output: Page<Neighbor>;
  };
  'nodes.closure': { input: InGraph & { keys: readonly string[] } & Members<ClosureOptions>; output: Closure };
  'edges.put': { input: InGraph & EdgeInput; output: PutResult };
  'edges.insert': { input: InGraph & NewEdge; output: InsertResult };
  'edges.patch': { input: Found & Patch; output: PatchResult };
  'edges.put_many': { input: InGraph & { items: readonly EdgeInput[] | string } & ManyOptions; output: PutManyResult };
  'edges.insert_many': { input: InGraph & { items: readonly NewEdge[] | string } & ManyOptions; output: InsertManyResult };
  'edges.patch_many': { input: InGraph & { items: readonly EdgePatch[] | string } & ManyOptions; output: PatchManyResult };
  'edges.get': { input: Found; output: GraphEdge };
  'edges.open_secret': { input: Found & { path: string }; output: Opened };
  'edges.exists': { input: Found; output: { exists: boolean } };
  'edges.count': { input: InGraph & { type?: string; filter?: EdgeFilter }; output: { count: number } };
  'edges.list': { input: InGraph & Members<EdgeListOptions>; output: Page<GraphEdge> };
  'edges.explain': { input: InGraph & Members<EdgeListOptions>; output: Explanation };
  'edges.search': {
    input: InGraph & PageInput & { query: string; type?: string; filter?: EdgeFilter };
    output: Page<EdgeHit>;
  };
  'edges.delete': { input: Found & { revision?: number }; output: { deleted: true } };
  'edges.delete_many': {
    input: InGraph & { keys?: readonly string[]; filter?: EdgeFilter } & ManyOptions;
    output: DeleteEdgesResult;
  };
  'identity.schemas': { input: Empty; output: { tables: Record<IdentityTable, RowSchemas> } };
  'accounts.create': {
    input: ByActor & { email: string; name?: string | null; access_level?: AccessLevel; id?: string; metadata?: JsonObject };
    output: Account;
  };
  'accounts.get': { input: OfId; output: Account };
  'accounts.find': { input: { email: string }; output: Account };
  'accounts.list': { input: Filtered<AccountListOptions>; output: Page<Account> };
  'accounts.update': {
    input: OfId & ByActor & { email?: string; name?: string | null; access_level?: AccessLevel; metadata?: JsonObject };
    output: Account;
  };
  'accounts.deactivate': { input: OfId & ByActor; output: Account };
  'accounts.reactivate': { input: OfId & ByActor; output: Account };
  'accounts.delete': { input: OfId & ByActor; output: { deleted: true; api_keys: number; members: number } };
  'organizations.create': {
    input: ByActor & { slug: string; name: string; owner_id?: string; id?: string; metadata?: JsonObject };
    output: Organization;
  };
  'organizations.get': { input: OfId | { slug: string }; output: Organization };
  'organizations.list': { input: Filtered<OrganizationListOptions>; output: Page<Organization> };
  'organizations.update': { input: OfId & ByActor & { slug?: string; name?: string; metadata?: JsonObject }; output: Organization };
  'organizations.transfer': { input: OfId & ByActor & { to: string }; output: Organization };
  'organizations.suspend': { input: OfId & ByActor; output: Organization };
  'organizations.resume': { input: OfId & ByActor; output: Organization };
  'organizations.delete': { input: OfId & ByActor; output: Organization };
  'members.add': { input: OfMember & ByActor & { level?: Level }; output: Member };
  'members.get': { input: OfMember; output: Member };
  'members.list': { input: Filtered<MemberListOptions>; output: Page<Member> };
  'members.set_level': { input: OfMember & ByActor & { level: Level }; output: Member };
  'members.suspend': { input: OfMember & ByActor; output: Member };
  'members.resume': { input: OfMember & ByActor; output: Member };
  'members.remove': { input: OfMember & ByActor; output: { removed: true } };
  'members.leave': { input: ByActor & { org_id: string; account_id?: string }; output: { removed: true } };
  'invitations.create': {
    input: ByActor & { org_id: string; email: string; level?: Level; expires_at?: number; ttl?: number; metadata?: JsonObject };
    output: { invitation: Invitation; token: string };
  };
  'invitations.get': { input: OfId; output: Invitation };
  'invitations.list': { input: Filtered<InvitationListOptions>; output: Page<Invitation> };
  'invitations.accept': { input: ByActor & { token: string; account_id?: string }; output: { member: Member; invitation: Invitation } };
  'invitations.reject': { input: ByActor & { token: string }; output: Invitation };
  'invitations.cancel': { input: OfId & ByActor; output: Invitation };
  'api_keys.create': { input: KeyInput; output: { key: ApiKey; token: string } };
  'api_keys.get': { input: OfId; output: ApiKey };
  'api_keys.list': { input: Filtered<ApiKeyListOptions>; output: Page<ApiKey> };
  'api_keys.verify': { input: { token: string }; output: Verified & { valid: true } };
  'api_keys.rotate': { input: OfId & ByActor & { overlap?: number }; output: { key: ApiKey; token: string; previous: ApiKey } };
  'api_keys.revoke': { input: OfId & ByActor; output: ApiKey };
  'api_keys.import': { input: KeyInput & { hash: string }; output: ApiKey };
  'auth.authenticate': { input: { token: string }; output: Authenticated };
  'audit.append': {
    input: ByActor & {
      action: string;
      resource?: string;
      org_id?: string;
      detail?: JsonObject;
      personal?: Record<string, string>;
      subject?: string;
    };
    output: { seq: number; hash: string };
  };
  'audit.get': { input: { seq: number }; output: AuditRow };
  'audit.list': {
    input: { filter?: Members<Pick<AuditListOptions, 'action' | 'actorId' | 'resource' | 'orgId'>> } & Pick<
      AuditListOptions,
      'after' | 'before' | 'order' | 'limit'
    > & { since?: number; until?: number };
    output: AuditPage;
  };
  'audit.verify': {
    input: { checkpoint?: CheckpointFields; checkpoints?: readonly CheckpointFields[]; from?: number; limit?: number };
    output: AuditReport;
  };
  'audit.checkpoint': { input: Empty; output: Checkpoint };
  'audit.keep': { input: Checkpoint & ByActor & { replace?: boolean }; output: { kept: boolean } };
  'audit.checkpoints': { input: { file: string }; output: { items: Checkpoint[] } };
  'audit.export': { input: { after?: number; limit?: number }; output: AuditExport };
  'audit.prune': { input: ByActor & { through: number; checkpoint: CheckpointFields }; output: AuditPruned };
  'audit.prove': { input: { seq: number; subject: string; name: string; text: string }; output: { proven: boolean } };
  'audit.erase_subject': { input: ByActor & { subject: string }; output: SubjectErased };
  'access.check': { input: AccessInput & AccessQuestion; output: { allowed: boolean; revision: number } };
  'access.check_many': {
    input: AccessInput & { items: readonly AccessQuestion[] };
    output: { items: ({ allowed: boolean } | { error: { code: string; message: string } })[]; revision: number };
  };
  'access.explain': { input: AccessInput & AccessQuestion; output: AccessExplanation };
  'access.list_objects': {
    input: AccessInput & PageInput & { subject: string; scope: string; kind?: string };
    output: Page<string> & { revision: number };
  };
  'access.list_subjects': {
    input: AccessInput & PageInput & { scope: string; resource?: string; kind?: SubjectType };
    output: Page<string> & { revision: number };
  };
  'access.expand': { input: AccessInput & { scope: string; resource?: string; limit?: number }; output: AccessExpansion };
  'access.put': { input: InAccess & ByActor & { key: string; type: AccessNodeType; attributes?: JsonObject }; output: GraphNode };
  'access.remove': { input: InAccess & ByActor & { key: string }; output: { removed: true; edges: number; revision: number } };
  'access.set_parent': {
    input: InAccess & ByActor & { resource: string; parent: string | null };
    output: { changed: boolean; revision: number };
  };
  'access.grant': { input: GrantInput; output: AccessWritten };
  'access.deny': { input: GrantInput; output: AccessWritten };
  'access.assign': {
    input: InAccess & ByActor & { subject: string; role?: string; group?: string; expires_at?: number };
    output: AccessWritten;
  };
  'access.revoke': {
    input: InAccess &
      ByActor & {
        kind: 'grant' | 'deny' | 'role' | 'group' | 'delegation';
        subject: string;
        target?: string;
        scopes?: readonly string[];
      };
    output: { revoked: 0 | 1; revision: number };
  };
  'access.delegate': {
    input: InAccess &
      ByActor & {
        from: string;
        to: string;
        scopes: readonly string[];
        expires_at?: number;
        max_depth?: number;
        may_redelegate?: boolean;
      };
    output: AccessWritten;
  };
  'access.seed': { input: InAccess & ByActor; output: AccessSeeded };
  'access.sync': { input: InAccess & ByActor & { org_id?: string; members?: readonly AccessMember[] }; output: AccessSynced };
  'tenants.list': { input: PageInput & { filter?: { status?: OrganizationStatus } }; output: Page<Tenant> };
  'tenants.get': { input: { org_id: string }; output: Tenant };
  'tenants.migrate': { input: PageInput; output: Page<TenantMigrated> };
  'tenants.maintain': { input: PageInput; output: Page<TenantMaintained> & { finished: number } };
  'tenants.apply': { input: PageInput & { operation: TenantOperation; input: object }; output: Page<TenantApplied> };
  'tenants.backup': { input: { org_id: string; path: string; overwrite?: boolean }; output: Copy };
  'tenants.restore': { input: { org_id: string; path: string }; output: Copy };
  'tenants.delegate': {
    input: ByActor & {
      from_org: string;
      from: string;
      to_org: string;
      to: string;
      scopes: readonly string[];
      expires_at?: number;
      max_depth?: number;
      may_redelegate?: boolean;
    };
    output: Delegation;
  };
  'tenants.revoke_delegation': { input: OfId & ByActor; output: Delegation };
  'tenants.delegations': {
    input: PageInput & { filter?: { from_org?: string; to_org?: string; state?: DelegationState } };
    output: Page<Delegation>;
  };
  'tenants.stats': { input: Empty; output: HubStats };
}

/** A registry name; any other text is accepted too, since a newer library may know more. */
export type OperationName = keyof Operations | (string & {});

/** Inputs and outputs of the operations that graph types have, by their verb: `types.<graph type>.<Type>.<verb>`. */
interface TypedOperations {
  insert: { input: InGraph & JsonObject; output: InsertResult };
  put: { input: InGraph & JsonObject; output: PutResult };
  patch: { input: Found & Patch; output: PatchResult };
  get: { input: Found; output: GraphNode | GraphEdge };
  find: { input: InGraph & PageInput & JsonObject; output: Page<GraphNode | GraphEdge> };
  count: { input: InGraph & { filter?: NodeFilter | EdgeFilter }; output: { count: number } };
  delete: { input: Found & { edges?: 'refuse' | 'delete'; revision?: number }; output: { deleted: true; edges?: number } };
}

type Verb<Name extends string> = Name extends `types.${string}.${string}.${infer Rest}`
  ? Rest extends `${string}.${string}`
    ? Verb<`types.x.${Rest}`>
    : Rest
  : never;

type Operation<Name extends string> = Name extends keyof Operations
  ? Operations[Name]
  : [Verb<Name>] extends [keyof TypedOperations]
    ? [Verb<Name>] extends [never]
      ? { input: JsonObject; output: unknown }
      : TypedOperations[Verb<Name>]
    : { input: JsonObject; output: unknown };

/** What an operation takes. */
export type InputOf<Name extends string> = Operation<Name>['input'];

/** What an operation answers. */
export type OutputOf<Name extends string> = Operation<Name>['output'];
