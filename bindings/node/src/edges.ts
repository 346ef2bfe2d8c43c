/* One graph's edges. Each method is one operation. */
import type { Connection } from './connection.js';
import type { EdgeFilter } from './filter.js';
import { PAGE, apart, array, paged, pages, selection } from './input.js';
import { native } from './native.js';
import { type Secret, secretOf } from './secrets.js';
import type {
  AnySchema,
  AsyncOptions,
  EdgeHit,
  EdgeInput,
  EdgePatch,
  Explanation,
  GraphEdge,
  GraphSchema,
  InsertManyResult,
  InsertResult,
  ItemFault,
  ManyOptions,
  NewEdge,
  Page,
  PageOptions,
  Patch,
  PatchManyResult,
  PatchResult,
  PutManyResult,
  PutResult,
  TypeName,
} from './types.js';

/** Which edges, and in which order. */
export interface EdgeListOptions<S extends GraphSchema = AnySchema, Name extends TypeName<S['edges']> = TypeName<S['edges']>>
  extends PageOptions {
  type?: Name | undefined;
  /** The key of the node that they lead from. */
  source?: string | undefined;
  /** The key of the node that they lead to. */
  target?: string | undefined;
  filter?: EdgeFilter<S, Name> | undefined;
  /** A field, named as in a filter; ties by source, type and target in order of creation. */
  orderBy?: string | undefined;
  descending?: boolean | undefined;
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

  /**
   * Insert an edge that does not exist.
   *
   * @throws BrantError `EXISTS`; otherwise as `put`.
   */
  insert(edge: NewEdge<S>): InsertResult {
    return this.#connection.invoke(native.brant_edge_insert, { ...edge, graph: this.#graph });
  }

  /** Change members of an edge's attributes and metadata, as `nodes.patch`. */
  patch(key: string, patch: Patch): PatchResult {
    return this.#connection.invoke(native.brant_edge_patch, { ...patch, graph: this.#graph, key });
  }

  /** `put` for many, all or nothing; NDJSON, options and errors as those of `nodes.putMany`. */
  putMany(edges: Iterable<EdgeInput<S>> | string, options?: ManyOptions): PutManyResult {
    return this.#connection.invoke(native.brant_edge_put_many, this.#many(edges, options));
  }

  /** `putMany` on another thread. */
  putManyAsync(edges: Iterable<EdgeInput<S>> | string, options?: ManyOptions & AsyncOptions): Promise<PutManyResult> {
    const [rest, call] = apart(options);
    return this.#connection.invokeAsync('edges.put_many', this.#many(edges, rest), call);
  }

  /** `insert` for many; otherwise as `putMany`. */
  insertMany(edges: Iterable<NewEdge<S>> | string, options?: ManyOptions): InsertManyResult {
    return this.#connection.invoke(native.brant_edge_insert_many, this.#many(edges, options));
  }

  /** `insertMany` on another thread. */
  insertManyAsync(edges: Iterable<NewEdge<S>> | string, options?: ManyOptions & AsyncOptions): Promise<InsertManyResult> {
    const [rest, call] = apart(options);
    return this.#connection.invokeAsync('edges.insert_many', this.#many(edges, rest), call);
  }

  /** `patch` for many: `{key, attributes?, metadata?, revision?}`; otherwise as `putMany`. */
  patchMany(patches: Iterable<EdgePatch> | string, options?: ManyOptions): PatchManyResult {
    return this.#connection.invoke(native.brant_edge_patch_many, this.#many(patches, options));
  }

  /** `patchMany` on another thread. */
  patchManyAsync(patches: Iterable<EdgePatch> | string, options?: ManyOptions & AsyncOptions): Promise<PatchManyResult> {
    const [rest, call] = apart(options);
    return this.#connection.invokeAsync('edges.patch_many', this.#many(patches, rest), call);
  }

  #many(items: Iterable<unknown> | string, options: ManyOptions | undefined): object {
    return { ...options, graph: this.#graph, items: array(items as Iterable<unknown>) };
  }

  /** @throws BrantError `NOT_FOUND` */
  get(key: string): GraphEdge<S> {
    return this.#connection.invoke(native.brant_edge_get, { graph: this.#graph, key });
  }

  /** Open an attribute that the edge's type encrypts, as `nodes.openSecret`. */
  openSecret<Value = unknown>(key: string, path: string): Secret<Value> {
    return secretOf(this.#connection.invoke(native.brant_edge_open_secret, { graph: this.#graph, key, path }));
  }

  /** `openSecret` on another thread. */
  async openSecretAsync<Value = unknown>(key: string, path: string, options?: AsyncOptions): Promise<Secret<Value>> {
    return secretOf(await this.#connection.invokeAsync('edges.open_secret', { graph: this.#graph, key, path }, options));
  }

  /** Is there an edge of this key? NOT_FOUND: no graph. */
  exists(key: string): boolean {
    return this.#connection.invoke<{ exists: boolean }>(native.brant_edge_exists, { graph: this.#graph, key }).exists;
  }

  /** How many edges there are, of a type, or that match. */
  count(options?: { type?: TypeName<S['edges']> | undefined; filter?: EdgeFilter<S> | undefined }): number {
    return this.#connection.invoke<{ count: number }>(native.brant_edge_count, { ...options, graph: this.#graph }).count;
  }

  /** `count` on another thread. */
  async countAsync(
    options?: { type?: TypeName<S['edges']> | undefined; filter?: EdgeFilter<S> | undefined } & AsyncOptions,
  ): Promise<number> {
    const [rest, call] = apart(options);
    return (await this.#connection.invokeAsync<{ count: number }>('edges.count', { ...rest, graph: this.#graph }, call)).count;
  }

  /** A page of edges, by source's key, then type, then target in order of creation; or by a field. */
  list<Name extends TypeName<S['edges']> = TypeName<S['edges']>>(options?: EdgeListOptions<S, Name>): Page<GraphEdge<S, Name>> {
    return this.#connection.invoke(native.brant_edge_list, { ...paged(options), graph: this.#graph });
  }

  /** `list` on another thread. */
  listAsync<Name extends TypeName<S['edges']> = TypeName<S['edges']>>(
    options?: EdgeListOptions<S, Name> & AsyncOptions,
  ): Promise<Page<GraphEdge<S, Name>>> {
    const [rest, call] = apart(options);
    return this.#connection.invokeAsync('edges.list', { ...paged(rest), graph: this.#graph }, call);
  }

  /** All edges that `list` would find. `limit` is the size of a page. */
  iterate<Name extends TypeName<S['edges']> = TypeName<S['edges']>>(
    options?: Omit<EdgeListOptions<S, Name>, 'cursor'>,
  ): Generator<GraphEdge<S, Name>, void, undefined> {
    return pages((cursor) => this.list<Name>({ limit: PAGE, ...options, cursor }));
  }

  [Symbol.iterator](): Generator<GraphEdge<S>, void, undefined> {
    return this.iterate();
  }

  /** How `list` would find these, as `nodes.explain`. */
  explain(options?: EdgeListOptions<S>): Explanation {
    return this.#connection.invoke(native.brant_edge_explain, { ...paged(options), graph: this.#graph });
  }

  /** A page of edges by their words, as `nodes.search`. */
  search<Name extends TypeName<S['edges']> = TypeName<S['edges']>>(
    query: string,
    options?: { type?: Name | undefined; filter?: EdgeFilter<S, Name> | undefined } & PageOptions,
  ): Page<EdgeHit<S, Name>> {
    return this.#connection.invoke(native.brant_edge_search, { ...paged(options), graph: this.#graph, query });
  }

  /** `search` on another thread. */
  searchAsync<Name extends TypeName<S['edges']> = TypeName<S['edges']>>(
    query: string,
    options?: { type?: Name | undefined; filter?: EdgeFilter<S, Name> | undefined } & PageOptions & AsyncOptions,
  ): Promise<Page<EdgeHit<S, Name>>> {
    const [rest, call] = apart(options);
    return this.#connection.invokeAsync('edges.search', { ...paged(rest), graph: this.#graph, query }, call);
  }

  /** @throws BrantError `NOT_FOUND`; `CONFLICT`: another revision is stored. */
  delete(key: string, options?: { revision?: number | undefined }): { deleted: true } {
    return this.#connection.invoke(native.brant_edge_delete, { ...options, graph: this.#graph, key });
  }

  /**
   * Delete many edges, all or nothing.
   *
   * @param edges - their keys, of which each must exist; or `{filter}`: all that match, `{filter: {}}` being all
   */
  deleteMany(edges: Iterable<string> | { filter: EdgeFilter<S> }, options?: ManyOptions): DeleteEdgesResult {
    return this.#connection.invoke(native.brant_edge_delete_many, { ...options, ...selection(edges), graph: this.#graph });
  }

  /** `deleteMany` on another thread. */
  deleteManyAsync(
    edges: Iterable<string> | { filter: EdgeFilter<S> },
    options?: ManyOptions & AsyncOptions,
  ): Promise<DeleteEdgesResult> {
    const [rest, call] = apart(options);
    return this.#connection.invokeAsync('edges.delete_many', { ...rest, ...selection(edges), graph: this.#graph }, call);
  }
}

export interface DeleteEdgesResult {
  deleted: number;
  failed?: number;
  items?: ItemFault[];
}
