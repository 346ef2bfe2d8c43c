/*
 * Waiting. A handle has one wake descriptor and any number of cursors, so it has one dispatcher: a native thread polls the
 * descriptor and calls back here; the dispatcher acknowledges and then asks every cursor that somebody waits on. The order matters:
 * what is committed after the acknowledgement makes the descriptor readable again. Nothing is read for a listener on which nobody
 * waits: what it has not taken stays in the file.
 *
 * The process stays alive while somebody waits, and no longer. While nobody waits, the descriptor is left as it is. A cursor says itself
 * when to look again without having been woken: its own deadline (a job is due, a lease ends), or commits by programs without our code.
 *
 * A session has the descriptor of the handle beneath it, and so a dispatcher that leaves waiting to that one's.
 */
import { type Connection, closedError, guard } from './connection.js';
import { BrantError, translate } from './error.js';
import { parse } from './json.js';
import { type RawCursor, type Waker, native } from './native.js';
import { allUnpacked } from './payload.js';
import { Turn } from './turn.js';
import type { Notification } from './types.js';

/** The longest that a timer of Node.js can be; one that is longer rings at once. @internal */
export const LONGEST = 2 ** 31 - 1;

/** Dispatchers with somebody waiting. The addon holds them weakly, so that a forgotten database can be collected. */
const busy = new Set<Dispatcher>();

/** The part of a listener that its dispatcher knows. */
interface Waiting {
  readonly keepsAlive: boolean;
  /** In how many ms to look again although nobody was woken: a deadline of its own, or commits by programs without our code. */
  patience(): number;
  /** Take what there is, and give it to those who wait. */
  pump(): void;
  /** Fail those who wait. */
  fail(error: unknown): void;
}

/** @internal */
export class Dispatcher {
  readonly #connection: Connection;
  readonly #above: Dispatcher | undefined;
  readonly #waiting = new Set<Waiting>();
  readonly #listeners = new Set<Listener<unknown>>();
  #waker: Waker | undefined;
  #armed = false;
  #keepsAlive = false;
  #timer: NodeJS.Timeout | undefined;
  #timerAt = 0;
  #scheduled = false;

  /** @param above - of the handle that the connection is a session of */
  constructor(connection: Connection, above?: Dispatcher) {
    this.#connection = connection;
    this.#above = above;
    // Nothing outside this handle can write to a database in memory, so its own calls do the waking.
    if (connection.isMemory && above === undefined) connection.afterCall = () => this.#schedule();
  }

