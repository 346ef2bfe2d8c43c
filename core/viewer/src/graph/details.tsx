/* One node: what it is, what it is linked to, and the ways on from it. */
import type { JSX } from 'preact';
import { useMemo, useState } from 'preact/hooks';
import { Failure, call } from '../api';
import { count, line } from '../format';
import { useLive, useNow } from '../live';
import { Attributes, Fault, Waiting, When } from '../ui/parts';
import type { Model } from './model';

interface GraphNode {
  key: string;
  type: string | null;
  attributes: Record<string, unknown>;
  metadata: Record<string, unknown>;
  revision: number;
  created_at: number;
  updated_at: number;
}

interface Props {
  graph: string;
  id: string;
  model: Model | undefined;
  /** Null: there is no walk. */
  expanded: boolean | null;
  choose: (key: string) => void;
  walk: () => void;
  collapse: () => void;
  pathFrom: () => void;
  close: () => void;
}

export function Details({ graph, id, model, expanded, choose, walk, collapse, pathFrom, close }: Props): JSX.Element {
  const { data, error, reload } = useLive((signal) => call<GraphNode>('nodes.get', { graph, key: id }, signal), [graph, id]);
  const now = useNow();
  const gone = error instanceof Failure && error.name === 'NOT_FOUND';
  return (
    <aside class="details" aria-label="Details">
      <header>
        <h2>
          <bdi>{line(id, 300)}</bdi>
        </h2>
        <button type="button" class="icon" aria-label="Close details" onClick={close}>
          ×
        </button>
      </header>
      {gone && <p class="note">This node is not in the graph any more.</p>}
      {error !== undefined && !gone && <Fault error={error} retry={reload} />}
      {data === undefined && error === undefined && <Waiting />}
      {data !== undefined && (
        <>
          <p class="note">
            {data.type !== null && (
              <>
                <bdi>{line(data.type, 80)}</bdi> ·{' '}
              </>
            )}
            revision {count(data.revision)} · <When at={data.updated_at} now={now} />
          </p>
          <div class="actions wrap">
            {expanded === true ? (
              <button type="button" class="small" onClick={collapse}>
                Collapse
              </button>
            ) : (
              <button type="button" class="small primary" onClick={walk}>
                {expanded === null ? 'Walk from here' : 'Expand'}
              </button>
            )}
            <button type="button" class="small" onClick={pathFrom}>
              Path from here
            </button>
          </div>
          <h3>Attributes</h3>
          <Attributes data={data.attributes} label="attributes" />
          {Object.keys(data.metadata).length > 0 && (
            <>
              <h3>Metadata</h3>
              <Attributes data={data.metadata} label="metadata" />
            </>
          )}
        </>
      )}
      {model !== undefined && <Neighbours model={model} id={id} choose={choose} />}
    </aside>
  );
}

function Neighbours({ model, id, choose }: { model: Model; id: string; choose: (key: string) => void }): JSX.Element | null {
  const [most, setMost] = useState<Record<string, number>>({});
  const node = model.find(id);
  // Not each second, with the ages.
  const groups = useMemo(() => {
    const found = new Map<string, { type: string; outward: boolean; nodes: number[] }>();
    for (const { node: other, edge, outward } of node === undefined ? [] : model.neighbours(node)) {
      const type = model.edgeType(edge);
      const name = `${outward ? '>' : '<'}${type}`;
      const group = found.get(name) ?? { type, outward, nodes: [] };
      group.nodes.push(other);
      found.set(name, group);
    }
    return found;
  }, [model, model.size, node]);
  if (node === undefined) return null;
  if (groups.size === 0) return <p class="note">Nothing is linked to it{model.whole ? '' : ' among what is shown'}.</p>;
  return (
    <>
      {[...groups].map(([name, { type, outward, nodes }]) => {
        const shown = most[name] ?? 20;
        return (
          <section key={name}>
            <h3>
              <span aria-hidden="true">{model.directed ? (outward ? '→ ' : '← ') : ''}</span>
              <span class="unseen">{outward ? 'outward: ' : 'inward: '}</span>
              <bdi>{line(type, 60) || (outward ? 'links to' : 'linked from')}</bdi> <span class="note">{count(nodes.length)}</span>
            </h3>
            <ul class="neighbours">
              {nodes.slice(0, shown).map((other, at) => (
                <li key={at}>
                  <button type="button" class="link" onClick={() => choose(model.keys[other]!)}>
                    <bdi>{line(model.keys[other]!, 90)}</bdi>
                  </button>
                </li>
              ))}
            </ul>
            {nodes.length > shown && (
              <button type="button" class="small" onClick={() => setMost({ ...most, [name]: shown + 200 })}>
                {count(nodes.length - shown)} more
              </button>
            )}
          </section>
        );
      })}
    </>
  );
}
