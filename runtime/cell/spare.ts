/**
 * One thread that is ready for the next module, so that waking one is loading its code. It has run nobody's code; a
 * thread that has is never given to another module.
 */
import { type Kernel, ModuleThread } from './module-thread.ts';

/** Modules that ask for more or less memory boot cold: a thread's limits are fixed when it starts. */
const SPARE_MEMORY_MB = 64;

export interface Spare {
  /** A thread for a module: the spare one if it fits, else a new one. Another spare is made for the next. */
  take(memoryMb: number): ModuleThread;
}

export function createSpare(kernel: Kernel): Spare {
  let spare: ModuleThread | undefined;

  const prepare = (): void => {
    if (spare !== undefined) return;
    const thread = new ModuleThread(kernel, SPARE_MEMORY_MB);
    const forget = (): void => {
      if (spare === thread) spare = undefined;
    };
    // One that fails while it waits is forgotten; the next module boots cold and reports what is wrong.
    thread.worker.once('error', forget).once('exit', forget);
    spare = thread;
  };

  return {
    take(memoryMb) {
      const ready = memoryMb === SPARE_MEMORY_MB ? spare : undefined;
      if (ready !== undefined) {
        spare = undefined;
        ready.worker.removeAllListeners('error').removeAllListeners('exit');
      }
      setImmediate(prepare);
      return ready ?? new ModuleThread(kernel, memoryMb);
    },
  };
}
