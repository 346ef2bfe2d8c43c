/* Queues, and one of them: how deep it is, how old, how fast, and its jobs with what went wrong. What changes something is there only with write access, and asks first. */
import type { JSX } from 'preact';
import { useState } from 'preact/hooks';
import { type Info, call } from '../api';
import { count, line, rate, span, value } from '../format';
import { useLive, useNow } from '../live';
import { type Route, amend, href } from '../route';
import { Confirm, Empty, Facts, Fault, Json, Page, type Question, Section, State, Text, Waiting, When, tone } from '../ui/parts';
import { Table } from '../ui/table';

interface Histogram {
  count: number;
  p50: number;
  p95: number;
  p99: number;
}
export interface QueueStats {
  queue: string;
  state: 'active' | 'paused' | 'draining';
  ready: number;
  delayed: number;
  blocked: number;
  running: number;
  done: number;
  dead: number;
  cancelled: number;
  expired: number;
  oldest_age: number;
  next_run_at?: number;
  enqueued: number;
  completed: number;
  failed: number;
  retried: number;
  died: number;
  rates: { enqueued: number; completed: number; failed: number };
  wait: Histogram;
  run: Histogram;
}
const STATES = ['ready', 'delayed', 'blocked', 'running', 'done', 'dead', 'cancelled', 'expired'] as const;
type JobState = (typeof STATES)[number];

interface Job {
  id: number;
  queue: string;
  state: JobState;
  priority: number;
  payload?: unknown;
  payload_base64?: string;
  key?: string;
  attempt: number;
  max_attempts: number;
  run_at?: number;
  lease_until?: number;
  expires_at?: number;
  worker?: string;
  claimed_at?: number;
  finished_at?: number;
  progress?: unknown;
  result?: unknown;
  errors: { attempt: number; at: number; worker?: string; message: string; stack?: string }[];
  after: number[];
  cancel_requested: boolean;
  schedule?: string;
  created_at: number;
}

/** A share, as 0.4, 40 of 100 as {"done": 40, "total": 100}, or as {"percent": 40}: a bar; whatever else a worker says: as it said it. */
function shareOf(progress: unknown): number | undefined {
  if (typeof progress === 'number') return progress >= 0 && progress <= 1 ? progress : undefined;
  if (typeof progress !== 'object' || progress === null) return undefined;
  const { done, completed = done, total, percent } = progress as Record<string, unknown>;
  if (typeof completed === 'number' && typeof total === 'number' && total > 0) return Math.min(1, Math.max(0, completed / total));
  return typeof percent === 'number' ? Math.min(1, Math.max(0, percent / 100)) : undefined;
}

function Progress({ data }: { data: unknown }): JSX.Element {
  const share = shareOf(data);
  return (
    <>
      {share !== undefined && (
        <p class="share">
          <meter aria-label="Progress" min={0} max={1} value={share} /> {Math.round(share * 100)} %
        </p>
      )}
      {(share === undefined || typeof data === 'object') && <Json data={data} label="Progress" />}
    </>
  );
}

/** Two spans of time, the unit once where it is that of both. */
function spans(one: number, other: number): string {
  const [first, second] = [span(one), span(other)];
  const [number, unit, ...rest] = first.split(' ');
  return rest.length === 0 && second.endsWith(` ${unit}`) && second.split(' ').length === 2 ? `${number} / ${second}` : `${first} / ${second}`;
}

/** How many jobs are in which state, as one bar. */
function Depth({ stats }: { stats: QueueStats }): JSX.Element {
  const shown = STATES.filter((state) => stats[state] > 0);
  const total = shown.reduce((sum, state) => sum + stats[state], 0);
  if (total === 0) return <span class="note">empty</span>;
  return (
    <span class="depth" role="img" aria-label={shown.map((state) => `${count(stats[state])} ${state}`).join(', ')}>
      {shown.map((state) => (
        <span key={state} class={`part ${tone(state)} ${state}`} style={{ flexGrow: stats[state] }} title={`${state}: ${count(stats[state])}`} />
      ))}
    </span>
  );
}

