/*
 * The layout, on a thread of its own. A big graph first gets that of its communities (islands.ts), in about a second, and may stay so; a small one of several parts is laid out part by part.
 * ForceAtlas2 refines it from there. Or nodes are put in layers (layers.ts), once. Positions go to the page as they become better, within [-1, 1].
 */
import iterate from 'graphology-layout-forceatlas2/iterate.js';
import { components } from './components';
import { islands } from './islands';
import { type Layers, layers } from './layers';

export interface LayoutStart {
  /** Says which layout positions belong to. */
  id: number;
  positions: Float32Array;
  sources: Uint32Array;
  targets: Uint32Array;
  /** ms between two answers, at least. */
  every: number;
  /** ms after which it is good enough. */
  budget: number;
  /** Of each node, any number: loners of a kind are put together. */
  kinds: Uint16Array;
  /** From nothing: the positions are not those of a layout before. */
  fresh: boolean;
  /** In layers in place of forces: how wide each node is with its label, and the room that there is, both in pixels. */
  layered?: { widths: Float32Array; frame: readonly [number, number] };
}
/** `hold`: leave the processor to others for so many ms. */
export type LayoutMessage = { start: LayoutStart } | { stop: true } | { hold: number };
export interface LayoutAnswer {
  id: number;
  positions: Float32Array;
  iterations: number;
  done: boolean;
  /** The community of each node, the greatest first; of big graphs, once. */
  islandOf?: Uint32Array;
  /** Of what is in layers: the ways of its edges. */
  ways?: Omit<Layers, 'positions'>;
}

/** Graphs of more nodes stay as their communities are, unless somebody asks for more; those of so few are laid out at once. */
const MANY = 20_000;
const SEVERAL = 5000;
const FEW = 500;
const PPN = 10;
const PPE = 3;
let running = 0;

let held = 0;

onmessage = ({ data }: MessageEvent<LayoutMessage>) => {
  if ('hold' in data) return void (held = performance.now() + data.hold);
  running++;
  if ('start' in data) void run(data.start, running);
};

const breath = (): Promise<void> =>
  new Promise((resolve) => {
    const { port1, port2 } = new MessageChannel();
    port1.onmessage = () => resolve();
    port2.postMessage(0);
  });

async function run({ id, positions, sources, targets, every, budget, kinds, fresh, layered }: LayoutStart, generation: number): Promise<void> {
  const order = positions.length / 2;
  const begun = performance.now();
  const say = (iterations: number, done: boolean, islandOf?: Uint32Array): void => {
    const answer: LayoutAnswer = { id, positions: positions.slice(), iterations, done, ...(islandOf === undefined ? {} : { islandOf }) };
    postMessage(answer, { transfer: [answer.positions.buffer] });
  };
  if (layered !== undefined) {
    const { positions: placed, ...ways } = layers(order, sources, targets, layered.widths, layered.frame);
    return postMessage({ id, positions: placed, iterations: 0, done: true, ways } satisfies LayoutAnswer, { transfer: [placed.buffer, ways.starts.buffer, ways.points.buffer] });
  }
  if (fresh && order <= SEVERAL) {
    const apart = components(order, sources, targets, kinds);
    if (apart !== undefined) {
      positions.set(apart);
      return say(0, true);
    }
  }
  if (fresh && order > FEW) {
    const made = islands(order, sources, targets, kinds);
    positions.set(made.positions);
    say(0, order > MANY, made.islandOf);
    if (order > MANY) return;
    await breath();
    if (running !== generation) return;
  }
  const degrees = new Uint32Array(order);
  for (let edge = 0; edge < sources.length; edge++) {
    degrees[sources[edge]!]!++;
    degrees[targets[edge]!]!++;
  }
  const scale = 10 * Math.sqrt(order) + 10;
  const nodes = new Float32Array(order * PPN);
  for (let node = 0; node < order; node++) {
    nodes[node * PPN] = positions[2 * node]! * scale;
    nodes[node * PPN + 1] = positions[2 * node + 1]! * scale;
    nodes[node * PPN + 6] = 1 + degrees[node]!;
    nodes[node * PPN + 7] = 1;
    nodes[node * PPN + 8] = 1;
  }
  const edges = new Float32Array(sources.length * PPE);
  for (let edge = 0; edge < sources.length; edge++) {
    edges[edge * PPE] = sources[edge]! * PPN;
    edges[edge * PPE + 1] = targets[edge]! * PPN;
    edges[edge * PPE + 2] = 1;
  }
  const settings = {
    linLogMode: false,
    outboundAttractionDistribution: false,
    adjustSizes: false,
    edgeWeightInfluence: 1,
    scalingRatio: order > 5000 ? 4 : 8,
    strongGravityMode: order > 5000,
    gravity: order > 5000 ? 0.02 : 1,
    slowDown: 1 + Math.log(order),
    barnesHutOptimize: order > 1000,
    barnesHutTheta: order > 20_000 ? 1.2 : 0.8,
  };
  let told = performance.now();
  // A small one is nearly there in the first picture.
  const first = order <= FEW && fresh ? 60 : 1;
  for (let iterations = 1; ; iterations++) {
    iterate(settings, nodes, edges);
    if (iterations < first) continue;
    const now = performance.now();
    const done = now - begun > budget || iterations >= (order <= FEW ? 400 : 2000);
    if (done || now - told >= every) {
      told = now;
      frame(nodes, positions);
      say(iterations, done);
    }
    if (done) return;
    await breath();
    while (performance.now() < held) await new Promise((resolve) => setTimeout(resolve, 50));
    if (running !== generation) return;
  }
}

/** Of the layout's own coordinates, those of the page: the middle in the middle, and nearly all inside. */
function frame(nodes: Float32Array, positions: Float32Array): void {
  const order = positions.length / 2;
  let x = 0;
  let y = 0;
  for (let node = 0; node < order; node++) {
    x += nodes[node * PPN]! / order;
    y += nodes[node * PPN + 1]! / order;
  }
  const radii = new Float32Array(order);
  for (let node = 0; node < order; node++) radii[node] = Math.hypot(nodes[node * PPN]! - x, nodes[node * PPN + 1]! - y);
  radii.sort();
  const most = radii[Math.max(0, Math.ceil(order * 0.995) - 1)]! || 1;
  for (let node = 0; node < order; node++) {
    positions[2 * node] = (0.95 * (nodes[node * PPN]! - x)) / most;
    positions[2 * node + 1] = (0.95 * (nodes[node * PPN + 1]! - y)) / most;
  }
}
