/*
 * Graphs as documents, as index arrays, and as graphology's objects. The documents are the library's; here is what makes one of its
 * pages and what reads one in steps.
 */
import { randomUUID } from 'node:crypto';
import { createWriteStream } from 'node:fs';
import { rename, rm } from 'node:fs/promises';
import { pipeline } from 'node:stream/promises';
import { fileURLToPath } from 'node:url';
import type { Connection } from './connection.js';
import type { EdgeFilter, NodeFilter } from './filter.js';
import { snakeCase } from './json.js';
import { native } from './native.js';
import type { EdgeOptions } from './traversal.js';
import type { AnySchema, AsyncOptions, GraphSchema, ItemFault, JsonObject, TypeName } from './types.js';

export type ExportFormat = 'graphology' | 'node_link' | 'ndjson' | 'csv' | 'graphml' | 'dot' | 'mermaid' | 'otlp' | 'memory';

export interface ExportOptions<S extends GraphSchema = AnySchema> {
  /** Of `csv`, which is two documents: `'nodes'` or `'edges'`. */
  part?: 'nodes' | 'edges' | undefined;
  /** The name of `node_link`'s list of edges: `'edges'` (default) or `'links'`. */
  edges?: 'edges' | 'links' | undefined;
  /** Only nodes that match, and the edges between them. */
  filter?: NodeFilter<S> | undefined;
  /** Only edges that match. */
  edgeFilter?: EdgeFilter<S> | undefined;
}

/** A line of `ndjson` is `{"node": {"key", "type", "attributes"}}` or `{"edge": {"source", "target", "type", "attributes"}}`. */
export type ImportFormat = 'graphology' | 'node_link' | 'ndjson' | 'csv' | 'otlp' | 'memory';

interface ImportCommon {
  format: ImportFormat;
  /**
   * Create the graph when it is not there, with the document's attributes as its metadata, of a graph type that fits: one without types
   * (`open`, `open_undirected`, ...), the one that `ndjson` names, `call` for `otlp`, or `memory` for `memory`.
   */
  create?: boolean | undefined;
  /** Of `csv`: what the rows are. */
  part?: 'nodes' | 'edges' | undefined;
  /** The type of nodes that say none. */
  nodeType?: string | undefined;
  /** The type of edges that say none. */
  edgeType?: string | undefined;
  /** `'put'` (default): what exists is replaced in place; `'insert'`: it is a fault. */
  mode?: 'put' | 'insert' | undefined;
  /** `'refuse'` (default): the first fault ends it; `'skip'`: the good items are written. */
  errors?: 'refuse' | 'skip' | undefined;
}

/** A document in memory: one transaction, all or nothing. */
export interface ImportText extends ImportCommon {
  text: string;
  path?: undefined;
}

/** A regular file of any size, in batches; each is a transaction that also notes how far it is. */
export interface ImportFile extends ImportCommon {
  path: string;
  text?: undefined;
  /** Items of one transaction, default 10000. */
  batch?: number | undefined;
  /** Batches of this call at most; the answer's `done` is false then. */
  maxBatches?: number | undefined;
  /** Go on behind the last batch that was committed, also by a process that was killed. */
  resume?: boolean | undefined;
}

export type ImportOptions = ImportText | ImportFile;

/** Counts are of the whole import, those before `resume` among them. */
export interface ImportResult {
  done: boolean;
  nodes: number;
  edges: number;
  failed: number;
  /** What was left out, at most 100. */
  items: ItemFault[];
  /** Of `total_bytes`: read so far. */
  bytes: number;
  total_bytes: number;
}

export interface ProgressOptions<Progress> {
  /** Called after each batch. When it throws, it ends there: what was committed stays, and can be gone on with. */
  onProgress?: ((progress: Progress) => void) | undefined;
}

export interface ArraysOptions<S extends GraphSchema = AnySchema> extends EdgeOptions<S> {
  /** With the attributes of all nodes and edges. */
  attributes?: boolean | undefined;
  /** The path of an attribute of the edges that is a number. */
  weight?: string | undefined;
}

/** A graph as index arrays: nodes by key, edges by source, type, target. */
export interface GraphArrays<S extends GraphSchema = AnySchema> {
  /** Null: mixed. */
  directed: boolean | null;
  multi: boolean;
  keys: string[];
  /** Of each node, an index into `node_types`; what is about types is there in graphs that have some. */
  types?: number[];
  node_types?: TypeName<S['nodes']>[];
  /** Of each edge, indexes into `keys`. */
  sources: number[];
  targets: number[];
  /** Of each edge, an index into `edge_types`. */
  edge_type_of?: number[];
  edge_types?: TypeName<S['edges']>[];
  /** Of each edge, in mixed graphs. */
  undirected?: boolean[];
  /** There when some edge has a key of its own; null: the key is derived from the ends and the type. */
  edge_keys?: (string | null)[];
  weights?: number[];
  node_attributes?: S['nodes'][TypeName<S['nodes']>][];
  edge_attributes?: S['edges'][TypeName<S['edges']>][];
}

