/*
 * A picture of a graph's communities at once, without any forces: the nodes of a community are a disc, its best connected in the middle; discs that are linked lie side by side and are
 * a disc of the next level, up to the islands that the graph is made of. What is linked to nothing is the rim. Within [-1, 1].
 */
import { type Level, type Links, communities, grouped, linksOf } from './communities';

export interface Islands {
  positions: Float32Array;
  /** The island of each node, the greatest first. */
  islandOf: Uint32Array;
  /** How many nodes each has. */
  sizes: Uint32Array;
}

const GOLDEN = Math.PI * (3 - Math.sqrt(5));
/** Room between discs, of their radius. */
const GAP = 1.06;
/** Directions in which a disc looks for room. */
const RAYS = 12;
/** So few islands are not merged any more. */
const LEAST = 12;

/** @param kinds - nodes that are linked to nothing are together by kind */
export function islands(order: number, sources: Uint32Array, targets: Uint32Array, kinds: Uint16Array): Islands {
  const links = linksOf(order, sources, targets);
  const levels = communities(links, LEAST);
  const lone = loners(links, levels, kinds);
  const top = lone.links;

  // From the nodes up: where each is in the disc of its community, and how wide that is.
  const x = new Float32Array(order);
  const y = new Float32Array(order);
  const all = [...levels, lone];
  let radii = new Float32Array(order).fill(1);
  /** Of each node, its place among the things of the level that is being packed. */
  let place = Uint32Array.from({ length: order }, (_, node) => node);
  let below = links;
  for (const { of, links: above } of all) {
    const { starts, members } = grouped(of, above.order, below.order);
    const wide = new Float32Array(above.order);
    const dx = new Float32Array(below.order);
    const dy = new Float32Array(below.order);
    const packer = new Packer(below, radii, of);
    for (let group = 0; group < above.order; group++) wide[group] = packer.pack(members.subarray(starts[group]!, starts[group + 1]!), dx, dy);
    for (let node = 0; node < order; node++) {
      const thing = place[node]!;
      x[node]! += dx[thing]!;
      y[node]! += dy[thing]!;
      place[node] = of[thing]!;
    }
    radii = wide;
    below = above;
  }
  const sizes = new Uint32Array(top.order);
  for (const island of place) sizes[island]!++;
  const dx = new Float32Array(top.order);
  const dy = new Float32Array(top.order);
  const whole = new Packer(top, radii, new Uint32Array(top.order)).pack(Uint32Array.from(sizes.keys()), dx, dy) || 1;
  const positions = new Float32Array(2 * order);
  for (let node = 0; node < order; node++) {
    positions[2 * node] = (0.97 * (x[node]! + dx[place[node]!]!)) / whole;
    positions[2 * node + 1] = (0.97 * (y[node]! + dy[place[node]!]!)) / whole;
  }
  const rank = new Uint32Array(top.order);
  const bySize = Uint32Array.from(sizes.keys()).sort((a, b) => sizes[b]! - sizes[a]!);
  bySize.forEach((island, at) => (rank[island] = at));
  return { positions, islandOf: place.map((island) => rank[island]!), sizes: bySize.map((island) => sizes[island]!) };
}

/** Discs side by side, the greatest in the middle. */
export function packed(radii: Float32Array): { x: Float32Array; y: Float32Array; radius: number } {
  const order = radii.length;
  const x = new Float32Array(order);
  const y = new Float32Array(order);
  const none: Links = { order, offsets: new Uint32Array(order + 1), neighbours: new Uint32Array(0), weights: new Float32Array(0) };
  const radius = new Packer(none, radii, new Uint32Array(order)).pack(Uint32Array.from(radii.keys()), x, y) || 1;
  return { x, y, radius };
}

