/** What was read of config.yaml, kept until the file is another: operators may look at settings often, parsing takes long. */
import type { BigIntStats } from 'node:fs';
import { LRUCache } from 'lru-cache';
import type { ParseManifest, ParseManifestOptions } from './manifest.ts';

interface Kept {
  readonly stamp: string;
  readonly parsed: ParseManifest;
}

const MAX_KEPT = 100;
/** A file that was written just now may be written again within the same tick of the disk's clock. */
const SETTLED_MS = 2_000;

export class ParsedConfigs {
  /** By path. */
  readonly #kept = new LRUCache<string, Kept>({ max: MAX_KEPT });

  /** @returns a copy: settings are filled into it */
  get(path: string, stamp: string): ParseManifest | undefined {
    const kept = this.#kept.get(path);
    return kept?.stamp === stamp ? structuredClone(kept.parsed) : undefined;
  }

  put(path: string, stamp: string, { mtimeMs }: BigIntStats, parsed: ParseManifest): void {
    if (Date.now() - Number(mtimeMs) < SETTLED_MS) this.#kept.delete(path);
    else this.#kept.set(path, { stamp, parsed: structuredClone(parsed) });
  }
}

/** Says the same only for the same file, unchanged, read with the same overrides. */
export function stampOf(
  label: string,
  { dev, ino, size, mtimeNs, ctimeNs }: BigIntStats,
  options: ParseManifestOptions,
) {
  const { environment } = options;
  const overrides = Object.entries(environment ?? {}).filter(([variable]) => variable.startsWith('PLEXI_MODULE__'));
  const file = [dev, ino, size, mtimeNs, ctimeNs].map(String);
  return JSON.stringify([label, ...file, environment === undefined ? null : overrides.sort()]);
}
