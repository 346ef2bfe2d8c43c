/* Keys and key rings: how they are given, what they show, how long they stay. */
import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import { subscribe, unsubscribe } from 'node:diagnostics_channel';
import { test } from 'node:test';
import { inspect } from 'node:util';
import { Worker } from 'node:worker_threads';
import { Key, deriveKey, deriveKeyAsync, generateKey, open } from 'brant';
import { SecretText } from '../dist/secret_text.js';
import { after, code, database, file, run, thrown, turnsDuring } from './support.mjs';

const RAW = Uint8Array.from({ length: 32 }, (_, i) => i + 1);
const OTHER = Uint8Array.from({ length: 32 }, (_, i) => i + 101);
const TEXT = Buffer.from(RAW).toString('base64url');
const CHEAP = { alg: 'argon2id13', s: 'AAECAwQFBgcICQoLDA0ODw', t: 2, m: 19922944 };
const PASSWORD = 'canary "pass\\word" \x01 é€🗝';
const PLACE = { graph_id: 'g', kind: 'node', key: 'k', path: '/value' };
const RING = { keys: [{ version: 1, key: TEXT }] };
const CANARY = Buffer.from('canary in the coal mine, 32 byte').toString('base64url');

const works = (db, version = 1) => db.envelopes.open(db.envelopes.seal('x', PLACE), PLACE).keyVersion === version;

/** Everything that can be read of an error, or of anything else. */
function shown(thing) {
  const seen = [inspect(thing, { depth: 20, showHidden: true, getters: true }), inspect(thing, { customInspect: false, showHidden: true, depth: 20 })];
  for (let error = thing; error instanceof Error; error = error.cause) {
    seen.push(String(error), error.message, error.stack, inspect(error.detail), JSON.stringify(error), JSON.stringify(error.detail));
  }
  return seen.join('\n');
}

test('a ring is given as members, as text, as bytes', (t) => {
  const db = database(t);
  const forms = [
    RING,
    { keys: [{ version: 1, key: RAW }] },
    { keys: [{ version: 1n, key: Buffer.from(RAW), purpose: undefined }] },
    { keys: new Set([new Key({ version: 1, key: RAW })]), padding: 64 },
    { keys: [{ version: 1, key: new Uint8Array(new Uint8Array([0, ...RAW, 0]).buffer, 1, 32) }] },
    JSON.stringify(RING),
    Buffer.from(JSON.stringify(RING)),
    new TextEncoder().encode(JSON.stringify(RING)),
  ];
  let first;
  for (const form of forms) {
    const ring = db.keyring(form);
    assert.ok(ring.attached && works(db));
    first ??= db.envelopes.seal({ a: [1, null] }, PLACE);
    assert.deepEqual(db.envelopes.open(first, PLACE).reveal(), { a: [1, null] });
    assert.deepEqual(db.keyringInfo(), {
      keys: [{ purpose: 'attribute', version: 1, state: 'active', algorithm: 'xc20p-b2', kdf: null }],
      padding: form.padding ?? 0,
      legacy: false,
    });
    ring[Symbol.dispose]();
    assert.ok(!ring.attached);
    assert.deepEqual(db.keyringInfo(), { keys: [], padding: 0, legacy: false });
    assert.throws(() => db.envelopes.seal('x', PLACE), code('NOT_FOUND'));
  }
  assert.deepEqual(RAW[0], 1, 'the bytes are the caller’s');
});

test('passwords give the same key in each form', async (t) => {
  const db = database(t);
  for (const password of [PASSWORD, Buffer.from(PASSWORD), 'x'.repeat(1024)]) {
    db.keyring({ keys: [new Key({ version: 3, password, kdf: CHEAP })] });
    const envelope = db.envelopes.seal('x', PLACE);
    assert.deepEqual(db.keyringInfo().keys[0].kdf, CHEAP);
    const derived = deriveKey(password, { version: 3, kdf: CHEAP });
    assert.deepEqual([derived.kdf, derived.version, derived.purpose], [CHEAP, 3, 'attribute']);
    assert.deepEqual((await deriveKeyAsync(password, { version: 3, kdf: CHEAP })).reveal(), derived.reveal());
    for (const key of [derived, { version: 3, password, kdf: CHEAP }]) {
      db.keyring({ keys: [key] });
      assert.equal(db.envelopes.open(envelope, PLACE).reveal(), 'x');
    }
  }
});

