/* Compiled, never run: what a typed consumer writes, and what the types must refuse. */
import {
  BrantError,
  Hub,
  Key,
  composite,
  defineModule,
  deriveKeyAsync,
  generateKey,
  identitySchemas,
  modules,
  open,
  operations,
  type Actor,
  type Database,
  type Envelope,
  type ErrorCode,
  type GraphNode,
  type KeyRing,
  type Notification,
  type SchemaOf,
  type Secret,
  type Token,
} from 'brant';
import { pipeline } from 'node:stream/promises';
import { Type as Type034 } from '@sinclair/typebox';
import { DirectedGraph } from 'graphology';
import { Type as Type1 } from 'typebox';
import * as z from 'zod';

interface Packages {
  nodes: { Package: { version: string; size?: number }; Maintainer: { name: string } };
  edges: { DependsOn: { optional: boolean }; Maintains: object };
}

using db = open('a.db', { mode: 'create', busyTimeout: 100, integers: 'exact' });
// @ts-expect-error no such option
open('a.db', { busy_timeout: 100 });
// @ts-expect-error no such mode
open('a.db', { mode: 'append' });

const { nodes, edges } = db.graph<Packages>('debian');
nodes.put({ key: 'libc6', type: 'Package', attributes: { version: '2.36' } });
nodes.put({ key: 'libc6', attributes: { version: '2.36' } });
nodes.put({ key: 'libc6', type: 'Package', revision: 0, metadata: { any: [1] } });
// @ts-expect-error a node has a key
nodes.put({ type: 'Package' });
// @ts-expect-error no such type
nodes.put({ key: 'a', type: 'Parcel' });
// @ts-expect-error the attributes of another type
nodes.put({ key: 'a', type: 'Maintainer', attributes: { version: '1' } });
// @ts-expect-error a wrong attribute
nodes.putMany([{ key: 'a', type: 'Package', attributes: { version: 1 } }]);

const node = nodes.get('libc6');
if (node.type === 'Package') node.attributes.version.toUpperCase();
// @ts-expect-error which type it is, is not known
node.attributes.version;
for (const { attributes } of nodes.iterate({ type: 'Maintainer' })) attributes.name.trim();
for (const each of nodes) each.revision.toFixed();
const page = nodes.list({ type: 'Package', limit: 10, cursor: null });
page.items.map((item) => item.attributes.size ?? 0);
nodes.list({ cursor: page.cursor });
const many: (GraphNode<Packages> | null)[] = nodes.getMany(['a']);
const count: number = nodes.count({ type: 'Package' });
// @ts-expect-error no such type
nodes.count({ type: 'Parcel' });
nodes.delete('a', { edges: 'delete' });
const parents: number[] = nodes.closure('a', { edgeTypes: ['DependsOn'], maxDepth: 3 }).parents;

edges.put({ type: 'DependsOn', source: 'a', target: 'b', attributes: { optional: true } });
// @ts-expect-error an edge has ends
edges.put({ type: 'DependsOn', source: 'a' });
// @ts-expect-error a wrong attribute
edges.put({ type: 'DependsOn', source: 'a', target: 'b', attributes: { optional: 'yes' } });
const neighbor: 'Package' | 'Maintainer' | undefined = nodes.neighbors('a').items[0]?.type;

const open1 = db.graph('any');
open1.nodes.put({ key: 'a', attributes: { any: ['thing'] } });
open1.nodes.put({ key: 'a', type: null });
const anything: unknown = open1.nodes.get('a').attributes['any'];
const nullable: string | null = open1.nodes.get('a').type;

const answer: number = db.transaction(() => 7);
const self = db.transaction((inside) => inside.graph('g'), 'read');
const id: number = db.notify('channel', { any: 1 });

for await (const item of db.listen<{ n: number }>('a*', { signal: AbortSignal.timeout(1) })) {
  if (item.gap) item.gap.from.toFixed();
  else item.payload.n.toFixed();
}
const next: Notification | undefined = await db.listen(['a', 'b']).next(10);
db.listen('a').addEventListener('message', (event) => (event as MessageEvent).data.channel);

