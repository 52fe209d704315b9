/** Puts a run back into the queue without using up an attempt. */
import { setTimeout as pause } from 'node:timers/promises';
import { DelayedError, type Job } from 'bullmq';
import type { JobData } from './job-data.ts';

export interface GiveBack {
  readonly job: Job;
  readonly token: string;
  /** What the run carries from now on; nothing when that does not change. */
  readonly data?: JobData;
  /** Epoch milliseconds. */
  readonly at: number;
  readonly onFailure: (error: unknown) => void;
}

/** The queue may be away at the very moment: tried again for longer than it takes to come back. */
const PAUSES_MS = [100, 400, 1_500, 4_000, 8_000];

/**
 * Never returns. When the queue cannot be told at all, the run keeps its place and its lock runs out, so that the queue
 * itself starts it again; as a failed attempt it might be lost.
 */
export async function giveBack({ job, token, data, at, onFailure }: GiveBack): Promise<never> {
  for (const wait of [...PAUSES_MS, undefined]) {
    try {
      if (data !== undefined) await job.updateData(data);
      await job.moveToDelayed(at, token);
      break;
    } catch (error) {
      if (wait === undefined) onFailure(error);
      else await pause(wait);
    }
  }
  throw new DelayedError();
}