export function Queues(): JSX.Element {
  const { data, error, reload } = useLive(async (signal) => (await call<{ items: QueueStats[] }>('queues.stats', {}, signal)).items, []);
  return (
    <Page title="Queues">
      {error !== undefined && <Fault error={error} retry={reload} />}
      {data === undefined && error === undefined && <Waiting />}
      {data?.length === 0 && <Empty title="There are no queues">queues.enqueue makes one with its first job.</Empty>}
      {data !== undefined && data.length > 0 && (
        <Table
          label="Queues"
          rows={data}
          keyOf={(row) => row.queue}
          link={(row) => href('queue', row.queue)}
          columns={[
            { name: 'Name', cell: (row) => <bdi>{line(row.queue, 80)}</bdi> },
            { name: 'State', cell: (row) => <State value={row.state} /> },
            { name: 'Jobs', cell: (row) => <Depth stats={row} /> },
            { name: 'Ready', number: true, cell: (row) => count(row.ready) },
            { name: 'Running', number: true, cell: (row) => count(row.running) },
            { name: 'Dead', number: true, cell: (row) => <span class={row.dead > 0 ? 'bad' : undefined}>{count(row.dead)}</span> },
            { name: 'Oldest', number: true, cell: (row) => (row.ready > 0 ? span(row.oldest_age) : '–') },
            { name: 'In', number: true, cell: (row) => rate(row.rates.enqueued) },
            { name: 'Done', number: true, cell: (row) => rate(row.rates.completed) },
            { name: 'Failed', number: true, cell: (row) => rate(row.rates.failed) },
          ]}
        />
      )}
    </Page>
  );
}

const PAGE = 100;

