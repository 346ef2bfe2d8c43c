import assert from 'node:assert/strict';
import test from 'node:test';
import { inspect } from 'node:util';
import { BrantError, Token, generateKey, identitySchemas } from 'brant';
import { code, database, thrown } from './support.mjs';

const fails = (call, expected) => assert.throws(call, code(expected));

const ring = () => ({ keys: [generateKey({ purpose: 'audit' }), generateKey({ purpose: 'pepper' })] });

/** A file with a key ring, an owner and an organization. */
function opened(t) {
  const db = database(t);
  db.keyring(ring());
  const ann = db.accounts.create('Ann@Example.org', { name: 'Ann' });
  const org = db.organizations.create('acme', 'Acme', { ownerId: ann.id });
  return { db, ann, org };
}

test('accounts and organizations', (t) => {
  const { db, ann, org } = opened(t);
  assert.equal(ann.email, 'ann@example.org');
  assert.equal(db.accounts.find('ANN@example.org').id, ann.id);
  fails(() => db.accounts.create('ann@example.org'), 'EXISTS');
  fails(() => db.accounts.create('no email'), 'INVALID');
  assert.equal(db.accounts.update(ann.id, { name: null }).name, null);
  assert.equal(db.accounts.update(ann.id, { accessLevel: 'admin', metadata: { teamSize: 3 } }).metadata.teamSize, 3);
  assert.deepEqual([...db.accounts].map((one) => one.id), [ann.id]);
  assert.equal(db.accounts.list({ accessLevel: 'user' }).items.length, 0);
  assert.equal(db.accounts.list({ accessLevel: 'admin', limit: 1 }).items.length, 1);
  assert.equal(db.organizations.get({ slug: 'ACME' }).id, org.id);
  assert.equal(db.organizations.list({ ownerId: ann.id }).items[0].slug, 'acme');
  fails(() => db.accounts.deactivate(ann.id), 'CONSTRAINT');
  fails(() => db.accounts.get('0197a3a0-0000-7000-8000-000000000000'), 'NOT_FOUND');
});

test('members by their level, and who acts', (t) => {
  const { db, ann, org } = opened(t);
  const bob = db.accounts.create('bob@example.org');
  assert.equal(db.members.add(org.id, bob.id, { actor: ann.id }).level, 'member');
  fails(() => db.members.setLevel(org.id, bob.id, 'owner', { actor: bob.id }), 'DENIED');
  assert.equal(db.members.setLevel(org.id, bob.id, 'admin', { actor: { id: ann.id, reason: 'promoted' } }).level, 'admin');
  assert.equal(db.audit.list({ action: 'members.set_level' }).items[0].detail.reason, 'promoted');
  assert.deepEqual(db.members.list({ orgId: org.id, level: 'admin' }).items.map((member) => member.account_id), [bob.id]);
  fails(() => db.members.remove(org.id, ann.id), 'CONSTRAINT');
  db.members.suspend(org.id, bob.id);
  db.members.resume(org.id, bob.id);
  assert.deepEqual(db.members.leave(org.id, { actor: bob.id }), { removed: true });
  assert.equal([...db.members].length, 1);
});

test('invitations, whose token is shown once', (t) => {
  const { db, org } = opened(t);
  const cid = db.accounts.create('cid@example.org');
  const { invitation, token } = db.invitations.create(org.id, 'cid@example.org', { level: 'viewer', ttl: 60_000 });
  fails(() => db.invitations.create(org.id, 'cid@example.org'), 'EXISTS');
  fails(() => db.invitations.accept('brant_invite_no'), 'AUTH');
  const accepted = db.invitations.accept(token, { accountId: cid.id });
  assert.equal(accepted.member.level, 'viewer');
  assert.equal(accepted.invitation.id, invitation.id);
  fails(() => db.invitations.reject(token.reveal()), 'CONFLICT');
  const other = db.invitations.create(org.id, 'dan@example.org', { expiresAt: new Date(Date.now() + 60_000) });
  assert.equal(db.invitations.cancel(other.invitation.id).status, 'cancelled');
  assert.deepEqual(db.invitations.list({ status: 'cancelled' }).items.map((one) => one.email), ['dan@example.org']);
});

