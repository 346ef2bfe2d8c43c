// What the tests of brant mcp share: checks, clients of the SDK, a server spoken to by lines.
import { spawn } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { isDeepStrictEqual } from 'node:util';
import { Client } from '@modelcontextprotocol/sdk/client/index.js';
import { StdioClientTransport } from '@modelcontextprotocol/sdk/client/stdio.js';

export const command = process.env.BRANT_MCP_COMMAND;
export const folder = mkdtempSync(join(tmpdir(), 'brant-mcp-'));
export const PATIENCE = 600_000; // ms: for what takes moments, on a machine that others keep busy
let passed = 0;
let failed = 0;

export function check(what, fine, seen) {
  if (fine) {
    passed++;
    return;
  }
  failed++;
  console.log(`FAILED: ${what}${seen === undefined ? '' : `: ${JSON.stringify(seen)?.slice(0, 600)}`}`);
}
export const equal = (what, seen, wanted) => check(what, isDeepStrictEqual(seen, wanted), { seen, wanted });
export function finish() {
  rmSync(folder, { recursive: true, force: true, maxRetries: 50, retryDelay: 20 });
  console.log(`${passed} passed, ${failed} failed.`);
  process.exit(failed ? 1 : 0);
}

// A client of the SDK; what the server tells goes to told[method].
export async function connect(args, { env = {}, run = command, words = ['mcp', ...args] } = {}) {
  const client = new Client({ name: 'brant-test', version: '1.0' });
  const request = client.request.bind(client);
  client.request = (message, schema, options) => request(message, schema, { timeout: PATIENCE, ...options });
  client.told = [];
  client.fallbackNotificationHandler = async (notification) => void client.told.push(notification);
  await client.connect(new StdioClientTransport({ command: run, args: words, env: { ...process.env, ...env }, stderr: run === command ? 'inherit' : 'ignore' }));
  client.call = (name, args = {}, options) => client.callTool({ name, arguments: args }, undefined, options);
  return client;
}

// A call that is to succeed: its structured content.
export async function ask(client, name, args) {
  const answer = await client.call(name, args);
  if (answer.isError) throw new Error(answer.content[0].text);
  return answer.structuredContent;
}

export const sleep = (ms) => new Promise((done) => setTimeout(done, ms));
export async function until(what, test) {
  for (const end = Date.now() + PATIENCE; Date.now() < end; await sleep(20)) if (await test()) return check(what, true);
  check(what, false);
}

// Calls and is told of progress; the call is cancelled when it was told often enough: by then its answer is far off.
export async function watchProgress(call, often) {
  const progress = [], stop = new AbortController();
  await call({ signal: stop.signal, timeout: PATIENCE, onprogress: (one) => progress.push(one.progress) === often && stop.abort('enough') }).catch(() => {});
  check('progress, more each time', progress.length >= often && progress.every((value, i) => !i || value > progress[i - 1]), progress);
}

// A server spoken to by bytes: the answers to what is written, when it has ended.
export function speak(args, bytes) {
  return new Promise((done) => {
    const server = spawn(command, ['mcp', ...args], { stdio: ['pipe', 'pipe', 'inherit'] });
    const parts = [];
    server.stdout.on('data', (part) => parts.push(part));
    server.stdin.on('error', () => {});
    server.on('close', (code, signal) => {
      const lines = Buffer.concat(parts).toString().split('\n').filter(Boolean);
      done({ code, signal, lines, messages: lines.map((line) => JSON.parse(line)) });
    });
    for (const part of Array.isArray(bytes) ? bytes : [bytes]) server.stdin.write(part);
    server.stdin.end();
  });
}
