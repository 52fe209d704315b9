/** FormData, https://xhr.spec.whatwg.org/#interface-formdata */
import { Blob, File } from './blob.ts';

export type FormEntry = string | File;

export class FormData {
  #entries: [name: string, value: FormEntry][] = [];

  constructor(form?: unknown) {
    if (form !== undefined) throw new TypeError('FormData: there are no HTML forms here, call it with no argument.');
  }

  append(name: string, value: unknown, filename?: string): void {
    this.#entries.push([`${name}`.toWellFormed(), toEntry(value, filename)]);
  }

  set(name: string, value: unknown, filename?: string): void {
    const key = `${name}`.toWellFormed();
    const entry = toEntry(value, filename);
    const first = this.#entries.findIndex(([known]) => known === key);
    if (first < 0) {
      this.#entries.push([key, entry]);
      return;
    }
    this.#entries = this.#entries.filter(([known], index) => known !== key || index === first);
    this.#entries[first] = [key, entry];
  }

  get(name: string): FormEntry | null {
    return this.#entries.find(([known]) => known === `${name}`)?.[1] ?? null;
  }

  getAll(name: string): FormEntry[] {
    return this.#entries.filter(([known]) => known === `${name}`).map(([, value]) => value);
  }

  has(name: string): boolean {
    return this.#entries.some(([known]) => known === `${name}`);
  }

  delete(name: string): void {
    this.#entries = this.#entries.filter(([known]) => known !== `${name}`);
  }

  forEach(callback: (value: FormEntry, name: string, form: FormData) => void, self?: unknown): void {
    for (const [name, value] of this) Reflect.apply(callback, self, [value, name, this]);
  }

  *entries(): Generator<[string, FormEntry]> {
    for (let index = 0; index < this.#entries.length; index++) {
      const entry = this.#entries[index];
      if (entry !== undefined) yield [entry[0], entry[1]];
    }
  }

  *keys(): Generator<string> {
    for (const [name] of this.entries()) yield name;
  }

  *values(): Generator<FormEntry> {
    for (const [, value] of this.entries()) yield value;
  }

  [Symbol.iterator](): Generator<[string, FormEntry]> {
    return this.entries();
  }

  get [Symbol.toStringTag](): string {
    return 'FormData';
  }
}

function toEntry(value: unknown, filename: string | undefined): FormEntry {
  if (!(value instanceof Blob)) {
    if (filename !== undefined) throw new TypeError('FormData: a file name goes with a Blob, not with a string.');
    return `${value}`.toWellFormed();
  }
  if (value instanceof File && filename === undefined) return value;
  return new File([value], filename ?? 'blob', { type: value.type });
}
