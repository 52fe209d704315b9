/** The cache of modules in a real Redis: bounded there too, and an empty one when the server is in trouble. */
import { Redis } from 'ioredis';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { CachePort } from '../../runtime/capabilities/cache.ts';
import { createRedisCache } from '../../runtime/capabilities/redis-cache.ts';
import { missingRedis, type RedisServer, startRedis } from '../support/redis-server.ts';
import { until } from '../support/until.ts';

const KB = 1024;
const skip = missingRedis !== undefined && process.env.CI === undefined;
const because = missingRedis === undefined ? '' : ` (${missingRedis})`;

describe.skipIf(skip)(`the cache of modules in Redis${because}`, () => {
  let server: RedisServer;
  let admin: Redis;
  const words: string[] = [];
  const caches: CachePort[] = [];
  const open = (prefix: string, moduleBytes = 100 * KB): CachePort => {
    const cache = createRedisCache({
      redis: { url: server.url, options: {}, cluster: [] },
      prefix,
      moduleBytes,
      onAway: () => words.push('away'),
      onBack: () => words.push('back'),
    });
    caches.push(cache);
    return cache;
  };
  const ready = (cache: CachePort): Promise<void> =>
    until(async () => {
      await cache.set('probe', 'k', '1', 60_000);
      return (await cache.get('probe', 'k')) === '1';
    });

  beforeAll(async () => {
    server = await startRedis();
    admin = new Redis(server.url, { replyMapping: 'legacy' });
    admin.on('error', () => {});
  });
  afterAll(async () => {
    for (const cache of caches) await cache.close();
    admin?.disconnect();
    await server?.remove();
  });

  test('is each module’s own, shared by hosts, and forgets by its ttl', async () => {
    const [one, other, stranger] = [open('p'), open('p'), open('q')];
    await Promise.all([one, other, stranger].map(ready));
    await one.set('a', 'k', '"ä"', 60_000);
    await one.set('a', 'short', '1', 1);
    expect(await other.get('a', 'k')).toBe('"ä"');
    expect(await other.get('b', 'k')).toBeUndefined();
    expect(await stranger.get('a', 'k')).toBeUndefined();
    await until(async () => (await one.get('a', 'short')) === undefined);
    await other.delete('a', 'k');
    expect(await one.get('a', 'k')).toBeUndefined();
  });

  test('holds so many bytes for each module, and what expires next makes room', async () => {
    const cache = open('bounded');
    await ready(cache);
    for (let index = 0; index < 500; index++) {
      await cache.set('a', `k${index}`, 'x'.repeat(KB), 60_000 + index * 1_000);
    }
    await cache.set('b', 'k', '1', 60_000);
    const held = await admin.hlen('bounded-cache:{a}:values');
    expect(held).toBe(Math.floor((100 * KB) / (KB + 128 + 4)));
    expect([await cache.get('a', 'k0'), (await cache.get('a', 'k499'))?.length]).toEqual([undefined, KB]);
    expect(await cache.get('b', 'k')).toBe('1');
    await cache.set('a', 'huge', 'x'.repeat(101 * KB), 60_000);
    expect(await cache.get('a', 'huge')).toBeUndefined();
    for (let index = 0; index < 2_000; index++) await cache.set('a', `s${index}`, '1', 60_000);
    const used = Number(await admin.get('bounded-cache:{a}:used'));
    expect(used).toBeGreaterThan(0);
    expect(used).toBeLessThanOrEqual(100 * KB);
    expect(await admin.hlen('bounded-cache:{a}:values')).toBeLessThan(800);
  });

  test('leaves nothing behind: keys of a module go when its last value expires', async () => {
    const cache = open('gone');
    await ready(cache);
    await cache.set('a', 'k', '1', 50);
    await until(async () => (await admin.keys('gone-cache:{a}:*')).length === 0);
    await cache.set('a', 'k', '1', 60_000);
    await cache.delete('a', 'k');
    expect(await admin.get('gone-cache:{a}:used')).toBe('0');
  });

  test('is empty while the server is away or hangs, at once or soon, and comes back', { timeout: 60_000 }, async () => {
    const cache = open('away');
    await ready(cache);
    words.length = 0;
    server.signal('SIGSTOP');
    await cache.set('a', 'k', '1', 60_000);
    expect(await cache.get('a', 'k')).toBeUndefined();
    server.signal('SIGCONT');
    await ready(cache);
    expect(words.slice(0, 2)).toEqual(['away', 'back']);
    await server.stop('SIGKILL');
    await until(() => words.length > 2);
    const answers = await Promise.all(Array.from({ length: 100 }, () => cache.get('a', 'k')));
    expect(new Set(answers)).toEqual(new Set([undefined]));
    await server.start();
    await ready(cache);
  });
});
