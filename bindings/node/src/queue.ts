/*
 * Queues: at-least-once jobs, in the same file and the same transaction as the data. Each method is one operation, but `process`, `work` and
 * `result`, which wait.
 */
import type { Connection } from './connection.js';
import { BrantError } from './error.js';
import { apart, following, items } from './input.js';
import { Job, type ClaimedJob, type JobInfo, type JobState } from './job.js';
import { snakeCase } from './json.js';
import type { Dispatcher, ListenOptions, Listener } from './listener.js';
import { native } from './native.js';
import { type Moment, allUnpacked, moment, packed, unpacked } from './payload.js';
import type { ScheduleOptions, Schedule } from './schedules.js';
import type { AsyncOptions, ListOptions, Listed } from './types.js';
import { type WorkOptions, work } from './work.js';
import { type Handler, type ProcessOptions, Worker } from './worker.js';

/** How a queue treats its jobs. Null is the default. */
export interface QueuePolicy {
  /** Milliseconds that a claim lasts without a heartbeat: 30 000. */
  lease?: number | null | undefined;
  /** Attempts until a job is dead: 20. */
  maxAttempts?: number | null | undefined;
  /** Milliseconds after the attempt n: `min(max, base * factor ** (n - 1))`, more or less by `jitter`. 1000, 2, an hour, 0.2. */
  backoff?: { base?: number; factor?: number; max?: number; jitter?: number } | null | undefined;
  /** Most that run at once, in all workers. Default: any number. */
  concurrency?: number | null | undefined;
  /** Most that run at once of one key. */
  keyConcurrency?: number | null | undefined;
  /** Jobs of one key strictly in order: one at a time, and one that waits for its retry holds those behind it. */
  fifo?: boolean | null | undefined;
  /** Most that are claimed in any `period` ms. */
  rateLimit?: { limit: number; period: number } | null | undefined;
  /** Milliseconds that a done job and its result are kept: 0. */
  resultTtl?: number | null | undefined;
  /** Milliseconds that a dead job is kept. Default: until it is pruned. */
  deadTtl?: number | null | undefined;
  /** Milliseconds that a cancelled or expired job is kept: a day. */
  cancelledTtl?: number | null | undefined;
  /** Most that wait or run; one more is `LIMIT`. */
  maxSize?: number | null | undefined;
}

/** A queue's row. */
export interface QueueInfo {
  queue: string;
  state: 'active' | 'paused' | 'draining';
  /** What holds, defaults included. */
  policy: {
    lease: number;
    max_attempts: number;
    backoff: { base: number; factor: number; max: number; jitter: number };
    concurrency: number | null;
    key_concurrency: number | null;
    fifo: boolean;
    rate_limit: { limit: number; period: number } | null;
    result_ttl: number;
    dead_ttl: number | null;
    cancelled_ttl: number | null;
    max_size: number | null;
  };
  revision: number;
  created_at: number;
  updated_at: number;
}

/** Milliseconds, of the last hour. */
export interface Histogram {
  count: number;
  sum: number;
  p50: number;
  p95: number;
  p99: number;
  buckets: { le: number | null; count: number }[];
}

export interface QueueStats {
  queue: string;
  state: QueueInfo['state'];
  ready: number;
  delayed: number;
  blocked: number;
  running: number;
  done: number;
  dead: number;
  cancelled: number;
  expired: number;
  oldest_ready_at?: number;
  /** Milliseconds that the oldest ready job has waited. */
  oldest_age: number;
  next_run_at?: number;
  /** Ever. `failed` counts attempts. */
  enqueued: number;
  claimed: number;
  completed: number;
  failed: number;
  retried: number;
  died: number;
  /** A second, over the last 5 minutes. */
  rates: { enqueued: number; completed: number; failed: number };
  /** From being ready to being claimed. */
  wait: Histogram;
  /** From being claimed to being done. */
  run: Histogram;
}

export interface EnqueueOptions {
  /** Higher first; default 0. */
  priority?: number | undefined;
  /** Milliseconds from now; or `runAt`. */
  delay?: number | undefined;
  runAt?: Moment | undefined;
  /** Not begun by then: it never runs. Or `expiresIn`, milliseconds from now. */
  expiresAt?: Moment | undefined;
  expiresIn?: number | undefined;
  /** For the queue's concurrency or order by key. */
  key?: string | undefined;
  maxAttempts?: number | undefined;
  resultTtl?: number | undefined;
  /** Jobs that must be done first. */
  after?: readonly number[] | undefined;
  /** When one of those ends otherwise: `'cancel'` (default), or `'run'` all the same. */
  onFailure?: 'cancel' | 'run' | undefined;
  /**
   * One job a key, until it ends, or for `window` ms whatever becomes of it. Another one is skipped (default), replaces the one that waits, or
   * only moves it in time (`'reschedule'`: a debounce). A text is the key.
   */
  unique?:
    | string
    | { key: string; window?: number | undefined; onConflict?: 'skip' | 'replace' | 'reschedule' | undefined }
    | undefined;
}