const info = db.call('db.info');
info.sqlite_version.trim();
db.call('nodes.get', { graph: 'g', key: 'a' }).attributes;
// @ts-expect-error a wrong input
db.call('nodes.get', { graph: 'g' });
const unknown: unknown = db.call('later.operation', { any: 1 });
const closed = (await db.callAsync('nodes.closure', { graph: 'g', keys: ['a'] }, { timeout: 5 })).truncated;
const text: string = db.callText('db.info', new Uint8Array());

const { rows } = db.execute<[string, number | bigint]>('SELECT a, b FROM t WHERE c = ?', [new Uint8Array(), 1n, null, true]);
rows[0]?.[0].trim();
// @ts-expect-error no value of SQL
db.execute('SELECT ?', [{ a: 1 }]);

try {
  db.graphTypes.define({ $id: 'a', $defs: {} }, { name: 'b' });
} catch (error) {
  if (error instanceof BrantError) {
    const code: ErrorCode = error.code;
    // @ts-expect-error no such code
    if (error.code === 'GONE') error.detail.violations?.map(({ instance }) => instance);
    console.log(code, error.detail.items?.[0]?.index);
  }
}
console.log(many, count, parents, neighbor, anything, nullable, answer, self, id, next, unknown, closed, text, operations());

const zod = defineModule('zod', {
  config: { acyclic: true },
  nodes: {
    Task: z.object({ title: z.string(), due: z.date().optional(), priority: z.number().default(3) }),
    Person: z.object({ name: z.string() }),
  },
  edges: {
    DependsOn: { schema: z.object({ kind: z.enum(['blocks', 'informs']) }), source: 'Task', target: ['Task'] },
    AssignedTo: { source: 'Task', target: 'Person', maxOut: 1 },
  },
});
db.graphTypes.define(zod);
const plan = db.graph('plan', zod);
plan.nodes.put({ key: 'a', type: 'Task', attributes: { title: 'Begin', due: '2026-01-01T00:00:00Z' } });
plan.nodes.insertMany([{ key: 'a', type: 'Person', attributes: { name: 'Ann' } }]);
// @ts-expect-error a title is text
plan.nodes.put({ key: 'a', type: 'Task', attributes: { title: 5 } });
// @ts-expect-error a node that is new has no revision
plan.nodes.insert({ key: 'a', type: 'Person', attributes: { name: 'Ann' }, revision: 1 });
plan.edges.put({ source: 'a', target: 'b', type: 'DependsOn', attributes: { kind: 'blocks' } });
// @ts-expect-error no such kind
plan.edges.put({ source: 'a', target: 'b', type: 'DependsOn', attributes: { kind: 'likes' } });
plan.edges.put({ source: 'a', target: 'b', type: 'AssignedTo', attributes: { since: 5 } });
// @ts-expect-error no such node type
defineModule('a', { nodes: { Task: z.object({}) }, edges: { DependsOn: { source: 'Tusk' } } });
const title: string | undefined = plan.nodes.list({ type: 'Task' }).items[0]?.attributes.title;

const Task034 = Type034.Object({ title: Type034.String(), at: Type034.Optional(Type034.Date()) });
const single = defineModule('single', { nodes: { Task: Task034 } });
db.graph('s', single).nodes.put({ key: 'a', type: 'Task', attributes: { title: 'a', at: '2026-01-01T00:00:00Z' } });
// @ts-expect-error a title is there
db.graph('s', single).nodes.put({ key: 'a', type: 'Task', attributes: {} });
const whole = defineModule('whole', Type034.Module({ TaskNode: Task034, BaseNode: Type034.Object({}), SeesEdge: Type034.Object({ n: Type034.Number() }) }));
const names: 'Task' = 'Task' as keyof SchemaOf<typeof whole>['nodes'];
const sees: { n: number } = db.graph('w', whole).edges.get('a').attributes;

