/*
 * A stream that some members share: each event goes to one of them, and to another one when it was not acknowledged within its lease.
 */
import { isTransient, pause, workerName } from './claims.js';
import type { Connection } from './connection.js';
import { BrantError } from './error.js';
import { type Dispatcher, LONGEST, type ListenOptions, type Listener } from './listener.js';
import { native } from './native.js';
import { allUnpacked } from './payload.js';
import type { OffsetRange, StreamEvent } from './stream.js';
import { type From, type StreamGap, position } from './subscription.js';
import { Turn } from './turn.js';

export interface GroupOptions {
  /** Milliseconds that an event is this member's without being extended. Default 30 000. */
  lease?: number | undefined;
  /** Where the group begins when it is new: default `'start'`. */
  from?: From | undefined;
}

/** An event that this member has. */
export interface GroupEvent<Payload = unknown> extends StreamEvent<Payload> {
  /** The fencing token of this delivery. */
  token: number;
  /** How often it was delivered, this time included. */
  delivery: number;
}

/** What `ack` and the like need of an event. */
export type Delivered = Pick<GroupEvent, 'offset' | 'token'>;

export interface GroupWorkOptions {
  /** Events that are claimed at once: 1 to 1000, default 32. */
  batch?: number | undefined;
  /** Ends the loop with its reason, between two events. */
  signal?: AbortSignal | undefined;
}

/** Milliseconds that acks may wait for company. */
const ACKED_AFTER = 1000;

/**
 * A member of a group: `stream.group(name, member)`. Iterate `work()`, which keeps and acknowledges events by itself, or call `claim` and `ack`.
 *
 * ```js
 * for await (const event of db.stream('orders').group('billing').work()) await bill(event.payload);
 * ```
 */
export class Group<Payload = unknown> implements AsyncIterable<GroupEvent<Payload> | StreamGap> {
  readonly stream: string;
  readonly name: string;
  readonly member: string;
  readonly #connection: Connection;
  readonly #dispatcher: Dispatcher;
  readonly #lease: number | undefined;
  readonly #from: From | undefined;

  /** @internal */
  constructor(
    connection: Connection,
    dispatcher: Dispatcher,
    stream: string,
    name: string,
    member: string | undefined,
    options: GroupOptions = {},
  ) {
    this.#connection = connection;
    this.#dispatcher = dispatcher;
    this.stream = stream;
    this.name = name;
    this.member = member ?? workerName();
    this.#lease = options.lease;
    this.#from = options.from;
  }

