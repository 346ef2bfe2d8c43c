/* Where nodes are before anything is known but their type and degree: a sunflower of all, types as sectors, the best connected inside. Within [-1, 1]. */
import type { Model } from './model';

export function seed(model: Model, nodes: Uint32Array): Float32Array {
  const order = nodes.length;
  const positions = new Float32Array(2 * order);
  const byDegree = descending(nodes.length, (slot) => model.degrees[nodes[slot]!]!);
  const perType = new Float64Array(Math.max(1, model.nodeTypes.length));
  for (const node of nodes) perType[model.types[node]!]! += 1;
  const types = [...perType.keys()].filter((type) => perType[type]! > 0).sort((a, b) => perType[b]! - perType[a]!);
  const from = new Float64Array(perType.length);
  let angle = 0;
  for (const type of types) {
    from[type] = angle;
    angle += perType[type]! / order;
  }
  const placed = new Float64Array(perType.length);
  const GOLDEN = (3 - Math.sqrt(5)) / 2;
  for (const slot of byDegree) {
    const type = model.types[nodes[slot]!]!;
    const rank = placed[type]!++;
    const share = perType[type]! / order;
    const turn = 2 * Math.PI * (from[type]! + share * ((rank * GOLDEN) % 1));
    const radius = order === 1 ? 0 : 0.95 * Math.sqrt((rank + 0.5) / perType[type]!);
    positions[2 * slot] = radius * Math.cos(turn);
    positions[2 * slot + 1] = radius * Math.sin(turn);
  }
  return positions;
}

/** Places 0.. by their number, the greatest first, equal ones in their order: counted, since degrees are small and a first picture waits for it. */
function descending(length: number, numberOf: (place: number) => number): Uint32Array {
  let most = 0;
  for (let place = 0; place < length; place++) most = Math.max(most, numberOf(place));
  const starts = new Uint32Array(most + 2);
  for (let place = 0; place < length; place++) starts[most - numberOf(place) + 1]!++;
  for (let at = 0; at <= most; at++) starts[at + 1]! += starts[at]!;
  const sorted = new Uint32Array(length);
  for (let place = 0; place < length; place++) sorted[starts[most - numberOf(place)]!++] = place;
  return sorted;
}

/** Rings about the first: the nodes that are one step away from it, two steps, .. */
export function rings(depths: Uint16Array): Float32Array {
  const positions = new Float32Array(2 * depths.length);
  let deepest = 1;
  for (const depth of depths) deepest = Math.max(deepest, depth);
  const total = new Float64Array(deepest + 1);
  for (const depth of depths) total[depth]! += 1;
  const placed = new Float64Array(deepest + 1);
  depths.forEach((depth, slot) => {
    const turn = 2 * Math.PI * (placed[depth]!++ / total[depth]!) + depth;
    const radius = (0.85 * depth) / deepest;
    positions[2 * slot] = radius * Math.cos(turn);
    positions[2 * slot + 1] = radius * Math.sin(turn);
  });
  return positions;
}
