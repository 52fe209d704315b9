/** Packages on the disk of whoever types: opened with the suspicion of a host, written whole or not at all. */
import { randomUUID } from 'node:crypto';
import { constants } from 'node:fs';
import { mkdtemp, open, readFile, rename, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { formatIssue } from '../config/yaml-issue.ts';
import { parseManifest } from '../modules/manifest.ts';
import { PACKAGE_BOUNDS, showBytes } from '../packages/package-bounds.ts';
import { PackageError } from '../packages/package-error.ts';
import { CONFIG_FILE } from '../packages/package-layout.ts';
import type { UnpackedPackage } from '../packages/unpack.ts';
import { createUnpackChores } from '../packages/unpack-chores.ts';
import { UserError } from './user-error.ts';

export interface OpenedPackage extends UnpackedPackage {
  readonly name: string;
  readonly version: string;
}

/** @param work gets what was found, and the folder with its files, which is gone afterwards. @throws UserError */
export async function openPackage<Value>(
  bytes: Uint8Array,
  work: (opened: OpenedPackage, folder: string) => Promise<Value>,
): Promise<Value> {
  const temporary = await mkdtemp(join(tmpdir(), 'plexi-'));
  const chores = createUnpackChores();
  try {
    const zip = join(temporary, 'package.zip');
    await writeFile(zip, bytes);
    const folder = join(temporary, 'package');
    const unpacked = await chores.unpack({ zip, folder });
    const parsed = parseManifest(unpacked.config, CONFIG_FILE);
    if (!parsed.ok) throw new UserError(parsed.issues.map(formatIssue).join('\n'));
    const { module_name: name, module_version: version } = parsed.manifest;
    return await work({ ...unpacked, name, version }, folder);
  } catch (error) {
    throw error instanceof PackageError ? new UserError(error.message) : error;
  } finally {
    await chores.close();
    await rm(temporary, { recursive: true, force: true });
  }
}

/** @throws UserError */
export async function readPackageFile(file: string): Promise<Uint8Array> {
  const handle = await open(file, constants.O_RDONLY | constants.O_NONBLOCK).catch((error: NodeJS.ErrnoException) => {
    throw new UserError(error.code === 'ENOENT' ? `${file}: there is no such file.` : `${file}: ${error.message}`);
  });
  try {
    const status = await handle.stat();
    if (!status.isFile()) throw new UserError(`${file}: this is no file.`);
    if (status.size > PACKAGE_BOUNDS.zipBytes) {
      throw new UserError(
        `${file}: it has ${showBytes(status.size)}; allowed are ${showBytes(PACKAGE_BOUNDS.zipBytes)}.`,
      );
    }
    return await handle.readFile();
  } finally {
    await handle.close();
  }
}

/** A draft that is moved into place. @throws UserError when the folder is not there or may not be written */
export async function placePackageFile(file: string, bytes: Uint8Array): Promise<void> {
  const draft = `${file}.${randomUUID()}`;
  try {
    await writeFile(draft, bytes, { flag: 'wx', flush: true });
    await rename(draft, file);
  } catch (error) {
    await rm(draft, { force: true });
    throw new UserError(`${file}: it cannot be written: ${(error as Error).message}`);
  }
}

/** All files of an unpacked package. */
export async function readUnpacked({ files }: OpenedPackage, folder: string): Promise<Map<string, Uint8Array>> {
  const content = new Map<string, Uint8Array>();
  for (const path of files) content.set(path, await readFile(join(folder, path)));
  return content;
}
