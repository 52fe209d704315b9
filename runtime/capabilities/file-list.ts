/** Pages of what is in a folder, in the order of names, each folder before what is in it. Nothing is kept between pages. */
import type { BigIntStats } from 'node:fs';
import { opendir } from 'node:fs/promises';
import type { FileEntry, FilePage } from '@plexichat/sdk/protocol/capabilities/files';
import { explainFilePath } from '@plexichat/sdk/protocol/file-path';
import type { HeldFolder } from './file-disk.ts';
import { entryOf } from './file-entry.ts';
import { assertInside, openPlace, type Place, type Walk } from './file-walk.ts';

export interface ListOptions {
  /** As the module wrote it. */
  readonly folder: string;
  readonly steps: readonly string[];
  readonly recursive: boolean;
  readonly limit: number;
  /** The names from the folder to the last entry of the page before. */
  readonly after: readonly string[];
}

/** Characters of all paths of a page, as JSON: an answer has its bound too. */
const MAX_PAGE_CHARACTERS = 256 * 1024;
const NAMES_AT_ONCE = 1000;
/** What reading so many names costs, in calls. */
const NAMES_WEIGHT = 50;

export async function listFolder(walk: Walk, options: ListOptions): Promise<FilePage> {
  const page: FileEntry[] = [];
  let characters = 0;
  let cursor: string | undefined;
  const offer = (path: string, stats: BigIntStats | undefined): boolean => {
    if (stats !== undefined) {
      characters += JSON.stringify(path).length;
      if (page.length === options.limit || characters > MAX_PAGE_CHARACTERS) return false;
      page.push(entryOf(path, stats));
    }
    cursor = path;
    return true;
  };
  const isWhole = await listInto({ ...walk, ...options, offer }, [], options.after);
  return isWhole || cursor === undefined ? { entries: page } : { entries: page, cursor };
}

interface Listing extends Walk, ListOptions {
  /** What comes next; without stats it is passed over. False: the page is full. */
  readonly offer: (path: string, stats: BigIntStats | undefined) => boolean;
}

/** @param below the names from the listed folder to this one @returns whether all of it is in the page */
async function listInto(listing: Listing, below: readonly string[], after: readonly string[]): Promise<boolean> {
  const { work, folder, recursive, limit, offer } = listing;
  const place = await openPlace(listing, [...listing.steps, ...below]);
  const [last] = after;
  // The last one of the page before, those that fit, and one more: whether there is more is to be known.
  const count = limit + 2;
  const names = await readNames(listing, place, last, count);
  const found: (BigIntStats | undefined)[] = [];
  for (const name of names) found.push(await lookAgain(listing, place.folder, name));
  await assertInside(listing, place.root, place.folder);
  work.close(place.folder.handle);
  for (const [index, name] of names.entries()) {
    const path = [folder, ...below, name].join('/');
    // Nobody could ask for it, nor for what is in it.
    if (explainFilePath(path) !== undefined) continue;
    const stats = found[index];
    const isOld = name === last;
    if (!isOld && !offer(path, stats)) return false;
    if (!recursive || stats?.isDirectory() !== true) continue;
    if (!(await listBelow(listing, [...below, name], isOld ? after.slice(1) : []))) return false;
  }
  return names.length < count;
}

/** One that is gone, closed to the host's user, or no place for a module has nothing to show; the rest goes on. */
async function listBelow(listing: Listing, below: readonly string[], after: readonly string[]): Promise<boolean> {
  const refuse = (): never => {
    throw new PassOver();
  };
  try {
    return await listInto({ ...listing, refuse }, below, after);
  } catch (error) {
    const code = (error as NodeJS.ErrnoException).code;
    if (error instanceof PassOver || code === 'ENOENT' || code === 'ENOTDIR' || code === 'EACCES') return true;
    throw error;
  }
}

/** The module did not ask for this folder by name: it is no attempt, and no event. */
class PassOver extends Error {}

/** The first names from `from` on. Names that are no UTF-8 are left out: no text can ask for them. */
async function readNames(
  { work, disk }: Listing,
  { folder }: Place,
  from: string | undefined,
  count: number,
): Promise<string[]> {
  const reader = await work.call(
    () => opendir(disk.self(folder), { encoding: 'buffer' as BufferEncoding, bufferSize: NAMES_AT_ONCE }),
    1,
    (late) => late.close(),
  );
  let names: string[] = [];
  try {
    for (let hasMore = true; hasMore; ) {
      hasMore = await work.call(async () => {
        for (let read = 0; read < NAMES_AT_ONCE; read++) {
          const item = await reader.read();
          if (item === null) return false;
          const name = readName(item.name as unknown as Buffer);
          if (name !== undefined && (from === undefined || name >= from)) names.push(name);
        }
        return true;
      }, NAMES_WEIGHT);
      if (names.length > 4 * NAMES_AT_ONCE) names = names.sort().slice(0, count);
    }
  } finally {
    work.later(() => reader.close());
  }
  return names.sort().slice(0, count);
}

function readName(bytes: Buffer): string | undefined {
  const name = bytes.toString();
  return Buffer.from(name).equals(bytes) ? name : undefined;
}

async function lookAgain({ disk, work, sealed }: Listing, folder: HeldFolder, name: string) {
  try {
    const stats = await disk.look(work, folder, name);
    // The host's own folders are not even there.
    return sealed.holds(`${folder.path}/${name}`, stats) ? undefined : stats;
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return undefined;
    throw error;
  }
}
