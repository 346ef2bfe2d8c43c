/*
 * How Drizzle's queries reach the handle: each is one `Database.execute`, whose rows are arrays in the order of the columns, so that columns of one name
 * stay apart. Everything is synchronous. Transactions are brant's own, which nest.
 *
 * Of brant this file takes types alone: what it works with is the handle that it is given, so that it can be loaded as either kind of module.
 */
import type { Database, SqlResult, SqlValue } from 'brant';
import { DrizzleError, DrizzleQueryError, type Logger, NoopLogger, Param, Placeholder, type Query, type SQL, entityKind, is } from 'drizzle-orm';
import type { RelationalSchemaConfig, TablesRelationalConfig } from 'drizzle-orm/relations';
import type { SelectedFieldsOrdered, SQLiteExecuteMethod, SQLiteSyncDialect, SQLiteTransactionConfig } from 'drizzle-orm/sqlite-core';
import { SQLitePreparedQuery, type PreparedQueryConfig, SQLiteSession, SQLiteTransaction } from 'drizzle-orm/sqlite-core';
import { type Row, RowMapper, named, withBuffers } from './row.js';

/** What `run` answers. */
export interface RunResult {
  /** Rows that the statement itself inserted, updated or deleted; those of triggers are not counted. */
  changes: number;
  lastInsertRowid: number | bigint;
}

export interface BrantTransactionConfig extends SQLiteTransactionConfig {
  /**
   * `'write'` (default) takes the write lock now: SQLite's `immediate`. brant has no transaction that takes it later, so `behavior` makes no difference: `deferred` and
   * `exclusive` (which in write-ahead logging lets others read, too) are this one. `'read'` fixes a snapshot, in which writes are refused (`READ_ONLY`).
   * Of a nested transaction it is the outer one's.
   */
  mode?: 'write' | 'read' | undefined;
}

type Schema<TSchema extends TablesRelationalConfig> = RelationalSchemaConfig<TSchema> | undefined;
type Mapper = (rows: unknown[][]) => unknown;

/** A run of a transaction's work. */
interface Scope {
  /** It has returned, or thrown. */
  over: boolean;
}

export class BrantSession<TFullSchema extends Record<string, unknown>, TSchema extends TablesRelationalConfig> extends SQLiteSession<
  'sync',
  RunResult,
  TFullSchema,
  TSchema
