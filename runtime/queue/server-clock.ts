/**
 * The clock of the database server, as far as a host can know it. BullMQ writes the host's own time into locks and into
 * the mark that says when stalled jobs were last looked for: a host whose clock is an hour ahead would take the jobs of
 * all others from under them, and its marks would keep them from recovering anything for an hour. So whatever is about
 * locks is told in the server's time. Nothing else is: delays and schedules are by the clock of whoever waits for them.
 */

export interface ServerClock {
  /** Epoch milliseconds of the server. @throws what asking the server throws */
  now(): Promise<number>;
}

const ASK_AGAIN_MS = 60_000;
/** The two clocks of this host went apart: one of them was set, or the machine slept. */
const JUMP_MS = 500;

interface Reading {
  readonly server: number;
  readonly monotonic: number;
  readonly wall: number;
}

export function createServerClock(ask: () => Promise<number>, onRead: (aheadMs: number) => void): ServerClock {
  let last: Reading | undefined;
  let reading: Promise<Reading> | undefined;

  const read = async (): Promise<Reading> => {
    const before = performance.now();
    const server = await ask();
    const monotonic = performance.now();
    // It was asked somewhere on the way.
    last = { server: server + (monotonic - before) / 2, monotonic, wall: Date.now() };
    onRead(last.wall - last.server);
    return last;
  };

  return {
    async now() {
      let known = last;
      if (known === undefined || isOld(known)) {
        reading ??= read().finally(() => {
          reading = undefined;
        });
        known = await reading;
      }
      return Math.round(known.server + performance.now() - known.monotonic);
    },
  };
}

function isOld({ monotonic, wall }: Reading): boolean {
  const passed = performance.now() - monotonic;
  return passed > ASK_AGAIN_MS || Math.abs(Date.now() - wall - passed) > JUMP_MS;
}

/** Where a statement of BullMQ has the host's time in it. `length`: of a lock that begins at `moment`; counted from 1. */
interface Times {
  readonly moment: number;
  readonly length?: number;
}

/** The test of these holds them against the statements of the BullMQ that is installed. */
export const TIMES_OF_LOCKS: readonly (readonly [statement: RegExp, times: Times])[] = [
  [/\bFROM move_to_active\(/, { length: 3, moment: 4 }],
  [/\bFROM move_to_completed_fetch\(/, { length: 9, moment: 10 }],
  [/\bFROM move_to_failed_fetch\(/, { length: 10, moment: 11 }],
  [/\bSELECT extend_lock\(/, { length: 4, moment: 5 }],
  [/\bSET locked_until_ms = \$5::bigint \+ \$4::bigint/, { length: 4, moment: 5 }],
  [/\bFROM move_stalled_jobs_to_wait\(/, { moment: 3 }],
];

const known = new Map<string, Times | undefined>();

/** The parameters of a statement of BullMQ, its locks by the server's clock. */
export async function inServerTime(
  clock: ServerClock,
  text: string,
  params: readonly unknown[],
): Promise<readonly unknown[]> {
  if (!known.has(text)) known.set(text, TIMES_OF_LOCKS.find(([statement]) => statement.test(text))?.[1]);
  const times = known.get(text);
  if (times === undefined) return params;
  const now = await clock.now();
  const { moment, length } = times;
  // A lock ends at moment + length; the moment also says what is due, which is by the host's clock.
  if (length === undefined) return params.with(moment - 1, now);
  return params.with(length - 1, Number(params[length - 1]) + now - Number(params[moment - 1]));
}
