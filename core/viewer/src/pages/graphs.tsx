/* The graphs of the file. */
import type { JSX } from 'preact';
import { all } from '../api';
import { count, line } from '../format';
import { useLive, useNow } from '../live';
import { href } from '../route';
import { Empty, Fault, Page, State, Waiting, When } from '../ui/parts';
import { Table } from '../ui/table';

export interface GraphRow {
  name: string;
  graph_type: string;
  status: string;
  nodes: number;
  edges: number;
  created_at: number;
  updated_at: number;
}

export function Graphs({ only }: { only?: 'call' }): JSX.Element {
  const { data, error, reload } = useLive((signal) => all<GraphRow>('graphs.list', only === undefined ? { limit: 1000 } : { limit: 1000, graph_type: only }, 10_000, signal), [only]);
  const now = useNow();
  const page = only === 'call' ? 'calls' : 'graph';
  return (
    <Page title={only === 'call' ? 'Calls' : 'Graphs'}>
      {error !== undefined && <Fault error={error} retry={reload} />}
      {data === undefined && error === undefined && <Waiting />}
      {data?.length === 0 &&
        (only === 'call' ? (
          <Empty title="No calls are recorded here">Graphs of the type “call” hold what was called, by whom, and how it ended. calls.publish and calls.project make one; graphs.import takes OpenTelemetry traces.</Empty>
        ) : (
          <Empty title="There are no graphs yet">graphs.create makes one, and graphs.import brings one from another library or file.</Empty>
        ))}
      {data !== undefined && data.length > 0 && (
        <Table
          label={only === 'call' ? 'Graphs of calls' : 'Graphs'}
          rows={data}
          keyOf={(row) => row.name}
          link={(row) => href(page, row.name)}
          columns={[
            { name: 'Name', cell: (row) => <bdi>{line(row.name, 80)}</bdi> },
            { name: 'Type', cell: (row) => <bdi>{line(row.graph_type, 60)}</bdi> },
            { name: 'Nodes', number: true, cell: (row) => count(row.nodes) },
            { name: 'Edges', number: true, cell: (row) => count(row.edges) },
            { name: 'Status', cell: (row) => <State value={row.status} /> },
            { name: 'Created', cell: (row) => <When at={row.created_at} now={now} /> },
          ]}
        />
      )}
    </Page>
  );
}
