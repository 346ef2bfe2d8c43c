/*
 * Modules from the schemas that people have: TypeBox (`Type.Module` or single types, 0.34 and 1.x), zod 4, any Standard JSON Schema, or
 * JSON Schema itself. None of these packages is loaded here: their objects say what they are.
 *
 * What is made stands on its own: each schema's local references and the bare names of TypeBox become pointers from the module's
 * root, innermost `$defs` first, and the `$id`s that TypeBox gives to entries go, since an entry that two modules import carries one twice.
 */
import { BrantError } from './error.js';
import { modules } from './modules.js';
import type { JsonObject, Module, ModuleWarning } from './types.js';

/** A schema: TypeBox, zod 4, a Standard JSON Schema, or JSON Schema as it is. */
export type SchemaLike = object | boolean;

/** The rules of a graph type; what is left out takes the library's default. */
export interface ModuleConfig {
  /** `'directed'` (default), `'undirected'` or `'mixed'`. */
  directed?: 'directed' | 'undirected' | 'mixed' | undefined;
  /** Several edges of one type between two nodes. */
  multi?: boolean | undefined;
  allowSelfLoops?: boolean | undefined;
  acyclic?: boolean | undefined;
  maxNodes?: number | undefined;
  maxEdges?: number | undefined;
}

/** A schema that is no {@link EdgeDefinition}. */
type EdgeSchema = boolean | (object & { source?: undefined; target?: undefined });

/** An edge type: the schema of its attributes, and which nodes it may join. */
export interface EdgeDefinition<NodeName extends string = string> {
  /** Default: any attributes. */
  schema?: SchemaLike | undefined;
  /** Node types that it may lead from; default any. */
  source?: NodeName | readonly NodeName[] | undefined;
  /** Node types that it may lead to; default any. */
  target?: NodeName | readonly NodeName[] | undefined;
  /** Edges of this type that may leave a node. */
  maxOut?: number | undefined;
  /** Edges of this type that may reach a node. */
  maxIn?: number | undefined;
}

/** A graph type by its parts: names are keys, without the suffixes `Node` and `Edge` of a module's entries. */
export interface ModuleParts {
  config?: ModuleConfig | undefined;
  nodes?: Record<string, SchemaLike> | undefined;
  edges?: Record<string, EdgeSchema | EdgeDefinition> | undefined;
  /** Other entries that schemas refer to, by name. */
  defs?: Record<string, SchemaLike> | undefined;
}

/** A module whose attribute types TypeScript knows: pass it to `db.graphTypes.define`, and to `db.graph` for its types. */
export interface DefinedModule<S = unknown> extends Module {
  $id: string;
  $defs: Record<string, JsonObject | boolean>;
  /** Never there: it carries the types. */
  readonly __schema?: S;
}

/** The attribute types of a module made by {@link defineModule}: `db.graph<SchemaOf<typeof tasks>>('plan')`. */
export type SchemaOf<M> = M extends { readonly __schema?: infer S } ? NonNullable<S> : never;

type Simplify<T> = { [K in keyof T]: T[K] } & {};

/** As JSON has it: dates are text. */
type Json<T> = T extends string | number | boolean | null | undefined | bigint
  ? T
  : T extends Date | Uint8Array | RegExp
    ? string
    : T extends (...parameters: never[]) => unknown
      ? never
      : T extends object
        ? { [K in keyof T]: Json<T[K]> }
        : unknown;

type OptionalKeys<P> = { [K in keyof P]: P[K] extends { '~optional': true } ? K : never }[keyof P];

/** The properties of an object schema: TypeBox marks those that may be missing, JSON Schema lists those that must not. */
type FromProperties<P, Required> = string extends Required
  ? { -readonly [K in Exclude<keyof P, OptionalKeys<P>>]: FromJsonSchema<P[K]> } & {
      -readonly [K in OptionalKeys<P>]?: FromJsonSchema<P[K]>;
    }
  : { -readonly [K in keyof P & Required]: FromJsonSchema<P[K]> } & {
      -readonly [K in Exclude<keyof P, Required>]?: FromJsonSchema<P[K]>;
    };

