/*
 * A column that Drizzle's SQLite has none for: 64-bit integers that are read as bigint, whatever their size.
 */
import { customType } from 'drizzle-orm/sqlite-core';

/**
 * An INTEGER column of bigints. (`integer()` reads what is beyond 2^53 as a bigint, too, since nothing is rounded, but its type says number;
 * `blob({ mode: 'bigint' })` and `numeric({ mode: 'bigint' })` are stored as text and so sorted as text or rounded.)
 *
 * What was rounded on its way is refused: Drizzle reads the rows within another one (`db.query`, `with`) by JSON.parse. Select such a column by a join, or as text in `extras`.
 *
 * ```ts
 * const accounts = sqliteTable('account', { id: integer().primaryKey(), balance: int64().notNull() });
 * ```
 */
export const int64 = customType<{ data: bigint; driverData: bigint | number }>({
  dataType: () => 'integer',
  fromDriver(value) {
    if (typeof value === 'number' && !Number.isSafeInteger(value)) throw new RangeError(`an int64 column holds ${value}, which is no whole number or was rounded`);
    return BigInt(value);
  },
  toDriver: (value) => value,
});
