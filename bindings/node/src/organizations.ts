/* `db.organizations`: the tenants. In a hub each has a file of its own. */
import type { Connection } from './connection.js';
import { type ActorOptions, acting, filtered } from './identity.js';
import { PAGE, pages } from './input.js';
import { native } from './native.js';
import type { JsonObject, Page, PageOptions } from './types.js';

export type OrganizationStatus = 'active' | 'suspended' | 'deleting';

/** A tenant. Only while it is `active` is anybody a member of it as far as rights go. */
export interface Organization {
  id: string;
  slug: string;
  name: string;
  /** Of an account of level `owner`. */
  owner_id: string;
  /** `deleted`: in the answer of `delete` only. */
  status: OrganizationStatus | 'deleted';
  metadata: JsonObject;
  created_at: number;
  updated_at: number;
}

export interface NewOrganizationOptions extends ActorOptions {
  /** Default the actor. */
  ownerId?: string | undefined;
  /** A UUID in lower case; default a UUIDv7. */
  id?: string | undefined;
  metadata?: JsonObject | undefined;
}

export interface OrganizationChanges extends ActorOptions {
  slug?: string | undefined;
  name?: string | undefined;
  /** In place of what there is. */
  metadata?: JsonObject | undefined;
}

export interface OrganizationListOptions extends PageOptions {
  status?: OrganizationStatus | undefined;
  ownerId?: string | undefined;
}

/** `db.organizations`. Iterating yields all, in the order in which they were made. */
export class Organizations implements Iterable<Organization> {
  readonly #connection: Connection;

  /** @internal */
  constructor(connection: Connection) {
    this.#connection = connection;
  }

  [Symbol.iterator](): Generator<Organization, void, undefined> {
    return pages((cursor) => this.list({ limit: PAGE, cursor }));
  }

  /**
   * Make one. Its owner becomes a member of level `owner`; in a hub its file is made at its first use.
   *
   * @param slug - letters, digits and hyphens, at most 63, kept in lower case, unique
   * @throws BrantError `EXISTS`: slug or id; `INVALID`: also without owner and actor; `NOT_FOUND`, `CONFLICT`: the owner is no account, or not active; `DENIED`: the owner is not the actor.
   */
  create(slug: string, name: string, options?: NewOrganizationOptions): Organization {
    return this.#connection.invoke(native.brant_organization_create, { ...acting(options), slug, name });
  }

  /** By its id, or by `{ slug }`. @throws BrantError `NOT_FOUND` */
  get(of: string | { slug: string }): Organization {
    return this.#connection.invoke(native.brant_organization_get, typeof of === 'string' ? { id: of } : of);
  }

  /** A page. */
  list(options?: OrganizationListOptions): Page<Organization> {
    return this.#connection.invoke(native.brant_organization_list, filtered(options));
  }

  /**
   * Change what is given.
   *
   * @throws BrantError `NOT_FOUND`, `INVALID`, `EXISTS`; `DENIED`: the actor is no admin or owner of it; `CONFLICT`: it is being deleted.
   */
  update(id: string, changes: OrganizationChanges): Organization {
    return this.#connection.invoke(native.brant_organization_update, { ...acting(changes), id });
  }

  /**
   * Make another active member its owner. The one before stays of level `owner`.
   *
   * @throws BrantError `NOT_FOUND`; `CONFLICT`: `to` is no active member; `DENIED`: the actor is no owner of it.
   */
  transfer(id: string, to: string, options?: ActorOptions): Organization {
    return this.#connection.invoke(native.brant_organization_transfer, { ...acting(options), id, to });
  }

  /** Until `resume` nobody is a member of it, and a hub gives no handle of its file. @throws BrantError `NOT_FOUND`, `DENIED`; `CONFLICT`: it is being deleted. */
  suspend(id: string, options?: ActorOptions): Organization {
    return this.#connection.invoke(native.brant_organization_suspend, { ...acting(options), id });
  }

  /** @throws BrantError as `suspend`; `CONSTRAINT`: none of its owners is active. */
  resume(id: string, options?: ActorOptions): Organization {
    return this.#connection.invoke(native.brant_organization_resume, { ...acting(options), id });
  }

  /**
   * With its members, invitations and keys; in a hub it is `deleting` until its file is gone, too.
   *
   * @throws BrantError `NOT_FOUND`; `DENIED`: the actor is no owner of it.
   */
  delete(id: string, options?: ActorOptions): Organization {
    return this.#connection.invoke(native.brant_organization_delete, { ...acting(options), id });
  }
}
