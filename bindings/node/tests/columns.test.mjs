/* Answers of long lists, whose columns are read when they are asked for, are what the text says in every way of looking. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { database } from './support.mjs';

test('a long closure is the same however it is read', (t) => {
  const db = database(t);
  db.graphs.create('g', { graphType: 'open' });
  const { nodes, edges } = db.graph('g');
  // Keys that look like what stands between the columns.
  const keys = ['start', '],"depths":[', '"depths":', '],\\"parents\\":[1]', '12345678901234567890', 'é', ...Array.from({ length: 3000 }, (_, i) => `node-${i}`)];
  nodes.putMany(keys.map((key) => ({ key })));
  edges.putMany(keys.slice(1).map((target) => ({ source: 'start', target })));
  const whole = JSON.parse(db.callText('nodes.closure', JSON.stringify({ graph: 'g', keys: ['start'] })));
  assert.ok(JSON.stringify(whole).length > 20000);
  const read = () => nodes.closure('start');
  assert.deepEqual(read(), whole);
  assert.equal(JSON.stringify(read()), JSON.stringify(whole));
  assert.deepEqual({ ...read() }, whole);
  assert.deepEqual(structuredClone({ ...read() }), whole);
  assert.deepEqual(Object.keys(read()), ['keys', 'depths', 'parents', 'truncated']);
  const closure = read();
  assert.equal(closure.parents, closure.parents);
  assert.equal(closure.truncated, false);
  closure.depths = [];
  assert.deepEqual(closure.depths, []);
  assert.deepEqual(db.graph('g').components(), db.call('graphs.components', { graph: 'g' }));
  assert.deepEqual(db.graph('g').pagerank(), db.call('graphs.pagerank', { graph: 'g' }));
  assert.deepEqual(db.graph('g').topologicalOrder(), db.call('graphs.topological_order', { graph: 'g' }));
  assert.deepEqual(db.graph('g').degrees({ descending: true }), db.call('graphs.degrees', { graph: 'g', descending: true }));
  assert.deepEqual(db.graph('g').shortestPaths('start'), db.call('graphs.shortest_paths', { graph: 'g', source: 'start' }));
});
