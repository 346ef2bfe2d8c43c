/*
 * `execute` and `executeAsync`: every kind of value in and out, however many, and what is no value.
 */
import assert from 'node:assert/strict';
import { createContext, runInContext } from 'node:vm';
import { test } from 'node:test';
import { code, collect, database, thrown } from './support.mjs';

const VALUES = [
  null, 0, -0, 1, -1, 2 ** 31, -(2 ** 31) - 1, 2 ** 53 - 1, -(2 ** 53 - 1), 0.1, -1.5, 5e-324, 1.7976931348623157e308, Infinity, -Infinity,
  '', 'a', 'é', '\u{1F600}', 'a\0b', '\ufffd', '"\\\n', 'x'.repeat(2040), 'é'.repeat(1024), '\u{1F600}'.repeat(511), 'y'.repeat(100_000),
  new Uint8Array(), new Uint8Array([0, 255]), new Uint8Array(5000).fill(7),
];
const BIGINTS = [2n ** 53n, -(2n ** 53n), 2n ** 63n - 1n, -(2n ** 63n)];

test('values come back as they went, alone, together and on another thread', async (t) => {
  const db = database(t);
  const all = [...VALUES.map((value) => (Object.is(value, -0) ? 0 : value)), ...BIGINTS];
  for (const value of all) {
    assert.deepEqual(db.execute('SELECT ?', [value]).rows, [[value]]);
    assert.deepEqual(db.execute('SELECT $v', { v: value }).rows, [[value]]);
  }
  assert.equal(Object.is(db.execute('SELECT -0.0').rows[0][0], -0), true);
  const sql = `SELECT ${all.map((_, i) => `?${i + 1} AS c${i}`).join()}`;
  const answer = { columns: all.map((_, i) => `c${i}`), rows: [all], changes: 0, last_insert_rowid: 0 };
  assert.deepEqual(db.execute(sql, all), answer);
  assert.deepEqual(await db.executeAsync(sql, all), answer);
  assert.deepEqual(db.execute('SELECT ?, ?, ?', [true, false, undefined]).rows, [[1, 0, null]]);
  // What is whole is an integer to SQLite, too.
  assert.deepEqual(db.execute('SELECT typeof(?1), typeof(?2), typeof(?3), typeof(?4)', [1, 1.5, 2 ** 62, 2 ** 63]).rows, [['integer', 'real', 'integer', 'real']]);
  assert.deepEqual(db.execute('SELECT ?', [2 ** 62]).rows, [[2n ** 62n]]);
});

test('rows in any number and of any width', (t) => {
  const db = database(t);
  const count = (n) => `WITH RECURSIVE c(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM c WHERE i < ${n}) SELECT`;
  for (const n of [1, 2, 83, 84, 85, 251, 252, 253, 256, 257, 5000]) {
    const { columns, rows } = db.execute(`${count(n)} i, 'n' || i, NULL FROM c`);
    assert.deepEqual([columns.length, rows.length], [3, n]);
    rows.forEach((row, i) => assert.deepEqual(row, [i + 1, `n${i + 1}`, null]));
    assert.equal(db.execute(`${count(n)} i FROM c`).rows.length, n);
  }
  for (const width of [250, 251, 252, 300, 2000]) {
    const { columns, rows } = db.execute(`${count(5)} ${Array.from({ length: width }, (_, i) => `i * ${i} AS c${i}`).join()} FROM c`);
    assert.deepEqual([columns.length, columns.at(-1), rows.length], [width, `c${width - 1}`, 5]);
    rows.forEach((row, i) => assert.deepEqual(row, Array.from({ length: width }, (_, k) => (i + 1) * k)));
  }
  assert.deepEqual(db.execute('SELECT 1 AS a WHERE 0'), { columns: ['a'], rows: [], changes: 0, last_insert_rowid: 0 });
  assert.deepEqual(db.execute('CREATE TABLE t (a INTEGER NOT NULL, b)'), { columns: [], rows: [], changes: 0, last_insert_rowid: 0 });
  assert.deepEqual(db.execute('INSERT INTO t VALUES (1, 2), (3, 4)'), { columns: [], rows: [], changes: 2, last_insert_rowid: 2 });
  const described = db.execute('SELECT a, b, a + b AS "s é" FROM t', [], { describe: true, limit: 1 });
  assert.deepEqual(described.types, [{ type: 'INTEGER', not_null: true }, { type: '', not_null: false }, null]);
  assert.deepEqual([described.columns, described.rows], [['a', 'b', 's é'], [[1, 2, 3]]]);
  // An answer is the caller's alone.
  described.rows[0].push('mine');
  described.columns.length = 0;
  assert.deepEqual(db.execute('SELECT a, b FROM t', [], { limit: 1 }), { columns: ['a', 'b'], rows: [[1, 2]], changes: 0, last_insert_rowid: 2 });
});

