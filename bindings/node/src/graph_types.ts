/* `db.graphTypes`. Each method is one operation. */
import type { Connection } from './connection.js';
import type { Check, MigrateOptions, Migration, MigrationResult, ModuleDiff } from './evolution.js';
import type { ProgressOptions } from './exchange.js';
import { PAGE, apart, paged, pages } from './input.js';
import { snakeCase } from './json.js';
import { native } from './native.js';
import type {
  AsyncOptions,
  GraphType,
  GraphTypeDetail,
  JsonObject,
  Module,
  ModuleWarning,
  Page,
  PageOptions,
  Retention,
  Scope,
  Validation,
} from './types.js';

export interface UpdateOptions {
  version?: number | undefined;
  metadata?: JsonObject | undefined;
}

export interface CheckOptions {
  /** Default: the stored module. */
  module?: Module | undefined;
  /** Nodes and edges of this call at most. */
  limit?: number | undefined;
  cursor?: string | null | undefined;
}

/** `db.graphTypes`: which node and edge types there may be, under which rules. Iterating yields them by name. */
export class GraphTypes implements Iterable<GraphType> {
  readonly #connection: Connection;

  /** @internal */
  constructor(connection: Connection) {
    this.#connection = connection;
  }

  /**
   * Define a graph type by a module: `{$id, $defs: {Config, <Name>Node, <Name>Edge, <Name>EdgeConstraints}}`; {@link defineModule} makes
   * one of TypeBox's or zod's schemas. Defining the same module again under the same name and version returns the stored one.
   *
   * @param options - `name` defaults to the module's `$id`
   * @returns the graph type, and what in the module is probably not meant
   * @throws BrantError `VALIDATION`: the module cannot work; `EXISTS`: another module has the name; `DENIED`: scope `system` without the
   *   system flag.
   */
  define(
    module: Module,
    options?: {
      name?: string | undefined;
      scope?: Scope | undefined;
      version?: number | undefined;
      metadata?: JsonObject | undefined;
    },
  ): GraphType & { warnings: ModuleWarning[] } {
    return this.#connection.invoke(native.brant_graph_type_define, { ...snakeCase(options), module });
  }

  /**
   * A graph type with its module and its retention rules.
   *
   * @throws BrantError `NOT_FOUND`
   */
  get(name: string): GraphTypeDetail {
    return this.#connection.invoke(native.brant_graph_type_get, { name });
  }

  /** A page of graph types, by name. */
  list(options?: PageOptions): Page<GraphType> {
    return this.#connection.invoke(native.brant_graph_type_list, paged(options));
  }

  [Symbol.iterator](): Generator<GraphType, void, undefined> {
    return pages((cursor) => this.list({ limit: PAGE, cursor }));
  }

  /**
   * Delete a graph type.
   *
   * @throws BrantError `CONSTRAINT`: graphs use it; `DENIED`: it is built in, or of scope `system`; `NOT_FOUND`.
   */
  delete(name: string): { deleted: true } {
    return this.#connection.invoke(native.brant_graph_type_delete, { name });
  }

  /** Whether `attributes` satisfy a node type, null in an untyped graph type. Writes nothing. */
  validateNode(graphType: string, type: string | null, attributes: unknown): Validation {
    return this.#connection.invoke(native.brant_graph_type_validate_node, { graph_type: graphType, type, attributes });
  }

  /** Whether `attributes`, and the types of the ends if given, satisfy an edge type, null in an untyped graph type. Writes nothing. */
  validateEdge(
    graphType: string,
    type: string | null,
    attributes: unknown,
    options?: { sourceType?: string | undefined; targetType?: string | undefined },
  ): Validation {
    const input = { ...snakeCase(options), graph_type: graphType, type, attributes };
    return this.#connection.invoke(native.brant_graph_type_validate_edge, input);
  }

  /** What changes from the stored module to another, and what that does to stored data. */
  diff(name: string, module: Module): ModuleDiff {
    return this.#connection.invoke(native.brant_graph_type_diff, { name, module });
  }

  /**
   * Give a graph type another module. Where all stored data are valid as they are, that is all there is to it. Otherwise `version` must grow, new
   * writes are judged by the new module from now on, and `migrate` brings what is stored into its form.
   *
   * @throws BrantError `CONSTRAINT`: the change needs a greater version, removes a type that has nodes or edges, or changes `directed` or `multi` while
   *   there are edges; `VALIDATION`: the module cannot work; `DENIED`: built in, or of scope `system`; `NOT_FOUND`.
   */
  update(name: string, module: Module, options?: UpdateOptions): GraphType & { warnings: ModuleWarning[] } {
    return this.#connection.invoke(native.brant_graph_type_update, { ...options, name, module });
  }

