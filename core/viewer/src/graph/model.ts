/* A graph in memory: columns of numbers, so that some 100 000 nodes and 400 000 edges take milliseconds. It can grow: a graph that is too big to draw is walked step by step. */
import { call } from '../api';

interface Arrays {
  directed: boolean | null;
  multi: boolean;
  node_types?: string[];
  edge_types?: string[];
  keys: string[];
  types?: number[];
  sources: number[];
  targets: number[];
  edge_type_of?: number[];
  undirected?: boolean[];
}

export interface Neighbour {
  node: number;
  edge: number;
  /** From the node that was asked about. */
  outward: boolean;
}

interface NeighborItem {
  key: string;
  type: string | null;
  edge: { key: string; type: string | null; source: string; target: string };
}

/** A type that is null: of an untyped graph. */
const NONE = '';

export class Model {
  keys: string[] = [];
  /** Index in nodeTypes. */
  types = new Uint16Array(0);
  nodeTypes: string[] = [];
  edgeTypes: string[] = [];
  sources = new Uint32Array(0);
  targets = new Uint32Array(0);
  edgeTypeOf = new Uint16Array(0);
  degrees = new Uint32Array(0);
  directed = true;
  #index: Map<string, number> | undefined;
  #offsets: Uint32Array | undefined;
  #incident = new Uint32Array(0);
  #lower: string[] | undefined;
  #edgeKeys = new Set<string>();
  /** What was brought with its neighbours. */
  #grown = new Set<string>();

  /** @param whole - all nodes and edges are there */
  constructor(
    readonly graph: string,
    readonly whole: boolean,
  ) {}

  static async load(graph: string, signal?: AbortSignal): Promise<Model> {
    const arrays = await call<Arrays>('graphs.arrays', { graph }, signal, true);
    const model = new Model(graph, true);
    model.keys = arrays.keys;
    model.directed = arrays.directed !== false;
    model.nodeTypes = arrays.node_types ?? [NONE];
    model.edgeTypes = arrays.edge_types ?? [NONE];
    model.types = arrays.types === undefined ? new Uint16Array(arrays.keys.length) : Uint16Array.from(arrays.types);
    model.sources = Uint32Array.from(arrays.sources);
    model.targets = Uint32Array.from(arrays.targets);
    model.edgeTypeOf = arrays.edge_type_of === undefined ? new Uint16Array(arrays.sources.length) : Uint16Array.from(arrays.edge_type_of);
    model.#count();
    return model;
  }

  get order(): number {
    return this.keys.length;
  }

  get size(): number {
    return this.sources.length;
  }

