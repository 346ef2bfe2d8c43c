/*
 * Event targets over the file: what one process dispatches, listeners of all processes hear, after the commit. Ephemeral ones are notifications,
 * durable ones a stream. A topic is `name:id`.
 *
 * Slow listeners: an event whose listener returned a promise is being handled until that settles. A durable target hands out one event at a time, so
 * that the position of its consumer is true; an ephemeral one at most `buffer` at once. Then reading pauses, and what comes meanwhile waits in the
 * file; what retention removes from there before it was read, the target says by a `gap` event. Nothing is dropped in silence, and nothing grows.
 */
import type { Connection } from './connection.js';
import { BrantError } from './error.js';
import type { Dispatcher, Listener } from './listener.js';
import { native } from './native.js';
import { packed } from './payload.js';
import type { OffsetRange } from './stream.js';
import { type From, Subscription } from './subscription.js';
import type { Notification } from './types.js';

export interface EventTargetOptions {
  /** `'ephemeral'` (default): notifications, for those who listen now. `'durable'`: a stream, which can be read later. */
  mode?: 'ephemeral' | 'durable' | undefined;
  /** Of a durable target: its stream, default `'events'`. */
  stream?: string | undefined;
  /** Of a durable target: the name under which its position is saved, after each event was handled. Without one it hears what is new. */
  consumer?: string | undefined;
  /** Of a durable target with a consumer: when its position is saved; as of {@link Stream.subscribe}. */
  save?: 'each' | 'batch' | undefined;
  /** Of a durable target: where it begins; as of {@link Stream.subscribe}. */
  from?: From | undefined;
  /** Of an ephemeral target: events that may be in the hands of listeners at once. Default 256. */
  buffer?: number | undefined;
  /**
   * Of a durable target, when a listener throws or its promise rejects: `'stop'` (default) ends the target in front of the event, which comes again the
   * next time; `'skip'` goes on.
   */
  errors?: 'stop' | 'skip' | undefined;
  /** Closes the target. */
  signal?: AbortSignal | undefined;
}

/** An event of a topic, as listeners get it. */
export class TopicEvent<Detail = unknown> extends Event {
  /** What was published; a Uint8Array when it is bytes. */
  readonly detail: Detail;
  /** The id of the notification, or the offset in the stream. */
  readonly id: number;
  readonly created_at: number;
  readonly #promises: unknown[] = [];

  /** @internal */
  constructor(type: string, detail: Detail, id: number, created_at: number) {
    super(type);
    this.detail = detail;
    this.id = id;
    this.created_at = created_at;
  }

  /** The event is handled when this has settled, too. What a listener returns is taken in the same way. */
  waitUntil(promise: unknown): void {
    this.#promises.push(promise);
  }

  /** @internal */
  get promises(): unknown[] {
    return this.#promises;
  }
}

/** Events that were removed before they were read: their ids or offsets, inclusive. */
export class GapEvent extends Event {
  readonly gap: OffsetRange;
  /** Of an ephemeral target. */
  readonly channel: string | undefined;

  /** @internal */
  constructor(gap: OffsetRange, channel?: string) {
    super('gap');
    this.gap = gap;
    this.channel = channel;
  }
}

/** A listener threw, or the target cannot go on. */
export class TargetErrorEvent extends Event {
  readonly error: unknown;

  /** @internal */
  constructor(error: unknown) {
    super('error');
    this.error = error;
  }
}

/** A topic of the types `Events`: `'order'` or `'order:17'`, and `'order:*'` for all ids. */
export type Topic<Events> = (keyof Events & string) | `${keyof Events & string}:${string}`;

/** What is published on a topic. */
export type DetailOf<Events, Type> = Type extends keyof Events
  ? Events[Type]
  : Type extends `${infer Name}:${string}`
    ? Name extends keyof Events
      ? Events[Name]
      : unknown
    : unknown;

/** The events that are the target's own, and are not published. */
interface OwnEvents {
  error: TargetErrorEvent;
  gap: GapEvent;
  close: Event;
}

type EventOf<Events, Type> = Type extends keyof OwnEvents ? OwnEvents[Type] : TopicEvent<DetailOf<Events, Type>>;

/** What listens: its promise, if it returns one, is waited for. */
export type TopicListener<E extends Event> = ((event: E) => unknown) | { handleEvent(event: E): unknown };

/** As any event target takes them. */
export interface ListenerSettings {
  capture?: boolean | undefined;
  once?: boolean | undefined;
  /** Removes the listener. */
  signal?: AbortSignal | undefined;
}

interface Registration {
  readonly callback: TopicListener<Event>;
  readonly capture: boolean;
  readonly once: boolean;
  removed: boolean;
}

