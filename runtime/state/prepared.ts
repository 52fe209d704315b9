/** Statements that were compiled before. */
import type { DatabaseSync, StatementSync } from 'node:sqlite';

export interface Prepared {
  readonly statement: StatementSync;
  readonly givesRows: boolean;
  /** One row for each row that it changed. */
  readonly returnsChanges: boolean;
}

/** The host's own texts are few; should some be made up after all, it begins anew. */
const KEPT = 500;

export function createPrepared(database: DatabaseSync): (sql: string) => Prepared {
  const known = new Map<string, Prepared>();
  return (sql) => {
    const found = known.get(sql);
    if (found !== undefined) return found;
    const statement = database.prepare(sql);
    const givesRows = statement.columns().length > 0;
    const made = { statement, givesRows, returnsChanges: givesRows && /^\s*(?:INSERT|UPDATE|DELETE)\b/i.test(sql) };
    if (known.size >= KEPT) known.clear();
    known.set(sql, made);
    return made;
  };
}
