/*
 * The Node.js agent of README.md: each operation through the package's public methods. Requests are answered in order, but those
 * marked `background`, whose promises are answered when they settle.
 */
import { createInterface } from 'node:readline';
import { BrantError, open, version } from '../../../bindings/node/dist/index.mjs';
// Requests hold integers beyond 2^53, which the package reads and writes exactly.
import { parse, stringify } from '../../../bindings/node/dist/json.js';

/** Ends a transaction without being an error. */
class RolledBack extends Error {}

class UnknownOperation extends Error {}

const camel = (name) => name.replace(/_[a-z]/g, (pair) => pair[1].toUpperCase());
const camelCase = (options) => Object.fromEntries(Object.entries(options).map(([name, value]) => [camel(name), value]));

/** The arguments in `names` one by one, then the rest with camelCase names, as the methods take options. */
function split(input, ...names) {
  const rest = { ...input };
  const parts = names.map((name) => {
    const value = rest[name];
    delete rest[name];
    return value;
  });
  return [...parts, camelCase(rest)];
}

/** No others than these: a method has no place for them. */
function only(input, ...names) {
  const [...parts] = split(input, ...names);
  const unknown = Object.keys(parts.pop());
  if (unknown.length > 0) throw new UnknownOperation(`no parameter for ${unknown}`);
  return parts;
}

const inGraph = (run) => (db, input) => {
  const { graph, ...rest } = input;
  return run(db.graph(graph), rest);
};

/** The package's method for each registry name, and what a scenario can do besides. */
const METHODS = {
  'transaction.begin': (db, input) => db.begin(...only(input, 'mode')),
  'transaction.commit': (db, input) => (only(input), db.commit()),
  'transaction.rollback': (db, input) => (only(input), db.rollback()),
  'sql.execute': (db, input) => {
    const [sql, params] = only(input, 'sql', 'params');
    return blobsToText(db.execute(sql, blobsFromText(params)));
  },
  'db.info': (db, input) => (only(input), db.info()),
  'db.doctor': (db, input) => (only(input), db.doctor()),
  'db.maintain': (db, input) => (only(input), db.maintain()),
  'db.backup': (db, input) => db.backup(...split(input, 'path')),
  'db.restore': (db, input) => db.restore(...only(input, 'path')),
  'operations.list': (db, input) => ({ items: db.operations(...only(input, 'namespace')) }),
  'events.notify': (db, input) => ({ id: db.notify(...only(input, 'channel', 'payload')) }),

  'graph_types.define': (db, input) => db.graphTypes.define(...split(input, 'module')),
  'graph_types.get': (db, input) => db.graphTypes.get(...only(input, 'name')),
  'graph_types.list': (db, input) => db.graphTypes.list(...split(input)),
  'graph_types.delete': (db, input) => db.graphTypes.delete(...only(input, 'name')),
  'graph_types.validate_node': (db, input) => db.graphTypes.validateNode(...only(input, 'graph_type', 'type', 'attributes')),
  'graph_types.validate_edge': (db, input) => db.graphTypes.validateEdge(...split(input, 'graph_type', 'type', 'attributes')),

  'graphs.create': (db, input) => db.graphs.create(...split(input, 'name')),
  'graphs.get': (db, input) => db.graphs.get(...only(input, 'name')),
  'graphs.list': (db, input) => db.graphs.list(...split(input)),
  'graphs.update': (db, input) => db.graphs.update(...split(input, 'name')),
  'graphs.delete': (db, input) => db.graphs.delete(...only(input, 'name')),

  'nodes.put': inGraph((graph, input) => graph.nodes.put(input)),
  'nodes.put_many': inGraph((graph, input) => graph.nodes.putMany(...only(input, 'items'))),
  'nodes.get': inGraph((graph, input) => graph.nodes.get(...only(input, 'key'))),
  'nodes.get_many': inGraph((graph, input) => ({ items: graph.nodes.getMany(...only(input, 'keys')) })),
  'nodes.exists': inGraph((graph, input) => ({ exists: graph.nodes.exists(...only(input, 'key')) })),
  'nodes.count': inGraph((graph, input) => ({ count: graph.nodes.count(...split(input)) })),
  'nodes.list': inGraph((graph, input) => graph.nodes.list(...split(input))),
  'nodes.delete': inGraph((graph, input) => graph.nodes.delete(...split(input, 'key'))),
  'nodes.neighbors': inGraph((graph, input) => graph.nodes.neighbors(...split(input, 'key'))),
  'nodes.closure': inGraph((graph, input) => graph.nodes.closure(...split(input, 'keys'))),

  'edges.put': inGraph((graph, input) => graph.edges.put(input)),
  'edges.put_many': inGraph((graph, input) => graph.edges.putMany(...only(input, 'items'))),
  'edges.get': inGraph((graph, input) => graph.edges.get(...only(input, 'key'))),
  'edges.exists': inGraph((graph, input) => ({ exists: graph.edges.exists(...only(input, 'key')) })),
  'edges.count': inGraph((graph, input) => ({ count: graph.edges.count(...split(input)) })),
  'edges.list': inGraph((graph, input) => graph.edges.list(...split(input))),
  'edges.delete': inGraph((graph, input) => graph.edges.delete(...split(input, 'key'))),

  close: (db) => (db.close(), null),
  interrupt: (db) => (db.interrupt(), null),
  call_text: (db, { name, text, base64 }) =>
    parse(db.callText(name, base64 === undefined ? text : new Uint8Array(Buffer.from(base64, 'base64'))), 'exact'),
  run_in_transaction: runInTransaction,
};

