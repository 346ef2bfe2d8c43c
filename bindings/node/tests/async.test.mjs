import assert from 'node:assert/strict';
import { readdirSync, readlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { open } from 'brant';
import { PATIENT, code, countTurns, database, file, folder, packages, sleep, until, untyped } from './support.mjs';

const ENDLESS = 'WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n) SELECT max(i) FROM n';

test('the event loop runs while an asynchronous call does, and the handle can be used', async (t) => {
  const path = file(t);
  const [db, other] = [database(t, PATIENT, path), database(t, {}, path)];
  const { nodes } = untyped(t, db);
  const items = Array.from({ length: 50_000 }, (_, i) => ({ key: `k${i}`, attributes: { i } }));
  let done = false;
  // It cannot end before it is let: it waits for another writer.
  other.begin();
  const counter = countTurns();
  const writing = nodes.putManyAsync(items).finally(() => (done = true));
  await until(() => counter.turns > 100);
  counter.stop();
  assert.equal(done, false);
  assert.equal(nodes.count(), 0);
  other.rollback();
  assert.deepEqual(await writing, { created: 50_000, updated: 0 });
  assert.equal(nodes.count(), 50_000);
});

test('asynchronous calls run one after another, outside the transaction of the handle', async (t) => {
  const db = database(t);
  const { nodes } = untyped(t, db);
  const order = [];
  const calls = [1, 2, 3].map((n) => nodes.putManyAsync([{ key: `a${n}` }]).then(() => order.push(n)));
  assert.throws(() =>
    db.transaction(() => {
      nodes.put({ key: 'inside' });
      throw new Error('back');
    }),
  );
  await Promise.all(calls);
  assert.deepEqual(order, [1, 2, 3]);
  assert.deepEqual([...nodes].map(({ key }) => key), ['a1', 'a2', 'a3']);
});

test('an asynchronous call waits for the write lock with patience', async (t) => {
  const db = database(t);
  const { nodes } = untyped(t, db);
  // Longer than this thread would wait, and shorter than the call does, which a busy machine may miss: once of some times it does not.
  let error;
  for (let tries = 0; tries === 0 || (error?.code === 'BUSY' && tries < 10); tries++) {
    db.begin();
    nodes.put({ key: 'mine' });
    const writing = nodes.putManyAsync([{ key: 'theirs' }]).then(() => undefined, (reason) => reason);
    await sleep(500);
    db.commit();
    error = await writing;
  }
  assert.equal(error, undefined);
  assert.equal(nodes.count(), 2);
});

test('an error of an asynchronous call is the error of that call', async (t) => {
  const db = database(t);
  const { nodes } = packages(t, db);
  const failing = nodes.putManyAsync([{ key: 'x', type: 'Package', attributes: {} }]);
  assert.throws(() => nodes.get('meanwhile'), code('NOT_FOUND'));
  await assert.rejects(failing, code('VALIDATION', ({ detail }) => assert.equal(detail.items[0].key, 'x')));
  await assert.rejects(db.callAsync('db.explode'), code('NOT_FOUND'));
  await assert.rejects(db.executeAsync('SELECT'), code('SQL'));
  await assert.rejects(nodes.closureAsync('nothing'), code('NOT_FOUND'));
  await assert.rejects(nodes.putManyAsync(5), code('INVALID'));
});

test('executeAsync reads and writes blobs', async (t) => {
  const db = database(t);
  const bytes = new Uint8Array([1, 2, 3]);
  await db.executeAsync('CREATE TABLE mine (bytes BLOB)');
  await db.executeAsync('INSERT INTO mine VALUES (?)', [bytes]);
  assert.deepEqual((await db.executeAsync('SELECT bytes, 9007199254740993 FROM mine')).rows, [[bytes, 9007199254740993n]]);
});

test('a timeout and a signal end an asynchronous call', async (t) => {
  const db = database(t);
  await assert.rejects(db.executeAsync(ENDLESS, undefined, { timeout: 100 }), code('TIMEOUT'));
  const controller = new AbortController();
  const running = db.executeAsync(ENDLESS, undefined, { signal: controller.signal });
  const queued = db.callAsync('db.info', {}, { signal: controller.signal });
  const after = db.callAsync('db.info');
  setTimeout(() => controller.abort(), 50);
  await assert.rejects(running, { name: 'AbortError' });
  await assert.rejects(queued, { name: 'AbortError' });
  assert.equal((await after).graphs, 0);
  await assert.rejects(db.callAsync('db.info', {}, { signal: controller.signal }), { name: 'AbortError' });
  // At once: before the thread has come to it.
  const early = new AbortController();
  const soon = db.executeAsync(ENDLESS, undefined, { signal: early.signal });
  await new Promise(setImmediate);
  early.abort(new Error('mine'));
  await assert.rejects(soon, /mine/);
});

test('interrupt and close end what runs and what is queued', async (t) => {
  const db = database(t);
  const interrupted = assert.rejects(db.executeAsync(ENDLESS), code('INTERRUPTED'));
  // Again until it has begun: an interrupt is for what runs.
  const interrupting = setInterval(() => db.interrupt(), 20);
  await interrupted;
  clearInterval(interrupting);
  const closed = [db.executeAsync(ENDLESS), db.callAsync('db.info')].map((call) => assert.rejects(call, code('CLOSED')));
  await sleep(50);
  db.close();
  await Promise.all(closed);
});

test('close lets go of the file at once, of both connections', async (t) => {
  const path = file(t);
  const db = database(t, {}, path);
  await db.callAsync('db.info');
  db.close();
  const names = readdirSync('/proc/self/fd').map((fd) => {
    try {
      return readlinkSync(`/proc/self/fd/${fd}`);
    } catch {
      return '';
    }
  });
  assert.deepEqual(names.filter((name) => name.startsWith(path)), []);
});

test('close while the second connection opens', async (t) => {
  const db = database(t);
  const call = assert.rejects(db.callAsync('db.info'), code('CLOSED'));
  db.close();
  await call;
  const again = database(t);
  const late = assert.rejects(again.callAsync('db.info'), code('CLOSED'));
  await Promise.resolve();
  again.close();
  await late;
});

test('backup and restore', async (t) => {
  const here = folder(t);
  const db = database(t, {}, join(here, 'a.db'));
  const { nodes } = untyped(t, db);
  nodes.put({ key: 'kept' });
  const path = join(here, 'backup.db');
  const copy = await db.backup(path);
  assert.equal(copy.path, path);
  assert.ok(copy.pages > 0 && copy.size > 0);
  await assert.rejects(db.backup(path), code('EXISTS'));
  await db.backup(path, { overwrite: true });
  nodes.put({ key: 'later' });
  assert.deepEqual([...database(t, { mode: 'ro' }, path).graph('g').nodes].map(({ key }) => key), ['kept']);
  await db.restore(path);
  assert.deepEqual([...nodes].map(({ key }) => key), ['kept']);

  await assert.rejects(db.restore(join(here, 'nothing.db')), code('NOT_FOUND'));
  writeFileSync(join(here, 'text.db'), 'text, '.repeat(500));
  await assert.rejects(db.restore(join(here, 'text.db')), code('NOT_BRANT'));
  open(join(here, 'tenant.db'), { role: 'tenant' }).close();
  await assert.rejects(db.restore(join(here, 'tenant.db')), code('CONFLICT'));
  await assert.rejects(db.backup(join(here, 'no', 'b.db')), (error) => ['NOT_FOUND', 'IO'].includes(error.code));
});

test('doctor and maintain on another thread', async (t) => {
  const db = database(t);
  untyped(t, db);
  assert.equal((await db.doctorAsync()).ok, true);
  assert.ok('pruned' in (await db.maintainAsync()));
});

test('an asynchronous call on a file that only this handle can reach', async (t) => {
  const path = file(t);
  open(path).close();
  const reader = database(t, { mode: 'ro' }, path);
  assert.equal((await reader.callAsync('db.info')).mode, 'ro');
  await assert.rejects(reader.callAsync('events.notify', { channel: 'a' }), code('READ_ONLY'));
});
