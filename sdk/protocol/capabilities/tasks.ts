/** `tasks`: a module runs its own tasks, and tells how far a run has come. */
import { type Static, Type } from 'typebox';
import { MAX_TASK_DATA, MAX_TASK_DELAY, MAX_TASK_LINE, MAX_TASK_LINES, MAX_TASK_NOTE } from '../task-limits.ts';

export { MAX_TASK_DATA } from '../task-limits.ts';

const TaskNameSchema = Type.String({ pattern: '^[A-Za-z_][A-Za-z0-9_]{0,63}$' });
/** Printable ASCII: ids are the host's own, so nothing else is one. */
const JobIdSchema = Type.String({ pattern: '^[!-~]{1,200}$' });

export const EnqueueRequestSchema = Type.Object(
  {
    task: TaskNameSchema,
    /** JSON text. */
    data: Type.String({ minLength: 1, maxLength: MAX_TASK_DATA }),
    delayMs: Type.Integer({ minimum: 0, maximum: MAX_TASK_DELAY }),
  },
  { additionalProperties: false },
);
export type EnqueueRequest = Static<typeof EnqueueRequestSchema>;

export const TASKS_METHODS = {
  /** Rejects with INVALID_CALL, NOT_FOUND (no such task), QUOTA_EXCEEDED or QUEUE_UNAVAILABLE. */
  enqueue: {
    args: Type.Tuple([EnqueueRequestSchema]),
    result: Type.Object({ id: JobIdSchema }, { additionalProperties: false }),
  },
  /** Of a run that is under way in this module: percent, and a word on it. */
  progress: {
    args: Type.Union([
      Type.Tuple([JobIdSchema, Type.Number({ minimum: 0, maximum: 100 })]),
      Type.Tuple([JobIdSchema, Type.Number({ minimum: 0, maximum: 100 }), Type.String({ maxLength: MAX_TASK_NOTE })]),
    ]),
    result: Type.Unknown(),
  },
  /** Lines for the log of the run. */
  log: {
    args: Type.Tuple([
      JobIdSchema,
      Type.Array(Type.String({ maxLength: MAX_TASK_LINE }), { minItems: 1, maxItems: MAX_TASK_LINES }),
    ]),
    result: Type.Unknown(),
  },
} as const;
