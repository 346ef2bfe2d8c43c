import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { after, code, countTurns, database, file, sleep, spin, until } from './support.mjs';

const fill = (stream, count, from = 0) => stream.publishMany(Array.from({ length: count }, (_, i) => ({ payload: from + i, key: `k${i % 3}` })));

test('events are published and read by offset, time and key', async (t) => {
  const stream = database(t).stream('s');
  assert.equal(stream.publish({ n: 1 }, { key: 'a' }), 1);
  assert.equal(stream.publish(new Uint8Array([0, 1, 2])), 2);
  assert.deepEqual(await stream.publishManyAsync([{ payload: 3 }, {}, { payload: 'x', key: 'a' }]), { first: 3, last: 5 });
  const { items, next } = stream.read();
  assert.equal(next, undefined);
  assert.deepEqual(items.map(({ offset, payload }) => [offset, payload]), [[1, { n: 1 }], [2, new Uint8Array([0, 1, 2])], [3, 3], [4, null], [5, 'x']]);
  assert.deepEqual(stream.read({ after: 3, limit: 1 }).items.map(({ offset }) => offset), [4]);
  assert.equal(stream.read({ after: 3, limit: 1 }).next, 4);
  assert.deepEqual(stream.read({ reverse: true, limit: 2 }).items.map(({ offset }) => offset), [5, 4]);
  assert.deepEqual(stream.read({ keys: ['a'] }).items.map(({ offset }) => offset), [1, 5]);
  assert.deepEqual((await stream.readAsync({ since: new Date(Date.now() + 60_000) })).items, []);
  assert.deepEqual([...stream.events({ after: 2 })].map(({ offset }) => offset), [3, 4, 5]);
  assert.equal(stream.latest('a').payload, 'x');
  assert.throws(() => stream.latest('b'), code('NOT_FOUND'));
  const { first, last, count } = stream.info();
  assert.deepEqual([first, last, count], [1, 5, 5]);
});

test('a subscription reads what is there and then what comes, from any process', async (t) => {
  const path = file(t);
  const db = database(t, {}, path);
  const stream = db.stream('s');
  fill(stream, 2500);
  const seen = [];
  const loop = (async () => {
    for await (const event of stream.subscribe({ from: 'start', batch: 100 })) if (seen.push(event.payload) === 2600) return;
  })();
  const other = database(t, {}, path);
  await until(() => seen.length === 2500);
  fill(other.stream('s'), 100, 2500);
  await loop;
  assert.deepEqual(seen, Array.from({ length: 2600 }, (_, i) => i));
  const behind = stream.subscribe({ from: 2598 })[Symbol.asyncIterator]();
  assert.equal((await behind.next()).value.offset, 2599);
  await behind.return();
  const live = stream.subscribe()[Symbol.asyncIterator]();
  const first = live.next();
  assert.throws(() => db.transaction(() => (stream.publish('never'), assert.fail('back'))));
  stream.publish('new');
  assert.equal((await first).value.payload, 'new');
  const keyed = stream.subscribe({ from: { time: 0 }, keys: ['k1'] })[Symbol.asyncIterator]();
  assert.equal((await keyed.next()).value.payload, 1);
  assert.equal((await keyed.next()).value.payload, 4);
});

test('a consumer goes on where it was, saved after each, in batches or by hand', async (t) => {
  const db = database(t);
  const stream = db.stream('s');
  fill(stream, 3000);
  const offset = (name) => stream.consumers().find(({ consumer }) => consumer === name)?.offset ?? 0;
  for (const [save, meanwhile, afterwards] of [['each', 10, 10], ['batch', 0, 10], ['manual', 0, 0]]) {
    let count = 0;
    for await (const event of stream.subscribe({ consumer: save, save })) {
      assert.equal(event.offset, ++count);
      if (count === 11) {
        assert.equal(offset(save), meanwhile, save);
        break;
      }
    }
    // The one that it was left at comes again.
    assert.equal(offset(save), afterwards, save);
    const next = (await stream.subscribe({ consumer: save })[Symbol.asyncIterator]().next()).value;
    assert.equal(next.offset, afterwards + 1);
  }
  // After 1000, while it runs; after a second, too, which a busy machine may take for them: once of some times it does not.
  let saved;
  for (let tries = 0; saved !== 1000 && tries < 10; tries++) {
    const consumer = `long${tries}`;
    let count = 0;
    for await (const _ of stream.subscribe({ consumer })) {
      if (++count === 1002) saved = offset(consumer);
      if (count === 2001) break;
    }
    assert.equal(offset(consumer), 2000);
  }
  assert.equal(saved, 1000);
});

test('a consumer is saved after a second when no more comes, and when it is closed', async (t) => {
  const db = database(t);
  const stream = db.stream('s');
  fill(stream, 5);
  const subscription = stream.subscribe({ consumer: 'c' });
  let count = 0;
  const loop = (async () => {
    for await (const _ of subscription) count += 1;
  })();
  await until(() => count === 5);
  await until(() => stream.consumer('c').info().offset === 5);
  assert.equal(stream.consumer('c').info().lag, 0);
  fill(stream, 2);
  await until(() => count === 7);
  await sleep(5);
  subscription.close();
  await loop;
  assert.equal(stream.consumer('c').info().offset, 7);
});

