/*
 * An outbox with Drizzle: an order, the job that mails it and the notification that shows it are one transaction. What failed leaves nothing; what was committed is mailed at
 * least once, also after a crash.
 *
 *   node drizzle_outbox.mjs [FILE]
 */
import { open } from 'brant';
import { drizzle } from 'brant/drizzle';
import * as brant from 'brant/drizzle/tables';
import { count, eq, sql } from 'drizzle-orm';
import { integer, sqliteTable, text } from 'drizzle-orm/sqlite-core';

const orders = sqliteTable('orders', { id: integer().primaryKey(), item: text().notNull(), mailed: integer({ mode: 'boolean' }).notNull().default(false) });

const db = drizzle(open(process.argv[2] ?? 'outbox.db'), { schema: { orders } });
const handle = db.$client;
db.run(sql`CREATE TABLE IF NOT EXISTS orders (id INTEGER PRIMARY KEY, item TEXT NOT NULL, mailed INTEGER NOT NULL DEFAULT 0)`); // or migrate(), of brant/drizzle/migrator
handle.queue('mail').configure({ resultTtl: 86_400_000 });

function place(item) {
  return db.transaction((tx) => {
    const order = tx.insert(orders).values({ item }).returning().get();
    tx.$brant.queue('mail').enqueue({ order: order.id });
    tx.$brant.notify('orders', order);
    if (item === 'nothing') tx.rollback();
    return order;
  });
}

const listener = handle.listen('orders');
try {
  place('nothing');
} catch (error) {
  console.log('refused:', error.message);
}
const order = place('tea');

const { payload } = await listener.next(10_000);
console.log('heard of:', payload.item);

const worker = handle.queue('mail').process((job) => {
  // The row and the acknowledgement are committed together: it is marked once.
  db.transaction((tx) => {
    const { item } = tx.update(orders).set({ mailed: true }).where(eq(orders.id, job.payload.order)).returning().get();
    job.ack(`mailed ${item}`);
  });
});
while (!db.select().from(orders).where(eq(orders.id, order.id)).get().mailed) await new Promise((done) => setTimeout(done, 10));
await worker.close();

const jobs = db.select({ state: brant.jobs.state, result: brant.jobs.result, n: count() }).from(brant.jobs).groupBy(brant.jobs.state, brant.jobs.result).all();
console.log('jobs:', JSON.stringify(jobs), 'orders:', await db.$count(orders));
handle.close();
