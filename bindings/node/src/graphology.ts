/*
 * Graphs of graphology, which is never loaded here: its class is passed in. What travels is graphology's own serialised form,
 * which the library reads and writes.
 */
import type { Connection } from './connection.js';
import { BrantError } from './error.js';
import type { GraphologyConstructor, GraphologyGraph, SerializedGraphology } from './exchange.js';
import { parse, stringify } from './json.js';
import { native } from './native.js';
import type { JsonObject } from './types.js';

export interface FromGraphologyOptions {
  graphType?: string | undefined;
  /** The type of nodes that say none, in a graph type with several. */
  nodeType?: string | undefined;
  edgeType?: string | undefined;
  ownerId?: string | null | undefined;
  projectId?: string | null | undefined;
}

/** A graph of graphology's made of a document in its form. */
export function toGraphology<G extends GraphologyGraph>(constructor: GraphologyConstructor<G>, text: string): G {
  const document = parse(text, 'exact') as SerializedGraphology;
  const graph = new constructor(document.options);
  graph.import(document as never);
  return graph;
}

export function fromGraphology(
  connection: Connection,
  name: string,
  graph: GraphologyGraph,
  options: FromGraphologyOptions = {},
): void {
  const { nodeType, edgeType, graphType, ownerId, projectId } = options;
  const text = stringify(graph.export());
  connection.invoke(native.brant_transaction_begin, {});
  try {
    connection.invoke(native.brant_graph_create, {
      name,
      graph_type: graphType ?? untypedFor(connection, graph),
      owner_id: ownerId,
      project_id: projectId,
    });
    connection.invoke(native.brant_graph_import, {
      graph: name,
      format: 'graphology',
      text,
      node_type: nodeType,
      edge_type: edgeType,
      mode: 'insert',
    });
    connection.invoke(native.brant_transaction_commit, {});
  } catch (error) {
    connection.invoke(native.brant_transaction_rollback, {});
    throw error;
  }
}

/** A graph type without types for such graphs; `open` where it fits, else one that is defined for them. */
function untypedFor(connection: Connection, graph: GraphologyGraph): string {
  const { type, multi, allowSelfLoops } = graph;
  if (type === 'directed' && !multi && allowSelfLoops) return 'open';
  const name = ['open', type, ...(multi ? ['multi'] : []), ...(allowSelfLoops ? [] : ['loopless'])].join('_');
  const properties: JsonObject = {
    directed: { const: type },
    multi: { const: multi },
    allow_self_loops: { const: allowSelfLoops },
  };
  const module = { $id: name, $defs: { Config: { type: 'object', properties } } };
  try {
    connection.invoke(native.brant_graph_type_define, { module });
  } catch (error) {
    // Somebody has changed it since: it may do all the same.
    if (!(error instanceof BrantError) || error.code !== 'EXISTS') throw error;
  }
  return name;
}
