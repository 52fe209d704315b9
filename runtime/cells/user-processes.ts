/** Which processes run as which user. Linux; elsewhere nobody is found. */
import { readdirSync, readFileSync } from 'node:fs';

/** Of all users, as it is now: one file is read for each process of the machine. */
export function processesByUser(): ReadonlyMap<number, readonly number[]> {
  const found = new Map<number, number[]>();
  for (const process of listProcesses()) add(found, process, usersOf(process));
  return found;
}

const KEPT_MS = 900;

/**
 * The same for who asks all the time: only processes that were not there at the last look are read. That is enough for
 * what a cell started, since that was its user's from its beginning.
 */
export class ProcessCensus {
  #users = new Map<number, readonly number[]>();
  #byUser = new Map<number, number[]>();
  #lookedAt = Number.NEGATIVE_INFINITY;

  of(user: number): readonly number[] {
    if (performance.now() - this.#lookedAt > KEPT_MS) this.#look();
    return this.#byUser.get(user) ?? [];
  }

  #look(): void {
    const before = this.#users;
    this.#users = new Map();
    this.#byUser = new Map();
    for (const process of listProcesses()) {
      const users = before.get(process) ?? usersOf(process);
      this.#users.set(process, users);
      add(this.#byUser, process, users);
    }
    this.#lookedAt = performance.now();
  }
}

function add(found: Map<number, number[]>, process: number, users: readonly number[]): void {
  for (const user of users) {
    const processes = found.get(user);
    if (processes === undefined) found.set(user, [process]);
    else processes.push(process);
  }
}

function listProcesses(): number[] {
  try {
    return readdirSync('/proc').map(Number).filter(Number.isInteger);
  } catch {
    return [];
  }
}

/**
 * Real, effective, saved; none of a process that is gone, or that has ended and waits for its parent to ask. The owner
 * of its folder says less: a process can have that belong to root.
 */
function usersOf(process: number): readonly number[] {
  try {
    const status = readFileSync(`/proc/${process}/status`, 'utf8');
    if (/^State:\s+[ZX]/m.test(status)) return [];
    const [, ids = ''] = /^Uid:\s+(\d+\s+\d+\s+\d+)/m.exec(status) ?? [];
    return [...new Set(ids.split(/\s+/).map(Number))];
  } catch {
    return [];
  }
}
