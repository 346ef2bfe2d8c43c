/*
 * The shapes of the data, as core/include/brant/*.h state them. Members keep the snake_case of the file; only options, which are this
 * package's own, are camelCase.
 */
import type { Integers } from './json.js';

/** A JSON object. An integer beyond 2^53 is a bigint. */
export type JsonObject = Record<string, unknown>;

/** How to open a file. */
export interface OpenOptions {
  /** `'create'` (default), `'rw'`: the file must exist, `'ro'`: for reading only. */
  mode?: 'create' | 'rw' | 'ro' | undefined;
  /**
   * `'normal'` (default): what was acknowledged survives any crash of any process; a power cut may lose the last commits,
   * never consistency. `'full'`: survives power cuts too.
   */
  durability?: 'normal' | 'full' | undefined;
  /** Given to a new file, default `'single'`; for an existing one it must match (`CONFLICT`). */
  role?: 'single' | 'system' | 'tenant' | undefined;
  /**
   * Milliseconds to wait for another writer before `BUSY`. Default 250 on the main thread, whose event loop stands still
   * meanwhile, and 5000 in a Worker. Asynchronous calls wait 5000, or this when it is longer.
   */
  busyTimeout?: number | undefined;
  /** `'private'` (default): 0600; `'group'`: 0660; for what this call creates. */
  permissions?: 'private' | 'group' | undefined;
  /** Add brant's tables to an SQLite database that has none yet. */
  adopt?: boolean | undefined;
  /** Open on a network file system all the same. */
  network?: boolean | undefined;
  /** Allow changes of graph types of scope `system`. */
  system?: boolean | undefined;
  /** Enforce the foreign keys of your own tables, and run their actions; default false, as SQLite has it. */
  foreignKeys?: boolean | undefined;
  /** Bounds of what is accepted: bytes of a document, its depth, bytes of a key, items of a batch. */
  limits?: { document?: number; depth?: number; key?: number; batch?: number } | undefined;
  /** Bytes of page cache, default 64 MiB. */
  cache?: number | undefined;
  /**
   * How integers beyond 2^53 are read. `'exact'` (default): as bigint, all others as number, so that nothing is ever rounded.
   * `'number'`: all as number, rounded as JSON.parse does. A bigint is accepted wherever a number is.
   */
  integers?: Integers | undefined;
}

/** Of a call that runs on another thread. */
export interface AsyncOptions {
  /** Ends the call: the promise rejects with the signal's reason. What a write had begun is taken back. */
  signal?: AbortSignal | undefined;
  /** Milliseconds from now after which the call fails with `TIMEOUT`. */
  timeout?: number | undefined;
}

/** A part of a list. */
export interface Page<T> {
  items: T[];
  /** For the next call, null at the end. It survives writes in between. */
  cursor: string | null;
}

export interface PageOptions {
  /** Items of a page, 1 to 10000, default 100. */
  limit?: number | undefined;
  /** Where the page before ended. */
  cursor?: string | null | undefined;
}

/** What `info` says. */
export interface Info {
  path: string;
  role: 'single' | 'system' | 'tenant';
  mode: 'create' | 'rw' | 'ro';
  durability: 'normal' | 'full';
  format: number;
  version: string;
  sqlite_version: string;
  page_size: number;
  pages: number;
  size: number;
  wal_size: number;
  graphs: number;
  nodes: number;
  edges: number;
  queues: number;
  /** Of all queues, in all states. */
  jobs: number;
  streams: number;
  /** Of all streams. */
  events: number;
  locks: number;
  schedules: number;
  created_at: number;
}

/** What `doctor` found. */
export interface Diagnosis {
  ok: boolean;
  checks: { name: string; ok: boolean; problems: string[] }[];
}

/** What `maintain` did. */
export interface Maintenance {
  pruned: number;
  wal_pages: number;
  /** What the retention rules of graph types did. */
  retention: { archived: number; deleted: number; purged: number; nodes: number; edges: number };
  /** Events that streams did not keep. */
  streams: { trimmed: number; compacted: number };
  /** Jobs that had ended and were not kept. */
  jobs: number;
  /** Jobs of the library's own queues that were worked. */
  worked: { jobs: number; failed: number; steps: number };
  locks: number;
  rate_limits: number;
}

