import assert from 'node:assert/strict';
import { join } from 'node:path';
import test from 'node:test';
import { Database, generateKey, open, operations } from 'brant';
import { after, code, collect, database, folder, thrown } from './support.mjs';

const fails = (call, expected, check) => assert.throws(call, code(expected, check));
const rejects = (promise, expected, check) => assert.rejects(promise, code(expected, check));

function closing(t, db) {
  after(t, () => db.close());
  return db;
}

const NOTES = { id: 'ann', scopes: ['nodes:read', 'nodes:write', 'graphs:read', 'events:read', 'events:write', 'transaction:use'] };

/** A file with a graph "notes" of one node, a queue and a stream. */
function notes(t, path) {
  const db = path === undefined ? database(t) : database(t, {}, path);
  db.graphs.create('notes');
  db.graph('notes').nodes.put({ key: 'a', attributes: { text: 'A' } });
  db.queue('mail').enqueue({ to: 'a' });
  db.stream('log').publish({ line: 1 });
  return db;
}

/** What the public methods do, by group; each needs some scope. */
function everything(db, path) {
  const graph = db.graph('notes');
  const queue = db.queue('mail');
  const stream = db.stream('log');
  return {
    info: () => db.info(),
    doctor: () => db.doctor(),
    maintain: () => db.maintain(),
    erase: () => db.erase(['a']),
    metrics: () => db.metrics(),
    begin: () => db.begin(),
    transaction: () => db.transaction(() => 1),
    execute: () => db.execute('SELECT 1'),
    'nodes.put': () => graph.nodes.put({ key: 'b' }),
    'nodes.get': () => graph.nodes.get('a'),
    'nodes.list': () => graph.nodes.list(),
    'nodes iterated': () => [...graph.nodes],
    'nodes.search': () => graph.nodes.search('a'),
    'nodes.walk': () => [...graph.nodes.walk(['a'])],
    'nodes.openSecret': () => graph.nodes.openSecret('a', 'attributes.text'),
    'edges.list': () => graph.edges.list(),
    'graph.info': () => graph.info?.() ?? db.graphs.get('notes'),
    'graph.pagerank': () => graph.pagerank(),
    'graph.export': () => graph.exportPage('json'),
    'graph.changes': () => graph.changes(),
    'graphs.create': () => db.graphs.create('more'),
    'graphs iterated': () => [...db.graphs],
    'graphs.fromGraphology': () => db.graphs.get('notes'),
    'graphTypes.list': () => db.graphTypes.list(),
    'types.find': () => db.types('open').node('Node').find('notes'),
    indexes: () => db.indexes.list(),
    'queue.enqueue': () => queue.enqueue({}),
    'queue.claim': () => queue.claim(),
    'queue.stats': () => queue.stats(),
    'queue.watch': () => queue.watch(),
    'jobs.get': () => db.jobs.get(1),
    'outbox.send': () => db.outbox('o').send({}),
    'stream.publish': () => stream.publish({}),
    'stream.read': () => stream.read(),
    'stream.subscribe': () => stream.subscribe(),
    'consumer.info': () => stream.consumer('c').info(),
    'group.claim': () => stream.group('g', 'm').claim(),
    notify: () => db.notify('x', 1),
    listen: () => db.listen('*'),
    channels: () => db.channels(),
    lock: () => db.lock('l').tryAcquire(),
    rateLimit: () => db.rateLimit('r', { limit: 1, period: 1000 }).take(),
    schedules: () => db.schedules.list(),
    calls: () => db.calls.publish({ event: 'call.requested', request_id: '1', operation_id: 'x' }),
    'secrets.status': () => db.secrets.status(),
    'secrets.rotate': () => db.secrets.rotate(),
    'envelopes.seal': () => db.envelopes.seal(1, { graph_id: 'g', kind: 'node', key: 'a', path: '/x' }),
    keyring: () => db.keyring({ keys: [generateKey()] }),
    keyringInfo: () => db.keyringInfo(),
    accounts: () => db.accounts.list(),
    'accounts.create': () => db.accounts.create('a@b.org'),
    organizations: () => [...db.organizations],
    members: () => [...db.members],
    invitations: () => [...db.invitations],
    apiKeys: () => [...db.apiKeys],
    authenticate: () => db.authenticate('brant_key_x'),
    audit: () => [...db.audit],
    'audit.append': () => db.audit.append('x.y'),
    access: () => db.access.check('a', 'nodes:read'),
    'access.grant': () => db.access.grant('a', ['*:*']),
    call: () => db.call('nodes.get', { graph: 'notes', key: 'a' }),
    callText: () => db.callText('db.info'),
    subscribe: () => db.subscribe('events.listen', { channels: ['*'] }),
    operations: () => db.operations(),
  };
}

