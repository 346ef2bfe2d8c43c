/* Streams: append-only and durable, with consumers that remember where they are. Each method is one operation, but those that wait. */
import type { Connection } from './connection.js';
import { BrantError } from './error.js';
import { Group, type GroupOptions } from './group.js';
import { apart, following, items } from './input.js';
import { snakeCase } from './json.js';
import type { Dispatcher } from './listener.js';
import { native } from './native.js';
import { type Moment, allUnpacked, moment, packed, unpacked } from './payload.js';
import { type From, type SubscribeOptions, Subscription, position } from './subscription.js';
import type { AsyncOptions, ListOptions, Listed } from './types.js';

/** How a stream is kept. Null is the default. */
export interface StreamPolicy {
  /** Milliseconds. */
  maxAge?: number | null | undefined;
  maxCount?: number | null | undefined;
  /** Retention removes only what every consumer and group has processed. */
  keepUnread?: boolean | null | undefined;
  /** `maintain` keeps the newest event of each key; a null payload with a key removes the key. */
  compact?: boolean | null | undefined;
  /** Milliseconds that an event is kept from compaction. */
  compactAfter?: number | null | undefined;
}

/** A stream's row. */
export interface StreamInfo {
  stream: string;
  first: number;
  last: number;
  count: number;
  bytes?: number;
  policy: Record<string, unknown>;
  /** How many, groups included. */
  consumers: number;
  /** What is up to it was removed by retention. */
  trimmed_through: number;
  created_at: number;
  updated_at: number;
}

/** An event of a stream. */
export interface StreamEvent<Payload = unknown> {
  offset: number;
  key?: string;
  /** A Uint8Array when it is bytes. */
  payload: Payload;
  created_at: number;
  gap?: undefined;
}

/** Offsets that were removed before they were read, inclusive. */
export interface OffsetRange {
  from: number;
  to: number;
}

export interface ReadOptions {
  /** The events behind this offset, default 0; with `reverse` those before it. */
  after?: number | undefined;
  /** Not older than this. */
  since?: Moment | undefined;
  /** Default 1000. */
  limit?: number | undefined;
  /** Only events with one of these keys. */
  keys?: readonly string[] | undefined;
  /** The newest first. */
  reverse?: boolean | undefined;
}

export interface StreamPage<Payload = unknown> {
  items: StreamEvent<Payload>[];
  /** There are more: the `after` to go on with. */
  next?: number;
  /** Some behind `after` were removed by retention. */
  gap?: OffsetRange;
}

export interface StreamStats {
  stream: string;
  first: number;
  last: number;
  count: number;
  oldest_at?: number;
  newest_at?: number;
  /** A second, over the last 5 minutes. */
  rates: { published: number };
  consumers: { name: string; kind: 'consumer' | 'group'; offset: number; lag: number; lag_ms: number }[];
}

/** A consumer's or group's row. */
export interface ConsumerInfo {
  stream: string;
  consumer: string;
  kind: 'consumer' | 'group';
  /** What is up to it was processed. */
  offset: number;
  /** Events behind it. */
  lag: number;
  /** Of a group: handed out and not acknowledged. */
  pending?: number;
  updated_at: number;
}

/** One stream: `db.stream(name)`. It comes into being with its first event, or with `configure`. */
export class Stream<Payload = unknown> {
  readonly name: string;
  readonly #connection: Connection;
  readonly #dispatcher: Dispatcher;

  /** @internal */
  constructor(connection: Connection, dispatcher: Dispatcher, name: string) {
    this.#connection = connection;
    this.#dispatcher = dispatcher;
    this.name = name;
  }

  /**
   * Append an event, in the running transaction: it is seen after the commit, or never.
   *
   * @param payload - any JSON, or a Uint8Array
   * @param options - `key`: what it is about, for filters and compaction
   * @returns its offset: 1, 2, 3 in commit order, without a gap
   */
  publish(payload?: Payload, options?: { key?: string | undefined }): number {
    const input = { stream: this.name, ...options, ...packed(payload) };
    return this.#connection.invoke<{ offset: number }>(native.brant_stream_publish, input).offset;
  }

  /** Append many, all or none, with offsets one after the other. */
  publishMany(events: Iterable<{ payload?: Payload | undefined; key?: string | undefined }>): { first: number; last: number } {
    return this.#connection.invoke(native.brant_stream_publish_many, { stream: this.name, items: items(events, published) });
  }

  /** `publishMany` on another thread, outside any transaction of this handle. */
  async publishManyAsync(
    events: Iterable<{ payload?: Payload | undefined; key?: string | undefined }>,
    options?: AsyncOptions,
  ): Promise<{ first: number; last: number }> {
    return this.#connection.invokeAsync('streams.publish_many', { stream: this.name, items: items(events, published) }, options);
  }

