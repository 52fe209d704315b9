/** A second connection to state.db that only reads, on the thread that asks: a row by its key takes microseconds. */
import { DatabaseSync } from 'node:sqlite';
import { createPrepared } from './prepared.ts';
import { troubleOf } from './sqlite-codes.ts';
import { type Row, type SqlValue, unavailable } from './statement.ts';

export interface Reader {
  /** @throws PlexiError STATE_UNAVAILABLE */
  read(sql: string, params: readonly SqlValue[]): readonly Row[];
  close(): void;
}

/** Who reads holds up the whole host. */
const BUSY_MS = 50;

export function openReader(file: string): Reader {
  const database = new DatabaseSync(file, { readOnly: true, timeout: BUSY_MS, allowExtension: false });
  const prepare = createPrepared(database);
  let isOpen = false;

  /**
   * What is read in one turn is read from one snapshot: taking one is two thirds of what a read costs. It ends with the
   * turn, and that a write was committed is heard in a later one; so what was acknowledged is always seen.
   */
  const openSnapshot = (): void => {
    if (isOpen) return;
    if (!database.isTransaction) prepare('BEGIN').statement.run();
    isOpen = true;
    queueMicrotask(closeSnapshot);
  };
  const closeSnapshot = (): void => {
    isOpen = false;
    if (!database.isOpen || !database.isTransaction) return;
    try {
      prepare('COMMIT').statement.run();
    } catch {
      // Nothing was written; the next turn tries again.
    }
  };

  return {
    read(sql, params) {
      try {
        openSnapshot();
        return prepare(sql).statement.all(...params) as Row[];
      } catch (error) {
        const trouble = troubleOf(error);
        if (trouble === undefined) throw error;
        throw unavailable(trouble, error);
      }
    },
    close: () => database.close(),
  };
}
