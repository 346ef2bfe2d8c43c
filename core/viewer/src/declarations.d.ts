declare module 'graphology-layout-forceatlas2/iterate.js' {
  /** One iteration, in place: 10 numbers a node, 3 an edge, see the package's helpers. */
  export default function iterate(options: object, nodes: Float32Array, edges: Float32Array): object;
}
