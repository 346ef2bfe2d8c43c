/* From what a method takes to the input of its operation. */
import { snakeCase } from './json.js';
import type { AsyncOptions, Page, PageOptions } from './types.js';

/** Items of all pages, one page at a time; each page is a snapshot of its own. */
export function* pages<T>(list: (cursor: string | null) => Page<T>): Generator<T, void, undefined> {
  let cursor: string | null = null;
  do {
    const page: Page<T> = list(cursor);
    yield* page.items;
    cursor = page.cursor;
  } while (cursor !== null);
}

/** The same for lists by name, id or offset, whose pages say after what the next one begins. */
export function* following<T, A>(list: (after: A | undefined) => { items: T[]; next?: A }): Generator<T, void, undefined> {
  let after: A | undefined;
  do {
    const page: { items: T[]; next?: A } = list(after);
    yield* page.items;
    after = page.next;
  } while (after !== undefined);
}

/** An iterable as an array. What is none goes to the library as it is, which says what is wrong with it. */
export function array<T>(items: Iterable<T>): readonly T[] {
  return typeof items === 'object' && items !== null && Symbol.iterator in items ? [...items] : (items as never);
}

function isObject(value: unknown): boolean {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

/** Items as the library takes them. What is no iterable, and what is no item, goes there as it is, too. */
export function items<T>(given: Iterable<T>, each: (item: T) => object): unknown {
  const all: unknown = array(given);
  return Array.isArray(all) ? all.map((item: T) => (isObject(item) ? each(item) : item)) : all;
}

/** For a page's input: a null cursor is the beginning. */
export function paged(options: PageOptions | undefined): Record<string, unknown> {
  const input = snakeCase(options);
  if (input['cursor'] === null) delete input['cursor'];
  return input;
}

/** The options of a call that runs on another thread: the operation's, and the call's. */
export function apart<T extends AsyncOptions>(options: T | undefined): [Omit<T, 'signal' | 'timeout'>, AsyncOptions] {
  const { signal, timeout, ...rest } = options ?? ({} as T);
  return [rest, { signal, timeout }];
}

/** Which items: their keys, or a filter; what is neither goes to the library as it is. */
export function selection(of: Iterable<string> | { filter?: unknown }): Record<string, unknown> {
  if (typeof of === 'object' && of !== null && !(Symbol.iterator in of)) return of as Record<string, unknown>;
  return { keys: array(of as Iterable<string>) };
}

/** Items of a page when iterating. */
export const PAGE = 1000;
