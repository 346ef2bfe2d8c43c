import assert from 'node:assert/strict';
import { test } from 'node:test';
import { JobFailed } from 'brant';
import { code, database, file, sleep } from './support.mjs';

test('jobs go in and out, by priority and then in order', (t) => {
  const queue = database(t).queue('q');
  const first = queue.enqueue({ n: 1 });
  assert.deepEqual([first.state, first.duplicate], ['ready', false]);
  queue.enqueue(new Uint8Array([0, 255]), { priority: 5, key: 'k' });
  queue.enqueue();
  const later = queue.enqueue('later', { delay: 60_000 });
  assert.equal(later.state, 'delayed');
  const [bytes, json, nothing, ...more] = queue.claim({ limit: 10, worker: 'w', lease: 60_000 });
  assert.deepEqual(more, []);
  assert.deepEqual([bytes.payload, bytes.key, bytes.priority], [new Uint8Array([0, 255]), 'k', 5]);
  assert.deepEqual([json.id, json.payload, json.attempt, json.queue], [first.id, { n: 1 }, 1, 'q']);
  assert.equal(nothing.payload, null);
  assert.ok(json.lease_until > Date.now() && json.lease_until <= Date.now() + 60_000);
  assert.equal(json.settled, false);
  json.ack();
  assert.equal(json.settled, true);
  assert.throws(() => json.ack(), code('STALE'));
  nothing.release();
  assert.equal(queue.claim()[0].attempt, 1);
  const { running, delayed, completed, enqueued } = queue.stats();
  assert.deepEqual([running, delayed, completed, enqueued], [2, 1, 1, 4]);
});

test('a text is the key of a unique job', (t) => {
  const db = database(t);
  const queue = db.queue('q');
  const { id } = queue.enqueue(1, { unique: 'k' });
  assert.deepEqual([queue.enqueue(2, { unique: 'k' }).id, queue.enqueue(3, { unique: { key: 'k' } }).id], [id, id]);
  assert.deepEqual(queue.enqueueMany([{ payload: 4, unique: 'k' }]), { ids: [id], duplicates: 1 });
  assert.deepEqual(db.schedules.set('s', '@daily', { queue: 'q', options: { unique: 'k' } }).options.unique, { key: 'k' });
});

test('what would be lost silently is refused', async (t) => {
  const db = database(t);
  const queue = db.queue('q');
  assert.throws(() => queue.enqueue(() => 1), { code: 'INVALID', message: 'a function is no payload: it has no JSON form' });
  assert.throws(() => db.stream('s').publish(Symbol('x')), code('INVALID'));
  assert.throws(() => db.stream('s').subscribe('mail'), { code: 'INVALID', message: /subscribe\(\{ consumer: 'mail' \}\)/ });
  assert.throws(() => db.schedules.set('s', '@daily'), { code: 'INVALID', message: /queue/ });
  // Payloads where jobs and events are expected, and what is no list.
  const stream = db.stream('s');
  for (const many of [[1], ['a'], [{ to: 'ann' }], [[]], [null], 5, 'ab', null, undefined, { payload: 1 }]) {
    assert.throws(() => queue.enqueueMany(many), code('INVALID', ({ message }) => assert.match(message, /items/)));
    assert.throws(() => stream.publishMany(many), code('INVALID', ({ message }) => assert.match(message, /items/)));
    await assert.rejects(queue.enqueueManyAsync(many), code('INVALID'));
    await assert.rejects(stream.publishManyAsync(many), code('INVALID'));
  }
  // A promise is what they answer, whatever is wrong.
  await assert.rejects(queue.enqueueManyAsync([{ payload: () => 1 }]), code('INVALID'));
  await assert.rejects(stream.publishManyAsync([{ payload: Symbol('x') }]), code('INVALID'));
  assert.throws(() => db.outbox('mails', 'deliver'), code('INVALID', ({ message }) => assert.match(message, /deliver/)));
  assert.throws(() => db.session(), code('INVALID'));
  assert.deepEqual([[...db.queues], [...db.streams]], [[], []]);
});

test('a moment is a number or a Date', (t) => {
  const queue = database(t).queue('q');
  const at = new Date(Date.now() + 60_000);
  const { id } = queue.enqueue(1, { runAt: at, expiresAt: new Date(at.getTime() + 1), maxAttempts: 3, resultTtl: 5 });
  const [job] = queue.list().items;
  assert.deepEqual([job.id, job.run_at, job.expires_at, job.max_attempts], [id, at.getTime(), at.getTime() + 1, 3]);
});

