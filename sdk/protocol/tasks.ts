/** One run of a task, as it crosses the bridge. The host writes requests and reads outcomes: those are guest output. */
import { type Static, Type } from 'typebox';
import { MAX_TASK_RESULT } from './task-limits.ts';

export { MAX_TASK_DEPTH, MAX_TASK_RESULT } from './task-limits.ts';

/** Written by the host, trusted by the guest's kernel. */
export interface TaskRequest {
  /** Names this invocation for `cancel`. */
  readonly invocation: number;
  /** TaskDeclaration.name */
  readonly task: string;
  /** The same for every attempt of a run. */
  readonly jobId: string;
  /** 1 for the first; also grows when a run is started again after a crash. */
  readonly attempt: number;
  /** ISO 8601 in UTC: the moment of the schedule that this run stands for; null for one that was asked for. */
  readonly slot: string | null;
  /** Epoch milliseconds. */
  readonly deadline: number;
}

export const TaskOutcomeSchema = Type.Union([
  Type.Object(
    {
      ok: Type.Literal(true),
      /** What the handler returned, as JSON; left out when it is nothing or too long. */
      result: Type.Optional(Type.String({ maxLength: MAX_TASK_RESULT })),
    },
    { additionalProperties: false },
  ),
  Type.Object(
    {
      ok: Type.Literal(false),
      /** TASK_UNRECOVERABLE: the author said that trying again is of no use. */
      code: Type.Union([Type.Literal('MODULE_ERROR'), Type.Literal('TASK_UNRECOVERABLE')]),
      message: Type.String({ maxLength: 2000 }),
      /** Only in diagnostic mode; for the operator's log. */
      stack: Type.Optional(Type.String({ maxLength: 20_000 })),
    },
    { additionalProperties: false },
  ),
]);
export type TaskOutcome = Static<typeof TaskOutcomeSchema>;
