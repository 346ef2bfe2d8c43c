// The revision 2026-07-28, which has no handshake, by the SDK's client of it: discovery, calls, errors, what a client may keep, subscriptions/listen, cancellation, log levels; old and new requests beside each other
// in one process; and messages of it that no client should send.
import { execFileSync } from 'node:child_process';
import { join } from 'node:path';
import { Client } from '@modelcontextprotocol/client';
import { StdioClientTransport } from '@modelcontextprotocol/client/stdio';
import { check, command, equal, finish, folder, PATIENCE, speak, until, watchProgress } from './check.mjs';

const VERSION = '2026-07-28', META = 'io.modelcontextprotocol/';
const path = join(folder, 'stateless.db');
const call = (operation, input) => execFileSync(command, ['call', '--create', path, operation, '-'], { input: JSON.stringify(input) });
process.env.BRANT_KEYS = join(folder, 'ring');
for (const purpose of ['attribute', 'audit', 'pepper']) execFileSync(command, ['key', 'generate', '--keys', process.env.BRANT_KEYS, '--purpose', purpose]);
call('graphs.create', { name: 'g', graph_type: 'open' });
call('nodes.put', { graph: 'g', key: 'a', attributes: { n: 1 } });

async function connect(args, mode) {
  const client = new Client({ name: 'brant-test', version: '2.0' }, { versionNegotiation: { mode } });
  client.told = [];
  client.fallbackNotificationHandler = async (notification) => void client.told.push(notification);
  for (const method of ['notifications/tools/list_changed', 'notifications/resources/list_changed', 'notifications/resources/updated', 'notifications/message'])
    client.setNotificationHandler(method, (notification) => void client.told.push(notification));
  await client.connect(new StdioClientTransport({ command, args: ['mcp', ...args], stderr: 'inherit' }));
  return client;
}
const told = (client, method, uri) => client.told.filter((one) => one.method === `notifications/${method}` && (!uri || one.params.uri === uri)).length;

// ---- one client, both kinds ----
for (const [mode, version] of [['auto', VERSION], [{ pin: VERSION }, VERSION], ['legacy', '2025-11-25']]) {
  const client = await connect([path, '--write', '--tools', 'default,meta,types,events.listen'], mode);
  equal(`${JSON.stringify(mode)}: version`, client.getNegotiatedProtocolVersion(), version);
  equal('who it is', client.getServerVersion()?.name, 'brant');
  check('what it is for', /typed graphs/.test(client.getInstructions() ?? ''));
  const { tools } = await client.listTools();
  check('tools', tools.some((tool) => tool.name === 'nodes_put'));
  equal('a call', (await client.callTool({ name: 'nodes_get', arguments: { graph: 'g', key: 'a' } })).structuredContent.attributes, { n: 1 });
  const missing = await client.callTool({ name: 'nodes_get', arguments: { graph: 'g', key: 'none' } });
  check('a failure is a result', missing.isError && /^NOT_FOUND/.test(missing.content[0].text), missing);
  check('a resource', JSON.parse((await client.readResource({ uri: 'brant://graphs/g' })).contents[0].text).name === 'g');
  const error = await client.readResource({ uri: 'brant://graphs/none' }).catch((caught) => caught);
  equal('no such resource', error.code, -32602); // the client makes it of -32002
  equal('completion', (await client.complete({ ref: { type: 'ref/resource', uri: 'brant://graphs/{graph}' }, argument: { name: 'graph', value: '' } })).completion.values, ['g']);
  equal('templates', (await client.listResourceTemplates()).resourceTemplates.length, 4);
  const listens = (options) => client.callTool({ name: 'events_listen', arguments: { channels: ['none'], wait_ms: 60_000 } }, options);
  await watchProgress(listens, 2);
  const stop = new AbortController();
  setTimeout(() => stop.abort('enough'), 100);
  const strange = [];
  client.onerror = (error) => /unknown message ID/.test(error.message) && strange.push(error.message); // an answer that nobody waits for; progress may have been on its way
  await listens({ signal: stop.signal, timeout: PATIENCE }).catch(() => {});
  await client.listTools(undefined, { timeout: PATIENCE });
  equal('cancelled: it is not answered', strange, []);
  await client.close();
}

