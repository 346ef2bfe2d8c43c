/*
 * Drizzle over a handle: that queries answer what Drizzle's users expect of its synchronous SQLite drivers, for every kind of column, and that rows, notifications,
 * events and jobs are one transaction. What is compared with better-sqlite3 runs on both.
 */
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { test } from 'node:test';
import { drizzle, int64 } from 'brant/drizzle';
import Sqlite from 'better-sqlite3';
import { DrizzleQueryError, TransactionRollbackError, and, asc, count, desc, eq, exists, getTableColumns, gt, inArray, like, max, ne, relations, sql, sum } from 'drizzle-orm';
import { drizzle as drizzleOverBetterSqlite } from 'drizzle-orm/better-sqlite3';
import { alias, blob, except, integer, intersect, numeric, real, sqliteTable, sqliteView, text, union, unionAll } from 'drizzle-orm/sqlite-core';
import { after, database, file, thrown } from './support.mjs';

const versionOf = (name) => JSON.parse(readFileSync(new URL(`../node_modules/${name}/package.json`, import.meta.url), 'utf8')).version;
console.log(`drizzle-orm ${versionOf('drizzle-orm')}, drizzle-kit ${versionOf('drizzle-kit')}, better-sqlite3 ${versionOf('better-sqlite3')}`);

const users = sqliteTable('users', {
  id: integer().primaryKey({ autoIncrement: true }),
  name: text().notNull(),
  verified: integer({ mode: 'boolean' }).notNull().default(false),
  tags: text({ mode: 'json' }).$type(),
  createdAt: integer('created_at', { mode: 'timestamp' }).notNull().default(sql`(unixepoch())`),
  invitedBy: integer('invited_by'),
});
const posts = sqliteTable('posts', {
  id: integer().primaryKey(),
  name: text().notNull(),
  userId: integer('user_id').notNull(),
  likes: integer().notNull().default(0),
});
const usersRelations = relations(users, ({ one, many }) => ({
  posts: many(posts),
  inviter: one(users, { fields: [users.invitedBy], references: [users.id], relationName: 'inviter' }),
}));
const postsRelations = relations(posts, ({ one }) => ({ author: one(users, { fields: [posts.userId], references: [users.id] }) }));
const schema = { users, posts, usersRelations, postsRelations };

const TABLES = [
  sql`CREATE TABLE users (id INTEGER PRIMARY KEY AUTOINCREMENT, name TEXT NOT NULL, verified INTEGER NOT NULL DEFAULT 0, tags TEXT,
    created_at INTEGER NOT NULL DEFAULT (unixepoch()), invited_by INTEGER)`,
  sql`CREATE TABLE posts (id INTEGER PRIMARY KEY, name TEXT NOT NULL, user_id INTEGER NOT NULL, likes INTEGER NOT NULL DEFAULT 0)`,
];

/** An ORM over a new file, with the tables. */
function shop(t, options = {}) {
  const db = drizzle(database(t), { schema, ...options });
  for (const table of TABLES) db.run(table);
  return db;
}

/** The same over better-sqlite3, in memory. */
function rival(t, options = {}) {
  const client = new Sqlite(':memory:');
  after(t, () => client.close());
  const db = drizzleOverBetterSqlite(client, { schema, ...options });
  for (const table of TABLES) db.run(table);
  return db;
}

/** For assert.throws: Drizzle's error, whose cause is brant's, of this code. */
function refusal(code, pattern = /./) {
  return (error) => {
    assert.ok(error instanceof DrizzleQueryError, String(error));
    assert.equal(error.cause.name, 'BrantError');
    assert.equal(error.cause.code, code);
    assert.match(error.cause.message, pattern);
    return true;
  };
}

const kinds = sqliteTable('kinds', {
  id: integer().primaryKey(),
  int: integer(),
  bool: integer({ mode: 'boolean' }),
  seconds: integer({ mode: 'timestamp' }),
  millis: integer({ mode: 'timestamp_ms' }),
  text: text(),
  kind: text({ enum: ['a', 'b'] }),
  json: text({ mode: 'json' }),
  buffer: blob({ mode: 'buffer' }),
  blobJson: blob('blob_json', { mode: 'json' }),
  blobBig: blob('blob_big', { mode: 'bigint' }),
  real: real(),
  numeric: numeric(),
  numericNumber: numeric('numeric_number', { mode: 'number' }),
  numericBig: numeric('numeric_big', { mode: 'bigint' }),
});
const KINDS = sql`CREATE TABLE kinds (id INTEGER PRIMARY KEY, int INTEGER, bool INTEGER, seconds INTEGER, millis INTEGER, text TEXT, kind TEXT, json TEXT,
  buffer BLOB, blob_json BLOB, blob_big BLOB, real REAL, numeric NUMERIC, numeric_number NUMERIC, numeric_big NUMERIC)`;
