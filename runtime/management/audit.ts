import type { ErrorCode } from '@plexichat/sdk/protocol/errors';

export type AuditAction = 'task.run' | 'task.pause' | 'task.resume';

/** Who did what to which task, and what came of it. Its texts may be a stranger's: they are data, never a message. */
export interface AuditEntry {
  readonly action: AuditAction;
  /** `sub` of the token, or of the API key. */
  readonly operator: string;
  /** The token's `jti` or the API key's id, where there is one. */
  readonly credential: string | undefined;
  readonly module: string;
  readonly task: string;
  readonly outcome: 'done' | ErrorCode;
  /** Of the run that was asked for. */
  readonly run?: string;
  readonly reason?: string;
  readonly requestId: string;
}