test('generated keys', (t) => {
  const db = database(t);
  const [first, second, pepper] = [generateKey(), generateKey({ version: 2 }), generateKey({ purpose: 'pepper' })];
  assert.deepEqual([pepper.purpose, pepper.version, pepper.state, pepper.algorithm], ['pepper', 1, 'active', 'b2']);
  assert.equal(Buffer.from(second.reveal().key, 'base64url').length, 32);
  assert.notEqual(second.reveal().key, first.reveal().key);
  assert.deepEqual(new Key(second.reveal()).reveal(), second.reveal());
  first.state = 'decrypt_only';
  db.keyring(JSON.stringify({ keys: [first.reveal(), second.reveal(), pepper.reveal()] }));
  assert.deepEqual(db.keyringInfo().keys.map(({ version, state }) => [version, state]), [[1, 'decrypt_only'], [2, 'active'], [1, 'active']]);
  assert.ok(works(db, 2));
  const gone = new Key({ version: 1, state: 'destroyed' });
  assert.deepEqual(gone.reveal(), { purpose: 'attribute', version: 1, state: 'destroyed' });
  db.keyring({ keys: [gone, second] });
  for (const wrong of [{ purpose: 'x' }, { version: 0 }, { version: 'x' }]) assert.throws(() => generateKey(wrong), code('INVALID'));
});

test('what is refused shows nothing, and leaves the former ring', async (t) => {
  const db = database(t);
  const former = db.keyring(RING);
  const nested = { password: CANARY };
  nested.again = nested;
  const wrong = [
    [{ keys: [{ version: 1, key: `${CANARY}A` }] }, 'INVALID', '/keys/0/key'],
    [{ keys: [{ version: 1, key: CANARY, password: CANARY }] }, 'INVALID', '/keys/0'],
    [{ keys: [{ version: 1, key: CANARY }, { version: 1, key: TEXT }] }, 'INVALID', '/keys/1'],
    [{ keys: [{ version: 1, key: CANARY, extra: 1 }] }, 'INVALID', '/keys/0'],
    [{ keys: [{ version: 1, key: CANARY, algorithm: 'rot13' }] }, 'UNSUPPORTED', ''],
    [{ keys: [{ version: 1, password: CANARY, kdf: { ...CHEAP, t: 1 } }] }, 'LIMIT', ''],
    [{ keys: [{ version: NaN, key: CANARY }] }, 'INVALID', 'finite'],
    [{ keys: [{ version: 1, key: CANARY, extra() {} }] }, 'INVALID', 'function'],
    [{ keys: [{ version: 1, key: CANARY, extra: Symbol(CANARY) }] }, 'INVALID', 'symbol'],
    [{ keys: [{ version: 1, key: `${CANARY}\ud800` }] }, 'INVALID_JSON', 'surrogate'],
    [{ keys: [{ version: 1, password: Buffer.from(`${CANARY}\xff`, 'latin1') }] }, 'INVALID_JSON', ''],
    [JSON.stringify({ keys: [{ version: 1, key: CANARY }] }).slice(0, -1), 'INVALID_JSON', ''],
    [`{"keys":[{"version":1,"key":"${CANARY}\ud800`, 'INVALID_JSON', 'surrogate'],
    [Buffer.from(`${CANARY}é`, 'latin1'), 'INVALID_JSON', ''],
    [Buffer.from(`{"${CANARY}`), 'INVALID_JSON', ''],
    [`${CANARY}${'x'.repeat(64 << 10)}`, 'LIMIT', ''],
    [{ keys: [{ version: 1, key: `${CANARY}${'x'.repeat(64 << 10)}` }] }, 'LIMIT', ''],
    [[CANARY], 'INVALID', ''],
    [nested, 'LIMIT', ''],
    [null, 'INVALID', ''],
    [undefined, 'INVALID', ''],
    [17, 'INVALID', ''],
  ];
  for (const [ring, expected, hint] of wrong) {
    const error = thrown(() => db.keyring(ring));
    assert.ok(code(expected)(error) && error.message.includes(hint), error.message);
    assert.ok(!shown(error).includes(CANARY) && !shown(error).includes('canary'), shown(error));
    assert.ok(former.attached && works(db));
  }
  for (const [fields, expected] of [[{ key: 17 }, 'INVALID'], [{ password: [CANARY] }, 'INVALID'], [{ key: RAW, password: CANARY }, 'INVALID'], [{ key: `${CANARY}\ud800` }, 'INVALID_JSON']]) {
    const error = thrown(() => new Key({ version: 1, ...fields }));
    assert.ok(code(expected)(error) && !shown(error).includes(CANARY));
  }
  for (const [password, kdf, expected] of [
    [CANARY, { t: 1 }, 'LIMIT'],
    [CANARY, { s: 'A' }, 'INVALID'],
    [CANARY.repeat(30), CHEAP, 'INVALID'],
    ['', CHEAP, 'INVALID'],
    [17, CHEAP, 'INVALID'],
    [`${CANARY}\ud800`, CHEAP, 'INVALID_JSON'],
    [Buffer.from(`${CANARY}\xff`, 'latin1'), CHEAP, 'INVALID_JSON'],
  ]) {
    const error = thrown(() => deriveKey(password, { kdf }));
    const later = await deriveKeyAsync(password, { kdf }).then(assert.fail, (reason) => reason);
    for (const each of [error, later]) assert.ok(code(expected)(each) && !shown(each).includes(CANARY), shown(each));
  }
});

