/** The newest lines, within a bound of lines and of memory. */
import type { LogLevel } from '@plexichat/sdk/protocol/capabilities/log';

export interface KeptLine {
  readonly id: number;
  readonly at: number;
  readonly level: LogLevel;
  readonly message: string;
  readonly fields?: string;
}

/** Of one line beside its words. */
const OVERHEAD_BYTES = 128;
/** Places of lines that are gone are given back when there are so many. */
const COMPACT_AT = 256;

export class LineRing {
  #lines: (KeptLine | undefined)[] = [];
  /** Where the oldest is. */
  #first = 0;
  #bytes = 0;

  get bytes(): number {
    return this.#bytes;
  }

  add(line: KeptLine): void {
    this.#lines.push(line);
    this.#bytes += bytesOf(line);
  }

  /** The last line stays, whatever its size. */
  trim(lines: number, bytes: number): void {
    while (this.#lines.length - this.#first > 1) {
      if (this.#lines.length - this.#first <= lines && this.#bytes <= bytes) break;
      const oldest = this.#lines[this.#first];
      if (oldest !== undefined) this.#bytes -= bytesOf(oldest);
      this.#lines[this.#first] = undefined;
      this.#first += 1;
    }
    if (this.#first < COMPACT_AT) return;
    this.#lines = this.#lines.slice(this.#first);
    this.#first = 0;
  }

  /** Newest first. */
  newest(limit: number, isWanted: (line: KeptLine) => boolean): KeptLine[] {
    const found: KeptLine[] = [];
    for (let index = this.#lines.length - 1; index >= this.#first && found.length < limit; index--) {
      const line = this.#lines[index];
      if (line !== undefined && isWanted(line)) found.push(line);
    }
    return found;
  }
}

/** A character takes two bytes at most. */
function bytesOf({ message, fields = '' }: KeptLine): number {
  return OVERHEAD_BYTES + 2 * (message.length + fields.length);
}
