/* What README.md shows works: its blocks marked as a test are one program. */
import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { readFileSync, readdirSync, rmSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { test } from 'node:test';
import { folder } from './support.mjs';

const here = (path) => fileURLToPath(new URL(path, import.meta.url));

/** Run the blocks of a kind, with some more lines, in a folder of their own; what they print. */
function run(t, kind, count, more) {
  const marked = new RegExp(`^<!-- test: ${kind} -->\\n\`\`\`js\\n(.*?)^\`\`\`$`, 'gms');
  const blocks = [...readFileSync(here('../README.md'), 'utf8').matchAll(marked)];
  assert.equal(blocks.length, count);
  const program = `process.chdir(${JSON.stringify(folder(t))});\n${blocks.map(([, block]) => block).join('')}${more}`;
  // It is run here, where this package is known by its name.
  const { status, stdout, stderr } = spawnSync(process.execPath, ['--input-type=module', '-e', program], {
    cwd: here('..'),
    encoding: 'utf8',
    timeout: 300_000,
  });
  assert.equal(status, 0, stderr);
  assert.equal(stderr, '');
  return stdout;
}

test('the events of README.md', (t) => {
  assert.deepEqual(run(t, 'events', 4, '').trim().split('\n'), [
    'sent to ann@example.org',
    '4',
    '1 10',
    '2 20',
    '3 30',
    "[ 'billing 2 1', 'mail 2 1', 'totals 3 0' ]",
    "[ '2026-10-26T06:00:00.000Z' ]",
    'soon',
    "[ 'order:1', { status: 'paid' } ]",
    'true 0',
  ]);
});

test('the metagraph of README.md', (t) => {
  const more = "console.log(db.graph('copy').nodes.get('read').type, db.graph('again').nodes.get('read').attributes['@type'], graph.order);";
  const stdout = run(t, 'metagraph', 4, more);
  const lines = stdout.trim().split('\n');
  assert.equal(lines[0], 'write Write it');
  assert.equal(lines[1], "[ 'tasks.Task.attributes.status,attributes.due' ]");
  assert.match(stdout, /^write [\d.]+ \[Write it\]$/m);
  assert.match(stdout, /^\[ 'read' \] \[ 0 \]$/m);
  assert.equal(lines.at(-1), 'Task Task 1');
});

test('the secrets of README.md', (t) => {
  const more = "const { kdf } = await deriveKeyAsync('p', { kdf: { t: 2, m: 19922944 } }); console.log(kdf.t);";
  assert.deepEqual(run(t, 'secrets', 1, more).trim().split('\n'), ['[secret] ann', '1', '[ { version: 2, count: 1 } ]', '2']);
});

test('the hub of README.md', (t) => {
  const lines = run(t, 'hub', 1, '').trim().split('\n');
  assert.deepEqual(lines.slice(0, 2), ['[token]', 'DENIED queues:write']);
  assert.match(lines[2], /^true ./);
  assert.deepEqual(lines.slice(3), ['1', 'it leaked true']);
});

test('the Drizzle of README.md', (t) => {
  assert.deepEqual(run(t, 'drizzle', 1, '').trim().split('\n'), ["[ 'tea', 'cake' ] [ { id: 1, payload: { order: 1 } } ]", 'DENIED']);
});

test('the viewer of README.md', (t) => {
  const served = "const { status } = await fetch(viewer.link(), { redirect: 'manual' }).catch(({ cause }) => ({ status: cause.code })); console.log(status); db.close();";
  assert.match(run(t, 'view', 1, served), /^http:\/\/127\.0\.0\.1:\d+\/\?token=[\w-]{43}\nECONNREFUSED\n$/);
});

test('the row schemas of README.md', (t) => {
  assert.equal(run(t, 'rows', 1, ''), 'active false\n');
});

test('the examples run', (t) => {
  for (const [name, expected] of [['jobs', 'b: no courier, delayed\nshipped a\nshipped b\n30\n'], ['quickstart', /^7\.88 /]]) {
    const program = `process.chdir(${JSON.stringify(folder(t))});\n${readFileSync(here(`../examples/${name}.mjs`), 'utf8')}`;
    const { status, stdout, stderr } = spawnSync(process.execPath, ['--input-type=module', '-e', program], { cwd: here('..'), encoding: 'utf8', timeout: 300_000 });
    assert.equal(status, 0, stderr);
    if (typeof expected === 'string') assert.deepEqual(stdout.split('\n').sort(), expected.split('\n').sort());
    else assert.match(stdout, expected);
  }
});

test('the example with secrets runs, again too, and not without its keys', (t) => {
  const dir = folder(t);
  const run = () => spawnSync(process.execPath, [here('../examples/vault.mjs'), 'vault.db'], { cwd: dir, encoding: 'utf8', timeout: 300_000 });
  const said = 'opened: [secret] of 12 characters\nstored: $enc, alg, kv, n, c, ct\nwithout keys: NOT_FOUND\nrotated: 1 failed: 0\nunder the new key: true\n';
  for (let i = 0; i < 2; i++) {
    const { stdout, stderr } = run();
    assert.equal(stderr, '');
    assert.equal(stdout, said);
  }
  const keys = join(dir, 'vault.db.keys');
  assert.equal(statSync(keys).mode & 0o777, 0o600);
  assert.deepEqual(JSON.parse(readFileSync(keys, 'utf8')).keys.map(({ version }) => version), [3]);
  for (const file of readdirSync(dir, { withFileTypes: true })) {
    if (file.isFile()) assert.ok(!readFileSync(join(dir, file.name)).includes('token-of-ann'), file.name);
  }
  rmSync(keys);
  const { status, stderr } = run();
  assert.equal(status, 1);
  assert.match(stderr, /is lost/);
});
