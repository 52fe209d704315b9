/**
 * Values as text, bounded in depth, width and length. No code of the author runs: getters are named, not called,
 * and no toString, toJSON or inspect hook is asked. (A Proxy's traps run; they can only hurt their own module.)
 */
const MAX_TEXT = 8192;
const MAX_DEPTH = 4;
const MAX_ITEMS = 50;
const { getOwnPropertyDescriptor, getPrototypeOf } = Object;
const { ownKeys } = Reflect;
const { stringify } = JSON;

/** One line as console.log makes it: `%s %d %i %f %j %o %O %c` in a first string, the rest after it. */
export function formatLine(values: readonly unknown[]): string {
  let rest = [...values];
  let text = '';
  const [first] = rest;
  if (typeof first === 'string') {
    rest = rest.slice(1);
    text = first.replace(/%[sdifjoOc%]/g, (mark) => {
      if (mark === '%%') return '%';
      if (rest.length === 0) return mark;
      return formatMark(mark, rest.shift());
    });
  }
  for (const value of rest) {
    if (text.length > MAX_TEXT) break;
    text += `${text === '' && typeof first !== 'string' ? '' : ' '}${typeof value === 'string' ? value : format(value)}`;
  }
  return text.length > MAX_TEXT ? `${text.slice(0, MAX_TEXT)}… (${text.length - MAX_TEXT} characters more)` : text;
}

function formatMark(mark: string, value: unknown): string {
  if (mark === '%c') return '';
  if (mark === '%s') return typeof value === 'string' ? value : format(value);
  if (mark === '%d' || mark === '%f') return typeof value === 'object' ? 'NaN' : `${Number(value as number)}`;
  if (mark === '%i') return typeof value === 'object' ? 'NaN' : `${Number.parseInt(String(value), 10)}`;
  return format(value);
}

export function format(value: unknown): string {
  const budget = { left: MAX_TEXT };
  return formatValue(value, 0, [], budget);
}

interface Budget {
  left: number;
}

function formatValue(value: unknown, depth: number, parents: readonly object[], budget: Budget): string {
  const text = formatPrimitive(value, budget) ?? formatObject(value as object, depth, parents, budget);
  budget.left -= text.length;
  return text;
}

function formatPrimitive(value: unknown, budget: Budget): string | undefined {
  if (budget.left <= 0) return '…';
  if (typeof value === 'string') return stringify(value.length > 1000 ? `${value.slice(0, 1000)}…` : value);
  if (typeof value === 'bigint') return `${value}n`;
  if (typeof value === 'function') return `[Function ${ownText(value, 'name') || 'anonymous'}]`;
  if (typeof value === 'object' && value !== null) return undefined;
  return Object.is(value, -0) ? '-0' : String(value);
}

function formatObject(value: object, depth: number, parents: readonly object[], budget: Budget): string {
  if (parents.includes(value)) return '[Circular]';
  try {
    const leaf = formatLeaf(value);
    if (leaf !== undefined) return leaf;
    const name = className(value);
    if (depth >= MAX_DEPTH) return `[${name}]`;
    const inside = [...parents, value];
    const show = (item: unknown) => formatValue(item, depth + 1, inside, budget);
    if (value instanceof Map)
      return `Map(${value.size}) {${listed(
        [...head(value)].map(([key, item]) => `${show(key)} => ${show(item)}`),
        value.size,
      )}}`;
    if (value instanceof Set) return `Set(${value.size}) {${listed([...head(value)].map(show), value.size)}}`;
    const isList = Array.isArray(value) || ArrayBuffer.isView(value);
    const keys = ownKeys(value).filter((key) => getOwnPropertyDescriptor(value, key)?.enumerable === true);
    const items = keys.slice(0, MAX_ITEMS).map((key) => formatProperty(value, key, isList, show));
    if (Array.isArray(value)) return `[${listed(items, keys.length)}]`;
    if (isList) return `${name}(${keys.length}) [${listed(items, keys.length)}]`;
    return `${name === 'Object' ? '' : `${name} `}{${listed(items, keys.length)}}`;
  } catch {
    return '[Unreadable]';
  }
}

function formatLeaf(value: object): string | undefined {
  if (value instanceof Error) {
    const stack = ownText(value, 'stack');
    return stack === '' ? `${className(value)}: ${ownText(value, 'message')}` : stack;
  }
  if (value instanceof Date) return Number.isNaN(value.getTime()) ? 'Invalid Date' : value.toISOString();
  if (value instanceof RegExp) return `/${value.source}/${value.flags}`;
  if (value instanceof ArrayBuffer) return `ArrayBuffer(${value.byteLength})`;
  if (value instanceof Promise) return '[Promise]';
  return undefined;
}

function formatProperty(value: object, key: string | symbol, isList: boolean, show: (item: unknown) => string): string {
  const descriptor = getOwnPropertyDescriptor(value, key);
  const shown = descriptor !== undefined && 'value' in descriptor ? show(descriptor.value) : '[Getter]';
  if (isList && typeof key === 'string' && /^\d+$/.test(key)) return shown;
  const name = typeof key === 'symbol' ? `[${String(key)}]` : /^[A-Za-z_$][\w$]*$/.test(key) ? key : stringify(key);
  return `${name}: ${shown}`;
}

function listed(items: readonly string[], total: number): string {
  if (items.length === 0) return '';
  return ` ${items.join(', ')}${total > items.length ? `, … ${total - items.length} more` : ''} `;
}

function* head<Item>(items: Iterable<Item>): Generator<Item> {
  let count = 0;
  for (const item of items) {
    if (count++ >= MAX_ITEMS) return;
    yield item;
  }
}

/** The enumerable string keys of an object with what they hold; a getter is named, not called. */
export function ownEntries(value: unknown): [key: string, value: unknown][] | undefined {
  if (typeof value !== 'object' || value === null) return undefined;
  return Object.keys(value).map((key) => {
    const descriptor = getOwnPropertyDescriptor(value, key);
    return [key, descriptor !== undefined && 'value' in descriptor ? descriptor.value : '[Getter]'];
  });
}

/** The name of an object's class, found without calling a getter. */
function className(value: object): string {
  for (let level: object | null = value; level !== null; level = getPrototypeOf(level)) {
    const maker: unknown = getOwnPropertyDescriptor(level, 'constructor')?.value;
    if (typeof maker === 'function') return ownText(maker, 'name') || 'Object';
  }
  return '[Object: null prototype]';
}

function ownText(value: object, key: string): string {
  const found: unknown = getOwnPropertyDescriptor(value, key)?.value;
  return typeof found === 'string' ? found : '';
}
