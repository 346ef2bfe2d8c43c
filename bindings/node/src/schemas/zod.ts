/*
 * `brant/zod`: brant's rows as zod schemas, made of the registry's JSON Schemas.
 */
import { type RowName, type Rows, rowSchemas } from 'brant';
import * as z from 'zod';

type Member<T> = undefined extends T ? z.ZodOptional<z.ZodType<Exclude<T, undefined>>> : z.ZodType<T>;
/** The schema of an object of type T: `z.infer` is T, `shape`, `pick`, `extend` and the like are there. */
export type Schema<T> = T extends unknown ? z.ZodObject<{ -readonly [Name in keyof T]-?: Member<T[Name]> }> : never;

export interface RowSchemas<Name extends RowName> {
  /** A row as it is answered. */
  select: Schema<Rows[Name]['select']>;
  /** What makes one, and what changes one. */
  insert: Schema<Rows[Name]['insert']>;
  update: Schema<Rows[Name]['update']>;
}

const schemas = rowSchemas();

function of<Name extends RowName>(name: Name): RowSchemas<Name> {
  const { select, insert, update } = schemas[name];
  const made = (schema: object): unknown => z.fromJSONSchema(schema as z.core.JSONSchema.JSONSchema);
  return { select: made(select), insert: made(insert), update: made(update) } as RowSchemas<Name>;
}

export const graph_types = of('graph_types');
export const graphs = of('graphs');
export const nodes = of('nodes');
export const edges = of('edges');
export const queues = of('queues');
export const jobs = of('jobs');
export const streams = of('streams');
export const schedules = of('schedules');
export const accounts = of('accounts');
export const organizations = of('organizations');
export const members = of('members');
export const invitations = of('invitations');
export const api_keys = of('api_keys');
export const audit_logs = of('audit_logs');
