/* A side of pairs.py in Node.js. Arguments: send|echo, the file, rounds. */
import { setTimeout as sleep } from 'node:timers/promises';
import { open } from '../../../bindings/node/dist/index.mjs';

const [, , role, path, rounds] = process.argv;
const db = open(path);
const listener = db.listen(role === 'echo' ? 'ping' : 'pong');
const now = () => Number(process.hrtime.bigint());
if (role === 'echo') process.stdout.write('ready\n');
for (let n = 0; n < Number(rounds); n += 1) {
  if (role === 'echo') {
    await listener.next();
    db.notify('pong', now());
    continue;
  }
  await sleep(1);
  db.notify('ping', n);
  const committed = now();
  process.stdout.write(`${(await listener.next()).payload - committed}\n`);
}
db.close();