function everythingAsync(db, path) {
  const graph = db.graph('notes');
  return {
    callAsync: () => db.callAsync('nodes.get', { graph: 'notes', key: 'a' }),
    begin: () => db.callAsync('transaction.begin', {}),
    doctorAsync: () => db.doctorAsync(),
    maintainAsync: () => db.maintainAsync(),
    eraseAsync: () => db.eraseAsync(['a']),
    metricsAsync: () => db.metricsAsync(),
    executeAsync: () => db.executeAsync('SELECT 1'),
    backup: () => db.backup(join(path, 'copy.db')),
    restore: () => db.restore(join(path, 'copy.db')),
    'nodes iterated': async () => {
      for await (const batch of graph.nodes.walk(['a'])) void batch;
    },
    purgeAsync: () => db.graphs.purgeAsync('notes'),
    rotateAsync: () => db.secrets.rotateAsync(),
    verifyAsync: () => db.audit.verifyAsync(),
    seedAsync: () => db.access.seedAsync(),
    eventTarget: () =>
      new Promise((_, reject) => {
        const target = db.eventTarget();
        target.addEventListener('error', ({ error }) => reject(error));
        target.addEventListener('x', () => undefined);
      }),
  };
}

test('without scopes nothing works, in no way', async (t) => {
  const path = folder(t);
  const db = notes(t, join(path, 'a.db'));
  const session = db.session({ id: 'ann' });
  assert.ok(session instanceof Database);
  for (const [name, call] of Object.entries(everything(session, path))) {
    assert.equal(thrown(() => assert.fail(`${name} gave ${call()}`)).code, 'DENIED', name);
  }
  for (const [name, call] of Object.entries(everythingAsync(session, path))) {
    await assert.rejects(async () => call(), code('DENIED'), name);
  }
  // None of the operations by name; each says what it asks for.
  for (const { name, type, required_scopes } of operations()) {
    const error = thrown(() => (type === 'subscription' ? session.subscribe(name, {}) : session.call(name, {})));
    assert.equal(error.code, 'DENIED', name);
    assert.ok(error.detail.scope === undefined || required_scopes.includes(error.detail.scope), name);
  }
  // And the handle itself is out of reach.
  assert.throws(() => database(t).keyring(session), code('DENIED'));
  assert.deepEqual(db.graph('notes').nodes.count(), 1);
});

test('what the scopes cover works, on this thread and on others', async (t) => {
  const db = notes(t);
  const session = closing(t, db.session({ ...NOTES, scopes: [...NOTES.scopes, 'db:read'] }));
  const nodes = session.graph('notes').nodes;
  nodes.put({ key: 'b' });
  assert.deepEqual([...nodes].map((node) => node.key), ['a', 'b']);
  assert.equal((await session.callAsync('nodes.get', { graph: 'notes', key: 'b' })).key, 'b');
  const walked = [];
  for await (const batch of nodes.walk(['a'])) walked.push(batch);
  assert.equal(walked.length, 1);
  fails(() => session.queue('mail').claim(), 'DENIED', (error) => assert.match(error.detail.scope, /^queues:|^jobs:/));
  await rejects(session.callAsync('queues.stats', {}), 'DENIED');
  const worker = session.queue('mail').process(() => assert.fail('a job was given'));
  await rejects(worker.finished, 'DENIED');
});

test('transactions are joined, and ended by who began them', (t) => {
  const db = notes(t);
  const session = closing(t, db.session(NOTES));
  assert.throws(
    () =>
      db.transaction(() => {
        session.graph('notes').nodes.put({ key: 'b' });
        assert.equal(db.graph('notes').nodes.exists('b'), true);
        session.transaction(() => session.graph('notes').nodes.put({ key: 'c' }));
        fails(() => session.commit(), 'DENIED');
        throw new RangeError('back');
      }),
    RangeError,
  );
  assert.equal(session.graph('notes').nodes.count(), 1);
});

