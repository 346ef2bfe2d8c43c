/*
 * One handle and how everything reaches it: each operation is JSON text in and out, each failure a BrantError.
 *
 * Asynchronous calls run on a thread of the pool over a second handle of the same file, opened when the first one is made. So the
 * handle of this thread stays usable meanwhile, such a call never falls into a transaction that this thread has open, and it may
 * wait for another writer as long as it likes. They run one after another. What takes several calls in one transaction has a session:
 * a handle of its own, closed at its end. A ":memory:" database has no second handle: there all runs at once, on this thread.
 *
 * The key ring is this thread's handle's. The others get a copy, within the library, before a call of theirs and lose it with the original, or when the
 * call that they run is over: no text of a ring is kept.
 */
import { resolve } from 'node:path';
import { calls, traced, tracedAsync } from './diagnostics.js';
import { BrantError, translate } from './error.js';
import { type Integers, parse, parseColumns, stringify } from './json.js';
import { type Handle, type Operation, type RawCursor, native } from './native.js';
import type { AsyncOptions } from './types.js';

/** Milliseconds between two attempts to interrupt a call that may not have begun yet. */
const INTERRUPT_AGAIN = 10;

/** A call under way on another thread. */
interface Running {
  /** End it; the promise rejects with `reason`. */
  end(reason: unknown): void;
}

/** Several calls on a handle of their own, one after another. */
export interface Session {
  call<T>(name: string, input: object): Promise<T>;
  /** Any number of times. */
  close(): void;
}

export class Connection {
  readonly handle: Handle;
  /** ":memory:": no second handle, no wake descriptor. */
  readonly isMemory: boolean;
  readonly integers: Integers;
  /** Called after each successful call; a dispatcher sets it for a file that wakes nobody. */
  afterCall: (() => void) | undefined;

  readonly #path: string;
  readonly #backgroundOptions: string;
  #background: Handle | undefined;
  #depth = 0;
  #tail: Promise<void> = Promise.resolve();
  readonly #running = new Set<Running>();
  readonly #sessions = new Set<Handle>();
  /** Handles whose calls run on other threads now. */
  readonly #busy = new Set<Handle>();
  /** The key ring that this thread's handle has, 0 if none; each has a number of its own. The other handles have copies, or are brought along. */
  #ring = 0;
  #rings = 0;
  readonly #copies = new Map<Handle, number>();
  #closed = false;

  constructor(path: string, options: Record<string, unknown>, backgroundOptions: Record<string, unknown>, integers: Integers) {
    this.isMemory = path === ':memory:';
    this.integers = integers;
    this.#path = resolve(path);
    this.#backgroundOptions = stringify(backgroundOptions);
    this.handle = guard(() => native.brant_open(path, stringify(options)));
  }

  get closed(): boolean {
    return this.#closed;
  }

  /** A transaction of this handle is open: what is done now becomes part of it. */
  get inTransaction(): boolean {
    return this.#depth > 0;
  }

  /** Run one operation on this thread. */
  invoke<T>(operation: Operation, input: object): T {
    return parse(this.#trace(operation, input), this.integers) as T;
  }

  /** `invoke` for an answer of these columns; see `parseColumns`. */
  invokeColumns<T>(operation: Operation, input: object, columns: readonly string[]): T {
    return parseColumns(this.#trace(operation, input), this.integers, columns) as T;
  }

  #trace(operation: Operation, input: object): string {
    return calls.hasSubscribers ? traced(operation, () => this.#invoke(operation, input)) : this.#invoke(operation, input);
  }

  #invoke(operation: Operation, input: object): string {
    let text: string;
    try {
      text = operation(this.handle, stringify(input));
    } catch (error) {
      throw translate(error);
    }
    this.afterCall?.();
    return text;
  }

  /** Which key ring the handle has, 0 if none. */
  get ring(): number {
    return this.#closed ? 0 : this.#ring;
  }

  /** Give all handles a key ring, the text of one; its number. */
  attachRing(text: Uint8Array): number {
    return this.#attached(() => native.brant_keyring_load(this.handle, text));
  }

  /** Give all handles the key ring of another connection; its number. */
  copyRing(from: Connection): number {
    return this.#attached(() => native.brant_keyring_copy(this.handle, from.handle));
  }

  #attached(attach: () => void): number {
    guard(attach);
    this.#ring = ++this.#rings;
    this.#provideIdle();
    return this.#ring;
  }

  /** Take the key ring away. */
  detachRing(): void {
    guard(() => native.brant_keyring_unload(this.handle));
    this.#ring = 0;
    this.#provideIdle();
  }

