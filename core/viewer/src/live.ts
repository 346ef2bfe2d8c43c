/* Staying current: the server says when something was committed, pages load anew, not too often, and the page says when the server is gone. */
import { useCallback, useEffect, useRef, useState } from 'preact/hooks';
import { Failure, type Info, info } from './api';

export type Link = 'live' | 'lost' | 'ended';

type Listener = () => void;
const changed = new Set<Listener>();
const linked = new Set<Listener>();
let link: Link = 'live';

const OFTEN = 700; // ms between two loads of a page at least
const POLL = 2000; // where the server does not tell of commits
const BACK_OFF = [500, 1000, 2000, 4000, 8000, 15000];

function setLink(now: Link): void {
  if (link === now) return;
  link = now;
  for (const listener of linked) listener();
}

function tell(): void {
  for (const listener of changed) listener();
}

/** Follow the server for as long as the page lives. */
export function follow({ commits }: Info): void {
  let failures = 0;
  const connect = (): void => {
    const query = commits ? '' : `?${['graph:*', 'nodes:*', 'edges:*'].map((glob) => `channels=${encodeURIComponent(glob)}`).join('&')}`;
    const source = new EventSource(`/events${query}`);
    source.onopen = () => {
      failures = 0;
      // What was committed before this, and after a page had loaded, nobody was told of.
      tell();
      setLink('live');
    };
    source.addEventListener('commit', tell);
    source.onmessage = tell;
    source.onerror = () => {
      source.close();
      setLink('lost');
      setTimeout(() => void again(), BACK_OFF[Math.min(failures++, BACK_OFF.length - 1)]);
    };
  };
  const again = async (): Promise<void> => {
    try {
      await info();
    } catch (error) {
      // Another server may listen on the port by now: this page's cookie is nothing to it.
      if (error instanceof Failure && error.status === 403) return setLink('ended');
    }
    connect();
  };
  connect();
  if (!commits) setInterval(() => document.visibilityState === 'visible' && link === 'live' && tell(), POLL);
  document.addEventListener('visibilitychange', () => document.visibilityState === 'visible' && tell());
}

export function useLink(): Link {
  const [now, set] = useState(link);
  useEffect(() => {
    const listener = (): void => set(link);
    linked.add(listener);
    listener();
    return () => void linked.delete(listener);
  }, []);
  return now;
}

/** Call `listener` after commits, at most once in `OFTEN` ms; nothing is lost, the last one is told of too. */
export function onChange(listener: () => void, often = OFTEN): () => void {
  let timer: ReturnType<typeof setTimeout> | undefined;
  let last = 0;
  const hear = (): void => {
    if (timer !== undefined || document.visibilityState !== 'visible') return;
    timer = setTimeout(
      () => {
        timer = undefined;
        last = performance.now();
        listener();
      },
      Math.max(0, last + often - performance.now()),
    );
  };
  changed.add(hear);
  return () => {
    clearTimeout(timer);
    changed.delete(hear);
  };
}

export interface Loaded<T> {
  data: T | undefined;
  error: Error | undefined;
  reload: () => void;
}

/** What `load` answers, now and after each commit. One load at a time; what was asked for before the dependencies changed is dropped. */
export function useLive<T>(load: (signal: AbortSignal) => Promise<T>, dependencies: readonly unknown[]): Loaded<T> {
  const [state, setState] = useState<{ of?: readonly unknown[]; data?: T; error?: Error }>({});
  const reloader = useRef(() => undefined as void);
  useEffect(() => {
    const control = new AbortController();
    let running = false;
    let again = false;
    const run = async (): Promise<void> => {
      if (running) return void (again = true);
      running = true;
      try {
        const data = await load(control.signal);
        if (!control.signal.aborted) setState({ of: dependencies, data });
      } catch (error) {
        // What is shown stays while the server is away.
        if (!control.signal.aborted) setState((before) => ({ ...(isOffline(error) ? before : {}), of: dependencies, error: error as Error }));
      } finally {
        running = false;
        if (again && !control.signal.aborted) {
          again = false;
          void run();
        }
      }
    };
    setState({ of: dependencies });
    reloader.current = () => void run();
    void run();
    const off = onChange(() => void run());
    return () => {
      off();
      control.abort();
    };
  }, dependencies);
  const reload = useCallback(() => reloader.current(), []);
  // What was loaded for others is not shown for these, not even until the effect has run.
  const { of, data, error } = state;
  if (of === undefined || of.some((value, at) => value !== dependencies[at])) return { data: undefined, error: undefined, reload };
  return { data, error, reload };
}

function isOffline(error: unknown): boolean {
  return error instanceof Failure && error.name === 'OFFLINE';
}

/** The time, again each second, so that ages grow while one looks. */
export function useNow(): number {
  const [now, set] = useState(() => Date.now());
  useEffect(() => {
    const timer = setInterval(() => set(Date.now()), 1000);
    return () => clearInterval(timer);
  }, []);
  return now;
}
