/* What can be asked about modules and documents without a file. */
import { guard } from './connection.js';
import type { Cast, JsonPatchOperation, ModuleDiff, ModuleTypes } from './evolution.js';
import { parse, snakeCase, stringify } from './json.js';
import { type Operation, native } from './native.js';
import { calls, traced } from './diagnostics.js';
import type { JsonObject, Module, Validation } from './types.js';

/** Which type of a module. */
export type TypeOf = { nodeType: string | null; edgeType?: undefined } | { edgeType: string | null; nodeType?: undefined };

export interface FormatOptions {
  /** `'assert'` (default): a `format` must hold; `'annotate'`: it says nothing. */
  formats?: 'assert' | 'annotate' | undefined;
}

function invoke<T>(operation: Operation, input: object): T {
  const call = (): T => parse(guard(() => operation(null, stringify(input))), 'exact') as T;
  return calls.hasSubscribers ? traced(operation, call) : call();
}

/** Questions about modules, which read and write nothing. Of other modules, these may import the built-in ones alone. */
export class Modules {
  /**
   * What a module defines, and what in it is probably not meant.
   *
   * @throws BrantError `VALIDATION`: the module cannot work.
   */
  types(module: Module): ModuleTypes {
    return invoke(native.brant_module_types, { module });
  }

  /**
   * Whether `attributes` satisfy a node type, null in a module without types.
   *
   * @throws BrantError `INVALID`: no such type; `VALIDATION`: the module cannot work.
   */
  validateNode(module: Module, type: string | null, attributes: unknown, options?: FormatOptions): Validation {
    return invoke(native.brant_module_validate_node, { ...options, module, type, attributes });
  }

  /** Whether `attributes`, and the types of the ends if given, satisfy an edge type; otherwise as `validateNode`. */
  validateEdge(
    module: Module,
    type: string | null,
    attributes: unknown,
    options?: FormatOptions & { sourceType?: string | undefined; targetType?: string | undefined },
  ): Validation {
    return invoke(native.brant_module_validate_edge, { ...snakeCase(options), module, type, attributes });
  }

  /** What changes from one module to another, and what that does to stored data. */
  diff(from: Module, to: Module): ModuleDiff {
    return invoke(native.brant_module_diff, { from, to });
  }

  /**
   * Bring attributes into the form of a type, as far as that can be done without inventing: defaults are filled in, unknown properties dropped
   * where the schema allows none, the best fitting member of a union taken. What is invalid all the same stays, and is reported.
   */
  cast<Attributes = JsonObject>(module: Module, type: TypeOf, attributes: unknown): Cast<Attributes> {
    return invoke(native.brant_module_cast, { ...snakeCase(type), module, attributes });
  }

  /**
   * The document that a JSON patch (RFC 6902) makes of another.
   *
   * @throws BrantError `CONFLICT`: a test in it failed; `INVALID`: an operation or a pointer that cannot be.
   */
  patch<Document = unknown>(document: unknown, patch: readonly JsonPatchOperation[]): Document {
    return invoke<{ document: Document }>(native.brant_module_patch, { document, patch }).document;
  }
}

/** Questions about modules without a database: {@link Modules}. */
export const modules: Modules = new Modules();
