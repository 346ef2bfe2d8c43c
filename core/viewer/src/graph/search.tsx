/* Search by key, at once, over what is loaded; by words where the file has an index of text. A list of choices that a keyboard walks. */
import type { JSX } from 'preact';
import { useEffect, useId, useRef, useState } from 'preact/hooks';
import { call } from '../api';
import { line } from '../format';
import type { Model } from './model';

interface Hit {
  key: string;
  type: string;
  /** Of a search by words. */
  snippet?: string;
}

const MOST = 30;

/** Has the graph's type an index of words? Asked once. */
async function indexed(graph: string, signal: AbortSignal): Promise<boolean> {
  const known = withWords.get(graph);
  if (known !== undefined) return known;
  try {
    const { graph_type } = await call<{ graph_type: string }>('graphs.get', { name: graph }, signal);
    const { items } = await call<{ items: { kind?: string; node_type?: string | null }[] }>('indexes.list', { graph_type }, signal);
    const found = items.some(({ kind }) => kind === 'text');
    withWords.set(graph, found);
    return found;
  } catch {
    return false;
  }
}
const withWords = new Map<string, boolean>();

export function Search({ model, graph, choose, label = 'Search nodes by key or text', placeholder = 'Search  /', main = true, typing }: {
  model: Model | undefined;
  graph: string;
  choose: (key: string) => void;
  label?: string;
  placeholder?: string;
  /** The one that / leads to. */
  main?: boolean;
  /** Somebody types: what else is under way may wait. */
  typing?: () => void;
}): JSX.Element {
  const [text, setText] = useState('');
  const [hits, setHits] = useState<Hit[]>([]);
  const [active, setActive] = useState(0);
  const [open, setOpen] = useState(false);
  const input = useRef<HTMLInputElement>(null);
  const id = useId();

  useEffect(() => {
    const wanted = text.trim();
    if (wanted === '') return void setHits([]);
    const control = new AbortController();
    const begun = performance.now();
    let byKey: Hit[] = [];
    setActive(0);
    if (model?.whole) {
      byKey = model.search(wanted, MOST).map((node) => ({ key: model.keys[node]!, type: model.typeOf(node) }));
      setHits(byKey);
      // What somebody waits for: from the key press to the list on the screen.
      requestAnimationFrame(() => performance.measure('brant:search', { start: begun, end: performance.now() }));
    }
    const ask = async (): Promise<void> => {
      if (!model?.whole) {
        const found = await call<{ items: { key: string; type: string | null }[] }>('nodes.list', { graph, prefix: wanted, limit: MOST }, control.signal);
        byKey = found.items.map(({ key, type }) => ({ key, type: type ?? '' }));
      }
      const words = await byWords(graph, wanted, control.signal);
      const known = new Set(byKey.map(({ key }) => key));
      setHits([...byKey, ...words.filter(({ key }) => !known.has(key))]);
    };
    const timer = setTimeout(() => void ask().catch(() => undefined), 60);
    return () => {
      clearTimeout(timer);
      control.abort();
    };
  }, [text, model, graph]);

  const pick = (hit: Hit | undefined): void => {
    if (hit === undefined) return;
    choose(hit.key);
    setOpen(false);
    setText('');
  };
  const onKeyDown = (event: KeyboardEvent): void => {
    if (event.key === 'ArrowDown' || event.key === 'ArrowUp') {
      event.preventDefault();
      setOpen(true);
      setActive((at) => Math.max(0, Math.min(hits.length - 1, at + (event.key === 'ArrowDown' ? 1 : -1))));
    } else if (event.key === 'Enter') {
      event.preventDefault();
      // What was typed last may not be listed yet.
      const [first] = active === 0 && model?.whole && text.trim() !== '' ? model.search(text.trim(), 1) : [];
      pick(first === undefined ? hits[active] : { key: model!.keys[first]!, type: '' });
    } else if (event.key === 'Escape' && (open || text !== '')) {
      event.stopPropagation();
      setOpen(false);
      setText('');
    }
  };
  const shown = open && text.trim() !== '';
  useEffect(() => {
    if (shown) document.getElementById(`${id}-${active}`)?.scrollIntoView({ block: 'nearest' });
  }, [active, shown]);
  return (
    <div class="search">
      <input
        ref={input}
        type="search"
        role="combobox"
        list={undefined}
        data-search={main ? true : undefined}
        aria-label={label}
        aria-expanded={shown}
        aria-controls={`${id}-list`}
        aria-activedescendant={shown && hits.length > 0 ? `${id}-${active}` : undefined}
        aria-autocomplete="list"
        autocomplete="off"
        spellcheck={false}
        placeholder={placeholder}
        value={text}
        onInput={(event) => {
          typing?.();
          setText(event.currentTarget.value);
          setOpen(true);
        }}
        onFocus={() => {
          typing?.();
          setOpen(true);
        }}
        onBlur={() => setTimeout(() => setOpen(false), 150)}
        onKeyDown={onKeyDown}
      />
      <ul id={`${id}-list`} role="listbox" aria-label="Nodes that were found" hidden={!shown}>
        {hits.map((hit, at) => (
          // eslint-disable-next-line jsx-a11y/click-events-have-key-events
          <li key={hit.key} id={`${id}-${at}`} role="option" aria-selected={at === active} onMouseDown={(event) => event.preventDefault()} onClick={() => pick(hit)}>
            <bdi>{line(hit.key, 90)}</bdi>
            <span class="note">
              <bdi>{line(hit.snippet ?? hit.type, 80)}</bdi>
            </span>
          </li>
        ))}
        {hits.length === 0 && (
          <li role="option" aria-selected={false} aria-disabled class="note">
            Nothing is called that
          </li>
        )}
      </ul>
    </div>
  );
}

/** Nothing where there is no index of text, and where what was typed is no query yet. */
async function byWords(graph: string, text: string, signal: AbortSignal): Promise<Hit[]> {
  if (text.length < 2 || !(await indexed(graph, signal))) return [];
  const query = /^[\p{L}\p{N}\s]+$/u.test(text) ? `${text}*` : `"${text.replaceAll('"', '')}"`;
  try {
    const { items } = await call<{ items: { node: { key: string; type: string | null }; snippet: string }[] }>('nodes.search', { graph, query, limit: MOST }, signal);
    return items.map(({ node, snippet }) => ({ key: node.key, type: node.type ?? '', snippet }));
  } catch {
    return [];
  }
}
