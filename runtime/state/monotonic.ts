/** Milliseconds of a clock that is never set and is the same in all threads of this process. */
export function monotonicMs(): number {
  return Number(process.hrtime.bigint() / 1_000_000n);
}
