/* Opened secrets: shown by nothing but reveal; envelopes; rotation. */
import assert from 'node:assert/strict';
import { subscribe, unsubscribe } from 'node:diagnostics_channel';
import { test } from 'node:test';
import { MessageChannel, receiveMessageOnPort } from 'node:worker_threads';
import { format, inspect } from 'node:util';
import { defineModule, generateKey, modules } from 'brant';
import * as z from 'zod';
import { after, code, database, file, thrown, turnsDuring } from './support.mjs';

const RAW = Uint8Array.from({ length: 32 }, (_, i) => i + 1);
const OTHER = Uint8Array.from({ length: 32 }, (_, i) => i + 101);
const CHEAP = { alg: 'argon2id13', s: 'AAECAwQFBgcICQoLDA0ODw', t: 2, m: 19922944 };
const ONE = { keys: [{ version: 1, key: RAW }] };
const BOTH = { keys: [{ version: 1, key: RAW, state: 'decrypt_only' }, { version: 2, key: OTHER }] };
const PLACE = { graph_id: 'g', kind: 'node', key: 'k', path: '/value' };
const CANARY = 'canary "in\\the" cöal mine';

/** A graph of the type `secret`. */
function vault(db) {
  db.graphs.create('secrets', { graphType: 'secret' });
  return db.graph('secrets');
}

const hides = (...texts) => texts.forEach((text) => assert.ok(!text.includes('canary'), text));

test('nodes: what is read is the envelope, and can be written again', async (t) => {
  const db = database(t);
  const { nodes } = vault(db);
  db.keyring(ONE);
  for (const value of [CANARY, 7, 2.5, true, 2n ** 60n, { user: 'u', deep: [1, { x: null }] }, [CANARY]]) {
    nodes.put({ key: 'db', type: 'Secret', attributes: { value, kind: 'password' } });
    const { attributes } = nodes.get('db');
    assert.equal(attributes.value.$enc, 2);
    hides(JSON.stringify(attributes));
    for (const path of ['attributes.value', 'attributes/value']) {
      const secret = nodes.openSecret('db', path);
      assert.deepEqual([secret.reveal(), secret.keyVersion], [value, 1]);
      assert.deepEqual((await nodes.openSecretAsync('db', path)).reveal(), value);
    }
    nodes.put({ key: 'db', type: 'Secret', attributes: { ...attributes, kind: 'token' } });
    nodes.patch('db', { attributes: { description: 'd' } });
    assert.deepEqual(nodes.openSecret('db', 'attributes.value').reveal(), value);
  }
});

test('types of one’s own, edges, places', async (t) => {
  const db = database(t);
  const accounts = defineModule('accounts', {
    nodes: { Account: z.object({ user: z.string(), password: z.string().meta({ 'x-encrypted': true }) }) },
    edges: { Trusts: { schema: z.object({ pin: z.int().meta({ 'x-encrypted': true }) }), source: 'Account', target: 'Account' } },
  });
  assert.deepEqual(modules.types(accounts).node_types.map(({ encrypted }) => encrypted), [['/password']]);
  assert.deepEqual(modules.types(accounts).edge_types.map(({ encrypted }) => encrypted), [['/pin']]);
  db.graphTypes.define(accounts);
  const { id } = db.graphs.create('a', { graphType: 'accounts' });
  const { nodes, edges } = db.graph('a', accounts);
  db.keyring(ONE);
  await nodes.putManyAsync(['ann', 'bob'].map((user) => ({ key: user, type: 'Account', attributes: { user, password: CANARY } })));
  edges.put({ source: 'ann', target: 'bob', key: 't', type: 'Trusts', attributes: { pin: 1234 } });
  assert.equal(edges.openSecret('t', 'attributes.pin').reveal(), 1234);
  assert.equal((await edges.openSecretAsync('t', 'attributes.pin')).reveal(), 1234);
  assert.throws(() => nodes.openSecret('ann', 'attributes.user'), code('INVALID'));
  assert.throws(() => nodes.openSecret('no', 'attributes.password'), code('NOT_FOUND'));
  assert.throws(() => edges.openSecret('no', 'attributes.pin'), code('NOT_FOUND'));
  assert.throws(() => nodes.list({ filter: { 'attributes.password': CANARY } }), code('INVALID', ({ message }) => hides(message)));
  const envelope = nodes.get('bob').attributes.password;
  const place = { graph_id: id, kind: 'node', key: 'bob', path: '/password' };
  assert.equal(db.envelopes.open(envelope, place).reveal(), CANARY);
  assert.throws(() => db.envelopes.open(envelope, { ...place, key: 'ann' }), code('AUTH'));
  for (const text of [db.graph('a').export('ndjson'), await db.graph('a').exportAsync('graphml'), inspect(db.graph('a').arrays(), { depth: 9 })]) hides(text);
});

