/* Operations that graph types have. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { code, database, packages, untyped } from './support.mjs';

test('the operations of types', (t) => {
  const db = database(t);
  const { nodes } = packages(t, db);
  const types = db.types('packages');
  const Package = types.node('Package');
  const attributes = { version: '1', size: 5 };
  assert.deepEqual(Package.insert('debian', { key: 'a', attributes }), { key: 'a', created: true, revision: 1 });
  assert.throws(() => Package.insert('debian', { key: 'a', attributes }), code('EXISTS'));
  assert.throws(() => Package.insert('debian', { key: 'b', attributes: {} }), code('INVALID', ({ detail }) => {
    assert.equal(detail.violations[0].instance, '/attributes');
  }));
  assert.equal(Package.put('debian', { key: 'b', attributes: { version: '2' }, metadata: { by: 'me' } }).created, true);
  assert.equal(nodes.get('b').type, 'Package');
  assert.deepEqual(Package.patch('debian', 'a', { attributes: { size: 6 } }), { key: 'a', revision: 2, changed: true });
  assert.equal(Package.get('debian', 'a').attributes.size, 6);
  assert.deepEqual(Package.find('debian', { filter: { 'attributes.size': { $gt: 1 } } }).items.map(({ key }) => key), ['a']);
  assert.deepEqual([...Package.iterate('debian', { limit: 1, descending: true })].map(({ key }) => key), ['b', 'a']);
  assert.equal(Package.count('debian'), 2);
  assert.equal(Package.count('debian', { filter: { key: 'b' } }), 1);
  const DependsOn = types.edge('DependsOn');
  const { key } = DependsOn.put('debian', { source: 'a', target: 'b', attributes: { optional: true } });
  assert.equal(DependsOn.find('debian', { source: 'a' }).items[0].key, key);
  assert.equal(DependsOn.get('debian', key).attributes.optional, true);
  assert.deepEqual(DependsOn.delete('debian', key), { deleted: true });
  DependsOn.insert('debian', { source: 'a', target: 'b' });
  assert.throws(() => Package.delete('debian', 'b'), code('CONSTRAINT'));
  assert.deepEqual(Package.delete('debian', 'b', { edges: 'delete' }), { deleted: true, edges: 1 });

  const Maintainer = types.node('Maintainer');
  assert.throws(() => Maintainer.get('debian', 'a'), code('NOT_FOUND'));
  assert.throws(() => Maintainer.delete('debian', 'a'), code('NOT_FOUND'));
  assert.throws(() => types.node('Nothing').count('debian'), code('NOT_FOUND'));
  assert.throws(() => db.types('nothing').node('Package').count('debian'), code('NOT_FOUND'));
  untyped(t, db);
  assert.throws(() => Package.count('g'), code('INVALID'));
});

test('they are described as data, and called by name', (t) => {
  const db = database(t);
  packages(t, db);
  const described = db.types('packages').operations();
  assert.deepEqual(described, db.operations({ graphType: 'packages' }));
  const put = described.find(({ name }) => name === 'types.packages.Package.put');
  assert.equal(put.namespace, 'types');
  assert.ok(JSON.stringify(put.input_schema).includes('"version"'));
  assert.deepEqual(db.call('types.packages.Package.put', { graph: 'debian', key: 'a', attributes: { version: '1' } }).created, true);
  assert.equal(db.call('types.packages.Package.count', { graph: 'debian' }).count, 1);
  assert.throws(() => db.types('nothing').operations(), code('NOT_FOUND'));
  assert.deepEqual(db.operations('db'), db.operations({ namespace: 'db' }));
});

test('built-in graph types', (t) => {
  const db = database(t);
  db.graphs.create('plan', { graphType: 'task' });
  const Task = db.types('task').node('Task');
  Task.insert('plan', { key: 'a', attributes: { title: 'Begin', status: 'ready' } });
  Task.insert('plan', { key: 'b', attributes: { title: 'End', status: 'pending' } });
  db.types('task').edge('DependsOn').insert('plan', { source: 'b', target: 'a', attributes: { kind: 'blocks' } });
  assert.deepEqual(db.graph('plan').topologicalOrder().keys, ['b', 'a']);
  assert.throws(() => Task.put('plan', { key: 'a', attributes: { title: 'Begin', status: 'lost' } }), code('INVALID'));
  db.graphs.create('calls', { graphType: 'call' });
  db.graph('calls').nodes.put({ key: '1', type: 'Call', attributes: { operation_id: 'nodes.get', status: 'requested' } });
});