type AllOf<A> = A extends readonly [infer First, ...infer Rest] ? FromJsonSchema<First> & AllOf<Rest> : unknown;
type Items<A> = A extends readonly [infer First, ...infer Rest] ? [FromJsonSchema<First>, ...Items<Rest>] : [];

type Required<T> = T extends { '~kind': 'Object' }
  ? string
  : T extends { required: readonly (infer R)[] }
    ? string extends R
      ? never
      : R
    : never;

/** What a JSON Schema that TypeScript knows literally allows; unknown where it takes more than a look. */
type FromJsonSchema<T> = T extends { const: infer C }
  ? C
  : T extends { enum: readonly (infer E)[] }
    ? E
    : T extends { anyOf: readonly (infer A)[] }
      ? FromJsonSchema<A>
      : T extends { allOf: infer A extends readonly unknown[] }
        ? AllOf<A>
        : T extends { type: 'object'; properties: infer P }
          ? Simplify<FromProperties<P, Required<T>>>
          : T extends { type: 'object'; patternProperties: infer P }
            ? Record<string, FromJsonSchema<P[keyof P]>>
            : T extends { type: 'array'; items: infer I }
              ? I extends readonly unknown[]
                ? Items<I>
                : FromJsonSchema<I>[]
              : T extends { type: 'string' }
                ? string
                : T extends { type: 'number' | 'integer' }
                  ? number
                  : T extends { type: 'bigint' }
                    ? number | bigint
                    : T extends { type: 'boolean' }
                      ? boolean
                      : T extends { type: 'null' }
                        ? null
                        : T extends { type: 'object' }
                          ? JsonObject
                          : unknown;

/** What a schema of any of the libraries allows, as it is stored: before defaults and transformations. */
export type Infer<T> = T extends { _zod: { input: infer U } }
  ? Json<U>
  : T extends { static: infer U }
    ? Json<U>
    : T extends { '~standard': { types?: infer U } }
      ? NonNullable<U> extends { input: infer I }
        ? Json<I>
        : JsonObject
      : unknown extends FromJsonSchema<T>
        ? JsonObject
        : FromJsonSchema<T>;

/** The attributes of a type: an object, whatever its schema leaves open. */
type Attributes<T> = Infer<T> extends infer U ? (U extends object ? U : JsonObject) : never;

type EdgeAttributes<T> = T extends { schema: infer U }
  ? Attributes<U>
  : T extends { source: unknown } | { target: unknown } | { maxOut: unknown } | { maxIn: unknown }
    ? JsonObject
    : Attributes<T>;

type Entries<T> = T extends { Import(...parameters: never[]): { $defs: infer D } } ? D : T extends { $defs: infer D } ? D : T;
type Named<Name, Suffix extends string> = Name extends `Base${Suffix}` ? never : Name extends `${infer N}${Suffix}` ? N : never;

/** The attribute types of what {@link defineModule} takes. */
export type SchemaFrom<T> = T extends { nodes: infer N }
  ? {
      nodes: { [K in keyof N]: Attributes<N[K]> };
      edges: T extends { edges: infer E } ? { [K in keyof E]: EdgeAttributes<E[K]> } : Record<never, never>;
    }
  : T extends { edges: infer E }
    ? { nodes: Record<never, never>; edges: { [K in keyof E]: EdgeAttributes<E[K]> } }
    : {
        nodes: { [K in keyof Entries<T> as Named<K, 'Node'>]: Attributes<Entries<T>[K]> };
        edges: { [K in keyof Entries<T> as Named<K, 'Edge'>]: Attributes<Entries<T>[K]> };
      };

export interface DefineModuleOptions {
  /**
   * Called with what a schema says and JSON Schema cannot, which is left out, and with what works and is probably not meant: say, an entry
   * that nothing refers to, since TypeBox's Composite of a Ref has dropped its properties. Default: `process.emitWarning` with the code
   * `BRANT_MODULE`.
   */
  onWarning?: ((warning: ModuleWarning) => void) | undefined;
}

