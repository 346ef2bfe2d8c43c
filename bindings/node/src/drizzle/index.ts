/*
 * `brant/drizzle`: Drizzle ORM over an open handle of brant, on the same connection and in the same transactions.
 */
export { BrantDatabase, drizzle, type DrizzleOptions } from './driver.js';
export { BrantSession, BrantTransaction, type BrantTransactionConfig, type RunResult } from './session.js';
export { int64 } from './column.js';
