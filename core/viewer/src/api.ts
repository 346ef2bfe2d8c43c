/* How the page reaches its server: calls of operations, and what the server says of itself. Nothing else leaves the page. */

export interface Info {
  file: string;
  version: string;
  /** May this page change things? */
  write: boolean;
  /** The server says when something was committed. */
  commits?: boolean;
}

/** An operation's refusal, or the server's. `name` is the status: NOT_FOUND, BUSY, ..; OFFLINE when nobody answered. */
export class Failure extends Error {
  constructor(
    readonly status: number,
    override readonly name: string,
    message: string,
  ) {
    super(message);
  }
}

/** JSON in which integers beyond 2^53 are bigints, where the browser tells how they were written. */
function exactly(text: string): unknown {
  if (!/[:[,]\s*-?\d{16}/.test(text)) return JSON.parse(text);
  const reviver = (_: string, item: unknown, context?: { source?: string }): unknown =>
    typeof item === 'number' && !Number.isSafeInteger(item) && context?.source !== undefined && /^-?\d+$/.test(context.source) ? BigInt(context.source) : item;
  return JSON.parse(text, reviver as (key: string, item: unknown) => unknown);
}

async function answer(response: Response, small: boolean): Promise<unknown> {
  if (response.ok) return small ? response.json() : exactly(await response.text());
  let name = response.status === 403 ? 'DENIED' : 'INTERNAL';
  let message = `the server answered ${response.status}`;
  try {
    const { error } = (await response.json()) as { error: { name?: string; code?: unknown; message?: string } };
    name = error.name ?? (typeof error.code === 'string' ? error.code : name);
    message = error.message ?? message;
  } catch {
    // Not ours, so there is no more to say.
  }
  throw new Failure(response.status, name, message);
}

/** @param small - no integer of the answer is beyond 2^53, so megabytes need not be looked through for one */
async function ask(path: string, init: RequestInit, small = false): Promise<unknown> {
  let response: Response;
  try {
    response = await fetch(path, init);
  } catch (error) {
    if (init.signal?.aborted) throw error;
    throw new Failure(0, 'OFFLINE', 'the server does not answer');
  }
  return answer(response, small);
}

export async function call<T>(operation: string, input: object = {}, signal?: AbortSignal, small = false): Promise<T> {
  const headers = { 'Content-Type': 'application/json', 'X-Brant': '1' };
  const init: RequestInit = { method: 'POST', headers, body: JSON.stringify(input), signal: signal ?? null };
  return (await ask(`/call/${operation}`, init, small)) as T;
}

export async function info(): Promise<Info> {
  return (await ask('/info', {})) as Info;
}

/** All items of a list that is cut into pages, at most `most`. */
export async function all<T>(operation: string, input: object, most = 10_000, signal?: AbortSignal): Promise<T[]> {
  const items: T[] = [];
  let more: object = {};
  for (;;) {
    const page = await call<{ items: T[]; cursor?: string | null; next?: string | number }>(operation, { ...input, ...more }, signal);
    items.push(...page.items);
    const next = page.cursor ?? page.next;
    if (next === undefined || next === null || items.length >= most) return items;
    more = page.cursor !== undefined ? { cursor: next } : { after: next };
  }
}

export function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
