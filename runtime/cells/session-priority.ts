/**
 * Where the kernel shares processors out by sessions (autogroups, sched(7)), the priority of a thread counts only within
 * its session, and each cell is one: without this a cell that works without a break has as much as the host.
 */

import { writeFileSync } from 'node:fs';
import { constants } from 'node:os';

export class SessionPriority {
  readonly #processId: () => number | undefined;
  #isLow = false;
  #isOurs = true;

  /** @param processId of the cell, once it has one */
  constructor(processId: () => number | undefined) {
    this.#processId = processId;
  }

  /** Threads of the cell stepped back, or none does any more. Call it again and again: what fails is tried again. */
  set(isLow: boolean): void {
    const processId = this.#processId();
    if (isLow === this.#isLow || !this.#isOurs || processId === undefined) return;
    const nice = isLow ? constants.priority.PRIORITY_BELOW_NORMAL : constants.priority.PRIORITY_NORMAL;
    try {
      writeFileSync(`/proc/${processId}/autogroup`, String(nice), { flag: 'r+' });
      this.#isLow = isLow;
    } catch (error) {
      // EAGAIN: the kernel takes ten of these a second, of all processes. Anything else stays: there are no sessions.
      if ((error as NodeJS.ErrnoException).code !== 'EAGAIN') this.#isOurs = false;
    }
  }
}
