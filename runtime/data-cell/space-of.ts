/** What is left of the disk of the databases. */
import { type StatsFs, statfsSync } from 'node:fs';
import type { DiskSpace } from '@plexichat/sdk/database/disk-space';
import { SqlError } from '@plexichat/sdk/database/sql-error';
import { reserveOf } from '../state/disk-reserve.ts';

/** @throws SqlError that names no path */
export function spaceOf(folder: string): DiskSpace {
  const { bavail, blocks, bsize } = look(folder);
  // Some file systems have no size to tell.
  if (blocks === 0) return { freeBytes: Number.POSITIVE_INFINITY, reserveBytes: 0 };
  return { freeBytes: bavail * bsize, reserveBytes: reserveOf(blocks * bsize) };
}

function look(folder: string): StatsFs {
  try {
    return statfsSync(folder);
  } catch (cause) {
    throw new SqlError(
      'DATABASE_UNAVAILABLE',
      'The disk does not say what is left of it; the operator’s log says why.',
      {
        cause,
      },
    );
  }
}
