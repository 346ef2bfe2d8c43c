/* What README.md shows works: its blocks marked as a test are one program. */
import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { test } from 'node:test';
import { folder } from './support.mjs';

const here = (path) => fileURLToPath(new URL(path, import.meta.url));

test('the metagraph of README.md', (t) => {
  const blocks = [...readFileSync(here('../README.md'), 'utf8').matchAll(/^<!-- test: metagraph -->\n```js\n(.*?)^```$/gms)];
  assert.equal(blocks.length, 4);
  const program = `process.chdir(${JSON.stringify(folder(t))});\n${blocks.map(([, block]) => block).join('')}
console.log(db.graph('copy').nodes.get('read').type, db.graph('again').nodes.get('read').attributes['@type'], graph.order);`;
  // It is run here, where this package is known by its name.
  const { status, stdout, stderr } = spawnSync(process.execPath, ['--input-type=module', '-e', program], { cwd: here('..'), encoding: 'utf8' });
  assert.equal(status, 0, stderr);
  const lines = stdout.trim().split('\n');
  assert.equal(lines[0], 'write Write it');
  assert.equal(lines[1], "[ 'tasks.Task.attributes.status,attributes.due' ]");
  assert.match(stdout, /^write [\d.]+ \[Write it\]$/m);
  assert.match(stdout, /^\[ 'read' \] \[ 0 \]$/m);
  assert.equal(lines.at(-1), 'Task Task 1');
});
