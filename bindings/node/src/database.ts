/*
 * A database handle as Node.js users expect one: synchronous, with asynchronous variants of what can be long.
 */
import { isMainThread } from 'node:worker_threads';
import { fileURLToPath } from 'node:url';
import { Access } from './access.js';
import { Accounts } from './accounts.js';
import { ApiKeys } from './api_keys.js';
import { Audit } from './audit.js';
import { Connection, fileSource, guard } from './connection.js';
import { calls, traced } from './diagnostics.js';
import { BrantError } from './error.js';
import type { DefinedModule } from './define_module.js';
import { Graph, Graphs } from './graph.js';
import { GraphTypes } from './graph_types.js';
import { type Authenticated, type Identity, type Token, authenticate } from './identity.js';
import { Indexes } from './indexes.js';
import { apart, array } from './input.js';
import { Calls } from './calls.js';
import { BrantEventTarget, type EventTargetOptions } from './event_target.js';
import { Invitations } from './invitations.js';
import { Jobs } from './jobs.js';
import { parse, snakeCase, stringify } from './json.js';
import { type KeyRing, type KeyRingFields, type KeyRingInfo, attachRing } from './keys.js';
import { Dispatcher, Listener, type ListenOptions } from './listener.js';
import { Lock, Locks, type LockOptions } from './lock.js';
import { Members } from './members.js';
import { type RawCursor, native } from './native.js';
import type { InputOf, OperationName, OutputOf } from './operations.js';
import { Organizations } from './organizations.js';
import { type Deliver, Outbox } from './outbox.js';
import { packed } from './payload.js';
import { Queue, Queues } from './queue.js';
import { RateLimit, RateLimits, type RateLimitOptions } from './rate_limit.js';
import { Scheduler, Schedules, type SchedulerOptions } from './schedules.js';
import { Envelopes, Secrets } from './secrets.js';
import { copied, statement } from './sql.js';
import { Stream, Streams } from './stream.js';
import { Tenants } from './tenants.js';
import { Types } from './typed.js';
import type { ProcessOptions } from './worker.js';
import type { AnySchema, AsyncOptions, ChannelInfo, Copy, Diagnosis, EraseOptions, Erasure, GraphSchema, Info, ListOptions, Listed, Maintenance, Notification, OpenOptions, OperationSpec, SqlOptions, SqlParameters, SqlResult, SqlValue } from './types.js';

/** How long asynchronous calls, and all in a Worker, wait for another writer. */
export const PATIENT = 5000;
/** How long the main thread's event loop may stand still for another writer. */
export const IMPATIENT = 250;

/**
 * Open a file, creating it when there is none, and bring it to this version's format.
 *
 * @param path - a path, a `file:` URL, or `':memory:'` for a private database without wake across processes
 * @throws BrantError `NOT_FOUND`: no file (modes `rw`, `ro`), or no folder; `NOT_BRANT`: a folder or another program's file; `NEWER_FORMAT`;
 *   `FOREIGN_SQLITE`: another SQLite in this process has the file open; `NETWORK_FS`; `READ_ONLY`; `CONFLICT`: another role; `INVALID`.
 */
export function open(path: string | URL, options?: OpenOptions): Database {
  return new Database(path, options);
}

/** What operations there are, described as data. */
export function operations(namespace?: string): OperationSpec[] {
  const text = guard(() => native.brant_operation_list(null, stringify({ namespace })));
  return (parse(text, 'exact') as { items: OperationSpec[] }).items;
}

/** The library's version, "0.1.0". */
export const version: string = native.brant_version();

/**
 * One connection to one file. Methods are synchronous and throw {@link BrantError}; those that end in `Async`, `backup` and `restore`
 * return a promise and run on another thread over a connection of their own: they never take part in a transaction of this
 * handle, they see what is committed, and run one after another. A handle belongs to its thread; each Worker opens its own.
 *
 * An operation outside a transaction is one of its own. Every method can throw `CLOSED`, `BUSY`, `INVALID`, `LIMIT`, `READ_ONLY`,
 * `CORRUPT`, `FULL` and `IO`; their comments name what is particular.
 */
