/** The queue without a server: BullMQ's PostgreSQL backend on a database in the host's own data folder. */
import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { createPostgresBackend, type PgPool, runMigrations } from 'bullmq';
import type { BackendEvents, QueueBackend } from './backend.ts';
import { createBull } from './bull.ts';
import { prepareDatabase } from './database-folder.ts';
import { lockFolder } from './folder-lock.ts';
import { startMaintenance } from './maintenance.ts';
import { PglitePool } from './pglite-pool.ts';
import { createReachability } from './reachability.ts';
import { createSqlRecords } from './sql-records.ts';

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
/** A run that was under way on that many dying hosts fails for good. */
const MAX_STALLED = 10;

/** @throws FolderLockedError, Error that says why the database does not open */
export async function openEmbeddedBackend(settings: EmbeddedSettings, events: BackendEvents): Promise<QueueBackend> {
  mkdirSync(settings.folder, { recursive: true, mode: 0o700 });
  const unlock = lockFolder(settings.folder);
  const reachability = createReachability('The embedded queue', events);
  try {
    const folder = join(settings.folder, 'database');
    await prepareDatabase(folder, settings.durability);
    const pool = await PglitePool.open({
      folder,
      durability: settings.durability,
      onLost: reachability.lost,
      onBack: reachability.back,
      onGivenUp: events.onError,
    });
    try {
      await migrate(pool);
      return await createBackend(settings, reachability.complain, pool, unlock);
    } catch (error) {
      await pool.end();
      throw error;
    }
  } catch (error) {
    unlock();
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
  { prefix, keepMs, timing = {} }: EmbeddedSettings,
  onError: (error: Error) => void,
  pool: PglitePool,
  unlock: () => void,
): Promise<QueueBackend> {
  const records = createSqlRecords(pool, prefix);
  await records.prepare();
  await pool.query(EXPIRE_ALL_LOCKS);
  const bull = createBull({
    connection: pool as unknown as PgPool,
    factory: createPostgresBackend,
    keepMs,
    lockMs: timing.lockMs ?? LOCK_MS,
    stalledMs: timing.stalledMs ?? STALLED_MS,
    drainSeconds: DRAIN_SECONDS,
    maxStalled: MAX_STALLED,
    onError,
    isOnline: () => pool.online,
  });
  const maintenance = startMaintenance(pool, onError);
  let closing: Promise<void> | undefined;

  const close = async () => {
    await maintenance.stop();
    await bull.close();
    await pool.end();
    unlock();
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
