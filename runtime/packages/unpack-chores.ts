/** Unpacks in a thread of its own, one package after the other, each with a deadline. */
import { extname } from 'node:path';
import type { Manifest } from '@plexichat/sdk/protocol/manifest';
import { Piscina } from 'piscina';
import type { UnpackChore, UnpackOutcome } from './chore-unpack.ts';
import { PackageError } from './package-error.ts';
import type { UnpackedPackage, UnpackOptions } from './unpack.ts';

export interface UnpackChores {
  /** What was unpacked until it failed is still there then. @throws PackageError */
  unpack(options: UnpackOptions): Promise<UnpackedPackage>;
  /** Reads the manifest as well, and leaves a folder that may be installed, synced to the disk. @throws PackageError */
  stage(options: Required<UnpackChore>): Promise<StagedPackage>;
  close(): Promise<void>;
}

export interface StagedPackage {
  readonly unpacked: UnpackedPackage;
  readonly manifest: Manifest;
}

export interface UnpackChoresOptions {
  /** For one package, from when its turn has come. */
  readonly deadlineMs?: number;
  /** Packages that may wait for their turn; more are refused. */
  readonly maxWaiting?: number;
}

export function createUnpackChores({ deadlineMs = 60_000, maxWaiting = 16 }: UnpackChoresOptions = {}): UnpackChores {
  const pool = new Piscina({
    filename: new URL(`./chore-unpack${extname(import.meta.url)}`, import.meta.url).href,
    minThreads: 0,
    maxThreads: 1,
    idleTimeout: 5_000,
    resourceLimits: { maxOldGenerationSizeMb: 128 },
    env: {},
  });
  let turn: Promise<unknown> = Promise.resolve();
  let waiting = 0;

  const run = async (chore: UnpackChore): Promise<UnpackOutcome & { readonly ok: true }> => {
    let outcome: UnpackOutcome;
    try {
      outcome = await pool.run(chore, { signal: AbortSignal.timeout(deadlineMs) });
    } catch (error) {
      throw asPackageError(error, deadlineMs);
    }
    if (outcome.ok) return outcome;
    throw new PackageError(outcome.fault, outcome.issues);
  };

  const runInTurn = async (chore: UnpackChore): Promise<UnpackOutcome & { readonly ok: true }> => {
    if (waiting >= maxWaiting) throw failed('busy', 'Too many packages are being unpacked; try again in a minute.');
    waiting += 1;
    // The deadline counts from the turn: Piscina would count the wait as work.
    const mine = turn.then(() => run(chore));
    turn = mine.catch(() => {});
    try {
      return await mine;
    } finally {
      waiting -= 1;
    }
  };

  return {
    unpack: async (options) => (await runInTurn(options)).unpacked,
    async stage(options) {
      const { unpacked, manifest } = await runInTurn(options);
      if (manifest === undefined) throw new Error('The chore that unpacks gave no manifest.');
      return { unpacked, manifest };
    },
    close: () => pool.destroy(),
  };
}

/** The abort of a deadline ends the thread. What else ends it is memory, or the disk. */
function asPackageError(error: unknown, deadlineMs: number): unknown {
  if (!(error instanceof Error)) return error;
  if (error.name === 'AbortError' || error.name === 'TimeoutError') {
    return failed('refused', `Unpacking took longer than ${deadlineMs / 1000} seconds and was stopped.`);
  }
  if (error.message.includes('memory'))
    return failed('refused', 'Unpacking takes more memory than a package may have.');
  return error;
}

function failed(fault: 'refused' | 'busy', message: string): PackageError {
  return new PackageError(fault, [{ path: '', message }]);
}
