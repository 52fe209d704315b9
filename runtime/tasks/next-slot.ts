/** When a schedule is due next, by the same library that the queue asks. */
import { CronExpressionParser } from 'cron-parser';
import type { Schedule } from './plan.ts';

/** @param after epoch milliseconds @returns epoch milliseconds, later than `after` */
export function nextSlot({ pattern, timezone }: Schedule, after: number): number {
  return CronExpressionParser.parse(pattern, { tz: timezone, currentDate: new Date(after) })
    .next()
    .getTime();
}
