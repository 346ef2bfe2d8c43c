/*
 * `brant/drizzle/migrator`: the folders that `drizzle-kit generate` makes.
 */
import { sql } from 'drizzle-orm';
import { type MigrationConfig, readMigrationFiles } from 'drizzle-orm/migrator';
import type { BrantDatabase } from './driver.js';

/** Foreign keys are not enforced by brant's connections, and other pragmas cannot be set within a transaction, so that leaving it out changes nothing. */
const FOREIGN_KEYS = /^\s*PRAGMA\s+(defer_)?foreign_keys\s*=\s*\w+\s*;?\s*$/i;
/** Nothing but space and comments. */
const EMPTY = /^(\s|--[^\n]*(\n|$)|\/\*[\s\S]*?\*\/|;)*$/;

/**
 * Bring the file's tables to the newest of the migrations in `migrationsFolder`. All that are missing are run in one transaction: it is done as a whole, or
 * nothing of it is. What was run is noted in `migrationsTable` (`__drizzle_migrations`), as Drizzle's other drivers do, so that a file can be taken over from one of them.
 * Several processes may do it at once: one of them does.
 *
 * ```ts
 * migrate(drizzle(open('app.db')), { migrationsFolder: './drizzle' });
 * ```
 *
 * @throws DrizzleQueryError: a statement failed, and nothing was changed; its `cause` is the `BrantError`.
 */
export function migrate<TSchema extends Record<string, unknown>>(db: BrantDatabase<TSchema>, config: MigrationConfig): void {
  const migrations = readMigrationFiles(config);
  const table = sql.identifier(config.migrationsTable ?? '__drizzle_migrations');
  db.transaction((tx) => {
    tx.run(sql`CREATE TABLE IF NOT EXISTS ${table} (id SERIAL PRIMARY KEY, hash text NOT NULL, created_at numeric)`);
    const last = tx.values<[unknown]>(sql`SELECT created_at FROM ${table} ORDER BY created_at DESC LIMIT 1`)[0];
    for (const migration of migrations) {
      if (last !== undefined && Number(last[0]) >= migration.folderMillis) continue;
      for (const statement of migration.sql) {
        if (!FOREIGN_KEYS.test(statement) && !EMPTY.test(statement)) tx.run(sql.raw(statement));
      }
      tx.run(sql`INSERT INTO ${table} (hash, created_at) VALUES (${migration.hash}, ${migration.folderMillis})`);
    }
  });
}
