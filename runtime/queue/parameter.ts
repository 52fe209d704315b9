/** Parameters of a query as PostgreSQL reads them: the text that node-postgres would send. */
import type { WireValue } from './pglite-session.ts';

/** Deeper JSON than this overflows the stack of PGlite, which then answers nonsense or nothing. */
const MAX_DEPTH = 1000;

/** @throws TypeError, RangeError that name the parameter */
export function encodeParameters(values: readonly unknown[]): WireValue[] {
  return values.map((value, index) => encodeParameter(value, `$${index + 1}`));
}

function encodeParameter(value: unknown, name: string): WireValue {
  if (value === null || value === undefined) return null;
  if (value instanceof Uint8Array) return value;
  if (Array.isArray(value)) return arrayText(value, name);
  if (value instanceof Date) return value.toISOString();
  switch (typeof value) {
    case 'string':
      assertShallow(value, name);
      return value;
    case 'number':
    case 'bigint':
    case 'boolean':
      return String(value);
    case 'object':
      return encodeParameter(JSON.stringify(value), name);
    default:
      throw new TypeError(
        `Parameter ${name} of a query is a ${typeof value}; text, numbers, dates, bytes, arrays and objects can be stored.`,
      );
  }
}

/** Boundary: what a module puts into a job ends up here, and must not end the thread for everybody. */
function assertShallow(text: string, name: string): void {
  if (text.length <= 2 * MAX_DEPTH || !/^\s*[[{]/.test(text)) return;
  let depth = 0;
  let isQuoted = false;
  for (let at = 0; at < text.length; at++) {
    const character = text[at];
    if (character === '"') isQuoted = !isQuoted;
    else if (isQuoted && character === '\\') at++;
    else if (!isQuoted && (character === '[' || character === '{')) depth++;
    else if (!isQuoted && (character === ']' || character === '}')) depth--;
    if (depth > MAX_DEPTH) {
      throw new RangeError(
        `Parameter ${name} of a query is JSON with more than ${MAX_DEPTH} levels, the most that can be stored.`,
      );
    }
  }
}

function arrayText(values: readonly unknown[], name: string): string {
  const elements = values.map((value) => {
    if (Array.isArray(value)) return arrayText(value, name);
    const text = encodeParameter(value, name);
    if (text === null) return 'NULL';
    if (text instanceof Uint8Array) return `"\\\\x${Buffer.from(text).toString('hex')}"`;
    return `"${text.replace(/[\\"]/g, '\\$&')}"`;
  });
  return `{${elements.join(',')}}`;
}