test('a key and a ring show nothing', (t) => {
  const db = database(t);
  for (const key of [new Key({ version: 1, key: CANARY }), new Key({ version: 1, password: CANARY }), new Key({ version: 1, key: Buffer.from(CANARY, 'base64url') })]) {
    for (const text of [`${key}`, String(key), key + '', inspect(key), inspect([key], { showHidden: true, getters: true }), inspect({ key }, { customInspect: false }), inspect(structuredClone(key)), Object.values(key).join()]) {
      assert.ok(!text.includes(CANARY) && !text.includes('canary'), text);
    }
    assert.equal(`${key}`, '[key attribute 1 active]');
    assert.ok(Object.values(key.reveal()).includes(CANARY));
    for (const refused of [() => JSON.stringify({ key }), () => db.notify('a', key), () => db.call('events.notify', { channel: 'a', payload: key })]) {
      const error = thrown(refused);
      assert.ok(error instanceof TypeError && !shown(error).includes(CANARY));
    }
    const ring = db.keyring({ keys: [key] });
    for (const text of [`${ring}`, inspect(ring, { showHidden: true }), inspect(structuredClone(ring)), inspect(db, { showHidden: true, depth: 20 }), inspect(db.keyringInfo())]) {
      assert.ok(!text.includes(CANARY) && !text.includes('canary'), text);
    }
    assert.throws(() => JSON.stringify(ring), TypeError);
    key.wipe();
    for (const call of [() => key.reveal(), () => db.keyring({ keys: [key] })]) assert.throws(call, code('MISUSE'));
  }
});

test('texts are wiped', () => {
  const text = new SecretText();
  const before = text.add('x'.repeat(200)).bytes;
  const after = text.addBase64url(randomBytes(500)).bytes;
  assert.ok(before.every((byte) => byte === 0), 'outgrown');
  text.wipe();
  assert.ok(after.length > 800 && after.every((byte) => byte === 0) && text.bytes.length === 0);
  for (let length = 0; length < 20; length++) {
    const bytes = randomBytes(length);
    assert.equal(Buffer.from(new SecretText().addBase64url(bytes).bytes).toString(), bytes.toString('base64url'));
  }
  for (const value of ['', PASSWORD, '\u2028 \x7f\x1f', [1, -0.5, 1e300, null, true], { a: { b: [] }, '"': {} }]) {
    assert.deepEqual(JSON.parse(Buffer.from(new SecretText().addValue(value).bytes).toString()), value);
  }
});