function runInTransaction(db, { mode, operations, rollback }) {
  try {
    return db.transaction(() => {
      const answers = operations.map(({ name, arguments: input }) => method(name)(db, input ?? {}));
      if (rollback) throw new RolledBack();
      return answers;
    }, mode);
  } catch (error) {
    if (error instanceof RolledBack) return { rolled_back: true };
    throw error;
  }
}

function method(name) {
  if (!Object.hasOwn(METHODS, name)) throw new UnknownOperation(name);
  return METHODS[name];
}

const isBlob = (value) => typeof value === 'object' && value !== null && typeof value.$base64 === 'string';

/** The scenario's blobs as the bytes that a user would pass, and back. */
function blobsFromText(params) {
  if (typeof params !== 'object' || params === null) return params;
  const one = (value) => (isBlob(value) ? new Uint8Array(Buffer.from(value.$base64, 'base64')) : value);
  if (Array.isArray(params)) return params.map(one);
  return Object.fromEntries(Object.entries(params).map(([name, value]) => [name, one(value)]));
}

function blobsToText(result) {
  const one = (value) => (value instanceof Uint8Array ? { $base64: Buffer.from(value).toString('base64') } : value);
  return { ...result, rows: result.rows.map((row) => row.map(one)) };
}

const databases = new Map();
const listeners = new Map();

/** The answer, or a promise of it. */
function run({ object, name, arguments: input = {}, as, background }) {
  if (name === 'environment') return { language: 'node', runtime: process.version, brant: version };
  if (name === 'reset') return reset();
  if (name === 'open') {
    databases.set(object, open(input.path, camelCase(input.options ?? {})));
    return null;
  }
  const listener = listeners.get(object);
  if (listener !== undefined) {
    if (name === 'cursor.next') return listener.nextBatch(input.timeout);
    if (name === 'cursor.close') return listener.close(), null;
    throw new UnknownOperation(name);
  }
  const db = databases.get(object);
  if (db === undefined) throw new UnknownOperation(`no object ${object}`);
  if (name === 'events.listen') {
    listeners.set(as, db.listen(...only(input, 'channels')));
    return null;
  }
  if (name.startsWith('types.')) return db.call(name, input);
  const run = method(name);
  return background && name.includes('.') ? db.callAsync(name, input) : run(db, input);
}

/** Close everything and forget its names. */
function reset() {
  for (const listener of listeners.values()) listener.close();
  for (const db of databases.values()) db.close();
  listeners.clear();
  databases.clear();
  return null;
}

function errorOf(error) {
  if (error instanceof BrantError) return { code: error.code, message: error.message, detail: error.detail };
  if (error instanceof UnknownOperation) return { code: 'UNKNOWN_OPERATION', message: error.message, detail: {} };
  return { code: 'AGENT', message: String(error?.stack ?? error), detail: {} };
}

async function answer(request) {
  let reply;
  try {
    reply = { id: request.id, result: (await run(request)) ?? null };
  } catch (error) {
    reply = { id: request.id, error: errorOf(error) };
  }
  process.stdout.write(`${stringify(reply)}\n`);
}

for await (const line of createInterface({ input: process.stdin })) {
  const request = parse(line, 'exact');
  const answered = answer(request);
  if (!request.background) await answered;
}
reset();
