/* The frame around all pages: where one can go, whether it is live, light or dark, and what the keys do. */
import type { JSX } from 'preact';
import { useEffect, useRef, useState } from 'preact/hooks';
import type { Info } from './api';
import { line } from './format';
import { useLink } from './live';
import { CallsPage } from './pages/calls';
import { GraphPage } from './pages/graph';
import { Graphs } from './pages/graphs';
import { Overview } from './pages/overview';
import { QueuePage, Queues } from './pages/queues';
import { Schedules } from './pages/schedules';
import { Feed, StreamPage, Streams } from './pages/streams';
import { type Route, go, href, useRoute } from './route';
import { type Choice, choose, useTheme } from './theme';
import { Announcer, Empty, Page } from './ui/parts';

interface Place {
  page: string;
  name: string;
  /** Pages that are beneath it. */
  under: string[];
  key: string;
}
const PLACES: Place[] = [
  { page: 'overview', name: 'Overview', under: [], key: 'o' },
  { page: 'graphs', name: 'Graphs', under: ['graph'], key: 'g' },
  { page: 'traces', name: 'Calls', under: ['calls'], key: 'c' },
  { page: 'queues', name: 'Queues', under: ['queue'], key: 'q' },
  { page: 'streams', name: 'Streams', under: ['stream'], key: 's' },
  { page: 'feed', name: 'Notifications', under: [], key: 'n' },
  { page: 'schedules', name: 'Schedules', under: [], key: 'k' },
];

const KEYS: [string, string][] = [
  ['/', 'Search'],
  ['?', 'These keys'],
  ['g, then o g c q s n k', 'Go to Overview, Graphs, Calls, Queues, Streams, Notifications, Schedules'],
  ['↑ ↓ Home End', 'From row to row, in tables and trees'],
  ['Enter', 'Open a row; in a graph show the neighbours of the node'],
  ['← ↑ → ↓', 'In a graph: walk to the neighbour in that direction; in a tree: open and close'],
  ['c', 'In a graph: take the neighbours away again'],
  ['+  −  0', 'Nearer, farther, all: graphs and timelines'],
  ['l', 'In a graph: start and stop the layout'],
  ['t', 'In a graph: in layers from the top down, or by forces'],
  ['Esc', 'Close, or choose nothing'],
  ['Alt ←  Alt →', 'Back and forward through what was shown'],
];

function Content({ route, info }: { route: Route; info: Info }): JSX.Element {
  const named = route.name !== undefined;
  if (route.page === 'overview') return <Overview info={info} />;
  if (route.page === 'graphs') return <Graphs />;
  if (route.page === 'traces') return <Graphs only="call" key="call" />;
  if (route.page === 'graph' && named) return <GraphPage key={route.name} route={route} />;
  if (route.page === 'calls' && named) return <CallsPage key={route.name} route={route} />;
  if (route.page === 'queues') return <Queues />;
  if (route.page === 'queue' && named) return <QueuePage key={route.name} route={route} info={info} />;
  if (route.page === 'streams') return <Streams />;
  if (route.page === 'stream' && named) return <StreamPage key={route.name} route={route} />;
  if (route.page === 'feed') return <Feed key={route.query.get('channels') ?? ''} route={route} />;
  if (route.page === 'schedules') return <Schedules info={info} />;
  return (
    <Page title="There is no such page">
      <Empty title="The link leads nowhere">
        <a href={href('overview')}>Overview</a>
      </Empty>
    </Page>
  );
}