  #provideIdle(): void {
    for (const handle of [...this.#sessions, this.#background]) {
      if (handle !== undefined && !this.#busy.has(handle)) this.#provideIfPossible(handle);
    }
  }

  /** What fails now, for want of memory, is done before the handle's next call, or fails that. */
  #provideIfPossible(handle: Handle): void {
    try {
      this.#provide(handle);
    } catch {
      // As said.
    }
  }

  /** Bring another handle's key ring to the state of this thread's. It must not run a call. */
  #provide(handle: Handle): void {
    if (this.#closed || (this.#copies.get(handle) ?? 0) === this.#ring) return;
    guard(() => native.brant_keyring_copy(handle, this.handle));
    this.#copies.set(handle, this.#ring);
  }

  begin(mode: 'write' | 'read' | undefined): { depth: number } {
    return this.#deep(this.invoke(native.brant_transaction_begin, { mode }));
  }

  commit(): { depth: number } {
    return this.#deep(this.invoke(native.brant_transaction_commit, {}));
  }

  rollback(): { depth: number } {
    return this.#deep(this.invoke(native.brant_transaction_rollback, {}));
  }

  #deep(answer: { depth: number }): { depth: number } {
    this.#depth = answer.depth;
    return answer;
  }

  /** Run `work` in a transaction of this thread's handle, or in a part of the one that is open. */
  transact<T>(mode: 'write' | 'read' | undefined, work: () => T): T {
    this.begin(mode);
    try {
      const result = work();
      this.commit();
      return result;
    } catch (error) {
      try {
        this.rollback();
      } catch {
        // The handle was closed inside, or a disk error has ended the transaction: the error that led here says more.
        this.#depth = Math.max(0, this.#depth - 1);
      }
      throw error;
    }
  }

  /** Run an operation by its name on this thread: text in, text out. */
  invokeText(name: string, input: string | Uint8Array | undefined, timeout?: number): string {
    return calls.hasSubscribers
      ? traced(name, () => this.#invokeText(name, input, timeout))
      : this.#invokeText(name, input, timeout);
  }

  #invokeText(name: string, input: string | Uint8Array | undefined, timeout?: number): string {
    let text: string;
    try {
      if (timeout !== undefined) native.brant_deadline_set(this.handle, deadlineOf(timeout));
      try {
        text = native.brant_call(this.handle, name, input);
      } finally {
        if (timeout !== undefined) native.brant_deadline_set(this.handle, 0);
      }
    } catch (error) {
      throw translate(error);
    }
    if (name.startsWith('transaction.')) this.#deep(JSON.parse(text) as { depth: number });
    this.afterCall?.();
    return text;
  }

  /** Run an operation by its name on another thread. The input is read before this returns. */
  async invokeAsync<T>(name: string, input: object, options: AsyncOptions = {}): Promise<T> {
    const { signal, timeout } = options;
    signal?.throwIfAborted();
    const json = stringify(input);
    if (this.isMemory) return parse(this.invokeText(name, json, timeout), this.integers) as T;

    const deadline = timeout === undefined ? 0 : deadlineOf(timeout);
    const text = await this.#inTurn(signal, (handle) =>
      tracedAsync(name, () => this.#run(handle, signal, () => native.call_async(handle, name, json, deadline))),
    );
    return parse(text, this.integers) as T;
  }

  /** Wait for those before, then run `work` with the second handle. */
  async #inTurn<T>(signal: AbortSignal | undefined, work: (handle: Handle) => Promise<T>): Promise<T> {
    const turn = this.#tail;
    let leave: () => void = () => undefined;
    this.#tail = new Promise((done) => (leave = done));
    await turn;
    try {
      signal?.throwIfAborted();
      const handle = await this.#openBackground();
      signal?.throwIfAborted();
      if (this.#closed) throw closedError();
      return await work(handle);
    } finally {
      leave();
    }
  }

  /** A call on another thread, which the signal, `interrupt` and `close` can end. */
  async #run<T>(handle: Handle, signal: AbortSignal | undefined, call: () => Promise<T>): Promise<T> {
    let ended: { reason: unknown } | undefined;
    let timer: NodeJS.Timeout | undefined;
    const end = (reason: unknown): void => {
      if (ended !== undefined) return;
      ended = { reason };
      // The thread may not have come to the call yet, and an interrupt is for a call that runs.
      const interrupt = (): void => {
        if (!this.#closed) native.brant_interrupt(handle);
      };
      interrupt();
      timer = setInterval(interrupt, INTERRUPT_AGAIN);
    };
    const onAbort = (): void => end(signal?.reason);
    const running: Running = { end };
    this.#provide(handle);
    this.#busy.add(handle);
    this.#running.add(running);
    signal?.addEventListener('abort', onAbort, { once: true });
    try {
      return await call();
    } catch (error) {
      throw ended === undefined ? translate(error) : ended.reason;
    } finally {
      clearInterval(timer);
      signal?.removeEventListener('abort', onAbort);
      this.#running.delete(running);
      this.#busy.delete(handle);
      if (this.#background === handle || this.#sessions.has(handle)) this.#provideIfPossible(handle);
    }
  }

  /** The second handle. Calls run one after another, so nobody else opens it meanwhile. */
  async #openBackground(): Promise<Handle> {
    return this.#background ?? this.#openAnother((handle) => (this.#background = handle));
  }

  /** Open another handle, and give it to `keep` while the connection is open still. */
  async #openAnother(keep: (handle: Handle) => void): Promise<Handle> {
    if (this.#closed) throw closedError();
    let handle: Handle;
    try {
      handle = await native.open_async(this.#path, this.#backgroundOptions);
    } catch (error) {
      throw translate(error);
    }
    if (this.#closed) {
      native.brant_close(handle);
      throw closedError();
    }
    keep(handle);
    return handle;
  }

  /** A handle of their own for several calls. Not for ":memory:". */
  async openSession(options: AsyncOptions = {}): Promise<Session> {
    const { signal, timeout } = options;
    signal?.throwIfAborted();
    const deadline = timeout === undefined ? 0 : deadlineOf(timeout);
    const handle = await this.#openAnother((opened) => this.#sessions.add(opened));
    const close = (): void => {
      this.#copies.delete(handle);
      if (this.#sessions.delete(handle)) guard(() => native.brant_close(handle));
    };
    const call = async <T>(name: string, input: object): Promise<T> => {
      signal?.throwIfAborted();
      if (!this.#sessions.has(handle)) throw closedError();
      const json = stringify(input);
      const text = await tracedAsync(name, () =>
        this.#run(handle, signal, () => native.call_async(handle, name, json, deadline)),
      );
      return parse(text, this.integers) as T;
    };
    return { call, close };
  }

  /** Open the cursor of a subscription. */
  openCursor(name: string, input: object): RawCursor {
    const open = (): RawCursor => guard(() => native.brant_call_open(this.handle, name, stringify(input)));
    return calls.hasSubscribers ? traced(name, open) : open();
  }

  /** Open a cursor on the second handle. Not for ":memory:". */
  async openCursorAsync(name: string, input: object, options: AsyncOptions = {}): Promise<RawCursor> {
    const { signal, timeout } = options;
    signal?.throwIfAborted();
    const json = stringify(input);
    const deadline = timeout === undefined ? 0 : deadlineOf(timeout);
    return this.#inTurn(signal, (handle) =>
      tracedAsync(name, () => this.#run(handle, signal, () => native.call_open_async(handle, name, json, deadline))),
    );
  }

  /** What a cursor of the second handle, one that has an end, yields next. */
  nextAsync(cursor: RawCursor, options: AsyncOptions = {}): Promise<string> {
    const { signal, timeout } = options;
    return this.#inTurn(signal, (handle) => {
      const deadline = timeout === undefined ? 0 : deadlineOf(timeout);
      return this.#run(handle, signal, () => native.next_async(cursor, handle, deadline));
    });
  }

  /** End what runs on other threads. */
  interrupt(): void {
    guard(() => native.brant_interrupt(this.handle));
    for (const running of [...this.#running]) running.end(new BrantError('INTERRUPTED', 'the call was interrupted'));
  }

  /** Close all handles. Any number of times. */
  close(): void {
    if (this.#closed) return;
    for (const running of [...this.#running]) running.end(closedError());
    this.#closed = true;
    guard(() => native.brant_close(this.handle));
    const background = this.#background;
    if (background !== undefined) guard(() => native.brant_close(background));
    for (const handle of this.#sessions) guard(() => native.brant_close(handle));
    this.#sessions.clear();
  }
}

/** The result of a native call; its error as a BrantError. */
export function guard<T>(call: () => T): T {
  try {
    return call();
  } catch (error) {
    throw translate(error);
  }
}

export function closedError(): BrantError {
  return new BrantError('CLOSED', 'the handle is closed');
}

/** The moment `timeout` ms from now. */
function deadlineOf(timeout: number): number {
  if (!(timeout >= 0)) throw new BrantError('INVALID', 'timeout is not a number of milliseconds');
  return timeout === Infinity ? 0 : Math.ceil(Date.now() + timeout);
}
