/* Shapes of a graph type's change: differences, casts, checks, migrations. */
import type { Violation } from './error.js';
import type { JsonObject, ModuleWarning } from './types.js';

/** What a change of a schema does to stored data, from nothing to refusing some of it. */
export type ChangeClass = 'identical' | 'additive' | 'upcast' | 'breaking';

export interface ModuleEdit {
  op: 'add' | 'remove' | 'replace';
  /** JSON pointer into the module. */
  pointer: string;
  /** The entry that it leads into. */
  entry: string | null;
  class: ChangeClass;
  reason: string;
}

export interface ModuleDiff {
  /**
   * The gravest of the edits: `'identical'`: nothing that validation would see; `'additive'`: all stored data are valid as they are; `'upcast'`: a cast
   * makes them so; `'breaking'`: neither.
   */
  class: ChangeClass;
  edits: ModuleEdit[];
}

/** What a module defines. */
export interface ModuleTypes {
  id: string | null;
  config: import('./types.js').GraphType['config'];
  /** `encrypted`: JSON pointers of the attributes that are encrypted; read, there stands an envelope. */
  node_types: { name: string; schema: JsonObject | boolean; encrypted: string[] }[];
  edge_types: {
    name: string;
    schema: JsonObject | boolean;
    encrypted: string[];
    source: string[] | null;
    target: string[] | null;
    max_out: number | null;
    max_in: number | null;
  }[];
  warnings: ModuleWarning[];
}

/** One step of a JSON patch (RFC 6902). */
export type JsonPatchOperation =
  | { op: 'add' | 'replace' | 'test'; path: string; value: unknown }
  | { op: 'remove'; path: string }
  | { op: 'move' | 'copy'; from: string; path: string };

export interface Cast<Attributes = JsonObject> {
  attributes: Attributes;
  changed: boolean;
  /** What was done to the attributes that were given. */
  edits: JsonPatchOperation[];
  valid: boolean;
  /** What no cast could mend. */
  violations: Violation[];
}

/** A node or edge that a new module would refuse. */
export interface MigrationFailure {
  graph: string;
  key: string;
  violations: Violation[];
  [member: string]: unknown;
}

export interface CheckCounts {
  checked: number;
  valid: number;
  castable: number;
  failing: number;
}

/** What would become of the stored rows. */
export interface Check {
  class: ChangeClass;
  nodes: CheckCounts;
  edges: CheckCounts;
  /** At most 100. */
  failures: MigrationFailure[];
  /** For the next call, null at the end. */
  cursor: string | null;
}

export interface MigrateOptions {
  /** Nodes and edges of one transaction, default 1000. */
  batch?: number | undefined;
  /** Batches; default: until all is done. */
  limit?: number | undefined;
  /** By type: applied to the attributes before the cast. */
  patches?: Readonly<Record<string, readonly JsonPatchOperation[]>> | undefined;
  /** What cannot be cast: `'stop'` (default) ends there, `'skip'` leaves it as it is. */
  onFailure?: 'stop' | 'skip' | undefined;
}

export interface MigrationResult {
  done: boolean;
  migrated: number;
  unchanged: number;
  failed: number;
  remaining: number;
  /** At most 100. */
  failures: MigrationFailure[];
}

/** Where a migration stands. */
export interface Migration {
  from_version: number;
  to_version: number;
  migrated: number;
  failed: number;
  remaining: number;
  done: boolean;
  started_at: number;
  updated_at: number;
}
