/** From the bytes of a stranger to a folder that may be installed: received, unpacked, its manifest read, on the disk. */
import { randomUUID } from 'node:crypto';
import { mkdir, rm } from 'node:fs/promises';
import { join } from 'node:path';
import type { Manifest } from '@plexichat/sdk/protocol/manifest';
import type { YamlIssue } from '../config/yaml-issue.ts';
import { syncTree } from './durable.ts';
import { PACKAGE_BOUNDS } from './package-bounds.ts';
import { PackageError, type PackageIssue } from './package-error.ts';
import { CONFIG_FILE } from './package-layout.ts';
import { writeRecord } from './package-record.ts';
import { receiveBytes } from './receive-bytes.ts';
import type { UnpackedPackage } from './unpack.ts';
import { createUnpackChores } from './unpack-chores.ts';

/** A package that passed every check and is not installed yet: `commit` it or `drop` it. */
export interface Staged {
  /** Absolute; what is in it may be read, not changed. It moves with `commit`. */
  readonly folder: string;
  readonly name: string;
  readonly version: string;
  /** SHA-256 over the paths and contents of its files, in hexadecimal. */
  readonly hash: string;
  /** The Ed25519 key that signed it, in base64 (checked); nothing when it is unsigned. */
  readonly publisher: string | undefined;
  /** Unpacked. */
  readonly bytes: number;
  /** As config.yaml has it, without the environment. */
  readonly manifest: Manifest;
}

export type ReadManifest = (
  text: string,
  file: string,
) => { readonly ok: true; readonly manifest: Manifest } | { readonly ok: false; readonly issues: readonly YamlIssue[] };

export interface StagingOptions {
  /** Reads config.yaml: `parseManifest` of the room above. */
  readonly readManifest: ReadManifest;
  /** For the bytes of one package to arrive. */
  readonly receiveMs?: number;
  /** For one package to be unpacked, from when its turn has come. */
  readonly unpackMs?: number;
}

export interface Staging {
  /** @throws PackageError that names every entry at fault; the reason of the signal when that aborts; nothing is left then */
  stage(bytes: AsyncIterable<Uint8Array>, signal?: AbortSignal): Promise<Staged>;
  close(): Promise<void>;
}

/** Uploads at once: each may fill the disk up to the bounds of a package. */
const MAX_AT_ONCE = 8;
// A thread that is being ended may still write a file.
const GONE = { recursive: true, force: true, maxRetries: 5 } as const;

/** @param root is emptied: what lies there was left half done */
export async function openStaging(root: string, options: StagingOptions): Promise<Staging> {
  const { readManifest, receiveMs = 300_000, unpackMs = 60_000 } = options;
  await rm(root, GONE);
  await mkdir(root, { recursive: true, mode: 0o700 });
  const chores = createUnpackChores({ deadlineMs: unpackMs });
  let staging = 0;

  return {
    async stage(bytes, signal) {
      if (staging >= MAX_AT_ONCE) throw busy();
      const id = randomUUID();
      const zip = join(root, `${id}.zip`);
      const folder = join(root, id);
      staging += 1;
      try {
        await receiveBytes(bytes, zip, { withinMs: receiveMs, signal });
        const unpacked = await chores.unpack({ zip, folder });
        const staged = { folder, ...toStaged(unpacked, readManifest) };
        const { name, version, hash, publisher = null, bytes: size } = staged;
        writeRecord(folder, { name, version, hash, publisher, bytes: size, stored_at: Date.now() });
        syncTree(folder);
        signal?.throwIfAborted();
        return staged;
      } catch (error) {
        await rm(folder, GONE);
        throw error;
      } finally {
        staging -= 1;
        await rm(zip, { force: true });
      }
    },
    close: () => chores.close(),
  };
}

function toStaged({ config, hash, bytes, publisher }: UnpackedPackage, readManifest: ReadManifest) {
  const read = readManifest(config, CONFIG_FILE);
  if (!read.ok) throw new PackageError('refused', read.issues.slice(0, PACKAGE_BOUNDS.issues).map(manifestIssue));
  const { manifest } = read;
  return { name: manifest.module_name, version: manifest.module_version, hash, publisher, bytes, manifest };
}

function manifestIssue({ file, line, column, key, message }: YamlIssue): PackageIssue {
  const place = line > 0 ? `${file}:${line}:${column}` : file;
  return { path: key === '' ? place : `${place} ${key}`, message };
}

function busy(): PackageError {
  return new PackageError('busy', [{ path: '', message: 'Too many packages arrive at once; try again in a minute.' }]);
}
