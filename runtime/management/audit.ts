import type { ErrorCode } from '@plexichat/sdk/protocol/errors';

export type AuditAction =
  | 'task.run'
  | 'task.pause'
  | 'task.resume'
  | 'module.grant'
  | 'module.revoke'
  | 'secret.set'
  | 'secret.remove'
  | 'secrets.rotate'
  | 'breakpoint.resume';

/** What an action was about; its texts may be a stranger's: they are data, never a message. No secret is among them. */
export interface AuditSubject {
  readonly module?: string;
  readonly task?: string;
  readonly reason?: string;
  readonly permissions?: readonly string[];
  readonly setting?: string;
}

/** Who did what to which module, and what came of it. */
export interface AuditEntry extends AuditSubject {
  readonly action: AuditAction;
  /** `sub` of the token, or of the API key. */
  readonly operator: string;
  /** The token's `jti` or the API key's id, where there is one. */
  readonly credential: string | undefined;
  readonly outcome: 'done' | ErrorCode;
  /** Of the run that was asked for. */
  readonly run?: string;
  readonly requestId: string;
}
