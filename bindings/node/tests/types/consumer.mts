/* Compiled, never run: what a typed consumer writes, and what the types must refuse. */
import { BrantError, open, operations, type ErrorCode, type GraphNode, type Notification } from 'brant';

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
