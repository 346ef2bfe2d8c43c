/* Locks: named leases with fencing tokens, which processes of any language share. */
import { isTransient, pause, workerName } from './claims.js';
import { following } from './input.js';
import type { Connection } from './connection.js';
import { BrantError } from './error.js';
import { type Dispatcher, LONGEST, type ListenOptions, type Listener } from './listener.js';
import { native } from './native.js';
import type { ListOptions, Listed } from './types.js';

export interface LockOptions {
  /** Milliseconds that the lock is held without a refresh. Default 30 000. */
  ttl?: number | undefined;
  /** Who holds it: the same owner may acquire it again. Default: a name of this object's own. */
  owner?: string | undefined;
}

export interface AcquireOptions {
  /** Milliseconds to wait; then `TIMEOUT`. Default: as long as it takes. */
  timeout?: number | undefined;
  signal?: AbortSignal | undefined;
}

/** A lock's row. */
export interface LockInfo {
  name: string;
  owner: string;
  token: number;
  acquired_at?: number;
  expires_at: number;
}

/** The answer of `tryAcquire`: of the holder, whoever that is. */
export interface Acquisition {
  acquired: boolean;
  token?: number;
  owner: string;
  expires_at: number;
}

/**
 * A lock: `db.lock(name)`.
 *
 * ```js
 * await db.lock('import').with(async ({ token, signal }) => importAll({ token, signal }));
 * ```
 */
export class Lock {
  readonly name: string;
  readonly owner: string;
  readonly #connection: Connection;
  readonly #dispatcher: Dispatcher;
  readonly #ttl: number | undefined;

  /** @internal */
  constructor(connection: Connection, dispatcher: Dispatcher, name: string, options: LockOptions) {
    this.#connection = connection;
    this.#dispatcher = dispatcher;
    this.#ttl = options.ttl;
    this.name = name;
    this.owner = options.owner ?? workerName();
  }

  /** Take the lock when it is free, in the running transaction. Nothing refreshes it: who has it does so by `refresh`, or takes `acquire`. */
  tryAcquire(): Acquisition {
    return this.#connection.invoke(native.brant_lock_acquire, { name: this.name, owner: this.owner, ttl: this.#ttl });
  }

  /** Wait until the lock is free, and take it. It is refreshed until it is released. */
  async acquire(options: AcquireOptions = {}): Promise<Lease> {
    const { timeout, signal } = options;
    const deadline = timeout === undefined ? Infinity : performance.now() + timeout;
    let watch: Listener<unknown> | undefined;
    try {
      for (;;) {
        signal?.throwIfAborted();
        try {
          // Not as part of a transaction that may be rolled back.
          const answer = this.#connection.inTransaction ? undefined : this.tryAcquire();
          if (answer?.acquired) return new Lease(this.#connection, this.name, this.#ttl, answer);
          const left = deadline - performance.now();
          if (left <= 0) throw new BrantError('TIMEOUT', `the lock was not free within ${timeout} ms`);
          if (answer === undefined) {
            await pause(Math.min(5, left));
            continue;
          }
          watch ??= this.watch({ signal });
          await watch.next(left === Infinity ? undefined : Math.max(left, 1));
        } catch (error) {
          if (!isTransient(error) || performance.now() >= deadline) throw error;
          await pause(5);
        }
      }
    } finally {
      watch?.close();
    }
  }

  /**
   * Run `work` with the lock. When the lock is lost meanwhile (a process that slept for longer than the ttl), `lease.signal` is aborted; pass
   * `lease.token` to whatever is protected, so that it can refuse an older one.
   */
  async with<T>(work: (lease: Lease) => T | PromiseLike<T>, options?: AcquireOptions): Promise<T> {
    const lease = await this.acquire(options);
    try {
      return await work(lease);
    } finally {
      await lease.release();
    }
  }

  /** Keep a lock that `tryAcquire` took. @throws BrantError `STALE`: it is not this token's any more. */
  refresh(token: number): { expires_at: number } {
    return this.#connection.invoke(native.brant_lock_refresh, { name: this.name, token, ttl: this.#ttl });
  }

  /** Give a lock back that `tryAcquire` took. @throws BrantError `STALE` */
  release(token: number): void {
    this.#connection.invoke(native.brant_lock_release, { name: this.name, token });
  }

  /** Who holds it. @throws BrantError `NOT_FOUND`: nobody. */
  info(): LockInfo {
    return this.#connection.invoke(native.brant_lock_get, { name: this.name });
  }

  /** Take it from its holder, whose token is stale from then on. */
  break(): { token: number } {
    return this.#connection.invoke(native.brant_lock_break, { name: this.name });
  }

  /** Yields an item whenever the lock is free; one of those who wait is woken. */
  watch(options?: ListenOptions): Listener<{ free: true }> {
    return this.#dispatcher.listen('locks.watch', { name: this.name }, options);
  }
}

/** A lock that is held, and refreshed each third of its ttl until it is released. */
export class Lease {
  /** The fencing token: greater than that of any holder before. */
  readonly token: number;
  readonly name: string;
  expires_at: number;
  readonly #connection: Connection;
  readonly #ttl: number | undefined;
  readonly #controller = new AbortController();
  #timer: NodeJS.Timeout | undefined;
  #released = false;

