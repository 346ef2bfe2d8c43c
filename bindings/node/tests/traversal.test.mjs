/* Ways, orders, components, ranks. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { code, database, untyped } from './support.mjs';

/** A graph "g" of edges `[source, target, cost]`. */
function graphOf(t, list, db = database(t)) {
  const graph = untyped(t, db);
  graph.nodes.putMany([...new Set(list.flatMap(([source, target]) => [source, target]))].map((key) => ({ key })));
  graph.edges.putMany(list.map(([source, target, cost]) => ({ source, target, attributes: cost === undefined ? {} : { cost } })));
  return graph;
}

const DIAMOND = [['a', 'b', 1], ['a', 'c', 5], ['b', 'd', 1], ['c', 'd', 1], ['a', 'd', 9]];

test('shortest paths', async (t) => {
  const graph = graphOf(t, [...DIAMOND, ['e', 'a', 1]]);
  const direct = graph.shortestPath('a', 'd');
  assert.deepEqual(direct, { found: true, keys: ['a', 'd'], edges: direct.edges, length: 1, cost: 1 });
  assert.deepEqual(graph.edges.get(direct.edges[0]).target, 'd');
  const cheap = await graph.shortestPathAsync('a', 'd', { weight: 'attributes.cost' });
  assert.deepEqual([cheap.keys, cheap.length, cheap.cost], [['a', 'b', 'd'], 2, 2]);
  assert.deepEqual(graph.shortestPath('a', 'd', { weight: 'attributes.cost', maxDepth: 1 }).keys, ['a', 'd']);
  assert.deepEqual(graph.shortestPath('a', 'd', { nodeFilter: { key: { $ne: 'b' } }, weight: 'attributes.cost' }).keys, ['a', 'c', 'd']);
  assert.deepEqual(graph.shortestPath('d', 'a'), { found: false, keys: [], edges: [], length: null, cost: null });
  assert.deepEqual(graph.shortestPath('d', 'a', { direction: 'in' }).keys, ['d', 'a']);
  assert.throws(() => graph.shortestPath('a', 'nothing'), code('NOT_FOUND'));
  assert.throws(() => graph.shortestPath('a', 'd', { weight: 'attributes.nothing' }), code('CONSTRAINT'));
  assert.equal(graph.shortestPath('a', 'd', { weight: 'attributes.nothing', defaultWeight: 2 }).cost, 2);

  const all = graph.shortestPaths('a', { weight: 'attributes.cost' });
  assert.deepEqual(all, { keys: ['a', 'b', 'd', 'c'], costs: [0, 1, 2, 5], parents: [-1, 0, 1, 0], truncated: false });
  const near = await graph.shortestPathsAsync('a', { weight: 'attributes.cost', maxCost: 1 });
  assert.deepEqual(near.keys, ['a', 'b']);
  assert.equal(graph.shortestPaths('a', { limit: 2 }).truncated, true);
});

test('all simple paths, and the number of walks', async (t) => {
  const graph = graphOf(t, DIAMOND);
  const { paths, edges, truncated } = graph.paths('a', 'd', { maxDepth: 5 });
  assert.deepEqual(paths, [['a', 'd'], ['a', 'b', 'd'], ['a', 'c', 'd']]);
  assert.deepEqual(edges.map((list) => list.length), [1, 2, 2]);
  assert.equal(truncated, false);
  assert.equal((await graph.pathsAsync('a', 'd', { maxDepth: 1 })).paths.length, 1);
  assert.equal(graph.paths('a', 'd', { maxDepth: 5, limit: 2 }).truncated, true);
  assert.throws(() => graph.paths('a', 'd', {}), code('INVALID'));
  assert.equal(graph.countWalks(2, { sources: ['a'], targets: ['d'] }), 2);
  assert.equal(graph.countWalks(2, { sources: ['a'], targets: ['d'], upTo: true }), 3);
  assert.equal(await graph.countWalksAsync(0), 4);
  graph.edges.putMany(['a', 'b'].flatMap((source) => ['a', 'b'].map((target) => ({ source, target }))));
  assert.equal(graph.countWalks(60, { sources: ['a'], targets: ['a'] }), 2n ** 59n);
  assert.throws(() => graph.countWalks(100), code('LIMIT'));
});

test('topological order and cycles', async (t) => {
  const graph = graphOf(t, DIAMOND);
  assert.deepEqual(graph.topologicalOrder(), { keys: ['a', 'b', 'c', 'd'], generations: [0, 1, 3] });
  assert.deepEqual(graph.findCycle(), { found: false, keys: [], edges: [] });
  const { key } = graph.edges.put({ source: 'd', target: 'b', attributes: { back: true } });
  const cycle = await graph.findCycleAsync();
  assert.deepEqual([cycle.found, cycle.keys, cycle.edges.length, cycle.edges.at(-1)], [true, ['b', 'd'], 2, key]);
  assert.throws(() => graph.topologicalOrder(), code('CONSTRAINT', ({ detail }) => assert.deepEqual(detail.cycle, ['b', 'd'])));
  const without = await graph.topologicalOrderAsync({ edgeFilter: { 'attributes.back': { $exists: false } } });
  assert.equal(without.keys.length, 4);
});

