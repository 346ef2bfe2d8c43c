/* What the viewer shows in the tests: a graph like Debian's index, traces, queues with failures, streams with readers that are behind, and hostile text. */
import { open } from '../../bindings/node/dist/index.mjs';

const NODES = 100_000;
const PACKAGES = {
  $id: 'debian',
  $defs: {
    Config: { properties: { directed: { const: 'directed' }, multi: { const: false } } },
    PackageNode: { type: 'object', properties: { section: { type: 'string' }, size: { type: 'integer' }, summary: { type: 'string' } }, required: ['section'] },
    VirtualNode: { type: 'object' },
    MaintainerNode: { type: 'object' },
    DependsEdge: { type: 'object' },
    SuggestsEdge: { type: 'object' },
    ProvidesEdge: { type: 'object' },
    MaintainsEdge: { type: 'object' },
  },
};
const SECTIONS = ['libs', 'devel', 'python', 'net', 'doc', 'games', 'science', 'admin'];

/** The same numbers at each run. */
function random(seed) {
  let state = seed;
  return () => {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
    return state / 2 ** 32;
  };
}

function packages(db) {
  const next = random(7);
  db.graphTypes.define(PACKAGES);
  db.indexes.create({ graphType: 'debian', nodeType: 'Package', paths: ['attributes.summary'], kind: 'text' });
  db.graphs.create('packages', { graphType: 'debian' });
  const { nodes, edges } = db.graph('packages');
  const keyOf = (node) => (node < 500 ? `maintainer${node}@example.org` : node % 7 === 0 ? `virtual-${node}` : `lib${SECTIONS[node % 8]}-${node}`);
  const typeOf = (node) => (node < 500 ? 'Maintainer' : node % 7 === 0 ? 'Virtual' : 'Package');
  for (let from = 0; from < NODES; from += 10_000) {
    nodes.putMany(
      Array.from({ length: 10_000 }, (_, at) => {
        const node = from + at;
        const type = typeOf(node);
        const attributes = type === 'Package' ? { section: SECTIONS[node % 8], size: Math.floor(next() * 100_000), summary: node === 54_321 ? 'zanzibar routines' : `number ${node} of its kind` } : {};
        return { key: keyOf(node), type, attributes };
      }),
    );
  }
  const links = new Map();
  while (links.size < 300_000) {
    const source = 500 + Math.floor(next() * (NODES - 500));
    const near = next() < 0.7;
    // Most depend on what is of their neighbourhood, some on the few that all need.
    const target = near ? Math.max(500, Math.min(NODES - 1, source - Math.floor(next() * 300))) : 500 + Math.floor((NODES - 500) * next() ** 8);
    if (source === target) continue;
    links.set(source * NODES + target, { source: keyOf(source), target: keyOf(target), type: typeOf(target) === 'Virtual' ? 'Provides' : near ? 'Depends' : 'Suggests' });
  }
  const all = [...links.values()];
  for (let from = 0; from < all.length; from += 10_000) edges.putMany(all.slice(from, from + 10_000));
}

