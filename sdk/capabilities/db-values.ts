/** What authors give and get, as it crosses: parameters to wire values, rows back to objects. */
import { describeValue } from '../module/describe-value.ts';
import { explainJson } from '../module/explain-json.ts';
import { messageOf } from '../module/outcome.ts';
import { fromBase64, toBase64 } from '../protocol/base64.ts';
import type { SqlResult, SqlStatement, SqlWireValue } from '../protocol/capabilities/db.ts';
import { MAX_PARAMETERS, MAX_SQL, MAX_VALUE } from '../protocol/database-limits.ts';

/** A parameter of a statement. Dates become ISO text, booleans 0 or 1, plain objects and lists JSON text. */
export type SqlParameter =
  | null
  | boolean
  | number
  | bigint
  | string
  | Date
  | Uint8Array
  | readonly unknown[]
  | { readonly [key: string]: unknown };

/** A row: its columns by name. */
export type Row = Record<string, unknown>;

const { stringify, parse } = JSON;
const INT64 = 2n ** 63n;

/** @throws TypeError that says which parameter cannot be sent, and what to do */
export function toStatement(call: string, sql: unknown, params: unknown): SqlStatement {
  if (typeof sql !== 'string' || sql.trim() === '') {
    throw new TypeError(
      `${call}: the SQL must be a text such as "SELECT * FROM notes WHERE id = ?", found ${describeValue(sql)}.`,
    );
  }
  if (sql.length > MAX_SQL) throw new TypeError(`${call}: the SQL has ${sql.length} characters, at most ${MAX_SQL}.`);
  if (!Array.isArray(params)) {
    throw new TypeError(`${call}: the parameters must be a list, one for each "?", found ${describeValue(params)}.`);
  }
  if (params.length > MAX_PARAMETERS) {
    throw new TypeError(`${call}: ${params.length} parameters, at most ${MAX_PARAMETERS}: use several statements.`);
  }
  // A list with holes has undefined there, which map would skip.
  return { sql, params: Array.from(params, (value, at) => toWire(`${call}: parameter ${at + 1}`, value)) };
}

function toWire(what: string, value: unknown): SqlWireValue {
  switch (typeof value) {
    case 'string':
      return sized(what, value);
    case 'boolean':
      return value ? 1 : 0;
    case 'number':
      if (Number.isFinite(value)) return value;
      throw new TypeError(`${what} is ${value}; allowed are finite numbers, and null for none.`);
    case 'bigint':
      if (value >= -INT64 && value < INT64) return { i: String(value) };
      throw new TypeError(`${what} is beyond 64 bits.`);
    case 'object':
      return value === null ? null : objectToWire(what, value);
    default:
      throw new TypeError(
        `${what} is ${describeValue(value)}; allowed are text, numbers, booleans, null, dates, bytes and JSON.`,
      );
  }
}

function objectToWire(what: string, value: object): SqlWireValue {
  if (value instanceof Uint8Array) {
    if (value.byteLength <= MAX_VALUE) return { b: toBase64(value) };
    throw new TypeError(`${what} has ${value.byteLength} bytes, at most ${MAX_VALUE}.`);
  }
  if (value instanceof ArrayBuffer) return objectToWire(what, new Uint8Array(value));
  if (value instanceof Date) {
    if (!Number.isNaN(value.getTime())) return value.toISOString();
    throw new TypeError(`${what} is an invalid date.`);
  }
  let text: string | undefined;
  try {
    text = stringify(value);
  } catch (error) {
    throw new TypeError(`${what} is not JSON: ${explainJson(value) ?? messageOf(error)}.`);
  }
  if (text === undefined) throw new TypeError(`${what} is not JSON: its toJSON gives nothing.`);
  return sized(what, text);
}

function sized(what: string, text: string): string {
  if (text.length > MAX_VALUE) throw new TypeError(`${what} has ${text.length} characters, at most ${MAX_VALUE}.`);
  if (!text.isWellFormed())
    throw new TypeError(`${what} holds half a character (a lone surrogate), which no database can store.`);
  return text;
}

export interface StatementOutcome {
  readonly rows: Row[];
  readonly changes: number;
  readonly lastInsertId: number | null;
}

export function readOutcome(text: string): StatementOutcome {
  const [columns, kinds, rows, changes, lastInsertId] = parse(text) as SqlResult;
  return { rows: rows.map((row) => toRow(columns, kinds, row)), changes, lastInsertId };
}

function toRow(columns: readonly string[], kinds: string, values: readonly SqlWireValue[]): Row {
  const row: Row = {};
  for (let at = 0; at < columns.length; at++) {
    const name = columns[at] ?? '';
    const value = fromWire(kinds[at], values[at] ?? null);
    // As an assignment it would set the prototype.
    if (name === '__proto__')
      Object.defineProperty(row, name, { value, enumerable: true, writable: true, configurable: true });
    else row[name] = value;
  }
  return row;
}

function fromWire(kind: string | undefined, value: SqlWireValue): unknown {
  if (value === null || typeof value === 'number') return kind === 'b' && value !== null ? value !== 0 : value;
  if (typeof value === 'string') return kind === 'j' ? parse(value) : value;
  return 'b' in value ? fromBase64(value.b) : BigInt(value.i);
}
