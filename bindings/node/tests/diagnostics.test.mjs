import assert from 'node:assert/strict';
import { subscribe, unsubscribe } from 'node:diagnostics_channel';
import { test } from 'node:test';
import { modules } from 'brant';
import { after, code, database, untyped } from './support.mjs';

test('brant:call says each operation, how long it took and how it failed', async (t) => {
  const db = database(t);
  const { nodes } = untyped(t, db);
  const heard = [];
  const hear = (message, name) => heard.push([name, message]);
  subscribe('brant:call', hear);
  after(t, () => unsubscribe('brant:call', hear));
  nodes.put({ key: 'a' });
  assert.throws(() => nodes.get('b'), code('NOT_FOUND'));
  await nodes.putManyAsync([{ key: 'c' }]);
  await assert.rejects(nodes.closureAsync('x'), code('NOT_FOUND'));
  db.call('db.info');
  db.transaction(() => db.graphTypes.list());
  modules.patch({}, []);
  db.listen('a').close();
  unsubscribe('brant:call', hear);
  nodes.get('a');

  assert.ok(heard.every(([name, { duration }]) => name === 'brant:call' && duration >= 0 && duration < 60_000));
  assert.deepEqual(
    heard.map(([, { name, async, error }]) => [name, async, error]),
    [
      ['nodes.put', false, undefined],
      ['nodes.get', false, 'NOT_FOUND'],
      ['nodes.put_many', true, undefined],
      ['nodes.closure', true, 'NOT_FOUND'],
      ['db.info', false, undefined],
      ['transaction.begin', false, undefined],
      ['graph_types.list', false, undefined],
      ['transaction.commit', false, undefined],
      ['modules.patch', false, undefined],
      ['events.listen', false, undefined],
    ],
  );
});

test('every function has the name of its operation', async (t) => {
  // What is not found here would be published under its name in C.
  const { operations } = await import('brant');
  const db = database(t);
  const heard = [];
  const hear = ({ name }) => heard.push(name);
  subscribe('brant:call', hear);
  after(t, () => unsubscribe('brant:call', hear));
  const calls = [() => db.indexes.list(), () => modules.types({}), () => db.graphTypes.list(), () => db.graphs.list(), () => db.operations()];
  for (const call of calls) call();
  const names = new Set(operations().map(({ name }) => name));
  assert.equal(heard.length, calls.length);
  for (const name of heard) assert.ok(names.has(name), name);
});
