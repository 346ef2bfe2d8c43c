/* Modules made of the schemas of TypeBox, of both its kinds, zod, and JSON Schema itself. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import * as typebox034 from '@sinclair/typebox';
import { Type as Type1 } from 'typebox';
import * as z from 'zod';
import { defineModule } from 'brant';
import { code, database } from './support.mjs';

const { Type } = typebox034;

/** A module of these, that warned of nothing. */
function quiet(id, source) {
  const warnings = [];
  const module = defineModule(id, source, { onWarning: (warning) => warnings.push(warning) });
  assert.deepEqual(warnings, []);
  return module;
}

const valid = (graphTypes, name, type, attributes) => graphTypes.validateNode(name, type, attributes).valid;

test('parts become entries, configuration and constraints', (t) => {
  const module = quiet('tasks', {
    config: { directed: 'directed', multi: true, allowSelfLoops: false, acyclic: true, maxNodes: 10, maxEdges: 20 },
    nodes: { Task: { type: 'object', properties: { title: { type: 'string' } }, required: ['title'] }, Person: true },
    edges: {
      DependsOn: { schema: { type: 'object', properties: { kind: { $ref: 'Kind' } } }, source: 'Task', target: ['Task'], maxOut: 2, maxIn: 3 },
      AssignedTo: { source: 'Task', target: 'Person' },
      Mentions: { type: 'object' },
      Sees: true,
      Any: {},
    },
    defs: { Kind: { enum: ['blocks', 'informs'] } },
  });
  assert.equal(module.$id, 'tasks');
  assert.deepEqual(module.$defs.DependsOnEdgeConstraints.properties, {
    source: { const: 'Task' },
    target: { enum: ['Task'] },
    max_out: { const: 2 },
    max_in: { const: 3 },
  });
  const { graphTypes } = database(t);
  const defined = graphTypes.define(module);
  assert.deepEqual(defined.config, {
    directed: 'directed',
    multi: true,
    allow_self_loops: false,
    acyclic: true,
    max_nodes: 10,
    max_edges: 20,
  });
  assert.deepEqual([...defined.node_types].sort(), ['Person', 'Task']);
  const types = Object.fromEntries(defined.edge_types.map(({ name, source, target }) => [name, [source, target]]));
  assert.deepEqual(types, {
    DependsOn: [['Task'], ['Task']],
    AssignedTo: [['Task'], ['Person']],
    Mentions: [null, null],
    Sees: [null, null],
    Any: [null, null],
  });
  assert.equal(graphTypes.validateEdge('tasks', 'DependsOn', { kind: 'blocks' }).valid, true);
  assert.equal(graphTypes.validateEdge('tasks', 'DependsOn', { kind: 'other' }).valid, false);
  // Only what is said is there: the rest is the library's default.
  assert.deepEqual(defineModule('least', { nodes: { Thing: true } }), { $id: 'least', $defs: { ThingNode: true } });
  assert.deepEqual(defineModule('config', { config: { multi: undefined, acyclic: true } }).$defs.Config.properties, { acyclic: { const: true } });
});

test('parts that cannot be', () => {
  assert.throws(() => defineModule('a', { config: { colour: 'red' } }), code('INVALID', ({ detail }) => {
    assert.equal(detail.pointer, '/$defs/Config/properties/colour');
  }));
  assert.throws(() => defineModule('a', { nodes: { Task: true }, defs: { TaskNode: true } }), code('INVALID', ({ message }) => assert.match(message, /TaskNode/)));
  assert.throws(() => defineModule('a', { nodes: { Task: 5 } }), code('INVALID'));
  assert.throws(() => defineModule('a', { nodes: { Task: { properties: { 'a/b': null } } } }), code('INVALID', ({ detail }) => {
    assert.equal(detail.pointer, '/$defs/TaskNode/properties/a~1b');
  }));
  const circle = { type: 'object', properties: {} };
  circle.properties.circle = circle;
  assert.throws(() => defineModule('a', { nodes: { Circle: circle } }), code('INVALID', ({ message }) => assert.match(message, /contains itself/)));
});

