/* The viewer's server: who gets in, what may be asked for, and how it ends. The page itself is tested by tests/viewer. */
import assert from 'node:assert/strict';
import { request } from 'node:http';
import { test } from 'node:test';
import { view } from 'brant';
import { after, database } from './support.mjs';

/** One request as it is given: fetch would not send another Host or Origin. */
function ask(viewer, path, { method = 'GET', headers = {}, body } = {}) {
  const { port, host } = new URL(viewer.url);
  return new Promise((resolve, reject) => {
    const sent = request({ host: '127.0.0.1', port, path, method, headers: { host, ...headers }, agent: false }, (response) => {
      const chunks = [];
      response.on('data', (chunk) => chunks.push(chunk));
      response.on('end', () => {
        const text = Buffer.concat(chunks).toString();
        resolve({ status: response.statusCode, headers: response.headers, text, json: () => JSON.parse(text) });
      });
    });
    sent.on('error', reject);
    sent.end(body);
  });
}

async function served(t, options, db = database(t)) {
  const viewer = await view(db, options);
  after(t, () => viewer.close());
  const path = new URL(viewer.url).search;
  const entered = await ask(viewer, `/${path}`);
  const cookie = (entered.headers['set-cookie']?.[0] ?? '').split(';')[0];
  const call = (operation, input = {}, headers = {}) =>
    ask(viewer, `/call/${operation}`, { method: 'POST', headers: { cookie, 'x-brant': '1', ...headers }, body: typeof input === 'string' ? input : JSON.stringify(input) });
  return { db, viewer, cookie, call, entered, path };
}

test('the link works once and gives a cookie', async (t) => {
  const { viewer, entered, path, cookie } = await served(t);
  const { port, hostname } = new URL(viewer.url);
  assert.equal(hostname, '127.0.0.1');
  assert.match(path, /^\?token=[\w-]{43}$/);
  assert.equal(entered.status, 303);
  assert.equal(entered.headers.location, '/');
  assert.match(entered.headers['set-cookie'][0], new RegExp(`^brant_view_${port}=[\\w-]{43}; HttpOnly; SameSite=Strict; Path=/$`));
  const again = await ask(viewer, `/${path}`);
  assert.equal(again.status, 403);
  assert.match(again.text, /new link/);
  assert.equal(again.headers['set-cookie'], undefined);
  assert.equal((await ask(viewer, '/', { headers: { cookie } })).status, 200);
  const before = new URL(viewer.link());
  const other = new URL(viewer.link());
  assert.equal((await ask(viewer, `/${before.search}`)).status, 403, 'a new link takes the place of the one before');
  assert.equal((await ask(viewer, `/${other.search}`)).status, 303);
});

test('without the cookie nothing is served', async (t) => {
  const { viewer, cookie } = await served(t);
  for (const path of ['/', '/viewer.js', '/info', '/events', '/nothing', '/?token=', '/?token=x']) assert.equal((await ask(viewer, path)).status, 403, path);
  assert.equal((await ask(viewer, '/info', { headers: { cookie: `${cookie.slice(0, -1)}_` } })).status, 403);
  assert.equal((await ask(viewer, '/call/db.info', { method: 'POST', headers: { 'x-brant': '1' } })).status, 403);
  assert.equal((await ask(viewer, '/info', { headers: { cookie: `a=b; ${cookie}; c=d` } })).status, 200);
});

test('other hosts and origins are refused', async (t) => {
  const { viewer, cookie, call } = await served(t);
  const { port } = new URL(viewer.url);
  for (const host of ['evil.example', `evil.example:${port}`, '127.0.0.1', 'localhost', `127.0.0.1:${Number(port) + 1}`, `[::1]:${port}`]) {
    assert.equal((await ask(viewer, '/info', { headers: { cookie, host } })).status, 403, host);
  }
  assert.equal((await ask(viewer, '/info', { headers: { cookie, host: `localhost:${port}` } })).status, 200);
  for (const origin of ['null', 'http://evil.example', `https://127.0.0.1:${port}`, `http://localhost:${port}`]) assert.equal((await call('db.info', {}, { origin })).status, 403, origin);
  assert.equal((await call('db.info', {}, { origin: `http://127.0.0.1:${port}` })).status, 200);
  for (const mark of ['', '0', 'true']) assert.equal((await call('db.info', {}, { 'x-brant': mark })).status, 403, mark);
});

