/** UTF-8 both ways, https://encoding.spec.whatwg.org/#utf-8; shared by TextEncoder, TextDecoder and bodies. */
import { TextBuilder } from './text-builder.ts';

export function utf8Encode(text: string): Uint8Array<ArrayBuffer> {
  const bytes = new Uint8Array(text.length * 3);
  return bytes.slice(0, utf8EncodeInto(text, bytes).written);
}

/** Writes as many whole characters as fit. Lone surrogates become U+FFFD. */
export function utf8EncodeInto(text: string, bytes: Uint8Array): { read: number; written: number } {
  const { length } = text;
  let read = 0;
  let written = 0;
  while (read < length) {
    let code = text.charCodeAt(read);
    if (code < 0x80) {
      if (written >= bytes.length) break;
      bytes[written++] = code;
      read++;
      continue;
    }
    let units = 1;
    if (code >= 0xd800 && code <= 0xdfff) {
      const next = code < 0xdc00 && read + 1 < length ? text.charCodeAt(read + 1) : 0;
      if (next >= 0xdc00 && next <= 0xdfff) {
        code = 0x10000 + ((code - 0xd800) << 10) + (next - 0xdc00);
        units = 2;
      } else {
        code = 0xfffd;
      }
    }
    const size = code < 0x800 ? 2 : code < 0x10000 ? 3 : 4;
    if (written + size > bytes.length) break;
    if (size === 2) {
      bytes[written++] = 0xc0 | (code >> 6);
    } else if (size === 3) {
      bytes[written++] = 0xe0 | (code >> 12);
      bytes[written++] = 0x80 | ((code >> 6) & 63);
    } else {
      bytes[written++] = 0xf0 | (code >> 18);
      bytes[written++] = 0x80 | ((code >> 12) & 63);
      bytes[written++] = 0x80 | ((code >> 6) & 63);
    }
    bytes[written++] = 0x80 | (code & 63);
    read += units;
  }
  return { read, written };
}

/** The decoder of the standard: keeps what a chunk cut in two. */
export class Utf8Decoder {
  readonly #fatal: boolean;
  #needed = 0;
  #seen = 0;
  #lower = 0x80;
  #upper = 0xbf;
  #code = 0;

  constructor(fatal: boolean) {
    this.#fatal = fatal;
  }

  decode(bytes: Uint8Array, last: boolean): string {
    const text = new TextBuilder();
    for (let index = 0; index < bytes.length; index++) {
      const byte = bytes[index] ?? 0;
      if (this.#needed === 0) {
        if (byte < 0x80) text.addUnit(byte);
        else if (!this.#start(byte)) this.#malformed(text);
        continue;
      }
      if (byte < this.#lower || byte > this.#upper) {
        this.#reset();
        this.#malformed(text);
        index--;
        continue;
      }
      this.#lower = 0x80;
      this.#upper = 0xbf;
      this.#code = (this.#code << 6) | (byte & 63);
      if (++this.#seen === this.#needed) {
        text.addCodePoint(this.#code);
        this.#reset();
      }
    }
    if (last && this.#needed > 0) {
      this.#reset();
      this.#malformed(text);
    }
    return text.finish();
  }

  #start(byte: number): boolean {
    if (byte >= 0xc2 && byte <= 0xdf) {
      this.#needed = 1;
      this.#code = byte & 0x1f;
    } else if (byte >= 0xe0 && byte <= 0xef) {
      if (byte === 0xe0) this.#lower = 0xa0;
      if (byte === 0xed) this.#upper = 0x9f;
      this.#needed = 2;
      this.#code = byte & 0xf;
    } else if (byte >= 0xf0 && byte <= 0xf4) {
      if (byte === 0xf0) this.#lower = 0x90;
      if (byte === 0xf4) this.#upper = 0x8f;
      this.#needed = 3;
      this.#code = byte & 0x7;
    }
    return this.#needed > 0;
  }

  #malformed(text: TextBuilder): void {
    if (this.#fatal) throw new TypeError('The encoded data was not valid UTF-8.');
    text.addUnit(0xfffd);
  }

  #reset(): void {
    this.#needed = 0;
    this.#seen = 0;
    this.#lower = 0x80;
    this.#upper = 0xbf;
    this.#code = 0;
  }
}

/** UTF-8 without a byte order mark, malformed parts replaced. */
export function utf8Decode(bytes: Uint8Array): string {
  const text = new Utf8Decoder(false).decode(bytes, true);
  return text.charCodeAt(0) === 0xfeff ? text.slice(1) : text;
}
