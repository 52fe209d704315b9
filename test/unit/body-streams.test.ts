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

interface Pair {
  readonly sender: BodyStreams;
  readonly receiver: BodyStreams;
  readonly wire: { readonly message: StreamMessage; readonly part: Uint8Array | undefined }[];
  /** Delivers what waits in both directions, until nothing more comes. */
  settle(): Promise<void>;
}

function createPair(): Pair {
  const wire: Pair['wire'] = [];
  const queue: (() => void)[] = [];
  const sender: BodyStreams = new BodyStreams({
    send(message, part) {
      wire.push({ message, part });
      queue.push(() => receiver.accept(message, part));
    },
  });
  const receiver: BodyStreams = new BodyStreams({
    send: (message) => queue.push(() => sender.accept(message, undefined)),
  });
  const turn = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));
  return {
    sender,
    receiver,
    wire,
    async settle() {
      await turn();
      while (queue.length > 0) {
        queue.shift()?.();
        if (queue.length === 0) await turn();
      }
    },
  };
}

function sourceOf(chunks: readonly Uint8Array[]): ByteSource & { cancelled: boolean; taken: number } {
  return {
    cancelled: false,
    taken: 0,
    async read() {
      return this.cancelled ? undefined : chunks[this.taken++];
    },
    cancel() {
      this.cancelled = true;
    },
  };
}

async function readAll(source: ByteSource, pair: Pair): Promise<Buffer> {
  const chunks: Uint8Array[] = [];
  for (;;) {
    const reading = source.read();
    await pair.settle();
    const chunk = await reading;
    if (chunk === undefined) return Buffer.concat(chunks);
    chunks.push(chunk);
  }
}

const bytes = (length: number, start = 0): Uint8Array =>
  Uint8Array.from({ length }, (_value, index) => (start + index) % 251);
const CHUNK = bytes(CHUNK_BYTES);
const ONE: readonly Uint8Array[] = [bytes(1)];

describe('a body', () => {
  it('arrives whole and in order, however it is cut, and several do not mix', async () => {
    const lengths = fc.array(fc.oneof(fc.nat({ max: 40 }), fc.nat({ max: 3 * CHUNK_BYTES })), { maxLength: 12 });
    await fc.assert(
      fc.asyncProperty(fc.array(lengths, { minLength: 1, maxLength: 4 }), async (bodies) => {
        const pair = createPair();
        const chunked = bodies.map((sizes, body) => sizes.map((size, index) => bytes(size, body * 7 + index)));
        const ids = chunked.map((chunks) => pair.sender.write(sourceOf(chunks)));
        const sources = ids.map((id) => pair.receiver.read(id));
        for (const [index, source] of sources.entries()) {
          expect((await readAll(source, pair)).equals(Buffer.concat(chunked[index] ?? []))).toBe(true);
        }
        await pair.settle();
        expect([pair.sender.open, pair.receiver.open]).toEqual([0, 0]);
      }),
      { numRuns: 40 },
    );
  });

  it('is sent only as far as the window, until somebody reads', async () => {
    const pair = createPair();
    const source = sourceOf(Array.from({ length: 100 }, () => bytes(CHUNK_BYTES)));
    const id = pair.sender.write(source);
    await pair.settle();
    const onTheWay = (): number => pair.wire.reduce((sum, { part }) => sum + (part?.byteLength ?? 0), 0);
    expect(onTheWay()).toBe(WINDOW_BYTES);
    const reader = pair.receiver.read(id);
    await reader.read();
    await pair.settle();
    expect(onTheWay()).toBe(WINDOW_BYTES + CHUNK_BYTES);
  });

  it('of single bytes is held back after far fewer chunks than the window has bytes', async () => {
    const pair = createPair();
    const source = sourceOf(Array.from({ length: 100_000 }, () => bytes(1)));
    pair.sender.write(source);
    await pair.settle();
    expect(pair.wire.length).toBeLessThanOrEqual(1024);
  });

  it('never has more than the window on the way that nobody has read, for any chunks and any pace of reading', async () => {
    const sizes = fc.array(fc.nat({ max: 2 * CHUNK_BYTES }), { minLength: 1, maxLength: 30 });
    await fc.assert(
      fc.asyncProperty(sizes, fc.array(fc.nat({ max: 5 }), { maxLength: 10 }), async (lengths, pauses) => {
        const pair = createPair();
        const reader = pair.receiver.read(pair.sender.write(sourceOf(lengths.map((length) => bytes(length)))));
        let read = 0;
        for (const pause of pauses) {
          await pair.settle();
          const sent = pair.wire.reduce((sum, { part }) => sum + (part?.byteLength ?? 0), 0);
          expect(sent - read).toBeLessThanOrEqual(WINDOW_BYTES);
          for (let count = 0; count < pause; count++) {
            const reading = reader.read();
            await pair.settle();
            read += (await reading)?.byteLength ?? 0;
          }
        }
      }),
      { numRuns: 30 },
    );
  });
});

