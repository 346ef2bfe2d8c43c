/*
 * bench.mjs: what a call costs, in nanoseconds: the median of 31 rounds, and the fastest. The first two go to the addon as the layer does;
 * the others are the public methods. Then how many events and jobs go through in a second: the best of 5 runs.
 *
 *   node bindings/node/bench.mjs [--check]     --check: fail when a target is missed
 */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { open } from './dist/index.mjs';
import { native } from './dist/native.js';

const ROUNDS = 31;
const ROUND_MS = 20;

/** Nanoseconds a call: {median, fastest}. */
function measure(call) {
  let count = 1;
  const round = () => {
    const began = process.hrtime.bigint();
    for (let i = 0; i < count; i++) call();
    return Number(process.hrtime.bigint() - began);
  };
  // As often as fills a round, found while the compiler warms up.
  for (let spent = 0; spent < ROUND_MS * 1e6; spent = round()) count *= 2;
  const times = Array.from({ length: ROUNDS }, () => round() / count).sort((a, b) => a - b);
  return { median: times[ROUNDS >> 1], fastest: times[0] };
}

const folder = mkdtempSync(join(tmpdir(), 'brant-bench-'));
const db = open(join(folder, 'bench.db'));
db.graphs.create('g', { graphType: 'open' });
const { nodes } = db.graph('g');
const attributes = { name: 'libc6', version: '2.36-9+deb12u10', sizes: [1, 2, 3], text: 'x'.repeat(60) };
nodes.put({ key: 'a', attributes });

// The document of bindings/python/bench.py.
const document = JSON.stringify({
  name: 'libc6',
  version: '2.36-9',
  depends: ['libgcc-s1', 'libcrypt1'],
  installed: true,
  size: 12834,
  notes: 'x'.repeat(187),
});
const raw = native.brant_open(':memory:', '{}');

const calls = {
  brant_check: [() => native.brant_check(raw), 60],
  [`brant_json_compact, ${Buffer.byteLength(document)} bytes`]: [() => native.brant_json_compact(document), 350],
  'nodes.exists': [() => nodes.exists('a')],
  'nodes.get': [() => nodes.get('a')],
  'nodes.put, of its own': [() => nodes.put({ key: 'a', attributes })],
  'nodes.get, no such node': [() => {
    try {
      nodes.get('b');
    } catch {
      // The cost of an error is what is measured.
    }
  }],
};
let missed = false;
for (const [name, [call, target]] of Object.entries(calls)) {
  const { median, fastest } = measure(call);
  const verdict = target === undefined ? '' : `  target ${target}`;
  console.log(`${name.padEnd(32)} ${median.toFixed(0).padStart(7)} ns  fastest ${fastest.toFixed(0).padStart(6)}${verdict}`);
  missed ||= target !== undefined && fastest > target;
}
const items = Array.from({ length: 10_000 }, (_, i) => ({ key: `k${i}`, attributes }));
const many = measure(() => nodes.putMany(items));
console.log(`${'nodes.putMany, a node'.padEnd(32)} ${(many.median / items.length).toFixed(0).padStart(7)} ns`);

/** The best of some runs of `work`, each of `count`, as so many a second. */
async function rate(name, count, work, target) {
  let best = 0;
  for (let round = 0; round < 5; round++) {
    const began = performance.now();
    await work(round);
    best = Math.max(best, (count / (performance.now() - began)) * 1000);
  }
  console.log(`${name.padEnd(40)} ${Math.round(best).toLocaleString('en').padStart(11)} /s${target === undefined ? '' : `  target ${target.toLocaleString('en')}`}`);
  missed ||= best < (target ?? 0);
}

// Events of 100 bytes.
const EVENTS = 200_000;
const stream = db.stream('events');
const event = { payload: { id: 123456, kind: 'measure', text: 'x'.repeat(60) } };
for (let i = 0; i < EVENTS; i += 10_000) stream.publishMany(Array.from({ length: 10_000 }, () => event));
await rate('stream.publishMany, 1000 at once', 20_000, () => {
  for (let i = 0; i < 20; i++) db.stream('others').publishMany(Array.from({ length: 1000 }, () => event));
});
await rate('stream.publish', 5000, () => {
  for (let i = 0; i < 5000; i++) db.stream('others').publish(event.payload);
});
const replay = async (options) => {
  for await (const { offset } of stream.subscribe({ from: 'start', ...options })) if (offset === EVENTS) break;
};
await rate('subscription, replay', EVENTS, () => replay(), 300_000);
await rate('subscription, replay by a consumer', EVENTS, (round) => replay({ consumer: `c${round}` }), 300_000);

const queue = db.queue('jobs');
await rate('queue.enqueue', 5000, () => {
  for (let i = 0; i < 5000; i++) queue.enqueue(event.payload);
});
await rate('queue.enqueueMany, 1000 at once', 20_000, () => {
  for (let i = 0; i < 20; i++) queue.enqueueMany(Array.from({ length: 1000 }, () => event));
});
for (const concurrency of [1, 16, 100]) {
  const jobs = 2000 * Math.min(concurrency, 5);
  await rate(`queue.process, concurrency ${concurrency}`, jobs, async () => {
    let left = jobs;
    const worker = queue.process(() => void (--left === 0 && worker.close()), { concurrency });
    await worker.finished;
  });
}
const waking = db.queue('waking');
const waits = [];
const sleeper = waking.process(({ payload }) => void waits.push(performance.now() - payload));
for (let i = 0; i < 500; i++) {
  await new Promise((done) => setTimeout(done, 2));
  waking.enqueue(performance.now());
}
await sleeper.close();
waits.sort((a, b) => a - b);
console.log(`${'from enqueue to an idle handler'.padEnd(40)} ${(waits[waits.length >> 1] * 1000).toFixed(0).padStart(8)} us  p99 ${(waits[Math.floor(waits.length * 0.99)] * 1000).toFixed(0)} us`);
db.close();
rmSync(folder, { recursive: true });
if (missed && process.argv.includes('--check')) process.exit(1);
