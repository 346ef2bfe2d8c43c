/* brant's tables through Drizzle: that they are those of the file, that rows read as what operations wrote, joined with the user's own, and that nothing writes them. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { generateKey } from 'brant';
import { drizzle } from 'brant/drizzle';
import * as brant from 'brant/drizzle/tables';
import { DrizzleQueryError, and, count, eq, getTableColumns, getTableName, is, sql } from 'drizzle-orm';
import { SQLiteTable, getTableConfig, integer, sqliteTable, text } from 'drizzle-orm/sqlite-core';
import { PACKAGES, database } from './support.mjs';

const tables = Object.values(brant).filter((value) => is(value, SQLiteTable));
/** Hashes of tokens. */
const LEFT_OUT = ['brant_api_keys.hash', 'brant_invitations.hash'];

test('they are the tables of a file: names, types, what is null, keys, defaults', (t) => {
  const db = drizzle(database(t));
  assert.equal(tables.length, 26);
  for (const table of tables) {
    const name = getTableName(table);
    const { columns, primaryKeys } = getTableConfig(table);
    const keys = new Set(primaryKeys.flatMap((key) => key.columns.map((column) => column.name)));
    const made = db.all(sql`SELECT name, lower(type) AS type, "notnull", dflt_value, pk FROM pragma_table_xinfo(${name})`).filter((column) => !LEFT_OUT.includes(`${name}.${column.name}`));
    assert.deepEqual(
      columns.map((column) => ({ name: column.name, type: column.getSQLType(), key: column.primary || keys.has(column.name) })),
      made.map((column) => ({ name: column.name, type: column.type, key: column.pk > 0 })),
      name,
    );
    for (const [i, column] of columns.entries()) {
      const { notnull, pk, dflt_value } = made[i];
      assert.equal(column.notNull, notnull === 1 || pk > 0, `${name}.${column.name}`);
      if (column.default !== undefined) assert.equal(db.get(sql`SELECT ${sql.raw(dflt_value)} AS d`).d, column.mapToDriverValue(column.default), `${name}.${column.name}`);
      else assert.ok(dflt_value === null || column.getSQLType() === 'integer', `${name}.${column.name} has the default ${dflt_value}`);
    }
    assert.deepEqual(Object.keys(getTableColumns(table)), columns.map((column) => column.name), 'a member is called as its column');
    assert.ok(Array.isArray(db.select().from(table).all()), name);
  }
});

