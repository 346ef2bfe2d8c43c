// Tools, resources, subscriptions, completion, cancellation, progress, the budget, access by key and scopes; and messages that no client should send.
import { execFileSync } from 'node:child_process';
import { chmodSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { ask, check, command, connect, equal, finish, folder, PATIENCE, sleep, speak, until, watchProgress } from './check.mjs';

const path = join(folder, 'server.db');
const call = (operation, input, ...options) => {
  const text = execFileSync(command, [...options, 'call', '--json', path, operation, '-'], { input: JSON.stringify(input), encoding: 'utf8', maxBuffer: 1 << 28 });
  return JSON.parse(text.trim() || 'null');
};
process.env.BRANT_KEYS = join(folder, 'ring');
for (const purpose of ['attribute', 'audit', 'pepper']) execFileSync(command, ['key', 'generate', '--keys', process.env.BRANT_KEYS, '--purpose', purpose]);
call('graphs.create', { name: 'g', graph_type: 'open' }, '--create');

// ---- tools ----
{
  const client = await connect([path]);
  const { tools } = await client.listTools();
  const names = tools.map((tool) => tool.name);
  check('read-only by default', !names.some((name) => /put|delete|create|patch/.test(name)) && names.includes('nodes_list'), names);
  check('meta tools', names.includes('operations_find') && names.includes('operations_describe') && names.includes('operations_call'));
  check('names of tools', names.every((name) => /^[a-zA-Z0-9_-]{1,64}$/.test(name)));
  check('schemas', tools.every((tool) => tool.inputSchema.type === 'object' && tool.outputSchema?.type === 'object'));
  check('no references or choices at the root', tools.every((tool) => [tool.inputSchema, tool.outputSchema].every((schema) => !('$ref' in schema || 'anyOf' in schema || 'oneOf' in schema) && schema.properties)), tools.filter((tool) => tool.outputSchema.$ref).map((tool) => tool.name));
  check('inputs of the default tools need no definitions', tools.every((tool) => !('$defs' in tool.inputSchema)));
  check('hints', tools.every((tool) => typeof tool.annotations.readOnlyHint === 'boolean'));
  check('a list within the budget of a model', JSON.stringify(tools).length / 4 < 10000, JSON.stringify(tools).length);
  const refused = await client.call('operations_call', { operation: 'nodes.put', input: { graph: 'g', key: 'a' } });
  check('what is not read is out of reach', refused.isError && /NOT_FOUND/.test(refused.content[0].text), refused);
  await client.close();
}
{
  const client = await connect([path, '--write']);
  check('written', (await ask(client, 'nodes_put', { graph: 'g', key: 'a', attributes: { n: 1 } })).created);
  equal('read', (await ask(client, 'nodes_get', { graph: 'g', key: 'a' })).attributes, { n: 1 });
  const missing = await client.call('nodes_get', { graph: 'g', key: 'zz' });
  check('a failure is a result', missing.isError && /^NOT_FOUND: .*zz/.test(missing.content[0].text), missing);
  const invalid = await client.call('nodes_put', { graph: 'g' });
  check('an input that is not of the schema', invalid.isError && /INVALID/.test(invalid.content[0].text), invalid);
  let code;
  await client.call('no_such_tool').catch((error) => (code = error.code));
  equal('an unknown tool is an error of the protocol', code, -32602);
  let text;
  await client.call('nodes.list', { graph: 'g' }).catch((error) => (text = error.message));
  check("an operation's name says how to call it", /unknown tool: nodes\.list; .*operations_call/.test(text), text);
  const found = await ask(client, 'operations_find', { query: 'enqueue job' });
  check('find', found.items[0].name === 'queues.enqueue', found.items?.map((item) => item.name));
  equal('call what was found', (await ask(client, 'operations_call', { operation: 'queues.enqueue', input: { queue: 'q', payload: 1 } })).result.state, 'ready');
  for (const [tool, input, what] of [['operations_call', { operation: 'queues.enqueue', arguments: { queue: 'q' } }, '/arguments'], ['operations_describe', { operation: 'queues.enqueue', input: {} }, '/input'], ['operations_find', { words: 'job' }, '/words'], ['operations_find', { limit: 301 }, '/limit'], ['operations_find', { limit: '5' }, '/limit']]) {
    const answer = await client.call(tool, input);
    check(`${tool}: ${what} is told, not passed over`, answer.isError && answer.content[0].text.startsWith(`INVALID: ${what} `), answer);
  }
  check('several types', (await client.listTools()).tools.find((tool) => tool.name === 'nodes_put').inputSchema.properties.type.anyOf?.length === 2);
  check('describe', (await ask(client, 'operations_describe', { operation: 'queues.enqueue' })).input_schema.properties.payload !== undefined);
  for (const operation of ['sql.execute', 'transaction.begin', 'db.backup', 'api_keys.create']) {
    const answer = await client.call('operations_call', { operation, input: {} });
    check(`${operation} is not to be reached`, answer.isError && /NOT_FOUND/.test(answer.content[0].text), answer);
  }
  await client.close();
}
{
  const client = await connect([path, '--tools', 'jobs,nodes.get,graphs.*,sql.execute', '--scopes', '*:*']);
  const names = (await client.listTools()).tools.map((tool) => tool.name);
  check('a selection', names.includes('jobs_list') && names.includes('nodes_get') && names.includes('graphs_pagerank') && names.includes('sql_execute'), names);
  check('and no more', !names.includes('nodes_list') && !names.includes('operations_call') && !names.includes('graphs_import'), names);
  await client.close();
  const all = await connect([path, '--tools', 'all', '--scopes', '*:*']);
  const pages = [], several = [];
  let cursor;
  do {
    const page = await all.listTools(cursor ? { cursor } : {});
    pages.push(page.tools.length);
    for (const tool of page.tools) if (/"type":\[/.test(JSON.stringify(tool))) several.push(tool.name);
    cursor = page.nextCursor;
  } while (cursor);
  equal('a schema of several types is a choice of schemas of one', several, []);
  check('pages of tools', pages.length > 3 && pages.slice(0, -1).every((count) => count >= 50), pages);
  await all.close();
}

// ---- typed operations, and a list that changes ----
{
  const client = await connect([path, '--tools', 'types', '--write']);
  await client.listTools();
  const module = { $id: 'crm', $defs: { Config: { type: 'object', properties: { directed: { const: 'directed' }, multi: { const: false }, allow_self_loops: { const: true } } }, PersonNode: { type: 'object', properties: { name: { type: 'string' } }, required: ['name'] } } };
  call('graph_types.define', { module });
  call('graphs.create', { name: 'people', graph_type: 'crm' });
  await until('another process defined a graph type: list_changed', () => client.told.some((one) => one.method === 'notifications/tools/list_changed'));
  const all = [];
  for (let cursor; ; ) {
    const page = await client.listTools(cursor ? { cursor } : {});
    all.push(...page.tools);
    if (!(cursor = page.nextCursor)) break;
  }
  const put = all.find((tool) => tool.name === 'types_crm_Person_put');
  check('its operations are tools', put?.inputSchema.properties.attributes !== undefined, all.map((tool) => tool.name).filter((name) => /crm/.test(name)));
  check('typed put', (await ask(client, 'types_crm_Person_put', { graph: 'people', key: 'ada', attributes: { name: 'Ada' } })).created);
  const wrong = await client.call('types_crm_Person_put', { graph: 'people', key: 'bob', attributes: {} });
  check('typed put checks', wrong.isError && /VALIDATION|INVALID/.test(wrong.content[0].text), wrong);
  await client.close();
}

// ---- resources ----
{
  const client = await connect([path]);
  const resources = [];
  for (let cursor; ; ) {
    const page = await client.listResources(cursor ? { cursor } : {});
    resources.push(...page.resources);
    if (!(cursor = page.nextCursor)) break;
  }
  const uris = resources.map((one) => one.uri);
  check('graphs and graph types', uris.includes('brant://graphs/g') && uris.includes('brant://graph-types/task'), uris);
  const read = async (uri) => (await client.readResource({ uri })).contents[0];
  equal('a graph', JSON.parse((await read('brant://graphs/g')).text).name, 'g');
  equal('a node', JSON.parse((await read('brant://graphs/g/nodes/%61')).text).key, 'a');
  check('a graph type', JSON.parse((await read('brant://graph-types/task')).text).module.$defs.TaskNode !== undefined);
  check('an operation', /# nodes\.list[\s\S]*nodes:read/.test((await read('brant://operations/nodes.list')).text));
  let code;
  await client.readResource({ uri: 'brant://graphs/none' }).catch((error) => (code = error.code));
  equal('no such resource', code, -32002);
  equal('templates', (await client.listResourceTemplates()).resourceTemplates.length, 4);
  equal('completion', (await client.complete({ ref: { type: 'ref/resource', uri: 'brant://graphs/{graph}' }, argument: { name: 'graph', value: 'peo' } })).completion.values, ['people']);
  await client.subscribeResource({ uri: 'brant://graphs/g' });
  await client.subscribeResource({ uri: 'brant://graphs/g/nodes/b' });
  const told = (uri) => client.told.filter((one) => one.method === 'notifications/resources/updated' && one.params.uri === uri).length;
  const began = performance.now();
  call('nodes.put', { graph: 'g', key: 'c' });
  await until('another process wrote: updated', () => told('brant://graphs/g') > 0);
  console.log(`   a commit of another process was told within ${Math.round(performance.now() - began)} ms, the process's start included`);
  equal('of another node nothing', told('brant://graphs/g/nodes/b'), 0);
  call('nodes.put', { graph: 'g', key: 'b' });
  await until('of the node', () => told('brant://graphs/g/nodes/b') > 0);
  await client.unsubscribeResource({ uri: 'brant://graphs/g' });
  const before = told('brant://graphs/g');
  call('nodes.put', { graph: 'g', key: 'd' });
  await sleep(300);
  equal('unsubscribed', told('brant://graphs/g'), before);
  call('graphs.create', { name: 'new', graph_type: 'open' });
  await until('a new graph: the list changed', () => client.told.some((one) => one.method === 'notifications/resources/list_changed'));
  await client.setLoggingLevel('info');
  await client.call('nodes_get', { graph: 'g', key: 'none' });
  await until('a log message', () => client.told.some((one) => one.method === 'notifications/message' && /nodes_get/.test(one.params.data)));
  await client.close();
}

// ---- the budget, with a large graph ----
{
  const nodes = Number(process.env.BRANT_MCP_NODES ?? 100000);
  call('graphs.create', { name: 'large', graph_type: 'open' });
  const lines = Array.from({ length: nodes }, (_, i) => JSON.stringify({ node: { key: `n${i}`, attributes: { text: `number ${i}`, group: i % 7 } } }));
  for (let i = 1; i < nodes; i++) lines.push(JSON.stringify({ edge: { source: `n${i >> 1}`, target: `n${i}` } }));
  const file = join(folder, 'large.ndjson');
  writeFileSync(file, lines.join('\n'));
  call('graphs.import', { graph: 'large', format: 'ndjson', path: file });
  call('nodes.put', { graph: 'g', key: 'long', attributes: { text: 'é'.repeat(300000), list: Array.from({ length: 5000 }, (_, i) => i) } });
  const tokens = (answer) => {
    const text = answer.content[0].text;
    let ascii = 0, others = 0;
    for (const point of text) point.charCodeAt(0) < 128 ? ascii++ : others++;
    return ascii / 4 + others;
  };
  for (const budget of [1000, 10000]) {
    const client = await connect([path, '--max-tokens', String(budget), '--tools', 'default,meta,graphs.export,nodes.closure,nodes.walk,graphs.pagerank,graphs.arrays']);
    await client.listTools(); // so that the client checks answers against output schemas
    const seen = new Set();
    let cursor, calls = 0, most = 0;
    while (calls < 4) {
      const answer = await client.call('nodes_list', { graph: 'large', limit: 10000, ...(cursor && { cursor }) });
      for (const item of answer.structuredContent.items) seen.add(item.key);
      most = Math.max(most, tokens(answer));
      if (!calls) check('it says how to go on', /cursor/.test(answer.content[1]?.text ?? '') && answer._meta['brant/truncated'], answer.content[1]);
      calls++;
      if (!(cursor = answer.structuredContent.cursor)) break;
    }
    check(`pages of ${budget} tokens go on without gaps`, most <= budget && seen.size > calls * 10, { most, seen: seen.size });
    const keys = [...seen];
    const direct = call('nodes.list', { graph: 'large', limit: keys.length }).items.map((item) => item.key);
    equal('and are those of one list', keys, direct);
    for (const [tool, input] of [
      ['nodes_get', { graph: 'g', key: 'long' }],
      ['nodes_closure', { graph: 'large', keys: ['n1'] }],
      ['graphs_export', { graph: 'large', format: 'ndjson' }],
      ['nodes_walk', { graph: 'large', keys: ['n1'], max_items: 10000, wait_ms: 5000 }],
      ['graphs_pagerank', { graph: 'large', limit: 10000 }],
      ['graphs_arrays', { graph: 'large' }],
      ['operations_find', { query: '', limit: 300 }],
    ]) {
      const answer = await client.call(tool, input);
      check(`${tool} within ${budget}`, !answer.isError && tokens(answer) <= budget && answer.content.length > (tool === 'operations_find' ? 0 : 1), [answer.isError, tokens(answer), answer.content[1] ?? answer.content[0].text.slice(0, 300)]);
    }
    const began = performance.now();
    await client.call('nodes_list', { graph: 'large', filter: { 'attributes.group': 3 }, limit: 10000 });
    console.log(`   ${nodes} nodes, ${budget} tokens: a filtered list in ${Math.round(performance.now() - began)} ms`);
    await client.close();
  }
}

// ---- subscriptions as calls ----
{
  const client = await connect([path, '--tools', 'events.listen,nodes.walk']);
  const seconds = [];
  const walk = await client.call('nodes_walk', { graph: 'g', keys: ['a'], wait_ms: 60_000 }, { onprogress: (one) => seconds.push(one.progress) });
  check('what ends is answered when it ends, not when the wait is over', walk.structuredContent.items[0].keys[0] === 'a' && seconds.length < 60, [walk, seconds.length]);
  for (const [name, value] of [['wait_ms', 60_001], ['wait_ms', -1], ['wait_ms', '5'], ['wait_ms', 2 ** 63], ['max_items', 0], ['max_items', 10_001], ['max_items', 1.5]]) {
    const answer = await client.call('events_listen', { channels: ['none'], wait_ms: 60_000, [name]: value });
    check(`${name} ${value} is told, not passed over`, answer.isError && answer.content[0].text.startsWith(`INVALID: /${name} `), answer);
  }
  await client.close();
}

// ---- cancellation, progress ----
{
  const client = await connect([path, '--tools', 'events,graphs']);
  await watchProgress((options) => client.call('events_listen', { channels: ['none'], wait_ms: 60_000 }, options), 3);
  const stop = new AbortController();
  const strange = [];
  client.onerror = (error) => /unknown message ID/.test(error.message) && strange.push(error.message); // an answer that nobody waits for; progress may have been on its way
  const cancelled = client.call('events_listen', { channels: ['none'], wait_ms: 60_000 }, { signal: stop.signal }).catch((error) => error);
  setTimeout(() => stop.abort('enough'), 100);
  await cancelled;
  await client.ping();
  equal('cancelled: it is not answered', strange, []);
  const long = new AbortController();
  const walks = client.call('graphs_count_walks', { graph: 'large', length: 100 }, { signal: long.signal }).catch((error) => error);
  const paths = client.call('graphs_pagerank', { graph: 'large', tolerance: 1e-300, iterations: 1000000 }, { signal: long.signal }).catch((error) => error);
  setTimeout(() => long.abort('enough'), 200);
  await Promise.all([walks, paths]);
  check('a computation of hours is interrupted', await client.ping().then(() => true, () => false));
  await client.close();
}

// ---- who the agent is ----
{
  const account = call('accounts.create', { email: 'ada@example.org', access_level: 'admin' });
  const made = call('api_keys.create', { owner_id: account.id, name: 'agent', scopes: ['nodes:read', 'graphs:read'] });
  const file = join(folder, 'agent.key');
  writeFileSync(file, `${made.token ?? made.secret}\n`);
  chmodSync(file, 0o600);
  const client = await connect([path, '--key-file', file, '--tools', 'default,meta']);
  const names = (await client.listTools()).tools.map((tool) => tool.name);
  check('a key shows what it covers', names.includes('nodes_get') && !names.includes('nodes_put') && !names.includes('edges_list'), names);
  equal('and does it', (await ask(client, 'nodes_get', { graph: 'g', key: 'a' })).key, 'a');
  const beyond = await client.call('operations_call', { operation: 'nodes.put', input: { graph: 'g', key: 'x' } });
  check('and no more', beyond.isError, beyond);
  call('api_keys.revoke', { id: (made.key ?? made).id });
  const after = await client.call('nodes_get', { graph: 'g', key: 'a' });
  check('revoked: the next call fails', after.isError && /AUTH/.test(after.content[0].text), after);
  await until('and the list changed', () => client.told.some((one) => one.method === 'notifications/tools/list_changed'));
  equal('to nothing', (await client.listTools()).tools.length, 0);
  await client.close();
  const fails = (args, env) => {
    try {
      execFileSync(command, ['mcp', path, ...args], { env: { ...process.env, ...env }, stdio: ['ignore', 'pipe', 'pipe'], encoding: 'utf8' });
      return '';
    } catch (error) {
      return error.stderr;
    }
  };
  check('a key that is none', /AUTH/.test(fails([], { BRANT_API_KEY: 'brant_x_y' })));
  for (const more of [['--write'], ['--scopes', '*:*']]) check(`${more} beside a key`, /for one without/.test(fails(['--key-file', file, ...more])));
  chmodSync(file, 0o644);
  check('a key that others can read', /0644/.test(fails(['--key-file', file])));
  check('a tool that is none', /--tools/.test(fails(['--tools', 'nodes.fly'])));
}

// ---- what no client should send ----
{
  const hello = (version = '2025-11-25') => `${JSON.stringify({ jsonrpc: '2.0', id: 0, method: 'initialize', params: { protocolVersion: version, capabilities: {}, clientInfo: { name: 'x', version: '1' } } })}\n{"jsonrpc":"2.0","method":"notifications/initialized"}\n`;
  const ping = '{"jsonrpc":"2.0","id":"end","method":"ping"}\n';
  for (const version of ['2025-11-25', '2025-06-18', '2025-03-26', '2024-11-05', '1999-01-01']) {
    const { messages } = await speak([path], `${hello(version)}{"jsonrpc":"2.0","id":1,"method":"tools/call","params":{"name":"db_info","arguments":{}}}\n`);
    equal(`version ${version}`, messages[0].result.protocolVersion, version === '1999-01-01' ? '2025-11-25' : version);
    equal('structured where the version has it', 'structuredContent' in messages[1].result, !['2025-03-26', '2024-11-05'].includes(version));
  }
  const errors = async (bytes) => {
    const { code, signal, messages } = await speak([path], [bytes, '\n', ping]);
    check('it lives on', code === 0 && !signal && messages.at(-1)?.id === 'end', { code, signal, messages });
    return messages.slice(0, -1).map((message) => message.error?.code);
  };
  equal('no JSON', await errors('{"jsonrpc": '), [-32700]);
  equal('binary', await errors(Buffer.from([0, 255, 254, 128, 1, 2, 3])), [-32700]);
  equal('blank lines', await errors('\n  \r\n\t\n'), []);
  equal('a number', await errors('17'), [-32600]);
  equal('no version', await errors('{"id":1,"method":"ping"}'), [-32600]);
  equal('an id that is an object', await errors('{"jsonrpc":"2.0","id":{},"method":"ping"}'), [-32600]);
  equal('params that are an array', await errors('{"jsonrpc":"2.0","id":1,"method":"ping","params":[1]}'), [-32600]);
  equal('before initialize', await errors('{"jsonrpc":"2.0","id":1,"method":"tools/list"}'), [-32602]);
  equal('an unknown method', (await errors(`${hello()}{"jsonrpc":"2.0","id":1,"method":"fly"}`)).slice(1), [-32601]);
  equal('an unknown notification', await errors('{"jsonrpc":"2.0","method":"notifications/fly"}'), []);
  equal('a batch of a version without', await errors('[{"jsonrpc":"2.0","id":1,"method":"ping"}]'), [-32600]);
  equal('a batch of one with', (await errors(`${hello('2025-03-26')}[{"jsonrpc":"2.0","id":1,"method":"ping"},{"jsonrpc":"2.0","id":2,"method":"ping"}]`)).length, 3);
  equal('twice', (await errors(hello() + hello())).slice(1), [-32600]);
  equal('no name', (await errors(`${hello()}{"jsonrpc":"2.0","id":1,"method":"tools/call","params":{}}`)).slice(1), [-32602]);
  equal('a cursor of nothing', (await errors(`${hello()}{"jsonrpc":"2.0","id":1,"method":"tools/list","params":{"cursor":"~"}}`)).slice(1), [-32602]);
  equal('deep', await errors('['.repeat(100000)), [-32700]);
  const { messages } = await speak([path], [Buffer.alloc(40 << 20, 'x'), '\n', ping]);
  equal('a line of 40 MiB', messages.map((message) => message.error?.code ?? message.id), [-32600, 'end']);
  const { code } = await speak([path], '');
  equal('standard input closed at once', code, 0);
  const { messages: last } = await speak([path], ping.trimEnd());
  equal('no newline at the end', last.map((message) => message.id), ['end']);
}

// ---- what a client that is broken, or hostile, does ----
{
  const hello = '{"jsonrpc":"2.0","id":0,"method":"initialize","params":{"protocolVersion":"2025-06-18"}}\n';
  const request = (id, method, params) => `${JSON.stringify({ jsonrpc: '2.0', id, method, params })}\n`;
  const tool = (id, name, args) => request(id, 'tools/call', { name, arguments: args });
  const memory = ['--create', '--profile', 'memory', join(folder, 'hostile.db')];
  const cancelled = `${JSON.stringify({ jsonrpc: '2.0', method: 'notifications/cancelled', params: { requestId: 2 } })}\n`;
  const one = (messages, id) => messages.find((message) => message.id === id);
  const waits = tool(1, 'events_listen', { channels: ['none'], wait_ms: 10_000 });
  let { messages } = await speak([path, '--tools', 'default,events.listen'], [hello, waits, tool(2, 'graphs_list', {}), tool(3, 'graphs_list', {}), cancelled]);
  check('a call that is cancelled while it waits is not answered', one(messages, 1) && !one(messages, 2) && one(messages, 3), messages);
  ({ messages } = await speak(memory, [hello, cancelled, tool(2, 'read_graph', {}), tool(3, 'read_graph', {}), request(4, 'resources/read', { uri: 'memory://knowledge-graph' })]));
  check('a cancellation of nothing is passed over', one(messages, 2), messages);
  check('and those after it are', one(messages, 3)?.result.structuredContent && one(messages, 4)?.result.contents, messages);
  const many = Array.from({ length: 100000 }, (_, i) => `n${i}`);
  ({ messages } = await speak(memory, [hello, tool(1, 'delete_entities', { entityNames: many }), tool(2, 'add_observations', { observations: [{ entityName: 'x', contents: many }] })]));
  check('too many items in a call', [1, 2].every((id) => /^LIMIT/.test(one(messages, id).result.content[0].text)), messages);
  const wide = Object.fromEntries(Array.from({ length: 3000 }, (_, i) => [`member${i}`, i]));
  ({ messages } = await speak([path, '--write', '--max-tokens', '200'], [hello, tool(1, 'nodes_put', { graph: 'g', ...wide }), request(2, 'resources/read', { uri: 'brant://operations/nodes.list' })]));
  check('errors with much to tell are within the budget', one(messages, 1).result.isError && one(messages, 1).result.content[0].text.length <= 900, one(messages, 1).result.content[0].text.length);
  check('and pages of operations', one(messages, 2).result.contents[0].text.length <= 900, one(messages, 2).result.contents[0].text.length);
  ({ messages } = await speak([path], [hello, ...[null, true, [], {}].map((params) => `${JSON.stringify({ jsonrpc: '2.0', id: 9, method: 'tools/call', params: { name: params, arguments: params } })}\n`), request('%ff', 'resources/read', { uri: 'brant://graphs/%ff' }), request('sub', 'resources/subscribe', { uri: 'brant://graphs/%ff' }), request('x'.repeat(10000), 'ping')]));
  check('params of wrong types are errors, not the end', messages.filter((message) => message.error).length === 6 && messages.at(-1).result, messages.map((message) => message.error?.message ?? 'fine'));
}
finish();
