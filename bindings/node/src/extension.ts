/* Where brant's loadable extension of SQLite is in this package. */
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { BrantError } from './error.js';

/**
 * Where the loadable extension is, without its suffix: what better-sqlite3's `loadExtension` and SQLite's own `load_extension()` take.
 *
 * ```js
 * const db = new Database('app.db'); // better-sqlite3
 * db.loadExtension(extensionPath());
 * ```
 *
 * It uses the SQLite of the connection that loads it, and nothing of this module: `open` in the same process must not open the same file.
 *
 * @throws {@link BrantError} UNSUPPORTED where the package has none for this platform.
 */
export function extensionPath(): string {
  const path = join(__dirname, '..', 'prebuilds', `${process.platform}-${process.arch}`, 'brant');
  if (!existsSync(`${path}.so`)) {
    throw new BrantError('UNSUPPORTED', `this package has no loadable extension for ${process.platform}-${process.arch}`);
  }
  return path;
}
