/** Restarts of the embedded database over threads that boot, hang and die as they are told. */
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { type Link, type LinkEvents, openLink } from '../../runtime/queue/pglite-link.ts';
import { PglitePool } from '../../runtime/queue/pglite-pool.ts';
import { tempFolder } from '../support/temp-folder.ts';

vi.mock('../../runtime/queue/pglite-link.ts', async (original) => ({
  ...(await original<typeof import('../../runtime/queue/pglite-link.ts')>()),
  openLink: vi.fn(),
}));

// Fake timers do not reach these.
vi.mock('node:timers/promises', () => ({
  setTimeout: (ms: number, _value: unknown, { signal }: { signal: AbortSignal }) =>
    new Promise<void>((resolve, reject) => {
      signal.throwIfAborted();
      const timer = setTimeout(resolve, ms);
      signal.addEventListener('abort', () => {
        clearTimeout(timer);
        reject(signal.reason);
      });
    }),
}));

interface Thread {
  readonly events: LinkEvents;
  readonly boot: PromiseWithResolvers<void>;
  /** It was asked to end at once. */
  isStopped: boolean;
  end(): void;
}

describe('a thread of the embedded database that has died', () => {
  beforeEach(() => vi.useFakeTimers());
  afterEach(() => vi.useRealTimers());

  it('has no successor before it has ended, and it is said why', async () => {
    const { threads, told } = await setUp();
    threads[0]?.events.onLost('it hangs');
    await vi.advanceTimersByTimeAsync(9000);
    expect([threads.length, told]).toEqual([1, []]);
    await vi.advanceTimersByTimeAsync(3_600_000);
    expect(threads).toHaveLength(1);
    expect(told).toEqual([expect.stringContaining('its thread cannot be ended, as when a disk does not answer')]);
    threads[0]?.end();
    await vi.advanceTimersByTimeAsync(1000);
    expect(threads).toHaveLength(2);
  });

  it('has one for as long as it takes, at the latest every 30 s, and it is told once in ten minutes why not', async () => {
    const { threads, told } = await setUp();
    threads[0]?.events.onLost('it ended');
    threads[0]?.end();
    const fail = async (reason: string) => {
      const thread = threads.at(-1);
      thread?.end();
      thread?.boot.reject(new Error(reason));
      await vi.advanceTimersByTimeAsync(30_000);
    };
    await vi.advanceTimersByTimeAsync(100);
    for (let attempt = 0; attempt < 19; attempt++) await fail(`10:${attempt} the disk is full`);
    expect(threads.length).toBeGreaterThan(19);
    expect(told).toHaveLength(1);
    await fail('the disk is full');
    for (let attempt = 0; attempt < 3; attempt++) await fail('10:59 the disk is full');
    expect(told).toEqual([
      expect.stringContaining('does not come up: 10:0 the disk is full. It is tried again'),
      expect.stringContaining('does not come up: the disk is full. It is tried again'),
      expect.stringContaining('does not come up: 10:59 the disk is full. It is tried again'),
    ]);
  });

  it('has one that is given some seconds to boot when the pool ends, and is then ended, before the pool has', async () => {
    const { pool, threads } = await setUp();
    threads[0]?.events.onLost('it ended');
    threads[0]?.end();
    await vi.advanceTimersByTimeAsync(1000);
    let hasEnded = false;
    void pool.end().then(() => {
      hasEnded = true;
    });
    await vi.advanceTimersByTimeAsync(4900);
    expect([threads[1]?.isStopped, hasEnded]).toEqual([false, false]);
    await vi.advanceTimersByTimeAsync(200);
    expect([threads[1]?.isStopped, hasEnded]).toEqual([true, false]);
    threads[1]?.end();
    await vi.advanceTimersByTimeAsync(0);
    expect(hasEnded).toBe(true);
  });

  it('has none when the pool has ended meanwhile', async () => {
    const { pool, threads } = await setUp();
    threads[0]?.events.onLost('it ended');
    const ended = pool.end();
    threads[0]?.end();
    await vi.advanceTimersByTimeAsync(60_000);
    await ended;
    expect(threads).toHaveLength(1);
  });
});

async function setUp() {
  const threads: Thread[] = [];
  const told: string[] = [];
  vi.mocked(openLink).mockImplementation(async (_, events, stop) => {
    const gone = Promise.withResolvers<void>();
    const thread: Thread = { events, boot: Promise.withResolvers(), isStopped: false, end: gone.resolve };
    thread.boot.promise.catch(() => undefined);
    threads.push(thread);
    events.onThread(gone.promise);
    stop?.addEventListener('abort', () => {
      thread.isStopped = true;
      thread.boot.reject(new Error('the host stops'));
    });
    if (threads.length > 1) await thread.boot.promise;
    return {
      flushes: 0,
      query: vi.fn(),
      release: vi.fn(),
      close: async () => thread.end(),
      terminate: vi.fn(),
    } as Link;
  });
  const pool = await PglitePool.open({
    folder: join(tempFolder({ 'database/PG_VERSION': '18' }), 'database'),
    durability: 'process',
    onLost: () => undefined,
    onBack: () => undefined,
    onTrouble: (error) => void told.push(error.message),
  });
  return { pool, threads, told };
}