for (const [name, make] of [
  [
    'Type.Module of @sinclair/typebox',
    () =>
      Type.Module({
        Config: Type.Object({ directed: Type.Literal('directed'), acyclic: Type.Literal(true) }),
        Status: Type.Union([Type.Literal('open'), Type.Literal('done')]),
        TaskNode: Type.Object({ title: Type.String(), status: Type.Ref('Status'), span: Type.Optional(Type.Tuple([Type.String(), Type.Number()])) }),
        TreeNode: Type.Object({ kids: Type.Array(Type.Ref('TreeNode')) }),
        DependsOnEdge: Type.Object({}),
        DependsOnEdgeConstraints: Type.Object({ source: Type.Literal('Task'), target: Type.Union([Type.Literal('Task'), Type.Literal('Tree')]) }),
      }),
  ],
  [
    'Type.Module of typebox',
    () =>
      Type1.Module({
        Config: Type1.Object({ directed: Type1.Literal('directed'), acyclic: Type1.Literal(true) }),
        Status: Type1.Union([Type1.Literal('open'), Type1.Literal('done')]),
        TaskNode: Type1.Object({ title: Type1.String(), status: Type1.Ref('Status'), span: Type1.Optional(Type1.Tuple([Type1.String(), Type1.Number()])) }),
        TreeNode: Type1.Object({ kids: Type1.Array(Type1.Ref('TreeNode')) }),
        DependsOnEdge: Type1.Object({}),
        DependsOnEdgeConstraints: Type1.Object({ source: Type1.Literal('Task'), target: Type1.Union([Type1.Literal('Task'), Type1.Literal('Tree')]) }),
      }),
  ],
]) {
  test(`${name} is a module`, (t) => {
    const { graphTypes } = database(t);
    const defined = graphTypes.define(quiet('tasks', make()));
    assert.equal(defined.config.acyclic, true);
    assert.deepEqual([...defined.node_types].sort(), ['Task', 'Tree']);
    assert.deepEqual(defined.edge_types, [{ name: 'DependsOn', source: ['Task'], target: ['Task', 'Tree'] }]);
    assert.equal(valid(graphTypes, 'tasks', 'Task', { title: 'a', status: 'open', span: ['a', 1] }), true);
    assert.equal(valid(graphTypes, 'tasks', 'Task', { title: 'a', status: 'closed' }), false);
    assert.equal(valid(graphTypes, 'tasks', 'Task', { title: 'a', status: 'open', span: ['a', 'b'] }), false);
    assert.equal(valid(graphTypes, 'tasks', 'Task', { title: 'a', status: 'open', span: ['a', 1, 2] }), false);
    assert.equal(valid(graphTypes, 'tasks', 'Tree', { kids: [{ kids: [{ kids: [] }] }] }), true);
    assert.equal(valid(graphTypes, 'tasks', 'Tree', { kids: [{ kids: [{ kids: 5 }] }] }), false);
  });
}

test('a name that comes in twice means the innermost entry', (t) => {
  const inner = Type.Module({ Base: Type.Object({ id: Type.String() }), Shape: Type.Object({ base: Type.Ref('Base') }) });
  const outer = Type.Module({
    Base: Type.Object({ number: Type.Number() }),
    Imported: inner.Import('Shape'),
    Again: inner.Import('Base'),
    TaskNode: Type.Object({ mine: Type.Ref('Base'), theirs: Type.Ref('Imported'), again: Type.Ref('Again') }),
  });
  const { graphTypes } = database(t);
  for (const [id, module] of [
    ['whole', quiet('whole', outer)],
    ['single', quiet('single', { nodes: { Task: outer.Import('TaskNode') } })],
  ]) {
    graphTypes.define(module);
    const task = (mine, base, again) => valid(graphTypes, id, 'Task', { mine, theirs: { base }, again });
    assert.equal(task({ number: 1 }, { id: 'a' }, { id: 'b' }), true);
    assert.equal(task({ id: 'a' }, { id: 'a' }, { id: 'b' }), false);
    assert.equal(task({ number: 1 }, { number: 1 }, { id: 'b' }), false);
    assert.equal(task({ number: 1 }, { id: 'a' }, { number: 1 }), false);
    assert.ok(!JSON.stringify(module.$defs).includes('"$id"'), 'an $id would be there twice');
  }
});

