import assert from 'node:assert/strict';
import { test } from 'node:test';
import { file, run } from './support.mjs';

for (const what of ['calls', 'errors', 'handles', 'forgotten', 'listeners', 'jobs', 'loops', 'streams', 'schedulers', 'background', 'walks', 'exports', 'workers', 'sessions', 'hubs']) {
  test(`${what} leak neither memory nor descriptors nor threads`, { timeout: 1_220_000 }, async (t) => {
    const { status, stdout, stderr } = await run('fixtures/leak.mjs', [file(t), what], {
      // A small young generation: how it grows is no leak.
      flags: ['--expose-gc', '--max-semi-space-size=1'],
      timeout: 1_200_000, // some seconds, and minutes where others keep the machine busy
      // One arena: with one a thread, memory wanders between them for long before it comes to rest.
      env: { MALLOC_ARENA_MAX: '1' },
    });
    assert.equal(status, 0, stderr);
    const { memory, descriptors, threads } = JSON.parse(stdout);
    assert.ok(memory < 2 << 20, `${what}: ${memory} bytes more`);
    assert.ok(descriptors <= 0, `${what}: ${descriptors} descriptors more`);
    assert.ok(threads <= 0, `${what}: ${threads} threads more`);
  });
}
