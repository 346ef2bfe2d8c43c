// Over a hub: agents of two organisations, keys of different levels, what is denied, who stands in the audit log, and what ends a key while its agent works.
import { execFileSync } from 'node:child_process';
import { chmodSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { ask, check, command, connect, equal, finish, folder, sleep, until } from './check.mjs';

const hub = join(folder, 'hub');
process.env.BRANT_KEYS = join(folder, 'ring');
for (const purpose of ['attribute', 'audit', 'pepper']) execFileSync(command, ['key', 'generate', '--keys', process.env.BRANT_KEYS, '--purpose', purpose]);
const call = (operation, input, ...options) => JSON.parse(execFileSync(command, [...options, 'call', '--json', `${hub}/`, operation, '-'], { input: JSON.stringify(input), encoding: 'utf8' }).trim() || 'null');
const within = (org) => (operation, input) => call(operation, input, '--org', org);

const people = {};
for (const name of ['ann', 'max', 'vic', 'bea']) people[name] = call('accounts.create', { email: `${name}@example.org` }, '--create').id;
const acme = call('organizations.create', { slug: 'acme', name: 'Acme', owner_id: people.ann }).id;
const bolt = call('organizations.create', { slug: 'bolt', name: 'Bolt', owner_id: people.bea }).id;
call('members.add', { org_id: acme, account_id: people.max, level: 'member' });
call('members.add', { org_id: acme, account_id: people.vic, level: 'viewer' });
const key = (who, org, scopes, more = {}) => {
  const made = call('api_keys.create', { owner_id: people[who], org_id: org, name: `${who}'s agent`, scopes, ...more });
  return { token: made.token ?? made.secret, id: (made.key ?? made).id, ...more };
};
const inAcme = within(acme), inBolt = within(bolt);
for (const [make, secret] of [[inAcme, 'acme-secret'], [inBolt, 'bolt-secret']]) {
  make('graphs.create', { name: 'shared', graph_type: 'open', changes: true });
  make('nodes.put', { graph: 'shared', key: 'a', attributes: { text: secret } });
}
inBolt('graphs.create', { name: 'only-bolt', graph_type: 'open' });
const agent = (made, ...options) => connect(['--hub', hub, ...options], { env: { BRANT_API_KEY: made.token } });
const fails = async (what, promise, wanted, never = /bolt-secret|only-bolt/) => {
  let seen;
  try {
    const answer = await promise;
    seen = answer.isError ? answer.content[0].text : JSON.stringify(answer);
  } catch (error) {
    seen = String(error.message);
  }
  check(what, wanted.test(seen) && !never.test(seen), seen);
};

// ---- two organisations ----
{
  const [a, b] = [await agent(key('ann', acme, ['*:*'])), await agent(key('bea', bolt, ['*:*']))];
  const graphs = async (client) => (await ask(client, 'graphs_list', {})).items.map((one) => one.name).sort();
  equal('its own graphs', await graphs(a), ['shared']);
  equal('and the other its own', await graphs(b), ['only-bolt', 'shared']);
  equal('its own data', (await ask(a, 'nodes_get', { graph: 'shared', key: 'a' })).attributes.text, 'acme-secret');
  equal('and the other its own', (await ask(b, 'nodes_get', { graph: 'shared', key: 'a' })).attributes.text, 'bolt-secret');
  await fails("another's graph", a.call('nodes_list', { graph: 'only-bolt' }), /^NOT_FOUND/, /bolt-secret/);
  await fails("another's resource", a.readResource({ uri: 'brant://graphs/only-bolt' }), /no such resource/, /bolt-secret/);
  await fails("subscribed to another's", a.subscribeResource({ uri: 'brant://graphs/only-bolt' }), /no such resource/, /bolt-secret/);
  equal("completed to another's", (await a.complete({ ref: { type: 'ref/resource', uri: 'brant://graphs/{graph}' }, argument: { name: 'graph', value: 'only' } })).completion.values, []);
  for (const [operation, input] of [['tenants.list', {}], ['tenants.get', { org_id: bolt }], ['organizations.list', {}], ['accounts.list', {}], ['sql.execute', { sql: 'SELECT * FROM sqlite_schema' }], ['transaction.begin', {}], ['db.backup', { path: join(folder, 'stolen.db') }], ['graphs.import', { graph: 'x', format: 'ndjson', path: '/etc/passwd' }]])
    await fails(`operations_call of ${operation}`, a.call('operations_call', { operation, input }), /NOT_FOUND|DENIED|MISUSE|"items":\[\]/, new RegExp(`bolt-secret|only-bolt|bea@|${bolt}.*slug`));
  await ask(a, 'nodes_put', { graph: 'shared', key: 'of-a', attributes: { n: 1 } });
  equal('what one writes the other has not', (await b.call('nodes_get', { graph: 'shared', key: 'of-a' })).isError, true);
  // What is told is of the own organisation: of a graph that both have, and of one that comes. All that a commit is told of comes before what is told of a later one.
  for (const make of [inAcme, inBolt]) make('graphs.create', { name: 'quiet', graph_type: 'open' });
  for (const graph of ['shared', 'quiet']) await a.subscribeResource({ uri: `brant://graphs/${graph}` });
  const updates = (graph) => a.told.filter((one) => one.params?.uri === `brant://graphs/${graph}`).length;
  const tells = async (what, key) => {
    const before = updates('shared');
    inAcme('nodes.put', { graph: 'shared', key });
    await until(what, () => updates('shared') > before);
  };
  await tells('its own commit is told', 'before');
  await tells('and all of it before the next', 'between'); // with that one the new graph may have come, too
  a.told.length = 0;
  inBolt('nodes.put', { graph: 'quiet', key: 'b' });
  inBolt('graphs.create', { name: 'bolt-new', graph_type: 'open' });
  await tells('and a later one', 'c');
  await tells('and one after that', 'd');
  check("nothing is told of another's commits", updates('quiet') === 0 && updates('shared') === a.told.length, a.told);
  await a.close();
  await b.close();
}

// ---- levels, and who did it ----
{
  const member = key('max', acme, ['*:*']);
  const [m, v] = [await agent(member), await agent(key('vic', acme, ['*:*']))];
  const names = async (client) => (await client.listTools()).tools.map((tool) => tool.name);
  check('a member writes', (await names(m)).includes('nodes_put'));
  const seen = await names(v);
  check('a viewer reads', seen.includes('nodes_get') && !seen.some((name) => /put|delete|patch|create/.test(name)), seen);
  await ask(m, 'nodes_put', { graph: 'shared', key: 'by-max', attributes: {} });
  for (const tool of ['nodes_put', 'nodes_delete']) await fails(`a viewer's ${tool}`, v.call(tool, { graph: 'shared', key: 'a' }), /unknown tool/);
  await fails('through operations_call', v.call('operations_call', { operation: 'nodes.put', input: { graph: 'shared', key: 'x' } }), /NOT_FOUND|DENIED/);
  await ask(m, 'operations_call', { operation: 'queues.enqueue', input: { queue: 'q', payload: 1 } });
  // What is audited says who, by which key, and which client.
  const owner = key('ann', acme, ['*:*']);
  const o = await agent(owner);
  await ask(o, 'operations_call', { operation: 'access.put', input: { key: `account:${people.max}`, type: 'Principal', attributes: { kind: 'account' } } });
  const rows = inAcme('audit.list', { order: 'desc', limit: 1 }).items;
  check('the audit log says whose key it was', JSON.stringify(rows).includes(people.ann) && /"api_key"/.test(JSON.stringify(rows)), rows);
  check('and which client', /brant-test 1\.0 over MCP/.test(JSON.stringify(rows)), rows);
  await o.close();
  // Its level becomes less: so does the agent, at once.
  call('members.set_level', { org_id: acme, account_id: people.max, level: 'viewer' });
  await fails('lowered: it writes no more', m.call('nodes_put', { graph: 'shared', key: 'late' }), /unknown tool|DENIED|AUTH/);
  await until('and the list of tools follows', () => m.told.some((one) => one.method === 'notifications/tools/list_changed'));
  const after = await names(m);
  check('to what a viewer has', after.includes('nodes_get') && !after.includes('nodes_put'), after);
  equal('it still reads', (await ask(m, 'nodes_get', { graph: 'shared', key: 'a' })).key, 'a');
  call('members.set_level', { org_id: acme, account_id: people.max, level: 'member' });
  await until('raised: it writes again', async () => !(await m.call('nodes_put', { graph: 'shared', key: 'again' }).catch(() => ({ isError: true }))).isError);
  // The access graph denies one graph, and then takes the agent's session what it may of the rest.
  inAcme('graphs.create', { name: 'closed', graph_type: 'open' });
  inAcme('nodes.put', { graph: 'closed', key: 'a', attributes: { text: 'closed-secret' } });
  await m.subscribeResource({ uri: 'brant://graphs/closed' });
  inAcme('access.deny', { subject: `account:${people.max}`, scopes: ['*:*'], resource: 'graph:closed' });
  for (const [tool, input] of [['nodes_get', { graph: 'closed', key: 'a' }], ['nodes_list', { graph: 'closed' }], ['nodes_search', { graph: 'closed', query: 'closed' }], ['operations_call', { operation: 'graphs.export', input: { graph: 'closed', format: 'ndjson' } }]])
    await fails(`denied: ${tool}`, m.call(tool, input), /DENIED|NOT_FOUND/, /closed-secret/);
  for (const uri of ['brant://graphs/closed', 'brant://graphs/closed/nodes/a']) await fails(`denied: ${uri}`, m.readResource({ uri }), /DENIED|no such resource/, /closed-secret/);
  await fails('denied: subscribe', m.subscribeResource({ uri: 'brant://graphs/closed/nodes/a' }), /no such resource/, /closed-secret/);
  equal('denied: completion', (await m.complete({ ref: { type: 'ref/resource', uri: 'brant://graphs/{graph}/nodes/{key}' }, argument: { name: 'key', value: '' }, context: { arguments: { graph: 'closed' } } })).completion.values, []);
  m.told.length = 0;
  inAcme('nodes.put', { graph: 'closed', key: 'b' });
  inAcme('nodes.put', { graph: 'shared', key: 'tick' });
  await m.subscribeResource({ uri: 'brant://graphs/shared' });
  inAcme('nodes.put', { graph: 'shared', key: 'tock' });
  await until('told of what it may read', () => m.told.some((one) => one.params?.uri === 'brant://graphs/shared'));
  check('and not of what it may not', !m.told.some((one) => one.params?.uri === 'brant://graphs/closed'), m.told);
  await m.close();
  await v.close();
}

// ---- the memory profile ----
{
  const [a, b] = [await agent(key('ann', acme, ['*:*']), '--profile', 'memory'), await agent(key('bea', bolt, ['*:*']), '--profile', 'memory')];
  await ask(a, 'create_entities', { entities: [{ name: 'Ada', entityType: 'person', observations: ['acme'] }] });
  await ask(a, 'create_relations', { relations: [{ from: 'Ada', to: 'Bob', relationType: 'knows' }] });
  equal('remembered', (await ask(a, 'read_graph', {})).relations.length, 1);
  equal("not the other's", (await ask(b, 'read_graph', {})).entities, []);
  const lost = await a.call('add_observations', { observations: [{ entityName: 'Ada', contents: ['half'] }, { entityName: 'Nobody', contents: ['x'] }] });
  check('a call that fails', lost.isError, lost);
  equal('leaves nothing half done', (await ask(a, 'open_nodes', { names: ['Ada'] })).entities[0].observations, ['acme']);
  const viewer = await agent(key('vic', acme, ['*:*']), '--profile', 'memory');
  check('a viewer has the tools that read', (await viewer.listTools()).tools.map((tool) => tool.name).join() === 'read_graph,search_nodes,open_nodes');
  await fails('and no other', viewer.call('create_entities', { entities: [{ name: 'V', entityType: 't', observations: [] }] }), /DENIED|unknown tool/);
  equal('it reads', (await ask(viewer, 'search_nodes', { query: 'ada' })).entities.length, 1);
  for (const client of [a, b, viewer]) await client.close();
}

// ---- what ends a key ends its agent ----
for (const [what, end, back] of [
  ['revoked', (made) => call('api_keys.revoke', { id: made.id })],
  ['expired', (made) => sleep(made.expires_at - Date.now() + 100)],
  ['its account deactivated', () => call('accounts.deactivate', { id: people.max }), () => call('accounts.reactivate', { id: people.max })],
  ['the member suspended', () => call('members.suspend', { org_id: acme, account_id: people.max }), () => call('members.resume', { org_id: acme, account_id: people.max })],
  ['the organisation suspended', () => call('organizations.suspend', { id: acme }), () => call('organizations.resume', { id: acme })],
  ['the member removed', () => call('members.remove', { org_id: acme, account_id: people.max })],
]) {
  let made, client;
  // A key that is over before its agent has begun, on a machine that others keep busy, is made again, for longer.
  for (let life = 4000; !client; life *= 4) {
    made = key('max', acme, ['*:*'], what === 'expired' ? { expires_at: Date.now() + life } : {});
    client = await agent(made).catch(() => undefined);
    await client?.subscribeResource({ uri: 'brant://graphs/shared' }).catch(() => {});
    const before = await client?.call('nodes_get', { graph: 'shared', key: 'a' });
    if (made.expires_at <= Date.now() && life < 1e6) {
      await client?.close();
      client = undefined;
    } else {
      equal(`${what}: before`, before?.structuredContent?.key, 'a');
    }
  }
  await end(made);
  const never = /secret/;
  await fails(`${what}: a call`, client.call('nodes_get', { graph: 'shared', key: 'a' }), /^AUTH/, never);
  await fails(`${what}: operations_call`, client.call('operations_call', { operation: 'nodes.list', input: { graph: 'shared' } }), /^AUTH/, never);
  await fails(`${what}: a resource`, client.readResource({ uri: 'brant://graphs/shared' }), /AUTH/, never);
  await fails(`${what}: subscribe`, client.subscribeResource({ uri: 'brant://graphs/shared/nodes/a' }), /no such resource/, never);
  equal(`${what}: tools`, (await client.listTools()).tools, []);
  equal(`${what}: resources`, (await client.listResources()).resources, []);
  equal(`${what}: completion`, (await client.complete({ ref: { type: 'ref/resource', uri: 'brant://graphs/{graph}' }, argument: { name: 'graph', value: '' } })).completion.values, []);
  if (back) {
    back();
    await until(`${what}, and taken back: it works again`, async () => !(await client.call('nodes_get', { graph: 'shared', key: 'a' }).catch(() => ({ isError: true }))).isError);
  }
  await client.close();
}
finish();