export function QueuePage({ route, info }: { route: Route; info: Info }): JSX.Element {
  const queue = route.name ?? '';
  const state = STATES.find((known) => known === route.query.get('state'));
  const after = Number(route.query.get('after') ?? 0);
  const open = route.query.get('job');
  const [question, setQuestion] = useState<Question>();
  const { data, error, reload } = useLive(
    async (signal) => {
      const [stats, jobs] = await Promise.all([
        call<QueueStats>('queues.stats', { queue }, signal),
        call<{ items: Job[]; next?: number }>('jobs.list', { queue, limit: PAGE, ...(state === undefined ? {} : { state }), ...(after > 0 ? { after } : {}) }, signal),
      ]);
      return { stats, jobs };
    },
    [queue, state, after],
  );
  const now = useNow();
  const ask = (title: string, text: string, action: string, operation: string, input: object, danger = false): void =>
    setQuestion({
      title,
      text,
      action,
      danger,
      run: async () => {
        await call(operation, input);
        if (operation === 'jobs.delete') amend({ job: undefined }, true);
        reload();
      },
    });
  const stats = data?.stats;
  const name = line(queue, 60);
  return (
    <Page
      title={queue}
      note={stats && <>Queue, <State value={stats.state} /></>}
      actions={
        info.write &&
        stats && (
          <>
            {stats.state === 'active' ? (
              <button type="button" onClick={() => ask('Pause the queue?', `Workers claim no more jobs of “${name}” until it is resumed. What runs is finished.`, 'Pause', 'queues.pause', { queue })}>
                Pause
              </button>
            ) : (
              <button type="button" onClick={() => ask('Resume the queue?', `Workers claim jobs of “${name}” again.`, 'Resume', 'queues.resume', { queue })}>
                Resume
              </button>
            )}
            {stats.dead > 0 && (
              <button
                type="button"
                onClick={() => ask('Requeue all dead jobs?', `${count(stats.dead)} dead jobs become ready again, the oldest first, at most 1000 at once.`, 'Requeue', 'jobs.requeue_many', { queue, state: 'dead', limit: 1000 })}
              >
                Requeue dead
              </button>
            )}
          </>
        )
      }
    >
      {error !== undefined && <Fault error={error} retry={reload} />}
      {data === undefined && error === undefined && <Waiting />}
      {stats !== undefined && (
        <Facts
          items={[
            ['Oldest ready', stats.ready > 0 ? span(stats.oldest_age) : '–'],
            ['In', rate(stats.rates.enqueued), 'over the last 5 minutes'],
            ['Completed', rate(stats.rates.completed), 'over the last 5 minutes'],
            ['Failed', rate(stats.rates.failed), 'over the last 5 minutes'],
            ['Waited, p50 / p95', stats.wait.count > 0 ? spans(stats.wait.p50, stats.wait.p95) : '–'],
            ['Ran, p50 / p95', stats.run.count > 0 ? spans(stats.run.p50, stats.run.p95) : '–'],
            ['Ever enqueued', count(stats.enqueued)],
            ['Retried', count(stats.retried)],
          ]}
        />
      )}
      {stats !== undefined && <Depth stats={stats} />}
      {stats !== undefined && (
        <div class="tabs" role="group" aria-label="Filter by state">
          <button type="button" aria-pressed={state === undefined} onClick={() => amend({ state: undefined, after: undefined, job: undefined })}>
            All
          </button>
          {STATES.map((one) => (
            <button key={one} type="button" aria-pressed={state === one} onClick={() => amend({ state: one, after: undefined, job: undefined })}>
              {one} <span class="note">{count(stats[one])}</span>
            </button>
          ))}
        </div>
      )}
      {data !== undefined && open !== null && !data.jobs.items.some(({ id }) => String(id) === open) && <JobDetails id={Number(open)} write={info.write} ask={ask} now={now} />}
      {data !== undefined && data.jobs.items.length === 0 && <Empty title={state === undefined ? 'The queue has no jobs' : `No job is ${state}`} />}
      {data !== undefined && data.jobs.items.length > 0 && (
        <Table
          label="Jobs"
          rows={data.jobs.items}
          keyOf={(row) => row.id}
          current={open === null ? undefined : Number(open)}
          nameOf={(row) => `Job ${row.id}`}
          open={(row) => amend({ job: String(row.id) === open ? undefined : String(row.id) })}
          detail={(row) => <JobDetails key={row.id} id={row.id} write={info.write} ask={ask} now={now} />}
          columns={[
            { name: 'Id', cell: (row) => row.id },
            { name: 'State', cell: (row) => <State value={row.state} /> },
            { name: 'Attempt', number: true, cell: (row) => `${row.attempt}/${row.max_attempts}` },
            { name: 'Created', cell: (row) => <When at={row.created_at} now={now} /> },
            {
              name: 'Payload, or the last error',
              wide: true,
              cell: (row) => {
                const last = row.errors.at(-1);
                const share = row.state === 'running' ? shareOf(row.progress) : undefined;
                if (share !== undefined) return <meter aria-label="Progress" min={0} max={1} value={share} />;
                return last !== undefined && row.state !== 'done' ? (
                  <bdi class="bad">{line(last.message, 200)}</bdi>
                ) : (
                  <bdi class="note mono">{row.payload_base64 === undefined ? value(row.payload, 160) : `bytes ${line(row.payload_base64, 60)}`}</bdi>
                );
              },
            },
          ]}
        />
      )}
      {data !== undefined && (after > 0 || data.jobs.next !== undefined) && (
        <div class="actions">
          <button type="button" class="small" disabled={after === 0} onClick={() => amend({ after: undefined })}>
            First
          </button>
          <button type="button" class="small" disabled={data.jobs.next === undefined} onClick={() => amend({ after: String(data.jobs.next) })}>
            Next
          </button>
        </div>
      )}
      {question !== undefined && <Confirm question={question} close={() => setQuestion(undefined)} />}
    </Page>
  );
}

type Ask = (title: string, text: string, action: string, operation: string, input: object, danger?: boolean) => void;

