/* Streams, and one of them: what it keeps, who reads it and how far behind they are, and the newest events. */
import type { JSX } from 'preact';
import { useEffect, useRef, useState } from 'preact/hooks';
import { call } from '../api';
import { count, line, rate, span, value } from '../format';
import { useLive, useNow } from '../live';
import { type Route, amend, href } from '../route';
import { Empty, Facts, Fault, Json, Page, Section, Waiting, When } from '../ui/parts';
import { Table } from '../ui/table';

interface ConsumerStats {
  name: string;
  kind: 'consumer' | 'group';
  offset: number;
  lag: number;
  lag_ms: number;
}
export interface StreamStats {
  stream: string;
  first: number;
  last: number;
  count: number;
  oldest_at?: number;
  newest_at?: number;
  rates: { published: number };
  consumers: ConsumerStats[];
}
interface Stream {
  stream: string;
  policy: { max_age: number | null; max_count: number | null; keep_unread: boolean; compact: boolean };
  trimmed_through: number;
}
interface StreamEvent {
  offset: number;
  key?: string;
  payload?: unknown;
  payload_base64?: string;
  created_at: number;
}

export function Streams(): JSX.Element {
  const { data, error, reload } = useLive(async (signal) => (await call<{ items: StreamStats[] }>('streams.stats', {}, signal)).items, []);
  const now = useNow();
  return (
    <Page title="Streams">
      {error !== undefined && <Fault error={error} retry={reload} />}
      {data === undefined && error === undefined && <Waiting />}
      {data?.length === 0 && <Empty title="There are no streams">streams.publish makes one with its first event.</Empty>}
      {data !== undefined && data.length > 0 && (
        <Table
          label="Streams"
          rows={data}
          keyOf={(row) => row.stream}
          link={(row) => href('stream', row.stream)}
          columns={[
            { name: 'Name', cell: (row) => <bdi>{line(row.stream, 80)}</bdi> },
            { name: 'Head', number: true, cell: (row) => count(row.last) },
            { name: 'Kept', number: true, cell: (row) => count(row.count) },
            { name: 'Published', number: true, cell: (row) => rate(row.rates.published) },
            { name: 'Newest', cell: (row) => <When at={row.newest_at} now={now} /> },
            { name: 'Consumers', number: true, cell: (row) => count(row.consumers.length) },
            { name: 'Greatest lag', number: true, cell: (row) => count(Math.max(0, ...row.consumers.map(({ lag }) => lag))) },
          ]}
        />
      )}
    </Page>
  );
}

/** How much of what is kept a consumer has not processed. */
function Lag({ consumer, stats }: { consumer: ConsumerStats; stats: StreamStats }): JSX.Element {
  const share = stats.count === 0 ? 0 : Math.min(1, consumer.lag / stats.count);
  return (
    <span class="lag">
      <meter class={share > 0.5 ? 'bad' : share > 0.1 ? 'warn' : 'good'} min={0} max={1} value={share} aria-label={`${consumer.name}: lag ${consumer.lag} of ${stats.count} events`} />
    </span>
  );
}

