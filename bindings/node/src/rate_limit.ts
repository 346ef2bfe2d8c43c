/* Rate limits that processes of any language share. */
import { isTransient } from './claims.js';
import type { Connection } from './connection.js';
import { BrantError } from './error.js';
import { LONGEST } from './listener.js';
import { native } from './native.js';
import type { ListOptions, Listed } from './types.js';

export interface RateLimitOptions {
  /** How much in a period. */
  limit: number;
  /** Milliseconds. */
  period: number;
  /** `'sliding_window'` (default): never more than `limit` in any window of `period` ms. `'token_bucket'`: that rate, with bursts. */
  kind?: 'sliding_window' | 'token_bucket' | undefined;
  /** Of a token bucket: how much at once. Default: `limit`. */
  burst?: number | undefined;
}

/** Whether it was allowed, and what is left. */
export interface RateLimitState {
  allowed: boolean;
  remaining: number;
  /** Milliseconds until it would be allowed, 0 when it was. */
  retry_after: number;
  /** When all of the limit is there again. */
  reset_at: number;
}

/**
 * A rate limit: `db.rateLimit(name, { limit, period })`.
 *
 * ```js
 * const limit = db.rateLimit(`api:${account}`, { limit: 100, period: 60_000 });
 * const { allowed, retry_after } = limit.take();
 * ```
 */
export class RateLimit {
  readonly name: string;
  readonly #connection: Connection;
  readonly #rule: object;

  /** @internal */
  constructor(connection: Connection, name: string, options: RateLimitOptions) {
    this.#connection = connection;
    this.#rule = { kind: 'sliding_window', ...options, name };
    this.name = name;
  }

  /** Take `cost` (default 1) when it is allowed, in the running transaction. */
  take(cost?: number): RateLimitState {
    return this.#connection.invoke(native.brant_rate_limit_take, { ...this.#rule, cost });
  }

  /** What `take` would answer. */
  peek(cost?: number): RateLimitState {
    return this.#connection.invoke(native.brant_rate_limit_peek, { ...this.#rule, cost });
  }

  /** Wait until it is allowed, and take it. Rejects with `TIMEOUT`, or the signal's reason. Who waits has no place in a row: the first to ask in time gets it. */
  async wait(options: { cost?: number | undefined; timeout?: number | undefined; signal?: AbortSignal | undefined } = {}): Promise<RateLimitState> {
    const { cost, timeout = Infinity, signal } = options;
    const deadline = performance.now() + timeout;
    for (;;) {
      signal?.throwIfAborted();
      let delay = 5;
      try {
        // Not as part of a transaction that may be rolled back.
        const state = this.#connection.inTransaction ? undefined : this.take(cost);
        if (state?.allowed) return state;
        delay = state?.retry_after ?? delay;
      } catch (error) {
        if (!isTransient(error)) throw error;
      }
      const left = deadline - performance.now();
      if (left < delay) throw new BrantError('TIMEOUT', `the rate limit allows no more within ${timeout} ms`);
      await sleep(Math.min(Math.max(delay, 1), LONGEST), signal);
    }
  }

  /** All of the limit is there again; was any of it taken? */
  reset(): { reset: boolean } {
    return this.#connection.invoke(native.brant_rate_limit_reset, { name: this.name });
  }
}

/** A rate limit as it stands. */
export interface RateLimitInfo {
  name: string;
  kind: 'sliding_window' | 'token_bucket';
  limit: number;
  period: number;
  burst?: number;
  remaining: number;
  reset_at: number;
}

/** `db.rateLimits`. */
export class RateLimits {
  readonly #connection: Connection;

  /** @internal */
  constructor(connection: Connection) {
    this.#connection = connection;
  }

  /** Those that something was taken from lately. */
  list(options?: ListOptions): Listed<RateLimitInfo> {
    return this.#connection.invoke(native.brant_rate_limit_list, { ...options });
  }
}

/** Some milliseconds, or until the signal is aborted. */
function sleep(ms: number, signal: AbortSignal | undefined): Promise<void> {
  return new Promise((resolve, reject) => {
    const timer = setTimeout(done, ms);
    function done(): void {
      signal?.removeEventListener('abort', abort);
      resolve();
    }
    function abort(): void {
      clearTimeout(timer);
      reject(signal?.reason as Error);
    }
    signal?.addEventListener('abort', abort, { once: true });
  });
}
