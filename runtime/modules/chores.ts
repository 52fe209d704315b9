/** Work that burns CPU on bytes from strangers: in threads of its own, each piece with a deadline. */
import { extname } from 'node:path';
import { MessageChannel } from 'node:worker_threads';
import { Piscina } from 'piscina';
import type { Bundle, BundleOptions } from './bundle.ts';
import { BundleError } from './bundle-error.ts';
import type { BundleOutcome, BundleTask } from './chore-bundle.ts';

export interface ChoresOptions {
  readonly threads?: 1 | 2;
  /** For one piece of work, from when it starts. */
  readonly deadlineMs?: number;
  /** Pieces of work that may wait; more are refused. */
  readonly maxWaiting?: number;
}

export interface Chores {
  /** @throws BundleError with the issues of the module, or one that says that time or memory ran out */
  bundle(folder: string, name: string): Promise<Bundle>;
  close(): Promise<void>;
}

export function createChores({ threads = 1, deadlineMs = 30_000, maxWaiting = 1000 }: ChoresOptions = {}): Chores {
  const pool = new Piscina({
    filename: new URL(`./chore-bundle${extname(import.meta.url)}`, import.meta.url).href,
    minThreads: 0,
    maxThreads: threads,
    idleTimeout: 10_000,
    // Enough to parse the largest bundle that is allowed.
    resourceLimits: { maxOldGenerationSizeMb: 1024 },
    env: {},
  });
  const gate = createGate(threads, maxWaiting);

  const bundle = async (folder: string, name: string): Promise<Bundle> => {
    if (!(await gate.enter())) throw choreError(`Too many modules wait to be bundled; ${name} was refused.`);
    try {
      const outcome = await runWithDeadline(pool, { folder, name }, deadlineMs);
      if (outcome.ok) return outcome.bundle;
      throw new BundleError(outcome.issues);
    } catch (error) {
      throw error instanceof BundleError ? error : choreError(reasonOf(error, name, deadlineMs));
    } finally {
      gate.leave();
    }
  };
  return { bundle, close: () => pool.destroy() };
}

/** For the thread to notice that its bundler was ended, and to say so. */
const GRACE_MS = 1000;

/**
 * Boundary: a thread that is terminated leaves its bundler's process behind, at work on what a stranger wrote. So at
 * the deadline that process is ended first, and the thread only if it does not come back then.
 */
async function runWithDeadline(pool: Piscina, work: BundleOptions, deadlineMs: number): Promise<BundleOutcome> {
  const { port1, port2 } = new MessageChannel();
  const children: number[] = [];
  port1.on('message', (pid: unknown) => {
    if (typeof pid === 'number') children.push(pid);
  });
  const task: BundleTask = { ...work, children: port2 };
  // Piscina takes a list; its type was derived from another overload of postMessage.
  const transferList: object = [port2];
  let isLate = false;
  const deadline = setTimeout(() => {
    isLate = true;
    for (const pid of children) endProcess(pid);
  }, deadlineMs);
  try {
    const outcome: BundleOutcome = await pool.run(task, {
      signal: AbortSignal.timeout(deadlineMs + GRACE_MS),
      transferList,
    });
    if (isLate && !outcome.ok) throw new DOMException('The bundler was ended.', 'TimeoutError');
    return outcome;
  } catch (error) {
    for (const pid of children) endProcess(pid);
    throw error;
  } finally {
    clearTimeout(deadline);
    port1.close();
  }
}

function endProcess(pid: number): void {
  try {
    process.kill(pid, 'SIGKILL');
  } catch {
    // It ended by itself.
  }
}

function choreError(message: string): BundleError {
  return new BundleError([{ file: '', line: 0, column: 0, message }]);
}

/** The abort of a deadline terminates the thread; Piscina says so by the name of the error. */
function reasonOf(error: unknown, name: string, deadlineMs: number): string {
  const isAbort = error instanceof Error && (error.name === 'AbortError' || error.name === 'TimeoutError');
  if (isAbort) return `Bundling ${name} took longer than ${deadlineMs / 1000} seconds and was stopped.`;
  return `Bundling ${name} failed: its thread ended, most likely out of memory.`;
}

/** Piscina would count waiting as work: the deadline of the last in the queue would pass while it stands there. */
function createGate(places: number, maxWaiting: number) {
  const waiting: (() => void)[] = [];
  let inside = 0;
  return {
    async enter(): Promise<boolean> {
      if (inside >= places) {
        if (waiting.length >= maxWaiting) return false;
        await new Promise<void>((resolve) => waiting.push(resolve));
        return true;
      }
      inside += 1;
      return true;
    },
    /** Hands the place to whoever waits. */
    leave(): void {
      const next = waiting.shift();
      if (next === undefined) inside -= 1;
      else next();
    },
  };
}
