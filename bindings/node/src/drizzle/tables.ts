/*
 * `brant/drizzle/tables`: brant's own tables as Drizzle's, to be read and joined with one's own. core/sql/*.sql is where they are made, and says more of each column; a test holds
 * these against the tables of a file. They are the file's, so what writes them is refused (`DENIED`): nodes, jobs and all others are changed by brant's operations.
 *
 * Names are those of the file. Times are ms since the Unix epoch. Rows refer to each other by `row_id`; `id` is for the world. What the file keeps as the number of
 * a state reads, and is compared, as its name. Hashes of tokens are left out.
 */
import { relations, sql } from 'drizzle-orm';
import { blob, customType, integer, primaryKey, sqliteTable, text } from 'drizzle-orm/sqlite-core';
import { int64 } from './column.js';

type Json = Record<string, unknown>;

/** One of `names`, which the file has the number of. */
function oneOf<const Names extends readonly [string, ...string[]]>(names: Names) {
  return customType<{ data: Names[number]; driverData: number }>({
    dataType: () => 'integer',
    fromDriver: (value) => names[value] as Names[number],
    toDriver: (value) => {
      const index = names.indexOf(value);
      if (index < 0) throw new TypeError(`${JSON.stringify(value)} is none of ${names.join(', ')}`);
      return index;
    },
  })();
}

/** What a job or an event carries: a JSON value, or the bytes that were given. */
const payload = customType<{ data: unknown; driverData: string | Uint8Array }>({
  dataType: () => 'any',
  fromDriver: (value) => (typeof value === 'string' ? JSON.parse(value) : value),
  toDriver: (value) => (value instanceof Uint8Array ? value : JSON.stringify(value)),
});
const json = () => text({ mode: 'json' }).$type<Json>();
const texts = () => text({ mode: 'json' }).$type<string[]>();
const flag = () => integer({ mode: 'boolean' });
const row = () => integer().primaryKey();
const number = () => integer().notNull();
const name = () => text().notNull();
const times = () => ({ created_at: number(), updated_at: number() });

/* ---- graphs ---- */

export const graph_types = sqliteTable('graph_types', {
  row_id: row(),
  id: name().unique(),
  name: name().unique(),
  scope: text({ enum: ['system', 'tenant', 'user'] }).notNull(),
  version: number(),
  changes: number().default(0),
  ...times(),
  config: json().notNull(),
  metadata: json().notNull().default({}),
  module: json().notNull(),
  retention: json(),
  source: json(),
});

export const node_types = sqliteTable('node_types', { row_id: row(), id: name().unique(), graph_type: number(), name: name(), metadata: json().notNull().default({}), ...times() });

/** `source`, `target`: names of node types; null: any. */
export const edge_types = sqliteTable('edge_types', {
  row_id: row(),
  id: name().unique(),
  graph_type: number(),
  name: name(),
  source: texts(),
  target: texts(),
  metadata: json().notNull().default({}),
  ...times(),
});

export const graphs = sqliteTable('graphs', {
  row_id: row(),
  id: name().unique(),
  name: name().unique(),
  graph_type: number(),
  owner_id: text(),
  project_id: text(),
  status: text({ enum: ['draft', 'active', 'archived', 'deleted'] }).notNull(),
  nodes: number().default(0),
  edges: number().default(0),
  changes: number().default(0),
  shape: number().default(0),
  metadata: json().notNull().default({}),
  ...times(),
  changed_at: number().default(0),
  change_stream: text(),
});

/** `type` 0: untyped. */
export const graph_counts = sqliteTable('graph_counts', { graph: number(), kind: oneOf(['nodes', 'edges']).notNull(), type: number(), count: number() }, (t) => [
  primaryKey({ columns: [t.graph, t.kind, t.type] }),
]);

/** `type`: row id of the node type, 0 in untyped graphs. */
export const nodes = sqliteTable('nodes', {
  row_id: row(),
  graph: number(),
  key: name(),
  type: number(),
  revision: number().default(1),
  attributes: json().notNull().default({}),
  metadata: json().notNull().default({}),
  ...times(),
  type_version: number().default(1),
});

/** `key` null: it is known by its ends and type. `source`, `target`: row ids of nodes. `orientation`: bit 0: undirected in a mixed graph, bit 1: its ends were given in the other order. */
export const edges = sqliteTable('edges', {
  row_id: row(),
  graph: number(),
  key: text(),
  type: number(),
  source: number(),
  target: number(),
  revision: number().default(1),
  attributes: json().notNull().default({}),
  metadata: json().notNull().default({}),
  ...times(),
  type_version: number().default(1),
  orientation: number().default(0),
});

export const attribute_indexes = sqliteTable('attribute_indexes', {
  row_id: integer().primaryKey({ autoIncrement: true }),
  id: name().unique(),
  name: name().unique(),
  graph_type: number(),
  of: oneOf(['nodes', 'edges']).notNull(),
  type: number(),
  kind: text({ enum: ['value', 'text'] }).notNull(),
  paths: texts().notNull(),
  created_at: number(),
});

