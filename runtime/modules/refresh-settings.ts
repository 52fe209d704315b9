/**
 * Settings or secrets of a module were changed. As little as possible follows: its requests are filled with other secrets;
 * a module with onSettingsChanged is told; everything else takes another start.
 */
import { isDeepStrictEqual } from 'node:util';
import type { Manifest } from '@plexichat/sdk/protocol/manifest';
import { type FillOptions, filled } from './fill-secrets.ts';
import { type FindOptions, findModule } from './find-modules.ts';
import { type SplitManifest, splitSecrets } from './secrets.ts';
import type { ModuleState, ServedModule } from './served-module.ts';

/**
 * `live`: it runs on, and knows; `replaced`: it was loaded again; `next_start`: it counts when the module starts;
 * `failed`: it cannot be loaded like that, and the one before goes on.
 */
export type SettingsEffect = 'live' | 'replaced' | 'next_start' | 'failed';

export interface Refreshed extends SplitManifest {
  /** Whether the module itself sees something else than before. */
  readonly isVisible: boolean;
}

/** @returns what holds now; undefined when more than settings has changed, so that the module has to be loaded again */
export async function readAgain(
  name: string,
  folder: string,
  current: SplitManifest,
  options: FillOptions & FindOptions,
): Promise<Refreshed | undefined> {
  const found = await findModule(folder, options);
  if (!found.ok || found.name !== name || found.folder !== folder) return undefined;
  const split = splitSecrets(await filled(found, options));
  if (!isDeepStrictEqual(withoutSettings(split.manifest), withoutSettings(current.manifest))) return undefined;
  return { ...split, isVisible: !isDeepStrictEqual(split.manifest.settings, current.manifest.settings) };
}

/** Others are loaded again: the change may be what they wait for. */
const TAKES_LIVE: ReadonlySet<ModuleState> = new Set(['running', 'starting', 'sleeping', 'upgrade_pending']);
const AT_REST: ReadonlySet<ModuleState> = new Set(['draining', 'stopped', 'disabled']);

/** Whether the module can be told of these settings: it wants to hear of them, and they are its own. */
export function canTell({ declaration, state, manifest }: ServedModule, next: Manifest['settings']): boolean {
  const { debug, log_level } = manifest.settings;
  // The host reads these two itself, when a thread starts.
  const isOwn = next.debug === debug && next.log_level === log_level;
  return declaration.settingsHook === true && isOwn && TAKES_LIVE.has(state);
}

/** An operator put it to rest, and a change of settings is no word that it may run. */
export function waitsForStart({ state }: ServedModule): boolean {
  return AT_REST.has(state);
}

function withoutSettings({ settings: _settings, ...manifest }: Manifest): Omit<Manifest, 'settings'> {
  return manifest;
}
