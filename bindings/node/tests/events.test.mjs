import assert from 'node:assert/strict';
import { test } from 'node:test';
import { PATIENT, code, database, file, run, sleep, until, untyped } from './support.mjs';

const payloads = (items) => items.map(({ payload }) => payload);

test('notifications come after their commit, in order, once', async (t) => {
  const path = file(t);
  const [db, other] = [database(t, {}, path), database(t, {}, path)];
  db.notify('a', 'before anybody listened');
  const listener = db.listen(['a', 'b*']);
  const ids = db.transaction(() => [db.notify('a', 1), db.notify('bc', { n: 2 }), db.notify('c', 3)]);
  assert.ok(ids[0] < ids[1]);
  other.notify('a', [3]);
  const items = await listener.nextBatch(60_000);
  assert.deepEqual(items.map(({ id, channel, payload }) => [id, channel, payload]).slice(0, 2), [
    [ids[0], 'a', 1],
    [ids[1], 'bc', { n: 2 }],
  ]);
  const rest = items.length === 3 ? items.slice(2) : await listener.nextBatch(60_000);
  assert.deepEqual(payloads(rest), [[3]]);
  assert.ok(Math.abs(rest[0].created_at - Date.now()) < 60_000);
  assert.deepEqual(listener.poll(), []);
  assert.equal(db.notify('a') > ids[2], true);
  assert.equal((await listener.next()).payload, null);
});

test('what is rolled back is never seen', async (t) => {
  const db = database(t);
  const listener = db.listen('*');
  assert.throws(() => db.transaction(() => (db.notify('a', 'no'), assert.fail('back'))));
  db.notify('a', 'yes');
  assert.deepEqual(payloads(await listener.nextBatch(60_000)), ['yes']);
  assert.throws(() => db.transaction(() => db.listen('*')), code('MISUSE'));
});

test('a waiting listener is woken by another process, soon', async (t) => {
  const path = file(t);
  const db = database(t, PATIENT, path);
  const listener = db.listen('go');
  const [message, child] = await Promise.all([listener.next(60_000), run('fixtures/notify.mjs', [path, 'go'])]);
  assert.equal(child.stderr, '');
  // The payload is the moment before the commit.
  const delay = message.created_at - message.payload;
  assert.ok(delay >= 0 && delay < 60_000, `${delay} ms`);
});

test('a wake within the process takes far less than the tick', async (t) => {
  const path = file(t);
  const [db, other] = [database(t, {}, path), database(t, {}, path)];
  const listener = db.listen('go');
  const times = [];
  for (let i = 0; i < 50; i++) {
    const waiting = listener.next();
    await new Promise(setImmediate);
    const began = performance.now();
    other.notify('go', i);
    assert.equal((await waiting).payload, i);
    times.push(performance.now() - began);
  }
  times.sort((a, b) => a - b);
  // The tick is one of 500 ms: were it what wakes, none would be faster than some of that.
  t.diagnostic(`median ${times[25].toFixed(2)} ms`);
  assert.ok(times[0] < 100, `fastest ${times[0]} ms`);
});

test('a commit by a program without our code is noticed by the tick', async (t) => {
  const path = file(t);
  const db = database(t, {}, path);
  const reader = database(t, { mode: 'ro' }, path);
  const listener = reader.listen('go');
  const waiting = listener.next(60_000);
  await sleep(20);
  db.notify('go', 1);
  assert.equal((await waiting).payload, 1);
});

test('iteration ends by leaving, by close and with the database', async (t) => {
  const db = database(t);
  const left = db.listen('*');
  db.notify('a', 1);
  db.notify('a', 2);
  for await (const { payload } of left) {
    assert.equal(payload, 1);
    break;
  }
  assert.equal(left.closed, true);
  assert.throws(() => left.poll(), code('CLOSED'));

  const closed = db.listen('*');
  const seen = [];
  const loop = (async () => {
    for await (const { payload } of closed) {
      seen.push(payload);
      if (payload === 4) closed.close();
    }
  })();
  await new Promise(setImmediate);
  db.notify('a', 3);
  db.notify('a', 4);
  db.notify('a', 5);
  await loop;
  assert.deepEqual(seen.slice(0, 2), [3, 4]);

  const ended = db.listen('*');
  const other = (async () => {
    for await (const item of ended) assert.fail(item);
  })();
  await new Promise(setImmediate);
  db.close();
  await other;
});

