/** A process that swaps two names in a folder as fast as it can: `node swap-forever.ts FOLDER ONE OTHER`. */
import { renameSync, rmSync } from 'node:fs';
import { join } from 'node:path';

const [folder = '', one = '', other = ''] = process.argv.slice(2);
const [first, second, aside] = [join(folder, one), join(folder, other), join(folder, `${other}.aside`)];
process.stdout.write('swapping\n');
for (;;) {
  renameSync(first, aside);
  take(second, first);
  take(aside, second);
}

/** Whoever is raced may have made something under the name in the meantime. */
function take(from: string, to: string): void {
  for (;;) {
    try {
      renameSync(from, to);
      return;
    } catch {
      rmSync(to, { recursive: true, force: true, maxRetries: 100 });
    }
  }
}