test('effect and offset are committed together: exactly once', async (t) => {
  const db = database(t);
  const stream = db.stream('s');
  fill(stream, 10);
  db.execute('CREATE TABLE seen (n INTEGER)');
  for (let round = 0; round < 4; round++) {
    const subscription = stream.subscribe({ consumer: 'c', save: 'manual' });
    await (async () => {
      for await (const { payload, offset } of subscription) {
        db.transaction(() => {
          db.execute('INSERT INTO seen VALUES (?)', [payload]);
          assert.equal(subscription.commit(), offset);
          // It breaks now and then; what was not committed comes again.
          if (offset % 3 === 0 && round * 3 < offset && Math.ceil(offset / 3) > round) throw new Error('broken');
        });
        if (offset === 10) return;
      }
    })().catch((error) => assert.equal(error.message, 'broken'));
    subscription.close();
  }
  assert.deepEqual(db.execute('SELECT n FROM seen ORDER BY rowid').rows.flat(), [0, 1, 2, 3, 4, 5, 6, 7, 8, 9]);
});

test('a loop in batches', async (t) => {
  const stream = database(t).stream('s');
  fill(stream, 250);
  const sizes = [];
  const subscription = stream.subscribe({ consumer: 'c', batch: 100, save: 'each' });
  for await (const events of subscription.batches()) {
    sizes.push(events.length);
    if (events.at(-1).offset === 250) {
      subscription.commit();
      break;
    }
  }
  assert.deepEqual(sizes, [100, 100, 50]);
  assert.equal(stream.consumer('c').info().offset, 250);
});

test('a slow reader holds up nobody, and is told of what was removed', async (t) => {
  const stream = database(t).stream('s');
  fill(stream, 100);
  const reader = stream.subscribe({ from: 'start', batch: 10 })[Symbol.asyncIterator]();
  assert.equal((await reader.next()).value.offset, 1);
  fill(stream, 1000, 100);
  assert.equal(stream.trim({ before: 501 }).trimmed, 500);
  const seen = [];
  for (let i = 0; i < 12; i++) seen.push((await reader.next()).value);
  assert.deepEqual(seen.slice(0, 9).map(({ offset }) => offset), [2, 3, 4, 5, 6, 7, 8, 9, 10]);
  assert.deepEqual(seen[9], { gap: { from: 11, to: 500 } });
  assert.deepEqual(seen.slice(10).map(({ offset }) => offset), [501, 502]);
  assert.deepEqual(stream.read({ after: 3, limit: 1 }).gap, { from: 4, to: 500 });
});

test('a subscription ends by close, signal and database', async (t) => {
  const db = database(t);
  const stream = db.stream('s');
  fill(stream, 3);
  const loop = async (subscription, seen = []) => {
    for await (const { offset } of subscription) seen.push(offset);
    return seen;
  };
  const closed = stream.subscribe({ from: 'start' });
  const seen = [];
  const first = loop(closed, seen);
  await until(() => seen.length === 3);
  closed.close();
  assert.deepEqual(await first, [1, 2, 3]);
  await assert.rejects(loop(stream.subscribe({ signal: AbortSignal.timeout(30) })), { name: 'TimeoutError' });
  assert.throws(() => stream.subscribe().commit(1), code('MISUSE'));
  assert.throws(() => stream.subscribe({ consumer: 'c', save: 'sometimes' }), code('INVALID'));
  const last = loop(stream.subscribe());
  const worked = [];
  const group = loop(stream.group('g', 'm').work(), worked);
  await until(() => worked.length === 3);
  db.close();
  assert.deepEqual(await last, []);
  assert.deepEqual(await group, [1, 2, 3]);
});

test('a loop over many events lets other work go on', async (t) => {
  const stream = database(t).stream('s');
  for (let i = 0; i < 20; i++) fill(stream, 10_000);
  const counter = countTurns();
  let count = 0;
  for await (const _ of stream.subscribe({ from: 'start', batch: 500 })) if (++count === 200_000) break;
  counter.stop();
  assert.ok(counter.turns > 10, `${counter.turns} turns`);
});

test('a loop whose body takes long does so within a batch, too, and so does a group', async (t) => {
  const stream = database(t).stream('s');
  fill(stream, 200);
  const loops = { subscription: stream.subscribe({ from: 'start' }), batches: stream.subscribe({ from: 'start', batch: 5 }).batches(), group: stream.group('g') };
  for (const [name, loop] of Object.entries(loops)) {
    const counter = countTurns();
    let count = 0;
    for await (const items of loop) {
      spin(1);
      if ((count += items.length ?? 1) === 200) break;
    }
    counter.stop();
    assert.ok(counter.turns > 2, `${name}: ${counter.turns} turns`);
  }
});