test('components, subgraphs, degrees, ranks', async (t) => {
  const graph = graphOf(t, [['a', 'b'], ['b', 'a'], ['b', 'c'], ['x', 'y']]);
  assert.deepEqual(graph.components(), { count: 2, keys: ['a', 'b', 'c', 'x', 'y'], components: [0, 0, 0, 1, 1], sizes: [3, 2] });
  assert.equal((await graph.componentsAsync({ connection: 'strong' })).count, 4);
  const part = graph.subgraph(['c', 'b', 'x']);
  assert.deepEqual(part.nodes.map(({ key }) => key), ['b', 'c', 'x']);
  assert.deepEqual(part.edges.map(({ source, target }) => [source, target]), [['b', 'c']]);
  assert.equal(part.truncated, false);
  assert.equal((await graph.subgraphAsync({ filter: { key: { $gt: 'b' } } })).nodes.length, 3);
  assert.equal(graph.subgraph({}, { limit: 2 }).truncated, true);
  assert.throws(() => graph.subgraph(['nothing']), code('NOT_FOUND'));
  assert.deepEqual(graph.degrees(), { keys: ['a', 'b', 'c', 'x', 'y'], degrees: [1, 2, 0, 1, 0] });
  assert.deepEqual((await graph.degreesAsync({ direction: 'both', descending: true, limit: 2 })).keys, ['b', 'a']);
  assert.deepEqual(graph.degrees({ keys: ['c'], direction: 'in' }), { keys: ['c'], degrees: [1] });
  const rank = graph.pagerank();
  assert.ok(Math.abs(rank.scores.reduce((sum, score) => sum + score, 0) - 1) < 1e-6);
  assert.equal(rank.converged, true);
  assert.equal((await graph.pagerankAsync({ personalization: { x: 1 }, limit: 1 })).keys[0], 'x');
  assert.throws(() => graph.pagerank({ damping: 2 }), code('INVALID'));
});

test('walks come in batches, of the moment when the loop began', async (t) => {
  for (const db of [database(t), database(t, {}, ':memory:')]) {
    const graph = untyped(t, db);
    const size = 25_000;
    const name = (i) => `n${String(i).padStart(5, '0')}`;
    graph.nodes.putMany(Array.from({ length: size }, (_, i) => ({ key: name(i) })));
    graph.edges.putMany(Array.from({ length: size - 1 }, (_, i) => ({ source: name(0), target: name(i + 1) })));
    const walk = graph.nodes.walk(name(0));
    const closure = graph.nodes.closure(name(0));
    const collect = () => ({ keys: [], depths: [], parents: [] });
    const append = (all, { keys, depths, parents }) => {
      all.keys.push(...keys);
      all.depths.push(...depths);
      all.parents.push(...parents);
    };

    const sync = collect();
    let batches = 0;
    for (const batch of walk) {
      batches++;
      assert.ok(batch.keys.length <= 10_000);
      append(sync, batch);
    }
    assert.equal(batches, 3);
    assert.deepEqual({ ...sync, truncated: false }, closure);

    const later = collect();
    for await (const batch of walk) {
      // The handle is free between batches, for writes too; the walk does not see them.
      if (later.keys.length === 0) graph.nodes.delete(name(size - 1), { edges: 'delete' });
      append(later, batch);
    }
    assert.deepEqual(later, sync);
    let found = 0;
    for await (const { keys } of walk) found += keys.length;
    assert.equal(found, size - 1);

    // Loops that are left early leave nothing behind.
    for (const _ of walk) break;
    for await (const _ of walk) break;
    assert.deepEqual([...graph.nodes.walk([name(0), name(1)], { maxDepth: 0 })], [
      { keys: [name(0), name(1)], depths: [0, 0], parents: [-1, -1] },
    ]);
    assert.throws(() => [...graph.nodes.walk('nothing')], code('NOT_FOUND'));
    await assert.rejects(graph.nodes.walk('nothing')[Symbol.asyncIterator]().next(), code('NOT_FOUND'));
    assert.throws(() => [...graph.nodes.walk(name(0), { order: 'random' })], code('INVALID'));
  }
});

test('a walk ends with its signal and with its database', async (t) => {
  const db = database(t);
  const graph = graphOf(t, DIAMOND, db);
  const aborted = AbortSignal.abort(new Error('mine'));
  await assert.rejects(graph.nodes.walk('a', { signal: aborted })[Symbol.asyncIterator]().next(), /mine/);
  const iterator = graph.nodes.walk('a')[Symbol.asyncIterator]();
  const sync = graph.nodes.walk('a')[Symbol.iterator]();
  assert.equal((await iterator.next()).value.keys.length, 4);
  assert.equal(sync.next().value.keys.length, 4);
  db.close();
  await assert.rejects(iterator.next(), code('CLOSED'));
  assert.throws(() => sync.next(), code('CLOSED'));
});

test('depth first', (t) => {
  const graph = graphOf(t, DIAMOND);
  assert.deepEqual(graph.nodes.closure('a', { order: 'depth' }).keys, ['a', 'b', 'd', 'c']);
  assert.deepEqual(graph.nodes.closure('a', { edgeFilter: { 'attributes.cost': { $lt: 5 } } }).keys, ['a', 'b', 'd']);
});
