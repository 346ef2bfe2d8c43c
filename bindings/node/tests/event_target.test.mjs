import assert from 'node:assert/strict';
import { test } from 'node:test';
import { composite } from 'brant';
import { PATIENT, code, database, file, run, sleep, until } from './support.mjs';

const said = (detail) => ({ detail });

test('listeners of all handles hear what is dispatched, after the commit', async (t) => {
  const path = file(t);
  const [db, other] = [database(t, {}, path), database(t, {}, path)];
  const [here, there] = [db.eventTarget(), other.eventTarget()];
  const heard = [];
  here.addEventListener('order:17', ({ type, detail, id, created_at }) => heard.push(['here', type, detail, id > 0, created_at > 0]));
  there.addEventListener('order:*', { handleEvent: ({ type, detail }) => heard.push(['there', type, detail]) });
  there.addEventListener('order', () => assert.fail('another topic'));
  assert.equal(here.dispatchEvent(new CustomEvent('order:17', said({ paid: true }))), true);
  await until(() => heard.length === 2);
  assert.deepEqual(heard.sort(), [['here', 'order:17', { paid: true }, true, true], ['there', 'order:17', { paid: true }]]);
  assert.throws(() => db.transaction(() => (here.dispatchEvent(new CustomEvent('order:17', said('never'))), assert.fail('back'))));
  db.transaction(() => {
    here.dispatchEvent(new Event('order:18'));
    assert.equal(heard.length, 2);
  });
  await until(() => heard.length === 3);
  assert.deepEqual(heard[2], ['there', 'order:18', null]);
});

test('once, signal, removal and doubles are those of any event target', async (t) => {
  const db = database(t);
  const target = db.eventTarget();
  const heard = [];
  const listener = ({ detail }) => heard.push(detail);
  const controller = new AbortController();
  target.addEventListener('a:1', listener);
  target.addEventListener('a:1', listener);
  target.addEventListener('a:1', () => heard.push('once'), { once: true });
  target.addEventListener('a:1', () => heard.push('signal'), { signal: controller.signal });
  target.addEventListener('a:1', null);
  const send = async (detail, count) => {
    target.dispatchEvent(new CustomEvent('a:1', said(detail)));
    await until(() => heard.length === count);
  };
  await send(1, 3);
  controller.abort();
  await send(2, 4);
  assert.deepEqual(heard, [1, 'once', 'signal', 2]);
  target.removeEventListener('a:1', listener);
  target.dispatchEvent(new CustomEvent('a:1', said('nobody')));
  target.addEventListener('a:1', listener);
  await send(3, 5);
  assert.deepEqual(heard.at(-1), 3);
  assert.throws(() => db.transaction(() => target.addEventListener('b:1', listener)), code('MISUSE'));
});

test('many ids of a name are one cursor', async (t) => {
  const db = database(t);
  const target = db.eventTarget();
  const heard = [];
  for (let i = 0; i < 2000; i++) target.addEventListener(`session:${i}`, ({ type }) => heard.push(type));
  db.transaction(() => [3, 1999, 7].forEach((i) => target.dispatchEvent(new Event(`session:${i}`))));
  await until(() => heard.length === 3);
  assert.deepEqual(heard, ['session:3', 'session:1999', 'session:7']);
  const patterns = db.execute("SELECT count(*) FROM brant_wake").rows[0][0];
  assert.ok(patterns <= 2, `${patterns} registrations`);
});

test('a slow listener of an ephemeral target is given no more than the buffer, and told of what it missed', async (t) => {
  const db = database(t);
  const target = db.eventTarget({ buffer: 3 });
  db.setRetention('n:1', { count: 10 });
  const [handling, gaps, heard] = [[], [], []];
  let most = 0;
  target.addEventListener('n:1', ({ detail }) => {
    heard.push(detail);
    return new Promise((done) => {
      handling.push(done);
      most = Math.max(most, handling.length);
    });
  });
  target.addEventListener('gap', ({ gap, channel }) => gaps.push([gap, channel]));
  for (let i = 0; i < 5; i++) target.dispatchEvent(new CustomEvent('n:1', said(i)));
  await until(() => heard.length === 3);
  await sleep(50);
  assert.equal(heard.length, 3);
  // Later events wait in the file, where retention keeps the newest 10.
  db.transaction(() => {
    for (let i = 5; i < 1000; i++) target.dispatchEvent(new CustomEvent('n:1', said(i)));
  });
  db.maintain();
  await until(() => (handling.splice(0).forEach((done) => done()), heard.at(-1) === 999));
  assert.equal(most, 3);
  assert.equal(heard.at(-1), 999);
  assert.equal(gaps.length, 1);
  assert.equal(gaps[0][1], 'n:1');
  assert.ok(heard.length < 300, `${heard.length} heard`);
});

