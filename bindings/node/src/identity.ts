/*
 * Identity: what accounts, organizations, their members, invitations and API keys have in common: who acts, tokens, lists; and who has a key.
 *
 * All of it works in files of role `single` and `system` (a hub's), and is `MISUSE` in a tenant's. What changes something is recorded in the audit log in the same transaction,
 * and so needs a key ring with an active key of purpose `audit` (`NOT_FOUND` without); tokens need one of purpose `pepper` besides.
 */
import { inspect } from 'node:util';
import type { Account } from './accounts.js';
import type { ApiKey } from './api_keys.js';
import { type Connection, guard } from './connection.js';
import { parse, refuseCrossing, snakeCase } from './json.js';
import type { Level } from './members.js';
import { native } from './native.js';
import type { Organization } from './organizations.js';
import type { JsonObject, PageOptions } from './types.js';

export type ActorType = 'account' | 'api_key' | 'agent' | 'service' | 'system';

/**
 * Who acts: an account's id, or more. Without one the program itself does, which no rule of organizations binds; an account must be active and have the
 * right to do what it does (`DENIED`). On a session it is the session's identity, to which only a reason may be added.
 */
export type Actor = string | { type?: ActorType | undefined; id?: string | undefined; /** At most 1000 bytes; it is in the audit log. */ reason?: string | undefined };

/** What every call that changes something takes. */
export interface ActorOptions {
  actor?: Actor | undefined;
}

/** Who works through a session, and what they may; `authenticate` answers one. See {@link Database.session}. */
export interface Identity {
  /** Of the account, as a rule. */
  id: string;
  /** Default `'account'`. */
  actor_type?: Exclude<ActorType, 'system'> | undefined;
  /** What it may: `<namespace>:<action>`, each of them also `*`. Default none. */
  scopes?: readonly string[] | undefined;
  /** What it may at the most, however it has the right. Default `['*:*']`. */
  within?: readonly string[] | undefined;
  /** What it may not, however it has the right. */
  denies?: readonly string[] | undefined;
  /** Actions on single graphs: `{'graph:notes': ['read']}`. */
  resources?: Readonly<Record<string, readonly string[]>> | undefined;
  /** A node of the graph `access`, whose rights are asked for at each call. */
  principal?: string | undefined;
  organization?: string | undefined;
  level?: string | undefined;
  /** The id of the API key. */
  key?: string | undefined;
  reason?: string | undefined;
  /** What it may do with paths on this machine: `read` (`graphs.import`), `write` (`backup`). Default nothing. */
  files?: readonly ('read' | 'write')[] | undefined;
}

const SHOWN = '[token]';

/**
 * A token that was just made: hand `reveal()` to whoever it is for; it is stored nowhere. In a text, in JSON and to `util.inspect` it is `[token]`; a copy by
 * `structuredClone` or `postMessage` is empty. Methods that take a token take this or its text.
 */
export class Token {
  readonly #text: string;

  /** @internal */
  constructor(text: string) {
    this.#text = text;
  }

  /** Its text, `brant_key_...`. */
  reveal(): string {
    return this.#text;
  }

  toString(): string {
    return SHOWN;
  }

  toJSON(): string {
    refuseCrossing('a token is not written as what it shows; give what reveal() returns');
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

/** @internal */
export function tokenText(token: string | Token): string {
  return token instanceof Token ? token.reveal() : token;
}

/** Options of a call by somebody. @internal */
export function acting(options: ActorOptions | undefined): Record<string, unknown> {
  const { actor, ...rest } = options ?? {};
  const input = snakeCase(rest);
  if (actor !== undefined) input['actor'] = typeof actor === 'string' ? { id: actor } : actor;
  return input;
}

/** Options of a list by columns. @internal */
export function filtered(options: PageOptions | undefined): Record<string, unknown> {
  const { limit, cursor, ...columns } = options ?? {};
  return { limit, cursor: cursor ?? undefined, filter: snakeCase(columns) };
}

/** Whose a key is and what it may now: `scopes`, without what `denies` overlap. */
export interface Verified {
  key: ApiKey;
  account: Account;
  /** Null: of a key without one. */
  organization: Organization | null;
  level: Level | null;
  scopes: string[];
  denies: string[];
}

/** As {@link Verified}, with the identity of a session for whoever has the key: `db.session(found.identity)`. */
export interface Authenticated extends Verified {
  identity: Identity;
}

/** The form of a noun's rows, and of what makes and changes one: JSON Schemas (2020-12). */
export interface RowSchemas {
  select: JsonObject;
  insert: JsonObject;
  update: JsonObject;
}

export type IdentityTable = 'accounts' | 'organizations' | 'members' | 'invitations' | 'api_keys' | 'audit_logs';

/** JSON Schemas of the rows of accounts, organizations, members, invitations, API keys and the audit log. */
export function identitySchemas(): Record<IdentityTable, RowSchemas> {
  const text = guard(() => native.brant_identity_schemas(null, '{}'));
  return (parse(text, 'exact') as { tables: Record<IdentityTable, RowSchemas> }).tables;
}

/** @internal */
export function authenticate(connection: Connection, token: string | Token): Authenticated {
  return connection.invoke(native.brant_auth_authenticate, { token: tokenText(token) });
}
