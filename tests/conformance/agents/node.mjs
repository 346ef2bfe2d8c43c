/*
 * The Node.js agent of README.md: each operation through the package's public methods. Requests are answered in order, but those
 * marked `background`, whose promises are answered when they settle.
 */
import { createInterface } from 'node:readline';
import { BrantError, Hub, deriveKey, generateKey, identitySchemas, modules, open, version } from '../../../bindings/node/dist/index.mjs';
// Requests hold integers beyond 2^53, which the package reads and writes exactly.
import { parse, stringify } from '../../../bindings/node/dist/json.js';

/** Ends a transaction without being an error. */
class RolledBack extends Error {}

class UnknownOperation extends Error {}

const camel = (name) => name.replace(/_[a-z]/g, (pair) => pair[1].toUpperCase());
const camelCase = (options) => Object.fromEntries(Object.entries(options).map(([name, value]) => [camel(name), value]));

/** The arguments in `names` one by one, then the rest with camelCase names, as the methods take options. */
function split(input, ...names) {
  const rest = { ...input };
  const parts = names.map((name) => {
    const value = rest[name];
    delete rest[name];
    return value;
  });
  return [...parts, camelCase(rest)];
}

/** No others than these: a method has no place for them. */
function only(input, ...names) {
  const [...parts] = split(input, ...names);
  const unknown = Object.keys(parts.pop());
  if (unknown.length > 0) throw new UnknownOperation(`no parameter for ${unknown}`);
  return parts;
}

const inGraph = (run) => (db, input) => {
  const { graph, ...rest } = input;
  return run(db.graph(graph), rest);
};

const inQueue = (run) => (db, input) => {
  const { queue, ...rest } = input;
  return run(db.queue(queue), rest);
};

const inStream = (run) => (db, input) => {
  const { stream, ...rest } = input;
  return run(db.stream(stream), rest);
};

const ofConsumer = (run) => inStream((stream, { consumer, ...rest }) => run(stream.consumer(consumer), rest));

const ofGroup = (run) =>
  inStream((stream, { group, member, lease, from, ...rest }) => run(stream.group(group, member, { lease, from }), rest));

const ofLock = (run) => (db, { name, owner, ttl, ...rest }) => run(db.lock(name, { owner, ttl }), rest);

const ofRateLimit = (run) => (db, input) => {
  const { name, cost, ...rule } = input;
  return run(db.rateLimit(name, camelCase(rule)), cost);
};

/** A claim, and the options of what is done with it. */
const withClaim = (run) => (db, { id, token, ...rest }) => run(db.jobs, { id, token }, rest);

/** Bytes as a user would pass them. */
const bytes = (base64) => new Uint8Array(Buffer.from(base64, 'base64'));

function withPayload({ payload_base64, ...rest }) {
  return payload_base64 === undefined ? rest : { ...rest, payload: bytes(payload_base64) };
}

/** Bytes that nobody could pass to a method: no base64, or beside another payload. Those go to the generic call. */
function impossible(input) {
  if (typeof input !== 'object' || input === null) return false;
  if (Array.isArray(input.items) && input.items.some(impossible)) return true;
  const { payload, payload_base64 } = input;
  if (payload_base64 === undefined) return false;
  return payload !== undefined || typeof payload_base64 !== 'string' || Buffer.from(payload_base64, 'base64').toString('base64') !== payload_base64;
}

/** What was read, with bytes as the scenarios have them. */
function bytesToText(value) {
  if (value instanceof Uint8Array) return { $base64: Buffer.from(value).toString('base64') };
  if (Array.isArray(value)) return value.map(bytesToText);
  if (typeof value !== 'object' || value === null) return value;
  const { payload, ...rest } = value;
  const members = Object.fromEntries(Object.entries(rest).map(([name, member]) => [name, bytesToText(member)]));
  if (payload === undefined) return members;
  return payload instanceof Uint8Array ? { ...members, payload_base64: Buffer.from(payload).toString('base64') } : { ...members, payload };
}

/** A job's options with their names of methods, `unique` too. */
function jobOptions(input) {
  const { unique, ...rest } = camelCase(input);
  return unique === undefined || typeof unique !== 'object' || unique === null ? camelCase(input) : { ...rest, unique: camelCase(unique) };
}

const nothing = (run) => (...parameters) => (run(...parameters), {});

/** What selects many: keys, or a filter; with what else there is. */
function selected({ keys, ...input }) {
  if (keys !== undefined) return [keys, camelCase(input)];
  const { filter, ...options } = input;
  return [filter === undefined ? {} : { filter }, camelCase(options)];
}

