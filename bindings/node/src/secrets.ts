/* Secrets: attributes that a graph type encrypts, opened on demand and brought under new keys; and the envelopes that they are stored as. */
import { inspect } from 'node:util';
import type { Connection } from './connection.js';
import type { ErrorCode } from './error.js';
import type { ProgressOptions } from './exchange.js';
import { apart } from './input.js';
import { refuseCrossing, stringify } from './json.js';
import type { Kdf, KeyState } from './keys.js';
import { native } from './native.js';
import type { AsyncOptions } from './types.js';

const SHOWN = '[secret]';

/**
 * An opened value. Only `reveal` shows it: in a text, in JSON and to `util.inspect` it is `[secret]`; a copy by `structuredClone` or `postMessage` is
 * empty. Where it is given to a method of this package in place of its value, that is a TypeError.
 */
export class Secret<Value = unknown> {
  readonly #value: Value;
  readonly #keyVersion: number;

  /** @internal */
  constructor(value: Value, keyVersion: number) {
    this.#value = value;
    this.#keyVersion = keyVersion;
  }

  /** Of the key that it was sealed with. */
  get keyVersion(): number {
    return this.#keyVersion;
  }

  /** The value: any JSON. */
  reveal(): Value {
    return this.#value;
  }

  toString(): string {
    return SHOWN;
  }

  toJSON(): string {
    refuseCrossing('a secret is not written as what it shows; give what reveal() returns');
    return SHOWN;
  }

  [Symbol.toPrimitive](): string {
    return SHOWN;
  }

  /** @internal since its name is of Node.js's types, which a consumer need not have. */
  [inspect.custom](): string {
    return SHOWN;
  }
}

/** What an operation that opens answers. */
export interface Opened {
  value: unknown;
  key_version: number;
}

/** @internal */
export function secretOf<Value>({ value, key_version }: Opened): Secret<Value> {
  return new Secret<Value>(value as Value, key_version);
}

/** What stands in the place of an encrypted value. Bytes are in base64url. */
export interface Envelope {
  $enc: 2;
  alg: string;
  /** Key version. */
  kv: number;
  /** Nonce. */
  n: string;
  /** Commitment to the key. */
  c: string;
  /** Ciphertext. */
  ct: string;
  /** Of a password's key. */
  kdf?: Kdf;
}

/** An envelope of the older form, which is only read, and where the ring has `legacy`. */
export interface LegacyEnvelope {
  keyVersion: number;
  salt: string;
  iv: string;
  data: string;
}

/** The one place where an envelope opens. */
export interface EnvelopeContext {
  /** Default the file's own id. */
  tenant_id?: string | undefined;
  /** The graph's `id`, not its name. */
  graph_id: string;
  kind: 'node' | 'edge';
  /** Of the node or edge. */
  key: string;
  /** JSON pointer within the attributes: `/value`, `/db/password`. */
  path: string;
}

/** An envelope under the active key, in its place; `changed: false`: it is the one that was given. */
export interface Rewrapped {
  envelope: Envelope;
  changed: boolean;
}

/**
 * `db.envelopes`: sealing and opening by hand, as graphs do by themselves with attributes that their type encrypts. The `...Async` variants are for keys of
 * passwords, which are derived when they are first needed; they run on another thread.
 */
export class Envelopes {
  readonly #connection: Connection;

  /** @internal */
  constructor(connection: Connection) {
    this.#connection = connection;
  }

  /**
   * Encrypt a JSON value with the active key, for one place.
   *
   * @throws BrantError `NOT_FOUND`: there is no key ring, or no active key in it; `INVALID`: the context, or no value; `IO`: no random bytes.
   */
  seal(value: unknown, context: EnvelopeContext): Envelope {
    stringify(value, '/value'); // says what is wrong with it without its names
    return this.#connection.invoke(native.brant_envelope_seal, { value, context });
  }

  /** `seal` on another thread. */
  async sealAsync(value: unknown, context: EnvelopeContext, options?: AsyncOptions): Promise<Envelope> {
    stringify(value, '/value'); // says what is wrong with it without its names
    return this.#connection.invokeAsync('envelopes.seal', { value, context }, options);
  }

