/** What hosts build and learn, kept from one host of a test file to the next: most of what their start costs. */
import { existsSync, mkdirSync, mkdtempSync, renameSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll } from 'vitest';

export interface SharedCache {
  /** Before a host starts with this data folder; one that runs meanwhile makes a cache of its own. */
  moveInto(data: string): void;
  takeFrom(data: string): void;
}

/** Gone when the file's tests are over; call it outside of them. */
export function sharedCache(): SharedCache {
  const folder = mkdtempSync(join(tmpdir(), 'plexi-test-'));
  const cache = join(folder, 'cache');
  afterAll(() => rmSync(folder, { recursive: true, force: true }));
  return {
    moveInto(data) {
      if (!existsSync(cache)) return;
      mkdirSync(data, { recursive: true, mode: 0o700 });
      renameSync(cache, join(data, 'cache'));
    },
    takeFrom(data) {
      if (!existsSync(cache)) renameSync(join(data, 'cache'), cache);
    },
  };
}
