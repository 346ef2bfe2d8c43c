/* Where one is: #/page/name?member=value. The hash holds all that a link needs to show the same again, and each step is one of the browser's history. */
import { useEffect, useState } from 'preact/hooks';

export interface Route {
  /** Never empty: overview, graph, .. */
  page: string;
  /** Of the graph, queue, stream. */
  name: string | undefined;
  query: URLSearchParams;
}

function parse(hash: string): Route {
  const [path = '', query = ''] = hash.replace(/^#\/?/, '').split('?', 2);
  const [page, name] = path.split('/').map(decoded);
  return { page: page || 'overview', name: name || undefined, query: new URLSearchParams(query) };
}

function decoded(text: string): string {
  try {
    return decodeURIComponent(text);
  } catch {
    return text;
  }
}

export function here(): Route {
  return parse(location.hash);
}

/** The link to a place. A list is as many members of one name; what is undefined or empty is left out. */
export function href(page: string, name?: string, members: Record<string, string | readonly string[] | undefined> = {}): string {
  const query = new URLSearchParams();
  for (const [member, value] of Object.entries(members)) {
    for (const text of typeof value === 'string' ? [value] : (value ?? [])) if (text !== '') query.append(member, text);
  }
  const text = query.toString();
  return `#/${encodeURIComponent(page)}${name === undefined ? '' : `/${encodeURIComponent(name)}`}${text === '' ? '' : `?${text}`}`;
}

export function go(link: string, replace = false): void {
  if (link === location.hash) return;
  if (!replace) location.hash = link;
  else {
    history.replaceState(null, '', link);
    dispatchEvent(new HashChangeEvent('hashchange'));
  }
}

/** The same place with some members changed; undefined takes one away. */
export function amend(changes: Record<string, string | readonly string[] | undefined>, replace = false): void {
  const { page, name, query } = here();
  const members: Record<string, string | readonly string[] | undefined> = {};
  for (const member of query.keys()) members[member] = query.getAll(member);
  go(href(page, name, { ...members, ...changes }), replace);
}

export function useRoute(): Route {
  const [route, set] = useState(here);
  useEffect(() => {
    const listener = (): void => set(here());
    addEventListener('hashchange', listener);
    return () => removeEventListener('hashchange', listener);
  }, []);
  return route;
}
