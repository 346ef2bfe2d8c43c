/**
 * A neighbourhood as a self-contained page (a force layout on a canvas: no library, no network), as DOT and as Mermaid.
 *
 * picture: {center, nodes: [{key, type, depth, attributes}], edges: [{source, target, type, attributes}]}
 */
const COLORS = { Depends: '#3b7ddd', PreDepends: '#c2410c', Recommends: '#8b8b8b', Provides: '#2a9d5c' };

const quoted = (text) => `"${text.replaceAll('\\', '\\\\').replaceAll('"', '\\"')}"`;

export function asDot({ center, nodes, edges }) {
  const lines = ['digraph packages {', '  rankdir=LR;', '  node [shape=box, style=rounded, fontname="sans-serif"];'];
  for (const { key, type, attributes } of nodes) {
    const style = key === center ? ', penwidth=3' : type === 'Virtual' ? ', style=dashed' : attributes.installed ? ', style="rounded,filled", fillcolor="#e8f0fe"' : '';
    lines.push(`  ${quoted(key)} [label=${quoted(key)}${style}];`);
  }
  for (const { source, target, type } of edges) lines.push(`  ${quoted(source)} -> ${quoted(target)} [color="${COLORS[type]}", tooltip=${quoted(type)}];`);
  return `${lines.join('\n')}\n}\n`;
}

export function asMermaid({ center, nodes, edges }) {
  const ids = new Map(nodes.map(({ key }, i) => [key, `n${i}`]));
  const text = (value) => value.replaceAll('"', '#quot;');
  const lines = ['flowchart LR'];
  for (const { key, type } of nodes) lines.push(`  ${ids.get(key)}${type === 'Virtual' ? `(["${text(key)}"])` : `["${text(key)}"]`}`);
  for (const { source, target, type } of edges) lines.push(`  ${ids.get(source)} ${type === 'Recommends' ? '-.->' : '-->'}|${type}| ${ids.get(target)}`);
  lines.push(`  style ${ids.get(center)} stroke-width:3px`);
  return `${lines.join('\n')}\n`;
}

const html = (text) => text.replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll('"', '&quot;');