const newer = defineModule(
  'newer',
  Type1.Module({
    TaskNode: Type1.Object({
      title: Type1.String(),
      status: Type1.Union([Type1.Literal('open'), Type1.Literal('done')]),
      tags: Type1.Optional(Type1.Array(Type1.String())),
    }),
  }),
);
const { attributes } = db.graph('n', newer).nodes.get('a');
const status: 'open' | 'done' = attributes.status;
const tags: string[] | undefined = attributes.tags;
// @ts-expect-error a status is one of two
db.graph('n', newer).nodes.put({ key: 'a', type: 'Task', attributes: { title: 'a', status: 'other' } });

const plain = defineModule('plain', {
  nodes: { Task: { type: 'object', properties: { title: { type: 'string' }, size: { type: 'integer' } }, required: ['title'] }, Any: true },
});
const size: number | undefined = db.graph('p', plain).nodes.list({ type: 'Task' }).items[0]?.attributes.size;
const any: unknown = db.graph('p', plain).nodes.list({ type: 'Any' }).items[0]?.attributes['any'];

nodes.list({ filter: { type: { $in: ['Package'] }, 'attributes.version': { $prefix: '2.' }, 'attributes.size': { $lt: 5, $gte: 1 } } });
nodes.count({ filter: { $or: [{ key: 'a' }, { $not: { 'attributes.deep.path.0': 5 } }], 'attributes/a.b': null, 'metadata.seen': true } });
// @ts-expect-error no such operator
nodes.list({ filter: { 'attributes.size': { $above: 5 } } });
// @ts-expect-error no such type
nodes.list({ filter: { type: 'Parcel' } });
// @ts-expect-error no such field
nodes.list({ filter: { colour: 'red' } });
// @ts-expect-error a size is a number
nodes.list({ filter: { 'attributes.size': 'large' } });
edges.list({ filter: { source: 'a', 'attributes.optional': true }, orderBy: 'attributes.optional', descending: true });
open1.nodes.list({ filter: { 'attributes.any': { $exists: true } } });
nodes.deleteMany({ filter: { type: 'Package' } }, { edges: 'delete' });
nodes.deleteMany(['a', 'b'], { errors: 'skip' }).items?.[0]?.code;
nodes.patch('a', { attributes: { size: null }, revision: 3 }).changed;
nodes.search('lib*', { type: 'Package' }).items[0]?.node.attributes.version;
for (const batch of nodes.walk('a')) batch.keys.at(0);
for await (const batch of nodes.walk(['a'], { order: 'depth', edgeFilter: { 'attributes.optional': false }, timeout: 5 })) batch.depths.at(0);

