/** Reads the rows of a statement into text, and stops where an answer would be too large. */
import { toBase64 } from '../protocol/base64.ts';
import type { SqlWireValue } from '../protocol/capabilities/db.ts';
import { MAX_RESULT, MAX_ROWS } from '../protocol/database-limits.ts';
import { SqlError } from './sql-error.ts';
import type { SqliteStatement, SqliteValue } from './sqlite.ts';

export interface Readable {
  readonly statement: SqliteStatement;
  readonly columns: readonly string[];
  readonly kinds: string;
}

/**
 * @param changes null: as many as there are rows
 * @returns the JSON text of an SqlResult
 * @throws SqlError
 */
export function readResult(
  { statement, columns, kinds }: Readable,
  values: readonly SqliteValue[],
  changes: number | null,
  lastInsertId: number | null,
): string {
  const head = JSON.stringify(columns);
  let rows = '';
  let count = 0;
  for (const row of statement.iterate(...values)) {
    if (++count > MAX_ROWS) throw tooLarge(`more than ${MAX_ROWS} rows`);
    const text = JSON.stringify((row as SqliteValue[]).map(toWire));
    rows = count === 1 ? text : `${rows},${text}`;
    if (rows.length + head.length > MAX_RESULT) throw tooLarge(`more than ${MAX_RESULT} characters`);
  }
  return `[${head},"${kinds}",[${rows}],${changes ?? count},${lastInsertId}]`;
}

function toWire(value: SqliteValue): SqlWireValue {
  if (value instanceof Uint8Array) return { b: toBase64(value) };
  return typeof value === 'bigint' ? { i: String(value) } : value;
}

function tooLarge(what: string): SqlError {
  return new SqlError('DATABASE_ERROR', `The answer has ${what}: ask for less, with WHERE and LIMIT.`);
}
