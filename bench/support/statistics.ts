/** The few statistics that the benches need. */

export function median(values: readonly number[]): number {
  return percentile(
    values.toSorted((a, b) => a - b),
    50,
  );
}

/** @param sorted ascending */
export function percentile(sorted: readonly number[], percent: number): number {
  if (sorted.length === 0) return Number.NaN;
  const position = ((sorted.length - 1) * percent) / 100;
  const below = sorted[Math.floor(position)] ?? Number.NaN;
  const above = sorted[Math.ceil(position)] ?? Number.NaN;
  return below + (above - below) * (position - Math.floor(position));
}

export interface Ratio {
  readonly median: number;
  readonly least: number;
  readonly most: number;
}

/**
 * Round by round, since the rounds are interleaved: what slows the machine down for a while slows both sides of a
 * round down, and leaves the ratio.
 */
export function ratioOf(values: readonly number[], references: readonly number[]): Ratio {
  const ratios = values.flatMap((value, round) => {
    const reference = references[round];
    return reference === undefined ? [] : [value / reference];
  });
  return { median: median(ratios), least: Math.min(...ratios), most: Math.max(...ratios) };
}
