/** The clock of a PostgreSQL server, and a word to the operator when this host's is another. */
import type { Pool } from 'pg';
import { createRepeatFilter } from './repeats.ts';
import { createServerClock, type ServerClock } from './server-clock.ts';

const ASK_MS = 3000;
const ASK = 'SELECT (extract(epoch FROM clock_timestamp()) * 1000)::bigint AS now';
const TOLERATED_MS = 5000;
const TELL_AGAIN_MS = 600_000;

export function createPostgresClock(pool: Pool, server: string, complain: (error: Error) => void): ServerClock {
  const isNews = createRepeatFilter(TELL_AGAIN_MS);
  const ask = async () => {
    const { rows } = await pool.query({ text: ASK, query_timeout: ASK_MS } as { text: string });
    return Number((rows[0] as { now: string }).now);
  };
  return createServerClock(ask, (aheadMs) => {
    const seconds = Math.round(Math.abs(aheadMs) / 1000);
    const direction = aheadMs > 0 ? 'ahead of' : 'behind';
    if (Math.abs(aheadMs) < TOLERATED_MS || !isNews(direction)) return;
    complain(
      new Error(
        `The clock of this host is ${seconds} s ${direction} that of ${server}, so runs come at wrong times. Let both follow a time server (NTP).`,
      ),
    );
  });
}
