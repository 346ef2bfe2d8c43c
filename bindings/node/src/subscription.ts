/*
 * A stream as it grows. Nothing is pushed: events are read a batch at a time when the loop asks for them, so a slow reader holds up nobody and
 * needs no more memory than a batch; what it has not read waits in the file, and what retention removed meanwhile it is told of as a gap.
 *
 * An event counts as processed when the loop comes back for the next one. A consumer's offset is saved then (`save: 'each'`), or after 1000 events
 * or a second, also when no more come (`'batch'`, the default), or only by `commit` (`'manual'`).
 */
import type { Connection } from './connection.js';
import { isTransient, pause } from './claims.js';
import { BrantError } from './error.js';
import type { Dispatcher, Listener } from './listener.js';
import { native } from './native.js';
import type { OffsetRange, StreamEvent } from './stream.js';
import { Turn } from './turn.js';

/** Where to begin: at the first event or after the last one there is now, behind an offset, or at a time. */
export type From = 'start' | 'end' | number | Date | { time: number };

export interface SubscribeOptions {
  /** The name under which the position is saved. Without one nothing is. */
  consumer?: string | undefined;
  /** Default: with a consumer what it saved, or `'start'`; without one `'end'`. For a consumer only the first time. */
  from?: From | undefined;
  /** Only events with one of these keys. */
  keys?: readonly string[] | undefined;
  /** When the consumer's position is saved, after processing; default `'batch'`. */
  save?: 'each' | 'batch' | 'manual' | undefined;
  /** Events that are read at once: 1 to 10 000, default 1000. */
  batch?: number | undefined;
  /** Closes it: whoever waits gets the signal's reason. */
  signal?: AbortSignal | undefined;
}

/** In place of events that were removed before they were read. */
export interface StreamGap {
  gap: OffsetRange;
  offset?: undefined;
  key?: undefined;
  payload?: undefined;
}

export type StreamItem<Payload = unknown> = StreamEvent<Payload> | StreamGap;

/** A batch is saved after so many events, or milliseconds. */
const SAVED_EVENTS = 1000;
const SAVED_AFTER = 1000;

/**
 * What {@link Stream.subscribe} returns. Iterate it, or its `batches()`, or call `nextBatch`: one of them, once. Leaving the loop saves what was processed, and closes it.
 *
 * To process exactly once, commit in the transaction of the effect:
 *
 * ```js
 * const subscription = db.stream('orders').subscribe({ consumer: 'totals', save: 'manual' });
 * for await (const { payload } of subscription) {
 *   db.transaction(() => {
 *     db.execute('UPDATE totals SET sum = sum + ?', [payload.amount]);
 *     subscription.commit();
 *   });
 * }
 * ```
 */
export class Subscription<Payload = unknown> implements AsyncIterable<StreamItem<Payload>> {
  readonly stream: string;
  readonly consumer: string | undefined;
  readonly #connection: Connection;
  readonly #listener: Listener<StreamItem<Payload>>;
  readonly #save: 'each' | 'batch' | 'manual';
  #items: StreamItem<Payload>[] = [];
  #at = 0;
  /** The last offset that was handed out, that was processed, that was saved. */
  #given = 0;
  #processed = 0;
  #saved = 0;
  #unsaved = 0;
  /** Items of the batch that was handed out last. */
  #handed = 0;
  #timer: NodeJS.Timeout | undefined;
  #keepsAlive = true;
  readonly #turn = new Turn();
  #failure: { error: unknown } | undefined;

  /** @internal */
  constructor(connection: Connection, dispatcher: Dispatcher, stream: string, options: SubscribeOptions = {}) {
    const { consumer, from, save = 'batch', signal, batch = 1000, keys } = options;
    if (save !== 'each' && save !== 'batch' && save !== 'manual') {
      throw new BrantError('INVALID', "save is none of 'each', 'batch' and 'manual'");
    }
    this.#connection = connection;
    this.stream = stream;
    this.consumer = consumer;
    this.#save = consumer === undefined ? 'manual' : save;
    const input = { stream, consumer, from: from === undefined ? undefined : position(from), keys, batch };
    this.#listener = dispatcher.listen('streams.subscribe', input, { signal });
  }

  /** It, or its database, is closed. */
  get closed(): boolean {
    return this.#listener.closed;
  }

