/*
 * Typed operations: those that the registry derives from a graph type, whose input schemas are the types' own. They can be called by name
 * (`db.call('types.task.Task.put', ...)`); here they are methods.
 */
import type { Connection } from './connection.js';
import type { EdgeListOptions } from './edges.js';
import type { EdgeFilter, NodeFilter } from './filter.js';
import { PAGE, paged, pages } from './input.js';
import { parse, stringify } from './json.js';
import { native } from './native.js';
import type { NodeListOptions } from './nodes.js';
import type {
  AnySchema,
  GraphEdge,
  GraphNode,
  GraphSchema,
  InsertResult,
  NewEdge,
  NewNode,
  EdgeInput,
  NodeInput,
  OperationSpec,
  Page,
  Patch,
  PatchResult,
  PutResult,
  TypeName,
} from './types.js';

type WithoutType<T> = T extends unknown ? Omit<T, 'type'> : never;

/** One graph type's operations: `db.types('task')`. Making one reads nothing. */
export class Types<S extends GraphSchema = AnySchema> {
  readonly #connection: Connection;
  readonly graphType: string;

  /** @internal */
  constructor(connection: Connection, graphType: string) {
    this.#connection = connection;
    this.graphType = graphType;
  }

  /** One node type's. Where the graph type has none of this name, its methods are `NOT_FOUND`. */
  node<Name extends TypeName<S['nodes']>>(name: Name): TypedNodes<S, Name> {
    return new TypedNodes(this.#connection, `types.${this.graphType}.${name}.`);
  }

  /** One edge type's. Where a node type has the name too, this one's is `<Name>Edge`. */
  edge<Name extends TypeName<S['edges']>>(name: Name | `${Name}Edge`): TypedEdges<S, Name> {
    return new TypedEdges(this.#connection, `types.${this.graphType}.${name}.`);
  }

  /**
   * All of them, described as data: for hosts that offer them as tools, commands or calls.
   *
   * @throws BrantError `NOT_FOUND`: no such graph type
   */
  operations(): OperationSpec[] {
    const input = { graph_type: this.graphType };
    return this.#connection.invoke<{ items: OperationSpec[] }>(native.brant_operation_list, input).items;
  }
}

/** What nodes and edges of a type have alike. The first parameter is always a graph's name, which must be of the graph type (`INVALID`). */
class Typed<Item, Input, New, Filter, ListOptions extends { limit?: number | undefined; cursor?: string | null | undefined }> {
  readonly #connection: Connection;
  readonly #prefix: string;

  /** @internal */
  constructor(connection: Connection, prefix: string) {
    this.#connection = connection;
    this.#prefix = prefix;
  }

  /** @internal */
  protected run<T>(verb: string, graph: string, input: object | undefined): T {
    const text = this.#connection.invokeText(this.#prefix + verb, stringify({ ...input, graph }));
    return parse(text, this.#connection.integers) as T;
  }

  /** @throws BrantError `EXISTS`; `INVALID` with violations: the attributes are not the type's. */
  insert(graph: string, item: New): InsertResult {
    return this.run('insert', graph, item as object);
  }

  /** @throws BrantError `INVALID` with violations: the attributes are not the type's; `CONFLICT`: another revision; `CONSTRAINT`: another type has the key. */
  put(graph: string, item: Input): PutResult {
    return this.run('put', graph, item as object);
  }

  /** @throws BrantError `VALIDATION`: the result is not the type's; `NOT_FOUND`: also where another type has the key. */
  patch(graph: string, key: string, patch: Patch): PatchResult {
    return this.run('patch', graph, { ...patch, key });
  }

  /** @throws BrantError `NOT_FOUND`: also where another type has the key. */
  get(graph: string, key: string): Item {
    return this.run('get', graph, { key });
  }

  /** A page of those that match. */
  find(graph: string, options?: ListOptions): Page<Item> {
    return this.run('find', graph, paged(options));
  }

  /** All that match. `limit` is the size of a page. */
  iterate(graph: string, options?: Omit<ListOptions, 'cursor'>): Generator<Item, void, undefined> {
    return pages((cursor) => this.find(graph, { limit: PAGE, ...options, cursor } as never));
  }

  /** How many there are, or match. */
  count(graph: string, options?: { filter?: Filter | undefined }): number {
    return this.run<{ count: number }>('count', graph, options).count;
  }
}

/** The operations of a node type. */
export class TypedNodes<S extends GraphSchema = AnySchema, Name extends TypeName<S['nodes']> = TypeName<S['nodes']>> extends Typed<
  GraphNode<S, Name>,
  WithoutType<NodeInput<S, Name>>,
  WithoutType<NewNode<S, Name>>,
  NodeFilter<S, Name>,
  Omit<NodeListOptions<S, Name>, 'type'>
> {
  /** As `nodes.delete`. */
  delete(
    graph: string,
    key: string,
    options?: { edges?: 'refuse' | 'delete' | undefined; revision?: number | undefined },
  ): { deleted: true; edges: number } {
    return this.run('delete', graph, { ...options, key });
  }
}

/** The operations of an edge type. */
export class TypedEdges<S extends GraphSchema = AnySchema, Name extends TypeName<S['edges']> = TypeName<S['edges']>> extends Typed<
  GraphEdge<S, Name>,
  WithoutType<EdgeInput<S, Name>>,
  WithoutType<NewEdge<S, Name>>,
  EdgeFilter<S, Name>,
  Omit<EdgeListOptions<S, Name>, 'type'>
> {
  /** As `edges.delete`. */
  delete(graph: string, key: string, options?: { revision?: number | undefined }): { deleted: true } {
    return this.run('delete', graph, { ...options, key });
  }
}
