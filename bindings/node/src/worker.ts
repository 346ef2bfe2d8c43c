/*
 * A worker: it claims a queue's jobs and runs a handler for each, some at once. Acks ride on the next claim; while nothing can be claimed it
 * sleeps in the file's wait queue, from which one worker of any process is woken for each job that becomes ready.
 */
import { type ClaimOptions, Claims } from './claims.js';
import type { Connection } from './connection.js';
import { BrantError } from './error.js';
import type { Failure, Job } from './job.js';
import type { ListenerSettings } from './event_target.js';
import { type Dispatcher, LONGEST } from './listener.js';

/** What a worker does with a job. What it returns is the job's result; what it throws fails the attempt. */
export type Handler<Payload, Result> = (job: Job<Payload, Result>) => Result | PromiseLike<Result>;

export interface ProcessOptions extends ClaimOptions {
  /** Jobs that run at once in this worker. Default 1. */
  concurrency?: number | undefined;
  /** Milliseconds that running jobs have to end when the worker closes, before they are released. Default 30 000. */
  grace?: number | undefined;
  /** Closes the worker, gracefully. */
  signal?: AbortSignal | undefined;
}

const GRACE = 30_000;

/** Something that became of a job. */
export class JobEvent<Payload = unknown, Result = unknown> extends Event {
  readonly job: Job<Payload, Result>;
  /** Of `completed`: what the handler returned. */
  readonly result: Result | undefined;
  /** Of `failed`: what it threw. */
  readonly error: unknown;
  /** Of `failed`: what the job is now, and when it is tried again. */
  readonly state: Failure['state'] | undefined;
  readonly run_at: number | undefined;

  /** @internal */
  constructor(type: string, job: Job<Payload, Result>, result?: Result, error?: unknown, failure?: Failure) {
    super(type);
    this.job = job;
    this.result = result;
    this.error = error;
    this.state = failure?.state;
    this.run_at = failure?.run_at;
  }
}

/** What listens to a worker. */
export type WorkerListener<E extends Event> = ((event: E) => void) | { handleEvent(event: E): void };

/** The events of a {@link Worker}. */
export interface WorkerEvents<Payload = unknown, Result = unknown> {
  /** The handler was called. */
  active: JobEvent<Payload, Result>;
  /** The job is done, and that is committed. */
  completed: JobEvent<Payload, Result>;
  /** The attempt failed, or the job was cancelled: see `state`. */
  failed: JobEvent<Payload, Result>;
  /** The lease was lost: somebody else may have the job, and what this handler does counts for nothing. */
  stalled: JobEvent<Payload, Result>;
  /** The worker closed before the job was done, and gave it back. */
  released: JobEvent<Payload, Result>;
  /** Nothing is left that could be claimed now, and nothing runs. */
  drained: Event;
  close: Event;
}

/**
 * What {@link Queue.process} returns. It keeps the process alive until it is closed (see `unref`).
 *
 * ```js
 * const worker = db.queue('mail').process(async (job) => send(job.payload, { signal: job.signal }), { concurrency: 8 });
 * worker.addEventListener('failed', ({ job, error, state }) => console.warn(job.id, error, state));
 * process.once('SIGTERM', () => worker.close());
 * await worker.finished;
 * ```
 */
export class Worker<Payload = unknown, Result = unknown> extends EventTarget {
  /** Who claims, as the job's row shows it. */
  readonly name: string;
  /** Resolves when the worker, or its database, is closed; rejects when it cannot go on: a file that was removed, a disk error. */
  readonly finished: Promise<void>;

  readonly #connection: Connection;
  readonly #claims: Claims<Payload, Result>;
  readonly #handler: Handler<Payload, Result>;
  readonly #concurrency: number;
  readonly #grace: number;
  readonly #signal: AbortSignal | undefined;
  readonly #running = new Set<Job<Payload, Result>>();
  readonly #results = new Map<Job<Payload, Result>, Result>();
  #change: Promise<void>;
  #changed: () => void = () => undefined;
  #announced = false;
  #awaiting = false;
  #closing: Promise<void> | undefined;
  #failure: { error: unknown } | undefined;

