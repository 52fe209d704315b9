/** How long a failed run waits before it is tried again: exponential, capped, with jitter, so that runs spread out. */

/** Names this rule in a job's options. */
export const BACKOFF = 'plexi';
const FIRST_MS = 1_000;
const LONGEST_MS = 60 * 60_000;

/**
 * Between half and the whole of 1 s, 2 s, 4 s … up to an hour.
 * @param attempts how many attempts have failed: 1 after the first
 */
export function retryDelayMs(attempts: number, random: () => number = Math.random): number {
  const whole = Math.min(FIRST_MS * 2 ** Math.max(0, attempts - 1), LONGEST_MS);
  return Math.round(whole / 2 + (whole / 2) * random());
}