export interface EraseOptions {
  /** `'delete'` (default): nodes with their edges, and edges. `'redact'`: the value is replaced in place, except where that cannot be. */
  action?: 'delete' | 'redact' | undefined;
  /** Only say what would be done. */
  dryRun?: boolean | undefined;
  /** What redaction writes, default `'[erased]'`. */
  replacement?: string | undefined;
}

/** What `erase` found, and did with it. */
export interface Erasure {
  /** At most 1000 each; `counts` has them all. */
  nodes: { graph: string; key: string; action: 'delete' | 'redact' }[];
  edges: { graph: string; key: string; action: 'delete' | 'redact' }[];
  counts: {
    nodes: number;
    edges: number;
    notifications: number;
    graphs: number;
    jobs: number;
    events: number;
    schedules: number;
    rate_limits: number;
    /** Events that members of groups have, whose names were replaced. */
    pending: number;
    /** Whose owners' names were replaced. */
    locks: number;
  };
  truncated: boolean;
  /** What was left as it is, and why. */
  refused: { graph: string; key: string | null; reason: string }[];
  /** No byte of what was removed is left in the file. False in a transaction, and while a reader is in one: call again afterwards. */
  scrubbed: boolean;
}

/** What `backup` or `restore` wrote. */
export interface Copy {
  path: string;
  pages: number;
  size: number;
}

/** A value of the user's own SQL. */
export type SqlValue = null | boolean | number | bigint | string | Uint8Array;

/** Parameters by position or by name (without the prefix). */
export type SqlParameters = readonly SqlValue[] | { readonly [name: string]: SqlValue };

/** How a statement is run. */
export interface SqlOptions {
  /** Answer at most so many rows. A query ends there; what writes (`RETURNING`) is done to its end. */
  limit?: number | undefined;
  /** Also answer `types`. */
  describe?: boolean | undefined;
}

export interface SqlResult<Row extends readonly unknown[] = SqlValue[]> {
  columns: string[];
  rows: Row[];
  /** With `describe`: what each column's table declares of it, null for an expression. */
  types?: ({ type: string; not_null: boolean } | null)[];
  /** Rows that the statement itself inserted, updated or deleted, not those of triggers and of foreign keys' actions. */
  changes: number;
  last_insert_rowid: number | bigint;
}

/** A module: JSON Schema entries that define one graph type. */
export interface Module {
  $id?: string;
  $defs?: Record<string, unknown>;
  [member: string]: unknown;
}

export type Scope = 'user' | 'tenant' | 'system';

export interface GraphType {
  id: string;
  name: string;
  scope: Scope;
  version: number;
  config: {
    directed: 'directed' | 'undirected' | 'mixed';
    multi: boolean;
    allow_self_loops: boolean;
    acyclic: boolean;
    max_nodes: number | null;
    max_edges: number | null;
  };
  node_types: string[];
  edge_types: { name: string; source: string[] | null; target: string[] | null }[];
  metadata: JsonObject;
  created_at: number;
  updated_at: number;
}

/** A graph type with what it was made of. */
export interface GraphTypeDetail extends GraphType {
  module: Module;
  retention: Retention | null;
}

/** Something in a module that works and is probably not meant. */
export interface ModuleWarning {
  /** JSON pointer into the module. */
  pointer: string;
  message: string;
}

/** Which nodes or edges are removed, and when; of all types and all that match when left out. */
export interface RetentionRule {
  type?: string;
  filter?: JsonObject;
  /** Milliseconds. */
  older_than: number;
  /** `'updated_at'` (default), `'created_at'`, or a path of an attribute that holds a time: `'attributes.<path>'`. */
  by?: string;
}

/**
 * Retention of the graphs of a type, in milliseconds. Of a graph they count from its last change, in it or of itself; rules for rows hold in graphs
 * that are not deleted, and nodes go with their edges.
 */
export interface Retention {
  archive_after?: number;
  /** Marks the graph. */
  delete_after?: number;
  /** Removes graphs that are marked. */
  purge_after?: number;
  nodes?: RetentionRule[];
  edges?: RetentionRule[];
}

/** The answer of `validateNode` and `validateEdge`. */
export interface Validation {
  valid: boolean;
  violations: import('./error.js').Violation[];
}

export type GraphStatus = 'draft' | 'active' | 'archived' | 'deleted';

