/** A clock in steps of 1 ms: a finer one is a tool for timing attacks on neighbours. */
const { now } = Date;
const timeOrigin = now();
let latest = 0;

export const performance = {
  timeOrigin,
  /** Milliseconds since the realm began; never goes back. */
  now(): number {
    latest = Math.max(latest, now() - timeOrigin);
    return latest;
  },
  toJSON(): { timeOrigin: number } {
    return { timeOrigin };
  },
};