test('rows read as what was written, beside rows of one’s own', (t) => {
  const handle = database(t);
  const { queue, stream } = { queue: handle.queue('mail'), stream: handle.stream('calls') };
  handle.graphTypes.define(PACKAGES);
  const graph = handle.graphs.create('debian', { graphType: 'packages' });
  const { nodes, edges } = handle.graph('debian');
  nodes.putMany([{ key: 'curl', type: 'Package', attributes: { version: '7.88' } }, { key: 'libc6', type: 'Package', attributes: { version: '2.36' } }]);
  edges.put({ source: 'curl', target: 'libc6', type: 'DependsOn', attributes: { optional: false } });
  const db = drizzle(handle, { schema: brant });
  const downloads = sqliteTable('downloads', { package: text().notNull(), count: integer().notNull() });
  db.run(sql`CREATE TABLE downloads (package TEXT NOT NULL, count INTEGER NOT NULL)`);
  db.insert(downloads).values({ package: 'curl', count: 7 }).run();

  const joined = db
    .select({ key: brant.nodes.key, type: brant.node_types.name, version: sql`${brant.nodes.attributes} ->> '$.version'`, downloads: downloads.count })
    .from(brant.nodes)
    .innerJoin(brant.graphs, and(eq(brant.graphs.row_id, brant.nodes.graph), eq(brant.graphs.name, 'debian')))
    .innerJoin(brant.node_types, eq(brant.node_types.row_id, brant.nodes.type))
    .leftJoin(downloads, eq(downloads.package, brant.nodes.key))
    .orderBy(brant.nodes.key)
    .all();
  assert.deepEqual(joined, [{ key: 'curl', type: 'Package', version: '7.88', downloads: 7 }, { key: 'libc6', type: 'Package', version: '2.36', downloads: null }]);

  const found = db.query.graphs.findFirst({ where: eq(brant.graphs.id, graph.id), with: { definition: { columns: { name: true } }, all_nodes: { columns: { key: true, attributes: true }, with: { outgoing: { columns: { attributes: true }, with: { target_node: { columns: { key: true } }, of_type: { columns: { name: true } } } } } } } }).sync();
  assert.equal(found.definition.name, 'packages');
  assert.deepEqual([found.status, found.created_at, found.metadata], ['active', graph.created_at, {}]);
  assert.deepEqual(found.all_nodes[0], { key: 'curl', attributes: { version: '7.88' }, outgoing: [{ attributes: { optional: false }, target_node: { key: 'libc6' }, of_type: { name: 'DependsOn' } }] });

  const { id } = queue.enqueue({ to: 'ann' }, { delay: 60_000 });
  queue.enqueue(Buffer.from([1, 2]), { priority: 5 });
  const [job] = queue.claim();
  assert.deepEqual(db.select({ id: brant.jobs.id, state: brant.jobs.state, payload: brant.jobs.payload }).from(brant.jobs).orderBy(brant.jobs.id).all(), [
    { id, state: 'delayed', payload: { to: 'ann' } },
    { id: job.id, state: 'running', payload: Buffer.from([1, 2]) },
  ]);
  assert.deepEqual(db.select({ n: count() }).from(brant.jobs).innerJoin(brant.queues, eq(brant.queues.row_id, brant.jobs.queue)).where(and(eq(brant.queues.name, 'mail'), eq(brant.jobs.state, 'running'))).get(), { n: 1 });
  assert.throws(() => db.select().from(brant.jobs).where(eq(brant.jobs.state, 'asleep')).all(), TypeError);
  queue.pause();
  assert.equal(db.select().from(brant.queues).get().state, 'paused');

  stream.publishMany([{ payload: { id: 1 }, key: 'a' }, { payload: 2 }]);
  stream.subscribe({ consumer: 'c' }).close();
  const events = db.select({ stream: brant.streams.name, offset: brant.event_offset, payload: brant.stream_events.payload }).from(brant.stream_events).innerJoin(brant.streams, eq(brant.streams.row_id, brant.event_stream)).orderBy(brant.stream_events.id).all();
  assert.deepEqual(events, [{ stream: 'calls', offset: 1, payload: { id: 1 } }, { stream: 'calls', offset: 2, payload: 2 }]);
  handle.notify('n', { a: 1 });
  assert.deepEqual(db.select({ channel: brant.notifications.channel, payload: brant.notifications.payload, bytes: brant.notifications.bytes }).from(brant.notifications).where(eq(brant.notifications.channel, 'n')).all(), [{ channel: 'n', payload: '{"a":1}', bytes: false }]);
  handle.rateLimit('api', { limit: 3, period: 1000 }).take();
  handle.rateLimit('burst', { kind: 'token_bucket', limit: 3, period: 1000, burst: 5 }).take();
  assert.deepEqual(db.select({ name: brant.rate_limits.name, kind: brant.rate_limits.kind }).from(brant.rate_limits).orderBy(brant.rate_limits.name).all(), handle.rateLimits.list().items.map(({ name, kind }) => ({ name, kind })));
});

test('identity', (t) => {
  const handle = database(t);
  handle.keyring({ keys: [generateKey({ purpose: 'audit' }), generateKey({ purpose: 'pepper' })] });
  const ann = handle.accounts.create('ann@example.org', { name: 'Ann' });
  const acme = handle.organizations.create('acme', 'Acme', { ownerId: ann.id });
  const { key } = handle.apiKeys.create('ci', ['nodes:read'], { ownerId: ann.id, orgId: acme.id });
  const db = drizzle(handle, { schema: brant });
  const { row_id: _, ...account } = db.select().from(brant.accounts).get();
  assert.deepEqual(account, handle.accounts.get(ann.id));
  const { row_id: __, ...organization } = db.select().from(brant.organizations).get();
  assert.deepEqual(organization, handle.organizations.get(acme.id));
  const { row_id: ___, ...apiKey } = db.select().from(brant.api_keys).get();
  assert.deepEqual(apiKey, handle.apiKeys.get(key.id));
  const [member] = db.query.members.findMany({ with: { account: { columns: { email: true } }, organization: { columns: { slug: true } } } }).sync();
  assert.deepEqual([member.level, member.account, member.organization], ['owner', { email: 'ann@example.org' }, { slug: 'acme' }]);
  assert.deepEqual(db.select({ action: brant.audit_logs.action }).from(brant.audit_logs).orderBy(brant.audit_logs.seq).all().map(({ action }) => action), handle.audit.list().items.map(({ action }) => action));
});

test('nothing writes them', (t) => {
  const db = drizzle(database(t));
  const denied = (error) => {
    assert.ok(error instanceof DrizzleQueryError, String(error));
    assert.deepEqual([error.cause.code, error.cause.message.startsWith("brant's own tables are changed by its operations only: ")], ['DENIED', true], error.cause.message);
    return true;
  };
  for (const table of tables) {
    const first = Object.keys(getTableColumns(table))[0];
    assert.throws(() => db.delete(table).run(), denied, getTableName(table));
    assert.throws(() => db.update(table).set({ [first]: sql`NULL` }).run(), denied, getTableName(table));
    assert.throws(() => db.run(sql`INSERT INTO ${table} DEFAULT VALUES`), denied, getTableName(table));
  }
});
