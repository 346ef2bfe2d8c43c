/*
 * All edges of a graph as lines, on a WebGL canvas of its own beneath sigma's nodes: two numbers and a colour a node, two indices an edge. Sigma's own edges cost some hundred bytes
 * and a visit in JavaScript each, at every step of a layout. Their order is random, so that the first so many are a fair sample of all: that is what is drawn while the camera moves.
 */
import type Sigma from 'sigma';

const VERTEX = `
attribute vec2 position;
attribute vec4 colour;
uniform mat3 view;
uniform float alpha;
varying vec4 tint;
void main() {
  gl_Position = vec4((view * vec3(0.5 + 0.5 * position, 1.0)).xy, 0.0, 1.0);
  tint = vec4(colour.rgb * alpha, alpha);
}`;
const FRAGMENT = `
precision mediump float;
varying vec4 tint;
void main() { gl_FragColor = tint; }`;

/** ms that the lines of a picture may take: while it moves, and when it is still. */
const MOVING = 20;
const STILL = 400;
/** How faint an edge between islands is beside one within. */
const ACROSS = 0.3;
/** What is drawn to find out how fast that is. */
const TRIAL = 10_000;

export class EdgeLayer {
  readonly #sigma: Sigma;
  readonly #canvas: HTMLCanvasElement;
  readonly #gl: WebGL2RenderingContext | null;
  #program: WebGLProgram | null = null;
  #positions: WebGLBuffer | null = null;
  #colours: WebGLBuffer | null = null;
  #indices: WebGLBuffer | null = null;
  #count = 0;
  /** So many of them are within an island, and stand first. */
  #inside = 0;
  /** Edges a millisecond; unknown before many were drawn. */
  #speed: number | undefined;
  #moving: ReturnType<typeof setTimeout> | undefined;
  #lastView = '';
  alpha = 0.2;
  /** A layout is under way: the next picture comes soon. */
  restless = false;

