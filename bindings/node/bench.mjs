/*
 * bench.mjs: what a call costs, in nanoseconds: the median of 31 rounds, and the fastest. The first two go to the addon as the layer does;
 * the others are the public methods.
 *
 *   node bindings/node/bench.mjs [--check]     --check: fail when the fastest round of the first two exceeds its target
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
db.close();
rmSync(folder, { recursive: true });
if (missed && process.argv.includes('--check')) process.exit(1);