export class Database {
  readonly #connection: Connection;
  readonly #dispatcher: Dispatcher;
  /** Graph types. */
  readonly graphTypes: GraphTypes;
  /** Graphs, as a whole; one graph's nodes and edges are in `graph(name)`. */
  readonly graphs: Graphs;
  /** Indexes over attributes. */
  readonly indexes: Indexes;
  /** All queues; one queue is `queue(name)`. */
  readonly queues: Queues;
  /** Jobs by their id. */
  readonly jobs: Jobs;
  /** All streams; one stream is `stream(name)`. */
  readonly streams: Streams;
  /** All locks that are held; one lock is `lock(name)`. */
  readonly locks: Locks;
  /** All rate limits; one is `rateLimit(name, rule)`. */
  readonly rateLimits: RateLimits;
  /** Jobs by the clock. */
  readonly schedules: Schedules;
  /** The call protocol. */
  readonly calls: Calls;
  /** All values that graph types encrypt; one is opened by `openSecret` of nodes and edges. */
  readonly secrets: Secrets;
  /** Encryption by hand. */
  readonly envelopes: Envelopes;
  readonly accounts: Accounts;
  readonly organizations: Organizations;
  /** Who belongs to which organization. */
  readonly members: Members;
  readonly invitations: Invitations;
  readonly apiKeys: ApiKeys;
  /** The audit log. */
  readonly audit: Audit;
  /** Who may do what: the graph `access`; another one is `accessGraph(name)`. */
  readonly access: Access;
  /** Of a hub's system file: organizations as files. */
  readonly tenants: Tenants;