/* ---- notifications, jobs, streams ---- */

/** `payload`: JSON text; where `bytes` is true, base64. */
export const notifications = sqliteTable('notifications', {
  id: integer().primaryKey({ autoIncrement: true }),
  channel: name(),
  payload: name(),
  created_at: number(),
  bytes: flag().notNull().default(false),
});

export const notification_channels = sqliteTable('notification_channels', {
  channel: text().notNull().primaryKey(),
  count: number(),
  pruned_through: number().default(0),
  kept_count: integer(),
  kept_age: integer(),
});

export const queues = sqliteTable('queues', {
  row_id: integer().primaryKey({ autoIncrement: true }),
  name: name().unique(),
  state: oneOf(['active', 'paused', 'draining']).notNull(),
  policy: json().notNull().default({}),
  revision: number().default(1),
  size: number().default(0),
  ...times(),
});

export const jobs = sqliteTable('jobs', {
  id: integer().primaryKey(),
  queue: number(),
  state: oneOf(['ready', 'delayed', 'blocked', 'running', 'done', 'dead', 'cancelled', 'expired']).notNull(),
  priority: number().default(0),
  payload: payload(),
  created_at: number(),
  key: text(),
  attempt: number().default(0),
  claims: number().default(0),
  lease_until: integer(),
  worker: text(),
  claimed_at: integer(),
  ready_at: integer(),
  run_at: integer(),
  expires_at: integer(),
  max_attempts: integer(),
  result_ttl: integer(),
  waits: number().default(0),
  cancel: flag().notNull().default(false),
  finished_at: integer(),
  remove_at: integer(),
  progress: text({ mode: 'json' }),
  result: payload(),
  errors: text({ mode: 'json' }).$type<Json[]>(),
  schedule: text(),
});

export const job_dependencies = sqliteTable('job_dependencies', { after: number(), job: number(), on_failure: oneOf(['cancel', 'run']).notNull() }, (t) => [
  primaryKey({ columns: [t.after, t.job] }),
]);

export const streams = sqliteTable('streams', {
  row_id: integer().primaryKey({ autoIncrement: true }),
  name: name().unique(),
  head: number().default(0),
  newest_at: number().default(0),
  trimmed_through: number().default(0),
  holes: number().default(0),
  compacted_through: number().default(0),
  max_age: integer(),
  max_count: integer(),
  keep_unread: flag().notNull().default(false),
  compact: flag().notNull().default(false),
  compact_after: number().default(0),
  groups: flag().notNull().default(false),
  ...times(),
});

/** `id` is the stream's row id and the offset in one; {@link event_stream} and {@link event_offset} part them. */
export const stream_events = sqliteTable('stream_events', { id: int64().primaryKey(), payload: payload(), created_at: number(), key: text() });
/** Which stream an event is of: `innerJoin(streams, eq(streams.row_id, event_stream))`. */
export const event_stream = sql<number>`(${stream_events.id} >> 40)`;
/** The offset of an event. */
export const event_offset = sql<number>`(${stream_events.id} & 1099511627775)`;

export const stream_consumers = sqliteTable('stream_consumers', {
  row_id: integer().primaryKey({ autoIncrement: true }),
  stream: number(),
  name: name(),
  kind: oneOf(['consumer', 'group']).notNull(),
  offset: number(),
  next: number().default(0),
  token: number().default(0),
  ...times(),
});

export const stream_pending = sqliteTable(
  'stream_pending',
  { consumer: number(), offset: number(), member: name(), token: number(), deliveries: number(), lease_until: number() },
  (t) => [primaryKey({ columns: [t.consumer, t.offset] })],
);

export const locks = sqliteTable('locks', { name: text().notNull().primaryKey(), owner: name(), token: number(), acquired_at: number(), renewed_at: number(), expires_at: number() });

export const rate_limits = sqliteTable('rate_limits', {
  name: text().notNull().primaryKey(),
  kind: oneOf(['sliding_window', 'token_bucket']).notNull(),
  limit: number(),
  period: number(),
  burst: number(),
  ahead: number(),
  at: number(),
  level: number(),
  full_at: number(),
});

export const schedules = sqliteTable('schedules', {
  name: text().notNull().primaryKey(),
  queue: name(),
  spec: name(),
  timezone: name(),
  payload: payload(),
  options: json().notNull(),
  misfire: text({ enum: ['skip', 'one', 'all'] }).notNull(),
  catch_up: number(),
  paused: flag().notNull().default(false),
  next_at: integer(),
  last_at: integer(),
  fired: number().default(0),
  ...times(),
});

/* ---- identity: in a hub's system file and in a single file ---- */

export const accounts = sqliteTable('brant_accounts', {
  row_id: row(),
  id: name().unique(),
  email: name().unique(),
  name: text(),
  access_level: text({ enum: ['user', 'service', 'admin'] }).notNull(),
  status: text({ enum: ['active', 'inactive'] }).notNull(),
  metadata: json().notNull().default({}),
  ...times(),
});

