import type { Message } from './feed.ts';

export interface Summary {
  readonly messages: number;
  readonly channels: readonly { readonly channel: string; readonly messages: number }[];
  readonly words: readonly { readonly word: string; readonly count: number }[];
}

const TOP_CHANNELS = 20;
const TOP_WORDS = 10;
/** Shorter ones say little. */
const WORD = /[\p{L}\p{N}]{4,40}/gu;

/** Counts messages per channel, and words. */
export class Tally {
  #messages = 0;
  readonly #channels = new Map<string, number>();
  readonly #words = new Map<string, number>();

  add(messages: readonly Message[]): void {
    for (const { channel, text } of messages) {
      this.#messages += 1;
      count(this.#channels, channel);
      for (const [word] of text.toLowerCase().matchAll(WORD)) count(this.#words, word);
    }
  }

  sum(): Summary {
    return {
      messages: this.#messages,
      channels: top(this.#channels, TOP_CHANNELS).map(([channel, messages]) => ({ channel, messages })),
      words: top(this.#words, TOP_WORDS).map(([word, times]) => ({ word, count: times })),
    };
  }
}

function count(counts: Map<string, number>, key: string): void {
  counts.set(key, (counts.get(key) ?? 0) + 1);
}

/** The most frequent first; equals by name, so that the same messages make the same digest. */
function top(counts: ReadonlyMap<string, number>, limit: number): [string, number][] {
  return [...counts].sort(([a, many], [b, more]) => more - many || (a < b ? -1 : 1)).slice(0, limit);
}
