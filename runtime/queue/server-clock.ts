/**
 * The clock of the database server, as far as a host can know it. BullMQ writes the host's own time into locks and into
 * the mark that says when stalled jobs were last looked for: a host whose clock is an hour ahead would take the jobs of
 * all others from under them, and its marks would keep them from recovering anything for an hour. So whatever is about
 * locks is told in the server's time (`lock-times.ts`). Nothing else is: delays and schedules are by the clock of
 * whoever waits for them.
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