/** A job of many; `after` may name those before it in the batch: `{ item: 0 }`. */
export interface NewJob<Payload = unknown> extends Omit<EnqueueOptions, 'after'> {
  payload?: Payload | undefined;
  after?: readonly (number | { item: number })[] | undefined;
}

/** What became of what was to be enqueued. */
export interface Enqueued {
  /** Of a duplicate: the other's. */
  id: number;
  state: JobState;
  duplicate: boolean;
  action?: 'enqueued' | 'skipped' | 'replaced' | 'rescheduled';
}

export interface PruneOptions {
  states?: readonly ('dead' | 'done' | 'cancelled' | 'expired')[] | undefined;
  /** Milliseconds since it ended. */
  olderThan?: number | undefined;
  /** Default 1000. */
  limit?: number | undefined;
}

export interface JobListOptions {
  state?: JobState | undefined;
  key?: string | undefined;
  /** Default 100. */
  limit?: number | undefined;
  /** The id where the page before ended. */
  after?: number | undefined;
}

export interface ResultOptions {
  /** Milliseconds; then `TIMEOUT`. */
  timeout?: number | undefined;
  signal?: AbortSignal | undefined;
}

/** A job ended otherwise than done. Its code is `CONFLICT`; `job` says more. */
export class JobFailed extends BrantError {
  readonly job: JobInfo;

  /** @internal */
  constructor(job: JobInfo) {
    const last = job.errors?.at(-1)?.message;
    super('CONFLICT', `the job ${job.id} is ${job.state}${last === undefined ? '' : `: ${oneLine(last)}`}`, { id: job.id, state: job.state });
    this.job = job;
  }
}

/** One queue: `db.queue(name)`. It comes into being with its first job, or with `configure`. */
export class Queue<Payload = unknown, Result = unknown> {
  readonly name: string;
  readonly #connection: Connection;
  readonly #dispatcher: Dispatcher;

  /** @internal */
  constructor(connection: Connection, dispatcher: Dispatcher, name: string) {
    this.#connection = connection;
    this.#dispatcher = dispatcher;
    this.name = name;
  }

  // ---- putting in -----------------------------------------------------------------------------------------------------------------

  /**
   * Put a job into the queue, in the running transaction: it is there after the commit, or never.
   *
   * @param payload - any JSON, or a Uint8Array
   * @throws BrantError `CONFLICT`: the queue drains; `LIMIT`: it is full; `NOT_FOUND`: `after` names a job that there never was.
   */
  enqueue(payload?: Payload, options?: EnqueueOptions): Enqueued {
    return this.#connection.invoke(native.brant_queue_enqueue, { ...enqueued({ ...options, payload }), queue: this.name });
  }

  /** `enqueue` on another thread, outside any transaction of this handle. */
  async enqueueAsync(payload?: Payload, options?: EnqueueOptions & AsyncOptions): Promise<Enqueued> {
    const [rest, call] = apart(options);
    return this.#connection.invokeAsync('queues.enqueue', { ...enqueued({ ...rest, payload }), queue: this.name }, call);
  }

  /**
   * Put many jobs in, all or nothing. Chains and graphs of jobs go in one call:
   *
   * ```js
   * queue.enqueueMany([{ payload: 'fetch' }, { payload: 'parse', after: [{ item: 0 }] }]);
   * ```
   */
  enqueueMany(jobs: Iterable<NewJob<Payload>>): { ids: number[]; duplicates: number } {
    return this.#connection.invoke(native.brant_queue_enqueue_many, { queue: this.name, items: items(jobs, enqueued) });
  }

  /** `enqueueMany` on another thread. */
  async enqueueManyAsync(jobs: Iterable<NewJob<Payload>>, options?: AsyncOptions): Promise<{ ids: number[]; duplicates: number }> {
    return this.#connection.invokeAsync('queues.enqueue_many', { queue: this.name, items: items(jobs, enqueued) }, options);
  }

