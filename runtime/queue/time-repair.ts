/**
 * Times that lie in the future by the database's clock, from a host whose clock was wrong or a clock that was set back:
 * a mark "just looked for stalled jobs" that would keep everybody from looking, and locks of dead hosts that would not
 * run out.
 */
import type { SqlPool } from './sql-records.ts';

export interface TimeRepairSettings {
  readonly lockMs: number;
  readonly stalledMs: number;
  /** How the names of the queues begin: others in the same database may have longer locks. */
  readonly queuesOf: string;
  /** Only where locks are written by the database's clock: a host that is ahead would lose those of its live jobs. */
  readonly capsLocks: boolean;
}

export interface TimeRepair {
  stop(): Promise<void>;
}

const EVERY_MS = 60_000;

/** Looks at once, and then every minute. */
export function startTimeRepair(
  pool: SqlPool,
  settings: TimeRepairSettings,
  onError: (error: Error) => void,
): TimeRepair {
  const look = () => repairTimes(pool, settings).catch((error: unknown) => onError(error as Error));
  let looking = look();
  const timer = setInterval(() => {
    looking = looking.then(look);
  }, EVERY_MS);
  timer.unref();
  return {
    async stop() {
      clearInterval(timer);
      await looking;
    },
  };
}

async function repairTimes(pool: SqlPool, { lockMs, stalledMs, queuesOf, capsLocks }: TimeRepairSettings) {
  await pool.query(FORGET_LOOKS, [queuesOf, stalledMs]);
  if (capsLocks) await pool.query(CAP_LOCKS, [queuesOf, lockMs]);
}

const CLOCK = 'WITH clock AS (SELECT (extract(epoch FROM clock_timestamp()) * 1000)::bigint AS now)';

/** The value is a number in this field only, and PostgreSQL may read it before it looks at the field. */
const FORGET_LOOKS = `${CLOCK}
  DELETE FROM bullmq.meta USING clock
   WHERE field = 'stalled-check' AND starts_with(queue, $1)
     AND CASE WHEN field = 'stalled-check' THEN value::bigint END > now + $2::bigint`;

const CAP_LOCKS = `${CLOCK}
  UPDATE bullmq.job SET locked_until_ms = now + $2::bigint FROM clock
   WHERE state = 'active' AND starts_with(queue, $1) AND locked_until_ms > now + 2 * $2::bigint`;
