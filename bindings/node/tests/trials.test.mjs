/* The reference design's trials of events. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { defineModule } from 'brant';
import * as z from 'zod';
import { database, file, run, sleep, until } from './support.mjs';

const orders = defineModule('orders', {
  nodes: { Order: z.object({ total: z.number(), status: z.enum(['open', 'paid']) }) },
});

/** A typed graph of orders. */
function shop(db) {
  if (!db.graphTypes.list().items.some(({ name }) => name === 'orders')) {
    db.graphTypes.define(orders);
    db.graphs.create('shop', { graphType: 'orders' });
  }
  return db.graph('shop', orders).nodes;
}

test('a typed write, a notification, an event and a job are one transaction', async (t) => {
  const db = database(t);
  const nodes = shop(db);
  const listener = db.listen('orders');
  const write = (key, total) =>
    db.transaction(() => {
      nodes.insert({ key, type: 'Order', attributes: { total, status: 'open' } });
      db.types('orders', orders).node('Order').patch('shop', key, { attributes: { status: 'paid' } });
      db.notify('orders', { key });
      db.stream('orders').publish({ key }, { key });
      db.queue('ship').enqueue({ key });
      if (total > 100) throw new Error('too much');
    });
  assert.throws(() => write('a', 1000), /too much/);
  write('b', 10);
  assert.deepEqual((await listener.nextBatch(60_000)).map(({ payload }) => payload), [{ key: 'b' }]);
  assert.deepEqual(db.stream('orders').read().items.map(({ offset, key }) => [offset, key]), [[1, 'b']]);
  assert.deepEqual(db.queue('ship').claim({ limit: 5 }).map(({ payload }) => payload), [{ key: 'b' }]);
  assert.deepEqual([...nodes].map(({ key, attributes }) => [key, attributes.status]), [['b', 'paid']]);
});

test('notify and listen within a process take far less than 10 ms', async (t) => {
  const path = file(t);
  const db = database(t, {}, path);
  for (const [name, other] of [['one handle', db], ['two handles', database(t, {}, path)]]) {
    const listener = db.listen('go');
    const times = [];
    for (let i = 0; i < 100; i++) {
      const waiting = listener.next();
      await new Promise(setImmediate);
      const began = performance.now();
      other.notify('go', i);
      assert.equal((await waiting).payload, i);
      times.push(performance.now() - began);
    }
    listener.close();
    times.sort((a, b) => a - b);
    t.diagnostic(`${name}: median ${times[50].toFixed(3)} ms, fastest ${times[0].toFixed(3)} ms`);
    assert.ok(times[0] < 10, `${name}: ${times[0]} ms`);
  }
});

test('listeners, consumers, groups, workers and targets side by side, none blocking another', async (t) => {
  const db = database(t);
  const heard = { listener: 0, consumer: 0, slow: 0, group: 0, worker: 0, loop: 0, ephemeral: 0, durable: 0 };
  const [stream, queue] = [db.stream('s'), db.queue('q')];
  const each = async (name, items, work) => {
    for await (const item of items) {
      heard[name] += 1;
      await work?.(item);
    }
  };
  let release;
  const others = new Promise((done) => (release = done)); // who are faster, however busy the machine is
  const loops = [
    each('listener', db.listen('n:*')),
    each('consumer', stream.subscribe({ consumer: 'c' })),
    each('slow', stream.subscribe({ consumer: 'slow' }), () => others),
    each('group', stream.group('g').work()),
    each('loop', db.queue('l').work()),
  ];
  const worker = queue.process(async () => {
    heard.worker += 1;
    await sleep(1);
  });
  const [ephemeral, durable] = [db.eventTarget(), db.eventTarget({ mode: 'durable', stream: 's' })];
  ephemeral.addEventListener('n:1', () => void (heard.ephemeral += 1));
  durable.addEventListener('k:1', () => void (heard.durable += 1));
  let ticks = 0;
  const ticking = setInterval(() => (ticks += 1), 5);
  await sleep(30);
  const count = 100;
  for (let i = 0; i < count; i++) {
    db.transaction(() => {
      db.notify('n:1', i);
      stream.publish(i, { key: 'k:1' });
      queue.enqueue(i);
      db.queue('l').enqueue(i);
    });
    if (i % 10 === 0) await new Promise(setImmediate);
  }
  await until(() => Object.entries(heard).every(([name, number]) => name === 'slow' || number === count));
  clearInterval(ticking);
  assert.equal(heard.slow, 1);
  assert.ok(ticks > 2);
  release();
  await worker.close();
  db.close();
  await Promise.all(loops);
});

test('a rolled-back notification is never seen; when a committed one arrives its data can be read', async (t) => {
  const path = file(t);
  const [db, reader] = [database(t, {}, path), database(t, {}, path)];
  const nodes = shop(db);
  const readable = [];
  const loop = (async () => {
    for await (const { payload } of reader.listen('orders')) {
      assert.equal(payload.rolledBack, undefined);
      readable.push(reader.graph('shop').nodes.get(payload.key).attributes.total === payload.total);
      if (readable.length === 200) return;
    }
  })();
  await sleep(10);
  for (let i = 0; i < 400; i++) {
    try {
      db.transaction(() => {
        nodes.insert({ key: `${i}`, type: 'Order', attributes: { total: i, status: 'open' } });
        db.notify('orders', { key: `${i}`, total: i, ...(i % 2 === 0 ? { rolledBack: true } : {}) });
        if (i % 2 === 0) throw new Error('back');
      });
    } catch (error) {
      assert.equal(error.message, 'back');
    }
    if (i % 20 === 0) await new Promise(setImmediate);
  }
  await loop;
  assert.ok(readable.every(Boolean));
});

test('closing with everything active is clean, and the process ends', async (t) => {
  const { status, stdout, stderr } = await run('fixtures/active.mjs', [file(t)]);
  assert.deepEqual([status, stdout, stderr], [0, 'closed\nended: 8\n', '']);
});
