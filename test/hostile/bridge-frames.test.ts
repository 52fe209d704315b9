/** Bytes of a cell that was taken over: whatever they are, they are frames, or a FrameError and the end of the cell. */
import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import {
  encodeFrame,
  type Frame,
  FrameDecoder,
  FrameError,
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

/** Any text that JavaScript can hold: NUL, lone surrogates, astral characters, what JSON escapes. */
const anyText = fc.oneof(
  fc.string({ unit: fc.integer({ min: 0, max: 0xffff }).map((code) => String.fromCharCode(code)) }),
  fc.string({ unit: fc.constantFrom('\0', '\ud800', '\udfff', '😀', '\u2028', '"', '\\', '\n', '{', ']', 'ä') }),
);
const anyFrame = fc.record({
  kind: fc.integer({ min: 0, max: 255 }),
  channel: fc.integer({ min: 0, max: 2 ** 48 - 1 }),
  head: fc.oneof(anyText, fc.json()),
  parts: fc.array(fc.uint8Array({ maxLength: 40 }), { maxLength: 6 }),
});
const anyStream = fc
  .array(anyFrame, { minLength: 1, maxLength: 5 })
  .map((frames) =>
    Buffer.concat(frames.map(({ kind, channel, head, parts }) => encodeFrame(kind, channel, head, parts))),
  );

/** What somebody does to the bytes on their way. */
const anyDamage = fc.oneof(
  fc.record({ what: fc.constant('set' as const), at: fc.nat(), bytes: fc.uint8Array({ minLength: 1, maxLength: 6 }) }),
  fc.record({ what: fc.constant('insert' as const), at: fc.nat(), bytes: fc.uint8Array({ maxLength: 20 }) }),
  fc.record({ what: fc.constant('remove' as const), at: fc.nat(), length: fc.nat({ max: 20 }) }),
  fc.record({ what: fc.constant('repeat' as const), at: fc.nat(), length: fc.nat({ max: 40 }) }),
  // The lengths are what a receiver trusts: the edges of 32 bits, and of the format.
  fc.record({
    what: fc.constant('length' as const),
    at: fc.nat(),
    value: fc.constantFrom(
      0,
      1,
      10,
      11,
      12,
      MAX_FRAME_BYTES,
      MAX_FRAME_BYTES + 1,
      0x7fff_ffff,
      0x8000_0000,
      2 ** 32 - 1,
    ),
  }),
);
type Damage = typeof anyDamage extends fc.Arbitrary<infer Value> ? Value : never;

function damaged(bytes: Buffer, damage: Damage): Buffer {
  const at = damage.at % (bytes.length + 1);
  switch (damage.what) {
    case 'set': {
      const copy = Buffer.from(bytes);
      copy.set(damage.bytes.subarray(0, bytes.length - at), at);
      return copy;
    }
    case 'insert':
      return Buffer.concat([bytes.subarray(0, at), damage.bytes, bytes.subarray(at)]);
    case 'remove':
      return Buffer.concat([bytes.subarray(0, at), bytes.subarray(at + damage.length)]);
    case 'repeat':
      return Buffer.concat([bytes.subarray(0, at + damage.length), bytes.subarray(at)]);
    case 'length': {
      // Earlier damage may have left less than a length.
      if (bytes.length < 4) return bytes;
      const copy = Buffer.from(bytes);
      copy.writeUInt32LE(damage.value, Math.min(at, bytes.length - 4));
      return copy;
    }
  }
}

/** All that a decoder makes of some pieces: its frames, and whether it gave up. */
function decode(pieces: Iterable<Buffer>): { frames: Frame[]; broken: boolean } {
  const decoder = new FrameDecoder();
  const frames: Frame[] = [];
  let broken = false;
  for (const piece of pieces) {
    try {
      decoder.push(piece, (frame) =>
        frames.push({ ...frame, parts: frame.parts.map((part) => Uint8Array.from(part)) }),
      );
    } catch (error) {
      expect(error).toBeInstanceOf(FrameError);
      broken = true;
    }
  }
  return { frames, broken };
}

function* cutAt(bytes: Buffer, places: readonly number[]): Generator<Buffer> {
  const sorted = [...new Set(places.map((place) => place % (bytes.length + 1)))].sort((a, b) => a - b);
  let from = 0;
  for (const place of [...sorted, bytes.length]) {
    yield bytes.subarray(from, place);
    from = place;
  }
}

describe('damaged bytes', () => {
  it('are frames within the bounds or a FrameError, and the same wherever the stream is cut', () => {
    fc.assert(
      fc.property(
        anyStream,
        fc.array(anyDamage, { minLength: 1, maxLength: 4 }),
        fc.array(fc.nat(), { maxLength: 12 }),
        (stream, damages, places) => {
          const bytes = damages.reduce<Buffer>((whole, damage) => damaged(whole, damage), stream);
          const atOnce = decode([bytes]);
          expect(decode(cutAt(bytes, places))).toEqual(atOnce);
          expect(decode([...bytes].map((byte) => Buffer.from([byte])))).toEqual(atOnce);
          let size = 0;
          for (const { kind, channel, head, parts } of atOnce.frames) {
            expect(kind >= 0 && kind <= 255 && Number.isSafeInteger(channel) && channel >= 0).toBe(true);
            expect(head.isWellFormed()).toBe(true);
            expect(parts.length).toBeLessThanOrEqual(MAX_PARTS);
            size += 15 + parts.reduce((sum, part) => sum + 4 + part.byteLength, 0);
          }
          // Nothing is made of bytes that did not come.
          expect(size).toBeLessThanOrEqual(bytes.length);
        },
      ),
      { numRuns: 500 },
    );
  });

  it('leave what came whole before them as it was', () => {
    fc.assert(
      fc.property(anyStream, fc.uint8Array({ minLength: 1, maxLength: 100 }), (stream, junk) => {
        const { frames } = decode([stream]);
        expect(decode([stream, Buffer.from(junk)]).frames.slice(0, frames.length)).toEqual(frames);
      }),
    );
  });

  it('are refused for ever after the first FrameError, however good what follows is', () => {
    fc.assert(
      fc.property(anyStream, anyStream, (first, second) => {
        const decoder = new FrameDecoder();
        const seen: Frame[] = [];
        decoder.push(first, (frame) => seen.push(frame));
        const { length } = seen;
        expect(() => decoder.push(Buffer.alloc(4), (frame) => seen.push(frame))).toThrow(FrameError);
        decoder.push(second, (frame) => seen.push(frame));
        expect(seen.length).toBe(length);
      }),
    );
  });
});

describe('a value in a head', () => {
  it('comes out as it went in, with NUL, lone surrogates and astral characters in keys and texts', () => {
    const hostile = fc.letrec((tie) => ({
      leaf: fc.oneof(anyText, fc.integer(), fc.boolean(), fc.constant(null)),
      tree: fc.oneof(
        { maxDepth: 4 },
        tie('leaf'),
        fc.array(tie('tree'), { maxLength: 4 }),
        fc.dictionary(fc.oneof(anyText, fc.constantFrom('__proto__', 'constructor', 'toString')), tie('tree'), {
          maxKeys: 4,
          noNullPrototype: true,
        }),
      ),
    }));
    fc.assert(
      fc.property(hostile.tree, (value) => {
        const text = JSON.stringify(value);
        const { frames } = decode([encodeFrame(1, 7, text, [])]);
        expect(frames[0]?.head).toBe(text);
        const parsed = parseHead(frames[0]?.head ?? '');
        expect(JSON.stringify(parsed)).toBe(text);
        expect(({} as { polluted?: unknown }).polluted).toBeUndefined();
      }),
      { numRuns: 500 },
    );
  });

  it.each([
    ['bytes that are no UTF-8', Buffer.from([0x22, 0xff, 0xfe, 0xc0, 0x80, 0x22])],
    ['an overlong NUL', Buffer.from([0x22, 0xc0, 0x80, 0x22])],
    ['a surrogate in UTF-8', Buffer.from([0x22, 0xed, 0xa0, 0x80, 0x22])],
    ['half of a character', Buffer.from([0x22, 0xf0, 0x9f, 0x98, 0x22])],
    ['a byte order mark', Buffer.from([0xef, 0xbb, 0xbf, 0x22, 0x22])],
  ])('of %s is a well-formed text or none at all', (_name, bytes) => {
    const frame = encodeFrame(1, 1, 'x'.repeat(bytes.length), []);
    frame.set(bytes, 15);
    const { frames } = decode([frame]);
    expect(frames[0]?.head.isWellFormed()).toBe(true);
    try {
      expect(parseHead(frames[0]?.head ?? '')).toMatch(/^\ufffd+$/);
    } catch (error) {
      expect(error).toBeInstanceOf(FrameError);
    }
  });
});

describe('a cell that sends slowly', () => {
  it('byte by byte costs the host the bytes and no more', () => {
    setFlagsFromString('--expose-gc');
    const collect = runInNewContext('gc') as () => void;
    const decoder = new FrameDecoder();
    const length = Buffer.alloc(4);
    length.writeUInt32LE(MAX_FRAME_BYTES);
    decoder.push(length, () => {});
    collect();
    const before = process.memoryUsage();
    // As a socket hands them over: each with memory of its own.
    for (let count = 0; count < 200_000; count++) decoder.push(Buffer.from(new Uint8Array(1).buffer), () => {});
    collect();
    const { heapUsed, external } = process.memoryUsage();
    expect(heapUsed + external - before.heapUsed - before.external).toBeLessThan(MAX_FRAME_BYTES + 8 * 1024 * 1024);
    // It still waits for the rest of that frame.
    decoder.push(Buffer.alloc(MAX_FRAME_BYTES - 200_001, ' '), () => expect.unreachable());
    expect(() => decoder.push(Buffer.from([0x20]), () => {})).toThrow(FrameError);
  });

  it('or in half a million small frames at once is read in one pass', () => {
    const frame = encodeFrame(1, 1, '[]', []);
    const many = Buffer.alloc(frame.length * 500_000, frame);
    let frames = 0;
    const cpuMs = startCpuClock();
    new FrameDecoder().push(many, () => {
      frames += 1;
    });
    expect(frames).toBe(500_000);
    expect(cpuMs()).toBeLessThan(5_000);
  });
});
