/* Filters: Mongo-style objects over fields, as core/include/brant/graph.h states them. */
import type { AnySchema, GraphSchema, TypeName } from './types.js';

/**
 * What a field must be. Several members must all hold. Comparisons take values of one kind only: numbers with numbers, text with text by its
 * bytes, false before true; `$ne`, `$nin` and `$not` are complements, so that they find what has no such field.
 */
export interface Condition<T = unknown> {
  /** Equal, as JSON values are; null is also what is missing. */
  $eq?: T | null | undefined;
  $ne?: T | null | undefined;
  $gt?: T | undefined;
  $gte?: T | undefined;
  $lt?: T | undefined;
  $lte?: T | undefined;
  $in?: readonly (T | null)[] | undefined;
  $nin?: readonly (T | null)[] | undefined;
  /** Whether the member is there; null counts as there. */
  $exists?: boolean | undefined;
  /** Text that begins with this, byte by byte. */
  $prefix?: string | undefined;
  /** Text that contains this text, or an array that contains this element. */
  $contains?: unknown;
  $not?: Condition<T> | undefined;
}

/** A bare value stands for `$eq`. */
export type FieldFilter<T = unknown> = T | null | Condition<T> | undefined;

type AllKeys<T> = T extends unknown ? keyof T & string : never;
type ValueOf<T, K extends string> = T extends unknown ? (K extends keyof T ? NonNullable<T[K]> : never) : never;

/** The attributes of all given types by their path; below the first level any path is taken. */
type AttributeFields<A> = { [K in AllKeys<A> as `attributes.${K}`]?: FieldFilter<ValueOf<A, K>> };

/** Any path: segments behind dots, or a JSON pointer. */
interface AnyPath {
  [path: `attributes.${string}`]: unknown;
  [path: `attributes/${string}`]: unknown;
  [path: `metadata.${string}`]: unknown;
  [path: `metadata/${string}`]: unknown;
}

interface CommonFields<Name extends string> {
  key?: FieldFilter<string>;
  type?: FieldFilter<Name>;
  revision?: FieldFilter<number>;
  /** The version of the graph type that the item was last validated against. */
  type_version?: FieldFilter<number>;
  created_at?: FieldFilter<number>;
  updated_at?: FieldFilter<number>;
}

interface Ends {
  source?: FieldFilter<string>;
  target?: FieldFilter<string>;
}

interface Combined<F> {
  $and?: readonly F[] | undefined;
  $or?: readonly F[] | undefined;
  $not?: F | undefined;
}

/**
 * Which nodes: `{type: 'Task', 'attributes.status': {$in: ['open', 'blocked']}, 'attributes.due': {$lt: 175}}`. All members must hold; `{}` is
 * all nodes. A path's segments are separated by dots, digits also index arrays; a name that contains a dot is written in a JSON pointer:
 * `'attributes/a.b/c'`. An unknown operator or a bad path is `INVALID`.
 */
export type NodeFilter<S extends GraphSchema = AnySchema, Name extends TypeName<S['nodes']> = TypeName<S['nodes']>> = CommonFields<Name> &
  AttributeFields<S['nodes'][Name]> &
  AnyPath &
  Combined<NodeFilter<S, Name>>;

/** Which edges: as {@link NodeFilter}, and `source` and `target`, the keys of the ends. */
export type EdgeFilter<S extends GraphSchema = AnySchema, Name extends TypeName<S['edges']> = TypeName<S['edges']>> = CommonFields<Name> &
  Ends &
  AttributeFields<S['edges'][Name]> &
  AnyPath &
  Combined<EdgeFilter<S, Name>>;
