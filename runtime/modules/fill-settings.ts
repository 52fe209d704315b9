/**
 * Puts what operators set into a module's settings: behind the environment, which wins, and before config.yaml. Secrets
 * are none of it: those come from the vault, after this.
 */
import type { Manifest } from '@plexichat/sdk/protocol/manifest';
import { formatPath } from '../config/yaml-issue.ts';
import type { FoundModule } from './discover.ts';
import type { Settings } from './settings-book.ts';
import { layerSettings } from './settings-layers.ts';

/** What operators set for this version of the module. */
export type FillSettings = (module: string, version: string) => Promise<Settings>;

export interface FillSettingsOptions {
  /** Without it operators set nothing. */
  readonly fillSettings?: FillSettings | undefined;
  readonly onWarning: (module: string, message: string) => void;
}

export async function withSettings(
  found: FoundModule,
  { fillSettings, onWarning }: FillSettingsOptions,
): Promise<FoundModule> {
  const { name, manifest } = found;
  const kept = (await fillSettings?.(name, manifest.module_version)) ?? {};
  if (Object.keys(kept).length === 0) return found;
  const { settings, dropped, missing } = layerSettings(found, kept);
  for (const { path, message } of dropped) {
    const setting = formatPath(path);
    onWarning(
      name,
      `The setting ${setting} of an operator does not fit version ${manifest.module_version}: ${message}`,
    );
  }
  return {
    ...found,
    manifest: { ...manifest, settings: settings as Manifest['settings'] },
    missingSettings: missing,
  };
}
