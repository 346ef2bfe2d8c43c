/* What every test file needs: a folder of its own, handles that are closed at its end, and expectations of errors. */
import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { BrantError, open } from 'brant';

/** A folder that is removed after the test. */
export function folder(t) {
  const path = mkdtempSync(join(tmpdir(), 'brant-node-'));
  t.after(() => rmSync(path, { recursive: true, force: true }));
  return path;
}

/** A new file in a folder of its own. */
export function file(t) {
  return join(folder(t), 'test.db');
}

/** An open handle on a new file, or on `path`. */
export function database(t, options = {}, path = file(t)) {
  const db = open(path, options);
  t.after(() => db.close());
  return db;
}

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

/** Run a script of this folder in a process of its own; {status, signal, stdout, stderr, ms}. */
export function run(script, args = [], { flags = [], timeout = 60_000, env = {} } = {}) {
  const path = fileURLToPath(new URL(script, import.meta.url));
  return new Promise((resolve, reject) => {
    const began = performance.now();
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
      resolve({ status, signal, stdout, stderr, ms: performance.now() - began });
    });
  });
}

export const sleep = (ms) => new Promise((done) => setTimeout(done, ms));
