import assert from 'node:assert/strict';
import { test } from 'node:test';
import { code, database, packages, PACKAGES, untyped } from './support.mjs';

const keys = (items) => [...items].map(({ key }) => key);

test('graph types: define, get, list, iterate, delete', (t) => {
  const { graphTypes } = database(t);
  const defined = graphTypes.define(PACKAGES, { metadata: { team: 'a' } });
  assert.equal(defined.name, 'packages');
  assert.equal(defined.scope, 'user');
  assert.deepEqual(defined.metadata, { team: 'a' });
  assert.deepEqual([...defined.node_types].sort(), ['Maintainer', 'Package']);
  assert.equal(defined.config.directed, 'directed');
  const depends = defined.edge_types.find(({ name }) => name === 'DependsOn');
  assert.deepEqual(depends, { name: 'DependsOn', source: ['Package'], target: ['Package'] });
  assert.equal(graphTypes.define(PACKAGES, { metadata: { team: 'a' } }).id, defined.id);
  assert.deepEqual(graphTypes.get('packages').module, PACKAGES);

  graphTypes.define({ ...PACKAGES, $id: 'other' }, { name: 'renamed', version: 3 });
  assert.equal(graphTypes.get('renamed').version, 3);
  assert.ok(['open', 'packages', 'renamed'].every((name) => [...graphTypes].some((type) => type.name === name)));
  const page = graphTypes.list({ limit: 1 });
  assert.equal(page.items.length, 1);
  const next = graphTypes.list({ limit: 1, cursor: page.cursor });
  assert.notEqual(next.items[0].name, page.items[0].name);

  assert.deepEqual(graphTypes.delete('renamed'), { deleted: true });
  assert.throws(() => graphTypes.get('renamed'), code('NOT_FOUND'));
  assert.throws(() => graphTypes.delete('renamed'), code('NOT_FOUND'));
  assert.throws(() => graphTypes.delete('open'), code('DENIED'));
  assert.throws(() => graphTypes.define({ ...PACKAGES, $defs: { XNode: { type: 'object' } } }), code('EXISTS'));
  assert.throws(() => graphTypes.define({ $id: 's' }, { scope: 'system' }), code('DENIED'));
  assert.throws(() => graphTypes.define({ $id: 'b', $defs: { XNode: { type: 'objekt' } } }), code('VALIDATION', ({ detail }) => {
    assert.match(detail.violations[0].instance + detail.violations[0].schema, /XNode/);
  }));
  assert.throws(() => graphTypes.define('text'), code('INVALID'));
});

test('graph types: validate without writing', (t) => {
  const { graphTypes } = database(t);
  graphTypes.define(PACKAGES);
  assert.deepEqual(graphTypes.validateNode('packages', 'Package', { version: '1' }), { valid: true, violations: [] });
  const { valid, violations } = graphTypes.validateNode('packages', 'Package', { size: -1, other: 1 });
  assert.equal(valid, false);
  assert.deepEqual(violations.map(({ schema }) => schema.split('/').at(-1)).sort(), ['additionalProperties', 'minimum', 'required']);
  assert.ok(violations.every(({ message, instance, keyword }) => message !== '' && instance !== undefined && keyword !== undefined));
  const ends = { sourceType: 'Package', targetType: 'Package' };
  assert.equal(graphTypes.validateEdge('packages', 'DependsOn', { optional: true }, ends).valid, true);
  assert.equal(graphTypes.validateEdge('packages', 'DependsOn', {}, { ...ends, targetType: 'Maintainer' }).valid, false);
  assert.equal(graphTypes.validateEdge('packages', 'DependsOn', { optional: 1 }).valid, false);
  assert.equal(graphTypes.validateNode('open', null, { any: 'thing' }).valid, true);
  assert.throws(() => graphTypes.validateNode('packages', 'Nothing', {}), code('INVALID'));
  assert.throws(() => graphTypes.validateNode('nothing', 'Package', {}), code('NOT_FOUND'));
});

