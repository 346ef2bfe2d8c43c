/* Indexes over attributes: `db.indexes`. */
import type { Connection } from './connection.js';
import { snakeCase } from './json.js';
import { native } from './native.js';
import type { AsyncOptions, AttributeIndex } from './types.js';
import { apart } from './input.js';

export interface IndexOptions {
  graphType: string;
  /** The node type whose attributes it is over; or `edgeType`; or, in a graph type without types, `of`. */
  nodeType?: string | undefined;
  edgeType?: string | undefined;
  of?: 'nodes' | 'edges' | undefined;
  /** `'value'` (default): for filters and orders; `'text'`: for `search`. */
  kind?: 'value' | 'text' | undefined;
  /** 1 to 8: `'attributes.status'`. */
  paths: readonly string[];
  /** Default: graph type, type and paths, joined by dots. */
  name?: string | undefined;
}

/** `db.indexes`: what makes filters, orders and searches over attributes fast. They serve all graphs of a graph type. */
export class Indexes implements Iterable<AttributeIndex> {
  readonly #connection: Connection;

  /** @internal */
  constructor(connection: Connection) {
    this.#connection = connection;
  }

  /**
   * Make an index over what is stored, and keep it up to date. The same again is the stored one.
   *
   * ```js
   * db.indexes.create({ graphType: 'task', nodeType: 'Task', paths: ['attributes.status', 'attributes.due_at'] });
   * ```
   *
   * @throws BrantError `EXISTS`: another index has the name; `NOT_FOUND`: no such graph type; `INVALID`: no such type, a path that cannot be.
   */
  create(options: IndexOptions): AttributeIndex {
    return this.#connection.invoke(native.brant_index_create, snakeCase(options));
  }

  /** `create` on another thread. */
  createAsync(options: IndexOptions & AsyncOptions): Promise<AttributeIndex> {
    const [rest, call] = apart(options);
    return this.#connection.invokeAsync('indexes.create', snakeCase(rest), call);
  }

  /** All indexes, or those of a graph type. */
  list(options?: { graphType?: string | undefined }): AttributeIndex[] {
    return this.#connection.invoke<{ items: AttributeIndex[] }>(native.brant_index_list, snakeCase(options)).items;
  }

  [Symbol.iterator](): Iterator<AttributeIndex> {
    return this.list()[Symbol.iterator]();
  }

  /** @throws BrantError `NOT_FOUND` */
  delete(name: string): { deleted: true } {
    return this.#connection.invoke(native.brant_index_delete, { name });
  }
}
