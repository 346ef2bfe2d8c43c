import assert from 'node:assert/strict';
import { chmodSync, existsSync, mkdirSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { pathToFileURL } from 'node:url';
import { BrantError, Database, open, operations, version } from 'brant';
import { PACKAGES, after, code, database, file, folder, packages, run, untyped } from './support.mjs';

test('open makes a private file and info describes it', (t) => {
  const path = file(t);
  const db = database(t, {}, path);
  const info = db.info();
  assert.equal(info.path, path);
  assert.equal(info.role, 'single');
  assert.equal(info.durability, 'normal');
  assert.equal(info.version, version);
  assert.deepEqual([info.graphs, info.nodes, info.edges], [0, 0, 0]);
  assert.equal(statSync(path).mode & 0o777, 0o600);
  assert.ok(db instanceof Database);
  assert.equal(db.closed, false);
});

test('options reach the library under their own names', (t) => {
  const path = file(t);
  const db = database(t, { durability: 'full', role: 'tenant', permissions: 'group', cache: 1 << 20, foreignKeys: true, limits: { key: 4 } }, path);
  assert.equal(db.info().durability, 'full');
  assert.equal(db.info().role, 'tenant');
  assert.deepEqual(db.execute('PRAGMA foreign_keys').rows, [[1]]);
  assert.equal(statSync(path).mode & 0o777, 0o660);
  assert.throws(() => untyped(t, db).nodes.put({ key: 'abcde' }), code('LIMIT'));
});

test('a file URL is a path', (t) => {
  const path = file(t);
  assert.equal(database(t, {}, pathToFileURL(path)).info().path, path);
});

test('a relative path stays where it was, for asynchronous calls too', async (t) => {
  const home = process.cwd();
  after(t, () => process.chdir(home));
  const here = folder(t);
  process.chdir(here);
  const db = database(t, {}, 'relative.db');
  process.chdir('/');
  assert.equal(db.info().path, join(here, 'relative.db'));
  assert.equal((await db.doctorAsync()).ok, true);
});

test('open refuses what it must', async (t) => {
  const here = folder(t);
  const path = join(here, 'a.db');
  assert.throws(() => open(path, { mode: 'rw' }), code('NOT_FOUND'));
  assert.throws(() => open(path, { mode: 'ro' }), code('NOT_FOUND'));
  assert.throws(() => open(join(here, 'no', 'a.db')), code('NOT_FOUND'));
  assert.throws(() => open(here), code('NOT_BRANT'));
  assert.throws(() => open(''), code('INVALID'));
  assert.throws(() => open('a\0b'), code('INVALID'));
  assert.throws(() => open(path, { unknownOption: 1 }), code('INVALID'));
  assert.throws(() => open(path, { busyTimeout: -1 }), code('INVALID'));
  assert.throws(() => open(path, { mode: 'append' }), code('INVALID'));
  assert.equal(existsSync(path), false);
  writeFileSync(path, 'this is no database, however long it may be: '.repeat(50));
  assert.throws(() => open(path), code('NOT_BRANT'));
  const tenant = join(here, 'tenant.db');
  open(tenant, { role: 'tenant' }).close();
  assert.throws(() => open(tenant, { role: 'system' }), code('CONFLICT'));
});

test('a read-only handle reads', (t) => {
  const path = file(t);
  untyped(t, database(t, {}, path)).nodes.put({ key: 'a', attributes: { n: 1 } });
  const reader = database(t, { mode: 'ro' }, path);
  assert.deepEqual(reader.graph('g').nodes.get('a').attributes, { n: 1 });
  assert.throws(() => reader.graph('g').nodes.put({ key: 'b' }), code('READ_ONLY'));
  assert.throws(() => reader.notify('a'), code('READ_ONLY'));
});

test('a folder without permission to write is READ_ONLY, and so is a file', async (t) => {
  const here = folder(t);
  chmodSync(here, 0o755);
  const locked = join(here, 'locked');
  mkdirSync(locked, { mode: 0o555 });
  open(join(here, 'a.db')).close();
  chmodSync(join(here, 'a.db'), 0o444);
  for (const path of [join(locked, 'a.db'), join(here, 'a.db')]) {
    const { stdout, stderr } = await run('fixtures/locked.mjs', [path]);
    assert.equal(stdout, 'READ_ONLY\n', stderr);
  }
});

test('a database in memory has everything but a second process', async (t) => {
  const db = database(t, {}, ':memory:');
  const graph = untyped(t, db);
  graph.nodes.put({ key: 'a' });
  assert.equal((await graph.nodes.putManyAsync([{ key: 'b' }, { key: 'c' }])).created, 2);
  assert.equal(graph.nodes.count(), 3);
  assert.equal((await db.callAsync('nodes.count', { graph: 'g' })).count, 3);
  await assert.rejects(graph.nodes.closureAsync('zzz'), code('NOT_FOUND'));
});

test('close ends everything, any number of times', async (t) => {
  const db = database(t);
  const graph = packages(t, db);
  const listener = db.listen('*');
  db.close();
  db.close();
  db[Symbol.dispose]();
  db.interrupt();
  assert.equal(db.closed, true);
  assert.equal(listener.closed, true);
  const methods = [
    () => db.info(),
    () => db.doctor(),
    () => db.maintain(),
    () => db.begin(),
    () => db.commit(),
    () => db.rollback(),
    () => db.transaction(() => assert.fail('the work must not run')),
    () => db.execute('SELECT 1'),
    () => db.notify('a'),
    () => db.listen('a'),
    () => db.subscribe('events.listen', { channels: ['*'] }),
    () => db.call('db.info'),
    () => db.callText('db.info'),
    () => db.call('db.info', {}, { timeout: 100 }),
    () => db.graphTypes.define({ $id: 'x' }),
    () => db.graphTypes.get('open'),
    () => db.graphTypes.list(),
    () => db.graphTypes.delete('x'),
    () => db.graphTypes.validateNode('open', 'A', {}),
    () => db.graphTypes.validateEdge('open', 'A', {}),
    () => [...db.graphTypes],
    () => db.graphs.create('x', { graphType: 'open' }),
    () => db.graphs.get('x'),
    () => db.graphs.list(),
    () => db.graphs.update('x', {}),
    () => db.graphs.delete('x'),
    () => [...db.graphs],
    () => graph.nodes.put({ key: 'a' }),
    () => graph.nodes.putMany([]),
    () => graph.nodes.get('a'),
    () => graph.nodes.getMany([]),
    () => graph.nodes.exists('a'),
    () => graph.nodes.count(),
    () => graph.nodes.list(),
    () => [...graph.nodes],
    () => graph.nodes.delete('a'),
    () => graph.nodes.neighbors('a'),
    () => graph.nodes.closure('a'),
    () => graph.edges.put({ source: 'a', target: 'b' }),
    () => graph.edges.putMany([]),
    () => graph.edges.get('a'),
    () => graph.edges.exists('a'),
    () => graph.edges.count(),
    () => graph.edges.list(),
    () => [...graph.edges],
    () => graph.edges.delete('a'),
    () => listener.poll(),
  ];
  for (const method of methods) assert.throws(method, code('CLOSED'), String(method));
  const promises = [
    () => db.doctorAsync(),
    () => db.maintainAsync(),
    () => db.executeAsync('SELECT 1'),
    () => db.callAsync('db.info'),
    () => db.backup('x'),
    () => db.restore('x'),
    () => db.graphs.deleteAsync('x'),
    () => graph.nodes.putManyAsync([]),
    () => graph.nodes.walk('a')[Symbol.asyncIterator]().next(),
    () => graph.exportAsync('dot'),
    () => graph.pagerankAsync(),
    () => graph.importAsync({ format: 'ndjson', text: '' }),
    () => graph.nodes.closureAsync('a'),
    () => graph.edges.putManyAsync([]),
    () => listener.next(),
    () => listener.nextBatch(10),
  ];
  for (const method of promises) await assert.rejects(method, code('CLOSED'), String(method));
});

test('a transaction commits, rolls back when the work throws, and nests', (t) => {
  const db = database(t);
  const { nodes } = untyped(t, db);
  assert.equal(db.transaction((inside) => (assert.equal(inside, db), nodes.put({ key: 'a' }), 7)), 7);
  assert.equal(nodes.exists('a'), true);

  const fault = new Error('mine');
  assert.throws(() => db.transaction(() => (nodes.put({ key: 'b' }), assert.ok(nodes.exists('b')), thrown(fault))), fault);
  assert.equal(nodes.exists('b'), false);

  db.transaction(() => {
    nodes.put({ key: 'outer' });
    assert.throws(() => db.transaction(() => (nodes.put({ key: 'inner' }), thrown(fault))), fault);
    db.transaction(() => nodes.put({ key: 'second' }));
    // A failing operation takes back its own changes; the transaction goes on.
    assert.throws(() => nodes.put({ key: 'outer', revision: 0 }), code('CONFLICT'));
  });
  assert.deepEqual([...nodes].map(({ key }) => key), ['a', 'outer', 'second']);
  assert.throws(() => db.commit(), code('MISUSE'));
});

test('a transaction refuses a promise and takes back what was done', async (t) => {
  const db = database(t);
  const { nodes } = untyped(t, db);
  const late = [];
  assert.throws(
    () =>
      db.transaction(async () => {
        nodes.put({ key: 'a' });
        await null;
        late.push(nodes.exists('a'));
        throw new Error('nobody must see an unhandled rejection');
      }),
    code('MISUSE', ({ message }) => assert.match(message, /promise/)),
  );
  assert.equal(nodes.exists('a'), false);
  await new Promise(setImmediate);
  assert.deepEqual(late, [false]);
  assert.throws(() => db.transaction(() => ({ then() {} })), code('MISUSE'));
  db.transaction(() => nodes.put({ key: 'after' }));
});

test('a read transaction is a snapshot and writes nothing', (t) => {
  const path = file(t);
  const [reader, writer] = [database(t, {}, path), database(t, {}, path)];
  const graph = untyped(t, writer);
  graph.nodes.put({ key: 'a' });
  reader.transaction(() => {
    assert.equal(reader.graph('g').nodes.count(), 1);
    graph.nodes.put({ key: 'b' });
    assert.equal(reader.graph('g').nodes.count(), 1);
    assert.throws(() => reader.graph('g').nodes.put({ key: 'c' }), code('READ_ONLY'));
    assert.throws(() => reader.transaction(() => 0, 'write'), code('READ_ONLY'));
  }, 'read');
  assert.equal(reader.graph('g').nodes.count(), 2);
  assert.throws(() => reader.transaction(() => 0, 'sideways'), code('INVALID'));
});

test('begin, commit and rollback by hand', (t) => {
  const db = database(t);
  const { nodes } = untyped(t, db);
  assert.deepEqual(db.begin(), { depth: 1 });
  nodes.put({ key: 'a' });
  assert.deepEqual(db.begin(), { depth: 2 });
  nodes.put({ key: 'b' });
  assert.deepEqual(db.rollback(), { depth: 1 });
  assert.deepEqual(db.commit(), { depth: 0 });
  assert.deepEqual([...nodes].map(({ key }) => key), ['a']);
  assert.throws(() => db.rollback(), code('MISUSE'));
  assert.throws(() => db.transaction(() => db.close()), code('CLOSED'));
});

test('the main thread is impatient with another writer', (t) => {
  const path = file(t);
  const [one, two] = [database(t, {}, path), database(t, {}, path)];
  const { nodes } = untyped(t, one);
  one.transaction(() => {
    nodes.put({ key: 'a' });
    // As long as Workers wait at least, if it were not impatient: once of some times the machine is not too busy to see that.
    const waits = [];
    while (!(Math.min(...waits) < 4500) && waits.length < 10) {
      const began = performance.now();
      assert.throws(() => two.notify('a'), code('BUSY'));
      waits.push(performance.now() - began);
      assert.ok(waits.at(-1) >= 200, `waited ${waits.at(-1)} ms`);
    }
    assert.ok(Math.min(...waits) < 4500, `waited ${waits} ms`);
  });
  two.notify('a');
});

test('execute runs one statement of the user with blobs, bigints and names', (t) => {
  const db = database(t);
  db.execute('CREATE TABLE mine (id INTEGER PRIMARY KEY, text TEXT, bytes BLOB, big INTEGER)');
  const bytes = new Uint8Array([0, 1, 254, 255]);
  const big = 2n ** 63n - 1n;
  const first = db.execute('INSERT INTO mine (text, bytes, big) VALUES (?, ?, ?)', ['é\0x', bytes, big]);
  assert.deepEqual([first.changes, first.last_insert_rowid, first.rows], [1, 1, []]);
  db.execute('INSERT INTO mine (text, bytes, big) VALUES (:text, :bytes, :big)', {
    text: null,
    bytes: Buffer.from('abc').subarray(1),
    big: 3,
  });
  const { columns, rows } = db.execute('SELECT text, bytes, big FROM mine ORDER BY id');
  assert.deepEqual(columns, ['text', 'bytes', 'big']);
  assert.deepEqual(rows[0], ['é\0x', bytes, big]);
  assert.deepEqual(rows[1], [null, new Uint8Array([98, 99]), 3]);
  assert.deepEqual(db.execute('SELECT ?, ?, 1.5', [true, false]).rows, [[1, 0, 1.5]]);

  assert.throws(() => db.execute('SELECT'), code('SQL'));
  assert.throws(() => db.execute('SELECT 1; SELECT 2'), code('SQL'));
  assert.throws(() => db.execute('DELETE FROM nodes'), code('DENIED'));
  assert.throws(() => db.execute('COMMIT'), code('DENIED'));
  assert.throws(() => db.execute('INSERT INTO mine (id) VALUES (1)'), code('CONSTRAINT'));
  assert.throws(() => db.execute('SELECT ?', [NaN]), code('INVALID'));
  assert.throws(() => db.execute('SELECT :a', { b: 1 }), code('INVALID'));

  assert.throws(() => db.transaction(() => (db.execute('DELETE FROM mine'), thrown(new Error('no')))));
  assert.deepEqual(db.execute('SELECT count(*) FROM mine').rows, [[2]]);
});

test('integers are exact, both ways', (t) => {
  const path = file(t);
  const db = database(t, {}, path);
  const { nodes } = untyped(t, db);
  const attributes = {
    big: 9007199254740993n,
    negative: -(2n ** 63n),
    safe: Number.MAX_SAFE_INTEGER,
    small: 5,
    fraction: 0.1234567890123456,
    huge: 1.2345678901234568e22,
    text: '12345678901234567890 "\\" 1234567890123456789',
    list: [{ n: 2n ** 60n }, 1],
  };
  nodes.put({ key: 'a', attributes });
  assert.deepEqual(nodes.get('a').attributes, attributes);
  nodes.put({ key: 'b', attributes: { n: 5n } });
  assert.deepEqual(nodes.get('b').attributes, { n: 5 });
  const rounding = database(t, { integers: 'number' }, path);
  assert.equal(rounding.graph('g').nodes.get('a').attributes.big, 9007199254740992);
  assert.throws(() => nodes.put({ key: 'c', attributes: { n: 2n ** 80n } }), code('INVALID_JSON'));
  const circular = {};
  circular.self = circular;
  assert.throws(() => nodes.put({ key: 'c', attributes: circular }), TypeError);
});

test('call and callText reach every operation by name', (t) => {
  const db = database(t);
  untyped(t, db);
  assert.deepEqual(db.call('nodes.put', { graph: 'g', key: 'a' }), { key: 'a', created: true, revision: 1 });
  assert.equal(JSON.parse(db.callText('nodes.count', '{"graph":"g"}')).count, 1);
  assert.equal(JSON.parse(db.callText('nodes.count', Buffer.from('{"graph":"g"}'))).count, 1);
  assert.equal(JSON.parse(db.callText('db.info')).nodes, 1);
  assert.equal(db.call('db.info', {}, { timeout: 60_000 }).nodes, 1);
  assert.equal(db.call('db.info').nodes, 1);
  assert.throws(() => db.call('db.info', {}, { timeout: NaN }), code('INVALID'));
  assert.throws(() => db.call('db.explode'), code('NOT_FOUND'));
  assert.throws(() => db.call('events.listen', { channels: ['*'] }), code('MISUSE'));
  assert.throws(() => db.subscribe('db.info'), code('MISUSE'));
  assert.throws(() => db.call('db.info', { bogus: 1 }), code('INVALID', ({ detail }) => assert.ok(detail.violations.length > 0)));
  assert.throws(() => db.callText(5), code('INVALID'));
  assert.throws(() => db.callText('db.info', 5), code('INVALID'));
  assert.throws(() => db.callText('db.info', new Uint16Array(4)), code('INVALID'));
});

test('a deadline ends a sync call and is taken back', (t) => {
  const db = database(t);
  assert.throws(() => db.call('db.info', {}, { timeout: 0 }), code('TIMEOUT'));
  const endless = 'WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n) SELECT max(i) FROM n';
  assert.throws(() => db.call('sql.execute', { sql: endless }, { timeout: 50 }), code('TIMEOUT'));
  assert.equal(db.info().graphs, 0);
});

test('text that is not JSON is refused at its byte', (t) => {
  const db = database(t);
  const cases = [
    ['{"graph":', 9],
    ['{"a":1,"a":2}', undefined],
    ['{"a":"\ud800"}', 6],
    [new Uint8Array([0x7b, 0x22, 0xff, 0x22, 0x3a, 0x31, 0x7d]), 2],
    ['{"a":1e999}', undefined],
    ['{"a":123456789012345678901234567890123}', undefined],
    ['{"a":"é\\ud800"}', undefined],
    ['[]x', 2],
  ];
  for (const [text, offset] of cases) {
    assert.throws(
      () => db.callText('nodes.put', text),
      code('INVALID_JSON', ({ detail }) => {
        assert.equal(typeof detail.offset, 'number');
        if (offset !== undefined) assert.equal(detail.offset, offset, String(text));
      }),
      String(text),
    );
  }
  assert.throws(() => db.callText('nodes.put', '['.repeat(600) + ']'.repeat(600)), code('LIMIT'));
  assert.throws(() => db.callText('nodes.put', '[]'), code('INVALID'));
});

test('a document of 100 MB is LIMIT, and one within the limit is stored', (t) => {
  const db = database(t);
  const { nodes } = untyped(t, db);
  const long = 'x'.repeat(100 << 20);
  assert.throws(() => nodes.put({ key: 'a', attributes: { long } }), code('LIMIT'));
  assert.throws(() => db.callText('nodes.put', Buffer.alloc(100 << 20, 0x20)), code('LIMIT'));
  // Long text with digits in it goes through the parser's slow path.
  const text = `${'1234567890123456789 \\" é'.repeat(1 << 20)}`;
  nodes.put({ key: 'a', attributes: { text, big: 2n ** 62n } });
  const { attributes } = nodes.get('a');
  assert.equal(attributes.text, text);
  assert.equal(attributes.big, 2n ** 62n);
});

test('an answer that is longer than a string can be is LIMIT', async (t) => {
  const db = database(t, { limits: { document: 1_000_000_000 } });
  await assert.rejects(db.executeAsync('SELECT hex(zeroblob(270000000))'), code('LIMIT', ({ message }) => assert.match(message, /a string can be/)));
});

test('doctor and maintain report', (t) => {
  const db = database(t);
  packages(t, db);
  const diagnosis = db.doctor();
  assert.equal(diagnosis.ok, true);
  assert.ok(diagnosis.checks.length > 3);
  const done = db.maintain();
  assert.deepEqual(Object.keys(done).sort(), ['jobs', 'locks', 'pruned', 'rate_limits', 'retention', 'streams', 'wal_pages', 'worked']);
  assert.deepEqual([done.worked.failed, done.streams], [0, { trimmed: 0, compacted: 0 }]);
  assert.match(db.metrics(), /^# HELP brant_/m);
});

test('a migration in the background is a job that maintain works', async (t) => {
  const db = database(t);
  const { nodes } = packages(t, db);
  nodes.put({ key: 'a', type: 'Package', attributes: { version: '1' } });
  db.graphTypes.update('packages', PACKAGES);
  const { job } = db.graphTypes.migrateInBackground('packages');
  assert.equal(db.jobs.get(job).queue, 'schema-migration');
  assert.equal((await db.maintainAsync()).worked.jobs, 1);
  assert.equal((await db.jobs.finished(job)).state, 'done');
  assert.match(await db.metricsAsync(), /brant_/);
});

test('a graph keeps a log of its changes, and is made again from it', (t) => {
  const db = database(t);
  db.graphs.create('g', { changes: true });
  const graph = db.graph('g');
  assert.equal(graph.info().changes, true);
  graph.nodes.put({ key: 'a', attributes: { n: 1 } });
  const [{ offset, payload }] = graph.changes().items.slice(-1);
  assert.deepEqual([payload.op, payload.kind, payload.key, payload.attributes], ['put', 'node', 'a', { n: 1 }]);
  graph.nodes.put({ key: 'a', attributes: { n: 2 } });
  graph.nodes.put({ key: 'b' });
  assert.deepEqual(graph.diff(offset).nodes, { created: ['b'], updated: ['a'], deleted: [] });
  assert.equal(graph.replay('then', offset).nodes, 1);
  assert.deepEqual(db.graph('then').nodes.get('a').attributes, { n: 1 });
});

test('calls are published and projected', (t) => {
  const db = database(t);
  db.graphs.create('calls', { graphType: 'call' });
  db.calls.publish({ event: 'call.requested', request_id: 'r1', operation_id: 'fs.read', input: {} });
  const { projected, more } = db.calls.project('calls');
  assert.deepEqual([projected, more], [1, false]);
  assert.equal(db.graph('calls').nodes.count(), 1);
  assert.equal(db.calls.project('calls').projected, 0);
});

test('operations are described, with and without a handle', (t) => {
  const db = database(t);
  const names = operations().map(({ name }) => name);
  assert.deepEqual(db.operations().map(({ name }) => name), names);
  assert.deepEqual(names, [...names].sort());
  assert.ok(names.includes('nodes.put') && names.includes('events.listen'));
  assert.ok(operations('nodes').every(({ namespace }) => namespace === 'nodes'));
});

test('an error has a name, a code, a message and its detail', (t) => {
  const error = new BrantError('NOT_FOUND', 'no node', '{"key":"a"}');
  assert.equal(`${error}`, 'BrantError: no node');
  assert.deepEqual(error.detail, { key: 'a' });
  assert.deepEqual(new BrantError('INVALID', 'x').detail, {});
  assert.ok(error instanceof Error);
  const { nodes } = untyped(t);
  assert.throws(() => nodes.get('libc7'), code('NOT_FOUND', ({ message, stack }) => {
    assert.match(message, /libc7/);
    assert.match(stack, /database\.test\.mjs/);
  }));
});

function thrown(error) {
  throw error;
}