function calls(db) {
  const next = random(3);
  db.graphs.create('traces', { graphType: 'call' });
  const { nodes, edges } = db.graph('traces');
  const NAMES = ['plan', 'search', 'fetch', 'embed', 'rank', 'summarise', 'store'];
  const begin = Date.now() - 3_600_000;
  for (let trace = 0; trace < 30; trace++) {
    const spans = [];
    const links = [];
    const start = begin + trace * 60_000;
    const total = 800 + Math.floor(next() * 9000);
    spans.push({ key: `t${trace}`, type: 'Call', attributes: { operation_id: 'agent.run', status: trace === 12 ? 'error' : 'completed', type: 'mutation', started_at: start, completed_at: start + total, ...(trace === 12 ? { error: { code: 'UPSTREAM', message: 'a step failed' } } : {}) } });
    let at = start;
    for (let step = 0; step < 6; step++) {
      const width = Math.floor((total / 6) * (0.5 + next() / 2));
      const key = `t${trace}.${step}`;
      const failed = trace === 12 && step === 4;
      spans.push({ key, type: 'Call', attributes: { operation_id: `agent.${NAMES[step]}`, status: failed ? 'error' : trace === 29 && step === 5 ? 'running' : 'completed', started_at: at, ...(trace === 29 && step === 5 ? {} : { completed_at: at + width }), input: { step, text: 'x'.repeat(20) }, ...(failed ? { error: { code: 'TIMEOUT', message: 'the index did not answer within 2 s' } } : {}) } });
      links.push({ source: `t${trace}`, target: key, type: 'Triggered' });
      if (step > 0) links.push({ source: key, target: `t${trace}.${step - 1}`, type: 'DependsOn' });
      for (let part = 0; part < 3; part++) {
        const inner = at + Math.floor((width * part) / 3);
        spans.push({ key: `${key}.${part}`, type: 'Call', attributes: { operation_id: 'http.get', status: failed && part === 2 ? 'aborted' : 'completed', started_at: inner, completed_at: inner + Math.floor(width / 3.4) } });
        links.push({ source: key, target: `${key}.${part}`, type: 'Triggered' });
      }
      at += width;
    }
    nodes.putMany(spans);
    edges.putMany(links);
  }
}

function queues(db) {
  const mail = db.queue('mail');
  db.call('queues.configure', { queue: 'mail', max_attempts: 1 });
  mail.enqueueMany(Array.from({ length: 40 }, (_, at) => ({ payload: { to: `reader${at}@example.org`, template: 'weekly' } })));
  for (const job of mail.claim({ limit: 12 })) {
    if (job.id % 3 === 0) job.fail(new Error(`smtp: 550 mailbox ${job.id} is unavailable`));
    else if (job.id % 3 === 1) job.ack();
  }
  mail.enqueueMany(Array.from({ length: 5 }, () => ({ payload: { later: true }, delay: 3_600_000 })));
  db.queue('thumbnails').enqueueMany(Array.from({ length: 200 }, (_, at) => ({ payload: { image: at } })));
  db.call('locks.acquire', { name: 'nightly-report', owner: 'worker-7', ttl: 86_400_000 });
  db.schedules.set('weekly', '0 7 * * MON', { queue: 'mail', payload: { template: 'weekly' }, timezone: 'Europe/Berlin' });
}

function streams(db) {
  const orders = db.stream('orders');
  for (let from = 0; from < 2000; from += 500) orders.publishMany(Array.from({ length: 500 }, (_, at) => ({ payload: { id: from + at, total: at }, key: `order-${(from + at) % 50}` })));
  for (const [consumer, offset] of [['billing', 2000], ['search', 1700], ['archive', 150]]) db.call('consumers.commit', { stream: 'orders', consumer, offset });
}

export const HOSTILE = '<img src=x onerror="window.hacked=1"><script>window.hacked=1</script>';
function hostile(db) {
  db.graphs.create('hostile', { graphType: 'open' });
  const { nodes, edges } = db.graph('hostile');
  nodes.putMany([
    { key: HOSTILE, attributes: { [HOSTILE]: HOSTILE, rtl: '\u202egpj.exe', control: 'a\u0000b\u0007c'.replace('\u0000', '\u0001'), long: 'x'.repeat(200_000), exact: 9007199254740993n, deep: { a: [{ b: HOSTILE }] } } },
    { key: '\u202ereversed', attributes: {} },
    { key: 'שלום עולם', attributes: { text: 'مرحبا' } },
    { key: 'k'.repeat(900), attributes: {} },
    { key: '__proto__', attributes: JSON.parse('{"__proto__": {"polluted": true}, "constructor": 1}') },
  ]);
  edges.putMany([HOSTILE, '\u202ereversed', 'שלום עולם', 'k'.repeat(900)].map((source) => ({ source, target: '__proto__' })));
  db.graphs.create('empty', { graphType: 'open' });
  db.queue(HOSTILE).enqueue({ html: HOSTILE });
}

export function make(path) {
  const db = open(path);
  try {
    packages(db);
    calls(db);
    queues(db);
    streams(db);
    hostile(db);
  } finally {
    db.close();
  }
}
