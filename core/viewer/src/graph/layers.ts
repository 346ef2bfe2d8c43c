/*
 * Nodes in layers, so that edges lead downwards: for call trees, dependencies and what else has few cycles. dagre lays out each part of the graph; the parts stand in rows, the greatest first. A cycle is
 * opened at some edge, which leads upwards then.
 */
import { graphlib, layout } from '@dagrejs/dagre';

export interface Layers {
  positions: Float32Array;
  /** Of each edge the points between its ends, x and y by turns: those of edge e are points[starts[e]] to points[starts[e + 1]]. */
  starts: Uint32Array;
  points: Float32Array;
  /** Pixels of the frame for one of `widths`. */
  scale: number;
}

/** Best where it takes no time. */
const EXACT = 150;
/** Between parts. */
const GAP = 48;
const HEIGHT = 36;
/** How much farther than wanted layers may be from each other, so that a wide graph is no thin line. */
const STRETCH = 8;
/** Pixels of the screen for one of the layout, at most. */
const NEAR = 1.4;

interface Part {
  nodes: number[];
  edges: number[];
  width: number;
  height: number;
  x: Float64Array;
  y: Float64Array;
  bends: Float64Array[];
  left: number;
  top: number;
}

/**
 * @param widths - of each node, pixels, its label included
 * @param frame - the room that there is, pixels: its width and its height
 */
export function layers(order: number, sources: Uint32Array, targets: Uint32Array, widths: Float32Array, frame: readonly [number, number]): Layers {
  const parts = partsOf(order, sources, targets);
  for (const part of parts) arrange(part, sources, targets, widths);
  const [width, height] = inRows(parts, frame[0] / frame[1]);

  // The box [-1, 1] is as big as the smaller side of the frame.
  const unit = 2 / Math.min(frame[0], frame[1]);
  const [fitAcross, fitDown] = [Math.min(NEAR, frame[0] / width), Math.min(NEAR, frame[1] / height)];
  const across = Math.min(fitAcross, fitDown * STRETCH);
  const down = Math.min(fitDown, fitAcross * STRETCH);
  const positions = new Float32Array(2 * order);
  const starts = new Uint32Array(sources.length + 1);
  const bends = new Array<Float64Array | undefined>(sources.length);
  for (const part of parts) {
    const x = (value: number): number => (part.left + value - width / 2) * across * unit;
    const y = (value: number): number => (height / 2 - part.top - value) * down * unit;
    part.nodes.forEach((node, slot) => {
      positions[2 * node] = x(part.x[slot]!);
      positions[2 * node + 1] = y(part.y[slot]!);
    });
    part.edges.forEach((edge, slot) => (bends[edge] = part.bends[slot]!.map((value, at) => (at % 2 === 0 ? x(value) : y(value)))));
  }
  bends.forEach((of, edge) => (starts[edge + 1] = of?.length ?? 0));
  for (let edge = 0; edge < sources.length; edge++) starts[edge + 1]! += starts[edge]!;
  const points = new Float32Array(starts[sources.length]!);
  bends.forEach((of, edge) => of !== undefined && points.set(of, starts[edge]!));
  return { positions, starts, points, scale: across };
}

/** What is linked, the greatest first. */
function partsOf(order: number, sources: Uint32Array, targets: Uint32Array): Part[] {
  const up = Uint32Array.from({ length: order }, (_, node) => node);
  const root = (node: number): number => {
    while (up[node] !== node) node = up[node] = up[up[node]!]!;
    return node;
  };
  for (let edge = 0; edge < sources.length; edge++) up[root(sources[edge]!)] = root(targets[edge]!);
  const parts = new Map<number, Part>();
  for (let node = 0; node < order; node++) {
    const name = root(node);
    if (!parts.has(name)) parts.set(name, { nodes: [], edges: [], width: 0, height: 0, x: new Float64Array(0), y: new Float64Array(0), bends: [], left: 0, top: 0 });
    parts.get(name)!.nodes.push(node);
  }
  for (let edge = 0; edge < sources.length; edge++) parts.get(root(sources[edge]!))!.edges.push(edge);
  return [...parts.values()].sort((a, b) => b.nodes.length - a.nodes.length);
}

function arrange(part: Part, sources: Uint32Array, targets: Uint32Array, widths: Float32Array): void {
  const { nodes, edges } = part;
  part.x = new Float64Array(nodes.length);
  part.y = new Float64Array(nodes.length);
  part.bends = edges.map(() => new Float64Array(0));
  if (nodes.length === 1) {
    part.width = widths[nodes[0]!]!;
    part.height = HEIGHT;
    part.x[0] = part.width / 2;
    part.y[0] = part.height / 2;
    return;
  }
  const graph = new graphlib.Graph<object, object, object>();
  graph.setGraph({ rankdir: 'TB', nodesep: 14, edgesep: 10, ranksep: 44, ranker: nodes.length <= EXACT ? 'network-simplex' : 'tight-tree' });
  for (const node of nodes) graph.setNode(String(node), { width: widths[node]!, height: HEIGHT });
  // Of parallel edges one; a loop takes no part.
  for (const edge of edges) if (sources[edge] !== targets[edge]) graph.setEdge(String(sources[edge]), String(targets[edge]), {});
  layout(graph);
  const size = graph.graph() as { width: number; height: number };
  part.width = size.width;
  part.height = size.height;
  nodes.forEach((node, slot) => {
    const at = graph.node(String(node)) as { x: number; y: number };
    part.x[slot] = at.x;
    part.y[slot] = at.y;
  });
  edges.forEach((edge, slot) => {
    if (sources[edge] === targets[edge]) return;
    const { points } = graph.edge(String(sources[edge]), String(targets[edge])) as { points: { x: number; y: number }[] };
    // The first and the last are where it leaves its nodes' boxes.
    const inner = points.slice(1, -1);
    if (inner.length > 1) part.bends[slot] = Float64Array.from(inner.flatMap(({ x, y }) => [x, y]));
  });
}

/** Places the parts in rows of about that shape. @returns the width and the height of all */
function inRows(parts: Part[], shape: number): [number, number] {
  const area = parts.reduce((sum, { width, height }) => sum + (width + GAP) * (height + GAP), 0);
  const most = Math.max(parts.reduce((wide, part) => Math.max(wide, part.width), 1), Math.sqrt(area * shape));
  let [left, top, row, width] = [0, 0, 0, 1];
  for (const part of parts) {
    if (left > 0 && left + part.width > most) {
      top += row + GAP;
      [left, row] = [0, 0];
    }
    part.left = left;
    part.top = top;
    left += part.width + GAP;
    row = Math.max(row, part.height);
    width = Math.max(width, left - GAP);
  }
  return [width, Math.max(1, top + row)];
}
