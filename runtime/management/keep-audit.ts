/**
 * Keeps what operators do: a line of the log, and an entry of the audit trail that is begun before the action. What only
 * takes power away is let through while the trail is away: its line is written at once, its entry as soon as it can be.
 */
import type { AuditTrail } from '../state/audit-trail.ts';
import { type Audit, type AuditAttempt, type AuditEntry, TAKES_POWER_AWAY } from './audit.ts';

export interface KeptAudit {
  readonly audit: Audit;
  /** Who acts on the module just now; undefined when nobody does, or more than one. */
  actorOn(module: string): string | undefined;
}

export interface KeepAuditOptions {
  readonly trail: Pick<AuditTrail, 'begin' | 'beginLate' | 'end' | 'write'>;
  /** Once for each entry, whether or not the trail could be told. */
  readonly log: (entry: AuditEntry) => void;
  /** Before an action that is done although the trail cannot take it in now. */
  readonly logUnwritten: (attempt: AuditAttempt, error: unknown) => void;
}

export function keepAudit({ trail, log, logUnwritten }: KeepAuditOptions): KeptAudit {
  const acting = new Map<string, AuditAttempt[]>();
  const leave = (attempt: AuditAttempt): void => {
    const module = attempt.module ?? '';
    const left = (acting.get(module) ?? []).filter((each) => each !== attempt);
    if (left.length === 0) acting.delete(module);
    else acting.set(module, left);
  };
  const whole = async (entry: AuditEntry): Promise<void> => {
    log(entry);
    await trail.write(rowOf(entry), entry.outcome);
  };
  const enter = async (attempt: AuditAttempt): Promise<(entry: AuditEntry) => unknown> => {
    try {
      const id = await trail.begin(rowOf(attempt));
      return (entry) => trail.end(id, { ...rowOf(entry), outcome: entry.outcome });
    } catch (error) {
      if (!TAKES_POWER_AWAY.has(attempt.action)) throw error;
      logUnwritten(attempt, error);
      const end = trail.beginLate(rowOf(attempt));
      return (entry) => end({ ...rowOf(entry), outcome: entry.outcome });
    }
  };
  const begin = async (attempt: AuditAttempt) => {
    const tell = await enter(attempt);
    const module = attempt.module ?? '';
    acting.set(module, [...(acting.get(module) ?? []), attempt]);
    return async (entry: AuditEntry): Promise<void> => {
      leave(attempt);
      log(entry);
      await tell(entry);
    };
  };
  return {
    audit: Object.assign(whole, { begin }),
    actorOn(module) {
      const operators = new Set(acting.get(module)?.map(({ operator }) => operator));
      return operators.size === 1 ? [...operators][0] : undefined;
    },
  };
}

function rowOf({ action, operator, module, ...details }: AuditAttempt & { readonly outcome?: string }) {
  const { outcome: _outcome, ...about } = details;
  return { action, operator, module, details: about };
}