  #count(): void {
    this.degrees = new Uint32Array(this.order);
    for (let edge = 0; edge < this.size; edge++) {
      this.degrees[this.sources[edge]!]!++;
      this.degrees[this.targets[edge]!]!++;
    }
    this.#offsets = undefined;
  }

  find(key: string): number | undefined {
    if (this.#index === undefined) {
      this.#index = new Map();
      for (let node = 0; node < this.order; node++) this.#index.set(this.keys[node]!, node);
    }
    return this.#index.get(key);
  }

  typeOf(node: number): string {
    return this.nodeTypes[this.types[node]!] ?? NONE;
  }

  edgeType(edge: number): string {
    return this.edgeTypes[this.edgeTypeOf[edge]!] ?? NONE;
  }

  /** Edges that begin or end at the node, those that begin there first. */
  neighbours(node: number): Neighbour[] {
    const offsets = (this.#offsets ??= this.#incidence());
    const found: Neighbour[] = [];
    for (let at = offsets[node]!; at < offsets[node + 1]!; at++) {
      const edge = this.#incident[at]!;
      const outward = this.sources[edge] === node;
      found.push({ node: outward ? this.targets[edge]! : this.sources[edge]!, edge, outward });
    }
    return found.sort((a, b) => Number(b.outward) - Number(a.outward) || a.edge - b.edge);
  }

  #incidence(): Uint32Array {
    const offsets = new Uint32Array(this.order + 1);
    for (let edge = 0; edge < this.size; edge++) {
      offsets[this.sources[edge]! + 1]!++;
      if (this.sources[edge] !== this.targets[edge]) offsets[this.targets[edge]! + 1]!++;
    }
    for (let node = 0; node < this.order; node++) offsets[node + 1]! += offsets[node]!;
    const next = offsets.slice();
    this.#incident = new Uint32Array(offsets[this.order]!);
    for (let edge = 0; edge < this.size; edge++) {
      const source = this.sources[edge]!;
      const target = this.targets[edge]!;
      this.#incident[next[source]!++] = edge;
      if (source !== target) this.#incident[next[target]!++] = edge;
    }
    return offsets;
  }

  /** Make ready for a search, so that the first is as quick as the others: one thing after another, so that nobody waits for all of them. */
  prepare(): void {
    const steps = [
      () => (this.#lower ??= this.keys.map((key) => key.toLowerCase())),
      () => this.find(''),
      () => this.order > 0 && this.neighbours(0),
    ];
    const next = (): void => {
      steps.shift()?.();
      if (steps.length > 0) setTimeout(next, 20);
    };
    next();
  }

  /** Nodes whose key has the text: those that are it, begin with it, have it somewhere; of these the best connected first. */
  search(text: string, most: number): number[] {
    const wanted = text.toLowerCase();
    const lower = (this.#lower ??= this.keys.map((key) => key.toLowerCase()));
    // A letter is in nearly all of them: the best are kept, not all sorted.
    const best: { node: number; rank: number; degree: number }[] = [];
    for (let node = 0; node < this.order; node++) {
      const at = lower[node]!.indexOf(wanted);
      if (at < 0) continue;
      const rank = at > 0 ? 2 : lower[node]!.length === wanted.length ? 0 : 1;
      const degree = this.degrees[node]!;
      const last = best.at(-1);
      if (best.length === most && last !== undefined && (rank > last.rank || (rank === last.rank && degree <= last.degree))) continue;
      let place = best.length;
      while (place > 0 && (rank < best[place - 1]!.rank || (rank === best[place - 1]!.rank && degree > best[place - 1]!.degree))) place--;
      best.splice(place, 0, { node, rank, degree });
      if (best.length > most) best.pop();
    }
    return best.map(({ node }) => node);
  }

  /** Of a graph that is not all here: bring the node and its neighbours. */
  async grow(key: string, most: number): Promise<void> {
    if (this.whole || this.#grown.has(key)) return;
    const node = await call<{ key: string; type: string | null }>('nodes.get', { graph: this.graph, key });
    const { items } = await call<{ items: NeighborItem[] }>('nodes.neighbors', { graph: this.graph, key, direction: 'both', limit: most });
    const at = new Map(this.keys.map((known, index) => [known, index]));
    const types = [...this.types];
    const add = (name: string, type: string | null): void => {
      if (at.has(name)) return;
      at.set(name, this.keys.length);
      this.keys.push(name);
      types.push(indexIn(this.nodeTypes, type ?? NONE));
    };
    add(node.key, node.type);
    for (const item of items) add(item.key, item.type);
    const sources = [...this.sources];
    const targets = [...this.targets];
    const typeOf = [...this.edgeTypeOf];
    for (const { edge } of items) {
      if (this.#edgeKeys.has(edge.key)) continue;
      this.#edgeKeys.add(edge.key);
      sources.push(at.get(edge.source)!);
      targets.push(at.get(edge.target)!);
      typeOf.push(indexIn(this.edgeTypes, edge.type ?? NONE));
    }
    this.types = Uint16Array.from(types);
    this.sources = Uint32Array.from(sources);
    this.targets = Uint32Array.from(targets);
    this.edgeTypeOf = Uint16Array.from(typeOf);
    this.#index = at;
    this.#lower = undefined;
    this.#grown.add(key);
    this.#count();
  }
}

function indexIn(names: string[], name: string): number {
  const at = names.indexOf(name);
  return at >= 0 ? at : names.push(name) - 1;
}
