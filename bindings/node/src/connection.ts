/*
 * One handle and how everything reaches it: each operation is JSON text in and out, each failure a BrantError.
 *
 * Asynchronous calls run on a thread of the pool over a second handle of the same file, opened when the first one is made. So the
 * handle of this thread stays usable meanwhile, such a call never falls into a transaction that this thread has open, and it may
 * wait for another writer as long as it likes. They run one after another. What takes several calls in one transaction has a sequence:
 * a handle of its own, closed at its end. A ":memory:" database has no second handle: there all runs at once, on this thread.
 *
 * A session is a connection, too, over the handle of another one, whose transactions it joins; its second handle is one of its own, and calls go
 * through a session of the same identity over that. Nothing of a session calls through a handle that is trusted.
 *
 * The key ring is this thread's handle's. The others get a copy, within the library, before a call of theirs and lose it with the original, or when the
 * call that they run is over: no text of a ring is kept.
 */
import { resolve } from 'node:path';
import { calls, traced, tracedAsync } from './diagnostics.js';
import { BrantError, translate } from './error.js';
import { type Integers, parse, parseColumns, stringify } from './json.js';
import { type Handle, type Operation, type RawCursor, native } from './native.js';
import { type Statement, collect } from './sql.js';
import type { AsyncOptions, SqlResult } from './types.js';

/** Milliseconds between two attempts to interrupt a call that may not have begun yet. */
const INTERRUPT_AGAIN = 10;
/** How long a call on another thread tries again, in ms, and the pause between two attempts. */
const PATIENCE = 5000;
const PAUSE = 20;

/** A call under way on another thread. */
interface Running {
  /** End it; the promise rejects with `reason`. */
  end(reason: unknown): void;
}

/** Several calls on a handle of their own, one after another. */
export interface Sequence {
  call<T>(name: string, input: object): Promise<T>;
  /** Any number of times. */
  close(): void;
}

/** A handle that calls go through; `trusted` is it, or what all sessions beneath it are of. */
export interface Opened {
  handle: Handle;
  trusted: Handle;
  /** What it is a session of, which must not be collected before it. */
  beneath?: Opened | undefined;
}

/** Where handles come from. */
export interface Source {
  /** ":memory:": no second handle, no wake descriptor. */
  readonly isMemory: boolean;
  /** Its handles come with a key ring of its own. */
  readonly hasRing: boolean;
  /** Its other handles wait no longer for another writer than that of this thread does: calls on them try again. */
  readonly isImpatient: boolean;
  /** The handle of this thread. */
  open(): Handle;
  /** Another that may do the same, for another thread. */
  another(): Promise<Opened>;
  /** Close a handle, a trusted one or that of this thread, for good. */
  close(handle: Handle): void;
  loadRing(handle: Handle, text: Uint8Array): void;
  copyRing(handle: Handle, from: Handle): void;
  unloadRing(handle: Handle): void;
}

/** A handle besides that of this thread. */
interface Other extends Opened {
  /** As many changes of the key ring has it seen. */
  ring: number;
  /** Its call runs on another thread now. */
  busy: boolean;
  close(): void;
}

/** A file by its path. */
export function fileSource(path: string, options: Record<string, unknown>, backgroundOptions: Record<string, unknown>): Source {
  const absolute = resolve(path);
  const background = stringify(backgroundOptions);
  return {
    isMemory: path === ':memory:',
    hasRing: false,
    isImpatient: false,
    open: () => native.brant_open(path, stringify(options)),
    another: async () => {
      const handle = await native.open_async(absolute, background);
      return { handle, trusted: handle };
    },
    close: (handle) => native.brant_close(handle),
    loadRing: (handle, text) => native.brant_keyring_load(handle, text),
    copyRing: (handle, from) => native.brant_keyring_copy(handle, from),
    unloadRing: (handle) => native.brant_keyring_unload(handle),
  };
}

/** A session of an identity over a connection, which gives another handle by `another` and takes it back by `giveBack`. */
function sessionSource(above: Connection, json: string, another: () => Promise<Opened>, giveBack: (trusted: Handle) => void): Source {
  return {
    isMemory: above.isMemory,
    hasRing: true,
    isImpatient: above.isImpatient,
    open: () => native.brant_session_open(above.handle, json),
    another: async () => {
      const beneath = await another();
      const { handle, trusted } = beneath;
      try {
        return { handle: native.brant_session_open(handle, json), trusted, beneath };
      } catch (error) {
        giveBack(trusted);
        throw error;
      }
    },
    close: (handle) => native.brant_close(handle),
    // Denied, which the library says.
    loadRing: (handle, text) => native.brant_keyring_load(handle, text),
    copyRing: (handle, from) => native.brant_keyring_copy(handle, from),
    unloadRing: (handle) => native.brant_keyring_unload(handle),
  };
}