export const organizations = sqliteTable('brant_organizations', {
  row_id: row(),
  id: name().unique(),
  slug: name().unique(),
  name: name(),
  owner_id: name(),
  status: text({ enum: ['active', 'suspended', 'deleting'] }).notNull(),
  metadata: json().notNull().default({}),
  ...times(),
});

export const members = sqliteTable('brant_members', {
  row_id: row(),
  id: name().unique(),
  org_id: name(),
  account_id: name(),
  level: text({ enum: ['owner', 'admin', 'member', 'viewer'] }).notNull(),
  status: text({ enum: ['active', 'suspended'] }).notNull(),
  metadata: json().notNull().default({}),
  ...times(),
});

export const invitations = sqliteTable('brant_invitations', {
  row_id: row(),
  id: name().unique(),
  org_id: name(),
  email: name(),
  level: text({ enum: ['owner', 'admin', 'member', 'viewer'] }).notNull(),
  kid: name().unique(),
  pepper_version: number(),
  invited_by: text(),
  account_id: text(),
  status: text({ enum: ['pending', 'accepted', 'rejected', 'cancelled'] }).notNull(),
  expires_at: number(),
  metadata: json().notNull().default({}),
  ...times(),
});

export const api_keys = sqliteTable('brant_api_keys', {
  row_id: row(),
  id: name().unique(),
  kid: name().unique(),
  type: name(),
  scheme: name(),
  pepper_version: number(),
  owner_id: name(),
  org_id: text(),
  name: name(),
  scopes: texts().notNull(),
  expires_at: integer(),
  revoked_at: integer(),
  last_used_at: integer(),
  rotated_from: text().unique(),
  metadata: json().notNull().default({}),
  ...times(),
});

export const audit_logs = sqliteTable('brant_audit_logs', {
  seq: integer().primaryKey(),
  id: name(),
  org_id: text(),
  actor_type: name(),
  actor_id: text(),
  action: name(),
  resource: text(),
  detail: json().notNull().default({}),
  metadata: json().notNull().default({}),
  created_at: number(),
  key_version: number(),
  hash: blob({ mode: 'buffer' }).notNull(),
});

/* ---- relations, for db.query: their names are none of a column ---- */

export const graphs_relations = relations(graphs, ({ one, many }) => ({
  definition: one(graph_types, { fields: [graphs.graph_type], references: [graph_types.row_id] }),
  all_nodes: many(nodes),
  all_edges: many(edges),
}));
export const graph_types_relations = relations(graph_types, ({ many }) => ({ all_graphs: many(graphs), all_node_types: many(node_types), all_edge_types: many(edge_types) }));
export const node_types_relations = relations(node_types, ({ one }) => ({ definition: one(graph_types, { fields: [node_types.graph_type], references: [graph_types.row_id] }) }));
export const edge_types_relations = relations(edge_types, ({ one }) => ({ definition: one(graph_types, { fields: [edge_types.graph_type], references: [graph_types.row_id] }) }));
export const nodes_relations = relations(nodes, ({ one, many }) => ({
  of_graph: one(graphs, { fields: [nodes.graph], references: [graphs.row_id] }),
  of_type: one(node_types, { fields: [nodes.type], references: [node_types.row_id] }),
  outgoing: many(edges, { relationName: 'source' }),
  incoming: many(edges, { relationName: 'target' }),
}));
export const edges_relations = relations(edges, ({ one }) => ({
  of_graph: one(graphs, { fields: [edges.graph], references: [graphs.row_id] }),
  of_type: one(edge_types, { fields: [edges.type], references: [edge_types.row_id] }),
  source_node: one(nodes, { fields: [edges.source], references: [nodes.row_id], relationName: 'source' }),
  target_node: one(nodes, { fields: [edges.target], references: [nodes.row_id], relationName: 'target' }),
}));
export const jobs_relations = relations(jobs, ({ one }) => ({ of_queue: one(queues, { fields: [jobs.queue], references: [queues.row_id] }) }));
export const stream_consumers_relations = relations(stream_consumers, ({ one }) => ({ of_stream: one(streams, { fields: [stream_consumers.stream], references: [streams.row_id] }) }));
export const members_relations = relations(members, ({ one }) => ({
  organization: one(organizations, { fields: [members.org_id], references: [organizations.id] }),
  account: one(accounts, { fields: [members.account_id], references: [accounts.id] }),
}));
export const organizations_relations = relations(organizations, ({ one, many }) => ({
  owner: one(accounts, { fields: [organizations.owner_id], references: [accounts.id] }),
  all_members: many(members),
}));
export const accounts_relations = relations(accounts, ({ many }) => ({ memberships: many(members), all_api_keys: many(api_keys) }));
export const api_keys_relations = relations(api_keys, ({ one }) => ({ owner: one(accounts, { fields: [api_keys.owner_id], references: [accounts.id] }) }));
