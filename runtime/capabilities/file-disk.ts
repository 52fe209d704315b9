/**
 * The disk, one name at a time. Node has no openat, but Linux has /proc/self/fd/N/name, which is the same: a name in the
 * folder that is held open, wherever that folder is now. Nothing here follows a link, waits for a FIFO or wakes a device.
 * On other systems the path is used, and looked at again after the fact.
 */
import { type BigIntStats, constants, existsSync } from 'node:fs';
import { type FileHandle, lstat, readlink, realpath, stat, statfs } from 'node:fs/promises';
import type { FileWork } from './file-work.ts';

export interface HeldFolder {
  readonly handle: FileHandle;
  readonly stats: BigIntStats;
  /** Where it was found. */
  readonly path: string;
}

export interface HeldFile extends HeldFolder {}

export interface Space {
  /** The kind of file system, as the kernel numbers them. */
  readonly type: number;
  readonly freeBytes: number;
  readonly totalBytes: number;
}

/** A handle that names something and neither reads nor wakes it. Node has no word for it. */
const O_PATH = 0o10000000;
const { O_DIRECTORY, O_NOCTTY, O_NOFOLLOW, O_NONBLOCK, O_RDONLY, O_WRONLY, O_CREAT, O_EXCL } = constants;
const READ = O_RDONLY | O_NONBLOCK | O_NOCTTY;

export class Disk {
  readonly #byHandle: boolean;

  /** @param byHandle for tests: whether the system has /proc/self/fd */
  constructor(byHandle = process.platform === 'linux' && existsSync('/proc/self/fd')) {
    this.#byHandle = byHandle;
  }

  /** The path of a folder that the operator named: links in it are the operator's own. */
  realPath(work: FileWork, path: string): Promise<string> {
    return work.call(() => realpath(path));
  }

  async openFolder(work: FileWork, path: string): Promise<HeldFolder> {
    const flags = O_DIRECTORY | O_NOFOLLOW | (this.#byHandle ? O_PATH : READ);
    return this.#hold(work, await work.open(path, flags), path);
  }

  /** One step down. @throws ENOTDIR for a link as for a file */
  async enter(work: FileWork, folder: HeldFolder, name: string): Promise<HeldFolder> {
    const held = await this.openFolder(work, this.at(folder, name));
    return { ...held, path: `${folder.path}/${name}` };
  }

  /** @returns undefined when it is no plain file */
  async openFile(work: FileWork, folder: HeldFolder, name: string): Promise<HeldFile | undefined> {
    const path = `${folder.path}/${name}`;
    if (!this.#byHandle) {
      if (!(await this.look(work, folder, name)).isFile()) return undefined;
      return onlyFile(await this.#hold(work, await work.open(path, READ | O_NOFOLLOW), path));
    }
    const pin = await this.#hold(work, await work.open(this.at(folder, name), O_PATH | O_NOFOLLOW), path);
    // Boundary: a device may do something when it is opened; what is opened below is what was looked at here.
    if (onlyFile(pin) === undefined) return undefined;
    const handle = await work.open(`/proc/self/fd/${pin.handle.fd}`, READ);
    work.close(pin.handle);
    return onlyFile(await this.#hold(work, handle, path));
  }

  /** A new file; fails when the name is taken, by a link too. */
  async createFile(work: FileWork, folder: HeldFolder, name: string, mode: number): Promise<FileHandle> {
    return work.open(this.at(folder, name), O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_NOCTTY, mode);
  }

  /** What a name is; of a link the link. */
  look(work: FileWork, folder: HeldFolder, name: string): Promise<BigIntStats> {
    return work.call(() => lstat(this.at(folder, name), { bigint: true }));
  }

  /** Where something that is held open is now; undefined when nobody can say. */
  async whereIs(work: FileWork, { handle, path, stats }: HeldFolder): Promise<string | undefined> {
    if (this.#byHandle) return work.call(() => readlink(`/proc/self/fd/${handle.fd}`));
    const real = await work.call(() => realpath(path));
    const found = await work.call(() => stat(real, { bigint: true }));
    return idOf(found) === idOf(stats) ? real : undefined;
  }

  async spaceOf(work: FileWork, folder: HeldFolder): Promise<Space> {
    const { type, bsize, bavail, blocks } = await work.call(() => statfs(this.self(folder)));
    return { type, freeBytes: bsize * bavail, totalBytes: bsize * blocks };
  }

  /** The name in the folder, as a path for one call. */
  at(folder: HeldFolder, name: string): string {
    return `${this.self(folder)}/${name}`;
  }

  self({ handle, path }: HeldFolder): string {
    return this.#byHandle ? `/proc/self/fd/${handle.fd}` : path;
  }

  async #hold(work: FileWork, handle: FileHandle, path: string): Promise<HeldFolder> {
    return { handle, path, stats: await work.call(() => handle.stat({ bigint: true })) };
  }
}

/** The same for two paths to one thing. */
export function idOf({ dev, ino }: BigIntStats): string {
  return `${dev}:${ino}`;
}

function onlyFile(held: HeldFolder): HeldFile | undefined {
  return held.stats.isFile() ? held : undefined;
}
