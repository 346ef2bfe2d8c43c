/* `db.members`: who belongs to which organization. */
import type { Connection } from './connection.js';
import { type ActorOptions, acting, filtered } from './identity.js';
import { PAGE, pages } from './input.js';
import { native } from './native.js';
import type { JsonObject, Page, PageOptions } from './types.js';

/** Each has what those before it have: reading; writing; administration; everything. */
export type Level = 'viewer' | 'member' | 'admin' | 'owner';
export type MemberStatus = 'active' | 'suspended';

/** The membership of an account in an organization, which is the authority on what it may do there. */
export interface Member {
  id: string;
  org_id: string;
  account_id: string;
  level: Level;
  status: MemberStatus;
  metadata: JsonObject;
  created_at: number;
  updated_at: number;
}

export interface MemberListOptions extends PageOptions {
  orgId?: string | undefined;
  accountId?: string | undefined;
  level?: Level | undefined;
  status?: MemberStatus | undefined;
}

/**
 * `db.members`. Iterating yields all.
 *
 * Whoever acts must be an admin or owner there; only an owner makes, changes, suspends or removes an owner, and nobody gives a level above their own (`DENIED`). An
 * organization always has an active owner (`CONSTRAINT`).
 */
export class Members implements Iterable<Member> {
  readonly #connection: Connection;

  /** @internal */
  constructor(connection: Connection) {
    this.#connection = connection;
  }

  [Symbol.iterator](): Generator<Member, void, undefined> {
    return pages((cursor) => this.list({ limit: PAGE, cursor }));
  }

  /**
   * Make an account a member.
   *
   * @param options - `level`, default `'member'`
   * @throws BrantError `NOT_FOUND`, `EXISTS`, `DENIED`; `CONFLICT`: the account is not active, or the organization is being deleted.
   */
  add(orgId: string, accountId: string, options?: ActorOptions & { level?: Level | undefined }): Member {
    return this.#connection.invoke(native.brant_member_add, { ...acting(options), org_id: orgId, account_id: accountId });
  }

  /** @throws BrantError `NOT_FOUND` */
  get(orgId: string, accountId: string): Member {
    return this.#connection.invoke(native.brant_member_get, { org_id: orgId, account_id: accountId });
  }

  /** A page. */
  list(options?: MemberListOptions): Page<Member> {
    return this.#connection.invoke(native.brant_member_list, filtered(options));
  }

  /** @throws BrantError `NOT_FOUND`, `DENIED`; `CONSTRAINT`: it is the last active owner, or the organization's `owner_id`; `CONFLICT`: the organization is being deleted. */
  setLevel(orgId: string, accountId: string, level: Level, options?: ActorOptions): Member {
    return this.#connection.invoke(native.brant_member_set_level, { ...acting(options), org_id: orgId, account_id: accountId, level });
  }

  /** Have it count for nothing until `resume`. @throws BrantError as `setLevel`. */
  suspend(orgId: string, accountId: string, options?: ActorOptions): Member {
    return this.#connection.invoke(native.brant_member_suspend, { ...acting(options), org_id: orgId, account_id: accountId });
  }

  /** @throws BrantError as `setLevel`. */
  resume(orgId: string, accountId: string, options?: ActorOptions): Member {
    return this.#connection.invoke(native.brant_member_resume, { ...acting(options), org_id: orgId, account_id: accountId });
  }

  /** @throws BrantError as `setLevel`. */
  remove(orgId: string, accountId: string, options?: ActorOptions): { removed: true } {
    return this.#connection.invoke(native.brant_member_remove, { ...acting(options), org_id: orgId, account_id: accountId });
  }

  /**
   * What every active member may for itself.
   *
   * @param options - `accountId`, default the actor
   * @throws BrantError as `setLevel`; `INVALID`: nobody is named.
   */
  leave(orgId: string, options?: ActorOptions & { accountId?: string | undefined }): { removed: true } {
    return this.#connection.invoke(native.brant_member_leave, { ...acting(options), org_id: orgId });
  }
}