  /** Open the cursor of a subscription. */
  listen<T>(name: string, input: object, options?: ListenOptions): Listener<T> {
    options?.signal?.throwIfAborted();
    return new Listener<T>(this.#connection, this, this.#connection.openCursor(name, input), options);
  }

  add(listener: Listener<unknown>): void {
    this.#listeners.add(listener);
    this.#above?.add(listener);
  }

  remove(listener: Listener<unknown>): void {
    this.#listeners.delete(listener);
    this.#above?.remove(listener);
  }

  /** Pump `listener` from now on, whenever there may be something. */
  wait(listener: Waiting): void {
    this.#waiting.add(listener);
    if (this.#above !== undefined) return this.#above.wait(listener);
    busy.add(this);
    if (!this.#connection.isMemory) {
      this.#waker ??= this.#start();
      this.#arm();
    }
    this.#sleep(listener.patience());
    this.refresh();
  }

  done(listener: Waiting): void {
    this.#waiting.delete(listener);
    if (this.#above !== undefined) return this.#above.done(listener);
    this.refresh();
    if (this.#waiting.size > 0) return;
    clearTimeout(this.#timer);
    this.#timer = undefined;
    busy.delete(this);
  }

  /** Look again in `patience` ms, or sooner when that is planned already. */
  #sleep(patience: number): void {
    if (patience === 0) return this.#schedule();
    if (patience < 0 || patience > LONGEST) return;
    const at = performance.now() + patience;
    if (this.#timer !== undefined) {
      if (this.#timerAt <= at) return;
      clearTimeout(this.#timer);
    }
    this.#timerAt = at;
    this.#timer = setTimeout(() => {
      this.#timer = undefined;
      if (!this.#connection.closed) this.#dispatch();
    }, patience);
    // A file's descriptor keeps the process alive; in memory there is nothing to wait for but deadlines.
    if (!this.#keepsAlive || !this.#connection.isMemory) this.#timer.unref();
  }

  /** Keep the process alive, or not: who waits, or what they wish, has changed. */
  refresh(): void {
    if (this.#above !== undefined) return this.#above.refresh();
    let keepsAlive = false;
    for (const listener of this.#waiting) keepsAlive ||= listener.keepsAlive;
    if (keepsAlive === this.#keepsAlive) return;
    this.#keepsAlive = keepsAlive;
    if (this.#waker !== undefined) native.wake_ref(this.#waker, keepsAlive);
    else if (keepsAlive) this.#timer?.ref();
    else this.#timer?.unref();
  }

  /** Fail everybody who waits; the listeners stay open. */
  fail(error: unknown): void {
    for (const listener of [...this.#waiting]) listener.fail(error);
  }

  /** The handle is closed: end all listeners and the thread. */
  close(): void {
    for (const listener of [...this.#listeners]) listener.end(closedError());
    if (this.#waker !== undefined) native.wake_stop(this.#waker);
  }

  #start(): Waker {
    const callback = weakly(this);
    return guard(() => native.wake_start(this.#connection.handle, callback));
  }

  #arm(): void {
    if (this.#armed || this.#waker === undefined) return;
    this.#armed = true;
    native.wake_arm(this.#waker);
  }

  /** The descriptor is readable. */
  wake(): void {
    this.#armed = false;
    if (this.#waiting.size === 0 || this.#connection.closed) return;
    this.#dispatch();
    if (this.#waiting.size > 0) this.#arm();
  }

  #dispatch(): void {
    try {
      if (!this.#connection.isMemory) native.brant_wake_acknowledge(this.#connection.handle);
    } catch (error) {
      this.fail(translate(error));
      return;
    }
    for (const listener of [...this.#waiting]) listener.pump();
    for (const listener of this.#waiting) this.#sleep(listener.patience());
  }

  #schedule(): void {
    if (this.#scheduled || this.#waiting.size === 0) return;
    this.#scheduled = true;
    setImmediate(() => {
      this.#scheduled = false;
      if (!this.#connection.closed) this.#dispatch();
    });
  }
}

/** The addon's callback. Made here, where nothing in reach of the function holds the dispatcher. */
function weakly(dispatcher: Dispatcher): () => void {
  const weak = new WeakRef(dispatcher);
  return () => weak.deref()?.wake();
}

/** Somebody who waits for one item or for a batch of them. */
interface Waiter<T> {
  take(buffer: T[]): void;
  reject(error: unknown): void;
  timer: NodeJS.Timeout | undefined;
}

/** What {@link Database.subscribe} takes besides its input. */
export interface ListenOptions {
  /** Closes the listener: whoever waits gets the signal's reason. */
  signal?: AbortSignal | undefined;
}

/**
 * Notifications as they are committed, by any process. Iterate it, or call `next`, or add a `message` event listener: one of them.
 *
 * ```js
 * for await (const { channel, payload } of db.listen('nodes:*', { signal })) console.log(channel, payload);
 * ```
 *
 * Leaving the loop closes the listener. The loop ends when the listener or the database is closed, and throws the signal's
 * reason when it was aborted. Waiting keeps the process alive (see `unref`); an open listener on which nobody waits does not.
 *
 * As an EventTarget it dispatches `message` (a MessageEvent whose `data` is the notification), `error` and, at its end, `close`.
 */
export class Listener<T = Notification> extends EventTarget implements AsyncIterable<T> {
  readonly #connection: Connection;
  readonly #dispatcher: Dispatcher;
  readonly #cursor: RawCursor;
  #buffer: T[] = [];
  readonly #waiters: Waiter<T>[] = [];
  readonly #waiting: Waiting;
  readonly #signal: AbortSignal | undefined;
  readonly #onAbort: () => void;
  #keepsAlive = true;
  #events = false;
  /** The cursor is at its end: nothing will ever come. */
  #exhausted = false;
  #end: { error: unknown } | undefined;

  /** @internal */
  constructor(connection: Connection, dispatcher: Dispatcher, cursor: RawCursor, options: ListenOptions = {}) {
    super();
    this.#connection = connection;
    this.#dispatcher = dispatcher;
    this.#cursor = cursor;
    this.#signal = options.signal;
    this.#onAbort = () => this.end(this.#signal?.reason);
    const self = this;
    this.#waiting = {
      get keepsAlive() {
        return self.#keepsAlive;
      },
      patience: () => native.brant_cursor_wait(this.#cursor),
      pump: () => this.#pump(),
      fail: (error) => this.#fail(error),
    };
    dispatcher.add(this as Listener<unknown>);
    this.#signal?.addEventListener('abort', this.#onAbort, { once: true });
  }

  /** The listener, or its database, is closed. */
  get closed(): boolean {
    return this.#end !== undefined;
  }

  /**
   * The next item, or undefined when none came within `timeout` ms (default, and less than 0: wait until one comes; 0: do not wait).
   * Several may wait at once and are served in order. Rejects with `CLOSED`, with `INTERRUPTED`, or with the signal's reason.
   */
  next(timeout?: number): Promise<T | undefined> {
    return this.#take(timeout, undefined, (buffer) => buffer.shift());
  }

  /** The next items, as many as there are and at most 256; `[]` when none came within `timeout` ms. Otherwise as `next`. */
  nextBatch(timeout?: number): Promise<T[]> {
    return this.#take<T[]>(timeout, [], (buffer) => buffer.splice(0, 256));
  }

  /** All that was read, as many as the cursor yields at once; waits until there is something. @internal */
  drain(): Promise<T[]> {
    return this.#take<T[]>(undefined, [], (buffer) => {
      this.#buffer = [];
      return buffer;
    });
  }

  /** The items that are there now, at most 256; waits for nothing. Throws `CLOSED`. */
  poll(): T[] {
    if (this.#end !== undefined) throw this.#end.error;
    if (this.#buffer.length === 0) this.#fetch();
    return this.#buffer.splice(0, 256);
  }

  /** Let the process end while somebody waits here. */
  unref(): this {
    this.#keepsAlive = false;
    for (const { timer } of this.#waiters) timer?.unref();
    this.#dispatcher.refresh();
    return this;
  }

  /** Take back `unref`. */
  ref(): this {
    this.#keepsAlive = true;
    for (const { timer } of this.#waiters) timer?.ref();
    this.#dispatcher.refresh();
    return this;
  }

  /** End the listener and whoever waits on it (`CLOSED`). Any number of times. */
  close(): void {
    this.end(new BrantError('CLOSED', 'the listener is closed'));
  }

  [Symbol.dispose](): void {
    this.close();
  }

  [Symbol.asyncDispose](): Promise<void> {
    this.close();
    return Promise.resolve();
  }

  async *[Symbol.asyncIterator](): AsyncGenerator<T, void, undefined> {
    const turn = new Turn();
    try {
      for (;;) {
        const items = await this.nextBatch();
        if (items.length === 0) return;
        while (items.length > 0) {
          if (turn.isOver) await turn.pass();
          yield items.shift() as T;
        }
      }
    } catch (error) {
      if (!(this.#end !== undefined && error === this.#end.error && isClosed(error))) throw error;
    } finally {
      this.close();
    }
  }

  /** As EventTarget's. The first for `message` begins to wait, which keeps the process alive until `close` or `unref`. */
  override addEventListener(...parameters: Parameters<EventTarget['addEventListener']>): void {
    super.addEventListener(...parameters);
    if (parameters[0] !== 'message' || this.#events) return;
    this.#events = true;
    void this.#dispatchEvents();
  }

  async #dispatchEvents(): Promise<void> {
    try {
      for await (const data of this) this.dispatchEvent(new MessageEvent('message', { data }));
    } catch (error) {
      this.dispatchEvent(Object.assign(new Event('error'), { error }));
    }
  }

  /** End with `error` for whoever waits, and from then on. @internal */
  end(error: unknown): void {
    if (this.#end !== undefined) return;
    this.#end = { error };
    this.#signal?.removeEventListener('abort', this.#onAbort);
    this.#dispatcher.remove(this as Listener<unknown>);
    guard(() => native.brant_cursor_close(this.#cursor));
    this.#fail(error);
    this.dispatchEvent(new Event('close'));
  }

  /** Read into the empty buffer. */
  #fetch(): void {
    const text = guard(() => native.brant_cursor_next(this.#cursor, 0));
    if (text !== '[]') this.#buffer = allUnpacked<T>(parse(text, this.#connection.integers) as object[]);
    else this.#exhausted = guard(() => native.brant_cursor_wait(this.#cursor)) < 0;
  }

  #take<R>(timeout: number | undefined, empty: R, take: (buffer: T[]) => R): Promise<R> {
    return new Promise<R>((resolve, reject) => {
      if (timeout !== undefined && (typeof timeout !== 'number' || Number.isNaN(timeout))) throw new BrantError('INVALID', 'timeout is not a number of milliseconds');
      if (this.#end !== undefined) throw this.#end.error;
      if (this.#signal?.aborted) {
        this.#onAbort();
        throw this.#signal.reason;
      }
      // Those who wait already come first.
      if (this.#waiters.length === 0) {
        if (this.#buffer.length === 0) this.#fetch();
        if (this.#buffer.length > 0) return resolve(take(this.#buffer));
      }
      if (timeout === 0 || this.#exhausted) return resolve(empty);
      const waiter: Waiter<T> = { take: (buffer) => resolve(take(buffer)), reject, timer: undefined };
      if (timeout !== undefined && timeout > 0 && timeout <= LONGEST) {
        waiter.timer = setTimeout(() => {
          this.#waiters.splice(this.#waiters.indexOf(waiter), 1);
          if (this.#waiters.length === 0) this.#dispatcher.done(this.#waiting);
          resolve(empty);
        }, timeout);
        if (!this.#keepsAlive) waiter.timer.unref();
      }
      this.#waiters.push(waiter);
      this.#dispatcher.wait(this.#waiting);
    });
  }

  #pump(): void {
    try {
      while (this.#waiters.length > 0) {
        if (this.#buffer.length === 0) this.#fetch();
        if (this.#buffer.length === 0 && !this.#exhausted) return;
        const waiter = this.#waiters.shift() as Waiter<T>;
        clearTimeout(waiter.timer);
        waiter.take(this.#buffer);
      }
      this.#dispatcher.done(this.#waiting);
    } catch (error) {
      this.#fail(error);
    }
  }

  #fail(error: unknown): void {
    const waiters = this.#waiters.splice(0);
    if (waiters.length > 0) this.#dispatcher.done(this.#waiting);
    for (const { timer, reject } of waiters) {
      clearTimeout(timer);
      reject(error);
    }
  }
}

function isClosed(error: unknown): boolean {
  return error instanceof BrantError && error.code === 'CLOSED';
}
