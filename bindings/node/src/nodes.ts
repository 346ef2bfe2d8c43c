/* One graph's nodes. Each method is one operation. */
import type { Connection } from './connection.js';
import type { NodeFilter } from './filter.js';
import { PAGE, apart, array, paged, pages, selection } from './input.js';
import { snakeCase } from './json.js';
import { native } from './native.js';
import { type Secret, secretOf } from './secrets.js';
import type { Closure, ClosureOptions, EdgeOptions } from './traversal.js';
import type {
  AnySchema,
  AsyncOptions,
  Explanation,
  GraphNode,
  GraphSchema,
  InsertManyResult,
  InsertResult,
  ManyOptions,
  Neighbor,
  NewNode,
  NodeHit,
  NodeInput,
  NodePatch,
  Page,
  PageOptions,
  Patch,
  PatchManyResult,
  PatchResult,
  PutManyResult,
  PutResult,
  TypeName,
} from './types.js';
import { Walk, type WalkNodesOptions } from './walk.js';

/** Which nodes, and in which order. */
export interface NodeListOptions<S extends GraphSchema = AnySchema, Name extends TypeName<S['nodes']> = TypeName<S['nodes']>>
  extends PageOptions {
  type?: Name | undefined;
  /** Keys that begin with this. */
  prefix?: string | undefined;
  filter?: NodeFilter<S, Name> | undefined;
  /** A field, named as in a filter; default `'key'`. What has no such field comes first, then false, true, numbers, text, all else. */
  orderBy?: string | undefined;
  descending?: boolean | undefined;
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
   * Insert a node that does not exist.
   *
   * @throws BrantError `EXISTS`; otherwise as `put`.
   */
  insert(node: NewNode<S>): InsertResult {
    return this.#connection.invoke(native.brant_node_insert, { ...node, graph: this.#graph });
  }

  /**
   * Change members of a node's attributes and metadata by merge patches (RFC 7386). What comes of it is validated; when it is the same as
   * before, nothing is written and the revision stays.
   *
   * @throws BrantError `NOT_FOUND`; `VALIDATION` with violations; `CONFLICT`: another revision is stored; `CONSTRAINT`: an archived graph.
   */
  patch(key: string, patch: Patch): PatchResult {
    return this.#connection.invoke(native.brant_node_patch, { ...patch, graph: this.#graph, key });
  }

  /**
   * `put` for many, all or nothing; of items with one key the last wins.
   *
   * @param nodes - nodes, or NDJSON text: one node a line, blank lines ignored
   * @param options - `errors: 'skip'` writes the good items, and says of the others what is wrong with them
   * @throws BrantError with the code of the first fault, and `detail.items`; `LIMIT`: more than `limits.batch` items.
   */
  putMany(nodes: Iterable<NodeInput<S>> | string, options?: ManyOptions): PutManyResult {
    return this.#connection.invoke(native.brant_node_put_many, this.#many(nodes, options));
  }

  /** `putMany` on another thread. */
  putManyAsync(nodes: Iterable<NodeInput<S>> | string, options?: ManyOptions & AsyncOptions): Promise<PutManyResult> {
    const [rest, call] = apart(options);
    return this.#connection.invokeAsync('nodes.put_many', this.#many(nodes, rest), call);
  }

  /** `insert` for many; otherwise as `putMany`. A key that comes twice is `EXISTS` too. */
  insertMany(nodes: Iterable<NewNode<S>> | string, options?: ManyOptions): InsertManyResult {
    return this.#connection.invoke(native.brant_node_insert_many, this.#many(nodes, options));
  }

  /** `insertMany` on another thread. */
  insertManyAsync(nodes: Iterable<NewNode<S>> | string, options?: ManyOptions & AsyncOptions): Promise<InsertManyResult> {
    const [rest, call] = apart(options);
    return this.#connection.invokeAsync('nodes.insert_many', this.#many(nodes, rest), call);
  }

  /** `patch` for many: `{key, attributes?, metadata?, revision?}`; otherwise as `putMany`. */
  patchMany(patches: Iterable<NodePatch> | string, options?: ManyOptions): PatchManyResult {
    return this.#connection.invoke(native.brant_node_patch_many, this.#many(patches, options));
  }

  /** `patchMany` on another thread. */
  patchManyAsync(patches: Iterable<NodePatch> | string, options?: ManyOptions & AsyncOptions): Promise<PatchManyResult> {
    const [rest, call] = apart(options);
    return this.#connection.invokeAsync('nodes.patch_many', this.#many(patches, rest), call);
  }

  #many(items: Iterable<unknown> | string, options: ManyOptions | undefined): object {
    return { ...options, graph: this.#graph, items: array(items as Iterable<unknown>) };
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

  /**
   * Open an attribute that the node's type encrypts (`"x-encrypted": true`), which everything else reads as its envelope. Needs `db.keyring`.
   *
   * @param path - as in a filter: `attributes.value`, or `attributes/value`
   * @throws BrantError `AUTH`: it does not open, whatever the reason; `NOT_FOUND`: no such node, nothing at the path, no key ring, or no such key in it that
   *   may open; `INVALID`: the type does not encrypt this path; `UNSUPPORTED`, `LIMIT`: as of `db.envelopes.open`.
   */
  openSecret<Value = unknown>(key: string, path: string): Secret<Value> {
    return secretOf(this.#connection.invoke(native.brant_node_open_secret, { graph: this.#graph, key, path }));
  }

  /** `openSecret` on another thread: a password's key takes about a second when it is first needed. */
  async openSecretAsync<Value = unknown>(key: string, path: string, options?: AsyncOptions): Promise<Secret<Value>> {
    return secretOf(await this.#connection.invokeAsync('nodes.open_secret', { graph: this.#graph, key, path }, options));
  }

  /** Is there a node of this key? NOT_FOUND: no graph. */
  exists(key: string): boolean {
    return this.#connection.invoke<{ exists: boolean }>(native.brant_node_exists, { graph: this.#graph, key }).exists;
  }

  /** How many nodes there are, of a type, or that match. */
  count(options?: { type?: TypeName<S['nodes']> | undefined; filter?: NodeFilter<S> | undefined }): number {
    return this.#connection.invoke<{ count: number }>(native.brant_node_count, { ...options, graph: this.#graph }).count;
  }

  /** `count` on another thread. */
  async countAsync(
    options?: { type?: TypeName<S['nodes']> | undefined; filter?: NodeFilter<S> | undefined } & AsyncOptions,
  ): Promise<number> {
    const [rest, call] = apart(options);
    return (await this.#connection.invokeAsync<{ count: number }>('nodes.count', { ...rest, graph: this.#graph }, call)).count;
  }

  /**
   * A page of nodes, by key, compared byte by byte, or by another field and then by key.
   *
   * @throws BrantError `INVALID`: a filter or a field that cannot be; the message has the JSON pointer.
   */
  list<Name extends TypeName<S['nodes']> = TypeName<S['nodes']>>(options?: NodeListOptions<S, Name>): Page<GraphNode<S, Name>> {
    return this.#connection.invoke(native.brant_node_list, { ...paged(options), graph: this.#graph });
  }

  /** `list` on another thread. */
  listAsync<Name extends TypeName<S['nodes']> = TypeName<S['nodes']>>(
    options?: NodeListOptions<S, Name> & AsyncOptions,
  ): Promise<Page<GraphNode<S, Name>>> {
    const [rest, call] = apart(options);
    return this.#connection.invokeAsync('nodes.list', { ...paged(rest), graph: this.#graph }, call);
  }

  /** All nodes that `list` would find. `limit` is the size of a page. */
  iterate<Name extends TypeName<S['nodes']> = TypeName<S['nodes']>>(
    options?: Omit<NodeListOptions<S, Name>, 'cursor'>,
  ): Generator<GraphNode<S, Name>, void, undefined> {
    return pages((cursor) => this.list<Name>({ limit: PAGE, ...options, cursor }));
  }

  [Symbol.iterator](): Generator<GraphNode<S>, void, undefined> {
    return this.iterate();
  }

  /** How `list` would find these: the SQL, SQLite's plan, the attribute indexes in it, and whether it reads all nodes of the graph. */
  explain(options?: NodeListOptions<S>): Explanation {
    return this.#connection.invoke(native.brant_node_explain, { ...paged(options), graph: this.#graph });
  }

  /**
   * A page of nodes by their words, the best first, from the text indexes of their types (`db.indexes.create`).
   *
   * @param query - words, `"phrases"`, `prefix*`, `AND`, `OR`, `NOT`, `-word`
   * @throws BrantError `INVALID`: a query that cannot be read; `CONSTRAINT`: no text index covers the types asked for.
   */
  search<Name extends TypeName<S['nodes']> = TypeName<S['nodes']>>(
    query: string,
    options?: { type?: Name | undefined; filter?: NodeFilter<S, Name> | undefined } & PageOptions,
  ): Page<NodeHit<S, Name>> {
    return this.#connection.invoke(native.brant_node_search, { ...paged(options), graph: this.#graph, query });
  }

  /** `search` on another thread. */
  searchAsync<Name extends TypeName<S['nodes']> = TypeName<S['nodes']>>(
    query: string,
    options?: { type?: Name | undefined; filter?: NodeFilter<S, Name> | undefined } & PageOptions & AsyncOptions,
  ): Promise<Page<NodeHit<S, Name>>> {
    const [rest, call] = apart(options);
    return this.#connection.invokeAsync('nodes.search', { ...paged(rest), graph: this.#graph, query }, call);
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

  /**
   * Delete many nodes, all or nothing.
   *
   * @param nodes - their keys, of which each must exist; or `{filter}`: all that match, `{filter: {}}` being all
   * @param options - `edges` as of `delete`; `errors` as of `putMany`
   */
  deleteMany(nodes: Iterable<string> | { filter: NodeFilter<S> }, options?: DeleteNodesOptions): DeleteNodesResult {
    return this.#connection.invoke(native.brant_node_delete_many, { ...options, ...selection(nodes), graph: this.#graph });
  }

  /** `deleteMany` on another thread. */
  deleteManyAsync(
    nodes: Iterable<string> | { filter: NodeFilter<S> },
    options?: DeleteNodesOptions & AsyncOptions,
  ): Promise<DeleteNodesResult> {
    const [rest, call] = apart(options);
    return this.#connection.invokeAsync('nodes.delete_many', { ...rest, ...selection(nodes), graph: this.#graph }, call);
  }

  /** A page of the nodes that edges of this one lead to, one item an edge; `limit` defaults to 1000. */
  neighbors(
    key: string,
    options?: { direction?: 'out' | 'in' | 'both' | undefined; edgeTypes?: EdgeOptions<S>['edgeTypes'] } & PageOptions,
  ): Page<Neighbor<S>> {
    return this.#connection.invoke(native.brant_node_neighbors, { ...paged(options), graph: this.#graph, key });
  }

  /** What can be reached from these nodes, which come first. */
  closure(keys: string | Iterable<string>, options?: ClosureOptions<S>): Closure {
    return this.#connection.invokeColumns(native.brant_node_closure, this.#from(keys, options), ['keys', 'depths', 'parents', 'truncated']);
  }

  /** `closure` on another thread. */
  closureAsync(keys: string | Iterable<string>, options?: ClosureOptions<S> & AsyncOptions): Promise<Closure> {
    const [rest, call] = apart(options);
    return this.#connection.invokeAsync('nodes.closure', this.#from(keys, rest), call);
  }

  /**
   * `closure` in batches of some thousand nodes, so that an answer of any size takes little memory. `for` runs on this thread, `for await` on
   * another. Each loop sees the graph as it was when the loop began, whatever is written meanwhile; between batches nothing is locked.
   *
   * ```js
   * for await (const { keys, depths } of graph.nodes.walk('root')) console.log(keys.length, depths.at(-1));
   * ```
   */
  walk(keys: string | Iterable<string>, options?: WalkNodesOptions<S>): Walk {
    const [rest, call] = apart(options);
    return new Walk(this.#connection, this.#from(keys, rest), call);
  }

  #from(keys: string | Iterable<string>, options: object | undefined): object {
    return { ...snakeCase(options), graph: this.#graph, keys: typeof keys === 'string' ? [keys] : array(keys) };
  }
}

export interface DeleteNodesOptions extends ManyOptions {
  /** `'delete'` takes their edges with them, `'refuse'` (default): a node that has some is `CONSTRAINT`. */
  edges?: 'refuse' | 'delete' | undefined;
}

export interface DeleteNodesResult {
  deleted: number;
  edges: number;
  failed?: number;
  items?: import('./types.js').ItemFault[];
}
