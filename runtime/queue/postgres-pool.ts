/** What BullMQ gets for a `pg.Pool`: retries what collided, tells a lost server from a refused query, shares a listener. */
import { setTimeout as sleep } from 'node:timers/promises';
import type { PgPool, PgPoolClient, PgQueryResult } from 'bullmq';
import type { Pool } from 'pg';
import { inServerTime } from './lock-times.ts';
import { ListenSession, type PostgresListener } from './postgres-listener.ts';
import { connectionLost, isConnectionLost, type Reachability } from './reachability.ts';
import type { ServerClock } from './server-clock.ts';
import { explainUnstorable } from './storable.ts';

export interface PoolSettings {
  readonly pool: Pool;
  readonly listener: PostgresListener;
  readonly reachability: Reachability;
  readonly clock: ServerClock;
  /** Told of a connection that broke: whether the server is gone is for somebody else to find out. */
  readonly onBroken: (error: Error) => void;
  /** Answers that do not change while the host runs, by the text of their query. */
  readonly known: ReadonlyMap<string, { rows: unknown[] }>;
  readonly stop: AbortSignal;
}

export type PoolSide = { readonly waits: boolean; readonly timeoutMs: number };

/** Consumers wait for a server that is away; what they could not report is reported later. Producers fail at once. */
export const CONSUMERS: PoolSide = { waits: true, timeoutMs: 30_000 };
export const PRODUCERS: PoolSide = { waits: false, timeoutMs: 4000 };

/** Deadlock and serialization failure: every operation of BullMQ is one atomic statement, so that a retry is safe. */
const COLLISIONS: ReadonlySet<unknown> = new Set(['40P01', '40001']);
const MAX_COLLISIONS = 8;
const COLLISION_WAIT_MS = 20;

const LISTEN = /^(?:\s*--[^\n]*\n)*\s*LISTEN\s/i;
const NAMES_ITSELF = /set_config\('application_name'/;

export function createPool(settings: PoolSettings, side: PoolSide): PgPool {
  const query = <R>(text: string, params?: readonly unknown[]) => run<R>(settings, side, text, params);
  const facade = {
    // Without it BullMQ relies for an hour on a notification, which a connection that broke silently never brings.
    options: { keepAlive: false },
    query,
    connect: async () => openSession(settings, query),
    // It belongs to the backend and ends with it; errors of idle connections are heard there.
    end: async () => undefined,
    on: () => facade,
    removeAllListeners: () => facade,
  };
  return facade as unknown as PgPool;
}

async function run<R>(
  settings: PoolSettings,
  side: PoolSide,
  text: string,
  params: readonly unknown[] = [],
): Promise<PgQueryResult<R>> {
  for (let collisions = 0; ; collisions++) {
    if (side.waits) await settings.reachability.whenOnline(settings.stop);
    else if (!settings.reachability.online) throw connectionLost('PostgreSQL cannot be reached.');
    try {
      const values = [...(await inServerTime(settings.clock, text, params))];
      const timed = { text, values, query_timeout: side.timeoutMs };
      return (await settings.pool.query(timed)) as unknown as PgQueryResult<R>;
    } catch (error) {
      if (isConnectionLost(error)) {
        settings.onBroken(error as Error);
        throw connectionLost(error);
      }
      const hasCollided = COLLISIONS.has((error as { code?: unknown }).code);
      if (!hasCollided || collisions >= MAX_COLLISIONS) throw explainUnstorable(error, params);
      await sleep(5 + Math.random() * COLLISION_WAIT_MS * (collisions + 1));
    }
  }
}

function openSession(settings: PoolSettings, query: PgPool['query']): PgPoolClient {
  const session = new ListenSession(settings.listener);
  const ask = async (text: string, params?: readonly unknown[]) => {
    // BullMQ checks the schema once for each queue, and a check that fails dooms the queue for ever.
    const known = settings.known.get(text);
    if (known) return known;
    if (NAMES_ITSELF.test(text)) return { rows: [] };
    if (!LISTEN.test(text)) return query(text, params);
    await settings.listener.listen(session, text);
    return { rows: [] };
  };
  return Object.assign(session, { query: ask }) as unknown as PgPoolClient;
}
