/** Keeps what operators do: a line of the log, and an entry of the audit trail that is begun before the action. */
import type { AuditTrail } from '../state/audit-trail.ts';
import type { Audit, AuditAttempt, AuditEntry } from './audit.ts';

export interface KeptAudit {
  readonly audit: Audit;
  /** Who acts on the module just now; undefined when nobody does, or more than one. */
  actorOn(module: string): string | undefined;
}

export interface KeepAuditOptions {
  readonly trail: Pick<AuditTrail, 'begin' | 'end' | 'write'>;
  /** Once for each entry, whether or not the trail could be told. */
  readonly log: (entry: AuditEntry) => void;
}

export function keepAudit({ trail, log }: KeepAuditOptions): KeptAudit {
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
  const begin = async (attempt: AuditAttempt) => {
    const id = await trail.begin(rowOf(attempt));
    const module = attempt.module ?? '';
    acting.set(module, [...(acting.get(module) ?? []), attempt]);
    return async (entry: AuditEntry): Promise<void> => {
      leave(attempt);
      log(entry);
      await trail.end(id, entry.outcome, rowOf(entry).details);
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
