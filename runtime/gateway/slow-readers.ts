/** Cuts clients that ask for answers and do not take them: each holds memory here and a stream of a module. */
import type { Socket } from 'node:net';

export interface ReaderLimits {
  /** What waits to be sent may wait this long, and longer the more it is. */
  readonly patienceMs: number;
  readonly bytesPerSecond: number;
  readonly checkMs: number;
}

interface Debt {
  /** Value of `bytesWritten` when all that waits now is sent. */
  readonly goal: number;
  readonly until: number;
}

/** Silence is not its business: an event stream that has nothing to say owes nothing. @returns what stops it */
export function cutSlowReaders(sockets: () => Iterable<Socket>, limits: ReaderLimits): () => void {
  const debts = new WeakMap<Socket, Debt>();
  const check = setInterval(() => {
    const now = performance.now();
    for (const socket of sockets()) {
      const { bytesWritten, writableLength } = socket;
      if (writableLength === 0) continue;
      const debt = debts.get(socket);
      // Counted by whole writes, so time is given for all of one, however large.
      if (debt === undefined || bytesWritten - writableLength >= debt.goal) {
        const forBytes = (writableLength / limits.bytesPerSecond) * 1000;
        debts.set(socket, { goal: bytesWritten, until: now + limits.patienceMs + forBytes });
      } else if (now > debt.until) socket.destroy();
    }
  }, limits.checkMs);
  return () => clearInterval(check);
}
