import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { openQueueBackend, type QueueSettings } from '../../runtime/queue/open-backend.ts';
import { recordEvents } from '../support/queue-contract.ts';
import { freePort } from '../support/server-process.ts';
import { tempFolder } from '../support/temp-folder.ts';

function open(dataFolder: string, more: Partial<QueueSettings>) {
  const settings: QueueSettings = {
    redisOptions: {},
    redisCluster: [],
    prefix: 'test',
    keepMs: 60_000,
    durability: 'process',
    dataFolder,
    ...more,
  };
  return openQueueBackend(settings, recordEvents());
}

describe('where the queue is opened', () => {
  it('is the server of the URL, and never the data folder when that server is away', async () => {
    const folder = tempFolder();
    const port = await freePort();
    await expect(open(folder, { redis: `redis://127.0.0.1:${port}` })).rejects.toThrow(/^Redis at redis:/);
    await expect(open(folder, { queue: `postgres://127.0.0.1:${port}/x` })).rejects.toThrow(/^PostgreSQL at postgres:/);
    expect(existsSync(join(folder, 'queue'))).toBe(false);
  });

  it('is Redis too when only its options or the nodes of a Cluster say where', async () => {
    const folder = tempFolder();
    const port = await freePort();
    const options = { host: '127.0.0.1', port };
    await expect(open(folder, { redisOptions: options })).rejects.toThrow(/^Redis at the place of redis_options/);
    const cluster = [`127.0.0.1:${port}`];
    await expect(open(folder, { redisCluster: cluster })).rejects.toThrow(/^The Redis Cluster of 127\.0\.0\.1/);
  });

  it('is refused when two servers are named', async () => {
    const both = { redis: 'redis://127.0.0.1', queue: 'postgres://127.0.0.1/x' };
    await expect(open(tempFolder(), both)).rejects.toThrow(/Both "queue" and "redis" of plexi\.yaml/);
  });
});
