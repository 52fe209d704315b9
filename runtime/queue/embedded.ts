/** The queue without a server: BullMQ's PostgreSQL backend on a database in the host's own data folder. */
import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { createPostgresBackend, type PgPool, runMigrations } from 'bullmq';
import type { BackendEvents, QueueBackend } from './backend.ts';
import { createBull } from './bull.ts';
import { prepareDatabase } from './database-folder.ts';
import { type FolderHold, holdFolder } from './folder-hold.ts';
import { startMaintenance } from './maintenance.ts';
import { PglitePool } from './pglite-pool.ts';
import { createReachability, reasonOf } from './reachability.ts';
import { withSafeReports } from './safe-reports.ts';
import { createSqlRecords } from './sql-records.ts';
import { startTimeRepair } from './time-repair.ts';

export interface EmbeddedSettings {
  readonly folder: string;
  readonly durability: 'process' | 'power-loss';
  readonly prefix: string;
  /** How long ended jobs stay. */
  readonly keepMs: number;
  readonly timing?: { readonly lockMs?: number; readonly stalledMs?: number };
}

const LOCK_MS = 10_000;
/** Each look costs a write per queue, also when there is nothing to do. */
const STALLED_MS = 10_000;
/** An idle consumer is woken by notifications; looking by itself costs, and is for those that got lost. */
const DRAIN_SECONDS = 60;
const THREAD_END_MS = 10_000;

/** @throws FolderLockedError, Error that says why the database does not open and what to do */
export async function openEmbeddedBackend(settings: EmbeddedSettings, events: BackendEvents): Promise<QueueBackend> {
  mkdirSync(settings.folder, { recursive: true, mode: 0o700 });
  const hold = holdFolder(settings.folder);
  try {
    return await openFolder(settings, events, hold);
  } catch (error) {
    await hold.free(THREAD_END_MS);
    throw new Error(`The queue in ${settings.folder} cannot be opened: ${reasonOf(error)}. ${ADVICE}`, {
      cause: error,
    });
  }
}

const ADVICE =
  'See that its disk is not full and that this user may write there. If it is damaged, restore that folder from a backup, or move it aside; the runs in it are lost then.';

async function openFolder(
  settings: EmbeddedSettings,
  events: BackendEvents,
  { onThread, free }: FolderHold,
): Promise<QueueBackend> {
  const reachability = createReachability('The embedded queue', events);
  const folder = join(settings.folder, 'database');
  const { durability } = settings;
  await prepareDatabase(folder, durability, onThread);
  const pool = await PglitePool.open({
    folder,
    durability,
    onThread,
    onLost: reachability.lost,
    onBack: reachability.back,
    onTrouble: events.onError,
  });
  try {
    await migrate(pool);
    return await createBackend(settings, reachability.complain, pool, free);
  } catch (error) {
    await pool.end();
    throw error;
  }
}

async function migrate(pool: PglitePool): Promise<void> {
  const client = await pool.connect();
  try {
    await runMigrations(client as never);
  } finally {
    client.release();
  }
}

async function createBackend(
  { prefix, keepMs, timing: { lockMs = LOCK_MS, stalledMs = STALLED_MS } = {} }: EmbeddedSettings,
  onError: (error: Error) => void,
  pool: PglitePool,
  free: FolderHold['free'],
): Promise<QueueBackend> {
  const producers = pool.forProducers();
  const records = createSqlRecords(producers, prefix);
  await records.prepare();
  await pool.query(EXPIRE_ALL_LOCKS);
  await pool.query(FORGET_ALL_LOOKS);
  const bull = createBull({
    connection: pool as unknown as PgPool,
    producerConnection: producers as unknown as PgPool,
    factory: withSafeReports(createPostgresBackend),
    keepMs,
    lockMs,
    stalledMs,
    drainSeconds: DRAIN_SECONDS,
    onError,
    isOnline: () => pool.online,
  });
  const maintenance = startMaintenance(pool, onError);
  // Locks are left alone: after a clock was set back BullMQ renews none of them for as long, and all are of this host.
  const repair = startTimeRepair(pool, { lockMs, stalledMs, queuesOf: '', capsLocks: false }, onError);
  let closing: Promise<void> | undefined;

  const close = async () => {
    await maintenance.stop();
    await repair.stop();
    await bull.close();
    await pool.end();
    await free(0);
  };

  return {
    kind: 'embedded',
    exclusive: true,
    get online() {
      return pool.online;
    },
    queue: bull.queue,
    consume: bull.consume,
    records,
    async releaseOrphans() {
      await pool.query(MARK_ORPHANS);
    },
    close() {
      closing ??= close();
      return closing;
    },
  };
}

/** The folder is ours alone and nothing runs yet: whoever holds a lock is dead. */
const EXPIRE_ALL_LOCKS = `UPDATE bullmq.job SET locked_until_ms = 0 WHERE state = 'active'`;

/** Nobody has looked for stalled jobs in this life yet, and the clock may have been set back since the last one. */
const FORGET_ALL_LOOKS = `DELETE FROM bullmq.meta WHERE field = 'stalled-check'`;

/**
 * BullMQ takes back what it finds without a lock twice, and looks when a consumer starts. Marked as found once, and with
 * the pause between two looks forgotten, that first look takes them back, and counts them as stalled. Jobs that run now
 * have a lock.
 */
const MARK_ORPHANS = `
  WITH orphan AS (
    UPDATE bullmq.job SET stalled_marked = true WHERE state = 'active' AND locked_until_ms = 0 RETURNING queue
  )
  DELETE FROM bullmq.meta WHERE field = 'stalled-check' AND queue IN (SELECT queue FROM orphan)`;