/** For types only: what a target's topics are. */
declare const topics: unique symbol;

/** What every target offers. */
export interface TopicTarget<Events = Record<string, unknown>> {
  readonly [topics]?: Events;
  addEventListener<Type extends Topic<Events> | keyof OwnEvents>(
    type: Type,
    listener: TopicListener<EventOf<Events, Type>> | null,
    options?: ListenerSettings | boolean,
  ): void;
  removeEventListener<Type extends Topic<Events> | keyof OwnEvents>(
    type: Type,
    listener: TopicListener<EventOf<Events, Type>> | null,
    options?: { capture?: boolean } | boolean,
  ): void;
  /** Publish an event: its type is the topic, its `detail` what is said. True. */
  dispatchEvent(event: Event): boolean;
  /** Hear no more. Any number of times. */
  close(): void;
}

const OWN = new Set(['error', 'gap', 'close']);

/**
 * What {@link Database.eventTarget} returns.
 *
 * ```js
 * const target = db.eventTarget();
 * target.addEventListener('order:17', ({ detail }) => console.log(detail.status));
 * target.addEventListener('order:*', ({ type, detail }) => console.log(type, detail));
 * target.dispatchEvent(new CustomEvent('order:17', { detail: { status: 'paid' } }));
 * ```
 *
 * `dispatchEvent` writes, in the running transaction: listeners here and in other processes hear of it after the commit, never when it is rolled back. While
 * it listens it keeps the process alive, until `close` or `unref`.
 */
export class BrantEventTarget<Events = Record<string, unknown>> implements TopicTarget<Events> {
  declare readonly [topics]?: Events;
  readonly mode: 'ephemeral' | 'durable';
  readonly #connection: Connection;
  readonly #dispatcher: Dispatcher;
  readonly #options: EventTargetOptions;
  readonly #stream: string;
  readonly #buffer: number;
  readonly #registrations = new Map<string, Registration[]>();
  /** Of an ephemeral target: by the pattern of the channels. */
  readonly #listeners = new Map<string, Listener<Notification>>();
  #subscription: Subscription | undefined;
  readonly #handling = new Set<Promise<unknown>>();
  #keepsAlive = true;
  #closed = false;

  /** @internal */
  constructor(connection: Connection, dispatcher: Dispatcher, options: EventTargetOptions) {
    const { mode = 'ephemeral', stream = 'events', buffer = 256, signal } = options;
    if (mode !== 'ephemeral' && mode !== 'durable') throw new BrantError('INVALID', "mode is neither 'ephemeral' nor 'durable'");
    if (!(Number.isInteger(buffer) && buffer >= 1)) throw new BrantError('INVALID', 'buffer is not a whole number from 1 on');
    signal?.throwIfAborted();
    this.mode = mode;
    this.#connection = connection;
    this.#dispatcher = dispatcher;
    this.#options = options;
    this.#stream = stream;
    this.#buffer = buffer;
    signal?.addEventListener('abort', () => this.close(), { once: true });
  }

  get closed(): boolean {
    return this.#closed;
  }

