/** The guest's side of `files`: folders of the host that the operator granted. */
import { describeValue } from '../module/describe-value.ts';
import { toAuthorError } from '../module/errors.ts';
import type { HostBinding } from '../module/host-binding.ts';
import { receiveSource } from '../module/web-bridge.ts';
import type { FILES_METHODS, FileEntry, FilePage, OpenedFile } from '../protocol/capabilities/files.ts';
import { explainFilePath, MAX_LIST_ENTRIES } from '../protocol/file-path.ts';
import { type FileContent, openContent } from './file-content.ts';

export type { FileContent, FileEntry, FilePage };

export interface WriteOptions {
  /** false: leave a file that is there as it is, and answer false. Default: true. */
  readonly overwrite?: boolean;
  /** true: resolve only when the disk has it, so that it survives the machine's end. Default: false. */
  readonly flush?: boolean;
}

export interface ListOptions {
  /** true: with all that is in the folders below. Default: false. */
  readonly recursive?: boolean;
  /** Entries of one page, 1 to 1000. Default: 1000. */
  readonly limit?: number;
  /** Of the page before. */
  readonly cursor?: string;
}

/**
 * Paths are absolute and plain (no `..`, no link on the way), in a folder that the operator granted: `files:read:/dir`
 * for reading, listing and looking, `files:write:/dir` for writing and removing. All methods throw a TypeError for an
 * argument that is not allowed, PermissionDeniedError, or an Error whose code is NOT_FOUND, INVALID_CALL,
 * QUOTA_EXCEEDED (size, open files) or FILES_UNAVAILABLE (the disk is full, closed to the host's user, or hangs).
 */
export interface FilesClient {
  /**
   * A text in UTF-8. @throws TypeError when it is none
   * @example
   * const note = await this.files.readText('/srv/notes/today.md');
   */
  readText(path: string): Promise<string>;
  /**
   * All bytes at once: mind the memory of the module, and use openRead for what is large.
   * @example
   * const bytes = await this.files.readBytes('/srv/pictures/cat.png');
   */
  readBytes(path: string): Promise<Uint8Array<ArrayBuffer>>;
  /**
   * The bytes in pieces, as they are read; one that nobody reads on for a minute is closed.
   * @example
   * return new Response(await this.files.openRead('/srv/pictures/cat.png'), { headers: { 'content-type': 'image/png' } });
   */
  openRead(path: string): Promise<ReadableStream<Uint8Array<ArrayBuffer>>>;
  /**
   * Writes a whole file, or nothing: readers see the old one or the new one. Folders on the way are made.
   * @returns whether it was written: false only with `overwrite: false` when something was there
   * @example
   * await this.files.write('/srv/reports/2026/11.json', JSON.stringify(report));
   * await this.files.write('/srv/uploads/picture.png', request.body);
   */
  write(path: string, content: FileContent, options?: WriteOptions): Promise<boolean>;
  /**
   * A page of what is in a folder, in the order of names. `cursor` is there when there is more.
   * @example
   * const { entries, cursor } = await this.files.list('/srv/notes', { recursive: true, limit: 100 });
   */
  list(folder: string, options?: ListOptions): Promise<FilePage>;
  /**
   * What is there; null when nothing is.
   * @example
   * const isThere = (await this.files.stat('/srv/notes/today.md')) !== null;
   */
  stat(path: string): Promise<FileEntry | null>;
  /**
   * Removes a file, or an empty folder.
   * @returns whether it was there
   * @example
   * await this.files.remove('/srv/notes/yesterday.md');
   */
  remove(path: string): Promise<boolean>;
}

export function createFilesClient(host: HostBinding): FilesClient {
  const call = async (method: keyof typeof FILES_METHODS, argument: unknown): Promise<unknown> => {
    try {
      return await host.call('files', method, [argument]);
    } catch (error) {
      throw toAuthorError(error);
    }
  };
  const open = async (method: string, path: string): Promise<Response> => {
    assertPath(method, path);
    const { body } = (await call('read', path)) as OpenedFile;
    return new Response(body.kind === 'stream' ? receiveSource(host.readStream(body.stream)) : null);
  };
  return Object.freeze({
    async readText(path: string) {
      const bytes = new Uint8Array(await (await open('readText', path)).arrayBuffer());
      try {
        return new TextDecoder('utf-8', { fatal: true }).decode(bytes);
      } catch (cause) {
        throw new TypeError(`files.readText: ${path} is no text in UTF-8; use readBytes.`, { cause });
      }
    },
    async readBytes(path: string) {
      return new Uint8Array(await (await open('readBytes', path)).arrayBuffer());
    },
    async openRead(path: string) {
      return (await open('openRead', path)).body ?? new ReadableStream<Uint8Array<ArrayBuffer>>();
    },
    async write(path: string, content: FileContent, options: WriteOptions = {}) {
      const place = assertPath('write', path);
      const { overwrite = true, flush = false } = readOptions(options, place, WRITE);
      const opened = openContent(content, host, place);
      try {
        return (await call('write', { path, body: opened.body, overwrite, flush })) as boolean;
      } catch (error) {
        // A stream of the author's that broke says more than the host's word that it did.
        throw opened.failure() ?? error;
      }
    },
    async list(folder: string, options: ListOptions = {}) {
      const place = assertPath('list', folder);
      const { recursive = false, limit = MAX_LIST_ENTRIES, cursor } = readOptions(options, place, LIST);
      if (!Number.isInteger(limit) || limit < 1 || limit > MAX_LIST_ENTRIES) {
        throw new TypeError(
          `${place}: limit must be a whole number from 1 to ${MAX_LIST_ENTRIES}, found ${describeValue(limit)}.`,
        );
      }
      return (await call('list', {
        folder,
        recursive,
        limit,
        ...(cursor === undefined ? {} : { cursor }),
      })) as FilePage;
    },
    async stat(path: string) {
      assertPath('stat', path);
      return (await call('stat', path)) as FileEntry | null;
    },
    async remove(path: string) {
      assertPath('remove', path);
      return (await call('remove', path)) as boolean;
    },
  });
}

/** @returns the call, for errors @throws TypeError */
function assertPath(method: string, path: unknown): string {
  const problem = explainFilePath(path);
  if (problem === undefined) return `files.${method}(${describeValue(path)})`;
  throw new TypeError(`files.${method}: the path ${describeValue(path)} ${problem}. Allowed is "/folder/name".`);
}

const WRITE = { overwrite: 'boolean', flush: 'boolean' } as const;
const LIST = { recursive: 'boolean', limit: 'number', cursor: 'string' } as const;

function readOptions<Options extends object>(
  options: Options,
  place: string,
  allowed: Readonly<Record<string, string>>,
): Options {
  const names = Object.keys(allowed).join(', ');
  if (typeof options !== 'object' || options === null) {
    throw new TypeError(`${place}: the options must be an object with ${names}, found ${describeValue(options)}.`);
  }
  for (const [key, value] of Object.entries(options)) {
    const wanted = Object.hasOwn(allowed, key) ? allowed[key] : undefined;
    if (wanted === undefined) throw new TypeError(`${place}: the option "${key}" does not exist; allowed: ${names}.`);
    if (value !== undefined && typeof value !== wanted) {
      throw new TypeError(`${place}: ${key} must be a ${wanted}, found ${describeValue(value)}.`);
    }
  }
  return options;
}
