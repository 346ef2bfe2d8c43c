import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { createInterface } from 'node:readline';
import { test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { after, code, database, file, sleep, until } from './support.mjs';

test('schedules are set, read, paused, triggered and deleted', (t) => {
  const db = database(t);
  const { schedules } = db;
  const options = { queue: 'q', payload: new Uint8Array([1]), timezone: 'Europe/Berlin', catchUp: 5, options: { maxAttempts: 2, unique: { key: 'u', onConflict: 'replace' } } };
  const made = schedules.set('nightly', '0 3 * * *', options);
  assert.deepEqual([made.name, made.timezone, made.catch_up, made.payload, made.paused], ['nightly', 'Europe/Berlin', 5, new Uint8Array([1]), false]);
  assert.equal(schedules.set('nightly', '0 3 * * *', options).next_at, made.next_at);
  assert.equal(schedules.get('nightly').options.max_attempts, 2);
  assert.equal(schedules.pause('nightly').paused, true);
  assert.equal(schedules.resume('nightly').paused, false);
  const { id } = schedules.trigger('nightly');
  const [job] = db.queue('q').claim();
  assert.deepEqual([job.id, job.schedule, job.payload, job.max_attempts], [id, 'nightly', new Uint8Array([1]), 2]);
  assert.equal(db.queue('mail').periodic('@yearly', { n: 1 }).name, 'mail');
  assert.equal(db.queue('mail').periodic('@daily', { n: 1 }, { name: 'daily', misfire: 'all' }).misfire, 'all');
  assert.deepEqual([...schedules].map(({ name }) => name), ['daily', 'mail', 'nightly']);
  schedules.delete('daily');
  assert.throws(() => schedules.get('daily'), code('NOT_FOUND'));
  assert.throws(() => schedules.set('x', '61 * * * *', { queue: 'q' }), code('INVALID'));
  assert.throws(() => schedules.set('x', '@daily', { queue: 'q', timezone: 'Europe/Atlantis' }), code('INVALID'));
  assert.deepEqual(schedules.next('*/15 * * * *', { after: Date.UTC(2026, 0, 1), count: 2 }), [Date.UTC(2026, 0, 1, 0, 15), Date.UTC(2026, 0, 1, 0, 30)]);
  assert.deepEqual(schedules.tick().fired, []);
});

test('a scheduler fires, is woken for an earlier schedule, and ends by close, signal and database', async (t) => {
  const db = database(t);
  db.schedules.set('late', '@every 1h', { queue: 'q' });
  const scheduler = db.scheduler();
  const fired = [];
  const loop = (async () => {
    for await (const { name, id, at } of scheduler) {
      assert.ok(id > 0 && at <= Date.now());
      if (fired.push(name) === 3) scheduler.close();
    }
  })();
  await sleep(50);
  db.schedules.set('often', '@every 100ms', { queue: 'q' });
  await loop;
  assert.deepEqual(fired, ['often', 'often', 'often']);
  db.schedules.delete('often');
  assert.equal(db.queue('q').claim({ limit: 9 }).length, 3);
  await assert.rejects(db.scheduler({ signal: AbortSignal.timeout(30) }).run(), { name: 'TimeoutError' });
  const last = db.scheduler().run();
  await sleep(30);
  db.close();
  await last;
});

test('of two schedulers one fires; the other takes over from one that was killed', async (t) => {
  const path = file(t);
  const db = database(t, {}, path);
  db.schedules.set('tick', '@every 100ms', { queue: 'q' });
  const start = (name) => {
    const child = spawn(process.execPath, [fileURLToPath(new URL('fixtures/scheduler.mjs', import.meta.url)), path], { stdio: ['ignore', 'pipe', 'inherit'] });
    after(t, () => child.kill('SIGKILL'));
    const fires = [];
    createInterface({ input: child.stdout }).on('line', (line) => fires.push(Number(line)));
    return { child, fires, name };
  };
  const one = start('one');
  await until(() => one.fires.length > 1);
  // It fires nothing unless the leadership has changed, say because one could not refresh it in time.
  const leader = () => [...db.locks].find(({ name }) => name === 'brant:scheduler')?.token;
  const token = leader();
  const two = start('two');
  const seen = one.fires.length;
  await until(() => one.fires.length > seen + 5 || two.fires.length > 0);
  assert.ok(two.fires.length === 0 || leader() !== token);
  one.child.kill('SIGKILL');
  await once(one.child, 'close');
  await until(() => two.fires.length > 2);
  two.child.kill('SIGTERM');
  const [status] = await once(two.child, 'close');
  assert.equal(status, 0);
  const all = [...one.fires, ...two.fires];
  assert.equal(new Set(all).size, all.length);
  // Every job is of one fire, whoever lived to say so.
  const { enqueued } = db.queue('q').stats();
  assert.ok(enqueued >= all.length && enqueued <= all.length + 1, `${enqueued} jobs of ${all.length} fires`);
});
