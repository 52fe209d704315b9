/** Locks by the server's clock: where the statements of BullMQ carry the host's own time, and how it is exchanged. */
import type { ServerClock } from './server-clock.ts';

/** `length`: of a lock that begins at `moment`. Parameters, counted from 1. */
interface Times {
  readonly moment: number;
  readonly length?: number;
}

/** Its test holds it against the statements of the BullMQ that is installed. */
export const TIMES_OF_LOCKS: readonly (readonly [statement: RegExp, times: Times])[] = [
  [/\bFROM move_to_active\(/, { length: 3, moment: 4 }],
  [/\bFROM move_to_completed_fetch\(/, { length: 9, moment: 10 }],
  [/\bFROM move_to_failed_fetch\(/, { length: 10, moment: 11 }],
  [/\bSELECT extend_lock\(/, { length: 4, moment: 5 }],
  [/\bSET locked_until_ms = \$5::bigint \+ \$4::bigint/, { length: 4, moment: 5 }],
  [/\bFROM move_stalled_jobs_to_wait\(/, { moment: 3 }],
];

/** By the text of the statement; there are as many as BullMQ has. */
const timesOf = new Map<string, Times | undefined>();

export async function inServerTime(
  clock: ServerClock,
  text: string,
  params: readonly unknown[],
): Promise<readonly unknown[]> {
  if (!timesOf.has(text)) timesOf.set(text, TIMES_OF_LOCKS.find(([statement]) => statement.test(text))?.[1]);
  const times = timesOf.get(text);
  if (times === undefined) return params;
  const now = await clock.now();
  const { moment, length } = times;
  if (length === undefined) return params.with(moment - 1, now);
  // The moment also says which delayed runs are due, and that is by the host's clock: so the length changes.
  return params.with(length - 1, Number(params[length - 1]) + now - Number(params[moment - 1]));
}