  /** @internal */
  constructor(
    connection: Connection,
    dispatcher: Dispatcher,
    queue: string,
    handler: Handler<Payload, Result>,
    options: ProcessOptions,
  ) {
    super();
    const { concurrency = 1, grace = GRACE, signal } = options;
    if (typeof handler !== 'function') throw new BrantError('INVALID', 'the handler is not a function');
    this.#concurrency = atLeast(concurrency, 1, 'concurrency');
    this.#grace = graceOf(grace);
    this.#connection = connection;
    this.#handler = handler;
    this.#signal = signal;
    this.#change = new Promise((done) => (this.#changed = done));
    this.#claims = new Claims<Payload, Result>(connection, dispatcher, queue, options, {
      acked: (job) => this.#completed(job),
      refused: (job, error, failure) => {
        this.#results.delete(job);
        this.#say('failed', job, undefined, error, failure);
      },
      stalled: (job) => {
        this.#results.delete(job);
        this.#say('stalled', job);
      },
    });
    this.name = this.#claims.worker;
    signal?.addEventListener('abort', this.#onAbort, { once: true });
    this.finished = this.#run();
  }

  readonly #onAbort = (): void => void this.close().catch(() => undefined);

  /** Jobs that run now. */
  get running(): number {
    return this.#running.size;
  }

  /**
   * Claim no more, let what runs end for `grace` ms, then abort the signals of the rest and release those jobs, so that another worker has them at
   * once and the attempt does not count. Resolves when all is done. Any number of times; a later call may shorten the grace.
   */
  close(options: { grace?: number | undefined } = {}): Promise<void> {
    const grace = graceOf(options.grace ?? this.#grace);
    if (this.#closing === undefined) {
      this.#signal?.removeEventListener('abort', this.#onAbort);
      this.#claims.close();
      this.#closing = this.#finish();
      this.#announce();
    }
    const timer = setTimeout(() => this.#overdue(), Math.min(grace, LONGEST));
    return this.#closing.finally(() => clearTimeout(timer));
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close();
  }

  /** Let the process end while the worker waits for jobs. */
  unref(): this {
    this.#claims.ref(false);
    return this;
  }

  /** Take back `unref`. */
  ref(): this {
    this.#claims.ref(true);
    return this;
  }

  override addEventListener<Type extends keyof WorkerEvents>(
    type: Type,
    listener: WorkerListener<WorkerEvents<Payload, Result>[Type]> | null,
    options?: ListenerSettings | boolean,
  ): void {
    super.addEventListener(type, listener as never, options as never);
  }

  override removeEventListener<Type extends keyof WorkerEvents>(
    type: Type,
    listener: WorkerListener<WorkerEvents<Payload, Result>[Type]> | null,
    options?: ListenerSettings | boolean,
  ): void {
    super.removeEventListener(type, listener as never, options as never);
  }

  // ---- the loop -------------------------------------------------------------------------------------------------------------------

  async #run(): Promise<void> {
    // The caller adds its event listeners first.
    await new Promise(setImmediate);
    try {
      if (this.#signal?.aborted) this.#onAbort();
      await this.#work();
    } catch (error) {
      this.#failure = { error };
      for (const job of this.#running) job.stop(error);
      this.#claims.abandon();
    }
    await (this.#closing ??= this.#finish());
    this.#signal?.removeEventListener('abort', this.#onAbort);
    if (this.#failure !== undefined && !this.#connection.closed) throw this.#failure.error;
  }

  async #work(): Promise<void> {
    let drained = false;
    while (this.#closing === undefined) {
      const free = this.#concurrency - this.#running.size;
      if (free <= 0) {
        // Who sleeps in the wait queue is woken in place of somebody who is free.
        this.#claims.rest();
        await this.#change;
        continue;
      }
      const jobs = await this.#claims.take(free);
      for (const job of jobs) this.#start(job);
      if (jobs.length > 0) drained = false;
      if (jobs.length === free || this.#claims.pending || this.#closing !== undefined) continue;
      if (this.#running.size === 0 && !drained) {
        drained = true;
        this.dispatchEvent(new Event('drained'));
      }
      const change = this.#change;
      this.#awaitReady();
      await change;
      if (this.#failure !== undefined) throw this.#failure.error;
    }
  }

  /** Go on when there may be something to claim. */
  #awaitReady(): void {
    if (this.#awaiting) return;
    this.#awaiting = true;
    const go = (): void => {
      this.#awaiting = false;
      this.#proceed();
    };
    this.#claims.ready().then(go, (error: unknown) => {
      this.#failure ??= { error };
      go();
    });
  }

  #proceed(): void {
    const changed = this.#changed;
    this.#change = new Promise((done) => (this.#changed = done));
    changed();
  }

  /** Something ended: said once for all that ends in this turn of the event loop, so that their acks go together. */
  #announce(): void {
    if (this.#announced) return;
    this.#announced = true;
    setImmediate(() => {
      this.#announced = false;
      this.#proceed();
    });
  }

  #start(job: Job<Payload, Result>): void {
    this.#running.add(job);
    void this.#handle(job)
      .catch((error: unknown) => this.#give(error))
      .finally(() => {
        this.#running.delete(job);
        this.#announce();
      });
  }

  /** A failure that the loop has to know. */
  #give(error: unknown): void {
    if (this.#connection.closed) return;
    this.#failure ??= { error };
    void this.close({ grace: 0 }).catch(() => undefined);
  }

  async #handle(job: Job<Payload, Result>): Promise<void> {
    // A closing worker may have claimed it a moment ago.
    if (this.#closing !== undefined) return this.#release(job);
    let result: Result;
    try {
      this.#say('active', job);
      result = await this.#handler(job);
    } catch (error) {
      return this.#failed(job, error);
    }
    if (this.#isOver(job)) return;
    const { settlement } = job;
    if (settlement !== undefined && settlement.how !== 'acked') return;
    this.#results.set(job, result);
    // An ack in a transaction of the user's may have been rolled back: it is said again.
    if (settlement?.joined === false) this.#completed(job);
    else this.#claims.ack(job, result);
  }

  async #failed(job: Job<Payload, Result>, error: unknown): Promise<void> {
    // Settled and then thrown: as it is. In a transaction that is gone with the error: not settled.
    if (job.settlement?.joined === false || this.#isOver(job)) return;
    if (isClosing(job)) return this.#release(job);
    let failure: Failure | undefined;
    if (await this.#claims.settle(job, () => (failure = job.fail(error)))) this.#say('failed', job, undefined, error, failure);
    else if (job.settlement === undefined) this.#say('stalled', job);
  }

  async #release(job: Job<Payload, Result>): Promise<void> {
    if (await this.#claims.settle(job, () => job.release())) this.#say('released', job);
  }

  #completed(job: Job<Payload, Result>): void {
    const result = this.#results.get(job);
    this.#results.delete(job);
    this.#say('completed', job, result);
  }

  /** Is the job not this worker's any more: released when the grace was over, or its lease lost? */
  #isOver(job: Job<Payload, Result>): boolean {
    return !this.#running.has(job) || (job.ended?.reason instanceof BrantError && job.ended.reason.code === 'STALE');
  }

  #say(type: string, job: Job<Payload, Result>, result?: Result, error?: unknown, failure?: Failure): void {
    this.dispatchEvent(new JobEvent(type, job, result, error, failure));
  }

  // ---- closing --------------------------------------------------------------------------------------------------------------------

  async #finish(): Promise<void> {
    try {
      while (this.#running.size > 0 && !this.#connection.closed && this.#failure === undefined) {
        await this.#change;
        if (!this.#connection.closed) await this.#claims.flush();
      }
      if (!this.#connection.closed && this.#failure === undefined) await this.#claims.flush();
    } catch (error) {
      if (!this.#connection.closed) throw error;
    } finally {
      this.#claims.abandon();
      this.dispatchEvent(new Event('close'));
    }
  }

  /** The grace is over. */
  #overdue(): void {
    const late = [...this.#running];
    for (const job of late) job.stop(new BrantError('CLOSED', 'the worker is closing'));
    // Those who heed their signal end now, and are released by their own.
    setImmediate(() => {
      for (const job of late) void this.#abandon(job);
    });
  }

  async #abandon(job: Job<Payload, Result>): Promise<void> {
    if (!this.#running.has(job)) return;
    try {
      if (job.settlement?.joined !== false) await this.#release(job);
    } catch (error) {
      this.#give(error);
    }
    this.#running.delete(job);
    this.#announce();
  }
}

function isClosing(job: Job): boolean {
  const reason = job.ended?.reason;
  return reason instanceof BrantError && reason.code === 'CLOSED';
}

function atLeast(value: number, least: number, what: string): number {
  if (!(Number.isInteger(value) && value >= least)) throw new BrantError('INVALID', `${what} is not a whole number from ${least} on`);
  return value;
}

function graceOf(grace: number): number {
  if (!(grace >= 0)) throw new BrantError('INVALID', 'grace is not a number of milliseconds');
  return grace;
}
