/** One call of a module's method by another module, as it crosses the bridge. The outcome is guest output. */
import { type Static, Type } from 'typebox';
import type { Caller } from './invocation.ts';
import { MAX_METHOD_RESULT } from './method-limits.ts';

/** Written by the host, trusted by the guest's kernel. The arguments travel beside it. */
export interface MethodRequest {
  /** Names this invocation for `cancel`. */
  readonly invocation: number;
  readonly method: string;
  /** Who calls: the host's word. */
  readonly caller: { readonly module: string };
  /** For whom it calls, where the host knows. */
  readonly user: Caller | null;
  /** Epoch milliseconds. */
  readonly deadline: number;
}

export const MethodOutcomeSchema = Type.Union([
  Type.Object(
    {
      ok: Type.Literal(true),
      /** JSON text of what the method returned, where the bridge looks for what an answer may cost. */
      body: Type.Object(
        { text: Type.String({ minLength: 1, maxLength: MAX_METHOD_RESULT }) },
        { additionalProperties: false },
      ),
    },
    { additionalProperties: false },
  ),
  Type.Object(
    {
      ok: Type.Literal(false),
      /** MODULE_HTTP_ERROR: the author's own refusal, an HttpError. */
      code: Type.Union([
        Type.Literal('MODULE_ERROR'),
        Type.Literal('MODULE_HTTP_ERROR'),
        Type.Literal('INVALID_MODULE_RESPONSE'),
      ]),
      message: Type.String({ maxLength: 2000 }),
      /** Only in diagnostic mode; for the operator's log. */
      stack: Type.Optional(Type.String({ maxLength: 20_000 })),
    },
    { additionalProperties: false },
  ),
]);
export type MethodOutcome = Static<typeof MethodOutcomeSchema>;
