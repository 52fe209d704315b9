/** A copy of the cell files that other users can read: the host's data folder is closed to everybody else. */
import { accessSync, constants, lstatSync, readlinkSync, realpathSync, statSync } from 'node:fs';
import { chmod, copyFile, mkdir, mkdtemp, readdir, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { type CellFiles, cellFilesIn } from '../build.ts';

export interface SharedCellFiles {
  readonly files: CellFiles;
  remove(): Promise<void>;
}

const NAME = 'plexi-cells';
const READ_BY_ALL = 0o444;
const ENTERED_BY_ALL = 0o555;
/** Search permission for others. */
const OTHERS_PASS = 0o001;

/** Where such a copy can lie: not where files are removed by their age, if there is a choice. */
export function publicFolder(): string | undefined {
  return ['/run', '/dev/shm', tmpdir(), '/var/tmp'].find(isOpenToAll);
}

/** Nobody but the host may write to it, so a cell cannot change what the next one runs. */
export async function shareCellFiles(files: CellFiles, parent: string): Promise<SharedCellFiles> {
  await removeForgotten(parent);
  const folder = await mkdtemp(join(realpathSync(parent), `${ownPrefix()}${process.pid}-`));
  const remove = (): Promise<void> => rm(folder, { recursive: true, force: true });
  try {
    const shared = cellFilesIn(folder, files.kernelHash);
    for (const entry of await readdir(files.folder, { withFileTypes: true })) {
      if (!entry.isFile()) continue;
      const target = join(folder, entry.name);
      await copyFile(join(files.folder, entry.name), target);
      await chmod(target, READ_BY_ALL);
    }
    await mkdir(shared.emptyFolder);
    await chmod(shared.emptyFolder, ENTERED_BY_ALL);
    await chmod(folder, ENTERED_BY_ALL);
    return { files: shared, remove };
  } catch (error) {
    await remove();
    throw error;
  }
}

/** A host that was killed could not remove its own. */
async function removeForgotten(parent: string): Promise<void> {
  const prefix = ownPrefix();
  for (const name of await readdir(parent)) {
    if (!name.startsWith(prefix)) continue;
    const processId = Number(name.slice(prefix.length).split('-')[0]);
    if (!Number.isSafeInteger(processId) || processId <= 0 || isRunning(processId)) continue;
    const folder = join(parent, name);
    // Boundary: the place may be open to all, and whoever owns a folder can make its removal reach elsewhere.
    const { uid } = lstatSync(folder, { throwIfNoEntry: false }) ?? {};
    if (uid === process.getuid?.()) await rm(folder, { recursive: true, force: true });
  }
}

/** A process id means something only among those that share their numbers: containers may share the folder alone. */
function ownPrefix(): string {
  return `${NAME}-${/\d+/.exec(readlinkSync('/proc/self/ns/pid'))?.[0]}-`;
}

function isRunning(processId: number): boolean {
  try {
    process.kill(processId, 0);
    return true;
  } catch (error) {
    return (error as NodeJS.ErrnoException).code !== 'ESRCH';
  }
}

function isOpenToAll(folder: string): boolean {
  try {
    const real = realpathSync(folder);
    accessSync(real, constants.W_OK);
    for (let path = real; ; path = dirname(path)) {
      if ((statSync(path).mode & OTHERS_PASS) === 0) return false;
      if (path === dirname(path)) return true;
    }
  } catch {
    return false;
  }
}
