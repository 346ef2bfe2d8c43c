/* Filters, orders, indexes, searches. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { code, database, packages, untyped } from './support.mjs';

const keys = (items) => [...items].map(({ key }) => key);

function stocked(t, db = database(t)) {
  const graph = packages(t, db);
  const put = (key, attributes) => ({ key, type: 'Package', attributes });
  graph.nodes.putMany([
    put('a', { version: '2.1', size: 10 }),
    put('b', { version: '2.2', size: 5 }),
    put('c', { version: '3.0' }),
    { key: 'jo', type: 'Maintainer', attributes: { name: 'Jo', at: { 'a.b': [1, 2] } }, metadata: { seen: true } },
  ]);
  graph.edges.put({ source: 'a', target: 'b', type: 'DependsOn', attributes: { optional: true } });
  graph.edges.put({ source: 'a', target: 'c', type: 'DependsOn', attributes: { optional: false } });
  graph.edges.put({ source: 'jo', target: 'a', type: 'Maintains' });
  return graph;
}

test('filters', async (t) => {
  const { nodes, edges } = stocked(t);
  const found = (filter) => keys(nodes.list({ filter }).items);
  assert.deepEqual(found({}), ['a', 'b', 'c', 'jo']);
  assert.deepEqual(found({ type: 'Package', 'attributes.version': { $prefix: '2.' } }), ['a', 'b']);
  assert.deepEqual(found({ 'attributes.size': { $gte: 5, $lt: 10 } }), ['b']);
  assert.deepEqual(found({ 'attributes.size': null }), ['c', 'jo']);
  assert.deepEqual(found({ $or: [{ key: 'a' }, { $not: { type: { $in: ['Package'] } } }] }), ['a', 'jo']);
  assert.deepEqual(found({ 'attributes/at/a.b/1': 2 }), ['jo']);
  assert.deepEqual(found({ 'metadata.seen': { $exists: true } }), ['jo']);
  assert.deepEqual(found({ 'attributes.size': { $gt: 2n ** 40n } }), []);
  assert.equal(nodes.count({ filter: { 'attributes.size': { $exists: true } } }), 2);
  assert.equal(await nodes.countAsync({ type: 'Package', filter: { key: { $ne: 'a' } } }), 2);
  assert.deepEqual(keys(nodes.iterate({ filter: { type: 'Package' }, limit: 1 })), ['a', 'b', 'c']);
  assert.deepEqual(keys((await nodes.listAsync({ filter: { key: { $gt: 'b' } } })).items), ['c', 'jo']);
  assert.deepEqual(edges.list({ filter: { 'attributes.optional': true } }).items.map(({ target }) => target), ['b']);
  assert.equal(edges.count({ filter: { source: 'a' } }), 2);
  assert.equal(await edges.countAsync({ filter: { target: { $in: ['a', 'b'] } } }), 2);
  assert.deepEqual((await edges.listAsync({ filter: { source: 'jo' } })).items.map(({ target }) => target), ['a']);
  const bad = (filter, pointer) => {
    assert.throws(() => nodes.list({ filter }), code('INVALID', ({ detail }) => assert.equal(detail.pointer, pointer)));
  };
  bad({ colour: 1 }, '/filter/colour');
  bad({ 'attributes.size': { $above: 1 } }, '/filter/attributes.size/$above');
});

test('orders, with pages', (t) => {
  const { nodes, edges } = stocked(t);
  assert.deepEqual(keys(nodes.list({ orderBy: 'attributes.size' }).items), ['c', 'jo', 'b', 'a']);
  assert.deepEqual(keys(nodes.iterate({ orderBy: 'attributes.size', descending: true, limit: 1 })), ['a', 'b', 'jo', 'c']);
  assert.deepEqual(keys(nodes.list({ descending: true, limit: 2 }).items), ['jo', 'c']);
  const ordered = [...edges.iterate({ orderBy: 'target', descending: true, limit: 2 })];
  assert.deepEqual(ordered.map(({ target }) => target), ['c', 'b', 'a']);
  assert.throws(() => nodes.list({ orderBy: 'colour' }), code('INVALID'));
});

test('indexes are made, used, listed, deleted', async (t) => {
  const db = database(t);
  const { nodes, edges } = stocked(t, db);
  const filter = { type: 'Package', 'attributes.size': 5 };
  assert.deepEqual(nodes.explain({ filter }).indexes, []);
  const made = db.indexes.create({ graphType: 'packages', nodeType: 'Package', paths: ['attributes.size'] });
  assert.deepEqual(
    { ...made, id: '', created_at: 0 },
    { id: '', name: 'packages.Package.attributes.size', graph_type: 'packages', of: 'nodes', node_type: 'Package', edge_type: null, kind: 'value', paths: ['attributes.size'], created_at: 0 },
  );
  assert.deepEqual(await db.indexes.createAsync({ graphType: 'packages', nodeType: 'Package', paths: ['attributes.size'] }), made);
  const { sql, plan, indexes, scan } = nodes.explain({ filter });
  assert.deepEqual([indexes, scan], [[made.name], false]);
  assert.match(sql, /SELECT/i);
  assert.ok(plan.every(({ id, parent, detail }) => id >= 0 && parent >= 0 && detail !== ''));
  assert.deepEqual(keys(nodes.list({ filter }).items), ['b']);
  assert.equal(nodes.explain({ filter: { 'attributes.version': '3.0' } }).scan, true);

  db.indexes.create({ graphType: 'packages', edgeType: 'DependsOn', paths: ['attributes.optional'], name: 'optional' });
  assert.deepEqual(edges.explain({ filter: { type: 'DependsOn', 'attributes.optional': true } }).indexes, ['optional']);
  untyped(t, db);
  assert.equal(db.indexes.create({ graphType: 'open', of: 'edges', paths: ['attributes.x'] }).of, 'edges');
  assert.deepEqual([...db.indexes].map(({ name }) => name).sort(), ['open.edges.attributes.x', 'optional', made.name].sort());
  assert.equal(db.indexes.list({ graphType: 'packages' }).length, 2);
  assert.throws(() => db.indexes.create({ graphType: 'packages', nodeType: 'Package', paths: ['attributes.version'], name: 'optional' }), code('EXISTS'));
  assert.throws(() => db.indexes.create({ graphType: 'nothing', nodeType: 'Package', paths: ['attributes.x'] }), code('NOT_FOUND'));
  assert.throws(() => db.indexes.create({ graphType: 'packages', nodeType: 'Package', paths: [] }), code('INVALID'));
  assert.deepEqual(db.indexes.delete('optional'), { deleted: true });
  assert.throws(() => db.indexes.delete('optional'), code('NOT_FOUND'));
});

test('what is written is found by its words', async (t) => {
  const db = database(t);
  const { nodes, edges } = stocked(t, db);
  assert.throws(() => nodes.search('jo', { type: 'Maintainer' }), code('CONSTRAINT'));
  db.indexes.create({ graphType: 'packages', nodeType: 'Maintainer', kind: 'text', paths: ['attributes.name'] });
  nodes.put({ key: 'ann', type: 'Maintainer', attributes: { name: 'Ann from the other side' } });
  const { items, cursor } = nodes.search('ann', { type: 'Maintainer' });
  assert.deepEqual(items.map(({ node }) => node.key), ['ann']);
  assert.ok(items[0].score > 0);
  assert.equal(items[0].snippet, '[Ann] from the other side');
  assert.equal(cursor, null);
  const found = async (query, options) => (await nodes.searchAsync(query, { type: 'Maintainer', ...options })).items.map(({ node }) => node.key);
  assert.deepEqual(await found('"other side"'), ['ann']);
  assert.deepEqual(await found('an* OR jo'), (await found('jo OR an*')));
  assert.deepEqual((await found('an* OR jo', { filter: { key: { $ne: 'jo' } } })), ['ann']);
  assert.deepEqual(await found('side -ann'), []);
  const page = nodes.search('an* OR jo', { type: 'Maintainer', limit: 1 });
  assert.equal(nodes.search('an* OR jo', { type: 'Maintainer', limit: 1, cursor: page.cursor }).items.length, 1);
  assert.throws(() => nodes.search('"open', { type: 'Maintainer' }), code('INVALID', ({ message }) => assert.doesNotMatch(message, /fts5/i)));
  nodes.delete('ann');
  assert.deepEqual(await found('ann'), []);

  untyped(t, db);
  const { nodes: plain, edges: lines } = db.graph('g');
  db.indexes.create({ graphType: 'open', of: 'edges', kind: 'text', paths: ['attributes.why'] });
  plain.putMany([{ key: 'a' }, { key: 'b' }]);
  lines.put({ source: 'a', target: 'b', attributes: { why: 'because of that' } });
  assert.equal(lines.search('because').items[0].edge.source, 'a');
  assert.equal((await lines.searchAsync('never')).items.length, 0);
  assert.throws(() => edges.search('because'), code('CONSTRAINT'));
});
