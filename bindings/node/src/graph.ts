/*
 * Graphs as a whole, and one graph: `db.graphs`, `db.graph(name)`. Each method is one operation: it builds the input, names the
 * function, and takes from the answer what a caller wants of it.
 */
import type { Connection } from './connection.js';
import { Edges } from './edges.js';
import {
  type ArraysOptions,
  type ExportFormat,
  type ExportOptions,
  type GraphArrays,
  type GraphologyConstructor,
  type GraphologyGraph,
  type ImportOptions,
  type ImportResult,
  type ProgressOptions,
  exportFile,
  exportStream,
  exportText,
  importAsync,
  importSync,
} from './exchange.js';
import type { NodeFilter } from './filter.js';
import { type FromGraphologyOptions, fromGraphology, toGraphology } from './graphology.js';
import { PAGE, apart, paged, pages, selection } from './input.js';
import { snakeCase } from './json.js';
import { native } from './native.js';
import { Nodes } from './nodes.js';
import type { StreamPage } from './stream.js';
import { position } from './subscription.js';
import type {
  Components,
  ComponentsOptions,
  CountWalksOptions,
  Cycle,
  Degrees,
  DegreesOptions,
  PageRank,
  PageRankOptions,
  PartOptions,
  Paths,
  PathsOptions,
  ShortestPath,
  ShortestPathOptions,
  ShortestPaths,
  ShortestPathsOptions,
  SubgraphOptions,
  TopologicalOrder,
} from './traversal.js';
import type {
  AnySchema,
  AsyncOptions,
  GraphInfo,
  GraphSchema,
  GraphStatus,
  JsonObject,
  Page,
  PageOptions,
  Subgraph,
} from './types.js';

/** One change of a graph, as its log has it: a row that was put or deleted, or the bounds of a change of many (`begin`, `end`). */
export interface GraphChange {
  op: 'put' | 'delete' | 'begin' | 'end';
  kind: 'node' | 'edge' | 'graph';
  key?: string;
  type?: string | null;
  source?: string;
  target?: string;
  attributes?: JsonObject;
  metadata?: JsonObject;
  revision?: number;
  /** What there was. */
  before?: JsonObject;
  [member: string]: unknown;
}

/** The keys of nodes and edges that are different between two offsets of the log. */
export interface GraphDiff {
  from: number;
  to: number;
  nodes: { created: string[]; updated: string[]; deleted: string[] };
  edges: { created: string[]; updated: string[]; deleted: string[] };
  truncated?: boolean;
}

/** What `replay` made. */
export interface Replay {
  graph: string;
  offset: number;
  nodes: number;
  edges: number;
}

/** A place in a graph's log. */
export type LogPosition = number | Date | { time: number };

/** What `graphs.purge` did. */
export interface Purged {
  /** False: there is more; call again. */
  purged: boolean;
  nodes: number;
  edges: number;
}

/** `db.graphs`: the graphs of the file. Iterating yields them by name, without deleted ones. */
export class Graphs implements Iterable<GraphInfo> {
  readonly #connection: Connection;

  /** @internal */
  constructor(connection: Connection) {
    this.#connection = connection;
  }

  /**
   * Create a graph.
   *
   * @param options - `graphType` defaults to `'open'`, the built-in graph type that takes anything; `changes`: keep a log of each change (`graph.changes`)
   *
   * @throws BrantError `EXISTS`: the name is taken, maybe by a deleted graph; `NOT_FOUND`: no such graph type.
   */
  create(
    name: string,
    options: {
      graphType?: string | undefined;
      ownerId?: string | null | undefined;
      projectId?: string | null | undefined;
      status?: Exclude<GraphStatus, 'deleted'> | undefined;
      metadata?: JsonObject | undefined;
      changes?: boolean | undefined;
    } = {},
  ): GraphInfo {
    const { graphType = 'open', ...rest } = options;
    return this.#connection.invoke(native.brant_graph_create, { ...snakeCase(rest), name, graph_type: graphType });
  }

  /** @throws BrantError `NOT_FOUND` */
  get(name: string): GraphInfo {
    return this.#connection.invoke(native.brant_graph_get, { name });
  }

  /** A page of graphs, by name; deleted ones only by their `status`. */
  list(options?: PageOptions & { graphType?: string | undefined; status?: GraphStatus | undefined }): Page<GraphInfo> {
    return this.#connection.invoke(native.brant_graph_list, paged(options));
  }

  [Symbol.iterator](): Generator<GraphInfo, void, undefined> {
    return pages((cursor) => this.list({ limit: PAGE, cursor }));
  }