test('nothing of bytes that were given stays in memory', { skip: process.platform !== 'linux' }, async () => {
  const { status, stdout, stderr } = await run('fixtures/secret_memory.mjs', [], );
  assert.equal(status, 0, stderr);
  assert.deepEqual(JSON.parse(stdout), ['there']);
});

test('a ring stays until it is closed, replaced, or the handle is closed', (t) => {
  const path = file(t);
  const db = database(t, {}, path);
  const first = db.keyring(RING);
  const second = db.keyring({ keys: [{ version: 2, key: OTHER }] });
  assert.ok(works(db, 2) && second.attached && !first.attached);
  first.close(); // nothing: it is not the handle's any more
  assert.ok(works(db, 2));
  second.close();
  second.close();
  assert.throws(() => works(db), code('NOT_FOUND'));
  // The block inside replaces, and what it replaced does not come back.
  const outer = db.keyring(RING);
  const inner = db.keyring({ keys: [{ version: 2, key: OTHER }] });
  inner[Symbol.dispose]();
  assert.throws(() => works(db), code('NOT_FOUND'));
  outer[Symbol.dispose]();
  // It is the handle's: transactions do not concern it, and other handles do not have it.
  assert.throws(() => db.transaction(() => {
    db.keyring(RING);
    assert.ok(works(db));
    throw new RangeError();
  }), RangeError);
  assert.ok(works(db));
  assert.throws(() => works(database(t, {}, path)), code('NOT_FOUND'));
  const last = db.keyring(RING);
  db.close();
  assert.ok(!last.attached);
  last.close();
  for (const call of [() => db.keyring(RING), () => db.keyringInfo(), () => works(db)]) assert.throws(call, code('CLOSED'));
});

test('a ring is copied from another handle', async (t) => {
  const [db, other] = [database(t), database(t)];
  assert.throws(() => other.keyring(db), code('NOT_FOUND'));
  db.keyring(RING);
  const ring = other.keyring(db);
  db.close();
  assert.ok(ring.attached && works(other));
  assert.equal((await other.envelopes.sealAsync('x', PLACE)).kv, 1);
  assert.throws(() => other.keyring(db), code('CLOSED'));
  assert.ok(ring.attached && other.keyring(other).attached && works(other) && !ring.attached);
});

test('asynchronous calls have the ring of their turn', async (t) => {
  const db = database(t);
  await assert.rejects(db.envelopes.sealAsync('x', PLACE), code('NOT_FOUND'));
  const ring = db.keyring(RING);
  const envelope = await db.envelopes.sealAsync('x', PLACE);
  assert.equal((await db.envelopes.openAsync(envelope, PLACE)).reveal(), 'x');
  // Replaced while one runs: that keeps its own, those behind it have the new one.
  const slow = { keys: [{ version: 5, password: 'p', kdf: { ...CHEAP, t: 8 } }] };
  db.keyring(slow);
  const running = db.envelopes.sealAsync('x', PLACE);
  await new Promise(setImmediate);
  db.keyring({ keys: [{ version: 2, key: OTHER }, { version: 1, key: RAW, state: 'decrypt_only' }] });
  const behind = db.envelopes.rewrapAsync(envelope, PLACE);
  assert.equal((await running).kv, 5);
  assert.deepEqual([(await behind).changed, (await behind).envelope.kv], [true, 2]);
  assert.ok(!ring.attached);
  // Closed: with it the copies go, also that of one that runs.
  const one = db.keyring(slow);
  const last = db.envelopes.sealAsync('x', PLACE);
  await new Promise(setImmediate);
  one.close();
  const late = db.envelopes.sealAsync('x', PLACE);
  assert.equal((await last).kv, 5);
  await assert.rejects(late, code('NOT_FOUND'));
  assert.deepEqual((await db.callAsync('keyring.info')).keys, []);
  // Keys that were derived are copied too: the salt of a password without kdf is the ring's.
  db.keyring({ keys: [{ version: 1, password: 'p', kdf: CHEAP }] });
  const sealed = db.envelopes.seal('x', PLACE);
  assert.equal((await db.envelopes.openAsync(sealed, PLACE)).reveal(), 'x');
  db.keyring(slow);
  const pending = db.envelopes.sealAsync('x', PLACE);
  await new Promise(setImmediate);
  db.close();
  // Deriving cannot be interrupted: it may be done before it is seen that the handle is closed.
  await pending.catch(code('CLOSED'));
  const memory = open(':memory:');
  memory.keyring(RING);
  assert.equal((await memory.envelopes.sealAsync('x', PLACE)).kv, 1);
  memory.close();
});

