/* `db.accounts`: who there is. */
import type { Connection } from './connection.js';
import { type ActorOptions, acting, filtered } from './identity.js';
import { PAGE, pages } from './input.js';
import { native } from './native.js';
import type { JsonObject, Page, PageOptions } from './types.js';

export type AccessLevel = 'user' | 'service' | 'admin';
export type AccountStatus = 'active' | 'inactive';

/** Somebody, or a service. One that is not `active` has no rights, and its keys do not work. Times are ms since the epoch. */
export interface Account {
  id: string;
  /** Normalised: in lower case, its domain as in the DNS. */
  email: string;
  name: string | null;
  /** `admin`: it may do everything. */
  access_level: AccessLevel;
  status: AccountStatus;
  metadata: JsonObject;
  created_at: number;
  updated_at: number;
}

export interface NewAccountOptions extends ActorOptions {
  name?: string | null | undefined;
  /** Default `'user'`. */
  accessLevel?: AccessLevel | undefined;
  /** A UUID in lower case; default a UUIDv7. */
  id?: string | undefined;
  /** Any object of at most 64 KiB. */
  metadata?: JsonObject | undefined;
}

export interface AccountChanges extends ActorOptions {
  email?: string | undefined;
  /** null takes it away. */
  name?: string | null | undefined;
  accessLevel?: AccessLevel | undefined;
  /** In place of what there is. */
  metadata?: JsonObject | undefined;
}

export interface AccountListOptions extends PageOptions {
  status?: AccountStatus | undefined;
  accessLevel?: AccessLevel | undefined;
}

/** `db.accounts`. Iterating yields all, in the order in which they were made. */
export class Accounts implements Iterable<Account> {
  readonly #connection: Connection;

  /** @internal */
  constructor(connection: Connection) {
    this.#connection = connection;
  }

  [Symbol.iterator](): Generator<Account, void, undefined> {
    return pages((cursor) => this.list({ limit: PAGE, cursor }));
  }

  /**
   * Make one. The email is kept, and unique, in lower case with its domain as in the DNS: `bücher.example` is `xn--bcher-kva.example`.
   *
   * @throws BrantError `EXISTS`: an account has this email, or this id; `INVALID`: it is no email; `DENIED`: the actor is an account without access level `admin`.
   */
  create(email: string, options?: NewAccountOptions): Account {
    return this.#connection.invoke(native.brant_account_create, { ...acting(options), email });
  }

  /** @throws BrantError `NOT_FOUND` */
  get(id: string): Account {
    return this.#connection.invoke(native.brant_account_get, { id });
  }

  /** By its email, however that is written. @throws BrantError `NOT_FOUND`; `INVALID`: it is none. */
  find(email: string): Account {
    return this.#connection.invoke(native.brant_account_find, { email });
  }

  /** A page. */
  list(options?: AccountListOptions): Page<Account> {
    return this.#connection.invoke(native.brant_account_list, filtered(options));
  }

  /**
   * Change what is given.
   *
   * @throws BrantError `NOT_FOUND`, `INVALID`, `EXISTS`; `DENIED`: the actor is another account without access level `admin`.
   */
  update(id: string, changes: AccountChanges): Account {
    return this.#connection.invoke(native.brant_account_update, { ...acting(changes), id });
  }

  /**
   * Have its keys and memberships count for nothing until `reactivate`.
   *
   * @throws BrantError `CONSTRAINT`: it is the last active owner of an organization; `NOT_FOUND`, `DENIED`.
   */
  deactivate(id: string, options?: ActorOptions): Account {
    return this.#connection.invoke(native.brant_account_deactivate, { ...acting(options), id });
  }

  /** @throws BrantError `NOT_FOUND`; `DENIED`: the actor is an account without access level `admin`. */
  reactivate(id: string, options?: ActorOptions): Account {
    return this.#connection.invoke(native.brant_account_reactivate, { ...acting(options), id });
  }

  /**
   * With its keys and memberships; how many of them went.
   *
   * @throws BrantError `CONSTRAINT`: it owns an organization, or is the last active owner of one; `NOT_FOUND`, `DENIED`.
   */
  delete(id: string, options?: ActorOptions): { deleted: true; api_keys: number; members: number } {
    return this.#connection.invoke(native.brant_account_delete, { ...acting(options), id });
  }
}
