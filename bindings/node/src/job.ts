/*
 * A claimed job: what there is to do, and how it ends. Each call carries the claim's token, so that a claim whose lease was lost can change
 * nothing any more (`STALE`).
 */
import type { Connection } from './connection.js';
import { BrantError } from './error.js';
import { native } from './native.js';

export type JobState = 'ready' | 'delayed' | 'blocked' | 'running' | 'done' | 'dead' | 'cancelled' | 'expired';

/** Why an attempt failed, as it is kept. */
export interface AttemptError {
  attempt: number;
  at: number;
  worker?: string;
  message: string;
  stack?: string;
  code?: string;
}

/** A job's row. */
export interface JobInfo<Payload = unknown, Result = unknown> {
  id: number;
  queue: string;
  state: JobState;
  priority: number;
  /** A Uint8Array when it is bytes. */
  payload: Payload;
  key?: string;
  attempt: number;
  max_attempts: number;
  run_at?: number;
  expires_at?: number;
  lease_until?: number;
  worker?: string;
  claimed_at?: number;
  finished_at?: number;
  progress?: unknown;
  result?: Result;
  /** One for each attempt that failed, at most the newest 20. */
  errors: AttemptError[];
  /** Jobs that it waits for. */
  after: number[];
  unique_key?: string;
  cancel_requested: boolean;
  schedule?: string;
  created_at: number;
}

/** A job as a claim answers it. */
export interface ClaimedJob<Payload> {
  id: number;
  token: number;
  queue: string;
  payload: Payload;
  attempt: number;
  max_attempts: number;
  priority: number;
  key?: string;
  progress?: unknown;
  schedule?: string;
  created_at: number;
  lease_until: number;
}

export interface FailOptions {
  /** False: no further attempt, the job is dead. Default true. */
  retry?: boolean | undefined;
  /** Milliseconds until the next attempt, in place of the queue's back-off. */
  delay?: number | undefined;
}

/** What becomes of a job that failed. */
export interface Failure {
  state: 'delayed' | 'ready' | 'dead' | 'cancelled';
  run_at?: number;
}

/** What becomes of a job that was put off. */
export interface Snoozed {
  state?: 'delayed' | 'ready' | 'cancelled';
  run_at?: number;
}

/** How a job was settled; `joined`: in a transaction of the user's, which may have been rolled back since. @internal */
export interface Settlement {
  how: 'acked' | 'failed' | 'snoozed' | 'released';
  joined: boolean;
}

/**
 * A job that this process has claimed. `ack`, `fail`, `snooze` and `release` settle it, in the running transaction if there is one: effect and
 * acknowledgement can be committed together. All throw `STALE` when the claim is not the job's last one.
 */
export class Job<Payload = unknown, Result = unknown> {
  readonly id: number;
  /** The fencing token of this claim: it grows with each claim of the job. */
  readonly token: number;
  readonly queue: string;
  /** A Uint8Array when it is bytes. */
  readonly payload: Payload;
  /** Which attempt this is, from 1. */
  readonly attempt: number;
  readonly max_attempts: number;
  readonly priority: number;
  readonly key: string | undefined;
  readonly schedule: string | undefined;
  readonly created_at: number;
  /** What `heartbeat` said last, in this attempt or one before. */
  progress: unknown;
  lease_until: number;

  readonly #connection: Connection;
  #settlement: Settlement | undefined;
  #onSettled: (() => void) | undefined;
  #controller: AbortController | undefined;
  #ended: { reason: unknown } | undefined;

  /** @internal */
  constructor(connection: Connection, claimed: ClaimedJob<Payload>) {
    this.#connection = connection;
    this.id = claimed.id;
    this.token = claimed.token;
    this.queue = claimed.queue;
    this.payload = claimed.payload;
    this.attempt = claimed.attempt;
    this.max_attempts = claimed.max_attempts;
    this.priority = claimed.priority;
    this.key = claimed.key;
    this.schedule = claimed.schedule;
    this.created_at = claimed.created_at;
    this.progress = claimed.progress;
    this.lease_until = claimed.lease_until;
  }