  /**
   * Replace the members that are given. Writes to the nodes and edges of an archived graph are `CONSTRAINT`. Giving a deleted graph a `status`
   * restores it.
   */
  update(
    name: string,
    changes: {
      ownerId?: string | null | undefined;
      projectId?: string | null | undefined;
      status?: Exclude<GraphStatus, 'deleted'> | undefined;
      metadata?: JsonObject | undefined;
      changes?: boolean | undefined;
    },
  ): GraphInfo {
    return this.#connection.invoke(native.brant_graph_update, { ...snakeCase(changes), name });
  }

  /** Mark a graph as deleted: it and all in it are `NOT_FOUND` until `update` restores it, or `purge` removes it. Its name stays taken. */
  delete(name: string): { deleted: true; nodes: number; edges: number } {
    return this.#connection.invoke(native.brant_graph_delete, { name });
  }

  /** `delete` on another thread. */
  deleteAsync(name: string, options?: AsyncOptions): Promise<{ deleted: true; nodes: number; edges: number }> {
    return this.#connection.invokeAsync('graphs.delete', { name }, options);
  }

  /**
   * Remove a graph and all in it for good, deleted or not.
   *
   * @param options - `limit`: nodes and edges of this call at most; until the last one the graph stays, marked as deleted
   */
  purge(name: string, options?: { limit?: number | undefined }): Purged {
    return this.#connection.invoke(native.brant_graph_purge, { ...options, name });
  }

  /** `purge` on another thread. */
  purgeAsync(name: string, options?: { limit?: number | undefined } & AsyncOptions): Promise<Purged> {
    const [rest, call] = apart(options);
    return this.#connection.invokeAsync('graphs.purge', { ...rest, name }, call);
  }

