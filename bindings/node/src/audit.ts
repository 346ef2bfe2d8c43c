/* `db.audit`: who did what, in a chain of keyed hashes that shows whether somebody changed it. */
import type { Connection } from './connection.js';
import { type ActorOptions, type ActorType, acting } from './identity.js';
import { PAGE, apart, array, following } from './input.js';
import { snakeCase } from './json.js';
import { native } from './native.js';
import { type Moment, moment } from './payload.js';
import type { AsyncOptions, JsonObject } from './types.js';

/** A row. */
export interface AuditRow {
  /** From 1, without gaps. */
  seq: number;
  id: string;
  org_id: string | null;
  actor_type: ActorType;
  actor_id: string | null;
  /** For what the library records, the operation's name: `members.add`. */
  action: string;
  /** `account:<id>` and the like. */
  resource: string | null;
  detail: JsonObject;
  metadata: JsonObject;
  created_at: number;
  key_version: number;
  /** Of it and of the row before, in base64url. */
  hash: string;
}

/** Some rows. */
export interface AuditPage {
  items: AuditRow[];
  /** What the next call goes on from, as its `after`, in descending order its `before`; absent at the end. */
  next?: number;
}

/** Where the log ended when it was made. Keep it where nobody who can write the file can: it shows rows that were cut off, and a file that was rolled back. */
export interface Checkpoint {
  /** The id of the file. */
  file: string;
  seq: number;
  hash: string;
  created_at: number;
  key_version?: number;
  mac?: string;
}

/** A checkpoint, or as much of one as there is. */
export type CheckpointFields = Pick<Checkpoint, 'seq' | 'hash'> & Partial<Checkpoint>;

/** What `verify` found. */
export interface AuditReport {
  /** There is no problem. */
  ok: boolean;
  rows: number;
  first: number | null;
  last: number | null;
  /** Of the last row. */
  hash: string | null;
  /** What is wrong, and at which row: the first 100. */
  problems: { seq: number; problem: string }[];
  truncated: boolean;
  /** The `from` to go on with, where a limit ended it. */
  next?: number;
}

export interface AuditVerifyOptions {
  checkpoint?: CheckpointFields | undefined;
  checkpoints?: Iterable<CheckpointFields> | undefined;
  /** The row to begin with; the one before is taken as it stands. */
  from?: number | undefined;
  /** Rows; default all. */
  limit?: number | undefined;
}

export interface AuditAppendOptions extends ActorOptions {
  resource?: string | undefined;
  orgId?: string | undefined;
  /** At most 64 KiB. */
  detail?: JsonObject | undefined;
  /** Texts about the subject, of which hashes are stored, salted for each subject. */
  personal?: Readonly<Record<string, string>> | undefined;
  /** Who `personal` is about; it is not in the row. */
  subject?: string | undefined;
}

/** Which rows. null: those that have none. */
export interface AuditListOptions {
  action?: string | undefined;
  actorId?: string | null | undefined;
  resource?: string | null | undefined;
  orgId?: string | null | undefined;
  /** A row's `seq`: those behind it. */
  after?: number | undefined;
  before?: number | undefined;
  /** Made then or later. */
  since?: Moment | undefined;
  /** Made before. */
  until?: Moment | undefined;
  order?: 'asc' | 'desc' | undefined;
  /** 1 to 10000, default 100; a page may be shorter. */
  limit?: number | undefined;
}

/** Rows as lines of JSON. */
export interface AuditExport {
  /** The id of the file. */
  file: string;
  text: string;
  rows: number;
  /** The `after` to go on with; absent at the end. */
  next?: number;
}

export interface AuditPruned {
  pruned: number;
  through: number;
  /** False: call again. */
  done: boolean;
}

export interface SubjectErased {
  /** There was a salt. */
  erased: boolean;
  /** No byte of it is left in the file; if not, call again. */
  scrubbed: boolean;
}

/**
 * `db.audit`: the audit log of the file. Iterating yields all rows. Needs a key ring with an active key of purpose `audit` (`NOT_FOUND`).
 *
 * It verifies by its keyed hashes: whoever can write the file but has not the key can hide nothing. What identity and access change is recorded by itself, in the same
 * transaction; `append` records what your program does.
 */
export class Audit implements Iterable<AuditRow> {
  readonly #connection: Connection;

  /** @internal */
  constructor(connection: Connection) {
    this.#connection = connection;
  }

  [Symbol.iterator](): Generator<AuditRow, void, undefined> {
    return following<AuditRow, number>((after) => this.list({ after, limit: PAGE }));
  }

  /**
   * Add a row, in the running transaction.
   *
   * ```js
   * db.audit.append('invoice.paid', { resource: 'invoice:7', actor: account.id, detail: { amount: 12 } });
   * ```
   *
   * @throws BrantError `INVALID`: an action of the library's own namespaces; `NOT_FOUND`: no active key; `CONFLICT`, `CORRUPT`: the log is not what it was; `LIMIT`: the detail.
   */
  append(action: string, options?: AuditAppendOptions): { seq: number; hash: string } {
    return this.#connection.invoke(native.brant_audit_append, { ...acting(options), action });
  }