  /**
   * Open an envelope of this place.
   *
   * @throws BrantError `AUTH`: it does not open, whatever the reason; `NOT_FOUND`: there is no key ring, or it has no such key that may open;
   *   `UNSUPPORTED`: another algorithm; `LIMIT`: what its key costs is out of the ring's bounds.
   */
  open<Value = unknown>(envelope: Envelope | LegacyEnvelope, context: EnvelopeContext): Secret<Value> {
    return secretOf(this.#connection.invoke(native.brant_envelope_open, { envelope, context }));
  }

  /** `open` on another thread. */
  async openAsync<Value = unknown>(
    envelope: Envelope | LegacyEnvelope,
    context: EnvelopeContext,
    options?: AsyncOptions,
  ): Promise<Secret<Value>> {
    return secretOf(await this.#connection.invokeAsync('envelopes.open', { envelope, context }, options));
  }

  /** Bring an envelope under the active key, and into another place if `to` is given; errors as those of `open` and `seal`. */
  rewrap(envelope: Envelope | LegacyEnvelope, context: EnvelopeContext, to?: EnvelopeContext): Rewrapped {
    return this.#connection.invoke(native.brant_envelope_rewrap, { envelope, context, to });
  }

  /** `rewrap` on another thread. */
  rewrapAsync(
    envelope: Envelope | LegacyEnvelope,
    context: EnvelopeContext,
    to?: EnvelopeContext,
    options?: AsyncOptions,
  ): Promise<Rewrapped> {
    return this.#connection.invokeAsync('envelopes.rewrap', { envelope, context, to }, options);
  }
}

/** What to rotate. */
export interface RotateOptions {
  /** The name of one; default all graphs of the file. */
  graph?: string | undefined;
  /** Rows of a batch, 1 to 100 000, default 1000. */
  batch?: number | undefined;
  /** Batches of this call; default until all is done. */
  limit?: number | undefined;
}

/** A value that did not open. */
export interface RotationFailure {
  graph: string;
  kind: 'node' | 'edge';
  key: string;
  /** JSON pointer within the attributes. */
  path: string;
  code: ErrorCode;
  message: string;
}

/** What the batches of a rotation did. */
export interface Rotated {
  done: boolean;
  /** Of the active key. */
  key_version: number;
  /** Values that had another key. */
  rewrapped: number;
  /** Values that were plain. */
  sealed: number;
  /** Values that do not open: they are left as they are. */
  failed: number;
  /** The first 100 of them. */
  failures: RotationFailure[];
  /** Rows that are to be looked at yet. */
  remaining: number;
  /** When it is done: nothing is left in the file of what was plain. Else rotate again. */
  scrubbed?: boolean;
  /** When it is done: how many values are under each key version; 0: plain. */
  keys?: { version: number; count: number }[];
}

/** How many values are under which key, and the rotation to the newest one, null when there was none. */
export interface SecretsStatus {
  /** `state` is what the handle's ring says of the key: `'unknown'` when it does not have it; `'plain'` of version 0. */
  keys: { version: number; state: KeyState | 'unknown' | 'plain'; count: number }[];
  total: number;
  rotation: {
    key_version: number;
    done: boolean;
    rewrapped: number;
    sealed: number;
    failed: number;
    remaining: number;
    started_at: number;
    updated_at: number;
  } | null;
}

/** `db.secrets`: all values that graph types encrypt. */
export class Secrets {
  readonly #connection: Connection;

  /** @internal */
  constructor(connection: Connection) {
    this.#connection = connection;
  }

  /**
   * Bring every value under the ring's active key, and seal what is plain because its type encrypts only since then. To change keys: attach a ring whose
   * active key is new and that still has the old ones, in every process that writes; rotate; then drop the old ones.
   *
   * Each batch is a transaction of its own, so that others write meanwhile, and a rotation that was broken off goes on where it was. Values, revisions and
   * times of rows stay as they are.
   *
   * @param options - `onProgress` is called after each batch
   * @returns what this call did, all batches together
   * @throws BrantError `NOT_FOUND`: the handle has no active key, no such graph; `CONFLICT`: a rotation to a newer key was begun.
   */
  rotate(options: RotateOptions & ProgressOptions<Rotated> = {}): Rotated {
    const { onProgress, limit, ...input } = options;
    if (inOneCall(limit, onProgress)) return this.#connection.invoke(native.brant_secret_rotate, { ...input, limit });
    let total: Rotated | undefined;
    let batches = 0;
    do {
      total = together(total, this.#connection.invoke(native.brant_secret_rotate, input));
      onProgress?.(total);
    } while (!total.done && ++batches !== limit);
    return total;
  }

  /** `rotate` on another thread; between batches other asynchronous calls have their turn. */
  async rotateAsync(options?: RotateOptions & ProgressOptions<Rotated> & AsyncOptions): Promise<Rotated> {
    const [{ onProgress, limit, ...input }, call] = apart(options);
    if (inOneCall(limit, onProgress)) return this.#connection.invokeAsync('secrets.rotate', { ...input, limit }, call);
    let total: Rotated | undefined;
    let batches = 0;
    do {
      total = together(total, await this.#connection.invokeAsync('secrets.rotate', input, call));
      onProgress?.(total);
    } while (!total.done && ++batches !== limit);
    return total;
  }

  /**
   * `rotate` as a job of the queue `secret-rotation`, which `db.maintain` works in bounded steps on handles that have the active key;
   * `db.jobs.finished(job)` waits for its end.
   */
  rotateInBackground(options?: Omit<RotateOptions, 'limit'>): { job: number } {
    return this.#connection.invoke(native.brant_secret_rotate, { ...options, background: true });
  }

  /** How many values are under each key version. Needs no ring, opens nothing. @throws BrantError `NOT_FOUND`: no such graph. */
  status(options?: { graph?: string | undefined }): SecretsStatus {
    return this.#connection.invoke(native.brant_secret_status, { ...options });
  }

  /** `status` on another thread. */
  statusAsync(options?: { graph?: string | undefined } & AsyncOptions): Promise<SecretsStatus> {
    const [rest, call] = apart(options);
    return this.#connection.invokeAsync('secrets.status', rest, call);
  }
}

/** Nobody looks on between the batches; or the limit is none, which is refused there. */
function inOneCall(limit: number | undefined, onProgress: unknown): boolean {
  return limit !== undefined && (onProgress === undefined || !Number.isInteger(limit) || limit < 1);
}

/** A further batch, added up. */
function together(before: Rotated | undefined, batch: Rotated): Rotated {
  if (before === undefined) return batch;
  return {
    ...batch,
    rewrapped: before.rewrapped + batch.rewrapped,
    sealed: before.sealed + batch.sealed,
    failed: before.failed + batch.failed,
    failures: [...before.failures, ...batch.failures].slice(0, 100),
  };
}
