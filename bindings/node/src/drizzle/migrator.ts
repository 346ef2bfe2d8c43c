/*
 * `brant/drizzle/migrator`: the folders that `drizzle-kit generate` makes.
 */
import { BrantError } from 'brant';
import { sql } from 'drizzle-orm';
import { type MigrationConfig, type MigrationMeta, readMigrationFiles } from 'drizzle-orm/migrator';
import type { BrantDatabase } from './driver.js';

/**
 * drizzle-kit writes these around what makes a table anew: dropping the former one must not delete what refers to it. They do nothing within a transaction:
 * `migrate` does it around its own.
 */
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
  const name = config.migrationsTable ?? '__drizzle_migrations';
  const table = sql.identifier(name);
  const missing = (): MigrationMeta[] => {
    const [last] = db.values<[unknown]>(sql`SELECT created_at FROM ${table} ORDER BY created_at DESC LIMIT 1`);
    return last === undefined ? migrations : migrations.filter(({ folderMillis }) => folderMillis > Number(last[0]));
  };
  const run = (): void =>
    db.transaction((tx) => {
      tx.run(sql`CREATE TABLE IF NOT EXISTS ${table} (id SERIAL PRIMARY KEY, hash text NOT NULL, created_at numeric)`);
      for (const migration of missing()) {
        for (const statement of migration.sql) {
          if (!FOREIGN_KEYS.test(statement) && !EMPTY.test(statement)) tx.run(sql.raw(statement));
        }
        tx.run(sql`INSERT INTO ${table} (hash, created_at) VALUES (${migration.hash}, ${migration.folderMillis})`);
      }
    });
  const begun = db.values(sql`SELECT 1 FROM sqlite_schema WHERE name = ${name}`).length > 0;
  const rebuilds = (begun ? missing() : migrations).some((migration) => migration.sql.some((statement) => FOREIGN_KEYS.test(statement)));
  if (rebuilds && isEnforced(db)) withoutForeignKeys(db, run);
  else run();
}

function isEnforced<TSchema extends Record<string, unknown>>(db: BrantDatabase<TSchema>): boolean {
  return db.values<[number]>(sql`PRAGMA foreign_keys`)[0]?.[0] === 1;
}

/** As SQLite says to make a table anew: they are not enforced meanwhile, and what then refers to nothing, and did not before, undoes it. */
function withoutForeignKeys<TSchema extends Record<string, unknown>>(db: BrantDatabase<TSchema>, work: () => void): void {
  const violations = (): number => Number(db.values(sql`SELECT count(*) FROM pragma_foreign_key_check`)[0]?.[0]);
  db.run(sql`PRAGMA foreign_keys = OFF`);
  if (isEnforced(db)) throw new BrantError('MISUSE', 'foreign keys are enforced, and a migration makes a table anew: run it outside of a transaction');
  try {
    db.transaction(() => {
      const before = violations();
      work();
      if (violations() > before) throw new BrantError('CONSTRAINT', 'the migrations leave rows that refer to none; PRAGMA foreign_key_check tells which');
    });
  } finally {
    db.run(sql`PRAGMA foreign_keys = ON`);
  }
}