/** One more level, that gathers what is linked to nothing by kind and leaves all else as it is. */
function loners(links: Links, levels: Level[], kinds: Uint16Array): Level {
  let top = links;
  let place = Uint32Array.from({ length: links.order }, (_, node) => node);
  for (const level of levels) {
    place = place.map((thing) => level.of[thing]!);
    top = level.links;
  }
  const of = new Uint32Array(top.order);
  const alone = new Map<number, number>();
  const kindOf = new Int32Array(top.order).fill(-1);
  for (let node = 0; node < links.order; node++) if (links.offsets[node] === links.offsets[node + 1]) kindOf[place[node]!] = kinds[node]!;
  let count = 0;
  for (let thing = 0; thing < top.order; thing++) {
    const kind = kindOf[thing]!;
    if (kind < 0) of[thing] = count++;
    else {
      if (!alone.has(kind)) alone.set(kind, count++);
      of[thing] = alone.get(kind)!;
    }
  }
  const offsets = new Uint32Array(count + 1);
  const neighbours = new Uint32Array(top.neighbours.length);
  const weights = new Float32Array(top.neighbours.length);
  let at = 0;
  const { starts, members } = grouped(of, count, top.order);
  for (let group = 0; group < count; group++) {
    for (let member = starts[group]!; member < starts[group + 1]!; member++) {
      const thing = members[member]!;
      for (let link = top.offsets[thing]!; link < top.offsets[thing + 1]!; link++) {
        neighbours[at] = of[top.neighbours[link]!]!;
        weights[at++] = top.weights[link]!;
      }
    }
    offsets[group + 1] = at;
  }
  return { of, links: { order: count, offsets, neighbours, weights } };
}

/** Puts discs side by side: each as near as there is room to the middle of those that it is linked to and that have their place. */
class Packer {
  readonly #links: Links;
  readonly #radii: Float32Array;
  readonly #of: Uint32Array;
  readonly #done: Uint8Array;
  readonly #sums: Float64Array;

  constructor(links: Links, radii: Float32Array, of: Uint32Array) {
    this.#links = links;
    this.#radii = radii;
    this.#of = of;
    this.#done = new Uint8Array(links.order);
    this.#sums = new Float64Array(links.order);
  }

  /** Sets where each is, about (0, 0). @returns the radius of all */
  pack(things: Uint32Array, x: Float32Array, y: Float32Array): number {
    const radii = this.#radii;
    const [only] = things;
    if (things.length === 1) return radii[only!]!;
    const ordered = this.#order(things);
    let points = true;
    for (const thing of things) points &&= radii[thing] === 1;
    if (points) {
      // Single nodes: a sunflower.
      const step = 1.05;
      ordered.forEach((thing, rank) => {
        const radius = step * Math.sqrt(rank) * 1.1;
        x[thing] = radius * Math.cos(rank * GOLDEN);
        y[thing] = radius * Math.sin(rank * GOLDEN);
      });
      return step * (1.1 * Math.sqrt(ordered.length - 1) + 1);
    }
    return this.#place(ordered, x, y);
  }