export class Connection {
  readonly handle: Handle;
  /** ":memory:": no second handle, no wake descriptor. */
  readonly isMemory: boolean;
  readonly integers: Integers;
  /** Called after each successful call; a dispatcher sets it for a file that wakes nobody. Of a session, that beneath has it. */
  afterCall: (() => void) | undefined;

  readonly #source: Source;
  /** What it is a session of. */
  readonly #above: Connection | undefined;
  /** It, or what all sessions beneath it are of. */
  readonly #root: Connection;
  #background: Other | undefined;
  readonly #sequences = new Set<Other>();
  #depth = 0;
  #tail: Promise<void> = Promise.resolve();
  /** Calls on other threads, those of its sessions too. */
  readonly #running = new Set<Running>();
  /** Handles of other threads, those of its sessions too: whoever uses them holds them. */
  readonly #others = new Set<WeakRef<Other>>();
  /** The key ring that this thread's handle was given, 0 if none; each has a number of its own. The other handles have copies, or are brought along. */
  #ring = 0;
  #rings = 0;
  /** How often that changed. */
  #ringChanges = 0;
  #closed = false;

  constructor(source: Source, integers: Integers, above?: Connection) {
    this.isMemory = source.isMemory;
    this.integers = integers;
    this.#source = source;
    this.#above = above;
    this.#root = above === undefined ? this : above.#root;
    this.handle = guard(() => source.open());
  }

  get isImpatient(): boolean {
    return this.#source.isImpatient;
  }

  /** A session over this handle. */
  session(identity: object): Connection {
    if (this.closed) throw closedError();
    const giveBack = (trusted: Handle): void => this.#root.#source.close(trusted);
    const source = sessionSource(this, stringify(identity ?? {}), () => this.#another(), giveBack);
    return new Connection(source, this.integers, this);
  }

  get closed(): boolean {
    return this.#closed || (this.#above?.closed ?? false);
  }

  /** A transaction of this handle is open: what is done now becomes part of it. */
  get inTransaction(): boolean {
    return this.#root.#depth > 0;
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
    this.#root.afterCall?.();
    return text;
  }

  /** Which key ring the handle was given, 0 if none. */
  get ring(): number {
    return this.closed ? 0 : this.#ring;
  }

  /** It certainly has no key ring to copy. */
  get isBare(): boolean {
    return !this.#source.hasRing && !this.closed && this.#ring === 0;
  }

  /** Give all handles a key ring, the text of one; its number. */
  attachRing(text: Uint8Array): number {
    return this.#attached(() => this.#source.loadRing(this.handle, text));
  }

  /** Give all handles the key ring of another connection; its number. */
  copyRing(from: Connection): number {
    return this.#attached(() => this.#source.copyRing(this.handle, from.handle));
  }

  #attached(attach: () => void): number {
    guard(attach);
    this.#ring = ++this.#rings;
    this.#provideIdle();
    return this.#ring;
  }

