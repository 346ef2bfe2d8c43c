/*
 * Graph types, graphs, nodes and edges. Each method is one operation: it builds the input, names the function, and takes from the
 * answer what a caller wants of it.
 */
import type { Connection } from './connection.js';
import { snakeCase } from './json.js';
import { native } from './native.js';
import type {
  AnySchema,
  AsyncOptions,
  Closure,
  EdgeInput,
  GraphEdge,
  GraphInfo,
  GraphNode,
  GraphSchema,
  GraphStatus,
  GraphType,
  JsonObject,
  Module,
  Neighbor,
  NodeInput,
  Page,
  PageOptions,
  PutManyResult,
  PutResult,
  Scope,
  TypeName,
  Validation,
} from './types.js';

/** Items of all pages, one page at a time; each page is a snapshot of its own. */
function* pages<T>(list: (cursor: string | null) => Page<T>): Generator<T, void, undefined> {
  let cursor: string | null = null;
  do {
    const page: Page<T> = list(cursor);
    yield* page.items;
    cursor = page.cursor;
  } while (cursor !== null);
}

/** An iterable as an array. What is none goes to the library as it is, which says what is wrong with it. */
function array<T>(items: Iterable<T>): readonly T[] {
  return typeof items === 'object' && items !== null && Symbol.iterator in items ? [...items] : (items as never);
}

/** For a page's input: a null cursor is the beginning. */
function paged(options: PageOptions | undefined): Record<string, unknown> {
  const input = snakeCase(options);
  if (input['cursor'] === null) delete input['cursor'];
  return input;
}

/** Items of a page when iterating. */
const PAGE = 1000;

/** `db.graphTypes`: which node and edge types there may be, under which rules. Iterating yields them by name. */
export class GraphTypes implements Iterable<GraphType> {
  readonly #connection: Connection;

  /** @internal */
  constructor(connection: Connection) {
    this.#connection = connection;
  }

  /**
   * Define a graph type by a module: `{$id, $defs: {Config, <Name>Node, <Name>Edge, <Name>EdgeConstraints}}`. Defining the same
   * module again under the same name and version returns the stored one.
   *
   * @param options - `name` defaults to the module's `$id`
   * @throws BrantError `VALIDATION`: the module cannot work; `EXISTS`: another module has the name; `DENIED`: scope `system` without the
   *   system flag.
   */
  define(
    module: Module,
    options?: {
      name?: string | undefined;
      scope?: Scope | undefined;
      version?: number | undefined;
      metadata?: JsonObject | undefined;
    },
  ): GraphType {
    return this.#connection.invoke(native.brant_graph_type_define, { ...snakeCase(options), module });
  }

  /**
   * A graph type with its module.
   *
   * @throws BrantError `NOT_FOUND`
   */
  get(name: string): GraphType & { module: Module } {
    return this.#connection.invoke(native.brant_graph_type_get, { name });
  }

  /** A page of graph types, by name. */
  list(options?: PageOptions): Page<GraphType> {
    return this.#connection.invoke(native.brant_graph_type_list, paged(options));
  }

  [Symbol.iterator](): Generator<GraphType, void, undefined> {
    return pages((cursor) => this.list({ limit: PAGE, cursor }));
  }

  /**
   * Delete a graph type.
   *
   * @throws BrantError `CONSTRAINT`: graphs use it; `DENIED`: it is built in, or of scope `system`; `NOT_FOUND`.
   */
  delete(name: string): { deleted: true } {
    return this.#connection.invoke(native.brant_graph_type_delete, { name });
  }

  /** Whether `attributes` satisfy a node type, null in an untyped graph type. Writes nothing. */
  validateNode(graphType: string, type: string | null, attributes: unknown): Validation {
    return this.#connection.invoke(native.brant_graph_type_validate_node, { graph_type: graphType, type, attributes });
  }

