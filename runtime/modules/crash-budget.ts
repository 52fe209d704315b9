/** What a module's crashes have cost so far, and until when it may not boot. */
import { afterCrash, CRASH_WINDOW_MS, NO_CRASHES } from './restart-policy.ts';

export class CrashBudget {
  #record = NO_CRASHES;
  #notBefore = 0;
  /** When a thread was ended for a task that did not stop; epoch milliseconds, all inside the window. */
  #overdue: readonly number[] = [];

  /** Epoch milliseconds. */
  get notBefore(): number {
    return this.#notBefore;
  }

  get waitMs(): number {
    return Math.max(0, this.#notBefore - Date.now());
  }

  /** @returns why the module is to be parked, once the budget is spent */
  charge(cost: number): string | undefined {
    const verdict = afterCrash(this.#record, Date.now(), cost);
    this.#record = verdict.record;
    if (verdict.kind === 'park') return verdict.reason;
    this.#notBefore = verdict.notBefore;
    return undefined;
  }

  /** Charges what came out only after the crash had been judged: it moves no time and parks nobody by itself. */
  chargeLater(cost: number): void {
    this.#record = afterCrash(this.#record, Date.now(), cost).record;
  }

  /** Counts a thread that was ended for a task that did not stop. @returns how many there were within the window */
  countOverdue(): number {
    const now = Date.now();
    this.#overdue = [...this.#overdue.filter((at) => now - at < CRASH_WINDOW_MS), now];
    return this.#overdue.length;
  }

  /** A wait that nobody is to blame for. */
  postpone(ms: number): void {
    this.#notBefore = Date.now() + ms;
  }
}
