import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { createInterface } from 'node:readline';
import { test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { Worker as Thread } from 'node:worker_threads';
import { PATIENT, after, code, countTurns, database, file, run, sleep, spin, until } from './support.mjs';

/** What a worker says, as it says it. */
function heard(worker) {
  const events = [];
  for (const type of ['active', 'completed', 'failed', 'stalled', 'released', 'drained', 'close']) {
    worker.addEventListener(type, (event) => events.push([type, event.job?.payload ?? null]));
  }
  return events;
}

/** A process of fixtures/jobs.mjs, and the lines that it prints. */
function start(t, path, how) {
  const child = spawn(process.execPath, [fileURLToPath(new URL('fixtures/jobs.mjs', import.meta.url)), path, how], { stdio: ['ignore', 'pipe', 'inherit'] });
  after(t, () => child.kill('SIGKILL'));
  const lines = [];
  createInterface({ input: child.stdout }).on('line', (line) => lines.push(line));
  return { child, lines, ended: once(child, 'close') };
}

test('a worker runs what comes, some at once, and says so', async (t) => {
  const db = database(t);
  const queue = db.queue('q');
  queue.configure({ resultTtl: 60_000, maxAttempts: 1 });
  queue.enqueueMany([1, 2, 3].map((payload) => ({ payload })));
  let [running, most] = [0, 0];
  const worker = queue.process(
    async (job) => {
      most = Math.max(most, ++running);
      await sleep(20);
      running--;
      if (job.payload === 2) throw new Error('not this one');
      return job.payload * 10;
    },
    { concurrency: 2 },
  );
  const events = heard(worker);
  const failures = [];
  worker.addEventListener('failed', ({ error, state }) => failures.push([error.message, state]));
  const { id } = queue.enqueue(4);
  assert.equal(await queue.result(id, { timeout: 60_000 }), 40);
  await until(() => events.at(-1)[0] === 'drained');
  assert.equal(most, 2);
  assert.deepEqual(failures, [['not this one', 'dead']]);
  assert.deepEqual(events.filter(([type]) => type === 'completed').map(([, payload]) => payload), [1, 3, 4]);
  await worker.close();
  assert.deepEqual(events.at(-1), ['close', null]);
  await worker.finished;
  const { done, dead, running: left } = queue.stats();
  assert.deepEqual([done, dead, left], [3, 1, 0]);
});

test('a worker that waits is woken within the process, and by another', async (t) => {
  const path = file(t);
  const db = database(t, PATIENT, path);
  const other = database(t, {}, path).queue('q');
  const times = [];
  let began = 0;
  const worker = db.queue('q').process(() => void times.push(performance.now() - began));
  after(t, () => worker.close());
  await sleep(50);
  for (let i = 1; i <= 50; i++) {
    began = performance.now();
    other.enqueue(i);
    await until(() => times.length === i);
    await sleep(1);
  }
  times.sort((a, b) => a - b);
  t.diagnostic(`from enqueue to handler: median ${times[25].toFixed(2)} ms`);
  assert.ok(times[0] < 100, `fastest ${times[0]} ms`);
  const count = times.length;
  await run('fixtures/jobs.mjs', [path, 'enqueue']);
  await until(() => times.length > count);
});

test('a delayed job is run when it is due, without anybody saying so', async (t) => {
  for (const path of [file(t), ':memory:']) {
    const db = database(t, {}, path);
    let ran;
    const worker = db.queue('q').process(() => (ran = Date.now()));
    await sleep(20);
    const due = Date.now() + 200;
    db.queue('q').enqueue(1, { runAt: due });
    await until(() => ran !== undefined);
    assert.ok(ran >= due && ran < due + 60_000, `${ran - due} ms late`);
    await worker.close();
  }
});

test('heartbeats keep a job that takes longer than its lease', async (t) => {
  const db = database(t);
  const queue = db.queue('q');
  queue.configure({ lease: 800 });
  queue.enqueue('long');
  const leases = [];
  const worker = queue.process(async (job) => {
    const claimed = job.lease_until;
    // As long as it takes for the lease to be longer than it was by more than all of it: without a heartbeat it never is.
    await until(() => job.lease_until > claimed + 800);
    leases.push(job.attempt, db.jobs.get(job.id).lease_until === job.lease_until);
  });
  await until(() => queue.stats().completed === 1);
  assert.deepEqual(leases, [1, true]);
  await worker.close();
});

test('a lost lease is said, the signal aborted, and what the handler did counts for nothing', async (t) => {
  const queue = database(t).queue('q');
  queue.configure({ lease: 60, backoff: { base: 0, jitter: 0 } });
  queue.enqueue('x');
  let signal;
  const worker = queue.process(async (job) => {
    if (job.attempt > 1) return;
    // Standing still for longer than the lease, as a process that was suspended.
    for (const end = Date.now() + 150; Date.now() < end; );
    const [other] = queue.claim({ worker: 'other', lease: 60_000 });
    assert.equal(other.attempt, 2);
    signal = job.signal;
    await sleep(100);
    other.ack();
  });
  const events = heard(worker);
  await until(() => events.some(([type]) => type === 'stalled'));
  assert.equal(signal.aborted, true);
  assert.equal(signal.reason.code, 'STALE');
  await until(() => queue.stats().completed === 1);
  assert.equal(queue.stats().failed <= 1, true);
  await worker.close();
  assert.deepEqual(events.filter(([type]) => type === 'completed'), []);
});

test('a running job is cancelled by its signal, at once', async (t) => {
  const path = file(t);
  const db = database(t, {}, path);
  const queue = db.queue('q');
  queue.configure({ lease: 600_000 }); // whose heartbeats, which would tell it too, are minutes away
  const { id } = queue.enqueue('x');
  const worker = queue.process(({ signal }) => new Promise((_, reject) => signal.addEventListener('abort', () => reject(signal.reason))));
  const events = heard(worker);
  await until(() => events.some(([type]) => type === 'active'));
  await sleep(20);
  assert.equal(database(t, {}, path).jobs.cancel(id).state, 'running');
  await until(() => events.some(([type]) => type === 'failed'));
  assert.equal(db.jobs.get(id).state, 'cancelled');
  await worker.close();
});

test('closing lets run what runs, and releases what does not end in time', async (t) => {
  const queue = database(t).queue('q');
  queue.enqueueMany([{ payload: 'short' }, { payload: 'endless' }, { payload: 'next' }]);
  let end;
  const ending = new Promise((done) => (end = done));
  const worker = queue.process(({ payload }) => (payload === 'short' ? ending : new Promise(() => undefined)), { concurrency: 2 });
  const events = heard(worker);
  await until(() => events.filter(([type]) => type === 'active').length === 2);
  const closed = worker.close({ grace: 600_000 });
  end();
  await until(() => events.some(([type]) => type === 'completed'));
  assert.equal(worker.running, 1);
  // A later one may shorten the grace.
  await Promise.all([worker.close({ grace: 30 }), closed, worker.close(), worker.finished]);
  assert.deepEqual(events, [['active', 'short'], ['active', 'endless'], ['completed', 'short'], ['released', 'endless'], ['close', null]]);
  const again = queue.claim({ limit: 5 });
  assert.deepEqual(again.map(({ payload, attempt }) => [payload, attempt]), [['endless', 1], ['next', 1]]);
});

test('a handler that heeds its signal is not waited for, and its attempt does not count', async (t) => {
  const queue = database(t).queue('q');
  queue.enqueue('x');
  const controller = new AbortController();
  const worker = queue.process(({ signal }) => new Promise((_, reject) => signal.addEventListener('abort', () => reject(signal.reason))), {
    grace: 20,
    signal: controller.signal,
  });
  const events = heard(worker);
  await until(() => events.length > 0);
  controller.abort();
  await worker.finished;
  assert.deepEqual(events, [['active', 'x'], ['released', 'x'], ['close', null]]);
  assert.equal(queue.claim()[0].attempt, 1);
});

test('what a handler settles by itself stays so, unless its transaction is rolled back', async (t) => {
  const db = database(t);
  const queue = db.queue('q');
  queue.configure({ backoff: { base: 60_000 } });
  db.execute('CREATE TABLE done (id INTEGER)');
  queue.enqueueMany(['ack', 'snooze', 'fail', 'together', 'rolled back', 'released'].map((payload) => ({ payload })));
  const worker = queue.process((job) => {
    if (job.payload === 'ack') job.ack();
    if (job.payload === 'snooze') job.snooze(60_000);
    if (job.payload === 'fail') job.fail('no', { retry: false });
    if (job.payload === 'released') return job.snooze(90_000), undefined;
    if (job.payload === 'together') db.transaction(() => (db.execute('INSERT INTO done VALUES (1)'), job.ack()));
    if (job.payload === 'rolled back') {
      db.transaction(() => {
        job.ack();
        throw new Error('taken back');
      });
    }
    return undefined;
  });
  const events = heard(worker);
  await until(() => events.some(([type]) => type === 'drained'));
  await worker.close();
  const { completed, delayed, dead, running } = queue.stats();
  assert.deepEqual({ completed, delayed, dead, running }, { completed: 2, delayed: 3, dead: 1, running: 0 });
  assert.deepEqual(events.filter(([type]) => type === 'failed'), [['failed', 'rolled back']]);
});

test('a result that cannot be kept is a failure of that job only', async (t) => {
  const queue = database(t).queue('q');
  queue.configure({ maxAttempts: 1, resultTtl: 1000 });
  const circular = {};
  circular.self = circular;
  queue.enqueueMany([{ payload: 1 }, { payload: 2 }, { payload: 3 }]);
  const worker = queue.process((job) => (job.payload === 2 ? circular : { n: 7n }), { concurrency: 3 });
  const events = heard(worker);
  await until(() => events.some(([type]) => type === 'drained'));
  await worker.close();
  assert.deepEqual(events.filter(([type]) => type === 'failed' || type === 'completed').map(([type, payload]) => `${type} ${payload}`).sort(), ['completed 1', 'completed 3', 'failed 2']);
  assert.match([...queue.jobs({ state: 'dead' })][0].errors[0].message, /circular/);
});

test('a worker takes no part in a transaction that the user has open', async (t) => {
  const db = database(t);
  const queue = db.queue('q');
  const ran = [];
  const worker = queue.process((job) => void ran.push(job.payload));
  await sleep(30);
  db.begin();
  queue.enqueue(1);
  await sleep(60);
  assert.deepEqual(ran, []);
  db.rollback();
  queue.enqueue(2);
  await until(() => ran.length > 0);
  await worker.close();
  assert.deepEqual(ran, [2]);
});

test('another writer that holds the file for long is waited for', async (t) => {
  const path = file(t);
  const db = database(t, { busyTimeout: 5 }, path);
  const other = database(t, {}, path);
  const queue = db.queue('q');
  queue.enqueueMany([{ payload: 1 }, { payload: 2 }]);
  let count = 0;
  const worker = queue.process(async () => void (count += 1));
  other.begin();
  await sleep(100);
  assert.equal(count, 0);
  other.commit();
  await until(() => count === 2);
  other.begin();
  const closed = worker.close();
  await sleep(50);
  other.commit();
  await closed;
  assert.equal(queue.stats().completed, 2);
});

test('the database may be closed under a worker, and under a loop', async (t) => {
  const db = database(t);
  const queue = db.queue('q');
  const idle = queue.process(() => undefined);
  queue.enqueue('x');
  let reason;
  const busy = db.queue('b').process(({ signal }) => new Promise((done) => signal.addEventListener('abort', () => done((reason = signal.reason)))));
  db.queue('b').enqueue(1);
  const loop = (async () => {
    for await (const job of db.queue('c').work()) assert.fail(job);
  })();
  await until(() => busy.running === 1);
  await sleep(30);
  db.close();
  await Promise.all([idle.finished, busy.finished, loop]);
  assert.equal(reason.code, 'CLOSED');
});

test('a worker that cannot go on says so', async (t) => {
  const path = file(t);
  database(t, {}, path).queue('q').enqueue(1);
  const worker = database(t, { mode: 'ro' }, path).queue('q').process(() => undefined);
  await assert.rejects(worker.finished, code('READ_ONLY'));
  assert.throws(() => database(t).queue('q').process(5), code('INVALID'));
  assert.throws(() => database(t).queue('q').process(() => 1, { concurrency: 0 }), code('INVALID'));
});

test('a loop acks what it comes back from, fails what it leaves, and ends by its signal', async (t) => {
  const db = database(t);
  const queue = db.queue('q');
  queue.configure({ resultTtl: 60_000, backoff: { base: 60_000 } });
  const { ids } = queue.enqueueMany([1, 2, 3, 4].map((payload) => ({ payload })));
  const seen = [];
  for await (const job of queue.work({ worker: 'w' })) {
    seen.push(job.payload);
    if (job.payload === 2) job.ack('two');
    if (job.payload === 3) break;
  }
  assert.deepEqual(seen, [1, 2, 3]);
  const [one, two, three, four] = ids.map((id) => db.jobs.get(id));
  assert.deepEqual([one.state, two.state, two.result, three.state, four.state], ['done', 'done', 'two', 'delayed', 'ready']);
  assert.match(three.errors[0].message, /left/);

  const controller = new AbortController();
  const loop = (async () => {
    for await (const job of queue.work({ signal: controller.signal })) seen.push(job.payload);
  })();
  await until(() => seen.length === 4);
  await sleep(30);
  controller.abort(new Error('enough'));
  await assert.rejects(loop, /enough/);
  assert.equal(db.jobs.get(ids[3]).state, 'done');
  await assert.rejects(queue.work({ signal: AbortSignal.abort() }).next(), { name: 'AbortError' });
});

test('a loop lets other work go on, and releases what it claimed and did not come to', async (t) => {
  const db = database(t);
  const queue = db.queue('q');
  queue.enqueueMany(Array.from({ length: 100 }, (_, payload) => ({ payload })));
  const counter = countTurns();
  let count = 0;
  for await (const job of queue.work()) {
    spin(1);
    job.ack();
    if (++count === 100) break;
  }
  counter.stop();
  assert.ok(counter.turns > 2, `${counter.turns} turns`);

  queue.enqueueMany([1, 2, 3].map((payload) => ({ payload })));
  const controller = new AbortController();
  const held = [];
  const loop = (async () => {
    for await (const job of queue.work({ concurrency: 3, signal: controller.signal })) if (held.push(job) === 2) controller.abort(new Error('enough'));
  })();
  await assert.rejects(loop, /enough/);
  assert.equal(held.length, 2);
  assert.deepEqual(queue.claim({ limit: 9 }).map(({ payload, attempt }) => [payload, attempt]), [[3, 1]]);
});

test('a loop all of whose jobs are unsettled ends with its database', async (t) => {
  const db = database(t);
  db.queue('q').enqueueMany([{}, {}, {}]);
  const held = [];
  const loop = (async () => {
    for await (const job of db.queue('q').work({ concurrency: 2 })) held.push(job);
  })();
  await until(() => held.length === 2);
  await sleep(20);
  db.close();
  await loop;
  assert.ok(held.every(({ signal }) => signal.aborted));
});

test('a lease may be longer than a timer can be', async (t) => {
  const db = database(t);
  const queue = db.queue('q');
  const warnings = [];
  const hear = (warning) => warnings.push(warning.name);
  process.on('warning', hear);
  after(t, () => process.off('warning', hear));
  const ttl = 300 * 86_400_000; // of which a third is more than 2^31 ms
  queue.configure({ lease: ttl });
  queue.enqueue(1);
  db.stream('s').publish(1);
  const worker = queue.process(() => sleep(50));
  const lease = await db.lock('l', { ttl }).acquire();
  for await (const _ of db.stream('s').group('g', 'm', { lease: ttl })) {
    await sleep(50);
    break;
  }
  await until(() => queue.stats().completed === 1);
  await worker.close();
  await lease.release();
  assert.deepEqual(warnings, []);
});

test('a loop over several jobs at once leaves settling to its body', async (t) => {
  const queue = database(t).queue('q');
  queue.configure({ lease: 30_000 });
  queue.enqueueMany(Array.from({ length: 9 }, (_, payload) => ({ payload })));
  let [open, most, count] = [0, 0, 0];
  for await (const job of queue.work({ concurrency: 3 })) {
    most = Math.max(most, ++open);
    // The first as long as it takes for a heartbeat to come.
    const claimed = job.lease_until;
    void (job.payload === 0 ? until(() => job.lease_until > claimed) : sleep(20)).then(() => {
      open--;
      job.ack();
    });
    if (++count === 9) break;
  }
  assert.equal(most, 3);
  await until(() => queue.stats().completed === 9);
});

test('a worker that is killed loses its job to another, after the lease', async (t) => {
  const path = file(t);
  const db = database(t, PATIENT, path);
  const queue = db.queue('q');
  queue.configure({ lease: 400, backoff: { base: 0, jitter: 0 } });
  const { id } = queue.enqueue('x');
  const { child, lines, ended } = start(t, path, 'stuck');
  await until(() => lines.length > 0);
  assert.equal(lines[0], `claimed ${id} 1`);
  // It keeps the job as long as it lives.
  const claimed = db.jobs.get(id).lease_until;
  await until(() => db.jobs.get(id).lease_until > claimed + 400);
  child.kill('SIGKILL');
  await ended;
  const done = [];
  const worker = queue.process((job) => void done.push([job.id, job.attempt]));
  await until(() => done.length > 0);
  await worker.close();
  assert.deepEqual(done, [[id, 2]]);
});

test('SIGTERM ends a worker gently', async (t) => {
  const path = file(t);
  const queue = database(t, {}, path).queue('q');
  const { ids } = queue.enqueueMany([{}, {}, {}]);
  const { child, lines, ended } = start(t, path, 'gentle');
  await until(() => lines.length === 2);
  child.kill('SIGTERM');
  const [status] = await ended;
  assert.equal(status, 0);
  assert.deepEqual(lines.slice().sort(), [`claimed ${ids[0]}`, `claimed ${ids[1]}`, 'closed', `completed ${ids[0]}`, `completed ${ids[1]}`].sort());
  assert.deepEqual(queue.claim({ limit: 5 }).map(({ id }) => id), [ids[2]]);
});

test('two processes and two threads share a queue, and no job is done twice', async (t) => {
  const path = file(t);
  const db = database(t, {}, path);
  db.execute('CREATE TABLE done (job INTEGER, process INTEGER)');
  db.queue('q').enqueueMany(Array.from({ length: 600 }, () => ({})));
  const thread = () =>
    new Promise((done, reject) => {
      const worker = new Thread(new URL('fixtures/jobs.mjs', import.meta.url), { argv: [path, 'drain'], stdout: true });
      let text = '';
      worker.stdout.on('data', (data) => (text += data)).on('end', () => done(Number(text)));
      worker.on('error', reject);
    });
  const counts = await Promise.all([
    run('fixtures/jobs.mjs', [path, 'drain']).then(({ stdout }) => Number(stdout)),
    run('fixtures/jobs.mjs', [path, 'drain']).then(({ stdout }) => Number(stdout)),
    thread(),
    thread(),
  ]);
  assert.equal(counts.reduce((sum, count) => sum + count), 600);
  assert.deepEqual(db.execute('SELECT count(*), count(DISTINCT job) FROM done').rows, [[600, 600]]);
  assert.equal(db.queue('q').stats().completed, 600);
});

test('a worker keeps the process alive while it waits, unless it is told not to', async (t) => {
  const path = file(t);
  const unref = await run('fixtures/jobs.mjs', [path, 'unref']);
  assert.deepEqual([unref.status, unref.stdout], [0, 'end\n'], unref.stderr);
  const { lines, ended } = start(t, path, 'idle');
  await until(() => lines.length === 1);
  await sleep(700);
  database(t, PATIENT, path).queue('q').enqueue('go');
  assert.deepEqual([(await ended)[0], lines], [0, ['waiting', 'go']]);
});

test('an outbox delivers what was committed, and tries again', async (t) => {
  const db = database(t);
  const delivered = [];
  const outbox = db.outbox('mail', (message, job) => {
    if (job.attempt === 1) throw new Error('not yet');
    delivered.push(message);
  });
  outbox.queue.configure({ backoff: { base: 1, jitter: 0 } });
  assert.throws(() => db.transaction(() => (outbox.send('never'), assert.fail('back'))));
  db.transaction(() => void outbox.send({ to: 'a' }));
  await until(() => delivered.length > 0);
  await outbox.close();
  assert.deepEqual(delivered, [{ to: 'a' }]);
  assert.equal(db.outbox('mail').worker, undefined);
});
