import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import {
  encodeFrame,
  FRAME_KIND,
  type Frame,
  FrameDecoder,
  FrameError,
  MAX_DEPTH,
  MAX_FRAME_BYTES,
  MAX_PARTS,
  parseWeighed,
} from '../../runtime/bridge/codec.ts';
import { weighHead } from '../../runtime/bridge/parse-cost.ts';
import { startCpuClock } from '../support/cpu-time.ts';

/** As the host reads every head. */
function parseHead(text: string): unknown {
  weighHead(text);
  return parseWeighed(text);
}

/** Any text that JavaScript can hold: NUL, lone surrogates, astral characters. */
const anyText = fc.string({ unit: fc.integer({ min: 0, max: 0xffff }).map((code) => String.fromCharCode(code)) });
const anyFrame = fc.record({
  kind: fc.constantFrom(...Object.values(FRAME_KIND)),
  channel: fc.integer({ min: 0, max: 2 ** 47 }),
  head: fc.oneof(anyText, fc.json()),
  parts: fc.array(fc.uint8Array({ maxLength: 300 }), { maxLength: 12 }),
});

function encode({ kind, channel, head, parts }: Frame): Buffer {
  return encodeFrame(kind, channel, head, parts);
}

/** Everything that a decoder makes of some pieces, copied, since parts are views. */
function decode(pieces: Iterable<Buffer>): Frame[] {
  const decoder = new FrameDecoder();
  const frames: Frame[] = [];
  for (const piece of pieces) {
    decoder.push(piece, (frame) => frames.push({ ...frame, parts: frame.parts.map((part) => Uint8Array.from(part)) }));
  }
  return frames;
}

function* cutAt(bytes: Buffer, places: readonly number[]): Generator<Buffer> {
  const sorted = [...new Set(places.map((place) => place % (bytes.length + 1)))].sort((a, b) => a - b);
  let from = 0;
  for (const place of [...sorted, bytes.length]) {
    yield bytes.subarray(from, place);
    from = place;
  }
}

describe('a stream of frames', () => {
  it('arrives as it was sent, wherever the stream is cut', () => {
    fc.assert(
      fc.property(fc.array(anyFrame, { maxLength: 6 }), fc.array(fc.nat(), { maxLength: 20 }), (frames, places) => {
        const arrived = decode(cutAt(Buffer.concat(frames.map(encode)), places));
        // A lone surrogate has no bytes in UTF-8: it arrives as U+FFFD, which no JSON text that we write has.
        expect(arrived).toEqual(frames.map((frame) => ({ ...frame, head: frame.head.toWellFormed() })));
      }),
    );
  });

  it('arrives byte by byte', () => {
    const frame = { kind: 1, channel: 7, head: '["ä\0😀"]', parts: [new Uint8Array([1, 2]), new Uint8Array()] };
    const bytes = encode(frame);
    expect(decode([...bytes].map((byte) => Buffer.from([byte])))).toEqual([frame]);
  });

  it('carries a frame of exactly the largest size', () => {
    const part = new Uint8Array(MAX_FRAME_BYTES - 11 - 2 - 4);
    const [frame] = decode([encodeFrame(1, 1, '[]', [part])]);
    expect(frame?.parts[0]?.byteLength).toBe(part.byteLength);
  });
});

describe('a sender', () => {
  it('refuses to write a frame that the receiver would refuse for its size', () => {
    const part = new Uint8Array(MAX_FRAME_BYTES - 11 - 2 - 4 + 1);
    expect(() => encodeFrame(1, 1, '[]', [part])).toThrow(FrameError);
  });

  it('refuses to write a frame that the receiver would refuse for its parts', () => {
    const parts = Array.from({ length: MAX_PARTS }, () => new Uint8Array(1));
    expect(decode([encodeFrame(1, 1, '[]', parts)])[0]?.parts.length).toBe(MAX_PARTS);
    expect(() => encodeFrame(1, 1, '[]', [...parts, new Uint8Array(1)])).toThrow(FrameError);
  });
});