test('every answer has the headers of the page', async (t) => {
  const { viewer, cookie, entered, call } = await served(t);
  const answers = [entered, await ask(viewer, '/'), await ask(viewer, '/', { headers: { cookie } }), await ask(viewer, '/none', { headers: { cookie } }), await call('db.info')];
  for (const { headers } of answers) {
    assert.match(headers['content-security-policy'], /default-src 'none'; script-src 'self';.*frame-ancestors 'none'; base-uri 'none'; form-action 'none'/);
    assert.equal(headers['x-content-type-options'], 'nosniff');
    assert.equal(headers['referrer-policy'], 'no-referrer');
    assert.equal(headers['cache-control'], 'no-store');
  }
});

test('the page is the bundle and nothing else', async (t) => {
  const { viewer, cookie } = await served(t);
  const get = (path) => ask(viewer, path, { headers: { cookie } });
  for (const [path, type] of Object.entries({ '/': 'text/html', '/viewer.js': 'text/javascript', '/layout.js': 'text/javascript', '/viewer.css': 'text/css', '/icon.svg': 'image/svg+xml', '/licenses.txt': 'text/plain' })) {
    const { status, headers, text } = await get(path);
    assert.equal(status, 200, path);
    assert.ok(headers['content-type'].startsWith(type), path);
    assert.ok(text.length > 100, path);
  }
  const { text } = await get('/');
  assert.doesNotMatch(text, /<script(?! type="module" src="\/viewer\.js")|\son\w+=/);
  assert.match((await get('/licenses.txt')).text, /graphology .*MIT[^]*preact[^]*sigma/);
  for (const path of ['/../package.json', '/%2e%2e/package.json', '/viewer/index.html', '/index.js', '/constructor']) assert.equal((await get(path)).status, 404, path);
  for (const method of ['HEAD', 'PUT', 'DELETE', 'OPTIONS']) assert.equal((await ask(viewer, '/', { method, headers: { cookie } })).status, 405, method);
  assert.equal((await get('/call/db.info')).status, 405);
});

test('what reads is answered, what writes is not offered', async (t) => {
  const { db, call, viewer, cookie } = await served(t);
  db.graphs.create('g');
  db.graph('g').nodes.put({ key: 'a', attributes: { big: 2n ** 60n } });
  const info = (await ask(viewer, '/info', { headers: { cookie } })).json();
  assert.deepEqual({ ...info, version: 'x' }, { file: 'test.db', version: 'x', write: false, commits: true });
  assert.equal((await call('nodes.count', { graph: 'g' })).json().count, 1);
  assert.match((await call('nodes.get', { graph: 'g', key: 'a' })).text, /1152921504606846976/);
  const denied = await call('nodes.put', { graph: 'g', key: 'b' });
  assert.equal(denied.status, 404);
  assert.deepEqual(denied.json().error.name, 'NOT_FOUND');
  for (const operation of ['queues.pause', 'jobs.delete']) assert.equal((await call(operation, operation === 'jobs.delete' ? { id: 1 } : { queue: 'q' })).status, 404, operation);
  for (const [input, status, name] of [[{ graph: 'g', key: 'none' }, 404, 'NOT_FOUND'], [{ graph: 'g' }, 400, 'INVALID'], ['{', 400, 'INVALID_JSON']]) {
    const answer = await call('nodes.get', input);
    assert.equal(answer.status, status);
    assert.equal(answer.json().error.name, name);
  }
  for (const operation of ['sql.execute', 'transaction.begin', 'db.backup', 'db.restore', 'graphs.import', 'events.listen', 'none', 'nodes', '../info', 'nodes.get/x']) {
    assert.equal((await call(operation, {})).status, 404, operation);
  }
});

