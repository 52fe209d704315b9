import type { ErrorCode } from '@plexichat/sdk/protocol/errors';

export type AuditAction =
  | 'task.run'
  | 'task.pause'
  | 'task.resume'
  | 'module.grant'
  | 'module.revoke'
  | 'module.install'
  | 'module.enable'
  | 'module.disable'
  | 'module.start'
  | 'module.stop'
  | 'module.restart'
  | 'module.rollback'
  | 'module.remove'
  | 'module.purge'
  | 'settings.change'
  | 'secret.set'
  | 'secret.remove'
  | 'secrets.rotate'
  | 'breakpoint.resume'
  | 'token.create'
  | 'token.revoke';

/** What an action was about; its texts may be a stranger's: they are data, never a message. No secret is among them. */
export interface AuditSubject {
  readonly module?: string;
  readonly task?: string;
  readonly reason?: string;
  readonly permissions?: readonly string[];
  readonly setting?: string;
  /** Of the module, that it is rolled back to. */
  readonly version?: string;
  /** Those that were to be changed: their names. */
  readonly settings?: readonly string[];
  /** The id of a token or an API key that was made or revoked, and the user that its bearer is. */
  readonly token?: string;
  readonly sub?: string;
}

/** They only take power away: done also while the audit trail cannot be written, which must not keep an operator from them. */
export const TAKES_POWER_AWAY: ReadonlySet<AuditAction> = new Set([
  'token.revoke',
  'module.revoke',
  'module.stop',
  'module.disable',
  'secret.remove',
  'task.pause',
]);

/** What an operator is about to do. */
export interface AuditAttempt extends AuditSubject {
  readonly action: AuditAction;
  /** `sub` of the token, or of the API key. */
  readonly operator: string;
  /** The token's `jti` or the API key's id, where there is one. */
  readonly credential: string | undefined;
  readonly requestId: string;
}

/** Who did what to which module, and what came of it. */
export interface AuditEntry extends AuditAttempt {
  readonly outcome: 'done' | ErrorCode;
  /** Of the run that was asked for. */
  readonly run?: string;
}

/** Takes in one entry, when the action is over; rejects when it could not be kept. */
export interface Audit {
  (entry: AuditEntry): unknown;
  /**
   * Where there is one it is called before the action, which is not done when this rejects; what it gives takes in the
   * entry then. Boundary: it rejects for no action that only takes power away. @throws PlexiError STATE_UNAVAILABLE
   */
  readonly begin?: (attempt: AuditAttempt) => Promise<(entry: AuditEntry) => unknown>;
}
