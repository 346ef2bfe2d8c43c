/*
 * What a worker holds: its claimed jobs, kept by heartbeats, told of cancellation, and acknowledged by riding on the next claim. Shared by
 * `Queue.process` and `Queue.work`.
 *
 * All calls are short ones on this thread's handle, and never part of a transaction that the user has open: then, or when another writer holds
 * the file, they are tried again a little later.
 */
import { randomUUID } from 'node:crypto';
import { hostname } from 'node:os';
import { threadId } from 'node:worker_threads';
import type { Connection } from './connection.js';
import { BrantError } from './error.js';
import { type ClaimedJob, type Failure, Job } from './job.js';
import { type Dispatcher, LONGEST, type Listener } from './listener.js';
import { native } from './native.js';
import { allUnpacked } from './payload.js';

/** Milliseconds until a claim that another writer kept from happening is tried again; it doubles. */
const AGAIN = 5;
const AGAIN_LONGEST = 500;

/** How to claim. */
export interface ClaimOptions {
  /** Who claims, as the job's row shows it. Default: host, process and thread, and a part that is random. */
  worker?: string | undefined;
  /** Milliseconds that a claim lasts without a heartbeat. Default: the queue's. */
  lease?: number | undefined;
}

interface Hooks<Payload, Result> {
  /** It is held no more: settled, or lost. */
  dropped?(job: Job<Payload, Result>): void;
  /** The ack was committed. */
  acked?(job: Job<Payload, Result>): void;
  /** The result cannot be kept, so the job has failed. */
  refused?(job: Job<Payload, Result>, error: unknown, failure: Failure): void;
  /** The lease was lost: somebody else may have the job. */
  stalled?(job: Job<Payload, Result>): void;
  /** Nothing can be kept any more: the handle is closed, or cannot go on. */
  ended?(): void;
}

interface Ack<Payload, Result> {
  job: Job<Payload, Result>;
  result: Result | undefined;
}

/** The answer of `jobs.heartbeat_many`. */
interface Beat {
  id: number;
  lease_until?: number;
  stale?: boolean;
  cancel_requested?: boolean;
}

/** A name for a worker that has none. @internal */
export function workerName(): string {
  return `${hostname().slice(0, 100)}:${process.pid}:${threadId}:${randomUUID().slice(0, 8)}`;
}

/** @internal */
export class Claims<Payload, Result> {
  readonly worker: string;
  readonly #connection: Connection;
  readonly #dispatcher: Dispatcher;
  readonly #queue: string;
  readonly #lease: number | undefined;
  readonly #hooks: Hooks<Payload, Result>;
  readonly #held = new Map<number, Job<Payload, Result>>();
  #acks: Ack<Payload, Result>[] = [];
  #watch: Listener<unknown> | undefined;
  #ready: Promise<void> | undefined;
  #cancels: Listener<{ id: number; token: number }> | undefined;
  #beat: NodeJS.Timeout | undefined;
  #keepsAlive = true;
  #closed = false;

  constructor(
    connection: Connection,
    dispatcher: Dispatcher,
    queue: string,
    options: ClaimOptions,
    hooks: Hooks<Payload, Result> = {},
  ) {
    this.#connection = connection;
    this.#dispatcher = dispatcher;
    this.#queue = queue;
    this.#lease = options.lease;
    this.#hooks = hooks;
    this.worker = options.worker ?? workerName();
  }

  /** What is held: claimed, and neither settled nor lost. */
  get held(): Iterable<Job<Payload, Result>> {
    return this.#held.values();
  }

  /** There are acks that were not written yet. */
  get pending(): boolean {
    return this.#acks.length > 0;
  }

  ref(keepsAlive: boolean): void {
    this.#keepsAlive = keepsAlive;
    if (keepsAlive) {
      this.#watch?.ref();
      this.#beat?.ref();
    } else {
      this.#watch?.unref();
      this.#beat?.unref();
    }
  }