test('a failed job keeps its errors with their stacks, and dies', (t) => {
  const db = database(t);
  const queue = db.queue('q');
  queue.configure({ maxAttempts: 2, backoff: { base: 0, jitter: 0 } });
  const { id } = queue.enqueue('x');
  const cause = Object.assign(new Error('no route'), { code: 'EHOSTUNREACH' });
  const failure = queue.claim({ worker: 'w' })[0].fail(new TypeError('first', { cause }));
  assert.ok(['ready', 'delayed'].includes(failure.state));
  const [job] = queue.claim();
  assert.equal(job.attempt, 2);
  assert.deepEqual(job.fail('second'), { state: 'dead' });
  const { state, errors } = db.jobs.get(id);
  assert.equal(state, 'dead');
  assert.deepEqual(errors.map(({ attempt, message, worker }) => [attempt, message, worker]), [[1, 'first', 'w'], [2, 'second', undefined]]);
  assert.match(errors[0].stack, /^TypeError: first\n +at .*queue\.test\.mjs[^]*caused by Error: no route/);
  assert.deepEqual(queue.requeue(), { requeued: 1 });
  const again = queue.claim()[0];
  assert.equal(again.attempt, 1);
  assert.deepEqual(again.fail(cause, { retry: false }), { state: 'dead' });
  assert.equal(db.jobs.get(id).errors.at(-1).code, 'EHOSTUNREACH');
});

test('data and job are committed together', (t) => {
  const db = database(t);
  const queue = db.queue('q');
  db.execute('CREATE TABLE done (id INTEGER)');
  assert.throws(() => db.transaction(() => (queue.enqueue(1), assert.fail('back'))));
  assert.equal(queue.claim().length, 0);
  queue.enqueue(2);
  const [job] = queue.claim();
  db.transaction(() => {
    db.execute('INSERT INTO done VALUES (?)', [job.payload]);
    job.ack();
  });
  assert.deepEqual(db.execute('SELECT id FROM done').rows, [[2]]);
  assert.throws(() => db.jobs.get(job.id), code('NOT_FOUND'));
});

test('chains and graphs of jobs go in one call', async (t) => {
  const db = database(t);
  const queue = db.queue('q');
  const { ids, duplicates } = queue.enqueueMany([{ payload: 'a' }, { payload: 'b', after: [{ item: 0 }] }, { payload: 'c', after: [{ item: 0 }, { item: 1 }] }]);
  assert.deepEqual([ids.length, duplicates], [3, 0]);
  assert.deepEqual(db.jobs.get(ids[2]).after, [ids[0], ids[1]]);
  for (const expected of ['a', 'b', 'c']) {
    const [job, ...more] = queue.claim({ limit: 5 });
    assert.deepEqual([job.payload, more.length], [expected, 0]);
    job.ack();
  }
  assert.equal((await queue.enqueueManyAsync([{ payload: 1 }, { payload: 2 }])).ids.length, 2);
  assert.equal((await queue.enqueueAsync(3)).state, 'ready');
});

test('unique jobs are skipped, replaced or moved', (t) => {
  const db = database(t);
  const queue = db.queue('q');
  const unique = { key: 'u' };
  const { id } = queue.enqueue(1, { unique, delay: 600_000 });
  const same = queue.enqueue(2, { unique });
  assert.deepEqual([same.id, same.duplicate, same.action], [id, true, 'skipped']);
  assert.equal(queue.enqueue(3, { unique: { ...unique, onConflict: 'replace' } }).action, 'replaced');
  assert.equal(db.jobs.get(id).payload, 3);
  assert.equal(queue.enqueue(4, { unique: { ...unique, onConflict: 'reschedule' }, delay: 5_000_000 }).action, 'rescheduled');
  assert.ok(db.jobs.get(id).run_at > Date.now() + 4_000_000);
});

test('acks ride on a claim, and those of lost claims are stale', async (t) => {
  const queue = database(t).queue('q');
  queue.enqueueMany([{ payload: 1 }, { payload: 2 }, { payload: 3 }]);
  const [one, two] = queue.claim({ limit: 2, lease: 1 });
  await sleep(5);
  const { jobs, acked, stale } = queue.claimAndAck([one], { limit: 1 });
  assert.deepEqual([jobs.length, acked, stale], [1, 1, []]);
  const later = queue.claim({ limit: 5 });
  assert.ok(later.some(({ id }) => id === two.id) || jobs[0].id === two.id);
  assert.deepEqual(queue.claimAndAck([two]).stale, [two.id]);
});

