/* Compiled, never run: what Drizzle, zod and TypeBox make of the types, and what they must refuse. */
import { open, rowSchemas, type Account, type Database, type GraphNode } from 'brant';
import { drizzle, int64, type BrantDatabase, type RunResult } from 'brant/drizzle';
import { migrate } from 'brant/drizzle/migrator';
import * as brant from 'brant/drizzle/tables';
import * as sinclair from 'brant/sinclair-typebox';
import * as typebox from 'brant/typebox';
import * as rows from 'brant/zod';
import type { Static as Static034 } from '@sinclair/typebox';
import { eq, relations, sql, type InferSelectModel } from 'drizzle-orm';
import { integer, sqliteTable, text } from 'drizzle-orm/sqlite-core';
import type { Static } from 'typebox';
import type * as z from 'zod';

type Same<A, B> = (<T>() => T extends A ? 1 : 2) extends <T>() => T extends B ? 1 : 2 ? true : false;
const same = <A, B>(_: Same<A, B>): void => undefined;

const users = sqliteTable('users', { id: integer().primaryKey(), name: text().notNull(), at: integer({ mode: 'timestamp' }), balance: int64().notNull() });
const posts = sqliteTable('posts', { id: integer().primaryKey(), userId: integer().notNull() });
const usersRelations = relations(users, ({ many }) => ({ posts: many(posts) }));
const handle = open('a.db');
const db = drizzle(handle, { schema: { users, posts, usersRelations }, casing: 'snake_case', logger: true });
same<typeof db.$client, Database>(true);
const plain: BrantDatabase = drizzle({ client: handle });

// Synchronous, typed.
const all = db.select().from(users).all();
same<typeof all, { id: number; name: string; at: Date | null; balance: bigint }[]>(true);
const ran: RunResult = db.insert(users).values({ name: 'a', balance: 1n }).run();
const row = db.select({ name: users.name }).from(users).where(eq(users.id, 1)).get();
same<typeof row, { name: string } | undefined>(true);
const found = db.query.users.findFirst({ with: { posts: true } }).sync();
found?.posts[0]?.userId.toFixed();
// @ts-expect-error a wrong value
db.insert(users).values({ name: 1, balance: 1n });
// @ts-expect-error no such column
db.select({ name: users.nome }).from(users);
// @ts-expect-error without a schema there is no query
plain.query.users.findMany();
// @ts-expect-error a path is no handle
drizzle('a.db');

// The transaction.
const id = db.transaction(
  (tx) => {
    same<typeof tx.$brant, Database>(true);
    tx.$brant.queue('mail').enqueue({});
    tx.query.users.findMany().sync();
    tx.transaction((inner) => inner.$brant.notify('a'));
    return tx.insert(users).values({ name: 'a', balance: 1n }).returning({ id: users.id }).get().id;
  },
  { behavior: 'immediate', mode: 'write' },
);
id.toFixed();
// @ts-expect-error no such mode
db.transaction(() => 1, { mode: 'append' });
migrate(db, { migrationsFolder: 'drizzle' });

// brant's tables.
const job = db.select().from(brant.jobs).get();
same<NonNullable<typeof job>['state'], 'ready' | 'delayed' | 'blocked' | 'running' | 'done' | 'dead' | 'cancelled' | 'expired'>(true);
db.select().from(brant.jobs).where(eq(brant.jobs.state, 'dead'));
// @ts-expect-error no such state
db.select().from(brant.jobs).where(eq(brant.jobs.state, 'asleep'));
same<Omit<InferSelectModel<typeof brant.accounts>, 'row_id'>['access_level'], Account['access_level']>(true);
drizzle(handle, { schema: brant }).query.nodes.findFirst({ with: { outgoing: { with: { target_node: true } } } }).sync()?.outgoing[0]?.target_node.key.trim();
db.run(sql`SELECT 1`);

// Row schemas.
same<z.infer<typeof rows.accounts.select>['email'], string>(true);
const node: GraphNode = rows.nodes.select.parse({});
const account: Account = rows.accounts.select.parse({});
rows.accounts.select.pick({ id: true }).parse({}).id.trim();
// @ts-expect-error no such member
rows.accounts.select.parse({}).emial;
const made: Static<typeof typebox.accounts.insert> = { email: 'a' };
// @ts-expect-error it must have an email
const unmade: Static<typeof typebox.accounts.insert> = {};
const older: Static034<typeof sinclair.accounts.select>['status'] = 'active';
rowSchemas().nodes.select;
export { ran, node, account, made, unmade, older };