test('what does not open', (t) => {
  const db = database(t);
  const { nodes } = vault(db);
  const write = () => nodes.put({ key: 'db', type: 'Secret', attributes: { value: CANARY } });
  assert.throws(write, code('NOT_FOUND', (error) => hides(inspect(error))));
  assert.ok(!nodes.exists('db'));
  db.keyring(ONE);
  write();
  for (const [ring, expected] of [[{ keys: [{ version: 1, key: OTHER }] }, 'AUTH'], [{ keys: [{ version: 2, key: RAW }] }, 'NOT_FOUND'], [{ keys: [] }, 'NOT_FOUND']]) {
    db.keyring(ring);
    assert.throws(() => nodes.openSecret('db', 'attributes.value'), code(expected, (error) => hides(inspect(error), error.stack)));
  }
});

test('a secret shows nothing', (t) => {
  const db = database(t);
  const { nodes } = vault(db);
  db.keyring(ONE);
  nodes.put({ key: 'db', type: 'Secret', attributes: { value: { canary: CANARY } } });
  const secret = nodes.openSecret('db', 'attributes.value');
  for (const text of [`${secret}`, String(secret), '' + secret, inspect(secret), format('%s', secret), format('%o', secret), JSON.parse(JSON.stringify(secret))]) {
    assert.equal(text, '[secret]');
  }
  const settings = { name: 's', secret };
  hides(inspect(settings, { showHidden: true, getters: true, depth: 9 }), inspect(settings, { customInspect: false, showHidden: true, depth: 9 }), format('%j %O', settings, settings));
  assert.equal(JSON.stringify(settings), '{"name":"s","secret":"[secret]"}');
  hides(inspect(structuredClone(settings), { showHidden: true, depth: 9 }), JSON.stringify({ ...secret }), Reflect.ownKeys(secret).join());
  const { port1, port2 } = new MessageChannel();
  port1.postMessage({ secret, error: new Error('x', { cause: secret }) });
  hides(inspect(receiveMessageOnPort(port2), { showHidden: true, depth: 9 }));
  port1.close();
  hides(inspect(new Error(`no ${secret}`, { cause: secret }), { showHidden: true }), thrown(() => assert.equal(secret, 'x')).message);
  const lines = [];
  const { log } = console;
  console.log = (...parts) => lines.push(format(...parts));
  try {
    console.log(secret, settings, '%s', secret);
  } finally {
    console.log = log;
  }
  hides(...lines);
  assert.deepEqual(secret.reveal(), { canary: CANARY });
  // It is not taken for what it shows.
  const before = nodes.get('db').revision;
  for (const call of [
    () => nodes.put({ key: 'db', type: 'Secret', attributes: { value: secret } }),
    () => nodes.put({ key: 'db', type: 'Secret', attributes: { value: { n: 1n, secret } } }),
    () => db.envelopes.seal(secret, PLACE),
    () => db.notify('a', { secret }),
    () => db.queue('q').enqueue(secret),
    () => db.execute('SELECT ?', [secret]),
  ]) {
    const error = thrown(call);
    assert.ok(error instanceof TypeError && /reveal/.test(error.message), inspect(error));
    hides(inspect(error, { showHidden: true }), error.stack);
  }
  assert.equal(nodes.get('db').revision, before);
  assert.equal(JSON.stringify([secret]), '["[secret]"]', 'outside of the package as before');
});

