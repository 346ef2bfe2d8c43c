/*
 * drizzle.mjs: what a query costs through Drizzle, and without it, over brant and over better-sqlite3, each on a file of its own with the same settings.
 *
 *   node tests/bench/drizzle.mjs [ROUNDS]      after bindings/node/build and bindings/node/other-sqlite --optimized
 *
 * Microseconds of processor time, the median of the rounds (default 15). The two take turns in each round, so that what else the machine does meets both.
 */
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { createRequire } from 'node:module';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

const require = createRequire(new URL('../../bindings/node/bench.mjs', import.meta.url));
const { open } = require('brant');
const { drizzle } = require('brant/drizzle');
const Sqlite = require('better-sqlite3');
const { eq, gt, lt, sql } = require('drizzle-orm');
const { drizzle: drizzleOverBetterSqlite } = require('drizzle-orm/better-sqlite3');
const { blob, integer, real, sqliteTable, text } = require('drizzle-orm/sqlite-core');

const rounds = Number(process.argv[2] ?? 15);
const folder = mkdtempSync(join(tmpdir(), 'brant-bench-'));
const client = new Sqlite(join(folder, 'other.db'));
client.pragma('journal_mode = WAL');
client.pragma('synchronous = NORMAL');
const brant = open(join(folder, 'brant.db'));

const versionOf = (name) => JSON.parse(readFileSync(new URL(`../../bindings/node/node_modules/${name}/package.json`, import.meta.url), 'utf8')).version;
const settingsOf = (ask) => `SQLite ${ask('SELECT sqlite_version()')}, journal_mode ${ask('PRAGMA journal_mode')}, synchronous ${ask('PRAGMA synchronous')}`;
console.log(`node ${process.version}, drizzle-orm ${versionOf('drizzle-orm')}`);
console.log(`brant: ${settingsOf((text) => brant.execute(text).rows[0][0])}`);
console.log(`better-sqlite3 ${versionOf('better-sqlite3')}: ${settingsOf((text) => client.prepare(text).raw().get()[0])}`);

const ROWS = 10_000;
const items = sqliteTable('items', { id: integer().primaryKey(), name: text().notNull(), price: real().notNull(), tags: text({ mode: 'json' }) });
const goods = sqliteTable('goods', { id: integer().primaryKey(), name: text().notNull(), price: real().notNull(), stock: integer() });
const files = sqliteTable('files', { id: integer().primaryKey(), bytes: blob({ mode: 'buffer' }).notNull() });
const value = { name: 'tea', price: 1.5, tags: ['green', 'leaf'] };
const bytes = Buffer.alloc(4096, 0xa5);
const thousand = Array.from({ length: 1000 }, () => value);

/** Each measurement: [times in a round, what to do for the i-th time, rows that it is divided by]. */
function measurements(db, raw) {
  db.run(sql`CREATE TABLE items (id INTEGER PRIMARY KEY, name TEXT NOT NULL, price REAL NOT NULL, tags TEXT)`);
  db.run(sql`CREATE TABLE goods (id INTEGER PRIMARY KEY, name TEXT NOT NULL, price REAL NOT NULL, stock INTEGER)`);
  db.run(sql`CREATE TABLE files (id INTEGER PRIMARY KEY, bytes BLOB NOT NULL)`);
  db.run(sql`WITH n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < ${sql.raw(ROWS)}) INSERT INTO goods SELECT i, 'number ' || i, i * 1.5, i FROM n`);
  db.insert(items).values(thousand).run();
  db.insert(files).values(Array.from({ length: 100 }, () => ({ bytes }))).run();
  const byId = db.select().from(goods).where(eq(goods.id, sql.placeholder('id'))).prepare();
  const bytesById = db.select().from(files).where(eq(files.id, sql.placeholder('id'))).prepare();
  const insert = db.insert(items).values({ name: sql.placeholder('name'), price: sql.placeholder('price'), tags: sql.placeholder('tags') }).prepare();
  return {
    'select a row': [200, (i) => db.select().from(goods).where(eq(goods.id, i + 1)).get()],
    'select a row, prepared': [1000, (i) => byId.get({ id: i + 1 })],
    'select a row, without Drizzle': [1000, (i) => raw.get(i + 1)],
    'insert, a transaction each': [100, () => db.insert(items).values(value).run()],
    'insert, 1000 a transaction, a row': [1, () => db.transaction((tx) => { for (let i = 0; i < 1000; i++) tx.insert(items).values(value).run(); }), 1000],
    'the same, prepared': [1, () => db.transaction(() => { for (let i = 0; i < 1000; i++) insert.run(value); }), 1000],
    'insert, 1000 a statement, a row': [1, () => db.insert(items).values(thousand).run(), 1000],
    'select 1000 rows with JSON, a row': [2, () => db.select().from(items).where(lt(items.id, 1001)).all(), 1000],
    'select 10 000 rows, a row': [1, () => db.select().from(goods).all(), ROWS],
    'the same, without Drizzle': [1, () => raw.all(), ROWS],
    'select a blob of 4 kB, prepared': [200, (i) => bytesById.get({ id: (i % 100) + 1 })],
    'insert a blob of 4 kB': [1, () => db.transaction((tx) => { for (let i = 0; i < 100; i++) tx.insert(files).values({ bytes }).run(); tx.delete(files).where(gt(files.id, 100)).run(); }), 100],
  };
}

const BY_ID = 'SELECT id, name, price, stock FROM goods WHERE id = ?';
const ALL = 'SELECT id, name, price, stock FROM goods';
const mine = measurements(drizzle(brant), { get: (id) => brant.execute(BY_ID, [id]), all: () => brant.execute(ALL) });
let statements;
const theirs = measurements(drizzleOverBetterSqlite(client), {
  get: (id) => (statements ??= [client.prepare(BY_ID).raw(), client.prepare(ALL).raw()])[0].get(id),
  all: () => statements[1].all(),
});

function processorTime() {
  const { user, system } = process.cpuUsage();
  return user + system;
}
function measure([times, call, rows = 1]) {
  const began = processorTime();
  for (let i = 0; i < times; i++) call(i);
  return (processorTime() - began) / times / rows;
}
const median = (figures) => figures.sort((a, b) => a - b)[figures.length >> 1];
for (const what of Object.keys(mine)) {
  const took = [[], []];
  for (let round = -2; round < rounds; round++) {
    const turn = [measure(mine[what]), measure(theirs[what])];
    if (round >= 0) turn.forEach((figure, i) => took[i].push(figure)); // the first ones are being compiled
  }
  const [own, other] = took.map(median);
  console.log(`${what.padEnd(36)} ${own.toFixed(2).padStart(8)} us brant  ${other.toFixed(2).padStart(8)} us better-sqlite3  ${(own / other).toFixed(2)}`);
}
brant.close();
client.close();
rmSync(folder, { recursive: true });