const many = (of, verb) => inGraph((graph, input) => graph[of][verb](...split(input, 'items')));

/** What a scenario sees of an opened secret. */
const opened = (secret) => ({ value: secret.reveal(), key_version: secret.keyVersion });

/** The columns of a list's filter are options beside its limit and cursor. */
const filtered = ({ filter, ...input }) => camelCase({ ...filter, ...input });

/** What was made with a token, which only shows itself. */
const shown = ({ token, ...made }) => ({ ...made, token: token.reveal() });

const inAccess = (run) => (db, { graph, ...input }) => run(graph === undefined ? db.access : db.accessGraph(graph), input);

const decision = ({ allowed, error }) => (error === undefined ? { allowed } : { error: { code: error.code, message: error.message } });

/** The methods of nodes and of edges that are alike. */
const items = (of) => ({
  [`${of}.put`]: inGraph((graph, input) => graph[of].put(input)),
  [`${of}.insert`]: inGraph((graph, input) => graph[of].insert(input)),
  [`${of}.patch`]: inGraph((graph, input) => graph[of].patch(...split(input, 'key'))),
  [`${of}.put_many`]: many(of, 'putMany'),
  [`${of}.insert_many`]: many(of, 'insertMany'),
  [`${of}.patch_many`]: many(of, 'patchMany'),
  [`${of}.get`]: inGraph((graph, input) => graph[of].get(...only(input, 'key'))),
  [`${of}.open_secret`]: inGraph((graph, input) => opened(graph[of].openSecret(...only(input, 'key', 'path')))),
  [`${of}.exists`]: inGraph((graph, input) => ({ exists: graph[of].exists(...only(input, 'key')) })),
  [`${of}.count`]: inGraph((graph, input) => ({ count: graph[of].count(...split(input)) })),
  [`${of}.list`]: inGraph((graph, input) => graph[of].list(...split(input))),
  [`${of}.explain`]: inGraph((graph, input) => graph[of].explain(...split(input))),
  [`${of}.search`]: inGraph((graph, input) => graph[of].search(...split(input, 'query'))),
  [`${of}.delete`]: inGraph((graph, input) => graph[of].delete(...split(input, 'key'))),
  [`${of}.delete_many`]: inGraph((graph, input) => graph[of].deleteMany(...selected(input))),
});

