/** What host and cell say to each other about instances, beside the guests' own frames. */
import { type Static, Type } from 'typebox';

/** Host to cell. `start` carries the module's code as a binary part. */
export type CellCommand =
  | {
      readonly op: 'start';
      readonly channel: number;
      /** A GuestConfig as JSON. */
      readonly config: string;
      readonly memoryMb: number;
    }
  | { readonly op: 'terminate'; readonly channel: number }
  /** Boot the kernel alone and answer its code cache as a binary part. */
  | { readonly op: 'warm' };

export const EXIT_REASONS = {
  terminated: 'ended by the host',
  exited: 'ended by itself',
  uncaught: 'an error that nothing caught',
  heap: 'used more heap than its limit',
  external: 'used more memory outside the heap than its limit',
  memory: 'used more memory than its cell can account for',
  cpu: 'used the processor while nobody waited for it',
  stuck: 'did not react to the watchdog',
  flood: 'sent more than the bridge carries',
  failed: 'could not be started',
} as const;
export type ExitReason = keyof typeof EXIT_REASONS;

/** Cell to host. A cell whose module escaped may say anything, so the host checks every word against this. */
export const CellEventSchema = Type.Union([
  Type.Object(
    {
      op: Type.Literal('exit'),
      channel: Type.Integer({ minimum: 1 }),
      reason: Type.Unsafe<ExitReason>(Type.Enum(Object.keys(EXIT_REASONS))),
      detail: Type.String({ maxLength: 1000 }),
    },
    { additionalProperties: false },
  ),
  /** The thread is silent and cannot be ended from within: the host waits a little, then ends the cell. */
  Type.Object(
    { op: Type.Literal('stuck'), channel: Type.Integer({ minimum: 1 }), detail: Type.String({ maxLength: 1000 }) },
    { additionalProperties: false },
  ),
  /** The thread has not come to rest for seconds: the host knows whether anybody waits for it. */
  Type.Object(
    { op: Type.Literal('spinning'), channel: Type.Integer({ minimum: 1 }), detail: Type.String({ maxLength: 1000 }) },
    { additionalProperties: false },
  ),
  Type.Object({ op: Type.Literal('warmed') }, { additionalProperties: false }),
]);
export type CellEvent = Static<typeof CellEventSchema>;
