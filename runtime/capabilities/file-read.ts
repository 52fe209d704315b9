/** A file for a module to read, in pieces, for as long as it takes them. */
import type { ByteSource } from '@plexichat/sdk/protocol/body-streams';
import type { FileEntry } from '@plexichat/sdk/protocol/capabilities/files';
import { PlexiError } from '@plexichat/sdk/protocol/errors';
import type { HeldFile } from './file-disk.ts';
import { entryOf, refuseKind } from './file-entry.ts';
import { toFileError } from './file-errors.ts';
import { assertInside, assertOpen, openPlace, splitName, type Walk } from './file-walk.ts';
import type { FileWork } from './file-work.ts';

export interface ReadOptions {
  /** As the module wrote it. */
  readonly path: string;
  readonly steps: readonly string[];
  readonly maxBytes: number;
}

export interface ReadFile {
  readonly entry: FileEntry;
  readonly file: HeldFile;
}

const PIECE_BYTES = 64 * 1024;

export async function openToRead(walk: Walk, { path, steps: all, maxBytes }: ReadOptions): Promise<ReadFile> {
  const { disk, work, refuse } = walk;
  const { steps, name } = splitName(all, path);
  const { folder, root } = await openPlace(walk, steps);
  assertOpen(walk, folder, name);
  const file = await disk.openFile(work, folder, name);
  if (file === undefined) return refuseKind(refuse, await disk.look(work, folder, name), path);
  // Boundary: the other name of a file may be outside, and no path can show it.
  if (file.stats.nlink > 1n)
    refuse(`has ${file.stats.nlink} names on the disk (hard links), and not all may be inside`);
  await assertInside(walk, root, file);
  if (file.stats.size > maxBytes) {
    throw new PlexiError('QUOTA_EXCEEDED', `${path} has ${file.stats.size} bytes, at most ${maxBytes} are read.`);
  }
  return { entry: entryOf(path, file.stats), file };
}

export interface SourceOptions {
  readonly work: FileWork;
  readonly file: HeldFile;
  readonly path: string;
  readonly maxBytes: number;
  /** Between two pieces. */
  readonly idleMs: number;
  /** Called once, when it is read, failed, cancelled or forgotten. */
  readonly onEnd: () => void;
}

export function createFileSource({ work, file, path, maxBytes, idleMs, onEnd }: SourceOptions): ByteSource {
  let position = 0;
  let failure: PlexiError | undefined;
  let hasEnded = false;
  const end = (): void => {
    if (hasEnded) return;
    hasEnded = true;
    clearTimeout(idle);
    work.end();
    onEnd();
  };
  const forget = (): void => {
    failure = new PlexiError('FILES_UNAVAILABLE', `${path} was closed: nobody read on for ${idleMs / 1000} seconds.`);
    end();
  };
  let idle = setTimeout(forget, idleMs).unref();
  return {
    async read() {
      if (failure !== undefined) throw failure;
      if (hasEnded) return undefined;
      clearTimeout(idle);
      work.renew();
      const piece = Buffer.allocUnsafeSlow(PIECE_BYTES);
      try {
        const { bytesRead } = await work.call(() => file.handle.read(piece, 0, PIECE_BYTES, position));
        position += bytesRead;
        if (position > maxBytes) throw new PlexiError('QUOTA_EXCEEDED', `${path} grew over ${maxBytes} bytes.`);
        if (bytesRead === 0) {
          end();
          return undefined;
        }
        if (!hasEnded) idle = setTimeout(forget, idleMs).unref();
        return piece.subarray(0, bytesRead);
      } catch (error) {
        end();
        throw toFileError(error, path);
      }
    },
    cancel: end,
  };
}
