import { readFileSync } from 'node:fs';
import { Hub } from 'brant';

const hub = new Hub(process.argv[2] ?? 'hub');
hub.keyring(readFileSync(process.argv[3] ?? 'ring.json', 'utf8'));
if (hub.organizations.list().items.length === 0) {
  const ann = hub.accounts.create('ann@example.org');
  hub.organizations.create('acme', 'Acme', { ownerId: ann.id });
}
const acme = hub.organizations.get({ slug: 'acme' });
const { token } = hub.apiKeys.create('reader', ['graphs:*', 'nodes:read'], { ownerId: acme.owner_id, orgId: acme.id });

const caller = await hub.authenticateAsync(token); // a request came with the token
if (caller.db.graphs.list().items.length === 0) caller.db.graphs.create('notes');
try {
  caller.db.graph('notes').nodes.put({ key: 'hello' });
} catch (refusal) {
  console.log('refused:', refusal.message);
}
caller.close(); // with TypeScript or a newer Node.js: using caller = ..

const db = hub.tenant(acme.id); // the program itself may do everything
db.graph('notes').nodes.put({ key: 'hello' });
db.close();
console.log('audit:', hub.audit.verify().ok);
hub.close();
