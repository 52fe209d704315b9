/** Why a value is not JSON: `a BigInt at items[3].count`. Undefined when nothing wrong is found. */
export function explainJson(value: unknown): string | undefined {
  return explain(value, '', []);
}

const MAX_DEPTH = 200;

function explain(value: unknown, path: string, parents: readonly object[]): string | undefined {
  const where = path === '' ? '' : ` at ${path}`;
  if (typeof value === 'bigint') return `a BigInt${where}, which JSON does not know: use a number or a string`;
  if (typeof value !== 'object' || value === null) return undefined;
  if (parents.includes(value)) return `a value that contains itself${where}`;
  if (parents.length > MAX_DEPTH) return `a value that nests deeper than ${MAX_DEPTH} levels`;
  const inside = [...parents, value];
  for (const key of Object.keys(value)) {
    const next = Array.isArray(value) ? `${path}[${key}]` : path === '' ? key : `${path}.${key}`;
    const found = explain(read(value, key), next, inside);
    if (found !== undefined) return found;
  }
  return undefined;
}

function read(value: object, key: string): unknown {
  try {
    return Reflect.get(value, key);
  } catch {
    return undefined;
  }
}
