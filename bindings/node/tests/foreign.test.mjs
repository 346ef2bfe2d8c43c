/* Next to another SQLite in the same process: better-sqlite3 brings its own. */
import assert from 'node:assert/strict';
import { join } from 'node:path';
import { test } from 'node:test';
import Sqlite from 'better-sqlite3';
import { open } from 'brant';
import { after, code, database, folder, run, untyped } from './support.mjs';

test('on another file both work', (t) => {
  const here = folder(t);
  const theirs = new Sqlite(join(here, 'theirs.db'));
  after(t, () => theirs.close());
  const ours = database(t, {}, join(here, 'ours.db'));
  const { nodes } = untyped(t, ours);
  theirs.exec('CREATE TABLE t (n)');
  for (let i = 0; i < 50; i++) {
    theirs.prepare('INSERT INTO t VALUES (?)').run(i);
    nodes.put({ key: String(i) });
  }
  assert.equal(theirs.prepare('SELECT count(*) AS n FROM t').get().n, 50);
  assert.equal(nodes.count(), 50);
  assert.equal(ours.doctor().ok, true);
  assert.notEqual(theirs.prepare('SELECT sqlite_version() AS v').get().v, undefined);
});

test('on the same file opening is FOREIGN_SQLITE, and later ones are found', (t) => {
  const path = join(folder(t), 'a.db');
  open(path).close();
  const theirs = new Sqlite(path);
  theirs.pragma('user_version');
  assert.throws(() => open(path), code('FOREIGN_SQLITE'));
  theirs.close();
  const ours = database(t, {}, path);
  const late = new Sqlite(path);
  after(t, () => late.close());
  late.pragma('user_version');
  assert.throws(() => ours.maintain(), code('FOREIGN_SQLITE'));
});

test('our own handles are not foreign', async (t) => {
  const path = join(folder(t), 'a.db');
  const handles = Array.from({ length: 5 }, () => database(t, {}, path));
  for (const db of handles) {
    db.maintain();
    await db.callAsync('db.maintain');
  }
});

test('a newer file is NEWER_FORMAT, another program\'s is NOT_BRANT unless adopted', async (t) => {
  const here = folder(t);
  const newer = join(here, 'newer.db');
  open(newer).close();
  const patched = await run('fixtures/newer.mjs', [newer]);
  assert.equal(patched.status, 0, patched.stderr);
  for (const mode of ['create', 'rw', 'ro']) assert.throws(() => open(newer, { mode }), code('NEWER_FORMAT'), mode);

  const theirs = join(here, 'theirs.db');
  assert.equal((await run('fixtures/theirs.mjs', [theirs])).status, 0);
  assert.throws(() => open(theirs), code('NOT_BRANT'));
  const db = database(t, { adopt: true }, theirs);
  assert.deepEqual(db.execute('SELECT * FROM t').rows, [[1]]);
  untyped(t, db).nodes.put({ key: 'a' });
});
