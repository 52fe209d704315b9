/**
 * The host's own look at a cell, once a second: at what the kernel says of it, not at what it says of itself, for code in
 * it may have left its realm.
 */
import { readFileSync } from 'node:fs';
import { CellMemory, residentMb } from './cell-memory.ts';
import { ProcessCensus } from './user-processes.ts';

export interface CellLookOptions {
  /** Whose processes all belong to the cell; undefined: who the host is, or is not told. */
  readonly user: number | undefined;
  /** It was put in the first place of those that the kernel ends when memory is short. */
  readonly goesFirst: boolean;
}

export interface Sighting {
  /** Why the cell has to go. */
  readonly fault: string | undefined;
  /** It works without a break. */
  readonly isBusy: boolean;
}

const FIRST_TO_GO = 1000;
/** A step of its command line puts it there: on a busy machine that may take a while. */
const LOOKS_TO_START = 10;
const TICKS_PER_SECOND = 100;
/** Of one processor, for so many looks in a row; on a busy machine nobody gets more. */
const BUSY_SHARE = 0.4;
const BUSY_LOOKS = 3;
/** A cell's own thread only relays: one that would work all the time and sends nothing more does something else. */
const LOST_SHARE = 0.9;
const LOST_LOOKS = 10;

/** One for all cells of this process. */
const census = new ProcessCensus();

export class CellLook {
  readonly memory = new CellMemory();
  readonly #options: CellLookOptions;
  #looks = 0;
  #wasFirst = false;
  #all: Work = NO_WORK;
  #own: Work = NO_WORK;
  #busyLooks = 0;
  #lostLooks = 0;
  #bytesRead = 0;

  constructor(options: CellLookOptions) {
    this.#options = options;
  }

  /** @param bytesRead of what it sent, in its whole life */
  look(processId: number, bytesRead: number): Sighting {
    this.#looks += 1;
    const { user } = this.#options;
    const processes = new Set([processId, ...(user === undefined ? [] : census.of(user))]);
    let resident = 0;
    for (const process of processes) resident += residentMb(process);
    const fault = this.memory.look(resident) ?? this.#lookAtPlace(processId, processes);
    this.#all = worked(this.#all, usedSeconds(processes));
    this.#own = worked(this.#own, wantedSeconds(processId));
    this.#busyLooks = this.#all.share > BUSY_SHARE ? this.#busyLooks + 1 : 0;
    // One that has said nothing yet is starting.
    const isSilent = bytesRead > 0 && bytesRead === this.#bytesRead;
    this.#bytesRead = bytesRead;
    this.#lostLooks = isSilent && this.#own.share > LOST_SHARE ? this.#lostLooks + 1 : 0;
    const isLost = this.#lostLooks >= LOST_LOOKS;
    return {
      fault: fault ?? (isLost ? 'works without end and says nothing' : undefined),
      isBusy: this.#busyLooks >= BUSY_LOOKS,
    };
  }

  #lookAtPlace(processId: number, processes: ReadonlySet<number>): string | undefined {
    if (!this.#options.goesFirst) return undefined;
    for (const process of processes) {
      const place = readPlace(process);
      if (place === undefined) continue;
      if (place >= FIRST_TO_GO) {
        if (process === processId) this.#wasFirst = true;
        continue;
      }
      const isStarting = process === processId && !this.#wasFirst && this.#looks < LOOKS_TO_START;
      if (!isStarting) return 'would not be the first to go any more when memory is short';
    }
    return undefined;
  }
}

interface Work {
  readonly seconds: number;
  readonly at: number;
  /** Of one processor, since the look before. */
  readonly share: number;
}

const NO_WORK: Work = { seconds: 0, at: 0, share: 0 };

function worked(before: Work, seconds: number): Work {
  const at = performance.now();
  // Less than before: another process is looked at, or one of them ended.
  const more = before === NO_WORK ? 0 : Math.max(0, seconds - before.seconds);
  return { seconds, at, share: (more * 1_000) / (at - before.at) };
}

/** Processor time of all threads. */
function usedSeconds(processes: Iterable<number>): number {
  let ticks = 0;
  for (const process of processes) {
    const text = readOr(`/proc/${process}/stat`);
    const fields = text.slice(text.lastIndexOf(')') + 2).split(' ');
    ticks += Number(fields[11] ?? 0) + Number(fields[12] ?? 0);
  }
  return ticks / TICKS_PER_SECOND;
}

/** On a processor or waiting for one: the process's own thread. */
function wantedSeconds(processId: number): number {
  const [running = '', waiting = ''] = readOr(`/proc/${processId}/task/${processId}/schedstat`).split(' ');
  return (Number(running) + Number(waiting)) / 1e9;
}

function readPlace(processId: number): number | undefined {
  const text = readOr(`/proc/${processId}/oom_score_adj`);
  return text === '' ? undefined : Number(text);
}

/** Empty where the system does not tell, or the process is gone. */
function readOr(file: string): string {
  try {
    return readFileSync(file, 'utf8');
  } catch {
    return '';
  }
}
