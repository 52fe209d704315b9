/** The versions that are on disk, in memory: read once, at the start. */
import { readdir } from 'node:fs/promises';
import { join } from 'node:path';
import { compareBuild } from 'semver';
import { type PackageRecord, readRecord } from './package-record.ts';

/** What is known of an installed version. */
export interface StoredVersion {
  readonly version: string;
  /** Absolute. */
  readonly folder: string;
  /** SHA-256 over the paths and contents of its files, in hexadecimal. */
  readonly hash: string;
  readonly publisher: string | undefined;
  /** Unpacked. */
  readonly bytes: number;
  /** Epoch milliseconds. */
  readonly storedAt: number;
}

export interface VersionShelf {
  get(name: string, version: string): StoredVersion | undefined;
  /** Newest first. */
  list(name: string): readonly StoredVersion[];
  put(record: PackageRecord): StoredVersion;
  drop(name: string, version: string): void;
  totalBytes(): number;
}

/** Boundary: only names from records that the store wrote get in; what else lies there is left alone. */
export async function readShelf(root: string): Promise<VersionShelf> {
  const shelf = createShelf(root);
  for (const name of await foldersOf(root)) {
    for (const version of await foldersOf(join(root, name))) {
      const record = await readRecord(join(root, name, version));
      if (record?.name === name && record.version === version) shelf.put(record);
    }
  }
  return shelf;
}

function createShelf(root: string): VersionShelf {
  const modules = new Map<string, Map<string, StoredVersion>>();
  let total = 0;
  const drop = (name: string, version: string): void => {
    total -= modules.get(name)?.get(version)?.bytes ?? 0;
    modules.get(name)?.delete(version);
    if (modules.get(name)?.size === 0) modules.delete(name);
  };
  return {
    get: (name, version) => modules.get(name)?.get(version),
    list: (name) =>
      [...(modules.get(name)?.values() ?? [])].sort((left, right) => compareBuild(right.version, left.version)),
    put(record) {
      const { name, version, hash, bytes } = record;
      drop(name, version);
      const publisher = record.publisher ?? undefined;
      const stored = { version, folder: join(root, name, version), hash, publisher, bytes, storedAt: record.stored_at };
      modules.set(name, (modules.get(name) ?? new Map()).set(version, stored));
      total += bytes;
      return stored;
    },
    drop,
    totalBytes: () => total,
  };
}

async function foldersOf(folder: string): Promise<string[]> {
  const entries = await readdir(folder, { withFileTypes: true });
  return entries.filter((entry) => entry.isDirectory() && !entry.name.startsWith('.')).map(({ name }) => name);
}
