/**
 * Puts what the vault holds into a module's settings: behind the environment, which wins, and before config.yaml. The
 * secrets are taken out again on the way to the cell, as all secret settings are.
 */
import type { Manifest } from '@plexichat/sdk/protocol/manifest';
import { checkValue, isMap } from '../config/yaml-check.ts';
import type { HeldSecrets } from '../state/secret-vault.ts';
import type { FoundModule } from './discover.ts';
import { type FillSettingsOptions, withSettings } from './fill-settings.ts';
import { secretPlaces, withoutFormerSecrets } from './former-secrets.ts';
import { findSecretNode } from './secret-settings.ts';

/** By setting, as JSON text. @throws Error when one cannot be opened */
export type FillSecrets = (module: string) => Promise<KeptSecrets>;

/** Without `remember` nothing is known of other versions. */
export type KeptSecrets = ReadonlyMap<string, string> & Partial<Pick<HeldSecrets, 'remember'>>;

export interface FillOptions extends FillSettingsOptions {
  readonly fillSecrets: FillSecrets;
}

export async function filled(found: FoundModule, options: FillOptions): Promise<Manifest> {
  const { fillSecrets, onWarning } = options;
  const values = await fillSecrets(found.name);
  const safe = await withoutExposed(found, values, onWarning);
  const { name, manifest, overrides } = await withSettings(safe, options);
  if (values.size === 0) return manifest;
  const settings = structuredClone(manifest.settings) as Record<string, unknown>;
  for (const [setting, text] of values) {
    const value: unknown = JSON.parse(text);
    const node = findSecretNode(manifest.settings_schema, setting);
    const by = overrides.find(({ key }) => `settings.${setting}.`.startsWith(`${key}.`));
    if (by !== undefined) onWarning(name, `${by.variable} is set, so the secret ${setting} of the vault is not used.`);
    // Boundary: a version that says no more that a setting is secret does not get it in the clear.
    else if (node === undefined)
      onWarning(name, `The vault holds ${setting}, which is no secret setting of the module.`);
    else if (checkValue(node, value).findings.length > 0) onWarning(name, misfit(setting));
    else place(settings, setting.split('.'), value);
  }
  return { ...manifest, settings: settings as Manifest['settings'] };
}

/** Boundary: what the environment gives is as secret for this version as it was for those before. */
export async function withoutExposed(
  found: FoundModule,
  { remember }: KeptSecrets,
  onWarning: FillOptions['onWarning'],
): Promise<FoundModule> {
  if (remember === undefined) return found;
  return withoutFormerSecrets(found, await remember(secretPlaces(found)), onWarning);
}

function misfit(setting: string): string {
  return `The secret ${setting} of the vault does not fit settings_schema and is not used; set it again.`;
}

function place(settings: Record<string, unknown>, path: readonly string[], value: unknown): void {
  let here = settings;
  for (const step of path.slice(0, -1)) {
    const next = Object.hasOwn(here, step) ? here[step] : undefined;
    if (isMap(next)) here = next;
    else {
      const made = {};
      here[step] = made;
      here = made;
    }
  }
  const last = path.at(-1);
  if (last !== undefined) here[last] = value;
}
