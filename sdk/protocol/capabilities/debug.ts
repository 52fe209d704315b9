/** `debug`: a module in debug mode stops and shows what it has at hand. */
import { type Static, Type } from 'typebox';
import { MAX_DEBUG_LABEL } from '../debug-limits.ts';

export const BreakpointRequestSchema = Type.Object(
  {
    label: Type.String({ minLength: 1, maxLength: MAX_DEBUG_LABEL }),
    /** The invocation that stops; without it every one that is open bounds the wait. */
    within: Type.Optional(Type.Integer({ minimum: 1, maximum: Number.MAX_SAFE_INTEGER })),
  },
  { additionalProperties: false },
);
export type BreakpointRequest = Static<typeof BreakpointRequestSchema>;

export const DEBUG_METHODS = {
  /**
   * The second argument is shown to operators: any JSON value of at most 16 KB as text. Resolves when one of them resumes
   * it, at its deadline, or at once when the module is not in debug mode. Rejects with INVALID_CALL or QUOTA_EXCEEDED.
   */
  breakpoint: { args: Type.Tuple([BreakpointRequestSchema, Type.Unknown()]), result: Type.Unknown() },
} as const;
