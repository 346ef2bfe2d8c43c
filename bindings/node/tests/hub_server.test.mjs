/* The example of a server works: examples/hub_server.mjs with clients of several organizations at once. */
import assert from 'node:assert/strict';
import { spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { readFileSync, statSync } from 'node:fs';
import { join } from 'node:path';
import test from 'node:test';
import { fileURLToPath } from 'node:url';
import { Hub } from 'brant';
import { after, folder, sleep } from './support.mjs';

const example = fileURLToPath(new URL('../examples/hub_server.mjs', import.meta.url));

function made(path, slug, email) {
  const { status, stdout, stderr } = spawnSync(process.execPath, [example, path, 'new', slug, email], { encoding: 'utf8', timeout: 300_000 });
  assert.equal(status, 0, stderr);
  return stdout.trim();
}

async function server(t, path) {
  const child = spawn(process.execPath, [example, path], { stdio: ['ignore', 'pipe', 'pipe'] });
  after(t, () => child.kill('SIGKILL'));
  let stderr = '';
  child.stderr.on('data', (data) => (stderr += data));
  const [line] = await once(child.stdout, 'data');
  const base = String(line).trim();
  const call = async (token, operation, input = {}, headers = {}) => {
    await sleep(5); // what the server closed, while this thread stood still for a commit, is seen first
    const body = typeof input === 'string' ? input : JSON.stringify(input);
    const bearer = token === undefined ? {} : { authorization: `Bearer ${token}` };
    const response = await fetch(`${base}/call/${operation}`, { method: 'POST', body, headers: { ...bearer, ...headers } });
    return { status: response.status, body: await response.json(), headers: response.headers };
  };
  const stop = async () => {
    child.kill('SIGTERM');
    const [status] = await once(child, 'close');
    return { status, stderr };
  };
  return { base, call, stop };
}

test('the server of tenants', async (t) => {
  const path = join(folder(t), 'hub');
  const acme = made(path, 'acme', 'ann@example.org');
  const zeta = made(path, 'zeta', 'zoe@example.org');
  assert.equal(statSync(`${path}.keys`).mode & 0o777, 0o600);
  const { base, call, stop } = await server(t, path);

  const hub = new Hub(path, { mode: 'rw' });
  hub.keyring(readFileSync(`${path}.keys`));
  after(t, () => hub.close());
  const { key, account, organization } = hub.apiKeys.verify(acme);
  const reader = hub.apiKeys.create('reader', ['nodes:read'], { ownerId: account.id, orgId: organization.id });

  assert.equal((await call(acme, 'graphs.create', { name: 'notes', graph_type: 'open' })).status, 200);
  assert.equal((await call(acme, 'graphs.create', { name: 'notes', graph_type: 'open' })).status, 409);
  const writes = Array.from({ length: 20 }, (_, i) => call(acme, 'nodes.put', { graph: 'notes', key: `n${i}`, attributes: { big: 2 ** 40 } }));
  assert.deepEqual(new Set((await Promise.all(writes)).map(({ status }) => status)), new Set([200]));
  const reads = await Promise.all([
    call(reader.token.reveal(), 'nodes.count', { graph: 'notes' }),
    call(acme, 'nodes.get', { graph: 'notes', key: 'n7' }),
    call(zeta, 'nodes.count', { graph: 'notes' }), // another tenant: there is none
    call(reader.token.reveal(), 'nodes.put', { graph: 'notes', key: 'x' }),
    call(`${acme}x`, 'nodes.count', { graph: 'notes' }),
    call(undefined, 'nodes.count', { graph: 'notes' }),
    call(acme, 'nodes.none'),
    call(acme, 'transaction.begin'),
    call(acme, 'db.restore', { path: '/etc/passwd' }),
    call(acme, 'db.backup', { path: join(path, '..', 'copy.db') }),
    call(acme, 'nodes.get', '{'),
    call(acme, 'nodes.get', { graph: 'notes' }),
    call(acme, 'nodes.put', 'x'.repeat(1 << 21)),
  ]);
  assert.deepEqual(reads.map(({ status }) => status), [200, 200, 404, 403, 401, 401, 404, 404, 403, 403, 400, 400, 413]);
  assert.equal(reads[0].body.count, 20);
  assert.equal(reads[1].body.attributes.big, 2 ** 40);
  assert.equal(reads[3].body.detail.scope, 'nodes:write');
  assert.equal(reads[4].headers.get('www-authenticate'), 'Bearer');
  assert.equal((await fetch(`${base}/call/db.info`)).status, 405);
  assert.equal((await fetch(`${base}/x`, { method: 'POST' })).status, 404);
  // Revoked by another process: at once.
  hub.apiKeys.revoke(reader.key.id);
  assert.equal((await call(reader.token.reveal(), 'nodes.count', { graph: 'notes' })).status, 401);
  hub.organizations.suspend(organization.id);
  assert.ok([401, 403].includes((await call(acme, 'nodes.count', { graph: 'notes' })).status));
  hub.organizations.resume(organization.id);

  // What is under way when the server is told to end is answered.
  const last = call(acme, 'nodes.count', { graph: 'notes' });
  const [{ status }, { status: ended, stderr }] = await Promise.all([last, last.then(stop)]);
  assert.deepEqual([status, ended, stderr], [200, 0, '']);

  const tenant = hub.tenant(organization.id);
  const rows = [...tenant.audit].filter((row) => row.action === 'server.called');
  assert.equal(rows.filter((row) => row.resource === 'operation:nodes.put').length, 21);
  assert.ok(rows.every((row) => row.actor_id === account.id && [key.id, reader.key.id].includes(row.detail.key)));
  assert.equal(tenant.audit.verify().ok, true);
  assert.equal(hub.audit.verify().ok, true);
  tenant.close();
});