> {
  static override readonly [entityKind]: string = 'BrantSession';

  readonly #client: Database;
  readonly #dialect: SQLiteSyncDialect;
  readonly #schema: Schema<TSchema>;
  readonly #logger: Logger;
  readonly #scope: Scope | undefined;

  /** @param scope - of the transaction whose queries these are: when it is over they are refused, where they would be run outside of it */
  constructor(client: Database, dialect: SQLiteSyncDialect, schema: Schema<TSchema>, options: { logger?: Logger | undefined } = {}, scope?: Scope) {
    super(dialect);
    this.#scope = scope;
    this.#client = client;
    this.#dialect = dialect;
    this.#schema = schema;
    this.#logger = options.logger ?? new NoopLogger();
  }

  override prepareQuery<T extends Omit<PreparedQueryConfig, 'run'>>(
    query: Query,
    fields: SelectedFieldsOrdered | undefined,
    executeMethod: SQLiteExecuteMethod,
    isResponseInArrayMode: boolean,
    customResultMapper?: Mapper,
  ): BrantPreparedQuery<T & { type: 'sync'; run: RunResult }> {
    return new BrantPreparedQuery(this.#client, query, this.#logger, fields, executeMethod, isResponseInArrayMode, customResultMapper, this.#scope);
  }

  /** As the base class has it, without a second error around that of the query. */
  override run(query: SQL): RunResult {
    return this.prepareQuery(this.#dialect.sqlToQuery(query), undefined, 'run', false).run();
  }

  override transaction<T>(work: (tx: BrantTransaction<TFullSchema, TSchema>) => T, config: BrantTransactionConfig = {}): T {
    return this.transact(work, config, 0);
  }

  /** @internal */
  transact<T>(work: (tx: BrantTransaction<TFullSchema, TSchema>) => T, config: BrantTransactionConfig, nestedIndex: number): T {
    const over = overError(this.#scope);
    if (over) throw over;
    const scope: Scope = { over: false };
    const session = new BrantSession<TFullSchema, TSchema>(this.#client, this.#dialect, this.#schema, { logger: this.#logger }, scope);
    const tx = new BrantTransaction(this.#client, this.#dialect, session, this.#schema, nestedIndex);
    try {
      return this.#client.transaction(() => work(tx), config.mode);
    } finally {
      scope.over = true;
    }
  }
}

/** A parameter whose value is given when the query is run. */
interface Hole {
  index: number;
  name: string;
  encoder: { mapToDriverValue(value: unknown): unknown } | undefined;
}

function holesOf(params: readonly unknown[]): Hole[] {
  const holes: Hole[] = [];
  for (let index = 0; index < params.length; index++) {
    const param = params[index];
    if (typeof param !== 'object' || param === null) continue;
    if (is(param, Placeholder)) holes.push({ index, name: param.name, encoder: undefined });
    else if (is(param, Param) && is(param.value, Placeholder)) holes.push({ index, name: param.value.name, encoder: param.encoder });
  }
  return holes;
}

/** The parameters with these values in their places, as Drizzle's `fillPlaceholders`, which looks for the places each time. */
function filled(params: readonly unknown[], holes: readonly Hole[], values: Record<string, unknown>): unknown[] {
  const result = params.slice();
  for (const { index, name, encoder } of holes) {
    if (!(name in values)) throw new Error(`No value for placeholder "${name}" was provided`);
    result[index] = encoder ? encoder.mapToDriverValue(values[name]) : values[name];
  }
  return result;
}

function overError(scope: Scope | undefined): DrizzleError | undefined {
  return scope?.over ? new DrizzleError({ message: 'the transaction is over: its work has returned or thrown' }) : undefined;
}

/**
 * What the work of a transaction is given. A transaction in it is a savepoint. When the work has returned or thrown its queries are refused: what an asynchronous function would go on with
 * is no part of the transaction any more.
 */
export class BrantTransaction<TFullSchema extends Record<string, unknown>, TSchema extends TablesRelationalConfig> extends SQLiteTransaction<
  'sync',
  RunResult,
  TFullSchema,
  TSchema
> {
  static override readonly [entityKind]: string = 'BrantTransaction';

  /** The handle, which this transaction is open on: notifications, events, jobs and nodes that are written by it are committed or rolled back with the rows. */
  readonly $brant: Database;
  /** The same, as Drizzle's databases call what they run on. */
  readonly $client: Database;
  readonly #session: BrantSession<TFullSchema, TSchema>;

  constructor(client: Database, dialect: SQLiteSyncDialect, session: BrantSession<TFullSchema, TSchema>, schema: Schema<TSchema>, nestedIndex: number) {
    super('sync', dialect, session, schema, nestedIndex);
    this.$brant = client;
    this.$client = client;
    this.#session = session;
  }

  override transaction<T>(work: (tx: BrantTransaction<TFullSchema, TSchema>) => T, config: BrantTransactionConfig = {}): T {
    return this.#session.transact(work, config, this.nestedIndex + 1);
  }
}

export class BrantPreparedQuery<T extends PreparedQueryConfig = PreparedQueryConfig> extends SQLitePreparedQuery<{
  type: 'sync';
  run: RunResult;
  all: T['all'];
  get: T['get'];
  values: T['values'];
  execute: T['execute'];
}> {
  static override readonly [entityKind]: string = 'BrantPreparedQuery';

  /** Drizzle's select sets it. */
  declare joinsNotNullableMap?: Record<string, boolean>;

  readonly #client: Database;
  readonly #logger: Logger;
  readonly #fields: SelectedFieldsOrdered | undefined;
  readonly #arrays: boolean;
  readonly #mapper: Mapper | undefined;
  readonly #scope: Scope | undefined;
  #rows: RowMapper | undefined;
  #holes: Hole[] | undefined;

  constructor(
    client: Database,
    query: Query,
    logger: Logger,
    fields: SelectedFieldsOrdered | undefined,
    executeMethod: SQLiteExecuteMethod,
    isResponseInArrayMode: boolean,
    customResultMapper: Mapper | undefined,
    scope?: Scope,
  ) {
    super('sync', executeMethod, query);
    this.#client = client;
    this.#logger = logger;
    this.#fields = fields;
    this.#arrays = isResponseInArrayMode;
    this.#mapper = customResultMapper;
    this.#scope = scope;
  }

  override run(placeholderValues?: Record<string, unknown>): RunResult {
    const { changes, last_insert_rowid } = this.#execute(placeholderValues, 1);
    return { changes, lastInsertRowid: last_insert_rowid };
  }

  override all(placeholderValues?: Record<string, unknown>): T['all'] {
    const { columns, rows } = this.#execute(placeholderValues);
    if (this.#mapper) return this.#mapper(rows.map(withBuffers));
    const mapper = this.#rowMapper;
    return rows.map(mapper ? (row) => mapper.map(row) : (row) => named(columns, row));
  }

  /** The first row; no more of them are read. */
  override get(placeholderValues?: Record<string, unknown>): T['get'] {
    const { columns, rows } = this.#execute(placeholderValues, 1);
    const row = rows[0];
    if (row === undefined) return undefined;
    if (this.#mapper) return this.#mapper([withBuffers(row)]);
    return this.#rowMapper?.map(row) ?? named(columns, row);
  }

  override values(placeholderValues?: Record<string, unknown>): T['values'] {
    return this.#execute(placeholderValues).rows.map(withBuffers);
  }

  /** @internal */
  isResponseInArrayMode(): boolean {
    return this.#arrays;
  }

  /** Made when there is a row, since Drizzle sets what it is made of after this query was. */
  get #rowMapper(): RowMapper | undefined {
    if (this.#fields && !this.#rows) this.#rows = new RowMapper(this.#fields, this.joinsNotNullableMap);
    return this.#rows;
  }

  #execute(placeholderValues: Record<string, unknown> = {}, limit?: number): SqlResult<Row> {
    this.#holes ??= holesOf(this.query.params);
    const params = filled(this.query.params, this.#holes, placeholderValues);
    this.#logger.logQuery(this.query.sql, params);
    const over = overError(this.#scope);
    if (over) throw failure(this.query.sql, params, over);
    try {
      return this.#client.execute<Row>(this.query.sql, params as SqlValue[], limit === undefined ? undefined : { limit });
    } catch (error) {
      throw failure(this.query.sql, params, error as Error);
    }
  }
}

/** Drizzle's error, which shows the parameters; those that cannot be shown are why there is one. */
function failure(query: string, params: unknown[], cause: Error): Error {
  try {
    return new DrizzleQueryError(query, params, cause);
  } catch {
    return new DrizzleQueryError(query, params.map((value) => (typeof value === 'object' || typeof value === 'symbol' ? `(${typeof value})` : value)), cause);
  }
}
