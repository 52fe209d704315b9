/** Blob and File, https://w3c.github.io/FileAPI/: the bytes are held as one piece, slices share it. */
import { toBytes } from './encoding.ts';
import * as lazy from './lazy.ts';
import { utf8Decode, utf8Encode } from './utf8.ts';

const BYTES = Symbol('bytes');

interface BlobOptions {
  type?: string;
  endings?: 'transparent' | 'native';
}

export class Blob {
  #bytes: Uint8Array;
  readonly #type: string;

  constructor(parts: Iterable<unknown> = [], options: BlobOptions = {}) {
    if (typeof parts !== 'object' || parts === null || typeof parts[Symbol.iterator] !== 'function') {
      throw new TypeError(`${new.target.name}: the parts must be an array.`);
    }
    this.#bytes = concat(Array.from(parts, (part) => partBytes(part, options?.endings === 'native')));
    this.#type = cleanType(options?.type);
  }

  get size(): number {
    return this.#bytes.byteLength;
  }

  get type(): string {
    return this.#type;
  }

  slice(start = 0, end = this.size, type = ''): Blob {
    const part = new Blob([], { type });
    part.#bytes = this.#bytes.subarray(
      toOffset(start, this.size),
      Math.max(toOffset(start, this.size), toOffset(end, this.size)),
    );
    return part;
  }

  async text(): Promise<string> {
    return utf8Decode(this.#bytes);
  }

  async arrayBuffer(): Promise<ArrayBuffer> {
    return new Uint8Array(this.#bytes).buffer;
  }

  async bytes(): Promise<Uint8Array> {
    return new Uint8Array(this.#bytes);
  }

  stream(): InstanceType<ReturnType<typeof lazy.streams>['ReadableStream']> {
    const bytes = this.#bytes;
    const { ReadableStream } = lazy.streams();
    return new ReadableStream({
      type: 'bytes',
      start(controller) {
        if (bytes.byteLength > 0) controller.enqueue(new Uint8Array(bytes));
        controller.close();
      },
    });
  }

  [BYTES](): Uint8Array {
    return this.#bytes;
  }

  get [Symbol.toStringTag](): string {
    return 'Blob';
  }
}

export class File extends Blob {
  readonly #name: string;
  readonly #lastModified: number;

  constructor(parts: Iterable<unknown>, name: string, options: BlobOptions & { lastModified?: number } = {}) {
    if (name === undefined) throw new TypeError('File: the parts and a name are needed.');
    super(parts, options);
    this.#name = `${name}`;
    this.#lastModified = Number(options?.lastModified ?? Date.now()) || 0;
  }

  get name(): string {
    return this.#name;
  }

  get lastModified(): number {
    return this.#lastModified;
  }

  get webkitRelativePath(): string {
    return '';
  }

  override get [Symbol.toStringTag](): string {
    return 'File';
  }
}

/** The bytes of a blob of this realm, without a promise. */
export function blobBytes(blob: Blob): Uint8Array {
  return blob[BYTES]();
}

export function concat(pieces: readonly Uint8Array[]): Uint8Array<ArrayBuffer> {
  const all = new Uint8Array(pieces.reduce((size, piece) => size + piece.byteLength, 0));
  let offset = 0;
  for (const piece of pieces) {
    all.set(piece, offset);
    offset += piece.byteLength;
  }
  return all;
}

function partBytes(part: unknown, nativeEndings: boolean): Uint8Array {
  if (part instanceof Blob) return blobBytes(part);
  if (part instanceof ArrayBuffer || ArrayBuffer.isView(part)) return toBytes(part);
  const text = `${part}`;
  return utf8Encode(nativeEndings ? text.replace(/\r\n?/g, '\n') : text);
}

function cleanType(type: unknown): string {
  const text = type === undefined ? '' : `${type}`;
  return /[^\x20-\x7e]/.test(text) ? '' : text.toLowerCase();
}

function toOffset(position: number, size: number): number {
  const whole = Math.trunc(Number(position)) || 0;
  return whole < 0 ? Math.max(size + whole, 0) : Math.min(whole, size);
}
