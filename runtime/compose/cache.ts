/** Where modules' caches are, out of the operator's settings: in Redis when there is one. */
import type { CachePort } from '../capabilities/cache.ts';
import { createMemoryCache } from '../capabilities/memory-cache.ts';
import { createRedisCache } from '../capabilities/redis-cache.ts';
import type { HostSettings } from '../config/settings-schema.ts';
import type { Logger } from '../observability/log.ts';

const MB = 1024 * 1024;
/** Of this process, for all modules together. */
const MEMORY_MB = 128;

export function openCache(
  { redis, redis_options, redis_cluster, tasks, limits }: HostSettings,
  log: Logger,
): CachePort {
  const moduleBytes = limits.cache_mb * MB;
  if (redis === undefined && redis_cluster.length === 0) {
    return createMemoryCache({ moduleBytes, totalBytes: Math.max(MEMORY_MB * MB, moduleBytes) });
  }
  return createRedisCache({
    redis: { url: redis, options: redis_options, cluster: redis_cluster },
    prefix: tasks.prefix,
    moduleBytes,
    onAway: (error) =>
      log.warn({ err: error }, 'the cache of modules in Redis cannot be reached; it is empty meanwhile'),
    onBack: () => log.info('the cache of modules in Redis is back'),
  });
}
