/**
 * The caches of all modules in Redis, shared by all hosts. The same Redis may keep the queue and must not run full, so each
 * module has a bound there too: a script counts, and those that expire next make room.
 */
import { connectRedis, type RedisClient, type RedisClientSettings } from '../queue/redis-clients.ts';
import type { CachePort } from './cache.ts';

export interface RedisCacheSettings {
  readonly redis: RedisClientSettings;
  /** Sets the keys of this installation apart. */
  readonly prefix: string;
  readonly moduleBytes: number;
  /** Once when it goes away; errors of a server in trouble are all alike. */
  readonly onAway: (error: Error) => void;
  readonly onBack: () => void;
}

interface Scripts {
  plexiCacheGet(values: string, index: string, used: string, key: string): Promise<string | null>;
  plexiCacheSet(
    ...args: [string, string, string, key: string, value: string, ttl: number, max: number]
  ): Promise<number>;
  plexiCacheDelete(values: string, index: string, used: string, key: string): Promise<number>;
}

/** Who asks has something better to do than to wait for a cache. */
const COMMAND_MS = 500;

export function createRedisCache({ redis, prefix, moduleBytes, onAway, onBack }: RedisCacheSettings): CachePort {
  const client = open(redis);
  let isAway = false;

  const fail = (error: unknown): undefined => {
    if (!isAway) onAway(error instanceof Error ? error : new Error(String(error)));
    isAway = true;
    return undefined;
  };
  const works = (): void => {
    if (isAway) onBack();
    isAway = false;
  };
  client.on('error', fail);
  client.on('ready', works);
  client.connect().catch(fail);

  return {
    get: (module, key) =>
      client.plexiCacheGet(...keysOf(prefix, module), key).then((value) => {
        works();
        return value ?? undefined;
      }, fail),
    set: (module, key, value, ttlMs) =>
      client.plexiCacheSet(...keysOf(prefix, module), key, value, ttlMs, moduleBytes).then(works, fail),
    delete: (module, key) => client.plexiCacheDelete(...keysOf(prefix, module), key).then(works, fail),
    clear: (module) => client.del(...keysOf(prefix, module)).then(works, fail),
    async close() {
      client.disconnect();
    },
  };
}

function open(settings: RedisClientSettings): RedisClient & Scripts {
  const client = connectRedis(settings, {
    replyMapping: 'legacy',
    lazyConnect: true,
    commandTimeout: COMMAND_MS,
    enableOfflineQueue: false,
    autoResendUnfulfilledCommands: false,
    maxRetriesPerRequest: 0,
  });
  for (const [name, lua] of Object.entries(SCRIPTS)) client.defineCommand(name, { numberOfKeys: 3, lua });
  return client as RedisClient & Scripts;
}

/** The braces keep them in one slot of a cluster; prefixes and module names have none, nor a "-". */
function keysOf(prefix: string, module: string): [values: string, index: string, used: string] {
  const place = `${prefix}-cache:{${module}}`;
  return [`${place}:values`, `${place}:index`, `${place}:used`];
}

/** `index` says when a value expires; nobody else's clock counts. */
const COMMON = `
  local time = redis.call('TIME')
  local now = time[1] * 1000 + math.floor(time[2] / 1000)
  local key = ARGV[1]
  local used = tonumber(redis.call('GET', KEYS[3]) or '0')
  local function weigh(name, length) return #name + length + 128 end
  local function drop(name)
    used = used - weigh(name, redis.call('HSTRLEN', KEYS[1], name))
    redis.call('HDEL', KEYS[1], name)
    redis.call('ZREM', KEYS[2], name)
  end
`;

const SCRIPTS = {
  plexiCacheGet: `${COMMON}
    local expires = redis.call('ZSCORE', KEYS[2], key)
    if not expires or tonumber(expires) <= now then return false end
    return redis.call('HGET', KEYS[1], key)
  `,
  plexiCacheSet: `${COMMON}
    local value, ttl, max = ARGV[2], tonumber(ARGV[3]), tonumber(ARGV[4])
    local size = weigh(key, #value)
    if redis.call('ZSCORE', KEYS[2], key) then drop(key) end
    for _, name in ipairs(redis.call('ZRANGEBYSCORE', KEYS[2], '-inf', now, 'LIMIT', 0, 100)) do drop(name) end
    while used + size > max do
      local name = redis.call('ZRANGE', KEYS[2], 0, 0)[1]
      if not name then used = 0 break end
      drop(name)
    end
    if size <= max then
      redis.call('HSET', KEYS[1], key, value)
      redis.call('ZADD', KEYS[2], now + ttl, key)
      used = used + size
    end
    redis.call('SET', KEYS[3], string.format('%.0f', used))
    local last = redis.call('ZRANGE', KEYS[2], -1, -1, 'WITHSCORES')[2]
    for _, place in ipairs(KEYS) do redis.call('PEXPIREAT', place, last or now) end
    return 1
  `,
  plexiCacheDelete: `${COMMON}
    if redis.call('ZSCORE', KEYS[2], key) then
      drop(key)
      redis.call('SET', KEYS[3], string.format('%.0f', used), 'KEEPTTL')
    end
    return 1
  `,
} as const satisfies Record<keyof Scripts, string>;
