/**
 * The cells of this host: which module goes into which, started when needed, closed when empty. Suspects of a cell's
 * death, and modules with the optimising compiler, get a cell of their own.
 */
import { readFile, rename, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { CellFiles } from './build.ts';
import { Cell } from './cell.ts';

export interface CellPoolOptions {
  readonly files: CellFiles;
  readonly cells: 'auto' | 'per-module' | number;
  readonly onNoise: (text: string) => void;
}

export interface Placement {
  /** Nothing else may be in its cell. */
  readonly alone: boolean;
  readonly jit: 'safe' | 'full';
}

/** How many cells `auto` spreads modules over: enough that one death spares half of them. */
const AUTO_CELLS = 2;
/** An empty cell waits this long for the next module. */
const EMPTY_MS = 30_000;

interface Held {
  readonly cell: Cell;
  readonly shared: boolean;
  empty: NodeJS.Timeout | undefined;
  /** On its way out: nothing may be placed in it any more. */
  closing: boolean;
}

export class CellPool {
  readonly #options: CellPoolOptions;
  readonly #held = new Set<Held>();
  #closing = false;

  constructor(options: CellPoolOptions) {
    this.#options = options;
  }

  /** A cell for one instance. The caller opens a channel in it in the same turn. */
  place({ alone, jit }: Placement): Cell {
    if (this.#closing) throw new Error('The cells are closing.');
    const isShared = !alone && jit === 'safe' && this.#options.cells !== 'per-module';
    const held = isShared ? this.#shared() : this.#start(false, jit);
    clearTimeout(held.empty);
    held.empty = undefined;
    return held.cell;
  }

  /** Call when an instance ended: an empty cell is closed after a while, one that was alone at once. */
  release(cell: Cell): void {
    for (const held of this.#held) {
      if (held.cell !== cell || cell.channels > 0) continue;
      if (!held.shared) void this.#close(held);
      else held.empty ??= setTimeout(() => void this.#close(held), EMPTY_MS).unref();
    }
  }

  isShared(cell: Cell): boolean {
    return [...this.#held].some((held) => held.cell === cell && held.shared);
  }

  get processIds(): readonly number[] {
    return [...this.#held].flatMap(({ cell }) => cell.processId ?? []);
  }

  async close(): Promise<void> {
    this.#closing = true;
    await Promise.all([...this.#held].map((held) => this.#close(held)));
  }

  #shared(): Held {
    const { cells } = this.#options;
    const wanted = typeof cells === 'number' ? cells : AUTO_CELLS;
    const shared = [...this.#held].filter((held) => held.shared && held.cell.alive && !held.closing);
    const emptiest = shared.toSorted((a, b) => a.cell.channels - b.cell.channels)[0];
    if (emptiest !== undefined && (shared.length >= wanted || emptiest.cell.channels === 0)) return emptiest;
    return this.#start(true, 'safe');
  }

  #start(shared: boolean, jit: 'safe' | 'full'): Held {
    const cell = new Cell({
      files: this.#options.files,
      jit,
      onNoise: this.#options.onNoise,
      onClose: () => {
        clearTimeout(held.empty);
        this.#held.delete(held);
      },
    });
    const held: Held = { cell, shared, empty: undefined, closing: false };
    this.#held.add(held);
    return held;
  }

  async #close(held: Held): Promise<void> {
    if (held.cell.channels > 0 && !this.#closing) return;
    held.closing = true;
    await held.cell.close();
  }
}

/**
 * Makes the kernel's code cache once per build and machine, in a cell that never sees a module. Without it a boot
 * compiles the kernel each time; so a failure here is reported and costs only time.
 */
export async function warmCellFiles(files: CellFiles): Promise<void> {
  const target = join(files.folder, 'kernel.cache');
  const exists = await readFile(target).then(
    () => true,
    () => false,
  );
  if (exists) return;
  const cell = new Cell({ files, jit: 'safe', onNoise: () => {}, onClose: () => {} });
  try {
    const cache = await cell.warm();
    const draft = `${target}.${process.pid}`;
    await writeFile(draft, cache);
    await rename(draft, target);
  } finally {
    await cell.close();
  }
}
