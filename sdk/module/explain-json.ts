/** Why a value is not JSON: `a BigInt at items[3].count`. Undefined when nothing wrong is found. */
export function explainJson(value: unknown): string | undefined {
  return explain(value, '', [], cannotBeWritten);
}

/** The same, and what JSON would lose without a word: a Map becomes {}, NaN becomes null, a function is left out. */
export function explainData(value: unknown): string | undefined {
  return explain(value, '', [], (part, where, isItem) => cannotBeWritten(part, where) ?? isLost(part, where, isItem));
}

type Judge = (value: unknown, where: string, isItem: boolean) => string | undefined;

const MAX_DEPTH = 200;
const LOST = new Set(['Map', 'Set', 'WeakMap', 'WeakSet', 'Promise', 'RegExp', 'Error', 'ArrayBuffer', 'DataView']);

function explain(value: unknown, path: string, parents: readonly object[], judge: Judge): string | undefined {
  const where = path === '' ? '' : ` at ${path}`;
  const wrong = judge(value, where, Array.isArray(parents.at(-1)));
  if (wrong !== undefined) return wrong;
  if (typeof value !== 'object' || value === null) return undefined;
  if (parents.includes(value)) return `a value that contains itself${where}`;
  if (parents.length > MAX_DEPTH) return `a value that nests deeper than ${MAX_DEPTH} levels`;
  if (judge !== cannotBeWritten && typeof read(value, 'toJSON') === 'function') return undefined;
  const inside = [...parents, value];
  for (const key of Object.keys(value)) {
    const next = Array.isArray(value) ? `${path}[${key}]` : path === '' ? key : `${path}.${key}`;
    const found = explain(read(value, key), next, inside, judge);
    if (found !== undefined) return found;
  }
  return undefined;
}

function cannotBeWritten(value: unknown, where: string): string | undefined {
  if (typeof value !== 'bigint') return undefined;
  return `a BigInt${where}, which JSON does not know: use a number or a string`;
}

function isLost(value: unknown, where: string, isItem: boolean): string | undefined {
  if (typeof value === 'function' || typeof value === 'symbol') return `a ${typeof value}${where}`;
  if (typeof value === 'number' && !Number.isFinite(value)) return `${value}${where}`;
  if (value === undefined && isItem) return `undefined${where}, where null can stand`;
  if (typeof value !== 'object' || value === null) return undefined;
  const kind = Object.prototype.toString.call(value).slice(8, -1);
  if (!LOST.has(kind) && !ArrayBuffer.isView(value)) return undefined;
  return `${/^[AEIO]/.test(kind) ? 'an' : 'a'} ${kind}${where}`;
}

function read(value: object, key: string): unknown {
  try {
    return Reflect.get(value, key);
  } catch {
    return undefined;
  }
}
