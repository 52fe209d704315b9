/** `securityLog`: what a module itself found suspicious, for the operator. */
import { type Static, Type } from 'typebox';
import { MAX_SECURITY_DETAILS } from '../security-limits.ts';

export const SECURITY_EVENT_NAME = '^[a-z][a-z0-9_]*(\\.[a-z0-9_]+)*$';

export const SecurityReportSchema = Type.Object(
  {
    name: Type.String({ minLength: 1, maxLength: 64, pattern: SECURITY_EVENT_NAME }),
    /** JSON text. */
    details: Type.String({ minLength: 1, maxLength: MAX_SECURITY_DETAILS }),
  },
  { additionalProperties: false },
);
export type SecurityReport = Static<typeof SecurityReportSchema>;

export const SECURITY_LOG_METHODS = {
  /** Rejects with INVALID_CALL; what comes too often is counted, not refused. */
  write: { args: Type.Tuple([SecurityReportSchema]), result: Type.Unknown() },
} as const;
