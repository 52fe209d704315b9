/** What a queued job carries. Operators can edit jobs in bull-board and other hosts write them, so it is read with care. */

import { nestsDeeperThan } from '@plexichat/sdk/protocol/json-depth';
import { MAX_TASK_DATA } from '@plexichat/sdk/protocol/task-limits';
import type { Job } from 'bullmq';
import { type Static, Type } from 'typebox';
import { Compile } from 'typebox/compile';

export const JobDataSchema = Type.Object(
  {
    /** JSON text: a queue on PostgreSQL would reorder keys, and refuse NUL. */
    data: Type.String({ maxLength: MAX_TASK_DATA }),
    origin: Type.Union([Type.Literal('schedule'), Type.Literal('module'), Type.Literal('operator')]),
    /** Who asked for it, when it was an operator. */
    by: Type.Optional(Type.String({ maxLength: 256 })),
    /** How often it was begun and came to nothing without its fault: a crash, a host that went down in order. */
    interruptions: Type.Optional(Type.Integer({ minimum: 0 })),
    /** How many of those were crashes of its thread or its cell. */
    crashes: Type.Optional(Type.Integer({ minimum: 0 })),
  },
  { additionalProperties: false },
);
export type JobData = Static<typeof JobDataSchema>;

const checkData = Compile(JobDataSchema);
const MAX_DEPTH = 64;

export function checkJobData(data: unknown): data is JobData {
  return checkData.Check(data);
}

/** @throws Error that says what is wrong; such a run fails for good */
export function readJobData(job: Pick<Job, 'data'>): JobData {
  const data: unknown = job.data;
  if (!checkJobData(data)) throw new Error('the data of the job has another shape than this host writes');
  return { ...data, data: tidyJson(data.data) };
}

/** Valid JSON, written by this host. @throws Error when it is not JSON, or nests too deep */
export function tidyJson(text: string): string {
  if (nestsDeeperThan(text, MAX_DEPTH)) throw new Error(`the data nests deeper than ${MAX_DEPTH} levels`);
  try {
    return JSON.stringify(JSON.parse(text));
  } catch {
    throw new Error('the data is not JSON');
  }
}

/** The moment that a scheduled run stands for. The queue names such jobs `repeat:<schedule>:<milliseconds>`. */
export function slotOf({ id, repeatJobKey }: Pick<Job, 'id' | 'repeatJobKey'>): Date | undefined {
  if (repeatJobKey === undefined) return undefined;
  const milliseconds = Number(/^repeat:.+:(\d{1,15})$/.exec(id ?? '')?.[1]);
  return Number.isFinite(milliseconds) ? new Date(milliseconds) : undefined;
}
