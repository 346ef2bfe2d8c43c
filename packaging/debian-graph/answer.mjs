#!/usr/bin/env node
/**
 * Wait for the Debian package graph to be loaded, woken by the loader's commits, then answer questions of it:
 * what breaks if a package is removed, why a package is installed; and draw its neighbourhood.
 *
 *   node answer.mjs FILE FOLDER [--remove NAME] [--why NAME]
 */
import { execFileSync } from 'node:child_process';
import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { open } from '../../bindings/node/dist/index.mjs';
import { asDot, asMermaid, asPage } from './picture.mjs';

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: { remove: { type: 'string' }, why: { type: 'string' } },
});
const [file, folder] = positionals;
mkdirSync(folder, { recursive: true });

const NEEDS = ['Depends', 'PreDepends'];
const db = open(file, { busyTimeout: 600_000 });
const packages = db.graph('debian');
const say = (text = '') => console.log(`  ${text}`);
const timed = (work) => {
  const start = performance.now();
  const result = work();
  return [result, performance.now() - start];
};

/** All neighbours, over the pages. */
function* neighbors(key, direction, edgeTypes) {
  for (let cursor; cursor !== null; ) {
    const page = packages.nodes.neighbors(key, { direction, edgeTypes, limit: 10000, cursor });
    yield* page.items;
    cursor = page.cursor;
  }
}

// ---- waiting ------------------------------------------------------------------------------------------------------

async function loaded() {
  let wakes = 0;
  for await (const { channel, payload } of db.listen(['nodes:created', 'edges:created', 'debian:loaded'])) {
    wakes++;
    if (channel === 'debian:loaded') return { ...payload, wakes };
  }
}

// ---- what breaks ----------------------------------------------------------------------------------------------------

/** A name is available while its package is there, or one that provides it. */
function breaksWithout(removed) {
  const gone = new Set([removed]);
  const reason = new Map();
  const providers = new Map();
  const available = (name, type) => {
    if (type === 'Package' && !gone.has(name)) return true;
    if (!providers.has(name)) providers.set(name, [...neighbors(name, 'in', ['Provides'])].map(({ key }) => key));
    return providers.get(name).some((provider) => !gone.has(provider));
  };
  const broken = (name) => {
    const groups = new Map();
    for (const { key, type, edge } of neighbors(name, 'out', NEEDS))
      for (const { group } of edge.attributes.clauses) {
        const id = `${edge.type} ${group}`;
        groups.set(id, (groups.get(id) ?? false) || available(key, type));
      }
    return [...groups.values()].includes(false);
  };
  for (const name of gone) {
    const names = [name, ...[...neighbors(name, 'out', ['Provides'])].map(({ key }) => key)];
    for (const lost of names)
      for (const { key } of neighbors(lost, 'in', NEEDS)) {
        if (gone.has(key) || !broken(key)) continue;
        gone.add(key);
        reason.set(key, name);
      }
  }
  gone.delete(removed);
  return { broken: gone, reason };
}

// ---- why installed -----------------------------------------------------------------------------------------------------

/** Back from a package, over what is installed, to one that somebody asked for. */
function whyInstalled(name) {
  if (!packages.nodes.get(name).attributes.installed) return null;
  const from = new Map([[name, null]]);
  for (const current of from.keys()) {
    const { attributes } = packages.nodes.get(current);
    if (current !== name && (attributes.manual || attributes.essential)) {
      const path = [];
      for (let at = current; at !== null; at = from.get(at)?.to ?? null) path.push({ name: at, by: from.get(at)?.by });
      return path;
    }
    const wanted = [current, ...[...neighbors(current, 'out', ['Provides'])].map(({ key }) => key)];
    const found = wanted.flatMap((target) => [...neighbors(target, 'in', [...NEEDS, 'Recommends'])].map(({ key, edge }) => ({ key, by: edge.type })));
    const nodes = packages.nodes.getMany(found.map(({ key }) => key));
    found.forEach(({ key, by }, i) => {
      if (nodes[i]?.attributes.installed && !from.has(key)) from.set(key, { to: current, by });
    });
  }
  return null;
}

// ---- checks --------------------------------------------------------------------------------------------------------------

const run = (command, ...parameters) => {
  try {
    return execFileSync(command, parameters, { encoding: 'utf8', maxBuffer: 1 << 28, stdio: ['ignore', 'pipe', 'ignore'] });
  } catch {
    return null;
  }
};
let differences = 0;

function compare(what, ours, theirs) {
  const missing = [...theirs].filter((name) => !ours.has(name));
  const extra = [...ours].filter((name) => !theirs.has(name));
  differences += missing.length + extra.length;
  const verdict = missing.length + extra.length === 0 ? 'the same' : `DIFFERENT: without ${missing.slice(0, 5)}, besides ${extra.slice(0, 5)}`;
  say(`check: ${what}: ${ours.size} here, ${theirs.size} there: ${verdict}`);
}

