/* Insert, patch, many at once, deleting, retention, erasing. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { code, database, packages, untyped } from './support.mjs';

const version = (key, v = '1') => ({ key, type: 'Package', attributes: { version: v } });
const keys = (items) => [...items].map(({ key }) => key);

test('insert refuses what is there', (t) => {
  const { nodes, edges } = packages(t);
  assert.deepEqual(nodes.insert(version('a')), { key: 'a', created: true, revision: 1 });
  assert.throws(() => nodes.insert(version('a')), code('EXISTS'));
  assert.throws(() => nodes.insert({ ...version('b'), revision: 0 }), code('INVALID'));
  assert.throws(() => nodes.insert({ key: 'b', type: 'Package' }), code('VALIDATION'));
  nodes.insert(version('b'));
  const edge = { source: 'a', target: 'b', type: 'DependsOn' };
  const { key } = edges.insert(edge);
  assert.throws(() => edges.insert(edge), code('EXISTS'));
  assert.deepEqual(edges.delete(key), { deleted: true });
});

test('patch merges, and says whether anything changed', (t) => {
  const { nodes, edges } = packages(t);
  nodes.put({ key: 'a', type: 'Package', attributes: { version: '1', size: 5 }, metadata: { seen: { by: 'me' } } });
  nodes.put(version('b'));
  assert.deepEqual(nodes.patch('a', { attributes: { version: '2', size: null } }), { key: 'a', revision: 2, changed: true });
  assert.deepEqual(nodes.get('a').attributes, { version: '2' });
  assert.deepEqual(nodes.patch('a', { attributes: { version: '2' } }), { key: 'a', revision: 2, changed: false });
  nodes.patch('a', { attributes: {}, metadata: { seen: { on: 1 } }, revision: 2 });
  assert.deepEqual(nodes.get('a').metadata, { seen: { by: 'me', on: 1 } });
  assert.throws(() => nodes.patch('a', { attributes: { version: '3' }, revision: 1 }), code('CONFLICT'));
  assert.throws(() => nodes.patch('a', { attributes: { version: null } }), code('VALIDATION'));
  assert.throws(() => nodes.patch('nothing', { attributes: {} }), code('NOT_FOUND'));
  const { key } = edges.put({ source: 'a', target: 'b', type: 'DependsOn' });
  assert.deepEqual(edges.patch(key, { attributes: { optional: true } }), { key, revision: 2, changed: true });
  assert.throws(() => edges.patch(key, { attributes: { optional: 1 } }), code('VALIDATION'));
});

test('many: inserted, patched, from NDJSON, with what is at fault left out', async (t) => {
  const { nodes, edges } = packages(t);
  assert.deepEqual(nodes.insertMany([version('a'), version('b')]), { created: 2 });
  assert.throws(() => nodes.insertMany([version('c'), version('a')]), code('EXISTS', ({ detail }) => {
    assert.deepEqual([detail.items[0].index, detail.items[0].key], [1, 'a']);
  }));
  const skipped = await nodes.insertManyAsync([version('c'), version('a'), { key: 'd', type: 'Package' }], { errors: 'skip' });
  assert.deepEqual([skipped.created, skipped.failed], [1, 2]);
  assert.deepEqual(skipped.items.map(({ index, key, code: name }) => [index, key, name]), [[1, 'a', 'EXISTS'], [2, 'd', 'VALIDATION']]);
  assert.equal(skipped.items[1].violations[0].keyword, 'required');

  const patches = [{ key: 'a', attributes: { size: 1 } }, { key: 'b', attributes: {} }];
  assert.deepEqual(nodes.patchMany(patches), { updated: 1, unchanged: 1 });
  assert.deepEqual(await nodes.patchManyAsync(patches.values()), { updated: 0, unchanged: 2 });
  assert.throws(() => nodes.patchMany([{ key: 'x', attributes: {} }]), code('NOT_FOUND'));

  const lines = `${JSON.stringify(version('é'))}\n\n${JSON.stringify(version('f'))}\r\n`;
  assert.deepEqual(nodes.putMany(lines), { created: 2, updated: 0 });
  const bad = `${JSON.stringify(version('é', '2'))}\nno JSON\n`;
  assert.throws(() => nodes.putMany(bad), code('INVALID_JSON', ({ detail }) => {
    assert.equal(detail.items[0].index, 1);
    assert.ok(detail.items[0].offset >= Buffer.byteLength(bad.split('\n')[0]) + 1);
  }));
  assert.equal((await nodes.putManyAsync(bad, { errors: 'skip' })).failed, 1);
  assert.equal(nodes.get('é').attributes.version, '2');

  const ends = (source, target) => ({ source, target, type: 'DependsOn' });
  assert.deepEqual(edges.insertMany([ends('a', 'b')]), { created: 1 });
  const some = edges.putMany([ends('a', 'b'), ends('a', 'nothing'), ends('b', 'c')], { errors: 'skip' });
  assert.deepEqual([some.created, some.updated, some.failed, some.items[0].code], [1, 1, 1, 'NOT_FOUND']);
  const [{ key }] = edges;
  assert.deepEqual(await edges.insertManyAsync([ends('a', 'b')], { errors: 'skip' }).then(({ failed }) => failed), 1);
  assert.deepEqual(edges.patchMany([{ key, attributes: { optional: true } }]), { updated: 1, unchanged: 0 });
  assert.deepEqual(await edges.patchManyAsync([{ key, attributes: { optional: true } }]), { updated: 0, unchanged: 1 });
  assert.throws(() => nodes.putMany([version('a')], { errors: 'ignore' }), code('INVALID'));
});

test('delete many, by keys or by a filter', async (t) => {
  const { nodes, edges } = packages(t);
  nodes.putMany(['a', 'b', 'c', 'd', 'e'].map((key) => version(key)));
  edges.put({ source: 'a', target: 'b', type: 'DependsOn' });
  edges.put({ source: 'c', target: 'b', type: 'DependsOn' });
  assert.throws(() => nodes.deleteMany(['d', 'a']), code('CONSTRAINT'));
  assert.throws(() => nodes.deleteMany(['d', 'nothing']), code('NOT_FOUND', ({ detail }) => assert.equal(detail.items[0].index, 1)));
  assert.equal(nodes.count(), 5);
  assert.deepEqual(await nodes.deleteManyAsync(new Set(['a']), { edges: 'delete' }), { deleted: 1, edges: 1 });
  const skipped = nodes.deleteMany(['d', 'nothing'], { errors: 'skip' });
  assert.deepEqual([skipped.deleted, skipped.failed, skipped.items[0].key], [1, 1, 'nothing']);
  assert.deepEqual(nodes.deleteMany({ filter: { key: { $in: ['e', 'x'] } } }), { deleted: 1, edges: 0 });
  assert.deepEqual(nodes.deleteMany({ filter: { key: 'e' } }), { deleted: 0, edges: 0 });
  assert.deepEqual(edges.deleteMany({ filter: { source: 'x' } }), { deleted: 0 });
  const [{ key }] = edges;
  assert.throws(() => edges.deleteMany([key, 'nothing']), code('NOT_FOUND'));
  assert.deepEqual(await edges.deleteManyAsync({ filter: {} }), { deleted: 1 });
  assert.deepEqual(keys(nodes), ['b', 'c']);
  assert.throws(() => nodes.deleteMany(5), code('INVALID'));
  assert.throws(() => nodes.deleteMany({}), code('INVALID'));
});

test('a graph is deleted, restored, purged', async (t) => {
  const db = database(t);
  const { nodes, edges } = untyped(t, db);
  nodes.putMany(Array.from({ length: 50 }, (_, i) => ({ key: `n${i}` })));
  edges.put({ source: 'n0', target: 'n1' });
  assert.deepEqual(db.graphs.delete('g'), { deleted: true, nodes: 50, edges: 1 });
  assert.throws(() => nodes.count(), code('NOT_FOUND'));
  assert.equal(db.graphs.get('g').status, 'deleted');
  assert.deepEqual([...db.graphs], []);
  assert.deepEqual(db.graphs.list({ status: 'deleted' }).items.map(({ name }) => name), ['g']);
  assert.throws(() => db.graphs.create('g'), code('EXISTS'));
  assert.throws(() => db.graphs.delete('g'), code('NOT_FOUND'));
  assert.equal(db.graphs.update('g', { status: 'active' }).status, 'active');
  assert.equal(nodes.count(), 50);
  assert.equal(db.graphs.purge('g', { limit: 20 }).purged, false);
  assert.throws(() => nodes.count(), code('NOT_FOUND'));
  let rows = 0;
  for (let purged = false; !purged; ) {
    const answer = await db.graphs.purgeAsync('g', { limit: 20 });
    rows += answer.nodes + answer.edges;
    purged = answer.purged;
  }
  assert.equal(rows, 31);
  assert.throws(() => db.graphs.get('g'), code('NOT_FOUND'));
  assert.throws(() => db.graphs.purge('g'), code('NOT_FOUND'));
  untyped(t, db).nodes.put({ key: 'a' });
  assert.deepEqual(db.graphs.purge('g'), { purged: true, nodes: 1, edges: 0 });
});

test('retention is followed by maintain', (t) => {
  const db = database(t);
  const { nodes } = packages(t, db);
  const rules = { nodes: [{ type: 'Package', filter: { 'attributes.size': 0 }, older_than: 0 }], purge_after: 1000 };
  assert.deepEqual(db.graphTypes.setRetention('packages', rules), { name: 'packages', rules });
  assert.deepEqual(db.graphTypes.get('packages').retention, rules);
  nodes.put({ key: 'old', type: 'Package', attributes: { version: '1', size: 0 } });
  nodes.put(version('kept'));
  db.execute('SELECT 1');
  const until = Date.now() + 5;
  while (Date.now() < until);
  assert.equal(db.maintain().retention.nodes, 1);
  assert.deepEqual(keys(nodes), ['kept']);
  assert.equal(db.graphTypes.setRetention('packages', null).rules, null);
  assert.equal(db.graphTypes.get('packages').retention, null);
  assert.throws(() => db.graphTypes.setRetention('packages', { nodes: [{ older_than: 'long' }] }), code('INVALID'));
  assert.throws(() => db.graphTypes.setRetention('nothing', null), code('NOT_FOUND'));
});

test('one person is found and erased', async (t) => {
  const db = database(t);
  const { nodes } = untyped(t, db);
  nodes.putMany([
    { key: 'ann@example.org' },
    { key: 'deep', attributes: { to: [{ mail: 'ann@example.org' }], other: 1 } },
    { key: 'other', attributes: { mail: 'joann@example.org' } },
  ]);
  db.notify('mail', { to: 'ann@example.org' });
  const { id } = db.queue('q').enqueue({ to: 'ann@example.org' });
  db.stream('s').publish('ann@example.org');
  const found = db.erase(['ann@example.org'], { action: 'redact', dryRun: true });
  assert.deepEqual(found.nodes, [
    { graph: 'g', key: 'ann@example.org', action: 'delete' },
    { graph: 'g', key: 'deep', action: 'redact' },
  ]);
  assert.equal(nodes.count(), 3);
  const done = await db.eraseAsync(['ann@example.org'], { action: 'redact', replacement: '***' });
  // Each write told of it by its key as well.
  assert.deepEqual([done.counts.nodes, done.counts.edges, done.truncated], [2, 0, false]);
  assert.ok(done.counts.notifications >= 1);
  assert.deepEqual([done.counts.jobs, done.counts.events], [1, 1]);
  assert.deepEqual(db.jobs.get(id).payload, { to: '***' });
  assert.deepEqual(nodes.get('deep').attributes, { to: [{ mail: '***' }], other: 1 });
  assert.deepEqual(keys(nodes), ['deep', 'other']);
  assert.deepEqual(new Set(Object.values(db.erase(new Set(['ann@example.org'])).counts)), new Set([0]));
  assert.throws(() => db.erase([]), code('INVALID'));
  assert.throws(() => db.erase(['a'], { action: 'hide' }), code('INVALID'));
});