  /**
   * Make a graph of one of graphology's, all or nothing; {@link Graph.toGraphology} makes that graph again. The attributes of the graph become
   * metadata; attributes are JSON.
   *
   * @throws BrantError `EXISTS`: the name is taken; `CONSTRAINT`: a graph of this kind is none of the given graph type.
   */
  fromGraphology(name: string, graph: GraphologyGraph, options?: FromGraphologyOptions): Graph {
    fromGraphology(this.#connection, name, graph, options);
    return new Graph(this.#connection, name);
  }
}

/** One graph, by its name: `db.graph('g')`. Making one reads nothing; its methods are `NOT_FOUND` when there is no such graph. */
export class Graph<S extends GraphSchema = AnySchema> {
  readonly #connection: Connection;
  readonly name: string;
  readonly nodes: Nodes<S>;
  readonly edges: Edges<S>;

  /** @internal */
  constructor(connection: Connection, name: string) {
    this.#connection = connection;
    this.name = name;
    this.nodes = new Nodes<S>(connection, name);
    this.edges = new Edges<S>(connection, name);
  }

  /**
   * The graph's own row, as `db.graphs.get(name)`.
   *
   * @throws BrantError `NOT_FOUND`
   */
  info(): GraphInfo {
    return this.#connection.invoke(native.brant_graph_get, { name: this.name });
  }

  /**
   * The log of its changes, in commit order, of a graph that keeps one (`changes: true`). It is the stream `changes:<id>`, which `db.stream` follows live.
   *
   * @throws BrantError `CONSTRAINT`: it keeps none.
   */
  changes(options?: { after?: number | undefined; limit?: number | undefined }): StreamPage<GraphChange> {
    return this.#connection.invoke(native.brant_graph_changes, { ...options, graph: this.name });
  }

  /** What is different between two places of the log (default: from the one to now), net of what came and went in between. */
  diff(from: LogPosition, to?: LogPosition): GraphDiff {
    const input = { graph: this.name, from: position(from), to: to === undefined ? undefined : position(to) };
    return this.#connection.invoke(native.brant_graph_diff, input);
  }

  /** A new graph `into`, as this one was at an offset of the log, or at a time. */
  replay(into: string, to: LogPosition): Replay {
    return this.#connection.invoke(native.brant_graph_replay, { graph: this.name, into, to: position(to) });
  }

  /** `replay` on another thread. */
  replayAsync(into: string, to: LogPosition, options?: AsyncOptions): Promise<Replay> {
    return this.#connection.invokeAsync('graphs.replay', { graph: this.name, into, to: position(to) }, options);
  }

  /**
   * The shortest way from one node to another: by weight, then by edges, then by its keys.
   *
   * ```js
   * const { found, keys, cost } = graph.shortestPath('a', 'b', { weight: 'attributes.cost' });
   * ```
   *
   * @throws BrantError `NOT_FOUND`: one of them does not exist; `CONSTRAINT`: an edge has no weight, or a negative one; the message names it.
   */
  shortestPath(source: string, target: string, options?: ShortestPathOptions<S>): ShortestPath {
    return this.#connection.invoke(native.brant_graph_shortest_path, this.#input(options, { source, target }));
  }

  /** `shortestPath` on another thread. */
  shortestPathAsync(source: string, target: string, options?: ShortestPathOptions<S> & AsyncOptions): Promise<ShortestPath> {
    return this.#async('graphs.shortest_path', options, { source, target });
  }

  /** The shortest ways from one node to all others that can be reached; errors as those of `shortestPath`. */
  shortestPaths(source: string, options?: ShortestPathsOptions<S>): ShortestPaths {
    return this.#connection.invokeColumns(native.brant_graph_shortest_paths, this.#input(options, { source }), ['keys', 'costs', 'parents', 'truncated']);
  }

  /** `shortestPaths` on another thread. */
  shortestPathsAsync(source: string, options?: ShortestPathsOptions<S> & AsyncOptions): Promise<ShortestPaths> {
    return this.#async('graphs.shortest_paths', options, { source });
  }

  /** The ways from one node to another that meet no node twice, of at most `maxDepth` edges. */
  paths(source: string, target: string, options: PathsOptions<S>): Paths {
    return this.#connection.invoke(native.brant_graph_paths, this.#input(options, { source, target }));
  }

  /** `paths` on another thread. */
  pathsAsync(source: string, target: string, options: PathsOptions<S> & AsyncOptions): Promise<Paths> {
    return this.#async('graphs.paths', options, { source, target });
  }

  /**
   * How many walks of `length` edges there are; parallel edges count each.
   *
   * @returns a bigint beyond 2^53
   * @throws BrantError `LIMIT`: more than 2^63 - 1
   */
  countWalks(length: number, options?: CountWalksOptions<S>): number | bigint {
    return this.#connection.invoke<{ count: number }>(native.brant_graph_count_walks, this.#input(options, { length })).count;
  }

  /** `countWalks` on another thread. */
  async countWalksAsync(length: number, options?: CountWalksOptions<S> & AsyncOptions): Promise<number | bigint> {
    return (await this.#async<{ count: number | bigint }>('graphs.count_walks', options, { length })).count;
  }

  /**
   * The nodes in an order in which every edge leads forward.
   *
   * @throws BrantError `CONSTRAINT`: there is a cycle (`detail.cycle`: its keys), or edges are undirected.
   */
  topologicalOrder(options?: PartOptions<S>): TopologicalOrder {
    return this.#connection.invokeColumns(native.brant_graph_topological_order, this.#input(options), ['keys', 'generations']);
  }

  /** `topologicalOrder` on another thread. */
  topologicalOrderAsync(options?: PartOptions<S> & AsyncOptions): Promise<TopologicalOrder> {
    return this.#async('graphs.topological_order', options);
  }

  /** One cycle, if there is any. */
  findCycle(options?: PartOptions<S>): Cycle {
    return this.#connection.invoke(native.brant_graph_find_cycle, this.#input(options));
  }

  /** `findCycle` on another thread. */
  findCycleAsync(options?: PartOptions<S> & AsyncOptions): Promise<Cycle> {
    return this.#async('graphs.find_cycle', options);
  }

  /** Which nodes hang together. */
  components(options?: ComponentsOptions<S>): Components {
    return this.#connection.invokeColumns(native.brant_graph_components, this.#input(options), ['count', 'keys', 'components', 'sizes']);
  }

  /** `components` on another thread. */
  componentsAsync(options?: ComponentsOptions<S> & AsyncOptions): Promise<Components> {
    return this.#async('graphs.components', options);
  }

  /** Some nodes, by their keys or by a filter, `{}` being all, and all edges between them; at most `limit` of each. */
  subgraph(nodes: Iterable<string> | { filter?: NodeFilter<S> }, options?: SubgraphOptions<S>): Subgraph<S> {
    return this.#connection.invoke(native.brant_graph_subgraph, this.#input(options, selection(nodes)));
  }

  /** `subgraph` on another thread. */
  subgraphAsync(
    nodes: Iterable<string> | { filter?: NodeFilter<S> },
    options?: SubgraphOptions<S> & AsyncOptions,
  ): Promise<Subgraph<S>> {
    return this.#async('graphs.subgraph', options, selection(nodes));
  }

  /** How many edges nodes have, by key or by that number. */
  degrees(options?: DegreesOptions<S>): Degrees {
    return this.#connection.invokeColumns(native.brant_graph_degrees, this.#input(options), ['keys', 'degrees']);
  }

  /** `degrees` on another thread. */
  degreesAsync(options?: DegreesOptions<S> & AsyncOptions): Promise<Degrees> {
    return this.#async('graphs.degrees', options);
  }

  /** Where somebody who follows edges at random is found most. */
  pagerank(options?: PageRankOptions<S>): PageRank {
    return this.#connection.invokeColumns(native.brant_graph_pagerank, this.#input(options), ['keys', 'scores', 'iterations', 'converged']);
  }

  /** `pagerank` on another thread. */
  pagerankAsync(options?: PageRankOptions<S> & AsyncOptions): Promise<PageRank> {
    return this.#async('graphs.pagerank', options);
  }

  /** The graph as index arrays, for libraries of algorithms. */
  arrays(options?: ArraysOptions<S>): GraphArrays<S> {
    return this.#connection.invoke(native.brant_graph_arrays, this.#input(options));
  }

  /** `arrays` on another thread. */
  arraysAsync(options?: ArraysOptions<S> & AsyncOptions): Promise<GraphArrays<S>> {
    return this.#async('graphs.arrays', options);
  }

  /**
   * The graph as a document of a format, as of one moment. A string holds half a gigabyte; {@link exportStream} and {@link exportFile} have
   * no such bound.
   */
  export(format: ExportFormat, options?: ExportOptions<S>): string {
    return exportText(this.#connection, this.#input(options, { format }));
  }

  /** A part of the document, for those who read it in steps: the texts of all pages, joined, are the document of `export`. */
  exportPage(format: ExportFormat, options?: ExportOptions<S> & PageOptions): { text: string; cursor: string | null } {
    return this.#connection.invoke(native.brant_graph_export, this.#input(paged(options), { format }));
  }

  /** `export` on another thread. */
  async exportAsync(format: ExportFormat, options?: ExportOptions<S> & AsyncOptions): Promise<string> {
    let text = '';
    for await (const part of this.exportStream(format, options)) text += part;
    return text;
  }

  /**
   * The document as a stream of texts, read on another thread over a connection of its own, as of one moment: the first read. That moment is
   * held until the stream ends or is left, so do not leave it lying about. Node's streams take it as a source.
   *
   * ```js
   * await pipeline(graph.exportStream('ndjson'), createGzip(), createWriteStream('graph.ndjson.gz'));
   * ```
   */
  exportStream(format: ExportFormat, options?: ExportOptions<S> & AsyncOptions): AsyncGenerator<string, void, undefined> {
    const [rest, call] = apart(options);
    return exportStream(this.#connection, this.#input(rest, { format }), call);
  }

  /** The document into a file, which is whole or as it was. */
  exportFile(path: string | URL, format: ExportFormat, options?: ExportOptions<S> & AsyncOptions): Promise<void> {
    return exportFile(path, this.exportStream(format, options), options?.signal);
  }

  /**
   * Read a document into the graph: a text all or nothing, a file of any size in batches.
   *
   * @param options - `onProgress` is called after each batch of a file; `resume: true` goes on behind the last batch that was committed
   * @returns what was read, all batches together
   * @throws BrantError `INVALID`, `INVALID_JSON`: the document is none of the format; otherwise that of the first item at fault, with
   *   `detail.items`; `NOT_FOUND`: no such file, or nothing to resume.
   */
  import(options: ImportOptions & ProgressOptions<ImportResult>): ImportResult {
    return importSync(this.#connection, this.name, options);
  }

  /** `import` on another thread; with `onProgress` other asynchronous calls have their turn between batches. */
  importAsync(options: ImportOptions & ProgressOptions<ImportResult> & AsyncOptions): Promise<ImportResult> {
    const [rest, call] = apart(options);
    return importAsync(this.#connection, this.name, rest as typeof options, call);
  }

  /**
   * The graph as one of graphology's.
   *
   * ```js
   * import Graphology from 'graphology';
   * const graph = db.graph('g').toGraphology(Graphology);
   * ```
   *
   * @param constructor - graphology's `Graph`; its direction and whether it is multi are those of the graph type
   */
  toGraphology<G extends GraphologyGraph>(constructor: GraphologyConstructor<G>, options?: ExportOptions<S>): G {
    return toGraphology(constructor, this.export('graphology', options), this.#connection.integers);
  }

  /** `toGraphology`, read on another thread. */
  async toGraphologyAsync<G extends GraphologyGraph>(
    constructor: GraphologyConstructor<G>,
    options?: ExportOptions<S> & AsyncOptions,
  ): Promise<G> {
    return toGraphology(constructor, await this.exportAsync('graphology', options), this.#connection.integers);
  }

  #input(options: object | undefined, members?: object): object {
    return { ...snakeCase(options), ...members, graph: this.name };
  }

  #async<T>(operation: string, options: AsyncOptions | undefined, members?: object): Promise<T> {
    const [rest, call] = apart(options);
    return this.#connection.invokeAsync(operation, this.#input(rest, members), call);
  }
}
