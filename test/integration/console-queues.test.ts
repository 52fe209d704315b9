import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { QueueBackend } from '../../runtime/queue/backend.ts';
import { openQueueBackend } from '../../runtime/queue/open-backend.ts';
import { consoleDoor, KEY, QUEUES, SAME_ORIGIN } from '../support/console-door.ts';
import { layDownDatabase } from '../support/embedded-folder.ts';
import { jsonOf } from '../support/fake-modules.ts';
import { until } from '../support/until.ts';

interface BoardJob {
  readonly id: string;
  readonly name: string;
  readonly data: unknown;
  readonly returnValue: unknown;
}

interface BoardQueue {
  readonly name: string;
  readonly isPaused: boolean;
  readonly counts: Readonly<Record<string, number>>;
  readonly jobs: readonly BoardJob[];
}

/** The browser's tests run on Redis; this is the queue that a host has when nothing is set up. */
describe('the board over the embedded queue', () => {
  const folder = mkdtempSync(join(tmpdir(), 'plexi-board-'));
  let backend: QueueBackend;
  let gateway: ReturnType<typeof consoleDoor>['gateway'];
  beforeAll(async () => {
    await layDownDatabase(join(folder, 'queue'));
    backend = await openQueueBackend(
      {
        redisOptions: {},
        redisCluster: [],
        prefix: 'plexi',
        keepMs: 3_600_000,
        durability: 'process',
        dataFolder: folder,
      },
      { onOnline: () => {}, onError: () => {} },
    );
    const queues = [backend.queue('weather'), backend.queue('weather.digest')];
    gateway = consoleDoor({ desk: { queues: () => queues, onQueues: () => {} } }).gateway;
    const consumer = backend.consume(
      'weather',
      async (job) => {
        if (job.name === 'broken') throw new Error('MODULE_ERROR: no luck');
        return { result: '{"cities":12}' };
      },
      { concurrency: 1 },
    );
    await backend.queue('weather').add('refresh', { data: '{"city":"Oslo"}', origin: 'operator' });
    await backend.queue('weather').add('broken', { data: 'null', origin: 'schedule' });
    await until(async () => {
      const counts = await backend.queue('weather').getJobCounts('completed', 'failed');
      return counts.completed === 1 && counts.failed === 1;
    });
    await consumer.close();
    await backend.queue('weather').upsertJobScheduler('refresh', { pattern: '0 3 * * *' }, { name: 'refresh' });
  });
  afterAll(async () => {
    await backend?.close();
    rmSync(folder, { recursive: true, force: true });
  });

  const get = (path: string) => gateway.request(QUEUES + path, { headers: { 'x-api-key': KEY } });
  const put = (path: string) =>
    gateway.request(QUEUES + path, { method: 'PUT', headers: { 'x-api-key': KEY, ...SAME_ORIGIN } });
  const list = async (query: string) => {
    const { queues } = await jsonOf<{ queues: BoardQueue[] }>(get(query));
    return Object.fromEntries(queues.map((queue) => [queue.name, queue]));
  };

  it('lists queues, counts and jobs', async () => {
    const { weather, ...others } = await list('?activeQueue=weather&status=completed&page=1&jobsPerPage=10');
    expect(Object.keys(others)).toEqual(['weather.digest']);
    expect(weather).toMatchObject({ isPaused: false, counts: { completed: 1, failed: 1, delayed: 1 } });
    expect(weather?.jobs).toEqual([
      expect.objectContaining({
        name: 'refresh',
        data: { data: { city: 'Oslo' }, origin: 'operator' },
        returnValue: { result: { cities: 12 } },
      }),
    ]);
  });

  it('says why a job failed, and not in which files of the host', async () => {
    const queue = backend.queue('weather');
    expect((await queue.getJobs(['failed']))[0]?.stacktrace?.join()).toContain('console-queues.test.ts');
    const asked = get('?activeQueue=weather&status=failed');
    const text = await (await asked).text();
    const [failed] = JSON.parse(text).queues[0].jobs;
    expect(failed).toMatchObject({ isFailed: true, failedReason: 'MODULE_ERROR: no luck', stacktrace: [] });
    const alone = await (await get(`/weather/${failed.id}`)).text();
    expect(JSON.parse(alone).job).toMatchObject({ failedReason: 'MODULE_ERROR: no luck', stacktrace: [] });
    expect(text + alone).not.toContain('console-queues.test.ts');
    expect((await queue.getJobs(['failed']))[0]?.stacktrace?.join()).toContain('console-queues.test.ts');
  });

  it('answers everything else that its page asks for', async () => {
    const { weather } = await list('?activeQueue=weather&status=failed&page=1&jobsPerPage=10');
    const id = weather?.jobs[0]?.id;
    for (const path of [
      `/weather/${id}`,
      `/weather/${id}/logs`,
      '/weather/default-job-options',
      '/weather/rate-limit',
      '/weather/job-data-schema',
    ]) {
      expect((await get(path)).status, path).toBe(200);
    }
    const schedulers = await gateway.request('/console/queues/api/job-schedulers', { headers: { 'x-api-key': KEY } });
    expect(await jsonOf(schedulers)).toMatchObject({ schedulers: [{ id: 'refresh', queueName: 'weather' }] });
  });

  it('pauses, resumes, retries and cleans, and leaves the schedule alone', async () => {
    expect((await put('/weather/pause')).status).toBe(200);
    expect(await backend.queue('weather').isPaused()).toBe(true);
    expect((await put('/weather/resume')).status).toBe(200);
    expect((await put('/weather/retry/failed')).status).toBe(200);
    expect(await backend.queue('weather').getJobCounts('failed', 'waiting')).toEqual({ failed: 0, waiting: 1 });
    for (const path of ['/weather/clean/delayed', '/weather/empty']) expect((await put(path)).status, path).toBe(200);
    expect((await backend.queue('weather').getJobSchedulers()).map(({ key }) => key)).toEqual(['refresh']);
    expect((await backend.queue('weather').getJobCounts('delayed')).delayed).toBe(1);
  });

  it('says that a queue or a job is not there', async () => {
    expect((await get('/nothing/1')).status).toBe(404);
    expect((await get('/weather/nothing')).status).toBe(404);
  });
});
