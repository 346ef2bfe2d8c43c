/* A writer of contention.py, which says what it does. Arguments: the file, its ledger, its name, when to stop (s since the epoch). */
import { closeSync, openSync, writeSync } from 'node:fs';
import { open } from '../../bindings/node/dist/index.mjs';

const [, , path, ledger, name, until] = process.argv;
const db = open(path, { busyTimeout: 600000 });
const graph = db.graph('shared');
const counter = `counter-${name}`;
const noted = openSync(ledger, 'a');
let stored = graph.nodes.exists(counter) ? graph.nodes.get(counter).attributes.count : 0;
while (Date.now() / 1000 < Number(until)) {
  stored += 1;
  db.transaction(() => {
    graph.nodes.put({ key: `${name}-${stored}-a`, attributes: { by: name } });
    graph.nodes.put({ key: `${name}-${stored}-b`, attributes: { by: name } });
    graph.edges.put({ source: `${name}-${stored}-a`, target: `${name}-${stored}-b` });
    graph.nodes.put({ key: counter, attributes: { count: stored } });
  });
  writeSync(noted, `${stored}\n`);
}
closeSync(noted);
db.close();