/** The package's method for each registry name, and what a scenario can do besides. */
const METHODS = {
  'transaction.begin': (db, input) => db.begin(...only(input, 'mode')),
  'transaction.commit': (db, input) => (only(input), db.commit()),
  'transaction.rollback': (db, input) => (only(input), db.rollback()),
  'sql.execute': (db, input) => {
    const { sql, params, limit, close, describe, ...more } = input;
    // What `execute` does not say is for drivers, who call the operation by its name.
    if (sql === undefined || (limit === undefined) !== (close === undefined) || Object.keys(more).length > 0) return db.call('sql.execute', input);
    return blobsToText(db.execute(sql, blobsFromText(params), { limit, describe }));
  },
  'db.info': (db, input) => (only(input), db.info()),
  'db.doctor': (db, input) => (only(input), db.doctor()),
  'db.maintain': (db, input) => (only(input), db.maintain()),
  'db.erase': (db, input) => db.erase(...split(input, 'values')),
  'db.backup': (db, input) => db.backup(...split(input, 'path')),
  'db.restore': (db, input) => db.restore(...only(input, 'path')),
  'operations.list': (db, input) => ({ items: db.operations(...split(input)) }),
  'db.metrics': (db, input) => (only(input), { text: db.metrics() }),
  'events.notify': (db, input) => ({ id: db.notify(...only(withPayload(input), 'channel', 'payload')) }),
  'events.channels': (db, input) => db.channels(...split(input)),
  'events.set_retention': (db, input) => db.setRetention(...split(input, 'channel')),

  'queues.configure': inQueue((queue, input) => queue.configure(...split(input))),
  'queues.get': inQueue((queue, input) => (only(input), queue.info())),
  'queues.list': (db, input) => db.queues.list(...split(input)),
  'queues.pause': inQueue((queue, input) => (only(input), queue.pause())),
  'queues.resume': inQueue((queue, input) => (only(input), queue.resume())),
  'queues.drain': inQueue((queue, input) => (only(input), queue.drain())),
  'queues.delete': inQueue((queue, input) => queue.delete(...split(input))),
  'queues.enqueue': inQueue((queue, input) => {
    const { payload, ...options } = jobOptions(withPayload(input));
    return queue.enqueue(payload, options);
  }),
  'queues.enqueue_many': inQueue((queue, input) => {
    const [items] = only(input, 'items');
    return queue.enqueueMany(items.map((item) => jobOptions(withPayload(item))));
  }),
  'queues.claim': inQueue((queue, { ack, ...options }) => {
    const { jobs, acked, stale } = queue.claimAndAck(ack ?? [], options);
    const items = jobs.map((job) => Object.fromEntries(Object.entries(job).filter(([, value]) => value !== undefined)));
    return bytesToText({ items, ...(ack === undefined ? {} : { acked, stale }) });
  }),
  'queues.stats': (db, input) => {
    const [queue] = only(input, 'queue');
    return queue === undefined ? { items: db.queues.stats() } : db.queue(queue).stats();
  },
  'queues.prune': inQueue((queue, input) => queue.prune(...split(input))),
  'jobs.get': (db, input) => bytesToText(db.jobs.get(...only(input, 'id'))),
  'jobs.list': inQueue((queue, input) => bytesToText(queue.list(...split(input)))),
  'jobs.ack': nothing(withClaim((jobs, claim, input) => jobs.ack(claim, ...only(input, 'result')))),
  'jobs.ack_many': (db, input) => db.jobs.ackMany(...only(input, 'items')),
  'jobs.fail': withClaim((jobs, claim, input) => jobs.fail(claim, ...split(input, 'error'))),
  'jobs.snooze': withClaim((jobs, claim, input) => jobs.snooze(claim, ...only(input, 'delay'))),
  'jobs.release': withClaim((jobs, claim, input) => (only(input), jobs.release(claim))),
  'jobs.heartbeat': withClaim((jobs, claim, input) => jobs.heartbeat(claim, ...split(input))),
  'jobs.heartbeat_many': (db, input) => ({ items: db.jobs.heartbeatMany(...split(input, 'items')) }),
  'jobs.cancel': (db, input) => db.jobs.cancel(...only(input, 'id')),
  'jobs.requeue': (db, input) => db.jobs.requeue(...split(withPayload(input), 'id')),
  'jobs.requeue_many': inQueue((queue, input) => queue.requeue(...split(input))),
  'jobs.delete': nothing((db, input) => db.jobs.delete(...only(input, 'id'))),
  'jobs.update': (db, input) => bytesToText(db.jobs.update(...split(withPayload(input), 'id'))),

  'streams.configure': inStream((stream, input) => stream.configure(...split(input))),
  'streams.get': inStream((stream, input) => (only(input), stream.info())),
  'streams.list': (db, input) => db.streams.list(...split(input)),
  'streams.delete': inStream((stream, input) => stream.delete(...split(input))),
  'streams.publish': inStream((stream, input) => ({ offset: stream.publish(...split(withPayload(input), 'payload')) })),
  'streams.publish_many': inStream((stream, input) => {
    const [items] = only(input, 'items');
    return stream.publishMany(items.map(withPayload));
  }),
  'streams.read': inStream((stream, input) => bytesToText(stream.read(...split(input)))),
  'streams.latest': inStream((stream, input) => bytesToText(stream.latest(...only(input, 'key')))),
  'streams.trim': inStream((stream, input) => stream.trim(...split(input))),
  'streams.compact': inStream((stream, input) => (only(input), stream.compact())),
  'streams.stats': (db, input) => {
    const [stream] = only(input, 'stream');
    return stream === undefined ? { items: db.streams.stats() } : db.stream(stream).stats();
  },
  'consumers.commit': ofConsumer((consumer, input) => consumer.commit(...only(input, 'offset'))),
  'consumers.seek': ofConsumer((consumer, input) => consumer.seek(...only(input, 'to'))),
  'consumers.get': ofConsumer((consumer, input) => (only(input), consumer.info())),
  'consumers.list': inStream((stream, input) => (only(input), { items: stream.consumers() })),
  'consumers.delete': nothing(ofConsumer((consumer, input) => (only(input), consumer.delete()))),
  'consumers.claim': ofGroup((group, input) => bytesToText(group.claim(...split(input)))),
  'consumers.ack': ofGroup((group, input) => group.ack(...only(input, 'items'))),
  // The lease is the member's, unless it is given.
  'consumers.extend': ofGroup((group, input) => group.extend(...only(input, 'items'))),
  'consumers.release': ofGroup((group, input) => group.release(...only(input, 'items'))),

  'locks.acquire': ofLock((lock, input) => (only(input), lock.tryAcquire())),
  'locks.refresh': ofLock((lock, input) => lock.refresh(...only(input, 'token'))),
  'locks.release': nothing(ofLock((lock, input) => lock.release(...only(input, 'token')))),
  'locks.get': ofLock((lock, input) => (only(input), lock.info())),
  'locks.break': ofLock((lock, input) => (only(input), lock.break())),
  'locks.list': (db, input) => db.locks.list(...split(input)),
  'rate_limits.take': ofRateLimit((limit, cost) => limit.take(cost)),
  'rate_limits.peek': ofRateLimit((limit, cost) => limit.peek(cost)),
  'rate_limits.reset': ofRateLimit((limit) => limit.reset()),
  'rate_limits.list': (db, input) => db.rateLimits.list(...split(input)),
  'schedules.set': (db, input) => {
    const [name, spec, { options, ...rest }] = split(withPayload(input), 'name', 'spec');
    return bytesToText(db.schedules.set(name, spec, options === undefined ? rest : { ...rest, options: jobOptions(options) }));
  },
  'schedules.get': (db, input) => bytesToText(db.schedules.get(...only(input, 'name'))),
  'schedules.list': (db, input) => bytesToText(db.schedules.list(...split(input))),
  'schedules.delete': nothing((db, input) => db.schedules.delete(...only(input, 'name'))),
  'schedules.pause': (db, input) => bytesToText(db.schedules.pause(...only(input, 'name'))),
  'schedules.resume': (db, input) => bytesToText(db.schedules.resume(...only(input, 'name'))),
  'schedules.trigger': (db, input) => db.schedules.trigger(...only(input, 'name')),
  'schedules.next': (db, input) => ({ items: db.schedules.next(...split(input, 'spec')) }),
  'schedules.tick': (db, input) => db.schedules.tick(...split(input)),
  'calls.publish': (db, input) => db.calls.publish(input),
  'calls.project': (db, input) => db.calls.project(...split(input, 'graph')),
  'graphs.changes': inGraph((graph, input) => graph.changes(...split(input))),
  'graphs.diff': inGraph((graph, input) => graph.diff(...only(input, 'from', 'to'))),
  'graphs.replay': inGraph((graph, input) => graph.replay(...only(input, 'into', 'to'))),

  'graph_types.define': (db, input) => db.graphTypes.define(...split(input, 'module')),
  'graph_types.get': (db, input) => db.graphTypes.get(...only(input, 'name')),
  'graph_types.list': (db, input) => db.graphTypes.list(...split(input)),
  'graph_types.delete': (db, input) => db.graphTypes.delete(...only(input, 'name')),
  'graph_types.validate_node': (db, input) => db.graphTypes.validateNode(...only(input, 'graph_type', 'type', 'attributes')),
  'graph_types.validate_edge': (db, input) => db.graphTypes.validateEdge(...split(input, 'graph_type', 'type', 'attributes')),
  'graph_types.diff': (db, input) => db.graphTypes.diff(...only(input, 'name', 'module')),
  'graph_types.update': (db, input) => db.graphTypes.update(...split(input, 'name', 'module')),
  'graph_types.check': (db, input) => db.graphTypes.check(...split(input, 'name')),
  // Without a limit the method goes on to the end.
  'graph_types.migrate': (db, { background, ...input }) =>
    background === true
      ? db.graphTypes.migrateInBackground(...split(input, 'name'))
      : db.graphTypes.migrate(...split({ limit: 1, ...input }, 'name')),
  'graph_types.migration': (db, input) => db.graphTypes.migration(...only(input, 'name')),
  'graph_types.set_retention': (db, input) => db.graphTypes.setRetention(...only(input, 'name', 'rules')),

  'keyring.info': (db, input) => (only(input), db.keyringInfo()),
  'keyring.generate': (_, input) => generateKey(...split(input)).reveal(),
  'keyring.derive': (_, input) => deriveKey(...split(input, 'password')).reveal(),
  'envelopes.seal': (db, input) => db.envelopes.seal(...only(input, 'value', 'context')),
  'envelopes.open': (db, input) => opened(db.envelopes.open(...only(input, 'envelope', 'context'))),
  'envelopes.rewrap': (db, input) => db.envelopes.rewrap(...only(input, 'envelope', 'context', 'to')),
  // Without a limit the method goes on to the end.
  'secrets.rotate': (db, { background, ...input }) =>
    background === true ? db.secrets.rotateInBackground(...split(input)) : db.secrets.rotate(...split({ limit: 1, ...input })),
  'secrets.status': (db, input) => db.secrets.status(...split(input)),

  // The method takes nothing, so the generic call says what is wrong with something.
  'identity.schemas': (db, input) => (Object.keys(input).length > 0 ? db.call('identity.schemas', input) : { tables: identitySchemas() }),
  'accounts.create': (db, input) => db.accounts.create(...split(input, 'email')),
  'accounts.get': (db, input) => db.accounts.get(...only(input, 'id')),
  'accounts.find': (db, input) => db.accounts.find(...only(input, 'email')),
  'accounts.list': (db, input) => db.accounts.list(filtered(input)),
  'accounts.update': (db, input) => db.accounts.update(...split(input, 'id')),
  'accounts.deactivate': (db, input) => db.accounts.deactivate(...split(input, 'id')),
  'accounts.reactivate': (db, input) => db.accounts.reactivate(...split(input, 'id')),
  'accounts.delete': (db, input) => db.accounts.delete(...split(input, 'id')),
  'organizations.create': (db, input) => db.organizations.create(...split(input, 'slug', 'name')),
  'organizations.get': (db, { id, ...rest }) => db.organizations.get(Object.keys(rest).length === 0 ? id : { id, ...rest }),
  'organizations.list': (db, input) => db.organizations.list(filtered(input)),
  'organizations.update': (db, input) => db.organizations.update(...split(input, 'id')),
  'organizations.transfer': (db, input) => db.organizations.transfer(...split(input, 'id', 'to')),
  'organizations.suspend': (db, input) => db.organizations.suspend(...split(input, 'id')),
  'organizations.resume': (db, input) => db.organizations.resume(...split(input, 'id')),
  'organizations.delete': (db, input) => db.organizations.delete(...split(input, 'id')),
  'members.add': (db, input) => db.members.add(...split(input, 'org_id', 'account_id')),
  'members.get': (db, input) => db.members.get(...only(input, 'org_id', 'account_id')),
  'members.list': (db, input) => db.members.list(filtered(input)),
  'members.set_level': (db, input) => db.members.setLevel(...split(input, 'org_id', 'account_id', 'level')),
  'members.suspend': (db, input) => db.members.suspend(...split(input, 'org_id', 'account_id')),
  'members.resume': (db, input) => db.members.resume(...split(input, 'org_id', 'account_id')),
  'members.remove': (db, input) => db.members.remove(...split(input, 'org_id', 'account_id')),
  'members.leave': (db, input) => db.members.leave(...split(input, 'org_id')),
  'invitations.create': (db, input) => shown(db.invitations.create(...split(input, 'org_id', 'email'))),
  'invitations.get': (db, input) => db.invitations.get(...only(input, 'id')),
  'invitations.list': (db, input) => db.invitations.list(filtered(input)),
  'invitations.accept': (db, input) => db.invitations.accept(...split(input, 'token')),
  'invitations.reject': (db, input) => db.invitations.reject(...split(input, 'token')),
  'invitations.cancel': (db, input) => db.invitations.cancel(...split(input, 'id')),
  'api_keys.create': (db, input) => shown(db.apiKeys.create(...split(input, 'name', 'scopes'))),
  'api_keys.get': (db, input) => db.apiKeys.get(...only(input, 'id')),
  'api_keys.list': (db, input) => db.apiKeys.list(filtered(input)),
  'api_keys.verify': (db, input) => db.apiKeys.verify(...only(input, 'token')),
  'api_keys.rotate': (db, input) => shown(db.apiKeys.rotate(...split(input, 'id'))),
  'api_keys.revoke': (db, input) => db.apiKeys.revoke(...split(input, 'id')),
  'api_keys.import': (db, input) => db.apiKeys.import(...split(input, 'name', 'scopes', 'hash')),
  'auth.authenticate': (db, input) => db.authenticate(...only(input, 'token')),

  'audit.append': (db, input) => db.audit.append(...split(input, 'action')),
  'audit.get': (db, input) => db.audit.get(...only(input, 'seq')),
  'audit.list': (db, input) => db.audit.list(filtered(input)),
  'audit.verify': (db, input) => db.audit.verify(...split(input)),
  'audit.checkpoint': (db, input) => (only(input), db.audit.checkpoint()),
  'audit.keep': (db, { replace, actor, ...checkpoint }) => db.audit.keep(checkpoint, { replace, actor }),
  'audit.checkpoints': (db, input) => ({ items: db.audit.checkpoints(...only(input, 'file')) }),
  'audit.export': (db, input) => db.audit.export(...split(input)),
  'audit.prune': (db, input) => db.audit.prune(...split(input, 'through', 'checkpoint')),
  'audit.prove': (db, input) => ({ proven: db.audit.prove(...only(input, 'seq', 'subject', 'name', 'text')) }),
  'audit.erase_subject': (db, input) => db.audit.eraseSubject(...split(input, 'subject')),

  'access.check': inAccess((access, input) => {
    const parts = split(input, 'subject', 'scope', 'resource');
    const answer = access.decide(...parts);
    if (access.check(...parts) !== answer.allowed) throw new Error('check is not what decide says');
    return answer;
  }),
  'access.check_many': inAccess((access, input) => {
    const { items, revision } = access.checkMany(...split(input, 'items'));
    return { items: items.map(decision), revision };
  }),
  'access.explain': inAccess((access, input) => access.explain(...split(input, 'subject', 'scope', 'resource'))),
  'access.list_objects': inAccess((access, input) => access.listObjects(...split(input, 'subject', 'scope'))),
  'access.list_subjects': inAccess((access, input) => access.listSubjects(...split(input, 'scope'))),
  'access.expand': inAccess((access, input) => access.expand(...split(input, 'scope'))),
  'access.put': inAccess((access, input) => access.put(...split(input, 'key', 'type', 'attributes'))),
  'access.remove': inAccess((access, input) => access.remove(...split(input, 'key'))),
  'access.set_parent': inAccess((access, input) => access.setParent(...split(input, 'resource', 'parent'))),
  'access.grant': inAccess((access, input) => access.grant(...split(input, 'subject', 'scopes'))),
  'access.deny': inAccess((access, input) => access.deny(...split(input, 'subject', 'scopes'))),
  'access.assign': inAccess((access, { role, group, ...input }) => {
    const [subject, options] = split(input, 'subject');
    return access.assign(subject, { role, group }, options);
  }),
  'access.revoke': inAccess((access, input) => access.revoke(...split(input, 'kind', 'subject', 'target'))),
  'access.delegate': inAccess((access, input) => access.delegate(...split(input, 'from', 'to', 'scopes'))),
  'access.seed': inAccess((access, input) => access.seed(...split(input))),
  'access.sync': inAccess((access, input) => access.sync(...split(input))),

  'tenants.list': (db, input) => db.tenants.list(filtered(input)),
  'tenants.get': (db, input) => db.tenants.get(...only(input, 'org_id')),
  'tenants.migrate': (db, input) => db.tenants.migrate(...split(input)),
  'tenants.maintain': (db, input) => db.tenants.maintain(...split(input)),
  'tenants.apply': (db, input) => db.tenants.apply(...split(input, 'operation', 'input')),
  'tenants.backup': (db, input) => db.tenants.backup(...split(input, 'org_id', 'path')),
  'tenants.restore': (db, input) => db.tenants.restore(...only(input, 'org_id', 'path')),
  'tenants.delegate': (db, { from_org, from, to_org, to, ...input }) =>
    db.tenants.delegate({ fromOrg: from_org, from, toOrg: to_org, to }, ...split(input, 'scopes')),
  'tenants.revoke_delegation': (db, input) => db.tenants.revokeDelegation(...split(input, 'id')),
  'tenants.delegations': (db, input) => db.tenants.delegations(filtered(input)),
  'tenants.stats': (db, input) => (only(input), db.tenants.stats()),

  'modules.types': (_, input) => modules.types(...only(input, 'module')),
  'modules.validate_node': (_, input) => modules.validateNode(...split(input, 'module', 'type', 'attributes')),
  'modules.validate_edge': (_, input) => modules.validateEdge(...split(input, 'module', 'type', 'attributes')),
  'modules.diff': (_, input) => modules.diff(...only(input, 'from', 'to')),
  'modules.cast': (_, input) => {
    const [module, attributes, type] = split(input, 'module', 'attributes');
    return modules.cast(module, type, attributes);
  },
  'modules.patch': (_, input) => ({ document: modules.patch(...only(input, 'document', 'patch')) }),

  'indexes.create': (db, input) => db.indexes.create(...split(input)),
  'indexes.list': (db, input) => ({ items: db.indexes.list(...split(input)) }),
  'indexes.delete': (db, input) => db.indexes.delete(...only(input, 'name')),

  'graphs.create': (db, input) => db.graphs.create(...split(input, 'name')),
  'graphs.get': (db, input) => db.graphs.get(...only(input, 'name')),
  'graphs.list': (db, input) => db.graphs.list(...split(input)),
  'graphs.update': (db, input) => db.graphs.update(...split(input, 'name')),
  'graphs.delete': (db, input) => db.graphs.delete(...only(input, 'name')),
  'graphs.purge': (db, input) => db.graphs.purge(...split(input, 'name')),
  'graphs.shortest_path': inGraph((graph, input) => graph.shortestPath(...split(input, 'source', 'target'))),
  'graphs.shortest_paths': inGraph((graph, input) => graph.shortestPaths(...split(input, 'source'))),
  'graphs.paths': inGraph((graph, input) => graph.paths(...split(input, 'source', 'target'))),
  'graphs.count_walks': inGraph((graph, input) => ({ count: graph.countWalks(...split(input, 'length')) })),
  'graphs.topological_order': inGraph((graph, input) => graph.topologicalOrder(...split(input))),
  'graphs.find_cycle': inGraph((graph, input) => graph.findCycle(...split(input))),
  'graphs.components': inGraph((graph, input) => graph.components(...split(input))),
  'graphs.subgraph': inGraph((graph, input) => graph.subgraph(...selected(input))),
  'graphs.degrees': inGraph((graph, input) => graph.degrees(...split(input))),
  'graphs.pagerank': inGraph((graph, input) => graph.pagerank(...split(input))),
  'graphs.export': inGraph((graph, input) => graph.exportPage(...split(input, 'format'))),
  'graphs.arrays': inGraph((graph, input) => graph.arrays(...split(input))),
  'graphs.import': inGraph((graph, input) => graph.import(...split(input))),

  ...items('nodes'),
  'nodes.get_many': inGraph((graph, input) => ({ items: graph.nodes.getMany(...only(input, 'keys')) })),
  'nodes.neighbors': inGraph((graph, input) => graph.nodes.neighbors(...split(input, 'key'))),
  'nodes.closure': inGraph((graph, input) => graph.nodes.closure(...split(input, 'keys'))),
  ...items('edges'),

  close: (db) => (db.close(), null),
  'hub.release': (db) => (db.close(), null),
  interrupt: (db) => (db.interrupt(), null),
  keyring: (db, { ring }) => {
    const former = rings.get(db);
    rings.delete(db);
    // Who was given none has nothing to close, but may try to put an empty one in its place.
    if (ring === null) (former ?? db.keyring({ keys: [] })).close();
    else rings.set(db, db.keyring(ring));
    return null;
  },
  call_text: (db, { name, text, base64 }) =>
    parse(db.callText(name, base64 === undefined ? text : new Uint8Array(Buffer.from(base64, 'base64'))), 'exact'),
  run_in_transaction: runInTransaction,
};