test('closing, in both directions', async (t) => {
  const db = notes(t);
  const session = db.session(NOTES);
  const inner = session.session({ id: 'ann', scopes: ['nodes:read'] });
  assert.equal(inner.graph('notes').nodes.count(), 1);
  fails(() => inner.graph('notes').nodes.put({ key: 'x' }), 'DENIED');
  await inner.callAsync('nodes.count', { graph: 'notes' });
  await rejects(inner.callAsync('nodes.put', { graph: 'notes', key: 'x' }), 'DENIED');
  fails(() => session.session({ id: 'ann', scopes: ['*:*'] }), 'DENIED');
  inner.close();
  assert.deepEqual([inner.closed, session.closed, db.closed], [true, false, false]);
  fails(() => inner.graph('notes').nodes.count(), 'CLOSED');
  await rejects(inner.callAsync('nodes.count', { graph: 'notes' }), 'CLOSED');
  assert.equal(session.graph('notes').nodes.count(), 1);
  const listener = session.listen('x');
  const waiting = listener.next();
  const nested = session.session({ id: 'ann', scopes: ['nodes:read'] });
  const running = nested.callAsync('nodes.count', { graph: 'notes' });
  db.close();
  await rejects(waiting, 'CLOSED');
  await rejects(running, 'CLOSED');
  assert.deepEqual([nested.closed, session.closed], [true, true]);
  fails(() => session.graph('notes').nodes.count(), 'CLOSED');
  fails(() => db.session(NOTES), 'CLOSED');
  session.close();
});

test('sessions and their handle wait beside each other', async (t) => {
  const db = notes(t);
  const session = closing(t, db.session(NOTES));
  const mine = session.listen('x');
  const all = db.listen('*');
  const waiting = [mine.next(60_000), all.next(60_000)];
  session.notify('x', 1);
  assert.deepEqual((await Promise.all(waiting)).map((one) => one.payload), [1, 1]);
  const again = mine.next();
  session.interrupt();
  await rejects(again, 'INTERRUPTED');
  const both = mine.next();
  db.interrupt();
  await rejects(both, 'INTERRUPTED');
  const ended = all.next(60_000);
  session.close();
  db.notify('y', 2);
  assert.equal((await ended).payload, 2);
});

test('in memory', async (t) => {
  const db = open(':memory:');
  after(t, () => db.close());
  db.graphs.create('notes');
  const session = closing(t, db.session(NOTES));
  session.graph('notes').nodes.put({ key: 'a' });
  assert.equal(await session.callAsync('nodes.count', { graph: 'notes' }).then((found) => found.count), 1);
  await rejects(session.callAsync('queues.stats', {}), 'DENIED');
  const listener = session.listen('x');
  const waiting = listener.next(60_000);
  db.notify('x', 7);
  assert.equal((await waiting).payload, 7);
});

test('keys are neither given nor taken by a session, and reach its second handle', async (t) => {
  const db = notes(t);
  const session = closing(t, db.session({ id: 'ann', scopes: ['*:*'] }));
  const context = { graph_id: 'g', kind: 'node', key: 'a', path: '/x' };
  await rejects(session.envelopes.sealAsync(1, context), 'NOT_FOUND');
  const ring = db.keyring({ keys: [generateKey()] });
  const envelope = await session.envelopes.sealAsync(1, context);
  assert.equal(session.envelopes.open(envelope, context).reveal(), 1);
  fails(() => session.keyring({ keys: [generateKey()] }), 'DENIED');
  fails(() => session.keyring(db), 'DENIED');
  ring.close();
  await rejects(session.envelopes.openAsync(envelope, context), 'NOT_FOUND');
  await rejects(session.restore('x'), 'DENIED');
});

test('what is no identity', (t) => {
  const db = notes(t);
  fails(() => db.session({}), 'INVALID');
  fails(() => db.session({ id: 'a', scopes: ['nodes'] }), 'INVALID', (error) => assert.match(error.message, /\/scopes\/0/));
  fails(() => db.session({ id: 'a', more: 1 }), 'INVALID');
});

test('a session that nobody closed is collected, and its handle goes on', async (t) => {
  const db = notes(t);
  for (let i = 0; i < 300; i++) {
    const session = db.session(NOTES);
    assert.equal(session.graph('notes').nodes.count(), 1);
    if (i % 50 === 0) await session.callAsync('nodes.count', { graph: 'notes' });
  }
  await collect();
  assert.equal(db.graph('notes').nodes.count(), 1);
});
