/** Bodies in pieces, with a peer that lies about credit, numbers and ends. */
import {
  BodyStreams,
  type ByteSource,
  CHUNK_BYTES,
  MAX_ARRIVING,
  MAX_STREAMS,
  type StreamMessage,
  StreamViolation,
  WINDOW_BYTES,
} from '@plexichat/sdk/protocol/body-streams';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';

const turn = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));

/** Never ends; counts what was taken from it. */
function endlessSource(size: number): ByteSource & { taken: number; cancelled: number } {
  const chunk = new Uint8Array(size);
  return {
    taken: 0,
    cancelled: 0,
    async read() {
      this.taken += 1;
      return chunk;
    },
    cancel() {
      this.cancelled += 1;
    },
  };
}

/** Accepts what a peer says; whether it was told apart as a violation. Anything else thrown fails the test. */
function say(streams: BodyStreams, message: StreamMessage, part?: Uint8Array): boolean {
  try {
    streams.accept(message, part);
    return false;
  } catch (error) {
    expect(error).toBeInstanceOf(StreamViolation);
    return true;
  }
}

describe('credit that a peer invents', () => {
  it('buys one window at a time: never more is sent between two words of the peer, for any credits and any sizes', async () => {
    const credit = fc.constantFrom(1, 255, 256, 257, CHUNK_BYTES, WINDOW_BYTES, WINDOW_BYTES + 1, 2 ** 32, 2 ** 53 - 1);
    await fc.assert(
      fc.asyncProperty(
        fc.array(fc.array(credit, { maxLength: 40 }), { minLength: 1, maxLength: 12 }),
        fc.constantFrom(1, 300, CHUNK_BYTES, CHUNK_BYTES + 1, WINDOW_BYTES, 3 * WINDOW_BYTES),
        async (rounds, size) => {
          let sent = 0;
          let granted = WINDOW_BYTES;
          const streams = new BodyStreams({
            send: (_message, part) => {
              sent += part?.byteLength ?? 0;
            },
          });
          const source = endlessSource(size);
          const id = streams.write(source);
          for (const credits of rounds) {
            await turn();
            const before = sent;
            // A turn's worth of credit comes in one batch: what the window does not hold of it is lost.
            for (const bytes of credits) {
              granted += bytes;
              expect(say(streams, { stream: id, op: 'credit', bytes })).toBe(false);
            }
            await turn();
            expect(sent - before).toBeLessThanOrEqual(WINDOW_BYTES);
            expect(sent).toBeLessThanOrEqual(granted);
          }
          streams.close(new Error('over'));
          await turn();
          expect(source.cancelled).toBe(1);
          const { taken } = source;
          say(streams, { stream: id, op: 'credit', bytes: 2 ** 53 - 1 });
          await turn();
          expect(source.taken).toBe(taken);
        },
      ),
      { numRuns: 60 },
    );
  });

  it('a million times over for one stream costs no memory and sends one window', async () => {
    let sent = 0;
    const streams = new BodyStreams({
      send: (_message, part) => {
        sent += part?.byteLength ?? 0;
      },
    });
    const id = streams.write(endlessSource(CHUNK_BYTES));
    await turn();
    for (let count = 0; count < 1e6; count++) say(streams, { stream: id, op: 'credit', bytes: 2 ** 53 - 1 });
    await turn();
    expect(sent).toBe(2 * WINDOW_BYTES);
    streams.close(new Error('over'));
  });

  it('after a cancel wakes nobody and cancels nothing twice', async () => {
    const streams = new BodyStreams({ send: () => {} });
    const source = endlessSource(CHUNK_BYTES);
    const id = streams.write(source);
    await turn();
    for (const op of ['cancel', 'cancel'] as const) expect(say(streams, { stream: id, op })).toBe(false);
    say(streams, { stream: id, op: 'credit', bytes: 2 ** 53 - 1 });
    await turn();
    expect([source.cancelled, streams.open]).toEqual([1, 0]);
  });

  it('for streams that were never opened is a violation, whatever their number', () => {
    const streams = new BodyStreams({ send: () => {} });
    fc.assert(
      fc.property(fc.integer({ min: 1 }), fc.constantFrom('credit', 'cancel'), (stream, op) => {
        expect(say(streams, { stream, op, bytes: 1 } as StreamMessage)).toBe(true);
      }),
    );
  });
});

