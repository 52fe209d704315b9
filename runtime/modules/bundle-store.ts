/**
 * Bundles on disk, named by their hash: a sleeping module costs the host no code. What is read is hashed again, so what
 * was checked is what runs.
 */
import { createHash } from 'node:crypto';
import { mkdir, readFile, rename, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { Bundle } from './bundle.ts';

export interface BundleStore {
  put(bundle: Pick<Bundle, 'code' | 'map' | 'hash'>): Promise<void>;
  /** @throws Error when the file is missing or is not what it was */
  readCode(hash: string): Promise<Uint8Array>;
  /** The source map as JSON; an empty one when it is gone, since only messages need it. */
  readMap(hash: string): Promise<string>;
}

const NO_MAP = '{"version":3,"sources":[],"names":[],"mappings":""}';

export function createBundleStore(folder: string): BundleStore {
  const codeFile = (hash: string): string => join(folder, `${hash}.js`);
  const mapFile = (hash: string): string => join(folder, `${hash}.js.map`);

  return {
    async put({ code, map, hash }) {
      await mkdir(folder, { recursive: true });
      await place(mapFile(hash), map);
      await place(codeFile(hash), code);
    },
    async readCode(hash) {
      const code = await readFile(codeFile(hash));
      // Boundary: the check of a bundle holds for these bytes and no others.
      if (createHash('sha256').update(code).digest('hex') !== hash) {
        throw new Error(`The bundle ${hash.slice(0, 12)} was changed on disk; restart the host to make it anew.`);
      }
      return code;
    },
    readMap: (hash) => readFile(mapFile(hash), 'utf8').catch(() => NO_MAP),
  };
}

/** Whole or not at all, and anew each time: a file of the same name may be the work of somebody else. */
async function place(file: string, text: string): Promise<void> {
  const draft = `${file}.${process.pid}`;
  await writeFile(draft, text);
  await rename(draft, file);
}