  /** Up to `limit` events (default 1) that are now this member's; `gap`: some were removed before the group had them. */
  claim(options: { limit?: number | undefined; lease?: number | undefined } = {}): { items: GroupEvent<Payload>[]; gap?: OffsetRange } {
    const answer = this.#connection.invoke<{ items: object[]; gap?: OffsetRange }>(native.brant_consumer_claim, {
      lease: this.#lease,
      ...options,
      ...(this.#from === undefined ? {} : { from: position(this.#from) }),
      member: this.member,
      ...this.#group(),
    });
    return { ...answer, items: allUnpacked(answer.items) };
  }

  /** They are processed; `stale`: offsets that are not this delivery's any more. */
  ack(events: Iterable<Delivered>): { acked: number; stale: number[] } {
    return this.#connection.invoke(native.brant_consumer_ack, { ...this.#group(), items: Array.from(events, bare) });
  }

  /** Keep them for another lease. */
  extend(events: Iterable<Delivered>, lease = this.#lease ?? 30_000): { acked: number; stale: number[] } {
    return this.#connection.invoke(native.brant_consumer_extend, { ...this.#group(), items: Array.from(events, bare), lease });
  }

  /** Give them back at once, for another member. */
  release(events: Iterable<Delivered>): { acked: number; stale: number[] } {
    return this.#connection.invoke(native.brant_consumer_release, { ...this.#group(), items: Array.from(events, bare) });
  }

  /** Yields an item whenever there is something to claim; one member is woken for each event. */
  watch(options?: ListenOptions): Listener<{ ready: true }> {
    const input = { ...this.#group(), ...(this.#from === undefined ? {} : { from: position(this.#from) }) };
    return this.#dispatcher.listen('consumers.watch', input, options);
  }

  #group(): { stream: string; group: string } {
    return { stream: this.stream, group: this.name };
  }

  [Symbol.asyncIterator](): AsyncGenerator<GroupEvent<Payload> | StreamGap, void, undefined> {
    return this.work();
  }

  /**
   * Events one after another, and gaps in place of what was removed before the group had it. Coming back for the next acknowledges the one before; leases are extended by themselves. Leaving the loop gives back
   * what was not acknowledged, the event that it was at too: it comes again, to this member or another. Ends when the database is closed.
   */
  async *work(options: GroupWorkOptions = {}): AsyncGenerator<GroupEvent<Payload> | StreamGap, void, undefined> {
    const { batch = 32, signal } = options;
    signal?.throwIfAborted();
    const held = new Map<number, GroupEvent<Payload>>();
    let acks: GroupEvent<Payload>[] = [];
    let ackedAt = 0;
    let watch: Listener<unknown> | undefined;
    const turn = new Turn();
    const onAbort = (): void => watch?.close();
    signal?.addEventListener('abort', onAbort, { once: true });
    const beat = setInterval(() => this.#keep(held), Math.min(Math.max((this.#lease ?? 30_000) / 3, 10), LONGEST)).unref();
    const acknowledge = (): void => {
      if (acks.length > 0) this.ack(acks);
      acks = [];
      ackedAt = performance.now();
    };
    try {
      for (;;) {
        signal?.throwIfAborted();
        const { items, gap } = await this.#patiently(() => {
          acknowledge();
          return this.claim({ limit: batch });
        });
        for (const item of items) held.set(item.offset, item);
        if (gap !== undefined) yield { gap };
        for (const item of items) {
          if (turn.isOver) await turn.pass();
          signal?.throwIfAborted();
          // It was lost while those before it were processed: another member has it.
          if (!held.has(item.offset)) continue;
          yield item;
          if (!held.delete(item.offset)) continue;
          acks.push(item);
          if (performance.now() - ackedAt > ACKED_AFTER) await this.#patiently(acknowledge);
        }
        if (items.length > 0) continue;
        try {
          watch ??= this.watch();
          await watch.next();
        } catch (error) {
          if (signal?.aborted) throw signal.reason;
          if (!isTransient(error)) throw error;
          await pause(5);
        }
      }
    } catch (error) {
      if (!(this.#connection.closed && error instanceof BrantError && error.code === 'CLOSED')) throw error;
    } finally {
      clearInterval(beat);
      signal?.removeEventListener('abort', onAbort);
      watch?.close();
      if (!this.#connection.closed) {
        await this.#patiently(() => {
          acknowledge();
          if (held.size > 0) this.release(held.values());
        });
      }
    }
  }

  /** Extend what is held; what cannot be kept is held no more. */
  #keep(held: Map<number, Delivered>): void {
    if (held.size === 0 || this.#connection.closed || this.#connection.inTransaction) return;
    try {
      for (const offset of this.extend(held.values()).stale) held.delete(offset);
    } catch {
      // Another writer is in the way; there are two more times. What is worse the loop meets itself.
    }
  }

  /** Run `call` when no transaction is open and no other writer is in the way. */
  async #patiently<T>(call: () => T): Promise<T> {
    for (;;) {
      if (!this.#connection.inTransaction) {
        try {
          return call();
        } catch (error) {
          if (!isTransient(error)) throw error;
        }
      }
      await pause(5);
    }
  }
}

function bare({ offset, token }: Delivered): Delivered {
  return { offset, token };
}
