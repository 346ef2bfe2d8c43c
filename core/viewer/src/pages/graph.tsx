/*
 * One graph, drawn. What is shown is in the link: the node that is chosen (node), the walk (walk: a member for each node that is expanded), a path (from, to), what is filtered away (hide: node types,
 * cut: edge types, f: conditions), the table in place of the picture (view), layers in place of forces (layout).
 */
import type { JSX } from 'preact';
import { useCallback, useEffect, useMemo, useRef, useState } from 'preact/hooks';
import { all, call } from '../api';
import { type Condition, FilterBuilder, type Properties, conditionsOf, filterOf, propertiesOf, textOf } from '../graph/filter';
import { Details } from '../graph/details';
import { Model } from '../graph/model';
import { LAYERED, Scene } from '../graph/scene';
import { Search } from '../graph/search';
import { rings, seed } from '../graph/seed';
import { NodeTable } from '../graph/table';
import { count, line } from '../format';
import { onChange } from '../live';
import { type Route, amend } from '../route';
import { palette, useTheme } from '../theme';
import { Empty, Fault, Page, Waiting, announce } from '../ui/parts';
import type { GraphRow } from './graphs';

/** What is too big to be drawn as a whole is walked. */
const MOST_NODES = 400_000;
const MOST_EDGES = 2_500_000;
/** Neighbours that one step of a walk shows, at most. */
const STEP = 150;
/** Nodes that a filter can pick; then it says that there are more. */
const PICKED = 200_000;

interface Path {
  found: boolean;
  keys: string[];
  length: number | null;
}

export function GraphPage({ route }: { route: Route }): JSX.Element {
  const graph = route.name ?? '';
  const [model, setModel] = useState<Model>();
  const [error, setError] = useState<Error>();
  const [stale, setStale] = useState(false);
  const [version, setVersion] = useState(0);
  const shownCounts = useRef('');

  useEffect(() => {
    const control = new AbortController();
    const load = async (): Promise<void> => {
      const row = await call<GraphRow>('graphs.get', { name: graph }, control.signal);
      shownCounts.current = `${row.nodes} ${row.edges} ${row.updated_at}`;
      const whole = row.nodes <= MOST_NODES && row.edges <= MOST_EDGES;
      const loaded = whole ? await Model.load(graph, control.signal) : new Model(graph, false);
      if (control.signal.aborted) return;
      setModel(loaded);
      setStale(false);
      setError(undefined);
    };
    performance.mark('brant:open');
    void load().catch((failure: Error) => !control.signal.aborted && setError(failure));
    return () => control.abort();
  }, [graph, version]);
  useEffect(() => setModel(undefined), [graph]);

  // A small graph is drawn anew at once; of a big one it is said that there is something new.
  const big = (model?.order ?? 0) > 3000;
  useEffect(() => {
    const look = async (): Promise<void> => {
      const row = await call<GraphRow>('graphs.get', { name: graph });
      if (shownCounts.current === '' || `${row.nodes} ${row.edges} ${row.updated_at}` === shownCounts.current) return;
      announce(`${graph} has changed: ${count(row.nodes)} nodes, ${count(row.edges)} edges`);
      if (big) setStale(true);
      else setVersion((before) => before + 1);
    };
    return onChange(() => void look().catch(() => undefined));
  }, [graph, big]);

  useEffect(() => {
    document.title = `${line(graph, 60)} · brant`;
  }, [graph]);
  if (error !== undefined) {
    return (
      <Page title={graph}>
        <Fault error={error} retry={() => setVersion(version + 1)} />
      </Page>
    );
  }
  return (
    <div class="graph-page">
      <h1 class="unseen">Graph {line(graph, 100)}</h1>
      {model === undefined ? <Waiting /> : <Drawn key={graph} graph={graph} model={model} route={route} stale={stale} reload={() => setVersion(version + 1)} />}
    </div>
  );
}

interface DrawnProps {
  graph: string;
  model: Model;
  route: Route;
  stale: boolean;
  reload: () => void;
}

