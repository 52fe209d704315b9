/** A row of what modules tried and may not do, or report themselves. */
export const SECURITY_EVENT_KINDS = [
  'permission_denied',
  'egress_denied',
  'bridge_violation',
  'reported',
  'login_failed',
  'login_blocked',
  'credential_withdrawn',
] as const;
export type SecurityEventKind = (typeof SECURITY_EVENT_KINDS)[number];

export interface SecurityEvent {
  /** Grows with time. */
  readonly id: number;
  /** Epoch milliseconds, of the first of `count`. */
  readonly at: number;
  readonly module: string;
  readonly kind: SecurityEventKind;
  /** The permission, the kind of violation, or the module's own name for it; `more` counts what was not kept. */
  readonly name: string;
  readonly details: string;
  /** So often within a moment. */
  readonly count: number;
}
