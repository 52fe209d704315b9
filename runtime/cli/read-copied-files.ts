/** The files of a module's folder that go into its package as they are. */
import { constants } from 'node:fs';
import { open, readdir } from 'node:fs/promises';
import { join } from 'node:path';
import { findNameProblem } from '../packages/entry-name.ts';
import { PACKAGE_BOUNDS, showBytes } from '../packages/package-bounds.ts';
import { COPIED_FILES, COPIED_FOLDERS } from '../packages/package-layout.ts';
import { UserError } from './user-error.ts';

export interface CopiedFiles {
  readonly files: Map<string, Uint8Array>;
  /** Hidden ones: `.DS_Store`. */
  readonly leftOut: readonly string[];
}

/** @throws UserError */
export async function readCopiedFiles(folder: string): Promise<CopiedFiles> {
  const copied = { files: new Map<string, Uint8Array>(), leftOut: [] as string[] };
  for (const path of COPIED_FILES) {
    const content = await readPlainFile(join(folder, path), path);
    if (content !== undefined) copied.files.set(path, content);
  }
  for (const path of COPIED_FOLDERS) await readFolder(folder, path, copied);
  return copied;
}

async function readFolder(root: string, path: string, copied: CopiedFiles & { leftOut: string[] }): Promise<void> {
  const entries = await readdir(join(root, path), { withFileTypes: true }).catch(noneOrThrow);
  for (const entry of entries) {
    const inner = `${path}/${entry.name}`;
    if (entry.name.startsWith('.')) {
      copied.leftOut.push(inner);
      continue;
    }
    const problem = findNameProblem(inner);
    if (problem !== undefined) throw new UserError(`${inner}: ${problem}`);
    if (entry.isDirectory()) {
      await readFolder(root, inner, copied);
      continue;
    }
    const content = await readPlainFile(join(root, inner), inner);
    if (content !== undefined) copied.files.set(inner, content);
    if (copied.files.size > PACKAGE_BOUNDS.entries) {
      throw new UserError(`The package would have more than ${PACKAGE_BOUNDS.entries} files.`);
    }
  }
}

function noneOrThrow(error: unknown): [] {
  if ((error as NodeJS.ErrnoException).code === 'ENOENT') return [];
  throw error;
}

/** Boundary: a link could lead to a file of the author's that is nobody else's business. */
async function readPlainFile(file: string, path: string): Promise<Uint8Array | undefined> {
  const handle = await open(file, constants.O_RDONLY | constants.O_NOFOLLOW | constants.O_NONBLOCK).catch(
    (error: NodeJS.ErrnoException) => {
      if (error.code === 'ENOENT') return undefined;
      throw new UserError(
        error.code === 'ELOOP' ? `${path}: it is a link; put the file itself there` : `${path}: ${error.message}`,
      );
    },
  );
  if (handle === undefined) return undefined;
  try {
    const status = await handle.stat();
    if (!status.isFile()) throw new UserError(`${path}: it is no plain file`);
    if (status.size > PACKAGE_BOUNDS.fileBytes) {
      throw new UserError(
        `${path}: it has ${showBytes(status.size)}; allowed are ${showBytes(PACKAGE_BOUNDS.fileBytes)}`,
      );
    }
    return await handle.readFile();
  } finally {
    await handle.close();
  }
}