const FULL = {
  id: 1,
  int: -(2 ** 53 - 1),
  bool: true,
  seconds: new Date(1_700_000_000_000),
  millis: new Date(1_700_000_000_123),
  text: 'q"uo\'te \u0000 \u{1F600} é\n',
  kind: 'b',
  json: { nested: [1, null, 'x', { $base64: 'AAAA' }], big: 1e300 },
  buffer: Buffer.from([0, 255, 1, 254]),
  blobJson: ['é', { a: 1 }],
  blobBig: 2n ** 100n,
  real: 0.1 + 0.2,
  numeric: '123.456',
  numericNumber: -1.5,
  numericBig: 2n ** 53n + 1n,
};

test('every kind of column comes back as it went, as over better-sqlite3', (t) => {
  const empty = { ...Object.fromEntries(Object.keys(FULL).map((name) => [name, null])), id: 2 };
  const answers = [shop(t), rival(t)].map((db) => {
    db.run(KINDS);
    assert.deepEqual(db.insert(kinds).values(FULL).run(), { changes: 1, lastInsertRowid: 1 });
    const [returned] = db.insert(kinds).values({ id: 2 }).returning().all();
    const rows = db.select().from(kinds).orderBy(kinds.id).all();
    assert.deepEqual(returned, rows[1]);
    assert.deepEqual(db.select().from(kinds).where(eq(kinds.id, 1)).get(), rows[0]);
    assert.deepEqual(db.query?.kinds, undefined);
    assert.ok(Buffer.isBuffer(rows[0].buffer));
    // Each value finds its row again.
    for (const name of ['int', 'bool', 'seconds', 'millis', 'text', 'kind', 'json', 'buffer', 'blobBig', 'real', 'numeric', 'numericNumber']) {
      assert.equal(db.select({ id: kinds.id }).from(kinds).where(eq(kinds[name], FULL[name])).get()?.id, 1, name);
    }
    return [rows, db.select().from(kinds).orderBy(kinds.id).values(), db.all(sql`SELECT * FROM kinds ORDER BY id`), db.get(sql`SELECT * FROM kinds ORDER BY id`)];
  });
  const [mine, theirs] = answers;
  assert.deepEqual(mine[0], [FULL, empty]);
  assert.equal(mine[3].numeric_big, 2n ** 53n + 1n);
  for (const row of [theirs[2][0], theirs[3]]) row.numeric_big = 2n ** 53n + 1n; // which better-sqlite3 rounds
  assert.deepEqual(mine, theirs);
});

test('integers beyond 2^53 are exact', (t) => {
  const db = shop(t);
  const ledger = sqliteTable('ledger', { id: integer().primaryKey(), amount: int64().notNull(), plain: integer() });
  db.run(sql`CREATE TABLE ledger (id INTEGER PRIMARY KEY, amount INTEGER NOT NULL, plain INTEGER)`);
  const amounts = [2n ** 63n - 1n, -(2n ** 63n), 2n ** 53n + 1n, 7n];
  db.insert(ledger).values(amounts.map((amount) => ({ amount, plain: amount }))).run();
  assert.deepEqual(db.select({ amount: ledger.amount }).from(ledger).orderBy(ledger.id).all().map(({ amount }) => amount), amounts);
  assert.deepEqual(db.select().from(ledger).where(eq(ledger.amount, 2n ** 53n + 1n)).get(), { id: 3, amount: 2n ** 53n + 1n, plain: 2n ** 53n + 1n });
  assert.equal(db.select({ n: max(ledger.amount) }).from(ledger).get().n, 2n ** 63n - 1n);
  assert.throws(() => db.insert(ledger).values({ amount: 2n ** 63n }).run(), refusal('INVALID'));
  const rounded = drizzle(database(t, { integers: 'number' }));
  assert.equal(rounded.get(sql`SELECT 9007199254740993 AS n`).n, 9007199254740992);
  // A row within a row is read by Drizzle's JSON.parse: what it rounds is an error, not another number.
  const own = relations(posts, ({ one }) => ({ ledger: one(ledger, { fields: [posts.userId], references: [ledger.id] }) }));
  const related = drizzle(db.$client, { schema: { posts, ledger, own } });
  db.insert(posts).values([{ name: 'big', userId: 3 }, { name: 'small', userId: 4 }]).run();
  const find = (name) => related.query.posts.findFirst({ where: eq(posts.name, name), columns: {}, with: { ledger: { columns: { amount: true } } } }).sync();
  assert.deepEqual(find('small'), { ledger: { amount: 7n } });
  assert.throws(() => find('big'), RangeError);
  // A time that is none reads as none, and the rows around it as they are.
  const times = sqliteTable('times', { seconds: integer({ mode: 'timestamp' }), millis: integer({ mode: 'timestamp_ms' }) });
  db.run(sql`CREATE TABLE times (seconds, millis)`);
  db.run(sql`INSERT INTO times VALUES (9223372036854775807, -9007199254740993), (1, 1)`);
  assert.deepEqual(db.select().from(times).all().map((row) => [Number(row.seconds), Number(row.millis)]), [[NaN, NaN], [1000, 1]]);
});