  /** Whether `attributes`, and the types of the ends if given, satisfy an edge type, null in an untyped graph type. Writes nothing. */
  validateEdge(
    graphType: string,
    type: string | null,
    attributes: unknown,
    options?: { sourceType?: string | undefined; targetType?: string | undefined },
  ): Validation {
    const input = { ...snakeCase(options), graph_type: graphType, type, attributes };
    return this.#connection.invoke(native.brant_graph_type_validate_edge, input);
  }
}

/** `db.graphs`: the graphs of the file. Iterating yields them by name. */
export class Graphs implements Iterable<GraphInfo> {
  readonly #connection: Connection;

  /** @internal */
  constructor(connection: Connection) {
    this.#connection = connection;
  }

  /**
   * Create a graph.
   *
   * @param options - `graphType` defaults to `'open'`, the built-in graph type that takes anything
   *
   * @throws BrantError `EXISTS`: the name is taken; `NOT_FOUND`: no such graph type.
   */
  create(
    name: string,
    options: {
      graphType?: string | undefined;
      ownerId?: string | null | undefined;
      projectId?: string | null | undefined;
      status?: GraphStatus | undefined;
      metadata?: JsonObject | undefined;
    } = {},
  ): GraphInfo {
    const { graphType = 'open', ...rest } = options;
    return this.#connection.invoke(native.brant_graph_create, { ...snakeCase(rest), name, graph_type: graphType });
  }

  /** @throws BrantError `NOT_FOUND` */
  get(name: string): GraphInfo {
    return this.#connection.invoke(native.brant_graph_get, { name });
  }

  /** A page of graphs, by name. */
  list(options?: PageOptions & { graphType?: string | undefined; status?: GraphStatus | undefined }): Page<GraphInfo> {
    return this.#connection.invoke(native.brant_graph_list, paged(options));
  }

  [Symbol.iterator](): Generator<GraphInfo, void, undefined> {
    return pages((cursor) => this.list({ limit: PAGE, cursor }));
  }

  /** Replace the members that are given. Writes to the nodes and edges of an archived graph are `CONSTRAINT`. */
  update(
    name: string,
    changes: {
      ownerId?: string | null | undefined;
      projectId?: string | null | undefined;
      status?: GraphStatus | undefined;
      metadata?: JsonObject | undefined;
    },
  ): GraphInfo {
    return this.#connection.invoke(native.brant_graph_update, { ...snakeCase(changes), name });
  }

  /** Purge a graph and all in it. */
  delete(name: string): { deleted: true; nodes: number; edges: number } {
    return this.#connection.invoke(native.brant_graph_delete, { name });
  }

  /** `delete` on another thread. */
  deleteAsync(name: string, options?: AsyncOptions): Promise<{ deleted: true; nodes: number; edges: number }> {
    return this.#connection.invokeAsync('graphs.delete', { name }, options);
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
}

/** How to follow edges. */
interface Direction {
  /** `'out'` (default), `'in'` or `'both'`. */
  direction?: 'out' | 'in' | 'both' | undefined;
  /** Only edges of these types. */
  edgeTypes?: string[] | undefined;
}

export interface ClosureOptions extends Direction {
  /** Edges to follow at most. */
  maxDepth?: number | undefined;
  /** Nodes to find at most. */
  limit?: number | undefined;
}

/** `graph.nodes`. Iterating yields all nodes, by key. */
export class Nodes<S extends GraphSchema = AnySchema> implements Iterable<GraphNode<S>> {
  readonly #connection: Connection;
  readonly #graph: string;

  /** @internal */
  constructor(connection: Connection, graph: string) {
    this.#connection = connection;
    this.#graph = graph;
  }

  /**
   * Insert a node, or replace its attributes in place: its edges stay, and so does its metadata unless given.
   *
   * @throws BrantError `VALIDATION` with violations; `CONFLICT`: another revision is stored; `CONSTRAINT`: another type than the stored one,
   *   `max_nodes`, an archived graph.
   */
  put(node: NodeInput<S>): PutResult {
    return this.#connection.invoke(native.brant_node_put, { ...node, graph: this.#graph });
  }

