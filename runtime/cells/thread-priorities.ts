/**
 * Threads of a cell that work without a break step behind all others of the machine: an endless loop then takes what
 * nobody else wants, instead of every second moment of a core. Linux only, where each thread has a priority of its own;
 * a host that is not root cannot give one back, so there a thread keeps the low one until it ends.
 */
import { readdirSync, readFileSync } from 'node:fs';
import { constants, setPriority } from 'node:os';
import { SessionPriority } from './session-priority.ts';

/** Of the time between two looks: above it a thread works without a break, below the other it has come to rest. */
const BUSY_SHARE = 0.75;
const RESTED_SHARE = 0.4;
const LOOK_MS = 100;
/** An order to end reaches a thread only when it gets the processor. */
const LIFT_MS = 3_000;

interface Seen {
  readonly busyMs: number;
  readonly isLow: boolean;
}

export class ThreadPriorities {
  readonly #processId: () => number | undefined;
  readonly #session: SessionPriority;
  #seen = new Map<number, Seen>();
  #lastLook = 0;
  #clock: NodeJS.Timeout | undefined;
  #liftedUntil = 0;

  /** @param processId of the cell, once it has one */
  constructor(processId: () => number | undefined) {
    this.#processId = processId;
    this.#session = new SessionPriority(processId);
  }

  /** Some thread of the cell works hard: which one is found out, and looked after until all rest. */
  notice(): void {
    if (performance.now() < this.#liftedUntil) return;
    if (process.platform === 'linux') this.#clock ??= setInterval(() => this.#look(), LOOK_MS).unref();
  }

  /** Some thread is to end: for a while all have their place back, or a busy machine would keep it alive. */
  lift(): void {
    this.#liftedUntil = performance.now() + LIFT_MS;
    for (const [thread, { isLow }] of this.#seen) if (isLow) change(thread, constants.priority.PRIORITY_NORMAL);
    this.#seen.clear();
    this.#session.set(false);
    this.close();
  }

  close(): void {
    clearInterval(this.#clock);
    this.#clock = undefined;
  }

  #look(): void {
    const processId = this.#processId();
    const now = performance.now();
    const elapsed = now - this.#lastLook;
    this.#lastLook = now;
    const seen = new Map<number, Seen>();
    let isCalm = this.#seen.size > 0;
    let isAnyLow = false;
    for (const [thread, busyMs] of processId === undefined ? [] : readThreads(processId)) {
      const before = this.#seen.get(thread);
      const share = before === undefined ? 0 : (busyMs - before.busyMs) / elapsed;
      const isLow = decide(thread, share, before?.isLow === true);
      seen.set(thread, { busyMs, isLow });
      if (isLow) isAnyLow = true;
      if (isLow || share > BUSY_SHARE) isCalm = false;
    }
    this.#seen = seen;
    this.#session.set(isAnyLow);
    if (!isCalm) return;
    this.close();
    this.#seen.clear();
  }
}

function decide(thread: number, share: number, isLow: boolean): boolean {
  if (!isLow && share > BUSY_SHARE) return change(thread, constants.priority.PRIORITY_BELOW_NORMAL);
  if (isLow && share < RESTED_SHARE) {
    change(thread, constants.priority.PRIORITY_NORMAL);
    return false;
  }
  return isLow;
}

/** @returns whether it was changed: a thread may be gone, and not everybody may give a priority back */
function change(thread: number, priority: number): boolean {
  try {
    setPriority(thread, priority);
    return true;
  } catch {
    return false;
  }
}

/**
 * For how many milliseconds each thread had something to do, on a processor or waiting for one: on a busy machine nobody
 * gets all that it wants. The process's own thread, which relays for all, is left out.
 */
function readThreads(processId: number): [thread: number, busyMs: number][] {
  const folder = `/proc/${processId}/task`;
  return listOf(folder).flatMap((name) => {
    const busyMs = Number(name) === processId ? undefined : readBusyMs(`${folder}/${name}/schedstat`);
    return busyMs === undefined ? [] : [[Number(name), busyMs]];
  });
}

/** Empty when the cell has just ended. */
function listOf(folder: string): string[] {
  try {
    return readdirSync(folder);
  } catch {
    return [];
  }
}

/** Undefined when the thread has just ended. */
function readBusyMs(file: string): number | undefined {
  try {
    const [running = '', waiting = ''] = readFileSync(file, 'utf8').split(' ');
    return (Number(running) + Number(waiting)) / 1e6;
  } catch {
    return undefined;
  }
}
