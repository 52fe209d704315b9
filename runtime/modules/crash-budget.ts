/** What a module's crashes have cost so far, and until when it may not boot. */
import { afterCrash, NO_CRASHES } from './restart-policy.ts';

export class CrashBudget {
  #record = NO_CRASHES;
  #notBefore = 0;

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

  /** A wait that nobody is to blame for. */
  postpone(ms: number): void {
    this.#notBefore = Date.now() + ms;
  }
}
