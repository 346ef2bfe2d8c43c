/* A queue's jobs as a loop: `for await (const job of queue.work())`. */
import { type ClaimOptions, Claims } from './claims.js';
import { type Connection, closedError } from './connection.js';
import { BrantError } from './error.js';
import type { Job } from './job.js';
import type { Dispatcher } from './listener.js';
import { Turn } from './turn.js';

export interface WorkOptions extends ClaimOptions {
  /**
   * Jobs that may be unsettled at once. Default 1: coming back for the next job acks the one before, unless it is settled already. With more each
   * job has to be settled by itself, and the loop waits while so many are not.
   */
  concurrency?: number | undefined;
  /** Ends the loop with its reason, between two jobs. */
  signal?: AbortSignal | undefined;
}

/**
 * The jobs of a queue as they become ready. While they are not settled, heartbeats keep them. A loop that is left, by an error too, fails the
 * job that it was at: `ack` it first when it is done.
 *
 * @internal
 */
export async function* work<Payload, Result>(
  connection: Connection,
  dispatcher: Dispatcher,
  queue: string,
  options: WorkOptions,
): AsyncGenerator<Job<Payload, Result>, void, undefined> {
  const { concurrency = 1, signal } = options;
  if (!(Number.isInteger(concurrency) && concurrency >= 1)) throw new BrantError('INVALID', 'concurrency is not a whole number from 1 on');
  signal?.throwIfAborted();
  const unsettled = new Set<Job<Payload, Result>>();
  let change: () => void = () => undefined;
  const claims = new Claims<Payload, Result>(connection, dispatcher, queue, options, {
    dropped: (job) => {
      unsettled.delete(job);
      change();
    },
    ended: () => change(),
  });
  const turn = new Turn();
  const onAbort = (): void => {
    claims.close();
    change();
  };
  signal?.addEventListener('abort', onAbort, { once: true });
  let jobs: Job<Payload, Result>[] = [];
  let at: Job<Payload, Result> | undefined;
  try {
    for (;;) {
      signal?.throwIfAborted();
      const free = concurrency - unsettled.size;
      if (connection.closed) throw closedError();
      if (free <= 0) {
        claims.rest();
        await new Promise<void>((done) => (change = done));
        continue;
      }
      jobs = await claims.take(free);
      if (jobs.length === 0) await claims.ready();
      if (concurrency > 1) for (const job of jobs) unsettled.add(job);
      while (jobs.length > 0) {
        if (turn.isOver) await turn.pass();
        signal?.throwIfAborted();
        at = jobs.shift() as Job<Payload, Result>;
        yield at;
        if (concurrency === 1 && isToAck(at)) claims.ack(at);
        at = undefined;
      }
    }
  } catch (error) {
    if (!(connection.closed && error instanceof BrantError && error.code === 'CLOSED')) throw error;
  } finally {
    signal?.removeEventListener('abort', onAbort);
    claims.close();
    if (!connection.closed) {
      await claims.flush();
      if (at !== undefined && concurrency === 1 && !at.settled) {
        await claims.settle(at, (job) => job.fail('the loop over the jobs was left before this one was settled'));
      }
      for (const job of jobs) await claims.settle(job, () => job.release());
    }
  }
}

/** Not settled, or in a transaction that may have been rolled back. */
function isToAck({ settlement }: Job): boolean {
  return settlement === undefined || (settlement.how === 'acked' && settlement.joined);
}
