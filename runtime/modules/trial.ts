/** Watches a version that has just taken over: one that fails soon is to be rolled back. */
import type { Registry } from './registry.ts';
import type { ServedModule } from './served-module.ts';

export interface TrialOptions {
  readonly registry: Registry;
  /** It failed within its time; called once. */
  readonly onFailed: (module: string, reason: string) => void;
  /** Its time is over, and it did not fail. */
  readonly onPassed: (module: string) => void;
  readonly now?: () => number;
}

/** What a version on trial may do, once: the first crash may be bad luck. */
const CRASHES_ALLOWED = 2;

interface Trial {
  readonly version: string;
  readonly timer: NodeJS.Timeout;
  crashes: number;
}

export class Trials {
  readonly #options: TrialOptions;
  readonly #trials = new Map<string, Trial>();

  constructor(options: TrialOptions) {
    this.#options = options;
  }

  has(module: string): boolean {
    return this.#trials.has(module);
  }

  /** @param until epoch milliseconds */
  begin(module: string, version: string, until: number): void {
    this.end(module);
    const { now = Date.now, onPassed } = this.#options;
    const timer = setTimeout(
      () => {
        this.#trials.delete(module);
        onPassed(module);
      },
      Math.max(0, until - now()),
    ).unref();
    this.#trials.set(module, { version, timer, crashes: 0 });
  }

  /** Of any module: call for each crash. One that was replaced is nobody's concern. */
  crashed(module: ServedModule, reasons: readonly string[]): void {
    const trial = this.#trials.get(module.name);
    if (trial === undefined || this.#options.registry.get(module.name) !== module) return;
    if (trial.version !== module.version) return;
    trial.crashes += 1;
    if (trial.crashes <= CRASHES_ALLOWED && module.state !== 'parked') return;
    this.end(module.name);
    const times = trial.crashes === 1 ? 'it crashed' : `it crashed ${trial.crashes} times`;
    this.#options.onFailed(module.name, `${times} on trial: ${reasons.join(' ')}`);
  }

  end(module: string): void {
    clearTimeout(this.#trials.get(module)?.timer);
    this.#trials.delete(module);
  }

  close(): void {
    for (const module of [...this.#trials.keys()]) this.end(module);
  }
}