test('graphs: create, get, list, update, delete', async (t) => {
  const db = database(t);
  const { graphs } = db;
  const made = graphs.create('g', { graphType: 'open', ownerId: 'o', projectId: 'p', metadata: { a: 1 } });
  assert.deepEqual(
    [made.name, made.graph_type, made.owner_id, made.project_id, made.status, made.nodes, made.edges],
    ['g', 'open', 'o', 'p', 'active', 0, 0],
  );
  assert.throws(() => graphs.create('g', { graphType: 'open' }), code('EXISTS'));
  assert.throws(() => graphs.create('h', { graphType: 'nothing' }), code('NOT_FOUND'));
  assert.throws(() => graphs.create('h', { graphType: 'open', colour: 'red' }), code('INVALID'));
  assert.throws(() => graphs.get('h'), code('NOT_FOUND'));
  assert.throws(() => db.graph('h').info(), code('NOT_FOUND'));
  assert.deepEqual(db.graph('g').info(), graphs.get('g'));
  assert.equal(graphs.create('plain').graph_type, 'open');
  graphs.delete('plain');
  assert.equal(graphs.update('g', { ownerId: null, status: 'archived' }).owner_id, null);
  assert.deepEqual(graphs.get('g').metadata, { a: 1 });
  assert.throws(() => db.graph('g').nodes.put({ key: 'a' }), code('CONSTRAINT'));
  graphs.update('g', { status: 'active' });
  db.graph('g').nodes.put({ key: 'a' });

  for (let i = 0; i < 5; i++) graphs.create(`n${i}`, { graphType: 'open', status: 'draft' });
  assert.deepEqual([...graphs].map(({ name }) => name), ['g', 'n0', 'n1', 'n2', 'n3', 'n4']);
  assert.equal(graphs.list({ status: 'draft' }).items.length, 5);
  assert.equal(graphs.list({ graphType: 'open', limit: 2 }).items.length, 2);
  assert.deepEqual(graphs.delete('g'), { deleted: true, nodes: 1, edges: 0 });
  assert.deepEqual(await graphs.deleteAsync('n0'), { deleted: true, nodes: 0, edges: 0 });
  assert.throws(() => graphs.delete('g'), code('NOT_FOUND'));
  assert.throws(() => db.graph('g').nodes.count(), code('NOT_FOUND'));
});

test('nodes: put, get, exists, count, delete', (t) => {
  const { nodes } = packages(t);
  const node = { key: 'libc6', type: 'Package', attributes: { version: '2.36' }, metadata: { seen: true } };
  assert.deepEqual(nodes.put(node), { key: 'libc6', created: true, revision: 1 });
  assert.deepEqual(nodes.put({ key: 'libc6', attributes: { version: '2.37' } }), { key: 'libc6', created: false, revision: 2 });
  const stored = nodes.get('libc6');
  assert.deepEqual([stored.type, stored.attributes, stored.metadata, stored.revision], ['Package', { version: '2.37' }, { seen: true }, 2]);
  assert.ok(Math.abs(stored.updated_at - Date.now()) < 60_000);
  assert.equal(nodes.exists('libc6'), true);
  assert.equal(nodes.exists('libc7'), false);
  nodes.put({ key: 'jo', type: 'Maintainer', attributes: { name: 'Jo' } });
  assert.equal(nodes.count(), 2);
  assert.equal(nodes.count({ type: 'Maintainer' }), 1);

  assert.throws(() => nodes.put({ key: 'x', type: 'Package', attributes: {} }), code('VALIDATION', ({ detail }) => {
    assert.equal(detail.violations[0].keyword, 'required');
  }));
  assert.throws(() => nodes.put({ key: 'x', type: 'Nothing' }), code('INVALID'));
  assert.throws(() => nodes.put({ key: 'libc6', type: 'Maintainer' }), code('CONSTRAINT'));
  assert.throws(() => nodes.put({ key: 'libc6', attributes: { version: '3' }, revision: 1 }), code('CONFLICT'));
  assert.throws(() => nodes.put({ key: '', type: 'Maintainer' }), code('INVALID'));
  assert.throws(() => nodes.put({ type: 'Maintainer' }), code('INVALID'));
  assert.throws(() => nodes.put({ key: 'a\0b', type: 'Maintainer' }), (error) => ['INVALID', 'INVALID_JSON'].includes(error.code));
  assert.throws(() => nodes.put({ key: 'k'.repeat(1025), type: 'Maintainer' }), code('LIMIT'));
  assert.throws(() => nodes.put(undefined), code('INVALID'));
  assert.throws(() => nodes.get('libc7'), code('NOT_FOUND'));
  assert.throws(() => nodes.get(5), code('INVALID'));
  assert.throws(() => nodes.delete('libc6', { revision: 1 }), code('CONFLICT'));
  assert.deepEqual(nodes.delete('libc6', { revision: 2 }), { deleted: true, edges: 0 });
  assert.throws(() => nodes.delete('libc6'), code('NOT_FOUND'));
});

