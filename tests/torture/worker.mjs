/* One worker of events.py, in Node.js: worker.py says what it does. Arguments: FILE LEDGER NAME SEED UNTIL. */
import { openSync, writeSync } from 'node:fs';
import { setTimeout as sleep } from 'node:timers/promises';
import { open } from '../../bindings/node/dist/index.mjs';

const LEASE = 400;
const QUEUES = ['plain', 'keyed', 'ordered', 'ticks'];
const [, , path, ledger, name, seed, until] = process.argv;
const db = open(path, { busyTimeout: 600000 });
const noted = openSync(ledger, 'a', 0o600);
const listener = db.listen('n');
const heard = new Map();
let made = 0;
let said = 0;

// Steele, Lea, Flood: Fast splittable pseudorandom number generators (2014).
let state = BigInt(seed);
function draw(below) {
  state = BigInt.asUintN(64, state + 0x9e3779b97f4a7c15n);
  let z = state;
  z = BigInt.asUintN(64, (z ^ (z >> 30n)) * 0xbf58476d1ce4e5b9n);
  z = BigInt.asUintN(64, (z ^ (z >> 27n)) * 0x94d049bb133111ebn);
  return Number((z ^ (z >> 31n)) >> 33n) % below;
}
const chance = (percent) => draw(100) < percent;
const note = (line) => writeSync(noted, `${line}\n`);
const uid = (prefix = '') => `${prefix}${name}-${(made += 1)}`;

/** What the transaction stands on is not so any more: it is rolled back. */
class Lost extends Error {}

/** Run it; true: done, false: it failed with one of the codes, or Lost. */
function unless(codes, run) {
  try {
    run();
    return true;
  } catch (error) {
    if (error instanceof Lost || codes.includes(error.code)) return false;
    throw error;
  }
}

// ---- jobs ---------------------------------------------------------------------------------------------------------------

function produce() {
  const one = uid();
  const kind = draw(4);
  if (kind === 3) {
    const uids = ['-a', '-b', '-c'].map((end) => one + end);
    for (const each of uids) note(`> ${each}`);
    const items = uids.map((each, i) => ({ payload: { uid: each }, ...(i > 0 && { after: [{ item: i - 1 }] }) }));
    const { ids } = db.call('queues.enqueue_many', { queue: 'plain', items });
    uids.forEach((each, i) => note(`+ ${each} ${ids[i]}`));
    return;
  }
  const job = { queue: QUEUES[kind], payload: { uid: one }, priority: kind === 2 ? 0 : draw(3) };
  if (kind === 0 && chance(30)) job.delay = draw(200);
  if (kind > 0) job.key = `k${draw(4)}`;
  note(`> ${one}`);
  note(`+ ${one} ${db.call('queues.enqueue', job).id}`);
}

function run(what, job) {
  db.execute('INSERT INTO runs (what, queue, key, uid, job, token, lease_until) VALUES (?, ?, ?, ?, ?, ?, ?)', [
    what, job.queue, job.key ?? null, job.payload.uid, job.id, job.token, job.lease_until,
  ]);
}

/** The row and the operation, or neither. */
function end(what, operation, job, members = {}) {
  const done = unless(['STALE'], () =>
    db.transaction(() => {
      run(what, job);
      const answer = db.call(operation, { id: job.id, token: job.token, ...members });
      if (what === 'beat') {
        job.lease_until = answer.lease_until;
        db.execute('UPDATE runs SET lease_until = ? WHERE row = last_insert_rowid()', [job.lease_until]);
      }
    }),
  );
  if (!done) note(`s ${job.id}`);
}

async function work() {
  const queue = QUEUES[Math.max(0, draw(6) - 2)]; // what most of the jobs are in
  const limit = 1 + draw(3);
  const jobs = db.transaction(() => {
    const { items } = db.call('queues.claim', { queue, worker: name, limit, lease: LEASE });
    for (const job of items) run('begin', job);
    return items;
  });
  for (const job of jobs) {
    const fate = draw(100);
    if (fate < 6) {
      end('fail', 'jobs.fail', job, { error: 'drawn', delay: draw(100) });
      continue;
    }
    if (fate < 10) {
      end('release', 'jobs.release', job);
      continue;
    }
    if (fate < 14) await sleep(LEASE + 100);
    else if (fate < 20) end('beat', 'jobs.heartbeat', job, { lease: LEASE });
    end('done', 'jobs.ack', job);
  }
}

// ---- streams ------------------------------------------------------------------------------------------------------------

