/* Jobs by their id: `db.jobs`. Each method is one operation. */
import type { Connection } from './connection.js';
import { type FailOptions, type Failure, type JobInfo, type JobState, type Snoozed, described } from './job.js';
import { snakeCase } from './json.js';
import type { Dispatcher, ListenOptions, Listener } from './listener.js';
import { native } from './native.js';
import { type Moment, moment, packed, unpacked } from './payload.js';
import { type ResultOptions, finished } from './queue.js';

/** A claim: a job, and the token of its last claim. A {@link Job} is one. */
export interface Claim {
  id: number;
  token: number;
}

/** `db.jobs`. Those that take a claim throw `STALE` when it is not the job's last one; all throw `NOT_FOUND` for a job that is not there. */
export class Jobs {
  readonly #connection: Connection;
  readonly #dispatcher: Dispatcher;

  /** @internal */
  constructor(connection: Connection, dispatcher: Dispatcher) {
    this.#connection = connection;
    this.#dispatcher = dispatcher;
  }

  get<Payload = unknown, Result = unknown>(id: number): JobInfo<Payload, Result> {
    return unpacked(this.#connection.invoke(native.brant_job_get, { id }));
  }

  /** Done. */
  ack(claim: Claim, result?: unknown): void {
    this.#connection.invoke(native.brant_job_ack, { ...bare(claim), result });
  }

  /** Done, all of them; `stale`: the ids of those that could not be acked. */
  ackMany(claims: Iterable<Claim & { result?: unknown }>): { acked: number; stale: number[] } {
    const items = Array.from(claims, (claim) => ({ ...bare(claim), result: claim.result }));
    return this.#connection.invoke(native.brant_job_ack_many, { items });
  }

  /** The attempt failed: again after the queue's back-off, or dead. */
  fail(claim: Claim, error: unknown, options?: FailOptions): Failure {
    return this.#connection.invoke(native.brant_job_fail, { ...bare(claim), ...options, error: described(error) });
  }

  /** Again in `delay` ms; the attempt does not count. */
  snooze(claim: Claim, delay: number): Snoozed {
    return this.#connection.invoke(native.brant_job_snooze, { ...bare(claim), delay });
  }

  /** Ready again at once; the attempt does not count. */
  release(claim: Claim): Snoozed {
    return this.#connection.invoke(native.brant_job_release, bare(claim));
  }

  /** Keep a claim for another lease. */
  heartbeat(
    claim: Claim,
    options?: { lease?: number | undefined; progress?: unknown },
  ): { lease_until: number; cancel_requested: boolean } {
    return this.#connection.invoke(native.brant_job_heartbeat, { ...bare(claim), ...options });
  }

  /** Keep many claims. What cannot be kept is `stale`. */
  heartbeatMany(
    claims: Iterable<Claim>,
    options?: { lease?: number | undefined },
  ): { id: number; lease_until?: number; stale?: true; cancel_requested?: true }[] {
    const input = { ...options, items: Array.from(claims, bare) };
    return this.#connection.invoke<{ items: { id: number }[] }>(native.brant_job_heartbeat_many, input).items;
  }

  /** Cancel one that waits; ask one that runs to stop, by its signal. @throws BrantError `CONFLICT`: it has ended. */
  cancel(id: number): { state: 'cancelled' | 'running' } {
    return this.#connection.invoke(native.brant_job_cancel, { id });
  }

  /** One that is dead, cancelled or expired again: attempts from 0, errors kept. */
  requeue(id: number, options?: { payload?: unknown }): { state: JobState } {
    return this.#connection.invoke(native.brant_job_requeue, { id, ...packed(options?.payload) });
  }

  /** @throws BrantError `CONFLICT`: it runs. */
  delete(id: number): void {
    this.#connection.invoke(native.brant_job_delete, { id });
  }

  /** Change one that waits. @throws BrantError `CONFLICT`: it does not. */
  update(
    id: number,
    changes: { priority?: number | undefined; runAt?: Moment | undefined; payload?: unknown },
  ): JobInfo {
    const { payload, runAt, ...rest } = changes;
    const input = { ...snakeCase(rest), ...(runAt === undefined ? {} : { run_at: moment(runAt) }), ...packed(payload), id };
    return unpacked(this.#connection.invoke(native.brant_job_update, input));
  }

  /** Wait until a job has ended, however that is. One that was removed since is only `{ id, state: 'done' }`. Rejects with `TIMEOUT`, `NOT_FOUND`. */
  finished<Payload = unknown, Result = unknown>(
    id: number,
    options: ResultOptions = {},
  ): Promise<Partial<JobInfo<Payload, Result>> & { id: number; state: JobState }> {
    return finished<Payload, Result>(this.#dispatcher, id, options);
  }

  /** Yields a job's row once it has ended, and then no more. */
  watch(id: number, options?: ListenOptions): Listener<Partial<JobInfo> & { id: number; state: JobState }> {
    return this.#dispatcher.listen('jobs.watch', { id }, options);
  }

  /** Yields the running jobs of a worker that somebody wants cancelled. Workers listen to it by themselves. */
  cancels(queue: string, worker: string, options?: ListenOptions): Listener<Claim> {
    return this.#dispatcher.listen('jobs.cancels', { queue, worker }, options);
  }
}

function bare({ id, token }: Claim): Claim {
  return { id, token };
}