// ---- subscriptions/listen ----
{
  const client = await connect([path, '--tools', 'default,types'], { pin: VERSION });
  const all = await client.listen({ toolsListChanged: true, promptsListChanged: true, resourcesListChanged: true, resourceSubscriptions: ['brant://graphs/g', 'brant://graphs/none'] });
  equal('what is honoured', all.honoredFilter, { toolsListChanged: true, resourcesListChanged: true, resourceSubscriptions: ['brant://graphs/g'] });
  call('nodes.put', { graph: 'g', key: 'b' });
  await until('another process wrote: updated', () => told(client, 'resources/updated', 'brant://graphs/g') > 0);
  equal('and no list', told(client, 'resources/list_changed'), 0);
  call('graphs.create', { name: 'late', graph_type: 'open' });
  await until('a new graph: the list changed', () => told(client, 'resources/list_changed') > 0);
  call('graph_types.define', { module: { $id: 'kind', $defs: { ThingNode: { type: 'object' } } } });
  await until('a new type: the list of tools changed', () => told(client, 'tools/list_changed') > 0);
  const one = await client.listen({ resourceSubscriptions: ['brant://graphs/g/nodes/a', 'brant://graphs/g/nodes/a'] });
  equal('a second one, each resource once', one.honoredFilter.resourceSubscriptions, ['brant://graphs/g/nodes/a']);
  await all.close();
  await client.callTool({ name: 'nodes_get', arguments: { graph: 'g', key: 'a' } }); // by then the server has heard it
  client.told.length = 0;
  call('nodes.put', { graph: 'g', key: 'a', attributes: { n: 2 } });
  await until('it is told', () => told(client, 'resources/updated', 'brant://graphs/g/nodes/a') > 0);
  equal('and the first one, which ended, is not', client.told.length, told(client, 'resources/updated', 'brant://graphs/g/nodes/a'));
  await client.close();
}

