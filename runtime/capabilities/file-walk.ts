/** From a granted folder down to where a path leads, one step at a time, and out of it never. */
import type { BigIntStats } from 'node:fs';
import { mkdir } from 'node:fs/promises';
import { PlexiError } from '@plexichat/sdk/protocol/errors';
import { isWithin } from '@plexichat/sdk/protocol/file-path';
import type { Disk, HeldFolder } from './file-disk.ts';
import { isMissing } from './file-errors.ts';
import type { Sealed } from './file-sealed.ts';
import type { FileWork } from './file-work.ts';

export interface Walk {
  readonly disk: Disk;
  readonly work: FileWork;
  readonly sealed: Sealed;
  /** The folder that the operator granted, as the grant has it. */
  readonly granted: string;
  /** Throws PERMISSION_DENIED, and leaves a trace. */
  readonly refuse: (reason: string) => never;
}

export interface Place {
  readonly folder: HeldFolder;
  /** The granted folder's own path on the disk. */
  readonly root: string;
}

/** File systems that are no disks but doors into the kernel, by their magic numbers. */
const DOORS: ReadonlySet<number> = new Set([
  0x9fa0, 0x62656572, 0x27e0eb, 0x63677270, 0x64626720, 0x74726163, 0x73636673, 0xcafe4a11, 0x1cd1, 0x6165676c,
  0xde5e81e4, 0x62656570, 0xf97cff8c, 0x43415d53, 0x19800202, 0x6e736673, 0x6c6f6f70, 0x65735543, 0x42494e4d,
]);
/** The same by path, for what is a plain file system there. */
const DOOR_PATHS = ['/proc', '/sys', '/dev'];

/** The folder, held open until the work is over. @param create makes the folders that are missing, below the granted one */
export async function openPlace(walk: Walk, steps: readonly string[], create = false): Promise<Place> {
  const { disk, work, sealed, granted, refuse } = walk;
  // Boundary: the operator named this folder, so that a link in its own path is the operator's word; below it none is.
  const root = await disk.realPath(work, granted);
  let folder = await disk.openFolder(work, root);
  if ((await disk.whereIs(work, folder)) !== root) refuse('was moved while it was opened');
  if (sealed.holds(root, folder.stats)) refuse("belongs to the host's own data");
  for (const name of steps) {
    assertOpen(walk, folder, name);
    const next = await enter(walk, folder, name, create);
    work.close(folder.handle);
    folder = next;
    if (sealed.holds(folder.path, folder.stats)) refuse("belongs to the host's own data");
  }
  await assertInside(walk, root, folder);
  const { type } = await disk.spaceOf(work, folder);
  if (DOORS.has(type) || DOOR_PATHS.some((door) => isWithin(door, folder.path))) refuse('is no place on a disk');
  return { folder, root };
}

/** Boundary: what was opened is inside now, whatever was renamed on the way; its path is asked of the system. */
export async function assertInside(
  { disk, work, sealed, refuse }: Walk,
  root: string,
  held: HeldFolder,
): Promise<void> {
  const where = await disk.whereIs(work, held);
  if (where === undefined || !isWithin(root, where)) refuse('was moved out of the granted folder');
  else if (sealed.holds(where)) refuse("belongs to the host's own data");
}

/** Boundary: the host's own folders are nobody's, those too that are not there yet. */
export function assertOpen({ sealed, refuse }: Walk, folder: HeldFolder, name: string, stats?: BigIntStats): void {
  if (sealed.holds(`${folder.path}/${name}`, stats)) refuse("belongs to the host's own data");
}

async function enter(walk: Walk, folder: HeldFolder, name: string, create: boolean): Promise<HeldFolder> {
  const { disk, work } = walk;
  try {
    return await disk.enter(work, folder, name);
  } catch (error) {
    if (!create || !isMissing(error)) return await explain(walk, folder, name, error);
  }
  try {
    await work.call(() => mkdir(disk.at(folder, name)));
  } catch (error) {
    // Somebody else was faster; what it is, the next step sees.
    if ((error as NodeJS.ErrnoException).code !== 'EEXIST') throw error;
  }
  try {
    return await disk.enter(work, folder, name);
  } catch (error) {
    return await explain(walk, folder, name, error);
  }
}

/** A link is refused as a way out; a file in the way is a mistake. */
async function explain({ disk, work, refuse }: Walk, folder: HeldFolder, name: string, error: unknown): Promise<never> {
  const code = (error as NodeJS.ErrnoException).code;
  if (code !== 'ENOTDIR' && code !== 'ELOOP') throw error;
  const found = await disk.look(work, folder, name);
  if (found.isSymbolicLink()) return refuseLink(refuse, name);
  throw error;
}

export function refuseLink(refuse: Walk['refuse'], name: string): never {
  return refuse(`leads over a link (${JSON.stringify(name)}); links are not followed`);
}

/** @throws PlexiError INVALID_CALL for the granted folder itself, where a name in it is wanted */
export function splitName(steps: readonly string[], path: string): { readonly steps: string[]; readonly name: string } {
  const name = steps.at(-1);
  if (name === undefined) throw new PlexiError('INVALID_CALL', `${path} is the granted folder itself.`);
  return { steps: steps.slice(0, -1), name };
}