/**
 * Make a module of schemas. Its types are those of `source`:
 *
 * ```ts
 * const tasks = defineModule('tasks', {
 *   config: { acyclic: true },
 *   nodes: { Task: z.object({ title: z.string(), due: z.date().optional() }) },
 *   edges: { DependsOn: { schema: z.object({ kind: z.enum(['blocks', 'informs']) }), source: 'Task', target: 'Task' } },
 * });
 * db.graphTypes.define(tasks);
 * db.graphs.create('plan', { graphType: 'tasks' });
 * db.graph('plan', tasks).nodes.put({ key: 'a', type: 'Task', attributes: { title: 'Begin' } });
 * ```
 *
 * Attributes are JSON. So a date is text in the format `date-time` (what `JSON.stringify` makes of a Date), TypeBox's `Uint8Array` is
 * base64 text, a bigint is an integer; of zod, the input side counts: what has a default may be missing, and nothing is transformed.
 *
 * @param id - the module's `$id`, which is the graph type's name unless `define` is told another
 * @param source - the parts by name, `{config, nodes, edges, defs}`; or a TypeBox `Type.Module`, or a record of entries, whose names say
 *   what they are: `TaskNode`, `DependsOnEdge`, `DependsOnEdgeConstraints`, `Config`
 * @throws BrantError `INVALID`: a schema has no JSON form (a function, a symbol, a Map); `detail.pointer` is its place in the module.
 */
export function defineModule<
  const N extends Record<string, SchemaLike>,
  const E extends Record<string, EdgeSchema | EdgeDefinition<NoInfer<keyof N & string>>>,
>(
  id: string,
  source: { config?: ModuleConfig | undefined; nodes: N; edges?: E; defs?: Record<string, SchemaLike> | undefined },
  options?: DefineModuleOptions,
): DefinedModule<SchemaFrom<{ nodes: N; edges: E }>>;
export function defineModule<const T extends object & { nodes?: undefined }>(
  id: string,
  source: T,
  options?: DefineModuleOptions,
): DefinedModule<SchemaFrom<T>>;
export function defineModule(id: string, source: object, options: DefineModuleOptions = {}): DefinedModule {
  const onWarning = options.onWarning ?? warn;
  const entries = partsOf(source) ? entriesOf(source) : namedEntries(source);
  const $defs: Record<string, JsonObject | boolean> = {};
  for (const [name, schema] of Object.entries(entries)) {
    if (schema === undefined) continue;
    const converter = new Converter(name, onWarning);
    define($defs, name, converter.entry(schema));
  }
  const module = { $id: id, $defs };
  for (const warning of warningsOf(module)) onWarning(warning);
  return module;
}

/** What the library finds strange. What it refuses, or cannot tell without the modules that this one imports, it says when it is defined. */
function warningsOf(module: Module): ModuleWarning[] {
  try {
    return modules.types(module).warnings;
  } catch (error) {
    if (error instanceof BrantError) return [];
    throw error;
  }
}

function warn({ pointer, message }: ModuleWarning): void {
  process.emitWarning(`${pointer}: ${message}`, { type: 'BrantWarning', code: 'BRANT_MODULE' });
}

/** Set a member, also one named `__proto__`. */
function define(target: object, name: string, value: unknown): void {
  Object.defineProperty(target, name, { value, enumerable: true, configurable: true, writable: true });
}

const PARTS = new Set(['config', 'nodes', 'edges', 'defs']);
const EDGE = new Set(['schema', 'source', 'target', 'maxOut', 'maxIn']);

function partsOf(source: object): source is ModuleParts {
  const names = Object.keys(source);
  return names.length > 0 && names.every((name) => PARTS.has(name));
}

/** The entries of a TypeBox module or of a JSON Schema document; else the members themselves. */
function namedEntries(source: object): Record<string, unknown> {
  if ('$defs' in source && isObject(source.$defs)) return source.$defs;
  if ('definitions' in source && isObject(source.definitions)) return source.definitions;
  return source as Record<string, unknown>;
}