test('API keys, and whose they are', (t) => {
  const { db, ann, org } = opened(t);
  const { key, token } = db.apiKeys.create('reader', ['nodes:read'], { ownerId: ann.id, orgId: org.id, type: 'live' });
  assert.match(token.reveal(), /^brant_live_/);
  const found = db.apiKeys.verify(token);
  assert.deepEqual([found.account.id, found.level, found.scopes], [ann.id, 'owner', ['nodes:read']]);
  const { identity } = db.authenticate(token.reveal());
  assert.deepEqual([identity.id, identity.organization, identity.key], [ann.id, org.id, key.id]);
  const rotated = db.apiKeys.rotate(key.id, { overlap: 0 });
  assert.equal(rotated.key.rotated_from, key.id);
  fails(() => db.apiKeys.verify(token), 'AUTH');
  db.apiKeys.revoke(rotated.key.id);
  assert.deepEqual(thrown(() => db.authenticate(rotated.token)).detail, {});
  fails(() => db.authenticate(rotated.token), 'AUTH');
  assert.equal(db.apiKeys.list({ orgId: null }).items.length, 0);
  assert.equal(db.apiKeys.list({ orgId: org.id, active: false }).items.length, 2);
  const hash = '9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08';
  assert.equal(db.apiKeys.import('old', ['nodes:read'], hash, { ownerId: ann.id }).scheme, 'legacy-sha256');
  fails(() => db.apiKeys.create('past', ['nodes:read'], { ownerId: ann.id, expiresAt: new Date(0) }), 'INVALID');
});

test('a token shows itself by reveal alone', (t) => {
  const { db, ann } = opened(t);
  const made = db.apiKeys.create('k', ['nodes:read'], { ownerId: ann.id });
  const text = made.token.reveal();
  assert.ok(made.token instanceof Token);
  for (const shown of [
    inspect(made, { depth: 9, showHidden: true }),
    `${made.token}`,
    String(made.token),
    JSON.stringify(made),
    inspect(structuredClone(made)),
    Object.keys(made.token).join(),
  ]) {
    assert.ok(!shown.includes(text.slice(-20)), shown);
  }
  assert.match(inspect(made), /\[token\]/);
  db.graphs.create('g');
  assert.throws(() => db.graph('g').nodes.put({ key: 'a', attributes: { token: made.token } }), TypeError);
});

test('the audit log verifies, and tells what somebody changed', async (t) => {
  const { db, ann } = opened(t);
  const { seq } = db.audit.append('invoice.paid', { resource: 'invoice:7', actor: ann.id, detail: { amount: 12 }, personal: { name: 'Ann' }, subject: 's1' });
  assert.equal(db.audit.get(seq).actor_id, ann.id);
  assert.equal(db.audit.prove(seq, 's1', 'name', 'Ann'), true);
  assert.equal(db.audit.prove(seq, 's1', 'name', 'Bob'), false);
  assert.equal((await db.audit.eraseSubjectAsync('s1')).erased, true);
  fails(() => db.audit.prove(seq, 's1', 'name', 'Ann'), 'NOT_FOUND');
  fails(() => db.audit.append('accounts.create'), 'INVALID');
  assert.deepEqual(db.audit.list({ actorId: ann.id, since: new Date(0) }).items.map((row) => row.seq), [seq]);
  assert.equal(db.audit.list({ resource: null }).items.length, 1); // audit.erase_subject says not whom
  const checkpoint = db.audit.checkpoint();
  assert.equal([...db.audit].length, checkpoint.seq);
  const report = await db.audit.verifyAsync({ checkpoint });
  assert.deepEqual([report.ok, report.rows], [true, checkpoint.seq]);
  assert.deepEqual(db.audit.verify({ checkpoints: new Set([checkpoint]), limit: 1 }).next, 2);
  const { text, rows } = await db.audit.exportAsync();
  assert.equal(text.trim().split('\n').length, rows);
  assert.deepEqual(db.audit.prune(1, checkpoint).pruned, 1);
  fails(() => db.execute('DELETE FROM brant_audit_logs'), 'DENIED');
  assert.deepEqual(db.audit.keep({ ...checkpoint, file: 'another' }), { kept: true });
  fails(() => db.audit.keep({ ...checkpoint, file: 'another', seq: 1 }), 'CONFLICT');
  assert.deepEqual(db.audit.checkpoints('another').map((one) => one.seq), [checkpoint.seq]);
});