test('TypeBox modules can be defined as they are, nested ones too', (t) => {
  const inner = Type.Module({ Base: Type.Object({ id: Type.String() }), Shape: Type.Object({ base: Type.Ref('Base') }) });
  const outer = Type.Module({
    Base: Type.Object({ number: Type.Number() }),
    Imported: inner.Import('Shape'),
    TaskNode: Type.Object({ mine: Type.Ref('Base'), theirs: Type.Ref('Imported') }),
  });
  const { graphTypes } = database(t);
  graphTypes.define({ ...JSON.parse(JSON.stringify(outer)), $id: 'tasks' });
  assert.equal(valid(graphTypes, 'tasks', 'Task', { mine: { number: 1 }, theirs: { base: { id: 'a' } } }), true);
  assert.equal(valid(graphTypes, 'tasks', 'Task', { mine: { number: 1 }, theirs: { base: { number: 1 } } }), false);
  assert.equal(valid(graphTypes, 'tasks', 'Task', { mine: { id: 'a' }, theirs: { base: { id: 'a' } } }), false);
  // The same $id anywhere else is a mistake still.
  const twice = { XNode: { $id: 'https://example.org/a' }, YNode: { $id: 'https://example.org/a' } };
  assert.throws(() => graphTypes.define({ $id: 'twice', $defs: twice }), code('VALIDATION'));
});

test('recursion', (t) => {
  const tree = z.object({
    name: z.string(),
    get kids() {
      return z.array(tree);
    },
  });
  const module = quiet('trees', {
    nodes: {
      TypeBox: Type.Recursive((This) => Type.Object({ name: Type.String(), kids: Type.Array(This) })),
      Zod: tree,
      Plain: {
        type: 'object',
        properties: { name: { type: 'string' }, kids: { type: 'array', items: { $ref: '#' } }, 'a b': { $ref: '#/$defs/Odd%20name' } },
        $defs: { 'Odd name': { type: 'integer' } },
      },
      Foreign: { $id: 'https://example.org/tree', type: 'object', properties: { name: { type: 'string' }, kids: { type: 'array', items: { $ref: '#' } } } },
    },
  });
  const { graphTypes } = database(t);
  graphTypes.define(module);
  for (const type of ['TypeBox', 'Zod', 'Plain', 'Foreign']) {
    assert.equal(valid(graphTypes, 'trees', type, { name: 'a', kids: [{ name: 'b', kids: [] }] }), true, type);
    assert.equal(valid(graphTypes, 'trees', type, { name: 'a', kids: [{ name: 5, kids: [] }] }), false, type);
  }
  assert.equal(valid(graphTypes, 'trees', 'Plain', { 'a b': 'text' }), false);
});