test('nodes: many at once, all or nothing', async (t) => {
  const { nodes } = packages(t);
  function* generate() {
    for (let i = 0; i < 10; i++) yield { key: `p${i}`, type: 'Package', attributes: { version: String(i) } };
  }
  assert.deepEqual(nodes.putMany(generate()), { created: 10, updated: 0 });
  assert.deepEqual(await nodes.putManyAsync(generate()), { created: 0, updated: 10 });
  assert.throws(
    () => nodes.putMany([{ key: 'new', type: 'Package', attributes: { version: '1' } }, { key: 'bad', type: 'Package', attributes: {} }]),
    code('VALIDATION', ({ detail }) => {
      assert.deepEqual([detail.items[0].index, detail.items[0].key, detail.items[0].code], [1, 'bad', 'VALIDATION']);
      assert.equal(detail.items[0].violations[0].keyword, 'required');
    }),
  );
  assert.equal(nodes.exists('new'), false);
  const many = nodes.getMany(new Set(['p3', 'nothing', 'p1']));
  assert.deepEqual(many.map((node) => node?.key ?? null), ['p3', null, 'p1']);
  assert.throws(() => nodes.putMany(5), code('INVALID'));
  assert.deepEqual(nodes.putMany([]), { created: 0, updated: 0 });
});

test('nodes: pages and iteration', (t) => {
  const { nodes } = untyped(t);
  const expected = Array.from({ length: 2500 }, (_, i) => `n${String(i).padStart(5, '0')}`);
  nodes.putMany(expected.map((key) => ({ key })));
  assert.deepEqual(keys(nodes), expected);
  assert.deepEqual(keys(nodes.iterate({ prefix: 'n0200', limit: 3 })), expected.slice(2000, 2010));
  const page = nodes.list({ limit: 2 });
  assert.deepEqual(keys(page.items), expected.slice(0, 2));
  nodes.put({ key: 'n00000x' });
  assert.deepEqual(keys(nodes.list({ limit: 2, cursor: page.cursor }).items), expected.slice(2, 4));
  assert.equal(nodes.list({ prefix: 'zz' }).cursor, null);
  // Leaving a loop early leaves nothing behind; writes in between do not disturb it.
  for (const { key } of nodes) {
    nodes.put({ key: `n00000${key}` });
    break;
  }
  assert.throws(() => nodes.list({ limit: 0 }), code('INVALID'));
  assert.throws(() => nodes.list({ cursor: 'no cursor' }), code('INVALID'));
});