describe('a receiver', () => {
  /** A frame written by hand, so that its lengths can lie. */
  function forge({ length, headLength, rest }: { length?: number; headLength: number; rest: Uint8Array }): Buffer {
    const head = Buffer.alloc(15);
    head.writeUInt32LE(length ?? 11 + rest.byteLength, 0);
    head.writeUInt8(1, 4);
    head.writeUIntLE(5, 5, 6);
    head.writeUInt32LE(headLength, 11);
    return Buffer.concat([head, rest]);
  }
  const partOf = (length: number): Uint8Array => {
    const bytes = Buffer.alloc(4);
    bytes.writeUInt32LE(length);
    return bytes;
  };

  it.each([
    ['a frame larger than allowed', forge({ length: MAX_FRAME_BYTES + 1, headLength: 0, rest: new Uint8Array() })],
    ['a frame of four gigabytes', forge({ length: 0xffff_ffff, headLength: 0, rest: new Uint8Array() })],
    ['a frame too short to be one', forge({ length: 10, headLength: 0, rest: new Uint8Array() })],
    ['a head that is longer than its frame', forge({ headLength: 9, rest: new Uint8Array(8) })],
    ['a head of four gigabytes', forge({ headLength: 0xffff_ffff, rest: new Uint8Array(8) })],
    ['a part without a length', forge({ headLength: 0, rest: new Uint8Array(3) })],
    ['a part that is longer than its frame', forge({ headLength: 0, rest: partOf(1) })],
    ['a part of four gigabytes', forge({ headLength: 0, rest: partOf(0xffff_ffff) })],
    ['too many parts', forge({ headLength: 0, rest: Buffer.alloc(4 * (MAX_PARTS + 1)) })],
  ])('refuses %s', (_name, bytes) => {
    expect(() => decode([bytes])).toThrow(FrameError);
  });

  it('refuses a frame by its first four bytes, before the rest has come', () => {
    expect(() => decode([partOf(MAX_FRAME_BYTES + 1) as Buffer])).toThrow(FrameError);
  });

  it('waits for the rest of a frame that was cut off, and gives nothing of it', () => {
    const bytes = encodeFrame(1, 1, '["whole"]', [new Uint8Array(10)]);
    for (let end = 0; end < bytes.length; end++) expect(decode([bytes.subarray(0, end)])).toEqual([]);
  });

  it('takes nothing any more after a frame that it refused, and gives nothing twice', () => {
    const decoder = new FrameDecoder();
    const seen: string[] = [];
    const good = encodeFrame(1, 1, '["good"]', []);
    const bad = forge({ headLength: 9, rest: new Uint8Array() });
    expect(() => decoder.push(Buffer.concat([good, bad]), ({ head }) => seen.push(head))).toThrow(FrameError);
    decoder.push(good, ({ head }) => seen.push(head));
    expect(seen).toEqual(['["good"]']);
  });

  it('throws nothing but FrameError, whatever it gets', () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 200 }), (bytes) => {
        try {
          decode([Buffer.from(bytes)]);
        } catch (error) {
          expect(error).toBeInstanceOf(FrameError);
        }
      }),
    );
  });
});

describe('a head', () => {
  /** How deep a value nests, by walking it. */
  function depthOf(value: unknown): number {
    if (typeof value !== 'object' || value === null) return 0;
    return 1 + Math.max(0, ...Object.values(value).map(depthOf));
  }
  const nested = (levels: number, open: string, close: string): string =>
    `${open.repeat(levels)}1${close.repeat(levels)}`;

  it('may nest as deeply as allowed and not one level deeper', () => {
    for (const [open, close] of [
      ['[', ']'],
      ['{"a":', '}'],
    ] as const) {
      expect(depthOf(parseHead(nested(MAX_DEPTH, open, close)))).toBe(MAX_DEPTH);
      expect(() => parseHead(nested(MAX_DEPTH + 1, open, close))).toThrow(FrameError);
    }
  });

  it('is measured as a naive walk of the parsed value measures it', () => {
    // Trees that reach over the limit often, with brackets, quotes and backslashes in their strings.
    const awkward = fc.string({ unit: fc.constantFrom('[', ']', '{', '}', '"', '\\', 'a', '\n'), maxLength: 12 });
    const tree = fc
      .tuple(fc.array(fc.tuple(fc.boolean(), awkward), { minLength: 1, maxLength: MAX_DEPTH * 2 }), awkward)
      .map(([levels, leaf]) =>
        levels.reduce<unknown>((inner, [isList, name]) => (isList ? [name, inner] : { [name]: inner, z: name }), leaf),
      );
    fc.assert(
      fc.property(tree, fc.boolean(), (value, spaced) => {
        const text = JSON.stringify(value, null, spaced ? 1 : 0);
        if (depthOf(value) > MAX_DEPTH) expect(() => parseHead(text)).toThrow(FrameError);
        else expect(parseHead(text)).toEqual(value);
      }),
    );
  });

  it('is JSON.parse for every shallow value', () => {
    fc.assert(
      fc.property(fc.json({ maxDepth: 5 }), (text) => {
        expect(parseHead(text)).toEqual(JSON.parse(text));
      }),
    );
  });

  it('is refused when it is no JSON, with FrameError and nothing else', () => {
    const brackets = fc.string({ unit: fc.constantFrom('[', ']', '{', '}', '"', '\\', ',', ':', '1'), maxLength: 400 });
    fc.assert(
      fc.property(fc.oneof(anyText, brackets), (text) => {
        let expected: unknown;
        try {
          expected = JSON.parse(text);
        } catch {
          expect(() => parseHead(text)).toThrow(FrameError);
          return;
        }
        expect(parseHead(text)).toEqual(expected);
      }),
    );
  });

  it('of five million brackets is refused at once', () => {
    const cpuMs = startCpuClock();
    expect(() => parseHead('['.repeat(5_000_000))).toThrow(FrameError);
    expect(() => parseHead(`["${'\\\\'.repeat(2_000_000)}"`)).toThrow(FrameError);
    expect(cpuMs()).toBeLessThan(3_000);
  });
});
