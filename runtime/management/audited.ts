/**
 * Does what an operator asked for, between two writes of the audit trail. Boundary: nothing is done that could not be
 * written down before, but what only takes power away; and nothing is reported as done whose outcome could not be written
 * down after.
 */
import { PlexiError } from '@plexichat/sdk/protocol/errors';
import type { Context } from 'hono';
import type { OperatorEnv } from '../gateway/operator.ts';
import type { Audit, AuditAction, AuditEntry, AuditSubject } from './audit.ts';

export type Audited = <Outcome>(
  context: Context<OperatorEnv>,
  action: AuditAction,
  subject: AuditSubject,
  work: (operator: string) => Promise<Outcome>,
  describe?: (outcome: Outcome) => Pick<AuditEntry, 'run' | 'module' | 'version'>,
) => Promise<Outcome>;

export function createAudited(audit: Audit): Audited {
  return async (context, action, subject, work, describe = () => ({})) => {
    const { caller, credentialId } = context.get('operator');
    const requestId = context.get('requestId');
    const attempt = { action, operator: caller.id, credential: credentialId, ...subject, requestId };
    const end = (await audit.begin?.(attempt)) ?? audit;
    let outcome: Awaited<ReturnType<typeof work>>;
    try {
      outcome = await work(caller.id);
    } catch (error) {
      // What went wrong is what the operator needs to know; until the trail can be told, it says `started`.
      await tell(end, { ...attempt, outcome: error instanceof PlexiError ? error.code : 'INTERNAL' }).catch(() => {});
      throw error;
    }
    await tell(end, { ...attempt, ...describe(outcome), outcome: 'done' }).catch((cause: unknown) => {
      const message = `${action} was carried out, but the audit trail could not be told so: look how things are before you try it again.`;
      throw new PlexiError('STATE_UNAVAILABLE', message, { cause });
    });
    return outcome;
  };
}

async function tell(end: (entry: AuditEntry) => unknown, entry: AuditEntry): Promise<void> {
  await end(entry);
}
