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

export interface SqlResult<Row extends readonly unknown[] = SqlValue[]> {
  columns: string[];
  rows: Row[];
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

/** The answer of `validateNode` and `validateEdge`. */
export interface Validation {
  valid: boolean;
  violations: import('./error.js').Violation[];
}

export type GraphStatus = 'draft' | 'active' | 'archived';

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

/** A node as it is read; with a schema, a union over its node types that `type` tells apart. */
export type GraphNode<S extends GraphSchema = AnySchema, Name extends TypeName<S['nodes']> = TypeName<S['nodes']>> =
  Name extends unknown ? Stored & { type: StoredType<Name>; attributes: S['nodes'][Name] } : never;

/** A node as it is written. */
export type NodeInput<S extends GraphSchema = AnySchema, Name extends TypeName<S['nodes']> = TypeName<S['nodes']>> =
  Name extends unknown ? Given & { key: string } & GivenType<Name> & { attributes?: S['nodes'][Name] | undefined } : never;

/** An edge as it is read. */
export type GraphEdge<S extends GraphSchema = AnySchema, Name extends TypeName<S['edges']> = TypeName<S['edges']>> =
  Name extends unknown
    ? Stored & { type: StoredType<Name>; source: string; target: string; attributes: S['edges'][Name] }
    : never;

/** An edge as it is written. */
export type EdgeInput<S extends GraphSchema = AnySchema, Name extends TypeName<S['edges']> = TypeName<S['edges']>> =
  Name extends unknown
    ? Given & { source: string; target: string; key?: string | undefined } & GivenType<Name> & {
          attributes?: S['edges'][Name] | undefined;
        }
    : never;

/** A node that an edge leads to. */
export interface Neighbor<S extends GraphSchema = AnySchema> {
  key: string;
  type: StoredType<TypeName<S['nodes']>>;
  edge: Pick<GraphEdge<S>, 'key' | 'type' | 'source' | 'target' | 'attributes'>;
}

/** What can be reached. The three arrays have one element a node. */
export interface Closure {
  keys: string[];
  depths: number[];
  /** The index of the node that this one was first reached from, -1 for a start. */
  parents: number[];
  /** The limit cut it. */
  truncated: boolean;
}

export interface PutResult {
  key: string;
  created: boolean;
  revision: number;
}

export interface PutManyResult {
  created: number;
  updated: number;
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

interface PageInput {
  limit?: number;
  cursor?: string | null;
}
interface InGraph {
  graph: string;
}
interface Named {
  name: string;
}
type Empty = Record<string, never>;

/** Inputs and outputs of the operations by their registry name, for {@link Database.call}. */
export interface Operations {
  'transaction.begin': { input: { mode?: 'write' | 'read' }; output: { depth: number } };
  'transaction.commit': { input: Empty; output: { depth: number } };
  'transaction.rollback': { input: Empty; output: { depth: number } };
  'sql.execute': { input: { sql: string; params?: unknown }; output: SqlResult<unknown[]> };
  'db.info': { input: Empty; output: Info };
  'db.doctor': { input: Empty; output: Diagnosis };
  'db.backup': { input: { path: string; overwrite?: boolean }; output: Copy };
  'db.restore': { input: { path: string }; output: Copy };
  'db.maintain': { input: Empty; output: Maintenance };
  'operations.list': { input: { namespace?: string }; output: { items: OperationSpec[] } };
  'events.notify': { input: { channel: string; payload?: unknown }; output: { id: number } };
  'graph_types.define': {
    input: { module: Module; name?: string; scope?: Scope; version?: number; metadata?: JsonObject };
    output: GraphType;
  };
  'graph_types.get': { input: Named; output: GraphType & { module: Module } };
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
  'nodes.put': { input: InGraph & NodeInput; output: PutResult };
  'nodes.put_many': { input: InGraph & { items: NodeInput[] }; output: PutManyResult };
  'nodes.get': { input: InGraph & { key: string }; output: GraphNode };
  'nodes.get_many': { input: InGraph & { keys: string[] }; output: { items: (GraphNode | null)[] } };
  'nodes.exists': { input: InGraph & { key: string }; output: { exists: boolean } };
  'nodes.count': { input: InGraph & { type?: string }; output: { count: number } };
  'nodes.list': { input: InGraph & PageInput & { type?: string; prefix?: string }; output: Page<GraphNode> };
  'nodes.delete': {
    input: InGraph & { key: string; edges?: 'refuse' | 'delete'; revision?: number };
    output: { deleted: true; edges: number };
  };
  'nodes.neighbors': {
    input: InGraph & PageInput & { key: string; direction?: 'out' | 'in' | 'both'; edge_types?: string[] };
    output: Page<Neighbor>;
  };
  'nodes.closure': {
    input: InGraph & {
      keys: string[];
      direction?: 'out' | 'in' | 'both';
      edge_types?: string[];
      max_depth?: number;
      limit?: number;
    };
    output: Closure;
  };
  'edges.put': { input: InGraph & EdgeInput; output: PutResult };
  'edges.put_many': { input: InGraph & { items: EdgeInput[] }; output: PutManyResult };
  'edges.get': { input: InGraph & { key: string }; output: GraphEdge };
  'edges.exists': { input: InGraph & { key: string }; output: { exists: boolean } };
  'edges.count': { input: InGraph & { type?: string }; output: { count: number } };
  'edges.list': {
    input: InGraph & PageInput & { type?: string; source?: string; target?: string };
    output: Page<GraphEdge>;
  };
  'edges.delete': { input: InGraph & { key: string; revision?: number }; output: { deleted: true } };
}

/** A registry name; any other text is accepted too, since a newer library may know more. */
export type OperationName = keyof Operations | (string & {});

/** What an operation takes. */
export type InputOf<Name extends string> = Name extends keyof Operations ? Operations[Name]['input'] : JsonObject;

/** What an operation answers. */
export type OutputOf<Name extends string> = Name extends keyof Operations ? Operations[Name]['output'] : unknown;
