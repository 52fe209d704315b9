/**
 * What PostgreSQL cannot keep: the character NUL, and in jsonb half of a character (a lone surrogate). In JSON text both
 * are always escapes, so a text without these escapes is fine as it is.
 */

/** Pairs of surrogates and all other escapes are matched too, or `\\u0000` (six characters of text) would look like NUL. */
const ESCAPES = /\\u[dD][89abAB][\da-fA-F]{2}\\u[dD][c-fC-F][\da-fA-F]{2}|\\u(?:0000|[dD][89a-fA-F][\da-fA-F]{2})|\\./g;
const SUSPICIOUS = /\\u(?:0000|d[89a-f])/i;
const REPLACEMENT = '\ufffd';

export function storableText(text: string): string {
  return text.replaceAll('\0', REPLACEMENT).toWellFormed();
}

/** JSON text whose strings can be kept; the same text when they all can. */
export function storableJson(json: string): string {
  if (!SUSPICIOUS.test(json)) return json;
  return json.replace(ESCAPES, (found) => (isUnstorable(found) ? REPLACEMENT : found));
}

/** A value of which the JSON can be kept; the same value when it can. */
export function storableValue<Value>(value: Value): Value {
  const json = JSON.stringify(value);
  if (json === undefined) return value;
  const storable = storableJson(json);
  return storable === json ? value : (JSON.parse(storable) as Value);
}

/** A `\u` escape is matched alone only when it is NUL or lone; a pair is twelve characters, others are two. */
function isUnstorable(found: string): boolean {
  return found.length === 6;
}

const ESCAPED_NUL = /(?<!\\)(?:\\\\)*\\u0000/;
/** NUL in text, NUL in jsonb, half of a character in jsonb (among other faults of JSON). */
const REFUSALS: ReadonlySet<string> = new Set(['22021', '22P05', '22P02']);

/** PostgreSQL refuses such a parameter in words about encodings and syntax. */
export function explainUnstorable(error: unknown, values: readonly unknown[]): unknown {
  if (!(error instanceof Error) || !('code' in error) || !REFUSALS.has(String(error.code))) return error;
  const index = values.findIndex(
    (value) => typeof value === 'string' && (value.includes('\0') || storableJson(value) !== value),
  );
  const value = values[index];
  if (typeof value !== 'string') return error;
  const what =
    value.includes('\0') || ESCAPED_NUL.test(value)
      ? 'the character NUL (U+0000)'
      : 'half of a character (a lone surrogate)';
  error.message = `Parameter $${index + 1} holds ${what}, which the queue's database cannot store: leave it out, or encode the text (base64).`;
  return error;
}
