/** Parameters as they crossed, as SQLite takes them. */
import { fromBase64 } from '../protocol/base64.ts';
import type { SqlWireValue } from '../protocol/capabilities/db.ts';
import { SqlError } from './sql-error.ts';
import type { SqliteValue } from './sqlite.ts';

/** @throws SqlError */
export function toSqliteValue(value: SqlWireValue): SqliteValue {
  if (typeof value === 'number') {
    // As a whole number: SQLite would take 5 for 5.0, which is "5.0" in a text column.
    return Number.isSafeInteger(value) ? BigInt(value) : value;
  }
  if (value === null || typeof value === 'string') return value;
  if ('b' in value) return toBytes(value.b);
  const whole = BigInt(value.i);
  if (BigInt.asIntN(64, whole) !== whole) {
    throw new SqlError('DATABASE_ERROR', `The number ${value.i} is beyond 64 bits.`);
  }
  return whole;
}

function toBytes(text: string): Uint8Array {
  try {
    return fromBase64(text);
  } catch {
    throw new SqlError('DATABASE_ERROR', 'A blob is not base64.');
  }
}
