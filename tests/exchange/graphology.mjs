// generate COUNT SEED: random graphs in their serialised form, a line each.
// verify: lines of [original, returned] from standard input; both must be the same graph for graphology itself.
import { createInterface } from 'node:readline';
import { createRequire } from 'node:module';

const require = createRequire(`${process.cwd()}/`);
const Graph = require('graphology');
const [mode, count, seed] = process.argv.slice(2);

let state = BigInt(seed || 1) * 2654435761n + 1n;
function random(below) {
  state = (state * 6364136223846793005n + 1442695040888963407n) & 0xffffffffffffffffn;
  return Number((state >> 33n) % BigInt(below));
}
const texts = ['a', '', 'json:"x"', 'json:1', '["a",null,"b"]', 'ü😀', '0', 'a\u0000b', 'x"y\\z', ' ', 'line\nline', '__proto__x', 'null'];
function value(depth = 0) {
  switch (random(depth > 2 ? 6 : 8)) {
    case 0: return random(1000) - 500;
    case 1: return random(1000) / 8;
    case 2: return texts[random(texts.length)];
    case 3: return random(2) === 1;
    case 4: return null;
    case 5: return 9007199254740991 - random(5);
    case 6: return Array.from({ length: random(3) }, () => value(depth + 1));
    default: return Object.fromEntries(Array.from({ length: random(3) }, (_, i) => [texts[random(texts.length)].replace('\u0000', '') + i, value(depth + 1)]));
  }
}
function attributes() {
  const names = ['weight', 'id', 'key', 'source', 'target', 'label', '@type', '@key', 'undirected', 'a.b', 'type'];
  const all = {};
  for (let i = random(4); i > 0; i--) all[names[random(names.length)]] = value();
  if (random(20) === 0) all['@metadata'] = random(2) ? { x: 1 } : {};
  return all;
}

function generate(index) {
  const type = ['directed', 'undirected', 'mixed'][index % 3];
  const multi = random(2) === 1;
  const allowSelfLoops = random(4) !== 0;
  const graph = new Graph({ type, multi, allowSelfLoops });
  if (random(2)) graph.replaceAttributes(attributes());
  const keys = [...texts.slice(0, random(texts.length)), ...Array.from({ length: random(12) }, (_, i) => `n${i}`)];
  keys.forEach((key) => graph.addNode(key, attributes()));
  for (let i = random(40); keys.length && i > 0; i--) {
    const source = keys[random(keys.length)], target = keys[random(keys.length)];
    const undirected = type === 'undirected' || (type === 'mixed' && random(2) === 1);
    const own = random(2) === 1;
    const key = random(10) === 0 ? ['', 'json:"q"', 'e\u0000'][random(3)] : `key ${i}`;
    try {
      if (own && undirected) graph.addUndirectedEdgeWithKey(key, source, target, attributes());
      else if (own) graph.addDirectedEdgeWithKey(key, source, target, attributes());
      else if (undirected) graph.addUndirectedEdge(source, target, attributes());
      else graph.addDirectedEdge(source, target, attributes());
    } catch (error) {
      if (error.name !== 'UsageGraphError') throw error;
    }
  }
  return graph.export();
}

/** Order of nodes, edges and members apart. */
function canonical(serialized) {
  const sorted = (item) =>
    item !== null && typeof item === 'object'
      ? Array.isArray(item) ? item.map(sorted) : Object.fromEntries(Object.keys(item).sort().map((name) => [name, sorted(item[name])]))
      : item;
  const byKey = (a, b) => (a.key < b.key ? -1 : a.key > b.key ? 1 : 0);
  return JSON.stringify(sorted({ ...serialized, nodes: [...serialized.nodes].sort(byKey), edges: [...serialized.edges].sort(byKey) }));
}

if (mode === 'generate') {
  for (let i = 0; i < Number(count); i++) console.log(JSON.stringify(generate(i)));
} else {
  let failed = 0;
  let total = 0;
  for await (const line of createInterface({ input: process.stdin })) {
    const [original, returned] = JSON.parse(line);
    const wanted = canonical(Graph.from(original).export());
    total++;
    // As text, and as the library reads it.
    if (canonical(returned) !== canonical(original) || canonical(Graph.from(returned).export()) !== wanted) {
      failed++;
      console.error(`was ${canonical(original)}\nis  ${canonical(returned)}`);
    }
  }
  console.log(JSON.stringify({ total, failed }));
}
