/** What an operator may ask the board for, and how much of it at once: who may only look must not exhaust the host. */
import { describe, expect, it, vi } from 'vitest';
import type { ConsoleOptions } from '../../runtime/console/console.ts';
import { consoleDoor, KEY, QUEUES } from '../support/console-door.ts';
import { bearer, jsonOf } from '../support/fake-modules.ts';
import { until } from '../support/until.ts';

type Queues = ReturnType<ConsoleOptions['desk']['queues']>;

/** A queue whose jobs come when a test lets them. */
function fakeQueue() {
  const waiting: (() => void)[] = [];
  const state = { isHeld: false };
  const getJobs = vi.fn(async (_states: string[], _start: number, _end: number): Promise<unknown[]> => {
    if (state.isHeld) await new Promise<void>((resolve) => waiting.push(resolve));
    return [];
  });
  const queue = {
    name: 'weather',
    opts: {},
    metaValues: { version: 'bullmq:6' },
    getJobs,
    getJob: async () => null,
    getJobCounts: async () => ({ completed: 5, failed: 0 }),
    isPaused: async () => false,
    getGlobalConcurrency: async () => null,
    getRateLimitTtl: async () => 0,
    getJobSchedulersCount: async () => 0,
  };
  const queues = [queue as unknown as Queues[number]];
  const release = () => {
    state.isHeld = false;
    for (const go of waiting.splice(0)) go();
  };
  return { desk: { queues: () => queues, onQueues: () => {} }, getJobs, state, waiting, release };
}

describe('a list of jobs', () => {
  const ask = (query: string) => {
    const { desk, getJobs } = fakeQueue();
    const { get } = consoleDoor({ desk });
    return { answer: get(`${QUEUES}?${query}`, { 'x-api-key': KEY }), getJobs };
  };

  it.each([
    'jobsPerPage=100000000',
    'jobsPerPage=1e8',
    'jobsPerPage=301',
    'jobsPerPage=0',
    'jobsPerPage=-1',
    'jobsPerPage=10&jobsPerPage=100000000',
    'jobsPerPage=0x7fffffff',
    'jobsPerPage=Infinity',
    'page=0',
    'page=99999999999',
    'page=1.5',
    'status=stuck',
    'status=completed,failed',
    'status=completed&status=failed',
    'activeQueue=%25',
    'activeQueue=%252e%252e',
    `activeQueue=${'x'.repeat(300)}`,
    'activeQueue=%ff',
    'limit=1000',
    '__proto__=1',
  ])('is not made for %s', async (query) => {
    const { answer, getJobs } = ask(`activeQueue=weather&${query}`);
    const response = await answer;
    expect(response.status).toBe(422);
    expect(await jsonOf(response)).toMatchObject({ code: 'INVALID_INPUT', message: expect.any(String) });
    expect(getJobs).not.toHaveBeenCalled();
  });

  it.each([
    ['activeQueue=weather&status=completed&page=2&jobsPerPage=10', ['completed'], 10, 19],
    ['activeQueue=weather&status=completed&jobsPerPage=100', ['completed'], 0, 99],
    // As much as the board's own settings let people choose.
    ['activeQueue=weather&status=completed&jobsPerPage=300', ['completed'], 0, 99],
    ['activeQueue=weather&status=waiting-children&jobsPerPage=&page=', ['waiting-children'], 0, 9],
  ])('has a hundred jobs at most: %s', async (query, states, start, end) => {
    const { answer, getJobs } = ask(query);
    expect((await answer).status).toBe(200);
    expect(getJobs.mock.calls).toEqual([[states, start, end]]);
  });

  it.each(['', '&status=latest', '&status='])('of every state has twenty of each (%s)', async (status) => {
    const { answer, getJobs } = ask(`activeQueue=weather&jobsPerPage=300${status}`);
    expect((await answer).status).toBe(200);
    expect(getJobs.mock.calls).toEqual([[expect.any(Array), 0, 19]]);
  });

  it.each([
    '/job-schedulers?queueName=%25',
    '/job-schedulers?limit=5',
    '/queues/weather/1?jobsPerPage=5',
    '/queues/weather/1/logs?end=5',
    '/queues/weather/1/flow?maxChildren=100000',
    '/queues/weather/1/flow?depth=x',
    '/queues/weather/metrics?from=0',
    '/nothing?x=1',
  ])('is not all that is checked: %s', async (path) => {
    const { get } = consoleDoor();
    const response = await get(`/console/queues/api${path}`, { 'x-api-key': KEY });
    expect(response.status).toBe(422);
  });
});

describe('many questions at once', () => {
  const LIST = `${QUEUES}?activeQueue=weather&status=completed`;

  it('are refused from the third list on, for who asks and for nobody else', async () => {
    const { desk, getJobs, state, waiting, release } = fakeQueue();
    const { get } = consoleDoor({ desk });
    state.isHeld = true;
    const ann = { 'x-api-key': KEY };
    const bob = await bearer({ sub: 'bob', permissions: ['modules:read'] });
    const first = [get(LIST, ann), get(LIST, ann)];
    await until(() => waiting.length === 2);
    const refused = await Promise.all(Array.from({ length: 20 }, () => get(LIST, ann)));
    for (const response of refused) {
      expect(response.status).toBe(429);
      expect(response.headers.get('retry-after')).toBe('1');
      expect(await jsonOf(response)).toMatchObject({ code: 'RATE_LIMITED' });
    }
    const other = get(LIST, bob);
    await until(() => waiting.length === 3);
    expect(getJobs).toHaveBeenCalledTimes(3);
    release();
    expect((await Promise.all([...first, other])).map(({ status }) => status)).toEqual([200, 200, 200]);
    expect((await get(LIST, ann)).status).toBe(200);
  });

  it('cannot be heaped up by giving up on them: a place is taken as long as the queue works on it', async () => {
    vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout'] });
    try {
      const { desk, state, release } = fakeQueue();
      const { get } = consoleDoor({ desk });
      state.isHeld = true;
      const headers = { 'x-api-key': KEY };
      const lost = [get(LIST, headers), get(LIST, headers)];
      await vi.advanceTimersByTimeAsync(10_000);
      expect((await Promise.all(lost)).map(({ status }) => status)).toEqual([503, 503]);
      expect((await get(LIST, headers)).status).toBe(429);
      release();
      await vi.advanceTimersByTimeAsync(0);
      expect((await get(LIST, headers)).status).toBe(200);
    } finally {
      vi.useRealTimers();
    }
  });

  it('do not lock anybody out for good when the queue never answers', async () => {
    vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout'] });
    try {
      const { desk, state } = fakeQueue();
      const { get } = consoleDoor({ desk });
      state.isHeld = true;
      const headers = { 'x-api-key': KEY };
      const lost = [get(LIST, headers), get(LIST, headers)];
      await vi.advanceTimersByTimeAsync(60_000);
      await Promise.all(lost);
      state.isHeld = false;
      expect((await get(LIST, headers)).status).toBe(200);
    } finally {
      vi.useRealTimers();
    }
  });
});
