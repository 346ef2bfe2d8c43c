/* What every test file needs: a folder of its own, handles that are closed at its end, and expectations of errors. */
import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import { BrantError, open } from 'brant';

const undoings = new WeakMap();

/** Undo something at the end of the test, the last first: who uses a file ends before its folder goes. */
export function after(t, undo) {
  const all = undoings.get(t) ?? [];
  if (all.push(undo) > 1) return;
  undoings.set(t, all);
  t.after(async () => {
    const failures = [];
    while (all.length > 0) await (async () => all.pop()())().catch((error) => failures.push(error));
    if (failures.length > 0) throw failures[0];
  });
}

/** A folder that is removed after the test. */
export function folder(t) {
  const path = mkdtempSync(join(tmpdir(), 'brant-node-'));
  // A process that was just killed may leave a file there while it is removed.
  after(t, () => rmSync(path, { recursive: true, force: true, maxRetries: 50, retryDelay: 20 }));
  return path;
}

/** A new file in a folder of its own. */
export function file(t) {
  return join(folder(t), 'test.db');
}

/** An open handle on a new file, or on `path`. */
export function database(t, options = {}, path = file(t)) {
  const db = open(path, options);
  after(t, () => db.close());
  return db;
}

/** For handles on a file that other processes and threads write to: they may hold it for as long as a busy machine lets them wait. */
export const PATIENT = { busyTimeout: 60_000 };

export const PACKAGES = {
  $id: 'packages',
  $defs: {
    Config: {
      type: 'object',
      properties: { directed: { const: 'directed' }, multi: { const: false }, allow_self_loops: { const: false } },
    },
    PackageNode: {
      type: 'object',
      properties: { version: { type: 'string' }, size: { type: 'integer', minimum: 0 } },
      required: ['version'],
      additionalProperties: false,
    },
    MaintainerNode: { type: 'object', properties: { name: { type: 'string' } } },
    DependsOnEdge: { type: 'object', properties: { optional: { type: 'boolean' } } },
    DependsOnEdgeConstraints: {
      type: 'object',
      properties: { source: { const: 'Package' }, target: { const: 'Package' } },
    },
    MaintainsEdge: { type: 'object' },
  },
};

/** A graph "debian" of packages. */
export function packages(t, db = database(t)) {
  db.graphTypes.define(PACKAGES);
  db.graphs.create('debian', { graphType: 'packages' });
  return db.graph('debian');
}

/** An untyped graph "g". */
export function untyped(t, db = database(t)) {
  db.graphs.create('g', { graphType: 'open' });
  return db.graph('g');
}

/** For assert.throws and assert.rejects: a BrantError with this code, whose message is one line and says something. */
export function code(expected, check = () => {}) {
  return (error) => {
    assert.ok(error instanceof BrantError, `not a BrantError: ${error?.stack ?? error}`);
    assert.equal(error.code, expected, error.message);
    assert.equal(error.name, 'BrantError');
    assert.match(error.message, /^[^\n]+[^.\n]$/);
    assert.equal(typeof error.detail, 'object');
    check(error);
    return true;
  };
}

/** The error that a call throws. */
export function thrown(call) {
  try {
    call();
  } catch (error) {
    return error;
  }
  assert.fail('nothing was thrown');
}

/** Run a script of this folder in a process of its own; {status, signal, stdout, stderr}. */
export function run(script, args = [], { flags = [], timeout = 300_000, env = {} } = {}) {
  const path = fileURLToPath(new URL(script, import.meta.url));
  return new Promise((resolve, reject) => {
    const child = spawn(process.execPath, [...flags, path, ...args], {
      stdio: ['ignore', 'pipe', 'pipe'],
      env: { ...process.env, ...env },
    });
    const timer = setTimeout(() => child.kill('SIGKILL'), timeout);
    let stdout = '';
    let stderr = '';
    child.stdout.on('data', (data) => (stdout += data));
    child.stderr.on('data', (data) => (stderr += data));
    child.on('error', reject);
    child.on('close', (status, signal) => {
      clearTimeout(timer);
      resolve({ status, signal, stdout, stderr });
    });
  });
}

export const sleep = (ms) => new Promise((done) => setTimeout(done, ms));

/** Wait until something is so; a minute, which is long on a busy machine too. */
export async function until(condition) {
  for (const end = Date.now() + 60_000; !condition(); await sleep(2)) assert.ok(Date.now() < end, `not within a minute: ${condition}`);
}

/** Turns of the event loop from now on, until `stop` is called: each as soon as it may be, however busy the machine is. */
export function countTurns() {
  const counter = { turns: 0, stop: () => clearImmediate(next) };
  let next;
  const turn = () => {
    counter.turns += 1;
    next = setImmediate(turn);
  };
  next = setImmediate(turn);
  return counter;
}

/** The turns that this thread had while the call ran. On a busy machine there may be too few of them: once of some times there are not. */
export async function turnsDuring(call) {
  let turns = 0;
  for (let tries = 0; turns <= 5 && tries < 10; tries++) {
    const counter = countTurns();
    await call();
    counter.stop();
    turns = counter.turns;
  }
  return turns;
}

/** Work of some ms that lets nobody else do any. */
export function spin(ms) {
  for (const end = performance.now() + ms; performance.now() < end; );
}

/** Collect what nobody refers to. */
export async function collect() {
  setFlagsFromString('--expose-gc');
  const gc = runInNewContext('gc');
  for (let i = 0; i < 4; i++) {
    gc();
    await new Promise(setImmediate);
  }
}