test('a durable target hands out one event at a time, and goes on where its consumer was', async (t) => {
  const path = file(t);
  const db = database(t, {}, path);
  const first = db.eventTarget({ mode: 'durable', stream: 'topics', consumer: 'c' });
  for (let i = 0; i < 5; i++) first.dispatchEvent(new CustomEvent(`n:${i}`, said(i)));
  let [open, most] = [0, 0];
  const heard = [];
  const failing = async ({ detail }) => {
    most = Math.max(most, ++open);
    await sleep(5);
    open--;
    if (detail === 3 && first.closed === false) throw new Error('not 3');
    heard.push(detail);
  };
  const errors = [];
  first.addEventListener('error', ({ error }) => errors.push(error.message));
  const closed = new Promise((done) => first.addEventListener('close', done));
  first.addEventListener('n:*', failing);
  await closed;
  assert.deepEqual([heard, most, errors], [[0, 1, 2], 1, ['not 3']]);
  await until(() => db.stream('topics').consumer('c').info().offset === 3);
  assert.throws(() => first.dispatchEvent(new Event('n:1')), code('CLOSED'));

  const second = database(t, {}, path).eventTarget({ mode: 'durable', stream: 'topics', consumer: 'c', errors: 'skip' });
  const later = [];
  second.addEventListener('n:3', ({ detail }) => {
    later.push(detail);
    throw new Error('again');
  });
  second.addEventListener('error', ({ error }) => later.push(error.message));
  second.addEventListener('n:4', (event) => event.waitUntil(sleep(5).then(() => later.push(event.detail))));
  await until(() => later.length === 3);
  assert.deepEqual(later, [3, 'again', 4]);
  second.close();
});

test('a durable target without a consumer hears what is new', async (t) => {
  const db = database(t);
  const target = db.eventTarget({ mode: 'durable' });
  target.dispatchEvent(new Event('a:1'));
  const heard = [];
  target.addEventListener('a:1', ({ id }) => heard.push(id));
  target.dispatchEvent(new Event('a:1'));
  await until(() => heard.length > 0);
  assert.deepEqual(heard, [2]);
  assert.equal(db.stream('events').read().items[0].key, 'a:1');
});

test('a composite listens to all and publishes to all', async (t) => {
  const [one, two] = [database(t), database(t)];
  const target = composite(one.eventTarget(), two.eventTarget({ mode: 'durable' }));
  const heard = [];
  const listener = ({ detail }) => heard.push(detail);
  target.addEventListener('a:1', listener);
  target.addEventListener('a:1', () => heard.push('once'), { once: true });
  target.dispatchEvent(new CustomEvent('a:1', said(7)));
  await until(() => heard.length === 3);
  assert.deepEqual(heard.sort(), [7, 7, 'once']);
  one.eventTarget().dispatchEvent(new CustomEvent('a:1', said(8)));
  await until(() => heard.length === 4);
  target.removeEventListener('a:1', listener);
  two.stream('events').publish(9, { key: 'a:1' });
  await sleep(30);
  target.close();
  target.close();
  assert.equal(heard.length, 4);
});

test('a target ends by its signal and with its database, and is bounded by what it is told', async (t) => {
  const db = database(t);
  const controller = new AbortController();
  const [one, two] = [db.eventTarget({ signal: controller.signal }), db.eventTarget({ mode: 'durable' })];
  const closed = [];
  for (const target of [one, two]) {
    target.addEventListener('a:1', () => undefined);
    target.addEventListener('close', () => closed.push(target));
  }
  controller.abort();
  assert.deepEqual(closed, [one]);
  db.close();
  await until(() => closed.length === 2);
  assert.throws(() => database(t).eventTarget({ mode: 'other' }), code('INVALID'));
  assert.throws(() => database(t).eventTarget({ buffer: 0 }), code('INVALID'));
});

test('an error of a listener is uncaught where nobody listens for errors', async (t) => {
  const { status, stdout } = await run('fixtures/target.mjs', [file(t), 'throw']);
  assert.deepEqual([status, stdout], [3, 'uncaught a fault\n']);
});

test('a target keeps the process alive while it listens', async (t) => {
  const unref = await run('fixtures/target.mjs', [file(t), 'unref']);
  assert.deepEqual([unref.status, unref.stdout], [0, 'end\n'], unref.stderr);
  const path = file(t);
  const db = database(t, PATIENT, path);
  let ended = false;
  const child = run('fixtures/target.mjs', [path, 'wait']).finally(() => (ended = true));
  for (await sleep(600); !ended; await sleep(100)) db.notify('go:1', 'on');
  const { status, stdout, stderr } = await child;
  assert.deepEqual([status, stdout], [0, 'end\non\n'], stderr);
});