test('what has no JSON form is refused with its place, and what JSON leaves out is left out', async (t) => {
  const db = database(t);
  const { nodes, edges } = untyped(t, db);
  const refused = (call, pointer, what) =>
    assert.throws(call, code('INVALID', ({ message, detail }) => {
      assert.deepEqual([message, detail], [`${pointer}: ${what} has no JSON form`, { pointer }]);
    }));
  const put = (attributes) => () => nodes.put({ key: 'a', attributes });
  for (const number of [NaN, Infinity, -Infinity]) refused(put({ score: number }), '/attributes/score', String(number));
  refused(put({ 'a/b': [null, { '~': [1, NaN] }], later: Infinity }), '/attributes/a~1b/1/~0/1', 'NaN');
  refused(put({ at: new Date('never') }), '/attributes/at', 'an invalid Date');
  refused(put({ boxed: Object(NaN), big: 1n }), '/attributes/boxed', 'NaN');
  refused(put({ own: { toJSON: () => ({ x: NaN }) } }), '/attributes/own/x', 'NaN');
  refused(() => nodes.put({ key: 'a', metadata: { n: NaN } }), '/metadata/n', 'NaN');
  refused(() => nodes.putMany([{ key: 'a' }, { key: 'b', attributes: { n: NaN } }]), '/items/1/attributes/n', 'NaN');
  refused(() => nodes.patch('a', { attributes: { n: Infinity } }), '/attributes/n', 'Infinity');
  refused(() => edges.put({ source: 'a', target: 'b', attributes: { n: NaN } }), '/attributes/n', 'NaN');
  refused(() => nodes.list({ filter: { 'attributes.n': { $gt: NaN } } }), '/filter/attributes.n/$gt', 'NaN');
  refused(() => db.notify('a', NaN), '/payload', 'NaN');
  refused(() => db.queue('q').enqueue({ n: [NaN] }), '/payload/n/0', 'NaN');
  refused(() => db.queue('q').enqueueMany([{ payload: 1 }, { payload: -Infinity }]), '/items/1/payload', '-Infinity');
  refused(() => db.stream('s').publish({ n: NaN }), '/payload/n', 'NaN');
  refused(() => db.lock('l', { ttl: NaN }).tryAcquire(), '/ttl', 'NaN');
  refused(() => db.call('nodes.put', { graph: 'g', key: 'a', attributes: { n: NaN } }), '/attributes/n', 'NaN');
  await assert.rejects(nodes.putManyAsync([{ key: 'a', attributes: { n: NaN } }]), code('INVALID'));
  await assert.rejects(db.callAsync('events.notify', { channel: 'a', payload: NaN }), code('INVALID'));
  assert.equal(nodes.count(), 0);
  assert.deepEqual([...db.queues], []);

  nodes.put({ key: 'a', attributes: { n: null, text: 'null', out: undefined, f: () => 1, list: [undefined, -0], at: new Date(0), big: 2n ** 60n } });
  assert.deepEqual(nodes.get('a').attributes, { n: null, text: 'null', list: [null, 0], at: '1970-01-01T00:00:00.000Z', big: 2n ** 60n });
});

test('edges: put, get, exists, count, list, delete', async (t) => {
  const { nodes, edges } = packages(t);
  const version = { version: '1' };
  nodes.putMany(['a', 'b', 'c'].map((key) => ({ key, type: 'Package', attributes: version })));
  nodes.put({ key: 'jo', type: 'Maintainer' });
  const depends = (source, target) => ({ type: 'DependsOn', source, target });
  const { key, created } = edges.put({ ...depends('a', 'b'), attributes: { optional: true } });
  assert.equal(created, true);
  assert.equal(edges.put(depends('a', 'b')).key, key);
  assert.deepEqual(JSON.parse(key), ['a', 'DependsOn', 'b']);
  assert.deepEqual(await edges.putManyAsync([depends('a', 'c'), depends('b', 'c')]), { created: 2, updated: 0 });
  assert.deepEqual(edges.putMany([depends('b', 'c')]), { created: 0, updated: 1 });
  edges.put({ type: 'Maintains', source: 'jo', target: 'a', key: 'mine' });
  const stored = edges.get('mine');
  assert.deepEqual([stored.source, stored.target, stored.type, stored.revision], ['jo', 'a', 'Maintains', 1]);
  assert.deepEqual([edges.exists('mine'), edges.exists('yours'), edges.count(), edges.count({ type: 'DependsOn' })], [true, false, 4, 3]);
  assert.equal(edges.list({ source: 'a' }).items.length, 2);
  assert.equal(edges.list({ target: 'c', type: 'DependsOn' }).items.length, 2);
  assert.equal([...edges].length, 4);
  assert.equal([...edges.iterate({ type: 'DependsOn', limit: 1 })].length, 3);

  assert.throws(() => edges.put(depends('a', 'nothing')), code('NOT_FOUND'));
  assert.throws(() => edges.put(depends('a', 'jo')), code('CONSTRAINT'));
  assert.throws(() => edges.put(depends('a', 'a')), code('CONSTRAINT'));
  assert.throws(() => edges.put({ ...depends('a', 'b'), attributes: { optional: 1 } }), code('VALIDATION'));
  assert.throws(() => edges.put({ ...depends('a', 'b'), revision: 9 }), code('CONFLICT'));
  assert.throws(() => edges.put({ source: 'a' }), code('INVALID'));
  assert.throws(() => edges.get('yours'), code('NOT_FOUND'));
  assert.throws(() => nodes.delete('a'), code('CONSTRAINT'));
  assert.deepEqual(nodes.delete('a', { edges: 'delete' }), { deleted: true, edges: 3 });
  assert.throws(() => edges.delete('mine'), code('NOT_FOUND'));
  const [{ key: last }] = edges;
  assert.throws(() => edges.delete(last, { revision: 1 }), code('CONFLICT'));
  assert.deepEqual(edges.delete(last), { deleted: true });
  assert.equal(edges.count(), 0);
});

