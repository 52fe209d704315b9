/** Does what an operator asked for, and leaves one audit entry whatever comes of it. */
import { PlexiError } from '@plexichat/sdk/protocol/errors';
import type { Context } from 'hono';
import type { OperatorEnv } from '../gateway/operator.ts';
import type { AuditAction, AuditEntry, AuditSubject } from './audit.ts';

export type Audited = <Outcome>(
  context: Context<OperatorEnv>,
  action: AuditAction,
  subject: AuditSubject,
  work: (operator: string) => Promise<Outcome>,
  describe?: (outcome: Outcome) => Pick<AuditEntry, 'run'>,
) => Promise<Outcome>;

export function createAudited(audit: (entry: AuditEntry) => void): Audited {
  return async (context, action, subject, work, describe = () => ({})) => {
    const { caller, credentialId } = context.get('operator');
    const who = { action, operator: caller.id, credential: credentialId, ...subject };
    const requestId = context.get('requestId');
    try {
      const outcome = await work(caller.id);
      audit({ ...who, ...describe(outcome), outcome: 'done', requestId });
      return outcome;
    } catch (error) {
      audit({ ...who, outcome: error instanceof PlexiError ? error.code : 'INTERNAL', requestId });
      throw error;
    }
  };
}