// ---- as it is on the wire ----
const meta = (more = {}) => ({ _meta: { [`${META}protocolVersion`]: VERSION, [`${META}clientCapabilities`]: {}, ...more } });
const request = (id, method, params) => `${JSON.stringify({ jsonrpc: '2.0', id, method, params })}\n`;
const notification = (method, params) => `${JSON.stringify({ jsonrpc: '2.0', method, params })}\n`;
const talk = async (args, ...lines) => {
  const { code, messages } = await speak([path, ...args], lines);
  equal('it ends well', code, 0);
  return { messages, of: (id) => messages.find((message) => message.id === id) };
};
{
  const { messages, of } = await talk([], request('d', 'server/discover', meta()), request(1, 'tools/list', meta()), request(2, 'resources/list', meta()), request(3, 'resources/templates/list', meta()), request(4, 'resources/read', { uri: 'brant://graphs/g', ...meta() }), request(5, 'tools/call', { name: 'db_info', ...meta() }));
  equal('versions', of('d').result.supportedVersions, [VERSION]);
  check('every result says what it is and who made it', messages.length === 6 && messages.every(({ result }) => result.resultType === 'complete' && result._meta[`${META}serverInfo`].name === 'brant'), messages);
  check('lists say how long they are fresh, and for whom', ['d', 1, 2, 3, 4].every((id) => Number.isInteger(of(id).result.ttlMs) && /^(public|private)$/.test(of(id).result.cacheScope)), messages);
  equal('what an agent may see is its own', [1, 2, 4].map((id) => of(id).result.cacheScope), ['private', 'private', 'private']);
}
{
  const code = ({ error }) => error?.code;
  const no = (what) => ({ _meta: Object.fromEntries(Object.entries(meta()._meta).filter(([name]) => name !== META + what)) });
  const { of } = await talk(
    [],
    request(1, 'server/discover', {}), request(2, 'server/discover'), request(3, 'tools/list', no('protocolVersion')), request(4, 'tools/list', no('clientCapabilities')),
    request(5, 'tools/list', meta({ [`${META}protocolVersion`]: '1900-01-01' })), request(6, 'tools/list', meta({ [`${META}protocolVersion`]: 7 })), request(7, 'tools/list', meta({ [`${META}protocolVersion`]: '2025-11-25' })),
    ...['initialize', 'ping', 'logging/setLevel', 'resources/subscribe', 'resources/unsubscribe', 'fly', 'prompts/list'].map((method) => request(method, method, { protocolVersion: '2025-11-25', level: 'info', uri: 'brant://graphs/g', ...meta() })),
    request(8, 'tools/call', { name: 'db_info', ...meta({ [`${META}logLevel`]: 'loud' }) }), request(9, 'tools/call', { name: 'fly', ...meta() }),
    request(10, 'subscriptions/listen', meta()), request(11, 'subscriptions/listen', { notifications: { resourceSubscriptions: [1] }, ...meta() }), request(12, 'subscriptions/listen', { notifications: [], ...meta() }),
    request(13, 'subscriptions/listen', { notifications: { resourceSubscriptions: Array(1001).fill('brant://graphs/g') }, ...meta() }),
  );
  equal('what is missing in _meta', [1, 2, 3, 4, 6].map((id) => code(of(id))), Array(5).fill(-32602));
  equal('another version', of(5).error, { code: -32022, message: 'unsupported protocol version', data: { supported: [VERSION], requested: '1900-01-01' } });
  equal('one that has a handshake', code(of(7)), -32022);
  for (const method of ['initialize', 'ping', 'logging/setLevel', 'resources/subscribe', 'resources/unsubscribe', 'fly', 'prompts/list']) equal(`${method} is not of this version`, code(of(method)), -32601);
  equal('a level that is none, a tool that is none', [8, 9].map((id) => code(of(id))), [-32602, -32602]);
  equal('a filter that is none', [10, 11, 12, 13].map((id) => code(of(id))), Array(4).fill(-32602));
}
{
  const fails = (id, more) => request(id, 'tools/call', { name: 'nodes_get', arguments: { graph: 'g', key: 'none' }, ...meta(more) });
  const { messages } = await talk([], fails(1), fails(2, { [`${META}logLevel`]: 'debug' }), fails(3, { [`${META}logLevel`]: 'error' }), fails(4));
  equal('log messages of the request that asks for them alone', messages.map((message) => message.id ?? message.method), [1, 'notifications/message', 2, 3, 4]);
}
{
  const listen = (id, notifications) => request(id, 'subscriptions/listen', { notifications, ...meta() });
  const many = Array.from({ length: 101 }, (_, i) => listen(`s${i}`, { toolsListChanged: true }));
  const { messages, of } = await talk([], ...many, listen('s5', {}), notification('notifications/cancelled', { requestId: 's5' }), notification('notifications/cancelled', { requestId: 'none' }), notification('notifications/cancelled', { requestId: { s: 1 } }), notification('notifications/cancelled'), listen('s5', {}));
  equal('acknowledged, as many as there may be', messages.filter((message) => message.method === 'notifications/subscriptions/acknowledged').length, 101);
  equal('one too many', of('s100').error.code, -32602);
  equal('an id twice', messages.filter((message) => message.id === 's5').map((message) => message.error.code), [-32600]);
  equal('its id in it', messages[0].params._meta[`${META}subscriptionId`], 's0');
}
{
  // Old and new requests in one process: each is answered in its own way.
  const hello = request(0, 'initialize', { protocolVersion: '2025-06-18', capabilities: {}, clientInfo: { name: 'old', version: '1' } }) + notification('notifications/initialized');
  const { of } = await talk([], hello, request(1, 'tools/list', meta()), request(2, 'tools/list'), request(3, 'ping'), request(4, 'ping', meta()), request(5, 'resources/read', { uri: 'brant://graphs/none', ...meta() }), request(6, 'resources/read', { uri: 'brant://graphs/none' }));
  check('each in its own way', of(1).result.resultType && !of(2).result.resultType && !('ttlMs' in of(2).result) && of(3).result && of(4).error.code === -32601, [of(1), of(2)]);
  equal('and its own errors', [of(5).error.code, of(6).error.code], [-32602, -32002]);
}
{
  // Who says that it is who, request by request, is the reason in the audit log.
  const put = (id, clientInfo) => request(id, 'tools/call', { name: 'operations_call', arguments: { operation: 'access.put', input: { key: `account:${id}`, type: 'Principal', attributes: { kind: 'account' } } }, ...meta(clientInfo && { [`${META}clientInfo`]: clientInfo }) });
  const { of } = await talk(['--scopes', '*:*'], put('1', { name: 'one', version: '1.0' }), put('2', { name: 'two', version: '2.0' }), put('3'), put('4', { name: 7 }), request('log', 'tools/call', { name: 'operations_call', arguments: { operation: 'audit.list', input: { order: 'asc' } }, ...meta() }));
  const rows = of('log').result.structuredContent?.result?.items ?? [];
  equal('reasons', rows.slice(-4).map((row) => row.detail.reason ?? null), ['one 1.0 over MCP', 'two 2.0 over MCP', null, null]);
}
finish();
