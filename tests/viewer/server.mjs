/* view() of the package in bindings/node: node server.mjs FILE [--write] [--call-timeout MS]. Prints the link, as `brant view` does. */
import { open, view } from '../../bindings/node/dist/index.mjs';

const db = open(process.argv[2]);
const at = process.argv.indexOf('--call-timeout');
const viewer = await view(db, { write: process.argv.includes('--write'), callTimeout: at < 0 ? undefined : Number(process.argv[at + 1]) });
console.log(viewer.url);
for (const signal of ['SIGTERM', 'SIGINT']) {
  process.once(signal, async () => {
    await viewer.close();
    db.close();
  });
}
