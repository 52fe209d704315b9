/** What the end of a thread means for its module. Pure: the module does what it says. */
import type { InstanceExit } from '../cells/instance.ts';
import { CELL_CRASH_COST, CRASH_WINDOW_MS, FREE_OVERDUE } from './restart-policy.ts';
import type { ModuleState } from './served-module.ts';

export interface ExitFacts {
  /** Of the module. */
  readonly state: ModuleState;
  /** Whether the module had the cell to itself. */
  readonly isAlone: () => boolean;
  readonly isCellAlive: boolean;
  /** Threads ended for a task that did not stop within the crash window; this one included, if it is one. */
  readonly overdue: number;
}

export type ExitVerdict =
  /** It was to end, or whoever ended it has drawn the conclusions. */
  | { readonly kind: 'known' }
  /** Costs nothing of the budget; `rest` is what the module falls back to when it was the last. */
  | { readonly kind: 'uncharged'; readonly rest: 'crashed' | 'sleeping'; readonly reason: string }
  | { readonly kind: 'crash'; readonly reason: string; readonly cost: number };

const ENDING: ReadonlySet<ModuleState> = new Set(['draining', 'stopped', 'parked']);

export function judgeExit(exit: InstanceExit, { state, isAlone, isCellAlive, overdue }: ExitFacts): ExitVerdict {
  if (exit.expected || ENDING.has(state)) return { kind: 'known' };
  // One that ends while the module boots is judged with the boot, once.
  if (state === 'starting' && exit.reason !== 'cell') return { kind: 'known' };
  if (exit.reason === 'cell' && !isAlone()) {
    // Boundary: in company the budget stays untouched; the pool decides who is on probation for it.
    return { kind: 'uncharged', rest: 'crashed', reason: `its cell died with it (${exit.detail})` };
  }
  if (exit.reason === 'overdue' && !exit.tookCell) {
    if (state !== 'running') return { kind: 'known' };
    // Its thread yielded to the end: a task that is slow to stop now and then is no crash.
    if (overdue <= FREE_OVERDUE) return { kind: 'uncharged', rest: 'sleeping', reason: exit.detail };
    return { kind: 'crash', reason: `overdue: ${exit.detail}, ${others(overdue - 1)}`, cost: 1 };
  }
  return { kind: 'crash', reason: `${exit.reason}: ${exit.detail}`, cost: isCellAlive ? 1 : CELL_CRASH_COST };
}

/** Goes on where the detail ends: with the thread that was ended. */
function others(count: number): string {
  return `as were ${count} others within ${CRASH_WINDOW_MS / 60_000} minutes`;
}
