/**
 * Which state of a module may follow which. A change that is not in the table is a fault of ours, and stops there. What an
 * operator does (enable, start, grant, install, roll back) puts a fresh module in the place of the old one, which begins
 * anew: see PLACES below.
 */
import type { ModuleState } from './served-module.ts';

const NEXT: Readonly<Record<ModuleState, readonly ModuleState[]>> = {
  failed: [],
  installed: [],
  disabled: [],
  sleeping: ['starting', 'stopped', 'upgrade_pending'],
  starting: ['running', 'crashed', 'parked', 'draining', 'upgrade_pending'],
  // To sleep at once when its only thread was ended for a task that did not stop.
  running: ['draining', 'sleeping', 'crashed', 'parked', 'upgrade_pending'],
  draining: ['sleeping', 'stopped', 'upgrade_pending'],
  crashed: ['starting', 'parked', 'stopped', 'upgrade_pending'],
  parked: ['stopped'],
  stopped: [],
  // It serves as before under this name: what it does then shows again when the other version was taken back.
  upgrade_pending: ['sleeping', 'starting', 'running', 'draining', 'crashed', 'parked', 'stopped'],
};

/** In which states a fresh module may stand in the place of one that was in that state. */
const PLACES: Readonly<Record<ModuleState, readonly ModuleState[]>> = {
  installed: ['sleeping', 'installed', 'failed', 'disabled'],
  failed: ['installed', 'sleeping', 'failed', 'disabled'],
  disabled: ['installed', 'sleeping', 'failed', 'disabled'],
  stopped: ['sleeping', 'disabled'],
  parked: ['sleeping', 'running', 'disabled'],
  sleeping: ['sleeping', 'running', 'disabled'],
  starting: ['sleeping', 'running', 'disabled'],
  running: ['sleeping', 'running', 'disabled'],
  draining: ['sleeping', 'running', 'disabled'],
  crashed: ['sleeping', 'running', 'disabled'],
  upgrade_pending: ['sleeping', 'running', 'disabled'],
};

/** Every edge of the table, for those who draw it or check it. */
export function edgesOf(from: ModuleState): {
  readonly own: readonly ModuleState[];
  readonly place: readonly ModuleState[];
} {
  return { own: NEXT[from], place: PLACES[from] };
}

export function assertTransition(module: string, from: ModuleState, to: ModuleState): void {
  if (!NEXT[from].includes(to)) throw new Error(`${module} cannot go from ${from} to ${to}.`);
}

/** Nothing wakes a module in these; an operator does. */
export const AT_REST: ReadonlySet<ModuleState> = new Set(['installed', 'stopped', 'parked', 'disabled', 'failed']);
