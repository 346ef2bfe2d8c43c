/*
 * A hub: a folder with a file of the system, which has accounts, organizations and keys, and one file for each organization.
 *
 * A handle that the hub gave goes back to it when its Database is closed, and so does its second handle, for asynchronous calls, which is another of the same file. The hub knows the
 * databases that it gave, weakly: they are closed with it.
 */
import { isMainThread } from 'node:worker_threads';
import { fileURLToPath } from 'node:url';
import type { Access } from './access.js';
import type { Account, Accounts } from './accounts.js';
import type { ApiKey, ApiKeys } from './api_keys.js';
import type { Audit } from './audit.js';
import { Connection, type Source, closedError, guard, patiently } from './connection.js';
import { Database, IMPATIENT, PATIENT } from './database.js';
import { BrantError, translate } from './error.js';
import { type Authenticated, type Identity, type Token, tokenText } from './identity.js';
import type { Invitations } from './invitations.js';
import { type Integers, parse, snakeCase, stringify } from './json.js';
import type { KeyRing, KeyRingFields } from './keys.js';
import type { Level, Members } from './members.js';
import { type Handle, type RawHub, native } from './native.js';
import type { Organization, Organizations } from './organizations.js';
import type { Tenants } from './tenants.js';
import type { OpenOptions } from './types.js';

/** How a folder is opened; what is not here is as in {@link OpenOptions}, for each file. */
export interface HubOptions extends Pick<OpenOptions, 'durability' | 'permissions' | 'network' | 'foreignKeys' | 'limits' | 'integers'> {
  /** `'create'` (default), or `'rw'`: the folder and its system file must exist. */
  mode?: 'create' | 'rw' | undefined;
  /** Files that are open at once, idle ones too; default by the process's limit on descriptors, at most 1000. */
  maxOpen?: number | undefined;
  /** Bytes of page cache of a file, default 2 MiB. */
  cache?: number | undefined;
  /**
   * Milliseconds to wait for another writer, or for a file while `maxOpen` are in use, before `BUSY`. Default 250 on the main thread, whose event loop stands still
   * meanwhile, and 5000 in a Worker. Asynchronous calls try for 5000 at least.
   */
  busyTimeout?: number | undefined;
}

/** The handles of one file of a hub; no organization: the system's. */
function tenantSource(hub: RawHub, orgId: string | undefined, first?: Handle): Source {
  return {
    isMemory: false,
    hasRing: true,
    isImpatient: true,
    open: () => first ?? native.brant_hub_acquire(hub, orgId),
    another: async () => {
      const handle = await native.hub_acquire_async(hub, orgId);
      return { handle, trusted: handle };
    },
    close: (handle) => native.brant_hub_release(hub, handle),
    loadRing: (handle, text) => native.brant_keyring_load(handle, text),
    copyRing: (handle, from) => native.brant_keyring_copy(handle, from),
    unloadRing: (handle) => native.brant_keyring_unload(handle),
  };
}

/** The system's, whose first handle is the hub's own: it closes with it, and its key ring is that of all files. */
function systemSource(hub: RawHub, close: () => void): Source {
  const others = tenantSource(hub, undefined);
  const system = guard(() => native.brant_hub_system(hub));
  return {
    ...others,
    open: () => system,
    close: (handle) => (handle === system ? close() : others.close(handle)),
    loadRing: (_, text) => native.brant_hub_keyring_load(hub, text),
    copyRing: () => {
      throw new BrantError('UNSUPPORTED', "a hub's key ring is given by its members or its text");
    },
    unloadRing: () => native.brant_hub_keyring_unload(hub),
  };
}

/** A caller's: what is given is a session, and so is what runs on other threads. */
function callerSource(hub: RawHub, session: Handle, identity: Identity): Source {
  const beneath = tenantSource(hub, identity.organization);
  const json = stringify(identity);
  return {
    ...beneath,
    open: () => session,
    another: async () => {
      const opened = await beneath.another();
      try {
        return { handle: native.brant_session_open(opened.handle, json), trusted: opened.trusted, beneath: opened };
      } catch (error) {
        beneath.close(opened.trusted);
        throw error;
      }
    },
  };
}

/**
 * Who has an API key, and a session for them: {@link Hub.authenticate}. Close it (`using` does so) to give the file back; `db` is `CLOSED` then.
 *
 * ```js
 * using caller = await hub.authenticateAsync(token);
 * caller.db.graph('notes').nodes.get('a');
 * ```
 */
export class Caller implements Authenticated {
  readonly identity: Identity;
  readonly key: ApiKey;
  readonly account: Account;
  readonly organization: Organization | null;
  readonly level: Level | null;
  readonly scopes: string[];
  readonly denies: string[];
  /** A session on the organization's file; of a key without one, on the system's. */
  readonly db: Database;

  /** @internal */
  constructor(found: Authenticated, db: Database) {
    this.identity = found.identity;
    this.key = found.key;
    this.account = found.account;
    this.organization = found.organization;
    this.level = found.level;
    this.scopes = found.scopes;
    this.denies = found.denies;
    this.db = db;
  }

  /** Any number of times. */
  close(): void {
    this.db.close();
  }

  [Symbol.dispose](): void {
    this.close();
  }
}