function checkDependents(name) {
  const output = run('apt-cache', 'rdepends', '--important', name);
  if (!output?.includes('Reverse Depends:')) return say('check: no apt-cache for this index: skipped');
  const lines = output.split('\n').slice(2).map((line) => line.replace(/[ |]/g, '')).filter(Boolean);
  const theirs = new Set(lines.map((line) => line.replace(/:(any|amd64|i386|arm64)$/, '')));
  const ours = new Set([...neighbors(name, 'in', NEEDS)].map(({ key }) => key));
  compare(`direct dependents of ${name}, apt-cache rdepends`, ours, theirs);
}

function checkInstalled(source) {
  const output = source.startsWith('the small') ? null : run('dpkg-query', '-W', '-f', '${db:Status-Status} ${Package}\n');
  if (!output) return say('check: no dpkg-query for this index: skipped');
  const theirs = new Set(output.split('\n').filter((line) => line.startsWith('installed ')).map((line) => line.slice(10)));
  const rows = db.execute("SELECT key FROM nodes WHERE json_extract(attributes, '$.installed')").rows;
  compare('installed packages, dpkg-query', new Set(rows.map(([key]) => key)), theirs);
}

// ---- the answers ----------------------------------------------------------------------------------------------------------

const facts = await loaded();
say(`woken ${facts.wakes} times by the loader; ${facts.nodes.toLocaleString('en')} nodes and ${facts.edges.toLocaleString('en')} edges are there`);

const pick = (wanted, ...candidates) => wanted ?? candidates.find((name) => packages.nodes.exists(name));
const hub = pick(undefined, 'libc6', 'libbase');
const [, cold] = timed(() => packages.nodes.closure(hub, { direction: 'in', edgeTypes: NEEDS }));
const [closure, warm] = timed(() => packages.nodes.closure(hub, { direction: 'in', edgeTypes: NEEDS }));
say(`closure of what may need ${hub}: ${(closure.keys.length - 1).toLocaleString('en')} packages, ${Math.max(...closure.depths)} deep, in ${warm.toFixed(1)} ms (the first time ${cold.toFixed(0)} ms)`);

const removed = pick(values.remove, 'libsodium23', 'libnet', hub);
const [{ broken, reason }, brokenMs] = timed(() => breaksWithout(removed));
const installed = packages.nodes.getMany(broken).filter((node) => node?.attributes.installed);
say();
say(`What breaks if ${removed} is removed? ${broken.size} packages, ${installed.length} of them installed (${brokenMs.toFixed(0)} ms)`);
for (const name of [...broken].slice(0, 8)) say(`  ${name}, for want of ${reason.get(name)}`);
if (broken.size > 8) say(`  ... and ${broken.size - 8} more`);

const asked = pick(values.why, 'libgmp10', 'libbrotli1', 'libmath');
const [path, whyMs] = timed(() => whyInstalled(asked));
say();
if (path) {
  say(`Why is ${asked} installed? (${whyMs.toFixed(0)} ms)`);
  path.forEach(({ name, by }, depth) => say(`  ${'  '.repeat(depth)}${name}${by ? ` ${by.toLowerCase()}` : ''}${depth === 0 ? ', which was asked for or is essential' : ''}`));
} else {
  say(packages.nodes.get(asked).attributes.installed ? `${asked} is installed, and nothing that was asked for needs it` : `${asked} is not installed`);
}

say();
checkDependents(removed);
checkDependents(hub);
checkInstalled(facts.source);

// ---- the picture -------------------------------------------------------------------------------------------------------------

/** The neighbourhood that a page can show: the nearest first, and all the edges between them. */
function neighbourhood(center, most) {
  const around = packages.nodes.closure(center, { direction: 'both', edgeTypes: [...NEEDS, 'Recommends', 'Provides'], maxDepth: 2, limit: most });
  const nodes = packages.nodes.getMany(around.keys).map((node, i) => ({ ...node, depth: around.depths[i] }));
  const shown = new Set(around.keys);
  const edges = nodes.flatMap(({ key }) => [...neighbors(key, 'out', [...NEEDS, 'Recommends', 'Provides'])].filter((n) => shown.has(n.key)).map(({ edge }) => edge));
  return { center, nodes, edges };
}

const picture = neighbourhood(removed, 80);
const written = { 'packages.html': asPage(picture), 'packages.dot': asDot(picture), 'packages.mmd': asMermaid(picture) };
for (const [name, text] of Object.entries(written)) writeFileSync(join(folder, name), text);
say();
say(`picture of ${picture.nodes.length} packages around ${removed}: ${Object.keys(written).map((name) => join(folder, name)).join(' ')}`);
writeFileSync(join(folder, 'answers.json'), JSON.stringify({ ...facts, hub, closure: closure.keys.length - 1, warm_ms: warm, cold_ms: cold, removed, breaks: [...broken], why: asked, path, differences }, null, 2));
db.notify('debian:answered', { differences });
db.close();
process.exitCode = differences ? 1 : 0;