function entriesOf({ config, nodes = {}, edges = {}, defs = {} }: ModuleParts): Record<string, unknown> {
  const entries: Record<string, unknown> = {};
  const add = (name: string, schema: unknown): void => {
    if (Object.hasOwn(entries, name)) throw invalid(`/$defs/${escape(name)}`, 'the name is given twice');
    define(entries, name, schema);
  };
  for (const [name, schema] of Object.entries(defs)) add(name, schema);
  if (config !== undefined) add('Config', constants(snakeCaseConfig(config)));
  for (const [name, schema] of Object.entries(nodes)) add(`${name}Node`, schema);
  for (const [name, edge] of Object.entries(edges)) {
    if (!isEdgeDefinition(edge)) {
      add(`${name}Edge`, edge);
      continue;
    }
    const { schema = true, source, target, maxOut, maxIn } = edge;
    add(`${name}Edge`, schema);
    const constraints = { source, target, max_out: maxOut, max_in: maxIn };
    if (Object.values(constraints).some((value) => value !== undefined)) add(`${name}EdgeConstraints`, constants(constraints));
  }
  return entries;
}

function isEdgeDefinition(edge: unknown): edge is EdgeDefinition {
  if (!isObject(edge) || '~standard' in edge) return false;
  const names = Object.keys(edge);
  return names.length > 0 && names.every((name) => EDGE.has(name));
}

function snakeCaseConfig(config: ModuleConfig): Record<string, unknown> {
  const { directed, multi, allowSelfLoops, acyclic, maxNodes, maxEdges, ...rest } = config;
  for (const name of Object.keys(rest)) throw invalid(`/$defs/Config/properties/${escape(name)}`, 'no such member of a config');
  return { directed, multi, allow_self_loops: allowSelfLoops, acyclic, max_nodes: maxNodes, max_edges: maxEdges };
}

/** An object schema whose properties are literals; a list is a choice. */
function constants(values: Record<string, unknown>): JsonObject {
  const properties: JsonObject = {};
  for (const [name, value] of Object.entries(values)) {
    if (value === undefined) continue;
    properties[name] = Array.isArray(value) ? { enum: value as unknown[] } : { const: value };
  }
  return { type: 'object', properties };
}

function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

function escape(name: string): string {
  return name.replaceAll('~', '~0').replaceAll('/', '~1');
}

function invalid(pointer: string, message: string): BrantError {
  return new BrantError('INVALID', `${pointer}: ${message}`, { pointer });
}

/** Deeper than any schema that is not a circle of objects. */
const DEPTH = 200;

/** What a schema node is, and where: the names that a reference under it can mean. */
interface Scope {
  /** Pointer from the module's root. */
  path: string;
  /** The node as it was given. */
  node: Record<string, unknown>;
  outer: Scope | undefined;
}

const ONE = ['additionalItems', 'additionalProperties', 'contains', 'contentSchema', 'else', 'if', 'items', 'not', 'propertyNames', 'then', 'unevaluatedItems', 'unevaluatedProperties'];
const LIST = ['allOf', 'anyOf', 'oneOf', 'prefixItems', 'items'];
const MAP = ['$defs', 'definitions', 'dependencies', 'dependentSchemas', 'patternProperties', 'properties'];

/** TypeBox's types beyond JSON that have a JSON form: their keywords in place of them. */
const JSON_FORMS: Record<string, (node: Record<string, unknown>) => JsonObject> = {
  Date: () => ({ type: 'string', format: 'date-time' }),
  Uint8Array: () => ({ type: 'string', contentEncoding: 'base64' }),
  bigint: () => ({ type: 'integer' }),
  RegExp: ({ source }) => ({ type: 'string', pattern: source }),
};
/** Keywords of those types that the JSON form keeps. */
const KEPT = new Set(['$id', 'title', 'description', 'default', 'examples', 'deprecated', 'readOnly', 'writeOnly', '$comment', 'const']);
const BIGINT_KEPT = new Set(['minimum', 'maximum', 'exclusiveMinimum', 'exclusiveMaximum', 'multipleOf']);

/** TypeBox's types that no JSON value can be, in lower case. */
const WITHOUT_JSON = new Set(['asynciterator', 'constructor', 'function', 'iterator', 'promise', 'symbol', 'undefined', 'void']);
/** zod's types that no JSON value can be. */
const ZOD_WITHOUT_JSON = new Set(['custom', 'file', 'function', 'map', 'nan', 'promise', 'set', 'symbol', 'undefined', 'void']);

