/**
 * The state of a module: what it is in itself, by the table, and what others see of it, which another version that waits
 * for its operator, or that was rolled back, has a part in.
 */
import { AT_REST, assertTransition } from './lifecycle.ts';
import type { ModuleState } from './served-module.ts';

export class Standing {
  readonly #module: string;
  readonly #onChange: (from: ModuleState) => void;
  #own: ModuleState = 'sleeping';
  #reasons: readonly string[] = [];
  #pending: readonly string[] | undefined;
  #notice: readonly string[] = [];

  /** @param onChange others see another state */
  constructor(module: string, onChange: (from: ModuleState) => void) {
    this.#module = module;
    this.#onChange = onChange;
  }

  get own(): ModuleState {
    return this.#own;
  }

  get state(): ModuleState {
    return this.#pending === undefined || AT_REST.has(this.#own) ? this.#own : 'upgrade_pending';
  }

  get reasons(): readonly string[] {
    return [...(this.#pending ?? []), ...this.#notice, ...this.#reasons];
  }

  change(to: ModuleState, reasons: readonly string[]): void {
    const before = this.state;
    if (to !== this.#own) assertTransition(this.#module, this.#own, to);
    this.#own = to;
    this.#reasons = reasons;
    this.#tell(before);
  }

  /** Another version waits for its operator; undefined: no more. This one goes on. */
  markPending(reasons: readonly string[] | undefined): void {
    const before = this.state;
    this.#pending = reasons;
    this.#tell(before);
  }

  /** For operators: why it is this version that runs. */
  explain(notice: readonly string[]): void {
    this.#notice = notice;
  }

  #tell(before: ModuleState): void {
    if (this.state !== before) this.#onChange(before);
  }
}