function runInTransaction(db, { mode, operations, rollback }) {
  try {
    return db.transaction(() => {
      const answers = operations.map(({ name, arguments: input }) => method(name)(db, input ?? {}));
      if (rollback) throw new RolledBack();
      return answers;
    }, mode);
  } catch (error) {
    if (error instanceof RolledBack) return { rolled_back: true };
    throw error;
  }
}

/** A typed operation: its graph type's name may have dots. */
function typed(name) {
  const [, graphType, type, verb] = /^types\.(.*)\.([^.]*)\.([^.]*)$/.exec(name) ?? [];
  return (db, input) => {
    const { graph, key, ...rest } = input;
    const types = db.types(graphType ?? '');
    const methods = 'source' in input || name.includes('Edge.') ? types.edge(type ?? '') : types.node(type ?? '');
    if (typeof methods[verb] !== 'function') return db.call(name, input);
    if (verb === 'insert' || verb === 'put') return methods[verb](graph, { ...rest, ...(key === undefined ? {} : { key }) });
    if (verb === 'find') return methods.find(graph, camelCase(rest));
    if (verb === 'count') return { count: methods.count(graph, rest) };
    return verb === 'patch' || verb === 'delete' ? methods[verb](graph, key, rest) : methods.get(graph, key);
  };
}

