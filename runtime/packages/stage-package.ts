/** From the bytes of a stranger to a folder that may be installed: received, unpacked, its manifest read, on the disk. */
import { randomUUID } from 'node:crypto';
import { mkdir, rm } from 'node:fs/promises';
import { join } from 'node:path';
import type { Manifest } from '@plexichat/sdk/protocol/manifest';
import { PackageError } from './package-error.ts';
import { receiveBytes } from './receive-bytes.ts';
import { createUnpackChores, type StagedPackage } from './unpack-chores.ts';

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

export interface StagingOptions {
  /** URL of a file of the room above that exports `parseManifest`: it runs in the thread that unpacks. */
  readonly manifestFile: string;
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
  const { manifestFile, receiveMs = 300_000, unpackMs = 60_000 } = options;
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
        const staged = await chores.stage({ zip, folder, manifestFile });
        signal?.throwIfAborted();
        return { folder, ...toStaged(staged) };
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

function toStaged({ unpacked: { hash, bytes, publisher }, manifest }: StagedPackage): Omit<Staged, 'folder'> {
  return { name: manifest.module_name, version: manifest.module_version, hash, publisher, bytes, manifest };
}

function busy(): PackageError {
  return new PackageError('busy', [{ path: '', message: 'Too many packages arrive at once; try again in a minute.' }]);
}
