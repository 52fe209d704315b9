/** A module writes a file: all of it or nothing, under a name of our own first, then renamed into place. */
import { randomBytes } from 'node:crypto';
import { type FileHandle, link, rename, unlink } from 'node:fs/promises';
import type { ByteSource } from '@plexichat/sdk/protocol/body-streams';
import { PlexiError } from '@plexichat/sdk/protocol/errors';
import { reserveOf } from '../state/disk-reserve.ts';
import type { HeldFolder } from './file-disk.ts';
import { refuseKind } from './file-entry.ts';
import { isMissing } from './file-errors.ts';
import { assertInside, assertOpen, openPlace, splitName, type Walk } from './file-walk.ts';

export interface WriteOptions {
  /** As the module wrote it. */
  readonly path: string;
  readonly steps: readonly string[];
  readonly source: ByteSource;
  readonly overwrite: boolean;
  readonly flush: boolean;
  readonly maxBytes: number;
  /** Until the module sends the next piece. */
  readonly idleMs: number;
}

const LOOK_AT_SPACE_EVERY = 16 * 1024 * 1024;
const PERMISSION_BITS = 0o777;

/** @returns whether it was written: false only when it was there and must not be overwritten */
export async function writeFile(walk: Walk, options: WriteOptions): Promise<boolean> {
  const { disk, work } = walk;
  const { path, overwrite, flush } = options;
  const { steps, name } = splitName(options.steps, path);
  const { folder, root } = await openPlace(walk, steps, true);
  assertOpen(walk, folder, name);
  const mode = await modeOf(walk, folder, name, path);
  if (mode !== undefined && !overwrite) return false;
  const draft = `.plexi-${randomBytes(12).toString('hex')}.part`;
  const handle = await disk.createFile(work, folder, draft, mode ?? 0o666);
  let isDraft = true;
  try {
    if (mode !== undefined) await work.call(() => handle.chmod(mode));
    await fill(walk, folder, handle, options);
    if (flush) await work.call(() => handle.sync());
    // Boundary: the folder may have been moved since; what is in a draft outside has no name that counts.
    await assertInside(walk, root, folder);
    if (overwrite) {
      await work.call(() => rename(disk.at(folder, draft), disk.at(folder, name)));
      isDraft = false;
    } else if (!(await linkOnce(walk, folder, draft, name))) return false;
    if (flush) await flushFolder(walk, folder);
    return true;
  } finally {
    // In this order: the folder's handle is what the draft is named by.
    work.close(handle);
    if (isDraft) work.later(() => unlink(disk.at(folder, draft)));
  }
}

/** Of the file that is there, so that it stays as open as it was. @throws PlexiError when it is no plain file */
async function modeOf(
  { disk, work, refuse }: Walk,
  folder: HeldFolder,
  name: string,
  path: string,
): Promise<number | undefined> {
  try {
    const there = await disk.look(work, folder, name);
    return there.isFile() ? Number(there.mode) & PERMISSION_BITS : refuseKind(refuse, there, path);
  } catch (error) {
    if (isMissing(error)) return undefined;
    throw error;
  }
}

async function fill(walk: Walk, folder: HeldFolder, handle: FileHandle, options: WriteOptions): Promise<void> {
  const { work } = walk;
  const { path, source, maxBytes, idleMs } = options;
  let total = 0;
  let looked = Number.NEGATIVE_INFINITY;
  for (let piece = await next(source, idleMs, path); piece !== undefined; piece = await next(source, idleMs, path)) {
    work.renew();
    const bytes = piece;
    if (total + bytes.byteLength > maxBytes) {
      throw new PlexiError('QUOTA_EXCEEDED', `${path} would have more than ${maxBytes} bytes.`);
    }
    if (total - looked >= LOOK_AT_SPACE_EVERY) {
      await assertSpace(walk, folder, path);
      looked = total;
    }
    for (let from = 0; from < bytes.byteLength; ) {
      const { bytesWritten } = await work.call(() => handle.write(bytes, from));
      from += bytesWritten;
    }
    total += bytes.byteLength;
  }
  work.renew();
}

async function next(source: ByteSource, idleMs: number, path: string): Promise<Uint8Array | undefined> {
  let timer: NodeJS.Timeout | undefined;
  const idle = new Promise<never>((_resolve, reject) => {
    const error = new PlexiError(
      'FILES_UNAVAILABLE',
      `${path} was given up: nothing came for ${idleMs / 1000} seconds.`,
    );
    timer = setTimeout(reject, idleMs, error).unref();
  });
  try {
    return await Promise.race([source.read(), idle]);
  } catch (error) {
    if (error instanceof PlexiError) throw error;
    throw new PlexiError('INVALID_CALL', `${path} was not written: what was to be in it broke off.`, { cause: error });
  } finally {
    clearTimeout(timer);
  }
}

async function assertSpace({ disk, work }: Walk, folder: HeldFolder, path: string): Promise<void> {
  const { freeBytes, totalBytes } = await disk.spaceOf(work, folder);
  if (freeBytes - LOOK_AT_SPACE_EVERY > reserveOf(totalBytes)) return;
  throw new PlexiError('FILES_UNAVAILABLE', `${path} was not written: the disk is nearly full.`);
}

/** Gives the name to nobody else's file. The draft's own name goes with the draft. */
async function linkOnce({ disk, work }: Walk, folder: HeldFolder, draft: string, name: string): Promise<boolean> {
  try {
    await work.call(() => link(disk.at(folder, draft), disk.at(folder, name)));
    // Gone before anybody reads it: a file with two names is not read.
    await work.call(() => unlink(disk.at(folder, draft)));
    return true;
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'EEXIST') return false;
    throw error;
  }
}

async function flushFolder({ disk, work }: Walk, folder: HeldFolder): Promise<void> {
  // A handle that only names the folder cannot flush it.
  const handle = await work.open(disk.self(folder), 0);
  await work.call(() => handle.sync());
}
