/**
 * The host's own look at what a cell takes. The cell looks for itself and ends the one module that takes too much; this
 * is for a cell whose own look does not work any more, because code in it left its realm.
 */
import { readFileSync } from 'node:fs';
import { allowedMb } from '../bridge/memory-allowance.ts';
import { memoryBytes } from './jail/machine.ts';

/** The cell acts at twice that, so three times means that it does not. */
const BROKEN_FACTOR = 3;
const LOOKS_OVER = 5;
/** Of the machine: there is no time to wait for the cell. */
const GREEDY_SHARE = 0.75;
const MB = 1024 * 1024;

export class CellMemory {
  readonly #limits = new Map<number, number>();
  #over = 0;

  started(channel: number, memoryMb: number): void {
    this.#limits.set(channel, memoryMb);
  }

  ended(channel: number): void {
    this.#limits.delete(channel);
  }

  /** @returns why the cell has to go */
  look(residentMb: number, machineMb = memoryBytes() / MB): string | undefined {
    const allowed = allowedMb(this.#limits.values());
    this.#over = residentMb > BROKEN_FACTOR * allowed ? this.#over + 1 : 0;
    const isGreedy = residentMb > allowed && residentMb > GREEDY_SHARE * machineMb;
    if (this.#over < LOOKS_OVER && !isGreedy) return undefined;
    return `has ${Math.round(residentMb)} MB, where its modules may have ${Math.round(allowed)} MB`;
  }
}

/** 0 where the system does not tell, or the process is gone. */
export function residentMb(processId: number): number {
  try {
    const status = readFileSync(`/proc/${processId}/status`, 'utf8');
    return Number(/VmRSS:\s+(\d+)/.exec(status)?.[1] ?? 0) / 1024;
  } catch {
    return 0;
  }
}

/** The process that a chain of parents with one child each holds; the first itself while they are still starting. */
export function innermost(processId: number, depth: number): number {
  let found = processId;
  for (let step = 0; step < depth; step++) found = onlyChild(found) ?? found;
  return found;
}

function onlyChild(processId: number): number | undefined {
  try {
    const [child] = readFileSync(`/proc/${processId}/task/${processId}/children`, 'utf8').split(' ');
    return child === undefined || child === '' ? undefined : Number(child);
  } catch {
    return undefined;
  }
}