/** A graph's row. */
export interface GraphInfo {
  id: string;
  name: string;
  graph_type: string;
  owner_id: string | null;
  project_id: string | null;
  status: GraphStatus;
  metadata: JsonObject;
  nodes: number;
  edges: number;
  created_at: number;
  updated_at: number;
  /** A log of its changes is kept. */
  changes?: boolean;
}

/**
 * The attribute types of a graph's node and edge types, by name, for {@link Database.graph}:
 *
 * ```ts
 * interface Packages {
 *   nodes: { Package: { version: string } };
 *   edges: { DependsOn: { optional: boolean } };
 * }
 * ```
 */
export interface GraphSchema {
  nodes: object;
  edges: object;
}

/** Any types and attributes. */
export interface AnySchema {
  nodes: Record<string, JsonObject>;
  edges: Record<string, JsonObject>;
}

/** The names of a schema's types. */
export type TypeName<Types extends object> = keyof Types & string;

/** `type` of what is read: null in graphs without types. */
type StoredType<Name extends string> = string extends Name ? string | null : Name;

/** `type` of what is written: it may be left out when the item exists or there is only one type. */
type GivenType<Name extends string> = string extends Name
  ? { type?: string | null | undefined }
  : { type: Name } | { type?: undefined };

interface Stored {
  key: string;
  metadata: JsonObject;
  revision: number;
  created_at: number;
  updated_at: number;
}

interface Given {
  /** Stays as it is when left out. */
  metadata?: JsonObject | undefined;
  /** The revision that must be stored, 0 for "must not exist" (`CONFLICT`). */
  revision?: number | undefined;
}

interface Fresh {
  metadata?: JsonObject | undefined;
}

interface Joining {
  source: string;
  target: string;
  key?: string | undefined;
  /** In a mixed graph: it goes both ways. Default false; a stored edge stays as it is. */
  undirected?: boolean | undefined;
}

/** A node as it is read; with a schema, a union over its node types that `type` tells apart. */
export type GraphNode<S extends GraphSchema = AnySchema, Name extends TypeName<S['nodes']> = TypeName<S['nodes']>> =
  Name extends unknown ? Stored & { type: StoredType<Name>; attributes: S['nodes'][Name] } : never;

/** A node as it is written. */
export type NodeInput<S extends GraphSchema = AnySchema, Name extends TypeName<S['nodes']> = TypeName<S['nodes']>> =
  Name extends unknown ? Given & { key: string } & GivenType<Name> & { attributes?: S['nodes'][Name] | undefined } : never;

/** A node that is new. */
export type NewNode<S extends GraphSchema = AnySchema, Name extends TypeName<S['nodes']> = TypeName<S['nodes']>> =
  Name extends unknown ? Fresh & { key: string } & GivenType<Name> & { attributes?: S['nodes'][Name] | undefined } : never;

/** An edge as it is read. `undirected` is there in mixed graphs only. */
export type GraphEdge<S extends GraphSchema = AnySchema, Name extends TypeName<S['edges']> = TypeName<S['edges']>> =
  Name extends unknown
    ? Stored & { type: StoredType<Name>; source: string; target: string; attributes: S['edges'][Name]; undirected?: boolean }
    : never;

/** An edge as it is written. */
export type EdgeInput<S extends GraphSchema = AnySchema, Name extends TypeName<S['edges']> = TypeName<S['edges']>> =
  Name extends unknown
    ? Given & Joining & GivenType<Name> & { attributes?: S['edges'][Name] | undefined }
    : never;

/** An edge that is new. */
export type NewEdge<S extends GraphSchema = AnySchema, Name extends TypeName<S['edges']> = TypeName<S['edges']>> =
  Name extends unknown ? Fresh & Joining & GivenType<Name> & { attributes?: S['edges'][Name] | undefined } : never;

/** A node that an edge leads to. */
export interface Neighbor<S extends GraphSchema = AnySchema> {
  key: string;
  type: StoredType<TypeName<S['nodes']>>;
  edge: Pick<GraphEdge<S>, 'key' | 'type' | 'source' | 'target' | 'attributes'>;
}

export interface PutResult {
  key: string;
  created: boolean;
  revision: number;
}

export interface InsertResult {
  key: string;
  created: true;
  revision: 1;
}

