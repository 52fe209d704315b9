/** Security events that are not written yet. The same twice is one that counts; so many wait and no more. */
import type { SecurityEvent } from './security-event.ts';

export type WaitingEvent = { -readonly [Key in keyof SecurityEvent]: SecurityEvent[Key] };

/** Rows that wait for a state that is away. */
const MAX_WAITING = 5_000;

export class SecurityEventQueue {
  /** By module and kind, then by their words. */
  readonly #shares = new Map<string, Map<string, WaitingEvent>>();
  readonly #inOrder = new Set<WaitingEvent>();

  get size(): number {
    return this.#inOrder.size;
  }

  find({ module, kind, name, details }: Pick<SecurityEvent, 'module' | 'kind' | 'name' | 'details'>) {
    return this.#shares.get(shareOf(module, kind))?.get(wordsOf(name, details));
  }

  /** While too many wait, whoever has most of a kind gives up one. @returns false when that would be this one */
  add(event: WaitingEvent): boolean {
    const key = shareOf(event.module, event.kind);
    const share = this.#shares.get(key) ?? new Map<string, WaitingEvent>();
    if (this.size >= MAX_WAITING && !this.#giveUpOne(share.size)) return false;
    this.#shares.set(key, share.set(wordsOf(event.name, event.details), event));
    this.#inOrder.add(event);
    return true;
  }

  list(): WaitingEvent[] {
    return [...this.#inOrder];
  }

  #giveUpOne(sizeOfNewcomer: number): boolean {
    const [largest] = [...this.#shares.values()].toSorted((one, other) => other.size - one.size);
    if (largest === undefined || largest.size <= sizeOfNewcomer) return false;
    // How it began is kept.
    const last = [...largest].at(-1);
    if (last === undefined) return false;
    largest.delete(last[0]);
    this.#inOrder.delete(last[1]);
    return true;
  }
}

function shareOf(module: string, kind: string): string {
  return `${module}\n${kind}`;
}

function wordsOf(name: string, details: string): string {
  return `${name}\n${details}`;
}
