/* What algorithms take and answer. Keys come in the order that each method states, the same on every machine. */
import type { EdgeFilter, NodeFilter } from './filter.js';
import type { AnySchema, GraphSchema, TypeName } from './types.js';

/** Which edges count. */
export interface EdgeOptions<S extends GraphSchema = AnySchema> {
  /** Only edges of these types; of an empty list, none. */
  edgeTypes?: readonly TypeName<S['edges']>[] | undefined;
  /** Only edges that match. */
  edgeFilter?: EdgeFilter<S> | undefined;
}

/** Which nodes and edges count. */
export interface PartOptions<S extends GraphSchema = AnySchema> extends EdgeOptions<S> {
  /** Only nodes that match. Where a method is given nodes to start from, those need not. */
  nodeFilter?: NodeFilter<S> | undefined;
}

/** How to follow edges. Undirected ones lead both ways. */
export interface WalkOptions<S extends GraphSchema = AnySchema> extends PartOptions<S> {
  /** `'out'` (default), `'in'` or `'both'`. */
  direction?: 'out' | 'in' | 'both' | undefined;
}

/** What an edge costs. */
export interface WeightOptions {
  /** The path of an attribute of the edges that is a number, not negative: `'attributes.cost'`. Default: each edge costs 1. */
  weight?: string | undefined;
  /** For edges that have no such attribute; otherwise they are `CONSTRAINT`. */
  defaultWeight?: number | undefined;
}

export interface ClosureOptions<S extends GraphSchema = AnySchema> extends WalkOptions<S> {
  /** `'breadth'` (default), or `'depth'`: each node before what follows it, neighbours by key. */
  order?: 'breadth' | 'depth' | undefined;
  /** Edges to follow at most. */
  maxDepth?: number | undefined;
  /** Nodes to find at most, the given ones among them. */
  limit?: number | undefined;
}

/** What can be reached. The three arrays have one element a node. */
export interface Closure {
  keys: string[];
  /** With `order: 'depth'` those in that tree. */
  depths: number[];
  /** The index of the node that this one was first reached from, -1 for a start. */
  parents: number[];
  /** The limit cut it. */
  truncated: boolean;
}

/** A part of what can be reached. */
export interface WalkBatch {
  keys: string[];
  depths: number[];
  /** Indexes into the whole sequence, that of all batches together; -1 for a start. */
  parents: number[];
}

export interface ShortestPathOptions<S extends GraphSchema = AnySchema> extends WalkOptions<S>, WeightOptions {
  maxDepth?: number | undefined;
}

/** A path; `found` is false and the lists are empty where there is none. */
export interface ShortestPath {
  found: boolean;
  keys: string[];
  /** The edges' keys: one less than the nodes. */
  edges: string[];
  /** Edges; null where there is no path. */
  length: number | null;
  /** The sum of the weights; without weights the length; null where there is no path. */
  cost: number | null;
}

export interface ShortestPathsOptions<S extends GraphSchema = AnySchema> extends ShortestPathOptions<S> {
  maxCost?: number | undefined;
  /** Nodes at most. */
  limit?: number | undefined;
}

/** The nodes that can be reached from one, by cost, then key. */
export interface ShortestPaths {
  keys: string[];
  costs: number[];
  /** The index of the node before, -1 for the source. */
  parents: number[];
  truncated: boolean;
}

export interface PathsOptions<S extends GraphSchema = AnySchema> extends WalkOptions<S> {
  /** Edges of a path at most, 1 to 1000. */
  maxDepth: number;
  /** Paths at most, default 100. */
  limit?: number | undefined;
}

/** Paths that meet no node twice, by length, then keys. */
export interface Paths {
  paths: string[][];
  /** The keys of each path's edges. */
  edges: string[][];
  truncated: boolean;
}

export interface CountWalksOptions<S extends GraphSchema = AnySchema> extends WalkOptions<S> {
  /** Where walks begin; default anywhere. */
  sources?: readonly string[] | undefined;
  /** Where they end; default anywhere. */
  targets?: readonly string[] | undefined;
  /** Count those of all lengths from 1 on. */
  upTo?: boolean | undefined;
}

/** An order in which every edge leads forward. */
export interface TopologicalOrder {
  /** By generation, then key. */
  keys: string[];
  /** The indexes at which generations begin. */
  generations: number[];
}

export interface Cycle {
  found: boolean;
  keys: string[];
  edges: string[];
}

export interface ComponentsOptions<S extends GraphSchema = AnySchema> extends PartOptions<S> {
  /** `'weak'` (default): whichever way edges lead; `'strong'`: there and back. */
  connection?: 'weak' | 'strong' | undefined;
}

/** Components are numbered by their smallest key. */
export interface Components {
  count: number;
  /** By bytes. */
  keys: string[];
  /** The component of each key. */
  components: number[];
  /** Nodes of each component. */
  sizes: number[];
}

export interface SubgraphOptions<S extends GraphSchema = AnySchema> extends EdgeOptions<S> {
  /** Nodes at most, default 10000. */
  limit?: number | undefined;
}

export interface DegreesOptions<S extends GraphSchema = AnySchema> extends EdgeOptions<S> {
  /** Default all nodes. */
  keys?: readonly string[] | undefined;
  /** Which edges of a node count; with `'both'` a self-loop counts twice. */
  direction?: 'out' | 'in' | 'both' | undefined;
  /** Nodes at most. */
  limit?: number | undefined;
  /** By degree: true has the highest first, false the lowest. Default: as given in `keys`, or by key. */
  descending?: boolean | undefined;
}

export interface Degrees {
  keys: string[];
  degrees: number[];
}

export interface PageRankOptions<S extends GraphSchema = AnySchema> extends EdgeOptions<S>, WeightOptions {
  /** Default 0.85. */
  damping?: number | undefined;
  /** It ends when the changes of a round are less than this for each node; default 1e-6. */
  tolerance?: number | undefined;
  /** Default 100. */
  maxIterations?: number | undefined;
  /** Where the walker begins anew, by key; default anywhere alike. */
  personalization?: Readonly<Record<string, number>> | undefined;
  /** Nodes at most; default all. */
  limit?: number | undefined;
}

/** By score, the largest first, then key. Equal to what NetworkX computes. */
export interface PageRank {
  keys: string[];
  scores: number[];
  iterations: number;
  converged: boolean;
}
