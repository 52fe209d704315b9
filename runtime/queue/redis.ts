/** The queue on a Redis server, a Sentinel group or a Cluster. */
import { createRedisBackend } from 'bullmq';
import { answerWithin } from './answer-within.ts';
import type { BackendEvents, QueueBackend } from './backend.ts';
import { createBull } from './bull.ts';
import { createReachability, type Reachability, reasonOf } from './reachability.ts';
import { createRedisClients, type RedisClient } from './redis-clients.ts';
import { createRedisRecords } from './redis-records.ts';
import { quietInfo, serverComplaints } from './redis-server-facts.ts';
import { serverName } from './server-name.ts';

export interface RedisSettings {
  readonly url?: string;
  /** Of ioredis; over what the URL says. */
  readonly options: Readonly<Record<string, unknown>>;
  /** `host:port` of the nodes of a Cluster. */
  readonly cluster: readonly string[];
  readonly prefix: string;
  readonly keepMs: number;
  readonly timing?: { readonly lockMs: number; readonly stalledMs: number };
}

/**
 * A lock is renewed at half of its life, so in the worst case 15 s of it are left when Redis goes away. An outage of
 * 10 s then costs no lock; with shorter locks every job under way would be run twice.
 */
const TIMING = { lockMs: 30_000, stalledMs: 15_000 };
const FIRST_CONNECTION_MS = 10_000;

/** @throws Error that names the server and says what to do, when Redis cannot be reached or used */
export async function openRedisBackend(settings: RedisSettings, events: BackendEvents): Promise<QueueBackend> {
  assertUsable(settings);
  const server = nameOf(settings);
  const reachability = createReachability(server, events);
  let lastError: Error | undefined;
  let open = false;
  const complain = (error: Error) => reachability.complain(withoutCommand(error));
  const clients = createRedisClients({ ...settings, url: settings.url }, (error) => {
    lastError = withoutCommand(error);
    if (open) complain(error);
  });

  try {
    const info = await answerWithin(firstContact(clients.producer, clients.consumer), FIRST_CONNECTION_MS);
    for (const complaint of serverComplaints(server, info)) events.onError(complaint);
    clients.answerInfo(quietInfo(info));
  } catch (error) {
    await clients.disconnect();
    throw unreachable(server, lastError ?? error);
  }
  open = true;
  const stopWatching = watch(clients.producer, reachability);

  // One hash slot for all keys of a queue, or a Cluster refuses BullMQ's scripts.
  const prefix = settings.cluster.length > 0 ? `{${settings.prefix}}` : settings.prefix;
  const { lockMs, stalledMs } = settings.timing ?? TIMING;
  const bull = createBull({
    connection: clients.consumer,
    producerConnection: clients.producer,
    factory: createRedisBackend,
    prefix,
    keepMs: settings.keepMs,
    lockMs,
    stalledMs,
    onError: complain,
    isOnline: () => reachability.online,
  });
  let closing: Promise<void> | undefined;

  return {
    kind: 'redis',
    exclusive: false,
    get online() {
      return reachability.online;
    },
    queue: bull.queue,
    consume: bull.consume,
    records: createRedisRecords(clients.producer, prefix),
    // Other hosts may hold these locks; they end by themselves.
    releaseOrphans: async () => undefined,
    close() {
      closing ??= (async () => {
        stopWatching();
        await bull.close();
        await clients.disconnect();
      })();
      return closing;
    },
  };
}

function assertUsable({ url, options }: RedisSettings): void {
  if (url !== undefined && !URL.canParse(url)) {
    throw new Error('The URL in "redis" of plexi.yaml cannot be read; encode special characters of its parts.');
  }
  if (options.keyPrefix !== undefined) {
    throw new Error('redis_options.keyPrefix cannot be used with the task queue; set tasks.prefix instead.');
  }
}

function nameOf(settings: RedisSettings): string {
  if (settings.cluster.length > 0) return `The Redis Cluster of ${settings.cluster.join(', ')}`;
  if (settings.url !== undefined) return `Redis at ${serverName(settings.url)}`;
  if (Array.isArray(settings.options.sentinels)) return `Redis "${String(settings.options.name)}" of the Sentinels`;
  return 'Redis at the place of redis_options';
}

/** Boundary: ioredis hangs the refused command on its error, and that may be the one with the password. */
function withoutCommand(error: Error): Error {
  if ('command' in error) delete error.command;
  return error;
}

async function firstContact(producer: RedisClient, consumer: RedisClient): Promise<string> {
  await Promise.all([producer.connect(), consumer.connect()]);
  return producer.info();
}

function unreachable(server: string, cause: unknown): Error {
  const advice = 'Check that it runs, and the "redis", "redis_options" and "redis_cluster" of plexi.yaml.';
  return new Error(`${server} cannot be used for tasks: ${reasonOf(cause)}. ${advice}`, { cause });
}

/** The producers' connection stands for all: others come and go with consumers, and find their way back by themselves. */
function watch(client: RedisClient, reachability: Reachability): () => void {
  let reason: string | undefined;
  const remember = (error: Error) => {
    reason = reasonOf(error);
  };
  const lost = () => {
    reachability.lost(reason ?? 'the connection was closed');
    reason = undefined;
  };
  const back = () => {
    reason = undefined;
    reachability.back();
  };
  client.on('error', remember);
  client.on('close', lost);
  client.on('ready', back);
  return () => {
    client.off('error', remember);
    client.off('close', lost);
    client.off('ready', back);
  };
}
