/* A graph of calls as traces: each a tree beside its timeline. Errors are marked, and told of by words too. */
import type { JSX } from 'preact';
import { useEffect, useMemo, useRef, useState } from 'preact/hooks';
import { type Call, type Line, MOST_CALLS, anyFailed, endOf, failed, isRunning, lines, loadCalls } from '../calls_model';
import { count, line, moment, span } from '../format';
import { useLive, useNow } from '../live';
import { type Route, amend, href } from '../route';
import { Attributes, Empty, Fault, Page, State, Waiting, When, announce, tone } from '../ui/parts';
import { Table } from '../ui/table';

export function CallsPage({ route }: { route: Route }): JSX.Element {
  const graph = route.name ?? '';
  const { data, error, reload } = useLive((signal) => loadCalls(graph, signal), [graph]);
  const now = useNow();
  const wanted = route.query.get('trace');
  const onlyFailed = route.query.get('failed') === 'yes';
  const root = data?.calls.get(wanted ?? '');
  const roots = useMemo(() => (data === undefined ? [] : onlyFailed ? data.roots.filter(anyFailed) : data.roots), [data, onlyFailed]);
  return (
    <Page
      title={root === undefined ? graph : root.operation}
      note={
        root === undefined ? (
          data && <>{count(data.calls.size)} calls{data.more ? `, only the first ${count(MOST_CALLS)} are read` : ''} · <a href={href('graph', graph)}>as a graph</a></>
        ) : (
          <>
            <a href={href('calls', graph)}>
              <bdi>{line(graph, 60)}</bdi>
            </a>{' '}
            · {moment(root.start)} · {span(endOf(root, now) - root.start)}
          </>
        )
      }
      actions={
        data !== undefined &&
        root === undefined && (
          <button type="button" class="small" aria-pressed={onlyFailed} onClick={() => amend({ failed: onlyFailed ? undefined : 'yes' })}>
            Only with errors
          </button>
        )
      }
    >
      {error !== undefined &&
        (error.name === 'INVALID' ? (
          <Empty title="This graph holds no calls">
            <a href={href('graph', graph)}>Show it as a graph</a>
          </Empty>
        ) : (
          <Fault error={error} retry={reload} />
        ))}
      {data === undefined && error === undefined && <Waiting />}
      {data !== undefined && root === undefined && wanted !== null && <Empty title="This call is not in the graph">It may have been deleted.</Empty>}
      {data !== undefined && root === undefined && wanted === null && roots.length === 0 && <Empty title={onlyFailed ? 'No call failed' : 'There are no calls yet'} />}
      {data !== undefined && root === undefined && wanted === null && roots.length > 0 && (
        <Table
          label="Calls that nothing triggered"
          rows={roots.slice(0, 1000)}
          keyOf={(row) => row.key}
          link={(row) => href('calls', graph, { trace: row.key })}
          columns={[
            { name: 'Operation', cell: (row) => <bdi>{line(row.operation, 80)}</bdi> },
            { name: 'Status', cell: (row) => <State value={row.status} /> },
            { name: 'Began', cell: (row) => <When at={row.start} now={now} /> },
            { name: 'Took', number: true, cell: (row) => span(endOf(row, now) - row.start) },
            { name: 'Calls', number: true, cell: (row) => count(lines(row, new Set()).length) },
            { name: 'Errors', number: true, cell: (row) => (anyFailed(row) ? <span class="bad">{count(lines(row, new Set()).filter(({ call }) => failed(call)).length)}</span> : '0') },
          ]}
        />
      )}
      {root !== undefined && <Trace key={root.key} root={root} calls={data!.calls} graph={graph} route={route} now={now} />}
    </Page>
  );
}

const ROW = 28;
/** Rows around those in sight that are in the document too. */
const SPARE = 20;

