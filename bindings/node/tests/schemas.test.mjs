/*
 * Row schemas in zod and both TypeBoxes: they are of one mind with the registry's JSON Schemas, with each other, with the rows that operations answer, and with what
 * drizzle-zod and drizzle-typebox make of the same tables.
 */
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { test } from 'node:test';
import { Value as Value034 } from '@sinclair/typebox/value';
import { Validator, generateKey, rowSchemas } from 'brant';
import * as tables from 'brant/drizzle/tables';
import * as sinclair from 'brant/sinclair-typebox';
import * as typebox from 'brant/typebox';
import * as zod from 'brant/zod';
import * as drizzleTypebox from 'drizzle-typebox';
import * as drizzleZod from 'drizzle-zod';
import Value1 from 'typebox/value';
import { PACKAGES, database } from './support.mjs';

const versionOf = (name) => JSON.parse(readFileSync(new URL(`../node_modules/${name}/package.json`, import.meta.url), 'utf8')).version;
console.log(['zod', 'typebox', '@sinclair/typebox', 'drizzle-zod', 'drizzle-typebox'].map((name) => `${name} ${versionOf(name)}`).join(', '));

const json = rowSchemas();
const names = Object.keys(json);

/** A row of each table, as it is answered, and inputs that make and change one. */
function samples(t) {
  const db = database(t);
  db.keyring({ keys: [generateKey({ purpose: 'audit' }), generateKey({ purpose: 'pepper' })] });
  db.graphTypes.define(PACKAGES);
  db.graphs.create('debian', { graphType: 'packages' });
  const { nodes, edges } = db.graph('debian');
  const node = { graph: 'debian', key: 'curl', type: 'Package', attributes: { version: '7' } };
  nodes.insert(node);
  nodes.insert({ ...node, key: 'libc6' });
  const { key: edge } = edges.insert({ source: 'curl', target: 'libc6', type: 'DependsOn', attributes: {} });
  const job = db.queue('mail').enqueue({ to: 'ann' });
  db.queue('mail').configure({ maxAttempts: 3 });
  db.stream('s').configure({ maxAge: 1000 });
  db.schedules.set('daily', '@daily', { queue: 'mail' });
  const ann = db.accounts.create('ann@example.org');
  const acme = db.organizations.create('acme', 'Acme', { ownerId: ann.id });
  const { invitation } = db.invitations.create(acme.id, 'bob@example.org');
  const { key } = db.apiKeys.create('ci', ['nodes:read'], { ownerId: ann.id });
  return {
    graph_types: [db.call('graph_types.get', { name: 'packages' }), { module: PACKAGES }, { name: 'packages', module: PACKAGES }],
    graphs: [db.graphs.get('debian'), { name: 'g', graph_type: 'open' }, { name: 'g', status: 'archived' }],
    nodes: [nodes.get('curl'), node, { graph: 'debian', key: 'curl', attributes: { version: null } }],
    edges: [edges.get(edge), { graph: 'debian', source: 'a', target: 'b' }, { graph: 'debian', key: edge, attributes: {} }],
    queues: [db.queue('mail').info(), { queue: 'mail', max_attempts: 3 }, { queue: 'mail', backoff: { base: 1 } }],
    jobs: [db.jobs.get(job.id), { queue: 'mail', payload: [1], priority: -1, unique: { key: 'a' } }, { id: 1, priority: 4 }],
    streams: [db.stream('s').info(), { stream: 's', max_age: null }, { stream: 's', compact: true }],
    schedules: [db.schedules.get('daily'), { name: 'daily', spec: '@daily', queue: 'mail' }, { name: 'daily', spec: '@daily', queue: 'mail', misfire: 'skip' }],
    accounts: [ann, { email: 'b@example.org' }, { id: ann.id, name: null }],
    organizations: [acme, { slug: 'b', name: 'B' }, { id: acme.id, name: 'B' }],
    members: [db.members.get(acme.id, ann.id), { org_id: acme.id, account_id: ann.id }, { org_id: acme.id, account_id: ann.id, level: 'viewer' }],
    invitations: [invitation, { org_id: acme.id, email: 'c@example.org', level: 'admin' }, {}],
    api_keys: [db.apiKeys.get(key.id), { name: 'ci', scopes: ['nodes:read'] }, {}],
    audit_logs: [db.audit.list().items[0], { action: 'host.login' }, {}],
  };
}