  /** @internal */
  constructor(connection: Connection, name: string, ttl: number | undefined, acquired: Acquisition) {
    this.#connection = connection;
    this.#ttl = ttl;
    this.name = name;
    this.token = acquired.token as number;
    this.expires_at = acquired.expires_at;
    this.#plan(this.#third());
  }

  /** Aborted when the lock is lost, with the reason. */
  get signal(): AbortSignal {
    return this.#controller.signal;
  }

  /** Refresh it now. @throws BrantError `STALE`: it is lost. */
  refresh(): void {
    const input = { name: this.name, token: this.token, ttl: this.#ttl };
    this.expires_at = this.#connection.invoke<{ expires_at: number }>(native.brant_lock_refresh, input).expires_at;
  }

  /** Give it back. One that was lost meanwhile is somebody else's, and stays so. Any number of times. */
  async release(): Promise<void> {
    clearTimeout(this.#timer);
    while (!this.#released && !this.#connection.closed) {
      try {
        if (!this.#connection.inTransaction) {
          this.#connection.invoke(native.brant_lock_release, { name: this.name, token: this.token });
          break;
        }
      } catch (error) {
        if (error instanceof BrantError && (error.code === 'STALE' || error.code === 'NOT_FOUND')) break;
        if (!isTransient(error)) throw error;
      }
      await pause(5);
    }
    this.#released = true;
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.release();
  }

  #third(): number {
    return Math.max((this.#ttl ?? this.expires_at - Date.now()) / 3, 5);
  }

  #plan(delay: number): void {
    // It is no reason for the process to live: what is done under the lock is.
    this.#timer = setTimeout(() => this.#keep(), Math.min(delay, LONGEST)).unref();
  }

  #keep(): void {
    if (this.#released) return;
    try {
      if (this.#connection.inTransaction) return this.#plan(20);
      this.refresh();
      this.#plan(this.#third());
    } catch (error) {
      if (isTransient(error) && Date.now() < this.expires_at) this.#plan(20);
      else this.#controller.abort(error);
    }
  }
}

/** `db.locks`. Iterating yields all that are held. */
export class Locks implements Iterable<LockInfo> {
  readonly #connection: Connection;

  /** @internal */
  constructor(connection: Connection) {
    this.#connection = connection;
  }

  /** A page, by name. */
  list(options?: ListOptions): Listed<LockInfo> {
    return this.#connection.invoke(native.brant_lock_list, { ...options });
  }

  [Symbol.iterator](): Generator<LockInfo, void, undefined> {
    return following((after: string | undefined) => this.list({ limit: 1000, after }));
  }
}
