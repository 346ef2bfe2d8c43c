/* From JSON text to verdict in Node.js: Validator beside JSON.parse and Ajv, the same schema and document (document.json). Texts as strings and as bytes. */
import { readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { join } from 'node:path';
import { Validator, version } from '../../bindings/node/dist/index.mjs';

const require = createRequire(join(process.env.BRANT_BENCH_NODE, 'package.json'));
const Ajv = require('ajv/dist/2020').default;
const { schema, document } = JSON.parse(readFileSync(new URL('document.json', import.meta.url), 'utf8'));
const text = JSON.stringify(document);
const bytes = Buffer.from(text);
const ours = new Validator({ schema });
const theirs = new Ajv().compile(schema);
const wrong = text.replace('12988', '-1');
if (!ours.accepts(text) || !ours.accepts(bytes) || !theirs(JSON.parse(text))) throw new Error('the document is not accepted');
if (ours.accepts(wrong) || theirs(JSON.parse(wrong))) throw new Error('a wrong document is accepted');

const ROUNDS = 31;
const CALLS = 20000;
function microseconds(call) {
  const times = [];
  for (let round = 0; round < ROUNDS; round++) {
    const start = process.hrtime.bigint();
    for (let i = 0; i < CALLS; i++) call();
    times.push(Number(process.hrtime.bigint() - start) / CALLS / 1000);
  }
  return times.sort((a, b) => a - b)[ROUNDS >> 1].toFixed(2).padStart(6);
}
console.log(`Node.js ${process.version}, brant ${version}, Ajv ${require('ajv/package.json').version}; ${text.length} bytes`);
console.log(`string to verdict, brant             ${microseconds(() => ours.accepts(text))} us`);
console.log(`string to verdict, JSON.parse + Ajv  ${microseconds(() => theirs(JSON.parse(text)))} us`);
console.log(`bytes to verdict, brant              ${microseconds(() => ours.accepts(bytes))} us`);
console.log(`bytes to verdict, JSON.parse + Ajv   ${microseconds(() => theirs(JSON.parse(bytes)))} us`);
