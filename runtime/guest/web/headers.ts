/** Headers, https://fetch.spec.whatwg.org/#headers-class */
const NAME = /^[!#$%&'*+\-.^_`|~0-9A-Za-z]+$/;
const IMMUTABLE = Symbol('immutable');

export type HeadersInit = Headers | Iterable<Iterable<string>> | Readonly<Record<string, string>>;

export class Headers {
  /** Lower-case name → its values; only set-cookie is never joined. */
  readonly #values = new Map<string, string[]>();
  [IMMUTABLE] = false;

  constructor(init?: HeadersInit) {
    Object.defineProperty(this, IMMUTABLE, { value: false, writable: true, enumerable: false });
    if (init === undefined) return;
    if (init === null || typeof init !== 'object')
      throw new TypeError('Headers: pairs or a record of strings are needed.');
    if (init instanceof Headers) {
      for (const [name, values] of init.#values) this.#values.set(name, [...values]);
    } else if (Symbol.iterator in init) {
      for (const pair of init) this.#appendPair([...pair]);
    } else {
      for (const name of Object.keys(init)) this.append(name, Reflect.get(init, name));
    }
  }

  append(name: unknown, value: unknown): void {
    const key = this.#writable(name);
    const list = this.#values.get(key);
    if (list === undefined) this.#values.set(key, [cleanValue(key, value)]);
    else list.push(cleanValue(key, value));
  }

  set(name: unknown, value: unknown): void {
    this.#values.set(this.#writable(name), [cleanValue(name, value)]);
  }

  delete(name: unknown): void {
    this.#values.delete(this.#writable(name));
  }

  get(name: unknown): string | null {
    return this.#values.get(cleanName(name))?.join(', ') ?? null;
  }

  has(name: unknown): boolean {
    return this.#values.has(cleanName(name));
  }

  getSetCookie(): string[] {
    return [...(this.#values.get('set-cookie') ?? [])];
  }

  forEach(callback: (value: string, name: string, headers: Headers) => void, self?: unknown): void {
    if (typeof callback !== 'function') throw new TypeError('Headers.forEach: a function is needed.');
    for (const [name, value] of this) Reflect.apply(callback, self, [value, name, this]);
  }

  *entries(): Generator<[string, string]> {
    for (const name of [...this.#values.keys()].sort()) {
      const values = this.#values.get(name) ?? [];
      if (name !== 'set-cookie') yield [name, values.join(', ')];
      else for (const value of values) yield [name, value];
    }
  }

  *keys(): Generator<string> {
    for (const [name] of this.entries()) yield name;
  }

  *values(): Generator<string> {
    for (const [, value] of this.entries()) yield value;
  }

  [Symbol.iterator](): Generator<[string, string]> {
    return this.entries();
  }

  get [Symbol.toStringTag](): string {
    return 'Headers';
  }

  #appendPair(pair: readonly string[]): void {
    if (pair.length !== 2) throw new TypeError('Headers: each pair must have a name and a value.');
    this.append(pair[0], pair[1]);
  }

  #writable(name: unknown): string {
    const key = cleanName(name);
    if (this[IMMUTABLE]) throw new TypeError('These headers are immutable: make a copy with new Headers(headers).');
    return key;
  }
}

/** For answers that must not change: Response.redirect and Response.error. */
export function makeImmutable(headers: Headers): Headers {
  headers[IMMUTABLE] = true;
  return headers;
}

function cleanName(name: unknown): string {
  const text = `${name}`;
  if (!NAME.test(text)) throw new TypeError(`Headers: ${JSON.stringify(text)} is not a valid header name.`);
  return text.toLowerCase();
}

function cleanValue(name: unknown, value: unknown): string {
  const text = `${value}`.replace(/^[\t\n\r ]+|[\t\n\r ]+$/g, '');
  if (/[\0\n\r]|[^\0-\xff]/.test(text)) {
    throw new TypeError(`Headers: the value of ${String(name)} holds a line break, a NUL or a character above U+00FF.`);
  }
  return text;
}