export function StreamPage({ route }: { route: Route }): JSX.Element {
  const stream = route.name ?? '';
  const before = route.query.get('before');
  const open = route.query.get('event');
  const { data, error, reload } = useLive(
    async (signal) => {
      const [stats, row, events] = await Promise.all([
        call<StreamStats>('streams.stats', { stream }, signal),
        call<Stream>('streams.get', { stream }, signal),
        call<{ items: StreamEvent[]; next?: number }>('streams.read', { stream, reverse: true, limit: 50, ...(before === null ? {} : { after: Number(before) }) }, signal),
      ]);
      return { stats, row, events };
    },
    [stream, before],
  );
  const now = useNow();
  const policy = data?.row.policy;
  return (
    <Page
      title={stream}
      note={
        policy && (
          <>
            Stream, keeps {policy.compact ? 'the newest of each key' : policy.max_age === null && policy.max_count === null ? 'all events' : ''}
            {policy.max_count !== null && ` ${count(policy.max_count)} events`}
            {policy.max_age !== null && ` for ${span(policy.max_age)}`}
            {policy.keep_unread && ', and what is unread'}
          </>
        )
      }
    >
      {error !== undefined && <Fault error={error} retry={reload} />}
      {data === undefined && error === undefined && <Waiting />}
      {data !== undefined && (
        <>
          <Facts
            items={[
              ['Head', count(data.stats.last)],
              ['First kept', count(data.stats.first)],
              ['Kept', count(data.stats.count)],
              ['Published', rate(data.stats.rates.published), 'over the last 5 minutes'],
              ['Oldest', <When at={data.stats.oldest_at} now={now} />],
              ['Newest', <When at={data.stats.newest_at} now={now} />],
              ['Trimmed through', count(data.row.trimmed_through)],
            ]}
          />
          <Section title="Consumers">
            {data.stats.consumers.length === 0 ? (
              <Empty title="Nobody reads this stream by name" />
            ) : (
              <Table
                label="Consumers"
                rows={data.stats.consumers.toSorted((a, b) => b.lag - a.lag)}
                keyOf={(row) => `${row.kind} ${row.name}`}
                columns={[
                  { name: 'Name', cell: (row) => <bdi>{line(row.name, 80)}</bdi> },
                  { name: 'Kind', cell: (row) => row.kind },
                  { name: 'Offset', number: true, cell: (row) => count(row.offset) },
                  { name: 'Lag', number: true, cell: (row) => count(row.lag) },
                  { name: 'Share of what is kept', wide: true, cell: (row) => <Lag consumer={row} stats={data.stats} /> },
                  { name: 'Behind', number: true, cell: (row) => (row.lag === 0 ? '–' : span(row.lag_ms)) },
                ]}
              />
            )}
          </Section>
          <Section title={before === null ? 'Latest events' : `Events before ${before}`}>
            {data.events.items.length === 0 ? (
              <Empty title="No events" />
            ) : (
              <Table
                label="Events"
                rows={data.events.items}
                keyOf={(row) => row.offset}
                nameOf={(row) => `Event ${row.offset}`}
                current={open === null ? undefined : Number(open)}
                open={(row) => amend({ event: String(row.offset) === open ? undefined : String(row.offset) })}
                detail={(row) => <Json data={row.payload_base64 ?? row.payload} label={`Payload of event ${row.offset}`} />}
                columns={[
                  { name: 'Offset', cell: (row) => row.offset },
                  { name: 'Key', cell: (row) => <bdi>{line(row.key ?? '', 40)}</bdi> },
                  { name: 'Published', cell: (row) => <When at={row.created_at} now={now} /> },
                  { name: 'Payload', wide: true, cell: (row) => <bdi class="note mono">{row.payload_base64 === undefined ? value(row.payload, 160) : `bytes ${line(row.payload_base64, 60)}`}</bdi> },
                ]}
              />
            )}
            <div class="actions">
              <button type="button" class="small" disabled={before === null} onClick={() => amend({ before: undefined, event: undefined })}>
                Newest
              </button>
              <button type="button" class="small" disabled={data.events.next === undefined} onClick={() => amend({ before: String(data.events.next), event: undefined })}>
                Older
              </button>
            </div>
          </Section>
        </>
      )}
    </Page>
  );
}

interface Channel {
  channel: string;
  count: number;
  newest_at?: number;
}
interface Notification {
  id?: number;
  channel: string;
  payload?: unknown;
  payload_base64?: string;
  created_at?: number;
  gap?: { from: number; to: number };
}

