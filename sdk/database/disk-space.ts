/** Boundary: how far one database may fill the disk that it shares with the host's own state. */
export interface DiskSpace {
  readonly freeBytes: number;
  /** What the host keeps for itself. */
  readonly reserveBytes: number;
}

export const PAGE_BYTES = 4096;
/** With so many times the quota beyond the reserve no statement can come near it. */
const AMPLE = 4;

export function isAmple({ freeBytes, reserveBytes }: DiskSpace, quotaPages: number): boolean {
  return freeBytes - reserveBytes >= AMPLE * quotaPages * PAGE_BYTES;
}

/** @returns how many pages the file may have; undefined: nothing of it may be changed */
export function pagesFor(
  { freeBytes, reserveBytes }: DiskSpace,
  pages: number,
  quotaPages: number,
): number | undefined {
  // All that a statement changes goes to the log first. Two data cells may be at it at once, so each has a half.
  const forChanges = (freeBytes - reserveBytes / 2) / 2 - pages * PAGE_BYTES;
  if (forChanges < 0) return undefined;
  // What is new is in the log, and then in the file too.
  const forGrowth = Math.min(forChanges, freeBytes - reserveBytes) / 2;
  return Math.min(quotaPages, pages + Math.max(0, Math.floor(forGrowth / PAGE_BYTES)));
}
