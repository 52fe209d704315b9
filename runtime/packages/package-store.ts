/** The installed versions of modules on disk: each is whole or not there, and never changes. */
import { randomUUID } from 'node:crypto';
import { access, mkdir, rename, rm } from 'node:fs/promises';
import { join, resolve } from 'node:path';
import { syncFolder } from './durable.ts';
import { hashOfFolder } from './file-hashes.ts';
import { showBytes } from './package-bounds.ts';
import { PackageError, type PackageFault } from './package-error.ts';
import { openStaging, type Staged, type Staging, type StagingOptions } from './stage-package.ts';
import { readShelf, type StoredVersion } from './version-shelf.ts';

export type { Staged } from './stage-package.ts';

export interface PackageStoreOptions extends StagingOptions {
  /** `data/packages`; made when it is missing. */
  readonly folder: string;
  /** Versions kept of one module; more are refused, or replace the oldest that may go. */
  readonly maxVersions?: number;
  /** All versions of all modules together, unpacked. */
  readonly maxTotalBytes?: number;
  /** Whether a version may be removed to make room for a newer one of the same module; none may without it. */
  readonly mayRemove?: (name: string, version: string) => boolean;
}

export interface PackageStore extends Pick<Staging, 'stage'> {
  /**
   * The same bytes again are the same version.
   * @returns its folder
   * @throws PackageError when the version is there with other bytes, or there is no room; it is still staged then
   */
  commit(staged: Staged): Promise<string>;
  drop(staged: Staged): Promise<void>;
  /** Absolute; nothing when that version is not installed. */
  folderOf(name: string, version: string): string | undefined;
  /** Newest first, by semver. */
  versions(name: string): readonly StoredVersion[];
  /** Whether its files are those that were installed. */
  isWhole(name: string, version: string): Promise<boolean>;
  /** Nothing happens when it is not there. */
  remove(name: string, version: string): Promise<void>;
  /** Ends the chores; what is staged is swept at the next start. */
  close(): Promise<void>;
}

const STAGING = '.staging';
const GONE = { recursive: true, force: true } as const;

/** Sweeps what an earlier host left half done. */
export async function openPackageStore(options: PackageStoreOptions): Promise<PackageStore> {
  const { maxVersions = 10, maxTotalBytes = 2 ** 31, mayRemove = () => false } = options;
  const root = resolve(options.folder);
  const stagingRoot = join(root, STAGING);
  const staging = await openStaging(stagingRoot, options);
  const shelf = await readShelf(root);
  const inTurn = createTurns();

  const remove = async (name: string, version: string): Promise<void> => {
    const stored = shelf.get(name, version);
    if (stored === undefined) return;
    await moveAway(stored.folder, stagingRoot);
    shelf.drop(name, version);
  };

  const makeRoom = async ({ name, bytes }: Staged): Promise<void> => {
    const kept = [...shelf.list(name)];
    const leaving: StoredVersion[] = [];
    while (kept.length >= maxVersions) {
      const oldest = kept.findLastIndex(({ version }) => mayRemove(name, version));
      if (oldest === -1) throw refused('full', tooManyVersions(name, kept));
      leaving.push(...kept.splice(oldest, 1));
    }
    const freed = leaving.reduce((sum, version) => sum + version.bytes, 0);
    const total = shelf.totalBytes() - freed + bytes;
    if (total > maxTotalBytes) throw refused('full', tooManyBytes(total, maxTotalBytes));
    for (const { version } of leaving) await remove(name, version);
  };

  const commit = async (staged: Staged): Promise<string> => {
    const { name, version, hash, publisher = null, bytes, folder } = staged;
    const known = shelf.get(name, version);
    if (known !== undefined) {
      if (known.hash !== hash) throw refused('refused', otherBytes(staged));
      await rm(folder, GONE);
      return known.folder;
    }
    await makeRoom(staged);
    const target = join(root, name, version);
    await mkdir(join(root, name), { recursive: true, mode: 0o700 });
    await syncFolder(root);
    // What holds no version of ours keeps the place of one: damage of the disk, or somebody's hand.
    await moveAway(target, stagingRoot);
    await rename(folder, target);
    await syncFolder(join(root, name));
    return shelf.put({ name, version, hash, publisher, bytes, stored_at: Date.now() }).folder;
  };

  return {
    stage: (bytes, signal) => staging.stage(bytes, signal),
    commit: (staged) => inTurn(() => commit(staged)),
    drop: ({ folder }) => rm(folder, GONE),
    folderOf: (name, version) => shelf.get(name, version)?.folder,
    versions: (name) => shelf.list(name),
    async isWhole(name, version) {
      const stored = shelf.get(name, version);
      return stored !== undefined && (await hashOfFolder(stored.folder).catch(() => '')) === stored.hash;
    },
    remove: (name, version) => inTurn(() => remove(name, version)),
    close: () => staging.close(),
  };
}

/** One step makes it vanish whole; the rest may take its time, and is swept when nobody got that far. */
async function moveAway(folder: string, staging: string): Promise<void> {
  if (!(await isThere(folder))) return;
  const grave = join(staging, `removed-${randomUUID()}`);
  await rename(folder, grave);
  await syncFolder(join(folder, '..'));
  await rm(grave, GONE);
}

function isThere(path: string): Promise<boolean> {
  return access(path).then(
    () => true,
    () => false,
  );
}

/** What changes the shelf waits for what changed it before. */
function createTurns() {
  let turn: Promise<unknown> = Promise.resolve();
  return <Value>(work: () => Promise<Value>): Promise<Value> => {
    const mine = turn.then(work);
    turn = mine.catch(() => {});
    return mine;
  };
}

function otherBytes({ name, version }: Staged): string {
  return `${name} ${version} is installed with other bytes. A version never changes: give the new one a new module_version.`;
}

function tooManyVersions(name: string, kept: readonly StoredVersion[]): string {
  const versions = kept.map(({ version }) => version).join(', ');
  return `${kept.length} versions of ${name} are kept, as many as packages.versions allows, and all are in use: ${versions}.`;
}

function tooManyBytes(total: number, max: number): string {
  return `All packages together would have ${showBytes(total)}; packages.total_mb allows ${showBytes(max)}. Remove modules, or raise it.`;
}

function refused(fault: PackageFault, message: string): PackageError {
  return new PackageError(fault, [{ path: '', message }]);
}
