/** One piece of work on files: its calls of the disk, its deadline, and the handles that it closes in the end. */
import { type FileHandle, open } from 'node:fs/promises';
import { PlexiError } from '@plexichat/sdk/protocol/errors';
import type { FileLanes } from './file-lanes.ts';

export interface FileWorkOptions {
  readonly lanes: FileLanes;
  readonly module: string;
  /** Fires when the instance ends. */
  readonly signal: AbortSignal;
  readonly deadlineMs: number;
}

export class FileWork {
  readonly #options: FileWorkOptions;
  readonly #handles = new Set<FileHandle>();
  #deadline: number;

  constructor(options: FileWorkOptions) {
    this.#options = options;
    this.#deadline = performance.now() + options.deadlineMs;
  }

  /** The time from now on: a stream may take long, each of its pieces may not. */
  renew(): void {
    this.#deadline = performance.now() + this.#options.deadlineMs;
  }

  /** @throws PlexiError FILES_UNAVAILABLE; an error of the file system */
  async call<T>(run: () => Promise<T>, weight = 1, undo?: (late: T) => Promise<unknown>): Promise<T> {
    const { lanes, module, signal } = this.#options;
    if (signal.aborted) throw new PlexiError('FILES_UNAVAILABLE', 'The instance has ended.');
    const waitMs = Math.max(0, this.#deadline - performance.now());
    return lanes.run(module, { run, waitMs, weight, ...(undo === undefined ? {} : { undo }) });
  }

  /** Opens, and closes when the work is over. Never waits for a FIFO or a device. */
  async open(path: string, flags: number, mode?: number): Promise<FileHandle> {
    const handle = await this.call(
      () => open(path, flags, mode),
      1,
      (late) => late.close(),
    );
    this.#handles.add(handle);
    return handle;
  }

  /** Closes earlier than at the end. Nobody waits for it. */
  close(handle: FileHandle): void {
    if (this.#handles.delete(handle)) this.later(() => handle.close());
  }

  /** Done whatever the deadline says, in its turn, and whether it works or not. */
  later(run: () => Promise<unknown>): void {
    const { lanes, module } = this.#options;
    lanes.run(module, { run }).catch(() => {});
  }

  end(): void {
    for (const handle of this.#handles) this.close(handle);
  }
}
