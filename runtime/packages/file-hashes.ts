/** What a version is: one hash over the paths and contents of its files, in whatever order they came. */
import { createHash } from 'node:crypto';
import { readdir, readFile } from 'node:fs/promises';
import { join, relative, sep } from 'node:path';
import { byPath, type FileHashes } from './integrity.ts';
import { RECORD_FILE } from './package-record.ts';

/** @returns SHA-256 in hexadecimal */
export function hashOfFiles(hashes: FileHashes): string {
  const sum = createHash('sha256');
  for (const [path, hash] of [...hashes].sort(byPath)) sum.update(`${hash}  ${path}\n`);
  return sum.digest('hex');
}

/** The same of a folder on disk, without the store's own record. */
export async function hashOfFolder(folder: string): Promise<string> {
  const hashes = new Map<string, string>();
  for (const entry of await readdir(folder, { recursive: true, withFileTypes: true })) {
    if (entry.isDirectory()) continue;
    const file = join(entry.parentPath, entry.name);
    const path = relative(folder, file).split(sep).join('/');
    if (path === RECORD_FILE) continue;
    hashes.set(
      path,
      createHash('sha256')
        .update(await readFile(file))
        .digest('hex'),
    );
  }
  return hashOfFiles(hashes);
}
