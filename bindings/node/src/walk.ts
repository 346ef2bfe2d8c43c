/* A traversal in batches: the cursor of nodes.walk. It holds a snapshot in memory and nothing of the file. */
import { type Connection, guard } from './connection.js';
import { parse } from './json.js';
import { native } from './native.js';
import type { ClosureOptions, WalkBatch } from './traversal.js';
import type { AnySchema, AsyncOptions, GraphSchema } from './types.js';

/** As of `closure`; `signal` and `timeout` are those of `for await`, the latter of each batch. */
export type WalkNodesOptions<S extends GraphSchema = AnySchema> = ClosureOptions<S> & AsyncOptions;

/** What {@link Nodes.walk} returns. Each loop over it is a traversal of its own. */
export class Walk implements Iterable<WalkBatch>, AsyncIterable<WalkBatch> {
  readonly #connection: Connection;
  readonly #input: object;
  readonly #call: AsyncOptions;

  /** @internal */
  constructor(connection: Connection, input: object, call: AsyncOptions) {
    this.#connection = connection;
    this.#input = input;
    this.#call = call;
  }

  *[Symbol.iterator](): Generator<WalkBatch, void, undefined> {
    const cursor = this.#connection.openCursor('nodes.walk', this.#input);
    try {
      for (;;) {
        const text = guard(() => native.brant_cursor_next(cursor, 0));
        if (text === '[]') return;
        yield* parse(text, this.#connection.integers) as WalkBatch[];
      }
    } finally {
      guard(() => native.brant_cursor_close(cursor));
    }
  }

  async *[Symbol.asyncIterator](): AsyncGenerator<WalkBatch, void, undefined> {
    if (this.#connection.isMemory) {
      for (const batch of this) yield batch;
      return;
    }
    const cursor = await this.#connection.openCursorAsync('nodes.walk', this.#input, this.#call);
    try {
      for (;;) {
        const text = await this.#connection.nextAsync(cursor, this.#call);
        if (text === '[]') return;
        yield* parse(text, this.#connection.integers) as WalkBatch[];
      }
    } finally {
      guard(() => native.brant_cursor_close(cursor));
    }
  }
}
