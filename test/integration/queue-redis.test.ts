import { inspect } from 'node:util';
import { Redis } from 'ioredis';
import { afterAll, beforeAll, describe, expect, it, onTestFinished, vi } from 'vitest';
import type { BackendEvents, QueueBackend } from '../../runtime/queue/backend.ts';
import { openRedisBackend, type RedisSettings } from '../../runtime/queue/redis.ts';
import { describeBackend, recordEvents } from '../support/queue-contract.ts';
import {
  missingRedis,
  type RedisServer,
  startRedis,
  startRedisCluster,
  startSentinel,
} from '../support/redis-server.ts';

import { freePort } from '../support/server-process.ts';
import { until } from '../support/until.ts';

const settings = (url: string, more: Partial<RedisSettings> = {}): RedisSettings => ({
  url,
  options: {},
  cluster: [],
  prefix: 'test',
  keepMs: 60_000,
  ...more,
});

describeBackend(
  'the queue on Redis',
  async () => {
    const server = await startRedis();
    return {
      open: (events) => openRedisBackend(settings(server.url), events),
      exclusive: false,
      server,
      end: () => server.remove(),
    };
  },
  { missing: missingRedis },
);

describeBackend(
  'the queue on a Redis Cluster',
  async () => {
    const server = await startRedisCluster();
    const { url: _, ...rest } = settings('');
    return {
      open: (events) => openRedisBackend({ ...rest, cluster: [`127.0.0.1:${server.port}`] }, events),
      exclusive: false,
      server,
      end: () => server.remove(),
    };
  },
  { missing: missingRedis },
);