test('a result is waited for, and so is a failure', async (t) => {
  const db = database(t);
  const queue = db.queue('q');
  queue.configure({ resultTtl: 60_000 });
  const [done, dead, never] = queue.enqueueMany([{}, {}, {}]).ids;
  const waiting = queue.result(done);
  const failing = assert.rejects(queue.result(dead, { timeout: 60_000 }), (error) => {
    assert.ok(error instanceof JobFailed);
    assert.deepEqual([error.code, error.job.state, error.job.errors[0].message], ['CONFLICT', 'dead', 'bad']);
    return code('CONFLICT')(error);
  });
  const [first, second] = queue.claim({ limit: 2 });
  first.ack({ sum: 7 });
  second.fail('bad', { retry: false });
  assert.deepEqual(await waiting, { sum: 7 });
  await failing;
  assert.deepEqual(await queue.result(done), { sum: 7 });
  await assert.rejects(queue.result(never, { timeout: 20 }), code('TIMEOUT'));
  await assert.rejects(queue.result(never, { signal: AbortSignal.timeout(20) }), { name: 'TimeoutError' });
  await assert.rejects(queue.result(10 ** 9), code('NOT_FOUND'));
  const seen = [];
  for await (const job of db.jobs.watch(done)) seen.push(job.state);
  assert.deepEqual(seen, ['done']);
  assert.equal((await db.jobs.finished(dead)).state, 'dead');
});

test('queues are configured, paused, drained, listed and deleted', (t) => {
  const db = database(t);
  const queue = db.queue('a');
  const info = queue.configure({ lease: 1000, rateLimit: { limit: 5, period: 1000 }, keyConcurrency: 2 });
  assert.deepEqual([info.policy.lease, info.policy.rate_limit, info.policy.key_concurrency, info.policy.max_attempts], [1000, { limit: 5, period: 1000 }, 2, 20]);
  assert.equal(queue.configure({ lease: null }).policy.lease, 30_000);
  queue.enqueue(1);
  assert.equal(queue.pause().state, 'paused');
  assert.deepEqual(queue.claim(), []);
  assert.equal(queue.drain().state, 'draining');
  assert.throws(() => queue.enqueue(2), code('CONFLICT'));
  assert.equal(queue.resume().state, 'active');
  const [job] = queue.claim();
  assert.throws(() => queue.delete(), code('CONFLICT'));
  job.fail('x', { retry: false });
  assert.deepEqual([...queue.jobs({ state: 'dead' })].map(({ id }) => id), [job.id]);
  assert.deepEqual(queue.prune({ states: ['dead'] }), { pruned: 1 });
  db.queue('b').configure();
  assert.deepEqual([...db.queues].map(({ queue: name }) => name), ['a', 'b']);
  assert.equal(db.queues.stats().length, 2);
  db.queue('b').delete();
  assert.throws(() => db.queue('b').info(), code('NOT_FOUND'));
});

test('jobs by their id', (t) => {
  const db = database(t);
  const { jobs } = db;
  const queue = db.queue('q');
  const [one, two, three] = queue.enqueueMany([{ payload: 1, priority: 2 }, { payload: 2, priority: 1 }, {}]).ids;
  assert.equal(jobs.update(two, { priority: 9, payload: 'new' }).payload, 'new');
  assert.equal(jobs.cancel(three).state, 'cancelled');
  assert.throws(() => jobs.cancel(three), code('CONFLICT'));
  assert.equal(jobs.requeue(three).state, 'ready');
  jobs.delete(three);
  const [job, other] = queue.claim({ limit: 2 });
  assert.deepEqual([job.id, other.id], [two, one]);
  assert.throws(() => jobs.delete(two), code('CONFLICT'));
  assert.equal(jobs.heartbeat(job, { progress: 0.5 }).cancel_requested, false);
  assert.equal(jobs.get(two).progress, 0.5);
  assert.equal(jobs.cancel(two).state, 'running');
  const beats = jobs.heartbeatMany([job, other, { id: one, token: 77 }]);
  assert.deepEqual(beats.map(({ cancel_requested, stale }) => [cancel_requested, stale]), [[true, undefined], [undefined, undefined], [undefined, true]]);
  assert.equal(job.heartbeat().cancel_requested, true);
  assert.equal(job.signal.aborted, true);
  assert.equal(jobs.fail(job, new Error('stopped')).state, 'cancelled');
  assert.ok(jobs.snooze(other, 60_000).run_at > Date.now());
  assert.throws(() => jobs.get(10 ** 9), code('NOT_FOUND'));
  assert.deepEqual(jobs.ackMany([job]), { acked: 0, stale: [two] });
});

test('two handles share a queue', async (t) => {
  const path = file(t);
  const [one, two] = [database(t, {}, path).queue('q'), database(t, {}, path).queue('q')];
  const watch = one.watch();
  assert.deepEqual(watch.poll(), []);
  const waiting = watch.next(60_000);
  two.enqueue(1);
  assert.equal((await waiting).ready, true);
  assert.equal(one.claim().length, 1);
  assert.equal(two.claim().length, 0);
});
