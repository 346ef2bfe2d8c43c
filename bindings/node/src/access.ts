/* `db.access`: who may do what: a graph of principals, agents, groups, roles and resources. */
import type { Connection } from './connection.js';
import { BrantError, type ErrorCode } from './error.js';
import { type ActorOptions, acting } from './identity.js';
import { PAGE, apart, array, paged, pages } from './input.js';
import { snakeCase } from './json.js';
import type { Level, MemberStatus } from './members.js';
import { type Operation, native } from './native.js';
import { type Moment, moment } from './payload.js';
import type { AsyncOptions, GraphEdge, GraphNode, JsonObject, Page, PageOptions } from './types.js';

export type SubjectType = 'Principal' | 'Agent' | 'Group' | 'Role';
export type AccessNodeType = SubjectType | 'Resource';

/** How new the state must be: the `revision` that a write answered. `CONFLICT`: this handle has not seen it yet. */
export interface AtLeast {
  atLeast?: number | undefined;
}

/** May the subject? */
export interface AccessQuestion {
  subject: string;
  /** `<namespace>:<action>`. */
  scope: string;
  /** Default `*`: everywhere. */
  resource?: string | undefined;
}

/** One answer. */
export interface AccessDecision {
  allowed: boolean;
  /** Why it cannot be told. */
  error?: BrantError;
}

/** An edge on the way to an answer. */
export interface AccessStep {
  kind: 'BelongsTo' | 'HasRole' | 'Grants' | 'Denies' | 'Delegates';
  source: string;
  target: string;
  key: string;
  scopes?: string[];
}

/** An answer, and why. */
export interface AccessExplanation {
  allowed: boolean;
  reason: string;
  /** What gives it: delegations first, then groups and roles, at last the edge that grants. */
  path?: AccessStep[];
  /** What takes it. */
  denied_by?: AccessStep;
  /** Of an agent: chains of delegations that give nothing, from it on, and why. At most 100. */
  tried?: { chain: string[]; why: string }[];
  revision: number;
}

/** Who stands behind an edge. Groups and roles have members, once: `again` where one comes a second time. */
export interface AccessHolder {
  key: string;
  type: AccessNodeType;
  active?: boolean;
  members?: AccessHolder[];
  again?: true;
}

/** All edges that grant and deny a scope on a resource. */
export interface AccessExpansion {
  resource: string;
  scope: string;
  grants: { edge: AccessStep; from: AccessHolder }[];
  denies: { edge: AccessStep; from: AccessHolder }[];
  truncated: boolean;
  revision: number;
}

/** The edge that a call wrote. */
export interface AccessWritten {
  edge: GraphEdge;
  /** Of the graph, for {@link AtLeast}. */
  revision: number;
}

export interface GrantOptions extends ActorOptions {
  /** Default `*`: everywhere. */
  resource?: string | undefined;
  expiresAt?: Moment | undefined;
}

export interface DelegateOptions extends ActorOptions {
  expiresAt?: Moment | undefined;
  /** How many delegations may follow this one; default 0. */
  maxDepth?: number | undefined;
  /** Default false. */
  mayRedelegate?: boolean | undefined;
}

/** A member, for `sync`. */
export interface AccessMember {
  account_id: string;
  level: Level;
  /** Default `'active'`. */
  status?: MemberStatus | undefined;
}

/** What became different. */
export interface AccessSynced {
  added: number;
  removed: number;
  changed: number;
  revision: number;
}

export interface AccessSeeded {
  operations: number;
  roles: number;
  /** Nodes and edges that were written. */
  changed: number;
  revision: number;
}

/**
 * `db.access`, which is the graph `access`, or `db.accessGraph(name)`.
 *
 * A principal may what a grant on the resource, on what that is part of, or on `*` gives to it or to a group or role that it reaches; an explicit denial wins. An agent may what was delegated to it, by a chain
 * of delegations from a principal that has the right now. `LIMIT`: too deep to be told.
 *
 * Writing makes the graph where it is missing, is recorded in the audit log (so it needs a key ring), and answers a `revision`. Nobody gives more than they hold (`DENIED`).
 */
export class Access {
  readonly #connection: Connection;
  readonly #graph: string | undefined;

  /** @internal */
  constructor(connection: Connection, graph?: string) {
    this.#connection = connection;
    this.#graph = graph;
  }