const graph = db.graph<Packages>('debian');
const path = graph.shortestPath('a', 'b', { weight: 'attributes.cost', defaultWeight: 1, edgeTypes: ['DependsOn'] });
path.cost?.toFixed();
// @ts-expect-error no such edge type
graph.shortestPath('a', 'b', { edgeTypes: ['Knows'] });
// @ts-expect-error how deep must be said
graph.paths('a', 'b', {});
graph.paths('a', 'b', { maxDepth: 3 }).paths[0]?.[0];
const walks: number | bigint = graph.countWalks(3, { upTo: true });
(await graph.pagerankAsync({ personalization: { a: 1 }, signal: AbortSignal.timeout(1) })).scores;
graph.subgraph({ filter: { type: 'Package' } }).nodes.map((each) => each.key);
graph.arrays({ attributes: true }).keys;
await pipeline(graph.exportStream('ndjson'), process.stdout);
await graph.exportFile('a.json', 'graphology');
// @ts-expect-error no such format
graph.export('yaml');
graph.import({ format: 'ndjson', path: 'a.ndjson', onProgress: ({ bytes, total_bytes }) => console.log(bytes / total_bytes) });
// @ts-expect-error a text or a path
graph.import({ format: 'ndjson' });
const graphology: DirectedGraph = graph.toGraphology(DirectedGraph);
db.graphs.fromGraphology('copy', graphology).nodes.count();
db.indexes.create({ graphType: 'packages', nodeType: 'Package', paths: ['attributes.size'] }).kind;
db.graphTypes.migrate('packages', { onProgress: ({ remaining }) => console.log(remaining) }).done;
db.graphTypes.setRetention('packages', { nodes: [{ type: 'Package', older_than: 5 }] });
db.erase(['ann@example.org'], { dryRun: true }).counts.nodes;
modules.cast(zod, { nodeType: 'Task' }, {}).edits[0]?.op;
modules.diff(zod, plain).class === 'breaking';
db.call('nodes.list', { graph: 'g', order_by: 'key' }).items;
// @ts-expect-error a wrong member
db.call('graphs.paths', { graph: 'g', source: 'a', target: 'b', maxDepth: 3 });
const typedTask = db.types('zod', zod).node('Task');
typedTask.insert('plan', { key: 'a', attributes: { title: 'Begin' } });
// @ts-expect-error a title is text
typedTask.put('plan', { key: 'a', attributes: { title: 5 } });
typedTask.find('plan', { filter: { 'attributes.title': 'a' }, orderBy: 'attributes.due' }).items[0]?.attributes.title.trim();
db.types('zod', zod).edge('DependsOn').put('plan', { source: 'a', target: 'b', attributes: { kind: 'blocks' } }).created;
db.call('types.task.Task.count', { graph: 'plan' }).count.toFixed();
db.call('types.a.b.Task.get', { graph: 'plan', key: 'a' }).attributes;
// @ts-expect-error a graph is named
db.call('types.task.Task.count', {});
const later: unknown = db.call('types.task.Task.paint', {});
console.log(later, title, names, sees, status, tags, size, any, walks);

interface Mail {
  to: string;
}
const mail = db.queue<Mail, { sent: number }>('mail');
mail.enqueue({ to: 'a@b.org' }, { delay: 5, runAt: new Date(), unique: { key: 'a', onConflict: 'replace' } }).duplicate;
// @ts-expect-error another payload
mail.enqueue({ from: 'a@b.org' });
mail.enqueueMany([{ payload: { to: 'a' } }, { payload: { to: 'b' }, after: [{ item: 0 }, 7] }]).ids;
const worker = mail.process(async (job) => ({ sent: job.payload.to.length }), { concurrency: 4, grace: 5, signal: AbortSignal.timeout(1) });
worker.addEventListener('completed', ({ job, result }) => console.log(job.payload.to, result?.sent));
worker.addEventListener('drained', (event) => console.log(event.type));
// @ts-expect-error no such event
worker.addEventListener('done', () => undefined);
// @ts-expect-error a wrong result
mail.process(() => 5);
for await (const job of mail.work({ concurrency: 2 })) job.ack({ sent: job.payload.to.length });
const sent: number | undefined = (await mail.result(7, { timeout: 5 }))?.sent;
await worker.close({ grace: 0 });
const stream = db.stream<Mail>('s');
stream.publishMany([{ payload: { to: 'a' }, key: 'k' }]).last;
for await (const item of stream.subscribe({ consumer: 'c', from: { time: 5 }, save: 'each' })) {
  if (item.gap) item.gap.from.toFixed();
  else item.payload.to.trim();
}
for await (const batch of stream.subscribe().batches()) batch.map(({ payload }) => payload?.to);
for await (const item of stream.group('g', 'm')) if (item.gap === undefined) item.token.toFixed();
const held: number = await db.lock('l', { ttl: 5 }).with(({ token, signal }) => (signal.aborted ? 0 : token), { timeout: 5 });
// @ts-expect-error a rate has a period
db.rateLimit('r', { limit: 5 });
db.schedules.set('s', '@daily', { queue: 'q', timezone: 'Europe/Berlin', options: { maxAttempts: 5 } }).next_at;
await db.scheduler({ ttl: 5 }).run();
const target = db.eventTarget<{ order: Mail; user: number }>({ mode: 'durable', consumer: 'c' });
target.addEventListener('order:17', ({ detail }) => detail.to.trim());
target.addEventListener('user:*', { handleEvent: ({ detail }) => detail.toFixed() }, { once: true });
target.addEventListener('gap', ({ gap }) => gap.from);
// @ts-expect-error no such topic
target.addEventListener('mail:17', () => undefined);
composite(target, db.eventTarget<{ order: Mail; user: number }>()).dispatchEvent(new CustomEvent('order:1', { detail: { to: 'a' } }));
db.outbox<Mail>('o', (message, job) => console.log(message.to, job.id)).send({ to: 'a' });
console.log(sent, held);