test('close during a wait is CLOSED, of the listener and of the database', async (t) => {
  const db = database(t);
  const one = db.listen('*');
  const waiting = assert.rejects(one.next(), code('CLOSED'));
  await sleep(5);
  one.close();
  one[Symbol.dispose]();
  await one[Symbol.asyncDispose]();
  await waiting;
  const all = [db.listen('a').next(), db.listen('b').nextBatch(60_000), db.listen('c').next(60_000)];
  const settled = Promise.all(all.map((promise) => assert.rejects(promise, code('CLOSED'))));
  await sleep(5);
  db.close();
  await settled;
});

test('an aborted signal ends the wait with its reason and closes the listener', async (t) => {
  const db = database(t);
  const controller = new AbortController();
  const listener = db.listen('*', { signal: controller.signal });
  const waiting = assert.rejects(listener.next(), { name: 'AbortError' });
  controller.abort();
  await waiting;
  assert.equal(listener.closed, true);
  await assert.rejects(listener.next(), { name: 'AbortError' });
  assert.throws(() => db.listen('*', { signal: controller.signal }), { name: 'AbortError' });

  const reason = new Error('enough');
  const second = new AbortController();
  const loop = (async () => {
    for await (const { payload } of db.listen('*', { signal: second.signal })) if (payload === 1) second.abort(reason);
  })();
  await new Promise(setImmediate);
  db.notify('a', 1);
  await assert.rejects(loop, reason);
  await assert.rejects(
    (async () => {
      for await (const item of db.listen('*', { signal: AbortSignal.timeout(20) })) assert.fail(item);
    })(),
    { name: 'TimeoutError' },
  );
});

test('interrupt ends waits, and the listener goes on', async (t) => {
  const db = database(t);
  const listener = db.listen('*');
  const waiting = assert.rejects(listener.next(), code('INTERRUPTED'));
  db.interrupt();
  await waiting;
  db.notify('a', 1);
  assert.equal((await listener.next(60_000)).payload, 1);
});

test('a timeout is undefined, or no items', async (t) => {
  const db = database(t);
  const listener = db.listen('*');
  const began = performance.now();
  assert.equal(await listener.next(50), undefined);
  assert.ok(performance.now() - began >= 45);
  assert.deepEqual(await listener.nextBatch(0), []);
  assert.equal(await listener.next(0), undefined);
  db.notify('a', 1);
  assert.equal((await listener.next(0)).payload, 1);
});

test('several waits on one listener are served in order', async (t) => {
  const db = database(t);
  const listener = db.listen('*');
  const waits = [listener.next(), listener.next(10), listener.next(), listener.nextBatch()];
  await sleep(50);
  db.transaction(() => [1, 2, 3, 4].forEach((n) => db.notify('a', n)));
  const [first, second, third, rest] = await Promise.all(waits);
  assert.deepEqual([first.payload, second, third.payload, payloads(rest)], [1, undefined, 2, [3, 4]]);
});

test('several listeners of a handle share one dispatcher', async (t) => {
  const db = database(t);
  const listeners = Array.from({ length: 20 }, (_, i) => db.listen(i % 2 === 0 ? 'even' : '*'));
  const waits = listeners.map((listener) => listener.next(60_000));
  await sleep(5);
  db.notify('odd', 'o');
  db.notify('even', 'e');
  assert.deepEqual(payloads(await Promise.all(waits)), listeners.map((_, i) => (i % 2 === 0 ? 'e' : 'o')));
});

test('nothing is lost between waits, and a slow listener gets a gap', async (t) => {
  const path = file(t);
  const [db, other] = [database(t, {}, path), database(t, {}, path)];
  const listener = db.listen('n');
  const count = 3000;
  const reading = (async () => {
    const seen = [];
    for await (const { payload } of listener) {
      seen.push(payload);
      if (payload === count - 1) return seen;
    }
    return seen;
  })();
  for (let i = 0; i < count; i++) {
    other.notify('n', i);
    if (i % 100 === 0) await new Promise(setImmediate);
  }
  assert.deepEqual(await reading, Array.from({ length: count }, (_, i) => i));

  db.setRetention('slow', { count: 1000 });
  const slow = db.listen('slow');
  other.transaction(() => {
    for (let i = 0; i < 5000; i++) other.notify('slow', i);
  });
  other.maintain();
  const [first, next] = [await slow.next(60_000), await slow.next(60_000)];
  assert.equal(first.channel, 'slow');
  assert.ok(first.gap.to >= first.gap.from);
  assert.equal(next.id, first.gap.to + 1);
});