test('what is no SQL value is refused, and nothing is written', (t) => {
  const db = shop(t);
  for (const value of [Symbol('x'), () => 1]) assert.throws(() => db.run(sql`INSERT INTO posts (name, user_id) VALUES (${sql.param(value)}, 1)`), refusal('INVALID'));
  assert.throws(() => db.select({ n: sql`${sql.placeholder('toString')}` }).from(users).prepare().all(), refusal('INVALID')); // a member of every object
  for (const text of ["SELECT '\ud800'", 'SELECT 1 AS "\udc00\ud800"']) assert.throws(() => db.all(sql.raw(text)), refusal('INVALID', /surrogate/));
  assert.throws(() => db.run(sql.raw('DELETE FROM posts\0; DROP TABLE posts')), refusal('SQL'));
  assert.deepEqual(db.values(sql`SELECT ${'\ufffd \u{1F600}'}, ${'a\0b'}, length(CAST(${'a\0b'} AS BLOB))`), [['\ufffd \u{1F600}', 'a\0b', 3]]);
  for (const value of [new Date(), { a: 1 }, [1], NaN]) assert.throws(() => db.run(sql`INSERT INTO posts (name, user_id) VALUES (${sql.param(value)}, 1)`), refusal('INVALID'));
  assert.throws(() => db.run(sql`INSERT INTO posts (name, user_id) VALUES (${'\ud800'}, 1)`), refusal('INVALID', /surrogate/));
  assert.equal(db.select().from(posts).all().length, 0);
});

test('rows of raw SQL: objects, arrays, columns of one name', (t) => {
  const db = shop(t);
  assert.deepEqual(db.all(sql`SELECT 1 AS a, 'x' AS b`), [{ a: 1, b: 'x' }]);
  assert.deepEqual(db.values(sql`SELECT 1 AS a, 2 AS a, NULL, ${-Infinity}, 9e999`), [[1, 2, null, -Infinity, Infinity]]);
  assert.deepEqual(db.get(sql`SELECT 1 AS a WHERE 0`), undefined);
  assert.deepEqual(db.all(sql`SELECT 1 AS a, 2 AS a`), [{ a: 2 }]);
  assert.deepEqual(db.run(sql`DELETE FROM users`), { changes: 0, lastInsertRowid: 0 });
  assert.deepEqual(db.all(sql.raw('SELECT 1 AS __proto__x')), [{ __proto__x: 1 }]);
  const row = db.get(sql.raw('SELECT 7 AS "__proto__"'));
  assert.deepEqual(Object.entries(row), [['__proto__', 7]]);
});