test('types beyond JSON take their form in JSON, or are refused', (t) => {
  const warnings = [];
  const module = defineModule(
    'times',
    {
      nodes: {
        TypeBox: Type.Object({
          at: Type.Date(),
          bounded: Type.Optional(Type.Date({ minimumTimestamp: 5, description: 'when' })),
          bytes: Type.Optional(Type.Uint8Array()),
          big: Type.Optional(Type.BigInt({ minimum: 0n })),
          like: Type.Optional(Type.RegExp(/^a+$/u)),
        }),
        Zod: z.object({ at: z.date(), bounded: z.date().min(new Date(0)).optional(), big: z.bigint().optional() }),
      },
    },
    { onWarning: (warning) => warnings.push(warning) },
  );
  assert.deepEqual(warnings.map(({ pointer }) => pointer), ['/$defs/TypeBoxNode/properties/bounded', '/$defs/ZodNode/properties/bounded']);
  assert.match(warnings[0].message, /minimumTimestamp/);
  assert.equal(module.$defs.TypeBoxNode.properties.bounded.description, 'when');
  const db = database(t);
  db.graphTypes.define(module);
  db.graphs.create('g', { graphType: 'times' });
  const { nodes } = db.graph('g', module);
  const at = new Date(1);
  for (const type of ['TypeBox', 'Zod']) {
    nodes.put({ key: type, type, attributes: { at, big: 2n ** 60n } });
    assert.deepEqual(nodes.get(type).attributes, { at: at.toISOString(), big: 2n ** 60n });
    assert.throws(() => nodes.put({ key: 'x', type, attributes: { at: 'yesterday' } }), code('VALIDATION'));
  }
  assert.equal(valid(db.graphTypes, 'times', 'TypeBox', { at, like: 'aab' }), false);
  assert.equal(valid(db.graphTypes, 'times', 'TypeBox', { at, like: 'aaa', bytes: 'AAEC' }), true);
  assert.equal(valid(db.graphTypes, 'times', 'TypeBox', { at, big: -1 }), false);

  const refused = (schema, pointer) => {
    assert.throws(() => defineModule('a', { nodes: { X: schema } }), code('INVALID', ({ detail }) => assert.equal(detail.pointer, pointer)));
  };
  for (const type of ['Function', 'Symbol', 'Undefined', 'Void', 'Promise']) {
    refused(Type.Object({ a: Type[type]([], Type.String()) }), '/$defs/XNode/properties/a');
  }
  for (const schema of [z.map(z.string(), z.string()), z.set(z.string()), z.symbol(), z.instanceof(Uint8Array)]) {
    refused(z.object({ a: schema }), '/$defs/XNode/properties/a');
  }
  refused(Type.Object({ a: z.string() }), '/$defs/XNode/properties/a');
});

test('of zod, what is put in counts', (t) => {
  const shared = z.object({ id: z.string() }).meta({ id: 'Shared' });
  const Task = z.object({
    title: z.string().min(1),
    priority: z.int().default(3),
    length: z.string().transform((text) => text.length),
    pair: z.tuple([z.string(), z.number()]).optional(),
    one: shared.optional(),
    two: shared.optional(),
  });
  const { graphTypes } = database(t);
  const module = quiet('tasks', { nodes: { Task }, edges: { DependsOn: { schema: z.strictObject({ kind: z.enum(['a', 'b']) }), source: 'Task' } } });
  assert.equal(module.$defs.TaskNode.$schema, undefined);
  graphTypes.define(module);
  assert.equal(valid(graphTypes, 'tasks', 'Task', { title: 'a', length: 'abc' }), true);
  assert.equal(valid(graphTypes, 'tasks', 'Task', { title: '', length: 'abc' }), false);
  assert.equal(valid(graphTypes, 'tasks', 'Task', { title: 'a', length: 'abc', pair: ['a'] }), false);
  assert.equal(valid(graphTypes, 'tasks', 'Task', { title: 'a', length: 'a', one: { id: 'a' }, two: { id: 5 } }), false);
  assert.equal(graphTypes.validateEdge('tasks', 'DependsOn', { kind: 'a', more: 1 }).valid, false);
  // Entries by their names, as a module has them.
  assert.deepEqual(Object.keys(quiet('named', { TaskNode: Task, Helper: z.string() }).$defs), ['TaskNode', 'Helper']);
});