test('a listener is an EventTarget', async (t) => {
  const db = database(t);
  const listener = db.listen('*');
  const seen = [];
  listener.addEventListener('message', ({ data }) => seen.push(data.payload));
  listener.addEventListener('message', (event) => assert.equal(event.type, 'message'));
  const closed = new Promise((done) => listener.addEventListener('close', done));
  db.notify('a', 1);
  db.notify('a', 2);
  await until(() => seen.length === 2);
  db.close();
  await closed;
  assert.deepEqual(seen, [1, 2]);
});

test('mutations of a graph notify', async (t) => {
  const db = database(t);
  const listener = db.listen('nodes:*');
  const { nodes } = untyped(t, db);
  nodes.putMany([{ key: 'a' }, { key: 'b' }]);
  const { channel, payload } = await listener.next(60_000);
  assert.equal(channel, 'nodes:created');
  assert.deepEqual([payload.graph, payload.count, payload.keys, payload.truncated], ['g', 2, ['a', 'b'], false]);
});

test('a database in memory wakes its own listeners', async (t) => {
  const db = database(t, {}, ':memory:');
  const listener = db.listen('*');
  const waiting = listener.next();
  setTimeout(() => db.notify('a', 1), 5);
  assert.equal((await waiting).payload, 1);
  assert.equal(await listener.next(20), undefined);
  db.transaction(() => db.notify('a', 2));
  assert.equal((await listener.next()).payload, 2);
});

test('channels, patterns and timeouts are checked', async (t) => {
  const db = database(t);
  for (const timeout of [NaN, 'soon', null]) await assert.rejects(db.listen('a').next(timeout), code('INVALID'));
  assert.throws(() => db.notify(''), code('INVALID'));
  assert.throws(() => db.notify('x'.repeat(256)), code('INVALID'));
  assert.throws(() => db.listen([]), code('INVALID'));
  assert.throws(() => db.listen(5), code('INVALID'));
  assert.throws(() => db.notify('a', { n: 1 << 31, long: 'x'.repeat(70 << 20) }), code('LIMIT'));
  const listener = db.subscribe('events.listen', { channels: ['*'] });
  db.notify('a', 7);
  assert.deepEqual(payloads(listener.poll()), [7]);
});

test('the process ends with an open listener on which nobody waits', async (t) => {
  const ended = await run('fixtures/exit.mjs', [file(t), 'open']);
  assert.deepEqual([ended.status, ended.stdout], [0, 'end\n'], ended.stderr);
  const unref = await run('fixtures/exit.mjs', [file(t), 'unref']);
  assert.deepEqual([unref.status, unref.stdout], [0, 'end\n'], unref.stderr);
  const after = await run('fixtures/exit.mjs', [file(t), 'after']);
  assert.deepEqual([after.status, after.stdout], [0, 'end\nnothing\n'], after.stderr);
  // In the middle of a wait.
  const exit = await run('fixtures/exit.mjs', [file(t), 'exit']);
  assert.deepEqual([exit.status, exit.stdout], [7, 'end\n'], exit.stderr);
});

test('a wait keeps the process alive until it is answered', async (t) => {
  const path = file(t);
  const db = database(t, PATIENT, path);
  let ended = false;
  const child = run('fixtures/exit.mjs', [path, 'wait']).finally(() => (ended = true));
  // Not at once: it has to wait. Then until it has begun to.
  for (await sleep(700); !ended; await sleep(100)) db.notify('go', 'on');
  const { status, stdout, stderr } = await child;
  assert.deepEqual([status, stdout], [0, 'end\non\n'], stderr);
});

test('a forgotten loop is not collected while it waits', async (t) => {
  const { status, stdout, stderr } = await run('fixtures/forgotten.mjs', [file(t)], { flags: ['--expose-gc'] });
  assert.deepEqual([status, stdout], [0, 'woken\n'], stderr);
});

test('a payload may be bytes', async (t) => {
  const db = database(t);
  const listener = db.listen('*');
  db.notify('a', new Uint8Array([0, 255]));
  db.notify('a', 'text');
  assert.deepEqual(payloads(await listener.nextBatch(60_000)), [new Uint8Array([0, 255]), 'text']);
  const [{ channel, count }] = db.channels({ prefix: 'a' }).items;
  assert.deepEqual([channel, count], ['a', 2]);
});