  /** `update` on another thread. */
  updateAsync(
    name: string,
    module: Module,
    options?: UpdateOptions & AsyncOptions,
  ): Promise<GraphType & { warnings: ModuleWarning[] }> {
    const [rest, call] = apart(options);
    return this.#connection.invokeAsync('graph_types.update', { ...rest, name, module }, call);
  }

  /** What would become of the stored nodes and edges under a module, without writing: how many are valid, can be cast, would fail, and which. */
  check(name: string, options?: CheckOptions): Check {
    return this.#connection.invoke(native.brant_graph_type_check, { ...paged(options), name });
  }

  /** `check` on another thread. */
  checkAsync(name: string, options?: CheckOptions & AsyncOptions): Promise<Check> {
    const [rest, call] = apart(options);
    return this.#connection.invokeAsync('graph_types.check', { ...paged(rest), name }, call);
  }

  /**
   * Bring stored nodes and edges into the form of the stored module, in batches that are a transaction each. Without a `limit` until all is
   * done, or one cannot be cast. Called again it goes on where it was, also after a crash; with `skip`, when it is done, it tries again what
   * it had skipped.
   *
   * @returns what this call did, all batches together
   * @throws BrantError `NOT_FOUND`, `DENIED`
   */
  migrate(name: string, options: MigrateOptions & ProgressOptions<MigrationResult> = {}): MigrationResult {
    const { onProgress, ...rest } = options;
    const input = { ...snakeCase(rest), name };
    if (rest.limit !== undefined) return this.#connection.invoke(native.brant_graph_type_migrate, input);
    const total = new MigrationTotal(rest.onFailure === 'skip');
    do {
      total.add(this.#connection.invoke(native.brant_graph_type_migrate, { ...input, limit: 1 }));
      onProgress?.(total.result);
    } while (total.goesOn);
    return total.result;
  }

  /** `migrate` on another thread; between batches other asynchronous calls have their turn. */
  async migrateAsync(
    name: string,
    options?: MigrateOptions & ProgressOptions<MigrationResult> & AsyncOptions,
  ): Promise<MigrationResult> {
    const [{ onProgress, ...rest }, call] = apart(options);
    const input = { ...snakeCase(rest), name };
    if (rest.limit !== undefined) return this.#connection.invokeAsync('graph_types.migrate', input, call);
    const total = new MigrationTotal(rest.onFailure === 'skip');
    do {
      total.add(await this.#connection.invokeAsync('graph_types.migrate', { ...input, limit: 1 }, call));
      onProgress?.(total.result);
    } while (total.goesOn);
    return total.result;
  }

  /** `migrate` as a job of the queue `schema-migration`, which `db.maintain` works in bounded steps; `db.jobs.finished(job)` waits for its end. */
  migrateInBackground(name: string, options?: Omit<MigrateOptions, 'limit'>): { job: number } {
    return this.#connection.invoke(native.brant_graph_type_migrate, { ...snakeCase(options), name, background: true });
  }

  /**
   * Where the last migration stands.
   *
   * @throws BrantError `NOT_FOUND`: no such graph type, or it was never migrated
   */
  migration(name: string): Migration {
    return this.#connection.invoke(native.brant_graph_type_migration, { name });
  }

  /** What `db.maintain` archives, deletes and purges of the graphs of this type; null: nothing. */
  setRetention(name: string, rules: Retention | null): { name: string; rules: Retention | null } {
    return this.#connection.invoke(native.brant_graph_type_set_retention, { name, rules });
  }
}

/** The batches of a migration, added up. */
class MigrationTotal {
  result: MigrationResult = { done: false, migrated: 0, unchanged: 0, failed: 0, remaining: 0, failures: [] };
  goesOn = true;
  readonly #skips: boolean;

  constructor(skips: boolean) {
    this.#skips = skips;
  }

  add(batch: MigrationResult): void {
    const { result } = this;
    this.result = {
      done: batch.done,
      migrated: result.migrated + batch.migrated,
      unchanged: result.unchanged + batch.unchanged,
      failed: result.failed + batch.failed,
      remaining: batch.remaining,
      failures: [...result.failures, ...batch.failures].slice(0, 100),
    };
    const moved = batch.migrated + batch.unchanged + batch.failed > 0;
    this.goesOn = !batch.done && moved && (this.#skips || batch.failed === 0);
  }
}
