import { closeSync, existsSync, fsyncSync, openSync, readFileSync, renameSync, writeSync } from 'node:fs';
import { Key, defineModule, generateKey, open } from 'brant';

const module = defineModule('services', {
  nodes: {
    Service: {
      type: 'object',
      properties: { url: { type: 'string' }, token: { type: 'string', 'x-encrypted': true } }, // encrypted before it is stored
      required: ['url', 'token'],
      additionalProperties: false,
    },
  },
});
const path = process.argv[2] ?? 'vault.db';
const ring = `${path}.keys`; // brant stores no key: the application does, in a real one apart from the data

function save(keys) {
  const file = openSync(`${ring}.new`, 'w', 0o600);
  writeSync(file, JSON.stringify({ keys: keys.map((key) => key.reveal()) }));
  fsyncSync(file);
  closeSync(file);
  renameSync(`${ring}.new`, ring);
}

const db = open(path);
if (!db.graphs.list().items.some(({ name }) => name === 'services')) {
  db.transaction(() => {
    db.graphTypes.define(module);
    db.graphs.create('services', { graphType: 'services' });
  });
}
const { nodes } = db.graph('services');

if (!existsSync(ring)) {
  if (db.secrets.status().total > 0) throw new Error(`${ring} is lost, and with it what is encrypted: another key does not open it`);
  save([generateKey()]);
}

const attached = db.keyring(readFileSync(ring)); // with TypeScript or a newer Node.js: using attached = ..
nodes.put({ key: 'forge', type: 'Service', attributes: { url: 'https://forge.example', token: 'token-of-ann' } });
const token = nodes.openSecret('forge', 'attributes.token');
console.log(`opened: ${token} of ${token.reveal().length} characters`);
attached.close();

const stored = nodes.get('forge').attributes.token; // the envelope: no keys are needed, and none shown
console.log('stored:', Object.keys(stored).join(', '));
try {
  nodes.openSecret('forge', 'attributes.token');
} catch ({ code }) {
  console.log('without keys:', code);
}

// A new key. The old one opens what it sealed, until everything is under the new one; backups from before still need it.
const old = JSON.parse(readFileSync(ring, 'utf8')).keys.map((entry) => new Key({ ...entry, state: 'decrypt_only' }));
const key = generateKey({ version: 1 + Math.max(...old.map(({ version }) => version)) });
save([...old, key]);
db.keyring(readFileSync(ring));
const { rewrapped, failed } = db.secrets.rotate(); // batch by batch, while others read and write; rotateAsync leaves this thread alone
console.log('rotated:', rewrapped, 'failed:', failed);
console.log('under the new key:', db.secrets.status().keys.every(({ version }) => version === key.version));
if (failed === 0) save([key]);
db.close();