test('neighbors and closure', async (t) => {
  const { nodes, edges } = untyped(t);
  nodes.putMany(['a', 'b', 'c', 'd'].map((key) => ({ key })));
  edges.putMany([
    { source: 'a', target: 'b' },
    { source: 'b', target: 'c' },
    { source: 'c', target: 'd' },
    { source: 'd', target: 'a' },
  ]);
  const out = nodes.neighbors('a');
  assert.deepEqual(keys(out.items), ['b']);
  assert.equal(out.items[0].edge.source, 'a');
  assert.deepEqual(keys(nodes.neighbors('a', { direction: 'both' }).items), ['b', 'd']);
  assert.deepEqual(keys(nodes.neighbors('a', { direction: 'both', limit: 1 }).items), ['b']);
  assert.throws(() => nodes.neighbors('nothing'), code('NOT_FOUND'));
  assert.throws(() => nodes.neighbors('a', { direction: 'up' }), code('INVALID'));

  const closure = nodes.closure('a', { maxDepth: 2 });
  assert.deepEqual(closure, { keys: ['a', 'b', 'c'], depths: [0, 1, 2], parents: [-1, 0, 1], truncated: false });
  assert.deepEqual((await nodes.closureAsync(['a'], { direction: 'in' })).keys, ['a', 'd', 'c', 'b']);
  assert.equal(nodes.closure(new Set(['a', 'c']), { limit: 3 }).truncated, true);
  assert.throws(() => nodes.closure(['nothing']), code('NOT_FOUND'));
  assert.throws(() => nodes.closure(5), code('INVALID'));
});

test('what was read can be written, without a type too', (t) => {
  const { nodes, edges } = untyped(t);
  nodes.putMany([{ key: 'a', attributes: { n: 1 } }, { key: 'b' }]);
  const { type, key, attributes, metadata, revision } = nodes.get('a');
  assert.equal(type, null);
  assert.deepEqual(nodes.put({ type, key, attributes, metadata, revision }), { key, created: false, revision: 2 });
  edges.put({ source: 'a', target: 'b', type: null });
  const [edge] = edges;
  assert.equal(edges.put({ key: edge.key, type: edge.type, source: 'a', target: 'b' }).created, false);
});

test('any text is a key, compared by bytes', (t) => {
  const { nodes } = untyped(t);
  const odd = ['\u0001', ' ', '"', '\\', 'a/b', 'Z', '__proto__', 'constructor', 'é', 'e\u0301', '\uffff', '😀'];
  nodes.putMany(odd.map((key) => ({ key, attributes: JSON.parse(`{"__proto__": ${JSON.stringify(key)}}`) })));
  const bytes = (key) => Buffer.from(key);
  assert.deepEqual(keys(nodes), [...odd].sort((a, b) => bytes(a).compare(bytes(b))));
  for (const key of odd) assert.equal(Object.getOwnPropertyDescriptor(nodes.get(key).attributes, '__proto__').value, key);
  assert.throws(() => nodes.put({ key: '\ud800' }), code('INVALID_JSON'));
});
