/** Processor time of a process and everything below it. */
import { processTree, readIfThere } from './process-memory.ts';

/** In hundredths of a second; 0 where only Linux would tell. */
export function treeTicks(root: number): number {
  if (process.platform !== 'linux') return 0;
  let ticks = 0;
  for (const id of processTree(root)) {
    const fields = readIfThere(`/proc/${id}/stat`).split(') ').at(-1)?.split(' ') ?? [];
    ticks += Number(fields[11] ?? 0) + Number(fields[12] ?? 0);
  }
  return ticks;
}