function method(name) {
  if (name.startsWith('types.')) return typed(name);
  if (!Object.hasOwn(METHODS, name)) throw new UnknownOperation(name);
  return METHODS[name];
}

const isBlob = (value) => typeof value === 'object' && value !== null && typeof value.$base64 === 'string';

/** The scenario's blobs as the bytes that a user would pass, and back. */
function blobsFromText(params) {
  if (typeof params !== 'object' || params === null) return params;
  const one = (value) => {
    if (typeof value?.$number === 'string') return Number(value.$number);
    return isBlob(value) ? new Uint8Array(Buffer.from(value.$base64, 'base64')) : value;
  };
  if (Array.isArray(params)) return params.map(one);
  return Object.fromEntries(Object.entries(params).map(([name, value]) => [name, one(value)]));
}

function blobsToText(result) {
  const one = (value) => {
    if (value === Infinity || value === -Infinity) return { $number: String(value) };
    return value instanceof Uint8Array ? { $base64: Buffer.from(value).toString('base64') } : value;
  };
  return { ...result, rows: result.rows.map((row) => row.map(one)) };
}

/** A walk as a listener: begun at once, so that what is wrong with it is said now. */
function walk(db, { graph, ...input }) {
  const batches = db.graph(graph).nodes.walk(...split(input, 'keys'))[Symbol.iterator]();
  let first = batches.next();
  let closed = false;
  return {
    nextBatch() {
      // An iterator that was left is at its end; a cursor says what it is.
      if (closed) throw new BrantError('CLOSED', 'the walk is closed');
      const { done, value } = first ?? batches.next();
      first = undefined;
      return done ? [] : [value];
    },
    close() {
      closed = true;
      batches.return();
    },
  };
}