test('diagnostics have nothing of what is sealed and opened', async (t) => {
  const db = database(t);
  const heard = [];
  const hear = (message) => heard.push(message);
  subscribe('brant:call', hear);
  after(t, () => unsubscribe('brant:call', hear));
  const { nodes } = vault(db);
  db.keyring(ONE);
  nodes.put({ key: 'db', type: 'Secret', attributes: { value: CANARY } });
  nodes.openSecret('db', 'attributes.value');
  await nodes.openSecretAsync('db', 'attributes.value');
  const circle = { canary: CANARY };
  circle.canary2 = circle;
  assert.throws(() => db.envelopes.seal({ canary: NaN }, PLACE), code('INVALID', (error) => hides(inspect(error), inspect(error.detail))));
  await assert.rejects(db.envelopes.sealAsync({ canary: NaN }, PLACE), code('INVALID', (error) => hides(inspect(error))));
  for (const value of [circle, { n: 1n, circle }, { canary: Symbol(CANARY), bad: undefined, circle }]) thrown(() => db.envelopes.seal(value, PLACE));
  thrown(() => nodes.openSecret('db', CANARY));
  thrown(() => nodes.put({ key: 'db', type: 'Secret', attributes: { value: CANARY, labels: { x: 1 } } }));
  await nodes.putManyAsync([{ key: 'e', type: 'Secret', attributes: { value: CANARY, labels: { x: 1 } } }]).catch((error) => hides(inspect(error), inspect(error.detail)));
  assert.ok(heard.some(({ name, async }) => name === 'nodes.open_secret' && async));
  hides(inspect(heard, { depth: 9, showHidden: true }));
});

test('envelopes by hand', (t) => {
  const db = database(t);
  const there = { ...PLACE, key: 'l' };
  db.keyring(ONE);
  const envelope = db.envelopes.seal({ a: CANARY }, PLACE);
  assert.deepEqual(Object.keys(envelope), ['$enc', 'alg', 'kv', 'n', 'c', 'ct']);
  assert.deepEqual(db.envelopes.rewrap(envelope, PLACE), { envelope, changed: false });
  assert.throws(() => db.envelopes.open(envelope, there), code('AUTH'));
  assert.throws(() => db.envelopes.seal(undefined, PLACE), code('INVALID'));
  const tenant = { ...PLACE, tenant_id: 't' };
  assert.equal(db.envelopes.open(db.envelopes.seal(null, tenant), tenant).reveal(), null);
  db.keyring(BOTH);
  const moved = db.envelopes.rewrap(envelope, PLACE, there);
  assert.deepEqual([moved.changed, moved.envelope.kv], [true, 2]);
  const opened = db.envelopes.open(moved.envelope, there);
  assert.deepEqual([opened.reveal(), opened.keyVersion], [{ a: CANARY }, 2]);
  db.keyring({ ...ONE, legacy: { iterations: 1000, keys: [{ version: 3, password: 'older password' }] } });
  const older = {
    keyVersion: 3,
    salt: 'BwgJCgsMDQ4PEBESExQVFg==',
    iv: 'WltcXV5fYGFiY2Rl',
    data: 'orcDP39mN/5p+LBfl/TsquGxZdDgPOEz3j9Wm4ldbxlKjxsPKdQ=',
  };
  assert.deepEqual(db.envelopes.open(older, PLACE).reveal(), { user: 'brant', n: 1 });
});

test('a password’s key is derived elsewhere', async (t) => {
  const path = file(t);
  const ring = { keys: [{ version: 1, password: 'p', kdf: { ...CHEAP, t: 10 } }] };
  const db = database(t, {}, path);
  const { nodes } = vault(db);
  db.keyring(ring);
  nodes.put({ key: 's', type: 'Secret', attributes: { value: 1 } });
  const turns = await turnsDuring(async () => {
    db.keyring(ring); // what was derived is kept
    assert.equal((await nodes.openSecretAsync('s', 'attributes.value')).reveal(), 1);
  });
  assert.ok(turns > 5, `${turns} turns`);
});

