/** Users that cells can be: each cell its own, so that none can signal, trace or read another, or the host. */
import { randomInt } from 'node:crypto';
import { processesByUser } from '../user-processes.ts';

export interface UserRange {
  readonly first: number;
  readonly last: number;
}

export interface CellUsers {
  take(): number;
  free(user: number): void;
}

/**
 * Ids that nobody hands out: distributions give accounts less than 60,000, and subordinate users 100,000 and more. The
 * second is for containers, which often have no more than 65,536 ids; it lies between systemd's own ranges.
 */
const RANGES: readonly UserRange[] = [
  { first: 66_000, last: 99_999 },
  { first: 60_600, last: 61_100 },
];

/**
 * @param maps what /proc/self/uid_map and gid_map say: lines of first id, first id outside, count
 * @returns undefined when this machine (a container without ids of its own) has none of the reserved ranges
 */
export function reservedUsers(maps: readonly string[]): UserRange | undefined {
  return RANGES.find((range) => maps.every((map) => hasRange(map, range)));
}

/** Starts anywhere in the range: another host on this machine takes its users from there as well. */
export function createCellUsers({ first, last }: UserRange): CellUsers {
  const taken = new Set<number>();
  let next = randomInt(first, last + 1);
  return {
    take() {
      // Boundary: whoever runs something as this user, another host or what an ended cell left, is no company for a cell.
      const busy = processesByUser();
      for (let tried = first; tried <= last; tried++) {
        const user = next;
        next = next === last ? first : next + 1;
        if (taken.has(user) || busy.has(user)) continue;
        taken.add(user);
        return user;
      }
      throw new RangeError('More cells than there are users for them.');
    },
    free(user) {
      taken.delete(user);
    },
  };
}

function hasRange(map: string, { first, last }: UserRange): boolean {
  return map.split('\n').some((line) => {
    const [start = Number.NaN, , count = Number.NaN] = line.trim().split(/\s+/).map(Number);
    return start <= first && last < start + count;
  });
}
