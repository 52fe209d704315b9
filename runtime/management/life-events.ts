/** What modules go through, for operators who watch: the last changes, and each that comes. Each is an audit entry too. */
import type { ModuleState, ServedModule } from '../modules/served-module.ts';
import type { AuditTrail } from '../state/audit-trail.ts';
import type { StreamListener } from './event-stream.ts';

export interface LifeEvent {
  /** Grows with time, over restarts of the host too. */
  readonly id: number;
  /** Epoch milliseconds. */
  readonly at: number;
  readonly module: string;
  readonly version: string;
  /** undefined when the module came, or took the place of one with its name. */
  readonly from: ModuleState | undefined;
  readonly to: ModuleState | 'removed';
  readonly reasons: readonly string[];
  /** Who asked for it; undefined when the host did it by itself. */
  readonly operator: string | undefined;
}

export interface LifeEventsOptions {
  readonly trail: Pick<AuditTrail, 'note'>;
  /** Who acts on the module just now, if that is clear. */
  readonly actorOn: (module: string) => string | undefined;
  readonly now?: () => number;
}

const MAX_KEPT = 1_000;
const MAX_REASONS = 20;
const MAX_REASON = 500;
/** Nobody asks for these. */
const BY_ITSELF: ReadonlySet<ModuleState> = new Set(['crashed', 'parked', 'failed']);

export class LifeEvents {
  readonly #options: LifeEventsOptions;
  readonly #now: () => number;
  readonly #listeners = new Set<StreamListener<LifeEvent>>();
  #kept: LifeEvent[] = [];
  #lastId = 0;
  #isClosed = false;

  constructor(options: LifeEventsOptions) {
    this.#options = options;
    this.#now = options.now ?? Date.now;
  }

  /** For `Registry.onChange`; never throws. @param isGone nobody finds the module any more */
  note(module: ServedModule, from: ModuleState | undefined, isGone = false): void {
    // It is about to be read whole; what it becomes then is the news.
    if (module.isLoading === true) return;
    const at = this.#now();
    this.#lastId = Math.max(this.#lastId + 1, at * 1000);
    const { name, version, state } = module;
    const to: LifeEvent['to'] = isGone ? 'removed' : state;
    const reasons = module.reasons.slice(0, MAX_REASONS).map((reason) => reason.slice(0, MAX_REASON));
    const operator = !isGone && BY_ITSELF.has(state) ? undefined : this.#options.actorOn(name);
    const event = { id: this.#lastId, at, module: name, version, from, to, reasons, operator };
    this.#kept.push(event);
    if (this.#kept.length > 2 * MAX_KEPT) this.#kept = this.#kept.slice(-MAX_KEPT);
    for (const { onItem } of this.#listeners) onItem(event);
    const details = { version, from, to, ...(reasons.length === 0 ? {} : { reasons }) };
    this.#options.trail.note({ action: 'module.state', operator, module: name, details }, 'done');
  }

  /** Oldest first. */
  since(id: number): readonly LifeEvent[] {
    return this.#kept.slice(-MAX_KEPT).filter((event) => event.id > id);
  }

  /** @returns stops listening */
  listen(listener: StreamListener<LifeEvent>): () => void {
    if (this.#isClosed) listener.onEnd();
    else this.#listeners.add(listener);
    return () => void this.#listeners.delete(listener);
  }

  /** Whoever listens is told that this is the end. */
  close(): void {
    this.#isClosed = true;
    for (const { onEnd } of [...this.#listeners]) onEnd();
  }
}
