/** A folder for a whole suite, which the suite removes. */
import { mkdtempSync, realpathSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

export function sharedFolder(): string {
  return realpathSync(mkdtempSync(join(tmpdir(), 'plexi-suite-')));
}

export function removeFolder(folder: string): void {
  rmSync(folder, { recursive: true, force: true });
}
