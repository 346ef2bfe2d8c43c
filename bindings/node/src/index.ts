/// <reference lib="esnext.disposable" preserve="true" />
/**
 * brant: typed graphs and events in one SQLite file. See {@link open}.
 *
 * @packageDocumentation
 */
export { Database, open, operations, version } from './database.js';
export { defineModule } from './define_module.js';
export { BrantError } from './error.js';
export { modules } from './modules.js';
export { Validator } from './validator.js';
export type {
  DefinedModule,
  DefineModuleOptions,
  EdgeDefinition,
  Infer,
  ModuleConfig,
  ModuleParts,
  SchemaFrom,
  SchemaLike,
  SchemaOf,
} from './define_module.js';
export type { CallMessage } from './diagnostics.js';
export type { DeleteEdgesResult, EdgeListOptions, Edges } from './edges.js';
export type { ErrorCode, ErrorDetail, Violation } from './error.js';
export type * from './evolution.js';
export type {
  ArraysOptions,
  ExportFormat,
  ExportOptions,
  GraphArrays,
  GraphologyConstructor,
  GraphologyGraph,
  ImportFile,
  ImportFormat,
  ImportOptions,
  ImportResult,
  ImportText,
  ProgressOptions,
  SerializedGraphology,
} from './exchange.js';
export type * from './filter.js';
export type { Graph, Graphs, Purged } from './graph.js';
export type { CheckOptions, GraphTypes, UpdateOptions } from './graph_types.js';
export type { FromGraphologyOptions } from './graphology.js';
export type { Indexes, IndexOptions } from './indexes.js';
export type { Listener, ListenOptions } from './listener.js';
export type { FormatOptions, Modules, TypeOf } from './modules.js';
export type { DeleteNodesOptions, DeleteNodesResult, NodeListOptions, Nodes } from './nodes.js';
export type * from './operations.js';
export type * from './traversal.js';
export type { TypedEdges, TypedNodes, Types } from './typed.js';
export type * from './types.js';
export type { ValidatorSource } from './validator.js';
export type { Walk, WalkNodesOptions } from './walk.js';
