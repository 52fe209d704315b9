/** Chance that can be repeated: a test that draws prints its seed when it fails. */
import { onTestFailed } from 'vitest';

/** @returns numbers from 0 up to 1; the seed is PLEXI_SEED, or another one each time */
export function seededRandom(): () => number {
  let state = Number(process.env.PLEXI_SEED ?? Date.now() % 2 ** 31) >>> 0;
  const seed = state;
  onTestFailed(() => void process.stderr.write(`PLEXI_SEED=${seed} repeats what was drawn.\n`));
  // Mulberry32.
  return () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let mixed = Math.imul(state ^ (state >>> 15), state | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  };
}