test('what is no value is refused', async (t) => {
  const db = database(t);
  const foreign = runInContext('[new Date(), {}, [], new Int8Array(1), new ArrayBuffer(1), new DataView(new ArrayBuffer(1)), () => 1, Symbol("x"), 2n ** 63n, NaN, "\\ud800", "\\udc00a", "a\\ud83dx"]', createContext());
  for (const value of foreign) {
    assert.throws(() => db.execute('SELECT ?', [value]), code('INVALID'), String(value));
    assert.throws(() => db.execute('SELECT $v', { v: value }), code('INVALID'));
    await assert.rejects(db.executeAsync('SELECT ?', [value]), code('INVALID'));
  }
  for (const limit of [0, -1, 1.5, NaN, '1', null, 100_001, 2 ** 40, Infinity]) assert.throws(() => db.execute('SELECT 1', [], { limit }), code('INVALID'), String(limit));
  for (const params of [null, 'a', 7, true, 1n, Symbol('x'), () => 1]) assert.throws(() => db.execute('SELECT 1', params), code('INVALID', ({ message }) => assert.match(message, /array/)));
  for (const sql of [undefined, null, 7, {}, Symbol('x'), 'SELECT \ud800']) assert.throws(() => db.execute(sql), code('INVALID'));
  assert.throws(() => db.execute('SELECT $a', { a: 1, b: 2 }), code('INVALID'));
  assert.throws(() => db.execute('SELECT $a', { '\ud800': 1 }), code('INVALID'));
  assert.throws(() => db.execute('SELECT $a', { a: undefined }), code('INVALID'));
  assert.throws(() => db.execute('SELECT ?', []), code('INVALID'));
  assert.throws(() => db.execute('SELECT 1\0'), code('SQL'));
});

test('bytes and arrays of other kinds', async (t) => {
  const db = database(t);
  const foreign = runInContext('[new Uint8Array([1, 2])]', createContext());
  assert.deepEqual(db.execute('SELECT ?', foreign).rows, [[new Uint8Array([1, 2])]]);
  assert.deepEqual(db.execute('SELECT ?, ?', new Proxy([1, 'a'], {})).rows, [[1, 'a']]);
  const shared = new Uint8Array(new SharedArrayBuffer(8), 2, 3).fill(9);
  const within = new Uint8Array([0, 1, 2, 3, 4]).subarray(1, 4);
  assert.deepEqual(db.execute('SELECT ?, ?, ?', [shared, within, Buffer.from('ab')]).rows, [[new Uint8Array([9, 9, 9]), new Uint8Array([1, 2, 3]), new Uint8Array([97, 98])]]);
  assert.equal(db.execute("SELECT x'00'").rows[0][0].constructor, Uint8Array);
  assert.deepEqual(db.execute("SELECT CAST(x'ff61' AS TEXT)").rows, [[new Uint8Array([255, 97])]]); // no text
  const gone = new Uint8Array(8);
  structuredClone(gone.buffer, { transfer: [gone.buffer] });
  assert.deepEqual(db.execute('SELECT ?', [gone]).rows, [[new Uint8Array()]]);
  // Read before it returns, so what is changed meanwhile is not seen.
  const bytes = new Uint8Array([1]);
  const values = [bytes, 'a'];
  const asked = db.executeAsync('SELECT ?, ?', values);
  bytes[0] = 2;
  values[1] = 'b';
  assert.deepEqual((await asked).rows, [[new Uint8Array([1]), 'a']]);
});

test('values that call back', (t) => {
  const db = database(t);
  db.execute('CREATE TABLE t (a)');
  const array = (get) => Object.defineProperty(['x'], 0, { get, enumerable: true });
  assert.throws(() => db.execute('INSERT INTO t VALUES (?)', array(() => { throw new RangeError('own'); })), RangeError);
  assert.deepEqual(db.execute('INSERT INTO t VALUES (?)', array(() => db.execute('SELECT 7').rows[0][0])).changes, 1);
  // The second look at it is the addon's.
  let looks = 0;
  assert.throws(() => db.execute('INSERT INTO t VALUES (?)', array(() => (looks++ === 0 ? 1 : {}))), code('INVALID'));
  const long = new Proxy([], { get: (of, name) => (name === 'length' ? 3 : of[name]) });
  assert.deepEqual(db.execute('SELECT ?, ?, ?', long).rows, [[null, null, null]]);
  assert.throws(() => db.execute('INSERT INTO t VALUES (?)', array(() => db.close())), code('CLOSED'));
  assert.equal(thrown(() => db.execute('SELECT 1')).code, 'CLOSED');
});

test('many and failing statements keep no memory', async (t) => {
  const db = database(t);
  const bytes = new Uint8Array(100_000);
  const some = () => {
    for (let i = 0; i < 200; i++) {
      db.execute('SELECT ?, ?', [bytes, 'z'.repeat(50_000)]);
      assert.throws(() => db.execute('SELECT ?', [bytes, 1]), code('INVALID'));
      assert.throws(() => db.execute('SELEC', [bytes]), code('SQL'));
    }
  };
  const settled = async () => {
    await collect();
    return process.memoryUsage().rss;
  };
  some();
  const before = await settled();
  for (let round = 0; round < 5; round++) some(); // of 300 MB and more
  const grown = (await settled()) - before;
  assert.ok(grown < 100e6, `${grown} bytes`);
});
