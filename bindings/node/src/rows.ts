/*
 * JSON Schemas of brant's rows, as its operations answer and take them: derived from the registry, which is the one place where they are written. `brant/zod` and `brant/typebox`
 * are made of these.
 */
import { operations } from './database.js';
import { type RowSchemas, identitySchemas } from './identity.js';
import type { InputOf, OutputOf } from './operations.js';
import type { JsonObject, OperationSpec } from './types.js';

type NoActor<T> = T extends unknown ? Omit<T, 'actor'> : never;
/** What an operation takes, without who acts. */
type Taken<Name extends string> = NoActor<InputOf<Name>>;

/** What is selected, inserted and updated, by the operations that do it. */
export interface Rows {
  graph_types: { select: OutputOf<'graph_types.get'>; insert: Taken<'graph_types.define'>; update: Taken<'graph_types.update'> };
  graphs: { select: OutputOf<'graphs.get'>; insert: Taken<'graphs.create'>; update: Taken<'graphs.update'> };
  nodes: { select: OutputOf<'nodes.get'>; insert: Taken<'nodes.insert'>; update: Taken<'nodes.patch'> };
  edges: { select: OutputOf<'edges.get'>; insert: Taken<'edges.insert'>; update: Taken<'edges.patch'> };
  queues: { select: OutputOf<'queues.get'>; insert: Taken<'queues.configure'>; update: Taken<'queues.configure'> };
  jobs: { select: OutputOf<'jobs.get'>; insert: Taken<'queues.enqueue'>; update: Taken<'jobs.update'> };
  streams: { select: OutputOf<'streams.get'>; insert: Taken<'streams.configure'>; update: Taken<'streams.configure'> };
  schedules: { select: OutputOf<'schedules.get'>; insert: Taken<'schedules.set'>; update: Taken<'schedules.set'> };
  accounts: { select: OutputOf<'accounts.get'>; insert: Taken<'accounts.create'>; update: Taken<'accounts.update'> };
  organizations: { select: OutputOf<'organizations.get'>; insert: Taken<'organizations.create'>; update: Taken<'organizations.update'> };
  members: { select: OutputOf<'members.get'>; insert: Taken<'members.add'>; update: Taken<'members.set_level'> };
  invitations: { select: OutputOf<'invitations.get'>; insert: Taken<'invitations.create'>; update: Record<string, never> };
  api_keys: { select: OutputOf<'api_keys.get'>; insert: Taken<'api_keys.create'>; update: Record<string, never> };
  audit_logs: { select: OutputOf<'audit.get'>; insert: Taken<'audit.append'>; update: Record<string, never> };
}

export type RowName = keyof Rows;

const OPERATIONS = {
  graph_types: ['graph_types.get', 'graph_types.define', 'graph_types.update'],
  graphs: ['graphs.get', 'graphs.create', 'graphs.update'],
  nodes: ['nodes.get', 'nodes.insert', 'nodes.patch'],
  edges: ['edges.get', 'edges.insert', 'edges.patch'],
  queues: ['queues.get', 'queues.configure', 'queues.configure'],
  jobs: ['jobs.get', 'queues.enqueue', 'jobs.update'],
  streams: ['streams.get', 'streams.configure', 'streams.configure'],
  schedules: ['schedules.get', 'schedules.set', 'schedules.set'],
} as const;

/**
 * JSON Schemas 2020-12, without references, of brant's rows: `select` of one as it is answered, `insert` of the input that makes one, `update` of the input that changes one, both
 * without `actor`. What has no such input has an `update` without properties.
 */
export function rowSchemas(): Record<RowName, RowSchemas> {
  const specs = new Map(operations().map((spec) => [spec.name, spec]));
  const of = (name: string): OperationSpec => specs.get(name) as OperationSpec;
  const rows = identitySchemas() as Partial<Record<RowName, RowSchemas>>;
  for (const [name, [get, make, change]] of Object.entries(OPERATIONS)) {
    rows[name as RowName] = { select: flat(of(get).output_schema), insert: flat(of(make).input_schema), update: flat(of(change).input_schema) };
  }
  return rows as Record<RowName, RowSchemas>;
}

/** A schema with what it refers to in the place of its references, of which none is recursive. */
function flat(schema: JsonObject): JsonObject {
  const definitions = (schema['$defs'] ?? {}) as JsonObject;
  const within = (value: unknown): unknown => {
    if (Array.isArray(value)) return value.map(within);
    if (typeof value !== 'object' || value === null) return value;
    const { $ref, $defs: _, ...rest } = value as JsonObject;
    const members = Object.entries(rest).map(([name, member]) => [name, within(member)]);
    if (typeof $ref === 'string') members.unshift(...Object.entries(within(definitions[$ref.replace('#/$defs/', '')]) as JsonObject));
    return Object.fromEntries(members) as unknown;
  };
  return within(schema) as JsonObject;
}
