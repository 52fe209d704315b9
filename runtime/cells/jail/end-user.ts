/** Ends whatever a user of cells still runs: what a cell has started, in whatever session and group, goes with it. */
import { processesByUser } from '../user-processes.ts';

const SWEEP_MS = 50;
/** Who starts processes faster than they are ended keeps its user for itself. */
const GIVE_UP_MS = 60_000;

/** @param onGone when nothing of it is left; never, if that does not come true */
export function endUser(user: number, onGone: () => void): void {
  const giveUpAt = performance.now() + GIVE_UP_MS;
  const sweep = (): void => {
    const left = processesByUser().get(user) ?? [];
    if (left.length === 0) {
      onGone();
      return;
    }
    for (const process of left) end(process);
    if (performance.now() < giveUpAt) setTimeout(sweep, SWEEP_MS).unref();
  };
  sweep();
}

function end(processId: number): void {
  try {
    process.kill(processId, 'SIGKILL');
  } catch {
    // It has just ended.
  }
}
