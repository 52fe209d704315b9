/** The clock of a guest: it sends numbers, it gets numbers back (runtime/guest/timers.ts is the other end). */
import type { MessagePort } from 'node:worker_threads';

const MAX_TIMERS = 10_000;
const MAX_DELAY_MS = 2 ** 31 - 1;
const REPEAT = 1;
const CLEAR = 2;
/** After so many numbers the guest is told that they were read; runtime/guest/timers.ts knows the same two. */
const ACKNOWLEDGED = -1;
const ACKNOWLEDGE_EVERY = 1_024;

export function serveTimers(port: MessagePort): void {
  const { setTimeout, setInterval, clearTimeout } = globalThis;
  const timers = new Map<number, NodeJS.Timeout>();
  let announced: number | undefined;
  let read = 0;

  port.on('message', (value: unknown) => {
    read += 1;
    if (read % ACKNOWLEDGE_EVERY === 0) port.postMessage(ACKNOWLEDGED);
    // Boundary: whatever the guest sends, only whole numbers in range have a meaning.
    if (typeof value !== 'number' || !(value >= 0) || value > Number.MAX_SAFE_INTEGER) return;
    if (announced === undefined) {
      const kind = value % 4;
      const id = (value - kind) / 4;
      if (kind !== CLEAR) {
        announced = value;
        return;
      }
      clearTimeout(timers.get(id));
      timers.delete(id);
      return;
    }
    const kind = announced % 4;
    const id = (announced - kind) / 4;
    announced = undefined;
    if (timers.size >= MAX_TIMERS || timers.has(id)) return;
    const delay = Math.min(Math.max(value, 1), MAX_DELAY_MS);
    timers.set(
      id,
      kind === REPEAT
        ? setInterval(() => port.postMessage(id), delay)
        : setTimeout(() => {
            timers.delete(id);
            port.postMessage(id);
          }, delay),
    );
  });
}