describe('pieces that a peer sends', () => {
  const MAX_UNCLAIMED = 6 * CHUNK_BYTES;
  const stream = fc.oneof(
    { weight: 6, arbitrary: fc.integer({ min: 1, max: 6 }) },
    { weight: 1, arbitrary: fc.integer({ min: 1, max: 6 * MAX_STREAMS }) },
  );
  const step = fc.oneof(
    {
      weight: 6,
      arbitrary: fc.tuple(
        fc.constant('chunk' as const),
        stream,
        fc.constantFrom(0, 1, 256, 5_000, CHUNK_BYTES, WINDOW_BYTES),
      ),
    },
    { weight: 2, arbitrary: fc.tuple(fc.constantFrom('end' as const, 'error' as const), stream, fc.constant(0)) },
    { weight: 2, arbitrary: fc.tuple(fc.constant('claim' as const), stream, fc.constant(0)) },
    { weight: 4, arbitrary: fc.tuple(fc.constant('read' as const), stream, fc.constant(0)) },
    { weight: 1, arbitrary: fc.tuple(fc.constant('drop' as const), stream, fc.constant(0)) },
  );

  /** What the reader of one stream is owed, kept by the test. */
  interface Owed {
    reader: ByteSource | undefined;
    readonly chunks: number[];
    /** Bytes that were taken and not yet handed over. */
    held: number;
    got: number;
    over: 'end' | 'error' | 'dropped' | undefined;
  }

  it('are kept within the window of each and the bound of all, and reach their reader in order and once', async () => {
    await fc.assert(
      fc.asyncProperty(fc.array(step, { maxLength: 80 }), async (steps) => {
        const streams = new BodyStreams({ send: () => {} }, MAX_UNCLAIMED);
        const all = new Map<number, Owed>();
        const owed = (id: number): Owed => {
          const known = all.get(id) ?? { reader: undefined, chunks: [], held: 0, got: 0, over: undefined };
          all.set(id, known);
          return known;
        };
        let mark = 0;
        for (const [does, id, size] of steps) {
          const mine = owed(id);
          if (does === 'chunk') {
            mark = (mark % 250) + 1;
            const part = new Uint8Array(size).fill(mark);
            let taken = false;
            try {
              taken = streams.accept({ stream: id, op: 'chunk' }, part);
            } catch (error) {
              expect(error).toBeInstanceOf(StreamViolation);
            }
            if (taken) {
              expect(size > 0 && mine.over === undefined).toBe(true);
              mine.chunks.push(mark);
              mine.held += size;
            }
          } else if (does === 'end' || does === 'error') {
            const wrong = say(streams, { stream: id, op: does, message: 'failed' } as StreamMessage);
            if (!wrong) mine.over ??= does;
          } else if (does === 'claim' || does === 'drop') {
            try {
              const reader = streams.read(id);
              expect(mine.reader).toBeUndefined();
              mine.reader = reader;
            } catch (error) {
              expect(error).toBeInstanceOf(StreamViolation);
            }
            if (does === 'drop' && mine.reader !== undefined) {
              mine.reader.cancel();
              mine.chunks.length = 0;
              mine.held = 0;
              if (mine.over !== 'error') mine.over ??= 'dropped';
            }
          } else if (mine.reader !== undefined && (mine.chunks.length > 0 || mine.over !== undefined)) {
            const got = await mine.reader.read().catch((error: Error) => error);
            const expected = mine.chunks.shift();
            if (expected !== undefined) {
              expect((got as Uint8Array)[0]).toBe(expected);
              mine.held -= (got as Uint8Array).byteLength;
            } else if (mine.over === 'error') expect(got).toBeInstanceOf(Error);
            else expect(got).toBeUndefined();
          }
          let unclaimed = 0;
          for (const { held, reader } of all.values()) {
            expect(held).toBeLessThanOrEqual(WINDOW_BYTES);
            if (reader === undefined) unclaimed += held;
          }
          expect(unclaimed).toBeLessThanOrEqual(MAX_UNCLAIMED);
          expect(streams.open).toBeLessThanOrEqual(MAX_ARRIVING);
        }
      }),
      { numRuns: 500 },
    );
  });

  it('after the end of a body that nobody has read yet are violations, and the body stays what it was', async () => {
    const streams = new BodyStreams({ send: () => {} });
    expect(streams.accept({ stream: 1, op: 'chunk' }, Uint8Array.of(1))).toBe(true);
    say(streams, { stream: 1, op: 'end' });
    for (let count = 0; count < 50; count++)
      expect(say(streams, { stream: 1, op: 'chunk' }, Uint8Array.of(2))).toBe(true);
    expect(say(streams, { stream: 1, op: 'error', message: 'late' })).toBe(false);
    const reader = streams.read(1);
    expect(await reader.read()).toEqual(Uint8Array.of(1));
    expect(await reader.read()).toBeUndefined();
    expect(streams.open).toBe(0);
  });

  it('of streams that were read to their end are dropped unseen, and open nothing again', () => {
    const streams = new BodyStreams({ send: () => {} });
    streams.read(1);
    say(streams, { stream: 1, op: 'end' });
    for (let count = 0; count < 1_000; count++) {
      expect(streams.accept({ stream: 1, op: 'chunk' }, new Uint8Array(WINDOW_BYTES))).toBe(false);
    }
    expect(streams.open).toBe(0);
    expect(() => streams.read(1)).toThrow(StreamViolation);
  });
});
