/*
 * A graph on the screen: sigma draws nodes and their labels and finds what is under the pointer, EdgeLayer all edges, and a canvas between them what is chosen: the edges of a node, a path.
 * A scene shows some nodes of a model, all or those of a walk. Positions are within [-1, 1].
 */
import Graph from 'graphology';
import Sigma from 'sigma';
import { type EdgeProgramType, NodeCircleProgram, NodePointProgram } from 'sigma/rendering';
import { line } from '../format';
import { isDark, palette, still } from '../theme';
import { EdgeLayer } from './edge_layer';
import type { LayoutAnswer, LayoutMessage } from './layout_worker';
import type { Model } from './model';
import { Picture } from './picture';

export interface SceneEvents {
  select(node: number | undefined): void;
  /** Asked for more of it: a double click. */
  open(node: number): void;
  layout(running: boolean): void;
  /** The first picture is there. */
  painted(): void;
}

type Drawable = ConstructorParameters<typeof Sigma<NodeAttributes>>[0];

interface NodeAttributes {
  x: number;
  y: number;
  size: number;
  color: string;
  /** The key as it is: what would turn or hide text is taken out of the few that are drawn. */
  label: string;
  forceLabel?: boolean;
}

/** What sigma asks of a graph, over the scene's own arrays: 100 000 objects less. The attributes are the scene's; a refresh tells of their changes, and edges are not sigma's. */
class Points {
  readonly order: number;
  readonly #nodes: Uint32Array;
  readonly #slots: Int32Array;
  readonly #attributes: NodeAttributes[];
  #names: string[] | undefined;

  constructor(nodes: Uint32Array, slots: Int32Array, attributes: NodeAttributes[]) {
    this.order = nodes.length;
    this.#nodes = nodes;
    this.#slots = slots;
    this.#attributes = attributes;
  }

