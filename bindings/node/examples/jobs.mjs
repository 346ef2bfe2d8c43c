import { open } from 'brant';

const db = open('shop.db');
const ship = db.queue('ship');
ship.configure({ maxAttempts: 5, resultTtl: 60_000 });
db.execute('CREATE TABLE IF NOT EXISTS sales (id PRIMARY KEY, total)');

/** Row, event and job are committed together, or not at all. */
function order(id, total) {
  return db.transaction(() => {
    db.execute('INSERT INTO sales VALUES (?, ?)', [id, total]);
    db.stream('orders').publish({ id, total }, { key: id });
    return ship.enqueue({ id }, { unique: { key: id } }).id;
  });
}

const worker = ship.process(
  async (job) => {
    if (job.attempt === 1 && job.payload.id === 'b') throw new Error('no courier');
    return `shipped ${job.payload.id}`;
  },
  { concurrency: 4 },
);
worker.addEventListener('failed', ({ job, error, state }) => console.log(`${job.payload.id}: ${error.message}, ${state}`));

const jobs = [order('a', 10), order('b', 20)];
for (const id of jobs) console.log(await ship.result(id, { timeout: 30_000 }));

let sum = 0;
for await (const { offset, payload } of db.stream('orders').subscribe({ from: 'start' })) {
  sum += payload.total;
  if (offset === 2) break;
}
console.log(sum);
await worker.close();
db.close();
