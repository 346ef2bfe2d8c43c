/* The call protocol: what callers and callees say to each other, as events of the stream `call-protocol`, and its projection into a graph. */
import type { Connection } from './connection.js';
import { snakeCase } from './json.js';
import { native } from './native.js';
import type { AsyncOptions } from './types.js';

/** One event of a call, validated at the door; which members there are depends on `event`. */
export interface CallEvent {
  event: 'call.requested' | 'call.responded' | 'call.completed' | 'call.aborted' | 'call.error';
  request_id: string;
  operation_id?: string;
  namespace?: string;
  type?: 'query' | 'mutation' | 'subscription';
  input?: unknown;
  output?: unknown;
  error?: { code: string; message?: string };
  identity?: { id: string; scopes?: string[]; resources?: Record<string, string[]> };
  /** The call that triggered it. */
  parent_request_id?: string;
  /** Calls whose results it needs. */
  depends_on?: (string | { request_id: string; reason?: string })[];
  deadline?: number;
  [member: string]: unknown;
}

/** What a projection did. */
export interface Projection {
  projected: number;
  /** What is up to it is in the graph. */
  offset: number;
  /** There are further events: project again. */
  more: boolean;
}

/** `db.calls`. */
export class Calls {
  readonly #connection: Connection;

  /** @internal */
  constructor(connection: Connection) {
    this.#connection = connection;
  }

  /** Publish an event of a call, in the running transaction; its offset in the stream `call-protocol`. */
  publish(event: CallEvent): { offset: number } {
    return this.#connection.invoke(native.brant_call_publish, event);
  }

  /**
   * Bring the events into a graph of the type `call`, each once whatever happens in between: effect and position are committed together.
   *
   * @param options - `stream`, default `call-protocol`; `consumer`, default `calls:<graph>`; `limit`: events at once, default 1000
   */
  project(
    graph: string,
    options?: { stream?: string | undefined; consumer?: string | undefined; limit?: number | undefined },
  ): Projection {
    return this.#connection.invoke(native.brant_call_project, { ...snakeCase(options), graph });
  }

  /** `project` on another thread. */
  projectAsync(
    graph: string,
    options: { stream?: string | undefined; consumer?: string | undefined; limit?: number | undefined } & AsyncOptions = {},
  ): Promise<Projection> {
    const { signal, timeout, ...rest } = options;
    return this.#connection.invokeAsync('calls.project', { ...snakeCase(rest), graph }, { signal, timeout });
  }
}