/** What opens a cursor. */
const CURSORS = {
  'nodes.walk': walk,
  'events.listen': (db, input) => db.listen(...only(input, 'channels')),
  'queues.watch': inQueue((queue, input) => (only(input), queue.watch())),
  'jobs.watch': (db, input) => db.jobs.watch(...only(input, 'id')),
  'jobs.cancels': (db, input) => db.jobs.cancels(...only(input, 'queue', 'worker')),
  'streams.subscribe': inStream((stream, input) => stream.subscribe({ ...input, save: 'manual' })),
  'consumers.watch': ofGroup((group, input) => (only(input), group.watch())),
  'locks.watch': ofLock((lock, input) => (only(input), lock.watch())),
  // A scheduler is a loop without timeouts; this is what it is made of.
  'schedules.run': (db, input) => db.subscribe('schedules.run', input),
};

const databases = new Map();
const hubs = new Map();
/** The key ring that each has. */
const rings = new WeakMap();
const listeners = new Map();

/** The answer, or a promise of it. */
function run({ object, name, arguments: input = {}, as, background }) {
  if (name === 'environment') return { language: 'node', runtime: process.version, brant: version };
  if (name === 'reset') return reset();
  if (name === 'open') {
    databases.set(object, open(input.path, camelCase(input.options ?? {})));
    return null;
  }
  if (name === 'hub.open') {
    hubs.set(object, new Hub(input.path, camelCase(input.options ?? {})));
    return null;
  }
  if (hubs.has(object)) return runOnHub(hubs.get(object), name, input, as, background);
  const listener = listeners.get(object);
  if (listener !== undefined) {
    if (name === 'cursor.next') return Promise.resolve(listener.nextBatch(input.timeout)).then(bytesToText);
    if (name === 'cursor.close') return listener.close(), null;
    throw new UnknownOperation(name);
  }
  const db = databases.get(object);
  if (db === undefined) throw new UnknownOperation(`no object ${object}`);
  return runOn(db, name, input, as, background);
}

