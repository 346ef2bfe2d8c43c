import assert from 'node:assert/strict';
import { test } from 'node:test';
import { code, database, file, sleep, until } from './support.mjs';

test('a lock is held by one, with a token that grows, and waited for', async (t) => {
  const path = file(t);
  const [db, other] = [database(t, {}, path), database(t, {}, path)];
  const order = [];
  await db.lock('l').with(async ({ token, signal }) => {
    order.push('first');
    assert.equal(signal.aborted, false);
    assert.equal(other.lock('l').tryAcquire().acquired, false);
    await assert.rejects(other.lock('l').acquire({ timeout: 30 }), code('TIMEOUT'));
    await assert.rejects(other.lock('l').acquire({ signal: AbortSignal.timeout(30) }), { name: 'TimeoutError' });
    const waiting = other.lock('l').with((lease) => (order.push('second'), lease.token));
    await sleep(30);
    order.push('still');
    waiting.then((later) => assert.ok(later > token));
    return waiting.then === undefined ? undefined : { waiting };
  }).then(({ waiting }) => waiting);
  assert.deepEqual(order, ['first', 'still', 'second']);
  assert.throws(() => db.lock('l').info(), code('NOT_FOUND'));
});

test('a lock is refreshed while it is held, and one that was lost says so', async (t) => {
  const db = database(t);
  // A third of it is until the first refresh, and two are how long the machine may stand still.
  const lock = db.lock('l', { ttl: 30_000 });
  const lease = await lock.acquire();
  const { expires_at } = lock.info();
  await until(() => lock.info().expires_at > expires_at);
  assert.equal(db.lock('l').tryAcquire().acquired, false);
  assert.equal(lock.info().token, lease.token);
  lock.break();
  const gone = db.lock('l', { ttl: 60_000 }).tryAcquire();
  assert.ok(gone.token > lease.token);
  await until(() => lease.signal.aborted);
  assert.equal(lease.signal.reason.code, 'STALE');
  assert.throws(() => lease.refresh(), code('STALE'));
  // The other's lock stays.
  await lease.release();
  assert.equal(lock.info().token, gone.token);
});

test('who waits gets the lock of one who is gone when its time is over', async (t) => {
  const path = file(t);
  const { expires_at } = database(t, {}, path).lock('l', { ttl: 200 }).tryAcquire();
  const lease = await database(t, {}, path).lock('l').acquire({ timeout: 60_000 });
  assert.ok(Date.now() >= expires_at);
  await lease.release();
  await lease.release();
});

test('locks by hand: owners, tokens, lists', (t) => {
  const db = database(t);
  const lock = db.lock('a', { owner: 'me', ttl: 60_000 });
  const { token, acquired } = lock.tryAcquire();
  assert.equal(acquired, true);
  assert.equal(db.lock('a', { owner: 'me' }).tryAcquire().token, token);
  assert.deepEqual([db.lock('a', { owner: 'you' }).tryAcquire()].map(({ acquired, owner }) => [acquired, owner]), [[false, 'me']]);
  assert.ok(lock.refresh(token).expires_at > Date.now());
  db.lock('b').tryAcquire();
  assert.deepEqual([...db.locks].map(({ name }) => name), ['a', 'b']);
  lock.release(token);
  assert.throws(() => lock.release(token), code('STALE'));
  assert.ok(lock.tryAcquire().token > token);
  db.transaction(() => {
    assert.equal(db.lock('c').tryAcquire().acquired, true);
  });
  assert.equal(db.lock('c', { owner: 'x' }).tryAcquire().acquired, false);
});

test('a rate limit allows so much in a period, for all processes', async (t) => {
  const path = file(t);
  const [one, two] = [database(t, {}, path), database(t, {}, path)].map((db) => db.rateLimit('r', { limit: 3, period: 600_000 }));
  assert.deepEqual([one.take().allowed, two.take(2).allowed, one.take().allowed], [true, true, false]);
  const { allowed, retry_after, remaining } = two.peek();
  assert.deepEqual([allowed, remaining], [false, 0]);
  assert.ok(retry_after > 0 && retry_after <= 600_000);
  await assert.rejects(one.wait({ timeout: 10 }), code('TIMEOUT'));
  await assert.rejects(one.wait({ signal: AbortSignal.timeout(10) }), { name: 'TimeoutError' });
  one.reset();
  assert.equal(two.peek().remaining, 3);
  const db = database(t, {}, path);
  const short = db.rateLimit('s', { limit: 3, period: 300 });
  const { reset_at } = short.take(3);
  await short.wait({ cost: 2 });
  assert.ok(Date.now() >= reset_at);
  short.reset();
  const bucket = db.rateLimit('b', { limit: 10, period: 6_000_000, kind: 'token_bucket', burst: 2 });
  assert.deepEqual([bucket.take().allowed, bucket.take().allowed, bucket.take().allowed], [true, true, false]);
  assert.deepEqual(db.rateLimits.list().items.map(({ name, kind }) => [name, kind]), [['b', 'token_bucket']]);
});
