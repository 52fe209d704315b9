/** Ends a module whose place another one has taken, once those who were sent to it before have been served. */
import { setTimeout as sleep } from 'node:timers/promises';

export interface RetiringModule {
  readonly underWay: number;
  /** Epoch milliseconds. */
  readonly lastUsed: number;
  stop(drainMs: number): Promise<void>;
}

/** A request may have been sent to it and still be on its way through the pipeline: its body, its checks. */
const QUIET_MS = 3_000;
const LOOK_MS = 50;

/**
 * @param drainMs for what it does, and once more when it is stopped
 * @param isHurried when it becomes true nobody is waited for any more
 */
export async function retireModule(
  module: RetiringModule,
  drainMs: number,
  isHurried: () => boolean = () => false,
): Promise<void> {
  const replacedAt = Date.now();
  const isQuiet = (): boolean => module.underWay === 0 && Date.now() - Math.max(module.lastUsed, replacedAt) > QUIET_MS;
  while (!isHurried() && !isQuiet() && Date.now() - replacedAt < drainMs) await sleep(LOOK_MS);
  await module.stop(drainMs);
}