function JobDetails({ id, write, ask, now }: { id: number; write: boolean; ask: Ask; now: number }): JSX.Element {
  const { data: job, error, reload } = useLive((signal) => call<Job>('jobs.get', { id }, signal), [id]);
  if (error !== undefined) return <Fault error={error} retry={reload} />;
  if (job === undefined) return <Waiting />;
  const ended = ['dead', 'cancelled', 'expired'].includes(job.state);
  return (
    <Section
      title={`Job ${job.id}`}
      note={<State value={job.state} />}
      actions={
        <>
          {write && ended && (
            <button type="button" class="primary" onClick={() => ask('Retry the job?', `Job ${id} becomes ready again, with its attempts counted from 0.`, 'Retry', 'jobs.requeue', { id })}>
              Retry
            </button>
          )}
          {write && job.state === 'delayed' && (
            <button type="button" onClick={() => ask('Run it now?', `Job ${id} does not wait any longer.`, 'Run now', 'jobs.update', { id, run_at: Date.now() })}>
              Run now
            </button>
          )}
          {write && !ended && job.state !== 'done' && (
            <button type="button" onClick={() => ask('Cancel the job?', `Job ${id} is not run${job.state === 'running' ? ' to its end: its worker is told' : ''}.`, 'Cancel job', 'jobs.cancel', { id }, true)}>
              Cancel job
            </button>
          )}
          {write && job.state !== 'running' && (
            <button type="button" class="danger" onClick={() => ask('Delete the job?', `Job ${id} and its errors are gone for good.`, 'Delete', 'jobs.delete', { id }, true)}>
              Delete
            </button>
          )}
          <button type="button" class="small" onClick={() => amend({ job: undefined })}>
            Close
          </button>
        </>
      }
    >
      <Facts
        items={[
          ['Attempt', `${job.attempt} of ${job.max_attempts}`],
          ['Priority', count(job.priority)],
          ['Created', <When at={job.created_at} now={now} />],
          ...(job.run_at === undefined ? [] : [['Runs at', <When at={job.run_at} now={now} />] as const]),
          ...(job.claimed_at === undefined ? [] : [['Claimed', <When at={job.claimed_at} now={now} />] as const]),
          ...(job.lease_until === undefined ? [] : [['Lease ends', <When at={job.lease_until} now={now} />] as const]),
          ...(job.finished_at === undefined ? [] : [['Finished', <When at={job.finished_at} now={now} />] as const]),
          ...(job.worker === undefined ? [] : [['Worker', <bdi>{line(job.worker, 60)}</bdi>] as const]),
          ...(job.key === undefined ? [] : [['Key', <bdi>{line(job.key, 60)}</bdi>] as const]),
          ...(job.schedule === undefined ? [] : [['Schedule', <bdi>{line(job.schedule, 60)}</bdi>] as const]),
          ...(job.after.length === 0 ? [] : [['Waits for', job.after.slice(0, 20).join(', ')] as const]),
        ]}
      />
      {job.errors.length > 0 && (
        <>
          <h3>Errors</h3>
          <ol class="errors">
            {job.errors.toReversed().map((error) => (
              <li key={`${error.attempt} ${error.at}`}>
                <p>
                  <strong class="bad">
                    <bdi>{line(error.message, 2000)}</bdi>
                  </strong>
                </p>
                <p class="note">
                  attempt {error.attempt} · <When at={error.at} now={now} />
                  {error.worker !== undefined && <> · {line(error.worker, 60)}</>}
                </p>
                {error.stack !== undefined && <Text text={error.stack} label={`Stack of attempt ${error.attempt}`} />}
              </li>
            ))}
          </ol>
        </>
      )}
      <h3>Payload</h3>
      <Json data={job.payload_base64 ?? job.payload} label="Payload" />
      {job.progress !== undefined && (
        <>
          <h3>Progress</h3>
          <Progress data={job.progress} />
        </>
      )}
      {job.result !== undefined && (
        <>
          <h3>Result</h3>
          <Json data={job.result} label="Result" />
        </>
      )}
    </Section>
  );
}
