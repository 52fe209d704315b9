/** Files and folders that are on the disk, not only on their way to it. */
import { closeSync, fsyncSync, mkdirSync, openSync, readdirSync, writeSync } from 'node:fs';
import { open } from 'node:fs/promises';
import { join } from 'node:path';

const FILE_MODE = 0o400;
/** Not read-only as well: an operator who deletes the data folder would be told that it cannot be. */
const FOLDER_MODE = 0o700;

/** A new file, read-only from then on. @throws Error when something of that name is there */
export function placeFile(path: string, content: Uint8Array): void {
  const fd = openSync(path, 'wx', FILE_MODE);
  try {
    for (let written = 0; written < content.length; ) written += writeSync(fd, content, written);
    fsyncSync(fd);
  } finally {
    closeSync(fd);
  }
}

export function makeFolder(path: string): void {
  mkdirSync(path, { recursive: true, mode: FOLDER_MODE });
}

/** The folders of a tree whose files are on the disk already. */
export function syncTree(folder: string): void {
  for (const entry of readdirSync(folder, { withFileTypes: true })) {
    if (entry.isDirectory()) syncTree(join(folder, entry.name));
  }
  const fd = openSync(folder, 'r');
  try {
    fsyncSync(fd);
  } finally {
    closeSync(fd);
  }
}

export async function syncFolder(folder: string): Promise<void> {
  const handle = await open(folder, 'r');
  try {
    await handle.sync();
  } finally {
    await handle.close();
  }
}