/** What is said on channels, as it is said. */
export function Feed({ route }: { route: Route }): JSX.Element {
  const pattern = route.query.get('channels') ?? '*';
  const [draft, setDraft] = useState(pattern);
  const [paused, setPaused] = useState(false);
  const { heard, fault } = useHeard(pattern, paused);
  const { data } = useLive(async (signal) => (await call<{ items: Channel[] }>('events.channels', { limit: 200 }, signal)).items, []);
  const now = useNow();
  return (
    <Page
      title="Notifications"
      note="What is committed from now on, as it is committed."
      actions={
        <form
          class="row"
          onSubmit={(event) => {
            event.preventDefault();
            amend({ channels: draft === '*' ? undefined : draft });
          }}
        >
          <label>
            <span class="note">Channels</span>
            <input title="* stands for any text, ? for one letter" value={draft} onInput={(event) => setDraft(event.currentTarget.value)} />
          </label>
          <button type="submit">Listen</button>
          <button type="button" aria-pressed={paused} onClick={() => setPaused(!paused)}>
            {paused ? 'Go on' : 'Pause'}
          </button>
        </form>
      }
    >
      {fault && <Fault error={new Error('the server does not take these channels, or does not answer')} />}
      <div role="log" aria-label="Notifications" aria-live={paused ? 'off' : 'polite'}>
        {heard.length === 0 ? (
          <Empty title="Nothing yet">Writes to graphs say so on graph:*, nodes:* and edges:*; events.notify says what you like.</Empty>
        ) : (
          <Table
            label="Notifications"
            rows={heard}
            keyOf={(row) => row.serial}
            columns={[
              { name: 'Channel', cell: (row) => <bdi>{line(row.channel, 60)}</bdi> },
              { name: 'When', cell: (row) => <When at={row.created_at} now={now} /> },
              { name: 'Payload', wide: true, cell: (row) => <bdi class="note mono">{row.gap !== undefined ? `missed ${row.gap.from} to ${row.gap.to}` : row.payload_base64 === undefined ? value(row.payload, 300) : `bytes ${line(row.payload_base64, 60)}`}</bdi> },
            ]}
          />
        )}
      </div>
      <Section title="Channels">
        {data === undefined || data.length === 0 ? (
          <Empty title="No notification is kept" />
        ) : (
          <Table
            label="Channels"
            rows={data}
            keyOf={(row) => row.channel}
            link={(row) => href('feed', undefined, { channels: row.channel.replace(/[*?[\\]/g, '\\$&') })}
            columns={[
              { name: 'Channel', cell: (row) => <bdi>{line(row.channel, 80)}</bdi> },
              { name: 'Kept', number: true, cell: (row) => count(row.count) },
              { name: 'Newest', cell: (row) => <When at={row.newest_at} now={now} /> },
            ]}
          />
        )}
      </Section>
    </Page>
  );
}


const KEPT = 200;

/** The newest first; many at once are one change of the page. */
function useHeard(pattern: string, paused: boolean): { heard: (Notification & { serial: number })[]; fault: boolean } {
  const [heard, setHeard] = useState<(Notification & { serial: number })[]>([]);
  const [fault, setFault] = useState(false);
  const serial = useRef(0);
  useEffect(() => setHeard([]), [pattern]);
  useEffect(() => {
    if (paused) return;
    const source = new EventSource(`/events?channels=${encodeURIComponent(pattern)}`);
    let waiting: (Notification & { serial: number })[] = [];
    let timer: ReturnType<typeof setTimeout> | undefined;
    source.onopen = () => setFault(false);
    source.onerror = () => setFault(true);
    source.onmessage = ({ data }: MessageEvent<string>) => {
      waiting.unshift({ ...(JSON.parse(data) as Notification), serial: serial.current++ });
      if (waiting.length > KEPT) waiting.length = KEPT;
      timer ??= setTimeout(() => {
        timer = undefined;
        const fresh = waiting;
        waiting = [];
        setHeard((before) => [...fresh, ...before].slice(0, KEPT));
      }, 200);
    };
    return () => {
      clearTimeout(timer);
      source.close();
    };
  }, [pattern, paused]);
  return { heard, fault };
}
