/** The layers of a module's settings: what an operator set lies over config.yaml and its defaults, and below the environment. */
import { ManifestSchema } from '@plexichat/sdk/protocol/manifest';
import { childOf } from '../config/matched-texts.ts';
import { checkValue, type Finding, isMap } from '../config/yaml-check.ts';
import type { Path } from '../config/yaml-issue.ts';
import type { SchemaNode } from '../config/yaml-schema.ts';
import type { FoundModule } from './discover.ts';
import { checkSettings } from './manifest-settings.ts';
import type { Settings } from './settings-book.ts';

export type SettingsSource = Pick<FoundModule, 'manifest' | 'overrides' | 'writtenSettings'>;

export interface LayeredSettings {
  /** What is in force. */
  readonly settings: Settings;
  /** What of the operator's layer has a part in it. */
  readonly layer: Settings;
  /** What does not fit, or would be a secret in the clear, and was left out. */
  readonly dropped: readonly Finding[];
  /** Required settings without a value. */
  readonly missing: readonly string[];
}

const ROUNDS = 3;

/** @param layer what the operator set, as it is kept */
export function layerSettings(source: SettingsSource, layer: Settings): LayeredSettings {
  const schema = schemaOf(source);
  const exposed = exposedSecrets(layer, schema);
  const dropped: Finding[] = [...exposed];
  const left = structuredClone(layer) as Record<string, unknown>;
  for (const { path } of exposed) drop(left, path);
  for (let round = 0; round < ROUNDS; round++) {
    const { settings, findings, missing } = check(schema, overlay(source, left));
    if (findings.length === 0) return { settings, layer: left, dropped, missing };
    dropped.push(...findings);
    for (const { path } of findings) drop(left, path);
  }
  return { ...check(schema, overlay(source, {})), layer: {}, dropped };
}

/** What is wrong with the settings that this layer would give; all of it. */
export function checkLayer(source: SettingsSource, layer: Settings): readonly Finding[] {
  return check(schemaOf(source), overlay(source, layer)).findings;
}

export function schemaOf({ manifest }: SettingsSource): SchemaNode | undefined {
  return manifest.settings_schema as SchemaNode | undefined;
}

/** Below `settings`, of what comes from the environment. */
export function environmentPaths({ overrides }: SettingsSource): { readonly path: Path; readonly variable: string }[] {
  return overrides
    .filter(({ path }) => path[0] === 'settings' && path.length > 1)
    .map(({ path, variable }) => ({ path: path.slice(1), variable }));
}

export function valueAt(value: unknown, path: Path): unknown {
  let here = value;
  for (const step of path) {
    if (!isMap(here) || !Object.hasOwn(here, step)) return undefined;
    here = here[step];
  }
  return here;
}

function overlay(source: SettingsSource, layer: Settings): Settings {
  const base = source.manifest.settings;
  const merged = merge(base, layer) as Settings;
  return environmentPaths(source).reduce((settings, { path }) => placed(settings, path, valueAt(base, path)), merged);
}

function check(schema: SchemaNode | undefined, settings: Settings) {
  const checked = checkSettings(schema, settings as Record<string, unknown>);
  const { debug, log_level } = settings;
  const own = checkValue(ManifestSchema.properties.settings, { debug, log_level }).findings;
  return { ...checked, findings: [...checked.findings, ...own] };
}

/** Maps key by key; everything else as a whole. */
function merge(below: unknown, above: unknown): unknown {
  if (!isMap(above)) return above;
  const merged = new Map(isMap(below) ? Object.entries(below) : []);
  for (const [key, value] of Object.entries(above)) merged.set(key, merge(merged.get(key), value));
  return Object.fromEntries(merged);
}

/** With this value at the path. */
export function placed(value: unknown, path: Path, leaf: unknown): Settings {
  const [step, ...rest] = path;
  if (step === undefined) return leaf as Settings;
  const entries = new Map(isMap(value) ? Object.entries(value) : []);
  const key = String(step);
  entries.set(key, rest.length === 0 ? leaf : placed(entries.get(key), rest, leaf));
  return Object.fromEntries(entries);
}

/** Takes out the key at the path, or the value on the way that has none below it. */
function drop(layer: Record<string, unknown>, path: Path): void {
  let here: Record<string, unknown> = layer;
  for (const [index, step] of path.entries()) {
    if (!Object.hasOwn(here, step)) return;
    const below = here[step];
    if (index === path.length - 1 || !isMap(below)) {
      delete here[step];
      return;
    }
    here = below;
  }
}

/** Boundary: a setting that a later version calls secret was kept in the clear before, and is not used as one. */
function exposedSecrets(layer: Settings, schema: SchemaNode | undefined): Finding[] {
  const found: Finding[] = [];
  const visit = (value: unknown, node: SchemaNode | undefined, path: Path): void => {
    if (node === undefined) return;
    const isLeaf = !isMap(value);
    if (path.length > 0 && (node.writeOnly === true || (isLeaf && holdsSecrets(node)))) {
      found.push({ path, part: 'value', message: 'It is, or holds, a secret now: set it again.' });
    } else if (!isLeaf) {
      for (const [key, below] of Object.entries(value)) visit(below, childOf(node, key), [...path, key]);
    }
  };
  visit(layer, schema, []);
  return found;
}

/** Whether something in a list or map of this schema is a secret. */
export function holdsSecrets(node: SchemaNode): boolean {
  if (node.writeOnly === true) return true;
  const { properties = {}, items, additionalProperties } = node;
  const below = [...Object.values(properties), items, additionalProperties];
  return below.some((one) => isMap(one) && holdsSecrets(one as SchemaNode));
}
