import assert from 'node:assert/strict';
import { existsSync, mkdirSync, readdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import test from 'node:test';
import { inspect } from 'node:util';
import { Worker } from 'node:worker_threads';
import { Caller, Database, Hub, generateKey } from 'brant';
import { PATIENT, after, code, collect, database, folder, sleep, thrown } from './support.mjs';

const fails = (call, expected, check) => assert.throws(call, code(expected, check));
const rejects = (promise, expected, check) => assert.rejects(promise, code(expected, check));

const RING = { keys: [generateKey({ purpose: 'audit' }), generateKey({ purpose: 'pepper' }), generateKey()] };

/** A hub with an account and some organizations of its. */
function hubOf(t, { organizations = 1, ...options } = {}) {
  const path = join(folder(t), 'hub');
  const hub = new Hub(path, options);
  after(t, () => hub.close());
  hub.keyring(RING);
  const ann = hub.accounts.create('ann@example.org');
  const orgs = [];
  for (let i = 0; i < organizations; i++) orgs.push(hub.organizations.create(`org-${i}`, `Org ${i}`, { ownerId: ann.id }));
  return { hub, path, ann, orgs, org: orgs[0] };
}

function keyOf(hub, ownerId, orgId, scopes) {
  return hub.apiKeys.create('k', scopes, { ownerId, ...(orgId === undefined ? {} : { orgId }) });
}

test('a file for each organization, given back when it is closed', async (t) => {
  const { hub, path, orgs } = hubOf(t, { organizations: 2 });
  const db = hub.tenant(orgs[0].id);
  assert.ok(db instanceof Database);
  db.graphs.create('notes');
  db.graph('notes').nodes.put({ key: 'a' });
  const other = hub.tenant(orgs[1].id);
  fails(() => other.graph('notes').nodes.get('a'), 'NOT_FOUND');
  other.close();
  assert.equal(db.info().role, 'tenant');
  assert.equal((await db.callAsync('nodes.count', { graph: 'notes' })).count, 1);
  fails(() => db.accounts.list(), 'MISUSE');
  fails(() => db.tenants.list(), 'MISUSE');
  fails(() => hub.tenant('../x'), 'INVALID');
  fails(() => hub.tenant('00000000-0000-7000-8000-000000000000'), 'NOT_FOUND');
  db.begin();
  db.graph('notes').nodes.put({ key: 'b' });
  db.close();
  assert.equal(db.closed, true);
  const error = thrown(() => db.graph('notes').nodes.count());
  assert.equal(error.code, 'CLOSED');
  assert.match(error.message, /closed/);
  await rejects(db.callAsync('nodes.count', { graph: 'notes' }), 'CLOSED');
  const again = await hub.tenantAsync(orgs[0].id);
  assert.equal(again.graph('notes').nodes.count(), 1); // what was not committed is gone
  again.close();
  assert.equal(hub.tenants.stats().pinned, 0);
  assert.equal(readdirSync(path).filter((name) => /^tenant-.*\.db$/.test(name)).length, 2);
  assert.deepEqual([...hub.tenants].map((one) => one.state), ['made', 'made']);
});

test('who has a key works through a session on its file', async (t) => {
  const { hub, ann, org } = hubOf(t);
  const db = hub.tenant(org.id);
  db.graphs.create('notes');
  const { token, key } = keyOf(hub, ann.id, org.id, ['nodes:read', 'nodes:write']);
  const caller = await hub.authenticateAsync(token);
  assert.ok(caller instanceof Caller);
  assert.deepEqual([caller.account.id, caller.organization.id, caller.level, caller.key.id], [ann.id, org.id, 'owner', key.id]);
  assert.ok(!inspect(caller, { depth: 9, showHidden: true }).includes(token.reveal().slice(-20)));
  caller.db.graph('notes').nodes.put({ key: 'a' });
  assert.equal((await caller.db.callAsync('nodes.get', { graph: 'notes', key: 'a' })).key, 'a');
  fails(() => caller.db.queue('q').enqueue({}), 'DENIED');
  await rejects(caller.db.callAsync('queues.enqueue', { queue: 'q', payload: 1 }), 'DENIED');
  fails(() => caller.db.keyring(RING), 'DENIED');
  const inner = caller.db.session({ id: ann.id, actor_type: 'api_key', scopes: ['nodes:read'] });
  fails(() => inner.graph('notes').nodes.put({ key: 'b' }), 'DENIED');
  await rejects(inner.callAsync('nodes.put', { graph: 'notes', key: 'b' }), 'DENIED');
  caller.close();
  fails(() => caller.db.graph('notes').nodes.count(), 'CLOSED');
  fails(() => inner.graph('notes').nodes.count(), 'CLOSED');
  assert.equal(hub.tenants.stats().pinned, 1);

  const system = hub.authenticate(keyOf(hub, ann.id, undefined, ['accounts:self']).token);
  assert.equal(system.organization, null);
  fails(() => system.db.accounts.list(), 'DENIED');
  system.close();

  hub.apiKeys.revoke(key.id);
  fails(() => hub.authenticate(token), 'AUTH', (error) => assert.deepEqual(error.detail, {}));
  await rejects(hub.authenticateAsync(token.reveal()), 'AUTH');
  await rejects(hub.authenticateAsync('x'), 'AUTH');
});

test('waiting in a tenant, as oneself and through a session', async (t) => {
  const { hub, ann, org } = hubOf(t);
  const db = hub.tenant(org.id);
  const caller = hub.authenticate(keyOf(hub, ann.id, org.id, ['events:read']).token);
  const listener = caller.db.listen('x');
  const waiting = listener.next(60_000);
  db.notify('x', 1);
  assert.equal((await waiting).payload, 1);
  const ended = listener.next();
  caller.close();
  await rejects(ended, 'CLOSED');
});

test('the key ring is that of all files, and of the second handles', async (t) => {
  const { hub, org } = hubOf(t);
  const context = { graph_id: 'g', kind: 'node', key: 'a', path: '/x', tenant_id: 't' };
  const db = hub.tenant(org.id);
  const envelope = await db.envelopes.sealAsync('s', context);
  assert.equal(hub.system.envelopes.open(envelope, context).reveal(), 's');
  assert.equal((await hub.system.envelopes.openAsync(envelope, context)).reveal(), 's');
  const alone = database(t);
  alone.keyring(db);
  assert.equal(alone.envelopes.open(envelope, context).reveal(), 's');
  fails(() => hub.keyring(db), 'UNSUPPORTED');
  db.close();
  const ring = hub.keyring({ keys: [generateKey({ purpose: 'audit' })] });
  await rejects(hub.system.envelopes.openAsync(envelope, context), 'NOT_FOUND');
  const fresh = hub.tenant(org.id);
  fails(() => fresh.envelopes.open(envelope, context), 'NOT_FOUND');
  ring.close();
  assert.equal(ring.attached, false);
  fails(() => hub.accounts.create('b@example.org'), 'NOT_FOUND');
  await rejects(hub.system.callAsync('accounts.create', { email: 'b@example.org' }), 'NOT_FOUND');
});

test('suspended and deleted organizations', (t) => {
  const { hub, path, orgs } = hubOf(t, { organizations: 2 });
  const db = hub.tenant(orgs[0].id);
  db.notify('x');
  hub.organizations.suspend(orgs[0].id);
  fails(() => db.notify('x'), 'DENIED');
  fails(() => hub.tenant(orgs[0].id), 'DENIED');
  hub.organizations.resume(orgs[0].id);
  db.notify('x');
  hub.organizations.delete(orgs[0].id);
  fails(() => db.notify('x'), 'CLOSED');
  assert.equal(existsSync(join(path, `tenant-${orgs[0].id}.db`)), false);
  assert.equal(hub.organizations.list().items.length, 1);
});

test('tenants as files', async (t) => {
  const { hub, path, orgs } = hubOf(t, { organizations: 3 });
  for (const { id } of orgs) {
    const db = hub.tenant(id);
    db.audit.append('test.begun');
    db.close();
  }
  const module = { $id: 'notes', $defs: { NoteNode: { type: 'object' } } };
  assert.ok((await hub.tenants.applyAsync('graph_types.define', { module })).items.every((item) => item.ok));
  const again = hub.tenants.apply('graph_types.delete', { name: 'none' });
  assert.deepEqual(again.items.map((item) => [item.ok, item.error.code]), Array(3).fill([false, 'NOT_FOUND']));
  const { items, cursor } = await hub.tenants.maintainAsync({ limit: 2 });
  assert.equal(items.length, 2);
  assert.equal(hub.tenants.maintain({ cursor }).items.length, 1);
  assert.equal(hub.audit.checkpoints(items[0].checkpoint.file).length, 1);
  assert.ok(hub.tenants.migrate().items.every((item) => item.ok));
  const copy = join(path, '..', 'copy.db');
  await hub.tenants.backup(orgs[0].id, copy);
  await rejects(hub.tenants.backup(orgs[0].id, copy), 'EXISTS');
  await rejects(hub.tenants.backup(orgs[0].id, join(path, 'copy.db')), 'INVALID');
  await hub.tenants.restore(orgs[0].id, copy);
  await rejects(hub.tenants.restore(orgs[1].id, copy), 'CONFLICT');
  assert.equal(hub.tenants.get(orgs[2].id).slug, 'org-2');
  assert.equal(hub.tenants.list({ status: 'suspended' }).items.length, 0);

  const [giver, taker] = orgs.map(({ id }) => hub.tenant(id));
  giver.access.put('svc', 'Principal', { kind: 'service' });
  giver.access.grant('svc', ['nodes:read'], { resource: 'graph:notes' });
  taker.access.put('bot', 'Agent');
  const made = hub.tenants.delegate({ fromOrg: orgs[0].id, from: 'svc', toOrg: orgs[1].id, to: 'bot' }, ['nodes:read']);
  assert.equal(made.state, 'active');
  assert.equal(giver.access.check(`foreign:${orgs[1].id}:bot`, 'nodes:read', 'graph:notes'), true);
  assert.equal(hub.tenants.delegations({ toOrg: orgs[1].id }).items[0].id, made.id);
  assert.equal(hub.tenants.revokeDelegation(made.id).state, 'revoked');
  assert.equal(giver.access.check(`foreign:${orgs[1].id}:bot`, 'nodes:read', 'graph:notes'), false);
});

test('closing the hub closes all that it gave', async (t) => {
  const { hub, path, ann, orgs } = hubOf(t, { organizations: 2 });
  const { token } = keyOf(hub, ann.id, orgs[0].id, ['*:*']);
  const db = hub.tenant(orgs[0].id);
  const caller = hub.authenticate(token);
  const own = hub.tenant();
  assert.equal(own.accounts.list().items.length, 1);
  const waiting = [db.listen('x').next(), caller.db.listen('x').next(), hub.system.listen('x').next()];
  const running = [db.metricsAsync(), caller.db.callAsync('nodes.count', { graph: 'x' }), hub.tenantAsync(orgs[1].id), hub.authenticateAsync(token)];
  hub.close();
  hub.close();
  await Promise.all([...waiting, ...running].map((promise) => rejects(promise, 'CLOSED'))); // awaited at once: one that ends behind another is never unhandled
  assert.deepEqual([hub.closed, db.closed, caller.db.closed, hub.system.closed, own.closed], [true, true, true, true, true]);
  fails(() => db.info(), 'CLOSED');
  fails(() => hub.tenant(orgs[0].id), 'CLOSED');
  fails(() => hub.authenticate(token), 'CLOSED');
  fails(() => hub.accounts.list(), 'CLOSED');
  await rejects(hub.tenantAsync(orgs[0].id), 'CLOSED');
  const again = new Hub(path, { mode: 'rw' });
  again.system.close();
  assert.equal(again.closed, true);
  fails(() => new Hub(join(path, 'none', 'hub')), 'NOT_FOUND');
  writeFileSync(join(path, '..', 'plain'), '');
  fails(() => new Hub(join(path, '..', 'plain')), 'NOT_BRANT');
  mkdirSync(join(path, '..', 'empty'));
  fails(() => new Hub(join(path, '..', 'empty'), { mode: 'rw' }), 'NOT_FOUND');
});

test('many tenants at once in few files, as callers come and go', async (t) => {
  const { hub, ann, orgs } = hubOf(t, { organizations: 12, maxOpen: 6, ...PATIENT });
  const tokens = orgs.map(({ id }) => keyOf(hub, ann.id, id, ['graphs:*', 'nodes:*']).token);
  await Promise.all(
    Array.from({ length: 120 }, async (_, i) => {
      const caller = await hub.authenticateAsync(tokens[i % 12]);
      try {
        if (i < 12) caller.db.graphs.create('g');
        else assert.equal(caller.organization.id, orgs[i % 12].id);
        await sleep(i % 3);
        caller.db.graphs.list();
      } finally {
        caller.close();
      }
    }),
  );
  const { pinned, open, max_open } = hub.tenants.stats();
  assert.equal(pinned, 0);
  assert.ok(open <= 6 && max_open === 6);
  for (const { id } of orgs) {
    const db = hub.tenant(id);
    assert.equal(db.graphs.get('g').name, 'g');
    db.close();
  }
});

test('too many in use is BUSY, and a later one gets the place', async (t) => {
  const { hub, orgs } = hubOf(t, { organizations: 3, maxOpen: 2, busyTimeout: 20 });
  const first = hub.tenant(orgs[0].id);
  hub.tenant(orgs[1].id);
  fails(() => hub.tenant(orgs[2].id), 'BUSY');
  const later = hub.tenantAsync(orgs[2].id);
  await sleep(60);
  first.close();
  (await later).close();
});

test('what nobody closed is collected, and given back', async (t) => {
  const { hub, ann, org } = hubOf(t);
  const { token } = keyOf(hub, ann.id, org.id, ['*:*']);
  for (let i = 0; i < 60; i++) {
    hub.authenticate(token).db.notify('x');
    if (i % 10 === 0) await hub.authenticate(token).db.callAsync('events.channels', {});
    if (i % 20 === 0) await collect();
  }
  for (const end = Date.now() + 60_000; hub.tenants.stats().pinned > 0 && Date.now() < end; ) await collect();
  assert.equal(hub.tenants.stats().pinned, 0);
});

test('each Worker has its hub of the folder', async (t) => {
  const { hub, path, orgs } = hubOf(t, { organizations: 2 });
  for (const { id } of orgs) {
    const db = hub.tenant(id);
    db.graphs.create('g');
    db.close();
  }
  const source = `
    const { parentPort, workerData } = require('node:worker_threads');
    const { Hub } = require('brant');
    const hub = new Hub(workerData.path, { mode: 'rw', busyTimeout: 60_000 });
    for (let i = 0; i < 25; i++) {
      const db = hub.tenant(workerData.ids[i % 2]);
      db.graph('g').nodes.put({ key: workerData.name + i });
      db.close();
    }
    hub.tenantAsync(workerData.ids[0]).then((db) => parentPort.postMessage(db.graph('g').nodes.exists(workerData.name + 0)));
  `;
  const workers = ['a', 'b', 'c'].map(
    (name) =>
      new Promise((resolve, reject) => {
        const worker = new Worker(source, { eval: true, workerData: { path, name, ids: orgs.map(({ id }) => id) } });
        let answer;
        worker.on('message', (message) => (answer = message));
        worker.on('error', reject);
        worker.on('exit', (status) => resolve([answer, status]));
      }),
  );
  assert.deepEqual(await Promise.all(workers), Array(3).fill([true, 0]));
  const counts = orgs.map(({ id }) => {
    const db = hub.tenant(id);
    const count = db.graph('g').nodes.count();
    db.close();
    return count;
  });
  assert.deepEqual(counts, [39, 36]);
});
