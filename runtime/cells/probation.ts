/**
 * Who may have killed a cell, and with whom they live until that is known. Few cells are there for this: suspects that
 * would need more of them share in halves, so the next death tells one half from the other. The clock is an argument.
 */

/** Cells of suspects at once: one death must not become a storm of processes. */
export const MAX_PROBATION_CELLS = 4;
/** Who did something this recently is a suspect, when nobody had anything in flight. */
const RECENT_MS = 5_000;
/** Who was there when two shared cells died within that time is a suspect too: one may answer first and strike then. */
const WITNESS_MS = 60 * 60_000;
const FIRST_TERM_MS = 5 * 60_000;
const LONGEST_TERM_MS = 60 * 60_000;

/** One instance of a cell that died, as it was then. */
export interface Occupant {
  readonly module: string;
  /** Invocations, streams and steps of its life that were not over. */
  readonly inFlight: number;
  /** Epoch milliseconds. */
  readonly lastUsed: number;
  /** The cell had to be killed because this one could not be ended. */
  readonly guilty: boolean;
}

interface Term {
  readonly cell: number;
  readonly until: number;
  /** How long the next one is, should it be guilty again. */
  readonly nextMs: number;
}

export class Probation {
  readonly #terms = new Map<string, Term>();
  /** Who was in a cell that died, beside the suspects, and when. */
  readonly #witnesses = new Map<string, number>();
  #lastCell = 0;

  /** The probation cell that a module belongs to; undefined: it may share with everybody. */
  cellOf(module: string, now: number): number | undefined {
    const term = this.#terms.get(module);
    return term !== undefined && now < term.until ? term.cell : undefined;
  }

  /** Whether a probation cell still has somebody to keep from the others. */
  isActive(cell: number, now: number): boolean {
    return [...this.#terms.values()].some((term) => term.cell === cell && now < term.until);
  }

  /**
   * Judges the death of a cell. The same death gives the same verdict, whatever order its occupants come in.
   * @param isAnybodys what it died of has nothing to do with who was busy
   */
  judge(occupants: readonly Occupant[], now: number, isAnybodys = false): void {
    this.#forget(now);
    const known = isKnown(occupants);
    const suspects = isAnybodys ? occupants : suspectsOf(occupants, now);
    const again = known ? [] : occupants.filter(({ module }) => this.#witnesses.has(module));
    const modules = [...new Set([...suspects, ...again].map(({ module }) => module))].sort();
    if (!known) this.#remember(occupants, modules, now);
    const before = new Map(modules.map((module) => [module, this.#terms.get(module)]));
    for (const module of modules) this.#terms.delete(module);
    const cells = this.#cellsFor(modules.length, now);
    const share = Math.ceil(modules.length / cells.length);
    modules.forEach((module, index) => {
      const nextMs = before.get(module)?.nextMs ?? FIRST_TERM_MS;
      this.#terms.set(module, {
        cell: cells[Math.floor(index / share)] ?? 0,
        until: now + (known ? nextMs : FIRST_TERM_MS),
        // Only who is known to have done it is kept longer the next time.
        nextMs: known ? Math.min(2 * nextMs, LONGEST_TERM_MS) : nextMs,
      });
    });
  }

  /** One new cell for each if there is room; else two halves, in new cells first and then with the smallest groups. */
  #cellsFor(suspects: number, now: number): number[] {
    const sizes = new Map<number, number>();
    for (const { cell, until } of this.#terms.values()) {
      if (now < until) sizes.set(cell, (sizes.get(cell) ?? 0) + 1);
    }
    const free = MAX_PROBATION_CELLS - sizes.size;
    const wanted = suspects <= free ? suspects : Math.min(suspects, 2);
    const fresh = Array.from({ length: Math.min(wanted, free) }, () => ++this.#lastCell);
    const smallest = [...sizes].sort(([a, m], [b, n]) => m - n || a - b).map(([cell]) => cell);
    return [...fresh, ...smallest.slice(0, wanted - fresh.length)];
  }

  #remember(occupants: readonly Occupant[], suspects: readonly string[], now: number): void {
    for (const { module } of occupants) {
      if (suspects.includes(module)) this.#witnesses.delete(module);
      else this.#witnesses.set(module, now);
    }
  }

  /** A term counts for the length of the next one for as long again as the longest. */
  #forget(now: number): void {
    for (const [module, at] of this.#witnesses) if (now > at + WITNESS_MS) this.#witnesses.delete(module);
    for (const [module, { until }] of this.#terms) if (now > until + LONGEST_TERM_MS) this.#terms.delete(module);
  }
}

/** Nobody else can have done it. */
function isKnown(occupants: readonly Occupant[]): boolean {
  return occupants.some(({ guilty }) => guilty) || new Set(occupants.map(({ module }) => module)).size <= 1;
}

function suspectsOf(occupants: readonly Occupant[], now: number): readonly Occupant[] {
  const guilty = occupants.filter((occupant) => occupant.guilty);
  if (guilty.length > 0) return guilty;
  const busy = occupants.filter(({ inFlight }) => inFlight > 0);
  if (busy.length > 0) return busy;
  return occupants.filter(({ lastUsed }) => now - lastUsed < RECENT_MS);
}