function Trace({ root, calls, graph, route, now }: { root: Call; calls: Map<string, Call>; graph: string; route: Route; now: number }): JSX.Element {
  const [closed, setClosed] = useState<ReadonlySet<string>>(new Set());
  const [range, setRange] = useState<{ from: number; to: number }>();
  const [seen, setSeen] = useState({ top: 0, height: 800 });
  const tree = useRef<HTMLDivElement>(null);
  const rows = useMemo(() => lines(root, closed), [root, closed]);
  const end = Math.max(endOf(root, now), root.start + 1);
  let begin = root.start;
  for (const { call } of rows) begin = Math.min(begin, call.start);
  const { from, to } = range ?? { from: begin, to: end };
  const chosenKey = route.query.get('call') ?? root.key;
  const at = Math.max(0, rows.findIndex(({ call }) => call.key === chosenKey));
  const chosen = rows[at]!.call;

  const choose = (index: number): void => {
    const row = rows[Math.max(0, Math.min(rows.length - 1, index))]!;
    amend({ call: row.call.key }, true);
    announce(say(row.call, now));
  };
  useEffect(() => {
    const frame = tree.current;
    if (frame === null) return;
    const top = at * ROW;
    if (top < frame.scrollTop) frame.scrollTop = top;
    else if (top + ROW > frame.scrollTop + frame.clientHeight) frame.scrollTop = top + ROW - frame.clientHeight;
  }, [at]);
  const toggle = (key: string, close: boolean): void => {
    const next = new Set(closed);
    if (close) next.add(key);
    else next.delete(key);
    setClosed(next);
  };
  const zoom = (factor: number, middle = (Math.max(from, chosen.start) + Math.min(to, chosen.end ?? end)) / 2): void => {
    const width = Math.min(end - begin, Math.max(1, (to - from) * factor));
    const share = (middle - from) / (to - from);
    const start = Math.max(begin, Math.min(end - width, middle - width * share));
    setRange(width >= end - begin ? undefined : { from: start, to: start + width });
  };
  const onKeyDown = (event: KeyboardEvent): void => {
    if (event.ctrlKey || event.metaKey || event.altKey) return;
    const open = chosen.children.length > 0 && !closed.has(chosen.key);
    if (event.key === 'ArrowDown') choose(at + 1);
    else if (event.key === 'ArrowUp') choose(at - 1);
    else if (event.key === 'Home') choose(0);
    else if (event.key === 'End') choose(rows.length - 1);
    else if (event.key === 'PageDown') choose(at + 10);
    else if (event.key === 'PageUp') choose(at - 10);
    else if (event.key === 'ArrowRight') open ? choose(at + 1) : toggle(chosen.key, false);
    else if (event.key === 'ArrowLeft') open ? toggle(chosen.key, true) : choose(rows.findIndex(({ call }) => call === chosen.parent));
    else if (event.key === '+' || event.key === '=') zoom(0.5);
    else if (event.key === '-') zoom(2);
    else if (event.key === '0') setRange(undefined);
    else return;
    event.preventDefault();
  };
  const first = Math.max(0, Math.floor(seen.top / ROW) - SPARE);
  const last = Math.min(rows.length, Math.ceil((seen.top + seen.height) / ROW) + SPARE);
  const percent = (time: number): number => ((time - from) / (to - from)) * 100;
  return (
    <div class="trace">
      <div class="trace-main">
        <div class="actions">
          <button type="button" class="small" onClick={() => zoom(0.5)} aria-label="Zoom in">
            +
          </button>
          <button type="button" class="small" onClick={() => zoom(2)} aria-label="Zoom out">
            −
          </button>
          <button type="button" class="small" onClick={() => setRange(undefined)} disabled={range === undefined}>
            All
          </button>
          <button
            type="button"
            class="small"
            onClick={() => {
              const next = rows.findIndex(({ call }, index) => index > at && failed(call));
              const any = next >= 0 ? next : rows.findIndex(({ call }) => failed(call));
              if (any >= 0) choose(any);
              else announce('No call failed');
            }}
          >
            Next error
          </button>
        </div>
        <div class="axis" aria-hidden="true">
          {[0, 1, 2, 3, 4].map((tick) => (
            <span key={tick} style={{ left: `${tick * 25}%` }}>
              {span(from - begin + ((to - from) * tick) / 4)}
            </span>
          ))}
        </div>
        <div
          class="tree"
          role="tree"
          aria-label="Calls"
          tabIndex={0}
          aria-activedescendant={`call-${at}`}
          ref={tree}
          onKeyDown={onKeyDown}
          onScroll={(event) => setSeen({ top: event.currentTarget.scrollTop, height: event.currentTarget.clientHeight })}
          onWheel={(event) => {
            if (!event.ctrlKey) return;
            event.preventDefault();
            const box = event.currentTarget.getBoundingClientRect();
            const share = Math.max(0, Math.min(1, (event.clientX - box.left - box.width * 0.4) / (box.width * 0.6)));
            zoom(event.deltaY < 0 ? 0.8 : 1.25, from + share * (to - from));
          }}
        >
          <div role="presentation" style={{ height: `${rows.length * ROW}px`, position: 'relative' }}>
            {rows.slice(first, last).map(({ call, depth }: Line, index) => (
              // Keys are the tree's.
              <div
                key={call.key}
                id={`call-${first + index}`}
                role="treeitem"
                aria-level={depth + 1}
                aria-selected={call === chosen}
                aria-expanded={call.children.length === 0 ? undefined : !closed.has(call.key)}
                class={`span-row${call === chosen ? ' chosen' : ''}${failed(call) ? ' failed' : ''}`}
                style={{ top: `${(first + index) * ROW}px` }}
                onClick={() => choose(first + index)}
              >
                <span class="span-name" style={{ paddingInlineStart: `${8 + Math.min(depth, 30) * 14}px` }}>
                  <span class="twist" aria-hidden="true" onClick={() => call.children.length > 0 && toggle(call.key, !closed.has(call.key))}>
                    {call.children.length === 0 ? '' : closed.has(call.key) ? '▸' : '▾'}
                  </span>
                  {failed(call) && <span class="mark" aria-hidden="true">!</span>}
                  <bdi>{line(call.operation, 80)}</bdi>
                  <span class="unseen">{say(call, now, '')}</span>
                </span>
                <span class="span-lane" aria-hidden="true">
                  <Bar call={call} now={now} percent={percent} />
                </span>
              </div>
            ))}
          </div>
        </div>
      </div>
      <aside class="details" aria-label="Details">
        <h2>
          <bdi>{line(chosen.operation, 200)}</bdi>
        </h2>
        <p class="note">
          <State value={chosen.status} /> {moment(chosen.start)} · {chosen.end === undefined ? (isRunning(chosen) ? 'still running' : 'no end is known') : span(chosen.end - chosen.start)}
        </p>
        {chosen.error !== undefined && (
          <p class="bad">
            <strong>{line(chosen.error.code ?? 'error', 80)}</strong> <bdi>{line(chosen.error.message ?? '', 600)}</bdi>
          </p>
        )}
        <p>
          <a href={href('graph', graph, { node: chosen.key, walk: [chosen.key] })}>Show in the graph</a>
        </p>
        <Others title="Depends on" keys={chosen.dependsOn} calls={calls} graph={graph} />
        <Others title="Links to" keys={chosen.links} calls={calls} graph={graph} />
        <h3>Attributes</h3>
        <Attributes data={chosen.attributes} label="attributes" />
      </aside>
    </div>
  );
}