function Drawn({ graph, model, route, stale, reload }: DrawnProps): JSX.Element {
  const { query } = route;
  const chosen = query.get('node') ?? undefined;
  const walk = query.getAll('walk');
  const from = query.get('from') ?? undefined;
  const to = query.get('to') ?? undefined;
  const hide = query.getAll('hide');
  const cut = query.getAll('cut');
  const asTable = query.get('view') === 'table';
  const wantsLayers = query.get('layout') === 'layers';
  const filterText = query.get('f');
  const conditions = useMemo(() => conditionsOf(filterText), [filterText]);

  const frame = useRef<HTMLDivElement>(null);
  const scene = useRef<Scene | undefined>(undefined);
  const [running, setRunning] = useState<boolean>();
  const [fault, setFault] = useState<Error>();
  const [picked, setPicked] = useState<{ nodes: Set<number>; more: boolean }>();
  const [path, setPath] = useState<Path>();
  const [tools, setTools] = useState(false);
  const [grown, setGrown] = useState(0);
  const [properties, setProperties] = useState<Properties>(new Map());
  useEffect(() => {
    if (!tools) return;
    const control = new AbortController();
    // Without them one types.
    propertiesOf(graph, model.nodeTypes, control.signal).then(setProperties, () => undefined);
    return () => control.abort();
  }, [graph, model, tools]);
  const { dark } = useTheme();

  const choose = useCallback((key: string | undefined) => amend({ node: key }), []);
  const expand = useCallback(
    (key: string) => {
      const expanded = new URLSearchParams(location.hash.split('?', 2)[1] ?? '').getAll('walk');
      amend({ node: key, walk: expanded.includes(key) ? expanded : [...expanded, key] });
    },
    [],
  );
  const handlers = useRef({ choose, expand });
  handlers.current = { choose, expand };

  // A graph that is not all here is brought step by step.
  const walkText = JSON.stringify(walk);
  useEffect(() => {
    if (model.whole) return;
    const bring = async (): Promise<void> => {
      for (const key of walk) await model.grow(key, STEP);
      setGrown((before) => before + 1);
    };
    void bring().catch((failure: Error) => setFault(failure));
  }, [model, walkText]);

  // What is shown: all, or the walk.
  const walked = useMemo(() => {
    if (walk.length === 0) return { nodes: new Uint32Array(model.order).map((_, node) => node), depths: undefined, cutShort: false };
    const depths = new Map<number, number>();
    let cutShort = false;
    for (const key of walk) {
      const node = model.find(key);
      if (node === undefined) continue;
      const depth = depths.get(node) ?? 0;
      depths.set(node, depth);
      const neighbours = model.neighbours(node).filter(({ node: other, edge }) => !hide.includes(model.typeOf(other)) && !cut.includes(model.edgeType(edge)));
      let shown = 0;
      for (const { node: other } of neighbours) {
        if (depths.has(other)) continue;
        if (shown++ >= STEP) {
          cutShort = true;
          break;
        }
        depths.set(other, depth + 1);
      }
    }
    return { nodes: Uint32Array.from(depths.keys()), depths, cutShort };
  }, [model, walkText, grown, walk.length > 0 ? hide.join('\n') : '', walk.length > 0 ? cut.join('\n') : '']);
  // What a search or a path leads to is shown beside a walk that did not come there.
  const beside = [chosen, ...(path?.keys ?? [])].flatMap((key) => (key === undefined ? [] : (model.find(key) ?? []))).filter((node) => walked.depths?.has(node) === false);
  const view = useMemo(() => {
    if (walked.depths === undefined || beside.length === 0) return walked;
    const depths = new Map(walked.depths);
    for (const node of beside) depths.set(node, 1);
    return { ...walked, nodes: Uint32Array.from(depths.keys()), depths };
  }, [walked, beside.join()]);

  // Of a few nodes, which edges give an order.
  const mayLayer = useMemo(() => {
    if (!model.directed || view.nodes.length > LAYERED.nodes) return false;
    if (model.size <= LAYERED.edges) return true;
    const shown = new Set(view.nodes);
    let edges = 0;
    for (let edge = 0; edge < model.size && edges <= LAYERED.edges; edge++) edges += Number(shown.has(model.sources[edge]!) && shown.has(model.targets[edge]!));
    return edges <= LAYERED.edges;
  }, [model, view]);
  const layered = wantsLayers && mayLayer;

  useEffect(() => {
    if (asTable || frame.current === null) return;
    const made = new Scene(frame.current, model, {
      select: (node) => handlers.current.choose(node === undefined ? undefined : model.keys[node]!),
      open: (node) => handlers.current.expand(model.keys[node]!),
      layout: setRunning,
      painted: () => {
        const begun = performance.getEntriesByName('brant:open').at(-1)?.startTime ?? 0;
        performance.measure('brant:paint', { start: begun, end: performance.now() });
        setTimeout(() => model.prepare(), 100);
      },
    });
    scene.current = made;
    return () => {
      made.kill();
      scene.current = undefined;
    };
  }, [model, asTable]);

  /** Was it a walk that was shown before, in layers? */
  const kindBefore = useRef<string | undefined>(undefined);
  const placed = useRef<Map<number, [number, number]>>(new Map());
  useEffect(() => {
    const made = scene.current;
    if (made === undefined) return;
    for (const node of made.shownNodes.length <= 5000 ? made.shownNodes : []) {
      const at = made.positionOf(node);
      if (at !== undefined) placed.current.set(node, [at.x, at.y]);
    }
    const positions = view.depths === undefined ? seed(model, view.nodes) : rings(Uint16Array.from(view.depths.values()));
    // Who knows the walk so far finds it where it was.
    if (view.depths !== undefined) {
      view.nodes.forEach((node, slot) => {
        const at = placed.current.get(node);
        if (at !== undefined) positions.set(at, 2 * slot);
      });
    } else placed.current.clear();
    const kind = `${view.depths !== undefined} ${layered}`;
    made.show(view.nodes, positions, kindBefore.current === kind, layered);
    kindBefore.current = kind;
    made.start(view.depths === undefined);
  }, [model, view, asTable, layered]);

  const chosenNode = chosen === undefined ? undefined : model.find(chosen);
  const filtered = useRef(false);
  const pickedBefore = useRef<typeof picked>(undefined);

  // The filter is the library's; it answers which nodes pass.
  useEffect(() => {
    const filter = filterOf(conditions);
    if (filter === undefined) return void setPicked(undefined);
    const control = new AbortController();
    const ask = async (): Promise<void> => {
      const rows = await all<{ key: string }>('nodes.list', { graph, filter, limit: 10_000 }, PICKED, control.signal);
      const nodes = new Set<number>();
      for (const { key } of rows) {
        const node = model.find(key);
        if (node !== undefined) nodes.add(node);
      }
      setFault(undefined);
      setPicked({ nodes, more: rows.length >= PICKED });
      announce(`${count(rows.length)} nodes pass the filter`);
    };
    void ask().catch((failure: Error) => !control.signal.aborted && setFault(failure));
    return () => control.abort();
  }, [graph, model, filterText]);

  useEffect(() => {
    const hidden = new Set(hide.map((name) => model.nodeTypes.indexOf(name)));
    const passes = picked === undefined && hidden.size === 0 ? undefined : (node: number) => !hidden.has(model.types[node]!) && (picked?.nodes.has(node) ?? true);
    if (passes !== undefined || cut.length > 0 || filtered.current) scene.current?.filter(passes, new Set(cut.map((name) => model.edgeTypes.indexOf(name))));
    filtered.current = passes !== undefined || cut.length > 0;
    // What passes a new filter is to be seen, wherever it is.
    if (picked !== pickedBefore.current && picked !== undefined && (chosenNode === undefined || !picked.nodes.has(chosenNode))) scene.current?.zoom(undefined);
    pickedBefore.current = picked;
  }, [model, view, picked, hide.join('\n'), cut.join('\n'), asTable, layered]);

  const lastShown = useRef<number | undefined>(undefined);
  useEffect(() => {
    scene.current?.select(chosenNode, walk.flatMap((key) => model.find(key) ?? []));
    if (chosenNode !== undefined && chosenNode !== lastShown.current) {
      if (walk.length === 0) scene.current?.reveal(chosenNode);
      announce(`${line(chosen ?? '', 100)}, ${line(model.typeOf(chosenNode), 40)}, ${count(model.degrees[chosenNode])} links`);
    }
    lastShown.current = chosenNode;
  }, [model, view, chosen, walkText, asTable, layered]);

  useEffect(() => {
    if (from === undefined || to === undefined) return void setPath(undefined);
    const control = new AbortController();
    const kept = model.edgeTypes.filter((name) => !cut.includes(name));
    const input = { graph, source: from, target: to, direction: 'both', ...(cut.length > 0 ? { edge_types: kept } : {}) };
    call<Path>('graphs.shortest_path', input, control.signal)
      .then((found) => {
        setPath(found);
        setFault(undefined);
        announce(found.found ? `A path of ${found.length ?? 0} steps: ${found.keys.map((key) => line(key, 60)).join(', ')}` : 'There is no path');
      })
      .catch((failure: Error) => !control.signal.aborted && setFault(failure));
    return () => control.abort();
  }, [graph, from, to, cut.join('\n')]);
  const pathBefore = useRef<Path | undefined>(undefined);
  useEffect(() => {
    if (!path?.found) return scene.current?.showPath(undefined);
    const nodes = path.keys.flatMap((key) => model.find(key) ?? []);
    const edges = nodes.slice(1).flatMap((node, at) => model.neighbours(nodes[at]!).find(({ node: other }) => other === node)?.edge ?? []);
    scene.current?.showPath(nodes, edges);
    if (pathBefore.current !== path) scene.current?.frame(nodes);
    pathBefore.current = path;
  }, [model, view, path, asTable, layered]);
  useEffect(() => scene.current?.theme(), [dark]);

  const onKeyDown = (event: KeyboardEvent): void => {
    if (event.target !== frame.current || event.ctrlKey || event.metaKey || event.altKey) return;
    const arrow = { ArrowRight: [1, 0], ArrowLeft: [-1, 0], ArrowUp: [0, 1], ArrowDown: [0, -1] }[event.key];
    let known = true;
    if (arrow !== undefined) {
      const next = stepTo(model, scene.current, chosenNode, arrow[0]!, arrow[1]!);
      if (next !== undefined) choose(model.keys[next]!);
    } else if (event.key === '+' || event.key === '=') scene.current?.zoom(0.6);
    else if (event.key === '-') scene.current?.zoom(1 / 0.6);
    else if (event.key === '0') scene.current?.zoom(undefined);
    else if (event.key === 'Enter' && chosen !== undefined) expand(chosen);
    else if (event.key === 'c' && chosen !== undefined && walk.includes(chosen)) amend({ walk: walk.filter((key) => key !== chosen) });
    else if (event.key === 't' && mayLayer) amend({ layout: layered ? undefined : 'layers' });
    else if (event.key === 'l' && !layered) running ? scene.current?.stop() : scene.current?.start(false);
    else if (event.key === 'Escape') choose(undefined);
    else known = false;
    if (known) event.preventDefault();
  };

  const shownCount = picked === undefined ? view.nodes.length : picked.nodes.size;
  return (
    <div class={`graph-frame${chosen === undefined ? '' : ' has-details'}`}>
      <div class="graph-bar">
        <Search model={model} graph={graph} typing={() => scene.current?.hold()} choose={(key) => (model.whole || model.find(key) !== undefined ? choose(key) : expand(key))} />
        <div class="actions">
          <button type="button" class="small" aria-expanded={tools} aria-controls="graph-tools" onClick={() => setTools(!tools)}>
            Filter{conditions.length > 0 ? ` (${conditions.length})` : ''}
          </button>
          <button type="button" class="small" aria-pressed={asTable} onClick={() => amend({ view: asTable ? undefined : 'table' })}>
            Table
          </button>
          {!asTable && model.directed && view.nodes.length > 0 && (
            <button
              type="button"
              class="small"
              aria-pressed={layered}
              disabled={!mayLayer}
              title={mayLayer ? 'Edges lead downwards: for calls, dependencies, trees' : `Layers are for up to ${count(LAYERED.nodes)} nodes and ${count(LAYERED.edges)} edges; walk from a node, for example`}
              onClick={() => amend({ layout: layered ? undefined : 'layers' })}
            >
              Layers
            </button>
          )}
          {!asTable && !layered && view.nodes.length > 0 && (
            <button type="button" class="small" aria-pressed={running} onClick={() => (running ? scene.current?.stop() : scene.current?.start(false))}>
              {running ? 'Stop' : 'Rearrange'}
            </button>
          )}
          {!asTable && view.nodes.length > 0 && (
            <button type="button" class="small" title="Save what is shown as an SVG file" onClick={() => savePicture(scene.current, graph)}>
              Picture
            </button>
          )}
          {walk.length > 0 && model.whole && (
            <button type="button" class="small" onClick={() => amend({ walk: [] })}>
              Whole graph
            </button>
          )}
          {stale && (
            <button type="button" class="small primary" onClick={reload}>
              Changed: draw again
            </button>
          )}
        </div>
        <p class="note graph-count">
          {count(shownCount)} of {model.whole ? count(model.order) : 'many'} nodes · {count(model.size)} edges
          {view.cutShort && ` · ${STEP} neighbours a step`}
          {picked?.more && ` · only the first ${count(PICKED)}`}
        </p>
      </div>
      {tools && (
        <div class="graph-tools" id="graph-tools">
          <FilterBuilder
            key={filterText ?? ''}
            conditions={conditions}
            properties={properties}
            apply={(next: Condition[]) => {
              if (next.length === 0) setFault(undefined);
              amend({ f: textOf(next) });
            }}
          />
        </div>
      )}
      {fault !== undefined && (
        <div class="graph-fault">
          <Fault error={fault} />
        </div>
      )}
      {(from !== undefined || to !== undefined) && (
        <div class="path-bar" role="group" aria-label="Path">
          <span>
            Path from <bdi class="key">{line(from ?? '', 40)}</bdi> to
          </span>
          {to === undefined ? (
            <Search model={model} graph={graph} choose={(key) => amend({ to: key })} label="Where the path ends" placeholder="which node?" main={false} />
          ) : (
            <>
              <bdi class="key">{line(to, 40)}</bdi>
              <span class="note">{path === undefined ? '' : path.found ? `${count(path.length ?? 0)} steps` : 'there is none'}</span>
              {path?.found && (
                <ol class="path">
                  {path.keys.map((key) => (
                    <li key={key}>
                      <button type="button" class="link" onClick={() => choose(key)}>
                        <bdi>{line(key, 40)}</bdi>
                      </button>
                    </li>
                  ))}
                </ol>
              )}
            </>
          )}
          <button type="button" class="icon" aria-label="End the path" onClick={() => amend({ from: undefined, to: undefined })}>
            ×
          </button>
        </div>
      )}
      {asTable ? (
        <NodeTable graph={graph} model={model} type={model.nodeTypes.length - hide.length === 1 ? model.nodeTypes.find((name) => !hide.includes(name)) || undefined : undefined} filter={filterOf(conditions)} current={chosen} choose={choose} />
      ) : (
        <div
          class="canvas"
          data-layout={running === undefined ? undefined : running ? 'running' : 'done'}
          ref={frame}
          tabIndex={0}
          role="application"
          aria-roledescription="graph"
          aria-label={`Graph ${line(graph, 60)}: ${count(view.nodes.length)} nodes. Arrows walk from node to node, Enter shows more of one, c less, + and - zoom, 0 shows all, l starts and stops the layout, t puts it in layers. The Table button shows it as a table.`}
          onKeyDown={onKeyDown}
        />
      )}
      {!asTable && view.nodes.length === 0 && (
        <div class="graph-empty">
          {model.whole ? <Empty title="This graph has no nodes" /> : <Empty title="This graph is too big to be drawn as a whole">Search for a node to begin a walk from it.</Empty>}
        </div>
      )}
      {!asTable && model.order > 0 && <Legend model={model} hide={hide} cut={cut} dark={dark} />}
      {chosen !== undefined && (
        <Details
          graph={graph}
          id={chosen}
          model={model}
          expanded={walk.length === 0 ? null : walk.includes(chosen)}
          choose={choose}
          walk={() => expand(chosen)}
          collapse={() => amend({ walk: walk.filter((key) => key !== chosen) })}
          pathFrom={() => amend({ from: chosen, to: undefined })}
          close={() => {
            choose(undefined);
            frame.current?.focus();
          }}
        />
      )}
    </div>
  );
}