  /**
   * Aborted when the job is to stop: somebody cancelled it (reason `INTERRUPTED`), its lease was lost (`STALE`), or the worker closes and its
   * grace is over (`CLOSED`). In jobs of workers and of `work`; one claimed by hand hears of it by `heartbeat`.
   */
  get signal(): AbortSignal {
    if (this.#controller === undefined) {
      this.#controller = new AbortController();
      if (this.#ended !== undefined) this.#controller.abort(this.#ended.reason);
    }
    return this.#controller.signal;
  }

  /** It was acked, failed, snoozed or released by this object. */
  get settled(): boolean {
    return this.#settlement !== undefined;
  }

  /** Done. The result is kept as long as the queue's or the job's `result_ttl` says. */
  ack(result?: Result): void {
    this.#connection.invoke(native.brant_job_ack, { ...this.#claim(), result });
    this.#settle('acked');
  }

  /**
   * The attempt failed: the job is tried again after the queue's back-off, or is dead when it has no attempts left.
   *
   * @param error - an Error, whose stack and code are kept, or a text
   */
  fail(error: unknown, options?: FailOptions): Failure {
    const failure: Failure = this.#connection.invoke(native.brant_job_fail, { ...this.#claim(), ...options, error: described(error) });
    this.#settle('failed');
    return failure;
  }

  /** Not now: again in `delay` ms, and this attempt does not count. One that was cancelled meanwhile ends so. */
  snooze(delay: number): Snoozed {
    const answer: Snoozed = this.#connection.invoke(native.brant_job_snooze, { ...this.#claim(), delay });
    this.#settle('snoozed');
    return answer;
  }

  /** Back to the queue at once, for somebody else; this attempt does not count. */
  release(): Snoozed {
    const answer: Snoozed = this.#connection.invoke(native.brant_job_release, this.#claim());
    this.#settle('released');
    return answer;
  }

  /** Keep the job for another lease, and say how far it is. Workers do the former by themselves. */
  heartbeat(options?: { lease?: number | undefined; progress?: unknown }): { lease_until: number; cancel_requested: boolean } {
    const answer: { lease_until: number; cancel_requested: boolean } = this.#connection.invoke(native.brant_job_heartbeat, {
      ...this.#claim(),
      ...options,
    });
    this.lease_until = answer.lease_until;
    if (options?.progress !== undefined) this.progress = options.progress;
    if (answer.cancel_requested) this.stop(new BrantError('INTERRUPTED', 'the job was cancelled'));
    return answer;
  }

  #claim(): { id: number; token: number } {
    return { id: this.id, token: this.token };
  }

  /** How it was settled. @internal */
  get settlement(): Settlement | undefined {
    return this.#settlement;
  }

  /** Called when it is settled. @internal */
  set onSettled(call: () => void) {
    this.#onSettled = call;
  }

  #settle(how: Settlement['how']): void {
    this.#settlement = { how, joined: this.#connection.inTransaction };
    this.#onSettled?.();
  }

  /** It is to stop. Only the first reason counts. @internal */
  stop(reason: unknown): void {
    if (this.#ended !== undefined) return;
    this.#ended = { reason };
    this.#controller?.abort(reason);
  }

  /** Why it is to stop, if it is. @internal */
  get ended(): { reason: unknown } | undefined {
    return this.#ended;
  }
}

/** An error as it is kept with the attempt. Its causes are part of the stack. */
export function described(error: unknown): { message: string; stack?: string; code?: string } {
  if (typeof error === 'string') return { message: wellFormed(error) };
  if (!(error instanceof Error)) return isDescribed(error) ? error : { message: safely(error) };
  const { code } = error as { code?: unknown };
  let stack = error.stack ?? '';
  const seen = new Set<unknown>([error]);
  for (let { cause } = error; cause !== undefined && !seen.has(cause); cause = cause instanceof Error ? cause.cause : undefined) {
    seen.add(cause);
    stack += `\ncaused by ${cause instanceof Error ? (cause.stack ?? cause.message) : safely(cause)}`;
  }
  return {
    message: wellFormed(error.message) || error.name,
    ...(stack === '' ? {} : { stack: wellFormed(stack) }),
    ...(typeof code === 'string' || typeof code === 'number' ? { code: wellFormed(String(code)) } : {}),
  };
}

/** As `errors` of a job's row has it: it goes to the library as it is. */
function isDescribed(error: unknown): error is { message: string } {
  return typeof error === 'object' && error !== null && 'message' in error && typeof error.message === 'string';
}

function safely(value: unknown): string {
  try {
    return wellFormed(String(value));
  } catch {
    return 'an error that has no text';
  }
}

/** Without lone surrogates, which are no Unicode; without NUL. */
function wellFormed(text: string): string {
  return text.replace(/\p{Surrogate}|\0/gu, '\uFFFD');
}