function say(call: Call, now: number, name = line(call.operation, 80)): string {
  const took = call.end === undefined ? (isRunning(call) ? `running for ${span(now - call.start)}` : '') : span(call.end - call.start);
  return `${name}, ${call.status}${took === '' ? '' : `, ${took}`}${call.error?.code === undefined ? '' : `, ${line(call.error.code, 40)}`}`;
}

function Bar({ call, now, percent }: { call: Call; now: number; percent: (time: number) => number }): JSX.Element | null {
  const end = call.end ?? (isRunning(call) ? now : call.start);
  const left = Math.max(-1, percent(call.start));
  const right = Math.min(101, percent(end));
  if (right < 0 || left > 100) return null;
  const label = call.end === undefined && !isRunning(call) ? '' : span(end - call.start);
  return (
    <>
      <span class={`bar ${failed(call) ? 'bad' : tone(call.status)}`} style={{ left: `${left}%`, width: `max(3px, ${right - left}%)` }} />
      {/* Beside the bar where there is room, else at its end. */}
      {label !== '' && (
        <span
          class={`bar-label${right > 82 && left < 18 ? ' within' : ''}`}
          style={right <= 82 ? { left: `${right + 0.8}%` } : left < 18 ? { right: `${Math.max(0, 100 - right) + 0.8}%` } : { right: `${100 - left + 0.8}%` }}
        >
          {label}
        </span>
      )}
    </>
  );
}

function Others({ title, keys, calls, graph }: { title: string; keys: string[]; calls: Map<string, Call>; graph: string }): JSX.Element | null {
  if (keys.length === 0) return null;
  return (
    <>
      <h3>{title}</h3>
      <ul class="neighbours">
        {keys.map((key) => {
          const call = calls.get(key);
          let root = call;
          while (root?.parent !== undefined) root = root.parent;
          return (
            <li key={key}>
              <a href={href('calls', graph, { trace: root?.key ?? key, call: key })}>
                <bdi>{line(call?.operation ?? key, 80)}</bdi>
              </a>
            </li>
          );
        })}
      </ul>
    </>
  );
}