function savePicture(scene: Scene | undefined, graph: string): void {
  const text = scene?.picture();
  if (text === undefined) return announce('There is too much to be a picture; filter it, or walk');
  const url = URL.createObjectURL(new Blob([text], { type: 'image/svg+xml' }));
  const link = document.createElement('a');
  link.href = url;
  link.download = `${line(graph, 60).replace(/[^\p{L}\p{N}._-]+/gu, '-')}.svg`;
  link.click();
  setTimeout(() => URL.revokeObjectURL(url), 10_000);
}

/** The neighbour that lies most in the direction; with nothing chosen, the best connected node. */
function stepTo(model: Model, scene: Scene | undefined, from: number | undefined, x: number, y: number): number | undefined {
  if (scene === undefined) return undefined;
  if (from === undefined) {
    let best: number | undefined;
    for (const node of scene.shownNodes) if (scene.has(node) && (best === undefined || model.degrees[node]! > model.degrees[best]!)) best = node;
    return best;
  }
  const here = scene.positionOf(from);
  if (here === undefined) return undefined;
  let best: number | undefined;
  let most = 0.15; // cosine: what is across the way is no step in the direction
  for (const { node } of model.neighbours(from)) {
    const there = scene.positionOf(node);
    if (there === undefined || node === from || !scene.has(node)) continue;
    const dx = there.x - here.x;
    const dy = there.y - here.y;
    const cosine = (dx * x + dy * y) / (Math.hypot(dx, dy) || 1);
    if (cosine > most) {
      most = cosine;
      best = node;
    }
  }
  return best;
}

