/** When a module that crashed may boot again, and when it has crashed often enough. Pure: the clock is an argument. */

/** Crashes in the window after which a module is parked until an operator says otherwise. */
export const CRASH_BUDGET = 10;
export const CRASH_WINDOW_MS = 10 * 60_000;
/** What a crash costs of the budget when the thread could not be ended and took its cell along. */
export const CELL_CRASH_COST = 3;
/**
 * Threads in the window that may be ended for a task that did not stop, at no cost: a service that hangs for a while
 * does that to good code. Each further one is a crash, or a timeout that no run can meet would end the thread, with all
 * else that runs in it, every few seconds for ever.
 */
export const FREE_OVERDUE = 2;
/** The first crash is forgiven at once; the second waits this long, each further one twice as long. */
const FIRST_BACKOFF_MS = 500;
const LONGEST_BACKOFF_MS = 30_000;
/** A module that ran this long without a crash starts from the first backoff again. */
const CALM_MS = 60_000;

export interface CrashRecord {
  /** Oldest first, all inside the window. */
  readonly crashes: readonly Crash[];
  /** Crashes without a calm minute between them. */
  readonly streak: number;
}

export interface Crash {
  /** Epoch milliseconds. */
  readonly at: number;
  readonly cost: number;
}

export const NO_CRASHES: CrashRecord = { crashes: [], streak: 0 };

export type RestartVerdict =
  | { readonly kind: 'restart'; readonly record: CrashRecord; readonly notBefore: number }
  | { readonly kind: 'park'; readonly record: CrashRecord; readonly reason: string };

export function afterCrash(record: CrashRecord, now: number, cost = 1): RestartVerdict {
  const crashes = [...record.crashes.filter(({ at }) => now - at < CRASH_WINDOW_MS), { at: now, cost }];
  const last = record.crashes.at(-1);
  const streak = last !== undefined && now - last.at < CALM_MS ? record.streak + 1 : 1;
  const next = { crashes, streak };
  let spent = 0;
  for (const crash of crashes) spent += crash.cost;
  if (spent > CRASH_BUDGET) {
    const minutes = CRASH_WINDOW_MS / 60_000;
    const cells = crashes.filter((crash) => crash.cost > 1).length;
    const toll = cells === 0 ? '' : `, ${cells} of them with its cell`;
    return { kind: 'park', record: next, reason: `crashed ${crashes.length} times within ${minutes} minutes${toll}` };
  }
  const wait = streak <= 1 ? 0 : Math.min(FIRST_BACKOFF_MS * 2 ** (streak - 2), LONGEST_BACKOFF_MS);
  return { kind: 'restart', record: next, notBefore: now + wait };
}