test('names are quoted, and those of Object.prototype are names like others', (t) => {
  for (const db of [shop(t), rival(t)]) {
    const odd = sqliteTable('od"d; DROP TABLE users; --', { 'id"x': integer('id"; --').primaryKey(), n: text("n`'") });
    db.run(sql`CREATE TABLE ${odd} (${sql.identifier('id"; --')} INTEGER PRIMARY KEY, ${sql.identifier("n`'")} TEXT)`);
    db.insert(odd).values({ n: "'); DROP TABLE users; --" }).run();
    assert.deepEqual(db.select().from(odd).all(), [{ 'id"x': 1, n: "'); DROP TABLE users; --" }]);
    assert.equal(db.select().from(users).all().length, 0);
  }
  // Drizzle's own mapping writes into Object and its prototype here.
  const db = shop(t);
  db.insert(posts).values({ name: 'a', userId: 1 }).run();
  const [row] = db.select({ ['__proto__']: { polluted: posts.name }, constructor: { polluted: posts.id }, toString: posts.userId }).from(posts).all();
  assert.deepEqual([{}.polluted, Object.polluted], [undefined, undefined]);
  assert.deepEqual(Object.entries(row), [['__proto__', { polluted: 'a' }], ['constructor', { polluted: 1 }], ['toString', 1]]);
  const named = sqliteTable('constructor', { id: integer() });
  db.run(sql`CREATE TABLE constructor (id INTEGER)`);
  assert.equal(db.select().from(posts).leftJoin(named, eq(named.id, posts.id)).get().constructor, null);
});

test('rows of every shape are as Drizzle maps them', (t) => {
  const ask = (db) => {
    db.insert(users).values([{ name: 'Ann', tags: [1] }, { name: 'Bob', invitedBy: 1 }].map((user) => ({ ...user, createdAt: new Date(5000) }))).run();
    db.insert(posts).values([{ name: 'a', userId: 1 }, { name: 'b', userId: 7 }]).run();
    const lower = sql`lower(${users.name})`.mapWith((text) => `<${text}>`);
    const sub = db.select({ id: users.id, at: users.createdAt, shout: sql`upper(${users.name})`.as('shout') }).from(users).as('sub');
    return [
      db.select({ a: { b: { c: users.createdAt, d: users.tags }, e: lower }, f: users.id }).from(users).all(),
      db.select({ user: { tags: users.tags, name: users.name }, post: { name: posts.name }, n: sql`1` }).from(posts).leftJoin(users, eq(users.id, posts.userId)).orderBy(posts.id).all(),
      db.select({ mixed: { name: users.name, post: posts.name }, only: { n: sql`${users.id}` } }).from(posts).leftJoin(users, eq(users.id, posts.userId)).orderBy(posts.id).all(),
      db.select().from(sub).leftJoin(posts, eq(posts.userId, sub.id)).orderBy(sub.id).all(),
      db.select({ sub: { at: sub.at, shout: sub.shout } }).from(sub).get(),
      db.update(users).set({ verified: true }).returning({ nested: { verified: users.verified }, name: users.name }).all(),
      db.select().from(posts).fullJoin(users, eq(users.id, posts.userId)).orderBy(posts.id, users.id).values(),
    ].map((answer) => [answer, JSON.stringify(answer)]); // the order of members, too
  };
  assert.deepEqual(ask(shop(t)), ask(rival(t)));
});

test('joins, columns of one name in both tables, nothing on one side', (t) => {
  const check = (db) => {
    const [ann, bob] = db.insert(users).values([{ name: 'Ann', tags: ['x'] }, { name: 'Bob' }]).returning({ id: users.id }).all();
    db.insert(posts).values({ name: 'first', userId: ann.id }).run();
    const left = db.select().from(users).leftJoin(posts, eq(posts.userId, users.id)).orderBy(users.id).all();
    assert.deepEqual(left.map((row) => [row.users.name, row.posts?.name ?? null]), [['Ann', 'first'], ['Bob', null]]);
    assert.equal(left[1].posts, null);
    const names = db.select({ user: users.name, post: posts.name, tags: users.tags }).from(users).innerJoin(posts, eq(posts.userId, users.id)).all();
    assert.deepEqual(names, [{ user: 'Ann', post: 'first', tags: ['x'] }]);
    const inviter = alias(users, 'inviter');
    db.update(users).set({ invitedBy: ann.id }).where(eq(users.id, bob.id)).run();
    const self = db.select({ who: users.name, inviter: { name: inviter.name } }).from(users).leftJoin(inviter, eq(users.invitedBy, inviter.id)).orderBy(users.id).all();
    assert.deepEqual(self, [{ who: 'Ann', inviter: null }, { who: 'Bob', inviter: { name: 'Ann' } }]);
    const right = db.select().from(posts).rightJoin(users, eq(posts.userId, users.id)).orderBy(users.id).all();
    assert.deepEqual(right.map((row) => row.posts?.name ?? null), ['first', null]);
    return db.select().from(users).fullJoin(posts, eq(posts.userId, users.id)).orderBy(users.id).all().length;
  };
  assert.equal(check(shop(t)), check(rival(t)));
});

test('insert, update, delete: returning, defaults, conflicts, many rows, from a select', (t) => {
  for (const db of [shop(t), rival(t)]) {
    const many = Array.from({ length: 500 }, (_, i) => ({ id: i + 1, name: `n${i}`, userId: i % 7 }));
    assert.deepEqual(db.insert(posts).values(many).run(), { changes: 500, lastInsertRowid: 500 });
    assert.equal(db.insert(posts).values({ id: 1, name: 'again', userId: 0 }).onConflictDoNothing().run().changes, 0);
    const upserted = db.insert(posts).values({ id: 1, name: 'again', userId: 0 }).onConflictDoUpdate({ target: posts.id, set: { name: sql`excluded.name`, likes: sql`${posts.likes} + 1` } }).returning().get();
    assert.deepEqual(upserted, { id: 1, name: 'again', userId: 0, likes: 1 });
    assert.equal(db.update(posts).set({ likes: sql`${posts.likes} + 10` }).where(gt(posts.id, 400)).run().changes, 100);
    assert.deepEqual(db.update(posts).set({ likes: 0 }).where(eq(posts.id, 450)).returning({ id: posts.id, likes: posts.likes }).all(), [{ id: 450, likes: 0 }]);
    // .get() of what writes many rows writes all of them.
    assert.equal(db.update(posts).set({ likes: 3 }).where(gt(posts.id, 490)).returning().get().likes, 3);
    assert.equal(db.select({ n: count() }).from(posts).where(eq(posts.likes, 3)).get().n, 10);
    assert.equal(db.delete(posts).where(inArray(posts.id, [1, 2, 3])).returning().all().length, 3);
    assert.equal(db.delete(posts).where(ne(posts.userId, 0)).run().changes, 426);
    db.run(sql`CREATE TRIGGER twice AFTER INSERT ON posts BEGIN UPDATE posts SET likes = 9; END`);
    assert.equal(db.insert(posts).values({ name: 'counted once', userId: 1 }).run().changes, 1);
    assert.equal(db.run(sql`DROP TRIGGER twice`).changes, 0);
    const got = db.insert(users).values({ name: 'Ann' }).returning().get();
    assert.ok(got.createdAt instanceof Date && Math.abs(got.createdAt - Date.now()) < 60_000);
    assert.deepEqual([got.verified, got.tags], [false, null]);
    db.insert(users).select(db.select({ id: sql`NULL`.as('id'), name: posts.name, verified: sql`1`.as('verified'), tags: sql`NULL`.as('tags'), createdAt: sql`0`.as('created_at'), invitedBy: sql`NULL`.as('invited_by') }).from(posts).where(eq(posts.id, 8))).run();
    assert.deepEqual(db.select({ name: users.name, verified: users.verified }).from(users).orderBy(desc(users.id)).get(), { name: 'n7', verified: true });
  }
});

test('queries: aggregates, subqueries, CTEs, set operations, views, $count, dynamic', async (t) => {
  for (const db of [shop(t), rival(t)]) {
    db.insert(users).values(['Ann', 'Bob', 'Cid'].map((name) => ({ name }))).run();
    db.insert(posts).values([[1, 5], [1, 7], [2, 1]].map(([userId, likes], i) => ({ name: `p${i}`, userId, likes }))).run();
    assert.deepEqual(db.select({ user: posts.userId, n: count(), likes: sum(posts.likes).mapWith(Number) }).from(posts).groupBy(posts.userId).orderBy(posts.userId).all(), [
      { user: 1, n: 2, likes: 12 },
      { user: 2, n: 1, likes: 1 },
    ]);
    const liked = db.$with('liked').as(db.select({ userId: posts.userId, total: sum(posts.likes).as('total') }).from(posts).groupBy(posts.userId));
    assert.deepEqual(db.with(liked).select({ name: users.name, total: liked.total }).from(users).innerJoin(liked, eq(liked.userId, users.id)).orderBy(asc(users.id)).all().map(({ name }) => name), ['Ann', 'Bob']);
    const best = db.select({ userId: posts.userId, most: max(posts.likes).as('most') }).from(posts).groupBy(posts.userId).as('best');
    assert.deepEqual(db.select({ name: users.name, most: best.most }).from(best).innerJoin(users, eq(best.userId, users.id)).orderBy(desc(best.most)).get(), { name: 'Ann', most: 7 });
    assert.deepEqual(db.select({ name: users.name }).from(users).where(exists(db.select().from(posts).where(eq(posts.userId, users.id)))).all().length, 2);
    const all = union(db.select({ name: users.name }).from(users), db.select({ name: posts.name }).from(posts)).orderBy(asc(sql`name`)).all();
    assert.deepEqual(all.map(({ name }) => name), ['Ann', 'Bob', 'Cid', 'p0', 'p1', 'p2']);
    assert.equal(unionAll(db.select({ id: users.id }).from(users), db.select({ id: posts.id }).from(posts)).all().length, 6);
    assert.equal(intersect(db.select({ id: users.id }).from(users), db.select({ id: posts.userId }).from(posts)).all().length, 2);
    assert.deepEqual(except(db.select({ id: users.id }).from(users), db.select({ id: posts.userId }).from(posts)).all(), [{ id: 3 }]);
    assert.equal(await db.$count(users), 3);
    assert.equal(await db.$count(posts, eq(posts.userId, 1)), 2);
    assert.deepEqual(db.select({ name: users.name, posts: db.$count(posts, eq(posts.userId, users.id)) }).from(users).orderBy(users.id).all().map(({ posts }) => posts), [2, 1, 0]);
    db.run(sql`CREATE VIEW popular AS SELECT name, likes FROM posts WHERE likes > 4`);
    const popular = sqliteView('popular', { name: text(), likes: integer() }).existing();
    assert.deepEqual(db.select().from(popular).orderBy(popular.likes).all(), [{ name: 'p0', likes: 5 }, { name: 'p1', likes: 7 }]);
    const page = db.select().from(users).$dynamic().orderBy(users.id).limit(1).offset(1);
    assert.deepEqual(page.all().map(({ name }) => name), ['Bob']);
    assert.deepEqual(db.selectDistinct({ user: posts.userId }).from(posts).all().length, 2);
    assert.deepEqual((await db.select().from(users)).length, 3); // a query is awaited, too
    assert.deepEqual(db.update(users).set({ verified: true }).from(posts).where(and(eq(posts.userId, users.id), like(posts.name, 'p2'))).returning({ name: users.name }).all(), [{ name: 'Bob' }]);
    const { tags, ...rest } = getTableColumns(users);
    assert.deepEqual(Object.keys(db.select(rest).from(users).get()), Object.keys(rest));
  }
});

test('relational queries', (t) => {
  const ask = (db) => {
    db.insert(users).values([{ name: 'Ann' }, { name: 'Bob', invitedBy: 1, verified: true }].map((user) => ({ ...user, createdAt: new Date(5000) }))).run();
    db.insert(posts).values([{ name: 'a', userId: 1 }, { name: 'b', userId: 1 }, { name: 'c', userId: 2 }]).run();
    return [
      db.query.users.findMany({ with: { posts: { orderBy: (p, { desc }) => desc(p.id), limit: 1 }, inviter: true } }).sync(),
      db.query.users.findFirst({ where: (u, { eq }) => eq(u.name, 'Bob'), columns: { name: true, verified: true }, with: { inviter: { columns: { name: true } } } }).sync(),
      db.query.users.findFirst({ where: (u, { eq }) => eq(u.name, 'Zoe') }).sync(),
      db.query.posts.findMany({ with: { author: { extras: { shout: sql`upper(${users.name})`.as('shout') } } } }).sync(),
    ];
  };
  const mine = ask(shop(t));
  assert.deepEqual(mine, ask(rival(t)));
  assert.deepEqual(mine[1], { name: 'Bob', verified: true, inviter: { name: 'Ann' } });
  assert.ok(mine[0][0].createdAt instanceof Date);
});

test('prepared statements with placeholders', (t) => {
  for (const db of [shop(t), rival(t)]) {
    const insert = db.insert(users).values({ name: sql.placeholder('name'), verified: sql.placeholder('verified') }).prepare();
    for (const name of ['Ann', 'Bob']) assert.equal(insert.run({ name, verified: name === 'Bob' }).changes, 1);
    const byName = db.select().from(users).where(eq(users.name, sql.placeholder('name'))).limit(sql.placeholder('limit')).prepare();
    assert.equal(byName.all({ name: 'Bob', limit: 5 })[0].verified, true);
    assert.equal(byName.get({ name: 'Zoe', limit: 5 }), undefined);
    assert.equal(byName.values({ name: 'Ann', limit: 1 })[0][1], 'Ann');
    assert.equal(byName.execute({ name: 'Ann', limit: 1 }).sync().length, 1);
    assert.throws(() => byName.all({ name: 'Ann' }), /limit/);
    db.run(sql`ALTER TABLE users ADD COLUMN extra`); // a statement outlives a change of its table
    assert.equal(byName.get({ name: 'Ann', limit: 1 }).name, 'Ann');
    const found = db.query.users.findFirst({ where: eq(users.id, sql.placeholder('id')), with: { posts: true } }).prepare();
    assert.deepEqual(found.execute({ id: 2 }).sync().posts, []);
  }
});

test('get reads no more than its row', (t) => {
  const db = shop(t);
  db.run(sql`WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 150000) INSERT INTO posts (id, name, user_id) SELECT i, 'x', 1 FROM n`);
  assert.equal(db.select().from(posts).get().id, 1);
  assert.throws(() => db.select().from(posts).all(), refusal('LIMIT', /LIMIT/));
});

test('a transaction of rows, nodes, a notification, an event and a job', async (t) => {
  const db = shop(t);
  const brant = db.$client;
  brant.graphs.create('g', { graphType: 'open' });
  const listener = brant.listen('orders');
  const write = (name, fail) =>
    db.transaction((tx) => {
      assert.equal(tx.$brant, brant);
      assert.equal(tx.$client, brant);
      const { id } = tx.insert(users).values({ name }).returning().get();
      tx.$brant.graph('g').nodes.insert({ key: name });
      tx.$brant.notify('orders', { id });
      tx.$brant.stream('orders').publish({ id });
      tx.$brant.queue('mail').enqueue({ id });
      fail?.(tx);
      return id;
    });
  const taken = (error) => {
    assert.equal(db.select().from(users).all().length, 0);
    assert.equal(brant.graph('g').nodes.count(), 0);
    assert.deepEqual([brant.streams.list().items, brant.queue('mail').claim({ limit: 9 })], [[], []]);
    return error;
  };
  assert.ok(taken(thrown(() => write('a', (tx) => tx.rollback()))) instanceof TransactionRollbackError);
  assert.equal(taken(thrown(() => write('b', () => { throw new RangeError('no'); }))).message, 'no');
  assert.ok(refusal('CONSTRAINT', /UNIQUE/)(taken(thrown(() => write('c', (tx) => tx.run(sql`INSERT INTO users (id, name) SELECT id, name FROM users`))))));
  assert.equal(taken(thrown(() => write('d', (tx) => tx.$brant.graph('none').nodes.put({ key: 'x' })))).code, 'NOT_FOUND');
  const id = write('e');
  assert.deepEqual((await listener.nextBatch(60_000)).map(({ payload }) => payload), [{ id }]);
  assert.deepEqual(brant.stream('orders').read().items.map(({ payload }) => payload), [{ id }]);
  assert.deepEqual(brant.queue('mail').claim({ limit: 9 }).map(({ payload }) => payload), [{ id }]);
  assert.deepEqual([...brant.graph('g').nodes].map(({ key }) => key), ['e']);
  assert.deepEqual(db.select({ name: users.name }).from(users).all(), [{ name: 'e' }]);
});

test('transactions nest, in Drizzle and in brant, either in the other', (t) => {
  const db = shop(t);
  const brant = db.$client;
  const add = (on, name) => on.insert(users).values({ name }).run();
  const outcome = db.transaction((tx) => {
    add(tx, 'outer');
    assert.throws(() => tx.transaction((inner) => {
      add(inner, 'lost');
      inner.$brant.queue('q').enqueue('lost');
      inner.transaction((third) => add(third, 'lost too'));
      inner.rollback();
    }), TransactionRollbackError);
    tx.transaction((inner) => {
      add(inner, 'inner');
      inner.$brant.queue('q').enqueue('kept');
    });
    assert.throws(() => tx.$brant.transaction(() => { add(tx, 'lost'); throw new Error('back'); }), /back/);
    return 'done';
  });
  assert.equal(outcome, 'done');
  brant.transaction(() => {
    add(db, 'joined');
    db.transaction((tx) => add(tx, 'nested'));
  });
  assert.throws(() => brant.transaction(() => { add(db, 'lost'); db.transaction((tx) => add(tx, 'lost')); throw new Error('back'); }), /back/);
  brant.begin();
  add(db, 'lost');
  brant.rollback();
  assert.deepEqual(db.select({ name: users.name }).from(users).all().map(({ name }) => name), ['outer', 'inner', 'joined', 'nested']);
  assert.deepEqual(brant.queue('q').claim({ limit: 9 }).map(({ payload }) => payload), ['kept']);
});

test('behaviours, snapshots, promises', async (t) => {
  const path = file(t);
  const db = drizzle(database(t, { busyTimeout: 20 }, path), { schema });
  for (const table of TABLES) db.run(table);
  const other = drizzle(database(t, { busyTimeout: 20 }, path));
  for (const behavior of ['deferred', 'immediate', 'exclusive']) {
    db.transaction((tx) => {
      tx.insert(users).values({ name: behavior }).run();
      assert.equal(other.select().from(users).all().filter(({ name }) => name === behavior).length, 0); // readers go on
      assert.throws(() => other.insert(users).values({ name: 'x' }).run(), refusal('BUSY'));
    }, { behavior });
  }
  db.transaction((tx) => {
    assert.equal(tx.$count(users) instanceof Object, true);
    const before = tx.select().from(users).all().length;
    other.insert(users).values({ name: 'meanwhile' }).run();
    assert.equal(tx.select().from(users).all().length, before);
    assert.throws(() => tx.insert(users).values({ name: 'x' }).run(), refusal('READ_ONLY'));
  }, { mode: 'read' });
  const error = thrown(() => db.transaction(async (tx) => void tx.insert(users).values({ name: 'async' }).run()));
  assert.equal(error.code, 'MISUSE');
  assert.equal(db.select().from(users).where(eq(users.name, 'async')).get(), undefined);
  assert.equal(db.select().from(users).all().length, 4);
});

test('a transaction that is over takes no queries', async (t) => {
  const db = shop(t);
  const add = (on, name) => on.insert(users).values({ name }).run();
  const over = (error) => {
    assert.match((error.cause ?? error).message, /the transaction is over/);
    return true;
  };
  let kept;
  let prepared;
  let after;
  assert.throws(() => db.transaction(async (tx) => {
    add(tx, 'first');
    await null;
    after = thrown(() => add(tx, 'outside')); // would be committed by itself
  }), { code: 'MISUSE' });
  await new Promise(setImmediate);
  assert.ok(over(after));
  db.transaction((tx) => {
    kept = tx;
    prepared = tx.select().from(users).prepare();
    assert.throws(() => tx.transaction((inner) => {
      add(inner, 'lost');
      kept = inner;
      throw new Error('back');
    }), /back/);
    assert.throws(() => add(kept, 'outer'), over); // would be of the outer one
    kept = tx;
    add(tx, 'kept');
    add(db, 'joins');
    assert.equal(prepared.all().length, 2);
  });
  for (const use of [() => add(kept, 'x'), () => prepared.all(), () => kept.query?.users.findFirst().sync(), () => kept.transaction((tx) => add(tx, 'x')), () => kept.run(sql`DELETE FROM users`)]) assert.throws(use, over);
  assert.deepEqual(db.select({ name: users.name }).from(users).all().map(({ name }) => name), ['kept', 'joins']);
});

test('what SQLite takes back itself, and a handle that is closed within', (t) => {
  const db = shop(t);
  db.run(sql`CREATE TABLE strict (n UNIQUE ON CONFLICT ROLLBACK)`);
  db.run(sql`CREATE TRIGGER no BEFORE INSERT ON strict WHEN NEW.n = 9 BEGIN SELECT RAISE(ROLLBACK, 'no'); END`);
  const put = (on, n) => on.run(sql`INSERT INTO strict VALUES (${n})`);
  for (const bad of [1, 9]) {
    assert.throws(() => db.transaction((tx) => {
      put(tx, 1);
      tx.transaction((inner) => {
        assert.throws(() => put(inner, bad), refusal('CONSTRAINT'));
        put(inner, 5); // where other drivers would commit this alone
      });
    }), refusal('MISUSE', /rolled back/));
    assert.deepEqual(db.values(sql`SELECT n FROM strict`), []);
  }
  put(db, 1);
  assert.throws(() => db.transaction((tx) => {
    put(tx, 2);
    tx.$brant.close();
    put(tx, 3);
  }), refusal('CLOSED'));
});

test("errors keep brant's code; its tables are read, not written", (t) => {
  const db = shop(t);
  const brant = db.$client;
  db.run(sql`CREATE TABLE one (n INTEGER UNIQUE NOT NULL CHECK (n > 0))`);
  db.run(sql`INSERT INTO one VALUES (1)`);
  for (const value of [1, 0, null]) assert.throws(() => db.run(sql`INSERT INTO one VALUES (${value})`), refusal('CONSTRAINT'));
  assert.throws(() => db.run(sql`SELEC 1`), refusal('SQL', /syntax/));
  assert.throws(() => db.all(sql`SELECT * FROM nowhere`), refusal('SQL', /nowhere/));
  const error = thrown(() => db.insert(users).values({ id: 1, name: null }).run());
  assert.deepEqual([error.query.startsWith('insert into "users"'), error.params, error.cause.code], [true, [1, null, 0], 'CONSTRAINT']);
  for (const text of ["DELETE FROM nodes", "UPDATE graphs SET name = 'x'", "INSERT INTO jobs (queue, state, created_at) VALUES (1, 0, 0)", 'DROP TABLE edges', 'ALTER TABLE nodes ADD COLUMN x', 'CREATE INDEX mine ON nodes (key)', 'CREATE TRIGGER mine AFTER INSERT ON nodes BEGIN SELECT 1; END', 'BEGIN', 'PRAGMA journal_mode = DELETE', "ATTACH 'x' AS y"]) {
    assert.throws(() => db.run(sql.raw(text)), refusal('DENIED'), text);
  }
  brant.close();
  assert.throws(() => db.run(sql`SELECT 1`), refusal('CLOSED'));
  assert.throws(() => db.transaction(() => 1), { code: 'CLOSED' });
});

test('sessions are held to their rights', (t) => {
  const db = shop(t);
  const session = (scopes) => drizzle(db.$client.session({ id: 'ann', scopes }), { schema });
  session(['sql:*']).insert(users).values({ name: 'Ann' }).run();
  assert.throws(() => session(['nodes:*']).select().from(users).all(), refusal('DENIED', /sql/));
  assert.throws(() => session(['sql:*']).run(sql`CREATE TABLE mine (n)`), refusal('DENIED'));
  assert.throws(() => session(['sql:*']).all(sql`SELECT * FROM jobs`), refusal('DENIED'));
  session(['sql:*', 'queues:*', 'transaction:*']).transaction((tx) => {
    tx.insert(users).values({ name: 'Bob' }).run();
    tx.$brant.queue('mail').enqueue(1);
  });
  assert.equal(db.select().from(users).all().length, 2);
});

test('options: logger, casing, schema, mock; what it takes', (t) => {
  const lines = [];
  const db = shop(t, { logger: { logQuery: (query, params) => lines.push([query, params]) }, casing: 'snake_case' });
  lines.length = 0;
  const things = sqliteTable('things', { id: integer().primaryKey(), whenMade: text() });
  db.run(sql`CREATE TABLE things (id INTEGER PRIMARY KEY, when_made TEXT)`);
  db.insert(things).values({ whenMade: 'now' }).run();
  assert.deepEqual(lines[1], ['insert into "things" ("id", "when_made") values (null, ?)', ['now']]);
  assert.deepEqual(drizzle({ client: db.$client, casing: 'snake_case' }).select().from(things).all(), [{ id: 1, whenMade: 'now' }]);
  assert.throws(() => drizzle('app.db'), TypeError);
  assert.throws(() => drizzle(), TypeError);
  assert.equal(drizzle.mock().select().from(users).where(eq(users.id, 1)).toSQL().params[0], 1);
});

test('required and imported, each has the Drizzle of its kind', (t) => {
  const require = createRequire(import.meta.url);
  const cjs = require('brant/drizzle');
  const { DrizzleQueryError: Theirs } = require('drizzle-orm');
  assert.deepEqual(Object.keys(cjs).filter((name) => name !== '__esModule').sort(), ['BrantDatabase', 'BrantSession', 'BrantTransaction', 'drizzle', 'int64']);
  const db = cjs.drizzle(database(t));
  assert.ok(thrown(() => db.run(require('drizzle-orm').sql`SELEC`)) instanceof Theirs);
});
