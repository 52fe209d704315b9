/** How many series one name may have. Labels come from manifests, and a host can see very many of these in its life. */
export const MAX_SERIES = 10_000;

/** What stands for everything that came after the bound was reached. */
export const OTHER = 'other';

/**
 * Makes something once per key, until as many exist as fit in MAX_SERIES; later keys share what `makeOther` makes.
 * @param seriesPerKey how many series one key adds to its name
 */
export function boundedByKey<T>(
  seriesPerKey: number,
  make: (key: string) => T,
  makeOther: () => T,
): (key: string) => T {
  // One place is kept for what is shared.
  const max = Math.floor(MAX_SERIES / seriesPerKey) - 1;
  const made = new Map<string, T>();
  let other: T | undefined;
  return (key) => {
    const known = made.get(key);
    if (known !== undefined) return known;
    if (made.size >= max) {
      other ??= makeOther();
      return other;
    }
    const value = make(key);
    made.set(key, value);
    return value;
  };
}
