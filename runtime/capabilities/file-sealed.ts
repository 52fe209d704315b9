/** The host's own folders: closed to every module, whatever was granted. */
import { realpath, stat } from 'node:fs/promises';
import { isWithin } from '@plexichat/sdk/protocol/file-path';
import { type HeldFolder, idOf } from './file-disk.ts';
import type { FileWork } from './file-work.ts';

export interface Sealed {
  /** By its path, or because it is one of them under another path (a bind mount). */
  holds(path: string, stats?: HeldFolder['stats']): boolean;
}

/** They are made and replaced rarely, and every call asks. */
const REMEMBER_MS = 1_000;

/** @param folders absolute; those that do not exist are closed by their path */
export function createSealed(folders: readonly string[]): (work: FileWork) => Promise<Sealed> {
  let known: Sealed | undefined;
  let until = 0;
  return async (work) => {
    if (known !== undefined && performance.now() < until) return known;
    const paths = new Set(folders);
    const ids = new Set<string>();
    for (const folder of folders) {
      try {
        const real = await work.call(() => realpath(folder));
        paths.add(real);
        ids.add(idOf(await work.call(() => stat(real, { bigint: true }))));
      } catch (error) {
        if ((error as NodeJS.ErrnoException).code !== 'ENOENT') throw error;
      }
    }
    until = performance.now() + REMEMBER_MS;
    known = {
      holds: (path, stats) =>
        [...paths].some((sealed) => isWithin(sealed, path)) || (stats !== undefined && ids.has(idOf(stats))),
    };
    return known;
  };
}
