/** A package store in a folder of its own, and packages to put into it. */
import { join } from 'node:path';
import { onTestFinished } from 'vitest';
import { manifestFile } from '../../runtime/modules/manifest.ts';
import { PackageError } from '../../runtime/packages/package-error.ts';
import { openPackageStore, type PackageStore, type PackageStoreOptions } from '../../runtime/packages/package-store.ts';
import { writePackage } from '../../runtime/packages/write-package.ts';
import { tempFolder } from './temp-folder.ts';

export interface PackageRoom {
  readonly folder: string;
  readonly store: PackageStore;
}

export async function packageRoom(
  options: Partial<PackageStoreOptions> = {},
  folder = join(tempFolder(), 'packages'),
): Promise<PackageRoom> {
  const store = await openPackageStore({ folder, manifestFile, ...options });
  onTestFinished(() => store.close());
  return { folder, store };
}

export function configOf(version = '1.0.0', name = 'probe'): string {
  return `module_name: ${name}\nmodule_version: ${version}\n`;
}

export function packedFiles(version = '1.0.0', more: Readonly<Record<string, string>> = {}): Map<string, Uint8Array> {
  const files = { 'config.yaml': configOf(version), 'module.js': 'export default class {}\n', ...more };
  return new Map(Object.entries(files).map(([path, text]) => [path, Buffer.from(text)]));
}

export function packed(version?: string, more?: Readonly<Record<string, string>>): Uint8Array {
  return writePackage(packedFiles(version, more));
}

export async function* bytesOf(bytes: Uint8Array, pieceBytes = 65_536): AsyncGenerator<Uint8Array> {
  for (let at = 0; at < bytes.length; at += pieceBytes) yield bytes.subarray(at, at + pieceBytes);
}

/** What the store says of the package, or nothing when it takes it. */
export async function refusalOf(store: PackageStore, bytes: Uint8Array): Promise<PackageError | undefined> {
  try {
    await store.drop(await store.stage(bytesOf(bytes)));
    return undefined;
  } catch (error) {
    if (error instanceof PackageError) return error;
    throw error;
  }
}