/** One entry of the module. */
class Converter {
  readonly #root: string;
  readonly #onWarning: NonNullable<DefineModuleOptions['onWarning']>;
  #document: unknown;

  constructor(name: string, onWarning: NonNullable<DefineModuleOptions['onWarning']>) {
    this.#root = `/$defs/${escape(name)}`;
    this.#onWarning = onWarning;
  }

  entry(schema: unknown): JsonObject | boolean {
    this.#document = this.#toJsonSchema(schema, this.#root);
    const converted = this.#schema(this.#document, this.#root, undefined, 0);
    if (isObject(converted) && /2020-12/.test(String(converted['$schema']))) delete converted['$schema'];
    return converted;
  }

  /** The JSON Schema of a zod type, of another Standard JSON Schema, or the schema itself. */
  #toJsonSchema(schema: unknown, path: string): unknown {
    if (!isObject(schema)) return schema;
    if ('_zod' in schema) return this.#fromZod(schema, path);
    const standard = schema['~standard'];
    if (!isObject(standard)) return schema;
    const { jsonSchema } = standard;
    if (!isObject(jsonSchema) || typeof jsonSchema['input'] !== 'function') {
      throw invalid(path, `schemas of "${String(standard['vendor'])}" do not say their JSON Schema; convert it first`);
    }
    return jsonSchema['input']({ target: 'draft-2020-12' });
  }

  #fromZod(schema: Record<string, unknown>, path: string): unknown {
    if (typeof schema['toJSONSchema'] !== 'function') throw invalid(path, 'this version of zod has no toJSONSchema; pass z.toJSONSchema(schema)');
    return schema['toJSONSchema']({
      target: 'draft-2020-12',
      io: 'input',
      unrepresentable: 'any',
      override: ({ zodSchema, jsonSchema, path: at }: ZodContext) => {
        const { type, checks } = zodSchema._zod.def;
        const place = at.map((part) => `/${escape(String(part))}`).join('');
        if (ZOD_WITHOUT_JSON.has(type)) throw invalid(path + place, `no JSON value is of zod's type "${type}"`);
        if (type === 'date') Object.assign(jsonSchema, JSON_FORMS['Date']?.({}));
        if (type === 'bigint') Object.assign(jsonSchema, JSON_FORMS['bigint']?.({}));
        if ((type === 'date' || type === 'bigint') && checks !== undefined && checks.length > 0) {
          this.#onWarning({ pointer: path + place, message: `the bounds of a ${type} have no JSON Schema and are left out` });
        }
      },
    });
  }

  #schema(value: unknown, path: string, outer: Scope | undefined, depth: number): JsonObject | boolean {
    if (typeof value === 'boolean') return value;
    if (!isObject(value)) throw invalid(path, 'a schema is an object or a boolean');
    if (depth > DEPTH) throw invalid(path, 'the schema is too deep, or contains itself');
    if (depth > 0 && ('_zod' in value || '~standard' in value)) {
      throw invalid(path, 'a schema of zod or a like library stands inside another one; build the whole of it there');
    }
    const node = this.#jsonForm(value, path);
    const scope: Scope = { path, node, outer };
    const result: JsonObject = {};
    for (const [name, member] of Object.entries(node)) {
      if (member === undefined) continue;
      define(result, name, this.#keyword(name, member, `${path}/${escape(name)}`, scope, depth));
    }
    if (isBareName(result['$id'])) delete result['$id'];
    return this.#tuple(result);
  }

  #keyword(name: string, value: unknown, path: string, scope: Scope, depth: number): unknown {
    if (name === '$ref' || name === '$dynamicRef') return typeof value === 'string' ? this.#reference(value, scope) : value;
    if (LIST.includes(name) && Array.isArray(value)) {
      return value.map((item, index) => this.#schema(item, `${path}/${index}`, scope, depth + 1));
    }
    if (ONE.includes(name)) return this.#schema(value, path, scope, depth + 1);
    if (MAP.includes(name) && isObject(value)) {
      const members: JsonObject = {};
      for (const [key, member] of Object.entries(value)) {
        if (member === undefined) continue;
        const names = name === 'dependencies' && Array.isArray(member);
        define(members, key, names ? member : this.#schema(member, `${path}/${escape(key)}`, scope, depth + 1));
      }
      return members;
    }
    return value;
  }

  /** A type of TypeBox beyond JSON, as JSON has it. */
  #jsonForm(node: Record<string, unknown>, path: string): Record<string, unknown> {
    const { type } = node;
    if (typeof type !== 'string') return node;
    if (WITHOUT_JSON.has(type.toLowerCase())) throw invalid(path, `no JSON value is of the type "${type}"`);
    if (!Object.hasOwn(JSON_FORMS, type)) return node;
    const form = JSON_FORMS[type]?.(node) ?? {};
    const lost: string[] = [];
    for (const [name, value] of Object.entries(node)) {
      if (name === 'type' || name in form || (type === 'RegExp' && name === 'source')) continue;
      if (KEPT.has(name) || (type === 'bigint' && BIGINT_KEPT.has(name))) form[name] = value;
      else if (!(name === 'flags' && (value === '' || value === 'u'))) lost.push(name);
    }
    if (lost.length > 0) {
      this.#onWarning({ pointer: path, message: `${lost.join(', ')} of a ${type} has no JSON Schema and is left out` });
    }
    return form;
  }

  /** A tuple in the words of draft 2020-12, unless the document says that it is of an older one. */
  #tuple(node: JsonObject): JsonObject {
    const { items, additionalItems, ...rest } = node;
    if (!Array.isArray(items) || this.#isOlder()) return node;
    const tuple: JsonObject = { ...rest, prefixItems: items };
    if (additionalItems !== undefined) tuple['items'] = additionalItems;
    return tuple;
  }

  #isOlder(): boolean {
    return isObject(this.#document) && /draft-0[3-7]|2019-09/.test(String(this.#document['$schema'] ?? ''));
  }

  /** Where a reference leads: innermost first; what is not found here is the module's affair. */
  #reference(reference: string, scope: Scope): string {
    if (reference === '#' || reference.startsWith('#/')) {
      const resource = resourceOf(scope);
      if (resource === undefined) return reference;
      const found = reference === '#' || find(resource.node, reference.slice(1)) !== undefined;
      return found ? fragment(resource.path) + reference.slice(1) : reference;
    }
    if (!isBareName(reference)) return reference;
    for (let at: Scope | undefined = scope; at !== undefined; at = at.outer) {
      for (const container of ['$defs', 'definitions']) {
        const names = at.node[container];
        if (isObject(names) && Object.hasOwn(names, reference)) return fragment(`${at.path}/${container}/${escape(reference)}`);
      }
      if (at.node['$id'] === reference) return fragment(at.path);
    }
    return reference;
  }
}

