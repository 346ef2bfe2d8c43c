/* Documents in and out, index arrays, graphology. */
import assert from 'node:assert/strict';
import { createWriteStream, readFileSync, readdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { pipeline } from 'node:stream/promises';
import { test } from 'node:test';
import { pathToFileURL } from 'node:url';
import { createGzip, gunzipSync } from 'node:zlib';
import Graphology, { DirectedGraph, MultiGraph, MultiUndirectedGraph, UndirectedGraph } from 'graphology';
import { code, database, folder, packages, untyped } from './support.mjs';

const FORMATS = ['graphology', 'node_link', 'ndjson', 'graphml', 'dot', 'mermaid'];

/** A graph "g" of many nodes: several pages. */
function large(t, db = database(t), size = 12_000) {
  const graph = untyped(t, db);
  const name = (i) => `n${String(i).padStart(5, '0')}`;
  graph.nodes.putMany(Array.from({ length: size }, (_, i) => ({ key: name(i), attributes: { i, text: 'é' } })));
  graph.edges.putMany(Array.from({ length: size - 1 }, (_, i) => ({ source: name(i), target: name(i + 1), attributes: { cost: i } })));
  return graph;
}

test('an export is one document, of one moment', async (t) => {
  for (const db of [database(t), database(t, {}, ':memory:')]) {
    const graph = large(t, db);
    for (const format of FORMATS) {
      const text = graph.export(format);
      assert.ok(text.includes('n11999'), format);
      assert.equal(await graph.exportAsync(format), text, format);
    }
    const document = JSON.parse(graph.export('graphology'));
    assert.deepEqual([document.nodes.length, document.edges.length], [12_000, 11_999]);
    const links = JSON.parse(graph.export('node_link', { edges: 'links', filter: { 'attributes.i': { $lt: 2 } } }));
    assert.deepEqual([links.nodes.length, links.links.length], [2, 1]);
    assert.equal(graph.export('csv', { part: 'nodes' }).split(/\r?\n/).length - 2, 12_000);
    assert.equal(JSON.parse(await graph.exportAsync('graphology', { edgeFilter: { source: 'none' } })).edges.length, 0);

    let joined = '';
    let pages = 0;
    for (let cursor = null; cursor !== undefined; pages++) {
      const page = graph.exportPage('ndjson', { limit: 5000, cursor });
      joined += page.text;
      cursor = page.cursor ?? undefined;
    }
    assert.ok(pages >= 4, `${pages} pages`);
    assert.equal(joined, graph.export('ndjson'));

    // What is open stays open, and what it wrote is in the document.
    db.begin();
    graph.nodes.put({ key: 'zz' });
    assert.ok(graph.export('ndjson').includes('"zz"'));
    db.rollback();
    assert.throws(() => graph.export('csv'), code('INVALID'));
    assert.throws(() => graph.export('yaml'), code('INVALID'));
    await assert.rejects(graph.exportAsync('yaml'), code('INVALID'));
    await assert.rejects(db.graph('nothing').exportAsync('dot'), code('NOT_FOUND'));
    assert.equal(db.begin().depth, 1);
    db.rollback();
  }
});

test('an export as a stream and as a file', async (t) => {
  const here = folder(t);
  const db = database(t, {}, join(here, 'a.db'));
  const graph = large(t, db);
  const text = graph.export('ndjson');
  const zipped = join(here, 'graph.gz');
  await pipeline(graph.exportStream('ndjson'), createGzip(), createWriteStream(zipped));
  assert.equal(gunzipSync(readFileSync(zipped)).toString(), text);

  // Others write meanwhile, and the other asynchronous calls go on: the stream has a connection of its own.
  const stream = graph.exportStream('ndjson');
  let read = '';
  for await (const part of stream) {
    if (read === '') {
      graph.nodes.put({ key: 'later' });
      await graph.nodes.putManyAsync([{ key: 'later still' }]);
    }
    read += part;
  }
  assert.equal(read, text);

  const target = join(here, 'graph.json');
  writeFileSync(target, 'as it was');
  await assert.rejects(graph.exportFile(target, 'yaml'), code('INVALID'));
  assert.equal(readFileSync(target, 'utf8'), 'as it was');
  await assert.rejects(graph.exportFile(target, 'ndjson', { signal: AbortSignal.abort() }), { name: 'AbortError' });
  await assert.rejects(graph.exportFile(join(here, 'no', 'folder'), 'ndjson'), { code: 'ENOENT' });
  await graph.exportFile(pathToFileURL(target), 'graphology');
  assert.equal(readFileSync(target, 'utf8'), graph.export('graphology'));
  assert.deepEqual(readdirSync(here).filter((name) => name.endsWith('.part')), []);

  // A stream that is left lets go of the file.
  for await (const _ of graph.exportStream('ndjson')) break;
  const pending = graph.exportAsync('ndjson');
  const closed = assert.rejects(pending, code('CLOSED'));
  db.close();
  await closed;
});

test('a text is read all or nothing', async (t) => {
  const db = database(t);
  const graph = large(t, db, 100);
  const text = graph.export('ndjson');
  const copy = db.graph('copy');
  assert.throws(() => copy.import({ format: 'ndjson', text }), code('NOT_FOUND'));
  const result = copy.import({ format: 'ndjson', text, create: true });
  assert.deepEqual(result, { done: true, nodes: 100, edges: 99, failed: 0, items: [], bytes: Buffer.byteLength(text), total_bytes: Buffer.byteLength(text) });
  assert.equal(copy.export('ndjson'), text);
  const again = await copy.importAsync({ format: 'ndjson', text, onProgress: () => {} });
  assert.equal(again.done, true);
  assert.throws(() => copy.import({ format: 'ndjson', text, mode: 'insert' }), code('EXISTS'));
  assert.throws(() => copy.import({ format: 'ndjson', text: '{"node": {"key": "new"}}\n{"node": 5}' }), (error) => error.code.startsWith('INVALID'));
  assert.equal(copy.nodes.exists('new'), false);
  const skipped = copy.import({ format: 'ndjson', text: '{"node": {"key": "new"}}\n{"edge": {"source": "new", "target": "no"}}', errors: 'skip' });
  assert.deepEqual([skipped.nodes, skipped.edges, skipped.failed, skipped.items[0].code], [1, 0, 1, 'NOT_FOUND']);
  assert.throws(() => copy.import({ format: 'yaml', text: '' }), code('INVALID'));
  assert.throws(() => copy.import({ format: 'graphology', text: '{' }), code('INVALID_JSON'));
  const nodes = graph.export('csv', { part: 'nodes' });
  assert.equal(db.graph('table').import({ format: 'csv', part: 'nodes', text: nodes, create: true }).nodes, 100);
});

test('a file is read in batches, with progress, and gone on with', async (t) => {
  const here = folder(t);
  const db = database(t, {}, join(here, 'a.db'));
  const source = large(t, db);
  const path = join(here, 'graph.ndjson');
  await source.exportFile(path, 'ndjson');

  const seen = [];
  const onProgress = (progress) => seen.push(progress);
  const first = db.graph('first');
  const whole = first.import({ format: 'ndjson', path, create: true, batch: 5000, onProgress });
  assert.deepEqual([whole.done, whole.nodes, whole.edges, whole.failed], [true, 12_000, 11_999, 0]);
  assert.ok(seen.length >= 5, `${seen.length} batches`);
  assert.deepEqual(seen.map(({ bytes }) => bytes), seen.map(({ bytes }) => bytes).sort((a, b) => a - b));
  assert.deepEqual([seen[0].done, seen.at(-1)], [false, whole]);
  assert.ok(seen[0].nodes > 0 && seen[0].nodes < 12_000);

  // Ended by its own callback, gone on with by another call.
  const second = db.graph('second');
  let batches = 0;
  const stop = () => {
    if (++batches === 2) throw new Error('enough');
  };
  await assert.rejects(second.importAsync({ format: 'ndjson', path, create: true, batch: 1000, onProgress: stop }), /enough/);
  const half = second.nodes.count();
  assert.ok(half > 0 && half < 12_000, `${half} nodes`);
  const rest = await second.importAsync({ format: 'ndjson', path, batch: 1000, resume: true });
  assert.deepEqual([rest.done, rest.nodes, rest.edges], [true, 12_000, 11_999]);
  assert.equal(second.export('ndjson'), source.export('ndjson'));

  const third = db.graph('third');
  const part = third.import({ format: 'ndjson', path, create: true, batch: 1000, maxBatches: 3 });
  assert.equal(part.done, false);
  assert.ok(third.nodes.count() > 0 && third.nodes.count() <= 3000);
  const controller = new AbortController();
  const aborted = db.graph('fourth').importAsync({
    format: 'ndjson',
    path,
    create: true,
    batch: 1000,
    signal: controller.signal,
    onProgress: () => controller.abort(),
  });
  await assert.rejects(aborted, { name: 'AbortError' });
  assert.throws(() => first.import({ format: 'ndjson', path: join(here, 'nothing') }), code('NOT_FOUND'));
});

test('index arrays', async (t) => {
  const db = database(t);
  const { nodes, edges } = packages(t, db);
  nodes.putMany(['b', 'a'].map((key) => ({ key, type: 'Package', attributes: { version: '1' } })));
  nodes.put({ key: 'jo', type: 'Maintainer' });
  edges.put({ source: 'b', target: 'a', type: 'DependsOn', attributes: { optional: true } });
  edges.put({ source: 'jo', target: 'a', type: 'Maintains', key: 'own', attributes: { weight: 2.5 } });
  const arrays = db.graph('debian').arrays();
  assert.deepEqual([arrays.directed, arrays.multi, arrays.keys], [true, false, ['a', 'b', 'jo']]);
  assert.deepEqual([arrays.sources, arrays.targets, arrays.edge_keys], [[1, 2], [0, 0], [null, 'own']]);
  assert.deepEqual(arrays.types.map((i) => arrays.node_types[i]), ['Package', 'Package', 'Maintainer']);
  assert.deepEqual(arrays.edge_type_of.map((i) => arrays.edge_types[i]), ['DependsOn', 'Maintains']);
  const all = await db.graph('debian').arraysAsync({ attributes: true, edgeTypes: ['Maintains'], weight: 'attributes.weight' });
  assert.deepEqual([all.sources, all.weights, all.edge_attributes], [[2], [2.5], [{ weight: 2.5 }]]);
  assert.deepEqual(all.node_attributes[0], { version: '1' });
  assert.throws(() => db.graph('debian').arrays({ weight: 'attributes.weight' }), code('CONSTRAINT'));
});

/** What is in a graph of graphology's, whatever its order. */
function contents(graph) {
  const { attributes, options, nodes, edges } = graph.export();
  const byKey = (a, b) => (a.key < b.key ? -1 : 1);
  return { attributes, options, nodes: [...nodes].sort(byKey), edges: [...edges].sort(byKey) };
}

function filled(graph) {
  graph.replaceAttributes({ name: 'test', deep: { list: [1, null, 'é'] } });
  graph.addNode('a', { x: 1.5, big: 2 ** 53 - 1 });
  graph.addNode('b');
  graph.addNode('', { empty: true });
  graph.addNode('json:"x"');
  graph.addNode('__proto__', { constructor: 1 });
  if (graph.type !== 'undirected') {
    graph.addDirectedEdgeWithKey('ab', 'a', 'b', { weight: 2 });
    graph.addDirectedEdge('b', 'a');
  }
  if (graph.type !== 'directed') graph.addUndirectedEdgeWithKey('u', 'b', '', { nested: { a: [] } });
  if (graph.multi) graph.type === 'undirected' ? graph.addUndirectedEdge('b', '') : graph.addDirectedEdge('a', 'b');
  if (graph.allowSelfLoops) graph.addEdge('a', 'a');
  return graph;
}

const KINDS = {
  mixed: () => new Graphology(),
  directed: () => new DirectedGraph(),
  undirected: () => new UndirectedGraph(),
  'multi mixed': () => new MultiGraph(),
  'multi undirected': () => new MultiUndirectedGraph(),
  'without loops': () => new DirectedGraph({ allowSelfLoops: false }),
};

for (const [kind, make] of Object.entries(KINDS)) {
  test(`a ${kind} graph of graphology's goes through and stays the same`, async (t) => {
    const db = database(t);
    const original = filled(make());
    const graph = db.graphs.fromGraphology('g', original);
    assert.deepEqual(graph.info().metadata, { name: 'test', deep: { list: [1, null, 'é'] } });
    assert.deepEqual([graph.nodes.count(), graph.edges.count()], [original.order, original.size]);
    const back = graph.toGraphology(Graphology);
    assert.ok(back instanceof Graphology);
    assert.deepEqual(contents(back), contents(original));
    assert.deepEqual(contents(await graph.toGraphologyAsync(Graphology)), contents(original));
    // And the other way round: what the file has goes through graphology.
    db.graphs.fromGraphology('h', back);
    assert.equal(db.graph('h').export('graphology'), graph.export('graphology'));
    assert.equal(db.doctor().ok, true);
  });
}

test('typed graphs go through graphology too', (t) => {
  const db = database(t);
  const { nodes, edges } = packages(t, db);
  nodes.put({ key: 'a', type: 'Package', attributes: { version: '1' }, metadata: { seen: 1 } });
  nodes.put({ key: 'b', type: 'Package', attributes: { version: '2' } });
  edges.put({ source: 'a', target: 'b', type: 'DependsOn', attributes: { optional: true } });
  const graph = db.graph('debian').toGraphology(DirectedGraph);
  assert.equal(graph.getNodeAttribute('a', '@type'), 'Package');
  assert.deepEqual(graph.mapEdges((key, attributes, source, target) => [source, target, attributes.optional]), [['a', 'b', true]]);
  db.graphs.fromGraphology('copy', graph, { graphType: 'packages', ownerId: 'me' });
  const copy = db.graph('copy');
  assert.equal(copy.info().owner_id, 'me');
  assert.deepEqual([copy.nodes.get('a').type, copy.nodes.get('a').metadata], ['Package', { seen: 1 }]);
  const keys = ({ edges: list }) => [...list].map(({ key, source, target, type, attributes }) => ({ key, source, target, type, attributes }));
  assert.deepEqual(keys(copy), keys(db.graph('debian')));
});

test('keys that are derived stay so', (t) => {
  for (const directed of ['directed', 'undirected', 'mixed']) {
    const db = database(t);
    const properties = { directed: { const: directed } };
    db.graphTypes.define({ $id: 'kind', $defs: { Config: { type: 'object', properties }, ANode: { type: 'object' }, ToEdge: true } });
    db.graphs.create('g', { graphType: 'kind' });
    const graph = db.graph('g');
    graph.nodes.putMany(['é', 'z', 'a"\n'].map((key) => ({ key })));
    graph.edges.putMany([{ source: 'é', target: 'z' }, { source: 'z', target: 'a"\n' }]);
    if (directed === 'mixed') graph.edges.put({ source: 'é', target: 'z', undirected: true });
    const middle = graph.toGraphology(Graphology);
    assert.deepEqual(middle.edges().sort(), [...graph.edges].map(({ key }) => key).sort());
    const copy = db.graphs.fromGraphology('copy', middle, { graphType: 'kind' });
    assert.equal(copy.export('graphology'), graph.export('graphology'));
  }
});

test('integers beyond 2^53 are as the handle reads them', (t) => {
  const db = database(t, { integers: 'number' });
  const graph = new DirectedGraph();
  graph.addNode('a', { big: 2 ** 60 });
  const back = db.graphs.fromGraphology('g', graph).toGraphology(DirectedGraph);
  assert.equal(back.getNodeAttribute('a', 'big'), 2 ** 60);
});

test('what cannot be made leaves nothing behind', (t) => {
  const db = database(t);
  const graph = new Graphology({ type: 'directed' });
  graph.addNode('a');
  graph.addNode('b', { big: 5n });
  db.graphs.fromGraphology('g', graph);
  assert.equal(db.graph('g').nodes.get('b').attributes.big, 5);
  assert.throws(() => db.graphs.fromGraphology('g', graph), code('EXISTS'));
  assert.throws(() => db.graphs.fromGraphology('h', graph, { graphType: 'nothing' }), code('NOT_FOUND'));
  const multi = new MultiGraph({ type: 'directed' });
  multi.mergeEdge('a', 'b');
  assert.throws(() => db.graphs.fromGraphology('h', multi, { graphType: 'open' }), code('CONSTRAINT'));
  assert.throws(() => db.graphs.get('h'), code('NOT_FOUND'));
  // In a transaction of the caller's only this is taken back.
  db.transaction(() => {
    db.graph('g').nodes.put({ key: 'c' });
    assert.throws(() => db.graphs.fromGraphology('h', multi, { graphType: 'open' }), code('CONSTRAINT'));
  });
  assert.equal(db.graph('g').nodes.count(), 3);
});
