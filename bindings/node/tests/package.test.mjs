/* The package as its users meet it: both module systems, its types, its names. */
import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { createRequire } from 'node:module';
import { test } from 'node:test';
import { fileURLToPath } from 'node:url';
import * as esm from 'brant';
import { open, operations } from 'brant';
import { after, file } from './support.mjs';

const require = createRequire(import.meta.url);
const here = (path) => fileURLToPath(new URL(path, import.meta.url));

test('import and require are the same module', () => {
  const cjs = require('brant');
  assert.deepEqual(Object.keys(esm).sort(), Object.keys(cjs).filter((name) => name !== '__esModule').sort());
  for (const name of Object.keys(esm)) assert.equal(esm[name], cjs[name], name);
});

test('the version is that of the library', () => {
  assert.equal(require('brant/package.json').version, esm.version);
});

test('the loadable extension is where the package says', () => {
  const other = new (require('better-sqlite3'))(':memory:');
  other.loadExtension(esm.extensionPath());
  assert.equal(other.prepare("SELECT json_extract(brant_version(), '$.version')").pluck().get(), esm.version);
  other.close();
});

test('a consumer compiles under strict, and what must not compile does not', () => {
  const tsc = here('../node_modules/typescript/bin/tsc');
  const { status, stdout } = spawnSync(process.execPath, [tsc, '-p', here('types')], { encoding: 'utf8' });
  assert.equal(status, 0, stdout);
});

test('consumers of the adapters compile, ESM and CommonJS', () => {
  const tsc = here('../node_modules/typescript/bin/tsc');
  const { status, stdout } = spawnSync(process.execPath, [tsc, '-p', here('types_adapters')], { encoding: 'utf8' });
  assert.equal(status, 0, stdout);
});

test('the handle is out of reach', (t) => {
  const db = open(file(t));
  after(t, () => db.close());
  assert.deepEqual(Object.keys(db).sort(), [
    'access',
    'accounts',
    'apiKeys',
    'audit',
    'calls',
    'envelopes',
    'graphTypes',
    'graphs',
    'indexes',
    'invitations',
    'jobs',
    'locks',
    'members',
    'organizations',
    'queues',
    'rateLimits',
    'schedules',
    'secrets',
    'streams',
    'tenants',
  ]);
  assert.throws(() => structuredClone(db.graph('g').nodes.put), /could not be cloned/);
});

const methodsOf = (object) => Object.fromEntries(Object.getOwnPropertyNames(Object.getPrototypeOf(object)).map((name) => [name, object[name]]));

test('every operation has its method', () => {
  const prototypes = {
    transaction: { begin: 'begin', commit: 'commit', rollback: 'rollback' },
    sql: { execute: 'execute' },
    db: {},
    queues: { get: 'info' },
    jobs: { list: 'get', requeue_many: 'requeue' },
    streams: { get: 'info' },
    consumers: { get: 'info', list: 'info' },
    locks: { get: 'info', acquire: 'tryAcquire' },
    schedules: { run: 'tick' },
    operations: { list: 'operations' },
    events: {},
  };
  const db = open(':memory:');
  const owners = {
    transaction: db,
    sql: db,
    db,
    operations: db,
    events: db,
    graph_types: db.graphTypes,
    graphs: { ...methodsOf(db.graph('g')), ...methodsOf(db.graphs) },
    nodes: db.graph('g').nodes,
    edges: db.graph('g').edges,
    indexes: db.indexes,
    modules: esm.modules,
    queues: { ...methodsOf(db.queue('q')), ...methodsOf(db.queues) },
    jobs: db.jobs,
    streams: { ...methodsOf(db.stream('s')), ...methodsOf(db.streams) },
    consumers: { ...methodsOf(db.stream('s').consumer('c')), ...methodsOf(db.stream('s').group('g')) },
    locks: { ...methodsOf(db.lock('l')), ...methodsOf(db.locks) },
    rate_limits: { ...methodsOf(db.rateLimit('r', { limit: 1, period: 1 })), ...methodsOf(db.rateLimits) },
    schedules: db.schedules,
    calls: db.calls,
    keyring: { info: db.keyringInfo, generate: esm.generateKey, derive: esm.deriveKey },
    envelopes: db.envelopes,
    secrets: db.secrets,
    identity: { schemas: esm.identitySchemas },
    accounts: db.accounts,
    organizations: db.organizations,
    members: db.members,
    invitations: db.invitations,
    api_keys: db.apiKeys,
    auth: db,
    audit: db.audit,
    access: db.access,
    tenants: db.tenants,
  };
  for (const { name } of operations()) {
    const [namespace, verb] = name.split('.');
    const own = prototypes[namespace]?.[verb] ?? verb.replace(/_[a-z]/g, (pair) => pair[1].toUpperCase());
    assert.equal(typeof owners[namespace]?.[own], 'function', `${name} has no method`);
  }
  db.close();
});