test('rotation', async (t) => {
  const db = database(t);
  const { nodes } = vault(db);
  assert.deepEqual(db.secrets.status(), { keys: [], total: 0, rotation: null });
  assert.throws(() => db.secrets.rotate(), code('NOT_FOUND'));
  db.keyring(ONE);
  nodes.putMany(Array.from({ length: 250 }, (_, n) => ({ key: String(n).padStart(3, '0'), type: 'Secret', attributes: { value: `${CANARY} ${n}` } })));
  const before = nodes.get('007');
  db.keyring(BOTH);
  assert.deepEqual(db.secrets.status({ graph: 'secrets' }).keys, [{ version: 1, state: 'decrypt_only', count: 250 }]);
  const some = db.secrets.rotate({ batch: 50, limit: 2 });
  assert.deepEqual([some.done, some.rewrapped], [false, 100]);
  assert.equal(db.secrets.rotate({ graph: 'secrets', batch: 10, limit: 1 }).rewrapped, 10);
  const steps = [];
  const two = { batch: 5, limit: 2, onProgress: ({ rewrapped }) => steps.push(rewrapped) };
  assert.equal(db.secrets.rotate(two).rewrapped, 10);
  assert.deepEqual([(await db.secrets.rotateAsync(two)).rewrapped, steps], [10, [5, 10, 5, 10]]);
  assert.throws(() => db.secrets.rotate({ ...two, limit: 0 }), code('INVALID'));
  const told = [];
  const rest = await db.secrets.rotateAsync({ batch: 50, onProgress: ({ rewrapped }) => told.push(rewrapped) });
  assert.deepEqual([rest.done, rest.rewrapped, rest.failed, rest.failures, rest.key_version, rest.keys, rest.remaining], [true, 120, 0, [], 2, [{ version: 2, count: 250 }], 0]);
  assert.equal(told.at(-1), 120);
  assert.ok(told.length >= 3);
  const { keys, rotation } = await db.secrets.statusAsync();
  assert.deepEqual(keys, [{ version: 2, state: 'active', count: 250 }]);
  assert.deepEqual([rotation.done, rotation.rewrapped, rotation.key_version], [true, 250, 2]);
  const after = nodes.get('007');
  assert.deepEqual([after.revision, after.updated_at], [before.revision, before.updated_at]);
  assert.equal(nodes.openSecret('007', 'attributes.value').reveal(), `${CANARY} 7`);
  db.keyring(ONE);
  assert.throws(() => db.secrets.rotate(), code('CONFLICT'));
  assert.throws(() => db.secrets.status({ graph: 'nothing' }), code('NOT_FOUND'));

  // What does not open is told and left.
  const third = generateKey({ version: 3 });
  db.keyring({ keys: [{ version: 2, key: RAW, state: 'decrypt_only' }, third] });
  const failed = db.secrets.rotate({ batch: 100 });
  assert.deepEqual([failed.done, failed.failed, failed.failures.length], [true, 250, 100]);
  const { graph, kind, path, code: reason } = failed.failures[0];
  assert.deepEqual([graph, kind, path, reason], ['secrets', 'node', '/value', 'AUTH']);
  hides(JSON.stringify(failed));
  db.keyring({ keys: [{ version: 2, key: OTHER, state: 'decrypt_only' }, third] });
  const { job } = db.secrets.rotateInBackground({ batch: 100 });
  assert.equal(db.jobs.get(job).queue, 'secret-rotation');
  for (let i = 0; i < 20 && db.jobs.get(job).state !== 'done'; i++) db.maintain();
  assert.deepEqual(db.secrets.status().keys, [{ version: 3, state: 'active', count: 250 }]);
});

test('plain values are sealed when their type begins to encrypt', (t) => {
  const db = database(t);
  const later = (encrypted) => ({ $id: 'later', $defs: { ThingNode: { type: 'object', properties: { token: { type: 'string', ...encrypted } } } } });
  db.graphTypes.define(later({}));
  db.graphs.create('g', { graphType: 'later' });
  const { nodes } = db.graph('g');
  nodes.put({ key: 'a', attributes: { token: CANARY } });
  db.graphTypes.update('later', later({ 'x-encrypted': true }));
  assert.deepEqual(nodes.get('a').attributes, { token: { $redacted: true } });
  assert.deepEqual(db.secrets.status().keys, [{ version: 0, state: 'plain', count: 1 }]);
  db.keyring(ONE);
  assert.throws(() => nodes.openSecret('a', 'attributes.token'), code('AUTH'));
  const { sealed, scrubbed } = db.secrets.rotate();
  assert.deepEqual([sealed, scrubbed], [1, true]);
  assert.equal(nodes.openSecret('a', 'attributes.token').reveal(), CANARY);
});