/** The sample, and what is wrong with it in some way. */
function variations(sample, schema) {
  const all = [sample, null, 7, [], { ...sample, unheard_of: 1 }];
  for (const name of Object.keys(schema.properties ?? {})) {
    const { [name]: _, ...without } = sample;
    all.push(without, ...[null, '', 'x', 7, -1, 1.5, true, [], {}, ['x']].map((value) => ({ ...sample, [name]: value })));
  }
  return all;
}

test('all of them accept and refuse alike', (t) => {
  const rows = samples(t);
  assert.deepEqual(Object.keys(rows).sort(), [...names].sort());
  let count = 0;
  for (const name of names) {
    for (const [i, use] of ['select', 'insert', 'update'].entries()) {
      const schema = json[name][use];
      const validator = new Validator({ schema });
      for (const value of variations(rows[name][i], schema)) {
        const expected = validator.accepts(value);
        const verdicts = [zod[name][use].safeParse(value).success, Value1.Check(typebox[name][use], value), Value034.Check(sinclair[name][use], value)];
        assert.deepEqual(verdicts, [expected, expected, expected], `${name}.${use} ${JSON.stringify(value)}`);
        count++;
      }
      assert.ok(zod[name][use].safeParse(rows[name][i]).success, `${name}.${use}: ${JSON.stringify(rows[name][i])} ${zod[name][use].safeParse(rows[name][i]).error}`);
    }
  }
  t.diagnostic(`${count} values`);
  assert.deepEqual(Object.keys(zod).sort(), [...names].sort());
  assert.deepEqual(Object.keys(typebox).sort(), [...names].sort());
  assert.deepEqual(Object.keys(sinclair).sort(), [...names].sort());
});

test('they are objects to make others of', () => {
  assert.deepEqual(Object.keys(zod.accounts.select.pick({ id: true, email: true }).shape), ['id', 'email']);
  assert.deepEqual(Object.keys(typebox.accounts.select.properties), Object.keys(zod.accounts.select.shape));
  assert.deepEqual(Object.keys(sinclair.accounts.select.properties), Object.keys(zod.accounts.select.shape));
});

test('required and imported', () => {
  const require = createRequire(import.meta.url);
  assert.deepEqual(Object.keys(require('brant/zod')).filter((name) => name !== '__esModule').sort(), [...names].sort());
  assert.ok(require('brant/sinclair-typebox').nodes.select.properties.key);
});

test("drizzle-zod and drizzle-typebox make the same of identity's tables", (t) => {
  const rows = samples(t);
  for (const name of ['accounts', 'organizations', 'members', 'invitations', 'api_keys', 'audit_logs']) {
    const table = tables[name];
    const theirs = drizzleZod.createSelectSchema(table);
    const theirTypebox = drizzleTypebox.createSelectSchema(table);
    const members = Object.keys(theirs.shape).filter((member) => member !== 'row_id');
    assert.deepEqual([...members].sort(), Object.keys(zod[name].select.shape).sort(), name);
    const [row] = rows[name];
    for (const member of members) {
      if (name === 'audit_logs' && member === 'hash') continue; // bytes in the table, text in answers
      for (const value of [row[member], null, undefined, 7, 'x', true, {}]) {
        const [mine, zods, boxes] = [zod[name].select.shape[member].safeParse(value).success, theirs.shape[member].safeParse(value).success, Value034.Check(theirTypebox.properties[member], value)];
        assert.equal(zods, boxes, `${name}.${member}`);
        // Ours know more: what a UUID is, how long a name may be. Theirs know a column's type, what is null and which of a few words it is.
        if (mine) assert.ok(zods, `${name}.${member}: ${JSON.stringify(value)}`);
        if (zods && value !== 'x' && !(typeof value === 'object' && value !== null)) assert.ok(mine || typeof value === 'string' || table[member].dataType === 'json', `${name}.${member}: ${JSON.stringify(value)}`);
      }
    }
  }
});