  /** As {@link open}. */
  constructor(path: string | URL, options?: OpenOptions);
  /** @internal */
  constructor(connection: Connection, options?: OpenOptions, above?: Dispatcher);
  constructor(path: string | URL | Connection, options: OpenOptions = {}, above?: Dispatcher) {
    this.#connection = path instanceof Connection ? path : connectionOf(path, options);
    this.#dispatcher = new Dispatcher(this.#connection, above);
    this.graphTypes = new GraphTypes(this.#connection);
    this.graphs = new Graphs(this.#connection);
    this.indexes = new Indexes(this.#connection);
    this.queues = new Queues(this.#connection);
    this.jobs = new Jobs(this.#connection, this.#dispatcher);
    this.streams = new Streams(this.#connection);
    this.locks = new Locks(this.#connection);
    this.rateLimits = new RateLimits(this.#connection);
    this.schedules = new Schedules(this.#connection);
    this.calls = new Calls(this.#connection);
    this.secrets = new Secrets(this.#connection);
    this.envelopes = new Envelopes(this.#connection);
    this.accounts = new Accounts(this.#connection);
    this.organizations = new Organizations(this.#connection);
    this.members = new Members(this.#connection);
    this.invitations = new Invitations(this.#connection);
    this.apiKeys = new ApiKeys(this.#connection);
    this.audit = new Audit(this.#connection);
    this.access = new Access(this.#connection);
    this.tenants = new Tenants(this.#connection);
  }

  /** The handle is closed; every method is `CLOSED`. */
  get closed(): boolean {
    return this.#connection.closed;
  }

  /**
   * Close the handle: an open transaction is rolled back, listeners end, asynchronous calls reject with `CLOSED`. Any number of times.
   */
  close(): void {
    this.#connection.close();
    this.#dispatcher.close();
  }

  [Symbol.dispose](): void {
    this.close();
  }

  /** End the running asynchronous call, and whoever waits on a listener, with `INTERRUPTED`. Listeners stay open. */
  interrupt(): void {
    this.#connection.interrupt();
    this.#dispatcher.fail(new BrantError('INTERRUPTED', 'the wait was interrupted'));
  }

  /**
   * Attach a key ring: from now on attributes that a graph type encrypts are sealed with its active key, and can be opened. It stays until it is
   * closed (`using` does so at the end of the block), another one is attached, or the handle is closed; one that was replaced does not come back. A ring that is
   * refused leaves the former as it was. Inside a transaction or outside.
   *
   * An asynchronous call has the ring that is attached when its turn has come, and keeps it to its end: await it inside the block.
   *
   * ```js
   * using ring = db.keyring({ keys: [{ version: 1, key: bytes, state: 'decrypt_only' }, { version: 2, key: newBytes }] });
   * ```
   *
   * @param ring - the members, or the JSON text of a ring, as a string or as UTF-8 bytes. Nothing of it is kept; bytes are the caller's to overwrite. Or another
   *   handle: what it has is copied within the library, with keys that were derived already
   * @throws BrantError `INVALID` with the JSON pointer of what is refused, and nothing of what stands there; `INVALID_JSON`; `UNSUPPORTED`: another algorithm;
   *   `LIMIT`: longer than 64 KiB, or a `kdf` out of the bounds; `NOT_FOUND`: the other handle has none.
   */
  keyring(ring: KeyRingFields | string | Uint8Array | Database): KeyRing {
    return attachRing(this.#connection, ring instanceof Database ? ring.#connection : ring);
  }

  /** What the handle's key ring is made of, without keys and passwords. */
  keyringInfo(): KeyRingInfo {
    return this.#connection.invoke(native.brant_keyring_info, {});
  }

  /** Path, versions, sizes and counts. */
  info(): Info {
    return this.#connection.invoke(native.brant_db_info, {});
  }

  /** Check the file's integrity, and that edges have their ends, that counts are true, that attributes are JSON. Reads only; long. */
  doctor(): Diagnosis {
    return this.#connection.invoke(native.brant_db_doctor, {});
  }

  /** `doctor` on another thread. */
  doctorAsync(options?: AsyncOptions): Promise<Diagnosis> {
    return this.#connection.invokeAsync('db.doctor', {}, options);
  }

  /**
   * Retention of notifications, streams, jobs and graphs, the library's own jobs, checkpoint, planner statistics: bounded work, to be called now and
   * then.
   */
  maintain(): Maintenance {
    return this.#connection.invoke(native.brant_db_maintain, {});
  }

  /** `maintain` on another thread. */
  maintainAsync(options?: AsyncOptions): Promise<Maintenance> {
    return this.#connection.invokeAsync('db.maintain', {}, options);
  }

  /**
   * Find and remove what is somebody's: every node and edge, of all graphs, deleted ones too, whose key is one of these values or that holds
   * one as a whole text anywhere; owners and metadata of graphs; notifications, jobs, events and schedules. In one transaction.
   *
   * @param values - 1 to 100 texts
   * @param options - `dryRun` only says what would be done; `action: 'redact'` replaces values in place
   */
  erase(values: Iterable<string>, options?: EraseOptions): Erasure {
    return this.#connection.invoke(native.brant_db_erase, { ...snakeCase(options), values: array(values) });
  }

  /** `erase` on another thread. */
  eraseAsync(values: Iterable<string>, options?: EraseOptions & AsyncOptions): Promise<Erasure> {
    const [rest, call] = apart(options);
    return this.#connection.invokeAsync('db.erase', { ...snakeCase(rest), values: array(values) }, call);
  }

  /**
   * Copy the file, while it is in use, as of one moment. The destination is whole or not there.
   *
   * @returns a promise that rejects with `EXISTS` when the destination exists and `overwrite` is not true
   */
  backup(path: string, options: AsyncOptions & { overwrite?: boolean | undefined } = {}): Promise<Copy> {
    const { overwrite, ...rest } = options;
    return this.#connection.invokeAsync('db.backup', { path, overwrite }, rest);
  }

  /**
   * Replace the whole content of this file by that of a backup, in one transaction; other processes see the old or the new.
   *
   * @returns a promise that rejects with `NOT_FOUND`, `NOT_BRANT`, `NEWER_FORMAT` or `CONFLICT` (another role), and nothing changed
   */
  restore(path: string, options?: AsyncOptions): Promise<Copy> {
    return this.#connection.invokeAsync('db.restore', { path }, options);
  }

  /**
   * Run `work` in a transaction and commit it, or roll it back when `work` throws. Transactions nest: an inner one that throws takes
   * back its own changes only. `work` is synchronous: what it would await could let other code into the transaction.
   *
   * ```js
   * db.transaction(() => {
   *   graph.nodes.put({ key: 'a' });
   *   db.notify('added', { key: 'a' });
   * });
   * ```
   *
   * @param mode - `'write'` (default) takes the write lock now; `'read'` fixes a snapshot, in which writes are `READ_ONLY`
   * @returns what `work` returned
   * @throws BrantError `MISUSE`: `work` returned a promise, and was rolled back; `BUSY`: another writer holds the file.
   */
  transaction<T>(work: (db: this) => T, mode?: 'write' | 'read'): T {
    return this.#connection.transact(mode, () => {
      const result = work(this);
      if (isPromise(result)) {
        result.then(undefined, () => undefined);
        throw new BrantError('MISUSE', 'the transaction function returned a promise; it was rolled back');
      }
      return result;
    });
  }

  /** Begin a transaction by hand, or a savepoint in one. Prefer {@link transaction}, which cannot be left open. */
  begin(mode?: 'write' | 'read'): { depth: number } {
    return this.#connection.begin(mode);
  }

  /**
   * End the innermost transaction; the outermost makes all durable and wakes listeners.
   *
   * @throws BrantError `MISUSE`: none is open, or SQLite took it back (roll back); `BUSY`: it is still open, commit again or roll back; `FULL`, `IO`: it is lost, roll back.
   */
  commit(): { depth: number } {
    return this.#connection.commit();
  }

  /**
   * Take back the innermost transaction.
   *
   * @throws BrantError `MISUSE`: none is open.
   */
  rollback(): { depth: number } {
    return this.#connection.rollback();
  }

  /**
   * Run one statement of your own SQL, in the running transaction. brant's tables can be read; what would change them, the file's
   * settings or the transaction is `DENIED`.
   *
   * @param params - by position or by name (without the prefix); a Uint8Array is a blob, in rows too
   * @param options - `limit`: answer at most so many rows; a query ends there, what writes (`RETURNING`) is done to its end. `describe`: see {@link SqlResult}
   * @throws BrantError `SQL`: the text is wrong; `CONSTRAINT`: a rule of your tables; `LIMIT`: more than `limits.batch` rows.
   */
  execute<Row extends readonly unknown[] = SqlValue[]>(sql: string, params?: SqlParameters, options?: SqlOptions): SqlResult<Row> {
    return this.#connection.execute<Row>(statement(sql, params, options, this.#connection.integers));
  }

  /** `execute` on another thread, outside any transaction of this handle. */
  async executeAsync<Row extends readonly unknown[] = SqlValue[]>(
    sql: string,
    params?: SqlParameters,
    options: AsyncOptions & SqlOptions = {},
  ): Promise<SqlResult<Row>> {
    const { limit, describe, ...rest } = options;
    return this.#connection.executeAsync<Row>(copied(statement(sql, params, { limit, describe }, this.#connection.integers)), rest);
  }

  /**
   * One graph, by its name. With a schema its nodes and edges have types.
   *
   * @param module - only for its types: what {@link defineModule} made
   */
  graph<S extends GraphSchema = AnySchema>(name: string, module?: DefinedModule<S>): Graph<S> {
    void module;
    return new Graph<S>(this.#connection, name);
  }

  /**
   * The operations of one graph type's types, whose inputs are checked against the types' own schemas.
   *
   * ```js
   * db.types('task').node('Task').insert('plan', { key: 'a', attributes: { title: 'Begin', status: 'ready' } });
   * ```
   *
   * @param module - only for its types: what {@link defineModule} made
   */
  types<S extends GraphSchema = AnySchema>(graphType: string, module?: DefinedModule<S>): Types<S> {
    void module;
    return new Types<S>(this.#connection, graphType);
  }

  /**
   * A session: a handle over this one for somebody, which does what the identity may and nothing else (`DENIED`, with the scope that it lacks). It joins the transactions of
   * this handle; its asynchronous calls are judged, too. Closing this handle closes it; closing it leaves this one as it is, with a transaction that it began.
   *
   * ```js
   * using mine = db.session(db.authenticate(token).identity);
   * mine.graph('notes').nodes.get('a');
   * ```
   *
   * A session can have sessions, which may no more than it does.
   *
   * @throws BrantError `INVALID`: it is no identity; `DENIED`: a session gives what it has not.
   */
  session(identity: Identity): Database {
    return new Database(this.#connection.session(identity), {}, this.#dispatcher);
  }

  /** An access graph by another name than `access`. */
  accessGraph(name: string): Access {
    return new Access(this.#connection, name);
  }

  /**
   * Whose an API key is, and the identity of a session for whoever has it.
   *
   * @throws BrantError `AUTH`, with one message, for whatever is wrong with it; `NOT_FOUND`: there is no key ring with a pepper.
   */
  authenticate(token: string | Token): Authenticated {
    return authenticate(this.#connection, token);
  }

  /**
   * Send a notification on a channel, in the running transaction: listeners of any process get it after the commit, or never.
   *
   * @returns its id; ids grow in commit order
   */
  notify(channel: string, payload?: unknown): number {
    return this.#connection.invoke<{ id: number }>(native.brant_event_notify, { channel, ...packed(payload) }).id;
  }

  /**
   * Listen to channels: globs (`*`, `?`, `[abc]`, `\`). Yields what is committed after this call returned, in commit order, each once;
   * where retention removed what a slow listener had not read, a gap in its place.
   *
   * @throws BrantError `MISUSE`: inside a transaction.
   */
  listen<Payload = unknown>(channels: string | readonly string[], options?: ListenOptions): Listener<Notification<Payload>> {
    options?.signal?.throwIfAborted();
    const input = stringify({ channels: typeof channels === 'string' ? [channels] : channels });
    const open = (): RawCursor => guard(() => native.brant_event_listen(this.#connection.handle, input));
    const cursor = calls.hasSubscribers ? traced('events.listen', open) : open();
    return new Listener(this.#connection, this.#dispatcher, cursor, options);
  }

  /** The channels that have notifications, by name. */
  channels(options?: ListOptions): Listed<ChannelInfo> {
    return this.#connection.invoke(native.brant_event_channels, { ...options });
  }

  /** How many notifications of a channel are kept, and for how many ms; default 10 000, for a day. */
  setRetention(channel: string, rule: { count?: number | null | undefined; age?: number | null | undefined }): ChannelInfo {
    return this.#connection.invoke(native.brant_event_set_retention, { ...rule, channel });
  }

  /**
   * One queue of jobs.
   *
   * ```js
   * db.queue('mail').enqueue({ to: 'a@b.org' }, { key: 'a@b.org', delay: 60_000 });
   * ```
   */
  queue<Payload = unknown, Result = unknown>(name: string): Queue<Payload, Result> {
    return new Queue<Payload, Result>(this.#connection, this.#dispatcher, name);
  }

  /** One stream of events. */
  stream<Payload = unknown>(name: string): Stream<Payload> {
    return new Stream<Payload>(this.#connection, this.#dispatcher, name);
  }

  /** One lock. */
  lock(name: string, options: LockOptions = {}): Lock {
    return new Lock(this.#connection, this.#dispatcher, name, options);
  }

  /** One rate limit. */
  rateLimit(name: string, options: RateLimitOptions): RateLimit {
    return new RateLimit(this.#connection, name, options);
  }

  /** What fires schedules; see {@link Scheduler}. */
  scheduler(options: SchedulerOptions = {}): Scheduler {
    return new Scheduler(this.#connection, this.#dispatcher, options);
  }

  /** Side effects of committed changes, at least once; see {@link Outbox}. Without `deliver` it only sends. */
  outbox<Message = unknown>(name: string, deliver?: Deliver<Message>, options: ProcessOptions = {}): Outbox<Message> {
    return new Outbox<Message>(this.queue<Message>(`outbox:${name}`), deliver, options);
  }

  /** An EventTarget over the file: notifications, or a stream; see {@link BrantEventTarget}. */
  eventTarget<Events = Record<string, unknown>>(options: EventTargetOptions = {}): BrantEventTarget<Events> {
    return new BrantEventTarget<Events>(this.#connection, this.#dispatcher, options);
  }

  /** What can be measured of the file, in the text format of Prometheus. */
  metrics(): string {
    return this.#connection.invoke<{ text: string }>(native.brant_db_metrics, {}).text;
  }

  /** `metrics` on another thread. */
  async metricsAsync(options?: AsyncOptions): Promise<string> {
    return (await this.#connection.invokeAsync<{ text: string }>('db.metrics', {}, options)).text;
  }

  /**
   * Run a query or mutation by its registry name.
   *
   * @throws BrantError `NOT_FOUND`: no such operation; `INVALID` with violations: its schema refuses the input; `MISUSE`: a subscription.
   */
  call<Name extends OperationName>(name: Name, input?: InputOf<Name>, options: { timeout?: number | undefined } = {}): OutputOf<Name> {
    const text = this.#connection.invokeText(name, stringify(input ?? {}), options.timeout);
    return parse(text, this.#connection.integers) as OutputOf<Name>;
  }

  /** `call` on another thread, outside any transaction of this handle. */
  callAsync<Name extends OperationName>(name: Name, input?: InputOf<Name>, options?: AsyncOptions): Promise<OutputOf<Name>> {
    return this.#connection.invokeAsync(name, input ?? {}, options);
  }

  /**
   * `call` with JSON text, or its UTF-8 bytes, in and JSON text out: for input that is JSON already, and for answers that are
   * passed on.
   *
   * @throws BrantError `INVALID_JSON`: `detail.offset` is the byte at fault.
   */
  callText(name: OperationName, input?: string | Uint8Array): string {
    if (typeof input === 'string') refuseLoneSurrogate(input);
    return this.#connection.invokeText(name, input);
  }

  /** `callText` on another thread, outside any transaction of this handle. Bytes are copied before this returns. */
  callTextAsync(name: OperationName, input?: string | Uint8Array, options?: AsyncOptions): Promise<string> {
    return this.#connection.invokeTextAsync(
      name,
      () => {
        if (typeof input === 'string') refuseLoneSurrogate(input);
        return typeof input === 'object' ? Uint8Array.from(input) : input;
      },
      options,
    );
  }

  /** Open a subscription by its registry name; {@link listen} is one. */
  subscribe<T = unknown>(name: string, input: object = {}, options?: ListenOptions): Listener<T> {
    return this.#dispatcher.listen<T>(name, input, options);
  }

  /**
   * What operations there are, described as data.
   *
   * @param which - of a namespace; with `graphType` those derived from it, `types.<graph type>.<Type>.<verb>`
   */
  operations(which?: string | { namespace?: string | undefined; graphType?: string | undefined }): OperationSpec[] {
    const input = typeof which === 'object' ? snakeCase(which) : { namespace: which };
    return this.#connection.invoke<{ items: OperationSpec[] }>(native.brant_operation_list, input).items;
  }
}

function connectionOf(path: string | URL, options: OpenOptions): Connection {
  const { integers = 'exact', busyTimeout, ...rest } = options;
  const own = snakeCase(rest);
  const source = fileSource(
    typeof path === 'string' ? path : fileURLToPath(path),
    { ...own, busy_timeout: busyTimeout ?? (isMainThread ? IMPATIENT : PATIENT) },
    {
      ...own,
      mode: own['mode'] === 'ro' ? 'ro' : 'rw',
      busy_timeout: Math.max(PATIENT, busyTimeout ?? 0),
    },
  );
  return new Connection(source, integers);
}

function isPromise(value: unknown): value is PromiseLike<unknown> {
  return typeof value === 'object' && value !== null && 'then' in value && typeof value.then === 'function';
}

/** Node would put U+FFFD in the place of a lone surrogate; the library refuses one. */
function refuseLoneSurrogate(text: string): void {
  const index = text.search(/\p{Surrogate}/u);
  if (index < 0) return;
  throw new BrantError('INVALID_JSON', 'the text has a lone surrogate', { offset: Buffer.byteLength(text.slice(0, index)) });
}