test('a group shares a stream, one event to one member, and takes back what a member lost', async (t) => {
  const path = file(t);
  const db = database(t, {}, path);
  const stream = db.stream('s');
  fill(stream, 100);
  const seen = [[], []];
  const controller = new AbortController();
  const loops = seen.map(async (mine, i) => {
    const member = (i === 0 ? db : database(t, {}, path)).stream('s').group('g', `m${i}`);
    for await (const { offset } of member.work({ batch: 5, signal: controller.signal })) {
      mine.push(offset);
      await sleep(1);
    }
  });
  await until(() => seen[0].length + seen[1].length === 100);
  stream.publish('more');
  await until(() => seen[0].length + seen[1].length === 101);
  controller.abort(new Error('enough'));
  await Promise.all(loops.map((loop) => assert.rejects(loop, /enough/)));
  assert.deepEqual(seen.flat().sort((a, b) => a - b), Array.from({ length: 101 }, (_, i) => i + 1));
  assert.ok(seen[0].length > 0 && seen[1].length > 0);
  assert.equal(stream.consumer('g').info().offset, 101);

  fill(stream, 3);
  const [one, two] = [stream.group('g', 'one', { lease: 50 }), stream.group('g', 'two', { lease: 60_000 })];
  const lost = one.claim({ limit: 2 }).items;
  assert.deepEqual(lost.map(({ offset, delivery }) => [offset, delivery]), [[102, 1], [103, 1]]);
  assert.deepEqual(one.extend([lost[1]], 60_000), { acked: 1, stale: [] });
  await sleep(80);
  const taken = two.claim({ limit: 5 }).items;
  assert.deepEqual(taken.map(({ offset, delivery }) => [offset, delivery]), [[102, 2], [104, 1]]);
  assert.deepEqual(one.ack(lost), { acked: 1, stale: [102] });
  assert.deepEqual(two.release([taken[1]]).stale, []);
  assert.equal(one.claim().items[0].offset, 104);
});

test('a member that leaves gives back what it had not acknowledged', async (t) => {
  const stream = database(t).stream('s');
  fill(stream, 5);
  for await (const { offset } of stream.group('g', 'a')) if (offset === 3) break;
  const { items } = stream.group('g', 'b').claim({ limit: 10 });
  assert.deepEqual(items.map(({ offset }) => offset), [3, 4, 5]);
});

test('a consumer that is killed anywhere goes on without loss or repetition where it commits with its effect', async (t) => {
  const path = file(t);
  const db = database(t, {}, path);
  db.execute('CREATE TABLE copied (n INTEGER)');
  fill(db.stream('s'), 4000);
  for (let round = 0; round < 3; round++) {
    const child = spawn(process.execPath, [fileURLToPath(new URL('fixtures/consume.mjs', import.meta.url)), path], { stdio: ['ignore', 'pipe', 'inherit'] });
    after(t, () => child.kill('SIGKILL'));
    await once(child.stdout, 'data');
    await sleep(20 + 15 * round);
    child.kill('SIGKILL');
    await once(child, 'close');
  }
  const subscription = db.stream('s').subscribe({ consumer: 'copy', save: 'manual' });
  const left = 4000 - db.stream('s').consumer('copy').info().offset;
  t.diagnostic(`${4000 - left} copied by those that were killed`);
  if (left > 0) {
    for await (const { payload, offset } of subscription) {
      db.transaction(() => (db.execute('INSERT INTO copied VALUES (?)', [payload]), subscription.commit()));
      if (offset === 4000) break;
    }
  }
  assert.deepEqual(db.execute('SELECT count(*), count(DISTINCT n), max(n) FROM copied').rows, [[4000, 4000, 3999]]);
});

test('streams are configured, listed, measured, compacted and deleted', async (t) => {
  const db = database(t);
  const stream = db.stream('a');
  assert.equal(stream.configure({ maxCount: 1000, compact: true, compactAfter: 0 }).policy.max_count, 1000);
  stream.publish(1, { key: 'x' });
  stream.publish(2, { key: 'x' });
  stream.publish(3);
  assert.equal(stream.compact().removed, 1);
  assert.equal((await stream.compactAsync()).removed, 0);
  assert.deepEqual(stream.read().items.map(({ offset }) => offset), [2, 3]);
  const consumer = stream.consumer('c');
  assert.deepEqual(consumer.commit(3), { offset: 3 });
  assert.deepEqual(consumer.commit(2), { offset: 3 });
  assert.equal(consumer.seek('start').offset < 3, true);
  assert.throws(() => stream.delete(), code('CONFLICT'));
  consumer.delete();
  assert.throws(() => consumer.info(), code('NOT_FOUND'));
  db.stream('b').configure();
  assert.deepEqual([...db.streams].map(({ stream: name }) => name), ['a', 'b']);
  assert.equal(stream.stats().last, 3);
  assert.equal(db.streams.stats().length, 2);
  stream.delete();
  assert.throws(() => stream.info(), code('NOT_FOUND'));
});