describe.skipIf(missingRedis !== undefined)('Redis, and what may be wrong with it', () => {
  let server: RedisServer;
  beforeAll(async () => {
    server = await startRedis('--requirepass', 'p4ss', '--maxmemory-policy', 'allkeys-lru');
  });
  afterAll(() => server?.remove());

  const open = async (more: Partial<RedisSettings> = {}, events: BackendEvents = recordEvents()) => {
    const backend = await openRedisBackend(settings(server.url, { options: { password: 'p4ss' }, ...more }), events);
    onTestFinished(() => backend.close());
    return backend;
  };
  /** Says what an operator would, besides the backend. */
  const administer = async (...command: [string, ...string[]]): Promise<unknown> => {
    const client = new Redis(server.url, { password: 'p4ss' });
    try {
      return await client.call(...command);
    } finally {
      client.disconnect();
    }
  };
  const complete = async (backend: QueueBackend, queue: string) => {
    const job = await backend.queue(queue).add('task', {});
    await until(async () => (await job.getState()) === 'completed');
  };

  it('says which server cannot be reached, without the password, and what to do', async () => {
    const port = await freePort();
    const url = `redis://alice:s3cret@127.0.0.1:${port}/3`;
    const refusal = await openRedisBackend(settings(url), recordEvents()).catch((error: unknown) => error);
    expect(String(refusal)).toBe(
      `Error: Redis at redis://127.0.0.1:${port}/3 cannot be used for tasks: connect ECONNREFUSED 127.0.0.1:${port}. ` +
        'Check that it runs, and the "redis", "redis_options" and "redis_cluster" of plexi.yaml.',
    );
  });

  it('says that the password is wrong, and does not say which it was', async () => {
    const refusal = await open({ options: { password: 'wr0ng' } }).catch((error: unknown) => error);
    expect(String(refusal)).toMatch(/Redis at redis:\/\/127\.0\.0\.1:\d+ cannot be used for tasks: WRONGPASS/);
    expect(inspect(refusal, { depth: 9 })).not.toContain('wr0ng');
  });

  it('refuses an option that would break BullMQ, by name', async () => {
    await expect(open({ options: { keyPrefix: 'x:' } })).rejects.toThrow(/redis_options\.keyPrefix.*tasks\.prefix/);
  });

  it('takes options over what the URL says', async () => {
    const backend = await open({ url: `${server.url}/5`, options: { password: 'p4ss', db: 7 } });
    await backend.queue('database').add('task', {});
    expect(await administer('INFO', 'keyspace')).toMatch(/db7:/);
    expect(await administer('INFO', 'keyspace')).not.toMatch(/db5:/);
  });

  it('warns once of a policy that throws runs away, and BullMQ says nothing on top', async () => {
    const printed = vi.spyOn(console, 'warn').mockImplementation(() => undefined);
    onTestFinished(() => printed.mockRestore());
    const events = recordEvents();
    const backend = await open({}, events);
    backend.consume('policy', async () => undefined, { concurrency: 1 });
    await complete(backend, 'policy');
    expect(events.errors.map(({ message }) => message)).toEqual([
      `Redis at ${server.url} may throw queued runs away: its maxmemory-policy is "allkeys-lru"; set it to "noeviction".`,
    ]);
    expect(printed).not.toHaveBeenCalled();
  });

  it('does not spin when Redis refuses, says so once, and goes on when it does not', async () => {
    const events = recordEvents();
    const backend = await open({}, events);
    for (const name of ['one', 'two', 'three']) backend.consume(name, async () => undefined, { concurrency: 5 });
    await complete(backend, 'one');
    events.errors.length = 0;
    await administer('CONFIG', 'RESETSTAT');
    await administer('ACL', 'SETUSER', 'default', '-evalsha', '-eval');
    onTestFinished(async () => void (await administer('ACL', 'SETUSER', 'default', '+@all')));
    await until(() => events.errors.length > 0);
    await new Promise((resolve) => setTimeout(resolve, 3000));
    const calls = /cmdstat_evalsha:.*rejected_calls=(\d+)/.exec(String(await administer('INFO', 'commandstats')));
    expect(Number(calls?.[1])).toBeLessThan(60);
    expect(new Set(events.errors.map(({ message }) => message)).size).toBe(events.errors.length);
    expect(events.changes).toEqual([]);
    await administer('ACL', 'SETUSER', 'default', '+@all');
    await complete(backend, 'one');
  });

  it('loses no job when every connection is cut', async () => {
    // A job whose worker lost the answer comes back when its lock has run out and looks for stalled jobs have passed.
    const backend = await open({ timing: { lockMs: 4_000, stalledMs: 1_000 } });
    const ran: string[] = [];
    backend.consume('cut', async (job) => void ran.push(job.name), { concurrency: 3 });
    for (let at = 0; at < 30; at++) {
      const add = () => backend.queue('cut').add(`job ${at}`, {});
      await until(() => add().then(Boolean, () => false));
      if (at % 10 === 5) await administer('CLIENT', 'KILL', 'TYPE', 'normal', 'SKIPME', 'yes');
    }
    await until(() => new Set(ran).size === 30);
  });

  it('notices a server that froze: producers fail in time, what they asked for is refused by then', async () => {
    const events = recordEvents();
    const backend = await open({}, events);
    backend.consume('frozen', async () => undefined, { concurrency: 1 });
    await complete(backend, 'frozen');
    server.signal('SIGSTOP');
    onTestFinished(() => server.signal('SIGCONT'));
    const asked = Date.now();
    await expect(backend.queue('frozen').add('task', {})).rejects.toThrow();
    expect(Date.now() - asked).toBeLessThan(15_000);
    await until(() => !backend.online);
    server.signal('SIGCONT');
    await until(() => backend.online);
    await complete(backend, 'frozen');
    expect(events.changes.map(({ online }) => online)).toEqual([false, true]);
  });

  it('keeps installations with different prefixes apart', async () => {
    const one = await open({ prefix: 'one' });
    const two = await open({ prefix: 'two' });
    await one.queue('shared').add('task', {});
    await one.records.write('key', 'of one');
    expect(await two.queue('shared').getWaitingCount()).toBe(0);
    expect(await two.records.read('key')).toBeUndefined();
  });
});

describe.skipIf(missingRedis !== undefined)('Redis by Sentinel', () => {
  it('finds the master that the Sentinels name', async () => {
    const master = await startRedis();
    onTestFinished(() => master.remove());
    const watcher = await startSentinel('queue', master);
    onTestFinished(() => watcher.remove());

    const sentinels = [{ host: '127.0.0.1', port: watcher.port }];
    const { url: _, ...rest } = settings('', { options: { sentinels, name: 'queue' } });
    const backend = await openRedisBackend(rest, recordEvents());
    onTestFinished(() => backend.close());
    backend.consume('sentinel', async () => undefined, { concurrency: 1 });
    const job = await backend.queue('sentinel').add('task', {});
    await until(async () => (await job.getState()) === 'completed');
  });
});
