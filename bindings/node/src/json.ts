/*
 * Between JavaScript values and the JSON text that crosses the border. JSON.parse rounds integers beyond 2^53 and JSON.stringify
 * refuses bigint, so both have a slow path that is taken only where such a number occurs: integers travel in a string behind a
 * mark that no data can contain, since it is made of random bytes for this process.
 */
import { randomBytes } from 'node:crypto';
import { types } from 'node:util';
import { BrantError } from './error.js';

const MARK = `bigint:${randomBytes(16).toString('hex')}:`;
const MARKED = new RegExp(`"${MARK}(-?\\d+)"`, 'g');
/** Digits in a row from which on a number may be beyond 2^53. */
const LONG = 16;
const STRING_OR_INTEGER = /"[^"\\]*(?:\\.[^"\\]*)*"|(?<![\d.eE+-])-?\d{16,}(?![\d.eE])/g;

/** How integers beyond 2^53 are read; see {@link OpenOptions.integers}. */
export type Integers = 'exact' | 'number';

/** The library takes nothing that is deeper. */
const DEEPEST = 1000;

/** A text for the library is being made. */
let crossing = false;

/** Throw where a value would be stored as what it shows instead of what it is: called by `toJSON` of what does not show itself. */
export function refuseCrossing(message: string): void {
  if (crossing) throw new TypeError(message);
}

/**
 * JSON text of a value, as JSON.stringify makes it, but: a bigint becomes an integer, and what would become null without being it is refused.
 *
 * @param name - of a value whose own names may be secret: what is said in the place of its JSON pointers
 * @throws BrantError `INVALID`: NaN, an infinity or an invalid Date; the message begins with its JSON pointer.
 */
export function stringify(value: unknown, name?: string): string {
  const outer = crossing;
  crossing = true;
  try {
    const text = stringifyExactly(value);
    // Most texts have no null, and looking for one costs next to nothing.
    if (text?.includes('null')) refuseLoss(value, name);
    return text;
  } finally {
    crossing = outer;
  }
}

/** Throw where JSON.stringify has written null for something else. */
function refuseLoss(value: unknown, name: string | undefined): void {
  const path = lostIn(value, 0);
  if (path === undefined) return;
  const what = path.shift();
  const pointer = name ?? path.reverse().map((each) => `/${each.replaceAll('~', '~0').replaceAll('/', '~1')}`).join('');
  throw new BrantError('INVALID', `${pointer === '' ? '' : `${pointer}: `}${what} has no JSON form`, { pointer });
}

/** The first of what JSON has not: what it is, and the names that lead to it, from the inside out. */
function lostIn(value: unknown, depth: number): string[] | undefined {
  if (typeof value === 'number') return Number.isFinite(value) ? undefined : [String(value)];
  if (typeof value !== 'object' || value === null || depth > DEEPEST) return undefined;
  if (Array.isArray(value)) {
    for (let i = 0; i < value.length; i++) {
      const path = lostIn(value[i], depth + 1);
      if (path !== undefined) return path.push(String(i)), path;
    }
    return undefined;
  }
  if (typeof (value as { toJSON?: unknown }).toJSON === 'function') {
    if (types.isDate(value)) return Number.isNaN(value.getTime()) ? ['an invalid Date'] : undefined;
    return lostIn((value as { toJSON(name: string): unknown }).toJSON(''), depth + 1);
  }
  if (types.isNumberObject(value)) return lostIn(Number(value), depth);
  for (const name of Object.keys(value)) {
    const path = lostIn((value as Record<string, unknown>)[name], depth + 1);
    if (path !== undefined) return path.push(name), path;
  }
  return undefined;
}

const CIRCULAR = 'Converting circular structure to JSON';

function stringifyMarked(value: unknown): string {
  try {
    return JSON.stringify(value, (_, member: unknown) => (typeof member === 'bigint' ? MARK + member : member));
  } catch (error) {
    throw error instanceof TypeError && error.message.startsWith(CIRCULAR) ? new TypeError(CIRCULAR) : error;
  }
}

function stringifyExactly(value: unknown): string {
  try {
    return JSON.stringify(value);
  } catch (error) {
    if (!(error instanceof TypeError)) throw error;
    // Its own message goes on with names of members, which may be within a secret.
    if (error.message.startsWith(CIRCULAR)) throw new TypeError(CIRCULAR);
    // Either a bigint or something that is an error the second time too.
    const marked = stringifyMarked(value);
    return marked.replace(MARKED, '$1');
  }
}

function isDigit(text: string, at: number): boolean {
  const code = text.charCodeAt(at);
  return code >= 48 && code <= 57;
}

/** Are there so many digits in a row? Looks at each 16th place: ten times as fast as a regular expression, which took as long as JSON.parse. */
function hasLongNumber(text: string): boolean {
  for (let at = LONG - 1; at < text.length; at += LONG) {
    if (!isDigit(text, at)) continue;
    let from = at;
    while (from > 0 && isDigit(text, from - 1)) from--;
    let end = at + 1;
    while (isDigit(text, end)) end++;
    if (end - from >= LONG) return true;
  }
  return false;
}

/** JSON.parse, whose own error would show a part of the text. */
function read(text: string, reviver?: (name: string, member: unknown) => unknown): unknown {
  try {
    return JSON.parse(text, reviver);
  } catch (error) {
    if (error instanceof SyntaxError) throw new BrantError('INTERNAL', 'the answer cannot be read');
    throw error;
  }
}

/** The value of a JSON text that the library made. */
export function parse(text: string, integers: Integers): unknown {
  if (integers === 'number' || !hasLongNumber(text)) return read(text);
  let found = false;
  const marked = text.replace(STRING_OR_INTEGER, (token) => {
    if (token.startsWith('"') || Number.isSafeInteger(Number(token))) return token;
    found = true;
    return `"${MARK}${token}"`;
  });
  if (!found) return read(text);
  return read(marked, (_, member: unknown) =>
    typeof member === 'string' && member.startsWith(MARK) ? BigInt(member.slice(MARK.length)) : member,
  );
}

/** From this length on a list's columns are read one by one. */
const LATE = 1 << 14;

/**
 * The value of an answer whose members, in this order, are numbers, texts and lists of these. The lists of a long one are read when they
 * are first asked for: most callers want one of them.
 */
export function parseColumns(text: string, integers: Integers, columns: readonly string[]): unknown {
  if (text.length < LATE) return parse(text, integers);
  const starts: number[] = [];
  let from = 0;
  for (const column of columns) {
    // Inside a text the quotes would be escaped, so this is the member.
    const at = text.indexOf(`"${column}":`, from);
    if (at < 0) return parse(text, integers);
    from = at + column.length + 3;
    starts.push(from);
  }
  const answer = {};
  columns.forEach((column, i) => {
    const next = columns[i + 1];
    const start = starts[i] as number;
    const end = next === undefined ? text.length - 1 : (starts[i + 1] as number) - next.length - 4;
    const value = (): unknown => (column === 'keys' ? JSON.parse(text.slice(start, end)) : parse(text.slice(start, end), integers));
    if (end - start < 64) {
      Object.defineProperty(answer, column, { value: value(), configurable: true, enumerable: true, writable: true });
      return;
    }
    Object.defineProperty(answer, column, {
      configurable: true,
      enumerable: true,
      get() {
        const read = value();
        Object.defineProperty(answer, column, { value: read, configurable: true, enumerable: true, writable: true });
        return read;
      },
      set(given: unknown) {
        Object.defineProperty(answer, column, { value: given, configurable: true, enumerable: true, writable: true });
      },
    });
  });
  return answer;
}

const names = new Map<string, string>();

/** Options with their camelCase names turned into the snake_case of the data; values stay as they are. */
export function snakeCase(options: object | undefined): Record<string, unknown> {
  const result: Record<string, unknown> = {};
  for (const [key, value] of Object.entries(options ?? {})) {
    let name = names.get(key);
    if (name === undefined) {
      name = key.replace(/[A-Z]/g, (letter) => `_${letter.toLowerCase()}`);
      if (names.size < 1000) names.set(key, name);
    }
    result[name] = value;
  }
  return result;
}