/** What a hub is told; operations are its system file's. */
function runOnHub(hub, name, input, as, background) {
  if (name === 'close') return hub.close(), null;
  if (name === 'keyring') return METHODS.keyring(hub, input);
  if (name === 'hub.acquire') {
    databases.set(as ?? 'tenant', hub.tenant(...only(input, 'org_id')));
    return null;
  }
  if (name === 'hub.authenticate') {
    const { db, ...found } = hub.authenticate(...only(input, 'token'));
    databases.set(as ?? 'tenant', db);
    return found;
  }
  return runOn(hub.system, name, input, as, background);
}

function runOn(db, name, input, as, background) {
  if (Object.hasOwn(CURSORS, name)) {
    listeners.set(as, CURSORS[name](db, input));
    return null;
  }
  if (name === 'session') {
    databases.set(as ?? 'session', db.session(input.identity));
    return null;
  }
  const run = impossible(input) ? () => db.call(name, input) : method(name);
  return background && name.includes('.') ? db.callAsync(name, input) : run(db, input);
}

/** Close everything and forget its names. */
function reset() {
  for (const listener of listeners.values()) listener.close();
  for (const db of databases.values()) db.close();
  for (const hub of hubs.values()) hub.close();
  hubs.clear();
  listeners.clear();
  databases.clear();
  return null;
}

function errorOf(error) {
  if (error instanceof BrantError) return { code: error.code, message: error.message, detail: error.detail };
  if (error instanceof UnknownOperation) return { code: 'UNKNOWN_OPERATION', message: error.message, detail: {} };
  return { code: 'AGENT', message: String(error?.stack ?? error), detail: {} };
}

async function answer(request) {
  let reply;
  try {
    reply = { id: request.id, result: (await run(request)) ?? null };
  } catch (error) {
    reply = { id: request.id, error: errorOf(error) };
  }
  process.stdout.write(`${stringify(reply)}\n`);
}

for await (const line of createInterface({ input: process.stdin })) {
  const request = parse(line, 'exact');
  const answered = answer(request);
  if (!request.background) await answered;
}
reset();