  /**
   * `put` for many, all or nothing; of items with one key the last wins.
   *
   * @throws BrantError with the code of the first fault, and `detail.items`; `LIMIT`: more than `limits.batch` items.
   */
  putMany(nodes: Iterable<NodeInput<S>>): PutManyResult {
    return this.#connection.invoke(native.brant_node_put_many, { graph: this.#graph, items: array(nodes) });
  }

  /** `putMany` on another thread. */
  putManyAsync(nodes: Iterable<NodeInput<S>>, options?: AsyncOptions): Promise<PutManyResult> {
    return this.#connection.invokeAsync('nodes.put_many', { graph: this.#graph, items: array(nodes) }, options);
  }

  /** @throws BrantError `NOT_FOUND` */
  get(key: string): GraphNode<S> {
    return this.#connection.invoke(native.brant_node_get, { graph: this.#graph, key });
  }

  /** The nodes of these keys, in their order, null for one that does not exist. */
  getMany(keys: Iterable<string>): (GraphNode<S> | null)[] {
    const input = { graph: this.#graph, keys: array(keys) };
    return this.#connection.invoke<{ items: (GraphNode<S> | null)[] }>(native.brant_node_get_many, input).items;
  }

  exists(key: string): boolean {
    return this.#connection.invoke<{ exists: boolean }>(native.brant_node_exists, { graph: this.#graph, key }).exists;
  }

  /** How many nodes there are, or how many of a type. */
  count(options?: { type?: TypeName<S['nodes']> | undefined }): number {
    return this.#connection.invoke<{ count: number }>(native.brant_node_count, { ...options, graph: this.#graph }).count;
  }

  /** A page of nodes, by key, compared byte by byte; of one type, with a prefix. */
  list<Name extends TypeName<S['nodes']> = TypeName<S['nodes']>>(
    options?: PageOptions & { type?: Name | undefined; prefix?: string | undefined },
  ): Page<GraphNode<S, Name>> {
    return this.#connection.invoke(native.brant_node_list, { ...paged(options), graph: this.#graph });
  }

  /** All nodes that `list` would find. `limit` is the size of a page. */
  iterate<Name extends TypeName<S['nodes']> = TypeName<S['nodes']>>(
    options?: Omit<PageOptions, 'cursor'> & { type?: Name | undefined; prefix?: string | undefined },
  ): Generator<GraphNode<S, Name>, void, undefined> {
    return pages((cursor) => this.list<Name>({ limit: PAGE, ...options, cursor }));
  }

  [Symbol.iterator](): Generator<GraphNode<S>, void, undefined> {
    return this.iterate();
  }

  /**
   * Delete a node.
   *
   * @param options - `edges`: `'delete'` takes its edges with it, `'refuse'` (default) is `CONSTRAINT` when it has some
   * @throws BrantError `NOT_FOUND`, `CONSTRAINT`; `CONFLICT`: another revision is stored.
   */
  delete(
    key: string,
    options?: { edges?: 'refuse' | 'delete' | undefined; revision?: number | undefined },
  ): { deleted: true; edges: number } {
    return this.#connection.invoke(native.brant_node_delete, { ...options, graph: this.#graph, key });
  }

  /** A page of the nodes that edges of this one lead to, one item an edge; `limit` defaults to 1000. */
  neighbors(key: string, options?: Direction & PageOptions): Page<Neighbor<S>> {
    return this.#connection.invoke(native.brant_node_neighbors, { ...paged(options), graph: this.#graph, key });
  }

  /** What can be reached from these nodes, which come first, breadth first. */
  closure(keys: string | Iterable<string>, options?: ClosureOptions): Closure {
    return this.#connection.invoke(native.brant_node_closure, this.#closureInput(keys, options));
  }

  /** `closure` on another thread. */
  closureAsync(keys: string | Iterable<string>, options?: ClosureOptions & AsyncOptions): Promise<Closure> {
    const { signal, timeout, ...rest } = options ?? {};
    return this.#connection.invokeAsync('nodes.closure', this.#closureInput(keys, rest), { signal, timeout });
  }

  #closureInput(keys: string | Iterable<string>, options: ClosureOptions | undefined): object {
    return { ...snakeCase(options), graph: this.#graph, keys: typeof keys === 'string' ? [keys] : array(keys) };
  }
}

/** `graph.edges`. Iterating yields all edges, by source. */
export class Edges<S extends GraphSchema = AnySchema> implements Iterable<GraphEdge<S>> {
  readonly #connection: Connection;
  readonly #graph: string;

