/*
 * Rows as Drizzle's queries answer them. What is selected is looked at once for a query, not once for a row: where each column goes and what decodes it. The rules are those of
 * Drizzle's `mapResultRow`, but for names of `Object.prototype` ("constructor", "__proto__"), which are members like others here.
 */
import type { SqlValue } from 'brant';
import { Column, SQL, Subquery, getTableName, is } from 'drizzle-orm';
import type { SelectedFieldsOrdered } from 'drizzle-orm/sqlite-core';

export type Row = SqlValue[];
type Members = Record<string, unknown>;
interface Decoder {
  mapFromDriverValue(value: unknown): unknown;
}

/** Where a column's value goes. */
interface Place {
  name: string;
  /** The object that it is a member of: 0 is the row, the others are numbered as they occur. */
  within: number;
  /** Objects that begin with this column: each a member of an earlier one. */
  begins: { name: string; within: number }[];
  /** undefined: the value as it is. */
  decoder: Decoder | undefined;
  /** Of a joined table's column that tells whether there is a row of it. */
  joined: { object: string; table: string } | undefined;
}

/** An object of the row that is null where nothing was joined: when its first column is, and all are of one table, which may be missing. */
interface Joined {
  object: string;
  table: string;
  first: number;
}

/** What answers the rows of a query. */
export class RowMapper {
  readonly #places: Place[] = [];
  readonly #joined: Joined[] = [];
  /** Every column is a member of the row itself. */
  readonly #isFlat: boolean;

  /** @param joinsNotNullable - by table: there is always a row of it; undefined: it is no select */
  constructor(fields: SelectedFieldsOrdered, joinsNotNullable: Readonly<Record<string, boolean>> | undefined) {
    const objects = new Map<string, number>();
    for (const { path, field } of fields) this.#places.push(place(path, field, objects));
    this.#isFlat = objects.size === 0;
    if (joinsNotNullable === undefined) return;
    const joined = new Map<string, Joined | undefined>();
    this.#places.forEach(({ joined: of }, first) => {
      if (of === undefined) return;
      if (!joined.has(of.object)) joined.set(of.object, { ...of, first });
      else if (joined.get(of.object)?.table !== of.table) joined.set(of.object, undefined);
    });
    for (const of of joined.values()) {
      if (of !== undefined && !(Object.hasOwn(joinsNotNullable, of.table) && joinsNotNullable[of.table])) this.#joined.push(of);
    }
  }

  map(row: Row): Members {
    return this.#isFlat ? this.#flat(row) : this.#nested(row);
  }

  #flat(row: Row): Members {
    const result: Members = {};
    const places = this.#places;
    for (let i = 0; i < places.length; i++) {
      const { name, decoder } = places[i] as Place;
      set(result, name, decode(decoder, row[i]));
    }
    return result;
  }

  #nested(row: Row): Members {
    const result: Members = {};
    const objects = [result];
    const places = this.#places;
    const values: unknown[] = [];
    for (let i = 0; i < places.length; i++) {
      const { name, within, begins, decoder } = places[i] as Place;
      for (const begin of begins) {
        const object: Members = {};
        set(objects[begin.within] as Members, begin.name, object);
        objects.push(object);
      }
      const value = decode(decoder, row[i]);
      values.push(value);
      set(objects[within] as Members, name, value);
    }
    for (const { object, first } of this.#joined) if (values[first] === null) set(result, object, null);
    return result;
  }
}

function place(path: readonly string[], field: SelectedFieldsOrdered[number]['field'], objects: Map<string, number>): Place {
  const begins: Place['begins'] = [];
  let within = 0;
  let known = '';
  for (const name of path.slice(0, -1)) {
    known += `${JSON.stringify(name)}.`;
    let object = objects.get(known);
    if (object === undefined) {
      object = objects.size + 1;
      objects.set(known, object);
      begins.push({ name, within });
    }
    within = object;
  }
  const joined = path.length === 2 && is(field, Column) ? { object: path[0] as string, table: getTableName(field.table) } : undefined;
  return { name: path.at(-1) as string, within, begins, decoder: decoderOf(field), joined };
}

/** Its declarations keep `decoder` to Drizzle. Times reckon with numbers: one beyond 2^53 is no date, but not an error of types. */
function decoderOf(field: SelectedFieldsOrdered[number]['field']): Decoder | undefined {
  let decoder: Decoder;
  if (is(field, Column)) decoder = field;
  else if (is(field, SQL)) decoder = (field as unknown as { decoder: Decoder }).decoder;
  else if (is(field, Subquery)) decoder = (field as unknown as { _: { sql: { decoder: Decoder } } })._.sql.decoder;
  else decoder = (field as unknown as { sql: { decoder: Decoder } }).sql.decoder;
  if (decoder.mapFromDriverValue === Column.prototype.mapFromDriverValue) return undefined;
  const isDate = is(field, Column) && field.dataType === 'date';
  return isDate ? { mapFromDriverValue: (value) => decoder.mapFromDriverValue(typeof value === 'bigint' ? Number(value) : value) } : decoder;
}

function decode(decoder: Decoder | undefined, raw: SqlValue | undefined): unknown {
  if (typeof raw === 'object' && raw !== null) raw = buffer(raw);
  return decoder === undefined || raw === null ? raw : decoder.mapFromDriverValue(raw);
}

/** A member of that name, whatever it is. */
function set(object: Members, name: string, value: unknown): void {
  if (name === '__proto__') Object.defineProperty(object, name, { value, configurable: true, enumerable: true, writable: true });
  else object[name] = value;
}

/** Bytes as Drizzle's column types and its users expect them, on the same memory. */
function buffer(bytes: Uint8Array): Buffer {
  return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
}

/** The same row, with bytes as that. */
export function withBuffers(row: Row): Row {
  for (let i = 0; i < row.length; i++) {
    const value = row[i];
    if (typeof value === 'object' && value !== null) row[i] = buffer(value);
  }
  return row;
}

/** A row of raw SQL, by the names of its columns. */
export function named(columns: readonly string[], row: Row): Record<string, SqlValue> {
  const result: Record<string, SqlValue> = {};
  for (let i = 0; i < row.length; i++) {
    const value = row[i] as SqlValue;
    set(result, columns[i] as string, typeof value === 'object' && value !== null ? buffer(value) : value);
  }
  return result;
}
