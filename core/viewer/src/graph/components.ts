/* A graph of several parts: each is laid out by itself, so that nothing pushes it together, and then they are put side by side, the greatest in the middle. */
import iterate from 'graphology-layout-forceatlas2/iterate.js';
import { islands, packed } from './islands';

/** Parts of more nodes than this are for a layout that shows how far it is. */
const MOST = 1000;

/** Undefined: it is one part, or has a big one. Within [-1, 1]. */
export function components(order: number, sources: Uint32Array, targets: Uint32Array, kinds: Uint16Array): Float32Array | undefined {
  const up = Uint32Array.from({ length: order }, (_, node) => node);
  const root = (node: number): number => {
    while (up[node] !== node) node = up[node] = up[up[node]!]!;
    return node;
  };
  for (let edge = 0; edge < sources.length; edge++) up[root(sources[edge]!)] = root(targets[edge]!);
  const parts = new Map<number, { nodes: number[]; sources: number[]; targets: number[] }>();
  const at = new Uint32Array(order);
  for (let node = 0; node < order; node++) {
    const name = root(node);
    const part = parts.get(name) ?? { nodes: [], sources: [], targets: [] };
    parts.set(name, part);
    at[node] = part.nodes.push(node) - 1;
  }
  const list = [...parts.values()];
  if (list.length < 2 || list.some(({ nodes }) => nodes.length > MOST)) return undefined;
  for (let edge = 0; edge < sources.length; edge++) {
    const part = parts.get(root(sources[edge]!))!;
    part.sources.push(at[sources[edge]!]!);
    part.targets.push(at[targets[edge]!]!);
  }
  const radii = new Float32Array(list.length);
  const laid = list.map((part, index) => {
    const positions = one(part.nodes.length, Uint32Array.from(part.sources), Uint32Array.from(part.targets), Uint16Array.from(part.nodes, (node) => kinds[node]!));
    for (let node = 0; node < part.nodes.length; node++) radii[index] = Math.max(radii[index]!, Math.hypot(positions[2 * node]!, positions[2 * node + 1]!));
    radii[index]! += 0.7;
    return positions;
  });
  const { x, y, radius } = packed(radii);
  const positions = new Float32Array(2 * order);
  list.forEach(({ nodes }, index) =>
    nodes.forEach((node, slot) => {
      positions[2 * node] = (0.97 * (x[index]! + laid[index]![2 * slot]!)) / radius;
      positions[2 * node + 1] = (0.97 * (y[index]! + laid[index]![2 * slot + 1]!)) / radius;
    }),
  );
  return positions;
}

/** One part, about (0, 0), so big that there is as much room for each node in all of them. */
function one(order: number, sources: Uint32Array, targets: Uint32Array, kinds: Uint16Array): Float32Array {
  if (order === 1) return new Float32Array(2);
  const { positions } = islands(order, sources, targets, kinds);
  const degrees = new Uint32Array(order);
  const edges = new Float32Array(3 * sources.length);
  for (let edge = 0; edge < sources.length; edge++) {
    degrees[sources[edge]!]!++;
    degrees[targets[edge]!]!++;
    edges.set([10 * sources[edge]!, 10 * targets[edge]!, 1], 3 * edge);
  }
  const nodes = new Float32Array(10 * order);
  for (let node = 0; node < order; node++) nodes.set([positions[2 * node]! * 100, positions[2 * node + 1]! * 100, 0, 0, 0, 0, 1 + degrees[node]!, 1, 1, 0], 10 * node);
  const settings = { linLogMode: false, outboundAttractionDistribution: false, adjustSizes: false, edgeWeightInfluence: 1, scalingRatio: 8, strongGravityMode: false, gravity: 0.5, slowDown: 1 + Math.log(order), barnesHutOptimize: order > 300, barnesHutTheta: 0.8 };
  for (let turn = order > 300 ? 150 : 250; turn > 0; turn--) iterate(settings, nodes, edges);
  let x = 0;
  let y = 0;
  let square = 0;
  for (let node = 0; node < order; node++) {
    x += nodes[10 * node]! / order;
    y += nodes[10 * node + 1]! / order;
  }
  for (let node = 0; node < order; node++) square += ((nodes[10 * node]! - x) ** 2 + (nodes[10 * node + 1]! - y) ** 2) / order;
  const scale = Math.sqrt(order) / (Math.sqrt(square) || 1);
  for (let node = 0; node < order; node++) {
    positions[2 * node] = (nodes[10 * node]! - x) * scale;
    positions[2 * node + 1] = (nodes[10 * node + 1]! - y) * scale;
  }
  return positions;
}
