/* What the file is and what is in it. */
import type { JSX } from 'preact';
import { type Info, all, call } from '../api';
import { bytes, count, line, moment, rate, span } from '../format';
import { useLive, useNow } from '../live';
import { href } from '../route';
import { Empty, Facts, Fault, Page, Section, State, Waiting, When } from '../ui/parts';
import { Table } from '../ui/table';
import type { GraphRow } from './graphs';
import type { QueueStats } from './queues';
import type { StreamStats } from './streams';

interface DbInfo {
  path: string;
  role: string;
  durability: string;
  version: string;
  sqlite_version: string;
  format: number;
  size: number;
  wal_size: number;
  graphs: number;
  nodes: number;
  edges: number;
  created_at: number;
  queues: number;
  jobs: number;
  streams: number;
  events: number;
  locks: number;
  schedules: number;
}

export function Overview({ info }: { info: Info }): JSX.Element {
  const { data, error, reload } = useLive(async (signal) => {
    const [db, graphs, queues, streams] = await Promise.all([
      call<DbInfo>('db.info', {}, signal),
      all<GraphRow>('graphs.list', { limit: 1000 }, 1000, signal),
      call<{ items: QueueStats[] }>('queues.stats', {}, signal),
      call<{ items: StreamStats[] }>('streams.stats', {}, signal),
    ]);
    return { db, graphs, queues: queues.items, streams: streams.items };
  }, []);
  const now = useNow();
  return (
    <Page title={info.file} note={data && <>brant {data.db.version} · format {data.db.format} · SQLite {data.db.sqlite_version} · durability {data.db.durability} · role {data.db.role}</>}>
      {error !== undefined && <Fault error={error} retry={reload} />}
      {data === undefined && error === undefined && <Waiting />}
      {data !== undefined && (
        <>
          <Facts
            items={[
              ['Nodes', count(data.db.nodes)],
              ['Edges', count(data.db.edges)],
              ['Jobs', count(data.db.jobs)],
              ['Events', count(data.db.events)],
              ['Schedules', count(data.db.schedules)],
              ['Locks', count(data.db.locks)],
              ['Size', bytes(data.db.size), `write-ahead log ${bytes(data.db.wal_size)}`],
              ['Created', <When at={data.db.created_at} now={now} />, moment(data.db.created_at)],
            ]}
          />
          <Section title="Graphs">
            {data.graphs.length === 0 ? (
              <Empty title="No graphs">graphs.create makes one.</Empty>
            ) : (
              <Table
                label="Graphs"
                rows={data.graphs.slice(0, 12)}
                keyOf={(row) => row.name}
                link={(row) => href(row.graph_type === 'call' ? 'calls' : 'graph', row.name)}
                columns={[
                  { name: 'Name', cell: (row) => <bdi>{line(row.name, 60)}</bdi> },
                  { name: 'Type', cell: (row) => <bdi>{line(row.graph_type, 40)}</bdi> },
                  { name: 'Nodes', number: true, cell: (row) => count(row.nodes) },
                  { name: 'Edges', number: true, cell: (row) => count(row.edges) },
                  { name: 'Status', cell: (row) => <State value={row.status} /> },
                ]}
              />
            )}
          </Section>
          <Section title="Queues">
            {data.queues.length === 0 ? (
              <Empty title="No queues">queues.enqueue makes one with its first job.</Empty>
            ) : (
              <Table
                label="Queues"
                rows={data.queues.slice(0, 12)}
                keyOf={(row) => row.queue}
                link={(row) => href('queue', row.queue)}
                columns={[
                  { name: 'Name', cell: (row) => <bdi>{line(row.queue, 60)}</bdi> },
                  { name: 'State', cell: (row) => <State value={row.state} /> },
                  { name: 'Ready', number: true, cell: (row) => count(row.ready) },
                  { name: 'Running', number: true, cell: (row) => count(row.running) },
                  { name: 'Dead', number: true, cell: (row) => <span class={row.dead > 0 ? 'bad' : undefined}>{count(row.dead)}</span> },
                  { name: 'Oldest', number: true, cell: (row) => (row.ready > 0 ? span(row.oldest_age) : '–') },
                ]}
              />
            )}
          </Section>
          <Section title="Streams">
            {data.streams.length === 0 ? (
              <Empty title="No streams">streams.publish makes one with its first event.</Empty>
            ) : (
              <Table
                label="Streams"
                rows={data.streams.slice(0, 12)}
                keyOf={(row) => row.stream}
                link={(row) => href('stream', row.stream)}
                columns={[
                  { name: 'Name', cell: (row) => <bdi>{line(row.stream, 60)}</bdi> },
                  { name: 'Events', number: true, cell: (row) => count(row.count) },
                  { name: 'Published', number: true, cell: (row) => rate(row.rates.published) },
                  { name: 'Greatest lag', number: true, cell: (row) => count(Math.max(0, ...row.consumers.map(({ lag }) => lag))) },
                ]}
              />
            )}
          </Section>
        </>
      )}
    </Page>
  );
}
