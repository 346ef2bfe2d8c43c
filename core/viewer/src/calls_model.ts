/* A graph of calls: who called whom, when, and how it ended. */
import { all } from './api';

export interface Call {
  key: string;
  operation: string;
  status: string;
  error: { code?: string; message?: string } | undefined;
  start: number;
  end: number | undefined;
  attributes: Record<string, unknown>;
  parent: Call | undefined;
  children: Call[];
  dependsOn: string[];
  links: string[];
}

export interface CallGraph {
  calls: Map<string, Call>;
  /** Those that nothing triggered, the newest first. */
  roots: Call[];
  /** There are more calls than were read. */
  more: boolean;
}

interface NodeRow {
  key: string;
  attributes: Record<string, unknown>;
  created_at: number;
}
interface EdgeRow {
  type: string | null;
  source: string;
  target: string;
}

export const MOST_CALLS = 20_000;

export async function loadCalls(graph: string, signal?: AbortSignal): Promise<CallGraph> {
  const [nodes, edges] = await Promise.all([
    all<NodeRow>('nodes.list', { graph, type: 'Call', limit: 5000 }, MOST_CALLS, signal),
    all<EdgeRow>('edges.list', { graph, limit: 5000 }, 3 * MOST_CALLS, signal),
  ]);
  const calls = new Map<string, Call>();
  for (const { key, attributes, created_at } of nodes) {
    const time = (name: string): number | undefined => (typeof attributes[name] === 'number' ? (attributes[name] as number) : undefined);
    const status = String(attributes['status'] ?? '');
    const error = attributes['error'] as Call['error'];
    calls.set(key, {
      key,
      operation: String(attributes['operation_id'] ?? key),
      status,
      error: error ?? (status === 'error' ? {} : undefined),
      start: time('started_at') ?? time('requested_at') ?? created_at,
      end: time('completed_at'),
      attributes,
      parent: undefined,
      children: [],
      dependsOn: [],
      links: [],
    });
  }
  for (const { type, source, target } of edges) {
    const from = calls.get(source);
    const to = calls.get(target);
    if (type === 'Triggered' && from !== undefined && to !== undefined && to.parent === undefined) {
      to.parent = from;
      from.children.push(to);
    } else if (type === 'DependsOn') from?.dependsOn.push(target);
    else if (type === 'Links') from?.links.push(target);
  }
  const roots: Call[] = [];
  for (const one of calls.values()) {
    one.children.sort((a, b) => a.start - b.start);
    if (one.parent === undefined) roots.push(one);
  }
  roots.sort((a, b) => b.start - a.start);
  return { calls, roots, more: nodes.length >= MOST_CALLS };
}

/** When the last of it ended; what still runs lasts until now. */
export function endOf(call: Call, now: number): number {
  let latest = call.start;
  const all = [call];
  for (let one = all.pop(); one !== undefined; one = all.pop()) {
    latest = Math.max(latest, one.end ?? (isRunning(one) ? now : one.start));
    all.push(...one.children);
  }
  return latest;
}

export function isRunning({ status }: Call): boolean {
  return status === 'requested' || status === 'running';
}

export function failed({ status, error }: Call): boolean {
  return status === 'error' || status === 'aborted' || error !== undefined;
}

export function anyFailed(call: Call): boolean {
  const all = [call];
  for (let one = all.pop(); one !== undefined; one = all.pop()) {
    if (failed(one)) return true;
    all.push(...one.children);
  }
  return false;
}

export interface Line {
  call: Call;
  depth: number;
}

/** The calls of a tree from above, those beneath closed ones left out. No recursion: a trace may be deep. */
export function lines(root: Call, closed: ReadonlySet<string>): Line[] {
  const found: Line[] = [];
  const open: Line[] = [{ call: root, depth: 0 }];
  for (let at = open.pop(); at !== undefined; at = open.pop()) {
    found.push(at);
    if (closed.has(at.call.key)) continue;
    for (let child = at.call.children.length - 1; child >= 0; child--) open.push({ call: at.call.children[child]!, depth: at.depth + 1 });
  }
  return found;
}
