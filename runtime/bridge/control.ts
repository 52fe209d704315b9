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
  cpu_budget: 'went on after an invocation had used up its processor time',
  delay: 'did not let its event loop turn for too long',
  stuck: 'did not react to the watchdog',
  flood: 'sent more than the bridge carries',
  bytes: 'sent more bytes a second than its limit',
  calls: 'went on calling the host over its limit',
  lines: 'went on logging over its limit',
  violations: 'kept breaking the contract of the bridge',
  failed: 'could not be started',
} as const;
export type ExitReason = keyof typeof EXIT_REASONS;

const count = Type.Number({ minimum: 0, maximum: Number.MAX_SAFE_INTEGER });

/** What a thread has used, as its cell measured it. */
export const ThreadReadingSchema = Type.Object(
  {
    channel: Type.Integer({ minimum: 1 }),
    /** Processor time since the thread started. */
    cpuMs: count,
    heapBytes: count,
    /** ArrayBuffers and what else lies outside of the heap. */
    externalBytes: count,
    /** How long its event loop has not turned, or took to turn the last time. */
    delayMs: count,
  },
  { additionalProperties: false },
);
export type ThreadReading = Static<typeof ThreadReadingSchema>;

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
  /** The process has more memory than its threads account for, and this one did most: the host knows who else is there. */
  Type.Object(
    { op: Type.Literal('bloated'), channel: Type.Integer({ minimum: 1 }), detail: Type.String({ maxLength: 1000 }) },
    { additionalProperties: false },
  ),
  /** Of the threads that did something since the last time; several times a second. */
  Type.Object(
    { op: Type.Literal('meters'), threads: Type.Array(ThreadReadingSchema, { maxItems: 10_000 }) },
    { additionalProperties: false },
  ),
  Type.Object({ op: Type.Literal('warmed') }, { additionalProperties: false }),
]);
export type CellEvent = Static<typeof CellEventSchema>;
