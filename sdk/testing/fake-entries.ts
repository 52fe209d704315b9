/** The storage and the cache of a test: in memory, with values that went through JSON. */
import type { CacheSet } from '../protocol/capabilities/cache.ts';
import type { StorageKeys, StorageList, StorageSet, StorageSwap } from '../protocol/capabilities/storage.ts';

interface Entry {
  readonly text: string;
  /** Epoch milliseconds. */
  readonly until: number;
}

export class FakeEntries {
  readonly #entries = new Map<string, Entry>();

  constructor(given: Readonly<Record<string, unknown>> = {}) {
    for (const [key, value] of Object.entries(given)) this.set({ key, value: JSON.stringify(value) });
  }

  /** What is kept at this moment, by key and in order. */
  get values(): Readonly<Record<string, unknown>> {
    return Object.fromEntries(this.#keys().map((key) => [key, JSON.parse(this.get(key) ?? 'null') as unknown]));
  }

  get(key: string): string | null {
    const entry = this.#entries.get(key);
    return entry === undefined || entry.until <= Date.now() ? null : entry.text;
  }

  set({ key, value, ttlMs = Number.POSITIVE_INFINITY }: StorageSet | CacheSet): void {
    this.#entries.set(key, { text: value, until: Date.now() + ttlMs });
  }

  delete(key: string): boolean {
    const wasThere = this.get(key) !== null;
    this.#entries.delete(key);
    return wasThere;
  }

  list({ prefix, limit, cursor = '' }: StorageList): StorageKeys {
    const all = this.#keys().filter((key) => key.startsWith(prefix) && inOrder(cursor, key) < 0);
    const keys = all.slice(0, limit);
    return { keys, cursor: keys.length < limit ? null : (keys.at(-1) ?? null) };
  }

  compareAndSet({ expected, ...entry }: StorageSwap): boolean {
    if (this.get(entry.key) !== expected) return false;
    this.set(entry);
    return true;
  }

  #keys(): string[] {
    return [...this.#entries.keys()].filter((key) => this.get(key) !== null).sort(inOrder);
  }
}

/** By code points, as the host does; `<` would compare halves of characters. */
function inOrder(one: string, other: string): number {
  const [left, right] = [Array.from(one), Array.from(other)];
  for (const [index, character] of left.entries()) {
    const point = right[index]?.codePointAt(0) ?? -1;
    const difference = (character.codePointAt(0) ?? 0) - point;
    if (difference !== 0) return difference;
  }
  return left.length - right.length;
}
