/* What becomes of graph types and of data when modules change. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { modules, operations } from 'brant';
import { code, database } from './support.mjs';

const TASKS = {
  $id: 'tasks',
  $defs: {
    TaskNode: { type: 'object', properties: { title: { type: 'string' }, old: { type: 'string' } }, required: ['title'], additionalProperties: false },
    DependsOnEdge: { type: 'object', properties: { kind: { enum: ['blocks'] } } },
  },
};
/** TASKS with other properties of tasks. */
const changed = (properties, required = ['title']) => ({
  ...TASKS,
  $defs: { ...TASKS.$defs, TaskNode: { ...TASKS.$defs.TaskNode, properties, required } },
});
const ADDITIVE = changed({ ...TASKS.$defs.TaskNode.properties, due: { type: 'integer' } });
const UPCAST = changed({ title: { type: 'string' }, status: { type: 'string', default: 'open' } }, ['title', 'status']);
const BREAKING = changed({ title: { type: 'string', minLength: 3 } });

function planned(t, count = 25) {
  const db = database(t);
  db.graphTypes.define(TASKS);
  db.graphs.create('plan', { graphType: 'tasks' });
  const graph = db.graph('plan');
  graph.nodes.putMany(Array.from({ length: count }, (_, i) => ({ key: `t${i}`, attributes: { title: 'x'.repeat(i % 5), old: 'o' } })));
  return { db, graph };
}

test('modules are looked at without a database', () => {
  const { id, node_types: nodeTypes, edge_types: edgeTypes, config, warnings } = modules.types(TASKS);
  assert.deepEqual([id, nodeTypes.map(({ name }) => name), edgeTypes.map(({ name }) => name)], ['tasks', ['Task'], ['DependsOn']]);
  assert.deepEqual(nodeTypes[0].schema, TASKS.$defs.TaskNode);
  assert.deepEqual([edgeTypes[0].source, edgeTypes[0].max_out, config.directed], [null, null, 'directed']);
  assert.deepEqual(warnings, []);
  const composite = { ...TASKS, $defs: { ...TASKS.$defs, Forgotten: { properties: { id: true } } } };
  assert.equal(modules.types(composite).warnings[0].pointer, '/$defs/Forgotten');

  assert.deepEqual(modules.validateNode(TASKS, 'Task', { title: 'a' }), { valid: true, violations: [] });
  assert.equal(modules.validateNode(TASKS, 'Task', {}).violations[0].keyword, 'required');
  const mail = { $defs: { XNode: { properties: { mail: { format: 'email' } } } } };
  assert.equal(modules.validateNode(mail, 'X', { mail: 'none' }).valid, false);
  assert.equal(modules.validateNode(mail, 'X', { mail: 'none' }, { formats: 'annotate' }).valid, true);
  assert.equal(modules.validateEdge(TASKS, 'DependsOn', { kind: 'blocks' }, { sourceType: 'Task', targetType: 'Task' }).valid, true);
  assert.equal(modules.validateEdge(TASKS, 'DependsOn', { kind: 'other' }).valid, false);
  assert.throws(() => modules.validateNode(TASKS, 'Nothing', {}), code('INVALID'));
  assert.throws(() => modules.types({ $defs: { XNode: { type: 'objekt' } } }), code('VALIDATION'));
  assert.throws(() => modules.types('text'), code('INVALID'));
});

test('differences, casts, patches', () => {
  assert.deepEqual([TASKS, ADDITIVE, UPCAST, BREAKING].map((to) => modules.diff(TASKS, to).class), ['identical', 'additive', 'upcast', 'breaking']);
  const [edit] = modules.diff(TASKS, ADDITIVE).edits;
  assert.deepEqual([edit.op, edit.pointer, edit.entry], ['add', '/$defs/TaskNode/properties/due', 'TaskNode']);
  assert.ok(edit.reason.length > 0);
  const cast = modules.cast(UPCAST, { nodeType: 'Task' }, { title: 'a', old: 'o' });
  assert.deepEqual([cast.attributes, cast.changed, cast.valid], [{ title: 'a', status: 'open' }, true, true]);
  assert.deepEqual(modules.patch({ title: 'a', old: 'o' }, cast.edits), cast.attributes);
  assert.equal(modules.cast(TASKS, { edgeType: 'DependsOn' }, { kind: 'other' }).valid, false);
  assert.deepEqual(modules.patch({ 'a/b': 1 }, [{ op: 'move', from: '/a~1b', path: '/c' }]), { c: 1 });
  assert.deepEqual(modules.patch([1, 2n ** 60n], [{ op: 'remove', path: '/0' }]), [2n ** 60n]);
  assert.throws(() => modules.patch({}, [{ op: 'test', path: '', value: 1 }]), code('CONFLICT'));
  assert.throws(() => modules.patch({}, [{ op: 'remove', path: '/a' }]), code('INVALID'));
});

test('modules import from stored ones where they are defined', (t) => {
  const { db } = planned(t, 0);
  const importing = { $id: 'more', $defs: { ANode: { $ref: 'tasks#/$defs/TaskNode' }, BNode: { $ref: 'metagraph#/$defs/BaseNode' } } };
  assert.throws(() => modules.types(importing), code('VALIDATION'));
  assert.deepEqual(db.graphTypes.define(importing).node_types, ['A', 'B']);
  assert.deepEqual(modules.types(db.graphTypes.get('more').module).node_types.map(({ name }) => name), ['A', 'B']);
  assert.equal(db.graphTypes.validateNode('more', 'A', {}).valid, false);
  assert.deepEqual(db.graphTypes.define({ ...TASKS, $id: 'w', $defs: { ...TASKS.$defs, Forgotten: { properties: { id: true } } } }).warnings.map(({ pointer }) => pointer), ['/$defs/Forgotten']);
});