{
  using ring: KeyRing = db.keyring({ keys: [{ version: 1, key: new Uint8Array(32), state: 'decrypt_only' }, generateKey({ version: 2 })], padding: 16 });
  db.keyring('{}').close();
  db.keyring(Buffer.from('{}'));
  // @ts-expect-error a key has a version
  db.keyring({ keys: [{ key: new Uint8Array(32) }] });
  // @ts-expect-error no such state
  new Key({ version: 1, state: 'old' });
  const secret: Secret<{ user: string }> = db.graph('s').nodes.openSecret<{ user: string }>('k', 'attributes.value');
  secret.reveal().user.trim();
  const opened: unknown = (await db.graph('s').edges.openSecretAsync('k', 'attributes.value', { timeout: 5 })).reveal();
  // @ts-expect-error nobody but reveal has it
  secret.value;
  const envelope: Envelope = db.envelopes.seal({ a: 1 }, { graph_id: 'g', kind: 'node', key: 'k', path: '/value' });
  // @ts-expect-error a context has a path
  db.envelopes.open(envelope, { graph_id: 'g', kind: 'node', key: 'k' });
  const derived: Key = await deriveKeyAsync('p', { version: 2, kdf: { t: 3 } });
  derived.state = 'disabled';
  db.secrets.rotate({ batch: 5, onProgress: ({ rewrapped }) => rewrapped.toFixed() }).keys?.map(({ count }) => count);
  (await db.secrets.rotateAsync({ limit: 1, signal: AbortSignal.timeout(1) })).failures.map(({ code, path }) => [code, path]);
  db.secrets.rotateInBackground({ graph: 'g' }).job.toFixed();
  const state: string | undefined = db.secrets.status().keys[0]?.state;
  const value: unknown = db.call('nodes.open_secret', { graph: 'g', key: 'k', path: 'attributes.value' }).value;
  console.log(ring.attached, opened, state, value, db.keyringInfo().keys[0]?.kdf?.t);
}

{
  using hub = new Hub('data', { maxOpen: 8, integers: 'number' });
  using ring = hub.keyring({ keys: [generateKey({ purpose: 'audit' })] });
  const actor: Actor = { id: 'a', reason: 'because' };
  const account = hub.accounts.create('a@b.org', { accessLevel: 'service', actor });
  // @ts-expect-error no such level
  hub.members.add('o', account.id, { level: 'king' });
  const { token } = hub.apiKeys.create('k', new Set(['nodes:read']), { ownerId: account.id, expiresAt: new Date() });
  // @ts-expect-error a token is no text; reveal() gives it
  const shown: string = token;
  const same: Token = token;
  using caller = await hub.authenticateAsync(same);
  const session: Database = caller.db.session(caller.identity);
  // @ts-expect-error an identity has an id
  caller.db.session({ scopes: ['*:*'] });
  const allowed: boolean = session.access.check('a', 'nodes:read');
  const level: 'viewer' | 'member' | 'admin' | 'owner' | null = caller.level;
  const { items } = hub.system.call('tenants.list', { filter: { status: 'active' } });
  items.map((tenant) => tenant.state === 'made');
  session.access.assign('a', { role: 'r' });
  // @ts-expect-error one of them
  session.access.assign('a', { role: 'r', group: 'g' });
  console.log(shown, allowed, level, identitySchemas().accounts.select, (await hub.tenants.migrateAsync()).items[0]?.to, ring.attached);
}