  /** Take the key ring away. */
  detachRing(): void {
    guard(() => this.#source.unloadRing(this.handle));
    this.#ring = 0;
    this.#provideIdle();
  }

  #provideIdle(): void {
    this.#ringChanges++;
    for (const other of living(this.#others)) if (!other.busy) this.#provideIfPossible(other);
  }

  /** What fails now, for want of memory, is done before the handle's next call, or fails that. */
  #provideIfPossible(other: Other): void {
    try {
      this.#provide(other);
    } catch {
      // As said.
    }
  }

  /** Bring another handle's key ring to the state of this thread's. It must not run a call. */
  #provide(other: Other): void {
    const root = this.#root;
    if (root.#closed || other.ring === root.#ringChanges) return;
    guard(() => native.brant_keyring_copy(other.trusted, root.handle));
    other.ring = root.#ringChanges;
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
    this.#root.#depth = answer.depth;
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
        this.#root.#depth = Math.max(0, this.#root.#depth - 1);
      }
      throw error;
    }
  }

  /** Run a statement of the user's own on this thread. */
  execute<Row extends readonly unknown[]>(statement: Statement, timeout?: number): SqlResult<Row> {
    if (!calls.hasSubscribers && timeout === undefined) return this.#execute(statement);
    const run = (): SqlResult<Row> => this.#within(timeout, () => this.#execute(statement));
    return calls.hasSubscribers ? traced('sql.execute', run) : run();
  }

  #execute<Row extends readonly unknown[]>({ sql, values, flags, limit }: Statement): SqlResult<Row> {
    let answer: SqlResult<unknown[]>;
    try {
      answer = native.sql_run(this.handle, sql, values, flags, limit, collect);
    } catch (error) {
      throw translate(error);
    }
    this.#root.afterCall?.();
    return answer as SqlResult<never> as SqlResult<Row>;
  }

  /** `execute` on another thread. */
  async executeAsync<Row extends readonly unknown[]>(statement: Statement, options: AsyncOptions = {}): Promise<SqlResult<Row>> {
    const { signal, timeout } = options;
    signal?.throwIfAborted();
    if (this.isMemory) return this.execute<Row>(statement, timeout);

    const deadline = timeout === undefined ? 0 : deadlineOf(timeout);
    const { sql, values, flags, limit } = statement;
    const answer = await this.#inTurn(signal, (other) =>
      tracedAsync('sql.execute', () => this.#run(other, signal, () => native.sql_run_async(other.handle, sql, values, flags, limit, collect, deadline))),
    );
    return answer as SqlResult<never> as SqlResult<Row>;
  }

  /** Run `call` with a deadline. */
  #within<T>(timeout: number | undefined, call: () => T): T {
    if (timeout === undefined) return call();
    guard(() => native.brant_deadline_set(this.handle, deadlineOf(timeout)));
    try {
      return call();
    } finally {
      native.brant_deadline_set(this.handle, 0);
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
      text = this.#within(timeout, () => native.brant_call(this.handle, name, input));
    } catch (error) {
      throw translate(error);
    }
    if (name.startsWith('transaction.')) this.#deep(JSON.parse(text) as { depth: number });
    this.#root.afterCall?.();
    return text;
  }

  /** Run an operation by its name on another thread. The input is read before this returns. */
  async invokeAsync<T>(name: string, input: object, options: AsyncOptions = {}): Promise<T> {
    return parse(await this.invokeTextAsync(name, () => stringify(input), options), this.integers) as T;
  }

  /** `invokeAsync`, text in, text out. */
  async invokeTextAsync(name: string, input: () => string | Uint8Array | undefined, options: AsyncOptions = {}): Promise<string> {
    const { signal, timeout } = options;
    signal?.throwIfAborted();
    const json = input();
    if (this.isMemory) return this.invokeText(name, json, timeout);

    const deadline = timeout === undefined ? 0 : deadlineOf(timeout);
    return this.#inTurn(signal, (other) =>
      tracedAsync(name, () => this.#run(other, signal, () => native.call_async(other.handle, name, json, deadline))),
    );
  }

  /** Wait for those before, then run `work` with the second handle. */
  async #inTurn<T>(signal: AbortSignal | undefined, work: (other: Other) => Promise<T>): Promise<T> {
    const turn = this.#tail;
    let leave: () => void = () => undefined;
    this.#tail = new Promise((done) => (leave = done));
    await turn;
    try {
      signal?.throwIfAborted();
      // Calls run one after another, so nobody else opens it meanwhile.
      const other = this.#background ?? (await this.#openOther((opened) => (this.#background = opened)));
      signal?.throwIfAborted();
      if (this.closed) throw closedError();
      return await work(other);
    } finally {
      leave();
    }
  }

  /** A call on another thread, which the signal, `interrupt` and `close` can end. */
  async #run<T>(other: Other, signal: AbortSignal | undefined, call: () => Promise<T>): Promise<T> {
    let ended: { reason: unknown } | undefined;
    let timer: NodeJS.Timeout | undefined;
    const end = (reason: unknown): void => {
      if (ended !== undefined) return;
      ended = { reason };
      // The thread may not have come to the call yet, and an interrupt is for a call that runs.
      const interrupt = (): void => {
        if (!this.closed) native.brant_interrupt(other.handle);
      };
      interrupt();
      timer = setInterval(interrupt, INTERRUPT_AGAIN);
    };
    const onAbort = (): void => end(signal?.reason);
    const running: Running = { end };
    this.#provide(other);
    other.busy = true;
    for (const connection of this.#upwards()) connection.#running.add(running);
    signal?.addEventListener('abort', onAbort, { once: true });
    try {
      return await (this.isImpatient ? patiently(PATIENCE, call, () => ended !== undefined) : call());
    } catch (error) {
      throw ended === undefined ? translate(error) : ended.reason;
    } finally {
      clearInterval(timer);
      signal?.removeEventListener('abort', onAbort);
      for (const connection of this.#upwards()) connection.#running.delete(running);
      other.busy = false;
      if (this.#background === other || this.#sequences.has(other)) this.#provideIfPossible(other);
    }
  }

  /** This connection, and those that it is a session of. */
  *#upwards(): Generator<Connection, void, undefined> {
    for (let at: Connection | undefined = this; at !== undefined; at = at.#above) yield at;
  }

  /** Another handle, for one of the sessions. */
  async #another(): Promise<Opened> {
    if (this.closed) throw closedError();
    return this.#source.another();
  }

  /** Open another handle, and give it to `keep` while the connection is open still. */
  async #openOther(keep: (other: Other) => void): Promise<Other> {
    if (this.closed) throw closedError();
    let opened: Opened;
    try {
      opened = await this.#source.another();
    } catch (error) {
      throw translate(error);
    }
    const { handle, trusted } = opened;
    const source = this.#root.#source;
    let reference: WeakRef<Other> | undefined;
    const close = (): void => {
      for (const connection of this.#upwards()) if (reference !== undefined) connection.#others.delete(reference);
      if (handle !== trusted) guard(() => native.brant_close(handle));
      guard(() => source.close(trusted));
    };
    const other: Other = { ...opened, ring: 0, busy: false, close };
    if (this.closed) {
      close();
      throw closedError();
    }
    reference = new WeakRef(other);
    for (const connection of this.#upwards()) {
      for (const one of connection.#others) if (one.deref() === undefined) connection.#others.delete(one);
      connection.#others.add(reference);
    }
    keep(other);
    return other;
  }

  /** A handle of their own for several calls. Not for ":memory:". */
  async openSequence(options: AsyncOptions = {}): Promise<Sequence> {
    const { signal, timeout } = options;
    signal?.throwIfAborted();
    const deadline = timeout === undefined ? 0 : deadlineOf(timeout);
    const other = await this.#openOther((opened) => this.#sequences.add(opened));
    const close = (): void => {
      if (this.#sequences.delete(other)) other.close();
    };
    const call = async <T>(name: string, input: object): Promise<T> => {
      signal?.throwIfAborted();
      if (this.closed || !this.#sequences.has(other)) throw closedError();
      const json = stringify(input);
      const text = await tracedAsync(name, () =>
        this.#run(other, signal, () => native.call_async(other.handle, name, json, deadline)),
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
    return this.#inTurn(signal, (other) =>
      tracedAsync(name, () => this.#run(other, signal, () => native.call_open_async(other.handle, name, json, deadline))),
    );
  }

  /** What a cursor of the second handle, one that has an end, yields next. */
  nextAsync(cursor: RawCursor, options: AsyncOptions = {}): Promise<string> {
    const { signal, timeout } = options;
    return this.#inTurn(signal, (other) => {
      const deadline = timeout === undefined ? 0 : deadlineOf(timeout);
      return this.#run(other, signal, () => native.next_async(cursor, other.handle, deadline));
    });
  }

  /** End what runs on other threads. */
  interrupt(): void {
    guard(() => native.brant_interrupt(this.handle));
    for (const running of [...this.#running]) running.end(new BrantError('INTERRUPTED', 'the call was interrupted'));
  }

  /** Close all handles, and those of its sessions. Any number of times. */
  close(): void {
    if (this.#closed) return;
    for (const running of [...this.#running]) running.end(closedError());
    this.#closed = true;
    guard(() => this.#source.close(this.handle));
    for (const other of living(this.#others)) other.close();
    this.#sequences.clear();
  }
}

function living<T extends object>(references: Set<WeakRef<T>>): T[] {
  return [...references].map((reference) => reference.deref()).filter((one) => one !== undefined);
}

/** The result of a native call; its error as a BrantError. */
export function guard<T>(call: () => T): T {
  try {
    return call();
  } catch (error) {
    throw translate(error);
  }
}

/** Call again for `patience` ms while somebody else is busy, who was waited for a while each time. */
export async function patiently<T>(patience: number, call: () => Promise<T>, ended: () => boolean): Promise<T> {
  const until = performance.now() + patience;
  for (;;) {
    const began = performance.now(); // by this and not by the end: an answer may lie there for long before it is read
    try {
      return await call();
    } catch (error) {
      const isBusy = error instanceof Error && 'code' in error && error.code === 'BUSY';
      if (!isBusy || ended() || began >= until) throw error;
      await new Promise((done) => setTimeout(done, PAUSE));
    }
  }
}

export function closedError(message = 'the handle is closed'): BrantError {
  return new BrantError('CLOSED', message);
}

/** The moment `timeout` ms from now. */
function deadlineOf(timeout: number): number {
  if (!(timeout >= 0)) throw new BrantError('INVALID', 'timeout is not a number of milliseconds');
  return timeout === Infinity ? 0 : Math.ceil(Date.now() + timeout);
}
