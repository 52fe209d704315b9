/** PGlite's files in a folder of this machine; with `flush`, what PostgreSQL wants on the disk really gets there. */
import { fdatasyncSync } from 'node:fs';
import { NodeFS } from '@electric-sql/pglite/nodefs';

type Init = NodeFS['init'];
type EmscriptenOptions = Parameters<Init>[1];

export class FolderFiles extends NodeFS {
  readonly #flush: boolean;
  #flushes = 0;

  constructor(folder: string, { flush }: { flush: boolean }) {
    super(folder);
    this.#flush = flush;
  }

  get flushes(): number {
    return this.#flushes;
  }

  /** Before PostgreSQL starts, so that what it recovers at its start is flushed as well. */
  override async init(...[database, options]: Parameters<Init>): ReturnType<Init> {
    const { emscriptenOpts } = await super.init(database, options);
    if (!this.#flush) return { emscriptenOpts };
    const preRun: NonNullable<EmscriptenOptions['preRun']> = [
      ...(emscriptenOpts.preRun ?? []),
      (module) => {
        // Emscripten's files have no such operation, and its `fsync` says yes all the same.
        Object.assign(module.NODEFS.stream_ops as object, {
          fsync: (stream: { nfd: number }) => this.#fsync(stream.nfd),
        });
      },
    ];
    return { emscriptenOpts: { ...emscriptenOpts, preRun } };
  }

  #fsync(descriptor: number): number {
    this.#flushes++;
    try {
      fdatasyncSync(descriptor);
      return 0;
    } catch {
      return EIO;
    }
  }
}

/** As WASI numbers it. */
const EIO = 29;
