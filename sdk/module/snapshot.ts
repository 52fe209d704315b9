/**
 * A value as JSON that people can read, whatever it is: for looking at, not for reading back. Never throws, and is bounded
 * in depth, width and length.
 */
const MAX_DEPTH = 6;
const MAX_MEMBERS = 50;
const MAX_TEXT = 2_000;
const MAX_PARTS = 500;

export function snapshot(value: unknown): unknown {
  const run = { left: MAX_PARTS, parents: [] as object[] };
  return take(value, run);
}

interface Run {
  left: number;
  readonly parents: object[];
}

function take(value: unknown, run: Run): unknown {
  run.left -= 1;
  if (run.left < 0) return '…';
  switch (typeof value) {
    case 'string':
      return cut(value);
    case 'number':
      return Number.isFinite(value) ? value : String(value);
    case 'boolean':
      return value;
    case 'object':
      return value === null ? null : takeObject(value, run);
    case 'function':
      return `[function ${cut(String(nameOf(value)))}]`;
    case 'bigint':
      return `${cut(String(value))}n`;
    default:
      return cut(String(value));
  }
}

function takeObject(value: object, run: Run): unknown {
  if (run.parents.includes(value)) return '[contains itself]';
  if (run.parents.length >= MAX_DEPTH) return '[…]';
  run.parents.push(value);
  try {
    return read(value, run);
  } catch (error) {
    return `[cannot be read: ${cut(messageOf(error))}]`;
  } finally {
    run.parents.pop();
  }
}

function read(value: object, run: Run): unknown {
  if (value instanceof Error) return { [cut(String(value.name))]: cut(String(value.message)) };
  if (value instanceof Date) return Number.isNaN(value.getTime()) ? 'Invalid Date' : value.toISOString();
  if (value instanceof Map) return { Map: takeList([...value.entries()], run) };
  if (value instanceof Set) return { Set: takeList([...value], run) };
  if (ArrayBuffer.isView(value)) return `[${value.byteLength} bytes]`;
  if (Array.isArray(value)) return takeList(value, run);
  const keys = Object.keys(value);
  // No prototype: a key such as __proto__ is one like any other.
  const shown: Record<string, unknown> = Object.create(null);
  for (const key of keys.slice(0, MAX_MEMBERS)) shown[cut(key)] = take(Reflect.get(value, key), run);
  if (keys.length > MAX_MEMBERS) shown['…'] = `${keys.length - MAX_MEMBERS} more`;
  return shown;
}

function takeList(list: readonly unknown[], run: Run): unknown[] {
  const shown = list.slice(0, MAX_MEMBERS).map((item) => take(item, run));
  return list.length > MAX_MEMBERS ? [...shown, `… ${list.length - MAX_MEMBERS} more`] : shown;
}

function nameOf(value: object): unknown {
  try {
    return Reflect.get(value, 'name');
  } catch {
    return '';
  }
}

function messageOf(error: unknown): string {
  try {
    return error instanceof Error ? String(error.message) : String(error);
  } catch {
    return 'an error that cannot be read';
  }
}

function cut(text: string): string {
  const short = text.length <= MAX_TEXT ? text : `${text.slice(0, MAX_TEXT)}…`;
  return short.toWellFormed();
}
