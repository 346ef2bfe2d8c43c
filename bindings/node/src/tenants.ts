/* `hub.tenants`: organizations as files: what they are, upkeep of all of them, and delegations from one to another. */
import type { Checkpoint } from './audit.js';
import type { Connection } from './connection.js';
import type { ErrorCode } from './error.js';
import { type ActorOptions, acting, filtered } from './identity.js';
import { PAGE, apart, array, paged, pages } from './input.js';
import { native } from './native.js';
import type { OrganizationStatus } from './organizations.js';
import { type Moment, moment } from './payload.js';
import type { AsyncOptions, Copy, JsonObject, Maintenance, Page, PageOptions } from './types.js';

/** An organization and its file. */
export interface Tenant {
  org_id: string;
  slug: string;
  status: OrganizationStatus;
  /** Of the file; `none`: it was not used yet. */
  state: 'none' | 'made' | 'deleting';
  /** Its id. */
  file: string | null;
  /** Bytes, with its log. */
  size: number;
  /** null where this hub has it not open. */
  format: number | null;
  /** Handles of this hub on it, idle ones too. */
  open: number;
}

/** What became of one of many tenants. */
export type TenantResult<Done> = { org_id: string; ok: boolean; error?: { code: ErrorCode; message: string } } & Done;

/** Its format before and now. */
export type TenantMigrated = TenantResult<{ from?: number; to?: number }>;
export type TenantMaintained = TenantResult<{
  result?: Maintenance;
  /** What became different among what its access graph, if it has one, derives from its members. */
  synced?: { added: number; removed: number; changed: number };
  /** Of its audit log; it is kept in the system's file. */
  checkpoint?: Checkpoint;
}>;
/** `result`: what the operation answered. */
export type TenantApplied = TenantResult<{ result?: unknown }>;

export type TenantOperation = 'graph_types.define' | 'graph_types.update' | 'graph_types.delete';
export type DelegationState = 'pending' | 'active' | 'revoking' | 'revoked';

/** What an agent of one organization may for a principal, or an agent, of another. Only an `active` one gives anything. */
export interface Delegation {
  id: string;
  from_org: string;
  from: string;
  to_org: string;
  to: string;
  terms: JsonObject;
  state: DelegationState;
  created_at: number;
  updated_at: number;
}

/** Who gives, and who gets. */
export interface DelegationParties {
  fromOrg: string;
  /** A principal or an agent there. */
  from: string;
  toOrg: string;
  /** An agent there. */
  to: string;
}

export interface TenantDelegateOptions extends ActorOptions {
  expiresAt?: Moment | undefined;
  /** How many delegations may follow this one; default 0. */
  maxDepth?: number | undefined;
  mayRedelegate?: boolean | undefined;
}

/** What a hub has open: files but the system's. */
export interface HubStats {
  open: number;
  idle: number;
  /** In use. */
  pinned: number;
  max_open: number;
  /** Since the hub was opened. */
  opened: number;
  made: number;
  /** Idle ones that were closed to make room. */
  evicted: number;
}

/**
 * `hub.tenants`, on a handle of a hub's system file; on any other each method is `MISUSE`. Iterating yields all, by `org_id`.
 *
 * What goes over all tenants takes a page of them at a time: call again with the cursor until it is null. A tenant that fails does not stop the others: its item says why. `MISUSE`:
 * inside a transaction.
 */
export class Tenants implements Iterable<Tenant> {
  readonly #connection: Connection;

  /** @internal */
  constructor(connection: Connection) {
    this.#connection = connection;
  }

  [Symbol.iterator](): Generator<Tenant, void, undefined> {
    return pages((cursor) => this.list({ limit: PAGE, cursor }));
  }

  /** A page. */
  list(options?: PageOptions & { status?: OrganizationStatus | undefined }): Page<Tenant> {
    return this.#connection.invoke(native.brant_tenant_list, filtered(options));
  }

  /** @throws BrantError `NOT_FOUND` */
  get(orgId: string): Tenant {
    return this.#connection.invoke(native.brant_tenant_get, { org_id: orgId });
  }