function publish() {
  if (chance(50)) {
    const one = uid('e');
    note(`> ${one}`);
    note(`+ ${one} ${db.call('streams.publish', { stream: 'events', payload: { uid: one } }).offset}`);
    return;
  }
  const uids = [uid('e'), uid('e'), uid('e')];
  for (const each of uids) note(`> ${each}`);
  const { first } = db.call('streams.publish_many', { stream: 'events', items: uids.map((each) => ({ payload: { uid: each } })) });
  uids.forEach((each, i) => note(`+ ${each} ${first + i}`));
}

function see(consumer, events, token) {
  for (const event of events)
    db.execute('INSERT INTO seen (consumer, offset, uid, token) VALUES (?, ?, ?, ?)', [
      consumer, event.offset, event.payload.uid, event.token ?? token,
    ]);
}

function holds(lock, token) {
  let held = false;
  unless(['NOT_FOUND'], () => {
    held = db.call('locks.get', { name: lock }).token === token;
  });
  return held;
}

function release(lock, token) {
  if (!unless(['STALE'], () => db.call('locks.release', { name: lock, token }))) note(`s ${lock}`);
}

async function consume() {
  const lock = db.call('locks.acquire', { name: 'consumer', owner: name, ttl: LEASE });
  if (!lock.acquired) return;
  let offset = 0;
  unless(['NOT_FOUND'], () => {
    offset = db.call('consumers.get', { stream: 'events', consumer: 'one' }).offset;
  });
  const events = db.call('streams.read', { stream: 'events', after: offset, limit: 20 }).items;
  if (chance(3)) await sleep(LEASE + 100);
  const done = unless([], () =>
    db.transaction(() => {
      if (!holds('consumer', lock.token)) throw new Lost();
      see('one', events, lock.token);
      if (events.length > 0) db.call('consumers.commit', { stream: 'events', consumer: 'one', offset: events.at(-1).offset });
    }),
  );
  if (done) release('consumer', lock.token);
  else note('s consumer');
}

async function share() {
  const { items: events } = db.call('consumers.claim', { stream: 'events', group: 'share', member: name, limit: 5, lease: LEASE });
  if (events.length === 0 || chance(10)) return;
  if (chance(3)) await sleep(LEASE + 100);
  const done = unless([], () =>
    db.transaction(() => {
      see('share', events, 0);
      const items = events.map(({ offset, token }) => ({ offset, token }));
      if (db.call('consumers.ack', { stream: 'events', group: 'share', items }).stale.length > 0) throw new Lost();
    }),
  );
  if (!done) note('s share');
}

// ---- locks, schedules, notifications, changes -----------------------------------------------------------------------------

async function guard() {
  const lock = db.call('locks.acquire', { name: 'guard', owner: name, ttl: 300 });
  if (!lock.acquired) return;
  for (const what of ['in', 'out']) {
    db.transaction(() => {
      if (holds('guard', lock.token)) db.execute('INSERT INTO guarded (what, token) VALUES (?, ?)', [what, lock.token]);
    });
    if (what === 'in') await sleep(draw(chance(3) ? 401 : 6));
  }
  release('guard', lock.token);
}

function tick() {
  db.transaction(() => {
    for (const fire of db.call('schedules.tick', {}).fired) db.execute('INSERT INTO fires (at, job) VALUES (?, ?)', [fire.at, fire.id]);
  });
}

function notify() {
  const dropped = chance(10);
  const done = unless([], () =>
    db.transaction(() => {
      db.call('events.notify', { channel: 'n', payload: { from: name, n: dropped ? -1 : said + 1 } });
      if (dropped) throw new Lost();
    }),
  );
  if (done) said += 1;
}

function change() {
  const key = `k${draw(50)}`;
  if (chance(20)) unless(['NOT_FOUND'], () => db.call('nodes.delete', { graph: 'g', key }));
  else db.call('nodes.put', { graph: 'g', key, attributes: { by: name, n: draw(1000) } });
}

async function listen() {
  for (let item = await listener.next(0); item !== undefined; item = await listener.next(0)) {
    if (item.gap) {
      heard.clear();
      continue;
    }
    const { from, n } = item.payload;
    if (n < 0) note(`! heard what ${from} rolled back`);
    else if (heard.has(from) && n !== heard.get(from) + 1) note(`! heard ${n} of ${from} after ${heard.get(from)}`);
    heard.set(from, n);
  }
}

const steps = [[produce, 20], [work, 30], [publish, 10], [consume, 10], [share, 10], [guard, 6], [tick, 6], [notify, 10], [change, 6]];
const total = steps.reduce((sum, [, weight]) => sum + weight, 0);
while (Date.now() / 1000 < Number(until)) {
  let drawn = draw(total);
  await steps.find(([, weight]) => (drawn -= weight) < 0)[0]();
  await listen();
}
db.close();
