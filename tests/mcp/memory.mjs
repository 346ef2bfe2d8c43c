// The memory profile beside the reference memory server: the same calls, the same answers; then many processes that write one memory.
import { execFile, execFileSync } from 'node:child_process';
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { ask, check, command, connect, equal, finish, folder, PATIENCE, until } from './check.mjs';

const reference = join(dirname(fileURLToPath(import.meta.url)), 'node_modules/@modelcontextprotocol/server-memory/dist/index.js');
const theirs = (file) => connect([], { run: process.execPath, words: [reference], env: { MEMORY_FILE_PATH: file } });
// Who waits for other writers waits as long as a busy machine takes.
const ours = (file, ...options) => connect([file, '--create', '--profile', 'memory', '--options', JSON.stringify({ busy_timeout: PATIENCE }), ...options]);

// ---- the same calls, the same answers ----
{
  const file = join(folder, 'reference.jsonl');
  const [a, b] = [await theirs(file), await ours(join(folder, 'ours.db'))];
  const shape = ({ name, title, description, inputSchema, outputSchema, annotations }) => ({ name, title, description, inputSchema, outputSchema, annotations });
  equal('tools, their inputs and outputs', (await b.listTools()).tools.map(shape), (await a.listTools()).tools.map(shape));
  const people = ['Ada', 'Bob', 'Čapek', 'Øyvind'].map((name, i) => ({ name, entityType: i % 2 ? 'Engineer' : 'writer', observations: [`${name} likes tea`, `number ${i}`] }));
  const calls = [
    ['read_graph', {}],
    ['create_entities', { entities: people }],
    ['create_entities', { entities: [people[0], { name: 'New', entityType: '', observations: [] }] }],
    ['create_entities', { entities: [] }],
    ['create_relations', { relations: [{ from: 'Ada', to: 'Bob', relationType: 'knows' }, { from: 'Ada', to: 'Bob', relationType: 'helps' }, { from: 'Bob', to: 'Bob', relationType: 'likes' }, { from: 'Ada', to: 'Ghost', relationType: 'fears' }] }],
    ['create_relations', { relations: [{ from: 'Ada', to: 'Bob', relationType: 'knows' }, { from: 'Nobody', to: 'Ghost', relationType: 'is' }] }],
    ['read_graph', {}],
    ['add_observations', { observations: [{ entityName: 'Ada', contents: ['writes programs', 'number 0'] }, { entityName: 'Bob', contents: [] }] }],
    ['add_observations', { observations: [{ entityName: 'Ada', contents: ['lost'] }, { entityName: 'Ghost', contents: ['x'] }] }],
    ['search_nodes', { query: 'TEA' }],
    ['search_nodes', { query: 'čAPEK' }],
    ['search_nodes', { query: 'øyv' }],
    ['search_nodes', { query: 'engineer' }],
    ['search_nodes', { query: 'writes prog' }],
    ['search_nodes', { query: '' }],
    ['search_nodes', { query: 'nothing-has-this' }],
    ['open_nodes', { names: ['Bob', 'Ghost', 'None', 'Ada', 'Bob'] }],
    ['open_nodes', { names: ['Ghost'] }],
    ['open_nodes', { names: [] }],
    ['delete_observations', { deletions: [{ entityName: 'Ada', observations: ['number 0', 'none'] }, { entityName: 'Nobody', observations: ['x'] }] }],
    ['delete_relations', { relations: [{ from: 'Ada', to: 'Bob', relationType: 'knows' }, { from: 'x', to: 'y', relationType: 'z' }] }],
    ['create_entities', { entities: [{ name: 'Ghost', entityType: 'spirit', observations: ['boo'] }] }],
    ['open_nodes', { names: ['Ghost'] }],
    ['delete_entities', { entityNames: ['Bob', 'None', 'Bob'] }],
    ['delete_entities', { entityNames: ['Nobody'] }],
    ['read_graph', {}],
  ];
  for (const [i, [tool, input]] of calls.entries()) {
    const [one, other] = [await a.call(tool, input), await b.call(tool, input)];
    equal(`${i} ${tool}: isError`, other.isError ?? false, one.isError ?? false);
    equal(`${i} ${tool}: structured`, other.structuredContent, one.structuredContent);
    const parsed = ({ text }) => (/^[[{]/.test(text) ? JSON.parse(text) : text);
    equal(`${i} ${tool}: text`, parsed(other.content[0]), parsed(one.content[0]));
  }
  for (const input of [{}, { entities: 1 }, { entities: [{ name: 'x' }] }, { entities: [{ name: '', entityType: 'x', observations: [] }] }]) check('what is no entity is an error, not the end', (await b.call('create_entities', input)).isError);
  equal('the resource', JSON.parse((await b.readResource({ uri: 'memory://knowledge-graph' })).contents[0].text), await ask(a, 'read_graph', {}));
  await b.subscribeResource({ uri: 'memory://knowledge-graph' });
  await ask(b, 'create_entities', { entities: [{ name: 'Told', entityType: 't', observations: ['strong coffee in the morning'] }] });
  await until('the resource was updated', () => b.told.some((one) => one.method === 'notifications/resources/updated'));
  equal('words that do not stand together', (await ask(b, 'search_nodes', { query: 'morning coffee' })).entities.map((one) => one.name), ['Told']);
  await a.close();
  await b.close();
  // In and out again.
  const c = await ours(join(folder, 'imported.db'), '--import', file);
  const d = await theirs(file);
  equal('its file imported', await ask(c, 'read_graph', {}), await ask(d, 'read_graph', {}));
  await c.close();
  const { text } = JSON.parse(execFileSync(command, ['call', '--json', join(folder, 'imported.db'), 'graphs.export', '{"graph": "memory", "format": "memory"}'], { encoding: 'utf8' }));
  const lines = (all) => all.split('\n').filter(Boolean).map((line) => JSON.stringify(JSON.parse(line))).sort();
  equal('exported, line by line the same', lines(text), lines(readFileSync(file, 'utf8')));
  await d.close();
}

// ---- names, and files, that nobody should send ----
{
  const c = await ours(join(folder, 'names.db'));
  const names = ['\u202eRTL\u202c', '\u00df'.repeat(512), 'x'.repeat(1024), ' ', '\n', '"', '\\', '["a","b"]', '__proto__', '\u{1f600}', '\u00e9', 'e\u0301', '%2F'];
  await ask(c, 'create_entities', { entities: names.map((name) => ({ name, entityType: '\0', observations: ['\0', ''] })) });
  equal('each name by itself', (await ask(c, 'open_nodes', { names })).entities.map((one) => one.name), names);
  for (const name of ['a\0b', '\0', 'x'.repeat(1025), '', 'x'.repeat(100000)]) {
    for (const [tool, input, at] of [['create_entities', { entities: [{ name: 'kept?', entityType: 't', observations: [] }, { name, entityType: 't', observations: [] }] }, '/entities/1/name'], ['create_relations', { relations: [{ from: 'kept?', to: name, relationType: 'r' }] }, '/relations/0/to']]) {
      const answer = await c.call(tool, input);
      check(`${tool}: a name that is none, and where it is`, answer.isError && answer.content[0].text.startsWith(`INVALID: ${at} `), answer.content[0].text.slice(0, 200));
    }
  }
  const long = await c.call('create_relations', { relations: [{ from: names[2], to: names[1], relationType: 'r' }] });
  check('a relation that is too long', long.isError && /^LIMIT: .relations.0: from, to and relationType/.test(long.content[0].text), long.content[0].text.slice(0, 200));
  equal('none of these calls did a part', (await ask(c, 'open_nodes', { names: ['kept?'] })).entities, []);
  // Behind a NUL is another name, not the one before it.
  await ask(c, 'create_entities', { entities: [{ name: 'a', entityType: 't', observations: ['x'] }] });
  await ask(c, 'create_relations', { relations: [{ from: 'a', to: 'b', relationType: 'r' }] });
  check('nothing is added to it', (await c.call('add_observations', { observations: [{ entityName: 'a\0b', contents: ['y'] }] })).isError);
  for (const [tool, input] of [['delete_observations', { deletions: [{ entityName: 'a\0b', observations: ['x'] }] }], ['delete_relations', { relations: [{ from: 'a', to: 'b', relationType: 'r\0' }, { from: 'a'.repeat(2000), to: 'b', relationType: 'r' }] }], ['delete_entities', { entityNames: ['a\0', 'x'.repeat(2000), ''] }]]) await ask(c, tool, input);
  equal('an observation with a NUL is its own', (await ask(c, 'add_observations', { observations: [{ entityName: 'a', contents: ['x\0', 'x'] }] })).results[0].addedObservations, ['x\0']);
  equal('and nothing went', await ask(c, 'open_nodes', { names: ['a', 'a\0b'] }), { entities: [{ name: 'a', entityType: 't', observations: ['x', 'x\0'] }], relations: [{ from: 'a', to: 'b', relationType: 'r' }] });
  const half = await c.call('search_nodes', { query: 'half an emoji: \ud83d' }).catch((error) => error);
  equal('half of a surrogate pair is an error of that request', half.code, -32700);
  check('that many observations', (await c.call('create_entities', { entities: [{ name: 'big', entityType: 't', observations: ['x'.repeat(3e6)] }] })).content[0].text.length < 50000);
  check('and read within the budget', (await c.call('open_nodes', { names: ['big'] })).content[0].text.length < 50000);
  await c.close();
  // A file of relations alone: each name once, whoever made it; faults once each.
  const file = join(folder, 'names.jsonl'), path = join(folder, 'imported-names.db');
  const relation = (from, to) => JSON.stringify({ type: 'relation', from, to, relationType: 'r' });
  writeFileSync(file, [...Array.from({ length: 5000 }, (_, i) => relation(`n${i}`, `n${(i * 7) % 5000}`)), relation('', 'x'), relation('\0', 'x'), relation('x'.repeat(2000), 'x'), '7', '{"type":"note"}', JSON.stringify({ type: 'entity', name: 'n7', entityType: 't', observations: ['o'] })].join('\n'));
  const imports = (input) => JSON.parse(execFileSync(command, ['call', '--create', '--json', path, 'graphs.import', '-'], { input: JSON.stringify({ graph: 'memory', format: 'memory', path: file, create: true, errors: 'skip', ...input }), encoding: 'utf8' }));
  const first = imports({});
  equal('relations alone', [first.nodes, first.edges, first.failed, first.items.map((one) => one.code)], [5000, 5000, 4, ['INVALID', 'INVALID', 'INVALID', 'LIMIT']]);
  equal('again, in small batches', [imports({ batch: 3 })].map(({ nodes, edges, failed }) => [nodes, edges, failed]), [[1, 5000, 4]]);
  const d = await ours(path);
  equal('the entity is one', (await ask(d, 'open_nodes', { names: ['n7', 'n8'] })).entities, [{ name: 'n7', entityType: 't', observations: ['o'] }]);
  // All of it goes with its entity.
  await ask(d, 'create_relations', { relations: Array.from({ length: 1000 }, (_, i) => ({ from: `n${i}`, to: 'n7', relationType: 'all' })) });
  await ask(d, 'delete_entities', { entityNames: ['n7'] });
  equal('relations went with the entity', (await d.call('open_nodes', { names: ['n7'] })).structuredContent, { entities: [], relations: [] });
  const answer = JSON.parse(execFileSync(command, ['call', '--json', path, 'edges.count', '{"graph": "memory"}'], { encoding: 'utf8' }));
  equal('and no others', answer.count, 5000 - 2);
  await d.close();
}

// ---- an import while agents write ----
{
  const path = join(folder, 'busy.db'), file = join(folder, 'busy.jsonl'), count = 5000;
  writeFileSync(file, [...Array.from({ length: count }, (_, i) => JSON.stringify({ type: 'entity', name: `e${i}`, entityType: 't', observations: ['file'] })), ...Array.from({ length: count }, (_, i) => JSON.stringify({ type: 'relation', from: `e${i}`, to: `w${i % 50}`, relationType: 'r' }))].join('\n'));
  const c = await ours(path, '--max-tokens', '10000000');
  let over = false;
  const importing = new Promise((done) => execFile(command, ['call', '--options', JSON.stringify({ busy_timeout: PATIENCE }), path, 'graphs.import', '-'], (error) => done(error)).stdin.end(JSON.stringify({ graph: 'memory', format: 'memory', path: file, batch: 100 }))).finally(() => (over = true));
  const faults = [];
  let calls = 0;
  for (; !over || calls < 50; calls++) {
    const made = await c.call('create_entities', { entities: [{ name: `w${calls}`, entityType: 'agent', observations: ['mine'] }] });
    if (made.isError) faults.push(made.content[0].text);
  }
  equal('the import', await importing, null);
  equal('calls while it ran', faults, []);
  const all = await ask(c, 'read_graph', {});
  equal('all is there once', [all.entities.length, new Set(all.entities.map((one) => one.name)).size, all.relations.length], [count + calls, count + calls, count]);
  check('what an agent made is as it made it', all.entities.filter((one) => one.entityType === 'agent').length === calls);
  await c.close();
}

// ---- a large memory within the budget ----
{
  const path = join(folder, 'large.db'), file = join(folder, 'large.jsonl');
  const count = Number(process.env.BRANT_MCP_NODES ?? 100000);
  const lines = [];
  for (let i = 0; i < count; i++) lines.push(JSON.stringify({ type: 'entity', name: `entity ${i}`, entityType: i % 2 ? 'odd' : 'even', observations: [`observation of ${i}`] }));
  for (let i = 1; i < count; i += 10) lines.push(JSON.stringify({ type: 'relation', from: `entity ${i}`, to: 'entity 0', relationType: 'follows' }));
  writeFileSync(file, lines.join('\n'));
  let began = performance.now();
  const client = await ours(path, '--import', file);
  console.log(`   ${count} entities imported in ${Math.round(performance.now() - began)} ms`);
  for (const [tool, input] of [['read_graph', {}], ['search_nodes', { query: 'odd' }], ['search_nodes', { query: `entity ${count - 1}` }], ['open_nodes', { names: ['entity 0'] }]]) {
    began = performance.now();
    const answer = await client.call(tool, input);
    const size = answer.content[0].text.length / 4;
    console.log(`   ${tool} ${JSON.stringify(input)}: ${Math.round(performance.now() - began)} ms, ${answer.structuredContent?.entities.length} entities, ${answer.structuredContent?.relations.length} relations, ${Math.round(size)} tokens`);
    check(`${tool} within the budget`, !answer.isError && size <= 10000 && answer.structuredContent.entities.length > 0, [size, answer.content[1]]);
    if (tool === 'read_graph') check('and it says that it was cut', new RegExp(`of ${count} entities`).test(answer.content[1]?.text ?? ''), answer.content[1]);
  }
  await client.close();
}

// ---- many writers ----
{
  const writers = Number(process.env.BRANT_MCP_WRITERS ?? 50), rounds = 4;
  const write = async (make) => {
    const clients = await Promise.all(Array.from({ length: writers }, make));
    let errors = 0;
    const step = async (client, tool, input) => {
      try {
        if ((await client.call(tool, input)).isError) errors++;
      } catch {
        errors++;
      }
    };
    const began = performance.now();
    await step(clients[0], 'create_entities', { entities: [{ name: 'hub', entityType: 'shared', observations: [] }] });
    await Promise.all(
      clients.map(async (client, w) => {
        for (let i = 0; i < rounds; i++) {
          await step(client, 'create_entities', { entities: [{ name: `w${w}-${i}`, entityType: 't', observations: [] }, { name: `shared-${i}`, entityType: 't', observations: [] }] });
          await step(client, 'create_relations', { relations: [{ from: `w${w}-${i}`, to: 'hub', relationType: 'of' }, { from: `shared-${i}`, to: 'hub', relationType: 'of' }] });
          await step(client, 'add_observations', { observations: [{ entityName: 'hub', contents: [`from ${w}, ${i}`] }] });
        }
      }),
    );
    const ms = Math.round(performance.now() - began);
    for (const client of clients) await client.close();
    return { errors, ms };
  };
  const count = (graph) => {
    const entities = graph?.entities ?? [], relations = graph?.relations ?? [];
    const hub = entities.find((one) => one.name === 'hub');
    return { entities: entities.length, relations: relations.length, observations: hub?.observations.length ?? 0, twice: entities.length - new Set(entities.map((one) => one.name)).size + relations.length - new Set(relations.map((one) => JSON.stringify(one))).size };
  };
  const wanted = { entities: writers * rounds + rounds + 1, relations: writers * rounds + rounds, observations: writers * rounds, twice: 0 };
  const path = join(folder, 'many.db');
  await (await ours(path)).close();
  const result = await write(() => ours(path));
  const reader = await ours(path, '--max-tokens', '1000000');
  const seen = count(await ask(reader, 'read_graph', {}));
  await reader.close();
  equal('nothing is lost, nothing is there twice, no call fails', { ...seen, errors: result.errors }, { ...wanted, errors: 0 });
  console.log(`   ${writers} processes: ${JSON.stringify(seen)}, ${result.errors} errors, ${result.ms} ms`);
  mkdirSync(join(folder, 'reference'));
  const file = join(folder, 'reference', 'many.jsonl');
  const other = await write(() => theirs(file));
  let lost = {};
  try {
    const client = await theirs(file);
    lost = count(await ask(client, 'read_graph', {}));
    await client.close();
  } catch (error) {
    lost = { broken: String(error).slice(0, 80) };
  }
  console.log(`   the reference server: ${JSON.stringify(lost)} of ${JSON.stringify(wanted)}, ${other.errors} errors, ${other.ms} ms`);
}
finish();
