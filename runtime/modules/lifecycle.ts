/** Which state of a module may follow which. A change that is not in the table is a fault of ours, and stops there. */
import type { ModuleState } from './served-module.ts';

const NEXT: Readonly<Record<ModuleState, readonly ModuleState[]>> = {
  failed: ['installed'],
  installed: ['sleeping', 'disabled', 'stopped'],
  disabled: ['sleeping', 'stopped'],
  sleeping: ['starting', 'stopped', 'disabled', 'upgrade_pending'],
  starting: ['running', 'crashed', 'parked', 'draining'],
  // To sleep at once when its only thread was ended for a task that did not stop.
  running: ['draining', 'sleeping', 'crashed', 'parked', 'upgrade_pending'],
  draining: ['sleeping', 'stopped', 'crashed'],
  crashed: ['starting', 'parked', 'stopped', 'draining'],
  parked: ['starting', 'sleeping', 'stopped', 'disabled'],
  stopped: ['starting', 'sleeping', 'disabled'],
  upgrade_pending: ['running', 'sleeping', 'stopped'],
};

export function assertTransition(module: string, from: ModuleState, to: ModuleState): void {
  if (!NEXT[from].includes(to)) throw new Error(`${module} cannot go from ${from} to ${to}.`);
}

/** Nothing wakes a module in these; an operator does. */
export const AT_REST: ReadonlySet<ModuleState> = new Set([
  'installed',
  'stopped',
  'parked',
  'disabled',
  'upgrade_pending',
  'failed',
]);
