/** Work that burns CPU on bytes from strangers: in threads of its own, each piece with a deadline. */
import { extname } from 'node:path';
import { Piscina } from 'piscina';
import type { Bundle } from './bundle.ts';
import { BundleError } from './bundle-error.ts';
import type { BundleOutcome } from './chore-bundle.ts';

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
      const outcome: BundleOutcome = await pool.run({ folder, name }, { signal: AbortSignal.timeout(deadlineMs) });
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
