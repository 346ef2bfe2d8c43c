/* Bundle the page into a folder, in one step, with the licences of the packages that are in it. */
import { cpSync, existsSync, mkdirSync, readFileSync, readdirSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { basename, dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { build } from 'esbuild';

const here = dirname(fileURLToPath(import.meta.url));
const out = process.argv[2];
const made = `${out}.new`;
rmSync(made, { recursive: true, force: true });
mkdirSync(made, { recursive: true });

const { metafile } = await build({
  absWorkingDir: here,
  entryPoints: { viewer: 'src/main.tsx', layout: 'src/graph/layout_worker.ts' },
  outdir: made,
  bundle: true,
  minify: true,
  format: 'esm',
  target: ['chrome111', 'firefox113', 'safari16.4'],
  jsx: 'automatic',
  jsxImportSource: 'preact',
  define: { 'process.env.NODE_ENV': '"production"' },
  legalComments: 'none',
  metafile: true,
  logLevel: 'warning',
});
for (const name of ['index.html', 'icon.svg']) cpSync(join(here, name), join(made, name));

/** The packages whose code is in the bundle, from the paths of its sources. */
const packages = new Set(Object.keys(metafile.inputs).flatMap((path) => /^node_modules\/((?:@[^/]+\/)?[^/]+)/.exec(path)?.[1] ?? []));
/** What a package carries within itself is among its dependencies. */
for (const name of packages) {
  const { dependencies = {} } = JSON.parse(readFileSync(join(here, 'node_modules', name, 'package.json'), 'utf8'));
  for (const inner of Object.keys(dependencies)) if (existsSync(join(here, 'node_modules', inner))) packages.add(inner);
}
const texts = [...packages].sort().map((name) => {
  const folder = join(here, 'node_modules', name);
  const { version, license } = JSON.parse(readFileSync(join(folder, 'package.json'), 'utf8'));
  const file = readdirSync(folder).find((entry) => /^licen[cs]e/i.test(entry));
  const text = file === undefined ? `${license} licence; the package comes without its text.` : readFileSync(join(folder, file), 'utf8').trim();
  return `${name} ${version} (${license})\n${'-'.repeat(78)}\n${text}\n`;
});
writeFileSync(join(made, 'licenses.txt'), `What the viewer's page is made of besides brant's own code.\n\n${texts.join('\n\n')}`);

rmSync(`${out}.old`, { recursive: true, force: true });
if (existsSync(out)) renameSync(out, `${out}.old`);
renameSync(made, out);
rmSync(`${out}.old`, { recursive: true, force: true });
for (const [path, { bytes }] of Object.entries(metafile.outputs)) console.log(`core/viewer/build: ${basename(path)} ${bytes} bytes`);
