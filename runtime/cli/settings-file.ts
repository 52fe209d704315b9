import { existsSync } from 'node:fs';

export const DEFAULT_CONFIG = 'plexi.yaml';

/** The host's settings file: what was named, else plexi.yaml where there is one. */
export function settingsFile(named: string | undefined): string | undefined {
  return named ?? process.env.PLEXI_CONFIG ?? (existsSync(DEFAULT_CONFIG) ? DEFAULT_CONFIG : undefined);
}
