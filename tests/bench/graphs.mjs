/*
 * The Debian package graph in Node.js, beside graphology: closure, strong components, topological order, shortest paths. Run by graphs.py: argv[2] is a brant file
 * with its graphs "debian" and "forward". graphology's graphs are built before the clock starts; answers are compared.
 */
import { readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { join } from 'node:path';
import { open, version } from '../../bindings/node/dist/index.mjs';

const require = createRequire(join(process.env.BRANT_BENCH_NODE, 'package.json'));
const { DirectedGraph } = require('graphology');
const { stronglyConnectedComponents } = require('graphology-components');
const { topologicalSort } = require('graphology-dag');
const { bidirectional } = require('graphology-shortest-path/unweighted');
const { bfsFromNode } = require('graphology-traversal');

const FOLLOWED = ['Depends', 'PreDepends'];
const db = open(process.argv[2], { mode: 'ro' });
const hub = db.graph('debian').nodes.exists('libc6') ? 'libc6' : 'libbase';

function graphologyOf(name, edgeTypes) {
  const arrays = db.call('graphs.arrays', { graph: name, ...(edgeTypes && { edge_types: edgeTypes }) });
  const graph = new DirectedGraph();
  for (const key of arrays.keys) graph.addNode(key);
  arrays.sources.forEach((source, i) => graph.mergeEdge(arrays.keys[source], arrays.keys[arrays.targets[i]]));
  return graph;
}

function measure(runs, work) {
  const times = [];
  let answer;
  for (let i = 0; i < runs; i++) {
    const start = performance.now();
    answer = work();
    times.push(performance.now() - start);
  }
  return [times.sort((a, b) => a - b)[runs >> 1], answer];
}

function show(task, ours, theirs) {
  console.log(`${task.padEnd(40)} brant ${ours.toFixed(2).padStart(9)} ms   graphology ${theirs.toFixed(2).padStart(9)} (${(theirs / ours).toFixed(1)}x)`);
}

function same(what, a, b) {
  if (JSON.stringify(a) !== JSON.stringify(b)) throw new Error(`${what}: the answers differ`);
}

const debian = graphologyOf('debian', FOLLOWED);
const forward = graphologyOf('forward');
console.log(`Node.js ${process.version}, brant ${version}, graphology ${JSON.parse(readFileSync(join(process.env.BRANT_BENCH_NODE, 'node_modules/graphology/package.json'), 'utf8')).version}`);

const closure = () => db.graph('debian').nodes.closure(hub, { direction: 'in', edgeTypes: FOLLOWED });
closure();
const [closureTime, reached] = measure(9, closure);
const [bfsTime, visited] = measure(5, () => {
  const keys = [];
  bfsFromNode(debian, hub, (node) => void keys.push(node), { mode: 'inbound' });
  return keys;
});
same('closure', [...reached.keys].sort(), visited.sort());
show(`reverse closure of ${hub}, ${reached.keys.length}`, closureTime, bfsTime);

const [strongTime, strong] = measure(9, () => db.call('graphs.components', { graph: 'debian', connection: 'strong', edge_types: FOLLOWED }));
const [theirStrongTime, theirStrong] = measure(3, () => stronglyConnectedComponents(debian));
same('strong components', [...strong.sizes].sort((a, b) => a - b), theirStrong.map((part) => part.length).sort((a, b) => a - b));
show(`strong components, ${strong.count}`, strongTime, theirStrongTime);

const [orderTime, order] = measure(9, () => db.call('graphs.topological_order', { graph: 'forward' }));
const [theirOrderTime, theirOrder] = measure(3, () => topologicalSort(forward));
same('topological order', order.keys.length, theirOrder.length);
show(`topological order, ${forward.size} edges`, orderTime, theirOrderTime);

const ends = reached.keys.slice(-200).filter((_, i) => i % 10 === 0);
const [pathTime, lengths] = measure(9, () => ends.map((key) => db.call('graphs.shortest_path', { graph: 'debian', source: key, target: hub, edge_types: FOLLOWED }).length));
const [theirPathTime, theirLengths] = measure(3, () => ends.map((key) => bidirectional(debian, key, hub).length - 1));
same('shortest paths', lengths, theirLengths);
show(`${ends.length} shortest paths`, pathTime, theirPathTime);
db.close();