test('a harmless change is applied at once', async (t) => {
  const { db, graph } = planned(t);
  assert.equal(db.graphTypes.diff('tasks', ADDITIVE).class, 'additive');
  const updated = db.graphTypes.update('tasks', ADDITIVE, { metadata: { by: 'me' } });
  assert.deepEqual([updated.version, updated.metadata, updated.warnings], [1, { by: 'me' }, []]);
  graph.nodes.put({ key: 'new', attributes: { title: 'a', due: 5 } });
  assert.throws(() => db.graphTypes.migration('tasks'), code('NOT_FOUND'));
  assert.throws(() => db.graphTypes.update('tasks', UPCAST), code('CONSTRAINT'));
  assert.throws(() => db.graphTypes.update('nothing', UPCAST), code('NOT_FOUND'));
  assert.throws(() => db.graphTypes.update('open', UPCAST, { version: 2 }), code('DENIED'));
  const without = { ...TASKS, $defs: { DependsOnEdge: true, OtherNode: true } };
  await assert.rejects(db.graphTypes.updateAsync('tasks', without, { version: 2 }), code('CONSTRAINT'));
});

test('stored data are checked, and migrated in batches', async (t) => {
  const { db, graph } = planned(t);
  const check = db.graphTypes.check('tasks', { module: UPCAST });
  assert.deepEqual([check.class, check.nodes, check.failures, check.cursor], ['upcast', { checked: 25, valid: 0, castable: 25, failing: 0 }, [], null]);
  const first = await db.graphTypes.checkAsync('tasks', { module: BREAKING, limit: 10 });
  assert.equal(first.nodes.checked, 10);
  assert.ok(first.failures.length > 0 && first.failures[0].violations.length > 0);
  assert.equal(db.graphTypes.check('tasks', { module: BREAKING, limit: 100, cursor: first.cursor }).nodes.checked, 15);

  assert.equal((await db.graphTypes.updateAsync('tasks', UPCAST, { version: 2 })).version, 2);
  assert.throws(() => graph.nodes.put({ key: 'new', attributes: { title: 'a' } }), code('VALIDATION'));
  assert.equal(graph.nodes.count({ filter: { type_version: 1 } }), 25);
  const one = db.graphTypes.migrate('tasks', { batch: 10, limit: 1 });
  assert.deepEqual([one.done, one.migrated, one.remaining], [false, 10, 15]);
  const seen = [];
  const rest = db.graphTypes.migrate('tasks', { batch: 10, onProgress: (progress) => seen.push(progress) });
  assert.deepEqual([rest.done, rest.migrated, rest.remaining, rest.failures], [true, 15, 0, []]);
  assert.ok(seen.length >= 2);
  assert.deepEqual([seen[0].migrated, seen.at(-1)], [10, rest]);
  assert.equal(graph.nodes.count({ filter: { type_version: 2 } }), 25);
  assert.deepEqual(graph.nodes.get('t1').attributes, { title: 'x', status: 'open' });
  const { from_version: from, to_version: to, migrated, done } = db.graphTypes.migration('tasks');
  assert.deepEqual([from, to, migrated, done], [1, 2, 25, true]);
  assert.deepEqual(db.graphTypes.migrate('tasks'), { done: true, migrated: 0, unchanged: 0, failed: 0, remaining: 0, failures: [] });
});

test('what cannot be cast stops a migration, is left out, or is patched first', async (t) => {
  const { db, graph } = planned(t);
  db.graphTypes.update('tasks', BREAKING, { version: 2 });
  const stopped = db.graphTypes.migrate('tasks', { batch: 5 });
  assert.deepEqual([stopped.done, stopped.failed, stopped.failures.length], [false, 1, 1]);
  assert.equal(stopped.failures[0].graph, 'plan');
  const skipped = await db.graphTypes.migrateAsync('tasks', { batch: 5, onFailure: 'skip' });
  assert.deepEqual([skipped.done, skipped.failed], [true, 15]);
  assert.equal(skipped.migrated, 10);
  const patches = { Task: [{ op: 'replace', path: '/title', value: 'a longer title' }] };
  const seen = [];
  const mended = await db.graphTypes.migrateAsync('tasks', { batch: 5, patches, onProgress: ({ remaining }) => seen.push(remaining) });
  assert.deepEqual([mended.done, mended.migrated, mended.failed], [true, 15, 0]);
  assert.ok(seen.length >= 3);
  assert.equal(graph.nodes.get('t0').attributes.title, 'a longer title');
  await assert.rejects(db.graphTypes.migrateAsync('nothing'), code('NOT_FOUND'));
  const stop = () => {
    throw new Error('enough');
  };
  assert.throws(() => db.graphTypes.migrate('tasks', { onProgress: stop }), /enough/);
});

test('operations on modules are described', () => {
  assert.deepEqual(operations('modules').map(({ name }) => name), ['cast', 'diff', 'patch', 'types', 'validate_edge', 'validate_node'].map((verb) => `modules.${verb}`));
});
