/** What a `<question>.bench.ts` answers with; run.ts prints it. */

export interface BenchOptions {
  /** Fewer and shorter rounds: to see that it works, not to quote. */
  readonly quick: boolean;
  /** Only this part of the question. */
  readonly only: string | undefined;
  /** Gone when the bench is over. */
  readonly folder: string;
  /** Tells on the terminal what is being done. */
  readonly progress: (text: string) => void;
}

export interface Table {
  readonly columns: readonly string[];
  readonly rows: readonly (readonly string[])[];
}

/** One part of a question, measured. */
export interface Section {
  readonly name: string;
  readonly title: string;
  readonly table: Table;
  readonly notes: readonly string[];
  /** The same as the table and more, for machines. */
  readonly data: unknown;
  readonly bars: readonly Bar[];
}

/** A promise of the project next to what was measured. */
export interface Bar {
  readonly name: string;
  readonly comparison: 'at least' | 'at most';
  readonly bound: number;
  readonly measured: number;
  readonly unit: string;
}

export interface Bench {
  readonly title: string;
  readonly parts: readonly string[];
  readonly run: (options: BenchOptions) => AsyncIterable<Section>;
}

export function passes({ comparison, measured, bound }: Bar): boolean {
  return comparison === 'at least' ? measured >= bound : measured <= bound;
}