export function asPage(picture) {
  // Inside a script element only "</" and "<!--" matter: no "<" is left.
  const data = JSON.stringify({ ...picture, colors: COLORS }).replaceAll('<', '\\u003c');
  const legend = Object.entries(COLORS).map(([type, color]) => `<label><input type="checkbox" data-type="${type}" checked><i style="background:${color}"></i>${type}</label>`).join('');
  return `<!doctype html>
<html lang="en">
<meta charset="utf-8">
<meta name="viewport" content="width=device-width">
<title>${html(picture.center)} and its neighbourhood</title>
<style>
  :root { color-scheme: light dark; --back: #fbfbfa; --ink: #1f2328; --faint: #6b7280; --line: #d6d8dc; --card: #fffffff0; --installed: #3b7ddd; --node: #b9bec6; }
  @media (prefers-color-scheme: dark) { :root { --back: #15181c; --ink: #e6e8eb; --faint: #9aa2ad; --line: #343a42; --card: #1d2126f0; --installed: #6aa5ff; --node: #59616c; } }
  html, body { margin: 0; height: 100%; background: var(--back); color: var(--ink); font: 14px/1.45 system-ui, sans-serif; }
  canvas { position: fixed; inset: 0; width: 100vw; height: 100vh; cursor: grab; }
  aside { position: fixed; top: 16px; left: 16px; width: 270px; padding: 14px 16px; background: var(--card); border: 1px solid var(--line); border-radius: 10px; }
  h1 { margin: 0 0 2px; font-size: 16px; } p { margin: 0 0 10px; color: var(--faint); }
  input[type=search] { width: 100%; box-sizing: border-box; padding: 6px 8px; font: inherit; border: 1px solid var(--line); border-radius: 6px; background: var(--back); color: inherit; }
  label { display: inline-flex; align-items: center; gap: 5px; margin: 8px 10px 0 0; } i { width: 14px; height: 3px; border-radius: 2px; }
  #detail { margin-top: 12px; border-top: 1px solid var(--line); padding-top: 10px; max-height: 45vh; overflow: auto; }
  #detail b { display: block; } #detail small { color: var(--faint); } #detail button { all: unset; cursor: pointer; display: block; padding: 1px 0; } #detail button:hover, #detail button:focus-visible { text-decoration: underline; }
</style>
<canvas id="view" aria-label="Packages and their relations"></canvas>
<aside>
  <h1>${html(picture.center)}</h1>
  <p>${picture.nodes.length} packages, ${picture.edges.length} relations. Drag, scroll, click.</p>
  <input type="search" id="find" placeholder="Find a package" aria-label="Find a package">
  <div>${legend}</div>
  <div id="detail"></div>
</aside>
<script>
const data = ${data};
const canvas = document.getElementById('view'), context = canvas.getContext('2d');
const nodes = data.nodes.map((node, i) => ({ ...node, x: Math.cos(i * 2.4) * (40 + 26 * Math.sqrt(i) * (1 + node.depth / 2)), y: Math.sin(i * 2.4) * (40 + 26 * Math.sqrt(i) * (1 + node.depth / 2)), vx: 0, vy: 0, degree: 0 }));
const byKey = new Map(nodes.map((node) => [node.key, node]));
const edges = data.edges.map((edge) => ({ ...edge, a: byKey.get(edge.source), b: byKey.get(edge.target) }));
for (const { a, b } of edges) { a.degree++; b.degree++; }
const hidden = new Set();
let scale = 1, offsetX = 0, offsetY = 0, chosen = byKey.get(data.center), hover = null, heat = 1, dragged = null;

function step() {
  for (let i = 0; i < nodes.length; i++) for (let j = i + 1; j < nodes.length; j++) {
    const a = nodes[i], b = nodes[j];
    let dx = b.x - a.x, dy = b.y - a.y;
    const square = Math.max(dx * dx + dy * dy, 25), force = 3600 / square;
    dx *= force / Math.sqrt(square); dy *= force / Math.sqrt(square);
    a.vx -= dx; a.vy -= dy; b.vx += dx; b.vy += dy;
  }
  for (const { a, b } of edges) {
    const dx = b.x - a.x, dy = b.y - a.y, length = Math.hypot(dx, dy) || 1;
    const force = (length - 110) * 0.03 / Math.sqrt(Math.min(a.degree, b.degree));
    a.vx += dx / length * force; a.vy += dy / length * force; b.vx -= dx / length * force; b.vy -= dy / length * force;
  }
  for (const node of nodes) {
    node.vx -= node.x * 0.004; node.vy -= node.y * 0.004;
    if (node !== dragged) { node.x += node.vx * heat; node.y += node.vy * heat; }
    node.vx *= 0.6; node.vy *= 0.6;
  }
}
const color = (name) => getComputedStyle(document.documentElement).getPropertyValue(name);
const radius = (node) => 4 + Math.min(9, Math.sqrt(node.degree) * 1.6);
const near = (node) => node === chosen || edges.some((e) => !hidden.has(e.type) && ((e.a === chosen && e.b === node) || (e.b === chosen && e.a === node)));

function draw() {
  const ratio = devicePixelRatio || 1;
  canvas.width = innerWidth * ratio; canvas.height = innerHeight * ratio;
  context.setTransform(ratio * scale, 0, 0, ratio * scale, ratio * (innerWidth / 2 + offsetX + 120), ratio * (innerHeight / 2 + offsetY));
  const ink = color('--ink'), faint = color('--faint');
  for (const { a, b, type } of edges) {
    if (hidden.has(type)) continue;
    const on = a === chosen || b === chosen;
    context.globalAlpha = on ? 0.95 : 0.22; context.strokeStyle = context.fillStyle = data.colors[type]; context.lineWidth = on ? 1.8 : 1;
    context.setLineDash(type === 'Recommends' ? [4, 4] : []);
    const dx = b.x - a.x, dy = b.y - a.y, length = Math.hypot(dx, dy) || 1, r = radius(b) + 2;
    const x = b.x - dx / length * r, y = b.y - dy / length * r;
    context.beginPath(); context.moveTo(a.x, a.y); context.lineTo(x, y); context.stroke();
    context.setLineDash([]); context.beginPath(); context.moveTo(x, y);
    context.lineTo(x - dx / length * 7 - dy / length * 3, y - dy / length * 7 + dx / length * 3); context.lineTo(x - dx / length * 7 + dy / length * 3, y - dy / length * 7 - dx / length * 3); context.fill();
  }
  context.globalAlpha = 1; context.textAlign = 'center'; context.font = '12px system-ui, sans-serif';
  for (const node of nodes) {
    const on = near(node) || node === hover;
    context.globalAlpha = on ? 1 : 0.55; context.beginPath(); context.arc(node.x, node.y, radius(node), 0, 7);
    context.fillStyle = node.type === 'Virtual' ? color('--back') : node.attributes.installed ? color('--installed') : color('--node'); context.fill();
    context.lineWidth = node === chosen ? 3 : 1; context.strokeStyle = node === chosen ? ink : faint; context.stroke();
  }
  // Names last, the chosen one and its neighbours first; one that would cover another is left out.
  const taken = [];
  for (const node of [...nodes].sort((a, b) => near(b) - near(a) || b.degree - a.degree)) {
    const half = context.measureText(node.key).width / 2 + 2, y = node.y + radius(node) + 12, box = [node.x - half, y - 11, node.x + half, y + 3];
    if (node !== chosen && node !== hover && taken.some((t) => box[0] < t[2] && box[2] > t[0] && box[1] < t[3] && box[3] > t[1])) continue;
    taken.push(box); context.globalAlpha = near(node) || node === hover ? 1 : 0.6; context.fillStyle = ink; context.fillText(node.key, node.x, y);
  }
}
function frame() { if (heat > 0.02) { step(); heat *= 0.985; draw(); } requestAnimationFrame(frame); }
function at(event) {
  const x = (event.clientX - innerWidth / 2 - offsetX - 120) / scale, y = (event.clientY - innerHeight / 2 - offsetY) / scale;
  return { x, y, node: nodes.find((n) => Math.hypot(n.x - x, n.y - y) < radius(n) + 5) };
}
function choose(node) {
  chosen = node;
  const detail = document.getElementById('detail'), part = (tag, text) => Object.assign(document.createElement(tag), { textContent: text });
  const { version, section, summary, installed, installed_size } = node.attributes;
  detail.replaceChildren(part('b', node.key), part('small', node.type === 'Virtual' ? 'a virtual package' : [version, section, installed ? 'installed' : 'not installed', installed_size && (installed_size / 1024).toFixed(1) + ' MiB'].filter(Boolean).join(' - ')), part('p', summary || ''));
  const version_of = (edge) => edge.attributes.clauses.map((c) => c.version ? ' (' + c.relation + ' ' + c.version + ')' : '').join('');
  for (const [title, list] of [['needs', edges.filter((e) => e.a === node)], ['is needed by', edges.filter((e) => e.b === node)]]) {
    if (list.length === 0) continue;
    detail.append(part('small', title));
    for (const edge of list) { const other = edge.a === node ? edge.b : edge.a, button = part('button', other.key + version_of(edge)); button.onclick = () => choose(other); detail.append(button); }
  }
  draw();
}
let start = null;
canvas.onpointerdown = (event) => { const { node } = at(event); dragged = node || null; start = { x: event.clientX, y: event.clientY, offsetX, offsetY, moved: false }; canvas.setPointerCapture(event.pointerId); };
canvas.onpointermove = (event) => {
  const { x, y, node } = at(event);
  if (!start) { if (hover !== (node || null)) { hover = node || null; draw(); } return; }
  start.moved = start.moved || Math.hypot(event.clientX - start.x, event.clientY - start.y) > 3;
  if (dragged) { dragged.x = x; dragged.y = y; heat = Math.max(heat, 0.3); } else { offsetX = start.offsetX + event.clientX - start.x; offsetY = start.offsetY + event.clientY - start.y; draw(); }
};
canvas.onpointerup = (event) => { if (start && !start.moved) { const { node } = at(event); if (node) choose(node); } start = dragged = null; };
canvas.onwheel = (event) => { event.preventDefault(); scale = Math.min(4, Math.max(0.2, scale * Math.exp(-event.deltaY / 600))); draw(); };
document.getElementById('find').oninput = (event) => { const found = nodes.find((n) => event.target.value && n.key.includes(event.target.value)); if (found) choose(found); };
for (const box of document.querySelectorAll('[data-type]')) box.onchange = () => { box.checked ? hidden.delete(box.dataset.type) : hidden.add(box.dataset.type); choose(chosen); };
for (let i = 0; i < 250; i++) step();
heat = 0.3; onresize = draw; choose(chosen); frame();
</script>
`;
}
