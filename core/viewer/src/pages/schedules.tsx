/* Schedules with their next runs, and locks with who holds them. */
import type { JSX } from 'preact';
import { useState } from 'preact/hooks';
import { type Info, all, call } from '../api';
import { count, line } from '../format';
import { useLive, useNow } from '../live';
import { href } from '../route';
import { Confirm, Empty, Fault, Page, type Question, Section, State, Waiting, When } from '../ui/parts';
import { Table } from '../ui/table';

interface Schedule {
  name: string;
  spec: string;
  timezone: string;
  queue: string;
  paused: boolean;
  next_at?: number;
  last_at?: number;
  fired: number;
}
interface Lock {
  name: string;
  owner: string;
  token: number;
  acquired_at: number;
  expires_at: number;
}

export function Schedules({ info }: { info: Info }): JSX.Element {
  const { data, error, reload } = useLive((signal) => all<Schedule>('schedules.list', { limit: 1000 }, 10_000, signal), []);
  const [question, setQuestion] = useState<Question>();
  const now = useNow();
  const ask = (title: string, text: string, action: string, operation: string, name: string): void =>
    setQuestion({
      title,
      text,
      action,
      run: async () => {
        await call(operation, { name });
        reload();
      },
    });
  return (
    <Page title="Schedules and locks">
      <Section title="Schedules">
        {error !== undefined && <Fault error={error} retry={reload} />}
        {data === undefined && error === undefined && <Waiting />}
        {data?.length === 0 && <Empty title="There are no schedules">schedules.set makes one.</Empty>}
        {data !== undefined && data.length > 0 && (
          <Table
            label="Schedules"
            rows={data}
            keyOf={(row) => row.name}
            link={(row) => href('queue', row.queue)}
            columns={[
              { name: 'Name', cell: (row) => <bdi>{line(row.name, 60)}</bdi> },
              { name: 'Spec', cell: (row) => <span class="mono">{line(row.spec, 60)}</span> },
              { name: 'Time zone', cell: (row) => line(row.timezone, 40) },
              { name: 'Queue', cell: (row) => <bdi>{line(row.queue, 40)}</bdi> },
              { name: 'Next', cell: (row) => (row.paused ? <State value="paused" /> : <When at={row.next_at} now={now} />) },
              { name: 'Last', cell: (row) => <When at={row.last_at} now={now} /> },
              { name: 'Fired', number: true, cell: (row) => count(row.fired) },
              ...(info.write
                ? [
                    {
                      name: 'Change',
                      cell: (row: Schedule) => (
                        <span class="actions">
                          <button type="button" class="small" onClick={() => ask('Run it now?', `“${line(row.name, 60)}” enqueues its job now, besides its times.`, 'Run', 'schedules.trigger', row.name)}>
                            Run
                          </button>
                          {row.paused ? (
                            <button type="button" class="small" onClick={() => ask('Resume the schedule?', `“${line(row.name, 60)}” fires again.`, 'Resume', 'schedules.resume', row.name)}>
                              Resume
                            </button>
                          ) : (
                            <button type="button" class="small" onClick={() => ask('Pause the schedule?', `“${line(row.name, 60)}” does not fire until it is resumed.`, 'Pause', 'schedules.pause', row.name)}>
                              Pause
                            </button>
                          )}
                        </span>
                      ),
                    },
                  ]
                : []),
            ]}
          />
        )}
      </Section>
      <Locks now={now} write={info.write} />
      {question !== undefined && <Confirm question={question} close={() => setQuestion(undefined)} />}
    </Page>
  );
}

function Locks({ now, write }: { now: number; write: boolean }): JSX.Element {
  const { data, error, reload } = useLive((signal) => all<Lock>('locks.list', { limit: 1000 }, 10_000, signal), []);
  const [question, setQuestion] = useState<Question>();
  const askToBreak = ({ name, owner }: Lock): void =>
    setQuestion({
      title: 'Break the lock?',
      text: `“${line(owner, 60)}” loses “${line(name, 60)}” now, and learns of it when it next refreshes its lease. It may still be at work: break the lock only if it is not, or stuck.`,
      action: 'Break',
      danger: true,
      run: async () => {
        await call('locks.break', { name });
        reload();
      },
    });
  return (
    <Section title="Locks">
      {error !== undefined && <Fault error={error} retry={reload} />}
      {data === undefined && error === undefined && <Waiting />}
      {data?.length === 0 && <Empty title="No lock is held">locks.acquire takes one.</Empty>}
      {data !== undefined && data.length > 0 && (
        <Table
          label="Locks"
          rows={data}
          keyOf={(row) => row.name}
          columns={[
            { name: 'Name', cell: (row) => <bdi>{line(row.name, 60)}</bdi> },
            { name: 'Owner', cell: (row) => <bdi>{line(row.owner, 60)}</bdi> },
            { name: 'Token', number: true, cell: (row) => row.token },
            { name: 'Taken', cell: (row) => <When at={row.acquired_at} now={now} /> },
            { name: 'Lease ends', cell: (row) => <When at={row.expires_at} now={now} /> },
            ...(write
              ? [
                  {
                    name: 'Change',
                    cell: (row: Lock) => (
                      <button type="button" class="small danger" aria-label={`Break the lock ${line(row.name, 60)}`} onClick={() => askToBreak(row)}>
                        Break
                      </button>
                    ),
                  },
                ]
              : []),
          ]}
        />
      )}
      {question !== undefined && <Confirm question={question} close={() => setQuestion(undefined)} />}
    </Section>
  );
}
