/** When a module that crashed may boot again, and when it has crashed often enough. Pure: the clock is an argument. */

/** Crashes in the window after which a module is parked until an operator says otherwise. */
export const CRASH_BUDGET = 10;
export const CRASH_WINDOW_MS = 10 * 60_000;
/** The first crash is forgiven at once; the second waits this long, each further one twice as long. */
const FIRST_BACKOFF_MS = 500;
const LONGEST_BACKOFF_MS = 30_000;
/** A module that ran this long without a crash starts from the first backoff again. */
const CALM_MS = 60_000;

export interface CrashRecord {
  /** Epoch milliseconds, oldest first, all inside the window. */
  readonly times: readonly number[];
  /** Crashes without a calm minute between them. */
  readonly streak: number;
}

export const NO_CRASHES: CrashRecord = { times: [], streak: 0 };

export type RestartVerdict =
  | { readonly kind: 'restart'; readonly record: CrashRecord; readonly notBefore: number }
  | { readonly kind: 'park'; readonly record: CrashRecord; readonly reason: string };

export function afterCrash(record: CrashRecord, now: number): RestartVerdict {
  const times = [...record.times.filter((time) => now - time < CRASH_WINDOW_MS), now];
  const last = record.times.at(-1);
  const streak = last !== undefined && now - last < CALM_MS ? record.streak + 1 : 1;
  const next = { times, streak };
  if (times.length > CRASH_BUDGET) {
    const minutes = CRASH_WINDOW_MS / 60_000;
    return { kind: 'park', record: next, reason: `crashed ${times.length} times within ${minutes} minutes` };
  }
  const wait = streak <= 1 ? 0 : Math.min(FIRST_BACKOFF_MS * 2 ** (streak - 2), LONGEST_BACKOFF_MS);
  return { kind: 'restart', record: next, notBefore: now + wait };
}
