/*
 * One handle and how everything reaches it: each operation is JSON text in and out, each failure a BrantError.
 *
 * Asynchronous calls run on a thread of the pool over a second handle of the same file, opened when the first one is made. So the
 * handle of this thread stays usable meanwhile, such a call never falls into a transaction that this thread has open, and it may
 * wait for another writer as long as it likes. They run one after another. A ":memory:" database has no second handle: there they
 * run at once, on this thread.
 */
import { resolve } from 'node:path';
import { BrantError, translate } from './error.js';
import { type Integers, parse, stringify } from './json.js';
import { type Handle, type Operation, type RawCursor, native } from './native.js';
import type { AsyncOptions } from './types.js';

/** Milliseconds between two attempts to interrupt a call that may not have begun yet. */
const INTERRUPT_AGAIN = 10;

/** A call under way on the second handle. */
interface Running {
  /** End it; the promise rejects with `reason`. */
  end(reason: unknown): void;
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
  #tail: Promise<void> = Promise.resolve();
  #running: Running | undefined;
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

  /** Run one operation on this thread. */
  invoke<T>(operation: Operation, input: object): T {
    let text: string;
    try {
      text = operation(this.handle, stringify(input));
    } catch (error) {
      throw translate(error);
    }
    this.afterCall?.();
    return parse(text, this.integers) as T;
  }

  /** Run an operation by its name on this thread: text in, text out. */
  invokeText(name: string, input: string | Uint8Array | undefined, timeout?: number): string {
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
    const turn = this.#tail;
    let leave: () => void = () => undefined;
    this.#tail = new Promise((done) => (leave = done));
    await turn;
    try {
      return parse(await this.#run(name, json, deadline, signal), this.integers) as T;
    } finally {
      leave();
    }
  }

  async #run(name: string, json: string, deadline: number, signal: AbortSignal | undefined): Promise<string> {
    signal?.throwIfAborted();
    const handle = await this.#openBackground();
    signal?.throwIfAborted();
    if (this.#closed) throw closedError();

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
    this.#running = { end };
    signal?.addEventListener('abort', onAbort, { once: true });
    try {
      return await native.call_async(handle, name, json, deadline);
    } catch (error) {
      throw ended === undefined ? translate(error) : ended.reason;
    } finally {
      clearInterval(timer);
      signal?.removeEventListener('abort', onAbort);
      this.#running = undefined;
    }
  }

  /** The second handle. Calls run one after another, so nobody else opens it meanwhile. */
  async #openBackground(): Promise<Handle> {
    if (this.#closed) throw closedError();
    if (this.#background !== undefined) return this.#background;
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
    return (this.#background = handle);
  }

  /** Open the cursor of a subscription. */
  openCursor(name: string, input: object): RawCursor {
    return guard(() => native.brant_call_open(this.handle, name, stringify(input)));
  }

  /** End what runs on the second handle. */
  interrupt(): void {
    guard(() => native.brant_interrupt(this.handle));
    this.#running?.end(new BrantError('INTERRUPTED', 'the call was interrupted'));
  }

  /** Close both handles. Any number of times. */
  close(): void {
    if (this.#closed) return;
    this.#running?.end(closedError());
    this.#closed = true;
    guard(() => native.brant_close(this.handle));
    const background = this.#background;
    if (background !== undefined) guard(() => native.brant_close(background));
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