test('with write access what changes the file is done, and no more is offered', async (t) => {
  const { db, call } = await served(t, { write: true });
  db.queue('q').enqueue({ a: 1 });
  assert.equal((await call('queues.pause', { queue: 'q' })).status, 200);
  assert.equal(db.queue('q').stats().state, 'paused');
  assert.equal((await call('jobs.cancel', { id: 1 })).status, 200);
  assert.equal((await call('jobs.requeue', { id: 1 })).status, 200);
  for (const operation of ['sql.execute', 'transaction.begin', 'db.backup', 'graphs.import']) assert.equal((await call(operation, {})).status, 404, operation);
});

test('a body has its limit', async (t) => {
  const { call, viewer, cookie } = await served(t);
  const long = await call('nodes.get', ' '.repeat((16 << 20) + 1)).catch(({ code }) => ({ status: code }));
  assert.ok([413, 'EPIPE', 'ECONNRESET'].includes(long.status), String(long.status));
  const declared = await ask(viewer, '/call/nodes.get', { method: 'POST', headers: { cookie, 'x-brant': '1', 'content-length': String(1 << 30) } }).catch(({ code }) => ({ status: code }));
  assert.ok([413, 'ECONNRESET'].includes(declared.status), String(declared.status));
  assert.equal((await call('db.info')).status, 200);
});

/** Follow events until `enough` is true of what came. */
function follow(viewer, cookie, path, enough) {
  const { port, host } = new URL(viewer.url);
  let text = '';
  let wake = () => undefined;
  const came = new Promise((resolve) => (wake = resolve));
  const sent = request({ host: '127.0.0.1', port, path, headers: { host, cookie }, agent: false });
  const opened = new Promise((resolve, reject) => {
    sent.on('error', reject);
    sent.on('response', (response) => {
      response.on('error', () => undefined);
      response.on('data', (chunk) => {
        text += chunk;
        if (enough(text)) wake(text);
      });
      response.on('end', () => wake(text));
      resolve(response);
    });
  });
  sent.end();
  return { opened, came, ended: opened.then((response) => new Promise((resolve) => response.on('close', resolve))), stop: () => sent.destroy() };
}

test('notifications and commits are told as they are committed', async (t) => {
  const { db, viewer, cookie } = await served(t);
  const told = follow(viewer, cookie, '/events?channels=jobs%3A*&channels=b', (text) => text.includes('"channel":"b"') && text.includes('event: commit'));
  assert.equal((await told.opened).headers['content-type'], 'text/event-stream');
  db.notify('other', 1);
  db.transaction(() => {
    db.notify('jobs:done', { id: 7, big: 2n ** 60n + 1n });
    db.notify('b', 'x');
  });
  const text = await told.came;
  assert.ok(text.includes('1152921504606846977'));
  const items = [...text.matchAll(/^data: (\{"?.*id.*\})$/gm)].map(([, item]) => JSON.parse(item));
  assert.deepEqual(items.map(({ channel, payload }) => [channel, payload]), [['jobs:done', { id: 7, big: 2 ** 60 }], ['b', 'x']]);
  told.stop();
  const { status } = await ask(viewer, '/events?channels=', { headers: { cookie } });
  assert.equal(status, 400);
});

test('closing ends those who follow, at once, and leaves the database open', async (t) => {
  const { db, viewer, cookie } = await served(t);
  const following = Array.from({ length: 5 }, () => follow(viewer, cookie, '/events?channels=*', () => false));
  await Promise.all(following.map(({ opened }) => opened));
  await Promise.all([viewer.close(), viewer.close()]);
  await Promise.all(following.map(({ ended }) => ended));
  assert.equal(db.graphs.list().items.length, 0);
  await assert.rejects(ask(viewer, '/'), { code: 'ECONNREFUSED' });
});

test('the program ends once viewer and database are closed, and a port that is taken is said', async (t) => {
  const db = database(t);
  const again = async () => {
    const first = await view(db);
    const port = Number(new URL(first.url).port);
    await assert.rejects(view(db, { port }), { code: 'EADDRINUSE' });
    await first.close();
    return view(db, { port }).then((viewer) => ({ viewer, port }));
  };
  // Another program may take it in between.
  const { viewer, port } = await again().catch(again).catch(again);
  assert.equal(Number(new URL(viewer.url).port), port);
  await viewer.close();
});
