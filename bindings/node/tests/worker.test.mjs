import assert from 'node:assert/strict';
import { once } from 'node:events';
import { test } from 'node:test';
import { Worker } from 'node:worker_threads';
import { database, file, sleep, untyped } from './support.mjs';

const worker = (path, role, count = 0) =>
  new Worker(new URL('fixtures/worker.mjs', import.meta.url), { workerData: { path, role, count } });

test('Workers write to one file and wake each other', async (t) => {
  const path = file(t);
  const db = database(t, {}, path);
  const { nodes } = untyped(t, db);
  const listener = worker(path, 'listen', 200);
  const ended = once(listener, 'exit');
  assert.deepEqual(await once(listener, 'message'), ['listening']);
  const writers = [worker(path, 'write', 100), worker(path, 'write', 100)];
  const heard = once(listener, 'message');
  await Promise.all(writers.map((each) => once(each, 'exit').then(([status]) => assert.equal(status, 0))));
  assert.deepEqual(await heard, [200]);
  assert.equal(nodes.count(), 200);
  assert.equal((await ended)[0], 0);
});

test('a Worker that is terminated in the middle of a wait leaves the process well', async (t) => {
  const path = file(t);
  const db = database(t, {}, path);
  untyped(t, db);
  for (const role of ['wait', 'async', 'wait', 'async']) {
    const doomed = worker(path, role);
    await once(doomed, 'message');
    await sleep(20);
    await doomed.terminate();
  }
  const listener = db.listen('*');
  db.notify('a', 1);
  assert.equal((await listener.next(60_000)).payload, 1);
});

test('a Worker that ends by itself with everything open', async (t) => {
  const path = file(t);
  const left = worker(path, 'leave');
  const [status] = await once(left, 'exit');
  assert.equal(status, 0);
  assert.equal(database(t, {}, path).info().graphs, 0);
});

test('many Workers come and go at once', async (t) => {
  const path = file(t);
  untyped(t, database(t, {}, path));
  for (let round = 0; round < 3; round++) {
    const all = Array.from({ length: 8 }, () => worker(path, 'write', 5));
    await Promise.all(all.map((each) => once(each, 'exit').then(([status]) => assert.equal(status, 0))));
  }
  assert.equal(database(t, {}, path).graph('g').nodes.count(), 3 * 8 * 5);
});