  constructor(sigma: Sigma, many: boolean) {
    this.#sigma = sigma;
    this.#canvas = sigma.createCanvas('edge-lines', { beforeLayer: 'edges' });
    this.#gl = this.#canvas.getContext('webgl2', { antialias: !many, premultipliedAlpha: true, preserveDrawingBuffer: false });
    const gl = this.#gl;
    if (gl === null) return;
    this.#program = gl.createProgram();
    for (const [kind, source] of [[gl.VERTEX_SHADER, VERTEX], [gl.FRAGMENT_SHADER, FRAGMENT]] as const) {
      const shader = gl.createShader(kind)!;
      gl.shaderSource(shader, source);
      gl.compileShader(shader);
      gl.attachShader(this.#program, shader);
    }
    gl.linkProgram(this.#program);
    this.#positions = gl.createBuffer();
    this.#colours = gl.createBuffer();
    this.#indices = gl.createBuffer();
    gl.enable(gl.BLEND);
    gl.blendFunc(gl.ONE, gl.ONE_MINUS_SRC_ALPHA);
  }

  setPositions(positions: Float32Array): void {
    const gl = this.#gl;
    if (gl === null) return;
    gl.bindBuffer(gl.ARRAY_BUFFER, this.#positions);
    gl.bufferData(gl.ARRAY_BUFFER, positions, gl.DYNAMIC_DRAW);
  }

  /** RGBA, a byte each, of each node. */
  setColours(colours: Uint8Array): void {
    const gl = this.#gl;
    if (gl === null) return;
    gl.bindBuffer(gl.ARRAY_BUFFER, this.#colours);
    gl.bufferData(gl.ARRAY_BUFFER, colours, gl.STATIC_DRAW);
  }

  /** Pairs of nodes, in any order; shuffled in place. The first so many are within an island: those between islands, long and many, are fainter. */
  setEdges(pairs: Uint32Array, inside: number): void {
    const gl = this.#gl;
    if (gl === null) return;
    this.#count = pairs.length / 2;
    this.#inside = inside;
    if (this.#count > 2000) {
      shuffle(pairs.subarray(0, 2 * inside));
      shuffle(pairs.subarray(2 * inside));
    }
    gl.bindBuffer(gl.ELEMENT_ARRAY_BUFFER, this.#indices);
    gl.bufferData(gl.ELEMENT_ARRAY_BUFFER, pairs, gl.STATIC_DRAW);
  }

  /** After sigma drew, by the same matrix. */
  draw(): void {
    const gl = this.#gl;
    if (gl === null) return;
    const { width, height } = this.#sigma.getDimensions();
    const ratio = window.devicePixelRatio || 1;
    if (this.#canvas.width !== Math.round(width * ratio) || this.#canvas.height !== Math.round(height * ratio)) {
      this.#canvas.width = Math.round(width * ratio);
      this.#canvas.height = Math.round(height * ratio);
    }
    const { matrix } = this.#sigma.getRenderParams();
    const view = matrix.join();
    const moved = view !== this.#lastView;
    this.#lastView = view;
    gl.viewport(0, 0, this.#canvas.width, this.#canvas.height);
    gl.clearColor(0, 0, 0, 0);
    gl.clear(gl.COLOR_BUFFER_BIT);
    if (this.#count === 0 || this.#program === null) return;

    let count = this.#count;
    if (count > TRIAL) {
      const budget = moved || this.restless ? MOVING : STILL;
      count = Math.min(count, this.#speed === undefined ? TRIAL : Math.max(1000, Math.floor(this.#speed * budget)));
      clearTimeout(this.#moving);
      if (moved || this.#speed === undefined) this.#moving = setTimeout(() => this.draw(), 200);
    }
    gl.useProgram(this.#program);
    gl.uniformMatrix3fv(gl.getUniformLocation(this.#program, 'view'), false, matrix);
    // Of a sample each line stands for several.
    const alpha = Math.min(0.6, this.alpha * Math.sqrt(this.#count / count));
    const uniform = gl.getUniformLocation(this.#program, 'alpha');
    const position = gl.getAttribLocation(this.#program, 'position');
    const colour = gl.getAttribLocation(this.#program, 'colour');
    gl.bindBuffer(gl.ARRAY_BUFFER, this.#positions);
    gl.enableVertexAttribArray(position);
    gl.vertexAttribPointer(position, 2, gl.FLOAT, false, 0, 0);
    gl.bindBuffer(gl.ARRAY_BUFFER, this.#colours);
    gl.enableVertexAttribArray(colour);
    gl.vertexAttribPointer(colour, 4, gl.UNSIGNED_BYTE, true, 0, 0);
    gl.bindBuffer(gl.ELEMENT_ARRAY_BUFFER, this.#indices);
    const begun = performance.now();
    const inside = Math.round((count * this.#inside) / this.#count);
    gl.uniform1f(uniform, this.#inside > 0 ? alpha * ACROSS : alpha);
    gl.drawElements(gl.LINES, 2 * (count - inside), gl.UNSIGNED_INT, 8 * this.#inside);
    gl.uniform1f(uniform, alpha);
    gl.drawElements(gl.LINES, 2 * inside, gl.UNSIGNED_INT, 0);
    if (count === TRIAL && this.#speed === undefined) {
      // Once: asking for a pixel waits for the picture.
      gl.readPixels(0, 0, 1, 1, gl.RGBA, gl.UNSIGNED_BYTE, new Uint8Array(4));
      this.#speed = count / Math.max(0.5, performance.now() - begun);
    }
  }

  kill(): void {
    clearTimeout(this.#moving);
    this.#gl?.getExtension('WEBGL_lose_context')?.loseContext();
  }
}

function shuffle(pairs: Uint32Array): void {
  let state = 2463534242;
  for (let last = pairs.length / 2 - 1; last > 0; last--) {
    state ^= state << 13;
    state ^= state >>> 17;
    state ^= state << 5;
    const other = (state >>> 0) % (last + 1);
    const a = pairs[2 * last]!;
    const b = pairs[2 * last + 1]!;
    pairs[2 * last] = pairs[2 * other]!;
    pairs[2 * last + 1] = pairs[2 * other + 1]!;
    pairs[2 * other] = a;
    pairs[2 * other + 1] = b;
  }
}
