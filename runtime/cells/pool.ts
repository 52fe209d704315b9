/**
 * The cells of this host: which module goes into which, started when needed, closed when empty. Suspects of a cell's
 * death, and modules with the optimising compiler, get a cell of their own.
 */
import { readFile, rename, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { CellFiles } from './build.ts';
import { Cell } from './cell.ts';
import type { OpenJail } from './jail/probe-jail.ts';
import { type Occupant, Probation } from './probation.ts';

export interface CellPoolOptions {
  readonly files: CellFiles;
  readonly jail?: OpenJail;
  readonly cells: 'auto' | 'per-module' | number;
  readonly onNoise: (text: string) => void;
}

export interface Placement {
  readonly module: string;
  readonly jit: 'safe' | 'full';
}

/** How many cells `auto` spreads modules over: enough that one death spares half of them. */
export const AUTO_CELLS = 2;
/** An empty cell waits this long for the next module. */
const EMPTY_MS = 30_000;

interface Held {
  readonly cell: Cell;
  /** Whom it takes: everybody, one instance, or the suspects of one probation. */
  readonly takes: 'all' | 'one' | number;
  /** Instances by module. */
  readonly modules: Map<string, number>;
  /** Those that died with it. */
  readonly dead: Occupant[];
  empty: NodeJS.Timeout | undefined;
  /** On its way out: nothing may be placed in it any more. */
  closing: boolean;
}

export class CellPool {
  readonly #options: CellPoolOptions;
  readonly #held = new Set<Held>();
  readonly #probation = new Probation();
  #closing = false;

  constructor(options: CellPoolOptions) {
    this.#options = options;
  }

  /**
   * A cell for one instance. The caller opens a channel in it in the same turn.
   * @throws CellStartError when the machine has no room for another process
   */
  place({ module, jit }: Placement): Cell {
    if (this.#closing) throw new Error('The cells are closing.');
    const held = this.#choose(module, jit);
    held.modules.set(module, (held.modules.get(module) ?? 0) + 1);
    clearTimeout(held.empty);
    held.empty = undefined;
    return held.cell;
  }

  /** Call when an instance ended: an empty cell is closed after a while, one that was for one instance at once. */
  release(cell: Cell, occupant: Occupant): void {
    const held = this.#find(cell);
    if (held === undefined) return;
    if (!cell.alive) {
      held.dead.push(occupant);
      return;
    }
    const left = (held.modules.get(occupant.module) ?? 0) - 1;
    if (left > 0) held.modules.set(occupant.module, left);
    else held.modules.delete(occupant.module);
    if (cell.channels > 0) return;
    if (held.takes === 'one') void this.#close(held);
    else held.empty ??= setTimeout(() => void this.#close(held), EMPTY_MS).unref();
  }

  /** Whether one module has a cell to itself, or had when it died: only then is the death its own doing for certain. */
  isAlone(cell: Cell): boolean {
    return (this.#find(cell)?.modules.size ?? 0) <= 1;
  }

  get processIds(): readonly number[] {
    return [...this.#held].flatMap(({ cell }) => cell.processId ?? []);
  }

  async close(): Promise<void> {
    this.#closing = true;
    await Promise.all([...this.#held].map((held) => this.#close(held)));
  }

  #find(cell: Cell): Held | undefined {
    for (const held of this.#held) if (held.cell === cell) return held;
    return undefined;
  }

  #choose(module: string, jit: 'safe' | 'full'): Held {
    if (jit === 'full' || this.#options.cells === 'per-module') return this.#start('one', jit);
    const probation = this.#probation.cellOf(module, Date.now());
    if (probation === undefined) return this.#shared();
    const known = [...this.#held].find(({ takes, cell, closing }) => takes === probation && cell.alive && !closing);
    return known ?? this.#start(probation, jit);
  }

  #shared(): Held {
    const { cells } = this.#options;
    const wanted = typeof cells === 'number' ? cells : AUTO_CELLS;
    const shared = [...this.#held].filter((held) => held.cell.alive && !held.closing && this.#isOpen(held));
    const emptiest = shared.toSorted((a, b) => a.cell.channels - b.cell.channels)[0];
    if (emptiest !== undefined && (shared.length >= wanted || emptiest.cell.channels === 0)) return emptiest;
    return this.#start('all', 'safe');
  }

  /** A cell of suspects whose time is over takes everybody again. */
  #isOpen({ takes }: Held): boolean {
    return takes === 'all' || (takes !== 'one' && !this.#probation.isActive(takes, Date.now()));
  }

  #start(takes: Held['takes'], jit: 'safe' | 'full'): Held {
    const cell = new Cell({
      files: this.#options.files,
      jail: this.#options.jail,
      jit,
      onNoise: this.#options.onNoise,
      onClose: () => {
        clearTimeout(held.empty);
        this.#held.delete(held);
        this.#probation.judge(held.dead, Date.now(), cell.isBloated);
      },
    });
    const held: Held = { cell, takes, modules: new Map(), dead: [], empty: undefined, closing: false };
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
 * compiles the kernel each time; so a failure here is reported and costs only time. It needs no jail: all that runs is
 * our own.
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
