/* The viewer's suite: see `run`. One browser, one file; each check says what it proves. */
import { execFileSync, spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { createRequire } from 'node:module';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { chromium } from 'playwright-core';
import { open } from '../../bindings/node/dist/index.mjs';
import { HOSTILE, make } from './content.mjs';

const require = createRequire(import.meta.url);
const root = fileURLToPath(new URL('../../', import.meta.url));
const kind = process.argv.includes('--server') ? process.argv[process.argv.indexOf('--server') + 1] : 'node';
const shots = join(root, 'build/viewer-shots', kind);
// The machine may do other things: no check fails by time, unless it is asked to. What is promised is printed beside what was measured.
const PAINT = Number(process.env['BRANT_VIEWER_PAINT'] ?? Infinity);
const SEARCH = Number(process.env['BRANT_VIEWER_SEARCH'] ?? Infinity);
/** ms that anything may take. */
const PATIENCE = 120_000;

const folder = mkdtempSync(join(tmpdir(), 'brant-viewer-'));
const file = join(folder, 'app.db');
mkdirSync(shots, { recursive: true });
let passed = 0;
let failed = 0;

async function check(name, run) {
  try {
    await run();
    passed++;
    console.log(`ok      ${name}`);
  } catch (error) {
    failed++;
    console.log(`FAILED  ${name}\n        ${String(error.stack ?? error).split('\n').slice(0, 6).join('\n        ')}`);
  }
}
function equal(found, wanted, what = '') {
  if (JSON.stringify(found) !== JSON.stringify(wanted)) throw new Error(`${what}: ${JSON.stringify(found)} is not ${JSON.stringify(wanted)}`);
}
function ok(found, what) {
  if (!found) throw new Error(what);
}
async function until(run, what, most = PATIENCE) {
  const end = performance.now() + most;
  for (;;) {
    const found = await run();
    if (found) return found;
    if (performance.now() > end) throw new Error(`not within ${most} ms: ${what}`);
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
}

async function serve(...options) {
  const command = kind === 'c' ? [join(root, 'build/release/bin/brant'), 'view', file, ...options] : [process.execPath, fileURLToPath(new URL('server.mjs', import.meta.url)), file, ...options];
  const child = spawn(command[0], command.slice(1), { stdio: ['ignore', 'pipe', 'inherit'] });
  let text = '';
  const url = await new Promise((resolve, reject) => {
    child.stdout.on('data', (data) => {
      text += data;
      const [found] = /http:\/\/127\.0\.0\.1:\d+\/\?token=[\w-]+/.exec(text) ?? [];
      if (found) resolve(found);
    });
    child.once('exit', (code) => reject(new Error(`the server ended with ${code}`)));
  });
  const stop = async () => {
    if (child.exitCode !== null || child.signalCode !== null) return;
    child.kill('SIGTERM');
    await Promise.race([once(child, 'exit'), new Promise((resolve) => setTimeout(resolve, PATIENCE).unref())]);
    child.kill('SIGKILL');
  };
  return { url, origin: new URL(url).origin, stop };
}

const faults = [];
/** Of what is asked for so that it is refused, or is gone by then, the browser says so whenever it likes. */
const REFUSED = ['/call/graphs.get', '/call/jobs.get', '/call/jobs.requeue'];
async function visit(browser, server, options = {}) {
  const context = await browser.newContext({ viewport: { width: 1440, height: 900 }, ...options });
  const page = await context.newPage();
  page.setDefaultTimeout(PATIENCE);
  page.on('console', (message) => {
    const { url } = message.location();
    const expected = page.expectsFaults || (message.text().includes('404') && REFUSED.some((path) => url.endsWith(path)));
    if (message.type() === 'error' && !expected) faults.push(`${message.text()} ${url}`);
  });
  page.on('pageerror', (error) => faults.push(error.message));
  page.on('request', (request) => {
    const url = new URL(request.url());
    if (url.origin !== server.origin && url.protocol !== 'blob:' && url.protocol !== 'data:') faults.push(`a request to ${request.url()}`);
  });
  await page.goto(server.url);
  await page.waitForSelector('nav.side');
  page.at = async (hash) => {
    // Until it is there: what is waited for next may be on the page before, too.
    await page.evaluate(
      (to) =>
        new Promise((done) => {
          if (location.hash === to) return done();
          addEventListener('hashchange', () => requestAnimationFrame(() => setTimeout(done)), { once: true });
          location.hash = to;
        }),
      hash,
    );
  };
  page.shot = (name) => page.screenshot({ path: join(shots, `${name}.png`) });
  /** The picture is laid out. */
  page.laidOut = () => page.waitForSelector('.canvas[data-layout=done]');
  return page;
}

const axe = readFileSync(require.resolve('axe-core/axe.min.js'), 'utf8');
/** axe-core comes over the debugger's connection, so that the page's own policy stays as it is. */
async function accessible(page, what) {
  if (!(await page.evaluate(() => 'axe' in window))) await page.evaluate(axe);
  const { violations } = await page.evaluate(() => window.axe.run(document, { runOnly: ['wcag2a', 'wcag2aa', 'wcag21a', 'wcag21aa', 'wcag22aa', 'best-practice'] }));
  equal(violations.map(({ id, nodes }) => [id, nodes.slice(0, 3).map(({ html }) => html.slice(0, 160))]), [], what);
}

/** A program of its own that writes to the file. */
function elsewhere(code) {
  const module = new URL('../../bindings/node/dist/index.mjs', import.meta.url).href;
  execFileSync(process.execPath, ['--input-type=module', '-e', `import { open } from ${JSON.stringify(module)}; const db = open(process.argv[1], { busyTimeout: ${PATIENCE} }); ${code}; db.close();`, file], { stdio: 'inherit', timeout: PATIENCE });
}

const measured = (page, name) => page.evaluate((of) => performance.getEntriesByName(of).map(({ duration }) => duration), name);

/** "1,234 of 100,000 nodes": 1234. */
const shownNodes = async (page) => Number((await page.textContent('.graph-count')).split(' ', 1)[0].replaceAll(',', ''));

async function graphs(page) {
  await check('the overview counts what there is', async () => {
    await page.waitForSelector('table[aria-label="Queues"] a');
    const text = await page.textContent('main');
    for (const wanted of ['app.db', '100,', 'packages', 'mail', 'orders', 'traces']) ok(text.includes(wanted), wanted);
    await page.shot('overview-light');
  });
  await check('a graph of 100 000 nodes is painted', async () => {
    await page.at('#/graph/packages');
    const [paint] = await until(async () => ((await measured(page, 'brant:paint')).length > 0 ? measured(page, 'brant:paint') : undefined), 'the first picture');
    console.log(`        first paint of 100 000 nodes after ${Math.round(paint)} ms (to be within 2000)`);
    ok(paint < PAINT, `${paint} ms`);
    await page.shot('graph-first');
  });
  await check('searching it is quick, also while it is laid out', async () => {
    await page.click('[data-search]');
    for (const letter of 'libnet-5005') await page.keyboard.type(letter, { delay: 30 });
    await until(async () => (await measured(page, 'brant:search')).length > 0, 'a search');
    const times = (await measured(page, 'brant:search')).toSorted((a, b) => a - b);
    console.log(`        search: median ${times[times.length >> 1].toFixed(0)} ms, longest ${times.at(-1).toFixed(0)} ms of ${times.length} (to be within 200)`);
    ok(times[times.length >> 1] < SEARCH, String(times));
    await page.waitForSelector('[role=option] >> text=libnet-50051');
    await page.shot('graph-search');
    await page.keyboard.press('ArrowDown');
    await page.keyboard.press('ArrowUp');
    await page.keyboard.press('Enter');
    await page.waitForSelector('aside.details >> text=section');
  });
  await check('words find nodes, too', async () => {
    await page.fill('[data-search]', 'zanzibar');
    await page.waitForSelector('[role=option] >> text=54321');
    await page.keyboard.press('Escape');
  });
  await check('nodes are filtered by attribute in the library', async () => {
    await page.click('button:has-text("Filter")');
    await page.fill('[aria-label=Property]', 'size');
    await page.selectOption('[aria-label=Operator]', '$lt');
    await page.fill('[aria-label=Value]', '1000');
    await page.click('form.filter button[type=submit]');
    const wanted = withFile((db) => db.graph('packages').nodes.count({ filter: { 'attributes.size': { $lt: 1000 } } }));
    await until(async () => (await page.textContent('.graph-count')).startsWith(`${wanted.toLocaleString('en')} of`), `${wanted} nodes`);
    await page.shot('graph-filter');
    await page.click('form.filter button:has-text("Clear")');
    await until(async () => (await page.textContent('.graph-count')).startsWith('100,000 of'), 'all of them');
    await page.click('button:has-text("Filter")');
  });
  await check('types are hidden by the legend', async () => {
    await page.click('.legend label:has-text("Virtual")');
    await until(() => page.url().includes('hide=Virtual'), 'it is in the link');
    await page.click('.legend label:has-text("Virtual")');
    await until(() => !page.url().includes('hide='), 'it is not in the link any more');
  });
  await check('a walk shows neighbours step by step, and history goes back', async () => {
    await page.at('#/graph/packages?node=libnet-50051');
    await page.click('button:has-text("Walk from here")');
    await until(async () => (await shownNodes(page)) < 200, 'a few nodes');
    const before = await shownNodes(page);
    const first = await page.textContent('.details .neighbours button');
    await page.click('.details .neighbours button');
    await page.waitForFunction((key) => document.querySelector('.details h2')?.textContent === key, first);
    await page.click('button:has-text("Expand")');
    await until(async () => (await shownNodes(page)) > before, 'more nodes');
    await page.laidOut();
    await page.shot('graph-walk');
    await page.click('button:has-text("Collapse")');
    await until(async () => (await shownNodes(page)) <= before + 1, 'fewer nodes');
    const link = page.url();
    await page.goBack();
    ok(page.url() !== link, 'history');
    await page.goForward();
    equal(page.url(), link);
  });
  await check('a path between two nodes', async () => {
    await page.at('#/graph/traces?from=t3.1.2&to=t3.4.0');
    await page.waitForSelector('ol.path li');
    equal(await page.locator('ol.path li').count(), 5, 'up, across and down');
    await page.shot('graph-path');
  });
  await check('the graph as a table', async () => {
    await page.at('#/graph/packages?view=table');
    await page.waitForSelector('table[aria-label=Nodes] tbody tr:nth-child(100)');
    await page.fill('[aria-label="Keys that begin with"]', 'virtual-99995');
    await until(async () => (await page.locator('table[aria-label=Nodes] tbody tr').count()) < 3, 'those that begin so');
    await page.shot('graph-table');
  });
  await check('a filter suggests properties and values', async () => {
    await page.at('#/graph/traces');
    await page.click('button:has-text("Filter")');
    await page.waitForSelector('#properties option[value=status]', { state: 'attached' });
    await page.fill('[aria-label=Property]', 'status');
    await page.waitForSelector('datalist[id=values-0] option[value=completed]', { state: 'attached' });
  });
}

function withFile(run) {
  const db = open(file, { busyTimeout: PATIENCE });
  try {
    return run(db);
  } finally {
    db.close();
  }
}

/** What is too big to be drawn: as it says of itself, which a page of any other graph is told here. */
async function tooBig(page) {
  await check('a graph of more than 400 000 nodes is walked', async () => {
    const claim = async (route) => {
      const answer = await route.fetch();
      await route.fulfill({ response: answer, json: { ...(await answer.json()), nodes: 500_000 } });
    };
    // What the page does not wait for any more cannot be answered.
    await page.route('**/call/graphs.get', (route) => claim(route).catch(() => route.abort().catch(() => undefined)));
    await page.at('#/graphs');
    await page.waitForSelector('h1:has-text("Graphs")');
    let whole = 0;
    page.on('request', (request) => request.url().endsWith('/call/graphs.arrays') && whole++);
    await page.at('#/graph/traces');
    await page.waitForSelector('.graph-empty >> text=too big to be drawn');
    await page.click('[data-search]');
    await page.keyboard.type('t7.1');
    await page.waitForSelector('[role=option][aria-selected=true] >> text=/^t7\\.1$/');
    await page.keyboard.press('Enter');
    await until(async () => (await shownNodes(page)) >= 5, 'it and its neighbours');
    await page.waitForSelector('aside.details h2:has-text("t7.1")');
    const before = await shownNodes(page);
    await page.click('.details .neighbours button:has(bdi:text-is("t7"))');
    await page.click('button:has-text("Expand")');
    await until(async () => (await shownNodes(page)) > before, 'a step more');
    equal(whole, 0, 'it is not loaded as a whole');
    await page.unrouteAll({ behavior: 'wait' });
  });
}

async function traces(page) {
  await check('calls as traces, those with errors', async () => {
    await page.at('#/calls/traces');
    await page.waitForSelector('table tbody tr:nth-child(30)');
    await page.click('button:has-text("Only with errors")');
    await until(async () => (await page.locator('table tbody tr').count()) === 1, 'one trace failed');
    await page.click('table tbody tr a');
    await page.waitForSelector('[role=tree]');
  });
  await check('a trace is a tree and a timeline', async () => {
    equal(await page.locator('[role=treeitem]').count(), 25, 'calls');
    equal(await page.locator('[role=treeitem].failed').count(), 3, 'failed');
    await page.click('button:has-text("Next error")');
    await until(async () => (await page.textContent('aside.details')).includes('the index did not answer'), 'what went wrong');
    await page.shot('trace-light');
    await page.focus('[role=tree]');
    await page.keyboard.press('Home');
    await until(() => page.evaluate(() => document.querySelector('[role=treeitem]').classList.contains('chosen')), 'the first is chosen');
    await page.keyboard.press('ArrowLeft');
    await until(async () => (await page.locator('[role=treeitem]').count()) === 1, 'closed');
    await page.keyboard.press('ArrowRight');
    await until(async () => (await page.locator('[role=treeitem]').count()) === 25, 'open');
    await page.keyboard.press('+');
    await until(async () => !(await page.isDisabled('.trace button:has-text("All")')), 'zoomed');
    await page.keyboard.press('0');
    await until(() => page.isDisabled('.trace button:has-text("All")'), 'all of it');
  });
}

async function events(page) {
  await check('queues, failures and their text', async () => {
    await page.at('#/queue/mail?state=dead');
    await page.waitForSelector('table[aria-label=Jobs] tbody tr:nth-child(4)');
    await page.click('table[aria-label=Jobs] tbody tr:first-child button');
    await page.waitForSelector('.errors >> text=550 mailbox');
    await page.shot('queue-light');
  });
  await check('nothing is offered, or done, without write access', async () => {
    equal(await page.locator('button:has-text("Retry"), button:has-text("Delete"), button:has-text("Pause")').count(), 0);
    const status = await page.evaluate(async () => (await fetch('/call/jobs.requeue', { method: 'POST', headers: { 'X-Brant': '1' }, body: '{"id": 3}' })).status);
    equal(status, 404);
  });
  await check('streams, consumers and how far behind they are', async () => {
    await page.at('#/stream/orders');
    await page.waitForSelector('table[aria-label=Consumers] tbody tr:nth-child(3)');
    ok((await page.textContent('table[aria-label=Consumers] tbody tr:first-child')).includes('1,850'), 'the greatest lag first');
    await page.click('table[aria-label=Events] tbody tr:first-child button');
    await page.waitForSelector('pre[aria-label^="Payload of event"]');
    await page.shot('stream-light');
  });
  await check('a commit of another program is shown', async () => {
    elsewhere("db.stream('orders').publish({ id: 'from elsewhere' })");
    await page.waitForSelector('table[aria-label=Events] >> text=from elsewhere');
    await page.at('#/graph/hostile');
    await page.waitForSelector('.graph-count >> text=5 of 5');
    elsewhere("db.graph('hostile').nodes.put({ key: 'newcomer' })");
    await page.waitForSelector('.graph-count >> text=6 of 6');
  });
  await check('notifications are told live', async () => {
    await page.at('#/feed');
    await page.waitForSelector('h1:has-text("Notifications")');
    // Those from when it listens on.
    await until(async () => {
      elsewhere("db.notify('greeting', { text: 'hello' })");
      return page.waitForSelector('table[aria-label=Notifications] >> text=greeting', { timeout: 2000 }).catch(() => false);
    }, 'a notification');
    await page.shot('feed-light');
  });
  await check('schedules and their next runs, locks and who holds them', async () => {
    await page.at('#/schedules');
    await page.waitForSelector('table[aria-label=Schedules] >> text=0 7 * * MON');
    await page.waitForSelector('table[aria-label=Locks] >> text=worker-7');
    equal(await page.locator('table[aria-label=Locks] button').count(), 0, 'nothing to do with it');
  });
}

/** Who is above whom, of the nodes with the edges of one type between them. */
async function layers(page) {
  await check('a graph in layers: what an edge leads to is beneath, also in the link', async () => {
    await page.at('#/graph/traces');
    await page.click('button:has-text("Layers")');
    await until(() => page.url().includes('layout=layers'), 'it is in the link');
    await page.reload();
    await page.waitForSelector('button[aria-pressed=true]:has-text("Layers")');
    // From a call down to one that it triggered, and up again.
    await page.click('[data-search]');
    await page.keyboard.type('t7.1');
    await page.waitForSelector('[role=option] >> text=/^t7\\.1$/');
    await page.keyboard.press('Enter');
    const head = 'aside.details h2';
    await page.waitForSelector(`${head} :text-is("t7.1")`);
    await page.laidOut();
    await page.focus('.canvas');
    await page.keyboard.press('ArrowDown');
    await until(async () => /^t7\.1\.\d$|^t7\.0$/.test(await page.textContent(head)), 'down');
    await page.at('#/graph/traces?layout=layers&node=t7.1.1');
    await page.waitForSelector(`${head} :text-is("t7.1.1")`);
    await page.focus('.canvas');
    await page.keyboard.press('ArrowUp');
    await page.waitForSelector(`${head} :text-is("t7.1")`);
    await page.shot('graph-layers');
    const [saved] = await Promise.all([page.waitForEvent('download'), page.click('button:has-text("Picture")')]);
    const svg = readFileSync(await saved.path(), 'utf8');
    const marks = await page.evaluate((text) => {
      const { documentElement: root } = new DOMParser().parseFromString(text, 'image/svg+xml');
      return [root.nodeName, root.querySelectorAll('path[fill^="#"]').length >= 20, [...root.querySelectorAll('text')].some(({ textContent }) => textContent === 't7.1'), root.querySelectorAll('script, image, use').length];
    }, svg);
    equal(marks, ['svg', true, true, 0], 'the picture as SVG');
    await page.at('#/graph/traces?layout=layers');
    await page.focus('.canvas');
    await page.keyboard.press('t');
    await until(() => !page.url().includes('layout='), 'forces again');
    await page.at('#/graph/packages?layout=layers');
    await page.waitForSelector('button:has-text("Layers"):disabled');
    await page.waitForSelector('.canvas canvas');
  });
}

async function cancelled(page) {
  await check('what the page does not wait for any more ends in the server', async () => {
    // It would go on for hours: the server of these tests gives a call as long as that.
    const status = await page.evaluate(async () => {
      const control = new AbortController();
      const ask = (operation, body, signal) => fetch(`/call/${operation}`, { method: 'POST', headers: { 'X-Brant': '1' }, body: JSON.stringify(body), signal });
      const endless = ask('graphs.pagerank', { graph: 'traces', tolerance: 0, max_iterations: Number.MAX_SAFE_INTEGER }, control.signal).catch((error) => error.name);
      await new Promise((resolve) => setTimeout(resolve, 500));
      control.abort();
      return [await endless, (await ask('db.info', {})).status];
    });
    equal(status, ['AbortError', 200]);
  });
}

async function strange(page) {
  await check('hostile text is text', async () => {
    await page.at(`#/graph/hostile?node=${encodeURIComponent(HOSTILE)}`);
    await page.waitForSelector('aside.details .attributes');
    await page.waitForTimeout(300);
    equal(await page.evaluate(() => window.hacked), undefined);
    equal(await page.locator('aside.details img, aside.details script').count(), 0);
    const text = await page.textContent('aside.details');
    ok(text.includes('9007199254740993'), 'an integer beyond 2^53, exactly');
    ok(text.includes('<img src=x'), 'as it is written');
    ok(!/[\u202e\u0001]/.test(text), 'what turns or hides text is shown');
    await page.shot('hostile');
    await page.at(`#/queue/${encodeURIComponent(HOSTILE)}`);
    await page.waitForSelector('table[aria-label=Jobs]');
    await page.at('#/graph/hostile?node=__proto__');
    await page.waitForSelector('aside.details >> text=polluted');
    equal(await page.evaluate(() => ({}).polluted), undefined);
  });
  await check('what is empty or not there says so', async () => {
    await page.at('#/graph/empty');
    await page.waitForSelector('text=This graph has no nodes');
    await page.at('#/graph/nothing');
    await page.waitForSelector('[role=alert] >> text=NOT_FOUND');
    await page.at('#/nowhere');
    await page.waitForSelector('text=There is no such page');
  });
}

async function keyboard(page) {
  await check('all of it by keyboard', async () => {
    await page.at('#/overview');
    await page.waitForSelector('table[aria-label=Queues] a');
    await page.evaluate(() => document.activeElement.blur());
    await page.reload();
    await page.waitForSelector('table[aria-label=Graphs] a');
    await page.keyboard.press('Tab');
    equal(await page.evaluate(() => document.activeElement.className), 'skip');
    await page.keyboard.press('Enter');
    equal(await page.evaluate(() => document.activeElement.id), 'main');
    await page.keyboard.press('Tab');
    equal(await page.evaluate(() => document.activeElement.matches('[data-row]')), true, 'the first row');
    const first = await page.evaluate(() => document.activeElement.textContent);
    await page.keyboard.press('ArrowDown');
    ok((await page.evaluate(() => document.activeElement.textContent)) !== first, 'the next row');
    ok(await page.evaluate(() => getComputedStyle(document.activeElement).outlineStyle !== 'none'), 'focus is seen');
    await page.keyboard.press('?');
    await page.waitForSelector('dialog[open]');
    await page.keyboard.press('Escape');
    await page.waitForSelector('dialog', { state: 'detached' });
    // The second key is to follow soon, which a busy machine may not let it.
    const press = (key, title) =>
      until(async () => {
        await page.keyboard.press('g');
        await page.keyboard.press(key);
        return page.waitForSelector(`h1 :text-is("${title}")`, { timeout: 5000 }).catch(() => false);
      }, title);
    await press('s', 'Streams');
    await press('g', 'Graphs');
    await page.waitForSelector('table[aria-label=Graphs] [data-row]');
    await until(() => page.evaluate(() => document.activeElement.id === 'main'), 'a new page is read from its beginning');
    await page.keyboard.press('Tab');
    await page.keyboard.press('End');
    equal(await page.evaluate(() => document.activeElement.textContent), 'traces');
    await page.keyboard.press('Enter');
    await page.waitForSelector('.canvas canvas');
    await page.at('#/graph/traces');
    await page.laidOut();
    await page.keyboard.press('/');
    equal(await page.evaluate(() => document.activeElement.matches('[data-search]')), true, 'search');
    await page.keyboard.type('t7');
    await page.waitForSelector('[role=option][aria-selected=true] >> text=/^t7$/');
    await page.keyboard.press('Enter');
    await page.waitForSelector('aside.details h2:has-text("t7")');
    await page.focus('.canvas');
    await until(async () => {
      for (const key of ['ArrowRight', 'ArrowLeft', 'ArrowUp', 'ArrowDown']) {
        await page.keyboard.press(key);
        await page.waitForTimeout(150);
        if ((await page.textContent('aside.details h2')) !== 't7') return true;
      }
    }, 'an arrow walks to a neighbour');
    await page.keyboard.press('Enter');
    await until(() => page.url().includes('walk='), 'Enter expands');
    await page.focus('.canvas');
    await page.keyboard.press('Escape');
    await page.waitForSelector('aside.details', { state: 'detached' });
    ok((await page.textContent('[role=status].unseen')).length > 0, 'changes are announced');
  });
}

const PAGES = ['#/overview', '#/graphs', '#/graph/traces?layout=layers&node=t3', '#/graph/hostile?node=newcomer', '#/graph/traces?view=table', '#/calls/traces', '#/calls/traces?trace=t12', '#/queues', '#/queue/mail?state=dead&job=3', '#/streams', '#/stream/orders?event=2000', '#/feed', '#/schedules', '#/graph/empty'];

/** All that it waited for is there, and nothing moves. */
const still = (page) =>
  page.waitForFunction(
    () =>
      document.querySelector('.waiting') === null &&
      document.querySelector('h1') !== null &&
      (document.querySelector('.canvas')?.matches('[data-layout=done]') ?? true) &&
      document.getAnimations().every(({ playState }) => playState !== 'running'),
  );

async function themes(browser, server, page) {
  for (const theme of ['light', 'dark']) {
    await check(`accessible by axe-core on all pages, ${theme}`, async () => {
      await page.emulateMedia({ colorScheme: theme });
      await page.waitForFunction((wanted) => document.documentElement.dataset.theme === wanted, theme);
      for (const hash of PAGES) {
        await page.at(hash);
        await still(page);
        await accessible(page, `${hash}, ${theme}`);
        await page.shot(`${hash.replace(/^#\//, '').replace(/\W+/g, '-')}-${theme}`);
      }
    });
  }
  await check('the theme that was chosen is kept', async () => {
    await page.selectOption('.theme select', 'light');
    equal(await page.evaluate(() => document.documentElement.dataset.theme), 'light');
    await page.reload();
    await page.waitForSelector('nav.side');
    equal(await page.evaluate(() => document.documentElement.dataset.theme), 'light');
    await page.selectOption('.theme select', 'auto');
  });
  await check('small windows', async () => {
    await page.setViewportSize({ width: 390, height: 780 });
    for (const hash of PAGES) {
      await page.at(hash);
      await still(page);
      const wide = await page.evaluate(() => document.documentElement.scrollWidth - innerWidth);
      ok(wide <= 0, `${hash} is ${wide} px too wide`);
      await page.shot(`${hash.replace(/^#\//, '').replace(/\W+/g, '-')}-small`);
    }
    await page.setViewportSize({ width: 1440, height: 900 });
  });
}

async function writing(browser) {
  const server = await serve('--write');
  try {
    const page = await visit(browser, server);
    await check('with write access a dead job is retried, once confirmed', async () => {
      await page.at('#/queue/mail?state=dead&job=3');
      await page.click('button:has-text("Retry")');
      await page.waitForSelector('dialog[open]');
      await page.shot('confirm');
      await page.keyboard.press('Escape');
      equal(withFile((db) => db.jobs.get(3).state), 'dead', 'not without');
      await page.click('button:has-text("Retry")');
      await page.click('dialog button:has-text("Retry")');
      await until(() => withFile((db) => db.jobs.get(3).state) === 'ready', 'ready again');
      await page.waitForSelector('section:has(h2:has-text("Job 3")) .state:has-text("ready")');
    });
    await check('jobs are cancelled and deleted, queues paused and resumed', async () => {
      await page.click('button:has-text("Cancel job")');
      await page.click('dialog button.danger');
      await until(() => withFile((db) => db.jobs.get(3).state) === 'cancelled', 'cancelled');
      await page.click('.section button:has-text("Delete")');
      await page.click('dialog button.danger');
      await until(() => withFile((db) => db.call('jobs.list', { queue: 'mail', limit: 1000 }).items.every(({ id }) => id !== 3)), 'deleted');
      await until(() => !page.url().includes('job='), 'it is closed, too');
      await page.click('.page-head button:has-text("Pause")');
      await page.click('dialog button.primary');
      await until(() => withFile((db) => db.queue('mail').stats().state) === 'paused', 'paused');
      await page.click('.page-head button:has-text("Resume")');
      await page.click('dialog button.primary');
      await until(() => withFile((db) => db.queue('mail').stats().state) === 'active', 'active');
      await page.click('.page-head button:has-text("Requeue dead")');
      await page.click('dialog button.primary');
      await until(() => withFile((db) => db.queue('mail').stats().dead) === 0, 'none is dead');
    });
    await check('a lock is broken, once confirmed', async () => {
      await page.at('#/schedules');
      await page.click('table[aria-label=Locks] button:has-text("Break")');
      await page.click('dialog button.danger');
      await until(() => withFile((db) => db.call('locks.list', {}).items.length === 0), 'broken');
      await page.waitForSelector('text=No lock is held');
    });
    await check('the page says when the server is gone', async () => {
      page.expectsFaults = true;
      await server.stop();
      await page.waitForSelector('.live >> text=The server is gone');
    });
    await page.context().close();
  } finally {
    await server.stop();
  }
}

const executablePath = process.env['BRANT_CHROMIUM'] ?? ['/usr/bin/chromium', '/usr/bin/chromium-browser', '/usr/bin/google-chrome'].find(existsSync);
if (executablePath === undefined) {
  console.log('tests/viewer: no Chromium; packaging/system installs it\n0 passed, 1 failed');
  process.exit(1);
}
let browser;
let server;
try {
  make(file);
  browser = await chromium.launch({ executablePath, timeout: PATIENCE, args: ['--no-sandbox', '--use-angle=swiftshader', '--enable-unsafe-swiftshader', '--ignore-gpu-blocklist'] });
  console.log(`Chromium ${browser.version()}, playwright-core ${require('playwright-core/package.json').version}, axe-core ${require('axe-core/package.json').version}, server ${kind}`);
  server = await serve('--call-timeout', '36000000');
  const page = await visit(browser, server);
  await graphs(page);
  await tooBig(page);
  await traces(page);
  await layers(page);
  await cancelled(page);
  await events(page);
  await strange(page);
  await keyboard(page);
  await themes(browser, server, page);
  await page.context().close();
  await check('the link works once', async () => {
    const other = await browser.newPage();
    equal((await other.goto(server.url, { timeout: PATIENCE })).status(), 403);
    await other.close();
  });
  await writing(browser);
  await check('no fault in the console, no request to elsewhere', () => equal(faults, []));
} catch (error) {
  failed++;
  console.log(error);
} finally {
  await browser?.close();
  await server?.stop();
  if (!process.argv.includes('--keep')) rmSync(folder, { recursive: true, force: true });
  else console.log(file);
}
console.log(`${passed} passed, ${failed} failed`);
process.exit(failed === 0 ? 0 : 1);
