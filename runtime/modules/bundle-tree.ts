/** esbuild reads package.json files by itself, past our plugin: so they are looked at before it starts. */
import { type Dirent, lstatSync, opendirSync } from 'node:fs';
import { join, relative } from 'node:path';
import { BundleError } from './bundle-error.ts';

const MAX_ENTRIES = 50_000;
const MAX_BYTES = 1024 * 1024;
const READ_BY_BUNDLER = new Set([
  'package.json',
  'tsconfig.json',
  'jsconfig.json',
  '.pnp.cjs',
  '.pnp.js',
  '.pnp.data.json',
]);

/** @throws BundleError when the folder holds something that the bundler would read for ever, or from elsewhere. */
export function assertPlainTree(folder: string): void {
  let entries = 0;
  const folders = [folder];
  for (const at of folders) {
    for (const entry of list(at)) {
      entries += 1;
      if (entries > MAX_ENTRIES) throw refused('', `The folder has more than ${MAX_ENTRIES} files.`);
      const path = join(at, entry.name);
      // Links are not followed: the way behind them is checked file by file.
      if (entry.isDirectory()) folders.push(path);
      // Boundary: a package.json that links to /dev/zero would never end.
      else if (READ_BY_BUNDLER.has(entry.name) && !isPlain(path)) {
        throw refused(relative(folder, path), `This must be an ordinary file of at most ${MAX_BYTES / 1024} KB.`);
      }
    }
  }
}

function* list(folder: string): Generator<Dirent> {
  const directory = opendirSync(folder);
  try {
    for (let entry = directory.readSync(); entry !== null; entry = directory.readSync()) yield entry;
  } finally {
    directory.closeSync();
  }
}

function isPlain(path: string): boolean {
  const status = lstatSync(path);
  return status.isFile() && status.size <= MAX_BYTES;
}

function refused(file: string, message: string): BundleError {
  return new BundleError([{ file, line: 0, column: 0, message }]);
}
