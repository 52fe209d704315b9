/** Opens state.db as its one writer wants it. */
import { closeSync, openSync, statSync } from 'node:fs';
import { DatabaseSync } from 'node:sqlite';
import { type Migration, migrate, NewerDatabaseError } from './migrate.ts';
import { isDamage } from './sqlite-codes.ts';

const BUSY_MS = 5_000;
/** Larger ones are not read through at each start: what is broken in them shows when it is read. */
const CHECKED_BYTES = 32 * 1024 * 1024;

/** @throws Error with a sentence for the operator */
export function openDatabase(file: string, migrations: readonly Migration[]): DatabaseSync {
  let database: DatabaseSync | undefined;
  try {
    // Boundary: for its owner only; SQLite gives the files beside it the same mode.
    closeSync(openSync(file, 'a', 0o600));
    const { size } = statSync(file);
    database = new DatabaseSync(file, { timeout: BUSY_MS, allowExtension: false });
    database.exec(`
      PRAGMA journal_mode = WAL;
      PRAGMA synchronous = FULL;
      PRAGMA foreign_keys = ON;
      PRAGMA trusted_schema = OFF;
      PRAGMA journal_size_limit = 16777216;
    `);
    if (size > 0 && size <= CHECKED_BYTES) assertSound(database);
    migrate(database, migrations);
    return database;
  } catch (error) {
    database?.close();
    throw new Error(explain(error, file), { cause: error });
  }
}

class DamagedError extends Error {}

function assertSound(database: DatabaseSync): void {
  const [found] = database.prepare('PRAGMA quick_check(1)').all();
  const verdict = String(found?.quick_check).replace(/^.*\n/, '');
  if (verdict !== 'ok') throw new DamagedError(verdict);
}

function explain(error: unknown, file: string): string {
  const reason = error instanceof Error ? error.message : String(error);
  if (error instanceof NewerDatabaseError) {
    return `${file} cannot be used: ${reason}. Start that version, or name another data folder with --data.`;
  }
  if (error instanceof DamagedError || isDamage(error)) {
    return `${file} is damaged (${reason}). Restore it from a backup together with ${file}-wal, or move both aside: what modules stored, what was granted and the secrets in it are lost then.`;
  }
  return `${file} cannot be opened: ${reason}. See that its disk has room and that this user may write there.`;
}