/** What is wrong with one item of many. */
export interface ItemFault {
  /** Its place among the items; with a filter, among what matches. */
  index: number;
  key: string | null;
  code: import('./error.js').ErrorCode;
  message: string;
  violations?: import('./error.js').Violation[];
  /** Of NDJSON: the byte in the text, for a line that is no JSON object. */
  offset?: number;
}

/** With `errors: 'skip'`: what was not written. */
export interface Skipped {
  failed?: number;
  /** At most 100. */
  items?: ItemFault[];
}

export interface PutManyResult extends Skipped {
  created: number;
  updated: number;
}

export interface InsertManyResult extends Skipped {
  created: number;
}

export interface PatchManyResult extends Skipped {
  updated: number;
  unchanged: number;
}

export interface ManyOptions {
  /** `'refuse'` (default): all or nothing. `'skip'`: the good items are written, and the answer names the others. */
  errors?: 'refuse' | 'skip' | undefined;
}

export interface PatchResult {
  key: string;
  revision: number;
  /** False: the content was the same, and so is the revision. */
  changed: boolean;
}

/** What to change: merge patches (RFC 7386), so null removes a member. */
export interface Patch {
  attributes: JsonObject;
  metadata?: JsonObject | undefined;
  /** The revision that must be stored (`CONFLICT`). */
  revision?: number | undefined;
}

/** A patch of one of many. */
export interface NodePatch extends Patch {
  key: string;
}
export interface EdgePatch extends Patch {
  key: string;
}

/** Found by its words; `score` is higher for the better, `snippet` shows where. */
export interface NodeHit<S extends GraphSchema = AnySchema, Name extends TypeName<S['nodes']> = TypeName<S['nodes']>> {
  node: GraphNode<S, Name>;
  score: number;
  snippet: string;
}

export interface EdgeHit<S extends GraphSchema = AnySchema, Name extends TypeName<S['edges']> = TypeName<S['edges']>> {
  edge: GraphEdge<S, Name>;
  score: number;
  snippet: string;
}

/** Some nodes, by key, and all edges between them, by source, type and target. */
export interface Subgraph<S extends GraphSchema = AnySchema> {
  nodes: GraphNode<S>[];
  edges: GraphEdge<S>[];
  truncated: boolean;
}

/** How SQLite would answer a list. */
export interface Explanation {
  sql: string;
  plan: { id: number; parent: number; detail: string }[];
  /** Attribute indexes that it uses. */
  indexes: string[];
  /** It reads all nodes or edges of the graph. */
  scan: boolean;
}

/** An index over attributes of a type. */
export interface AttributeIndex {
  id: string;
  name: string;
  graph_type: string;
  of: 'nodes' | 'edges';
  /** Null where `of` says enough: in graph types without types, and for the other one. */
  node_type: string | null;
  edge_type: string | null;
  kind: 'value' | 'text';
  paths: string[];
  created_at: number;
}

/** What a channel carried. */
export interface Message<Payload = unknown> {
  id: number;
  channel: string;
  payload: Payload;
  created_at: number;
  gap?: undefined;
}

/** In place of notifications that retention removed before a slow listener had read them. */
export interface Gap {
  channel: string;
  /** The ids that are missing, inclusive. */
  gap: { from: number; to: number };
  id?: undefined;
  payload?: undefined;
}

export type Notification<Payload = unknown> = Message<Payload> | Gap;

/** A channel that has notifications. */
export interface ChannelInfo {
  channel: string;
  count: number;
  newest_at?: number;
  /** What retention keeps. */
  kept_count: number;
  kept_age: number;
}

/** An operation, described as data. Schemas are JSON Schema 2020-12. */
export interface OperationSpec {
  name: string;
  namespace: string;
  type: 'query' | 'mutation' | 'subscription';
  title: string;
  description: string;
  input_schema: JsonObject;
  /** For a subscription, that of one item. */
  output_schema: JsonObject;
  required_scopes: string[];
  errors: string[];
}

/** Which of what is listed by name. */
export interface ListOptions {
  /** Only names that begin with this. */
  prefix?: string | undefined;
  limit?: number | undefined;
  /** Names behind this: `next` of the page before. */
  after?: string | undefined;
}

/** A part of what is listed by name. */
export interface Listed<T> {
  items: T[];
  /** Where to go on; absent at the end. */
  next?: string;
}
