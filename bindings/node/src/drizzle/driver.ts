/*
 * `drizzle(db)`: a Drizzle database over an open handle.
 */
import type { Database } from 'brant';
import { type Casing, DefaultLogger, type ExtractTablesWithRelations, type Logger, createTableRelationsHelpers, entityKind, extractTablesRelationalConfig } from 'drizzle-orm';
import type { RelationalSchemaConfig, TablesRelationalConfig } from 'drizzle-orm/relations';
import { BaseSQLiteDatabase, SQLiteSyncDialect } from 'drizzle-orm/sqlite-core';
import { BrantSession, type BrantTransaction, type BrantTransactionConfig, type RunResult } from './session.js';

export interface DrizzleOptions<TSchema extends Record<string, unknown> = Record<string, never>> {
  /** Tables and relations, for `db.query`. */
  schema?: TSchema | undefined;
  /** true: to the console. */
  logger?: boolean | Logger | undefined;
  /** How columns without a name of their own are called. */
  casing?: Casing | undefined;
}

type Tables<TSchema extends Record<string, unknown>> = ExtractTablesWithRelations<TSchema>;

/** A synchronous SQLite database of Drizzle's, as that over better-sqlite3 is. */
export class BrantDatabase<TSchema extends Record<string, unknown> = Record<string, never>> extends BaseSQLiteDatabase<'sync', RunResult, TSchema> {
  static override readonly [entityKind]: string = 'BrantDatabase';

  /** The handle. */
  readonly $client: Database;
  readonly #session: BrantSession<TSchema, Tables<TSchema>>;

  /** @internal */
  constructor(client: Database, dialect: SQLiteSyncDialect, session: BrantSession<TSchema, Tables<TSchema>>, schema: RelationalSchemaConfig<Tables<TSchema>> | undefined) {
    super('sync', dialect, session, schema);
    this.$client = client;
    this.#session = session;
  }

  /**
   * Run `work` in a transaction and commit it, or roll it back when `work` throws or calls `tx.rollback()`. Within a transaction of the handle's it is a part of that:
   * brant's `db.transaction` and this one nest in each other in any order. `work` is synchronous.
   *
   * @throws BrantError `MISUSE`: `work` returned a promise, and was rolled back; `BUSY`: another writer holds the file.
   */
  override transaction<T>(work: (tx: BrantTransaction<TSchema, Tables<TSchema>>) => T, config?: BrantTransactionConfig): T {
    return this.#session.transaction(work, config);
  }
}

function construct<TSchema extends Record<string, unknown>>(client: Database, options: DrizzleOptions<TSchema> = {}): BrantDatabase<TSchema> {
  const dialect = new SQLiteSyncDialect({ casing: options.casing } as { casing?: Casing });
  const logger = options.logger === true ? new DefaultLogger() : options.logger === false ? undefined : options.logger;
  let schema: RelationalSchemaConfig<Tables<TSchema>> | undefined;
  if (options.schema) {
    const { tables, tableNamesMap } = extractTablesRelationalConfig<TablesRelationalConfig>(options.schema, createTableRelationsHelpers);
    schema = { fullSchema: options.schema, schema: tables as Tables<TSchema>, tableNamesMap };
  }
  return new BrantDatabase(client, dialect, new BrantSession(client, dialect, schema, { logger }), schema);
}

/**
 * Drizzle over an open handle, or over a session: queries run on its connection, in its transactions, and `db.$client` is the handle.
 *
 * ```ts
 * const db = drizzle(open('app.db'), { schema });
 * db.transaction((tx) => {
 *   const order = tx.insert(orders).values({ item: 'tea' }).returning().get();
 *   tx.$brant.queue('mail').enqueue({ order: order.id });
 * });
 * ```
 *
 * A query that fails is a `DrizzleQueryError` whose `cause` is the `BrantError`, with its code. brant's own tables (`brant/drizzle/tables`) can be read; what would
 * write them is `DENIED`. A query answers at most `limits.batch` rows (100 000): `LIMIT`.
 *
 * @throws TypeError: it is no handle.
 */
export function drizzle<TSchema extends Record<string, unknown> = Record<string, never>>(
  ...params: [client: Database, options?: DrizzleOptions<TSchema>] | [options: DrizzleOptions<TSchema> & { client: Database }]
): BrantDatabase<TSchema> {
  const [first, second] = params;
  const [client, options] = isHandle(first) ? [first, second] : [(first as { client?: unknown } | undefined)?.client, first];
  if (!isHandle(client)) throw new TypeError('drizzle() takes an open handle: drizzle(open(path))');
  return construct(client, options as DrizzleOptions<TSchema> | undefined);
}

/** Without a file: for `toSQL()`. */
drizzle.mock = function mock<TSchema extends Record<string, unknown> = Record<string, never>>(options?: DrizzleOptions<TSchema>): BrantDatabase<TSchema> {
  return construct({} as Database, options);
};

/** By what it does, since this file may stand beside another copy of the package. */
function isHandle(value: unknown): value is Database {
  return typeof value === 'object' && value !== null && 'execute' in value && 'transaction' in value && 'graph' in value;
}