/**
 * Open a folder of files. Any number of processes may have one folder open; each Worker opens its own hub.
 *
 * ```js
 * using hub = new Hub('data');
 * hub.keyring(readFileSync('ring.json'));
 * const ann = hub.accounts.create('ann@example.org');
 * const acme = hub.organizations.create('acme', 'Acme', { ownerId: ann.id });
 * using db = hub.tenant(acme.id);
 * db.graphs.create('notes');
 * ```
 */
export class Hub {
  readonly #hub: RawHub;
  readonly #integers: Integers;
  readonly #patience: number;
  readonly #given = new Set<WeakRef<Database>>();
  #closed = false;
  /** The system's file. Closing it closes the hub. */
  readonly system: Database;

  /**
   * @param path - the folder, whose own folder must exist
   * @throws BrantError `NOT_BRANT`: it is no folder; `NOT_FOUND`, `INVALID`; and those of `open`.
   */
  constructor(path: string | URL, options: HubOptions = {}) {
    const { integers = 'exact', busyTimeout, ...rest } = options;
    const text = stringify({ ...snakeCase(rest), busy_timeout: busyTimeout ?? (isMainThread ? IMPATIENT : PATIENT) });
    this.#integers = integers;
    this.#patience = Math.max(PATIENT, busyTimeout ?? 0);
    const hub = guard(() => native.brant_hub_open(typeof path === 'string' ? path : fileURLToPath(path), text));
    this.#hub = hub;
    this.system = new Database(new Connection(systemSource(hub, () => this.close()), integers));
  }

  get accounts(): Accounts {
    return this.system.accounts;
  }

  get organizations(): Organizations {
    return this.system.organizations;
  }

  get members(): Members {
    return this.system.members;
  }

  get invitations(): Invitations {
    return this.system.invitations;
  }

  get apiKeys(): ApiKeys {
    return this.system.apiKeys;
  }

  /** The log of the system's file; each tenant has one of its own. */
  get audit(): Audit {
    return this.system.audit;
  }

  /** The access graph of the system's file; each tenant has one of its own. */
  get access(): Access {
    return this.system.access;
  }

  /** Organizations as files. */
  get tenants(): Tenants {
    return this.system.tenants;
  }

  get closed(): boolean {
    return this.#closed;
  }

  /**
   * Give all files a key ring, as `db.keyring` gives one to a file. Databases that were given already keep theirs until they are closed.
   *
   * @throws BrantError as `db.keyring`
   */
  keyring(ring: KeyRingFields | string | Uint8Array): KeyRing {
    return this.system.keyring(ring);
  }

  /**
   * The file of an organization, made at its first use: trusted, and this caller's alone. Close it to give it back; it is `CLOSED` then, for ever.
   *
   * @param orgId - its id, or without one the system's file, on a handle of its own
   * @throws BrantError `NOT_FOUND`: no such organization; `DENIED`: it is suspended; `BUSY`: as many files as may be are in use; `INVALID`, `CORRUPT`, `CLOSED`.
   */
  tenant(orgId?: string): Database {
    if (this.#closed) throw hubClosed();
    return this.#give(new Database(new Connection(tenantSource(this.#hub, orgId), this.#integers)));
  }

  /** `tenant`, opened on another thread. */
  async tenantAsync(orgId?: string): Promise<Database> {
    if (this.#closed) throw hubClosed();
    const hub = this.#hub;
    const handle = await this.#patiently(() => native.hub_acquire_async(hub, orgId));
    return this.#give(new Database(new Connection(tenantSource(hub, orgId, handle), this.#integers)));
  }

  /**
   * Whose an API key is, and a session for them on the file of its organization.
   *
   * @throws BrantError `AUTH`, with one message, for whatever is wrong with it; and those of `tenant`.
   */
  authenticate(token: string | Token): Caller {
    if (this.#closed) throw hubClosed();
    return this.#caller(guard(() => native.brant_hub_authenticate(this.#hub, tokenText(token))));
  }

  /** `authenticate`, on another thread. */
  async authenticateAsync(token: string | Token): Promise<Caller> {
    if (this.#closed) throw hubClosed();
    const text = tokenText(token);
    return this.#caller(await this.#patiently(() => native.hub_authenticate_async(this.#hub, text)));
  }

  #caller([handle, text]: [Handle, string]): Caller {
    const found = parse(text, this.#integers) as Authenticated;
    const source = callerSource(this.#hub, handle, found.identity);
    return new Caller(found, this.#give(new Database(new Connection(source, this.#integers))));
  }

  async #patiently<T>(call: () => Promise<T>): Promise<T> {
    try {
      return await patiently(this.#patience, call, () => this.#closed);
    } catch (error) {
      throw this.#closed ? hubClosed() : translate(error);
    }
  }

  #give(database: Database): Database {
    if (this.#closed) {
      database.close();
      throw hubClosed();
    }
    if (this.#given.size % 64 === 63) {
      for (const reference of this.#given) if (reference.deref()?.closed ?? true) this.#given.delete(reference);
    }
    this.#given.add(new WeakRef(database));
    return database;
  }

  /** Close all files: what runs ends with `CLOSED`, listeners end. Any number of times. */
  close(): void {
    if (this.#closed) return;
    this.#closed = true;
    for (const reference of this.#given) reference.deref()?.close();
    this.#given.clear();
    this.system.close();
    guard(() => native.brant_hub_close(this.#hub));
  }

  [Symbol.dispose](): void {
    this.close();
  }
}

function hubClosed(): BrantError {
  return closedError('the hub is closed');
}
