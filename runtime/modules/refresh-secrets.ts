/** A secret of a module was set or removed: what its requests are filled with changes, and nothing else if possible. */
import { isDeepStrictEqual } from 'node:util';
import { discoverModule } from './discover.ts';
import { type FillOptions, filled } from './fill-secrets.ts';
import { type SplitManifest, splitSecrets } from './secrets.ts';

export interface RefreshOptions extends FillOptions {
  readonly environment: Readonly<Record<string, string | undefined>>;
}

/**
 * @returns the secrets as they are now; undefined when the module itself would have to see something else than before,
 *   so that it has to be loaded again
 */
export async function refreshSecrets(
  name: string,
  folder: string,
  current: SplitManifest,
  options: RefreshOptions,
): Promise<SplitManifest['secrets'] | undefined> {
  const found = await discoverModule(folder, { environment: options.environment });
  if (!found.ok || found.name !== name || found.folder !== folder) return undefined;
  const { manifest, secrets } = splitSecrets(await filled(found, options));
  return isDeepStrictEqual(manifest, current.manifest) ? secrets : undefined;
}