  /**
   * Save that everything up to and including the item that was handed out last, or up to `offset`, is processed; in the running transaction.
   * Answers what is saved.
   *
   * @throws BrantError `MISUSE`: the subscription has no consumer.
   */
  commit(offset = this.#given): number {
    if (this.consumer === undefined) throw new BrantError('MISUSE', 'the subscription has no consumer whose position could be saved');
    const input = { stream: this.stream, consumer: this.consumer, offset };
    const saved = this.#connection.invoke<{ offset: number }>(native.brant_consumer_commit, input).offset;
    // What is part of a transaction may be rolled back: then it is saved once more.
    if (!this.#connection.inTransaction) this.#noteSaved(offset);
    return saved;
  }

  [Symbol.asyncIterator](): AsyncIterator<StreamItem<Payload>, undefined, undefined> {
    return {
      next: () => {
        if (this.#given !== this.#processed) this.#advance(1);
        return this.#turn.isOver ? this.#turn.pass().then(() => this.#next()) : this.#next();
      },
      return: () => this.#leave(),
    };
  }

  /** The next item: of the batch that was read, or of another one. */
  #next(): Promise<IteratorResult<StreamItem<Payload>, undefined>> {
    const items = this.#items;
    if (this.#at < items.length && !this.#listener.closed) {
      const value = items[this.#at++] as StreamItem<Payload>;
      this.#given = value.gap === undefined ? value.offset : value.gap.to;
      return Promise.resolve({ value, done: false });
    }
    return this.#nextOf(false) as Promise<IteratorResult<StreamItem<Payload>, undefined>>;
  }

  /** The same in batches, as they were read: a batch counts as processed when the loop comes back. */
  batches(): AsyncIterable<StreamItem<Payload>[]> {
    return {
      [Symbol.asyncIterator]: () => ({
        next: async (): Promise<IteratorResult<StreamItem<Payload>[], undefined>> => {
          if (this.#given !== this.#processed) this.#advance(this.#handed);
          if (this.#turn.isOver) await this.#turn.pass();
          const result = (await this.#nextOf(true)) as IteratorResult<StreamItem<Payload>[], undefined>;
          this.#handed = result.done ? 0 : result.value.length;
          return result;
        },
        return: () => this.#leave(),
      }),
    };
  }

  /**
   * The next items, at most a batch; `[]` when none came within `timeout` ms (default: wait until some come; 0: do not wait). Those of the call before
   * count as processed. Rejects with `CLOSED`, or the signal's reason.
   */
  async nextBatch(timeout?: number): Promise<StreamItem<Payload>[]> {
    if (this.#given !== this.#processed) this.#advance(this.#handed);
    const items = await this.#listener.nextBatch(timeout);
    const last = items.at(-1);
    this.#handed = items.length;
    if (last !== undefined) this.#given = last.gap === undefined ? last.offset : last.gap.to;
    return items;
  }

  /** The next item, or the next batch, from the file. */
  async #nextOf(whole: boolean): Promise<IteratorResult<StreamItem<Payload> | StreamItem<Payload>[], undefined>> {
    try {
      if (this.#failure !== undefined) throw this.#failure.error;
      const items = await this.#drain();
      if (this.#failure !== undefined) throw (this.#failure as { error: unknown }).error;
      this.#items = items;
      const value = whole ? items : (items[0] as StreamItem<Payload>);
      const last = (whole ? items[items.length - 1] : items[0]) as StreamItem<Payload>;
      this.#at = whole ? items.length : 1;
      this.#given = last.gap === undefined ? last.offset : last.gap.to;
      return { value, done: false };
    } catch (error) {
      const ended = this.closed && error instanceof BrantError && error.code === 'CLOSED';
      await this.#leave();
      if (!ended) throw error;
      return { value: undefined, done: true };
    }
  }

  async #drain(): Promise<StreamItem<Payload>[]> {
    for (;;) {
      try {
        return await this.#listener.drain();
      } catch (error) {
        if (!isTransient(error) || this.closed) throw error;
        await pause(5);
      }
    }
  }

  /** What was handed out is processed. */
  #advance(count: number): void {
    this.#processed = this.#given;
    if (this.#save === 'manual') return;
    this.#unsaved += count;
    if (this.#save === 'each' || this.#unsaved >= SAVED_EVENTS) this.#trySave();
    else this.#timer ??= this.#plan(SAVED_AFTER);
  }

  #plan(delay: number): NodeJS.Timeout {
    const timer = setTimeout(() => {
      this.#timer = undefined;
      this.#trySave();
    }, delay);
    return this.#keepsAlive ? timer : timer.unref();
  }

  /** Save now, or a little later when another writer is in the way or the user has a transaction open. */
  #trySave(): void {
    if (this.#processed <= this.#saved || this.#connection.closed) return;
    if (!this.#connection.inTransaction) {
      try {
        this.commit(this.#processed);
        return;
      } catch (error) {
        if (!isTransient(error)) {
          this.#failure ??= { error };
          this.#listener.end(error);
          return;
        }
      }
    }
    this.#timer ??= this.#plan(20);
  }

  #noteSaved(offset: number): void {
    this.#saved = Math.max(this.#saved, offset);
    if (this.#saved < this.#processed) return;
    this.#unsaved = 0;
    clearTimeout(this.#timer);
    this.#timer = undefined;
  }

  /** The loop was left, or is at its end. */
  async #leave(): Promise<IteratorReturnResult<undefined>> {
    for (let tries = 0; this.#unsaved > 0 && tries < 100 && this.#failure === undefined && !this.#connection.closed; tries++) {
      if (tries > 0) await pause(20);
      this.#trySave();
    }
    this.close();
    return { value: undefined, done: true };
  }

  /** Let the process end while somebody waits here. */
  unref(): this {
    this.#keepsAlive = false;
    this.#listener.unref();
    this.#timer?.unref();
    return this;
  }

  /** Take back `unref`. */
  ref(): this {
    this.#keepsAlive = true;
    this.#listener.ref();
    this.#timer?.ref();
    return this;
  }

  /** End it: a loop over it ends. What was processed is saved, except with `'manual'`. Any number of times. */
  close(): void {
    if (this.#unsaved > 0 && !this.#connection.closed) this.#trySave();
    clearTimeout(this.#timer);
    this.#timer = undefined;
    this.#listener.close();
  }

  [Symbol.dispose](): void {
    this.close();
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#leave();
  }
}

/** A position as the library takes it. @internal */
export function position(from: From): unknown {
  return from instanceof Date ? { time: from.getTime() } : from;
}