  /** The best connected first, then what is linked to it, step by step; what is left follows in the same way, the greatest first. */
  #order(things: Uint32Array): Uint32Array {
    const { offsets, neighbours } = this.#links;
    const weight = (thing: number): number => this.#radii[thing]! ** 2 * 1e6 + (offsets[thing + 1]! - offsets[thing]!);
    const bySize = things.slice().sort((a, b) => weight(b) - weight(a));
    const ordered = new Uint32Array(things.length);
    let count = 0;
    let seen = 0;
    for (const first of bySize) {
      if (this.#done[first]) continue;
      this.#done[first] = 1;
      ordered[count++] = first;
      for (; seen < count; seen++) {
        const thing = ordered[seen]!;
        const group = this.#of[thing];
        for (let at = offsets[thing]!; at < offsets[thing + 1]!; at++) {
          const other = neighbours[at]!;
          if (this.#done[other] || this.#of[other] !== group) continue;
          this.#done[other] = 1;
          ordered[count++] = other;
        }
      }
    }
    return ordered;
  }

  #place(ordered: Uint32Array, x: Float32Array, y: Float32Array): number {
    const { offsets, neighbours, weights } = this.#links;
    const radii = this.#radii;
    let area = 0;
    let widest = 0;
    for (const thing of ordered) {
      area += radii[thing]! ** 2;
      widest = Math.max(widest, radii[thing]!);
    }
    const grid = new Grid(Math.max(2 * Math.sqrt(area / ordered.length), widest / 8), x, y, radii);
    const placed = this.#sums; // 1: has its place
    let rim = 0;
    ordered.forEach((thing, rank) => {
      const radius = radii[thing]! * GAP;
      let cx = 0;
      let cy = 0;
      let sum = 0;
      for (let at = offsets[thing]!; at < offsets[thing + 1]!; at++) {
        const other = neighbours[at]!;
        if (placed[other] !== 1 || this.#of[other] !== this.#of[thing]) continue;
        cx += weights[at]! * x[other]!;
        cy += weights[at]! * y[other]!;
        sum += weights[at]!;
      }
      const linked = sum > 0;
      if (linked) {
        cx /= sum;
        cy /= sum;
      }
      // Outwards on some rays, to the first room; what is linked to nothing looks where the last of its like found it.
      const outward = rank * GOLDEN;
      let near = Infinity;
      for (let ray = 0; ray < RAYS && rank > 0; ray++) {
        const angle = outward + (2 * Math.PI * ray) / RAYS;
        const found = grid.room(cx, cy, Math.cos(angle), Math.sin(angle), radius, linked ? 0 : 0.8 * rim, near);
        if (found >= near) continue;
        near = found;
        x[thing] = cx + found * Math.cos(angle);
        y[thing] = cy + found * Math.sin(angle);
      }
      if (!linked && rank > 0) rim = near;
      placed[thing] = 1;
      grid.add(thing);
    });
    // About the middle of them all.
    let mx = 0;
    let my = 0;
    for (const thing of ordered) {
      mx += (x[thing]! * radii[thing]! ** 2) / area;
      my += (y[thing]! * radii[thing]! ** 2) / area;
    }
    let reach = 0;
    for (const thing of ordered) {
      x[thing]! -= mx;
      y[thing]! -= my;
      reach = Math.max(reach, Math.hypot(x[thing]!, y[thing]!) + radii[thing]!);
      placed[thing] = 0;
    }
    return reach;
  }
}

/** Which discs touch which cells. */
class Grid {
  readonly #cells = new Map<number, number[]>();
  readonly #size: number;
  readonly #x: Float32Array;
  readonly #y: Float32Array;
  readonly #radii: Float32Array;

  constructor(size: number, x: Float32Array, y: Float32Array, radii: Float32Array) {
    this.#size = size;
    this.#x = x;
    this.#y = y;
    this.#radii = radii;
  }

  /** The cells of a square about a point, until `visit` answers something. */
  #about(x: number, y: number, radius: number, visit: (cell: number) => number): number {
    const right = Math.floor((x + radius) / this.#size);
    const top = Math.floor((y + radius) / this.#size);
    for (let column = Math.floor((x - radius) / this.#size); column <= right; column++) {
      for (let row = Math.floor((y - radius) / this.#size); row <= top; row++) {
        const found = visit((column + 32768) * 65536 + row + 32768);
        if (found >= 0) return found;
      }
    }
    return -1;
  }

  add(thing: number): void {
    this.#about(this.#x[thing]!, this.#y[thing]!, this.#radii[thing]!, (cell) => {
      const list = this.#cells.get(cell);
      if (list === undefined) this.#cells.set(cell, [thing]);
      else list.push(thing);
      return -1;
    });
  }

  /** A disc that leaves no room for one here, or -1. */
  #inTheWay(x: number, y: number, radius: number): number {
    return this.#about(x, y, radius, (cell) => {
      for (const other of this.#cells.get(cell) ?? []) {
        const room = radius + this.#radii[other]!;
        if ((this.#x[other]! - x) ** 2 + (this.#y[other]! - y) ** 2 < room * room) return other;
      }
      return -1;
    });
  }

  /** How far from a point, in a direction, there is room for a disc; not farther than `most`. Each disc in the way is passed in one step. */
  room(x: number, y: number, dx: number, dy: number, radius: number, from: number, most: number): number {
    for (let at = from; at < most; ) {
      const other = this.#inTheWay(x + at * dx, y + at * dy, radius);
      if (other < 0) return at;
      const along = (this.#x[other]! - x) * dx + (this.#y[other]! - y) * dy;
      const aside = (this.#x[other]! - x) * dy - (this.#y[other]! - y) * dx;
      const room = radius + this.#radii[other]!;
      at = Math.max(at + radius * 0.01, along + Math.sqrt(Math.max(0, room * room - aside * aside)) + radius * 1e-3);
    }
    return most;
  }
}