  /**
   * Enqueue by the clock: the schedule has the queue's name unless `options.name` says another. Fires while a scheduler runs (`db.scheduler`).
   *
   * ```js
   * db.queue('report').periodic('0 7 * * MON-FRI', { kind: 'daily' }, { timezone: 'Europe/Berlin' });
   * ```
   */
  periodic(spec: string, payload?: Payload, options?: Omit<ScheduleOptions, 'queue' | 'payload'> & { name?: string | undefined }): Schedule {
    const { name = this.name, ...rest } = options ?? {};
    return unpacked(this.#connection.invoke(native.brant_schedule_set, { ...scheduled({ ...rest, payload }), name, spec, queue: this.name }));
  }

  // ---- taking out -----------------------------------------------------------------------------------------------------------------

  /**
   * Run a handler for each job: what it returns is the job's result, what it throws fails the attempt. See {@link Worker}.
   */
  process(handler: Handler<Payload, Result>, options: ProcessOptions = {}): Worker<Payload, Result> {
    return new Worker<Payload, Result>(this.#connection, this.#dispatcher, this.name, handler, options);
  }

  /**
   * Jobs one after another, as they become ready. Coming back for the next acks the one before, unless it was settled otherwise. A loop that is left,
   * by an error too, fails the job that it was at: `ack` it first when it is done. Heartbeats are automatic. Ends when the database is closed.
   *
   * ```js
   * for await (const job of db.queue('mail').work({ signal })) await send(job.payload);
   * ```
   */
  work(options: WorkOptions = {}): AsyncGenerator<Job<Payload, Result>, void, undefined> {
    return work<Payload, Result>(this.#connection, this.#dispatcher, this.name, options);
  }

  /**
   * Claim up to `limit` jobs now; `[]` when none is ready, or the queue is paused or saturated. Who claims by hand settles each job within its
   * lease, or sends heartbeats.
   *
   * @param options - `ack`: jobs to acknowledge in the same transaction
   */
  claim(options: { worker?: string | undefined; limit?: number | undefined; lease?: number | undefined } = {}): Job<Payload, Result>[] {
    return this.claimAndAck([], options).jobs;
  }

  /** `claim`, with acks of earlier jobs in the same transaction; `stale`: the ids of those that could not be acked. */
  claimAndAck(
    acks: Iterable<{ id: number; token: number; result?: Result | undefined }>,
    options: { worker?: string | undefined; limit?: number | undefined; lease?: number | undefined } = {},
  ): { jobs: Job<Payload, Result>[]; acked: number; stale: number[] } {
    const ack = Array.from(acks, ({ id, token, result }) => ({ id, token, result }));
    const answer = this.#connection.invoke<{ items: ClaimedJob<Payload>[]; acked?: number; stale?: number[] }>(native.brant_queue_claim, {
      ...options,
      ...(ack.length > 0 ? { ack } : {}),
      queue: this.name,
    });
    const jobs = allUnpacked<ClaimedJob<Payload>>(answer.items).map((item) => new Job<Payload, Result>(this.#connection, item));
    return { jobs, acked: answer.acked ?? 0, stale: answer.stale ?? [] };
  }

  /** Yields an item whenever there is something to claim; each wakes one of those who wait. `work` and `process` are built on it. */
  watch(options?: ListenOptions): Listener<{ queue: string; ready: true }> {
    return this.#dispatcher.listen('queues.watch', { queue: this.name }, options);
  }

  /**
   * Wait until a job has ended, for its result: undefined where none was kept.
   *
   * @returns a promise that rejects with {@link JobFailed} when the job is dead, cancelled or expired; with `TIMEOUT`; with `NOT_FOUND` for an id that was never given
   */
  async result(id: number, options: ResultOptions = {}): Promise<Result | undefined> {
    const job = await finished<Payload, Result>(this.#dispatcher, id, options);
    if (job.state !== 'done') throw new JobFailed(job as JobInfo);
    return job.result;
  }

  // ---- the queue ------------------------------------------------------------------------------------------------------------------

  /** Set members of the policy; the others stay. */
  configure(policy: QueuePolicy = {}): QueueInfo {
    return this.#connection.invoke(native.brant_queue_configure, { ...snakeCase(policy), queue: this.name });
  }

  /** @throws BrantError `NOT_FOUND` */
  info(): QueueInfo {
    return this.#connection.invoke(native.brant_queue_get, { queue: this.name });
  }

  /** What is in it, what went through it, and how long that took. */
  stats(): QueueStats {
    return this.#connection.invoke(native.brant_queue_stats, { queue: this.name });
  }

  /** Nothing is claimed until `resume`. */
  pause(): QueueInfo {
    return this.#connection.invoke(native.brant_queue_pause, { queue: this.name });
  }

  /** Hand out jobs again, after `pause` or `drain`. NOT_FOUND. */
  resume(): QueueInfo {
    return this.#connection.invoke(native.brant_queue_resume, { queue: this.name });
  }

  /** Nothing new is taken (`CONFLICT`); what is there is worked off. */
  drain(): QueueInfo {
    return this.#connection.invoke(native.brant_queue_drain, { queue: this.name });
  }

  /** Remove the queue and its jobs. @throws BrantError `CONFLICT`: jobs run, and `force` is not true. */
  delete(options?: { force?: boolean | undefined }): { deleted: number } {
    return this.#connection.invoke(native.brant_queue_delete, { ...options, queue: this.name });
  }

  /** Remove jobs that have ended. */
  prune(options?: PruneOptions): { pruned: number } {
    return this.#connection.invoke(native.brant_queue_prune, { ...snakeCase(options), queue: this.name });
  }

  /** `prune` on another thread. */
  pruneAsync(options?: PruneOptions & AsyncOptions): Promise<{ pruned: number }> {
    const [rest, call] = apart(options);
    return this.#connection.invokeAsync('queues.prune', { ...snakeCase(rest), queue: this.name }, call);
  }

  /** A page of its jobs, by id. */
  list(options?: JobListOptions): { items: JobInfo<Payload, Result>[]; next?: number } {
    const page = this.#connection.invoke<{ items: object[]; next?: number }>(native.brant_job_list, { ...options, queue: this.name });
    return { ...page, items: allUnpacked(page.items) };
  }

  /** All jobs that `list` would find. */
  jobs(options?: Omit<JobListOptions, 'after'>): Generator<JobInfo<Payload, Result>, void, undefined> {
    return following((after: number | undefined) => this.list({ limit: 1000, ...options, after }));
  }

  /** Dead jobs (or those of `state`) again: attempts from 0, errors kept. At most `limit`, default 1000. */
  requeue(options?: { state?: 'dead' | 'cancelled' | 'expired' | undefined; limit?: number | undefined }): { requeued: number } {
    return this.#connection.invoke(native.brant_job_requeue_many, { ...options, queue: this.name });
  }
}

/** `db.queues`. Iterating yields all of them. */
export class Queues implements Iterable<QueueInfo> {
  readonly #connection: Connection;

  /** @internal */
  constructor(connection: Connection) {
    this.#connection = connection;
  }

  /** A page, by name. */
  list(options?: ListOptions): Listed<QueueInfo> {
    return this.#connection.invoke(native.brant_queue_list, { ...options });
  }

  [Symbol.iterator](): Generator<QueueInfo, void, undefined> {
    return following((after: string | undefined) => this.list({ limit: 1000, after }));
  }

  /** Of each queue. */
  stats(): QueueStats[] {
    return this.#connection.invoke<{ items: QueueStats[] }>(native.brant_queue_stats, {}).items;
  }
}

/** Wait until a job has ended. @internal */
export async function finished<Payload, Result>(
  dispatcher: Dispatcher,
  id: number,
  { timeout, signal }: ResultOptions,
): Promise<Partial<JobInfo<Payload, Result>> & { id: number; state: JobState }> {
  const watch = dispatcher.listen<Partial<JobInfo<Payload, Result>> & { id: number; state: JobState }>('jobs.watch', { id }, { signal });
  try {
    const job = await watch.next(timeout);
    if (job === undefined) throw new BrantError('TIMEOUT', `the job ${id} has not ended in ${timeout} ms`);
    return job;
  } finally {
    watch.close();
  }
}

/** A job as the library takes it. */
function enqueued({ payload, runAt, expiresAt, unique, ...rest }: NewJob): Record<string, unknown> {
  return {
    ...snakeCase(rest),
    ...packed(payload),
    ...(runAt === undefined ? {} : { run_at: moment(runAt) }),
    ...(expiresAt === undefined ? {} : { expires_at: moment(expiresAt) }),
    ...(unique === undefined ? {} : { unique: uniqueness(unique) }),
  };
}

/** A schedule as the library takes it. @internal */
export function scheduled({ payload, options, ...rest }: Partial<ScheduleOptions> = {}): Record<string, unknown> {
  return {
    ...snakeCase(rest),
    ...packed(payload),
    ...(options === undefined
      ? {}
      : { options: { ...snakeCase(options), ...(options.unique === undefined ? {} : { unique: uniqueness(options.unique) }) } }),
  };
}

function uniqueness(unique: NonNullable<EnqueueOptions['unique']>): object {
  return typeof unique === 'string' ? { key: unique } : snakeCase(unique);
}

function oneLine(text: string): string {
  return text.split('\n', 1)[0] ?? '';
}