describe('the end of a body', () => {
  it('comes after all of its chunks, also when nobody had begun to read', async () => {
    const pair = createPair();
    const id = pair.sender.write(sourceOf([bytes(10), bytes(20)]));
    await pair.settle();
    expect((await readAll(pair.receiver.read(id), pair)).byteLength).toBe(30);
  });

  it('by an error reaches the reader with its words, after what came before', async () => {
    const pair = createPair();
    let reads = 0;
    const id = pair.sender.write({
      read: async () => {
        if (reads++ === 0) return bytes(3);
        throw new Error('the disk is gone');
      },
      cancel() {},
    });
    await pair.settle();
    const reader = pair.receiver.read(id);
    expect((await reader.read())?.byteLength).toBe(3);
    await expect(reader.read()).rejects.toThrow('the disk is gone');
  });

  it('may come before anybody reads, for more short bodies than are open at once', async () => {
    const { receiver } = createPair();
    const last = 2 * MAX_STREAMS + 100;
    for (let stream = 1; stream <= last; stream++) {
      receiver.accept({ stream, op: 'chunk' }, bytes(1, stream));
      receiver.accept({ stream, op: 'end' }, undefined);
    }
    for (let stream = 1; stream <= last; stream++) {
      const reader = receiver.read(stream);
      expect(await reader.read()).toEqual(bytes(1, stream));
      expect(await reader.read()).toBeUndefined();
    }
    expect(receiver.open).toBe(0);
  });

  it('by a cancel of the reader stops the source', async () => {
    const pair = createPair();
    const source = sourceOf(Array.from({ length: 1000 }, () => CHUNK));
    const reader = pair.receiver.read(pair.sender.write(source));
    await pair.settle();
    reader.cancel();
    await pair.settle();
    expect(source.cancelled).toBe(true);
    expect(await reader.read()).toBeUndefined();
    expect([pair.sender.open, pair.receiver.open]).toEqual([0, 0]);
  });

  it('by a cancel reaches the others as well when a source fails to stop', async () => {
    const pair = createPair();
    const failing = {
      read: () => new Promise<undefined>(() => {}),
      cancel: () => {
        throw new Error('cannot stop');
      },
    };
    const source = sourceOf(Array.from({ length: 1000 }, () => CHUNK));
    const [first] = [failing, failing, source].map((each) => pair.receiver.read(pair.sender.write(each)));
    first?.cancel();
    await pair.settle();
    expect(pair.sender.open).toBe(2);
    pair.sender.close(new Error('the thread ended'));
    expect(source.cancelled).toBe(true);
    expect(() => pair.sender.write(failing)).toThrow('the thread ended');
  });

  it('by close reaches every reader, every source and whoever opens one later', async () => {
    const pair = createPair();
    const source = sourceOf(Array.from({ length: 1000 }, () => CHUNK));
    const reader = pair.receiver.read(pair.sender.write(source));
    await pair.settle();
    const late = sourceOf(ONE);
    pair.sender.close(new Error('the thread ended'));
    pair.receiver.close(new Error('the thread ended'));
    expect(source.cancelled).toBe(true);
    for (let chunk = 0; chunk < WINDOW_BYTES / CHUNK_BYTES; chunk++) await reader.read();
    await expect(reader.read()).rejects.toThrow('the thread ended');
    expect(() => pair.sender.write(late)).toThrow('the thread ended');
    expect(late.cancelled).toBe(true);
  });
});

describe('reading', () => {
  it('twice at once is refused, and the first read still gets its chunk', async () => {
    const pair = createPair();
    const reader = pair.receiver.read(1);
    const first = reader.read();
    await expect(reader.read()).rejects.toThrow(TypeError);
    pair.receiver.accept({ stream: 1, op: 'chunk' }, bytes(5));
    expect((await first)?.byteLength).toBe(5);
  });

  it('the same stream by two readers is refused', () => {
    const { receiver } = createPair();
    receiver.read(1);
    expect(() => receiver.read(1)).toThrow(StreamViolation);
  });
});