interface ZodContext {
  zodSchema: { _zod: { def: { type: string; checks?: unknown[] } } };
  jsonSchema: JsonObject;
  path: (string | number)[];
}

/** A name of TypeBox's, and no URI reference with parts. */
function isBareName(value: unknown): value is string {
  return typeof value === 'string' && /^[A-Za-z_$][\w$.-]*$/.test(value);
}

/** The document that `#` means: the entry, or the innermost schema with an `$id` that stays, whose references stay too. */
function resourceOf(scope: Scope): Scope | undefined {
  for (let at = scope; ; at = at.outer) {
    const id = at.node['$id'];
    if (typeof id === 'string' && !isBareName(id)) return undefined;
    if (isBareName(id) || at.outer === undefined) return at;
  }
}

/** A name of a reference's pointer; one with a bad percent sign names nothing. */
function unescape(part: string): string {
  try {
    return decodeURIComponent(part).replaceAll('~1', '/').replaceAll('~0', '~');
  } catch {
    return '';
  }
}

/** A pointer as a reference. */
function fragment(pointer: string): string {
  return `#${encodeURI(pointer)}`;
}

/** What the pointer of a reference finds. */
function find(document: unknown, pointer: string): unknown {
  let value = document;
  for (const part of pointer.split('/').slice(1)) {
    const name = unescape(part);
    if (Array.isArray(value)) value = value[Number(name)];
    else if (isObject(value) && Object.hasOwn(value, name)) value = value[name];
    else return undefined;
  }
  return value;
}