  /** Bring files to this version's format, which happens by itself when one is opened. */
  migrate(options?: PageOptions): Page<TenantMigrated> {
    return this.#connection.invoke(native.brant_tenant_migrate, paged(options));
  }

  /** `migrate` on another thread. */
  migrateAsync(options?: PageOptions & AsyncOptions): Promise<Page<TenantMigrated>> {
    const [rest, call] = apart(options);
    return this.#connection.invokeAsync('tenants.migrate', paged(rest), call);
  }

  /**
   * `db.maintain` of each; the checkpoint of its audit log is kept in the system's file. Without a cursor it first finishes what a crash left half done: `finished` deletions. The system's
   * own upkeep is `hub.system.maintain()`.
   */
  maintain(options?: PageOptions): Page<TenantMaintained> & { finished: number } {
    return this.#connection.invoke(native.brant_tenant_maintain, paged(options));
  }

  /** `maintain` on another thread. */
  maintainAsync(options?: PageOptions & AsyncOptions): Promise<Page<TenantMaintained> & { finished: number }> {
    const [rest, call] = apart(options);
    return this.#connection.invokeAsync('tenants.maintain', paged(rest), call);
  }

  /**
   * One change of graph types in all files, each in a transaction of its own: what succeeded stays.
   *
   * @param input - of the operation, as for `db.call`
   */
  apply(operation: TenantOperation, input: object, options?: PageOptions): Page<TenantApplied> {
    return this.#connection.invoke(native.brant_tenant_apply, { ...paged(options), operation, input });
  }

  /** `apply` on another thread. */
  applyAsync(operation: TenantOperation, input: object, options?: PageOptions & AsyncOptions): Promise<Page<TenantApplied>> {
    const [rest, call] = apart(options);
    return this.#connection.invokeAsync('tenants.apply', { ...paged(rest), operation, input }, call);
  }

  /** As `db.backup`, of a tenant that may be in use. @returns a promise that rejects also with `INVALID`: the path is in the hub's folder. */
  backup(orgId: string, path: string, options: AsyncOptions & { overwrite?: boolean | undefined } = {}): Promise<Copy> {
    const [{ overwrite }, call] = apart(options);
    return this.#connection.invokeAsync('tenants.backup', { org_id: orgId, path, overwrite }, call);
  }

  /**
   * As `db.restore`, from a backup of this organization's file, or one that was never in a hub. A file that is missing is made.
   *
   * @returns a promise that rejects also with `CONFLICT`: the backup is another organization's
   */
  restore(orgId: string, path: string, options?: AsyncOptions): Promise<Copy> {
    return this.#connection.invokeAsync('tenants.restore', { org_id: orgId, path }, options);
  }

  /**
   * Have an agent of one organization act for somebody of another, on the terms of `access.delegate`; in the access graph of `fromOrg` it is the agent
   * `foreign:<toOrg>:<to>`. Needs a key ring.
   *
   * @throws BrantError `CONFLICT`: there is one; `DENIED`: `from` does not hold it, the actor may not, or an organization is suspended; `NOT_FOUND`, `CONSTRAINT`, `INVALID`.
   */
  delegate(parties: DelegationParties, scopes: Iterable<string>, options: TenantDelegateOptions = {}): Delegation {
    const { expiresAt, ...rest } = options;
    const end = expiresAt === undefined ? undefined : moment(expiresAt);
    return this.#connection.invoke(native.brant_tenant_delegate, {
      ...acting({ ...rest, ...parties }),
      scopes: array(scopes),
      expires_at: end,
    });
  }

  /** It gives nothing from now on. Again: the same answer. @throws BrantError `NOT_FOUND`, `DENIED`. */
  revokeDelegation(id: string, options?: ActorOptions): Delegation {
    return this.#connection.invoke(native.brant_tenant_revoke_delegation, { ...acting(options), id });
  }

  /** A page, in the order in which they were made. */
  delegations(
    options?: PageOptions & { fromOrg?: string | undefined; toOrg?: string | undefined; state?: DelegationState | undefined },
  ): Page<Delegation> {
    return this.#connection.invoke(native.brant_tenant_delegations, filtered(options));
  }

  /** What this hub has open. */
  stats(): HubStats {
    return this.#connection.invoke(native.brant_tenant_stats, {});
  }
}