  /** Write the acks and claim up to `limit` jobs, in one transaction. */
  async take(limit: number): Promise<Job<Payload, Result>[]> {
    this.#listenForCancels();
    try {
      return await this.#take(limit);
    } catch (error) {
      if (this.#acks.length === 0 || isClosed(error)) throw error;
      await this.#ackEach();
      return this.#take(limit);
    }
  }

  #take(limit: number): Promise<Job<Payload, Result>[]> {
    return this.#patiently(() => {
      if (this.#closed) return [];
      const acks = this.#acks;
      const answer = this.#connection.invoke<{ items: ClaimedJob<Payload>[]; stale?: number[] }>(native.brant_queue_claim, {
        queue: this.#queue,
        worker: this.worker,
        limit,
        lease: this.#lease,
        ...(acks.length > 0 ? { ack: acks.map(ackOf) } : {}),
      });
      this.#acks = [];
      const jobs = allUnpacked<ClaimedJob<Payload>>(answer.items).map((item) => this.#hold(item));
      this.#acked(acks, answer.stale);
      return jobs;
    });
  }

  /** Write the acks. */
  async flush(): Promise<void> {
    try {
      await this.#patiently(() => {
        const acks = this.#acks;
        if (acks.length === 0) return;
        const answer = this.#connection.invoke<{ stale: number[] }>(native.brant_job_ack_many, { items: acks.map(ackOf) });
        this.#acks = [];
        this.#acked(acks, answer.stale);
      });
    } catch (error) {
      if (isClosed(error)) throw error;
      await this.#ackEach();
    }
  }

  /** One of the acks is refused, say for a result that is no JSON: that one is a failure, and the others are not. */
  async #ackEach(): Promise<void> {
    const acks = this.#acks;
    this.#acks = [];
    for (const { job, result } of acks) {
      try {
        if (await this.settle(job, () => job.ack(result))) this.#hooks.acked?.(job);
        else this.#stalled(job);
      } catch (error) {
        if (isClosed(error)) throw error;
        let failure: Failure | undefined;
        if (await this.settle(job, () => (failure = job.fail(error)))) this.#hooks.refused?.(job, error, failure as Failure);
      }
    }
  }

  #acked(acks: Ack<Payload, Result>[], stale: number[] | undefined): void {
    const lost = new Set(stale);
    for (const { job } of acks) {
      if (!lost.has(job.id) || job.settlement?.joined) this.#hooks.acked?.(job);
      else this.#stalled(job);
    }
  }

  /** The job is done; said with the next claim, or flush. */
  ack(job: Job<Payload, Result>, result?: Result): void {
    this.#acks.push({ job, result });
    this.#drop(job);
  }

  /** Settle a job outside of any transaction of the user's. False: the claim was not the last one any more. */
  async settle(job: Job<Payload, Result>, how: (job: Job<Payload, Result>) => void): Promise<boolean> {
    try {
      await this.#patiently(() => how(job));
      return true;
    } catch (error) {
      if (!(error instanceof BrantError && (error.code === 'STALE' || error.code === 'NOT_FOUND'))) throw error;
      return false;
    } finally {
      this.#drop(job);
    }
  }

  #hold(claimed: ClaimedJob<Payload>): Job<Payload, Result> {
    const job = new Job<Payload, Result>(this.#connection, claimed);
    job.onSettled = () => this.#drop(job);
    this.#held.set(job.id, job);
    if (this.#beat === undefined) this.#plan(this.#third(job));
    return job;
  }

  #drop(job: Job<Payload, Result>): void {
    if (this.#held.get(job.id) !== job) return;
    this.#held.delete(job.id);
    this.#hooks.dropped?.(job);
    if (this.#held.size > 0) return;
    clearTimeout(this.#beat);
    this.#beat = undefined;
    if (this.#closed) this.#cancels?.close();
  }

  // ---- waiting ------------------------------------------------------------------------------------------------------------------

  /** Resolves when there may be something to claim; rejects when the handle is closed. One wait, however often it is asked for. */
  ready(): Promise<void> {
    return (this.#ready ??= this.#wait().finally(() => (this.#ready = undefined)));
  }

  async #wait(): Promise<void> {
    await this.#patiently(() => {
      if (this.#closed || this.#connection.closed) return;
      this.#watch ??= this.#dispatcher.listen('queues.watch', { queue: this.#queue });
      if (!this.#keepsAlive) this.#watch.unref();
    });
    for (;;) {
      const watch = this.#watch;
      if (watch === undefined) return;
      try {
        await watch.next();
        return;
      } catch (error) {
        // Whoever rests closes it; then there is nobody who wants to know.
        if (watch !== this.#watch && !this.#connection.closed) return;
        if (!isTransient(error)) throw error;
        await pause(AGAIN);
      }
    }
  }

  /** Do not be woken for jobs that cannot be taken now: others can. */
  rest(): void {
    const watch = this.#watch;
    this.#watch = undefined;
    watch?.close();
  }

  /** Run `call` when no transaction is open and no other writer is in the way. */
  async #patiently<T>(call: () => T): Promise<T> {
    for (let delay = AGAIN; ; delay = Math.min(delay * 2, AGAIN_LONGEST)) {
      if (!this.#connection.inTransaction) {
        try {
          return call();
        } catch (error) {
          if (!isTransient(error)) throw error;
        }
      }
      await pause(delay * (0.5 + Math.random()));
    }
  }

  // ---- heartbeats and cancellation ------------------------------------------------------------------------------------------------

  /** A third of what is left of a lease. */
  #third(job: Job<Payload, Result>): number {
    return Math.max((this.#lease ?? job.lease_until - Date.now()) / 3, 10);
  }

  #plan(delay: number): void {
    this.#beat = setTimeout(() => this.#heartbeat(), Math.min(delay, LONGEST));
    if (!this.#keepsAlive) this.#beat.unref();
  }

  #heartbeat(): void {
    this.#beat = undefined;
    if (this.#connection.closed || this.#held.size === 0) return;
    // Not yet: a little later, while there is still time.
    if (this.#connection.inTransaction) return this.#plan(50);
    let soonest = Infinity;
    try {
      const jobs = [...this.#held.values()];
      const answer = this.#connection.invoke<{ items: Beat[] }>(native.brant_job_heartbeat_many, {
        items: jobs.map(({ id, token }) => ({ id, token })),
        lease: this.#lease,
      });
      answer.items.forEach((beat, i) => this.#beaten(jobs[i] as Job<Payload, Result>, beat));
      for (const job of this.#held.values()) soonest = Math.min(soonest, this.#third(job));
    } catch (error) {
      if (!isTransient(error)) return this.#fail(error);
      soonest = 100;
    }
    if (this.#held.size > 0) this.#plan(soonest);
  }

  #beaten(job: Job<Payload, Result>, beat: Beat): void {
    if (beat.stale) return this.#stalled(job);
    job.lease_until = beat.lease_until ?? job.lease_until;
    if (beat.cancel_requested) job.stop(cancelled());
  }

  #stalled(job: Job<Payload, Result>): void {
    this.#drop(job);
    job.stop(new BrantError('STALE', 'the lease of the job was lost'));
    this.#hooks.stalled?.(job);
  }

  #listenForCancels(): void {
    if (this.#cancels !== undefined || this.#connection.inTransaction) return;
    try {
      this.#cancels = this.#dispatcher.listen<{ id: number; token: number }>('jobs.cancels', { queue: this.#queue, worker: this.worker });
    } catch (error) {
      // With the next claim then; heartbeats tell too.
      if (isTransient(error)) return;
      throw error;
    }
    void this.#hearCancels(this.#cancels.unref());
  }

  async #hearCancels(cancels: Listener<{ id: number; token: number }>): Promise<void> {
    for (;;) {
      try {
        const asked = await cancels.next();
        const job = asked === undefined ? undefined : this.#held.get(asked.id);
        if (job !== undefined && job.token === asked?.token) job.stop(cancelled());
      } catch (error) {
        if (this.#connection.closed) this.#fail(error);
        if (cancels.closed || !isTransient(error)) return;
        await pause(AGAIN_LONGEST);
      }
    }
  }

  /** Jobs cannot be kept any more. */
  #fail(error: unknown): void {
    for (const job of [...this.#held.values()]) job.stop(error);
    this.#hooks.ended?.();
  }

  /** Claim no more. What is held is kept until it is settled. */
  close(): void {
    this.#closed = true;
    this.rest();
    if (this.#held.size === 0) this.#cancels?.close();
  }

  /** Hold nothing any more. */
  abandon(): void {
    for (const job of [...this.#held.values()]) this.#drop(job);
    this.close();
  }
}

/** Another writer was in the way, or somebody interrupted the handle: it is worth trying again. @internal */
export function isTransient(error: unknown): boolean {
  return error instanceof BrantError && (error.code === 'BUSY' || error.code === 'INTERRUPTED' || error.code === 'TIMEOUT');
}

function isClosed(error: unknown): boolean {
  return error instanceof BrantError && error.code === 'CLOSED';
}

/** @internal */
export function cancelled(): BrantError {
  return new BrantError('INTERRUPTED', 'the job was cancelled');
}

/** @internal */
export function pause(ms: number): Promise<void> {
  return new Promise((done) => setTimeout(done, ms));
}

function ackOf<Payload, Result>({ job, result }: Ack<Payload, Result>): { id: number; token: number; result?: Result | undefined } {
  return { id: job.id, token: job.token, result };
}
