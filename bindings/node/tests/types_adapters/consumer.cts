/* The same from CommonJS, where Drizzle's types are others. */
import { open } from 'brant';
import { drizzle } from 'brant/drizzle';
import { migrate } from 'brant/drizzle/migrator';
import { nodes } from 'brant/drizzle/tables';
import { accounts } from 'brant/zod';
import { accounts as accounts034 } from 'brant/sinclair-typebox';
import { integer, sqliteTable } from 'drizzle-orm/sqlite-core';

const users = sqliteTable('users', { id: integer().primaryKey() });
const db = drizzle(open('a.db'), { schema: { users } });
migrate(db, { migrationsFolder: 'drizzle' });
export const ids: number[] = db.query.users.findMany().sync().map(({ id }) => id);
export const keys: string[] = db.transaction((tx) => tx.select().from(nodes).all().map(({ key }) => key));
export const email: string = accounts.select.parse({}).email;
export { accounts034 };
// @ts-expect-error a wrong value
db.insert(users).values({ id: 'x' });
