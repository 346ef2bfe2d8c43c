/*
 * The viewer: a web page over one file, served on loopback. Whoever has the link, which works once, gets a cookie; everything else is refused. What the page asks for runs through a
 * session that may only read, unless asked otherwise, and on another thread: this one answers in microseconds.
 *
 * The page is core/viewer's, in the folder `viewer` beside this file; `brant view` serves the same one by the same rules.
 */
import { createHash, randomBytes, timingSafeEqual } from 'node:crypto';
import { readFileSync, readdirSync } from 'node:fs';
import { type IncomingMessage, type Server, type ServerResponse, createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { basename, extname, join } from 'node:path';
import { type Database, operations, version } from './database.js';
import { BrantError } from './error.js';
import { stringify } from './json.js';
import type { Listener } from './listener.js';

export interface ViewOptions {
  /** On 127.0.0.1; default 0: any that is free. */
  port?: number | undefined;
  /** May the page change things: retry, cancel, delete jobs, pause queues? Default false. */
  write?: boolean | undefined;
  /** Milliseconds after which what the page asks for ends, the wait for its turn included. Default 30 000. */
  callTimeout?: number | undefined;
}

/** A viewer that is being served. */
export interface Viewer {
  /** The link, which works once. Whoever opens it has the rights of the page: hand it to nobody else. */
  readonly url: string;
  /** A new link, for another browser; the one before it does not work any more. */
  link(): string;
  /** End the server and all its connections; the database stays open. Any number of times. */
  close(): Promise<void>;
  [Symbol.asyncDispose](): Promise<void>;
}

const BODY = 16 << 20; // bytes
const CALL_TIMEOUT = 30_000; // milliseconds
const BEAT = 15_000; // between signs of life to those who follow events
const LOOK = 500; // between looks for commits, while somebody follows
const FOLLOWERS = 64;

const SECURITY = {
  'Content-Security-Policy':
    "default-src 'none'; script-src 'self'; style-src 'self' 'unsafe-inline'; img-src 'self' data: blob:; connect-src 'self'; worker-src 'self' blob:; " +
    "frame-ancestors 'none'; base-uri 'none'; form-action 'none'",
  'X-Content-Type-Options': 'nosniff',
  'Referrer-Policy': 'no-referrer',
  'Cache-Control': 'no-store',
};

const TYPES: Record<string, string> = {
  '.html': 'text/html; charset=utf-8',
  '.js': 'text/javascript; charset=utf-8',
  '.css': 'text/css; charset=utf-8',
  '.txt': 'text/plain; charset=utf-8',
  '.svg': 'image/svg+xml',
};

/** Of each status its number, as in C; the names are in that order. */
const NUMBERS = new Map(
  (
    'OK INVALID INVALID_JSON VALIDATION NOT_FOUND EXISTS CONFLICT CONSTRAINT BUSY TIMEOUT INTERRUPTED CLOSED MISUSE READ_ONLY DENIED LIMIT NOT_BRANT NEWER_FORMAT ' +
    'FOREIGN_SQLITE NETWORK_FS CORRUPT FULL IO NO_MEMORY SQL STALE AUTH UNSUPPORTED FORKED INTERNAL'
  )
    .split(' ')
    .map((name, number) => [name, number]),
);

const STATUS: Partial<Record<string, number>> = {
  INVALID: 400,
  INVALID_JSON: 400,
  VALIDATION: 400,
  MISUSE: 400,
  DENIED: 403,
  READ_ONLY: 403,
  NOT_FOUND: 404,
  EXISTS: 409,
  CONFLICT: 409,
  CONSTRAINT: 409,
  STALE: 409,
  LIMIT: 413,
  BUSY: 503,
  TIMEOUT: 503,
  CLOSED: 503,
};

/** A fault of the request, which is the answer. */
class Refusal extends Error {
  constructor(
    readonly status: number,
    readonly code: string,
    message: string,
  ) {
    super(message);
  }
}

/** In a time that does not tell where they differ. */
function same(given: string, secret: string): boolean {
  const digest = (text: string): Buffer => createHash('sha256').update(text).digest();
  return timingSafeEqual(digest(given), digest(secret));
}

function secret(): string {
  return randomBytes(32).toString('base64url');
}

/** All of that name: what other programs of this machine set for another path comes first. */
function cookiesOf(header: string | undefined, name: string): string[] {
  const parts = (header ?? '').split(';').map((part) => part.split('=', 2).map((text) => text.trim()));
  return parts.filter(([key]) => key === name).map(([, value = '']) => value);
}

function page(title: string, text: string): string {
  return (
    '<!doctype html><html lang="en"><meta charset="utf-8"><meta name="viewport" content="width=device-width"><meta name="color-scheme" content="light dark">' +
    `<title>${title}</title><body style="font:16px/1.5 system-ui,sans-serif;max-width:36em;margin:15vh auto;padding:0 1.5em"><h1 style="font-size:1.4em">${title}</h1>${text}</body></html>\n`
  );
}

const LOCKED = page(
  'This link does not open the viewer',
  '<p>A link to the viewer works once, in one browser. If you just opened it, <a href="/">reload this page</a>.</p>' +
    '<p>For a new link, end the program that serves the viewer and run it again: <code>brant view FILE</code>, or <code>view(db)</code> in Node.js, whose <code>link()</code> makes another one.</p>',
);

/**
 * What the page may call: no paths of this machine, no SQL, no transaction; if it reads only, nothing that writes: consumers' places are moved by who may read.
 */
function offered(write: boolean): Set<string> {
  const names = operations().filter(
    (spec) =>
      (spec.type === 'query' || (write && spec.type === 'mutation')) && spec.namespace !== 'transaction' && spec.namespace !== 'sql' && !('files' in spec),
  );
  return new Set(names.map(({ name }) => name));
}

/** Operations of graph types' own, `types.<graph type>.<Type>.<verb>`, are of no list; they are judged as all others are. */
function isOffered(names: Set<string>, name: string): boolean {
  return names.has(name) || name.startsWith('types.');
}

/** The files of the page, in memory: names from a request never reach the disk. */
function bundle(): Map<string, { type: string; data: Buffer }> {
  const folder = join(__dirname, 'viewer');
  let names: string[];
  try {
    names = readdirSync(folder);
  } catch {
    throw new BrantError('NOT_FOUND', 'the page of the viewer is not in this build: run core/viewer/build, then bindings/node/build');
  }
  const served = names.filter((name) => TYPES[extname(name)] !== undefined);
  return new Map(served.map((name) => [name, { type: TYPES[extname(name)] as string, data: readFileSync(join(folder, name)) }]));
}

async function bodyOf(request: IncomingMessage): Promise<Uint8Array | undefined> {
  const tooLong = new Refusal(413, 'LIMIT', `the body has more than ${BODY} bytes`);
  if (Number(request.headers['content-length'] ?? 0) > BODY) throw tooLong;
  const chunks: Buffer[] = [];
  let size = 0;
  for await (const chunk of request as AsyncIterable<Buffer>) {
    size += chunk.length;
    if (size > BODY) throw tooLong;
    chunks.push(chunk);
  }
  return size === 0 ? undefined : Buffer.concat(chunks);
}

class View implements Viewer {
  readonly #db: Database;
  readonly #session: Database;
  readonly #write: boolean;
  readonly #callTimeout: number;
  readonly #files = bundle();
  readonly #names: Set<string>;
  readonly #server: Server;
  /** Of the link; empty: spent. */
  #token = '';
  readonly #cookie = secret();
  readonly #calls = new Set<AbortController>();
  readonly #followers = new Set<ServerResponse>();
  #look: NodeJS.Timeout | undefined;
  #seen = '';
  #port = 0;
  #closing: Promise<void> | undefined;
  url = '';

  constructor(db: Database, write: boolean, callTimeout: number) {
    this.#db = db;
    this.#write = write;
    this.#callTimeout = callTimeout;
    this.#names = offered(write);
    const scopes = write ? ['*:read', '*:write', '*:use', '*:admin'] : ['*:read'];
    this.#session = db.session({ id: 'viewer', actor_type: 'service', scopes });
    this.#server = createServer((request, response) => void this.#serve(request, response));
    this.#server.on('clientError', (error, socket) => {
      // A browser opens connections before it needs them: what is said on one that waited too long would be the answer to what it asks there next.
      if (socket.writable && (error as NodeJS.ErrnoException).code !== 'ERR_HTTP_REQUEST_TIMEOUT') socket.end('HTTP/1.1 400 Bad Request\r\nConnection: close\r\nContent-Length: 0\r\n\r\n');
      else socket.destroy();
    });
    // Of a server for one person: nobody holds a connection by writing slowly.
    this.#server.requestTimeout = 30_000;
    this.#server.headersTimeout = 10_000;
  }

  async listen(port: number): Promise<void> {
    try {
      await new Promise<void>((resolve, reject) => {
        this.#server.once('error', reject);
        this.#server.listen({ port, host: '127.0.0.1', exclusive: true }, resolve);
      });
    } catch (error) {
      this.#session.close();
      throw error;
    }
    this.#port = (this.#server.address() as AddressInfo).port;
    this.url = this.link();
  }

  link(): string {
    this.#token = secret();
    return `http://127.0.0.1:${this.#port}/?token=${this.#token}`;
  }

  close(): Promise<void> {
    this.#closing ??= this.#end();
    return this.#closing;
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close();
  }

  async #end(): Promise<void> {
    clearInterval(this.#look);
    for (const call of this.#calls) call.abort(new BrantError('CLOSED', 'the viewer is closed'));
    for (const follower of this.#followers) follower.end();
    const closed = new Promise<void>((resolve) => this.#server.close(() => resolve()));
    // What was just said to them is sent first.
    setImmediate(() => this.#server.closeAllConnections());
    await closed;
    this.#session.close();
  }

  async #serve(request: IncomingMessage, response: ServerResponse): Promise<void> {
    request.on('error', () => undefined); // they went away
    response.on('error', () => undefined);
    for (const [name, value] of Object.entries(SECURITY)) response.setHeader(name, value);
    try {
      await this.#answer(request, response);
    } catch (error) {
      this.#fail(request, response, error);
    }
  }

  #fail(request: IncomingMessage, response: ServerResponse, error: unknown): void {
    if (response.destroyed || response.headersSent) return void response.destroy();
    if (!request.complete) response.setHeader('Connection', 'close');
    if (error instanceof Refusal && error.status === 403 && request.method === 'GET' && (request.url ?? '').split('?')[0] === '/') {
      return this.#send(response, 403, TYPES['.html'] as string, LOCKED);
    }
    let status = 500;
    let code = 'INTERNAL';
    let message = 'the server failed';
    let detail: object = {};
    if (error instanceof Refusal) ({ status, code, message } = error);
    else if (error instanceof BrantError) {
      ({ code, message, detail } = error);
      status = STATUS[code] ?? 500;
    }
    const more = Object.keys(detail).length > 0 ? { detail } : {};
    this.#json(response, status, JSON.stringify({ error: { code: NUMBERS.get(code) ?? NUMBERS.get('INTERNAL'), name: code, message, ...more } }));
  }

  #send(response: ServerResponse, status: number, type: string, data: string | Buffer): void {
    response.writeHead(status, { 'Content-Type': type, 'Content-Length': Buffer.byteLength(data) });
    response.end(data);
  }

  #json(response: ServerResponse, status: number, text: string): void {
    this.#send(response, status, 'application/json', text);
  }

  async #answer(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const { method = '', headers } = request;
    // A name that resolves to this machine is somebody else's page.
    const host = headers.host ?? '';
    const ours = [`127.0.0.1:${this.#port}`, `localhost:${this.#port}`];
    if (!ours.includes(host)) throw new Refusal(403, 'DENIED', 'the request is for another host');
    // As it is written: nothing here has a name that needs escapes or dots.
    const [path = '', query = ''] = (request.url ?? '/').split(/\?(.*)/s, 2);
    const parameters = new URLSearchParams(query);
    if (method === 'GET' && path === '/' && parameters.has('token')) return this.#enter(parameters.get('token') ?? '', response);
    if (!cookiesOf(headers.cookie, `brant_view_${this.#port}`).some((cookie) => same(cookie, this.#cookie))) throw new Refusal(403, 'DENIED', 'open the link that the viewer printed');
    const calls = path.startsWith('/call/');
    if (method !== (calls ? 'POST' : 'GET')) {
      response.setHeader('Allow', calls ? 'POST' : 'GET');
      throw new Refusal(405, 'INVALID', 'only GET and POST /call/ are served');
    }
    if (calls) {
      const { origin } = headers;
      if (origin !== undefined && origin !== `http://${host}`) throw new Refusal(403, 'DENIED', 'the request is of another origin');
      if (headers['x-brant'] !== '1') throw new Refusal(403, 'DENIED', 'the header X-Brant: 1 is missing');
      return this.#call(request, response, path);
    }
    if (path === '/info') return this.#json(response, 200, JSON.stringify(this.#info()));
    if (path === '/events') return this.#follow(response, parameters.getAll('channels'));
    const file = path.startsWith('/') ? this.#files.get(path === '/' ? 'index.html' : path.slice(1)) : undefined;
    if (file === undefined) throw new Refusal(404, 'NOT_FOUND', 'there is no such page');
    this.#send(response, 200, file.type, file.data);
  }

  /** The token for the cookie, once. */
  #enter(given: string, response: ServerResponse): void {
    if (this.#token === '' || !same(given, this.#token)) throw new Refusal(403, 'DENIED', 'the link was used, or is of another server');
    this.#token = '';
    response.setHeader('Set-Cookie', `brant_view_${this.#port}=${this.#cookie}; HttpOnly; SameSite=Strict; Path=/`);
    response.writeHead(303, { Location: '/', 'Content-Length': 0 });
    response.end();
  }

  #info(): object {
    return { file: basename(this.#session.call('db.info').path), version, write: this.#write, commits: true };
  }

  async #call(request: IncomingMessage, response: ServerResponse, path: string): Promise<void> {
    const [, name = ''] = /^\/call\/([\w.:-]+)$/.exec(path) ?? [];
    if (!isOffered(this.#names, name)) throw new Refusal(404, 'NOT_FOUND', `there is no operation "${name}" here`);
    const body = await bodyOf(request);
    const call = new AbortController();
    this.#calls.add(call);
    response.once('close', () => call.abort(new BrantError('INTERRUPTED', 'the client went away')));
    try {
      this.#json(response, 200, await this.#session.callTextAsync(name, body, { signal: call.signal, timeout: this.#callTimeout }));
    } finally {
      this.#calls.delete(call);
    }
  }

  /** Notifications on the channels, and a word for each commit, until either side ends it. */
  async #follow(response: ServerResponse, channels: string[]): Promise<void> {
    if (this.#followers.size >= FOLLOWERS) throw new Refusal(429, 'BUSY', `${FOLLOWERS} follow the events already`);
    const listener: Listener<unknown> | undefined = channels.length > 0 ? this.#session.listen(channels) : undefined;
    response.writeHead(200, { 'Content-Type': 'text/event-stream', 'X-Accel-Buffering': 'no' });
    response.write('retry: 1000\n\n');
    const beat = setInterval(() => response.write(': beat\n\n'), BEAT);
    this.#followers.add(response);
    if (this.#look === undefined) {
      // What is committed from now on is told: the page reads after it has begun to follow.
      this.#lookForCommits();
      this.#look = setInterval(() => this.#lookForCommits(), LOOK);
    }
    response.once('close', () => {
      clearInterval(beat);
      listener?.close();
      this.#followers.delete(response);
      if (this.#followers.size > 0) return;
      clearInterval(this.#look);
      this.#look = undefined;
    });
    if (listener === undefined) return;
    try {
      for await (const item of listener) {
        if (response.write(`data: ${stringify(item)}\n\n`)) continue;
        // A reader who does not read is told of a gap by the library, once it does.
        await new Promise<void>((resolve) => response.once('drain', resolve).once('close', resolve));
      }
    } catch {
      // The file went away, or the database was closed: the page comes back and is told so.
    }
    response.end();
  }

  /** Of other handles by SQLite's counter of their commits, of this one by its own. */
  #lookForCommits(): void {
    let now: string;
    try {
      const [[commits]] = this.#db.execute('PRAGMA data_version').rows as [[unknown]];
      const [[changes]] = this.#db.execute('SELECT total_changes()').rows as [[unknown]];
      now = `${commits} ${changes}`;
    } catch {
      return; // another thread is inside, or the database is closed
    }
    if (this.#seen !== '' && this.#seen !== now) for (const follower of this.#followers) follower.write('event: commit\ndata: {}\n\n');
    this.#seen = now;
  }
}

/**
 * Serve the viewer, a web page over this file, on 127.0.0.1: graphs drawn, calls as a tree and a timeline, queues, streams, schedules, live. Open `url` in a browser.
 *
 * ```js
 * const viewer = await view(db);
 * console.log(viewer.url);
 * await viewer.close();
 * ```
 *
 * It reads only, unless `write` is true, and keeps the process alive until it is closed. Close it before the database.
 *
 * @throws BrantError `CLOSED`: the database is; an error of Node.js: the port is taken.
 */
export async function view(db: Database, options: ViewOptions = {}): Promise<Viewer> {
  const viewer = new View(db, options.write ?? false, options.callTimeout ?? CALL_TIMEOUT);
  await viewer.listen(options.port ?? 0);
  return viewer;
}
