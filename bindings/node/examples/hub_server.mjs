/*
 * Organizations' graphs over HTTP: POST /call/<operation> with JSON, and an API key as the bearer token.
 *
 *   node hub_server.mjs FOLDER new SLUG EMAIL     make an organization and print a key of its owner, once
 *   node hub_server.mjs FOLDER [PORT]             serve on 127.0.0.1, which a proxy with TLS stands before; 0, the default: any port
 */
import { readFileSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:http';
import { BrantError, Hub, generateKey, operations } from 'brant';

const STATUS = {
  AUTH: 401, DENIED: 403, NOT_FOUND: 404, EXISTS: 409, CONFLICT: 409, CONSTRAINT: 409, STALE: 409, LIMIT: 413, INVALID: 400,
  INVALID_JSON: 400, VALIDATION: 422, MISUSE: 400, BUSY: 503, TIMEOUT: 503, CLOSED: 503,
};
const BODY = 1 << 20; // bytes
const PATIENCE = 10_000; // milliseconds for a call, and for all that run at the end
const offered = new Set(
  operations().filter(({ type, namespace }) => type !== 'subscription' && namespace !== 'transaction').map(({ name }) => name),
);

/** Run an operation for whoever has the key, on the file of their organization. */
async function call(hub, token, operation, text) {
  const caller = await hub.authenticateAsync(token); // the session judges each call by the key, the membership and the access graph
  try {
    if (!offered.has(operation) || caller.organization === null) throw new BrantError('NOT_FOUND', `no operation "${operation}" here`);
    await record(hub, caller, operation);
    return await caller.db.callTextAsync(operation, text, { timeout: PATIENCE });
  } finally {
    caller.close(); // with TypeScript or a newer Node.js: using caller = ..
  }
}

/** First what is asked, and only then is it done: nobody does what is not in the log. Callers need no right to write it. */
async function record(hub, { account, key, organization }, operation) {
  const tenant = await hub.tenantAsync(organization.id);
  try {
    const actor = { type: 'api_key', id: account.id };
    tenant.audit.append('server.called', { resource: `operation:${operation}`, actor, detail: { key: key.id } });
  } finally {
    tenant.close();
  }
}

async function bodyOf(request) {
  const chunks = [];
  let size = 0;
  for await (const chunk of request) {
    size += chunk.length;
    if (size > BODY) throw new BrantError('LIMIT', `the body has more than ${BODY} bytes`);
    chunks.push(chunk);
  }
  return size === 0 ? '{}' : Buffer.concat(chunks);
}

function failure(path, error) {
  const status = (error instanceof BrantError && STATUS[error.code]) || 500;
  if (status !== 500) return [status, { code: error.code, message: error.message, detail: error.detail }];
  console.error(`${path}: ${error}`); // what is ours to know, and not the caller's
  return [status, { code: 'INTERNAL', message: 'the server failed' }];
}

async function answer(hub, request) {
  const { method, url, headers } = request;
  if (!url.startsWith('/call/')) return [404, { code: 'NOT_FOUND', message: 'POST /call/<operation>' }];
  if (method !== 'POST') return [405, { code: 'INVALID', message: 'POST /call/<operation>' }];
  const [, token = ''] = /^bearer +(\S+)$/i.exec(headers.authorization ?? '') ?? [];
  try {
    return [200, await call(hub, token, url.slice('/call/'.length), await bodyOf(request))];
  } catch (error) {
    return failure(url, error);
  }
}

function serve(hub, port) {
  const server = createServer(async (request, response) => {
    request.on('error', () => undefined); // they went away
    const [status, body] = await answer(hub, request);
    if (response.destroyed) return;
    if (status === 401) response.setHeader('WWW-Authenticate', 'Bearer');
    if (status === 413 || !server.listening) response.setHeader('Connection', 'close');
    response.writeHead(status, { 'Content-Type': 'application/json' });
    response.end(typeof body === 'string' ? body : JSON.stringify(body));
  });
  server.listen(port, '127.0.0.1', () => console.log(`http://127.0.0.1:${server.address().port}`));
  const stop = () => {
    server.close(() => hub.close()); // what runs is answered first
    server.closeIdleConnections();
    setTimeout(() => server.closeAllConnections(), PATIENCE).unref();
  };
  process.once('SIGTERM', stop).once('SIGINT', stop);
}

/** The server's own keys, in a file beside the folder: of the audit logs, and the pepper of API keys. */
function ringOf(path) {
  const keys = ['audit', 'pepper'].map((purpose) => generateKey({ purpose }).reveal());
  try {
    writeFileSync(path, JSON.stringify({ keys }), { mode: 0o600, flag: 'wx' });
  } catch (error) {
    if (error.code !== 'EEXIST') throw error;
  }
  return readFileSync(path);
}

const [folder, first = '0', slug, email] = process.argv.slice(2);
const hub = new Hub(folder, { busyTimeout: 5000 }); // for the audit log's lines, which this thread writes beside what calls write
hub.keyring(ringOf(`${folder}.keys`));
if (first === 'new') {
  const owner = hub.accounts.create(email);
  const { id } = hub.organizations.create(slug, slug, { ownerId: owner.id });
  console.log(hub.apiKeys.create('first', ['*:*'], { ownerId: owner.id, orgId: id }).token.reveal());
  hub.close();
} else {
  serve(hub, Number(first));
}
