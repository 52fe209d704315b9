/** Which subscribers a name is for: by pattern, found without looking at all of them. */
import { matchesEvent } from '@plexichat/sdk/protocol/event-names';

export class EventIndex<Subscriber extends object> {
  readonly #exact = new Map<string, Set<Subscriber>>();
  /** By the first word and the number of words, which no star hides. */
  readonly #starred = new Map<string, Map<string, Set<Subscriber>>>();

  add(pattern: string, subscriber: Subscriber): void {
    const patterns = pattern.includes('*') ? this.#shelfOf(pattern) : this.#exact;
    const subscribers = patterns.get(pattern) ?? new Set();
    patterns.set(pattern, subscribers.add(subscriber));
  }

  remove(pattern: string, subscriber: Subscriber): void {
    const patterns = pattern.includes('*') ? this.#shelfOf(pattern) : this.#exact;
    const subscribers = patterns.get(pattern);
    subscribers?.delete(subscriber);
    if (subscribers?.size === 0) patterns.delete(pattern);
    if (patterns !== this.#exact && patterns.size === 0) this.#starred.delete(shelf(pattern));
  }

  /** Each once, however many of its patterns fit; in the order of their coming. */
  find(name: string): ReadonlySet<Subscriber> {
    const found = new Set(this.#exact.get(name));
    for (const [pattern, subscribers] of this.#starred.get(shelf(name)) ?? []) {
      if (!matchesEvent(pattern, name)) continue;
      for (const subscriber of subscribers) found.add(subscriber);
    }
    return found;
  }

  #shelfOf(pattern: string): Map<string, Set<Subscriber>> {
    const key = shelf(pattern);
    const known = this.#starred.get(key);
    if (known !== undefined) return known;
    const patterns = new Map<string, Set<Subscriber>>();
    this.#starred.set(key, patterns);
    return patterns;
  }
}

function shelf(text: string): string {
  const words = text.split('.');
  return `${words[0]} ${words.length}`;
}
