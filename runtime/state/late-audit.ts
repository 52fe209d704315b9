/** What operators did while the audit trail could not be written: in memory until it can, bounded, and in order. */
import { type AuditAttempt, type AuditEnding, type AuditRow, plainAudit, updateAudit } from './audit-rows.ts';
import type { Statement } from './statement.ts';

export interface LateEntry {
  /** Without an id until it is written. */
  row: AuditRow;
  id: number | undefined;
}

/** The details of one may have as many bytes as a request: so few that they fit into memory. */
export const MAX_LATE = 1_000;

export class LateAudit {
  #waiting: LateEntry[] = [];

  get size(): number {
    return this.#waiting.length;
  }

  /** @returns undefined when there is no room: it is in the log alone */
  begin(attempt: AuditAttempt, at: number): LateEntry | undefined {
    if (this.#waiting.length >= MAX_LATE) return undefined;
    const row: AuditRow = { ...plainAudit(attempt), id: 0, at, source: 'operator', outcome: 'started' };
    const entry: LateEntry = { row, id: undefined };
    this.#waiting.push(entry);
    return entry;
  }

  /** @returns what is left to write, when the entry was written before it ended */
  end(entry: LateEntry, ending: AuditEnding): Statement | undefined {
    const { action, operator, module } = entry.row;
    const plain = plainAudit({ action, operator, module: ending.module ?? module, details: ending.details });
    entry.row = { ...entry.row, ...plain, outcome: ending.outcome };
    return entry.id === undefined ? undefined : updateAudit(entry.id, entry.row);
  }

  /** All of them, for one attempt to write them. */
  take(): LateEntry[] {
    const taken = this.#waiting;
    this.#waiting = [];
    return taken;
  }

  /** They could not be written: before those that came meanwhile. */
  putBack(entries: readonly LateEntry[]): void {
    this.#waiting = [...entries, ...this.#waiting];
  }
}
