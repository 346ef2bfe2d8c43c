/* `db.apiKeys`: keys by which programs act for accounts. */
import type { Connection } from './connection.js';
import { type ActorOptions, Token, type Verified, acting, filtered, tokenText } from './identity.js';
import { PAGE, array, pages } from './input.js';
import { native } from './native.js';
import { type Moment, moment } from './payload.js';
import type { JsonObject, Page, PageOptions } from './types.js';

/** An API key: it acts for its owner, in one organization or for the account by itself. Its token is not here: that is shown once. */
export interface ApiKey {
  id: string;
  /** What of the token is stored in plain. */
  kid: string;
  type: string;
  /** `legacy-sha256`: taken over from another system. */
  scheme: 'brant1' | 'legacy-sha256';
  pepper_version: number;
  owner_id: string;
  org_id: string | null;
  name: string;
  /** What it may at the most: what its owner does not hold when it is used, it may not. */
  scopes: string[];
  expires_at: number | null;
  revoked_at: number | null;
  /** To the minute. */
  last_used_at: number | null;
  /** The id of the key in whose place it came. */
  rotated_from: string | null;
  metadata: JsonObject;
  created_at: number;
  updated_at: number;
}

/** A key that was made, with its token, which is shown now and never again. */
export interface NewKey {
  key: ApiKey;
  token: Token;
}

/** A key in the place of another. */
export interface RotatedKey extends NewKey {
  /** The one before, which works for a while still. */
  previous: ApiKey;
}

export interface NewKeyOptions extends ActorOptions {
  /** Default the actor. */
  ownerId?: string | undefined;
  /** Of the organization in which it works; default none: for the account by itself. */
  orgId?: string | undefined;
  /** What stands in the token, 1 to 12 of a-z, default `'key'`. */
  type?: string | undefined;
  expiresAt?: Moment | undefined;
  metadata?: JsonObject | undefined;
}

export interface ApiKeyListOptions extends PageOptions {
  ownerId?: string | undefined;
  /** null: those of accounts by themselves. */
  orgId?: string | null | undefined;
  type?: string | undefined;
  scheme?: ApiKey['scheme'] | undefined;
  /** Neither revoked nor expired. */
  active?: boolean | undefined;
}

/** `db.apiKeys`. Iterating yields all. Needs a key ring with a pepper (`NOT_FOUND`). */
export class ApiKeys implements Iterable<ApiKey> {
  readonly #connection: Connection;

  /** @internal */
  constructor(connection: Connection) {
    this.#connection = connection;
  }

  [Symbol.iterator](): Generator<ApiKey, void, undefined> {
    return pages((cursor) => this.list({ limit: PAGE, cursor }));
  }

  /**
   * Make one, with its token, `brant_<type>_...`.
   *
   * ```js
   * const { token } = db.apiKeys.create('nightly', ['nodes:read'], { ownerId: account.id });
   * process.stdout.write(token.reveal());
   * ```
   *
   * @throws BrantError `DENIED`: the actor may not make keys of this account, or with one of the scopes; `CONFLICT`: owner or organization are not active; `NOT_FOUND`, `INVALID`.
   */
  create(name: string, scopes: Iterable<string>, options?: NewKeyOptions): NewKey {
    const { key, token } = this.#connection.invoke<{ key: ApiKey; token: string }>(native.brant_api_key_create, made(name, scopes, options));
    return { key, token: new Token(token) };
  }

  /** @throws BrantError `NOT_FOUND` */
  get(id: string): ApiKey {
    return this.#connection.invoke(native.brant_api_key_get, { id });
  }

  /** A page. */
  list(options?: ApiKeyListOptions): Page<ApiKey> {
    return this.#connection.invoke(native.brant_api_key_list, filtered(options));
  }

  /** Whose it is, and what it may now. @throws BrantError `AUTH`, with one message, for whatever is wrong with it; `NOT_FOUND`: there is no pepper. */
  verify(token: string | Token): Verified & { valid: true } {
    return this.#connection.invoke(native.brant_api_key_verify, { token: tokenText(token) });
  }

  /**
   * A new key in its place, with another token.
   *
   * @param options - `overlap`: milliseconds for which the old one works still, default a day
   * @throws BrantError `CONFLICT`: it was rotated or revoked, or has expired; `NOT_FOUND`, `DENIED`.
   */
  rotate(id: string, options?: ActorOptions & { overlap?: number | undefined }): RotatedKey {
    const input = { ...acting(options), id };
    const { key, token, previous } = this.#connection.invoke<{ key: ApiKey; token: string; previous: ApiKey }>(native.brant_api_key_rotate, input);
    return { key, token: new Token(token), previous };
  }

  /** For ever: no verification by any process that begins after this returned finds it valid. @throws BrantError `NOT_FOUND`, `DENIED`. */
  revoke(id: string, options?: ActorOptions): ApiKey {
    return this.#connection.invoke(native.brant_api_key_revoke, { ...acting(options), id });
  }

  /**
   * Take over a key of another system, which works until it is rotated or revoked.
   *
   * @param hash - the SHA-256 of its token, in hexadecimal
   * @throws BrantError `EXISTS`; as `create`.
   */
  import(name: string, scopes: Iterable<string>, hash: string, options?: NewKeyOptions): ApiKey {
    return this.#connection.invoke(native.brant_api_key_import, { ...made(name, scopes, options), hash });
  }
}

function made(name: string, scopes: Iterable<string>, options: NewKeyOptions = {}): Record<string, unknown> {
  const { expiresAt, ...rest } = options;
  return { ...acting(rest), name, scopes: array(scopes), expires_at: expiresAt === undefined ? undefined : moment(expiresAt) };
}
