import { createPostgresBackend, type PgPool } from 'bullmq';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { inServerTime, TIMES_OF_LOCKS } from '../../runtime/queue/lock-times.ts';
import { createServerClock } from '../../runtime/queue/server-clock.ts';

const HOUR_MS = 3_600_000;
const LOCK_MS = 30_000;

describe('the clock of a server', () => {
  beforeEach(() => vi.useFakeTimers());
  afterEach(() => vi.useRealTimers());

  function setUp(aheadMs: number) {
    const ahead: number[] = [];
    const state = { asked: 0, serverAhead: aheadMs, stepped: 0 };
    const ask = async () => {
      state.asked++;
      return Date.now() - state.stepped + state.serverAhead;
    };
    const clock = createServerClock(ask, (ms) => ahead.push(ms));
    return { clock, ahead, state };
  }

  it('is asked once a minute, and counted on in between', async () => {
    const { clock, state, ahead } = setUp(HOUR_MS);
    const start = Date.now();
    expect(await Promise.all([clock.now(), clock.now()])).toEqual([start + HOUR_MS, start + HOUR_MS]);
    vi.advanceTimersByTime(59_000);
    expect(await clock.now()).toBe(start + HOUR_MS + 59_000);
    expect([state.asked, ahead]).toEqual([1, [-HOUR_MS]]);
    vi.advanceTimersByTime(2000);
    await clock.now();
    expect(state.asked).toBe(2);
  });

  it('is asked at once when the clock of this host was set', async () => {
    const { clock, state } = setUp(0);
    const start = await clock.now();
    vi.setSystemTime(start + HOUR_MS);
    state.stepped = HOUR_MS;
    expect(await clock.now()).toBe(start);
    expect(state.asked).toBe(2);
  });

  it('is asked again after it could not be', async () => {
    let asked = 0;
    const ask = async () => {
      if (asked++ === 0) throw new Error('gone');
      return 7;
    };
    const clock = createServerClock(ask, () => undefined);
    await expect(clock.now()).rejects.toThrow('gone');
    expect(await clock.now()).toBe(7);
  });
});

describe('locks of the BullMQ that is installed', () => {
  const job = { id: '1' } as never;
  const clock = { now: async () => Date.now() - HOUR_MS };
  const backendOf = () => {
    const asked: { text: string; params: unknown[] }[] = [];
    const query = async (text: string, params: unknown[] = []) => {
      asked.push({ text, params });
      return { rows: /schema|migration/i.test(text) ? [{ version: 99, max: 99 }] : [{ n: 1, id: '1' }] };
    };
    const client = { query, release: () => {}, on: () => {}, removeAllListeners: () => {} };
    const pool = { query, connect: async () => client, end: async () => {}, on: () => {}, options: {} };
    const options = { connection: pool as unknown as PgPool, lockDuration: LOCK_MS, stalledInterval: 15_000 };
    const backend = createPostgresBackend('queue', options as never, { withBlockingConnection: false } as never);
    const { connection } = backend as unknown as { connection: { waitUntilReady(): Promise<void> } };
    connection.waitUntilReady = async () => undefined;
    return { backend, asked };
  };

  it.each([
    ['taken', (backend) => backend.moveToActive('token')],
    ['taken after a success', (backend) => backend.moveToCompleted(job, 1, false, 'token', true)],
    ['taken after a failure', (backend) => backend.moveToFailed(job, 'no', false, 'token', true)],
    ['renewed', (backend) => backend.extendLock('1', 'token', LOCK_MS)],
    ['renewed together', (backend) => backend.extendLocks(['1'], ['token'], LOCK_MS)],
  ] satisfies [string, (backend: ReturnType<typeof createPostgresBackend>) => Promise<unknown>][])(
    'end by the server’s clock when they are %s',
    async (_, act) => {
      const { backend, asked } = backendOf();
      await act(backend);
      const [statement] = asked.filter(({ text }) => TIMES_OF_LOCKS.some(([known]) => known.test(text)));
      if (!statement) throw new Error('BullMQ says it in another statement.');
      const times = TIMES_OF_LOCKS.find(([known]) => known.test(statement.text))?.[1];
      const mended = await inServerTime(clock, statement.text, statement.params);
      const [moment, length] = [Number(times?.moment) - 1, Number(times?.length) - 1];
      expect(statement.params[length]).toBe(LOCK_MS);
      expect(Number(mended[moment]) + Number(mended[length])).toBe((await clock.now()) + LOCK_MS);
      expect(mended.with(length, LOCK_MS)).toEqual(statement.params);
    },
  );

  it('are looked for by the server’s clock', async () => {
    const { backend, asked } = backendOf();
    await backend.moveStalledJobsToWait();
    const [statement] = asked;
    const mended = await inServerTime(clock, statement?.text ?? '', statement?.params ?? []);
    expect(Number(mended[2])).toBeLessThan(Date.now() - HOUR_MS + 1);
    expect(mended.toSpliced(2, 1)).toEqual(statement?.params.toSpliced(2, 1));
  });

  it('are in no other statement', async () => {
    const { backend, asked } = backendOf();
    await backend.moveToDelayed('1', 1, 1, 'token');
    await backend.getState('1');
    for (const { text, params } of asked) expect(await inServerTime(clock, text, params)).toBe(params);
  });

  beforeEach(() => vi.useFakeTimers());
  afterEach(() => vi.useRealTimers());
});