  /** @internal */
  constructor(connection: Connection, graph: string) {
    this.#connection = connection;
    this.#graph = graph;
  }

  /**
   * Insert an edge, or replace its attributes in place. Without a key, in a graph that is not multi, the edge is known by source, type
   * and target, so that a retry is the same edge; in a multi graph it gets a new one.
   *
   * @throws BrantError `NOT_FOUND`: an end does not exist; `VALIDATION`; `CONFLICT`; `CONSTRAINT`: ends that the edge type does not allow, other
   *   ends than the stored ones, a self-loop, `max_edges`, an archived graph.
   */
  put(edge: EdgeInput<S>): PutResult {
    return this.#connection.invoke(native.brant_edge_put, { ...edge, graph: this.#graph });
  }

  /** `put` for many, all or nothing; errors as those of `nodes.putMany`. */
  putMany(edges: Iterable<EdgeInput<S>>): PutManyResult {
    return this.#connection.invoke(native.brant_edge_put_many, { graph: this.#graph, items: array(edges) });
  }

  /** `putMany` on another thread. */
  putManyAsync(edges: Iterable<EdgeInput<S>>, options?: AsyncOptions): Promise<PutManyResult> {
    return this.#connection.invokeAsync('edges.put_many', { graph: this.#graph, items: array(edges) }, options);
  }

  /** @throws BrantError `NOT_FOUND` */
  get(key: string): GraphEdge<S> {
    return this.#connection.invoke(native.brant_edge_get, { graph: this.#graph, key });
  }

  exists(key: string): boolean {
    return this.#connection.invoke<{ exists: boolean }>(native.brant_edge_exists, { graph: this.#graph, key }).exists;
  }

  /** How many edges there are, or how many of a type. */
  count(options?: { type?: TypeName<S['edges']> | undefined }): number {
    return this.#connection.invoke<{ count: number }>(native.brant_edge_count, { ...options, graph: this.#graph }).count;
  }

  /** A page of edges, by source's key, then type, then target in order of creation. */
  list<Name extends TypeName<S['edges']> = TypeName<S['edges']>>(
    options?: PageOptions & { type?: Name | undefined; source?: string | undefined; target?: string | undefined },
  ): Page<GraphEdge<S, Name>> {
    return this.#connection.invoke(native.brant_edge_list, { ...paged(options), graph: this.#graph });
  }

  /** All edges that `list` would find. `limit` is the size of a page. */
  iterate<Name extends TypeName<S['edges']> = TypeName<S['edges']>>(
    options?: Omit<PageOptions, 'cursor'> & {
      type?: Name | undefined;
      source?: string | undefined;
      target?: string | undefined;
    },
  ): Generator<GraphEdge<S, Name>, void, undefined> {
    return pages((cursor) => this.list<Name>({ limit: PAGE, ...options, cursor }));
  }

  [Symbol.iterator](): Generator<GraphEdge<S>, void, undefined> {
    return this.iterate();
  }

  /** @throws BrantError `NOT_FOUND`; `CONFLICT`: another revision is stored. */
  delete(key: string, options?: { revision?: number | undefined }): { deleted: true } {
    return this.#connection.invoke(native.brant_edge_delete, { ...options, graph: this.#graph, key });
  }
}
