import { open } from 'brant';

const db = open('quickstart.db');
if (db.graphs.list().items.length === 0) db.graphs.create('debian');
const { nodes, edges } = db.graph('debian');
const listener = db.listen('package:*');

// Data and notification are committed together, or not at all.
db.transaction(() => {
  nodes.putMany([{ key: 'curl', attributes: { version: '7.88' } }, { key: 'libcurl4' }, { key: 'libc6' }]);
  edges.putMany([{ source: 'curl', target: 'libcurl4' }, { source: 'libcurl4', target: 'libc6' }]);
  db.notify('package:added', { key: 'curl' });
});

console.log(nodes.get('curl').attributes.version, nodes.closure('curl').keys);
for await (const { channel, payload } of listener) {
  console.log(channel, payload);
  break;
}
db.close();