  /** @throws BrantError `NOT_FOUND`; `CORRUPT`: what stands there is no row any more. */
  get(seq: number): AuditRow {
    return this.#connection.invoke(native.brant_audit_get, { seq });
  }

  /** Rows by `seq`. */
  list(options: AuditListOptions = {}): AuditPage {
    const { after, before, since, until, order, limit, ...columns } = options;
    return this.#connection.invoke(native.brant_audit_list, {
      after,
      before,
      since: since === undefined ? undefined : moment(since),
      until: until === undefined ? undefined : moment(until),
      order,
      limit,
      filter: snakeCase(columns),
    });
  }

  /**
   * Read the rows and tell whether the log is what was written: edits, deletions, insertions, another order, rows of another log; with a checkpoint also rows that were cut off and a file that was
   * rolled back. A problem is no error.
   *
   * @throws BrantError `NOT_FOUND`: the ring lacks keys; `INVALID`: a hash that is none.
   */
  verify(options?: AuditVerifyOptions): AuditReport {
    return this.#connection.invoke(native.brant_audit_verify, verification(options));
  }

  /** `verify` on another thread. */
  verifyAsync(options?: AuditVerifyOptions & AsyncOptions): Promise<AuditReport> {
    const [rest, call] = apart(options);
    return this.#connection.invokeAsync('audit.verify', verification(rest), call);
  }

  /** Where the log ends now. @throws BrantError `NOT_FOUND`: no active key; `CONFLICT`, `CORRUPT`: as `append`. */
  checkpoint(): Checkpoint {
    return this.#connection.invoke(native.brant_audit_checkpoint, {});
  }

  /**
   * Remember the checkpoint of another file in this one; `kept: false`: it was known.
   *
   * @param options - `replace`: forget what was kept of that file
   * @throws BrantError `CONFLICT`: a later one is kept, or another hash, so that file was rolled back; `MISUSE`: in a tenant's file.
   */
  keep(checkpoint: Checkpoint, options?: ActorOptions & { replace?: boolean | undefined }): { kept: boolean } {
    return this.#connection.invoke(native.brant_audit_keep, { ...checkpoint, ...acting(options) });
  }

  /** Those that are kept of a file, by its id. */
  checkpoints(file: string): Checkpoint[] {
    return this.#connection.invoke<{ items: Checkpoint[] }>(native.brant_audit_checkpoints, { file }).items;
  }

  /** Rows as lines of JSON: `limit` of them, default 1000, behind `after`. */
  export(options?: { after?: number | undefined; limit?: number | undefined }): AuditExport {
    return this.#connection.invoke(native.brant_audit_export, { ...options });
  }

  /** `export` on another thread. */
  exportAsync(options?: { after?: number | undefined; limit?: number | undefined } & AsyncOptions): Promise<AuditExport> {
    const [rest, call] = apart(options);
    return this.#connection.invokeAsync('audit.export', rest, call);
  }

  /**
   * Remove the rows up to `through`, at most 100 000 a call: those of which the checkpoint proves that they are the ones of which there is a copy elsewhere.
   *
   * @throws BrantError `INVALID`: the checkpoint is from before; `CONFLICT`: the log has not its row; `CORRUPT`: a row is not what was written, and nothing goes.
   */
  prune(through: number, checkpoint: CheckpointFields, options?: ActorOptions): AuditPruned {
    return this.#connection.invoke(native.brant_audit_prune, { ...acting(options), through, checkpoint });
  }

  /** `prune` on another thread. */
  pruneAsync(through: number, checkpoint: CheckpointFields, options?: ActorOptions & AsyncOptions): Promise<AuditPruned> {
    const [rest, call] = apart(options);
    return this.#connection.invokeAsync('audit.prune', { ...acting(rest), through, checkpoint }, call);
  }

  /** Is this the text whose hash is under `name` in the row's personal data? @throws BrantError `NOT_FOUND`: no such row, or the subject was erased. */
  prove(seq: number, subject: string, name: string, text: string): boolean {
    return this.#connection.invoke<{ proven: boolean }>(native.brant_audit_prove, { seq, subject, name, text }).proven;
  }

  /** Forget a subject's salt: its hashes mean nothing then, and the log verifies still. Rewrites the file, as `db.erase` does. */
  eraseSubject(subject: string, options?: ActorOptions): SubjectErased {
    return this.#connection.invoke(native.brant_audit_erase_subject, { ...acting(options), subject });
  }

  /** `eraseSubject` on another thread. */
  eraseSubjectAsync(subject: string, options?: ActorOptions & AsyncOptions): Promise<SubjectErased> {
    const [rest, call] = apart(options);
    return this.#connection.invokeAsync('audit.erase_subject', { ...acting(rest), subject }, call);
  }
}

function verification(options: AuditVerifyOptions = {}): object {
  const { checkpoints, ...rest } = options;
  return { ...rest, checkpoints: checkpoints === undefined ? undefined : array(checkpoints) };
}
