/// <reference lib="esnext.disposable" preserve="true" />
/**
 * brant: typed graphs and events in one SQLite file. See {@link open}.
 *
 * @packageDocumentation
 */
export { Database, open, operations, version } from './database.js';
export { BrantError } from './error.js';
export type { ErrorCode, ErrorDetail, Violation } from './error.js';
export type { ClosureOptions, Edges, Graph, Graphs, GraphTypes, Nodes } from './graph.js';
export type { Listener, ListenOptions } from './listener.js';
export type * from './types.js';
export { Validator } from './validator.js';
export type { ValidatorSource } from './validator.js';
