/* Outboxes: a side effect for each committed change, at least once. */
import { BrantError } from './error.js';
import type { Job } from './job.js';
import type { EnqueueOptions, Enqueued, Queue } from './queue.js';
import type { ProcessOptions, Worker } from './worker.js';

/** What delivers. It may be called more than once for a message: `job.id` is the same then, and serves as an idempotency key. */
export type Deliver<Message> = (message: Message, job: Job<Message, unknown>) => unknown;

/**
 * `db.outbox(name, deliver)`: what is sent in a transaction is delivered once that is committed, and tried again with the policy of the queue
 * `outbox:<name>` until `deliver` succeeds; what never does is kept there as a dead job.
 *
 * ```js
 * const mails = db.outbox('mails', (mail, job) => post(mail, { idempotencyKey: job.id }));
 * db.transaction(() => {
 *   graph.nodes.put({ key: 'order-1' });
 *   mails.send({ to: 'a@b.org', about: 'order-1' });
 * });
 * ```
 */
export class Outbox<Message = unknown> {
  /** Its queue: `stats`, `configure`, `requeue`. */
  readonly queue: Queue<Message, unknown>;
  /** Undefined when nothing is delivered by this object. */
  readonly worker: Worker<Message, unknown> | undefined;

  /** @internal */
  constructor(queue: Queue<Message, unknown>, deliver: Deliver<Message> | undefined, options: ProcessOptions) {
    if (deliver !== undefined && typeof deliver !== 'function') throw new BrantError('INVALID', 'deliver is not a function');
    this.queue = queue;
    this.worker =
      deliver === undefined
        ? undefined
        : queue.process(async (job) => {
            await deliver(job.payload, job);
            return undefined;
          }, options);
  }

  /** Have a message delivered when the running transaction is committed. With a `key`, and a queue that is `fifo`, those of a key in order. */
  send(message: Message, options?: EnqueueOptions): Enqueued {
    return this.queue.enqueue(message, options);
  }

  /** Deliver no more; see {@link Worker.close}. */
  async close(options?: { grace?: number | undefined }): Promise<void> {
    await this.worker?.close(options);
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close();
  }
}
