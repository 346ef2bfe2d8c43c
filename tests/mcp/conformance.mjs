// The protocol's own conformance kit, @modelcontextprotocol/conformance, over brant mcp: all its scenarios of a server, of the newest version with a handshake and of the one without. The kit speaks
// HTTP alone (bridge.mjs) and asks for things of its own fixture: things of brant stand for those that brant has the like of; a scenario of any other is named here, with the reason, and no other
// may fail.
import { execFileSync, spawn } from 'node:child_process';
import { readFileSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import { bridge } from './bridge.mjs';
import { check, command, finish, folder } from './check.mjs';

const path = join(folder, 'conformance.db');
const call = (operation, input) => execFileSync(command, ['call', '--create', path, operation, '-'], { input: JSON.stringify(input) });
call('graphs.create', { name: 'g', graph_type: 'open' });
call('nodes.put', { graph: 'g', key: '123', attributes: { text: 'text' } });

// ---- what stands for the kit's fixture ----
let types = 0;
const tools = {
  test_simple_text: () => ['db_info', {}],
  test_error_handling: () => ['nodes_get', { graph: 'g', key: 'none' }],
  test_logging_tool: () => ['nodes_get', { graph: 'g', key: 'none' }],
  test_tool_with_progress: () => ['events_listen', { channels: ['none'], wait_ms: 4300 }],
  test_trigger_tool_change: () => ['graph_types_define', { module: { $id: `kit-${++types}`, $defs: { ThingNode: { type: 'object' } } } }],
};
const resources = {
  'test://static-text': 'brant://graphs/g',
  'test://watched-resource': 'brant://graphs/g',
  'test://template/123/data': 'brant://graphs/g/nodes/123',
};
const stand = (uri) => resources[uri] ?? uri;
function translate(message) {
  const params = message.params;
  if (message.method === 'tools/call' && tools[params.name]) [params.name, params.arguments] = tools[params.name]();
  if (params?.uri) params.uri = stand(params.uri);
  if (params?.notifications?.resourceSubscriptions) params.notifications.resourceSubscriptions = params.notifications.resourceSubscriptions.map(stand);
  if (message.method === 'completion/complete') Object.assign(params, { ref: { type: 'ref/resource', uri: 'brant://graphs/{graph}' }, argument: { name: 'graph', value: '' } });
  return message;
}

// ---- what brant has not ----
const TRANSPORT = 'of HTTP, which brant mcp does not speak: it would test the bridge';
const PROMPTS = 'brant has no prompts, and does not declare them';
const BLOBS = 'answers of brant are JSON: no images, sounds, files';
const ASKS = 'brant asks nothing of the client or its user';
const FIXTURE = 'of a tool that only the fixture has';
const without = [
  [/^(server-sse-|dns-rebinding-|http-)/, TRANSPORT],
  [/^prompts-/, PROMPTS],
  [/^tools-call-(image|audio|embedded-resource|mixed-content)$|^resources-read-binary$/, BLOBS],
  [/^tools-call-(sampling|elicitation)$|^elicitation-|^input-required-result-/, ASKS],
  [/^tools-call-with-logging$/, 'of a tool that writes three messages to the log; that levels are kept is tested in server.mjs'],
  [/^json-schema-2020-12$/, FIXTURE],
];
const withoutChecks = {
  'sep-2549-prompts-list-caching-hints': PROMPTS,
  'sep-2575-server-sends-prompts-list-changed-on-subscription': PROMPTS,
  'sep-2575-server-rejects-undeclared-capability': ASKS,
  'sep-2575-missing-capability-http-400': ASKS,
  'sep-2575-http-server-no-independent-requests-on-stream': ASKS,
};

const { url, close } = await bridge(command, ['mcp', path, '--tools', 'default,meta,types,events.listen,graph_types.define', '--scopes', '*:*'], translate);
const kit = join(import.meta.dirname, 'node_modules/@modelcontextprotocol/conformance/dist/index.js');
const skipped = new Map();
const run = (version, results, ...which) => {
  const words = [kit, 'server', '--url', url, ...which, '--spec-version', version, '--timeout', '120000', '--output-dir', results];
  return new Promise((done) => spawn(process.execPath, words, { stdio: 'ignore' }).on('close', done));
};
const checksOf = (results, one) => JSON.parse(readFileSync(join(results, one, 'checks.json'), 'utf8'));
const isBad = ({ id, status }) => !withoutChecks[id] && status !== 'INFO' && status !== 'SUCCESS';
for (const version of ['2025-11-25', '2026-07-28']) {
  const results = join(folder, version);
  await run(version, results, '--suite', 'all');
  let checks = 0, scenarios = 0;
  for (const one of readdirSync(results).sort()) {
    const scenario = one.replace(/^server-/, '').replace(/-20\d\d-\d\d-\d\dT.*$/, '');
    const reason = without.find(([pattern]) => pattern.test(scenario))?.[1];
    if (reason) {
      skipped.set(reason, (skipped.get(reason) ?? new Set()).add(scenario));
      continue;
    }
    scenarios++;
    let found = checksOf(results, one);
    // Some checks of the kit give an answer half a second, whatever --timeout says: a scenario that failed is run again, by itself. What is wrong fails each time.
    for (let again = 1; again <= 5 && found.some(isBad); again++) {
      const anew = join(folder, `${version}-${scenario}-${again}`);
      await run(version, anew, '--scenario', scenario);
      const [made] = readdirSync(anew);
      found = checksOf(anew, made);
      console.log(`   ${version} ${scenario}: run again, ${found.some(isBad) ? 'and failed' : 'and passed'}`);
    }
    for (const { id, status, errorMessage } of found) {
      if (withoutChecks[id]) {
        skipped.set(withoutChecks[id], (skipped.get(withoutChecks[id]) ?? new Set()).add(id));
        continue;
      }
      if (status === 'INFO') continue;
      checks++;
      check(`${version} ${scenario}: ${id}`, status === 'SUCCESS', errorMessage ?? status);
    }
  }
  check(`${version}: the kit ran`, scenarios >= 10 && checks >= 20, { scenarios, checks });
  console.log(`   ${version}: ${scenarios} scenarios, ${checks} checks`);
}
for (const [reason, names] of skipped) console.log(`   not run, ${reason}: ${[...names].join(', ')}`);
await close();
finish();
