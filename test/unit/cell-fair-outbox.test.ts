import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { FrameDecoder } from '../../runtime/bridge/codec.ts';
import { FairOutbox } from '../../runtime/cell/fair-outbox.ts';
import { until } from '../support/until.ts';

const MB = 1024 * 1024;

/** A socket whose other end reads when the test says so. */
function openSocket() {
  const heard: { channel: number; head: string }[] = [];
  const decoder = new FrameDecoder();
  let unread: Buffer[] = [];
  let onDrain = (): void => {};
  const socket = {
    writableLength: 0,
    writes: 0,
    most: 0,
    write(bytes: Buffer) {
      unread.push(bytes);
      this.writableLength += bytes.length;
      this.writes += 1;
      this.most = Math.max(this.most, this.writableLength);
    },
    on: (_event: 'drain', listener: () => void) => {
      onDrain = listener;
    },
  };
  return {
    socket,
    heard,
    /** Reads all that was written, and lets the outbox write more. */
    read(): boolean {
      const bytes = unread;
      unread = [];
      socket.writableLength = 0;
      for (const piece of bytes) decoder.push(piece, ({ channel, head }) => heard.push({ channel, head }));
      onDrain();
      return bytes.length > 0;
    },
  };
}

describe('the lanes of a cell', () => {
  it('bring everything, each in its own order, whatever is sent and whenever the host reads', async () => {
    const step = fc.record({
      lane: fc.integer({ min: 1, max: 4 }),
      size: fc.constantFrom(0, 10, 70_000, 300_000),
      reads: fc.boolean(),
    });
    await fc.assert(
      fc.asyncProperty(fc.array(step, { maxLength: 60 }), async (steps) => {
        const { socket, heard, read } = openSocket();
        const outbox = new FairOutbox(socket);
        const sent = new Map<number, string[]>();
        for (const [index, { lane, size, reads }] of steps.entries()) {
          const head = `${index}:${'x'.repeat(size)}`;
          outbox.frame(lane, 1, lane, head, []);
          sent.set(lane, [...(sent.get(lane) ?? []), head]);
          if (reads) read();
        }
        await new Promise((resolve) => setImmediate(resolve));
        while (read());
        for (const [lane, heads] of sent) {
          expect(heard.filter(({ channel }) => channel === lane).map(({ head }) => head)).toEqual(heads);
          expect(outbox.waitingBytes(lane)).toBe(0);
        }
      }),
      { numRuns: 200 },
    );
  });

  it('let a word of one pass what another has piled up', () => {
    const { socket, heard, read } = openSocket();
    const outbox = new FairOutbox(socket);
    for (let count = 0; count < 64; count++) outbox.frame(1, 1, 1, 'x'.repeat(MB), []);
    outbox.frame(2, 1, 2, 'small', []);
    expect(outbox.waitingBytes(1)).toBeGreaterThan(60 * MB);
    expect(outbox.waitingBytes(2)).toBeLessThan(MB);
    read();
    read();
    expect(heard.findIndex(({ channel }) => channel === 2)).toBeGreaterThan(-1);
    expect(heard.length).toBeLessThan(6);
    expect(socket.most).toBeLessThan(4 * MB);
  });

  it('forget what is dropped, and nothing else', () => {
    const { socket, heard, read } = openSocket();
    const outbox = new FairOutbox(socket);
    for (let count = 0; count < 20; count++) {
      outbox.frame(1, 1, 1, 'x'.repeat(MB), []);
      outbox.frame(2, 1, 2, `${count}`, []);
    }
    outbox.drop(1);
    outbox.frame(1, 2, 0, 'its end', []);
    expect(outbox.waitingBytes(1)).toBeLessThan(MB);
    while (read());
    expect(heard.filter(({ channel }) => channel === 1).length).toBeLessThan(20);
    expect(heard.filter(({ channel }) => channel === 2).length).toBe(20);
    expect(heard.filter(({ channel }) => channel === 0)).toEqual([{ channel: 0, head: 'its end' }]);
  });

  it('count small frames as what they cost', () => {
    const { socket } = openSocket();
    const outbox = new FairOutbox(socket);
    socket.writableLength = MB;
    for (let count = 0; count < 10_000; count++) outbox.frame(1, 1, 1, '[]', []);
    expect(outbox.waitingBytes(1)).toBeGreaterThan(4 * MB);
  });

  it('leave in one write what was said in one turn', async () => {
    const { socket, heard, read } = openSocket();
    const outbox = new FairOutbox(socket);
    for (let lane = 1; lane <= 7; lane++) outbox.frame(lane, 1, lane, 'word', []);
    expect(socket.writes).toBe(0);
    await until(() => socket.writes > 0);
    read();
    expect([socket.writes, heard.length]).toEqual([1, 7]);
  });
});
