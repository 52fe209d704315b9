/** One event on its way to one handler, as it crosses the bridge. The host writes it; the outcome is guest output. */
import { type Static, Type } from 'typebox';

/** Written by the host, trusted by the guest's kernel. The data travels beside it. */
export interface EventRequest {
  /** Names this invocation for `cancel`. */
  readonly invocation: number;
  /** The method of a declared handler, or the number that the guest gave to what it subscribed at run time. */
  readonly handler: string | number;
  readonly name: string;
  /** `chat-host`, or the module that emitted it. */
  readonly source: string;
  /** Epoch milliseconds. */
  readonly at: number;
  readonly id: string;
  /** Epoch milliseconds. */
  readonly deadline: number;
}

export const EventOutcomeSchema = Type.Union([
  Type.Object({ ok: Type.Literal(true) }, { additionalProperties: false }),
  Type.Object(
    {
      ok: Type.Literal(false),
      message: Type.String({ maxLength: 2000 }),
      /** Only in diagnostic mode; for the operator's log. */
      stack: Type.Optional(Type.String({ maxLength: 20_000 })),
    },
    { additionalProperties: false },
  ),
]);
export type EventOutcome = Static<typeof EventOutcomeSchema>;
