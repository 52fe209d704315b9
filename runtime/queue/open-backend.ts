/** Opens the queue where the settings say; what is not used is not even loaded. */
import { join } from 'node:path';
import type { BackendEvents, QueueBackend } from './backend.ts';

export interface QueueSettings {
  readonly redis?: string;
  /** Of ioredis; alone they may name Sentinels, or a place on the network. */
  readonly redisOptions: Readonly<Record<string, unknown>>;
  readonly redisCluster: readonly string[];
  /** The URL of a PostgreSQL. */
  readonly queue?: string;
  readonly prefix: string;
  /** How long ended jobs stay. */
  readonly keepMs: number;
  readonly durability: 'process' | 'power-loss';
  /** The host's own data; the embedded queue lives in its folder `queue`. */
  readonly dataFolder: string;
  /** For tests: how long a lock lives, and how often it is looked whether one ended. */
  readonly timing?: { readonly lockMs: number; readonly stalledMs: number };
}

/** @throws Error that says where the queue is, what is wrong with it, and what to do */
export async function openQueueBackend(settings: QueueSettings, events: BackendEvents): Promise<QueueBackend> {
  const { redis, redisOptions, redisCluster, queue, prefix, keepMs, timing } = settings;
  const common = { prefix, keepMs, ...(timing === undefined ? {} : { timing }) };

  if (onRedis(settings)) {
    if (queue !== undefined) {
      throw new Error('Both "queue" and "redis" of plexi.yaml name a server for tasks; keep one of them.');
    }
    const { openRedisBackend } = await import('./redis.ts');
    const place = { options: redisOptions, cluster: redisCluster, ...(redis === undefined ? {} : { url: redis }) };
    return openRedisBackend({ ...common, ...place }, events);
  }
  if (queue !== undefined) {
    const { openPostgresBackend } = await import('./postgres.ts');
    return openPostgresBackend({ ...common, url: queue }, events);
  }
  const { openEmbeddedBackend } = await import('./embedded.ts');
  return openEmbeddedBackend(
    { ...common, folder: join(settings.dataFolder, 'queue'), durability: settings.durability },
    events,
  );
}

/** Sentinels need no URL. */
function onRedis({ redis, redisOptions, redisCluster }: QueueSettings): boolean {
  return redis !== undefined || redisCluster.length > 0 || Object.keys(redisOptions).length > 0;
}
