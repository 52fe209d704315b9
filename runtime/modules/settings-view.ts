/** What operators see of a module's settings: what is in force, where each value comes from, and what they can change. */

import { childOf } from '../config/matched-texts.ts';
import { isMap } from '../config/yaml-check.ts';
import { formatPath, type Path } from '../config/yaml-issue.ts';
import type { SchemaNode } from '../config/yaml-schema.ts';
import { findSecretNode, HIDDEN } from './secret-settings.ts';
import type { KeptSettings, Settings } from './settings-book.ts';
import { type FormSchema, formSchema, hideSecrets } from './settings-form.ts';
import { environmentPaths, layerSettings, type SettingsSource, schemaOf, valueAt } from './settings-layers.ts';

export const SETTING_SOURCES = ['default', 'config.yaml', 'operator', 'vault', 'environment'] as const;
export type SettingSource = (typeof SETTING_SOURCES)[number];

export interface SettingsView {
  readonly module: string;
  readonly version: string;
  /** JSON Schema, for a form. */
  readonly schema: FormSchema;
  /** What is in force; secrets as `***`. */
  readonly values: Settings;
  /** By the path of the setting: `smtp.port`. */
  readonly sources: Readonly<Record<string, SettingSource>>;
  /** Settings that the environment of the host has, and the variable of each: they cannot be changed here. */
  readonly overridden: Readonly<Record<string, string>>;
  /** Required, and without a value. */
  readonly missing: readonly string[];
  /** What operators set and this version does not take. */
  readonly dropped: readonly { readonly setting: string; readonly message: string }[];
  readonly set_by: string | null;
  readonly set_at: string | null;
}

/** @param vault the settings that the vault holds */
export function viewSettings(source: SettingsSource, kept: KeptSettings, vault: ReadonlySet<string>): SettingsView {
  const { manifest } = source;
  const schema = schemaOf(source);
  const { settings, layer, dropped, missing } = layerSettings(source, kept.settings);
  const secrets = [...vault].filter((setting) => findSecretNode(schema, setting) !== undefined);
  const values = secrets.reduce<unknown>(
    (all, setting) => shown(all, setting.split('.')),
    hideSecrets(settings, schema),
  );
  const sourceOf = (path: Path): SettingSource => {
    if (environmentPaths(source).some((set) => set.path.every((step, index) => step === path[index])))
      return 'environment';
    if (secrets.includes(path.join('.'))) return 'vault';
    if (valueAt(layer, path) !== undefined) return 'operator';
    return valueAt(source.writtenSettings, path) === undefined ? 'default' : 'config.yaml';
  };
  return {
    module: manifest.module_name,
    version: manifest.module_version,
    schema: formSchema(schema),
    values: values as Settings,
    sources: Object.fromEntries(leavesOf(values, schema, []).map((path) => [formatPath(path), sourceOf(path)])),
    overridden: Object.fromEntries(environmentPaths(source).map(({ path, variable }) => [formatPath(path), variable])),
    missing: missing.filter((setting) => !vault.has(setting)),
    dropped: dropped.map(({ path, message }) => ({ setting: formatPath(path), message })),
    set_by: kept.setBy,
    set_at: kept.setAt === null ? null : new Date(kept.setAt).toISOString(),
  };
}

function shown(value: unknown, path: readonly string[]): unknown {
  const [step, ...rest] = path;
  if (step === undefined) return HIDDEN;
  const entries = new Map(isMap(value) ? Object.entries(value) : []);
  entries.set(step, shown(entries.get(step), rest));
  return Object.fromEntries(entries);
}

/** Maps are walked; lists, empty maps and secrets are one value each. */
function leavesOf(value: unknown, node: SchemaNode | undefined, path: Path): Path[] {
  if (path.length > 0 && (!isMap(value) || Object.keys(value).length === 0 || node?.writeOnly === true)) return [path];
  return Object.entries(value as Settings).flatMap(([key, below]) =>
    leavesOf(below, childOf(node, key), [...path, key]),
  );
}
