/** What follows when settings or secrets of a module were changed: in turn with loads, and as little as possible. */
import type { FoundModule } from '../modules/discover.ts';
import { type FillOptions, withoutExposed } from '../modules/fill-secrets.ts';
import { type FindOptions, findModule } from '../modules/find-modules.ts';
import { withoutFormerSecrets } from '../modules/former-secrets.ts';
import type { LiveSettings } from '../modules/live-settings.ts';
import type { CheckedModule } from '../modules/load.ts';
import { canTell, readAgain, type SettingsEffect, waitsForStart } from '../modules/refresh-settings.ts';
import type { Registry } from '../modules/registry.ts';
import type { LoadQueue } from './load-queue.ts';

export interface SettingsLoadingParts extends FillOptions, Omit<FindOptions, 'onWarning'> {
  readonly queue: Pick<LoadQueue, 'folders' | 'inTurn' | 'loadAgain'>;
  readonly registry: Registry;
  readonly powers: Map<string, CheckedModule>;
  readonly live: LiveSettings;
}

export interface SettingsLoading {
  /** What the folder of the module says now; undefined when it cannot be read, or is not known yet. */
  findSettings(name: string): Promise<FoundModule | undefined>;
  /** What the vault holds for the module, or what operators set for it, has changed. */
  refreshSettings(name: string): Promise<SettingsEffect>;
}

export function createSettingsLoading(parts: SettingsLoadingParts): SettingsLoading {
  const { queue, registry, powers, live, onWarning } = parts;
  return {
    async findSettings(name) {
      const folder = queue.folders.get(name);
      const found = folder === undefined ? undefined : await findModule(folder, parts);
      if (found?.ok !== true || found.name !== name) return undefined;
      // Boundary: what is a secret no more is not shown either, least of all when nobody knows what was one.
      const quiet = (): void => {};
      const kept = await parts.fillSecrets(name).catch(() => undefined);
      if (kept === undefined) return withoutFormerSecrets(found, undefined, quiet);
      return withoutExposed(found, kept, quiet);
    },
    async refreshSettings(name) {
      let effect: SettingsEffect | undefined;
      // A load that is under way may have read what was there before, and would put it in place of what is there now.
      await queue.inTurn(async () => {
        effect = await takeOver(name);
      });
      if (effect !== undefined) return effect;
      const before = registry.get(name);
      await queue.loadAgain(name, true);
      return registry.get(name) === before ? 'failed' : 'replaced';
    },
  };

  /** @returns undefined when it has to be loaded again */
  async function takeOver(name: string): Promise<SettingsEffect | undefined> {
    const [current, folder, module] = [powers.get(name), queue.folders.get(name), registry.get(name)];
    if (current === undefined || folder === undefined || module === undefined) return undefined;
    const next = await readAgain(name, folder, current, parts);
    if (next === undefined) return undefined;
    const { secrets, secretHosts, isVisible, manifest } = next;
    const { settings } = manifest;
    const isTold = canTell(module, settings);
    if (isVisible && !isTold && !waitsForStart(module)) return undefined;
    powers.set(name, { ...current, secrets, secretHosts });
    if (!isVisible) return 'live';
    if (!isTold) {
      module.manifest.settings = settings;
      return 'next_start';
    }
    try {
      await live.change(module, settings);
      return 'live';
    } catch (error) {
      const why = error instanceof Error ? error.message : String(error);
      onWarning(name, `is started anew, since it did not take other settings while it runs: ${why}`);
      return undefined;
    }
  }
}
