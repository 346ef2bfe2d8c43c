/* The loadable extension in better-sqlite3: jobs and events in its transactions. See run. */
import assert from 'node:assert/strict';
import { existsSync } from 'node:fs';
import { createRequire } from 'node:module';

const require = createRequire(new URL('../../bindings/node/package.json', import.meta.url));
const Database = require('better-sqlite3');
const path = `${process.env.BRANT_FOLDER}/node.db`;
const db = new Database(path);
db.loadExtension(process.env.BRANT_EXTENSION);
const ask = (sql, ...values) => db.prepare(sql).pluck().get(...values);
db.exec('CREATE TABLE orders (id INTEGER PRIMARY KEY, item TEXT)');
assert.equal(ask('SELECT brant_adopt()'), 7);
const order = db.transaction((item, fail) => {
  const { lastInsertRowid } = db.prepare('INSERT INTO orders (item) VALUES (?)').run(item);
  ask('SELECT brant_enqueue(?, ?)', 'mail', JSON.stringify({ order: Number(lastInsertRowid) }));
  ask('SELECT brant_publish(?, ?)', 'orders', JSON.stringify({ item }));
  if (fail) throw new Error('no');
});
order('tea', false);
assert.throws(() => order('milk', true), /no/);
const jobs = JSON.parse(ask("SELECT brant_claim('mail', 'w', 10)"));
assert.deepEqual(jobs.map((job) => job.payload), [{ order: 1 }]);
assert.equal(ask('SELECT brant_ack(?, ?)', BigInt(jobs[0].id), BigInt(jobs[0].token)), 1);
assert.deepEqual(JSON.parse(ask("SELECT brant_read('orders')")).map((event) => event.payload), [{ item: 'tea' }]);
assert.throws(() => ask("SELECT brant_enqueue('mail', 'no JSON')"), /INVALID: /);
assert.throws(() => db.exec('DELETE FROM jobs'), /not authorized/);
db.close();
assert.ok(!existsSync(`${path}-wal`), 'the connection was not closed');
