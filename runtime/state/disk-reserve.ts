/** What every disk keeps for the host itself: a full one takes the queue and the state down with it. */
const RESERVE_BYTES = 1024 ** 3;
const RESERVE_SHARE = 0.05;

export function reserveOf(totalBytes: number): number {
  return Math.min(RESERVE_BYTES, totalBytes * RESERVE_SHARE);
}
