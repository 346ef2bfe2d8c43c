/* The graph as a table: for whoever does not see the picture, and whoever wants to read. The same filters, the same node chosen. */
import type { JSX } from 'preact';
import { useEffect, useState } from 'preact/hooks';
import { call } from '../api';
import { count, line, value } from '../format';
import { useLive } from '../live';
import { Empty, Fault, Waiting } from '../ui/parts';
import { Table } from '../ui/table';
import type { Model } from './model';

interface Row {
  key: string;
  type: string | null;
  attributes: Record<string, unknown>;
}

const PAGE = 100;

export function NodeTable({ graph, model, type, filter, current, choose }: {
  graph: string;
  model: Model | undefined;
  /** Only of these, when it is one. */
  type: string | undefined;
  filter: Record<string, unknown> | undefined;
  current: string | undefined;
  choose: (key: string) => void;
}): JSX.Element {
  const [cursors, setCursors] = useState<string[]>([]);
  const [prefix, setPrefix] = useState('');
  const cursor = cursors.at(-1);
  const wanted = JSON.stringify([graph, type, filter, prefix]);
  useEffect(() => setCursors([]), [wanted]);
  const { data, error, reload } = useLive(
    (signal) =>
      call<{ items: Row[]; cursor: string | null }>(
        'nodes.list',
        { graph, limit: PAGE, ...(type === undefined ? {} : { type }), ...(filter === undefined ? {} : { filter }), ...(prefix === '' ? {} : { prefix }), ...(cursor === undefined ? {} : { cursor }) },
        signal,
      ),
    [wanted, cursor],
  );
  return (
    <div class="node-table">
      <div class="actions">
        <input type="search" aria-label="Keys that begin with" placeholder="key begins with" value={prefix} onInput={(event) => setPrefix(event.currentTarget.value)} />
        <button type="button" class="small" disabled={cursors.length === 0} onClick={() => setCursors(cursors.slice(0, -1))}>
          Previous
        </button>
        <button type="button" class="small" disabled={!data?.cursor} onClick={() => data?.cursor && setCursors([...cursors, data.cursor])}>
          Next
        </button>
      </div>
      {error !== undefined && <Fault error={error} retry={reload} />}
      {data === undefined && error === undefined && <Waiting />}
      {data?.items.length === 0 && <Empty title="No node is like that" />}
      {data !== undefined && data.items.length > 0 && (
        <Table
          label="Nodes"
          rows={data.items}
          keyOf={(row) => row.key}
          current={current}
          open={(row) => choose(row.key)}
          columns={[
            { name: 'Key', cell: (row) => <bdi>{line(row.key, 80)}</bdi> },
            { name: 'Type', cell: (row) => <bdi>{line(row.type ?? '', 40)}</bdi> },
            {
              name: 'Links',
              number: true,
              cell: (row) => {
                const node = model?.find(row.key);
                return node === undefined ? '–' : count(model?.degrees[node]);
              },
            },
            { name: 'Attributes', wide: true, cell: (row) => <bdi class="note">{Object.entries(row.attributes).map(([name, item]) => `${line(name, 30)}: ${value(item, 60)}`).join('   ')}</bdi> },
          ]}
        />
      )}
    </div>
  );
}