test('without a ring nothing is done that is not recorded', (t) => {
  const db = database(t);
  fails(() => db.accounts.create('a@b.org'), 'NOT_FOUND');
  assert.equal(db.accounts.list().items.length, 0);
});

test('the access graph', async (t) => {
  const { db } = opened(t);
  const { access } = db;
  fails(() => access.check('account:1', 'nodes:read'), 'NOT_FOUND');
  access.put('svc', 'Principal', { kind: 'service' });
  access.put('readers', 'Role');
  const { revision } = access.grant('readers', ['nodes:read'], { resource: 'graph:notes' });
  assert.equal(access.check('svc', 'nodes:read', 'graph:notes', { atLeast: revision }), false);
  access.assign('svc', { role: 'readers' });
  assert.equal(access.check('svc', 'nodes:read', 'graph:notes'), true);
  assert.equal(access.check('svc', 'nodes:read'), false);
  const { items } = access.checkMany([{ subject: 'svc', scope: 'nodes:read', resource: 'graph:notes' }, { subject: 'svc', scope: 'no' }]);
  assert.deepEqual(items[0], { allowed: true });
  assert.equal(items[1].allowed, false);
  assert.ok(items[1].error instanceof BrantError && items[1].error.code === 'INVALID');
  const { path } = access.explain('svc', 'nodes:read', 'graph:notes');
  assert.deepEqual(path.map((step) => step.kind), ['HasRole', 'Grants']);
  assert.deepEqual([...access.objects('svc', 'nodes:read', { kind: 'graph' })], ['graph:notes']);
  assert.deepEqual([...access.subjects('nodes:read', { resource: 'graph:notes', kind: 'Principal' })], ['svc']);
  access.delegate('svc', 'bot', ['nodes:read'], { expiresAt: Date.now() + 60_000, maxDepth: 1, mayRedelegate: true });
  assert.equal(access.check('bot', 'nodes:read', 'graph:notes'), true);
  access.setParent('graph:todo', 'graph:notes');
  assert.equal(access.check('bot', 'nodes:read', 'graph:todo'), true);
  access.deny('bot', ['nodes:*'], { resource: 'graph:todo' });
  assert.equal(access.check('bot', 'nodes:read', 'graph:todo'), false);
  assert.equal(access.revoke('deny', 'bot', 'graph:todo', { scopes: ['nodes:*'] }).revoked, 1);
  assert.equal(access.revoke('delegation', 'svc', 'bot').revoked, 1);
  assert.equal(access.check('bot', 'nodes:read', 'graph:notes'), false);
  assert.equal(access.expand('nodes:read', { resource: 'graph:notes' }).grants[0].from.key, 'readers');
  const seeded = await access.seedAsync();
  assert.ok(seeded.operations > 100 && seeded.changed > 100);
  assert.equal(access.seed().changed, 0);
  assert.ok(db.access.check('account:x', 'nodes:read') === false);
  const other = db.accessGraph('other');
  other.put('a', 'Principal', { kind: 'service' });
  assert.equal(other.remove('a').removed, true);
  assert.ok((await access.syncAsync()).revision > 0);
});

test('schemas of rows', () => {
  const schemas = identitySchemas();
  assert.equal(schemas.accounts.insert.additionalProperties, false);
  assert.deepEqual(Object.keys(schemas).sort(), ['accounts', 'api_keys', 'audit_logs', 'invitations', 'members', 'organizations']);
});
