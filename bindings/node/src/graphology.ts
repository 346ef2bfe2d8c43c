/*
 * Graphs of graphology, which is never loaded here: its class is passed in. What travels is graphology's own serialised form,
 * which the library reads and writes.
 */
import type { Connection } from './connection.js';
import { BrantError } from './error.js';
import type { GraphologyConstructor, GraphologyGraph, SerializedGraphology } from './exchange.js';
import { type Integers, parse, stringify } from './json.js';
import { native } from './native.js';

export interface FromGraphologyOptions {
  /** Default: one without types that fits: `open`, `open_undirected`, `open_mixed`, with `_multi` and `_loopless`; defined if need be. */
  graphType?: string | undefined;
  /** The type of nodes that say none, in a graph type with several. */
  nodeType?: string | undefined;
  edgeType?: string | undefined;
  ownerId?: string | null | undefined;
  projectId?: string | null | undefined;
}

/** A graph of graphology's made of a document in its form. */
export function toGraphology<G extends GraphologyGraph>(constructor: GraphologyConstructor<G>, text: string, integers: Integers): G {
  const document = parse(text, integers) as SerializedGraphology;
  for (const edge of document.edges) edge.key ??= derivedKey(edge, document.options.type);
  const graph = new constructor(document.options);
  graph.import(document as never);
  return graph;
}

/**
 * The key of an edge that the document leaves out since it follows from the ends. Without it graphology would invent one, which would be
 * the edge's own from then on.
 */
function derivedKey({ source, target, attributes, undirected }: SerializedGraphology['edges'][number], direction: string): string {
  const type = attributes?.['@type'] ?? null;
  const both = direction === 'undirected' || undirected === true;
  const [first, second] = both && Buffer.compare(Buffer.from(source), Buffer.from(target)) > 0 ? [target, source] : [source, target];
  return stringify([first, type, second, ...(undirected === true ? ['undirected'] : [])]);
}

export function fromGraphology(
  connection: Connection,
  name: string,
  graph: GraphologyGraph,
  options: FromGraphologyOptions = {},
): void {
  const { graphType, nodeType, edgeType, ownerId, projectId } = options;
  const document = graph.export() as SerializedGraphology;
  connection.transact('write', () => {
    if (graphType !== undefined) {
      connection.invoke(native.brant_graph_create, { name, graph_type: graphType, metadata: document.attributes });
    } else if (exists(connection, name)) {
      throw new BrantError('EXISTS', `there is a graph ${stringify(name)}`);
    }
    connection.invoke(native.brant_graph_import, {
      graph: name,
      format: 'graphology',
      text: stringify(document),
      create: graphType === undefined,
      node_type: nodeType,
      edge_type: edgeType,
      mode: 'insert',
    });
    if (ownerId !== undefined || projectId !== undefined) {
      connection.invoke(native.brant_graph_update, { name, owner_id: ownerId, project_id: projectId });
    }
  });
}

function exists(connection: Connection, name: string): boolean {
  try {
    connection.invoke(native.brant_graph_get, { name });
    return true;
  } catch (error) {
    if (error instanceof BrantError && error.code === 'NOT_FOUND') return false;
    throw error;
  }
}
