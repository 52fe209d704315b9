/** The queue on a PostgreSQL server. */
import { setTimeout as sleep } from 'node:timers/promises';
import {
  assertSchemaCompatibility,
  type BackendFactory,
  createPostgresBackend,
  type PgPool,
  runMigrations,
} from 'bullmq';
import { Client, Pool } from 'pg';
import { answerWithin } from './answer-within.ts';
import type { BackendEvents, QueueBackend } from './backend.ts';
import { createBull } from './bull.ts';
import { closeWithin } from './close-within.ts';
import { createPostgresClock } from './postgres-clock.ts';
import { PostgresListener } from './postgres-listener.ts';
import { CONSUMERS, createPool, PRODUCERS } from './postgres-pool.ts';
import { createReachability, type Reachability, reasonOf } from './reachability.ts';
import { withSafeReports } from './safe-reports.ts';
import { serverName } from './server-name.ts';
import { createSqlRecords } from './sql-records.ts';
import { startTimeRepair } from './time-repair.ts';

export interface PostgresSettings {
  readonly url: string;
  readonly prefix: string;
  readonly keepMs: number;
  readonly timing?: { readonly lockMs: number; readonly stalledMs: number };
}

/** A lock has 15 s left in the worst case when the server goes away, as on Redis: an outage of 10 s costs none. */
const TIMING = { lockMs: 30_000, stalledMs: 15_000 };
/** For queries, of all queues and consumers together; one more connection listens. */
const MAX_CONNECTIONS = 10;
const CONNECT_MS = 4000;
const MIGRATE_MS = 60_000;
const END_MS = 3000;
const PROBE_MS = 3000;
const FIRST_PROBE_WAIT_MS = 100;
const LONGEST_PROBE_WAIT_MS = 2000;

/** @throws Error that names the server and says what to do, when PostgreSQL cannot be reached or used */
export async function openPostgresBackend(settings: PostgresSettings, events: BackendEvents): Promise<QueueBackend> {
  const server = `PostgreSQL at ${serverName(settings.url)}`;
  const reachability = createReachability(server, events);
  const connection = {
    connectionString: inSchema(settings.url),
    connectionTimeoutMillis: CONNECT_MS,
    keepAlive: true,
    application_name: 'plexichat',
  };
  const pool = new Pool({ ...connection, max: MAX_CONNECTIONS });
  const stop = new AbortController();
  const onBroken = createProbe(pool, reachability, stop.signal);
  pool.on('error', onBroken);

  const known = new Map<string, { rows: unknown[] }>();
  try {
    await answerWithin(migrate(pool, known), MIGRATE_MS);
    await createSqlRecords(pool as SqlPool, settings.prefix).prepare();
  } catch (error) {
    stop.abort();
    await closeWithin(pool.end(), END_MS);
    throw unusable(server, error);
  }

  const listener = new PostgresListener({
    connect: () => new Client(connection),
    reachability,
    onBroken,
    stop: stop.signal,
  });
  const clock = createPostgresClock(pool, server, reachability.complain);
  const shared = { pool, listener, reachability, clock, onBroken, known, stop: stop.signal };
  const producers = createPool(shared, PRODUCERS);
  const timing = settings.timing ?? TIMING;
  const bull = createBull({
    connection: createPool(shared, CONSUMERS),
    producerConnection: producers,
    factory: withSafeReports(prefixed(settings.prefix)),
    keepMs: settings.keepMs,
    ...timing,
    drainSeconds: 10,
    onError: reachability.complain,
    isOnline: () => reachability.online,
  });
  const repair = startTimeRepair(
    producers,
    { ...timing, queuesOf: `${settings.prefix}.`, capsLocks: true },
    reachability.complain,
  );
  let closing: Promise<void> | undefined;

  return {
    kind: 'postgres',
    exclusive: false,
    get online() {
      return reachability.online;
    },
    queue: bull.queue,
    consume: bull.consume,
    records: createSqlRecords(producers, settings.prefix),
    // Other hosts may hold these locks; they end by themselves.
    releaseOrphans: async () => undefined,
    close() {
      closing ??= (async () => {
        await closeWithin(repair.stop(), END_MS);
        await bull.close();
        stop.abort();
        await closeWithin(listener.close(), END_MS);
        await closeWithin(pool.end(), END_MS);
      })();
      return closing;
    },
  };
}

type SqlPool = Parameters<typeof createSqlRecords>[0];

/** BullMQ's statements name no schema. */
function inSchema(url: string): string {
  // Boundary: what `new URL` throws carries the URL, and with it the password.
  const parsed = URL.parse(url);
  if (!parsed)
    throw new Error('The URL in "queue" of plexi.yaml cannot be read; encode special characters of its parts.');
  const options = parsed.searchParams.get('options');
  parsed.searchParams.set('options', `${options === null ? '' : `${options} `}-c search_path=bullmq`);
  return parsed.href;
}

/** BullMQ keeps all queues of a database in one schema; Redis' prefix becomes a part of their names there. */
function prefixed(prefix: string): BackendFactory<ReturnType<typeof createPostgresBackend>, PgPool> {
  return (name, options, parts) => createPostgresBackend(`${prefix}.${name}`, options, parts);
}

async function migrate(pool: Pool, known: Map<string, { rows: unknown[] }>): Promise<void> {
  const client = await pool.connect();
  try {
    await runMigrations(client);
    const query = async (text: string, params?: readonly unknown[]) => {
      const answer = await client.query(text, params && [...params]);
      known.set(text, answer);
      return answer;
    };
    await assertSchemaCompatibility({ query } as unknown as PgPool);
  } finally {
    client.release();
  }
}

/** A broken connection may be one that the server closed: only a server that answers nothing is away. */
function createProbe(pool: Pool, reachability: Reachability, stop: AbortSignal): (error: Error) => void {
  let probing = false;
  const probe = async () => {
    for (let waitMs = FIRST_PROBE_WAIT_MS; !stop.aborted; waitMs = Math.min(LONGEST_PROBE_WAIT_MS, waitMs * 2)) {
      try {
        await pool.query({ text: 'SELECT 1', query_timeout: PROBE_MS } as { text: string });
        reachability.back();
        return;
      } catch (error) {
        if (stop.aborted) return;
        reachability.lost(reasonOf(error));
        await sleep(waitMs, undefined, { signal: stop }).catch(() => undefined);
      }
    }
  };
  return () => {
    if (probing || stop.aborted) return;
    probing = true;
    void probe().finally(() => {
      probing = false;
    });
  };
}

function unusable(server: string, cause: unknown): Error {
  const advice = 'Check that it runs, that its user may create schemas, and "queue" of plexi.yaml.';
  return new Error(`${server} cannot be used for tasks: ${reasonOf(cause)}. ${advice}`, { cause });
}
