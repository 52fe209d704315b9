/** What a module may do to one name besides reading and writing it. */
import { rmdir, unlink } from 'node:fs/promises';
import type { FileEntry } from '@plexichat/sdk/protocol/capabilities/files';
import { entryOf, refuseKind } from './file-entry.ts';
import { isMissing } from './file-errors.ts';
import { assertOpen, openPlace, splitName, type Walk } from './file-walk.ts';

/** @returns undefined when nothing is there */
export async function statFile(walk: Walk, path: string, steps: readonly string[]): Promise<FileEntry | undefined> {
  const { disk, work } = walk;
  try {
    const name = steps.at(-1);
    const { folder } = await openPlace(walk, steps.slice(0, -1));
    const stats = name === undefined ? folder.stats : await disk.look(work, folder, name);
    if (name !== undefined) assertOpen(walk, folder, name, stats);
    return entryOf(path, stats);
  } catch (error) {
    if (isMissing(error)) return undefined;
    throw error;
  }
}

/** Removes a file or an empty folder. @returns whether it was there */
export async function removeFile(walk: Walk, path: string, all: readonly string[]): Promise<boolean> {
  const { disk, work, refuse } = walk;
  const { steps, name } = splitName(all, path);
  try {
    const { folder } = await openPlace(walk, steps);
    const stats = await disk.look(work, folder, name);
    assertOpen(walk, folder, name, stats);
    const place = disk.at(folder, name);
    // Whatever takes the name in between: both remove names only, follow no link, and leave full folders alone.
    if (stats.isDirectory()) await work.call(() => rmdir(place));
    else if (stats.isFile()) await work.call(() => unlink(place));
    else return refuseKind(refuse, stats, path);
    return true;
  } catch (error) {
    if (isMissing(error)) return false;
    throw error;
  }
}
