/** Jobs carry JSON as text; people want to see what it says. What is no such text is shown as it is. */

/** Past this, text stays text: nobody reads it, and it would be parsed at every poll. */
const MAX_TEXT = 100_000;

export function showData(data: unknown): unknown {
  return withParsed(data, 'data');
}

export function showResult(value: unknown): unknown {
  return withParsed(value, 'result');
}

function withParsed(value: unknown, key: 'data' | 'result'): unknown {
  if (typeof value !== 'object' || value === null || !Object.hasOwn(value, key)) return value;
  const text: unknown = Reflect.get(value, key);
  if (typeof text !== 'string' || text.length > MAX_TEXT) return value;
  try {
    return { ...value, [key]: JSON.parse(text) as unknown };
  } catch {
    return value;
  }
}