/** What {@link Graph.toGraphology} needs of a graph of graphology's. */
export interface GraphologyGraph {
  readonly type: string;
  readonly multi: boolean;
  readonly allowSelfLoops: boolean;
  import(data: never, merge?: boolean): unknown;
  export(): object;
}

/** graphology's `Graph`, or one of its subclasses. */
export type GraphologyConstructor<G extends GraphologyGraph = GraphologyGraph> = new (options?: {
  type?: 'directed' | 'undirected' | 'mixed';
  multi?: boolean;
  allowSelfLoops?: boolean;
}) => G;

/** The document of graphology's format. */
export interface SerializedGraphology {
  attributes?: JsonObject;
  options: { type: 'directed' | 'undirected' | 'mixed'; multi: boolean; allowSelfLoops: boolean };
  nodes: { key: string; attributes?: JsonObject }[];
  edges: { key?: string; source: string; target: string; attributes?: JsonObject; undirected?: boolean }[];
}

interface Part {
  text: string;
  cursor: string | null;
}

/** All pages of an export in one read transaction of the handle, or in the transaction that it has open. */
export function exportText(connection: Connection, input: object): string {
  return exportParts(connection, input).join('');
}

function exportParts(connection: Connection, input: object): string[] {
  return connection.transact('read', () => {
    const parts: string[] = [];
    let cursor: string | null | undefined;
    do {
      const part: Part = connection.invoke(native.brant_graph_export, { ...input, cursor });
      parts.push(part.text);
      cursor = part.cursor;
    } while (cursor !== null);
    return parts;
  });
}

/** All pages of an export in one read transaction of a handle of their own. */
export async function* exportStream(
  connection: Connection,
  input: object,
  options: AsyncOptions,
): AsyncGenerator<string, void, undefined> {
  if (connection.isMemory) {
    yield* exportParts(connection, input);
    return;
  }
  const sequence = await connection.openSequence(options);
  try {
    await sequence.call('transaction.begin', { mode: 'read' });
    let cursor: string | null | undefined;
    do {
      const part: Part = await sequence.call('graphs.export', { ...input, cursor });
      yield part.text;
      cursor = part.cursor;
    } while (cursor !== null);
  } finally {
    sequence.close();
  }
}

/** Write a stream beside a file, and put it in the file's place when it is all there. */
export async function exportFile(path: string | URL, stream: AsyncIterable<string>, signal: AbortSignal | undefined): Promise<void> {
  const target = typeof path === 'string' ? path : fileURLToPath(path);
  const temporary = `${target}.${randomUUID()}.part`;
  try {
    await pipeline(stream, createWriteStream(temporary, { flags: 'wx', flush: true }), signal === undefined ? {} : { signal });
    await rename(temporary, target);
  } catch (error) {
    await rm(temporary, { force: true });
    throw error;
  }
}

export function importSync(connection: Connection, graph: string, options: ImportOptions & ProgressOptions<ImportResult>): ImportResult {
  const { onProgress, ...rest } = options;
  const input = { ...snakeCase(rest), graph };
  if (onProgress === undefined || rest.path === undefined || rest.maxBatches !== undefined) {
    const result: ImportResult = connection.invoke(native.brant_graph_import, input);
    onProgress?.(result);
    return result;
  }
  const total = new ImportTotal();
  do {
    total.add(connection.invoke(native.brant_graph_import, { ...input, ...total.step }));
    onProgress(total.result);
  } while (!total.result.done);
  return total.result;
}

export async function importAsync(
  connection: Connection,
  graph: string,
  options: ImportOptions & ProgressOptions<ImportResult>,
  call: AsyncOptions,
): Promise<ImportResult> {
  const { onProgress, ...rest } = options;
  const input = { ...snakeCase(rest), graph };
  if (onProgress === undefined || rest.path === undefined || rest.maxBatches !== undefined) {
    const result: ImportResult = await connection.invokeAsync('graphs.import', input, call);
    onProgress?.(result);
    return result;
  }
  const total = new ImportTotal();
  do {
    total.add(await connection.invokeAsync('graphs.import', { ...input, ...total.step }, call));
    onProgress(total.result);
  } while (!total.result.done);
  return total.result;
}

/** The batches of an import: counts are of all of them, items of each. */
class ImportTotal {
  result: ImportResult = { done: false, nodes: 0, edges: 0, failed: 0, items: [], bytes: 0, total_bytes: 0 };
  /** What the next call says besides. */
  step: { max_batches: 1; resume?: true } = { max_batches: 1 };

  add(batch: ImportResult): void {
    this.step = { max_batches: 1, resume: true };
    this.result = { ...batch, items: [...this.result.items, ...batch.items].slice(0, 100) };
  }
}