export function App({ info }: { info: Info }): JSX.Element {
  const route = useRoute();
  const main = useRef<HTMLElement>(null);
  const [help, setHelp] = useState(false);
  const place = PLACES.find(({ page, under }) => page === route.page || under.includes(route.page));

  // A new page is read from its beginning; a step within one stays where it is.
  const at = `${route.page}/${route.name ?? ''}`;
  const first = useRef(true);
  useEffect(() => {
    if (first.current) first.current = false;
    else main.current?.focus({ preventScroll: true });
    main.current?.scrollTo(0, 0);
    // In a small window the pages are a row that is scrolled.
    document.querySelector('nav.side [aria-current]')?.scrollIntoView({ block: 'nearest', inline: 'nearest' });
  }, [at]);

  useEffect(() => {
    let going = false;
    let timer: ReturnType<typeof setTimeout> | undefined;
    const listener = (event: KeyboardEvent): void => {
      const target = event.target as HTMLElement;
      const typing = target.matches('input:not([type=checkbox]), select, textarea');
      if (event.ctrlKey || event.metaKey || event.altKey || event.defaultPrevented || typing || document.querySelector('dialog[open]') !== null) return;
      if (going) {
        going = false;
        clearTimeout(timer);
        const to = PLACES.find(({ key }) => key === event.key);
        if (to !== undefined) {
          event.preventDefault();
          go(href(to.page));
        }
        return;
      }
      if (event.key === 'g') {
        going = true;
        timer = setTimeout(() => (going = false), 2500);
      } else if (event.key === '/') {
        const search = document.querySelector<HTMLInputElement>('[data-search], main input[type=search], main input');
        if (search !== null) {
          event.preventDefault();
          search.focus();
        }
      } else if (event.key === '?') setHelp(true);
    };
    addEventListener('keydown', listener);
    return () => removeEventListener('keydown', listener);
  }, []);

  return (
    <>
      <a
        class="skip"
        href="#main"
        onClick={(event) => {
          event.preventDefault();
          main.current?.focus();
        }}
      >
        Skip to the content
      </a>
      <div class="shell">
        <nav class="side" aria-label="Pages">
          <div class="brand">
            <img src="/icon.svg" alt="" width="22" height="22" />
            <span>
              <strong>brant</strong>
              <bdi class="note file" title={info.file}>
                {line(info.file, 60)}
              </bdi>
            </span>
          </div>
          <ul>
            {PLACES.map(({ page, name }) => (
              <li key={page}>
                <a href={href(page)} aria-current={place?.page === page ? 'page' : undefined}>
                  {name}
                </a>
              </li>
            ))}
          </ul>
          <div class="side-foot">
            <Live />
            <p class="note">{info.write ? <span class="state warn">may write</span> : 'read only'}</p>
            <Theme />
            <button type="button" class="small" onClick={() => setHelp(true)} aria-keyshortcuts="?" aria-label="Keys">
              <span class="name">Keys</span> <kbd>?</kbd>
            </button>
          </div>
        </nav>
        <main id="main" ref={main} tabIndex={-1}>
          <Content route={route} info={info} />
        </main>
      </div>
      <Announcer />
      {help && <Help close={() => setHelp(false)} />}
    </>
  );
}

function Live(): JSX.Element {
  const link = useLink();
  const text = { live: 'Live', lost: 'The server is gone', ended: 'Another server is there' }[link];
  return (
    <p class="live" role="status">
      <span class={`state ${link === 'live' ? 'good' : 'bad'}`}>{text}</span>
      {link === 'lost' && <span class="note">What is shown is as it was. Trying again …</span>}
      {link === 'ended' && <span class="note">Open the link that it printed.</span>}
    </p>
  );
}

function Theme(): JSX.Element {
  const { choice } = useTheme();
  return (
    <label class="theme">
      <span class="unseen">Colours</span>
      <select value={choice} onChange={(event) => choose(event.currentTarget.value as Choice)}>
        <option value="auto">As the system</option>
        <option value="light">Light</option>
        <option value="dark">Dark</option>
      </select>
    </label>
  );
}

function Help({ close }: { close: () => void }): JSX.Element {
  const dialog = useRef<HTMLDialogElement>(null);
  useEffect(() => {
    const before = document.activeElement as HTMLElement | null;
    dialog.current?.showModal();
    return () => before?.focus();
  }, []);
  return (
    <dialog ref={dialog} aria-labelledby="help-title" onClose={close}>
      <h2 id="help-title">Keys</h2>
      <dl class="keys">
        {KEYS.map(([key, text]) => (
          <div key={key}>
            <dt>
              <kbd>{key}</kbd>
            </dt>
            <dd>{text}</dd>
          </div>
        ))}
      </dl>
      <p class="note">
        <a href="/licenses.txt" target="_blank" rel="noopener">
          What this page is made of
        </a>
      </p>
      <div class="actions">
        <button type="button" class="primary" onClick={close}>
          Close
        </button>
      </div>
    </dialog>
  );
}