test('a Standard JSON Schema of any library', () => {
  const standard = (jsonSchema) => ({ '~standard': { version: 1, vendor: 'other', validate: () => {}, jsonSchema } });
  const input = ({ target }) => ({ $schema: `https://json-schema.org/${target.replace('draft-', 'draft/')}/schema`, type: 'object' });
  assert.deepEqual(defineModule('a', { nodes: { Task: standard({ input }) } }).$defs, { TaskNode: { type: 'object' } });
  assert.throws(() => defineModule('a', { nodes: { Task: standard(undefined) } }), code('INVALID', ({ message }) => assert.match(message, /other/)));
});

test('JSON Schema stays what it is', (t) => {
  const older = { $schema: 'http://json-schema.org/draft-07/schema#', type: 'object', properties: { pair: { items: [{ type: 'string' }, { type: 'number' }], additionalItems: false } } };
  const data = { const: { $ref: 'Kind', items: [1] }, examples: [{ $id: 'x' }], enum: [{ $ref: 'Kind', items: [1] }] };
  const module = quiet('plain', {
    nodes: {
      Older: older,
      Data: { type: 'object', properties: { $ref: { type: 'string' }, data }, dependencies: { a: ['b'] } },
      Outer: { type: 'object', properties: { kind: { $ref: '#/$defs/Kind' }, mine: { $ref: '#/$defs/Mine' } }, $defs: { Mine: { type: 'number' } } },
    },
    defs: { Kind: { enum: ['a'] } },
  });
  assert.deepEqual(module.$defs.OlderNode, older);
  assert.deepEqual(module.$defs.DataNode.properties.data, data);
  assert.deepEqual(module.$defs.DataNode.dependencies, { a: ['b'] });
  assert.equal(module.$defs.OuterNode.properties.kind.$ref, '#/$defs/Kind');
  assert.equal(module.$defs.OuterNode.properties.mine.$ref, '#/$defs/OuterNode/$defs/Mine');
  const { graphTypes } = database(t);
  graphTypes.define(module);
  assert.equal(valid(graphTypes, 'plain', 'Outer', { kind: 'a', mine: 1 }), true);
  assert.equal(valid(graphTypes, 'plain', 'Outer', { kind: 'b' }), false);
  assert.equal(valid(graphTypes, 'plain', 'Outer', { mine: 'text' }), false);
  assert.equal(valid(graphTypes, 'plain', 'Older', { pair: ['a', 1, 2] }), false);
});

test('what a Composite of a Ref has dropped is told', () => {
  const warnings = [];
  const onWarning = (warning) => warnings.push(warning);
  const base = { Base: Type.Object({ id: Type.String() }) };
  const composite = Type.Module({ ...base, TaskNode: Type.Composite([Type.Ref('Base'), Type.Object({ title: Type.String() })]) });
  defineModule('tasks', composite, { onWarning });
  assert.deepEqual(warnings.map(({ pointer }) => pointer), ['/$defs/Base']);
  assert.match(warnings[0].message, /Composite of a Ref/);
  quiet('tasks', Type.Module({ ...base, TaskNode: Type.Intersect([Type.Ref('Base'), Type.Object({ title: Type.String() })]) }));
  // What cannot work, or needs modules that are not here, is told when it is defined.
  quiet('bad', { nodes: { Task: { type: 'objekt' }, Other: { $ref: 'stored#/$defs/TaskNode' } } });
});

test('warnings are those of the process unless asked for', async () => {
  const heard = new Promise((resolve) => process.on('warning', (warning) => warning.code === 'BRANT_MODULE' && resolve(warning)));
  defineModule('a', { nodes: { X: Type.Object({ at: Type.Date({ maximumTimestamp: 5 }) }) } });
  const { name, code: warning, message } = await heard;
  assert.deepEqual([name, warning], ['BrantWarning', 'BRANT_MODULE']);
  assert.match(message, /^\/\$defs\/XNode\/properties\/at: maximumTimestamp/);
});
