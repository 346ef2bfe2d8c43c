/* Migrations that the real drizzle-kit makes of a schema that changes, run through the handle: from nothing, from the middle, by several at once, and failing. */
import assert from 'node:assert/strict';
import { spawn, spawnSync } from 'node:child_process';
import { cpSync, mkdirSync, readFileSync, readdirSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { open } from 'brant';
import { drizzle } from 'brant/drizzle';
import { migrate } from 'brant/drizzle/migrator';
import Sqlite from 'better-sqlite3';
import { DrizzleQueryError, sql } from 'drizzle-orm';
import { drizzle as drizzleOverBetterSqlite } from 'drizzle-orm/better-sqlite3';
import { migrate as migrateBetterSqlite } from 'drizzle-orm/better-sqlite3/migrator';
import { database, folder, thrown } from './support.mjs';

const here = (path) => fileURLToPath(new URL(path, import.meta.url));

/** The schema as it was and as it became: columns made NOT NULL and UNIQUE (the table is made anew), a column, a table, an index and a view added. */
const SCHEMAS = [
  `import { integer, sqliteTable, text } from 'drizzle-orm/sqlite-core';
export const users = sqliteTable('users', { id: integer().primaryKey({ autoIncrement: true }), name: text(), email: text() });
export const posts = sqliteTable('posts', { id: integer().primaryKey(), userId: integer('user_id').references(() => users.id, { onDelete: 'cascade' }) });
`,
  `import { sql } from 'drizzle-orm';
import { check, index, integer, real, sqliteTable, sqliteView, text } from 'drizzle-orm/sqlite-core';
export const users = sqliteTable('users', { id: integer().primaryKey({ autoIncrement: true }), name: text().notNull(), email: text().unique() }, (t) => [check('named', sql\`\${t.name} <> ''\`)]);
export const posts = sqliteTable('posts', { id: integer().primaryKey(), userId: integer('user_id').references(() => users.id, { onDelete: 'cascade' }), score: real().default(0.5) }, (t) => [index('by_user').on(t.userId)]);
export const tags = sqliteTable('tags', { name: text().primaryKey(), at: integer({ mode: 'timestamp' }).default(sql\`(unixepoch())\`) });
export const named = sqliteView('named').as((qb) => qb.select().from(users));
`,
];

/** A folder of migrations, one for each schema. */
function generated(t) {
  const dir = folder(t);
  symlinkSync(here('../node_modules'), join(dir, 'node_modules'));
  for (const [i, text] of SCHEMAS.entries()) {
    writeFileSync(join(dir, 'schema.ts'), text);
    const kit = [here('../node_modules/drizzle-kit/bin.cjs'), 'generate', '--dialect', 'sqlite', '--schema', './schema.ts', '--out', './drizzle', '--name', `step${i}`];
    const { status, stdout, stderr } = spawnSync(process.execPath, kit, { cwd: dir, encoding: 'utf8', timeout: 300_000, input: '' });
    assert.equal(status, 0, stdout + stderr);
  }
  const files = readdirSync(join(dir, 'drizzle')).filter((name) => name.endsWith('.sql'));
  assert.deepEqual(files, ['0000_step0.sql', '0001_step1.sql']);
  assert.match(readFileSync(join(dir, 'drizzle', files[1]), 'utf8'), /PRAGMA foreign_keys=OFF/);
  return join(dir, 'drizzle');
}

/** The first `count` of them. */
function first(migrations, count) {
  const dir = `${migrations}-${count}`;
  cpSync(migrations, dir, { recursive: true });
  const path = join(dir, 'meta', '_journal.json');
  const journal = JSON.parse(readFileSync(path, 'utf8'));
  writeFileSync(path, JSON.stringify({ ...journal, entries: journal.entries.slice(0, count) }));
  return dir;
}

const tablesOf = (db) =>
  db
    .all(sql`SELECT type, name, sql FROM sqlite_schema WHERE tbl_name IN ('users', 'posts', 'tags', 'named', '__drizzle_migrations') ORDER BY name`)
    .filter((row) => row.sql !== null);

test('migrations of drizzle-kit', async (t) => {
  const migrations = generated(t);

  await t.test('from nothing, and again', (t) => {
    const db = drizzle(database(t));
    migrate(db, { migrationsFolder: migrations });
    const made = tablesOf(db);
    const client = new Sqlite(':memory:');
    const theirs = drizzleOverBetterSqlite(client);
    migrateBetterSqlite(theirs, { migrationsFolder: migrations });
    const bare = (rows) => rows.map((row) => ({ ...row, sql: row.sql.replace(/[\s"`]+/g, ' ').replace(/ IF NOT EXISTS/, '') }));
    assert.deepEqual(bare(made).filter(({ name }) => name[0] !== '_'), bare(tablesOf(theirs)).filter(({ name }) => name[0] !== '_'));
    assert.deepEqual(db.values(sql`SELECT hash, created_at FROM __drizzle_migrations`), theirs.values(sql`SELECT hash, created_at FROM __drizzle_migrations`));
    client.close();
    migrate(db, { migrationsFolder: migrations });
    assert.deepEqual(tablesOf(db), made);
    assert.deepEqual(db.$client.doctor().ok, true);
  });

  await t.test('from the middle, with rows', (t) => {
    const db = drizzle(database(t));
    migrate(db, { migrationsFolder: first(migrations, 1), migrationsTable: 'steps' });
    db.run(sql`INSERT INTO users (name) VALUES ('Ann'), ('Bob')`);
    db.run(sql`INSERT INTO posts (user_id) VALUES (1), (2)`);
    migrate(db, { migrationsFolder: migrations, migrationsTable: 'steps' });
    assert.deepEqual(db.values(sql`SELECT users.id, name, email, score FROM users JOIN posts ON user_id = users.id ORDER BY 1`), [[1, 'Ann', null, 0.5], [2, 'Bob', null, 0.5]]);
    assert.deepEqual(db.values(sql`SELECT count(*) FROM steps`), [[2]]);
  });

  await t.test('a failed one leaves nothing, also of those before it', (t) => {
    const broken = first(migrations, 2);
    const last = join(broken, '0001_step1.sql');
    writeFileSync(last, `${readFileSync(last, 'utf8')}--> statement-breakpoint\nCREATE TABLE nodes (id);\n`);
    const db = drizzle(database(t));
    const error = thrown(() => migrate(db, { migrationsFolder: broken }));
    assert.ok(error instanceof DrizzleQueryError);
    assert.equal(error.cause.code, 'DENIED');
    assert.deepEqual(tablesOf(db), []);
    migrate(db, { migrationsFolder: migrations });
    assert.throws(() => migrate(db, { migrationsFolder: `${migrations}-none` }), /_journal\.json/);
  });

  await t.test('a table that is made anew keeps what refers to it where foreign keys are enforced', (t) => {
    const db = drizzle(open(join(folder(t), 'app.db'), { foreignKeys: true }));
    t.after(() => db.$client.close());
    migrate(db, { migrationsFolder: first(migrations, 1) });
    db.run(sql`INSERT INTO users (name) VALUES ('Ann'), ('Bob')`);
    db.run(sql`INSERT INTO posts (user_id) VALUES (1), (2)`);
    assert.equal(thrown(() => db.run(sql`INSERT INTO posts (user_id) VALUES (3)`)).cause.code, 'CONSTRAINT');
    assert.equal(thrown(() => db.$client.transaction(() => migrate(db, { migrationsFolder: migrations }))).code, 'MISUSE');
    const dangling = first(migrations, 2);
    const last = join(dangling, '0001_step1.sql');
    writeFileSync(last, `${readFileSync(last, 'utf8')}--> statement-breakpoint\nDELETE FROM users WHERE id = 1;\n`);
    assert.equal(thrown(() => migrate(db, { migrationsFolder: dangling })).code, 'CONSTRAINT');
    migrate(db, { migrationsFolder: migrations });
    assert.deepEqual(db.values(sql`SELECT name, score FROM users JOIN posts ON user_id = users.id ORDER BY 1`), [['Ann', 0.5], ['Bob', 0.5]]);
    assert.deepEqual(db.values(sql`PRAGMA foreign_keys`), [[1]]);
    db.run(sql`DELETE FROM users WHERE id = 1`);
    assert.deepEqual(db.values(sql`SELECT user_id FROM posts`), [[2]]);
    migrate(db, { migrationsFolder: migrations });
  });

  await t.test('within a transaction of the caller', (t) => {
    const db = drizzle(database(t));
    assert.throws(() => db.$client.transaction(() => {
      migrate(db, { migrationsFolder: migrations });
      db.$client.queue('q').enqueue(1);
      throw new Error('back');
    }), /back/);
    assert.deepEqual(tablesOf(db), []);
    db.$client.transaction(() => migrate(db, { migrationsFolder: migrations }));
    assert.equal(tablesOf(db).some(({ name }) => name === 'tags'), true);
  });

  await t.test('several processes at once: it is done once', async (t) => {
    const path = join(folder(t), 'app.db');
    open(path).close();
    const program = `import { open } from 'brant'; import { drizzle } from 'brant/drizzle'; import { migrate } from 'brant/drizzle/migrator';
      const db = open(process.argv[1], { busyTimeout: 60_000 }); migrate(drizzle(db), { migrationsFolder: process.argv[2] }); db.close();`;
    const run = () => new Promise((done) => {
      const child = spawn(process.execPath, ['--input-type=module', '-e', program, path, migrations], { cwd: here('..'), stdio: ['ignore', 'ignore', 'pipe'] });
      let said = '';
      child.stderr.on('data', (data) => (said += data));
      child.on('close', (status) => done([status, said]));
    });
    assert.deepEqual(await Promise.all([run(), run(), run()]), [[0, ''], [0, ''], [0, '']]);
    const db = drizzle(database(t, {}, path));
    assert.deepEqual(db.values(sql`SELECT count(*) FROM __drizzle_migrations`), [[2]]);
  });
});

test('drizzle-kit push and pull with tablesFilter leave brant\'s tables as they are', (t) => {
  const dir = folder(t);
  symlinkSync(here('../node_modules'), join(dir, 'node_modules'));
  const kit = (command, ...more) => {
    const { status, stdout, stderr } = spawnSync(process.execPath, [here('../node_modules/drizzle-kit/bin.cjs'), command, ...more], { cwd: dir, encoding: 'utf8', timeout: 300_000, input: '' });
    assert.equal(status, 0, stdout + stderr);
  };
  const path = join(dir, 'app.db');
  const use = (work) => {
    const db = open(path);
    try {
      return work(db);
    } finally {
      db.close();
    }
  };
  const config = { dialect: 'sqlite', schema: './schema.ts', out: './out', tablesFilter: ['mine_*'], dbCredentials: { url: path } };
  writeFileSync(join(dir, 'drizzle.config.json'), JSON.stringify(config));
  const schema = (columns) => writeFileSync(join(dir, 'schema.ts'), `import { integer, sqliteTable, text } from 'drizzle-orm/sqlite-core';
export const things = sqliteTable('mine_things', { ${columns} });
`);
  const tables = use((db) => {
    db.queue('q').enqueue('kept');
    return db.execute("SELECT name, sql FROM sqlite_schema WHERE name NOT LIKE 'mine_%' ORDER BY name").rows;
  });
  schema('id: integer().primaryKey(), name: text()');
  kit('push', '--config', 'drizzle.config.json', '--force');
  use((db) => db.execute("INSERT INTO mine_things (name) VALUES ('a')"));
  schema('id: integer().primaryKey(), name: text(), more: integer()');
  kit('push', '--config', 'drizzle.config.json', '--force');
  kit('pull', '--config', 'drizzle.config.json');
  use((db) => {
    assert.deepEqual(db.execute("SELECT name, sql FROM sqlite_schema WHERE name NOT LIKE 'mine_%' ORDER BY name").rows, tables);
    assert.deepEqual(db.execute('SELECT * FROM mine_things').rows, [[1, 'a', null]]);
    assert.deepEqual(db.queue('q').claim({ limit: 9 }).map(({ payload }) => payload), ['kept']);
    assert.equal(db.doctor().ok, true);
  });
  const pulled = readFileSync(join(dir, 'out', 'schema.ts'), 'utf8');
  assert.deepEqual(pulled.match(/sqliteTable\("\w+"/g), ['sqliteTable("mine_things"']);
});