describe('a peer that breaks the rules', () => {
  const hostile: readonly (readonly [string, (streams: BodyStreams) => void])[] = [
    [
      'sends more than its credit',
      (streams) => {
        for (let count = 0; count < 100; count++) streams.accept({ stream: 1, op: 'chunk' }, bytes(CHUNK_BYTES));
      },
    ],
    [
      'sends more small chunks than its credit pays for',
      (streams) => {
        for (let count = 0; count < 2_000; count++) streams.accept({ stream: 1, op: 'chunk' }, bytes(1));
      },
    ],
    ['sends chunks of nothing', (streams) => streams.accept({ stream: 1, op: 'chunk' }, new Uint8Array())],
    ['sends a chunk without its bytes', (streams) => streams.accept({ stream: 1, op: 'chunk' }, undefined)],
    [
      'goes on after its end',
      (streams) => {
        streams.accept({ stream: 1, op: 'end' }, undefined);
        streams.accept({ stream: 1, op: 'chunk' }, bytes(1));
      },
    ],
    ['names a stream far ahead', (streams) => streams.accept({ stream: MAX_STREAMS + 1, op: 'chunk' }, bytes(1))],
    [
      'opens too many streams',
      (streams) => {
        for (let stream = 1; stream <= 5 * MAX_STREAMS; stream++) streams.accept({ stream, op: 'chunk' }, bytes(1));
      },
    ],
    [
      'gives credit to a stream that we never opened',
      (streams) => streams.accept({ stream: 9, op: 'credit', bytes: 1 }, undefined),
    ],
    ['cancels a stream that we never opened', (streams) => streams.accept({ stream: 9, op: 'cancel' }, undefined)],
  ];
  it.each(hostile)('%s: is told apart', (_name, attack) => {
    expect(() => attack(createPair().receiver)).toThrow(StreamViolation);
  });

  it('cannot buy more than the window with credit that it invents', async () => {
    const pair = createPair();
    const id = pair.sender.write(sourceOf(Array.from({ length: 100 }, () => bytes(CHUNK_BYTES))));
    pair.sender.accept({ stream: id, op: 'credit', bytes: Number.MAX_SAFE_INTEGER }, undefined);
    await pair.settle();
    expect(pair.wire.length).toBeLessThanOrEqual((2 * WINDOW_BYTES) / CHUNK_BYTES);
  });

  it('may speak of streams that are over: that was under way', async () => {
    const pair = createPair();
    const id = pair.sender.write(sourceOf(ONE));
    await readAll(pair.receiver.read(id), pair);
    pair.sender.accept({ stream: id, op: 'credit', bytes: 1 }, undefined);
    pair.sender.accept({ stream: id, op: 'cancel' }, undefined);
    pair.receiver.accept({ stream: id, op: 'chunk' }, bytes(1));
    pair.receiver.accept({ stream: id, op: 'end' }, undefined);
    expect([pair.sender.open, pair.receiver.open]).toEqual([0, 0]);
  });

  it('is told apart or ignored, whatever it says: nothing but StreamViolation is ever thrown', () => {
    const message = fc.oneof(
      fc.record({ stream: fc.integer({ min: 1, max: 600 }), op: fc.constantFrom('chunk', 'end', 'cancel') }),
      fc.record({ stream: fc.integer({ min: 1, max: 600 }), op: fc.constant('credit'), bytes: fc.nat() }),
      fc.record({ stream: fc.integer({ min: 1, max: 600 }), op: fc.constant('error'), message: fc.string() }),
    ) as fc.Arbitrary<StreamMessage>;
    fc.assert(
      fc.property(fc.array(fc.tuple(message, fc.nat({ max: 3 })), { maxLength: 60 }), (messages) => {
        const { receiver } = createPair();
        for (const [said, size] of messages) {
          try {
            receiver.accept(said, size === 0 ? undefined : bytes(size));
          } catch (error) {
            expect(error).toBeInstanceOf(StreamViolation);
          }
          expect(receiver.open).toBeLessThanOrEqual(MAX_STREAMS + MAX_ARRIVING);
        }
      }),
    );
  });
});

describe('a sender', () => {
  it('refuses more streams than its peer takes, and lets go of the source', () => {
    const { sender } = createPair();
    const never: ByteSource = { read: () => new Promise(() => {}), cancel() {} };
    for (let count = 0; count < MAX_STREAMS; count++) sender.write(never);
    const refused = sourceOf(ONE);
    expect(() => sender.write(refused)).toThrow(RangeError);
    expect(refused.cancelled).toBe(true);
  });
});

describe('bodies that nobody reads', () => {
  const send = (streams: BodyStreams, first: number, last: number): void => {
    for (let stream = first; stream <= last; stream++) streams.accept({ stream, op: 'chunk' }, CHUNK);
  };

  it('are bounded in sum, and those that are read are not counted', () => {
    const streams = new BodyStreams({ send: () => {} }, 4 * CHUNK_BYTES);
    send(streams, 1, 4);
    expect(() => send(streams, 5, 5)).toThrow(StreamViolation);
    streams.read(1);
    send(streams, 5, 5);
    send(streams, 1, 1);
    expect(() => send(streams, 6, 6)).toThrow('the bodies that nobody reads are more than allowed');
  });
});
