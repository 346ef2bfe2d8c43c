/* Schedules: jobs by the clock, in any time zone, each fire once however many processes run the scheduler. */
import type { Connection } from './connection.js';
import { following } from './input.js';
import { BrantError, type ErrorCode } from './error.js';
import { isTransient, pause } from './claims.js';
import { snakeCase } from './json.js';
import type { Dispatcher, Listener } from './listener.js';
import { native } from './native.js';
import { type Moment, allUnpacked, moment, unpacked } from './payload.js';
import { scheduled } from './queue.js';
import type { ListOptions, Listed } from './types.js';

/** What a schedule enqueues, and when. */
export interface ScheduleOptions {
  queue: string;
  payload?: unknown;
  /** An IANA name, default `'UTC'`. */
  timezone?: string | undefined;
  /** Of each job. */
  options?:
    | {
        priority?: number | undefined;
        key?: string | undefined;
        maxAttempts?: number | undefined;
        expiresIn?: number | undefined;
        resultTtl?: number | undefined;
        unique?: string | { key: string; window?: number | undefined; onConflict?: 'skip' | 'replace' | 'reschedule' | undefined } | undefined;
      }
    | undefined;
  /** Fires that no scheduler was there for: `'skip'`, `'one'` job for all of them (default), or `'all'` up to `catchUp`, default 100. */
  misfire?: 'skip' | 'one' | 'all' | undefined;
  catchUp?: number | undefined;
}

/** A schedule's row. */
export interface Schedule<Payload = unknown> {
  name: string;
  spec: string;
  timezone: string;
  queue: string;
  payload: Payload;
  options: Record<string, unknown>;
  misfire: 'skip' | 'one' | 'all';
  catch_up: number;
  paused: boolean;
  next_at?: number;
  last_at?: number;
  /** How often. */
  fired: number;
  created_at: number;
  updated_at: number;
}

/** A schedule fired: the job `id` for the moment `at`; or there is no job, since the queue took none. */
export interface Fired {
  name: string;
  at: number;
  id?: number;
  error?: { code: ErrorCode; message: string };
}

export interface SchedulerOptions {
  /** Who runs, as the lock `brant:scheduler` shows it. */
  owner?: string | undefined;
  /** Milliseconds after which others take over from a leader that is gone. Default 15 000. */
  ttl?: number | undefined;
  /** Ends it. */
  signal?: AbortSignal | undefined;
}

/** `db.schedules`. Iterating yields all of them. */
export class Schedules implements Iterable<Schedule> {
  readonly #connection: Connection;

  /** @internal */
  constructor(connection: Connection) {
    this.#connection = connection;
  }

  /**
   * Make a schedule, or change it; the same again keeps its next fire.
   *
   * @param spec - cron of 5 fields, or 6 with seconds first: `'0 7 * * MON-FRI'`; `'@daily'`; `'@every 90s'`
   * @throws BrantError `INVALID`: a spec or time zone that cannot be
   */
  set(name: string, spec: string, options: ScheduleOptions): Schedule {
    return unpacked(this.#connection.invoke(native.brant_schedule_set, { ...scheduled(options), name, spec }));
  }

  /** @throws BrantError `NOT_FOUND` */
  get(name: string): Schedule {
    return unpacked(this.#connection.invoke(native.brant_schedule_get, { name }));
  }

  /** A page, by name. */
  list(options?: ListOptions): Listed<Schedule> {
    const page = this.#connection.invoke<{ items: object[]; next?: string }>(native.brant_schedule_list, { ...options });
    return { ...page, items: allUnpacked(page.items) };
  }

  [Symbol.iterator](): Generator<Schedule, void, undefined> {
    return following((after: string | undefined) => this.list({ limit: 1000, after }));
  }

  /** @throws BrantError `NOT_FOUND` */
  delete(name: string): void {
    this.#connection.invoke(native.brant_schedule_delete, { name });
  }

  /** It does not fire until `resume`. */
  pause(name: string): Schedule {
    return unpacked(this.#connection.invoke(native.brant_schedule_pause, { name }));
  }

  /** Fire again, from the next time on; what was missed while it was paused is not made up. NOT_FOUND. */
  resume(name: string): Schedule {
    return unpacked(this.#connection.invoke(native.brant_schedule_resume, { name }));
  }

  /** A job now, besides those of the clock. */
  trigger(name: string): { id: number } {
    return this.#connection.invoke(native.brant_schedule_trigger, { name });
  }

  /** When a spec fires after a moment (default: now): `count` times, default 1. */
  next(spec: string, options: { timezone?: string | undefined; after?: Moment | undefined; count?: number | undefined } = {}): number[] {
    const { after, ...rest } = options;
    const input = { ...rest, spec, ...(after === undefined ? {} : { after: moment(after) }) };
    return this.#connection.invoke<{ items: number[] }>(native.brant_schedule_next, input).items;
  }

  /** Fire what is due, once, whoever else does so: for those who bring their own clock. `next_at` is when to come again. */
  tick(options?: { limit?: number | undefined }): { fired: Fired[]; next_at?: number } {
    return this.#connection.invoke(native.brant_schedule_tick, { ...options });
  }
}

/**
 * What {@link Database.scheduler} returns. Any number of processes may run one: the leader, by a fenced lock, fires; when it is gone another
 * takes over, and nothing fires twice. Iterate it for what it fires, or `run` it. It waits without polling, and keeps the process alive meanwhile.
 *
 * ```js
 * const scheduler = db.scheduler();
 * process.once('SIGTERM', () => scheduler.close());
 * await scheduler.run();
 * ```
 */
export class Scheduler implements AsyncIterable<Fired> {
  readonly #connection: Connection;
  readonly #dispatcher: Dispatcher;
  readonly #options: SchedulerOptions;
  #listener: Listener<Fired> | undefined;
  #keepsAlive = true;
  #closed = false;

  /** @internal */
  constructor(connection: Connection, dispatcher: Dispatcher, options: SchedulerOptions) {
    this.#connection = connection;
    this.#dispatcher = dispatcher;
    this.#options = options;
  }

  /** Fire until it, or the database, is closed; rejects with the signal's reason when it was aborted. */
  async run(): Promise<void> {
    for await (const fired of this) void fired;
  }

  async *[Symbol.asyncIterator](): AsyncGenerator<Fired, void, undefined> {
    const { signal, ...input } = this.#options;
    try {
      while (!this.#closed) {
        try {
          this.#listener ??= this.#open(input, signal);
          const fired = await this.#listener.next();
          if (fired !== undefined) yield fired;
        } catch (error) {
          if (signal?.aborted) throw signal.reason;
          if (!isTransient(error)) throw error;
          await pause(20);
        }
      }
    } catch (error) {
      const ended = this.#closed || this.#connection.closed;
      if (!(ended && error instanceof BrantError && error.code === 'CLOSED')) throw error;
    } finally {
      this.close();
    }
  }

  #open(input: object, signal: AbortSignal | undefined): Listener<Fired> {
    const listener = this.#dispatcher.listen<Fired>('schedules.run', snakeCase(input), { signal });
    return this.#keepsAlive ? listener : listener.unref();
  }

  /** Let the process end while it waits. */
  unref(): this {
    this.#keepsAlive = false;
    this.#listener?.unref();
    return this;
  }

  /** Take back `unref`. */
  ref(): this {
    this.#keepsAlive = true;
    this.#listener?.ref();
    return this;
  }

  /** End it and give the leadership back. Any number of times. */
  close(): void {
    this.#closed = true;
    this.#listener?.close();
  }

  [Symbol.dispose](): void {
    this.close();
  }
}
