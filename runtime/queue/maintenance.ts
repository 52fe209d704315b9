/**
 * What a PostgreSQL server does in background processes, which an embedded one does not have: rows that are gone leave
 * holes and the log of changes grows until somebody tidies up.
 */
import type { SqlPool } from './sql-records.ts';

export interface MaintenancePool extends SqlPool {
  readonly online: boolean;
  readonly requests: number;
}

export interface Maintenance {
  /** Tidies up now if there was enough writing since the last time; answers whether it did. */
  tidy(): Promise<boolean>;
  stop(): Promise<void>;
}

const LOOK_EVERY_MS = 2000;
/** Fewer requests than this cannot have written that much. */
const REQUESTS_BEFORE_LOOK = 1000;
const WRITES_BEFORE_TIDYING = 2500;
/** Tidying up takes at most one part in this many of the time. */
const REST_FACTOR = 10;
const CHANGES_BEFORE_VACUUM = 100;
/** Of BullMQ's event log, over all queues; it trims by itself only those that are busy. */
const KEPT_EVENTS = 10_000;

export function startMaintenance(pool: MaintenancePool, onError: (error: Error) => void): Maintenance {
  let requestsSeen = pool.requests;
  let writesSeen: number | undefined;
  let restUntil = 0;
  let running: Promise<boolean> | undefined;
  let stopped = false;

  const tidy = async (): Promise<boolean> => {
    requestsSeen = pool.requests;
    const writes = await countWrites(pool);
    writesSeen ??= writes;
    if (writes - writesSeen < WRITES_BEFORE_TIDYING) return false;
    const start = performance.now();
    await pool.query(`DELETE FROM bullmq.event WHERE id <= (SELECT last_value FROM bullmq.event_seq) - ${KEPT_EVENTS}`);
    // One table at a time, so that others are served in between.
    for (const table of await listTables(pool)) {
      if (stopped) return false;
      await pool.query(`VACUUM (ANALYZE) ${table}`);
    }
    await pool.query('CHECKPOINT');
    writesSeen = await countWrites(pool);
    restUntil = performance.now() + (performance.now() - start) * REST_FACTOR;
    return true;
  };

  const runOnce = (): Promise<boolean> => {
    running ??= tidy().finally(() => {
      running = undefined;
    });
    return running;
  };

  const timer = setInterval(() => {
    const idle = pool.requests - requestsSeen < REQUESTS_BEFORE_LOOK;
    if (idle || !pool.online || performance.now() < restUntil) return;
    runOnce().catch((error: unknown) =>
      onError(new Error('The embedded queue could not be tidied up.', { cause: error })),
    );
  }, LOOK_EVERY_MS);
  timer.unref();

  return {
    tidy: runOnce,
    async stop() {
      stopped = true;
      clearInterval(timer);
      await running?.catch(() => undefined);
    },
  };
}

/** Each transaction that writes takes one number. */
async function countWrites(pool: SqlPool): Promise<number> {
  const { rows } = await pool.query('SELECT pg_snapshot_xmax(pg_current_snapshot())::text AS writes');
  return Number((rows[0] as { writes: string }).writes);
}

/** Those in which something changed. */
async function listTables(pool: SqlPool): Promise<string[]> {
  const { rows } = await pool.query(
    `SELECT format('%I.%I', schemaname, relname) AS name FROM pg_stat_user_tables
      WHERE n_dead_tup + n_mod_since_analyze + n_ins_since_vacuum > ${CHANGES_BEFORE_VACUUM}`,
  );
  return rows.map((row) => (row as { name: string }).name);
}
