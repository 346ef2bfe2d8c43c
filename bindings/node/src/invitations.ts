/* `db.invitations`: to become a member of an organization. */
import type { Connection } from './connection.js';
import { type ActorOptions, Token, acting, filtered, tokenText } from './identity.js';
import { PAGE, pages } from './input.js';
import type { Level, Member } from './members.js';
import { native } from './native.js';
import { type Moment, moment } from './payload.js';
import type { JsonObject, Page, PageOptions } from './types.js';

export type InvitationStatus = 'pending' | 'accepted' | 'rejected' | 'cancelled';

/** Who has its token and the account of its email becomes a member. One that is `pending` and whose `expires_at` has passed is over. */
export interface Invitation {
  id: string;
  org_id: string;
  /** What of the token is stored in plain. */
  kid: string;
  email: string;
  level: Level;
  pepper_version: number;
  /** Of the actor. */
  invited_by: string | null;
  /** Of who accepted it. */
  account_id: string | null;
  status: InvitationStatus;
  expires_at: number;
  metadata: JsonObject;
  created_at: number;
  updated_at: number;
}

/** An invitation that was made, with its token, which is shown now and never again. */
export interface Invited {
  invitation: Invitation;
  token: Token;
}

export interface InviteOptions extends ActorOptions {
  /** Default `'member'`. */
  level?: Level | undefined;
  expiresAt?: Moment | undefined;
  /** Milliseconds; default a week. */
  ttl?: number | undefined;
  metadata?: JsonObject | undefined;
}

export interface InvitationListOptions extends PageOptions {
  orgId?: string | undefined;
  /** As it is stored: normalised. */
  email?: string | undefined;
  status?: InvitationStatus | undefined;
}

/** `db.invitations`. Iterating yields all. Needs a key ring with a pepper (`NOT_FOUND`). */
export class Invitations implements Iterable<Invitation> {
  readonly #connection: Connection;

  /** @internal */
  constructor(connection: Connection) {
    this.#connection = connection;
  }

  [Symbol.iterator](): Generator<Invitation, void, undefined> {
    return pages((cursor) => this.list({ limit: PAGE, cursor }));
  }

  /**
   * Make one, with its token, to be sent to that email.
   *
   * @throws BrantError `EXISTS`: one for that email is pending there, or its account is a member; `DENIED`: the actor may not make members of this level; `CONFLICT`: the organization is not
   *   active; `NOT_FOUND`, `INVALID`.
   */
  create(orgId: string, email: string, options: InviteOptions = {}): Invited {
    const { expiresAt, ...rest } = options;
    const input = { ...acting(rest), org_id: orgId, email, expires_at: expiresAt === undefined ? undefined : moment(expiresAt) };
    const answer = this.#connection.invoke<{ invitation: Invitation; token: string }>(native.brant_invitation_create, input);
    return { invitation: answer.invitation, token: new Token(answer.token) };
  }

  /** @throws BrantError `NOT_FOUND` */
  get(id: string): Invitation {
    return this.#connection.invoke(native.brant_invitation_get, { id });
  }

  /** A page. */
  list(options?: InvitationListOptions): Page<Invitation> {
    return this.#connection.invoke(native.brant_invitation_list, filtered(options));
  }

  /**
   * Become a member.
   *
   * @param options - `accountId`, default the actor's; its email must be the invitation's
   * @throws BrantError `AUTH`: no invitation has this token; `DENIED`: it is another's; `CONFLICT`: it is settled already, or organization or account are not active; `STALE`: it is over;
   *   `EXISTS`: the account is a member.
   */
  accept(token: string | Token, options?: ActorOptions & { accountId?: string | undefined }): { member: Member; invitation: Invitation } {
    return this.#connection.invoke(native.brant_invitation_accept, { ...acting(options), token: tokenText(token) });
  }

  /** By whoever has the token. @throws BrantError `AUTH`, `CONFLICT`, `STALE` as `accept`. */
  reject(token: string | Token, options?: ActorOptions): Invitation {
    return this.#connection.invoke(native.brant_invitation_reject, { ...acting(options), token: tokenText(token) });
  }

  /** @throws BrantError `NOT_FOUND`, `DENIED`; `CONFLICT`: it is settled already. */
  cancel(id: string, options?: ActorOptions): Invitation {
    return this.#connection.invoke(native.brant_invitation_cancel, { ...acting(options), id });
  }
}
