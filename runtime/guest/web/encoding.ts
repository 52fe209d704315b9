/** TextEncoder and TextDecoder, https://encoding.spec.whatwg.org/: UTF-8, UTF-16 and windows-1252 ("latin1"). */
import { TextBuilder } from './text-builder.ts';
import { Utf8Decoder, utf8Encode, utf8EncodeInto } from './utf8.ts';

const LABELS: Readonly<Record<string, readonly string[]>> = {
  'utf-8': ['unicode-1-1-utf-8', 'unicode11utf8', 'unicode20utf8', 'utf-8', 'utf8', 'x-unicode20utf8'],
  'utf-16le': ['csunicode', 'iso-10646-ucs-2', 'ucs-2', 'unicode', 'unicodefeff', 'utf-16', 'utf-16le'],
  'utf-16be': ['unicodefffe', 'utf-16be'],
  'windows-1252': [
    'ansi_x3.4-1968',
    'ascii',
    'cp1252',
    'cp819',
    'csisolatin1',
    'ibm819',
    'iso-8859-1',
    'iso-ir-100',
    'iso8859-1',
    'iso88591',
    'iso_8859-1',
    'iso_8859-1:1987',
    'l1',
    'latin1',
    'us-ascii',
    'windows-1252',
    'x-cp1252',
  ],
};

/** windows-1252 differs from Latin-1 in 0x80..0x9f only. */
const WINDOWS_1252 = [
  0x20ac, 0x81, 0x201a, 0x192, 0x201e, 0x2026, 0x2020, 0x2021, 0x2c6, 0x2030, 0x160, 0x2039, 0x152, 0x8d, 0x17d, 0x8f,
  0x90, 0x2018, 0x2019, 0x201c, 0x201d, 0x2022, 0x2013, 0x2014, 0x2dc, 0x2122, 0x161, 0x203a, 0x153, 0x9d, 0x17e, 0x178,
];

interface ChunkDecoder {
  decode(bytes: Uint8Array, last: boolean): string;
}

export class TextEncoder {
  get encoding(): string {
    return 'utf-8';
  }

  encode(input: unknown = ''): Uint8Array<ArrayBuffer> {
    return utf8Encode(`${input}`);
  }

  encodeInto(source: unknown, destination: Uint8Array): { read: number; written: number } {
    return utf8EncodeInto(`${source}`, destination);
  }

  get [Symbol.toStringTag](): string {
    return 'TextEncoder';
  }
}

export class TextDecoder {
  readonly #encoding: string;
  readonly #fatal: boolean;
  readonly #ignoreBom: boolean;
  #decoder: ChunkDecoder | undefined;
  #bomSeen = false;

  constructor(label: unknown = 'utf-8', options: { fatal?: boolean; ignoreBOM?: boolean } = {}) {
    const wanted = `${label}`.replace(/^[\t\n\f\r ]+|[\t\n\f\r ]+$/g, '').toLowerCase();
    const encoding = Object.keys(LABELS).find((name) => LABELS[name]?.includes(wanted));
    if (encoding === undefined) {
      throw new RangeError(
        `TextDecoder: ${JSON.stringify(label)} is not known here; use ${Object.keys(LABELS).join(', ')}.`,
      );
    }
    this.#encoding = encoding;
    this.#fatal = Boolean(options.fatal);
    this.#ignoreBom = Boolean(options.ignoreBOM);
  }

  get encoding(): string {
    return this.#encoding;
  }

  get fatal(): boolean {
    return this.#fatal;
  }

  get ignoreBOM(): boolean {
    return this.#ignoreBom;
  }

  decode(input?: ArrayBuffer | ArrayBufferView, options: { stream?: boolean } = {}): string {
    if (this.#decoder === undefined) this.#bomSeen = false;
    this.#decoder ??= createDecoder(this.#encoding, this.#fatal);
    const decoder = this.#decoder;
    const more = Boolean(options.stream);
    if (!more) this.#decoder = undefined;
    let text = decoder.decode(toBytes(input), !more);
    if (!this.#bomSeen && text.length > 0) {
      this.#bomSeen = true;
      if (!this.#ignoreBom && this.#encoding !== 'windows-1252' && text.charCodeAt(0) === 0xfeff) text = text.slice(1);
    }
    return text;
  }

  get [Symbol.toStringTag](): string {
    return 'TextDecoder';
  }
}

function createDecoder(encoding: string, fatal: boolean): ChunkDecoder {
  if (encoding === 'utf-8') return new Utf8Decoder(fatal);
  if (encoding === 'windows-1252') return { decode: decodeWindows1252 };
  return new Utf16Decoder(encoding === 'utf-16le', fatal);
}

function decodeWindows1252(bytes: Uint8Array): string {
  const text = new TextBuilder();
  for (const byte of bytes) text.addUnit(byte >= 0x80 && byte < 0xa0 ? (WINDOWS_1252[byte - 0x80] ?? byte) : byte);
  return text.finish();
}

class Utf16Decoder implements ChunkDecoder {
  readonly #littleEndian: boolean;
  readonly #fatal: boolean;
  #half: number | undefined;
  #lead: number | undefined;

  constructor(littleEndian: boolean, fatal: boolean) {
    this.#littleEndian = littleEndian;
    this.#fatal = fatal;
  }

  decode(bytes: Uint8Array, last: boolean): string {
    const text = new TextBuilder();
    for (const byte of bytes) {
      if (this.#half === undefined) {
        this.#half = byte;
        continue;
      }
      const unit = this.#littleEndian ? (byte << 8) | this.#half : (this.#half << 8) | byte;
      this.#half = undefined;
      this.#addUnit(text, unit);
    }
    if (last && (this.#half !== undefined || this.#lead !== undefined)) {
      this.#half = undefined;
      this.#lead = undefined;
      this.#malformed(text);
    }
    return text.finish();
  }

  #addUnit(text: TextBuilder, unit: number): void {
    const lead = this.#lead;
    if (lead !== undefined) {
      this.#lead = undefined;
      if (unit >= 0xdc00 && unit <= 0xdfff) {
        text.addUnit(lead);
        text.addUnit(unit);
        return;
      }
      this.#malformed(text);
    }
    if (unit >= 0xd800 && unit <= 0xdbff) this.#lead = unit;
    else if (unit >= 0xdc00 && unit <= 0xdfff) this.#malformed(text);
    else text.addUnit(unit);
  }

  #malformed(text: TextBuilder): void {
    if (this.#fatal) throw new TypeError('The encoded data was not valid UTF-16.');
    text.addUnit(0xfffd);
  }
}

/** The bytes behind a buffer or a view, not copied. @throws TypeError */
export function toBytes(input: unknown): Uint8Array {
  if (input === undefined) return new Uint8Array(0);
  if (input instanceof Uint8Array) return input;
  if (ArrayBuffer.isView(input)) return new Uint8Array(input.buffer, input.byteOffset, input.byteLength);
  if (input instanceof ArrayBuffer) return new Uint8Array(input);
  throw new TypeError('An ArrayBuffer or a view of one is needed here.');
}
