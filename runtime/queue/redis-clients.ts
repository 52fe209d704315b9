/**
 * The connections to Redis: one for all producers (fails fast), one for all consumers (waits), and one more for each
 * consumer, in which it blocks; BullMQ makes that one by `duplicate`.
 */
import { setTimeout as sleep } from 'node:timers/promises';
import { Cluster, Redis, type RedisOptions } from 'ioredis';
import { closeWithin } from './close-within.ts';

export type RedisClient = Redis | Cluster;

type LegacyOptions = RedisOptions & { replyMapping: 'legacy' };

export interface RedisClientSettings {
  readonly url: string | undefined;
  readonly options: Readonly<Record<string, unknown>>;
  readonly cluster: readonly string[];
}

export interface RedisClients {
  readonly producer: RedisClient;
  readonly consumer: RedisClient;
  /** Asked of the server once, after it was reached: BullMQ asks on each connection, and one that is away dooms it. */
  answerInfo(text: string): void;
  disconnect(): Promise<void>;
}

/** The socket is given up when an answer is that late; a blocked consumer's answer takes up to 10 s by design. */
const SILENCE_MS = 8000;
const BLOCKED_SILENCE_MS = 20_000;
const COMMAND_MS = 4000;
const HEARTBEAT_MS = 4000;
const LONGEST_RETRY_MS = 2000;
const END_MS = 3000;

/** What must hold whatever the operator's options say. */
const PRODUCER = {
  replyMapping: 'legacy',
  lazyConnect: true,
  commandTimeout: COMMAND_MS,
  // What its caller was told had failed must not run after all once Redis is back: nothing is kept, nothing sent again.
  enableOfflineQueue: false,
  autoResendUnfulfilledCommands: false,
  maxRetriesPerRequest: 0,
} satisfies LegacyOptions;

/** A finished job that cannot be reported yet is reported later: its commands wait for as long as it takes. */
const CONSUMER = {
  replyMapping: 'legacy',
  lazyConnect: true,
  enableOfflineQueue: true,
  autoResendUnfulfilledCommands: true,
  maxRetriesPerRequest: null,
} satisfies LegacyOptions;

export function createRedisClients(settings: RedisClientSettings, onError: (error: Error) => void): RedisClients {
  const all = new Set<RedisClient>();
  let info: string | undefined;

  const adopt = (client: RedisClient): RedisClient => {
    all.add(client);
    // Not 0 for "as many as there are": BullMQ adds its own to the number.
    client.setMaxListeners(Infinity);
    // An 'error' that nobody hears is printed by ioredis, stack and all.
    client.on('error', onError);
    client.once('end', () => all.delete(client));
    answerInfoFrom(client, () => info);
    if (client instanceof Redis) endWithoutSocket(client);
    return client;
  };

  const producer = adopt(connectRedis(settings, PRODUCER));
  const consumer = adopt(connectRedis(settings, CONSUMER));
  consumer.duplicate = ((...call: unknown[]) => {
    const name = (call.at(-1) as { connectionName?: string } | undefined)?.connectionName;
    const blocking = { ...CONSUMER, lazyConnect: false, socketTimeout: BLOCKED_SILENCE_MS };
    return adopt(connectRedis(settings, name === undefined ? blocking : { ...blocking, connectionName: name }));
  }) as typeof consumer.duplicate & (() => never);
  const heartbeat = setInterval(() => beat([producer, consumer]), HEARTBEAT_MS);
  heartbeat.unref();

  return {
    producer,
    consumer,
    answerInfo(text) {
      info = text;
    },
    async disconnect() {
      clearInterval(heartbeat);
      await Promise.all(Array.from(all, end));
    },
  };
}

/** @param role what must hold whatever the operator's options say */
export function connectRedis(settings: RedisClientSettings, role: LegacyOptions): RedisClient {
  const options: LegacyOptions = {
    connectTimeout: 5000,
    socketTimeout: SILENCE_MS,
    retryStrategy: retryDelay,
    // A replica that was promoted, or a master that was demoted: the same connection would answer READONLY for ever.
    reconnectOnError: (error) => error.message.startsWith('READONLY'),
    ...settings.options,
    ...role,
  };
  if (settings.cluster.length > 0) return new Cluster(nodes(settings.cluster), clusterOptions(settings.url, options));
  if (settings.url === undefined) return new Redis(options);
  // Boundary: what ioredis gets first wins. The URL comes last, so that its query cannot undo what must hold.
  return new (Redis as unknown as new (options: LegacyOptions, url: string) => Redis)(options, settings.url);
}

function clusterOptions(url: string | undefined, options: LegacyOptions) {
  const { lazyConnect = false, enableOfflineQueue = true, ...each } = options;
  return {
    lazyConnect,
    enableOfflineQueue,
    clusterRetryStrategy: retryDelay,
    redisOptions: { ...(url === undefined ? {} : credentials(url)), ...each },
  };
}

/** With a list of nodes the URL says only who connects, and whether over TLS. */
function credentials(url: string): RedisOptions {
  const { protocol, username, password } = new URL(url);
  return {
    ...(username === '' ? {} : { username: decodeURIComponent(username) }),
    ...(password === '' ? {} : { password: decodeURIComponent(password) }),
    ...(protocol === 'rediss:' ? { tls: {} } : {}),
  };
}

function nodes(list: readonly string[]): { host: string; port: number }[] {
  return list.map((node) => {
    const colon = node.lastIndexOf(':');
    return { host: node.slice(0, colon), port: Number(node.slice(colon + 1)) };
  });
}

/** For ever, but never at the same moment as every other host. */
function retryDelay(attempt: number): number {
  const capped = Math.min(LONGEST_RETRY_MS, 50 * 2 ** Math.min(attempt, 10));
  return Math.round(capped * (0.75 + Math.random() / 4));
}

/** ioredis asks too, with a callback, whether the server is still loading: that question goes to the server. */
function answerInfoFrom(client: RedisClient, read: () => string | undefined): void {
  const ask = client.info.bind(client) as (...call: unknown[]) => Promise<string>;
  client.info = ((...call: unknown[]) => {
    const known = read();
    return known === undefined || call.length > 0 ? ask(...call) : Promise.resolve(known);
  }) as typeof client.info;
}

/**
 * Between two attempts to connect ioredis ends without a word, and stays `reconnecting`: BullMQ, which waits for the
 * word, would never close its consumer.
 */
function endWithoutSocket(client: Redis): void {
  const disconnect = client.disconnect.bind(client);
  client.disconnect = (reconnect = false) => {
    const silent = client.status === 'reconnecting' && !reconnect;
    disconnect(reconnect);
    if (!silent) return;
    client.status = 'end';
    setImmediate(() => client.emit('end'));
  };
}

/** Something to wait for, so that a server that froze, or a cable that was cut, is noticed by the silence. */
function beat(clients: readonly RedisClient[]): void {
  for (const client of clients) if (client.status === 'ready') client.ping().catch(() => undefined);
}

async function end(client: RedisClient): Promise<void> {
  if (client.status === 'end') return;
  // Without a socket there is no 'end' to wait for.
  const connected = client.status === 'ready' || client.status === 'connect';
  const ended = connected ? new Promise((resolve) => client.once('end', resolve)) : sleep(0);
  client.disconnect();
  await closeWithin(ended, END_MS);
}