test('deriving elsewhere leaves this thread alone', async () => {
  const turns = await turnsDuring(() => deriveKeyAsync('p', { kdf: { ...CHEAP, t: 10 } }));
  assert.ok(turns > 5, `${turns} turns`);
});

test('diagnostics and the errors of workers have nothing of it', async (t) => {
  const path = file(t);
  const db = database(t, {}, path);
  const heard = [];
  const hear = (message) => heard.push(message);
  subscribe('brant:call', hear);
  after(t, () => unsubscribe('brant:call', hear));
  db.keyring({ keys: [{ version: 1, key: CANARY }] });
  const envelope = db.envelopes.seal({ x: CANARY }, PLACE);
  db.envelopes.open(envelope, PLACE);
  await db.envelopes.openAsync(await db.envelopes.sealAsync(CANARY, PLACE), PLACE);
  thrown(() => db.envelopes.seal({ x: CANARY }, { ...PLACE, kind: CANARY }));
  thrown(() => db.envelopes.open({ ...envelope, ct: CANARY }, PLACE));
  thrown(() => db.envelopes.seal(new Key({ version: 1, key: CANARY }), PLACE));
  generateKey();
  deriveKey(CANARY, { kdf: CHEAP });
  await deriveKeyAsync(CANARY, { kdf: CHEAP });
  await deriveKeyAsync(CANARY, { kdf: { ...CHEAP, t: 1 } }).catch(() => {});
  unsubscribe('brant:call', hear);
  assert.deepEqual(new Set(heard.map(({ name }) => name)), new Set(['envelopes.seal', 'envelopes.open', 'keyring.generate', 'keyring.derive']));
  for (const message of heard) assert.ok(!shown(message).includes(CANARY) && !shown(message.error).includes(CANARY), shown(message));

  const calls = [
    'db.keyring({ keys: [{ version: 1, key: CANARY + "A" }] })',
    'db.keyring(JSON.stringify({ keys: [{ version: 1, key: CANARY }] }).slice(0, -2))',
    'db.envelopes.open({ $enc: 2, ct: CANARY }, PLACE)',
    'JSON.stringify(new Key({ version: 1, key: CANARY }))',
    'deriveKey(CANARY, { kdf: { t: 1 } })',
    'await deriveKeyAsync(CANARY, { kdf: { t: 1 } })',
    'throw Object.assign(new Error("x"), { key: new Key({ version: 1, key: CANARY }) })',
  ];
  for (const call of calls) {
    const program = `import { workerData } from 'node:worker_threads';
      const { Key, deriveKey, deriveKeyAsync, open } = await import(workerData.brant);
      const { CANARY, PLACE } = workerData;
      const db = open(workerData.path);
      ${call};`;
    const worker = new Worker(new URL(`data:text/javascript,${encodeURIComponent(program)}`), {
      workerData: { CANARY, PLACE, path, brant: new URL(import.meta.resolve('brant')).href },
    });
    const error = await new Promise((resolve) => worker.once('error', resolve));
    assert.ok(error instanceof Error && !shown(error).includes(CANARY), shown(error));
  }
});
