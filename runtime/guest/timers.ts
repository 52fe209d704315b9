/**
 * Timers as numbers over a control port: the outer realm keeps the clock and never sees a callback, this realm keeps
 * the callbacks and never sees a handle.
 */
import { bindPort, type GuestPort } from './port.ts';

type Callback = (...args: unknown[]) => unknown;

interface Timer {
  readonly callback: Callback;
  readonly args: readonly unknown[];
  readonly repeats: boolean;
}

export interface Timers {
  setTimeout(callback: Callback, delayMs?: number, ...args: unknown[]): number;
  setInterval(callback: Callback, delayMs?: number, ...args: unknown[]): number;
  clearTimeout(id?: number): void;
}

/** Timers of one module that may be set at once; the thread's outer realm refuses more as well. */
export const MAX_TIMERS = 10_000;

/** What the outer realm is told: 0 = once, 1 = again and again, 2 = clear. */
const ONCE = 0;
const REPEAT = 1;
const CLEAR = 2;
/** From the outer realm: a promise was left rejected. */
const REJECTION_NOTE = 0;
/** From the outer realm: it has read so many numbers more. */
const ACKNOWLEDGED = -1;
const ACKNOWLEDGE_EVERY = 1_024;
/**
 * Numbers on the way that nobody has read. What waits in a port is in no heap and counts against no limit; what waits
 * here is in the module's own.
 */
const MAX_UNREAD = 64 * ACKNOWLEDGE_EVERY;

export function createTimers(control: GuestPort, onError: (error: unknown) => void): Timers {
  const timers = new Map<number, Timer>();
  let last = 0;
  let unread = 0;
  let waiting: number[] = [];
  let nextWaiting = 0;

  const post = bindPort(control, (data) => {
    if (data === ACKNOWLEDGED) {
      unread -= ACKNOWLEDGE_EVERY;
      while (nextWaiting < waiting.length && unread < MAX_UNREAD) {
        const number = waiting[nextWaiting++];
        if (typeof number !== 'number') continue;
        unread += 1;
        post(number);
      }
      if (nextWaiting === waiting.length) {
        waiting = [];
        nextWaiting = 0;
      }
      return;
    }
    if (data === REJECTION_NOTE) {
      onError('A promise was rejected and nobody handled it.');
      return;
    }
    if (typeof data !== 'number') return;
    const timer = timers.get(data);
    if (timer === undefined) return;
    if (!timer.repeats) timers.delete(data);
    try {
      const result = timer.callback(...timer.args);
      if (result instanceof Promise) result.then(undefined, onError);
    } catch (error) {
      onError(error);
    }
  });

  const send = (number: number): void => {
    if (unread >= MAX_UNREAD || waiting.length > 0) {
      waiting[waiting.length] = number;
      return;
    }
    unread += 1;
    post(number);
  };

  const set = (repeats: boolean, callback: unknown, delayMs: unknown, args: readonly unknown[]): number => {
    if (typeof callback !== 'function') throw new TypeError('A timer needs a function to call.');
    if (timers.size >= MAX_TIMERS) throw new RangeError(`At most ${MAX_TIMERS} timers may be set at once.`);
    const id = ++last;
    timers.set(id, { callback: callback as Callback, args, repeats });
    const delay = Number(delayMs);
    // One number travels, so that no object of this realm is serialised: id · kind, and the delay in a second one.
    send(id * 4 + (repeats ? REPEAT : ONCE));
    send(delay > 0 ? Math.min(delay, 2 ** 31 - 1) : 1);
    return id;
  };

  return {
    setTimeout: (callback, delayMs, ...args) => set(false, callback, delayMs, args),
    setInterval: (callback, delayMs, ...args) => set(true, callback, delayMs, args),
    clearTimeout: (id) => {
      if (typeof id === 'number' && timers.delete(id)) send(id * 4 + CLEAR);
    },
  };
}