  /**
   * Hear what is dispatched from now on, by any process; of a durable target with a consumer, what is behind its position. Also a topic with `*` in place of
   * the id, and the target's own `error`, `gap` and `close`.
   *
   * @throws BrantError `MISUSE`: the first listener of a name is added inside a transaction; `BUSY`.
   */
  addEventListener<Type extends Topic<Events> | keyof OwnEvents>(
    type: Type,
    listener: TopicListener<EventOf<Events, Type>> | null,
    options: ListenerSettings | boolean = {},
  ): void {
    const { capture = false, once = false, signal } = typeof options === 'boolean' ? { capture: options } : options;
    if (listener === null || signal?.aborted) return;
    if (this.#closed) throw new BrantError('CLOSED', 'the event target is closed');
    const callback = listener as TopicListener<Event>;
    const all = this.#registrations.get(type) ?? [];
    if (all.some((each) => each.callback === callback && each.capture === capture)) return;
    if (!OWN.has(type)) this.#listen(type);
    this.#registrations.set(type, [...all, { callback, capture, once, removed: false }]);
    signal?.addEventListener('abort', () => this.removeEventListener(type, listener, { capture }), { once: true });
  }

  removeEventListener<Type extends Topic<Events> | keyof OwnEvents>(
    type: Type,
    listener: TopicListener<EventOf<Events, Type>> | null,
    options: { capture?: boolean } | boolean = {},
  ): void {
    const capture = typeof options === 'boolean' ? options : (options.capture ?? false);
    const all = this.#registrations.get(type) ?? [];
    const found = all.find((each) => each.callback === listener && each.capture === capture);
    if (found !== undefined) this.#remove(type, found);
  }

  #remove(type: string, registration: Registration): void {
    registration.removed = true;
    const rest = (this.#registrations.get(type) ?? []).filter((each) => each !== registration);
    if (rest.length > 0) {
      this.#registrations.set(type, rest);
      return;
    }
    this.#registrations.delete(type);
    const pattern = patternOf(type);
    for (const other of this.#registrations.keys()) if (!OWN.has(other) && patternOf(other) === pattern) return;
    // Nobody hears this name any more.
    const listener = this.#listeners.get(pattern);
    this.#listeners.delete(pattern);
    listener?.close();
  }

  /** Publish, in the running transaction. An event of the target's own types is only for the listeners of this object. */
  dispatchEvent(event: Event): boolean {
    if (this.#closed) throw new BrantError('CLOSED', 'the event target is closed');
    const { type } = event;
    if (OWN.has(type)) {
      this.#call(event, type);
      return true;
    }
    const detail = (event as { detail?: unknown }).detail ?? null;
    if (this.mode === 'ephemeral') {
      this.#connection.invoke(native.brant_event_notify, { channel: type, ...packed(detail) });
    } else {
      this.#connection.invoke(native.brant_stream_publish, { stream: this.#stream, key: type, ...packed(detail) });
    }
    return true;
  }

  /** Let the process end while it listens. */
  unref(): this {
    this.#keepsAlive = false;
    this.#subscription?.unref();
    for (const listener of this.#listeners.values()) listener.unref();
    return this;
  }

  /** Take back `unref`. */
  ref(): this {
    this.#keepsAlive = true;
    this.#subscription?.ref();
    for (const listener of this.#listeners.values()) listener.ref();
    return this;
  }

  /** Hear no more; a durable target has saved what was handled. Any number of times. */
  close(): void {
    if (this.#closed) return;
    this.#closed = true;
    for (const listener of this.#listeners.values()) listener.close();
    this.#listeners.clear();
    this.#subscription?.close();
    this.#call(new Event('close'), 'close');
    this.#registrations.clear();
  }

  [Symbol.dispose](): void {
    this.close();
  }

  // ---- hearing ----------------------------------------------------------------------------------------------------------------------

  #listen(type: string): void {
    if (this.mode === 'durable') {
      if (this.#subscription !== undefined) return;
      const { consumer, from, save } = this.#options;
      this.#subscription = new Subscription(this.#connection, this.#dispatcher, this.#stream, { consumer, from, save });
      if (!this.#keepsAlive) this.#subscription.unref();
      void this.#hearStream(this.#subscription);
      return;
    }
    const pattern = patternOf(type);
    if (this.#listeners.has(pattern)) return;
    const listener = this.#dispatcher.listen<Notification>('events.listen', { channels: [pattern] });
    if (!this.#keepsAlive) listener.unref();
    this.#listeners.set(pattern, listener);
    void this.#hearChannels(listener);
  }

  async #hearChannels(listener: Listener<Notification>): Promise<void> {
    try {
      for await (const item of listener) {
        if (item.gap !== undefined) {
          this.#call(new GapEvent(item.gap, item.channel), 'gap');
          continue;
        }
        const handled = this.#deliver(new TopicEvent(item.channel, item.payload, item.id, item.created_at));
        if (handled === undefined) continue;
        const handling = handled.catch((error: unknown) => this.#report(error)).finally(() => this.#handling.delete(handling));
        this.#handling.add(handling);
        while (this.#handling.size >= this.#buffer && !this.#closed) await Promise.race(this.#handling);
      }
    } catch (error) {
      this.#end(error);
    }
    if (this.#connection.closed) this.close();
  }

  async #hearStream(subscription: Subscription): Promise<void> {
    try {
      for await (const item of subscription) {
        if (item.gap !== undefined) {
          this.#call(new GapEvent(item.gap), 'gap');
          continue;
        }
        try {
          await this.#deliver(new TopicEvent(item.key ?? '', item.payload, item.offset, item.created_at));
        } catch (error) {
          // Leaving the loop saves what is in front of this event.
          if (this.#options.errors !== 'skip') throw error;
          this.#report(error);
        }
      }
    } catch (error) {
      this.#end(error);
    }
    if (this.#connection.closed) this.close();
  }

  /** Hand an event to its listeners. A promise, when one of them returned one or threw: it rejects with the first error. */
  #deliver(event: TopicEvent): Promise<void> | undefined {
    const { type } = event;
    const failures = this.#call(event, type);
    const colon = type.indexOf(':');
    if (colon >= 0) failures.push(...this.#call(event, `${type.slice(0, colon)}:*`));
    if (failures.length === 0 && event.promises.length === 0) return undefined;
    return (async () => {
      const settled = await Promise.allSettled(event.promises);
      for (const each of settled) if (each.status === 'rejected') failures.push(each.reason);
      failures.slice(1).forEach((error) => this.#report(error));
      if (failures.length > 0) throw failures[0];
    })();
  }

  /** Call the listeners of a type; what they threw. */
  #call(event: Event, type: string): unknown[] {
    const failures: unknown[] = [];
    for (const registration of this.#registrations.get(type) ?? []) {
      if (registration.removed) continue;
      if (registration.once) this.#remove(type, registration);
      const { callback } = registration;
      try {
        const returned = typeof callback === 'function' ? callback.call(this, event) : callback.handleEvent(event);
        if (event instanceof TopicEvent && typeof returned === 'object' && returned !== null) event.waitUntil(returned);
      } catch (error) {
        if (event instanceof TopicEvent) failures.push(error);
        else throwLater(error);
      }
    }
    return failures;
  }

  /** To those who listen for errors; without one it is uncaught, as of any event target. */
  #report(error: unknown): void {
    if (this.#registrations.has('error')) this.#call(new TargetErrorEvent(error), 'error');
    else throwLater(error);
  }

  #end(error: unknown): void {
    const ended = this.#closed || this.#connection.closed;
    if (!(ended && error instanceof BrantError && error.code === 'CLOSED')) this.#report(error);
    this.close();
  }
}

/** Some targets as one: listens to all of them, publishes to all of them, closes all of them. */
export class CompositeEventTarget<Events = Record<string, unknown>> implements TopicTarget<Events> {
  declare readonly [topics]?: Events;
  readonly #targets: readonly TopicTarget<Events>[];
  /** Listeners that are called once, by their topic. */
  readonly #once = new Map<string, Map<unknown, AbortController>>();

  /** @internal */
  constructor(targets: readonly TopicTarget<Events>[]) {
    this.#targets = targets;
  }

  addEventListener<Type extends Topic<Events> | keyof OwnEvents>(
    type: Type,
    listener: TopicListener<EventOf<Events, Type>> | null,
    options?: ListenerSettings | boolean,
  ): void {
    if (listener === null) return;
    const settings = typeof options === 'boolean' ? { capture: options } : { ...options };
    if (!settings.once) {
      for (const target of this.#targets) target.addEventListener(type, listener, settings);
      return;
    }
    // Once, whichever of them it comes by.
    const once = this.#once.get(type) ?? new Map<unknown, AbortController>();
    if (once.has(listener)) return;
    const heard = new AbortController();
    this.#once.set(type, once.set(listener, heard));
    heard.signal.addEventListener('abort', () => once.delete(listener), { once: true });
    const { signal } = heard;
    if (settings.signal?.aborted) return;
    settings.signal?.addEventListener('abort', () => heard.abort(), { once: true, signal });
    const first = (event: EventOf<Events, Type>): unknown => {
      if (heard.signal.aborted) return undefined;
      heard.abort();
      return typeof listener === 'function' ? listener.call(this, event) : listener.handleEvent(event);
    };
    for (const target of this.#targets) target.addEventListener(type, first, { ...settings, signal });
  }

  removeEventListener<Type extends Topic<Events> | keyof OwnEvents>(
    type: Type,
    listener: TopicListener<EventOf<Events, Type>> | null,
    options?: { capture?: boolean } | boolean,
  ): void {
    this.#once.get(type)?.get(listener)?.abort();
    for (const target of this.#targets) target.removeEventListener(type, listener, options);
  }

  dispatchEvent(event: Event): boolean {
    for (const target of this.#targets) target.dispatchEvent(event);
    return true;
  }

  /** Close all of them. */
  close(): void {
    for (const target of this.#targets) target.close();
  }

  [Symbol.dispose](): void {
    this.close();
  }
}

/**
 * Some targets as one: an ephemeral and a durable one, or those of several files. Listeners are added to all of them, and an event is dispatched to all of
 * them, one after the other: one who listens to two targets that it is dispatched to hears it twice.
 */
export function composite<Events = Record<string, unknown>>(...targets: TopicTarget<Events>[]): CompositeEventTarget<Events> {
  return new CompositeEventTarget<Events>(targets);
}

/** The channels of a topic's name, as a glob: one cursor for all ids of a name, however many are listened to. */
function patternOf(type: string): string {
  const colon = type.indexOf(':');
  const name = colon < 0 ? type : type.slice(0, colon);
  const escaped = name.replace(/[*?[\]\\]/g, '\\$&');
  return colon < 0 ? escaped : `${escaped}:*`;
}

function throwLater(error: unknown): void {
  process.nextTick(() => {
    throw error;
  });
}
