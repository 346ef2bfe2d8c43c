/*
 * Statements of the user's own SQL: their parameters and rows cross the border as values, not as JSON (native/sql.cc).
 */
import { BrantError } from './error.js';
import { type Integers, stringify } from './json.js';
import type { SqlOptions, SqlParameters, SqlResult } from './types.js';

/** Flags of `sql_run`: BRANT_SQL_* of the library and the addon's own. */
const DESCRIBE = 1;
const CLOSE = 4;
const NAMED = 1 << 30;
const ROUNDED = 2 ** 31;

/** What `sql_run` takes besides a handle. */
export interface Statement {
  sql: string;
  /** By position, or each behind its name. */
  values: readonly unknown[] | undefined;
  flags: number;
  /** 0: none. */
  limit: number;
}

/** A statement as `sql_run` takes it. What it refuses later it refuses in its own words. */
export function statement(sql: string, params: SqlParameters | undefined, options: SqlOptions | undefined, integers: Integers): Statement {
  const limit = options?.limit;
  let flags = integers === 'number' ? ROUNDED : 0;
  if (options?.describe === true) flags += DESCRIBE;
  if (limit !== undefined) {
    if (!(Number.isInteger(limit) && limit >= 1)) throw new BrantError('INVALID', 'the limit must be a number of rows, at least 1');
    flags += CLOSE;
  }
  let values: readonly unknown[] | undefined;
  if (Array.isArray(params)) {
    values = params;
  } else if (params !== undefined) {
    if (typeof params !== 'object' || params === null) throw new BrantError('INVALID', 'the parameters are neither an array nor an object with their names');
    values = Object.entries(params).flatMap(([name, value]) => (value === undefined ? [] : [name, value]));
    flags += NAMED;
  }
  if (values !== undefined) refuseObjects(values);
  return { sql, values, flags, limit: Math.min(limit ?? 0, 2 ** 32 - 1) };
}

/** The same, which does not change with what the caller gave. */
export function copied(of: Statement): Statement {
  return { ...of, values: of.values?.map((value) => (value instanceof Uint8Array ? Uint8Array.from(value) : value)) };
}

/** What is neither a value of SQL nor to be told refuses by itself, and says why. */
function refuseObjects(values: readonly unknown[]): void {
  for (let i = 0; i < values.length; i++) {
    const value = values[i];
    if (typeof value === 'object' && value !== null && !ArrayBuffer.isView(value)) stringify(value);
  }
}

/** Put an answer together, of which the addon hands over a part each time; see SqlAnswer in native/brant_node.h. */
export function collect(answer: SqlResult<unknown[]> | undefined, ...parts: unknown[]): SqlResult<unknown[]> {
  let from = 0;
  let result = answer;
  if (result === undefined) {
    const [width, types, changes, rowid] = parts as [number, SqlResult['types'], number, number | bigint];
    from = 4 + width;
    const columns = parts.slice(4, from) as string[];
    result = types === undefined ? { columns, rows: [], changes, last_insert_rowid: rowid } : { columns, rows: [], types, changes, last_insert_rowid: rowid };
  }
  const width = result.columns.length;
  const { rows } = result;
  for (; from < parts.length; from += width) rows.push(parts.slice(from, from + width));
  return result;
}