  #invoke<T>(operation: Operation, input: object): T {
    return this.#connection.invoke(operation, { ...input, graph: this.#graph });
  }

  // ---- reading

  /**
   * May it? Some 10 µs; the first on a handle reads the graph into memory.
   *
   * ```js
   * if (!db.access.check(`account:${id}`, 'nodes:write', 'graph:notes')) throw new Error('no');
   * ```
   *
   * @param resource - default `*`: everywhere
   * @throws BrantError `NOT_FOUND`: no such access graph; `INVALID`: the scope is none; `LIMIT`, `CONFLICT`.
   */
  check(subject: string, scope: string, resource?: string, options?: AtLeast): boolean {
    return this.decide(subject, scope, resource, options).allowed;
  }

  /** `check` with the revision of the graph that the answer is of. */
  decide(subject: string, scope: string, resource?: string, options?: AtLeast): AccessDecision & { revision: number } {
    return this.#invoke(native.brant_access_check, { ...snakeCase(options), subject, scope, resource });
  }

  /** The answers to many, of one state, in order. What cannot be told (`INVALID`, `LIMIT`) is not allowed. */
  checkMany(items: Iterable<AccessQuestion>, options?: AtLeast): { items: AccessDecision[]; revision: number } {
    type Item = { allowed: boolean; error?: undefined } | { error: { code: ErrorCode; message: string } };
    const input = { ...snakeCase(options), items: array(items) };
    const { items: answers, revision } = this.#invoke<{ items: Item[]; revision: number }>(native.brant_access_check_many, input);
    const decisions = answers.map((item): AccessDecision =>
      item.error === undefined ? { allowed: item.allowed } : { allowed: false, error: new BrantError(item.error.code, item.error.message) },
    );
    return { items: decisions, revision };
  }

  /** As `check`, with the path that gives it, or why not. */
  explain(subject: string, scope: string, resource?: string, options?: AtLeast): AccessExplanation {
    return this.#invoke(native.brant_access_explain, { ...snakeCase(options), subject, scope, resource });
  }

  /**
   * A page of the resources that `check` allows, by key; `*` among them where it is allowed everywhere.
   *
   * @param options - `kind: 'graph'`: only `graph:...`
   */
  listObjects(
    subject: string,
    scope: string,
    options?: PageOptions & AtLeast & { kind?: string | undefined },
  ): Page<string> & { revision: number } {
    return this.#invoke(native.brant_access_list_objects, { ...paged(options), subject, scope });
  }

  /** All of `listObjects`, page by page. */
  objects(subject: string, scope: string, options?: { kind?: string | undefined }): Generator<string, void, undefined> {
    return pages((cursor) => this.listObjects(subject, scope, { ...options, limit: PAGE, cursor }));
  }

  /**
   * A page of the subjects that `check` allows, by key.
   *
   * @param options - `resource`, default `*`; `kind`: of this type
   */
  listSubjects(
    scope: string,
    options?: PageOptions & AtLeast & { resource?: string | undefined; kind?: SubjectType | undefined },
  ): Page<string> & { revision: number } {
    return this.#invoke(native.brant_access_list_subjects, { ...paged(options), scope });
  }

  /** All of `listSubjects`, page by page. */
  subjects(
    scope: string,
    options?: { resource?: string | undefined; kind?: SubjectType | undefined },
  ): Generator<string, void, undefined> {
    return pages((cursor) => this.listSubjects(scope, { ...options, limit: PAGE, cursor }));
  }

  /**
   * The edges that grant and deny a scope on a resource, and who stands behind them.
   *
   * @param options - `resource`, default `*`; `limit`: nodes of the answer, default 1000
   */
  expand(scope: string, options?: AtLeast & { resource?: string | undefined; limit?: number | undefined }): AccessExpansion {
    return this.#invoke(native.brant_access_expand, { ...snakeCase(options), scope });
  }

  // ---- writing

  /**
   * Make a node, or give one its attributes anew: `put('account:7', 'Principal', { status: 'suspended' })` ends all that goes through it at once.
   *
   * @throws BrantError `VALIDATION`; `CONSTRAINT`: it is of another type; `DENIED`: it is the library's.
   */
  put(key: string, type: AccessNodeType, attributes?: JsonObject, options?: ActorOptions): GraphNode {
    return this.#invoke(native.brant_access_put, { ...acting(options), key, type, attributes });
  }

  /** A node with all its edges. @throws BrantError `NOT_FOUND`; `DENIED`: it is the library's. */
  remove(key: string, options?: ActorOptions): { removed: true; edges: number; revision: number } {
    return this.#invoke(native.brant_access_remove, { ...acting(options), key });
  }

  /** Have a resource be part of another (null: of none): what holds there holds here. @throws BrantError `CONSTRAINT`: it would be part of itself. */
  setParent(resource: string, parent: string | null, options?: ActorOptions): { changed: boolean; revision: number } {
    return this.#invoke(native.brant_access_set_parent, { ...acting(options), resource, parent });
  }

  /**
   * Give a principal, group or role scopes; again: more of them.
   *
   * @throws BrantError `NOT_FOUND`: no such subject; `CONSTRAINT`: an agent, to which one delegates; `CONFLICT`: what is there ends at another time; `DENIED`.
   */
  grant(subject: string, scopes: Iterable<string>, options?: GrantOptions): AccessWritten {
    return this.#invoke(native.brant_access_grant, { ...ending(options), subject, scopes: array(scopes) });
  }

  /** Deny what these scopes overlap, whoever grants it. As `grant`; also agents. */
  deny(subject: string, scopes: Iterable<string>, options?: GrantOptions): AccessWritten {
    return this.#invoke(native.brant_access_deny, { ...ending(options), subject, scopes: array(scopes) });
  }

  /**
   * Give a principal or group a role, or take it into a group.
   *
   * @throws BrantError `NOT_FOUND`; `CONSTRAINT`: of other types; `DENIED`: a group of an organization's members.
   */
  assign(
    subject: string,
    to: { role: string; group?: undefined } | { group: string; role?: undefined },
    options?: ActorOptions & { expiresAt?: Moment | undefined },
  ): AccessWritten {
    return this.#invoke(native.brant_access_assign, { ...ending(options), ...to, subject });
  }

  /**
   * Take back what goes from `subject` to `target`: a resource, a role, a group, the agent of a delegation. `revoked` 0: there was no such thing.
   *
   * @param target - default `*`, of a grant or a denial
   * @param options - `scopes`: only these of it
   * @throws BrantError `NOT_FOUND`: no such subject; `CONSTRAINT`: a scope is a part of a wider one that is there; `DENIED`.
   */
  revoke(
    kind: 'grant' | 'deny' | 'role' | 'group' | 'delegation',
    subject: string,
    target?: string,
    options?: ActorOptions & { scopes?: Iterable<string> | undefined },
  ): { revoked: 0 | 1; revision: number } {
    const { scopes, ...rest } = options ?? {};
    const some = scopes === undefined ? undefined : array(scopes);
    return this.#invoke(native.brant_access_revoke, { ...acting(rest), kind, subject, target, scopes: some });
  }

  /**
   * Have an agent act for a principal, or for another agent, with these scopes, as far as that one has the right itself at the time. Again: these terms in place of the former.
   *
   * @throws BrantError `DENIED`: it cannot give that; `NOT_FOUND`: no such `from`; `CONSTRAINT`: `to` is no agent.
   */
  delegate(from: string, to: string, scopes: Iterable<string>, options?: DelegateOptions): AccessWritten {
    return this.#invoke(native.brant_access_delegate, { ...ending(options), from, to, scopes: array(scopes) });
  }

  /**
   * Write what is so by definition: a resource for each operation of the library, and the roles `role:viewer` to `role:owner`. Call it after each release; again it changes nothing,
   * and what was given at run time stays.
   */
  seed(options?: ActorOptions): AccessSeeded {
    return this.#invoke(native.brant_access_seed, acting(options));
  }

  /** `seed` on another thread. */
  seedAsync(options?: ActorOptions & AsyncOptions): Promise<AccessSeeded> {
    const [rest, call] = apart(options);
    return this.#connection.invokeAsync('access.seed', { ...acting(rest), graph: this.#graph }, call);
  }

  /**
   * Derive anew who is in the groups of organizations' members, which happens by itself where these change.
   *
   * @param options - `orgId`, default all; `members`: all that there are, in a tenant's file
   */
  sync(options: SyncOptions = {}): AccessSynced {
    return this.#invoke(native.brant_access_sync, synced(options));
  }

  /** `sync` on another thread. */
  syncAsync(options: SyncOptions & AsyncOptions = {}): Promise<AccessSynced> {
    const [rest, call] = apart(options);
    return this.#connection.invokeAsync('access.sync', { ...synced(rest), graph: this.#graph }, call);
  }
}

export interface SyncOptions extends ActorOptions {
  orgId?: string | undefined;
  members?: Iterable<AccessMember> | undefined;
}

function synced({ members, ...rest }: SyncOptions): object {
  return { ...acting(rest), members: members === undefined ? undefined : array(members) };
}

/** Options with an end in time. */
function ending(options: (ActorOptions & { expiresAt?: Moment | undefined }) | undefined): Record<string, unknown> {
  const { expiresAt, ...rest } = options ?? {};
  return { ...acting(rest), expires_at: expiresAt === undefined ? undefined : moment(expiresAt) };
}