  nodes(): string[] {
    return (this.#names ??= Array.from(this.#nodes, String));
  }

  getNodeAttributes(node: string): NodeAttributes {
    return this.#attributes[this.#slots[Number(node)]!]!;
  }

  forEachNode(visit: (node: string, attributes: NodeAttributes) => void): void {
    this.nodes().forEach((node, slot) => visit(node, this.#attributes[slot]!));
  }

  hasNode(node: string): boolean {
    return (this.#slots[Number(node)] ?? -1) >= 0;
  }

  edges(): string[] {
    return [];
  }

  forEachEdge(): void {}

  hasEdge(): boolean {
    return false;
  }

  on(): void {}

  removeListener(): void {}
}

/** So many of the greatest islands are named by their best connected node. */
const LANDMARKS = 18;
/** More nodes than this are drawn as points, and labels are for the big ones. */
const MANY = 20_000;
/** Up to so many edges each has its arrow. */
const ARROWS = 1500;
/** More nodes or edges than this are no picture of lines and circles. */
const PICTURED = 20_000;
/** Of so few nodes each has its name. */
const NAMED = 40;
/** What is more in layers takes long, and nobody can follow its lines. */
export const LAYERED = { nodes: 2000, edges: 4000 };
/** Letters of a label. */
const LABEL = 48;
/** In layers, and how many nodes have room for theirs there. */
const NARROW = 26;
const LABELLED = 300;
/** Around the picture, pixels. */
const PADDING = 36;

/** Edges are EdgeLayer's. */
class NoEdges {
  kill(): void {}
  process(): void {}
  reallocate(): void {}
  render(): void {}
}

export class Scene {
  readonly #model: Model;
  readonly #events: SceneEvents;
  readonly #container: HTMLElement;
  #sigma: Sigma<NodeAttributes> | undefined;
  #edges: EdgeLayer | undefined;
  #focus: HTMLCanvasElement | undefined;
  #worker: Worker | undefined;
  #layout = 0;
  #running = false;
  /** The first picture of what is shown is on the screen. */
  #painted = false;
  /** A layout that begins then, which takes all of a processor; from nothing? */
  #waiting: boolean | undefined;
  #dark = false;

  /** Model's indices of what is shown; a slot is a place in these. */
  #nodes: Uint32Array = new Uint32Array(0);
  /** Of each of the model's nodes its slot, or -1. */
  #slots = new Int32Array(0);
  #positions: Float32Array = new Float32Array(0);
  #attributes: NodeAttributes[] = [];
  /** The community of each slot, of a big graph once its layout found them. */
  #islandOf: Uint32Array | undefined;
  #unplaced = false;
  /** Model's indices of edges both of whose ends are shown, and their ends as slots. */
  #shown: Uint32Array = new Uint32Array(0);
  #ends: Uint32Array = new Uint32Array(0);
  /** The edges that the layout was asked about. */
  #laid: Uint32Array = new Uint32Array(0);

  #selected: number | undefined;
  #near = new Set<number>();
  /** Something was chosen when it was drawn last. */
  #chosen = false;
  #watch: ResizeObserver | undefined;
  /** Until when the layout leaves the picture alone, for who is doing something else. */
  #held = 0;
  #followed: number | undefined;
  /** What is to be in sight once the layout is done. */
  #framed: number[] | undefined;
  /** Few pass the filter: they are big enough to be seen. */
  #few = false;
  /** Not before then, since the last picture took long. */
  #next = 0;
  #expanded = new Set<number>();
  #path: { nodes: Set<number>; edges: Set<number> } | undefined;
  /** In layers, from the top down, in place of forces. */
  #layered = false;
  /** Of edges in layers, by the model's index: the points between their ends. */
  #ways = new Map<number, Float32Array>();
  #passes: ((node: number) => boolean) | undefined;
  #hiddenEdgeTypes = new Set<number>();

  constructor(container: HTMLElement, model: Model, events: SceneEvents) {
    this.#container = container;
    this.#model = model;
    this.#events = events;
  }

  /** What is shown, by the model's indices; where, if it is known. `layered`: its next layout is one of layers, which are for few nodes. */
  show(nodes: Uint32Array, positions: Float32Array, keepCamera: boolean, layered: boolean): void {
    const camera = keepCamera ? this.#sigma?.getCamera().getState() : undefined;
    this.stop();
    this.#layered = layered;
    this.#ways.clear();
    this.#nodes = nodes;
    this.#positions = positions;
    this.#followed = this.#framed = undefined;
    this.#islandOf = undefined;
    this.#unplaced = false;
    this.#shown = this.#ends = new Uint32Array(0); // those of what was shown before
    this.#slots = new Int32Array(this.#model.order).fill(-1);
    const many = nodes.length > MANY;
    const scale = Math.max(0.45, Math.min(1, Math.sqrt(200 / nodes.length)));
    const colours = this.#palette();
    this.#attributes = [];
    for (let slot = 0; slot < nodes.length; slot++) {
      const node = nodes[slot]!;
      const degree = this.#model.degrees[node]!;
      this.#slots[node] = slot;
      this.#attributes.push({
        x: positions[2 * slot]!,
        y: positions[2 * slot + 1]!,
        size: many ? 0.65 + 0.05 * Math.sqrt(degree) : Math.min(16, scale * (3.5 + 1.6 * Math.log1p(degree))),
        color: colours[this.#model.types[node]!]!,
        label: this.#model.keys[node]!,
        forceLabel: nodes.length <= NAMED,
      });
    }
    this.#near.clear();
    this.#build(new Points(nodes, this.#slots, this.#attributes), many, camera);
  }

  /** The colour of each type. */
  #palette(): string[] {
    const dark = isDark();
    return this.#model.nodeTypes.map((_, type) => palette(type, dark));
  }

  #slotOf(node: number): number | undefined {
    const slot = this.#slots[node];
    return slot === undefined || slot < 0 ? undefined : slot;
  }

  #build(graph: Points, many: boolean, camera: ReturnType<ReturnType<Sigma['getCamera']>['getState']> | undefined): void {
    this.#edges?.kill();
    this.#edges = undefined;
    this.#sigma?.kill();
    const dark = isDark();
    this.#dark = dark;
    this.#sigma = new Sigma<NodeAttributes>(new Graph() as unknown as Drawable, this.#container, {
      // Programs take their time to be compiled, so there are no others.
      nodeProgramClasses: { circle: many ? NodePointProgram : NodeCircleProgram },
      edgeProgramClasses: { arrow: NoEdges, line: NoEdges } as unknown as Record<string, EdgeProgramType<NodeAttributes>>,
      labelFont: 'system-ui, sans-serif',
      labelSize: 12,
      labelWeight: '500',
      labelColor: { color: dark ? '#e8ecf3' : '#1b2230' },
      labelDensity: many ? 0.4 : 1,
      labelGridCellSize: 110,
      labelRenderedSizeThreshold: many ? 5 : nodesThreshold(this.#nodes.length),
      stagePadding: PADDING,
      minCameraRatio: 0.002,
      maxCameraRatio: 4,
      zIndex: true,
      nodeReducer: (node, data) => this.#reduce(Number(node), data),
      defaultDrawNodeLabel: (context, data, settings) => drawLabel(context, data, settings, this.#layered),
      defaultDrawNodeHover: drawHover,
      allowInvalidContainer: true,
      zoomDuration: still() ? 0 : 180,
      inertiaDuration: still() ? 0 : 180,
      hideLabelsOnMove: many,
    });
    const sigma = this.#sigma;
    // What is empty need not be put over the rest in each picture.
    for (const layer of ['edges', 'edgeLabels']) sigma.getCanvases()[layer]!.style.display = 'none';
    // Before the nodes, so that they are worked through once.
    sigma.setCustomBBox({ x: [-1, 1], y: [-1, 1] });
    if (camera !== undefined) sigma.getCamera().setState(camera);
    this.#focus = sigma.createCanvas('focus', { beforeLayer: 'nodes' });
    sigma.on('afterRender', () => {
      this.#edges?.draw();
      this.#drawFocus();
    });
    for (const event of ['wheel', 'mousedown'] as const) sigma.getMouseCaptor().on(event, () => (this.#followed = this.#framed = undefined));
    sigma.on('clickNode', ({ node }) => this.#events.select(Number(node)));
    sigma.on('clickStage', () => this.#events.select(undefined));
    sigma.on('doubleClickNode', ({ node, event }) => {
      event.preventSigmaDefault();
      this.#events.open(Number(node));
    });
    sigma.on('enterNode', () => (this.#container.style.cursor = 'pointer'));
    sigma.on('leaveNode', () => (this.#container.style.cursor = ''));
    sigma.getCamera().on('updated', () => this.hold());
    sigma.setGraph(graph as unknown as Drawable);
    // First the nodes, on the screen; the edges with the next picture.
    this.#painted = false;
    requestAnimationFrame(() =>
      setTimeout(() => {
        if (this.#sigma !== sigma) return;
        this.#painted = true;
        this.#events.painted();
        this.#edges = new EdgeLayer(sigma as unknown as Sigma, many);
        this.#edges.setPositions(this.#positions);
        this.#findEdges();
        this.#colour();
        if (this.#near.size === 0) this.#select();
        sigma.scheduleRender();
        if (this.#waiting !== undefined) this.#layOut(this.#waiting);
        this.#waiting = undefined;
      }),
    );
    this.#watch ??= new ResizeObserver(() => {
      this.#sigma?.resize();
      this.#sigma?.scheduleRender();
    });
    this.#watch.observe(this.#container);
  }

  #findEdges(): void {
    const { sources, targets, edgeTypeOf, size, order } = this.#model;
    let slotOf = this.#slots;
    let passing = this.#nodes.length;
    if (this.#passes !== undefined) {
      slotOf = new Int32Array(order).fill(-1);
      passing = 0;
      this.#nodes.forEach((node, slot) => {
        if (!this.#passes!(node)) return;
        slotOf[node] = slot;
        passing++;
      });
    }
    this.#few = passing < 3000;
    const shown = new Uint32Array(size);
    const ends = new Uint32Array(2 * size);
    let count = 0;
    for (let edge = 0; edge < size; edge++) {
      // Of a graph that has grown since, some have no slot.
      const source = slotOf[sources[edge]!] ?? -1;
      const target = slotOf[targets[edge]!] ?? -1;
      if (source < 0 || target < 0 || this.#hiddenEdgeTypes.has(edgeTypeOf[edge]!)) continue;
      shown[count] = edge;
      ends[2 * count] = source;
      ends[2 * count + 1] = target;
      count++;
    }
    this.#shown = shown.subarray(0, count);
    this.#ends = ends.subarray(0, 2 * count);
    this.#drawEdges();
  }

  /** Those within an island first. */
  #drawEdges(): void {
    if (this.#edges === undefined) return;
    // Those in layers have bends, and are drawn with their arrows.
    if (this.#layered) return this.#edges.setEdges(new Uint32Array(0), 0);
    const ends = this.#ends;
    const of = this.#islandOf;
    this.#edges.alpha = Math.max(0.035, Math.min(0.55, 26 / Math.sqrt(ends.length / 2 + 1)));
    // Of a big graph whose nodes have no place yet they would be a ball of wool.
    if (of === undefined) return this.#edges.setEdges(this.#unplaced ? new Uint32Array(0) : ends.slice(), 0);
    const pairs = new Uint32Array(ends.length);
    let first = 0;
    let last = pairs.length;
    for (let at = 0; at < ends.length; at += 2) {
      const to = of[ends[at]!] === of[ends[at + 1]!] ? (first += 2) - 2 : (last -= 2);
      pairs[to] = ends[at]!;
      pairs[to + 1] = ends[at + 1]!;
    }
    this.#edges.setEdges(pairs, first / 2);
  }

  /** Names for the greatest islands, so that the first picture says what is where. */
  #nameIslands(islandOf: Uint32Array): void {
    this.#islandOf = islandOf;
    this.#unplaced = false;
    const best = new Int32Array(LANDMARKS).fill(-1);
    islandOf.forEach((island, slot) => {
      const known = best[island];
      if (known !== undefined && (known < 0 || this.#model.degrees[this.#nodes[slot]!]! > this.#model.degrees[this.#nodes[known]!]!)) best[island] = slot;
    });
    for (const slot of best) if (slot >= 0 && this.#model.degrees[this.#nodes[slot]!]! > 1) this.#attributes[slot]!.forceLabel = true;
    this.#drawEdges();
  }

  #colour(): void {
    const colours = this.#palette();
    const bytes = colours.map(rgb);
    const pixels = new Uint8Array(4 * this.#nodes.length);
    this.#nodes.forEach((node, slot) => {
      const type = this.#model.types[node]!;
      pixels.set(bytes[type]!, 4 * slot);
      pixels[4 * slot + 3] = 255;
      this.#attributes[slot]!.color = colours[type]!;
    });
    this.#edges?.setColours(pixels);
  }

  /** Of a copy of its attributes, which may be changed. */
  #reduce(node: number, data: NodeAttributes): Record<string, unknown> {
    if (this.#passes === undefined && this.#selected === undefined && this.#path === undefined && this.#expanded.size === 0) return data as unknown as Record<string, unknown>;
    if (this.#passes !== undefined && !this.#passes(node)) return { ...data, hidden: true };
    const chosen = node === this.#selected;
    const onPath = this.#path?.nodes.has(node) ?? false;
    const emphasis = chosen || onPath || this.#near.has(node);
    const selected = this.#selected !== undefined && (this.#passes?.(this.#selected) ?? true);
    const others = selected || this.#path !== undefined;
    return {
      ...data,
      highlighted: chosen,
      forceLabel: (data.forceLabel === true && !others) || onPath || (this.#near.has(node) && this.#near.size <= 40) || this.#expanded.has(node),
      zIndex: chosen ? 3 : onPath ? 2 : emphasis ? 1 : 0,
      size: chosen || onPath ? Math.max(6, data.size) : this.#near.has(node) || this.#few ? Math.max(3, data.size) : data.size,
      color: others && !emphasis ? faded(data.color, isDark()) : data.color,
      label: others && !emphasis && !this.#expanded.has(node) ? '' : data.label,
    };
  }

  /** The edges of what is chosen, with arrows; of a small graph those of all. */
  #drawFocus(): void {
    const sigma = this.#sigma;
    const canvas = this.#focus;
    if (sigma === undefined || canvas === undefined) return;
    const { width, height } = sigma.getDimensions();
    const ratio = window.devicePixelRatio || 1;
    if (canvas.width !== Math.round(width * ratio) || canvas.height !== Math.round(height * ratio)) {
      canvas.width = Math.round(width * ratio);
      canvas.height = Math.round(height * ratio);
    }
    const context = canvas.getContext('2d')!;
    context.setTransform(ratio, 0, 0, ratio, 0, 0);
    context.clearRect(0, 0, width, height);
    this.#drawLines(sigma, context, this.#shown.length <= ARROWS || this.#layered);
  }

  /** @param all - not only those of what is chosen */
  #drawLines(sigma: Sigma<NodeAttributes>, context: CanvasRenderingContext2D, all: boolean): void {
    const dark = isDark();
    const accent = dark ? '#8ab4ff' : '#1f55c0';
    const point = (slot: number): { x: number; y: number } =>
      sigma.graphToViewport({ x: this.#positions[2 * slot]!, y: this.#positions[2 * slot + 1]! });
    const sizeOf = (slot: number): number => {
      const data = sigma.getNodeDisplayData(String(this.#nodes[slot]!));
      return data === undefined ? 3 : sigma.scaleSize(data.size);
    };
    const stroke = (edge: number, colour: string, weight: number, names: boolean): void => {
      const source = this.#slotOf(this.#model.sources[edge]!);
      const target = this.#slotOf(this.#model.targets[edge]!);
      if (source === undefined || target === undefined) return;
      const way = this.#ways.get(edge);
      const bends: Point[] = [];
      for (let at = 0; way !== undefined && at < way.length; at += 2) bends.push(sigma.graphToViewport({ x: way[at]!, y: way[at + 1]! }));
      arrow(context, point(source), point(target), sizeOf(target), colour, weight, this.#model.directed, bends);
      if (names) name(context, point(source), point(target), middleOf(bends), this.#model.edgeType(edge), dark);
    };
    if (all) {
      const faint = this.#selected === undefined && this.#path === undefined;
      const colour = dark ? `rgba(160,172,194,${faint ? 0.55 : 0.16})` : `rgba(90,102,124,${faint ? 0.5 : 0.16})`;
      for (const edge of this.#shown) stroke(edge, colour, 1, false);
    }
    if (this.#selected !== undefined) {
      const edges = this.#model.neighbours(this.#selected).filter(({ edge, node }) => this.#isShown(edge, node));
      const few = edges.length <= 12 && sigma.getCamera().ratio < 2;
      for (const { edge } of edges.slice(0, 3000)) stroke(edge, edges.length > 300 ? `${accent}66` : `${accent}cc`, 1.3, few);
    }
    if (this.#path !== undefined) for (const edge of this.#path.edges) stroke(edge, dark ? '#ffb454' : '#b45309', 3, this.#path.edges.size <= 24);
  }

  /** What one sees, as SVG; undefined where it is too much for that. */
  picture(): string | undefined {
    const sigma = this.#sigma;
    if (sigma === undefined || this.#nodes.length > PICTURED || this.#shown.length > PICTURED) return undefined;
    const { width, height } = sigma.getDimensions();
    const picture = new Picture();
    const context = picture as unknown as CanvasRenderingContext2D;
    this.#drawLines(sigma, context, true);
    const named = sigma.getNodeDisplayedLabels();
    const labels: (() => void)[] = [];
    for (const node of this.#nodes) {
      const data = sigma.getNodeDisplayData(String(node));
      const at = this.positionOf(node);
      if (data === undefined || data.hidden || at === undefined) continue;
      const { x, y } = sigma.graphToViewport(at);
      const size = sigma.scaleSize(data.size);
      if (x < -size || y < -size || x > width + size || y > height + size) continue;
      picture.fillStyle = data.color;
      picture.beginPath();
      picture.arc(x, y, size, 0, 2 * Math.PI);
      picture.fill();
      if (named.has(String(node))) labels.push(() => drawLabel(context, { x, y, size, label: data.label, color: data.color }, { labelSize: 12, labelFont: 'system-ui, sans-serif', labelWeight: '500' }, this.#layered));
    }
    for (const draw of labels) draw();
    return picture.svg(width, height, isDark() ? '#12161e' : '#f6f7fa', this.#model.graph);
  }

  #isShown(edge: number, node: number): boolean {
    return this.#slotOf(node) !== undefined && !this.#hiddenEdgeTypes.has(this.#model.edgeTypeOf[edge]!) && (this.#passes?.(node) ?? true);
  }

  /** The chosen node, and what is expanded in a walk. */
  select(node: number | undefined, expanded: Iterable<number> = []): void {
    this.#selected = node;
    this.#expanded = new Set(expanded);
    this.#chosen ||= node !== undefined || this.#expanded.size > 0;
    this.#select();
  }

  #select(): void {
    if (this.#selected === undefined && this.#near.size === 0 && !this.#chosen) return;
    this.#chosen = this.#selected !== undefined || this.#expanded.size > 0;
    this.#near.clear();
    if (this.#selected !== undefined) {
      for (const { node, edge } of this.#model.neighbours(this.#selected)) if (this.#isShown(edge, node)) this.#near.add(node);
    }
    this.#sigma?.refresh({ schedule: true });
  }

  showPath(nodes: number[] | undefined, edges: number[] = []): void {
    if (nodes === undefined && this.#path === undefined) return;
    this.#path = nodes === undefined ? undefined : { nodes: new Set(nodes), edges: new Set(edges) };
    this.#sigma?.refresh({ schedule: true });
  }

  /** Show the nodes only that pass, and no edges of some types. */
  filter(passes: ((node: number) => boolean) | undefined, hiddenEdgeTypes: Set<number>): void {
    this.#passes = passes;
    this.#hiddenEdgeTypes = hiddenEdgeTypes;
    this.#findEdges();
    this.#select();
    this.#sigma?.refresh({ schedule: true });
  }

  theme(): void {
    const dark = isDark();
    if (this.#sigma === undefined || this.#dark === dark) return;
    this.#dark = dark;
    this.#colour();
    this.#sigma?.setSetting('labelColor', { color: dark ? '#e8ecf3' : '#1b2230' });
    this.#sigma?.refresh({ schedule: true });
  }

  /** Bring it to the middle, near enough to see what is about it. */
  reveal(node: number): void {
    const at = this.positionOf(node);
    if (this.#sigma === undefined || at === undefined) return;
    const camera = this.#sigma.getCamera();
    this.#followed = node;
    // A small graph is all in sight.
    if (this.#nodes.length <= 500 && camera.ratio >= 0.9) return;
    const state = { ...framed(at), ratio: Math.min(camera.ratio, this.#nodes.length > MANY ? 0.12 : this.#nodes.length > 500 ? 0.4 : 1) };
    if (still()) camera.setState(state);
    else void camera.animate(state, { duration: 250 });
  }

  /** Bring all of them in sight, and as near as they allow. */
  frame(nodes: number[]): void {
    const camera = this.#sigma?.getCamera();
    const at = nodes.flatMap((node) => this.positionOf(node) ?? []);
    if (camera === undefined || at.length === 0) return;
    const [left, right, low, high] = at.reduce(([l, r, d, u], { x, y }) => [Math.min(l, x), Math.max(r, x), Math.min(d, y), Math.max(u, y)], [1, -1, 1, -1]) as [number, number, number, number];
    this.#followed = undefined;
    this.#framed = this.#running ? nodes : undefined;
    const state = { ...framed({ x: (left + right) / 2, y: (low + high) / 2 }), ratio: Math.min(1, Math.max(0.02, 0.8 * Math.max(right - left, high - low))) };
    if (still()) camera.setState(state);
    else void camera.animate(state, { duration: 250 });
  }

  /** What was chosen stays in the middle while the layout moves it, until somebody moves the camera. */
  #keepInSight(): void {
    const at = this.#followed === undefined ? undefined : this.positionOf(this.#followed);
    const camera = this.#sigma?.getCamera();
    if (at === undefined || camera === undefined || camera.ratio >= 0.9 || camera.isAnimated()) return;
    const held = this.#held;
    camera.setState(framed(at));
    this.#held = held;
  }

  zoom(factor: number | undefined): void {
    const camera = this.#sigma?.getCamera();
    if (camera === undefined) return;
    const state = factor === undefined ? { x: 0.5, y: 0.5, ratio: 1, angle: 0 } : { ratio: camera.ratio * factor };
    if (still()) camera.setState(state);
    else void camera.animate(state, { duration: 160 });
  }

  positionOf(node: number): { x: number; y: number } | undefined {
    const slot = this.#slotOf(node);
    return slot === undefined ? undefined : { x: this.#positions[2 * slot]!, y: this.#positions[2 * slot + 1]! };
  }

  has(node: number): boolean {
    return this.#slotOf(node) !== undefined && (this.#passes?.(node) ?? true);
  }

  get shownNodes(): Uint32Array {
    return this.#nodes;
  }

  /** Somebody does something: let the layout wait with its next picture. */
  hold(): void {
    const now = performance.now();
    if (this.#running && this.#nodes.length > MANY && this.#held < now + 400) this.#worker?.postMessage({ hold: 700 } satisfies LayoutMessage);
    this.#held = now + 700;
  }

  /** Lay it out, from where nodes are. */
  start(fresh: boolean): void {
    if (this.#nodes.length < 2) return this.#events.layout(false);
    this.#unplaced = fresh && this.#nodes.length > MANY;
    this.#running = true;
    this.#events.layout(true);
    if (this.#painted) this.#layOut(fresh);
    else this.#waiting = fresh;
  }

  #layOut(fresh: boolean): void {
    if (this.#shown.length === 0) this.#findEdges();
    this.#worker ??= this.#open();
    const order = this.#nodes.length;
    const count = this.#ends.length / 2;
    const sources = new Uint32Array(count);
    const targets = new Uint32Array(count);
    for (let edge = 0; edge < count; edge++) {
      sources[edge] = this.#ends[2 * edge]!;
      targets[edge] = this.#ends[2 * edge + 1]!;
    }
    const start = {
      id: ++this.#layout,
      positions: this.#positions.slice(),
      sources,
      targets,
      every: still() ? 1e9 : order > MANY ? 1200 : order > 3000 ? 150 : 30,
      budget: order > MANY ? 60_000 : order > 3000 ? 15_000 : 2500,
      kinds: Uint16Array.from(this.#nodes, (node) => this.#model.types[node]!),
      fresh,
      ...(this.#layered ? { layered: { widths: this.#widths(), frame: this.#frame() } } : {}),
    };
    this.#laid = this.#shown;
    this.#worker.postMessage({ start } satisfies LayoutMessage, [start.positions.buffer, sources.buffer, targets.buffer, start.kinds.buffer]);
  }

  /** Of each node with its label beneath, where there is room for labels. */
  #widths(): Float32Array {
    const context = document.createElement('canvas').getContext('2d')!;
    context.font = '500 12px system-ui, sans-serif';
    const labelled = this.#nodes.length <= LABELLED;
    return Float32Array.from(this.#attributes, ({ label, size }) => Math.max(2 * size + 8, labelled ? context.measureText(line(label, NARROW)).width + 10 : 0));
  }

  #frame(): [number, number] {
    const { width, height } = this.#sigma?.getDimensions() ?? { width: 1000, height: 700 };
    return [Math.max(200, width - 2 * PADDING), Math.max(200, height - 2 * PADDING)];
  }

  stop(): void {
    if (!this.#running) return;
    this.#running = false;
    this.#waiting = undefined;
    this.#layout++;
    if (this.#unplaced) {
      this.#unplaced = false;
      this.#drawEdges();
    }
    if (this.#edges !== undefined) this.#edges.restless = false;
    this.#sigma?.scheduleRender();
    // Layers are made in one go.
    if (this.#layered) {
      this.#worker?.terminate();
      this.#worker = undefined;
    } else this.#worker?.postMessage({ stop: true } satisfies LayoutMessage);
    this.#events.layout(false);
  }

  #open(): Worker {
    const worker = new Worker('/layout.js', { type: 'module' });
    worker.onmessage = ({ data }: MessageEvent<LayoutAnswer>) => {
      if (data.id !== this.#layout) return;
      // The next positions come soon; a picture of many nodes takes a while, which who types or moves would feel.
      const begun = performance.now();
      if (!data.done && this.#attributes.length > MANY / 4 && begun < Math.max(this.#held, this.#next)) return;
      this.#positions = data.positions;
      this.#attributes.forEach((attributes, slot) => {
        attributes.x = data.positions[2 * slot]!;
        attributes.y = data.positions[2 * slot + 1]!;
      });
      this.#edges?.setPositions(data.positions);
      if (data.islandOf !== undefined) this.#nameIslands(data.islandOf);
      if (data.ways !== undefined) this.#takeWays(data.ways);
      this.#keepInSight();
      if (this.#edges !== undefined) this.#edges.restless = !data.done;
      this.#sigma?.refresh({ schedule: true });
      // A slow machine gets fewer pictures: at most a fourth of the time is spent on them.
      this.#next = Infinity;
      requestAnimationFrame(() =>
        setTimeout(() => {
          const now = performance.now();
          this.#next = now + 3 * (now - begun);
        }),
      );
      if (!data.done) return;
      this.#running = false;
      if (this.#framed !== undefined) this.frame(this.#framed);
      this.#events.layout(false);
    };
    return worker;
  }

  #takeWays({ starts, points, scale }: NonNullable<LayoutAnswer['ways']>): void {
    this.#laid.forEach((edge, at) => this.#ways.set(edge, points.subarray(starts[at]!, starts[at + 1]!)));
    // There is room for all of them, or for some, as one comes nearer.
    const all = this.#attributes.length <= NAMED || (this.#attributes.length <= LABELLED && scale > 0.85);
    for (const attributes of this.#attributes) attributes.forceLabel = all;
  }

  kill(): void {
    this.#worker?.terminate();
    this.#watch?.disconnect();
    this.#edges?.kill();
    this.#sigma?.kill();
    this.#sigma = undefined;
  }
}

/** Sigma's coordinates: the box [-1, 1] is [0, 1] there. */
function framed({ x, y }: { x: number; y: number }): { x: number; y: number } {
  return { x: 0.5 + x / 2, y: 0.5 + y / 2 };
}

function nodesThreshold(order: number): number {
  return order <= 60 ? 0 : order <= 1000 ? 3 : 5;
}

function rgb(colour: string): [number, number, number] {
  const number = Number.parseInt(colour.slice(1), 16);
  return [number >> 16, (number >> 8) & 255, number & 255];
}

const FADED = new Map<string, string>();
function faded(colour: string, dark: boolean): string {
  const key = `${colour}${dark ? 'd' : 'l'}`;
  let found = FADED.get(key);
  if (found === undefined) {
    const back = dark ? [22, 26, 34] : [246, 247, 250];
    found = `#${rgb(colour).map((part, at) => Math.round(part * 0.22 + back[at]! * 0.78).toString(16).padStart(2, '0')).join('')}`;
    FADED.set(key, found);
  }
  return found;
}

interface Point {
  x: number;
  y: number;
}

function arrow(context: CanvasRenderingContext2D, from: Point, to: Point, size: number, colour: string, weight: number, directed: boolean, bends: readonly Point[]): void {
  context.strokeStyle = colour;
  context.fillStyle = colour;
  context.lineWidth = weight;
  const length = Math.hypot(to.x - from.x, to.y - from.y);
  if (length < 1) {
    if (directed) {
      context.beginPath();
      context.arc(from.x + size, from.y - size, size, 0, 2 * Math.PI);
      context.stroke();
    }
    return;
  }
  // The end of it, which is straight.
  const last = bends.at(-1) ?? from;
  const rest = Math.hypot(to.x - last.x, to.y - last.y) || 1;
  const x = (to.x - last.x) / rest;
  const y = (to.y - last.y) / rest;
  // Of a short line the head would be all that one sees.
  const head = directed ? Math.min(4 + 1.6 * weight, (length - size) / 3) : 0;
  const tip = { x: to.x - x * (size + 1), y: to.y - y * (size + 1) };
  context.beginPath();
  context.moveTo(from.x, from.y);
  bends.forEach((bend, at) => {
    const next = bends[at + 1];
    if (next === undefined) context.quadraticCurveTo(bend.x, bend.y, tip.x - x * head, tip.y - y * head);
    else context.quadraticCurveTo(bend.x, bend.y, (bend.x + next.x) / 2, (bend.y + next.y) / 2);
  });
  if (bends.length === 0) context.lineTo(tip.x - x * head, tip.y - y * head);
  context.stroke();
  if (head < 2) return;
  context.beginPath();
  context.moveTo(tip.x, tip.y);
  context.lineTo(tip.x - x * head - y * head * 0.45, tip.y - y * head + x * head * 0.45);
  context.lineTo(tip.x - x * head + y * head * 0.45, tip.y - y * head - x * head * 0.45);
  context.fill();
}

/** Of a line with bends, which goes through the points between them. */
function middleOf(bends: readonly Point[]): Point | undefined {
  const at = bends.length >> 1;
  const [before, after] = [bends[at - 1], bends[at]];
  return before === undefined || after === undefined ? after : { x: (before.x + after.x) / 2, y: (before.y + after.y) / 2 };
}

function name(context: CanvasRenderingContext2D, from: Point, to: Point, middle: Point | undefined, text: string, dark: boolean): void {
  if (text === '' || Math.hypot(to.x - from.x, to.y - from.y) < 70) return;
  context.font = '11px system-ui, sans-serif';
  context.textAlign = 'center';
  context.lineWidth = 3;
  context.strokeStyle = dark ? '#12161e' : '#f6f7fa';
  context.fillStyle = dark ? '#aab4c5' : '#4a5568';
  const x = middle?.x ?? (from.x + to.x) / 2;
  const y = (middle?.y ?? (from.y + to.y) / 2) - 3;
  const shown = line(text, 24);
  context.strokeText(shown, x, y);
  context.fillText(shown, x, y);
  context.textAlign = 'start';
}

interface LabelSettings {
  labelSize: number;
  labelFont: string;
  labelWeight: string;
}
interface LabelData {
  /** Has its name in a frame (drawHover). */
  highlighted?: boolean;
  x: number;
  y: number;
  size: number;
  label?: string | null;
  color: string;
}

function drawLabel(context: CanvasRenderingContext2D, data: LabelData, settings: LabelSettings, beneath: boolean): void {
  if (!data.label || data.highlighted) return;
  const dark = isDark();
  context.font = `${settings.labelWeight} ${settings.labelSize}px ${settings.labelFont}`;
  context.lineJoin = 'round';
  context.lineWidth = 3.5;
  context.strokeStyle = dark ? 'rgba(18,22,30,.9)' : 'rgba(246,247,250,.9)';
  context.fillStyle = dark ? '#e8ecf3' : '#1b2230';
  const x = beneath ? data.x : data.x + data.size + 4;
  const y = beneath ? data.y + data.size + settings.labelSize : data.y + settings.labelSize / 3;
  context.textAlign = beneath ? 'center' : 'start';
  const text = line(data.label, beneath ? NARROW : LABEL);
  context.strokeText(text, x, y);
  context.fillText(text, x, y);
  context.textAlign = 'start';
}

function drawHover(context: CanvasRenderingContext2D, data: LabelData, settings: LabelSettings): void {
  const dark = isDark();
  context.beginPath();
  context.arc(data.x, data.y, data.size + 3.5, 0, 2 * Math.PI);
  context.strokeStyle = dark ? '#8ab4ff' : '#1f55c0';
  context.lineWidth = 2;
  context.stroke();
  if (!data.label) return;
  context.font = `600 ${settings.labelSize}px ${settings.labelFont}`;
  const text = line(data.label, LABEL);
  const width = context.measureText(text).width + 14;
  const height = settings.labelSize + 11;
  // It hides the label that is there already.
  const x = data.x + data.size + 4;
  const y = data.y - height / 2;
  context.fillStyle = dark ? '#232a37' : '#ffffff';
  context.shadowColor = 'rgba(0,0,0,.25)';
  context.shadowBlur = 8;
  context.shadowOffsetY = 1;
  context.beginPath();
  context.roundRect(x, y, width, height, 5);
  context.fill();
  context.shadowBlur = 0;
  context.shadowOffsetY = 0;
  context.fillStyle = dark ? '#f2f5fa' : '#131a26';
  context.fillText(text, x + 7, data.y + settings.labelSize / 3);
}