function Legend({ model, hide, cut, dark }: { model: Model; hide: string[]; cut: string[]; dark: boolean }): JSX.Element | null {
  const counts = useMemo(() => {
    const nodes = new Float64Array(model.nodeTypes.length);
    for (const type of model.types) nodes[type]!++;
    const edges = new Float64Array(model.edgeTypes.length);
    for (const type of model.edgeTypeOf) edges[type]!++;
    return { nodes, edges };
  }, [model, model.order, model.size]);
  const [open, setOpen] = useState(() => innerWidth > 720);
  const nodeTypes = model.nodeTypes.filter((name) => name !== '');
  const edgeTypes = model.edgeTypes.filter((name) => name !== '');
  if (nodeTypes.length + edgeTypes.length === 0) return null;
  const toggle = (list: string[], name: string): string[] => (list.includes(name) ? list.filter((other) => other !== name) : [...list, name]);
  return (
    <details class="legend" open={open} onToggle={(event) => setOpen(event.currentTarget.open)}>
      <summary>Types</summary>
      {nodeTypes.length > 0 && (
        <fieldset>
          <legend>Nodes</legend>
          {nodeTypes.map((name) => {
            const type = model.nodeTypes.indexOf(name);
            return (
              <label key={name}>
                <input type="checkbox" checked={!hide.includes(name)} onChange={() => amend({ hide: toggle(hide, name) }, true)} />
                <span class="dot" style={{ background: palette(type, dark) }} />
                <bdi>{line(name, 40)}</bdi>
                <span class="note">{count(counts.nodes[type])}</span>
              </label>
            );
          })}
        </fieldset>
      )}
      {edgeTypes.length > 0 && (
        <fieldset>
          <legend>Edges</legend>
          {edgeTypes.map((name) => (
            <label key={name}>
              <input type="checkbox" checked={!cut.includes(name)} onChange={() => amend({ cut: toggle(cut, name) }, true)} />
              <bdi>{line(name, 40)}</bdi>
              <span class="note">{count(counts.edges[model.edgeTypes.indexOf(name)])}</span>
            </label>
          ))}
        </fieldset>
      )}
    </details>
  );
}
