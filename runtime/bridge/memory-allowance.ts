/** What a cell may have in memory: the cell holds itself to it, and the host looks whether it does. */

/** A cell that relays at full speed, with no module and nothing waiting too long. */
const BASE_MB = 256;
/** V8's own share of a thread and what a collector has not returned yet. */
const FACTOR = 1.5;
const THREAD_MB = 24;

/** @param limitsMb of its threads */
export function allowedMb(limitsMb: Iterable<number>): number {
  let allowed = BASE_MB;
  for (const limit of limitsMb) allowed += limit * FACTOR + THREAD_MB;
  return allowed;
}