  /** A page of events. @throws BrantError `NOT_FOUND`: no such stream. */
  read(options?: ReadOptions): StreamPage<Payload> {
    const page = this.#connection.invoke<{ items: object[]; next?: number; gap?: OffsetRange }>(
      native.brant_stream_read,
      this.#reading(options),
    );
    return { ...page, items: allUnpacked(page.items) };
  }

  /** `read` on another thread. */
  async readAsync(options?: ReadOptions & AsyncOptions): Promise<StreamPage<Payload>> {
    const [rest, call] = apart(options);
    const page = await this.#connection.invokeAsync<{ items: object[] }>('streams.read', this.#reading(rest), call);
    return { ...page, items: allUnpacked(page.items) };
  }

  #reading(options: ReadOptions | undefined): object {
    const { since, ...rest } = options ?? {};
    return { ...rest, ...(since === undefined ? {} : { since: moment(since) }), stream: this.name };
  }

  /** All events that `read` would find, one page at a time. */
  *events(options?: Omit<ReadOptions, 'limit'>): Generator<StreamEvent<Payload>, void, undefined> {
    let after = options?.after;
    do {
      const page = this.read({ ...options, after });
      yield* page.items;
      after = page.next;
    } while (after !== undefined);
  }

  /** The newest event of a key. @throws BrantError `NOT_FOUND` */
  latest(key: string): StreamEvent<Payload> {
    return unpacked(this.#connection.invoke(native.brant_stream_latest, { stream: this.name, key }));
  }

  /**
   * Events as they are committed, after those that are there already. With a consumer's name it goes on where that was saved, after a crash too.
   * See {@link Subscription}.
   *
   * ```js
   * for await (const event of db.stream('orders').subscribe({ consumer: 'mail' })) await mail(event.payload);
   * ```
   */
  subscribe(options?: SubscribeOptions): Subscription<Payload> {
    // A text would be taken for no options: reading without a consumer, with nothing saved.
    if (typeof options === 'string') throw new BrantError('INVALID', `a consumer goes into the options: subscribe({ consumer: '${String(options)}' })`);
    return new Subscription<Payload>(this.#connection, this.#dispatcher, this.name, options);
  }

  /** As one of a group, whose members share the events: each goes to one of them. See {@link Group}. */
  group(name: string, member?: string, options?: GroupOptions): Group<Payload> {
    return new Group<Payload>(this.#connection, this.#dispatcher, this.name, name, member, options);
  }

  /** A consumer's saved offset, to look at or to move. Subscriptions save it by themselves. */
  consumer(name: string): Consumer {
    return new Consumer(this.#connection, this.name, name);
  }

  /** Its consumers and groups. */
  consumers(): ConsumerInfo[] {
    return this.#connection.invoke<{ items: ConsumerInfo[] }>(native.brant_consumer_list, { stream: this.name }).items;
  }

  /** Set members of the policy; the others stay. */
  configure(policy: StreamPolicy = {}): StreamInfo {
    return this.#connection.invoke(native.brant_stream_configure, { ...snakeCase(policy), stream: this.name });
  }

  /** @throws BrantError `NOT_FOUND` */
  info(): StreamInfo {
    return this.#connection.invoke(native.brant_stream_get, { stream: this.name });
  }

  /** How many events, how old, how fast, and how far its consumers are. NOT_FOUND. */
  stats(): StreamStats {
    return this.#connection.invoke(native.brant_stream_stats, { stream: this.name });
  }

  /** Remove events: those before an offset, all but the newest, those older than `maxAge` ms. Who has not read them is told of a gap. */
  trim(options: { before?: number | undefined; maxCount?: number | undefined; maxAge?: number | undefined }): { trimmed: number } {
    return this.#connection.invoke(native.brant_stream_trim, { ...snakeCase(options), stream: this.name });
  }

  /** Keep the newest event of each key now. */
  compact(): { removed: number } {
    return this.#connection.invoke(native.brant_stream_compact, { stream: this.name });
  }

  /** `compact` on another thread. */
  compactAsync(options?: AsyncOptions): Promise<{ removed: number }> {
    return this.#connection.invokeAsync('streams.compact', { stream: this.name }, options);
  }

  /** Remove the stream and its events. @throws BrantError `CONFLICT`: it has consumers, and `force` is not true. */
  delete(options?: { force?: boolean | undefined }): { deleted: number } {
    return this.#connection.invoke(native.brant_stream_delete, { ...options, stream: this.name });
  }
}

/** `stream.consumer(name)`. */
export class Consumer {
  readonly stream: string;
  readonly name: string;
  readonly #connection: Connection;

  /** @internal */
  constructor(connection: Connection, stream: string, name: string) {
    this.#connection = connection;
    this.stream = stream;
    this.name = name;
  }

  /** @throws BrantError `NOT_FOUND` */
  info(): ConsumerInfo {
    return this.#connection.invoke(native.brant_consumer_get, { stream: this.stream, consumer: this.name });
  }

  /** Save that all up to `offset` was processed, in the running transaction; never back. Answers what is saved. */
  commit(offset: number): { offset: number } {
    return this.#connection.invoke(native.brant_consumer_commit, { stream: this.stream, consumer: this.name, offset });
  }

  /** Save another position, back too: what is behind it comes again. */
  seek(to: From): { offset: number } {
    return this.#connection.invoke(native.brant_consumer_seek, { stream: this.stream, consumer: this.name, to: position(to) });
  }

  /** Forget it. @throws BrantError `NOT_FOUND` */
  delete(): void {
    this.#connection.invoke(native.brant_consumer_delete, { stream: this.stream, consumer: this.name });
  }
}

/** `db.streams`. Iterating yields all of them. */
export class Streams implements Iterable<StreamInfo> {
  readonly #connection: Connection;

  /** @internal */
  constructor(connection: Connection) {
    this.#connection = connection;
  }

  /** A page, by name. */
  list(options?: ListOptions): Listed<StreamInfo> {
    return this.#connection.invoke(native.brant_stream_list, { ...options });
  }

  [Symbol.iterator](): Generator<StreamInfo, void, undefined> {
    return following((after: string | undefined) => this.list({ limit: 1000, after }));
  }

  /** Of each stream. */
  stats(): StreamStats[] {
    return this.#connection.invoke<{ items: StreamStats[] }>(native.brant_stream_stats, {}).items;
  }
}

function published({ payload, ...rest }: { payload?: unknown; key?: string | undefined }): object {
  return { ...rest, ...packed(payload) };
}
