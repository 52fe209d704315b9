/** `modules`: a module calls a method that another one offers. */
import { type Static, Type } from 'typebox';
import { MODULE_NAME_PATTERN } from '../manifest.ts';
import { METHOD_NAME_PATTERN } from '../method-limits.ts';

const CallIdSchema = Type.Integer({ minimum: 1, maximum: Number.MAX_SAFE_INTEGER });

export const CallRequestSchema = Type.Object(
  {
    /** The guest's own number for this call; `cancel` names it. */
    id: CallIdSchema,
    module: Type.String({ pattern: MODULE_NAME_PATTERN, maxLength: 64 }),
    method: Type.String({ pattern: METHOD_NAME_PATTERN }),
    /** The invocation that the call is part of, by the number that the host gave it; one that is not open counts as none. */
    within: Type.Optional(Type.Integer({ minimum: 1, maximum: Number.MAX_SAFE_INTEGER })),
    timeoutMs: Type.Optional(Type.Integer({ minimum: 1, maximum: 3_600_000 })),
  },
  { additionalProperties: false },
);
export type CallRequest = Static<typeof CallRequestSchema>;

export const MODULES_METHODS = {
  /**
   * The second argument is what the method gets, any JSON value. Rejects with PERMISSION_DENIED, NOT_FOUND, INVALID_INPUT,
   * INVALID_CALL, QUOTA_EXCEEDED, MODULE_OVERLOADED, MODULE_UNAVAILABLE, MODULE_TIMEOUT, MODULE_CRASHED, MODULE_ERROR,
   * MODULE_HTTP_ERROR or INVALID_MODULE_RESPONSE.
   */
  call: { args: Type.Tuple([CallRequestSchema, Type.Unknown()]), result: Type.Unknown() },
  /** The guest lost interest in the call with this id. */
  cancel: { args: Type.Tuple([CallIdSchema]), result: Type.Unknown() },
} as const;
